// What the Rust test that starts the node tells these tests.

import { readFile } from "node:fs/promises";

/** One AIT in its smallest unit. */
export const AIT = 10n ** 18n;

/** Value of an environment variable that has to be set. */
function required(name) {
	const value = process.env[name];
	if (!value) {
		throw new Error(
			`${name} is not set: these tests are run by \`cargo nextest run --release -p gridproof-e2e\`, ` +
				"which starts the node they talk to",
		);
	}
	return value;
}

/** WebSocket address of the node's RPC. */
export const rpcUrl = () => required("GRIDPROOF_RPC");

/** Multiaddress at which light clients reach the node. */
export const bootnode = () => required("GRIDPROOF_BOOTNODE");

/** The chain's light spec, parsed. */
export const lightSpec = async () =>
	JSON.parse(await readFile(required("GRIDPROOF_LIGHT_SPEC"), "utf8"));

/** The promise's value, or an error that says what took longer than `seconds`. */
export async function within(seconds, what, promise) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`${what}: not within ${seconds} s`)), seconds * 1000);
	});
	try {
		return await Promise.race([promise, late]);
	} finally {
		clearTimeout(timer);
	}
}
