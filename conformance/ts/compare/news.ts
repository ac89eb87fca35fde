// What chains announce: polled filters, and subscriptions over WebSocket.

import { WebSocket } from "ws";
import { eventually, type Json, rpc, socketUrl } from "../harness.ts";
import { call, alice, type Author, bob } from "./scenario.ts";
import { probe } from "../artifacts.ts";

/** Follows both chains while the same happens on them. */
export async function announcements(author: Author): Promise<void> {
  const { pair, history } = author;
  const ids = new Map<string, string>();
  for (const [method, params, name] of [
    ["eth_newFilter", [{ address: history.probe }], "<logs>"],
    ["eth_newBlockFilter", [], "<blocks>"],
    ["eth_newPendingTransactionFilter", [], "<pending>"],
  ] as const) {
    const [ours, theirs] = await pair.both(method, params);
    pair.ours.alias(name, ours);
    pair.theirs.alias(name, theirs);
    ids.set(method, name);
  }
  const [ours, theirs] = await Promise.all([pair.ours, pair.theirs].map(({ url }) => Follower.start(url, history.probe)));
  await author.send("announced", alice, { to: history.probe, data: call(probe.abi, "fill", [9000n, 3n]) });
  await author.send("announced too", bob, { to: history.probe, value: 3n });
  for (const follower of [ours!, theirs!]) await eventually(async () => follower.complete());
  for (const kind of KINDS) {
    const neutral = (chain: typeof pair.ours, follower: Follower) => chain.neutral(follower.seen.get(kind));
    pair.compare(`eth_subscribe ${kind}`, neutral(pair.ours, ours!), neutral(pair.theirs, theirs!));
  }
  for (const follower of [ours!, theirs!]) follower.close();
  await pair.same("eth_getFilterLogs", ["<logs>"]);
  for (const name of ids.values()) {
    await pair.same("eth_getFilterChanges", [name], name);
    await pair.same("eth_getFilterChanges", [name], `${name} again`);
    await pair.same("eth_uninstallFilter", [name], name);
    await pair.same("eth_uninstallFilter", [name], `${name} again`);
  }
  await pair.same("eth_getFilterChanges", ["<logs>"], "of a filter that is gone");
  await rpc(pair.ours.url, "eth_blockNumber");
}

const KINDS = ["newHeads", "logs", "newPendingTransactions"] as const;

/** One WebSocket with all subscriptions. */
class Follower {
  readonly seen = new Map<string, Json[]>(KINDS.map((kind) => [kind, []]));
  readonly #kinds = new Map<string, string>();

  private constructor(readonly socket: WebSocket) {}

  static async start(url: string, address: string): Promise<Follower> {
    const socket = new WebSocket(socketUrl(url));
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const follower = new Follower(socket);
    socket.on("message", (data) => follower.#receive(JSON.parse(String(data))));
    for (const [id, kind] of KINDS.entries()) {
      const params = kind === "logs" ? [kind, { address }] : [kind];
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method: "eth_subscribe", params }));
    }
    await eventually(async () => follower.#kinds.size === KINDS.length);
    return follower;
  }

  /** Whether everything that must be announced was. */
  complete(): boolean {
    return this.seen.get("newHeads")!.length === 2 && this.seen.get("logs")!.length === 4 && this.seen.get("newPendingTransactions")!.length === 2;
  }

  close(): void {
    this.socket.close();
  }

  #receive(message: Json): void {
    if (message.method === "eth_subscription") {
      this.seen.get(this.#kinds.get(message.params.subscription) ?? "")?.push(message.params.result);
    } else if (typeof message.result === "string") {
      this.#kinds.set(message.result, KINDS[message.id] as string);
    }
  }
}
