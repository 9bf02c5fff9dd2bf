// Reports: how much there was of what, what was promised and kept, which rules spoke, and who agreed with them. As charts a manager can
// read, as tables for whoever cannot see them, as CSV, and on paper.
import * as api from '../api.js';
import { Bars, Chart } from '../charts.js';
import { field, micros, number, percent, plural, words } from '../format.js';
import { Badge, Card, Empty, Loading, Notice, Page, Refusal, Time, html, useAction, useLoad } from '../ui.js';

const STRETCHES = [['1', 'Last day'], ['7', 'Last 7 days'], ['30', 'Last 30 days'], ['90', 'Last 90 days'], ['365', 'Last year']];
const BYS = ['category', 'network', 'sentiment', 'priority', 'source'];
const COLOURS = ['accent', 'warn', 'good', 'bad', 'info'];
const CLOCKS = { first_response: 'First response', next_response: 'Next response', resolution: 'Resolution' };
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const whole = new Intl.DateTimeFormat(navigator.language, { dateStyle: 'medium' });

export default function Reports({ place }) {
  const asked = Object.fromEntries(place.query);
  const days = asked.days ?? '7';
  const bucket = asked.bucket ?? (days === '1' ? 'hour' : 'day');
  const by = BYS.includes(asked.by) ? asked.by : 'category';
  const query = { days, source: asked.source };
  const over = { ...query, bucket, zone: ZONE };
  const set = (name, value) => { location.hash = `#/reports?${new URLSearchParams(Object.entries({ ...asked, [name]: value }).filter(([, one]) => one))}`; };
  const sources = useLoad((signal) => api.get('/sources', null, signal), []);
  // Every report is for the same hours: a chart and the list beside it never tell of different ones.
  const load = useLoad(async (signal) => {
    const get = (name, more) => api.get(`/reports/${name}`, more, signal);
    const [volume, levels, escalations, spikes, rules, reasons, agreement, corrections] = await Promise.all([get('volume', { ...over, by }), get('service-levels', over), get('escalations', over), get('spikes', query), get('rules', { ...query, limit: 1000 }), get('reasons', { ...query, limit: 12 }), get('agreement', query), get('corrections', { ...query, limit: 12 })]);
    return { volume, levels, escalations, spikes, rules, reasons, agreement, corrections };
  }, [place.query.toString()]);
  const { data } = load;
  const choice = (name, label, value, options) => html`<select aria-label=${label} value=${value} onChange=${(event) => set(name, event.target.value)}>${options.map(([key, said]) => html`<option value=${key} selected=${key === value}>${said}</option>`)}</select>`;
  return html`<${Page} title="Reports" lead=${data ? `${whole.format(new Date(data.volume.from))} to ${whole.format(new Date(data.volume.to))}${asked.source ? `, through ${asked.source}` : ', all sources'}, days of ${ZONE}` : 'How much there was of what, and what became of it.'}
      actions=${html`${choice('days', 'Stretch of time', days, STRETCHES)}${choice('bucket', 'Length of a point', bucket, [['hour', 'By the hour'], ['day', 'By the day']])}${choice('source', 'Source', asked.source ?? '', [['', 'All sources'], ...(sources.data?.items ?? []).map((one) => [one.name, one.name])])}<button onClick=${() => print()}>Print</button>`}>
    <${Refusal} error=${load.error ?? sources.error} again=${load.again} />
    ${!data ? html`<${Loading} />` : html`${data.volume.behind > 0 && html`<${Notice} kind="warn"><p>${plural(data.volume.behind, 'decision')} of an earlier version are not counted yet; the host is at it.</p><//>`}
    ${data.volume.rows.length === 0 && data.rules.rows.length === 0 ? html`<${Empty} title="Nothing was decided in this time"><p>Every message counts the moment it is decided: by what it is about, where it was written, how its author feels. Choose a longer stretch of time, or <a href="#/sources">connect a desk</a>.</p><//>` : html`
    <${Volume} report=${data.volume} by=${by} bucket=${bucket} over=${over} choose=${(one) => set('by', one)} />
    <${Levels} report=${data.levels} bucket=${bucket} over=${over} />
    <${Escalations} report=${data.escalations} bucket=${bucket} over=${over} />
    <${Spikes} report=${data.spikes} query=${query} />
    <${Agreement} report=${data.agreement} corrections=${data.corrections} query=${query} />
    <${Rules} report=${data.rules} query=${query} />
    <${Reasons} report=${data.reasons} query=${query} />`}`}<//>`;
}

// A report's file for a spreadsheet: all of it, also where the page shows the first rows.
function Csv({ name, query }) {
  const get = useAction(() => api.download(`/reports/${name}/csv`, query, `${name}.csv`));
  return html`<button class="quiet no-print" aria-label=${`${words(name)} as CSV`} disabled=${get.busy} onClick=${() => get.run()}>CSV</button><${Refusal} error=${get.error} />`;
}

// The beginnings of all points of a report, those without a row too, as the host counts them.
function points(report, bucket) {
  const end = new Date(report.to);
  const at = new Date(report.from);
  if (bucket === 'day') at.setHours(0, 0, 0, 0);
  const found = [];
  while (at < end) {
    found.push(at.getTime());
    if (bucket === 'day') at.setDate(at.getDate() + 1); else at.setTime(at.getTime() + 3_600_000);
  }
  return found;
}

// Rows as lines of a chart: `[seconds, ...values]`, one line for each name.
function lines(all, rows, names, count) {
  const place = new Map(all.map((at, index) => [at, index]));
  const data = names.map(() => all.map(() => 0));
  for (const row of rows) {
    const line = names.indexOf(row.name);
    const at = place.get(new Date(row.at).getTime());
    if (line >= 0 && at !== undefined) data[line][at] += row[count];
  }
  return [all.map((at) => at / 1000), ...data];
}

function totals(rows, count) {
  const sums = {};
  for (const row of rows) sums[row.name] = (sums[row.name] ?? 0) + row[count];
  return sums;
}

const sum = (rows, key) => rows.reduce((all, row) => all + row[key], 0);
const Table = ({ label, head, children }) => html`<div class="scroll" tabindex="0" role="group" aria-label=${label}><table class="rows"><thead><tr>${head.map((one) => html`<th scope="col" class=${one[0] === '#' ? 'num' : ''}>${one.replace('#', '')}</th>`)}</tr></thead><tbody>${children}</tbody></table></div>`;

function Volume({ report, by, bucket, over, choose }) {
  const sums = totals(report.rows, 'messages');
  const names = Object.entries(sums).sort((one, other) => other[1] - one[1]).slice(0, COLOURS.length).map(([name]) => name);
  const total = sum(report.rows, 'messages');
  return html`<${Card} title=${`Messages by ${by}`} aside=${html`<select class="no-print" aria-label="Messages by" value=${by} onChange=${(event) => choose(event.target.value)}>${BYS.map((one) => html`<option value=${one} selected=${one === by}>by ${one}</option>`)}</select><${Csv} name="volume" query=${{ ...over, by }} />`}>
    <div class="columns"><${Chart} key=${by} height=${220} series=${names.map((name, at) => ({ label: words(name), colour: COLOURS[at] }))} data=${lines(points(report, bucket), report.rows, names, 'messages')} label=${`${plural(total, 'message')}; most are ${names.slice(0, 3).map((name) => `${words(name)}: ${number(sums[name])}`).join(', ') || 'none'}`} />
    <${Bars} counts=${sums} name=${words} most=${10} empty="No messages in this time." /></div><//>`;
}

const KEPT = [{ label: 'Kept', colour: 'good', bars: true }, { label: 'Broken', colour: 'bad' }];

function Levels({ report, bucket, over }) {
  const clocks = Object.keys(CLOCKS).filter((clock) => report.rows.some((row) => row.clock === clock));
  const all = points(report, bucket);
  const line = (key) => lines(all, report.rows.map((row) => ({ ...row, name: key })), [key], key)[1];
  const mean = (rows, n, of) => { const many = sum(rows, n); return many ? rows.reduce((total, row) => total + row[n] * (row[of] ?? 0), 0) / many : null; };
  return html`<${Card} title="What was promised, and kept" aside=${html`<${Csv} name="service-levels" query=${over} />`}>
    ${clocks.length === 0 ? html`<p class="muted">No clock started or ended in this time. A rule that sets a service level starts one; <code>escalate</code> does, with <code>sla</code> in a row of its table.</p>` : html`
    <${Chart} height=${170} series=${KEPT} data=${[all.map((at) => at / 1000), line('met'), line('breached')]} label=${`${number(sum(report.rows, 'met'))} kept, ${number(sum(report.rows, 'breached'))} broken`} />
    <${Table} label="Service levels" head=${['Clock', '#Started', '#Kept', '#Broken', '#Kept of both', '#Warned', '#Mean working time to the answer', '#Late answers', '#Late by, mean']}>${clocks.map((clock) => {
      const rows = report.rows.filter((row) => row.clock === clock);
      const [met, breached] = [sum(rows, 'met'), sum(rows, 'breached')];
      return html`<tr><th scope="row">${CLOCKS[clock]}</th><td class="num">${number(sum(rows, 'started'))}</td><td class="num">${number(met)}</td><td class="num">${breached ? html`<span class="error">${number(breached)}</span>` : 0}</td><td class="num">${met + breached ? percent(met / (met + breached)) : '–'}</td><td class="num">${number(sum(rows, 'warned'))}</td><td class="num">${time(mean(rows, 'met', 'mean_seconds'))}</td><td class="num">${number(sum(rows, 'late'))}</td><td class="num">${time(mean(rows, 'late', 'mean_late_seconds'))}</td></tr>`;
    })}<//>`}<//>`;
}

function time(seconds) {
  if (seconds === null) return '–';
  const [size, unit] = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']].find(([size]) => seconds >= size) ?? [1, 's'];
  return `${Math.round((seconds / size) * 10) / 10} ${unit}`;
}

function Escalations({ report, bucket, over }) {
  const levels = report.rows.filter((row) => row.by === 'level').map((row) => ({ ...row, name: `level ${row.name}` }));
  const audiences = report.rows.filter((row) => row.by === 'audience');
  const names = [...new Set(levels.map((row) => row.name))].sort();
  const total = sum(levels, 'decisions');
  return html`<${Card} title="Escalations" aside=${html`<${Csv} name="escalations" query=${over} />`}>
    ${total === 0 ? html`<p class="muted">Nothing was escalated in this time.</p>` : html`<div class="columns"><${Chart} key=${names.join()} height=${190} series=${names.map((name, at) => ({ label: name, colour: ['accent', 'warn', 'bad', 'info'][at] }))} data=${lines(points(report, bucket), levels, names, 'decisions')} label=${`${plural(total, 'escalation')}: ${Object.entries(totals(levels, 'decisions')).map(([name, n]) => `${name}: ${number(n)}`).join(', ')}`} />
    <div class="stack"><h3>Who was told</h3><${Bars} counts=${totals(audiences, 'decisions')} name=${words} empty="Nobody in particular." /></div></div>`}<//>`;
}

function Spikes({ report, query }) {
  const rows = [...report.rows].reverse();
  return html`<${Card} title="More than usual" aside=${html`<${Csv} name="spikes" query=${query} />`}>
    ${rows.length === 0 ? html`<p class="muted">No hour stands out of what is usual at its time of the day.</p>` : html`<${Table} label="Spikes" head=${['Hour', 'Of', '#How many', '#Usually', '#Times', 'Above all', 'Mostly from']}>${rows.map((row) => html`<tr><td class="when"><a href=${`#/decisions?since=${row.at}&until=${new Date(new Date(row.at).getTime() + 3_600_000).toISOString()}`}><${Time} at=${row.at} exact /></a></td><td>${row.of === 'negative' ? html`<${Badge} kind="bad">negative<//>` : 'messages'}</td><td class="num">${number(row.messages)}</td><td class="num">${row.usual}</td><td class="num">${row.times ?? '–'}</td><td>${words(row.category)} ${row.category_messages && html`<span class="muted">${number(row.category_messages)}</span>`}</td><td>${words(row.network)} ${row.network_messages && html`<span class="muted">${number(row.network_messages)}</span>`}</td></tr>`)}<//>`}<//>`;
}

const rule = (row) => html`${row.step || html`<span class="muted">no step</span>`}${row.rule && html` <span class="muted">${row.rule}</span>`}`;

function Agreement({ report, corrections, query }) {
  return html`<${Card} title="What agents made of it" aside=${html`<${Csv} name="agreement" query=${query} /><${Csv} name="corrections" query=${query} />`}>
    ${report.rows.length === 0 ? html`<p class="muted">No ticket has shown yet what its people think. Their replies and changes come through the same webhook as the messages: where a category, a priority or a queue then differs from what was decided, it is counted here, by the rule that had the last word.</p>` : html`<div class="columns even"><${Table} label="Agreement" head=${['Field', 'Rule', '#Seen', '#Agreed', '#Corrected']}>${report.rows.map((row) => html`<tr><td>${row.field}</td><th scope="row">${rule(row)}</th><td class="num">${number(row.seen)}</td><td class="num">${percent(row.share)}</td><td class="num">${row.corrected ? html`<span class="error">${number(row.corrected)}</span>` : 0}</td></tr>`)}<//>
    ${corrections.rows.length > 0 && html`<${Table} label="Corrections" head=${['Field', 'Decided', 'Corrected to', '#Times']}>${corrections.rows.map((row) => html`<tr><td>${row.field}</td><td class="wrap">${row.decided}<span class="muted by">${rule(row)}</span></td><td class="wrap">${row.corrected_to}</td><td class="num">${number(row.times)}</td></tr>`)}<//>`}</div>`}<//>`;
}

function Rules({ report, query }) {
  return html`<${Card} title="Rules: how often they spoke, and what they cost" aside=${html`<${Csv} name="rules" query=${query} />`}><${Table} label="Rules" head=${['Step', '#Runs', '#Spoke', '#Of its runs', '#Not its kind', '#Faults', '#Left out', '#Time, mean', '#Fuel, mean']}>${report.rows.map((row) => html`<tr><th scope="row">${row.step} <span class="muted">in ${row.chain}</span>${row.shadow > 0 && html` <${Badge} kind="info">shadow ${number(row.shadow)}<//>`}</th><td class="num">${number(row.runs)}</td><td class="num">${number(row.acted)}</td><td class="num">${row.hit_share === null ? '–' : percent(row.hit_share)}</td><td class="num">${number(row.not_applicable)}</td><td class="num">${row.faults ? html`<span class="error">${number(row.faults)}</span>` : 0}</td><td class="num">${number(row.quarantined)}</td><td class="num">${row.mean_micros === null ? '–' : micros(row.mean_micros)}</td><td class="num">${row.mean_fuel === null ? '–' : number(row.mean_fuel)}</td></tr>`)}<//><//>`;
}

function Reasons({ report, query }) {
  return html`<${Card} title="Top reasons" aside=${html`<${Csv} name="reasons" query=${{ ...query, limit: 1000 }} />`}><${Table} label="Top reasons" head=${['Rule', 'What it set', '#How often', '#Of that field']}>${report.rows.map((row) => html`<tr><th scope="row">${rule(row)}</th><td>${field(row.field)}</td><td class="num">${number(row.times)}</td><td class="num">${percent(row.share)}</td></tr>`)}<//><//>`;
}
