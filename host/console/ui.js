// What every page is built of. Markup comes from these templates alone; whatever the host or a stranger wrote is put in as text, by
// preact, and never parsed.
import { Fragment, h } from './vendor/preact.js';
import { useCallback, useEffect, useId, useRef, useState } from './vendor/hooks.js';
import htm from './vendor/htm.js';
import { Problem } from './api.js';
import { ago, moment, short, words } from './format.js';
import { Icon } from './icons.js';

export const html = htm.bind(h);
export { Fragment, Icon, useCallback, useEffect, useId, useRef, useState };

// Loads when a page comes and whenever `when` changes; what came before stays visible meanwhile.
export function useLoad(load, when = []) {
  const [state, setState] = useState({ busy: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...before, busy: true }));
    load(abort.signal).then((data) => setState({ data, busy: false }), (error) => {
      if (!abort.signal.aborted) setState((before) => ({ ...before, error, busy: false }));
    });
    return () => abort.abort();
  }, [...when, turn]);
  return { ...state, again: useCallback(() => setTurn((n) => n + 1), []) };
}

// Runs something that a button starts: busy while it runs, and its refusal kept.
export function useAction(work) {
  const [state, setState] = useState({ busy: false, error: null });
  const run = async (...given) => {
    setState({ busy: true, error: null });
    try {
      const done = await work(...given);
      setState({ busy: false, error: null });
      return done;
    } catch (error) {
      if (!(error instanceof Problem)) console.error(error);
      setState({ busy: false, error });
      return undefined;
    }
  };
  return { ...state, run, clear: () => setState({ busy: false, error: null }) };
}

export function Page({ title, lead, actions, children, back }) {
  useEffect(() => { document.title = `${title} · Signalbox`; }, [title]);
  return html`<div class="page">
    <header class="page-head"><div>${back && html`<a class="back" href=${back.href}><${Icon} name="back" /> ${back.label}</a>`}<h1 tabindex="-1">${title}</h1>${lead && html`<p class="lead">${lead}</p>`}</div>${actions && html`<div class="actions">${actions}</div>`}</header>
    ${children}</div>`;
}

export const Card = ({ title, aside, children, className = '', id }) => html`<section class=${`card ${className}`} id=${id}>
  ${title && html`<header class="card-head"><h2>${title}</h2>${aside && html`<div class="aside">${aside}</div>`}</header>`}${children}</section>`;

export const Refusal = ({ error, again }) => error && html`<div class="notice bad" role="alert"><${Icon} name="warn" /><div><p>${prose(sentence(error.message))}</p>
  ${error.needs && html`<p>Ask someone with the role <b>${error.needs}</b>, or sign in with another token.</p>`}
  ${error.problems?.length > 0 && html`<ul>${error.problems.map((one) => html`<li><code>${one.pointer || '/'}</code> ${prose(one.message)}</li>`)}</ul>`}
  ${again && html`<button class="link" onClick=${again}>Try again</button>`}</div></div>`;

// A sentence of the host's: what stands between backticks is a name, and looks like one.
export const prose = (text) => String(text ?? '').split('`').map((part, at) => (at % 2 ? html`<code>${part}</code>` : part));
export const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.') : '');

export const Notice = ({ kind = 'info', children }) => html`<div class=${`notice ${kind}`}>${kind !== 'info' && html`<${Icon} name=${kind === 'good' ? 'check' : 'warn'} />`}<div>${children}</div></div>`;

export const Empty = ({ title, children }) => html`<div class="empty"><h2>${title}</h2>${children}</div>`;

// What a page shows until it has something: nothing for a moment, since most answers take milliseconds.
export function Loading() {
  const [slow, setSlow] = useState(false);
  useEffect(() => { const timer = setTimeout(() => setSlow(true), 250); return () => clearTimeout(timer); }, []);
  return slow ? html`<p class="loading" role="status">Loading…</p>` : null;
}

export const Badge = ({ kind = 'plain', children, title }) => html`<span class=${`badge ${kind}`} title=${title}>${children}</span>`;
export const Time = ({ at, exact }) => (at ? html`<time datetime=${at} title=${`${moment(at)} (${ago(at)})`}>${exact ? moment(at) : short(at)}</time>` : html`<span class="muted">never</span>`);

const FEELING = { very_negative: 'bad', negative: 'warn', neutral: 'plain', positive: 'good', very_positive: 'good' };
export const Sentiment = ({ of }) => (of ? html`<${Badge} kind=${FEELING[of.label]}>${words(of.label)}<//>` : html`<span class="muted">not judged</span>`);
const RANK = { critical: 'bad', high: 'warn', normal: 'plain', low: 'plain' };
export const Priority = ({ of }) => (of ? html`<${Badge} kind=${RANK[of]}>${of}<//>` : null);
export const Level = ({ of }) => (of?.level > 0 ? html`<${Badge} kind=${of.level > 2 ? 'bad' : 'warn'}>level ${of.level}<//>` : null);

export function Field({ label, hint, error, children, className = '' }) {
  const id = useId();
  return html`<div class=${`field ${error ? 'wrong' : ''} ${className}`}><label for=${id}>${label}</label>${children({ id, 'aria-describedby': hint || error ? `${id}-hint` : undefined, 'aria-invalid': error ? 'true' : undefined })}
    ${(hint || error) && html`<p class="hint" id=${`${id}-hint`}>${error ? html`<span class="error">${typeof error === 'string' ? prose(error) : error}</span> ` : ''}${hint}</p>`}</div>`;
}

export const Text = ({ label, hint, error, value, onInput, className, ...more }) => html`<${Field} ...${{ label, hint, error, className }}>${(aria) => html`<input type="text" autocomplete="off" spellcheck=${false} value=${value} onInput=${(event) => onInput(event.target.value)} ...${aria} ...${more} />`}<//>`;
export const Area = ({ label, hint, error, value, onInput, className, ...more }) => html`<${Field} ...${{ label, hint, error, className }}>${(aria) => html`<textarea spellcheck=${false} value=${value} onInput=${(event) => onInput(event.target.value)} ...${aria} ...${more} />`}<//>`;
export const Choice = ({ label, hint, error, value, onInput, options, className, ...more }) => html`<${Field} ...${{ label, hint, error, className }}>${(aria) => html`<select value=${value} onChange=${(event) => onInput(event.target.value)} ...${aria} ...${more}>${options.map((one) => { const [key, name] = Array.isArray(one) ? one : [one, words(one)]; return html`<option value=${key} selected=${key === value}>${name}</option>`; })}</select>`}<//>`;

// Who changes something says why: kept in the audit log.
export const Reason = ({ value, onInput }) => html`<div class="row fields"><${Text} className="grow" label="Why" hint="For the audit log." value=${value.why ?? ''} onInput=${(why) => onInput({ ...value, why })} maxlength="1000" /><${Text} label="Change ticket" hint="Optional, such as CHG-101." value=${value.change ?? ''} onInput=${(change) => onInput({ ...value, change })} maxlength="100" /></div>`;

export function Dialog({ title, onClose, children, wide }) {
  const element = useRef();
  useEffect(() => {
    const before = document.activeElement;
    element.current.showModal();
    return () => before?.focus?.();
  }, []);
  const id = useId();
  return html`<dialog ref=${element} class=${wide ? 'wide' : ''} aria-labelledby=${id} onCancel=${(event) => { event.preventDefault(); onClose(); }}><header class="card-head"><h2 id=${id}>${title}</h2><button class="quiet" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button></header>${children}</dialog>`;
}

// Something that is not taken back: what it means, and why it is done.
export function Sure({ title, verb, act, onClose, children }) {
  const [reason, setReason] = useState({});
  const go = useAction(async () => { await act(reason); onClose(true); });
  return html`<${Dialog} title=${title} onClose=${() => onClose()}>${children}<form class="stack" onSubmit=${(event) => { event.preventDefault(); go.run(); }}><${Reason} value=${reason} onInput=${setReason} /><${Refusal} error=${go.error} /><div class="row"><button class="danger" disabled=${go.busy}>${verb}</button><button type="button" onClick=${() => onClose()}>Keep it</button></div></form><//>`;
}

// A list that grows page by page, by the host's cursors.
export function useList(load, when) {
  const [state, setState] = useState({ items: null, next: null, busy: true });
  const turn = useRef(0);
  const more = async (cursor) => {
    const mine = ++turn.current;
    setState((before) => ({ ...before, busy: true, error: null }));
    try {
      const page = await load(cursor);
      if (mine === turn.current) setState((before) => ({ items: cursor ? [...before.items, ...page.items] : page.items, next: page.next, busy: false }));
    } catch (error) {
      if (mine === turn.current) setState((before) => ({ ...before, error, busy: false }));
    }
  };
  useEffect(() => { more(); return () => { turn.current++; }; }, when);
  return { ...state, more: () => more(state.next), again: () => more(), replace: (change) => setState((before) => ({ ...before, items: change(before.items ?? []) })) };
}

export const More = ({ list }) => list.next && html`<div class="more"><button onClick=${list.more} disabled=${list.busy}>Show more</button></div>`;

// Says something to everybody, also to those who cannot see it.
let say = () => {};
export const tell = (text, kind = 'good') => say({ text, kind, id: Date.now() });
export function Toasts() {
  const [toast, setToast] = useState(null);
  say = setToast;
  useEffect(() => { if (toast) { const timer = setTimeout(() => setToast(null), 6000); return () => clearTimeout(timer); } }, [toast]);
  return html`<div class="toasts" role="status" aria-live="polite">${toast && html`<div class=${`toast ${toast.kind}`}>${toast.text}</div>`}</div>`;
}

export const Code = ({ children }) => html`<pre class="code" tabindex="0"><code>${children}</code></pre>`;
export const Json = ({ of }) => html`<${Code}>${JSON.stringify(of, null, 2)}<//>`;
