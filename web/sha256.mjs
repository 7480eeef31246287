// SHA-256 (FIPS 180-4), at once and everywhere: WebCrypto answers later, and only on secure pages.

/** The first 32 bits of the fractional parts of the n-th roots of the first primes. */
function constants() {
	const primes = [];
	for (let candidate = 2; primes.length < 64; candidate += 1) {
		if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
	}
	// Exactly, with whole numbers: the root of prime · 2^(32·degree), without its whole part.
	const fraction = (prime, degree) => {
		const target = BigInt(prime) << BigInt(32 * degree);
		let [low, high] = [0n, 1n << 40n];
		while (high - low > 1n) {
			const middle = (low + high) >> 1n;
			if (middle ** BigInt(degree) <= target) low = middle;
			else high = middle;
		}
		return Number(low & 0xffffffffn);
	};
	return {
		start: primes.slice(0, 8).map((prime) => fraction(prime, 2)),
		rounds: primes.map((prime) => fraction(prime, 3)),
	};
}

const { start, rounds } = constants();

const rotated = (word, by) => (word >>> by) | (word << (32 - by));

/** The message, a one, zeros, and the message's length in bits, in blocks of 64 bytes. */
function padded(message) {
	const length = Math.ceil((message.length + 9) / 64) * 64;
	const bytes = new Uint8Array(length);
	bytes.set(message);
	bytes[message.length] = 0x80;
	const view = new DataView(bytes.buffer);
	view.setBigUint64(length - 8, BigInt(message.length) * 8n);
	return view;
}

function schedule(view, offset) {
	const words = new Uint32Array(64);
	for (let at = 0; at < 16; at += 1) words[at] = view.getUint32(offset + 4 * at);
	for (let at = 16; at < 64; at += 1) {
		const [early, late] = [words[at - 15], words[at - 2]];
		const small = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
		const large = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
		words[at] = words[at - 16] + small + words[at - 7] + large;
	}
	return words;
}

/**
 * The SHA-256 of some bytes.
 *
 * @param {Uint8Array} message
 * @returns {Uint8Array} 32 bytes
 */
export function sha256(message) {
	const view = padded(message);
	const state = Uint32Array.from(start);
	for (let offset = 0; offset < view.byteLength; offset += 64) {
		const words = schedule(view, offset);
		let [a, b, c, d, e, f, g, h] = state;
		for (let at = 0; at < 64; at += 1) {
			const choice = (e & f) ^ (~e & g);
			const mixed = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
			const first = (h + mixed + choice + rounds[at] + words[at]) | 0;
			const majority = (a & b) ^ (a & c) ^ (b & c);
			const second = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority) | 0;
			[h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
		}
		[a, b, c, d, e, f, g, h].forEach((word, at) => {
			state[at] += word;
		});
	}
	const digest = new DataView(new ArrayBuffer(32));
	state.forEach((word, at) => digest.setUint32(4 * at, word));
	return new Uint8Array(digest.buffer);
}
