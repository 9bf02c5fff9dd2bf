// The draft of a set-up: what somebody is changing and nobody else sees. It lives in this tab and knows the revision it was made from,
// so that going live over somebody else's change is noticed. `Draft` is the panel that keeps the difference and the next step in view.
import * as api from './api.js';
import { Compared, compare, stepName } from './diff.js';
import { field, number, plural, value } from './format.js';
import { Badge, Card, Dialog, Notice, Reason, Refusal, Time, html, prose, tell, useAction, useEffect, useState } from './ui.js';
import { replay } from './pages/decision.js';

const KEY = 'signalbox-draft';
let draft = null;
try { draft = JSON.parse(sessionStorage.getItem(KEY)); } catch { /* None then. */ }
const listeners = new Set();

export function setDraft(next) {
  draft = next;
  try { if (next) sessionStorage.setItem(KEY, JSON.stringify({ ...next, report: undefined })); else sessionStorage.removeItem(KEY); } catch { /* In memory only. */ }
  listeners.forEach((listen) => listen(next));
}

export function useDraft() {
  const [now, setNow] = useState(draft);
  useEffect(() => { listeners.add(setNow); return () => listeners.delete(setNow); }, []);
  return now;
}

// A change of the set-up, made from what is live unless there is a draft already. Whatever was found out about it before is void.
export function edit(live, change) {
  const base = draft ?? { base: live.revision, setup: live.setup };
  const setup = change(structuredClone(base.setup)) ?? base.setup;
  setDraft(compare(live.setup, setup).length ? { base: base.base, setup } : null);
}

export function editStep(live, chain, name, change) {
  edit(live, (setup) => {
    const steps = setup.chains[chain].steps;
    const at = steps.findIndex((step) => stepName(step) === name);
    steps[at] = change(steps[at]);
    return setup;
  });
}

// Problems of one step, with pointers into it.
export function problemsOf(now, chain, name) {
  const at = now?.setup.chains[chain]?.steps.findIndex((step) => stepName(step) === name) ?? -1;
  const place = `/chains/${chain.replaceAll('~', '~0').replaceAll('/', '~1')}/steps/${at}`;
  return (now?.problems ?? []).filter((one) => one.pointer.startsWith(`${place}/`) || one.pointer === place).map((one) => ({ ...one, pointer: one.pointer.slice(place.length) }));
}

const Way = ({ now }) => {
  const done = [true, Boolean(now.checked), Boolean(now.report), false];
  const here = now.problems?.length ? 1 : done.indexOf(false);
  return html`<ol class="path" aria-label="The way to live">${['Draft', 'Checked', 'Replayed', 'Live'].map((name, at) => html`<li class=${at === here ? 'here' : done[at] ? 'done' : ''} aria-current=${at === here ? 'step' : undefined}>${name}</li>`)}</ol>`;
};

export function Draft({ live, again }) {
  const now = useDraft();
  const [going, setGoing] = useState(false);
  const check = useAction(async () => {
    try {
      const made = await api.put('/setup', now.setup, { query: { dry_run: true } });
      setDraft({ ...now, checked: made.generation, problems: [] });
      return true;
    } catch (error) {
      if (error.code !== 'setup') throw error;
      setDraft({ ...now, checked: null, problems: error.problems });
      return false;
    }
  });
  const run = useAction(async () => {
    const done = await replay({ setup: now.setup, last: 1000 });
    if (done.failure) throw new Error(done.failure);
    setDraft({ ...now, checked: done.report.generation, problems: [], report: done });
  });
  if (!now) return html`<${Nothing} live=${live} again=${again} />`;
  const found = compare(live.setup, now.setup);
  const stale = now.base !== live.revision;
  return html`<${Card} title="Your draft" aside=${html`<button class="link" onClick=${() => { setDraft(null); tell('The draft is gone; nothing was changed'); }}>Discard</button>`} className="draft-panel">
    <${Way} now=${now} />
    ${stale && html`<${Notice} kind="warn"><p><b>Somebody else was faster.</b> You began at revision ${now.base}, and revision ${live.revision} is live. Below is what yours would change now; it takes back what they changed unless you bring that in.</p><button class="link" onClick=${() => setDraft({ base: live.revision, setup: now.setup })}>Go on from revision ${live.revision}</button><//>`}
    <${Compared} found=${found} />
    ${now.problems?.length > 0 && html`<${Notice} kind="bad"><p><b>This cannot be built.</b></p><ul>${now.problems.map((one) => html`<li>${where(now, one.pointer)} ${prose(one.message)}</li>`)}</ul><//>`}
    ${now.checked && !now.report && html`<${Notice} kind="good"><p>It can be built (generation <code>${now.checked}</code>). Nothing is live yet.</p><//>`}
    <${Refusal} error=${check.error ?? run.error} />
    ${now.report && html`<${Report} replay=${now.report} />`}
    <div class="row"><button onClick=${check.run} disabled=${check.busy || !api.may('put', '/setup')}>${check.busy ? 'Checking…' : 'Check'}</button>
      <button onClick=${run.run} disabled=${run.busy || !api.may('post', '/replays')}>${run.busy ? 'Replaying…' : 'Replay'}</button>
      <button class="primary" disabled=${stale || now.problems?.length > 0 || !api.may('put', '/setup')} onClick=${() => setGoing(true)}>Go live…</button></div>
    ${!api.may('put', '/setup') && html`<p class="muted">Going live needs the role ${api.needs('put', '/setup')}.</p>`}
    ${!now.report && html`<p class="muted">A replay runs the draft over the last 1,000 recorded events and shows which decisions would be others. Live traffic does not notice.</p>`}
    ${going && html`<${GoLive} now=${now} found=${found} onClose=${() => setGoing(false)} again=${again} />`}<//>`;
}

function where(now, pointer) {
  const found = /^\/chains\/([^/]+)\/steps\/(\d+)(.*)$/.exec(pointer);
  const step = found && now.setup.chains[found[1].replaceAll('~1', '/').replaceAll('~0', '~')]?.steps[found[2]];
  return step ? html`<a href=${`#/chain/${encodeURIComponent(found[1])}/${encodeURIComponent(stepName(step))}`}>${stepName(step)}</a>${found[3] && html` <code>${found[3]}</code>`}: ` : html`<code>${pointer}</code>: `;
}

function GoLive({ now, found, onClose, again }) {
  const [reason, setReason] = useState({});
  const go = useAction(async () => {
    const made = await api.put('/setup', now.setup, { match: now.base, reason });
    setDraft(null);
    again();
    tell(`Live: revision ${made.revision}`);
    onClose();
  });
  return html`<${Dialog} title="Go live" onClose=${onClose} wide><p>From the next event on, everything is decided with these changes. You can take them back at any time.</p><${Compared} found=${found} />
    ${!now.report && html`<${Notice} kind="warn"><p>You have not replayed this draft: nobody knows yet what it changes.</p><//>`}
    <form class="stack" onSubmit=${(event) => { event.preventDefault(); go.run(); }}><${Reason} value=${reason} onInput=${setReason} /><${Refusal} error=${go.error} />${go.error?.status === 412 && html`<p>Somebody put another revision live meanwhile. <button type="button" class="link" onClick=${() => { again(); onClose(); }}>Look at it</button></p>`}
    <div class="row"><button class="primary" disabled=${go.busy}>${go.busy ? 'Going live…' : 'Go live'}</button><button type="button" onClick=${onClose}>Not yet</button></div></form><//>`;
}

function Nothing({ live, again }) {
  const [back, setBack] = useState(false);
  return html`<${Card} title="What is live"><dl class="facts"><div><dt>Revision</dt><dd>${live.revision}</dd></div><div><dt>Generation</dt><dd><code>${live.generation}</code></dd></div>${live.last && html`<div><dt>Since</dt><dd><${Time} at=${live.last.at} exact /></dd></div><div><dt>By</dt><dd>${live.last.by}</dd></div>${live.last.why && html`<div><dt>Why</dt><dd>${live.last.why}</dd></div>`}`}</dl>
    <p class="muted">Change anything on the left: it becomes a draft, with the difference here. Nothing is live before you say so.</p>
    ${live.last?.before && api.may('post', '/generations/{id}/rollback') && html`<div><button onClick=${() => setBack(true)}>Roll back…</button></div>`}
    ${back && html`<${RollBack} live=${live} to=${live.last.before} onClose=${() => setBack(false)} again=${again} />`}<//>`;
}

export function RollBack({ live, to, onClose, again }) {
  const [reason, setReason] = useState({});
  const [setup, setSetup] = useState(null);
  useEffect(() => { api.get(`/generations/${to}`).then(setSetup, () => setSetup(false)); }, [to]);
  const go = useAction(async () => {
    const made = await api.post(`/generations/${to}/rollback`, undefined, { match: live.revision, reason });
    again();
    tell(`Generation ${made.generation} is live again, revision ${made.revision}`);
    onClose();
  });
  return html`<${Dialog} title="Roll back" onClose=${onClose} wide><p>Generation <code>${to}</code> is live again from the next event on. What was decided stays decided, and this, too, can be taken back.</p>
    ${setup && html`<${Compared} found=${compare(live.setup, setup)} />`}
    <form class="stack" onSubmit=${(event) => { event.preventDefault(); go.run(); }}><${Reason} value=${reason} onInput=${setReason} /><${Refusal} error=${go.error} /><div class="row"><button class="primary" disabled=${go.busy}>${go.busy ? 'Rolling back…' : 'Roll back'}</button><button type="button" onClick=${onClose}>Leave it</button></div></form><//>`;
}

// What a replay found, the most telling first.
export function Report({ replay: { id, report } }) {
  const [all, setAll] = useState(false);
  const rows = report.changes.slice(0, all ? 200 : 8);
  const faults = report.steps.filter((step) => step.faults > 0);
  return html`<div class="stack report"><${Notice} kind=${report.changed ? 'warn' : 'good'}><p><b>${report.changed ? `${number(report.changed)} of ${plural(report.compared, 'decision')} would change.` : `None of ${plural(report.compared, 'decision')} would change.`}</b>${report.not_comparable.length > 0 && ` ${plural(report.not_comparable.length, 'event')} cannot be compared.`}</p><//>
    ${faults.length > 0 && html`<${Notice} kind="bad"><p>${faults.map((step) => `${step.step} faulted ${plural(step.faults, 'time')}`).join('; ')}.</p><//>`}
    ${Object.keys(report.fields).length > 0 && html`<p>${Object.entries(report.fields).filter(([name]) => !name.startsWith('/confidence')).sort((one, other) => other[1] - one[1]).slice(0, 8).map(([name, n]) => html`<${Badge}>${field(name)} ${n}<//> `)}</p>`}
    ${rows.length > 0 && html`<ul class="plain">${rows.map((one) => html`<li>${one.decision_id ? html`<a class="cut" href=${`#/decisions/${one.decision_id}`}>${one.text || one.event_id}</a>` : html`<span class="cut">${one.text || one.event_id}</span>`}${one.fields.filter((leaf) => !leaf.field.startsWith('/confidence') || one.fields.length === 1).slice(0, 5).map((leaf) => html`<div class="leaf"><span class="muted">${field(leaf.field)}</span> <del>${value(leaf.from)}</del> <ins>${value(leaf.to)}</ins></div>`)}</li>`)}</ul>`}
    <div class="row">${report.changes.length > 8 && !all && html`<button class="link" onClick=${() => setAll(true)}>Show ${Math.min(200, report.changes.length)}</button>`}${id && html`<button class="link" onClick=${() => api.download(`/replays/${id}/csv`, {}, `replay-${id}.csv`)}>All as CSV</button>`}</div></div>`;
}
