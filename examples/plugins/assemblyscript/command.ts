// Outage words raise urgency: the example rule as a WASI command, in AssemblyScript. One JSON document in, one out.
import { JSON } from "json-as";

// What the host asks.
@json class Config {
  category: string = "outage";
  urgency: string = "high";
  words: string[] = ["down", "offline", "outage", "unreachable"];
}
@json class Event { text: string = ""; }
@json class Question { op: string = ""; config: Config = new Config(); event: Event = new Event(); }

// What the rule answers.
@json class Problem { path: string = ""; message: string = ""; }
@json class Problems { problems: Problem[] = []; }
@json class Span { start: i32 = 0; end: i32 = 0; }
@json class Evidence { field: string = "text"; span: Span = new Span(); text: string = ""; weight: f64 = 1; }
@json class Proposal { effect: JSON.Raw = new JSON.Raw("{}"); reason: string = ""; confidence: f64 = 0; evidence: Evidence[] = []; }
@json class Verdict { proposals: Proposal[] = []; }

const DESCRIPTION = `{
  "name": "outage-words-assemblyscript", "version": "0.1.0", "summary": "Outage words raise urgency.", "license": "Apache-2.0",
  "effects": ["categorize", "flag-sentiment", "set-urgency"],
  "config_schema": {"type": "object", "additionalProperties": false, "properties": {
    "category": {"type": "string", "minLength": 1, "default": "outage"},
    "urgency": {"enum": ["low", "normal", "high", "critical"], "default": "high"},
    "words": {"type": "array", "minItems": 1, "maxItems": 500, "items": {"type": "string"}, "default": ["down", "offline", "outage", "unreachable"]}
  }},
  "examples": [
    {"name": "an outage", "event": {"id": "1", "text": "The VPN is DOWN again. Total outage!"}, "expect": {"proposals": [
      {"effect": {"type": "categorize", "value": {"key": "outage"}}, "evidence": [{"text": "DOWN", "span": {"start": 11, "end": 15}}]},
      {"effect": {"type": "set_urgency", "value": "high"}}]}},
    {"name": "nothing to say", "event": {"id": "2", "text": "Thanks, all good."}, "expect": {"absent": ["set_urgency"]}}
  ]
}`;

// A word is a run of ASCII letters and digits, and of everything beyond ASCII: the same in every language of these examples.
function inside(c: i32): bool {
  return c >= 0x80 || (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122);
}

// ASCII letters only.
function lower(word: string): string {
  let out = "";
  for (let i = 0; i < word.length; i++) {
    const c = word.charCodeAt(i);
    out += String.fromCharCode(c >= 65 && c <= 90 ? c + 32 : c);
  }
  return out;
}

function configure(config: Config): string {
  const found = new Problems();
  for (let i = 0; i < config.words.length; i++) {
    const word = config.words[i];
    let good = word.length > 0;
    for (let j = 0; j < word.length; j++) good = good && inside(word.charCodeAt(j));
    if (good) continue;
    const problem = new Problem();
    problem.path = `/words/${i}`;
    problem.message = `\`${word}\` is not one word: letters and digits only`;
    found.problems.push(problem);
  }
  return JSON.stringify(found);
}

function evaluate(config: Config, text: string): string {
  const words = new Set<string>();
  for (let i = 0; i < config.words.length; i++) words.add(lower(config.words[i]));
  const hits: Evidence[] = [];
  // Spans count bytes of UTF-8, strings count UTF-16.
  let bytes = 0, counted = 0, start = 0;
  while (start < text.length) {
    while (start < text.length && !inside(text.charCodeAt(start))) start++;
    let end = start;
    while (end < text.length && inside(text.charCodeAt(end))) end++;
    const word = text.substring(start, end);
    if (end > start && words.has(lower(word))) {
      bytes += String.UTF8.byteLength(text.substring(counted, start));
      counted = start;
      const hit = new Evidence();
      hit.text = word;
      hit.span.start = bytes;
      hit.span.end = bytes + String.UTF8.byteLength(word);
      hits.push(hit);
    }
    start = end;
  }
  const verdict = new Verdict();
  if (hits.length > 0) {
    const count = hits.length < 4 ? hits.length : 4;
    const label = count > 2 ? "very_negative" : "negative";
    const effects = [
      `{"type":"categorize","value":{"key":${JSON.stringify(config.category)}}}`,
      `{"type":"flag_sentiment","value":{"label":"${label}","score":${f64(-2 * count) / 10}}}`,
      `{"type":"set_urgency","value":"${config.urgency}"}`,
    ];
    for (let i = 0; i < effects.length; i++) {
      const proposal = new Proposal();
      proposal.effect = new JSON.Raw(effects[i]);
      proposal.reason = `the text says “${hits[0].text}”`;
      proposal.confidence = f64(50 + 10 * count) / 100;
      proposal.evidence = hits.slice(0, 16);
      verdict.proposals.push(proposal);
    }
  }
  return JSON.stringify(verdict);
}

const chunks: u8[] = [];
const buffer = new Uint8Array(65536);
for (;;) {
  const count = process.stdin.read(buffer.buffer);
  if (count <= 0) break;
  for (let i = 0; i < count; i++) chunks.push(buffer[i]);
}
const question = JSON.parse<Question>(String.UTF8.decodeUnsafe(chunks.dataStart, chunks.length));
let answer = DESCRIPTION;
if (question.op == "configure") answer = configure(question.config);
if (question.op == "evaluate") answer = evaluate(question.config, question.event.text);
process.stdout.write(answer);
