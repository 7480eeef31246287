// What an account's AIT may do in referenda, and what is missing for it. One AIT is one vote: only plain votes with the
// first conviction.

/** Bits of a vote: aye, and the first conviction. */
const AYE = 0b1000_0000;
const ONE = 1;

export const voteByte = (isAye: boolean): number => (isAye ? AYE | ONE : ONE);
export const isAye = (vote: number): boolean => (vote & AYE) !== 0;

interface Held {
	id: { type: string; value?: unknown };
	amount: bigint;
}

/** What is held as bonds: it votes, and what is held for anything else does not. */
export const bonds = (holds: Held[]): bigint =>
	holds.filter(({ id }) => (id.value as { type?: string } | undefined)?.type === "Bond").reduce((sum, { amount }) => sum + amount, 0n);

/** What an account can vote with. */
export const votesOf = ({ free, holds }: { free: bigint; holds: Held[] }): bigint => free + bonds(holds);

interface OwnVote {
	index: number;
	/** Null for a vote that is not plain: this chain takes none. */
	aye: boolean | null;
	amount: bigint;
}

/** What an account does on a track. */
export interface OnTrack {
	track: number;
	votes: OwnVote[];
	delegated: { to: string; amount: bigint } | null;
	/** Votes that others have delegated to it. */
	received: bigint;
	/** Of votes that were taken back: what stays until which block. */
	prior: { until: number; amount: bigint };
	/** What stays on the account for this track until it is unlocked. */
	locked: bigint;
}

/** What would still stay if the track were unlocked at block `now`. */
export function stays({ votes, delegated, prior }: OnTrack, now: number): bigint {
	const amounts = [...votes.map(({ amount }) => amount), delegated?.amount ?? 0n, now < prior.until ? prior.amount : 0n];
	return amounts.reduce((most, amount) => (amount > most ? amount : most), 0n);
}

/** What unlocking the track would release; what other tracks keep is not taken off. */
export function releases(on: OnTrack, now: number): bigint {
	const left = stays(on, now);
	return on.locked > left ? on.locked - left : 0n;
}

/** What is locked by all tracks together: the same AIT votes on each. */
export const lockedOf = (all: OnTrack[]): bigint => all.reduce((most, { locked }) => (locked > most ? locked : most), 0n);

export type Missing =
	| "account" | "amount" | "zero" | "tooMuch" | "delegates" | "votes" | "target" | "self" | "nothing" | "notYet" | "full" | "poor" | "treasury";

export interface Wish {
	hasAccount: boolean;
	/** What is typed; null if it is not an amount, or nothing. */
	amount: bigint | null;
	/** What can vote. */
	votes: bigint;
	isTreasury: boolean;
	on: OnTrack | undefined;
}

function ofAmount(amount: bigint | null, votes: bigint): Missing[] {
	if (amount === null) return ["amount"];
	if (amount === 0n) return ["zero"];
	return amount > votes ? ["tooMuch"] : [];
}

/** What is missing for a vote on a referendum that is not over; nothing if it may be sent. */
export function missingToVote(wish: Wish, referendum: { index: number; maxVotes: number }): Missing[] {
	if (!wish.hasAccount) return ["account"];
	const missing: Missing[] = [];
	if (wish.isTreasury) missing.push("treasury");
	if (wish.on?.delegated) missing.push("delegates");
	const isNew = !wish.on?.votes.some(({ index }) => index === referendum.index);
	if (isNew && (wish.on?.votes.length ?? 0) >= referendum.maxVotes) missing.push("full");
	return [...missing, ...ofAmount(wish.amount, wish.votes)];
}

/** What is missing for a delegation on a track. */
export function missingToDelegate(wish: Wish, target: string, own: string): Missing[] {
	if (!wish.hasAccount) return ["account"];
	const missing: Missing[] = [];
	if (wish.on?.delegated) missing.push("delegates");
	if ((wish.on?.votes.length ?? 0) > 0) missing.push("votes");
	if (target === "") missing.push("target");
	else if (target === own) missing.push("self");
	return [...missing, ...ofAmount(wish.amount, wish.votes)];
}

/** What is missing to release what voted on a track. */
export function missingToUnlock(on: OnTrack | undefined, now: number): Missing[] {
	if (!on || on.locked === 0n) return ["nothing"];
	if (releases(on, now) > 0n) return [];
	if (on.delegated) return ["delegates"];
	return on.votes.length > 0 ? ["votes"] : ["notYet"];
}

/** Which deposits of a referendum return, and to whom. */
export interface Deposits {
	submission: { who: string; amount: bigint } | null;
	decision: { who: string; amount: bigint } | null;
}

/** Those that can be fetched now: that of who proposed only where it was approved or cancelled. */
export function refundable(state: string, { submission, decision }: Deposits): Deposits {
	const isOver = state !== "Ongoing" && state !== "Killed";
	return { submission: state === "Approved" || state === "Cancelled" ? submission : null, decision: isOver ? decision : null };
}

/** Half of the members of a committee, rounded up. */
export const half = (members: number): number => Math.ceil(members / 2);
