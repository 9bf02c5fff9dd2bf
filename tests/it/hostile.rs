//! Plugins that are made to hurt, each through the real gate into a real chain: one outcome with a name, and nobody else notices.
//!
//! The guest is forged (`forge.rs`) and stands between two bundled rules; a bundled chain beside it is the witness. `bombs` has what hurts
//! the compiler, `sandbox` what an ordinary toolchain's plugin can do wrong, `gate` what is refused before it runs.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::forge::{Forged, RETURNED, Returned, at};
use crate::harness::{SOURCES, TestHost, event, fresh};
use crate::lifecycle::{apply, upload};
use crate::wire::Answer;

/// A chain in which the forged rule stands second of three.
pub fn live(host: &TestHost, forged: &Forged, more: &Value) {
    let answer = upload(host, forged.wasm());
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    let mut step = json!({ "plugin": String::from_utf8_lossy(&forged.name), "quarantine_after": 0 });
    step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let steps = json!([{ "plugin": "categorize" }, step, { "plugin": "sentiment" }]);
    let honest = json!([{ "plugin": "categorize" }, { "plugin": "sentiment" }]);
    let setup = json!({ "chains": { "default": { "steps": steps }, "honest": { "steps": honest } }, "routes": { "desk": "honest" } });
    assert_eq!(apply(host, &setup).status, 200);
}

fn host(forged: &Forged, more: &Value) -> TestHost {
    let host = TestHost::with_config(SOURCES);
    live(&host, forged, more);
    host
}

/// The forged step's entry in the trace.
fn step(decision: &Value) -> &Value {
    &decision["trace"][1]
}

/// What the bundled steps say, without what differs from run to run.
fn honest_steps(decision: &Value) -> Vec<Value> {
    let mut entries = decision["trace"].as_array().unwrap().clone();
    entries.retain(|entry| entry["plugin"] == "categorize" || entry["plugin"] == "sentiment");
    for entry in &mut entries {
        let entry = entry.as_object_mut().unwrap();
        ["micros", "step"].iter().for_each(|key| drop(entry.remove(*key)));
    }
    entries
}

/// One event that the forged step does wrong at: it is named so, nothing of it is taken, the other steps and the witness chain decide as if
/// it were not there, and the next event finds the step well.
fn contained(host: &TestHost, text: &str, outcomes: &[&str]) -> Value {
    let start = Instant::now();
    let decision = host.decide(text);
    let took = start.elapsed();
    let word: String = text.chars().take(24).collect();
    let entry = step(&decision);
    assert!(outcomes.contains(&entry["outcome"].as_str().unwrap()), "{word}: {entry}");
    assert_eq!((&entry["set"], &decision["degraded"]), (&Value::Null, &json!(true)), "{word}: {entry}");
    assert!(took < Duration::from_secs(5), "{word} took {took:?}");
    let witness = host.signed(event(&fresh("event"), text)).decision();
    assert_eq!(honest_steps(&decision), honest_steps(&witness), "{word}: the others ran as ever, fuel included");
    assert_eq!(witness["degraded"], false);
    assert_eq!(step(&host.decide("hello"))["outcome"], "ran", "{word}: and then it is well again");
    decision
}

#[test]
fn loops_growth_and_traps_are_outcomes() {
    let host = host(&Forged::default(), &json!({}));
    for (letter, outcomes) in [
        ("l", &["out_of_fuel"][..]),
        ("c", &["out_of_fuel"]),
        ("z", &["out_of_fuel", "timed_out"]),
        ("r", &["stack_overflow"]),
        ("q", &["out_of_memory"]),
        ("u", &["trapped"]),
        ("d", &["trapped"]),
        ("f", &["trapped"]),
        ("x", &["trapped"]),
        ("n", &["trapped"]),
        ("i", &["trapped"]),
    ] {
        let decision = contained(&host, &format!("{letter} the VPN is down since nine"), outcomes);
        assert_eq!((&step(&decision)["plugin"], &step(&decision)["version"]), (&json!("forged"), &json!("0.1.0")), "it is named");
    }
    // Refused, and borne: no fault.
    for letter in ["m", "t", "g"] {
        let decision = host.decide(letter);
        assert_eq!((&step(&decision)["outcome"], &decision["degraded"]), (&json!("ran"), &json!(false)), "{letter}: {decision}");
    }
    assert!(step(&host.decide("m"))["memory_bytes"].as_u64() <= Some(64 << 20));
    assert!(!host.log().contains("panicked"), "{}", host.log());
}

#[test]
fn a_loop_ends_by_the_clock_where_the_fuel_would_last() {
    let limits = json!({ "limits": { "fuel": 1_000_000_000_000_u64, "wall_ms": 200 } });
    let host = host(&Forged::default(), &limits);
    for letter in ["l", "c", "z"] {
        let decision = contained(&host, letter, &["timed_out"]);
        let entry = step(&decision);
        assert!(entry["detail"].as_str().unwrap().contains("200 ms"), "{entry}");
        // The ticker's step of 10 ms and the machine's other work come on top.
        let micros = entry["micros"].as_u64().unwrap();
        assert!((200_000..1_500_000).contains(&micros), "{letter} ran {micros} us");
    }
}

/// Verdicts that are none, and what is wrong with each.
fn poisons() -> Vec<(&'static str, Returned, &'static [&'static str])> {
    const BAD: &[&str] = &["malformed"];
    const MUCH: &[&str] = &["malformed", "output_too_large"];
    let honest = Returned::honest;
    let sentiment = |signals: u32, count: u32, label: u8| {
        honest()
            .byte(at::EFFECT, 3)
            .word(at::PAYLOAD, 0)
            .byte(at::PAYLOAD, label)
            .word(at::PAYLOAD + 8, signals)
            .word(at::PAYLOAD + 12, count)
    };
    vec![
        ("neither verdict nor error", honest().byte(at::RESULT, 2), BAD),
        ("an error that is none", honest().byte(at::RESULT, 1).byte(at::LIST, 9), BAD),
        ("an error with words from nowhere", honest().byte(at::RESULT, 1).word(at::LIST, 2).word(8, u32::MAX).word(12, 100), BAD),
        ("a list beyond memory", honest().word(at::LIST, 0xffff_fff0), BAD),
        ("a list across the end of memory", honest().word(at::LIST, 65_528), BAD),
        ("a list at a crooked place", honest().word(at::LIST, RETURNED + 17), BAD),
        ("a list without end", honest().word(at::LIST + 4, u32::MAX), MUCH),
        ("a list whose size overflows", honest().word(at::LIST + 4, 0x0300_0000), MUCH),
        ("a way to go on that is none", honest().byte(at::FLOW, 7), BAD),
        ("an effect past the last", honest().byte(at::EFFECT, 24), BAD),
        ("an effect far past the last", honest().byte(at::EFFECT, 255), BAD),
        ("a tag beyond memory", honest().word(at::PAYLOAD, u32::MAX), BAD),
        ("a tag without end", honest().word(at::PAYLOAD + 4, u32::MAX), MUCH),
        ("a tag that wraps around", honest().word(at::PAYLOAD, 65_535).word(at::PAYLOAD + 4, 0xffff_0002), MUCH),
        ("a tag that is not UTF-8", honest().byte(at::WORDS, 0xff), BAD),
        ("half a letter", honest().byte(at::WORDS + 5, 0xe2), BAD),
        ("a surrogate", honest().byte(at::WORDS, 0xed).byte(at::WORDS + 1, 0xa0).byte(at::WORDS + 2, 0x80), BAD),
        ("a reason beyond memory", honest().word(at::REASON, 0x7fff_ffff), BAD),
        ("a rule that is neither there nor not", honest().byte(at::RULE_ID, 2), BAD),
        ("evidence beyond memory", honest().word(at::EVIDENCE, u32::MAX - 3).word(at::EVIDENCE + 4, 1), BAD),
        ("evidence without end", honest().word(at::EVIDENCE + 4, 0x1000_0000), MUCH),
        ("a mood that is none", sentiment(0, 0, 5), BAD),
        ("signals without end", sentiment(0, u32::MAX, 0), MUCH),
        ("one long word four hundred times", honest().same_signal(400), &["output_too_large"]),
        ("a level that is none", honest().byte(at::EFFECT, 4).byte(at::PAYLOAD, 4), BAD),
        ("an alert of no level", honest().byte(at::EFFECT, 17).word(at::PAYLOAD + 8, 0).byte(at::PAYLOAD + 24, 9), BAD),
        ("a value of no kind", honest().byte(at::EFFECT, 20).byte(at::PAYLOAD + 8, 9), BAD),
    ]
}

#[test]
fn a_verdict_that_is_none_is_malformed_and_nothing_of_it_is_taken() {
    let host = host(&Forged::default(), &json!({}));
    let control = host.decide(&Returned::honest().text());
    assert_eq!((&step(&control)["outcome"], &control["tags"]["add"]), (&json!("ran"), &json!(["forged"])), "{}", step(&control));
    let before = host.rss();
    for (what, returned, outcomes) in poisons() {
        let decision = contained(&host, &returned.text(), outcomes);
        assert_eq!(decision["tags"]["add"], Value::Null, "{what}");
    }
    let after = host.rss();
    assert!(after < before + (16 << 20), "{before} bytes before, {after} after");
    assert!(!host.log().contains("panicked"), "{}", host.log());
}

#[test]
fn numbers_that_are_none_are_dropped_and_the_answer_stays_json() {
    let host = host(&Forged::default(), &json!({}));
    for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.1, 1.1, f32::MAX, f32::from_bits(0x7fa0_0001)] {
        let decision = host.decide(&Returned::honest().float(at::CONFIDENCE, odd).text());
        let entry = step(&decision);
        assert_eq!(
            (&entry["outcome"], &entry["set"], &decision["tags"]["add"]),
            (&json!("ran"), &Value::Null, &Value::Null),
            "{odd}: {entry}"
        );
        assert_eq!((entry["dropped"].as_array().map(Vec::len), &entry["dropped"][0]["effect"]), (Some(1), &json!("tag")), "{odd}: {entry}");
    }
    for fine in [0.0, -0.0, 1.0, f32::MIN_POSITIVE] {
        let decision = host.decide(&Returned::honest().float(at::CONFIDENCE, fine).text());
        assert_eq!(decision["tags"]["add"], json!(["forged"]), "{fine}: {}", step(&decision));
    }
}

#[test]
fn an_allocator_that_misbehaves_hurts_itself_alone() {
    // Only for long texts, so that it comes through the gate.
    let when = |body: &str| -> &'static str {
        Box::leak(format!("(if (i32.gt_u (local.get 3) (i32.const 3000)) (then {body}))").into_boxed_str())
    };
    let import = r#"(import "signalbox:rules/clock@0.1.0" "now" (func $now (result i64)))"#;
    let host = TestHost::with_config(SOURCES);
    for (number, (body, outcomes)) in [
        ("(return (i32.const -16))", &["malformed"][..]),
        ("(return (i32.const 65000))", &["malformed"]),
        ("unreachable", &["trapped"]),
        ("(loop $l (br $l))", &["out_of_fuel"]),
        ("(call $recurse)", &["stack_overflow"]),
        ("(return (call $realloc (local.get 0) (local.get 1) (local.get 2) (local.get 3)))", &["stack_overflow"]),
        ("(drop (call $now))", &["denied", "trapped"]),
        ("(drop (memory.grow (i32.const 65535))) unreachable", &["out_of_memory"]),
    ]
    .into_iter()
    .enumerate()
    {
        let forged = Forged {
            realloc: when(body),
            fields: if body.contains("$now") { import.to_owned() } else { String::new() },
            ..Forged::named(&format!("forged-{number}"))
        };
        live(&host, &forged, &json!({}));
        contained(&host, &format!("h {}", "long ".repeat(900)), outcomes);
    }
    // What it gives twice is its own loss: the host reads what it wrote, and no more.
    let twice = Forged { realloc: when("(return (i32.const 20000))"), ..Forged::named("forged-twice") };
    live(&host, &twice, &json!({}));
    assert_eq!(step(&host.decide(&format!("h {}", "long ".repeat(900))))["outcome"], "ran");
}

#[test]
fn what_ends_badly_after_the_answer_has_not_answered() {
    let host = TestHost::with_config(SOURCES);
    for (name, post, outcomes) in [
        ("post-loop", "(loop $l (br $l))", &["out_of_fuel"][..]),
        ("post-trap", "unreachable", &["trapped"]),
        ("post-deep", "(call $recurse)", &["stack_overflow"]),
    ] {
        // Well for the gate's own tries: it misbehaves once the verdict holds a proposal.
        let body: &'static str = Box::leak(format!("(if (i32.load (i32.add (local.get 0) (i32.const 8))) (then {post}))").into_boxed_str());
        live(&host, &Forged { post: body, ..Forged::named(name) }, &json!({}));
        let decision = contained(&host, &Returned::honest().text(), outcomes);
        assert_eq!(decision["tags"]["add"], Value::Null, "{name}");
    }
}

#[test]
fn no_instance_is_entered_again_after_any_fault() {
    let host = host(&Forged::default(), &json!({ "isolation": "reuse" }));
    let outcome = |text: &str| step(&host.decide(text))["outcome"].as_str().unwrap().to_owned();
    assert_eq!([outcome("s"), outcome("s"), outcome("s")], ["ran", "trapped", "ran"], "it is reused, and a trap ends it");
    for (what, returned, outcomes) in poisons() {
        assert!(outcomes.contains(&outcome(&returned.text()).as_str()), "{what}");
        assert_eq!(outcome("s"), "ran", "{what}: another instance");
        assert_eq!(outcome("s"), "trapped", "{what}: which was kept");
    }
}

#[test]
fn nothing_of_one_plugins_memory_is_seen_by_the_next() {
    let host = TestHost::with_config(SOURCES);
    for name in ["marks", "looks"] {
        assert_eq!(upload(&host, Forged::named(name).wasm()).status, 201);
    }
    let steps = json!([{ "plugin": "marks", "quarantine_after": 0 }, { "plugin": "looks", "quarantine_after": 0 }]);
    apply(&host, &json!({ "chains": { "default": { "steps": steps } } })).decision();
    let outcomes = |text: &str| -> Vec<String> {
        let decision = host.decide(text);
        decision["trace"].as_array().unwrap().iter().map(|entry| entry["outcome"].as_str().unwrap().to_owned()).collect()
    };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..40 {
                    assert_eq!(outcomes("a"), ["ran", "ran"], "both leave marks in 4 MiB");
                    assert_eq!(outcomes("b"), ["ran", "ran"], "and neither finds one");
                }
            });
        }
    });
}

#[test]
fn who_calls_itself_like_another_takes_nothing_from_it() {
    let host = TestHost::with_config(&format!("{SOURCES}[[steps]]\nplugin = \"sentiment\"\n"));
    let text = "Thank you, this is great";
    let before = host.decide(text);
    let bundled = before["trace"][0]["version"].as_str().unwrap().to_owned();
    let liar = Forged { version: bundled.into_bytes(), ..Forged::named("sentiment") };
    upload(&host, liar.wasm()).problem(409);
    let newer = Forged { version: b"99.0.0".to_vec(), ..Forged::named("sentiment") };
    assert_eq!(upload(&host, newer.wasm()).status, 201, "a newer version of a name is for whoever puts it into a chain");
    let after = host.decide(text);
    assert_eq!(
        (&after["generation"], &after["sentiment"]),
        (&before["generation"], &before["sentiment"]),
        "live steps are pinned by digest"
    );
    let chain = host.ask("/v1/chains/default").json();
    assert_eq!(chain["steps"][0]["version"], before["trace"][0]["version"], "{chain}");
}

#[test]
fn one_chain_full_of_costly_steps_stays_within_its_budgets() {
    // Twenty steps, each of which burns all of its fuel.
    let host = TestHost::with_config(SOURCES);
    assert_eq!(upload(&host, Forged::default().wasm()).status, 201);
    let step = |number: usize| json!({ "plugin": "forged", "name": format!("costly-{number}"), "limits": { "fuel": 5_000_000 }, "quarantine_after": 0 });
    let steps: Vec<Value> = (0..20).map(step).collect();
    let setup = json!({ "chains": { "default": { "steps": steps }, "honest": { "steps": [{ "plugin": "sentiment" }] } }, "routes": { "desk": "honest" } });
    apply(&host, &setup).decision();
    let decision = host.decide("l");
    let outcomes: BTreeSet<&str> = decision["trace"].as_array().unwrap().iter().map(|entry| entry["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, BTreeSet::from(["out_of_fuel"]));
    let fuel: u64 = decision["trace"].as_array().unwrap().iter().map(|entry| entry["fuel"].as_u64().unwrap()).sum();
    assert_eq!(fuel, 20 * 5_000_000, "each its own, and no more");
    let honest: Answer = host.signed(event(&fresh("beside"), "thanks"));
    assert_eq!(honest.decision()["degraded"], false);
}
