//! The empty room for components: the same as for modules, in the interfaces of WASI 0.2.
//!
//! A component's imports are looked through by name, whatever 0.2 release they are of. What has a harmless answer gets it
//! (an empty environment, no directories, streams that are the command's pipes); any other function ends the command, naming
//! itself. Every resource is of one host type, whose number says which stream it is.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker, Resource, ResourceAny, ResourceType, Val};
use wasmtime::{AsContextMut as _, Store, StoreContextMut, Trap};

use super::Exit;
use crate::plugin::door::RUN;
use crate::plugin::services::{Denied, Room};

/// Whatever a component holds of the room: a stream, or something it can only wait for.
struct Thing;

const STDIN: u32 = 0;
const STDOUT: u32 = 1;
const STDERR: u32 = 2;
/// Something that is ready at once.
const READY: u32 = 3;
/// Most bytes of one `random` or `read`.
const MOST: u64 = 64 << 10;
/// Most bytes of one `write`: what every release of WASI 0.2 takes at once.
const WRITE: u64 = 4_096;

/// Links what `component` imports.
///
/// # Errors
/// When it imports something that is no WASI interface.
pub(super) fn linker(component: &Component) -> wasmtime::Result<Linker<Room>> {
    let engine = component.engine();
    let mut linker = Linker::new(engine);
    for (interface, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
        let mut room = linker.instance(interface)?;
        for (name, item) in instance.exports(engine) {
            match item.ty {
                ComponentItem::Resource(_) => room.resource(name, ResourceType::host::<Thing>(), |_, _| Ok(()))?,
                ComponentItem::ComponentFunc(_) => {
                    let short = interface.trim_start_matches("wasi:").split('@').next().unwrap_or(interface);
                    let call = format!("{short}#{name}");
                    room.func_new(name, move |store, _, arguments, results| {
                        if let (Some(place), Some(answer)) = (results.first_mut(), answer(store, &call, arguments)?) {
                            *place = answer;
                        }
                        Ok(())
                    })?;
                }
                _ => {}
            }
        }
    }
    Ok(linker)
}

/// Runs `wasi:cli/run`.
pub(super) fn run(pre: &InstancePre<Room>, store: &mut Store<Room>) -> wasmtime::Result<()> {
    let component = pre.component();
    let ty = component.component_type();
    let name = ty.exports(component.engine()).map(|(name, _)| name.to_owned()).find(|name| name.starts_with(RUN)).unwrap_or_default();
    let instance = pre.instantiate(&mut *store)?;
    let function = instance
        .get_export_index(&mut *store, None, &name)
        .and_then(|inside| instance.get_export_index(&mut *store, Some(&inside), "run"))
        .ok_or_else(|| wasmtime::format_err!("`{name}` has no `run`"))?;
    let function = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut *store, &function)?;
    function.call(store, ())?.0.map_err(|()| Exit(1).into())
}

fn thing(mut store: StoreContextMut<'_, Room>, which: u32) -> wasmtime::Result<Option<Val>> {
    ResourceAny::try_from_resource(Resource::<Thing>::new_own(which), store.as_context_mut()).map(|thing| Some(Val::Resource(thing)))
}

/// Which stream a method was called on.
fn which(store: &mut StoreContextMut<'_, Room>, argument: Option<&Val>) -> wasmtime::Result<u32> {
    match argument {
        Some(Val::Resource(thing)) => Ok(Resource::<Thing>::try_from_resource_any(*thing, store.as_context_mut())?.rep()),
        _ => Ok(READY),
    }
}

fn ok(value: Option<Val>) -> Option<Val> {
    Some(Val::Result(Ok(value.map(Box::new))))
}

fn bytes(bytes: &[u8]) -> Val {
    Val::List(bytes.iter().map(|byte| Val::U8(*byte)).collect())
}

fn number(argument: Option<&Val>) -> u64 {
    if let Some(Val::U64(number)) = argument { *number } else { 0 }
}

fn charge(store: &mut StoreContextMut<'_, Room>, units: u64) -> wasmtime::Result<()> {
    let left = store.get_fuel()?.checked_sub(units);
    store.set_fuel(left.unwrap_or(0))?;
    left.map(|_| ()).ok_or_else(|| Trap::OutOfFuel.into())
}

fn answer(mut store: StoreContextMut<'_, Room>, call: &str, arguments: &[Val]) -> wasmtime::Result<Option<Val>> {
    Ok(match call {
        "cli/environment#get-environment" | "cli/environment#get-arguments" | "filesystem/preopens#get-directories" => {
            Some(Val::List(Vec::new()))
        }
        "cli/environment#initial-cwd"
        | "cli/terminal-stdin#get-terminal-stdin"
        | "cli/terminal-stdout#get-terminal-stdout"
        | "cli/terminal-stderr#get-terminal-stderr"
        | "filesystem/types#filesystem-error-code" => Some(Val::Option(None)),
        "cli/exit#exit" => return Err(Exit(i32::from(!matches!(arguments.first(), Some(Val::Result(Ok(_)))))).into()),
        "cli/exit#exit-with-code" => {
            let code = if let Some(Val::U8(code)) = arguments.first() { i32::from(*code) } else { 1 };
            return Err(Exit(code).into());
        }
        "cli/stdin#get-stdin" => thing(store, STDIN)?,
        "cli/stdout#get-stdout" => thing(store, STDOUT)?,
        "cli/stderr#get-stderr" => thing(store, STDERR)?,
        "clocks/monotonic-clock#now" => Some(Val::U64(store.data_mut().nanos())),
        "clocks/monotonic-clock#resolution" => Some(Val::U64(1_000)),
        "clocks/wall-clock#now" => {
            let nanos = store.data_mut().nanos();
            Some(moment(nanos / 1_000_000_000, (nanos % 1_000_000_000) as u32))
        }
        "clocks/wall-clock#resolution" => Some(moment(0, 1_000)),
        "random/random#get-random-bytes" | "random/insecure#get-insecure-random-bytes" if number(arguments.first()) <= MOST => {
            let length = number(arguments.first());
            charge(&mut store, length)?;
            let room = store.data_mut();
            Some(Val::List((0..length).map(|_| Val::U8(room.pipes.random() as u8)).collect()))
        }
        "random/random#get-random-u64" | "random/insecure#get-insecure-random-u64" => Some(Val::U64(store.data_mut().pipes.random())),
        "random/insecure-seed#insecure-seed" => {
            let room = store.data_mut();
            Some(Val::Tuple(vec![Val::U64(room.pipes.random()), Val::U64(room.pipes.random())]))
        }
        "io/error#[method]error.to-debug-string" => Some(Val::String(String::new())),
        "io/poll#[method]pollable.ready" => Some(Val::Bool(true)),
        "io/poll#[method]pollable.block" => None,
        "io/poll#poll" => {
            let count = if let Some(Val::List(waited)) = arguments.first() { waited.len() as u32 } else { 0 };
            Some(Val::List((0..count).map(Val::U32).collect()))
        }
        _ if call.starts_with("clocks/monotonic-clock#subscribe") || call.ends_with(".subscribe") => thing(store, READY)?,
        _ if call.starts_with("io/streams#[method]input-stream.") => {
            let most = number(arguments.get(1)).min(MOST);
            let is_stdin = which(&mut store, arguments.first())? == STDIN;
            let read = if is_stdin { store.data_mut().pipes.take(most as usize).to_vec() } else { Vec::new() };
            charge(&mut store, read.len() as u64)?;
            match (read.is_empty() && most > 0, call.contains("skip")) {
                (true, _) => Some(Val::Result(Err(Some(Box::new(Val::Variant("closed".to_owned(), None)))))),
                (false, true) => ok(Some(Val::U64(read.len() as u64))),
                (false, false) => ok(Some(bytes(&read))),
            }
        }
        "io/streams#[method]output-stream.check-write" => ok(Some(Val::U64(WRITE))),
        _ if call.starts_with("io/streams#[method]output-stream.") && call.ends_with("flush") && arguments.len() == 1 => ok(None),
        "io/streams#[method]output-stream.write" | "io/streams#[method]output-stream.blocking-write-and-flush" => {
            let to = which(&mut store, arguments.first())?;
            let Some(Val::List(list)) = arguments.get(1) else { return Ok(ok(None)) };
            charge(&mut store, list.len() as u64)?;
            let written: Vec<u8> = list.iter().map(|byte| if let Val::U8(byte) = byte { *byte } else { 0 }).collect();
            store.data_mut().write(to != STDOUT, &written)?;
            ok(None)
        }
        _ => return Err(Denied(format!("called `wasi:{call}`, which no plugin has")).into()),
    })
}

fn moment(seconds: u64, nanoseconds: u32) -> Val {
    Val::Record(vec![("seconds".to_owned(), Val::U64(seconds)), ("nanoseconds".to_owned(), Val::U32(nanoseconds))])
}
