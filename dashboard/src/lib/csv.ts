// Tables as CSV (RFC 4180), to and from.

const cell = (value: string): string => {
	// A spreadsheet would run what begins like a formula.
	const safe = /^[=+\-@\t\r]/.test(value) && !/^-?\d+(\.\d+)?$/.test(value) ? `'${value}` : value;
	return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

export const toCsv = (rows: (string | number | bigint)[][]): string =>
	`${rows.map((row) => row.map((value) => cell(String(value))).join(",")).join("\r\n")}\r\n`;

/** The rows of a CSV file; empty lines are left out. */
export function fromCsv(text: string): string[][] {
	const rows: string[][] = [];
	let row: string[] = [];
	let value = "";
	let quoted = false;
	const body = text.replace(/^\ufeff/, "");
	for (let at = 0; at < body.length; at += 1) {
		const character = body[at];
		if (quoted) {
			if (character !== '"') value += character;
			else if (body[at + 1] === '"') {
				value += '"';
				at += 1;
			} else quoted = false;
		} else if (character === '"' && value === "") quoted = true;
		else if (character === ",") {
			row.push(value);
			value = "";
		} else if (character === "\n" || character === "\r") {
			if (character === "\r" && body[at + 1] === "\n") at += 1;
			row.push(value);
			if (row.some((one) => one !== "")) rows.push(row);
			row = [];
			value = "";
		} else value += character;
	}
	row.push(value);
	if (row.some((one) => one !== "")) rows.push(row);
	return rows;
}

/** Hands a text to the reader as a file. */
export function download(name: string, content: string, type = "text/csv"): void {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(new Blob([content], { type: `${type};charset=utf-8` }));
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
