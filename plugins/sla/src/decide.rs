//! The pure core: for each clock the first row that fits, as one proposal with the facts that the row asked for.

use signalbox_sdk::{Effect, Evidence, Proposal, SlaClock, SlaTarget, SoFar, Visibility, proposal};

use crate::config::{Seen, Step, Tables, Target};

const CLOCKS: [(SlaClock, &str); 3] =
    [(SlaClock::FirstResponse, "first response"), (SlaClock::NextResponse, "next response"), (SlaClock::Resolution, "resolution")];

/// What the core looks at. An absent fact is unknown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    pub(crate) network: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) visibility: Visibility,
    pub(crate) vip: Option<bool>,
    pub(crate) settled: &'a SoFar,
}

/// Judges one event: at most one target for each clock.
pub(crate) fn decide(input: &Input<'_>, tables: &Tables) -> Vec<Proposal> {
    let fitting: Vec<&Target> = tables.targets.iter().filter(|target| fits(target, input)).collect();
    let promised = fitting.iter().position(|target| target.none).unwrap_or(fitting.len());
    let rows = &fitting[..promised];
    let one = |(clock, name): &(SlaClock, &str)| {
        let (row, seconds) = rows.iter().find_map(|row| Some((row, row.seconds(*clock)?)))?;
        let calendar = tables.calendar_of(row, input.network);
        let when = calendar.map_or_else(|| "around the clock".to_owned(), |name| format!("on the calendar “{name}”"));
        let reason = format!("the row “{}” promises the {name} within {} {when}", row.id, spoken(seconds));
        let effect = Effect::SetSla(SlaTarget { clock: *clock, target_seconds: seconds, calendar: calendar.map(str::to_owned) });
        Some(Proposal { rule_id: Some(row.id.clone()), evidence: because(row, input), ..proposal(effect, reason, 0.9) })
    };
    CLOCKS.iter().filter_map(one).collect()
}

fn fits(target: &Target, input: &Input<'_>) -> bool {
    let when = &target.when;
    let any = |wanted: &[String], known: Option<&str>| wanted.is_empty() || known.is_some_and(|k| wanted.iter().any(|w| w == k));
    any(&when.category, input.settled.category.as_ref().map(|c| c.key.as_str()))
        && any(&when.networks, Some(input.network))
        && any(&when.kinds, Some(input.kind))
        && (when.tags.is_empty() || when.tags.iter().any(|tag| input.settled.tags.contains(tag)))
        && (when.priority.is_empty() || input.settled.priority.is_some_and(|level| when.priority.contains(&Step::of(level))))
        && (when.visibility.is_empty() || Seen::of(input.visibility).is_some_and(|seen| when.visibility.contains(&seen)))
        && when.vip.is_none_or(|wanted| input.vip == Some(wanted))
}

/// The facts that the row asked for.
fn because(row: &Target, input: &Input<'_>) -> Vec<Evidence> {
    let fact = |field: &str, value: &str| Evidence { field: field.to_owned(), span: None, text: value.to_owned(), weight: 0.5 };
    let (when, mut why) = (&row.when, Vec::new());
    if let Some(category) = input.settled.category.as_ref().filter(|_| !when.category.is_empty()) {
        why.push(fact("category", &category.key));
    }
    if let Some(priority) = input.settled.priority.filter(|_| !when.priority.is_empty()) {
        why.push(fact("priority", Step::of(priority).name()));
    }
    if !when.networks.is_empty() {
        why.push(fact("network", input.network));
    }
    if !when.kinds.is_empty() {
        why.push(fact("kind", input.kind));
    }
    why.extend(when.tags.iter().filter(|tag| input.settled.tags.contains(tag)).map(|tag| fact("tags", tag)));
    if let Some(seen) = Seen::of(input.visibility).filter(|_| !when.visibility.is_empty()) {
        why.push(fact("visibility", seen.name()));
    }
    if let Some(vip) = input.vip.filter(|_| when.vip.is_some()) {
        why.push(fact("author.vip", if vip { "true" } else { "false" }));
    }
    why
}

/// Seconds as people say them.
fn spoken(seconds: u32) -> String {
    let (number, unit) = match seconds {
        s if s % 3_600 == 0 => (s / 3_600, "hour"),
        s if s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
