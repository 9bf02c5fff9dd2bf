//! The beginning of a source: what to write into the config, and what to click in the desk.
//!
//! Printed by `signalbox source new`, shown by the console. It must never hold a secret: it says where one is read from.

use std::fmt::Write as _;

use super::body;
use crate::source::Adapter;

/// Characters of a comment's line.
const WIDTH: usize = 110;

/// A source of this name that begins with a preset, as it stands in the config file.
pub fn beginning(adapter: &Adapter, preset: &str, name: &str) -> String {
    let upper: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    let mut text = String::new();
    for line in wrapped(&adapter.about().description.replace("this source", "the source"), WIDTH) {
        let _ = writeln!(text, "# {line}");
    }
    let _ = writeln!(
        text,
        "#\n# The url of the source: https://HOST/hooks/{name}, or http://HOST:8640/hooks/{name} without a proxy that does TLS."
    );
    if body(preset).is_some() {
        let _ = writeln!(text, "# A body to paste that is the whole event: signalbox source show {preset} --body");
    }
    let _ = writeln!(
        text,
        "# Try it before you connect it: signalbox source test {name} --payload FILE --headers FILE --config signalbox.toml"
    );
    let _ = writeln!(text, "\n[sources.{name}]\npreset = \"{preset}\"");
    if adapter.needs_secret() {
        let _ = writeln!(text, "secrets = [\"env:{upper}_HOOK_SECRET\"] # or \"file:PATH\"; two while it is being changed");
    }
    if adapter.names_actors() {
        let _ = writeln!(text, "# own_user = \"...\" # the user that decisions are written back as: what it does is dropped");
    }
    if adapter.writes_back() {
        let wants = adapter.outbound_wants();
        let _ = writeln!(text, "\n# [sources.{name}.outbound]\n# base = \"https://desk.example.com\"");
        let _ = writeln!(text, "# secret = \"env:{upper}_API_SECRET\"");
        for key in wants {
            let _ = writeln!(text, "# {key} = \"...\"");
        }
        text.push_str("# mode = \"note-only\" # then \"full\"; \"shadow\" shows what would be sent, \"off\" makes nothing\n");
        text.push_str("# queues = { \"Service Desk\" = \"...\" } # the desk's name or id of each queue that the rules name\n");
    }
    text
}

/// Lines of about so many characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().filter(|line| line.len() + word.len() < width);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}
