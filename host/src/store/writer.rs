//! The one writer: a thread that owns the only connection that writes, and commits everything that waits in one go.
//!
//! Called by `journal.rs` and whatever else of `store/` writes. One commit is one flush of the disk, so under load a flush is
//! shared by up to [`BATCH`] writes. It must never answer a write before the commit that holds it is durable, never let one
//! bad write fail its neighbours, and never give up for good: after an error the next write finds it trying again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{StoreError, schema};

/// Most writes of one commit: enough that the flush no longer counts, few enough that a commit stays some milliseconds.
const BATCH: usize = 256;
/// Writes that may wait; the next caller waits for a place. Each holds an event and a decision, some 10 kB.
const QUEUE: usize = 1_024;

/// The caller's end of the writer.
#[derive(Debug)]
pub(super) struct Writer {
    file: Arc<Path>,
    jobs: Option<mpsc::Sender<Message>>,
    thread: Option<JoinHandle<()>>,
    fault: Arc<Mutex<Option<StoreError>>>,
    faults: Arc<AtomicU64>,
}

enum Message {
    Write(Box<dyn Job>),
    Close(oneshot::Sender<Result<(), StoreError>>),
}

impl Writer {
    pub(super) fn start(file: Arc<Path>, conn: Connection) -> Result<Self, StoreError> {
        let (sender, jobs) = mpsc::channel(QUEUE);
        let (fault, faults) = (Arc::new(Mutex::new(None)), Arc::new(AtomicU64::new(0)));
        let desk = Desk { file: file.to_path_buf(), conn: Some(conn), fault: Arc::clone(&fault), faults: Arc::clone(&faults) };
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || desk.run(jobs));
        let thread = thread.map_err(|error| StoreError::io(&file, &error))?;
        Ok(Self { file, jobs: Some(sender), thread: Some(thread), fault, faults })
    }

    /// Has `work` done inside a transaction and answers when that is durable. What `work` owns is dropped after the commit and
    /// before the answer, also when the caller has gone away meanwhile. `work` may be run a second time, after its first run
    /// was rolled back.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Write { work, done: None, answer, file: Arc::clone(&self.file) });
        self.send(Message::Write(job)).await?;
        answered.await.unwrap_or_else(|_| Err(StoreError::stopped(&self.file)))
    }

    /// Ends the writer when everything that waits is written; later writes are refused.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.send(Message::Close(answer)).await?;
        answered.await.unwrap_or_else(|_| Err(StoreError::stopped(&self.file)))
    }

    /// The error of the last commit, if it failed, or that there will be no more.
    pub(super) fn fault(&self) -> Option<StoreError> {
        if self.jobs.as_ref().is_none_or(mpsc::Sender::is_closed) {
            return Some(StoreError::stopped(&self.file));
        }
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Commits that failed since the start.
    pub(super) fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    async fn send(&self, message: Message) -> Result<(), StoreError> {
        let stopped = || StoreError::stopped(&self.file);
        self.jobs.as_ref().ok_or_else(stopped)?.send(message).await.map_err(|_| stopped())
    }
}

impl Drop for Writer {
    /// Without senders the thread ends by itself; whoever drops the last store waits for it, so that nobody can open the
    /// directory while this thread still writes.
    fn drop(&mut self) {
        self.jobs = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(file = %self.file.display(), "the journal's thread had panicked");
        }
    }
}

/// One write, whatever its result type.
trait Job: Send {
    fn apply(&mut self, conn: &Connection) -> rusqlite::Result<()>;
    fn answer(self: Box<Self>, result: Result<(), StoreError>);
}

struct Write<T, F> {
    work: F,
    done: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
    file: Arc<Path>,
}

impl<T: Send, F: FnMut(&Connection) -> rusqlite::Result<T> + Send> Job for Write<T, F> {
    fn apply(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.done = Some((self.work)(conn)?);
        Ok(())
    }

    fn answer(self: Box<Self>, result: Result<(), StoreError>) {
        let Self { work, done, answer, file } = *self;
        drop(work);
        // A caller that went away does not want the answer; its write stands.
        answer.send(result.and_then(|()| done.ok_or_else(|| StoreError::stopped(&file)))).ok();
    }
}

/// What the thread owns.
struct Desk {
    file: PathBuf,
    conn: Option<Connection>,
    fault: Arc<Mutex<Option<StoreError>>>,
    faults: Arc<AtomicU64>,
}

impl Desk {
    fn run(mut self, mut jobs: mpsc::Receiver<Message>) {
        let mut closing = Vec::new();
        while let Some(first) = jobs.blocking_recv() {
            let mut batch = Vec::new();
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Write(job) => batch.push(job),
                    Message::Close(answer) => {
                        jobs.close();
                        closing.push(answer);
                    }
                }
                next = if batch.len() < BATCH { jobs.try_recv().ok() } else { None };
            }
            self.settle(batch);
        }
        let finished = self.finish();
        if let Err(error) = &finished {
            tracing::error!(%error, "the journal could not be closed in order");
        }
        for answer in closing {
            answer.send(finished.clone()).ok();
        }
    }

    /// One commit for all; when a write is at fault, or the disk has no room for all of them, one commit for each.
    fn settle(&mut self, mut batch: Vec<Box<dyn Job>>) {
        let mut result = self.commit(&mut batch);
        if let Err(error) = &result
            && batch.len() > 1
            && !lost_the_file(error)
        {
            for mut job in batch {
                result = self.commit(std::slice::from_mut(&mut job));
                let answer = self.noted(&result);
                job.answer(answer);
            }
            return;
        }
        let answer = self.noted(&result);
        for job in batch {
            job.answer(answer.clone());
        }
    }

    fn commit(&mut self, batch: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let conn = self.connection()?;
        // Dropped on the way out, the transaction rolls back.
        let tx = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
        for job in batch {
            job.apply(&tx)?;
        }
        tx.commit()
    }

    fn connection(&mut self) -> rusqlite::Result<&Connection> {
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => schema::writer(&self.file)?,
        };
        Ok(self.conn.insert(conn))
    }

    /// Notes for `/readyz` how the last commit went, and takes a new connection next time when this one is in doubt.
    fn noted(&mut self, result: &rusqlite::Result<()>) -> Result<(), StoreError> {
        let answer = result.as_ref().map(drop).map_err(|error| StoreError::sqlite(&self.file, error));
        if result.as_ref().is_err_and(lost_the_file) {
            self.conn = None;
        }
        if answer.is_err() {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match (&answer, &*fault) {
            (Err(error), None) => tracing::error!(%error, "the journal cannot write"),
            (Ok(()), Some(_)) => tracing::info!(file = %self.file.display(), "the journal writes again"),
            _ => {}
        }
        *fault = answer.clone().err();
        answer
    }

    fn finish(&mut self) -> Result<(), StoreError> {
        let close = |conn: &Connection| {
            schema::set_clean(conn, true)?;
            conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        };
        let closed = self.connection().and_then(close);
        self.conn = None;
        closed.map_err(|error| StoreError::sqlite(&self.file, &error))
    }
}

/// Whether an error says something about the file or the disk, not about one write or the space left.
fn lost_the_file(error: &rusqlite::Error) -> bool {
    use ErrorCode::{CannotOpen, DatabaseCorrupt, FileLockingProtocolFailed, NotADatabase, PermissionDenied, ReadOnly, SystemIoFailure};
    let codes = [CannotOpen, DatabaseCorrupt, FileLockingProtocolFailed, NotADatabase, PermissionDenied, ReadOnly, SystemIoFailure];
    error.sqlite_error_code().is_some_and(|code| codes.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(dir: &Path) -> Writer {
        let file: Arc<Path> = dir.join("signalbox.db").into();
        Writer::start(Arc::clone(&file), schema::open(&file).unwrap()).unwrap()
    }

    fn put(conn: &Connection, name: &str) -> rusqlite::Result<usize> {
        conn.execute("INSERT INTO meta (name, value) VALUES (?1, 1)", [name])
    }

    fn count(conn: &Connection) -> rusqlite::Result<i64> {
        conn.query_row("SELECT count(*) FROM meta WHERE name LIKE 'w%'", [], |row| row.get(0))
    }

    #[tokio::test]
    async fn a_bad_write_does_not_fail_its_neighbours() {
        let dir = tempfile::tempdir().unwrap();
        let writer = writer(dir.path());
        // The first job holds the thread until the others wait, so that they are one batch.
        let (go, gate) = std::sync::mpsc::channel::<()>();
        let hold = writer.write(move |_| Ok(gate.recv().ok()));
        let bad = writer.write(|conn| put(conn, "w1").and_then(|_| conn.execute("INSERT INTO nowhere VALUES (1)", [])));
        let release = async move { drop(go) };
        let (held, one, bad, two, ()) =
            tokio::join!(biased; hold, writer.write(|conn| put(conn, "w2")), bad, writer.write(|conn| put(conn, "w3")), release);
        held.unwrap();
        assert_eq!((one, two), (Ok(1), Ok(1)));
        assert!(bad.unwrap_err().to_string().contains("no such table"));
        assert_eq!(writer.write(count).await, Ok(2));
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_does_not_take_its_write_along() {
        let dir = tempfile::tempdir().unwrap();
        let writer = writer(dir.path());
        let (go, gate) = std::sync::mpsc::channel::<()>();
        {
            let mut gone = std::pin::pin!(writer.write(move |conn| {
                gate.recv().ok();
                put(conn, "w1")
            }));
            assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(gone.as_mut().poll(cx).is_pending())).await);
        }
        drop(go);
        assert_eq!(writer.write(count).await, Ok(1));
    }

    #[tokio::test]
    async fn close_writes_what_waits_and_refuses_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let writer = writer(dir.path());
        let (write, close) = tokio::join!(biased; writer.write(|conn| put(conn, "w1")), writer.close());
        assert_eq!((write, close), (Ok(1), Ok(())));
        assert!(matches!(writer.write(count).await, Err(StoreError::Unavailable { .. })));
    }
}
