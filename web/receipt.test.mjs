// node --test web/

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { blake2b, checkProof, checksOf, decodeChecks, decodeHeader, decodeIssued, decodeProof, fromHex, receiptId, verifyReceipt } from "./receipt.mjs";
import { toHex } from "./proof.mjs";

const vectors = JSON.parse(readFileSync(new URL("../vectors/channels.json", import.meta.url)));
const { genesis, batches } = vectors;

/** Digits of the signed bytes before the receipt: the tag with its length, the genesis hash, the signer. */
const HEAD = 2 * (1 + 20 + 32 + 1);
/** The last receipt of the first batch, which has a miner. */
const INDEX = 3;

const uint = (value, size) => {
	const digits = BigInt(value).toString(16).padStart(2 * size, "0");
	return digits.match(/../g).reverse().join("");
};
const option = (hex) => (hex === null ? "00" : `01${hex}`);
const channelSums = ({ count, price }) => uint(count, 8) + uint(price, 16);
const minerSums = (sums) => channelSums(sums) + uint(sums.weight, 16);
const placed = (item, index, path) => item + uint(index, 8) + uint(path.length << 2, 1) + path.join("");

const receiptBytes = (one) => one.coordinator_payload.slice(HEAD);
const issued = (one) => receiptBytes(one) + one.coordinator_signature + option(one.miner_signature);

function proof(batch, index) {
	const found = batch.proofs[index];
	const { line: { voucher, from, to } } = batch.channels[found.channel_index];
	const channel = uint(voucher.channel, 8) + uint(voucher.number, 8) + uint(voucher.amount, 16) + voucher.spec_hash
		+ channelSums(from) + channelSums(to);
	const { line } = batch.miners[found.miner_index - batch.channels.length];
	const miner = option(line.miner) + minerSums(line.from) + minerSums(line.to);
	return placed(receiptBytes(batch.receipts[index]), found.index, found.path)
		+ placed(channel, found.channel_index, found.channel_path)
		+ placed(miner, found.miner_index, found.miner_path);
}

function document(at, index, change = {}) {
	const batch = batches[at];
	return JSON.stringify({
		format: "gridproof/receipt-document/v1",
		genesis: `0x${genesis}`,
		receipt_id: `0x${batch.receipts[index].id}`,
		coordinator: `0x${batch.header.coordinator}`,
		issued: `0x${issued(batch.receipts[index])}`,
		proof: `0x${proof(batch, index)}`,
		headers: batches.slice(at).reverse().map(({ header_bytes: bytes }) => `0x${bytes}`),
		...change,
	});
}

const known = (at) => ({ sequence: BigInt(batches[at].header.sequence), hash: batches[at].header_hash });

/** Bytes with one of them changed. */
function flipped(hex, at) {
	const bytes = fromHex(hex);
	bytes[at < 0 ? bytes.length + at : at] ^= 1;
	return `0x${toHex(bytes)}`;
}

test("BLAKE2b is that of Node.js for every length around the blocks, and of the vectors for 32 bytes", () => {
	for (const length of [...Array(300).keys(), 1_000]) {
		const message = randomBytes(length);
		assert.equal(toHex(blake2b(message, 64)), createHash("blake2b512").update(message).digest("hex"));
	}
	assert.equal(
		toHex(blake2b(new TextEncoder().encode("abc"))),
		"bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
	);
	for (const batch of batches) assert.equal(toHex(blake2b(fromHex(batch.header_bytes))), batch.header_hash);
});

test("the document of the vectors is that of its receipt", async () => {
	const file = readFileSync(new URL("../vectors/receipt_document.json", import.meta.url), "utf8");
	assert.deepEqual(JSON.parse(file), JSON.parse(document(0, INDEX)));
	assert.equal((await verifyReceipt(file, { genesis, known: known(2) })).onChain, true);
});

test("receipts, headers and ids are read as the vectors have them", () => {
	for (const batch of batches) {
		const header = decodeHeader(fromHex(batch.header_bytes));
		assert.equal(header.hash, batch.header_hash);
		assert.equal(header.receipts, BigInt(batch.header.receipts));
		assert.equal(header.price, BigInt(batch.header.price));
		assert.deepEqual(header.kind, batch.header.kind);
		assert.equal(header.linesRoot, batch.header.lines_root);
		for (const one of batch.receipts) {
			const { receipt } = decodeIssued(fromHex(issued(one)));
			assert.equal(receiptId(receipt, fromHex(genesis)), one.id);
			assert.equal(receipt.statement.miner, one.receipt.miner);
			assert.equal(receipt.statement.price, BigInt(one.receipt.price));
			assert.equal(receipt.statement.outputTokens, one.receipt.output_tokens);
			assert.equal(receipt.statement.sampler, one.receipt.sampler);
			assert.equal(receipt.channelSums.count, BigInt(one.channel_sums.count));
			assert.equal(receipt.minerSums.weight, BigInt(one.miner_sums.weight));
		}
	}
});

test("every receipt of the vectors is proven against the last header", async () => {
	let proven = 0;
	for (const [at, batch] of batches.entries()) {
		for (const index of batch.receipts.keys()) {
			for (const newest of [at, batches.length - 1]) {
				const result = await verifyReceipt(document(at, index), { genesis, known: known(newest) });
				assert.equal(result.ok, true, result.reason);
				assert.equal(result.signatures, "checked");
				assert.equal(result.onChain, true);
				assert.equal(result.id, batch.receipts[index].id);
				assert.equal(result.batch.index, BigInt(index));
				assert.equal(result.batch.header.sequence, BigInt(batch.header.sequence));
			}
			proven += 1;
		}
	}
	assert.equal(proven, 7);
});

test("without the chain's word a good document says only who signed", async () => {
	const result = await verifyReceipt(document(0, INDEX));
	assert.deepEqual([result.ok, result.signatures, result.onChain], [true, "checked", null]);
	// A header alone, of whatever chain, is not the word of this one.
	assert.equal((await verifyReceipt(document(0, INDEX), { known: known(2) })).onChain, null);
	const open = await verifyReceipt(document(0, INDEX, { proof: null, headers: [] }));
	assert.deepEqual([open.ok, open.batch], [true, null]);
});

test("what was not signed, or is of another chain, is refused by name", async () => {
	const one = batches[0].receipts[INDEX];
	const bytes = issued(one);
	const cases = [
		["other_id", { receipt_id: flipped(one.id, 0) }],
		// A running sum, which only the coordinator signs.
		["coordinator_signature", { issued: flipped(bytes, receiptBytes(one).length / 2 - 16) }],
		["coordinator_signature", { coordinator: `0x${one.receipt.miner}` }],
		["miner_signature", { issued: flipped(bytes, -1) }],
		["miner_signature", { issued: `0x${receiptBytes(one)}${one.coordinator_signature}00` }],
		["other_receipt", { proof: `0x${proof(batches[0], INDEX - 1)}` }],
		["proof", { proof: flipped(proof(batches[0], INDEX), -1) }],
		["other_coordinator", { headers: [flipped(batches[0].header_bytes, 0)] }],
		["malformed", { issued: `${bytes}00` }],
		["malformed", { issued: bytes.slice(2) }],
		["malformed", { genesis: "0x07" }],
		["malformed", { format: "something else" }],
	];
	for (const [error, change] of cases) {
		const result = await verifyReceipt(document(0, INDEX, change), { genesis, known: known(2) });
		assert.deepEqual([result.ok, result.error], [false, error], result.reason);
	}
	assert.equal((await verifyReceipt(document(0, INDEX), { genesis: "01".repeat(32) })).error, "other_chain");
	assert.equal((await verifyReceipt("{", {})).error, "malformed");
});

test("headers that do not lead to the one that the chain knows are refused", async () => {
	const [own, middle, newest] = batches.map(({ header_bytes: bytes }) => `0x${bytes}`);
	const cases = [
		["not_of_the_chain", {}, { sequence: 2n, hash: "09".repeat(32) }],
		["not_of_the_chain", { headers: [newest, own] }, known(2)],
		["headers_missing", { headers: [middle, own] }, known(2)],
		["not_settled", { headers: [], proof: null }, known(2)],
	];
	for (const [error, change, last] of cases) {
		const result = await verifyReceipt(document(0, INDEX, change), { genesis, known: last });
		assert.deepEqual([result.ok, result.error], [false, error]);
	}
});

test("lines of others, and sums outside of a line, do not settle a receipt", () => {
	const header = decodeHeader(fromHex(batches[0].header_bytes));
	const good = () => decodeProof(fromHex(proof(batches[0], INDEX)));
	const others = batches[0].proofs.map((_, index) => decodeProof(fromHex(proof(batches[0], index))));
	checkProof(good(), header);
	const refused = (change, reason) => {
		const altered = good();
		change(altered);
		assert.throws(() => checkProof(altered, header), { code: "proof", message: reason });
	};
	const channel = others.find((one) => one.channel.index !== good().channel.index).channel;
	const miner = others.find((one) => one.miner.index !== good().miner.index).miner;
	refused((altered) => Object.assign(altered, { channel }), /another channel or miner/);
	refused((altered) => Object.assign(altered, { miner }), /another channel or miner/);
	refused((altered) => (altered.receipt.item.channelSums.price += 1n << 100n), /outside of the channel's line/);
	refused((altered) => (altered.receipt.item.minerSums.weight += 1n << 100n), /outside of the miner's line/);
	refused((altered) => (altered.receipt.item.statement.number = 1n << 60n), /older/);
	refused((altered) => (altered.receipt.item.kind.mode = "private"), /another asset or mode/);
	refused((altered) => (altered.channel.index = altered.miner.index), /not among those of channels/);
	refused((altered) => (altered.miner.index = 0n), /not among those of miners/);
});

test("a receipt says whether it was checked, by whom and with what figures", async () => {
	const result = await verifyReceipt(document(0, INDEX), { genesis, known: known(0) });
	const { header, index } = result.batch;
	const { statement } = result.receipt;
	const verifier = "e1".repeat(32);
	const check = (figures, { sequence = header.sequence, miner = statement.miner, number = statement.number } = {}) => header.coordinator
		+ uint(sequence, 8) + verifier
		+ uint(2, 4) + uint(statement.channel, 8) + uint(number, 8) + uint(index, 8) + miner + statement.model + figures
		+ "cc".repeat(32) + "bb".repeat(32) + uint(99, 8);
	const read = (...all) => decodeChecks(fromHex(uint(all.length << 2, 1) + all.join("")));
	const [equal, unequal, seeded] = ["0001", "0000", `01${uint(16, 4)}${uint(5_000, 8)}${uint(15, 4)}${uint(0, 4)}`];
	assert.equal(checksOf(result, read()).state, "not_checked");
	const found = checksOf(result, read(check(equal)));
	assert.equal(found.state, "equal");
	assert.deepEqual([found.reports[0].verifier, found.reports[0].check, found.reports[0].timeMs], [verifier, 2, 99n]);
	assert.equal(checksOf(result, read(check(equal), check(unequal))).state, "not_equal");
	const figures = checksOf(result, read(check(seeded)));
	assert.equal(figures.state, "figures");
	assert.deepEqual(figures.reports[0].figures, { class: "seeded", tokens: 16, clipped: 5_000n, matches: 15, end: 0 });
	// Reports of other receipts are none of this one.
	const others = [{ sequence: header.sequence + 1n }, { miner: "00".repeat(32) }, { number: statement.number + 1n }];
	for (const other of others) assert.equal(checksOf(result, read(check(unequal, other))).state, "not_checked");
	assert.equal(checksOf({ ...result, receipt: { ...result.receipt, kind: { mode: "private" } } }, read()).state, "private");
	assert.equal(checksOf({ ok: false, batch: null }, read()).state, "unknown");
	assert.throws(() => decodeChecks(fromHex("04")), { code: "malformed" });
});
