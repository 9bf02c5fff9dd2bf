//! Compiled functions of one plugin, kept between its activations: a changed config changes a snapshot's data, not its code.
//!
//! Read and written by the activation child, in the cache directory that only this user can read. A file that is not whole
//! counts as empty; it can cost time, never be wrong. The child writes into a file that it opened before it was shut in; the parent
//! gives it its name.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};
use wasmtime::CacheStore;

/// Largest file that is kept, bytes: Python's functions come to about 40 MB.
const MAX_BYTES: usize = 128 << 20;

/// What is kept.
#[derive(Debug)]
pub struct Functions {
    more: File,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    compiled: HashMap<Vec<u8>, Vec<u8>>,
    changed: bool,
}

impl Functions {
    /// Reads what an earlier activation left. What comes to it goes into `more`, which is empty.
    pub fn open(file: &Path, more: File) -> Self {
        let compiled = std::fs::read(file).ok().and_then(|bytes| read(&bytes)).unwrap_or_default();
        Self { more, known: Mutex::new(Known { compiled, changed: false }) }
    }

    /// Leaves everything for the next activation. What cannot be kept is compiled again.
    pub fn close(&self) {
        let known = self.known();
        let bytes = write(&known.compiled);
        if known.changed && bytes.len() <= MAX_BYTES {
            let _ = (&self.more).write_all(&bytes);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        self.known().compiled.get(key).map(|bytes| Cow::Owned(bytes.clone()))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let mut known = self.known();
        known.changed = true;
        known.compiled.insert(key.to_vec(), value);
        true
    }
}

/// The digest of the rest, then length and bytes of each key and each value in turn.
fn write(compiled: &HashMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let mut rest = Vec::new();
    for part in compiled.iter().flat_map(|(key, value)| [key, value]) {
        rest.extend((part.len() as u32).to_le_bytes());
        rest.extend(part);
    }
    let mut bytes = Sha256::digest(&rest).to_vec();
    bytes.append(&mut rest);
    bytes
}

fn read(bytes: &[u8]) -> Option<HashMap<Vec<u8>, Vec<u8>>> {
    let (digest, mut rest) = bytes.split_at_checked(32)?;
    if Sha256::digest(rest)[..] != *digest {
        return None;
    }
    let mut part = || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (part, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        rest = after;
        Some(part.to_vec())
    };
    Some(std::iter::from_fn(|| Some((part()?, part()?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_found_and_what_is_broken_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (file, other) = (dir.path().join("functions"), dir.path().join("more"));
        let functions = Functions::open(&other, File::create(&file).unwrap());
        assert!(functions.insert(b"key", vec![7; 1_000]) && functions.insert(b"", Vec::new()));
        functions.close();
        let again = |file: &Path| Functions::open(file, File::create(&other).unwrap());
        assert_eq!(again(&file).get(b"key").as_deref(), Some(&[7; 1_000][..]));
        again(&file).close();
        assert_eq!(std::fs::read(&other).unwrap(), b"", "what has not changed is not written again");
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[40] ^= 1;
        std::fs::write(&file, &bytes).unwrap();
        assert_eq!(again(&file).get(b"key"), None);
    }
}
