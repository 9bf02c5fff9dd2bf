//! The adapters that come with the host, one TOML file each under `host/presets/`.
//!
//! Called by the configuration, by `signalbox` commands that list or print them, and by the tests. It must never hold anything that is
//! specific to one installation: an admin copies a preset and changes it.

mod beginning;

pub use self::beginning::beginning;
use super::{Adapter, AdapterError};

/// The presets, by name, as TOML.
const PRESETS: [(&str, &str); 16] = [
    ("generic", include_str!("../../presets/generic.toml")),
    ("demo", include_str!("../../presets/demo.toml")),
    ("cloudevents", include_str!("../../presets/cloudevents.toml")),
    ("zammad", include_str!("../../presets/zammad.toml")),
    ("chatwoot", include_str!("../../presets/chatwoot.toml")),
    ("zendesk-events", include_str!("../../presets/zendesk-events.toml")),
    ("zendesk-trigger", include_str!("../../presets/zendesk-trigger.toml")),
    ("jira", include_str!("../../presets/jira.toml")),
    ("freshdesk", include_str!("../../presets/freshdesk.toml")),
    ("servicenow", include_str!("../../presets/servicenow.toml")),
    ("glpi", include_str!("../../presets/glpi.toml")),
    ("itop", include_str!("../../presets/itop.toml")),
    ("freescout", include_str!("../../presets/freescout.toml")),
    ("alloy", include_str!("../../presets/alloy.toml")),
    ("telegram", include_str!("../../presets/telegram.toml")),
    ("x", include_str!("../../presets/x.toml")),
];

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// A preset's file, to print or to copy.
pub fn toml(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Bodies that are the canonical event, for desks whose admins can write the body.
const BODIES: [(&str, &str); 8] = [
    ("zammad", include_str!("../../../examples/bodies/zammad.json")),
    ("zendesk-trigger", include_str!("../../../examples/bodies/zendesk.json")),
    ("jira", include_str!("../../../examples/bodies/jira.json")),
    ("freshdesk", include_str!("../../../examples/bodies/freshdesk.json")),
    ("servicenow", include_str!("../../../examples/bodies/servicenow.json")),
    ("glpi", include_str!("../../../examples/bodies/glpi.json")),
    ("itop", include_str!("../../../examples/bodies/itop.json")),
    ("alloy", include_str!("../../../examples/bodies/alloy.json")),
];

/// The body to paste into a preset's desk, if the desk takes one.
pub fn body(name: &str) -> Option<&'static str> {
    BODIES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// A preset, resolved; `None` when there is none of that name.
///
/// # Errors
/// Never for a preset of a released host: a test reads them all.
pub fn adapter(name: &str) -> Option<Result<Adapter, AdapterError>> {
    toml(name).map(Adapter::from_toml)
}

#[cfg(test)]
#[path = "presets_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "desks_tests.rs"]
mod desks_tests;
