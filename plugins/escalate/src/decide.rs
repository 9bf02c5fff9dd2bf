//! The pure core: finds the row, weighs urgency and impact, raises the red flags, and writes one proposal for each effect.
//!
//! It judges facts, what earlier steps settled, and what the model makes of the text; a fact that is unknown moves nothing. Red flags stand above every row, and
//! nothing it proposes leaves or vanishes without a person.

use signalbox_sdk::text::Text;
use signalbox_sdk::{Assignment, Crisis, Effect, Escalation, Evidence, Proposal, Reply, SlaTarget, SoFar, Span, proposal};

use crate::config::{Says, Tables};
use crate::flags::{Raised, alarm, listen, raise, raised};
use crate::learned::Learned;
use crate::names::{Alarm, Consent, Feeling, Seen};
use crate::table::{Draft, Route};
use crate::weigh;

/// What the core looks at. An absent fact is unknown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    /// The normal text: evidence spans are bytes of it.
    pub(crate) text: &'a str,
    pub(crate) title: Option<&'a str>,
    pub(crate) id: &'a str,
    pub(crate) thread: Option<&'a str>,
    pub(crate) network: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) visibility: Seen,
    pub(crate) language: Option<&'a str>,
    pub(crate) followers: Option<u64>,
    pub(crate) verified: Option<bool>,
    pub(crate) vip: Option<bool>,
    pub(crate) staff: Option<bool>,
    pub(crate) bot: Option<bool>,
    /// Shares, replies and likes together, where the source counts any.
    pub(crate) spread: Option<i64>,
    /// Why the host asks again, when it does: "sla-warning" or "sla-breach", and of which clock.
    pub(crate) overdue: Option<(&'a str, &'a str)>,
    pub(crate) settled: &'a SoFar,
}

impl Input<'_> {
    pub(crate) fn category(&self) -> Option<&str> {
        self.settled.category.as_ref().map(|c| c.key.as_str())
    }

    pub(crate) fn feeling(&self) -> Option<Feeling> {
        self.settled.sentiment.as_ref().map(|s| s.label.into())
    }

    pub(crate) fn signals(&self) -> &[String] {
        self.settled.sentiment.as_ref().map_or(&[], |s| &s.signals)
    }

    pub(crate) fn resolved(&self) -> bool {
        self.settled.tags.iter().any(|tag| tag == "resolved")
    }

    /// What alerts of one matter share: the service if one is named, else the conversation.
    fn matter(&self) -> &str {
        self.settled.tags.iter().find(|tag| tag.starts_with("service:")).map_or_else(|| self.conversation(), String::as_str)
    }

    pub(crate) fn conversation(&self) -> &str {
        self.thread.unwrap_or(self.id)
    }
}

/// Words of the config, found in the text.
#[derive(Clone, Copy)]
pub(crate) struct Heard {
    pub(crate) says: Says,
    pub(crate) field: &'static str,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// Judges one event.
pub(crate) fn decide(input: &Input<'_>, tables: &Tables) -> Vec<Proposal> {
    let mut heard = Vec::new();
    let title = input.title.filter(|title| !input.text.starts_with(title.trim_end_matches('…'))).map(|title| ("title", title));
    let texts: Vec<_> = [("text", input.text)].into_iter().chain(title).map(|(field, written)| (field, Text::read(written))).collect();
    for (field, text) in &texts {
        listen(field, text, tables, &mut heard);
    }
    let learned = tables.asks_model.then(|| Learned::judge(&texts)).flatten();
    let route = tables.routes.iter().find(|route| fits(route, input, learned.as_ref()));
    let flags = raised(input, tables, &heard, learned.as_ref());
    let mut out = Vec::with_capacity(12);
    if let Some(route) = route {
        row(input, tables, route, &flags, &mut out);
    }
    levels(input, tables, route, &flags, &heard, &mut out);
    for flag in &flags {
        raise(input, flag, route, &mut out);
    }
    if let Some(loud) = weigh::loud(input, tables) {
        amplify(input, tables, route, loud, &mut out);
    }
    if let Some((trigger, clock)) = input.overdue {
        overdue(input, tables, route, (trigger, clock), &mut out);
    }
    if let Some((crisis, why)) = weigh::crisis(input, tables, &heard) {
        let reason = format!(
            "public trouble that {}: it may be part of something bigger",
            if crisis == Alarm::Likely { "many feel and many hear" } else { "others may share" }
        );
        out.push(written(Effect::SetCrisis(Crisis::from(crisis)), reason, 0.6, "crisis", why));
    }
    if input.vip == Some(true) {
        out.push(written(
            Effect::Tag("vip".to_owned()),
            "the desk marks the author as important".to_owned(),
            0.95,
            "vip",
            vec![fact("author.vip", "true", 1.0)],
        ));
    }
    out
}

/// Whether all that the row asks for holds.
fn fits(route: &Route, input: &Input<'_>, learned: Option<&Learned>) -> bool {
    let when = &route.when;
    let any = |wanted: &[String], known: Option<&str>| wanted.is_empty() || known.is_some_and(|k| wanted.iter().any(|w| w == k));
    let some = |wanted: &[String], known: &[String]| wanted.is_empty() || wanted.iter().any(|w| known.contains(w));
    any(&when.category, input.category())
        && any(&when.intent, input.settled.intent.as_deref())
        && any(&when.networks, Some(input.network))
        && any(&when.kinds, Some(input.kind))
        && some(&when.signals, input.signals())
        && some(&when.tags, &input.settled.tags)
        && (when.sentiment.is_empty() || input.feeling().is_some_and(|f| when.sentiment.contains(&f)))
        && when.at_most.is_none_or(|most| input.feeling().is_some_and(|f| f <= most))
        && when.crisis.is_none_or(|least| Alarm::from(input.settled.crisis) >= least)
        && when.vip.is_none_or(|wanted| input.vip == Some(wanted))
        && when.verified.is_none_or(|wanted| input.verified == Some(wanted))
        && when.min_followers.is_none_or(|least| input.followers.is_some_and(|f| f >= least))
        && (when.visibility.is_empty() || when.visibility.contains(&input.visibility))
        && when.likely.is_none_or(|least| learned.is_some_and(|learned| learned.likely() >= least))
}

/// What the row itself says: queue, level, service levels, notes, marks, moderation, a drafted reply.
fn row(input: &Input<'_>, tables: &Tables, route: &Route, flags: &[Raised<'_>], out: &mut Vec<Proposal>) {
    let (then, id) = (&route.then, route.id.as_str());
    let why = because(route, input);
    let mut write = |effect: Effect, reason: String, confidence: f32| out.push(written(effect, reason, confidence, id, why.clone()));
    if then.queue.is_some() || then.skill.is_some() || then.on_call.is_some() {
        let to = then.queue.as_deref().unwrap_or("the skill or rota it names");
        let assignment = Assignment { queue: then.queue.clone(), assignee: None, skill: then.skill.clone(), on_call: then.on_call.clone() };
        write(Effect::Assign(assignment), format!("the row “{id}” of the routing table sends it to {to}"), 0.85);
    }
    if then.level > 0 {
        let escalation = Escalation { level: then.level, audience: then.audience.clone(), due: None };
        write(Effect::Escalate(escalation), format!("the row “{id}” takes it to level {}", then.level), 0.85);
    }
    for sla in &then.sla {
        let target = SlaTarget { clock: sla.clock.into(), target_seconds: sla.target_seconds, calendar: sla.calendar.clone() };
        write(Effect::SetSla(target), format!("the row “{id}” has a service level"), 0.85);
    }
    if let Some(alert) = &then.alert {
        let key = format!("{}:{}:{}", alert.audience, id, input.matter());
        write(alarm(input, &alert.audience, id, alert.level, key, ""), format!("the row “{id}” alerts {} at once", alert.audience), 0.85);
    }
    if let Some(note) = &then.note {
        write(Effect::Note(note.clone()), format!("the note of the row “{id}”"), 0.85);
    }
    for mark in &then.mark {
        write(Effect::Mark(mark.clone()), format!("the row “{id}” marks it"), 0.8);
    }
    if let Some(touch) = then.moderate {
        write(Effect::Moderate(touch.into()), format!("the row “{id}” proposes it; a person decides"), 0.7);
    }
    if then.reply == Some(Draft::Thanks) && flags.is_empty() && !input.signals().iter().any(|s| s == "sarcasm") {
        let (language, body) = thanks(input, tables);
        let reply = Reply {
            body,
            visibility: if input.visibility == Seen::Public { Seen::Public } else { Seen::Private }.into(),
            language,
            article: None,
            auto: false,
            approval: then.approval.unwrap_or(Consent::Agent).into(),
        };
        write(Effect::DraftReply(reply), "kind words deserve an answer; an agent reads it first".to_owned(), 0.7);
    }
}

fn thanks(input: &Input<'_>, tables: &Tables) -> (Option<String>, String) {
    let spoken = input.settled.language.as_deref().or(input.language).unwrap_or("en");
    let primary = spoken.split(['-', '_']).next().unwrap_or("en").to_ascii_lowercase();
    let language = if tables.thanks.contains_key(&primary) { primary } else { "en".to_owned() };
    let body = tables.thanks.get(&language).cloned().unwrap_or_default();
    (Some(language), body)
}

/// Urgency, impact, and the priority that the matrix makes of them.
fn levels(input: &Input<'_>, tables: &Tables, route: Option<&Route>, flags: &[Raised<'_>], heard: &[Heard], out: &mut Vec<Proposal>) {
    let id = route.map_or("matrix", |r| r.id.as_str());
    let flagged = flags.iter().filter_map(|(flag, why, _)| Some((flag.priority?, flag, why))).max_by_key(|(priority, ..)| *priority);
    let mut priority = if let Some(fixed) = route.and_then(|r| r.then.priority) {
        let why = route.map(|r| because(r, input)).unwrap_or_default();
        (fixed, format!("the row “{id}” settles the priority"), id, why)
    } else {
        let urgency = weigh::urgency(input, tables, route, heard);
        let impact = weigh::impact(input, tables, route, heard);
        let priority = tables.matrix[impact.step as usize][urgency.step as usize];
        let reason = format!("{} impact and {} urgency make {} priority", impact.step.name(), urgency.step.name(), priority.name());
        let why = vec![fact("impact", impact.step.name(), 0.5), fact("urgency", urgency.step.name(), 0.5)];
        out.push(written(Effect::SetUrgency(urgency.step.into()), urgency.reason("urgency"), 0.7, id, urgency.why));
        out.push(written(Effect::SetImpact(impact.step.into()), impact.reason("impact"), 0.7, id, impact.why));
        (priority, reason, "matrix", why)
    };
    if let Some((step, flag, why)) = flagged.filter(|(step, ..)| *step > priority.0) {
        priority = (step, format!("the red flag “{}” asks for {} priority", flag.id, step.name()), flag.id.as_str(), why.clone());
    }
    out.push(written(Effect::SetPriority(priority.0.into()), priority.1, 0.75, priority.2, priority.3));
}

/// One level up for an unhappy author whom many hear.
fn amplify(input: &Input<'_>, tables: &Tables, route: Option<&Route>, why: Vec<Evidence>, out: &mut Vec<Proposal>) {
    let rule = &tables.amplify;
    let level = (route.map_or(0, |r| r.then.level) + rule.levels).min(4);
    let audience = if input.visibility == Seen::Public { &rule.audience_public } else { &rule.audience };
    if level > 0 {
        let escalation = Escalation { level, audience: audience.clone(), due: None };
        let named = why.iter().map(|e| format!("{} {}", e.field, e.text)).collect::<Vec<_>>().join(", ");
        out.push(written(
            Effect::Escalate(escalation),
            format!("the author’s displeasure is heard further than another’s ({named}): up to level {level}"),
            0.8,
            "amplify",
            why,
        ));
    }
}

/// Further up than the row says, because a service level runs out or was not kept.
fn overdue(input: &Input<'_>, tables: &Tables, route: Option<&Route>, (trigger, clock): (&str, &str), out: &mut Vec<Proposal>) {
    let (raise, what) = match trigger {
        "sla-warning" => (&tables.overdue.warning, "runs out"),
        "sla-breach" => (&tables.overdue.breach, "was not kept"),
        _ => return,
    };
    let why = vec![fact("trigger", trigger, 0.9), fact("sla-clock", clock, 0.3)];
    let promise = format!("the {} {what}", clock.replace('-', " "));
    if let (Some(level), Some(audience)) = (raise.alert, raise.audience.first()) {
        let key = format!("{audience}:{trigger}:{clock}:{}", input.conversation());
        let reason = format!("{promise}: {audience} is alerted at once");
        out.push(written(alarm(input, audience, &promise, level, key, ""), reason, 0.95, "overdue", why.clone()));
    }
    if raise.levels == 0 {
        return;
    }
    let level = (route.map_or(0, |r| r.then.level) + raise.levels).min(4);
    let escalation = Escalation { level, audience: raise.audience.clone(), due: None };
    let reason = format!("{promise}: up to level {level}");
    out.push(written(Effect::Escalate(escalation), reason, 0.95, "overdue", why));
}

/// The facts that the row asked for.
fn because(route: &Route, input: &Input<'_>) -> Vec<Evidence> {
    let when = &route.when;
    let mut why = Vec::new();
    if let Some(category) = input.category().filter(|_| !when.category.is_empty()) {
        why.push(fact("category", category, 0.6));
    }
    if let Some(feeling) = input.feeling().filter(|_| !when.sentiment.is_empty() || when.at_most.is_some()) {
        why.push(fact("sentiment", feeling.name(), 0.4));
    }
    why.extend(when.tags.iter().filter(|t| input.settled.tags.contains(t)).map(|t| fact("tags", t, 0.3)));
    why.extend(when.signals.iter().filter(|s| input.signals().contains(s)).map(|s| fact("sentiment.signals", s, 0.3)));
    if let Some(followers) = input.followers.filter(|_| when.min_followers.is_some()) {
        why.push(fact("author.followers", &followers.to_string(), 0.3));
    }
    if when.vip == Some(true) {
        why.push(fact("author.vip", "true", 0.3));
    }
    if !when.visibility.is_empty() {
        why.push(fact("visibility", input.visibility.name(), 0.2));
    }
    why
}

/// A fact that spoke.
pub(crate) fn fact(field: &str, value: &str, weight: f32) -> Evidence {
    Evidence { field: field.to_owned(), span: None, text: value.to_owned(), weight }
}

/// Words of the text that spoke.
pub(crate) fn words(input: &Input<'_>, heard: &Heard, weight: f32) -> Evidence {
    let written = if heard.field == "title" { input.title.unwrap_or_default() } else { input.text };
    let text = written.get(heard.start as usize..heard.end as usize).unwrap_or_default().to_owned();
    Evidence { field: heard.field.to_owned(), span: Some(Span { start: heard.start, end: heard.end }), text, weight }
}

/// A proposal in full.
pub(crate) fn written(effect: Effect, reason: String, confidence: f32, rule: &str, evidence: Vec<Evidence>) -> Proposal {
    Proposal { rule_id: Some(rule.to_owned()), evidence, ..proposal(effect, reason, confidence) }
}

#[cfg(test)]
mod tests;
