// The vectors of vectors/attestation_v2, which other implementations check themselves with.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkSignatures, fieldsHash, fileDigest, signedMessage, verifySignature } from "../../src/chain/attest";
import type { Attestation, AttestationFields } from "../../src/chain/types";
import { fromHex } from "../../src/lib/bytes";

const read = (name: string): string => readFileSync(new URL(`../../../vectors/attestation_v2/${name}`, import.meta.url), "utf8");
const expected = JSON.parse(read("expected.json")) as { file: string; digest: string; fields: string; chain: string }[];
const of = (file: string) => expected.find((one) => one.file === file) ?? expected[0]!;
const genesis = `0x${"ab".repeat(32)}`;

/** The figures of good.json as the chain stores them. */
const fields: AttestationFields = {
	kind: { type: "Reserve" }, day: Date.UTC(2026, 0, 15) / 86_400_000, revision: 0,
	wh_raw: 1_000_000_000_000n, wh_committed: 176_170_212_765n,
	alpha: { numerator: 207n, denominator: 1175n },
	eur_per_mwh: { negative: false, magnitude: { numerator: 275n, denominator: 3n } },
	compute_assets: 250_000_500_000n, zones_ok: 46, zones_total: 47,
};

interface File {
	meta: { signers: { role: string; pubkey: string }[]; signatures: { signer: string; sig: string }[] };
}
const good = JSON.parse(read("good.json")) as File;
const attestation = (file: File): Attestation => ({
	fields, digest: of("good.json").digest as `0x${string}`,
	signers: file.meta.signers.map(({ role, pubkey }) => [{ type: role[0]!.toUpperCase() + role.slice(1) }, `0x${pubkey}`]),
	accepted: { block: 1, time: 0n },
});
/** A block's calls with this submission, within a batch of calls. */
const calls = (file: File): unknown[] => [
	{ type: "Timestamp", value: { type: "set", value: { now: 1n } } },
	{ type: "Utility", value: { type: "batch", value: { calls: [{ type: "Attestations", value: { type: "submit", value: {
		fields, digest: of("good.json").digest,
		signatures: file.meta.signatures.map(({ signer, sig }) => ({ role: { type: signer[0]!.toUpperCase() + signer.slice(1) }, signature: `0x${sig}` })),
	} } }] } } },
];

test("the hash of the fields is that of the vectors", () => {
	expect(fieldsHash(fields)).toBe(of("good.json").fields);
	const revision: AttestationFields = { ...fields, revision: 1, replaces: of("good.json").fields as `0x${string}` };
	expect(fieldsHash(revision)).not.toBe(fieldsHash(fields));
});

test("the digest of a file is that of the vectors, also of an edited one", () => {
	for (const file of ["good.json", "good_revision.json", "bad_edited_figure.json"]) {
		expect(fileDigest(read(file)).digest, file).toBe(of(file).digest);
	}
	expect(fileDigest(read("good.json")).day).toBe("2026-01-15");
});

test("a file that is not an attestation is refused", () => {
	for (const text of ["", "[]", "{}", '{"meta":1}']) expect(() => fileDigest(text)).toThrow();
});

test("both roles' signatures are found in the block and are good", async () => {
	const checks = await checkSignatures(attestation(good), calls(good), genesis);
	expect(checks.map(({ role, verdict }) => [role, verdict])).toEqual([["Data", "good"], ["Risk", "good"]]);
});

test("a signature under another role's name is bad", async () => {
	const twice = JSON.parse(read("bad_role_twice.json")) as File;
	const checks = await checkSignatures(attestation(good), calls(twice), genesis);
	expect(checks.map(({ verdict }) => verdict)).toEqual(["good", "bad"]);
});

test("one Wh more, another chain, another day or another digest breaks every signature", async () => {
	const changed: [Partial<AttestationFields>, string][] = [
		[{ wh_committed: fields.wh_committed + 1n }, genesis],
		[{ zones_ok: 45 }, genesis],
		[{ day: fields.day + 1 }, genesis],
		[{}, `0x${"ac".repeat(32)}`],
	];
	for (const [change, chain] of changed) {
		const altered = { ...attestation(good), fields: { ...fields, ...change } };
		const checks = await checkSignatures(altered, calls(good), chain);
		expect(checks.map(({ verdict }) => verdict)).toEqual(["bad", "bad"]);
	}
});

test("signatures that are not in the block are missing, never good", async () => {
	const checks = await checkSignatures(attestation(good), [calls(good)[0]], genesis);
	expect(checks.map(({ verdict }) => verdict)).toEqual(["missing", "missing"]);
});

test("the message names day, digest, fields, chain and role", () => {
	expect(signedMessage(fields, "0x12", genesis, "Data")).toBe(
		`AICP|day=2026-01-15|digest=0x12|fields=${of("good.json").fields}|v=2|chain=substrate:${genesis}|role=data`,
	);
});

test("a key that is not a point of the curve verifies nothing", async () => {
	const message = new TextEncoder().encode("x");
	const verdict = await verifySignature(`0x${"ff".repeat(32)}`, message, fromHex("00".repeat(64))!);
	expect(verdict).not.toBe("good");
});
