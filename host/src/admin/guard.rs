//! Who calls, and whether it may: every request of `/v1` passes here first, whatever its path.
//!
//! No token, or a wrong one: 401, and an address that keeps presenting wrong ones waits (429). A token whose role is too small: 403
//! with the role that is needed; a refused try to change something is in the audit log. It must never log a token.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::MethodRouter;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request};

use super::change::Change;
use super::routes::{Route, Verb};
use crate::app::App;
use crate::call::Peer;
use crate::error::ApiError;
use crate::event::Timestamp;
use crate::token::{self, Role};

/// A token's last use is written down when the last note is older than this: a write for every read would be too much.
const NOTE_EVERY_MS: u64 = 5 * 60 * 1_000;

/// Whose token it is.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The token's id.
    pub(super) id: String,
    /// What it is called.
    pub(super) name: String,
    /// What it may do.
    pub(super) role: Role,
    /// From when on it is refused.
    pub(super) expires: Option<Timestamp>,
}

/// Lets nobody past without a token that is taken now, and says whose it is.
pub(super) async fn authenticate(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    mut request: Request<Body>,
    next: Next,
) -> Result<Response, ApiError> {
    let now = app.clock.now();
    let peer = if app.behind_proxy { behind_proxy(request.headers()).unwrap_or(peer.ip()) } else { peer.ip() };
    let (caller, noted) = identify(&app, request.headers(), peer, now)?;
    if noted.is_some_and(|noted| now.0.saturating_sub(noted.0) >= NOTE_EVERY_MS)
        && let Err(error) = app.store.note_use(caller.id.clone(), now).await
    {
        // Reading must go on while the journal cannot be written.
        tracing::debug!(reason = %error, "a token's use was not noted");
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// The address that the proxy was called from: the last one, which the proxy itself has added; those before it anybody can write.
fn behind_proxy(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

/// The caller, and when its use was last noted, if that is done for its token.
fn identify(app: &App, headers: &HeaderMap, peer: IpAddr, now: Timestamp) -> Result<(Caller, Option<Timestamp>), ApiError> {
    let mut presented = headers.get_all(AUTHORIZATION).iter();
    // Nothing presented is nothing guessed.
    let Some(first) = presented.next() else { return Err(ApiError::Token) };
    let network = token::network(peer);
    if let Some(seconds) = app.guesses.wait(&network, now) {
        return Err(ApiError::SlowDown(seconds));
    }
    // Two tokens are none.
    let token = first.to_str().ok().filter(|_| presented.next().is_none()).and_then(|value| value.strip_prefix("Bearer "));
    if let Some(found) = token.map(|token| known(app, token.trim(), now)).transpose()?.flatten() {
        return Ok(found);
    }
    app.guesses.failed(network, now);
    tracing::warn!(%peer, "a token was refused");
    Err(ApiError::Token)
}

fn known(app: &App, token: &str, now: Timestamp) -> Result<Option<(Caller, Option<Timestamp>)>, ApiError> {
    if app.token.matches(token) {
        let (id, name) = ("boot".to_owned(), token::FILE.to_owned());
        return Ok(Some((Caller { id, name, role: Role::Admin, expires: None }, None)));
    }
    let Some(id) = token::id_of(token) else { return Ok(None) };
    let found = app.store.token(id)?.filter(|(row, hash)| token::matches(hash, token) && row.is_live(now));
    Ok(found.map(|(row, _)| {
        let noted = row.last_used.unwrap_or(Timestamp(0));
        (Caller { id: row.id, name: row.name, role: row.role, expires: row.expires }, Some(noted))
    }))
}

/// A route's handler, which is called only for a role that is great enough.
pub(super) fn behind_role(route: &'static Route, app: &Arc<App>) -> MethodRouter<Arc<App>> {
    let check = async move |State(app): State<Arc<App>>, change: Change, request: Request<Body>, next: Next| {
        let has = change.caller().role;
        if has >= route.least {
            return Ok(next.run(request).await);
        }
        let refused = ApiError::Role { has, needs: route.least };
        // Bounded, so that a small role cannot fill the disk with its refusals.
        let (id, now) = (change.caller().id.clone(), app.clock.now());
        if route.verb != Verb::Get && app.refusals.wait(&id, now).is_none() {
            app.refusals.failed(id, now);
            let entry = change.entry("refused", &format!("{} /v1{}", route.verb.word(), route.path));
            app.store.audit(entry).await?;
        }
        Err(refused)
    };
    (route.handler)(route.verb.filter()).route_layer(middleware::from_fn_with_state(app.clone(), check))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_proxy_added_counts() {
        let forwarded = |lines: &[&str]| {
            let lines = lines.iter().map(|line| (http::HeaderName::from_static("x-forwarded-for"), line.parse().unwrap()));
            behind_proxy(&lines.collect()).map(|address| address.to_string())
        };
        assert_eq!(forwarded(&["203.0.113.9"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(forwarded(&["10.0.0.1, 203.0.113.9"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(forwarded(&["10.0.0.1", "2001:db8::1"]).as_deref(), Some("2001:db8::1"));
        for none in [&[][..], &[""], &["203.0.113.9, unknown"]] {
            assert_eq!(forwarded(none), None, "{none:?}");
        }
    }
}
