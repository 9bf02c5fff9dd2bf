//! Config files as an admin may write them: a sentence with its place, or a whole config.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use signalbox::config::{Config, Overrides};

/// In memory where there is such a place: a file is written for every try.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let at = if memory.is_dir() { memory } else { std::env::temp_dir() };
    at.join(format!("signalbox-fuzz-{}.toml", std::process::id()))
});

fuzz_target!(|data: &[u8]| {
    // A reference to a file is followed: not out of here, and to no device without an end.
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.contains("file") || text.contains("adapter") || text.contains("samples") {
        return;
    }
    std::fs::write(&*FILE, text).expect("the file can be written");
    if let Err(error) = Config::load(Some(&FILE), &Overrides::default()) {
        let said = error.to_string();
        assert!(said.starts_with(&FILE.display().to_string()) && !said.contains('\n'), "{said:?}");
    }
});
