// The contracts that the clients deploy, and the accounts that both chains know.

import { readFileSync } from "node:fs";
import type { Abi, Hex } from "viem";

interface Artifact {
  abi: Abi;
  bytecode: Hex;
  deployedBytecode: Hex;
}

function read(path: string): Artifact {
  const json = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
  const code = (value: string | { object: string }): Hex => (typeof value === "string" ? value : value.object) as Hex;
  return { abi: json.abi, bytecode: code(json.bytecode), deployedBytecode: code(json.deployedBytecode) };
}

/** An ERC-20 with permit, from the committed artifacts. */
export const token = read("../../contracts/artifacts/DevToken.json");
/** Everything that can happen inside a contract; `forge build` in conformance/foundry compiles it. */
export const probe = read("../foundry/out/Probe.sol/Probe.json");

/** The mnemonic of the ten funded accounts. */
export const MNEMONIC = "test test test test test test test test test test test junk";

/** Keys of the first accounts of the mnemonic. */
export const KEYS = [
  "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
  "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
  "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
  "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
] as const satisfies readonly Hex[];
