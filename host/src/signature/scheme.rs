//! A scheme, resolved: every parameter known, every header name checked, secrets brought into key form.
//!
//! Called by `source` when the configuration is read, never per call. It must never guess: what a preset leaves open and nobody sets
//! is an error with the key's name.

use base64::Engine as _;
use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use http::HeaderName;
use md5::{Digest as _, Md5};

use super::Secret;
use super::auth::{Algorithm, Auth, Encoding, KeyForm, List, SchemeName, TimeForm, Tolerance, preset};

/// Why an [`Auth`] or a secret makes no scheme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemeError(pub(super) String);

/// A way of verifying, complete and ready to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    pub(super) check: Check,
    key: KeyForm,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Check {
    Signed(Box<Signed>),
    StaticHeader(HeaderName),
    Basic,
    Bearer,
    UrlToken(String),
    Loopback,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) header: HeaderName,
    pub(super) id_header: Option<HeaderName>,
    pub(super) timestamp_header: Option<HeaderName>,
    pub(super) algorithm: Algorithm,
    pub(super) encoding: Encoding,
    pub(super) prefix: String,
    pub(super) template: Vec<Part>,
    pub(super) list: List,
    pub(super) timestamp: TimeForm,
    /// Seconds; `None` where the scheme has no timestamp or the check is off.
    pub(super) tolerance: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Id,
    Timestamp,
    Body,
    Literal(String),
}

/// From where a source may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The calls prove themselves.
    Anywhere,
    /// The calls prove nothing: the webhook takes them from a loopback address only.
    LoopbackOnly,
}

impl Scheme {
    /// Completes what is written with the named preset's values.
    ///
    /// # Errors
    /// A sentence that names the key which is missing or does not fit.
    pub fn resolve(auth: &Auth) -> Result<Self, SchemeError> {
        let name =
            auth.scheme.ok_or_else(|| SchemeError("`auth` names no `scheme`; choose one, such as \"standard-webhooks\"".to_owned()))?;
        let full = auth.clone().over(&preset(name));
        let check = match name {
            SchemeName::StaticHeader => Check::StaticHeader(header("header", full.header.as_deref())?),
            SchemeName::Basic => Check::Basic,
            SchemeName::Bearer => Check::Bearer,
            SchemeName::UrlToken => Check::UrlToken(full.parameter.unwrap_or_default()),
            SchemeName::NoneOnLoopback => Check::Loopback,
            _ => Check::Signed(Box::new(signed(full)?)),
        };
        let unused = match &check {
            Check::Signed(signed) => {
                auth.parameter.is_some() || (auth.tolerance_s.is_some() && !signed.template.contains(&Part::Timestamp))
            }
            Check::StaticHeader(_) => *auth != Auth { header: auth.header.clone(), ..Auth::named(name) },
            Check::UrlToken(_) => *auth != Auth { parameter: auth.parameter.clone(), ..Auth::named(name) },
            Check::Basic | Check::Bearer | Check::Loopback => *auth != Auth::named(name),
        };
        if unused {
            return Err(SchemeError("`auth` holds a key that its scheme does not use; remove it".to_owned()));
        }
        Ok(Self { check, key: auth.key.or(preset(name).key).unwrap_or(KeyForm::Text) })
    }

    /// The same with another tolerance, where the scheme signs a timestamp at all.
    #[must_use]
    pub(super) fn with_tolerance(mut self, tolerance: Tolerance) -> Self {
        if let Check::Signed(signed) = &mut self.check
            && signed.template.contains(&Part::Timestamp)
        {
            signed.tolerance = tolerance.seconds();
        }
        self
    }

    /// From where a source with this scheme may be called.
    pub fn reach(&self) -> Reach {
        match self.check {
            Check::Loopback => Reach::LoopbackOnly,
            _ => Reach::Anywhere,
        }
    }

    /// False only for a scheme that verifies nothing.
    pub fn needs_secret(&self) -> bool {
        self.reach() == Reach::Anywhere
    }

    /// Brings a secret, as the admin copied it from the desk, into the form this scheme digests with.
    ///
    /// # Errors
    /// A sentence, without the secret, when it is empty or not in the scheme's form.
    pub fn secret(&self, text: &str) -> Result<Secret, SchemeError> {
        // Padding of the secret is optional: some desks show it without, and it is read here once, not per call.
        let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let base64 = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
        let decode =
            |text: &str| base64.decode(text).map_err(|_| SchemeError("the secret is not base64; copy it whole from the sender".to_owned()));
        let key = match self.key {
            KeyForm::Text => text.as_bytes().to_vec(),
            KeyForm::Base64 => decode(text)?,
            KeyForm::Whsec => decode(text.strip_prefix("whsec_").unwrap_or(text))?,
            KeyForm::Md5 if text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) => text.to_ascii_lowercase().into_bytes(),
            KeyForm::Md5 if text.is_empty() => Vec::new(),
            KeyForm::Md5 => hex::encode(Md5::digest(format!("{text}webhook_key"))).into_bytes(),
        };
        // The colon is the whole of an empty user and password.
        if key.iter().all(u8::is_ascii_whitespace) || (self.check == Check::Basic && key == b":") {
            return Err(SchemeError("the secret is empty; set the one that the desk shows".to_owned()));
        }
        if self.check == Check::Basic && !key.contains(&b':') {
            return Err(SchemeError("the secret of scheme `basic` is `user:password`; the colon is missing".to_owned()));
        }
        Ok(Secret::from_key(key))
    }
}

fn header(key: &str, name: Option<&str>) -> Result<HeaderName, SchemeError> {
    let name = name.ok_or_else(|| SchemeError(format!("`auth` has no `{key}`; this scheme needs the name of that header")))?;
    name.parse().map_err(|_| SchemeError(format!("`auth.{key}` is not a header's name")))
}

fn signed(full: Auth) -> Result<Signed, SchemeError> {
    let open = |key: &str| SchemeError(format!("`auth` has no `{key}`; this scheme needs it"));
    let template = template(&full.signed.ok_or_else(|| open("signed"))?)?;
    let list = full.list.unwrap_or(List::Single);
    let timed = template.contains(&Part::Timestamp);
    if list == List::CommaSeparated && !timed {
        return Err(SchemeError("`auth.signed` has no `{timestamp}`; the `t=` of this list would not be signed".to_owned()));
    }
    let in_header = timed && list != List::CommaSeparated;
    let tolerance = full.tolerance_s.filter(|_| timed).and_then(Tolerance::seconds);
    Ok(Signed {
        header: header("header", full.header.as_deref())?,
        id_header: template.contains(&Part::Id).then(|| header("id_header", full.id_header.as_deref())).transpose()?,
        timestamp_header: in_header.then(|| header("timestamp_header", full.timestamp_header.as_deref())).transpose()?,
        algorithm: full.algorithm.ok_or_else(|| open("algorithm"))?,
        encoding: full.encoding.ok_or_else(|| open("encoding"))?,
        prefix: full.prefix.unwrap_or_default(),
        template,
        list,
        timestamp: full.timestamp.unwrap_or(TimeForm::Unix),
        tolerance,
    })
}

/// Reads `v0:{timestamp}:{body}` into parts. `{t}` is another name of `{timestamp}`.
fn template(text: &str) -> Result<Vec<Part>, SchemeError> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}').unwrap_or((after, ""));
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.to_owned()));
        }
        parts.push(match place {
            "id" => Part::Id,
            "timestamp" | "t" => Part::Timestamp,
            "body" => Part::Body,
            _ => return Err(SchemeError("`auth.signed` has a place other than `{id}`, `{timestamp}` and `{body}`".to_owned())),
        });
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    if parts.iter().filter(|part| **part == Part::Body).count() != 1 {
        return Err(SchemeError("`auth.signed` must hold `{body}` once, or the body would not be signed".to_owned()));
    }
    Ok(parts)
}
