// What the runtime has, by its metadata.

import { getDynamicBuilder, getLookupFn } from "@polkadot-api/metadata-builders";
import { decAnyMetadata, unifyMetadata, type UnifiedMetadata } from "@polkadot-api/substrate-bindings";
import type { PolkadotClient } from "polkadot-api";

/** `make`, once a connection. */
function perClient<T>(make: (client: PolkadotClient) => Promise<T>): (client: PolkadotClient) => Promise<T> {
	let kept: { client: PolkadotClient; made: Promise<T> } | null = null;
	return (client) => {
		if (kept?.client !== client) kept = { client, made: make(client) };
		return kept.made;
	};
}

const unified = perClient(async (client): Promise<UnifiedMetadata> => {
	const { hash } = await client.getFinalizedBlock();
	return unifyMetadata(decAnyMetadata(await client.getMetadata(hash)));
});

const palletOf = ({ pallets }: UnifiedMetadata, pallet: string) => pallets.find(({ name }) => name === pallet);

/** Reads the bytes of a storage item by the metadata of the runtime that runs now. */
export async function storageDecoder(client: PolkadotClient, pallet: string, item: string): Promise<(bytes: string) => any> {
	const { value } = getDynamicBuilder(getLookupFn(await unified(client))).buildStorage(pallet, item);
	return (bytes) => value.dec(bytes);
}

/** Reads the bytes of a call, to the last one; null if the runtime that runs now has no such call. */
export const callDecoder = perClient(async (client): Promise<(bytes: Uint8Array) => any> => {
	const lookup = getLookupFn(await unified(client));
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
});

/** Lines of the runtime's own documentation of a call or an error of a pallet; none if it says nothing. */
async function docsOf(client: PolkadotClient, pallet: string, kind: "calls" | "errors", name: string): Promise<string[]> {
	const metadata = await unified(client);
	const variants = palletOf(metadata, pallet)?.[kind] as { type?: number } | number | undefined;
	const id = typeof variants === "number" ? variants : variants?.type;
	const entry = id === undefined ? undefined : metadata.lookup[id];
	return entry?.def.tag === "variant" ? (entry.def.value.find((one) => one.name === name)?.docs ?? []) : [];
}

/** What the runtime's own documentation says of a call, in its first paragraph; empty if it says nothing. */
export async function callText(client: PolkadotClient, pallet: string, call: string): Promise<string> {
	const docs = await docsOf(client, pallet, "calls", call);
	const end = docs.findIndex((line) => line.trim() === "");
	return docs.slice(0, end < 0 ? docs.length : end).map((line) => line.trim()).join(" ");
}

/** What the runtime's own documentation says about an error of a pallet; empty if it says nothing. */
export const errorText = async (client: PolkadotClient, pallet: string, error: string): Promise<string> =>
	(await docsOf(client, pallet, "errors", error)).join(" ").trim();

/** Has a pallet this row of the state? */
export const hasItem = async (client: PolkadotClient, pallet: string, item: string): Promise<boolean> =>
	palletOf(await unified(client), pallet)?.storage?.items.some(({ name }) => name === item) ?? false;

/** Has a pallet this view function? */
export const hasView = async (client: PolkadotClient, pallet: string, view: string): Promise<boolean> =>
	palletOf(await unified(client), pallet)?.viewFns.some(({ name }) => name === view) ?? false;

export async function describe(client: PolkadotClient): Promise<{ palletNames: Set<string>; runtime: string }> {
	const api = client.getUnsafeApi() as any;
	const [metadata, version] = await Promise.all([
		unified(client),
		api.constants.System.Version() as Promise<{ spec_name: string; spec_version: number }>,
	]);
	return {
		palletNames: new Set(metadata.pallets.map(({ name }) => name)),
		runtime: `${version.spec_name}/${version.spec_version}`,
	};
}
