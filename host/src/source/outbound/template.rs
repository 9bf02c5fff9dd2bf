//! A text with `{{placeholders}}`, and trees of such texts: what an adapter's calls are made of.
//!
//! Called by `plan`. Pure. A placeholder's value is never read again: braces in an event's text are text. It must never grow into a
//! language: a path into event, decision or item, then filters, each of them total; what cannot be filtered is as if it were not there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::field::Maps;
use super::super::filter::cut;
use super::super::reading::scalar_text;

/// The one table that a source's own configuration fills.
pub(super) const QUEUES: &str = "queues";

/// A text with placeholders.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Literal(String),
    Place(Placeholder),
}

/// `{{path | filter | filter:argument}}`.
#[derive(Clone, Debug)]
struct Placeholder {
    path: Vec<String>,
    filters: Vec<Filter>,
}

#[derive(Clone, Debug)]
enum Filter {
    /// A text, whatever it was; lists become lines.
    Text,
    /// Text made HTML: nothing in it is markup, line breaks stay.
    Html,
    /// A whole number, also from text; anything else is left out.
    Integer,
    /// Looked up in a table; what is not in it is left out.
    Map(BTreeMap<String, String>),
    /// Looked up among the source's queues; what is not in it stays.
    Queue,
    /// At most so many characters.
    Truncate(usize),
    /// A list as one text.
    Join(String),
}

/// What placeholders are filled from.
pub(super) struct Filling<'a> {
    /// `{"event", "decision"}`, and within `for_each` `"item"`.
    pub(super) context: &'a Value,
    /// The source's own names of queues.
    pub(super) queues: &'a BTreeMap<String, String>,
}

impl Template {
    pub(super) fn parse(text: &str, maps: &Maps) -> Result<Self, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, after) = after.split_once("}}").ok_or_else(|| format!("`{text}` opens `{{{{` and does not close it"))?;
            parts.extend((!before.is_empty()).then(|| Part::Literal(before.to_owned())));
            parts.push(Part::Place(Placeholder::parse(inside, maps)?));
            rest = after;
        }
        parts.extend((!rest.is_empty()).then(|| Part::Literal(rest.to_owned())));
        Ok(Self(parts))
    }

    /// Whether something of the decision, or of a list's item, stands in it.
    fn speaks(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Place(place) if matches!(place.path[0].as_str(), "decision" | "reply" | "item")))
    }

    /// A text that is one placeholder keeps the value's own type; nothing, when a placeholder has no value.
    pub(super) fn render(&self, filling: &Filling<'_>) -> Option<Value> {
        if let [Part::Place(place)] = self.0.as_slice() {
            return place.value(filling);
        }
        self.text(filling, |text| Some(text.to_owned())).map(Value::from)
    }

    /// As part of a url: values percent-encoded, and nothing when one of them could climb.
    pub(super) fn render_path(&self, filling: &Filling<'_>) -> Option<String> {
        self.text(filling, |text| (!matches!(text, "." | "..")).then(|| percent_encoded(text)))
    }

    fn text(&self, filling: &Filling<'_>, encode: impl Fn(&str) -> Option<String>) -> Option<String> {
        let part = |part: &Part| match part {
            Part::Literal(text) => Some(text.clone()),
            Part::Place(place) => encode(&scalar_text(&place.value(filling)?)?),
        };
        self.0.iter().map(part).collect()
    }
}

impl Placeholder {
    fn parse(inside: &str, maps: &Maps) -> Result<Self, String> {
        let mut pieces = inside.split('|').map(str::trim);
        let path: Vec<String> = pieces.next().unwrap_or_default().split('.').map(str::to_owned).collect();
        let known = match path[0].as_str() {
            "event" => EVENT.contains(&path.get(1).map_or("", String::as_str)),
            "decision" => DECISION.contains(&path.get(1).map_or("", String::as_str)),
            "desk" => path.len() == 2 && path[1] == "user",
            "reply" => path.len() == 2 && REPLY.contains(&path[1].as_str()),
            "item" => true,
            _ => false,
        };
        if !known || path.iter().any(String::is_empty) {
            return Err(format!(
                "`{{{{{inside}}}}}` names nothing; there are `event.`, `decision.`, `desk.user`, within `for_each` `item` and, in a call with `reply`, `reply.body`"
            ));
        }
        Ok(Self { path, filters: pieces.map(|piece| Filter::parse(piece, maps)).collect::<Result<_, _>>()? })
    }

    fn value(&self, filling: &Filling<'_>) -> Option<Value> {
        let found = self.path.iter().try_fold(filling.context, |value, key| value.get(key))?.clone();
        let value = self.filters.iter().try_fold(found, |value, filter| filter.apply(value, filling.queues))?;
        let blank = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Object(object) => object.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        };
        (!blank).then_some(value)
    }
}

impl Filter {
    fn parse(text: &str, maps: &Maps) -> Result<Self, String> {
        let (name, argument) = text.split_once(':').map_or((text, None), |(name, argument)| (name, Some(argument)));
        match (name, argument) {
            ("text", None) => Ok(Self::Text),
            ("html", None) => Ok(Self::Html),
            ("integer", None) => Ok(Self::Integer),
            ("map", Some(QUEUES)) => Ok(Self::Queue),
            ("map", Some(table)) => {
                maps.get(table).cloned().map(Self::Map).ok_or_else(|| format!("`map` names `{table}`, but there is no [maps.{table}]"))
            }
            ("truncate", Some(chars)) => chars.parse().map(Self::Truncate).map_err(|_| format!("`truncate:{chars}` wants a number")),
            ("join", between) => Ok(Self::Join(between.unwrap_or(", ").to_owned())),
            _ => Err(format!("`{text}` is no filter; there are text, html, integer, map:TABLE, truncate:N and join:BETWEEN")),
        }
    }

    fn apply(&self, value: Value, queues: &BTreeMap<String, String>) -> Option<Value> {
        match self {
            Self::Text => as_text(&value, "\n").map(Value::from),
            Self::Html => as_text(&value, "\n").map(|text| html(&text).into()),
            Self::Integer => match &value {
                Value::String(text) => text.trim().parse::<i64>().ok().map(Value::from),
                number => number.is_i64().then_some(value),
            },
            Self::Map(table) => table.get(&scalar_text(&value)?).map(|to| to.as_str().into()),
            Self::Queue => {
                let name = scalar_text(&value)?;
                Some(queues.get(&name).cloned().unwrap_or(name).into())
            }
            Self::Truncate(chars) => Some(cut(as_text(&value, "\n")?, Some(*chars)).into()),
            Self::Join(between) => as_text(&value, between).map(Value::from),
        }
    }
}

fn as_text(value: &Value, between: &str) -> Option<String> {
    match value {
        Value::Array(list) => Some(list.iter().filter_map(scalar_text).collect::<Vec<_>>().join(between)),
        other => scalar_text(other),
    }
}

/// Text as HTML: every character that could be markup is escaped, line breaks stay.
fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("<br>"),
            c => out.push(c),
        }
    }
    out
}

/// RFC 3986: everything but the unreserved characters.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => out.push(char::from(b)),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// A body: constants and templates, nested.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Constant(Value),
    Text(Template),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
}

/// A rendered node, and whether what the decision says came out in it; `None` where nothing of a decision was asked for.
struct Rendered {
    value: Option<Value>,
    spoke: Option<bool>,
}

impl Node {
    pub(super) fn parse(value: Value, maps: &Maps) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) if text.contains("{{") => Self::Text(Template::parse(&text, maps)?),
            Value::Array(list) => Self::List(list.into_iter().map(|one| Self::parse(one, maps)).collect::<Result<_, _>>()?),
            Value::Object(table) => {
                Self::Table(table.into_iter().map(|(key, one)| Ok((key, Self::parse(one, maps)?))).collect::<Result<_, String>>()?)
            }
            constant => Self::Constant(constant),
        })
    }

    /// Whether a placeholder begins with this word.
    pub(super) fn names(&self, root: &str) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Text(Template(parts)) => parts.iter().any(|part| matches!(part, Part::Place(place) if place.path[0] == root)),
            Self::List(nodes) => nodes.iter().any(|node| node.names(root)),
            Self::Table(nodes) => nodes.iter().any(|(_, node)| node.names(root)),
        }
    }

    /// Whether the ticket's key is wanted in it and is not there, or not in the form that is wanted.
    pub(super) fn misses_ticket(&self, filling: &Filling<'_>) -> bool {
        let misses = |place: &Placeholder| {
            let key = matches!(place.path.as_slice(), [event, ticket, key] if event == "event" && ticket == "ticket" && matches!(key.as_str(), "id" | "number"));
            key && place.value(filling).is_none()
        };
        match self {
            Self::Constant(_) => false,
            Self::Text(Template(parts)) => parts.iter().any(|part| matches!(part, Part::Place(place) if misses(place))),
            Self::List(nodes) => nodes.iter().any(|node| node.misses_ticket(filling)),
            Self::Table(nodes) => nodes.iter().any(|(_, node)| node.misses_ticket(filling)),
        }
    }

    /// What is to be sent; nothing when all that the decision could say in it is unset.
    pub(super) fn render(&self, filling: &Filling<'_>) -> Option<Value> {
        self.rendered(filling).value
    }

    fn rendered(&self, filling: &Filling<'_>) -> Rendered {
        match self {
            Self::Constant(value) => Rendered { value: Some(value.clone()), spoke: None },
            Self::Text(template) => {
                let value = template.render(filling);
                Rendered { spoke: template.speaks().then_some(value.is_some()), value }
            }
            Self::List(nodes) => {
                let parts: Vec<Rendered> = nodes.iter().map(|node| node.rendered(filling)).collect();
                let spoke = spoke(&parts);
                let list: Vec<Value> = parts.into_iter().filter_map(|part| part.value).collect();
                Rendered { value: (spoke != Some(false) && !list.is_empty()).then(|| list.into()), spoke }
            }
            Self::Table(nodes) => {
                let (keys, parts): (Vec<&String>, Vec<Rendered>) = nodes.iter().map(|(key, node)| (key, node.rendered(filling))).unzip();
                let spoke = spoke(&parts);
                let set = keys.into_iter().zip(parts).filter_map(|(key, part)| Some((key.clone(), part.value?)));
                let table: Map<String, Value> = set.collect();
                Rendered { value: (spoke != Some(false) && !table.is_empty()).then(|| table.into()), spoke }
            }
        }
    }
}

fn spoke(parts: &[Rendered]) -> Option<bool> {
    parts.iter().filter_map(|part| part.spoke).reduce(|one, other| one || other)
}

/// What stands under `event.`
const EVENT: [&str; 21] = [
    "id",
    "revision",
    "source",
    "kind",
    "network",
    "action",
    "direction",
    "visibility",
    "author",
    "text",
    "title",
    "language",
    "permalink",
    "thread_id",
    "parent_id",
    "rating",
    "attachments",
    "ticket",
    "occurred",
    "received",
    "attributes",
];
/// What stands under `reply.`
const REPLY: [&str; 5] = ["body", "visibility", "language", "article", "public"];
/// What stands under `decision.`
const DECISION: [&str; 35] = [
    "id",
    "event_id",
    "revision",
    "source",
    "chain",
    "generation",
    "decided",
    "degraded",
    "category",
    "intent",
    "language",
    "sentiment",
    "urgency",
    "impact",
    "priority",
    "crisis",
    "confidence",
    "tags",
    "assignment",
    "escalation",
    "sla",
    "replies",
    "articles",
    "links",
    "moderation",
    "alerts",
    "ticket_changes",
    "watchers",
    "fields",
    "notes",
    "marks",
    "stopped_by",
    "follows",
    "note",
    "mark",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(value: Value) -> Option<Value> {
        let maps = Maps::from([("levels".to_owned(), BTreeMap::from([("high".to_owned(), "3".to_owned())]))]);
        let context = json!({ "event": { "ticket": { "id": "7" }, "text": "<b>&\"'\n{{decision.note}}" },
            "decision": { "priority": "high", "tags": { "add": ["a", "b"] }, "assignment": { "queue": "net" }, "urgency": null } });
        let queues = BTreeMap::from([("net".to_owned(), "12".to_owned())]);
        Node::parse(value, &maps).unwrap().render(&Filling { context: &context, queues: &queues })
    }

    #[test]
    fn one_placeholder_keeps_its_type_and_an_unset_one_takes_its_key_away() {
        for (written, sent) in [
            (json!("{{decision.tags.add}}"), json!(["a", "b"])),
            (json!("{{decision.tags.add | join}}!"), json!("a, b!")),
            (json!("{{decision.tags.add | join:+}}"), json!("a+b")),
            (json!("{{event.ticket.id | integer}}"), json!(7)),
            (json!("{{decision.priority | map:levels | integer}}"), json!(3)),
            (json!("{{decision.assignment.queue | map:queues | integer}}"), json!(12)),
            (json!("{{event.text | html}}"), json!("&lt;b&gt;&amp;&quot;&#39;<br>{{decision.note}}")),
            (json!("{{event.text | truncate:3}}"), json!("<b>")),
            (json!({"a": "{{decision.priority}}", "b": "{{decision.urgency}}", "c": 1}), json!({"a": "high", "c": 1})),
            (json!({"a": [{"add": "{{decision.priority}}"}, "{{decision.urgency}}"]}), json!({"a": [{"add": "high"}]})),
        ] {
            assert_eq!(render(written.clone()), Some(sent), "{written}");
        }
    }

    #[test]
    fn what_the_decision_does_not_say_is_not_sent() {
        for written in [
            json!("{{decision.urgency}}"),
            json!("level {{decision.urgency}}"),
            json!({"object": "Ticket", "id": "{{event.ticket.id}}", "urgency": "{{decision.urgency}}"}),
            json!({"fields": {"nested": {"urgency": "{{decision.urgency}}"}}, "class": "UserRequest"}),
            json!("{{decision.priority | integer}}"),
            json!("{{decision.tags.add | integer}}"),
        ] {
            assert_eq!(render(written.clone()), None, "{written}");
        }
    }

    #[test]
    fn a_template_that_cannot_mean_anything_is_refused() {
        for (text, word) in [
            ("{{decision.note", "does not close"),
            ("{{decision.nothing}}", "names nothing"),
            ("{{secret}}", "names nothing"),
            ("{{event..id}}", "names nothing"),
            ("{{event.id | shout}}", "no filter"),
            ("{{event.id | map:none}}", "[maps.none]"),
            ("{{event.id | truncate:x}}", "wants a number"),
        ] {
            let error = Template::parse(text, &Maps::new()).unwrap_err();
            assert!(error.contains(word), "{text} -> {error}");
        }
    }

    #[test]
    fn a_path_takes_values_as_one_encoded_piece() {
        let context = |id: &str| json!({ "event": { "ticket": { "id": id } } });
        let template = Template::parse("/t/{{event.ticket.id}}", &Maps::new()).unwrap();
        let path = |id: &str| template.render_path(&Filling { context: &context(id), queues: &BTreeMap::new() });
        assert_eq!(path("a/../b?c#d\r\nHost: x").as_deref(), Some("/t/a%2F..%2Fb%3Fc%23d%0D%0AHost%3A%20x"));
        assert_eq!((path(".."), path("."), path("")), (None, None, None));
        assert_eq!(path("ü").as_deref(), Some("/t/%C3%BC"));
    }
}
