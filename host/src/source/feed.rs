//! `[[feed]]`: calls that fill a table, such as an incident that was opened or closed.
//!
//! Called by `source` for a verified call, before any rule that would drop or observe it. Pure: it says which rows say something else from
//! now on; the webhook has that recorded like every other change of a table. Such a call is never an event.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::condition::{When, WhenSpec};
use super::field::{Field, FieldSpec, Maps};
use super::reading::{Call, Place, scalar_text};
use crate::event::EventError;

/// Most entries of one call's list that are read: a desk that tells more is told so.
const MAX_ENTRIES: usize = 500;

/// One feed, as written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedSpec {
    /// The table that it fills. It is made when it is not there.
    table: String,
    /// Which calls it is about.
    when: WhenSpec,
    /// A list in the body, each of whose entries is a row; `key`, `columns` and `remove_when` are read in the entry then.
    #[serde(default)]
    each: Option<String>,
    /// The row's key.
    key: FieldSpec,
    /// The row's columns, by name; what is not there is no column.
    #[serde(default)]
    columns: BTreeMap<String, FieldSpec>,
    /// When this holds, the row is taken away.
    #[serde(default)]
    remove_when: Option<WhenSpec>,
}

/// A feed, resolved.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    table: String,
    when: When,
    each: Option<Place>,
    key: Field,
    columns: Vec<(String, Field)>,
    remove_when: Option<When>,
}

/// Rows of one table that say something else from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fed {
    /// The table.
    pub table: String,
    /// By key: what the row says, or nothing when it is there no more.
    pub rows: BTreeMap<String, Option<Map<String, Value>>>,
}

impl Feed {
    pub(super) fn resolve(spec: FeedSpec, maps: &Maps) -> Result<Self, String> {
        let FeedSpec { table, when, each, key, columns, remove_when } = spec;
        let fault = |problem: String| format!("[[feed]] of the table `{table}`: {problem}");
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        if table.is_empty() || table.len() > 64 || table == "thread" || !table.bytes().all(plain) {
            return Err(fault("no table's name; use 1 to 64 lower-case letters, digits, `-` and `_`, and not `thread`".to_owned()));
        }
        let of =
            |name: String, spec| Ok((name.clone(), Field::resolve(spec, maps).map_err(|problem| fault(format!("`{name}` {problem}")))?));
        Ok(Self {
            when: When::resolve(when).map_err(fault)?,
            each: each.map(|text| text.parse()).transpose().map_err(fault)?,
            key: Field::resolve(key, maps).map_err(|problem| fault(format!("`key` {problem}")))?,
            columns: columns.into_iter().map(|(name, spec)| of(name, spec)).collect::<Result<_, String>>()?,
            remove_when: remove_when.map(When::resolve).transpose().map_err(fault)?,
            table,
        })
    }

    /// What the call changes; nothing when it is not this feed's.
    pub(super) fn read(&self, call: Call<'_>, notes: &mut Vec<String>) -> Option<Result<Fed, EventError>> {
        self.when.holds(call).then(|| self.rows(call, notes))
    }

    fn rows(&self, call: Call<'_>, notes: &mut Vec<String>) -> Result<Fed, EventError> {
        let mut fed = Fed { table: self.table.clone(), rows: BTreeMap::new() };
        let Some(list) = &self.each else {
            let (key, row) = self.row(call, notes)?;
            fed.rows.insert(key, row);
            return Ok(fed);
        };
        let list = list.find(call);
        let entries = list.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if entries.len() > MAX_ENTRIES {
            return Err(EventError::shape(
                String::new(),
                format!("tells of {} rows at once; at most {MAX_ENTRIES} are taken", entries.len()),
            ));
        }
        for entry in entries {
            let (key, row) = self.row(Call { document: entry, ..call }, notes)?;
            fed.rows.insert(key, row);
        }
        Ok(fed)
    }

    fn row(&self, call: Call<'_>, notes: &mut Vec<String>) -> Result<(String, Option<Map<String, Value>>), EventError> {
        let key = self.key.read(call, notes).as_ref().and_then(scalar_text).filter(|key| !key.trim().is_empty());
        let Some(key) = key else {
            let problem = format!("is missing; the key of the row of `{}` is read there", self.table);
            return Err(EventError::shape(self.key.to_string(), problem));
        };
        if self.remove_when.as_ref().is_some_and(|when| when.holds(call)) {
            return Ok((key, None));
        }
        let columns = self.columns.iter().filter_map(|(name, field)| Some((name.clone(), field.read(call, notes)?)));
        Ok((key, Some(columns.filter(|(_, value)| !value.is_null() && value.as_str() != Some("")).collect())))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::json;

    use super::*;

    fn feed(text: &str) -> Result<Feed, String> {
        let spec: FeedSpec = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        Feed::resolve(spec, &Maps::new())
    }

    fn read(feed: &Feed, document: &Value) -> Option<Result<Fed, EventError>> {
        feed.read(Call { document, headers: &HeaderMap::new(), query: None }, &mut Vec::new())
    }

    const INCIDENT: &str = r#"
        table = "incidents"
        when = { path = "/ticket/type", equals = "incident" }
        key = { path = "/ticket/number" }
        columns = { title = { path = "/ticket/title" }, sites = { path = "/ticket/sites" }, owner = { path = "/ticket/owner" } }
        remove_when = { path = "/ticket/state", in = ["closed"] }
    "#;

    #[test]
    fn a_call_sets_a_row_or_takes_it_away_or_is_none_of_its_business() {
        let feed = feed(INCIDENT).unwrap();
        let open =
            json!({ "ticket": { "type": "incident", "number": 7, "title": "VPN", "sites": ["oslo"], "state": "open", "owner": null } });
        let row = json!({ "title": "VPN", "sites": ["oslo"] }).as_object().cloned();
        assert_eq!(read(&feed, &open).unwrap().unwrap().rows, BTreeMap::from([("7".to_owned(), row)]));
        let closed = json!({ "ticket": { "type": "incident", "number": 7, "state": "closed" } });
        assert_eq!(read(&feed, &closed).unwrap().unwrap().rows, BTreeMap::from([("7".to_owned(), None)]));
        assert!(read(&feed, &json!({ "ticket": { "type": "request", "number": 7 } })).is_none());
        let nameless = read(&feed, &json!({ "ticket": { "type": "incident" } })).unwrap().unwrap_err().to_string();
        assert!(nameless.contains("the key of the row of `incidents`"), "{nameless}");
    }

    #[test]
    fn a_list_is_a_row_per_entry_and_is_bounded() {
        let text = "table = \"alarms\"\nwhen = { path = \"/alerts\", exists = true }\neach = \"/alerts\"\nkey = { path = \"/fingerprint\" }\n\
            columns = { name = { path = \"/labels/alertname\" } }\nremove_when = { path = \"/status\", equals = \"resolved\" }";
        let feed = feed(text).unwrap();
        let entry = |key: &str, status: &str| json!({ "fingerprint": key, "status": status, "labels": { "alertname": "Down" } });
        let body = json!({ "alerts": [entry("a", "firing"), entry("b", "resolved")] });
        let rows = read(&feed, &body).unwrap().unwrap().rows;
        assert!(rows["a"].as_ref().is_some_and(|row| row["name"] == "Down") && rows["b"].is_none(), "{rows:?}");
        let many: Vec<Value> = (0..=MAX_ENTRIES).map(|at| entry(&at.to_string(), "firing")).collect();
        assert!(read(&feed, &json!({ "alerts": many })).unwrap().is_err());
    }

    #[test]
    fn a_fault_is_named_with_the_table() {
        for (change, words) in [
            (("table = \"incidents\"", "table = \"In\""), "no table's name"),
            (("key = { path = \"/ticket/number\" }", "key = { path = \"x\" }"), "`key`"),
            (("columns = { title = { path = \"/ticket/title\" }", "columns = { title = { }"), "`title` needs exactly one"),
            (("remove_when", "remove_wen"), "unknown field `remove_wen`"),
        ] {
            let error = feed(&INCIDENT.replace(change.0, change.1)).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
