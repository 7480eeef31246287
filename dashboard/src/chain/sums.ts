// Energy of all meters by site, owner and organisation.

import type { Meter, Period, Totals } from "./types";

export type Kind = "site" | "owner" | "organisation";

/** What the meters of one site, owner or organisation bought and sold. */
export interface Sum {
	name: string;
	meters: number;
	totals: Totals;
}

const PERIODS: Period[] = ["last_hour", "today", "yesterday", "week", "month", "year", "all"];
/** Meters whose totals are asked for together. */
const AT_A_TIME = 100;

const nothing = (): Totals => Object.fromEntries(PERIODS.map((period) => [period, { import_wh: 0n, export_wh: 0n }])) as Totals;
const decoded = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** All periods of all kinds at once, so that another choice asks for nothing again. */
export class Sums {
	/** Meters that are in these sums. */
	meters = 0;
	#groups: Record<Kind, Map<string, Sum>> = { site: new Map(), owner: new Map(), organisation: new Map() };

	add({ certificate: { name, owner, organisation } }: Meter, totals: Totals): void {
		this.meters += 1;
		this.#addTo("site", decoded(name.site), totals);
		this.#addTo("owner", owner, totals);
		this.#addTo("organisation", String(organisation), totals);
	}

	#addTo(kind: Kind, name: string, totals: Totals): void {
		const groups = this.#groups[kind];
		let sum = groups.get(name);
		if (!sum) {
			sum = { name, meters: 0, totals: nothing() };
			groups.set(name, sum);
		}
		sum.meters += 1;
		for (const period of PERIODS) {
			sum.totals[period].import_wh += totals[period].import_wh;
			sum.totals[period].export_wh += totals[period].export_wh;
		}
	}

	/**
	 * Who sold most comes first, then who bought most, then by name. Each is a copy: what is shown again has to be
	 * another object, or the page does not see that it has grown.
	 */
	rows(kind: Kind, period: Period): Sum[] {
		const order = (one: bigint, other: bigint): number => (one < other ? 1 : one > other ? -1 : 0);
		return Array.from(this.#groups[kind].values(), (sum) => ({ ...sum })).sort((one, other) => {
			const [mine, theirs] = [one.totals[period], other.totals[period]];
			return order(mine.export_wh, theirs.export_wh) || order(mine.import_wh, theirs.import_wh) || (one.name < other.name ? -1 : 1);
		});
	}
}

/** Where meters and their totals come from, all of one block. */
export interface Source {
	page(from: number, limit: number): Promise<{ meters: Meter[]; next?: number }>;
	totals(index: number): Promise<Totals | undefined>;
}

/**
 * Sums all meters, a page after the other; `onPart` gets the sums after each, and says whether to continue. Returns whether
 * all are in.
 */
export async function sumAll({ page, totals }: Source, onPart: (sums: Sums) => boolean): Promise<boolean> {
	const sums = new Sums();
	let from: number | undefined = 0;
	while (from !== undefined) {
		const { meters, next }: { meters: Meter[]; next?: number } = await page(from, AT_A_TIME);
		const found = await Promise.all(meters.map(({ index }) => totals(index)));
		for (const [at, meter] of meters.entries()) {
			const own = found[at];
			// The list and the totals are of one block: a meter in service has totals there.
			if (!own) throw new Error(`the node lists meter ${meter.index}, and has no totals of it`);
			sums.add(meter, own);
		}
		if (!onPart(sums)) return false;
		from = next;
	}
	return true;
}
