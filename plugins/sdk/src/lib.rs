//! What a Rust plugin needs: the contract's types, `rule!` that makes a plugin of a function, and small helpers for proposals.
//!
//! [`rule!`] is the way in; [`plugin!`] exports a [`Rule`] that is written by hand. [`testing`] is a host for unit tests.
//!
//! Used by every Rust plugin; it never decides anything itself. The bindings compile natively too, so that a rule's pure core
//! is tested as plain Rust; only the export glue exists on wasm alone.

#[doc(hidden)]
pub mod arena;
#[doc(hidden)]
pub mod bindings;
pub mod clock;
pub mod config;
pub mod facts;
pub mod lexicon;
pub mod log;
pub mod lookup;
mod proposals;
pub mod raw;
mod reader;
mod rule;
mod scope;
pub mod state;
pub mod testing;
pub mod text;

pub use bindings::exports::signalbox::rules::metadata::{Description, Example, Permission};
pub use bindings::exports::signalbox::rules::rule::ConfigProblem;
pub use bindings::signalbox::rules::types::*;
pub use proposals::{Case, evidence, examples, fact, proposal};
pub use rule::Judged;
#[cfg(feature = "schema")]
#[doc(hidden)]
pub use schemars;

/// Host services. Importing one is a permission request that the admin sees, so call only what the rule needs.
pub mod services {
    pub use crate::bindings::signalbox::rules::{clock, facts, http, logging, lookup, normal, state};
}

/// A rule: what a plugin crate implements, and hands to [`plugin!`].
pub trait Rule: Sized + 'static {
    /// Static facts about the plugin. No host service is at hand.
    fn describe() -> Description;

    /// Reads a config that has passed the plugin's own JSON Schema. Only `logging` is at hand.
    ///
    /// # Errors
    /// Every problem, each with the JSON Pointer of its place.
    fn configure(config: &str) -> Result<Self, Vec<ConfigProblem>>;

    /// Judges one event.
    ///
    /// # Errors
    /// `not-applicable` when it is outside what the rule can judge; `transient` and `failed` are faults.
    fn evaluate(&self, event: &Event, settled: &SoFar) -> Result<Verdict, RuleError>;
}

#[doc(hidden)]
pub mod glue {
    pub use crate::bindings::__export_rule_plugin as export;
    pub use crate::bindings::exports::signalbox::rules::{metadata, rule};
}

/// Exports a [`Rule`] as a component of the world `rule-plugin`.
///
/// The configured rule lives in a static that `configure` fills; the host snapshots the instance after it, so that every event
/// starts from exactly that state.
#[macro_export]
macro_rules! plugin {
    ($rule:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use std::sync::OnceLock;

            static RULE: OnceLock<$rule> = OnceLock::new();

            #[global_allocator]
            static ARENA: $crate::arena::Arena = $crate::arena::Arena::new();

            struct Export;

            impl $crate::glue::metadata::Guest for Export {
                fn describe() -> $crate::Description {
                    <$rule as $crate::Rule>::describe()
                }
            }

            impl $crate::glue::rule::Guest for Export {
                fn configure(config: String) -> Result<(), Vec<$crate::ConfigProblem>> {
                    let rule = <$rule as $crate::Rule>::configure(&config)?;
                    let _ = RULE.set(rule);
                    ARENA.open();
                    Ok(())
                }

                fn evaluate(event: $crate::Event, settled: $crate::SoFar) -> Result<$crate::Verdict, $crate::RuleError> {
                    match RULE.get() {
                        Some(rule) => $crate::Rule::evaluate(rule, &event, &settled),
                        None => Err($crate::RuleError::Failed("evaluate was called before configure".to_owned())),
                    }
                }
            }

    $crate::glue::export!(Export with_types_in $crate::bindings);
        };

        // Natively nothing is exported: this keeps the rule alive for the compiler's eye and checks the same signatures.
        #[cfg(not(target_arch = "wasm32"))]
        const _: (
            fn() -> $crate::Description,
            fn(&str) -> Result<$rule, Vec<$crate::ConfigProblem>>,
            fn(&$rule, &$crate::Event, &$crate::SoFar) -> Result<$crate::Verdict, $crate::RuleError>,
        ) = (<$rule as $crate::Rule>::describe, <$rule as $crate::Rule>::configure, <$rule as $crate::Rule>::evaluate);
    };
}
