// Opens every block with the questions that polkadot.js Apps asks for a block's page, by number and by
// hash, and sends one transfer:  apps.mjs WS LAST PORT [NUMBER...]      with numbers, only these

import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";
import { AIT, last, url, within } from "./environment.mjs";

const wanted = process.argv.slice(5).map(Number);
const numbers = wanted.length > 0 ? wanted : Array.from({ length: last }, (_, index) => index + 1);
const provider = new WsProvider(url);
const api = await within(30, "the connection", ApiPromise.create({ provider, noInitWarn: true }));
let [transactions, events] = [0, 0];

/** What the page of one block shows. */
const open = async (hash, number) => {
	const { block, events: all, author } = await api.derive.chain.getBlock(hash);
	if (block.header.number.toNumber() !== number) throw new Error(`${hash} is not block ${number}`);
	if (!author) throw new Error(`block ${number} has no author`);
	const header = await api.derive.chain.getHeader(hash);
	if (header.hash.toHex() !== hash) throw new Error(`the header of block ${number} is another one`);
	const at = await api.at(hash);
	if ((await at.query.system.events()).length !== all.length) throw new Error(`events of block ${number} differ`);
	for (const { method } of block.extrinsics) at.registry.findMetaCall(method.callIndex);
	transactions += block.extrinsics.length;
	events += all.length;
};

for (const number of numbers) {
	const [byHeight] = await provider.send("archive_v1_hashByHeight", [number]);
	const hash = (await api.rpc.chain.getBlockHash(number)).toHex();
	if (byHeight !== hash) throw new Error(`two hashes of block ${number}: ${byHeight} and ${hash}`);
	const { block } = await api.derive.chain.getBlockByNumber(number);
	if (block.hash.toHex() !== hash) throw new Error(`by number, block ${number} is another one`);
	await within(30, `block ${number}`, open(hash, number));
}
const ring = new Keyring({ type: "sr25519", ss58Format: api.registry.chainSS58 });
const [sender, receiver] = ["//Dave", "//read by polkadot.js"].map((uri) => ring.addFromUri(uri));
const sending = new Promise((resolve, reject) => {
	api.tx.balances
		.transferKeepAlive(receiver.address, AIT)
		.signAndSend(sender, ({ status, dispatchError }) => {
			if (dispatchError) reject(new Error(dispatchError.toString()));
			if (status.isFinalized) resolve(status.asFinalized.toHex());
		})
		.catch(reject);
});
const block = await within(60, "the transfer", sending);
console.log(
	`polkadot.js: ${transactions} transactions, ${events} events of ${numbers.length} blocks; a transfer in ${block}`,
);
await api.disconnect();
process.exit(0);
