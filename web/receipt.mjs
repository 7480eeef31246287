// Checks a receipt of a channel, in a browser or in Node.js, without any dependency.
//
//   import { verifyReceipt } from "./receipt.mjs";
//   const result = await verifyReceipt(text, { genesis, known });
//   // { ok: true, error: null, signatures: "checked", onChain: true, receipt: {…}, batch: {…}, … }
//
// `text` is the document that `gridproof receipt verify --save` writes. `genesis` and `known`, number and hash
// of a header of the coordinator's, take from a node that you trust (ComputeReceiptsApi_header_chain): what
// proves a receipt is that its batch's header leads to one that the chain knows. Without them the document
// shows only what its coordinator signed, and `onChain` is null.
//
// Integers of 64 bits and more are BigInt, bytes are hexadecimal digits. The rules are those of
// docs/protocols/channels.md, and of `gridproof receipt verify`; the names of errors are the same.

import { blake2b } from "./blake2b.mjs";
import { ProofError, hashFromHex, pathOf, schemes, toHex, verifyInclusion } from "./proof.mjs";

export { blake2b } from "./blake2b.mjs";

const FORMAT = "gridproof/receipt-document/v1";
const ASSETS = ["ait", "aicp", "service_credit"];
const MODES = ["ordinary", "private"];
const SAMPLERS = ["greedy", "gumbel", "engine"];
const RECEIPT_TAG = "gridproof/receipt/v2";
const MINER = 0;
const COORDINATOR = 1;

/** Why a receipt is not proven; `code` is the name that the command line uses. */
export class ReceiptError extends Error {
	constructor(code, reason) {
		super(reason);
		this.name = "ReceiptError";
		this.code = code;
	}
}

const fail = (code, reason) => {
	throw new ReceiptError(code, reason);
};

/** The bytes of hexadecimal digits, with or without 0x. */
export function fromHex(text) {
	const digits = typeof text === "string" ? text.trim().replace(/^0x/, "") : "x";
	if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) fail("malformed", "want hexadecimal digits");
	return Uint8Array.from({ length: digits.length / 2 }, (_, at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

const same = (left, right) => left.length === right.length && left.every((byte, at) => byte === right[at]);

function joined(...parts) {
	const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}

// ---- SCALE

class Reader {
	constructor(bytes) {
		this.all = bytes;
		this.at = 0;
	}

	bytes(count) {
		if (this.at + count > this.all.length) fail("malformed", "the bytes end too early");
		this.at += count;
		return this.all.slice(this.at - count, this.at);
	}

	hex(count = 32) {
		return toHex(this.bytes(count));
	}

	uint(size) {
		return this.bytes(size).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
	}

	u32() {
		return Number(this.uint(4));
	}

	one(names) {
		return names[Number(this.uint(1))] ?? fail("malformed", "unknown variant");
	}

	option(read) {
		return this.one([false, true]) ? read() : null;
	}

	/** A length of one, two or four bytes. */
	length() {
		const first = Number(this.uint(1));
		const more = [0, 1, 3][first % 4] ?? fail("malformed", "too long");
		return Number((this.uint(more) << 6n) | BigInt(first >> 2));
	}

	/** What `read` makes, with the bytes that it was made of. */
	spanned(read) {
		const from = this.at;
		const value = read(this);
		return { ...value, bytes: this.all.slice(from, this.at) };
	}

	end(value) {
		if (this.at !== this.all.length) fail("malformed", "bytes after the end");
		return value;
	}
}

const readKind = (reader) => ({ asset: reader.one(ASSETS), mode: reader.one(MODES) });
const readChannelSums = (reader) => ({ count: reader.uint(8), price: reader.uint(16) });
const readMinerSums = (reader) => ({ count: reader.uint(8), price: reader.uint(16), weight: reader.uint(16) });

function readStatement(reader) {
	if (reader.uint(1) !== 1n) fail("malformed", "the receipt is not of a channel");
	return {
		channel: reader.uint(8),
		number: reader.uint(8),
		miner: reader.option(() => reader.hex()),
		model: reader.hex(),
		specHash: reader.hex(),
		outputRoot: reader.hex(),
		weight: reader.uint(8),
		price: reader.uint(16),
		sampler: reader.one(SAMPLERS),
		inputTokens: reader.u32(),
		outputTokens: reader.u32(),
		durationMs: reader.uint(8),
		memoryMb: reader.u32(),
		settleByMs: reader.uint(8),
	};
}

function readChannelReceipt(reader) {
	return {
		statement: reader.spanned(readStatement),
		kind: readKind(reader),
		channelSums: readChannelSums(reader),
		minerSums: readMinerSums(reader),
	};
}

/** Reads an answer's Gridproof-Receipt: the receipt with its running sums and signatures, unchecked. */
export function decodeIssued(bytes) {
	const reader = new Reader(bytes);
	const receipt = reader.spanned(readChannelReceipt);
	const coordinatorSignature = reader.bytes(64);
	const minerSignature = reader.option(() => reader.bytes(64));
	return reader.end({ receipt, coordinatorSignature, minerSignature });
}

const readVoucher = (reader) => ({
	channel: reader.uint(8), number: reader.uint(8), amount: reader.uint(16), specHash: reader.hex(),
});
const readChannelLine = (reader) => ({
	voucher: readVoucher(reader), from: readChannelSums(reader), to: readChannelSums(reader),
});
const readMinerLine = (reader) => ({
	miner: reader.option(() => reader.hex()), from: readMinerSums(reader), to: readMinerSums(reader),
});

function readPlaced(reader, read) {
	const item = reader.spanned(read);
	const index = reader.uint(8);
	const length = reader.length();
	if (length > 64) fail("malformed", "a path has at most 64 hashes");
	return { item, index, path: Array.from({ length }, () => reader.bytes(32)) };
}

/** Reads a receipt with its two lines and their places in the batch, unchecked. */
export function decodeProof(bytes) {
	const reader = new Reader(bytes);
	const receipt = readPlaced(reader, readChannelReceipt);
	const channel = readPlaced(reader, readChannelLine);
	return reader.end({ receipt, channel, miner: readPlaced(reader, readMinerLine) });
}

/** Reads the header of a batch, unchecked; `hash` is what the chain keeps of it. */
export function decodeHeader(bytes) {
	const reader = new Reader(bytes);
	return reader.end({
		coordinator: reader.hex(),
		sequence: reader.uint(8),
		previous: reader.hex(),
		timeMs: reader.uint(8),
		kind: readKind(reader),
		receipts: reader.uint(8),
		price: reader.uint(16),
		weight: reader.uint(16),
		channels: reader.uint(4),
		miners: reader.uint(4),
		linesRoot: reader.hex(),
		receiptsRoot: reader.hex(),
		cid: reader.option(() => reader.hex(36)),
		hash: toHex(blake2b(bytes)),
	});
}

const CLASSES = [
	(reader) => ({ class: "exact", equal: reader.one([false, true]) }),
	(reader) => ({ class: "seeded", tokens: reader.u32(), clipped: reader.uint(8), matches: reader.u32(), end: reader.u32() }),
	(reader) => ({ class: "embedding", cosine: reader.u32() }),
];

const readCheck = (reader) => ({
	coordinator: reader.hex(),
	sequence: reader.uint(8),
	verifier: reader.hex(),
	check: reader.u32(),
	channel: reader.uint(8),
	number: reader.uint(8),
	index: reader.uint(8),
	miner: reader.hex(),
	model: reader.hex(),
	figures: reader.one(CLASSES)(reader),
	commitment: reader.hex(),
	block: reader.hex(),
	timeMs: reader.uint(8),
});

/**
 * Reads reports of checks, as a node that you trust has them: SCALE of a list of `CheckView`
 * (docs/protocols/checks.md).
 */
export function decodeChecks(bytes) {
	const reader = new Reader(bytes);
	return reader.end(Array.from({ length: reader.length() }, () => readCheck(reader)));
}

/**
 * Says whether a receipt was checked, by whom and with what figures.
 *
 * @param {object} result what `verifyReceipt` found
 * @param {object[]} checks what `decodeChecks` read
 * @returns {{state: "equal" | "not_equal" | "figures" | "not_checked" | "private" | "unknown", reports: object[]}}
 *   the reports of this very receipt: those of its place in its batch that name its voucher, miner and model.
 *   "unknown" before a batch has it
 */
export function checksOf(result, checks) {
	if (!result.ok || result.batch === null) return { state: "unknown", reports: [] };
	const { statement, kind } = result.receipt;
	if (kind.mode === "private") return { state: "private", reports: [] };
	const { header, index } = result.batch;
	const reports = checks.filter((one) => one.coordinator === header.coordinator && one.sequence === header.sequence && one.index === index
		&& one.channel === statement.channel && one.number === statement.number
		&& one.miner === statement.miner && one.model === statement.model);
	const exact = reports.filter((one) => one.figures.class === "exact");
	if (reports.length === 0) return { state: "not_checked", reports };
	if (exact.some((one) => !one.figures.equal)) return { state: "not_equal", reports };
	return { state: exact.length > 0 ? "equal" : "figures", reports };
}

// ---- running sums

const point = ({ count, price, weight = 0n }) => [count, price, weight];

/** Can both points lie on one rising curve? */
function agree(one, other) {
	const [low, high] = one[0] <= other[0] ? [one, other] : [other, one];
	const pairs = [[low[1], high[1]], [low[2], high[2]]];
	return pairs.every(([below, above]) => (low[0] === high[0] ? below === above : below <= above));
}

/** The point before a receipt; null if the receipt contradicts itself. */
function before(after, price, weight) {
	const made = [after[0] - 1n, after[1] - price, after[2] - weight];
	return made.every((part) => part >= 0n) && agree(made, [0n, 0n, 0n]) ? made : null;
}

/** Does the receipt add what lies between the two points of a line? */
function isWithin(after, price, weight, line) {
	const start = before(after, price, weight);
	const [from, to] = [point(line.from), point(line.to)];
	if (start === null || from[0] > start[0] || after[0] > to[0]) return false;
	return [start, after].every((at) => agree(at, from) && agree(at, to));
}

// ---- checks

const text = (value) => {
	const bytes = new TextEncoder().encode(value);
	return joined([bytes.length << 2], bytes);
};

const minerPayload = (genesis, receipt) => joined(text(RECEIPT_TAG), genesis, [MINER], receipt.statement.bytes);
const coordinatorPayload = (genesis, receipt) => joined(text(RECEIPT_TAG), genesis, [COORDINATOR], receipt.bytes);

/** The id of a receipt on the chain with this genesis hash, as hexadecimal digits. */
export function receiptId(receipt, genesis) {
	return toHex(blake2b(minerPayload(genesis, receipt)));
}

/** Is there no answer, and nothing to pay? Only then a receipt may be without a miner. */
function isWithoutAnswer(statement) {
	const zeros = ["weight", "price", "durationMs"].every((name) => statement[name] === 0n);
	const none = statement.inputTokens + statement.outputTokens + statement.memoryMb === 0;
	return zeros && none && statement.sampler === "greedy" && /^0+$/.test(statement.model + statement.outputRoot);
}

/** What a receipt says, checked against itself. */
function checkAlone({ statement, channelSums, minerSums }) {
	const fits = statement.miner === null ? isWithoutAnswer(statement) : statement.durationMs > 0n;
	if (!fits) fail("receipt", "a receipt without a miner costs nothing, and work takes time");
	const { price, weight } = statement;
	const sums = [before(point(channelSums), price, 0n), before(point(minerSums), price, weight)];
	if (sums.includes(null)) fail("receipt", "the running sums do not contain the receipt itself");
}

/** Is the leaf in the tree? The sides follow from index and size. */
function checkLeaf(placed, leaf, size, root, what) {
	const sides = pathOf(placed.index, size) ?? [];
	const steps = placed.path.map((hash, at) => ({ position: sides[at] ?? "right", hash }));
	try {
		verifyInclusion({ scheme: "rfc6962", leaf, index: placed.index, size, steps, root: hashFromHex(root) });
	} catch (error) {
		if (!(error instanceof ProofError)) throw error;
		fail("proof", `${what} is not in the batch: ${error.message}`);
	}
}

/**
 * Does the header's batch settle the receipt? Inclusion, and that its running sums lie within both lines.
 *
 * @throws {ReceiptError} if it does not
 */
export function checkProof({ receipt, channel, miner }, header) {
	const { leafHash } = schemes.rfc6962;
	const lines = header.channels + header.miners;
	checkLeaf(receipt, leafHash(receipt.item.bytes), header.receipts, header.receiptsRoot, "the receipt");
	if (channel.index >= header.channels) fail("proof", "the channel's line is not among those of channels");
	checkLeaf(channel, leafHash(joined([0], channel.item.bytes)), lines, header.linesRoot, "the channel's line");
	if (miner.index < header.channels) fail("proof", "the miner's line is not among those of miners");
	checkLeaf(miner, leafHash(joined([1], miner.item.bytes)), lines, header.linesRoot, "the miner's line");
	const { statement, kind, channelSums, minerSums } = receipt.item;
	const { channel: id, number, price, weight } = statement;
	if (id !== channel.item.voucher.channel || statement.miner !== miner.item.miner) {
		fail("proof", "a line is of another channel or miner");
	}
	if (kind.asset !== header.kind.asset || kind.mode !== header.kind.mode) fail("proof", "another asset or mode");
	if (!isWithin(point(channelSums), price, 0n, channel.item)) fail("proof", "outside of the channel's line");
	if (!isWithin(point(minerSums), price, weight, miner.item)) fail("proof", "outside of the miner's line");
	if (number > channel.item.voucher.number) fail("proof", "the line's voucher is older than the receipt's");
}

/** Whether a signature is good; null if this browser has no Ed25519. */
async function isSigned(key, payload, signature) {
	const { subtle } = globalThis.crypto ?? {};
	let imported;
	try {
		imported = await subtle.importKey("raw", fromHex(key), { name: "Ed25519" }, false, ["verify"]);
	} catch (error) {
		// A key that is none is refused with a DataError; a browser without Ed25519 does not know the name.
		return error?.name === "DataError" ? false : null;
	}
	return subtle.verify({ name: "Ed25519" }, imported, signature, payload);
}

/** Checks both signatures; returns "checked", or "unchecked" in a browser without Ed25519. */
async function checkSignatures({ receipt, coordinatorSignature, minerSignature }, coordinator, genesis) {
	const byCoordinator = await isSigned(coordinator, coordinatorPayload(genesis, receipt), coordinatorSignature);
	if (byCoordinator === false) fail("coordinator_signature", "the coordinator has not signed the receipt with these sums");
	const { miner } = receipt.statement;
	if (miner === null) return byCoordinator === null ? "unchecked" : "checked";
	if (minerSignature === null) fail("miner_signature", "the miner has not signed the receipt");
	const byMiner = await isSigned(miner, minerPayload(genesis, receipt), minerSignature);
	if (byMiner === false) fail("miner_signature", "the miner has not signed the receipt");
	return byCoordinator === null || byMiner === null ? "unchecked" : "checked";
}

/** Do these headers, the newest first, lead to the one that the chain knows? */
function checkHeaders(headers, { sequence, hash }) {
	let expected = toHex(fromHex(hash));
	// By its hash: the last numbers of a group may have been passed over.
	const from = headers.findIndex((header) => header.hash === expected);
	if (from < 0 && (headers.length === 0 || headers[0].sequence < BigInt(sequence))) {
		fail("headers_missing", "the headers end before the one that the chain knows");
	}
	const path = from < 0 ? [] : headers.slice(from);
	const leads = path.every((header) => {
		const isNext = header.hash === expected;
		expected = header.previous;
		return isNext;
	});
	if (path.length === 0 || !leads) fail("not_of_the_chain", "the batch's header does not lead to one that the chain knows");
}

function readDocument(json) {
	let document;
	try {
		document = JSON.parse(json);
	} catch {
		fail("malformed", "not a JSON document");
	}
	if (document?.format !== FORMAT || !Array.isArray(document.headers)) fail("malformed", `want a document of ${FORMAT}`);
	const hash = (name) => hashFromHex(document[name]) ?? fail("malformed", `${name}: want 64 hexadecimal digits`);
	return {
		genesis: hash("genesis"),
		id: toHex(hash("receipt_id")),
		coordinator: toHex(hash("coordinator")),
		issued: decodeIssued(fromHex(document.issued)),
		proof: document.proof === null ? null : decodeProof(fromHex(document.proof)),
		headers: document.headers.map((header) => decodeHeader(fromHex(header))),
	};
}

function checkBatch({ issued, proof, headers, coordinator }) {
	const header = headers.at(-1);
	if (proof === null || header === undefined) return null;
	if (!same(proof.receipt.item.bytes, issued.receipt.bytes)) fail("other_receipt", "the proof is of another receipt than was issued");
	if (header.coordinator !== coordinator) fail("other_coordinator", "the batch is of another coordinator");
	checkProof(proof, header);
	return { header, index: proof.receipt.index };
}

/**
 * Checks a document of a receipt.
 *
 * @param {string} json the document that `gridproof receipt verify --save` writes
 * @param {object} [chain] what a node says that you trust
 * @param {string | null} [chain.genesis] the chain's genesis hash
 * @param {{sequence: bigint | number, hash: string} | null} [chain.known] a header of the coordinator's that the
 *   chain knows, from the receipt's batch on
 * @returns {Promise<{ok: boolean, error: string | null, reason: string | null, id: string | null,
 *   coordinator: string | null, signatures: "checked" | "unchecked" | null, onChain: true | null,
 *   receipt: object | null, batch: object | null}>}
 *   never rejects for what is in the document: `error` names the fault, `reason` says it in words. `signatures`
 *   is "unchecked" in a browser that has no Ed25519; then nothing says that the miner signed
 */
export async function verifyReceipt(json, { genesis = null, known = null } = {}) {
	const result = {
		ok: false, error: null, reason: null, id: null, coordinator: null, signatures: null, onChain: null, receipt: null, batch: null,
	};
	try {
		const document = readDocument(json);
		const { issued, id, coordinator } = document;
		if (genesis !== null && !same(hashFromHex(genesis) ?? [], document.genesis)) fail("other_chain", "it is of another chain");
		if (receiptId(issued.receipt, document.genesis) !== id) fail("other_id", "the receipt has another id");
		checkAlone(issued.receipt);
		const signatures = await checkSignatures(issued, coordinator, document.genesis);
		const batch = checkBatch(document);
		if (known !== null) {
			if (batch === null) fail("not_settled", "no batch has the receipt yet");
			checkHeaders(document.headers, known);
		}
		const onChain = known === null || genesis === null ? null : true;
		return { ...result, ok: true, id, coordinator, signatures, onChain, receipt: issued.receipt, batch };
	} catch (error) {
		if (!(error instanceof ReceiptError)) throw error;
		return { ...result, error: error.code, reason: error.message };
	}
}
