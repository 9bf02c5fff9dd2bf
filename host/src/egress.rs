//! The one guarded HTTP client, and beside it the one for mail. Nothing else of the host opens an outbound connection.
//!
//! Used by the delivery worker. One [`Egress`] is the way to one desk: scheme, host and port come from the config and from nowhere
//! else, TLS is verified, redirects are answers like others, proxies of the environment are not asked, and an address that is not
//! public is refused unless the admin lists it. A literal is checked here; a name is checked in the resolver of the very connection,
//! so that a name which changes its address in between leads nowhere. It must never show a secret, nor what an answer repeats of one.

mod guard;
mod hush;
mod login;
mod mail;
#[cfg(test)]
mod tests;
mod tls;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER, TE, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::event::Timestamp;
use crate::network::{Network, special};
use crate::signature::{Secret, sign_standard};
use guard::{Guard, Refused};
use hush::Hush;
pub use login::{Credentials, Login};
pub use mail::{Mail, Post, Postbox};
pub use tls::Tls;

/// For a connection, TLS not included: a desk that is there answers in far less.
const CONNECT: Duration = Duration::from_secs(5);
/// Open connections that are kept for the next call: short, since desks and balancers close theirs after some 30 s.
const IDLE: (usize, Duration) = (4, Duration::from_secs(15));
/// Bytes of an answer that are read, unless a call says otherwise.
pub const ANSWER_BYTES: usize = 64 << 10;
/// Says who calls.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("signalbox/", env!("CARGO_PKG_VERSION")));

/// How a call proves itself to the desk.
pub enum Auth {
    /// Not at all.
    None,
    /// By headers that never change: a token, an API key, Basic.
    Headers(Vec<(String, String)>),
    /// By a token that is fetched with the client's credentials, kept while it lasts, and fetched anew when the desk refuses it.
    Login(Box<Login>),
    /// By a signature in the form of Standard Webhooks, over the call's `webhook-id`.
    Signed(Secret),
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Headers(_) => "Headers(redacted)",
            Self::Login(_) => "Login(redacted)",
            Self::Signed(_) => "Signed(redacted)",
        })
    }
}

/// Where calls go, and within what bounds.
#[derive(Clone, Debug)]
pub struct Place {
    /// Scheme, host, port, and perhaps a path that every call is below.
    pub base: String,
    /// Networks of the admin's own that may be reached.
    pub allow_private: Vec<Network>,
    /// For a whole call, its answer included.
    pub timeout: Duration,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query below the base.
    pub path: String,
    /// Its own headers.
    pub headers: BTreeMap<String, String>,
    /// Its body, and the content type unless a header says another.
    pub body: Option<(&'static str, Bytes)>,
    /// Bytes of the answer that are read.
    pub answer_bytes: usize,
}

/// What the desk said.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// `Retry-After`, as it was written.
    pub retry_after: Option<String>,
    /// The body, or its beginning.
    pub body: String,
    /// Whether that is all of it.
    pub whole: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The call itself may not be made: it is the same tomorrow.
    #[error("not sent: {0}")]
    Unfit(String),
    /// The desk cannot be reached; nothing was sent.
    #[error("not reached: {0}")]
    Unreachable(String),
    /// The desk gave no token; nothing was sent.
    #[error("no token: {0}")]
    Login(String),
    /// The call may have arrived or not.
    #[error("no answer: {0}")]
    Broken(String),
}

impl Failure {
    /// The same, in other words.
    fn said(self, other: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Unfit(why) => Self::Unfit(other(why)),
            Self::Unreachable(why) => Self::Unreachable(other(why)),
            Self::Login(why) => Self::Login(other(why)),
            Self::Broken(why) => Self::Broken(other(why)),
        }
    }
}

/// The way to one desk.
pub struct Egress {
    client: Client<HttpsConnector<HttpConnector<Guard>>, Full<Bytes>>,
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end.
    prefix: String,
    auth: Auth,
    hush: Hush,
    timeout: Duration,
}

impl Egress {
    /// Opens the way, without calling anybody yet.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the place.
    pub fn new(place: Place, auth: Auth, tls: &Tls) -> Result<Self, String> {
        let Place { base, allow_private, timeout } = place;
        // What stands before an `@` may be a password.
        let shown = base.rsplit_once('@').map_or(base.as_str(), |(_, rest)| rest);
        let fault = |problem: &str| format!("`{shown}` {problem}");
        let uri: Uri = base.parse().map_err(|_| fault("is no url; write one such as https://desk.example"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme().cloned(), uri.authority().cloned()) else {
            return Err(fault("is no url with scheme and host; write one such as https://desk.example"));
        };
        if uri.query().is_some() || authority.as_str().contains('@') {
            return Err(fault("holds a query or a user; a base is scheme, host, port and path, and secrets have a place of their own"));
        }
        // A connection that anybody on the way can read is for the admin's own networks.
        let open = match scheme.as_str() {
            "https" => false,
            "http" if allow_private.is_empty() => {
                return Err(fault("is not encrypted; write https, or list its own network in `allow_private`"));
            }
            "http" => true,
            _ => return Err(fault("is neither https nor http")),
        };
        let guard = Guard { allow: allow_private.into(), listed_only: open };
        // The connector asks no resolver about a literal, so it is asked about here.
        if let Ok(literal) = authority.host().trim_matches(['[', ']']).parse::<IpAddr>() {
            guard.admit(literal).map_err(|refused| fault(&format!("leads to {refused}")))?;
        }
        let mut http = HttpConnector::new_with_resolver(guard);
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT));
        let https = HttpsConnectorBuilder::new().with_tls_config(tls.config()).https_or_http().enable_http1().wrap_connector(http);
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_max_idle_per_host(IDLE.0).pool_idle_timeout(IDLE.1).pool_timer(TokioTimer::new());
        let prefix = uri.path().trim_end_matches('/').to_owned();
        let hush = match &auth {
            Auth::Headers(fixed) => Hush::of(fixed.iter().map(|(_, value)| value.as_str())),
            // Tokens come and go, and what signs is never sent.
            Auth::None | Auth::Login(_) | Auth::Signed(_) => Hush::default(),
        };
        Ok(Self { client: client.build(https), scheme, authority, prefix, auth, hush, timeout })
    }

    /// Makes one call. `now` is for signatures and for the age of tokens.
    ///
    /// # Errors
    /// A [`Failure`], which says whether the call may have arrived.
    pub async fn call(&self, request: &Request, now: Timestamp) -> Result<Answer, Failure> {
        let mut fresh = false;
        loop {
            let mut built = self.build(request)?;
            self.prove(&mut built, request, now).await?;
            let answer = tokio::time::timeout(self.timeout, self.exchange(built, request.answer_bytes)).await;
            let answer = answer.unwrap_or_else(|_| Err(Failure::Broken(format!("nothing within {} ms", self.timeout.as_millis()))))?;
            match &self.auth {
                // A token that was revoked before its time: a refused call has done nothing, so that it may be made again.
                Auth::Login(login) if answer.status == 401 && !fresh => login.forget().await,
                Auth::Login(login) => return Ok(Answer { body: login.hush().await.over(answer.body), ..answer }),
                _ => return Ok(Answer { body: self.hush.over(answer.body), ..answer }),
            }
            fresh = true;
        }
    }

    fn build(&self, request: &Request) -> Result<http::Request<Full<Bytes>>, Failure> {
        let unfit = |problem: String| Failure::Unfit(problem);
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| unfit(format!("`{}` is no method", request.method)))?;
        let path = format!("{}{}", self.prefix, request.path);
        if !request.path.starts_with('/') || climbs(&request.path) {
            return Err(unfit("its path leaves the base".to_owned()));
        }
        let path = PathAndQuery::try_from(path).map_err(|_| unfit("its path is none".to_owned()))?;
        let uri = Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone()).path_and_query(path).build();
        let (kind, body) = request.body.clone().map_or((None, Bytes::new()), |(kind, body)| (Some(kind), body));
        let mut built = http::Request::new(Full::new(body));
        *built.method_mut() = method;
        *built.uri_mut() = uri.map_err(|_| unfit("its path is none".to_owned()))?;
        let headers = built.headers_mut();
        headers.insert(USER_AGENT, AGENT);
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        for (name, value) in &request.headers {
            // What frames a message is the client's; what proves it is the config's.
            let framing = [HOST, CONNECTION, CONTENT_LENGTH, TE, TRANSFER_ENCODING, UPGRADE, AUTHORIZATION];
            match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                (Ok(name), Ok(value)) if !framing.contains(&name) => drop(headers.insert(name, value)),
                _ => return Err(unfit(format!("its header `{}` may not be sent", name.escape_debug()))),
            }
        }
        Ok(built)
    }

    async fn prove(&self, built: &mut http::Request<Full<Bytes>>, request: &Request, now: Timestamp) -> Result<(), Failure> {
        let headers = built.headers_mut();
        let mut put = |name: &str, value: String| {
            let unfit = || Failure::Unfit(format!("the configured `{name}` is no header"));
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
            let mut value = HeaderValue::from_str(&value).map_err(|_| unfit())?;
            value.set_sensitive(true);
            headers.insert(name, value);
            Ok(())
        };
        match &self.auth {
            Auth::None => Ok(()),
            Auth::Headers(fixed) => fixed.iter().try_for_each(|(name, value)| put(name, value.clone())),
            Auth::Login(login) => {
                let token = Box::pin(login.token(now)).await?;
                put(AUTHORIZATION.as_str(), format!("Bearer {token}"))
            }
            Auth::Signed(secret) => {
                let (id, timestamp) = (request.headers.get("webhook-id").map_or("", String::as_str), now.seconds().to_string());
                let body = request.body.as_ref().map_or(&[][..], |(_, body)| body);
                put("webhook-signature", sign_standard(secret, id, &timestamp, body))?;
                put("webhook-timestamp", timestamp)
            }
        }
    }

    async fn exchange(&self, built: http::Request<Full<Bytes>>, answer_bytes: usize) -> Result<Answer, Failure> {
        let answer = self.client.request(built).await.map_err(|error| {
            let reason = chain(&error);
            match Refused::within(&error) {
                Some(refused) => Failure::Unreachable(format!("{} leads to {refused}", self.authority.host())),
                None if error.is_connect() => Failure::Unreachable(reason),
                None => Failure::Broken(reason),
            }
        })?;
        let (head, body) = answer.into_parts();
        let (body, whole) = read(body, answer_bytes).await;
        let text = |headers: &HeaderMap| headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Answer { status: head.status.as_u16(), retry_after: text(&head.headers), body, whole })
    }
}

/// Reads an answer's body as far as it goes and as far as it is wanted. The status has come, so that a body which breaks off is no
/// failure of the call.
async fn read(mut body: Incoming, limit: usize) -> (Vec<u8>, bool) {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return (read, false) };
        let Ok(data) = frame.into_data() else { continue };
        let room = limit - read.len();
        read.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return (read, false);
        }
    }
    (read, true)
}

/// Whether a path has a segment that a server may take as "one level up", however it is written.
fn climbs(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let plain = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\");
    plain.split(['/', '\\']).any(|segment| matches!(segment, "." | ".."))
}

/// An error and its causes, each said once.
fn chain(error: &dyn std::error::Error) -> String {
    let (mut said, mut next) = (error.to_string(), error.source());
    while let Some(error) = next {
        let more = error.to_string();
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        next = error.source();
    }
    said
}
