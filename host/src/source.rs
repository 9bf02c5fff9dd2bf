//! A source: one connection to one desk. It says whether a call is genuine, and what the call means.
//!
//! Called by the webhook (verify, then map) and by commands that try an adapter. Pure: bytes, headers and times in, values out. It must
//! never parse a body before its signature is verified, read a clock, or hold anything of the desk's own JSON past the mapping.
//!
//! The written rules are where they hold: of verifying in `signature`, of content types in `source/content.rs`, of envelopes in
//! `source/cloudevents.rs`. A desk's own JSON is strict UTF-8 without a byte-order mark, an object, at most 128 levels deep; of a key
//! given twice the last one counts there, while canonical JSON refuses it.

mod adapter;
mod cloudevents;
mod condition;
mod content;
mod entities;
mod feed;
mod field;
mod filter;
mod guard;
mod html;
mod mapping;
pub mod outbound;
pub mod presets;
mod reading;
pub mod sample;
mod seen;
mod time;
pub mod trial;

use http::HeaderMap;
use serde_json::Value;

pub use self::adapter::{About, Adapter, AdapterError, Answer, Form};
pub use self::condition::Scalar;
pub use self::content::{Content, UnsupportedContent};
use self::feed::Feed;
pub use self::feed::{Fed, FeedSpec};
use self::field::Field;
use self::outbound::{Desk, Outbound};
use self::reading::Call;
use crate::agreement::Seen;
use crate::event::{AttributeValue, Direction, Event, EventError, Parsed, Timestamp, strip, utf8};
use crate::signature::{Auth, ChallengeAnswer, Reach, Refusal, Scheme, SchemeError, Secret, verify};
use crate::sla::Status;

/// Longest delivery id that is kept, in characters.
const MAX_DELIVERY_ID_CHARS: usize = 256;

/// The attribute that tells a rule why it runs again.
const TRIGGER: &str = "trigger";

/// In a body of a desk whose admin wrote it as the canonical event: "text", or "html" when its text is HTML.
const PASS_THROUGH: &str = "signalbox_event";

/// A configured source, ready for calls.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    adapter: Adapter,
    scheme: Scheme,
    secrets: Vec<Secret>,
    answer: Answer,
    own_user: Option<String>,
    outbound: Option<Outbound>,
}

/// What a source says beyond its adapter.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Overrides of the adapter's `auth`; another scheme replaces it whole.
    pub auth: Option<Auth>,
    /// The secrets as the desk shows them; any may match, the first answers challenges.
    pub secrets: Vec<String>,
    /// Another answer than the adapter's.
    pub answer: Option<Answer>,
    /// The user that we write back as, in the desk's own words: what it does is no event.
    pub own_user: Option<String>,
    /// Where and how decisions are written back; without it they are not.
    pub outbound: Option<Desk>,
    /// Tables that its calls fill, beside those of the adapter.
    pub feeds: Vec<FeedSpec>,
}

/// Why a source cannot be used as configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The name cannot stand in a url and a log line.
    #[error("`{}` is no source's name; use 1 to 64 lower-case letters, digits, `-` and `_`", .0.escape_debug())]
    Name(String),
    /// The way of verifying or a secret does not fit.
    #[error("source `{name}`: {error}")]
    Scheme {
        /// The source.
        name: String,
        /// What does not fit.
        error: SchemeError,
    },
    /// The way back does not fit.
    #[error("source `{name}`: [outbound] {problem}")]
    Outbound {
        /// The source.
        name: String,
        /// What does not fit.
        problem: String,
    },
    /// A feed does not fit.
    #[error("source `{name}`: {problem}")]
    Feed {
        /// The source.
        name: String,
        /// What does not fit.
        problem: String,
    },
    /// The adapter cannot tell who did something.
    #[error("source `{0}` says `own_user`, but its adapter has no [loop_guard] that knows users; remove it")]
    OwnUser(String),
    /// No secret, and a scheme that needs one.
    #[error("source `{0}` has no secret; set the one that the desk signs with")]
    NoSecret(String),
}

/// What a call means.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapped {
    /// Something that a chain runs.
    Event(Box<Event>),
    /// Nothing to do: answered, counted, forgotten.
    Dropped {
        /// Why, in the adapter's words.
        reason: String,
    },
    /// Rows of tables that say something else from now on: recorded, never run.
    Fed(Vec<Fed>),
    /// Something that the desk or our side did: recorded, never run.
    Observation {
        /// What, in the adapter's words.
        reason: String,
        /// The ticket it happened to.
        ticket: Option<String>,
    },
}

/// What a call means, and what was passed over to say so.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// The meaning.
    pub mapped: Mapped,
    /// Keys of a canonical body that the contract does not know.
    pub unknown_keys: usize,
    /// Values of a desk's body that were there but could not be read, one sentence each, with the place and without the value.
    pub left_out: Vec<String>,
    /// What an observation means to the clocks of its ticket, and to its decision.
    pub deed: Deed,
}

/// What the desk did, as far as clocks and agreement care.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deed {
    /// It answered the author.
    pub reply: bool,
    /// How the ticket stands now.
    pub status: Option<Status>,
    /// The conversation, where there is no ticket.
    pub thread: Option<String>,
    /// What the ticket shows of what decisions settle.
    pub seen: Seen,
}

/// Why a genuine call has no meaning here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// The body is not JSON (400), or not what the adapter reads (422).
    #[error(transparent)]
    Event(#[from] EventError),
    /// The body is of no kind that is taken (415).
    #[error(transparent)]
    Content(#[from] UnsupportedContent),
    /// Called a `CloudEvents` event, but it has no `specversion` (415).
    #[error("the content-type says CloudEvents, but the body has no specversion; send it as application/json")]
    NotCloudEvent,
    /// The source takes `CloudEvents` only, and this is none (415).
    #[error("this source takes CloudEvents; send application/cloudevents+json, or the ce- headers with application/json")]
    WantsCloudEvent,
}

/// Whether a source may be called this.
pub fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

impl Source {
    /// Puts an adapter and a source's own settings together.
    ///
    /// # Errors
    /// A [`SourceError`] for the admin.
    pub fn new(name: &str, mut adapter: Adapter, settings: Settings) -> Result<Self, SourceError> {
        if !is_name(name) {
            return Err(SourceError::Name(name.to_owned()));
        }
        let in_scheme = |error| SourceError::Scheme { name: name.to_owned(), error };
        let auth = settings.auth.unwrap_or_default().over(&adapter.auth);
        let scheme = Scheme::resolve(&auth).map_err(in_scheme)?;
        let secrets: Vec<_> = settings.secrets.iter().map(|text| scheme.secret(text)).collect::<Result<_, _>>().map_err(in_scheme)?;
        if secrets.is_empty() && scheme.needs_secret() {
            return Err(SourceError::NoSecret(name.to_owned()));
        }
        let answer = settings.answer.unwrap_or(adapter.answer);
        if settings.own_user.is_some() && !adapter.guard.names_actors() {
            return Err(SourceError::OwnUser(name.to_owned()));
        }
        for feed in settings.feeds {
            let in_feed = |problem| SourceError::Feed { name: name.to_owned(), problem };
            adapter.feeds.push(Feed::resolve(feed, &adapter.maps).map_err(in_feed)?);
        }
        let in_outbound = |problem| SourceError::Outbound { name: name.to_owned(), problem };
        let outbound = match (settings.outbound, &adapter.outbound) {
            (None, _) => None,
            (Some(desk), Some(plan)) => Some(Outbound::new(plan.clone(), desk).map_err(in_outbound)?),
            (Some(_), None) => return Err(in_outbound("is there, but its adapter has no calls; add [[outbound.call]] to it".to_owned())),
        };
        Ok(Self { name: name.to_owned(), adapter, scheme, secrets, answer, own_user: settings.own_user, outbound })
    }

    /// An adapter by itself, for commands that only look: it verifies nothing, and its way back leads nowhere.
    ///
    /// # Errors
    /// A [`SourceError`] when the adapter's way of verifying does not fit together.
    pub fn unsigned(name: &str, adapter: Adapter) -> Result<Self, SourceError> {
        let scheme = Scheme::resolve(&adapter.auth).map_err(|error| SourceError::Scheme { name: name.to_owned(), error })?;
        let answer = adapter.answer;
        let outbound = adapter.outbound.clone().map(Outbound::preview);
        Ok(Self { name: name.to_owned(), adapter, scheme, secrets: Vec::new(), answer, own_user: None, outbound })
    }

    /// Whether it can verify anything: only a source that was configured can.
    pub fn can_verify(&self) -> bool {
        !self.secrets.is_empty() || !self.scheme.needs_secret()
    }

    /// The way back to its desk, when there is one.
    pub fn outbound(&self) -> Option<&Outbound> {
        self.outbound.as_ref()
    }

    /// Its name, as in `/hooks/{source}`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its adapter.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// What its callers are answered with.
    pub fn answer(&self) -> Answer {
        self.answer
    }

    /// From where it may be called. The webhook holds a [`Reach::LoopbackOnly`] source to the peer's address.
    pub fn reach(&self) -> Reach {
        self.scheme.reach()
    }

    /// Whether it takes events in `CloudEvents` envelopes.
    pub fn takes_cloudevents(&self) -> bool {
        matches!(self.adapter.form, Form::Canonical | Form::CloudEvents)
    }

    /// Says whether a call is genuine. `query` is the raw query string, `body` the raw body, `now` unix seconds.
    ///
    /// # Errors
    /// The [`Refusal`]; see [`verify`].
    pub fn verify(&self, headers: &HeaderMap, query: Option<&str>, body: &[u8], now: u64) -> Result<(), Refusal> {
        verify(&self.scheme, &self.secrets, headers, query, body, now)
    }

    /// Answers the desk's `GET` challenge; `None` when this source's desk asks none.
    pub fn challenge(&self, query: Option<&str>) -> Option<Result<ChallengeAnswer, Refusal>> {
        self.adapter.challenge.map(|challenge| challenge.answer(&self.secrets, query))
    }

    /// The desk's own id of this delivery, the same over retries: the first of the adapter's headers that is there once, 1 to 256 visible
    /// ASCII characters.
    pub fn delivery_id(&self, headers: &HeaderMap) -> Option<String> {
        let usable = |id: &String| !id.is_empty() && id.len() <= MAX_DELIVERY_ID_CHARS && id.bytes().all(|b| b.is_ascii_graphic());
        self.adapter.delivery_id.iter().find_map(|name| reading::header(headers, name).filter(usable))
    }

    /// Says what a verified call means. `source` and `received` of the event are this source's and the given time, whatever the body says.
    ///
    /// # Errors
    /// A [`MapError`] with the place in the caller's own body.
    pub fn map(&self, headers: &HeaderMap, query: Option<&str>, body: &[u8], received: Timestamp) -> Result<Mapping, MapError> {
        let content = Content::of(headers)?;
        if let Some(mapping) = self.map_feed(headers, query, body)? {
            return Ok(mapping);
        }
        let mut mapping = match self.adapter.form {
            Form::Mapped => self.map_own(content, headers, query, body)?,
            Form::Canonical | Form::CloudEvents => self.map_canonical(content, headers, query, body)?,
        };
        if let Mapped::Event(event) = &mut mapping.mapped {
            event.source.clone_from(&self.name);
            event.received = received;
            // Only the host says what a message is related to, and that a clock has run out.
            strip(event);
            event
                .attributes
                .retain(|one| !(one.key == TRIGGER && matches!(&one.value, AttributeValue::Text(text) if text.starts_with("sla-"))));
            if event.direction == Direction::Outbound {
                mapping.deed = self.deed(event);
                let ticket = event.ticket.take().map(|ticket| ticket.id);
                mapping.mapped = Mapped::Observation { reason: "an outbound message".to_owned(), ticket };
            }
        }
        Ok(mapping)
    }

    /// A call that fills tables is no event, and need not look like one.
    fn map_feed(&self, headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Result<Option<Mapping>, MapError> {
        // What is no JSON is refused in the words of the form.
        let Some(document) = Some(&self.adapter.feeds).filter(|feeds| !feeds.is_empty()).and_then(|_| document(body).ok()) else {
            return Ok(None);
        };
        let mut left_out = Vec::new();
        let fed = self.fed(Call { document: &document, headers, query }, &mut left_out)?;
        Ok(fed.map(|fed| Mapping { mapped: Mapped::Fed(fed), unknown_keys: 0, left_out, deed: Deed::default() }))
    }

    fn map_canonical(&self, content: Content, headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Result<Mapping, MapError> {
        let Parsed { event, unknown_keys } = match (content, cloudevents::binary(headers, body)) {
            (Content::CloudEvent, _) => cloudevents::structured(body)?,
            (Content::Json, Some(parsed)) => parsed?,
            (Content::Json, None) if self.adapter.form == Form::CloudEvents => return Err(MapError::WantsCloudEvent),
            (Content::Json, None) => Event::from_json(body)?,
        };
        let mut mapping = Mapping { mapped: Mapped::Event(Box::new(event)), unknown_keys, left_out: Vec::new(), deed: Deed::default() };
        if self.adapter.has_rules() {
            let document = document(body)?;
            if let Some((mapped, deed)) = self.rule(Call { document: &document, headers, query }) {
                (mapping.mapped, mapping.deed) = (mapped, deed);
            }
        }
        Ok(mapping)
    }

    fn map_own(&self, content: Content, headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Result<Mapping, MapError> {
        let document = document(body)?;
        if content == Content::CloudEvent && document.get("specversion").is_none() {
            return Err(MapError::NotCloudEvent);
        }
        if let Some(says) = document.get(PASS_THROUGH) {
            return self.pass_through(says == "html", body);
        }
        let there = |pointer: &&String| document.pointer(pointer).and_then(reading::scalar_text).is_some();
        if let Some(pointers) = self.adapter.requires.iter().find(|pointers| !pointers.iter().any(|pointer| there(&pointer))) {
            let problem = format!("is missing; every body that a source of {} takes has it", self.adapter.about().system);
            return Err(EventError::Shape { pointer: pointers.join(" or "), problem }.into());
        }
        let call = Call { document: &document, headers, query };
        if let Some((mapped, deed)) = self.rule(call) {
            return Ok(Mapping { mapped, unknown_keys: 0, left_out: Vec::new(), deed });
        }
        let (event, left_out) = self.adapter.mapping.event(call)?;
        Ok(Mapping { mapped: Mapped::Event(Box::new(event)), unknown_keys: 0, left_out, deed: Deed::default() })
    }

    /// A body that the desk's admin wrote as the canonical event. Some desks can only put HTML where its text is.
    fn pass_through(&self, html: bool, body: &[u8]) -> Result<Mapping, MapError> {
        let Parsed { mut event, unknown_keys } = Event::from_json(body)?;
        if html {
            event.text = html::to_text(&event.text);
        }
        let own = |text: &Option<String>| self.own_user.is_some() && text.as_ref().is_some_and(|text| Some(text) == self.own_user.as_ref());
        let deed = self.deed(&event);
        let mapped = match &event.author {
            Some(author) if own(&author.id) || own(&author.handle) => Mapped::Dropped { reason: guard::REASON.to_owned() },
            Some(author) if author.bot == Some(true) => Mapped::Dropped { reason: "a bot's message".to_owned() },
            Some(author) if author.staff == Some(true) => {
                Mapped::Observation { reason: "an agent's reply".to_owned(), ticket: event.ticket.map(|ticket| ticket.id) }
            }
            _ => Mapped::Event(Box::new(event)),
        };
        Ok(Mapping { mapped, unknown_keys: unknown_keys.saturating_sub(1), left_out: Vec::new(), deed })
    }

    /// The rows that a call tells of; nothing when it is no feed's, or our own echo.
    fn fed(&self, call: Call<'_>, notes: &mut Vec<String>) -> Result<Option<Vec<Fed>>, EventError> {
        if self.adapter.guard.holds(call, self.own_user.as_deref()) {
            return Ok(None);
        }
        let fed: Vec<Fed> = self.adapter.feeds.iter().filter_map(|feed| feed.read(call, notes)).collect::<Result<_, _>>()?;
        Ok(Some(fed).filter(|fed| !fed.is_empty()))
    }

    /// Our own echo, else the first drop rule that holds, else the first observe rule.
    fn rule(&self, call: Call<'_>) -> Option<(Mapped, Deed)> {
        if self.adapter.guard.holds(call, self.own_user.as_deref()) {
            return Some((Mapped::Dropped { reason: guard::REASON.to_owned() }, Deed::default()));
        }
        if let Some((_, reason)) = self.adapter.drop.iter().find(|(when, _)| when.holds(call)) {
            return Some((Mapped::Dropped { reason: reason.clone() }, Deed::default()));
        }
        let rule = self.adapter.observe.iter().find(|rule| rule.when.holds(call))?;
        let ticket = match &rule.ticket {
            Some(field) => field.read(call, &mut Vec::new()).as_ref().and_then(reading::scalar_text),
            None => self.adapter.mapping.text("ticket.id", call),
        };
        let text = |field: &Field| field.read(call, &mut Vec::new()).as_ref().and_then(reading::scalar_text);
        let status = self.adapter.status.as_ref().and_then(text).and_then(|word| status(&word));
        let deed = Deed { reply: rule.reply, status, thread: None, seen: self.seen_in(call) };
        Some((Mapped::Observation { reason: rule.reason.clone(), ticket }, deed))
    }

    /// What a message of our side means: an answer, unless it only tells of the ticket (`kind` is "status").
    fn deed(&self, event: &Event) -> Deed {
        let status = event.ticket.as_ref().and_then(|ticket| status(ticket.status.as_deref()?));
        Deed { reply: event.kind != "status", status, thread: event.thread_id.clone(), seen: self.seen_of(event) }
    }
}

/// A status in the words that adapters map to.
fn status(word: &str) -> Option<Status> {
    match word.to_ascii_lowercase().as_str() {
        "open" => Some(Status::Open),
        "pending" => Some(Status::Pending),
        "closed" => Some(Status::Closed),
        _ => None,
    }
}

/// A desk's body as JSON.
fn document(body: &[u8]) -> Result<Value, EventError> {
    let document: Value = serde_json::from_str(utf8(body)?).map_err(|error| EventError::Syntax(format!("not JSON: {error}")))?;
    match document {
        Value::Object(_) => Ok(document),
        _ => Err(EventError::Shape { pointer: String::new(), problem: "is no JSON object".to_owned() }),
    }
}

#[cfg(test)]
mod tests;
