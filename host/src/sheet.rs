//! Tables for spreadsheets: CSV in which no cell is taken for a formula, whatever somebody wrote into it.
//!
//! Pure. A program that reads a cell beginning with `=` computes it; an apostrophe before it makes it text, and is all that is changed
//! (<https://owasp.org/www-community/attacks/CSV_Injection>).

use std::borrow::Cow;

use serde_json::Value;

/// A text as a cell: one that would be a formula begins with an apostrophe.
pub fn cell(text: &str) -> Cow<'_, str> {
    const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    // Some programs pass over blanks at the beginning.
    let formula = text.starts_with(FORMULA) || text.trim_start().starts_with(FORMULA);
    if formula { format!("'{text}").into() } else { text.into() }
}

/// Rows as CSV, with a line of the columns' names: texts in quotes, numbers bare, what is null or not there empty.
pub fn csv(columns: &[String], rows: &[Value]) -> String {
    let mut writer =
        csv::WriterBuilder::new().quote_style(csv::QuoteStyle::NonNumeric).terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let written = |row: &Value, column: &String| match &row[column] {
        Value::Null => String::new(),
        Value::String(text) => cell(text).into_owned(),
        other => other.to_string(),
    };
    // Writing to memory cannot fail, and every row has a cell for every column.
    let _ = writer.write_record(columns);
    for row in rows {
        let _ = writer.write_record(columns.iter().map(|column| written(row, column)));
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hostile_text_stays_one_cell_of_text() {
        let columns = ["name", "count", "note"].map(str::to_owned);
        let rows = [json!({ "name": "=cmd|' /C calc'!A0", "count": 3, "note": null }), json!({ "name": "a\"b,\r\nc", "count": -1.5 })];
        assert_eq!(csv(&columns, &rows), "\"name\",\"count\",\"note\"\r\n\"'=cmd|' /C calc'!A0\",3,\"\"\r\n\"a\"\"b,\r\nc\",-1.5,\"\"\r\n");
        for text in ["+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u{ff1d}1"] {
            assert!(cell(text).starts_with('\''), "{text:?}");
        }
        for text in ["", "outage", "a=b", "'x"] {
            assert_eq!(cell(text), text);
        }
    }
}
