//! Tables: what the admin keeps for rules to look up, such as service status, on-call, VIP lists or open incidents.
//!
//! Pure data: [`Book`] is every table as it is now, immutable, so that a run reads one without waiting for anybody. `tables.rs` keeps the
//! live one, `store/tables.rs` has the versions in time. `table/import.rs` reads files.

mod import;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

pub use import::{Form, rows};

use crate::config::TableLimits;
use crate::event::{Attribute, AttributeValue, Timestamp};

/// Longest name of a column, bytes.
const MAX_COLUMN_BYTES: usize = 64;
/// Most columns of a row.
const MAX_COLUMNS: usize = 64;
/// Longest key of a row, bytes.
pub const MAX_KEY_BYTES: usize = 256;
/// No table's name: the grant `lookup:thread` is for earlier messages.
const THREAD: &str = "thread";

/// A row's columns, shared with every run that asks.
pub type Columns = Arc<[Attribute]>;

/// One row as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it says.
    pub columns: Columns,
    /// Since when it says that.
    pub since: Timestamp,
}

/// One table as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// JSON Schema of a row, as an object of its columns.
    pub schema: Option<Value>,
    /// When it was last changed.
    pub changed: Timestamp,
    /// By key.
    pub rows: BTreeMap<String, Row>,
}

/// Every table, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book(BTreeMap<String, Arc<Table>>);

/// What is wrong with a table, a row or a file of rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Fault {
    /// JSON Pointer of the place, empty for all of it.
    pub pointer: String,
    /// What is wrong, and what to do.
    pub problem: String,
}

impl Fault {
    pub(crate) fn at(pointer: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), problem: problem.into() }
    }
}

impl Book {
    /// A book of these tables.
    pub fn of(tables: BTreeMap<String, Arc<Table>>) -> Self {
        Self(tables)
    }

    /// One table.
    pub fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.0.get(name)
    }

    /// Every table by name.
    pub fn tables(&self) -> &BTreeMap<String, Arc<Table>> {
        &self.0
    }

    /// The book with one table put in, or taken out.
    #[must_use]
    pub fn with(&self, name: &str, table: Option<Table>) -> Self {
        let mut tables = self.0.clone();
        match table {
            Some(table) => drop(tables.insert(name.to_owned(), Arc::new(table))),
            None => drop(tables.remove(name)),
        }
        Self(tables)
    }
}

/// Whether a table may be called so.
///
/// # Errors
/// What a name is made of.
pub fn named(name: &str) -> Result<(), Fault> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    if name == THREAD {
        return Err(Fault::at("", "`thread` is no table's name: the grant `lookup:thread` is for earlier messages; call it otherwise"));
    }
    if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
        return Err(Fault::at("", "a table's name has 1 to 64 lower-case letters, digits, `-` and `_`"));
    }
    Ok(())
}

/// Whether a row may have this key.
///
/// # Errors
/// What a key is made of.
pub fn keyed(key: &str) -> Result<(), Fault> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES || key.chars().any(char::is_control) {
        return Err(Fault::at("", format!("a row's key has 1 to {MAX_KEY_BYTES} bytes and no control characters")));
    }
    Ok(())
}

/// A schema that rows can be held against.
///
/// # Errors
/// Why it is none.
pub fn validator(schema: &Value) -> Result<jsonschema::Validator, Fault> {
    jsonschema::validator_for(schema).map_err(|error| Fault::at("/schema", format!("is no JSON Schema: {error}")))
}

/// Reads a row from an object: a column is a text, a number, a boolean or a list of texts; null is no column.
///
/// # Errors
/// The first column that is none of these, or does not fit the schema, or what is past a limit.
pub fn columns(object: &Map<String, Value>, schema: Option<&jsonschema::Validator>, limits: &TableLimits) -> Result<Columns, Fault> {
    let at = |name: &str| format!("/{}", crate::setup::escape(name));
    if object.len() > MAX_COLUMNS {
        return Err(Fault::at("", format!("{} columns; a row has at most {MAX_COLUMNS}", object.len())));
    }
    let mut columns = Vec::with_capacity(object.len());
    for (name, value) in object {
        if name.is_empty() || name.len() > MAX_COLUMN_BYTES || name.chars().any(char::is_control) {
            return Err(Fault::at("", format!("a column's name has 1 to {MAX_COLUMN_BYTES} bytes and no control characters")));
        }
        let value = match value {
            Value::Null => continue,
            Value::String(text) => AttributeValue::Text(text.clone()),
            Value::Bool(truth) => AttributeValue::Boolean(*truth),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => AttributeValue::Integer(whole),
                (None, Some(decimal)) => AttributeValue::Decimal(decimal),
                (None, None) => return Err(Fault::at(at(name), "is a number that has no room in 64 bits")),
            },
            Value::Array(items) => {
                let texts = items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>();
                AttributeValue::Texts(texts.ok_or_else(|| Fault::at(at(name), "is a list of other things than texts"))?)
            }
            Value::Object(_) => {
                return Err(Fault::at(at(name), "is an object; a column is a text, a number, a boolean or a list of texts"));
            }
        };
        columns.push(Attribute { key: name.clone(), value });
    }
    let whole = Value::Object(self::object(&columns));
    if let Some(error) = schema.and_then(|schema| schema.iter_errors(&whole).next()) {
        return Err(Fault::at(error.instance_path().to_string(), format!("does not fit the table's schema: {error}")));
    }
    let bytes = whole.to_string().len();
    if bytes > limits.row_bytes {
        return Err(Fault::at("", format!("a row of {bytes} bytes; at most {} are taken (`tables.row_bytes`)", limits.row_bytes)));
    }
    Ok(columns.into())
}

/// A row as an object.
pub fn object(columns: &[Attribute]) -> Map<String, Value> {
    let value = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => Value::from(text.as_str()),
        AttributeValue::Integer(whole) => Value::from(*whole),
        AttributeValue::Decimal(decimal) => Value::from(*decimal),
        AttributeValue::Boolean(truth) => Value::from(*truth),
        AttributeValue::Texts(texts) => Value::from(texts.as_slice()),
    };
    columns.iter().map(|column| (column.key.clone(), value(&column.value))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value, schema: Option<Value>) -> Result<Columns, Fault> {
        let validator = schema.map(|schema| validator(&schema).unwrap());
        columns(value.as_object().unwrap(), validator.as_ref(), &TableLimits::default())
    }

    #[test]
    fn a_row_is_the_same_after_a_way_forth_and_back() {
        let row = json!({"status": "down", "users": 120, "share": 1.0, "planned": false, "sites": ["oslo", "köln"], "gone": null});
        let columns = read(row.clone(), None).unwrap();
        assert_eq!(columns.len(), 5, "null is no column");
        let again = Value::Object(object(&columns));
        assert_eq!(read(again.clone(), None).unwrap(), columns);
        assert_eq!((&again["users"], again["share"].to_string()), (&json!(120), "1.0".to_owned()), "a whole decimal stays one");
    }

    #[test]
    fn what_is_no_column_is_named() {
        for (row, pointer, words) in [
            (json!({"a": {"b": 1}}), "/a", "is an object"),
            (json!({"a/b": [1]}), "/a~1b", "other things than texts"),
            (json!({"": 1}), "", "1 to 64 bytes"),
            (json!({"a": "x".repeat(20_000)}), "", "tables.row_bytes"),
        ] {
            let fault = read(row, None).unwrap_err();
            assert!(fault.pointer == pointer && fault.problem.contains(words), "{fault:?}");
        }
        let schema = json!({"type": "object", "required": ["status"], "properties": {"status": {"enum": ["up", "down"]}}});
        assert!(read(json!({"status": "up"}), Some(schema.clone())).is_ok());
        let fault = read(json!({"status": "so-so"}), Some(schema)).unwrap_err();
        assert!(fault.pointer == "/status" && fault.problem.contains("does not fit the table's schema"), "{fault:?}");
    }

    #[test]
    fn a_name_is_a_name() {
        assert!(named("on-call").is_ok() && keyed("network/oslo").is_ok());
        for wrong in ["", "On-Call", "a b", "thread", &"x".repeat(65)] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
        assert!(keyed("").is_err() && keyed("a\nb").is_err());
    }
}
