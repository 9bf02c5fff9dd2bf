//! Builds the bundled plugins, and leaves their bytes where `src/lib.rs` includes them.

fn main() {
    signalbox_guest_build::build(
        "../..".as_ref(),
        &["categorize", "sentiment", "escalate", "urgency", "guard", "language", "sla", "reply", "outage"],
        &[
            "plugins/model",
            "plugins/categorize",
            "plugins/sentiment",
            "plugins/escalate",
            "plugins/urgency",
            "plugins/guard",
            "plugins/language",
            "plugins/sla",
            "plugins/reply",
            "plugins/outage",
        ],
    );
}
