//! Why a call was not taken as genuine, in two texts: [`Refusal::caller`] for whoever sent it, `Display` for the log.
//!
//! Made by `signature`, read by the webhook and the admin's test page. Neither text may hold a digest, a secret or a header's value.

use http::HeaderName;

use super::Algorithm;

/// The part of the check that failed. `Display` is the log's sentence; [`Refusal::caller`] is what the caller may see.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The source has no secret: nothing can be genuine.
    #[error("the source has no secret; set one, the same as in the desk")]
    NoSecret,
    /// A header that the scheme reads is not there.
    #[error("header {header} absent; does the desk sign, and with this scheme?")]
    Absent {
        /// Its name.
        header: HeaderName,
    },
    /// A header that the scheme reads came more than once.
    #[error("header {header} given more than once; a proxy may have added the second")]
    Repeated {
        /// Its name.
        header: HeaderName,
    },
    /// The query parameter with the token is not there.
    #[error("query parameter {parameter} absent; add it to the url in the desk")]
    AbsentParameter {
        /// Its name.
        parameter: String,
    },
    /// The query parameter with the token came more than once.
    #[error("query parameter {parameter} given more than once; give it once in the desk's url")]
    RepeatedParameter {
        /// Its name.
        parameter: String,
    },
    /// The token of a challenge is empty, too long, or not plain.
    #[error("query parameter {parameter} is no challenge token: 1 to 256 plain ASCII characters are answered")]
    BadToken {
        /// The parameter's name.
        parameter: String,
    },
    /// A header does not have the scheme's form.
    #[error("header {header}: {problem}")]
    Form {
        /// Its name.
        header: HeaderName,
        /// What is wrong, without the value.
        problem: &'static str,
    },
    /// The signature is labelled with another algorithm than the configured one: a downgrade, or the wrong scheme.
    #[error("header {header}: labelled {label}, but the source is set to {}; choose the scheme of this desk", wanted.as_str())]
    Algorithm {
        /// The header's name.
        header: HeaderName,
        /// The algorithm that the label names.
        label: &'static str,
        /// The configured one.
        wanted: Algorithm,
    },
    /// The timestamp counts milliseconds where seconds are wanted.
    #[error("header {header}: timestamp is in milliseconds; send unix seconds")]
    Milliseconds {
        /// The header's name.
        header: HeaderName,
    },
    /// The timestamp lies too far back.
    #[error("clock off by {off_s} s, tolerance {tolerance_s} s: the call is old, or a clock is wrong; `tolerance_s` sets the window")]
    Stale {
        /// How far, in seconds.
        off_s: u64,
        /// How far is allowed, in seconds.
        tolerance_s: u64,
    },
    /// The timestamp lies too far ahead.
    #[error("clock ahead by {off_s} s, tolerance {tolerance_s} s: compare the desk's clock with this host's")]
    Future {
        /// How far, in seconds.
        off_s: u64,
        /// How far is allowed, in seconds.
        tolerance_s: u64,
    },
    /// Headers and clock are right, the digest is not.
    #[error("headers and clock are right, digest differs{}", hint.sentence())]
    Mismatch {
        /// The usual mistake that would explain it.
        hint: Hint,
    },
    /// A plain token, password or pair that is none of the source's secrets.
    #[error("the token or password is none of the source's secrets")]
    WrongSecret,
}

/// A usual mistake that would explain a digest that differs. For the log and the admin only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// None of the known mistakes.
    None,
    /// The sender leaves the timestamp or the id out of what it signs.
    BodyOnly,
    /// The sender decodes the secret from base64 first, this scheme uses it as text.
    DecodedSecret,
    /// The sender uses the secret as text, this scheme decodes it from base64 first.
    SecretAsText,
}

impl Hint {
    fn sentence(self) -> &'static str {
        match self {
            Self::None => "; compare the secrets, and look for a proxy that rewrites bodies",
            Self::BodyOnly => "; a body-only digest would match",
            Self::DecodedSecret => "; a digest with the base64-decoded secret would match",
            Self::SecretAsText => "; a digest with the secret as text would match",
        }
    }
}

impl Refusal {
    /// What the caller may see: enough to repair an integration, nothing that helps to guess.
    pub fn caller(&self) -> String {
        match self {
            Self::NoSecret => "this source takes no calls yet; its administrator has to set a secret".to_owned(),
            Self::Absent { header } => format!("header {header} is missing; this source wants its calls signed"),
            Self::Repeated { header } => format!("header {header} was given more than once; send it once"),
            Self::AbsentParameter { parameter } => format!("query parameter {parameter} is missing"),
            Self::RepeatedParameter { parameter } => format!("query parameter {parameter} was given more than once; send it once"),
            Self::BadToken { parameter } => format!("query parameter {parameter} is not a challenge token"),
            Self::Form { header, problem } => format!("header {header}: {problem}"),
            Self::Algorithm { header, .. } => format!("header {header} names another algorithm than this source's"),
            Self::Milliseconds { header } => format!("header {header} is in milliseconds; send unix seconds"),
            Self::Stale { .. } => "the timestamp is too old; send the call again with a fresh one".to_owned(),
            Self::Future { .. } => "the timestamp lies in the future; set the sender's clock".to_owned(),
            Self::Mismatch { .. } => "the signature does not match; sign the raw body with this source's secret".to_owned(),
            Self::WrongSecret => "the credentials are wrong".to_owned(),
        }
    }

    /// A stable word for metrics and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoSecret => "no-secret",
            Self::Absent { .. } | Self::AbsentParameter { .. } => "absent",
            Self::Repeated { .. } | Self::RepeatedParameter { .. } => "repeated",
            Self::Form { .. } | Self::BadToken { .. } => "form",
            Self::Algorithm { .. } => "algorithm",
            Self::Milliseconds { .. } => "milliseconds",
            Self::Stale { .. } => "stale",
            Self::Future { .. } => "future",
            Self::Mismatch { .. } => "mismatch",
            Self::WrongSecret => "wrong-secret",
        }
    }
}
