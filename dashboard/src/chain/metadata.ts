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
