// What goes wrong, and how a client learns it.

import { type BaseError, ContractFunctionRevertedError, createPublicClient, http, parseEther, toFunctionSelector } from "viem";
import { probe } from "../artifacts.ts";
import { ask, assert, check, failure, post } from "../harness.ts";
import { alice, bob, carol, client, deployProbe, url, wallet } from "./context.ts";

export async function errors(): Promise<void> {
  await reverts();
  await refusals();
  await protocol();
  await batches();
}

async function reverts(): Promise<void> {
  const address = await deployProbe();
  const revert = async (functionName: string, args: unknown[] = []) => {
    const error: BaseError = await failure(client.simulateContract({ address, abi: probe.abi, functionName, args }));
    return error.walk((cause) => cause instanceof ContractFunctionRevertedError) as ContractFunctionRevertedError;
  };
  await check("custom error with arguments", async () => {
    const { data } = await revert("set", [2_000_000n]);
    assert.equal(data?.errorName, "TooLarge");
    assert.deepEqual(data?.args, [2_000_000n, 1_000_000n]);
  });
  await check("revert with a text", async () => assert.equal((await revert("failWithText")).reason, "the probe refuses"));
  await check("panic", async () => {
    const { data, reason } = await revert("divide", [0n]);
    assert.equal(data?.errorName, "Panic");
    assert.deepEqual(data?.args, [18n]);
    assert.match(reason ?? "", /zero/i);
  });
  await check("revert without data", async () => {
    const error = await failure(client.simulateContract({ address, abi: probe.abi, functionName: "failSilently" }));
    assert.match(error.message, /revert/);
  });
  await check("revert data in eth_call and eth_estimateGas, code 3", async () => {
    const request = { from: alice.address, to: address, data: "0x60fe47b1" + "ff".repeat(32) };
    for (const method of ["eth_call", "eth_estimateGas"]) {
      const { error } = await ask(url, method, [request]);
      assert.equal(error.code, 3, method);
      assert.match(error.message, /execution reverted/);
      assert.equal(error.data.slice(0, 10), toFunctionSelector("TooLarge(uint256,uint256)"));
      assert.equal(error.data.length, 2 + 8 + 128);
    }
  });
  await check("an invalid operation is an error", async () => {
    const { error } = await ask(url, "eth_call", [{ to: address, data: toFunctionSelector("failInvalid()") }]);
    assert.ok(error.code < 0, JSON.stringify(error));
  });
}

async function refusals(): Promise<void> {
  await check("nonce too low", async () => {
    const error = await failure(client.sendTransaction({ to: bob.address, nonce: 0, gas: 21_000n }));
    assert.ok((error as BaseError).walk((cause) => (cause as Error).name === "NonceTooLowError"), error.message);
  });
  await check("insufficient funds", async () => {
    const error = await failure(wallet(carol).sendTransaction({ to: bob.address, value: parseEther("1000000"), gas: 21_000n }));
    assert.ok((error as BaseError).walk((cause) => (cause as Error).name === "InsufficientFundsError"), error.message);
  });
  await check("gas limit below the intrinsic cost", async () => {
    const error = await failure(client.sendTransaction({ to: bob.address, gas: 20_000n }));
    assert.ok((error as BaseError).walk((cause) => (cause as Error).name === "IntrinsicGasTooLowError"), error.message);
  });
  await check("tip above the fee cap", async () => {
    const error = await failure(
      client.request({ method: "eth_call", params: [{ from: alice.address, to: bob.address, maxFeePerGas: "0x1", maxPriorityFeePerGas: "0x2" }, "latest"] } as never),
    );
    assert.match(error.details, /priority.fee|tip/i);
  });
  await check("a transaction for another chain", async () => {
    const request = await client.prepareTransactionRequest({ to: bob.address, gas: 21_000n });
    const serializedTransaction = await alice.signTransaction({ ...(request as object), chainId: 1 } as never);
    await failure(client.sendRawTransaction({ serializedTransaction }));
  });
  await check("the same transaction twice", async () => {
    const request = await client.prepareTransactionRequest({ to: bob.address, gas: 21_000n });
    const serializedTransaction = await alice.signTransaction(request as never);
    await client.waitForTransactionReceipt({ hash: await client.sendRawTransaction({ serializedTransaction }) });
    await failure(client.sendRawTransaction({ serializedTransaction }));
  });
}

async function protocol(): Promise<void> {
  const code = async (method: string, params: unknown) => (await ask(url, method, params)).error?.code;
  await check("unknown method: -32601", async () => assert.equal(await code("eth_nothing", []), -32601));
  await check("bad parameters: -32602", async () => {
    assert.equal(await code("eth_getBalance", ["0x1234", "latest"]), -32602);
    assert.equal(await code("eth_getBalance", []), -32602);
    assert.equal(await code("eth_getBlockByNumber", ["newest", false]), -32602);
    assert.equal(await code("eth_getTransactionByHash", ["0x12"]), -32602);
  });
  await check("not JSON and not a request: -32700 or -32600", async () => {
    for (const body of ["{", '{"a":1}']) assert.ok([-32700, -32600].includes((await post(url, body)).error.code), body);
  });
  await check("unknown transaction and receipt: null", async () => {
    const hash = `0x${"ab".repeat(32)}`;
    assert.equal((await ask(url, "eth_getTransactionByHash", [hash])).result, null);
    assert.equal((await ask(url, "eth_getTransactionReceipt", [hash])).result, null);
  });
  await check("not a transaction", async () => assert.ok((await ask(url, "eth_sendRawTransaction", ["0x1234"])).error));
}

async function batches(): Promise<void> {
  await check("a batch of a client", async () => {
    const batched = createPublicClient({ transport: http(url, { batch: { wait: 5 } }) });
    const numbers = await Promise.all([
      batched.getChainId(),
      batched.getBalance({ address: alice.address }),
      batched.getBlock(),
      batched.getTransactionCount({ address: alice.address }),
    ]);
    assert.equal(numbers[0], 31337);
  });
  await check("a batch keeps ids and mixes results with errors", async () => {
    const answers = await post(url, [
      { jsonrpc: "2.0", id: "a", method: "eth_chainId", params: [] },
      { jsonrpc: "2.0", id: 7, method: "eth_nothing", params: [] },
      { jsonrpc: "2.0", id: null, method: "net_version", params: [] },
    ]);
    const byId = new Map(answers.map((answer: any) => [answer.id, answer]));
    assert.equal((byId.get("a") as any).result, "0x7a69");
    assert.equal((byId.get(7) as any).error.code, -32601);
    assert.equal(answers.length, 3);
  });
}
