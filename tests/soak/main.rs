//! What takes minutes: kills by the hundred, a fault at every write, a full disk, a flood, a long run. `just reliability` runs it.
//!
//! Not a part of `cargo test`. Each test holds its floor (nothing lost, nothing doubled, no wrong start) and prints a line of the table of
//! `docs/reliability.md`. Times are printed and never asserted: they are the machine's.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where, and ends")]
#![expect(clippy::print_stderr, reason = "the table, and a failed host's log")]

#[path = "../it/bad_call.rs"]
#[allow(dead_code, reason = "of the black-box suite, which uses all of it")]
mod bad_call;
#[path = "../it/desk.rs"]
#[allow(dead_code, reason = "of the black-box suite, which uses all of it")]
mod desk;
mod disk;
mod faults;
#[path = "../it/forge.rs"]
#[allow(dead_code, reason = "of the black-box suite, which uses all of it")]
mod forge;
#[path = "../it/harness.rs"]
#[allow(dead_code, reason = "of the black-box suite, which uses all of it")]
mod harness;
mod hostile;
mod load;
mod timing;
#[path = "../it/wire.rs"]
#[allow(dead_code, reason = "of the black-box suite, which uses all of it")]
mod wire;

/// A line of the table.
fn figure(what: &str, came: &str) {
    eprintln!("| {what} | {came} |");
}
