// ethers v6 against the chain at CHAIN_URL.

import { readFileSync } from "node:fs";
import {
  AbiCoder, Contract, ContractFactory, HDNodeWallet, Interface, JsonRpcProvider, Mnemonic, NonceManager, Transaction, WebSocketProvider,
  ZeroAddress, getBytes, id, isError, keccak256, parseEther, parseUnits, toBeHex, verifyMessage, verifyTypedData,
} from "ethers";
import { assert, check, eventually, failure, finish, required, socketUrl } from "./harness.ts";

const url = required("CHAIN_URL");
const artifact = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const token = artifact("../../contracts/artifacts/DevToken.json");
const probe = artifact("../foundry/out/Probe.sol/Probe.json");
const mnemonic = Mnemonic.fromPhrase("test test test test test test test test test test test junk");

const provider = new JsonRpcProvider(url, undefined, { polling: true, pollingInterval: 20, cacheTimeout: -1 });
const account = (index) => HDNodeWallet.fromMnemonic(mnemonic, `m/44'/60'/0'/0/${index}`).connect(provider);
const [alice, bob, carol] = [5, 6, 7].map(account);

async function deploy(json, ...args) {
  const code = json.bytecode.object ?? json.bytecode;
  const contract = await new ContractFactory(json.abi, code, alice).deploy(...args);
  return contract.waitForDeployment();
}

async function reads() {
  await check("network", async () => assert.equal((await provider.getNetwork()).chainId, 31337n));
  await check("blocks by tag, number and hash", async () => {
    await provider.send("evm_mine", []);
    const latest = await provider.getBlock("latest");
    assert.equal(latest.number, await provider.getBlockNumber());
    assert.equal((await provider.getBlock(latest.hash)).number, latest.number);
    assert.equal((await provider.getBlock("earliest")).number, 0);
    for (const tag of ["safe", "finalized", "pending"]) assert.ok(await provider.getBlock(tag));
    assert.equal(await provider.getBlock(10_000_000), null);
  });
  await check("full transactions in a block", async () => {
    const sent = await (await alice.sendTransaction({ to: bob.address, value: 1n })).wait();
    const block = await provider.getBlock(sent.blockNumber, true);
    assert.equal(block.prefetchedTransactions[0].hash, sent.hash);
  });
  await check("balance, nonce, code, storage", async () => {
    assert.ok((await provider.getBalance(alice.address)) > parseEther("9000"));
    assert.ok((await provider.getTransactionCount(alice.address)) > 0);
    assert.equal(await provider.getCode(alice.address), "0x");
    const contract = await deploy(probe, 12n);
    assert.equal(await provider.getStorage(contract.target, 0), toBeHex(12n, 32));
  });
  await check("fee data", async () => {
    const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData();
    assert.ok(gasPrice > 0n && maxFeePerGas >= maxPriorityFeePerGas);
  });
  await check("fee history", async () => {
    const history = await provider.send("eth_feeHistory", ["0x2", "latest", [25, 75]]);
    assert.equal(history.reward.length, 2);
  });
  await check("proof", async () => {
    const proof = await provider.send("eth_getProof", [alice.address, [], "latest"]);
    assert.equal(keccak256(proof.accountProof[0]), (await provider.getBlock("latest")).stateRoot);
  });
}

async function transactions() {
  const send = async (request) => (await (await alice.sendTransaction(request)).wait());
  await check("types 0, 1 and 2", async () => {
    const gasPrice = parseUnits("20", "gwei");
    assert.equal((await send({ type: 0, to: bob.address, gasPrice })).type, 0);
    const accessList = [{ address: bob.address, storageKeys: [] }];
    assert.equal((await send({ type: 1, to: bob.address, gasPrice, accessList })).type, 1);
    const receipt = await send({ to: bob.address, value: 1n });
    assert.equal(receipt.type, 2);
    assert.equal(receipt.fee, receipt.gasUsed * receipt.gasPrice);
  });
  await check("type 4 sets and clears code", async () => {
    const target = await deploy(probe, 1n);
    const authorization = await carol.authorize({ address: target.target });
    const receipt = await send({ type: 4, to: carol.address, value: 0n, authorizationList: [authorization] });
    assert.equal(receipt.type, 4);
    assert.equal(await provider.getCode(carol.address), `0xef0100${target.target.slice(2).toLowerCase()}`);
    const tx = await provider.getTransaction(receipt.hash);
    assert.equal(tx.authorizationList.length, 1);
    const clear = await carol.authorize({ address: ZeroAddress });
    await send({ type: 4, to: carol.address, authorizationList: [clear] });
    assert.equal(await provider.getCode(carol.address), "0x");
  });
  await check("what was sent is what the chain returns, byte for byte", async () => {
    const populated = await alice.populateTransaction({ to: bob.address, value: 9n, data: "0x1234" });
    const signed = await alice.signTransaction(populated);
    const receipt = await (await provider.broadcastTransaction(signed)).wait();
    const { hash, from } = await provider.getTransaction(receipt.hash);
    assert.equal(hash, Transaction.from(signed).hash);
    assert.equal(from, alice.address);
  });
  await check("a signer of the chain", async () => {
    const signer = await provider.getSigner(0);
    const receipt = await (await signer.sendTransaction({ to: bob.address, value: 1n })).wait();
    assert.equal(receipt.status, 1);
  });
  await check("many transactions at once keep their order", async () => {
    const manager = new NonceManager(account(8));
    const sent = await Promise.all(Array.from({ length: 10 }, (_, i) => manager.sendTransaction({ to: bob.address, value: BigInt(i), gasLimit: 21_000 })));
    const receipts = await Promise.all(sent.map((tx) => tx.wait()));
    assert.ok(receipts.every(({ status }) => status === 1));
  });
  await check("a failed transaction throws with its receipt", async () => {
    const contract = await deploy(probe, 1n);
    const error = await failure((await contract.set(2_000_000n, { gasLimit: 100_000 })).wait());
    assert.ok(isError(error, "CALL_EXCEPTION"));
    assert.equal(error.receipt.status, 0);
  });
  await check("a replacement is noticed", async () => {
    await provider.send("evm_setAutomine", [false]);
    try {
      const nonce = await alice.getNonce();
      const low = await alice.sendTransaction({ to: bob.address, nonce, gasLimit: 21_000, maxFeePerGas: parseUnits("10", "gwei"), maxPriorityFeePerGas: 1n });
      await eventually(() => provider.getTransaction(low.hash));
      let noticed;
      const waiting = failure(low.wait(1, 8_000)).then((error) => (noticed = error));
      const high = await alice.sendTransaction({ to: bob.address, nonce, value: 1n, gasLimit: 21_000, maxFeePerGas: parseUnits("30", "gwei"), maxPriorityFeePerGas: parseUnits("2", "gwei") });
      await eventually(() => provider.getTransaction(high.hash));
      // The library looks at each new block, and the first may come before it listens.
      await eventually(async () => (await provider.send("evm_mine", []), noticed));
      const error = await waiting;
      assert.ok(isError(error, "TRANSACTION_REPLACED"), error.message);
      assert.equal(error.replacement.hash, high.hash);
    } finally {
      await provider.send("evm_setAutomine", [true]);
    }
  });
}

async function contracts() {
  await check("deploy, call, static call, estimate, send, event", async () => {
    const contract = await deploy(token);
    assert.equal(await contract.symbol(), "SWDEV");
    const gas = await contract.mint.estimateGas(bob.address, 500n);
    const receipt = await (await contract.mint(bob.address, 500n)).wait();
    assert.ok(gas >= receipt.gasUsed);
    assert.deepEqual([...contract.interface.parseLog(receipt.logs[0]).args], [ZeroAddress, bob.address, 500n]);
    assert.equal(await contract.balanceOf(bob.address), 500n);
    assert.equal(await contract.transfer.staticCall(bob.address, 0n), true);
  });
  await check("past events by name, argument and range", async () => {
    const contract = await deploy(probe, 3n);
    const { blockNumber, blockHash } = await (await contract.fill(0n, 6n)).wait();
    assert.equal((await contract.queryFilter("Pinged", blockNumber)).length, 6);
    assert.equal((await contract.queryFilter(contract.filters.Pinged(null, [2n, 3n]), blockNumber)).length, 2);
    assert.equal((await provider.getLogs({ address: contract.target, blockHash })).length, 6);
    assert.equal((await provider.getLogs({ address: [contract.target], fromBlock: 0, topics: [[id("Pinged(address,uint256)"), id("NumberSet(address,uint256,string)")]] })).length, 7);
  });
  await check("eth_call with overrides", async () => {
    const contract = await deploy(probe, 3n);
    const request = { to: contract.target, data: contract.interface.encodeFunctionData("number") };
    const overrides = { [contract.target]: { stateDiff: { [toBeHex(0, 32)]: toBeHex(77, 32) } } };
    assert.equal(BigInt(await provider.send("eth_call", [request, "latest", overrides])), 77n);
  });
  await check("access list", async () => {
    const contract = await deploy(probe, 3n);
    const request = { from: alice.address, to: contract.target, data: contract.interface.encodeFunctionData("number") };
    const { accessList } = await provider.send("eth_createAccessList", [request, "latest"]);
    assert.equal(accessList[0].storageKeys[0], toBeHex(0, 32));
  });
}

async function failures() {
  const contract = await deploy(probe, 1n);
  await check("custom error, text, panic, nothing", async () => {
    const custom = await failure(contract.set.staticCall(2_000_000n));
    assert.equal(custom.revert.name, "TooLarge");
    assert.deepEqual([...custom.revert.args], [2_000_000n, 1_000_000n]);
    assert.equal((await failure(contract.failWithText())).reason, "the probe refuses");
    assert.equal((await failure(contract.divide(0n))).revert.args[0], 18);
    assert.ok(isError(await failure(contract.failSilently()), "CALL_EXCEPTION"));
    const sent = await failure(contract.set(2_000_000n));
    assert.equal(new Interface(probe.abi).parseError(sent.data).name, "TooLarge");
  });
  await check("nonce too low, no funds, underpriced: the library's own error codes", async () => {
    const nonce = await failure(alice.sendTransaction({ to: bob.address, nonce: 0, gasLimit: 21_000 }));
    assert.ok(isError(nonce, "NONCE_EXPIRED"), `${nonce.code}: ${nonce.message}`);
    const poor = await failure(alice.sendTransaction({ to: bob.address, value: parseEther("100000"), gasLimit: 21_000 }));
    assert.ok(isError(poor, "INSUFFICIENT_FUNDS"), `${poor.code}: ${poor.message}`);
  });
  await check("unknown method", async () => {
    const error = await failure(provider.send("eth_nothing", []));
    assert.ok(isError(error, "UNSUPPORTED_OPERATION") || error.error?.code === -32601, error.message);
  });
}

async function signatures() {
  await check("typed data: the wallet's and the chain's own signature", async () => {
    const domain = { name: "conformance", version: "1", chainId: 31337, verifyingContract: ZeroAddress };
    const types = { Note: [{ name: "text", type: "string" }, { name: "weights", type: "uint256[]" }] };
    const value = { text: "hello", weights: [1n, 2n] };
    assert.equal(verifyTypedData(domain, types, value, await alice.signTypedData(domain, types, value)), alice.address);
    const signer = await provider.getSigner(1);
    assert.equal(verifyTypedData(domain, types, value, await signer.signTypedData(domain, types, value)), await signer.getAddress());
    assert.equal(verifyMessage("hello", await signer.signMessage("hello")), await signer.getAddress());
  });
  await check("permit", async () => {
    const contract = await deploy(token);
    const domain = { name: "Sealwork Development Token", version: "1", chainId: 31337, verifyingContract: contract.target };
    const fields = ["address owner", "address spender", "uint256 value", "uint256 nonce", "uint256 deadline"];
    const types = { Permit: fields.map((field) => ({ type: field.split(" ")[0], name: field.split(" ")[1] })) };
    const value = { owner: carol.address, spender: bob.address, value: 5n, nonce: 0n, deadline: 2n ** 40n };
    const signature = getBytes(await carol.signTypedData(domain, types, value));
    const [r, s] = AbiCoder.defaultAbiCoder().decode(["bytes32", "bytes32"], signature.slice(0, 64));
    await (await contract.permit(carol.address, bob.address, 5n, 2n ** 40n, signature[64], r, s)).wait();
    assert.equal(await contract.allowance(carol.address, bob.address), 5n);
  });
}

async function news() {
  await check("polled events of a contract", async () => {
    const contract = await deploy(probe, 1n);
    const seen = [];
    await contract.on("Pinged", (_, round) => seen.push(round));
    await (await contract.fill(0n, 3n)).wait();
    await eventually(async () => seen.length === 3);
    await contract.removeAllListeners();
  });
  const socket = new WebSocketProvider(socketUrl(url));
  await check("subscriptions: blocks, pending transactions, logs", async () => {
    const contract = new Contract((await deploy(probe, 1n)).target, probe.abi, socket);
    const blocks = [];
    const pending = [];
    const rounds = [];
    await socket.on("block", (number) => blocks.push(number));
    await socket.on("pending", (hash) => pending.push(hash));
    await contract.on("Pinged", (_, round) => rounds.push(round));
    await eventually(async () => (await provider.send("evm_mine", []), blocks.length > 0));
    const sent = await contract.connect(alice).fill(0n, 2n);
    await sent.wait();
    await eventually(async () => rounds.length === 2 && pending.includes(sent.hash) && blocks.includes((await provider.getTransactionReceipt(sent.hash)).blockNumber));
  });
  await socket.destroy();
}

async function controls() {
  await check("snapshot, time travel, impersonation", async () => {
    const snapshot = await provider.send("evm_snapshot", []);
    const before = await provider.getBlock("latest");
    await provider.send("evm_increaseTime", [1000]);
    await provider.send("evm_mine", []);
    assert.ok((await provider.getBlock("latest")).timestamp >= before.timestamp + 1000);
    const stranger = "0x00000000000000000000000000000000000e111e";
    await provider.send("anvil_setBalance", [stranger, toBeHex(parseEther("1"))]);
    await provider.send("anvil_impersonateAccount", [stranger]);
    const signer = await provider.getSigner(stranger).catch(() => undefined);
    const hash = await (signer?.sendUncheckedTransaction({ to: bob.address, value: 1n })
      ?? provider.send("eth_sendTransaction", [{ from: stranger, to: bob.address, value: "0x1" }]));
    assert.equal((await provider.waitForTransaction(hash)).status, 1);
    await provider.send("anvil_stopImpersonatingAccount", [stranger]);
    assert.equal(await provider.send("evm_revert", [snapshot]), true);
    assert.equal(BigInt(await provider.send("eth_blockNumber", [])), BigInt(before.number));
  });
  await check("trace", async () => {
    const contract = await deploy(probe, 1n);
    const { hash } = await (await contract.catchInner()).wait();
    const frame = await provider.send("debug_traceTransaction", [hash, { tracer: "callTracer" }]);
    assert.equal(frame.calls.length, 1);
  });
}

await reads();
await transactions();
await contracts();
await failures();
await signatures();
await news();
await controls();
finish();
