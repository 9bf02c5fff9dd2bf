//! Decisions reach the desk: each one, once, in order, whatever the desk or the host goes through meanwhile, and nothing else is reached.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::desk::{Call, Desk, Mood};
use crate::harness::{DESK_KEY, SOON, SOURCES, TestHost, complaint, event, fresh, outage, refused, signalbox, signed, until};
use crate::wire::{Connection, Request, call, standard_signature};

/// A sink at a desk of this machine, with pauses that suit a test; `more` are further keys.
fn sink(name: &str, url: &str, more: &str) -> String {
    let retry = r#"retry = { attempts = 50, base_s = 0.01, max_s = 0.1 }"#;
    let retry = if more.contains("retry") { "" } else { retry };
    let allow = if more.contains("allow_private") { "" } else { r#"allow_private = ["127.0.0.1"]"# };
    format!("[sinks.{name}]\nurl = \"{url}\"\nsecret = \"file:desk.secret\"\n{allow}\n{retry}\n{more}\n")
}

fn host(sinks: &[String]) -> TestHost {
    TestHost::with_config(&format!("{SOURCES}{}", sinks.concat()))
}

/// How many deliveries a target has in each state.
fn counts(host: &TestHost, target: &str) -> BTreeMap<String, u64> {
    serde_json::from_value(host.ask("/v1/targets").json()[target]["deliveries"].clone()).unwrap_or_default()
}

/// Waits until so many of a target's deliveries are in a state.
pub fn settled(host: &TestHost, target: &str, state: &str, number: u64) {
    until(SOON, state, || (counts(host, target).get(state) == Some(&number)).then_some(()));
}

pub fn deliveries(host: &TestHost, query: &str) -> Vec<Value> {
    let page = host.ask(&format!("/v1/deliveries?{query}"));
    assert_eq!(page.status, 200, "{}", page.text());
    page.json()["items"].as_array().unwrap().clone()
}

fn replay(host: &TestHost, id: &str) -> crate::wire::Answer {
    let request = Request::new("POST", &format!("/v1/deliveries/{id}/replay"));
    call(host.admin, &request.header("authorization", &format!("Bearer {}", host.token())))
}

/// The event that a call is about.
fn subject(call: &Call) -> String {
    call.json()["subject"].as_str().unwrap_or_default().to_owned()
}

/// How many events outlive everything.
pub const EVENTS: usize = 1_000;

#[test]
fn a_thousand_decisions_outlive_a_desk_that_is_down_slow_and_restarting_and_a_kill_of_the_host() {
    let desk = Desk::open();
    let mut host = host(&[sink("audit", &desk.url("/in"), "timeout_s = 0.4")]);
    outlive(&desk, &mut host, "sinks.audit", |at| {
        let (id, source) = (format!("thousand-{at}"), if at.is_multiple_of(2) { "desk" } else { "receipts" });
        signed(source, &id, event(&id, "the VPN is down"))
    });
    let effects = desk.effects();
    let subjects: BTreeSet<String> = effects.iter().map(subject).collect();
    assert_eq!((subjects.len(), effects.len()), (EVENTS, EVENTS), "every decision has arrived, none twice");
    let told: BTreeSet<String> = effects.iter().map(|call| call.json()["data"]["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, decided(&host));
    assert!(desk.calls().len() > EVENTS, "the desk was rough enough for repeats");
}

/// The ids of every decision.
pub fn decided(host: &TestHost) -> BTreeSet<String> {
    host.pages("", 200).iter().map(|row| row["decision"]["id"].as_str().unwrap().to_owned()).collect()
}

/// Sends a thousand events while the desk is gone, rough and gone again, and the host is killed in between; ends when all is delivered.
pub fn outlive(desk: &Desk, host: &mut TestHost, target: &str, request: impl Fn(usize) -> Request + Sync) {
    let (public, answered, next) = (Mutex::new(host.public), AtomicUsize::new(0), AtomicUsize::new(0));
    let answers = |moment: usize| until(Duration::from_secs(60), "answers", || (answered.load(Ordering::Relaxed) >= moment).then_some(()));
    desk.shut();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(at) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < EVENTS) {
                    post_until_answered(&public, &request(at));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        answers(150);
        assert_eq!(desk.calls().len(), 0);
        desk.behave(rough());
        desk.reopen();
        answers(450);
        host.kill9();
        host.start_again();
        *public.lock().unwrap() = host.public;
        answers(650);
        desk.shut();
        answers(750);
        desk.reopen();
        answers(EVENTS);
    });
    // Some calls are lost on both sides of the kill; what counts is what the desk has in the end.
    desk.shut();
    desk.reopen();
    until(Duration::from_secs(60), "half of the decisions", || (desk.effects().len() >= EVENTS / 2).then_some(()));
    desk.behave(|_| Mood::Well);
    until(Duration::from_secs(60), "every delivery", || (counts(host, target).get("delivered") == Some(&(EVENTS as u64))).then_some(()));
}

/// A desk that does some calls late, some without a word, and refuses others.
fn rough() -> impl Fn(&Call) -> Mood {
    let nth = AtomicUsize::new(0);
    move |_| match nth.fetch_add(1, Ordering::Relaxed) {
        nth if nth % 151 == 150 => Mood::Slow(Duration::from_millis(600)),
        nth if nth % 13 == 12 => Mood::Mute,
        nth if nth % 17 == 16 => Mood::Says(500, "out of order"),
        nth if nth % 29 == 28 => Mood::Busy(429, "0".to_owned()),
        nth if nth % 3 == 2 => Mood::Slow(Duration::from_millis(5)),
        _ => Mood::Well,
    }
}

/// Sends one event as a desk does that tries again until it is answered.
fn post_until_answered(public: &Mutex<SocketAddr>, request: &Request) {
    until(Duration::from_secs(60), "an answer", || {
        let address = *public.lock().unwrap();
        let answer = Connection::open(address).and_then(|mut connection| connection.call(request)).ok()??;
        matches!(answer.status, 200 | 202).then_some(())
    });
}

#[test]
fn a_decision_is_told_signed_and_the_desks_text_stays_data() {
    let desk = Desk::open();
    let host = host(&[sink("audit", &desk.url("/in?key=a%20b"), "sources = [\"desk\"]")]);
    let evil = "\r\nX-Admin: yes\r\n\r\n{{ticket.id}} ${7*7} <script>alert(1)</script> ' OR 1=1 -- \u{202e}../../etc \"}],\"x\":{";
    let mut sent = outage(&fresh("evil"));
    // Where an id stands, control characters are refused at the door; the rest of it may be anything.
    let line = evil.replace("\r\n", " ");
    (sent["text"], sent["title"], sent["author"]["name"]) = (json!(format!("VPN down {evil}")), json!(evil), json!(evil));
    (sent["thread_id"], sent["ticket"]) = (json!(line), json!({ "id": format!("../../admin?{line}"), "tags": [line] }));
    let answer = host.signed(sent.to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let decision = answer.json();
    // The demo source is not among the sink's.
    host.decide("hello");
    let effects = until(SOON, "the call", || Some(desk.effects()).filter(|effects| !effects.is_empty()));
    let [told] = effects.as_slice() else { panic!("{effects:?}") };

    assert_eq!((told.method.as_str(), told.path.as_str()), ("POST", "/in?key=a%20b"));
    assert_eq!(told.header("content-type"), Some("application/cloudevents+json"));
    let event = told.json();
    assert_eq!((&event["type"], &event["subject"], &event["data"]), (&json!("social.decision.made.v1"), &sent["id"], &decision));
    let id = told.header("webhook-id").unwrap();
    assert_eq!(id, format!("{}-1", decision["id"].as_str().unwrap()));
    let signature = standard_signature(DESK_KEY, id, told.header("webhook-timestamp").unwrap(), &told.body);
    assert_eq!(told.header("webhook-signature"), Some(signature.as_str()));
    let known = ["content-length", "content-type", "host", "user-agent", "webhook-id", "webhook-signature", "webhook-timestamp"];
    assert_eq!(told.headers.keys().map(String::as_str).collect::<Vec<_>>(), known);

    settled(&host, "sinks.audit", "delivered", 1);
    let row = host.ask(&format!("/v1/deliveries/{id}")).json();
    assert_eq!((&row["state"], &row["status"], &row["attempts"]), (&json!("delivered"), &json!(200), &json!(1)));
    assert_eq!(row["call"]["body"]["json"], event, "what is shown is what was sent");
    for secret in ["whsec_", &signature] {
        assert!(!row.to_string().contains(secret) && !host.log().contains(secret), "{row}");
    }
}

#[test]
fn what_a_desk_does_not_take_is_set_aside_shown_and_sent_again_by_hand() {
    let desk = Desk::open();
    desk.behave(|call| match subject(call).as_str() {
        "poison" => Mood::Says(422, "priority 9 is unknown <b>here</b>"),
        "gone" => Mood::Says(404, "no such ticket"),
        _ => Mood::Well,
    });
    let host = host(&[sink("audit", &desk.url("/in"), "")]);
    // All of one thread: what is set aside does not hold up what comes after it.
    for id in ["before", "poison", "gone", "after"] {
        host.post(json!({ "id": id, "text": "hello", "thread_id": "one" }).to_string()).decision();
    }
    until(SOON, "the last one", || desk.effects().iter().any(|call| subject(call) == "after").then_some(()));
    assert_eq!(desk.effects().iter().map(subject).collect::<Vec<_>>(), ["before", "after"]);

    settled(&host, "sinks.audit", "parked", 1);
    settled(&host, "sinks.audit", "dead", 1);
    let parked = deliveries(&host, "state=parked&target=sinks.audit").remove(0);
    assert_eq!(
        (&parked["status"], &parked["answer"], &parked["attempts"]),
        (&json!(422), &json!("priority 9 is unknown <b>here</b>"), &json!(1))
    );
    let id = parked["id"].as_str().unwrap();

    // Nobody without the token, and nothing that was taken.
    call(host.admin, &Request::new("POST", &format!("/v1/deliveries/{id}/replay"))).problem(401);
    call(host.admin, &Request::new("GET", &format!("/v1/deliveries/{id}"))).problem(401);
    let delivered = deliveries(&host, "state=delivered").remove(0);
    let refused = replay(&host, delivered["id"].as_str().unwrap()).problem(409);
    assert!(refused["detail"].as_str().unwrap().contains("this delivery is \"delivered\""), "{refused}");
    replay(&host, "nope").problem(404);
    host.ask("/v1/deliveries/nope").problem(404);
    assert_eq!(host.ask(&format!("/v1/deliveries/{id}/replay")).problem(405)["status"], 405);

    // By hand it goes again, and is parked again as long as the desk says the same.
    assert_eq!(replay(&host, id).status, 200);
    until(SOON, "a second try", || (host.ask(&format!("/v1/deliveries/{id}")).json()["attempts"] == 2).then_some(()));
    settled(&host, "sinks.audit", "parked", 1);
    desk.behave(|_| Mood::Well);
    for row in [deliveries(&host, "state=parked"), deliveries(&host, "state=dead")].concat() {
        assert_eq!(replay(&host, row["id"].as_str().unwrap()).status, 200);
    }
    settled(&host, "sinks.audit", "delivered", 4);
    let keys: BTreeSet<String> =
        desk.calls().iter().filter(|call| subject(call) == "poison").map(|call| call.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!(keys.len(), 1, "the same key on every attempt");
}

#[test]
fn the_command_line_shows_what_was_set_aside_sends_it_again_and_erases() {
    let desk = Desk::open();
    desk.behave(|_| Mood::Says(422, "no such queue"));
    let host = host(&[sink("audit", &desk.url("/in"), "")]);
    let (url, token) = (format!("http://{}", host.admin), host.data().join("admin.token").display().to_string());
    let run = |arguments: &[&str], code: i32| {
        let output = signalbox(&[arguments, &["--url", &url, "--token-file", &token]].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", complaint(&output));
        String::from_utf8_lossy(&output.stdout).into_owned() + &complaint(&output)
    };
    let odd = "post/1 +ä";
    host.post(json!({ "id": odd, "text": "hello", "author": { "handle": "@ann b" } }).to_string()).decision();
    settled(&host, "sinks.audit", "parked", 1);
    let id = deliveries(&host, "").remove(0)["id"].as_str().unwrap().to_owned();
    let list = run(&["delivery", "list", "--state", "parked"], 0);
    assert!(list.contains(&id) && list.contains("no such queue") && list.contains("POST /in"), "{list}");
    assert_eq!(run(&["delivery", "list", "--state", "dead"], 0).lines().count(), 1, "the head alone");
    let targets = run(&["delivery", "targets"], 0);
    assert!(targets.lines().any(|line| line.starts_with("sinks.audit  full  well")), "{targets}");
    assert!(run(&["delivery", "show", &id], 0).contains("\"answer\": \"no such queue\""));
    assert!(run(&["delivery", "list", "--state", "lost"], 1).contains("unknown variant `lost`"));
    desk.behave(|_| Mood::Well);
    assert!(run(&["delivery", "send", &id, "--why", "the queue is back"], 0).contains("is waiting"));
    settled(&host, "sinks.audit", "delivered", 1);
    assert!(run(&["delivery", "send", &id], 1).contains("this delivery is \"delivered\""));

    assert!(run(&["erase", "event", "demo", "another"], 1).contains("no such event"));
    assert_eq!(run(&["erase", "event", "demo", odd, "--why", "asked for"], 0), "1 event is erased, with all that was made of it\n");
    (0..2).for_each(|_| {
        drop(host.post(json!({ "id": fresh("ann"), "text": "hello", "author": { "handle": "@ann b" } }).to_string()).decision())
    });
    settled(&host, "sinks.audit", "delivered", 2);
    assert_eq!(run(&["erase", "author", "@ann b"], 0), "2 events are erased, with all that was made of them\n");
    assert!(host.pages("", 10).is_empty());
}

#[test]
fn deliveries_are_found_by_filter_and_page() {
    let desk = Desk::open();
    let host = host(&[sink("one", &desk.url("/one"), ""), sink("two", &desk.url("/two"), "sources = [\"desk\"]")]);
    for at in 0..5 {
        let id = format!("page-{at}");
        if at < 3 { host.post(event(&id, "hello")) } else { host.signed(event(&id, "hello")) }.decision();
    }
    settled(&host, "sinks.one", "delivered", 5);
    settled(&host, "sinks.two", "delivered", 2);
    for (query, number) in [
        ("", 7),
        ("source=demo", 3),
        ("source=desk", 4),
        ("target=sinks.two", 2),
        ("source=desk&target=sinks.one&state=delivered", 2),
        ("state=dead", 0),
    ] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = host.ask(&format!("/v1/deliveries?{query}&limit=2{cursor}")).json();
            found.extend(page["items"].as_array().unwrap().iter().map(|row| row["id"].to_string()));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let different: BTreeSet<&String> = found.iter().collect();
        assert_eq!((found.len(), different.len()), (number, number), "{query}");
    }
    for wrong in ["state=lost", "cursor=zz", "limit=many", "colour=blue"] {
        host.ask(&format!("/v1/deliveries?{wrong}")).problem(400);
    }
}

#[test]
fn a_private_address_is_refused_as_a_literal_and_by_name() {
    let desk = Desk::open();
    let said = refused(&format!("{SOURCES}{}", sink("audit", "https://10.0.0.7/in", "allow_private = [\"127.0.0.1\"]")));
    assert!(said.contains("sinks.audit") && said.contains("10.0.0.7, a private address") && said.contains("`allow_private`"), "{said}");

    let url = format!("http://localhost:{}/in", desk.address.port());
    let host = host(&[sink("audit", &url, "allow_private = [\"10.0.0.0/8\"]")]);
    host.decide("hello");
    let health = until(SOON, "the refusal", || {
        let health = host.ask("/v1/targets").json()["sinks.audit"]["health"].clone();
        health["reason"].is_string().then_some(health)
    });
    assert!(health["reason"].as_str().unwrap().contains("a loopback address"), "{health}");
    assert_eq!(desk.calls().len(), 0);
    assert!(counts(&host, "sinks.audit").keys().all(|state| ["waiting", "sending"].contains(&state.as_str())), "it is not lost");
}

#[test]
fn a_redirect_is_not_followed() {
    let (desk, trap) = (Desk::open(), Desk::open());
    let elsewhere = trap.url("/in");
    desk.behave(move |_| Mood::Elsewhere(elsewhere.clone()));
    let host = host(&[sink("audit", &desk.url("/in"), "retry = { attempts = 3, base_s = 0.01, max_s = 0.02 }")]);
    host.decide("hello");
    settled(&host, "sinks.audit", "dead", 1);
    let row = deliveries(&host, "state=dead").remove(0);
    assert_eq!((&row["status"], &row["attempts"]), (&json!(302), &json!(3)));
    assert_eq!((desk.calls().len(), trap.calls().len()), (3, 0));
}

#[test]
fn shadow_keeps_what_would_be_sent_and_off_keeps_nothing() {
    let desk = Desk::open();
    let sinks = [
        sink("shadow", &desk.url("/shadow"), "mode = \"shadow\""),
        sink("off", &desk.url("/off"), "mode = \"off\""),
        sink("on", &desk.url("/on"), ""),
    ];
    let host = host(&sinks);
    let decision = host.decide("hello");
    settled(&host, "sinks.on", "delivered", 1);
    let rows = deliveries(&host, "state=shadow");
    assert_eq!((rows.len(), &rows[0]["target"], &rows[0]["call"]["body"]["json"]["data"]), (1, &json!("sinks.shadow"), &decision));
    assert_eq!(deliveries(&host, "").len(), 2);
    replay(&host, rows[0]["id"].as_str().unwrap()).problem(409);
    assert_eq!(desk.calls().iter().map(|call| call.path.clone()).collect::<Vec<_>>(), ["/on"]);
}

#[test]
fn a_desk_that_asks_to_be_left_alone_is_and_one_that_is_closed_says_so() {
    let (busy, closed) = (Desk::open(), Desk::open());
    let first = AtomicUsize::new(0);
    busy.behave(move |_| if first.fetch_add(1, Ordering::Relaxed) == 0 { Mood::Busy(429, "1".to_owned()) } else { Mood::Well });
    closed.behave(|_| Mood::Says(401, "who are you?"));
    let host = host(&[sink("busy", &busy.url("/in"), ""), sink("closed", &closed.url("/in"), "")]);
    host.decide("hello");
    settled(&host, "sinks.busy", "delivered", 1);
    let calls = busy.calls();
    assert!(calls[1].at - calls[0].at >= Duration::from_millis(1_000), "{:?}", calls[1].at - calls[0].at);

    let target = host.ask("/v1/targets").json()["sinks.closed"].clone();
    assert_eq!((&target["health"]["reason"], &target["mode"]), (&json!("answered 401"), &json!("full")), "{target}");
    assert!(target["health"]["paused_until"].is_string(), "{target}");
    assert!(host.log().contains("answered 401"), "{}", host.log());
    until(SOON, "more tries than a call has", || (closed.calls().len() > 5).then_some(()));
    closed.behave(|_| Mood::Well);
    settled(&host, "sinks.closed", "delivered", 1);
}

#[test]
fn a_desk_that_is_down_gets_everything_afterwards_and_holds_up_no_other() {
    let (down, well) = (Desk::open(), Desk::open());
    let mut host =
        host(&[sink("down", &down.url("/in"), "retry = { attempts = 2, base_s = 0.01, max_s = 0.1 }"), sink("well", &well.url("/in"), "")]);
    down.behave(|_| Mood::Says(503, "maintenance"));
    for at in 0..40 {
        host.post(event(&format!("down-{at}"), "hello")).decision();
    }
    settled(&host, "sinks.well", "delivered", 40);
    // One call at a time, at growing intervals: far fewer than there are.
    assert!(down.calls().len() < 40, "{}", down.calls().len());
    down.shut();
    host.restart();
    until(SOON, "the desk is seen to be gone", || {
        let reason = host.ask("/v1/targets").json()["sinks.down"]["health"]["reason"].clone();
        reason.as_str().is_some_and(|reason| reason.starts_with("not reached")).then_some(())
    });
    down.behave(|_| Mood::Well);
    down.reopen();
    let dead = || counts(&host, "sinks.down").get("dead").copied().unwrap_or_default();
    until(SOON, "the rest", || (counts(&host, "sinks.down").get("delivered").copied().unwrap_or_default() + dead() == 40).then_some(()));
    for row in deliveries(&host, "state=dead") {
        assert_eq!(replay(&host, row["id"].as_str().unwrap()).status, 200);
    }
    settled(&host, "sinks.down", "delivered", 40);
    assert_eq!((down.effects().len(), well.effects().len()), (40, 40));
}

#[test]
fn a_desk_whose_rules_fire_on_what_we_write_starts_no_loop() {
    let desk = Desk::open();
    let host = host(&[sink("audit", &desk.url("/in"), "")]);
    let (public, echoed) = (host.public, Arc::new(AtomicUsize::new(0)));
    let echoes = Arc::clone(&echoed);
    // The desk's own webhook fires again for the ticket that was written to, in a delivery of its own.
    desk.after(move |told| {
        let again = call(public, &signed("desk", &fresh("again"), event(&subject(told), "hello")));
        assert_eq!(again.header("signalbox-duplicate"), Some("true"));
        echoes.fetch_add(1, Ordering::Relaxed);
    });
    for at in 0..3 {
        host.signed(event(&format!("loop-{at}"), "hello")).decision();
    }
    until(SOON, "the echoes", || (echoed.load(Ordering::Relaxed) == 3).then_some(()));
    settled(&host, "sinks.audit", "delivered", 3);
    assert_eq!((desk.calls().len(), deliveries(&host, "").len()), (3, 3));
}
