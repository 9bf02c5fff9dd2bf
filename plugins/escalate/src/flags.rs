//! Words of the config in the text, the red flags they raise, and the alerts. Called by the core; pure.

use signalbox_sdk::text::{HYPOTHETICAL, NEGATED, QUOTED, Text};
use signalbox_sdk::{Alert, Effect, Escalation, Evidence, Proposal};

use crate::config::{Says, Tables};
use crate::decide::{Heard, Input, fact, words, written};
use crate::learned::{Learned, Matter};
use crate::names::{Feeling, Step};
use crate::table::{RedFlag, Route};

/// Words that are noted: what stands in more has been said.
const MAX_HEARD: usize = 64;
/// Evidence of one proposal.
pub(crate) const MAX_EVIDENCE: usize = 8;

/// One pass over a field.
pub(crate) fn listen(field: &'static str, read: &Text, tables: &Tables, heard: &mut Vec<Heard>) {
    for (at, token) in read.tokens.iter().enumerate() {
        for (end, says) in tables.lexicon.at(read, at) {
            let doubtful = match says {
                Says::Flag(flag) if tables.red_flags[usize::from(*flag)].cautious => QUOTED,
                Says::Flag(_) | Says::Hint(_) => QUOTED | NEGATED | HYPOTHETICAL,
                _ => QUOTED | NEGATED,
            };
            let says = match says {
                Says::Flag(flag) if token.is(doubtful) => Says::Denied(*flag),
                // "Never hacked" speaks against it as well; where people may be hurt, only the flag's own words do.
                Says::Hint(flag) if token.is(doubtful) && !tables.red_flags[usize::from(*flag)].cautious => Says::Denied(*flag),
                _ if token.is(doubtful) => continue,
                says => *says,
            };
            if heard.len() < MAX_HEARD {
                heard.push(Heard { says, field, start: token.start, end: read.tokens[end - 1].end });
            }
        }
    }
}

/// A flag, why it is raised, and how sure that is.
pub(crate) type Raised<'a> = (&'a RedFlag, Vec<Evidence>, f32);
/// How sure a flag is that words or signals raise.
const NAMED: f32 = 0.85;
/// How sure the model must be against what speaks for the contrary.
const DOUBTED: f32 = 0.8;

/// The red flags that words, earlier signals or the model raise, with why.
pub(crate) fn raised<'a>(input: &Input<'_>, tables: &'a Tables, heard: &[Heard], learned: Option<&Learned>) -> Vec<Raised<'a>> {
    let mut raised = Vec::new();
    for (at, flag) in tables.red_flags.iter().enumerate() {
        // What is over needs nobody woken up; from level 2 on somebody looks all the same.
        if input.resolved() && flag.level < 2 {
            continue;
        }
        let mut why: Vec<Evidence> =
            flag.signals.iter().filter(|s| input.signals().contains(s)).map(|s| fact("sentiment.signals", s, 0.5)).collect();
        // Words alone wake nobody where the whole of the text says otherwise.
        if learned.is_none_or(|learned| learned.likely() >= flag.least) {
            why.extend(heard.iter().filter(|h| matches!(h.says, Says::Flag(f) if usize::from(f) == at)).map(|h| words(input, h, 0.5)));
        }
        // A hint is no alarm by itself: it needs a model that is half persuaded.
        if why.is_empty() && learned.is_some_and(|learned| learned.most() >= flag.hinted) {
            why.extend(heard.iter().filter(|h| matches!(h.says, Says::Hint(f) if usize::from(f) == at)).map(|h| words(input, h, 0.4)));
        }
        let mut sure = NAMED;
        if let (true, Some(matter), Some(learned)) = (why.is_empty(), flag.learned, learned)
            && learned.chance(matter) >= least(input, flag, at, heard)
        {
            (why, sure) = (learned.why(matter, input), learned.chance(matter));
        }
        why.truncate(MAX_EVIDENCE);
        if !why.is_empty() {
            raised.push((flag, why, sure));
        }
    }
    raised
}

/// How sure the model must be: surer where the flag's own words stand there denied, supposed or quoted, and where something is
/// grave that the author is not unhappy about.
fn least(input: &Input<'_>, flag: &RedFlag, at: usize, heard: &[Heard]) -> f32 {
    let denied = heard.iter().any(|h| matches!(h.says, Says::Denied(f) if usize::from(f) == at));
    let calm = flag.learned == Some(Matter::Grave) && input.feeling().is_some_and(|feeling| feeling >= Feeling::Neutral);
    if denied || calm { flag.sure.max(DOUBTED) } else { flag.sure }
}

/// A red flag: a level, a tag, an alert at once, a note. Never a reply.
pub(crate) fn raise(input: &Input<'_>, (flag, why, sure): &Raised<'_>, route: Option<&Route>, out: &mut Vec<Proposal>) {
    let id = flag.id.as_str();
    let heard =
        why.iter().map(|e| if e.span.is_some() { format!("“{}”", e.text) } else { e.text.clone() }).take(3).collect::<Vec<_>>().join(", ");
    let escalation = Escalation { level: flag.level, audience: flag.audience.clone(), due: None };
    out.push(written(Effect::Escalate(escalation), format!("red flag “{id}”: {heard}"), *sure, id, why.clone()));
    out.push(written(Effect::Tag(format!("red-flag:{id}")), format!("red flag “{id}”: {heard}"), *sure, id, why.clone()));
    if let Some(note) = &flag.note {
        out.push(written(Effect::Note(note.clone()), format!("the note of the red flag “{id}”"), *sure, id, why.clone()));
    }
    let told = route.and_then(|r| r.then.alert.as_ref()).map(|a| a.audience.as_str());
    if let (Some(level), Some(audience)) = (flag.alert, flag.audience.first().filter(|a| told != Some(a.as_str()))) {
        let key = format!("{audience}:{id}:{}", input.conversation());
        out.push(written(
            alarm(input, audience, id, level, key, &heard),
            format!("red flag “{id}” alerts {audience} at once"),
            *sure,
            id,
            why.clone(),
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
