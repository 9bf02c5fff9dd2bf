//! `signalbox eval`: it measures what a table says, and says what is wrong with a table that it cannot measure.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::harness::{complaint, directory, signalbox, warm_data};

/// Posts that the bundled rules judge without doubt.
const POSTS: &str = "id\ttext\tlabel\tescalate\tlang
1\tThank you so much, excellent support, I love it!\tPositive\tno\ten
2\tThis is terrible, useless and I am furious.\tNegative\tno\ten
3\tWhich port does the printer use?\tNeutral\tno\ten
4\tI will kill you all, I know where you live.\tNegative\tyes\ten
5\tVielen Dank, toller Service!\tPositive\tno\tde
6\tDas ist eine Frechheit, ich bin stinksauer.\tNegative\tno\tde
";

fn write(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let file = dir.join(name);
    fs::write(&file, bytes).unwrap();
    file.display().to_string()
}

fn eval(arguments: &[&str]) -> Output {
    signalbox(&[&["eval", "--data", warm_data().to_str().unwrap()], arguments].concat())
}

fn printed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", complaint(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn report(arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(&eval(&[&["--json"], arguments].concat()))).unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = eval(arguments);
    assert_eq!(output.status.code(), Some(1), "{}", complaint(&output));
    complaint(&output)
}

#[test]
fn sentiment_is_measured_in_three_steps_with_numbers_for_machines() {
    let dir = directory();
    let file = write(dir.path(), "posts.tsv", POSTS);
    let report = report(&["--field", "sentiment", "--by", "lang", &file]);
    assert_eq!((&report["field"], &report["rows"], &report["abstained"]), (&json!("sentiment"), &json!(6), &json!(0)));
    for measure in ["accuracy", "macro_recall", "macro_f1", "mean_macro_f1"] {
        assert_eq!(report[measure], 1.0, "{measure}: {report}");
    }
    let ece = report["ece"].as_f64().unwrap();
    assert!(ece > 0.0 && ece < 1.0, "{ece}");
    assert_eq!(report["average_precision"], Value::Null, "three classes have no one ranking");
    assert_eq!(report["confusion"]["columns"], json!(["Negative", "Neutral", "Positive", "(else)", "(none)"]));
    assert_eq!(report["confusion"]["rows"][0], json!([3, 0, 0, 0, 0]));
    assert_eq!(report["classes"][2], json!({"label": "Positive", "rows": 2, "answers": 2, "precision": 1.0, "recall": 1.0, "f1": 1.0}));
    assert_eq!(report["groups"].as_array().unwrap().len(), 2);
    assert!(report["micros"]["p50"].as_f64().unwrap() > 0.0 && report["micros_by_plugin"]["sentiment"]["p99"].is_number());
}

#[test]
fn the_same_is_printed_for_people_and_read_from_gzip() {
    let dir = directory();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(POSTS.as_bytes()).unwrap();
    let file = write(dir.path(), "posts.tsv.gz", gzip.finish().unwrap());
    let text = printed(&eval(&["--field", "sentiment", &file]));
    for words in [
        "sentiment of ",
        "6 rows",
        "accuracy                  1.0000",
        "macro F1",
        "calibration error",
        "abstained                 0 of 6",
        "p50 ",
        "precision",
        "columns by answer",
    ] {
        assert!(text.contains(words), "no {words}: {text}");
    }
}

#[test]
fn escalation_is_yes_from_level_one_and_is_ranked() {
    let dir = directory();
    let file = write(dir.path(), "posts.tsv", POSTS);
    let report = report(&["--field", "escalation", "--label", "escalate", &file]);
    assert_eq!(report["classes"][1]["recall"], 1.0, "the threat is escalated: {report}");
    assert!(report["average_precision"].as_f64().is_some_and(|precision| precision > 0.0), "{report}");
}

#[test]
fn labels_are_left_out_and_renamed() {
    let dir = directory();
    let file = write(dir.path(), "posts.tsv", POSTS);
    let report = report(&["--field", "sentiment", "--skip", "Neutral", "--fold", "Negative=neg,*=pos", &file]);
    assert_eq!((&report["rows"], &report["accuracy"]), (&json!(5), &json!(1.0)));
    assert_eq!(report["confusion"]["columns"], json!(["neg", "pos", "(else)", "(none)"]));
    assert!(refused(&["--field", "sentiment", "--skip", "Neutral,Negative,Positive", &file]).contains("no row that counts"));
}

#[test]
fn a_plugin_alone_takes_its_config_and_values_are_mapped() {
    let dir = directory();
    let file = write(dir.path(), "topics.tsv", "label\tbody\nRattle\tit makes a strange noise\nRest\tgood morning\n");
    let config = r#"{"categories": [{"key": "noise", "strong": ["strange noise"]}, {"key": "greeting", "strong": ["good morning"]}]}"#;
    let arguments = ["--field", "category", "--plugin", "categorize", "--plugin-config", config, "--text", "body"];
    let with = |map: &[&'static str]| [&arguments, map, &[file.as_str()]].concat();
    let report = report(&with(&["--map", "noise=Rattle,greeting=rest"]));
    assert_eq!((&report["accuracy"], &report["unmatched"]), (&json!(1.0), &json!({})));
    assert_eq!(report["micros_by_plugin"].as_object().unwrap().keys().collect::<Vec<_>>(), ["categorize"]);
    let said = refused(&with(&["--fold", "Rest=Hum"]));
    for words in ["(Rattle, Hum) are no values of category (", "noise", "--map", "--fold"] {
        assert!(said.contains(words), "no {words}: {said}");
    }
}

#[test]
fn a_model_and_examples_go_into_the_config_of_categorize() {
    let dir = directory();
    let file = write(dir.path(), "topics.tsv", "label\ttext\nRattle\tit makes a strange noise\n");
    // The plugin itself says what it thinks of a model that no one has.
    let said = refused(&["--field", "category", "--model", "no-such-model", &file]);
    assert!(said.contains("step `categorize`") && said.contains("model"), "{said}");
    let said = refused(&["--field", "category", "--examples", &path(dir.path(), "none.tsv"), &file]);
    assert!(said.contains("none.tsv"), "{said}");
}

fn path(dir: &Path, name: &str) -> String {
    dir.join(name).display().to_string()
}

#[test]
fn a_comparison_says_what_fell_and_fails_only_then() {
    let dir = directory();
    let file = write(dir.path(), "posts.tsv", POSTS);
    let arguments = ["--field", "sentiment", file.as_str()];
    let mut baseline = report(&arguments);
    let same = write(dir.path(), "same.json", baseline.to_string());
    let output = eval(&[&arguments[..], &["--compare", &same]].concat());
    assert!(printed(&output).contains("no measure fell"), "{}", printed(&output));

    baseline["macro_f1"] = json!(1.01);
    let better = write(dir.path(), "better.json", baseline.to_string());
    let output = eval(&[&arguments[..], &["--compare", &better]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("1.0100  1.0000  -0.0100  FELL") && text.contains("a measure fell (tolerance 0.005)"), "{text}");
    printed(&eval(&[&arguments[..], &["--compare", &better, "--tolerance", "0.02"]].concat()));

    baseline["macro_f1"] = json!(1.0);
    baseline["ece"] = json!(0.0);
    let calibrated = write(dir.path(), "calibrated.json", baseline.to_string());
    let said = refused(&[&arguments[..], &["--json", "--compare", &calibrated]].concat());
    assert!(said.contains("ece") && said.contains("FELL"), "more error is worse, and with --json it is said on standard error: {said}");
}

#[test]
fn what_cannot_be_measured_is_refused_with_the_remedy() {
    let dir = directory();
    let posts = write(dir.path(), "posts.tsv", POSTS);
    let file = |name: &str, text: &str| write(dir.path(), name, text);
    for (arguments, words) in [
        (["--field", "sentiment", &file("empty.tsv", "")], "the file is empty; the first line names the columns"),
        (["--field", "sentiment", &file("header.tsv", "text\tlabel\n")], "the file has no rows, only its header: text, label"),
        (
            ["--field", "sentiment", &file("other.tsv", "post\tgrade\nx\ty\n")],
            "there is no column `text`; the columns are post, grade; name one with --text",
        ),
        (["--field", "sentiment", &file("ragged.tsv", "text\tlabel\nx\n")], "line 2 has 1 cells, the header 2"),
        (
            ["--field", "urgency", &posts],
            "(Negative, Neutral, Positive) are no values of urgency (low, normal, high, critical, or yes and no)",
        ),
        (["--field", "sentiment", &path(dir.path(), "none.tsv")], "cannot read"),
    ] {
        let said = refused(&arguments);
        assert!(said.contains(words), "no {words}: {said}");
    }
    let said = refused(&["--field", "urgency", &posts]);
    assert!(said.contains("name another column with --label: id, escalate, lang"), "{said}");
    let said = refused(&["--field", "language", "--label", "lang", "--plugin", "sentiment", &posts]);
    assert!(said.contains("no step said anything of language; the chain is sentiment"), "{said}");
    let usage = eval(&["--field", "nonsense", &posts]);
    assert_eq!(usage.status.code(), Some(2), "{}", complaint(&usage));
}
