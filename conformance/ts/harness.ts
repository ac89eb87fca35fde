// Counting checks, one line each, and the plain JSON-RPC client that the comparison and the error cases use.

import assert from "node:assert/strict";

export { assert };

let passed = 0;
let failed = 0;

/** Longest wait for anything that a chain should answer or announce, milliseconds. */
export const PATIENCE_MS = 10_000;

// Libraries let some failures of a subscription escape; they count like any other.
process.on("unhandledRejection", (error) => record("no failure goes unnoticed", reason(error)));

/** Runs one check and prints one line about it. A failed check does not stop the others. */
export async function check(name: string, action: () => Promise<unknown>, patience = PATIENCE_MS): Promise<void> {
  try {
    await within(action(), patience);
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${reason(error)}`);
  }
}

/** The one line about a check that runs no code of its own. */
export function record(name: string, problem: string | undefined): void {
  if (problem === undefined) {
    passed += 1;
    console.log(`ok      ${name}`);
  } else {
    failed += 1;
    console.log(`FAILED  ${name}: ${problem}`);
  }
}

/** Prints the totals and ends the process, with an error code when anything failed. */
export function finish(): never {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 && passed > 0 ? 0 : 1);
}

/** Waits, but not for ever. */
export async function within<T>(work: Promise<T>, milliseconds = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing happened within ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Asks until the answer is there. */
export async function eventually<T>(ask: () => Promise<T | undefined | null | false>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error("the expected answer never came");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What must fail, and did. */
export async function failure(work: Promise<unknown>): Promise<any> {
  let value: unknown;
  try {
    value = await work;
  } catch (error) {
    return error;
  }
  throw new Error(`it should have failed and answered ${JSON.stringify(value, big)}`);
}

/** Value of an environment variable that the caller must set. */
export function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}, for example to http://127.0.0.1:8545`);
  return value;
}

/** The WebSocket address of an HTTP endpoint that serves both. */
export const socketUrl = (url: string): string => url.replace(/^http/, "ws");

export type Json = any;

/** One JSON-RPC answer, as sent: with a result or with an error. */
export async function ask(url: string, method: string, params: unknown = []): Promise<Json> {
  return post(url, { jsonrpc: "2.0", id: 1, method, params });
}

/** The result of a JSON-RPC request; throws its error. */
export async function rpc(url: string, method: string, params: unknown = []): Promise<Json> {
  const answer = await ask(url, method, params);
  if (answer.error) throw Object.assign(new Error(`${method}: ${JSON.stringify(answer.error)}`), answer.error);
  return answer.result;
}

/** Posts a body as it is and parses the answer. */
export async function post(url: string, body: unknown): Promise<Json> {
  const text = typeof body === "string" ? body : JSON.stringify(body, big);
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: text });
  const answer = await response.text();
  return answer === "" ? undefined : JSON.parse(answer);
}

function big(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `0x${value.toString(16)}` : value;
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = (error as { shortMessage?: string }).shortMessage ?? error.message;
  const details = (error as { details?: string }).details;
  const line = details && !text.includes(details) ? `${text} (${details})` : text;
  return line.replaceAll(/\s+/g, " ").slice(0, 400);
}
