// Figures of the past, from the states that the node keeps. Every point is read from a block that can be opened.

import { chain } from "./chain.svelte";
import * as reads from "./reads";

export interface Sample<T> {
	block: number;
	hash: string;
	value: T;
}

/** Numbers of blocks, evenly spread, the newest last. */
export function spread(first: number, last: number, count: number): number[] {
	if (last <= first) return [last];
	const steps = Math.min(count - 1, last - first);
	return Array.from({ length: steps + 1 }, (_, at) => first + Math.round(((last - first) * at) / steps));
}

const AT_A_TIME = 6;

/** Reads with `read` at blocks between `first` and the finalized one; those whose state is gone are left out. */
export async function sample<T>(
	count: number,
	first: number,
	read: (api: any, at: string) => Promise<T>,
	onPart?: (samples: Sample<T>[]) => void,
): Promise<Sample<T>[]> {
	const { client, api, finalized } = chain;
	if (!client || !api || !finalized) return [];
	const numbers = spread(Math.max(1, first), finalized.number, count);
	const hashes = await client._request<(string | null)[]>("chain_getBlockHash", [numbers]);
	const found: Sample<T>[] = [];
	// The newest first, since it is what is looked at.
	const rest = numbers.map((block, at) => ({ block, hash: hashes[at] })).reverse();
	while (rest.length > 0) {
		const part = rest.splice(0, AT_A_TIME);
		const values = await Promise.allSettled(part.map(({ hash }) => (hash ? read(api, hash) : Promise.reject(new Error("none")))));
		values.forEach((result, at) => {
			const { block, hash } = part[at] ?? {};
			if (result.status === "fulfilled" && block !== undefined && hash) found.push({ block, hash, value: result.value });
		});
		if (chain.client !== client) return [];
		onPart?.([...found].sort((one, other) => one.block - other.block));
		if (values.every(({ status }) => status === "rejected")) break;
	}
	return found.sort((one, other) => one.block - other.block);
}

export const sampleSupplies = (count: number, onPart: (samples: Sample<reads.Supplies>[]) => void): Promise<Sample<reads.Supplies>[]> =>
	sample(count, 1, reads.supplies, onPart);
