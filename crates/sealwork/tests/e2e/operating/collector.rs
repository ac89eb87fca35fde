//! An OpenTelemetry collector that keeps what it gets.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A collector on a free port, until the test ends.
pub(super) struct Collector {
    pub(super) url: String,
    bodies: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let bodies: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = Arc::clone(&bodies);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { url, bodies }
    }

    /// Name and parent of every span of a service in a trace.
    pub(super) fn spans(&self, service: &str, trace: &str) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let bodies = self.bodies.lock().unwrap();
        let resources = bodies.iter().flat_map(|body| body["resourceSpans"].as_array().unwrap());
        resources
            .filter(|found| found["resource"]["attributes"][0]["value"]["stringValue"] == service)
            .flat_map(|found| found["scopeSpans"][0]["spans"].as_array().unwrap())
            .filter(|span| span["traceId"] == trace)
            .inspect(|span| {
                let time = |field: &str| text(&span[field]).parse::<u128>().unwrap();
                assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"), "{span}");
                assert_eq!(text(&span["spanId"]).len(), 16, "{span}");
            })
            .map(|span| (text(&span["name"]), text(&span["parentSpanId"])))
            .collect()
    }
}

/// Takes requests one after the other from a connection.
fn serve(stream: TcpStream, kept: &Mutex<Vec<Value>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let (mut length, mut path, mut line) = (0, String::new(), String::new());
        while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if path.is_empty() {
                path.clone_from(&line);
            }
            line.clear();
        }
        if path.is_empty() {
            return;
        }
        assert!(path.starts_with("POST /v1/traces "), "{path}");
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        kept.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
    }
}
