// The well-known accounts of development chains: hard derivations of a phrase that is printed in every manual. Everybody
// has their secrets.

import { HDKD, getPublicKey, secretFromSeed, sign } from "@scure/sr25519";
import { getPolkadotSigner } from "polkadot-api/signer";
import { fromHex } from "../lib/bytes";
import { address } from "../lib/ss58";
import type { Account } from "./wallet.svelte";

/** The seed of "bottom drive obey lake curtain smoke basket hold race lonely fit walk". */
const SEED = "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e";
const NAMES = ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"];

/** A junction's chain code: SCALE of its name, filled up with zeros. */
function code(name: string): Uint8Array {
	const text = new TextEncoder().encode(name);
	const bytes = new Uint8Array(32);
	bytes[0] = text.length << 2;
	bytes.set(text, 1);
	return bytes;
}

export function developmentKey(name: string): { publicKey: Uint8Array; sign: (message: Uint8Array) => Uint8Array } {
	const root = secretFromSeed(fromHex(SEED) as Uint8Array);
	const secret = HDKD.secretHard(root, code(name));
	return { publicKey: getPublicKey(secret), sign: (message) => sign(secret, message) };
}

export const developmentAccounts = (prefix: number): Account[] =>
	NAMES.map((name) => {
		const { publicKey, sign } = developmentKey(name);
		return {
			address: address(publicKey, prefix),
			name: `//${name}`,
			source: "development",
			signer: getPolkadotSigner(publicKey, "Sr25519", (message) => sign(message)),
		};
	});
