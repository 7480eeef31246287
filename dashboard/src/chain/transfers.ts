// Transfers of an account in the newest final blocks: the chain keeps no list by account, so their events are read.

import { chain } from "./chain.svelte";
import * as reads from "./reads";
import type { EventRecord } from "./types";
import { nameOf, words } from "./words";

export interface Transfer {
	block: number;
	index: number;
	words: string;
}

const SHOWN = new Set([
	"Balances.Transfer", "Assets.Transferred", "ComputeReceipts.EmissionPaid", "CoveragePolicy.Redeemed", "ComputeReceipts.ChannelOpened",
	"ComputeReceipts.JobOpened", "ComputeReceipts.Registered", "TransactionPayment.TransactionFeePaid",
]);
const AT_A_TIME = 40;

const isOf = (record: EventRecord, who: string): boolean =>
	SHOWN.has(nameOf(record)) && Object.values(record.event.value.value ?? {}).some((value) => value === who);

const known = new Map<string, EventRecord[]>();

export async function transfersOf(who: string, count: number): Promise<Transfer[]> {
	const { client, api, finalized, genesis } = chain;
	if (!client || !api || !finalized) return [];
	const numbers = Array.from({ length: Math.min(count, finalized.number) }, (_, at) => finalized.number - at);
	const found: Transfer[] = [];
	for (let from = 0; from < numbers.length; from += AT_A_TIME) {
		const part = numbers.slice(from, from + AT_A_TIME);
		const hashes = await client._request<(string | null)[]>("chain_getBlockHash", [part]).catch(() => [] as (string | null)[]);
		const lists = await Promise.all(
			part.map(async (_, at) => {
				const hash = hashes[at];
				if (!hash) return [];
				const key = `${genesis} ${hash}`;
				const kept = known.get(key);
				if (kept) return kept;
				// Only what somebody may ask for is kept.
				const events = ((await reads.events(api, hash).catch(() => [])) as EventRecord[]).filter((one) => SHOWN.has(nameOf(one)));
				known.set(key, events);
				return events;
			}),
		);
		lists.forEach((events, at) => {
			events.forEach((record, index) => {
				if (isOf(record, who)) found.push({ block: part[at] ?? 0, index, words: words(record) });
			});
		});
		if (chain.client !== client) return [];
	}
	return found;
}
