//! Drives one run from a fresh instance to its output.

use crate::{
    batch::{BatchInput, BatchOutput, Exit},
    engine::{Engine, Module},
    error::{HostError, RunError},
    process::Process,
    stdin::StdinPort,
    wasi::Ended,
};
use std::{
    io::Read,
    mem,
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use wasmtime::{Store, Trap};

/// Fuel between two looks at the time limit: about 0.3 ms of work, 2 % of cost.
const YIELD_FUEL: u64 = 1_000_000;
/// Exit code of a program that returns from `_start`.
const SUCCESS: i32 = 0;

/// How far a program came.
enum Progress {
    Instantiating(wasmtime::Error),
    Running(wasmtime::Result<()>),
}

impl Engine {
    /// Runs a program in a fresh instance. Nothing of the instance survives.
    ///
    /// Blocks the calling thread until the program ends, at most about `limits.time_ms` beside the time inside
    /// the reader of standard input, which is not the program's. Starts no thread.
    ///
    /// # Errors
    /// [`RunError`] when the input cannot be given to a program or the host fails. Whatever the program does is an
    /// [`Exit`].
    pub fn run(&self, module: &Module, mut input: BatchInput<'_>) -> Result<BatchOutput, RunError> {
        let limits = input.limits;
        let started = Instant::now();
        // A limit beyond the clock's range is no limit in practice; a year keeps the arithmetic safe.
        let time = Duration::from_millis(limits.time_ms).min(Duration::from_secs(366 * 86_400));
        let deadline = started.checked_add(time).unwrap_or(started);
        let mut reader = mem::replace(&mut input.stdin, Box::new(std::io::empty()));
        let port = StdinPort::new();
        let mut store = Store::new(&self.engine, Process::new(input, port.clone(), deadline)?);
        store.limiter(|process| &mut process.limiter);
        let setup = |error| RunError::Setup(HostError::new(error));
        // Instantiation runs none of the program's code, and what it costs differs between hosts.
        store.set_fuel(u64::MAX).map_err(setup)?;
        store.fuel_async_yield_interval(Some(YIELD_FUEL)).map_err(setup)?;
        let progress = drive(execute(&mut store, module, limits.fuel), deadline, &port, &mut *reader);
        let fuel = limits.fuel.saturating_sub(store.get_fuel().map_err(setup)?);
        let exit = match progress {
            None => Exit::TimeLimit,
            Some(progress) => judge(progress, store.data_mut())?,
        };
        Ok(store.into_data().into_output(exit, fuel))
    }
}

async fn execute(store: &mut Store<Process>, module: &Module, fuel: u64) -> Progress {
    let instance = match module.instance.instantiate_async(&mut *store).await {
        Ok(instance) => instance,
        Err(error) => return Progress::Instantiating(error),
    };
    if let Err(error) = store.set_fuel(fuel) {
        return Progress::Instantiating(error);
    }
    store.data_mut().memory = instance.get_memory(&mut *store, "memory");
    match instance.get_typed_func::<(), ()>(&mut *store, "_start") {
        Ok(start) => Progress::Running(start.call_async(store, ()).await),
        Err(error) => Progress::Instantiating(error),
    }
}

/// Polls until the program ends (`Some`) or its time is over (`None`). The program suspends itself every
/// [`YIELD_FUEL`] and for each read of standard input; dropping it unwinds its stack.
fn drive<F: Future>(
    program: F,
    mut deadline: Instant,
    port: &StdinPort,
    reader: &mut dyn Read,
) -> Option<F::Output> {
    let mut program = pin!(program);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = program.as_mut().poll(&mut context) {
            return Some(output);
        }
        deadline = deadline.checked_add(port.serve(reader)).unwrap_or(deadline);
        if Instant::now() >= deadline {
            return None;
        }
    }
}

/// Tells what a program did from what the host did.
fn judge(progress: Progress, process: &mut Process) -> Result<Exit, RunError> {
    let (error, instantiating) = match progress {
        Progress::Running(Ok(())) => return Ok(Exit::Code(SUCCESS)),
        Progress::Running(Err(error)) => (error, false),
        Progress::Instantiating(error) => (error, true),
    };
    if error.is::<Ended>()
        && let Some(end) = process.end.take()
    {
        return Ok(end);
    }
    if process.limiter.host_failed {
        return Err(RunError::Host(HostError::new(error)));
    }
    let refused = process.limiter.memory_refused;
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Ok(Exit::FuelLimit),
        // How a program looks that did not get its memory: `abort`, or a write behind a null pointer.
        Some(Trap::UnreachableCodeReached | Trap::MemoryOutOfBounds) if refused => Ok(Exit::MemoryLimit),
        Some(trap) => Ok(Exit::Trap(trap.to_string())),
        None if instantiating && refused => Ok(Exit::MemoryLimit),
        None => Err(RunError::Host(HostError::new(error))),
    }
}
