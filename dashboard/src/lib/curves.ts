// How much a referendum needs at a moment of its decision, as the SDK's referenda compute it: in billionths, cut off.

import type { Fraction } from "./format";

/** All of it, in billionths. */
export const WHOLE = 1_000_000_000n;

type Part = number | bigint;

/** A track's curve, as the chain states it. `x` is how much of the decision's time is over. */
export type Curve =
	| { type: "LinearDecreasing"; value: { length: Part; floor: Part; ceil: Part } }
	| { type: "SteppedDecreasing"; value: { begin: Part; end: Part; step: Part; period: Part } }
	| { type: "Reciprocal"; value: { factor: Part; x_offset: Part; y_offset: Part } };

export interface Tally {
	ayes: bigint;
	nays: bigint;
	support: bigint;
}

/** What of a track says how much is needed. */
interface Needs {
	decision_period: number;
	min_approval: Curve;
	min_support: Curve;
}

const least = (one: bigint, other: bigint): bigint => (one < other ? one : other);
const most = (one: bigint, other: bigint): bigint => (one > other ? one : other);

/** A share in billionths; all of it where the whole is zero, as the chain has it. */
export const share = (part: bigint, whole: bigint): bigint => (whole === 0n || part > whole ? WHOLE : (part * WHOLE) / whole);

/** Quotient, rounded towards negative infinity. */
function floored(numerator: bigint, denominator: bigint): bigint {
	const quotient = numerator / denominator;
	const isExact = quotient * denominator === numerator;
	return isExact || numerator < 0n === denominator < 0n ? quotient : quotient - 1n;
}

/** What is needed at `x`, in billionths. */
export function threshold(curve: Curve, x: bigint): bigint {
	if (curve.type === "LinearDecreasing") {
		const [length, floor, ceil] = [BigInt(curve.value.length), BigInt(curve.value.floor), BigInt(curve.value.ceil)];
		return ceil - (share(least(x, length), length) * (ceil - floor)) / WHOLE;
	}
	if (curve.type === "SteppedDecreasing") {
		const [begin, end, step, period] = [BigInt(curve.value.begin), BigInt(curve.value.end), BigInt(curve.value.step), BigInt(curve.value.period)];
		if (period === 0n) return end;
		return most(begin - least(least(step * (x / period), WHOLE), begin), end);
	}
	const [factor, xOffset, yOffset] = [BigInt(curve.value.factor), BigInt(curve.value.x_offset), BigInt(curve.value.y_offset)];
	if (x + xOffset === 0n) return WHOLE;
	return most(0n, least(WHOLE, floored(factor * WHOLE, x + xOffset) + yOffset));
}

/** How much of the decision's time is over after so many blocks. */
export const timeOver = (elapsed: number, { decision_period }: Needs): bigint =>
	share(BigInt(Math.max(0, Math.min(elapsed, decision_period))), BigInt(decision_period));

export interface Measure {
	/** What there is, in billionths. */
	has: bigint;
	/** What the curve asks at this moment, and at the end of the decision. */
	needed: bigint;
	neededAtEnd: bigint;
}

export interface Standing {
	approval: Measure;
	support: Measure;
	isPassing: boolean;
}

/** How a tally compares with what its track asks, `elapsed` blocks after the decision began. `all` is the AIT that can vote. */
export function standing(tally: Tally, all: bigint, needs: Needs, elapsed: number): Standing {
	const x = timeOver(elapsed, needs);
	const votes = tally.ayes + tally.nays;
	const measure = (has: bigint, curve: Curve): Measure => ({ has, needed: threshold(curve, x), neededAtEnd: threshold(curve, WHOLE) });
	const approval = measure(votes === 0n ? 0n : share(tally.ayes, votes), needs.min_approval);
	const support = measure(share(tally.support, all), needs.min_support);
	return { approval, support, isPassing: approval.has >= approval.needed && support.has >= support.needed };
}

export const asFraction = (parts: bigint): Fraction => ({ numerator: parts, denominator: WHOLE });
