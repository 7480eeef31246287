// Checks that a reading is in a batch, in a browser or in Node.js, without any dependency.
//
//   import { verifyDocument } from "./proof.mjs";
//   const answer = await fetch("/api/v1/logs/log_…/proof");
//   const result = verifyDocument(await answer.text());
//   // { ok: true, scheme: "rfc6962", logChecked: true, error: null, reason: null, … }
//
// Pass the text of a document, not what JSON.parse makes of it: numbers must keep their literals.
// What is shown is that the leaf is under the root that the document states. That this root is the
// batch's, compare with the chain, the signed header or the Bitcoin anchor. If the batch is anchored
// together with others, `anchoredRoot` is the root that the transaction commits to.
//
// The rules are those of docs/protocols/proofs.md, and of `gridproof proof verify`.

import { NumberLiteral, canonical, parse } from "./json.mjs";
import { sha256 } from "./sha256.mjs";

export { canonical, parse } from "./json.mjs";
export { sha256 } from "./sha256.mjs";

const utf8 = (text) => new TextEncoder().encode(text);

/** All bytes in a row. */
function joined(...parts) {
	const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}

/** Bytes as lower-case hexadecimal digits. */
export function toHex(bytes) {
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The 32 bytes of 64 hexadecimal digits, with or without 0x; null if it is anything else. */
export function hashFromHex(text) {
	if (typeof text !== "string") return null;
	const digits = text.startsWith("0x") ? text.slice(2) : text;
	if (!/^[0-9a-fA-F]{64}$/.test(digits)) return null;
	return Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

const same = (left, right) => left.length === right.length && left.every((byte, at) => byte === right[at]);

/** Why a proof does not hold; `code` is the name that the command line and the chain use. */
export class ProofError extends Error {
	constructor(code, reason) {
		super(reason);
		this.name = "ProofError";
		this.code = code;
	}
}

const fail = (code, reason) => {
	throw new ProofError(code, reason);
};

/** The two trees: how leaves and nodes are hashed. */
export const schemes = {
	rfc6962: {
		leafHash: (data) => sha256(joined([0x00], data)),
		nodeHash: (left, right) => sha256(joined([0x01], left, right)),
	},
	legacy: {
		leafHash: (data) => sha256(joined(utf8("LOG::"), data)),
		nodeHash: (left, right) => sha256(joined(left, right)),
	},
};

/** The leaf hash of a log, given as the text or bytes of its JSON. */
export function logLeafHash(log, scheme = "rfc6962") {
	return schemes[scheme].leafHash(utf8(canonical(parse(log))));
}

/** The RFC 6962 root of leaf hashes; of none, SHA-256 of nothing. */
export function merkleRoot(leaves) {
	const { nodeHash } = schemes.rfc6962;
	if (leaves.length === 0) return sha256(new Uint8Array());
	let level = leaves;
	// The last one of a level with an odd number moves up as it is.
	while (level.length > 1) {
		const above = [];
		for (let at = 0; at < level.length; at += 2) {
			above.push(at + 1 < level.length ? nodeHash(level[at], level[at + 1]) : level[at]);
		}
		level = above;
	}
	return level[0];
}

/**
 * On which side each sibling stands from the leaf `index` of `size` leaves upwards.
 *
 * @param {bigint} index
 * @param {bigint} size
 * @returns {string[] | null} null if there is no such leaf
 */
export function pathOf(index, size) {
	let last = size - 1n;
	if (index < 0n || index > last) return null;
	const path = [];
	while (last > 0n) {
		if (index % 2n === 1n) path.push("left");
		else if (index < last) path.push("right");
		// Else it is the last one of an odd number, and moves up without a sibling.
		index /= 2n;
		last /= 2n;
	}
	return path;
}

/** The way up that the scheme prescribes, or an error. */
function prescribed(scheme, index, size, steps) {
	if (scheme === "legacy") {
		if (size !== null && index >= size) fail("index_out_of_range", "the tree has no leaf with this index");
		const path = steps.map((_, level) => ((index >> BigInt(level)) % 2n === 1n ? "left" : "right"));
		if (index >> BigInt(steps.length) > 0n && steps.every((step, at) => step.position === path[at])) {
			fail("index_out_of_range", "the tree has no leaf with this index");
		}
		return path;
	}
	if (size === null) {
		fail("no_tree_size", "the document states no tree_size, which a proof of RFC 6962 needs");
	}
	const path = pathOf(index, size);
	if (path === null) fail("index_out_of_range", "the tree has no leaf with this index");
	if (path.length !== steps.length) {
		fail("wrong_length", "the proof has too many or too few hashes for this index and tree size");
	}
	return path;
}

/**
 * Does the leaf stand at `index` of the leaves whose root is `root`?
 *
 * @param {object} proof
 * @param {"rfc6962" | "legacy"} proof.scheme
 * @param {Uint8Array} proof.leaf hash of the leaf
 * @param {bigint} proof.index
 * @param {bigint | null} proof.size number of leaves; null only for the older scheme
 * @param {{position: string, hash: Uint8Array}[]} proof.steps from the leaf upwards
 * @param {Uint8Array} proof.root
 * @throws {ProofError} if it does not
 */
export function verifyInclusion({ scheme, leaf, index, size, steps, root }) {
	const path = prescribed(scheme, index, size, steps);
	if (steps.some((step, at) => step.position !== path[at])) {
		fail("wrong_position", "a hash of the proof stands on the wrong side for this index and tree size");
	}
	const { nodeHash } = schemes[scheme];
	const top = steps.reduce(
		(hash, step) => (step.position === "left" ? nodeHash(step.hash, hash) : nodeHash(hash, step.hash)),
		leaf,
	);
	if (!same(top, root)) fail("root_mismatch", "the proof leads to another root than the stated one");
}

/** A member of a document that may be missing or null. */
function optional(document, name, read, wanted) {
	const member = document.get(name) ?? null;
	if (member === null) return null;
	const value = read(member);
	return value ?? fail("bad_document", `${name}: must be ${wanted}`);
}

function wholeNumber(member) {
	// Twenty digits are enough for 64 bits, and more would only cost time.
	const isWhole = member instanceof NumberLiteral && /^[0-9]{1,20}$/.test(member.literal);
	const value = isWhole ? BigInt(member.literal) : null;
	return value !== null && value < 1n << 64n ? value : null;
}

function required(document, name, read, wanted) {
	return optional(document, name, read, wanted) ?? fail("bad_document", `${name}: must be ${wanted}`);
}

/** The steps of a path, under the name that errors give it. */
function readSteps(document, name) {
	const steps = document.get("proof") ?? null;
	if (!Array.isArray(steps)) fail("bad_document", `${name}: must be an array`);
	if (steps.length > 64) fail("bad_document", `${name}: must have at most 64 steps`);
	return steps.map(readStep);
}

/** The way from the batch's root to the root that a Bitcoin transaction commits to. */
function readAnchorPath(member) {
	if (!(member instanceof Map)) fail("bad_document", "anchor_path: must be an object");
	optional(member, "txid", hashFromHex, "64 hexadecimal digits");
	return {
		root: required(member, "root", hashFromHex, "64 hexadecimal digits"),
		index: required(member, "index", wholeNumber, "a whole number"),
		size: required(member, "tree_size", wholeNumber, "a whole number"),
		steps: readSteps(member, "anchor_path.proof"),
	};
}

function readStep(step) {
	const position = step instanceof Map ? step.get("position") : null;
	if (position !== "left" && position !== "right") {
		fail("bad_document", "proof[].position: must be left or right");
	}
	const hash = hashFromHex(step.get("hash")) ?? fail("bad_document", "proof[].hash: must be 64 hexadecimal digits");
	return { position, hash };
}

/** Reads a proof document. */
function readDocument(text) {
	let document;
	try {
		document = parse(text);
	} catch (error) {
		fail("not_json", `not a JSON document: ${error.message}`);
	}
	if (!(document instanceof Map)) fail("bad_document", "document: must be a JSON object");
	const steps = readSteps(document, "proof");
	// What names the reading and its batch proves nothing here, but has to be what it says.
	const isText = (member) => (typeof member === "string" ? member : null);
	optional(document, "log_id", isText, "a text");
	optional(document, "batch_id", isText, "a text");
	optional(document, "meter", (member) => {
		const index = wholeNumber(member);
		return index !== null && index < 1n << 32n ? index : null;
	}, "a whole number below 2^32");
	optional(document, "sequence", wholeNumber, "a whole number");
	const isScheme = (member) => (typeof member === "string" && Object.hasOwn(schemes, member) ? member : null);
	return {
		leaf: required(document, "leaf_hash", hashFromHex, "64 hexadecimal digits"),
		root: required(document, "merkle_root", hashFromHex, "64 hexadecimal digits"),
		index: required(document, "index", wholeNumber, "a whole number"),
		steps,
		size: optional(document, "tree_size", wholeNumber, "a whole number"),
		stated: optional(document, "scheme", isScheme, "rfc6962 or legacy"),
		anchor: optional(document, "anchor_path", readAnchorPath, "an object"),
		log: optional(document, "log", (member) => (member instanceof Map ? member : null), "an object"),
	};
}

/** Does the batch's root lead to the anchored root? It is a leaf of that tree. */
function verifyAnchorPath(anchor, batch) {
	const leaf = schemes.rfc6962.leafHash(batch);
	try {
		verifyInclusion({ scheme: "rfc6962", leaf, ...anchor });
	} catch (error) {
		if (!(error instanceof ProofError)) throw error;
		fail("broken_anchor_path", `the way from the batch's root to the anchored root does not hold: ${error.message}`);
	}
}

/** By which scheme: as asked for, else as stated; what states nothing is of the older gateway. */
function schemeOf(asked, stated, size) {
	if (asked !== null && !Object.hasOwn(schemes, asked)) fail("bad_document", "scheme: must be rfc6962 or legacy");
	if (asked !== null && stated !== null && asked !== stated) {
		fail("other_scheme", `the document states the scheme ${stated}; check it as that`);
	}
	return asked ?? stated ?? (size === null ? "legacy" : "rfc6962");
}

/**
 * Checks a proof document: the gateway's, the older gateway's, or that of `gridproof proof create`.
 *
 * @param {string | Uint8Array} text the document
 * @param {object} [options]
 * @param {"rfc6962" | "legacy" | null} [options.scheme] only this scheme
 * @param {string | null} [options.root] the batch's root that it has to lead to, in hexadecimal
 * @param {string | null} [options.anchoredRoot] the root in a Bitcoin transaction that it has to lead to,
 *   for a batch that is anchored together with others
 * @returns {{ok: boolean, scheme: string | null, logChecked: boolean, root: string | null,
 *   index: bigint | null, size: bigint | null, anchoredRoot: string | null, error: string | null,
 *   reason: string | null}}
 *   never throws: `error` names the fault, `reason` says it in words
 */
export function verifyDocument(text, { scheme: asked = null, root: expected = null, anchoredRoot = null } = {}) {
	const result = {
		ok: false, scheme: null, logChecked: false, root: null, index: null, size: null, anchoredRoot: null, error: null, reason: null,
	};
	try {
		const { stated, log, anchor, ...proof } = readDocument(text);
		Object.assign(result, { root: toHex(proof.root), index: proof.index, size: proof.size });
		const scheme = schemeOf(asked, stated, proof.size);
		result.scheme = scheme;
		if (log !== null && !same(schemes[scheme].leafHash(utf8(canonical(log))), proof.leaf)) {
			fail("other_log", "the log in the document does not have its leaf_hash");
		}
		verifyInclusion({ scheme, ...proof });
		if (anchor !== null) verifyAnchorPath(anchor, proof.root);
		if (expected !== null && !same(hashFromHex(expected) ?? [], proof.root)) {
			fail("other_root", "the document proves another root than the one asked for");
		}
		const anchored = anchor?.root ?? null;
		if (anchoredRoot !== null && !same(hashFromHex(anchoredRoot) ?? [], anchored ?? [0])) {
			fail("other_anchored_root", "the document does not lead to the anchored root asked for");
		}
		return { ...result, ok: true, logChecked: log !== null, anchoredRoot: anchored === null ? null : toHex(anchored) };
	} catch (error) {
		if (!(error instanceof ProofError)) throw error;
		return { ...result, error: error.code, reason: error.message };
	}
}
