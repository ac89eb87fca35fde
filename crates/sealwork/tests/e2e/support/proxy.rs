//! A TCP proxy that records every byte in both directions.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// Bytes of one connection in one direction.
type Tape = Arc<Mutex<Vec<u8>>>;

/// Listens on a free port and forwards to one target until the test ends.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    tapes: Arc<Mutex<Vec<Tape>>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    is_cut: Arc<AtomicBool>,
    delay_ms: Arc<AtomicU64>,
}

impl Proxy {
    /// Forwards to a `host:port`.
    pub(crate) fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let tapes: Arc<Mutex<Vec<Tape>>> = Arc::default();
        let (open, is_cut): (Arc<Mutex<Vec<TcpStream>>>, Arc<AtomicBool>) = Default::default();
        let delay_ms: Arc<AtomicU64> = Arc::default();
        let late = Arc::clone(&delay_ms);
        let (target, recorded) = (target.to_owned(), Arc::clone(&tapes));
        let (connected, refusing) = (Arc::clone(&open), Arc::clone(&is_cut));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if refusing.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&target) else { continue };
                connected.lock().unwrap().push(client.try_clone().unwrap());
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let tape = Tape::default();
                    recorded.lock().unwrap().push(Arc::clone(&tape));
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let late = Arc::clone(&late);
                    thread::spawn(move || copy(from, to, &tape, &late));
                }
            }
        });
        Self { address, tapes, open, is_cut, delay_ms }
    }

    /// Ends all connections and takes no new ones.
    pub(crate) fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            // The other side may have closed it already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Takes connections again, and nothing comes late any more.
    pub(crate) fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
        self.delay_ms.store(0, Ordering::SeqCst);
    }

    /// Lets everything come late.
    pub(crate) fn slow(&self, delay: Duration) {
        self.delay_ms.store(u64::try_from(delay.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// What was recorded so far: each connection and direction by itself.
    pub(crate) fn recorded(&self) -> Vec<Vec<u8>> {
        self.tapes.lock().unwrap().iter().map(|tape| tape.lock().unwrap().clone()).collect()
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, tape: &Tape, late: &AtomicU64) {
    let mut buffer = vec![0; 1 << 16];
    // An error is the end of the connection, as it would be without a proxy.
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        tape.lock().unwrap().extend_from_slice(&buffer[..count]);
        thread::sleep(Duration::from_millis(late.load(Ordering::SeqCst)));
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
