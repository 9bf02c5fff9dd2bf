//! How good answers are: accuracy, recall, F1, calibration, ranking. Pure numbers, from rows that somebody else judged.
//!
//! Called by `signalbox eval`. Every measure has the definition that scikit-learn gives it, so that figures can be compared;
//! all are fractions, 0.0 ..= 1.0.

#[cfg(test)]
mod tests;

/// Equal-width bins of the calibration error: the usual ten.
const BINS: usize = 10;

/// What was answered for one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// One of the classes.
    Class(usize),
    /// Something that is none of the classes: wrong.
    Else,
    /// Nothing. Wrong too, but counted apart.
    None,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The true class.
    pub truth: usize,
    /// The given one.
    pub answer: Answer,
    /// How sure the answer was, 0.0 ..= 1.0.
    pub confidence: Option<f64>,
    /// For a yes-or-no question: how likely yes is. Only the order matters.
    pub rank: Option<f64>,
}

/// One class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Class {
    /// Rows of it.
    pub rows: usize,
    /// Answers that named it.
    pub answers: usize,
    /// Of the answers that named it, how many are right; 0 without an answer.
    pub precision: f64,
    /// Of its rows, how many were named; 0 without a row.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
}

/// Everything that is measured.
#[derive(Clone, Debug)]
pub struct Scores {
    /// Rows.
    pub rows: usize,
    /// Right answers by rows.
    pub accuracy: f64,
    /// Mean over the classes that have rows.
    pub macro_recall: f64,
    /// Mean over the classes that have rows.
    pub macro_f1: f64,
    /// Expected calibration error of the answers that gave a confidence.
    pub ece: Option<f64>,
    /// Mean confidence of those answers.
    pub mean_confidence: Option<f64>,
    /// Of the ranking, when every row has a rank and there are rows of yes.
    pub average_precision: Option<f64>,
    /// The largest recall of yes at a precision of at least 0.80; with the same condition.
    pub recall_at_precision_80: Option<f64>,
    /// Rows without an answer.
    pub abstained: usize,
    /// Right answers by answers.
    pub accuracy_answered: Option<f64>,
    /// By class.
    pub classes: Vec<Class>,
    /// By true class: how often each class was answered, then something else, then nothing.
    pub confusion: Vec<Vec<usize>>,
}

/// Measures. `yes` says which classes are a yes, for the ranking; none of them when there is none.
pub fn measure(rows: &[Row], classes: usize, yes: &[bool]) -> Scores {
    let mut confusion = vec![vec![0; classes + 2]; classes];
    for row in rows {
        let at = match row.answer {
            Answer::Class(class) => class,
            Answer::Else => classes,
            Answer::None => classes + 1,
        };
        confusion[row.truth][at] += 1;
    }
    let table: Vec<Class> = (0..classes)
        .map(|class| {
            let hits = confusion[class][class];
            let of = confusion[class].iter().sum();
            let answers = confusion.iter().map(|row| row[class]).sum();
            let (precision, recall) = (share(hits, answers), share(hits, of));
            let f1 = if hits == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
            Class { rows: of, answers, precision, recall, f1 }
        })
        .collect();
    let right: usize = (0..classes).map(|class| confusion[class][class]).sum();
    let abstained: usize = confusion.iter().map(|row| row[classes + 1]).sum();
    let answered = rows.len() - abstained;
    let present = table.iter().filter(|class| class.rows > 0);
    let ranked = ranked(rows, yes);
    Scores {
        rows: rows.len(),
        accuracy: share(right, rows.len()),
        macro_recall: mean(present.clone().map(|class| class.recall)).unwrap_or(0.0),
        macro_f1: mean(present.map(|class| class.f1)).unwrap_or(0.0),
        ece: ece(rows),
        mean_confidence: mean(sure(rows).map(|(confidence, _)| confidence)),
        average_precision: ranked.as_ref().map(|ranked| average_precision(ranked)),
        recall_at_precision_80: ranked.as_ref().map(|ranked| recall_at(ranked, 0.8)),
        abstained,
        accuracy_answered: (answered > 0).then(|| share(right, answered)),
        classes: table,
        confusion,
    }
}

/// The value below which `percent` of the sorted values lie (nearest rank); 0 of none.
pub fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

/// The mean; none of nothing.
pub fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0_usize), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / n as f64)
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Confidence and correctness of the answers that have one.
fn sure(rows: &[Row]) -> impl Iterator<Item = (f64, bool)> {
    let answered = rows.iter().filter(|row| row.answer != Answer::None);
    answered.filter_map(|row| Some((row.confidence?, row.answer == Answer::Class(row.truth))))
}

/// How far confidence and accuracy are apart, bin by bin, weighted by the bins' answers.
fn ece(rows: &[Row]) -> Option<f64> {
    let mut bins = [(0_usize, 0.0_f64, 0_usize); BINS];
    let mut n = 0;
    for (confidence, right) in sure(rows) {
        // A bin holds its upper edge: 0.1 is in the first. In 32 bits, as it was written, so that 0.3 is not above 0.3.
        let at = ((confidence as f32 * BINS as f32).ceil() as usize).clamp(1, BINS) - 1;
        bins[at].0 += 1;
        bins[at].1 += confidence;
        bins[at].2 += usize::from(right);
        n += 1;
    }
    let gap = |(_, confidence, right): &(usize, f64, usize)| (confidence - *right as f64).abs();
    (n > 0).then(|| bins.iter().map(gap).sum::<f64>() / n as f64)
}

/// Points of the ranking, from the highest rank down: rows so far, rows of yes so far. Equal ranks make one point.
fn ranked(rows: &[Row], yes: &[bool]) -> Option<Vec<(usize, usize)>> {
    let mut order: Vec<(f64, bool)> = Vec::with_capacity(rows.len());
    for row in rows {
        order.push((row.rank?, yes.get(row.truth).copied().unwrap_or(false)));
    }
    if !order.iter().any(|(_, yes)| *yes) {
        return None;
    }
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut points: Vec<(usize, usize)> = Vec::new();
    let (mut hits, mut last) = (0, None);
    for (n, (rank, yes)) in (1..).zip(order) {
        hits += usize::from(yes);
        if last == Some(rank) {
            points.pop();
        }
        points.push((n, hits));
        last = Some(rank);
    }
    Some(points)
}

fn average_precision(points: &[(usize, usize)]) -> f64 {
    let total = points.last().map_or(0, |(_, hits)| *hits);
    let mut before = 0;
    let mut sum = 0.0;
    for (n, hits) in points {
        sum += share(hits - before, total) * share(*hits, *n);
        before = *hits;
    }
    sum
}

fn recall_at(points: &[(usize, usize)], precision: f64) -> f64 {
    let total = points.last().map_or(0, |(_, hits)| *hits);
    let good = points.iter().filter(|(n, hits)| share(*hits, *n) >= precision);
    good.map(|(_, hits)| share(*hits, total)).fold(0.0, f64::max)
}
