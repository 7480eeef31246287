// A wallet of one key that knows nothing of Gridproof: it signs the PSBTs it is given.
//
//   node wallet.js show           its addresses and script, as JSON
//   node wallet.js sign < PSBT    the finalized PSBT, both in base64

import { base64, hex } from "@scure/base";
import { p2wpkh, TEST_NETWORK, Transaction } from "@scure/btc-signer";
import { pubECDSA } from "@scure/btc-signer/utils.js";

const key = new Uint8Array(32).fill(0x42);
const publicKey = pubECDSA(key);
const address = (bech32) => p2wpkh(publicKey, { ...TEST_NETWORK, bech32 }).address;

const [command] = process.argv.slice(2);
if (command === "show") {
	// bcoin writes addresses of its regtest network with a prefix of its own.
	const script = hex.encode(p2wpkh(publicKey, TEST_NETWORK).script);
	console.log(JSON.stringify({ address: address("bcrt"), bcoin: address("rb"), script }));
} else if (command === "sign") {
	const chunks = [];
	for await (const chunk of process.stdin) {
		chunks.push(chunk);
	}
	const transaction = Transaction.fromPSBT(
		base64.decode(Buffer.concat(chunks).toString("utf8").trim()),
		{ allowUnknownOutputs: true },
	);
	transaction.sign(key);
	transaction.finalize();
	console.log(base64.encode(transaction.toPSBT()));
} else {
	console.error("say show or sign");
	process.exit(2);
}
