//! The smallest HTTP client, so that the chain is measured and not the client.

use crate::Outcome;
use serde_json::Value;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

/// A connection that stays open.
pub(crate) struct Client {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(host: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, host: host.into(), buffer: Vec::new() })
    }

    /// The result of a request; its error is an error.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Outcome<Value> {
        let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}");
        let head = format!(
            "POST / HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        self.stream.write_all((head + &body).as_bytes())?;
        let mut answer: Value = serde_json::from_slice(&self.body()?)?;
        if let Some(error) = answer.get("error") {
            return Err(format!("{method}: {error}").into());
        }
        Ok(answer.get_mut("result").map(Value::take).unwrap_or_default())
    }

    fn body(&mut self) -> Outcome<Vec<u8>> {
        let start = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.read()?;
        };
        let head = std::str::from_utf8(self.buffer.get(..start).unwrap_or_default())?.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let end = start + length.ok_or("no content-length")?.trim().parse::<usize>()?;
        while self.buffer.len() < end {
            self.read()?;
        }
        let body = self.buffer.get(start..end).unwrap_or_default().to_vec();
        self.buffer.drain(..end);
        Ok(body)
    }

    fn read(&mut self) -> Outcome<()> {
        let mut chunk = [0; 16_384];
        let count = self.stream.read(&mut chunk)?;
        if count == 0 {
            return Err("the connection ended".into());
        }
        self.buffer.extend(chunk.get(..count).unwrap_or_default());
        Ok(())
    }
}

/// A number as JSON-RPC writes it.
pub(crate) fn quantity(value: &Value) -> Outcome<u64> {
    let text = value.as_str().and_then(|text| text.strip_prefix("0x")).ok_or("not a quantity")?;
    Ok(u64::from_str_radix(text, 16)?)
}
