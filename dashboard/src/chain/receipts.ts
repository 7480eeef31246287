// A channel's receipt, put together from what coordinator and chain have, and checked by web/receipt.mjs.

import { decodeHeader, verifyReceipt, type Checked } from "../../../web/receipt.mjs";
import { fromHex } from "../lib/bytes";
import type { Api } from "./chain.svelte";
import * as reads from "./reads";
import { askJson } from "./services";

export interface ReceiptAnswer {
	receipt_id: string;
	issued: string;
	batch: number | null;
	stage: string | null;
	header: string | null;
	proof: string | null;
}

export interface BatchAnswer {
	sequence: number;
	stage: string;
	header: string;
	cid: string | null;
	block: string | null;
	reason: string | null;
}

export interface Proven {
	checked: Checked;
	document: string;
}

const MOST_HEADERS = 200;

export const headerOf = (hex: string): ReturnType<typeof decodeHeader> => decodeHeader(fromHex(hex) ?? new Uint8Array());

/** What is signed and, once a batch has the receipt, that the chain has the batch. */
export async function prove(
	api: Api, at: string, genesis: string, coordinator: string, issued: string, id: string,
): Promise<Proven> {
	const answer = await askJson<ReceiptAnswer>("coordinator", `/v1/receipts/${id}`).catch(() => null);
	const chainKnows = await reads.headerChain(api, at, coordinator);
	const newest = chainKnows.next_sequence - 1n;
	const settled = answer?.proof && answer.header ? headerOf(answer.header) : null;
	const headers: string[] = [];
	const isKnown = settled !== null && settled.sequence <= newest;
	if (settled && answer?.header) {
		headers.push(answer.header);
		if (isKnown) {
			const count = Number(newest - settled.sequence);
			if (count > MOST_HEADERS) throw new Error(`more than ${MOST_HEADERS} headers`);
			for (let after = 1; after <= count; after += 1) {
				headers.unshift((await askJson<BatchAnswer>("coordinator", `/v1/batches/${settled.sequence + BigInt(after)}`)).header);
			}
		}
	}
	const document = JSON.stringify(
		{ format: "gridproof/receipt-document/v1", genesis, receipt_id: id, coordinator, issued, proof: answer?.proof ?? null, headers },
		null, "\t",
	);
	const known = isKnown ? { sequence: newest, hash: chainKnows.last_hash.replace(/^0x/, "") } : null;
	return { checked: await verifyReceipt(document, { genesis, known }), document };
}

/** A document again, against what the chain knows of its coordinator. */
export async function proveDocument(api: Api, at: string, genesis: string, text: string): Promise<Proven> {
	const { coordinator, proof } = JSON.parse(text) as { coordinator: string; proof: string | null };
	if (!proof) return { checked: await verifyReceipt(text, { genesis }), document: text };
	const { next_sequence, last_hash } = await reads.headerChain(api, at, coordinator);
	const known = next_sequence > 0n ? { sequence: next_sequence - 1n, hash: last_hash.replace(/^0x/, "") } : null;
	return { checked: await verifyReceipt(text, { genesis, known }), document: text };
}
