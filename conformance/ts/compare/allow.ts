// What may differ from anvil, and why. A rule that nothing needs any more fails the comparison, so the list stays true.

import type { Json } from "../harness.ts";

/** One place in which two answers differ. */
export interface Difference {
  /** Keys from the root of the answer; `[]` stands for any index. */
  path: string;
  ours: Json;
  theirs: Json;
}

interface Rule {
  /** The question: the method, then its parameters or what they are about. */
  question: RegExp;
  path: RegExp;
  reason: string;
  /** What must hold although the values differ. */
  when?: (difference: Difference) => boolean;
}

const BLOCK = /^eth_(getBlockBy|subscribe newHeads)/;
const RECEIPT = /^eth_get(TransactionReceipt|BlockReceipts)/;

const RULES: Rule[] = [
  {
    question: BLOCK,
    path: /\.stateRoot$/,
    reason: "anvil keeps the hashes of its blocks in the contract of EIP-2935, so its roots differ from one run to the next; viem's checks prove accounts against our root",
  },
  { question: BLOCK, path: /\.mixHash$/, reason: "prevrandao is random" },
  {
    question: BLOCK,
    path: /\.size$/,
    reason: "anvil leaves the empty list of withdrawals out of the size",
    when: ({ ours, theirs }) => BigInt(ours) === BigInt(theirs) + 1n,
  },
  {
    question: RECEIPT,
    path: /\.blobGasPrice$/,
    reason: "EIP-4844: only receipts of blob transactions have a blob gas price",
    when: ({ ours, theirs }) => ours === undefined && theirs === "0x1",
  },
  { question: RECEIPT, path: /\.blockTimestamp$/, reason: "an extension of anvil", when: ({ ours }) => ours === undefined },
  {
    question: /^eth_getProof/,
    path: /\.accountProof(\[\]|\.length)$/,
    reason: "the path leads to another state root, see stateRoot",
  },
  {
    question: /^eth_getProof/,
    path: /\.storageProof\[\]\.proof\.length$/,
    reason: "an empty storage has no nodes; anvil sends one empty node",
    when: ({ ours, theirs }) => ours === 0 && theirs === 1,
  },
  {
    question: /^eth_get(Proof|Account) of an account that cleared slots/,
    path: /\.(storageHash|storageRoot|storageProof\[\]\.proof(\[\]|\.length))$/,
    reason: "anvil leaves cleared slots in the trie as zeros; compare.ts computes the root once more from the slots, and it is ours",
  },
  {
    question: /^eth_feeHistory/,
    path: /\.reward$/,
    reason: "as go-ethereum: without percentiles there is no list",
    when: ({ ours, theirs }) => ours === undefined && theirs.length === 0,
  },
  {
    question: /^eth_feeHistory of the past/,
    path: /\.baseFeePerGas\[\]$/,
    reason: "the last fee belongs to the block after the newest asked for; anvil sends the one after the chain's newest",
  },
  {
    question: /^eth_feeHistory (of the future|with)/,
    path: /^\.(result|error)$/,
    reason: "as go-ethereum: blocks that do not exist and percentiles that make no sense are refused; anvil answers something",
    when: ({ path, ours }) => path === ".result" || ours.code === -32602,
  },
  {
    question: /^eth_createAccessList/,
    path: /^\.(result|error)$/,
    reason: "as go-ethereum: the list that a failing call touched, with its error; anvil only sends the error",
    when: ({ path, ours, theirs }) => (path === ".result" ? ours.error === "execution reverted" : theirs.code === 3),
  },
  {
    question: /^eth_getLogs \[{"fromBlock":"0x..","toBlock":"0x.."}\]/,
    path: /^\.(result|error)$/,
    reason: "blocks that do not exist yet have no logs; anvil refuses the range",
    when: ({ path, ours, theirs }) => (path === ".result" ? ours.length === 0 : theirs.code === -32602),
  },
  {
    question: /^eth_(call|estimateGas|sendRawTransaction)/,
    path: /^\.error\.code$/,
    reason: "as go-ethereum: -32000 for a transaction that cannot run; anvil has -32003 (rejected), -32602 (fees) and -32603 (halted)",
    when: ({ ours, theirs }) => ours === -32000 && [-32003, -32602, -32603].includes(theirs),
  },
  {
    question: /^eth_estimateGas (no funds|tip above fee cap)/,
    path: /^\.(result|error)$/,
    reason: "as go-ethereum: what the sender cannot pay has no estimate; anvil does not look when nothing is called",
    when: ({ path, ours }) => path === ".result" || ours.code === -32000,
  },
  {
    question: /^eth_(call|estimateGas) both kinds of fees/,
    path: /^\.(result|error)$/,
    reason: "as go-ethereum: a request has either a gas price or fee caps",
    when: ({ path, ours }) => path === ".result" || ours.code < 0,
  },
  {
    question: /^eth_subscribe newHeads/,
    path: /\.(uncles|transactions|withdrawals)$/,
    reason: "as go-ethereum: a header is announced, not the block",
    when: ({ ours }) => ours === undefined,
  },
  {
    question: /^debug_trace(Transaction|BlockByNumber) callTracer/,
    path: /^\.result(\[\]\.result)?\.gas$/,
    reason: "as go-ethereum: the first frame has the transaction's gas limit; anvil subtracts the intrinsic gas",
    when: ({ ours, theirs }) => Number(ours) > Number(theirs),
  },
  {
    question: /^debug_traceTransaction (callTracer|structLogs).*: together/,
    path: /^\.result\.gas(Used)?$/,
    reason: "the gas of the transaction; anvil adds up the block's transactions before it",
    when: ({ ours, theirs }) => Number(ours) < Number(theirs),
  },
  {
    question: /^debug_traceTransaction prestateTracer:/,
    path: /^\.result\.0x[0-9a-f]{40}$/,
    reason: "accounts that did not exist before have no state before",
    when: ({ ours, theirs }) => ours === undefined && theirs.balance === "0x0" && theirs.nonce === undefined,
  },
  {
    question: /^debug_traceTransaction unknown/,
    path: /^\.(result|error)$/,
    reason: "as go-ethereum: a transaction that does not exist has no trace; anvil sends an empty one",
    when: ({ path, ours }) => path === ".result" || ours.code === -32000,
  },
  {
    question: /^debug_traceTransaction with an unknown tracer/,
    path: /^\.error\.code$/,
    reason: "a wrong parameter is not an internal error",
    when: ({ ours, theirs }) => ours === -32602 && theirs === -32603,
  },
  {
    question: /^eth_getBlockByNumber .*signed by nobody/,
    path: /\.(transactionsRoot|size|transactions\[\]\.[rs])$/,
    reason: "what stands for the signature that nobody could make: ours names the sender, anvil's is zero",
  },
  {
    question: /^eth_get(Raw)?TransactionByHash signed by nobody/,
    path: /^\.result(\.[rs])?$/,
    reason: "what stands for the signature that nobody could make: ours names the sender, anvil's is zero",
  },
  {
    question: /^eth_getTransactionByHash waiting/,
    path: /\.gasPrice$/,
    reason: "as go-ethereum, and as anvil itself in txpool_content: what waits shows its fee cap",
  },
  {
    question: /^txpool_inspect/,
    path: /^\.result\.(pending|queued)/,
    reason: "as go-ethereum: addresses with their checksum",
    when: ({ ours, theirs }) => ours.toLowerCase() === theirs.toLowerCase(),
  },
  {
    question: /^(evm_setAutomine|anvil_set(Nonce|Code|Balance))/,
    path: /^\.result$/,
    reason: "as Hardhat, whose methods these were: true",
    when: ({ ours, theirs }) => ours === true && theirs === null,
  },
  {
    question: /^eth_getBlockByNumber .*pending/,
    path: /^\.result\.(hash|timestamp)$/,
    reason: "anvil's pending block has another prevrandao; the clock may move between the two answers",
    when: ({ path, ours, theirs }) => path === ".result.hash" || Math.abs(Number(ours) - Number(theirs)) <= 1,
  },
  {
    question: /^trace_transaction creation that fails/,
    path: /^\.result\[\]\.result\.(output|address|code)$/,
    reason: "a creation that failed made nothing that could have an address",
    when: ({ path, ours }) => path.endsWith("output") || ours === undefined,
  },
  {
    question: /^eth_simulateV1/,
    path: /^\.result\[\]\.(?!calls)/,
    reason: "as go-ethereum: simulated blocks have real headers that follow each other; anvil leaves most fields empty",
  },
  {
    question: /^eth_simulateV1/,
    path: /^\.result\[\]\.calls\[\]\.(maxUsedGas|logs\[\]\.(block(Hash|Number|Timestamp)|transactionHash))$/,
    reason: "as go-ethereum: logs name the simulated block and transaction; the most gas that was held at once is told",
  },
  {
    question: /^eth_simulateV1 a failure/,
    path: /\.calls\[\]\.error\.(code|message|data)$/,
    reason: "as go-ethereum: a revert has code 3 and its data",
    when: ({ path, ours }) => !path.endsWith("code") || ours === 3,
  },
];

const used = new Set<Rule>();

/** Whether a rule covers the difference. */
export function allowed(question: string, difference: Difference): boolean {
  const rule = RULES.find(
    ({ question: questions, path, when }) => questions.test(question) && path.test(difference.path) && (when?.(difference) ?? true),
  );
  if (rule) used.add(rule);
  return rule !== undefined;
}

/** Rules that allowed nothing in this run. */
export const unused = (): string[] =>
  RULES.filter((rule) => !used.has(rule)).map(({ question, path, reason }) => `${question} ${path}: ${reason}`);
