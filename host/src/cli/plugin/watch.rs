//! Whether anything in a project's folder has changed: by looking at every file's time and size a few times a second.
//!
//! Looking is what works everywhere: in containers, on network file systems, and with editors that write a new file and rename it.
//! A project is a few dozen files once what is built and what is installed is left out; a kernel's watches would cost one
//! descriptor per folder, and would still have to leave the same folders out.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

/// Folders that a build makes.
const BUILT: [&str; 8] = ["build", "target", "node_modules", "dist", "__pycache__", "venv", "vendor", "zig-out"];

/// Every file of a project, with its time and size as one number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot(BTreeMap<PathBuf, u64>);

impl Snapshot {
    /// Looks at a folder. What cannot be read is not there.
    pub(super) fn of(folder: &Path) -> Self {
        let (mut files, mut open) = (BTreeMap::new(), vec![folder.to_owned()]);
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let Ok(about) = entry.metadata() else { continue };
                if name.starts_with('.') || about.is_dir() && BUILT.contains(&name.as_str()) {
                    continue;
                }
                if about.is_dir() {
                    open.push(entry.path());
                } else if let Ok(changed) = about.modified() {
                    let mut hash = DefaultHasher::new();
                    (changed, about.len()).hash(&mut hash);
                    files.insert(entry.path(), hash.finish());
                }
            }
        }
        Self(files)
    }

    /// This snapshot, with what `after` has besides: files that a build left beside the sources are not a change of theirs.
    pub(super) fn with_new_of(mut self, after: &Self) -> Self {
        for (file, state) in &after.0 {
            self.0.entry(file.clone()).or_insert(*state);
        }
        self
    }

    /// Files that are other than before, new, or gone.
    pub(super) fn changed(&self, before: &Self) -> Vec<PathBuf> {
        let other = self.0.iter().filter(|(file, state)| before.0.get(*file) != Some(*state)).map(|(file, _)| file.clone());
        let gone = before.0.keys().filter(|file| !self.0.contains_key(*file)).cloned();
        other.chain(gone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_seen_and_what_is_built_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = dir.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        write("src/lib.rs", "one");
        let before = Snapshot::of(dir.path());
        write("build/p.wasm", "new");
        write("node_modules/x/y.js", "new");
        write(".git/index", "new");
        assert_eq!(Snapshot::of(dir.path()), before);
        write("src/lib.rs", "another");
        write("Cargo.lock", "from the build");
        let after = Snapshot::of(dir.path());
        assert_eq!(after.changed(&before), [dir.path().join("Cargo.lock"), dir.path().join("src/lib.rs")]);
        assert_eq!(after.changed(&before.clone().with_new_of(&after)), [dir.path().join("src/lib.rs")]);
        std::fs::remove_file(dir.path().join("src/lib.rs")).unwrap();
        assert_eq!(Snapshot::of(dir.path()).changed(&after), [dir.path().join("src/lib.rs")]);
    }
}
