// What the tests of e2e/tests/end_to_end/readers.rs tell these scripts.

export const url = process.argv[2] ?? "ws://127.0.0.1:9944";
/** The last block to read. */
export const last = Number(process.argv[3] ?? 20);
export const AIT = 10n ** 18n;

/** A promise, or an error after some seconds: no script waits for ever. */
export const within = (seconds, what, promise) =>
	Promise.race([
		promise,
		new Promise((_, reject) =>
			setTimeout(() => reject(new Error(`${what}: nothing after ${seconds} s`)), seconds * 1_000).unref(),
		),
	]);
