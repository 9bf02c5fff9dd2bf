//! Columns for people: a head in capitals, then one line per row, each column as wide as its widest cell.

use serde_json::Value;

use super::card::printable;

/// Characters of a cell that holds what somebody wrote.
const CELL: usize = 60;

/// A value in one line of bearable length; a dash where there is nothing.
pub(super) fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let cut: String = text.chars().take(CELL).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// Renders a table; foreign text in it is made safe for a terminal.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    lines(head.map(str::to_owned).to_vec(), rows.into_iter().map(Vec::from))
}

/// The same for columns that the host names: rows as long as the head.
pub(super) fn lines(head: Vec<String>, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|name| name.to_uppercase()).collect();
    let plain = |row: Vec<String>| row.iter().map(|cell| printable(cell)).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).map(plain).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: String = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect();
        format!("{}\n", cells.trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_one_short_line() {
        let long = "é\n".repeat(40);
        assert_eq!(cell(&long.into()), format!("{}…", "é ".repeat(30)));
        assert_eq!([cell(&Value::Null), cell(&3.into()), cell(&"x".into())], ["-", "3", "x"]);
    }

    #[test]
    fn columns_stand_under_each_other_and_foreign_text_is_safe() {
        let rows = [["é".to_owned(), "first".to_owned()], ["\u{1b}[31m".to_owned(), String::new()]];
        assert_eq!(table(["id", "name"], rows), "ID     NAME\né      first\n\u{fffd}[31m\n");
    }
}
