//! Decisions written back to a desk that honours no key: each note once, and what the desk makes of a note starts no loop.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::delivery::{EVENTS, decided, deliveries, outlive, settled};
use crate::desk::{Desk, Mood};
use crate::harness::{SOON, SOURCES, TestHost, ZAMMAD_KEY, fresh, prepared, until, zammad};
use crate::wire::{Answer, Request, call};

/// The login that the host writes back with.
const OWN: &str = "rules@example.com";

/// A host whose source `zammad` writes back to this desk; `more` are further keys of its way back.
fn host(desk: &Desk, more: &str) -> TestHost {
    let back = format!("base = \"{}\"\nsecret = \"file:api.secret\"\nallow_private = [\"127.0.0.1\"]\n{more}\n", desk.url(""));
    let own = format!("[sources.zammad]\nown_user = \"{OWN}\"\nmax_per_second = 100000");
    let config =
        SOURCES.replace("[sources.zammad]", &own).replace("[sources.demo]", &format!("[sources.zammad.outbound]\n{back}[sources.demo]"));
    let dir = prepared(Some(&config));
    std::fs::write(dir.path().join("api.secret"), "a token").unwrap();
    TestHost::in_dir(dir)
}

/// A customer's article on a ticket, as Zammad tells it.
fn article(id: u64, ticket: u64) -> Value {
    let mut body: Value = serde_json::from_slice(include_bytes!("../fixtures/webhooks/zammad-ticket-default.json")).unwrap();
    (body["article"]["id"], body["article"]["ticket_id"], body["ticket"]["id"]) = (json!(id), json!(ticket), json!(ticket));
    body["article"]["body"] = json!(format!("The VPN is down, {id}."));
    body
}

fn sent(body: &Value) -> Request {
    zammad(&fresh("z"), ZAMMAD_KEY, body.to_string().as_bytes())
}

#[test]
fn a_thousand_notes_outlive_the_same_though_their_desk_honours_no_key() {
    let desk = Desk::open();
    let mut host = host(&desk, "mode = \"note-only\"\nretry = { attempts = 50, base_s = 0.01, max_s = 0.1 }");
    outlive(&desk, &mut host, "sources.zammad", |at| {
        let body = article(50_000 + at as u64, 500 + at as u64).to_string();
        zammad(&format!("thousand-{at}"), ZAMMAD_KEY, body.as_bytes())
    });
    let effects = desk.effects();
    assert!(effects.iter().all(|call| call.header("idempotency-key").is_none() && call.header("webhook-id").is_none()));
    let tickets: BTreeSet<&str> = effects.iter().map(|call| call.path.as_str()).collect();
    assert_eq!((tickets.len(), effects.len()), (EVENTS, EVENTS), "every ticket has its note, none has two");
    let marks: BTreeSet<String> = effects.iter().map(|call| mark(&call.json())).collect();
    assert_eq!(marks, decided(&host));
    assert!(desk.calls().len() > EVENTS, "the desk was rough enough for reads");
}

/// The decision that a note says it is about.
fn mark(note: &Value) -> String {
    let text = note["article"]["body"].as_str().unwrap();
    let (_, mark) = text.rsplit_once("signalbox:").unwrap();
    mark.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

#[test]
fn a_source_writes_back_once_though_the_answer_to_its_note_was_lost() {
    let desk = Desk::open();
    let first = AtomicUsize::new(0);
    desk.behave(move |_| if first.fetch_add(1, Ordering::Relaxed) == 0 { Mood::Mute } else { Mood::Well });
    let host = host(&desk, "retry = { attempts = 5, base_s = 1, max_s = 1 }\nmode = \"full\"");
    let body = include_bytes!("../fixtures/webhooks/zammad-ticket-default.json");
    let decision = call(host.public, &zammad("z-1", ZAMMAD_KEY, body)).decision();
    let made = deliveries(&host, "target=sources.zammad").len() as u64;
    assert!(made > 1, "a note and more");
    settled(&host, "sources.zammad", "delivered", made);
    let mark = format!("signalbox:{}", decision["id"].as_str().unwrap());
    let notes = desk.effects().iter().filter(|call| String::from_utf8_lossy(&call.body).contains(&mark)).count();
    assert_eq!((notes, desk.effects().len() as u64), (1, made), "each call once, the note too");
    assert!(desk.calls().iter().all(|call| call.header("authorization") == Some("Token token=a token")));
    assert!(!deliveries(&host, "").iter().any(|row| row.to_string().contains("a token")), "no secret is kept");
}

#[test]
fn what_our_own_note_makes_the_desk_send_is_dropped_and_what_others_write_is_not() {
    let desk = Desk::open();
    let host = host(&desk, "mode = \"note-only\"");
    let (public, echoes) = (host.public, Arc::<Mutex<Vec<Answer>>>::default());
    let heard = Arc::clone(&echoes);
    // The desk's trigger fires for our note as for any article: public, of a customer as far as it knows, by our own user.
    desk.after(move |_| {
        let mut heard = heard.lock().unwrap();
        let mut body = article(9_000 + heard.len() as u64, 81);
        body["article"]["created_by"]["login"] = json!(OWN);
        heard.push(call(public, &sent(&body)));
    });
    for id in 1..=3 {
        call(host.public, &sent(&article(id, 81))).decision();
        until(SOON, "the echo", || (echoes.lock().unwrap().len() as u64 == id).then_some(()));
    }
    for echo in echoes.lock().unwrap().iter() {
        assert_eq!((echo.status, echo.header("signalbox-dropped")), (204, Some("our own write-back")), "{}", echo.text());
    }
    settled(&host, "sources.zammad", "delivered", 3);
    assert_eq!((desk.effects().len(), deliveries(&host, "").len()), (3, 3), "three notes for three articles of others");
}
