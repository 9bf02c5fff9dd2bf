//! Replays: what a candidate generation would have decided about events that were decided already.
//!
//! The same events, moments and candidate give the same report, byte for byte: nothing in it depends on how fast the machine is or
//! on what else it does. Runs on a thread of its own with the lowest claim to the processor, so that live traffic does not notice.

mod past;
pub mod shadow;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ask::Asked;
use crate::decision::{Decision, Outcome};
use crate::event::{Event, Timestamp};
use crate::generation::Generation;
use crate::setup::Setup;
use crate::sheet;
use crate::store::{RecordedRun, Stored};

pub use past::Archive;
use past::Side;

/// Events that a replay runs over unless it says otherwise, and at most.
pub const EVENTS: (u32, u32) = (1_000, 20_000);
/// Changed decisions that a report shows side by side; all are counted, and the CSV has all.
const SHOWN: usize = 10_000;
/// Characters of an event's text that a report shows.
const EXCERPT: usize = 160;
/// Parts of a decision that say which run made it, not what was decided.
const OF_THE_RUN: [&str; 8] = ["id", "event_id", "revision", "source", "chain", "generation", "decided", "trace"];

/// What is to be replayed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "ReplayRequest")]
pub struct Request {
    /// The candidate: a set-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup: Option<Setup>,
    /// Or a generation that was live once. Without either, what is live now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// Over the newest so many recorded events: 1,000 unless told otherwise, at most 20,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 20_000))]
    pub last: Option<u32>,
    /// Of those decided at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Of those decided before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Or over these events, which are compared with what is live now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Event>", length(max = 20_000))]
    pub events: Vec<Value>,
    /// What to compare with: the decisions as they were recorded, or what is live now.
    pub against: Against,
}

/// What a candidate's decisions are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The decisions as they were recorded.
    #[default]
    Recorded,
    /// What the live generation would decide now.
    Live,
}

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReplayReport")]
pub struct Report {
    /// The candidate.
    pub generation: String,
    /// Events looked at.
    pub events: usize,
    /// Events whose two decisions can be compared.
    pub compared: usize,
    /// Events that would be decided differently.
    pub changed: usize,
    /// Events that cannot be compared, and why.
    pub not_comparable: Vec<NotComparable>,
    /// How many decisions differ in each field.
    pub fields: BTreeMap<String, usize>,
    /// Every decision that differs, side by side, oldest first.
    pub changes: Vec<Changed>,
    /// What each step of the candidate cost.
    pub steps: Vec<StepCost>,
}

/// One event that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotComparable {
    /// The event.
    pub event_id: String,
    /// Why not.
    pub why: String,
}

/// One decision that would be another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// The event.
    pub event_id: String,
    /// The source it came through.
    pub source: String,
    /// The recorded decision, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
    /// The beginning of what was said.
    pub text: String,
    /// What differs.
    pub fields: Vec<Difference>,
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// JSON Pointer into the decision.
    pub field: String,
    /// What it was; absent when it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What it would be; absent when it would not be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// What one step of the candidate cost, in fuel: the same on every machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepCost {
    /// Its chain.
    pub chain: String,
    /// Its name.
    pub step: String,
    /// Its plugin and version.
    pub plugin: String,
    /// Events it judged.
    pub runs: usize,
    /// Events it faulted on.
    pub faults: usize,
    /// Median fuel of a run.
    pub fuel_median: u64,
    /// Most fuel of a run.
    pub fuel_most: u64,
}

impl StepCost {
    /// Notes the fuel of its runs.
    fn spent(&mut self, mut fuel: Vec<u64>) {
        fuel.sort_unstable();
        self.fuel_median = fuel.get(fuel.len() / 2).copied().unwrap_or(0);
        self.fuel_most = fuel.last().copied().unwrap_or(0);
    }
}

/// How many recorded events are looked at: as many as were asked for, else the usual number.
///
/// # Errors
/// What is wrong with the number.
pub fn last(asked: Option<u32>) -> Result<u32, String> {
    let last = asked.unwrap_or(EVENTS.0);
    if (1..=EVENTS.1).contains(&last) { Ok(last) } else { Err(format!("is {last}; 1 to {} recorded events are looked at", EVENTS.1)) }
}

/// Replays recorded events with the candidate.
pub fn over_recorded(
    candidate: &Generation,
    live: &Generation,
    recorded: Vec<RecordedRun>,
    against: Against,
    archive: &Arc<dyn Archive>,
) -> Report {
    let (mut replay, mut other) = (Replay::new(candidate, archive), Side::new(archive.clone()));
    for RecordedRun { stored: Stored { event, decision }, asked } in recorded {
        let (Ok(event), Ok(was)) = (serde_json::from_str::<Event>(&event), serde_json::from_str::<Decision>(&decision)) else {
            let event_id = serde_json::from_str::<Value>(&event).map_or(String::new(), |event| event["id"].to_string());
            replay.pass_over(event_id, "its record is of another version of the host");
            continue;
        };
        let (event, id) = (Arc::new(event), was.head.id.clone());
        if let Some(why) = chance(&was).filter(|_| against == Against::Recorded) {
            replay.pass_over(event.id.clone(), &why);
            continue;
        }
        let now = was.head.decided;
        let asked: Arc<[Asked]> = asked.into();
        let (was, missing) = match against {
            Against::Live => other.run(&live.chain_for(&event), &event, now, &asked),
            Against::Recorded => (was, None),
        };
        replay.compare(&event, was, now, Some(id), &asked, missing);
    }
    replay.finish()
}

/// Replays events of a file with the candidate, against what is live.
pub fn over_events(candidate: &Generation, live: &Generation, events: Vec<Event>, now: Timestamp, archive: &Arc<dyn Archive>) -> Report {
    let (mut replay, mut other) = (Replay::new(candidate, archive), Side::new(archive.clone()));
    let asked: Arc<[Asked]> = Arc::default();
    for event in events {
        let event = Arc::new(event);
        let (was, missing) = other.run(&live.chain_for(&event), &event, now, &asked);
        replay.compare(&event, was, now, None, &asked, missing);
    }
    replay.finish()
}

/// Runs work where it gets only what nobody else wants of the processor.
pub fn in_the_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<tokio::sync::oneshot::Receiver<T>> {
    /// The mildest claim there is.
    const NICE: i32 = 19;
    let (done, result) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("replay".to_owned()).spawn(move || {
        // On Linux this is the calling thread's alone. Without it the replay is as it was, only less polite.
        let _ = rustix::process::setpriority_process(None, NICE);
        let _ = done.send(work());
    })?;
    Ok(result)
}

/// Why a recorded decision depended on the moment it was made in, if it did.
fn chance(was: &Decision) -> Option<String> {
    let step = was.trace.iter().find(|entry| matches!(entry.outcome, Outcome::TimedOut | Outcome::Quarantined))?;
    Some(format!("step `{}` was {} when it was decided", step.name.as_ref().unwrap_or(&step.plugin), crate::decision::word(step.outcome)))
}

struct Replay<'a> {
    candidate: &'a Generation,
    side: Side,
    report: Report,
    fuel: BTreeMap<(String, usize), (StepCost, Vec<u64>)>,
}

impl<'a> Replay<'a> {
    fn new(candidate: &'a Generation, archive: &Arc<dyn Archive>) -> Self {
        let side = Side::new(archive.clone());
        Self { candidate, side, report: Report { generation: candidate.id.clone(), ..Report::default() }, fuel: BTreeMap::new() }
    }

    fn pass_over(&mut self, event_id: String, why: &str) {
        self.report.events += 1;
        self.report.not_comparable.push(NotComparable { event_id, why: why.to_owned() });
    }

    fn compare(
        &mut self,
        event: &Arc<Event>,
        was: Decision,
        now: Timestamp,
        decision_id: Option<String>,
        asked: &Arc<[Asked]>,
        missing: Option<String>,
    ) {
        self.report.events += 1;
        let chain = self.candidate.chain_for(event);
        let (would, unanswered) = self.side.run(&chain, event, now, asked);
        for (at, entry) in would.trace.iter().enumerate() {
            let fresh = || {
                let (chain, plugin) = (chain.name.clone(), format!("{} {}", entry.plugin, entry.version));
                let step = entry.name.clone().unwrap_or_else(|| entry.plugin.clone());
                (StepCost { chain, step, plugin, ..StepCost::default() }, Vec::new())
            };
            let (cost, fuel) = self.fuel.entry((chain.name.clone(), at)).or_insert_with(fresh);
            if entry.outcome != Outcome::Skipped {
                cost.runs += 1;
                cost.faults += usize::from(entry.outcome.is_fault());
                fuel.push(entry.fuel);
            }
        }
        let timed_out = would.trace.iter().any(|entry| entry.outcome == Outcome::TimedOut);
        let why = timed_out.then(|| "a step of the candidate ran out of time".to_owned());
        if let Some(why) = why.or(unanswered).or(missing) {
            self.report.not_comparable.push(NotComparable { event_id: event.id.clone(), why });
            return;
        }
        self.report.compared += 1;
        let fields = differences(&was, &would);
        if fields.is_empty() {
            return;
        }
        self.report.changed += 1;
        for difference in &fields {
            *self.report.fields.entry(difference.field.clone()).or_default() += 1;
        }
        if self.report.changes.len() < SHOWN {
            let text = event.text.chars().take(EXCERPT).collect();
            self.report.changes.push(Changed { event_id: event.id.clone(), source: event.source.clone(), decision_id, text, fields });
        }
    }

    fn finish(mut self) -> Report {
        for (mut cost, fuel) in self.fuel.into_values() {
            cost.spent(fuel);
            self.report.steps.push(cost);
        }
        self.report
    }
}

/// Where two decisions differ, apart from which run made them.
pub fn differences(was: &Decision, would: &Decision) -> Vec<Difference> {
    let object = |decision: &Decision| {
        let mut value = serde_json::to_value(decision).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            OF_THE_RUN.iter().for_each(|key| drop(object.remove(*key)));
        }
        value
    };
    let mut found = Vec::new();
    walk("", Some(&object(was)), Some(&object(would)), &mut found);
    found
}

/// Objects are compared key by key, everything else as a whole.
fn walk(pointer: &str, from: Option<&Value>, to: Option<&Value>, found: &mut Vec<Difference>) {
    match (from, to) {
        (from, to) if from == to => {}
        (Some(Value::Object(from)), Some(Value::Object(to))) => {
            let keys: std::collections::BTreeSet<&String> = from.keys().chain(to.keys()).collect();
            for key in keys {
                walk(&format!("{pointer}/{}", crate::setup::escape(key)), from.get(key), to.get(key), found);
            }
        }
        (from, to) => found.push(Difference { field: pointer.to_owned(), from: from.cloned(), to: to.cloned() }),
    }
}

impl Report {
    /// One line per field that differs. A cell that a spreadsheet would take for a formula begins with an apostrophe.
    pub fn csv(&self) -> String {
        let mut text = "event_id,source,field,from,to,text\r\n".to_owned();
        for change in &self.changes {
            for Difference { field, from, to } in &change.fields {
                let json = |value: &Option<Value>| {
                    value.as_ref().map_or(String::new(), |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                };
                let cells = [&change.event_id, &change.source, field, &json(from), &json(to), &change.text].map(|cell| quoted(cell));
                let _ = write!(text, "{}\r\n", cells.join(","));
            }
        }
        text
    }
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", sheet::cell(cell).replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_differ_by_key_and_lists_as_a_whole() {
        let mut found = Vec::new();
        let (from, to) = (json!({"a": {"x": 1, "y": 2}, "l": [1], "gone": true}), json!({"a": {"x": 1, "y": 3}, "l": [1, 2], "new/er": 0}));
        walk("", Some(&from), Some(&to), &mut found);
        let fields: Vec<&str> = found.iter().map(|difference| difference.field.as_str()).collect();
        assert_eq!(fields, ["/a/y", "/gone", "/l", "/new~1er"]);
        assert_eq!((&found[1].from, &found[1].to), (&Some(json!(true)), &None));
    }

    #[test]
    fn a_spreadsheet_finds_no_formula() {
        let fields = vec![Difference { field: "/category/key".to_owned(), from: Some(json!("a\"b")), to: None }];
        let text = "=HYPERLINK(\"http://evil\")".to_owned();
        let change = Changed { event_id: "@1".to_owned(), source: "s".to_owned(), decision_id: None, text, fields };
        let csv = Report { changes: vec![change], ..Report::default() }.csv();
        let line = csv.lines().nth(1).unwrap();
        assert_eq!(line, r#""'@1","s","/category/key","a""b","","'=HYPERLINK(""http://evil"")""#);
    }
}
