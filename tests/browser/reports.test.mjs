// What a manager reads, and what waits for a person: reports, and approvals.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Host, browser, watched } from './harness.mjs';

const KIND = `
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
mode = "full"
allow_private = ["127.0.0.0/8"]
[[steps]]
plugin = "categorize"
[[steps]]
plugin = "sentiment"
[[steps]]
plugin = "escalate"
[[steps.config.routes]]
id = "all"
then = { queue = "Desk", priority = "low", reply = "thanks", sla = [{ clock = "first_response", target_seconds = 7200 }] }
`;

let host;
let chrome;
before(async () => { host = await Host.start(KIND); chrome = await browser(); });
after(async () => { await chrome?.close(); await host?.stop(); });

test('waiting: nothing, then three replies, settled by keys and by mouse', async () => {
  const page = await watched(chrome, host, { expected: [422] });
  await page.go('waiting');
  await page.getByText('Nothing waits').waitFor();
  await page.axe();
  for (const ticket of [101, 102, 103]) await host.tell(ticket, `Thank you for the quick help with number ${ticket}`);
  await page.go('now');
  await page.getByText('3 things wait for a yes.').waitFor();
  await page.go('waiting');
  const rows = page.locator('.wait');
  await rows.nth(2).waitFor();
  // The newest stands first, and is open: what was written, what would be said, and which rule wants it.
  await page.getByText('Thank you for the quick help with number 103').waitFor();
  const [reply] = (await host.api('/approvals?state=waiting')).items;
  assert.equal(await page.locator('.would').textContent(), reply.text);
  await page.getByText('escalate', { exact: false }).first().waitFor();
  await page.axe();
  await page.shot('waiting');
  await page.keyboard.press('j');
  await page.getByText('Thank you for the quick help with number 102').waitFor();
  await page.keyboard.press('r');
  await page.getByRole('dialog', { name: 'Reject' }).waitFor();
  await page.axe();
  await page.getByLabel('Why').fill('not our words');
  await page.keyboard.press('Enter');
  await page.getByText('Rejected: it is never sent').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.wait').length === 2);
  await page.keyboard.press('k');
  await page.keyboard.press('a');
  await page.getByText('Approved: it is on its way').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.wait').length === 1);
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByText('Nothing waits').waitFor();
  const settled = (await host.api('/approvals')).items.map((one) => [one.ticket, one.state, one.why]);
  assert.deepEqual(settled, [['103', 'approved', null], ['102', 'rejected', 'not our words'], ['101', 'approved', null]]);
  await page.getByRole('link', { name: 'rejected' }).click();
  await page.getByText('not our words').waitFor();
  await page.axe();
  await page.done();
});

test('waiting: a viewer sees it and cannot settle it', async () => {
  const made = await fetch(new URL('v1/tokens', host.console), { method: 'POST', headers: { authorization: `Bearer ${host.token}`, 'content-type': 'application/json' }, body: JSON.stringify({ name: 'Vic', role: 'viewer' }) });
  const { token } = await made.json();
  await host.tell(104, 'Thanks again, that was fast');
  const page = await watched(chrome, { ...host, token });
  await page.go('waiting');
  await page.getByText('Thanks again, that was fast').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Approve', exact: true }).isDisabled());
  await page.keyboard.press('r');
  await page.keyboard.press('a');
  assert.equal((await host.api('/approvals?state=waiting')).items.length, 1);
  await page.axe();
  await page.done();
  const other = await watched(chrome, host);
  await other.go('waiting');
  await other.getByText('Thanks again, that was fast').waitFor();
  await other.keyboard.press('g');
  await other.keyboard.press('r');
  await other.getByRole('heading', { name: 'Reports', level: 1 }).waitFor();
  assert.equal(await other.getByRole('dialog').count(), 0, 'a way to another page is no answer');
  await other.done();
});

test('reports: counted as they are decided, as charts, as CSV and on paper', async () => {
  await host.seed();
  await host.tell(105, 'An answer to this is due', { priority: '1 low' });
  await host.tell(105, 'We look into it', { priority: '3 high', sender: 'Agent' });
  const { rows } = await host.api('/reports/volume?by=network');
  const total = rows.reduce((sum, row) => sum + row.messages, 0);
  assert.equal(total, 15, 'ten to the demo, five from the desk; an agent is none');
  const page = await watched(chrome, host);
  await page.go('reports?by=network');
  await page.locator(`.chart[aria-label^="${total} messages"] canvas`).waitFor();
  await page.getByRole('row', { name: /First response/ }).waitFor();
  await page.getByRole('row', { name: /priority.*escalate/ }).first().waitFor();
  await page.getByRole('row', { name: /categorize/ }).first().waitFor();
  await page.axe();
  await page.shot('reports');
  await page.getByLabel('Messages by').selectOption('sentiment');
  await page.getByRole('heading', { name: 'Messages by sentiment' }).waitFor();
  await page.locator('.bars').getByText('very positive').waitFor();
  await page.getByLabel('Source', { exact: true }).selectOption('zammad');
  await page.locator('.chart[aria-label^="5 messages"] canvas').waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'volume as CSV' }).click()]);
  assert.equal(download.suggestedFilename(), 'volume.csv');
  const csv = readFileSync(await download.path(), 'utf8').trim().split('\r\n');
  assert.equal(csv[0], '"at","name","messages"');
  assert.equal(csv.slice(1).reduce((sum, line) => sum + Number(line.split(',').at(-1)), 0), 5, 'the same sentiment, the same source');
  await page.emulateMedia({ media: 'print' });
  assert.ok(!(await page.locator('.side').isVisible()) && !(await page.getByRole('button', { name: 'volume as CSV' }).isVisible()), 'paper has no buttons');
  assert.equal((await page.pdf()).subarray(0, 4).toString(), '%PDF');
  await page.done();
});

test('both pages fit the smallest and the largest window, in both colours', async () => {
  for (const [width, theme] of [[360, 'dark'], [768, 'light'], [2560, 'dark']]) {
    const page = await watched(chrome, host, { width, theme });
    for (const hash of ['waiting', 'waiting?state=approved', 'reports', 'reports?days=1']) {
      await page.go(hash);
      await page.waitForTimeout(250);
      await page.narrow();
      await page.axe();
    }
    await page.done();
  }
});
