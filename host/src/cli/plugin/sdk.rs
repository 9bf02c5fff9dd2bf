//! The SDK's sources, which go along with a Rust project as the contract does: it is on no registry yet.

/// The files below `plugins/sdk`, as (path, text).
macro_rules! sources {
    ($($file:literal),+ $(,)?) => {
        &[$(($file, include_str!(concat!("../../../../plugins/sdk/", $file)))),+]
    };
}

const SOURCES: &[(&str, &str)] = sources![
    "src/arena.rs",
    "src/bindings.rs",
    "src/clock.rs",
    "src/config.rs",
    "src/config/schema.rs",
    "src/facts.rs",
    "src/lexicon.rs",
    "src/lib.rs",
    "src/log.rs",
    "src/lookup.rs",
    "src/proposals.rs",
    "src/raw.rs",
    "src/reader.rs",
    "src/rule.rs",
    "src/scope.rs",
    "src/state.rs",
    "src/testing.rs",
    "src/testing/host.rs",
    "src/testing/services.rs",
    "src/text.rs",
];

/// Its manifest outside of this repository's workspace.
const MANIFEST: &str = r#"# What a Rust plugin needs: the contract's types, one macro, small helpers. As it came with `signalbox plugin new`.
[package]
name = "signalbox-sdk"
version = "VERSION"
edition = "2024"
license = "Apache-2.0"
publish = false

[features]
default = ["schema"]
schema = ["dep:schemars"]

[dependencies]
schemars = { version = "1.2", optional = true }
serde = { version = "1", features = ["derive", "rc"] }
serde_json = "1"
wit-bindgen = { version = "0.61", default-features = false, features = ["macros", "realloc", "std"] }

[lints.rust]
unsafe_code = "deny"
"#;

/// The SDK as a folder of a project that has the contract in `wit/`: (path, text).
pub(super) fn files() -> impl Iterator<Item = (String, String)> {
    let manifest = ("Cargo.toml".to_owned(), MANIFEST.replace("VERSION", env!("CARGO_PKG_VERSION")));
    let sources = SOURCES.iter().map(|(path, text)| ((*path).to_owned(), text.replace("\"../../wit\"", "\"../wit\"")));
    std::iter::once(manifest).chain(sources)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn below(folder: &Path, into: &mut BTreeSet<String>, start: &Path) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                below(&entry.path(), into, start);
            } else {
                into.insert(entry.path().strip_prefix(start).unwrap().display().to_string());
            }
        }
    }

    #[test]
    fn all_of_the_sdk_goes_along() {
        let (start, mut there) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/sdk"), BTreeSet::new());
        below(&start.join("src"), &mut there, &start);
        assert_eq!(SOURCES.iter().map(|(path, _)| (*path).to_owned()).collect::<BTreeSet<_>>(), there);
        assert!(files().any(|(_, text)| text.contains("path: \"../wit\"")), "the bindings find the project's contract");
        // What the workspace says of a dependency is said again in the manifest.
        let workspace = std::fs::read_to_string(start.join("../../Cargo.toml")).unwrap();
        for line in MANIFEST.lines().filter(|line| line.starts_with("serde") || line.starts_with("wit-bindgen")) {
            assert!(workspace.contains(line), "{line}");
        }
    }
}
