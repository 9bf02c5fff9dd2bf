// A form drawn from a JSON Schema: the subset that rules use (objects, lists, choices, texts, numbers, switches). What goes beyond it is
// edited as JSON. Absent means the schema's default, which is shown; only what somebody changed is written. Problems stand at their field.
import { words } from './format.js';
import { Area, Choice, Icon, Notice, Text, html, useState } from './ui.js';

const LONG = 160;

function settled(schema, root) {
  let one = schema ?? {};
  for (let depth = 0; one.$ref && depth < 10; depth++) {
    const { $ref, ...own } = one;
    one = { ...$ref.replace(/^#\//, '').split('/').reduce((of, key) => of?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], root), ...own };
  }
  const other = (one.anyOf ?? one.oneOf)?.filter((choice) => choice.type !== 'null');
  if (other?.length === 1) { const { anyOf, oneOf, ...own } = one; return settled({ ...other[0], ...own }, root); }
  // An enumeration whose words have descriptions of their own.
  if (other?.length && other.every((choice) => choice.const !== undefined || choice.enum)) { const { anyOf, oneOf, ...own } = one; return { type: 'string', enum: other.flatMap((choice) => choice.enum ?? [choice.const]), ...own }; }
  if (Array.isArray(one.type)) one = { ...one, type: one.type.find((type) => type !== 'null') };
  return one;
}

const beneath = (errors, at) => errors.filter((one) => one.pointer === at || one.pointer.startsWith(`${at}/`));
const told = (errors, at) => beneath(errors, at).map((one) => one.message.replace(/^(step `[^`]*`: )?config\S*: /, '')).join('; ') || undefined;
const titled = (schema, key) => schema.title ?? (words(key).charAt(0).toUpperCase() + words(key).slice(1));
const strings = (schema, root) => schema.type === 'array' && settled(schema.items, root).type === 'string';

// `value` may be undefined: the defaults. `onChange` gets undefined when nothing is left.
export function Schema({ schema, value, onChange, errors = [], root = schema }) {
  const one = settled(schema, root);
  const lost = errors.filter((error) => error.pointer === '' || error.pointer === '/');
  return html`<div class="schema">${lost.length > 0 && html`<${Notice} kind="bad">${lost.map((error) => html`<p>${error.message}</p>`)}<//>`}<${Any} ...${{ schema: one, value, onChange, errors, root, at: '', top: true }} /></div>`;
}

function Any(given) {
  const { schema, root } = given;
  if (schema.type === 'object' && schema.properties) return html`<${Fields} ...${given} />`;
  if (schema.enum && schema.enum.every((one) => typeof one === 'string')) return html`<${Pick} ...${given} />`;
  if (schema.type === 'boolean') return html`<${Switch} ...${given} />`;
  if (schema.type === 'integer' || schema.type === 'number') return html`<${Figure} ...${given} />`;
  if (schema.type === 'string') return html`<${Words} ...${given} />`;
  if (strings(schema, root)) return settled(schema.items, root).enum ? html`<${Picks} ...${given} />` : html`<${Lines} ...${given} />`;
  if (schema.type === 'array' && settled(schema.items, root).properties) return html`<${Items} ...${given} />`;
  return html`<${Raw} ...${given} />`;
}

function without(object, key) {
  const { [key]: _, ...rest } = object ?? {};
  return Object.keys(rest).length ? rest : undefined;
}

function Fields({ schema, value, onChange, errors, root, at, top, name }) {
  const body = Object.entries(schema.properties).map(([key, raw]) => {
    const one = settled(raw, root);
    const inner = { ...one, description: raw.description ?? one.description, title: raw.title ?? one.title, default: one.default ?? schema.default?.[key] };
    return html`<${Any} key=${key} schema=${inner} name=${key} root=${root} errors=${errors} at=${`${at}/${key}`} value=${value?.[key]} onChange=${(next) => onChange(next === undefined ? without(value, key) : { ...value, [key]: next })} required=${schema.required?.includes(key)} />`;
  });
  if (top) return body;
  const wrong = told(errors.filter((error) => error.pointer === at), at);
  return html`<fieldset class="group"><legend>${titled(schema, name)}</legend>${schema.description && html`<p class="hint">${schema.description}</p>`}${wrong && html`<p class="error">${wrong}</p>`}${body}</fieldset>`;
}

// The default, and the way back to it.
function hint({ schema, value, onChange, required }, shown) {
  return html`${schema.description ?? ''}${value !== undefined && !required && schema.default !== undefined && html` <button type="button" class="link" onClick=${() => onChange(undefined)}>Back to the default</button>`}${value === undefined && shown && html` <span>Default.</span>`}`;
}

const common = (given) => ({ label: titled(given.schema, given.name), error: told(given.errors, given.at), hint: hint(given) });
const Pick = (given) => html`<${Choice} ...${common(given)} value=${given.value ?? given.schema.default ?? ''} onInput=${(next) => given.onChange(next === '' ? undefined : next)} options=${[...(given.required || given.schema.default !== undefined ? [] : [['', 'not set']]), ...given.schema.enum.map((one) => [one, words(one)])]} />`;

function Switch(given) {
  const { schema, value, onChange, errors, at, name } = given;
  if (schema.default === undefined && !given.required) return html`<${Choice} ...${common(given)} value=${value === undefined ? '' : String(value)} onInput=${(next) => onChange(next === '' ? undefined : next === 'true')} options=${[['', 'not set'], ['true', 'yes'], ['false', 'no']]} />`;
  return html`<div class="field"><label class="check"><input type="checkbox" checked=${value ?? schema.default ?? false} onChange=${(event) => onChange(event.target.checked)} /><span>${titled(schema, name)}</span></label>${(schema.description || told(errors, at)) && html`<p class="hint">${told(errors, at) && html`<span class="error">${told(errors, at)}</span> `}${hint(given)}</p>`}</div>`;
}

function Figure(given) {
  const { schema, value, onChange } = given;
  const [typed, setTyped] = useState(null);
  const shown = typed ?? value ?? schema.default ?? '';
  return html`<${Text} ...${common(given)} type="number" step=${schema.type === 'integer' ? 1 : 'any'} min=${schema.minimum} max=${schema.maximum} value=${shown} onInput=${(text) => { setTyped(text); onChange(text === '' ? undefined : Number(text)); }} onBlur=${() => setTyped(null)} />`;
}

function Words(given) {
  const shown = given.value ?? given.schema.default ?? '';
  const put = (text) => given.onChange(text === '' && !given.required ? undefined : text);
  return (given.schema.maxLength ?? 0) > LONG || String(shown).length > LONG ? html`<${Area} ...${common(given)} value=${shown} onInput=${put} />` : html`<${Text} ...${common(given)} value=${shown} maxlength=${given.schema.maxLength} onInput=${put} />`;
}

// A list of words: one a line, which is how they are pasted.
function Lines(given) {
  const { value, schema, onChange } = given;
  const list = value ?? schema.default ?? [];
  const [typed, setTyped] = useState(null);
  const more = common(given);
  return html`<${Area} ...${more} hint=${html`One per line. ${more.hint}`} value=${typed ?? list.join('\n')} rows=${Math.min(10, Math.max(2, list.length + 1))}
    onInput=${(text) => { setTyped(text); onChange(text.split('\n').map((line) => line.trim()).filter(Boolean)); }} onBlur=${() => setTyped(null)} />`;
}

function Picks(given) {
  const { schema, value, onChange, errors, at, name, root } = given;
  const chosen = value ?? schema.default ?? [];
  const flip = (word, on) => onChange(on ? [...chosen, word] : chosen.filter((one) => one !== word));
  return html`<fieldset class="group"><legend>${titled(schema, name)}</legend><p class="hint">${told(errors, at) && html`<span class="error">${told(errors, at)}</span> `}${hint(given)}</p><div class="row">${settled(schema.items, root).enum.map((word) => html`<label class="check"><input type="checkbox" checked=${chosen.includes(word)} onChange=${(event) => flip(word, event.target.checked)} /><span>${words(word)}</span></label>`)}</div></fieldset>`;
}

const naming = (item, at) => item?.label ?? item?.id ?? item?.key ?? item?.name ?? `${at + 1}`;

// A list of things: closed until one is wanted, since a routing table has hundreds.
function Items(given) {
  const { schema, value, onChange, errors, at, name, root } = given;
  const list = value ?? (Array.isArray(schema.default) ? schema.default : []);
  const [open, setOpen] = useState(new Set());
  const inner = settled(schema.items, root);
  const show = (index, on) => setOpen((before) => { const next = new Set(before); if (on) next.add(index); else next.delete(index); return next; });
  const set = (index, next) => onChange(list.map((one, i) => (i === index ? next ?? {} : one)));
  const move = (index, by) => { const next = [...list]; const [one] = next.splice(index, 1); next.splice(index + by, 0, one); setOpen(new Set()); onChange(next); };
  return html`<fieldset class="group"><legend>${titled(schema, name)}</legend><p class="hint">${told(errors.filter((error) => error.pointer === at), at) && html`<span class="error">${told(errors, at)}</span> `}${hint(given)}</p>
    ${list.map((item, index) => {
      const wrong = beneath(errors, `${at}/${index}`).length > 0;
      return html`<div class="item" key=${index}><div class="item-head"><button type="button" class="link" aria-expanded=${open.has(index) || wrong ? 'true' : 'false'} onClick=${() => show(index, !open.has(index))}>${naming(item, index)}</button>${wrong && html`<span class="error">something is wrong in here</span>`}
        <span><button type="button" class="quiet" aria-label=${`Move ${naming(item, index)} up`} disabled=${index === 0} onClick=${() => move(index, -1)}><${Icon} name="up" /></button><button type="button" class="quiet" aria-label=${`Move ${naming(item, index)} down`} disabled=${index === list.length - 1} onClick=${() => move(index, 1)}><${Icon} name="down" /></button><button type="button" class="quiet" aria-label=${`Remove ${naming(item, index)}`} onClick=${() => { setOpen(new Set()); onChange(list.filter((_, i) => i !== index)); }}><${Icon} name="close" /></button></span></div>
        ${(open.has(index) || wrong) && html`<${Fields} schema=${inner} value=${item} onChange=${(next) => set(index, next)} errors=${errors} root=${root} at=${`${at}/${index}`} top=${true} />`}</div>`;
    })}
    <div><button type="button" onClick=${() => { onChange([...list, {}]); show(list.length, true); }}><${Icon} name="plus" /> Add</button></div></fieldset>`;
}

// What this form has no field for.
export function Raw(given) {
  const { schema, value, onChange } = given;
  const [typed, setTyped] = useState(null);
  const [wrong, setWrong] = useState(null);
  const shown = value === undefined ? schema.default : value;
  const put = (text) => {
    setTyped(text);
    try { onChange(text.trim() === '' ? undefined : JSON.parse(text)); setWrong(null); } catch (error) { setWrong(`this is not JSON yet: ${error.message}`); }
  };
  const more = common(given);
  return html`<${Area} ...${more} error=${wrong ?? more.error} hint=${html`As JSON. ${more.hint}`} value=${typed ?? (shown === undefined ? '' : JSON.stringify(shown, null, 2))} rows="6" onInput=${put} />`;
}
