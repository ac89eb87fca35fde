// Blocks, accounts, fees, proofs: everything that changes nothing.

import { keccak256, numberToHex, toHex } from "viem";
import { assert, check, failure } from "../harness.ts";
import { accountValue, proven, slotValue } from "../proof.ts";
import { probe } from "../artifacts.ts";
import { act, alice, bob, client, deployProbe } from "./context.ts";

export async function reads(): Promise<void> {
  await chain();
  await blocks();
  await accountState();
  await fees();
  await proofs();
}

async function chain(): Promise<void> {
  await check("chain id", async () => assert.equal(await client.getChainId(), 31337));
  await check("net_version and net_listening", async () => {
    assert.equal(await client.request({ method: "net_version" } as never), "31337");
    assert.equal(await client.request({ method: "net_listening" } as never), true);
  });
  await check("web3_clientVersion and web3_sha3", async () => {
    assert.match(await client.request({ method: "web3_clientVersion" } as never), /^\w.*\/v?\d/);
    assert.equal(await client.request({ method: "web3_sha3", params: ["0x68656c6c6f"] } as never), keccak256(toHex("hello")));
  });
  await check("eth_accounts and eth_syncing", async () => {
    const listed = (await client.request({ method: "eth_accounts" } as never)) as string[];
    assert.equal(listed.length, 10);
    assert.equal(await client.request({ method: "eth_syncing" } as never), false);
  });
}

async function blocks(): Promise<void> {
  await client.mine({ blocks: 2 });
  await check("tags: earliest, latest, pending, safe, finalized", async () => {
    assert.equal((await client.getBlock({ blockTag: "earliest" })).number, 0n);
    const latest = await client.getBlock();
    assert.equal(latest.number, await client.getBlockNumber());
    const pending = await client.getBlock({ blockTag: "pending" });
    assert.ok(pending.parentHash === latest.hash || pending.hash === latest.hash);
    for (const blockTag of ["safe", "finalized"] as const) {
      assert.ok((await client.getBlock({ blockTag })).number! <= latest.number!);
    }
  });
  await check("a block by number and by hash is the same", async () => {
    const byNumber = await client.getBlock({ blockNumber: 1n });
    assert.deepEqual(await client.getBlock({ blockHash: byNumber.hash }), byNumber);
    assert.equal((await client.getBlock({ blockNumber: 2n })).parentHash, byNumber.hash);
  });
  await check("an unknown block is reported as such", async () => {
    assert.equal((await failure(client.getBlock({ blockNumber: 1_000_000n }))).name, "BlockNotFoundError");
    assert.equal((await failure(client.getBlock({ blockHash: keccak256("0x01") }))).name, "BlockNotFoundError");
  });
  await check("full transactions, counts, by index, receipts of a block", async () => {
    const hash = await client.sendTransaction({ to: bob.address, value: 1n });
    const { blockHash, blockNumber } = await client.waitForTransactionReceipt({ hash });
    const block = await client.getBlock({ blockHash, includeTransactions: true });
    assert.equal(block.transactions[0]?.hash, hash);
    assert.equal(await client.getBlockTransactionCount({ blockNumber }), 1);
    assert.equal(await client.getBlockTransactionCount({ blockHash }), 1);
    assert.equal((await client.getTransaction({ blockHash, index: 0 })).hash, hash);
    assert.equal((await client.getTransaction({ blockNumber, index: 0 })).hash, hash);
    const receipts = await client.request({ method: "eth_getBlockReceipts", params: [numberToHex(blockNumber)] } as never) as any[];
    assert.equal(receipts[0].transactionHash, hash);
  });
  await check("uncles: none", async () => {
    assert.equal(await client.request({ method: "eth_getUncleCountByBlockNumber", params: ["latest"] } as never), "0x0");
  });
}

async function accountState(): Promise<void> {
  await check("balance now and before", async () => {
    const before = await client.getBlockNumber();
    const balance = await client.getBalance({ address: bob.address });
    const hash = await client.sendTransaction({ to: bob.address, value: 5n });
    await client.waitForTransactionReceipt({ hash });
    assert.equal(await client.getBalance({ address: bob.address }), balance + 5n);
    assert.equal(await client.getBalance({ address: bob.address, blockNumber: before }), balance);
  });
  await check("nonce now and before", async () => {
    const before = await client.getBlockNumber();
    const nonce = await client.getTransactionCount({ address: alice.address });
    const hash = await client.sendTransaction({ to: bob.address });
    await client.waitForTransactionReceipt({ hash });
    assert.equal(await client.getTransactionCount({ address: alice.address }), nonce + 1);
    assert.equal(await client.getTransactionCount({ address: alice.address, blockNumber: before }), nonce);
  });
  await check("code and storage", async () => {
    const address = await deployProbe(41n);
    assert.equal(await client.getCode({ address }), probe.deployedBytecode);
    assert.equal(await client.getCode({ address: bob.address }), undefined);
    assert.equal(await client.getStorageAt({ address, slot: "0x0" }), numberToHex(41n, { size: 32 }));
    assert.equal(await client.getStorageAt({ address, slot: "0x5" }), numberToHex(0n, { size: 32 }));
  });
}

async function fees(): Promise<void> {
  await check("gas price, tip and blob base fee", async () => {
    const block = await client.getBlock();
    assert.ok((await client.getGasPrice()) >= block.baseFeePerGas! / 2n);
    assert.ok((await client.estimateMaxPriorityFeePerGas()) >= 0n);
    assert.ok((await client.getBlobBaseFee()) >= 0n);
    const { maxFeePerGas } = await client.estimateFeesPerGas();
    assert.ok(maxFeePerGas > 0n);
  });
  await check("fee history with rewards", async () => {
    const history = await client.getFeeHistory({ blockCount: 3, rewardPercentiles: [10, 50, 90] });
    assert.equal(history.baseFeePerGas.length, 4);
    assert.equal(history.gasUsedRatio.length, 3);
    assert.equal(history.reward?.length, 3);
    assert.equal(history.oldestBlock, (await client.getBlockNumber()) - 2n);
    const block = await client.getBlock();
    assert.equal(history.baseFeePerGas[2], block.baseFeePerGas);
  });
}

async function proofs(): Promise<void> {
  await check("a proof of account and storage holds against the block's state root", async () => {
    const address = await deployProbe(77n);
    await act(address, "fill", [0n, 20n]);
    const storageKeys = [numberToHex(0, { size: 32 }), keccak256(numberToHex(3, { size: 32 }) + numberToHex(1, { size: 32 }).slice(2) as never), numberToHex(9, { size: 32 })];
    const block = await client.getBlock();
    const proof = await client.getProof({ address, storageKeys, blockNumber: block.number! });
    assert.equal(proof.nonce, 1);
    assert.equal(proof.codeHash, keccak256(probe.deployedBytecode));
    assert.equal(proven(block.stateRoot, address, proof.accountProof), accountValue(proof));
    assert.deepEqual(proof.storageProof.map(({ value }) => value), [77n, 10n, 0n]);
    for (const { key, value, proof: nodes } of proof.storageProof) {
      const stored = proven(proof.storageHash, numberToHex(BigInt(key), { size: 32 }), nodes);
      assert.equal(stored, value === 0n ? undefined : slotValue(value));
    }
  });
  await check("a proof that an account does not exist", async () => {
    const block = await client.getBlock();
    const address = "0x00000000000000000000000000000000deadbeef";
    const proof = await client.getProof({ address, storageKeys: [], blockNumber: block.number! });
    assert.equal(proof.balance, 0n);
    assert.equal(proven(block.stateRoot, address, proof.accountProof), undefined);
  });
}
