//! Secrets as canaries: each is a text of its own, everything is made to happen that could show one, and then every place is searched.
//!
//! A search that could find nothing would prove nothing: each canary is found where it belongs, and arrives at the desk it is for.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::desk::{Desk, Mood};
use crate::forge::Forged;
use crate::harness::{SOON, TestHost, complaint, event, fresh, now, prepared, signalbox, until, zammad};
use crate::hostile::live;
use crate::lifecycle::send;
use crate::mailbox::Mailbox;
use crate::wire::{Request, call, standard_signature};

const DESK_KEY: &str = "canary-desk-key-b41d77c05e";
const OLD_DESK_KEY: &str = "canary-old-desk-key-90ab3f";
const ZAMMAD_KEY: &str = "canary-zammad-key-77e10c5d";
const API_TOKEN: &str = "canary-api-token-3c9d2e8f1a";
const SINK_KEY: &str = "canary-sink-key-e5f6072b4c";
const PAGER_KEY: &str = "canary-pager-key-18d2aa67";
const MAIL_PASSWORD: &str = "canary-mail-password-6b1f";
const COLLECTOR: &str = "canary-collector-token-4f2e";

/// Secrets that Standard Webhooks writes as `whsec_` and base64.
fn whsec(key: &str) -> String {
    format!("whsec_{}", STANDARD.encode(key))
}

/// Every form of a secret that somebody might print.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let whole = STANDARD.encode(bytes);
    vec![secret.to_owned(), whole.trim_end_matches('=').to_owned(), URL_SAFE_NO_PAD.encode(bytes), hex::encode(bytes), format!("{bytes:?}")]
}

/// The canaries that are somewhere in these bytes.
fn found(bytes: &[u8], canaries: &[String]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(bytes);
    canaries.iter().filter(|secret| forms(secret).iter().any(|form| text.contains(form))).cloned().collect()
}

/// Every file below a directory that the host has made: the suite's own compiled plugins are links.
fn files(dir: &Path) -> Vec<PathBuf> {
    let own = |path: &PathBuf| fs::metadata(path).is_ok_and(|about| about.nlink() == 1);
    let entries = fs::read_dir(dir).unwrap().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).filter(own).collect()
}

fn config(desk: &Desk, mailbox: &Mailbox) -> String {
    let private = "allow_private = [\"127.0.0.1\"]\nretry = { attempts = 2, base_s = 0.01, max_s = 0.02 }";
    format!(
        r#"
[log]
filter = "trace"
[sources.desk]
preset = "generic"
secrets = ["file:desk.secret", "env:CANARY_OLD_DESK"]
[sources.zammad]
preset = "zammad"
secrets = ["file:zammad.secret"]
answer = "decision"
[sources.zammad.outbound]
base = "{back}"
secret = "file:api.secret"
{private}
[sources.demo]
preset = "demo"
[sinks.audit]
url = "{sink}"
secret = "env:CANARY_SINK"
{private}
[alerts.pager]
url = "{pager}"
secret = "file:pager.secret"
{private}
[alerts.post]
smtp = "smtps://{mail}"
user = "signalbox"
secret = "file:mail.secret"
from = "desk@example.com"
to = ["oncall@example.com"]
{private}
[traces]
url = "{collector}"
authorization = "env:CANARY_COLLECTOR"
allow_private = ["127.0.0.1"]
[[steps]]
plugin = "escalate"
[[steps.config.routes]]
id = "fire"
then = {{ queue = "Desk", priority = "low", alert = {{ audience = "security", level = "high" }} }}
"#,
        back = desk.url(""),
        sink = desk.url("/sink"),
        pager = desk.url("/pager"),
        mail = mailbox.address,
        collector = desk.url("/v1/traces"),
    )
}

fn start(desk: &Desk, mailbox: &Mailbox) -> TestHost {
    let dir = prepared(Some(&config(desk, mailbox)));
    for (file, text) in [
        ("desk.secret", whsec(DESK_KEY)),
        ("zammad.secret", ZAMMAD_KEY.to_owned()),
        ("api.secret", API_TOKEN.to_owned()),
        ("pager.secret", whsec(PAGER_KEY)),
        ("mail.secret", MAIL_PASSWORD.to_owned()),
    ] {
        fs::write(dir.path().join(file), text).unwrap();
    }
    let environment =
        format!("env CANARY_OLD_DESK={} CANARY_SINK={} CANARY_COLLECTOR=Bearer-{COLLECTOR}", whsec(OLD_DESK_KEY), whsec(SINK_KEY));
    fs::write(dir.path().join("under"), environment).unwrap();
    TestHost::in_dir(dir)
}

/// A signed delivery to the source `desk`, with any of its keys or none.
fn signed(host: &TestHost, key: &str, body: String) -> u16 {
    let (id, timestamp) = (fresh("delivery"), now().to_string());
    let signature = standard_signature(key.as_bytes(), &id, &timestamp, body.as_bytes());
    let request = Request::post("/hooks/desk", body).json().header("webhook-id", &id).header("webhook-timestamp", &timestamp);
    call(host.public, &request.header("webhook-signature", &signature)).status
}

/// Everything that could show a secret: traffic, refusals, guesses, faults, an answer that repeats what it was sent, alerts that fail.
fn everything(host: &TestHost, desk: &Desk) -> String {
    let quoting: &'static str = Box::leak(format!("{{\"error\": \"you sent Token token={API_TOKEN}\"}}").into_boxed_str());
    desk.behave(move |seen| match seen.path.as_str() {
        "/sink" | "/v1/traces" => Mood::Well,
        "/pager" => Mood::Says(500, "no"),
        _ => Mood::Says(422, quoting),
    });
    live_beside(host);
    assert_eq!(signed(host, DESK_KEY, event(&fresh("e"), "hello")), 200);
    assert_eq!(signed(host, OLD_DESK_KEY, event(&fresh("e"), "hello")), 200, "the second key is taken too");
    assert_eq!(signed(host, "another", event(&fresh("e"), "hello")), 401);
    assert_eq!(signed(host, DESK_KEY, "{".to_owned()), 400);
    let body = include_bytes!("../fixtures/webhooks/zammad-ticket-default.json");
    let decided = call(host.public, &zammad("z-1", ZAMMAD_KEY, body)).decision();
    assert_eq!(call(host.public, &zammad("z-2", "wrong", body)).status, 401);
    ["l", "u", "hello"].iter().for_each(|word| drop(host.decide(word)));
    let parked = until(SOON, "a write-back that fails", || {
        host.ask("/v1/deliveries?target=sources.zammad&state=parked").json()["items"].as_array().unwrap().first().cloned()
    });
    assert!(parked["answer"].as_str().unwrap().contains("you sent [secret]"), "{parked}");
    until(SOON, "a sink that was told", || desk.effects().iter().any(|seen| seen.path == "/sink").then_some(()));
    until(SOON, "a pager that fails", || desk.calls().iter().any(|seen| seen.path == "/pager").then_some(()));
    until(SOON, "a mail that fails", || {
        let waiting = host.ask("/v1/deliveries?target=alerts.post").json();
        waiting["items"].as_array().unwrap().iter().any(|call| call["answer"].is_string()).then_some(())
    });
    until(SOON, "spans at the collector", || desk.calls().iter().any(|seen| seen.path == "/v1/traces").then_some(()));
    let made = send(
        host,
        "POST",
        "/v1/tokens",
        json!({ "name": "robot", "role": "operator" }).to_string().into_bytes(),
        &[("content-type", "application/json")],
    );
    assert_eq!(made.status, 201, "{}", made.text());
    let guess = Request::new("GET", "/v1/about").header("authorization", "Bearer wrong");
    call(host.admin, &guess).problem(401);
    send(
        host,
        "POST",
        "/v1/sources/zammad/test",
        json!({ "body": String::from_utf8_lossy(body) }).to_string().into_bytes(),
        &[("content-type", "application/json")],
    );
    assert_eq!(decided["source"], "zammad");
    token_of(&made.json())
}

/// The token that an answer shows once: its longest word.
fn token_of(made: &Value) -> String {
    let mut words: Vec<&str> = made.as_object().unwrap().values().filter_map(Value::as_str).collect();
    words.sort_by_key(|word| word.len());
    words.last().unwrap().to_string()
}

/// A step that faults and talks.
fn live_beside(host: &TestHost) {
    assert_eq!(send(host, "POST", "/v1/plugins", Forged::default().wasm(), &[("content-type", "application/wasm")]).status, 201);
    let setup = host.ask("/v1/setup").json()["setup"].clone();
    let mut changed = setup.clone();
    changed["chains"]["default"]["steps"].as_array_mut().unwrap().push(json!({ "plugin": "forged", "quarantine_after": 0 }));
    assert_eq!(crate::lifecycle::apply(host, &changed).status, 200);
}

/// What every page of the API says that can be had without knowing a name, and some that need one.
fn pages(host: &TestHost) -> Vec<(String, Vec<u8>)> {
    let about = call(host.admin, &Request::new("GET", "/openapi.json")).json();
    let known = ["/v1/plugins/forged", "/v1/chains/default", "/v1/chains/default/steps/forged/shadow"].map(str::to_owned);
    let ids = ["decisions", "deliveries", "generations"].into_iter().filter_map(|kind| {
        let first = host.ask(&format!("/v1/{kind}?limit=1")).json()["items"][0].clone();
        let id = first["id"].as_str().or(first["decision"]["id"].as_str()).or(first["generation"].as_str())?.to_owned();
        Some(format!("/v1/{kind}/{id}"))
    });
    let listed = about["paths"].as_object().unwrap().iter().filter(|(path, verbs)| !path.contains('{') && verbs.get("get").is_some());
    // A stream does not end.
    let listed = listed.map(|(path, _)| if path.starts_with("/v1") { path.clone() } else { format!("/v1{path}") });
    let listed: Vec<String> = listed.filter(|path| !path.contains("/stream")).collect();
    assert!(listed.len() > 20, "{listed:?}");
    let fixed = ["/metrics", "/openapi.json", "/"].map(str::to_owned);
    let all = listed.into_iter().chain(known).chain(ids.collect::<Vec<_>>()).chain(fixed);
    all.map(|path| (path.clone(), host.ask(&path).body)).collect()
}

#[test]
fn no_secret_is_in_any_answer_log_database_backup_or_page() {
    let (desk, mailbox) = (Desk::open(), Mailbox::open());
    let mut host = start(&desk, &mailbox);
    let made = everything(&host, &desk);
    let keys = [DESK_KEY, OLD_DESK_KEY, ZAMMAD_KEY, API_TOKEN, SINK_KEY, PAGER_KEY, MAIL_PASSWORD, COLLECTOR];
    let canaries: Vec<String> = keys.iter().map(|key| (*key).to_owned()).chain([host.token(), made.clone()]).collect();

    // The search finds them where they belong, and they did what they are for.
    let belongs = ["desk.secret", "zammad.secret", "api.secret", "pager.secret", "mail.secret", "under", "data/admin.token"];
    let there: BTreeSet<String> =
        belongs.iter().flat_map(|file| found(&fs::read(host.dir.path().join(file)).unwrap(), &canaries)).collect();
    assert_eq!(there.len(), canaries.len() - 1, "all but the token that was made, which is nowhere");
    let authorized = |path: &str, word: &str| {
        let calls = desk.calls();
        calls.iter().any(|seen| seen.path.starts_with(path) && seen.header("authorization").is_some_and(|value| value.contains(word)))
    };
    assert!(authorized("/api", API_TOKEN) && authorized("/v1/traces", COLLECTOR));

    let mut places: Vec<(String, Vec<u8>)> = pages(&host);
    let data = host.data();
    let (url, token) = (format!("http://{}", host.admin), data.join("admin.token").display().to_string());
    let copy = host.dir.path().join("copy.db").display().to_string();
    let configured = host.dir.path().join("signalbox.toml").display().to_string();
    for command in [
        &["backup", &copy, "--data", data.to_str().unwrap()][..],
        &["doctor", "--data", data.to_str().unwrap()],
        &["chain", "export", "--url", &url, "--token-file", &token],
        &["audit", "--url", &url, "--token-file", &token],
        &["delivery", "list", "--url", &url, "--token-file", &token],
        &["token", "list", "--url", &url, "--token-file", &token],
        &["check", "--config", &configured],
    ] {
        let output = signalbox(command);
        places.push((command.join(" "), [output.stdout.clone(), complaint(&output).into_bytes()].concat()));
    }
    places.push(("the backup".to_owned(), fs::read(&copy).unwrap()));
    host.restart();
    places.push(("the log".to_owned(), host.log().into_bytes()));
    places.push(("the welcome".to_owned(), host.welcome.clone().into_bytes()));
    for file in files(&data).into_iter().filter(|file| !file.ends_with("admin.token")) {
        places.push((file.display().to_string(), fs::read(file).unwrap()));
    }
    assert!(places.iter().any(|(place, bytes)| place.ends_with("signalbox.db") && bytes.len() > 10_000) && host.log().len() > 1_000);
    let shown: Vec<(String, BTreeSet<String>)> =
        places.iter().map(|(place, bytes)| (place.clone(), found(bytes, &canaries))).filter(|(_, found)| !found.is_empty()).collect();
    assert!(shown.is_empty(), "{shown:?}");
    assert!(call(host.admin, &Request::new("GET", "/v1/about").header("authorization", &format!("Bearer {made}"))).status == 200);
}

#[test]
fn a_config_that_is_wrong_is_told_without_its_secrets() {
    for wrong in [
        format!("[sources.desk]\npreset = \"generic\"\nsecrets = [\"{DESK_KEY}\"]\n"),
        format!("[sources.desk]\npreset = \"generic\"\nsecret = \"{DESK_KEY}\"\n"),
        format!("[sinks.audit]\nurl = \"https://signalbox:{DESK_KEY}@a.example\"\nsecret = \"file:desk.secret\"\n"),
        format!("[alerts.post]\nsmtp = \"smtps://signalbox:{DESK_KEY}@mail.example\"\nfrom = \"a@example.com\"\n"),
        format!("[traces]\nurl = \"https://a.example\"\nauthorization = \"Bearer {DESK_KEY}\"\n"),
    ] {
        let said = crate::harness::refused(&wrong);
        assert!(found(said.as_bytes(), &[DESK_KEY.to_owned()]).is_empty(), "{wrong}: {said}");
    }
}

#[test]
fn a_plugin_is_given_no_secret() {
    let (desk, mailbox) = (Desk::open(), Mailbox::open());
    let host = start(&desk, &mailbox);
    live(&host, &Forged::default(), &json!({ "config": { "note": "what an admin writes here is shown to plugins and admins alike" } }));
    let keys = [DESK_KEY, OLD_DESK_KEY, ZAMMAD_KEY, API_TOKEN, SINK_KEY, PAGER_KEY, MAIL_PASSWORD, COLLECTOR];
    let canaries: Vec<String> = keys.map(str::to_owned).to_vec();
    // The environment of the process that compiles is empty, and so is a guest's; what a guest can know is its event and its config.
    let decision = host.decide("hello");
    assert_eq!(decision["trace"][1]["outcome"], "ran");
    for artefact in files(&host.data().join("artefacts")) {
        assert!(found(&fs::read(&artefact).unwrap(), &canaries).is_empty(), "{}", artefact.display());
    }
}
