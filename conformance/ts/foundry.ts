// cast and forge against the chain at CHAIN_URL: every command is a process of its own, as a person would run it.

import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Hex, keccak256, numberToHex } from "viem";
import { KEYS, probe, token } from "./artifacts.ts";
import { assert, check as checkWithin, failure, finish, required, rpc } from "./harness.ts";

const url = required("CHAIN_URL");
const packages = new URL("../../contracts/node_modules/@foundry-rs/", import.meta.url);
const network = fileURLToPath(new URL("../../contracts/", import.meta.url));
const project = fileURLToPath(new URL("../foundry/", import.meta.url));
const key = KEYS[1];
const alice = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const bob = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

/** Programs that start, compile and wait take longer than requests; milliseconds. */
const PATIENCE_MS = 300_000;
const check = (name: string, action: () => Promise<unknown>) => checkWithin(name, action, PATIENCE_MS);

/** The native program of this machine; the script that npm puts before it hides failures. */
function native(name: string): string {
  const found = readdirSync(packages).find((entry) => entry.startsWith(`${name}-`));
  if (!found) throw new Error(`contracts/node_modules lacks ${name}: run npm install --no-save in contracts/`);
  return fileURLToPath(new URL(`${found}/bin/${name}`, packages));
}

const run = promisify(execFile);
const quiet = { ...process.env, NO_COLOR: "1", FOUNDRY_DISABLE_NIGHTLY_WARNING: "1" };

async function program(name: string, words: string[], environment: object = {}, cwd = project): Promise<string> {
  const options = { cwd, env: { ...quiet, ...environment }, maxBuffer: 1 << 26, timeout: PATIENCE_MS };
  const { stdout } = await run(native(name), words, options).catch((error) => {
    // The command line, which the message repeats, is long; what the program said is what matters.
    throw Object.assign(error, { message: `${name} ${words[0]}: ${error.stderr || error.message}` });
  });
  return stdout.trim();
}

const cast = (...words: string[]) => program("cast", [...words, "--rpc-url", url]);
const json = async (...words: string[]) => JSON.parse(await cast(...words, "--json"));
const send = (...words: string[]) => json("send", "--private-key", key, ...words);

/** Deploys with `cast send --create`; the address. */
async function deploy(bytecode: Hex, ...args: string[]): Promise<Hex> {
  const words = ["send", "--private-key", key, "--rpc-url", url, "--json", "--create", bytecode, ...args];
  return JSON.parse(await program("cast", words)).contractAddress;
}

async function reads(): Promise<void> {
  await check("cast chain-id, client, block-number, age, gas-price, base-fee", async () => {
    assert.equal(await cast("chain-id"), "31337");
    assert.match(await cast("client"), /\w/);
    await cast("rpc", "evm_mine");
    assert.equal(await cast("block-number"), String(Number(await rpc(url, "eth_blockNumber"))));
    assert.ok(BigInt(await cast("gas-price")) > 0n);
    assert.equal(BigInt(await cast("base-fee")), BigInt((await rpc(url, "eth_getBlockByNumber", ["latest", false])).baseFeePerGas));
    await cast("age");
  });
  await check("cast block by number, tag and hash, with transactions, one field", async () => {
    const block = await json("block", "latest");
    assert.equal((await json("block", block.hash)).hash, block.hash);
    assert.equal((await json("block", String(Number(block.number)), "--full")).hash, block.hash);
    assert.equal(await cast("block", "latest", "--field", "hash"), block.hash);
    assert.equal(await cast("block", "0", "--field", "number"), "0");
  });
  await check("cast balance, nonce, code, codesize, codehash, storage, storage-root", async () => {
    const address = await deploy(probe.bytecode, "constructor(uint256)", "5");
    assert.ok(BigInt(await cast("balance", alice)) > 0n);
    assert.ok(Number(await cast("nonce", alice)) > 0);
    assert.equal(await cast("code", address), probe.deployedBytecode);
    assert.equal(Number(await cast("codesize", address)), probe.deployedBytecode.length / 2 - 1);
    assert.equal(await cast("codehash", address), keccak256(probe.deployedBytecode));
    assert.equal(await cast("storage", address, "0"), numberToHex(5n, { size: 32 }));
    assert.equal(await cast("storage-root", address), (await rpc(url, "eth_getProof", [address, [], "latest"])).storageHash);
  });
  await check("cast proof", async () => {
    const address = await deploy(probe.bytecode, "constructor(uint256)", "5");
    const proof = JSON.parse(await cast("proof", address, "0"));
    assert.equal(proof.storageProof[0].value, "0x5");
    assert.equal(keccak256(proof.accountProof[0]), (await json("block", "latest")).stateRoot);
  });
  await check("cast find-block", async () => {
    const { number, timestamp } = await json("block", "latest");
    assert.ok(Number(await cast("find-block", String(Number(timestamp)))) <= Number(number));
  });
}

async function writes(): Promise<void> {
  await check("cast send and call, transaction, receipt, logs", async () => {
    const address = await deploy(token.bytecode);
    assert.equal(await cast("call", address, "symbol()(string)"), '"SWDEV"');
    const sent = await send(address, "mint(address,uint256)", bob, "1000");
    assert.equal(Number(sent.status), 1);
    assert.equal(await cast("call", address, "balanceOf(address)(uint256)", bob), "1000");
    assert.equal((await json("tx", sent.transactionHash)).hash, sent.transactionHash);
    assert.equal((await json("receipt", sent.transactionHash)).blockHash, sent.blockHash);
    const logs = await json("logs", "--from-block", "0", "--address", address, "Transfer(address indexed,address indexed,uint256)");
    assert.equal(logs.length, 1);
    assert.equal(logs[0].transactionHash, sent.transactionHash);
  });
  await check("cast send: legacy, access list, delegation", async () => {
    assert.equal((await send(bob, "--value", "1", "--legacy")).type, "0x0");
    const address = await deploy(probe.bytecode, "constructor(uint256)", "5");
    const listed = await send(address, "set(uint256)", "6", "--access-list", "--gas-price", "20gwei", "--priority-gas-price", "1gwei");
    assert.equal((await json("tx", listed.transactionHash)).accessList.length, 1);
    const delegated = await send(bob, "--auth", address);
    assert.equal(delegated.type, "0x4");
    assert.equal(await cast("code", alice), `0xef0100${address.slice(2).toLowerCase()}`);
    await send(bob, "--auth", `0x${"00".repeat(20)}`);
    assert.equal(await cast("code", alice), "0x");
  });
  await check("cast send --unlocked with an account of the chain", async () => {
    const sent = await json("send", "--unlocked", "--from", bob, alice, "--value", "1");
    assert.equal(Number(sent.status), 1);
  });
  await check("cast mktx and publish", async () => {
    const raw = await cast("mktx", "--private-key", key, bob, "--value", "1");
    const published = JSON.parse(await cast("publish", raw, "--json"));
    assert.equal(Number(published.status), 1);
  });
  await check("cast estimate, access-list", async () => {
    const address = await deploy(probe.bytecode, "constructor(uint256)", "5");
    assert.equal(await cast("estimate", bob, "--value", "1"), "21000");
    assert.ok(Number(await cast("estimate", address, "set(uint256)", "6")) > 26_000);
    assert.match(await cast("access-list", address, "number()"), /access list/);
  });
  await check("cast call with overrides, with a trace, and its errors", async () => {
    const address = await deploy(probe.bytecode, "constructor(uint256)", "5");
    const changed = await cast("call", address, "number()(uint256)", "--override-state-diff", `${address}:0x0:0x2a`);
    assert.equal(changed, "42");
    assert.match(await cast("call", address, "catchInner()", "--trace"), /TooLarge|custom error|Revert/i);
    assert.match((await failure(cast("call", address, "failWithText()"))).stderr, /the probe refuses/);
    assert.match((await failure(cast("estimate", address, "set(uint256)", "2000000"))).stderr, /revert|TooLarge/i);
  });
  await check("cast run replays a transaction; cast rpc debug_traceTransaction", async () => {
    const address = await deploy(probe.bytecode, "constructor(uint256)", "5");
    const { transactionHash } = await send(address, "catchInner()");
    assert.match(await cast("run", transactionHash), /Transaction successfully executed/);
    const frame = JSON.parse(await cast("rpc", "debug_traceTransaction", transactionHash, '{"tracer":"callTracer"}'));
    assert.equal(frame.calls[0].input.slice(0, 10), "0x60fe47b1");
  });
  await check("cast txpool status and content", async () => {
    assert.match(await cast("tx-pool", "status"), /pending/);
    await cast("tx-pool", "content");
  });
  await check("cast wallet signs typed data and a message that the chain's call confirms", async () => {
    const signed = await program("cast", ["wallet", "sign", "--private-key", key, "hello"]);
    await program("cast", ["wallet", "verify", "--address", alice, "hello", signed]);
  });
}

async function forge(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "conformance-"));
  const script = (salt: string, ...words: string[]) => {
    const which = ["script", "script/Deploy.s.sol:Deploy", "--sig", "run(uint256)", salt];
    return program("forge", [...which, "--rpc-url", url, "--private-key", KEYS[3], ...words], { FOUNDRY_BROADCAST: folder });
  };
  const written = () => lastBroadcast(folder);
  // Addresses that no earlier run has taken.
  const salt = Date.now();
  await check("forge script simulates", async () => assert.match(await script(`${salt}`), /SIMULATION COMPLETE/i));
  await check("forge script --broadcast deploys and calls", async () => {
    assert.match(await script(`${salt}`, "--broadcast"), /ONCHAIN EXECUTION COMPLETE & SUCCESSFUL/);
    const { receipts } = written();
    assert.equal(receipts.length, 5);
    assert.ok(receipts.every(({ status }: { status: Hex }) => Number(status) === 1));
    const first = receipts[0].contractAddress;
    assert.equal(await cast("call", first, "number()(uint256)"), "70");
    assert.equal(await cast("balance", first), "1500000000000000000");
  });
  await check("forge script --broadcast --slow waits for each receipt, with legacy transactions", async () => {
    assert.match(await script(`${salt + 1}`, "--broadcast", "--slow", "--legacy"), /ONCHAIN EXECUTION COMPLETE & SUCCESSFUL/);
    assert.ok(written().receipts.every(({ type, status }: { type: Hex; status: Hex }) => type === "0x0" && status === "0x1"));
  });
  await check("forge create", async () => {
    const made = JSON.parse(
      await program("forge", ["create", "src/Probe.sol:Probe", "--rpc-url", url, "--private-key", KEYS[3], "--broadcast", "--json", "--constructor-args", "33"]),
    );
    assert.equal(await cast("call", made.deployedTo, "number()(uint256)"), "33");
    assert.equal(Number((await json("receipt", made.transactionHash)).status), 1);
  });
  await check("forge script --broadcast deploys the network's own contracts", async () => {
    const own = mkdtempSync(join(tmpdir(), "conformance-"));
    const addresses = join(network, "deployments/31337.json");
    const kept = existsSync(addresses) ? readFileSync(addresses) : undefined;
    const environment = {
      FOUNDRY_BROADCAST: own,
      SEALWORK_DEPLOYER: bob,
      SEALWORK_GOVERNOR: alice,
      SEALWORK_FEE_RECIPIENT: alice,
      SEALWORK_CAS_MEMBERS: alice,
      SEALWORK_CAS_THRESHOLD: "1",
    };
    const words = ["script", "script/Deploy.s.sol:Deploy", "--rpc-url", url, "--private-key", KEYS[2], "--broadcast"];
    assert.match(await program("forge", words, environment, network), /ONCHAIN EXECUTION COMPLETE & SUCCESSFUL/);
    const { receipts } = lastBroadcast(own);
    assert.ok(receipts.length >= 6 && receipts.every(({ status }: { status: Hex }) => Number(status) === 1));
    // The addresses of a chain that ends with this run are of no use to anybody.
    if (kept) writeFileSync(addresses, kept);
    else rmSync(addresses, { force: true });
    rmSync(own, { recursive: true });
  });
  rmSync(folder, { recursive: true });
}

/** What forge notes about a broadcast. */
function lastBroadcast(folder: string) {
  const file = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((path) => path.endsWith("run-latest.json"));
  return JSON.parse(readFileSync(join(folder, file as string), "utf8"));
}

async function fork(): Promise<void> {
  await check("anvil forks the chain: state, code, blocks and transactions from before", async () => {
    const address = await deploy(probe.bytecode, "constructor(uint256)", "21");
    const { transactionHash } = await send(address, "set(uint256)", "22");
    const newest = await cast("block-number");
    const child = spawn(native("anvil"), ["--port", "0", "--fork-url", url, "--no-storage-caching"], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const forked = await listening(child.stdout);
      const words = ["--rpc-url", forked];
      assert.equal(await program("cast", ["block-number", ...words]), newest);
      assert.equal(await program("cast", ["call", address, "number()(uint256)", ...words]), "22");
      assert.equal(await program("cast", ["receipt", transactionHash, "blockNumber", ...words]), newest);
      await program("cast", ["send", "--private-key", key, address, "set(uint256)", "23", ...words]);
      assert.equal(await program("cast", ["call", address, "number()(uint256)", ...words]), "23");
      assert.equal(await cast("call", address, "number()(uint256)"), "22");
    } finally {
      child.kill();
    }
  });
}

/** Address of an anvil that was started. */
async function listening(output: Readable): Promise<string> {
  for await (const line of createInterface(output)) {
    const address = line.match(/^Listening on (.*)$/)?.[1];
    if (address) {
      output.resume();
      return `http://${address}`;
    }
  }
  throw new Error("anvil ended before it was ready");
}

await reads();
await writes();
await forge();
await fork();
finish();
