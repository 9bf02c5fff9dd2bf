// The one path that every change goes: sign in, see what is decided, and read why.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Host, browser, watched } from './harness.mjs';

let host;
let chrome;
before(async () => { host = await Host.start(); chrome = await browser(); });
after(async () => { await chrome?.close(); await host?.stop(); });

test('a first visit explains how to get a token, and a wrong one is told so', async () => {
  const page = await watched(chrome, host, { signedIn: false, expected: [401] });
  await page.goto(host.console);
  await page.getByText('signalbox token create').waitFor();
  await page.axe();
  await page.shot('sign-in');
  await page.getByLabel('Your token').fill('sbx_wrong_token');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('Authorization: Bearer TOKEN').waitFor();
  await page.getByLabel('Your token').fill(host.token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Now', level: 1 }).waitFor();
  await page.getByText('Waiting for the first event').waitFor();
  await page.axe();
  await page.done();
});

test('a decision appears the moment it is made, and says why', async () => {
  const page = await watched(chrome, host);
  await page.go('now');
  await page.getByText('live', { exact: true }).first().waitFor();
  await host.post('smoke-1', '@acme the VPN has been down since 9am. Unacceptable!', { network: 'mastodon', author: { handle: '@ann', followers: 12000 } });
  await page.getByRole('link', { name: 'the VPN has been down' }).click();
  await page.getByRole('heading', { name: 'Incident › Outage' }).waitFor();
  assert.ok((await page.locator('mark').allTextContents()).join(' ').includes('VPN'), 'the evidence is marked in the text');
  await page.axe();
  await page.done();
});

test('hostile text is text', async () => {
  const page = await watched(chrome, host);
  const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>';
  const { id } = await host.post('smoke-2', `${evil} is down`, { author: { handle: evil, name: evil } });
  for (const hash of ['now', 'decisions', `decisions/${id}`]) {
    await page.go(hash);
    await page.getByText('onerror=alert').first().waitFor();
    assert.equal(await page.locator('main img[src="x"], main script').count(), 0);
  }
  await page.done();
});
