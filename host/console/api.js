// The one way to the host: the public `/v1` API with the token of whoever sits here. Every refusal becomes a `Problem` with the host's
// own sentence. The token stays in this tab (sessionStorage) and is sent to this very origin only.

const KEY = 'signalbox-token';
let token = read();
let routes = {};
let role = 'viewer';
let onRefused = () => {};

const ROLES = ['viewer', 'operator', 'developer', 'admin'];

function read() {
  try { return sessionStorage.getItem(KEY) || ''; } catch { return ''; }
}

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `the host answered ${status}`);
    Object.assign(this, { status, code: (body.type || '').split(':').pop(), pointer: body.pointer, problems: body.problems || [], report: body.report, revision: body.revision, needs: body.needs });
  }
}

export const signedIn = () => token !== '';
export const whenRefused = (then) => { onRefused = then; };

export function setToken(value) {
  token = value;
  try { if (value) sessionStorage.setItem(KEY, value); else sessionStorage.removeItem(KEY); } catch { /* Kept in memory only. */ }
}

// Who this is, and what the host can do: pages and buttons follow from these two.
export async function meet() {
  const [whoami, document, about] = await Promise.all([get('/whoami'), get('/../openapi.json'), get('/about')]);
  routes = document.paths;
  role = whoami.role;
  return { ...whoami, about };
}

const operation = (verb, path) => routes[`/v1${path}`]?.[verb];
export const exists = (verb, path) => operation(verb, path) !== undefined;
export const needs = (verb, path) => operation(verb, path)?.['x-least-role'] ?? 'admin';
export const may = (verb, path) => exists(verb, path) && ROLES.indexOf(role) >= ROLES.indexOf(needs(verb, path));

function address(path, query) {
  const pairs = Object.entries(query || {}).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(pairs).toString();
  return new URL(`v1${path}${text && `?${text}`}`, location.origin + '/').pathname + (text && `?${text}`);
}

// A header holds bytes: what is not ASCII goes as UTF-8, which is what the host reads.
const bytes = (text) => String.fromCharCode(...new TextEncoder().encode(text));

function headers(more, reason) {
  const all = { authorization: `Bearer ${token}`, ...more };
  if (reason?.why) all['signalbox-why'] = bytes(reason.why);
  if (reason?.change) all['signalbox-change'] = bytes(reason.change);
  return all;
}

async function refused(response) {
  const text = await response.text();
  let body = {};
  try { body = JSON.parse(text); } catch { body = { detail: text.trim() }; }
  const problem = new Problem(response.status, body);
  if (problem.status === 401) onRefused(problem);
  return problem;
}

async function send(method, path, { query, body, type, reason, match, signal } = {}) {
  const more = {};
  if (body !== undefined) more['content-type'] = type || 'application/json';
  if (match !== undefined) more['if-match'] = `"${match}"`;
  let response;
  try {
    response = await fetch(address(path, query), { method, headers: headers(more, reason), body: body === undefined ? undefined : type ? body : JSON.stringify(body), signal, redirect: 'error', credentials: 'omit' });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, { detail: 'the host does not answer; is it running, and is the way to it open?' });
  }
  if (!response.ok) throw await refused(response);
  return response;
}

const json = async (response) => (response.status === 204 ? null : response.json());
export const get = async (path, query, signal) => json(await send('GET', path, { query, signal }));
export const post = async (path, body, more) => json(await send('POST', path, { body, ...more }));
export const put = async (path, body, more) => json(await send('PUT', path, { body, ...more }));
export const remove = async (path, more) => json(await send('DELETE', path, more));
export const text = async (path, query) => (await send('GET', path, { query })).text();
export const metrics = async (signal) => (await send('GET', '/../metrics', { signal })).text();

// A download that needs the token: fetched first, then handed to the browser as a file.
export async function download(path, query, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await (await send('GET', path, { query })).blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// An upload that says how far it is, which fetch cannot.
export function upload(path, file, reason, progress) {
  return new Promise((done, failed) => {
    const call = new XMLHttpRequest();
    call.open('POST', address(path));
    for (const [name, value] of Object.entries(headers({ 'content-type': 'application/wasm' }, reason))) call.setRequestHeader(name, value);
    call.upload.onprogress = (event) => progress(event.lengthComputable ? event.loaded / event.total : 0);
    call.onerror = () => failed(new Problem(0, { detail: 'the upload broke off' }));
    call.onload = () => {
      let body = {};
      try { body = JSON.parse(call.responseText); } catch { /* Said below. */ }
      if (call.status < 300) done({ report: body, known: call.status === 200 });
      else failed(new Problem(call.status, body));
    };
    call.send(file);
  });
}

// Decisions as they happen: server-sent events, read by fetch because EventSource can send no token. It comes back by itself, with the
// place of the last one seen, until `signal` is aborted.
export async function follow(signal, { decided, state }) {
  let last;
  while (!signal.aborted) {
    try {
      const more = last === undefined ? {} : { 'last-event-id': last };
      const response = await fetch(address('/decisions/stream', { trace: false }), { headers: headers(more), signal, credentials: 'omit' });
      if (!response.ok) throw await refused(response);
      state('live');
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const blocks = (rest + value).split('\n\n');
        rest = blocks.pop();
        const found = [];
        for (const block of blocks) {
          const fields = Object.fromEntries(block.split('\n').filter((line) => !line.startsWith(':')).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
          if (fields.id !== undefined) last = fields.id;
          if (fields.event === 'decided') found.push(JSON.parse(fields.data));
        }
        if (found.length) decided(found);
      }
    } catch (error) {
      if (signal.aborted || error.status === 401) return;
    }
    if (!signal.aborted) {
      state('away');
      await new Promise((then) => setTimeout(then, 1500));
    }
  }
}
