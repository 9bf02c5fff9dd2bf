//! Files of rows: a JSON array of objects, or CSV with a header. Bytes in, keyed rows or the first fault out.
//!
//! A CSV cell is text, unless the header says otherwise (`users:integer`) or the table's schema does: what looks like a number may be a
//! telephone. An empty cell is no column.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Fault, keyed};

/// How a file of rows is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An array of objects.
    Json,
    /// A header, then a row per line; cells of several texts are parted by `;`.
    Csv,
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Decimal,
    Boolean,
    Texts,
}

/// Reads the rows of a file, by their key: the column `key` of each, which then is no column.
///
/// # Errors
/// The first row that is none, with its place.
pub fn rows(bytes: &[u8], form: Form, key: &str, schema: Option<&Value>) -> Result<BTreeMap<String, Map<String, Value>>, Fault> {
    let objects = match form {
        Form::Json => json(bytes)?,
        Form::Csv => csv(bytes, schema)?,
    };
    let mut rows = BTreeMap::new();
    for (at, mut object) in objects.into_iter().enumerate() {
        let place = |problem: String| Fault::at(format!("/{at}"), problem);
        let of_row = match object.remove(key) {
            Some(Value::String(text)) => text,
            Some(Value::Number(number)) => number.to_string(),
            _ => return Err(place(format!("has no `{key}`, a text, to be known by; name another column with `key`"))),
        };
        keyed(&of_row).map_err(|fault| place(format!("`{key}`: {fault}")))?;
        if rows.insert(of_row.clone(), object).is_some() {
            return Err(place(format!("has the `{key}` of a row before it, `{of_row}`; a key is for one row")));
        }
    }
    Ok(rows)
}

fn json(bytes: &[u8]) -> Result<Vec<Map<String, Value>>, Fault> {
    serde_json::from_slice(bytes).map_err(|error| Fault::at("", format!("is not a JSON array of objects: {error}")))
}

fn csv(bytes: &[u8], schema: Option<&Value>) -> Result<Vec<Map<String, Value>>, Fault> {
    // Spreadsheets write one.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let broken = |error: csv::Error| Fault::at("", format!("is not CSV in UTF-8: {error}"));
    let head = reader.headers().map_err(broken)?.clone();
    let kinds = head.iter().map(|title| kind(title, schema)).collect::<Result<Vec<_>, _>>()?;
    let mut objects = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(broken)?;
        let cells = kinds.iter().zip(record.iter()).filter(|(_, cell)| !cell.is_empty());
        let read = cells.map(|((name, kind), cell)| {
            let value = kind
                .read(cell)
                .ok_or_else(|| Fault::at(format!("/{at}/{}", crate::setup::escape(name)), format!("`{cell}` is no {kind:?}")))?;
            Ok((name.clone(), value))
        });
        objects.push(read.collect::<Result<_, Fault>>()?);
    }
    Ok(objects)
}

/// A column's name, and what its cells are.
fn kind(title: &str, schema: Option<&Value>) -> Result<(String, Kind), Fault> {
    let words =
        [("text", Kind::Text), ("integer", Kind::Integer), ("decimal", Kind::Decimal), ("boolean", Kind::Boolean), ("texts", Kind::Texts)];
    if let Some((name, word)) = title.rsplit_once(':') {
        let found = words.iter().find(|(known, _)| *known == word);
        let (_, kind) = found
            .ok_or_else(|| Fault::at("", format!("the column `{title}`: `{word}` is none of text, integer, decimal, boolean, texts")))?;
        return Ok((name.to_owned(), *kind));
    }
    let kind = match schema.and_then(|schema| schema["properties"][title]["type"].as_str()) {
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Decimal,
        Some("boolean") => Kind::Boolean,
        Some("array") => Kind::Texts,
        _ => Kind::Text,
    };
    Ok((title.to_owned(), kind))
}

impl Kind {
    fn read(self, cell: &str) -> Option<Value> {
        Some(match self {
            Self::Text => cell.into(),
            Self::Integer => cell.parse::<i64>().ok()?.into(),
            Self::Decimal => cell.parse::<f64>().ok().filter(|number| number.is_finite())?.into(),
            Self::Boolean => match cell.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => true.into(),
                "false" | "no" | "0" => false.into(),
                _ => return None,
            },
            Self::Texts => cell.split(';').map(str::trim).filter(|text| !text.is_empty()).collect::<Vec<_>>().into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_is_what_the_header_or_the_schema_says() {
        let schema = json!({"properties": {"planned": {"type": "boolean"}}});
        let file = "\u{feff}service,phone,users:integer,planned,sites:texts\r\nvpn,0047112,120,yes,\"oslo; köln\"\r\nmail,,,,\r\n";
        let rows = rows(file.as_bytes(), Form::Csv, "service", Some(&schema)).unwrap();
        assert_eq!(
            Value::Object(rows["vpn"].clone()),
            json!({"phone": "0047112", "users": 120, "planned": true, "sites": ["oslo", "köln"]})
        );
        assert!(rows["mail"].is_empty(), "an empty cell is no column");
    }

    #[test]
    fn both_forms_give_the_same_rows() {
        let of_csv = rows(b"key,status\nvpn,down\n", Form::Csv, "key", None).unwrap();
        assert_eq!(rows(br#"[{"key": "vpn", "status": "down"}]"#, Form::Json, "key", None).unwrap(), of_csv);
    }

    #[test]
    fn what_is_no_row_is_named_with_its_place() {
        for (file, form, pointer, words) in [
            ("[{\"status\": 1}]", Form::Json, "/0", "has no `key`"),
            ("[{\"key\": \"a\"}, {\"key\": \"a\"}]", Form::Json, "/1", "a key is for one row"),
            ("{}", Form::Json, "", "array of objects"),
            ("key,n:integer\na,many\n", Form::Csv, "/0/n", "`many` is no Integer"),
            ("key,n:number\na,1\n", Form::Csv, "", "none of text, integer"),
            ("key,a\nx,1,2\n", Form::Csv, "", "not CSV"),
        ] {
            let fault = rows(file.as_bytes(), form, "key", None).unwrap_err();
            assert!(fault.pointer == pointer && fault.problem.contains(words), "{file}: {fault:?}");
        }
    }
}
