//! An adapter: how one kind of desk is verified and understood, as data. This is the file format, and its resolving.
//!
//! Called when the configuration is read, never per call. An adapter is TOML with no expressions and no code; it must never hold a secret,
//! and a key it does not know is an error, so that a misspelt rule is not a rule that silently never holds.

use std::collections::BTreeMap;

use http::HeaderName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::condition::{When, WhenSpec};
use super::feed::{Feed, FeedSpec};
use super::field::{Field, FieldSpec, Maps};
use super::guard::{Guard, GuardSpec};
use super::mapping::{EventMapping, attachment_line, event_line};
use super::outbound::{OutboundSpec, Plan};
use super::reading::Place;
use super::seen::Priorities;
use crate::signature::{Auth, Challenge, Scheme};

/// What the caller is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// 200 with the decision, for callers that read it.
    Decision,
    /// 202 with a receipt; the decision is written back later.
    Receipt,
}

/// What the bodies are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// The contract's own JSON, plain or as a `CloudEvents` event.
    Canonical,
    /// The desk's own JSON, mapped by `[event]`.
    Mapped,
    /// The contract's own JSON, only as a `CloudEvents` event.
    #[serde(rename = "cloudevents")]
    CloudEvents,
}

/// An adapter file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AdapterFile {
    adapter: About,
    inbound: InboundSpec,
    #[serde(default)]
    event: EventSpec,
    /// Value tables that `map` names.
    #[serde(default)]
    maps: Maps,
    /// How our own write-back is known when it comes back as a call.
    #[serde(default)]
    loop_guard: GuardSpec,
    /// The calls that write a decision back.
    #[serde(default)]
    outbound: Option<OutboundSpec>,
    /// Calls that fill tables, such as an incident that was opened or closed.
    #[serde(default)]
    feed: Vec<FeedSpec>,
}

/// What an adapter is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Its own name, in lower case.
    pub name: String,
    /// The desk it is for.
    pub system: String,
    /// Rises with every change of what it maps.
    pub version: u32,
    /// What to set up on the desk's side, in a few sentences.
    #[serde(default)]
    pub description: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InboundSpec {
    /// How calls are verified.
    auth: Auth,
    /// The `GET` challenge that the desk asks, if it asks one.
    #[serde(default)]
    challenge: Option<Challenge>,
    /// `header:Name` in order; the first that is there names the delivery, the same over retries.
    #[serde(default)]
    delivery_id: Vec<String>,
    /// What the caller is answered with.
    answer: Answer,
    /// What the bodies are.
    content: Form,
    /// JSON Pointers of texts or numbers that every body of this desk has: one that is not there makes it another desk's, 422.
    #[serde(default)]
    requires: Vec<RequiredSpec>,
    /// Calls that are answered and forgotten; the first rule that holds gives the reason.
    #[serde(default)]
    drop: Vec<RuleSpec>,
    /// Calls that are recorded and not run; tried after every `drop`.
    #[serde(default)]
    observe: Vec<ObserveSpec>,
    /// How the ticket of an observed call stands: "open", "pending" or "closed", by way of a `map`. It pauses and ends clocks.
    #[serde(default)]
    status: Option<FieldSpec>,
    /// What the ticket of an observed call is about, in the words of decisions by way of a `map`: where agents keep a category. It is held
    /// against what was decided, as the priority and the queue of `[event]` are.
    #[serde(default)]
    category: Option<FieldSpec>,
}

/// A pointer, or several of which one is enough.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum RequiredSpec {
    One(String),
    AnyOf(Vec<String>),
}

impl RequiredSpec {
    fn resolve(self) -> Result<Vec<String>, String> {
        match self {
            Self::One(text) => Ok(vec![pointer(text)?]),
            Self::AnyOf(texts) if texts.is_empty() => Err("[inbound] `requires` holds an empty list".to_owned()),
            Self::AnyOf(texts) => texts.into_iter().map(pointer).collect(),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RuleSpec {
    when: WhenSpec,
    /// Why, for the log and the admin.
    reason: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ObserveSpec {
    when: WhenSpec,
    /// What happened, for the journal.
    reason: String,
    /// Where the ticket's id is, when not where `[event]` has it.
    #[serde(default)]
    ticket: Option<FieldSpec>,
    /// It is an answer to the author: it ends the clock of a response.
    #[serde(default)]
    reply: bool,
}

/// `[event]`: targets by their canonical, dotted and quoted names.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct EventSpec {
    attributes: BTreeMap<String, FieldSpec>,
    attachments: Option<AttachmentsSpec>,
    #[serde(flatten)]
    fields: BTreeMap<String, FieldSpec>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct AttachmentsSpec {
    /// The list in the body; the pointers of the targets are relative to its entries.
    each: String,
    #[serde(flatten)]
    fields: BTreeMap<String, FieldSpec>,
}

/// An adapter, resolved: every pointer, table and header name checked.
#[derive(Clone, Debug)]
pub struct Adapter {
    about: About,
    pub(super) auth: Auth,
    pub(super) challenge: Option<Challenge>,
    pub(super) delivery_id: Vec<HeaderName>,
    pub(super) answer: Answer,
    pub(super) form: Form,
    /// Of each entry one must be there.
    pub(super) requires: Vec<Vec<String>>,
    pub(super) drop: Vec<(When, String)>,
    pub(super) observe: Vec<Observe>,
    pub(super) status: Option<Field>,
    pub(super) category: Option<Field>,
    pub(super) priorities: Priorities,
    pub(super) mapping: EventMapping,
    pub(super) guard: Guard,
    pub(super) outbound: Option<Plan>,
    pub(super) feeds: Vec<Feed>,
    /// For the feeds that a source adds.
    pub(super) maps: Maps,
}

#[derive(Clone, Debug)]
pub(super) struct Observe {
    pub(super) when: When,
    pub(super) reason: String,
    pub(super) ticket: Option<Field>,
    pub(super) reply: bool,
}

/// Why a text is no adapter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AdapterError(String);

impl Adapter {
    /// Reads an adapter file.
    ///
    /// # Errors
    /// A sentence with the line or the key, and what was wanted.
    pub fn from_toml(text: &str) -> Result<Self, AdapterError> {
        let file: AdapterFile = toml::from_str(text).map_err(|error| AdapterError(error.to_string()))?;
        let name = file.adapter.name.clone();
        resolve(file).map_err(|problem| AdapterError(format!("adapter `{name}`: {problem}")))
    }

    /// The JSON Schema of the file format, for editors and the admin's page.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(AdapterFile).to_value()
    }

    /// What it is for.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Whether its body is looked at before it is taken as an event.
    pub(super) fn has_rules(&self) -> bool {
        !self.drop.is_empty() || !self.observe.is_empty() || self.guard.names_actors()
    }

    /// Whether its calls are signed with a secret.
    pub fn needs_secret(&self) -> bool {
        Scheme::resolve(&self.auth).is_ok_and(|scheme| scheme.needs_secret())
    }

    /// Whether it knows who did something, so that `own_user` has a meaning.
    pub fn names_actors(&self) -> bool {
        self.guard.names_actors()
    }

    /// Whether it has calls that write a decision back.
    pub fn writes_back(&self) -> bool {
        self.outbound.is_some()
    }

    /// What writing back wants beside the secret, by the keys of a source.
    pub fn outbound_wants(&self) -> Vec<&'static str> {
        self.outbound.as_ref().map(Plan::wants).unwrap_or_default()
    }

    /// How calls are verified unless a source says otherwise.
    pub fn auth(&self) -> &Auth {
        &self.auth
    }
}

fn resolve(file: AdapterFile) -> Result<Adapter, String> {
    let AdapterFile { adapter: about, inbound, event, maps, loop_guard, outbound, feed } = file;
    Scheme::resolve(&inbound.auth).map_err(|error| format!("[inbound] {error}"))?;
    let has_mapping = !event.fields.is_empty() || !event.attributes.is_empty() || event.attachments.is_some();
    match inbound.content {
        Form::Mapped => {
            if let Some(target) = ["id", "text"].into_iter().find(|target| !event.fields.contains_key(*target)) {
                return Err(format!("[event] has no `{target}`; there is no event without"));
            }
        }
        Form::Canonical | Form::CloudEvents if has_mapping => {
            return Err("[event] is there, but the content is not `mapped`; remove one".to_owned());
        }
        Form::Canonical | Form::CloudEvents => {}
    }
    let delivery_id = inbound.delivery_id.iter().map(|text| match text.parse()? {
        Place::Header(name) => Ok(name),
        Place::Pointer(_) | Place::Query(_) => {
            Err(format!("[inbound] `delivery_id` holds `{text}`; only `header:Name` can name a delivery"))
        }
    });
    let drop =
        inbound.drop.into_iter().map(|rule| Ok((When::resolve(rule.when).map_err(|problem| in_rule(&rule.reason, problem))?, rule.reason)));
    let observe = inbound.observe.into_iter().map(|rule| {
        let when = When::resolve(rule.when).map_err(|problem| in_rule(&rule.reason, problem))?;
        let ticket = rule.ticket.map(|spec| Field::resolve(spec, &maps)).transpose().map_err(|problem| in_rule(&rule.reason, problem))?;
        Ok::<_, String>(Observe { when, reason: rule.reason, ticket, reply: rule.reply })
    });
    Ok(Adapter {
        delivery_id: delivery_id.collect::<Result<_, String>>()?,
        drop: drop.collect::<Result<_, String>>()?,
        observe: observe.collect::<Result<_, String>>()?,
        status: inbound
            .status
            .map(|spec| Field::resolve(spec, &maps))
            .transpose()
            .map_err(|problem| format!("[inbound] `status` {problem}"))?,
        category: inbound
            .category
            .map(|spec| Field::resolve(spec, &maps))
            .transpose()
            .map_err(|problem| format!("[inbound] `category` {problem}"))?,
        priorities: Priorities::of(&maps),
        mapping: mapping(event, &maps)?,
        guard: Guard::resolve(&loop_guard).map_err(|problem| format!("[loop_guard] {problem}"))?,
        outbound: outbound.map(|spec| Plan::resolve(spec, &maps)).transpose().map_err(|problem| format!("[outbound] {problem}"))?,
        feeds: feed.into_iter().map(|spec| Feed::resolve(spec, &maps)).collect::<Result<_, _>>()?,
        maps,
        about,
        auth: inbound.auth,
        challenge: inbound.challenge,
        answer: inbound.answer,
        form: inbound.content,
        requires: inbound.requires.into_iter().map(RequiredSpec::resolve).collect::<Result<_, String>>()?,
    })
}

fn pointer(text: String) -> Result<String, String> {
    match text.parse()? {
        Place::Pointer(pointer) => Ok(pointer),
        Place::Header(_) | Place::Query(_) => {
            Err(format!("[inbound] `requires` holds `{text}`; write a JSON Pointer such as `/ticket/id`"))
        }
    }
}

fn in_rule(reason: &str, problem: String) -> String {
    format!("the rule \"{reason}\": {problem}")
}

fn mapping(spec: EventSpec, maps: &Maps) -> Result<EventMapping, String> {
    let at = |name: &str, problem: String| format!("[event] `{name}` {problem}");
    let field = |name: &str, spec| Field::resolve(spec, maps).map_err(|problem| at(name, problem));
    let mut mapping = EventMapping::default();
    for (name, spec) in spec.fields {
        mapping.lines.push(event_line(&name, field(&name, spec)?).map_err(|problem| at(&name, problem))?);
    }
    for (key, spec) in spec.attributes {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if key.is_empty() || !key.bytes().all(plain) {
            return Err(at(&format!("attributes.{key}"), "is no attribute's key; use lower case, digits and `-`".to_owned()));
        }
        let field = field(&format!("attributes.{key}"), spec)?;
        mapping.attributes.push((key, field));
    }
    if let Some(attachments) = spec.attachments {
        let mut lines = Vec::new();
        for (name, spec) in attachments.fields {
            let full = format!("attachments.{name}");
            lines.push(attachment_line(&name, field(&full, spec)?).map_err(|problem| at(&full, problem))?);
        }
        let each = attachments.each.parse().map_err(|problem| at("attachments.each", problem))?;
        mapping.attachments = Some((each, lines));
    }
    Ok(mapping)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(inbound: &str, rest: &str) -> Result<Adapter, AdapterError> {
        Adapter::from_toml(&format!(
            "adapter = {{ name = \"a\", system = \"s\", version = 1 }}
            [inbound]\nauth.scheme = \"bearer\"\nanswer = \"receipt\"\n{inbound}\n{rest}"
        ))
    }

    #[test]
    fn a_small_adapter_is_enough() {
        let event = "[event]\nid = { path = \"/id\" }\ntext = { path = \"/text\" }";
        assert!(adapter("content = \"mapped\"", event).is_ok());
        assert!(adapter("content = \"canonical\"", "").is_ok());
    }

    #[test]
    fn a_fault_is_named_with_its_key() {
        let event = "[event]\nid = { path = \"/id\" }\ntext = { path = \"/text\" }\n";
        for (inbound, rest, word) in [
            ("content = \"mapped\"", "[event]\nid = { path = \"/id\" }".to_owned(), "`text`"),
            ("content = \"canonical\"", event.to_owned(), "not `mapped`"),
            ("content = \"xml\"", String::new(), "unknown variant"),
            ("content = \"mapped\"\nmax = 5", event.to_owned(), "unknown field `max`"),
            ("content = \"mapped\"", format!("{event}titel = {{ path = \"/t\" }}"), "`titel` is no target"),
            ("content = \"mapped\"", format!("{event}title = {{ paht = \"/t\" }}"), "unknown field `paht`"),
            ("content = \"mapped\"", format!("{event}title = {{ path = \"/t\", map = \"x\" }}"), "`title` `map` names `x`"),
            ("content = \"mapped\"", format!("{event}[event.attributes]\n\"No\" = {{ path = \"/t\" }}"), "attributes.No"),
            ("content = \"mapped\"", format!("{event}[event.attachments]\neach = \"/a\"\nsize = {{ path = \"/t\" }}"), "attachments.size"),
            ("content = \"mapped\"\ndelivery_id = [\"/id\"]", event.to_owned(), "delivery_id"),
            ("content = \"mapped\"\ndrop = [{ when = { path = \"/a\" }, reason = \"own\" }]", event.to_owned(), "the rule \"own\""),
        ] {
            let error = adapter(inbound, &rest).unwrap_err().to_string();
            assert!(error.contains(word), "{inbound} {rest} -> {error}");
        }
    }

    #[test]
    fn the_schema_names_every_part() {
        let schema = Adapter::json_schema();
        for pointer in ["/properties/adapter", "/properties/inbound", "/properties/event", "/properties/maps", "/properties/outbound"] {
            assert!(schema.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
