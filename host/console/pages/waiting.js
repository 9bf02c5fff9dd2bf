// Waiting for people: what leaves only when somebody says yes, with what would be sent and why. Made for the keyboard: one after another.
import * as api from '../api.js';
import { ago, field, plural, value, words } from '../format.js';
import { Badge, Card, Dialog, Empty, Json, Loading, More, Page, Refusal, Text, Time, html, tell, useAction, useEffect, useList, useLoad, useRef, useState } from '../ui.js';

const STATES = ['waiting', 'approved', 'rejected', 'expired'];
const KINDS = { reply: 'Reply', moderation: 'Moderation', held: 'Held decision' };
const ACTS = { hide: 'Hide the message', delete: 'Delete the message', block_author: 'Block the author', mark_spam: 'Mark the message as spam', ignore: 'Ignore the message' };
const KIND = { waiting: 'warn', approved: 'good', rejected: 'bad', expired: 'plain' };

export default function Waiting({ place }) {
  const state = STATES.includes(place.query.get('state')) ? place.query.get('state') : 'waiting';
  const list = useList((cursor) => api.get('/approvals', { state, limit: 50, cursor }), [state]);
  const [at, setAt] = useState(0);
  const [no, setNo] = useState(null);
  const items = list.items ?? [];
  const chosen = items[Math.min(at, items.length - 1)];
  const may = api.may('post', '/approvals/{id}/approve');
  const settled = (id, said) => { list.replace((before) => before.filter((one) => one.id !== id)); tell(said); };
  const yes = useAction(async (one) => { await api.post(`/approvals/${encodeURIComponent(one.id)}/approve`, {}); settled(one.id, 'Approved: it is on its way'); });
  useEffect(() => { yes.clear(); }, [chosen?.id]);
  // The keys of a list that somebody works through; a dialog or a field has its own.
  const keys = useRef();
  const before = useRef();
  keys.current = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select, dialog')) return;
    // After a `g`, a letter is the way to another page.
    const going = before.current === 'g';
    before.current = event.key;
    if (going) return;
    const to = { j: 1, k: -1 }[event.key];
    if (to && items.length) { const next = Math.max(0, Math.min(items.length - 1, at + to)); setAt(next); document.getElementById(`waits-${next}`)?.focus(); }
    else if (event.key === 'a' && state === 'waiting' && chosen && may && !yes.busy) yes.run(chosen);
    else if (event.key === 'r' && state === 'waiting' && chosen && may) { event.preventDefault(); setNo(chosen); }
  };
  useEffect(() => {
    const press = (event) => keys.current(event);
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
  return html`<${Page} title="Waiting for people" lead="What leaves only when somebody says yes.">
    <nav class="tabs" aria-label="State">${STATES.map((one) => html`<a href=${`#/waiting${one === 'waiting' ? '' : `?state=${one}`}`} aria-current=${one === state ? 'page' : undefined} onClick=${() => setAt(0)}>${words(one)}</a>`)}</nav>
    <${Refusal} error=${list.error} again=${list.again} />${!list.items && list.busy && html`<${Loading} />`}
    ${list.items?.length === 0 && (state === 'waiting' ? html`<${Nothing} />` : html`<${Empty} title=${`Nothing was ${state}`}><p>What was settled stays here as long as its event.</p><//>`)}
    ${chosen && html`<div class="columns wide-side"><div class="main-column"><ul class="waits" aria-label=${`${plural(items.length, 'thing')} ${state}`}>${items.map((one, index) => html`<li key=${one.id}><button id=${`waits-${index}`} class="wait" aria-current=${one === chosen ? 'true' : undefined} onClick=${() => setAt(index)}>
        <span class="row"><${Badge}>${KINDS[one.kind]}<//> <span class="muted">${[one.source, one.ticket && `ticket ${one.ticket}`].filter(Boolean).join(', ')}</span><span class="right muted">${one.state === 'waiting' ? `expires ${ago(one.expires)}` : html`<${Time} at=${one.settled ?? one.expires} />`}</span></span>
        <span class="cut">${said(one)}</span></button></li>`)}</ul><${More} list=${list} />
      ${state === 'waiting' && html`<p class="hint"><kbd>j</kbd> <kbd>k</kbd> down and up, <kbd>a</kbd> approve, <kbd>r</kbd> reject</p>`}</div>
    <div class="side-column"><${One} key=${chosen.id} of=${chosen} may=${may} yes=${yes} reject=${() => setNo(chosen)} /></div></div>`}
    ${no && html`<${Reject} of=${no} onClose=${(done) => { setNo(null); if (done) settled(no.id, 'Rejected: it is never sent'); }} />`}<//>`;
}

const said = (one) => (one.kind === 'moderation' ? ACTS[one.text] ?? words(one.text) : one.text);

function Nothing() {
  return html`<${Empty} title="Nothing waits"><p>Where decisions are written back in full (<code>mode = "full"</code> of a source), three things wait here for a person:</p>
    <ul class="listed"><li>a <b>reply</b> that a rule has drafted, such as the thanks of <code>escalate</code>; with the grant <code>auto-reply</code> a step's own replies leave by themselves,</li><li><b>moderation</b> (hide, delete, block the author) by a step without the grant for it,</li><li>a <b>whole decision</b>, because a step with <code>on_fault = "hold"</code> has faulted.</li></ul>
    <p>What nobody settles within three days (<code>[workflow] approval_hours</code>) expires and is never sent. <a href="#/chain">Look at the chain</a></p><//>`;
}

// What would be sent, to whom, and which rule wants it.
function One({ of, may, yes, reject }) {
  const load = useLoad((signal) => api.get(`/decisions/${encodeURIComponent(of.decision)}`, null, signal), [of.decision]);
  const { event, decision } = load.data ?? {};
  const place = { reply: '/replies', moderation: '/moderation' }[of.kind];
  const why = (decision?.trace ?? []).flatMap((entry) => (entry.shadow ? [] : entry.set ?? []).filter((one) => one.field === place).map((one) => ({ ...one, step: entry.name || entry.plugin })));
  return html`<${Card} title=${KINDS[of.kind]} aside=${html`<${Badge} kind=${KIND[of.state]}>${of.state}<//>`}>
    ${of.kind === 'held' ? html`<p>${said(of)}</p>` : html`<h3>What would be ${of.kind === 'reply' ? 'said' : 'done'}</h3><blockquote class="would">${said(of)}</blockquote>`}
    ${of.state === 'waiting' ? html`<div class="row"><button class="primary" disabled=${!may || yes.busy} onClick=${() => yes.run(of)}>Approve</button><button class="danger" disabled=${!may} onClick=${reject}>Reject…</button><span class="muted">needs ${of.needs === 'pr' ? 'PR' : `the ${of.needs}`}</span></div>${!may && html`<p class="hint">Approving needs the role ${api.needs('post', '/approvals/{id}/approve')}.</p>`}<${Refusal} error=${yes.error} />` : html`<p class="muted">${of.by ? html`${words(of.state)} by <b>${of.by}</b> <${Time} at=${of.settled} exact />${of.why && `: ${of.why}`}` : html`Nobody said anything up to <${Time} at=${of.expires} exact />.`}</p>`}
    <${Refusal} error=${load.error} again=${load.again} />
    ${event && html`<h3>What was written</h3><blockquote>${event.text}</blockquote><p class="muted">${[event.author?.name, event.author?.handle, event.network].filter(Boolean).join(' · ')} · <a href=${`#/decisions/${encodeURIComponent(of.decision)}`}>the whole decision</a></p>`}
    ${why.length > 0 && html`<h3>Why</h3><ul class="plain">${why.map((one) => html`<li><b>${one.step}</b>: ${one.reason} <span class="muted">(${field(one.field)}${one.rule_id ? `, ${one.rule_id}` : ''}, ${value(one.confidence)} sure)</span></li>`)}</ul>`}
    <h3>What is sent then</h3>${of.calls.length === 0 ? html`<p class="muted">${of.kind === 'held' ? html`Everything that this decision writes back. <a href=${`#/sources/deliveries?state=parked`}>The calls that wait</a>` : 'No call: this desk has none for it, and somebody does it by hand.'}</p>` : of.calls.map((call) => html`<details><summary>${call.name} <code>${call.method} ${call.path}</code></summary><${Json} of=${call.body?.json ?? call.body} /></details>`)}
    <dl class="facts"><div><dt>Came up</dt><dd><${Time} at=${of.made} exact /></dd></div><div><dt>Expires</dt><dd><${Time} at=${of.expires} exact /></dd></div></dl><//>`;
}

function Reject({ of, onClose }) {
  const [why, setWhy] = useState('');
  const go = useAction(async () => { await api.post(`/approvals/${encodeURIComponent(of.id)}/reject`, { why }); onClose(true); });
  return html`<${Dialog} title="Reject" onClose=${() => onClose()}><blockquote class="cut">${said(of)}</blockquote><form class="stack" onSubmit=${(event) => { event.preventDefault(); go.run(); }}>
    <${Text} label="Why" hint="Kept in the audit log; whoever writes the rules reads it." value=${why} onInput=${setWhy} maxlength="1000" required autofocus error=${go.error?.pointer === '/why' ? go.error.message : undefined} />
    ${!go.error?.pointer && html`<${Refusal} error=${go.error} />`}<div class="row"><button class="danger" disabled=${go.busy}>Reject</button><button type="button" onClick=${() => onClose()}>Not yet</button></div></form><//>`;
}
