//! A desk's JSON to an event: the resolved `[event]` of an adapter.
//!
//! Called by `source` for adapters of content `mapped`. Pure. It must never invent: what the desk does not say is absent, and what it
//! says in a form the contract has no place for is left out with a note. Only `id` and `text` can fail a call, because there is no
//! event without them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::field::Field;
use super::reading::Call;
use crate::event::{
    Attribute, AttributeValue, Event, EventError, MAX_ATTACHMENTS, MAX_ATTRIBUTES, MAX_ID_BYTES, MAX_STRING_BYTES, MAX_TEXT_BYTES,
    TEXT_CHARS, Timestamp,
};

/// What a target of `[event]` takes.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    /// `text` itself: as long as an event's text may be.
    LongText,
    Id,
    /// A plain word of an open vocabulary.
    Word,
    OneOf(&'static [&'static str]),
    Flag,
    /// A whole number up to this.
    Whole(u64),
    Rating,
    Time,
    Texts,
}

/// The targets: canonical names, dotted.
const TARGETS: [(&str, Kind); 32] = [
    ("id", Kind::Id),
    ("revision", Kind::Whole(u32::MAX as u64)),
    ("kind", Kind::Word),
    ("network", Kind::Word),
    ("action", Kind::Word),
    ("direction", Kind::OneOf(&["inbound", "outbound"])),
    ("visibility", Kind::OneOf(&["public", "followers", "private", "unknown"])),
    ("author.id", Kind::Text),
    ("author.handle", Kind::Text),
    ("author.name", Kind::Text),
    ("author.followers", Kind::Whole(u64::MAX)),
    ("author.verified", Kind::Flag),
    ("author.vip", Kind::Flag),
    ("author.organisation", Kind::Text),
    ("author.staff", Kind::Flag),
    ("author.bot", Kind::Flag),
    ("text", Kind::LongText),
    ("title", Kind::Text),
    ("language", Kind::Text),
    ("permalink", Kind::Text),
    ("thread_id", Kind::Id),
    ("parent_id", Kind::Id),
    ("rating", Kind::Rating),
    ("ticket.id", Kind::Id),
    ("ticket.number", Kind::Text),
    ("ticket.status", Kind::Text),
    ("ticket.priority", Kind::Text),
    ("ticket.queue", Kind::Text),
    ("ticket.assignee", Kind::Text),
    ("ticket.tags", Kind::Texts),
    ("ticket.opened", Kind::Time),
    ("occurred", Kind::Time),
];
/// The targets of one attachment.
const ATTACHMENT_TARGETS: [(&str, Kind); 4] =
    [("media_type", Kind::Text), ("url", Kind::Text), ("bytes", Kind::Whole(u64::MAX)), ("alt_text", Kind::Text)];

/// One target and the field that fills it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    target: &'static str,
    kind: Kind,
    field: Field,
}

/// The resolved `[event]` of an adapter.
#[derive(Clone, Debug, Default)]
pub(super) struct EventMapping {
    pub(super) lines: Vec<Line>,
    pub(super) attributes: Vec<(String, Field)>,
    /// The list in the body, and what to read from each entry.
    pub(super) attachments: Option<(super::reading::Place, Vec<Line>)>,
}

/// A line of `[event]`.
pub(super) fn event_line(name: &str, field: Field) -> Result<Line, String> {
    line(&TARGETS, name, field)
}

/// A line of `[event.attachments]`.
pub(super) fn attachment_line(name: &str, field: Field) -> Result<Line, String> {
    line(&ATTACHMENT_TARGETS, name, field)
}

fn line(targets: &[(&'static str, Kind)], name: &str, field: Field) -> Result<Line, String> {
    match targets.iter().find(|(target, _)| *target == name) {
        Some((target, kind)) => Ok(Line { target, kind: *kind, field }),
        None => Err(format!("is no target; there are {}", targets.iter().map(|(target, _)| *target).collect::<Vec<_>>().join(", "))),
    }
}

impl EventMapping {
    /// Maps a call to an event, with notes on what was there but left out.
    pub(super) fn event(&self, call: Call<'_>) -> Result<(Event, Vec<String>), EventError> {
        let mut notes = Vec::new();
        let mut event = Map::new();
        let mut text_chars = None;
        for Line { target, kind, field } in &self.lines {
            let required = matches!(*target, "id" | "text");
            let mut value = field.read(call, &mut notes);
            if *target == "text"
                && let Some(Value::String(text)) = &mut value
                && text.len() > MAX_TEXT_BYTES
            {
                // A desk's long mail thread is taken and cut, where a canonical sender would be told to send an excerpt.
                text_chars = Some(text.chars().count());
                text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
            }
            match value.filter(|value| *target == "text" || !is_blank(value)).map(|value| kind.fit(value)) {
                Some(Ok(value)) => set(&mut event, target, value),
                Some(Err(problem)) if required => return Err(EventError::shape(field.to_string(), format!("{problem} (`{target}`)"))),
                Some(Err(problem)) => notes.push(format!("{field}: {problem} (`{target}`)")),
                None if required => return Err(EventError::shape(field.to_string(), missing(target, &notes, field))),
                None => {}
            }
        }
        if event.get("ticket").is_some_and(|ticket| ticket.get("id").is_none()) {
            event.remove("ticket");
            notes.push("the ticket has no id and was left out (`ticket.id`)".to_owned());
        }
        event.insert("attachments".to_owned(), self.attachments(call, &mut notes));
        let mut event: Event =
            serde_json::from_value(event.into()).map_err(|error| EventError::shape("", format!("not an event: {error}")))?;
        event.attributes = self.attributes(call, &mut notes);
        let mut event = event.within_limits().map_err(|error| self.at_source(error))?;
        if let (Some(chars), Some(mark)) = (text_chars, event.attributes.iter_mut().find(|attribute| attribute.key == TEXT_CHARS)) {
            mark.value = AttributeValue::Integer(i64::try_from(chars).unwrap_or(i64::MAX));
        }
        Ok((event, notes))
    }

    /// Where each target came from that a call has something for, by its name.
    pub(super) fn origins(&self, call: Call<'_>) -> BTreeMap<String, String> {
        let fields = self.lines.iter().map(|line| (line.target.to_owned(), &line.field));
        let attributes = self.attributes.iter().map(|(key, field)| (format!("attributes.{key}"), field));
        let told = fields.chain(attributes).filter(|(_, field)| field.read(call, &mut Vec::new()).is_some_and(|value| !is_blank(&value)));
        let mut origins: BTreeMap<String, String> = told.map(|(target, field)| (target, field.came_from(call))).collect();
        if let Some((each, _)) = self.attachments.as_ref().filter(|(each, _)| each.find(call).is_some()) {
            origins.insert("attachments".to_owned(), each.to_string());
        }
        origins
    }

    /// One target of text alone, for an observation; nothing where it is blank.
    pub(super) fn text(&self, target: &str, call: Call<'_>) -> Option<String> {
        let line = self.lines.iter().find(|line| line.target == target)?;
        let value = line.kind.fit(line.field.read(call, &mut Vec::new())?).ok()?;
        value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn attachments(&self, call: Call<'_>, notes: &mut Vec<String>) -> Value {
        let Some((each, lines)) = &self.attachments else { return Value::Array(Vec::new()) };
        let list = each.find(call);
        let entries = list.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if entries.len() > MAX_ATTACHMENTS {
            notes.push(format!("{each}: {} entries, the first {MAX_ATTACHMENTS} were taken (`attachments`)", entries.len()));
        }
        let mut one = |entry| {
            let mut attachment = Map::new();
            for Line { target, kind, field } in lines {
                match field.read(Call { document: entry, ..call }, notes).filter(|value| !is_blank(value)).map(|value| kind.fit(value)) {
                    Some(Ok(value)) => set(&mut attachment, target, value),
                    Some(Err(problem)) => notes.push(format!("{each}/*{field}: {problem} (`attachments`)")),
                    None => {}
                }
            }
            (!attachment.is_empty()).then(|| Value::from(attachment))
        };
        entries.iter().take(MAX_ATTACHMENTS).filter_map(&mut one).collect()
    }

    fn attributes(&self, call: Call<'_>, notes: &mut Vec<String>) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        for (key, field) in &self.attributes {
            let Some(value) = field.read(call, notes).filter(|value| !is_blank(value)) else { continue };
            match attribute(value) {
                Ok(value) => attributes.push(Attribute { key: key.clone(), value }),
                Err(problem) => notes.push(format!("{field}: {problem} (attribute `{key}`)")),
            }
        }
        attributes
    }

    /// A limit's fault, told with the place in the desk's body where the value came from.
    fn at_source(&self, error: EventError) -> EventError {
        let EventError::Shape { pointer, problem } = error else { return error };
        let target = pointer.trim_start_matches('/').replace('/', ".");
        match self.lines.iter().find(|line| line.target == target) {
            Some(line) => EventError::shape(line.field.to_string(), format!("{problem} (`{target}`)")),
            None => EventError::Shape { pointer, problem },
        }
    }
}

fn missing(target: &str, notes: &[String], field: &Field) -> String {
    let place = field.to_string();
    let unread = notes.iter().find_map(|note| note.strip_prefix(&place)?.strip_prefix(": "));
    unread.map_or_else(|| format!("is missing; the event's `{target}` is read there"), |problem| format!("{problem} (`{target}`)"))
}

fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(str::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

fn set(event: &mut Map<String, Value>, target: &str, value: Value) {
    match target.split_once('.') {
        None => drop(event.insert(target.to_owned(), value)),
        Some((outer, inner)) => {
            let outer = event.entry(outer).or_insert_with(|| Map::new().into());
            outer[inner] = value;
        }
    }
}

impl Kind {
    /// The value as the target takes it.
    fn fit(self, value: Value) -> Result<Value, String> {
        let text = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(_) => Err("is a number where text is wanted; add `text = true`".to_owned()),
            _ => Err("is no text".to_owned()),
        };
        match self {
            Self::LongText => text(&value).map(Value::from),
            Self::Text => {
                let text = text(&value)?;
                if text.len() > MAX_STRING_BYTES { Err(format!("is longer than {MAX_STRING_BYTES} bytes")) } else { Ok(text.into()) }
            }
            Self::Id => {
                let text = text(&value)?;
                let printable = text.len() <= MAX_ID_BYTES && !text.trim().is_empty() && !text.chars().any(char::is_control);
                if printable { Ok(text.into()) } else { Err(format!("is no id: 1 to {MAX_ID_BYTES} bytes of printable text")) }
            }
            Self::Word => {
                let word = text(&value)?.trim().to_lowercase();
                let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'));
                if plain && (1..=64).contains(&word.len()) { Ok(word.into()) } else { Err("is no plain word; use `map`".to_owned()) }
            }
            Self::OneOf(words) => {
                let word = text(&value)?;
                if words.contains(&word.as_str()) { Ok(word.into()) } else { Err(format!("is none of {}; use `map`", words.join(", "))) }
            }
            Self::Flag => match value {
                Value::Bool(_) => Ok(value),
                Value::String(text) if matches!(text.as_str(), "true" | "false") => Ok((text == "true").into()),
                _ => Err("is neither true nor false".to_owned()),
            },
            Self::Whole(most) => match value.as_u64() {
                Some(number) if number <= most => Ok(value),
                _ => Err("is no whole number; if it is text, add `as = \"number\"`".to_owned()),
            },
            Self::Rating => match value.as_f64() {
                Some(rating) if (0.0..=1.0).contains(&rating) => Ok(value),
                _ => Err("is no rating from 0.0 to 1.0; add `scale`".to_owned()),
            },
            Self::Time => match Timestamp::parse(&text(&value)?) {
                Ok(time) => Ok(time.to_string().into()),
                Err(_) => Err("is no time in RFC 3339; add `as = \"time\"`".to_owned()),
            },
            Self::Texts => {
                let entries = if let Value::Array(entries) = value { entries } else { vec![value] };
                let entries = entries.iter().take(MAX_ATTRIBUTES).map(|entry| Self::Text.fit(entry.clone()));
                entries.collect::<Result<Vec<_>, _>>().map(Value::from)
            }
        }
    }
}

fn attribute(value: Value) -> Result<AttributeValue, String> {
    Ok(match value {
        Value::Bool(flag) => AttributeValue::Boolean(flag),
        Value::Number(number) if number.is_i64() => AttributeValue::Integer(number.as_i64().unwrap_or_default()),
        Value::Number(number) if number.is_f64() => AttributeValue::Decimal(number.as_f64().unwrap_or_default()),
        Value::Number(_) => return Err("is a number past 64 bits with sign; add `text = true`".to_owned()),
        Value::Array(_) => match Kind::Texts.fit(value)? {
            Value::Array(texts) => AttributeValue::Texts(texts.into_iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()),
            _ => return Err("is no list of texts".to_owned()),
        },
        value => match Kind::Text.fit(value)? {
            Value::String(text) => AttributeValue::Text(text),
            _ => return Err("is no text".to_owned()),
        },
    })
}
