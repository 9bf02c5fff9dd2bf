//! What a guest returns, byte by byte, through the real sandbox and the merge law: an outcome with a name, and a decision that is JSON.
//!
//! The guest is the forged one of the black-box suite: it writes the event's text, two letters a byte, over what it returns.

#![no_main]
#![allow(dead_code, reason = "of the forge, only a part is needed here")]

#[path = "../../tests/it/forge.rs"]
mod forge;

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use signalbox::chain::{Chain, Step};
use signalbox::config::{Isolation, Limits};
use signalbox::decision::Outcome;
use signalbox::event::{Event, Timestamp};
use signalbox::plugin::{Backing, Sandbox};

/// Most bytes that are a text's worth of letters.
const MOST: usize = 3_900;

static CHAIN: LazyLock<(Sandbox, Chain)> = LazyLock::new(|| {
    let cache = tempfile::tempdir().expect("a directory").keep();
    let limits = Limits { fuel: 2_000_000, ..Limits::default() };
    // The compiler's child is this very program.
    let sandbox = Sandbox::start(&limits, std::env::current_exe().expect("this program"), cache).expect("a sandbox");
    let plugin = sandbox.load(&forge::Forged::default().wasm(), None, &limits, Isolation::Fresh).expect("the forged rule");
    let step = Step { breaker: Arc::new(signalbox::breaker::Breaker::new(0)), ..Step::plain(plugin) };
    (sandbox, Chain::new("fuzz".to_owned(), String::new(), vec![step]))
});

fuzz_target!(
    init: {
        if std::env::args().nth(1).as_deref() == Some("activate") {
            let done = signalbox::plugin::child();
            std::process::exit(i32::from(done.is_err()));
        }
        LazyLock::force(&CHAIN);
    },
    |data: &[u8]| {
        let text = forge::returning(&data[..data.len().min(MOST)]);
        let event = serde_json::json!({ "id": "fuzz", "text": text }).to_string();
        let event = Arc::new(Event::from_json(event.as_bytes()).expect("an event").event);
        let ran = CHAIN.1.run(&event, Timestamp(1_767_225_600_000), &Backing::none());
        let entry = &ran.decision.trace[0];
        let known = [Outcome::Ran, Outcome::NotApplicable, Outcome::Failed, Outcome::Malformed, Outcome::OutputTooLarge];
        assert!(known.contains(&entry.outcome), "{entry:?}");
        let json = serde_json::to_string(&ran.decision).expect("a decision is JSON");
        serde_json::from_str::<serde_json::Value>(&json).expect("that can be read");
    }
);
