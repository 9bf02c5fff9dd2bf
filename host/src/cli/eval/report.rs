//! What `eval` prints: the JSON that a machine keeps, the tables that a person reads, the differences to an earlier run.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Args;
use super::labels::Labels;
use crate::eval::{Row, Scores, mean, measure, percentile};

/// Classes up to which the whole confusion is printed; above, the commonest mistakes.
const MATRIX: usize = 12;
/// Commonest mistakes, and values without a label, that are printed.
const COMMONEST: usize = 10;
/// Measures that a comparison holds to the baseline; of the last, less is better.
const HELD: [&str; 6] = ["accuracy", "macro_recall", "macro_f1", "mean_macro_f1", "average_precision", "ece"];

/// What a run gave.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) rows: Vec<Row>,
    /// Of the whole chain, by event.
    pub(super) micros: Vec<f64>,
    /// Of each plugin, by event.
    pub(super) steps: BTreeMap<String, Vec<f64>>,
    /// Steps that misbehaved, by plugin and detail.
    pub(super) faults: BTreeMap<String, usize>,
    /// Values that stand for no label.
    pub(super) strangers: BTreeMap<String, usize>,
}

impl Measured {
    /// Values that stand for no label, the commonest first.
    pub(super) fn strangers(&self) -> Vec<(&str, usize)> {
        let mut strangers: Vec<(&str, usize)> = self.strangers.iter().map(|(value, n)| (value.as_str(), *n)).collect();
        strangers.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        strangers
    }
}

/// The comparison with an earlier run.
pub(super) struct Compared {
    pub(super) text: String,
    pub(super) fell: bool,
}

/// The report for machines. `groups` is each row's value in the column of `--by`.
pub(super) fn json(args: &Args, file: &str, labels: &Labels, run: &Measured, groups: Option<&[&str]>) -> Value {
    let scores = measure(&run.rows, labels.classes.len(), &labels.yes);
    let mut report = Map::new();
    let mut put = |name: &str, value: Value| report.insert(name.to_owned(), value);
    put("field", json!(args.field.name()));
    put("file", json!(file));
    put("label", json!(args.label));
    put("rows", json!(scores.rows));
    put("accuracy", share(scores.accuracy));
    put("macro_recall", share(scores.macro_recall));
    put("macro_f1", share(scores.macro_f1));
    put("ece", scores.ece.map_or(Value::Null, share));
    put("mean_confidence", scores.mean_confidence.map_or(Value::Null, share));
    put("average_precision", scores.average_precision.map_or(Value::Null, share));
    put("recall_at_precision_80", scores.recall_at_precision_80.map_or(Value::Null, share));
    put("abstained", json!(scores.abstained));
    put("accuracy_answered", scores.accuracy_answered.map_or(Value::Null, share));
    if let Some(groups) = groups {
        let groups = by_group(run, labels, groups);
        put("mean_macro_f1", mean(groups.iter().map(|(_, scores)| scores.macro_f1)).map_or(Value::Null, share));
        put("mean_macro_recall", mean(groups.iter().map(|(_, scores)| scores.macro_recall)).map_or(Value::Null, share));
        let group = |(name, scores): &(&str, Scores)| {
            let shares = [scores.accuracy, scores.macro_recall, scores.macro_f1].map(share);
            json!({ "group": name, "rows": scores.rows, "accuracy": shares[0], "macro_recall": shares[1], "macro_f1": shares[2] })
        };
        put("groups", groups.iter().map(group).collect());
    }
    let class = |(label, class): (&String, &crate::eval::Class)| {
        let shares = [class.precision, class.recall, class.f1].map(share);
        json!({ "label": label, "rows": class.rows, "answers": class.answers, "precision": shares[0], "recall": shares[1], "f1": shares[2] })
    };
    put("classes", labels.classes.iter().zip(&scores.classes).map(class).collect());
    put("confusion", json!({ "columns": columns(labels), "rows": scores.confusion }));
    let steps: Map<String, Value> = run.steps.iter().map(|(plugin, micros)| (plugin.clone(), times(micros))).collect();
    put("micros", times(&run.micros));
    put("micros_by_plugin", Value::Object(steps));
    put("unmatched", json!(run.strangers));
    put("faults", json!(run.faults));
    Value::Object(report)
}

fn by_group<'a>(run: &Measured, labels: &Labels, groups: &[&'a str]) -> Vec<(&'a str, Scores)> {
    let mut parts: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for (row, group) in run.rows.iter().zip(groups) {
        parts.entry(group).or_default().push(*row);
    }
    parts.into_iter().map(|(group, rows)| (group, measure(&rows, labels.classes.len(), &labels.yes))).collect()
}

/// The confusion's columns: the classes, then what is none of them, then nothing.
fn columns(labels: &Labels) -> Vec<&str> {
    labels.classes.iter().map(String::as_str).chain(["(else)", "(none)"]).collect()
}

fn times(micros: &[f64]) -> Value {
    let mut sorted = micros.to_vec();
    sorted.sort_by(f64::total_cmp);
    let tenths = |micros: f64| json!((micros * 10.0).round() / 10.0);
    json!({ "p50": tenths(percentile(&sorted, 50)), "p99": tenths(percentile(&sorted, 99)), "mean": tenths(mean(sorted.iter().copied()).unwrap_or(0.0)) })
}

/// Six digits: more would only say how many rows there are.
fn share(share: f64) -> Value {
    json!((share * 1e6).round() / 1e6)
}

/// The report for people.
pub(super) fn text(report: &Value, labels: &Labels, run: &Measured) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} of {}, {} rows\n", label(&report["field"]), label(&report["file"]), report["rows"]);
    for (name, key) in [
        ("accuracy", "accuracy"),
        ("macro recall", "macro_recall"),
        ("macro F1", "macro_f1"),
        ("mean macro F1", "mean_macro_f1"),
        ("average precision", "average_precision"),
        ("recall at precision 0.80", "recall_at_precision_80"),
        ("calibration error (ECE)", "ece"),
    ] {
        if let Some(value) = report[key].as_f64() {
            let _ = writeln!(text, "  {name:<26}{value:.4}");
        }
    }
    let answered = report["accuracy_answered"].as_f64().map(|share| format!("; {share:.4} of the answers are right")).unwrap_or_default();
    let _ = writeln!(text, "  {:<26}{} of {}{answered}", "abstained", report["abstained"], report["rows"]);
    let time = |times: &Value| format!("p50 {} us, p99 {} us", times["p50"], times["p99"]);
    let _ = writeln!(text, "  {:<26}{}", "time per event", time(&report["micros"]));
    for (plugin, times) in report["micros_by_plugin"].as_object().into_iter().flatten() {
        let _ = writeln!(text, "    {plugin:<24}{}", time(times));
    }
    let width = labels.classes.iter().map(|class| class.chars().count()).max().unwrap_or(0).clamp(8, 40);
    let name = |name: &str| name.chars().take(40).collect::<String>();
    let _ = writeln!(text, "\n  {:<width$}  {:>6} {:>7}  precision  recall  F1", "label", "rows", "answers");
    for class in report["classes"].as_array().into_iter().flatten() {
        let shares = ["precision", "recall", "f1"].map(|key| class[key].as_f64().unwrap_or(0.0));
        let [precision, recall, f1] = shares;
        let counts = (&class["rows"].to_string(), &class["answers"].to_string());
        let _ = writeln!(
            text,
            "  {:<width$}  {:>6} {:>7}  {precision:>9.3}  {recall:>6.3}  {f1:.3}",
            name(&label(&class["label"])),
            counts.0,
            counts.1
        );
    }
    for group in report["groups"].as_array().into_iter().flatten() {
        let shares = ["accuracy", "macro_recall", "macro_f1"].map(|key| group[key].as_f64().unwrap_or(0.0));
        let [accuracy, recall, f1] = shares;
        let _ = writeln!(
            text,
            "  {}: {} rows, accuracy {accuracy:.4}, macro recall {recall:.4}, macro F1 {f1:.4}",
            label(&group["group"]),
            group["rows"]
        );
    }
    confusion(&mut text, report, labels, width);
    let strangers = run.strangers();
    if !strangers.is_empty() {
        let listed: Vec<String> = strangers.iter().take(COMMONEST).map(|(value, n)| format!("{value} ({n})")).collect();
        let _ = writeln!(text, "\n  values that stand for no label: {}; --map VALUE=LABEL says otherwise", listed.join(", "));
    }
    for (fault, n) in &run.faults {
        let _ = writeln!(text, "\n  misbehaved in {n} rows: {fault}");
    }
    text
}

fn confusion(text: &mut String, report: &Value, labels: &Labels, width: usize) {
    let columns = columns(labels);
    let rows: Vec<Vec<u64>> = serde_json::from_value(report["confusion"]["rows"].clone()).unwrap_or_default();
    if labels.classes.len() <= MATRIX {
        let _ = writeln!(text, "\n  rows by label, columns by answer");
        let short = |column: &str| column.chars().take(10).collect::<String>();
        let head: String = columns.iter().map(|column| format!(" {:>10}", short(column))).collect();
        let _ = writeln!(text, "  {:<width$}{head}", "");
        for (label, row) in labels.classes.iter().zip(&rows) {
            let cells: String = row.iter().map(|n| format!(" {n:>10}")).collect();
            let _ = writeln!(text, "  {label:<width$}{cells}");
        }
        return;
    }
    let mut mistakes: Vec<(u64, &str, &str)> = Vec::new();
    for (truth, row) in rows.iter().enumerate() {
        let wrong = row.iter().enumerate().filter(|(answer, n)| *answer != truth && **n > 0);
        mistakes.extend(wrong.map(|(answer, n)| (*n, labels.classes[truth].as_str(), columns[answer])));
    }
    mistakes.sort_by_key(|(n, _, _)| std::cmp::Reverse(*n));
    let _ = writeln!(text, "\n  commonest mistakes");
    for (n, truth, answer) in mistakes.iter().take(COMMONEST) {
        let _ = writeln!(text, "  {n:>6}  {truth} answered as {answer}");
    }
}

fn label(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What changed since an earlier run, and whether a measure fell by more than the tolerance.
pub(super) fn compare(old: &Value, new: &Value, tolerance: f64) -> Compared {
    let mut text = String::from("\n  measure               before     now  change\n");
    let mut fell = false;
    for name in HELD {
        let (before, now) = (old[name].as_f64(), new[name].as_f64());
        let line = match (before, now) {
            (None, None) => continue,
            (None, Some(now)) => format!("{:>8} {now:>7.4}  new", "-"),
            (Some(before), None) => {
                fell = true;
                format!("{before:>8.4} {:>7}  GONE", "-")
            }
            (Some(before), Some(now)) => {
                let change = now - before;
                let loss = if name == "ece" { change } else { -change };
                // A hair above it, so that a fall of just the tolerance is within it whatever the rounding.
                let worse = loss > tolerance + 1e-9;
                fell |= worse;
                format!("{before:>8.4} {now:>7.4}  {change:+.4}{}", if worse { "  FELL" } else { "" })
            }
        };
        let _ = writeln!(text, "  {name:<20}{line}");
    }
    for name in ["p50", "p99"] {
        if let (Some(before), Some(now)) = (old["micros"][name].as_f64(), new["micros"][name].as_f64()) {
            let _ = writeln!(text, "  {:<20}{before:>8.1} {now:>7.1}  {:+.1}", format!("micros {name}"), now - before);
        }
    }
    for key in ["field", "rows"] {
        if old[key] != new[key] {
            let _ = writeln!(text, "  note: the earlier run was of another {key}: {}, now {}", old[key], new[key]);
        }
    }
    let _ = writeln!(text, "  {} (tolerance {tolerance})", if fell { "a measure fell" } else { "no measure fell" });
    Compared { text, fell }
}
