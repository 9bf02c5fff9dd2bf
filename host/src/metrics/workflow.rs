//! What is counted around decisions: alerts by what became of them, approvals by how they ended.
//!
//! Sinks are the config's, the rest are closed lists: no label comes from an event.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use super::{Page, bump, read};

/// What may become of an alert.
const RESULTS: [&str; 3] = ["raised", "repeated", "unheard"];
/// What a person, or nobody, says of what waits.
const RULINGS: [&str; 4] = ["asked", "approved", "rejected", "expired"];

/// Alerts and approvals since the start.
#[derive(Debug, Default)]
pub struct Workflow {
    alerts: [AtomicU64; RESULTS.len()],
    /// Told, and held back.
    sinks: BTreeMap<String, [AtomicU64; 2]>,
    approvals: [AtomicU64; RULINGS.len()],
}

impl Workflow {
    /// Nothing counted yet, for these sinks of alerts.
    pub fn new<'a>(sinks: impl Iterator<Item = &'a String>) -> Self {
        Self { sinks: sinks.map(|name| (name.clone(), Default::default())).collect(), ..Self::default() }
    }

    /// An alert is new.
    pub fn raised(&self) {
        bump(&self.alerts[0]);
    }

    /// An alert is one that was raised already.
    pub fn repeated(&self) {
        bump(&self.alerts[1]);
    }

    /// An alert that nobody hears.
    pub fn unheard(&self) {
        bump(&self.alerts[2]);
    }

    /// A sink is told of an alert.
    pub fn told(&self, sink: &str) {
        self.sinks.get(sink).into_iter().for_each(|counts| bump(&counts[0]));
    }

    /// A sink has had its fill.
    pub fn held(&self, sink: &str) {
        self.sinks.get(sink).into_iter().for_each(|counts| bump(&counts[1]));
    }

    /// So many things wait for a person from now on.
    pub fn asked(&self, count: usize) {
        (0..count).for_each(|_| bump(&self.approvals[0]));
    }

    /// A person has said yes or no.
    pub fn ruled(&self, approved: bool) {
        bump(&self.approvals[if approved { 1 } else { 2 }]);
    }

    /// Nobody has said anything in time.
    pub fn expired(&self, count: usize) {
        (0..count).for_each(|_| bump(&self.approvals[3]));
    }

    pub(super) fn write(&self, page: &mut Page) {
        page.family(
            "signalbox_alerts_total",
            "counter",
            "Alerts, by what became of them: new, a repeat of one, or without a sink that hears it.",
        );
        for (result, count) in RESULTS.into_iter().zip(&self.alerts) {
            page.sample("signalbox_alerts_total", &[("result", result)], read(count));
        }
        page.family(
            "signalbox_alerts_told_total",
            "counter",
            "Alerts that a sink is told of, and those held back because it had its fill.",
        );
        for (sink, counts) in &self.sinks {
            for (result, count) in ["sent", "held"].into_iter().zip(counts) {
                page.sample("signalbox_alerts_told_total", &[("sink", sink), ("result", result)], read(count));
            }
        }
        page.family("signalbox_approvals_total", "counter", "What waited for a person: asked, and how it ended.");
        for (result, count) in RULINGS.into_iter().zip(&self.approvals) {
            page.sample("signalbox_approvals_total", &[("result", result)], read(count));
        }
    }
}
