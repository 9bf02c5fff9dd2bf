//! `signalbox plugin push|list|show|remove`: the plugins of a running host.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use http::Method;
use serde_json::Value;

use super::super::client::{Client, Reach, Reason, Refused, part};
use super::super::listing::Read;
use super::super::table::table;
use super::super::{Done, complain, out};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Push {
    /// The plugin: a component, a core module, or a WASI command
    file: PathBuf,
    /// Print the gate's report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reason: Reason,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    read: Read,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Show {
    /// Name (its newest version), name@version, or digest
    plugin: String,
    #[command(flatten)]
    read: Read,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Remove {
    /// Name (its newest version), name@version, or digest
    plugin: String,
    #[command(flatten)]
    reason: Reason,
    #[command(flatten)]
    reach: Reach,
}

pub(super) fn push(args: &Push) -> anyhow::Result<Done> {
    let wasm = std::fs::read(&args.file).with_context(|| args.file.display().to_string())?;
    let pushed = Client::changing(&args.reach, &args.reason)?.send(Method::POST, "/v1/plugins", Some(("application/wasm", wasm)));
    let (report, done) = match pushed {
        Ok(report) => (report, Done::Well),
        Err(error) => match error.downcast_ref::<Refused>().map(|refused| refused.0["report"].clone()).filter(Value::is_object) {
            Some(report) => {
                complain(&format!("{}: {error}", args.file.display()));
                (report, Done::Refused)
            }
            None => return Err(error),
        },
    };
    out(&if args.json { format!("{report:#}\n") } else { self::report(&report) });
    Ok(done)
}

pub(super) fn list(args: &List) -> anyhow::Result<Done> {
    let plugins = args.read.client()?.get("/v1/plugins", &[])?;
    if args.read.prints(&plugins) {
        return Ok(Done::Well);
    }
    let row = |plugin: &Value| {
        let users = plugin["used_by"].as_array().into_iter().flatten();
        let users: Vec<String> = users.map(|user| format!("{}/{}", text(user, "chain"), text(user, "step"))).collect();
        let digest = text(plugin, "digest").chars().take(12).collect();
        [text(plugin, "name"), text(plugin, "version"), digest, text(plugin, "by"), users.join(", ")]
    };
    let plugins = plugins["items"].as_array().cloned().unwrap_or_default();
    out(&table(["name", "version", "digest", "by", "used by"], plugins.iter().map(row)));
    Ok(Done::Well)
}

pub(super) fn show(args: &Show) -> anyhow::Result<Done> {
    let report = args.read.client()?.get(&path(&args.plugin), &[])?;
    if !args.read.prints(&report) {
        out(&self::report(&report));
    }
    Ok(Done::Well)
}

pub(super) fn remove(args: &Remove) -> anyhow::Result<Done> {
    Client::changing(&args.reach, &args.reason)?.delete(&path(&args.plugin))?;
    out(&format!("{} is removed\n", args.plugin));
    Ok(Done::Well)
}

fn path(plugin: &str) -> String {
    format!("/v1/plugins/{}", part(plugin))
}

/// The gate's report as people read it.
fn report(report: &Value) -> String {
    let about = &report["plugin"];
    let word = if report["passed"] == true { "passed the gate" } else { "did not pass the gate" };
    let who = if about.is_object() { format!("{} {} ", text(about, "name"), text(about, "version")) } else { String::new() };
    let mut page = format!("{who}{word}\n");
    let mut row = |name: &str, value: String| {
        let _ = writeln!(page, "  {name:<12}{value}");
    };
    row("digest", text(report, "digest"));
    if about.is_object() {
        row("summary", text(about, "summary"));
    }
    for (at, permission) in about["permissions"].as_array().into_iter().flatten().enumerate() {
        row(if at == 0 { "may" } else { "" }, permission.as_str().unwrap_or_default().to_owned());
    }
    for request in about["requests"].as_array().into_iter().flatten() {
        row("asks for", format!("{}: {}", text(request, "grant"), text(request, "reason")));
    }
    let examples = about["examples"].as_array().map(Vec::as_slice).unwrap_or_default();
    let passed = examples.iter().filter(|example| example["fault"].is_null()).count();
    if about.is_object() {
        row("examples", format!("{passed} of {} do what they say", examples.len()));
        row("starts from", text(about, "starts_from"));
    }
    if let (Some(fresh), Some(reused)) = (about["cost"]["fresh_micros"].as_u64(), about["cost"]["reused_micros"].as_u64()) {
        row("per event", format!("{fresh} us fresh, {reused} us reused, {} fuel", about["cost"]["fuel"]));
    }
    for check in report["checks"].as_array().into_iter().flatten() {
        row(if check["passed"] == true { "ok" } else { "FAILED" }, text(check, "message"));
    }
    page
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
