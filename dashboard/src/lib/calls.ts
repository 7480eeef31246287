// Calls, as they are decoded: those within calls, and what they would set.

/** A decoded call: pallet, name, arguments. */
export interface Call {
	type: string;
	value: { type: string; value?: unknown };
}

type Arguments = Record<string, any>;

export const nameOf = (call: Call): string => `${call.type}.${call.value.type}`;

export const argumentsOf = (call: Call): Arguments => {
	const { value } = call.value;
	return value && typeof value === "object" && !(value instanceof Uint8Array) ? (value as Arguments) : {};
};

export function isCall(value: unknown): value is Call {
	const inner = (value as Call | undefined)?.value as { type?: unknown } | undefined;
	return typeof (value as Call | undefined)?.type === "string" && !!inner && typeof inner === "object" && !(inner instanceof Uint8Array) && typeof inner.type === "string";
}

/** Arguments that hold calls, by the calls that wrap others. */
const WRAPPERS: Record<string, string[]> = {
	"EmergencyCommittee.execute": ["proposal"], "EmergencyCommittee.propose": ["proposal"],
	"Governance.lift": ["call"], "Governance.stop": ["call"],
	"Multisig.as_multi": ["call"], "Multisig.as_multi_threshold_1": ["call"],
	"Proxy.proxy": ["call"], "Proxy.proxy_announced": ["call"],
	"Scheduler.schedule": ["call"], "Scheduler.schedule_after": ["call"], "Scheduler.schedule_named": ["call"], "Scheduler.schedule_named_after": ["call"],
	"Sudo.sudo": ["call"], "Sudo.sudo_as": ["call"], "Sudo.sudo_unchecked_weight": ["call"],
	"Utility.as_derivative": ["call"], "Utility.batch": ["calls"], "Utility.batch_all": ["calls"], "Utility.force_batch": ["calls"],
	"Utility.dispatch_as": ["call"], "Utility.dispatch_as_fallible": ["call"], "Utility.if_else": ["main", "fallback"], "Utility.with_weight": ["call"],
};

/** Names of the arguments that hold calls, and these. */
export function within(call: Call): { argument: string; calls: Call[] }[] {
	const given = argumentsOf(call);
	return (WRAPPERS[nameOf(call)] ?? []).map((argument) => {
		const value = given[argument];
		return { argument, calls: (Array.isArray(value) ? value : [value]).filter(isCall) };
	});
}

/** The call and those that it wraps, however deep, in order. */
export const everyCall = (call: Call): Call[] => [call, ...within(call).flatMap(({ calls }) => calls.flatMap(everyCall))];

/** What a call would set: a row of the state, and what would be there. */
interface Setting {
	pallet: string;
	item: string;
	key: unknown[];
	/** Is it only asked whether there is such a row? Rows of a set have no bytes. */
	isPresence: boolean;
	/** The value itself, or a part of the row that is compared. */
	part: (row: any) => unknown;
	after: unknown;
	/** What follows the name of the row. */
	member: string;
}

interface Setter {
	item: string;
	key?: (given: Arguments) => unknown[];
	isPresence?: boolean;
	part?: (row: any, given: Arguments) => unknown;
	after: (given: Arguments) => unknown;
	member?: string;
}

const presence = (item: string, key: string, after: boolean): Setter => ({ item, key: (given) => [given[key]], isPresence: true, after: () => after });

/** Calls that set a value: which row, and what it would be. */
const SETTERS: Record<string, Setter> = {
	"Attestations.pause": { item: "Paused", after: () => true },
	"Attestations.resume": { item: "Paused", after: () => false },
	"Authorities.let_in": { item: "Standings", key: ({ who }) => [who], part: (row) => row?.type, after: () => "Returning" },
	"Brakes.set_emergency_account": { item: "EmergencyAccount", after: (given) => given.new },
	"ComputeChecks.admit_verifier": presence("Admitted", "account", true),
	"ComputeChecks.dismiss_verifier": presence("Admitted", "account", false),
	"ComputeChecks.set_line": { item: "Lines", key: ({ model }) => [model], after: ({ line }) => line },
	"ComputeChecks.set_parameters": { item: "Parameters", after: (given) => given.new },
	"ComputeReceipts.admit_coordinator": presence("Admitted", "key", true),
	"ComputeReceipts.exclude_coordinator": presence("Admitted", "key", false),
	"ComputeReceipts.set_breaker": { item: "BreakerLevel", after: (given) => given.new },
	"ComputeReceipts.set_channel_parameters": { item: "ChannelRules", after: (given) => given.new },
	"ComputeReceipts.set_parameters": { item: "Parameters", after: (given) => given.new },
	"ComputeReceipts.set_reference_rate": { item: "Rate", part: (row) => row?.rate, after: (given) => given.new, member: "rate" },
	"CoveragePolicy.set_breaker": { item: "BreakerLevel", after: (given) => given.new },
	"CoveragePolicy.set_issuer": { item: "Issuer", after: (given) => given.new },
	"CoveragePolicy.set_parameters": { item: "Parameters", after: (given) => given.new },
	"EmergencyCommittee.set_members": { item: "Members", after: ({ new_members }) => new_members },
	"MeterReadings.pause": { item: "Paused", after: () => true },
	"MeterReadings.resume": { item: "Paused", after: () => false },
	"MeterReadings.set_limits": { item: "LimitsInUse", after: ({ limits }) => limits },
	"MeterReadings.set_organisation_admin": { item: "Organisations", key: ({ organisation }) => [organisation], part: (row) => row?.admin, after: (given) => given.new, member: "admin" },
	"MeterReadings.set_organisation_standing": { item: "Organisations", key: ({ organisation }) => [organisation], part: (row) => row?.standing, after: ({ standing }) => standing, member: "standing" },
	"MeterReadings.set_recorder": { item: "Recorders", part: (row, { who }) => row?.includes(who) ?? false, after: ({ appointed }) => appointed },
	"TxPause.pause": presence("PausedCalls", "full_name", true),
	"TxPause.unpause": presence("PausedCalls", "ident", false),
};

const TUNABLE = "Parameters.set_parameter";

/** What a call would set; null if it sets no value that is known here. Calls that it wraps are not looked at. */
export function setting(call: Call): Setting | null {
	const [name, given] = [nameOf(call), argumentsOf(call)];
	if (name === TUNABLE) {
		const group = given.key_value;
		const inner = group?.value;
		if (!Array.isArray(inner?.value)) return null;
		// Its name is a type without bytes, which is left out where it is decoded; then comes what is set.
		const after = (inner.value as unknown[]).at(-1);
		const part = (row: any): unknown => row?.value?.value;
		return { pallet: call.type, item: "Parameters", isPresence: false, key: [{ type: group.type, value: { type: inner.type, value: undefined } }], part, after, member: `${group.type}.${inner.type}` };
	}
	const setter = SETTERS[name];
	if (!setter) return null;
	const { item, key, isPresence, part, after, member } = setter;
	return {
		pallet: call.type, item, key: key?.(given) ?? [], isPresence: isPresence ?? false,
		part: part ? (row) => part(row, given) : (row) => row, after: after(given), member: member ?? "",
	};
}

/** A row of the state that a call writes by its key, past every pallet; `after` is undefined if it is removed. */
interface RawWrite {
	key: unknown;
	/** All keys that begin so? */
	isPrefix: boolean;
	after: unknown;
}

export function rawWrites(call: Call): RawWrite[] {
	const given = argumentsOf(call);
	switch (nameOf(call)) {
		case "System.set_storage": return (given.items as [unknown, unknown][]).map(([key, after]) => ({ key, isPrefix: false, after }));
		case "System.kill_storage": return (given.keys as unknown[]).map((key) => ({ key, isPrefix: false, after: undefined }));
		case "System.kill_prefix": return [{ key: given.prefix, isPrefix: true, after: undefined }];
		default: return [];
	}
}

export interface Change {
	name: string;
	before: unknown;
	after: unknown;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
	!!value && typeof value === "object" && !Array.isArray(value) && !(value instanceof Uint8Array) && !("type" in value) && !("denominator" in value);

function isSame(one: unknown, other: unknown): boolean {
	if (one === other) return true;
	if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
	if (Array.isArray(one) !== Array.isArray(other) || one instanceof Uint8Array !== other instanceof Uint8Array) return false;
	const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
	return [...keys].every((key) => isSame((one as any)[key], (other as any)[key]));
}

/** The members that differ, with their names. */
export function differences(name: string, before: unknown, after: unknown): Change[] {
	if (isSame(before, after)) return [];
	if (isRecord(before) && isRecord(after)) {
		const members = [...new Set([...Object.keys(before), ...Object.keys(after)])];
		return members.flatMap((member) => differences(`${name}.${member}`, before[member], after[member]));
	}
	return [{ name, before, after }];
}
