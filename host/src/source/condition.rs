//! `when`: whether a rule of an adapter applies to a call.
//!
//! Called by `source` for drop and observe rules, and by `field` for `as_when`. Pure. It must never grow into a language: one place,
//! one test; a list of them must hold together.
//!
//! Values are compared as text, so that `5` and `"5"`, `true` and `"true"` are the same: half the desks template their bodies. A place
//! that is not there is in no list and equals nothing: `not_in` holds for it, `in`, `is`, `equals` and `same_as` do not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reading::{Call, Place, scalar_text};

/// A text, number or yes/no in an adapter file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Scalar {
    Boolean(bool),
    Integer(i64),
    Decimal(f64),
    Text(String),
}

impl Scalar {
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Boolean(flag) => (*flag).into(),
            Self::Integer(number) => (*number).into(),
            Self::Decimal(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }

    fn as_text(&self) -> String {
        scalar_text(&self.to_value()).unwrap_or_default()
    }
}

/// One condition, or several that must all hold.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum WhenSpec {
    One(Box<ConditionSpec>),
    All(Vec<ConditionSpec>),
}

/// A place of the call (`path`, `header` or `query`) and one test of it, as written.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionSpec {
    /// A JSON Pointer into the body.
    path: Option<String>,
    /// A header's name.
    header: Option<String>,
    /// A query parameter's name.
    query: Option<String>,
    /// It is one of these.
    r#in: Option<Vec<Scalar>>,
    /// It is none of these, or not there.
    not_in: Option<Vec<Scalar>>,
    /// It is this yes or no.
    is: Option<bool>,
    /// It is there and not null, or it is not.
    exists: Option<bool>,
    /// It is this.
    equals: Option<Scalar>,
    /// It is a text that holds one of these, or a list with one of them in it.
    contains: Option<Vec<String>>,
    /// It is what stands at this other place.
    same_as: Option<String>,
    /// It is there, and is not what stands at this other place.
    not_same_as: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct When(Vec<Condition>);

#[derive(Clone, Debug)]
struct Condition {
    place: Place,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    There,
    NotThere,
    Contains(Vec<String>),
    SameAs(Place),
    NotSameAs(Place),
}

impl When {
    pub(super) fn resolve(spec: WhenSpec) -> Result<Self, String> {
        let conditions = match spec {
            WhenSpec::One(one) => vec![Condition::resolve(*one)?],
            WhenSpec::All(all) => all.into_iter().map(Condition::resolve).collect::<Result<_, _>>()?,
        };
        if conditions.is_empty() { Err("`when` is empty; it would always hold".to_owned()) } else { Ok(Self(conditions)) }
    }

    pub(super) fn holds(&self, call: Call<'_>) -> bool {
        self.0.iter().all(|condition| condition.holds(call))
    }
}

impl Condition {
    fn resolve(spec: ConditionSpec) -> Result<Self, String> {
        let place = match (spec.path, spec.header, spec.query) {
            (Some(path), None, None) => path.parse()?,
            (None, Some(header), None) => format!("header:{header}").parse()?,
            (None, None, Some(query)) => Place::Query(query),
            _ => return Err("`when` needs exactly one of `path`, `header` and `query`".to_owned()),
        };
        let texts = |list: Vec<Scalar>| list.iter().map(Scalar::as_text).collect();
        let mut tests: Vec<Test> = Vec::new();
        tests.extend(spec.r#in.map(|list| Test::In(texts(list))));
        tests.extend(spec.not_in.map(|list| Test::NotIn(texts(list))));
        tests.extend(spec.is.map(|flag| Test::In(vec![flag.to_string()])));
        tests.extend(spec.exists.map(|there| if there { Test::There } else { Test::NotThere }));
        tests.extend(spec.equals.map(|value| Test::In(vec![value.as_text()])));
        tests.extend(spec.contains.map(Test::Contains));
        tests.extend(spec.not_same_as.map(|other| other.parse().map(Test::NotSameAs)).transpose()?);
        tests.extend(spec.same_as.map(|other| other.parse().map(Test::SameAs)).transpose()?);
        match (tests.pop(), tests.is_empty()) {
            (Some(test), true) => Ok(Self { place, test }),
            _ => {
                Err("`when` needs exactly one of `in`, `not_in`, `is`, `exists`, `equals`, `contains`, `same_as` and `not_same_as`"
                    .to_owned())
            }
        }
    }

    fn holds(&self, call: Call<'_>) -> bool {
        let value = self.place.find(call);
        let text = value.as_ref().and_then(scalar_text);
        match &self.test {
            Test::In(list) => text.is_some_and(|text| list.contains(&text)),
            Test::NotIn(list) => text.is_none_or(|text| !list.contains(&text)),
            Test::There => value.is_some(),
            Test::NotThere => value.is_none(),
            Test::Contains(words) if value.as_ref().is_some_and(Value::is_array) => {
                let list = value.iter().filter_map(Value::as_array).flatten().filter_map(scalar_text);
                list.into_iter().any(|entry| words.contains(&entry))
            }
            Test::Contains(words) => text.is_some_and(|text| words.iter().any(|word| text.contains(word.as_str()))),
            Test::NotSameAs(other) => text.is_some() && text != other.find(call).as_ref().and_then(scalar_text),
            Test::SameAs(other) => text.is_some() && text == other.find(call).as_ref().and_then(scalar_text),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::json;

    use super::*;

    fn holds(when: &str) -> bool {
        #[derive(Deserialize)]
        struct File {
            when: WhenSpec,
        }
        let document = json!({"a": "x", "n": 5, "yes": true, "text_yes": "true", "null": null, "list": [1], "b": "x"});
        let headers = HeaderMap::from_iter([(http::header::USER_AGENT, http::HeaderValue::from_static("desk"))]);
        let when: File = toml::from_str(&format!("when = {when}")).unwrap();
        When::resolve(when.when).unwrap().holds(Call { document: &document, headers: &headers, query: Some("q=1&r=%20") })
    }

    #[test]
    fn each_test_holds_and_does_not() {
        for (yes, no) in [
            (r#"{path = "/a", in = ["y", "x"]}"#, r#"{path = "/a", in = ["y"]}"#),
            (r#"{path = "/n", in = [5]}"#, r#"{path = "/none", in = [5]}"#),
            (r#"{path = "/a", not_in = ["y"]}"#, r#"{path = "/a", not_in = ["x"]}"#),
            (r#"{path = "/none", not_in = ["y"]}"#, r#"{path = "/null", in = ["null"]}"#),
            (r#"{path = "/yes", is = true}"#, r#"{path = "/yes", is = false}"#),
            (r#"{path = "/text_yes", is = true}"#, r#"{path = "/none", is = false}"#),
            (r#"{path = "/list", exists = true}"#, r#"{path = "/null", exists = true}"#),
            (r#"{path = "/none", exists = false}"#, r#"{path = "/list", exists = false}"#),
            (r#"{path = "/n", equals = "5"}"#, r#"{path = "/list", equals = 1}"#),
            (r#"{path = "/a", same_as = "/b"}"#, r#"{path = "/none", same_as = "/null"}"#),
            (r#"{path = "/text_yes", contains = ["nope", "ru"]}"#, r#"{path = "/none", contains = [""]}"#),
            (r#"{path = "/a", not_same_as = "/n"}"#, r#"{path = "/a", not_same_as = "/b"}"#),
            (r#"{path = "/a", not_same_as = "/none"}"#, r#"{path = "/none", not_same_as = "/a"}"#),
            (r#"{header = "User-Agent", equals = "desk"}"#, r#"{header = "x-none", exists = true}"#),
            (r#"{query = "r", equals = " "}"#, r#"{query = "q", equals = 2}"#),
            (r#"[{path = "/a", equals = "x"}, {path = "/n", equals = 5}]"#, r#"[{path = "/a", equals = "x"}, {path = "/n", equals = 6}]"#),
        ] {
            assert!(holds(yes), "{yes}");
            assert!(!holds(no), "{no}");
        }
    }

    #[test]
    fn a_condition_that_says_too_little_or_too_much_is_refused() {
        let resolve = |spec| Condition::resolve(spec).unwrap_err();
        let path = Some("/a".to_owned());
        assert!(resolve(ConditionSpec { path: path.clone(), ..Default::default() }).contains("exactly one of `in`"));
        assert!(
            resolve(ConditionSpec { path: path.clone(), is: Some(true), exists: Some(true), ..Default::default() }).contains("exactly one")
        );
        assert!(resolve(ConditionSpec { path, query: Some("q".to_owned()), is: Some(true), ..Default::default() }).contains("`path`"));
        assert!(resolve(ConditionSpec { path: Some("a/b".to_owned()), is: Some(true), ..Default::default() }).contains("JSON Pointer"));
    }
}
