//! What of a component is not as the contract has it, where wasmtime names the types that differ, and not the function or the
//! encoding.

use wasmparser::{CanonicalFunction, CanonicalOption, Parser, Payload};
use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Instance, Lift, Lower};

use super::bindings::Description;
use super::bindings::exports::signalbox::rules::rule::ConfigProblem;
use super::bindings::signalbox::rules::types::{Event, RuleError, SoFar, Verdict};
use super::door::{Check, Refusal, TRACKS, refuse};
use super::services::Room;

/// A component that does not fit the contract.
pub(super) fn unfit(error: &wasmtime::Error) -> Refusal {
    told("", error)
}

/// An instance whose functions have other types, with the first of them by name.
pub(super) fn unfit_instance(store: &mut Store<Room>, instance: &Instance, error: &wasmtime::Error) -> Refusal {
    let found = differs::<(), (Description,)>(store, instance, "metadata", "describe")
        .or_else(|| differs::<(&str,), (Result<(), Vec<ConfigProblem>>,)>(store, instance, "rule", "configure"))
        .or_else(|| differs::<(&Event, &SoFar), (Result<Verdict, RuleError>,)>(store, instance, "rule", "evaluate"));
    match found {
        Some((function, error)) => told(&format!("`{function}` has another signature: "), &error),
        None => told("", error),
    }
}

/// A refusal of what `describe` said, with the encoding where a plugin of ours cannot mean it: text in another encoding than the one
/// that is declared is read as other letters, and only then found to be wrong.
pub(super) fn unread(refusal: Refusal, wasm: &[u8]) -> Refusal {
    let declared = Parser::new(0).parse_all(wasm).filter_map(Result::ok).any(|payload| match payload {
        Payload::ComponentCanonicalSection(section) => section.into_iter().filter_map(Result::ok).any(|function| match function {
            CanonicalFunction::Lift { options, .. } => options.contains(&CanonicalOption::UTF16),
            _ => false,
        }),
        _ => false,
    });
    if !declared {
        return refusal;
    }
    let message = format!("{}; its strings are declared as UTF-16: if it writes UTF-8, build it with UTF-8 strings", refusal.message);
    Refusal { message, ..refusal }
}

fn differs<P, R>(
    store: &mut Store<Room>,
    instance: &Instance,
    interface: &str,
    function: &'static str,
) -> Option<(&'static str, wasmtime::Error)>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    let interface = instance.get_export_index(&mut *store, None, &format!("signalbox:rules/{interface}@0.1.0"))?;
    let index = instance.get_export_index(&mut *store, Some(&interface), function)?;
    instance.get_typed_func::<P, R>(&mut *store, index).err().map(|error| (function, error))
}

fn told(place: &str, error: &wasmtime::Error) -> Refusal {
    let cause = format!("{error:#}");
    let cause: String = cause.lines().map(str::trim).collect::<Vec<_>>().join(" ").chars().take(300).collect();
    let tracks = TRACKS.join(", ");
    refuse(
        Check::World,
        format!("does not fit the contract: {place}{cause}; build it again with bindings of `wit/rules.wit` (this host speaks {tracks})"),
    )
}
