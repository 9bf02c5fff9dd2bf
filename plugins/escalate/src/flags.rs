//! Words of the config in the text, the red flags they raise, and the alerts. Called by the core; pure.

use signalbox_sdk::text::{HYPOTHETICAL, NEGATED, QUOTED, Text};
use signalbox_sdk::{Alert, Effect, Escalation, Evidence, Proposal};

use crate::config::{Says, Tables};
use crate::decide::{Heard, Input, fact, words, written};
use crate::names::Step;
use crate::table::{RedFlag, Route};

/// Words that are noted: what stands in more has been said.
const MAX_HEARD: usize = 64;
/// Evidence of one proposal.
pub(crate) const MAX_EVIDENCE: usize = 8;

/// One pass over a field.
pub(crate) fn listen(field: &'static str, text: &str, tables: &Tables, heard: &mut Vec<Heard>) {
    let read = Text::read(text);
    for (at, token) in read.tokens.iter().enumerate() {
        for (end, says) in tables.lexicon.at(&read, at) {
            let doubtful = match says {
                Says::Flag(flag) if tables.red_flags[usize::from(*flag)].cautious => QUOTED,
                Says::Flag(_) => QUOTED | NEGATED | HYPOTHETICAL,
                _ => QUOTED | NEGATED,
            };
            if !token.is(doubtful) && heard.len() < MAX_HEARD {
                heard.push(Heard { says: *says, field, start: token.start, end: read.tokens[end - 1].end });
            }
        }
    }
}

/// A flag, and why it is raised.
pub(crate) type Raised<'a> = (&'a RedFlag, Vec<Evidence>);

/// The red flags that words or earlier signals raise, with why.
pub(crate) fn raised<'a>(input: &Input<'_>, tables: &'a Tables, heard: &[Heard]) -> Vec<Raised<'a>> {
    let mut raised = Vec::new();
    for (at, flag) in tables.red_flags.iter().enumerate() {
        // What is over needs nobody woken up; from level 2 on somebody looks all the same.
        if input.resolved() && flag.level < 2 {
            continue;
        }
        let mut why: Vec<Evidence> =
            flag.signals.iter().filter(|s| input.signals().contains(s)).map(|s| fact("sentiment.signals", s, 0.5)).collect();
        why.extend(heard.iter().filter(|h| matches!(h.says, Says::Flag(f) if usize::from(f) == at)).map(|h| words(input, h, 0.5)));
        why.truncate(MAX_EVIDENCE);
        if !why.is_empty() {
            raised.push((flag, why));
        }
    }
    raised
}

/// A red flag: a level, a tag, an alert at once, a note. Never a reply.
pub(crate) fn raise(input: &Input<'_>, flag: &RedFlag, why: &[Evidence], route: Option<&Route>, out: &mut Vec<Proposal>) {
    let id = flag.id.as_str();
    let heard =
        why.iter().map(|e| if e.span.is_some() { format!("“{}”", e.text) } else { e.text.clone() }).take(3).collect::<Vec<_>>().join(", ");
    let escalation = Escalation { level: flag.level, audience: flag.audience.clone(), due: None };
    out.push(written(Effect::Escalate(escalation), format!("red flag “{id}”: {heard}"), 0.85, id, why.to_vec()));
    out.push(written(Effect::Tag(format!("red-flag:{id}")), format!("red flag “{id}”: {heard}"), 0.85, id, why.to_vec()));
    if let Some(note) = &flag.note {
        out.push(written(Effect::Note(note.clone()), format!("the note of the red flag “{id}”"), 0.85, id, why.to_vec()));
    }
    let told = route.and_then(|r| r.then.alert.as_ref()).map(|a| a.audience.as_str());
    if let (Some(level), Some(audience)) = (flag.alert, flag.audience.first().filter(|a| told != Some(a.as_str()))) {
        let key = format!("{audience}:{id}:{}", input.conversation());
        out.push(written(
            alarm(input, audience, id, level, key, &heard),
            format!("red flag “{id}” alerts {audience} at once"),
            0.85,
            id,
            why.to_vec(),
        ));
    }
}

pub(crate) fn alarm(input: &Input<'_>, audience: &str, what: &str, level: Step, dedupe_key: String, heard: &str) -> Effect {
    let mut text = format!("{what}: a {} {} on {}", input.visibility.name(), input.kind, input.network);
    if !heard.is_empty() {
        text = format!("{text} says {heard}");
    }
    Effect::RaiseAlert(Alert { audience: audience.to_owned(), text: text.chars().take(500).collect(), dedupe_key, level: level.into() })
}
