// Reads every block with polkadot-api, and sends one transfer:  papi.mjs WS LAST

import { getExtrinsicDecoder } from "@polkadot-api/tx-utils";
import { Keyring } from "@polkadot/keyring";
import { cryptoWaitReady } from "@polkadot/util-crypto";
import { createClient } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { getWsProvider } from "polkadot-api/ws";
import { WebSocket } from "ws";
import { AIT, last, url, within } from "./environment.mjs";

await cryptoWaitReady();
const client = createClient(getWsProvider(url, { websocketClass: WebSocket }));
const api = client.getUnsafeApi();
const { hash: head } = await within(30, "the connection", client.getFinalizedBlock());
const decode = getExtrinsicDecoder(await client.getMetadata(head));
let [transactions, events] = [0, 0];
for (let number = 1; number <= last; number++) {
	const [hash] = await client._request("archive_v1_hashByHeight", [number]);
	const header = await client.getBlockHeader(hash);
	if (header.number !== number) throw new Error(`${hash} is not block ${number}`);
	for (const bytes of await client.getBlockBody(hash)) {
		if (!decode(bytes).call?.type) throw new Error(`block ${number}: ${bytes}`);
		transactions++;
	}
	events += (await api.query.System.Events.getValue({ at: hash })).length;
}
const ring = new Keyring({ type: "sr25519", ss58Format: await api.constants.System.SS58Prefix() });
const sender = ring.addFromUri("//Dave");
const receiver = ring.addFromUri("//read by polkadot-api");
const signer = getPolkadotSigner(sender.publicKey, "Sr25519", (bytes) => sender.sign(bytes));
const transfer = api.tx.Balances.transfer_keep_alive({ dest: { type: "Id", value: receiver.address }, value: AIT });
const outcome = await within(60, "the transfer", transfer.signAndSubmit(signer));
if (!outcome.ok) throw new Error(JSON.stringify(outcome.dispatchError));
console.log(
	`polkadot-api: ${transactions} transactions, ${events} events of ${last} blocks; a transfer in ${outcome.block.hash}`,
);
client.destroy();
process.exit(0);
