// What a development chain offers beyond Ethereum: time, snapshots, state edits, foreign senders, mining.

import { numberToHex, parseEther } from "viem";
import { probe } from "../artifacts.ts";
import { assert, check, failure } from "../harness.ts";
import { act, alice, bob, client, deployProbe } from "./context.ts";

const WHALE = "0x00000000000000000000000000000000000B19F1";

export async function controls(): Promise<void> {
  await snapshots();
  await time();
  await edits();
  await impersonation();
  await mining();
  await reorganization();
}

async function snapshots(): Promise<void> {
  await check("snapshot and revert take everything back", async () => {
    const address = await deployProbe(1n);
    const number = await client.getBlockNumber();
    const id = await client.snapshot();
    const { transactionHash } = await act(address, "set", [2n]);
    await client.revert({ id });
    assert.equal(await client.getBlockNumber({ cacheTime: 0 }), number);
    assert.equal(await client.readContract({ address, abi: probe.abi, functionName: "number" }), 1n);
    assert.equal((await failure(client.getTransaction({ hash: transactionHash }))).name, "TransactionNotFoundError");
    assert.equal(await client.request({ method: "evm_revert", params: [id] } as never), false);
  });
  await check("nested snapshots", async () => {
    const outer = await client.snapshot();
    await client.mine({ blocks: 1 });
    const inner = await client.snapshot();
    await client.mine({ blocks: 1 });
    const number = await client.getBlockNumber();
    await client.revert({ id: inner });
    assert.equal(await client.getBlockNumber({ cacheTime: 0 }), number - 1n);
    await client.revert({ id: outer });
    assert.equal(await client.getBlockNumber({ cacheTime: 0 }), number - 2n);
  });
}

async function time(): Promise<void> {
  const now = async () => (await client.getBlock()).timestamp;
  await check("the next block's time", async () => {
    const timestamp = (await now()) + 1000n;
    await client.setNextBlockTimestamp({ timestamp });
    await client.mine({ blocks: 1 });
    assert.equal(await now(), timestamp);
    await failure(client.setNextBlockTimestamp({ timestamp: timestamp - 500n }));
  });
  await check("time moves forward", async () => {
    const before = await now();
    await client.increaseTime({ seconds: 3600 });
    await client.mine({ blocks: 1 });
    assert.ok((await now()) >= before + 3600n);
  });
  await check("many blocks, an interval apart", async () => {
    const before = await client.getBlock();
    await client.mine({ blocks: 5, interval: 60 });
    const after = await client.getBlock();
    assert.equal(after.number, before.number! + 5n);
    assert.ok(after.timestamp >= before.timestamp + 240n);
  });
  await check("time set outright", async () => {
    const timestamp = (await now()) + 100_000n;
    await client.request({ method: "evm_setTime", params: [numberToHex(timestamp)] } as never);
    await client.mine({ blocks: 1 });
    assert.ok((await now()) >= timestamp && (await now()) < timestamp + 60n);
  });
}

async function edits(): Promise<void> {
  await check("balance, nonce, code and storage are set", async () => {
    const address = "0x00000000000000000000000000000000000000E0";
    await client.setBalance({ address, value: parseEther("5") });
    assert.equal(await client.getBalance({ address }), parseEther("5"));
    await client.setNonce({ address, nonce: 9 });
    assert.equal(await client.getTransactionCount({ address }), 9);
    await client.setCode({ address, bytecode: probe.deployedBytecode });
    await client.setStorageAt({ address, index: 0, value: numberToHex(123, { size: 32 }) });
    assert.equal(await client.readContract({ address, abi: probe.abi, functionName: "number" }), 123n);
  });
  await check("base fee, coinbase and gas limit of the next block are set", async () => {
    await client.setNextBlockBaseFeePerGas({ baseFeePerGas: 12_345_678n });
    await client.setCoinbase({ address: bob.address });
    await client.setBlockGasLimit({ gasLimit: 30_000_000n });
    await client.mine({ blocks: 1 });
    const block = await client.getBlock();
    assert.equal(block.baseFeePerGas, 12_345_678n);
    assert.equal(block.miner.toLowerCase(), bob.address.toLowerCase());
    await client.mine({ blocks: 1 });
    assert.equal((await client.getBlock()).gasLimit, 30_000_000n);
  });
}

async function impersonation(): Promise<void> {
  await check("a transaction from an account whose key nobody has", async () => {
    await client.setBalance({ address: WHALE, value: parseEther("2") });
    await client.impersonateAccount({ address: WHALE });
    const hash = await client.sendUnsignedTransaction({ from: WHALE, to: alice.address, value: parseEther("1") });
    const receipt = await client.waitForTransactionReceipt({ hash });
    assert.equal(receipt.from, WHALE.toLowerCase());
    assert.equal(receipt.status, "success");
    assert.equal((await client.getTransaction({ hash })).from, WHALE.toLowerCase());
    const request = { method: "eth_sendTransaction", params: [{ from: WHALE, to: alice.address, value: "0x1" }] } as never;
    await client.waitForTransactionReceipt({ hash: await client.request(request) });
    await client.stopImpersonatingAccount({ address: WHALE });
    await failure(client.request(request));
  });
  await check("every account is impersonated", async () => {
    const address = "0x00000000000000000000000000000000000B19F2";
    await client.setBalance({ address, value: parseEther("2") });
    await client.request({ method: "anvil_autoImpersonateAccount", params: [true] } as never);
    const hash = await client.sendUnsignedTransaction({ from: address, to: alice.address, value: 1n });
    assert.equal((await client.waitForTransactionReceipt({ hash })).status, "success");
    await client.request({ method: "anvil_autoImpersonateAccount", params: [false] } as never);
  });
}

async function mining(): Promise<void> {
  await check("automine off and on", async () => {
    await client.setAutomine(false);
    assert.equal(await client.getAutomine(), false);
    const number = await client.getBlockNumber({ cacheTime: 0 });
    await client.sendTransaction({ to: bob.address, gas: 21_000n });
    assert.equal(await client.getBlockNumber({ cacheTime: 0 }), number);
    await client.setAutomine(true);
    await client.mine({ blocks: 1 });
    assert.equal(await client.getAutomine(), true);
  });
  await check("interval mining on and off", async () => {
    const number = await client.getBlockNumber({ cacheTime: 0 });
    await client.setIntervalMining({ interval: 1 });
    for (let tries = 0; tries < 300 && (await client.getBlockNumber({ cacheTime: 0 })) === number; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok((await client.getBlockNumber({ cacheTime: 0 })) > number);
    await client.setIntervalMining({ interval: 0 });
    await client.setAutomine(true);
  });
}

async function reorganization(): Promise<void> {
  await check("blocks are replaced: new hashes, transactions gone, the other history stays", async () => {
    const kept = await client.getBlock();
    const hash = await client.sendTransaction({ to: bob.address, value: 1n });
    await client.waitForTransactionReceipt({ hash });
    await client.mine({ blocks: 1 });
    const before = await client.getBlock();
    await client.request({ method: "anvil_reorg", params: [2, []] } as never);
    const after = await client.getBlock();
    assert.equal(after.number, before.number);
    assert.notEqual(after.hash, before.hash);
    assert.equal((await client.getBlock({ blockNumber: kept.number! })).hash, kept.hash);
    assert.equal((await failure(client.getTransactionReceipt({ hash }))).name, "TransactionReceiptNotFoundError");
    assert.equal((await failure(client.getBlock({ blockHash: before.hash! }))).name, "BlockNotFoundError");
  });
  await check("blocks are taken back", async () => {
    await client.mine({ blocks: 3 });
    const number = await client.getBlockNumber({ cacheTime: 0 });
    await client.request({ method: "anvil_rollback", params: [2] } as never);
    assert.equal(await client.getBlockNumber({ cacheTime: 0 }), number - 2n);
  });
}
