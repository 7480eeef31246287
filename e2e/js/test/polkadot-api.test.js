// polkadot-api with its untyped API: all it knows of the chain is the metadata the node serves.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Keyring } from "@polkadot/api";
import { cryptoWaitReady } from "@polkadot/util-crypto";
import { createClient } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { getWsProvider } from "polkadot-api/ws";
import { WebSocket } from "ws";
import { AIT, rpcUrl, within } from "./environment.js";

let client;
let api;

before(async () => {
	await cryptoWaitReady();
	client = createClient(getWsProvider(rpcUrl(), { websocketClass: WebSocket }));
	api = client.getUnsafeApi();
});

after(() => client?.destroy());

/** Key pair of a development seed, and its address in this chain's format. */
async function account(uri) {
	const prefix = await api.constants.System.SS58Prefix();
	const pair = new Keyring({ type: "sr25519", ss58Format: prefix }).addFromUri(uri);
	const signer = getPolkadotSigner(pair.publicKey, "Sr25519", (bytes) => pair.sign(bytes));
	return { address: pair.address, signer };
}

const free = async (address, at) => {
	const { data } = await api.query.System.Account.getValue(address, { at });
	return data.free;
};

const transferTo = (address, value) =>
	api.tx.Balances.transfer_keep_alive({ dest: { type: "Id", value: address }, value });

test("it reads constants and the finalized head", async () => {
	const deposit = await within(30, "a constant", api.constants.Balances.ExistentialDeposit());
	assert.ok(deposit > 0n);
	const head = await client.getFinalizedBlock();
	assert.match(head.hash, /^0x[0-9a-f]{64}$/);
});

test("a signed transfer moves exactly its amount and its fee", async () => {
	const sender = await account("//Charlie");
	const receiver = await account("//polkadot-api receiver");
	const before = await free(sender.address, "finalized");
	assert.equal(await free(receiver.address, "finalized"), 0n);

	const sending = transferTo(receiver.address, 11n * AIT).signAndSubmit(sender.signer);
	const outcome = await within(60, "the transaction", sending);

	assert.ok(outcome.ok, `the call failed: ${JSON.stringify(outcome.dispatchError)}`);
	const paid = outcome.events.find(
		({ type, value }) => type === "TransactionPayment" && value.type === "TransactionFeePaid",
	);
	assert.ok(paid, "a fee is reported");
	const { hash } = outcome.block;
	assert.equal(await free(receiver.address, hash), 11n * AIT);
	assert.equal(await free(sender.address, hash), before - 11n * AIT - paid.value.value.actual_fee);
});

test("a transfer above the balance is refused as a payment error", async () => {
	const pauper = await account("//polkadot-api pauper");
	await assert.rejects(
		within(30, "the refusal", transferTo(pauper.address, AIT).signAndSubmit(pauper.signer)),
		(error) => /Payment/.test(JSON.stringify(error.error)),
	);
});
