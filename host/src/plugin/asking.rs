//! `lookup` for guests: questions to the host, checked against the step's grants, bounded, and recorded.
//!
//! The host's side of the contract's interface; who answers comes in with the [`Seat`]. A question that was not granted is answered
//! with the grant that would allow it.

use super::bindings::{self, lookup};
use super::seat::Seat;
use super::services::{Denied, Room};
use crate::ask::{Answer, Asker, Question};
use crate::event::Timestamp;
use crate::grant::Grant;

/// The table of the grant for earlier messages.
const THREAD: &str = "thread";

type Told<T> = wasmtime::Result<Result<T, lookup::LookupError>>;

impl Room {
    /// The step's place, for a guest that asks about the world.
    fn seated(&mut self) -> wasmtime::Result<&mut Seat> {
        let outside = || Denied("there is no event yet: `describe` and `configure` cannot ask the host".to_owned()).into();
        self.seat.as_mut().ok_or_else(outside)
    }

    /// Asks, and keeps what was asked and told.
    fn ask(&mut self, question: Question) -> wasmtime::Result<Answer> {
        let (subject, most) = (self.shared_subject()?, self.limits.asked_bytes);
        let seat = self.seated()?;
        let asker = Asker { step: &seat.step, event: subject.whole(), now: subject.moment() };
        // One run sees one world: the same question has the same answer.
        if let Some(known) = seat.asked.told(&question) {
            return Ok(known.clone());
        }
        if matches!(question, Question::Thread { .. }) {
            match seat.threads.checked_sub(1) {
                Some(left) => seat.threads = left,
                None => return Ok(Answer::Unavailable("a run reads a few threads and no more".to_owned())),
            }
        }
        let answer = seat.answers.answer(&asker, &question);
        seat.kept += answer.weight();
        // What is past the bound is told, and not kept: a guest cannot fill the host's memory with its questions.
        if seat.kept <= most {
            seat.asked.answers.push((question, answer.clone()));
        }
        Ok(answer)
    }

    fn granted(&mut self, what: &str) -> wasmtime::Result<Result<(), lookup::LookupError>> {
        self.count()?;
        let seat = self.seated()?;
        let grant = Grant::Lookup(what.to_owned());
        if seat.grants.contains(&grant) {
            return Ok(Ok(()));
        }
        let of = if what == THREAD { "earlier messages".to_owned() } else { format!("the table `{what}`") };
        let why = format!("the step `{}` may not ask for {of}: an admin adds `{grant}` to its `grants`", seat.step);
        self.remark(format!("lookup: {why}"));
        Ok(Err(lookup::LookupError::NotGranted(why)))
    }

    fn unavailable<T>(&mut self, answer: Answer) -> Told<T> {
        let why = match answer {
            Answer::Unavailable(why) => why,
            _ => "the host answered something else".to_owned(),
        };
        self.remark(format!("lookup: {why}"));
        Ok(Err(lookup::LookupError::Unavailable(why)))
    }
}

fn wired(columns: &[crate::event::Attribute]) -> Vec<lookup::Attribute> {
    columns.iter().map(Into::into).collect()
}

impl lookup::Host for Room {
    fn history(&mut self) -> Told<Vec<lookup::Prior>> {
        self.count()?;
        let seat = self.seated()?;
        let prior =
            |(step, proposal): &(String, crate::verdict::Proposal)| lookup::Prior { step: step.clone(), proposal: proposal.clone().into() };
        Ok(Ok(seat.history.iter().map(prior).collect()))
    }

    fn thread(&mut self, thread: String, limit: u32) -> Told<Vec<bindings::Event>> {
        if let Err(refused) = self.granted(THREAD)? {
            return Ok(Err(refused));
        }
        let limit = limit.min(self.limits.lookup_thread);
        match self.ask(Question::Thread { thread, limit })? {
            Answer::Thread(messages) => Ok(Ok(messages.iter().filter_map(|message| message.event.as_deref()).map(Into::into).collect())),
            other => self.unavailable(other),
        }
    }

    fn row(&mut self, table: String, key: String) -> Told<Option<Vec<lookup::Attribute>>> {
        if let Err(refused) = self.granted(&table)? {
            return Ok(Err(refused));
        }
        match self.ask(Question::Row { table, key })? {
            Answer::Row(row) => Ok(Ok(row.map(|columns| wired(&columns)))),
            other => self.unavailable(other),
        }
    }

    fn rows(&mut self, table: String, limit: u32) -> Told<Vec<(String, Vec<lookup::Attribute>)>> {
        if let Err(refused) = self.granted(&table)? {
            return Ok(Err(refused));
        }
        let limit = limit.min(self.limits.lookup_rows);
        match self.ask(Question::Rows { table, limit })? {
            Answer::Rows(rows) => Ok(Ok(rows.into_iter().map(|(key, columns)| (key, wired(&columns))).collect())),
            other => self.unavailable(other),
        }
    }

    fn open_at(&mut self, calendar: String, at: u64) -> Told<bool> {
        self.count()?;
        match self.ask(Question::OpenAt { calendar, at: Timestamp(at) })? {
            Answer::Open(open) => Ok(Ok(open)),
            other => self.unavailable(other),
        }
    }

    fn due_at(&mut self, calendar: String, start: u64, working_seconds: u32) -> Told<u64> {
        self.count()?;
        match self.ask(Question::DueAt { calendar, start: Timestamp(start), working_seconds })? {
            Answer::Due(due) => Ok(Ok(due.0)),
            other => self.unavailable(other),
        }
    }
}
