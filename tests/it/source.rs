//! Sources from the outside: `signature check`, `source test`, the questions desks ask before they call, and the admin's test page.
//! What is shown is what would happen, and nothing happens.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{SOURCES, TestHost, ZAMMAD_KEY, complaint, directory, furnished, repository, signalbox, warm_data};
use crate::wire::{Answer, Request, call, hub_signature};

/// The preset, a body as its desk sends it, the event's id, and the request of its note; empty where nothing is written back.
const PAYLOADS: [(&str, &str, &str, &str); 8] = [
    ("zammad", "zammad-ticket-default", "zammad:article:104", "PUT https://desk.invalid/api/v1/tickets/81"),
    (
        "chatwoot",
        "chatwoot-message_created-telegram",
        "chatwoot:message:227051",
        "POST https://desk.invalid/api/v1/accounts/2/conversations/1/messages",
    ),
    (
        "zendesk-events",
        "zendesk-event-ticket_created",
        "zendesk:cbe4028c-7239-495d-b020-f22348516046",
        "PUT https://desk.invalid/api/v2/tickets/5158.json",
    ),
    ("zendesk-trigger", "zendesk-trigger-ticket_zulip", "zendesk:ticket:7", "PUT https://desk.invalid/api/v2/tickets/7.json"),
    ("jira", "jira-issue_created", "jira:issue:10040", "POST https://desk.invalid/rest/servicedeskapi/request/TES-41/comment"),
    (
        "freshdesk",
        "freshdesk-automation-ticket_created",
        "freshdesk:11:{ticket_action:created}",
        "POST https://desk.invalid/api/v2/tickets/11/notes",
    ),
    (
        "servicenow",
        "servicenow-incident-display_values",
        "servicenow:1c741bd70b2322007518478d83673af3",
        "PATCH https://desk.invalid/api/now/table/incident/1c741bd70b2322007518478d83673af3",
    ),
    ("x", "x-tweet_mention", "x:1063212927510081536", ""),
];

fn payload(name: &str) -> String {
    repository(&format!("tests/fixtures/webhooks/{name}.json")).display().to_string()
}

/// `source test NAME --payload FILE --json`, with the exit code that is wanted.
fn tried(name: &str, payload: &str, more: &[&str], code: i32) -> Value {
    let data = warm_data().display().to_string();
    let output = signalbox(&[&["source", "test", name, "--payload", payload, "--data", &data, "--json"], more].concat());
    assert_eq!(output.status.code(), Some(code), "{name} {payload}: {}", complaint(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn written(dir: &Path, name: &str, text: impl AsRef<[u8]>) -> String {
    fs::write(dir.join(name), text).unwrap();
    dir.join(name).display().to_string()
}

#[test]
fn every_payload_shows_its_event_its_decision_and_the_requests_that_would_be_sent() {
    for (preset, file, id, note) in PAYLOADS {
        let trial = tried(preset, &payload(file), &[], 0);
        assert_eq!(trial["verification"], json!({ "result": "not_checked", "detail": "no secret configured" }), "{preset}");
        assert_eq!(trial["event"]["id"], id, "{preset}");
        assert!(trial["decision"]["category"]["key"].is_string() && trial["decision"]["event_id"] == id, "{preset}");
        let outbound = trial["outbound"].as_array().unwrap();
        let mark = format!("signalbox:{}", trial["decision"]["id"].as_str().unwrap());
        match outbound.first() {
            None => assert_eq!(note, "", "{preset}"),
            Some(first) => {
                assert_eq!(
                    (first["name"].as_str(), format!("{} {}", first["method"], first["url"]).replace('"', "").as_str()),
                    (Some("note"), note)
                );
                assert!(first["body"].to_string().contains(&mark), "{preset}: {first}");
            }
        }
    }
}

#[test]
fn what_is_not_run_says_why_and_sends_nothing() {
    let dir = directory();
    let body = fs::read(payload("zammad-ticket-default")).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut body: Value = serde_json::from_slice(&body).unwrap();
        *body.pointer_mut(pointer).unwrap() = value;
        tried("zammad", &written(dir.path(), "body.json", body.to_string()), &[], 0)
    };
    let note = with("/article/internal", json!(true));
    assert_eq!((&note["dropped"], &note["outbound"], &note["event"]), (&json!("an internal note"), &json!([]), &Value::Null));
    let reply = with("/article/sender", json!("Agent"));
    assert_eq!(reply["observation"], json!({ "reason": "an agent's reply", "ticket": "81" }));

    let wrong = tried("zammad", &payload("jira-issue_created"), &[], 1);
    assert_eq!(wrong["error"]["pointer"], "/ticket/id");
    let no_json = tried("zammad", &written(dir.path(), "no.json", "{"), &[], 1);
    assert!(no_json["error"]["detail"].as_str().unwrap().contains("not JSON"));
}

#[test]
fn a_configured_source_says_which_part_of_a_signature_failed_and_shows_no_secret() {
    let dir = furnished();
    fs::write(dir.path().join("api.secret"), "the api token").unwrap();
    let outbound = "[sources.zammad.outbound]\nbase = \"https://desk.example.com/\"\nsecret = \"file:api.secret\"\nmode = \"full\"\nqueues = { \"Service Desk\" = \"2nd level\" }\n";
    let config = written(dir.path(), "c.toml", format!("{SOURCES}{outbound}"));
    let file = payload("zammad-ticket-default");
    let body = fs::read(&file).unwrap();
    let headers = |signature: &str| {
        let headers = json!({ "X-Zammad-Delivery": "1", "X-Hub-Signature": signature }).to_string();
        written(dir.path(), "h.json", headers)
    };
    let good = hub_signature(ZAMMAD_KEY.as_bytes(), &body);
    let trial = tried("zammad", &file, &["--config", &config, "--headers", &headers(&good)], 0);
    assert_eq!(trial["verification"]["result"], "verified");
    assert_eq!(trial["outbound"][0]["url"], "https://desk.example.com/api/v1/tickets/81");
    assert_eq!(trial["outbound"][1]["body"]["group"], "2nd level", "the desk's own name of the queue");
    assert!(!trial.to_string().contains("the api token") && !trial.to_string().contains(ZAMMAD_KEY));

    let bad = tried("zammad", &file, &["--config", &config, "--headers", &headers("sha1=00")], 1);
    assert_eq!(bad["verification"]["result"], "refused");
    assert!(bad["event"].is_object(), "what it would be is shown all the same");
    let differs = hub_signature(b"another key", &body);
    let bad = tried("zammad", &file, &["--config", &config, "--headers", &headers(&differs)], 1);
    let said = bad["verification"]["detail"].as_str().unwrap();
    assert!(said.contains("digest differs") && !said.contains(&differs[5..]), "{said}");
    assert!(tried("zammad", &file, &["--config", &config], 1)["verification"]["detail"].as_str().unwrap().contains("absent"));

    for (mode, calls) in [("off", 0), ("note-only", 1)] {
        let config = written(dir.path(), "m.toml", format!("{SOURCES}{}", outbound.replace("full", mode)));
        let trial = tried("zammad", &file, &["--config", &config, "--headers", &headers(&good)], 0);
        assert_eq!((trial["mode"].as_str(), trial["outbound"].as_array().unwrap().len()), (Some(mode), calls));
    }
}

#[test]
fn a_source_can_be_listed_shown_and_begun() {
    let well = |arguments: &[&str]| {
        let output = signalbox(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", complaint(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let list = well(&["source", "list"]);
    let presets: Vec<&str> = list.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    for wanted in [
        "zammad",
        "chatwoot",
        "zendesk-events",
        "zendesk-trigger",
        "jira",
        "freshdesk",
        "servicenow",
        "glpi",
        "itop",
        "freescout",
        "alloy",
        "x",
        "telegram",
        "generic",
        "cloudevents",
    ] {
        assert!(presets.contains(&wanted), "{wanted}: {list}");
    }
    let dir = furnished();
    for preset in presets {
        assert!(well(&["source", "show", preset]).contains(&format!("name = \"{preset}\"")));
        // What is printed is a config, once its secret is there.
        let begun = well(&["source", "new", "--preset", preset, "--name", "desk"]);
        let begun = begun.replace("env:DESK_HOOK_SECRET", "file:secret").replace("# [sources.desk.outbound]", "[sources.desk.outbound]");
        let begun = begun.replace("env:DESK_API_SECRET", "file:secret");
        let open = |line: &str| ["# base =", "# secret =", "# user =", "# client_id =", "# mode ="].iter().any(|key| line.starts_with(key));
        let begun: Vec<&str> = begun.lines().map(|line| if open(line) { &line[2..] } else { line }).collect();
        written(dir.path(), "secret", if matches!(preset, "generic" | "cloudevents") { "whsec_c2VjcmV0" } else { "a:b" });
        let config = written(dir.path(), "c.toml", begun.join("\n"));
        let list = well(&["source", "list", "--config", &config]);
        assert!(list.contains("POST /hooks/desk"), "{preset}: {list}");
    }
    let body: Value = serde_json::from_str(&well(&["source", "show", "zammad", "--body"])).unwrap();
    assert_eq!(body["text"], "#{article.body}");
    for wrong in [&["source", "new", "--preset", "zamad"][..], &["source", "show", "zamad"], &["source", "show", "chatwoot", "--body"]] {
        assert_eq!(signalbox(wrong).status.code(), Some(1), "{wrong:?}");
    }
}

#[test]
fn vectors_are_checked_and_a_mismatch_is_told() {
    let file = repository("tests/fixtures/signatures.json").display().to_string();
    let output = signalbox(&["signature", "check", &file]);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(said.contains("stdwh-published-1 valid ") && said.contains("stdwh-body-changed invalid "), "{said}");
    assert!(complaint(&output).contains("2 of 38"), "what could not be checked is told");

    let dir = directory();
    let mut vectors: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    vectors["vectors"][0]["valid"] = json!(false);
    let output = signalbox(&["signature", "check", &written(dir.path(), "v.json", vectors.to_string())]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("stdwh-published-1 valid verified (MISMATCH"));
    for (text, code) in [("[]", 1), ("no json", 1), (r#"{"vectors": [{"id": "a", "scheme": "no-such", "valid": true}]}"#, 1)] {
        assert_eq!(signalbox(&["signature", "check", &written(dir.path(), "v.json", text)]).status.code(), Some(code), "{text}");
    }
    assert_eq!(signalbox(&["signature", "check", "nowhere.json"]).status.code(), Some(1));
}

#[test]
fn challenges_are_answered_for_a_configured_source_whose_desk_asks_and_for_no_other() {
    let glpi = "[sources.glpi]\npreset = \"glpi\"\nsecrets = [\"file:zammad.secret\"]\n[sources.x]\npreset = \"x\"\nsecrets = [\"file:zammad.secret\"]\n";
    let host = TestHost::with_config(&format!("{SOURCES}{glpi}"));
    let get = |path: &str| call(host.public, &Request::new("GET", path));
    let answer = get("/hooks/glpi?crc_token=abc");
    assert_eq!((answer.status, answer.text().len()), (200, 64), "a bare hex digest: {}", answer.text());
    assert!(get("/hooks/x?crc_token=abc").json()["response_token"].as_str().unwrap().starts_with("sha256="));
    for path in ["/hooks/glpi", "/hooks/glpi?crc_token=", "/hooks/glpi?crc_token=%7B%22a%22%3A1%7D", "/hooks/x?crc_token=a&crc_token=b"] {
        get(path).problem(401);
    }
    get("/hooks/zammad?crc_token=abc").problem(405);
    get("/hooks/nobody?crc_token=abc").problem(404);

    let ask =
        |path: &str, origin: &str| -> Answer { call(host.public, &Request::new("OPTIONS", path).header("WebHook-Request-Origin", origin)) };
    let allowed = ask("/hooks/desk", "events.example.com");
    assert_eq!((allowed.status, allowed.header("webhook-allowed-origin")), (204, Some("events.example.com")));
    ask("/hooks/zammad", "events.example.com").problem(405);
    ask("/hooks/desk", "http://a/<script>").problem(405);
}

#[test]
fn the_admins_test_page_shows_the_same_and_records_nothing() {
    let host = TestHost::with_config(SOURCES);
    let bearer = format!("Bearer {}", host.token());
    let body = String::from_utf8(fs::read(payload("zammad-ticket-default")).unwrap()).unwrap();
    let ask = |path: &str, body: Value| call(host.admin, &Request::post(path, body.to_string()).json().header("authorization", &bearer));
    let headers = json!({ "X-Hub-Signature": hub_signature(ZAMMAD_KEY.as_bytes(), body.as_bytes()) });
    let trial = ask("/v1/sources/zammad/test", json!({ "payload": body, "headers": headers })).json();
    assert_eq!(trial["verification"]["result"], "verified");
    assert_eq!((&trial["event"]["id"], &trial["decision"]["event_id"]), (&json!("zammad:article:104"), &json!("zammad:article:104")));
    let unsigned = ask("/v1/sources/zammad/test", json!({ "payload": serde_json::from_str::<Value>(&body).unwrap() })).json();
    assert_eq!(unsigned["verification"]["result"], "refused");
    assert!(host.rows("zammad:article:104").is_empty(), "a trial is no event");
    ask("/v1/sources/nobody/test", json!({ "payload": {} })).problem(404);
    ask("/v1/sources/zammad/test", json!({ "body": {} })).problem(422);
    let sources = host.ask("/v1/sources").json();
    assert!(sources["items"].as_array().unwrap().iter().any(|source| source["name"] == "zammad"));
    assert!(!sources.to_string().contains(ZAMMAD_KEY));
    call(host.admin, &Request::post("/v1/sources/zammad/test", "{}").json()).problem(401);
}

#[test]
fn a_source_begins_with_a_preset_and_a_call_is_tried_before_anything_is_connected() {
    let host = TestHost::start();
    let presets = host.ask("/v1/presets").json();
    let named = |name: &str| presets["items"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned();
    assert!(named("zammad").unwrap()["description"].as_str().unwrap().contains("Manage, Webhook"), "{presets}");
    let begun = host.ask("/v1/presets/zammad?source=desk-2").json();
    let printed = String::from_utf8(signalbox(&["source", "new", "--preset", "zammad", "--name", "desk-2"]).stdout).unwrap();
    assert_eq!(begun["config"], printed, "the command and the console say the same");
    assert!(begun["body"].as_str().unwrap().contains("signalbox_event"), "{begun}");
    assert_eq!(host.ask("/v1/presets/chatwoot").json()["body"], Value::Null, "Chatwoot sends what it sends");
    host.ask("/v1/presets/nothing").problem(404);
    // It is the preset that is not there, whatever its name would be as a source's.
    host.ask("/v1/presets/No%20preset").problem(404);
    host.ask("/v1/presets/zammad?source=Desk").problem(400);

    let body = String::from_utf8(fs::read(payload("zammad-ticket-default")).unwrap()).unwrap();
    let bearer = format!("Bearer {}", host.token());
    let ask = |path: &str, body: Value| call(host.admin, &Request::post(path, body.to_string()).json().header("authorization", &bearer));
    let trial = ask("/v1/presets/zammad/test", json!({ "payload": body })).json();
    assert_eq!((&trial["verification"]["result"], &trial["origins"]["text"]), (&json!("not_checked"), &json!("/article/body")));
    assert_eq!(trial["decision"]["event_id"], "zammad:article:104");
    assert!(host.rows("zammad:article:104").is_empty(), "a trial is no event");
    ask("/v1/presets/nothing/test", json!({ "payload": {} })).problem(404);
}

#[test]
fn an_adapter_that_no_longer_understands_a_saved_call_is_not_put_to_work() {
    let dir = furnished();
    let shown = signalbox(&["source", "show", "zammad"]);
    let adapter = String::from_utf8(shown.stdout).unwrap();
    written(dir.path(), "adapter.toml", &adapter);
    let source = "[sources.zammad]\nadapter = \"adapter.toml\"\nsecrets = [\"file:zammad.secret\"]\n";
    let config = written(dir.path(), "signalbox.toml", source);
    let call = payload("zammad-ticket-default");
    let test = |more: &[&str]| {
        let output = signalbox(&[&["source", "test", "zammad", "--config", &config], more].concat());
        (output.status.code(), String::from_utf8(output.stdout.clone()).unwrap() + &complaint(&output))
    };
    let homeless = test(&["--payload", &call, "--save", "outage"]);
    assert!(homeless.0 == Some(1) && homeless.1.contains("write `samples = \"DIR\"` under [sources.zammad]"), "{homeless:?}");

    written(dir.path(), "signalbox.toml", format!("{source}samples = \"samples\"\n"));
    let headers = written(dir.path(), "headers.json", r#"{"X-Zammad-Delivery": "1", "Authorization": "Bearer hush"}"#);
    test(&["--payload", &call, "--headers", &headers, "--save", "outage"]);
    let saved = fs::read_to_string(dir.path().join("samples/outage.json")).unwrap();
    assert!(saved.contains("zammad:article:104") && !saved.contains("hush"), "{saved}");
    assert_eq!(test(&[]), (Some(0), format!("{:<32}as it was\n", "outage")));
    let check = || {
        let output = signalbox(&["check", "--config", &config]);
        (output.status.code(), String::from_utf8(output.stdout.clone()).unwrap() + &complaint(&output))
    };
    let fine = check();
    assert!(fine.0 == Some(0) && fine.1.contains("1 source, 1 sample, 3 steps"), "{fine:?}");

    written(
        dir.path(),
        "adapter.toml",
        adapter.replace("\"ticket.number\" = ", "\"ticket.assignee\" = ").replacen(
            "\"ticket.assignee\" = { path = \"/ticket/owner",
            "# { path = \"/ticket/owner",
            1,
        ),
    );
    let now = test(&[]);
    assert!(now.0 == Some(1) && now.1.contains("/ticket/number was \"10081\", and is missing now"), "{now:?}");
    let refused = check();
    assert!(
        refused.0 == Some(1) && refused.1.contains("source `zammad` no longer understands its sample `outage`: /ticket/"),
        "{refused:?}"
    );
    let serve = signalbox(&["serve", "--config", &config, "--data", dir.path().join("other").to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert!(serve.status.code() == Some(1) && complaint(&serve).contains("its sample `outage`"), "{}", complaint(&serve));
}
