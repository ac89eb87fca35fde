// The clients that every part of the viem suite uses.

import { type Abi, type Address, createTestClient, createWalletClient, type Hex, http, publicActions, walletActions } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { anvil } from "viem/chains";
import { MNEMONIC, probe, token } from "../artifacts.ts";
import { required } from "../harness.ts";

export const url = required("CHAIN_URL");
export const accounts = [0, 1, 2, 3, 4].map((addressIndex) => mnemonicToAccount(MNEMONIC, { addressIndex }));
export const [alice, bob, carol, dave, erin] = accounts as [Account, Account, Account, Account, Account];
export type Account = ReturnType<typeof mnemonicToAccount>;

const POLL_MS = 20;

/** Reads, writes with Alice's key, and the controls of a development chain. */
export const client = createTestClient({
  account: alice,
  chain: anvil,
  mode: "anvil",
  transport: http(url),
  pollingInterval: POLL_MS,
  cacheTime: 0,
})
  .extend(publicActions)
  .extend(walletActions);

/** A wallet of another account. */
export const wallet = (account: Account) =>
  createWalletClient({ account, chain: anvil, transport: http(url), pollingInterval: POLL_MS });

/** Deploys and waits for the address. */
export async function deploy(artifact: { abi: Abi; bytecode: Hex }, args: unknown[] = []): Promise<Address> {
  const hash = await client.deployContract({ abi: artifact.abi, bytecode: artifact.bytecode, args });
  const receipt = await client.waitForTransactionReceipt({ hash });
  if (!receipt.contractAddress) throw new Error("the receipt of a creation names no contract");
  return receipt.contractAddress;
}

export const deployToken = () => deploy(token);
export const deployProbe = (first = 7n) => deploy(probe, [first]);

/** Calls a function of the probe in a transaction and waits for the receipt. */
export async function act(address: Address, functionName: string, args: unknown[] = [], value = 0n) {
  const hash = await client.writeContract({ address, abi: probe.abi, functionName, args, value });
  return client.waitForTransactionReceipt({ hash });
}
