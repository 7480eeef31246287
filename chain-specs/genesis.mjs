// The readable part of a plain spec: all of it but the runtime's code, whose bytes differ with the
// toolchain that compiled them. Standard input → standard output.

import { readFileSync } from "node:fs";

// Balances have more digits than a JavaScript number: they are carried through as texts.
const NUMBER_OR_TEXT = /"[^"\\]*(?:\\.[^"\\]*)*"|\d{16,}/g;
const MARKED = /"(\d{16,})n"/g;
// A list without lists or objects in it fits on a line.
const FLAT_LIST = /\[\s+([^[\]{}]+?)\s+\]/g;

const input = readFileSync(0, "utf8");
const spec = JSON.parse(
	input.replace(NUMBER_OR_TEXT, (found) => (found.startsWith('"') ? found : `"${found}n"`)),
);
const { runtimeGenesis } = spec.genesis ?? {};
if (!runtimeGenesis?.code) {
	process.stderr.write("genesis: the input is not a plain spec: export it without --raw\n");
	process.exit(1);
}
delete runtimeGenesis.code;

/** The same value with sorted keys, so that an equal genesis is an equal text. */
function sorted(value) {
	if (Array.isArray(value)) {
		return value.map(sorted);
	}
	if (value === null || typeof value !== "object") {
		return value;
	}
	const keys = Object.keys(value).sort();
	return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]));
}

const text = JSON.stringify(sorted(spec), null, 2)
	.replace(MARKED, "$1")
	.replace(FLAT_LIST, (_, items) => `[${items.replace(/\s*\n\s*/g, " ")}]`);
process.stdout.write(`${text}\n`);
