// One decision in reading order: who said what, what was made of it and why, what each step proposed, what was written back, and what
// other rules would make of it.
import * as api from '../api.js';
import { FAULTS, OUTCOMES, duration, field, micros, number, percent, plural, segments, value, words } from '../format.js';
import { Badge, Card, Code, Json, Level, Loading, Notice, Page, Priority, Refusal, Sentiment, Sure, Time, html, tell, useAction, useLoad, useState } from '../ui.js';
import { Differences } from '../diff.js';

export default function Decision({ id }) {
  const load = useLoad((signal) => api.get(`/decisions/${encodeURIComponent(id)}`, null, signal), [id]);
  const [chosen, choose] = useState(null);
  if (!load.data) return load.error ? html`<${Page} title="Decision" back=${BACK}><${Refusal} error=${load.error} again=${load.again} /><//>` : html`<${Loading} />`;
  const { event, decision } = load.data;
  return html`<${Page} title=${decision.category.path?.join(' › ') || decision.category.key} back=${BACK}
      lead=${html`<${Sentiment} of=${decision.sentiment} /> <${Priority} of=${decision.priority} /> <${Level} of=${decision.escalation} /> <span class="muted">decided <${Time} at=${decision.decided} exact /></span>`}>
    ${decision.held && html`<${Notice} kind="bad"><p><b>Held.</b> The step <b>${decision.held.step}</b> ${FAULTS[decision.held.outcome] ?? words(decision.held.outcome)}, and this event must not be acted on without it. Nothing was written back; its calls wait under <a href="#/sources/deliveries?state=parked">Deliveries</a>.</p><//>`}
    ${decision.degraded && !decision.held && html`<${Notice} kind="bad"><p><b>Degraded.</b> A step misbehaved, and the event was decided without it: see the steps below.</p><//>`}
    ${decision.follows && html`<${Notice} kind=${decision.follows.trigger === 'sla-breach' ? 'bad' : 'warn'}><p><b>Decided again:</b> the ${words(decision.follows.clock)} ${decision.follows.trigger === 'sla-breach' ? 'was not kept' : 'is nearly due'}, due <${Time} at=${decision.follows.due} exact />. <a href=${`#/decisions/${encodeURIComponent(decision.follows.decision)}`}>The decision that promised it</a></p><//>`}
    <div class="columns"><div class="main-column">
      <${Said} event=${event} trace=${decision.trace} chosen=${chosen} choose=${choose} />
      <${Steps} trace=${decision.trace} decision=${decision} chosen=${chosen} choose=${choose} />
      <${Again} event=${event} decision=${decision} />
    </div><div class="side-column">
      <${Settled} decision=${decision} /><${Calls} decision=${decision} /><${Afterwards} event=${event} />
      <${Card} title="For reference"><dl class="facts"><div><dt>Event</dt><dd><code>${event.id}</code></dd></div><div><dt>Decision</dt><dd><code>${decision.id}</code></dd></div><div><dt>Generation</dt><dd><a href=${`#/chain/history`}><code>${decision.generation}</code></a></dd></div><div><dt>Chain</dt><dd>${decision.chain}</dd></div></dl>
        <${Forget} event=${event} />
        <details><summary>As JSON</summary><${Json} of=${{ event, decision: { ...decision, trace: `${decision.trace.length} entries` } }} /></details><//>
    </div></div><//>`;
}

const BACK = { href: '#/decisions', label: 'Decisions' };
const label = (entry) => entry.name || entry.plugin;

// Every piece of evidence that points into a text, with the step that gave it.
const spans = (trace, name) => trace.flatMap((entry, step) => (entry.set ?? []).flatMap((change) => (change.evidence ?? []).filter((one) => one.field === name && one.span).map((one) => ({ ...one.span, step, weight: one.weight, why: `${label(entry)}: ${field(change.field)}`, field: change.field }))));

function Marked({ text, trace, name, chosen }) {
  const found = spans(trace, name).filter((span) => !chosen || (span.step === chosen.step && (!chosen.field || span.field === chosen.field)));
  return segments(text, found).map((part) => (part.spans.length
    ? html`<mark class=${`step-${part.spans[0].step % 6} ${Math.max(...part.spans.map((one) => Math.abs(one.weight ?? 1))) > 0.3 ? 'strong' : ''}`} title=${[...new Set(part.spans.map((one) => one.why))].join('\n')}>${part.text}</mark>`
    : part.text));
}

function Said({ event, trace, chosen, choose }) {
  const author = event.author ?? {};
  const facts = [event.network, event.kind && words(event.kind), event.visibility && event.visibility !== 'unknown' && `${event.visibility}`, event.language].filter(Boolean);
  const about = [author.followers !== undefined && `${number(author.followers)} followers`, author.verified && 'verified', author.vip && 'important', author.organisation, author.staff && 'one of us', author.bot && 'a machine'].filter(Boolean);
  const speaking = trace.map((entry, step) => ({ entry, step })).filter(({ step }) => [...spans(trace, 'text'), ...spans(trace, 'title')].some((span) => span.step === step));
  return html`<${Card} title="What was said" className="said-card">
    <p class="who"><b>${author.name || author.handle || 'Somebody'}</b> ${author.name && author.handle && html`<span class="muted">${author.handle}</span>`} ${about.length > 0 && html`<span class="muted">${about.join(', ')}</span>`}<span class="muted right">${facts.join(' · ')}${event.occurred && html` · <${Time} at=${event.occurred} />`}</span></p>
    ${event.title && html`<h3><${Marked} text=${event.title} trace=${trace} name="title" chosen=${chosen} /></h3>`}
    <blockquote>${event.text ? html`<${Marked} text=${event.text} trace=${trace} name="text" chosen=${chosen} />` : html`<span class="muted">no text</span>`}</blockquote>
    ${event.ticket && html`<p class="muted">On ticket ${event.ticket.number || event.ticket.id}${event.ticket.queue && `, in ${event.ticket.queue}`}${event.ticket.status && `, ${event.ticket.status}`} · <a href=${`#/alerts/clocks?source=${encodeURIComponent(event.source)}&ticket=${encodeURIComponent(event.ticket.id)}`}>its clocks</a></p>`}
    ${event.attachments?.length > 0 && html`<p class="muted">${plural(event.attachments.length, 'attachment')}: ${event.attachments.map((one) => one.alt_text || one.media_type || 'a file').join(', ')}</p>`}
    ${speaking.length > 0 && html`<div class="legend" role="group" aria-label="Show the evidence of"><button class=${`chip ${chosen ? '' : 'on'}`} aria-pressed=${chosen ? 'false' : 'true'} onClick=${() => choose(null)}>all evidence</button>${speaking.map(({ entry, step }) => html`<button class=${`chip step-${step % 6} ${chosen?.step === step ? 'on' : ''}`} aria-pressed=${chosen?.step === step ? 'true' : 'false'} onClick=${() => choose(chosen?.step === step && !chosen.field ? null : { step })}>${label(entry)}</button>`)}</div>`}<//>`;
}

// Settled values, each with the step that had the last word and how sure it was.
function Settled({ decision }) {
  const last = {};
  const lost = {};
  for (const entry of decision.trace.filter((one) => !one.shadow)) {
    for (const change of entry.set ?? []) {
      if (last[change.field] && !change.field.startsWith('/tags') && !change.field.startsWith('/sla') && value(last[change.field].change.to) !== value(change.to)) (lost[change.field] ??= []).push({ by: label(last[change.field].entry), was: last[change.field].change.to });
      last[change.field] = { entry, change };
    }
  }
  const rows = [
    ['/category', 'Category', decision.category], ['/intent', 'Intent', decision.intent && words(decision.intent)], ['/language', 'Language', decision.language], ['/sentiment', 'Sentiment', decision.sentiment],
    ['/urgency', 'Urgency', decision.urgency], ['/impact', 'Impact', decision.impact], ['/priority', 'Priority', decision.priority], ['/crisis', 'Crisis', decision.crisis !== 'none' && decision.crisis],
    ['/assignment', 'Goes to', decision.assignment], ['/escalation', 'Escalation', decision.escalation.level > 0 && `level ${decision.escalation.level}${decision.escalation.audience?.length ? `, told: ${decision.escalation.audience.join(', ')}` : ''}`],
    ['/tags/add', 'Tags', decision.tags?.add], ['/tags/remove', 'Tags away', decision.tags?.remove], ['/moderation', 'Moderation', decision.moderation && `${words(decision.moderation.action)}${decision.moderation.needs_approval ? ' (a person must agree)' : ''}`],
    ['/watchers', 'Watchers', decision.watchers], ['/marks', 'Marks', decision.marks],
  ].filter(([, , of]) => of && (!Array.isArray(of) || of.length));
  return html`<${Card} title="What was decided"><dl class="facts settled">${rows.map(([pointer, name, of]) => html`<div><dt>${name}</dt><dd>${value(of)}${last[pointer] && html`<span class="muted by">${label(last[pointer].entry)}, ${percent(last[pointer].change.confidence)} sure${lost[pointer]?.map((one) => html`; overwrote ${value(one.was)} of ${one.by}`)}</span>`}</dd></div>`)}
    ${(decision.sla ?? []).map((one) => html`<div><dt>${words(one.clock)}</dt><dd>within ${duration(one.target_seconds)}</dd></div>`)}</dl>
    ${(decision.alerts ?? []).map((one) => html`<${Notice} kind="warn"><p><b>Alert for ${words(one.audience)}</b> (${one.level}): ${one.text} <a href=${`#/alerts?decision=${encodeURIComponent(decision.id)}`}>Who was told</a></p><//>`)}
    ${(decision.replies ?? []).map((one) => html`<div class="draft"><p class="muted">Drafted reply${one.approval && one.approval !== 'none' && html`, for ${one.approval === 'pr' ? 'PR' : `the ${one.approval}`} to agree to: <a href="#/waiting">what waits</a>`}</p><blockquote>${one.body ?? one.text ?? value(one)}</blockquote></div>`)}
    ${decision.notes?.length > 0 && html`<h3>Notes for agents</h3><ul>${decision.notes.map((one) => html`<li>${value(one)}</li>`)}</ul>`}
    ${decision.articles?.length > 0 && html`<h3>Articles</h3><ul>${decision.articles.map((one) => html`<li>${one.title ?? value(one)}</li>`)}</ul>`}
    ${decision.stopped_by && html`<p class="muted">${decision.stopped_by} ended the chain.</p>`}<//>`;
}

function Steps({ trace, decision, chosen, choose }) {
  const overwritten = (change, at) => !/^\/(tags|sla)/.test(change.field) && trace.some((later, i) => i > at && !later.shadow && later.set?.some((one) => one.field === change.field));
  return html`<${Card} title="Step by step" aside=${html`<span class="muted">${micros(trace.reduce((sum, one) => sum + one.micros, 0))} in all</span>`}><ol class="steps">${trace.map((entry, at) => html`<li class=${`step ${FAULTS[entry.outcome] ? 'faulted' : ''} ${entry.shadow ? 'shadowed' : ''}`}>
    <div class="step-head"><span class=${`dot step-${at % 6}`} aria-hidden="true"></span><a href=${`#/chain/${encodeURIComponent(decision.chain)}/${encodeURIComponent(label(entry))}`}><b>${label(entry)}</b></a> <span class="muted">${entry.name && entry.name !== entry.plugin ? `${entry.plugin} ` : ''}${entry.version}</span>
      ${entry.shadow && html`<${Badge} kind="info" title="It ran without a say">shadow<//>`}${entry.outcome !== 'ran' && html`<${Badge} kind=${FAULTS[entry.outcome] ? 'bad' : 'plain'}>${OUTCOMES[entry.outcome] ?? entry.outcome}<//>`}
      <span class="muted right" title=${`${number(entry.fuel)} fuel, ${number(Math.round(entry.memory_bytes / 1024))} KiB`}>${micros(entry.micros)}</span></div>
    ${entry.detail && html`<p class=${FAULTS[entry.outcome] ? 'error' : 'muted'}>${entry.detail}</p>`}
    ${(entry.set ?? []).length > 0 && html`<ul class="changes">${entry.set.map((change) => html`<li class=${overwritten(change, at) ? 'lost' : ''}><button class=${`change ${chosen?.step === at && chosen.field === change.field ? 'on' : ''}`} disabled=${!change.evidence?.some((one) => one.span)} title="Show its evidence" onClick=${() => choose(chosen?.step === at && chosen.field === change.field ? null : { step: at, field: change.field })}>
        <span class="what">${entry.shadow ? 'would set ' : ''}${field(change.field)}</span> <span class="to">${change.from !== undefined && html`<del>${value(change.from)}</del> `}${value(change.to)}</span>
        <span class="sure" title="How sure it was">${percent(change.confidence)}</span></button>
        <p class="why">${change.reason}${change.rule_id && html` <code class="muted">${change.rule_id}</code>`}${overwritten(change, at) && html` <${Badge}>overwritten later<//>`}</p></li>`)}</ul>`}
    ${(entry.dropped ?? []).map((one) => html`<p class="dropped"><${Badge} kind="warn">not taken<//> ${words(one.effect)}: ${one.reason}</p>`)}
    ${(entry.log ?? []).length > 0 && html`<details><summary>${plural(entry.log.length, 'log line')}</summary><ul class="log">${entry.log.map((line) => html`<li><b>${line.severity}</b> ${line.message}</li>`)}</ul></details>`}
    ${entry.outcome === 'ran' && !(entry.set ?? []).length && html`<p class="muted">It proposed nothing.</p>`}</li>`)}</ol><//>`;
}

function Calls({ decision }) {
  const load = useLoad((signal) => api.get('/deliveries', { decision: decision.id, limit: 50 }, signal), [decision.id]);
  const items = load.data?.items ?? [];
  return html`<${Card} title="What was written back"><${Refusal} error=${load.error} />${load.data && !items.length && html`<p class="muted">Nothing: its source has no way back, or writes nothing of this. <a href="#/sources">Sources</a> says which do.</p>`}
    <ul class="plain">${items.map((one) => html`<li><a href=${`#/sources/deliveries/${encodeURIComponent(one.id)}`}><b>${one.call.name}</b></a> to ${one.target} <${Badge} kind=${STATES[one.state]}>${one.state}<//> ${one.attempts > 0 && html`<span class="muted">${plural(one.attempts, 'try', 'tries')}, <${Time} at=${one.updated} /></span>`}
      ${(one.status || one.answer) && html`<details><summary>It answered${one.status ? ` ${one.status}` : ''}: <span class="muted">${(one.answer || 'nothing more').slice(0, 80)}</span></summary><${Code}>${one.answer || 'nothing more'}<//></details>`}</li>`)}</ul><//>`;
}
export const STATES = { delivered: 'good', waiting: 'plain', sending: 'plain', parked: 'bad', dead: 'bad', shadow: 'info' };

function Afterwards({ event }) {
  const ticket = event.ticket?.id;
  const load = useLoad(async (signal) => (ticket ? api.get('/observations', { source: event.source, ticket, limit: 20 }, signal) : { items: [] }), [ticket]);
  if (!load.data?.items.length) return null;
  return html`<${Card} title="What the desk did afterwards"><ul class="plain">${load.data.items.map((one) => html`<li><${Time} at=${one.at} /> ${one.what}</li>`)}</ul><//>`;
}

// What a person has the right to have forgotten; for admins.
function Forget({ event }) {
  const [what, setWhat] = useState(null);
  if (!api.may('delete', '/events/{source}/{event_id}')) return null;
  const who = event.author?.id ?? event.author?.handle;
  const ways = { event: [`/events/${encodeURIComponent(event.source)}/${encodeURIComponent(event.id)}`, 'Erase this event', 'The message goes, with its decision, its deliveries and all by which it was known.'], author: [`/authors/${encodeURIComponent(who)}`, `Erase everything of ${event.author?.name || event.author?.handle || who}`, 'Every message of this author goes, through whichever source it came, with all that was made of it.'] };
  const [path, title, means] = ways[what] ?? [];
  const act = async (reason) => { const { events } = await api.remove(path, { reason }); tell(`${plural(events, 'event is', 'events are')} erased`); location.hash = '#/decisions'; };
  return html`<details><summary>Forget</summary><div class="row"><button onClick=${() => setWhat('event')}>Erase this event…</button>${who && html`<button onClick=${() => setWhat('author')}>Erase its author…</button>`}</div></details>
    ${what && html`<${Sure} title=${title} verb="Erase" act=${act} onClose=${() => setWhat(null)}><p>${means}</p><p class="muted">It cannot be undone. The desk keeps what it was told, and backups what they have; the audit log says that something was erased and why, not whom.</p><//>`}`;
}

// The same event under other rules: a replay over this one event, compared with what live rules decide now.
function Again({ event, decision }) {
  const history = useLoad((signal) => api.get('/generations', { limit: 50 }, signal), []);
  const [generation, setGeneration] = useState('');
  const run = useAction(async () => replay({ since: decision.decided, until: new Date(new Date(decision.decided).getTime() + 1).toISOString(), last: 500, ...(generation ? { generation } : {}) }));
  const [done, setDone] = useState(null);
  if (!api.may('post', '/replays')) return null;
  const seen = [...new Map((history.data?.items ?? []).map((one) => [one.generation, one])).values()];
  const found = done?.report?.changes.find((one) => one.decision_id === decision.id);
  return html`<${Card} title="Decide it again"><form class="row" onSubmit=${async (submit) => { submit.preventDefault(); setDone(await run.run()); }}>
    <label class="unseen" for="again">With the rules of</label><select id="again" value=${generation} onChange=${(change) => setGeneration(change.target.value)}><option value="">the rules that are live now</option>${seen.map((one) => html`<option value=${one.generation}>${one.generation} (revision ${one.revision}${one.why ? `, ${one.why}` : ''})</option>`)}</select>
    <button disabled=${run.busy}>${run.busy ? 'Deciding…' : 'Decide again'}</button><span class="muted">Nothing is recorded or sent.</span></form>
    <${Refusal} error=${run.error} />
    ${done?.failure && html`<${Notice} kind="bad"><p>${done.failure}</p><//>`}
    ${done?.report && (found ? html`<${Differences} was="Recorded" is="With these rules" fields=${found.fields} />` : html`<${Notice} kind="good"><p>The same decision: these rules change nothing about this event.</p><//>`)}<//>`;
}

// Starts a replay and waits for its report.
export async function replay(request, progress = () => {}) {
  let shown = await api.post('/replays', request);
  for (let turn = 0; shown.state === 'running'; turn++) {
    progress(shown);
    await new Promise((then) => setTimeout(then, Math.min(1000, 80 + turn * 60)));
    shown = await api.get(`/replays/${shown.id}`);
  }
  return shown;
}
