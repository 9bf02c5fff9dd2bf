//! Judges each line of stdin as one event, with the config given as the first argument: JSON proposals, line by line.

use guard::Guard;

fn main() {
    signalbox_sdk::testing::judge_lines::<Guard>();
}
