import { expect, test } from "vitest";
import { compare, placeOf, type IndexedEntry } from "../../src/chain/indexed";
import { onlyIndexed } from "../../src/chain/search";
import type { EventRecord } from "../../src/chain/types";

const event = (type: string, name: string): EventRecord => ({ phase: { type: "ApplyExtrinsic", value: 1 }, event: { type, value: { type: name, value: {} } } }) as unknown as EventRecord;
const entry = (change: Partial<IndexedEntry>): IndexedEntry => ({ height: 7, time: "2026-01-31T22:00:00Z", transaction: null, event: null, ...change });

test("what an index says of an event holds if the block has that event at that place", () => {
	const said = entry({ event: { height: 7, place: 1, pallet: "Balances", name: "Transfer" } });
	const block = [event("System", "NewAccount"), event("Balances", "Transfer")];
	expect(compare(said, block, null).outcome).toBe("same");
	expect(compare(said, block.slice().reverse(), null).outcome).toBe("differs");
	expect(compare(said, [], null).outcome).toBe("differs");
	expect(compare(said, null, null).outcome).toBe("unread");
});

test("what an index says of a transaction holds if the block has that hash at that place", () => {
	const transaction = { height: 7, place: 1, hash: "0x02", pallet: "Balances", call: "transfer", ok: true, error: null };
	const said = entry({ transaction });
	expect(compare(said, null, ["0x01", "0x02"]).outcome).toBe("same");
	expect(compare(said, null, ["0x02", "0x01"]).outcome).toBe("differs");
	expect(compare(said, null, null).outcome).toBe("unread");
});

test("a search shows what only the index knows, in its block, and nothing twice", () => {
	const found = [{ kind: "block" as const, name: "7", to: "#/explorer/block/7" }];
	const things = [
		{ kind: "block", name: "7", height: 7 },
		{ kind: "job", name: "0x05", height: 50 },
		{ kind: "meter", name: "3", height: null },
		{ kind: "channel", name: "9", height: null },
	];
	expect(onlyIndexed(found, things).map(({ kind, to, isIndexed }) => [kind, to, isIndexed])).toEqual([
		["job", "#/explorer/block/50", true],
		["meter", "#/energy/meter/3", true],
	]);
	expect(placeOf({ kind: "account", name: "pHx", height: 5 })).toBe("#/accounts/pHx");
});
