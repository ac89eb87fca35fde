// Waiting transactions: txpool_*, pending nonces, replacement, and what snapshots and time travel answer.

import { numberToHex, parseGwei } from "viem";
import { eventually, rpc } from "../harness.ts";
import { alice, type Author, bob, carol } from "./scenario.ts";

/** Fills the pool and asks about it. */
export async function waiting(author: Author): Promise<void> {
  const { pair } = author;
  await pair.both("evm_setAutomine", [false]);
  const transfer = { to: carol.address, value: 1n, gas: 21_000n };
  const first = await author.sign(alice, transfer);
  const second = await author.sign(alice, { ...transfer, type: "legacy", gasPrice: parseGwei("20"), maxFeePerGas: undefined, maxPriorityFeePerGas: undefined });
  const generous = { maxFeePerGas: parseGwei("60"), maxPriorityFeePerGas: parseGwei("25") };
  const missing = await author.sign(bob, { ...transfer, ...generous });
  const queued = await author.sign(bob, { ...transfer, ...generous });
  for (const raw of [first, second, queued]) await pair.same("eth_sendRawTransaction", [raw], "into the pool");
  for (const { url } of [pair.ours, pair.theirs]) {
    await eventually(async () => (await rpc(url, "txpool_status")).pending === "0x2");
  }
  for (const method of ["txpool_status", "txpool_content", "txpool_inspect"]) await pair.same(method);
  await pair.same("eth_getTransactionCount", [alice.address, "pending"], "while two wait");
  await pair.same("eth_getTransactionCount", [bob.address, "pending"], "while one is queued");
  await pair.same("eth_getTransactionCount", [alice.address, "latest"], "while two wait");
  await pair.same("eth_getBlockTransactionCountByNumber", ["pending"], "while two wait");
  const [hash] = Object.values((await rpc(pair.theirs.url, "txpool_content")).pending as object).flatMap((byNonce) => Object.values(byNonce as object));
  await pair.same("eth_getTransactionByHash", [(hash as any).hash], "waiting");
  await pair.same("eth_getTransactionReceipt", [(hash as any).hash], "waiting");
  await pair.same("eth_sendRawTransaction", [first], "known already");
  await pair.same("eth_sendRawTransaction", [missing], "closes the gap");
  for (const { url } of [pair.ours, pair.theirs]) {
    await eventually(async () => (await rpc(url, "txpool_status")).pending === "0x4");
  }
  await pair.same("txpool_status", [], "after the gap is closed");
  await author.tick();
  await pair.both("evm_mine");
  await author.learn();
  await pair.both("evm_setAutomine", [true]);
  await pair.same("eth_getBlockByNumber", [numberToHex(author.history.newest), true], "the pool's block");
  await pair.same("txpool_status", [], "when nothing waits");
  await controls(author);
}

async function controls(author: Author): Promise<void> {
  const { pair } = author;
  const [ours, theirs] = await pair.both("evm_snapshot");
  pair.ours.alias("<snapshot>", ours);
  pair.theirs.alias("<snapshot>", theirs);
  const newest = author.history.newest;
  await author.tick();
  await pair.same("evm_mine");
  await pair.same("eth_getBalance", [bob.address, "latest"], "after a snapshot");
  await pair.same("evm_revert", ["<snapshot>"]);
  pair.ours.forget(newest + 1);
  pair.theirs.forget(newest + 1);
  await pair.same("eth_blockNumber", [], "after a revert");
  await pair.same("evm_revert", ["<snapshot>"], "twice");
  for (const [method, params] of [
    ["anvil_getAutomine", []],
    ["evm_setAutomine", [true]],
    ["anvil_setNonce", [carol.address, "0x40"]],
    ["anvil_setCode", ["0x00000000000000000000000000000000000000e1", "0x6001"]],
    ["anvil_setStorageAt", ["0x00000000000000000000000000000000000000e1", "0x0", numberToHex(5, { size: 32 })]],
    ["anvil_setBalance", ["0x00000000000000000000000000000000000000e1", "0x5"]],
    ["anvil_impersonateAccount", ["0x00000000000000000000000000000000000000e1"]],
    ["anvil_stopImpersonatingAccount", ["0x00000000000000000000000000000000000000e1"]],
    ["anvil_setNextBlockBaseFeePerGas", ["0x3b9aca00"]],
    ["anvil_setCoinbase", [bob.address]],
    ["evm_setBlockGasLimit", ["0x3938700"]],
  ] as const) {
    await pair.same(method, params);
    await author.level();
  }
}
