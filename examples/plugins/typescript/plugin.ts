// Outage words raise urgency: the example rule, in TypeScript.
//
// `configure` runs once and the host may keep what it leaves in memory; `evaluate` runs once per event and must not remember.
// `types/` is the contract as TypeScript sees it: what does not fit it does not build.

import type { Description } from 'signalbox:rules/metadata@0.1.0';
import type { ConfigProblem } from 'signalbox:rules/rule@0.1.0';
import type { Effect, Event, Evidence, Level, SoFar, Verdict } from 'signalbox:rules/types@0.1.0';

/** The config as the admin writes it. */
interface Config {
  category: string;
  urgency: Level;
  words: string[];
}

const DEFAULTS: Config = { category: 'outage', urgency: 'high', words: ['down', 'offline', 'outage', 'unreachable'] };
const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    category: { type: 'string', minLength: 1, default: DEFAULTS.category },
    urgency: { enum: ['low', 'normal', 'high', 'critical'], default: DEFAULTS.urgency },
    words: { type: 'array', minItems: 1, maxItems: 500, items: { type: 'string' }, default: DEFAULTS.words },
  },
};
const EXAMPLES = [
  {
    name: 'an outage',
    event: { id: '1', text: 'The VPN is DOWN again. Total outage!' },
    expect: {
      proposals: [
        { effect: { type: 'categorize', value: { key: 'outage' } }, evidence: [{ text: 'DOWN', span: { start: 11, end: 15 } }] },
        { effect: { type: 'set_urgency', value: 'high' } },
      ],
    },
  },
  { name: 'nothing to say', event: { id: '2', text: 'Thanks, all good.' }, expect: { absent: ['set_urgency'] } },
];
// A word is a run of ASCII letters and digits, and of everything beyond ASCII: the same in every language of these examples.
const WORD = /[A-Za-z0-9\u0080-\uffff]+/g;

let config = DEFAULTS;
let words = new Set<string>();

export const metadata = {
  describe(): Description {
    return {
      name: 'outage-words-typescript',
      version: '0.1.0',
      summary: 'Outage words raise urgency.',
      license: 'Apache-2.0',
      eventKinds: [],
      effects: ['categorize', 'flag-sentiment', 'set-urgency'],
      requests: [],
      configSchema: JSON.stringify(SCHEMA),
      examples: EXAMPLES.map(({ name, event, expect }) => ({ name, event: JSON.stringify(event), expect: JSON.stringify(expect) })),
    };
  },
};

export const rule = {
  // `result` in WIT: return for ok, throw the payload for err.
  configure(text: string): void {
    const given: Config = { ...DEFAULTS, ...JSON.parse(text) };
    const problems: ConfigProblem[] = [];
    given.words.forEach((word, at) => {
      if (word.replace(WORD, '') !== '' || word === '') {
        problems.push({ path: `/words/${at}`, message: `\`${word}\` is not one word: letters and digits only` });
      }
    });
    if (problems.length) throw problems;
    config = given;
    words = new Set(given.words.map(lower));
  },

  evaluate(event: Event, _settled: SoFar): Verdict {
    const evidence: Evidence[] = [];
    let hits = 0;
    let chars = 0;
    let bytes = 0;
    for (const { 0: word, index } of event.text.matchAll(WORD)) {
      if (!words.has(lower(word))) continue;
      bytes += utf8(event.text.slice(chars, index));
      chars = index;
      hits += 1;
      if (evidence.length < 16) {
        evidence.push({ field: 'text', span: { start: bytes, end: bytes + utf8(word) }, text: word, weight: 1 });
      }
    }
    const [first] = evidence;
    if (!first) return { proposals: [], flow: 'next' };
    const count = Math.min(hits, 4);
    const effects: Effect[] = [
      { tag: 'categorize', val: { key: config.category, path: [] } },
      { tag: 'flag-sentiment', val: { label: count > 2 ? 'very-negative' : 'negative', score: (-2 * count) / 10, signals: [] } },
      { tag: 'set-urgency', val: config.urgency },
    ];
    const shared = { reason: `the text says “${first.text}”`, confidence: (50 + 10 * count) / 100, evidence };
    return { proposals: effects.map((effect) => ({ effect, ...shared })), flow: 'next' };
  },
};

// ASCII letters only, as in every language of these examples.
function lower(word: string): string {
  return word.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

// Bytes of a string in UTF-8: spans count them.
function utf8(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
