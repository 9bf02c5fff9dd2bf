//! Signing what we send ourselves, in the form of Standard Webhooks v1.
//!
//! Called by `egress`, on every attempt anew: the timestamp is the attempt's, the id the delivery's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::{Auth, Scheme, SchemeError, SchemeName, Secret};

/// The key to sign with, from `whsec_` and base64.
///
/// # Errors
/// A sentence when the secret does not have that form.
pub fn standard_secret(text: &str) -> Result<Secret, SchemeError> {
    Scheme::resolve(&Auth::named(SchemeName::StandardWebhooks))?.secret(text)
}

/// The value of `webhook-signature`.
pub fn sign_standard(secret: &Secret, id: &str, timestamp: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.key()) else { return String::new() }; // HMAC takes a key of any length
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::signature::verify;

    #[test]
    fn what_is_signed_here_verifies_here_and_another_body_does_not() {
        let secret = standard_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let scheme = Scheme::resolve(&Auth::named(SchemeName::StandardWebhooks)).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "d-1".parse().unwrap());
        headers.insert("webhook-timestamp", "1700000000".parse().unwrap());
        headers.insert("webhook-signature", sign_standard(&secret, "d-1", "1700000000", b"{}").parse().unwrap());
        let secrets = [secret];
        assert!(verify(&scheme, &secrets, &headers, None, b"{}", 1_700_000_000).is_ok());
        assert!(verify(&scheme, &secrets, &headers, None, b"[]", 1_700_000_000).is_err());
    }
}
