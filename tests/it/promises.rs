//! The table of promises in `docs/reliability.md`: complete, and every test that it names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::harness::repository;

/// The rows that the table has, and how many of each kind.
const ROWS: [(&str, usize); 4] = [("HP", 23), ("HU", 14), ("HW", 12), ("HC", 10)];

/// A line of the table: its name, and what holds it.
fn rows() -> Vec<(String, String)> {
    let text = fs::read_to_string(repository("docs/reliability.md")).unwrap();
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let lines = text.lines().filter(|line| ROWS.iter().any(|(kind, _)| line.starts_with(&format!("| {kind}"))));
    lines.map(cells).map(|cells| (cells[0].clone(), cells[2].clone())).collect()
}

/// Where a test stands, and the words that begin it there.
fn place(reference: &str) -> Option<(PathBuf, String)> {
    let (file, name) = reference.split_once("::")?;
    let function = format!("fn {name}()");
    let (path, words) = match file.split_once('/')? {
        ("it", file) => (format!("tests/it/{file}.rs"), function),
        ("soak", file) => (format!("tests/soak/{file}.rs"), function),
        ("src", file) => (format!("host/src/{file}.rs"), function),
        ("browser", file) => (format!("tests/browser/{file}.test.mjs"), format!("test('{name}'")),
        _ => return None,
    };
    Some((repository(&path), words))
}

#[test]
fn every_promise_has_its_row_and_every_test_that_it_names_is_there() {
    let rows = rows();
    let named: BTreeSet<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    let wanted: Vec<String> = ROWS.iter().flat_map(|(kind, count)| (1..=*count).map(move |number| format!("{kind}{number}"))).collect();
    assert_eq!(named, wanted.iter().map(String::as_str).collect(), "every promise has one row");
    assert_eq!(rows.len(), wanted.len());
    for (name, held) in &rows {
        let references: Vec<&str> = held.split('`').skip(1).step_by(2).filter(|word| word.contains("::")).collect();
        assert!(!references.is_empty() || held.starts_with("not kept: "), "{name} names no test and does not say that it is not kept");
        for reference in references {
            let (file, words) = place(reference).unwrap_or_else(|| panic!("{name}: `{reference}` is no place of a test"));
            let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {}: {error}", file.display()));
            assert!(text.contains(&words), "{name}: {} has no `{words}`", file.display());
            let ignored = text.find(&words).is_some_and(|at| text[..at].trim_end().ends_with(concat!("#[", "ignore]")));
            assert!(!ignored, "{name}: {reference} is not run");
        }
        for target in held.split("the fuzz target").skip(1) {
            let target = target.split('`').nth(1).unwrap();
            assert!(repository(&format!("fuzz/targets/{target}.rs")).exists(), "{name}: there is no fuzz target {target}");
        }
    }
}

#[test]
fn the_engine_is_at_least_the_one_that_was_patched() {
    // Below it, holes of the engine are open that reach a host such as this one; deny.toml refuses the same.
    const LEAST: [u32; 3] = [48, 0, 8];
    let lock = fs::read_to_string(repository("Cargo.lock")).unwrap();
    let mut found = 0;
    for package in lock.split("[[package]]\n").skip(1) {
        let field = |name: &str| package.lines().find_map(|line| line.strip_prefix(&format!("{name} = \""))?.strip_suffix('"'));
        if matches!(field("name"), Some("wasmtime" | "wasmtime-wizer" | "wasmtime-environ")) {
            let version: Vec<u32> = field("version").unwrap().split('.').map(|part| part.parse().unwrap()).collect();
            assert!(version.as_slice() >= LEAST.as_slice(), "{version:?}");
            found += 1;
        }
    }
    assert!(found >= 3, "the engine is in the lock file");
    let deny = fs::read_to_string(repository("deny.toml")).unwrap();
    assert!(deny.contains("wasmtime:<48.0.8"), "and cargo-deny holds the same");
}
