// Spends of the treasury that governance approved.

import type { Token } from "./format";

interface Kind {
	type: string;
	value?: unknown;
}

const TOKENS: Record<number, Token> = { 1: "AICP", 2: "KWH" };

/** Token of a spend; null for an asset that this page does not know. */
export const tokenOf = ({ type, value }: Kind): Token | null => (type === "Native" ? "AIT" : (TOKENS[Number(value)] ?? null));

type SpendState = "waits" | "due" | "failed" | "paid" | "expired";

/** What can become of a spend at block `now`. */
export function spendState({ status, valid_from, expire_at }: { status: Kind; valid_from: number; expire_at: number }, now: number): SpendState {
	if (status.type === "Attempted") return "paid";
	if (now >= expire_at) return "expired";
	if (now < valid_from) return "waits";
	return status.type === "Failed" ? "failed" : "due";
}
