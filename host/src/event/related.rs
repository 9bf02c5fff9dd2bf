//! What the host has found a message to be related to, as attributes of the event: where new facts for plugins go.
//!
//! Written by the host before the chain runs, so that rules read them like any other and a replay sees the same; read back when the decision
//! is begun. What a desk says under these keys is not believed.

use super::{Attribute, AttributeValue, Event, MAX_ATTRIBUTES};

const TO: &str = "similar-to";
const SOURCE: &str = "similar-source";
const TICKET: &str = "similar-ticket";
const SCORE: &str = "similar-score";
const COUNT: &str = "similar-count";
const SAME_AUTHOR: &str = "similar-same-author";
const INCIDENTS: &str = "incidents";
/// Every key that only the host writes.
const KEYS: [&str; 7] = [TO, SOURCE, TICKET, SCORE, COUNT, SAME_AUTHOR, INCIDENTS];

/// What a message is related to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Related {
    /// The first of the recent messages with nearly the same words.
    pub like: Option<Similar>,
    /// Open incidents that it names, by their keys in the table of incidents.
    pub incidents: Vec<String>,
}

/// An earlier message with nearly the same words.
#[derive(Clone, Debug, PartialEq)]
pub struct Similar {
    /// Its id.
    pub event: String,
    /// Its source.
    pub source: String,
    /// The desk's key of its ticket, when there is one.
    pub ticket: Option<String>,
    /// The share of common words, 0.0 ..= 1.0.
    pub score: f64,
    /// How many such messages came before.
    pub count: i64,
    /// Whether the same author wrote both.
    pub same_author: bool,
}

impl Related {
    /// Reads them back.
    pub fn of(event: &Event) -> Self {
        let find = |key: &str| event.attributes.iter().find(|one| one.key == key).map(|one| &one.value);
        let text = |key: &str| match find(key) {
            Some(AttributeValue::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let like = text(TO).map(|event| Similar {
            event,
            source: text(SOURCE).unwrap_or_default(),
            ticket: text(TICKET),
            score: if let Some(AttributeValue::Decimal(score)) = find(SCORE) { *score } else { 1.0 },
            count: if let Some(AttributeValue::Integer(count)) = find(COUNT) { *count } else { 1 },
            same_author: find(SAME_AUTHOR) == Some(&AttributeValue::Boolean(true)),
        });
        let incidents = if let Some(AttributeValue::Texts(keys)) = find(INCIDENTS) { keys.clone() } else { Vec::new() };
        Self { like, incidents }
    }

    /// Puts them into the event, in the place of what it says there.
    pub fn put(self, event: &mut Event) {
        strip(event);
        let mut told = Vec::new();
        let mut tell = |key: &str, value| told.push(Attribute { key: key.to_owned(), value });
        if let Some(Similar { event, source, ticket, score, count, same_author }) = self.like {
            tell(TO, AttributeValue::Text(event));
            tell(SOURCE, AttributeValue::Text(source));
            ticket.into_iter().for_each(|ticket| tell(TICKET, AttributeValue::Text(ticket)));
            tell(SCORE, AttributeValue::Decimal(score));
            tell(COUNT, AttributeValue::Integer(count));
            tell(SAME_AUTHOR, AttributeValue::Boolean(same_author));
        }
        if !self.incidents.is_empty() {
            tell(INCIDENTS, AttributeValue::Texts(self.incidents));
        }
        // What the host found out comes before the last of what a desk tells.
        event.attributes.truncate(MAX_ATTRIBUTES - told.len());
        event.attributes.extend(told);
    }
}

/// Takes out what only the host may say.
pub fn strip(event: &mut Event) {
    event.attributes.retain(|one| !KEYS.contains(&one.key.as_str()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read_back_and_what_a_desk_says_is_not_believed() {
        let spoofed = r#"{"id": "m", "text": "t", "attributes": [{"key": "similar-to", "value": {"type": "text", "value": "x"}},
            {"key": "likes", "value": {"type": "integer", "value": 3}}]}"#;
        let mut event = Event::from_json(spoofed.as_bytes()).unwrap().event;
        Related::default().put(&mut event);
        assert_eq!((Related::of(&event), event.attributes.len()), (Related::default(), 1));
        let like = Similar { event: "m1".into(), source: "desk".into(), ticket: Some("7".into()), score: 0.9, count: 3, same_author: true };
        let related = Related { like: Some(like), incidents: vec!["INC-1".to_owned()] };
        related.clone().put(&mut event);
        related.clone().put(&mut event);
        assert_eq!((Related::of(&event), event.attributes.len()), (related, 8));
    }
}
