// Starts a real host with a directory of its own and a real browser, and watches every page: no error on its console, no breach of its
// policy, no request to anywhere else. What a test does, it does as a person would: by what is written on the page.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const ROOT = new URL('../..', import.meta.url).pathname;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const START_MS = 120_000;
const SECRET = 'the token of the zammad webhook';
const CONFIG = `
[sources.demo]
preset = "demo"
max_per_second = 100000
[sources.zammad]
preset = "zammad"
secrets = ["file:zammad.secret"]
own_user = "rules@example.com"
[sources.zammad.outbound]
base = "http://127.0.0.1:9"
secret = "file:api.secret"
mode = "note-only"
allow_private = ["127.0.0.0/8"]
`;
const SAID = [
  ['@ann', 'Ann Lee', 12000, 'mastodon', 'mention', '@acme the VPN has been down since 9am — nobody in the office can work. Unacceptable! 😡'],
  ['@bob', 'Bob Marsh', 140, 'x', 'mention', 'How do I order a headset?'], ['@chen', 'Chen Wei', 3200, 'telegram', 'dm', 'Payroll is offline since noon, 40 people are waiting'],
  ['@dora', 'Dora Kis', 15, 'facebook', 'comment', 'Thank you so much, the new laptop was ready in an hour!'], ['@eli', 'Eli Roth', 880, 'email', 'message', 'I clicked on a link in a mail that asked for my password. What now?'],
  ['@fay', 'Fay Noor', 61, 'instagram', 'comment', 'My invoice is wrong again, third time this month. I will cancel.'], ['@gus', 'Gus Olsen', 9, 'telegram', 'dm', 'Der Drucker im 3. Stock druckt nicht, seit heute Morgen'],
  ['@hal', 'Hal Ito', 450, 'x', 'mention', 'Printer on floor 3 is offline again'], ['@ida', 'Ida Berg', 77, 'facebook', 'comment', 'Love the new portal ❤️ great work team'],
  ['@mallory', '<b>Mallory</b>', 3, 'x', 'mention', '<script>alert(1)</script><img src=x onerror=alert(2)> is my ticket broken?'],
];

export class Host {
  // With `decisions`, so many are in its journal before it starts, of the ninety days up to now: written by the benchmark's generator.
  static async start(config = CONFIG, decisions = 0) {
    const host = new Host();
    host.dir = mkdtempSync(join(tmpdir(), 'signalbox-browser-'));
    if (decisions) {
      mkdirSync(join(host.dir, 'data'), { mode: 0o700 });
      execFileSync('cargo', ['test', '--locked', '--quiet', '--manifest-path', join(ROOT, 'Cargo.toml'), '-p', 'signalbox', '--bench', 'reports', '--', '--fill', join(host.dir, 'data'), String(decisions), String(Date.now())], { stdio: ['ignore', 'inherit', 'inherit'] });
    }
    writeFileSync(join(host.dir, 'signalbox.toml'), config);
    writeFileSync(join(host.dir, 'zammad.secret'), SECRET);
    writeFileSync(join(host.dir, 'api.secret'), 'no secret');
    writeFileSync(join(host.dir, 'desk.secret'), `whsec_${Buffer.from('the key of the desk, 32 bytes ok').toString('base64')}`);
    host.process = spawn(process.env.SIGNALBOX, ['serve', '--config', 'signalbox.toml', '--data', 'data', '--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'], { cwd: host.dir, stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    let log = '';
    host.process.stderr.on('data', (part) => { log += part; });
    await new Promise((ready, failed) => {
      const timer = setTimeout(() => failed(new Error(`no host after ${START_MS} ms: ${log}`)), START_MS);
      host.process.on('exit', (code) => failed(new Error(`the host ended with ${code}: ${log}`)));
      host.process.stdout.on('data', (part) => { told += part; if (/ {2}console http:\S+/.test(told) && told.includes('Try it')) { clearTimeout(timer); ready(); } });
    });
    host.console = / {2}console (http:\S+)/.exec(told)[1];
    host.hooks = / {2}hook {4}(http:\S+)\/demo/.exec(told)[1];
    host.token = readFileSync(join(host.dir, 'data/admin.token'), 'utf8').trim();
    return host;
  }

  async stop() {
    this.process.removeAllListeners('exit');
    const ended = new Promise((then) => this.process.on('exit', then));
    this.process.kill('SIGTERM');
    await ended;
    rmSync(this.dir, { recursive: true, force: true });
  }

  async post(id, text, more = {}) {
    const response = await fetch(`${this.hooks}/demo`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ id, text, ...more }) });
    assert.equal(response.status, 200);
    return response.json();
  }

  async seed() {
    for (const [at, [handle, name, followers, network, kind, text]] of SAID.entries()) await this.post(`seed-${at}`, text, { network, kind, visibility: kind === 'dm' ? 'private' : 'public', author: { handle, name, followers } });
  }

  zammad() {
    const body = readFileSync(join(ROOT, 'tests/fixtures/webhooks/zammad-ticket-default.json'), 'utf8');
    return { body, signature: `sha1=${createHmac('sha1', SECRET).update(body).digest('hex')}` };
  }

  // A message on a ticket of Zammad's, as its webhook tells it.
  async tell(ticket, text, { priority, sender = 'Customer' } = {}) {
    const call = JSON.parse(readFileSync(join(ROOT, 'tests/fixtures/webhooks/zammad-ticket-default.json'), 'utf8'));
    this.told = (this.told ?? 0) + 1;
    call.ticket.id = ticket;
    if (priority) call.ticket.priority = { name: priority };
    Object.assign(call.article, { id: 9000 + this.told, ticket_id: ticket, body: text, sender });
    const body = JSON.stringify(call);
    const headers = { 'content-type': 'application/json', 'x-hub-signature': `sha1=${createHmac('sha1', SECRET).update(body).digest('hex')}` };
    const response = await fetch(`${this.hooks}/zammad`, { method: 'POST', headers, body });
    assert.ok(response.ok, String(response.status));
    // A receipt comes before the decision.
    for (let turn = 0; sender === 'Customer' && turn < 200; turn++) {
      if ((await this.api(`/decisions?ticket_id=${ticket}&trace=false`)).items.some((one) => one.event.text === text)) return;
      await new Promise((then) => setTimeout(then, 25));
    }
    assert.equal(sender, 'Agent', 'a message is decided soon');
  }

  async api(path, { method = 'GET', body } = {}) {
    const headers = { authorization: `Bearer ${this.token}`, ...(body && { 'content-type': 'application/json' }) };
    return (await fetch(new URL(`v1${path}`, this.console), { method, headers, body: body && JSON.stringify(body) })).json();
  }

  // Asks again and again until there is something.
  async until(path, found) {
    for (let turn = 0; turn < 400; turn++) {
      const one = found(await this.api(path));
      if (one) return one;
      await new Promise((then) => setTimeout(then, 50));
    }
    return assert.fail(`waited for ${path}`);
  }
}

// The example rule, built as its own README says.
export function plugin() {
  const wasm = join(ROOT, 'examples/plugins/rust/build/outage-words-rust.wasm');
  if (!existsSync(wasm)) execFileSync(join(ROOT, 'examples/plugins/rust/build.sh'), { stdio: 'inherit' });
  return wasm;
}

// The next version of it: it also reads a table, and may write a note of what it says there.
export function upgraded() {
  plugin();
  const example = join(ROOT, 'examples/plugins/rust');
  // Below the repository, whose toolchain it is built with.
  const dir = mkdtempSync(join(example, 'build/upgrade-'));
  for (const part of ['Cargo.toml', 'build.sh', 'src']) cpSync(join(example, part), join(dir, part), { recursive: true });
  const change = (file, ...pairs) => {
    let text = readFileSync(join(dir, file), 'utf8');
    for (const [was, is] of pairs) { assert.ok(text.includes(was), `${file} says ${was}`); text = text.replace(was, is); }
    writeFileSync(join(dir, file), text);
  };
  change('Cargo.toml', ['version = "0.1.0"', 'version = "0.2.0"'], ['../../../plugins/sdk', join(ROOT, 'plugins/sdk')]);
  change('build.sh', ['CARGO_TARGET_DIR=build/target', `CARGO_TARGET_DIR='${join(example, 'build/target')}'`], ['cp "build/target/', `cp "${join(example, 'build/target')}/`]);
  change('src/lib.rs', ['"set-urgency"],', '"set-urgency", "note"],\n    asks: ["lookup:services": "to know what is down already"],'], ['    effects.map(', '    let row = signalbox_sdk::lookup::row("services", &first.text).ok().flatten();\n    let note = row.and_then(|row| row.text("status").map(str::to_owned)).map(|status| proposal(Effect::Note(status), &reason, 1.0));\n    effects.map('], ['.to_vec().into()\n}', '.into_iter().chain(note).collect::<Vec<_>>().into()\n}']);
  execFileSync(join(dir, 'build.sh'), { stdio: 'inherit' });
  const wasm = readFileSync(join(dir, 'build/outage-words-rust.wasm'));
  rmSync(dir, { recursive: true, force: true });
  return wasm;
}

export const browser = () => chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });

// With CONSOLE=../../host/console the files are those on the disk, under the headers of the host: to work on them without a build each time.
async function fromDisk(page, host) {
  const base = new URL(host.console).origin;
  const serve = async (route, name) => {
    const response = await route.fetch();
    const version = /\/console\/([0-9a-f]+)\//.exec(response.url())?.[1] ?? /\/console\/([0-9a-f]+)\//.exec(await response.text())[1];
    await route.fulfill({ response, body: readFileSync(join(process.env.CONSOLE, name), 'utf8').replaceAll('VERSION', version) });
  };
  await page.route(`${base}/`, (route) => serve(route, 'index.html'));
  await page.route(/\/console\/[0-9a-f]+\//, (route) => serve(route, new URL(route.request().url()).pathname.split('/').slice(3).join('/')));
}

// A page that is watched. `expected` are statuses that the test provokes itself: a browser logs every refusal of a server as an error.
export async function watched(browser, host, { signedIn = true, width = 1280, height = 860, theme = 'light', expected = [] } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: 'en-GB', reducedMotion: 'reduce' });
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => {
    const provoked = expected.some((status) => message.text().includes(`status of ${status}`));
    if (['error', 'warning'].includes(message.type()) && !provoked) faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`script: ${error.stack}`));
  page.on('dialog', (dialog) => { faults.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', (request) => { const { origin, protocol } = new URL(request.url()); if (origin !== new URL(host.console).origin && protocol !== 'blob:' && protocol !== 'data:') faults.push(`asked elsewhere: ${request.url()}`); });
  await page.addInitScript(() => addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)));
  if (process.env.CONSOLE) await fromDisk(page, host);
  if (signedIn) await page.addInitScript((token) => sessionStorage.setItem('signalbox-token', token), host.token);
  page.go = async (hash) => { await page.goto(new URL(`#/${hash}`, host.console).href); await page.locator('main h1').first().waitFor(); };
  // Nothing on the page breaks a rule of WCAG 2.2 AA that a machine can check, nor any that axe calls best practice.
  page.axe = async () => {
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    assert.deepEqual(violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`), []);
  };
  page.well = () => assert.deepEqual(faults, []);
  page.narrow = async () => assert.deepEqual(await page.evaluate(() => (document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.scroll')).slice(0, 5).map((one) => one.outerHTML.slice(0, 200)))), [], `${page.url()} is no wider than its window`);
  // A file is dropped where plugins are.
  page.drop = async (bytes) => {
    const data = await page.evaluateHandle(([wasm]) => { const transfer = new DataTransfer(); transfer.items.add(new File([Uint8Array.from(atob(wasm), (c) => c.charCodeAt(0))], 'outage-words-rust.wasm', { type: 'application/wasm' })); return transfer; }, [bytes.toString('base64')]);
    await page.locator('.drop').dispatchEvent('drop', { dataTransfer: data });
  };
  page.shot = async (name) => {
    if (!process.env.SCREENSHOTS) return;
    mkdirSync(process.env.SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`), animations: 'disabled' });
  };
  page.done = async () => { page.well(); await context.close(); };
  return page;
}
