// Plugins: what there is, uploads with the gate's report in words, and everything that is known of one.
import * as api from '../api.js';
import { bytes, grant, micros, number, plural, words } from '../format.js';
import { Badge, Card, Code, Icon, Json, Loading, Notice, Page, Reason, Refusal, Sure, Time, html, prose, tell, useAction, useLoad, useRef, useState } from '../ui.js';

export default function Plugins({ place }) {
  return place.parts[1] ? html`<${One} key=${place.parts[1]} reference=${place.parts[1]} />` : html`<${All} />`;
}

function All() {
  const load = useLoad((signal) => api.get('/plugins', null, signal), []);
  const names = [...new Set((load.data?.items ?? []).map((one) => one.name))];
  return html`<${Page} title="Plugins" lead="Rules as WebAssembly: each runs in a sandbox of its own and sees nothing but the event.">
    ${api.may('post', '/plugins') ? html`<${Upload} known=${load.data?.items ?? []} done=${load.again} />` : html`<p class="muted">Uploading needs the role ${api.needs('post', '/plugins')}.</p>`}
    <${Refusal} error=${load.error} again=${load.again} />${!load.data && load.busy && html`<${Loading} />`}
    <div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="rows"><thead><tr><th scope="col">Plugin</th><th scope="col">Version</th><th scope="col">In use</th><th scope="col">From</th><th scope="col">Digest</th></tr></thead><tbody>${names.flatMap((name) => load.data.items.filter((one) => one.name === name).map((one, at) => html`<tr key=${one.digest}><th scope="row">${at === 0 ? html`<a href=${`#/plugins/${one.digest}`}>${one.name}</a>` : html`<span class="muted">${one.name}</span>`}</th><td><a href=${`#/plugins/${one.digest}`}>${one.version}</a></td>
      <td>${one.used_by.length ? one.used_by.map((user) => html`<a href=${`#/chain/${encodeURIComponent(user.chain)}/${encodeURIComponent(user.step)}`}>${user.step}</a> `) : html`<span class="muted">no step</span>`}</td><td>${one.by === 'signalbox' ? html`<span class="muted">comes with Signalbox</span>` : html`${one.by}, <${Time} at=${one.uploaded} />`}</td><td><code title=${one.digest}>${one.digest.slice(0, 12)}</code></td></tr>`))}</tbody></table></div>
    <${Card} title="Write one of your own"><p class="muted">In Rust, Go, JavaScript, Python, C or AssemblyScript. It begins with a template that works:</p><${Code}>signalbox plugin new --lang rust my-rule${'\n'}cd my-rule && ./build.sh<//><p class="muted">Then drop <code>build/my-rule.wasm</code> above.</p><//><//>`;
}

const STAGES = { shape: 'Its shape', world: 'What it reaches for', child: 'Bringing it in', compile: 'Compiling', describe: 'What it says of itself', configure: 'Its config', examples: 'Its own examples' };

function Upload({ known, done }) {
  const [over, setOver] = useState(false);
  const [part, setPart] = useState(0);
  const [name, setName] = useState('');
  const [reason, setReason] = useState({});
  const [result, setResult] = useState(null);
  const picker = useRef();
  const send = useAction(async (file) => {
    setName(file.name);
    setPart(0);
    setResult(null);
    try {
      const { report, known: again } = await api.upload('/plugins', file, reason, setPart);
      const others = known.filter((one) => one.name === report.plugin.name && one.digest !== report.digest);
      const before = others.sort((one, other) => (other.uploaded ?? '').localeCompare(one.uploaded ?? ''))[0];
      setResult({ report, again, before: before && (await api.get(`/plugins/${before.digest}`)) });
      done();
    } catch (error) {
      if (!error.report) throw error;
      setResult({ report: error.report });
    }
  });
  const take = (files) => { if (files?.length) send.run(files[0]); };
  return html`<section class=${`drop ${over ? 'over' : ''}`} aria-label="Upload a plugin" onDragOver=${(event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${(event) => { event.preventDefault(); setOver(false); take(event.dataTransfer.files); }}>
    <${Icon} name="upload" /><p><b>Drop a plugin here</b>, a <code>.wasm</code> file, or</p>
    <input ref=${picker} type="file" accept=".wasm,application/wasm" class="unseen" tabindex="-1" aria-label="Plugin file" onChange=${(event) => { take(event.target.files); event.target.value = ''; }} /><button onClick=${() => picker.current.click()} disabled=${send.busy}>Choose a file</button>
    ${send.busy && html`<div role="status"><p>${part < 1 ? `Sending ${name}` : `Checking ${name}: compiling it, running its examples, measuring it…`}</p><progress aria-label="Upload" max="1" value=${part < 1 ? part : undefined}></progress></div>`}
    <p class="muted">It goes through the gate first. No decision changes before a step uses it.</p>
    <details><summary>Say why</summary><${Reason} value=${reason} onInput=${setReason} /></details></section>
    <${Refusal} error=${send.error} />${result && html`<${Gate} ...${result} close=${() => setResult(null)} />`}`;
}

function Gate({ report, again, before, close }) {
  const about = report.plugin;
  return html`<${Card} title=${about ? `${about.name} ${about.version}` : 'The plugin was refused'} aside=${html`${report.passed ? html`<${Badge} kind="good">passed the gate<//>` : html`<${Badge} kind="bad">refused<//>`}<button class="quiet" aria-label="Close the report" onClick=${close}><${Icon} name="close" /></button>`} id="gate">
    ${again && html`<${Notice}><p>These very bytes were here already; nothing was changed.</p><//>`}<${Checks} report=${report} />
    ${before && about && html`<${Upgrade} was=${before.plugin} is=${about} />`}
    ${about && html`<p>${about.summary}</p>`}
    ${report.passed && html`<p class="row"><a class="button" href=${`#/plugins/${report.digest}`}>All about it</a><a class="button" href="#/chain">Use it in a chain</a></p>`}<//>`;
}

const Checks = ({ report }) => html`<ul class="checks">${report.checks.map((one) => html`<li><span class=${one.passed ? 'good' : 'bad'}><${Icon} name=${one.passed ? 'check' : 'close'} /><span class="unseen">${one.passed ? 'passed' : 'failed'}</span></span><span><b>${STAGES[one.check] ?? one.check}</b>: ${prose(one.message)}</span></li>`)}</ul>`;

// What another version may that the one before could not: the question of every upgrade. A plugin that reaches for nothing says so in
// words, which are no permission that another could lose.
function Upgrade({ was, is }) {
  const change = (before, after) => ({ more: after.filter((one) => !before.includes(one)), less: before.filter((one) => !after.includes(one)) });
  const reaches = (about) => about.permissions.filter((one) => !/nothing else$/.test(one));
  const reach = change(reaches(was), reaches(is));
  const asks = change(was.requests.map((one) => one.grant), is.requests.map((one) => one.grant));
  const effects = change(was.effects, is.effects);
  const keys = change(Object.keys(was.config_schema?.properties ?? {}), Object.keys(is.config_schema?.properties ?? {}));
  const why = (asked) => is.requests.find((one) => one.grant === asked)?.reason;
  const lines = [...reach.more.map((one) => ['more', `It can now ${one}.`]), ...reach.less.map((one) => ['less', `It can no longer ${one}.`]), ...asks.more.map((one) => ['more', `It now asks: ${grant(one)}`, why(one)]), ...asks.less.map((one) => ['less', `It no longer asks: ${grant(one)}`]), ...effects.more.map((one) => ['more', `It may now propose: ${words(one)}.`]), ...effects.less.map((one) => ['less', `It no longer proposes: ${words(one)}.`]), ...keys.more.map((one) => ['config', `It has a new setting: ${words(one)}.`]), ...keys.less.map((one) => ['config', `It has a setting less: ${words(one)}.`])];
  const kinds = { more: 'warn', less: 'good', config: 'info' };
  return html`<div class="upgrade"><h3>Against ${was.version}</h3>${lines.length === 0 ? html`<p class="muted">It reaches for nothing else, asks for nothing else, and proposes nothing else.</p>` : html`<ul class="plain">${lines.map(([kind, line, reason]) => html`<li><${Badge} kind=${kinds[kind]}>${kind}<//> ${prose(line)}${reason && html` <span class="muted">${reason}</span>`}</li>`)}</ul>${lines.some(([kind]) => kind === 'more') && html`<p class="muted">A step that runs ${was.version} goes on as it is; this version gets what you grant its step, and no more.</p>`}`}</div>`;
}

function One({ reference }) {
  const load = useLoad(async (signal) => {
    const [report, plugins, chains] = await Promise.all([api.get(`/plugins/${encodeURIComponent(reference)}`, null, signal), api.get('/plugins', null, signal), api.get('/chains', null, signal)]);
    const versions = plugins.items.filter((one) => one.name === report.plugin.name);
    return { report, versions, card: versions.find((one) => one.digest === report.digest), chains: chains.items };
  }, [reference]);
  const [removing, setRemoving] = useState(false);
  const back = { href: '#/plugins', label: 'Plugins' };
  if (!load.data) return load.error ? html`<${Page} title="Plugin" back=${back}><${Refusal} error=${load.error} again=${load.again} /><//>` : html`<${Loading} />`;
  const { report, versions, card, chains } = load.data;
  const about = report.plugin;
  const users = (card?.used_by ?? []).map((user) => ({ ...user, health: chains.find((chain) => chain.name === user.chain)?.steps.find((step) => step.name === user.step)?.health }));
  const own = card && card.by !== 'signalbox';
  return html`<${Page} title=${`${about.name} ${about.version}`} back=${back} lead=${about.summary} actions=${own && api.may('delete', '/plugins/{reference}') && html`<button class="danger" onClick=${() => setRemoving(true)}>Remove…</button>`}>
    <div class="columns"><div class="main-column">
      <div class="figures"><div class="figure"><b>${about.cost ? micros(about.cost.fresh_micros) : '–'}</b><span class="muted">median per event</span></div><div class="figure"><b>${bytes(report.bytes)}</b><span class="muted">uploaded</span></div><div class="figure"><b>${bytes(about.memory_bytes)}</b><span class="muted">memory</span></div><div class="figure"><b>${number(Math.round((about.peak.fuel / about.peak.fuel_limit) * 1000) / 10)} %</b><span class="muted">of its fuel, at most</span></div></div>
      <${Card} title="What it can reach"><ul class="plain">${about.permissions.map((one) => html`<li>It can ${one}.</li>`)}${!about.permissions.length && html`<li>Nothing but the event it is given.</li>`}</ul>${about.requests.length > 0 && html`<h3>It asks for</h3><ul class="plain">${about.requests.map((one) => html`<li>${grant(one.grant)} <span class="muted">${one.reason}</span></li>`)}</ul><p class="muted">Granted per step, on the page Chain.</p>`}<//>
      <${Card} title="The gate"><${Checks} report=${report} /><//>
      <${Card} title="Its own examples" aside=${html`<span class="muted">${plural(about.examples.length, 'test')}</span>`}>${about.examples.length === 0 ? html`<p class="muted">It brings none.</p>` : html`<ul class="checks">${about.examples.map((one) => html`<li><span class=${one.fault ? 'bad' : 'good'}><${Icon} name=${one.fault ? 'close' : 'check'} /></span><span>${one.name}${one.fault && html`: <span class="error">${one.fault}</span>`}</span></li>`)}</ul>`}<//>
      <${Card} title="Config schema"><details><summary>As JSON</summary><${Json} of=${about.config_schema} /></details><//></div>
    <div class="side-column">
      <${Card} title="In use">${users.length === 0 ? html`<p class="muted">No live step uses it. <a href="#/chain">Add it to a chain</a>.</p>` : html`<ul class="plain">${users.map((user) => html`<li class="row"><a href=${`#/chain/${encodeURIComponent(user.chain)}/${encodeURIComponent(user.step)}`}>${user.step}</a><span class="right">${user.health?.state === 'quarantined' ? html`<${Badge} kind="bad">quarantined<//>` : html`<${Badge} kind="good">well<//>`}</span></li>`)}</ul>`}<//>
      <${Card} title="Versions"><ul class="plain">${versions.map((one) => html`<li class="row">${one.digest === report.digest ? html`<b>${one.version}</b>` : html`<a href=${`#/plugins/${one.digest}`}>${one.version}</a>`}<span class="muted right">${one.uploaded ? html`<${Time} at=${one.uploaded} />` : 'comes with Signalbox'}</span></li>`)}</ul>${versions.length > 1 && html`<${Other} versions=${versions} report=${report} />`}<//>
      <${Card} title="For reference"><dl class="facts"><div><dt>Digest</dt><dd><code>${report.digest}</code></dd></div><div><dt>Contract</dt><dd>${about.track}</dd></div><div><dt>Shape</dt><dd>${about.door}</dd></div><div><dt>Starts from</dt><dd>${about.starts_from}</dd></div><div><dt>Proposes</dt><dd>${about.effects.map(words).join(', ')}</dd></div><div><dt>Judges</dt><dd>${about.event_kinds.length ? about.event_kinds.map(words).join(', ') : 'every kind of event'}</dd></div><div><dt>Compiled</dt><dd>${bytes(about.artefact_bytes)}, ${number(about.functions)} functions</dd></div></dl><//></div></div>
    ${removing && html`<${Remove} card=${card} onClose=${() => setRemoving(false)} />`}<//>`;
}

function Other({ versions, report }) {
  const [digest, setDigest] = useState('');
  const load = useLoad((signal) => (digest ? api.get(`/plugins/${digest}`, null, signal) : Promise.resolve(null)), [digest]);
  return html`<label class="unseen" for="against">Compare with</label><select id="against" value=${digest} onChange=${(event) => setDigest(event.target.value)}><option value="">Compare with…</option>${versions.filter((one) => one.digest !== report.digest).map((one) => html`<option value=${one.digest}>${one.version}</option>`)}</select>${digest && load.data?.plugin && html`<${Upgrade} was=${load.data.plugin} is=${report.plugin} />`}`;
}

function Remove({ card, onClose }) {
  const act = async (reason) => { await api.remove(`/plugins/${card.digest}`, { reason }); tell(`${card.name} ${card.version} is removed`); location.hash = '#/plugins'; };
  return html`<${Sure} title=${`Remove ${card.name} ${card.version}`} verb="Remove" act=${act} onClose=${onClose}><p>A rollback to a generation that used it is refused until the same bytes are uploaded again.</p><//>`;
}
