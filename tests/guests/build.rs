//! Builds the guests, and leaves their bytes where `src/lib.rs` includes them.

fn main() {
    signalbox_guest_build::build(
        "../..".as_ref(),
        &["misbehave", "boundary", "curious"],
        &["tests/guests/misbehave", "tests/guests/boundary", "tests/guests/curious"],
    );
}
