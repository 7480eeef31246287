// How figures are written: amounts with their unit, energy, ratios, money, times. No float on the way from
// the chain's integer to the digits that are shown.

export type Token = "AIT" | "AICP" | "KWH";

/** Digits behind the point of a token's whole unit. */
export const DECIMALS: Record<Token, number> = { AIT: 18, AICP: 6, KWH: 3 };

/** A narrow blank that does not break, between groups of three digits. */
const GROUP = "\u202f";

export const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+(?!\d))/g, GROUP);

export const integer = (value: bigint | number): string => {
	const text = value.toString();
	return text.startsWith("-") ? `\u2212${grouped(text.slice(1))}` : grouped(text);
};

/**
 * An integer of the smallest unit as a decimal number, cut off (never rounded up) after `places` digits.
 * Small amounts keep three significant digits, so that nothing that is there is shown as zero.
 */
export function decimal(raw: bigint, decimals: number, places = 4): string {
	const sign = raw < 0n ? "\u2212" : "";
	const digits = (raw < 0n ? -raw : raw).toString().padStart(decimals + 1, "0");
	const whole = digits.slice(0, digits.length - decimals);
	const rest = decimals === 0 ? "" : digits.slice(-decimals);
	let keep = Math.min(places, decimals);
	if (whole === "0") {
		const first = rest.search(/[1-9]/);
		if (first >= 0) keep = Math.max(keep, Math.min(decimals, first + 3));
	}
	const fraction = rest.slice(0, keep).replace(/0+$/, "");
	return `${sign}${grouped(whole)}${fraction ? `.${fraction}` : ""}`;
}

/** As `decimal`, with exactly `places` digits: for columns of figures. */
export function fixed(raw: bigint, decimals: number, places: number): string {
	const sign = raw < 0n ? "\u2212" : "";
	const digits = (raw < 0n ? -raw : raw).toString().padStart(decimals + 1, "0");
	const whole = grouped(digits.slice(0, digits.length - decimals));
	return places === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-decimals).padEnd(places, "0").slice(0, places)}`;
}

/** An amount of a token without its symbol. */
export const amount = (raw: bigint, token: Token, places?: number): string =>
	decimal(raw, DECIMALS[token], places ?? (token === "AIT" ? 4 : token === "AICP" ? 2 : 3));

export interface Fraction {
	numerator: bigint;
	denominator: bigint;
}

/** A fraction as a decimal number, cut off after `places` digits. */
export function ratio({ numerator, denominator }: Fraction, places = 6): string {
	if (denominator === 0n) return "–";
	const scaled = (numerator * 10n ** BigInt(places)) / denominator;
	const digits = scaled.toString().padStart(places + 1, "0");
	const whole = grouped(digits.slice(0, digits.length - places));
	return places === 0 ? whole : `${whole}.${digits.slice(-places)}`;
}

/** As `ratio`, without zeros at the end. */
export const shortRatio = (fraction: Fraction, places = 6): string =>
	ratio(fraction, places).replace(/\.?0+$/, "");

/** A share in percent. */
export const percent = (fraction: Fraction, places = 2): string =>
	`${shortRatio({ numerator: fraction.numerator * 100n, denominator: fraction.denominator }, places)}\u00a0%`;

/** For drawing only: a fraction as a float. */
export const approximate = ({ numerator, denominator }: Fraction): number =>
	denominator === 0n ? Number.NaN : Number((numerator * 1_000_000_000n) / denominator) / 1e9;

/** Micro-EUR as euros. */
export const euros = (micro: bigint, places = 2): string => (places === 2 ? fixed(micro, 6, 2) : decimal(micro, 6, places));

const ENERGY: [bigint, string][] = [
	[1_000_000_000_000n, "TWh"],
	[1_000_000_000n, "GWh"],
	[1_000_000n, "MWh"],
];

/** Wh in kWh; from a thousand MWh on in the unit in which it can be read. */
export function energy(wh: bigint): { value: string; unit: string } {
	const size = wh < 0n ? -wh : wh;
	for (const [one, unit] of ENERGY) {
		if (size >= one * 10n) return { value: decimal((wh * 1000n) / one, 3, 3), unit };
	}
	return { value: decimal(wh, 3, 3), unit: "kWh" };
}

/** A duration in the two largest units that it has. */
export function duration(ms: bigint | number): string {
	const total = Math.max(0, Math.floor(Number(ms) / 1000));
	const parts: [number, string][] = [
		[Math.floor(total / 86_400), "d"],
		[Math.floor(total / 3600) % 24, "h"],
		[Math.floor(total / 60) % 60, "min"],
		[total % 60, "s"],
	];
	const from = parts.findIndex(([count]) => count > 0);
	if (from < 0) return "0\u00a0s";
	return parts
		.slice(from, from + 2)
		.filter(([count], at) => at === 0 || count > 0)
		.map(([count, unit]) => `${count}\u00a0${unit}`)
		.join(" ");
}

const pad = (value: number, size = 2): string => String(value).padStart(size, "0");

/** A time in the reader's zone, or in UTC, with seconds. */
export function time(ms: bigint | number, utc: boolean): string {
	const date = new Date(Number(ms));
	if (Number.isNaN(date.getTime())) return "–";
	if (utc) return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
	return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

export const clock = (ms: bigint | number, utc: boolean): string => time(ms, utc).slice(11, 19);

/** Days since 1970-01-01 as a date. */
export const day = (days: number): string => new Date(days * 86_400_000).toISOString().slice(0, 10);

/** 9999-12-31, the last day that the chain has. */
const LAST_DAY = 2_932_896;

/** A number of days in a page's address; null if it is none. */
export const dayOf = (text: string): number | null => (/^\d{1,7}$/.test(text) && Number(text) <= LAST_DAY ? Number(text) : null);

/** A long hash or address in the middle of a sentence. */
export const short = (text: string, head = 8, tail = 6): string =>
	text.length <= head + tail + 2 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;

/** Amount as a person types it, in the smallest unit; null if it is none, or has too many digits. */
export function parseAmount(text: string, decimals: number): bigint | null {
	const clean = text.trim().replace(/[\s\u202f_']/g, "");
	const found = /^(\d+)(?:[.,](\d+))?$/.exec(clean);
	if (!found?.[1]) return null;
	const rest = found[2] ?? "";
	if (rest.length > decimals) return null;
	return BigInt(found[1]) * 10n ** BigInt(decimals) + BigInt(rest.padEnd(decimals, "0") || "0");
}
