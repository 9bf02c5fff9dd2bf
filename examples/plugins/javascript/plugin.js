// Outage words raise urgency: the example rule, in JavaScript.
//
// `configure` runs once and the host may keep what it leaves in memory; `evaluate` runs once per event and must not remember.

const DEFAULTS = { category: 'outage', urgency: 'high', words: ['down', 'offline', 'outage', 'unreachable'] };
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
let words = new Set();

export const metadata = {
  describe() {
    return {
      name: 'outage-words-javascript',
      version: '0.1.0',
      summary: 'Outage words raise urgency.',
      homepage: undefined,
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
  configure(text) {
    const given = { ...DEFAULTS, ...JSON.parse(text) };
    const problems = [];
    given.words.forEach((word, at) => {
      if (word.replace(WORD, '') !== '' || word === '') {
        problems.push({ path: `/words/${at}`, message: `\`${word}\` is not one word: letters and digits only` });
      }
    });
    if (problems.length) throw problems;
    config = given;
    words = new Set(given.words.map(lower));
  },

  evaluate(event, settled) {
    const hits = [];
    let chars = 0;
    let bytes = 0;
    for (const { 0: word, index } of event.text.matchAll(WORD)) {
      if (!words.has(lower(word))) continue;
      bytes += utf8(event.text.slice(chars, index));
      chars = index;
      hits.push({ field: 'text', span: { start: bytes, end: bytes + utf8(word) }, text: word, weight: 1 });
    }
    if (!hits.length) return { proposals: [], flow: 'next' };
    const count = Math.min(hits.length, 4);
    const effects = [
      { tag: 'categorize', val: { key: config.category, path: [] } },
      { tag: 'flag-sentiment', val: { label: count > 2 ? 'very-negative' : 'negative', score: (-2 * count) / 10, signals: [] } },
      { tag: 'set-urgency', val: config.urgency },
    ];
    const evidence = hits.slice(0, 16);
    const shared = { reason: `the text says “${evidence[0].text}”`, confidence: (50 + 10 * count) / 100, ruleId: undefined, evidence };
    return { proposals: effects.map((effect) => ({ effect, ...shared })), flow: 'next' };
  },
};

// ASCII letters only, as in every language of these examples.
function lower(word) {
  return word.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

// Bytes of a string in UTF-8: spans count them.
function utf8(text) {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0);
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
