// Ends with success when two raw specs hold the same genesis storage, item by item.

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

const [left, right] = process.argv.slice(2).map((path) => {
	const { raw } = JSON.parse(readFileSync(path, "utf8")).genesis;
	if (!raw) {
		process.stderr.write(`same-genesis: ${path} is not a raw spec\n`);
		process.exit(1);
	}
	return raw;
});
process.exit(isDeepStrictEqual(left, right) ? 0 : 1);
