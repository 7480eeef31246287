// Makes a light client's spec of a raw one: standard input → standard output.
//
// smoldot refuses a spec with any field it doesn't know, so only known ones are kept, and says so
// when it leaves one out. What the chain cannot be followed without has to be there.

import { readFileSync } from "node:fs";

// Fields of a chain spec that smoldot 3.4.1 uses. `lightSyncState` is not among ours: it is made
// for BABE, and smoldot warp-syncs an Aura chain from its genesis. Nor is `protocolId`, which it
// warns of: protocols are named after the genesis hash.
const KEPT = [
	"name",
	"id",
	"chainType",
	"codeSubstitutes",
	"bootNodes",
	"telemetryEndpoints",
	"forkId",
	"properties",
	"genesis",
];

// Storage keys a light client starts from: the runtime code (`:code`).
const CODE = "0x3a636f6465";

function fail(reason) {
	process.stderr.write(`light-spec: ${reason}\n`);
	process.exit(1);
}

let spec;
try {
	spec = JSON.parse(readFileSync(0, "utf8"));
} catch (error) {
	fail(`the input is not JSON: ${error.message}`);
}
const top = spec.genesis?.raw?.top;
if (!top) {
	fail("the input is not a raw spec: export it with --raw");
}
if (!top[CODE]) {
	fail("the genesis holds no runtime code");
}
for (const field of ["name", "id"]) {
	if (typeof spec[field] !== "string" || spec[field] === "") {
		fail(`the spec has no ${field}`);
	}
}

const light = {};
for (const field of KEPT) {
	if (spec[field] !== undefined) {
		light[field] = spec[field];
	}
}
const left = Object.keys(spec).filter((field) => ![...KEPT, "protocolId"].includes(field));
if (left.length > 0) {
	process.stderr.write(`light-spec: left out ${left.join(", ")}\n`);
}
// A light client dials on its own; telemetry would tell where its user is.
light.telemetryEndpoints = null;

process.stdout.write(`${JSON.stringify(light, null, 2)}\n`);
