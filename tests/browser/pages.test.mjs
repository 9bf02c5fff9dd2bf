// Each page's main job, at the widths and in the colours that people have.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Host, browser, watched } from './harness.mjs';

let host;
let chrome;
before(async () => { host = await Host.start(); await host.seed(); chrome = await browser(); });
after(async () => { await chrome?.close(); await host?.stop(); });

test('now: what comes in, what becomes of it, and what is not well', async () => {
  const page = await watched(chrome, host);
  await page.go('now');
  await page.getByText('live', { exact: true }).first().waitFor();
  await page.locator('.figure', { hasText: 'decisions' }).getByText('10', { exact: true }).waitFor();
  await page.locator('.chart canvas').waitFor();
  await page.getByRole('row', { name: /sentiment/ }).getByText('well').waitFor();
  await page.axe();
  await page.shot('now-light');
  await page.done();
});

test('decisions: found by what they are, and page by page', async () => {
  const page = await watched(chrome, host);
  await page.go('decisions');
  const rows = page.locator('table.decisions tbody tr');
  await rows.nth(9).waitFor();
  await page.axe();
  await page.shot('decisions');
  await page.getByLabel('Any sentiment').selectOption('very_positive');
  await page.waitForFunction(() => document.querySelectorAll('table.decisions tbody tr').length < 5);
  assert.match(await rows.first().textContent(), /Love|Thank/);
  await page.getByRole('link', { name: 'Clear' }).click();
  await rows.nth(9).waitFor();
  await page.getByRole('button', { name: 'More filters' }).click();
  await page.getByLabel('Event id').fill('nothing like it');
  await page.getByLabel('Event id').press('Enter');
  await page.getByText('Nothing fits these filters').waitFor();
  for (let n = 0; n < 45; n++) await host.post(`more-${n}`, 'hello again');
  await page.go('decisions');
  await rows.nth(49).waitFor();
  await page.getByRole('button', { name: 'Show more' }).click();
  await rows.nth(54).waitFor();
  await page.done();
});

test('decision: evidence stands where it was said, whatever the script', async () => {
  const page = await watched(chrome, host);
  const [found] = (await host.api('/decisions?event_id=seed-0')).items;
  await page.go(`decisions/${found.decision.id}`);
  const marks = (await page.locator('blockquote mark').allTextContents()).join('|');
  // Behind a dash and before an emoji: bytes, code points and UTF-16 all differ here.
  assert.ok(marks.includes('Unacceptable') && marks.includes('😡'), marks);
  await page.getByRole('button', { name: 'categorize', exact: true }).click();
  assert.ok(!(await page.locator('blockquote mark').allTextContents()).join('|').includes('Unacceptable'), 'the evidence of one step alone');
  await page.getByRole('button', { name: 'all evidence' }).click();
  await page.axe();
  await page.shot('decision-light');
  await page.done();
  const dark = await watched(chrome, host, { theme: 'dark' });
  await dark.go(`decisions/${found.decision.id}`);
  await dark.getByText('Step by step').waitFor();
  await dark.axe();
  await dark.shot('decision-dark');
  await dark.done();
});

test('decision: an event is forgotten, and with its author all of theirs', async () => {
  const said = async (id) => (await host.post(id, `Forget what I said, ${id}`, { network: 'x', author: { id: 'u-77', handle: '@zoe' } })).id;
  const [first] = [await said('forget-1'), await said('forget-2'), await said('forget-3')];
  const page = await watched(chrome, host);
  await page.go(`decisions/${first}`);
  await page.locator('summary', { hasText: 'Forget' }).click();
  await page.getByRole('button', { name: 'Erase this event…' }).click();
  await page.getByRole('dialog').getByLabel('Why').fill('asked for by letter');
  await page.axe();
  await page.getByRole('dialog').getByRole('button', { name: 'Erase', exact: true }).click();
  await page.getByText('1 event is erased').waitFor();
  const [left] = (await host.api('/decisions?event_id=forget-2')).items;
  await page.go(`decisions/${left.decision.id}`);
  await page.locator('summary', { hasText: 'Forget' }).click();
  await page.getByRole('button', { name: 'Erase its author…' }).click();
  await page.getByRole('dialog', { name: 'Erase everything of @zoe' }).getByRole('button', { name: 'Erase', exact: true }).click();
  await page.getByText('2 events are erased').waitFor();
  for (const id of ['forget-1', 'forget-2', 'forget-3']) assert.deepEqual((await host.api(`/decisions?event_id=${id}`)).items, []);
  assert.equal((await host.api('/audit?action=event.erase')).items[0].why, 'asked for by letter');
  await page.done();
});

test('chain: steps move by mouse and by keys, and nothing is live before it is said', async () => {
  const page = await watched(chrome, host);
  await page.go('chain');
  const order = () => page.locator('.chain-step b').allTextContents();
  assert.deepEqual(await order(), ['categorize', 'sentiment', 'escalate']);
  await page.locator('.chain-step').nth(0).focus();
  await page.keyboard.press('Alt+ArrowDown');
  await page.getByText('Your draft').waitFor();
  assert.deepEqual(await order(), ['sentiment', 'categorize', 'escalate']);
  await page.locator('.chain-step').nth(2).dragTo(page.locator('.chain-step').nth(0));
  assert.deepEqual(await order(), ['escalate', 'sentiment', 'categorize']);
  await page.axe();
  await page.reload();
  await page.getByText('Your draft').waitFor();
  assert.deepEqual((await host.api('/setup')).setup.chains.default.steps.map((step) => step.plugin.split('@')[0]), ['categorize', 'sentiment', 'escalate']);
  await page.getByRole('button', { name: 'Discard' }).click();
  assert.deepEqual(await order(), ['categorize', 'sentiment', 'escalate']);
  await page.done();
});

test('step: the whole schema of every bundled rule is a form', async () => {
  const page = await watched(chrome, host);
  for (const step of ['categorize', 'sentiment', 'escalate']) {
    await page.go(`chain/default/${step}`);
    await page.locator('.schema .field').first().waitFor();
    await page.axe();
  }
  await page.shot('step');
  await page.done();
});

test('somebody else was faster: the draft says so, and does not overwrite', async () => {
  const page = await watched(chrome, host);
  await page.go('chain');
  await page.getByLabel('Mode of sentiment').selectOption('off');
  const headers = { authorization: `Bearer ${host.token}`, 'content-type': 'application/json', 'if-match': '"1"' };
  const { setup } = await host.api('/setup');
  setup.chains.default.steps[0].quarantine_after = 5;
  assert.equal((await fetch(new URL('v1/setup', host.console), { method: 'PUT', headers, body: JSON.stringify(setup) })).status, 200);
  await page.reload();
  await page.getByText('Somebody else was faster.').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Go live…' }).isDisabled());
  await page.axe();
  await page.done();
});

test('sources: a pasted call is verified, mapped, decided, and shows what would be sent', async () => {
  const page = await watched(chrome, host);
  await page.go('sources');
  await page.axe();
  await page.go('sources/zammad');
  const { body, signature } = host.zammad();
  await page.getByLabel('Body').fill(body);
  await page.getByLabel('Headers').fill(`x-hub-signature: ${signature}`);
  await page.getByRole('button', { name: 'Try it' }).click();
  await page.getByText('Genuine', { exact: true }).waitFor();
  await page.getByRole('row', { name: /author › name Emily Adams \/article\/from/ }).waitFor();
  await page.getByText('http://127.0.0.1:9/api/v1/', { exact: false }).first().waitFor();
  await page.axe();
  await page.shot('source-trial');
  await page.getByLabel('Headers').fill('x-hub-signature: sha1=00');
  await page.getByRole('button', { name: 'Try it' }).click();
  await page.getByText('Not genuine').waitFor();
  await page.done();
});

test('sources: a new one begins with a preset, and a call of it is tried before anything is connected', async () => {
  const page = await watched(chrome, host);
  await page.go('sources');
  await page.getByRole('link', { name: 'New from a preset' }).click();
  await page.getByRole('link', { name: 'zendesk-events', exact: true }).waitFor();
  await page.axe();
  await page.getByRole('link', { name: 'zammad', exact: true }).click();
  await page.getByText('Manage, Webhook, new').first().waitFor();
  await page.getByLabel('Name of the source').fill('Desk');
  await page.getByText('lower-case letters, digits').waitFor();
  await page.getByLabel('Name of the source').fill('first-level');
  await page.getByText('[sources.first-level]').waitFor();
  await page.getByText('env:FIRST_LEVEL_HOOK_SECRET').waitFor();
  await page.axe();
  await page.getByLabel('Body').fill(host.zammad().body);
  await page.getByRole('button', { name: 'Try it' }).click();
  await page.getByText('Not checked', { exact: true }).waitFor();
  await page.getByRole('row', { name: /author › name Emily Adams \/article\/from/ }).waitFor();
  await page.getByRole('heading', { name: 'What would be sent' }).waitFor();
  await page.axe();
  await page.shot('source-new');
  assert.equal((await host.api('/sources')).items.length, 2, 'nothing is connected by looking');
  await page.done();
});

test('deliveries: a desk that is away shouts, and its calls are seen', async () => {
  const page = await watched(chrome, host);
  const { body, signature } = host.zammad();
  const response = await fetch(`${host.hooks}/zammad`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-hub-signature': signature }, body });
  assert.ok(response.ok, String(response.status));
  await page.go('now');
  await page.getByText('sources.zammad does not take calls.').waitFor({ timeout: 20_000 });
  await page.getByRole('link', { name: 'Deliveries' }).click();
  await page.getByRole('row', { name: /sources.zammad/ }).first().waitFor();
  await page.axe();
  await page.shot('deliveries');
  await page.locator('table a').first().click();
  await page.getByRole('heading', { name: 'What is sent' }).waitFor();
  await page.axe();
  // On the decision's page: what was sent, in how many tries, and what the desk said.
  await page.getByRole('link', { name: 'Why it is sent' }).click();
  await page.getByRole('heading', { name: 'What was written back' }).waitFor();
  await page.getByText(/\d+ (try|tries),/).first().waitFor();
  await page.getByText('It answered').first().click();
  await page.axe();
  await page.done();
});

test('people: a token is made, shown once, used with its role, and revoked', async () => {
  const page = await watched(chrome, host, { expected: [] });
  await page.go('people');
  await page.getByText('Only the first token so far').waitFor();
  await page.getByRole('button', { name: 'Make a token' }).click();
  await page.getByLabel('Name').fill('Vic');
  await page.getByLabel('Role').selectOption('viewer');
  await page.axe();
  await page.getByRole('button', { name: 'Make it' }).click();
  const token = await page.locator('.secret').textContent();
  assert.match(token, /^sbx_/);
  await page.getByRole('button', { name: 'I have it' }).click();
  await page.getByRole('row', { name: /Vic/ }).waitFor();
  assert.ok(!(await page.content()).includes(token), 'it is shown once');
  await page.axe();
  await page.shot('people');
  const viewer = await watched(chrome, { ...host, token });
  await viewer.go('chain');
  assert.ok(await viewer.getByLabel('Mode of sentiment').isDisabled(), 'a viewer only looks');
  await viewer.go('people');
  await viewer.getByText('The audit log needs another role').waitFor();
  await viewer.axe();
  await viewer.done();
  await page.getByRole('button', { name: 'Revoke Vic' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByRole('row', { name: /Vic/ }).getByText('revoked').waitFor();
  await page.done();
  const gone = await watched(chrome, { ...host, token }, { expected: [401] });
  await gone.goto(host.console);
  await gone.getByLabel('Your token').waitFor();
  await gone.done();
});

test('every page fits the smallest and the largest window, in both colours', { timeout: 120_000 }, async () => {
  const [found] = (await host.api('/decisions?event_id=seed-0')).items;
  for (const [width, theme] of [[360, 'dark'], [768, 'light'], [2560, 'dark']]) {
    const page = await watched(chrome, host, { width, theme });
    for (const hash of ['now', 'decisions', `decisions/${found.decision.id}`, 'chain', 'chain/history', 'chain/default/escalate', 'plugins', 'plugins/sentiment', 'sources', 'sources/zammad', 'sources/connect', 'sources/connect/zammad', 'sources/deliveries', 'people', 'people/audit']) {
      await page.go(hash);
      await page.waitForTimeout(250);
      await page.narrow();
      await page.axe();
      if (width === 360 && hash === 'now') await page.shot('now-small');
      if (width === 2560 && hash === 'now') await page.shot('now-dark-wide');
    }
    await page.done();
  }
});

test('the keyboard alone gets anywhere', async () => {
  const page = await watched(chrome, host);
  await page.go('now');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the page');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await page.getByRole('heading', { name: 'Decisions', level: 1 }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.axe();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.keyboard.press('t');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.done();
});
