//! The merge law's parts: how one value, one level, one list takes something new, and what is not taken at all.
//!
//! Used by `merge.rs` alone. Every function gives the decision's field, its old value and its new one, or the sentence that
//! says why not.

use serde::Serialize;
use serde_json::Value;

use crate::verdict::{Escalation, SetField};

/// Most entries of a decision's fields, and of its other short lists: what a person can still read, and a desk's API still takes.
const MAX_FIELDS: usize = 32;
pub(super) const MAX_WORDS: usize = 16;
/// Longest tag, key or other word, bytes.
const MAX_WORD_BYTES: usize = 128;
/// Longest note, reply or extension, bytes: two screens, and below every desk's own limit.
const MAX_BODY_BYTES: usize = 8_000;

/// Why a proposal was not taken.
pub(super) type Refusal = String;
/// The decision's field, its old value, its new one.
pub(super) type Changed = (&'static str, Option<Value>, Value);

pub(super) fn single<T: Serialize>(field: &'static str, slot: &mut Option<T>, new: T) -> Changed {
    let to = json(&new);
    let from = slot.replace(new).map(|old| json(&old));
    (field, from, to)
}

pub(super) fn stricter<T: Serialize + Ord + Copy>(
    field: &'static str,
    slot: &mut Option<T>,
    new: T,
    lower: bool,
) -> Result<Changed, Refusal> {
    match slot {
        Some(old) if new < *old && !lower => {
            Err(format!("would lower {} from {} to {}: needs the grant `lower`", &field[1..], json(old), json(&new)))
        }
        _ => Ok(single(field, slot, new)),
    }
}

pub(super) fn escalated(old: Escalation, new: Escalation) -> Escalation {
    let mut audience = old.audience;
    for name in new.audience {
        if !audience.contains(&name) && audience.len() < MAX_WORDS {
            audience.push(name);
        }
    }
    let due = match (old.due, new.due) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    Escalation { level: old.level.max(new.level), audience, due }
}

pub(super) fn union<T: Serialize + PartialEq>(field: &'static str, list: &mut Vec<T>, new: T, cap: usize) -> Result<Changed, Refusal> {
    let to = json(&new);
    if !list.contains(&new) {
        if list.len() >= cap {
            return Err(format!("{} already holds its {cap} entries", &field[1..]));
        }
        list.push(new);
    }
    Ok((field, None, to))
}

pub(super) fn set_field(fields: &mut Vec<SetField>, new: SetField) -> Result<Changed, Refusal> {
    if let Some(old) = fields.iter_mut().find(|old| old.field == new.field) {
        let change = ("/fields", Some(json(old)), json(&new));
        *old = new;
        return Ok(change);
    }
    union("/fields", fields, new, MAX_FIELDS)
}

pub(super) fn word(what: &str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(format!("the {what} is empty"));
    }
    if text.len() > MAX_WORD_BYTES {
        return Err(format!("the {what} has {} bytes; at most {MAX_WORD_BYTES} are taken", text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("the {what} holds a control character"));
    }
    Ok(())
}

pub(super) fn body(what: &str, text: &str) -> Result<(), Refusal> {
    if text.len() > MAX_BODY_BYTES {
        Err(format!("the {what} has {} bytes; at most {MAX_BODY_BYTES} are taken", text.len()))
    } else {
        Ok(())
    }
}

pub(super) fn unit(what: &str, score: f32) -> Result<(), Refusal> {
    if (0.0..=1.0).contains(&score) { Ok(()) } else { Err(format!("the {what} {score} is outside 0.0 to 1.0")) }
}

pub(super) fn cut(text: &str, chars: usize) -> String {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end]).to_owned()
}

pub(super) fn json(value: &impl Serialize) -> Value {
    // The contract's plain data always has a JSON form; a float that has none was refused before it got here.
    let mut value = serde_json::to_value(value).unwrap_or(Value::Null);
    shorten(&mut value);
    value
}

/// Writes the contract's 32-bit floats as people wrote them: widened to 64 bits, 0.7 would read 0.699999988079071.
pub(super) fn shorten(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Number(number) if number.is_f64() => {
            let short = number.as_f64().map(|wide| (wide as f32).to_string()).and_then(|text| text.parse().ok());
            if let Some(short) = short.and_then(serde_json::Number::from_f64) {
                *number = short;
            }
        }
        _ => {}
    }
}
