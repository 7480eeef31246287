import { afterEach, expect, test } from "vitest";
import { chain } from "../../src/chain/chain.svelte";
import { energySums } from "../../src/chain/sums.svelte";

const nothing = { import_wh: 0n, export_wh: 1n };
const totals = Object.fromEntries(["last_hour", "today", "yesterday", "week", "month", "year", "all"].map((period) => [period, nothing]));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const meter = (index: number): unknown => ({ index, certificate: { name: { site: bytes("s"), device: bytes("d"), meter: bytes("m") }, owner: "o", organisation: 0 } });

/** A node with so many meters; `fail` is thrown instead of the second page. */
function connect(count: number, fail?: Error): { held: string[] } {
	const held: string[] = [];
	chain.genesis = "0x01";
	chain.finalized = { number: 100, hash: "0xaa" };
	chain.api = {
		apis: {
			MeterReadingsApi: {
				overview: async () => ({ meters: count }),
				meter_page: async (from: number, limit: number) => {
					if (from > 0 && fail) throw fail;
					const end = Math.min(from + limit, count);
					return { meters: Array.from({ length: end - from }, (_, at) => meter(from + at)), next: end < count ? end : undefined };
				},
				totals: async () => totals,
			},
		},
	};
	chain.client = {
		hodlBlock: (hash: string) => {
			held.push(hash);
			return () => held.pop();
		},
	} as never;
	return { held };
}

afterEach(() => {
	energySums.leave();
	energySums.shown = null;
	energySums.fault = "";
	energySums.isCutOff = false;
});

test("all meters are summed at one block, which is held for so long", async () => {
	const { held } = connect(250);
	const run = energySums.start();
	expect([held, energySums.isDue(100)]).toEqual([["0xaa"], false]);
	await run;
	expect(energySums.shown).toMatchObject({ done: 250, all: 250, isWhole: true, at: { number: 100 } });
	expect([held, energySums.running]).toEqual([[], null]);
	// So few are summed again after a while.
	expect([energySums.isDue(119), energySums.isDue(120)]).toEqual([false, true]);
});

test("many meters are summed again only when the reader says so", async () => {
	connect(501);
	await energySums.start();
	expect(energySums.shown?.isWhole).toBe(true);
	expect(energySums.isDue(1_000_000)).toBe(false);
});

test("a part that was cut off says so, and a reader who comes back begins again", async () => {
	const gone = new Error("let go");
	gone.name = "BlockNotPinnedError";
	connect(250, gone);
	await energySums.start();
	expect([energySums.isCutOff, energySums.fault]).toEqual([true, ""]);
	expect(energySums.shown).toMatchObject({ done: 100, all: 250, isWhole: false });
	energySums.leave();
	expect([energySums.shown, energySums.isDue(101)]).toEqual([null, true]);
});

test("a node that refuses is not asked again at each block", async () => {
	connect(250, new Error("method not found"));
	await energySums.start();
	energySums.leave();
	expect(energySums.fault).toBe("method not found");
	expect([energySums.isDue(101), energySums.isDue(120)]).toEqual([false, true]);
});
