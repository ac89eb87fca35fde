//! JSON-RPC requests to the embedded chain: whole texts, methods with changed parameters, raw transactions, bytecode.

use crate::{
    http::{Client, runtime},
    json::changed,
    memory::bounded,
    seeds::{Seed, chosen},
};
use alloy_primitives::hex;
use arbitrary::{Result, Unstructured};
use sealwork_devchain::{Config, Devchain, Handle};
use serde_json::{Value, json};
use std::sync::{LazyLock, Mutex};
use tokio::runtime::Runtime;

const METHODS: &str = include_str!("../../crates/sealwork-devchain/methods.txt");
const ALICE: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const BOB: &str = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
/// Requests after which the chain is made anew: what it keeps grows.
const REQUESTS: u32 = 500;
/// A trace or an answer may be large; a request of some kilobytes may not take more than this.
const MEMORY: usize = 512 << 20;
/// Enough for every opcode, too little to keep the machine busy.
const GAS: &str = "0x7a120";

struct World {
    runtime: Runtime,
    handle: Option<Handle>,
    client: Client,
    asked: u32,
}

static WORLD: LazyLock<Mutex<World>> = LazyLock::new(|| {
    let runtime = runtime();
    let handle = start(&runtime);
    let client = Client::new(handle.address());
    Mutex::new(World { runtime, handle: Some(handle), client, asked: 0 })
});

fn start(runtime: &Runtime) -> Handle {
    let config = Config { gas_limit: 1_000_000, ..Config::default() };
    let chain = Devchain::open(&config).expect("a chain in memory");
    runtime.block_on(chain.start()).expect("a free port")
}

impl World {
    fn refresh(&mut self) {
        self.asked += 1;
        if self.asked >= REQUESTS {
            self.asked = 0;
            if let Some(old) = self.handle.take() {
                self.client = Client::new(old.address());
                self.runtime.block_on(old.stop());
            }
            let handle = start(&self.runtime);
            self.client = Client::new(handle.address());
            self.handle = Some(handle);
        }
    }

    fn post(&mut self, body: &[u8]) -> Option<(u16, Vec<u8>)> {
        self.client.ask("POST", "/", "Content-Type: application/json\r\n", body)
    }

    /// An answer to a well-formed request: a result or an error, never both, never silence.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let text = request.to_string();
        let (status, body) = self.post(text.as_bytes()).unwrap_or_else(|| panic!("no answer to {text}"));
        assert_eq!(status, 200, "{request}");
        let answer: Value = serde_json::from_slice(&body).expect("an answer in JSON");
        check(&answer, &request);
        answer
    }
}

fn check(answer: &Value, request: &Value) {
    let error = &answer["error"];
    assert!(answer.get("result").is_some() != error["code"].is_i64(), "{request}: {answer}");
    // What jsonrpsee says when a method panicked or its answer could not be written.
    assert_ne!(error["code"], -32_603, "{request}: {answer}");
}

pub fn run(data: &[u8]) {
    let Ok(mut world) = WORLD.lock() else { return };
    let world = &mut *world;
    world.refresh();
    let Some((kind, rest)) = data.split_first() else { return };
    bounded(MEMORY, || match kind % 4 {
        0 => text(world, rest),
        1 => drop(method(world, rest)),
        2 => drop(world.ask("eth_sendRawTransaction", json!([hex::encode_prefixed(rest)]))),
        _ => drop(bytecode(world, &mut Unstructured::new(rest))),
    });
}

/// Any text: an answer, or none to a notification.
fn text(world: &mut World, body: &[u8]) {
    let Some((status, answer)) = world.post(body) else { return };
    assert!(status == 200 || status == 400 || status == 413, "status {status}");
    if !answer.is_empty() && status == 200 {
        serde_json::from_slice::<Value>(&answer).expect("an answer in JSON");
    }
}

/// A method with parameters that began as sensible ones.
fn method(world: &mut World, rest: &[u8]) -> Result<()> {
    let mut script = Unstructured::new(rest);
    let methods: Vec<&str> = METHODS.lines().filter(|method| !method.ends_with("subscribe")).collect();
    let method = *script.choose(&methods)?;
    let rest = script.bytes(script.len())?;
    let params = changed(sample(method), rest);
    world.ask(method, params);
    Ok(())
}

/// What most methods take; readers ignore or refuse the rest.
fn sample(method: &str) -> Value {
    let call =
        json!({ "from": ALICE, "to": BOB, "value": "0x1", "gas": GAS, "input": "0x600160005260206000f3" });
    let hash = alloy_primitives::B256::repeat_byte(7);
    match method {
        name if name.contains("Filter") && name.contains("new") || name.ends_with("getLogs") => {
            json!([{ "fromBlock": "0x0", "toBlock": "latest", "address": [ALICE], "topics": [null, [hash]] }])
        }
        name if name.contains("ByHash") || name.contains("Transaction") && name.starts_with("debug") => {
            json!([hash, {}])
        }
        name if name.contains("ByNumber") => json!(["latest", true]),
        "eth_simulateV1" => {
            json!([{ "blockStateCalls": [{ "blockOverrides": { "number": "0x5" }, "stateOverrides": { (ALICE): { "balance": "0x1" } }, "calls": [call] }], "validation": false }, "latest"])
        }
        "eth_call" | "eth_estimateGas" | "eth_createAccessList" => {
            json!([call, "latest", { (BOB): { "code": "0x00" } }, { "number": "0x5" }])
        }
        "debug_traceCall" => {
            json!([call, "latest", { "tracer": "callTracer", "tracerConfig": { "withLog": true } }])
        }
        name if name.starts_with("eth_send") || name == "eth_signTransaction" => json!([call]),
        "eth_getProof" => json!([ALICE, ["0x0", hash], "latest"]),
        "eth_feeHistory" => json!(["0x2", "latest", [10, 50.5]]),
        "eth_sign" | "personal_sign" => json!([ALICE, "0x1234"]),
        "eth_signTypedData_v4" => json!([ALICE, {
            "types": { "EIP712Domain": [{ "name": "name", "type": "string" }], "A": [{ "name": "b", "type": "uint256[]" }] },
            "primaryType": "A", "domain": { "name": "x" }, "message": { "b": [1, 2] }
        }]),
        "anvil_reorg" | "evm_reorg" => json!([{ "depth": 1, "txBlockPairs": [[call, 0]] }]),
        "trace_filter" => json!([{ "fromBlock": "0x0", "toBlock": "latest", "after": 0, "count": 5 }]),
        name if name.starts_with("trace_replay") => json!([hash, ["trace", "vmTrace", "stateDiff"]]),
        name if name.contains("setStorageAt") => json!([ALICE, "0x0", hash]),
        name if name.contains("mine") => json!(["0x2", "0x1"]),
        name if name.contains("set") || name.contains("crease") || name.contains("evert") => {
            json!([ALICE, "0x5"])
        }
        _ => json!([ALICE, "latest"]),
    }
}

/// Whatever code, called and created, traced and simulated.
fn bytecode(world: &mut World, script: &mut Unstructured<'_>) -> Result<()> {
    let choice = script.int_in_range(0..=3)?;
    let value: u8 = script.arbitrary()?;
    let code = hex::encode_prefixed(script.bytes(script.len())?);
    let call = json!({ "from": ALICE, "gas": GAS, "value": format!("{value:#x}"), "input": code });
    match choice {
        0 => world.ask("eth_call", json!([call, "latest"])),
        1 => world.ask("debug_traceCall", json!([call, "latest", { "tracer": "callTracer" }])),
        2 => world.ask("eth_call", json!([{ "to": BOB, "gas": GAS }, "latest", { (BOB): { "code": code } }])),
        _ => world.ask("eth_sendTransaction", json!([call])),
    };
    Ok(())
}

pub fn seeds() -> Vec<Seed> {
    let text =
        json!([{ "jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": [ALICE, "latest"] }]);
    let legacy = hex!(
        "f86c808504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008026a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    );
    let dynamic = hex!(
        "02f8640180843b9aca00843b9aca0082520894353535353535353535353535353535353535353580c001a0000000000000000000000000000000000000000000000000000000000000000aa0000000000000000000000000000000000000000000000000000000000000000b"
    );
    let mut seeds = vec![
        chosen("batch", 0, text.to_string()),
        chosen("legacy", 2, legacy),
        chosen("dynamic", 2, dynamic),
        chosen("code", 3, [&[0, 0][..], &hex!("5f35600160005260206000f3")].concat()),
        chosen("created", 3, [&[3, 0][..], &hex!("60506080095f395ff3")].concat()),
    ];
    // One changed call of each method; the first byte chooses among them.
    for (index, method) in METHODS.lines().filter(|method| !method.ends_with("subscribe")).enumerate() {
        let index = u8::try_from(index).unwrap_or(u8::MAX);
        seeds.push(chosen(method, 1, [index, 5, 200, 17, 3]));
    }
    seeds
}
