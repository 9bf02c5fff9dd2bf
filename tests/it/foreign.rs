//! Plugins that were built for something else: another world, another version of it, other types. Each is refused with one sentence
//! that names the thing and says what to do.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::doors::{EVALUATE, rule, rule_text, told};

const WIT: &str = include_str!("../../wit/rules.wit");

/// The rule that proposes nothing, built for a contract that was edited, as a core module with metadata and as a component.
fn built_for(wit: &str, text: &str) -> [Vec<u8>; 2] {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("rules.wit", wit).unwrap();
    let world = resolve.packages[package].worlds["pure-rule"];
    let mut module = wat::parse_str(text).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let component = ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    [module, component]
}

/// Refused in one line that holds all the words.
fn refused(wasm: &[u8], words: &[&str]) {
    let said = told(wasm);
    assert_eq!(said.lines().count(), 1, "{said}");
    for word in words {
        assert!(said.contains(word), "no {word}: {said}");
    }
}

#[test]
fn an_older_and_a_newer_contract_are_named_with_the_one_that_is_spoken() {
    let text = rule_text("", "", "", EVALUATE);
    for version in ["0.0.7", "0.2.0", "1.0.0"] {
        let other = |text: &str| text.replace("@0.1.0", &format!("@{version}"));
        for wasm in built_for(&other(WIT), &other(&text)) {
            refused(&wasm, &["`signalbox:rules/", version, "this host speaks 0.1", "build it against"]);
        }
    }
    // Another release of the same track is none of these.
    let patch = |text: &str| text.replace("@0.1.0", "@0.1.9");
    let [module, component] = built_for(&patch(WIT), &patch(&text));
    for wasm in [module, component] {
        let said = told_or_passes(&wasm);
        assert!(said.contains("passes the gate"), "{said}");
    }
}

/// What `plugin check` says, well or not.
fn told_or_passes(wasm: &[u8]) -> String {
    let dir = crate::harness::directory();
    let file = dir.path().join("plugin.wasm");
    std::fs::write(&file, wasm).unwrap();
    let output = crate::harness::signalbox(&["plugin", "check", file.to_str().unwrap()]);
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_foreign_world_is_told_which_one_is_wanted() {
    let foreign = |text: &str| text.replace("signalbox:rules", "acme:rules");
    let [module, component] = built_for(&foreign(WIT), &foreign(&rule_text("", "", "", EVALUATE)));
    refused(&module, &["a core module without a rule in it", "signalbox:rules/rule-plugin"]);
    refused(&component, &["imports `acme:rules/types", "build it for the world `signalbox:rules/rule-plugin`"]);
}

#[test]
fn a_missing_export_is_named() {
    let mut resolve = Resolve::default();
    let wit = WIT.replace("world pure-rule {\n    export metadata;\n    export rule;", "world pure-rule {\n    export metadata;");
    assert_ne!(wit, WIT);
    let package = resolve.push_str("rules.wit", &wit).unwrap();
    let world = resolve.packages[package].worlds["pure-rule"];
    let mut module = rule("", "", "");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let component = ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    refused(&component, &["does not export `signalbox:rules/rule`", "build it for the world"]);
}

#[test]
fn another_signature_is_named_by_its_function() {
    // On the machine's level these are the same functions: only the types say that they are not.
    for (from, to) in [
        ("configure: func(config: string) -> result<_, list<config-problem>>;", "configure: func(config: string) -> s32;"),
        (
            "configure: func(config: string) -> result<_, list<config-problem>>;",
            "configure: func(config: list<u8>) -> result<_, list<config-problem>>;",
        ),
    ] {
        let wit = WIT.replace(from, to);
        assert_ne!(wit, WIT);
        let [_, component] = built_for(&wit, &rule_text("", "", "", EVALUATE));
        refused(&component, &["does not fit the contract: `configure` has another signature", "build it again with bindings"]);
    }
}

#[test]
fn resources_have_no_place_in_the_contract() {
    let exports = r#"(type $r (resource (rep i32))) (instance $i (export "thing" (type $r)))
        (export "signalbox:rules/metadata@0.1.0" (instance $i)) (export "signalbox:rules/rule@0.1.0" (instance $i))"#;
    let empty =
        r#"(instance $i) (export "signalbox:rules/metadata@0.1.0" (instance $i)) (export "signalbox:rules/rule@0.1.0" (instance $i))"#;
    let import = r#"(import "signalbox:rules/facts@0.1.0" (instance (export "thing" (type (sub resource)))))"#;
    for (text, word) in [(exports.to_owned(), "describe"), (format!("{import} {empty}"), "thing")] {
        let component = wat::parse_str(format!("(component {text})")).unwrap();
        refused(&component, &["does not fit the contract", word, "build it again with bindings"]);
    }
}
