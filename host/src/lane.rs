//! The lane: a few threads of its own for chains that are not known to be quick.
//!
//! A chain of well-behaved rules takes 15 to 50 us and runs where the request is. One that faults, overruns or is new runs here, and so
//! does one whose steps may have to wait (for their turn at their state, for a thread's messages from the disk), so that it can make others
//! wait in its own queue only. Used by the webhook; it knows nothing of HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;
use tracing::Span;

use crate::chain::{Chain, Ran};
use crate::event::{Event, Timestamp};
use crate::plugin::Backing;

struct Job {
    chain: Arc<Chain>,
    event: Arc<Event>,
    now: Timestamp,
    backing: Backing,
    /// What the run is a part of.
    span: Span,
    answer: oneshot::Sender<Ran>,
}

/// Threads that run chains. Ends, with its threads, when the last clone is dropped.
#[derive(Clone)]
pub struct Lane {
    jobs: Sender<Job>,
    waiting: Arc<AtomicUsize>,
}

impl Lane {
    /// Starts the lane's threads.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(threads: usize) -> std::io::Result<Self> {
        let (jobs, queue) = channel::<Job>();
        let (queue, waiting) = (Arc::new(Mutex::new(queue)), Arc::new(AtomicUsize::new(0)));
        for at in 0..threads.max(1) {
            let (queue, waiting) = (queue.clone(), waiting.clone());
            std::thread::Builder::new().name(format!("lane-{at}")).spawn(move || {
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

    /// Queues one run. The queue is bounded by the permits of the requests that wait for it.
    pub fn submit(&self, chain: Arc<Chain>, event: Arc<Event>, now: Timestamp, backing: Backing) -> oneshot::Receiver<Ran> {
        let (answer, decision) = oneshot::channel();
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // Without threads the sender of the answer is dropped here, and the receiver sees it.
        let _ = self.jobs.send(Job { chain, event, now, backing, span: Span::current(), answer });
        decision
    }

    /// Runs that no thread has begun yet.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}
