// Bidding zones of Europe as tiles: column and row, roughly where they are.

export const TILES: Record<string, [number, number]> = {
	NO4: [6, 0], SE1: [7, 0], FI: [9, 0],
	NO3: [6, 1], SE2: [7, 1], EE: [9, 1],
	NO5: [5, 2], NO1: [6, 2], SE3: [7, 2], LV: [9, 2],
	NO2: [5, 3], SE4: [7, 3], LT: [9, 3],
	"IE-SEM": [1, 4], GB: [2, 4], DK1: [5, 4], DK2: [6, 4],
	NL: [4, 5], "DE-LU": [5, 5], PL: [7, 5],
	BE: [3, 5], CZ: [6, 6], SK: [7, 6], UA: [9, 6],
	FR: [3, 7], CH: [4, 7], AT: [6, 7], HU: [7, 7], RO: [9, 7], MD: [9, 8],
	ES: [2, 8], "IT-NORD": [4, 8], SI: [6, 8], HR: [7, 8], RS: [8, 8],
	PT: [1, 8], "IT-CNOR": [4, 9], BA: [7, 9], XK: [8, 9], BG: [9, 9],
	"IT-SARD": [3, 10], "IT-CSUD": [4, 10], ME: [7, 10], MK: [8, 10],
	"IT-SUD": [5, 11], AL: [7, 11], GR: [8, 11],
	"IT-SICI": [4, 12], "IT-CALA": [5, 12], CY: [10, 12],
};
export const COLUMNS = 11;
export const ROWS = 13;

export interface Zone {
	name: string;
	wh: bigint;
	isComplete: boolean | null;
}

/** Zones of a `grid_summary_D.json` or `grid_by_zone_D.csv`; throws if it is neither. */
export function readZones(text: string, rows: (text: string) => string[][]): Zone[] {
	if (text.trimStart().startsWith("{")) {
		const { zones } = JSON.parse(text) as { zones?: { name: string; wh: number; status?: string }[] };
		if (!Array.isArray(zones)) throw new Error("no zones in it");
		return zones.map(({ name, wh, status }) => {
			if (!Number.isSafeInteger(wh)) throw new Error(`no whole number of Wh for ${name}`);
			return { name, wh: BigInt(wh), isComplete: status === undefined ? null : status === "ok" };
		});
	}
	const [head, ...body] = rows(text);
	const [name, wh] = [head?.indexOf("name") ?? -1, head?.indexOf("wh") ?? -1];
	if (name < 0 || wh < 0) throw new Error("want the columns name and wh");
	return body.map((row) => {
		const figure = row[wh] ?? "";
		if (!/^\d+$/.test(figure)) throw new Error(`no whole number of Wh for ${row[name]}`);
		return { name: row[name] ?? "", wh: BigInt(figure), isComplete: null };
	});
}
