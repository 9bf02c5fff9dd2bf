//! The event's normal text, and the way from it back to the raw text that evidence must point into.
//!
//! On wasm it asks the host's `normal`; natively (tests) the raw text is its own normal form.

use crate::{Event, Proposal, Span};

/// The event's text with tricks removed.
pub fn normal_text(event: &Event) -> String {
    #[cfg(target_arch = "wasm32")]
    {
        let _ = event;
        crate::services::normal::text()
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        event.text.clone()
    }
}

/// Moves evidence in "text" from spans of the normal text to spans and words of the raw text.
pub fn point_at_raw(proposals: &mut [Proposal], event: &Event, normal: &str) {
    if normal == event.text {
        return;
    }
    for evidence in proposals.iter_mut().flat_map(|p| &mut p.evidence).filter(|e| e.field == "text") {
        if let Some(span) = evidence.span {
            let span = original(span);
            if let Some(words) = event.text.get(span.start as usize..span.end as usize) {
                evidence.text = words.to_owned();
            }
            evidence.span = Some(span);
        }
    }
}

fn original(span: Span) -> Span {
    #[cfg(target_arch = "wasm32")]
    {
        crate::services::normal::original(span)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        span
    }
}
