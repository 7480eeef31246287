// What an index says of the past. It proves nothing, so each entry is compared with its block, which this browser reads itself, where it can.

import { blake2b } from "../../../web/blake2b.mjs";
import { fromHex, toHex } from "../lib/bytes";
import { prefs } from "../lib/prefs.svelte";
import { href } from "../lib/route.svelte";
import { hashOf } from "./blocks";
import { chain } from "./chain.svelte";
import type { Point } from "./history";
import * as reads from "./reads";
import { askJson } from "./services";
import type { EventRecord } from "./types";
import { nameOf, words } from "./words";

export interface IndexedTransaction {
	height: number;
	place: number;
	hash: string;
	pallet: string;
	call: string;
	ok: boolean;
	error: string | null;
}

export interface IndexedEvent {
	height: number;
	place: number;
	pallet: string;
	name: string;
}

export interface IndexedEntry {
	height: number;
	time: string;
	transaction: IndexedTransaction | null;
	event: IndexedEvent | null;
}

export interface IndexedPage<T> {
	entries: T[];
	next: string | null;
}

export interface IndexedThing {
	kind: string;
	name: string;
	height: number | null;
}

interface Supply {
	height: number;
	time: string;
	ait: string;
	aicp: string;
	kwh: string;
}

export class OtherChain extends Error {}

/** Is an index named, by the reader or by the page's server? */
export const hasIndex = (): boolean => prefs.service("index") !== "";

const genesisOf = new Map<string, string>();

/** Asks the index; one of another chain is not listened to. */
async function ask<T>(path: string): Promise<T> {
	const base = prefs.service("index");
	let genesis = genesisOf.get(base);
	if (genesis === undefined) {
		genesis = (await askJson<{ genesis: string }>("index", "/api/v1/status")).genesis;
		genesisOf.set(base, genesis);
	}
	if (genesis !== chain.genesis) {
		// It may be another one the next time.
		genesisOf.delete(base);
		throw new OtherChain(base);
	}
	return askJson<T>("index", path);
}

export const historyOf = (who: string, cursor: string | null): Promise<IndexedPage<IndexedEntry>> =>
	ask(`/api/v1/accounts/${encodeURIComponent(who)}/history?limit=25${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);

/** Supplies from the first block to the last, in the order of AIT, AICP, KWH. */
export async function supplyPoints(): Promise<Point[]> {
	const points = await ask<Supply[]>("/api/v1/supplies");
	return points.map(({ height, time, ait, aicp, kwh }) => ({
		block: height, hash: "", time: BigInt(Date.parse(time)), values: [BigInt(ait), BigInt(aicp), BigInt(kwh)],
	}));
}

export const search = (text: string): Promise<IndexedThing[]> => ask(`/api/v1/search?q=${encodeURIComponent(text)}`);

/** Where a thing that only the index knows can be looked at: in its block. */
export function placeOf({ kind, name, height }: IndexedThing): string | null {
	if (kind === "account") return href("accounts", name);
	if (kind === "meter") return href("energy", "meter", name);
	return height === null ? null : href("explorer", "block", height);
}

/** What this browser found in the block itself: `same`, `differs`, or `unread` if it has not the block. */
export interface Checked {
	outcome: "same" | "differs" | "unread";
	/** What happened, in words, as the block says. */
	words: string;
}

const UNREAD: Checked = { outcome: "unread", words: "" };

/** Compares an entry with a block's events, or with the transactions of its body. */
export function compare(entry: IndexedEntry, events: EventRecord[] | null, hashes: string[] | null): Checked {
	const { event, transaction } = entry;
	if (event) {
		if (events === null) return UNREAD;
		const record = events[event.place];
		const isSame = record !== undefined && nameOf(record) === `${event.pallet}.${event.name}`;
		return { outcome: isSame ? "same" : "differs", words: record ? words(record) : "" };
	}
	if (transaction) {
		if (hashes === null) return UNREAD;
		return { outcome: hashes[transaction.place] === transaction.hash ? "same" : "differs", words: "" };
	}
	return UNREAD;
}

/** Reads the entry's block from the chain and compares. */
export async function check(entry: IndexedEntry): Promise<Checked> {
	const { api, client, finalized } = chain;
	if (!api || !client || !finalized || entry.height > finalized.number) return UNREAD;
	const hash = await hashOf(entry.height).catch(() => null);
	if (!hash) return UNREAD;
	const events = entry.event ? ((await reads.events(api, hash).catch(() => null)) as EventRecord[] | null) : null;
	const body = entry.transaction ? await client.getBlockBody(hash).catch(() => null) : null;
	const hashes = body?.map((one) => toHex(blake2b(one instanceof Uint8Array ? one : (fromHex(one as string) ?? new Uint8Array())))) ?? null;
	return compare(entry, events, hashes);
}
