// The light client, in this browser: it is loaded only when the reader switches it on.

import type { JsonRpcProvider } from "polkadot-api";
import { getSmProvider } from "polkadot-api/sm-provider";
import { start } from "smoldot";

/** Connects to the chain of `light.json`, which is all that is trusted; it names nodes that listen on WebSocket. */
export async function lightProvider(note: (text: string) => void): Promise<{ provider: JsonRpcProvider; stop: () => void }> {
	const answer = await fetch("./light.json");
	if (!answer.ok) throw new Error(`light.json: ${answer.status}`);
	const chainSpec = await answer.text();
	const client = start({
		maxLogLevel: 3,
		logCallback: (level, target, text) => {
			if (level <= 2) note(`${target}: ${text}`);
		},
		forbidTcp: true,
		forbidWebRtc: true,
	});
	const provider = getSmProvider(() => client.addChain({ chainSpec }) as never);
	return { provider, stop: () => void client.terminate().catch(() => {}) };
}
