//! Alerts reach whom they are for: once per key, later when nobody answers, never more than a sink bears, and none is lost in between.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::desk::{Call, Desk, Mood};
use crate::harness::{DESK_KEY, SOON, SOURCES, TestHost, fresh, refused, until};
use crate::mailbox::{Mailbox, Whim};
use crate::wire::{Answer, Request, call, standard_signature};
use crate::workflow::{host_at, items, now, send, tell};

/// Whatever comes alerts security; a post does so louder, and a review is for legal.
const RULES: &str = r#"
[[steps]]
plugin = "escalate"
unless = { kind = ["post"] }
[[steps.config.routes]]
id = "law"
when = { kinds = ["review"] }
then = { queue = "Legal", priority = "low", alert = { audience = "legal", level = "normal" } }
[[steps.config.routes]]
id = "fire"
then = { queue = "Desk", priority = "low", alert = { audience = "security", level = "high" } }
[[steps]]
plugin = "escalate"
name = "loud"
when = { kind = ["post"] }
[[steps.config.routes]]
id = "fire"
then = { queue = "Desk", priority = "low", alert = { audience = "security", level = "critical" } }
"#;

const QUICK: &str = "allow_private = [\"127.0.0.1\"]\nretry = { attempts = 50, base_s = 0.01, max_s = 0.1 }";

/// A sink of alerts at a desk of this machine; `more` are further keys.
fn pager(desk: &Desk, more: &str) -> String {
    format!("[alerts.pager]\nurl = \"{}\"\nsecret = \"file:desk.secret\"\n{QUICK}\n{more}\n", desk.url("/page?from=signalbox"))
}

/// A sink of alerts by mail.
fn post(mailbox: &Mailbox, more: &str) -> String {
    format!("[alerts.post]\nsmtp = \"smtp://{}\"\nencrypted = false\nfrom = \"desk@example.com\"\n{QUICK}\n{more}\n", mailbox.address)
}

fn config(parts: &[String]) -> String {
    format!("{SOURCES}{}{RULES}", parts.concat())
}

/// A message of a thread: its alert's key is the thread.
fn message(thread: &str, kind: &str) -> String {
    json!({ "id": fresh("event"), "text": "hello", "thread_id": thread, "kind": kind }).to_string()
}

fn say(host: &TestHost, thread: &str) {
    assert_eq!(host.post(message(thread, "message")).status, 200);
}

fn alerts(host: &TestHost) -> Vec<Value> {
    items(host, "/v1/alerts?limit=200")
}

fn keys(calls: &[Call]) -> Vec<String> {
    calls.iter().map(|call| call.json()["data"]["key"].as_str().unwrap_or_default().to_owned()).collect()
}

fn arrived(desk: &Desk, number: usize) -> Vec<Call> {
    until(SOON, &format!("{number} alerts"), || (desk.effects().len() >= number).then_some(()));
    desk.effects()
}

fn metric(host: &TestHost, line: &str) -> u64 {
    let page = host.ask("/metrics").text();
    let found = page.lines().find_map(|known| known.strip_prefix(line)).unwrap_or_else(|| panic!("{line}: {page}"));
    found.trim().parse().unwrap()
}

/// The call as a source of this host would take it: verified by the very code that verifies desks.
fn taken(host: &TestHost, page: &Call, body: &[u8]) -> Answer {
    let header = |name: &str| page.header(name).unwrap().to_owned();
    let mut request = Request::post("/hooks/desk", body).header("content-type", "application/cloudevents+json");
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        request = request.header(name, &header(name));
    }
    call(host.public, &request)
}

#[test]
fn one_key_is_one_alert_and_another_key_or_a_louder_one_is_another() {
    let desk = Desk::open();
    let host = host_at(&config(&[pager(&desk, "")]), "2026-03-27T09:00:00Z");
    // All at once: the commit of one of them is the first.
    std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(|| say(&host, "t1")))));
    say(&host, "t2");
    let calls = arrived(&desk, 2);
    assert_eq!(calls.len(), 2);
    assert_eq!(
        keys(&calls).into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from(["security:fire:t1".to_owned(), "security:fire:t2".to_owned()])
    );
    let known = alerts(&host);
    let repeats = |key: &str| known.iter().find(|alert| alert["key"] == key).unwrap()["repeats"].clone();
    assert_eq!((repeats("security:fire:t1"), repeats("security:fire:t2")), (json!(7), json!(0)));
    // What was a nuisance and is a danger now is told again, and an hour later so is the same.
    assert_eq!(host.post(message("t1", "post")).status, 200);
    assert_eq!(arrived(&desk, 3)[2].json()["data"]["level"], "critical");
    say(&host, "t1");
    now(&host, "2026-03-27T09:59:59Z");
    say(&host, "t1");
    now(&host, "2026-03-27T10:00:00Z");
    say(&host, "t1");
    assert_eq!(keys(&arrived(&desk, 4)).len(), 4);
    assert_eq!(alerts(&host).len(), 4);
    assert_eq!(metric(&host, "signalbox_alerts_total{result=\"raised\"}"), 4);
    assert_eq!(metric(&host, "signalbox_alerts_total{result=\"repeated\"}"), 9);
    assert_eq!(metric(&host, "signalbox_alerts_told_total{sink=\"pager\",result=\"sent\"}"), 4);
}

#[test]
fn an_alert_is_a_signed_cloud_event_with_the_row_of_who_is_on_call() {
    let desk = Desk::open();
    let host = TestHost::with_config(&config(&[pager(&desk, "audiences = [\"security\"]")]));
    assert_eq!(send(&host, "PUT", "/v1/tables/on-call", r#"{"schema": null}"#).status, 200);
    assert_eq!(send(&host, "PUT", "/v1/tables/on-call/rows/security", r#"{"name": "Ann", "phone": "+47 1"}"#).status, 200);
    say(&host, "t1");
    // Nobody hears what is for legal; it is known all the same.
    assert_eq!(host.post(message("t2", "review")).status, 200);
    let [page]: [Call; 1] = arrived(&desk, 1).try_into().unwrap();
    let (id, timestamp) = (page.header("webhook-id").unwrap(), page.header("webhook-timestamp").unwrap());
    assert_eq!(page.header("webhook-signature").unwrap(), standard_signature(DESK_KEY, id, timestamp, &page.body));
    assert_eq!((page.path.as_str(), page.header("content-type")), ("/page?from=signalbox", Some("application/cloudevents+json")));
    let event = page.json();
    assert_eq!((&event["type"], &event["specversion"]), (&json!("social.alert.raised.v1"), &json!("1.0")));
    assert_eq!(event["data"]["on_call"], json!({ "key": "security", "columns": { "name": "Ann", "phone": "+47 1" } }));
    // The host's own verifier takes it, and takes nothing that was changed.
    assert_ne!(taken(&host, &page, &page.body).status, 401);
    let forged = String::from_utf8(page.body.clone()).unwrap().replace("high", "low");
    taken(&host, &page, forged.as_bytes()).problem(401);
    let unheard = alerts(&host).into_iter().find(|alert| alert["audience"] == "legal").unwrap();
    assert_eq!(unheard["sinks"], json!([]));
    assert_eq!(metric(&host, "signalbox_alerts_total{result=\"unheard\"}"), 1);
}

#[test]
fn a_sink_that_is_down_gets_it_later_and_once_though_the_host_dies_in_between() {
    let desk = Desk::open();
    desk.shut();
    let mut host = TestHost::with_config(&config(&[pager(&desk, "")]));
    say(&host, "t1");
    host.kill9();
    host.start_again();
    say(&host, "t1");
    assert_eq!((alerts(&host).len(), desk.calls().len()), (1, 0), "the key outlives the kill");
    // The first that comes is done without a word, so that the host cannot know.
    let silent = std::sync::atomic::AtomicBool::new(true);
    desk.behave(move |_| if silent.swap(false, std::sync::atomic::Ordering::Relaxed) { Mood::Mute } else { Mood::Well });
    desk.reopen();
    until(SOON, "the alert", || items(&host, "/v1/deliveries?target=alerts.pager&state=delivered").first().cloned());
    let ids: BTreeSet<String> = desk.calls().iter().map(|call| call.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!((desk.effects().len(), ids.len()), (1, 1), "repeated under its own key");
    assert!(desk.calls().len() > 1, "and it was repeated");
}

#[test]
fn what_is_more_than_a_sink_bears_is_held_back_and_told_in_one_summary() {
    let desk = Desk::open();
    let mut host = host_at(&config(&[pager(&desk, "max_per_hour = 2")]), "2026-03-27T09:00:00Z");
    for thread in 1..=5 {
        say(&host, &format!("t{thread}"));
    }
    arrived(&desk, 2);
    assert_eq!(metric(&host, "signalbox_alerts_told_total{sink=\"pager\",result=\"held\"}"), 3);
    assert_eq!(metric(&host, "signalbox_alerts_held{sink=\"pager\"}"), 3);
    let held = alerts(&host).into_iter().filter(|alert| alert["sinks"][0]["state"] == "held").count();
    assert_eq!(held, 3, "each is known");
    now(&host, "2026-03-27T09:59:00Z");
    host.kill9();
    host.start_again();
    assert_eq!(desk.effects().len(), 2, "the hour is not over");
    now(&host, "2026-03-27T10:00:01Z");
    let summary = arrived(&desk, 3)[2].json();
    assert_eq!((&summary["type"], &summary["data"]["count"]), (&json!("social.alert.held-back.v1"), &json!(3)));
    let named: BTreeSet<&str> = summary["data"]["alerts"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert_eq!(named, BTreeSet::from(["security:fire:t3", "security:fire:t4", "security:fire:t5"]));
    until(SOON, "nothing held", || (alerts(&host).iter().all(|alert| alert["sinks"][0]["state"] != "held")).then_some(()));
    // The summary counts too; one more fits, and the next waits again.
    say(&host, "t6");
    say(&host, "t7");
    assert_eq!(keys(&arrived(&desk, 4))[3], "security:fire:t6");
    now(&host, "2026-03-27T10:30:00Z");
    assert_eq!(desk.effects().len(), 4);
    assert_eq!(metric(&host, "signalbox_alerts_held{sink=\"pager\"}"), 1);
}

#[test]
fn a_mail_goes_to_who_is_on_call_later_when_the_server_is_down_and_one_bad_address_stops_nobody() {
    let mailbox = Mailbox::open();
    let host = TestHost::with_config(&config(&[post(&mailbox, "to = [\"all@example.com\"]")]));
    assert_eq!(send(&host, "PUT", "/v1/tables/on-call", r#"{"schema": null}"#).status, 200);
    let row = r#"{"name": "Ann", "email": ["ann@example.com", "gone@example.com", "slow@example.com"]}"#;
    assert_eq!(send(&host, "PUT", "/v1/tables/on-call/rows/security", row).status, 200);
    mailbox.shut();
    let first = std::sync::atomic::AtomicBool::new(true);
    mailbox.behave(move |to| match to {
        "gone@example.com" => Whim::Nobody,
        "slow@example.com" if first.swap(false, std::sync::atomic::Ordering::Relaxed) => Whim::Later,
        _ => Whim::Well,
    });
    say(&host, "t1");
    until(SOON, "a try", || (mailbox.tries() > 0).then_some(()));
    assert!(mailbox.letters().is_empty());
    mailbox.reopen();
    until(SOON, "two mails", || (mailbox.letters().len() >= 2).then_some(()));
    let told: BTreeSet<String> = mailbox.letters().iter().map(|letter| letter.to.clone()).collect();
    assert_eq!(told, BTreeSet::from(["ann@example.com".to_owned(), "slow@example.com".to_owned()]));
    let letter = &mailbox.letters()[0];
    assert_eq!(letter.from, "desk@example.com");
    assert_eq!(letter.header("subject"), "[high] security: fire: a unknown message on unknown");
    assert_eq!(letter.header("auto-submitted"), "auto-generated");
    let on_call = "On call (security): email: ann@example.com gone@example.com slow@example.com, name: Ann";
    assert!(letter.text.replace("=\r\n", "").contains(on_call), "{}", letter.text);
    // The address that nobody has is set aside with the server's words.
    let parked = until(SOON, "the parked one", || items(&host, "/v1/deliveries?state=parked").first().cloned());
    assert!(parked["answer"].as_str().unwrap().contains("no such mailbox"), "{parked}");
    assert_eq!(parked["call"]["body"]["mail"]["to"], "gone@example.com");
    // Nobody is on call for legal: the sink's own address, and each mail's id is its own.
    assert_eq!(host.post(message("t2", "review")).status, 200);
    until(SOON, "the third mail", || mailbox.letters().iter().any(|letter| letter.to == "all@example.com").then_some(()));
    let ids: BTreeSet<String> = mailbox.letters().iter().map(|letter| letter.header("message-id")).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

#[test]
fn a_mail_whose_answer_was_lost_is_repeated_under_its_own_message_id() {
    let mailbox = Mailbox::open();
    let asked = std::sync::atomic::AtomicUsize::new(0);
    // The address is asked about first, the mail's end second: mute there, once.
    mailbox.behave(move |_| if asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1 { Whim::Mute } else { Whim::Well });
    let mut host = TestHost::with_config(&config(&[post(&mailbox, "to = [\"all@example.com\"]")]));
    say(&host, "t1");
    until(SOON, "both", || (mailbox.letters().len() == 2).then_some(()));
    host.kill9();
    host.start_again();
    say(&host, "t1");
    let letters = mailbox.letters();
    assert_eq!((letters.len(), letters[0].header("message-id")), (2, letters[1].header("message-id")));
    assert!(letters[0].header("message-id").ends_with("@example.com>"), "{}", letters[0].head);
}

#[test]
fn an_alert_stands_in_the_desks_internal_note_and_a_held_decisions_waits_for_a_yes() {
    let desk = Desk::open();
    let back = format!("base = \"{}\"\nsecret = \"file:api.secret\"\nallow_private = [\"127.0.0.1\"]", desk.url(""));
    let sources = SOURCES.replace("[sources.demo]", &format!("[sources.zammad.outbound]\n{back}\n[sources.demo]"));
    let hold = "[[steps]]\nfile = \"misbehave.wasm\"\non_fault = \"hold\"\nquarantine_after = 0\n";
    let host = host_at(&format!("{sources}[alerts.note]\nnote = true\n{}{RULES}{hold}", pager(&desk, "")), "2026-03-27T09:00:00Z");
    let notes = || {
        let bodies = desk.effects().into_iter().map(|call| call.json());
        bodies.filter(|body| body["article"]["internal"] == true).map(|body| body["article"]["body"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(tell(&host, 1, 7, "new", Some("Customer")).status, 200);
    until(SOON, "both notes", || (notes().len() == 2).then_some(()));
    let alarm = notes().into_iter().find(|note| note.contains("Alert for security (high)")).unwrap();
    assert!(alarm.contains("signalbox:alert-1:"), "{alarm}");
    let pages = || desk.effects().into_iter().filter(|call| call.path.starts_with("/page")).count();
    until(SOON, "the page", || (pages() == 1).then_some(()));
    // The second one's last step faults: all of it waits, and silences nobody.
    let trap = json!({
        "ticket": { "id": 8, "state": { "name": "new" } },
        "article": { "id": 9, "sender": "Customer", "type": "email", "body": "trap", "content_type": "text/plain", "internal": false },
    });
    let told = call(host.public, &crate::harness::zammad("delivery-9", crate::harness::ZAMMAD_KEY, trap.to_string().as_bytes()));
    assert!(told.decision()["held"].is_object());
    let [approval]: [Value; 1] = items(&host, "/v1/approvals?state=waiting").try_into().unwrap();
    assert_eq!((pages(), metric(&host, "signalbox_approvals_waiting{kind=\"held\"}")), (1, 1));
    assert_eq!(send(&host, "POST", &format!("/v1/approvals/{}/approve", approval["id"].as_str().unwrap()), "{}").status, 200);
    until(SOON, "the second page", || (pages() == 2).then_some(()));
    assert_eq!(metric(&host, "signalbox_approvals_total{result=\"approved\"}"), 1);
    assert_eq!(metric(&host, "signalbox_approvals_waiting{kind=\"held\"}"), 0);
}

#[test]
fn a_sink_of_alerts_that_makes_no_sense_keeps_the_host_from_starting() {
    let said = refused(&format!("{SOURCES}[alerts.post]\nsmtp = \"smtps://10.0.0.9\"\nfrom = \"desk@example.com\"\n"));
    assert!(said.contains("alerts.post") && said.contains("list it in `allow_private`"), "{said}");
    let said = refused(&format!("{SOURCES}[alerts.post]\nsmtp = \"smtps://mail.example\"\nfrom = \"no address\"\n"));
    assert!(said.contains("alert sink `post`: has no `from` that is an address"), "{said}");
}
