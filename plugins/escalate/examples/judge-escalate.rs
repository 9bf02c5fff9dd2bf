//! Judges each line of stdin as one event, with the config given as the first argument: JSON proposals, line by line.

use escalate::Escalate;

fn main() {
    signalbox_sdk::testing::judge_lines::<Escalate>();
}
