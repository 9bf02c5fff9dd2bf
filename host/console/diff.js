// What differs, side by side: fields of decisions, and set-ups step by step. The second half is pure.
import { field, value, words } from './format.js';
import { Badge, html } from './ui.js';

export const Differences = ({ was, is, fields }) => html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="rows diff"><thead><tr><th scope="col">Field</th><th scope="col">${was}</th><th scope="col">${is}</th></tr></thead><tbody>${fields.map((one) => html`<tr><th scope="row">${field(one.field)}</th><td><del>${value(one.from)}</del></td><td><ins>${value(one.to)}</ins></td></tr>`)}</tbody></table></div>`;

export const same = (one, other) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
function sorted(of) {
  if (Array.isArray(of)) return of.map(sorted);
  if (of && typeof of === 'object') return Object.fromEntries(Object.keys(of).sort().filter((key) => of[key] !== undefined).map((key) => [key, sorted(of[key])]));
  return of;
}

export const stepName = (step) => step.name || (step.plugin ?? '').split('@')[0] || step.file || 'step';

// Leaves that differ, as JSON Pointers with both sides. Lists count as one leaf.
export function leaves(was, is, at = '') {
  const plain = (of) => of && typeof of === 'object' && !Array.isArray(of);
  if (same(was, is)) return [];
  if (!plain(was) || !plain(is)) return [{ field: at || '/', from: was, to: is }];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((key) => leaves(was[key], is[key], `${at}/${key}`));
}

// What a step is when it does not say.
const DEFAULTS = { mode: 'live', on_fault: 'skip', isolation: 'fresh', quarantine_after: 10 };

// Two set-ups, step by step: what comes, goes, changes and moves.
export function compare(was, is) {
  const found = [];
  for (const chain of [...new Set([...Object.keys(was.chains), ...Object.keys(is.chains)])]) {
    const before = was.chains[chain]?.steps ?? [];
    const after = is.chains[chain]?.steps ?? [];
    if (!was.chains[chain]) found.push({ chain, kind: 'added', step: null });
    if (!is.chains[chain]) found.push({ chain, kind: 'removed', step: null });
    const old = new Map(before.map((step) => [stepName(step), step]));
    const names = new Set(after.map(stepName));
    for (const step of before) if (!names.has(stepName(step))) found.push({ chain, kind: 'removed', step: stepName(step) });
    for (const step of after) {
      const earlier = old.get(stepName(step));
      if (!earlier) found.push({ chain, kind: 'added', step: stepName(step), fields: leaves({}, { ...step, digest: undefined, name: undefined }).flatMap((leaf) => (leaf.field === '/config' ? leaves({}, leaf.to, '/config') : [leaf])) });
      // A pinned digest that stands for the same version is no difference to a person.
      else { const fields = leaves({ ...DEFAULTS, ...earlier, digest: undefined }, { ...DEFAULTS, ...step, digest: undefined }); if (fields.length) found.push({ chain, kind: 'changed', step: stepName(step), fields }); else if (earlier.digest && step.digest && earlier.digest !== step.digest) found.push({ chain, kind: 'changed', step: stepName(step), fields: [{ field: '/digest', from: earlier.digest.slice(0, 12), to: step.digest.slice(0, 12) }] }); }
    }
    const common = (list) => list.map(stepName).filter((name) => old.has(name) && names.has(name));
    if (common(before).join('\n') !== common(after).join('\n')) found.push({ chain, kind: 'moved', step: null, fields: [{ field: '/order', from: before.map(stepName).join(' → '), to: after.map(stepName).join(' → ') }] });
  }
  for (const one of leaves(was.routes ?? {}, is.routes ?? {})) found.push({ chain: 'routes', kind: 'changed', step: null, fields: [one] });
  return found;
}

const KINDS = { added: ['good', 'new'], removed: ['bad', 'gone'], changed: ['info', 'changed'], moved: ['info', 'order'] };
export const Compared = ({ found }) => html`<ul class="compared">${found.map((one) => html`<li><${Badge} kind=${KINDS[one.kind][0]}>${KINDS[one.kind][1]}<//> <b>${one.step ?? one.chain}</b> ${one.step && one.chain !== 'default' && html`<span class="muted">in ${one.chain}</span>`}
  ${(one.fields ?? []).map((leaf) => html`<div class="leaf"><span class="muted">${words(leaf.field.split('/').filter(Boolean).join(' › '))}</span> <${Side} of=${leaf} /></div>`)}</li>`)}</ul>`;

// Of two lists of plain values: what came and what went.
function Side({ of: { from, to } }) {
  const list = (of) => Array.isArray(of) && of.every((one) => typeof one !== 'object');
  if (list(from) && list(to)) return html`${from.filter((one) => !to.includes(one)).map((one) => html`<del>${value(one)}</del> `)}${to.filter((one) => !from.includes(one)).map((one) => html`<ins>${value(one)}</ins> `)}`;
  const cut = (of) => { const text = typeof of === 'object' && of && !list(of) ? JSON.stringify(of) : value(of); return text.length > 240 ? `${text.slice(0, 240)}…` : text; };
  return html`${from !== undefined && html`<del>${cut(from)}</del> `}${to !== undefined ? html`<ins>${cut(to)}</ins>` : html`<ins>nothing</ins>`}`;
}
