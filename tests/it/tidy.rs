//! The house's law as data: who may import whom, which crate lives where, how a file opens and how long it may be.
//!
//! It reads the sources as text, without their tests. A line that breaks the law is named with its file; the law is changed
//! here, in the table, with a reason in the commit.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::repository;

/// A module and what it may import from the crate. Arrows point down only: what a module imports stands below it.
const LAW: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    (
        "cli",
        &[
            "app",
            "calendar",
            "case",
            "chain",
            "config",
            "decision",
            "eval",
            "event",
            "expect",
            "gate",
            "generation",
            "outgoing",
            "plugin",
            "replay",
            "server",
            "setup",
            "sheet",
            "signature",
            "source",
            "store",
            "telemetry",
            "token",
            "verdict",
        ],
    ),
    ("server", &["admin", "app", "call", "console", "error", "webhook"]),
    ("console", &["error"]),
    ("webhook", &["agreement", "app", "call", "error", "event", "journey", "metrics", "respond", "signature", "source", "store"]),
    (
        "admin",
        &[
            "app",
            "breaker",
            "calendar",
            "call",
            "chain",
            "decision",
            "error",
            "event",
            "gate",
            "generation",
            "grant",
            "metrics",
            "registry",
            "replay",
            "report",
            "setup",
            "source",
            "store",
            "table",
            "tables",
            "token",
        ],
    ),
    ("respond", &["signature", "store"]),
    ("error", &["event", "registry", "signature", "source", "store", "tables", "token"]),
    ("telemetry", &["app", "config", "egress", "journey"]),
    (
        "app",
        &[
            "alert",
            "alike",
            "answers",
            "ask",
            "calendar",
            "chain",
            "config",
            "decision",
            "delivery",
            "egress",
            "event",
            "generation",
            "journey",
            "lane",
            "metrics",
            "outgoing",
            "plugin",
            "registry",
            "replay",
            "sink",
            "source",
            "state",
            "store",
            "table",
            "tables",
            "token",
            "verdict",
        ],
    ),
    ("registry", &["config", "event", "gate", "generation", "plugin", "setup", "store"]),
    ("gate", &["config", "plugin"]),
    ("lane", &["chain", "event", "plugin"]),
    ("eval", &[]),
    ("lib", &[]),
    ("sink", &["decision", "outgoing"]),
    ("alike", &["event"]),
    ("alert", &["decision", "event", "outgoing", "verdict"]),
    ("call", &[]),
    ("delivery", &["egress", "event", "journey", "outgoing", "retry", "store"]),
    ("egress", &["event", "network", "signature"]),
    ("case", &["decision", "event", "plugin", "verdict"]),
    ("metrics", &["decision"]),
    ("answers", &["ask", "calendar", "event", "replay", "store", "tables"]),
    ("replay", &["ask", "chain", "decision", "event", "generation", "plugin", "setup", "sheet", "state", "store"]),
    ("generation", &["breaker", "chain", "config", "decision", "event", "grant", "plugin", "setup"]),
    ("chain", &["ask", "breaker", "decision", "event", "grant", "journey", "plugin", "setup", "state", "verdict"]),
    ("breaker", &["event"]),
    ("plugin", &["ask", "config", "decision", "event", "expect", "grant", "normal", "state", "table", "verdict"]),
    ("expect", &["verdict"]),
    ("normal", &["verdict"]),
    ("tables", &["config", "event", "store", "table"]),
    (
        "store",
        &["agreement", "ask", "calendar", "config", "decision", "event", "outgoing", "report", "sla", "state", "table", "token", "verdict"],
    ),
    ("ask", &["event", "state", "table"]),
    ("state", &["config", "event"]),
    ("table", &["config", "event", "setup"]),
    ("config", &["network", "outgoing", "retry", "setup", "signature", "source", "token", "verdict"]),
    ("source", &["agreement", "decision", "event", "outgoing", "retry", "setup", "signature", "sla", "verdict"]),
    ("sla", &["calendar", "event", "verdict"]),
    ("signature", &["event"]),
    ("network", &[]),
    ("token", &["event"]),
    ("retry", &[]),
    ("setup", &["event", "grant", "verdict"]),
    ("journey", &["decision", "outgoing"]),
    ("report", &["calendar", "event", "sheet", "verdict"]),
    ("calendar", &["event"]),
    ("sheet", &[]),
    ("agreement", &["decision", "event"]),
    ("decision", &["event", "grant", "verdict"]),
    ("grant", &["verdict"]),
    ("verdict", &["event"]),
    ("event", &[]),
    ("outgoing", &[]),
];

/// A crate, or a name of the standard library, and the only modules that may use it.
const HOMES: &[(&str, &[&str])] = &[
    ("wasmtime", &["plugin"]),
    ("wasmtime_wizer", &["plugin"]),
    ("wasmparser", &["plugin"]),
    ("wit_component", &["plugin"]),
    ("wit_parser", &["plugin"]),
    ("wat", &["plugin"]),
    ("rusqlite", &["store"]),
    ("axum", &["server", "webhook", "admin", "console", "respond", "error"]),
    ("hyper", &["server", "egress"]),
    ("hyper_util", &["server", "egress"]),
    ("tower", &["server", "egress"]),
    ("tower_http", &["server"]),
    ("http_body_util", &["webhook", "admin", "egress"]),
    ("ureq", &["cli"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("anstream", &["cli"]),
    ("flate2", &["cli", "console"]),
    ("tracing_subscriber", &["telemetry"]),
    ("tracing_opentelemetry", &["telemetry"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_http", &["telemetry"]),
    ("opentelemetry_otlp", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("governor", &["app"]),
    ("hmac", &["signature"]),
    ("sha1", &["signature"]),
    ("md5", &["signature"]),
    ("subtle", &["signature", "token"]),
    ("getrandom", &["token"]),
    ("toml", &["case", "cli", "config", "setup", "source", "calendar"]),
    ("quick_junit", &["cli"]),
    ("serde_urlencoded", &["admin"]),
    ("signalbox_bundle", &["config"]),
    ("jiff", &["event", "source", "calendar"]),
    ("rustix", &["lane", "plugin", "replay", "server", "store"]),
    ("libc", &["plugin"]),
    ("seccompiler", &["plugin"]),
    ("tokio_io_timeout", &["server"]),
    (
        "tokio",
        &[
            "cli",
            "server",
            "webhook",
            "admin",
            "app",
            "delivery",
            "egress",
            "registry",
            "replay",
            "lane",
            "store",
            "plugin",
            "tables",
            "telemetry",
        ],
    ),
    ("SystemTime", &["app"]),
    ("env::var", &["config"]),
    ("fs::", &["cli", "app", "config", "token", "store", "plugin"]),
    // The command line builds an author's project, and starts the host that it goes live on.
    ("process::Command", &["cli", "plugin"]),
    ("hyper_rustls", &["egress"]),
    ("rustls", &["egress"]),
    ("rustls_native_certs", &["egress"]),
    ("httpdate", &["delivery"]),
    ("lettre", &["egress"]),
    ("csv", &["table", "sheet"]),
];

/// Lines of a file, its tests included. What passes it is split by idea.
const CEILING: usize = 450;

/// One source file.
struct Source {
    path: PathBuf,
    name: String,
    text: String,
}

impl Source {
    /// The top module that a file of the host belongs to.
    fn module(&self) -> &str {
        let inside = self.name.strip_prefix("host/src/").unwrap();
        inside.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// The file without comments and without its tests, which may do what they like; lines keep their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.name.ends_with("tests.rs") || self.name.contains("/tests/");
        let end = if tests { 0 } else { self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len()) };
        self.text[..end].lines().enumerate().map(|(at, line)| (at + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn sources(roots: &[&str]) -> Vec<Source> {
    let mut sources = Vec::new();
    for path in roots.iter().flat_map(|root| files(&repository(root))) {
        if path.extension().is_some_and(|end| end == "rs") {
            let name = path.strip_prefix(repository("")).unwrap().display().to_string();
            sources.push(Source { text: fs::read_to_string(&path).unwrap(), name, path });
        }
    }
    assert!(sources.len() > 5, "the sources are where they were");
    sources
}

/// Every file below a directory, but for what is built or not ours.
fn files(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![root.to_owned()]);
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // In a second working tree of git's, `.git` is a file.
            let skipped = ["target", "build", ".git", "signalbox-data", "node_modules", "corpus", "artifacts"].contains(&name.as_str());
            match entry.file_type().unwrap() {
                kind if kind.is_dir() && !skipped => open.push(entry.path()),
                kind if kind.is_file() && !skipped => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// Every place where a word stands by itself.
fn uses(line: &str, word: &str) -> bool {
    let plain = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (line[..at].chars().next_back(), line[at + word.len()..].chars().next());
        plain(before) && (word.ends_with(':') || plain(after))
    })
}

fn broken(faults: &[String]) {
    assert!(faults.is_empty(), "{} times:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn arrows_point_down() {
    let place = |module: &str| LAW.iter().position(|(known, _)| *known == module);
    for (module, imports) in LAW {
        for import in *imports {
            let below = place(import) > place(module);
            assert!(place(import).is_some() && below, "{import} does not stand below {module}");
        }
    }
    let mut faults = Vec::new();
    for source in sources(&["host/src"]) {
        let module = source.module();
        let Some((_, allowed)) = LAW.iter().find(|(known, _)| *known == module) else {
            faults.push(format!("{}: the module `{module}` is not in the table", source.name));
            continue;
        };
        for (line, text) in source.code() {
            for (at, _) in text.match_indices("crate::") {
                let import: String = text[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let (is_module, own) = (place(&import).is_some(), import == module);
                if is_module && !own && !allowed.contains(&import.as_str()) {
                    faults.push(format!("{}:{line}: `{module}` may not import `{import}`", source.name));
                }
            }
        }
    }
    broken(&faults);
}

#[test]
fn no_arrow_of_the_table_is_unused() {
    let sources = sources(&["host/src"]);
    let used = |module: &str, import: &str| {
        let mut code = sources.iter().filter(|source| source.module() == module).flat_map(Source::code);
        let through = |line: &str| uses(line, &format!("crate::{import}")) || uses(line, &format!("signalbox::{import}"));
        code.any(|(_, line)| through(line))
    };
    let arrows = LAW.iter().flat_map(|(module, imports)| imports.iter().map(move |import| (module, import)));
    let faults: Vec<String> =
        arrows.filter(|(module, import)| !used(module, import)).map(|(module, import)| format!("{module} > {import}")).collect();
    broken(&faults);
}

#[test]
fn every_crate_stays_at_home() {
    let mut faults = Vec::new();
    for source in sources(&["host/src"]) {
        for (line, text) in source.code() {
            for (name, homes) in HOMES {
                let used = if name.contains(char::is_uppercase) || name.contains("::") {
                    uses(text, name)
                } else {
                    uses(text, &format!("{name}::"))
                };
                if used && !homes.contains(&source.module()) {
                    faults.push(format!("{}:{line}: `{name}` belongs to {}: {}", source.name, homes.join(", "), text.trim()));
                }
            }
        }
    }
    broken(&faults);
}

#[test]
fn the_core_neither_waits_nor_looks_outside() {
    const CORE: [&str; 11] = ["case", "eval", "event", "verdict", "decision", "grant", "expect", "normal", "signature", "source", "chain"];
    const OUTSIDE: [&str; 9] = ["std::fs", "std::net", "std::process", "std::env", "std::thread", "std::io", "tokio", "Instant", "tracing"];
    let mut faults = Vec::new();
    for source in sources(&["host/src"]).iter().filter(|source| CORE.contains(&source.module())) {
        let reached = source.code().filter(|(_, text)| OUTSIDE.iter().any(|word| uses(text, word)));
        faults.extend(reached.map(|(line, text)| format!("{}:{line}: {}", source.name, text.trim())));
    }
    broken(&faults);
}

#[test]
fn every_file_says_first_what_it_is() {
    let sources = sources(&["host/src", "plugins", "tests"]);
    let silent = sources.iter().filter(|source| !source.text.starts_with("//! ")).map(|source| source.name.clone());
    broken(&silent.collect::<Vec<_>>());
}

#[test]
fn no_file_is_too_long() {
    let mut faults = Vec::new();
    for source in sources(&["host/src", "tests/it"]) {
        let lines = source.text.lines().count();
        if lines > CEILING {
            faults.push(format!("{}: {lines} lines", source.name));
        }
    }
    broken(&faults);
}

#[test]
fn nothing_built_and_no_machines_own_paths_are_in_the_repository() {
    // Written in two parts, so that this file does not name them.
    let homes = ["/ho|me/", "/Us|ers/", "/ro|ot/", "/wo|rk/", "C:\\Us|ers"].map(|path| path.replace('|', ""));
    let mut faults = Vec::new();
    // Plugins that are kept because they were built once: `contract.rs` holds their size, and their toolchains left their own paths.
    let fossils = repository("tests/fossils");
    let kept = |file: &Path| file.starts_with(&fossils) && file.extension().is_some_and(|end| end == "wasm");
    for file in files(&repository("")).into_iter().filter(|file| !kept(file)) {
        let built = ["wasm", "cwasm", "rlib", "so", "db", "pyc"].iter().any(|end| file.extension().is_some_and(|known| known == *end));
        let text = fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&text);
        if built || homes.iter().any(|home| text.contains(home.as_str())) {
            faults.push(file.display().to_string());
        }
    }
    broken(&faults);
}

#[test]
fn tests_are_whole_and_speak_for_themselves() {
    let ours = sources(&["tests/it"]);
    // Written in two parts, so that this file does not hold them.
    let marks = ["#[ign|ore", "to|do!", "thread::sl|eep", "dbg|!("].map(|mark| mark.replace('|', ""));
    let mut faults = Vec::new();
    for source in &ours {
        let held = source.code().filter(|(_, line)| marks.iter().any(|mark| line.contains(mark.as_str())));
        // The harness has the one place that waits, with a deadline.
        let held = held.filter(|_| source.path.file_name().is_some_and(|name| name != "harness.rs"));
        faults.extend(held.map(|(line, text)| format!("{}:{line}: {}", source.name, text.trim())));
    }
    broken(&faults);
}
