//! A labelled table from a file: tab-separated, a header row, no quoting; gzip is seen by its first bytes.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

/// Largest table that is read, bytes: a hundred times the largest public set at hand, and no machine's end.
const MAX_BYTES: u64 = 1 << 30;

/// Columns and rows, as they stand in the file.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let name = file.display();
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {name}"))?;
        let mut text = Vec::new();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let unpacked = flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(MAX_BYTES).read_to_end(&mut text);
            unpacked.with_context(|| format!("{name}: its gzip is broken"))?;
        } else {
            text = bytes;
        }
        let text = String::from_utf8(text).with_context(|| format!("{name}: not UTF-8; convert it first"))?;
        Self::parse(&text).with_context(|| name.to_string())
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let cells = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
        let columns = cells(lines.next().unwrap_or_default());
        ensure!(
            columns.iter().any(|column| !column.is_empty()),
            "the file is empty; the first line names the columns, separated by tabs, such as `text` and `label`"
        );
        let mut rows = Vec::new();
        for (line, number) in lines.zip(2..).filter(|(line, _)| !line.is_empty()) {
            let row = cells(line);
            if row.len() != columns.len() {
                bail!("line {number} has {} cells, the header {}: cells are separated by tabs and not quoted", row.len(), columns.len());
            }
            rows.push(row);
        }
        ensure!(!rows.is_empty(), "the file has no rows, only its header: {}", columns.join(", "));
        Ok(Self { columns, rows })
    }

    /// The place of a column; its name's case does not matter. `option` is what the caller may write to name another.
    pub(super) fn column(&self, name: &str, option: &str) -> anyhow::Result<usize> {
        let found = self.columns.iter().position(|column| column == name);
        found
            .or_else(|| self.columns.iter().position(|column| column.eq_ignore_ascii_case(name)))
            .with_context(|| format!("there is no column `{name}`; the columns are {}; name one with {option}", self.columns.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_are_raw_and_quotes_are_text() {
        let table = Table::parse("\u{feff}Text\tlabel\r\nsaid \"no\"\"\tx\r\n\n\ty\n").unwrap();
        assert_eq!(table.rows, [["said \"no\"\"", "x"], ["", "y"]]);
        assert_eq!((table.column("text", "--text").unwrap(), table.column("label", "--label").unwrap()), (0, 1));
    }

    #[test]
    fn faults_name_the_line_the_columns_and_the_remedy() {
        for (text, words) in [
            ("", "the file is empty; the first line names the columns"),
            ("a\tb\n", "no rows, only its header: a, b"),
            ("a\tb\n1\t2\n1\n", "line 3 has 1 cells, the header 2"),
        ] {
            let error = Table::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let error = Table::parse("a\tb\n1\t2\n").unwrap().column("text", "--text").unwrap_err().to_string();
        assert_eq!(error, "there is no column `text`; the columns are a, b; name one with --text");
    }
}
