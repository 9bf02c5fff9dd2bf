//! The internal note: a decision in plain sentences for the agent who opens the ticket, and our mark at its end.
//!
//! Called by `outbound`. Pure. It must never hold markup, control characters, or another's mark.

use serde_json::Value;

use super::{MARK, mark};
use crate::decision::{Change, Decision};

/// Characters of the whole note, its mark included: the tightest desk takes more.
const MAX_NOTE_CHARS: usize = 4_000;
/// Characters of one sentence.
const MAX_SENTENCE_CHARS: usize = 600;

/// What a person reads first, by the pointer of the decision.
const LINES: [(&str, &str); 8] = [
    ("/category", "Category"),
    ("/intent", "Intent"),
    ("/sentiment", "Sentiment"),
    ("/priority", "Priority"),
    ("/crisis", "Crisis"),
    ("/assignment", "Queue"),
    ("/escalation", "Escalation"),
    ("/moderation", "Moderation"),
];

/// Writes it.
pub(super) fn note(decision: &Decision) -> String {
    let mut lines = vec!["Signalbox".to_owned()];
    if let Some(follows) = &decision.follows {
        let what = if follows.trigger == "sla-breach" { "was not kept: it was due" } else { "runs out: it is due" };
        lines.push(sentence(&format!("The {} {what} {}", follows.clock.replace('-', " "), follows.due)));
    }
    for (pointer, label) in LINES {
        // The last step that spoke is the one that holds.
        let said =
            decision.trace.iter().rev().find_map(|entry| Some((entry, entry.set.iter().rev().find(|change| change.field == pointer)?)));
        if let Some((entry, change)) = said {
            let who = sentence(&format!("{} {}", entry.plugin, entry.version));
            lines.push(format!("{label}: {} - {} ({who})", value(change), sentence(&change.reason)));
        }
    }
    let tags = [(&decision.tags.add, "Tags"), (&decision.tags.remove, "Tags taken away")];
    lines.extend(tags.iter().filter(|(tags, _)| !tags.is_empty()).map(|(tags, label)| format!("{label}: {}", sentence(&tags.join(", ")))));
    lines.extend(decision.alerts.iter().map(|alert| format!("Alert for {}: {}", sentence(&alert.audience), sentence(&alert.text))));
    lines.extend(decision.articles.iter().map(|article| format!("Article: {} {}", sentence(&article.title), sentence(&article.id))));
    lines.extend(decision.replies.iter().map(|reply| format!("Suggested reply: {}", sentence(&reply.body))));
    lines.extend(decision.notes.iter().map(|note| sentence(note)));
    if decision.degraded {
        let faulty = decision.trace.iter().filter(|entry| entry.outcome.is_fault()).map(|entry| sentence(&entry.plugin));
        lines.push(format!("Decided without {}, which misbehaved.", faulty.collect::<Vec<_>>().join(", ")));
    }
    ended(&lines, &mark(decision))
}

/// Writes an alert down: its lines, and a mark of its own.
pub(super) fn alert(lines: &[String], mark: &str) -> String {
    let lines: Vec<String> = std::iter::once("Signalbox".to_owned()).chain(lines.iter().map(|line| sentence(line))).collect();
    ended(&lines, mark)
}

fn ended(lines: &[String], end: &str) -> String {
    let room = MAX_NOTE_CHARS.saturating_sub(end.chars().count() + 1);
    let text: String = lines.join("\n").chars().take(room).collect();
    format!("{text}\n{end}")
}

/// The part of a value that people look for.
fn value(change: &Change) -> String {
    let escalation = |to: &Value| {
        let audience: Vec<&str> = to["audience"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        Some(format!("level {} {}", to["level"].as_u64()?, audience.join(", ")).trim_end().to_owned())
    };
    let part = ["key", "label", "queue", "assignee", "skill", "on_call", "action"].iter().find_map(|key| change.to.get(key)?.as_str());
    let text = part.or_else(|| change.to.as_str()).map(|text| text.replace('_', " "));
    sentence(&text.or_else(|| escalation(&change.to)).unwrap_or_else(|| change.to.to_string()))
}

/// Foreign words as one line of plain text that cannot pass for our mark.
fn sentence(text: &str) -> String {
    let plain = text.chars().map(|c| match c {
        c if c.is_whitespace() => ' ',
        c if c.is_control() => '\u{fffd}',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    });
    let plain: String = plain.take(MAX_SENTENCE_CHARS).collect();
    plain.replace(MARK, "signalbox ")
}
