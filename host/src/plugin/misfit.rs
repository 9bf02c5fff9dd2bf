//! Which function of a component is not as the contract has it: wasmtime names the types that differ, and not the function.

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
