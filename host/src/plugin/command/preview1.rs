//! The empty room for modules: WASI preview1 with stdin, stdout, stderr, a clock and random numbers, and nothing behind the rest.
//!
//! What is not here answers "bad file descriptor", which is what a program without files finds. Host work is paid in fuel, a unit
//! a byte, so that a guest cannot have the host work for nothing.

use wasmtime::{Caller, Extern, Linker, Module, Trap, Val};

use super::Exit;
use crate::plugin::services::Room;

const PREVIEW1: &str = "wasi_snapshot_preview1";
/// "Success", "bad file descriptor" and "fault" of preview1.
const OK: i32 = 0;
const BADF: i32 = 8;
const FAULT: i32 = 21;
/// Most pieces of one read or write, as POSIX has it; the guest goes on with the rest.
const PIECES: u32 = 1_024;
/// Size of a subscription and of an event of `poll_oneoff`.
const SUBSCRIPTION: u32 = 48;
const EVENT: u32 = 32;

type Guest<'a> = Caller<'a, Room>;
type Said = wasmtime::Result<i32>;

/// Links what `module` imports.
///
/// # Errors
/// When it imports a function of preview1 with a wrong type.
pub(super) fn linker(module: &Module) -> wasmtime::Result<Linker<Room>> {
    let mut linker = Linker::new(module.engine());
    linker
        .func_wrap(PREVIEW1, "args_sizes_get", none)?
        .func_wrap(PREVIEW1, "environ_sizes_get", none)?
        .func_wrap(PREVIEW1, "args_get", |_: i32, _: i32| OK)?
        .func_wrap(PREVIEW1, "environ_get", |_: i32, _: i32| OK)?
        .func_wrap(PREVIEW1, "sched_yield", || OK)?
        .func_wrap(PREVIEW1, "clock_res_get", |mut guest: Guest<'_>, _: i32, at: u32| put(&mut guest, at, &1_000u64.to_le_bytes()))?
        .func_wrap(PREVIEW1, "clock_time_get", |mut guest: Guest<'_>, _: i32, _: i64, at: u32| {
            let nanos = guest.data_mut().nanos();
            put(&mut guest, at, &nanos.to_le_bytes())
        })?
        .func_wrap(PREVIEW1, "random_get", random)?
        .func_wrap(PREVIEW1, "fd_read", read)?
        .func_wrap(PREVIEW1, "fd_write", write)?
        .func_wrap(PREVIEW1, "fd_fdstat_get", stat)?
        .func_wrap(PREVIEW1, "poll_oneoff", poll)?
        .func_wrap(PREVIEW1, "proc_exit", |code: i32| -> wasmtime::Result<()> { Err(Exit(code).into()) })?;
    // A module may import one function twice.
    linker.allow_shadowing(true);
    for import in module.imports().filter(|import| import.module() == PREVIEW1 && !KNOWN.contains(&import.name())) {
        if let Some(ty) = import.ty().func() {
            linker.func_new(PREVIEW1, import.name(), ty.clone(), |_, _, results| {
                for result in results {
                    *result = Val::I32(BADF);
                }
                Ok(())
            })?;
        }
    }
    Ok(linker)
}

/// What is really there.
const KNOWN: [&str; 13] = [
    "args_sizes_get",
    "environ_sizes_get",
    "args_get",
    "environ_get",
    "sched_yield",
    "clock_res_get",
    "clock_time_get",
    "random_get",
    "fd_read",
    "fd_write",
    "fd_fdstat_get",
    "poll_oneoff",
    "proc_exit",
];

/// Takes fuel for work that the host does.
fn charge(guest: &mut Guest<'_>, units: u64) -> wasmtime::Result<()> {
    let left = guest.get_fuel()?.checked_sub(units);
    guest.set_fuel(left.unwrap_or(0))?;
    left.map(|_| ()).ok_or_else(|| Trap::OutOfFuel.into())
}

/// The guest's memory beside its room; none in a module that exports none.
fn memory<'a>(guest: &'a mut Guest<'_>) -> Option<(&'a mut [u8], &'a mut Room)> {
    let Some(Extern::Memory(memory)) = guest.get_export("memory") else { return None };
    Some(memory.data_and_store_mut(guest))
}

fn slice(memory: &mut [u8], at: u32, length: u32) -> Option<&mut [u8]> {
    memory.get_mut(at as usize..)?.get_mut(..length as usize)
}

fn word(memory: &[u8], at: u32) -> Option<u32> {
    let bytes = memory.get(at as usize..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes))
}

fn put(guest: &mut Guest<'_>, at: u32, bytes: &[u8]) -> i32 {
    let place = memory(guest).and_then(|(memory, _)| slice(memory, at, bytes.len() as u32));
    place.map_or(FAULT, |place| {
        place.copy_from_slice(bytes);
        OK
    })
}

fn none(mut guest: Guest<'_>, count: u32, size: u32) -> i32 {
    put(&mut guest, count, &[0; 4]).max(put(&mut guest, size, &[0; 4]))
}

fn random(mut guest: Guest<'_>, at: u32, length: u32) -> Said {
    charge(&mut guest, length.into())?;
    let Some((memory, room)) = memory(&mut guest) else { return Ok(FAULT) };
    let Some(place) = slice(memory, at, length) else { return Ok(FAULT) };
    for chunk in place.chunks_mut(8) {
        chunk.copy_from_slice(&room.pipes.random().to_le_bytes()[..chunk.len()]);
    }
    Ok(OK)
}

/// Calls `each` for every piece that the list of pieces names, until it says that it was the last; gives the bytes done.
fn pieces(
    guest: &mut Guest<'_>,
    list: u32,
    count: u32,
    mut each: impl FnMut(&mut [u8], &mut Room) -> wasmtime::Result<(u32, bool)>,
) -> wasmtime::Result<Option<u32>> {
    let count = count.min(PIECES);
    charge(guest, count.into())?;
    let mut done = 0u32;
    for at in 0..count {
        let size = {
            let Some((memory, room)) = memory(guest) else { return Ok(None) };
            let entry = list.checked_add(at.saturating_mul(8));
            let place = entry.and_then(|entry| Some((word(memory, entry)?, word(memory, entry.checked_add(4)?)?)));
            let Some(piece) = place.and_then(|(start, length)| slice(memory, start, length)) else { return Ok(None) };
            let (size, last) = each(piece, room)?;
            done = done.saturating_add(size);
            if last {
                charge(guest, size.into())?;
                break;
            }
            size
        };
        charge(guest, size.into())?;
    }
    Ok(Some(done))
}

fn read(mut guest: Guest<'_>, file: i32, list: u32, count: u32, out: u32) -> Said {
    if file != 0 {
        return Ok(BADF);
    }
    let done = pieces(&mut guest, list, count, |piece, room| {
        let bytes = room.pipes.take(piece.len());
        piece[..bytes.len()].copy_from_slice(bytes);
        Ok((bytes.len() as u32, bytes.len() < piece.len()))
    })?;
    Ok(done.map_or(FAULT, |done| put(&mut guest, out, &done.to_le_bytes())))
}

fn write(mut guest: Guest<'_>, file: i32, list: u32, count: u32, out: u32) -> Said {
    if !matches!(file, 1 | 2) {
        return Ok(BADF);
    }
    let done = pieces(&mut guest, list, count, |piece, room| {
        room.write(file == 2, piece)?;
        Ok((piece.len() as u32, false))
    })?;
    Ok(done.map_or(FAULT, |done| put(&mut guest, out, &done.to_le_bytes())))
}

/// The three streams look like a terminal, which no runtime wants to seek in.
fn stat(mut guest: Guest<'_>, file: i32, at: u32) -> i32 {
    if !(0..=2).contains(&file) {
        return BADF;
    }
    let mut stat = [0xff; 24];
    stat[..8].copy_from_slice(&2u64.to_le_bytes());
    put(&mut guest, at, &stat)
}

/// Everything that is waited for has come: nobody sleeps here.
fn poll(mut guest: Guest<'_>, from: u32, to: u32, count: u32, out: u32) -> Said {
    charge(&mut guest, u64::from(count) * u64::from(EVENT))?;
    let Some((memory, _)) = memory(&mut guest) else { return Ok(FAULT) };
    for at in 0..count {
        let subscription = from.checked_add(at.saturating_mul(SUBSCRIPTION)).and_then(|at| slice(memory, at, SUBSCRIPTION));
        let Some(subscription) = subscription else { return Ok(FAULT) };
        let mut event = [0; EVENT as usize];
        event[..8].copy_from_slice(&subscription[..8]);
        event[10] = subscription[8];
        let place = to.checked_add(at.saturating_mul(EVENT)).and_then(|at| slice(memory, at, EVENT));
        let Some(place) = place else { return Ok(FAULT) };
        place.copy_from_slice(&event);
    }
    Ok(put(&mut guest, out, &count.to_le_bytes()))
}
