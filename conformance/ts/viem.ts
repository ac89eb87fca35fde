// viem against the chain at CHAIN_URL.

import { finish } from "./harness.ts";
import { controls } from "./viem/controls.ts";
import { errors } from "./viem/errors.ts";
import { events } from "./viem/events.ts";
import { reads } from "./viem/reads.ts";
import { traces } from "./viem/traces.ts";
import { transactions } from "./viem/transactions.ts";

await reads();
await transactions();
await events();
await traces();
await errors();
await controls();
finish();
