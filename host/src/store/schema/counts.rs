//! The tables of counts, by which reports are answered. What fills them: `tally.rs`, `agreement.rs` and `clocks/told.rs`.

/// - `tallies`: sums by the hour, of what decisions and clocks come to. What `name`, `part` and `rule` are depends on the kind; so does
///   `sum` (microseconds of a step, milliseconds of a clock). Filled from the decisions that are there already by the same counting that
///   counts new ones, in the background: `meta` has how far it is (`counted`), and how many were counted out of turn because they were
///   about to be forgotten (`counted_early`).
/// - `minutes`: decisions that are alike, by the minute.
/// - `judged`: what a ticket showed, last, where a decision had said something; `agreement` has the sums of it by the hour of the decision.
/// - clocks that are there already are counted here and now: their rows are narrow.
pub(super) const COUNTS: &str = "
CREATE TABLE tallies (
    kind TEXT NOT NULL,
    hour INTEGER NOT NULL,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    part TEXT NOT NULL,
    rule TEXT NOT NULL,
    n INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    fuel INTEGER NOT NULL,
    PRIMARY KEY (kind, hour, source, name, part, rule)
) STRICT, WITHOUT ROWID;
CREATE TABLE minutes (
    minute INTEGER NOT NULL,
    category TEXT NOT NULL,
    sentiment TEXT NOT NULL,
    escalation INTEGER NOT NULL,
    degraded INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (minute, category, sentiment, escalation, degraded)
) STRICT, WITHOUT ROWID;
CREATE TABLE judged (
    decision TEXT NOT NULL,
    field TEXT NOT NULL,
    hour INTEGER NOT NULL,
    source TEXT NOT NULL,
    step TEXT NOT NULL,
    rule TEXT NOT NULL,
    ours TEXT NOT NULL,
    theirs TEXT NOT NULL,
    PRIMARY KEY (decision, field)
) STRICT, WITHOUT ROWID;
CREATE TABLE agreement (
    hour INTEGER NOT NULL,
    source TEXT NOT NULL,
    field TEXT NOT NULL,
    step TEXT NOT NULL,
    rule TEXT NOT NULL,
    ours TEXT NOT NULL,
    theirs TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (hour, source, field, step, rule, ours, theirs)
) STRICT, WITHOUT ROWID;
ALTER TABLE observations ADD COLUMN category TEXT;
ALTER TABLE observations ADD COLUMN priority TEXT;
ALTER TABLE observations ADD COLUMN queue TEXT;
INSERT INTO tallies SELECT 'clock', started - started % 3600000, source, clock, 'started', '', count(*), 0, 0 FROM clocks GROUP BY 2, 3, 4;
INSERT INTO tallies SELECT 'clock', warned - warned % 3600000, source, clock, 'warned', '', count(*), 0, 0
    FROM clocks WHERE warned IS NOT NULL GROUP BY 2, 3, 4;
INSERT INTO tallies SELECT 'clock', breached - breached % 3600000, source, clock, 'breached', '', count(*), 0, 0
    FROM clocks WHERE breached IS NOT NULL GROUP BY 2, 3, 4;
INSERT INTO tallies SELECT 'clock', ended - ended % 3600000, source, clock, CASE phase WHEN 'breached' THEN 'late' ELSE phase END, '', count(*),
    sum(CASE phase WHEN 'met' THEN spent_ms WHEN 'breached' THEN max(ended - breached, 0) ELSE 0 END), 0
    FROM clocks WHERE ended IS NOT NULL GROUP BY 2, 3, 4, 5;
";
