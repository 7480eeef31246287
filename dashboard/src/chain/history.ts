// Figures of the past, from the states that the node keeps. Every point is read from a block that can be opened.

import { chain } from "./chain.svelte";
import { storageDecoder } from "./metadata";

/** Numbers of blocks, evenly spread, the newest last. */
export function spread(first: number, last: number, count: number): number[] {
	if (last <= first) return [last];
	const steps = Math.min(count - 1, last - first);
	return Array.from({ length: steps + 1 }, (_, at) => first + Math.round(((last - first) * at) / steps));
}

const AT_A_TIME = 20;

/** One row of the state, and what of it is wanted. */
export interface Item {
	pallet: string;
	name: string;
	args?: unknown[];
	pick: (value: any) => bigint;
}

export interface Point {
	block: number;
	hash: string;
	time: bigint;
	values: bigint[];
}

const TIME: Item = { pallet: "Timestamp", name: "Now", pick: (value) => value };
const VERSION: Item = { pallet: "System", name: "LastRuntimeUpgrade", pick: (value) => BigInt(value.spec_version) };

export const SUPPLIES: Item[] = [
	{ pallet: "Balances", name: "TotalIssuance", pick: (value) => value },
	{ pallet: "Assets", name: "Asset", args: [1], pick: (value) => value.supply },
	{ pallet: "Assets", name: "Asset", args: [2], pick: (value) => value.supply },
];
export const MINED: Item[] = [{ pallet: "ComputeReceipts", name: "Sums", pick: (value) => value.minted + value.promised }];

/**
 * Reads the items at blocks from `first` to the finalized one; those whose state is gone are left out. All rows of a block
 * are one request, decoded by the runtime that runs now; a block of another runtime is read by its own.
 */
export async function sample(count: number, first: number, items: Item[], onPart?: (points: Point[]) => void): Promise<Point[]> {
	const { client, api, finalized } = chain;
	if (!client || !api || !finalized) return [];
	const all = [TIME, VERSION, ...items];
	const [keys, decoders] = await Promise.all([
		Promise.all(all.map(({ pallet, name, args }) => api.query[pallet][name].getKey(...(args ?? [])) as Promise<string>)),
		Promise.all(all.map(({ pallet, name }) => storageDecoder(client, pallet, name))),
	]);
	const running = BigInt((await api.query.System.LastRuntimeUpgrade.getValue({ at: finalized.hash })).spec_version);
	const numbers = spread(Math.max(1, first), finalized.number, count);
	const hashes = await client._request<(string | null)[]>("chain_getBlockHash", [numbers]);

	const read = async (block: number, hash: string): Promise<Point> => {
		const [answer] = await client._request<{ changes: [string, string | null][] }[]>("state_queryStorageAt", [keys, hash]);
		const rows = new Map(answer?.changes);
		const decoded = (at: number): bigint => {
			const bytes = rows.get(keys[at] ?? "");
			return bytes ? (all[at] as Item).pick(decoders[at]?.(bytes)) : 0n;
		};
		const isSame = decoded(1) === running;
		const slow = async ({ pallet, name, args, pick }: Item): Promise<bigint> => pick(await api.query[pallet][name].getValue(...(args ?? []), { at: hash }));
		const values = isSame ? items.map((_, at) => decoded(at + 2)) : await Promise.all(items.map(slow));
		return { block, hash, time: isSame ? decoded(0) : await slow(TIME), values };
	};

	const found: Point[] = [];
	// The newest first, since it is what is looked at.
	const rest = numbers.map((block, at) => ({ block, hash: hashes[at] })).reverse();
	while (rest.length > 0) {
		const part = rest.splice(0, AT_A_TIME);
		const results = await Promise.allSettled(part.map(({ block, hash }) => (hash ? read(block, hash) : Promise.reject(new Error("none")))));
		for (const result of results) if (result.status === "fulfilled") found.push(result.value);
		if (chain.client !== client) return [];
		found.sort((one, other) => one.block - other.block);
		onPart?.([...found]);
		if (results.every(({ status }) => status === "rejected")) break;
	}
	return found;
}
