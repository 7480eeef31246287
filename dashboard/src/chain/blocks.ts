// Blocks with their transactions and events, of any age where the node keeps them.

import { getExtrinsicDecoder } from "@polkadot-api/tx-utils";
import { blake2b } from "../../../web/blake2b.mjs";
import { fromHex, toHex } from "../lib/bytes";
import { address } from "../lib/ss58";
import { chain } from "./chain.svelte";
import { errorText } from "./metadata";
import * as reads from "./reads";
import type { EventRecord } from "./types";

export interface Transaction {
	index: number;
	hash: string;
	bytes: number;
	pallet: string;
	call: string;
	args: unknown;
	signer: string | null;
	/** The whole call, for what looks for calls within calls. */
	whole: unknown;
	ok: boolean | null;
	events: EventRecord[];
	/** Could it be read with the runtime's metadata? */
	isRead: boolean;
}

export interface BlockView {
	number: number;
	hash: string;
	parent: string;
	stateRoot: string;
	extrinsicsRoot: string;
	time: bigint | null;
	author: string | null;
	transactions: Transaction[];
	/** Events that belong to no transaction. */
	own: EventRecord[];
	/** Why the events are missing, if they are. */
	eventsFault: string;
}

let decoders = new Map<string, Promise<(bytes: Uint8Array) => any>>();

/** Reads transactions by the metadata of the runtime that runs now. */
function decoder(): Promise<(bytes: Uint8Array) => any> {
	const { client, genesis, runtime } = chain;
	if (!client) return Promise.reject(new Error("not connected"));
	const key = `${genesis} ${runtime}`;
	const known = decoders.get(key);
	if (known) return known;
	const made = client
		.getFinalizedBlock()
		.then(({ hash }) => client.getMetadata(hash))
		.then((metadata) => getExtrinsicDecoder(metadata) as (bytes: Uint8Array) => any);
	decoders = new Map([[key, made]]);
	made.catch(() => decoders.delete(key));
	return made;
}

/** The hash of the block with this number in the chain that is best now; null if it has none. */
export async function hashOf(number: number): Promise<string | null> {
	const { client, finalized, recent } = chain;
	if (!client) return null;
	const known = recent.find((block) => block.number === number);
	if (known) return known.hash;
	if (finalized?.number === number) return finalized.hash;
	if (chain.isLight) return null;
	return (await client._request<string | null>("chain_getBlockHash", [number])) ?? null;
}

function signerOf(decoded: any): string | null {
	const value = decoded?.address ?? decoded?.signer;
	if (!value) return null;
	const inner = typeof value === "string" ? value : value.value;
	if (typeof inner === "string") return inner;
	if (inner instanceof Uint8Array && inner.length === 32) return address(inner, chain.prefix);
	return null;
}

function transaction(bytes: Uint8Array, index: number, decode: (bytes: Uint8Array) => any): Transaction {
	const plain = { index, hash: toHex(blake2b(bytes)), bytes: bytes.length, ok: null, events: [] };
	try {
		const decoded = decode(bytes);
		const { type, value } = decoded.call;
		return { ...plain, pallet: type, call: value.type, args: value.value, signer: signerOf(decoded), whole: decoded.call, isRead: true };
	} catch {
		return { ...plain, pallet: "", call: "", args: toHex(bytes), signer: null, whole: null, isRead: false };
	}
}

/** The slot that a header's seal is for. */
export function slotOf(digests: unknown): bigint | null {
	if (!Array.isArray(digests)) return null;
	for (const one of digests) {
		const { type, value } = one as { type?: string; value?: { engine?: string; payload?: unknown } };
		const payload = value?.payload;
		if (!/^preRuntime$/i.test(type ?? "") || !/^aura$/i.test(String(value?.engine)) ) continue;
		const bytes = payload instanceof Uint8Array ? payload : typeof payload === "string" ? fromHex(payload) : null;
		if (bytes && bytes.length >= 8) return bytes.slice(0, 8).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
	}
	return null;
}

export async function author(digests: unknown, seats: string[]): Promise<string | null> {
	const slot = slotOf(digests);
	if (slot === null || seats.length === 0) return null;
	return seats[Number(slot % BigInt(seats.length))] ?? null;
}

export async function blockView(hash: string): Promise<BlockView> {
	const { client, api } = chain;
	if (!client || !api) throw new Error("not connected");
	const [header, body, decode] = await Promise.all([client.getBlockHeader(hash), client.getBlockBody(hash), decoder()]);
	const raw = body.map((one) => (one instanceof Uint8Array ? one : (fromHex(one as string) ?? new Uint8Array())));
	const transactions = raw.map((bytes, index) => transaction(bytes, index, decode));
	let eventsFault = "";
	const [records, seats, time] = await Promise.all([
		reads.events(api, hash).catch((error: unknown) => {
			eventsFault = error instanceof Error ? error.message : String(error);
			return [] as EventRecord[];
		}),
		reads.seatList(api, hash).catch(() => [] as string[]),
		reads.now(api, hash).catch(() => null),
	]);
	const own: EventRecord[] = [];
	for (const record of records) {
		const target = record.phase.type === "ApplyExtrinsic" ? transactions[Number(record.phase.value)] : undefined;
		if (!target) {
			own.push(record);
			continue;
		}
		target.events.push(record);
		const { type, value } = record.event;
		if (type === "System" && value.type === "ExtrinsicSuccess") target.ok = true;
		if (type === "System" && value.type === "ExtrinsicFailed") target.ok = false;
	}
	return {
		number: header.number,
		hash,
		parent: header.parentHash,
		stateRoot: header.stateRoot,
		extrinsicsRoot: header.extrinsicRoot,
		time,
		author: await author(header.digests, seats),
		transactions,
		own,
		eventsFault,
	};
}

/** The calls of a block, for what looks something up in them. */
export async function callsOf(hash: string): Promise<unknown[]> {
	const { client } = chain;
	if (!client) throw new Error("not connected");
	const [body, decode] = await Promise.all([client.getBlockBody(hash), decoder()]);
	return body.map((one, index) => transaction(one instanceof Uint8Array ? one : (fromHex(one as string) ?? new Uint8Array()), index, decode).whole);
}

/** An error in words: those of the runtime's own documentation, with the error's name. */
export async function errorName(error: unknown): Promise<string> {
	const { type, value } = (error ?? {}) as { type?: string; value?: any };
	if (type === "Module" && value) {
		const name = String(value.value?.type ?? "");
		const words = chain.client ? await errorText(chain.client, value.type, name).catch(() => "") : "";
		return words ? `${words} (${value.type}.${name})` : `${value.type}.${name}`;
	}
	return type ? (value?.type ? `${type}: ${value.type}` : type) : String(error);
}
