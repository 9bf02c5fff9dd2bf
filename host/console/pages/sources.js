// Sources: what is connected, what a pasted call would become, and the calls on their way out.
import * as api from '../api.js';
import { plural, value, words } from '../format.js';
import { Area, Badge, Card, Code, Empty, Icon, Json, Loading, More, Notice, Page, Refusal, Sentiment, Text, Time, html, prose, sentence, tell, useAction, useList, useLoad, useState } from '../ui.js';
import { Connect } from './connect.js';
import { STATES } from './decision.js';

export default function Sources({ place }) {
  const [, name, id] = place.parts;
  if (name === 'connect') return html`<${Connect} key=${id} preset=${id} />`;
  if (name === 'deliveries') return id ? html`<${Delivery} key=${id} id=${id} />` : html`<${Deliveries} query=${place.query} />`;
  return name ? html`<${One} key=${name} name=${name} />` : html`<${All} />`;
}

const Tabs = ({ here }) => html`<nav class="tabs" aria-label="Sources"><a href="#/sources" aria-current=${here === 'all' ? 'page' : undefined}>Connections</a><a href="#/sources/deliveries" aria-current=${here === 'deliveries' ? 'page' : undefined}>Deliveries</a></nav>`;

function All() {
  const load = useLoad(async (signal) => { const [sources, targets] = await Promise.all([api.get('/sources', null, signal), api.get('/targets', null, signal)]); return { items: sources.items, targets }; }, []);
  return html`<${Page} title="Sources" lead="Connections to your service desks: how calls come in, and how decisions go back."><${Tabs} here="all" /><${Refusal} error=${load.error} again=${load.again} />${!load.data && load.busy && html`<${Loading} />`}
    ${load.data?.items.length === 0 && html`<${Empty} title="Nothing is connected"><p>See below how to connect a desk.</p><//>`}
    <div class="grid">${(load.data?.items ?? []).map((one) => { const target = load.data.targets[`sources.${one.name}`]; return html`<${Card} title=${html`<a href=${`#/sources/${encodeURIComponent(one.name)}`}>${one.name}</a>`} aside=${html`<${Badge}>${one.system}<//>`}><dl class="facts"><div><dt>Answers with</dt><dd>${words(one.answer)}</dd></div><div><dt>Chain</dt><dd><a href=${`#/chain/${encodeURIComponent(one.chain)}`}>${one.chain}</a></dd></div><div><dt>Writes back</dt><dd>${one.outbound ? html`to ${one.outbound.base}, ${words(one.outbound.mode)} ${target?.health?.failures ? html`<${Badge} kind="bad">away<//>` : html`<${Badge} kind="good">well<//>`}` : html`<span class="muted">nothing</span>`}</dd></div></dl><a href=${`#/sources/${encodeURIComponent(one.name)}`}>Try a call</a><//>`; })}</div>
    <${Card} title="Connect a desk"><p class="muted">A preset knows how your desk calls and what its fields mean: try a call of it first, then write the source into the host's config, where its secrets are.</p><div><a class="button" href="#/sources/connect"><${Icon} name="plus" /> New from a preset</a></div><//><//>`;
}

function parse(text) {
  return Object.fromEntries(text.split('\n').map((line) => line.trim()).filter(Boolean).map((line) => { const at = line.indexOf(':'); return at > 0 ? [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()] : [line.toLowerCase(), '']; }));
}

function One({ name }) {
  const load = useLoad((signal) => api.get('/sources', null, signal), [name]);
  const source = load.data?.items.find((one) => one.name === name);
  const back = { href: '#/sources', label: 'Sources' };
  if (load.data && !source) return html`<${Page} title=${name} back=${back}><${Notice} kind="warn"><p>There is no source of this name.</p><//><//>`;
  return html`<${Page} title=${name} back=${back} lead=${source ? `${source.system}, through the adapter ${source.adapter}` : ''}><${Refusal} error=${load.error} /><${Try} of="sources" name=${name} /><//>`;
}

// A call, pasted as the desk sent it, and what it would become: through a source, or through a preset before anything is connected.
export function Try({ of, name }) {
  const [payload, setPayload] = useState('');
  const [headers, setHeaders] = useState('');
  const [query, setQuery] = useState('');
  const [trial, setTrial] = useState(null);
  const run = useAction(async () => setTrial(await api.post(`/${of}/${encodeURIComponent(name)}/test`, { payload, headers: parse(headers), ...(query && { query }) })));
  const route = `/${of}/{name}/test`;
  return html`<div class="columns even"><${Card} title="Try a call"><p class="muted">Paste a call as your desk sent it. Nothing is recorded, and nothing is sent.</p><form class="stack" onSubmit=${(event) => { event.preventDefault(); run.run(); }}>
      <${Area} label="Body" hint="Byte for byte, or the signature does not fit." rows="12" required value=${payload} onInput=${setPayload} /><${Area} label="Headers" hint="One per line: “x-hub-signature: sha1=…”. Without them the call cannot be verified; all else is shown." rows="3" value=${headers} onInput=${setHeaders} />
      <details><summary>It had a query string</summary><${Text} label="Query" value=${query} onInput=${setQuery} /></details><${Refusal} error=${run.error} />
      <div><button class="primary" disabled=${run.busy || !api.may('post', route)}>${run.busy ? 'Trying…' : 'Try it'}</button>${!api.may('post', route) && html` <span class="muted">Needs the role ${api.needs('post', route)}.</span>`}</div></form><//>
    <div class="stack">${trial ? html`<${Trial} trial=${trial} />` : html`<${Empty} title="What the call would become"><p>Whether it is genuine, what each field of the event is, what would be decided, and the calls that would be sent to the desk.</p><//>`}</div></div>`;
}

const VERIFIED = { verified: ['good', 'Genuine'], refused: ['bad', 'Not genuine'], not_checked: ['warn', 'Not checked'] };

// The fields of an event, one by one.
function flat(of, at = '') {
  return Object.entries(of).flatMap(([key, one]) => (one && typeof one === 'object' && !Array.isArray(one) ? flat(one, `${at}${key} › `) : [[`${at}${key}`, one]]));
}

// The place in the call that a field was read from; of attributes, one for each key.
function origin(origins, key) {
  const name = key.replaceAll(' › ', '.');
  const place = (of) => (of.startsWith('the ') ? html`<span class="muted">${of}</span>` : html`<code>${of}</code>`);
  if (name === 'attributes') return Object.entries(origins).filter(([one]) => one.startsWith('attributes.')).map(([one, of]) => html`<span class="by">${one.slice(11)}: ${place(of)}</span>`);
  return origins[name] ? place(origins[name]) : html`<span class="muted">the host</span>`;
}

function Trial({ trial }) {
  const [kind, title] = VERIFIED[trial.verification.result] ?? ['plain', words(trial.verification.result)];
  return html`<${Card} title="Verification" aside=${html`<${Badge} kind=${kind}>${title}<//>`}><p>${prose(sentence(trial.verification.detail))}</p><//>
    ${trial.error && html`<${Notice} kind="bad"><p><b>It would be refused.</b> ${sentence(trial.error.detail)} ${trial.error.pointer && html`<code>${trial.error.pointer}</code>`}</p><//>`}
    ${trial.dropped && html`<${Notice} kind="warn"><p><b>It would be dropped</b>, and answered with 204: ${trial.dropped}.</p><//>`}
    ${trial.observation && html`<${Notice}><p><b>It would be recorded, not judged:</b> ${trial.observation.reason}${trial.observation.ticket && `, on ticket ${trial.observation.ticket}`}.</p><//>`}
    ${trial.fed?.length > 0 && html`<${Card} title="Rows of tables"><p class="muted">It would be recorded, not judged: these rows would say something else.</p><ul class="plain">${trial.fed.flatMap((fed) => Object.entries(fed.rows).map(([key, row]) => html`<li><a href=${`#/lookups/tables/${encodeURIComponent(fed.table)}`}>${fed.table}</a> <b>${key}</b> ${row ? value(row) : html`<${Badge} kind="warn">taken away<//>`}</li>`))}</ul><//>`}
    ${trial.event && html`<${Card} title="The event"><div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="rows"><thead><tr><th scope="col">Field</th><th scope="col">Value</th>${trial.origins && html`<th scope="col">Came from</th>`}</tr></thead><tbody>${flat(trial.event).map(([key, one]) => html`<tr><th scope="row">${words(key)}</th><td class="wrap">${Array.isArray(one) && one.some((item) => typeof item === 'object') ? html`<code>${JSON.stringify(one)}</code>` : value(one)}</td>${trial.origins && html`<td class="wrap">${origin(trial.origins, key)}</td>`}</tr>`)}</tbody></table></div>${trial.left_out?.length > 0 && html`<p class="error">Could not be read: ${trial.left_out.join(', ')}.</p>`}<//>`}
    ${trial.decision && html`<${Card} title="The decision"><dl class="facts"><div><dt>Category</dt><dd>${value(trial.decision.category)}</dd></div><div><dt>Sentiment</dt><dd><${Sentiment} of=${trial.decision.sentiment} /></dd></div><div><dt>Priority</dt><dd>${trial.decision.priority ?? 'none'}</dd></div><div><dt>Escalation</dt><dd>level ${trial.decision.escalation.level}</dd></div><div><dt>Goes to</dt><dd>${value(trial.decision.assignment)}</dd></div></dl><details><summary>Every step's reasons</summary><ul class="plain">${trial.decision.trace.flatMap((entry) => (entry.set ?? []).map((change) => html`<li><b>${entry.name ?? entry.plugin}</b> ${words(change.field)}: ${change.reason}</li>`))}</ul></details><//>`}
    ${(trial.event || trial.outbound.length > 0) && html`<${Card} title="What would be sent" aside=${trial.mode && html`<${Badge}>${words(trial.mode)}<//>`}>${trial.outbound.length === 0 ? html`<p class="muted">Nothing${trial.mode ? '' : ': this source has no way back'}.</p>` : trial.outbound.map((one) => html`<details open><summary><b>${one.method}</b> ${one.url}</summary><p class="muted">${one.name}</p>${one.body && html`<${Json} of=${one.body} />`}</details>`)}<//>`}`;
}

function Deliveries({ query }) {
  const asked = Object.fromEntries(query);
  const list = useList((cursor) => api.get('/deliveries', { ...asked, limit: 50, cursor }), [query.toString()]);
  const targets = useLoad((signal) => api.get('/targets', null, signal), []);
  const set = (name, chosen) => { location.hash = `#/sources/deliveries?${new URLSearchParams(Object.entries({ ...asked, [name]: chosen }).filter(([, one]) => one))}`; };
  const choice = (name, label, options) => html`<select aria-label=${label} class=${asked[name] ? 'set' : ''} value=${asked[name] ?? ''} onChange=${(event) => set(name, event.target.value)}><option value="">${label}</option>${options.map((one) => html`<option value=${one} selected=${asked[name] === one}>${one}</option>`)}</select>`;
  return html`<${Page} title="Sources" lead="Calls that carry decisions out: at least once, in order per ticket."><${Tabs} here="deliveries" />
    <div class="filters" role="group" aria-label="Filter deliveries">${choice('state', 'Any state', ['waiting', 'sending', 'delivered', 'parked', 'dead', 'shadow'])}${choice('target', 'Any place', Object.keys(targets.data ?? {}))}${query.size > 0 && html`<a href="#/sources/deliveries">Clear</a>`}</div><${Refusal} error=${list.error} again=${list.again} />
    ${list.items?.length === 0 && html`<${Empty} title=${query.size ? 'Nothing fits these filters' : 'Nothing was sent yet'}><p>${query.size ? html`<a href="#/sources/deliveries">Show all deliveries</a>` : html`Decisions are written back when a source has <code>[sources.NAME.outbound]</code> in the host's config, or a place of your own is told of them (<code>[sinks.NAME]</code>). Begin with <code>mode = "shadow"</code>: it shows what would be sent.`}</p><//>`}
    ${list.items?.length > 0 && html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="rows"><thead><tr><th scope="col">Made</th><th scope="col">Call</th><th scope="col">To</th><th scope="col">Thread</th><th scope="col">State</th><th scope="col" class="num">Attempts</th><th scope="col">Last answer</th><th scope="col"><span class="unseen">Action</span></th></tr></thead><tbody>${list.items.map((one) => html`<tr key=${one.id}><td class="when"><${Time} at=${one.made} /></td><td><a href=${`#/sources/deliveries/${encodeURIComponent(one.id)}`}>${one.call.name}</a></td><td>${one.target}</td><td class="wrap">${one.thread}</td><td><${Badge} kind=${STATES[one.state]}>${one.state}<//></td><td class="num">${one.attempts}</td><td class="wrap"><span class="cut">${one.status ? `${one.status} ` : ''}${one.answer ?? ''}</span></td><td><${Send} one=${one} done=${(next) => list.replace((items) => items.map((item) => (item.id === next.id ? next : item)))} /></td></tr>`)}</tbody></table></div>`}<${More} list=${list} /><//>`;
}

export function Send({ one, done }) {
  const go = useAction(async () => { done(await api.post(`/deliveries/${encodeURIComponent(one.id)}/replay`)); tell('It is on its way again'); });
  if (!['parked', 'dead'].includes(one.state) || !api.may('post', '/deliveries/{id}/replay')) return null;
  return html`<button onClick=${go.run} disabled=${go.busy} aria-label=${`Send again: ${one.call.name} to ${one.target}`}>Send again</button><${Refusal} error=${go.error} />`;
}

function Delivery({ id }) {
  const load = useLoad((signal) => api.get(`/deliveries/${encodeURIComponent(id)}`, null, signal), [id]);
  const back = { href: '#/sources/deliveries', label: 'Deliveries' };
  if (!load.data) return load.error ? html`<${Page} title="Delivery" back=${back}><${Refusal} error=${load.error} again=${load.again} /><//>` : html`<${Loading} />`;
  const one = load.data;
  return html`<${Page} title=${`${one.call.name} to ${one.target}`} back=${back} lead=${html`<${Badge} kind=${STATES[one.state]}>${one.state}<//> <span class="muted">after ${plural(one.attempts, 'attempt')}</span>`} actions=${html`<${Send} one=${one} done=${load.again} />`}>
    <div class="columns"><div class="main-column"><${Card} title="What is sent"><p><b>${one.call.method}</b> <code>${one.call.path}</code></p><${Json} of=${one.call.body} /><//>${one.answer && html`<${Card} title="The last answer" aside=${one.status && html`<${Badge} kind=${one.status < 300 ? 'good' : 'bad'}>${one.status}<//>`}><${Code}>${one.answer}<//><//>`}</div>
    <div class="side-column"><${Card} title="For reference"><dl class="facts"><div><dt>Decision</dt><dd><a href=${`#/decisions/${one.id.replace(/-\d+$/, '')}`}>Why it is sent</a></dd></div><div><dt>Source</dt><dd>${one.source}</dd></div><div><dt>In order with</dt><dd>${one.thread}</dd></div><div><dt>Made</dt><dd><${Time} at=${one.made} exact /></dd></div><div><dt>Changed</dt><dd><${Time} at=${one.updated} exact /></dd></div>${one.next_at && html`<div><dt>Next try</dt><dd><${Time} at=${one.next_at} exact /></dd></div>`}</dl><//></div></div><//>`;
}
