//! The service manager's socket: ready, stopping, and signs of life. Nothing happens unless `NOTIFY_SOCKET` is set.

use std::{
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

/// Tells the service manager how this process is.
#[derive(Debug)]
pub(crate) struct Supervisor {
    socket: Option<UnixDatagram>,
    alive: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Connects to the manager that started this process, if one did.
    pub(crate) fn from_environment() -> Self {
        let socket = std::env::var("NOTIFY_SOCKET").ok().and_then(|path| connect(&path));
        Self { socket, alive: None }
    }

    /// Says that the service serves, and from now on regularly that it lives, if the manager wants to know.
    pub(crate) fn ready(&mut self) {
        self.tell("READY=1");
        let Some(period) = watchdog() else { return };
        let Some(socket) = self.socket.as_ref().and_then(|socket| socket.try_clone().ok()) else { return };
        // On the runtime, so that a runtime that stands still is noticed.
        self.alive = Some(tokio::spawn(async move {
            loop {
                // A manager that went away is no reason to stop.
                let _ = socket.send(b"WATCHDOG=1");
                tokio::time::sleep(period).await;
            }
        }));
    }

    /// Says that the service finishes what it has begun.
    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    fn tell(&self, state: &str) {
        if let Some(socket) = &self.socket {
            // A manager that went away is no reason to stop.
            let _ = socket.send(state.as_bytes());
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        if let Some(alive) = &self.alive {
            alive.abort();
        }
    }
}

/// A path, or behind an @ a name in the abstract namespace.
fn connect(path: &str) -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    let address = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name).ok()?,
        None => SocketAddr::from_pathname(path).ok()?,
    };
    socket.connect_addr(&address).ok()?;
    // A manager that does not read must not hold up the service.
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}

/// A third of the time after which the manager takes this process for dead.
fn watchdog() -> Option<Duration> {
    let other = std::env::var("WATCHDOG_PID").is_ok_and(|pid| pid != std::process::id().to_string());
    let micros: u64 = std::env::var("WATCHDOG_USEC").ok()?.parse().ok()?;
    (micros > 0 && !other).then(|| Duration::from_micros(micros / 3))
}
