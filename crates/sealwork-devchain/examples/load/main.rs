//! Puts load on a chain and prints what it measured, one JSON object a line.
//!
//! ```text
//! load start COUNT PROGRAM [ARGUMENT..]              from its start until it answers, so many times
//! load rates TRANSFERS BLOCKS PROGRAM [ARGUMENT..]   transfers a second, and blocks of 1,000 transfers
//! load memory BLOCKS PROGRAM [ARGUMENT..]            resident memory after so many blocks of 1,000 transfers
//! ```
//!
//! It starts the program; `PORT` in an argument stands for a free port. It works with every node that has the
//! development accounts, mines at once, and knows `evm_setAutomine` and `evm_mine`. A transfer counts when it is in a
//! block, whether the node answers before that (anvil) or after (`serve`). Run it in the root of the repository.

mod accounts;
mod client;
mod program;

use accounts::{Accounts, SENDERS, Signed};
use alloy_primitives::Address;
use client::Client;
use program::Program;
use serde_json::{Value, json};
use std::{
    error::Error,
    io::Write as _,
    thread,
    time::{Duration, Instant},
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Transactions in a large block. The first of them gives every recipient a balance.
const BLOCK_LENGTH: u64 = accounts::RECIPIENTS;
/// Transactions after which a sender waits until they are in a block, as a program does that reads receipts. Without it a
/// node that answers before it makes the block is measured with ever more waiting transactions.
const WINDOW: usize = 20;
/// Longest time for one batch of transfers; a chain that needs more is not measured.
const PATIENCE: Duration = Duration::from_secs(150);

fn main() -> Outcome<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["start", count, program @ ..] => start(count.parse()?, program),
        ["rates", transfers, blocks, program @ ..] => rates(transfers.parse()?, blocks.parse()?, program),
        ["memory", blocks, program @ ..] => memory(blocks.parse()?, program),
        _ => Err("start COUNT, rates TRANSFERS BLOCKS or memory BLOCKS is needed, then a program".into()),
    }
}

fn start(count: u32, program: &[&str]) -> Outcome<()> {
    let samples: Outcome<Vec<_>> =
        (0..count).map(|_| Ok(milliseconds(Program::start(program)?.startup()))).collect();
    report("start-up", "ms", &samples?)
}

fn rates(transfers: u64, blocks: u32, program: &[&str]) -> Outcome<()> {
    let program = Program::start(program)?;
    let mut load = Load::prepare(&program)?;
    let before = load.height()?;
    let time = load.transfers(transfers)?;
    report("transfers", "/s", &[rate(transfers, time)])?;
    report("transfers a block", "", &[quotient(transfers, load.height()?.saturating_sub(before))])?;
    let (mut together, mut making) = (Vec::new(), Vec::new());
    for _ in 0..blocks {
        let (total, block) = load.one_block()?;
        together.push(rate(BLOCK_LENGTH, total));
        making.push(milliseconds(block));
    }
    report("transfers in blocks of 1,000", "/s", &together)?;
    report("make a block of 1,000", "ms", &making)?;
    load.check()
}

fn memory(blocks: u32, program: &[&str]) -> Outcome<()> {
    let program = Program::start(program)?;
    let mut load = Load::prepare(&program)?;
    for _ in 1..blocks {
        load.one_block()?;
    }
    report("memory", "MiB", &[quotient(program.memory()?, 1 << 20)])?;
    load.check()
}

/// A chain with the token, and who sends it.
struct Load<'a> {
    host: &'a str,
    client: Client,
    accounts: Accounts,
}

impl<'a> Load<'a> {
    fn prepare(program: &'a Program) -> Outcome<Self> {
        let mut client = Client::connect(program.host())?;
        let artifact: Value =
            serde_json::from_str(&std::fs::read_to_string("contracts/artifacts/DevToken.json")?)?;
        let code = artifact.get("bytecode").ok_or("no bytecode")?;
        let code = code.as_str().or_else(|| code.get("object")?.as_str()).ok_or("no bytecode")?;
        let (accounts, first) = Accounts::new(code)?;
        for raw in first {
            client.call("eth_sendRawTransaction", &json!([raw]))?;
        }
        let mut load = Self { host: program.host(), client, accounts };
        load.settle()?;
        load.one_block()?;
        Ok(load)
    }

    /// Sends transfers; the time until the last is in a block.
    fn transfers(&mut self, count: u64) -> Outcome<Duration> {
        let signed = self.accounts.transfers(count)?;
        let start = Instant::now();
        send(self.host, signed, WINDOW)?;
        self.settle()?;
        Ok(start.elapsed())
    }

    /// Sends a thousand transfers and makes one block of them; the time of both, and of the block alone.
    fn one_block(&mut self) -> Outcome<(Duration, Duration)> {
        self.client.call("evm_setAutomine", &json!([false]))?;
        let signed = self.accounts.transfers(BLOCK_LENGTH)?;
        let start = Instant::now();
        send(self.host, signed, usize::MAX)?;
        let sent = Instant::now();
        self.client.call("evm_mine", &json!([]))?;
        self.settle()?;
        let end = Instant::now();
        let block = self.client.call("eth_getBlockByNumber", &json!(["latest", false]))?;
        let length = block.get("transactions").and_then(Value::as_array).map_or(0, Vec::len);
        if u64::try_from(length)? != BLOCK_LENGTH {
            return Err(format!("the block has {length} transactions instead of {BLOCK_LENGTH}").into());
        }
        self.client.call("evm_setAutomine", &json!([true]))?;
        Ok((end - start, end - sent))
    }

    /// Waits until everything that was sent is in a block.
    fn settle(&mut self) -> Outcome<()> {
        let nonces = self.accounts.nonces();
        nonces.into_iter().try_for_each(|(sender, nonce)| mined(&mut self.client, sender, nonce))
    }

    fn height(&mut self) -> Outcome<u64> {
        client::quantity(&self.client.call("eth_blockNumber", &json!([]))?)
    }

    /// No transfer failed: the senders own what they did not send.
    fn check(&mut self) -> Outcome<()> {
        for (call, expected) in self.accounts.balances() {
            let answer = self.client.call("eth_call", &json!([call, "latest"]))?;
            if answer.as_str() != Some(expected.as_str()) {
                return Err(format!("a sender has {answer} of the token instead of {expected}").into());
            }
        }
        Ok(())
    }
}

/// Waits until so many transactions of an account are in blocks.
fn mined(client: &mut Client, sender: Address, nonce: u64) -> Outcome<()> {
    let end = Instant::now() + PATIENCE;
    let params = json!([sender, "latest"]);
    while client::quantity(&client.call("eth_getTransactionCount", &params)?)? < nonce {
        if Instant::now() > end {
            return Err("transfers wait for ever".into());
        }
        thread::sleep(Duration::from_micros(500));
    }
    Ok(())
}

/// Sends the transactions of every account in order, each account over a connection of its own, never more than `window`
/// that are in no block.
fn send(host: &str, signed: [Signed; SENDERS], window: usize) -> Outcome<()> {
    thread::scope(|scope| {
        let clients = signed.map(|list| scope.spawn(move || send_one(host, &list, window)));
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| "a client panicked")?)
    })
}

fn send_one(host: &str, signed: &Signed, window: usize) -> Outcome<()> {
    let end = Instant::now() + PATIENCE;
    let mut client = Client::connect(host)?;
    let mut nonce = signed.first_nonce;
    for share in signed.raw.chunks(window) {
        for raw in share {
            client.call("eth_sendRawTransaction", &json!([raw]))?;
            nonce += 1;
        }
        if share.len() == window {
            mined(&mut client, signed.sender, nonce)?;
        }
        if Instant::now() > end {
            return Err("the chain is too slow to be measured".into());
        }
    }
    Ok(())
}

fn report(name: &str, unit: &str, samples: &[f64]) -> Outcome<()> {
    writeln!(std::io::stdout(), "{}", json!({ "name": name, "unit": unit, "samples": samples }))?;
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn quotient(count: u64, parts: u64) -> f64 {
    count as f64 / parts as f64
}
