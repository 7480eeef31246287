// Events in words.

import { amount, day, decimal, euros, short } from "../lib/format";
import { eventWords, quietEvents, type Say } from "../text/en";
import type { EventRecord } from "./types";

const big = (value: unknown): bigint => (typeof value === "bigint" ? value : typeof value === "number" ? BigInt(value) : 0n);

export const say: Say = {
	ait: (raw) => `${amount(big(raw), "AIT")} AIT`,
	token: (asset, raw) => (big(asset) === 1n ? `${amount(big(raw), "AICP")} AICP` : big(asset) === 2n ? `${amount(big(raw), "KWH")} KWH` : `${big(raw)} of asset ${String(asset)}`),
	kwh: (wh) => `${decimal(big(wh), 3, 3)} KWH`,
	who: (account) => short(String(account)),
	id: (hash) => short(String(hash)),
	day: (days) => day(Number(days)),
	euro: (micro) => `${euros(big(micro))} EUR`,
};

export const nameOf = ({ event }: EventRecord): string => `${event.type}.${event.value.type}`;

/** One sentence; the event's name where nobody wrote one. */
export function words(record: EventRecord): string {
	const name = nameOf(record);
	try {
		return eventWords[name]?.(record.event.value.value ?? {}, say) ?? name;
	} catch {
		return name;
	}
}

export const isQuiet = (record: EventRecord): boolean => quietEvents.has(nameOf(record));

/** A decoded value as text that keeps every digit. */
export const plain = (value: unknown): string =>
	JSON.stringify(
		value,
		(_, one: unknown) => {
			if (typeof one === "bigint") return one.toString();
			if (one instanceof Uint8Array) return `0x${Array.from(one, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
			if (one && typeof one === "object" && "type" in one && "value" in one && (one as { value: unknown }).value === undefined) return (one as { type: string }).type;
			return one;
		},
		2,
	) ?? "";
