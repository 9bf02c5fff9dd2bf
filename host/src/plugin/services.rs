//! What a guest can reach of the host: the room it runs in, and the services linked into it.
//!
//! `logging`, `facts`, `normal` and `clock` are given to every step; they hold nothing that the event does not. `lookup` (`asking.rs`) and
//! `state` (`remembering.rs`) answer what the step's seat was granted. Anything else is not linked at all, so a plugin that wants it is
//! refused before it runs. Every call counts against the call budget.

use std::sync::{Arc, OnceLock};

use wasmtime::component::{HasSelf, Linker};

use super::bindings::{self, clock, facts, logging, lookup, normal, state};
use super::budget::Budget;
use super::command::Pipes;
use super::seat::Seat;
use crate::config::Limits;
use crate::decision::LogLine;
use crate::event::{Event, Timestamp};
use crate::normal::Normal;
use crate::verdict;

/// Whether lines of this severity are kept: what an admin reads, not what an author debugs.
fn kept(severity: logging::Severity) -> bool {
    !matches!(severity, logging::Severity::Trace | logging::Severity::Debug)
}

/// One event as guests see it: converted once, shared by every step of the chain.
pub struct Subject {
    pub(super) wire: bindings::Event,
    event: Arc<Event>,
    now: Timestamp,
    normal: OnceLock<Normal>,
}

impl Subject {
    /// The event, judged at `now`.
    pub fn new(event: Arc<Event>, now: Timestamp) -> Arc<Self> {
        Arc::new(Self { wire: (&*event).into(), event, now, normal: OnceLock::new() })
    }

    /// All of the event, for commands.
    pub(super) fn whole(&self) -> &Event {
        &self.event
    }

    /// A number that follows from the event's id, so that a replay draws the same random numbers.
    pub(super) fn seed(&self) -> u64 {
        self.event.id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// The moment of the run.
    pub fn moment(&self) -> Timestamp {
        self.now
    }

    fn normal(&self) -> &Normal {
        self.normal.get_or_init(|| Normal::of(&self.wire.text))
    }
}

/// A call to the host past the budget.
#[derive(Debug, thiserror::Error)]
#[error("more than {0} calls to the host")]
pub struct TooManyCalls(u32);

/// A call to something that was not granted.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Denied(pub String);

/// Everything that one call's store holds.
pub struct Room {
    pub(super) budget: Budget,
    pub(super) log: Vec<LogLine>,
    pub(super) log_dropped: u32,
    /// What a command reads and writes.
    pub(super) pipes: Pipes,
    /// The step's place; absent for a plugin that asks nothing of the world.
    pub(super) seat: Option<Seat>,
    pub(super) limits: Limits,
    /// Absent while describing and configuring.
    subject: Option<Arc<Subject>>,
    deadline: Timestamp,
    calls_left: u32,
    calls_cap: u32,
    log_lines_left: u32,
    log_bytes_left: usize,
}

impl Room {
    pub(super) fn new(limits: &Limits, subject: Option<Arc<Subject>>) -> Self {
        let now = subject.as_ref().map_or(0, |subject| subject.now.0);
        Self {
            budget: Budget::new(limits),
            log: Vec::new(),
            log_dropped: 0,
            pipes: Pipes::default(),
            seat: None,
            limits: limits.clone(),
            subject,
            deadline: Timestamp(now.saturating_add(limits.wall_ms)),
            calls_left: limits.host_calls,
            calls_cap: limits.host_calls,
            log_lines_left: limits.log_lines,
            log_bytes_left: limits.log_bytes as usize,
        }
    }

    /// Makes the room ready for another event: for warm-ups and kept instances.
    pub(super) fn begin(&mut self, limits: &Limits, subject: &Arc<Subject>) {
        let budget = self.budget;
        *self = Self { budget, ..Self::new(limits, Some(subject.clone())) };
    }

    /// What a call left in the room, which keeps its memory budget.
    pub(super) fn take(&mut self) -> Self {
        let (log, pipes) = (std::mem::take(&mut self.log), Pipes::default());
        let (seat, limits) = (self.seat.take(), self.limits.clone());
        Self { budget: self.budget, log, pipes, seat, limits, log_dropped: self.log_dropped, subject: None, ..*self }
    }

    /// The moment of the run, milliseconds.
    pub(super) fn moment(&self) -> u64 {
        self.subject.as_ref().map_or(0, |subject| subject.now.0)
    }

    /// Keeps a line that a command wrote on stderr.
    pub(super) fn say(&mut self, message: &str) {
        self.keep(LogLine { severity: "info".to_owned(), message: message.to_owned(), attributes: Vec::new() });
    }

    /// Keeps a line of the host's own, about what it refused.
    pub(super) fn remark(&mut self, message: String) {
        self.keep(LogLine { severity: "warn".to_owned(), message, attributes: Vec::new() });
    }

    /// Keeps a line, within the budget.
    fn keep(&mut self, line: LogLine) {
        let bytes = line.message.len() + line.attributes.iter().map(crate::event::Attribute::weight).sum::<usize>();
        if self.log_lines_left == 0 || bytes > self.log_bytes_left {
            self.log_dropped = self.log_dropped.saturating_add(1);
            return;
        }
        self.log_lines_left -= 1;
        self.log_bytes_left -= bytes;
        self.log.push(line);
    }

    pub(super) fn count(&mut self) -> wasmtime::Result<()> {
        match self.calls_left.checked_sub(1) {
            Some(left) => {
                self.calls_left = left;
                Ok(())
            }
            None => Err(TooManyCalls(self.calls_cap).into()),
        }
    }

    fn event(&mut self) -> wasmtime::Result<&Event> {
        self.count()?;
        Ok(&self.subject()?.event)
    }

    fn subject(&self) -> wasmtime::Result<&Subject> {
        self.shared().map(|subject| &**subject)
    }

    pub(super) fn shared_subject(&self) -> wasmtime::Result<Arc<Subject>> {
        self.shared().cloned()
    }

    fn shared(&self) -> wasmtime::Result<&Arc<Subject>> {
        self.subject
            .as_ref()
            .ok_or_else(|| Denied("there is no event yet: `describe` and `configure` cannot ask about one".to_owned()).into())
    }
}

impl logging::Host for Room {
    fn enabled(&mut self, severity: logging::Severity) -> wasmtime::Result<bool> {
        self.count()?;
        Ok(kept(severity) && self.log_lines_left > 0)
    }

    fn log(&mut self, severity: logging::Severity, message: String, attributes: Vec<logging::Attribute>) -> wasmtime::Result<()> {
        self.count()?;
        let line = LogLine {
            severity: match severity {
                logging::Severity::Trace => "trace",
                logging::Severity::Debug => "debug",
                logging::Severity::Info => "info",
                logging::Severity::Warn => "warn",
                logging::Severity::Error => "error",
            }
            .to_owned(),
            message,
            attributes: attributes.into_iter().map(Into::into).collect(),
        };
        if kept(severity) {
            self.keep(line);
        }
        Ok(())
    }
}

impl facts::Host for Room {
    fn get_author(&mut self) -> wasmtime::Result<Option<facts::Author>> {
        Ok(self.event()?.author.as_ref().map(Into::into))
    }

    fn get_ticket(&mut self) -> wasmtime::Result<Option<facts::Ticket>> {
        Ok(self.event()?.ticket.as_ref().map(Into::into))
    }

    fn get_attachments(&mut self) -> wasmtime::Result<Vec<facts::Attachment>> {
        Ok(self.event()?.attachments.iter().map(Into::into).collect())
    }

    fn get_attribute(&mut self, key: String) -> wasmtime::Result<Option<facts::AttributeValue>> {
        let found = self.event()?.attributes.iter().find(|attribute| attribute.key == key);
        Ok(found.map(|attribute| attribute.value.clone().into()))
    }

    fn get_attributes(&mut self) -> wasmtime::Result<Vec<facts::Attribute>> {
        Ok(self.event()?.attributes.iter().map(Into::into).collect())
    }

    fn get_permalink(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.event()?.permalink.clone())
    }

    fn get_parent_id(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.event()?.parent_id.clone())
    }
}

impl normal::Host for Room {
    fn text(&mut self) -> wasmtime::Result<String> {
        self.count()?;
        Ok(self.subject()?.normal().text().to_owned())
    }

    fn original(&mut self, piece: bindings::Span) -> wasmtime::Result<bindings::Span> {
        self.count()?;
        let raw = self.subject()?.normal().original(verdict::Span { start: piece.start, end: piece.end });
        Ok(bindings::Span { start: raw.start, end: raw.end })
    }
}

impl clock::Host for Room {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.count()?;
        Ok(self.subject()?.now.0)
    }

    fn deadline(&mut self) -> wasmtime::Result<u64> {
        self.count()?;
        Ok(self.deadline.0)
    }
}

/// Links what every step may call. The linker is the permission: what is not in it does not exist for a guest.
///
/// # Errors
/// When a name is linked twice.
pub fn link(linker: &mut Linker<Room>) -> wasmtime::Result<()> {
    logging::add_to_linker::<_, HasSelf<Room>>(linker, |room| room)?;
    facts::add_to_linker::<_, HasSelf<Room>>(linker, |room| room)?;
    normal::add_to_linker::<_, HasSelf<Room>>(linker, |room| room)?;
    lookup::add_to_linker::<_, HasSelf<Room>>(linker, |room| room)?;
    state::add_to_linker::<_, HasSelf<Room>>(linker, |room| room)?;
    clock::add_to_linker::<_, HasSelf<Room>>(linker, |room| room)
}
