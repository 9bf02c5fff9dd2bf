// Now: decisions as they happen, how much there is of what, and how every step, source and delivery fares. What is not well stands on top.
import * as api from '../api.js';
import { Bars, Chart } from '../charts.js';
import { FAULTS, ago, micros, number, percent, plural, words } from '../format.js';
import { Badge, Card, Empty, Level, Loading, Notice, Page, Priority, Refusal, Sentiment, Time, html, tell, useAction, useEffect, useLoad, useRef, useState } from '../ui.js';

const KEPT = 30;
const STRETCHES = [['3600', 'Last hour'], ['21600', 'Last 6 hours'], ['86400', 'Last day'], ['604800', 'Last week']];
const EVERY_MS = 5000;
const EMPTY = { since: new Date().toISOString(), part_ms: 1, parts: [], categories: {}, sentiments: {}, escalations: {} };

export default function Now() {
  const [stretch, setStretch] = useState('3600');
  const [turn, setTurn] = useState(0);
  const feed = useFeed();
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) setTurn((n) => n + 1); }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const load = useLoad(async (signal) => {
    const [chains, targets, metrics, sources] = await Promise.all([api.get('/chains', null, signal), api.get('/targets', null, signal), api.metrics(signal), api.get('/sources', null, signal)]);
    return { chains: chains.items, targets, sources: sources.items, meters: read(metrics) };
  }, [turn]);
  // Counting a busy day takes the host some time: the page does not wait for it, and asks less often.
  const counts = useLoad((signal) => api.get('/volume', { since: new Date(Date.now() - stretch * 1000).toISOString(), parts: 60 }, signal), [Math.floor(turn / 3), stretch]);
  const { data } = load;
  const volume = counts.data;
  return html`<${Page} title="Now" lead="What comes in, what becomes of it, and how the house fares."
      actions=${html`<select aria-label="Stretch of time" value=${stretch} onChange=${(event) => setStretch(event.target.value)}>${STRETCHES.map(([value, name]) => html`<option value=${value} selected=${value === stretch}>${name}</option>`)}</select>`}>
    <${Refusal} error=${load.error ?? counts.error} again=${load.again} />
    ${!data ? html`<${Loading} />` : html`<${Alarms} ...${data} again=${load.again} /><${Figures} volume=${volume ?? EMPTY} meters=${data.meters} />
    <div class="columns"><div class="main-column">
      <${Volume} volume=${volume ?? EMPTY} />
      <${Feed} feed=${feed} /></div>
    <div class="side-column">
      <${Card} title="Categories"><${Bars} counts=${(volume ?? EMPTY).categories} href=${(key) => `#/decisions?category=${encodeURIComponent(key)}`} name=${words} empty="No decisions in this time." /><//>
      <${Card} title="Sentiment"><${Bars} counts=${(volume ?? EMPTY).sentiments} href=${(key) => `#/decisions?sentiment=${key}`} name=${words} empty="Nothing was judged in this time." /><//>
      <${Card} title="Escalations"><${Bars} counts=${Object.fromEntries(Object.entries((volume ?? EMPTY).escalations).filter(([level]) => level > 0))} href=${(key) => `#/decisions?min_escalation=${key}`} name=${(key) => `level ${key}`} empty="Nothing was escalated in this time." /><//>
    </div></div>
    <${Steps} chains=${data.chains} meters=${data.meters} />
    <${Ends} ...${data} />`}<//>`;
}

// The newest decisions and those that come; gathered while the tab is hidden, shown when it is looked at.
function useFeed() {
  const [feed, setFeed] = useState({ items: null, state: 'away', error: null });
  const fresh = useRef(new Set());
  useEffect(() => {
    const abort = new AbortController();
    const add = (found) => setFeed((before) => {
      const known = new Set((before.items ?? []).map((one) => one.decision.id));
      const come = found.filter((one) => !known.has(one.decision.id)).reverse();
      fresh.current = new Set(come.map((one) => one.decision.id));
      return { ...before, items: [...come, ...(before.items ?? [])].slice(0, KEPT) };
    });
    api.get('/decisions', { limit: KEPT, trace: false }, abort.signal).then((page) => setFeed((before) => ({ ...before, items: [...(before.items ?? []), ...page.items].slice(0, KEPT) })), (error) => { if (!abort.signal.aborted) setFeed((before) => ({ ...before, error })); });
    api.follow(abort.signal, { decided: add, state: (state) => setFeed((before) => ({ ...before, state })) });
    return () => abort.abort();
  }, []);
  return { ...feed, fresh: fresh.current };
}

function Feed({ feed }) {
  return html`<${Card} title="As they happen" aside=${html`<span class="muted" role="status"><span class=${`live-dot ${feed.state}`}></span>${feed.state === 'live' ? 'live' : 'connecting…'}</span>`}>
    <${Refusal} error=${feed.error} />
    ${feed.items?.length === 0 && html`<${Empty} title="Waiting for the first event"><p>It appears here the moment it is decided. <a href="#/sources">Connect your desk</a>, or send one to the demo source:</p><pre class="code" tabindex="0"><code>${`curl -s http://127.0.0.1:8640/hooks/demo -H 'content-type: application/json' \\\n  -d '{"id":"post-1","text":"the VPN is down since 9am"}'`}</code></pre><//>`}
    <ul class="feed">${(feed.items ?? []).map(({ event, decision }) => html`<li key=${decision.id} class=${feed.fresh.has(decision.id) ? 'fresh' : ''}><span class="when"><${Time} at=${decision.decided} /></span>
      <span class="said-short"><a class="cut" href=${`#/decisions/${decision.id}`}>${(event.title || event.text || 'no text').slice(0, 240)}</a><span class="muted by">${[decision.category.path?.at(-1) ?? decision.category.key, event.author?.handle, event.network || event.source].filter(Boolean).join(' · ')}</span></span>
      <span class="badges"><${Sentiment} of=${decision.sentiment} /> <${Level} of=${decision.escalation} /> ${decision.held && html`<${Badge} kind="bad">held<//>`} ${decision.degraded && html`<${Badge} kind="bad">degraded<//>`}</span></li>`)}</ul><//>`;
}

function Alarms({ chains, targets, meters, again }) {
  const reset = useAction(async (chain, step) => { await api.post(`/chains/${encodeURIComponent(chain)}/steps/${encodeURIComponent(step)}/reset`); tell(`${step} runs again`); again(); });
  const out = chains.flatMap((chain) => chain.steps.filter((step) => step.health.state === 'quarantined').map((step) => ({ chain: chain.name, step })));
  const away = Object.entries(targets).filter(([, target]) => target.health?.failures > 0);
  const parked = Object.entries(targets).filter(([, target]) => (target.deliveries.parked ?? 0) + (target.deliveries.dead ?? 0) > 0);
  return html`<div class="stack alarms">
    ${meters.of('signalbox_journal_failing') > 0 && html`<${Notice} kind="bad"><p><b>The journal cannot be written.</b> Events are refused until it can: look at the disk of the host.</p><//>`}
    ${out.map(({ chain, step }) => html`<${Notice} kind="bad"><p><b>${step.name} is quarantined.</b> It kept faulting and is left out${step.on_fault === 'hold' ? '; events are held for a person' : '; events are decided without it'}. It is tried again <${Time} at=${step.health.until} />. <a href=${`#/chain/${encodeURIComponent(chain)}/${encodeURIComponent(step.name)}`}>Look at the step</a></p>
      ${api.may('post', '/chains/{name}/steps/{step}/reset') && html`<button class="link" disabled=${reset.busy} onClick=${() => reset.run(chain, step.name)}>Let it back in now</button>`}<${Refusal} error=${reset.error} /><//>`)}
    ${away.map(([name, target]) => html`<${Notice} kind="warn"><p><b>${name} does not take calls.</b> ${target.health.reason ?? `${target.health.failures} failures in a row`}. ${plural((target.deliveries.waiting ?? 0) + (target.deliveries.sending ?? 0), 'call waits', 'calls wait')} for it to be back. <a href=${`#/sources/deliveries?target=${encodeURIComponent(name)}`}>Deliveries</a></p><//>`)}
    ${parked.map(([name, target]) => html`<${Notice} kind="warn"><p><b>${plural((target.deliveries.parked ?? 0) + (target.deliveries.dead ?? 0), 'call')} to ${name} set aside.</b> They wait for a person. <a href=${`#/sources/deliveries?state=parked&target=${encodeURIComponent(name)}`}>Look at them</a></p><//>`)}
    ${meters.of('signalbox_alerts_held') > 0 && html`<${Notice} kind="warn"><p><b>${plural(meters.of('signalbox_alerts_held'), 'alert')} held back.</b> A sink has had its fill for this hour; a summary follows. <a href="#/alerts">Alerts</a></p><//>`}
    ${meters.of('signalbox_approvals_waiting') > 0 && html`<${Notice}><p><b>${plural(meters.of('signalbox_approvals_waiting'), 'thing waits', 'things wait')} for a yes.</b> <a href="#/waiting">Look at them</a></p><//>`}</div>`;
}

function Figures({ volume, meters }) {
  const sum = (key) => volume.parts.reduce((all, part) => all + part[key], 0);
  const [decisions, degraded] = [sum('decisions'), sum('degraded')];
  const calls = { n: meters.of('signalbox_call_seconds_count'), s: meters.of('signalbox_call_seconds_sum') };
  const part = (n) => (decisions ? percent(n / decisions) : '–');
  return html`<div class="figures">
    <div class="figure"><b>${number(decisions)}</b><span class="muted">decisions</span></div>
    <div class="figure"><b>${part(sum('escalated'))}</b><span class="muted">escalated</span></div>
    <div class="figure"><b>${part(sum('negative'))}</b><span class="muted">negative</span></div>
    <div class=${`figure ${degraded ? 'bad' : ''}`}><b>${number(degraded)}</b><span>degraded</span></div>
    <div class="figure"><b>${calls.n ? micros((calls.s / calls.n) * 1e6) : '–'}</b><span class="muted">mean answer time</span></div></div>`;
}

const SERIES = [{ label: 'Decisions', colour: 'accent', bars: true }, { label: 'Escalated', colour: 'warn' }, { label: 'Negative', colour: 'bad' }];

function Volume({ volume }) {
  const since = new Date(volume.since).getTime();
  const data = [volume.parts.map((_, at) => (since + at * volume.part_ms) / 1000), ...['decisions', 'escalated', 'negative'].map((key) => volume.parts.map((part) => part[key]))];
  const total = volume.parts.reduce((sum, part) => sum + part.decisions, 0);
  return html`<${Card} title="Volume"><${Chart} series=${SERIES} data=${data} label=${`${plural(total, 'decision')} since ${new Date(volume.since).toLocaleString()}; at most ${Math.max(0, ...data[1])} in one part`} /><//>`;
}

function Steps({ chains, meters }) {
  const rows = chains.flatMap((chain) => chain.steps.map((step) => {
    const of = { chain: chain.name, step: step.name };
    const outcomes = meters.all('signalbox_step_runs_total', of);
    const faults = outcomes.filter((one) => FAULTS[one.labels.outcome]);
    const total = (list) => list.reduce((sum, one) => sum + one.value, 0);
    const timed = meters.of('signalbox_step_seconds_count', of);
    return { chain, step, of, runs: total(outcomes), faults: total(faults), worst: faults.filter((one) => one.value).map((one) => `${FAULTS[one.labels.outcome]}: ${one.value}`).join(', '), mean: timed ? (meters.of('signalbox_step_seconds_sum', of) / timed) * 1e6 : null };
  }));
  // Each step beside the slowest, so that the one that costs stands out.
  const slowest = Math.max(1, ...rows.map((row) => row.mean ?? 0));
  return html`<${Card} title="Steps" aside=${html`<span class="muted">since the host was started</span>`}><div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="rows"><thead><tr><th scope="col">Step</th><th scope="col">Plugin</th><th scope="col">Mode</th><th scope="col">Health</th><th scope="col" class="num">Runs</th><th scope="col" class="num">Faults</th><th scope="col" class="num">Mean</th><th scope="col" class="num">Median</th><th scope="col" class="num">99 %</th></tr></thead>
    <tbody>${rows.map(({ chain, step, of, runs, faults, worst, mean }) => html`<tr><th scope="row"><a href=${`#/chain/${encodeURIComponent(chain.name)}/${encodeURIComponent(step.name)}`}>${step.name}</a>${chains.length > 1 && html` <span class="muted">in ${chain.name}</span>`}</th><td>${step.plugin} ${step.version}</td><td><${Badge} kind=${step.mode === 'live' ? 'plain' : 'info'}>${step.mode}<//></td>
        <td><${Health} of=${step.health} /></td><td class="num">${number(runs)}</td><td class="num" title=${worst}>${faults ? html`<span class="error">${number(faults)}</span>` : 0}<meter class="bad" min="0" max="1" value=${runs ? faults / runs : 0} aria-label=${`Share of faults of ${step.name}`}></meter></td>
        <td class="num">${mean === null ? '–' : micros(mean)}<meter min="0" max=${slowest} value=${mean ?? 0} aria-label=${`Mean time of ${step.name}, beside the slowest step`}></meter></td><td class="num">${meters.quantile('signalbox_step_seconds', of, 0.5)}</td><td class="num">${meters.quantile('signalbox_step_seconds', of, 0.99)}</td></tr>`)}</tbody></table></div><//>`;
}

export const Health = ({ of }) => (of.state === 'quarantined' ? html`<${Badge} kind="bad">quarantined<//>` : of.recent_faults ? html`<${Badge} kind="warn">${plural(of.recent_faults, 'fault')} of late<//>` : html`<${Badge} kind="good">well<//>`);

function Ends({ sources, targets, meters }) {
  return html`<div class="grid"><${Card} title="Sources"><ul class="plain">${sources.map((source) => {
    const count = (result) => meters.all('signalbox_calls_total', { source: source.name, result }).reduce((sum, one) => sum + one.value, 0);
    const refused = count('refused');
    return html`<li class="row"><a href=${`#/sources/${encodeURIComponent(source.name)}`}><b>${source.name}</b></a> <span class="muted">${source.system}</span><span class="right">${plural(count('decided') + count('receipt') + count('repeated'), 'call')} taken${refused > 0 && html`, <span class="error">${number(refused)} refused</span>`}</span></li>`;
  })}</ul><//>
  <${Card} title="Deliveries">${Object.keys(targets).length === 0 && html`<p class="muted">Nothing is written back anywhere. A source's <code>[outbound]</code> or a <code>[sinks.NAME]</code> in the host's config does that.</p>`}<ul class="plain">${Object.entries(targets).map(([name, target]) => html`<li class="row"><a href=${`#/sources/deliveries?target=${encodeURIComponent(name)}`}><b>${name}</b></a> ${target.health?.failures ? html`<${Badge} kind="bad">away, tried again ${ago(target.health.paused_until)}<//>` : html`<${Badge} kind="good">well<//>`}<span class="right muted">${Object.entries(target.deliveries).map(([state, n]) => `${number(n)} ${state}`).join(', ') || 'nothing yet'}</span></li>`)}</ul><//></div>`;
}

// The text that a Prometheus reads, as samples.
export function read(text) {
  const samples = new Map();
  for (const line of text.split('\n')) {
    const found = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!found) continue;
    const labels = Object.fromEntries([...(found[2] ?? '').matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, of]) => [name, of.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c))]));
    if (!samples.has(found[1])) samples.set(found[1], []);
    samples.get(found[1]).push({ labels, value: Number(found[3]) });
  }
  const all = (name, wanted = {}) => (samples.get(name) ?? []).filter((one) => Object.entries(wanted).every(([label, of]) => one.labels[label] === of));
  const of = (name, wanted) => all(name, wanted).reduce((sum, one) => sum + one.value, 0);
  // The upper end of the bucket that holds it: an honest "at most".
  const quantile = (name, wanted, part) => {
    const buckets = all(`${name}_bucket`, wanted).map((one) => ({ end: one.labels.le === '+Inf' ? Infinity : Number(one.labels.le), value: one.value })).sort((one, other) => one.end - other.end);
    const total = buckets.at(-1)?.value ?? 0;
    if (!total) return '–';
    const { end } = buckets.find((one) => one.value >= part * total);
    return end === Infinity ? 'over 1 s' : `≤ ${micros(end * 1e6)}`;
  };
  return { all, of, quantile };
}
