//! The text format of Prometheus, version 0.0.4: families of samples, a line each.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>. Written by hand: it is forty lines, and a library would bring its own
//! registry of names and labels beside ours. Pure.

use std::fmt::{Display, Write as _};

use super::Histogram;
use super::read;

/// A page of metrics in the making.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// Begins a family: its samples follow, before the next family begins.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// One sample.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, value)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"", if at == 0 { '{' } else { ',' });
            for c in value.chars() {
                match c {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    c => self.0.push(c),
                }
            }
            self.0.push('"');
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// A family of one sample.
    pub fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// A sample per chain.
    pub(super) fn each<'a>(&mut self, name: &str, chains: impl Iterator<Item = (&'a String, u64)>) {
        chains.for_each(|(chain, value)| self.sample(name, &[("chain", chain)], value));
    }

    /// Times in seconds, each bucket with all the shorter ones.
    pub(crate) fn histogram(&mut self, name: &str, labels: &[(&str, &str)], times: &Histogram) {
        let (mut so_far, bucket) = (0, format!("{name}_bucket"));
        let ends = times.bounds.iter().map(|micros| seconds(*micros)).chain(["+Inf".to_owned()]);
        for (end, count) in ends.zip(&times.counts) {
            so_far += read(count);
            let labels: Vec<_> = labels.iter().copied().chain([("le", end.as_str())]).collect();
            self.sample(&bucket, &labels, so_far);
        }
        self.sample(&format!("{name}_sum"), labels, seconds(read(&times.sum)));
        self.sample(&format!("{name}_count"), labels, so_far);
    }

    /// The page.
    pub fn text(self) -> String {
        self.0
    }
}

/// Microseconds as seconds, exactly.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_out_of_its_quotes() {
        let mut page = Page::default();
        page.sample("m", &[("reason", "a \"b\"\\\nc"), ("x", "")], 1);
        assert_eq!(page.text(), "m{reason=\"a \\\"b\\\"\\\\\\nc\",x=\"\"} 1\n");
    }

    #[test]
    fn microseconds_are_seconds_to_the_last_digit() {
        for (micros, text) in [(0, "0"), (10, "0.00001"), (1_500_000, "1.5"), (10_000_000, "10")] {
            assert_eq!(seconds(micros), text);
        }
    }
}
