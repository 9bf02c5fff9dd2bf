// An admin's whole journey: a plugin comes in, is configured, replayed, put in shadow, goes live, decides, and is taken back.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Host, browser, plugin, watched } from './harness.mjs';

let host;
let chrome;
// Built first: what a build takes is no part of the journey.
before(async () => { plugin(); host = await Host.start(); await host.seed(); chrome = await browser(); });
after(async () => { await chrome?.close(); await host?.stop(); });

test('upload, configure, replay, shadow, go live, watch, roll back', { timeout: 180_000 }, async (context) => {
  // The 422 is the host's word on a config that this test makes wrong on purpose.
  const page = await watched(chrome, host, { expected: [422] });
  const say = (text) => context.diagnostic(text);
  const draft = page.locator('.draft-panel');
  const live = async (why, ticket) => {
    await draft.getByRole('button', { name: 'Go live…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Go live' });
    await dialog.getByLabel('Why').fill(why);
    await dialog.getByLabel('Change ticket').fill(ticket);
    await dialog.getByRole('button', { name: 'Go live' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByText('What is live', { exact: true }).waitFor();
  };
  const decided = async (id, text) => {
    const decision = await host.post(id, text);
    await page.go(`decisions/${decision.id}`);
    return decision;
  };

  say('a plugin is dropped');
  await page.go('plugins');
  await page.drop(readFileSync(plugin()));
  await page.getByText('passed the gate').waitFor({ timeout: 60_000 });
  await page.axe();
  await page.locator('#gate').scrollIntoViewIfNeeded();
  await page.shot('plugins-gate');
  await page.getByRole('link', { name: 'All about it' }).click();
  await page.getByRole('heading', { name: 'outage-words-rust 0.1.0' }).waitFor();
  await page.getByText('No live step uses it').waitFor();
  await page.axe();

  say('it becomes a step, first');
  await page.go('chain');
  await page.getByRole('button', { name: 'Add a step' }).click();
  await page.getByRole('button', { name: 'Add outage-words-rust 0.1.0' }).click();
  await page.getByRole('heading', { name: 'outage-words-rust', level: 1 }).waitFor();

  say('its form tells what is wrong, at the field');
  const words = page.getByRole('textbox', { name: 'Words' });
  await words.fill('offline\nis down');
  await page.getByLabel('Urgency', { exact: true }).selectOption('critical');
  await draft.getByRole('button', { name: 'Check' }).click();
  await draft.getByText('This cannot be built.').waitFor();
  await page.locator('.field.wrong').getByText('is not one word').waitFor();
  await page.axe();
  await page.shot('step-problem');
  await words.fill('offline\nunreachable');
  await draft.getByRole('button', { name: 'Check' }).click();
  await draft.getByText('It can be built').waitFor();

  say('a replay says what it would change');
  await draft.getByRole('button', { name: 'Replay' }).click();
  await draft.getByText(/\d+ of 10 decisions would change\./).waitFor({ timeout: 30_000 });
  await draft.getByText('Payroll is offline').waitFor();
  await page.axe();
  await page.shot('replay');
  const [csv] = await Promise.all([page.waitForEvent('download'), draft.getByRole('button', { name: 'All as CSV' }).click()]);
  assert.match(readFileSync(await csv.path(), 'utf8'), /^event_id,source,field,from,to,text/);

  say('shadow: beside the others, without a say');
  await page.getByLabel('Mode').selectOption('shadow');
  await live('a week in shadow', 'CHG-101');
  const quiet = await decided('shadow-1', 'The wiki is unreachable');
  assert.notEqual(quiet.urgency, 'critical');
  await page.locator('.step.shadowed').getByText('would set urgency').waitFor();
  await page.shot('decision-shadow');
  await page.go('chain/default/outage-words-rust');
  await page.getByText('1 of 1 decision would change.').waitFor();
  await page.axe();

  say('live: it decides');
  await page.go('chain');
  await page.getByLabel('Mode of outage-words-rust').selectOption('live');
  await page.getByText('mode', { exact: true }).waitFor();
  await page.axe();
  await page.shot('chain-draft');
  await live('right for a week', 'CHG-102');
  const loud = await decided('live-1', 'The booking system is unreachable');
  assert.equal(loud.urgency, 'critical');
  await page.locator('.settled').getByText('critical').first().waitFor();
  await page.getByRole('button', { name: 'outage-words-rust', exact: true }).click();
  assert.deepEqual(await page.locator('mark').allTextContents(), ['unreachable']);

  say('the same event under the rules of before, side by side');
  await page.getByLabel('With the rules of').selectOption({ index: 2 });
  await page.getByRole('button', { name: 'Decide again' }).click();
  await page.locator('table.diff').getByText('urgency', { exact: true }).waitFor();
  await page.axe();

  say('rolled back');
  await page.go('chain/history');
  await page.getByRole('cell', { name: 'right for a week' }).waitFor();
  await page.axe();
  await page.go('chain');
  await page.getByRole('button', { name: 'Roll back…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Roll back' });
  await dialog.getByLabel('Why').fill('too many criticals');
  await page.axe();
  await dialog.getByRole('button', { name: 'Roll back' }).click();
  await dialog.waitFor({ state: 'hidden' });
  assert.notEqual((await decided('back-1', 'The printer is unreachable')).urgency, 'critical');

  say('and the log knows who did it');
  await page.go('people/audit?change=CHG-102');
  await page.getByRole('cell', { name: 'setup.apply' }).waitFor();
  await page.go('people/audit?action=setup.rollback');
  await page.getByRole('cell', { name: 'too many criticals' }).waitFor();
  await page.axe();
  await page.shot('audit');
  await page.done();
});
