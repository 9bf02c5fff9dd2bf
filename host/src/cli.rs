//! The command line: what can be typed, and which file does it.
//!
//! Every command returns its exit code; every word that a person reads leaves through `out` or `complain`.

mod alert;
mod approval;
mod audit;
mod backup;
mod calendar;
mod card;
mod chain;
mod check;
mod client;
mod clock;
mod delivery;
mod erase;
mod eval;
mod explain;
mod listing;
mod plugin;
mod progress;
mod replay;
mod report;
mod run;
mod schema;
mod serve;
mod signature;
mod source;
mod table;
mod tables;
mod tail;
mod token;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::plugin::{TRACKS, child};

/// A rules plugin host that stands beside an IT service desk: webhook events in, enriched decisions out.
#[derive(Debug, Parser)]
#[command(
    name = "signalbox",
    version,
    disable_version_flag = true,
    args_conflicts_with_subcommands = true,
    after_help = "Without a command, signalbox serves. Exit codes: 0 done, 1 refused or check failed, 2 usage."
)]
struct Cli {
    /// Print the version
    #[arg(short = 'V', long)]
    version: bool,
    /// With --version: also the contracts that plugins may be built for
    #[arg(long, requires = "version")]
    verbose: bool,
    #[command(flatten)]
    serve: serve::Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take events from desks and answer with decisions (the default)
    Serve(serve::Args),
    /// Decide events from files, offline, and print the decisions
    Run(run::Args),
    /// Measure a plugin or a chain on a labelled table
    Eval(Box<eval::Args>),
    /// Check a config: read it, bring its plugins in, and say what is wrong
    Check(check::Args),
    /// Plugins: begin one, look at one, put one through the gate, and those of a running host
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Chains of a running host: list, export, apply, roll back
    #[command(subcommand)]
    Chain(chain::Command),
    /// What a change would do to events that were decided already
    Replay(replay::Args),
    /// What happened on a running host over a stretch of time, counted: as a table, JSON or CSV
    Report(report::Args),
    /// Decisions of a running host, as they happen
    Tail(tail::Args),
    /// Why an event was decided as it was
    Explain(explain::Args),
    /// Tables of a running host, which rules look up: import, list, show, set, remove
    #[command(subcommand)]
    Table(tables::Command),
    /// Make, list and revoke the tokens of a running host
    #[command(subcommand)]
    Token(token::Command),
    /// Alerts of a running host, and who was told
    #[command(subcommand)]
    Alert(alert::Command),
    /// What waits for a person on a running host: list, approve, reject
    #[command(subcommand)]
    Approval(approval::Command),
    /// Clocks of service levels on a running host
    #[command(subcommand)]
    Clock(clock::Command),
    /// Business calendars of a running host: list, show, set, import holidays, remove
    #[command(subcommand)]
    Calendar(calendar::Command),
    /// What was changed on a running host, by whom and why
    Audit(audit::Args),
    /// Calls that carry decisions out of a running host: list, show, send again; how every target fares
    #[command(subcommand)]
    Delivery(delivery::Command),
    /// Erase events on a running host, one or all of an author
    #[command(subcommand)]
    Erase(erase::Command),
    /// Sources: list them, begin one, and try it on a payload
    #[command(subcommand)]
    Source(source::Command),
    /// Try the verifier on test vectors
    #[command(subcommand)]
    Signature(signature::Command),
    /// Copy the journal to a file, also while the host runs
    Backup(backup::Backup),
    /// Put a copy of the journal into an empty data directory
    Restore(backup::Restore),
    /// Look at a data directory, and say what is wrong with it
    Doctor(backup::Place),
    /// Print a JSON Schema
    Schema(schema::Args),
    /// Print completions for a shell
    Completions {
        /// The shell to print them for
        shell: clap_complete::Shell,
    },
    /// The activation child: one request on stdin, one response on stdout
    #[command(hide = true)]
    Activate,
}

/// How a command ended, when it did not fail.
enum Done {
    /// It did what it was asked.
    Well,
    /// It ran, and the answer is no.
    Refused,
    /// It could not find out: no plugin, no cases, nothing to try.
    Untried,
}

/// Runs what was typed.
pub fn main() -> ExitCode {
    let Cli { version, verbose, serve, command } = Cli::parse();
    if version {
        out(&self::version(verbose));
        return ExitCode::SUCCESS;
    }
    let done = match command.unwrap_or(Command::Serve(serve)) {
        Command::Serve(args) => serve::serve(&args),
        Command::Run(args) => run::run(&args),
        Command::Eval(args) => eval::eval(&args),
        Command::Check(args) => check::check(&args),
        Command::Plugin(command) => plugin::plugin(&command),
        Command::Chain(command) => chain::chain(&command),
        Command::Replay(args) => replay::replay(&args),
        Command::Report(args) => report::report(&args),
        Command::Tail(args) => tail::tail(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::Table(command) => tables::tables(&command),
        Command::Token(command) => token::token(&command),
        Command::Alert(command) => alert::alert(&command),
        Command::Approval(command) => approval::approval(&command),
        Command::Clock(command) => clock::clock(&command),
        Command::Calendar(command) => calendar::calendar(&command),
        Command::Audit(args) => audit::audit(&args),
        Command::Delivery(command) => delivery::delivery(&command),
        Command::Erase(command) => erase::erase(&command),
        Command::Source(command) => source::source(&command),
        Command::Signature(command) => signature::signature(&command),
        Command::Backup(args) => backup::backup(&args),
        Command::Restore(args) => backup::restore(&args),
        Command::Doctor(place) => backup::doctor(&place),
        Command::Schema(args) => schema::schema(&args),
        Command::Completions { shell } => completions(shell),
        Command::Activate => child().map(|()| Done::Well),
    };
    match done {
        Ok(Done::Well) => ExitCode::SUCCESS,
        Ok(Done::Refused) => ExitCode::from(1),
        Ok(Done::Untried) => ExitCode::from(2),
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::from(1)
        }
    }
}

/// What this binary is, and which contracts it speaks.
fn version(verbose: bool) -> String {
    let mut text = format!("signalbox {}\n", env!("CARGO_PKG_VERSION"));
    if verbose {
        for track in TRACKS {
            text.push_str(&format!("  plugins    {track} (wit/rules.wit): any release of it\n"));
        }
    }
    text
}

fn completions(shell: clap_complete::Shell) -> anyhow::Result<Done> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "signalbox", &mut script);
    out(&String::from_utf8(script)?);
    Ok(Done::Well)
}

/// Prints for a person or a pipe. A reader that has gone away is not an error of ours.
fn out(text: &str) {
    let mut stdout = anstream::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Prints what went wrong.
fn complain(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "signalbox: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
