// Decisions: the list with its filters, and one of them in full (decision.js).
import * as api from '../api.js';
import { words } from '../format.js';
import { Badge, Empty, Level, Loading, More, Page, Priority, Refusal, Sentiment, Time, html, useList, useState } from '../ui.js';
import Decision from './decision.js';

const SENTIMENTS = ['very_negative', 'negative', 'neutral', 'positive', 'very_positive'];

export default function Decisions({ place }) {
  return place.parts[1] ? html`<${Decision} key=${place.parts[1]} id=${place.parts[1]} />` : html`<${List} query=${place.query} />`;
}

export function go(query) {
  location.hash = `#/decisions?${new URLSearchParams(Object.entries(query).filter(([, value]) => value))}`;
}

function List({ query }) {
  const asked = Object.fromEntries(query);
  const key = query.toString();
  const list = useList((cursor) => api.get('/decisions', { ...asked, trace: false, limit: 50, cursor }), [key]);
  const set = (name, value) => go({ ...asked, [name]: value });
  const filtered = Object.keys(asked).length > 0;
  return html`<${Page} title="Decisions" lead="Every event that was judged, newest first.">
    <${Filters} asked=${asked} set=${set} filtered=${filtered} />
    <${Refusal} error=${list.error} again=${list.again} />
    ${!list.items && list.busy && html`<${Loading} />`}
    ${list.items?.length === 0 && (filtered
      ? html`<${Empty} title="Nothing fits these filters"><p><a href="#/decisions">Show all decisions</a></p><//>`
      : html`<${Empty} title="Nothing was decided yet"><p>Connect your desk on the page <a href="#/sources">Sources</a>, or send an event to the demo source:</p>
        <pre class="code" tabindex="0"><code>${`curl -s http://127.0.0.1:8640/hooks/demo -H 'content-type: application/json' \\\n  -d '{"id":"post-1","text":"the VPN is down since 9am"}'`}</code></pre><//>`)}
    ${list.items?.length > 0 && html`<${Table} items=${list.items} />`}
    <${More} list=${list} /><//>`;
}

function Filters({ asked, set, filtered }) {
  const [open, setOpen] = useState(Boolean(asked.event_id || asked.ticket_id || asked.source || asked.category));
  const choice = (name, label, options) => html`<select aria-label=${label} value=${asked[name] ?? ''} onChange=${(event) => set(name, event.target.value)} class=${asked[name] ? 'set' : ''}><option value="">${label}</option>${options.map(([value, text]) => html`<option value=${value} selected=${asked[name] === value}>${text}</option>`)}</select>`;
  const box = (name, label) => html`<input type="search" data-search aria-label=${label} placeholder=${label} value=${asked[name] ?? ''} onChange=${(event) => set(name, event.target.value.trim())} />`;
  return html`<form class="filters" role="search" aria-label="Filter decisions" onSubmit=${(event) => event.preventDefault()}>
    ${choice('sentiment', 'Any sentiment', SENTIMENTS.map((one) => [one, words(one)]))}
    ${choice('priority', 'Any priority', ['low', 'normal', 'high', 'critical'].map((one) => [one, one]))}
    ${choice('min_escalation', 'Any escalation', [['1', 'level 1 and up'], ['2', 'level 2 and up'], ['3', 'level 3 and up']])}
    ${choice('degraded', 'Whole and degraded', [['true', 'degraded only'], ['false', 'whole only']])}
    ${open ? html`${box('category', 'Category key')}${box('source', 'Source')}${box('ticket_id', 'Ticket id')}${box('event_id', 'Event id')}` : html`<button type="button" class="link" onClick=${() => setOpen(true)}>More filters</button>`}
    ${filtered && html`<a href="#/decisions">Clear</a>`}</form>`;
}

export const Table = ({ items }) => html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="rows decisions"><caption class="unseen">Decisions</caption><thead><tr><th scope="col">Decided</th><th scope="col">What was said</th><th scope="col">Category</th><th scope="col">Sentiment</th><th scope="col">Priority</th><th scope="col">Escalation</th></tr></thead>
  <tbody>${items.map(({ event, decision }) => html`<tr key=${decision.id} onClick=${(click) => { if (!click.target.closest('a')) location.hash = `#/decisions/${decision.id}`; }}>
    <td class="when"><${Time} at=${decision.decided} /></td>
    <td class="said"><a href=${`#/decisions/${decision.id}`}>${(event.title || event.text || 'no text').slice(0, 200)}</a><span class="muted by">${[event.author?.handle || event.author?.name, event.network, event.source].filter(Boolean).join(' · ')}</span></td>
    <td>${decision.category.path?.at(-1) ?? decision.category.key}</td><td><${Sentiment} of=${decision.sentiment} /></td><td><${Priority} of=${decision.priority} /></td>
    <td><${Level} of=${decision.escalation} /> ${decision.held && html`<${Badge} kind="bad">held<//>`} ${decision.degraded && html`<${Badge} kind="bad">degraded<//>`}</td></tr>`)}</tbody></table></div>`;
