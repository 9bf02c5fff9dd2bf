//! Bytes as somebody uploads them, against what the serving process itself looks at: a refusal in one line, or an outline in bounds.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use signalbox::config::Limits;
use signalbox::plugin::look;

static LIMITS: LazyLock<Limits> = LazyLock::new(Limits::default);

fuzz_target!(|data: &[u8]| {
    match look(data, &LIMITS) {
        Err(refusal) => {
            let said = refusal.to_string();
            assert!(!said.is_empty() && !said.chars().any(char::is_control), "{said:?}");
            assert!(said.chars().count() < 2_000, "{said}");
        }
        Ok(outline) => {
            assert!(outline.functions <= LIMITS.functions && outline.sections.len() <= 64);
            assert!(outline.sections.iter().all(|section| !section.name.chars().any(char::is_control)));
        }
    }
});
