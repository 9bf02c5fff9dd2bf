// Lookups: what an admin keeps for rules: tables, edited row by row or taken in from a file, and business calendars.
import * as api from '../api.js';
import { Schema } from '../form.js';
import { number, plural, value, words } from '../format.js';
import { Area, Badge, Card, Choice, Dialog, Empty, Icon, Loading, More, Notice, Page, Refusal, Sure, Text, Time, html, prose, tell, useAction, useList, useLoad, useState } from '../ui.js';

export default function Lookups({ place }) {
  const [, name, of] = place.parts;
  const calendars = name === 'calendars' || !api.exists('get', '/tables');
  if (name === 'calendars' && of) return html`<${Calendar} key=${of} name=${of} />`;
  if (name === 'tables' && of) return html`<${Table} key=${of} name=${of} />`;
  return html`<${Page} title="Lookups" lead="What rules may ask: lists of yours, and when somebody is there to answer.">
    <nav class="tabs" aria-label="Lookups">${api.exists('get', '/tables') && html`<a href="#/lookups" aria-current=${calendars ? undefined : 'page'}>Tables</a>`}${api.exists('get', '/calendars') && html`<a href="#/lookups/calendars" aria-current=${calendars ? 'page' : undefined}>Calendars</a>`}</nav>
    ${calendars ? html`<${Calendars} />` : html`<${Tables} />`}<//>`;
}

function Tables() {
  const load = useLoad((signal) => api.get('/tables', null, signal), []);
  const [making, setMaking] = useState(false);
  return html`${api.may('put', '/tables/{name}') && html`<div class="row"><button class="primary" onClick=${() => setMaking(true)}><${Icon} name="plus" /> New table</button></div>`}<${Refusal} error=${load.error} again=${load.again} />${!load.data && load.busy && html`<${Loading} />`}
    ${load.data?.items.length === 0 && html`<${Empty} title="No tables yet"><p>Who is on call, who is important, which service is down: what changes faster than a rule belongs into a table. A step with the grant <code>lookup:NAME</code> may read it, and the trace says what it read.</p><//>`}
    ${load.data?.items.length > 0 && html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="rows"><thead><tr><th scope="col">Table</th><th scope="col" class="num">Rows</th><th scope="col">Columns</th><th scope="col">Read by</th><th scope="col">Changed</th></tr></thead><tbody>${load.data.items.map((one) => html`<tr key=${one.name}><th scope="row"><a href=${`#/lookups/tables/${encodeURIComponent(one.name)}`}>${one.name}</a></th><td class="num">${number(one.rows)}</td><td>${Object.keys(one.schema?.properties ?? {}).map(words).join(', ') || html`<span class="muted">any</span>`}</td><td>${one.granted_to.join(', ') || html`<span class="muted">no step</span>`}</td><td class="when"><${Time} at=${one.changed} /></td></tr>`)}</tbody></table></div>`}
    ${making && html`<${NewTable} onClose=${() => setMaking(false)} />`}`;
}

function NewTable({ onClose }) {
  const [name, setName] = useState('');
  const [columns, setColumns] = useState('');
  const make = useAction(async () => {
    const names = columns.split(/[,\n]/).map((one) => one.trim()).filter(Boolean);
    const schema = names.length ? { type: 'object', properties: Object.fromEntries(names.map((one) => [one, { type: 'string' }])) } : null;
    await api.put(`/tables/${encodeURIComponent(name)}`, { schema });
    location.hash = `#/lookups/tables/${encodeURIComponent(name)}`;
    onClose();
  });
  return html`<${Dialog} title="New table" onClose=${onClose}><form class="stack" onSubmit=${(event) => { event.preventDefault(); make.run(); }}><${Text} label="Name" hint="As rules call it." value=${name} onInput=${setName} required /><${Text} label="Columns" hint="With commas between; texts. Leave it empty to take rows of any kind." value=${columns} onInput=${setColumns} /><${Refusal} error=${make.error} /><div class="row"><button class="primary" disabled=${make.busy}>Make it</button></div></form><//>`;
}

function Table({ name }) {
  const at = `/tables/${encodeURIComponent(name)}`;
  const card = useLoad((signal) => api.get(at, null, signal), [name]);
  const rows = useList((cursor) => api.get(`${at}/rows`, { limit: 100, cursor }), [name]);
  const [editing, setEditing] = useState(null);
  const [taking, setTaking] = useState(false);
  const [going, setGoing] = useState(false);
  const again = () => { card.again(); rows.again(); };
  const back = { href: '#/lookups', label: 'Lookups' };
  const columns = [...new Set([...Object.keys(card.data?.schema?.properties ?? {}), ...(rows.items ?? []).flatMap((row) => Object.keys(row.columns))])];
  const may = api.may('put', '/tables/{name}/rows/{key}');
  const remove = useAction(async (key) => { await api.remove(`${at}/rows/${encodeURIComponent(key)}`); tell(`${key} is taken away`); again(); });
  return html`<${Page} title=${name} back=${back} lead=${card.data ? `${plural(card.data.rows, 'row')}${card.data.granted_to.length ? `, read by ${card.data.granted_to.join(', ')}` : ', read by no step yet'}` : ''} actions=${may && html`${api.may('delete', '/tables/{name}') && html`<button class="danger" onClick=${() => setGoing(true)}>Remove…</button>`}<button onClick=${() => setTaking(true)}><${Icon} name="upload" /> Take in a file</button><button class="primary" onClick=${() => setEditing({ key: '', columns: {} })}><${Icon} name="plus" /> Add a row</button>`}>
    <${Refusal} error=${card.error ?? rows.error ?? remove.error} again=${again} />
    ${rows.items?.length === 0 && html`<${Empty} title="No rows yet"><p>Add one, or take in a CSV file: its first line names the columns, and one of them is what a row is known by.</p><//>`}
    ${rows.items?.length > 0 && html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="rows"><thead><tr><th scope="col">Key</th>${columns.map((one) => html`<th scope="col">${words(one)}</th>`)}<th scope="col">Since</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead><tbody>${rows.items.map((row) => html`<tr key=${row.key}><th scope="row">${row.key}</th>${columns.map((one) => html`<td class="wrap">${row.columns[one] === undefined ? '' : value(row.columns[one])}</td>`)}<td class="when"><${Time} at=${row.since} /></td><td>${may && html`<span class="row"><button aria-label=${`Edit ${row.key}`} onClick=${() => setEditing(row)}>Edit</button><button class="quiet" aria-label=${`Take ${row.key} away`} onClick=${() => remove.run(row.key)}><${Icon} name="close" /></button></span>`}</td></tr>`)}</tbody></table></div>`}<${More} list=${rows} />
    ${editing && html`<${Row} at=${at} row=${editing} schema=${card.data?.schema} columns=${columns} onClose=${(done) => { setEditing(null); if (done) again(); }} />`}
    ${going && html`<${Sure} title=${`Remove ${name}`} verb="Remove" act=${async (reason) => { await api.remove(at, { reason }); tell(`${name} is removed`); location.hash = '#/lookups'; }} onClose=${() => setGoing(false)}><p>All its rows go. Rules that look it up go on without; replays of the past still see it.</p><//>`}
    ${taking && html`<${Import} at=${at} onClose=${(done) => { setTaking(false); if (done) again(); }} />`}<//>`;
}

function Row({ at, row, schema, columns, onClose }) {
  const [key, setKey] = useState(row.key);
  const [cells, setCells] = useState(row.columns);
  const shape = schema?.properties ? schema : { type: 'object', properties: Object.fromEntries(columns.map((one) => [one, { type: typeof row.columns[one] === 'number' ? 'number' : typeof row.columns[one] === 'boolean' ? 'boolean' : 'string' }])) };
  const save = useAction(async () => { await api.put(`${at}/rows/${encodeURIComponent(key)}`, cells ?? {}); tell(`${key} is kept`); onClose(true); });
  return html`<${Dialog} title=${row.key || 'Add a row'} onClose=${() => onClose()}><form class="stack" onSubmit=${(event) => { event.preventDefault(); save.run(); }}>${!row.key && html`<${Text} label="Key" hint="What the row is known by." value=${key} onInput=${setKey} required />`}<${Schema} schema=${shape} value=${cells} onChange=${setCells} errors=${save.error?.pointer ? [{ pointer: save.error.pointer, message: save.error.message }] : []} />
    ${row.key && html`<${Past} at=${`${at}/rows/${encodeURIComponent(row.key)}`} />`}
    ${columns.length === 0 && html`<${Area} label="Columns" hint="As JSON, since this table has none yet." value=${JSON.stringify(cells ?? {})} onInput=${(text) => { try { setCells(JSON.parse(text)); } catch { /* Still being typed. */ } }} />`}<${Refusal} error=${save.error} /><div class="row"><button class="primary" disabled=${save.busy}>Keep it</button></div></form><//>`;
}

// What a row said when: what a rule was told last week can be read again.
function Past({ at }) {
  const [open, setOpen] = useState(false);
  const load = useLoad((signal) => (open ? api.get(at, null, signal) : Promise.resolve(null)), [at, open]);
  return html`<details onToggle=${(event) => setOpen(event.target.open)}><summary>What it said before</summary><${Refusal} error=${load.error} />${load.data && html`<ul class="plain">${load.data.versions.map((was) => html`<li><span class="muted">from <${Time} at=${was.since} exact />${was.until ? html` to <${Time} at=${was.until} exact />` : ', now'}</span><span class="by">${value(was.columns) || 'nothing'}</span></li>`)}</ul>`}</details>`;
}

function Import({ at, onClose }) {
  const [text, setText] = useState('');
  const [key, setKey] = useState('key');
  const [replace, setReplace] = useState(false);
  const first = text.split('\n')[0].split(',').map((one) => one.trim().replace(/^"|"$/g, '')).filter(Boolean);
  const run = useAction(async () => {
    const done = await api.post(`${at}/import`, text, { type: text.trimStart().startsWith('[') ? 'application/json' : 'text/csv', query: { key, replace } });
    tell(Object.entries(done).filter(([, n]) => typeof n === 'number').map(([what, n]) => `${n} ${words(what)}`).join(', ') || 'Taken in');
    onClose(true);
  });
  return html`<${Dialog} title="Take in a file" onClose=${() => onClose()} wide><form class="stack" onSubmit=${(event) => { event.preventDefault(); run.run(); }}><p>CSV, or a JSON list of objects. All rows are taken, or none.</p><div class="field"><label for="csv">File</label><input id="csv" type="file" accept=".csv,.json,text/csv,application/json" onChange=${async (event) => setText(await event.target.files[0].text())} /></div><${Area} label="Or paste it" rows="8" value=${text} onInput=${setText} required />
    ${first.length > 1 && !text.trimStart().startsWith('[') ? html`<${Choice} label="A row is known by" value=${first.includes(key) ? key : (setKey(first[0]), first[0])} onInput=${setKey} options=${first.map((one) => [one, one])} />` : html`<${Text} label="A row is known by" value=${key} onInput=${setKey} />`}
    <label class="check"><input type="checkbox" checked=${replace} onChange=${(event) => setReplace(event.target.checked)} /><span>Take away the rows that the file does not have</span></label><${Refusal} error=${run.error} /><div class="row"><button class="primary" disabled=${run.busy}>Take it in</button></div></form><//>`;
}

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

function Calendars() {
  const load = useLoad((signal) => api.get('/calendars', null, signal), []);
  const [name, setName] = useState('');
  const make = useAction(async () => { await api.put(`/calendars/${encodeURIComponent(name)}`, { time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone, hours: Object.fromEntries(DAYS.slice(0, 5).map((day) => [day, ['09:00-17:00']])) }); location.hash = `#/lookups/calendars/${encodeURIComponent(name)}`; });
  return html`<${Refusal} error=${load.error} again=${load.again} />${load.data?.items.length === 0 && html`<${Empty} title="No calendars yet"><p>A service level of four hours means working hours: a calendar says which those are.</p><//>`}
    ${load.data?.items.length > 0 && html`<div class="grid">${load.data.items.map((one) => html`<${Card} title=${html`<a href=${`#/lookups/calendars/${encodeURIComponent(one.name)}`}>${one.name}</a>`} aside=${html`<${Badge} kind=${one.open ? 'good' : 'plain'}>${one.open ? 'open now' : 'closed now'}<//>`}><${Hours} of=${one.calendar} /><//>`)}</div>`}
    ${api.may('put', '/calendars/{name}') && html`<${Card} title="New calendar"><form class="row" onSubmit=${(event) => { event.preventDefault(); make.run(); }}><${Text} label="Name" hint="Lower-case letters, digits and hyphens." value=${name} onInput=${setName} required /><button disabled=${make.busy}>Make it</button></form><${Refusal} error=${make.error} /><//>`}`;
}

const Hours = ({ of }) => html`<dl class="facts"><div><dt>Time zone</dt><dd>${of.time_zone}</dd></div>${of.hours ? Object.entries(of.hours).map(([day, spans]) => html`<div><dt>${day}</dt><dd>${spans.join(', ') || 'closed'}</dd></div>`) : html`<div><dt>Open</dt><dd>around the clock</dd></div>`}<div><dt>Days off</dt><dd>${plural(of.holidays?.length ?? 0, 'day')}</dd></div></dl>`;

function Calendar({ name }) {
  const at = `/calendars/${encodeURIComponent(name)}`;
  const load = useLoad((signal) => api.get(at, null, signal), [name]);
  const [spec, setSpec] = useState(null);
  const [going, setGoing] = useState(false);
  const save = useAction(async () => { await api.put(at, spec); tell(`${name} is kept`); setSpec(null); load.again(); });
  const take = useAction(async (file) => { await api.post(`${at}/holidays`, await file.text(), { type: 'text/calendar' }); tell('The days off are taken in'); setSpec(null); load.again(); });
  const back = { href: '#/lookups/calendars', label: 'Calendars' };
  if (!load.data) return load.error ? html`<${Page} title=${name} back=${back}><${Refusal} error=${load.error} again=${load.again} /><//>` : html`<${Loading} />`;
  const now = spec ?? load.data.calendar;
  const shape = { type: 'object', properties: { time_zone: { type: 'string', title: 'Time zone', description: 'Its IANA name, such as Europe/Berlin.' }, hours: { type: 'object', title: 'Hours', description: 'Such as 09:00-17:30, one stretch per line. A day with none is closed.', properties: Object.fromEntries(DAYS.map((day) => [day, { type: 'array', items: { type: 'string' } }])) }, holidays: { type: 'array', title: 'Days off', items: { type: 'object', properties: { date: { type: 'string', title: 'Day', description: 'Such as 2026-12-25.' }, name: { type: 'string', title: 'Name' }, every_year: { type: 'boolean', title: 'Every year', default: false } } } } } };
  return html`<${Page} title=${name} back=${back} lead=${load.data.open ? 'Open now.' : 'Closed now.'} actions=${api.may('delete', '/calendars/{name}') && html`<button class="danger" onClick=${() => setGoing(true)}>Remove…</button>`}><div class="columns"><${Card} title="When somebody is there"><${Schema} schema=${shape} value=${now} onChange=${setSpec} errors=${save.error?.pointer ? [{ pointer: save.error.pointer, message: save.error.message }] : []} /><${Refusal} error=${save.error} /><div><button class="primary" disabled=${!spec || save.busy || !api.may('put', '/calendars/{name}')} onClick=${save.run}>Keep it</button></div><//>
    <div class="stack"><${Card} title="Days off from a file"><p class="muted">An iCalendar file (.ics), as your HR or your country publishes it.</p><input type="file" aria-label="iCalendar file" accept=".ics,text/calendar" disabled=${!api.may('post', '/calendars/{name}/holidays')} onChange=${(event) => take.run(event.target.files[0])} /><${Refusal} error=${take.error} /><//><${Card} title="As it is kept"><${Hours} of=${load.data.calendar} /><//><${Until} at=${at} changed=${load.data.changed} /></div></div>
    ${going && html`<${Sure} title=${`Remove ${name}`} verb="Remove" act=${async (reason) => { await api.remove(at, { reason }); tell(`${name} is removed`); location.hash = '#/lookups/calendars'; }} onClose=${() => setGoing(false)}><p>What counts on it counts around the clock then: the stricter reading of a promise.</p><//>`}<//>`;
}

// A promise on this calendar, counted by the host: evenings, weekends and days off are left out.
function Until({ at, changed }) {
  const [hours, setHours] = useState('8');
  const seconds = Math.min(4_000_000_000, Math.max(0, Math.round(Number(hours) * 3600) || 0));
  const load = useLoad((signal) => api.get(`${at}/time`, { seconds }, signal), [at, seconds, changed]);
  return html`<${Card} title="What a promise means"><${Text} label="Working hours" type="number" min="0" step="any" value=${hours} onInput=${setHours} /><${Refusal} error=${load.error} />${load.data && html`<p>Promised now, it is due ${load.data.due ? html`<b><${Time} at=${load.data.due} exact /></b>` : 'in more than forty years'}.</p>`}<//>`;
}
