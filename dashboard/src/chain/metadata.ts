// What the runtime has, by its metadata.

import { getDynamicBuilder, getLookupFn } from "@polkadot-api/metadata-builders";
import { decAnyMetadata, unifyMetadata, type UnifiedMetadata } from "@polkadot-api/substrate-bindings";
import type { PolkadotClient } from "polkadot-api";

export async function unified(client: PolkadotClient): Promise<UnifiedMetadata> {
	const { hash } = await client.getFinalizedBlock();
	return unifyMetadata(decAnyMetadata(await client.getMetadata(hash)));
}

let kept: { key: unknown; metadata: Promise<UnifiedMetadata> } | null = null;

/** As `unified`, read once a connection. */
function known(client: PolkadotClient): Promise<UnifiedMetadata> {
	if (kept?.key !== client) kept = { key: client, metadata: unified(client) };
	return kept.metadata;
}

/** Reads the bytes of a storage item by the metadata of the runtime that runs now. */
export async function storageDecoder(client: PolkadotClient, pallet: string, item: string): Promise<(bytes: string) => any> {
	const { value } = getDynamicBuilder(getLookupFn(await known(client))).buildStorage(pallet, item);
	return (bytes) => value.dec(bytes);
}

/** Reads the bytes of a call, to the last one; null if the runtime that runs now has no such call. */
export async function callDecoder(client: PolkadotClient): Promise<(bytes: Uint8Array) => any> {
	const lookup = getLookupFn(await known(client));
	if (lookup.call === null) throw new Error("the runtime states no calls");
	const { dec, enc } = getDynamicBuilder(lookup).buildDefinition(lookup.call);
	return (bytes) => {
		try {
			const call = dec(bytes);
			const again = enc(call);
			return again.length === bytes.length && again.every((byte: number, at: number) => byte === bytes[at]) ? call : null;
		} catch {
			return null;
		}
	};
}

/** What the runtime's own documentation says of a call, in its first paragraph; empty if it says nothing. */
export async function callText(client: PolkadotClient, pallet: string, call: string): Promise<string> {
	const metadata = await known(client);
	const calls = metadata.pallets.find(({ name }) => name === pallet)?.calls as { type?: number } | number | undefined;
	const id = typeof calls === "number" ? calls : calls?.type;
	const entry = id === undefined ? undefined : metadata.lookup[id];
	if (entry?.def.tag !== "variant") return "";
	const docs = entry.def.value.find(({ name }) => name === call)?.docs ?? [];
	const end = docs.findIndex((line) => line.trim() === "");
	return docs.slice(0, end < 0 ? docs.length : end).map((line) => line.trim()).join(" ");
}

/** Has a pallet this row of the state? */
export async function hasItem(client: PolkadotClient, pallet: string, item: string): Promise<boolean> {
	const { pallets } = await known(client);
	return pallets.find(({ name }) => name === pallet)?.storage?.items.some(({ name }) => name === item) ?? false;
}

/** Has a pallet this view function? */
export async function hasView(client: PolkadotClient, pallet: string, view: string): Promise<boolean> {
	const { pallets } = await known(client);
	return pallets.find(({ name }) => name === pallet)?.viewFns.some(({ name }) => name === view) ?? false;
}

/** What the runtime's own documentation says about an error of a pallet; empty if it says nothing. */
export async function errorText(client: PolkadotClient, pallet: string, error: string): Promise<string> {
	const metadata = await known(client);
	const errors = metadata.pallets.find(({ name }) => name === pallet)?.errors as { type?: number } | number | undefined;
	const id = typeof errors === "number" ? errors : errors?.type;
	const entry = id === undefined ? undefined : metadata.lookup[id];
	if (entry?.def.tag !== "variant") return "";
	return entry.def.value.find(({ name }) => name === error)?.docs.join(" ").trim() ?? "";
}

export async function describe(client: PolkadotClient): Promise<{ palletNames: Set<string>; runtime: string }> {
	const api = client.getUnsafeApi() as any;
	const [metadata, version] = await Promise.all([
		known(client),
		api.constants.System.Version() as Promise<{ spec_name: string; spec_version: number }>,
	]);
	return {
		palletNames: new Set(metadata.pallets.map(({ name }) => name)),
		runtime: `${version.spec_name}/${version.spec_version}`,
	};
}
