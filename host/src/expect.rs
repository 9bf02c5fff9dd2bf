//! Whether a verdict contains what an example expects. Pure.
//!
//! An expectation is a subset: `{"proposals": [...], "absent": [...]}`. Every listed proposal must be found in the verdict;
//! no effect named in `absent` may be proposed. Objects match by subset, lists as subsets, numbers within 1e-6 or within
//! `{"min": a, "max": b}`.

use serde_json::Value;

use crate::verdict::Verdict;

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
}
