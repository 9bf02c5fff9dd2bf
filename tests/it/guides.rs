//! The guides of `docs/plugins/` are true: every block of code in them is run, or stands in a file that is built.
//!
//! A block says what it is behind its fence: `console` is a transcript, run as it is typed; the name of a language marks a piece of the
//! example rule (or of the SDK); `toml cases` and `json services` are tried on a plugin, the documents of the command's protocol are
//! asked and answered. A block of another kind, or one without a fence, fails the test, so that none goes unchecked.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};
use signalbox_test_guests::MISBEHAVE;

use crate::desk::Desk;
use crate::harness::{SIGNALBOX, SOON, TestHost, complaint, directory, repository, signalbox, until};
use crate::languages::one_build;
use crate::workflow::{host_at, now};

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
            // The guides for authors have no block that nothing checks.
            (None, None) if guide.starts_with("docs/plugins/") => {
                assert!(!line.starts_with("    "), "{guide}:{}: a block without a fence goes unchecked", at + 1);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{guide}: a fence is not closed");
    blocks
}

/// The sources that pieces are taken from, by the language behind the fence.
fn sources() -> BTreeMap<&'static str, String> {
    let read = |file: &str| fs::read_to_string(repository("examples/plugins").join(file)).unwrap();
    // The SDK's own examples are compiled by its documentation's tests.
    let lookup = fs::read_to_string(repository("plugins/sdk/src/lookup.rs")).unwrap().replace("//! ", "");
    [
        ("rust", read("rust/src/lib.rs") + &lookup),
        ("typescript", read("typescript/plugin.ts")),
        ("javascript", read("javascript/plugin.js")),
        ("python", read("python/app.py")),
        ("go", read("go/export_signalbox_rules_rule/rule.go")),
        ("c", read("c/plugin.c")),
        ("assemblyscript", read("assemblyscript/command.ts")),
    ]
    .into()
}

/// Runs cases on a plugin that takes any.
fn cases_hold(place: &str, name: &str, text: &str) {
    let dir = directory();
    let file = dir.path().join(name);
    fs::write(&file, text).unwrap();
    let plugin = repository("tests/fossils/module-rust.wasm");
    let output = signalbox(&["plugin", "test", plugin.to_str().unwrap(), file.to_str().unwrap()]);
    assert!(output.status.success(), "{place}: {}{}", String::from_utf8_lossy(&output.stdout), complaint(&output));
}

#[test]
fn every_block_is_checked_and_every_piece_stands_in_the_example() {
    let sources = sources();
    let mut seen = BTreeMap::<String, usize>::new();
    for Block { place, kind, text } in blocks() {
        *seen.entry(kind.clone()).or_default() += 1;
        match kind.as_str() {
            "toml cases" => cases_hold(&place, "cases.toml", &text),
            "json services" => {
                let services: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{place}: {error}"));
                let case = json!({ "name": "read", "event": { "text": "x" }, "services": services, "expect": { "outcome": "ran" } });
                cases_hold(&place, "cases.json", &json!([case]).to_string());
            }
            // What is asked and answered is held together in `protocol.rs`.
            "json question" | "json describe" | "json configure" | "json evaluate" => {}
            kind if kind.starts_with("console ") => {}
            kind => {
                let source = sources.get(kind).unwrap_or_else(|| panic!("{place}: nothing checks a block of `{kind}`"));
                let found = text.split("\n...\n").all(|piece| source.contains(piece.trim_end()));
                assert!(found, "{place}: not in the source as it stands there:\n{text}");
            }
        }
    }
    for kind in sources.keys().chain(&["toml cases", "json services", "console project"]) {
        assert!(seen.contains_key(*kind), "the guides have a block of `{kind}`");
    }
}

/// The documents of the command's protocol, by what is behind `json`.
pub fn documents(kind: &str) -> Vec<Value> {
    let all = blocks().into_iter().filter(|block| block.kind == format!("json {kind}"));
    all.map(|block| serde_json::from_str(&block.text).unwrap_or_else(|error| panic!("{}: {error}", block.place))).collect()
}

/// Where a transcript is typed.
struct Terminal<'a> {
    host: &'a TestHost,
    folder: PathBuf,
    /// Where Rust's dependencies are kept between two runs of the suite.
    kept: PathBuf,
    /// Whose token the commands use.
    token: String,
    /// Whether the host's time stands still: then everything but ids comes as it stands there, to the letter.
    still: bool,
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
        let _one = (line == "./build.sh").then(one_build);
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
            let mut came = self.enter(command, code);
            // What the host does a moment later is waited for, where looking again changes nothing.
            let looks = [" list", " tail ", " report "].iter().any(|verb| command.contains(verb)) && !command.contains("approve");
            if self.still && looks {
                let what = format!("{}\n$ {command}\n{}", block.place, expected.join("\n"));
                until(SOON, &what, || {
                    let held = holds(&expected, &came, self.still);
                    if !held {
                        came = self.enter(command, code);
                    }
                    held.then_some(())
                });
            }
            let held = holds(&expected, &came, self.still);
            assert!(held, "{}\n$ {command}\n{came}--- and not\n{}", block.place, expected.join("\n"));
        }
    }

    /// Types a page from top to bottom: its files are written, its transcripts followed. What stands behind `console` is the code that its
    /// commands end with, or the moment that the host's time is put to.
    fn type_page(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block.kind.split_once(' ').unwrap_or((&block.kind, "")) {
                ("console", moment) if moment.contains('T') => {
                    now(self.host, moment);
                    self.follow(block, 0);
                }
                ("console", code) => self.follow(block, code.parse().unwrap_or(0)),
                ("toml" | "sh" | "csv" | "ics", file) => {
                    fs::write(self.folder.join(file), block.text.replace("127.0.0.1:8640", &self.host.public.to_string())).unwrap();
                }
                (other, _) => panic!("{}: nothing checks a block of `{other}`", block.place),
            }
        }
    }
}

/// Ids are other ones every time, also where they are a part of others.
fn without_ids(line: &str) -> String {
    let dashes = [8, 13, 18, 23];
    let fits = |(at, byte): (usize, u8)| if dashes.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    let (mut shape, mut rest) = (String::new(), line);
    while let Some(first) = rest.chars().next() {
        let is_id = rest.get(..36).is_some_and(|id| id.bytes().enumerate().all(fits));
        let (said, after) = if is_id { ("#", 36) } else { (&rest[..first.len_utf8()], first.len_utf8()) };
        shape.push_str(said);
        rest = &rest[after..];
    }
    shape
}

/// Digests are other ones every time too, and so are digits, unless time stands still.
fn shape(line: &str, still: bool) -> String {
    let mut shape = String::new();
    for word in without_ids(line).split_inclusive(' ') {
        let bare = word.trim().trim_matches(['"', ',', ':']);
        let is_digest = bare.len() >= 12 && bare.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        let digits = |c: char| !still && c.is_ascii_digit();
        shape += &if is_digest { "# ".to_owned() } else { word.replace(digits, "#") };
    }
    while shape.contains("##") {
        shape = shape.replace("##", "#");
    }
    shape.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the lines came, in order; `...` stands for any lines.
fn holds(expected: &[&str], came: &str, still: bool) -> bool {
    let mut came = came.lines().map(|line| shape(line, still)).peekable();
    let mut any = false;
    for line in expected {
        if line.trim() == "..." {
            any = true;
            continue;
        }
        let wanted = shape(line, still);
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
    let (loose, strict) = (|was: &[&str], is: &str| holds(was, is, false), |was: &[&str], is: &str| holds(was, is, true));
    assert!(loose(&["a 12 b", "..."], "a 7 b\nmore") && loose(&["...", "end"], "x\nend") && loose(&[], ""));
    assert!(loose(&["digest = \"9364261fc27a\""], "digest = \"3ebc6d48ee9b\""));
    assert!(!loose(&["a"], "a\nmore") && !loose(&["a", "b"], "a") && !loose(&["passed 6"], "failed 6"));
    let id = "01a20613-bea1-7451-962c-ef11f52867da";
    assert!(strict(&["at 12:00", &format!("\"{id}-alert-1\" é")], "at 12:00\n\"01a20613-0000-7451-962c-ef11f5286700-alert-1\" é"));
    assert!(!strict(&["at 12:00"], "at 12:01") && !strict(&[&format!("{id}-alert-1")], &format!("{id}-alert-2")));
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
    // The other languages' toolchains come from registries: `just guides` names them here.
    let asked = std::env::var_os("SIGNALBOX_GUIDES").unwrap_or_default().into_string().unwrap();
    for lang in ["rust"].into_iter().chain(asked.split_whitespace().filter(|lang| *lang != "rust")) {
        let (host, dir) = (TestHost::start(), directory());
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("guide-{lang}"));
        let mut terminal = Terminal { host: &host, folder: dir.path().to_owned(), kept, token: host.token(), still: false };
        let start = Instant::now();
        follow(lang, &mut terminal);
        eprintln!("{lang}: from `plugin new` to the end of its guide in {:.0} s", start.elapsed().as_secs_f64());
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
    let mut terminal = Terminal { host: &host, folder: folder.path().to_owned(), kept: PathBuf::new(), token: host.token(), still: false };
    terminal.type_page(&blocks);
}

#[test]
fn a_complaint_goes_its_way_as_the_page_of_the_workflow_says() {
    let (desk, folder) = (Desk::open(), directory());
    let blocks = blocks_of("docs/workflow.md");
    let config = blocks.iter().find(|block| block.kind == "toml signalbox.toml").unwrap();
    let host = host_at(&config.text.replace("http://127.0.0.1:9000", &desk.url("")), "2026-12-23T13:00:00Z");
    fs::copy(host.dir.path().join("zammad.secret"), folder.path().join("zammad.secret")).unwrap();
    let mut terminal = Terminal { host: &host, folder: folder.path().to_owned(), kept: PathBuf::new(), token: host.token(), still: true };
    terminal.type_page(&blocks);
    // What the page says of the desk is what the desk saw: the alert, and one answer to the author, after the yes.
    let said: Vec<Value> = desk.effects().iter().map(|call| call.json()).collect();
    assert_eq!(said.iter().filter(|call| call["type"] == "social.alert.raised.v1").count(), 1);
    assert_eq!(said.iter().filter(|call| call["article"]["internal"] == false).count(), 1);
}

#[test]
fn what_is_typed_in_a_project_does_what_it_says() {
    let (host, dir) = (TestHost::start(), directory());
    // A project that is built already.
    let into = dir.path().to_str().unwrap();
    assert!(signalbox(&["plugin", "new", "--lang", "c", "--into", into, "outage-words"]).status.success());
    let folder = dir.path().join("outage-words");
    fs::create_dir(folder.join("build")).unwrap();
    let built = fs::read(repository("tests/fossils/module-rust.wasm")).unwrap();
    fs::write(folder.join("build/outage-words.wasm"), built).unwrap();
    let mut terminal = Terminal { host: &host, folder, kept: dir.path().join("kept"), token: host.token(), still: false };
    follow("project", &mut terminal);
}
