//! What people prove themselves with: the boot token in the data directory, made at the first start; minted tokens; roles.
//!
//! The boot token is a file, so that whoever runs the machine can always get in, also when every other token is lost. It is
//! compared in constant time, as all are. Minted tokens are rows of the store; here is what they look like.

mod role;
mod secret;
mod tries;

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
pub use role::Role;
pub use secret::{Minted, id_of, matches, mint};
pub use tries::{Tries, network};

/// The file in the data directory.
pub const FILE: &str = "admin.token";
/// Shortest token taken from a file that an admin wrote: 128 bits in hex.
const MIN_CHARS: usize = 32;

/// What an admin proves itself with. Held as a digest, so that it cannot be read out of memory or a log.
pub struct AdminToken([u8; 32]);

impl AdminToken {
    /// Reads the token, or makes one of 256 random bits that only this user can read.
    ///
    /// # Errors
    /// When the file cannot be read or made, or holds no token.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let path = data.join(FILE);
        let token = match fs::read_to_string(&path) {
            Ok(token) => token,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut random = [0; 32];
                getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no randomness for the admin token: {error}"))?;
                let token = hex::encode(random);
                let mut file = fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&path)
                    .with_context(|| format!("cannot make {}", path.display()))?;
                writeln!(file, "{token}").and_then(|()| file.sync_all()).with_context(|| format!("cannot write {}", path.display()))?;
                token
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let token = token.trim();
        anyhow::ensure!(
            token.len() >= MIN_CHARS,
            "{} holds no token of at least {MIN_CHARS} characters; remove it, and the next start makes one",
            path.display()
        );
        Ok(Self(secret::digest(token)))
    }

    /// Whether this is the token.
    pub fn matches(&self, presented: &str) -> bool {
        matches(&self.0, presented)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_first_start_makes_a_token_and_the_second_keeps_it() {
        let dir = tempfile::tempdir().unwrap();
        let token = AdminToken::open(dir.path()).unwrap();
        let written = fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert!(token.matches(written.trim()) && !token.matches("other"));
        assert!(AdminToken::open(dir.path()).unwrap().matches(written.trim()));
        assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_short_token_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "secret\n").unwrap();
        assert!(AdminToken::open(dir.path()).is_err());
    }
}
