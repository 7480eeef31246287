// BLAKE2b (RFC 7693) without a key: what the chain hashes headers and ids with. Made for some hundred bytes at
// a time, with whole numbers of 64 bits.

const MASK = (1n << 64n) - 1n;
const BLOCK = 128;

/** The first words: fractional parts of the square roots of the first eight primes, 64 bits of each. */
const start = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n].map((prime) => {
	const target = prime << 128n;
	let [low, high] = [0n, 1n << 68n];
	while (high - low > 1n) {
		const middle = (low + high) >> 1n;
		if (middle * middle <= target) low = middle;
		else high = middle;
	}
	return low & MASK;
});

/** In which order each round takes the message's words; rounds eleven and twelve are as the first two. */
const orders = [
	"0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
	"2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
	"0123456789abcdef", "ea489fd61c02b753",
].map((digits) => Array.from(digits, (digit) => Number.parseInt(digit, 16)));

/** Columns and diagonals that a round mixes. */
const places = [
	[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
	[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
];

const rotated = (word, by) => ((word >> by) | (word << (64n - by))) & MASK;

function compress(state, block, counted, isLast) {
	const view = new DataView(block.buffer, block.byteOffset, BLOCK);
	const words = Array.from({ length: 16 }, (_, at) => view.getBigUint64(8 * at, true));
	const v = [...state, ...start];
	v[12] ^= BigInt(counted);
	if (isLast) v[14] ^= MASK;
	for (const order of orders) {
		places.forEach(([a, b, c, d], at) => {
			v[a] = (v[a] + v[b] + words[order[2 * at]]) & MASK;
			v[d] = rotated(v[d] ^ v[a], 32n);
			v[c] = (v[c] + v[d]) & MASK;
			v[b] = rotated(v[b] ^ v[c], 24n);
			v[a] = (v[a] + v[b] + words[order[2 * at + 1]]) & MASK;
			v[d] = rotated(v[d] ^ v[a], 16n);
			v[c] = (v[c] + v[d]) & MASK;
			v[b] = rotated(v[b] ^ v[c], 63n);
		});
	}
	return state.map((word, at) => word ^ v[at] ^ v[at + 8]);
}

/**
 * The BLAKE2b of some bytes.
 *
 * @param {Uint8Array} message
 * @param {number} [length] bytes of the result, 1 to 64; the chain uses 32
 * @returns {Uint8Array}
 */
export function blake2b(message, length = 32) {
	const blocks = Math.max(1, Math.ceil(message.length / BLOCK));
	const padded = new Uint8Array(blocks * BLOCK);
	padded.set(message);
	let state = [...start];
	state[0] ^= 0x01010000n ^ BigInt(length);
	for (let at = 0; at < blocks; at += 1) {
		const isLast = at + 1 === blocks;
		const counted = isLast ? message.length : (at + 1) * BLOCK;
		state = compress(state, padded.subarray(at * BLOCK, (at + 1) * BLOCK), counted, isLast);
	}
	const digest = new DataView(new ArrayBuffer(64));
	state.forEach((word, at) => digest.setBigUint64(8 * at, word, true));
	return new Uint8Array(digest.buffer, 0, length).slice();
}
