//! The client of a running host: every command that talks to one does it through [`Client`].
//!
//! It speaks plain HTTP, follows no redirect and asks no proxy, so that the token goes to the address that was typed and nowhere
//! else. What the host refuses becomes an error with the host's own sentence.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{HeaderValue, Method, Request};
use serde_json::Value;

use super::complain;
use crate::config::{ADMIN_LISTEN, DATA, token_from_environment};
use crate::token::FILE;

/// For a connection: a host on this machine answers in a millisecond, one behind a tunnel in some hundred.
const CONNECT: Duration = Duration::from_secs(10);
/// For an answer: the longest work behind one is bringing a plugin in, which has 240 s.
const ANSWER: Duration = Duration::from_secs(300);
/// Largest answer taken, bytes: a page of decisions has some megabytes.
const MAX_ANSWER_BYTES: u64 = 64 << 20;
/// Records asked for at once; the host gives no more.
const PAGE: usize = 200;

/// Where the host is, and what to show it.
#[derive(Debug, clap::Args)]
pub(super) struct Reach {
    /// Where the host's admin API is
    #[arg(long, value_name = "URL", env = "SIGNALBOX_URL", default_value_t = format!("http://{ADMIN_LISTEN}"))]
    url: String,
    /// File with the token [default: the variable `SIGNALBOX_TOKEN`, else signalbox-data/admin.token]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Reach {
    /// A host that was started here.
    pub(super) fn of(url: String, token_file: PathBuf) -> Self {
        Self { url, token_file: Some(token_file) }
    }
}

/// What the audit log is told of a change.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Reason {
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
    /// Number of the change ticket, for the audit log
    #[arg(long, value_name = "TICKET")]
    change: Option<String>,
}

/// A text as one piece of a path.
pub(super) fn part(text: &str) -> String {
    // A form's `+` is a plus in a path.
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// What a host refused, as the problem that it answered with.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Value);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0["detail"].as_str().unwrap_or_default())
    }
}

impl std::error::Error for Refused {}

/// A host's admin API.
pub(super) struct Client {
    agent: ureq::Agent,
    url: String,
    token: String,
    reason: Vec<(&'static str, HeaderValue)>,
}

impl Client {
    /// A client for commands that only read.
    ///
    /// # Errors
    /// When the address cannot be one, or there is no token.
    pub(super) fn new(reach: &Reach) -> anyhow::Result<Self> {
        let url = reach.url.trim_end_matches('/').to_owned();
        let address: http::Uri = url.parse().with_context(|| format!("`{url}` is not an address such as http://{ADMIN_LISTEN}"))?;
        anyhow::ensure!(
            address.scheme_str() == Some("http") && address.host().is_some() && address.query().is_none(),
            "`{url}` is not an address such as http://{ADMIN_LISTEN}; a host has no TLS of its own, and a tunnel reaches one elsewhere: \
             ssh -L 8641:{ADMIN_LISTEN} THE-HOST"
        );
        let host = address.host().unwrap_or_default().trim_matches(['[', ']']);
        if host != "localhost" && !host.parse().is_ok_and(|host: std::net::IpAddr| host.to_canonical().is_loopback()) {
            complain(&format!("the token goes to {host} in the open; a tunnel would hide it"));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(ANSWER))
            .user_agent(concat!("signalbox/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { agent: config.into(), url, token: token(reach)?, reason: Vec::new() })
    }

    /// A client for a command that changes something, and says why.
    ///
    /// # Errors
    /// As [`Client::new`]; also when the reason cannot be sent.
    pub(super) fn changing(reach: &Reach, reason: &Reason) -> anyhow::Result<Self> {
        let mut client = Self::new(reach)?;
        for (name, text) in [("signalbox-why", &reason.why), ("signalbox-change", &reason.change)] {
            if let Some(text) = text {
                let value = HeaderValue::from_bytes(text.as_bytes()).context("a reason is one line of text")?;
                client.reason.push((name, value));
            }
        }
        Ok(client)
    }

    /// Reads one thing. `path` begins with `/v1`; what is absent from the query is left out.
    pub(super) fn get(&self, path: &str, query: &[(&str, Option<String>)]) -> anyhow::Result<Value> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(query.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
        self.send(Method::GET, &format!("{path}?{}", pairs.finish()), None)
    }

    /// Reads a list, page by page, to its end or until there are `most` items.
    pub(super) fn list(&self, path: &str, query: &[(&str, Option<String>)], most: usize) -> anyhow::Result<Vec<Value>> {
        let (mut items, mut cursor) = (Vec::new(), None);
        loop {
            let limit = PAGE.min(most - items.len()).to_string();
            let place = [("limit", Some(limit)), ("cursor", cursor)];
            let mut page = self.get(path, &[query, &place].concat())?;
            items.append(page["items"].as_array_mut().context("the host answered without a list; is it another version?")?);
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() || items.len() >= most {
                return Ok(items);
            }
        }
    }

    /// Makes or starts something.
    pub(super) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(Method::POST, path, Some(("application/json", body.to_string().into_bytes())))
    }

    /// Removes something.
    pub(super) fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::DELETE, path, None)
    }

    /// Changes something that was at `revision`.
    ///
    /// # Errors
    /// As [`Client::send`], also when it is at another revision by now.
    pub(super) fn change(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>, revision: i64) -> anyhow::Result<Value> {
        self.call(method, path, body, Some(revision))
    }

    /// One call; the answer's JSON, or null when it has none. A body comes with its media type.
    ///
    /// # Errors
    /// When nobody answers, or with the sentence that the host refused it with.
    pub(super) fn send(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> anyhow::Result<Value> {
        self.call(method, path, body, None)
    }

    fn call(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>, revision: Option<i64>) -> anyhow::Result<Value> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(revision) = revision {
            request = request.header(IF_MATCH, format!("\"{revision}\""));
        }
        request = request.header(AUTHORIZATION, format!("Bearer {}", self.token));
        request = self.reason.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let answer = match body {
            Some((media, body)) => self.agent.run(request.header(CONTENT_TYPE, media).body(body)?),
            None => self.agent.run(request.body(())?),
        };
        let nobody = || format!("no signalbox answers at {}; start one with `signalbox serve`, or say where it is with --url", self.url);
        let mut answer = answer.with_context(nobody)?;
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec().with_context(nobody)?;
        let json = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice::<Value>(&body) };
        match json {
            Ok(json) if status.is_success() => Ok(json),
            Ok(json) if json["detail"].is_string() => Err(Refused(json).into()),
            _ => anyhow::bail!("{} answers {status}, which is not what a signalbox says; look at --url", self.url),
        }
    }
}

/// The token that was named: by file, by the environment, or the one of a host that was started here.
fn token(reach: &Reach) -> anyhow::Result<String> {
    let read = |file: &PathBuf| std::fs::read_to_string(file).with_context(|| format!("cannot read a token from {}", file.display()));
    let token = match (&reach.token_file, token_from_environment()) {
        (Some(file), _) => read(file)?,
        (None, Some(token)) => token,
        (None, None) => {
            read(&PathBuf::from(DATA).join(FILE)).context("there is no token: set SIGNALBOX_TOKEN, or name its file with --token-file")?
        }
    };
    let token = token.trim();
    anyhow::ensure!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()), "what should be a token is none");
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_piece_of_a_path_whatever_it_holds() {
        assert_eq!(part("a b+c/d?é"), "a%20b%2Bc%2Fd%3F%C3%A9");
    }
}
