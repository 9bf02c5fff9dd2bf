// How things are said: numbers, moments, words. Pure, and nothing here makes markup.

const LOCALE = navigator.language;
const clock = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const full = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(LOCALE, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const whole = new Intl.NumberFormat('en');

export const number = (n) => whole.format(n ?? 0);
export const moment = (time) => (time ? full.format(new Date(time)) : 'never');
export function short(time) {
  if (!time) return 'never';
  const then = new Date(time);
  return then.toDateString() === new Date().toDateString() ? clock.format(then) : day.format(then);
}
export function ago(time) {
  if (!time) return 'never';
  const s = (Date.now() - new Date(time)) / 1000;
  const [size, unit] = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']].find(([size]) => Math.abs(s) >= size) ?? [1, 'second'];
  return new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(-Math.round(s / size), unit);
}
export function bytes(n) {
  const at = n < 1024 ? 0 : n < 1024 ** 2 ? 1 : 2;
  return `${(n / 1024 ** at).toFixed(at && n / 1024 ** at < 10 ? 1 : 0)} ${['B', 'KiB', 'MiB'][at]}`;
}
export const percent = (part) => `${Math.round(part * 100)} %`;
export function micros(us) {
  return us < 1000 ? `${Math.round(us)} µs` : us < 1e6 ? `${(us / 1000).toFixed(us < 10_000 ? 1 : 0)} ms` : `${(us / 1e6).toFixed(1)} s`;
}
export function duration(seconds) {
  const of = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']].find(([size]) => seconds >= size && seconds % size === 0) ?? [1, 'second'];
  const n = seconds / of[0];
  return `${n} ${of[1]}${n === 1 ? '' : 's'}`;
}
export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;
export const words = (key) => String(key ?? '').replaceAll('_', ' ').replaceAll('-', ' ');
export function value(of) {
  if (of === undefined || of === null) return 'nothing';
  if (typeof of === 'string') return of;
  if (typeof of === 'number') return Number.isInteger(of) ? String(of) : String(Math.round(of * 1000) / 1000);
  if (Array.isArray(of)) return of.length ? of.map(value).join(', ') : 'nothing';
  if (typeof of === 'object') {
    if (of.key && of.path) return of.path.join(' › ');
    if (of.clock && of.target_seconds !== undefined) return `${words(of.clock)} within ${duration(of.target_seconds)}`;
    if (of.dedupe_key !== undefined) return `for ${words(of.audience)}, ${of.level}: ${of.text}`;
    if (of.level !== undefined) return `level ${of.level}${of.audience?.length ? `, told: ${of.audience.join(', ')}` : ''}`;
    if (of.queue) return [of.queue, of.assignee, of.on_call && `on call: ${of.on_call}`].filter(Boolean).join(', ');
    if (of.label && of.score !== undefined) return `${words(of.label)} (${value(of.score)})`;
    return Object.entries(of).map(([key, one]) => `${words(key)} ${value(one)}`).join(', ');
  }
  return String(of);
}
// `/tags/add` as people say it.
export const field = (pointer) => words(pointer.split('/').filter(Boolean).join(' › ')) || 'everything';
export const FAULTS = { out_of_fuel: 'used up its fuel', timed_out: 'used up its time', trapped: 'crashed', stack_overflow: 'recursed too deeply', out_of_memory: 'ran out of memory', too_many_calls: 'called the host too often', output_too_large: 'answered too much', malformed: 'answered nonsense', denied: 'reached for something it may not have', failed: 'said that it failed', quarantined: 'left out: it kept faulting' };
export const OUTCOMES = { ran: 'ran', not_applicable: 'not its kind of event', skipped: 'not asked', ...FAULTS };

// What a grant lets a step do, as a sentence.
export function grant(word) {
  const [kind, of] = word.split(/:(.*)/s);
  const sentences = {
    lower: 'It may take escalation, priority and urgency down again.', stop: 'It may end the chain: no step after it is asked.',
    'auto-reply': 'It may have a reply sent without a person reading it first.', state: 'It may keep notes of its own between events.',
    lookup: `It may look things up in the table “${of}”.`, http: `It may call ${of}.`, secret: `It may use the secret “${of}” in its calls.`,
  };
  if (kind === 'moderate') return { hide: 'It may have a message hidden, without a person.', delete: 'It may have a message deleted, without a person.', 'block-author': 'It may have an author blocked, without a person.' }[of] ?? `It may moderate: ${of}.`;
  return sentences[kind] ?? `It may: ${word}.`;
}
export const GRANTS = ['lower', 'stop', 'auto-reply', 'moderate:hide', 'moderate:delete', 'moderate:block-author'];

// Byte offsets of UTF-8, as plugins give them, to segments of a text: each with the spans that cover it.
export function segments(text, spans) {
  const cuts = new Map();
  let byte = 0;
  let at = 0;
  const wanted = new Set(spans.flatMap((span) => [span.start, span.end]));
  if (wanted.has(0)) cuts.set(0, 0);
  for (const point of text) {
    const code = point.codePointAt(0);
    byte += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    at += point.length;
    if (wanted.has(byte)) cuts.set(byte, at);
  }
  // A span that is cut within a character or lies past the end marks nothing.
  const placed = spans.filter((span) => cuts.has(span.start) && cuts.has(span.end) && span.start < span.end).map((span) => ({ ...span, from: cuts.get(span.start), to: cuts.get(span.end) }));
  const edges = [...new Set([0, text.length, ...placed.flatMap((span) => [span.from, span.to])])].sort((a, b) => a - b);
  return edges.slice(0, -1).map((from, i) => ({ text: text.slice(from, edges[i + 1]), spans: placed.filter((span) => span.from <= from && span.to >= edges[i + 1]) }));
}
