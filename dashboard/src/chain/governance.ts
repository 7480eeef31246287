// What governance's pages read: referenda, votes, treasury, committee, authorities. As `reads.ts`, it names pallets.

import { blake2b } from "../../../web/blake2b.mjs";
import { fromHex, toHex } from "../lib/bytes";
import type { Calendar } from "../lib/calendar";
import { differences, everyCall, rawWrites, setting, type Call, type Change } from "../lib/calls";
import type { Curve, Tally } from "../lib/curves";
import { isAye, type Deposits, type OnTrack } from "../lib/votes";
import { chain, type Api } from "./chain.svelte";
import { callDecoder, hasItem, hasView } from "./metadata";
import * as reads from "./reads";
import type { Hex, Variant } from "./types";

// ---- rules

export interface Track {
	id: number;
	name: string;
	max_deciding: number;
	decision_deposit: bigint;
	decision_period: number;
	confirm_period: number;
	min_enactment_period: number;
	min_approval: Curve;
	min_support: Curve;
}

export interface Rules {
	tracks: Track[];
	calendar: Calendar;
	/** Milliseconds of a slot. */
	slot: bigint;
	/** Blocks after which a referendum without a deposit ends. */
	undeciding: number;
	maxVotes: number;
}

/** The name of a track: text with zeros behind it, in older runtimes as bytes. */
const trackName = (name: string): string => {
	const bytes = name.startsWith("0x") ? fromHex(name) : null;
	return (bytes ? new TextDecoder().decode(bytes) : name).replace(/\0+$/, "");
};

export async function rules(api: Api, at: string): Promise<Rules> {
	const [tracks, [calendar], slot, undeciding, maxVotes] = await Promise.all([
		api.constants.Referenda.Tracks() as Promise<[number, Omit<Track, "id">][]>,
		reads.calendar(api, at),
		api.apis.AuraApi.slot_duration({ at }) as Promise<bigint>,
		api.constants.Referenda.UndecidingTimeout() as Promise<number>,
		api.constants.ConvictionVoting.MaxVotes() as Promise<number>,
	]);
	return { tracks: tracks.map(([id, track]) => ({ ...track, id, name: trackName(track.name) })), calendar, slot, undeciding, maxVotes };
}

// ---- referenda

/** A call, whole or by its hash. */
type Bounded = { type: "Legacy"; value: { hash: Hex } } | { type: "Inline"; value: Uint8Array } | { type: "Lookup"; value: { hash: Hex; len: number } };

type Deposit = { who: string; amount: bigint };

export interface Ongoing {
	track: number;
	origin: Variant;
	proposal: Bounded;
	enactment: Variant;
	submitted: number;
	submission_deposit: Deposit;
	decision_deposit?: Deposit;
	deciding?: { since: number; confirming?: number };
	tally: Tally;
	in_queue: boolean;
}

export interface Referendum {
	index: number;
	/** As the chain names it: Ongoing, Approved, Rejected, Cancelled, TimedOut or Killed. */
	state: string;
	ongoing: Ongoing | null;
	/** Block in which it ended. */
	ended: number | null;
	deposits: Deposits;
}

function toReferendum(index: number, info: { type: string; value: any }): Referendum {
	if (info.type === "Ongoing") {
		const ongoing = info.value as Ongoing;
		return { index, state: info.type, ongoing, ended: null, deposits: { submission: ongoing.submission_deposit, decision: ongoing.decision_deposit ?? null } };
	}
	const [ended, submission, decision] = Array.isArray(info.value) ? (info.value as [number, Deposit?, Deposit?]) : [info.value as number];
	return { index, state: info.type, ongoing: null, ended, deposits: { submission: submission ?? null, decision: decision ?? null } };
}

interface Listed extends Referendum {
	proposed: Proposed | null;
}

/** The newest referenda, and how many there were in all; with the calls of those that are not over. */
export async function referenda(api: Api, at: string, limit: number): Promise<{ count: number; list: Listed[]; all: bigint }> {
	const [count, all] = await Promise.all([api.query.Referenda.ReferendumCount.getValue({ at }) as Promise<number>, canVote(api, at)]);
	const indexes = Array.from({ length: Math.min(limit, count) }, (_, back) => count - 1 - back);
	const rows = (await Promise.all(indexes.map((index) => api.query.Referenda.ReferendumInfoFor.getValue(index, { at })))) as ({ type: string; value: any } | undefined)[];
	const found = rows.flatMap((row, place) => (row ? [toReferendum(indexes[place] ?? 0, row)] : []));
	const list = await Promise.all(found.map(async (one) => ({ ...one, proposed: one.ongoing ? await proposed(api, at, one.ongoing.proposal) : null })));
	return { count, all, list };
}

export async function referendum(api: Api, at: string, index: number): Promise<{ found: Referendum | null; all: bigint }> {
	const [row, all] = await Promise.all([api.query.Referenda.ReferendumInfoFor.getValue(index, { at }), canVote(api, at)]);
	return { found: row ? toReferendum(index, row) : null, all };
}

const treasuryAccount = (api: Api): Promise<string> => api.constants.Treasury.pot_account();

/** The AIT that can vote at all: all there is, but for the treasury's. */
export async function canVote(api: Api, at: string): Promise<bigint> {
	const [issuance, treasury] = await Promise.all([
		api.query.Balances.TotalIssuance.getValue({ at }) as Promise<bigint>,
		treasuryAccount(api).then((who) => api.query.System.Account.getValue(who, { at })) as Promise<{ data: { free: bigint; reserved: bigint } }>,
	]);
	return issuance - treasury.data.free - treasury.data.reserved;
}

// ---- what a proposal is about

export interface Proposed {
	hash: string;
	call: Call | null;
	/** Why there is no call to show: nobody showed it, this runtime has no such call, or what was shown is another one. */
	lacks: "" | "preimage" | "call" | "hash";
}

interface Content extends Proposed {
	changes: Change[];
	writes: { key: string; isPrefix: boolean; before: string | null; after: string | null }[];
}

const hex = (value: unknown): string => (value instanceof Uint8Array ? toHex(value) : String(value));

async function bytesOf(api: Api, at: string, proposal: Bounded): Promise<{ hash: string; bytes: Uint8Array | null }> {
	if (proposal.type === "Inline") return { hash: toHex(blake2b(proposal.value)), bytes: proposal.value };
	const { hash } = proposal.value;
	if (proposal.type === "Legacy") return { hash, bytes: null };
	const found = (await api.query.Preimage.PreimageFor.getValue([hash, proposal.value.len], { at })) as Uint8Array | undefined;
	return { hash, bytes: found ?? null };
}

/** What calls would change of what the state has at that block, one after the other. */
async function changesOf(api: Api, at: string, call: Call): Promise<Change[]> {
	const found = await Promise.all(everyCall(call).map(async (one) => {
		const set = setting(one);
		const { client } = chain;
		if (!set || !client || !(await hasItem(client, set.pallet, set.item))) return [];
		const item = api.query[set.pallet][set.item];
		const name = `${set.pallet}.${set.item}${set.member ? `.${set.member}` : ""}`;
		if (set.isPresence) return differences(name, (await client.rawQuery(await item.getKey(...set.key), { at })) !== null, set.after);
		return differences(name, set.part(await item.getValue(...set.key, { at })), set.after);
	}));
	return found.flat();
}

/** The call that is proposed. Its bytes are those of the hash, which is made again here. */
export async function proposed(api: Api, at: string, proposal: Bounded): Promise<Proposed> {
	const { hash, bytes } = await bytesOf(api, at, proposal);
	const { client } = chain;
	if (!bytes || !client) return { hash, call: null, lacks: "preimage" };
	if (toHex(blake2b(bytes)) !== hash) return { hash, call: null, lacks: "hash" };
	const call = (await callDecoder(client))(bytes) as Call | null;
	return { hash, call, lacks: call ? "" : "call" };
}

/** The call that is proposed, and what it would change of what is set at that block. */
export async function content(api: Api, at: string, proposal: Bounded): Promise<Content> {
	const found = await proposed(api, at, proposal);
	const { client } = chain;
	if (!found.call || !client) return { ...found, changes: [], writes: [] };
	const raw = everyCall(found.call).flatMap(rawWrites);
	const [changes, writes] = await Promise.all([
		changesOf(api, at, found.call),
		Promise.all(raw.map(async ({ key, isPrefix, after }) => ({
			key: hex(key), isPrefix,
			before: isPrefix ? null : await client.rawQuery(hex(key), { at }),
			after: after === undefined ? null : hex(after),
		}))),
	]);
	return { ...found, changes, writes };
}

interface Due {
	block: number;
	origin: Variant;
	proposed: Proposed;
}

/** What is decided and will be made in a later block: the scheduler's list without the alarms of referenda, which have no name. */
export async function due(api: Api, at: string): Promise<Due[]> {
	type Task = { maybe_id?: unknown; call: Bounded; origin: Variant } | undefined;
	const rows = (await api.query.Scheduler.Agenda.getEntries({ at })) as { keyArgs: [number]; value: Task[] }[];
	const named = rows.flatMap(({ keyArgs: [block], value }) => value.flatMap((task) => (task?.maybe_id !== undefined ? [{ block, task }] : [])));
	const found = await Promise.all(named.map(async ({ block, task }) => ({ block, origin: task.origin, proposed: await proposed(api, at, task.call) })));
	return found.sort((one, other) => one.block - other.block);
}

// ---- votes

type Voting =
	| { type: "Casting"; value: { votes: [number, { type: string; value: any }][]; delegations: { votes: bigint }; prior: [number, bigint] } }
	| { type: "Delegating"; value: { balance: bigint; target: string; delegations: { votes: bigint }; prior: [number, bigint] } };

function amountOf({ type, value }: { type: string; value: any }): bigint {
	return type === "Standard" ? (value.balance as bigint) : ((value.aye ?? 0n) as bigint) + ((value.nay ?? 0n) as bigint) + ((value.abstain ?? 0n) as bigint);
}

function toTrack(track: number, voting: Voting, locks: Map<number, bigint>): OnTrack {
	const [until, amount] = voting.value.prior;
	const common = { track, received: voting.value.delegations.votes, prior: { until, amount }, locked: locks.get(track) ?? 0n };
	if (voting.type === "Delegating") return { ...common, votes: [], delegated: { to: voting.value.target, amount: voting.value.balance } };
	const votes = voting.value.votes.map(([index, vote]) => ({ index, aye: vote.type === "Standard" ? isAye(Number(vote.value.vote)) : null, amount: amountOf(vote) }));
	return { ...common, votes, delegated: null };
}

export interface Voter {
	balances: reads.Balances;
	on: OnTrack[];
	/** Is it the treasury, which does not vote? */
	isTreasury: boolean;
}

export async function voter(api: Api, at: string, who: string): Promise<Voter> {
	const [tracks, balances, locks, treasury] = await Promise.all([
		api.constants.Referenda.Tracks() as Promise<[number, unknown][]>,
		reads.balances(api, at, who),
		api.query.ConvictionVoting.ClassLocksFor.getValue(who, { at }) as Promise<[number, bigint][]>,
		treasuryAccount(api),
	]);
	const rows = (await Promise.all(tracks.map(([track]) => api.query.ConvictionVoting.VotingFor.getValue(who, track, { at })))) as Voting[];
	const byTrack = new Map(locks);
	return { balances, isTreasury: who === treasury, on: tracks.map(([track], place) => toTrack(track, rows[place] as Voting, byTrack)) };
}

/** Does another account vote for this one on a track? */
export async function delegates(api: Api, at: string, who: string, track: number): Promise<boolean> {
	const voting = (await api.query.ConvictionVoting.VotingFor.getValue(who, track, { at })) as Voting;
	return voting.type === "Delegating";
}

const id = (value: string): { type: string; value: string } => ({ type: "Id", value });
const PLAIN = { type: "Locked1x", value: undefined };

export const vote = (api: Api, poll_index: number, byte: number, balance: bigint): Api =>
	api.tx.ConvictionVoting.vote({ poll_index, vote: { type: "Standard", value: { vote: byte, balance } } });
export const removeVote = (api: Api, track: number, index: number): Api => api.tx.ConvictionVoting.remove_vote({ class: track, index });
export const delegate = (api: Api, track: number, to: string, balance: bigint): Api =>
	api.tx.ConvictionVoting.delegate({ class: track, to: id(to), conviction: PLAIN, balance });
export const undelegate = (api: Api, track: number): Api => api.tx.ConvictionVoting.undelegate({ class: track });
export const unlock = (api: Api, track: number, target: string): Api => api.tx.ConvictionVoting.unlock({ class: track, target: id(target) });
export const placeDeposit = (api: Api, index: number): Api => api.tx.Referenda.place_decision_deposit({ index });
export const refundDecision = (api: Api, index: number): Api => api.tx.Referenda.refund_decision_deposit({ index });
export const refundSubmission = (api: Api, index: number): Api => api.tx.Referenda.refund_submission_deposit({ index });
export const payout = (api: Api, index: number): Api => api.tx.Treasury.payout({ index });

// ---- treasury

export interface Spend {
	index: number;
	asset_kind: Variant;
	amount: bigint;
	beneficiary: string;
	valid_from: number;
	expire_at: number;
	status: Variant;
}

export interface Treasury {
	account: string;
	balances: reads.Balances;
	spends: Spend[];
	count: number;
}

export async function treasury(api: Api, at: string): Promise<Treasury> {
	const account = await treasuryAccount(api);
	const [balances, rows, count] = await Promise.all([
		reads.balances(api, at, account),
		api.query.Treasury.Spends.getEntries({ at }) as Promise<{ keyArgs: [number]; value: Omit<Spend, "index"> }[]>,
		api.query.Treasury.SpendCount.getValue({ at }) as Promise<number>,
	]);
	const spends = rows.map(({ keyArgs: [index], value }) => ({ index, ...value })).sort((one, other) => other.index - one.index);
	return { account, balances, spends, count };
}

// ---- committee

export interface Motion {
	hash: string;
	index: number;
	threshold: number;
	ayes: string[];
	nays: string[];
	end: number;
	call: Call | null;
}

/** A stop that the committee raised. */
interface RaisedStop {
	stop: Variant;
	ends?: number;
	again: number;
}

export interface Committee {
	members: string[];
	emergency: string | undefined;
	motions: Motion[];
	stops: RaisedStop[];
}

export async function committee(api: Api, at: string): Promise<Committee> {
	type Votes = { index: number; threshold: number; ayes: string[]; nays: string[]; end: number } | undefined;
	const { EmergencyCommittee, Brakes, Governance } = api.query;
	const [members, hashes, emergency, stops] = await Promise.all([
		EmergencyCommittee.Members.getValue({ at }) as Promise<string[]>,
		EmergencyCommittee.Proposals.getValue({ at }) as Promise<string[]>,
		chain.has("Brakes") ? (Brakes.EmergencyAccount.getValue({ at }) as Promise<string | undefined>) : Promise.resolve(undefined),
		chain.has("Governance") ? (Governance.Stops.getValue({ at }) as Promise<RaisedStop[]>) : Promise.resolve([]),
	]);
	const motions = await Promise.all(hashes.map(async (hash) => {
		const [votes, call] = (await Promise.all([EmergencyCommittee.Voting.getValue(hash, { at }), EmergencyCommittee.ProposalOf.getValue(hash, { at })])) as [Votes, Call | undefined];
		return votes ? [{ hash, call: call ?? null, ...votes }] : [];
	}));
	return { members, emergency, motions: motions.flat(), stops };
}

// ---- authorities

/** A candidate, where the runtime gives seats by work. */
interface Candidate {
	account: string;
	candidate: { bond: bigint; stage: Variant };
	is_member: boolean;
	standing?: Variant;
	absence?: { sessions: number; back_at: number };
	work: { kept: bigint; wh: bigint };
	score: bigint;
	seats: number;
	next_seats: number;
	blocks: number;
}

interface Terms {
	average: number;
	floor: number;
	ceiling: number;
	fading: number;
	per_kwh: bigint;
	energy_percent: number;
}

export interface Seats extends reads.Authorities {
	/** Of the next session, in the order of the set. */
	queued: string[];
	disabled: string[];
	/** None where the runtime has no candidates. */
	work: { candidates: Candidate[]; terms: Terms } | null;
}

export async function seats(api: Api, at: string): Promise<Seats> {
	const { client } = chain;
	const isByWork = client !== null && (await hasView(client, "Authorities", "authorities")) && (await hasView(client, "Authorities", "terms"));
	const [now, queued, members, disabled, work] = await Promise.all([
		reads.authorities(api, at),
		api.query.Session.QueuedKeys.getValue({ at }) as Promise<[string, unknown][]>,
		api.query.Session.Validators.getValue({ at }) as Promise<string[]>,
		api.query.Session.DisabledValidators.getValue({ at }) as Promise<(number | [number, unknown])[]>,
		isByWork
			? (Promise.all([api.view.Authorities.authorities({ at }), api.view.Authorities.terms({ at })]) as Promise<[Candidate[], Terms]>)
			: Promise.resolve(null),
	]);
	const places = disabled.map((one) => (Array.isArray(one) ? one[0] : one));
	return {
		...now,
		queued: queued.map(([account]) => account),
		disabled: places.flatMap((place) => members[place] ?? []),
		work: work ? { candidates: work[0], terms: work[1] } : null,
	};
}
