// The history that both chains get: the same signed transactions in the same blocks at the same times.

import { encodeDeployData, encodeFunctionData, getContractAddress, type Hex, numberToHex, parseEther, parseGwei, zeroAddress } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { MNEMONIC, probe, token } from "../artifacts.ts";
import { eventually, rpc } from "../harness.ts";
import type { Pair } from "./pair.ts";

const CHAIN_ID = 31337;
const FEES = { maxFeePerGas: parseGwei("30"), maxPriorityFeePerGas: parseGwei("1") };

export const accounts = [0, 1, 2, 3].map((addressIndex) => mnemonicToAccount(MNEMONIC, { addressIndex }));
export const [alice, bob, carol, dave] = accounts as [Account, Account, Account, Account];
type Account = Required<ReturnType<typeof mnemonicToAccount>>;

/** An account without a key. */
export const whale = "0x00000000000000000000000000000000000b19f1";

/** What happened, for the questions that follow. */
export interface History {
  probe: Hex;
  token: Hex;
  child: Hex;
  /** Hashes by what the transaction does. */
  transactions: Record<string, Hex>;
  /** Number of the newest block. */
  newest: number;
}

/** Sends transactions one by one, a block for each. */
export class Author {
  readonly history: History;
  readonly #nonces = new Map<string, number>();
  #time: number;

  constructor(
    readonly pair: Pair,
    start: number,
  ) {
    this.#time = start;
    const made = (nonce: bigint) => getContractAddress({ from: alice.address, nonce }).toLowerCase() as Hex;
    this.history = { probe: made(0n), token: made(1n), child: zeroAddress, transactions: {}, newest: 0 };
  }

  /** Signs a transaction with the next nonce of its sender. */
  async sign(signer: Account, request: object): Promise<Hex> {
    const nonce = this.#nonces.get(signer.address) ?? 0;
    this.#nonces.set(signer.address, nonce + 1);
    return signer.signTransaction({ chainId: CHAIN_ID, nonce, gas: 1_000_000n, ...FEES, ...request } as never);
  }

  /** Counts a nonce that was used in another way than by a transaction of the account. */
  skip(signer: Account): number {
    const nonce = this.#nonces.get(signer.address) ?? 0;
    this.#nonces.set(signer.address, nonce + 1);
    return nonce;
  }

  /** Sets the time of the next block, ten seconds after the one before. */
  async tick(): Promise<void> {
    this.#time += 10;
    await this.pair.both("evm_setNextBlockTimestamp", [this.#time]);
  }

  /** Sends one transaction and waits for its block. */
  async send(name: string, signer: Account, request: object): Promise<void> {
    await this.tick();
    const [ours, theirs] = await this.pair.both("eth_sendRawTransaction", [await this.sign(signer, request)]);
    if (ours !== theirs) throw new Error(`the same transaction has the hashes ${ours} and ${theirs}`);
    await this.settle(name, ours);
  }

  /** Waits until both chains have mined a transaction. */
  async settle(name: string, hash: Hex): Promise<void> {
    for (const { url } of [this.pair.ours, this.pair.theirs]) {
      await eventually(() => rpc(url, "eth_getTransactionReceipt", [hash]));
    }
    this.history.transactions[name] = hash;
    await this.learn();
  }

  /** After an edit: ours takes a block for it, so that every state root is true; anvil gets an empty one to match. */
  async level(): Promise<void> {
    const height = (chain: { url: string }) => rpc(chain.url, "eth_blockNumber");
    if ((await height(this.pair.ours)) !== (await height(this.pair.theirs))) await rpc(this.pair.theirs.url, "evm_mine");
    await this.learn();
  }

  /** Learns what the new blocks are. */
  async learn(): Promise<void> {
    await this.pair.learn();
    this.history.newest = Number(await rpc(this.pair.theirs.url, "eth_blockNumber"));
  }
}

/** Calls a function of a contract. */
export const call = (abi: typeof probe.abi, functionName: string, args: unknown[] = []): Hex => encodeFunctionData({ abi, functionName, args });
const act = (functionName: string, args: unknown[] = []) => call(probe.abi, functionName, args);

/** Makes the history. */
export async function write(author: Author): Promise<History> {
  const { history, pair } = author;
  await author.send("create a probe", alice, { data: encodeDeployData({ abi: probe.abi, bytecode: probe.bytecode, args: [7n] }), value: 5n });
  await author.send("create a token", alice, { data: token.bytecode });
  await author.send("legacy transfer", bob, { type: "legacy", to: carol.address, value: parseEther("1"), gas: 21_000n, gasPrice: parseGwei("5"), maxFeePerGas: undefined, maxPriorityFeePerGas: undefined });
  const accessList = [{ address: history.probe, storageKeys: [numberToHex(0, { size: 32 })] }];
  await author.send("access list", bob, { type: "eip2930", to: history.probe, data: act("set", [9n]), accessList, gasPrice: parseGwei("5"), maxFeePerGas: undefined, maxPriorityFeePerGas: undefined });
  await author.send("dynamic fee", bob, { to: history.probe, data: act("set", [10n]), accessList });
  await author.send("write many slots", alice, { to: history.probe, data: act("fill", [0n, 10n]) });
  await author.send("clear slots", alice, { to: history.probe, data: act("clear", [0n, 8n]) });
  await author.send("create within", alice, { to: history.probe, data: act("spawn", [numberToHex(1, { size: 32 }), 3n]), value: 1000n });
  await author.send("catch a failure within", alice, { to: history.probe, data: act("catchInner") });
  await author.send("custom error", alice, { to: history.probe, data: act("set", [2_000_000n]) });
  await author.send("text", alice, { to: history.probe, data: act("failWithText") });
  await author.send("invalid operation", alice, { to: history.probe, data: act("failInvalid"), gas: 100_000n });
  await author.send("creation that fails", bob, { data: "0x60006000fd" });
  await author.send("money to a contract", bob, { to: history.probe, value: 77n });
  await author.send("mint", alice, { to: history.token, data: call(token.abi, "mint", [bob.address, 1000n]) });
  await author.send("token transfer", bob, { to: history.token, data: call(token.abi, "transfer", [carol.address, 250n]) });
  await author.send("calldata", bob, { to: dave.address, data: `0x${"00ff".repeat(500)}` });
  await delegate(author);
  await unsigned(author);
  await together(author);
  await busy(author);
  for (let empty = 0; empty < 3; empty += 1) {
    await author.tick();
    await pair.both("evm_mine");
  }
  await author.learn();
  const [log] = (await rpc(pair.theirs.url, "eth_getTransactionReceipt", [history.transactions["create within"]])).logs;
  history.child = `0x${log.topics[1].slice(26)}`;
  return history;
}

async function delegate(author: Author): Promise<void> {
  const { history } = author;
  const authorize = (contractAddress: Hex) => dave.signAuthorization({ chainId: CHAIN_ID, contractAddress, nonce: author.skip(dave) });
  await author.send("delegate", bob, { type: "eip7702", to: dave.address, data: act("set", [5n]), authorizationList: [await authorize(history.probe)] });
  await author.send("call the delegate", bob, { to: dave.address, data: act("fill", [0n, 2n]) });
  await author.send("give the code up", bob, { type: "eip7702", to: carol.address, value: 1n, authorizationList: [await authorize(zeroAddress)] });
  const stale = await dave.signAuthorization({ chainId: CHAIN_ID, contractAddress: history.probe, nonce: 999 });
  await author.send("delegate with a wrong nonce", bob, { type: "eip7702", to: carol.address, value: 1n, authorizationList: [stale] });
}

/** Transactions that the chain signs, or nobody. */
async function unsigned(author: Author): Promise<void> {
  const { history, pair } = author;
  const fees = { maxFeePerGas: numberToHex(FEES.maxFeePerGas), maxPriorityFeePerGas: numberToHex(FEES.maxPriorityFeePerGas), gas: "0x186a0" };
  author.skip(carol);
  await author.tick();
  const [known] = await pair.both("eth_sendTransaction", [{ from: carol.address, to: bob.address, value: "0x5", ...fees }]);
  await author.settle("signed by the chain", known);
  await author.tick();
  await pair.both("anvil_setBalance", [whale, numberToHex(parseEther("3"))]);
  await author.level();
  await pair.both("anvil_impersonateAccount", [whale]);
  await author.tick();
  const [ours, theirs] = await pair.both("eth_sendTransaction", [{ from: whale, to: history.probe, data: act("set", [11n]), ...fees }]);
  pair.ours.name(ours, "<whale>");
  pair.theirs.name(theirs, "<whale>");
  for (const [chain, hash] of [[pair.ours, ours], [pair.theirs, theirs]]) await eventually(() => rpc(chain.url, "eth_getTransactionReceipt", [hash]));
  history.transactions["signed by nobody"] = "<whale>" as Hex;
  await pair.both("anvil_stopImpersonatingAccount", [whale]);
  await author.learn();
}

/** Several transactions in one block, the best paying sender first, whether one looks at the tip or at the fee cap. */
async function together(author: Author): Promise<void> {
  const { pair, history } = author;
  await pair.both("evm_setAutomine", [false]);
  const transfer = (tip: string, cap: string) => ({ to: whale, value: 1n, gas: 30_000n, maxPriorityFeePerGas: parseGwei(tip), maxFeePerGas: parseGwei(cap) });
  const raw = [
    await author.sign(alice, transfer("1", "40")),
    await author.sign(alice, transfer("9", "40")),
    await author.sign(bob, transfer("3", "60")),
    await author.sign(carol, { ...transfer("2", "50"), to: history.probe, data: act("fill", [20n, 1n]), gas: 100_000n, value: 0n }),
  ];
  const hashes: Hex[] = [];
  for (const transaction of raw) hashes.push((await pair.both("eth_sendRawTransaction", [transaction]))[0]);
  await author.tick();
  await pair.both("evm_mine");
  for (const [index, hash] of hashes.entries()) await author.settle(`together ${index + 1}`, hash);
  await pair.both("evm_setAutomine", [true]);
}

/** Blocks that use much gas, so that the base fee rises. */
async function busy(author: Author): Promise<void> {
  for (let round = 0n; round < 4n; round += 1n) {
    const data = act("fill", [100n + round * 400n, 400n]);
    await author.send(`busy ${round + 1n}`, alice, { to: author.history.probe, data, gas: 12_000_000n });
  }
}

