//! Whether a desk's people agree with a decision: what a ticket shows, held against what was decided, field by field.
//!
//! The source says what the ticket shows ([`Seen`]), the journal keeps what came of it. Pure. A value that the ticket had before it was decided
//! says nothing: nobody has touched it. It does once the ticket has had the decision's own value, because then somebody took that back.

use crate::decision::Decision;
use crate::event::{AttributeValue, Event};

/// The attribute of a canonical event that tells the ticket's category.
pub const CATEGORY: &str = "category";
/// Longest value that is kept, characters.
const MAX_CHARS: usize = 100;

/// A value as a ticket shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// In the desk's own words.
    pub desk: String,
    /// In the words of decisions: one, or several where the desk has one word for them.
    pub means: Vec<String>,
}

impl Said {
    /// A value that the desk says in the words of decisions.
    pub fn plainly(desk: String) -> Self {
        Self { means: vec![desk.clone()], desk }
    }
}

/// What a ticket shows of what decisions settle. What the desk does not say is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// What it is about.
    pub category: Option<Said>,
    /// How soon.
    pub priority: Option<Said>,
    /// Who works on it.
    pub queue: Option<Said>,
}

impl Seen {
    /// Whether it shows nothing of them.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What can be agreed about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// [`Seen::category`].
    Category,
    /// [`Seen::priority`].
    Priority,
    /// [`Seen::queue`].
    Queue,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 3] = [Self::Category, Self::Priority, Self::Queue];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Priority => "priority",
            Self::Queue => "queue",
        }
    }

    /// Where a decision's trace tells who set it.
    const fn pointer(self) -> &'static str {
        match self {
            Self::Category => "/category",
            Self::Priority => "/priority",
            Self::Queue => "/assignment",
        }
    }
}

/// One field of a decision that a ticket has something to say about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The field.
    pub field: Field,
    /// The step that settled it; empty when none did.
    pub step: String,
    /// The rule of that step.
    pub rule: String,
    /// What was decided.
    pub ours: String,
    /// What the ticket shows: the same word where they agree.
    pub theirs: String,
}

/// Holds a ticket against the decision about its latest message. `known` says of a field whether the ticket was held against this decision
/// before, with a value that counted.
pub fn judge(decision: &Decision, event: &Event, seen: &Seen, known: impl Fn(Field) -> bool) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    for field in Field::ALL {
        let (Some(said), Some(ours)) = (said(seen, field), ours(decision, field)) else { continue };
        let agrees = said.means.iter().any(|word| ours.iter().any(|own| same(own, word)));
        let untouched = before(event, field).is_some_and(|before| same(&before, &said.desk));
        let Some(word) = said.means.first() else { continue };
        if !agrees && untouched && !known(field) {
            continue;
        }
        let (step, rule) = settled_by(decision, field);
        let own = cut(&ours[0]);
        let theirs = if agrees { own.clone() } else { cut(word) };
        judgements.push(Judgement { field, step, rule, ours: own, theirs });
    }
    judgements
}

fn said(seen: &Seen, field: Field) -> Option<&Said> {
    match field {
        Field::Category => seen.category.as_ref(),
        Field::Priority => seen.priority.as_ref(),
        Field::Queue => seen.queue.as_ref(),
    }
}

/// The decision's value, and other ways to say it; the first is its own.
fn ours(decision: &Decision, field: Field) -> Option<Vec<String>> {
    match field {
        Field::Category => {
            let category = &decision.category;
            let names = [category.path.join(" > "), category.path.last().cloned().unwrap_or_default()];
            Some([category.key.clone()].into_iter().chain(names.into_iter().filter(|name| !name.is_empty())).collect())
        }
        Field::Priority => {
            let level = serde_json::to_value(decision.priority?).ok()?;
            Some(vec![level.as_str()?.to_owned()])
        }
        Field::Queue => Some(vec![decision.assignment.as_ref()?.queue.clone()?]),
    }
}

/// What the ticket showed when it was decided.
fn before(event: &Event, field: Field) -> Option<String> {
    let ticket = event.ticket.as_ref();
    match field {
        Field::Category => category(event),
        Field::Priority => ticket?.priority.clone(),
        Field::Queue => ticket?.queue.clone(),
    }
}

/// The category that a canonical event tells of its ticket.
pub fn category(event: &Event) -> Option<String> {
    let attribute = event.attributes.iter().find(|one| one.key == CATEGORY)?;
    match &attribute.value {
        AttributeValue::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// The step and the rule that had the last word.
fn settled_by(decision: &Decision, field: Field) -> (String, String) {
    let live = decision.trace.iter().rev().filter(|entry| !entry.shadow);
    let mut set = live.flat_map(|entry| entry.set.iter().rev().map(move |set| (entry, set)));
    set.find(|(_, set)| set.field == field.pointer()).map_or_else(Default::default, |(entry, set)| {
        (cut(entry.name.as_ref().unwrap_or(&entry.plugin)), cut(set.rule_id.as_deref().unwrap_or_default()))
    })
}

/// Desks write one word in many ways: "Service Desk", "service-desk".
fn same(one: &str, other: &str) -> bool {
    let plain = |text: &str| {
        text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect::<String>()
    };
    plain(one) == plain(other)
}

fn cut(text: &str) -> String {
    text.char_indices().nth(MAX_CHARS).map_or(text, |(end, _)| &text[..end]).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decision() -> Decision {
        let set = |field: &str, rule: &str| json!({ "field": field, "to": 1, "reason": "r", "confidence": 1.0, "rule_id": rule });
        let entry = |plugin: &str, set: Vec<serde_json::Value>| json!({ "step": 1, "plugin": plugin, "version": "1", "digest": "", "outcome": "ran", "set": set, "micros": 1, "fuel": 1, "memory_bytes": 1 });
        let mut shadow = entry("newer", vec![set("/category", "s")]);
        shadow["shadow"] = true.into();
        serde_json::from_value(json!({
            "id": "d", "event_id": "e", "revision": 0, "source": "desk", "chain": "main", "generation": "g", "decided": "2026-11-01T09:00:01Z",
            "degraded": false, "category": { "key": "billing-refund", "path": ["Billing", "Refund"] }, "crisis": "none", "confidence": {}, "tags": {},
            "priority": "high", "assignment": { "queue": "Billing Team" }, "escalation": { "level": 0 },
            "trace": [entry("categorize", vec![set("/category", "a"), set("/category", "b")]), entry("escalate", vec![set("/priority", "p"), set("/assignment", "q")]), shadow],
        }))
        .unwrap()
    }

    fn event(ticket: serde_json::Value) -> Event {
        Event::from_json(json!({ "id": "e", "text": "t", "ticket": ticket }).to_string().as_bytes()).unwrap().event
    }

    fn seen(category: &str, priority: &[&str], queue: &str) -> Seen {
        let several = |means: &[&str]| Said { desk: "3 high".to_owned(), means: means.iter().map(|word| (*word).to_owned()).collect() };
        Seen {
            category: Some(Said::plainly(category.to_owned())),
            priority: Some(several(priority)),
            queue: Some(Said::plainly(queue.to_owned())),
        }
    }

    fn told(judgements: &[Judgement]) -> Vec<String> {
        judgements.iter().map(|j| format!("{} {}/{} {} {}", j.field.word(), j.step, j.rule, j.ours, j.theirs)).collect()
    }

    #[test]
    fn each_field_goes_to_the_rule_that_had_the_last_word() {
        let found = judge(&decision(), &event(json!(null)), &seen("Hardware", &["high", "critical"], "billing-team"), |_| false);
        let wanted = [
            "category categorize/b billing-refund Hardware",
            "priority escalate/p high high",
            "queue escalate/q Billing Team Billing Team",
        ];
        assert_eq!(told(&found), wanted);
        assert_eq!(judge(&decision(), &event(json!(null)), &seen("refund", &["low"], "X"), |_| false).len(), 3);
    }

    #[test]
    fn what_nobody_touched_says_nothing_until_the_ticket_has_had_the_decisions_value() {
        let event = event(json!({ "id": "1", "priority": "3 high", "queue": "Users" }));
        let seen = Seen { category: None, ..seen("", &["normal"], "users") };
        assert_eq!(judge(&decision(), &event, &seen, |_| false), []);
        let back = judge(&decision(), &event, &seen, |field| field == Field::Queue);
        assert_eq!(told(&back), ["queue escalate/q Billing Team users"]);
    }

    #[test]
    fn a_word_that_means_no_level_and_a_field_that_was_not_decided_are_left_out() {
        let mut none = decision();
        (none.assignment, none.trace) = (None, Vec::new());
        let found = judge(&none, &event(json!(null)), &seen("other", &[], "X"), |_| false);
        assert_eq!(told(&found), ["category / billing-refund other"], "no step settled it");
    }
}
