//! How a call is verified, as written in adapter files and in a source's settings: [`Auth`], and the named presets.
//!
//! Read by `source`, resolved by `scheme`. Presets are plain [`Auth`] values, so that a desk with a scheme of its own needs overrides,
//! not code. It must never hold a secret.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The named presets, under the names that `tests/fixtures/signatures.json` gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it; `preset` below says what each means")]
pub enum SchemeName {
    StandardWebhooks,
    Zendesk,
    XHubSignatureSha1,
    #[serde(rename = "x-hub-signature-256")]
    XHubSignature256,
    JiraXHubSignature,
    Chatwoot,
    Glpi,
    Freescout,
    Helpscout,
    SlackV0,
    HmacSha256Base64,
    XWebhooks,
    TV1List,
    StaticHeader,
    Basic,
    Bearer,
    UrlToken,
    /// No signature at all: only for callers on this machine.
    NoneOnLoopback,
}

impl SchemeName {
    /// Reads a preset's name as it is written in an adapter file.
    pub fn parse(name: &str) -> Option<Self> {
        let reader = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(name);
        Self::deserialize(reader).ok()
    }
}

/// The digest under the HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Algorithm {
    Sha1,
    Sha256,
}

impl Algorithm {
    /// Bytes of a digest.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// As it is written in a label.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }
}

/// How the digest is written in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Encoding {
    Hex,
    Base64,
}

/// How a secret becomes the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyForm {
    /// The secret's own bytes.
    Text,
    /// The secret is base64 of the key.
    Base64,
    /// base64 after `whsec_`; the prefix may be left out.
    Whsec,
    /// `FreeScout`: the text of the hex MD5 of the application key and `webhook_key`. A secret of 32 hex digits is taken as that MD5.
    Md5,
}

/// How signatures stand in their header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// One signature is the whole value.
    Single,
    /// `v1,SIGNATURE v1,SIGNATURE`; other versions are passed over.
    SpaceSeparated,
    /// `t=TIMESTAMP,v1=SIGNATURE,v1=SIGNATURE`; other keys are passed over.
    CommaSeparated,
}

/// How the timestamp is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeForm {
    /// Seconds since 1970 in plain digits.
    Unix,
    /// RFC 3339 with any offset.
    Rfc3339,
}

/// How far the timestamp may be off, either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Tolerance {
    /// So many seconds, inclusive.
    Seconds(u64),
    /// `"off"`: the timestamp is signed as it stands, and any is taken.
    Off(Off),
}

/// The word `"off"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the name says it")]
pub enum Off {
    Off,
}

impl Tolerance {
    /// No check of the clock.
    pub const OFF: Self = Self::Off(Off::Off);

    pub(super) fn seconds(self) -> Option<u64> {
        match self {
            Self::Seconds(seconds) => Some(seconds),
            Self::Off(_) => None,
        }
    }
}

/// How a source's calls are verified, as written: a named scheme, and what differs from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// The preset that everything else here overrides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<SchemeName>,
    /// The header with the signature, or with the token of `static-header`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The header that `{id}` stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_header: Option<String>,
    /// The header that `{timestamp}` stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_header: Option<String>,
    /// The digest under the HMAC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
    /// How the digest is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// What stands before the digest, `sha256=` for example.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What is signed, made of `{id}`, `{timestamp}`, `{body}` and any text between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<String>,
    /// How the secret becomes the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyForm>,
    /// How signatures stand in their header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<List>,
    /// How the timestamp is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<TimeForm>,
    /// How far the timestamp may be off, in seconds, or `"off"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_s: Option<Tolerance>,
    /// The query parameter of `url-token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
}

impl Auth {
    /// A named scheme with nothing overridden.
    pub fn named(scheme: SchemeName) -> Self {
        Self { scheme: Some(scheme), ..Self::default() }
    }

    /// This on top of `base`. Another scheme replaces the base; the same or none keeps what is not said here.
    #[must_use]
    pub fn over(self, base: &Self) -> Self {
        if self.scheme.is_some() && self.scheme != base.scheme {
            return self;
        }
        let base = base.clone();
        Self {
            scheme: self.scheme.or(base.scheme),
            header: self.header.or(base.header),
            id_header: self.id_header.or(base.id_header),
            timestamp_header: self.timestamp_header.or(base.timestamp_header),
            algorithm: self.algorithm.or(base.algorithm),
            encoding: self.encoding.or(base.encoding),
            prefix: self.prefix.or(base.prefix),
            signed: self.signed.or(base.signed),
            key: self.key.or(base.key),
            list: self.list.or(base.list),
            timestamp: self.timestamp.or(base.timestamp),
            tolerance_s: self.tolerance_s.or(base.tolerance_s),
            parameter: self.parameter.or(base.parameter),
        }
    }
}

/// What each named scheme is. The bytes behind it are the vectors of `tests/fixtures/signatures.json`.
pub(super) fn preset(name: SchemeName) -> Auth {
    use Algorithm::{Sha1, Sha256};
    use Encoding::{Base64, Hex};
    let text = |text: &str| Some(text.to_owned());
    let base = |algorithm, encoding, prefix, signed| Auth {
        scheme: Some(name),
        algorithm: Some(algorithm),
        encoding: Some(encoding),
        prefix: text(prefix),
        signed: text(signed),
        key: Some(KeyForm::Text),
        list: Some(List::Single),
        timestamp: Some(TimeForm::Unix),
        tolerance_s: Some(Tolerance::Seconds(300)),
        ..Auth::default()
    };
    let by = |header, auth| Auth { header: text(header), ..auth };
    match name {
        SchemeName::StandardWebhooks => Auth {
            id_header: text("webhook-id"),
            timestamp_header: text("webhook-timestamp"),
            key: Some(KeyForm::Whsec),
            list: Some(List::SpaceSeparated),
            ..by("webhook-signature", base(Sha256, Base64, "", "{id}.{timestamp}.{body}"))
        },
        SchemeName::Zendesk => Auth {
            timestamp_header: text("x-zendesk-webhook-signature-timestamp"),
            timestamp: Some(TimeForm::Rfc3339),
            ..by("x-zendesk-webhook-signature", base(Sha256, Base64, "", "{timestamp}{body}"))
        },
        SchemeName::XHubSignatureSha1 => by("x-hub-signature", base(Sha1, Hex, "sha1=", "{body}")),
        SchemeName::XHubSignature256 => by("x-hub-signature-256", base(Sha256, Hex, "sha256=", "{body}")),
        SchemeName::JiraXHubSignature => by("x-hub-signature", base(Sha256, Hex, "sha256=", "{body}")),
        SchemeName::Chatwoot => Auth {
            timestamp_header: text("x-chatwoot-timestamp"),
            ..by("x-chatwoot-signature", base(Sha256, Hex, "sha256=", "{timestamp}.{body}"))
        },
        SchemeName::Glpi => Auth {
            timestamp_header: text("x-glpi-timestamp"),
            // Signed when the event is raised; the queue sends later, and a retry keeps the signature. A day covers a stuck queue.
            tolerance_s: Some(Tolerance::Seconds(86_400)),
            ..by("x-glpi-signature", base(Sha256, Hex, "", "{body}{timestamp}"))
        },
        SchemeName::Freescout => Auth { key: Some(KeyForm::Md5), ..by("x-freescout-signature", base(Sha1, Base64, "", "{body}")) },
        SchemeName::Helpscout => by("x-helpscout-signature", base(Sha1, Base64, "", "{body}")),
        SchemeName::SlackV0 => Auth {
            timestamp_header: text("x-slack-request-timestamp"),
            ..by("x-slack-signature", base(Sha256, Hex, "v0=", "v0:{timestamp}:{body}"))
        },
        SchemeName::HmacSha256Base64 => base(Sha256, Base64, "", "{body}"),
        SchemeName::XWebhooks => by("x-twitter-webhooks-signature", base(Sha256, Base64, "sha256=", "{body}")),
        SchemeName::TV1List => Auth { list: Some(List::CommaSeparated), ..base(Sha256, Hex, "", "{timestamp}.{body}") },
        SchemeName::UrlToken => Auth { parameter: text("token"), ..Auth::named(name) },
        SchemeName::StaticHeader | SchemeName::Basic | SchemeName::Bearer | SchemeName::NoneOnLoopback => Auth::named(name),
    }
}
