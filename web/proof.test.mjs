// node --test web/

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
	canonical,
	hashFromHex,
	logLeafHash,
	merkleRoot,
	parse,
	pathOf,
	schemes,
	sha256,
	toHex,
	verifyDocument,
	verifyInclusion,
} from "./proof.mjs";

const data = (name) => readFileSync(new URL(`../vectors/${name}`, import.meta.url));
const vectors = parse(data("emlog.json"));
const logs = vectors.get("logs");
const utf8 = (text) => new TextEncoder().encode(text);

/** The sides and hashes of a proof in the vectors. */
const stepsOf = (proof) =>
	proof.map((step) => ({ position: step.get("position"), hash: hashFromHex(step.get("hash")) }));

test("SHA-256 is that of Node.js for every length around the blocks", () => {
	for (const length of [...Array(200).keys(), 1_000, 65_536]) {
		const message = randomBytes(length);
		assert.equal(toHex(sha256(message)), createHash("sha256").update(message).digest("hex"));
	}
});

test("logs have the canonical bytes and leaf hashes of the vectors", () => {
	assert.equal(logs.length, 4);
	for (const log of logs) {
		const text = canonical(log.get("log"));
		assert.equal(text, log.get("canonical_utf8"));
		assert.equal(canonical(parse(text)), text);
		assert.equal(toHex(logLeafHash(text, "legacy")), log.get("legacy_leaf_hash"));
	}
});

test("canonical JSON sorts by code point, escapes, and keeps literals", () => {
	const text = ' {"\u{10000}":1.0, "\uffee":-0, "z":[1e5,true,null,"\\/\\u007f\\b\\"\\\\\\n"], "":{}, "1":2,"__proto__":3} ';
	assert.equal(
		canonical(parse(text)),
		'{"":{},"1":2,"__proto__":3,"z":[1e5,true,null,"/\\u007f\\b\\"\\\\\\n"],"\\uffee":-0,"\\ud800\\udc00":1.0}',
	);
});

test("a text that is not JSON is refused", () => {
	const cases = [
		"", "{", "[1,]", '{"a":1,}', "01", "1.", ".5", "+1", "1e", "-", "NaN", "tru", "nulll", '"', '"\n"', '"\\x"', '"\\u12"',
		'"\\ud800"', '"\\udc00x"', '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', "{a:1}", "1 2", "'a'", "[".repeat(33) + "]".repeat(33),
	];
	for (const text of cases) assert.throws(() => parse(text), { name: "JsonError" }, text);
	assert.throws(() => parse(Uint8Array.of(0x22, 0xff, 0x22)), { name: "JsonError" });
	assert.throws(() => parse(`"${"x".repeat(1 << 20)}"`), { name: "JsonError" });
	assert.throws(() => canonical({ a: 5.0 }), TypeError);
});

test("roots of both schemes are those of the vectors", () => {
	for (const tree of vectors.get("trees")) {
		const size = Number(tree.get("n").literal);
		const leaves = logs.slice(0, size).map((log) => logLeafHash(log.get("canonical_utf8")));
		const root = toHex(merkleRoot(leaves));
		assert.equal(root, tree.get("rfc6962_root"));
		assert.equal(`6a20${root}`, tree.get("op_return_script_hex"));
		tree.get("legacy_proofs").forEach((proof, index) => {
			verifyInclusion({
				scheme: "legacy",
				leaf: hashFromHex(logs[index].get("legacy_leaf_hash")),
				index: BigInt(index),
				size: null,
				steps: stepsOf(proof),
				root: hashFromHex(tree.get("legacy_root")),
			});
		});
	}
	assert.equal(toHex(merkleRoot([])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test("every proof document is answered as the other implementations answer it", () => {
	const { cases } = JSON.parse(data("proofs.json").toString());
	assert.ok(cases.length > 100);
	for (const { name, document, asked, ok, scheme, log_checked, error, anchored_root = null } of cases) {
		const result = verifyDocument(document, { scheme: asked });
		assert.deepEqual(
			{
				ok: result.ok, scheme: result.scheme, log_checked: result.logChecked, error: result.error,
				anchored_root: result.anchoredRoot,
			},
			{ ok, scheme, log_checked, error, anchored_root },
			name,
		);
		assert.equal(result.reason === null, ok, name);
	}
});

test("a root can be asked for", () => {
	const { cases } = JSON.parse(data("proofs.json").toString());
	const { document } = cases.find(({ ok }) => ok);
	const { root } = verifyDocument(document);
	assert.equal(verifyDocument(document, { root }).ok, true);
	assert.equal(verifyDocument(document, { root: `0x${root.toUpperCase()}` }).ok, true);
	assert.equal(verifyDocument(document, { root: "00".repeat(32) }).error, "other_root");
	assert.equal(verifyDocument(document, { root: "" }).error, "other_root");
	assert.equal(verifyDocument(utf8(document)).ok, true);
});

test("an anchored root can be asked for", () => {
	const { cases } = JSON.parse(data("proofs.json").toString());
	const { document, anchored_root: anchoredRoot } = cases.find(({ anchored_root }) => anchored_root);
	assert.equal(verifyDocument(document, { anchoredRoot }).ok, true);
	assert.equal(verifyDocument(document, { anchoredRoot: "00".repeat(32) }).error, "other_anchored_root");
	assert.equal(verifyDocument(document, { anchoredRoot: "" }).error, "other_anchored_root");
	const alone = cases.find(({ ok, document }) => ok && !document.includes("anchor_path"));
	assert.equal(verifyDocument(alone.document, { anchoredRoot }).error, "other_anchored_root");
});

test("the attack on the older scheme is none on RFC 6962", () => {
	const attack = vectors.get("attacks_the_legacy_scheme_accepts").get("duplicated_last_leaf");
	const rootOf = (list) =>
		toHex(merkleRoot(list.map((index) => logLeafHash(logs[Number(index.literal)].get("canonical_utf8")))));
	assert.notEqual(rootOf(attack.get("list_a")), rootOf(attack.get("list_b")));
});

test("ways up are those of the definition", () => {
	// The largest power of two below the size splits the list.
	const defined = (index, size) => {
		if (size === 1) return [];
		const split = 2 ** Math.floor(Math.log2(size - 1));
		return index < split
			? [...defined(index, split), "right"]
			: [...defined(index - split, size - split), "left"];
	};
	for (let size = 1; size <= 70; size += 1) {
		for (let index = 0; index < size; index += 1) {
			assert.deepEqual(pathOf(BigInt(index), BigInt(size)), defined(index, size));
		}
		assert.equal(pathOf(BigInt(size), BigInt(size)), null);
	}
	assert.equal(pathOf(0n, 0n), null);
	assert.deepEqual(pathOf(1n << 63n, (1n << 63n) + 1n), ["left"]);
	assert.deepEqual(Object.keys(schemes), ["rfc6962", "legacy"]);
});
