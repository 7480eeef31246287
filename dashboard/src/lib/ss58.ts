// Addresses: 32 bytes, the chain's prefix and a checksum, in base 58.

import { blake2b } from "../../../web/blake2b.mjs";
import { fromHex, joined } from "./bytes";

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const TAG = new TextEncoder().encode("SS58PRE");

export function base58(bytes: Uint8Array): string {
	let value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
	let out = "";
	while (value > 0n) {
		out = ALPHABET[Number(value % 58n)] + out;
		value /= 58n;
	}
	for (const byte of bytes) {
		if (byte !== 0) break;
		out = `1${out}`;
	}
	return out;
}

export function fromBase58(text: string): Uint8Array | null {
	let value = 0n;
	for (const character of text) {
		const digit = ALPHABET.indexOf(character);
		if (digit < 0) return null;
		value = value * 58n + BigInt(digit);
	}
	const bytes: number[] = [];
	while (value > 0n) {
		bytes.unshift(Number(value & 0xffn));
		value >>= 8n;
	}
	for (const character of text) {
		if (character !== "1") break;
		bytes.unshift(0);
	}
	return Uint8Array.from(bytes);
}

function prefixBytes(prefix: number): Uint8Array {
	if (prefix < 64) return Uint8Array.of(prefix);
	return Uint8Array.of(((prefix & 0xfc) >> 2) | 0x40, (prefix >> 8) | ((prefix & 0x03) << 6));
}

export function address(account: Uint8Array, prefix: number): string {
	const body = joined(prefixBytes(prefix), account);
	return base58(joined(body, blake2b(joined(TAG, body), 64).slice(0, 2)));
}

export type Parsed = { account: Uint8Array; prefix: number | null } | { fault: "characters" | "length" | "checksum" };

/** Reads an address of any chain, or 32 bytes in hexadecimal digits; `prefix` is null for the latter. */
export function parseAddress(input: string): Parsed {
	const text = input.trim();
	if (text.startsWith("0x")) {
		const bytes = fromHex(text);
		if (bytes === null) return { fault: "characters" };
		return bytes.length === 32 ? { account: bytes, prefix: null } : { fault: "length" };
	}
	const bytes = fromBase58(text);
	if (bytes === null || text === "") return { fault: "characters" };
	const first = bytes[0] ?? 0;
	const size = first < 64 ? 1 : 2;
	if (bytes.length !== size + 34) return { fault: "length" };
	const body = bytes.slice(0, -2);
	const sum = blake2b(joined(TAG, body), 64);
	if (sum[0] !== bytes.at(-2) || sum[1] !== bytes.at(-1)) return { fault: "checksum" };
	const second = bytes[1] ?? 0;
	const prefix = size === 1 ? first : ((first & 0x3f) << 2) | (second >> 6) | ((second & 0x3f) << 8);
	return { account: bytes.slice(size, -2), prefix };
}
