//! Judges each line of stdin as one event, with the config given as the first argument: JSON proposals, line by line.

use language::Language;

fn main() {
    signalbox_sdk::testing::judge_lines::<Language>();
}
