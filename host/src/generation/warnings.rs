//! What is odd about a set-up that can be built: not wrong, but hardly meant.
//!
//! Told with every change of the set-up, and on a dry run. It must never keep a change from being made.

use super::Generation;
use crate::grant::Grant;
use crate::plugin::Plugin;
use crate::setup::{Problem, escape};

/// Effects that only move to the stricter side without the grant `lower`.
const STRICT: [&str; 6] = ["set-urgency", "set-impact", "set-priority", "set-crisis", "escalate", "set-sla"];
/// The table of the grant for earlier messages.
const THREAD: &str = "thread";

impl Generation {
    /// Everything that is odd, given which sources and tables there are.
    pub fn warnings(&self, is_source: impl Fn(&str) -> bool, is_table: impl Fn(&str) -> bool) -> Vec<Problem> {
        let mut warnings = Vec::new();
        for (source, chain) in self.setup.routes.iter().filter(|(source, _)| !is_source(source)) {
            let message = format!("the route to chain `{chain}` waits for a source `{source}` that is not in the config; is it spelt so?");
            warnings.push(Problem { pointer: format!("/routes/{}", escape(source)), message });
        }
        for (name, chain) in &self.chains {
            for (at, step) in chain.steps.iter().enumerate() {
                let mut warn = |of: usize, message: String| {
                    let pointer = format!("/chains/{}/steps/{at}/grants/{of}", escape(name));
                    warnings.push(Problem { pointer, message: format!("step `{}`: {message}", step.name) });
                };
                let grants = &step.terms.grants;
                for (of, grant) in grants.iter().enumerate() {
                    match grant {
                        Grant::Lookup(table) if table != THREAD && step.plugin.reach().tables && !is_table(table) => {
                            warn(
                                of,
                                format!(
                                    "the grant `{grant}` is for a table that is not there; `signalbox table import {table} FILE` makes one"
                                ),
                            );
                        }
                        _ => {}
                    }
                    if let Some(why) = idle(grant, &step.plugin) {
                        warn(of, format!("the grant `{grant}` has no effect: {why}; leave it out"));
                    }
                }
                let tables = grants.iter().any(|grant| matches!(grant, Grant::Lookup(table) if table != THREAD));
                if step.plugin.reach().tables && !tables {
                    warn(grants.len(), "its plugin looks tables up and may read none; add `lookup:TABLE` to its `grants`".to_owned());
                }
                if step.plugin.reach().thread && !grants.contains(&Grant::Lookup(THREAD.to_owned())) {
                    warn(grants.len(), "its plugin reads earlier messages and may not; add `lookup:thread` to its `grants`".to_owned());
                }
            }
        }
        warnings
    }
}

/// Why a grant changes nothing for a plugin, if so.
fn idle(grant: &Grant, plugin: &Plugin) -> Option<&'static str> {
    let (description, reach) = (plugin.description(), plugin.reach());
    let proposes = |effects: &[&str]| description.effects.iter().any(|effect| effects.contains(&effect.as_str()));
    let asks = description.requests.iter().any(|request| request.grant == grant.to_string());
    match grant {
        Grant::Lower => (!proposes(&STRICT)).then_some("the plugin proposes nothing that could be lowered"),
        Grant::Stop => (!asks).then_some("the plugin never asks for it"),
        Grant::AutoReply => (!proposes(&["draft-reply"])).then_some("the plugin drafts no replies"),
        Grant::Moderate(_) => (!proposes(&["moderate"])).then_some("the plugin moderates nothing"),
        Grant::State => (!reach.state).then_some("the plugin remembers nothing"),
        Grant::Lookup(table) if table == THREAD => (!reach.thread).then_some("the plugin reads no earlier messages"),
        Grant::Lookup(_) => (!reach.tables).then_some("the plugin looks no tables up"),
        Grant::Http(_) | Grant::Secret(_) => Some("outbound http is not here for plugins"),
    }
}
