// A new source from a preset: what to click in the desk, what to write into the host's config, and a call tried before either.
import * as api from '../api.js';
import { Badge, Card, Code, Loading, Page, Refusal, Text, html, prose, sentence, tell, useLoad, useState } from '../ui.js';
import { Try } from './sources.js';

export const Connect = ({ preset }) => (preset ? html`<${Begin} preset=${preset} />` : html`<${Presets} />`);

function Presets() {
  const load = useLoad((signal) => api.get('/presets', null, signal), []);
  return html`<${Page} title="New source" back=${{ href: '#/sources', label: 'Sources' }} lead="Which desk is it? A preset knows how it signs, and what its fields mean."><${Refusal} error=${load.error} again=${load.again} />${!load.data && load.busy && html`<${Loading} />`}
    <div class="grid">${(load.data?.items ?? []).map((one) => html`<${Card} title=${html`<a href=${`#/sources/connect/${encodeURIComponent(one.name)}`}>${one.name}</a>`} aside=${html`<${Badge}>${one.system}<//>`}><p class="muted cut">${prose(one.description)}</p><//>`)}</div><//>`;
}

function Begin({ preset }) {
  const [name, setName] = useState(preset);
  const fits = /^[a-z0-9_-]{1,64}$/.test(name);
  const load = useLoad((signal) => api.get(`/presets/${encodeURIComponent(preset)}`, { source: fits ? name : undefined }, signal), [preset, fits && name]);
  const back = { href: '#/sources/connect', label: 'Presets' };
  if (!load.data) return load.error ? html`<${Page} title=${preset} back=${back}><${Refusal} error=${load.error} again=${load.again} /><//>` : html`<${Loading} />`;
  const { system, description, config, body } = load.data;
  return html`<${Page} title=${`New source: ${preset}`} back=${back} lead=${system}><${Refusal} error=${load.error} />
    <div class="columns even"><${Card} title="1. In the desk"><p>${prose(sentence(description))}</p>${body && html`<details><summary>A body to paste, that is the whole event</summary><${Copied} text=${body} what="The body" /></details>`}<//>
    <${Card} title="2. In the host's config"><${Text} label="Name of the source" hint="The last piece of its address, and its name everywhere here." value=${name} onInput=${setName} maxlength="64" error=${fits ? undefined : '1 to 64 lower-case letters, digits, `-` and `_`'} />
      <${Copied} text=${config} what="The source" /><p class="muted">Secrets are read from files or the environment of the host, never from here. Start the host again with it; decisions go back to the desk only with an <code>outbound</code> part, and <code>mode = "note-only"</code> is the safe first week.</p><//></div>
    <h2>3. Try a call that your desk has logged</h2><${Try} of="presets" name=${preset} /><//>`;
}

const Copied = ({ text, what }) => html`<${Code}>${text}<//><div><button onClick=${() => navigator.clipboard.writeText(text).then(() => tell(`${what} is copied`), () => tell('Select it and copy it by hand', 'bad'))}>Copy</button></div>`;
