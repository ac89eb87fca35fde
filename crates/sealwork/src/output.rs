//! What people and programs read on standard output: text, or with `--json` one object a line.

use serde_json::Value;
use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

/// Where results go. Progress and hints of text mode go to standard error, so that standard output holds the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    color: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        let color = !json && std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { json, color }
    }

    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// The answer of a command: an object in JSON mode, text otherwise.
    pub(crate) fn answer(&self, object: &Value, text: impl FnOnce() -> String) {
        let line = if self.json { object.to_string() } else { text() };
        self.write_out(line.as_bytes());
        self.write_out(b"\n");
    }

    /// Bytes of a program's output, text mode only.
    pub(crate) fn raw(&self, bytes: &[u8]) {
        self.write_out(bytes);
    }

    /// Something that happens on the way.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            self.write_err(text);
        }
    }

    /// A reached step: how long it took and when it was reached. An object in JSON mode.
    pub(crate) fn step(&self, name: &str, took: Duration, elapsed: Duration, detail: &str) {
        let milliseconds = |time: Duration| (time.as_secs_f64() * 10_000.0).round() / 10.0;
        let (took, at) = (milliseconds(took), milliseconds(elapsed));
        if self.json {
            let object = serde_json::json!({ "step": name, "ms": took, "at_ms": at, "detail": detail });
            self.write_out(format!("{object}\n").as_bytes());
        } else {
            let mark = if self.color { "\u{1b}[32m✓\u{1b}[0m" } else { "✓" };
            self.write_err(&format!("  {mark} {name:<10} {took:>8.1} ms   at {at:>8.1} ms   {detail}"));
        }
    }

    /// A failed command.
    pub(crate) fn failure(&self, code: u8, message: &str, causes: &[String], hint: Option<&str>) {
        if self.json {
            let object =
                serde_json::json!({ "error": message, "causes": causes, "hint": hint, "code": code });
            self.write_out(format!("{object}\n").as_bytes());
            return;
        }
        let (red, plain) = if self.color { ("\u{1b}[31m", "\u{1b}[0m") } else { ("", "") };
        self.write_err(&format!("{red}error{plain}: {message}"));
        for cause in causes {
            self.write_err(&format!("  because: {cause}"));
        }
        if let Some(hint) = hint {
            self.write_err(&format!("hint: {hint}"));
        }
    }

    fn write_out(&self, bytes: &[u8]) {
        // A closed pipe (`| head`) is no reason to fail.
        let _ = std::io::stdout().lock().write_all(bytes);
    }

    fn write_err(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}
