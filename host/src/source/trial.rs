//! Trying a source before anything is connected: what a call would be taken for, and what would be sent back.
//!
//! Called by `signalbox source test` and by the admin API, which run the chain between the two halves. Pure: it sends nothing and
//! records nothing. Unlike the webhook it also maps a call that is not genuine, so that one answer shows every fault at once.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use super::outbound::Outbound;
use super::reading::Call;
use super::{Fed, Form, MapError, Mapped, Mapping, PASS_THROUGH, Source, document};
use crate::decision::Decision;
use crate::event::{Event, EventError, Timestamp};
use crate::outgoing::{Body, Mode, Outgoing, Repeat};

/// One call, tried. Of `event`, `dropped`, `observation`, `fed` and `error` there is exactly one.
#[derive(Debug, Serialize)]
pub struct Trial {
    /// The source's name.
    pub source: String,
    /// Whether the call proves that it comes from the desk.
    pub verification: Verification,
    /// What a chain would run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// Where each field of it came from, by its dotted name; nothing for a body that is the event itself.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub origins: BTreeMap<String, String>,
    /// Why it would be answered and forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<String>,
    /// What would be recorded and not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observation: Option<Observation>,
    /// The rows of tables that would say something else; `null` is a row that would be taken away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fed: Vec<Fed>,
    /// Why it would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
    /// Values of the body that were there but could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// What the chain decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// How much would be written back; absent when the source has no way back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The requests that would be made, in order.
    pub outbound: Vec<Shown>,
}

/// Whether a call proves that it comes from the desk.
#[derive(Debug, Serialize)]
pub struct Verification {
    /// `verified`, `refused` or `not_checked`.
    pub result: &'static str,
    /// Which part failed, or why nothing was checked; without digest or secret.
    pub detail: String,
}

/// What the desk did.
#[derive(Debug, Serialize)]
pub struct Observation {
    /// What, in the adapter's words.
    pub reason: String,
    /// The ticket it happened to.
    pub ticket: Option<String>,
}

/// Why a call has no meaning here.
#[derive(Debug, Serialize)]
pub struct Fault {
    /// A sentence with the remedy.
    pub detail: String,
    /// The place in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

/// A request as it would leave, but for its secret.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// The adapter's name for it.
    pub name: String,
    /// The method.
    pub method: String,
    /// The whole url.
    pub url: String,
    /// Headers of its own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body's kind; absent when there is no body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<&'static str>,
    /// The body: JSON as it stands, a form as a list of pairs.
    pub body: Value,
    /// Why sending it twice would do no harm.
    pub repeat: Repeat,
}

impl Trial {
    /// The first half: verification and mapping, as the webhook would do them.
    pub fn of(source: &Source, headers: &HeaderMap, query: Option<&str>, body: &[u8], now: Timestamp) -> Self {
        let mut trial = Self {
            source: source.name().to_owned(),
            verification: verification(source, headers, query, body, now),
            event: None,
            origins: BTreeMap::new(),
            dropped: None,
            observation: None,
            fed: Vec::new(),
            error: None,
            left_out: Vec::new(),
            decision: None,
            mode: source.outbound().map(|outbound| outbound.mode),
            outbound: Vec::new(),
        };
        match source.map(headers, query, body, now) {
            Ok(Mapping { mapped, left_out, .. }) => {
                trial.left_out = left_out;
                match mapped {
                    Mapped::Event(event) => {
                        trial.event = Some(*event);
                        trial.origins = origins(source, headers, query, body);
                    }
                    Mapped::Dropped { reason } => trial.dropped = Some(reason),
                    Mapped::Fed(fed) => trial.fed = fed,
                    Mapped::Observation { reason, ticket } => trial.observation = Some(Observation { reason, ticket }),
                }
            }
            Err(error) => {
                let pointer = match &error {
                    MapError::Event(EventError::Shape { pointer, .. }) => Some(pointer.clone()),
                    _ => None,
                };
                trial.error = Some(Fault { detail: error.to_string(), pointer });
            }
        }
        trial
    }

    /// The second half: the decision, and the requests that would write it back.
    #[must_use]
    pub fn decided(mut self, source: &Source, decision: Decision) -> Self {
        if let (Some(event), Some(outbound)) = (&self.event, source.outbound()) {
            self.outbound = outbound.calls(event, &decision).into_iter().map(|call| shown(outbound, call)).collect();
        }
        self.decision = Some(decision);
        self
    }

    /// Whether the webhook would take the call.
    pub fn taken(&self) -> bool {
        self.error.is_none() && self.verification.result != "refused"
    }
}

/// Where the fields of a mapped event came from.
fn origins(source: &Source, headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> BTreeMap<String, String> {
    let mapped = source.adapter.form == Form::Mapped;
    match document(body) {
        Ok(document) if mapped && document.get(PASS_THROUGH).is_none() => {
            source.adapter.mapping.origins(Call { document: &document, headers, query })
        }
        _ => BTreeMap::new(),
    }
}

fn verification(source: &Source, headers: &HeaderMap, query: Option<&str>, body: &[u8], now: Timestamp) -> Verification {
    if !source.can_verify() {
        return Verification { result: "not_checked", detail: "no secret configured".to_owned() };
    }
    match source.verify(headers, query, body, now.seconds()) {
        Ok(()) => Verification { result: "verified", detail: "the call proves that it comes from the desk".to_owned() },
        Err(refusal) => Verification { result: "refused", detail: refusal.to_string() },
    }
}

fn shown(outbound: &Outbound, call: Outgoing) -> Shown {
    let Outgoing { name, method, path, headers, body, repeat } = call;
    let (content_type, body) = match body {
        // A source's adapter makes no mail.
        Body::Empty | Body::Mail(_) => (None, Value::Null),
        Body::Json(json) => (Some("application/json"), json),
        Body::Form(pairs) => (Some("application/x-www-form-urlencoded"), serde_json::json!(pairs)),
    };
    Shown { name, method, url: format!("{}{path}", outbound.base), headers, content_type, body, repeat }
}
