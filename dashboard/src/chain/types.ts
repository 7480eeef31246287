// What the pages read from the chain, as polkadot-api decodes it from the node's metadata. The API itself is untyped
// on purpose: decision 0064 says why. `reads.ts` is the only place that names pallets and runtime APIs.

import type { Fraction } from "../lib/format";

export type Hex = `0x${string}`;
export interface Variant<T extends string = string> {
	type: T;
	value?: unknown;
}
export type Result<T> = { success: true; value: T } | { success: false; value: unknown };

export interface Block {
	number: number;
	hash: string;
}

export interface Price {
	negative: boolean;
	magnitude: Fraction;
}

export interface PolicyStatus {
	today: number;
	state: Variant;
	breaker: Variant;
	stale: boolean;
	statement?: { hash: Hex; day: number; taken_on: number; wh_committed: bigint; price: Price; eur_per_mwh: Fraction; compute_assets: bigint };
	issuance: bigint;
	supply: bigint;
	supply_target: bigint;
	v_reserve: bigint;
	ratio?: Fraction;
	allowance: bigint;
	minted: bigint;
	queue: bigint;
	capacity: bigint;
	daily_capacity: bigint;
	waiting: bigint;
	budget: bigint;
	totals: { genesis: bigint; minted: bigint; burned: bigint; credited: bigint; spent: bigint };
	stopped_by_role: boolean;
}

export interface PolicyRecord {
	statement: Hex;
	day: number;
	taken_on: number;
	v_reserve: bigint;
	issuance: bigint;
	ratio?: Fraction;
	state: Variant;
	allowance: bigint;
	minted: bigint;
}

export interface PolicyParameters {
	policy: { target_price: Fraction; cr_min: Fraction; cr_max: Fraction; daily_cap: Fraction; bootstrap: bigint };
	alpha_base: Fraction;
	haircut: Fraction;
	zones_total: number;
	utilisation: Fraction;
	max_age: number;
	redemption: { minimum: bigint; daily_limit: bigint; daily_capacity: bigint };
}

export interface Quote {
	state: Variant;
	supply: bigint;
	supply_target: bigint;
	v_reserve: bigint;
	ratio?: Fraction;
	mint: bigint;
	binding?: Variant;
}

export interface AttestationFields {
	kind: Variant;
	day: number;
	revision: number;
	replaces?: Hex;
	wh_raw: bigint;
	wh_committed: bigint;
	alpha: Fraction;
	eur_per_mwh: Price;
	compute_assets: bigint;
	zones_ok: number;
	zones_total: number;
}

export interface Attestation {
	fields: AttestationFields;
	digest: Hex;
	signers: [Variant, Hex][];
	accepted: { block: number; time: bigint };
}

export interface RoleStop {
	next: number;
	stop?: { number: number; since: bigint; until: bigint; prolonged: boolean; lifted: boolean; only_governance: boolean };
}

export interface Registers {
	import_wh: bigint;
	export_wh: bigint;
}

export interface Meter {
	index: number;
	certificate: {
		name: { site: Uint8Array; device: Uint8Array; meter: Uint8Array };
		device: Hex;
		owner: string;
		organisation: number;
		electrician: string;
		rated_power_w: number;
		direction: Variant;
		trust: Variant;
		serial: Uint8Array;
		seal: Uint8Array;
	};
	state: { next_sequence: bigint; last_end_ms: bigint; registers: Registers; owed_wh: bigint; floor_ms: bigint };
	suspended?: Variant;
	mints: boolean;
	energy_account: string;
	certified_ms: bigint;
	point?: { id: Uint8Array; state: { delivered_wh: bigint; taken_wh: bigint; highest_wh: bigint } };
}

export type Period = "last_hour" | "today" | "yesterday" | "week" | "month" | "year" | "all";
export type Totals = Record<Period, Registers>;

export interface AnchorState {
	sequence: bigint;
	root: Hex;
	state: Variant;
}

export interface MeterBatch {
	header: {
		meter: number;
		sequence: bigint;
		previous: Hex;
		start_ms: bigint;
		end_ms: bigint;
		opening: Registers;
		closing: Registers;
		readings: number;
		root: Hex;
		cid?: Hex;
	};
	block: number;
	accepted_ms: bigint;
	minted_wh: bigint;
	anchor?: AnchorState;
}

export interface EnergyOverview {
	organisations: number;
	electricians: number;
	meters: number;
	suspended: number;
	batches: bigint;
	readings: bigint;
	imported_wh: bigint;
	exported_wh: bigint;
	minted_wh: bigint;
	issuance: bigint;
}

export interface Organisation {
	name: Uint8Array;
	admin: string;
	standing: Variant;
	members: number;
	meters: number;
}

export interface Step {
	step: bigint;
	start_ms: bigint;
	end_ms: bigint;
	budget: bigint;
	claims: bigint;
	pool: bigint;
	closed: boolean;
}

export interface ComputeOverview {
	now_ms: bigint;
	breaker: Variant;
	step: Step;
	coordinators: number;
	miners: number;
	jobs_opened: bigint;
	jobs_open: bigint;
	jobs_settled: bigint;
	jobs_cancelled: bigint;
	jobs_expired: bigint;
	escrow_ait: bigint;
	escrow_aicp: bigint;
	escrow_credit: bigint;
	compute_units: bigint;
	minted: bigint;
	promised: bigint;
	reserve: bigint;
}

export interface CheckBatch {
	coordinator: Hex;
	sequence: bigint;
}

export interface CheckId {
	batch: CheckBatch;
	verifier: Hex;
	check: number;
}

export interface CheckOverview {
	verifiers: number;
	reported_lately: number;
	reports: bigint;
	disputes: [bigint, bigint];
	paid: bigint;
	still_ms: bigint;
}

export interface Verifier {
	account: Hex;
	key: Hex;
	bond: bigint;
	reports: bigint;
	last_report_ms: bigint;
	offences: number;
	free_ms?: bigint;
	draws: boolean;
}

/** A report of a check, as the chain keeps it until its batch is over. */
export interface CheckReport {
	id: CheckId;
	index: bigint;
	miner: Hex;
	model: Hex;
	figures:
		| { type: "Exact"; value: { equal: boolean } }
		| { type: "Seeded"; value: { tokens: number; matches: number } }
		| { type: "Embedding"; value: { cosine: number } };
	time_ms: bigint;
}

export interface OpeningDemand {
	id: CheckId;
	index?: bigint;
	miner: Hex;
	/** In all, that have it, that got nothing. */
	witnesses: [number, number, number];
	until_ms: bigint;
}

export interface Dispute {
	id: Hex;
	cause: Variant;
	batch: CheckBatch;
	index: bigint;
	accused: Hex;
	phase: Variant;
	until_ms: [bigint, bigint];
	jurors: [number, number];
	without_vote: number;
	votes: { guilty: number; not_guilty: number };
}

export interface Party {
	key: Hex;
	role: Variant;
	account: Hex;
	bond: bigint;
	since_ms: bigint;
	leaving_ms?: bigint;
	banned_until_ms?: bigint;
	offences: number;
	pending_slash: bigint;
	settled: bigint;
	compute_units: bigint;
	claimable: bigint;
	pending: [bigint, bigint];
	minted: bigint;
	credit: bigint;
}

export interface Miner {
	party: Party;
	class: Variant;
	score: { score: number; g: bigint; t: bigint; u: bigint; c: bigint };
	effective_score: number;
	inputs: { gb_seconds: Fraction; tokens_per_second: Fraction; uptime_hours: Fraction; success_rate?: Fraction };
	successes: number;
	failures: number;
	heartbeat_ms: bigint;
}

export interface Coordinator {
	party: Party;
	admitted: boolean;
}

export interface ChannelRow {
	client: string;
	channel: {
		coordinator: Hex;
		kind: { asset: Variant; mode: Variant };
		signer?: Hex;
		deposited: bigint;
		settled: { count: bigint; price: bigint };
		daily_limit: bigint;
		today: { day: bigint; price: bigint };
		plan_ends_ms?: bigint;
		ends_ms?: bigint;
	};
	opened_ms: bigint;
}

export interface JobReceipt {
	receipt_id: Hex;
	miner: Hex;
	compute_units: bigint;
	price: bigint;
	claim: bigint;
	step: bigint;
	claimed_ms: bigint;
}

export interface Job {
	client: string;
	coordinator: Hex;
	asset: Variant;
	terms: { price: bigint; max_units: bigint; opened_ms: bigint; deadline_ms: bigint };
	state: Variant;
	closed_ms: bigint;
	receipt?: JobReceipt;
}

export interface Model {
	hash: Hex;
	model: { description: { name: Uint8Array; weights: Hex; tokenizer: Hex }; context: number };
	standing?: Variant;
	pending?: { since_ms: bigint; standing: Variant };
	is_default: boolean;
}

export interface HeaderChain {
	next_sequence: bigint;
	last_hash: Hex;
	last_time_ms: bigint;
	taken_ms: bigint;
}

export interface EventRecord {
	phase: Variant;
	event: { type: string; value: { type: string; value: Record<string, unknown> } };
}

export interface Hold {
	id: Variant;
	amount: bigint;
}
