//! The workflow around a decision: clocks kept to the second whatever the host goes through, and nothing sent that a person must agree to.
//!
//! A host's time is a file here (`--test-clock`), so that a week takes seconds; what should be is a table worked out by hand.

use std::fs;

use serde_json::{Value, json};

use crate::desk::{Call, Desk, Mood};
use crate::harness::{SOON, SOURCES, TestHost, ZAMMAD_KEY, prepared, until, zammad};
use crate::wire::{Answer, Request, call};

/// Weekdays from nine to five in Berlin; the Monday is a holiday, and summer time begins on the Sunday before it.
const OFFICE: &str = r#"{"time_zone": "Europe/Berlin", "hours": {
    "monday": ["09:00-17:00"], "tuesday": ["09:00-17:00"], "wednesday": ["09:00-17:00"], "thursday": ["09:00-17:00"], "friday": ["09:00-17:00"]
}, "holidays": [{"date": "2026-03-30", "name": "Stocktaking"}]}"#;

/// Two hours to answer, six to solve, both on the calendar.
const LEVELS: &str = r#"[[steps]]
plugin = "escalate"
[[steps.config.routes]]
id = "all"
[steps.config.routes.then]
queue = "Desk"
priority = "normal"
sla = [
    { clock = "first_response", target_seconds = 7200, calendar = "office" },
    { clock = "resolution", target_seconds = 21600, calendar = "office" },
]
"#;

/// A host that lives at a moment of the test's choice.
pub fn host_at(config: &str, moment: &str) -> TestHost {
    let dir = prepared(Some(config));
    fs::write(dir.path().join("api.secret"), "a token").unwrap();
    fs::write(dir.path().join("clock"), moment).unwrap();
    TestHost::in_dir(dir)
}

/// Moves the host's time, in one piece.
pub fn now(host: &TestHost, moment: &str) {
    let (new, clock) = (host.dir.path().join("clock.new"), host.dir.path().join("clock"));
    fs::write(&new, moment).unwrap();
    fs::rename(new, clock).unwrap();
}

pub fn send(host: &TestHost, verb: &str, path: &str, body: &str) -> Answer {
    let request = Request::new(verb, path).json().body(body.as_bytes().to_vec());
    call(host.admin, &request.header("authorization", &format!("Bearer {}", host.token())))
}

/// A webhook of Zammad's: an article of this sender on a ticket in this state; without a sender, a change of the ticket alone.
pub fn tell(host: &TestHost, id: u32, ticket: u32, state: &str, sender: Option<&str>) -> Answer {
    let article = sender.map(|sender| {
        json!({ "id": id, "sender": sender, "type": "email", "body": "The app is slow again", "content_type": "text/plain", "internal": false })
    });
    let customer = json!({ "id": 5, "login": "ann@example.com" });
    let body = json!({ "ticket": { "id": ticket, "state": { "name": state }, "customer": customer }, "article": article });
    call(host.public, &zammad(&format!("delivery-{id}"), ZAMMAD_KEY, body.to_string().as_bytes()))
}

pub fn items(host: &TestHost, path: &str) -> Vec<Value> {
    let page = host.ask(path);
    assert_eq!(page.status, 200, "{}", page.text());
    page.json()["items"].as_array().unwrap().clone()
}

/// A ticket's clocks: kind, state, warned, breached, ended; times to the minute.
fn clocks(host: &TestHost, ticket: u32) -> Vec<String> {
    let minute = |value: &Value| value.as_str().map_or("-".to_owned(), |time| time[5..16].replace('T', " "));
    let row = |clock: &Value| {
        let times = ["warned", "breached", "ended"].map(|key| minute(&clock[key])).join(" ");
        format!("{} {} {times}", clock["clock"].as_str().unwrap(), clock["state"].as_str().unwrap())
    };
    let mut rows: Vec<String> = items(host, &format!("/v1/clocks?ticket={ticket}")).iter().map(row).collect();
    rows.sort();
    rows
}

/// Waits until the follow-up decisions of a ticket are these: trigger, clock, level.
fn follow_ups(host: &TestHost, ticket: u32, wanted: &[(&str, &str, u64)]) {
    let mut found = Vec::new();
    until(SOON, &format!("{wanted:?}"), || {
        let rows = host.pages(&format!("ticket_id={ticket}"), 50);
        let mut follows: Vec<Value> = rows.iter().map(|row| row["decision"].clone()).filter(|one| one["follows"].is_object()).collect();
        follows.reverse();
        found = follows;
        (found.len() >= wanted.len()).then_some(())
    });
    let told = |one: &Value| {
        let word = |key: &str| one["follows"][key].as_str().unwrap().to_owned();
        (word("trigger"), word("clock"), one["escalation"]["level"].as_u64().unwrap())
    };
    let found: Vec<_> = found.iter().map(told).collect();
    let wanted: Vec<_> = wanted.iter().map(|(trigger, clock, level)| (trigger.to_string(), clock.to_string(), *level)).collect();
    assert_eq!(found, wanted, "ticket {ticket}");
}

#[test]
fn clocks_are_kept_as_worked_out_by_hand_over_summer_time_a_holiday_a_kill_and_a_jump() {
    let mut host = host_at(&format!("{SOURCES}{LEVELS}"), "2026-03-27T08:00:00Z");
    assert_eq!(send(&host, "PUT", "/v1/calendars/office", OFFICE).status, 200);
    // Friday, an hour after opening: one that is answered and solved in time, one that has to wait for its author.
    now(&host, "2026-03-27T09:00:00Z");
    assert_eq!(tell(&host, 1, 1, "new", Some("Customer")).status, 200);
    assert_eq!(tell(&host, 2, 3, "new", Some("Customer")).status, 200);
    now(&host, "2026-03-27T09:30:00Z");
    assert_eq!(tell(&host, 3, 3, "pending reminder", None).header("signalbox-observed"), Some("a change of the ticket"));
    now(&host, "2026-03-27T10:00:00Z");
    for _ in 0..2 {
        assert_eq!(tell(&host, 4, 1, "open", Some("Agent")).header("signalbox-observed"), Some("an agent's reply"));
    }
    assert_eq!(clocks(&host, 1), ["first_response met - - 03-27 10:00", "resolution running - - -"]);
    assert_eq!(clocks(&host, 3), ["first_response paused - - -", "resolution paused - - -"]);
    now(&host, "2026-03-27T12:00:00Z");
    tell(&host, 5, 1, "closed", None);
    // An hour before closing time: one hour of it is left for this week.
    now(&host, "2026-03-27T15:00:00Z");
    assert_eq!(tell(&host, 6, 2, "new", Some("Customer")).status, 200);
    let due = |host: &TestHost| items(host, "/v1/clocks?ticket=2&clock=first_response")[0]["due"].clone();
    assert_eq!(due(&host), "2026-03-31T08:00:00.000Z");
    // The weekend: summer time begins, and the host dies and comes back.
    now(&host, "2026-03-28T12:00:00Z");
    host.kill9();
    now(&host, "2026-03-29T12:00:00Z");
    host.start_again();
    assert_eq!(due(&host), "2026-03-31T08:00:00.000Z", "deadlines are moments, not waits");
    // Tuesday.
    now(&host, "2026-03-31T07:45:00Z");
    follow_ups(&host, 2, &[("sla-warning", "first-response", 1)]);
    now(&host, "2026-03-31T08:00:00Z");
    follow_ups(&host, 2, &[("sla-warning", "first-response", 1), ("sla-breach", "first-response", 2)]);
    now(&host, "2026-03-31T09:00:00Z");
    tell(&host, 7, 2, "open", Some("Agent"));
    now(&host, "2026-03-31T10:00:00Z");
    assert_eq!(tell(&host, 8, 3, "open", Some("Customer")).status, 200, "its author is back");
    now(&host, "2026-03-31T11:00:00Z");
    follow_ups(&host, 3, &[("sla-warning", "first-response", 1)]);
    tell(&host, 9, 2, "closed", None);
    now(&host, "2026-03-31T11:15:00Z");
    tell(&host, 10, 3, "open", Some("Agent"));
    // The machine's clock jumps two days: both moments of the last open clock have passed, and each comes due once.
    now(&host, "2026-04-02T09:00:00Z");
    let all = [("sla-warning", "first-response", 1), ("sla-warning", "resolution", 1), ("sla-breach", "resolution", 2)];
    follow_ups(&host, 3, &all);
    // Back again, and another death: nothing comes twice.
    now(&host, "2026-03-31T12:00:00Z");
    host.kill9();
    now(&host, "2026-04-03T09:00:00Z");
    host.start_again();
    tell(&host, 11, 3, "closed", None);

    assert_eq!(clocks(&host, 1), ["first_response met - - 03-27 10:00", "resolution met - - 03-27 12:00"]);
    assert_eq!(
        clocks(&host, 2),
        ["first_response breached 03-31 07:30 03-31 08:00 03-31 09:00", "resolution met 03-31 10:30 - 03-31 11:00"]
    );
    assert_eq!(
        clocks(&host, 3),
        ["first_response met 03-31 11:00 - 03-31 11:15", "resolution breached 03-31 14:00 04-01 07:30 04-03 09:00"]
    );
    follow_ups(&host, 1, &[]);
    let second = [("sla-warning", "first-response", 1), ("sla-breach", "first-response", 2), ("sla-warning", "resolution", 1)];
    follow_ups(&host, 2, &second);
    follow_ups(&host, 3, &all);
    // Each is linked to what it follows, and found from its clock.
    let clock = &items(&host, "/v1/clocks?ticket=2&state=breached")[0];
    let breach = host.ask(&format!("/v1/decisions/{}", clock["breach_decision"].as_str().unwrap())).json();
    assert_eq!(breach["decision"]["follows"]["decision"], clock["decision"]);
    assert_eq!(breach["decision"]["escalation"]["audience"], json!(["supervisor"]));
    assert_ne!(clock["warning_decision"], clock["breach_decision"]);
    assert_eq!(items(&host, "/v1/clocks?state=running").len(), 0);
}

#[test]
fn a_calendar_that_is_not_there_is_told_and_the_clock_runs_around_the_clock() {
    let host = host_at(&format!("{SOURCES}{LEVELS}"), "2026-03-27T15:00:00Z");
    let decision = tell(&host, 1, 9, "new", Some("Customer")).decision();
    let dropped = decision["trace"][0]["dropped"].to_string();
    assert!(dropped.contains("there is no calendar `office`"), "{dropped}");
    let clock = &items(&host, "/v1/clocks?ticket=9&clock=first_response")[0];
    assert_eq!((&clock["due"], &clock["calendar"]), (&json!("2026-03-27T17:00:00.000Z"), &Value::Null));
    // What a desk says of a clock is not believed: only the host lets one come due.
    let spoofed =
        json!({ "id": "spoof", "text": "hello", "attributes": [{ "key": "trigger", "value": { "type": "text", "value": "sla-breach" } }] });
    let decision = host.post(spoofed.to_string()).decision();
    assert!(decision["follows"].is_null() && decision["escalation"]["level"] == 0, "{decision}");
}

/// A chain that answers kindly once an agent agrees, and a Zammad to answer through.
fn replying(desk: &Desk) -> String {
    let back = format!("base = \"{}\"\nsecret = \"file:api.secret\"\nallow_private = [\"127.0.0.1\"]\nmode = \"full\"", desk.url(""));
    let retry = "retry = { attempts = 50, base_s = 1, max_s = 1 }";
    let sources = SOURCES.replace("[sources.demo]", &format!("[sources.zammad.outbound]\n{back}\n{retry}\n[sources.demo]"));
    let step = "[[steps]]\nplugin = \"escalate\"\n[[steps.config.routes]]\nid = \"all\"\nthen = { queue = \"Desk\", priority = \"low\", reply = \"thanks\" }\n";
    format!("{sources}{step}")
}

/// Calls that say something to the author.
fn public(desk: &Desk) -> Vec<Call> {
    desk.effects().into_iter().filter(|call| call.json()["article"]["internal"] == false).collect()
}

fn waiting(host: &TestHost) -> Vec<Value> {
    items(host, "/v1/approvals?state=waiting")
}

fn rule(host: &TestHost, approval: &Value, verb: &str) -> Answer {
    send(host, "POST", &format!("/v1/approvals/{}/{verb}", approval["id"].as_str().unwrap()), r#"{"why": "as we say it"}"#)
}

/// Waits until every call that is in the outbox has arrived.
fn delivered(host: &TestHost) {
    until(SOON, "every delivery", || items(host, "/v1/deliveries?limit=200").iter().all(|row| row["state"] == "delivered").then_some(()));
}

#[test]
fn an_approved_reply_leaves_once_after_the_approval_though_the_host_dies_and_the_answer_is_lost() {
    let desk = Desk::open();
    let mut host = host_at(&replying(&desk), "2026-03-27T09:00:00Z");
    let decision = tell(&host, 1, 7, "new", Some("Customer")).decision();
    assert_eq!(decision["replies"][0]["approval"], "agent");
    delivered(&host);
    let [approval]: [Value; 1] = waiting(&host).try_into().unwrap();
    assert_eq!((&approval["kind"], &approval["needs"], &approval["decision"]), (&json!("reply"), &json!("agent"), &decision["id"]));
    assert!(public(&desk).is_empty() && !desk.effects().is_empty(), "the note is there, the reply is not");

    // Approved while nobody answers at the desk; then the host dies, and the desk takes the first try without a word.
    desk.shut();
    assert_eq!(rule(&host, &approval, "approve").json()["state"], "approved");
    rule(&host, &approval, "approve").problem(409);
    rule(&host, &approval, "reject").problem(409);
    host.kill9();
    assert!(public(&desk).is_empty());
    let silent = std::sync::atomic::AtomicBool::new(true);
    let first = move |call: &Call| call.method != "GET" && silent.swap(false, std::sync::atomic::Ordering::Relaxed);
    desk.behave(move |call| if first(call) { Mood::Mute } else { Mood::Well });
    desk.reopen();
    host.start_again();
    // The retries of this desk are counted in the host's own time.
    now(&host, "2026-03-27T10:00:00Z");
    until(SOON, "the reply", || (!public(&desk).is_empty()).then_some(()));
    now(&host, "2026-03-27T11:00:00Z");
    delivered(&host);
    let replies = public(&desk);
    assert_eq!(replies.len(), 1, "once");
    assert_eq!(replies[0].json()["article"]["body"], decision["replies"][0]["body"]);
    assert_eq!(waiting(&host).len(), 0);
    assert!(host.ask("/v1/audit?action=approval.approve").json()["items"][0]["why"] == "as we say it");
}

#[test]
fn what_is_rejected_or_not_settled_in_time_never_leaves_and_a_no_says_why() {
    let desk = Desk::open();
    let host = host_at(&replying(&desk), "2026-03-27T09:00:00Z");
    for ticket in 1..=3 {
        assert_eq!(tell(&host, ticket, ticket, "new", Some("Customer")).status, 200);
    }
    let [late, approved, rejected]: [Value; 3] = waiting(&host).try_into().unwrap();
    let unsaid = send(&host, "POST", &format!("/v1/approvals/{}/reject", rejected["id"].as_str().unwrap()), "{}");
    assert_eq!(unsaid.problem(422)["pointer"], "/why");
    assert_eq!(rule(&host, &rejected, "reject").json()["state"], "rejected");
    assert_eq!(rule(&host, &approved, "approve").json()["state"], "approved");
    now(&host, "2026-03-30T09:00:00Z");
    until(SOON, "the expiry", || (items(&host, "/v1/approvals?state=expired").len() == 1).then_some(()));
    rule(&host, &late, "approve").problem(409);
    delivered(&host);
    assert_eq!(public(&desk).len(), 1, "the approved one alone");
}

#[test]
fn a_reply_that_asks_to_leave_by_itself_waits_where_the_step_has_no_grant_and_leaves_where_it_has() {
    for (grants, kinds, said) in [("", vec!["moderation", "reply"], 0), ("grants = [\"auto-reply\"]", vec!["moderation"], 1)] {
        let desk = Desk::open();
        let config = replying(&desk);
        let (sources, _) = config.split_once("[[steps]]").unwrap();
        let host = host_at(&format!("{sources}[[steps]]\nfile = \"misbehave.wasm\"\n{grants}\n"), "2026-03-27T09:00:00Z");
        let body = json!({
            "ticket": { "id": 4, "state": { "name": "new" } },
            "article": { "id": 1, "sender": "Customer", "type": "web", "body": "reach-out", "content_type": "text/plain", "internal": false },
        });
        call(host.public, &zammad("delivery-1", ZAMMAD_KEY, body.to_string().as_bytes())).decision();
        delivered(&host);
        let asked: Vec<_> = waiting(&host).iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect();
        assert_eq!((asked, public(&desk).len()), (kinds.iter().map(|kind| kind.to_string()).collect(), said), "{grants}");
    }
}
