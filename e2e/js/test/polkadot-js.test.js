// @polkadot/api, without any type or extension of ours.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";
import { merkleizeMetadata } from "@polkadot-api/merkleize-metadata";
import { AIT, rpcUrl, within } from "./environment.js";

// Transaction extensions that every client knows; all others have to be empty in a transaction and
// in what is signed, or wallets would need to be told about them.
const KNOWN = new Set([
	"ChargeTransactionPayment",
	"CheckGenesis",
	"CheckMetadataHash",
	"CheckMortality",
	"CheckNonce",
	"CheckSpecVersion",
	"CheckTxVersion",
]);

let api;

before(async () => {
	const connecting = ApiPromise.create({ provider: new WsProvider(rpcUrl()) });
	api = await within(30, "connection", connecting);
});

after(() => api?.disconnect());

/** Sends a transaction; resolves with its events when it is in a finalized block. */
function finalized(transaction, sender, options = {}) {
	const done = new Promise((resolve, reject) => {
		transaction
			.signAndSend(sender, options, ({ status, events, dispatchError }) => {
				if (dispatchError) {
					reject(new Error(`the call failed: ${dispatchError}`));
				} else if (status.isFinalized) {
					resolve(events);
				} else if (status.isDropped || status.isInvalid || status.isUsurped) {
					reject(new Error(`the node gave it up: ${status.type}`));
				}
			})
			.catch(reject);
	});
	return within(60, "the transaction", done);
}

const free = async (address) => (await api.query.system.account(address)).data.free.toBigInt();

test("metadata names the chain's pallets and AIT with 18 decimals", () => {
	assert.ok(api.tx.balances.transferKeepAlive);
	assert.deepEqual(api.registry.chainDecimals, [18]);
	assert.deepEqual(api.registry.chainTokens, ["AIT"]);
});

test("addresses carry the chain's own prefix", () => {
	const prefix = api.consts.system.ss58Prefix.toNumber();
	assert.equal(api.registry.chainSS58, prefix);
	assert.notEqual(prefix, 42, "42 is everybody's");
});

test("every transaction extension of ours is empty", () => {
	const { lookup } = api.registry;
	const isEmpty = (type) => lookup.getTypeDef(type).type === "Null";
	const { signedExtensions, transactionExtensions } = api.runtimeMetadata.asLatest.extrinsic;
	for (const extension of signedExtensions ?? transactionExtensions) {
		const name = extension.identifier.toString();
		if (!KNOWN.has(name)) {
			assert.ok(isEmpty(extension.type), `${name} adds to the transaction`);
			const implicit = extension.additionalSigned ?? extension.implicit;
			assert.ok(isEmpty(implicit), `${name} adds to what is signed`);
		}
	}
});

test("a signed transfer moves exactly its amount and its fee", async () => {
	const keyring = new Keyring({ type: "sr25519" });
	const sender = keyring.addFromUri("//Bob");
	const receiver = keyring.addFromUri("//polkadot-js receiver");
	const before = await free(sender.address);
	assert.equal(await free(receiver.address), 0n);

	const transfer = api.tx.balances.transferKeepAlive(receiver.address, 7n * AIT);
	const events = await finalized(transfer, sender);

	const payment = events.find(({ event }) => api.events.transactionPayment.TransactionFeePaid.is(event));
	assert.ok(payment, "a fee is reported");
	const fee = payment.event.data.actualFee.toBigInt();
	assert.equal(await free(receiver.address), 7n * AIT);
	assert.equal(await free(sender.address), before - 7n * AIT - fee);
});

test("a transfer with the hash of the metadata is taken, as hardware wallets sign it", async () => {
	const keyring = new Keyring({ type: "sr25519" });
	const sender = keyring.addFromUri("//Eve");
	const receiver = keyring.addFromUri("//polkadot-js hardware");
	const metadata = await api.call.metadata.metadataAtVersion(15);
	const { specName, specVersion } = api.runtimeVersion;
	const shown = { base58Prefix: api.registry.chainSS58, decimals: 18, tokenSymbol: "AIT" };
	const version = { specName: specName.toString(), specVersion: specVersion.toNumber() };
	const digest = merkleizeMetadata(metadata.toHex(), { ...shown, ...version }).digest();
	// As text: of bytes, the first would be taken for the sign that there are any.
	const metadataHash = `0x${Buffer.from(digest).toString("hex")}`;

	const transfer = api.tx.balances.transferKeepAlive(receiver.address, 3n * AIT);
	await finalized(transfer, sender, { mode: 1, metadataHash, withSignedTransaction: true });

	assert.equal(await free(receiver.address), 3n * AIT);
});

test("a transfer above the balance is refused with a reason", async () => {
	const sender = new Keyring({ type: "sr25519" }).addFromUri("//polkadot-js pauper");
	const transfer = api.tx.balances.transferKeepAlive(sender.address, AIT);
	await assert.rejects(transfer.signAndSend(sender), /Inability to pay some fees|balance too low/);
});
