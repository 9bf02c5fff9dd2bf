/* Outage words raise urgency: the example rule, in C.
 *
 * `configure` runs once and the host may keep what it leaves in memory; `evaluate` runs once per event and must not remember.
 * What is returned is freed by the generated code, so it is all malloc'd; what comes in is ours to free. */
#include <stdio.h>

#include "json.h"
#include "pure_rule.h"

enum { MAX_WORDS = 500, MAX_EVIDENCE = 16 };
static const char SCHEMA[] =
    "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
    "\"category\": {\"type\": \"string\", \"minLength\": 1, \"default\": \"outage\"},"
    "\"urgency\": {\"enum\": [\"low\", \"normal\", \"high\", \"critical\"], \"default\": \"high\"},"
    "\"words\": {\"type\": \"array\", \"minItems\": 1, \"maxItems\": 500, \"items\": {\"type\": \"string\"},"
    " \"default\": [\"down\", \"offline\", \"outage\", \"unreachable\"]}}}";
static const char DEFAULT_WORDS[] = "[\"down\", \"offline\", \"outage\", \"unreachable\"]";
static const char *EXAMPLES[2][3] = {
    {"an outage", "{\"id\": \"1\", \"text\": \"The VPN is DOWN again. Total outage!\"}",
     "{\"proposals\": [{\"effect\": {\"type\": \"categorize\", \"value\": {\"key\": \"outage\"}},"
     " \"evidence\": [{\"text\": \"DOWN\", \"span\": {\"start\": 11, \"end\": 15}}]},"
     " {\"effect\": {\"type\": \"set_urgency\", \"value\": \"high\"}}]}"},
    {"nothing to say", "{\"id\": \"2\", \"text\": \"Thanks, all good.\"}", "{\"absent\": [\"set_urgency\"]}"},
};
static const char *EFFECTS[] = {"categorize", "flag-sentiment", "set-urgency"};
static const char *LEVELS[] = {"low", "normal", "high", "critical"};

static char *category = "outage", *words[MAX_WORDS];
static size_t word_count;
static uint8_t urgency = SIGNALBOX_RULES_TYPES_LEVEL_HIGH;

typedef pure_rule_string_t string;
static string text(const char *c) {
  string s;
  pure_rule_string_dup(&s, c);
  return s;
}
static void *zeroed(size_t count, size_t size) { return count ? calloc(count, size) : NULL; }

/* A word is a run of ASCII letters and digits, and of everything beyond ASCII: the same in every language of these examples. */
static bool inside(uint8_t c) { return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
static bool listed(const uint8_t *word, size_t length) {
  for (size_t at = 0; at < word_count; at++) {
    size_t same = 0;
    while (same < length && words[at][same] && lower(words[at][same]) == lower(word[same])) same++;
    if (same == length && !words[at][same]) return true;
  }
  return false;
}

void exports_signalbox_rules_metadata_describe(exports_signalbox_rules_metadata_description_t *ret) {
  memset(ret, 0, sizeof *ret);
  ret->name = text("outage-words-c");
  ret->version = text("0.1.0");
  ret->summary = text("Outage words raise urgency.");
  ret->license.is_some = true;
  ret->license.val = text("Apache-2.0");
  ret->config_schema = text(SCHEMA);
  ret->effects.len = 3;
  ret->effects.ptr = zeroed(3, sizeof *ret->effects.ptr);
  for (int at = 0; at < 3; at++) ret->effects.ptr[at] = text(EFFECTS[at]);
  ret->examples.len = 2;
  ret->examples.ptr = zeroed(2, sizeof *ret->examples.ptr);
  for (int at = 0; at < 2; at++) {
    ret->examples.ptr[at].name = text(EXAMPLES[at][0]);
    ret->examples.ptr[at].event = text(EXAMPLES[at][1]);
    ret->examples.ptr[at].expect = text(EXAMPLES[at][2]);
  }
}

bool exports_signalbox_rules_rule_configure(string *config, exports_signalbox_rules_rule_list_config_problem_t *err) {
  js root, value, list, key, item;
  memset(err, 0, sizeof *err);
  js_root(DEFAULT_WORDS, sizeof DEFAULT_WORDS - 1, &list);
  if (js_root((const char *)config->ptr, config->len, &root)) {
    if (js_get(root, "category", &value)) category = js_dup(value);
    if (js_get(root, "words", &value)) list = value;
    if (js_get(root, "urgency", &value)) {
      char *level = js_dup(value);
      for (uint8_t at = 0; at < 4; at++) {
        if (!strcmp(level, LEVELS[at])) urgency = at;
      }
      free(level);
    }
  }
  word_count = 0;
  js_it items = js_iter(list);
  for (int at = 0; word_count < MAX_WORDS && js_next(&items, &key, &item); at++) {
    char *word = words[word_count++] = js_dup(item);
    bool good = *word != 0;
    for (char *c = word; *c; c++) good = good && inside((uint8_t)*c);
    if (good) continue;
    char line[64];
    err->ptr = realloc(err->ptr, (err->len + 1) * sizeof *err->ptr);
    snprintf(line, sizeof line, "/words/%d", at);
    err->ptr[err->len].path = text(line);
    snprintf(line, sizeof line, "`%.16s` is not one word: letters and digits only", word);
    err->ptr[err->len++].message = text(line);
  }
  pure_rule_string_free(config);
  return err->len == 0;
}

bool exports_signalbox_rules_rule_evaluate(exports_signalbox_rules_rule_event_t *event, exports_signalbox_rules_rule_so_far_t *settled,
                                           exports_signalbox_rules_rule_verdict_t *ret, exports_signalbox_rules_rule_rule_error_t *err) {
  signalbox_rules_types_span_t hits[MAX_EVIDENCE];
  const uint8_t *raw = event->text.ptr;
  size_t length = event->text.len, found = 0;
  memset(ret, 0, sizeof *ret);
  for (size_t start = 0, end; start < length; start = end) {
    while (start < length && !inside(raw[start])) start++;
    for (end = start; end < length && inside(raw[end]);) end++;
    if (end > start && listed(raw + start, end - start)) {
      if (found < MAX_EVIDENCE) hits[found] = (signalbox_rules_types_span_t){start, end};
      found++;
    }
  }
  if (found) {
    size_t count = found < 4 ? found : 4, shown = found < MAX_EVIDENCE ? found : MAX_EVIDENCE;
    ret->proposals.len = 3;
    ret->proposals.ptr = zeroed(3, sizeof *ret->proposals.ptr);
    for (int at = 0; at < 3; at++) {
      signalbox_rules_types_proposal_t *proposal = &ret->proposals.ptr[at];
      size_t first = hits[0].end - hits[0].start;
      char *reason = malloc(first + 32);
      snprintf(reason, first + 32, "the text says “%.*s”", (int)first, raw + hits[0].start);
      proposal->reason = text(reason);
      free(reason);
      proposal->confidence = (float)((50 + 10 * (int)count) / 100.0);
      proposal->evidence.len = shown;
      proposal->evidence.ptr = zeroed(shown, sizeof *proposal->evidence.ptr);
      for (size_t hit = 0; hit < shown; hit++) {
        signalbox_rules_types_evidence_t *piece = &proposal->evidence.ptr[hit];
        piece->field = text("text");
        piece->span.is_some = true;
        piece->span.val = hits[hit];
        pure_rule_string_dup_n(&piece->text, (const char *)raw + hits[hit].start, hits[hit].end - hits[hit].start);
        piece->weight = 1;
      }
    }
    signalbox_rules_types_effect_t *effect = &ret->proposals.ptr[0].effect;
    effect->tag = SIGNALBOX_RULES_TYPES_EFFECT_CATEGORIZE;
    effect->val.categorize.key = text(category);
    effect = &ret->proposals.ptr[1].effect;
    effect->tag = SIGNALBOX_RULES_TYPES_EFFECT_FLAG_SENTIMENT;
    effect->val.flag_sentiment.label =
        count > 2 ? SIGNALBOX_RULES_TYPES_SENTIMENT_LABEL_VERY_NEGATIVE : SIGNALBOX_RULES_TYPES_SENTIMENT_LABEL_NEGATIVE;
    effect->val.flag_sentiment.score = (float)(-2 * (int)count / 10.0);
    effect = &ret->proposals.ptr[2].effect;
    effect->tag = SIGNALBOX_RULES_TYPES_EFFECT_SET_URGENCY;
    effect->val.set_urgency = urgency;
  }
  ret->flow = SIGNALBOX_RULES_TYPES_FLOW_NEXT;
  signalbox_rules_types_event_free(event);
  signalbox_rules_types_so_far_free(settled);
  return true;
}
