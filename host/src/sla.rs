//! The clock of a service level: started by a decision, paused, answered or closed by what the desk does, warned and breached by time.
//!
//! One rule holds for every moment and everything that happens: first all that came due up to that moment comes due ([`Timer::advance`]), then
//! it happens. So what becomes of a clock depends on the moments alone, never on when the host looked: it may have been down, or its
//! machine's clock may have jumped. Each warning and each breach comes due once. Pure: time is a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;
use crate::event::Timestamp;
use crate::verdict::SlaClock;

/// Where a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It runs.
    Running,
    /// It stands still: the desk waits for somebody else.
    Paused,
    /// It was answered in time.
    Met,
    /// Its time ran out first. It stays so, also when the answer comes after all.
    Breached,
    /// It was ended before its time, without the answer that it waited for.
    Closed,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 5] = [Self::Running, Self::Paused, Self::Met, Self::Breached, Self::Closed];

    /// Its word, in JSON and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Met => "met",
            Self::Breached => "breached",
            Self::Closed => "closed",
        }
    }
}

impl SlaClock {
    /// Every clock.
    pub const ALL: [Self; 3] = [Self::FirstResponse, Self::NextResponse, Self::Resolution];

    /// Its word in the database and in attributes.
    pub const fn word(self) -> &'static str {
        match self {
            Self::FirstResponse => "first_response",
            Self::NextResponse => "next_response",
            Self::Resolution => "resolution",
        }
    }
}

/// What comes due by itself: the word of the attribute `trigger` when the chain runs again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// Its share of the target is used up.
    SlaWarning,
    /// All of it is.
    SlaBreach,
}

impl Trigger {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SlaWarning => "sla-warning",
            Self::SlaBreach => "sla-breach",
        }
    }
}

/// What a desk says of a ticket, as far as clocks care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The desk's turn.
    Open,
    /// Somebody else's turn: clocks stand still.
    Pending,
    /// Done.
    Closed,
}

/// A clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Where it stands.
    pub phase: Phase,
    /// Working milliseconds that it has.
    pub target_ms: u64,
    /// Working milliseconds up to the warning; none for no warning.
    pub warn_ms: Option<u64>,
    /// Working milliseconds used up before `since`.
    pub spent_ms: u64,
    /// Since when it runs, while it does.
    pub since: Option<Timestamp>,
    /// When the warning comes due, while it can.
    pub warn_at: Option<Timestamp>,
    /// When it breaches; kept as it was once the clock has ended.
    pub due_at: Option<Timestamp>,
    /// When it warned.
    pub warned: Option<Timestamp>,
    /// When it breached.
    pub breached: Option<Timestamp>,
    /// When the answer came, or it was closed.
    pub ended: Option<Timestamp>,
}

/// Working time as a clock counts it: a calendar's, or around the clock.
pub type Hours<'a> = Option<&'a Calendar>;

fn after(hours: Hours<'_>, start: Timestamp, ms: u64) -> Option<Timestamp> {
    hours.map_or_else(|| start.0.checked_add(ms).map(Timestamp), |calendar| calendar.due_after(start, ms))
}

impl Timer {
    /// A clock that runs from `start` on and warns when this share of its target is used up; a share of 1 is no warning.
    pub fn start(target_ms: u64, warn_share: f64, start: Timestamp, hours: Hours<'_>) -> Self {
        let warn_ms = (warn_share < 1.0).then(|| (target_ms as f64 * warn_share).round() as u64);
        let (phase, none) = (Phase::Running, None);
        let mut timer = Self {
            phase,
            target_ms,
            warn_ms,
            spent_ms: 0,
            since: none,
            warn_at: none,
            due_at: none,
            warned: none,
            breached: none,
            ended: none,
        };
        timer.run(start, hours);
        timer
    }

    /// Whether something can still happen to it.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// The next moment at which something comes due.
    pub fn next_at(&self) -> Option<Timestamp> {
        let due = self.due_at.filter(|_| self.phase == Phase::Running);
        self.warn_at.into_iter().chain(due).min()
    }

    /// Lets everything up to a moment come due, in order.
    pub fn advance(&mut self, now: Timestamp) -> Vec<(Trigger, Timestamp)> {
        let mut came = Vec::new();
        if let Some(at) = self.warn_at.filter(|at| *at <= now) {
            (self.warn_at, self.warned) = (None, Some(at));
            came.push((Trigger::SlaWarning, at));
        }
        if let Some(at) = self.due_at.filter(|at| self.phase == Phase::Running && *at <= now) {
            self.phase = Phase::Breached;
            self.breached = Some(at);
            (self.spent_ms, self.since, self.warn_at) = (self.target_ms, None, None);
            came.push((Trigger::SlaBreach, at));
        }
        came
    }

    /// The answer that it waited for. The moment that it is due still counts as in time.
    pub fn answer(&mut self, at: Timestamp, hours: Hours<'_>) {
        self.stop(at, hours, Phase::Met);
    }

    /// It is over without one.
    pub fn close(&mut self, at: Timestamp, hours: Hours<'_>) {
        self.stop(at, hours, Phase::Closed);
    }

    /// The desk waits for somebody else. What has breached is not paused any more.
    pub fn pause(&mut self, at: Timestamp, hours: Hours<'_>) {
        if self.phase == Phase::Running {
            self.spend(at, hours);
            self.phase = Phase::Paused;
            self.due_at = None;
        }
    }

    /// It is the desk's turn again.
    pub fn resume(&mut self, at: Timestamp, hours: Hours<'_>) {
        if self.phase == Phase::Paused {
            self.run(at, hours);
        }
    }

    fn run(&mut self, at: Timestamp, hours: Hours<'_>) {
        self.phase = Phase::Running;
        self.since = Some(at);
        self.due_at = after(hours, at, self.target_ms.saturating_sub(self.spent_ms));
        let warning = self.warn_ms.filter(|_| self.warned.is_none());
        self.warn_at = warning.and_then(|ms| after(hours, at, ms.saturating_sub(self.spent_ms)));
    }

    fn spend(&mut self, at: Timestamp, hours: Hours<'_>) {
        if let Some(since) = self.since.take() {
            let spent = hours.map_or_else(|| at.0.saturating_sub(since.0), |calendar| calendar.working_ms(since, at));
            self.spent_ms = self.spent_ms.saturating_add(spent).min(self.target_ms);
        }
        self.warn_at = None;
    }

    fn stop(&mut self, at: Timestamp, hours: Hours<'_>, phase: Phase) {
        if !self.is_open() {
            return;
        }
        self.spend(at, hours);
        if self.phase != Phase::Breached {
            self.phase = phase;
        }
        self.ended = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    fn minute(at: u64) -> Timestamp {
        Timestamp(1_800_000_000_000 + at * MINUTE)
    }

    /// An hour around the clock, which warns after three quarters.
    fn hour() -> Timer {
        Timer::start(60 * MINUTE, 0.75, minute(0), None)
    }

    #[test]
    fn a_warning_and_a_breach_come_due_once_whenever_somebody_looks() {
        let expected = [(Trigger::SlaWarning, minute(45)), (Trigger::SlaBreach, minute(60))];
        // Looked at every minute, and once a day later: a host that was down, or a clock that jumped.
        for looks in [(0..200).collect::<Vec<u64>>(), vec![1_440], vec![44, 200, 10, 200]] {
            let mut timer = hour();
            let came: Vec<_> = looks.iter().flat_map(|look| timer.advance(minute(*look))).collect();
            assert_eq!(came, expected, "{looks:?}");
            assert_eq!((timer.phase, timer.breached, timer.next_at()), (Phase::Breached, Some(minute(60)), None));
        }
    }

    #[test]
    fn an_answer_in_time_meets_it_and_nothing_comes_due_any_more() {
        for (answer, phase, came) in [(30, Phase::Met, 0), (60, Phase::Breached, 2), (59, Phase::Met, 1), (61, Phase::Breached, 2)] {
            let mut timer = hour();
            let due = timer.advance(minute(answer)).len();
            timer.answer(minute(answer), None);
            assert_eq!((timer.phase, due, timer.ended), (phase, came, Some(minute(answer))), "minute {answer}");
            assert!(timer.advance(minute(9_999)).is_empty() && timer.next_at().is_none());
            timer.close(minute(9_999), None);
            assert_eq!(timer.ended, Some(minute(answer)), "ended once");
        }
    }

    #[test]
    fn a_pause_moves_what_is_left_and_a_warning_that_was_given_is_not_given_again() {
        let mut timer = hour();
        timer.pause(minute(20), None);
        assert_eq!((timer.phase, timer.next_at(), timer.spent_ms), (Phase::Paused, None, 20 * MINUTE));
        assert!(timer.advance(minute(500)).is_empty());
        timer.resume(minute(500), None);
        assert_eq!((timer.warn_at, timer.due_at), (Some(minute(525)), Some(minute(540))));
        assert_eq!(timer.advance(minute(530)), [(Trigger::SlaWarning, minute(525))]);
        timer.pause(minute(530), None);
        timer.resume(minute(600), None);
        assert_eq!((timer.warn_at, timer.due_at), (None, Some(minute(610))));
        timer.close(minute(605), None);
        assert_eq!((timer.phase, timer.spent_ms), (Phase::Closed, 55 * MINUTE));
    }

    #[test]
    fn a_calendar_counts_only_its_hours() {
        let spec = r#"{"time_zone": "UTC", "hours": {"friday": ["09:00-17:00"], "monday": ["09:00-17:00"]}}"#;
        let calendar = Calendar::new(&serde_json::from_str(spec).unwrap()).unwrap();
        let at = |text| Timestamp::parse(text).unwrap();
        let hours = Some(&calendar);
        let mut timer = Timer::start(4 * 60 * MINUTE, 0.5, at("2026-11-20T15:00:00Z"), hours);
        assert_eq!((timer.warn_at, timer.due_at), (Some(at("2026-11-20T17:00:00Z")), Some(at("2026-11-23T11:00:00Z"))));
        timer.pause(at("2026-11-20T16:00:00Z"), hours);
        timer.resume(at("2026-11-21T12:00:00Z"), hours);
        assert_eq!((timer.warn_at, timer.due_at), (Some(at("2026-11-23T10:00:00Z")), Some(at("2026-11-23T12:00:00Z"))));
    }
}
