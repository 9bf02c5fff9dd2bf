//! One attempt: read back if need be, send, and say what came of it.

use bytes::Bytes;

use super::answer::{Desk, Fate, meaning};
use super::health::{later, pause};
use super::{Line, Now, Outlet};
use crate::egress::{ANSWER_BYTES, Answer, Failure, Mail, Request};
use crate::journey;
use crate::outgoing::{Body, Outgoing, Repeat};
use crate::store::{Due, Settled, State};

/// Bytes of a page that is searched for our mark: a ticket with all its articles.
const PAGE_BYTES: usize = 4 << 20;
/// Characters of an answer that are kept to be shown.
const KEPT_CHARS: usize = 2_000;

/// Makes the attempt that `due` stands for. `seen` are the desk's failures that were known when it was given out.
pub(super) async fn attempt(outlet: &Outlet, due: &Due, seen: u32, now: &Now) -> Settled {
    let result = match &due.call.repeat {
        Repeat::ReadBack { path, mark } if due.attempts > 1 => read_back(outlet, due, path, mark, now).await,
        Repeat::Harmless | Repeat::Keyed { .. } | Repeat::ReadBack { .. } => write(outlet, due, now).await,
    };
    let settled = settle(outlet, due, seen, &result, now);
    journey::attempted(settled.status, settled.state.word());
    settled
}

async fn write(outlet: &Outlet, due: &Due, now: &Now) -> Result<Answer, Failure> {
    match (&outlet.line, &due.call.body) {
        (Line::Mail(post), Body::Mail(letter)) => {
            post.send(&Mail { id: &due.id, to: &letter.to, subject: &letter.subject, text: &letter.text }, now()).await
        }
        (Line::Web(_), body) if !matches!(body, Body::Mail(_)) => call(outlet, &request(&due.call, &due.id), now).await,
        // The config has given the name to another kind of sink since the call was made.
        (Line::Mail(_), _) => Err(Failure::Unfit("it is no mail, and its target is a mail server now".to_owned())),
        (Line::Web(_), _) => Err(Failure::Unfit("it is a mail, and its target is no mail server any more".to_owned())),
    }
}

async fn call(outlet: &Outlet, request: &Request, now: &Now) -> Result<Answer, Failure> {
    match &outlet.line {
        Line::Web(egress) => egress.call(request, now()).await,
        Line::Mail(_) => Err(Failure::Unfit("a mail server cannot be read".to_owned())),
    }
}

/// Asks the desk whether it has the call from an earlier attempt, and makes it only if not. An answer that says neither is passed on as
/// if the call had got it.
async fn read_back(outlet: &Outlet, due: &Due, path: &str, mark: &str, now: &Now) -> Result<Answer, Failure> {
    let look = Request {
        method: "GET".to_owned(),
        path: path.to_owned(),
        headers: [("accept".to_owned(), "application/json".to_owned())].into(),
        body: None,
        answer_bytes: PAGE_BYTES,
    };
    let page = call(outlet, &look, now).await?;
    match page.status {
        200..=299 if page.body.contains(mark) => Ok(Answer { body: "read back: it is there already".to_owned(), ..page }),
        200..=299 if page.whole => write(outlet, due, now).await,
        // To send it would be to risk a second one.
        200..=299 => Err(Failure::Broken("the page that should show our mark could not be read to its end".to_owned())),
        _ => Ok(page),
    }
}

fn request(call: &Outgoing, id: &str) -> Request {
    let mut headers = call.headers.clone();
    if let Repeat::Keyed { header } = &call.repeat {
        headers.insert(header.clone(), id.to_owned());
    }
    let body = match &call.body {
        Body::Empty | Body::Mail(_) => None,
        Body::Json(value) => Some(("application/json", Bytes::from(value.to_string()))),
        Body::Form(pairs) => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(pairs);
            Some(("application/x-www-form-urlencoded", form.finish().into()))
        }
    };
    Request { method: call.method.clone(), path: call.path.clone(), headers, body, answer_bytes: ANSWER_BYTES }
}

fn settle(outlet: &Outlet, due: &Due, seen: u32, result: &Result<Answer, Failure>, now: &Now) -> Settled {
    let (now, retry) = (now(), &outlet.retry);
    let meaning = meaning(result, now);
    let (status, answer) = match result {
        Ok(answer) => (Some(answer.status), answer.body.chars().take(KEPT_CHARS).collect()),
        Err(failure) => (None, failure.to_string()),
    };
    let reason = status.map_or(answer.clone(), |status| format!("answered {status}"));
    let desk_pause = match meaning.desk {
        Desk::Closed => retry.max,
        _ => pause(retry, seen.saturating_add(1), &outlet.name),
    };
    match meaning.desk {
        Desk::Well => outlet.health().well(seen),
        Desk::Unknown => {}
        Desk::Down | Desk::Closed => {
            let desk_pause = meaning.wait.map_or(desk_pause, |wait| wait.max(desk_pause));
            let mut health = outlet.health();
            health.failed(seen, desk_pause, &reason, now);
            // Once per failure, not once per call; what the desk wrote is not for the log.
            if health.failures == seen.saturating_add(1) {
                tracing::warn!(
                    desk = outlet.name,
                    failures = health.failures,
                    pause_ms = desk_pause.as_millis() as u64,
                    reason,
                    "deliveries wait"
                );
            }
        }
    }
    let mut settled = Settled { state: State::Waiting, next_at: now, counted: true, status, answer };
    match meaning.fate {
        Fate::Delivered => settled.state = State::Delivered,
        Fate::Parked => settled.state = State::Parked,
        Fate::Dead => settled.state = State::Dead,
        Fate::Again { counted: true } if due.tries >= retry.attempts => settled.state = State::Dead,
        Fate::Again { counted } => {
            let own = pause(retry, due.tries, &due.id);
            settled.counted = counted;
            settled.next_at = later(now, meaning.wait.map_or(own, |wait| wait.max(own)));
        }
    }
    match settled.state {
        State::Parked | State::Dead => {
            tracing::warn!(delivery = due.id, desk = outlet.name, reason, state = ?settled.state, "a delivery is set aside")
        }
        _ => tracing::debug!(delivery = due.id, desk = outlet.name, reason, state = ?settled.state, "attempted"),
    }
    settled
}
