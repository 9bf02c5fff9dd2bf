//! Answers to the `GET` by which a desk asks whether the url behind a webhook belongs to someone who knows the secret.
//!
//! Called by `source` for a configured source only. Pure. It must never answer without a secret, nor sign a text of any length or
//! alphabet: that would make the host a signing oracle for the same secret's webhooks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{Refusal, Secret, one_parameter, same_as_a_secret};

/// Longest token that is answered, in bytes. The desks' own have 32 to 64.
const MAX_TOKEN_BYTES: usize = 256;

/// The kinds of challenge, named after who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Challenge {
    /// GLPI: `?crc_token=X` is answered with the bare hex digest of X.
    GlpiCra,
    /// X: `?crc_token=X` is answered with `{"response_token": "sha256=..."}`, base64.
    XCrc,
    /// Meta: `?hub.mode=subscribe&hub.verify_token=SECRET&hub.challenge=X` is answered with X.
    MetaHub,
}

/// What to send back, with status 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeAnswer {
    /// The value of `content-type`: never one that a browser would run.
    pub content_type: &'static str,
    /// The body, whole.
    pub body: String,
}

impl Challenge {
    /// Answers with the current secret, which is the first. `query` is the raw query string.
    ///
    /// # Errors
    /// A [`Refusal`] when there is no secret, or the parameter is missing, given twice or no token.
    pub fn answer(self, secrets: &[Secret], query: Option<&str>) -> Result<ChallengeAnswer, Refusal> {
        let secret = secrets.first().ok_or(Refusal::NoSecret)?;
        let answer = |content_type, body| Ok(ChallengeAnswer { content_type, body });
        match self {
            Self::GlpiCra => answer("text/plain; charset=utf-8", hex::encode(digest(secret, &token(query, "crc_token")?))),
            Self::XCrc => {
                let digest = STANDARD.encode(digest(secret, &token(query, "crc_token")?));
                answer("application/json", format!(r#"{{"response_token":"sha256={digest}"}}"#))
            }
            Self::MetaHub => {
                let presented = one_parameter(query, "hub.verify_token")?;
                if one_parameter(query, "hub.mode")? != "subscribe" {
                    return Err(Refusal::BadToken { parameter: "hub.mode".to_owned() });
                }
                // The token proves the caller, here, and not the answer us: any of the secrets will do.
                same_as_a_secret(presented.as_bytes(), secrets)?;
                answer("text/plain; charset=utf-8", token(query, "hub.challenge")?)
            }
        }
    }
}

/// A token is short and plain, so that no answer is ever the signature of a webhook's body: JSON has a brace or a quote.
fn token(query: Option<&str>, parameter: &str) -> Result<String, Refusal> {
    let token = one_parameter(query, parameter)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~+/=:".contains(&b);
    if token.is_empty() || token.len() > MAX_TOKEN_BYTES || !token.bytes().all(plain) {
        return Err(Refusal::BadToken { parameter: parameter.to_owned() });
    }
    Ok(token)
}

fn digest(secret: &Secret, token: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.key()) else { return Vec::new() }; // HMAC takes a key of any length
    mac.update(token.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::{Auth, Scheme, SchemeName};

    fn secret(text: &str) -> Vec<Secret> {
        vec![Scheme::resolve(&Auth::named(SchemeName::Glpi)).unwrap().secret(text).unwrap()]
    }

    #[test]
    fn each_desk_gets_its_own_form() {
        let glpi = Challenge::GlpiCra.answer(&secret("key"), Some("crc_token=abc")).unwrap();
        assert_eq!(glpi.body, "9c196e32dc0175f86f4b1cb89289d6619de6bee699e4c378e68309ed97a1a6ab");
        let x = Challenge::XCrc.answer(&secret("key"), Some("nonce=1&crc_token=abc")).unwrap();
        assert_eq!(x.body, r#"{"response_token":"sha256=nBluMtwBdfhvSxy4konWYZ3mvuaZ5MN45oMJ7Zehpqs="}"#);
    }

    #[test]
    fn meta_is_answered_when_it_knows_the_token() {
        let asked = |query| Challenge::MetaHub.answer(&secret("key"), Some(query)).map(|answer| answer.body);
        assert_eq!(asked("hub.mode=subscribe&hub.verify_token=key&hub.challenge=1158201444"), Ok("1158201444".to_owned()));
        assert_eq!(asked("hub.mode=subscribe&hub.verify_token=no&hub.challenge=1158201444"), Err(Refusal::WrongSecret));
        for query in ["hub.mode=unsubscribe&hub.verify_token=key&hub.challenge=1", "hub.mode=subscribe&hub.challenge=1", ""] {
            assert!(asked(query).is_err(), "{query}");
        }
        assert!(asked("hub.mode=subscribe&hub.verify_token=key&hub.challenge=%3Cscript%3E").is_err());
    }

    #[test]
    fn a_stranger_gets_no_answer_and_no_signature_of_a_body() {
        assert_eq!(Challenge::GlpiCra.answer(&[], Some("crc_token=abc")), Err(Refusal::NoSecret));
        for query in [
            None,
            Some("crc_token="),
            Some("crc_token=a&crc_token=b"),
            Some("crc_token=%7B%22id%22%3A1%7D"),
            Some("crc_token=%3Cscript%3E"),
        ] {
            assert!(Challenge::XCrc.answer(&secret("key"), query).is_err(), "{query:?}");
        }
        let long = format!("crc_token={}", "a".repeat(MAX_TOKEN_BYTES + 1));
        assert!(Challenge::GlpiCra.answer(&secret("key"), Some(&long)).is_err());
    }
}
