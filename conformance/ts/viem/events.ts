// Logs: by range, topics and block hash; filters that are polled; subscriptions over WebSocket.

import { createPublicClient, webSocket, zeroAddress } from "viem";
import { anvil } from "viem/chains";
import { probe } from "../artifacts.ts";
import { assert, check, eventually, failure, socketUrl } from "../harness.ts";
import { act, alice, bob, client, deployProbe, url } from "./context.ts";

export async function events(): Promise<void> {
  await queries();
  await filters();
  await subscriptions();
}

async function queries(): Promise<void> {
  await check("logs by range, by topic, by alternatives, by block hash", async () => {
    const address = await deployProbe();
    const fromBlock = await client.getBlockNumber();
    const receipt = await act(address, "fill", [0n, 5n]);
    await act(address, "set", [5n]);
    const range = { address, fromBlock, toBlock: "latest" } as const;
    assert.equal((await client.getLogs(range)).length, 7);
    const named = await client.getContractEvents({ ...range, abi: probe.abi, eventName: "NumberSet" });
    assert.equal(named.length, 2);
    assert.deepEqual((named[1] as any).args, { by: alice.address, number: 5n, note: "set" });
    const one = await client.getContractEvents({ ...range, abi: probe.abi, eventName: "Pinged", args: { round: 3n } });
    assert.equal(one.length, 1);
    const some = await client.getContractEvents({ ...range, abi: probe.abi, eventName: "Pinged", args: { round: [1n, 4n, 9n] } });
    assert.equal(some.length, 2);
    const stranger = await client.getContractEvents({ ...range, abi: probe.abi, eventName: "Pinged", args: { by: zeroAddress } });
    assert.equal(stranger.length, 0);
    const inBlock = await client.getLogs({ address, blockHash: receipt.blockHash });
    assert.deepEqual(inBlock.map(({ logIndex }) => logIndex), [0, 1, 2, 3, 4]);
    assert.deepEqual(inBlock, receipt.logs);
  });
  await check("logs of several addresses; none of an empty range", async () => {
    const first = await deployProbe();
    const fromBlock = await client.getBlockNumber();
    const second = await deployProbe();
    await act(first, "set", [1n]);
    assert.equal((await client.getLogs({ address: [first, second], fromBlock, toBlock: "latest" })).length, 3);
    assert.deepEqual(await client.getLogs({ address: bob.address, fromBlock }), []);
  });
}

async function filters(): Promise<void> {
  await check("log filter: what is new, and everything again", async () => {
    const address = await deployProbe();
    const filter = await client.createContractEventFilter({ address, abi: probe.abi, eventName: "Pinged" });
    assert.deepEqual(await client.getFilterChanges({ filter }), []);
    await act(address, "fill", [0n, 3n]);
    assert.equal((await client.getFilterChanges({ filter })).length, 3);
    assert.deepEqual(await client.getFilterChanges({ filter }), []);
    await act(address, "fill", [0n, 1n]);
    assert.equal((await client.getFilterChanges({ filter })).length, 1);
    assert.equal(await client.uninstallFilter({ filter }), true);
    assert.equal(await client.uninstallFilter({ filter }), false);
    await failure(client.getFilterChanges({ filter }));
  });
  await check("log filter over past blocks answers them", async () => {
    const address = await deployProbe();
    const fromBlock = await client.getBlockNumber();
    await act(address, "fill", [0n, 2n]);
    const filter = await client.createEventFilter({ address, fromBlock });
    assert.equal((await client.getFilterLogs({ filter })).length, 3);
  });
  await check("block filter", async () => {
    const filter = await client.createBlockFilter();
    await client.mine({ blocks: 3 });
    const hashes = await client.getFilterChanges({ filter });
    assert.equal(hashes.length, 3);
    assert.equal(hashes[2], (await client.getBlock()).hash);
  });
  await check("pending transaction filter", async () => {
    const filter = await client.createPendingTransactionFilter();
    const hash = await client.sendTransaction({ to: bob.address });
    const seen = await eventually(async () => {
      const hashes = await client.getFilterChanges({ filter });
      return hashes.length > 0 && hashes;
    });
    assert.deepEqual(seen, [hash]);
  });
}

async function subscriptions(): Promise<void> {
  const live = createPublicClient({ chain: anvil, transport: webSocket(socketUrl(url), { reconnect: false }) });
  await check("requests over WebSocket", async () => {
    assert.equal(await live.getChainId(), 31337);
    assert.equal(await live.getBlockNumber({ cacheTime: 0 }), await client.getBlockNumber());
  });
  await check("newHeads", async () => {
    const seen: bigint[] = [];
    const stop = live.watchBlockNumber({ onBlockNumber: (number) => seen.push(number), onError: (error) => { throw error; } });
    // The first blocks may be mined before the subscription stands.
    await eventually(async () => (await client.mine({ blocks: 1 }), seen.length >= 3));
    stop();
    for (const [index, number] of seen.entries()) assert.equal(number, seen[0]! + BigInt(index));
  });
  await check("logs", async () => {
    const address = await deployProbe();
    const seen: unknown[] = [];
    const { unsubscribe } = await live.transport.subscribe({
      params: ["logs", { address }] as never,
      onData: (data: any) => seen.push(data.result),
    });
    const receipt = await act(address, "fill", [0n, 3n]);
    await eventually(async () => seen.length === 3);
    assert.deepEqual(
      seen.map((log: any) => [log.transactionHash, BigInt(log.logIndex), log.removed]),
      receipt.logs.map((log) => [log.transactionHash, BigInt(log.logIndex), false]),
    );
    await unsubscribe();
    await act(address, "fill", [0n, 1n]);
    assert.equal(seen.length, 3);
  });
  await check("newPendingTransactions", async () => {
    const seen: string[] = [];
    const { unsubscribe } = await live.transport.subscribe({
      params: ["newPendingTransactions"],
      onData: (data: any) => seen.push(data.result),
    });
    const hash = await client.sendTransaction({ to: bob.address });
    await eventually(async () => seen.includes(hash));
    await unsubscribe();
  });
  await check("an unknown subscription is refused", async () => {
    await failure(live.transport.subscribe({ params: ["nothingOfTheKind"] as never, onData: () => {} }));
  });
  const rpcClient = await live.transport.getRpcClient();
  rpcClient.close();
}
