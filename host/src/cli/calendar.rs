//! `signalbox calendar`: business calendars of a running host.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use http::Method;
use serde_json::{Value, json};

use super::client::{Client, Reach, Reason, part};
use super::listing::Read;
use super::table::table;
use super::{Done, out};
use crate::calendar::Spec;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Every calendar, and whether it is open
    List(Read),
    /// One calendar: its week, its holidays, and when a working time from now ends
    Show {
        /// Its name
        name: String,
        /// Working seconds from now on, or from `--at`
        #[arg(long, value_name = "N", default_value_t = 28_800)]
        seconds: u32,
        /// The moment to look at, such as 2026-12-24T15:00:00Z [default: now]
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: Reach,
    },
    /// Make a calendar, or put another in its place
    Set {
        /// Its name
        name: String,
        /// File with `time_zone`, `hours` and `holidays`: JSON when its name ends so, else TOML; `-` is JSON from stdin
        file: PathBuf,
        #[command(flatten)]
        reason: Reason,
        #[command(flatten)]
        reach: Reach,
    },
    /// Add holidays from an iCalendar file (.ics)
    Import {
        /// The calendar's name
        name: String,
        /// The file
        file: PathBuf,
        /// Put them in the place of the holidays that are there
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        reason: Reason,
        #[command(flatten)]
        reach: Reach,
    },
    /// Take a calendar away; what counts on it counts around the clock then
    Remove {
        /// Its name
        name: String,
        #[command(flatten)]
        reason: Reason,
        #[command(flatten)]
        reach: Reach,
    },
}

pub(super) fn calendar(command: &Command) -> anyhow::Result<Done> {
    match command {
        Command::List(read) => list(read)?,
        Command::Show { name, seconds, at, json, reach } => show(name, *seconds, at.clone(), *json, reach)?,
        Command::Set { name, file, reason, reach } => {
            let body = serde_json::to_vec(&spec(file)?)?;
            let kept = Client::changing(reach, reason)?.send(Method::PUT, &path(name, ""), Some(("application/json", body)))?;
            out(&format!("{name} is set: {}\n", summary(&kept["calendar"])));
        }
        Command::Import { name, file, replace, reason, reach } => {
            let ics = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            let path = path(name, &format!("/holidays?replace={replace}"));
            let kept = Client::changing(reach, reason)?.send(Method::POST, &path, Some(("text/calendar", ics)))?;
            out(&format!("{name} is set: {}\n", summary(&kept["calendar"])));
        }
        Command::Remove { name, reason, reach } => {
            Client::changing(reach, reason)?.delete(&path(name, ""))?;
            out(&format!("{name} is removed\n"));
        }
    }
    Ok(Done::Well)
}

fn list(read: &Read) -> anyhow::Result<()> {
    let calendars = read.client()?.get("/v1/calendars", &[])?;
    if read.prints(&calendars) {
        return Ok(());
    }
    let row = |kept: &Value| {
        let open = if kept["open"] == true { "open" } else { "closed" };
        [text(kept, "name"), open.to_owned(), summary(&kept["calendar"]), text(kept, "changed")]
    };
    out(&table(["name", "now", "calendar", "changed"], calendars["items"].as_array().into_iter().flatten().map(row)));
    Ok(())
}

fn show(name: &str, seconds: u32, at: Option<String>, json: bool, reach: &Reach) -> anyhow::Result<()> {
    let client = Client::new(reach)?;
    let kept = client.get(&path(name, ""), &[])?;
    let answer = client.get(&path(name, "/time"), &[("at", at), ("seconds", Some(seconds.to_string()))])?;
    if json {
        out(&format!("{:#}\n", json!({ "kept": kept, "time": answer })));
        return Ok(());
    }
    let calendar = &kept["calendar"];
    let mut page = format!("{name}  ({})\n", text(calendar, "time_zone"));
    for day in ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] {
        let times: Vec<&str> = calendar["hours"][day].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let times = if calendar["hours"].is_null() { "00:00-24:00".to_owned() } else { times.join("  ") };
        let _ = writeln!(page, "  {day:<10} {}", if times.is_empty() { "closed" } else { &times });
    }
    for day in calendar["holidays"].as_array().into_iter().flatten() {
        let yearly = if day["every_year"] == true { "  every year" } else { "" };
        let _ = writeln!(page, "  {}  {}{yearly}", text(day, "date"), super::card::printable(&text(day, "name")));
    }
    let open = if answer["open"] == true { "open" } else { "closed" };
    let due = answer["due"].as_str().unwrap_or("more than forty years away");
    let _ = writeln!(page, "{}  {open}; {seconds} working seconds later: {due}", text(&answer, "at"));
    out(&page);
    Ok(())
}

/// A calendar from a file, read here so that a wrong key is told with its line.
fn spec(file: &Path) -> anyhow::Result<Spec> {
    let mut text = String::new();
    let json = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("cannot read stdin")?;
        true
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        file.extension().is_some_and(|end| end == "json")
    };
    let read =
        if json { serde_json::from_str(&text).map_err(anyhow::Error::from) } else { Spec::from_toml(&text).map_err(anyhow::Error::msg) };
    read.with_context(|| format!("{} is no calendar", file.display()))
}

fn summary(calendar: &Value) -> String {
    let days = calendar["hours"]
        .as_object()
        .map(|hours| hours.values().filter(|times| times.as_array().is_some_and(|times| !times.is_empty())).count());
    let week = days.map_or("around the clock".to_owned(), |days| format!("{days} days a week"));
    let holidays = calendar["holidays"].as_array().map_or(0, Vec::len);
    format!("{}, {week}, {holidays} holidays", text(calendar, "time_zone"))
}

fn path(name: &str, rest: &str) -> String {
    format!("/v1/calendars/{}{rest}", part(name))
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
