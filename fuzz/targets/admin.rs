//! What an admin's program sends: set-ups, replays, rows, calendars, holidays. A refusal in words, or something that can be used.

#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox::calendar::{Calendar, Spec, holidays};
use signalbox::event::Timestamp;
use signalbox::replay::Request;
use signalbox::setup::Setup;
use signalbox::table::{Form, rows};

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 5 {
        0 => {
            if let Ok(setup) = serde_json::from_slice::<Setup>(rest) {
                assert!(setup.faults().iter().all(|fault| !fault.message.is_empty()));
                // What can be said in TOML says the same.
                if let Ok(text) = setup.to_toml() {
                    assert_eq!(Setup::from_toml(&text).as_ref(), Ok(&setup), "{text}");
                }
            }
        }
        1 => drop(serde_json::from_slice::<Request>(rest)),
        2 => drop(rows(rest, Form::Json, "key", None)),
        3 => drop(rows(rest, Form::Csv, "key", None)),
        _ => {
            if let Ok(spec) = serde_json::from_slice::<Spec>(rest)
                && let Ok(calendar) = Calendar::new(&spec)
            {
                let start = Timestamp(1_767_225_600_000);
                if let Some(due) = calendar.due_at(start, 7_200) {
                    assert!(due.0 >= start.0 && calendar.working_ms(start, due) >= 7_200_000, "{spec:?}");
                }
            }
            if let Ok(text) = std::str::from_utf8(rest) {
                drop(holidays(text));
            }
        }
    }
});
