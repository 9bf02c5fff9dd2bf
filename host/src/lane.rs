//! The lane: a few threads of its own for chains that are not known to be quick.
//!
//! A chain of well-behaved rules takes 15 to 50 us and runs where the request is. One that faults, overruns or is new runs here, and so
//! does one whose steps may have to wait (for their turn at their state, for a thread's messages from the disk), so that it can make others
//! wait in its own queue only. The former has a row of its own, whose threads claim a tenth of what others may have of a processor that is
//! wanted by all. Used by the webhook; it knows nothing of HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;
use tracing::Span;

use crate::chain::{Chain, Ran};
use crate::event::{Event, Timestamp};
use crate::plugin::Backing;

/// How mild the claim of the row for chains on probation is: a tenth of the usual one where all of the processor is wanted, all of it
/// where nobody else wants it. Not the mildest, as every new chain begins there.
const MILD: i32 = 10;

struct Job {
    chain: Arc<Chain>,
    event: Arc<Event>,
    now: Timestamp,
    backing: Backing,
    /// What the run is a part of.
    span: Span,
    answer: oneshot::Sender<Ran>,
}

/// Threads that run chains, in two rows. Ends, with its threads, when the last clone is dropped.
#[derive(Clone)]
pub struct Lane {
    /// For chains that are known to be well-behaved, and may have to wait.
    fair: Row,
    /// For chains on probation, which may burn all that they are given.
    mild: Row,
}

/// Threads with a queue of their own.
#[derive(Clone)]
struct Row {
    jobs: Sender<Job>,
    waiting: Arc<AtomicUsize>,
}

impl Lane {
    /// Starts the lane's threads, so many in each row.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(threads: usize) -> std::io::Result<Self> {
        Ok(Self { fair: Row::start("lane", threads, None)?, mild: Row::start("probation", threads, Some(MILD))? })
    }

    /// Queues one run. The queue is bounded by the permits of the requests that wait for it.
    pub fn submit(&self, chain: Arc<Chain>, event: Arc<Event>, now: Timestamp, backing: Backing) -> oneshot::Receiver<Ran> {
        let row = if chain.is_on_probation() { &self.mild } else { &self.fair };
        let (answer, decision) = oneshot::channel();
        row.waiting.fetch_add(1, Ordering::Relaxed);
        // Without threads the sender of the answer is dropped here, and the receiver sees it.
        let _ = row.jobs.send(Job { chain, event, now, backing, span: Span::current(), answer });
        decision
    }

    /// Runs that no thread has begun yet.
    pub fn waiting(&self) -> usize {
        self.fair.waiting.load(Ordering::Relaxed) + self.mild.waiting.load(Ordering::Relaxed)
    }
}

impl Row {
    fn start(name: &str, threads: usize, nice: Option<i32>) -> std::io::Result<Self> {
        let (jobs, queue) = channel::<Job>();
        let (queue, waiting) = (Arc::new(Mutex::new(queue)), Arc::new(AtomicUsize::new(0)));
        for at in 0..threads.max(1) {
            let (queue, waiting) = (queue.clone(), waiting.clone());
            std::thread::Builder::new().name(format!("{name}-{at}")).spawn(move || {
                // On Linux this is the calling thread's alone. Without it the row is as it was, only less polite.
                if let Some(nice) = nice {
                    let _ = rustix::process::setpriority_process(None, nice);
                }
                loop {
                    // The lock is held while waiting, so that exactly one thread takes the next job; a panic elsewhere cannot
                    // have left a queue half read.
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    waiting.fetch_sub(1, Ordering::Relaxed);
                    // Nobody waits for the answer any more when the host is stopping: then it is not needed either.
                    let _ = job.answer.send(job.span.in_scope(|| job.chain.run(&job.event, job.now, &job.backing)));
                }
            })?;
        }
        Ok(Self { jobs, waiting })
    }
}
