//! The options of commands that only read, and lists as tables: one place, so that they are called the same everywhere.

use serde_json::Value;

use super::client::{Client, Reach};
use super::table::table;
use super::{Done, out};

/// Of what is read whole.
#[derive(Debug, clap::Args)]
pub(super) struct Read {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

impl Read {
    /// The host to read.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        Client::new(&self.reach)
    }

    /// Prints what was read as JSON, where that is asked for. Says whether it did: then there is no table.
    pub(super) fn prints(&self, value: &Value) -> bool {
        if self.json {
            out(&format!("{value:#}\n"));
        }
        self.json
    }

    /// Prints a list, as JSON or as a table.
    pub(super) fn list<const N: usize>(&self, items: Vec<Value>, head: [&str; N], row: impl Fn(&Value) -> [String; N]) -> Done {
        let items = Value::Array(items);
        if !self.prints(&items) {
            out(&table(head, items.as_array().into_iter().flatten().map(row)));
        }
        Done::Well
    }
}

/// Of a list that may be long.
#[derive(Debug, clap::Args)]
pub(super) struct Listing {
    /// Most to show, the latest first
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    read: Read,
}

impl Listing {
    /// Reads a list and prints it; what is absent from the query is left out.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub(super) fn print<const N: usize>(
        &self,
        path: &str,
        query: &[(&str, &Option<String>)],
        head: [&str; N],
        row: impl Fn(&Value) -> [String; N],
    ) -> anyhow::Result<Done> {
        let query: Vec<(&str, Option<String>)> = query.iter().map(|(name, value)| (*name, (*value).clone())).collect();
        let items = self.read.client()?.list(path, &query, self.limit.max(1))?;
        Ok(self.read.list(items, head, row))
    }
}
