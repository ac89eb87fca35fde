// Transactions of every type, replacement, the pool, and signatures that contracts check.

import { createPublicClient, getAddress, http, parseEther, parseGwei, parseSignature, verifyTypedData, zeroAddress } from "viem";
import { anvil } from "viem/chains";
import { probe, token } from "../artifacts.ts";
import { assert, check, eventually, failure } from "../harness.ts";
import { act, alice, bob, carol, client, dave, deployProbe, deployToken, url, wallet } from "./context.ts";

export async function transactions(): Promise<void> {
  await types();
  await contracts();
  await delegation();
  await signatures();
  await pool();
}

async function types(): Promise<void> {
  const fees = async () => ({ gasPrice: (await client.getGasPrice()) * 2n });
  await check("legacy transaction", async () => {
    const hash = await client.sendTransaction({ type: "legacy", to: bob.address, value: 1n, ...(await fees()) });
    const receipt = await client.waitForTransactionReceipt({ hash });
    assert.equal(receipt.type, "legacy");
    assert.equal(receipt.status, "success");
    assert.equal(receipt.gasUsed, 21_000n);
    assert.equal((await client.getTransaction({ hash })).typeHex, "0x0");
  });
  await check("EIP-2930 transaction with an access list", async () => {
    const accessList = [{ address: bob.address, storageKeys: [`0x${"00".repeat(32)}`] }] as const;
    const hash = await client.sendTransaction({ type: "eip2930", to: bob.address, accessList, ...(await fees()) });
    const receipt = await client.waitForTransactionReceipt({ hash });
    assert.equal(receipt.type, "eip2930");
    assert.equal(receipt.gasUsed, 25_300n);
    assert.deepEqual((await client.getTransaction({ hash })).accessList?.length, 1);
  });
  await check("EIP-1559 transaction pays base fee and tip", async () => {
    const hash = await client.sendTransaction({
      to: bob.address,
      value: 1n,
      maxFeePerGas: parseGwei("20"),
      maxPriorityFeePerGas: parseGwei("2"),
    });
    const receipt = await client.waitForTransactionReceipt({ hash });
    const block = await client.getBlock({ blockHash: receipt.blockHash });
    assert.equal(receipt.type, "eip1559");
    assert.equal(receipt.effectiveGasPrice, block.baseFeePerGas! + parseGwei("2"));
    assert.equal(block.gasUsed, receipt.cumulativeGasUsed);
  });
  await check("a transaction that the chain's own account signs (eth_sendTransaction)", async () => {
    const hash = await client.request({
      method: "eth_sendTransaction",
      params: [{ from: carol.address, to: bob.address, value: "0x1" }],
    } as never) as `0x${string}`;
    assert.equal((await client.waitForTransactionReceipt({ hash })).status, "success");
  });
  await check("raw transaction, signed by hand", async () => {
    const request = await client.prepareTransactionRequest({ to: zeroAddress, value: 1n });
    const serializedTransaction = await client.signTransaction(request as never);
    const hash = await client.sendRawTransaction({ serializedTransaction });
    assert.equal((await client.waitForTransactionReceipt({ hash })).from, alice.address.toLowerCase());
  });
  await check("raw transaction, answered with its receipt (EIP-7966)", async () => {
    const request = await client.prepareTransactionRequest({ to: zeroAddress, value: 1n });
    const serializedTransaction = await client.signTransaction(request as never);
    const receipt = await client.sendRawTransactionSync({ serializedTransaction });
    assert.equal(receipt.status, "success");
  });
}

async function contracts(): Promise<void> {
  await check("deploy, estimate, simulate, write, read, event in the receipt", async () => {
    const address = await deployToken();
    const call = { address, abi: token.abi, functionName: "mint", args: [bob.address, 1000n] } as const;
    const gas = await client.estimateContractGas(call);
    const { request } = await client.simulateContract(call);
    const receipt = await client.waitForTransactionReceipt({ hash: await client.writeContract(request) });
    assert.ok(gas >= receipt.gasUsed && gas < receipt.gasUsed * 2n, `estimate ${gas}, used ${receipt.gasUsed}`);
    assert.equal(receipt.logs.length, 1);
    assert.equal(await client.readContract({ address, abi: token.abi, functionName: "balanceOf", args: [bob.address] }), 1000n);
  });
  await check("estimate is enough and exact for a transfer", async () => {
    assert.equal(await client.estimateGas({ to: bob.address, value: 1n }), 21_000n);
  });
  await check("a transaction that reverts has a receipt that says so", async () => {
    const address = await deployProbe();
    const hash = await client.writeContract({ address, abi: probe.abi, functionName: "set", args: [2_000_000n], gas: 100_000n });
    const receipt = await client.waitForTransactionReceipt({ hash });
    assert.equal(receipt.status, "reverted");
    assert.equal(receipt.logs.length, 0);
  });
  await check("contract creates contract; value travels", async () => {
    const address = await deployProbe();
    const receipt = await act(address, "spawn", [`0x${"11".repeat(32)}`, 9n], parseEther("1"));
    assert.equal(receipt.status, "success");
    const child = `0x${receipt.logs[0]!.topics[1]!.slice(26)}` as const;
    assert.equal(await client.getBalance({ address: child }), parseEther("1"));
  });
  await check("access list that the chain proposes makes the call run", async () => {
    const address = await deployProbe();
    const { accessList, gasUsed } = await client.createAccessList({ to: address, data: "0x8381f58a" });
    assert.equal(accessList[0]?.address.toLowerCase(), address.toLowerCase());
    assert.equal(accessList[0]?.storageKeys.length, 1);
    assert.ok(gasUsed > 21_000n);
  });
  await check("call with overridden state, code and block", async () => {
    const address = await deployProbe(7n);
    const read = (overrides: object) =>
      client.readContract({ address, abi: probe.abi, functionName: "number", ...overrides } as never);
    const slot = `0x${"00".repeat(32)}`;
    const value = `0x${"00".repeat(31)}2a`;
    assert.equal(await read({}), 7n);
    assert.equal(await read({ stateOverride: [{ address, stateDiff: [{ slot, value }] }] }), 42n);
    assert.equal(await read({ stateOverride: [{ address, state: [{ slot, value }] }] }), 42n);
    const elsewhere = "0x00000000000000000000000000000000c0de0000";
    const code = probe.deployedBytecode;
    assert.equal(
      await client.readContract({ address: elsewhere, abi: probe.abi, functionName: "number", stateOverride: [{ address: elsewhere, code }] }),
      0n,
    );
    const environment = (await client.readContract({
      address, abi: probe.abi, functionName: "environment", blockOverrides: { number: 1234n, time: 5_000_000_000n },
    })) as bigint[];
    assert.deepEqual(environment.slice(0, 3), [31337n, 1234n, 5_000_000_000n]);
    const caller = (await client.readContract({
      address, abi: probe.abi, functionName: "caller", account: stranger, stateOverride: [{ address: stranger, balance: 99n }],
    })) as unknown[];
    assert.deepEqual(caller, [getAddress(stranger), getAddress(stranger), 99n]);
  });
  await check("several calls simulated, one after the other", async () => {
    const address = await deployProbe(7n);
    const { results } = await client.simulateCalls({
      account: alice.address,
      calls: [
        { to: address, abi: probe.abi, functionName: "set", args: [8n] },
        { to: address, abi: probe.abi, functionName: "number" },
        { to: address, abi: probe.abi, functionName: "set", args: [2_000_000n] },
      ],
    } as never) as { results: any[] };
    assert.deepEqual(results.map(({ status }) => status), ["success", "success", "failure"]);
    assert.equal(results[1].result, 8n);
    assert.equal(results[0].logs.length, 1);
    assert.equal(await client.readContract({ address, abi: probe.abi, functionName: "number" }), 7n);
  });
  await check("block hashes inside the EVM", async () => {
    const address = await deployProbe();
    await client.mine({ blocks: 2 });
    const block = await client.getBlock({ blockNumber: (await client.getBlockNumber()) - 1n });
    assert.equal(await client.readContract({ address, abi: probe.abi, functionName: "hashOf", args: [block.number] }), block.hash);
  });
}

const stranger = "0x00000000000000000000000000000000000e111e";

async function delegation(): Promise<void> {
  await check("EIP-7702: an account gets code, acts as a contract, and gives it up", async () => {
    const target = await deployProbe();
    const authorization = await client.signAuthorization({ account: dave, contractAddress: target });
    const set = await client.sendTransaction({ authorizationList: [authorization], to: dave.address, data: "0x60fe47b10000000000000000000000000000000000000000000000000000000000000063" });
    const receipt = await client.waitForTransactionReceipt({ hash: set });
    assert.equal(receipt.type, "eip7702");
    assert.equal(receipt.status, "success");
    assert.equal(await client.getCode({ address: dave.address }), `0xef0100${target.slice(2).toLowerCase()}`);
    assert.equal(await client.readContract({ address: dave.address, abi: probe.abi, functionName: "number" }), 99n);
    assert.equal((await client.getTransaction({ hash: set })).authorizationList?.length, 1);
    const own = await wallet(dave).signAuthorization({ contractAddress: zeroAddress, executor: "self" });
    const cleared = await wallet(dave).sendTransaction({ authorizationList: [own], to: dave.address });
    await client.waitForTransactionReceipt({ hash: cleared });
    assert.equal(await client.getCode({ address: dave.address }), undefined);
  });
}

async function signatures(): Promise<void> {
  await check("EIP-712: a permit that the token accepts", async () => {
    const address = await deployToken();
    const domain = { name: "Sealwork Development Token", version: "1", chainId: 31337, verifyingContract: address };
    const types = {
      Permit: [
        { name: "owner", type: "address" },
        { name: "spender", type: "address" },
        { name: "value", type: "uint256" },
        { name: "nonce", type: "uint256" },
        { name: "deadline", type: "uint256" },
      ],
    } as const;
    const message = { owner: carol.address, spender: bob.address, value: 55n, nonce: 0n, deadline: 2n ** 40n };
    const typed = { domain, types, primaryType: "Permit", message } as const;
    const signature = await carol.signTypedData(typed);
    assert.ok(await verifyTypedData({ address: carol.address, signature, ...typed }));
    const { r, s, v } = parseSignature(signature);
    const args = [carol.address, bob.address, 55n, message.deadline, Number(v), r, s];
    await client.waitForTransactionReceipt({ hash: await client.writeContract({ address, abi: token.abi, functionName: "permit", args }) });
    assert.equal(await client.readContract({ address, abi: token.abi, functionName: "allowance", args: [carol.address, bob.address] }), 55n);
  });
  await check("the chain's own accounts sign messages and typed data", async () => {
    const message = "hello";
    const signed = await client.request({ method: "personal_sign", params: ["0x68656c6c6f", carol.address] } as never) as `0x${string}`;
    assert.ok(await client.verifyMessage({ address: carol.address, message, signature: signed }));
    const typed = {
      domain: { name: "conformance", chainId: 31337 },
      types: { EIP712Domain: [{ name: "name", type: "string" }, { name: "chainId", type: "uint256" }], Note: [{ name: "text", type: "string" }] },
      primaryType: "Note",
      message: { text: "hello" },
    } as const;
    const signature = await client.request({ method: "eth_signTypedData_v4", params: [carol.address, JSON.stringify(typed)] } as never) as `0x${string}`;
    assert.ok(await client.verifyTypedData({ address: carol.address, signature, ...typed } as never));
  });
}

async function pool(): Promise<void> {
  const waiting = async (count: number) => eventually(async () => (await client.getTxpoolStatus()).pending === count);
  await client.setAutomine(false);
  await check("a waiting transaction is visible: by hash, pending nonce, pending block, txpool_*", async () => {
    const nonce = await client.getTransactionCount({ address: alice.address });
    const hash = await client.sendTransaction({ to: bob.address, value: 3n, gas: 21_000n });
    await waiting(1);
    const tx = await client.getTransaction({ hash });
    assert.equal(tx.blockNumber, null);
    assert.equal(tx.transactionIndex, null);
    assert.equal(await client.getTransactionCount({ address: alice.address, blockTag: "pending" }), nonce + 1);
    assert.equal(await client.getTransactionCount({ address: alice.address }), nonce);
    const content = await client.getTxpoolContent();
    const own = Object.entries(content.pending).find(([from]) => from.toLowerCase() === alice.address.toLowerCase());
    assert.equal((own?.[1] as any)[nonce].hash, hash);
    const inspected = await client.inspectTxpool();
    assert.equal(Object.keys(inspected.pending).length, 1);
    assert.equal((await failure(client.getTransactionReceipt({ hash }))).name, "TransactionReceiptNotFoundError");
    await client.mine({ blocks: 1 });
    assert.equal((await client.waitForTransactionReceipt({ hash })).status, "success");
    await waiting(0);
  });
  await check("a gap in the nonces waits in the queue", async () => {
    const nonce = await client.getTransactionCount({ address: alice.address });
    const later = await client.sendTransaction({ to: bob.address, nonce: nonce + 1, gas: 21_000n });
    assert.deepEqual(await client.getTxpoolStatus(), { pending: 0, queued: 1 });
    const first = await client.sendTransaction({ to: bob.address, nonce, gas: 21_000n });
    await waiting(2);
    await client.mine({ blocks: 1 });
    const [a, b] = await Promise.all([first, later].map((hash) => client.waitForTransactionReceipt({ hash })));
    assert.deepEqual([a!.transactionIndex, b!.transactionIndex], [0, 1]);
    assert.equal(a!.blockHash, b!.blockHash);
  });
  await check("a replacement needs a higher fee, and then the client notices it", async () => {
    const nonce = await client.getTransactionCount({ address: alice.address });
    const low = { to: bob.address, value: 1n, nonce, gas: 21_000n, maxFeePerGas: parseGwei("10"), maxPriorityFeePerGas: parseGwei("1") };
    const replaced = await client.sendTransaction(low);
    await waiting(1);
    const cheap = await failure(client.sendTransaction({ ...low, value: 2n }));
    assert.match(cheap.details ?? cheap.message, /underpriced/);
    let noticed: string | undefined;
    let looked = false;
    const observer = createPublicClient({
      chain: anvil,
      transport: http(url, {
        onFetchResponse: async (response) => {
          const { result } = (await response.clone().json()) as { result?: { transactions?: unknown[] } };
          looked ||= result?.transactions !== undefined;
        },
      }),
      pollingInterval: 20,
      cacheTime: 0,
    });
    const receipt = observer.waitForTransactionReceipt({ hash: replaced, onReplaced: ({ reason }) => (noticed = reason) });
    // The client misses blocks that come while it is still busy with the one before.
    await eventually(async () => looked);
    const winner = await client.sendTransaction({ ...low, value: 2n, maxFeePerGas: parseGwei("20"), maxPriorityFeePerGas: parseGwei("2") });
    await waiting(1);
    await client.mine({ blocks: 1 });
    assert.equal((await receipt).transactionHash, winner);
    assert.equal(noticed, "replaced");
    assert.equal((await failure(client.getTransaction({ hash: replaced }))).name, "TransactionNotFoundError");
  });
  await check("a waiting transaction is dropped on request", async () => {
    const hash = await client.sendTransaction({ to: bob.address, gas: 21_000n });
    await waiting(1);
    await client.dropTransaction({ hash });
    await waiting(0);
  });
  await client.setAutomine(true);
}
