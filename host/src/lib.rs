//! Signalbox: a rules plugin host that stands beside an IT service desk.
//!
//! A request's journey, and the modules in that order: a desk calls a listener of [`server`]; [`webhook`] takes the call and
//! tells the whole story; [`signature`] says whether it is genuine, [`source`] maps it to an [`event`]; the [`store`] says
//! whether it is new; the live generation's [`chain`] asks one sandboxed [`plugin`] after the other for a [`verdict`], and the
//! merge law of [`decision`] makes one decision of them; it is recorded, and [`respond`] answers.

pub mod cli;

pub mod eval;

pub mod server;

pub mod webhook;

pub mod admin;

pub mod console;

pub mod respond;

pub mod error;

pub mod call;

pub mod app;

pub mod registry;

pub mod replay;

pub mod lane;

pub mod journey;

pub mod token;

pub mod signature;

pub mod source;

pub mod delivery;

pub mod sink;

pub mod alert;

pub mod alike;

pub mod calendar;

pub mod sla;

pub mod egress;

pub mod outgoing;

pub mod retry;

pub mod generation;

pub mod gate;
pub mod network;

pub mod chain;

pub mod breaker;

pub mod plugin;

pub mod answers;

pub mod tables;

pub mod store;

pub mod report;

pub mod sheet;

pub mod ask;

pub mod state;

pub mod table;

pub mod config;

pub mod telemetry;

pub mod metrics;

pub mod agreement;

pub mod decision;

pub mod verdict;

pub mod case;

pub mod expect;

pub mod normal;

pub mod setup;

pub mod grant;

pub mod event;
