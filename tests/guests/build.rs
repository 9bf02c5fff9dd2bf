//! Builds the guests, and leaves their bytes where `src/lib.rs` includes them.

fn main() {
    signalbox_guest_build::build("../..".as_ref(), &["misbehave"], &["tests/guests/misbehave"]);
}
