//! A plugin that asks the host on request: the words of the event's text say what.
//!
//! `row TABLE KEY` and `rows TABLE N` note what a table says, `thread ID N` earlier messages, `history` what was proposed before, `open NAME`
//! and `due NAME` what a calendar says. `count KEY [WINDOW]` counts and tags the count, `twice KEY` counts twice and reads it back, `get`,
//! `set KEY VALUE [TTL]`, `delete` and `swap KEY OLD NEW` are what they say, `fill N BYTES` writes so many keys. `count-and-trap KEY` and
//! `count-and-fail KEY` count and fault. Anything else is a plain tag.

use signalbox_sdk::lookup::{self, LookupError, Row};
use signalbox_sdk::state::{self, StateError};
use signalbox_sdk::{
    AttributeValue, ConfigProblem, Description, Effect, Event, Example, Flow, Permission, Rule, RuleError, SoFar, Verdict, clock, proposal,
};

struct Curious;

impl Rule for Curious {
    fn describe() -> Description {
        let permission = |grant: &str, reason: &str| Permission { grant: grant.to_owned(), reason: reason.to_owned() };
        let example = |name: &str, text: &str, services: &str, expect: &str| Example {
            name: name.to_owned(),
            event: format!(r#"{{"id": "1", "text": "{text}"}}"#),
            config: None,
            services: Some(services.to_owned()),
            expect: format!(r#"{{"proposals": [{{"effect": {expect}}}]}}"#),
        };
        Description {
            name: "curious".to_owned(),
            version: "1.0.0".to_owned(),
            summary: "Asks the host on request".to_owned(),
            homepage: None,
            license: None,
            event_kinds: Vec::new(),
            effects: ["tag", "note"].map(str::to_owned).to_vec(),
            requests: vec![
                permission("state", "to count what comes again"),
                permission("lookup:services", "to know which service is down"),
                permission("lookup:thread", "to read what was said before"),
            ],
            config_schema: r#"{"type": "object"}"#.to_owned(),
            examples: vec![
                example(
                    "a row",
                    "row services vpn",
                    r#"{"lookup": {"tables": {"services": {"vpn": {"status": "down", "users": 120}}}}}"#,
                    r#"{"type": "note", "value": "status=down users=120"}"#,
                ),
                example("a count goes on", "count k", r#"{"state": {"k": 41}}"#, r#"{"type": "tag", "value": "count-42"}"#),
                example(
                    "the example's clock and calendar",
                    "open office",
                    r#"{"clock": "2026-01-02T09:00:00Z", "lookup": {"calendars": {"office": {"open": true}}}}"#,
                    r#"{"type": "note", "value": "open true at 1767344400000"}"#,
                ),
                example(
                    "what was proposed before",
                    "history",
                    r#"{"lookup": {"history": [{"step": "first", "proposal": {"effect": {"type": "tag", "value": "t"}, "reason": "r", "confidence": 0.5}}]}}"#,
                    r#"{"type": "note", "value": "first"}"#,
                ),
                example(
                    "earlier messages",
                    "thread t1 5",
                    r#"{"lookup": {"thread": [{"id": "0", "text": "before"}]}}"#,
                    r#"{"type": "note", "value": "before"}"#,
                ),
            ],
        }
    }

    fn configure(_config: &str) -> Result<Self, Vec<ConfigProblem>> {
        Ok(Self)
    }

    fn evaluate(&self, event: &Event, _settled: &SoFar) -> Result<Verdict, RuleError> {
        let words: Vec<&str> = event.text.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u32>().ok());
        let word = |at: usize| words.get(at).copied().unwrap_or_default();
        let effect = match word(0) {
            "row" => Effect::Note(told(lookup::row(word(1), word(2)).map(|row| row.map_or("nothing".to_owned(), |row| line(&row))))),
            "rows" => Effect::Note(told(
                lookup::rows(word(1), number(2).unwrap_or(10))
                    .map(|rows| rows.iter().map(|(key, row)| format!("{key}: {}", line(row))).collect::<Vec<_>>().join("; ")),
            )),
            "thread" => Effect::Note(told(
                lookup::thread(word(1), number(2).unwrap_or(10))
                    .map(|events| events.iter().map(|event| event.text.as_str()).collect::<Vec<_>>().join("; ")),
            )),
            "history" => {
                let prior = lookup::history()?;
                Effect::Note(prior.iter().map(|prior| prior.step.as_str()).collect::<Vec<_>>().join(" "))
            }
            "open" => {
                let now = clock::now();
                Effect::Note(told(lookup::open_at(word(1), now).map(|open| format!("open {open} at {now}"))))
            }
            "due" => Effect::Note(told(lookup::due_at(word(1), clock::now(), 3_600).map(|due| format!("due {due}")))),
            "count" => Effect::Tag(format!("count-{}", state::increment(word(1), 1, number(2))?)),
            "twice" => {
                state::increment(word(1), 1, None)?;
                state::increment(word(1), 1, None)?;
                Effect::Tag(format!("read-{}", state::text(word(1))?.unwrap_or_default()))
            }
            "get" => Effect::Note(state::text(word(1))?.unwrap_or("nothing".to_owned())),
            "set" => {
                state::set(word(1), word(2).as_bytes(), number(3))?;
                Effect::Note("kept".to_owned())
            }
            "delete" => {
                state::delete(word(1))?;
                Effect::Note("gone".to_owned())
            }
            "swap" => Effect::Note(match state::compare_and_set(word(1), Some(word(2).as_bytes()), word(3).as_bytes()) {
                Ok(()) => "swapped".to_owned(),
                Err(StateError::Conflict) => "conflict".to_owned(),
                Err(other) => return Err(other.into()),
            }),
            "fill" => {
                let value = vec![7; number(2).unwrap_or(1) as usize];
                for at in 0..number(1).unwrap_or(1) {
                    state::set(&format!("fill-{at}"), &value, None)?;
                }
                Effect::Note("filled".to_owned())
            }
            "count-and-trap" => {
                state::increment(word(1), 1, None)?;
                panic!("told to trap")
            }
            "count-and-fail" => {
                state::increment(word(1), 1, None)?;
                return Err(RuleError::Failed("told to fail".to_owned()));
            }
            _ => Effect::Tag("plain".to_owned()),
        };
        Ok(Verdict { proposals: vec![proposal(effect, "told to", 0.5)], flow: Flow::Next })
    }
}

fn told(answer: Result<String, LookupError>) -> String {
    match answer {
        Ok(answer) => answer,
        Err(LookupError::NotGranted(why)) => format!("not granted: {why}"),
        Err(LookupError::Unavailable(why)) => format!("unavailable: {why}"),
    }
}

fn line(row: &Row) -> String {
    let value = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Integer(number) => number.to_string(),
        AttributeValue::Decimal(number) => number.to_string(),
        AttributeValue::Boolean(truth) => truth.to_string(),
        AttributeValue::Texts(texts) => texts.join(","),
    };
    row.0.iter().map(|column| format!("{}={}", column.key, value(&column.value))).collect::<Vec<_>>().join(" ")
}

signalbox_sdk::plugin!(Curious);
