//! What the step remembers: how many conversations spoke of a service within the window, and sketches of the last messages.
//!
//! Asked last, as events take turns from here on.

use signalbox_sdk::state::{self, StateError};
use signalbox_sdk::text::Text;
use signalbox_sdk::{Alert, Crisis, Effect, Evidence, Level, Link, LinkKind, Proposal};

use crate::config::Config;
use crate::decide::{Input, fact, say};
use crate::sketch::Sketch;

const RECENT: &str = "recent";

/// Counts the message and finds its like. `known` is an incident or planned work that explains it.
///
/// # Errors
/// The host cannot remember now.
pub(crate) fn remember(input: &Input<'_>, config: &Config, known: bool, out: &mut Vec<Proposal>) -> Result<(), StateError> {
    if input.resolved() {
        return Ok(());
    }
    if config.spike.count > 0 {
        let service = input.services().next().unwrap_or("any service");
        spike(input, config, service, known, out)?;
    }
    if config.duplicates.keep > 0
        && let Some(sketch) = Sketch::of(&Text::read(input.text))
    {
        duplicates(input, config, &sketch, out)?;
    }
    Ok(())
}

/// Each conversation counts once in a window.
fn spike(input: &Input<'_>, config: &Config, service: &str, known: bool, out: &mut Vec<Proposal>) -> Result<(), StateError> {
    let (rule, window) = (&config.spike, Some(config.spike.window_seconds));
    let told = key("told", &format!("{service}/{}", input.conversation));
    let counted = state::get(&told)?.is_some();
    let count = state::increment(&key("count", service), i64::from(!counted), window)?;
    if !counted {
        state::set(&told, b"1", window)?;
    }
    if count < i64::from(rule.count) {
        return Ok(());
    }
    let minutes = rule.window_seconds.div_ceil(60);
    let reason = format!("{count} conversations speak of {service} within {minutes} minutes");
    let why = || -> Vec<Evidence> { vec![fact("state:count", &count.to_string(), 0.8), fact("service", service, 0.2)] };
    let (crisis, level) = if count >= i64::from(rule.likely) { (Crisis::Likely, Level::Critical) } else { (Crisis::Watch, Level::High) };
    say(Effect::SetCrisis(crisis), reason.clone(), 0.8, "spike", why(), out);
    say(Effect::Tag("spike".to_owned()), reason.clone(), 0.8, "spike", why(), out);
    if !known {
        let alert =
            Alert { audience: rule.audience.clone(), text: format!("Spike: {reason}."), dedupe_key: format!("spike:{service}"), level };
        say(Effect::RaiseAlert(alert), reason, 0.8, "spike", why(), out);
    }
    Ok(())
}

/// The most alike of the last messages, and this one among them from now on.
fn duplicates(input: &Input<'_>, config: &Config, sketch: &Sketch, out: &mut Vec<Proposal>) -> Result<(), StateError> {
    let kept = state::text(RECENT)?.unwrap_or_default();
    let recent: Vec<(&str, &str)> = kept.lines().filter_map(|line| line.split_once('\t')).collect();
    let others = recent.iter().filter(|(id, _)| *id != input.conversation);
    let scored = others.filter_map(|(id, written)| Some((*id, sketch.likeness(&Sketch::read(written)?))));
    // The first of those that are alike: so all of a group point at one.
    if let Some((id, score)) =
        scored.filter(|(_, score)| *score >= config.duplicates.at).reduce(|best, next| if next.1 > best.1 { next } else { best })
    {
        let reason = format!("says the same as {id}, in {:.0} % of its words", score * 100.0);
        let link = Link { kind: LinkKind::DuplicateOf, id: id.to_owned(), score };
        say(Effect::Relate(link), reason, score, "duplicate", vec![fact("state:recent", id, score)], out);
    }
    if input.conversation.contains(['\t', '\n', '\r']) {
        return Ok(());
    }
    let own = format!("{}\t{}", input.conversation, sketch.write());
    let mut lines: Vec<&str> = kept.lines().filter(|line| line.split('\t').next() != Some(input.conversation)).collect();
    lines.push(&own);
    let first = lines.len().saturating_sub(config.duplicates.keep);
    state::set(RECENT, lines[first..].join("\n").as_bytes(), Some(config.duplicates.seconds).filter(|seconds| *seconds > 0))
}

/// A key of at most 256 bytes, whatever a conversation is called.
fn key(kind: &str, name: &str) -> String {
    let mut end = name.len().min(200);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    if end == name.len() { format!("{kind}:{name}") } else { format!("{kind}:{}:{:x}", &name[..end], signalbox_sdk::text::key(name)) }
}
