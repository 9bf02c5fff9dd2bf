//! The guides of `docs/plugins/` are true: every block of code in them is run, or stands in a file that is built.
//!
//! A block says what it is behind its fence: `console` is a transcript, run as it is typed; `rust`, `typescript` and `python` are pieces
//! of the example rule; `toml cases` and `json` are read. A block of another kind fails the test, so that none goes unchecked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use signalbox_test_guests::MISBEHAVE;

use crate::desk::Desk;
use crate::harness::{SIGNALBOX, TestHost, directory, repository, signalbox};

/// One block of a guide.
struct Block {
    /// The guide, and the line that the block begins at.
    place: String,
    /// What stands behind the fence.
    kind: String,
    text: String,
}

/// The blocks of the guides for authors.
fn blocks() -> Vec<Block> {
    let files = fs::read_dir(repository("docs/plugins")).unwrap().flatten();
    files.flat_map(|file| blocks_of(&format!("docs/plugins/{}", file.file_name().into_string().unwrap()))).collect()
}

fn blocks_of(guide: &str) -> Vec<Block> {
    let (mut blocks, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for (at, line) in fs::read_to_string(repository(guide)).unwrap().lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(kind), None) => open = Some(Block { place: format!("{guide}:{}", at + 1), kind: kind.to_owned(), text: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{guide}: a fence is not closed");
    blocks
}

#[test]
fn every_block_is_checked_and_every_piece_stands_in_the_example() {
    let example = |file: &str| fs::read_to_string(repository("examples/plugins").join(file)).unwrap();
    let sources =
        [("rust", example("rust/src/lib.rs")), ("typescript", example("typescript/plugin.ts")), ("python", example("python/app.py"))];
    let (mut pieces, mut cases) = (0, 0);
    let dir = directory();
    for Block { place, kind, text } in blocks() {
        if let Some((_, source)) = sources.iter().find(|(lang, _)| *lang == kind) {
            let found = text.split("\n...\n").all(|piece| source.contains(piece.trim_end()));
            assert!(found, "{place}: not in the example as it stands there:\n{text}");
            pieces += 1;
        } else if kind == "toml cases" {
            let file = dir.path().join("cases.toml");
            fs::write(&file, &text).unwrap();
            let plugin = repository("tests/fossils/module-rust.wasm");
            let output = signalbox(&["plugin", "test", plugin.to_str().unwrap(), file.to_str().unwrap()]);
            assert!(
                output.status.success(),
                "{place}: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            cases += 1;
        } else if kind == "json" {
            serde_json::from_str::<serde_json::Value>(&text).unwrap_or_else(|error| panic!("{place}: {error}"));
        } else {
            assert!(kind.starts_with("console"), "{place}: nothing checks a block of `{kind}`");
        }
    }
    assert!(pieces >= 3 && cases >= 1, "{pieces} pieces, {cases} files of cases");
}

/// Where a transcript is typed.
struct Terminal<'a> {
    host: &'a TestHost,
    folder: PathBuf,
    /// Where Rust's dependencies are kept between two runs of the suite.
    kept: PathBuf,
    /// Whose token the commands use.
    token: String,
}

impl Terminal<'_> {
    /// Types one command; gives everything that was printed.
    fn enter(&mut self, line: &str, code: i32) -> String {
        if let Some(file) = line.strip_prefix("export SIGNALBOX_TOKEN=$(cat ") {
            self.token = fs::read_to_string(self.folder.join(file.trim_end_matches(')'))).unwrap().trim().to_owned();
            return String::new();
        }
        if let Some(folder) = line.strip_prefix("cd ") {
            self.folder.push(folder);
            // What a build needs besides the rule itself is built once for all runs of the suite.
            fs::create_dir_all(&self.kept).unwrap();
            fs::create_dir_all(self.folder.join("build")).unwrap();
            let _ = std::os::unix::fs::symlink(&self.kept, self.folder.join("build/target"));
            return String::new();
        }
        let path = std::env::var_os("PATH").unwrap_or_default().into_string().unwrap();
        let path = format!("{}:{path}", Path::new(SIGNALBOX).parent().unwrap().display());
        let public = self.host.public.to_string();
        let mut shell = Command::new("bash");
        shell.args(["-o", "pipefail", "-c", &format!("{{ {}; }} 2>&1", line.replace("127.0.0.1:8640", &public))]).current_dir(&self.folder);
        shell.env("PATH", path).env("SIGNALBOX_URL", format!("http://{}", self.host.admin)).env("SIGNALBOX_TOKEN", &self.token);
        // Its crates are those of this repository's own build, so nothing needs to be fetched.
        let output = shell.env("CARGO_NET_OFFLINE", "true").output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "$ {line}\n{said}");
        said
    }

    /// Types a transcript whose commands all end with this code, and holds what comes against what stands there.
    fn follow(&mut self, block: &Block, code: i32) {
        let mut lines = block.text.lines().peekable();
        while let Some(line) = lines.next() {
            let command = line.strip_prefix("$ ").unwrap_or_else(|| panic!("{}: `{line}` belongs to no command", block.place));
            let mut expected = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                expected.push(line);
            }
            let came = self.enter(command, code);
            assert!(holds(&expected, &came), "{}\n$ {command}\n{came}--- and not\n{}", block.place, expected.join("\n"));
        }
    }
}

/// Digits and digests are other ones every time.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for word in line.split_inclusive(' ') {
        let is_digest = word.trim().len() >= 12 && word.trim().chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        shape += &if is_digest { "# ".to_owned() } else { word.replace(|c: char| c.is_ascii_digit(), "#") };
    }
    while shape.contains("##") {
        shape = shape.replace("##", "#");
    }
    shape.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the lines came, in order; `...` stands for any lines.
fn holds(expected: &[&str], came: &str) -> bool {
    let mut came = came.lines().map(shape).peekable();
    let mut any = false;
    for line in expected {
        if line.trim() == "..." {
            any = true;
            continue;
        }
        let wanted = shape(line);
        let found = if any { came.any(|line| line == wanted) } else { came.next().is_some_and(|line| line == wanted) };
        if !found {
            return false;
        }
        any = false;
    }
    any || came.next().is_none()
}

#[test]
fn a_transcript_is_held_to_what_comes() {
    assert!(holds(&["a 12 b", "..."], "a 7 b\nmore") && holds(&["...", "end"], "x\nend") && holds(&[], ""));
    assert!(!holds(&["a"], "a\nmore") && !holds(&["a", "b"], "a") && !holds(&["passed 6"], "failed 6"));
}

/// Types the transcript of one language, from a clean directory to a decision; gives the project.
fn follow(lang: &str, terminal: &mut Terminal<'_>) {
    let all = blocks();
    let transcripts: Vec<&Block> = all.iter().filter(|block| block.kind == format!("console {lang}")).collect();
    assert!(!transcripts.is_empty(), "{lang} has a transcript");
    transcripts.into_iter().for_each(|block| terminal.follow(block, 0));
}

#[test]
fn the_first_rule_is_written_as_the_guide_says() {
    // The other languages' toolchains come from registries: `just languages` names them here.
    let asked = std::env::var_os("SIGNALBOX_GUIDES").unwrap_or_default().into_string().unwrap();
    for lang in ["rust"].into_iter().chain(asked.split_whitespace().filter(|lang| *lang != "rust")) {
        let (host, dir) = (TestHost::start(), directory());
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("guide-{lang}"));
        let mut terminal = Terminal { host: &host, folder: dir.path().to_owned(), kept, token: host.token() };
        follow(lang, &mut terminal);
    }
}

#[test]
fn rules_are_changed_as_the_admins_guide_says() {
    let (desk, folder) = (Desk::open(), directory());
    let blocks = blocks_of("docs/admin.md");
    let config = blocks.iter().find(|block| block.kind == "toml signalbox.toml").unwrap();
    let host = TestHost::with_config(&config.text.replace("http://127.0.0.1:9000/decisions", &desk.url("/decisions")));
    fs::copy(repository("tests/fossils/module-rust.wasm"), folder.path().join("outage-words.wasm")).unwrap();
    fs::write(folder.path().join("misbehave.wasm"), MISBEHAVE).unwrap();
    let mut terminal = Terminal { host: &host, folder: folder.path().to_owned(), kept: PathBuf::new(), token: host.token() };
    for block in &blocks {
        match block.kind.split_once(' ').unwrap_or((&block.kind, "")) {
            ("console", code) => terminal.follow(block, code.parse().unwrap_or(0)),
            ("toml" | "sh", file) => {
                fs::write(folder.path().join(file), block.text.replace("127.0.0.1:8640", &host.public.to_string())).unwrap();
            }
            (other, _) => panic!("{}: nothing checks a block of `{other}`", block.place),
        }
    }
}
