// An attestation, checked in the browser: the hash of its fields, the message that each role signed, the signature.
// The rules are those of docs/protocols/attestation.md.

import { blake2b } from "../../../web/blake2b.mjs";
import { canonical, parse } from "../../../web/json.mjs";
import { sha256 } from "../../../web/sha256.mjs";
import { fromHex, joined, little, toHex } from "../lib/bytes";
import type { Fraction } from "../lib/format";
import type { Attestation, AttestationFields, Price } from "./types";

const ROLES = ["Data", "Risk", "Ops"];

const fraction = ({ numerator, denominator }: Fraction): Uint8Array => joined(little(numerator, 16), little(denominator, 16));
const price = ({ negative, magnitude }: Price): Uint8Array => joined(Uint8Array.of(negative ? 1 : 0), fraction(magnitude));

/** SCALE of the fields, in the order in which the chain has them. */
export function encodeFields(fields: AttestationFields): Uint8Array {
	const replaces = fields.replaces ? joined(Uint8Array.of(1), fromHex(fields.replaces) ?? new Uint8Array()) : Uint8Array.of(0);
	return joined(
		Uint8Array.of(fields.kind.type === "Reserve" ? 0 : 1),
		little(fields.day, 4),
		little(fields.revision, 4),
		replaces,
		little(fields.wh_raw, 16),
		little(fields.wh_committed, 16),
		fraction(fields.alpha),
		price(fields.eur_per_mwh),
		little(fields.compute_assets, 16),
		little(fields.zones_ok, 2),
		little(fields.zones_total, 2),
	);
}

export const fieldsHash = (fields: AttestationFields): string => toHex(blake2b(encodeFields(fields)));

/** What a role signs. */
export const signedMessage = (fields: AttestationFields, digest: string, genesis: string, role: string): string => {
	const day = new Date(fields.day * 86_400_000).toISOString().slice(0, 10);
	return `AICP|day=${day}|digest=${digest}|fields=${fieldsHash(fields)}|v=2|chain=substrate:${genesis}|role=${role.toLowerCase()}`;
};

export type Verdict = "good" | "bad" | "unsupported" | "missing";

/** Is the Ed25519 signature one of this key over this message? */
export async function verifySignature(key: string, message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>): Promise<Verdict> {
	const bytes = fromHex(key);
	const subtle = globalThis.crypto?.subtle;
	if (!bytes || !subtle) return "unsupported";
	try {
		const imported = await subtle.importKey("raw", bytes, { name: "Ed25519" }, false, ["verify"]);
		return (await subtle.verify({ name: "Ed25519" }, imported, signature, message)) ? "good" : "bad";
	} catch (error) {
		return error instanceof Error && error.name === "DataError" ? "bad" : "unsupported";
	}
}

export interface RoleCheck {
	role: string;
	key: string;
	message: string;
	signature: string | null;
	verdict: Verdict;
}

/** A submission of this attestation anywhere in the call of a transaction. */
function submission(call: unknown, digest: string): { role: { type: string }; signature: string }[] | null {
	if (Array.isArray(call)) {
		for (const one of call) {
			const found = submission(one, digest);
			if (found) return found;
		}
		return null;
	}
	if (call === null || typeof call !== "object" || call instanceof Uint8Array) return null;
	const { type, value } = call as { type?: string; value?: any };
	if (type === "submit" && value?.digest === digest && Array.isArray(value.signatures)) return value.signatures;
	return submission(Object.values(call), digest);
}

/** An attestation's signatures in its block, checked one by one against the keys that the chain keeps with it. */
export async function checkSignatures(
	attestation: Attestation,
	calls: unknown[],
	genesis: string,
): Promise<RoleCheck[]> {
	const signatures = submission(calls, attestation.digest);
	return Promise.all(
		attestation.signers.map(async ([role, key]): Promise<RoleCheck> => {
			const message = signedMessage(attestation.fields, attestation.digest, genesis, role.type);
			const signature = signatures?.find((one) => one.role.type === role.type)?.signature ?? null;
			const bytes = signature === null ? null : fromHex(signature);
			const verdict = bytes ? await verifySignature(key, new TextEncoder().encode(message), bytes) : "missing";
			return { role: role.type, key, message, signature, verdict };
		}),
	);
}

export const isRole = (role: string): boolean => ROLES.includes(role);

/** The digest of an attestation's file: SHA-256 of its canonical form without signers, signatures and digest. */
export function fileDigest(text: string): { digest: string; day: string | null } {
	const document = parse(text);
	if (!(document instanceof Map)) throw new Error("not an object");
	const meta = document.get("meta");
	if (!(meta instanceof Map)) throw new Error("no meta");
	meta.set("signers", []);
	meta.set("signatures", []);
	meta.delete("digest_signed");
	const digest = toHex(sha256(new TextEncoder().encode(canonical(document))));
	const day = document.get("day");
	return { digest, day: typeof day === "string" ? day : null };
}
