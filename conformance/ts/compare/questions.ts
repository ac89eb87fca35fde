// Every question that both chains must answer alike.

import { encodeDeployData, type Hex, keccak256, numberToHex, toHex } from "viem";
import { probe, token } from "../artifacts.ts";
import type { Json } from "../harness.ts";
import { storageRoot } from "../proof.ts";
import { blockName, type Pair } from "./pair.ts";
import { accounts, alice, bob, call, carol, dave, type History, whale } from "./scenario.ts";

const act = (functionName: string, args: unknown[] = []) => call(probe.abi, functionName, args);
const quantity = (number: number): Hex => numberToHex(number);
const slot = (number: number): Hex => numberToHex(number, { size: 32 });
/** Position of `numbers[key]`. */
const numbersAt = (key: number): Hex => keccak256(`${slot(key)}${slot(1).slice(2)}` as Hex);
const PINGED = keccak256(toHex("Pinged(address,uint256)"));
const NUMBER_SET = keccak256(toHex("NumberSet(address,uint256,string)"));

/** Blocks with everything in them. */
export async function blocks(pair: Pair, { newest, transactions: made }: History): Promise<void> {
  const nobodys = Number((await pair.theirs.ask("eth_getTransactionByHash", [made["signed by nobody"]])).result.blockNumber);
  for (let number = 1; number <= newest; number += 1) {
    const at = quantity(number);
    const note = number === nobodys ? `${at}, signed by nobody` : at;
    await pair.same("eth_getBlockByNumber", [at, false], note);
    await pair.same("eth_getBlockByNumber", [at, true], `${note}, full`);
    await pair.same("eth_getBlockReceipts", [at]);
    await pair.same("eth_getLogs", [{ blockHash: blockName(number) }]);
  }
  const name = blockName(6);
  for (const full of [false, true]) await pair.same("eth_getBlockByHash", [name, full]);
  await pair.same("eth_getBlockReceipts", [name]);
  await pair.same("eth_getBlockTransactionCountByNumber", [quantity(6)]);
  await pair.same("eth_getBlockTransactionCountByHash", [name]);
  await pair.same("eth_getUncleCountByBlockNumber", [quantity(6)]);
  await pair.same("eth_getUncleCountByBlockHash", [name]);
  await pair.same("eth_getUncleByBlockNumberAndIndex", [quantity(6), "0x0"]);
  await pair.same("eth_getTransactionByBlockNumberAndIndex", [quantity(6), "0x0"]);
  await pair.same("eth_getTransactionByBlockHashAndIndex", [name, "0x0"]);
  await pair.same("eth_getTransactionByBlockNumberAndIndex", [quantity(6), "0x9"]);
  for (const tag of ["latest", "earliest", "safe", "finalized"]) await pair.same("eth_getBlockTransactionCountByNumber", [tag]);
  await pair.same("eth_getBlockByNumber", ["latest", false]);
  await pair.same("eth_getBlockByNumber", ["pending", false]);
  await pair.same("eth_blockNumber");
  for (const method of ["debug_traceBlockByNumber", "trace_block"]) await pair.same(method, [quantity(6)]);
  await pair.same("debug_traceBlockByNumber", [quantity(6), { tracer: "callTracer" }], "callTracer");
  await pair.same("trace_filter", [{ fromBlock: "0x4", toBlock: "0x9", fromAddress: [bob.address] }], "by sender");
  await pair.same("trace_filter", [{ fromBlock: "0x4", toBlock: "0x9", after: 1, count: 2 }], "a part");
  await pair.same("trace_replayBlockTransactions", [quantity(6), ["trace"]]);
  await pair.same("eth_getBlockByNumber", [quantity(1_000_000), false]);
  await pair.same("eth_getBlockByHash", [slot(1), false]);
  await pair.same("eth_getBlockReceipts", [quantity(1_000_000)]);
}

/** Transactions, receipts and traces. */
export async function transactions(pair: Pair, { transactions: made }: History): Promise<void> {
  for (const [name, hash] of Object.entries(made)) {
    await pair.same("eth_getTransactionByHash", [hash], name);
    await pair.same("eth_getTransactionReceipt", [hash], name);
    await pair.same("eth_getRawTransactionByHash", [hash], name);
    if (name.startsWith("busy")) continue;
    await pair.same("trace_transaction", [hash], name);
    await traces(pair, name, hash);
  }
  for (const method of ["eth_getTransactionByHash", "eth_getTransactionReceipt", "eth_getRawTransactionByHash", "debug_traceTransaction"]) {
    await pair.same(method, [slot(5)], "unknown");
  }
}

async function traces(pair: Pair, name: string, hash: Hex): Promise<void> {
  const options: Record<string, object> = {
    "structLogs": {},
    "structLogs with memory, without stack": { enableMemory: true, disableStack: true },
    "structLogs with return data, without storage": { enableReturnData: true, disableStorage: true },
    "callTracer": { tracer: "callTracer" },
    "callTracer with logs": { tracer: "callTracer", tracerConfig: { withLog: true } },
    "callTracer, top call": { tracer: "callTracer", tracerConfig: { onlyTopCall: true } },
    "prestateTracer": { tracer: "prestateTracer" },
    "prestateTracer, difference": { tracer: "prestateTracer", tracerConfig: { diffMode: true } },
    "4byteTracer": { tracer: "4byteTracer" },
  };
  for (const [tracer, option] of Object.entries(options)) {
    await pair.same("debug_traceTransaction", [hash, option], `${tracer}: ${name}`);
  }
}

/** Accounts now and before, with proofs. */
export async function state(pair: Pair, history: History): Promise<void> {
  const addresses = [...accounts.map(({ address }) => address), history.probe, history.token, history.child, whale];
  for (const at of ["latest", "0x5", "0x12"]) {
    for (const address of addresses) {
      await pair.same("eth_getBalance", [address, at]);
      await pair.same("eth_getTransactionCount", [address, at]);
      await pair.same("eth_getCode", [address, at]);
      await pair.same("eth_getStorageAt", [address, "0x0", at]);
    }
  }
  for (const address of addresses) {
    const note = address === history.probe ? "of an account that cleared slots" : address;
    await pair.same("eth_getProof", [address, [slot(0), numbersAt(9), slot(77)], "latest"], note);
  }
  await pair.same("eth_getProof", [history.probe, [slot(0), numbersAt(9), slot(77)], "0x6"], "before slots were cleared");
  await pair.same("eth_getProof", ["0x00000000000000000000000000000000deadbeef", [], "latest"], "of nobody");
  await pair.same("eth_getBalance", [alice.address, { blockNumber: "0x3" }]);
  await pair.same("eth_getBalance", [alice.address, { blockHash: blockName(3) }]);
  await pair.same("eth_getBalance", [alice.address, "pending"]);
  await pair.same("eth_getTransactionCount", [alice.address, "pending"]);
  await pair.same("eth_getBalance", [alice.address, quantity(1_000_000)]);
  await pair.same("eth_getAccount", [history.probe, "latest"], "of an account that cleared slots");
  await pair.same("eth_getAccount", [history.token, "latest"]);
  await pair.same("eth_getAccountInfo", [history.probe, "latest"]);
}

/** The storage root, computed once more from what the slots must hold; on the chain under test only. */
export async function roots(pair: Pair, { probe: address }: History): Promise<void> {
  // Slots 0 to 7 were cleared; the account without a key wrote the number last.
  const keys = [8, 9, 20, ...Array.from({ length: 1600 }, (_, index) => 100 + index)];
  const slots = [[slot(0), 11n] as const, ...keys.map((key) => [numbersAt(key), BigInt(key) ** 2n + 1n] as const)];
  const { result } = await pair.ours.ask("eth_getProof", [address, [], "latest"]);
  pair.compare("the storage root of an account that cleared slots", result.storageHash, storageRoot(slots));
}

/** Logs by everything they can be asked by. */
export async function logs(pair: Pair, { probe: address, token: other, newest }: History): Promise<void> {
  const all = { fromBlock: "0x0", toBlock: "latest" };
  const author = `0x${alice.address.slice(2).toLowerCase().padStart(64, "0")}`;
  const filters: Json[] = [
    all,
    { ...all, address },
    { ...all, address: [address, other] },
    { ...all, address: [] },
    { ...all, topics: [] },
    { ...all, topics: [PINGED] },
    { ...all, topics: [[PINGED, NUMBER_SET]] },
    { ...all, topics: [null, author] },
    { ...all, topics: [PINGED, null, [slot(1), slot(3)]] },
    { ...all, topics: [PINGED, null, null, null] },
    { fromBlock: "0x6", toBlock: "0x8" },
    { fromBlock: "0x8", toBlock: "0x6" },
    { fromBlock: quantity(newest - 4) },
    { toBlock: "0x6", fromBlock: "earliest" },
    {},
    { blockHash: blockName(6), topics: [PINGED] },
    { blockHash: blockName(6), fromBlock: "0x1" },
    { blockHash: slot(1) },
    { fromBlock: quantity(newest + 10), toBlock: quantity(newest + 20) },
  ];
  for (const filter of filters) await pair.same("eth_getLogs", [filter]);
}

/** Fees of the past and for the next block. */
export async function fees(pair: Pair, { newest }: History): Promise<void> {
  const histories: Record<string, Json> = {
    "of everything": [quantity(newest), "latest", [0, 25, 50, 75, 100]],
    "of the past, no percentiles": ["0x4", "0x8", []],
    "of the past, percentiles left out": ["0x4", "0x8"],
    "of the past, count as a number": [3, "0x8", [50]],
    "of the newest": ["0x1", "latest", [10.5]],
    "up to pending": ["0x2", "pending", [50]],
    "of the future": ["0x2", quantity(1_000_000), [50]],
    "with descending percentiles": ["0x2", "latest", [50, 10]],
    "with more than 100 percent": ["0x2", "latest", [101]],
  };
  for (const [note, params] of Object.entries(histories)) await pair.same("eth_feeHistory", params, note);
  await pair.same("eth_gasPrice");
  await pair.same("eth_maxPriorityFeePerGas");
  await pair.same("eth_blobBaseFee");
}

/** Calls, estimates, access lists: results and failures. */
export async function calls(pair: Pair, { probe: to, token: erc20, newest }: History): Promise<void> {
  const from = alice.address;
  const value = "0x64";
  const requests: Record<string, Json> = {
    "transfer": { from, to: bob.address, value },
    "read": { from, to, data: act("number") },
    "write": { from, to, input: act("set", [5n]) },
    "write what is there": { from, to, data: act("set", [10n]) },
    "custom error": { from, to, data: act("set", [2_000_000n]) },
    "write many slots": { from, to, data: act("fill", [5000n, 30n]) },
    "clear slots": { from, to, data: act("clear", [100n, 20n]) },
    "text": { from, to, data: act("failWithText") },
    "panic": { from, to, data: act("divide", [0n]) },
    "failure without data": { from, to, data: act("failSilently") },
    "invalid operation": { from, to, data: act("failInvalid") },
    "catch a failure within": { from, to, data: act("catchInner") },
    "create within": { from, to, data: act("spawn", [slot(7), 2n]), value },
    "caller": { from, to, data: act("caller") },
    "no sender": { to, data: act("caller") },
    "unknown function": { from, to, data: "0x12345678" },
    "token without balance": { from, to: erc20, data: call(token.abi, "transfer", [bob.address, 1n]) },
    "token": { from: bob.address, to: erc20, data: call(token.abi, "transfer", [alice.address, 1n]) },
    "create": { from, data: encodeDeployData({ abi: probe.abi, bytecode: probe.bytecode, args: [1n] }) },
    "create and fail": { from, data: "0x60006000fd" },
    "data to an account": { from, to: bob.address, data: "0x1234" },
    "no funds": { from: whale, to: bob.address, value: numberToHex(10n ** 24n) },
    "too little gas": { from, to, data: act("number"), gas: "0x100" },
    "with gas price": { from, to: bob.address, gas: "0x5208", gasPrice: "0x77359400" },
    "fee cap below the base fee": { from, to: bob.address, maxFeePerGas: "0x1" },
    "tip above fee cap": { from, to: bob.address, maxFeePerGas: "0x77359400", maxPriorityFeePerGas: "0x77359401" },
    "both kinds of fees": { from, to: bob.address, gasPrice: "0x77359400", maxFeePerGas: "0x77359400" },
    "access list": { from, to, data: act("number"), accessList: [{ address: to, storageKeys: [slot(0)] }] },
    "precompile": { from, to: "0x0000000000000000000000000000000000000002", data: "0x616263" },
  };
  for (const [note, request] of Object.entries(requests)) {
    await pair.same("eth_call", [request, "latest"], note);
    await pair.same("eth_estimateGas", [request, "latest"], note);
  }
  await pair.same("eth_call", [{ to, data: act("number") }]);
  for (const at of ["0x5", "0x6", { blockNumber: "0x5" }, { blockHash: blockName(5) }, quantity(newest), quantity(1_000_000)]) {
    await pair.same("eth_call", [{ to, data: act("number") }, at]);
  }
  await pair.same("eth_call", [{ to, data: act("environment") }, "0x9"]);
  await pair.same("eth_call", [{ to, data: act("environment") }, "latest"]);
  await overrides(pair, to);
  for (const [note, request] of Object.entries(requests).slice(0, 8)) await pair.same("eth_createAccessList", [request, "latest"], note);
}

async function overrides(pair: Pair, to: Hex): Promise<void> {
  const number = { to, data: act("number") };
  const environment = { to, data: act("environment") };
  await pair.same("eth_call", [number, "latest", { [to]: { stateDiff: { [slot(0)]: slot(42) } } }]);
  await pair.same("eth_call", [number, "latest", { [to]: { state: { [slot(0)]: slot(42) } } }]);
  await pair.same("eth_call", [number, "latest", { [to]: { state: {} } }]);
  await pair.same("eth_call", [number, "latest", { [to]: { code: "0x602a60005260206000f3" } }]);
  await pair.same("eth_call", [{ from: whale, to, data: act("caller") }, "latest", { [whale]: { balance: "0x7", nonce: "0x9" } }]);
  await pair.same("eth_call", [number, "latest", { [to]: { state: {}, stateDiff: {} } }], "state and stateDiff at once");
  await pair.same("eth_estimateGas", [{ from: whale, to, data: act("set", [3n]) }, "latest", { [to]: { stateDiff: { [slot(0)]: slot(0) } } }]);
  for (const block of [{ number: "0x1234" }, { time: "0x7fffffff" }, { gasLimit: "0x1c9c380" }, { baseFeePerGas: "0x7" }, { feeRecipient: bob.address }, { coinbase: bob.address }]) {
    await pair.same("eth_call", [environment, "latest", {}, block], `in a block with ${JSON.stringify(block)}`);
  }
}

/** Blocks of calls that are only tried. */
export async function simulations(pair: Pair, { probe: to }: History): Promise<void> {
  const from = alice.address;
  const set = { from, to, input: act("set", [12n]) };
  const payloads: Record<string, Json> = {
    "one call": { blockStateCalls: [{ calls: [set] }] },
    "calls that build on each other": { blockStateCalls: [{ calls: [set, { from, to, input: act("number") }] }, { calls: [{ from, to, input: act("number") }] }] },
    "a failure": { blockStateCalls: [{ calls: [{ from, to, input: act("set", [2_000_000n]) }] }] },
    "overridden state": { blockStateCalls: [{ stateOverrides: { [whale]: { balance: "0x64" } }, calls: [{ from: whale, to, value: "0x64" }] }] },
    "transfers as logs": { blockStateCalls: [{ calls: [{ from, to, value: "0x1" }] }], traceTransfers: true },
  };
  for (const [note, payload] of Object.entries(payloads)) await pair.same("eth_simulateV1", [payload, "latest"], note);
}

/** Requests that no chain should answer. */
export async function mistakes(pair: Pair, history: History): Promise<void> {
  const sign = (request: object, chainId = 31337) =>
    dave.signTransaction({ chainId, nonce: 50, gas: 21_000n, to: bob.address, maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n, ...request } as never);
  const raw = (transaction: Hex, note: string) => pair.same("eth_sendRawTransaction", [transaction], note);
  await raw(await sign({ nonce: 0 }), "nonce too low");
  await raw(await sign({ value: 10n ** 30n }), "no funds");
  await raw(await sign({ gas: 20_000n }), "below the intrinsic gas");
  await raw(await sign({}, 1), "another chain");
  await raw(await sign({ gas: 2n ** 40n }), "above the block's gas");
  await raw(await sign({ to: undefined, data: `0x${"00".repeat(50_000)}`, gas: 10_000_000n }), "init code too large");
  await raw("0x", "empty");
  await raw("0x1234", "not a transaction");
  await raw("0x02c0", "an empty transaction of type 2");
  await raw("0x7fc0", "an unknown type");
  for (const [method, params] of [
    ["eth_nothing", []],
    ["eth_getBalance", []],
    ["eth_getBalance", ["0x1234", "latest"]],
    ["eth_getBalance", [alice.address, "newest"]],
    ["eth_getBlockByNumber", ["0xzz", false]],
    ["eth_getBlockByHash", ["0x1234", false]],
    ["eth_getTransactionByHash", ["0x12"]],
    ["eth_getStorageAt", [history.probe, "0xzz", "latest"]],
    ["eth_call", []],
    ["eth_call", [{ to: "0x12" }, "latest"]],
    ["eth_getLogs", [{ fromBlock: "x" }]],
    ["eth_getFilterChanges", ["0xffffff"]],
    ["eth_uninstallFilter", ["0xffffff"]],
    ["eth_sendTransaction", [{ from: whale, to: alice.address, value: "0x1" }]],
    ["eth_feeHistory", []],
    ["evm_revert", ["0xffffff"]],
    ["debug_traceTransaction", []],
  ] as const) {
    await pair.same(method, params);
  }
  await pair.same("debug_traceTransaction", [history.transactions["dynamic fee"], { tracer: "noSuchTracer" }], "with an unknown tracer");
}

/** What clients ask first, and what the chain's accounts sign. */
export async function identity(pair: Pair): Promise<void> {
  for (const method of ["eth_chainId", "net_version", "net_listening", "eth_syncing", "eth_accounts"]) await pair.same(method);
  await pair.same("web3_sha3", ["0x68656c6c6f"]);
  await pair.same("eth_sign", [carol.address, "0x68656c6c6f"]);
  await pair.same("personal_sign", ["0x68656c6c6f", carol.address]);
  const typed = {
    domain: { name: "conformance", chainId: 31337 },
    types: { EIP712Domain: [{ name: "name", type: "string" }, { name: "chainId", type: "uint256" }], Note: [{ name: "text", type: "string" }] },
    primaryType: "Note",
    message: { text: "hello" },
  };
  await pair.same("eth_signTypedData_v4", [carol.address, typed]);
  await pair.same("eth_signTypedData_v4", [carol.address, JSON.stringify(typed)]);
}
