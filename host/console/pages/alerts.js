// Alerts: what was raised, who was told of it and how that fares; and the clocks of service levels, whose breaches most alerts are about.
import * as api from '../api.js';
import { ago, plural, value, words } from '../format.js';
import { Badge, Card, Code, Empty, Loading, More, Notice, Page, Refusal, Time, html, useEffect, useList, useLoad, useState } from '../ui.js';
import { STATES } from './decision.js';
import { Send } from './sources.js';

const LOUD = { critical: 'bad', high: 'warn', normal: 'plain', low: 'plain' };
const TOLD = { sent: ['plain', 'sent'], held: ['warn', 'held back'], summarised: ['info', 'in a summary'] };
const CLOCKS = { first_response: 'First response', next_response: 'Next response', resolution: 'Resolution' };
const PHASES = { running: 'good', paused: 'info', breached: 'bad', met: 'plain', closed: 'plain' };

export default function Alerts({ place }) {
  const clocks = place.parts[1] === 'clocks';
  return html`<${Page} title="Alerts" lead=${clocks ? 'What was promised, and by when: every clock of a service level.' : 'What was raised, and who was told.'}>
    <nav class="tabs" aria-label="Alerts"><a href="#/alerts" aria-current=${clocks ? undefined : 'page'}>Alerts</a>${api.exists('get', '/clocks') && html`<a href="#/alerts/clocks" aria-current=${clocks ? 'page' : undefined}>Clocks</a>`}</nav>
    ${clocks ? html`<${Clocks} query=${place.query} />` : html`<${Raised} query=${place.query} />`}<//>`;
}

function go(path, asked, name, chosen) {
  location.hash = `#/${path}?${new URLSearchParams(Object.entries({ ...asked, [name]: chosen }).filter(([, one]) => one))}`;
}

const Box = ({ label, value, set }) => html`<input type="search" data-search aria-label=${label} placeholder=${label} value=${value ?? ''} onChange=${(event) => set(event.target.value.trim())} />`;
const Select = ({ label, value, set, options }) => html`<select aria-label=${label} class=${value ? 'set' : ''} value=${value ?? ''} onChange=${(event) => set(event.target.value)}><option value="">${label}</option>${options.map(([key, said]) => html`<option value=${key} selected=${key === value}>${said}</option>`)}</select>`;

function Raised({ query }) {
  const asked = Object.fromEntries(query);
  const list = useList((cursor) => api.get('/alerts', { ...asked, limit: 50, cursor }), [query.toString()]);
  const sinks = useLoad(async (signal) => Object.entries(await api.get('/targets', null, signal)).filter(([name]) => name.startsWith('alerts.')), []);
  const [at, setAt] = useState(0);
  useEffect(() => { setAt(0); }, [query.toString()]);
  const items = list.items ?? [];
  const chosen = items[Math.min(at, items.length - 1)];
  const set = (name) => (chosen) => go('alerts', asked, name, chosen);
  const away = (sinks.data ?? []).filter(([, sink]) => sink.health?.failures > 0);
  return html`${away.map(([name, sink]) => html`<${Notice} kind="bad"><p><b>${name.slice(7)} cannot be told.</b> ${sink.health.reason ?? `${sink.health.failures} failures in a row`}. ${plural((sink.deliveries.waiting ?? 0) + (sink.deliveries.sending ?? 0), 'alert waits', 'alerts wait')} for it to be back. <a href=${`#/sources/deliveries?target=${encodeURIComponent(name)}`}>Deliveries</a></p><//>`)}
    <div class="filters" role="group" aria-label="Filter alerts"><${Box} label="Audience" value=${asked.audience} set=${set('audience')} /><${Box} label="Key" value=${asked.key} set=${set('key')} /><${Box} label="Source" value=${asked.source} set=${set('source')} /><${Box} label="Ticket" value=${asked.ticket} set=${set('ticket')} />${query.size > 0 && html`<a href="#/alerts">Clear</a>`}</div>
    <${Refusal} error=${list.error ?? sinks.error} again=${list.again} />${!list.items && list.busy && html`<${Loading} />`}
    ${list.items?.length === 0 && (query.size ? html`<${Empty} title="Nothing fits these filters"><p><a href="#/alerts">Show all alerts</a></p><//>` : html`<${Nothing} sinks=${sinks.data} />`)}
    ${chosen && html`<div class="columns wide-side"><div class="main-column"><ul class="waits" aria-label=${plural(items.length, 'alert')}>${items.map((one, index) => html`<li key=${one.id}><button id=${`alert-${index}`} class="wait" aria-current=${one === chosen ? 'true' : undefined} onClick=${() => setAt(index)}>
        <span class="row"><${Badge} kind=${LOUD[one.level]}>${one.level}<//> <b>${words(one.audience)}</b>${one.repeats > 0 && html` <span class="muted">and ${plural(one.repeats, 'repeat')}</span>`}<span class="right muted"><${Time} at=${one.at} /></span></span>
        <span class="cut">${one.text}</span><span class="row">${one.sinks.length === 0 ? html`<${Badge} kind="bad">nobody heard it<//>` : one.sinks.map((sink) => html`<${Badge} kind=${TOLD[sink.state]?.[0]}>${sink.sink}: ${TOLD[sink.state]?.[1] ?? sink.state}<//> `)}</span></button></li>`)}</ul><${More} list=${list} /></div>
    <div class="side-column"><${One} key=${chosen.id} of=${chosen} /><${Sinks} sinks=${sinks.data} /></div></div>`}
    ${list.items?.length === 0 && !query.size && html`<${Sinks} sinks=${sinks.data} />`}`;
}

// One alert: what was said, to whom, in how many tries, and what they answered.
function One({ of }) {
  const calls = useLoad((signal) => api.get('/deliveries', { decision: of.id, limit: 50 }, signal), [of.id]);
  const on = Object.entries(of.on_call?.columns ?? {});
  const items = calls.data?.items ?? [];
  const held = of.sinks.filter((sink) => sink.state !== 'sent');
  return html`<${Card} title=${`For ${words(of.audience)}`} aside=${html`<${Badge} kind=${LOUD[of.level]}>${of.level}<//>`}>
    <blockquote class="would">${of.text}</blockquote>
    <p class="muted"><a href=${`#/decisions/${encodeURIComponent(of.decision)}`}>The decision that raised it</a>${of.ticket && html` · <a href=${`#/alerts/clocks?source=${encodeURIComponent(of.source)}&ticket=${encodeURIComponent(of.ticket)}`}>clocks of ticket ${of.ticket}</a>`}</p>
    <h3>Who was told</h3><${Refusal} error=${calls.error} again=${calls.again} />
    ${of.sinks.length === 0 && html`<${Notice} kind="bad"><p><b>Nobody.</b> No sink hears what is ${of.level} for ${words(of.audience)}: see <code>audiences</code>, <code>sources</code> and <code>least</code> under <code>[alerts]</code> in the host's config.</p><//>`}
    ${held.map((sink) => html`<p><b>${sink.sink}</b> <${Badge} kind=${TOLD[sink.state]?.[0]}>${TOLD[sink.state]?.[1]}<//> <span class="muted">It had had its fill for this hour (<code>max_per_hour</code>)${sink.state === 'held' ? '; a summary tells it when there is room again.' : '; a summary has told it.'}</span></p>`)}
    <ul class="plain">${items.map((call) => html`<li><span class="row"><a href=${`#/sources/deliveries/${encodeURIComponent(call.id)}`}><b>${call.target.replace(/^alerts\./, '')}</b></a>${call.call.body?.mail && html` <span class="muted">${call.call.body.mail.to}</span>`} <${Badge} kind=${STATES[call.state]}>${call.state}<//><span class="muted">${plural(call.attempts, 'try', 'tries')}</span><span class="right"><${Send} one=${call} done=${calls.again} /></span></span>
      ${(call.status || call.answer) && html`<p class=${call.state === 'delivered' ? 'muted cut' : 'error'}>${call.status ? `${call.status} ` : ''}${call.answer}</p>`}${call.next_at && html`<p class="muted">Tried again <${Time} at=${call.next_at} /></p>`}</li>`)}</ul>
    ${on.length > 0 && html`<h3>Who is on call</h3><dl class="facts">${on.map(([name, one]) => html`<div><dt>${words(name)}</dt><dd>${value(one)}</dd></div>`)}</dl>`}
    <h3>For reference</h3><dl class="facts"><div><dt>Key</dt><dd><code>${of.key}</code></dd></div><div><dt>Raised</dt><dd><${Time} at=${of.at} exact /></dd></div><div><dt>The same until</dt><dd><${Time} at=${of.until} exact /></dd></div><div><dt>Came again</dt><dd>${of.repeats ? html`${plural(of.repeats, 'time')}, last <${Time} at=${of.last} exact />` : 'no'}</dd></div><div><dt>Source</dt><dd>${of.source}</dd></div></dl><//>`;
}

const Sinks = ({ sinks }) => sinks?.length > 0 && html`<${Card} title="Sinks"><ul class="plain">${sinks.map(([name, sink]) => html`<li class="row"><a href=${`#/sources/deliveries?target=${encodeURIComponent(name)}`}><b>${name.slice(7)}</b></a> ${sink.health?.failures ? html`<${Badge} kind="bad">away<//>` : html`<${Badge} kind="good">well<//>`}${sink.mode === 'shadow' && html` <${Badge} kind="info">shadow<//>`}<span class="right muted">${Object.entries(sink.deliveries).map(([state, n]) => `${n} ${state}`).join(', ') || 'nothing yet'}</span></li>`)}</ul><//>`;

function Nothing({ sinks }) {
  return html`<${Empty} title="Nothing was raised yet"><p>A rule raises an alert where somebody must look at once: <code>escalate</code> does for red flags such as security or safety, and, if you say so, for a promise that is broken (<code>overdue</code>). The same again within the hour is counted, not told.</p>
    ${sinks?.length === 0 && html`<p>Nobody would hear one now: the host's config names no sink. One that calls your pager:</p><${Code}>${'[alerts.pager]\nurl = "..."\nsecret = "env:PAGER_SECRET"\nleast = "high"'}<//><p>Mail and the ticket's internal note are others. Who is on call stands in the table <a href="#/lookups/tables/on-call">on-call</a>, by audience.</p>`}<//>`;
}

const DUE = [['0', 'Due already'], ['1', 'Due within the hour'], ['8', 'Due within 8 hours'], ['24', 'Due within a day']];

function Clocks({ query }) {
  const asked = Object.fromEntries(query);
  const { due, ...plain } = asked;
  const before = due === undefined ? undefined : new Date(Date.now() + due * 3_600_000).toISOString();
  const list = useList((cursor) => api.get('/clocks', { ...plain, due_before: before, limit: 100, cursor }), [query.toString()]);
  const set = (name) => (chosen) => go('alerts/clocks', asked, name, chosen);
  const led = (one) => [['warned', one.warned, one.warning_decision], ['breached', one.breached, one.breach_decision]];
  return html`<div class="filters" role="group" aria-label="Filter clocks"><${Select} label="Any state" value=${asked.state} set=${set('state')} options=${Object.keys(PHASES).map((one) => [one, one])} /><${Select} label="Any clock" value=${asked.clock} set=${set('clock')} options=${Object.entries(CLOCKS)} /><${Select} label="Whenever due" value=${due} set=${set('due')} options=${DUE} /><${Box} label="Source" value=${asked.source} set=${set('source')} /><${Box} label="Ticket" value=${asked.ticket} set=${set('ticket')} />${query.size > 0 && html`<a href="#/alerts/clocks">Clear</a>`}</div>
    <${Refusal} error=${list.error} again=${list.again} />${!list.items && list.busy && html`<${Loading} />`}
    ${list.items?.length === 0 && (query.size ? html`<${Empty} title="Nothing fits these filters"><p><a href="#/alerts/clocks">Show all clocks</a></p><//>` : html`<${Empty} title="No clock was started yet"><p>A rule promises an answer or a solution, and a clock runs: add the step <code>sla</code> on the page <a href="#/chain">Chain</a>, with its times, and a <a href="#/lookups/calendars">calendar</a> that says when somebody is there. What agents do at the desk pauses, meets and closes them.</p><//>`)}
    ${list.items?.length > 0 && html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="rows"><thead><tr><th scope="col">Of</th><th scope="col">Clock</th><th scope="col">State</th><th scope="col">Due</th><th scope="col">Calendar</th><th scope="col">Started</th><th scope="col">Warned</th><th scope="col">Breached</th><th scope="col">Answered or closed</th></tr></thead><tbody>${list.items.map((one) => html`<tr key=${one.id}><th scope="row"><a href=${`#/decisions/${encodeURIComponent(one.decision)}`}>${one.ticket ? `ticket ${one.ticket}` : words(one.subject)}</a><span class="muted by">${one.source}</span></th><td>${CLOCKS[one.clock] ?? words(one.clock)}</td><td><${Badge} kind=${PHASES[one.state]}>${one.state}<//></td>
      <td class="when">${one.due ? html`<${Time} at=${one.due} />${!one.ended && html`<span class="by">${ago(one.due)}</span>`}` : html`<span class="muted">stands still</span>`}</td><td>${one.calendar ?? html`<span class="muted">around the clock</span>`}</td><td class="when"><${Time} at=${one.started} /></td>${led(one).map(([, when, decision]) => html`<td class="when">${when ? (decision ? html`<a href=${`#/decisions/${encodeURIComponent(decision)}`}><${Time} at=${when} /></a>` : html`<${Time} at=${when} />`) : html`<span class="muted">no</span>`}</td>`)}<td class="when">${one.ended ? html`<${Time} at=${one.ended} />` : html`<span class="muted">not yet</span>`}</td></tr>`)}</tbody></table></div>`}<${More} list=${list} />`;
}
