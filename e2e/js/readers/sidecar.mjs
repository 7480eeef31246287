// Reads every block through Substrate API Sidecar, as exchanges do, and sends one transfer through it:
//   sidecar.mjs WS LAST PORT

import { spawn } from "node:child_process";
import { Keyring } from "@polkadot/keyring";
import { ApiPromise, WsProvider } from "@polkadot/api";
import { AIT, last, url, within } from "./environment.mjs";

const port = process.argv[4] ?? "8080";
const sidecar = spawn(process.execPath, ["node_modules/@substrate/api-sidecar/build/src/main.js"], {
	env: { ...process.env, SAS_SUBSTRATE_URL: url, SAS_EXPRESS_PORT: port, SAS_EXPRESS_BIND_HOST: "127.0.0.1", SAS_LOG_LEVEL: "error" },
	stdio: ["ignore", "ignore", "inherit"],
});
process.on("exit", () => sidecar.kill());
const ask = async (path, options) => {
	const answer = await fetch(`http://127.0.0.1:${port}${path}`, options);
	const body = await answer.json();
	if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(body).slice(0, 400)}`);
	return body;
};
const up = async () => {
	for (;;) {
		try {
			return await ask("/node/version");
		} catch {
			await new Promise((done) => setTimeout(done, 500));
		}
	}
};
await within(60, "Sidecar", up());
let count = 0;
for (let number = 1; number <= last; number++) {
	const block = await ask(`/blocks/${number}`);
	count += block.extrinsics.length;
	for (const { success, method } of block.extrinsics)
		if (typeof success !== "boolean" || !method?.pallet) throw new Error(`block ${number}: ${JSON.stringify(method)}`);
}
// Signed with the usual library, sent through Sidecar.
const api = await within(30, "the connection", ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true }));
const ring = new Keyring({ type: "sr25519", ss58Format: api.registry.chainSS58 });
const [sender, receiver] = ["//Dave", "//read by Sidecar"].map((uri) => ring.addFromUri(uri));
const signed = await api.tx.balances.transferKeepAlive(receiver.address, AIT).signAsync(sender);
const { hash } = await ask("/transaction", {
	method: "POST",
	headers: { "content-type": "application/json" },
	body: JSON.stringify({ tx: signed.toHex() }),
});
const arrived = async () => {
	for (;;) {
		const { free } = await ask(`/accounts/${receiver.address}/balance-info`);
		if (BigInt(free) === AIT) return;
		await new Promise((done) => setTimeout(done, 500));
	}
};
await within(60, "the transfer", arrived());
console.log(`Sidecar: ${count} transactions of ${last} blocks; the transfer ${hash}`);
await api.disconnect();
process.exit(0);
