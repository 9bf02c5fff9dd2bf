//! Whom an alert reaches: which sinks hear it, who is on call, and the summary of what a sink was spared.

use std::collections::BTreeSet;

use super::App;
use crate::alert::{HeldBack, OnCall, Raised};
use crate::config::{AlertConfig, AlertWay, address};
use crate::decision::Decision;
use crate::event::{Event, Timestamp};
use crate::outgoing::{Mode, Outgoing};
use crate::store::{NewAlert, Rung, Spared, State, StoreError, Told};
use crate::table::{Row, object};

impl App {
    /// The alerts of a decision, each with what would be said to whom. Which of them are new is settled in the commit of the decision.
    pub(super) fn raised(&self, event: &Event, decision: &Decision) -> Vec<NewAlert> {
        let mut raised = Vec::new();
        for (at, alert) in (1..).zip(&decision.alerts) {
            let id = format!("{}-alert-{at}", decision.head.id);
            let on_call = self.on_call(&alert.audience, decision);
            let one = Raised { id: &id, alert, event, decision, on_call: on_call.as_ref() };
            let heard = self.alert_sinks.iter().filter(|(_, sink)| sink.hears(&alert.audience, &event.source, alert.level));
            let told: Vec<Told> = heard.map(|(name, sink)| self.told(name, sink, &one, at)).collect();
            if told.iter().all(|told| told.calls.is_empty()) {
                tracing::warn!(
                    audience = alert.audience,
                    decision = decision.head.id,
                    "an alert has nobody who hears it; see [alerts] in the config"
                );
            }
            let on_call = on_call.map(|on_call| on_call.json().to_string());
            raised.push(NewAlert { id, alert: alert.clone(), on_call, told });
        }
        raised
    }

    /// The row of the on-call table for an audience, else that of the rota that the decision names.
    fn on_call(&self, audience: &str, decision: &Decision) -> Option<OnCall> {
        let book = self.tables.book();
        let table = book.table(&self.workflow.on_call)?;
        let rota = decision.assignment.as_ref().and_then(|assignment| assignment.on_call.as_deref());
        let found = |key: &str| table.rows.get(key).map(|Row { columns, .. }| OnCall { key: key.to_owned(), columns: object(columns) });
        found(audience).or_else(|| found(rota?))
    }

    fn told(&self, name: &str, sink: &AlertConfig, one: &Raised<'_>, at: usize) -> Told {
        let (target, calls, mode) = match &sink.way {
            AlertWay::Webhook { path, .. } => (format!("alerts.{name}"), vec![one.webhook(path)], sink.mode),
            AlertWay::Mail { to, .. } => {
                let on_call: Vec<String> = one.on_call.map(OnCall::emails).unwrap_or_default();
                let on_call: BTreeSet<&String> = on_call.iter().filter(|email| address(email)).collect();
                let to: BTreeSet<&String> = if on_call.is_empty() { to.iter().collect() } else { on_call };
                (format!("alerts.{name}"), to.into_iter().map(|to| one.mail(to)).collect(), sink.mode)
            }
            AlertWay::Note => {
                let outbound = self.sources.get(&one.event.source).and_then(|source| source.outbound());
                let calls = outbound.map(|outbound| outbound.alert(one.event, one.decision, at, &one.lines())).unwrap_or_default();
                // What the desk is told at all is the source's to say.
                let mode = match (outbound.map_or(Mode::Off, |outbound| outbound.mode), sink.mode) {
                    (Mode::Shadow, _) | (_, Mode::Shadow) => Mode::Shadow,
                    (mode, _) => mode,
                };
                (format!("sources.{}", one.event.source), if mode == Mode::Off { Vec::new() } else { calls }, mode)
            }
        };
        let state = match mode {
            Mode::Shadow => State::Shadow,
            _ if one.decision.held.is_some() => State::Parked,
            _ => State::Waiting,
        };
        Told { sink: name.to_owned(), target, state, calls, max_per_hour: sink.max_per_hour() }
    }

    /// Counts what became of alerts.
    pub(super) fn rung(&self, rung: &[Rung]) {
        for rung in rung {
            match rung {
                Rung::Raised => self.metrics.workflow.raised(),
                Rung::Repeated => self.metrics.workflow.repeated(),
                Rung::Unheard => self.metrics.workflow.unheard(),
                Rung::Sent(sink) => self.metrics.workflow.told(sink),
                Rung::Held(sink) => self.metrics.workflow.held(sink),
            }
        }
    }

    /// Tells every sink that has room again what it was spared.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read or written: then it is told later.
    pub(super) async fn summarise(&self, now: Timestamp) -> Result<(), StoreError> {
        for name in self.store.spared().await? {
            let Some(sink) = self.alert_sinks.get(&name) else { continue };
            let Some(most) = sink.max_per_hour() else { continue };
            let way = sink.way.clone();
            let make = move |id: &str, spared: &Spared| summary(&way, id, spared, now);
            let count = self.store.summarise(&name, most, now, make).await?;
            if count > 0 {
                tracing::warn!(sink = name, count, "alerts were held back; a summary of them is on its way");
                self.delivery.wake();
            }
        }
        Ok(())
    }
}

fn summary(way: &AlertWay, id: &str, spared: &Spared, now: Timestamp) -> Vec<Outgoing> {
    let (first, last) = spared.between;
    let held = HeldBack { count: spared.count, between: (first.to_string(), last.to_string()), named: spared.named.clone() };
    match way {
        AlertWay::Webhook { path, .. } => vec![held.webhook(path, id, &now.to_string())],
        AlertWay::Mail { to, .. } => to.iter().map(|to| held.mail(to)).collect(),
        AlertWay::Note => Vec::new(),
    }
}
