//! Canonical JSON to an event within its limits: the one way in.
//!
//! Called by sources and by the command line. It never stores or logs what it refuses.

use super::object::Object;
use super::{Attribute, AttributeValue, Event};

/// Longest text a plugin is given, in characters. A longer one is cut at a grapheme boundary and marked.
pub const MAX_TEXT_CHARS: usize = 8_000;
/// Longest text that is taken at all, in bytes: eight plugin texts, far above any network's own limit.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;
/// Longest id, in bytes.
pub const MAX_ID_BYTES: usize = 256;
/// Longest name, title, link or other single string, in bytes.
pub const MAX_STRING_BYTES: usize = 2_048;
/// Most attachments of one event.
pub const MAX_ATTACHMENTS: usize = 16;
/// Most attributes of one event, and most tags of its ticket.
pub const MAX_ATTRIBUTES: usize = 64;
/// Attribute that says how many characters the text had before it was cut.
pub const TEXT_CHARS: &str = "text-chars";

/// What is wrong with one place of a JSON body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not JSON, or not UTF-8.
    #[error("{0}")]
    Syntax(String),
    /// JSON, but not an event: the place and what is wrong there.
    #[error("{}: {problem}", if pointer.is_empty() { "the body" } else { pointer })]
    Shape {
        /// JSON Pointer (RFC 6901) into the body; empty is the whole body.
        pointer: String,
        /// What is wrong and what was wanted.
        problem: String,
    },
}

impl EventError {
    pub(crate) fn shape(pointer: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Shape { pointer: pointer.into(), problem: problem.into() }
    }
}

/// An event read from canonical JSON.
#[derive(Debug)]
pub struct Parsed {
    /// The event, within its limits.
    pub event: Event,
    /// How many keys the contract does not know; they were ignored.
    pub unknown_keys: usize,
}

impl Event {
    /// Reads canonical JSON: strict UTF-8 without a byte-order mark, numbers exact, unknown keys ignored and counted, `null`
    /// allowed where a field is optional, a key given twice refused.
    ///
    /// # Errors
    /// [`EventError`], with the pointer of the first fault.
    pub fn from_json(body: &[u8]) -> Result<Parsed, EventError> {
        let text = utf8(body)?;
        let mut json = serde_json::Deserializer::from_str(text);
        let mut track = serde_path_to_error::Track::new();
        let mut unknown_keys = 0;
        let event: Result<Object<Self>, serde_json::Error> =
            serde_ignored::deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track), |_| unknown_keys += 1);
        let Object(event) = event.map_err(|error| json_error(&error, &track.path()))?;
        json.end().map_err(|error| EventError::Syntax(format!("the body holds more than one JSON document: {error}")))?;
        Ok(Parsed { event: event.within_limits()?, unknown_keys })
    }

    /// Holds the event to the contract's limits: over-long text is cut and marked, open vocabularies are put in lower case,
    /// anything else that does not fit is refused.
    ///
    /// # Errors
    /// [`EventError::Shape`] with the pointer of the first fault.
    pub fn within_limits(mut self) -> Result<Self, EventError> {
        identifier("/id", &self.id)?;
        for (pointer, word) in [("/kind", &mut self.kind), ("/network", &mut self.network), ("/action", &mut self.action)] {
            *word = vocabulary(pointer, word)?;
        }
        if self.text.len() > MAX_TEXT_BYTES {
            return Err(EventError::shape(
                "/text",
                format!("{} bytes; at most {MAX_TEXT_BYTES} are taken, send an excerpt", self.text.len()),
            ));
        }
        for (pointer, value) in [("/title", &self.title), ("/language", &self.language), ("/permalink", &self.permalink)] {
            bounded(pointer, value.as_deref())?;
        }
        for (pointer, value) in [("/thread_id", &self.thread_id), ("/parent_id", &self.parent_id)] {
            if let Some(id) = value {
                identifier(pointer, id)?;
            }
        }
        if let Some(rating) = self.rating.filter(|rating| !(0.0..=1.0).contains(rating)) {
            return Err(EventError::shape("/rating", format!("{rating} is outside 0.0 to 1.0; scale the network's stars")));
        }
        if let Some(author) = &self.author {
            let fields = [("id", &author.id), ("handle", &author.handle), ("name", &author.name), ("organisation", &author.organisation)];
            for (name, value) in fields {
                bounded(&format!("/author/{name}"), value.as_deref())?;
            }
        }
        if let Some(ticket) = &self.ticket {
            identifier("/ticket/id", &ticket.id)?;
            let fields = [
                ("number", &ticket.number),
                ("status", &ticket.status),
                ("priority", &ticket.priority),
                ("queue", &ticket.queue),
                ("assignee", &ticket.assignee),
            ];
            for (name, value) in fields {
                bounded(&format!("/ticket/{name}"), value.as_deref())?;
            }
            at_most("/ticket/tags", ticket.tags.len(), MAX_ATTRIBUTES)?;
            for (at, tag) in ticket.tags.iter().enumerate() {
                bounded(&format!("/ticket/tags/{at}"), Some(tag))?;
            }
        }
        at_most("/attachments", self.attachments.len(), MAX_ATTACHMENTS)?;
        for (at, attachment) in self.attachments.iter().enumerate() {
            let fields = [("media_type", &attachment.media_type), ("url", &attachment.url), ("alt_text", &attachment.alt_text)];
            for (name, value) in fields {
                bounded(&format!("/attachments/{at}/{name}"), value.as_deref())?;
            }
        }
        at_most("/attributes", self.attributes.len(), MAX_ATTRIBUTES)?;
        for (at, attribute) in self.attributes.iter().enumerate() {
            identifier(&format!("/attributes/{at}/key"), &attribute.key)?;
            let pointer = format!("/attributes/{at}/value");
            match &attribute.value {
                AttributeValue::Text(text) => bounded(&pointer, Some(text))?,
                AttributeValue::Texts(texts) => {
                    at_most(&pointer, texts.len(), MAX_ATTRIBUTES)?;
                    for text in texts {
                        bounded(&pointer, Some(text))?;
                    }
                }
                AttributeValue::Integer(_) | AttributeValue::Decimal(_) | AttributeValue::Boolean(_) => {}
            }
        }
        self.cut_text();
        Ok(self)
    }

    /// Cuts the text to [`MAX_TEXT_CHARS`] at a grapheme boundary and says so in the attribute [`TEXT_CHARS`].
    fn cut_text(&mut self) {
        use unicode_segmentation::UnicodeSegmentation as _;
        // A text of that many bytes or fewer cannot have more characters.
        if self.text.len() <= MAX_TEXT_CHARS {
            return;
        }
        let chars = self.text.chars().count();
        if chars <= MAX_TEXT_CHARS {
            return;
        }
        let (mut kept_chars, mut end) = (0, 0);
        for (at, grapheme) in self.text.grapheme_indices(true) {
            kept_chars += grapheme.chars().count();
            if kept_chars > MAX_TEXT_CHARS {
                break;
            }
            end = at + grapheme.len();
        }
        self.text.truncate(end);
        self.attributes.retain(|attribute| attribute.key != TEXT_CHARS);
        self.attributes
            .push(Attribute { key: TEXT_CHARS.to_owned(), value: AttributeValue::Integer(i64::try_from(chars).unwrap_or(i64::MAX)) });
    }
}

/// The body as text: strict UTF-8, no byte-order mark, not empty.
///
/// # Errors
/// [`EventError::Syntax`] that names the fault.
pub fn utf8(body: &[u8]) -> Result<&str, EventError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(EventError::Syntax("the body is empty; send one JSON object".to_owned()));
    }
    if body.starts_with(b"\xef\xbb\xbf") || body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff") {
        return Err(EventError::Syntax("the body starts with a byte-order mark; send plain UTF-8 without one".to_owned()));
    }
    std::str::from_utf8(body).map_err(|error| EventError::Syntax(format!("the body is not UTF-8: bad byte at {}", error.valid_up_to())))
}

/// Turns a JSON error and the path it happened at into an [`EventError`].
pub fn json_error(error: &serde_json::Error, path: &serde_path_to_error::Path) -> EventError {
    if !error.is_data() {
        return EventError::Syntax(format!("not JSON: {error}"));
    }
    let mut message = error.to_string();
    if let Some(at) = message.rfind(" at line ") {
        message.truncate(at);
    }
    EventError::Shape { pointer: pointer(path), problem: message }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |mut out, segment| {
        match segment {
            Segment::Seq { index } => out.push_str(&format!("/{index}")),
            Segment::Map { key } => out.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
        out
    })
}

fn identifier(pointer: &str, id: &str) -> Result<(), EventError> {
    if id.trim().is_empty() {
        return Err(EventError::shape(pointer, "is empty; give the message a stable id"));
    }
    if id.len() > MAX_ID_BYTES {
        return Err(EventError::shape(pointer, format!("{} bytes; an id has at most {MAX_ID_BYTES}", id.len())));
    }
    if id.chars().any(char::is_control) {
        return Err(EventError::shape(pointer, "holds a control character; an id is printable text"));
    }
    Ok(())
}

fn vocabulary(pointer: &str, word: &str) -> Result<String, EventError> {
    let word = word.trim().to_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    if word.is_empty() || word.len() > 64 || !word.chars().all(plain) {
        return Err(EventError::shape(pointer, "is not a plain word; use 1 to 64 letters, digits, `-`, `_`, `.` or `:`"));
    }
    Ok(word)
}

fn bounded(pointer: &str, value: Option<&str>) -> Result<(), EventError> {
    match value {
        Some(value) if value.len() > MAX_STRING_BYTES => {
            Err(EventError::shape(pointer, format!("{} bytes; at most {MAX_STRING_BYTES} are taken", value.len())))
        }
        _ => Ok(()),
    }
}

fn at_most(pointer: &str, count: usize, cap: usize) -> Result<(), EventError> {
    if count > cap { Err(EventError::shape(pointer, format!("{count} entries; at most {cap} are taken"))) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::*;

    fn shape(body: &str) -> (String, String) {
        match Event::from_json(body.as_bytes()) {
            Err(EventError::Shape { pointer, problem }) => (pointer, problem),
            other => panic!("expected a shape fault, got {other:?}"),
        }
    }

    #[test]
    fn id_and_text_are_enough() {
        let event = Event::from_json(br#"{"id":"1","text":"hi"}"#).unwrap().event;
        assert_eq!((event.kind.as_str(), event.network.as_str(), event.action.as_str()), ("message", "unknown", "created"));
        assert_eq!((event.visibility, event.author), (Visibility::Unknown, None));
    }

    #[test]
    fn unknown_keys_are_ignored_and_counted() {
        let parsed = Event::from_json(br#"{"id":"1","text":"hi","surprise":1,"author":{"x":[2]}}"#).unwrap();
        assert_eq!(parsed.unknown_keys, 2);
    }

    #[test]
    fn a_fault_names_its_pointer() {
        assert_eq!(shape(r#"{"id":"1","text":{"x":1}}"#).0, "/text");
        assert_eq!(shape(r#"{"id":"1","text":"a","author":{"followers":1e3}}"#).0, "/author/followers");
        assert_eq!(shape(r#"{"id":"1","text":"a","attachments":[{},{"bytes":"9"}]}"#).0, "/attachments/1/bytes");
        assert_eq!(
            shape(r#"{"id":"1","text":"a","author":["x"]}"#),
            ("/author".to_owned(), "invalid type: sequence, expected an object".to_owned())
        );
        assert_eq!(shape(r#"["1"]"#).0, "");
        assert!(shape(r#"{"text":"a"}"#).1.contains("`id`"));
        assert!(shape(r#"{"id":"1","text":"a","text":"b"}"#).1.contains("duplicate field `text`"));
    }

    #[test]
    fn numbers_are_exact_or_refused() {
        let body = br#"{"id":"1","text":"a","author":{"followers":18446744073709551615}}"#;
        assert_eq!(Event::from_json(body).unwrap().event.author.unwrap().followers, Some(u64::MAX));
        assert_eq!(shape(r#"{"id":"1","text":"a","author":{"followers":1e-400}}"#).0, "/author/followers");
    }

    #[test]
    fn bad_encodings_are_syntax() {
        for body in [
            &b""[..],
            b" \n",
            b"\xef\xbb\xbf{}",
            b"\xff\xfe{\0}\0",
            b"{\"id\":\"\xed\xa0\x80\"}",
            b"{\"id\":\"\\ud800\",\"text\":\"\"}",
            b"{}{}",
        ] {
            let refused = Event::from_json(body);
            assert!(matches!(refused, Err(EventError::Syntax(_) | EventError::Shape { .. })), "{body:?} -> {refused:?}");
        }
        assert!(matches!(Event::from_json(b"{\"id\":\"1\",\"text\":\"\"}{}"), Err(EventError::Syntax(_))));
    }

    #[test]
    fn long_text_is_cut_at_a_grapheme_and_marked() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        let event = Event::from_json(format!(r#"{{"id":"1","text":"{}"}}"#, family.repeat(2_000)).as_bytes()).unwrap().event;
        assert_eq!(event.text, family.repeat(1_600));
        assert_eq!(event.attributes, [Attribute { key: TEXT_CHARS.to_owned(), value: AttributeValue::Integer(10_000) }]);
    }

    #[test]
    fn text_past_the_byte_cap_is_refused() {
        assert_eq!(shape(&format!(r#"{{"id":"1","text":"{}"}}"#, "x".repeat(MAX_TEXT_BYTES + 1))).0, "/text");
    }

    #[test]
    fn ids_are_printable_and_bounded() {
        for bad in ["", "  ", "a\\u0000b", &"x".repeat(257)] {
            assert_eq!(shape(&format!(r#"{{"id":"{bad}","text":"a"}}"#)).0, "/id", "{bad}");
        }
    }
}
