//! The pure core: which incident, change and service a message belongs to, by its service and its words.

use signalbox_sdk::lookup::Row;
use signalbox_sdk::text::{Kind, Text};
use signalbox_sdk::{Effect, Evidence, Level, Link, LinkKind, Proposal, SoFar, Span, proposal};

use crate::config::Config;
use crate::moment;

/// What the same service says of belonging together, and what shared words say.
const SAME_SERVICE: f32 = 0.6;
const SAME_WORDS: f32 = 0.4;
/// Shared words that say all that words can say.
const ENOUGH: f32 = 3.0;
/// Links of one kind.
const MOST: usize = 3;
const MAX_EVIDENCE: usize = 6;
/// Words of such tables that say nothing of what it is about.
const GENERAL: [&str; 24] = [
    "since", "with", "from", "this", "that", "have", "been", "does", "not", "the", "and", "for", "are", "was", "down", "issue", "issues",
    "problem", "problems", "service", "services", "error", "users", "some",
];
/// A record that is over is not linked.
const OVER: [&str; 7] = ["closed", "resolved", "done", "solved", "cancelled", "canceled", "completed"];
const WELL: [&str; 6] = ["up", "ok", "operational", "green", "running", "normal"];

/// What the core looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    /// The normal text: evidence spans are bytes of it.
    pub(crate) text: &'a str,
    pub(crate) title: Option<&'a str>,
    pub(crate) conversation: &'a str,
    /// Milliseconds since 1970.
    pub(crate) now: u64,
    pub(crate) settled: &'a SoFar,
}

impl<'a> Input<'a> {
    /// The services that `categorize` has named.
    pub(crate) fn services(&self) -> impl Iterator<Item = &'a str> {
        self.settled.tags.iter().filter_map(|tag| tag.strip_prefix("service:"))
    }

    pub(crate) fn resolved(&self) -> bool {
        self.settled.tags.iter().any(|tag| tag == "resolved")
    }
}

/// What the admin's tables say.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) incidents: Vec<(String, Row)>,
    pub(crate) changes: Vec<(String, Row)>,
    pub(crate) services: Vec<(String, Row)>,
}

/// Links the message; whether an incident or planned work explains it.
pub(crate) fn decide(input: &Input<'_>, config: &Config, records: &Records, out: &mut Vec<Proposal>) -> bool {
    let text = Text::read(input.text);
    let title = input.title.map(Text::read);
    let post = Post { input, text: &text, title: title.as_ref() };
    let open = records.incidents.iter().filter(|(_, row)| !says(row, "status", &OVER));
    let mut known = false;
    for (id, row, score, why) in best(&post, config, &config.incidents, open) {
        known = true;
        let what = row.text("title").unwrap_or("no title");
        link(LinkKind::Incident, id, score, format!("speaks of the open incident {id}, “{}”", short(what)), why.clone(), out);
        let since = row.text("since").map(|since| format!(", since {since}")).unwrap_or_default();
        say(
            Effect::Note(format!("Open incident {id}{since}: {}", short(what))),
            format!("the incident {id} is open"),
            score,
            "incident",
            why,
            out,
        );
    }
    let recent = records.changes.iter().filter(|(_, row)| is_recent(row, input.now, config.change_hours));
    for (id, row, score, why) in best(&post, config, &config.changes, recent) {
        let what = short(row.text("title").unwrap_or("no title"));
        link(LinkKind::Change, id, score, format!("the change {id}, “{what}”, is recent and touches the same"), why, out);
    }
    for (service, row) in &records.services {
        known |= status(config, service, row, out);
    }
    known
}

/// What the catalogue says of a service that is named; whether planned work explains it.
fn status(config: &Config, service: &str, row: &Row, out: &mut Vec<Proposal>) -> bool {
    let Some(status) = row.text("status").filter(|status| !WELL.contains(&status.to_lowercase().as_str())) else { return false };
    let why = || vec![fact(&format!("table:{}/{service}", config.services), status, 0.9)];
    link(LinkKind::Service, service, 0.9, format!("the service catalogue says that {service} is {status}"), why(), out);
    if row.boolean("planned") == Some(true) {
        let note = format!("Planned work: the service catalogue says that {service} is {status}.");
        say(Effect::Note(note), format!("planned work on {service}"), 0.9, "service", why(), out);
        return true;
    }
    say(Effect::SetImpact(Level::High), format!("{service} is {status}, says the service catalogue"), 0.85, "service", why(), out);
    false
}

/// A message as its records are held against it.
struct Post<'a> {
    input: &'a Input<'a>,
    text: &'a Text,
    title: Option<&'a Text>,
}

type Match<'a> = (&'a str, &'a Row, f32, Vec<Evidence>);

/// The records that fit best, the best first.
fn best<'a>(post: &Post<'_>, config: &Config, table: &str, rows: impl Iterator<Item = &'a (String, Row)>) -> Vec<Match<'a>> {
    let fits = |(id, row): &'a (String, Row)| {
        let (score, why) = likeness(post, table, id, row);
        (score >= config.link_at).then_some((id.as_str(), row, score, why))
    };
    let mut found: Vec<Match<'a>> = rows.filter_map(fits).collect();
    found.sort_by(|a, b| b.2.total_cmp(&a.2));
    found.truncate(MOST);
    found
}

/// How well a record fits, with the facts and words that say so.
fn likeness(post: &Post<'_>, table: &str, id: &str, row: &Row) -> (f32, Vec<Evidence>) {
    let (mut score, mut why) = (0.0, Vec::new());
    let services = row.texts("service");
    if let Some(service) = post.input.services().find(|named| services.iter().any(|of| of.eq_ignore_ascii_case(named))) {
        score += SAME_SERVICE;
        why.push(fact("tags", &format!("service:{service}"), SAME_SERVICE));
    }
    let described = [row.texts("title"), row.texts("words")].concat().join(" ");
    let described = Text::read(&described);
    let told = |key: u64| described.tokens.iter().any(|token| token.kind == Kind::Word && (token.key == key || token.alt == key));
    let mut shared: Vec<u64> = Vec::new();
    for (field, text) in [("text", Some(post.text)), ("title", post.title)].into_iter().filter_map(|(field, text)| Some((field, text?))) {
        for token in &text.tokens {
            let word = text.word(token);
            if token.kind != Kind::Word || word.len() < 3 || GENERAL.contains(&word) || shared.contains(&token.key) || !told(token.key) {
                continue;
            }
            shared.push(token.key);
            let written = if field == "title" { post.input.title.unwrap_or_default() } else { post.input.text };
            let span = Span { start: token.start, end: token.end };
            let words = written.get(token.start as usize..token.end as usize).unwrap_or_default().to_owned();
            why.push(Evidence { field: field.to_owned(), span: Some(span), text: words, weight: SAME_WORDS / ENOUGH });
        }
    }
    let words = (shared.len() as f32 / ENOUGH).min(1.0);
    // Without the same service, words alone must carry it.
    score += if score > 0.0 { SAME_WORDS * words } else { SAME_SERVICE * words };
    why.truncate(MAX_EVIDENCE - 1);
    why.push(fact(&format!("table:{table}/{id}"), row.text("title").unwrap_or(id), 0.1));
    (score, why)
}

/// In the last hours, or to come within one.
fn is_recent(row: &Row, now: u64, hours: u32) -> bool {
    const HOUR: u64 = 3_600_000;
    let at = moment::of(row, "at").or_else(|| moment::of(row, "since"));
    at.is_some_and(|at| at <= now.saturating_add(HOUR) && now.saturating_sub(at) <= u64::from(hours) * HOUR)
}

fn says(row: &Row, column: &str, words: &[&str]) -> bool {
    row.text(column).is_some_and(|said| words.contains(&said.to_lowercase().as_str()))
}

/// A title as a reason can hold it.
fn short(title: &str) -> String {
    title.chars().take(120).collect()
}

fn link(kind: LinkKind, id: &str, score: f32, reason: String, why: Vec<Evidence>, out: &mut Vec<Proposal>) {
    let rule = match kind {
        LinkKind::Incident => "incident",
        LinkKind::Change => "change",
        _ => "service",
    };
    say(Effect::Relate(Link { kind, id: id.to_owned(), score }), reason, score, rule, why, out);
}

/// A fact that spoke.
pub(crate) fn fact(field: &str, value: &str, weight: f32) -> Evidence {
    Evidence { field: field.to_owned(), span: None, text: value.chars().take(200).collect(), weight }
}

/// A proposal in full.
pub(crate) fn say(effect: Effect, reason: String, confidence: f32, rule: &str, evidence: Vec<Evidence>, out: &mut Vec<Proposal>) {
    out.push(Proposal { rule_id: Some(rule.to_owned()), evidence, ..proposal(effect, reason, confidence) });
}

#[cfg(test)]
mod tests;
