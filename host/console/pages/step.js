// One step: its config as a form of the plugin's own schema, what it may do, when it runs, what a fault means. Changes go to the draft.
import * as api from '../api.js';
import { stepName } from '../diff.js';
import { Draft, Report, edit, editStep, problemsOf, useDraft } from '../draft.js';
import { GRANTS, bytes, grant, number, plural } from '../format.js';
import { Raw, Schema } from '../form.js';
import { Badge, Card, Choice, Loading, Notice, Page, Refusal, Text, html, tell, useAction, useLoad } from '../ui.js';
import { Health } from './now.js';

const WORDS = (title, description) => ({ type: 'array', items: { type: 'string' }, title, description, default: [] });
const CONDITION = { type: 'object', properties: {
  source: WORDS('Source', 'The connection it came through.'), network: WORDS('Network', 'x, mastodon, email, …'), kind: WORDS('Kind', 'post, comment, dm, review, …'),
  visibility: { type: 'array', items: { type: 'string', enum: ['public', 'followers', 'private', 'unknown'] }, title: 'Who can read it', default: [] },
  language: WORDS('Language', '“de” holds for “de-AT”, too.'), tag: WORDS('Tag', 'On the ticket already, or set by an earlier step.'), category: WORDS('Category', 'Settled by an earlier step: its key.'),
  sentiment: { type: 'array', items: { type: 'string', enum: ['very_negative', 'negative', 'neutral', 'positive', 'very_positive'] }, title: 'Sentiment', default: [] },
  min_escalation: { type: 'integer', minimum: 0, maximum: 4, title: 'Escalated at least to level' } } };
const LIMITS = { type: 'object', properties: Object.fromEntries([['fuel', 'Fuel per event', 'About one unit per instruction.'], ['wall_ms', 'Time per event, ms'], ['output_bytes', 'Answer, bytes'], ['host_calls', 'Calls into the host'], ['log_lines', 'Log lines'], ['log_bytes', 'Log, bytes']].map(([key, title, description]) => [key, { type: 'integer', minimum: 1, title, description }])) };

const clean = (of) => { const kept = Object.entries(of ?? {}).filter(([, one]) => one !== undefined && !(Array.isArray(one) && !one.length)); return kept.length ? Object.fromEntries(kept) : undefined; };

export default function Step({ live, again, chain, name }) {
  const draft = useDraft();
  const setup = draft?.setup ?? live.setup;
  const step = setup.chains[chain]?.steps.find((one) => stepName(one) === name);
  const plugin = step && (live.plugins.find((one) => one.digest === step.digest) ?? live.plugins.find((one) => step.plugin === one.name || step.plugin === `${one.name}@${one.version}`));
  const reference = step?.digest ?? step?.plugin;
  const report = useLoad((signal) => (reference ? api.get(`/plugins/${encodeURIComponent(reference)}`, null, signal) : Promise.resolve(null)), [reference]);
  const back = { href: chain === 'default' ? '#/chain' : `#/chain/${encodeURIComponent(chain)}`, label: 'Chain' };
  if (!step) return html`<${Page} title=${name} back=${back}><${Notice} kind="warn"><p>The chain “${chain}” has no step of this name${draft ? ' in your draft' : ''}.</p><//><div class="columns"><span></span><${Draft} live=${live} again=${again} /></div><//>`;
  const running = live.chains.find((one) => one.name === chain)?.steps.find((one) => one.name === name);
  const problems = problemsOf(draft, chain, name);
  const within = (place) => problems.filter((one) => one.pointer.startsWith(place)).map((one) => ({ ...one, pointer: one.pointer.slice(place.length) }));
  const put = (key, next) => editStep(live, chain, name, ({ [key]: _, ...rest }) => (next === undefined ? rest : { ...rest, [key]: next }));
  const about = report.data?.plugin;
  const may = api.may('put', '/setup');
  return html`<${Page} title=${name} back=${back} lead=${about?.summary ?? ''}><div class="columns"><div class="main-column">
      <${Sick} running=${running} chain=${chain} name=${name} again=${again} />
      ${running?.mode === 'shadow' && html`<${Shadow} chain=${chain} name=${name} revision=${live.revision} />`}
      <fieldset disabled=${!may} class="bare stack">
      <${Card} title="Config" aside=${html`<span class="muted">${step.plugin ?? ''}</span>`}><${Refusal} error=${report.error} />
        ${!report.data && report.busy && html`<${Loading} />`}
        ${about && html`<${Schema} schema=${about.config_schema} value=${step.config ?? undefined} errors=${within('/config')} onChange=${(next) => put('config', next)} />
        ${!Object.keys(about.config_schema?.properties ?? {}).length && html`<p class="muted">There is nothing to configure.</p>`}
        <details><summary>As JSON</summary><${Raw} name="config" schema=${{ title: 'The whole config', description: 'What is not here has the default of the schema.' }} value=${step.config} onChange=${(next) => put('config', next)} errors=${[]} at="" /></details>`}<//>
      <${Card} title="When it runs"><p class="muted">Every key that is given must hold; a key holds when one of its words does. Nothing given: always.</p><details open=${Boolean(step.when)}><summary>Only when…</summary><${Schema} schema=${CONDITION} value=${step.when} errors=${within('/when')} onChange=${(next) => put('when', clean(next))} /></details><details open=${Boolean(step.unless)}><summary>But not when…</summary><${Schema} schema=${CONDITION} value=${step.unless} errors=${within('/unless')} onChange=${(next) => put('unless', clean(next))} /></details><//>
      <${Card} title="What happens when it fails"><div class="grid"><${Choice} label="Its events" value=${step.on_fault ?? 'skip'} options=${[['skip', 'are decided without it'], ['hold', 'wait for a person']]} onInput=${(next) => put('on_fault', next === 'skip' ? undefined : next)} /><${Text} label="Leave it out after" hint="Faults among its last 20 runs; 0 is never." type="number" min="0" max="20" value=${step.quarantine_after ?? 10} onInput=${(text) => put('quarantine_after', text === '' || text === '10' ? undefined : Number(text))} /><${Choice} label="Its memory" value=${step.isolation ?? 'fresh'} options=${[['fresh', 'is fresh for every event'], ['reuse', 'is kept over several events']]} onInput=${(next) => put('isolation', next === 'fresh' ? undefined : next)} /></div>
        <details open=${Boolean(step.limits)}><summary>Budgets of its own</summary><${Schema} schema=${LIMITS} value=${step.limits} errors=${within('/limits')} onChange=${(next) => put('limits', clean(next))} /></details><//>
      </fieldset></div>
    <div class="side-column"><${Draft} live=${live} again=${again} />
      <${Card} title="This step"><${Choice} label="Mode" disabled=${!may} hint="In shadow it runs beside the others without a say; the trace tells what it would have done." value=${step.mode ?? 'live'} options=${['live', 'shadow', 'off']} onInput=${(next) => put('mode', next === 'live' ? undefined : next)} />
        <${Version} live=${live} plugin=${plugin} step=${step} may=${may} put=${(next) => editStep(live, chain, name, (one) => ({ ...one, ...next }))} />
        ${running && html`<p>Health <${Health} of=${running.health} /></p>`}
        ${may && html`<div><button class="danger" onClick=${() => { edit(live, (next) => { next.chains[chain].steps = next.chains[chain].steps.filter((one) => stepName(one) !== name); return next; }); tell(`${name} is out of your draft`); location.hash = back.href; }}>Take it out</button></div>`}<//>
      <${Grants} step=${step} about=${about} may=${may} put=${put} />
      ${about && html`<${Card} title="What it can reach"><ul class="plain">${about.permissions.map((one) => html`<li>It can ${one}.</li>`)}${about.permissions.length === 0 && html`<li>Nothing but the event it is given.</li>`}</ul>${about.cost && html`<p class="muted">${number(about.peak.fuel)} of ${number(about.peak.fuel_limit)} fuel and ${bytes(about.peak.memory_bytes)} memory at most, over ${plural(about.examples.length, 'example')} of its own.</p>`}<a href=${`#/plugins/${encodeURIComponent(reference)}`}>All about the plugin</a><//>`}</div></div><//>`;
}

function Sick({ running, chain, name, again }) {
  const reset = useAction(async () => { await api.post(`/chains/${encodeURIComponent(chain)}/steps/${encodeURIComponent(name)}/reset`); tell(`${name} runs again`); again(); });
  if (running?.health.state !== 'quarantined') return null;
  return html`<${Notice} kind="bad"><p><b>Quarantined.</b> It kept faulting, and is left out until it is tried again. Look at <a href="#/decisions?degraded=true">degraded decisions</a> for what went wrong.</p>${api.may('post', '/chains/{name}/steps/{step}/reset') && html`<button class="link" disabled=${reset.busy} onClick=${reset.run}>Let it back in now</button>`}<${Refusal} error=${reset.error} /><//>`;
}

// What a step in shadow would have changed, had it had a say: from its entries in what was decided.
function Shadow({ chain, name, revision }) {
  const load = useLoad((signal) => api.get(`/chains/${encodeURIComponent(chain)}/steps/${encodeURIComponent(name)}/shadow`, { last: 1000 }, signal), [chain, name, revision]);
  return html`<${Card} title="In shadow" aside=${html`<button class="link" onClick=${load.again}>Look again</button>`}><${Refusal} error=${load.error} again=${load.again} />
    ${load.data && (load.data.events === 0 ? html`<p class="muted">Nothing has gone through it yet. What it would have changed is told here, decision by decision; nobody is told but you.</p>` : html`<p class="muted">${plural(load.data.events, 'event')} went through it since it is as it is.</p><${Report} replay=${{ report: load.data }} />`)}<//>`;
}

function Version({ live, plugin, step, may, put }) {
  const all = live.plugins.filter((one) => one.name === (plugin?.name ?? (step.plugin ?? '').split('@')[0]));
  if (all.length < 2) return html`<p>Plugin <b>${plugin?.name ?? step.plugin}</b> ${plugin?.version ?? ''}</p>`;
  return html`<${Choice} label="Version" disabled=${!may} value=${plugin?.digest} options=${all.map((one) => [one.digest, `${one.name} ${one.version}`])} onInput=${(digest) => { const one = all.find((other) => other.digest === digest); put({ plugin: `${one.name}@${one.version}`, digest }); }} />`;
}

// What the plugin asks for and what the step is granted, as sentences.
function Grants({ step, about, may, put }) {
  const asked = new Map((about?.requests ?? []).map((one) => [one.grant ?? one.name, one.reason]));
  const all = [...new Set([...GRANTS, ...asked.keys(), ...(step.grants ?? [])])].filter(Boolean);
  const has = new Set(step.grants ?? []);
  const shown = all.filter((one) => asked.has(one) || has.has(one));
  const rest = all.filter((one) => !shown.includes(one));
  const flip = (word, on) => { const next = on ? [...has, word] : [...has].filter((one) => one !== word); put('grants', next.length ? next : undefined); };
  const row = (word) => html`<label class="check"><input type="checkbox" disabled=${!may} checked=${has.has(word)} onChange=${(event) => flip(word, event.target.checked)} /><span>${grant(word)}${asked.get(word) && html`<span class="muted by">It asks for it: ${asked.get(word)}</span>`}${has.has(word) && !asked.has(word) && html` <${Badge}>not asked for<//>`}</span></label>`;
  return html`<${Card} title="What it may do">${shown.length === 0 && html`<p class="muted">Propose, like every step: values, tags, notes, and raising an escalation. Anything beyond that needs a grant, and it has none.</p>`}${shown.map(row)}<details><summary>Grants it did not ask for</summary><div class="stack">${rest.map(row)}</div></details><//>`;
}
