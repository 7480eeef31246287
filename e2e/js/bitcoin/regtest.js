// A Bitcoin node of a regtest network, all in memory, with bcoin's wallet beside it. It prints one
// line of JSON when it answers, and ends when its standard input does.
//
//   node regtest.js HTTP_PORT P2P_PORT WALLET_PORT API_KEY

import { createRequire } from "node:module";

process.env.NODE_BACKEND = "js";
const require = createRequire(import.meta.url);
const bcoin = require("bcoin").set("regtest");

const [httpPort, port, walletPort, apiKey] = process.argv.slice(2);
const node = new bcoin.FullNode({
	network: "regtest",
	memory: true,
	workers: false,
	listen: false,
	logConsole: false,
	indexTX: true,
	port: Number(port),
	httpHost: "127.0.0.1",
	httpPort: Number(httpPort),
	apiKey,
	plugins: [bcoin.wallet.plugin],
	walletHttpHost: "127.0.0.1",
	walletHttpPort: Number(walletPort),
	walletApiKey: apiKey,
	walletWitness: true,
});

const { wdb, rpc } = node.require("walletdb");

// What bitcoind's wallet has under this name, with bcoin's own wallet doing the work.
rpc.add("signrawtransactionwithwallet", async ([hex]) => {
	const transaction = bcoin.MTX.fromRaw(Buffer.from(hex, "hex"));
	transaction.view = await rpc.wallet.getCoinView(transaction);
	await rpc.wallet.sign(transaction);
	const complete = transaction.inputs.every(
		({ script, witness }) => script.raw.length > 0 || witness.items.length > 0,
	);
	return { hex: transaction.toRaw().toString("hex"), complete };
});

await node.open();
await node.connect();
node.startSync();
console.log(JSON.stringify({ ready: true }));

process.stdin.resume();
process.stdin.on("end", async () => {
	await node.close();
	process.exit(0);
});
