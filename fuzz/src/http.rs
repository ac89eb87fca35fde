//! HTTP on the loopback interface: a client that keeps its connection, and a server that answers what it is told.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// An answer that takes longer is a finding.
const PATIENCE: Duration = Duration::from_secs(20);

/// Status and body.
pub(crate) type Answer = (u16, Vec<u8>);

/// Requests to one server.
pub(crate) struct Client {
    at: SocketAddr,
    open: Option<BufReader<TcpStream>>,
}

impl Client {
    pub(crate) const fn new(at: SocketAddr) -> Self {
        Self { at, open: None }
    }

    /// The answer; `None` when the server closed the connection without one.
    pub(crate) fn ask(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Option<Answer> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: here\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        // A kept connection may have been closed meanwhile; a new one is tried then.
        for kept in [true, false] {
            let mut connection = match self.open.take() {
                Some(open) if kept => open,
                None if kept => continue,
                _ => connect(self.at),
            };
            let sent = connection.get_mut().write_all(&[head.as_bytes(), body].concat());
            if let Some((answer, stays_open)) = sent.ok().and_then(|()| read_answer(&mut connection)) {
                self.open = stays_open.then_some(connection);
                return Some(answer);
            }
        }
        None
    }
}

fn connect(at: SocketAddr) -> BufReader<TcpStream> {
    let socket = TcpStream::connect(at).expect("the server accepts connections");
    socket.set_nodelay(true).expect("a socket option");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket option");
    BufReader::new(socket)
}

/// Reads an answer, and whether another may follow.
fn read_answer(from: &mut BufReader<TcpStream>) -> Option<(Answer, bool)> {
    let (head, stays_open) = read_head(from)?;
    let status = head.first()?.split(' ').nth(1)?.parse().ok()?;
    if field(&head, "transfer-encoding").is_some() {
        return Some(((status, read_chunks(from)?), stays_open));
    }
    let length = field(&head, "content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    from.read_exact(&mut body).ok()?;
    Some(((status, body), stays_open))
}

fn read_head(from: &mut impl BufRead) -> Option<(Vec<String>, bool)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        let read = from.read_line(&mut line).expect("an answer within the time that any request may take");
        match line.trim_end() {
            _ if read == 0 => return None,
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let closes = field(&lines, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Some((lines, !closes))
}

fn field<'a>(head: &'a [String], name: &str) -> Option<&'a str> {
    let fields = head.iter().filter_map(|line| line.split_once(':'));
    fields.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
}

fn read_chunks(from: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut chunk = vec![0; length + 2];
        from.read_exact(&mut chunk).ok()?;
        chunk.truncate(length);
        body.extend(chunk);
        if length == 0 {
            return Some(body);
        }
    }
}

/// What a hostile server says to a request's body.
pub(crate) type Script = Box<dyn FnMut(&[u8]) -> Answer + Send>;

/// A server whose answers are decided by the current input.
#[derive(Clone)]
pub(crate) struct Hostile {
    pub(crate) at: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl Hostile {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let silent: Script = Box::new(|_| (404, Vec::new()));
        let at = listener.local_addr().expect("a bound socket");
        let server = Self { at, script: Arc::new(Mutex::new(silent)) };
        let accepting = server.clone();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let server = accepting.clone();
                thread::spawn(move || server.serve(socket));
            }
        });
        server
    }

    pub(crate) fn say(&self, script: Script) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = script;
    }

    fn serve(&self, socket: TcpStream) -> Option<()> {
        socket.set_nodelay(true).ok()?;
        let mut reader = BufReader::new(socket);
        loop {
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).ok()? == 0 {
                    return None;
                }
                match line.trim_end() {
                    "" => break,
                    line => head.push(line.to_owned()),
                }
            }
            let length = field(&head, "content-length").and_then(|length| length.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).ok()?;
            let (status, answer) = (self.script.lock().unwrap_or_else(PoisonError::into_inner))(&body);
            let head = format!(
                "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                answer.len()
            );
            reader.get_mut().write_all(&[head.as_bytes(), &answer].concat()).ok()?;
        }
    }
}

/// A runtime for the servers and clients under test.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("threads can be started")
}
