//! Later tables of the workflow around a decision, a migration each: released ones are never edited.

/// - `alerts`: what was raised, once per audience and key within a window; `repeats` counts what came again.
/// - `alert_sinks`: who was told of it, or was spared it for now. `alert_summaries`: when a sink was told what it had been spared.
pub(super) const ALERTS: &str = "
CREATE TABLE alerts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    audience TEXT NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL,
    key TEXT NOT NULL,
    source TEXT NOT NULL,
    ticket TEXT,
    decision TEXT NOT NULL,
    event INTEGER NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    repeats INTEGER NOT NULL,
    last INTEGER,
    on_call TEXT
) STRICT;
CREATE INDEX alerts_key ON alerts (audience, key, seq);
CREATE INDEX alerts_event ON alerts (event);
CREATE TABLE alert_sinks (
    alert INTEGER NOT NULL,
    sink TEXT NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (alert, sink)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_sinks_sent ON alert_sinks (sink, at) WHERE state = 'sent';
CREATE INDEX alert_sinks_held ON alert_sinks (sink, at) WHERE state = 'held';
CREATE TABLE alert_summaries (seq INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;
CREATE INDEX alert_summaries_sink ON alert_summaries (sink, at);
";
