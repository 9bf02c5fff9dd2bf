//! What a token looks like: `sbx_ID_SECRET`. The id is no secret and finds the row; the secret has 256 random bits.
//!
//! Only the SHA-256 of the whole is kept: of so many random bits a fast hash gives nothing back. The prefix lets scanners for
//! leaked secrets find a token, and whoever finds one see from its id which to revoke.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const PREFIX: &str = "sbx_";
/// Random bytes of an id: enough that two never meet, few enough to type.
const ID_BYTES: usize = 6;
const SECRET_BYTES: usize = 32;

/// A new token, in the open for the only time.
#[derive(Debug)]
pub struct Minted {
    /// What it is known by.
    pub id: String,
    /// What its owner presents.
    pub token: String,
    /// What is kept.
    pub hash: [u8; 32],
}

/// Makes a token.
///
/// # Errors
/// When the system gives no random bytes.
pub fn mint() -> Result<Minted, String> {
    let mut random = [0; ID_BYTES + SECRET_BYTES];
    getrandom::fill(&mut random).map_err(|error| format!("no randomness for a token: {error}"))?;
    let (id, secret) = random.split_at(ID_BYTES);
    let id = hex::encode(id);
    let token = format!("{PREFIX}{id}_{}", hex::encode(secret));
    Ok(Minted { hash: digest(&token), id, token })
}

/// The id that a presented token says it has.
pub fn id_of(presented: &str) -> Option<&str> {
    let (id, secret) = presented.strip_prefix(PREFIX)?.split_once('_')?;
    (id.len() == 2 * ID_BYTES && secret.len() == 2 * SECRET_BYTES).then_some(id)
}

/// Whether a presented token is the one with this hash: a digest against a digest, in constant time.
pub fn matches(hash: &[u8; 32], presented: &str) -> bool {
    hash.ct_eq(&digest(presented)).into()
}

pub(super) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_id_and_known_by_its_hash() {
        let (one, other) = (mint().unwrap(), mint().unwrap());
        assert_eq!(id_of(&one.token), Some(one.id.as_str()));
        assert!(matches(&one.hash, &one.token) && !matches(&one.hash, &other.token));
        assert!(one.token != other.token && one.id != other.id);
    }

    #[test]
    fn what_has_another_shape_has_no_id() {
        for odd in ["", "sbx_", "sbx__", "sbx_000000000000_00", "000000000000_00", "sbx_é_", &"0".repeat(64)] {
            assert_eq!(id_of(odd), None, "{odd}");
        }
    }
}
