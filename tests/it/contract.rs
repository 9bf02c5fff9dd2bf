//! The contract's promise: what was built for a released version of the track keeps working. `wit/VERSIONING.md` is the text of it.
//!
//! Types are held by the package `tests/contract`; what types cannot say is held here by the fossils, which are plugins as they were
//! built once.

use std::fs;

use serde_json::{Value, json};
use wit_parser::Resolve;

use crate::harness::{TestHost, complaint, directory, repository, signalbox};

/// All fossils together, bytes.
const FOSSILS: u64 = 2 << 20;

#[test]
fn a_host_names_the_track_that_it_speaks() {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("rules.wit", include_str!("../../wit/rules.wit")).unwrap();
    let version = resolve.packages[package].name.version.clone().unwrap();
    let track = format!("signalbox:rules@{}.{}", version.major, version.minor);
    let said = signalbox(&["--version", "--verbose"]);
    assert!(said.status.success() && String::from_utf8(said.stdout).unwrap().contains(&format!("{track} ")));
    assert_eq!(TestHost::start().ask("/v1/about").json()["tracks"], json!([track]));
    assert_eq!(signalbox(&["--verbose"]).status.code(), Some(2), "it says more of the version, and nothing by itself");
}

#[test]
fn every_effect_has_its_row_in_the_guide() {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("rules.wit", include_str!("../../wit/rules.wit")).unwrap();
    let effect = resolve.interfaces[resolve.packages[package].interfaces["types"]].types["effect"];
    let wit_parser::TypeDefKind::Variant(effect) = &resolve.types[effect].kind else { panic!("`effect` is a variant") };
    let guide = fs::read_to_string(repository("docs/plugins/writing.md")).unwrap();
    let rows: Vec<&str> = guide.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1)).collect();
    assert!(effect.cases.len() > 20);
    for case in &effect.cases {
        assert!(rows.iter().any(|row| row.contains(&format!("`{}`", case.name))), "`{}` has no row in docs/plugins/writing.md", case.name);
    }
}

/// The parts of a decision that say what was decided and why.
fn decided(printed: &Value) -> Vec<Value> {
    let decided = |one: &Value| {
        let (decision, step) = (&one["decision"], &one["decision"]["trace"][0]);
        let keys = ["category", "sentiment", "urgency", "confidence", "evidence", "reasons"];
        json!({ "outcome": step["outcome"], "set": step["set"], "dropped": step["dropped"], "decision": keys.map(|key| &decision[key]) })
    };
    printed.as_array().unwrap().iter().map(decided).collect()
}

#[test]
fn fossils_keep_loading_and_deciding_as_they_did() {
    let at = |name: &str| repository("tests/fossils").join(name).display().to_string();
    let recorded: Value = serde_json::from_str(&fs::read_to_string(at("decisions.json")).unwrap()).unwrap();
    let recorded = decided(&recorded);
    assert!(recorded.iter().any(|one| one["decision"][2] == "high"), "the recorded decisions say something");
    let dir = directory();
    let (mut bytes, mut doors) = (0, Vec::new());
    for file in fs::read_dir(repository("tests/fossils")).unwrap().flatten() {
        let name = file.file_name().into_string().unwrap();
        bytes += file.metadata().unwrap().len();
        let Some(short) = name.strip_suffix(".wasm") else { continue };
        doors.push(short.split('-').next().unwrap().to_owned());
        let config = dir.path().join(format!("{short}.toml"));
        fs::write(&config, format!("[[steps]]\nfile = {:?}\n", at(&name))).unwrap();
        let events = ["1", "2", "3"].map(|event| at(&format!("event-{event}.json")));
        let mut arguments = vec!["run", "--json", "--config", config.to_str().unwrap()];
        arguments.extend(events.iter().map(String::as_str));
        let output = signalbox(&arguments);
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{name}: {}", complaint(&output)));
        assert_eq!(decided(&printed), recorded, "{name}");
    }
    doors.sort();
    doors.dedup();
    assert_eq!(doors, ["command", "component", "module", "program"], "one of each door");
    assert!(bytes <= FOSSILS, "{bytes} bytes of fossils");
}
