//! `POST /hooks/{source}`: a desk's webhook in, a decision out. Start reading here.
//!
//! One request, top to bottom: read the body within its bounds, verify, map, claim, run, record, answer. From the signature on,
//! the work goes on in a task of its own: a caller that hangs up neither frees its permit early nor cancels a verified event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, FORWARDED};
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::timeout;
use tracing::Instrument as _;

use crate::agreement::Said;
use crate::app::App;
use crate::call::{Peer, RequestId};
use crate::error::ApiError;
use crate::event::{Event, Timestamp};
use crate::journey;
use crate::metrics::Called;
use crate::respond::{self, Made};
use crate::signature::Reach;
use crate::source::{Answer, Content, Deed, Fed, MapError, Mapped, Mapping, Source};
use crate::store::{Claim, Keys, Meaning, Mine, Observation, Recorded, delivery_key};

/// What an answer is counted as, and the answer.
type Told = Result<(Called, Response), ApiError>;
type Answered = oneshot::Sender<Told>;

/// One verified call on its way to a decision.
struct Call {
    app: Arc<App>,
    source: Arc<Source>,
    headers: HeaderMap,
    query: Option<String>,
    body: Bytes,
    started: Instant,
    /// As in the host's log.
    request: String,
    /// Held until the work is done, not until the caller is gone.
    _permit: OwnedSemaphorePermit,
}

/// Takes one call of a desk.
///
/// # Errors
/// [`ApiError`], which knows its status.
pub async fn receive(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    Extension(peer): Extension<Peer>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let source = configured(&app, name).inspect_err(|_| app.metrics.unrouted())?;
    let timed = app.metrics.begin(source.name());
    let told = take(app, source, peer, request).await;
    match told {
        Ok((called, response)) => {
            timed.finish(&called);
            Ok(response)
        }
        Err(refused) => {
            timed.finish(&Called::Refused(refused.code()));
            Err(refused)
        }
    }
}

async fn take(app: Arc<App>, source: Arc<Source>, peer: Peer, request: Request<Body>) -> Told {
    let (parts, body) = request.into_parts();
    uncompressed(&parts.headers)?;
    Content::of(&parts.headers).map_err(MapError::from)?;
    reach(&source, peer, &parts.headers)?;
    let body = read(body, &parts.headers, &app).await?;
    source.verify(&parts.headers, parts.uri.query(), &body, app.clock.now().seconds()).map_err(ApiError::Signature)?;
    if !app.rates.admit(source.name()) {
        return Err(ApiError::TooMany(source.name().to_owned()));
    }
    // A place only now: whoever sends slowly, or cannot sign, takes none from the desks that can.
    let permit = app.permits.clone().try_acquire_owned().map_err(|_| ApiError::Overloaded)?;
    let query = parts.uri.query().map(str::to_owned);
    let request = parts.extensions.get::<RequestId>().map(|RequestId(id)| id.clone()).unwrap_or_default();
    let call = Call { app, source, headers: parts.headers, query, body, started: Instant::now(), request, _permit: permit };
    let (answer, answered) = oneshot::channel();
    let span = journey::event(call.source.name());
    tokio::spawn(async move { call.decide(answer).await }.instrument(span));
    answered.await.unwrap_or_else(|_| Err(ApiError::Internal("the task that decided the event ended without an answer".to_owned())))
}

/// Answers the `GET` by which a desk asks who is behind the url: only for a configured source whose desk asks.
///
/// # Errors
/// [`ApiError`], which knows its status.
pub async fn challenge(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let answer = configured(&app, name)?.challenge(query.as_deref()).ok_or(ApiError::Method("POST".to_owned()))?;
    answer.map(respond::challenge).map_err(ApiError::Signature)
}

/// Answers the `OPTIONS` by which a sender of `CloudEvents` asks whether it may: only for a configured source that takes them.
///
/// # Errors
/// [`ApiError`], which knows its status.
pub async fn validate(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let source = configured(&app, name)?;
    reach(&source, peer, &headers)?;
    let plain = |origin: &&HeaderValue| origin.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || b".-:".contains(b));
    // It may also ask to be called back at a url of its choice: this host calls nobody that an admin has not named.
    match headers.get("webhook-request-origin").filter(plain) {
        Some(origin) if source.takes_cloudevents() => Ok(respond::validation(origin.clone())),
        _ => Err(ApiError::Method("POST".to_owned())),
    }
}

fn configured(app: &App, name: Result<Path<String>, PathRejection>) -> Result<Arc<Source>, ApiError> {
    // Bytes that are no text are no source's name.
    let name = name.map_or_else(|_| char::REPLACEMENT_CHARACTER.to_string(), |Path(name)| name);
    app.sources.get(&name).cloned().ok_or_else(|| ApiError::UnknownSource(printable(&name)))
}

impl Call {
    /// Map, claim, run, record, answer.
    async fn decide(self, answer: Answered) {
        let now = self.app.clock.now();
        let Mapping { mapped, unknown_keys, left_out, deed } =
            match journey::map().in_scope(|| self.source.map(&self.headers, self.query.as_deref(), &self.body, now)) {
                Ok(mapping) => mapping,
                Err(error) => return reply(answer, Err(error.into())),
            };
        if unknown_keys > 0 || !left_out.is_empty() {
            tracing::debug!(source = self.source.name(), unknown_keys, ?left_out, "parts of the body were passed over");
        }
        let event = match mapped {
            Mapped::Event(event) => Arc::new(*event),
            Mapped::Dropped { reason } => {
                tracing::info!(source = self.source.name(), reason, "event not run");
                return reply(answer, Ok((Called::Dropped(reason.clone()), respond::dropped(&reason))));
            }
            Mapped::Fed(fed) => {
                let fed = self.feed(fed, now).await;
                return reply(answer, fed);
            }
            Mapped::Observation { reason, ticket } => {
                let observed = self.observe(reason, ticket, deed, now).await;
                return reply(answer, observed);
            }
        };
        let delivery = self.source.delivery_id(&self.headers);
        match self.claim(&Keys::of(self.source.name(), delivery.as_deref(), &event)).instrument(journey::claim()).await {
            Err(error) => reply(answer, Err(error)),
            Ok(Claimed::Known(recorded)) => reply(answer, Ok((Called::Repeated, respond::decision(&recorded, Made::Before)))),
            Ok(Claimed::Mine(mine)) => self.run(mine, event, answer).await,
        }
    }

    /// Records what the desk did, before it is told that it was heard.
    async fn observe(&self, what: String, ticket: Option<String>, deed: Deed, at: Timestamp) -> Told {
        let delivery = self.source.delivery_id(&self.headers);
        let source = self.source.name().to_owned();
        let key = delivery_key(&source, delivery.as_deref(), &self.body);
        let told = (Called::Observed(what.clone()), respond::observed(&what));
        let Deed { reply, status, thread, seen } = deed;
        let desk = |said: &Option<Said>| said.as_ref().map(|said| said.desk.clone());
        let (category, priority, queue) = (desk(&seen.category), desk(&seen.priority), desk(&seen.queue));
        let observation = Observation { at, source, ticket, what, reply, status, category, priority, queue };
        self.app.observe(observation, Meaning { thread, seen }, key).await?;
        Ok(told)
    }

    /// Lets rows of tables say what the desk tells, before it is told that it was heard.
    async fn feed(&self, fed: Vec<Fed>, at: Timestamp) -> Told {
        let delivery = self.source.delivery_id(&self.headers);
        let key = delivery_key(self.source.name(), delivery.as_deref(), &self.body);
        let tables = fed.iter().map(|fed| fed.table.as_str()).collect::<Vec<_>>().join(", ");
        let told = (Called::Fed(tables.clone()), respond::fed(&tables));
        self.app.feed(self.source.name(), fed, key, &self.request, at).await?;
        Ok(told)
    }

    /// Whose event it is: decided before, or ours to decide. Waits, within the caller's budget, while another copy is decided.
    async fn claim(&self, keys: &Keys) -> Result<Claimed, ApiError> {
        loop {
            match self.app.store.claim(keys.clone())? {
                Claim::Known(recorded) => return Ok(Claimed::Known(recorded)),
                Claim::Mine(mine) => return Ok(Claimed::Mine(mine)),
                Claim::Running(running) => timeout(self.budget_left(), running.wait()).await.map_err(|_| ApiError::StillRunning)?,
            }
        }
    }

    /// Runs the chain and records the decision. A caller that reads no decision, or whose budget ends first, gets a receipt as
    /// soon as the event is durable; the work goes on.
    async fn run(&self, mut mine: Mine, event: Arc<Event>, answer: Answered) {
        let mut answer = Some(answer);
        // Before anything is waited for: who came first is first in line.
        let mut turn = self.app.turns.queue(&event);
        // An earlier copy may have been accepted and not decided: the decision belongs to that one.
        let event = mine.accepted().cloned().unwrap_or_else(|| self.related(event));
        let event = Arc::new(event);
        if self.source.answer() == Answer::Receipt {
            match self.accept(mine, &event, &mut answer).await {
                Some(accepted) => mine = accepted,
                None => return,
            }
        }
        if timeout(self.budget_left(), turn.wait()).await.is_err() {
            if answer.is_some() {
                match self.accept(mine, &event, &mut answer).await {
                    Some(accepted) => mine = accepted,
                    None => return,
                }
            }
            turn.wait().await;
        }
        let chain = self.app.generation().chain_for(&event);
        let now = self.app.clock.now();
        let backing = self.app.backing();
        let ran = if chain.is_quick() {
            chain.run(&event, now, &backing)
        } else {
            let mut running = self.app.lane.submit(chain, event.clone(), now, backing);
            let decided = match timeout(self.budget_left(), &mut running).await {
                Ok(decided) => decided,
                Err(_) => {
                    // A source that wants receipts has its own already.
                    if answer.is_some() {
                        match self.accept(mine, &event, &mut answer).await {
                            Some(accepted) => mine = accepted,
                            None => return,
                        }
                    }
                    running.await
                }
            };
            match decided {
                Ok(ran) => ran,
                Err(_) => {
                    let stopped = "the lane ended before the chain did".to_owned();
                    return answer.into_iter().for_each(|answer| reply(answer, Err(ApiError::Internal(stopped.clone()))));
                }
            }
        };
        let recorded = self.app.record(mine, &event, ran).await;
        match answer {
            Some(answer) => {
                let told = recorded.map(|recorded| (Called::Decided, respond::decision(&recorded, Made::Now)));
                reply(answer, told.map_err(Into::into));
            }
            // The receipt is out and the event is durable: it will be taken up again at the next start.
            None => {
                if let Err(error) = recorded {
                    tracing::error!(reason = %error, event.id = %event.id, "an accepted event could not be recorded");
                }
            }
        }
    }

    /// The event with what it is related to.
    fn related(&self, event: Arc<Event>) -> Event {
        let mut event = Arc::unwrap_or_clone(event);
        self.app.relate(&mut event);
        event
    }

    /// Makes the event durable and answers with a receipt; gives the claim back, or nothing when the journal refused.
    async fn accept(&self, mine: Mine, event: &Event, answer: &mut Option<Answered>) -> Option<Mine> {
        let accepted = self.app.store.accept(mine, event).await;
        let answer = answer.take()?;
        match accepted {
            Ok(mine) => {
                reply(answer, Ok((Called::Receipt, respond::receipt(self.source.name(), &event.id))));
                Some(mine)
            }
            Err(error) => {
                reply(answer, Err(error.into()));
                None
            }
        }
    }

    fn budget_left(&self) -> Duration {
        self.app.inline_budget.saturating_sub(self.started.elapsed())
    }
}

enum Claimed {
    Known(Recorded),
    Mine(Mine),
}

/// Hands the answer over; a caller that has hung up is not there to take it.
fn reply(answer: Answered, told: Told) {
    let _ = answer.send(told);
}

/// Reads the body within its cap and its time.
async fn read(body: Body, headers: &HeaderMap, app: &App) -> Result<Bytes, ApiError> {
    let cap = app.max_body_bytes;
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|announced| announced > cap as u64) {
        return Err(ApiError::TooLarge(cap));
    }
    match timeout(app.body_timeout, Limited::new(body, cap).collect()).await {
        Err(_) => Err(ApiError::TooSlow(app.body_timeout.as_millis() as u64)),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::TooLarge(cap)),
        Ok(Err(_)) => Err(ApiError::BrokenOff),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}

/// Takes bodies as they are: nothing here unpacks one.
fn uncompressed(headers: &HeaderMap) -> Result<(), ApiError> {
    match headers.get(CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => Err(ApiError::Compressed),
        _ => Ok(()),
    }
}

/// Holds a source without signatures to this machine. A proxy's header counts as another machine: the proxy is local, its
/// caller may not be.
fn reach(source: &Source, peer: Peer, headers: &HeaderMap) -> Result<(), ApiError> {
    let proxied = headers.contains_key(FORWARDED) || headers.contains_key("x-forwarded-for");
    match source.reach() {
        Reach::LoopbackOnly if proxied || !peer.0.ip().to_canonical().is_loopback() => Err(ApiError::NotFromHere),
        Reach::LoopbackOnly | Reach::Anywhere => Ok(()),
    }
}

/// A foreign name, safe to show.
fn printable(name: &str) -> String {
    // What turns the direction of a line, or ends it for some, is no more welcome in a log than a control character.
    let odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    name.chars().take(64).map(|c| if odd(c) { '\u{fffd}' } else { c }).collect()
}
