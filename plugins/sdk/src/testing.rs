//! Runs a rule's own examples natively, the way the upload gate runs them on wasm: for a plugin's unit tests.
//!
//! Reads the canonical JSON of an event and of what is settled, writes the canonical JSON of the proposals, and holds them
//! against `expect`. [`MockHost`] is a host for tests of one's own. Never linked into a guest that does not call it.

mod host;
mod services;

use std::cell::RefCell;

use serde_json::{Map, Value, json};

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use host::keep_line;
pub use host::{MockHost, examples_hold, logged};
pub(crate) use services::with_services;
pub use services::{Services, set_services};

use crate::*;

/// Runs one example on a freshly configured rule.
///
/// # Errors
/// A sentence with what was expected and what came.
pub fn run<R: Rule>(example: &Example) -> Result<(), String> {
    let read =
        |what: &str, text: &str| serde_json::from_str::<Value>(text).map_err(|e| format!("{}: {what} is not JSON: {e}", example.name));
    let services = example.services.as_deref().map_or(Ok(Value::Null), |s| read("services", s))?;
    let rule = R::configure(example.config.as_deref().unwrap_or("{}")).map_err(|p| format!("{}: config: {p:?}", example.name))?;
    let event = event(&read("event", &example.event)?);
    set_services(&services);
    let verdict = rule.evaluate(&event, &settled(&services["settled"])).map_err(|e| format!("{}: {e:?}", example.name))?;
    check(&read("expect", &example.expect)?, &verdict).map_err(|e| format!("{}: {e}", example.name))
}

/// Judges every line of stdin, with the first argument as the config, and writes its proposals as one line of JSON.
///
/// A line is the text of an event, or begins with `{"event"` and holds the event and what is `settled`. The training tool and the
/// quality figures of a plugin are made with it. The last line of stderr has the time.
///
/// # Panics
/// When the config is refused or a pipe breaks: this is a tool, never part of a guest.
#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::expect_used, reason = "a tool stops where something is wrong")]
pub fn judge_lines<R: Rule>() {
    use std::io::{BufRead, BufWriter, Write};
    let config = std::env::args().nth(1).unwrap_or_default();
    let rule = R::configure(&config).expect("the config is good");
    let mut out = BufWriter::new(std::io::stdout().lock());
    let (mut count, mut spent) = (0_u32, std::time::Duration::ZERO);
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("UTF-8");
        let case =
            if line.starts_with("{\"event\"") { serde_json::from_str(&line).expect("JSON") } else { json!({ "event": { "text": line } }) };
        let (event, settled) = (event(&case["event"]), settled(&case["settled"]));
        let from = std::time::Instant::now();
        let verdict = rule.evaluate(&event, &settled).expect("a verdict");
        spent += from.elapsed();
        count += 1;
        let came: Vec<Value> = verdict.proposals.iter().map(proposal).collect();
        writeln!(out, "{}", json!(came)).expect("stdout is open");
    }
    writeln!(std::io::stderr(), "{count} texts, {} ns each", spent.as_nanos() / u128::from(count.max(1))).expect("stderr is open");
}

/// Holds a verdict against an example's `expect`.
///
/// # Errors
/// The first expected proposal that is missing, or the first effect that should be absent.
pub fn check(expect: &Value, verdict: &Verdict) -> Result<(), String> {
    let came: Vec<Value> = verdict.proposals.iter().map(proposal).collect();
    let list = |key: &str| expect[key].as_array().cloned().unwrap_or_default();
    for wanted in list("proposals") {
        if !came.iter().any(|c| matches(&wanted, c)) {
            return Err(format!("expected {wanted}, came {}", json!(came)));
        }
    }
    for absent in list("absent") {
        let case = absent.as_str().unwrap_or_default().replace('-', "_");
        if let Some(found) = came.iter().find(|c| c["effect"]["type"] == *case) {
            return Err(format!("`{case}` should be absent, came {found}"));
        }
    }
    Ok(())
}

/// Whether `wanted` is part of `came`: objects by subset, arrays as sets, numbers within 1e-6 or between `min` and `max`.
pub fn matches(wanted: &Value, came: &Value) -> bool {
    match (wanted, came) {
        (Value::Object(range), Value::Number(n)) => {
            let n = n.as_f64().unwrap_or(f64::NAN);
            range.get("min").and_then(Value::as_f64).is_none_or(|min| n >= min)
                && range.get("max").and_then(Value::as_f64).is_none_or(|max| n <= max)
        }
        (Value::Object(wanted), Value::Object(came)) => wanted.iter().all(|(key, w)| came.get(key).is_some_and(|c| matches(w, c))),
        (Value::Array(wanted), Value::Array(came)) => wanted.iter().all(|w| came.iter().any(|c| matches(w, c))),
        (Value::Number(w), Value::Number(c)) => (w.as_f64().unwrap_or(f64::NAN) - c.as_f64().unwrap_or(f64::NAN)).abs() < 1e-6,
        _ => wanted == came,
    }
}

/// What a native run answers to [`crate::facts`].
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Who wrote it.
    pub author: Option<Author>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

thread_local! {
    static FACTS: RefCell<Facts> = RefCell::default();
}

pub(crate) fn with_facts<T>(read: impl FnOnce(&Facts) -> T) -> T {
    FACTS.with_borrow(read)
}

/// Puts the facts of the next native run on this thread in place.
pub fn set_facts(facts: Facts) {
    FACTS.set(facts);
}

/// The facts of an event of canonical JSON.
pub fn facts(json: &Value) -> Facts {
    Facts {
        author: json["author"].is_object().then(|| author(&json["author"])),
        attributes: json["attributes"].as_array().into_iter().flatten().filter_map(attribute).collect(),
    }
}

/// An event of canonical JSON, with its facts put in place for this thread. Only `id` and `text` are required; what is absent
/// stays unknown.
pub fn event(json: &Value) -> Event {
    set_facts(facts(json));
    let text = |key: &str| json[key].as_str().map(str::to_owned);
    let or = |key: &str, default: &str| text(key).unwrap_or_else(|| default.to_owned());
    Event {
        id: or("id", ""),
        revision: json["revision"].as_u64().unwrap_or(0) as u32,
        source: or("source", "test"),
        kind: or("kind", "message"),
        network: or("network", "unknown"),
        action: or("action", "created"),
        direction: if json["direction"] == "outbound" { Direction::Outbound } else { Direction::Inbound },
        visibility: match json["visibility"].as_str() {
            Some("public") => Visibility::Public,
            Some("followers") => Visibility::Followers,
            Some("private") => Visibility::Private,
            _ => Visibility::Unknown,
        },
        text: or("text", ""),
        title: text("title"),
        language: text("language"),
        thread_id: text("thread_id"),
        rating: json["rating"].as_f64(),
        occurred: None,
        received: 0,
    }
}

fn author(json: &Value) -> Author {
    let text = |key: &str| json[key].as_str().map(str::to_owned);
    Author {
        id: text("id"),
        handle: text("handle"),
        name: text("name"),
        followers: json["followers"].as_u64(),
        verified: json["verified"].as_bool(),
        vip: json["vip"].as_bool(),
        organisation: text("organisation"),
        staff: json["staff"].as_bool(),
        bot: json["bot"].as_bool(),
    }
}

fn attribute(json: &Value) -> Option<Attribute> {
    Some(Attribute { key: json["key"].as_str()?.to_owned(), value: attribute_value(&json["value"])? })
}

fn attribute_value(json: &Value) -> Option<AttributeValue> {
    let value = &json["value"];
    Some(match json["type"].as_str()? {
        "text" => AttributeValue::Text(value.as_str()?.to_owned()),
        "integer" => AttributeValue::Integer(value.as_i64()?),
        "decimal" => AttributeValue::Decimal(value.as_f64()?),
        "boolean" => AttributeValue::Boolean(value.as_bool()?),
        _ => AttributeValue::Texts(strings(value)),
    })
}

fn strings(json: &Value) -> Vec<String> {
    json.as_array().into_iter().flatten().filter_map(|s| s.as_str().map(str::to_owned)).collect()
}

/// What earlier steps settled, of canonical JSON.
pub fn settled(json: &Value) -> SoFar {
    let text = |key: &str| json[key].as_str().map(str::to_owned);
    let level = |key: &str| json[key].as_str().and_then(|name| LEVELS.iter().find(|l| level_name(**l) == name).copied());
    let sentiment = &json["sentiment"];
    SoFar {
        category: json["category"]["key"].as_str().map(|key| Category { key: key.to_owned(), path: strings(&json["category"]["path"]) }),
        intent: text("intent"),
        language: text("language"),
        sentiment: LABELS.iter().find(|l| sentiment["label"] == label_name(**l)).map(|label| Sentiment {
            label: *label,
            score: sentiment["score"].as_f64().unwrap_or(0.0) as f32,
            signals: strings(&sentiment["signals"]),
        }),
        urgency: level("urgency"),
        impact: level("impact"),
        priority: level("priority"),
        crisis: CRISES.iter().find(|c| json["crisis"] == crisis_name(**c)).copied().unwrap_or(Crisis::None),
        tags: strings(&json["tags"]),
        assignment: None,
        escalation: None,
        moderation: None,
        marks: strings(&json["marks"]),
        fields: Vec::new(),
    }
}

const LEVELS: [Level; 4] = [Level::Low, Level::Normal, Level::High, Level::Critical];
const LABELS: [SentimentLabel; 5] = [
    SentimentLabel::VeryNegative,
    SentimentLabel::Negative,
    SentimentLabel::Neutral,
    SentimentLabel::Positive,
    SentimentLabel::VeryPositive,
];
const CRISES: [Crisis; 4] = [Crisis::None, Crisis::Watch, Crisis::Likely, Crisis::Confirmed];

fn level_name(level: Level) -> &'static str {
    ["low", "normal", "high", "critical"][level as usize]
}

fn label_name(label: SentimentLabel) -> &'static str {
    ["very_negative", "negative", "neutral", "positive", "very_positive"][label as usize]
}

fn crisis_name(crisis: Crisis) -> &'static str {
    ["none", "watch", "likely", "confirmed"][crisis as usize]
}

/// The canonical JSON of a proposal.
pub fn proposal(proposal: &Proposal) -> Value {
    let evidence: Vec<Value> = proposal
        .evidence
        .iter()
        .map(|e| {
            let span = e.span.map(|s| json!({ "start": s.start, "end": s.end }));
            object([("field", json!(e.field)), ("span", json!(span)), ("text", json!(e.text)), ("weight", json!(e.weight))])
        })
        .collect();
    object([
        ("effect", effect(&proposal.effect)),
        ("reason", json!(proposal.reason)),
        ("confidence", json!(proposal.confidence)),
        ("rule_id", json!(proposal.rule_id)),
        ("evidence", json!(evidence)),
    ])
}

/// An object without its nulls: an absent option is an absent key.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>())
}

fn effect(effect: &Effect) -> Value {
    let (case, value) = match effect {
        Effect::Categorize(c) => ("categorize", json!({ "key": c.key, "path": c.path })),
        Effect::SetIntent(s) => ("set_intent", json!(s)),
        Effect::SetLanguage(s) => ("set_language", json!(s)),
        Effect::FlagSentiment(s) => ("flag_sentiment", json!({ "label": label_name(s.label), "score": s.score, "signals": s.signals })),
        Effect::SetUrgency(l) => ("set_urgency", json!(level_name(*l))),
        Effect::SetImpact(l) => ("set_impact", json!(level_name(*l))),
        Effect::SetPriority(l) => ("set_priority", json!(level_name(*l))),
        Effect::SetCrisis(c) => ("set_crisis", json!(crisis_name(*c))),
        Effect::Tag(s) => ("tag", json!(s)),
        Effect::Untag(s) => ("untag", json!(s)),
        Effect::Assign(a) => (
            "assign",
            object([("queue", json!(a.queue)), ("assignee", json!(a.assignee)), ("skill", json!(a.skill)), ("on_call", json!(a.on_call))]),
        ),
        Effect::Escalate(e) => ("escalate", json!({ "level": e.level, "audience": e.audience })),
        Effect::SetSla(s) => {
            let clock = ["first_response", "next_response", "resolution"][s.clock as usize];
            ("set_sla", object([("clock", json!(clock)), ("target_seconds", json!(s.target_seconds)), ("calendar", json!(s.calendar))]))
        }
        Effect::DraftReply(r) => {
            let visibility = ["public", "followers", "private", "unknown"][r.visibility as usize];
            let approval = ["none", "agent", "supervisor", "pr"][r.approval as usize];
            let reply = [
                ("body", json!(r.body)),
                ("visibility", json!(visibility)),
                ("language", json!(r.language)),
                ("auto", json!(r.auto)),
                ("approval", json!(approval)),
            ];
            ("draft_reply", object(reply))
        }
        Effect::SuggestArticle(a) => {
            ("suggest_article", object([("id", json!(a.id)), ("title", json!(a.title)), ("url", json!(a.url)), ("score", json!(a.score))]))
        }
        Effect::Relate(l) => {
            let kinds = ["incident", "problem", "change", "service", "asset", "duplicate_of", "thread_parent", "similar"];
            ("relate", json!({ "kind": kinds[l.kind as usize], "id": l.id, "score": l.score }))
        }
        Effect::Moderate(m) => ("moderate", json!(["ignore", "hide", "mark_spam", "delete", "block_author"][*m as usize])),
        Effect::RaiseAlert(a) => {
            ("raise_alert", json!({ "audience": a.audience, "text": a.text, "dedupe_key": a.dedupe_key, "level": level_name(a.level) }))
        }
        Effect::ActOnTicket(t) => {
            let action = ["create", "update", "reopen", "merge", "close"][t.action as usize];
            ("act_on_ticket", object([("action", json!(action)), ("target", json!(t.target)), ("title", json!(t.title))]))
        }
        Effect::Watch(s) => ("watch", json!(s)),
        Effect::SetField(f) => ("set_field", json!({ "field": f.field })),
        Effect::Note(s) => ("note", json!(s)),
        Effect::Mark(s) => ("mark", json!(s)),
        Effect::Extension(e) => ("extension", json!({ "kind": e.kind, "payload": e.payload })),
    };
    json!({ "type": case, "value": value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subset_matches_and_a_stranger_does_not() {
        let came = json!({"effect": {"type": "escalate", "value": {"level": 2, "audience": ["on-call", "pr"]}}, "confidence": 0.5});
        for (wanted, fits) in [
            (json!({"effect": {"value": {"audience": ["pr"]}}}), true),
            (json!({"confidence": {"min": 0.4, "max": 0.6}}), true),
            (json!({"confidence": {"min": 0.6}}), false),
            (json!({"effect": {"value": {"audience": ["legal"]}}}), false),
            (json!({"rule_id": "x"}), false),
        ] {
            assert_eq!(matches(&wanted, &came), fits, "{wanted}");
        }
    }

    #[test]
    fn what_an_event_does_not_say_is_unknown() {
        let event = event(&json!({"id": "1", "text": "hi", "author": {"handle": "@a"}}));
        let author = crate::facts::author().unwrap();
        assert_eq!((author.followers, author.vip, event.rating, event.visibility), (None, None, None, Visibility::Unknown));
    }
}
