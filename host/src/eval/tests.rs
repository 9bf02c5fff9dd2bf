//! Every measure against values worked out by hand.

use super::*;

fn row(truth: usize, answer: Answer) -> Row {
    Row { truth, answer, confidence: None, rank: None }
}

fn near(got: f64, wanted: f64) {
    assert!((got - wanted).abs() < 1e-9, "{got}, not {wanted}");
}

#[test]
fn recall_precision_and_f1_are_the_textbooks() {
    // Three classes. Truth 0: 0 0 1. Truth 1: 1 1 0 else. Truth 2: 2 none.
    let rows = [
        (0, Answer::Class(0)),
        (0, Answer::Class(0)),
        (0, Answer::Class(1)),
        (1, Answer::Class(1)),
        (1, Answer::Class(1)),
        (1, Answer::Class(0)),
        (1, Answer::Else),
        (2, Answer::Class(2)),
        (2, Answer::None),
    ]
    .map(|(truth, answer)| row(truth, answer));
    let scores = measure(&rows, 3, &[]);
    near(scores.accuracy, 5.0 / 9.0);
    near(scores.accuracy_answered.unwrap(), 5.0 / 8.0);
    near(scores.macro_recall, (2.0 / 3.0 + 0.5 + 0.5) / 3.0);
    // F1 = 2 hits / (rows + answers): 4/6, 4/7, 2/3.
    near(scores.macro_f1, (4.0 / 6.0 + 4.0 / 7.0 + 2.0 / 3.0) / 3.0);
    assert_eq!(scores.confusion, [[2, 1, 0, 0, 0], [1, 2, 0, 1, 0], [0, 0, 1, 0, 1]]);
    assert_eq!((scores.rows, scores.abstained, scores.classes[1].answers), (9, 1, 3));
    near(scores.classes[1].precision, 2.0 / 3.0);
    assert_eq!((scores.ece, scores.average_precision), (None, None), "nothing was said of confidence or rank");
}

#[test]
fn a_class_without_rows_or_answers_divides_by_nothing() {
    let scores = measure(&[row(0, Answer::Class(0)), row(1, Answer::Class(0))], 3, &[]);
    near(scores.macro_recall, 0.5);
    near(scores.macro_f1, (2.0 / 3.0 + 0.0) / 2.0);
    assert_eq!(scores.classes[2], Class::default());
    let nothing = measure(&[], 2, &[]);
    assert_eq!((nothing.accuracy, nothing.macro_f1, nothing.accuracy_answered), (0.0, 0.0, None));
}

#[test]
fn the_calibration_error_is_the_weighted_gap_of_ten_bins() {
    // Bin (0.8, 0.9]: two answers of 0.9, one right: gap 0.4. Bin (0.5, 0.6]: one of 0.6, right: gap 0.4. Bin (0.2, 0.3]: 0.3, wrong.
    let rows = [(0, 0.9), (1, 0.9), (0, 0.6), (1, 0.3)]
        .map(|(truth, confidence)| Row { confidence: Some(confidence), ..row(truth, Answer::Class(0)) });
    let scores = measure(&rows, 2, &[]);
    near(scores.ece.unwrap(), (0.8 + 0.4 + 0.3) / 4.0);
    near(scores.mean_confidence.unwrap(), 2.7 / 4.0);
    let silent = Row { confidence: Some(1.0), ..row(0, Answer::None) };
    assert_eq!(measure(&[silent], 1, &[]).ece, None, "no answer has no calibration");
    let edges = [0.0, 0.3, 1.0].map(|confidence| Row { confidence: Some(confidence), ..row(0, Answer::Class(0)) });
    near(measure(&edges, 1, &[]).ece.unwrap(), (1.0 + 0.7 + 0.0) / 3.0);
}

#[test]
fn the_average_precision_is_a_sum_over_steps_and_ties_are_one() {
    let ranked = |rows: &[(usize, f64)]| {
        let rows: Vec<Row> = rows.iter().map(|(truth, rank)| Row { rank: Some(*rank), ..row(*truth, Answer::None) }).collect();
        measure(&rows, 2, &[false, true])
    };
    // Yes, no, yes, no: 1/2 * 1 + 1/2 * 2/3.
    near(ranked(&[(1, 0.9), (0, 0.8), (1, 0.7), (0, 0.1)]).average_precision.unwrap(), 0.5 + 1.0 / 3.0);
    // scikit-learn's own example: y = 0 0 1 1, scores 0.1 0.4 0.35 0.8 gives 0.8333.
    near(ranked(&[(0, 0.1), (0, 0.4), (1, 0.35), (1, 0.8)]).average_precision.unwrap(), 0.5 + 1.0 / 3.0);
    // All equal: the base rate, whatever the order of the rows.
    near(ranked(&[(1, 0.5), (0, 0.5), (0, 0.5), (1, 0.5)]).average_precision.unwrap(), 0.5);
    assert_eq!(ranked(&[(0, 0.5)]).average_precision, None, "there is no yes to rank");
    let scores = ranked(&[(1, 0.9), (1, 0.8), (0, 0.7), (1, 0.6), (1, 0.5), (0, 0.4)]);
    near(scores.recall_at_precision_80.unwrap(), 1.0);
    near(ranked(&[(0, 0.9), (1, 0.8)]).recall_at_precision_80.unwrap(), 0.0);
}

#[test]
fn percentiles_are_of_the_nearest_rank() {
    let values: Vec<f64> = (1..=100).map(f64::from).collect();
    assert_eq!((percentile(&values, 50), percentile(&values, 99), percentile(&values, 100)), (50.0, 99.0, 100.0));
    assert_eq!((percentile(&[7.0], 50), percentile(&[7.0], 99), percentile(&[], 50)), (7.0, 7.0, 0.0));
}
