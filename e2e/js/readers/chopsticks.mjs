// Forks the chain at its head with chopsticks, makes a block there, and sends a transfer on the fork:
//   chopsticks.mjs WS LAST

import { Keyring } from "@polkadot/keyring";
import { cryptoWaitReady } from "@polkadot/util-crypto";
import { setupWithServer } from "@acala-network/chopsticks";
import { ApiPromise, WsProvider } from "@polkadot/api";
import { AIT, last, url, within } from "./environment.mjs";

await cryptoWaitReady();
const fork = await within(60, "the fork", setupWithServer({ endpoint: url, block: last, host: "127.0.0.1", port: 0, "build-block-mode": "Manual" }));
const provider = new WsProvider(`ws://127.0.0.1:${fork.addr.split(":").pop()}`);
const api = await within(60, "its connection", ApiPromise.create({ provider, noInitWarn: true }));
const ring = new Keyring({ type: "sr25519", ss58Format: api.registry.chainSS58 });
const [sender, receiver] = ["//Dave", "//on a fork"].map((uri) => ring.addFromUri(uri));
await api.tx.balances.transferKeepAlive(receiver.address, AIT).signAndSend(sender);
await within(60, "a block", provider.send("dev_newBlock", [{ count: 1 }]));
const head = (await api.rpc.chain.getHeader()).number.toNumber();
const { data } = await api.query.system.account(receiver.address);
if (head !== last + 1 || data.free.toBigInt() !== AIT) throw new Error(`block ${head}: ${data.free}`);
console.log(`chopsticks: forked at ${last}, a transfer in block ${head} of the fork`);
await api.disconnect();
await fork.close();
process.exit(0);
