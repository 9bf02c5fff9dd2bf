//! The facts of one decision: what is read of its JSON, and what it counts for.
//!
//! It reads the recorded text, not the types of a decision: most of one is evidence, which nobody counts. Foreign keys are passed over, so
//! that what an earlier version has recorded counts too.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{ACTED, Alike, Counts, HOUR_MS, Key, Kind, MINUTE_MS, SHADOW, Sums};

/// Longest name, characters: rules and categories have short ones.
const NAME_CHARS: usize = 100;
/// Where there is none.
const NONE: &str = "none";

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    chain: Cow<'a, str>,
    follows: Option<IgnoredAny>,
    degraded: bool,
    #[serde(borrow)]
    category: Category<'a>,
    #[serde(borrow)]
    sentiment: Option<Sentiment<'a>>,
    #[serde(borrow)]
    priority: Option<Cow<'a, str>>,
    #[serde(borrow)]
    escalation: Escalation<'a>,
    #[serde(borrow)]
    trace: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Category<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Sentiment<'a> {
    #[serde(borrow)]
    label: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Escalation<'a> {
    level: u8,
    #[serde(borrow, default)]
    audience: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    plugin: Cow<'a, str>,
    #[serde(borrow)]
    outcome: Cow<'a, str>,
    #[serde(default)]
    shadow: bool,
    #[serde(borrow, default)]
    set: Vec<Set<'a>>,
    micros: u64,
    fuel: u64,
}

#[derive(Deserialize)]
struct Set<'a> {
    #[serde(borrow)]
    field: Cow<'a, str>,
    #[serde(borrow)]
    rule_id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    network: Option<Cow<'a, str>>,
}

/// Adds one decision to what others come to.
pub(super) fn take(counts: &mut Counts, source: &str, decided: i64, decision: &str, event: &str) -> Result<(), serde_json::Error> {
    let told: Told<'_> = serde_json::from_str(decision)?;
    let message: Message<'_> = serde_json::from_str(event)?;
    let sentiment = told.sentiment.as_ref().map(|sentiment| &*sentiment.label);
    let alike = Alike {
        minute: decided - decided.rem_euclid(MINUTE_MS),
        category: told.category.key.to_string(),
        sentiment: sentiment.unwrap_or_default().to_owned(),
        escalation: told.escalation.level,
        degraded: told.degraded,
    };
    *counts.minutes.entry(alike).or_default() += 1;
    let mut facts = Facts { counts, source, hour: decided - decided.rem_euclid(HOUR_MS) };
    // The same message again, because a clock has come due, is no other message.
    if told.follows.is_none() {
        facts.once(Kind::Network, message.network.as_deref().unwrap_or(NONE));
        facts.once(Kind::Category, &told.category.key);
        facts.once(Kind::Sentiment, sentiment.unwrap_or(NONE));
        facts.once(Kind::Priority, told.priority.as_deref().unwrap_or(NONE));
    }
    facts.once(Kind::Level, &told.escalation.level.to_string());
    told.escalation.audience.iter().for_each(|audience| facts.once(Kind::Audience, audience));
    told.trace.iter().for_each(|entry| facts.step(&told.chain, entry));
    Ok(())
}

struct Facts<'a> {
    counts: &'a mut Counts,
    source: &'a str,
    hour: i64,
}

impl Facts<'_> {
    fn once(&mut self, kind: Kind, name: &str) {
        self.note(kind, [name, "", ""], Sums { n: 1, ..Sums::default() });
    }

    fn step(&mut self, chain: &str, entry: &Entry<'_>) {
        let step = entry.name.as_ref().unwrap_or(&entry.plugin);
        let whole = |number| i64::try_from(number).unwrap_or(i64::MAX);
        let once = Sums { n: 1, ..Sums::default() };
        self.note(Kind::Step, [step, chain, &entry.outcome], Sums { sum: whole(entry.micros), fuel: whole(entry.fuel), ..once });
        if !entry.set.is_empty() {
            self.note(Kind::Step, [step, chain, ACTED], once);
        }
        if entry.shadow {
            return self.note(Kind::Step, [step, chain, SHADOW], once);
        }
        for set in &entry.set {
            self.note(Kind::Reason, [step, &set.field, set.rule_id.as_deref().unwrap_or_default()], once);
        }
    }

    fn note(&mut self, kind: Kind, [name, part, rule]: [&str; 3], sums: Sums) {
        let [name, part, rule] = [name, part, rule].map(short);
        self.counts.note(Key { kind, hour: self.hour, source: self.source.to_owned(), name, part, rule }, sums);
    }
}

/// A name that is no longer than names are.
pub(in super::super) fn short(name: &str) -> String {
    name.char_indices().nth(NAME_CHARS).map_or(name, |(end, _)| &name[..end]).to_owned()
}
