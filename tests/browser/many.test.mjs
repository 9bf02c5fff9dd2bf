// With 100,000 decisions stored: the first paint, when a page has what it is about, and what it ships, each page as a first visit.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Host, browser, watched } from './harness.mjs';

// Files as the host serves them, compressed, and not those on the disk.
delete process.env.CONSOLE;
const DECISIONS = 100_000;
// Of the first paint, ms: the median of so many first visits.
const PAINT_MS = 200;
const VISITS = 5;
// Of everything that a page asks for, files and data, as it comes over the wire, bytes.
const MOST_BYTES = 150_000;
// Until a page shows what it is about, ms. No promise of ours, but a page that reads the whole journal would not hold it.
const SHOWN_MS = 3_000;

// Each with what stands there when it is done.
const PAGES = [
  ['now', '.feed > li:nth-child(30)'], ['decisions', 'table.decisions tbody tr:nth-child(50)'], ['decisions?sentiment=very_negative', 'table.decisions tbody tr:nth-child(50)'], ['reports', '.chart canvas'], ['reports?days=90', '.chart canvas'],
  ['alerts', '.empty'], ['alerts/clocks', 'table.rows tbody tr:nth-child(100)'], ['chain', '.chain-step'], ['plugins', 'table.rows tbody tr'], ['sources', '.card'], ['sources/deliveries', '.empty'], ['waiting', '.empty'], ['lookups', '.empty'], ['people/audit', 'table.rows, .empty'],
];

let host;
let chrome;
before(async () => { host = await Host.start(undefined, DECISIONS); chrome = await browser(); }, { timeout: 600_000 });
after(async () => { await chrome?.close(); await host?.stop(); });

// A first visit: nothing is kept from one before. Gives what was measured in the page and on the wire.
async function visit(hash, shown) {
  const page = await watched(chrome, host);
  const wire = await page.context().newCDPSession(page);
  await wire.send('Network.enable');
  let bytes = 0;
  wire.on('Network.responseReceived', ({ response }) => { bytes += response.encodedDataLength; });
  wire.on('Network.dataReceived', ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await page.goto(new URL(`#/${hash}`, host.console).href);
  await page.locator(shown).first().waitFor();
  const done = await page.evaluate(() => performance.now());
  // What comes a moment later is weighed, too; the stream of decisions is never idle.
  await page.waitForTimeout(500);
  const painted = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
  await page.done();
  return { bytes, done, painted };
}

const median = (numbers) => [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)];

test('so many are stored, and counted', async () => {
  const rows = (await host.api('/reports/volume?by=source&days=90')).rows;
  const total = rows.reduce((sum, row) => sum + row.messages, 0);
  assert.ok(total > DECISIONS * 0.99 && total <= DECISIONS, String(total));
});

test('the first paint is quick, and every page has what it is about soon, in little', { timeout: 300_000 }, async (context) => {
  await visit('now', '.feed > li:nth-child(30)');
  for (const [hash, shown] of PAGES) {
    const visits = [];
    for (let turn = 0; turn < (hash === 'now' || hash === 'decisions' ? VISITS : 1); turn++) visits.push(await visit(hash, shown));
    const [painted, done, bytes] = ['painted', 'done', 'bytes'].map((key) => Math.round(median(visits.map((one) => one[key]))));
    context.diagnostic(`${hash}: painted after ${painted} ms, shown after ${done} ms, ${bytes} bytes`);
    assert.ok(bytes > 20_000 && bytes <= MOST_BYTES, `${hash} ships ${bytes} bytes`);
    assert.ok(done <= SHOWN_MS, `${hash} is there after ${done} ms`);
    if (visits.length === VISITS) assert.ok(painted <= PAINT_MS, `${hash} is first painted after ${painted} ms`);
  }
});

test('a list of so many goes on page by page', async () => {
  const page = await watched(chrome, host);
  await page.go('decisions');
  const rows = page.locator('table.decisions tbody tr');
  await rows.nth(49).waitFor();
  assert.equal(await rows.count(), 50, 'one page, however many there are');
  await page.getByRole('button', { name: 'Show more' }).click();
  await rows.nth(99).waitFor();
  await page.done();
});
