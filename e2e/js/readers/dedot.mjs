// Reads every block with dedot, and sends one transfer:  dedot.mjs WS LAST

import { Keyring } from "@polkadot/keyring";
import { cryptoWaitReady } from "@polkadot/util-crypto";
import { LegacyClient, WsProvider } from "dedot";
import { AIT, last, url, within } from "./environment.mjs";

await cryptoWaitReady();
const client = await within(30, "the connection", LegacyClient.new(new WsProvider(url)));
let count = 0;
for (let number = 1; number <= last; number++) {
	const hash = await client.rpc.chain_getBlockHash(number);
	const { block } = await client.rpc.chain_getBlock(hash);
	for (const bytes of block.extrinsics) {
		const { call } = client.registry.$Extrinsic.tryDecode(bytes);
		if (!call?.pallet) throw new Error(`block ${number}: ${bytes}`);
		count++;
	}
	const at = await client.at(hash);
	await at.query.system.events();
}
const ring = new Keyring({ type: "sr25519", ss58Format: client.consts.system.ss58Prefix });
const [sender, receiver] = ["//Dave", "//read by dedot"].map((uri) => ring.addFromUri(uri));
const sending = client.tx.balances
	.transferKeepAlive(receiver.address, AIT)
	.signAndSend(sender)
	.untilFinalized();
const { dispatchError, status } = await within(60, "the transfer", sending);
if (dispatchError) throw new Error(JSON.stringify(dispatchError));
console.log(`dedot: ${count} transactions of ${last} blocks; a transfer in ${status.value.blockHash}`);
await client.disconnect();
process.exit(0);
