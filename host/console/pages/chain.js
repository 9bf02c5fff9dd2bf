// Chain: the steps in order, and the way of a change: draft, check, replay, go live, roll back. One step in full is in step.js.
import * as api from '../api.js';
import { stepName } from '../diff.js';
import { Draft, RollBack, edit, editStep, problemsOf, useDraft } from '../draft.js';
import { plural, words } from '../format.js';
import { Badge, Card, Choice, Dialog, Empty, Icon, Loading, More, Notice, Page, Refusal, Text, Time, html, tell, useList, useLoad, useRef, useState } from '../ui.js';
import { Health } from './now.js';
import Step from './step.js';

export function useLive() {
  const load = useLoad(async (signal) => {
    const [live, chains, plugins, history, sources] = await Promise.all([api.get('/setup', null, signal), api.get('/chains', null, signal), api.get('/plugins', null, signal), api.get('/generations', { limit: 1 }, signal), api.get('/sources', null, signal)]);
    return { ...live, chains: chains.items, plugins: plugins.items, last: history.items[0], sources: sources.items };
  }, []);
  return load;
}

export default function Chain({ place }) {
  const load = useLive();
  const [, chain, step] = place.parts;
  if (!load.data) return load.error ? html`<${Page} title="Chain"><${Refusal} error=${load.error} again=${load.again} /><//>` : html`<${Loading} />`;
  const given = { live: load.data, again: load.again };
  if (chain === 'history') return html`<${History} ...${given} />`;
  if (step) return html`<${Step} key=${`${chain}/${step}`} chain=${chain} name=${step} ...${given} />`;
  return html`<${Steps} chain=${chain} ...${given} />`;
}

export const Tabs = ({ here }) => html`<nav class="tabs" aria-label="Chain"><a href="#/chain" aria-current=${here === 'steps' ? 'page' : undefined}>Steps</a><a href="#/chain/history" aria-current=${here === 'history' ? 'page' : undefined}>History</a></nav>`;

function Steps({ live, again, chain }) {
  const draft = useDraft();
  const setup = draft?.setup ?? live.setup;
  const names = Object.keys(setup.chains);
  const name = names.includes(chain) ? chain : names.includes('default') ? 'default' : names[0];
  const [adding, setAdding] = useState(false);
  const [naming, setNaming] = useState(false);
  const steps = setup.chains[name]?.steps ?? [];
  const may = api.may('put', '/setup');
  return html`<${Page} title="Chain" lead="Every event takes these steps, from top to bottom. Later steps see what earlier ones settled." actions=${may && html`<button onClick=${() => setNaming(true)}>New chain</button><button class="primary" onClick=${() => setAdding(true)}><${Icon} name="plus" /> Add a step</button>`}>
    <${Tabs} here="steps" />
    <div class="columns"><div class="main-column">
      ${names.length > 1 && html`<nav class="tabs" aria-label="Chains">${names.map((one) => html`<a href=${`#/chain/${encodeURIComponent(one)}`} aria-current=${one === name ? 'page' : undefined}>${one}</a>`)}</nav>`}
      ${steps.length === 0 ? html`<${Empty} title="This chain has no steps"><p>Events that take it get the category “other” and nothing else. Add a step, or upload a plugin of your own on the page <a href="#/plugins">Plugins</a>.</p><//>`
    : html`<${Ordered} live=${live} draft=${draft} chain=${name} steps=${steps} may=${may} />`}
      <${Routes} live=${live} setup=${setup} names=${names} may=${may} />
    </div><div class="side-column"><${Draft} live=${live} again=${again} /></div></div>
    ${adding && html`<${Add} live=${live} chain=${name} steps=${steps} onClose=${() => setAdding(false)} />`}
    ${naming && html`<${NewChain} live=${live} names=${names} onClose=${() => setNaming(false)} />`}<//>`;
}

function Ordered({ live, draft, chain, steps, may }) {
  const [over, setOver] = useState(null);
  const dragged = useRef(null);
  const move = (from, to) => {
    if (to < 0 || to >= steps.length || from === to) return;
    edit(live, (setup) => { const list = setup.chains[chain].steps; const [one] = list.splice(from, 1); list.splice(to, 0, one); return setup; });
    tell(`${stepName(steps[from])} is now number ${to + 1} of ${steps.length}`);
    setTimeout(() => document.querySelectorAll('.chain-step')[to]?.focus(), 30);
  };
  return html`<p class="muted">Drag a step to move it, or focus it and press <kbd>Alt</kbd> with <kbd>↑</kbd> or <kbd>↓</kbd>.</p>
  <ol class="chain-steps" aria-label=${`Steps of ${chain}`}>${steps.map((step, at) => {
    const name = stepName(step);
    const running = live.chains.find((one) => one.name === chain)?.steps.find((one) => one.name === name);
    const was = live.setup.chains[chain]?.steps.find((one) => stepName(one) === name);
    const mode = step.mode ?? 'live';
    const wrong = problemsOf(draft, chain, name).length;
    const sick = running?.health.state === 'quarantined';
    const href = `#/chain/${encodeURIComponent(chain)}/${encodeURIComponent(name)}`;
    return html`<li key=${name} class=${`chain-step ${mode} ${over === at ? 'over' : ''} ${sick || wrong ? 'sick' : ''} ${was && JSON.stringify(was) === JSON.stringify(step) ? '' : 'changed'}`} tabindex="0" draggable=${may ? 'true' : 'false'}
      onDragStart=${(event) => { dragged.current = at; event.dataTransfer.effectAllowed = 'move'; event.dataTransfer.setData('text/plain', name); }} onDragOver=${(event) => { if (dragged.current !== null) { event.preventDefault(); setOver(at); } }} onDragEnd=${() => { dragged.current = null; setOver(null); }} onDrop=${(event) => { event.preventDefault(); const from = dragged.current; dragged.current = null; setOver(null); if (from !== null) move(from, at); }}
      onKeyDown=${(event) => { if (may && event.altKey && event.target === event.currentTarget && ['ArrowUp', 'ArrowDown'].includes(event.key)) { event.preventDefault(); move(at, at + (event.key === 'ArrowUp' ? -1 : 1)); } }}>
      <span class="grip" aria-hidden="true"><${Icon} name="grip" /></span><span class="turn">${at + 1}</span>
      <div><a href=${href}><b>${name}</b></a> <span class="muted">${step.plugin ?? step.file ?? ''}</span> ${running && was && mode !== 'off' && html`<${Health} of=${running.health} />`} ${!was && html`<${Badge} kind="good">new<//>`} ${wrong > 0 && html`<${Badge} kind="bad">${plural(wrong, 'problem')}<//>`}
        <p class="muted cut">${condition(step) || running?.summary || ''}</p></div>
      <div class="doing"><select aria-label=${`Mode of ${name}`} value=${mode} disabled=${!may} onChange=${(event) => editStep(live, chain, name, ({ mode: _, ...rest }) => (event.target.value === 'live' ? rest : { ...rest, mode: event.target.value }))}>${[['live', 'live'], ['shadow', 'shadow'], ['off', 'off']].map(([key, text]) => html`<option value=${key} selected=${key === mode}>${text}</option>`)}</select>
        <button class="quiet" aria-label=${`Move ${name} up`} disabled=${!may || at === 0} onClick=${() => move(at, at - 1)}><${Icon} name="up" /></button><button class="quiet" aria-label=${`Move ${name} down`} disabled=${!may || at === steps.length - 1} onClick=${() => move(at, at + 1)}><${Icon} name="down" /></button></div></li>`;
  })}</ol>`;
}

export function condition(step) {
  const say = (of) => Object.entries(of ?? {}).map(([key, one]) => `${words(key)} is ${[one].flat().map(words).join(' or ')}`).join(' and ');
  return [say(step.when) && `Only when ${say(step.when)}.`, say(step.unless) && `Not when ${say(step.unless)}.`].filter(Boolean).join(' ');
}

function Routes({ live, setup, names, may }) {
  if (!live.sources.length) return null;
  return html`<${Card} title="Who takes which chain"><div class="grid">${live.sources.map((source) => html`<${Choice} label=${source.name} hint=${source.system} disabled=${!may} value=${setup.routes?.[source.name] ?? ''} options=${[['', 'default'], ...names.filter((name) => name !== 'default').map((name) => [name, name])]}
    onInput=${(chain) => edit(live, (next) => { const { [source.name]: _, ...routes } = next.routes ?? {}; next.routes = chain ? { ...routes, [source.name]: chain } : routes; if (!Object.keys(next.routes).length) delete next.routes; return next; })} />`)}</div><//>`;
}

function Add({ live, chain, steps, onClose }) {
  const add = (plugin) => {
    let name = plugin.name;
    for (let n = 2; steps.some((step) => stepName(step) === name); n++) name = `${plugin.name}-${n}`;
    edit(live, (setup) => { setup.chains[chain].steps.push({ ...(name === plugin.name ? {} : { name }), plugin: `${plugin.name}@${plugin.version}`, digest: plugin.digest }); return setup; });
    tell(`${name} is in your draft`);
    onClose();
    location.hash = `#/chain/${encodeURIComponent(chain)}/${encodeURIComponent(name)}`;
  };
  return html`<${Dialog} title="Add a step" onClose=${onClose}><p>Which plugin? It comes last; you can move it then.</p><ul class="plain">${live.plugins.map((plugin) => html`<li class="row"><span><b>${plugin.name}</b> <span class="muted">${plugin.version}${plugin.by !== 'signalbox' ? `, by ${plugin.by}` : ''}</span>${plugin.used_by.length > 0 && html`<span class="muted by">in use: ${plugin.used_by.map((one) => one.step).join(', ')}</span>`}</span><button class="right" aria-label=${`Add ${plugin.name} ${plugin.version}`} onClick=${() => add(plugin)}>Add</button></li>`)}</ul><p class="muted">Another one? <a href="#/plugins">Upload it first.</a></p><//>`;
}

function NewChain({ live, names, onClose }) {
  const [name, setName] = useState('');
  const taken = names.includes(name.trim());
  return html`<${Dialog} title="New chain" onClose=${onClose}><p>A chain of its own for some of your sources. It begins as a copy of the default chain.</p><form class="stack" onSubmit=${(event) => { event.preventDefault(); edit(live, (setup) => { setup.chains[name.trim()] = structuredClone(setup.chains.default ?? { steps: [] }); return setup; }); location.hash = `#/chain/${encodeURIComponent(name.trim())}`; onClose(); }}><${Text} label="Name" value=${name} onInput=${setName} error=${taken ? 'there is a chain with this name' : undefined} required /><div class="row"><button class="primary" disabled=${taken || !name.trim()}>Add to the draft</button></div></form><//>`;
}

const ACTIONS = { config: 'from the config file', apply: 'went live', rollback: 'rolled back to' };

function History({ live, again }) {
  const list = useList((cursor) => api.get('/generations', { limit: 50, cursor }), [live.revision]);
  const [to, setTo] = useState(null);
  const may = api.may('post', '/generations/{id}/rollback');
  return html`<${Page} title="Chain" lead="What was live when, who put it there, and why."><${Tabs} here="history" /><${Refusal} error=${list.error} again=${list.again} />
    ${list.items?.length === 1 && html`<${Notice}><p>Only the beginning so far. Every change that goes live is listed here, and any of them can be brought back.</p><//>`}
    <div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="rows"><thead><tr><th scope="col" class="num">Revision</th><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">Why</th><th scope="col">Ticket</th><th scope="col"><span class="unseen">Action</span></th></tr></thead><tbody>${(list.items ?? []).map((one) => html`<tr key=${one.revision}><td class="num">${one.revision}</td><td class="when"><${Time} at=${one.at} exact /></td><td>${one.by}</td><td>${ACTIONS[one.action] ?? one.action} <code>${one.generation}</code></td><td>${one.why ?? html`<span class="muted">not said</span>`}</td><td>${one.change}</td>
      <td>${one.generation === live.generation ? html`<${Badge} kind="good">live<//>` : may && html`<button onClick=${() => setTo(one.generation)} aria-label=${`Roll back to ${one.generation}`}>Roll back…</button>`}</td></tr>`)}</tbody></table></div><${More} list=${list} />
    ${to && html`<${RollBack} live=${live} to=${to} onClose=${() => setTo(null)} again=${again} />`}<//>`;
}
