// People: who may call the API (tokens and roles), and who changed what (the audit log).
import * as api from '../api.js';
import { ago, words } from '../format.js';
import { Badge, Card, Choice, Dialog, Empty, Icon, Loading, More, Notice, Page, Refusal, Text, Time, html, tell, useAction, useList, useState } from '../ui.js';

const ROLES = { viewer: 'sees everything', operator: 'also rolls back, sends again, lets steps back in, tries sources', developer: 'also uploads plugins and changes chains', admin: 'also makes tokens and erases people' };
const LIVES = [['', 'without an end'], ['86400', 'a day'], ['2592000', '30 days'], ['7776000', '90 days'], ['31536000', 'a year']];

export default function People({ place, me }) {
  const audit = place.parts[1] === 'audit' || !api.may('get', '/tokens');
  return html`<${Page} title="People" lead="Everybody has a token of their own, so that the log knows who did what.">
    <nav class="tabs" aria-label="People"><a href="#/people" aria-current=${audit ? undefined : 'page'}>Tokens</a><a href="#/people/audit" aria-current=${audit ? 'page' : undefined}>Audit log</a></nav>
    ${audit ? (api.may('get', '/audit') ? html`<${Audit} query=${place.query} />` : html`<${Empty} title="The audit log needs another role"><p>You are a ${me.role}; reading it needs the role ${api.needs('get', '/audit')}.</p><//>`) : html`<${Tokens} me=${me} />`}<//>`;
}

function Tokens({ me }) {
  const list = useList((cursor) => api.get('/tokens', { limit: 100, cursor }), []);
  const [making, setMaking] = useState(false);
  const [leaving, setLeaving] = useState(null);
  const state = (one) => (one.revoked ? html`<${Badge} kind="bad">revoked<//>` : one.expires && new Date(one.expires) < Date.now() ? html`<${Badge} kind="warn">expired<//>` : html`<${Badge} kind="good">taken<//>`);
  return html`<div class="row"><button class="primary" onClick=${() => setMaking(true)}><${Icon} name="plus" /> Make a token</button></div><${Refusal} error=${list.error} again=${list.again} />${!list.items && list.busy && html`<${Loading} />`}
    ${list.items?.length === 0 && html`<${Empty} title="Only the first token so far"><p>It is the one in the file <code>admin.token</code>, and it may do everything. Make one for each person and each machine, with the smallest role that does, and put the first one away.</p><//>`}
    ${list.items?.length > 0 && html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="rows"><thead><tr><th scope="col">Name</th><th scope="col">Role</th><th scope="col">State</th><th scope="col">Made</th><th scope="col">Ends</th><th scope="col">Last used</th><th scope="col"><span class="unseen">Action</span></th></tr></thead><tbody>${list.items.map((one) => html`<tr key=${one.id}><th scope="row">${one.name}${one.id === me.id && html` <span class="muted">(you)</span>`}<code class="muted by">${one.id}</code></th><td><span title=${ROLES[one.role]}>${one.role}</span></td><td>${state(one)}</td><td class="when"><${Time} at=${one.made} /></td><td class="when">${one.expires ? html`<${Time} at=${one.expires} />` : 'no end'}</td><td class="when">${one.last_used ? ago(one.last_used) : 'never'}</td><td>${!one.revoked && html`<button class="danger" aria-label=${`Revoke ${one.name}`} onClick=${() => setLeaving(one)}>Revoke…</button>`}</td></tr>`)}</tbody></table></div>`}<${More} list=${list} />
    <${Card} title="Roles"><dl class="facts">${Object.entries(ROLES).map(([role, may]) => html`<div><dt>${role}</dt><dd>${may}</dd></div>`)}</dl><//>
    ${making && html`<${Make} onClose=${() => { setMaking(false); list.again(); }} />`}${leaving && html`<${Revoke} token=${leaving} onClose=${(done) => { setLeaving(null); if (done) list.again(); }} />`}`;
}

function Make({ onClose }) {
  const [wanted, setWanted] = useState({ name: '', role: 'operator', life: '7776000', why: '', change: '' });
  const [made, setMade] = useState(null);
  const set = (key) => (value) => setWanted({ ...wanted, [key]: value });
  const make = useAction(async () => setMade(await api.post('/tokens', { name: wanted.name, role: wanted.role, ...(wanted.life && { expires_in_s: Number(wanted.life) }), ...(wanted.why && { why: wanted.why }), ...(wanted.change && { change: wanted.change }) })));
  const wrong = (pointer) => (make.error?.pointer === pointer ? make.error.message : undefined);
  if (made) return html`<${Dialog} title=${`The token of ${made.name}`} onClose=${onClose}><${Notice} kind="warn"><p><b>It is shown once.</b> Copy it now: the host keeps only its hash.</p><//><code class="secret">${made.token}</code><div class="row"><button class="primary" onClick=${() => navigator.clipboard.writeText(made.token).then(() => tell('Copied'), () => tell('Select it and copy it by hand', 'bad'))}>Copy</button><button onClick=${onClose}>I have it</button></div><//>`;
  return html`<${Dialog} title="Make a token" onClose=${onClose}><form class="stack" onSubmit=${(event) => { event.preventDefault(); make.run(); }}>
    <${Text} label="Name" hint="Whose it is, or what for." value=${wanted.name} onInput=${set('name')} error=${wrong('/name')} maxlength="100" required autofocus />
    <${Choice} label="Role" hint=${`${words(wanted.role)} ${ROLES[wanted.role]}.`} value=${wanted.role} onInput=${set('role')} options=${Object.keys(ROLES)} /><${Choice} label="Taken for" value=${wanted.life} onInput=${set('life')} options=${LIVES} />
    <div class="row fields"><${Text} className="grow" label="Why" value=${wanted.why} onInput=${set('why')} maxlength="1000" /><${Text} label="Change ticket" value=${wanted.change} onInput=${set('change')} maxlength="100" /></div>
    ${!make.error?.pointer && html`<${Refusal} error=${make.error} />`}<div class="row"><button class="primary" disabled=${make.busy}>Make it</button></div></form><//>`;
}

function Revoke({ token, onClose }) {
  const [why, setWhy] = useState('');
  const go = useAction(async () => { await api.remove(`/tokens/${encodeURIComponent(token.id)}`, { reason: { why } }); tell(`${token.name} is revoked`); onClose(true); });
  return html`<${Dialog} title=${`Revoke ${token.name}`} onClose=${() => onClose()}><p>Whoever uses it is refused at once, for good.</p><form class="stack" onSubmit=${(event) => { event.preventDefault(); go.run(); }}><${Text} label="Why" value=${why} onInput=${setWhy} maxlength="1000" /><${Refusal} error=${go.error} /><div class="row"><button class="danger" disabled=${go.busy}>Revoke</button><button type="button" onClick=${() => onClose()}>Keep it</button></div></form><//>`;
}

const ACTIONS = ['setup.apply', 'setup.rollback', 'setup.config', 'plugin.upload', 'plugin.refused', 'plugin.remove', 'step.reset', 'approval.approve', 'approval.reject', 'delivery.replay', 'table.put', 'table.import', 'table.set', 'table.unset', 'table.feed', 'table.remove', 'calendar.set', 'calendar.import', 'calendar.remove', 'token.create', 'token.revoke', 'event.erase', 'author.erase', 'refused'];

function Audit({ query }) {
  const asked = Object.fromEntries(query);
  const list = useList((cursor) => api.get('/audit', { ...asked, limit: 100, cursor }), [query.toString()]);
  const set = (name, value) => { location.hash = `#/people/audit?${new URLSearchParams(Object.entries({ ...asked, [name]: value }).filter(([, one]) => one))}`; };
  const box = (name, label) => html`<input type="search" data-search aria-label=${label} placeholder=${label} value=${asked[name] ?? ''} onChange=${(event) => set(name, event.target.value.trim())} />`;
  return html`<form class="filters" role="search" aria-label="Filter the audit log" onSubmit=${(event) => event.preventDefault()}>${box('actor', 'Who')}<select aria-label="What" value=${asked.action ?? ''} onChange=${(event) => set('action', event.target.value)}><option value="">Any action</option>${ACTIONS.map((one) => html`<option value=${one} selected=${one === asked.action}>${one}</option>`)}</select>${box('subject', 'About')}${box('change', 'Change ticket')}${query.size > 0 && html`<a href="#/people/audit">Clear</a>`}</form><${Refusal} error=${list.error} again=${list.again} />
    ${list.items?.length === 0 && html`<${Empty} title=${query.size ? 'Nothing fits these filters' : 'Nothing was changed yet'}><p>Every change is written here, with who and why, and stays for good. Refused attempts are, too.</p><//>`}
    ${list.items?.length > 0 && html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="rows"><thead><tr><th scope="col" class="num">No.</th><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">About</th><th scope="col">Why</th><th scope="col">Ticket</th></tr></thead><tbody>${list.items.map((one) => html`<tr key=${one.seq}><td class="num">${one.seq}</td><td class="when"><${Time} at=${one.at} exact /></td><td>${one.name} <span class="muted">${one.role}</span></td><td>${one.action === 'refused' ? html`<${Badge} kind="bad">refused<//>` : one.action}</td><td><code>${one.subject}</code></td><td>${one.why ?? html`<span class="muted">not said</span>`}</td><td>${one.change}</td></tr>`)}</tbody></table></div>`}<${More} list=${list} />`;
}
