//! Who answers what steps ask: the live tables, the journal's threads, the calendars.
//!
//! Wired by `app.rs`. It answers from memory, but for threads, which are one bounded read of an index.

use std::sync::Arc;

use crate::ask::{Answer, Answers, Asker, Question};
use crate::calendar::Calendars;
use crate::event::{Event, Timestamp};
use crate::replay::Archive;
use crate::store::Store;
use crate::tables::Tables;

/// The host as it is now.
pub struct Live {
    /// The admin's tables.
    pub tables: Arc<Tables>,
    /// The journal.
    pub store: Store,
    /// Business calendars.
    pub calendars: Arc<dyn crate::ask::Calendars>,
}

impl Answers for Live {
    fn answer(&self, asker: &Asker<'_>, question: &Question) -> Answer {
        match question {
            Question::Row { table, key } => match self.tables.book().table(table) {
                Some(found) => Answer::Row(found.rows.get(key).map(|row| row.columns.clone())),
                None => no_table(table),
            },
            Question::Rows { table, limit } => match self.tables.book().table(table) {
                Some(found) => {
                    let rows = found.rows.iter().take(*limit as usize);
                    Answer::Rows(rows.map(|(key, row)| (key.clone(), row.columns.clone())).collect())
                }
                None => no_table(table),
            },
            Question::Thread { thread, limit } => match self.store.thread(asker.event, thread, *limit) {
                Ok(messages) => Answer::Thread(messages),
                Err(error) => unreadable(&error),
            },
            Question::OpenAt { .. } | Question::DueAt { .. } => of_calendar(&*self.calendars, question),
        }
    }
}

/// The host as it was at the moment of the run, for replays. Threads it does not know: messages are forgotten, and their record is not.
pub struct Then {
    /// The versions of rows, and the journal.
    pub store: Store,
    /// Business calendars.
    pub calendars: Arc<dyn crate::ask::Calendars>,
}

impl Answers for Then {
    fn answer(&self, asker: &Asker<'_>, question: &Question) -> Answer {
        match question {
            Question::Row { table, key } => match self.store.row_at(table, key, asker.now) {
                Ok(Some(row)) => Answer::Row(row),
                Ok(None) => not_then(table),
                Err(error) => unreadable(&error),
            },
            Question::Rows { table, limit } => match self.store.rows_at(table, *limit, asker.now) {
                Ok(Some(rows)) => Answer::Rows(rows),
                Ok(None) => not_then(table),
                Err(error) => unreadable(&error),
            },
            Question::Thread { .. } => Answer::Unavailable("which messages there were is known from the record alone".to_owned()),
            // Calendars have no past: one that was changed since then cannot speak for then.
            Question::OpenAt { calendar, .. } | Question::DueAt { calendar, .. } => match self.store.calendar_changed(calendar) {
                Ok(Some(changed)) if changed > asker.now => {
                    Answer::Unavailable(format!("the calendar `{calendar}` was changed after that moment"))
                }
                Ok(_) => of_calendar(&*self.calendars, question),
                Err(error) => unreadable(&error),
            },
        }
    }
}

impl Archive for Then {
    fn message(&self, seq: i64) -> Option<Event> {
        self.store.message(seq).ok().flatten()
    }
}

fn not_then(table: &str) -> Answer {
    Answer::Unavailable(format!("there was no table `{table}` at that moment"))
}

impl crate::ask::Calendars for Calendars {
    fn open_at(&self, calendar: &str, at: Timestamp) -> Result<bool, String> {
        self.get(calendar).map(|found| found.open_at(at)).ok_or_else(|| no_calendar(calendar))
    }

    fn due_at(&self, calendar: &str, start: Timestamp, working_seconds: u32) -> Result<Timestamp, String> {
        let found = self.get(calendar).ok_or_else(|| no_calendar(calendar))?;
        found
            .due_at(start, u64::from(working_seconds))
            .ok_or_else(|| format!("the calendar `{calendar}` is open for less than that in forty years"))
    }
}

fn no_calendar(calendar: &str) -> String {
    format!("there is no calendar named `{calendar}`; an admin makes it with `signalbox calendar set {calendar} FILE`")
}

/// What a calendar says: the same at every moment it is asked.
fn of_calendar(calendars: &dyn crate::ask::Calendars, question: &Question) -> Answer {
    match question {
        Question::OpenAt { calendar, at } => calendars.open_at(calendar, *at).map_or_else(Answer::Unavailable, Answer::Open),
        Question::DueAt { calendar, start, working_seconds } => {
            calendars.due_at(calendar, *start, *working_seconds).map_or_else(Answer::Unavailable, Answer::Due)
        }
        other => Answer::Unavailable(format!("no calendar knows {other}")),
    }
}

fn no_table(table: &str) -> Answer {
    Answer::Unavailable(format!("there is no table `{table}`; an admin makes it with `signalbox table import {table} FILE`"))
}

fn unreadable(error: &crate::store::StoreError) -> Answer {
    // The guest's proposals may show the words: none of our paths.
    tracing::error!(reason = %error, "a question could not be answered");
    Answer::Unavailable("the journal cannot be read now".to_owned())
}
