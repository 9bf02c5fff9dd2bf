// Alerts and clocks: who was told of what, in how many tries and what they answered, who is on call, and which promises run out.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { Host, browser, watched } from './harness.mjs';

// One sink takes everything, one refuses until it is mended, one is not there at all.
const config = (port) => `
[sources.demo]
preset = "demo"
max_per_second = 100000
[sources.zammad]
preset = "zammad"
secrets = ["file:zammad.secret"]
${[['pager', port, '/page'], ['broken', port, '/broken'], ['gone', 9, '/']].map(([name, at, path]) => `
[alerts.${name}]
url = "http://127.0.0.1:${at}${path}"
secret = "file:desk.secret"
allow_private = ["127.0.0.0/8"]
audiences = ["security"]
`).join('')}
[[steps]]
plugin = "escalate"
[[steps.config.routes]]
id = "law"
when = { kinds = ["review"] }
then = { queue = "Legal", priority = "low", alert = { audience = "legal", level = "normal" } }
[[steps.config.routes]]
id = "fire"
then = { queue = "Desk", priority = "low", alert = { audience = "security", level = "high" }, sla = [{ clock = "first_response", target_seconds = 1 }, { clock = "resolution", target_seconds = 86400 }] }
`;

let host;
let chrome;
let desk;
let mended = false;
const told = [];
before(async () => {
  desk = createServer((request, response) => {
    request.resume().on('end', () => {
      told.push(request.url);
      const well = request.url === '/page' || mended;
      response.writeHead(well ? 204 : 422).end(well ? undefined : 'there is no channel #alarms');
    });
  });
  await new Promise((ready) => desk.listen(0, '127.0.0.1', ready));
  host = await Host.start(config(desk.address().port));
  chrome = await browser();
});
after(async () => { await chrome?.close(); await host?.stop(); desk?.close(); });

test('alerts: nothing, and how there would be something', async () => {
  const page = await watched(chrome, host);
  await page.go('alerts');
  await page.getByText('Nothing was raised yet').waitFor();
  await page.getByRole('heading', { name: 'Sinks' }).waitFor();
  await page.axe();
  await page.getByRole('link', { name: 'Clocks', exact: true }).click();
  await page.getByText('No clock was started yet').waitFor();
  await page.axe();
  await page.done();
});

test('alerts: who was told, in how many tries, what they answered, and it is sent again', async () => {
  await host.api('/tables/on-call', { method: 'PUT', body: { schema: null } });
  await host.api('/tables/on-call/rows/security', { method: 'PUT', body: { name: 'Ann Lee', phone: '+47 22 00 00 01' } });
  await host.post('alert-1', 'Where is the form for a new badge?', { thread_id: 'badge' });
  await host.post('alert-2', 'And where do I send it?', { thread_id: 'badge' });
  await host.post('alert-3', 'Two stars of five', { kind: 'review' });
  await host.until('/deliveries?target=alerts.broken&state=parked', ({ items }) => items.length === 1);
  await host.until('/deliveries?target=alerts.pager&state=delivered', ({ items }) => items.length === 1);
  await host.until('/targets', (targets) => targets['alerts.gone']?.health?.failures > 0);
  const page = await watched(chrome, host);
  await page.go('alerts');
  const rows = page.locator('.wait');
  await rows.nth(1).waitFor();
  // The newest stands first: nobody hears what is for legal, and that is said.
  assert.match(await rows.nth(0).textContent(), /legal.*nobody heard it/);
  await page.getByText('No sink hears what is normal for legal').waitFor();
  assert.match((await rows.nth(1).textContent()).replace(/\s+/g, ' '), /high security and \d+ repeats?.*broken: sent gone: sent pager: sent/);
  await page.getByText('gone cannot be told.').waitFor();
  await page.axe();
  await rows.nth(1).click();
  await page.getByText('Ann Lee').waitFor();
  const call = (name) => page.locator('.side-column li', { has: page.getByRole('link', { name, exact: true }) }).first();
  assert.match((await call('pager').textContent()).replace(/\s+/g, ' '), /pager delivered ?1 try/);
  assert.match((await call('broken').textContent()).replace(/\s+/g, ' '), /broken parked ?1 try.*422 there is no channel #alarms/);
  assert.match((await call('gone').textContent()).replace(/\s+/g, ' '), /gone (waiting|sending)/);
  await page.axe();
  await page.shot('alerts');
  mended = true;
  await call('broken').getByRole('button', { name: 'Send again' }).click();
  await page.getByText('It is on its way again').waitFor();
  await host.until('/deliveries?target=alerts.broken&state=delivered', ({ items }) => items.length === 1);
  assert.equal(told.filter((url) => url === '/page').length, 1, 'the same again is counted, not told');
  await page.getByLabel('Audience').fill('legal');
  await page.getByLabel('Audience').press('Enter');
  await page.waitForFunction(() => document.querySelectorAll('.wait').length === 1);
  await page.getByLabel('Ticket').fill('nothing like it');
  await page.getByLabel('Ticket').press('Enter');
  await page.getByText('Nothing fits these filters').waitFor();
  await page.done();
});

test('clocks: a promise that runs out, and the decision that it led to', async () => {
  await host.tell(201, 'I was charged twice for my order');
  await host.until('/clocks?ticket=201&state=breached', ({ items }) => items[0]?.breach_decision);
  const page = await watched(chrome, host);
  await page.go('alerts/clocks');
  const row = page.getByRole('row', { name: /ticket 201.*First response/ });
  await row.getByText('breached').waitFor();
  await page.getByRole('row', { name: /ticket 201.*Resolution/ }).getByText('running').waitFor();
  await page.axe();
  await page.shot('clocks');
  await page.getByLabel('Any state').selectOption('running');
  await row.waitFor({ state: 'detached' });
  await page.getByLabel('Any state').selectOption('breached');
  await row.waitFor();
  await row.getByRole('link').last().click();
  await page.getByText('the first response was not kept').first().waitFor();
  await page.getByRole('link', { name: 'its clocks' }).click();
  await page.getByRole('row', { name: /ticket 201.*Resolution/ }).waitFor();
  await page.done();
});

test('both pages fit the smallest and the largest window, in both colours', async () => {
  for (const [width, theme] of [[360, 'dark'], [768, 'light'], [2560, 'dark']]) {
    const page = await watched(chrome, host, { width, theme });
    for (const hash of ['alerts', 'alerts/clocks']) {
      await page.go(hash);
      await page.locator('.wait, table.rows').first().waitFor();
      await page.narrow();
      await page.axe();
    }
    await page.done();
  }
});
