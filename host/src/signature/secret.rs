//! A secret in the form its scheme digests with.
//!
//! Made by [`super::Scheme::secret`] only, so that no verifier ever holds a key in the wrong form. It must never be printed: `Debug`
//! is redacted, and there is no `Display` and no `Serialize`.

use std::fmt;

/// The key bytes of one secret of a source.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub(super) fn from_key(key: Vec<u8>) -> Self {
        Self(key)
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}
