// Whatever a reader pastes: what on this chain it can be.

import { blake2b } from "../../../web/blake2b.mjs";
import { isHash, fromHex, toHex } from "../lib/bytes";
import { href } from "../lib/route.svelte";
import { address, parseAddress } from "../lib/ss58";
import { hashOf } from "./blocks";
import { chain } from "./chain.svelte";
import * as indexed from "./indexed";
import * as reads from "./reads";
import { askJson } from "./services";

export interface Found {
	kind: "block" | "account" | "job" | "party" | "model" | "meter" | "channel" | "day" | "receipt" | "transaction" | "named" | "event";
	name: string;
	to: string;
	/** Only an index says so: it is looked at in the block that it names. */
	isIndexed?: boolean;
}

/** Meters that are asked for at a time. */
const SEARCHED_METERS = 500;
const SEARCHED_BLOCKS = 40;

export async function search(input: string): Promise<Found[]> {
	const text = input.trim();
	const { api, finalized, client } = chain;
	if (!api || !finalized || !client) return [];
	const at = finalized.hash;
	const found: Found[] = [];
	const looks: Promise<void>[] = [];
	const look = (what: Promise<Found | null>): void => {
		looks.push(what.then((one) => void (one && found.push(one))).catch(() => {}));
	};
	const number = text.replace(/[\s\u202f,]/g, "");
	if (/^\d{1,9}$/.test(number)) {
		look(hashOf(Number(number)).then((hash) => (hash ? { kind: "block", name: number, to: href("explorer", "block", number) } : null)));
		look(reads.meter(api, at, Number(number)).then((one) => (one ? { kind: "meter", name: number, to: href("energy", "meter", number) } : null)));
		look(reads.channel(api, at, BigInt(number)).then((one) => (one ? { kind: "channel", name: number, to: href("compute", "channels", number) } : null)));
	}
	if (/^\d{4}-\d\d-\d\d$/.test(text)) {
		const days = Math.floor(Date.parse(text) / 86_400_000);
		look(reads.attestation(api, at, days).then((one) => (one ? { kind: "day", name: text, to: href("reserve", days) } : null)));
	}
	if (isHash(text)) {
		const hash = text.toLowerCase();
		look(client.getBlockHeader(hash).then((header) => ({ kind: "block", name: String(header.number), to: href("explorer", "block", hash) })));
		look(reads.job(api, at, hash).then((one) => (one ? { kind: "job", name: hash, to: href("compute", "jobs", hash) } : null)));
		look(reads.party(api, at, hash).then((one) => (one ? { kind: "party", name: hash, to: href("compute", "parties", hash) } : null)));
		look(reads.model(api, at, hash).then((one) => (one ? { kind: "model", name: hash, to: href("compute", "models") } : null)));
		look(askJson("coordinator", `/v1/receipts/${hash}`).then(() => ({ kind: "receipt", name: hash, to: href("compute", "try") })));
		look(transaction(hash));
	}
	const parsed = parseAddress(text);
	if ("account" in parsed) {
		const own = address(parsed.account, chain.prefix);
		look(reads.balances(api, at, own).then((one) => (one.exists || parsed.prefix !== null ? { kind: "account", name: own, to: href("accounts", own) } : null)));
	}
	if (/[\w-]+\/[\w-]+/.test(text) || /^[\w-]{3,}$/.test(text)) look(meterByName(text));
	const more = indexed.hasIndex() ? indexed.search(text).catch(() => []) : Promise.resolve([]);
	await Promise.all(looks);
	return [...found, ...onlyIndexed(found, await more)];
}

/** What an index adds to what the chain itself has. */
export function onlyIndexed(found: Found[], things: indexed.IndexedThing[]): Found[] {
	const known = new Set(found.flatMap(({ kind, name }) => [`${kind} ${name}`, kind === "block" ? "block" : ""]));
	return things.flatMap((thing) => {
		const to = indexed.placeOf(thing);
		const isKnown = known.has(`${thing.kind} ${thing.name}`) || (thing.kind === "block" && known.has("block"));
		return to === null || isKnown ? [] : [{ kind: thing.kind as Found["kind"], name: thing.name, to, isIndexed: true }];
	});
}

async function transaction(hash: string): Promise<Found | null> {
	const { client } = chain;
	if (!client) return null;
	for (const block of chain.recent.slice(0, SEARCHED_BLOCKS)) {
		const body = await client.getBlockBody(block.hash).catch(() => []);
		for (const one of body) {
			const bytes = one instanceof Uint8Array ? one : fromHex(one as string);
			if (bytes && toHex(blake2b(bytes)) === hash) return { kind: "transaction", name: hash, to: href("explorer", "block", block.hash) };
		}
	}
	return null;
}

async function meterByName(text: string): Promise<Found | null> {
	const { api, finalized } = chain;
	const parts = text.split("/").map((part) => part.trim());
	if (!api || !finalized) return null;
	if (parts.length === 3) {
		const index = await reads.meterByName(api, finalized.hash, parts as [string, string, string]);
		return index === null ? null : { kind: "meter", name: text, to: href("energy", "meter", index) };
	}
	for (let from: number | undefined = 0; from !== undefined;) {
		const { meters, next }: Awaited<ReturnType<typeof reads.meterPage>> = await reads.meterPage(api, finalized.hash, from, SEARCHED_METERS);
		for (const meter of meters) {
			const { site, device, meter: name } = meter.certificate.name;
			const names = [site, device, name].map((bytes) => new TextDecoder().decode(bytes));
			if (parts.every((part) => names.includes(part)) && names.slice(1).some((one) => parts.includes(one))) {
				return { kind: "meter", name: names.join("/"), to: href("energy", "meter", meter.index) };
			}
		}
		from = next;
	}
	return null;
}
