//! OAuth2 client credentials (RFC 6749, section 4.4): fetches a token, keeps it while it lasts.
//!
//! The token's place is configured like the desk's, and guarded alike. Two calls that need a token at once fetch it once.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio::sync::Mutex;

use super::{ANSWER_BYTES, Auth, Egress, Failure, Hush, Place, Request, Tls};
use crate::event::Timestamp;

/// A token is renewed so much before its end: the call that carries it takes time too.
const SPARE_S: u64 = 60;
/// How long a token lasts whose answer does not say so, seconds.
const LASTS_S: u64 = 300;

/// What a token is fetched with.
#[derive(Clone)]
pub struct Credentials {
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: String,
    /// What the token is to be good for, where the desk asks.
    pub scope: Option<String>,
}

/// A client's credentials at one place.
pub struct Login {
    at: Egress,
    path: String,
    form: String,
    token: Mutex<Option<(String, Timestamp)>>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

impl Login {
    /// Names the place and the path below it where tokens are given out.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the place.
    pub fn new(place: Place, path: String, credentials: &Credentials, tls: &Tls) -> Result<Self, String> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        form.append_pair("client_id", &credentials.client_id).append_pair("client_secret", &credentials.client_secret);
        form.extend_pairs(credentials.scope.iter().map(|scope| ("scope", scope)));
        Ok(Self { at: Egress::new(place, Auth::None, tls)?, path, form: form.finish(), token: Mutex::new(None) })
    }

    /// The token, fetched unless a good one is at hand.
    pub(super) async fn token(&self, now: Timestamp) -> Result<String, Failure> {
        let mut held = self.token.lock().await;
        if let Some((token, _)) = held.as_ref().filter(|(_, until)| now < *until) {
            return Ok(token.clone());
        }
        let request = Request {
            method: "POST".to_owned(),
            path: self.path.clone(),
            headers: BTreeMap::from([("accept".to_owned(), "application/json".to_owned())]),
            body: Some(("application/x-www-form-urlencoded", self.form.clone().into())),
            answer_bytes: ANSWER_BYTES,
        };
        let answer = match self.at.call(&request, now).await {
            // Whatever became of the request for a token: the desk's own call was not made.
            Err(Failure::Broken(reason)) => return Err(Failure::Unreachable(format!("the token's place: {reason}"))),
            other => other?,
        };
        if answer.status != 200 {
            // The body may repeat what it was sent.
            return Err(Failure::Login(format!("its place answered {}", answer.status)));
        }
        let granted: Granted =
            serde_json::from_str(&answer.body).map_err(|_| Failure::Login("its place answered without one".to_owned()))?;
        let lasts = granted.expires_in.unwrap_or(LASTS_S).saturating_sub(SPARE_S);
        *held = Some((granted.access_token.clone(), Timestamp(now.0.saturating_add(lasts.saturating_mul(1_000)))));
        Ok(granted.access_token)
    }

    /// What an answer that came with the token must not repeat of it.
    pub(super) async fn hush(&self) -> Hush {
        Hush::of(self.token.lock().await.iter().map(|(token, _)| token.as_str()))
    }

    /// Throws the token away: the desk does not take it any more.
    pub(super) async fn forget(&self) {
        *self.token.lock().await = None;
    }
}
