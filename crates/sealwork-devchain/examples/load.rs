//! Measures a chain from outside: `cargo run --release -p sealwork-devchain --example load -- URL PID TRANSFERS [CLIENTS]`.
//!
//! Deploys the development token, sends transfers with a block for each, then a thousand transfers into one block,
//! and prints rates and the memory of process PID. Works against any node that knows the development accounts and
//! `evm_setAutomine`.

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, Bytes, TxKind, U256, hex, keccak256};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::{SolCall as _, sol};
use sealwork_devchain::DEV_PRIVATE_KEYS;
use serde_json::{Value, json};
use std::{
    error::Error,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

sol! {
    function mint(address to, uint256 amount);
    function transfer(address to, uint256 amount);
}

/// Recipients of the transfers.
const RECIPIENTS: u64 = 1_000;
/// Transactions in the one large block.
const BLOCK_LENGTH: u64 = 1_000;

fn main() -> Outcome<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [url, pid, transfers, rest @ ..] = arguments.as_slice() else {
        return Err("URL PID TRANSFERS [CLIENTS] are needed".into());
    };
    let clients = rest.first().map_or(Ok(10), |clients| clients.parse())?;
    let host = url.trim_start_matches("http://");
    let mut load = Load::prepare(host)?;
    let transfers: u64 = transfers.parse()?;
    let signed = load.sign(transfers)?;
    let time = send(host, signed, clients)?;
    say(&format!("instant, {clients} clients: {:.0}/s", rate(transfers, time)))?;
    say(&format!("memory after {transfers}: {} MiB", memory(pid)? >> 20))?;
    for _ in 0..3 {
        load.one_block(clients)?;
    }
    say(&format!("memory at the end: {} MiB", memory(pid)? >> 20))
}

struct Load {
    host: String,
    client: Client,
    signers: Vec<(PrivateKeySigner, u64)>,
    token: Address,
    sent: u64,
}

impl Load {
    fn prepare(host: &str) -> Outcome<Self> {
        let mut client = Client::connect(host)?;
        let mut signers = Vec::new();
        for key in &DEV_PRIVATE_KEYS {
            let signer = PrivateKeySigner::from_bytes(key)?;
            let nonce = client.call("eth_getTransactionCount", &json!([signer.address(), "latest"]))?;
            signers.push((signer, number(&nonce)?));
        }
        let artifact = std::fs::read_to_string("contracts/artifacts/DevToken.json")?;
        let artifact: Value = serde_json::from_str(&artifact)?;
        let code = artifact.get("bytecode").ok_or("no bytecode")?;
        let code = code.as_str().or_else(|| code.get("object")?.as_str()).ok_or("no bytecode")?;
        let mut load = Self { host: host.into(), client, signers, token: Address::ZERO, sent: 0 };
        let deployer = load.signers.first().ok_or("no signer")?;
        load.token = deployer.0.address().create(deployer.1);
        let deploy = load.raw(0, TxKind::Create, hex::decode(code)?.into(), 3_000_000)?;
        load.client.call("eth_sendRawTransaction", &json!([deploy]))?;
        for index in 0..load.signers.len() {
            let to = load.signers.get(index).ok_or("no signer")?.0.address();
            let input = mintCall { to, amount: U256::from(1u64 << 60) }.abi_encode();
            let mint = load.raw(0, load.token.into(), input.into(), 100_000)?;
            load.client.call("eth_sendRawTransaction", &json!([mint]))?;
        }
        Ok(load)
    }

    fn raw(&mut self, index: usize, to: TxKind, input: Bytes, gas_limit: u64) -> Outcome<String> {
        let (signer, nonce) = self.signers.get_mut(index).ok_or("no signer")?;
        let tx = TxEip1559 {
            chain_id: 31_337,
            nonce: *nonce,
            gas_limit,
            max_fee_per_gas: 1_000_000_000_000,
            max_priority_fee_per_gas: 1,
            to,
            input,
            ..TxEip1559::default()
        };
        *nonce += 1;
        let signature = signer.sign_hash_sync(&tx.signature_hash())?;
        Ok(hex::encode_prefixed(TxEnvelope::from(tx.into_signed(signature)).encoded_2718()))
    }

    /// Signed transfers of each account in the order of their nonces.
    fn sign(&mut self, count: u64) -> Outcome<Vec<Vec<String>>> {
        let mut signed = vec![Vec::new(); self.signers.len()];
        for _ in 0..count {
            let to = Address::from_word(keccak256((self.sent % RECIPIENTS).to_be_bytes()));
            let input = transferCall { to, amount: U256::from(1) }.abi_encode();
            let index = usize::try_from(self.sent)? % self.signers.len();
            let raw = self.raw(index, self.token.into(), input.into(), 55_000)?;
            signed.get_mut(index).ok_or("no signer")?.push(raw);
            self.sent += 1;
        }
        Ok(signed)
    }

    fn one_block(&mut self, clients: usize) -> Outcome<()> {
        self.client.call("evm_setAutomine", &json!([false]))?;
        let signed = self.sign(BLOCK_LENGTH)?;
        let sending = send(&self.host, signed, clients)?;
        let start = Instant::now();
        self.client.call("evm_mine", &json!([]))?;
        let mining = start.elapsed();
        let block = self.client.call("eth_getBlockByNumber", &json!(["latest", false]))?;
        let length = block.get("transactions").and_then(Value::as_array).map_or(0, Vec::len);
        say(&format!(
            "one block of {length}: sent at {:.0}/s, mined in {mining:?}",
            rate(BLOCK_LENGTH, sending)
        ))?;
        self.client.call("evm_setAutomine", &json!([true]))?;
        Ok(())
    }
}

/// Sends each account's transactions in order, spread over so many connections.
fn send(host: &str, signed: Vec<Vec<String>>, clients: usize) -> Outcome<Duration> {
    let mut shares = vec![Vec::new(); clients];
    for (index, list) in signed.into_iter().enumerate() {
        shares.get_mut(index % clients).ok_or("no client")?.push(list);
    }
    let start = Instant::now();
    let threads: Vec<_> = shares
        .into_iter()
        .map(|share| {
            let host = host.to_owned();
            std::thread::spawn(move || -> Outcome<()> {
                let mut client = Client::connect(&host)?;
                let longest = share.iter().map(Vec::len).max().unwrap_or(0);
                for position in 0..longest {
                    for raw in share.iter().filter_map(|list| list.get(position)) {
                        client.call("eth_sendRawTransaction", &json!([raw]))?;
                    }
                }
                Ok(())
            })
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a client panicked")??;
    }
    Ok(start.elapsed())
}

/// The smallest HTTP client, so that the chain is measured and not the client.
struct Client {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(host: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, host: host.into(), buffer: Vec::new() })
    }

    fn call(&mut self, method: &str, params: &Value) -> Outcome<Value> {
        let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}");
        let head = format!(
            "POST / HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        self.stream.write_all((head + &body).as_bytes())?;
        let body = self.read()?;
        let mut answer: Value = serde_json::from_slice(&body)?;
        if let Some(error) = answer.get("error") {
            return Err(format!("{method}: {error}").into());
        }
        Ok(answer.get_mut("result").map(Value::take).unwrap_or_default())
    }

    fn read(&mut self) -> Outcome<Vec<u8>> {
        let mut chunk = [0; 16_384];
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = std::str::from_utf8(self.buffer.get(..end).unwrap_or_default())?.to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
                let length: usize = length.ok_or("no content-length")?.trim().parse()?;
                let start = end + 4;
                while self.buffer.len() < start + length {
                    let count = self.stream.read(&mut chunk)?;
                    self.buffer.extend(chunk.get(..count).unwrap_or_default());
                }
                let body = self.buffer.get(start..start + length).unwrap_or_default().to_vec();
                self.buffer.drain(..start + length);
                return Ok(body);
            }
            let count = self.stream.read(&mut chunk)?;
            if count == 0 {
                return Err("the connection ended".into());
            }
            self.buffer.extend(chunk.get(..count).unwrap_or_default());
        }
    }
}

fn number(value: &Value) -> Outcome<u64> {
    let text = value.as_str().ok_or("not a quantity")?.trim_start_matches("0x");
    Ok(u64::from_str_radix(text, 16)?)
}

/// Resident memory in bytes.
fn memory(pid: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? << 10)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

fn say(line: &str) -> Outcome<()> {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}
