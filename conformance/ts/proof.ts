// Checks Merkle Patricia proofs (eth_getProof, EIP-1186) with nothing but a hash function and RLP.

import { fromRlp, type Hex, hexToBigInt, keccak256, numberToHex, toRlp } from "viem";

type Node = Hex[];

/** The value at a key, or nothing when the proof shows that there is none; throws when the proof is not sound. */
export function proven(root: Hex, key: Hex, nodes: readonly Hex[]): Hex | undefined {
  const path = keccak256(key).slice(2);
  const byHash = new Map(nodes.map((node) => [keccak256(node), node]));
  let depth = 0;
  let node = load(root, byHash);
  while (node !== undefined) {
    if (node.length === 17) {
      if (depth === path.length) return node[16] === "0x" ? undefined : node[16];
      const child: unknown = node[Number.parseInt(path[depth] as string, 16)];
      depth += 1;
      node = follow(child, byHash);
      continue;
    }
    const [partial, leaf] = unpacked(node[0] as Hex);
    if (path.slice(depth, depth + partial.length) !== partial) return undefined;
    depth += partial.length;
    if (leaf) {
      if (depth !== path.length) throw new Error("a leaf ends before the key does");
      return node[1];
    }
    node = follow(node[1], byHash);
  }
  return undefined;
}

interface AccountProof {
  nonce: bigint | number;
  balance: bigint;
  storageHash: Hex;
  codeHash: Hex;
}

/** The account as the trie stores it. */
export function accountValue(account: AccountProof): Hex {
  return toRlp([short(BigInt(account.nonce)), short(account.balance), account.storageHash, account.codeHash]);
}

/** The root of a storage with these slots, computed from nothing else. */
export function storageRoot(slots: Iterable<readonly [slot: Hex, value: bigint]>): Hex {
  const entries = [...slots].filter(([, value]) => value !== 0n).map(([slot, value]) => [keccak256(slot).slice(2), slotValue(value)] as Entry);
  return keccak256(toRlp(built(entries, 0)));
}

type Entry = [path: string, value: Hex];
type Tree = Hex | readonly Tree[];

function built(entries: Entry[], depth: number): Tree {
  const [first] = entries;
  if (!first) return "0x";
  if (entries.length === 1) return [packed(first[0].slice(depth), true), first[1]];
  let shared = 0;
  while (entries.every(([path]) => path[depth + shared] === first[0][depth + shared])) shared += 1;
  if (shared > 0) return [packed(first[0].slice(depth, depth + shared), false), reference(built(entries, depth + shared))];
  const branches = [..."0123456789abcdef"].map((nibble) => entries.filter(([path]) => path[depth] === nibble));
  return [...branches.map((branch) => reference(built(branch, depth + 1))), "0x"];
}

/** A node inside its parent: itself when it is short, else its hash. */
function reference(node: Tree): Tree {
  const encoded = toRlp(node as never) as Hex;
  return node === "0x" || encoded.length < 2 + 64 ? node : keccak256(encoded);
}

function packed(nibbles: string, leaf: boolean): Hex {
  const odd = nibbles.length % 2 === 1;
  const flag = (leaf ? 2 : 0) + (odd ? 1 : 0);
  return `0x${flag}${odd ? "" : "0"}${nibbles}`;
}

/** A storage value as the trie stores it. */
export const slotValue = (value: bigint): Hex => toRlp(short(value));

const short = (value: bigint): Hex => (value === 0n ? "0x" : evened(numberToHex(value)));
const evened = (hex: Hex): Hex => (hex.length % 2 === 0 ? hex : `0x0${hex.slice(2)}`);

function load(hash: Hex, byHash: Map<Hex, Hex>): Node | undefined {
  // The hash of the RLP of an empty string is the root of a trie without entries.
  if (hash === keccak256("0x80")) return undefined;
  const node = byHash.get(hash);
  if (node === undefined) throw new Error(`the proof lacks the node ${hash}`);
  return fromRlp(node) as unknown as Node;
}

function follow(child: unknown, byHash: Map<Hex, Hex>): Node | undefined {
  if (Array.isArray(child)) return child as Node;
  if (child === "0x" || child === undefined) return undefined;
  return load(child as Hex, byHash);
}

function unpacked(packed: Hex): [string, boolean] {
  const nibbles = packed.slice(2);
  const flag = Number(hexToBigInt(`0x${nibbles[0]}`));
  return [flag % 2 === 1 ? nibbles.slice(1) : nibbles.slice(2), flag >= 2];
}
