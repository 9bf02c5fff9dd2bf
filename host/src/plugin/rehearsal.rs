//! A plugin's own example as a run: the event, what was settled, and the answers that the example brings for whoever asks.
//!
//! `services` of an example is one object; every key may be left out:
//!
//! - `settled`: what earlier steps had settled;
//! - `clock`: the moment of the run, RFC 3339;
//! - `state`: by key what the step remembers: a text, or a whole number for a count;
//! - `lookup.tables`: by table, by key, the columns of a row;
//! - `lookup.thread`: earlier messages, canonical events, the latest first;
//! - `lookup.history`: `{"step": ..., "proposal": ...}` of the steps before;
//! - `lookup.calendars`: by name `{"open": true, "due": "2026-01-02T09:00:00Z"}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::description::{Description, Example, Request};
use super::seat::{Backing, Seat};
use super::services::Subject;
use crate::ask::{Answer, Answers, Asker, Message, Nobody, Question};
use crate::config::TableLimits;
use crate::event::{Event, Timestamp};
use crate::grant::Grant;
use crate::state::{Cell, Shelves, Value as Kept};
use crate::table::{Columns, columns};
use crate::verdict::{Proposal, SoFar};

/// The moment that examples and warm-ups run at unless they say otherwise: any fixed one, so that the same bytes give the same artefact.
const MOMENT: Timestamp = Timestamp(1_767_225_600_000);

/// What the host answers in an example or a case.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Services {
    /// What the steps before have settled.
    pub settled: SoFar,
    /// The moment that `clock.now` gives.
    pub clock: Option<Timestamp>,
    state: BTreeMap<String, Value>,
    lookup: Lookup,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Lookup {
    tables: BTreeMap<String, BTreeMap<String, Map<String, Value>>>,
    thread: Vec<Event>,
    history: Vec<Prior>,
    calendars: BTreeMap<String, Calendar>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Prior {
    step: String,
    proposal: Proposal,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Calendar {
    open: Option<bool>,
    due: Option<Timestamp>,
}

/// One example, ready to be run.
pub struct Rehearsal {
    /// Its event.
    pub subject: Arc<Subject>,
    /// What was settled before.
    pub settled: SoFar,
    services: Services,
    tables: BTreeMap<String, BTreeMap<String, Columns>>,
    grants: Vec<Grant>,
}

impl Rehearsal {
    /// Reads an example.
    ///
    /// # Errors
    /// What of it cannot be read.
    pub fn of(description: &Description, example: &Example) -> Result<Self, String> {
        let event = Event::from_json(example.event.to_string().as_bytes())
            .map_err(|error| format!("its `event` is not a canonical event: {error}"))?;
        let services: Services = match &example.services {
            Some(services) => serde_json::from_value(services.clone()).map_err(|error| format!("its `services`: {error}"))?,
            None => Services::default(),
        };
        Self::new(&description.requests, event.event, services)
    }

    /// The run of an event by a plugin that requests this much, with these answers.
    ///
    /// # Errors
    /// What of the answers cannot be read.
    pub fn new(requests: &[Request], event: Event, services: Services) -> Result<Self, String> {
        let mut tables = BTreeMap::new();
        for (name, rows) in &services.lookup.tables {
            let row = |(key, row): (&String, &Map<String, Value>)| Ok((key.clone(), columns(row, None, &TableLimits::default())?));
            let rows: Result<_, crate::table::Fault> = rows.iter().map(row).collect();
            tables.insert(name.clone(), rows.map_err(|fault| format!("its `services`: the table `{name}`: {}{fault}", fault.pointer))?);
        }
        // What it asks for it is given, and what its example has for it.
        let mut grants: Vec<Grant> = requests.iter().filter_map(|request| request.grant.parse().ok()).collect();
        grants.push(Grant::State);
        grants.extend(tables.keys().map(|table| Grant::Lookup(table.clone())));
        if !services.lookup.thread.is_empty() {
            grants.push(Grant::Lookup("thread".to_owned()));
        }
        let subject = Subject::new(Arc::new(event), services.clock.unwrap_or(MOMENT));
        Ok(Self { subject, settled: services.settled.clone(), services, tables, grants })
    }

    /// The same with another event: for a warm-up.
    pub fn of_event(event: Event) -> Self {
        let subject = Subject::new(Arc::new(event), MOMENT);
        Self { subject, settled: SoFar::default(), services: Services::default(), tables: BTreeMap::new(), grants: vec![Grant::State] }
    }

    /// A place with its answers, as if it were the first run.
    pub fn seat(&self) -> Seat {
        let history = self.services.lookup.history.iter().map(|prior| (prior.step.clone(), prior.proposal.clone())).collect();
        Seat::new("example", "example", &self.grants, &self.backing("example", "example"), Arc::new(history), self.subject.moment())
    }

    /// What it may ask.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Its answers behind a step of a chain, as if it were the first run.
    pub fn backing(&self, chain: &str, step: &str) -> Backing {
        let shelves = Shelves::default();
        let shelf = shelves.shelf(&format!("{chain}/{step}"));
        for (key, value) in &self.services.state {
            let value = match (value.as_i64(), value.as_str()) {
                (Some(count), _) => Kept::Count(count),
                (None, Some(text)) => Kept::Bytes(text.as_bytes().to_vec()),
                (None, None) => Kept::Bytes(value.to_string().into_bytes()),
            };
            shelf.seed(key, Some(Cell { value, expires: None }));
        }
        let answers = Arc::new(Said { tables: self.tables.clone(), lookup: self.services.lookup.clone() });
        Backing { answers, shelves: Arc::new(shelves) }
    }
}

/// An example's answers.
struct Said {
    tables: BTreeMap<String, BTreeMap<String, Columns>>,
    lookup: Lookup,
}

impl Answers for Said {
    fn answer(&self, asker: &Asker<'_>, question: &Question) -> Answer {
        let said = match question {
            Question::Row { table, key } => self.tables.get(table).map(|rows| Answer::Row(rows.get(key).cloned())),
            Question::Rows { table, limit } => self
                .tables
                .get(table)
                .map(|rows| Answer::Rows(rows.iter().take(*limit as usize).map(|(key, row)| (key.clone(), row.clone())).collect())),
            Question::Thread { limit, .. } => {
                let messages = self.lookup.thread.iter().zip(0..).take(*limit as usize);
                Some(Answer::Thread(messages.map(|(event, seq)| Message { seq, event: Some(Arc::new(event.clone())) }).collect()))
            }
            Question::OpenAt { calendar, .. } => self.lookup.calendars.get(calendar).and_then(|calendar| calendar.open).map(Answer::Open),
            Question::DueAt { calendar, .. } => self.lookup.calendars.get(calendar).and_then(|calendar| calendar.due).map(Answer::Due),
        };
        said.unwrap_or_else(|| Nobody.answer(asker, question))
    }
}
