// Field by field: the same history on the chain at CHAIN_URL and on the one at PEER_URL, and every answer compared.

import { finish, record, required, rpc } from "./harness.ts";
import { unused } from "./compare/allow.ts";
import { announcements } from "./compare/news.ts";
import { waiting } from "./compare/pool.ts";
import { Chain, Pair } from "./compare/pair.ts";
import { blocks, calls, fees, identity, logs, mistakes, roots, simulations, state, transactions } from "./compare/questions.ts";
import { Author, write } from "./compare/scenario.ts";

const pair = new Pair(new Chain(required("CHAIN_URL")), new Chain(required("PEER_URL")));
for (const { url } of [pair.ours, pair.theirs]) {
  if (Number(await rpc(url, "eth_blockNumber")) !== 0) throw new Error(`${url} is not a fresh chain`);
}
const genesis = await Promise.all([pair.ours, pair.theirs].map(({ url }) => rpc(url, "eth_getBlockByNumber", ["0x0", false])));
await pair.learn();

const author = new Author(pair, Math.max(...genesis.map(({ timestamp }) => Number(timestamp))) + 100);
const history = await write(author);
await identity(pair);
await blocks(pair, history);
await transactions(pair, history);
await state(pair, history);
await roots(pair, history);
await logs(pair, history);
await fees(pair, history);
await calls(pair, history);
await simulations(pair, history);
await mistakes(pair, history);
await waiting(author);
await announcements(author);
for (const rule of unused()) record(`the allowed difference is needed: ${rule}`, "nothing differs there any more");
finish();
