//! The black-box suite: the real binary, over real sockets of this machine, with real wasm.
//!
//! Each file is one idea, and its tests are claims, in pairs where they can be: what is obeyed, and what is stopped.
//! `harness` starts and stops hosts, `wire` speaks HTTP to them, `desk` is spoken to by them. Nothing here reaches past the binary's own edges: what a test
//! knows of a host it has read from an answer, from the admin's API, or from what was printed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where, and ends")]
#![expect(clippy::print_stderr, reason = "a test that failed shows its host's log")]

mod alerts;
mod authoring;
mod backup;
mod bad_call;
mod bombs;
mod callers;
mod cli;
mod commands;
mod console;
mod contract;
mod delivery;
mod desk;
mod desks;
mod doors;
mod eval;
mod feeds;
mod foreign;
mod forge;
mod gate;
mod guides;
mod harness;
mod hostile;
mod journal;
mod languages;
mod lifecycle;
mod mailbox;
mod people;
mod pressure;
mod promises;
mod protocol;
mod refusals;
mod reports;
mod robust;
mod sandbox;
mod secrets;
mod source;
mod state;
mod tables;
mod threads;
mod tidy;
mod watching;
mod webhook;
mod wire;
mod workflow;
mod write_back;
