// debug_traceTransaction and debug_traceCall with the tracers that tools use.

import { encodeFunctionData, type Hex, toFunctionSelector } from "viem";
import { probe } from "../artifacts.ts";
import { assert, check } from "../harness.ts";
import { act, alice, client, deployProbe } from "./context.ts";

const trace = (hash: Hex, options: object = {}): Promise<any> =>
  client.request({ method: "debug_traceTransaction", params: [hash, options] } as never);

export async function traces(): Promise<void> {
  await check("callTracer: calls within calls, failures inside, logs", async () => {
    const address = await deployProbe();
    const { transactionHash, gasUsed } = await act(address, "catchInner");
    const frame = await trace(transactionHash, { tracer: "callTracer", tracerConfig: { withLog: true } });
    assert.equal(frame.type, "CALL");
    assert.equal(frame.from, alice.address.toLowerCase());
    assert.equal(frame.to, address.toLowerCase());
    assert.equal(BigInt(frame.gasUsed), gasUsed);
    assert.equal(frame.logs.length, 1);
    assert.equal(frame.calls.length, 1);
    assert.equal(frame.calls[0].error, "execution reverted");
    assert.equal(frame.calls[0].output.slice(0, 10), toFunctionSelector("TooLarge(uint256,uint256)"));
  });
  await check("callTracer: top call only", async () => {
    const address = await deployProbe();
    const { transactionHash } = await act(address, "catchInner");
    const frame = await trace(transactionHash, { tracer: "callTracer", tracerConfig: { onlyTopCall: true } });
    assert.equal(frame.calls, undefined);
  });
  await check("callTracer: creation and its reason of failure", async () => {
    const address = await deployProbe();
    const { transactionHash } = await act(address, "spawn", [`0x${"22".repeat(32)}`, 3n]);
    const frame = await trace(transactionHash, { tracer: "callTracer" });
    assert.deepEqual(frame.calls.map(({ type }: any) => type), ["CREATE2", "STATICCALL", "CALL"]);
    const hash = await client.writeContract({ address, abi: probe.abi, functionName: "failWithText", gas: 100_000n });
    await client.waitForTransactionReceipt({ hash });
    assert.equal((await trace(hash, { tracer: "callTracer" })).revertReason, "the probe refuses");
  });
  await check("prestateTracer: before, and the difference", async () => {
    const address = await deployProbe(7n);
    const { transactionHash } = await act(address, "set", [8n]);
    const before = await trace(transactionHash, { tracer: "prestateTracer" });
    const slot = `0x${"00".repeat(32)}`;
    assert.equal(BigInt(before[address.toLowerCase()].storage[slot]), 7n);
    const difference = await trace(transactionHash, { tracer: "prestateTracer", tracerConfig: { diffMode: true } });
    assert.equal(BigInt(difference.pre[address.toLowerCase()].storage[slot]), 7n);
    assert.equal(BigInt(difference.post[address.toLowerCase()].storage[slot]), 8n);
    assert.equal(difference.post[alice.address.toLowerCase()].nonce, difference.pre[alice.address.toLowerCase()].nonce + 1);
  });
  await check("struct logs: every step, with stack, memory and storage on request", async () => {
    const address = await deployProbe();
    const { transactionHash, gasUsed } = await act(address, "set", [8n]);
    const steps = await trace(transactionHash, { enableMemory: true });
    assert.equal(steps.failed, false);
    assert.equal(BigInt(steps.gas), gasUsed);
    assert.equal(steps.structLogs[0].pc, 0);
    assert.ok(steps.structLogs.some(({ op }: any) => op === "SSTORE"));
    assert.ok(steps.structLogs.some(({ memory }: any) => memory?.length > 0));
    const lean = await trace(transactionHash, { disableStack: true, disableStorage: true });
    assert.ok(!lean.structLogs.some(({ stack }: any) => stack?.length > 0));
  });
  await check("4byteTracer, noopTracer", async () => {
    const address = await deployProbe();
    const { transactionHash } = await act(address, "set", [8n]);
    assert.deepEqual(await trace(transactionHash, { tracer: "4byteTracer" }), { "0x60fe47b1-32": 1 });
    assert.deepEqual(await trace(transactionHash, { tracer: "noopTracer" }), {});
  });
  await check("debug_traceCall", async () => {
    const address = await deployProbe();
    const data = encodeFunctionData({ abi: probe.abi, functionName: "catchInner" });
    const frame: any = await client.request({
      method: "debug_traceCall",
      params: [{ from: alice.address, to: address, data }, "latest", { tracer: "callTracer" }],
    } as never);
    assert.equal(frame.calls.length, 1);
  });
  await check("an old transaction is traced in the state it met", async () => {
    const address = await deployProbe(1n);
    const { transactionHash } = await act(address, "set", [2n]);
    await act(address, "set", [3n]);
    await client.mine({ blocks: 3 });
    const before = await trace(transactionHash, { tracer: "prestateTracer" });
    assert.equal(BigInt(before[address.toLowerCase()].storage[`0x${"00".repeat(32)}`]), 1n);
  });
}
