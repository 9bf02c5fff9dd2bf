//! A plugin that misbehaves, in the chain of a real host: every fault is an outcome with a name, and nobody else notices.
//!
//! The guest does what the first word of the event's text says; `tests/guests/misbehave` lists the words. It stands third of
//! four, so that every decision also shows the steps before and after it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signalbox::config::{Isolation, Limits};
use signalbox::decision::Outcome;
use signalbox::event::{Event, Timestamp};
use signalbox::plugin::{Sandbox, Subject};
use signalbox::verdict::SoFar;

use crate::harness::{SOURCES, TestHost, event, fresh, now, outage, refused, steps};

/// The step of the misbehaving plugin, counted from 0.
const BAD: usize = 2;

fn step(decision: &Value) -> &Value {
    &decision["trace"][BAD]
}

/// A text that the bundled rules have much to say about, after a word for the guest.
fn told(word: &str) -> String {
    format!("{word} @acme the VPN has been down since 9am and nobody in the office can work. Unacceptable!")
}

/// What the decision says apart from which step said it when: all that may be compared between two hosts.
fn settled(decision: &Value) -> Value {
    let mut settled = decision.clone();
    let object = settled.as_object_mut().unwrap();
    for own in ["id", "event_id", "generation", "decided", "degraded", "trace", "source"] {
        object.remove(own);
    }
    settled
}

/// The bundled steps' own trace, without what may differ from run to run.
fn honest_steps(decision: &Value) -> Vec<Value> {
    let mut entries = decision["trace"].as_array().unwrap().clone();
    entries.retain(|entry| entry["plugin"] != "misbehave");
    for entry in &mut entries {
        let entry = entry.as_object_mut().unwrap();
        entry.remove("micros");
        entry.remove("step");
    }
    entries
}

#[test]
fn every_fault_has_its_name_and_leaves_the_others_alone() {
    let host = TestHost::with_misbehave("");
    let bundled = TestHost::with_config(SOURCES);
    let faults = [
        ("spin", "out_of_fuel", "50000000 units of fuel"),
        ("recurse", "stack_overflow", "recursed past its stack"),
        ("many", "output_too_large", "more than 1024 KiB"),
        ("trap", "trapped", "unreachable"),
        ("divide", "trapped", "unreachable"),
        ("ask", "too_many_calls", "more than 1000 calls to the host"),
        ("amplify", "output_too_large", "more than 1024 KiB"),
        ("fail", "failed", "told to fail"),
        ("transient", "failed", "told to wait"),
    ];
    for (word, outcome, detail) in faults {
        // The same event for both hosts: a decision names the earlier ones that it resembles.
        let event = event(&fresh("event"), &told(word));
        let start = Instant::now();
        let decision = host.post(event.as_str()).decision();
        let took = start.elapsed();
        let bad = step(&decision);
        assert_eq!((bad["plugin"].as_str(), bad["outcome"].as_str()), (Some("misbehave"), Some(outcome)), "{word}: {bad}");
        assert!(bad["detail"].as_str().unwrap().contains(detail), "{word}: {bad}");
        assert_eq!(decision["degraded"], true, "{word}");
        assert_eq!(bad["set"], Value::Null, "{word}: nothing of a faulty step is taken");
        assert!(took < Duration::from_secs(5), "{word} took {took:?}");

        let alone = bundled.post(event.as_str()).decision();
        assert_eq!(settled(&decision), settled(&alone), "{word}: decided as if the step were not there");
        assert_eq!(honest_steps(&decision), honest_steps(&alone), "{word}: the others ran as ever, fuel included");
        assert_eq!(alone["degraded"], false);

        let next = host.decide("an honest event right after it");
        assert_eq!(
            (&next["degraded"], &step(&next)["outcome"], &next["tags"]["add"]),
            (&json!(false), &json!("ran"), &json!(["honest"])),
            "{word}"
        );
    }
    let degraded = host.pages("degraded=true", 200);
    assert_eq!(degraded.len(), faults.len(), "the journal knows which decisions were made without a step");
    assert!(!host.log().contains("panicked"), "{}", host.log());
}

#[test]
fn what_a_plugin_may_say_is_taken() {
    let host = TestHost::with_misbehave("");
    let honest = host.decide("an honest event");
    assert_eq!((&step(&honest)["outcome"], &honest["tags"]["add"]), (&json!("ran"), &json!(["honest"])));
    let change = &step(&honest)["set"][0];
    assert_eq!((&change["field"], &change["to"], &change["reason"]), (&json!("/tags/add"), &json!("honest"), &json!("told to")));

    let passed = host.decide("pass on this");
    assert_eq!((step(&passed)["outcome"].as_str(), step(&passed)["detail"].as_str()), (Some("not_applicable"), Some("told to pass")));
    assert_eq!(passed["degraded"], false, "to have nothing to say is no fault");

    let normal = host.decide("normal ｏｕｔ\u{ad}ａｇｅ\u{200b}");
    assert_eq!(normal["notes"], json!(["normal outage"]), "the text without tricks");

    let before = now() * 1_000;
    let clock = host.decide("clock");
    let tag = clock["tags"]["add"][0].as_str().unwrap().trim_start_matches("now-").parse::<u64>().unwrap();
    assert!((before..=now() * 1_000 + 999).contains(&tag), "the host's clock, once per event: {tag}");

    let event = json!({
        "id": fresh("who"), "text": "who", "author": { "handle": "@ann" }, "ticket": { "id": "81" }, "attachments": [{ "media_type": "image/png" }],
        "attributes": [{ "key": "likes", "value": { "type": "integer", "value": 42 } }], "permalink": "https://social.example/1", "parent_id": "p0",
    });
    let who = host.post(event.to_string()).decision();
    let said = "@ann|81|image/png|likes|Some(AttributeValue::Integer(42))|Some(\"https://social.example/1\")|Some(\"p0\")";
    assert_eq!(who["notes"], json!([said]), "the facts of the event, for whoever asks");
    assert_eq!(host.decide("who")["notes"], json!(["||||None|None|None"]), "and what is not said is absent");

    let logged = host.decide("log");
    assert_eq!(step(&logged)["log"], json!([{ "severity": "info", "message": "an honest line" }]));
    assert_eq!(step(&logged).get("log_dropped"), None);
}

#[test]
fn what_is_too_much_is_cut_and_counted() {
    let host = TestHost::with_misbehave("");
    let grown = host.decide("grow");
    assert_eq!((&step(&grown)["outcome"], &grown["degraded"]), (&json!("ran"), &json!(false)), "a polite guest does with less");
    let memory = step(&grown)["memory_bytes"].as_u64().unwrap();
    assert!((32 << 20..=64 << 20).contains(&memory), "{memory}");

    let chatter = host.decide("chatter");
    let (kept, dropped) = (step(&chatter)["log"].as_array().unwrap(), step(&chatter)["log_dropped"].as_u64().unwrap());
    let bytes: usize = kept.iter().map(|line| line["message"].as_str().unwrap().len()).sum();
    assert_eq!((kept.len() as u64 + dropped, step(&chatter)["outcome"].as_str()), (500, Some("ran")));
    assert!((1..=32).contains(&kept.len()) && bytes <= 8_192, "{} lines, {bytes} bytes", kept.len());
}

#[test]
fn of_ten_thousand_proposals_the_first_are_taken_and_the_rest_counted() {
    let host = TestHost::with_config(&format!("[limits]\noutput_bytes = 8388608\n{SOURCES}[[steps]]\nfile = \"misbehave.wasm\"\n"));
    let many = host.decide("many")["trace"][0].clone();
    assert_eq!((many["outcome"].as_str(), many["set"].as_array().map(Vec::len)), (Some("ran"), Some(64)), "{}", many["detail"]);
    assert_eq!(many["dropped"], json!([{ "effect": "any", "reason": "9936 proposals past the 64 of one verdict" }]));
}

#[test]
fn what_a_plugin_must_not_propose_is_dropped_with_the_law_that_drops_it() {
    let host = TestHost::with_misbehave("");
    let dropped = |word: &str| {
        let decision = host.decide(&told(word));
        assert_eq!((&step(&decision)["outcome"], &decision["degraded"]), (&json!("ran"), &json!(false)), "{word}");
        let dropped = step(&decision)["dropped"].as_array().unwrap().clone();
        let pairs: Vec<_> =
            dropped.iter().map(|one| (one["effect"].as_str().unwrap().to_owned(), one["reason"].as_str().unwrap().to_owned())).collect();
        (decision, pairs)
    };
    let (decision, pairs) = dropped("undeclared");
    assert_eq!(decision["category"]["key"], "outage", "not `sneaky`");
    assert!(matches!(pairs.as_slice(), [(effect, reason)] if effect == "categorize" && reason.contains("did not declare")), "{pairs:?}");

    let (decision, pairs) = dropped("odd-scores");
    assert_eq!(
        (&decision["sentiment"]["label"], decision["tags"]["add"].as_array().unwrap().contains(&json!("sure"))),
        (&json!("very_negative"), false)
    );
    let [(score, nan), (tag, seven)] = pairs.as_slice() else { panic!("{pairs:?}") };
    assert!(score == "flag-sentiment" && nan.contains("NaN") && tag == "tag" && seven.contains('7'), "{pairs:?}");

    let (decision, pairs) = dropped("stop");
    assert_eq!((decision.get("stopped_by"), &decision["trace"][3]["outcome"]), (None, &json!("ran")));
    assert!(matches!(pairs.as_slice(), [(effect, reason)] if effect == "stop" && reason.contains("grant `stop`")), "{pairs:?}");

    let (decision, pairs) = dropped("reach-out");
    let reply = &decision["replies"][0];
    assert_eq!((&reply["auto"], reply["approval"] != "none", &reply["body"]), (&json!(false), true, &json!("hello")));
    assert_eq!(decision["moderation"], json!({ "action": "delete", "needs_approval": true }));
    assert!(pairs.iter().any(|(effect, reason)| effect == "draft-reply" && reason.contains("grant `auto-reply`")), "{pairs:?}");
}

#[test]
fn what_the_admin_grants_is_done() {
    let host = TestHost::with_misbehave(r#"grants = ["stop", "auto-reply", "moderate:delete"]"#);
    let stopped = host.decide(&told("stop"));
    assert_eq!((&stopped["stopped_by"], &stopped["degraded"]), (&json!("misbehave"), &json!(false)));
    let last = &stopped["trace"][3];
    assert_eq!((last["plugin"].as_str(), last["outcome"].as_str(), last["fuel"].as_u64()), (Some("escalate"), Some("skipped"), Some(0)));
    assert!(last["detail"].as_str().unwrap().contains("stopped the chain"));
    assert_eq!((stopped.get("assignment"), stopped["escalation"]["level"].as_u64()), (None, Some(0)), "the skipped step decided nothing");
    assert_eq!(stopped["category"]["key"], "outage", "what came before stays");

    let reached = host.decide(&told("reach-out"));
    assert_eq!((&reached["replies"][0]["auto"], &reached["replies"][0]["approval"]), (&json!(true), &json!("none")));
    assert_eq!(reached["moderation"], json!({ "action": "delete", "needs_approval": false }));
    assert_eq!(step(&reached).get("dropped"), None);
    let grants = host.ask("/v1/chains/default").json()["steps"][BAD]["grants"].clone();
    assert_eq!(grants, json!(["stop", "auto-reply", "moderate:delete"]), "the admin sees what is granted");
}

#[test]
fn one_grant_is_not_another() {
    let host = TestHost::with_misbehave(r#"grants = ["moderate:hide", "lower"]"#);
    let reached = host.decide(&told("reach-out"));
    assert_eq!((&reached["replies"][0]["auto"], &reached["moderation"]["needs_approval"]), (&json!(false), &json!(true)));
    assert_eq!(host.decide(&told("stop")).get("stopped_by"), None);
}

#[test]
fn every_event_finds_the_plugin_as_it_was_configured() {
    let host = TestHost::with_misbehave("config = { table = 5000 }");
    let tags: Vec<Value> = (0..40).map(|_| host.decide("remember")["tags"]["add"].clone()).collect();
    assert!(tags.iter().all(|tag| *tag == tags[0] && tag[0].as_str().unwrap().starts_with("seen-")), "{tags:?}");
    host.decide("hoard");
    assert_eq!(host.decide("remember")["tags"]["add"], tags[0], "not even after a fault");
    assert_eq!(host.decide("lookup")["tags"]["add"], json!(["row-4999"]), "what `configure` built is there");
    assert_eq!(host.ask("/v1/chains/default").json()["steps"][BAD]["starts_from"], "snapshot");
}

#[test]
fn the_same_event_costs_the_same_everywhere() {
    let hosts = [TestHost::with_misbehave(""), TestHost::with_misbehave("")];
    let fuel = |host: &TestHost| -> Vec<(Value, Value)> {
        let texts = ["honest", "spin", "recurse", "ask", "normal a b c", "remember"].map(told);
        let decisions = texts.iter().map(|text| host.decide(text)).chain([host.post(outage(&fresh("cost")).to_string()).decision()]);
        decisions
            .flat_map(|decision| decision["trace"].as_array().unwrap().clone())
            .map(|entry| (entry["fuel"].clone(), entry["set"].clone()))
            .collect()
    };
    let [one, other] = hosts.each_ref().map(fuel);
    assert_eq!(one, other);
    assert!(one.iter().all(|(fuel, _)| fuel.as_u64().unwrap() > 0));
    assert_eq!(fuel(&hosts[0]), one, "and when it is warm");
    let generation = |host: &TestHost| host.ask("/v1/about").json()["generation"].clone();
    assert_eq!(generation(&hosts[0]), generation(&hosts[1]), "the same plugins, configs and order have the same name");
}

#[test]
fn faults_do_not_slow_the_neighbours_down() {
    let host = TestHost::with_misbehave("");
    std::thread::scope(|scope| {
        let faulty = scope.spawn(|| (0..30).for_each(|_| assert_eq!(step(&host.decide("spin"))["outcome"], "out_of_fuel")));
        let mut slowest = Duration::ZERO;
        let mut answered = 0;
        while !faulty.is_finished() {
            let start = Instant::now();
            assert_eq!(host.post(event(&fresh("neighbour"), "hello")).decision()["degraded"], false);
            slowest = slowest.max(start.elapsed());
            answered += 1;
        }
        assert!(answered > 30 && slowest < Duration::from_secs(2), "{answered} neighbours, the slowest took {slowest:?}");
    });
}

#[test]
fn faults_leave_no_memory_behind() {
    let host = TestHost::with_misbehave("");
    let round = || ["spin", "hoard", "recurse", "amplify", "trap", "grow", "many"].iter().for_each(|word| drop(host.decide(word)));
    (0..3).for_each(|_| round());
    let before = host.rss();
    (0..12).for_each(|_| round());
    let after = host.rss();
    assert!(after < before + (48 << 20), "{before} bytes before, {after} after");
}

#[test]
fn a_plugin_that_cannot_be_configured_keeps_the_host_from_starting() {
    let alone = |config: &str| {
        // Less fuel and time than the default, so that the test ends sooner; the step stands alone, so that nothing else is made anew.
        let limits = "[limits]\nactivation_fuel = 100000000\nactivation_cpu_s = 20\n";
        format!("{SOURCES}{limits}[[steps]]\nfile = \"misbehave.wasm\"\nconfig = {config}\n")
    };
    for (config, words) in [
        (r#"{ configure = "spin" }"#, "`configure` ended as out_of_fuel"),
        (r#"{ configure = "trap" }"#, "`configure` ended as trapped"),
        (r#"{ configure = "hoard" }"#, "`configure` ended as out_of_memory"),
        // Which of its two stacks is spent first depends on the compiler.
        (r#"{ configure = "recurse" }"#, "`configure` ended as "),
        (r#"{ configure = "ask" }"#, "`configure` ended as denied"),
        (r#"{ configure = "refuse" }"#, "config/configure: refuses because it was told to"),
        (r#"{ configure = 7 }"#, "config/configure: 7 is not of type \"string\""),
    ] {
        let said = refused(&alone(config));
        assert!(said.contains("step `misbehave.wasm`") && said.contains(words), "{config}: {said}");
        assert_eq!(said.matches(words).count(), 1, "{config} is told twice: {said}");
    }
    let said = refused(&steps("config = { configure = \"refuse\" }"));
    assert!(said.contains("config/configure: refuses because it was told to"), "{said}");
}

#[test]
fn a_step_that_may_reuse_its_instance_does_so_until_a_fault() {
    let host = TestHost::with_misbehave("isolation = \"reuse\"");
    let seen = || {
        let tag = host.decide("remember")["tags"]["add"][0].as_str().unwrap().to_owned();
        tag.trim_start_matches("seen-").parse::<u64>().unwrap()
    };
    let first = seen();
    assert_eq!([seen(), seen()], [first + 1, first + 2], "one instance, one event after the other");
    assert_eq!(step(&host.decide("trap"))["outcome"], "trapped");
    assert_eq!(seen(), first, "an instance that faulted is never entered again");
}

#[test]
fn a_plugin_that_cannot_be_snapshotted_is_configured_for_every_event() {
    // A component inside that holds a module: nobody instantiates it, but wizer does not go past it.
    let inner = wat::parse_str("(component (core module))").unwrap();
    let mut bytes = signalbox_test_guests::MISBEHAVE.to_vec();
    bytes.extend([4, u8::try_from(inner.len()).unwrap()]);
    bytes.extend(inner);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("nested.wasm");
    std::fs::write(&file, bytes).unwrap();
    let host = TestHost::with_config(&format!("{SOURCES}[[steps]]\nfile = \"{}\"\nconfig = {{ table = 5000 }}\n", file.display()));
    let starts = host.ask("/v1/chains/default").json()["steps"][0]["starts_from"].to_string();
    assert!(starts.contains("configure in every instance: nested components with modules"), "{starts}");
    assert_eq!(host.decide("lookup")["tags"]["add"], json!(["row-4999"]), "what `configure` built is there");
    assert_eq!([0, 1].map(|_| host.decide("remember")["tags"]["add"].clone()), [json!(["seen-0"]), json!(["seen-0"])]);
}

#[test]
fn a_config_past_its_limit_is_not_even_read() {
    let config = "config = { configure = \"spin and spin\" }";
    let said = refused(&format!("[limits]\nconfig_bytes = 20\n{SOURCES}[[steps]]\nfile = \"misbehave.wasm\"\n{config}\n"));
    assert!(said.contains("the config has 29 bytes; at most 20 are taken (limit `config_bytes`)"), "{said}");
}

#[test]
fn a_plugin_that_fills_its_memory_while_configuring_still_starts() {
    let host = TestHost::with_config(&format!("{SOURCES}[[steps]]\nfile = \"misbehave.wasm\"\nconfig = {{ configure = \"grow\" }}\n"));
    let step = &host.decide("honest")["trace"][0];
    assert!(step["memory_bytes"].as_u64() <= Some(64 << 20), "{step}");
}

#[test]
fn smaller_budgets_are_kept_too() {
    let limits = "[limits]\nfuel = 20000000\nmemory_bytes = 4194304\nhost_calls = 10\nlog_lines = 3\noutput_bytes = 65536\n";
    let host = TestHost::with_config(&format!("{limits}{SOURCES}[[steps]]\nfile = \"misbehave.wasm\"\n"));
    let only = |word: &str| host.decide(word)["trace"][0].clone();
    assert_eq!(only("spin")["fuel"], 20_000_000);
    let hoard = only("hoard");
    assert_eq!((&hoard["outcome"], &hoard["detail"]), (&json!("out_of_memory"), &json!("asked for more than its 4 MiB of memory")));
    assert!(only("grow")["memory_bytes"].as_u64() <= Some(4 << 20));
    assert_eq!(only("ask")["detail"], "more than 10 calls to the host");
    assert_eq!(only("chatter")["outcome"], "too_many_calls");
    assert_eq!(only("chatter")["log"].as_array().unwrap().len(), 3);
    assert_eq!(only("many")["outcome"], "output_too_large");
    assert_eq!(only("honest")["outcome"], "ran");
}

#[test]
fn one_plugin_with_one_config_is_in_memory_once() {
    let cache = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let sandbox = Sandbox::start(&limits, env!("CARGO_BIN_EXE_signalbox").into(), cache.path().to_owned()).unwrap();
    let load = |rows: u32, isolation| {
        let config = json!({ "table": rows });
        sandbox.load(signalbox_test_guests::MISBEHAVE, Some(&config), &limits, isolation).unwrap()
    };
    let (first, second, other) = (load(1, Isolation::Fresh), load(1, Isolation::Reuse), load(2, Isolation::Fresh));
    assert!(first.shares(&second), "two chains, one image");
    assert!(!first.shares(&other), "another config is another image");
}

#[test]
fn a_plugin_larger_than_those_before_it_gets_an_engine_of_its_size() {
    let cache = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let sandbox = Sandbox::start(&limits, env!("CARGO_BIN_EXE_signalbox").into(), cache.path().to_owned()).unwrap();
    let load = |rows: u32| {
        let config = json!({ "table": rows });
        sandbox.load(signalbox_test_guests::MISBEHAVE, Some(&config), &limits, Isolation::Fresh).unwrap()
    };
    let small = load(1);
    let before = sandbox.resident();
    let large = load(150_000);
    assert!(large.report().memory_bytes > before as u64, "the table is large: {}", large.report().memory_bytes);
    assert_eq!(sandbox.resident() as u64, large.report().memory_bytes);
    let event = Event::from_json(br#"{"id": "1", "text": "lookup a row"}"#).unwrap().event;
    let subject = Subject::new(Arc::new(event), Timestamp(now()));
    for plugin in [small, large] {
        assert_eq!(plugin.evaluate(&subject, &SoFar::default()).outcome, Outcome::Ran, "the old engine serves on beside the new one");
    }
}
