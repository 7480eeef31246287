// The only place that names pallets, their storage and runtime APIs, but for `governance.ts` and the rows of `history.ts`.

import type { Fraction } from "../lib/format";
import type { Api } from "./chain.svelte";
import type {
	Attestation, ChannelRow, CheckBatch, CheckOverview, CheckReport, ComputeOverview, Coordinator, Dispute, EnergyOverview, EventRecord, HeaderChain, Hold, Job, Meter, MeterBatch,
	Miner, Model, OpeningDemand, Organisation, PolicyParameters, PolicyRecord, PolicyStatus, Quote, Result, RoleStop, Step, Totals, Variant, Verifier,
} from "./types";

export const AICP = 1;
export const KWH = 2;

export interface Supplies {
	AIT: bigint;
	AICP: bigint;
	KWH: bigint;
	time: bigint;
}

const RESERVE: Variant = { type: "Reserve" };

export const now = (api: Api, at: string): Promise<bigint> => api.query.Timestamp.Now.getValue({ at });

export async function supplies(api: Api, at: string): Promise<Supplies> {
	type Asset = { supply: bigint } | undefined;
	const [AIT, aicp, kwh, time] = await Promise.all([
		api.query.Balances.TotalIssuance.getValue({ at }) as Promise<bigint>,
		api.query.Assets.Asset.getValue(AICP, { at }) as Promise<Asset>,
		api.query.Assets.Asset.getValue(KWH, { at }) as Promise<Asset>,
		now(api, at),
	]);
	return { AIT, AICP: aicp?.supply ?? 0n, KWH: kwh?.supply ?? 0n, time };
}

// ---- authorities and stops

export interface Authorities {
	seats: { key: string; account: string | null; seats: number }[];
	total: number;
	session: number;
	banned: { account: string; standing: string }[];
}

export async function authorities(api: Api, at: string): Promise<Authorities> {
	const [seats, keys, session, standings] = await Promise.all([
		seatList(api, at),
		api.query.Authorities.KeysInUse.getValue({ at }) as Promise<[string, { aura: string }][]>,
		api.query.Session.CurrentIndex.getValue({ at }) as Promise<number>,
		api.query.Authorities.Standings.getEntries({ at }) as Promise<{ keyArgs: [string]; value: Variant }[]>,
	]);
	const owner = new Map(keys.map(([account, { aura }]) => [aura, account]));
	const counted = new Map<string, number>();
	for (const key of seats) counted.set(key, (counted.get(key) ?? 0) + 1);
	return {
		seats: [...counted].map(([key, count]) => ({ key, account: owner.get(key) ?? null, seats: count })),
		total: seats.length,
		session,
		banned: standings.map(({ keyArgs: [account], value }) => ({ account, standing: value.type })),
	};
}

/** Seats in their order: slot n is that of seat n modulo their number. */
export const seatList = (api: Api, at: string): Promise<string[]> => api.query.Aura.Authorities.getValue({ at });

export interface Stopped {
	what: "safeMode" | "pausedCalls" | "attestations" | "policy" | "role" | "stale" | "meters" | "compute" | "supply";
	detail: string;
	since?: bigint;
	until?: bigint;
	untilBlock?: number;
}

/** Everything that is stopped, by any of the brakes. */
export async function stopped(api: Api, at: string): Promise<Stopped[]> {
	const [safe, paused, attest, [stops], policy, isPaused, compute, differences] = await Promise.all([
		api.query.SafeMode.EnteredUntil.getValue({ at }) as Promise<number | undefined>,
		api.query.TxPause.PausedCalls.getEntries({ at }) as Promise<{ keyArgs: [[Uint8Array, Uint8Array]] }[]>,
		api.query.Attestations.Paused.getValue({ at }) as Promise<boolean>,
		api.apis.AttestationsApi.stops({ at }) as Promise<[Record<string, RoleStop>, bigint]>,
		policyStatus(api, at),
		api.query.MeterReadings.Paused.getValue({ at }) as Promise<boolean>,
		api.query.ComputeReceipts.BreakerLevel.getValue({ at }) as Promise<Variant>,
		api.query.Brakes.KnownDifference.getEntries({ at }) as Promise<{ keyArgs: [Variant]; value: bigint }[]>,
	]);
	const found: Stopped[] = [];
	if (safe !== undefined) found.push({ what: "safeMode", detail: "", untilBlock: safe });
	const name = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
	for (const { keyArgs } of paused) found.push({ what: "pausedCalls", detail: keyArgs[0].map(name).join(".") });
	if (attest) found.push({ what: "attestations", detail: "" });
	for (const [role, { stop }] of Object.entries(stops)) {
		if (stop) found.push({ what: "role", detail: role, since: stop.since, until: stop.until });
	}
	if (policy.breaker.type !== "Closed") found.push({ what: "policy", detail: policy.breaker.type });
	if (policy.stale) found.push({ what: "stale", detail: "" });
	if (isPaused) found.push({ what: "meters", detail: "" });
	if (compute.type !== "Closed") found.push({ what: "compute", detail: compute.type });
	for (const { keyArgs: [token], value } of differences) {
		if (value !== 0n) found.push({ what: "supply", detail: token.type.toUpperCase() });
	}
	return found;
}

// ---- reserve

export const policyStatus = (api: Api, at: string): Promise<PolicyStatus> => api.apis.CoverageApi.status({ at });
export const policyHistory = (api: Api, at: string, limit: number): Promise<PolicyRecord[]> => api.apis.CoverageApi.history(limit, { at });
export const policyParameters = (api: Api, at: string): Promise<PolicyParameters> => api.apis.CoverageApi.parameters({ at });
export const attestedDays = (api: Api, at: string): Promise<number[]> => api.apis.AttestationsApi.days(RESERVE, { at });
export const attestation = (api: Api, at: string, day: number): Promise<Attestation | undefined> =>
	api.apis.AttestationsApi.attestation(RESERVE, day, { at });
export const keyAt = (api: Api, at: string, role: string, time: bigint): Promise<string | undefined> =>
	api.apis.AttestationsApi.key_at({ type: role }, time, { at });
export const calendar = (api: Api, at: string): Promise<[{ first_day: number; starts_at: bigint; day_length: bigint }, number]> =>
	api.apis.AttestationsApi.calendar({ at });
export const redeemQuote = (api: Api, at: string, raw: bigint): Promise<Result<{ credit: bigint; days?: number }>> =>
	api.apis.CoverageApi.redeem_quote(raw, { at });
export const redeemQueue = (
	api: Api, at: string, skip: number, limit: number,
): Promise<[bigint, { who: string; credit: bigint; redeemed_on: number }][]> => api.apis.CoverageApi.queue(skip, limit, { at });

export interface Credit {
	available: bigint;
	held: bigint;
	pending: bigint;
	tickets: number;
	redeemed_on: number;
	redeemed: bigint;
}
export const creditOf = (api: Api, at: string, who: string): Promise<Credit | undefined> => api.apis.CoverageApi.account(who, { at });
export const issuer = (api: Api, at: string): Promise<string | undefined> => api.query.CoveragePolicy.Issuer.getValue({ at });

export interface WhatIf {
	wh_committed?: bigint;
	eur_per_mwh?: Fraction;
	issuance?: bigint;
}

export const quote = (api: Api, at: string, { wh_committed, eur_per_mwh, issuance }: WhatIf): Promise<Result<Quote>> =>
	api.apis.CoverageApi.quote({ wh_committed, eur_per_mwh, compute_assets: undefined, issuance }, { at });

// ---- energy

export const energyOverview = (api: Api, at: string): Promise<EnergyOverview> => api.apis.MeterReadingsApi.overview({ at });
/** Meters in service from a number on, and the number from which the list continues: there may be fewer than asked for. */
export const meterPage = (api: Api, at: string, from: number, limit: number): Promise<{ meters: Meter[]; next?: number }> =>
	api.apis.MeterReadingsApi.meter_page(from, limit, { at });
export const meter = (api: Api, at: string, index: number): Promise<Meter | undefined> => api.apis.MeterReadingsApi.meter(index, { at });
export async function meterByName(api: Api, at: string, name: [string, string, string]): Promise<number | null> {
	const [site, device, meter] = name.map((part) => new TextEncoder().encode(part));
	const found = (await api.apis.MeterReadingsApi.meter_by_name({ site, device, meter }, { at })) as [number, Meter] | undefined;
	return found?.[0] ?? null;
}
export const meterTotals = (api: Api, at: string, index: number): Promise<Totals | undefined> =>
	api.apis.MeterReadingsApi.totals(index, { at });
export const organisation = (api: Api, at: string, index: number): Promise<Organisation | undefined> =>
	api.apis.MeterReadingsApi.organisation(index, { at });
export const meterBatch = (api: Api, at: string, index: number, sequence: bigint): Promise<MeterBatch | undefined> =>
	api.apis.MeterReadingsApi.batch(index, sequence, { at });

export async function recentBatches(api: Api, at: string, index: number): Promise<MeterBatch[]> {
	const rows = (await api.query.MeterReadings.Recent.getEntries(index, { at })) as { value: MeterBatch }[];
	return rows.map(({ value }) => value).sort((one, other) => Number(other.header.sequence - one.header.sequence));
}

// ---- compute

const PARTIES = 100;

export const computeOverview = (api: Api, at: string): Promise<ComputeOverview> => api.apis.ComputeReceiptsApi.overview({ at });
export const computeStep = (api: Api, at: string, step: bigint): Promise<Step> => api.apis.ComputeReceiptsApi.step(step, { at });
export const headerChain = (api: Api, at: string, coordinator: string): Promise<HeaderChain> =>
	api.apis.ComputeReceiptsApi.header_chain(coordinator, { at });

export interface ComputeParameters {
	coordinator_bond: bigint;
	miner_bond: bigint;
	mint_per_unit: bigint;
	mint_split: { treasury: number; coordinator: number };
	price_split: { treasury: number; coordinator: number };
}
export const computeParameters = (api: Api, at: string): Promise<ComputeParameters> => api.apis.ComputeReceiptsApi.parameters({ at });
export const emissionSchedule = (api: Api, at: string): Promise<{ start_ms: bigint; step_ms: bigint }> =>
	api.query.ComputeReceipts.EmissionSchedule.getValue({ at });

export async function parties(api: Api, at: string): Promise<{ miners: Miner[]; coordinators: Coordinator[] }> {
	const found = (await api.apis.ComputeReceiptsApi.parties(undefined, PARTIES, { at })) as [string, Variant][];
	const keys = (isMiner: boolean): string[] => found.filter(([, role]) => (role.type === "Miner") === isMiner).map(([key]) => key);
	const [miners, coordinators] = await Promise.all([
		Promise.all(keys(true).map((key) => api.apis.ComputeReceiptsApi.miner(key, { at }) as Promise<Miner>)),
		Promise.all(keys(false).map((key) => api.apis.ComputeReceiptsApi.coordinator(key, { at }) as Promise<Coordinator>)),
	]);
	return { miners, coordinators };
}

export const party = async (api: Api, at: string, key: string): Promise<Miner | Coordinator | undefined> =>
	(await api.apis.ComputeReceiptsApi.miner(key, { at })) ?? (await api.apis.ComputeReceiptsApi.coordinator(key, { at }));

export async function channels(api: Api, at: string): Promise<{ id: bigint; row: ChannelRow }[]> {
	const rows = (await api.query.ComputeReceipts.Channels.getEntries({ at })) as { keyArgs: [bigint]; value: ChannelRow }[];
	return rows.map(({ keyArgs: [id], value }) => ({ id, row: value })).sort((one, other) => Number(other.id - one.id));
}

export const channel = (api: Api, at: string, id: bigint): Promise<ChannelRow | undefined> =>
	api.query.ComputeReceipts.Channels.getValue(id, { at });

export async function jobs(api: Api, at: string): Promise<{ id: string; job: Job }[]> {
	const rows = (await api.query.ComputeReceipts.Jobs.getEntries({ at })) as { keyArgs: [string]; value: Job }[];
	return rows
		.map(({ keyArgs: [id], value }) => ({ id, job: value }))
		.sort((one, other) => Number(other.job.terms.opened_ms) - Number(one.job.terms.opened_ms));
}

export const job = (api: Api, at: string, id: string): Promise<Job | undefined> => api.query.ComputeReceipts.Jobs.getValue(id, { at });

export interface ChannelTotals {
	opened: bigint;
	open: bigint;
	left_ait: bigint;
	left_aicp: bigint;
	batches: bigint;
	receipts: bigint;
}
export const channelTotals = (api: Api, at: string): Promise<ChannelTotals> => api.query.ComputeReceipts.ChannelTotals.getValue({ at });
export const models = (api: Api, at: string): Promise<Model[]> => api.apis.ModelRegistryApi.models(undefined, PARTIES, { at });
export const model = (api: Api, at: string, hash: string): Promise<Model | undefined> => api.apis.ModelRegistryApi.model(hash, { at });
export async function demands(api: Api, at: string): Promise<{ id: string; who: string; deposit: bigint; due_ms: bigint; demanded: Variant }[]> {
	type Row = { keyArgs: [string]; value: { who: string; deposit: bigint; due_ms: bigint; demanded: Variant } };
	const rows = (await api.query.ComputeReceipts.Demands.getEntries({ at })) as Row[];
	return rows.map(({ keyArgs, value }) => ({ id: String(keyArgs.at(-1)), ...value }));
}

// ---- checks, where the runtime has them

const CHECKED_BATCHES = 8;
const REPORTS = 100;

export interface Checks {
	overview: CheckOverview;
	verifiers: Verifier[];
	disputes: Dispute[];
	demands: OpeningDemand[];
	/** Of the batches with the highest numbers, newest first. */
	reports: CheckReport[];
}

export async function checks(api: Api, at: string): Promise<Checks> {
	const calls = api.apis.ComputeChecksApi;
	const [overview, verifiers, disputes, demands, batches] = await Promise.all([
		calls.overview({ at }) as Promise<CheckOverview>,
		calls.verifiers({ at }) as Promise<Verifier[]>,
		calls.disputes({ at }) as Promise<Dispute[]>,
		calls.demands({ at }) as Promise<OpeningDemand[]>,
		api.query.ComputeChecks.Batches.getEntries({ at }) as Promise<{ keyArgs: [CheckBatch] }[]>,
	]);
	const newest = batches.map(({ keyArgs: [batch] }) => batch).sort((one, other) => Number(other.sequence - one.sequence)).slice(0, CHECKED_BATCHES);
	const found = await Promise.all(newest.map((batch) => calls.reports(batch, REPORTS, { at }) as Promise<CheckReport[]>));
	const reports = found.flat().sort((one, other) => Number(other.time_ms - one.time_ms)).slice(0, REPORTS);
	return { overview, verifiers, disputes, demands, reports };
}

// ---- accounts

export interface Balances {
	free: bigint;
	reserved: bigint;
	frozen: bigint;
	nonce: number;
	aicp: bigint;
	kwh: bigint;
	held: { aicp: bigint; kwh: bigint };
	holds: Hold[];
	exists: boolean;
	deposit: bigint;
}

export async function balances(api: Api, at: string, who: string): Promise<Balances> {
	type Asset = { balance: bigint } | undefined;
	type Account = { nonce: number; providers: number; sufficients: number; data: { free: bigint; reserved: bigint; frozen: bigint } };
	const [account, aicp, kwh, heldAicp, heldKwh, holds, deposit] = await Promise.all([
		api.query.System.Account.getValue(who, { at }) as Promise<Account>,
		api.query.Assets.Account.getValue(AICP, who, { at }) as Promise<Asset>,
		api.query.Assets.Account.getValue(KWH, who, { at }) as Promise<Asset>,
		api.query.AssetsHolder.BalancesOnHold.getValue(AICP, who, { at }) as Promise<bigint | undefined>,
		api.query.AssetsHolder.BalancesOnHold.getValue(KWH, who, { at }) as Promise<bigint | undefined>,
		api.query.Balances.Holds.getValue(who, { at }) as Promise<Hold[]>,
		api.constants.Balances.ExistentialDeposit() as Promise<bigint>,
	]);
	const { free, reserved, frozen } = account.data;
	return {
		free, reserved, frozen, deposit, holds,
		nonce: account.nonce,
		aicp: aicp?.balance ?? 0n,
		kwh: kwh?.balance ?? 0n,
		held: { aicp: heldAicp ?? 0n, kwh: heldKwh ?? 0n },
		exists: account.providers + account.sufficients > 0,
	};
}

/** What of an account's AIT can leave it, with the account kept. */
export function transferable({ free, frozen, reserved, deposit }: Balances): bigint {
	const kept = frozen > reserved ? frozen - reserved : 0n;
	const least = kept > deposit ? kept : deposit;
	return free > least ? free - least : 0n;
}

export const transferAit = (api: Api, dest: string, value: bigint): Api =>
	api.tx.Balances.transfer_keep_alive({ dest: { type: "Id", value: dest }, value });
export const transferAsset = (api: Api, id: number, target: string, amount: bigint): Api =>
	api.tx.Assets.transfer_keep_alive({ id, target: { type: "Id", value: target }, amount });
/** Burns AICP for at least so much credit. */
export const redeem = (api: Api, amount: bigint, min_credit: bigint): Api => api.tx.CoveragePolicy.redeem({ amount, min_credit });

// ---- blocks

export const events = (api: Api, at: string): Promise<EventRecord[]> => api.query.System.Events.getValue({ at });
