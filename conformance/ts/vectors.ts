// The golden vectors in spec/vectors, computed once more by viem: what Rust and Solidity agree on is also what a wallet
// that knows only EIP-712 computes. Needs no chain.

import { readFileSync } from "node:fs";
import type { TypedDataParameter } from "viem";
import {
  type Hex,
  compactSignatureToSignature,
  concatHex,
  domainSeparator,
  encodeAbiParameters,
  hashStruct,
  hashTypedData,
  keccak256,
  recoverTypedDataAddress,
  serializeSignature,
  sliceHex,
  stringToHex,
} from "viem";
import { type Json, assert, check, finish } from "./harness.ts";

type Types = Record<string, TypedDataParameter[]>;

const read = (name: string): Json =>
  JSON.parse(readFileSync(new URL(`../../spec/vectors/${name}`, import.meta.url), "utf8"));

const signed = read("eip712.json");
const trees = read("batch.json");
const words = (...given: [type: string, value: Hex | bigint][]): Hex =>
  encodeAbiParameters(given.map(([type]) => ({ type })), given.map(([, value]) => value));

/** `Order(bytes32 app,Work work)Work(bytes32 input)` as viem takes it. The first type is the one that is signed. */
function parsed(encoded: string): { types: Types; primaryType: string } {
  const types: Types = {};
  for (const [, name, fields] of encoded.matchAll(/(\w+)\(([^)]*)\)/g)) {
    types[name!] = fields!.split(",").map((field) => {
      const [type, name] = field.split(" ");
      return { type: type!, name: name! };
    });
  }
  return { types, primaryType: encoded.slice(0, encoded.indexOf("(")) };
}

/** Numbers as bigint, which every width accepts; JSON has them as numbers or, when they may be large, as hex. */
function typed(value: Json, type: string, types: Types): Json {
  if (type.endsWith("[]")) return value.map((item: Json) => typed(item, type.slice(0, -2), types));
  const fields = types[type];
  if (fields === undefined) return type.startsWith("uint") ? BigInt(value) : value;
  const names = fields.map(({ name }) => name);
  assert.deepEqual(Object.keys(value).sort(), names.sort(), `${type} has other fields`);
  return Object.fromEntries(fields.map(({ name, type }) => [name, typed(value[name], type, types)]));
}

/** The same types as the tuples of the contracts. */
function parameter(name: string, type: string, types: Types): Json {
  const fields = types[type.replace("[]", "")];
  if (fields === undefined) return { name, type };
  const components = fields.map((field) => parameter(field.name, field.type, types));
  return { name, type: type.endsWith("[]") ? "tuple[]" : "tuple", components };
}

async function hashes(vector: Json, domain: Json): Promise<void> {
  const { types, primaryType } = parsed(vector.type);
  const message = typed(vector.message, primaryType, types);
  assert.equal(hashStruct({ data: message, primaryType, types }), vector.structHash);
  assert.equal(encodeAbiParameters([parameter("", primaryType, types)], [message]), vector.abi);
  if (vector.signingHash === undefined) return;
  const data = { domain, types, primaryType, message };
  assert.equal(hashTypedData(data), vector.signingHash);
  const { r, vs, signature, signer } = vector.signed;
  const full = serializeSignature(compactSignatureToSignature({ r, yParityAndS: vs }));
  assert.equal(full, signature, "the compact signature is another one");
  assert.equal((await recoverTypedDataAddress({ ...data, signature })).toLowerCase(), signer);
}

/** The hash above two nodes: their order in the tree does not matter. */
const pair = (left: Hex, right: Hex): Hex =>
  keccak256(BigInt(left) < BigInt(right) ? concatHex([left, right]) : concatHex([right, left]));

/** The root, level by level; a node without a neighbor moves up as it is. */
function root(level: Hex[]): Hex {
  if (level.length === 1) return level[0]!;
  const above = Array.from({ length: Math.ceil(level.length / 2) }, (_, index) => {
    const [left, right] = level.slice(2 * index, 2 * index + 2);
    return right === undefined ? left! : pair(left!, right);
  });
  return root(above);
}

function tree({ leaves, paths, root: known }: { leaves: Hex[]; paths: Hex[][]; root: Hex }): void {
  assert.equal(paths.length, leaves.length);
  leaves.forEach((leaf, index) => {
    assert.equal(paths[index]!.reduce(pair, leaf), known, `path ${index}`);
    const other = leaves.at(index - 1)!;
    if (other !== leaf) assert.notEqual(paths[index]!.reduce(pair, other), known, `path ${index} proves another leaf`);
  });
}

const membershipLeaf = (member: Hex): Hex => keccak256(keccak256(member));

const { separator, ...domain } = signed.domain;
await check("the domain separator", async () => {
  assert.equal(domainSeparator({ domain }), separator);
});
const messages = Object.entries<Json>(signed).filter(([, vector]) => vector.type !== undefined);
for (const [name, vector] of messages) await check(`the hashes of ${name}`, () => hashes(vector, domain));

await check("the ids of a deal and of a task", async () => {
  const { dealId, taskId } = signed;
  assert.equal(dealId.requestHash, signed.requestOrder.signingHash);
  assert.equal(keccak256(words(["bytes32", dealId.requestHash], ["uint256", BigInt(dealId.consumedBefore)])), dealId.hash);
  assert.equal(keccak256(words(["bytes32", taskId.dealId], ["uint256", BigInt(taskId.index)])), taskId.hash);
});
await check("what the contract keeps of a deal's terms", async () => {
  assert.equal(signed.terms.kept, sliceHex(signed.terms.structHash, 0, 24));
  assert.equal(signed.terms.message.workHash, signed.work.structHash);
});
await check("restrictions to a policy and to a list", async () => {
  const { membershipLeaf: listed, policyRestriction: policy } = signed;
  const label = keccak256(stringToHex("sealwork/v1/policy-restriction"));
  assert.equal(keccak256(concatHex([label, policy.policyHash])), policy.restriction);
  assert.equal(membershipLeaf(listed.member), listed.leaf);
});

await check("the leaves of a batch are the hashes of its receipts", async () => {
  const { types, primaryType } = parsed(signed.receipt.type);
  trees.receipts.forEach((receipt: Json, index: number) => {
    const leaf = hashStruct({ data: typed(receipt, primaryType, types), primaryType, types });
    assert.equal(leaf, trees.batches.at(-1).leaves[index]);
  });
});
for (const batch of trees.batches) {
  await check(`the tree of ${batch.size} receipts`, async () => {
    assert.equal(batch.leaves.length, batch.size);
    assert.equal(root(batch.leaves), batch.root);
    tree(batch);
  });
}
await check("the tree of an allow-list", async () => {
  const { allowList } = trees;
  assert.deepEqual(allowList.members.map(membershipLeaf), allowList.leaves);
  assert.deepEqual(allowList.members, [...allowList.members].sort(), "the order of a list is that of its members");
  assert.equal(root(allowList.leaves), allowList.root);
  tree(allowList);
});
finish();
