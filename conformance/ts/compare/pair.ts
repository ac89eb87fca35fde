// Two chains that are asked the same, and a recursive comparison of what they answer.

import { ask, type Json, record } from "../harness.ts";
import { allowed, type Difference } from "./allow.ts";

/** One of the two chains, with the hashes of its blocks: they differ for good reasons, and stand for their number. */
export class Chain {
  readonly #blocks = new Map<string, string>();
  readonly #names = new Map<string, string>();
  #next = 0;

  constructor(readonly url: string) {}

  /** Asks, with the names of blocks in the parameters replaced by their hashes. */
  async ask(method: string, params: Json): Promise<Json> {
    return ask(this.url, method, replaced(params, this.#names));
  }

  /** Learns the hashes of the blocks that are new. */
  async learn(): Promise<void> {
    const newest = Number((await ask(this.url, "eth_blockNumber")).result);
    for (; this.#next <= newest; this.#next += 1) {
      const { result } = await ask(this.url, "eth_getBlockByNumber", [`0x${this.#next.toString(16)}`, false]);
      this.#blocks.set(result.hash, blockName(this.#next));
      this.#names.set(blockName(this.#next), result.hash);
    }
  }

  /** Forgets the blocks from a number on, after they were reverted. */
  forget(from: number): void {
    this.#next = Math.min(this.#next, from);
  }

  /** Lets questions use a name for a value that is another one on each chain, for example the id of a filter. */
  alias(name: string, value: string): void {
    this.#names.set(name, value);
  }

  /** The same, and answers are read with the name too; only for values that mean one thing, as hashes do. */
  name(value: string, name: string): void {
    this.#blocks.set(value, name);
    this.#names.set(name, value);
  }

  /** An answer with names instead of what only this chain can know. */
  neutral(answer: Json): Json {
    return replaced(answer, this.#blocks);
  }
}

/** How a block is called in the parameters of a request. */
export const blockName = (number: number): string => `<block ${number}>`;

/** The chain under test beside the one it is compared with. */
export class Pair {
  readonly #seen = new Set<string>();

  constructor(
    readonly ours: Chain,
    readonly theirs: Chain,
  ) {}

  /** Asks both; every difference that is not allowed fails the check. */
  async same(method: string, params: Json = [], note = ""): Promise<Json> {
    const [ours, theirs] = await Promise.all([this.ours.ask(method, params), this.theirs.ask(method, params)]);
    this.compare(`${method} ${note || short(params)}`, outcome(this.ours, ours), outcome(this.theirs, theirs));
    return theirs.result;
  }

  /** Compares two values that did not come as answers, for example announcements. */
  compare(name: string, ours: Json, theirs: Json): void {
    const differences = [...different("", ours, theirs)].filter((difference) => !allowed(name, difference));
    record(this.#unique(name), differences.length === 0 ? undefined : differences.slice(0, 6).map(shown).join("; "));
  }

  /** Asks both for something that changes the chain; failing is an error of the script, not a difference. */
  async both(method: string, params: Json = []): Promise<[Json, Json]> {
    const answers = await Promise.all([this.ours.ask(method, params), this.theirs.ask(method, params)]);
    for (const [index, answer] of answers.entries()) {
      if (answer.error) throw new Error(`${method} fails on ${index === 0 ? "ours" : "theirs"}: ${answer.error.message}`);
    }
    return [answers[0].result, answers[1].result];
  }

  /** Learns the hashes of new blocks on both. */
  async learn(): Promise<void> {
    await Promise.all([this.ours.learn(), this.theirs.learn()]);
  }

  #unique(name: string): string {
    let unique = name;
    for (let count = 2; this.#seen.has(unique); count += 1) unique = `${name} (${count})`;
    this.#seen.add(unique);
    return unique;
  }
}

/** A result, or what counts of an error: its code and the bytes of a revert. The wording is each chain's own. */
function outcome(chain: Chain, answer: Json): Json {
  const bytes = /^0x/.test(answer?.error?.data) ? answer.error.data : null;
  if (answer?.error) return { error: { code: answer.error.code, data: bytes } };
  return { result: chain.neutral(answer?.result) };
}

function* different(path: string, ours: Json, theirs: Json): Generator<Difference> {
  if (Object.is(ours, theirs)) return;
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    if (ours.length !== theirs.length) yield { path: `${path}.length`, ours: ours.length, theirs: theirs.length };
    for (let index = 0; index < Math.min(ours.length, theirs.length); index += 1) {
      yield* different(`${path}[]`, ours[index], theirs[index]);
    }
  } else if (isObject(ours) && isObject(theirs)) {
    for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
      yield* different(`${path}.${key}`, ours[key], theirs[key]);
    }
  } else {
    yield { path, ours, theirs };
  }
}

const isObject = (value: Json): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

function replaced(value: Json, names: Map<string, string>): Json {
  if (typeof value === "string") return names.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => replaced(item, names));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [names.get(key) ?? key, replaced(item, names)]));
}

const text = (value: Json): string => (value === undefined ? "nothing" : JSON.stringify(value)).slice(0, 90);
const shown = ({ path, ours, theirs }: Difference): string => `${path} is ${text(ours)} instead of ${text(theirs)}`;

function short(params: Json): string {
  const line = JSON.stringify(params);
  return line.length > 90 ? `${line.slice(0, 87)}...` : line;
}
