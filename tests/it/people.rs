//! People: who may call which route, what becomes of tokens, and what the audit log says of it.
//!
//! The routes and their roles are read from the host's own document; that the document agrees with the table is tested beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::harness::{SOON, SOURCES, TestHost, complaint, directory, signalbox, until};
use crate::wire::{Answer, Request, call};

const ROLES: [&str; 4] = ["viewer", "operator", "developer", "admin"];
const VERBS: [&str; 4] = ["get", "post", "put", "delete"];
/// Far more wrong tokens than an address has free, also when some are forgiven meanwhile.
const GUESSES: usize = 200;

fn bearer(request: Request, token: &str) -> Request {
    request.header("authorization", &format!("Bearer {token}"))
}

/// One call with a token.
fn send(host: &TestHost, token: &str, verb: &str, path: &str, body: &Value) -> Answer {
    let request = Request::new(&verb.to_uppercase(), path);
    let request = if body.is_null() { request } else { request.json().body(body.to_string().into_bytes()) };
    call(host.admin, &bearer(request, token))
}

/// Makes a token with the boot token.
fn made(host: &TestHost, wanted: Value) -> Value {
    let answer = send(host, &host.token(), "post", "/v1/tokens", &wanted);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn token(host: &TestHost, role: &str) -> String {
    made(host, json!({ "name": format!("a {role}"), "role": role }))["token"].as_str().unwrap().to_owned()
}

fn document(host: &TestHost) -> Value {
    let answer = call(host.admin, &Request::new("GET", "/openapi.json"));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    answer.json()
}

/// Every operation of the document: its path, its verb, and what is said of it.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let verbs = |(path, verbs): (&String, &Value)| {
        let path = path.clone();
        verbs.as_object().unwrap().clone().into_iter().map(move |(verb, operation)| (path.clone(), verb, operation))
    };
    paths.iter().flat_map(verbs).collect()
}

/// A path with something in the place of its parameters.
fn filled(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "nothing" } else { part }).collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_admits_the_roles_it_declares_and_no_other() {
    let host = TestHost::start();
    let tokens: BTreeMap<&str, String> = ROLES.iter().map(|role| (*role, token(&host, role))).collect();
    let operations = operations(&document(&host));
    let (mut cells, mut wrong) = (0, Vec::new());
    for (path, verb, operation) in &operations {
        let least = operation["x-least-role"].as_str().unwrap();
        let place = |role: &str| ROLES.iter().position(|known| *known == role).unwrap();
        // An empty object is no body that anything takes: whoever is let in is told so, and nothing is changed.
        let body = if operation["requestBody"].is_null() { Value::Null } else { json!({}) };
        let stranger = call(host.admin, &Request::new(&verb.to_uppercase(), &filled(path)));
        stranger.problem(401);
        for (role, token) in &tokens {
            let answer = send(&host, token, verb, &filled(path), &body);
            cells += 1;
            let admitted = place(role) >= place(least);
            let fits = if admitted { ![401, 403, 405, 429].contains(&answer.status) && answer.status < 500 } else { answer.status == 403 };
            if !fits {
                wrong.push(format!("{verb} {path} as {role}: {} {}", answer.status, answer.text()));
            } else if !admitted {
                assert_eq!(answer.problem(403)["needs"], least, "{verb} {path} as {role}");
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cells} cells are not as declared:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cells >= 4 * 9, "{cells} cells");
}

#[test]
fn a_path_takes_the_methods_of_its_table_and_names_them_to_others() {
    let host = TestHost::start();
    let operations = operations(&document(&host));
    for path in operations.iter().map(|(path, ..)| path) {
        let here = |verb: &str| operations.iter().any(|(other, known, _)| other == path && known == verb);
        for verb in VERBS.into_iter().chain(["patch", "options"]).filter(|verb| !here(verb)) {
            let answer = send(&host, &host.token(), verb, &filled(path), &Value::Null);
            answer.problem(405);
            let allow = answer.header("allow").unwrap().to_lowercase();
            let allowed: BTreeSet<&str> = allow.split(", ").collect();
            assert_eq!(allowed, VERBS.into_iter().filter(|verb| here(verb)).collect(), "{path}");
        }
    }
}

#[test]
fn a_token_is_shown_once_and_kept_as_a_hash() {
    let mut host = TestHost::start();
    let made = made(&host, json!({ "name": "ann", "role": "viewer" }));
    let token = made["token"].as_str().unwrap();
    let (id, secret) = token.strip_prefix("sbx_").unwrap().split_once('_').unwrap();
    assert_eq!((made["id"].as_str(), secret.len()), (Some(id), 64));
    let whoami = send(&host, token, "get", "/v1/whoami", &Value::Null).json();
    assert_eq!(whoami, json!({ "id": id, "name": "ann", "role": "viewer", "expires": null }));
    assert_eq!(host.ask("/v1/whoami").json()["id"], "boot");

    for path in ["/v1/tokens", "/v1/audit"] {
        let said = host.ask(path).text();
        assert!(said.contains(id) && !said.contains(secret), "{path}: {said}");
    }
    let listed = host.ask("/v1/tokens").json()["items"][0].clone();
    assert_eq!((&listed["name"], &listed["role"], &listed["revoked"]), (&json!("ann"), &json!("viewer"), &Value::Null));
    assert!(listed["last_used"].is_string(), "{listed}");
    host.terminate();
    host.ended();
    let holds =
        |file: &fs::DirEntry| fs::read(file.path()).is_ok_and(|bytes| bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
    assert_eq!(fs::read_dir(host.data()).unwrap().flatten().filter(holds).count(), 0);
    assert!(!host.log().contains(secret));
    host.start_again();
    assert_eq!(send(&host, token, "get", "/v1/whoami", &Value::Null).status, 200, "it outlives a restart");
}

#[test]
fn a_token_ends_when_it_expires_or_is_revoked_and_others_go_on() {
    let host = TestHost::start();
    let (brief, ann, bob) =
        (made(&host, json!({ "name": "brief", "role": "viewer", "expires_in_s": 1 })), token(&host, "viewer"), token(&host, "admin"));
    let status = |token: &str| send(&host, token, "get", "/v1/about", &Value::Null).status;
    until(SOON, "the token's end", || (status(brief["token"].as_str().unwrap()) == 401).then_some(()));
    assert_eq!((status(&ann), status(&bob)), (200, 200));
    let id = ann.split('_').nth(1).unwrap();
    for _ in 0..2 {
        assert_eq!(send(&host, &bob, "delete", &format!("/v1/tokens/{id}"), &Value::Null).status, 204);
    }
    assert_eq!((status(&ann), status(&bob)), (401, 200));
    for unknown in ["nothing", "boot", "%ff", "%00"] {
        send(&host, &bob, "delete", &format!("/v1/tokens/{unknown}"), &Value::Null).problem(404);
    }
}

/// A call that a proxy says it passes on for somebody.
fn from(host: &TestHost, address: &str, token: &str) -> Answer {
    call(host.admin, &bearer(Request::new("GET", "/v1/about"), token).header("x-forwarded-for", address))
}

#[test]
fn who_guesses_waits_and_who_calls_from_elsewhere_does_not() {
    let host = TestHost::with_config(&format!("[server]\nbehind_proxy = true\n{SOURCES}"));
    let guess = |n: usize| from(&host, "203.0.113.9", &format!("sbx_{n:012x}_{}", "0".repeat(64)));
    let waits = (0..GUESSES).map(guess).find(|answer| answer.status != 401).expect("somebody who guesses is slowed");
    assert!(waits.problem(429)["type"].as_str().unwrap().ends_with(":slow-down"));
    assert!(waits.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(from(&host, "203.0.113.10", &host.token()).status, 200, "a valid token from elsewhere");
    assert_eq!(from(&host, "203.0.113.9, 203.0.113.11", &host.token()).status, 200, "the proxy's word counts, not the caller's");
    until(SOON, "the end of the wait", || (from(&host, "203.0.113.9", &host.token()).status == 200).then_some(()));
}

#[test]
fn without_a_proxy_nobody_chooses_an_address() {
    let host = TestHost::start();
    let guess = |n: usize| from(&host, &format!("203.0.113.{}", n % 256), "wrong");
    assert!((0..GUESSES).map(guess).any(|answer| answer.status == 429));
    // Who presents nothing guesses nothing.
    call(host.admin, &Request::new("GET", "/v1/about")).problem(401);
}

#[test]
fn every_change_is_in_the_audit_log_with_who_and_why() {
    let host = TestHost::start();
    let viewer = token(&host, "viewer");
    let wanted = json!({ "name": "ci", "role": "developer" });
    let request = bearer(Request::post("/v1/tokens", wanted.to_string()).json(), &host.token());
    let answer = call(host.admin, &request.header("signalbox-why", "für den Umbau").header("signalbox-change", "CHG-17"));
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    made(&host, json!({ "name": "x", "role": "viewer", "why": "in the body", "change": "CHG-18" }));
    send(&host, &host.token(), "delete", &format!("/v1/tokens/{id}"), &Value::Null);
    send(&host, &viewer, "post", "/v1/tokens", &wanted).problem(403);
    send(&host, &viewer, "get", "/v1/tokens", &Value::Null).problem(403);

    let entries = |query: &str| host.ask(&format!("/v1/audit?{query}")).json()["items"].as_array().unwrap().clone();
    let log = entries("");
    let told: Vec<[&str; 3]> =
        log.iter().map(|entry| ["name", "action", "why"].map(|key| entry[key].as_str().unwrap_or_default())).collect();
    assert_eq!(
        told,
        [
            ["a viewer", "refused", ""],
            ["admin.token", "token.revoke", ""],
            ["admin.token", "token.create", "in the body"],
            ["admin.token", "token.create", "für den Umbau"],
            ["admin.token", "token.create", ""],
            ["config file", "setup.config", ""],
        ],
        "the latest first, and what only reads is not in it"
    );
    let created = &log[3];
    assert_eq!((&created["subject"], &created["change"], &created["token"]), (&json!(id), &json!("CHG-17"), &json!("boot")));
    assert_eq!(created["request"].as_str(), answer.header("signalbox-request-id"));
    assert!(created["before"].is_null() && created["after"].as_str().unwrap().starts_with("sha256:"), "{created}");
    assert_eq!(log[1]["before"], created["after"], "what was revoked is what was made");
    assert_eq!(log[0]["subject"], "POST /v1/tokens");
    assert_eq!((entries("change=CHG-17").len(), entries("action=token.create&limit=2").len(), entries("actor=nobody").len()), (1, 2, 0));
    for verb in ["post", "put", "delete"] {
        send(&host, &host.token(), verb, "/v1/audit", &Value::Null).problem(405);
    }
}

#[test]
fn a_bad_body_is_refused_by_its_place() {
    let host = TestHost::start();
    let post = |request: Request| call(host.admin, &bearer(request, &host.token()));
    let body = |body: &str| post(Request::post("/v1/tokens", body).json());
    for (text, pointer) in [
        (r#"{"name": "ann"}"#, ""),
        (r#"["ann", "viewer"]"#, ""),
        (r#"{"name": "ann", "role": "root"}"#, "/role"),
        (r#"{"name": "", "role": "viewer"}"#, "/name"),
        (r#"{"name": "a\u001b[31m", "role": "viewer"}"#, "/name"),
        (r#"{"name": "ann", "role": "viewer", "expires_in_s": 0}"#, "/expires_in_s"),
        (r#"{"name": "ann", "role": "viewer", "expires_in_s": 18446744073709551615}"#, "/expires_in_s"),
        (r#"{"name": "ann", "role": "viewer", "token": "mine"}"#, "/token"),
        (r#"{"name": "ann", "role": "viewer", "why": "\n"}"#, "/why"),
    ] {
        assert_eq!(body(text).problem(422)["pointer"], pointer, "{text}");
    }
    for text in ["", "{", "nul", r#"{"name": "ann", "role": "viewer"} more"#] {
        body(text).problem(400);
    }
    let good = r#"{"name": "ann", "role": "viewer"}"#;
    post(Request::post("/v1/tokens", good)).problem(415);
    post(Request::post("/v1/tokens", good).header("content-type", "text/plain")).problem(415);
    body(&" ".repeat(300 << 10)).problem(413);
    post(Request::post("/v1/tokens", good).json().header("signalbox-why", &"w".repeat(1_001))).problem(400);
    for query in ["nothing=1", "limit=many", "since=yesterday", "limit=1&limit=2", "cursor=zz"] {
        host.ask(&format!("/v1/audit?{query}")).problem(400);
    }
    let cursor = host.ask("/v1/audit?cursor=zz").problem(400);
    assert!(cursor["detail"].as_str().unwrap().contains("cursor"), "{cursor}");
    assert_eq!(host.ask("/v1/tokens").json()["items"], json!([]));
    assert!(made(&host, json!({ "name": "ann", "role": "viewer", "expires_in_s": 60.0 }))["expires"].is_string());
}

#[test]
fn the_admin_listener_stays_on_this_machine_unless_a_proxy_is_named() {
    let dir = directory();
    let data = dir.path().join("data").display().to_string();
    let output = signalbox(&["serve", "--data", &data, "--admin-listen", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("behind_proxy = true"), "{}", complaint(&output));
    assert!(!dir.path().join("data").exists(), "nothing was started");
}

/// Runs a command against a host, as whoever has this token.
fn typed(host: &TestHost, token: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let file = host.dir.path().join("token");
    fs::write(&file, format!("{token}\n")).unwrap();
    let url = format!("http://{}", host.admin);
    let output = signalbox(&[arguments, &["--url", &url, "--token-file", file.to_str().unwrap()]].concat());
    (output.status.code(), String::from_utf8(output.stdout.clone()).unwrap(), complaint(&output))
}

#[test]
fn tokens_are_made_listed_and_revoked_from_the_command_line() {
    let host = TestHost::start();
    let boot = host.token();
    let well = |arguments: &[&str]| {
        let (code, printed, said) = typed(&host, &boot, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        printed
    };
    let create =
        ["token", "create", "ann\u{202e}", "--role", "operator", "--expires-in", "90d", "--why", "für die Nacht", "--change", "CHG-1"];
    let token = well(&create);
    assert!(token.starts_with("sbx_") && token.lines().count() == 1, "the token alone goes to standard output: {token}");
    let token = token.trim();
    let id = token.split('_').nth(1).unwrap();
    let json: Value = serde_json::from_str(&well(&["token", "create", "bob", "--role", "viewer", "--json"])).unwrap();
    assert!(json["token"].as_str().unwrap().starts_with("sbx_"));

    let list = well(&["token", "list"]);
    assert!(list.starts_with("ID ") && list.contains(id) && list.contains("operator  ") && !list.contains('\u{202e}'), "{list}");
    let listed: Value = serde_json::from_str(&well(&["token", "list", "--json"])).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);

    let (code, _, said) = typed(&host, token, &["token", "revoke", id]);
    assert!(code == Some(1) && said.contains("needs the role `admin`"), "{said}");
    assert_eq!(typed(&host, token, &["audit"]).0, Some(0));
    assert_eq!(well(&["token", "revoke", id, "--why", "gone"]), format!("{id} is revoked\n"));
    assert!(well(&["token", "list"]).contains("revoked"));
    let (code, _, said) = typed(&host, token, &["audit"]);
    assert!(code == Some(1) && said.contains("Authorization"), "{said}");
    assert_eq!(typed(&host, &boot, &["token", "revoke", "../about"]).0, Some(1));

    let log = well(&["audit", "--action", "token.create"]);
    assert!(log.starts_with("WHEN ") && log.contains("CHG-1") && log.contains("für die Nacht") && !log.contains("gone"), "{log}");
    let log: Value = serde_json::from_str(&well(&["audit", "--json", "--limit", "1"])).unwrap();
    assert_eq!((log.as_array().unwrap().len(), &log[0]["subject"]), (1, &json!(id)));
}

#[test]
fn the_token_comes_from_a_file_or_the_environment_and_what_fails_says_what_to_do() {
    let host = TestHost::start();
    let url = format!("http://{}/", host.admin);
    let command = |token: Option<&str>, arguments: &[&str]| {
        let mut command = std::process::Command::new(crate::harness::SIGNALBOX);
        command.args(arguments).env_remove("SIGNALBOX_TOKEN").env_remove("SIGNALBOX_URL").current_dir(host.dir.path());
        let output = token.into_iter().fold(&mut command, |command, token| command.env("SIGNALBOX_TOKEN", token)).output().unwrap();
        (output.status.code(), complaint(&output))
    };
    let audit = ["audit", "--url", &url];
    assert_eq!(command(Some(&host.token()), &audit).0, Some(0));
    let (code, said) = command(None, &audit);
    assert!(code == Some(1) && said.contains("set SIGNALBOX_TOKEN"), "{said}");
    let data = host.dir.path().join("signalbox-data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("admin.token"), host.token()).unwrap();
    assert_eq!(command(None, &audit).0, Some(0), "the data directory beside is taken");

    for (url, words) in [
        ("http://127.0.0.1:1", "no signalbox answers"),
        ("https://127.0.0.1:8641", "has no TLS of its own"),
        ("127.0.0.1", "is not an address"),
        (&format!("http://{}", host.public), "there is nothing here"),
    ] {
        let (code, said) = command(None, &["audit", "--url", url]);
        assert!(code == Some(1) && said.contains(words), "{url}: {said}");
    }
}
