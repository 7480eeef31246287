import { expect, test } from "vitest";
import { share, standing, threshold, timeOver, WHOLE, type Curve } from "../../src/lib/curves";

const PERCENT = WHOLE / 100n;
/** The chain's own: support of everybody until seven eighths of the time are over, then a tenth; approval 51 % throughout. */
const support: Curve = { type: "SteppedDecreasing", value: { begin: 1_000_000_000, end: 100_000_000, step: 900_000_000, period: 875_000_000 } };
const approval: Curve = { type: "LinearDecreasing", value: { length: 1_000_000_000, floor: 510_000_000, ceil: 510_000_000 } };
const needs = { decision_period: 420, min_approval: approval, min_support: support };

test("until the last eighth of its time a proposal needs the support of everybody, then a tenth", () => {
	expect(threshold(support, 0n)).toBe(WHOLE);
	expect(threshold(support, 874_999_999n)).toBe(WHOLE);
	expect(threshold(support, 875_000_000n)).toBe(10n * PERCENT);
	expect(threshold(support, WHOLE)).toBe(10n * PERCENT);
	for (const x of [0n, 500_000_000n, WHOLE]) expect(threshold(approval, x)).toBe(51n * PERCENT);
});

test("a line falls from its ceiling to its floor, and stays there", () => {
	const line: Curve = { type: "LinearDecreasing", value: { length: 500_000_000, floor: 0, ceil: 1_000_000_000 } };
	expect([0n, 250_000_000n, 500_000_000n, WHOLE].map((x) => threshold(line, x))).toEqual([WHOLE, 500_000_000n, 0n, 0n]);
	const empty: Curve = { type: "LinearDecreasing", value: { length: 0, floor: 5, ceil: 10 } };
	expect(threshold(empty, 0n)).toBe(5n);
});

test("steps fall one after the other, and not below the end", () => {
	const steps: Curve = { type: "SteppedDecreasing", value: { begin: 800_000_000, end: 300_000_000, step: 200_000_000, period: 250_000_000 } };
	expect([0n, 249_999_999n, 250_000_000n, 500_000_000n, 750_000_000n, WHOLE].map((x) => threshold(steps, x) / PERCENT)).toEqual([80n, 80n, 60n, 40n, 30n, 30n]);
});

test("a reciprocal curve is K / (x + S) + T, cut off at nothing and at all", () => {
	// K = 0.1, S = 0.1, T = 0: all at once, half after a tenth of the time.
	const curve: Curve = { type: "Reciprocal", value: { factor: 100_000_000n, x_offset: 100_000_000n, y_offset: 0n } };
	expect(threshold(curve, 0n)).toBe(WHOLE);
	expect(threshold(curve, 100_000_000n)).toBe(500_000_000n);
	// Rounded towards what is lower: also below zero.
	const low: Curve = { type: "Reciprocal", value: { factor: 1n, x_offset: 2n, y_offset: -900_000_000n } };
	expect(threshold(low, 1n)).toBe(0n);
	// −1/3 is −333,333,334 billionths, not −333,333,333.
	expect(threshold({ type: "Reciprocal", value: { factor: -1n, x_offset: 2n, y_offset: 500_000_000n } }, 1n)).toBe(166_666_666n);
	expect(threshold({ type: "Reciprocal", value: { factor: 1n, x_offset: 0n, y_offset: 0n } }, 0n)).toBe(WHOLE);
});

test("shares are cut off, and never above the whole", () => {
	expect(share(1n, 3n)).toBe(333_333_333n);
	expect(share(2n, 1n)).toBe(WHOLE);
	expect(share(0n, 0n)).toBe(WHOLE);
	expect([0, 210, 420, 9_999, -1].map((elapsed) => timeOver(elapsed, needs))).toEqual([0n, WHOLE / 2n, WHOLE, WHOLE, 0n]);
});

test("a tally passes if both shares reach what is needed at that moment", () => {
	const tally = { ayes: 100n, nays: 20n, support: 100n };
	const early = standing(tally, 1_000n, needs, 0);
	expect(early.isPassing).toBe(false);
	expect(early.support).toEqual({ has: 100_000_000n, needed: WHOLE, neededAtEnd: 100_000_000n });
	expect(standing(tally, 1_000n, needs, 368).isPassing).toBe(true);
	expect(standing(tally, 1_000n, needs, 367).isPassing).toBe(false);
	// One unit below a tenth; one vote below 51 %.
	expect(standing(tally, 1_001n, needs, 420).isPassing).toBe(false);
	expect(standing({ ayes: 100n, nays: 97n, support: 100n }, 1_000n, needs, 420).isPassing).toBe(false);
	expect(standing({ ayes: 0n, nays: 0n, support: 0n }, 1_000n, needs, 420).approval.has).toBe(0n);
});
