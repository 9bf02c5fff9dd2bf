//! Parses the command line, runs the command, gives its exit code: 0 done, 1 refused or check failed, 2 usage.

use std::process::ExitCode;

fn main() -> ExitCode {
    signalbox::cli::main()
}
