import { describe, expect, test } from "vitest";
import { amount, day, dayOf, decimal, duration, energy, fixed, parseAmount, ratio, shortRatio, time } from "../../src/lib/format";

const GROUP = "\u202f";

describe("amounts", () => {
	test("are cut off, never rounded up", () => {
		expect(decimal(1_999_999n, 6, 2)).toBe("1.99");
		expect(fixed(1_999_999n, 6, 2)).toBe("1.99");
		expect(amount(999_999_999_999_999_999n, "AIT")).toBe("0.9999");
	});
	test("that are small keep three significant digits, so that nothing there is shown as zero", () => {
		expect(amount(5_615_142_000_000n, "AIT")).toBe("0.00000561");
		expect(amount(1n, "AIT")).toBe("0.000000000000000001");
		expect(amount(0n, "AIT")).toBe("0");
	});
	test("have the token's decimals and groups of three digits", () => {
		expect(amount(86_367_420_314_545n, "AICP")).toBe(`86${GROUP}367${GROUP}420.31`);
		expect(amount(1_087_106n, "KWH")).toBe(`1${GROUP}087.106`);
		expect(decimal(-1_500_000n, 6, 2)).toBe("\u22121.5");
	});
	test("of more than 2⁵³ of the smallest unit keep every digit", () => {
		expect(decimal(10_500_000_000_000_000_000_000_001n, 18, 18)).toBe(`10${GROUP}500${GROUP}000.000000000000000001`);
	});
	test("that a person types are read exactly, or refused", () => {
		expect(parseAmount("1.5", 18)).toBe(1_500_000_000_000_000_000n);
		expect(parseAmount(`1${GROUP}000,25`, 6)).toBe(1_000_250_000n);
		for (const bad of ["", "-1", "1e5", "1.2.3", "0.0000001", "abc"]) expect(parseAmount(bad, 6)).toBeNull();
	});
});

test("a ratio one part below the boundary is not shown as the boundary", () => {
	expect(ratio({ numerator: 1_099_999_999n, denominator: 1_000_000_000n }, 6)).toBe("1.099999");
	expect(shortRatio({ numerator: 11n, denominator: 10n })).toBe("1.1");
	expect(ratio({ numerator: 1n, denominator: 0n })).toBe("–");
});

test("energy is in kWh until it is too large to read", () => {
	expect(energy(1_500n)).toEqual({ value: "1.5", unit: "kWh" });
	expect(energy(1_451_200_545_000n)).toEqual({ value: `1${GROUP}451.2`, unit: "GWh" });
	expect(energy(0n)).toEqual({ value: "0", unit: "kWh" });
});

test("durations say the two largest units", () => {
	expect(duration(90_061_000)).toBe("1\u00a0d 1\u00a0h");
	expect(duration(61_000)).toBe("1\u00a0min 1\u00a0s");
	expect(duration(0)).toBe("0\u00a0s");
});

test("a time in UTC says so", () => {
	expect(time(1_795_983_142_001n, true)).toBe("2026-11-29 20:12:22 UTC");
	expect(time(Number.NaN, true)).toBe("–");
});

test("a day in an address is a number of days, and nothing else is one", () => {
	expect(dayOf("20240")).toBe(20_240);
	expect(day(dayOf("2932896") ?? 0)).toBe("9999-12-31");
	for (const bad of ["", "meters", "-1", "1.5", "1e9", "12345678", "2932897"]) expect(dayOf(bad)).toBeNull();
});
