//! How urgent, how wide, how loud, and whether it may be a crisis. Called by the core; pure.

use signalbox_sdk::Evidence;

use crate::config::{Says, Tables};
use crate::decide::{Heard, Input, fact, words};
use crate::flags::MAX_EVIDENCE;
use crate::names::{Alarm, Feeling, Seen, Step};
use crate::table::Route;

/// A step on the scale, and what spoke for it.
pub(crate) struct Weighed {
    pub(crate) step: Step,
    pub(crate) why: Vec<Evidence>,
}

impl Weighed {
    /// One sentence.
    pub(crate) fn reason(&self, of: &str) -> String {
        let spoke: Vec<String> = self
            .why
            .iter()
            .take(3)
            .map(|e| if e.span.is_some() { format!("“{}”", e.text) } else { format!("{} {}", e.field, e.text) })
            .collect();
        if spoke.is_empty() {
            format!("{} {of}, as nothing says otherwise", self.step.name())
        } else {
            format!("{} {of}: {}", self.step.name(), spoke.join(", "))
        }
    }

    fn at_least(&mut self, step: Step, why: Evidence) {
        self.step = self.step.max(step);
        if self.why.len() < MAX_EVIDENCE {
            self.why.push(why);
        }
    }
}

fn start(row: Option<Step>, input: &Input<'_>) -> Weighed {
    let why = input.category().map(|c| fact("category", c, 0.4)).into_iter().collect();
    Weighed { step: row.unwrap_or(Step::Normal), why }
}

fn is_trouble(input: &Input<'_>, tables: &Tables) -> bool {
    input.category().is_some_and(|c| tables.amplify.troubles.iter().any(|t| t == c))
}

/// From the row, the words, the feeling and the signals; calm words and a trouble that is over take it down again.
pub(crate) fn urgency(input: &Input<'_>, tables: &Tables, route: Option<&Route>, heard: &[Heard]) -> Weighed {
    let mut weighed = start(route.and_then(|r| r.then.urgency), input);
    let calm = said(heard, |says| matches!(says, Says::Urgent(Step::Low)));
    if let (Some(calm), Step::Low | Step::Normal) = (calm, weighed.step) {
        return Weighed { step: weighed.step.down(), why: vec![words(input, calm, 0.6)] };
    }
    if input.resolved() {
        return over(weighed);
    }
    for spoke in heard {
        if let Says::Urgent(step @ (Step::High | Step::Critical)) = spoke.says {
            weighed.at_least(step, words(input, spoke, 0.5));
        }
    }
    if is_trouble(input, tables) {
        if input.feeling() == Some(Feeling::VeryNegative) {
            weighed.at_least(Step::High, fact("sentiment", Feeling::VeryNegative.name(), 0.3));
        }
        if input.signals().iter().any(|s| s == "urgency") {
            weighed.at_least(Step::High, fact("sentiment.signals", "urgency", 0.3));
        }
    }
    weighed
}

/// From the row, the words of breadth, and who is hit or listens.
pub(crate) fn impact(input: &Input<'_>, tables: &Tables, route: Option<&Route>, heard: &[Heard]) -> Weighed {
    let mut weighed = start(route.and_then(|r| r.then.impact), input);
    if input.resolved() {
        return over(weighed);
    }
    let wide = said(heard, |says| matches!(says, Says::Wide(Step::High | Step::Critical)));
    if let (Some(narrow), None) = (said(heard, |says| matches!(says, Says::Wide(Step::Low))), wide) {
        weighed = Weighed { step: weighed.step.down(), why: vec![words(input, narrow, 0.6)] };
    }
    if !is_trouble(input, tables) {
        return weighed;
    }
    for spoke in heard {
        if let Says::Wide(step @ (Step::High | Step::Critical)) = spoke.says {
            weighed.at_least(step, words(input, spoke, 0.5));
        }
    }
    if input.vip == Some(true) {
        weighed.step = weighed.step.up().min(Step::High).max(weighed.step);
        weighed.why.push(fact("author.vip", "true", 0.3));
    }
    if let Some(followers) = input.followers.filter(|f| *f >= tables.amplify.reach && input.visibility == Seen::Public) {
        weighed.at_least(Step::High, fact("author.followers", &followers.to_string(), 0.3));
    }
    weighed
}

fn over(weighed: Weighed) -> Weighed {
    Weighed { step: weighed.step.down(), why: vec![fact("tags", "resolved", 0.6)] }
}

fn said(heard: &[Heard], which: impl Fn(Says) -> bool) -> Option<&Heard> {
    heard.iter().find(|h| which(h.says))
}

/// Why the author's displeasure is heard further than another's; absent facts say nothing, and our own people and machines are
/// not the public.
pub(crate) fn loud(input: &Input<'_>, tables: &Tables) -> Option<Vec<Evidence>> {
    let unhappy = input.feeling().is_some_and(|f| f <= Feeling::Negative);
    if input.staff == Some(true) || input.bot == Some(true) || input.category() == Some("spam") {
        return None;
    }
    let mut why = Vec::new();
    if input.vip == Some(true) && (unhappy || is_trouble(input, tables) && !input.resolved()) {
        why.push(fact("author.vip", "true", 0.5));
    }
    if let Some(followers) = input.followers.filter(|f| unhappy && *f >= tables.amplify.reach) {
        why.push(fact("author.followers", &followers.to_string(), 0.4));
    }
    if input.verified == Some(true) && unhappy {
        why.push(fact("author.verified", "true", 0.3));
    }
    (!why.is_empty()).then_some(why)
}

/// Public trouble of a kind that spreads: "likely" with a large reach or spread and words of breadth, "watch" with less.
pub(crate) fn crisis(input: &Input<'_>, tables: &Tables, heard: &[Heard]) -> Option<(Alarm, Vec<Evidence>)> {
    let rule = &tables.crisis;
    let category = input.category().filter(|c| rule.categories.iter().any(|r| r == c))?;
    if input.visibility != Seen::Public
        || input.resolved()
        || input.bot == Some(true)
        || input.feeling().is_some_and(|f| f >= Feeling::Positive)
    {
        return None;
    }
    let mut why = vec![fact("category", category, 0.4), fact("visibility", "public", 0.1)];
    let wide = said(heard, |says| matches!(says, Says::Wide(Step::High | Step::Critical)));
    let spread = input.spread.filter(|s| *s >= rule.spread);
    let followers = input.followers.filter(|f| *f >= rule.watch_reach);
    why.extend(wide.map(|h| words(input, h, 0.3)));
    why.extend(spread.map(|s| fact("attributes.spread", &s.to_string(), 0.3)));
    why.extend(followers.map(|f| fact("author.followers", &f.to_string(), 0.3)));
    let far = spread.is_some() || followers.is_some_and(|f| f >= rule.likely_reach);
    if far && (wide.is_some() || category == "security") {
        Some((Alarm::Likely, why))
    } else if far || wide.is_some() || followers.is_some() {
        Some((Alarm::Watch, why))
    } else {
        None
    }
}
