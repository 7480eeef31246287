// What the runtime has, by its metadata.

import { decAnyMetadata, unifyMetadata, type UnifiedMetadata } from "@polkadot-api/substrate-bindings";
import type { PolkadotClient } from "polkadot-api";

export async function unified(client: PolkadotClient): Promise<UnifiedMetadata> {
	const { hash } = await client.getFinalizedBlock();
	return unifyMetadata(decAnyMetadata(await client.getMetadata(hash)));
}

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
