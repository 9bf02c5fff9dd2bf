//! Whether a verdict contains what an example expects, and where it does not. Pure.
//!
//! An expectation is a subset: `{"proposals": [...], "absent": [...]}`. Every listed proposal must be found in the verdict;
//! no effect named in `absent` may be proposed. Objects match by subset, lists as subsets, numbers within 1e-6 or within
//! `{"min": a, "max": b}`.

use serde_json::{Value, json};

use crate::verdict::Verdict;

/// One place where something else was expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where, from the case's `expect` on: `proposals[0].effect.value.key`.
    pub path: String,
    /// What was expected.
    pub expected: Value,
    /// What came; absent when nothing did.
    pub got: Option<Value>,
}

/// Compares a verdict with an expectation.
///
/// # Errors
/// One sentence that says what was expected and not found.
pub fn compare(verdict: &Verdict, expect: &Value) -> Result<(), String> {
    let proposals: Vec<Value> = verdict.proposals.iter().map(|p| serde_json::to_value(p).unwrap_or(Value::Null)).collect();
    for wanted in expect.get("proposals").and_then(Value::as_array).into_iter().flatten() {
        if !proposals.iter().any(|proposal| contains(proposal, wanted)) {
            let got: Vec<String> = verdict.proposals.iter().map(|p| serde_json::to_string(&p.effect).unwrap_or_default()).collect();
            return Err(format!("expected {wanted}, got {}", if got.is_empty() { "no proposal".to_owned() } else { got.join(", ") }));
        }
    }
    for absent in expect.get("absent").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if verdict.proposals.iter().any(|proposal| proposal.effect.name() == absent) {
            return Err(format!("expected no `{absent}`, got one"));
        }
    }
    Ok(())
}

/// Every place where a verdict is not what was expected. A proposal that is missing is held against the one that comes closest.
pub fn differences(verdict: &Verdict, expect: &Value) -> Vec<Difference> {
    let proposals: Vec<Value> = verdict.proposals.iter().map(|p| serde_json::to_value(p).unwrap_or(Value::Null)).collect();
    let mut found = Vec::new();
    for (at, wanted) in expect["proposals"].as_array().into_iter().flatten().enumerate() {
        if proposals.iter().any(|proposal| contains(proposal, wanted)) {
            continue;
        }
        let path = format!("proposals[{at}]");
        let same = |proposal: &&Value| proposal["effect"]["type"] == wanted["effect"]["type"];
        let nearest = proposals.iter().filter(same).map(|proposal| missing(&path, wanted, proposal)).min_by_key(Vec::len);
        found.extend(nearest.unwrap_or_else(|| {
            let came: Vec<&str> = verdict.proposals.iter().map(|proposal| proposal.effect.name()).collect();
            vec![Difference { path, expected: wanted.clone(), got: Some(json!({ "proposed": came })) }]
        }));
    }
    for (at, absent) in expect["absent"].as_array().into_iter().flatten().enumerate() {
        let name = absent.as_str().unwrap_or_default();
        if let Some(came) = proposals.iter().find(|proposal| proposal["effect"]["type"] == name) {
            found.push(Difference {
                path: format!("absent[{at}]"),
                expected: json!(format!("no {name}")),
                got: Some(came["effect"].clone()),
            });
        }
    }
    found
}

/// Every place of `wanted` that `came` does not contain.
pub fn missing(path: &str, wanted: &Value, came: &Value) -> Vec<Difference> {
    if contains(came, wanted) {
        return Vec::new();
    }
    let whole = || Difference { path: path.to_owned(), expected: wanted.clone(), got: Some(came.clone()) };
    match (wanted, came) {
        (Value::Object(wanted), Value::Object(came)) => {
            let deeper = wanted.iter().map(|(key, wanted)| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match came.get(key) {
                    Some(came) => missing(&path, wanted, came),
                    None => vec![Difference { path, expected: wanted.clone(), got: None }],
                }
            });
            deeper.flatten().collect()
        }
        (Value::Array(wanted), Value::Array(found)) => {
            let absent = wanted.iter().enumerate().filter(|(_, wanted)| !found.iter().any(|found| contains(found, wanted)));
            let at = |(at, wanted): (usize, &Value)| Difference {
                path: format!("{path}[{at}]"),
                expected: wanted.clone(),
                got: Some(came.clone()),
            };
            absent.map(at).collect()
        }
        _ => vec![whole()],
    }
}

/// Whether `whole` contains `part`.
pub fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Number(number), Value::Object(range)) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            let bound = |key: &str| range.get(key).and_then(Value::as_f64);
            range.keys().all(|key| key == "min" || key == "max")
                && bound("min").is_none_or(|min| number >= min - 1e-6)
                && bound("max").is_none_or(|max| number <= max + 1e-6)
        }
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => part.iter().all(|part| whole.iter().any(|whole| contains(whole, part))),
        (Value::Number(a), Value::Number(b)) => (a.as_f64().unwrap_or(f64::NAN) - b.as_f64().unwrap_or(f64::NAN)).abs() <= 1e-6,
        (whole, part) => whole == part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn subsets_match_and_others_do_not() {
        let whole = json!({"a": 1.0, "b": {"c": ["x", "y"]}, "n": 0.7});
        for part in
            [json!({}), json!({"b": {"c": ["y"]}}), json!({"a": 1}), json!({"n": {"min": 0.5}}), json!({"n": {"min": 0.5, "max": 0.7}})]
        {
            assert!(contains(&whole, &part), "{part}");
        }
        for part in [json!({"z": 1}), json!({"b": {"c": ["z"]}}), json!({"a": 2}), json!({"n": {"max": 0.5}})] {
            assert!(!contains(&whole, &part), "{part}");
        }
    }

    #[test]
    fn a_difference_names_its_place() {
        let verdict: Verdict = serde_json::from_value(json!({"proposals": [
            {"effect": {"type": "tag", "value": "a"}, "reason": "r", "confidence": 0.5},
            {"effect": {"type": "categorize", "value": {"key": "billing"}}, "reason": "r", "confidence": 0.5},
        ]}))
        .unwrap();
        let told = |expect: Value| {
            let told = differences(&verdict, &expect).into_iter();
            told.map(|d| format!("{} {} {}", d.path, d.expected, d.got.unwrap_or_default())).collect::<Vec<_>>()
        };
        assert_eq!(
            told(json!({"proposals": [{"effect": {"type": "categorize", "value": {"key": "outage"}}, "confidence": {"min": 0.5}}]})),
            [r#"proposals[0].effect.value.key "outage" "billing""#]
        );
        assert_eq!(
            told(
                json!({"proposals": [{"effect": {"type": "tag", "value": "a"}}, {"effect": {"type": "note"}}], "absent": ["note", "tag"]})
            ),
            [
                r#"proposals[1] {"effect":{"type":"note"}} {"proposed":["tag","categorize"]}"#,
                r#"absent[1] "no tag" {"type":"tag","value":"a"}"#
            ]
        );
        assert_eq!(told(json!({"proposals": [{"effect": {"type": "tag"}, "reason": "r"}], "absent": ["note"]})), [""; 0]);
    }
}
