import { expect, test } from "vitest";
import { sumAll, Sums, type Source } from "../../src/chain/sums";
import type { Meter, Period, Totals } from "../../src/chain/types";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const PERIODS: Period[] = ["last_hour", "today", "yesterday", "week", "month", "year", "all"];

/** Meter n is at site n modulo 100, of owner n modulo 7, of organisation n modulo 3; every eleventh is gone. */
const isGone = (index: number): boolean => index % 11 === 10;
const meter = (index: number): Meter =>
	({ index, certificate: { name: { site: bytes(`site-${index % 100}`), device: bytes("d"), meter: bytes("m") }, owner: `owner-${index % 7}`, organisation: index % 3 } }) as Meter;
const totals = (index: number): Totals =>
	Object.fromEntries(PERIODS.map((period, at) => [period, { import_wh: BigInt(index * at), export_wh: BigInt(index) }])) as Totals;

/** A node with so many numbers of meters, which answers with fewer than asked for, as the chain may. */
function node(count: number) {
	const asked = { together: 0, most: 0, limit: 0 };
	const source: Source = {
		page: async (from, limit) => {
			asked.limit = Math.max(asked.limit, limit);
			const end = Math.min(from + Math.min(limit, 64), count);
			const meters = [];
			for (let index = from; index < end; index += 1) if (!isGone(index)) meters.push(meter(index));
			return end < count ? { meters, next: end } : { meters };
		},
		totals: async (index) => {
			asked.together += 1;
			asked.most = Math.max(asked.most, asked.together);
			await Promise.resolve();
			asked.together -= 1;
			return totals(index);
		},
	};
	return { source, asked };
}

test("10,000 meters are summed, each of them once, whatever numbers are gone", async () => {
	const { source, asked } = node(10_000);
	const parts: number[] = [];
	let last = new Sums();
	expect(await sumAll(source, (sums) => {
		last = sums;
		parts.push(sums.meters);
		return true;
	})).toBe(true);
	const there = Array.from({ length: 10_000 }, (_, index) => index).filter((index) => !isGone(index));
	expect(last.meters).toBe(there.length);
	const all = there.reduce((sum, index) => sum + BigInt(index), 0n);
	for (const [kind, groups] of [["site", 100], ["owner", 7], ["organisation", 3]] as const) {
		const rows = last.rows(kind, "today");
		expect(rows.length).toBe(groups);
		expect(rows.reduce((sum, row) => sum + row.meters, 0)).toBe(there.length);
		expect(rows.reduce((sum, row) => sum + row.totals.today.export_wh, 0n)).toBe(all);
		expect(rows.reduce((sum, row) => sum + row.totals.week.import_wh, 0n)).toBe(3n * all);
	}
	const site = last.rows("site", "all").find(({ name }) => name === "site-42");
	expect(site?.totals.all.export_wh).toBe(there.filter((index) => index % 100 === 42).reduce((sum, index) => sum + BigInt(index), 0n));
	// Many parts are shown, and the node is asked for a hundred at a time at the most.
	expect(parts.length).toBeGreaterThan(100);
	expect(asked.limit).toBe(100);
	expect(asked.most).toBeLessThanOrEqual(100);
});

test("who sold most stands first, and a name decides between equals", async () => {
	const sums = new Sums();
	for (const [index, export_wh, import_wh] of [[1, 5n, 0n], [2, 9n, 0n], [3, 5n, 7n], [4, 5n, 0n]] as const) {
		const own = totals(0);
		own.today = { import_wh, export_wh };
		sums.add(meter(index), own);
	}
	expect(sums.rows("site", "today").map(({ name }) => name)).toEqual(["site-2", "site-3", "site-1", "site-4"]);
});

test("a group that has grown is another object than before", () => {
	const sums = new Sums();
	sums.add(meter(1), totals(1));
	const [before] = sums.rows("site", "today");
	sums.add(meter(101), totals(101));
	const [after] = sums.rows("site", "today");
	expect([before?.meters, after?.meters, after === before]).toEqual([1, 2, false]);
});

test("a reader who leaves ends it, with what is summed so far", async () => {
	const { source } = node(1_000);
	let done = 0;
	expect(await sumAll(source, (sums) => {
		done = sums.meters;
		return done < 200;
	})).toBe(false);
	expect(done).toBeGreaterThanOrEqual(200);
	expect(done).toBeLessThan(300);
});

test("a chain without meters has no sums, and that is whole", async () => {
	const { source } = node(0);
	let rows = -1;
	expect(await sumAll(source, (sums) => (rows = sums.rows("site", "all").length) === 0)).toBe(true);
	expect(rows).toBe(0);
});

test("a listed meter whose totals are missing is an error, and not a smaller sum", async () => {
	const { source } = node(10);
	await expect(sumAll({ ...source, totals: async () => undefined }, () => true)).rejects.toThrow("meter 0");
});
