import { expect, test } from "vitest";
import { differences, everyCall, isCall, nameOf, rawWrites, setting, within, type Call } from "../../src/lib/calls";

const call = (pallet: string, name: string, value?: unknown): Call => ({ type: pallet, value: { type: name, value } });
const remark = call("System", "remark", { remark: Uint8Array.of(1) });
const resume = call("MeterReadings", "resume");

test("calls within calls are found in their order, however deep", () => {
	const batch = call("Utility", "batch_all", { calls: [resume, call("Utility", "if_else", { main: remark, fallback: resume })] });
	const lift = call("Governance", "lift", { call: batch });
	expect(everyCall(lift).map(nameOf)).toEqual(["Governance.lift", "Utility.batch_all", "MeterReadings.resume", "Utility.if_else", "System.remark", "MeterReadings.resume"]);
	expect(within(batch)[0]?.calls).toHaveLength(2);
});

test("what looks like a call and wraps none is left alone", () => {
	// A proposal of a referendum is bytes, or a hash.
	const submit = call("Referenda", "submit", { proposal: { type: "Lookup", value: { hash: "0x00", len: 5 } } });
	expect(everyCall(submit)).toEqual([submit]);
	expect([isCall({ type: "Inline", value: Uint8Array.of(1) }), isCall({ type: "Id", value: "5F" }), isCall(undefined), isCall(remark)]).toEqual([false, false, false, true]);
});

test("a call that sets a value says which row of the state it is, and what would be there", () => {
	expect(setting(call("CoveragePolicy", "set_issuer", { new: "5F" }))).toMatchObject({ pallet: "CoveragePolicy", item: "Issuer", key: [], after: "5F" });
	const admit = setting(call("ComputeReceipts", "admit_coordinator", { key: "0x01" }));
	expect(admit).toMatchObject({ item: "Admitted", key: ["0x01"], isPresence: true, after: true });
	const recorder = setting(call("MeterReadings", "set_recorder", { who: "5F", appointed: false }));
	expect(recorder).toMatchObject({ item: "Recorders", key: [], after: false });
	expect([recorder?.part(["5F"]), recorder?.part([])]).toEqual([true, false]);
	expect(setting(remark)).toBeNull();
});

test("a fee is a row of the tunables, by its group and name", () => {
	const fee = setting(call("Parameters", "set_parameter", { key_value: { type: "Fees", value: { type: "Base", value: [7n] } } }));
	expect(fee).toMatchObject({ pallet: "Parameters", item: "Parameters", key: [{ type: "Fees", value: { type: "Base", value: undefined } }], after: 7n, member: "Fees.Base" });
	expect(fee?.part({ type: "Fees", value: { type: "Base", value: 5n } })).toBe(5n);
	expect(fee?.part(undefined)).toBeUndefined();
});

test("what root writes past the pallets is listed key by key", () => {
	expect(rawWrites(call("System", "set_storage", { items: [["0xaa", "0xbb"]] }))).toEqual([{ key: "0xaa", isPrefix: false, after: "0xbb" }]);
	expect(rawWrites(call("System", "kill_storage", { keys: ["0xaa", "0xcc"] }))).toHaveLength(2);
	expect(rawWrites(call("System", "kill_prefix", { prefix: "0xaa", subkeys: 1 }))[0]).toMatchObject({ key: "0xaa", isPrefix: true });
	expect(rawWrites(remark)).toEqual([]);
});

test("what differs is named member by member, fractions and variants as one", () => {
	const before = { a: 1, b: { c: 2n, d: Uint8Array.of(1, 2) }, e: { numerator: 1n, denominator: 2n }, f: { type: "Closed" } };
	const after = { a: 1, b: { c: 3n, d: Uint8Array.of(1, 2) }, e: { numerator: 1n, denominator: 3n }, f: { type: "MintStopped" } };
	expect(differences("P.E", before, after).map(({ name }) => name)).toEqual(["P.E.b.c", "P.E.e", "P.E.f"]);
	expect(differences("P.E", before, before)).toEqual([]);
	expect(differences("P.E", undefined, { a: 1 })).toEqual([{ name: "P.E", before: undefined, after: { a: 1 } }]);
	// A member that only one of them has.
	expect(differences("P.E", { a: 1 }, { a: 1, b: 2 })).toEqual([{ name: "P.E.b", before: undefined, after: 2 }]);
	expect(differences("P.E", ["5F"], ["5F", "5G"])).toHaveLength(1);
});
