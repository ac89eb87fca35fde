//! Enclaves in this process: the real enclave program on a thread that only ever runs while the simulation waits for it, so
//! the order of things does not depend on the machine.

use crate::{faults::Faults, process::Life, trace::Trace};
use async_trait::async_trait;
use sealwork_enclave::{Host, member_sessions, serve};
use sealwork_ports::{ErrorKind, PortError};
use sealwork_runtime::Engine;
use sealwork_types::{Measurement, enclave_wire::SandboxReport};
use sealwork_worker::{EnclaveLife, LaunchedEnclave, Launcher};
use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    io::{self, Read, Write},
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread::JoinHandle,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// Launches enclaves of one measurement.
pub(crate) struct SimLauncher {
    /// What they measure.
    pub(crate) measurement: Measurement,
    /// The worker that they belong to.
    pub(crate) life: Life,
    /// What goes wrong.
    pub(crate) faults: Faults,
    /// The story.
    pub(crate) trace: Trace,
}

impl fmt::Debug for SimLauncher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimLauncher").field("measurement", &self.measurement).finish_non_exhaustive()
    }
}

#[async_trait]
impl Launcher for SimLauncher {
    fn measurement(&self) -> Measurement {
        self.measurement
    }

    async fn launch(&self, slot: usize) -> Result<LaunchedEnclave, PortError> {
        self.life.point("the launch of an enclave").await;
        self.trace.note(format_args!("an enclave is launched in slot {slot}"));
        let pipe = Arc::new(Pipe::default());
        let inside = Arc::clone(&pipe);
        let engine =
            Engine::new().map_err(|error| PortError::because(ErrorKind::Local, "set up an engine", error))?;
        let thread = std::thread::spawn(move || {
            let ends = (Inside(Arc::clone(&inside)), Inside(Arc::clone(&inside)));
            // The host sees the end of the pipe.
            let _ = serve(&Host::new(ends.0, ends.1), engine, SandboxReport::default(), member_sessions);
            inside.change(|state| state.turn = Turn::Ended);
        });
        let outside = |what| Outside {
            pipe: Arc::clone(&pipe),
            what,
            life: self.life.clone(),
            faults: self.faults.clone(),
            trace: self.trace.clone(),
            pause: None,
        };
        Ok(LaunchedEnclave {
            to_enclave: Box::new(outside("a message to the enclave")),
            from_enclave: Box::new(outside("a message of the enclave")),
            life: Box::new(Thread { pipe, thread: Some(thread) }),
        })
    }
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
    /// The enclave works.
    #[default]
    Enclave,
    /// The enclave waits for a message.
    Host,
    /// The enclave is no more.
    Ended,
}

#[derive(Default)]
struct State {
    inward: VecDeque<u8>,
    outward: VecDeque<u8>,
    turn: Turn,
    /// The host is gone, or has killed the enclave.
    closed: bool,
    reader: Option<Waker>,
}

#[derive(Default)]
struct Pipe {
    state: Mutex<State>,
    changed: Condvar,
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        while condition(&state) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    /// The state when the enclave can do nothing more.
    fn settled(&self) -> MutexGuard<'_, State> {
        self.wait_while(|state| state.turn == Turn::Enclave)
    }

    fn close(&self) {
        let waker = self.change(|state| {
            state.closed = true;
            if state.turn == Turn::Host {
                state.turn = Turn::Enclave;
            }
            state.reader.take()
        });
        waker.into_iter().for_each(Waker::wake);
    }
}

/// The enclave's end.
struct Inside(Arc<Pipe>);

impl Read for Inside {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.lock().inward.is_empty() {
            self.0.change(|state| state.turn = if state.closed { Turn::Enclave } else { Turn::Host });
        }
        let mut state = self.0.wait_while(|state| state.turn == Turn::Host);
        state.inward.read(buffer)
    }
}

impl Write for Inside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        if state.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        state.outward.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The host's end, one for each direction.
struct Outside {
    pipe: Arc<Pipe>,
    what: &'static str,
    life: Life,
    faults: Faults,
    trace: Trace,
    pause: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for Outside {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(pause) = &mut this.pause {
            std::task::ready!(pause.as_mut().poll(cx));
            this.pause = None;
        } else if this.faults.roll(this.faults.rates.enclave_slow) {
            let pause = this.faults.pause(10..=5_000);
            this.trace.note("an enclave is slow");
            this.pause = Some(Box::pin(sleep(pause)));
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut state = this.pipe.settled();
        if state.outward.is_empty() {
            if state.turn == Turn::Ended || state.closed {
                return Poll::Ready(Ok(()));
            }
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = state.outward.len().min(into.remaining());
        let bytes: Vec<u8> = state.outward.drain(..count).collect();
        drop(state);
        this.trace.watch(this.what, &bytes);
        into.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Outside {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.life.passes(self.what) {
            return Poll::Pending;
        }
        if self.faults.roll(self.faults.rates.enclave_dies) {
            self.trace.note("an enclave dies");
            self.pipe.close();
        }
        self.trace.watch(self.what, bytes);
        // The enclave gets its turn when somebody reads.
        let waker = {
            let mut state = self.pipe.settled();
            if state.closed || state.turn == Turn::Ended {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            state.inward.extend(bytes);
            state.turn = Turn::Enclave;
            state.reader.take()
        };
        self.pipe.changed.notify_all();
        waker.unwrap_or_else(|| cx.waker().clone()).wake();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.close();
        Poll::Ready(Ok(()))
    }
}

/// An enclave's thread. It ends when its pipe is closed, and is waited for.
struct Thread {
    pipe: Arc<Pipe>,
    thread: Option<JoinHandle<()>>,
}

#[async_trait]
impl EnclaveLife for Thread {
    fn has_ended(&mut self) -> bool {
        let state = self.pipe.settled();
        state.turn == Turn::Ended || state.closed
    }

    async fn ended(&mut self) -> io::Result<String> {
        poll_fn(|_| if self.has_ended() { Poll::Ready(()) } else { Poll::Pending }).await;
        sleep(Duration::ZERO).await;
        Ok("the end of its thread".into())
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.pipe.close();
        if let Some(thread) = self.thread.take() {
            // It has nothing to wait for any more.
            let _ = thread.join();
        }
    }
}
