//! What a step may ask the host about the world beyond its event, and what it is told.
//!
//! Plain data and one trait. `plugin/` turns a guest's calls into questions and counts, bounds and records them; who answers is wired by
//! `app.rs`: the live tables and the journal, the record of a run for its replay, an example's own answers. A question without an
//! answer is never an error of the run.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{Event, Timestamp};
use crate::state::{Cell, Effect};
use crate::table::Columns;

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Question {
    /// A row of a table.
    Row {
        /// The table.
        table: String,
        /// The row.
        key: String,
    },
    /// Rows of a table, by key.
    Rows {
        /// The table.
        table: String,
        /// At most so many.
        limit: u32,
    },
    /// Earlier messages of a thread, the latest first.
    Thread {
        /// The thread.
        thread: String,
        /// At most so many.
        limit: u32,
    },
    /// Whether a calendar is open.
    OpenAt {
        /// The calendar.
        calendar: String,
        /// When.
        at: Timestamp,
    },
    /// When so much working time has passed.
    DueAt {
        /// The calendar.
        calendar: String,
        /// From then on.
        start: Timestamp,
        /// So much.
        working_seconds: u32,
    },
}

impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Row { table, key } => write!(f, "row `{key}` of the table `{table}`"),
            Self::Rows { table, limit } => write!(f, "{limit} rows of the table `{table}`"),
            Self::Thread { limit, .. } => write!(f, "{limit} messages of the thread"),
            Self::OpenAt { calendar, .. } => write!(f, "whether the calendar `{calendar}` is open"),
            Self::DueAt { calendar, .. } => write!(f, "when time is up on the calendar `{calendar}`"),
        }
    }
}

/// What a step is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "told", content = "value", rename_all = "snake_case")]
pub enum Answer {
    /// The row, if it is there.
    Row(Option<Columns>),
    /// Key and row.
    Rows(Vec<(String, Columns)>),
    /// The latest first.
    Thread(Vec<Message>),
    /// Open, or not.
    Open(bool),
    /// Then.
    Due(Timestamp),
    /// Nobody knows, and why.
    Unavailable(String),
}

impl Answer {
    /// Bytes that it holds in memory, about.
    pub fn weight(&self) -> usize {
        let columns = |columns: &Columns| columns.iter().map(crate::event::Attribute::weight).sum::<usize>();
        match self {
            Self::Row(row) => row.as_ref().map_or(0, columns),
            Self::Rows(rows) => rows.iter().map(|(key, row)| key.len() + columns(row)).sum(),
            Self::Thread(messages) => messages.len() * size_of::<Message>(),
            Self::Open(_) | Self::Due(_) => size_of::<u64>(),
            Self::Unavailable(why) => why.len(),
        }
    }
}

/// An earlier message. In a record only its place in the journal is kept: what somebody wrote is in one place, and is forgotten there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Message {
    /// Its place in the journal.
    pub seq: i64,
    /// What it was.
    #[serde(skip)]
    pub event: Option<Arc<Event>>,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The step, by its name.
    pub step: &'a str,
    /// The event it judges.
    pub event: &'a Event,
    /// The moment of the run.
    pub now: Timestamp,
}

/// Somebody who answers.
pub trait Answers: Send + Sync {
    /// Answers here and now; only [`Question::Thread`] may take as long as a read of the disk.
    fn answer(&self, asker: &Asker<'_>, question: &Question) -> Answer;
}

/// Nobody: for runs without a host behind them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Answers for Nobody {
    fn answer(&self, _: &Asker<'_>, question: &Question) -> Answer {
        Answer::Unavailable(match question {
            Question::OpenAt { calendar, .. } | Question::DueAt { calendar, .. } => format!("there is no calendar `{calendar}` here"),
            Question::Row { table, .. } | Question::Rows { table, .. } => {
                format!("there is no table `{table}` here: nothing is kept outside a running host")
            }
            Question::Thread { .. } => "there are no earlier messages here: nothing is kept outside a running host".to_owned(),
        })
    }
}

/// Business calendars, by name.
pub trait Calendars: Send + Sync {
    /// Whether one is open.
    ///
    /// # Errors
    /// Why nobody can say.
    fn open_at(&self, calendar: &str, at: Timestamp) -> Result<bool, String>;

    /// The moment so much working time after `start`.
    ///
    /// # Errors
    /// Why nobody can say.
    fn due_at(&self, calendar: &str, start: Timestamp, working_seconds: u32) -> Result<Timestamp, String>;
}

/// What one step asked and was told in one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The step, by its name.
    pub step: String,
    /// In the order it asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<(Question, Answer)>,
    /// What keys of its state held before the run, as far as it looked.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub read: BTreeMap<String, Option<Cell>>,
    /// What it did to them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub wrote: BTreeMap<String, Effect>,
}

/// What the steps of a run asked and were told, as it is kept with the decision: at most so many bytes of it, the first things first.
/// Nothing when they asked nothing.
pub fn record(asked: &[Asked], most: usize) -> Option<String> {
    let mut left = most;
    fn fits<T: Serialize>(left: &mut usize, thing: &T) -> bool {
        let bytes = serde_json::to_string(thing).map_or(usize::MAX, |json| json.len());
        let fits = bytes <= *left;
        *left = if fits { *left - bytes } else { 0 };
        fits
    }
    let kept = asked.iter().map(|step| Asked {
        step: step.step.clone(),
        answers: step.answers.iter().take_while(|one| fits(&mut left, one)).cloned().collect(),
        read: step.read.iter().filter(|one| fits(&mut left, one)).map(|(key, cell)| (key.clone(), cell.clone())).collect(),
        wrote: step.wrote.iter().filter(|one| fits(&mut left, one)).map(|(key, effect)| (key.clone(), effect.clone())).collect(),
    });
    let kept: Vec<Asked> = kept.filter(|step| !step.answers.is_empty() || !step.read.is_empty() || !step.wrote.is_empty()).collect();
    if kept.is_empty() { None } else { serde_json::to_string(&kept).ok() }
}

impl Asked {
    /// What it was told to a question, if it asked.
    pub fn told(&self, question: &Question) -> Option<&Answer> {
        self.answers.iter().find(|(asked, _)| asked == question).map(|(_, told)| told)
    }
}
