//! `signalbox backup`, `restore` and `doctor`: a copy of the journal, a copy put back, and what is wrong with a data directory.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Done, out};
use crate::config::{Config, Overrides};
use crate::store::{Contents, StoreError, backup as copy, in_use, inspect, restore as put_back, room};

/// Less room than this on the disk is told, bytes: some hundred thousand decisions fit.
const LITTLE: u64 = 256 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// Where the copy goes; must not exist yet
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// The copy, as `signalbox backup` wrote it
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Which data directory.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The data directory [default: that of the config, else signalbox-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Config file of the host
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Place {
    fn dir(&self) -> anyhow::Result<PathBuf> {
        Ok(match &self.data {
            Some(dir) => dir.clone(),
            None => Config::load(self.config.as_deref(), &Overrides::default())?.data,
        })
    }
}

pub(super) fn backup(args: &Backup) -> anyhow::Result<Done> {
    let contents = copy(&args.place.dir()?, &args.file)?;
    out(&format!("{}: {}\n", args.file.display(), told(&contents)));
    Ok(Done::Well)
}

pub(super) fn restore(args: &Restore) -> anyhow::Result<Done> {
    let dir = args.place.dir()?;
    let contents = put_back(&args.file, &dir)?;
    out(&format!("{}: {}; start the host on it with `signalbox serve --data {}`\n", dir.display(), told(&contents), dir.display()));
    Ok(Done::Well)
}

fn told(contents: &Contents) -> String {
    let Contents { version, events, decisions, waiting, .. } = contents;
    format!("{events} events, {decisions} decisions, {waiting} calls to be sent, tables of version {version}")
}

pub(super) fn doctor(place: &Place) -> anyhow::Result<Done> {
    let findings = examine(&place.dir()?);
    let mut text = String::new();
    for Finding { well, what } in &findings {
        let _ = writeln!(text, "{}  {what}", if *well { "ok   " } else { "WRONG" });
    }
    out(&text);
    Ok(if findings.iter().all(|finding| finding.well) { Done::Well } else { Done::Refused })
}

/// One thing that was looked at.
struct Finding {
    well: bool,
    /// A sentence, with the remedy where it is wrong.
    what: String,
}

fn examine(dir: &Path) -> Vec<Finding> {
    let finding = |well: bool, what: String| Finding { well, what };
    let shown = dir.display();
    let Ok(about) = dir.metadata() else {
        return vec![finding(false, format!("there is no data directory {shown}; name it with --data, or start the host once"))];
    };
    let mode = about.permissions().mode() & 0o777;
    let mut findings = vec![match mode & 0o077 {
        0 => finding(true, format!("{shown} is for its owner only (mode {mode:o})")),
        _ => finding(false, format!("{shown} can be read by others (mode {mode:o}), and holds what customers wrote: chmod 700 {shown}")),
    }];
    let running = in_use(dir);
    findings.push(finding(true, if running { "a host runs on it".to_owned() } else { "no host runs on it".to_owned() }));
    let journal = inspect(&dir.join("signalbox.db"));
    findings.push(match &journal {
        Ok(contents) => finding(true, format!("the journal is sound: {}", told(contents))),
        Err(StoreError::Corrupt { problem, .. }) => finding(
            false,
            format!(
                "the journal is damaged ({problem}): stop the host, keep the file, and put the last backup back with `signalbox restore`"
            ),
        ),
        Err(error) => finding(false, error.to_string()),
    });
    if let Ok(Contents { pending, set_aside, .. }) = journal {
        findings.push(match (pending, running) {
            (0, _) => finding(true, "every accepted event has its decision".to_owned()),
            (pending, true) => finding(true, format!("{pending} accepted events are being decided")),
            (pending, false) => finding(true, format!("{pending} accepted events will be decided at the next start")),
        });
        findings.push(match set_aside {
            0 => finding(true, "no call waits for a person".to_owned()),
            calls => finding(
                false,
                format!("{calls} calls wait for a person: look at GET /v1/deliveries?state=parked (or dead) and replay them"),
            ),
        });
    }
    findings.push(match room(dir) {
        Ok(bytes) if bytes < LITTLE => {
            finding(false, format!("{} MiB are left on the disk of {shown}; make room before it is full", bytes >> 20))
        }
        Ok(bytes) => finding(true, format!("{} MiB are left on the disk", bytes >> 20)),
        Err(error) => finding(false, format!("the disk of {shown} cannot be asked: {error}")),
    });
    findings
}
