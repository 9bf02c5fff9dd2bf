// The console's frame: who is here, where they are, the way between pages. Every page is a module of its own, loaded when it is asked for.
import { render } from './vendor/preact.js';
import * as api from './api.js';
import { words } from './format.js';
import { Dialog, Icon, Loading, Refusal, Toasts, html, useAction, useEffect, useRef, useState } from './ui.js';

// Key: `g` and this letter. A page is there when the host has its route.
const PAGES = [
  { path: 'now', key: 'n', title: 'Now', route: '/decisions', load: () => import('./pages/now.js') },
  { path: 'decisions', key: 'd', title: 'Decisions', route: '/decisions', load: () => import('./pages/decisions.js') },
  { path: 'chain', key: 'c', title: 'Chain', route: '/setup', load: () => import('./pages/chain.js') },
  { path: 'plugins', key: 'p', title: 'Plugins', route: '/plugins', load: () => import('./pages/plugins.js') },
  { path: 'sources', key: 's', title: 'Sources', route: '/sources', load: () => import('./pages/sources.js') },
  { path: 'lookups', key: 'l', title: 'Lookups', route: '/tables', load: () => import('./pages/lookups.js') },
  { path: 'waiting', key: 'w', title: 'Waiting', route: '/approvals', load: () => import('./pages/waiting.js') },
  { path: 'alerts', key: 'a', title: 'Alerts', route: '/alerts', load: () => import('./pages/alerts.js') },
  { path: 'reports', key: 'r', title: 'Reports', route: '/reports/volume', load: () => import('./pages/reports.js') },
  { path: 'people', key: 'u', title: 'People', route: '/tokens', load: () => import('./pages/people.js') },
];

function where() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  return { parts: path.split('/').filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

function SignIn({ told }) {
  const [token, setToken] = useState('');
  const enter = useAction(async () => {
    api.setToken(token.trim());
    try { await told(); } catch (error) { api.setToken(''); throw error; }
  });
  useEffect(() => { document.title = 'Sign in · Signalbox'; }, []);
  return html`<main class="sign-in" id="main"><div class="card">
    <img src=${new URL('icon.svg', import.meta.url).pathname} alt="" width="44" height="44" />
    <h1>Signalbox</h1><p class="lead">What people say to your service desk, judged by rules that you can see.</p>
    <form onSubmit=${(event) => { event.preventDefault(); enter.run(); }}>
      <div class="field"><label for="token">Your token</label><input id="token" type="password" autocomplete="off" autofocus required placeholder="sbx_…" value=${token} onInput=${(event) => setToken(event.target.value)} aria-describedby="token-hint" />
      <p class="hint" id="token-hint">It stays in this tab, and is gone when the tab is closed.</p></div>
      <${Refusal} error=${enter.error} />
      <button class="primary" disabled=${enter.busy}>Sign in</button>
    </form>
    <details open><summary>I have no token</summary>
      <p>Everybody has a token of their own. Ask whoever runs this host for one; they make it on the page <b>People</b>, or with</p>
      <pre class="code"><code>signalbox token create --name "Ann" --role operator</code></pre>
      <p>If you run the host yourself: the first token is in the file <code>admin.token</code> of its data directory.</p>
      <pre class="code"><code>cat signalbox-data/admin.token</code></pre></details></div></main>`;
}

function theme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
  try { localStorage.setItem('signalbox-theme', root.dataset.theme); } catch { /* For this page only. */ }
  dispatchEvent(new Event('signalbox-theme'));
}

function Help({ pages, onClose }) {
  const keys = [...pages.map((page) => [`g ${page.key}`, page.title]), ['/', 'Search or filter'], ['?', 'This help'], ['t', 'Light or dark'], ['Esc', 'Close what is open']];
  return html`<${Dialog} title="Keys" onClose=${onClose}><dl class="keys">${keys.map(([key, what]) => html`<div><dt>${key.split(' ').map((one) => html`<kbd>${one}</kbd> `)}</dt><dd>${what}</dd></div>`)}</dl><//>`;
}

function Frame({ me, leave }) {
  const [place, setPlace] = useState(where());
  const [open, setOpen] = useState(false);
  const [help, setHelp] = useState(false);
  const pages = PAGES.filter((page) => api.exists('get', page.route) || (page.path === 'lookups' && api.exists('get', '/calendars')));
  const page = pages.find((one) => one.path === place.parts[0]);
  useEffect(() => {
    const move = () => { setPlace(where()); setOpen(false); };
    addEventListener('hashchange', move);
    return () => removeEventListener('hashchange', move);
  }, []);
  // Whoever reads with their ears is told of the new page, and the keyboard starts at its top.
  const first = useRef(true);
  const spot = place.parts.join('/');
  useEffect(() => {
    if (first.current) { first.current = false; return; }
    scrollTo(0, 0);
    const timer = setTimeout(() => document.querySelector('main h1')?.focus({ preventScroll: true }), 60);
    return () => clearTimeout(timer);
  }, [spot]);
  useEffect(() => {
    let waiting = false;
    const key = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select, [contenteditable], dialog')) return;
      const going = waiting && pages.find((one) => one.key === event.key);
      waiting = event.key === 'g';
      if (waiting) setTimeout(() => { waiting = false; }, 1500);
      if (going) location.hash = `#/${going.path}`;
      else if (event.key === '?') setHelp(true);
      else if (event.key === 't') theme();
      else if (event.key === '/') { const box = document.querySelector('[data-search]'); if (box) { event.preventDefault(); box.focus(); } }
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, [pages.length]);
  return html`<a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); document.querySelector('#main').focus(); }}>Skip to the page</a>
    <div class="frame">
      <header class="side">
        <div class="brand"><a href="#/now"><img src=${new URL('icon.svg', import.meta.url).pathname} alt="" width="26" height="26" /> <span>Signalbox</span></a>
          <button class="quiet menu" aria-expanded=${open ? 'true' : 'false'} aria-controls="ways" aria-label="Menu" onClick=${() => setOpen(!open)}><${Icon} name=${open ? 'close' : 'menu'} /></button></div>
        <div id="ways" class=${open ? 'ways open' : 'ways'}>
          <nav aria-label="Pages"><ul>${pages.map((one) => html`<li><a href=${`#/${one.path}`} aria-current=${one === page ? 'page' : undefined}><${Icon} name=${one.path} /> ${one.title}</a></li>`)}</ul></nav>
          <div class="me"><p><b>${me.name}</b><span class="muted">${words(me.role)}</span></p>
            <div><button class="quiet" title="Light or dark (t)" aria-label="Light or dark" onClick=${theme}><${Icon} name="theme" /></button><button class="quiet" title="Keys (?)" aria-label="Keys" onClick=${() => setHelp(true)}><${Icon} name="help" /></button><button class="quiet" title="Sign out" aria-label="Sign out" onClick=${leave}><${Icon} name="out" /></button></div></div>
        </div>
      </header>
      <main id="main" tabindex="-1">${page ? html`<${Lazy} key=${page.path} page=${page} place=${place} me=${me} />` : html`<div class="page"><h1 tabindex="-1">There is nothing here</h1><p>This address is no page of the console. <a href="#/now">What is happening now?</a></p></div>`}</main>
    </div>
    <${Toasts} />${help && html`<${Help} pages=${pages} onClose=${() => setHelp(false)} />`}`;
}

function Lazy({ page, ...given }) {
  const [view, setView] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => {
    page.load().then((module) => setView(() => module.default), () => setError(new Error('this page could not be loaded; the host may have been replaced by another version: load the console again')));
  }, [page]);
  if (error) return html`<div class="page"><${Refusal} error=${error} again=${() => location.reload()} /></div>`;
  return view ? html`<${view} ...${given} />` : html`<${Loading} />`;
}

function App() {
  const [me, setMe] = useState(null);
  const [error, setError] = useState(null);
  const [, look] = useState(0);
  const meet = async () => {
    setError(null);
    PAGES.find((page) => page.path === (where().parts[0] ?? 'now'))?.load().catch(() => { /* Said where it is drawn. */ });
    const found = await api.meet();
    if (where().parts.length === 0) history.replaceState(null, '', '#/now');
    setMe(found);
  };
  // Who was refused before they were known is nobody still: that alone would draw nothing.
  const leave = () => { api.setToken(''); setMe(null); look((n) => n + 1); };
  useEffect(() => {
    api.whenRefused(leave);
    if (api.signedIn()) meet().catch((refusal) => { if (refusal.status === 401) leave(); else setError(refusal); });
  }, []);
  if (me) return html`<${Frame} me=${me} leave=${leave} />`;
  if (error) return html`<main class="sign-in"><div class="card"><h1>Signalbox</h1><${Refusal} error=${error} again=${() => meet().catch(setError)} /></div></main>`;
  if (api.signedIn()) return html`<p class="boot"><img src=${new URL('icon.svg', import.meta.url).pathname} alt="" width="26" height="26" /> Signalbox</p>`;
  return html`<${SignIn} told=${meet} />`;
}

const root = document.querySelector('#app');
root.replaceChildren();
render(html`<${App} />`, root);
