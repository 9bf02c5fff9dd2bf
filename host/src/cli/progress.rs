//! A bar on a terminal's standard error: how far, how long still. Nowhere else, and gone when it is done.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// How often it is drawn: often enough to look alive, too seldom to cost anything.
const EVERY: Duration = Duration::from_millis(100);
const WIDTH: usize = 30;

/// The bar.
pub(super) struct Progress {
    what: &'static str,
    rows: usize,
    done: usize,
    start: Instant,
    drawn: Option<Instant>,
    shown: bool,
}

impl Progress {
    pub(super) fn start(rows: usize, what: &'static str) -> Self {
        Self { what, rows, done: 0, start: Instant::now(), drawn: None, shown: std::io::stderr().is_terminal() }
    }

    /// One row more.
    pub(super) fn step(&mut self) {
        self.done += 1;
        if self.shown && self.drawn.is_none_or(|drawn| drawn.elapsed() >= EVERY) {
            let left = self.start.elapsed().as_secs_f64() / self.done as f64 * (self.rows - self.done) as f64;
            let filled = WIDTH * self.done / self.rows.max(1);
            let line = format!(
                "\r{}{} {} of {} {}, {left:.0} s left ",
                "█".repeat(filled),
                "░".repeat(WIDTH - filled),
                self.done,
                self.rows,
                self.what
            );
            let _ = write!(anstream::stderr(), "{line}").and_then(|()| anstream::stderr().flush());
            self.drawn = Some(Instant::now());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(anstream::stderr(), "\r{}\r", " ".repeat(WIDTH + 48));
        }
    }
}
