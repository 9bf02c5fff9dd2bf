//! Who changes something, and why: what a handler turns into an entry of the audit log.
//!
//! The reason and the number of a change ticket come as headers (`Signalbox-Why`, `Signalbox-Change`) or in the body of the change,
//! where a resource has such fields; the body counts. It must never be made up: without a caller there is no change.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::guard::Caller;
use crate::app::App;
use crate::call::RequestId;
use crate::error::ApiError;
use crate::event::Timestamp;
use crate::store::Entry;

/// What [`plain`] text is, as a pattern.
pub(super) const PLAIN: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";
/// Longest reason, characters: a paragraph.
pub(super) const WHY_CHARS: usize = 1_000;
/// Longest number of a change ticket, characters.
pub(super) const TICKET_CHARS: usize = 100;

/// A change that a caller is about to make.
#[derive(Clone, Debug)]
pub(super) struct Change {
    at: Timestamp,
    caller: Caller,
    request: String,
    why: Option<String>,
    ticket: Option<String>,
}

impl Change {
    /// Whose token it is.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The moment of the change.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// With the reason and the ticket that the body gave, if it did.
    ///
    /// # Errors
    /// When one of them is too long to be kept, or no plain text.
    pub(super) fn explained(mut self, why: Option<String>, ticket: Option<String>) -> Result<Self, ApiError> {
        if let Some(why) = why {
            self.why = Some(plain(why, WHY_CHARS).map_err(|problem| ApiError::Body { pointer: "/why".to_owned(), problem })?);
        }
        if let Some(ticket) = ticket {
            self.ticket = Some(plain(ticket, TICKET_CHARS).map_err(|problem| ApiError::Body { pointer: "/change".to_owned(), problem })?);
        }
        Ok(self)
    }

    /// Its entry: `action` is the thing and a verb, such as `token.create`; `subject` the name or id of what is changed. Who knows
    /// them adds `before` and `after`.
    pub(super) fn entry(self, action: &str, subject: &str) -> Entry {
        Entry {
            at: self.at,
            token: self.caller.id,
            name: self.caller.name,
            role: self.caller.role.to_string(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            before: None,
            after: None,
            why: self.why,
            change: self.ticket,
            request: self.request,
        }
    }
}

impl FromRequestParts<Arc<App>> for Change {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let header = |name: &str, most: usize| {
            let Some(value) = parts.headers.get(name) else { return Ok(None) };
            let text = std::str::from_utf8(value.as_bytes()).map_err(|_| "is not UTF-8".to_owned());
            let text = text.and_then(|text| plain(text.to_owned(), most));
            text.map(Some).map_err(|problem| ApiError::Header(format!("the header `{name}` {problem}")))
        };
        let (why, ticket) = (header("signalbox-why", WHY_CHARS)?, header("signalbox-change", TICKET_CHARS)?);
        let caller = parts.extensions.get::<Caller>().cloned();
        let request = parts.extensions.get::<RequestId>().cloned();
        let missing = || ApiError::Internal("a request came past the guard".to_owned());
        let (caller, RequestId(request)) = caller.zip(request).ok_or_else(missing)?;
        Ok(Self { at: app.clock.now(), caller, request, why, ticket })
    }
}

/// Text that can be shown as it is: nothing that moves a terminal's cursor, and no more than `most` characters of it.
pub(super) fn plain(text: String, most: usize) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("holds control characters".to_owned());
    }
    match text.chars().count() {
        0 => Err("is empty; leave it out, or say something".to_owned()),
        count if count > most => Err(format!("has {count} characters; at most {most} are kept")),
        _ => Ok(text),
    }
}
