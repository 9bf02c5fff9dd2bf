//! Writing back: from an event, its decision and a mode to the calls that a desk would get, as data.
//!
//! Called by the delivery worker when a decision is recorded, and by `source test`, which shows the same calls and sends none. Pure. No
//! text of an event or a plugin ever becomes part of a host, a header or a key: it is a value in a JSON body, written by the
//! serialiser, or a percent-encoded piece of a path. No secret is in a call: the worker adds it from [`OutboundAuth`].

mod note;
mod plan;
mod template;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use self::plan::Purpose;
pub(super) use self::plan::{OutboundSpec, Plan};
use crate::decision::Decision;
use crate::event::{Event, Visibility};
use crate::outgoing::{Mode, Outgoing};
use crate::retry::{Retry, RetryEntry};
use crate::verdict::Reply;

/// What a source's own configuration says of its desk.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// Scheme, host, port, and perhaps a path that every call is below; without a slash at its end.
    pub base: String,
    /// The API's secret, where the desk wants one.
    pub secret: Option<Hidden>,
    /// Stands for `{{user}}`: the name beside the secret.
    pub user: Option<String>,
    /// Stands for `{{client_id}}`.
    pub client_id: Option<String>,
    /// What a token is to be good for.
    pub scope: Option<String>,
    /// How much is written back.
    pub mode: Mode,
    /// Overrides of the adapter's own.
    pub retry: RetryEntry,
    /// Addresses and networks of the admin's own that may be called, such as `10.1.0.0/16`.
    pub allow_private: Vec<String>,
    /// The desk's own name or id of each queue that the rules name.
    pub queues: BTreeMap<String, String>,
}

/// The way back to a desk, resolved: what the delivery worker needs.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Scheme, host, port, and perhaps a path that every call is below; without a slash at its end.
    pub base: String,
    /// How calls prove themselves.
    pub auth: OutboundAuth,
    /// How much is written back.
    pub mode: Mode,
    /// How often, and how long apart.
    pub retry: Retry,
    /// Addresses and networks of the admin's own that may be called.
    pub allow_private: Vec<String>,
    plan: Plan,
    user: Option<String>,
    queues: BTreeMap<String, String>,
}

/// How a call proves itself to the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboundAuth {
    /// Not at all.
    None,
    /// By a header that never changes: a token, an API key, Basic.
    Header {
        /// Its name, in lower case.
        name: String,
        /// Its value, the secret in it.
        value: Hidden,
    },
    /// By a bearer token that is fetched with the client's credentials (RFC 6749, section 4.4).
    ClientCredentials {
        /// Below `base`.
        token_path: String,
        /// The client's id.
        client_id: String,
        /// The client's secret.
        client_secret: Hidden,
        /// What the token is to be good for, where the desk asks.
        scope: Option<String>,
    },
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// Hides a text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, to be sent and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(redacted)")
    }
}

impl Outbound {
    /// The names that rules have for a queue of the desk.
    pub(super) fn queues_of(&self, desk: &str) -> Vec<String> {
        self.queues.iter().filter(|(_, own)| own.as_str() == desk).map(|(name, _)| name.clone()).collect()
    }

    /// Puts an adapter's plan and a source's own desk together.
    pub(super) fn new(plan: Plan, desk: Desk) -> Result<Self, String> {
        let auth = plan.auth(&desk)?;
        let Desk { base, user, mode, retry, allow_private, queues, .. } = desk;
        let base = base.trim_end_matches('/').to_owned();
        let rest = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://")).unwrap_or_default();
        let plain = |b: u8| b.is_ascii_graphic() && !b"@?#\\\"<>{}|^`".contains(&b);
        if rest.is_empty() || rest.starts_with('/') || !rest.bytes().all(plain) {
            return Err(
                "`base` is no url of a desk; write scheme, host and perhaps port and path, such as https://desk.example.com".to_owned()
            );
        }
        let retry = retry.over(plan.retry).resolve()?;
        Ok(Self { base, auth, mode, retry, allow_private, plan, user, queues })
    }

    /// A way back that is only looked at: every call, to nowhere.
    pub(super) fn preview(plan: Plan) -> Self {
        let (base, retry) = ("https://desk.invalid".to_owned(), plan.retry.resolve().unwrap_or_default());
        let (auth, mode) = (OutboundAuth::None, Mode::Full);
        Self { base, auth, mode, retry, allow_private: Vec::new(), plan, user: None, queues: BTreeMap::new() }
    }

    /// The calls that write this decision back, in order: none when the mode is off, those of the internal note in `note-only`.
    pub fn calls(&self, event: &Event, decision: &Decision) -> Vec<Outgoing> {
        let wanted = |purpose| match self.mode {
            Mode::Off => false,
            Mode::NoteOnly => purpose == Purpose::Note,
            Mode::Shadow | Mode::Full => matches!(purpose, Purpose::Note | Purpose::Decision),
        };
        self.plan.render(&self.context(event, decision), &self.queues, wanted)
    }

    /// The calls that give the author one of the decision's answers, the `at`th; none where the adapter has no such call. Whether they may
    /// leave is not asked here.
    pub fn reply(&self, event: &Event, decision: &Decision, at: usize, reply: &Reply) -> Vec<Outgoing> {
        let mut context = self.context(event, decision);
        context["reply"] = json!(reply);
        context["reply"]["public"] = (reply.visibility == Visibility::Public).into();
        // A mark of its own: the note's stands in the ticket already, and the note repeats the draft.
        context["decision"]["mark"] = format!("{MARK}reply-{at}:{}", decision.head.id).into();
        self.plan.render(&context, &self.queues, |purpose| purpose == Purpose::Reply)
    }

    /// The calls that do to the message what the decision says; none where the adapter has none. Whether that may be done is not asked here.
    pub fn moderation(&self, event: &Event, decision: &Decision) -> Vec<Outgoing> {
        let mut context = self.context(event, decision);
        context["decision"]["mark"] = format!("{MARK}moderation:{}", decision.head.id).into();
        self.plan.render(&context, &self.queues, |purpose| purpose == Purpose::Moderation)
    }

    /// The calls that write an alert down as an internal note, the decision's `at`th; none where the adapter has no such call.
    pub fn alert(&self, event: &Event, decision: &Decision, at: usize, lines: &[String]) -> Vec<Outgoing> {
        let mut context = self.context(event, decision);
        // A mark of its own: the decision's own note stands in the ticket too.
        let mark = format!("{MARK}alert-{at}:{}", decision.head.id);
        context["decision"]["note"] = note::alert(lines, &mark).into();
        context["decision"]["mark"] = mark.into();
        self.plan.render(&context, &self.queues, |purpose| purpose == Purpose::Note)
    }

    fn context(&self, event: &Event, decision: &Decision) -> Value {
        let mut context = context(event, decision);
        context["desk"] = json!({ "user": self.user });
        context
    }
}

/// Text that only the calls of this decision leave behind.
pub fn mark(decision: &Decision) -> String {
    format!("{MARK}{}", decision.head.id)
}

/// How every mark of ours begins.
pub(super) const MARK: &str = "signalbox:";

/// What placeholders may name: the event and the decision as their JSON is, attributes by key, and what only the host can know.
fn context(event: &Event, decision: &Decision) -> Value {
    let mut event_json = json!(event);
    event_json["attributes"] =
        event.attributes.iter().map(|one| (one.key.clone(), json!(one.value)["value"].take())).collect::<Map<_, _>>().into();
    let mut decision_json = json!(decision);
    if let Some(decision) = decision_json.as_object_mut() {
        decision.remove("trace");
    }
    let known = event.ticket.as_ref().map(|ticket| ticket.tags.as_slice()).unwrap_or_default();
    decision_json["tags"] = tags(known, decision);
    decision_json["note"] = note::note(decision).into();
    decision_json["mark"] = mark(decision).into();
    json!({ "event": event_json, "decision": decision_json })
}

/// `add` and `remove` without what the desk has done already, and `all` for desks that replace the list, absent when nothing
/// changes; `replace` is `all` for desks that do not always tell the old list, absent when they did not.
fn tags(known: &[String], decision: &Decision) -> Value {
    let has = |tag: &String| known.iter().any(|known| known.eq_ignore_ascii_case(tag));
    let add: Vec<&String> = decision.tags.add.iter().filter(|tag| !has(tag)).collect();
    // A desk that tells no tags may still have some.
    let remove: Vec<&String> = decision.tags.remove.iter().filter(|tag| known.is_empty() || has(tag)).collect();
    let kept = known.iter().filter(|known| !remove.iter().any(|tag| tag.eq_ignore_ascii_case(known)));
    let all: Vec<&String> = kept.chain(add.iter().copied()).collect();
    let changes = !add.is_empty() || remove.iter().any(|tag| has(tag));
    let all = changes.then_some(all);
    json!({ "add": add, "remove": remove, "replace": all.as_ref().filter(|_| !known.is_empty()), "all": all })
}

#[cfg(test)]
#[path = "outbound/tests.rs"]
mod tests;
