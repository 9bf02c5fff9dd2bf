//! A step's place during one run: what it was granted, who answers it, what it asked, and what it remembers.
//!
//! Made by the chain, carried by the call's room, and given back with the answer. It must never outlive its run.

use std::sync::Arc;

use crate::ask::{Answers, Asked, Nobody};
use crate::event::Timestamp;
use crate::grant::Grant;
use crate::state::{Memory, Shelves, Wrote};
use crate::verdict::Proposal;

/// Threads that one run of a step may read: each is a read of the disk.
const THREADS: u32 = 4;

/// What stands behind the questions of a run.
#[derive(Clone)]
pub struct Backing {
    /// Who answers.
    pub answers: Arc<dyn Answers>,
    /// What steps remember.
    pub shelves: Arc<Shelves>,
}

impl Backing {
    /// Nothing: every question is unavailable, and nothing is remembered.
    pub fn none() -> Self {
        Self { answers: Arc::new(Nobody), shelves: Arc::default() }
    }

    /// The same, with a copy of what steps remember: to try something that leaves nothing behind.
    #[must_use]
    pub fn scratch(&self) -> Self {
        Self { answers: Arc::clone(&self.answers), shelves: Arc::new(self.shelves.scratch()) }
    }
}

/// What the steps before have proposed, each with its name.
pub type History = Arc<Vec<(String, Proposal)>>;

/// One step's place.
pub struct Seat {
    pub(super) step: String,
    pub(super) grants: Vec<Grant>,
    pub(super) answers: Arc<dyn Answers>,
    pub(super) history: History,
    pub(super) asked: Asked,
    /// Bytes of answers that are kept in `asked`.
    pub(super) kept: usize,
    /// Threads that it may still read.
    pub(super) threads: u32,
    pub(super) memory: Memory,
}

impl Seat {
    /// The place of a step of a chain, for a run at `now`.
    pub fn new(chain: &str, step: &str, grants: &[Grant], backing: &Backing, history: History, now: Timestamp) -> Self {
        Self {
            step: step.to_owned(),
            grants: grants.to_vec(),
            answers: Arc::clone(&backing.answers),
            history,
            asked: Asked { step: step.to_owned(), ..Asked::default() },
            kept: 0,
            threads: THREADS,
            memory: Memory::new(backing.shelves.shelf(&format!("{chain}/{step}")), now),
        }
    }

    /// The end of the run: what it asked; and what it wrote, which stays only if it ran.
    pub fn leave(self, ran: bool) -> (Asked, Vec<Wrote>) {
        let Self { mut asked, memory, .. } = self;
        let (read, wrote) = memory.told();
        asked.read.clone_from(read);
        if !ran {
            return (asked, Vec::new());
        }
        asked.wrote.clone_from(wrote);
        (asked, memory.leave())
    }
}
