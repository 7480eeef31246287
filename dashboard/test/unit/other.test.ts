import { expect, test } from "vitest";
import { spread } from "../../src/chain/history";
import { eventWords, quietEvents } from "../../src/text/en";
import { plain, words } from "../../src/chain/words";
import { addressOf } from "../../src/lib/address";
import { fromCsv, toCsv } from "../../src/lib/csv";
import { rangeOf } from "../../src/lib/ranges";
import { href, parseRoute } from "../../src/lib/route.svelte";
import { readZones, TILES } from "../../src/lib/zones";

test("a link leads to what it names, whatever is in the name", () => {
	const link = href("energy", "log", "a/b c?d#e");
	expect(parseRoute(link)).toMatchObject({ page: "energy", rest: ["log", "a/b c?d#e"] });
	expect(parseRoute("#/energy/meters?by=site").query.get("by")).toBe("site");
	expect(parseRoute("").page).toBe("overview");
});

test("a gateway that serves the page is found beside it, wherever that is", () => {
	expect(addressOf(".", "http://127.0.0.1:8080/#/energy/meters?by=site")).toBe("http://127.0.0.1:8080");
	expect(addressOf(".", "https://plant.example/gateway/index.html")).toBe("https://plant.example/gateway");
	expect(addressOf("https://gateway.example/", "http://127.0.0.1:8080/")).toBe("https://gateway.example");
	expect(addressOf("", "http://127.0.0.1:8080/")).toBe("");
});

test("CSV comes back as it went, and a cell that begins like a formula is made harmless", () => {
	const rows = [["a,b", 'say "x"'], ["line\nbreak", "-1.5"]];
	expect(fromCsv(toCsv(rows))).toEqual(rows);
	expect(toCsv([["=1+1", "-1", "+x"]])).toBe("'=1+1,-1,'+x\r\n");
	expect(fromCsv("\ufeffa,b\n\n1,2")).toEqual([["a", "b"], ["1", "2"]]);
});

test("blocks are spread evenly, with the first and the newest among them", () => {
	expect(spread(1, 101, 11)).toEqual([1, 11, 21, 31, 41, 51, 61, 71, 81, 91, 101]);
	expect(spread(5, 7, 40)).toEqual([5, 6, 7]);
	expect(spread(9, 9, 40)).toEqual([9]);
});

test("a week begins on Monday, and last week ends where this one begins", () => {
	const sunday = new Date(2026, 10, 29, 15, 30);
	expect(rangeOf("week", sunday).from).toEqual(new Date(2026, 10, 23));
	expect(rangeOf("lastWeek", sunday)).toEqual({ from: new Date(2026, 10, 16), to: new Date(2026, 10, 23) });
	expect(rangeOf("lastHour", sunday)).toEqual({ from: new Date(2026, 10, 29, 14), to: new Date(2026, 10, 29, 15) });
	expect(rangeOf("yesterday", sunday)).toEqual({ from: new Date(2026, 10, 28), to: new Date(2026, 10, 29) });
});

test("an event is put in words, and one that nobody wrote by its name", () => {
	const event = (type: string, name: string, value: unknown): any => ({ phase: { type: "ApplyExtrinsic", value: 1 }, event: { type, value: { type: name, value } } });
	const settled = event("ComputeReceipts", "ReceiptSettled", { miner: `0x${"12".repeat(32)}`, receipt_id: `0x${"34".repeat(32)}`, shares: { miner: 680_000_000_000_000_000n } });
	expect(words(settled)).toBe("miner 0x121212…121212 was paid 0.68 AIT for receipt 0x343434…343434");
	expect(words(event("Some", "Thing", {}))).toBe("Some.Thing");
	// Where a later runtime leaves a field out, the name is shown.
	expect(words(event("Attestations", "Accepted", {}))).toBe("Attestations.Accepted");
});

test("no event both has words and is left out as saying nothing, but those of every transaction", () => {
	const both = Object.keys(eventWords).filter((name) => quietEvents.has(name));
	expect(both.sort()).toEqual(["Balances.Deposit", "Balances.Withdraw", "ComputeReceipts.HeartbeatTaken"]);
});

test("decoded values keep every digit and byte", () => {
	expect(JSON.parse(plain({ a: 2n ** 100n, b: Uint8Array.of(1, 255), c: { type: "Reserve", value: undefined } }))).toEqual({ a: (2n ** 100n).toString(), b: "0x01ff", c: "Reserve" });
});

test("zones are read from both files, and what is neither is refused", () => {
	expect(readZones("name,eic,wh\nAL,x,23225000000\n", fromCsv)).toEqual([{ name: "AL", wh: 23_225_000_000n, isComplete: null }]);
	expect(readZones('{"zones":[{"name":"FR","wh":5,"status":"missing"}]}', fromCsv)).toEqual([{ name: "FR", wh: 5n, isComplete: false }]);
	for (const bad of ["a,b\n1,2", '{"zones":1}', "name,wh\nAL,1.5"]) expect(() => readZones(bad, fromCsv)).toThrow();
});

test("no two zones lie on one tile of the map", () => {
	const places = Object.values(TILES).map(String);
	expect(new Set(places).size).toBe(places.length);
});
