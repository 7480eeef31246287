// The chain's calendar: days as long as its genesis says. A development chain has days of a minute.

import { duration } from "./format";

export interface Calendar {
	first_day: number;
	starts_at: bigint;
	/** Milliseconds of a day. */
	day_length: bigint;
}

const UTC_DAY = 86_400_000n;

/** A time of the clock in milliseconds as it passes in the calendar, where each day has 24 hours. */
export const inCalendar = (ms: bigint, { day_length }: Calendar): bigint => (day_length === 0n ? ms : (ms * UTC_DAY) / day_length);

/** The day at a time, in days since 1970-01-01; the first one for what is earlier. */
export function dayAt(ms: bigint, { first_day, starts_at, day_length }: Calendar): number {
	const elapsed = ms > starts_at ? ms - starts_at : 0n;
	return first_day + (day_length === 0n ? 0 : Number(elapsed / day_length));
}

interface Span {
	/** By the chain's calendar. */
	calendar: string;
	/** By the clock, if that is another time; else empty. */
	clock: string;
}

/** How long so many blocks take, with a block in each slot. */
export function span(blocks: number, slot: bigint, calendar: Calendar): Span {
	const ms = BigInt(Math.max(0, blocks)) * slot;
	const clock = duration(ms);
	const text = duration(inCalendar(ms, calendar));
	return { calendar: text, clock: clock === text ? "" : clock };
}
