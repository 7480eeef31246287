// Bytes and hexadecimal digits.

export const toHex = (bytes: Uint8Array): `0x${string}` =>
	`0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;

/** The bytes of hexadecimal digits, with or without 0x; null if they are none. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | null {
	const digits = text.startsWith("0x") ? text.slice(2) : text;
	if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return null;
	return Uint8Array.from({ length: digits.length / 2 }, (_, at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

export const isHash = (text: string): boolean => /^0x[0-9a-fA-F]{64}$/.test(text);

/** Text in bytes as the chain keeps names; digits where it is not UTF-8. */
export function text(value: Uint8Array | string): string {
	if (typeof value === "string") return value;
	try {
		return new TextDecoder("utf-8", { fatal: true }).decode(value);
	} catch {
		return toHex(value);
	}
}

/** Little-endian bytes of a whole number. */
export function little(value: bigint | number, size: number): Uint8Array {
	const bytes = new Uint8Array(size);
	let rest = BigInt(value);
	for (let at = 0; at < size; at += 1) {
		bytes[at] = Number(rest & 0xffn);
		rest >>= 8n;
	}
	return bytes;
}

export function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}

export const same = (left: Uint8Array, right: Uint8Array): boolean =>
	left.length === right.length && left.every((byte, at) => byte === right[at]);

/** The text of a content identifier (CIDv1) from its bytes: base32 in lower case, with the prefix `b`. */
export function cid(bytes: Uint8Array): string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
	let out = "b";
	let held = 0;
	let bits = 0;
	for (const byte of bytes) {
		held = (held << 8) | byte;
		bits += 8;
		while (bits >= 5) {
			out += alphabet[(held >> (bits - 5)) & 31];
			bits -= 5;
		}
		held &= (1 << bits) - 1;
	}
	return bits > 0 ? out + alphabet[(held << (5 - bits)) & 31] : out;
}
