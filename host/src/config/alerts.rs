//! `[alerts.NAME]`: who is told of alerts, and how. Written and resolved form.
//!
//! Read by `config/resolve.rs`; the resolved values are what `app`, `delivery` and `egress` work with.

use std::time::Duration;

use http::Uri;
use schemars::JsonSchema;
use serde::Deserialize;

use super::sinks::{TIMEOUT, shown, split};
use crate::network::Network;
use crate::outgoing::Mode;
use crate::retry::{Retry, RetryEntry, duration};
use crate::signature::{Secret, standard_secret};
use crate::source::outbound::Hidden;
use crate::verdict::Level;

/// Alerts of one hour, unless told otherwise: more than that nobody reads one by one.
const MAX_PER_HOUR: u32 = 60;

/// `[alerts.NAME]`: one of `url`, `smtp` and `note`, and whose alerts it gets.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlertEntry {
    /// A url that gets them as `CloudEvents`, signed in the form of Standard Webhooks.
    pub url: Option<String>,
    /// A mail server: `smtps://HOST:465` is encrypted from the first byte, `smtp://HOST:587` before anything is said (STARTTLS).
    pub smtp: Option<String>,
    /// The internal note of the ticket that they are about, through the source's own adapter.
    pub note: bool,
    /// Where the secret is, `env:NAME` or `file:PATH`: of the signature, or the password of `user`.
    pub secret: Option<String>,
    /// The name beside the password of the mail server.
    pub user: Option<String>,
    /// Who the mail is from.
    pub from: Option<String>,
    /// Who gets it where the on-call table has no `email` for the audience.
    pub to: Vec<String>,
    /// false: a mail server in `allow_private` is spoken to in the open.
    pub encrypted: Option<bool>,
    /// The audiences whose alerts it gets; all of them when absent.
    pub audiences: Vec<String>,
    /// The sources whose alerts it gets; all of them when absent.
    pub sources: Vec<String>,
    /// Quieter alerts it does not get: "low" (the default), "normal", "high" or "critical".
    pub least: Option<Level>,
    /// What is more within an hour is held back, and told as one summary when there is room again. 60 unless told otherwise.
    pub max_per_hour: Option<u32>,
    /// "full" (the default), "shadow" (recorded, not sent) or "off".
    pub mode: Option<Mode>,
    /// Addresses and networks of your own that it may be at, such as "10.1.0.0/16".
    pub allow_private: Vec<String>,
    /// How often and how long a call is tried.
    pub retry: RetryEntry,
    /// For one call, seconds. 30 unless told otherwise.
    pub timeout_s: Option<f64>,
}

/// One resolved sink of alerts.
#[derive(Clone, Debug)]
pub struct AlertConfig {
    /// How it is told.
    pub way: AlertWay,
    /// The audiences whose alerts it gets; all when empty.
    pub audiences: Vec<String>,
    /// The sources whose alerts it gets; all when empty.
    pub sources: Vec<String>,
    /// Quieter alerts it does not get.
    pub least: Level,
    /// How much is sent.
    pub mode: Mode,
    /// Networks of the admin's own that may be reached.
    pub allow_private: Vec<Network>,
    /// How often and how long.
    pub retry: Retry,
    /// For one call.
    pub timeout: Duration,
}

/// How a sink is told.
#[derive(Clone, Debug)]
pub enum AlertWay {
    /// By a signed call.
    Webhook {
        /// Scheme, host and port.
        base: String,
        /// Path and query.
        path: String,
        /// What it is signed with.
        secret: Secret,
        /// Most of an hour.
        max_per_hour: u32,
    },
    /// By mail.
    Mail {
        /// The server's name or address.
        host: String,
        /// Its port.
        port: u16,
        /// How the connection is kept from others' eyes.
        veil: Veil,
        /// Name and password.
        login: Option<(String, Hidden)>,
        /// Who it is from.
        from: String,
        /// Who gets it where the on-call table says nothing.
        to: Vec<String>,
        /// Most of an hour, each counted once however many get it.
        max_per_hour: u32,
    },
    /// By the internal note of the ticket.
    Note,
}

/// How a connection to a mail server is kept from others' eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Veil {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything is said; a server that does not offer it gets nothing.
    StartTls,
    /// Not at all: only to the admin's own networks.
    None,
}

impl AlertConfig {
    /// Whether it gets alerts of this audience, source and level.
    pub fn hears(&self, audience: &str, source: &str, level: Level) -> bool {
        let listed = |list: &[String], one: &str| list.is_empty() || list.iter().any(|known| known == one);
        self.mode != Mode::Off && level >= self.least && listed(&self.audiences, audience) && listed(&self.sources, source)
    }

    /// Most of an hour, where there is a bound.
    pub fn max_per_hour(&self) -> Option<u32> {
        match &self.way {
            AlertWay::Webhook { max_per_hour, .. } | AlertWay::Mail { max_per_hour, .. } => Some(*max_per_hour),
            AlertWay::Note => None,
        }
    }
}

impl AlertEntry {
    /// Resolves all; `secret` follows a reference.
    ///
    /// # Errors
    /// A sentence for the admin, without the secret.
    pub fn resolve(self, secret: impl Fn(&str) -> Result<String, String>) -> Result<AlertConfig, String> {
        let mode = self.mode.unwrap_or(Mode::Full);
        if mode == Mode::NoteOnly {
            return Err("its `mode` is \"full\", \"shadow\" or \"off\"".to_owned());
        }
        if self.max_per_hour == Some(0) {
            return Err("`max_per_hour` is 0, which would hold everything back; `mode = \"off\"` switches it off".to_owned());
        }
        let allow_private = self.allow_private.iter().map(|text| text.parse()).collect::<Result<Vec<_>, _>>()?;
        Ok(AlertConfig {
            way: self.way(&secret)?,
            allow_private,
            least: self.least.unwrap_or(Level::Low),
            retry: self.retry.resolve()?,
            timeout: self.timeout_s.map_or(Ok(TIMEOUT), |seconds| duration("timeout_s", seconds))?,
            audiences: self.audiences,
            sources: self.sources,
            mode,
        })
    }

    fn way(&self, secret: impl Fn(&str) -> Result<String, String>) -> Result<AlertWay, String> {
        let max_per_hour = self.max_per_hour.unwrap_or(MAX_PER_HOUR);
        let mail = [
            ("user", self.user.is_some()),
            ("from", self.from.is_some()),
            ("to", !self.to.is_empty()),
            ("encrypted", self.encrypted.is_some()),
        ];
        let strange = mail.into_iter().find(|(_, there)| *there && self.smtp.is_none());
        if let Some((key, _)) = strange {
            return Err(format!("`{key}` is for mail, and there is no `smtp`"));
        }
        match (&self.url, &self.smtp, self.note) {
            (Some(url), None, false) => {
                let (base, path) = parts(url, &["https", "http"])?;
                let reference = self.secret.as_deref().ok_or("has no `secret` to sign with; write where it is, such as \"env:NAME\"")?;
                let secret = standard_secret(&secret(reference)?).map_err(|error| error.to_string())?;
                Ok(AlertWay::Webhook { base, path, secret, max_per_hour })
            }
            (None, Some(url), false) => self.mail(url, secret, max_per_hour),
            (None, None, true) => match (&self.secret, self.max_per_hour) {
                (None, None) => Ok(AlertWay::Note),
                _ => Err("a note has neither `secret` nor `max_per_hour`: it goes the source's own way, each to its own ticket".to_owned()),
            },
            _ => Err("says none, or more than one, of `url`, `smtp` and `note`; keep one".to_owned()),
        }
    }

    fn mail(&self, url: &str, secret: impl Fn(&str) -> Result<String, String>, max_per_hour: u32) -> Result<AlertWay, String> {
        let shown = shown(url);
        let wrong = || format!("`{shown}` is no mail server; write one such as smtps://mail.example:465 or smtp://mail.example:587");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(wrong()) };
        if authority.as_str().contains('@') || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(format!(
                "`smtp` holds more than scheme, host and port; {}",
                "the name goes into `user`, the password behind `secret`"
            ));
        }
        let (veil, port) = match (scheme, self.encrypted.unwrap_or(true)) {
            ("smtps", true) => (Veil::Tls, 465),
            ("smtp", true) => (Veil::StartTls, 587),
            ("smtp", false) if self.allow_private.is_empty() || self.secret.is_some() => {
                return Err("a mail in the open goes to your own networks only (`allow_private`), and never with a password".to_owned());
            }
            ("smtp", false) => (Veil::None, 25),
            _ => return Err(wrong()),
        };
        let from =
            self.from.clone().filter(|from| address(from)).ok_or("has no `from` that is an address, such as \"desk@example.com\"")?;
        if let Some(wrong) = self.to.iter().find(|to| !address(to)) {
            return Err(format!("`{wrong}` in its `to` is no address; write one such as \"oncall@example.com\""));
        }
        let login = match (&self.user, &self.secret) {
            (Some(user), Some(reference)) => Some((user.clone(), Hidden::new(secret(reference)?))),
            (None, None) => None,
            _ => return Err("`user` and `secret` come together".to_owned()),
        };
        let (host, port) = (authority.host().trim_matches(['[', ']']).to_owned(), authority.port_u16().unwrap_or(port));
        Ok(AlertWay::Mail { host, port, veil, login, from, to: self.to.clone(), max_per_hour })
    }
}

/// Scheme, host and port of a url; and its path and query.
fn parts(url: &str, schemes: &[&str]) -> Result<(String, String), String> {
    let (base, path) = split(url)?;
    match base.split_once("://") {
        Some((scheme, _)) if schemes.contains(&scheme) => Ok((base, path)),
        _ => Err(format!("`{base}` is no url with scheme and host; write one such as https://pager.example/in")),
    }
}

/// Whether a text looks like a mail address; the mail library has the last word.
pub fn address(text: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>,;\"".contains(c);
    text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@')) && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<AlertConfig, String> {
        let entry: AlertEntry = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        entry.resolve(
            |reference| {
                if reference == "env:W" { Ok("whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtMjQ=".to_owned()) } else { Ok("hunter2".to_owned()) }
            },
        )
    }

    #[test]
    fn each_way_is_read_and_what_makes_no_sense_is_named() {
        assert!(matches!(resolved("note = true").unwrap().way, AlertWay::Note));
        let mail = resolved("smtp = \"smtp://mail.example\"\nfrom = \"a@example.com\"\nuser = \"u\"\nsecret = \"env:P\"").unwrap();
        assert!(matches!(&mail.way, AlertWay::Mail { port: 587, veil: Veil::StartTls, login: Some(_), .. }), "{mail:?}");
        assert!(!format!("{mail:?}").contains("hunter2"));
        let web = resolved("url = \"https://a.example/in?x=1\"\nsecret = \"env:W\"\naudiences = [\"security\"]\nleast = \"high\"").unwrap();
        assert!(matches!(&web.way, AlertWay::Webhook { base, path, .. } if base == "https://a.example" && path == "/in?x=1"));
        assert!(web.hears("security", "desk", Level::Critical) && !web.hears("legal", "desk", Level::Critical));
        assert!(!web.hears("security", "desk", Level::Normal));
        for (text, words) in [
            ("", "none, or more than one, of `url`, `smtp` and `note`"),
            ("note = true\nurl = \"https://a.example\"", "more than one"),
            ("note = true\nmax_per_hour = 3", "a note has neither"),
            ("note = true\nto = [\"a@example.com\"]", "`to` is for mail"),
            ("url = \"https://a.example\"", "has no `secret` to sign with"),
            ("url = \"ftp://a.example\"\nsecret = \"env:W\"", "no url with scheme and host"),
            ("url = \"https://a.example\"\nsecret = \"env:W\"\nmax_per_hour = 0", "`max_per_hour` is 0"),
            ("smtp = \"https://a.example\"\nfrom = \"a@b\"", "is no mail server"),
            ("smtp = \"smtps://u:p@a.example\"\nfrom = \"a@b\"", "holds more than scheme"),
            ("smtp = \"smtps://a.example\"", "has no `from`"),
            ("smtp = \"smtps://a.example\"\nfrom = \"a@b\"\nto = [\"a b\"]", "`a b` in its `to` is no address"),
            ("smtp = \"smtps://a.example\"\nfrom = \"a@b\"\nuser = \"u\"", "come together"),
            ("smtp = \"smtp://a.example\"\nfrom = \"a@b\"\nencrypted = false", "to your own networks only"),
        ] {
            let error = resolved(text).unwrap_err();
            assert!(error.contains(words), "{text:?} -> {error}");
        }
    }
}
