import { expect, test } from "vitest";
import { dayAt, inCalendar, span } from "../../src/lib/calendar";
import { phaseOf } from "../../src/lib/phase";
import { spendState, tokenOf } from "../../src/lib/spends";
import {
	bonds, half, isAye, lockedOf, missingToDelegate, missingToUnlock, missingToVote, refundable, releases, stays, voteByte, votesOf, type OnTrack, type Wish,
} from "../../src/lib/votes";
import { callWords, t } from "../../src/text/en";
import { say } from "../../src/chain/words";

const minutes = { first_day: 20_000, starts_at: 1_000_000n, day_length: 60_000n };
const utc = { first_day: 0, starts_at: 0n, day_length: 86_400_000n };

test("a day of a minute passes as a day of the calendar, and as a minute of the clock", () => {
	expect(inCalendar(30_000n, minutes)).toBe(43_200_000n);
	expect(span(150, 1_000n, minutes)).toEqual({ calendar: "2\u00a0d 12\u00a0h", clock: "2\u00a0min 30\u00a0s" });
	expect(span(604_800, 1_000n, utc)).toEqual({ calendar: "7\u00a0d", clock: "" });
	expect(span(-5, 1_000n, utc).calendar).toBe("0\u00a0s");
});

test("the calendar's day at a time is the first one for what is earlier", () => {
	expect([0n, 1_000_000n, 1_059_999n, 1_060_000n].map((ms) => dayAt(ms, minutes))).toEqual([20_000, 20_000, 20_000, 20_001]);
	expect(dayAt(86_400_000n * 5n + 1n, utc)).toBe(5);
});

test("a proposal waits for its deposit, for its turn, for votes, and passes", () => {
	const track = { decision_period: 420 };
	const one = { submitted: 100, in_queue: false };
	expect(phaseOf(one, track, 840)).toEqual({ name: "deposit", block: 940 });
	expect(phaseOf({ ...one, decision_deposit: {} }, track, 840)).toEqual({ name: "queue", block: null });
	expect(phaseOf({ ...one, in_queue: true }, track, 840)).toEqual({ name: "queue", block: null });
	expect(phaseOf({ ...one, deciding: { since: 110 } }, track, 840)).toEqual({ name: "deciding", block: 530 });
	expect(phaseOf({ ...one, deciding: { since: 110, confirming: 530 } }, track, 840)).toEqual({ name: "confirming", block: 530 });
});

test("a vote is one for each AIT: aye or nay, with the first conviction", () => {
	expect([voteByte(true), voteByte(false)]).toEqual([0x81, 0x01]);
	expect([isAye(0x81), isAye(0x01)]).toEqual([true, false]);
});

test("what is free votes, and bonds; other holds do not", () => {
	const holds = [
		{ id: { type: "ComputeReceipts", value: { type: "Bond" } }, amount: 5n }, { id: { type: "ComputeChecks", value: { type: "Bond" } }, amount: 7n },
		{ id: { type: "Preimage", value: { type: "Preimage" } }, amount: 100n },
	];
	expect(bonds(holds)).toBe(12n);
	expect(votesOf({ free: 30n, holds })).toBe(42n);
});

const on: OnTrack = { track: 0, votes: [], delegated: null, received: 0n, prior: { until: 0, amount: 0n }, locked: 0n };
const voted: OnTrack = { ...on, votes: [{ index: 3, aye: true, amount: 10n }, { index: 4, aye: false, amount: 25n }], locked: 40n };
const delegating: OnTrack = { ...on, delegated: { to: "5F", amount: 25n }, locked: 40n };
const wish: Wish = { hasAccount: true, amount: 5n, votes: 10n, isTreasury: false, on };

test("what stays is the highest of the votes, the delegation and what is kept of earlier ones", () => {
	expect([stays(voted, 9), releases(voted, 9)]).toEqual([25n, 15n]);
	expect([stays(delegating, 9), releases(delegating, 9)]).toEqual([25n, 15n]);
	const kept = { ...on, prior: { until: 10, amount: 30n }, locked: 30n };
	expect([releases(kept, 9), releases(kept, 10)]).toEqual([0n, 30n]);
	expect(lockedOf([voted, kept])).toBe(40n);
});

test("what is missing for a vote is said before it is sent", () => {
	const open = { index: 3, maxVotes: 2 };
	expect(missingToVote(wish, open)).toEqual([]);
	expect(missingToVote({ ...wish, hasAccount: false }, open)).toEqual(["account"]);
	expect(missingToVote({ ...wish, amount: null }, open)).toEqual(["amount"]);
	expect(missingToVote({ ...wish, amount: 0n }, open)).toEqual(["zero"]);
	expect(missingToVote({ ...wish, amount: 11n }, open)).toEqual(["tooMuch"]);
	expect(missingToVote({ ...wish, amount: 11n, isTreasury: true }, open)).toEqual(["treasury", "tooMuch"]);
	expect(missingToVote({ ...wish, on: delegating }, open)).toEqual(["delegates"]);
	// A vote that is there is changed; another one finds no room.
	expect(missingToVote({ ...wish, on: voted }, open)).toEqual([]);
	expect(missingToVote({ ...wish, on: voted }, { ...open, index: 5 })).toEqual(["full"]);
	expect(missingToVote({ ...wish, isTreasury: true }, open)).toEqual(["treasury"]);
});

test("what is missing for a delegation, and for a release", () => {
	expect(missingToDelegate(wish, "5G", "5F")).toEqual([]);
	expect(missingToDelegate({ ...wish, on: voted }, "5F", "5F")).toEqual(["votes", "self"]);
	expect(missingToDelegate({ ...wish, amount: null }, "", "5F")).toEqual(["target", "amount"]);
	expect(missingToDelegate({ ...wish, on: delegating }, "5G", "5F")).toEqual(["delegates"]);
	expect(missingToDelegate({ ...wish, hasAccount: false, on: delegating }, "", "")).toEqual(["account"]);
	expect(missingToUnlock(on, 5)).toEqual(["nothing"]);
	expect(missingToUnlock(voted, 5)).toEqual([]);
	expect(missingToUnlock({ ...voted, locked: 25n }, 5)).toEqual(["votes"]);
	expect(missingToUnlock(delegating, 5)).toEqual([]);
	expect(missingToUnlock({ ...delegating, locked: 25n }, 5)).toEqual(["delegates"]);
	expect(missingToUnlock({ ...on, prior: { until: 10, amount: 5n }, locked: 5n }, 5)).toEqual(["notYet"]);
});

test("the deposit of who proposed returns only if it was approved or cancelled, that for the decision whenever it is over", () => {
	const deposits = { submission: { who: "5F", amount: 10n }, decision: { who: "5G", amount: 1_000n } };
	const both = (state: string) => Object.values(refundable(state, deposits)).map((one) => one !== null);
	expect(["Ongoing", "Approved", "Rejected", "Cancelled", "TimedOut", "Killed"].map(both)).toEqual([[false, false], [true, true], [false, true], [true, true], [false, true], [false, false]]);
});

test("a spend waits, is due, was paid or expired", () => {
	const spend = { status: { type: "Pending" }, valid_from: 10, expire_at: 20 };
	expect([9, 10, 19, 20].map((now) => spendState(spend, now))).toEqual(["waits", "due", "due", "expired"]);
	expect([9, 15, 20].map((now) => spendState({ ...spend, status: { type: "Failed" } }, now))).toEqual(["waits", "failed", "expired"]);
	expect(spendState({ ...spend, status: { type: "Attempted" } }, 99)).toBe("paid");
	expect([tokenOf({ type: "Native" }), tokenOf({ type: "WithId", value: 1 }), tokenOf({ type: "WithId", value: 2 }), tokenOf({ type: "WithId", value: 3 })]).toEqual(["AIT", "AICP", "KWH", null]);
});

test("a proposal is put in words with its amounts and their unit", () => {
	const spend = (asset_kind: unknown, amount: bigint) => callWords["Treasury.spend"]?.({ asset_kind, amount, beneficiary: "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY" }, say);
	expect(spend({ type: "Native" }, 15n * 10n ** 17n)).toBe("The treasury pays 1.5 AIT to 5GrwvaEF…GKutQY.");
	expect(spend({ type: "WithId", value: 1 }, 2_500_000n)).toBe("The treasury pays 2.5 AICP to 5GrwvaEF…GKutQY.");
	const fee = { key_value: { type: "Fees", value: { type: "Base", value: [10n ** 15n] } } };
	expect(callWords["Parameters.set_parameter"]?.(fee, say)).toBe("Fees.Base becomes 0.001 AIT.");
	expect(t.governance.stopWords.Call?.([new TextEncoder().encode("Assets"), new TextEncoder().encode("transfer")])).toBe("the call Assets.transfer");
});

test("half of a committee decides, rounded up", () => {
	expect([1, 2, 3, 4].map(half)).toEqual([1, 1, 2, 2]);
});
