//! Columns for people: a head in capitals, then one line per row, each column as wide as its widest cell.

use super::card::printable;

/// Renders a table; foreign text in it is made safe for a terminal.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let head = head.map(str::to_uppercase);
    let rows: Vec<[String; N]> = std::iter::once(head).chain(rows.into_iter().map(|row| row.map(|cell| printable(&cell)))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells: String = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect();
        format!("{}\n", cells.trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_and_foreign_text_is_safe() {
        let rows = [["é".to_owned(), "first".to_owned()], ["\u{1b}[31m".to_owned(), String::new()]];
        assert_eq!(table(["id", "name"], rows), "ID     NAME\né      first\n\u{fffd}[31m\n");
    }
}
