//! WASI preview 1 in memory: no host file, socket, clock or random source is behind any of these functions.
//!
//! [`offer`] names every function once; the modules below implement them on [`Process`].
#![expect(clippy::too_many_arguments, reason = "the signatures are those of WASI preview 1")]

mod descriptor;
mod environment;
mod errno;
mod guest;
mod path;
mod poll;
mod readdir;
mod stream;

pub(crate) use errno::{Errno, Fail};

use crate::process::Process;
use guest::{Buffer, Guest};
use std::{collections::BTreeSet, time::Instant};
use stream::Read;
use wasmtime::{Caller, Extern, Linker, Trap};

/// Module name of every import.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";
/// Fuel that any call costs; the work of a call beside its bytes is about this many instructions.
const CALL_FUEL: u64 = 100;
/// Bytes moved for one unit of fuel.
const BYTES_PER_FUEL: u64 = 16;

/// Result of one call.
type Answer = Result<(), Fail>;

/// Marks an error whose reason stands in [`Process::end`].
#[derive(Debug, thiserror::Error)]
#[error("the run has ended")]
pub(crate) struct Ended;

/// Runs one call: charges its fuel, checks the deadline, and turns its answer into an error number or the end.
fn enter(
    caller: &mut Caller<'_, Process>,
    call: impl FnOnce(&mut Guest<'_>, &mut Process) -> Answer,
) -> wasmtime::Result<u32> {
    let memory = match caller.data().memory {
        Some(memory) => memory,
        None => caller.get_export("memory").and_then(Extern::into_memory).ok_or(Ended)?,
    };
    let (bytes, process) = memory.data_and_store_mut(&mut *caller);
    process.memory = Some(memory);
    process.owed_fuel = CALL_FUEL;
    let answer = call(&mut Guest::new(bytes), process);
    let (owed, late) = (process.owed_fuel, Instant::now() >= process.deadline);
    pay(caller, owed)?;
    let end = match answer {
        Ok(()) if !late => return Ok(Errno::SUCCESS.0),
        Err(Fail::Errno(errno)) if !late => return Ok(errno.0),
        Ok(()) | Err(Fail::Errno(_)) => crate::Exit::TimeLimit,
        Err(Fail::End(exit)) => exit,
    };
    caller.data_mut().end = Some(end);
    Err(Ended.into())
}

/// Takes the price of a call from the program's fuel.
fn pay(caller: &mut Caller<'_, Process>, owed: u64) -> wasmtime::Result<()> {
    let left = caller.get_fuel()?;
    caller.set_fuel(left.saturating_sub(owed))?;
    if left < owed && caller.data().end.is_none() {
        return Err(Trap::OutOfFuel.into());
    }
    Ok(())
}

impl Process {
    /// Makes the current call pay for the bytes it moves.
    fn owe_for(&mut self, bytes: u32) {
        self.owed_fuel = self.owed_fuel.saturating_add(u64::from(bytes) / BYTES_PER_FUEL);
    }
}

/// Functions being offered.
struct Offer<'l> {
    linker: &'l mut Linker<Process>,
    names: BTreeSet<&'static str>,
}

/// `offer!(offer, { name(args) => method; })`: the method gets the guest's memory and the arguments.
macro_rules! offer {
    ($offer:ident, { $($name:ident($($arg:ident: $ty:ty),*) => $method:expr;)* }) => {
        $(
            $offer.linker.func_wrap(
                MODULE,
                stringify!($name),
                |mut caller: Caller<'_, Process>, $($arg: $ty),*| -> wasmtime::Result<u32> {
                    enter(&mut caller, |guest, process| {
                        let method: fn(&mut Process, &mut Guest<'_>, $($ty),*) -> Answer = $method;
                        method(process, guest, $($arg),*)
                    })
                },
            )?;
            $offer.names.insert(stringify!($name));
        )*
    };
}

/// Defines every offered function, and returns their names.
pub(crate) fn offer(linker: &mut Linker<Process>) -> wasmtime::Result<BTreeSet<&'static str>> {
    let mut offer = Offer { linker, names: BTreeSet::new() };
    offer_environment(&mut offer)?;
    offer_descriptors(&mut offer)?;
    offer_streams(&mut offer)?;
    offer_paths(&mut offer)?;
    offer_sockets(&mut offer)?;
    Ok(offer.names)
}

fn offer_environment(offer: &mut Offer<'_>) -> wasmtime::Result<()> {
    offer!(offer, {
        args_get(list: u32, text: u32) => Process::args_get;
        args_sizes_get(count: u32, bytes: u32) => Process::args_sizes_get;
        environ_get(list: u32, text: u32) => Process::environ_get;
        environ_sizes_get(count: u32, bytes: u32) => Process::environ_sizes_get;
        clock_res_get(id: u32, resolution: u32) => Process::clock_res_get;
        clock_time_get(id: u32, precision: u64, time: u32) => Process::clock_time_get;
        random_get(address: u32, len: u32) => Process::random_get;
        poll_oneoff(subscriptions: u32, events: u32, count: u32, ready: u32) => Process::poll_oneoff;
        proc_raise(signal: u32) => Process::proc_raise;
        sched_yield() => Process::sched_yield;
    });
    offer.linker.func_wrap(MODULE, "proc_exit", |mut caller: Caller<'_, Process>, code: i32| {
        enter(&mut caller, |_, _| Err(Fail::End(crate::Exit::Code(code)))).map(|_| ())
    })?;
    offer.names.insert("proc_exit");
    Ok(())
}

fn offer_descriptors(offer: &mut Offer<'_>) -> wasmtime::Result<()> {
    offer!(offer, {
        fd_advise(fd: u32, start: u64, len: u64, advice: u32) => Process::fd_advise;
        fd_allocate(fd: u32, start: u64, len: u64) => Process::fd_allocate;
        fd_close(fd: u32) => Process::fd_close;
        fd_datasync(fd: u32) => Process::fd_sync;
        fd_fdstat_get(fd: u32, stat: u32) => Process::fd_fdstat_get;
        fd_fdstat_set_flags(fd: u32, flags: u32) => Process::fd_fdstat_set_flags;
        fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64) => Process::fd_fdstat_set_rights;
        fd_filestat_get(fd: u32, stat: u32) => Process::fd_filestat_get;
        fd_filestat_set_size(fd: u32, len: u64) => Process::fd_filestat_set_size;
        fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32) => Process::fd_filestat_set_times;
        fd_prestat_get(fd: u32, stat: u32) => Process::fd_prestat_get;
        fd_prestat_dir_name(fd: u32, address: u32, len: u32) => Process::fd_prestat_dir_name;
        fd_readdir(fd: u32, address: u32, len: u32, cookie: u64, used: u32) => Process::fd_readdir;
        fd_renumber(from: u32, to: u32) => Process::fd_renumber;
        fd_sync(fd: u32) => Process::fd_sync;
    });
    Ok(())
}

fn offer_streams(offer: &mut Offer<'_>) -> wasmtime::Result<()> {
    offer!(offer, {
        fd_pread(fd: u32, list: u32, count: u32, start: u64, read: u32) => Process::fd_pread;
        fd_pwrite(fd: u32, list: u32, count: u32, start: u64, written: u32) => Process::fd_pwrite;
        fd_seek(fd: u32, by: i64, whence: u32, position: u32) => Process::fd_seek;
        fd_tell(fd: u32, position: u32) => Process::fd_tell;
        fd_write(fd: u32, list: u32, count: u32, written: u32) => Process::fd_write;
    });
    offer.linker.func_wrap_async(
        MODULE,
        "fd_read",
        |caller: Caller<'_, Process>, (fd, list, count, read): (u32, u32, u32, u32)| {
            Box::new(fd_read(caller, fd, Buffer { address: list, len: count }, read))
        },
    )?;
    offer.names.insert("fd_read");
    Ok(())
}

/// Reads from a file at once; a read of standard input suspends the program.
async fn fd_read(mut caller: Caller<'_, Process>, fd: u32, list: Buffer, read: u32) -> wasmtime::Result<u32> {
    let mut next = Read::Done;
    let errno = enter(&mut caller, |guest, process| {
        next = process.fd_read(guest, fd, list, read)?;
        Ok(())
    })?;
    let Read::Stdin(buffer) = next else { return Ok(errno) };
    let port = caller.data().stdin.clone();
    let count = port.read(crate::convert::to_usize(buffer.len)).await;
    enter(&mut caller, |guest, process| process.finish_stdin(guest, buffer, count, read))
}

fn offer_paths(offer: &mut Offer<'_>) -> wasmtime::Result<()> {
    offer!(offer, {
        path_create_directory(fd: u32, path: u32, len: u32) => Process::path_create_directory;
        path_filestat_get(fd: u32, look: u32, path: u32, len: u32, stat: u32) => Process::path_filestat_get;
        path_filestat_set_times(fd: u32, look: u32, path: u32, len: u32, accessed: u64, modified: u64, flags: u32)
            => Process::path_filestat_set_times;
        path_link(from: u32, look: u32, path: u32, len: u32, to: u32, new: u32, new_len: u32) => Process::path_link;
        path_open(fd: u32, look: u32, path: u32, len: u32, how: u32, base: u64, inherit: u64, flags: u32, opened: u32)
            => Process::path_open;
        path_readlink(fd: u32, path: u32, len: u32, text: u32, text_len: u32, used: u32) => Process::path_readlink;
        path_remove_directory(fd: u32, path: u32, len: u32) => Process::path_remove_directory;
        path_rename(from: u32, path: u32, len: u32, to: u32, new: u32, new_len: u32) => Process::path_rename;
        path_symlink(text: u32, text_len: u32, fd: u32, path: u32, len: u32) => Process::path_symlink;
        path_unlink_file(fd: u32, path: u32, len: u32) => Process::path_unlink_file;
    });
    Ok(())
}

fn offer_sockets(offer: &mut Offer<'_>) -> wasmtime::Result<()> {
    offer!(offer, {
        sock_accept(_fd: u32, _flags: u32, _new: u32) => |_, _, _, _, _| Err(Errno::NOTSUP.into());
        sock_recv(_fd: u32, _list: u32, _count: u32, _how: u32, _read: u32, _flags: u32)
            => |_, _, _, _, _, _, _, _| Err(Errno::NOTSUP.into());
        sock_send(_fd: u32, _list: u32, _count: u32, _how: u32, _sent: u32)
            => |_, _, _, _, _, _, _| Err(Errno::NOTSUP.into());
        sock_shutdown(_fd: u32, _how: u32) => |_, _, _, _| Err(Errno::NOTSUP.into());
    });
    Ok(())
}
