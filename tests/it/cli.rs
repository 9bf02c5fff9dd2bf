//! The command line: every command does what its help says, and what it refuses it refuses with one sentence and exit code 1.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{SIGNALBOX, SOURCES, complaint, directory, event, outage, repository, signalbox, steps, warm_data};

const PRESET_BODY: &str = "tests/fixtures/webhooks/zammad-ticket-default.json";

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs a command that must do what it was asked.
fn well(arguments: &[&str]) -> String {
    let output = signalbox(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", complaint(&output));
    printed(&output)
}

/// Runs a command that must refuse; gives its one sentence.
fn no(arguments: &[&str]) -> String {
    let output = signalbox(arguments);
    let said = complaint(&output);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}{}", printed(&output));
    let sentences: Vec<&str> = said.lines().filter(|line| line.starts_with("signalbox: ")).collect();
    let [sentence] = sentences.as_slice() else { panic!("{arguments:?}: not one sentence: {said}") };
    (*sentence).to_owned()
}

/// `run`, with the suite's compiled plugins.
fn run<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["run", "--data", warm_data().to_str().unwrap()], arguments].concat()
}

fn write(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let file = dir.join(name);
    fs::write(&file, bytes).unwrap();
    file.display().to_string()
}

fn path(path: PathBuf) -> String {
    path.display().to_string()
}

#[test]
fn run_prints_a_card_for_people() {
    let dir = directory();
    let card = well(&run(&[&write(dir.path(), "e.json", outage("card-1").to_string())]));
    for word in ["card-1", "VPN has been down", "category", "outage", "sentiment", "very negative", "route", "categorize", "escalate"] {
        assert!(card.contains(word), "no {word}: {card}");
    }
    assert!(!card.contains('\u{1b}'), "no colours into a pipe: {card}");
    let hostile = json!({ "id": "x", "kind": "post", "text": "\u{1b}[31mred \u{202e}gnp.exe\r\nnext" }).to_string();
    let card = well(&run(&[&write(dir.path(), "hostile.json", hostile)]));
    assert!(!card.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']), "{card:?}");
}

#[test]
fn run_prints_the_pinned_shape_for_machines() {
    let dir = directory();
    let (one, two) = (write(dir.path(), "1.json", outage("m-1").to_string()), write(dir.path(), "2.json", event("m-2", "thanks!")));
    let single: Value = serde_json::from_str(&well(&run(&["--json", &one]))).unwrap();
    assert_eq!((&single["event"]["id"], &single["decision"]["event_id"]), (&json!("m-1"), &json!("m-1")));
    assert!(single["decision"]["category"]["key"].is_string());
    assert!(single["decision"]["sentiment"]["label"].is_string() && single["decision"]["sentiment"]["score"].is_number());
    let trace = single["decision"]["trace"].as_array().unwrap();
    assert!(trace.iter().all(|step| step["plugin"].is_string() && step["outcome"] == "ran" && step["fuel"].is_u64()));

    let several: Value = serde_json::from_str(&well(&run(&["--json", &one, &two]))).unwrap();
    let ids: Vec<&Value> = several.as_array().unwrap().iter().map(|one| &one["event"]["id"]).collect();
    assert_eq!(ids, ["m-1", "m-2"], "in the order they were given");
    assert_eq!(several[0]["decision"]["category"], single["decision"]["category"]);
}

#[test]
fn run_takes_an_event_from_a_pipe() {
    let mut child = Command::new(SIGNALBOX).args(run(&["--json", "-"])).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(event("piped", "hello").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["event"]["id"], "piped");
}

#[test]
fn run_reads_a_desks_own_payload_without_any_config() {
    let body = path(repository(PRESET_BODY));
    let decided: Value = serde_json::from_str(&well(&run(&["--json", "--source", "zammad", &body]))).unwrap();
    assert_eq!((&decided["event"]["id"], &decided["event"]["ticket"]["number"]), (&json!("zammad:article:104"), &json!("10081")));
    assert!(decided["decision"]["category"]["key"].is_string());

    let dir = directory();
    let mut note: Value = serde_json::from_slice(&fs::read(repository(PRESET_BODY)).unwrap()).unwrap();
    note["article"]["internal"] = json!(true);
    let note: Value =
        serde_json::from_str(&well(&run(&["--json", "--source", "zammad", &write(dir.path(), "note.json", note.to_string())]))).unwrap();
    assert_eq!(note, json!({ "dropped": "an internal note" }));
}

#[test]
fn run_refuses_what_the_webhook_would() {
    let dir = directory();
    let mut body: Value = serde_json::from_slice(&fs::read(repository(PRESET_BODY)).unwrap()).unwrap();
    body["article"].as_object_mut().unwrap().remove("id");
    let said = no(&run(&["--source", "zammad", &write(dir.path(), "desk.json", body.to_string())]));
    assert!(said.contains("desk.json") && said.contains("/article/id"), "{said}");
    let bad = write(dir.path(), "bad.json", r#"{"id": "b", "text": "t", "author": {"followers": "many"}}"#);
    assert!(no(&run(&[&bad])).contains("/author/followers"));
    assert!(no(&run(&[&path(dir.path().join("nothing.json"))])).contains("nothing.json"));
    let said = no(&run(&["--source", "nobody", &bad]));
    assert!(said.contains("no source `nobody`") && said.contains("zammad"), "{said}");

    // One bad file of several spoils the exit code, not the others.
    let good = write(dir.path(), "good.json", event("good", "hi"));
    let output = signalbox(&run(&["--json", &good, &bad]));
    assert_eq!(output.status.code(), Some(1));
    let both: Value = serde_json::from_str(&printed(&output)).unwrap();
    assert_eq!(both[0]["event"]["id"], "good");
    assert!(both[1]["error"].as_str().unwrap().contains("/author/followers"), "{both}");
}

#[test]
fn run_decides_as_the_webhook_does() {
    let host = crate::harness::TestHost::start();
    let dir = directory();
    let file = write(dir.path(), "same.json", outage("same").to_string());
    // The same source too: an event's own words are part of what it costs.
    let offline: Value = serde_json::from_str(&well(&run(&["--json", "--source", "demo", &file]))).unwrap();
    let live = host.post(outage("same").to_string()).decision();
    for key in ["category", "sentiment", "assignment", "escalation", "priority", "tags", "sla", "generation", "confidence"] {
        assert!(close(&offline["decision"][key], &live[key]), "{key}: {} and {}", offline["decision"][key], live[key]);
    }
    let fuel = |decision: &Value| decision["trace"].as_array().unwrap().iter().map(|step| step["fuel"].clone()).collect::<Vec<_>>();
    assert_eq!(fuel(&offline["decision"]), fuel(&live));
}

/// Whether two values are one, but for the last digits of a number.
fn close(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => (one.as_f64().unwrap() - other.as_f64().unwrap()).abs() < 1e-6,
        (Value::Array(one), Value::Array(other)) => one.len() == other.len() && one.iter().zip(other).all(|(one, other)| close(one, other)),
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| close(value, other)))
        }
        (one, other) => one == other,
    }
}

#[test]
fn the_examples_work_as_they_stand() {
    let example = path(repository("examples/signalbox.toml"));
    let said = well(&["check", "--config", &example]);
    assert!(said.contains("fine; 1 source, 0 samples, 3 steps"), "{said}");
    let mut events: Vec<String> = fs::read_dir(repository("examples/events")).unwrap().map(|file| path(file.unwrap().path())).collect();
    events.sort();
    let decided: Value =
        serde_json::from_str(&well(&run(&[&["--json"], events.iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat())))
            .unwrap();
    for one in decided.as_array().unwrap() {
        assert_ne!(one["decision"]["category"]["key"], "other", "an example shows something: {}", one["event"]["id"]);
        assert_eq!(one["decision"]["degraded"], false);
    }
}

#[test]
fn check_names_the_line_the_key_and_the_remedy() {
    let dir = directory();
    fs::write(dir.path().join("desk.secret"), "whsec_c2VjcmV0").unwrap();
    fs::write(dir.path().join("zammad.secret"), "secret").unwrap();
    fs::write(dir.path().join("misbehave.wasm"), signalbox_test_guests::MISBEHAVE).unwrap();
    fs::write(dir.path().join("broken.wasm"), "no wasm").unwrap();
    let file = path(dir.path().join("c.toml"));
    let check = |config: &str| {
        fs::write(&file, config).unwrap();
        no(&["check", "--config", &file])
    };
    for (config, line, words) in [
        ("[server]\nlistn = \"127.0.0.1:1\"\n", "line 2", "`listn`"),
        ("[server]\nlisten = \"8640\"\n", "line 2", "`server.listen` is `8640`"),
        ("[server]\nadmin_listen = \"0.0.0.0:8641\"\n", "line 2", "the admin API has no TLS of its own"),
        ("[limits]\nfuel = 0\n", "line 2", "`limits.fuel` is 0"),
        ("[limits]\nmemory_bytes = 1000\n", "line 2", "65536"),
        ("[sources.a]\npreset = \"zamad\"\n", "line 1", "no preset `zamad`; there are generic, demo"),
        ("[sources.a]\npreset = \"zammad\"\n", "line 1", "has no secret"),
        ("[sources.a]\npreset = \"zammad\"\nsecrets = [\"file:none\"]\n", "line 1", "none"),
        ("\n[[steps]]\nplugin = \"categorise\"\n", "no plugin `categorise`", "there are categorize@"),
        ("[[steps]]\nplugin = \"sentiment\"\ngrants = [\"everything\"]\n", "line 3", "`everything` is not a grant; grants are lower"),
        ("[[steps]]\nfile = \"none.wasm\"\n", "step `none.wasm`", "cannot read"),
        ("[[steps]]\nfile = \"broken.wasm\"\n", "step `broken.wasm`", "not wasm"),
        (
            "[[steps]]\nfile = \"misbehave.wasm\"\nconfig = { configure = \"refuse\" }\n",
            "step `misbehave.wasm`",
            "config/configure: refuses",
        ),
    ] {
        let said = check(config);
        assert!(said.contains(line) && said.contains(words), "{config:?}: {said}");
    }
    assert!(no(&["check", "--config", &path(dir.path().join("nowhere.toml"))]).contains("nowhere.toml"));
    fs::write(&file, format!("{SOURCES}[[steps]]\nfile = \"misbehave.wasm\"\n")).unwrap();
    let said = well(&["check", "--config", &file]);
    assert!(said.contains("fine; 4 sources, 0 samples, 1 step,"), "{said}");
}

#[test]
fn the_schemas_say_what_the_host_reads_and_writes() {
    let schema = |subject: &str| serde_json::from_str::<Value>(&well(&["schema", subject])).unwrap();
    for (subject, properties) in [
        ("event", ["id", "text", "author", "network", "ticket"]),
        ("verdict", ["proposals", "flow", "proposals", "flow", "proposals"]),
        ("decision", ["id", "category", "sentiment", "escalation", "trace"]),
        ("config", ["server", "limits", "log", "sources", "steps"]),
    ] {
        let schema = schema(subject);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        for property in properties {
            assert!(schema["properties"][property].is_object(), "{subject}: {property}");
        }
    }
    let valid = |subject: &str, value: &Value| {
        let schema = schema(subject);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let faults: Vec<String> = validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        faults
    };
    let dir = directory();
    let config = write(dir.path(), "c.toml", steps("grants = [\"stop\", \"auto-reply\"]"));
    for (name, bytes) in [("desk.secret", "whsec_c2VjcmV0"), ("zammad.secret", "secret")] {
        write(dir.path(), name, bytes);
    }
    write(dir.path(), "misbehave.wasm", signalbox_test_guests::MISBEHAVE);
    for text in ["the VPN is down", "reach-out", "many", "chatter", "trap", "stop", "odd-scores"] {
        let file = write(dir.path(), "e.json", json!({ "id": "s", "text": text, "rating": 0.2, "ticket": { "id": "T" } }).to_string());
        let decided: Value = serde_json::from_str(&well(&run(&["--json", "--config", &config, &file]))).unwrap();
        assert_eq!(valid("event", &decided["event"]), Vec::<String>::new(), "{text}");
        assert_eq!(valid("decision", &decided["decision"]), Vec::<String>::new(), "{text}");
    }
    assert_eq!(valid("event", &serde_json::from_str(&event("e", "t")).unwrap()), Vec::<String>::new());
    assert_ne!(valid("event", &json!({ "id": 7, "text": "t" })), Vec::<String>::new());
    assert_ne!(valid("decision", &json!({ "id": "d" })), Vec::<String>::new());
    let example: toml::Value = toml::from_str(&fs::read_to_string(repository("examples/signalbox.toml")).unwrap()).unwrap();
    assert_eq!(valid("config", &serde_json::to_value(example).unwrap()), Vec::<String>::new());
    assert_ne!(valid("config", &json!({ "server": { "listn": "x" } })), Vec::<String>::new());
}

#[test]
fn help_names_every_command_and_usage_errors_are_two() {
    let help = well(&["--help"]);
    for command in ["serve", "run", "check", "plugin", "token", "audit", "source", "signature", "eval", "schema", "completions"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
        well(&[command, "--help"]);
    }
    assert!(!help.contains("activate"), "the child is nobody's command");
    assert!(well(&["--version"]).starts_with("signalbox "));
    for wrong in [
        &["--nope"][..],
        &["nope"],
        &["run"],
        &["check"],
        &["schema", "everything"],
        &["plugin"],
        &["plugin", "check"],
        &["source", "test"],
        &["source", "test", "zammad", "--save", "sample"],
        &["completions"],
        &["run", "--headers", "h", "e"],
    ] {
        let output = signalbox(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", complaint(&output));
        assert!(complaint(&output).contains("Usage") || complaint(&output).contains("possible values"), "{wrong:?}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = well(&["completions", shell]);
        assert!(script.contains("signalbox") && script.contains("schema"), "{shell}");
    }
}

#[test]
fn the_bundled_plugins_pass_the_gate_and_show_what_they_are() {
    let dir = directory();
    for bundled in &signalbox_bundle::PLUGINS {
        let file = write(dir.path(), &format!("{}.wasm", bundled.name), bundled.wasm);
        let said = well(&["plugin", "check", &file]);
        assert!(said.contains(&format!("{} ", bundled.name)) && said.contains("passes the gate") && !said.contains("FAIL"), "{said}");
        assert!(said.lines().filter(|line| line.starts_with("  ok ")).count() >= 2, "{said}");
    }
    let said = well(&["plugin", "inspect", &path(dir.path().join("categorize.wasm"))]);
    for words in [
        "categorize ",
        "digest",
        "KiB in ",
        "categorize, ",
        "isolation   fresh for every event, from a snapshot",
        "per event",
        " us ",
        " fuel (",
    ] {
        assert!(said.contains(words), "no {words}: {said}");
    }
    let misbehave = write(dir.path(), "misbehave.wasm", signalbox_test_guests::MISBEHAVE);
    let said = well(&["plugin", "inspect", &misbehave]);
    for words in ["write bounded log lines", "the event's text with tricks removed", "read the host's clock"] {
        assert!(said.contains(words), "no {words}: {said}");
    }
    let broken = signalbox(&["plugin", "check", &misbehave]);
    assert_eq!(broken.status.code(), Some(1), "an example that does not hold fails the gate");
    assert!(printed(&broken).contains("FAIL  a promise it does not keep: expected no `tag`, got one"), "{}", printed(&broken));
    let config = write(dir.path(), "config.json", r#"{"configure": "refuse"}"#);
    assert!(no(&["plugin", "check", &misbehave, "--config", &config]).contains("config/configure: refuses"));
}

#[test]
fn what_is_no_plugin_is_refused_with_the_remedy() {
    let dir = directory();
    let wat = |text: &str| wat::parse_str(text).unwrap();
    let whole = signalbox_bundle::PLUGINS[0].wasm;
    let exports = |track: &str| {
        let export = |name: &str| format!("(export \"signalbox:rules/{name}@{track}\" (instance $i))");
        format!("(component (component $c) (instance $i (instantiate $c)) {} {})", export("metadata"), export("rule"))
    };
    let mut noise = whole.to_vec();
    noise.iter_mut().skip(whole.len() / 2).step_by(97).for_each(|byte| *byte ^= 0x5a);
    let resource = "(import \"signalbox:rules/facts@0.1.0\" (instance (export \"author\" (type (sub resource)))))";
    let cases: [(&str, Vec<u8>, &str); 16] = [
        ("empty.wasm", Vec::new(), "the upload is empty"),
        ("text.wasm", b"hello, I am a plugin".to_vec(), "not wasm"),
        ("truncated.wasm", whole[..whole.len() / 2].to_vec(), "broken at byte"),
        ("noise.wasm", noise, ""),
        ("core.wasm", wat("(module)"), "a core module without a rule in it"),
        ("source.wat", b"(component)".to_vec(), "the text format"),
        ("gzip.wasm", vec![0x1f, 0x8b, 8, 0], "compressed with gzip"),
        ("native.wasm", fs::read(SIGNALBOX).unwrap()[..4096].to_vec(), "native code"),
        ("wasi.wasm", wat("(component (import \"wasi:cli/environment@0.2.0\" (instance)))"), "plugins have no WASI"),
        ("http.wasm", wat("(component (import \"signalbox:rules/http@0.1.0\" (instance)))"), "http is refused for plugins"),
        ("newer.wasm", wat(&exports("0.2.0")), "version 0.2.0"),
        ("older.wasm", wat(&exports("0.0.9")), "version 0.0.9"),
        ("later.wasm", wat(&exports("1.0.0")), "version 1.0.0"),
        (
            "resource.wasm",
            wat(&exports("0.1.0").replace("(component (component $c)", &format!("(component {resource} (component $c)"))),
            "",
        ),
        ("hollow.wasm", wat("(component)"), "does not export `signalbox:rules/metadata`"),
        ("shell.wasm", wat(&exports("0.1.0")), ""),
    ];
    for (name, bytes, words) in cases {
        let file = write(dir.path(), name, bytes);
        for command in ["check", "inspect"] {
            let said = no(&["plugin", command, &file]);
            assert!(said.contains(name) && said.contains(words) && said.len() < 600, "{name}: {said}");
        }
    }
    assert!(no(&["plugin", "check", &path(dir.path().join("none.wasm"))]).contains("none.wasm"));
}
