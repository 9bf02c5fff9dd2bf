//! Builds guest crates of this workspace for `wasm32-unknown-unknown` and encodes each as a component.
//!
//! Called by build scripts only, so that an ordinary `cargo build` of a fresh clone needs no second command.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a build script is spoken to by the environment, talks to cargo by printing, and stops by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds the packages, whose sources are in `sources` (folders relative to the workspace's root), and leaves
/// `PACKAGE.wasm` for each in the calling script's `OUT_DIR`.
///
/// # Panics
/// When a package does not build, or is no component of the contract's world: the build stops with cargo's own messages.
pub fn build(root: &Path, packages: &[&str], sources: &[&str]) {
    let root = root.canonicalize().unwrap();
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    for watched in ["Cargo.toml", "Cargo.lock", "wit", "plugins/sdk"].iter().chain(sources) {
        println!("cargo:rerun-if-changed={}", root.join(watched).display());
    }

    // One guest target directory for every profile of the host (OUT_DIR is target/<profile>/build/<crate>/out): the outer cargo
    // holds the lock of its own directory while a script runs, so the guests need another.
    let guests = out.ancestors().nth(4).unwrap().join("guests");
    let mut cargo = Command::new(env::var("CARGO").unwrap());
    cargo.current_dir(&root).args(["build", "--lib", "--profile", "guest", "--target", TARGET, "--target-dir"]).arg(&guests);
    for package in packages {
        cargo.args(["-p", package]);
    }
    // The outer build's flags (coverage, sanitizers, a native target-cpu) are for the host's machine.
    for (key, _) in env::vars() {
        if key.starts_with("CARGO_PROFILE_")
            || key.starts_with("CARGO_BUILD_")
            || key == "RUSTC_WORKSPACE_WRAPPER"
            || key == "RUSTC_WRAPPER"
        {
            cargo.env_remove(key);
        }
    }
    // A small stack keeps a plugin's memory in few pages: every page it touches is copied and wiped again for every event.
    cargo.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", "-Clink-arg=-zstack-size=131072");
    let status = cargo.status().expect("cargo starts, since it started this script");
    assert!(status.success(), "guests do not build for {TARGET}; `rustup target add {TARGET}` if the target is missing");

    for package in packages {
        let module = guests.join(TARGET).join("guest").join(format!("{}.wasm", package.replace('-', "_")));
        let bytes = fs::read(&module).unwrap_or_else(|e| panic!("{}: {e}", module.display()));
        let component = wit_component::ComponentEncoder::default()
            .module(&bytes)
            .and_then(|encoder| encoder.validate(true).encode())
            .unwrap_or_else(|e| panic!("{package} is not a component of our world: {e:#}"));
        fs::write(out.join(format!("{package}.wasm")), component).unwrap();
    }
}
