// Another version of a plugin: what it may that the one before could not is said where it is uploaded, before any step uses it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Host, browser, plugin, upgraded, watched } from './harness.mjs';

let host;
let chrome;
let next;
before(async () => { next = upgraded(); host = await Host.start(); chrome = await browser(); });
after(async () => { await chrome?.close(); await host?.stop(); });

test('an upgrade says what it reaches for, asks for and proposes beyond the version before', { timeout: 300_000 }, async () => {
  const page = await watched(chrome, host);
  await page.go('plugins');
  await page.drop(readFileSync(plugin()));
  await page.getByText('passed the gate').waitFor({ timeout: 60_000 });
  // The first version has none before it; and the same bytes again are no upgrade.
  assert.equal(await page.locator('.upgrade').count(), 0);
  await page.drop(readFileSync(plugin()));
  await page.getByText('were here already').waitFor({ timeout: 60_000 });
  assert.equal(await page.locator('.upgrade').count(), 0);
  await page.drop(next);
  const difference = page.locator('#gate .upgrade');
  await difference.getByRole('heading', { name: 'Against 0.1.0' }).waitFor({ timeout: 60_000 });
  const said = (await difference.locator('li').allTextContents()).map((line) => line.replace(/\s+/g, ' ').trim());
  assert.deepEqual(said, [
    'more It can now read tables that the admin grants one by one (grant lookup:TABLE).',
    'more It now asks: It may look things up in the table “services”. to know what is down already',
    'more It may now propose: note.',
  ]);
  await page.axe();
  await page.locator('#gate').scrollIntoViewIfNeeded();
  await page.shot('plugins-upgrade');
  // The same question the other way round, on the page of the old version.
  const [old] = (await host.api('/plugins')).items.filter((one) => one.name === 'outage-words-rust' && one.version === '0.1.0');
  await page.go(`plugins/${old.digest}`);
  await page.getByLabel('Compare with').selectOption({ label: '0.2.0' });
  await page.getByText('It no longer asks:').waitFor();
  await page.getByText('It can no longer read tables').waitFor();
  await page.axe();
  await page.done();
});
