//! `signalbox table`: the tables of a running host, which rules look up.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use http::Method;
use serde_json::{Map, Value};

use super::client::{Client, Reach, Reason, part};
use super::listing::Read;
use super::table::table;
use super::{Done, out};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Take the rows of a file in, all or none; a table that is not there is made
    Import(Import),
    /// Every table
    List(Read),
    /// The rows of a table; with a key, what that row said when
    Show {
        /// The table
        name: String,
        /// The row
        key: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Let a row say something else, or add it
    Set {
        /// The table
        name: String,
        /// The row
        key: String,
        /// Its columns: `status=down` is a text, `users:=120` is JSON (a number, true, a list of texts); what is not named is no column any more
        #[arg(required = true, value_name = "COLUMN=TEXT", value_parser = column)]
        columns: Vec<(String, Value)>,
        #[command(flatten)]
        reason: Reason,
        #[command(flatten)]
        reach: Reach,
    },
    /// Take a row away, or with no key the whole table; replays of the past still see it
    Remove {
        /// The table
        name: String,
        /// The row
        key: Option<String>,
        #[command(flatten)]
        reason: Reason,
        #[command(flatten)]
        reach: Reach,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// The table
    name: String,
    /// A JSON array of objects (.json), or CSV with a header (.csv; a title `users:integer` says what its cells are)
    file: PathBuf,
    /// The column that a row is known by
    #[arg(long, default_value = "key", value_name = "COLUMN")]
    key: String,
    /// Take away the rows that the file does not have
    #[arg(long)]
    replace: bool,
    /// JSON Schema of a row: from now on every row must fit
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    #[command(flatten)]
    reason: Reason,
    #[command(flatten)]
    reach: Reach,
}

pub(super) fn tables(command: &Command) -> anyhow::Result<Done> {
    match command {
        Command::Import(args) => import(args)?,
        Command::List(read) => list(read)?,
        Command::Show { name, key, json, reach } => show(name, key.as_deref(), *json, &Client::new(reach)?)?,
        Command::Set { name, key, columns, reason, reach } => {
            let row: Map<String, Value> = columns.iter().cloned().collect();
            let body = Some(("application/json", Value::Object(row).to_string().into_bytes()));
            let row = Client::changing(reach, reason)?.send(Method::PUT, &path(name, Some(key)), body)?;
            out(&format!("{name}/{key} says since {}: {}\n", row["since"].as_str().unwrap_or_default(), cells(&row["columns"])));
        }
        Command::Remove { name, key, reason, reach } => {
            Client::changing(reach, reason)?.delete(&path(name, key.as_deref()))?;
            out(&format!("{name}{} is removed\n", key.as_ref().map_or(String::new(), |key| format!("/{key}"))));
        }
    }
    Ok(Done::Well)
}

fn import(args: &Import) -> anyhow::Result<()> {
    let client = Client::changing(&args.reach, &args.reason)?;
    let read = |file: &PathBuf| std::fs::read(file).with_context(|| file.display().to_string());
    let bytes = read(&args.file)?;
    if let Some(file) = &args.schema {
        let schema: Value = serde_json::from_slice(&read(file)?).with_context(|| file.display().to_string())?;
        let body = serde_json::json!({ "schema": schema }).to_string().into_bytes();
        client.send(Method::PUT, &path(&args.name, None), Some(("application/json", body)))?;
    }
    let media = match args.file.extension().and_then(|end| end.to_str()) {
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        _ => anyhow::bail!("{}: is the file JSON or CSV? name it .json or .csv", args.file.display()),
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("key", &args.key).append_pair("replace", if args.replace { "true" } else { "false" });
    let path = format!("{}/import?{}", path(&args.name, None), query.finish());
    let done = client.send(Method::POST, &path, Some((media, bytes)))?;
    let count = |key: &str| &done[key];
    out(&format!(
        "{}: {} rows added, {} changed, {} unchanged, {} removed\n",
        args.name,
        count("added"),
        count("changed"),
        count("unchanged"),
        count("removed")
    ));
    Ok(())
}

fn list(read: &Read) -> anyhow::Result<()> {
    let tables = read.client()?.get("/v1/tables", &[])?;
    if read.prints(&tables["items"]) {
        return Ok(());
    }
    let row = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let granted: Vec<&str> = one["granted_to"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let schema = if one["schema"].is_null() { "-" } else { "yes" };
        [text("name"), one["rows"].to_string(), text("changed"), schema.to_owned(), granted.join(" ")]
    };
    out(&table(["name", "rows", "changed", "schema", "granted to"], tables["items"].as_array().into_iter().flatten().map(row)));
    Ok(())
}

fn show(name: &str, key: Option<&str>, json: bool, client: &Client) -> anyhow::Result<()> {
    let time = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    if let Some(key) = key {
        let past = client.get(&path(name, Some(key)), &[])?;
        if json {
            out(&format!("{past:#}\n"));
            return Ok(());
        }
        let row = |was: &Value| [time(&was["since"]), time(&was["until"]), cells(&was["columns"])];
        out(&table(["since", "until", "columns"], past["versions"].as_array().into_iter().flatten().map(row)));
        return Ok(());
    }
    let rows = client.list(&format!("{}/rows", path(name, None)), &[], usize::MAX)?;
    if json {
        out(&format!("{:#}\n", Value::Array(rows)));
        return Ok(());
    }
    out(&table(["key", "since", "columns"], rows.iter().map(|row| [time(&row["key"]), time(&row["since"]), cells(&row["columns"])])));
    Ok(())
}

/// Columns in a line, as they are typed for `set`.
fn cells(columns: &Value) -> String {
    let mut line = String::new();
    for (name, value) in columns.as_object().into_iter().flatten() {
        let _ = match value {
            Value::String(text) => write!(line, "{name}={text}  "),
            other => write!(line, "{name}:={other}  "),
        };
    }
    line.trim_end().to_owned()
}

fn path(name: &str, key: Option<&str>) -> String {
    let row = key.map_or(String::new(), |key| format!("/rows/{}", part(key)));
    format!("/v1/tables/{}{row}", part(name))
}

fn column(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write COLUMN=TEXT, or COLUMN:=JSON")?;
    match name.strip_suffix(':') {
        None => Ok((name.to_owned(), value.into())),
        Some(name) => {
            Ok((name.to_owned(), serde_json::from_str(value).map_err(|error| format!("what follows `:=` is not JSON: {error}"))?))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_column_is_text_unless_it_is_said_to_be_json() {
        assert_eq!(column("phone=0047"), Ok(("phone".to_owned(), json!("0047"))));
        assert_eq!(column("users:=120"), Ok(("users".to_owned(), json!(120))));
        assert_eq!(column("a=b=c"), Ok(("a".to_owned(), json!("b=c"))));
        assert!(column("users").is_err() && column("users:=many").is_err());
    }
}
