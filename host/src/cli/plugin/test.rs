//! `signalbox plugin test`: cases through the real sandbox, with what differs. Ends with 0 when every case holds, 1 when one does
//! not, 2 when nothing could be tried.

use std::path::PathBuf;

use anyhow::Context as _;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::project::{Target, cases};
use super::trial::{Trial, Tried};
use crate::cli::run::tempdir;
use crate::cli::{Done, complain, out};
use crate::config::Limits;
use crate::plugin::Sandbox;

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 every case holds, 1 a case does not hold, 2 nothing could be tried.")]
pub(in crate::cli) struct Args {
    /// The plugin, or the folder of its project
    file: PathBuf,
    /// Files of cases, TOML or JSON [default: the project's, else the plugin's own examples]
    cases: Vec<PathBuf>,
    /// Write the results as JUnit XML here
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Keep compiled plugins here between runs [default: a temporary directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(super) fn test(args: &Args) -> anyhow::Result<Done> {
    tried(args).or_else(|error| {
        complain(&format!("{error:#}"));
        Ok(Done::Untried)
    })
}

fn tried(args: &Args) -> anyhow::Result<Done> {
    let target = Target::find(&args.file, &args.cases)?;
    let (given, wasm) = (cases(&target.cases)?, target.bytes()?);
    let (limits, scratch) = (Limits::default(), tempdir()?);
    let cache = args.data.as_ref().map_or_else(|| scratch.0.clone(), |data| data.join("artefacts"));
    let sandbox = Sandbox::start(&limits, std::env::current_exe()?, cache)?;
    let mut trial = Trial::new(&sandbox, &wasm, &limits);
    let at = || target.wasm.display().to_string();
    let cases = trial.cases(given).with_context(at)?;
    let mut results = Vec::with_capacity(cases.len());
    for case in &cases {
        let tried = trial.run(case);
        out(&tried.card());
        results.push(tried);
    }
    if let Some(file) = &args.junit {
        std::fs::write(file, junit(&at(), &results)?).with_context(|| file.display().to_string())?;
    }
    let failed = results.iter().filter(|tried| !tried.holds()).count();
    out(&format!("{}: {} passed, {failed} failed\n", at(), results.len() - failed));
    Ok(if failed == 0 { Done::Well } else { Done::Refused })
}

/// The results as the XML that CI servers read.
fn junit(suite: &str, results: &[Tried]) -> anyhow::Result<String> {
    let mut tests = TestSuite::new(suite);
    for tried in results {
        let mut status = TestCaseStatus::success();
        if !tried.holds() {
            // A case that ended badly is an error, one that came out otherwise a failure.
            status = TestCaseStatus::non_success(if tried.ended.is_some() { NonSuccessKind::Error } else { NonSuccessKind::Failure });
            status.set_message(tried.faults().lines().next().unwrap_or_default()).set_description(tried.faults());
        }
        let mut test = TestCase::new(&tried.name, status);
        test.set_classname(suite).set_time(std::time::Duration::from_micros(tried.micros));
        tests.add_test_case(test);
    }
    let mut report = Report::new("signalbox plugin test");
    report.add_test_suite(tests);
    Ok(report.to_string()?)
}
