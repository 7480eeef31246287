// The connection to one chain: by a node's WebSocket, or by the light client in this browser.

import { createClient, type PolkadotClient } from "polkadot-api";
import { getWsProvider, WsEvent, type StatusChange } from "polkadot-api/ws";
import { prefs } from "../lib/prefs.svelte";
import { describe } from "./metadata";
import type { Block } from "./types";

/** The untyped API: what it has is what the node's metadata says. */
export type Api = any;

export type Link = "connecting" | "live" | "lost" | "failed";

export interface BestBlock extends Block {
	parent: string;
}

const KEPT_BLOCKS = 40;
const FILLED = 15;

class Chain {
	link = $state<Link>("connecting");
	fault = $state("");
	name = $state("");
	genesis = $state("");
	prefix = $state(7341);
	isDevelopment = $state(false);
	/** Pallets of the runtime that runs; a page for one that is missing is not offered. */
	pallets = $state.raw<Set<string>>(new Set());
	runtime = $state("");
	methods = $state.raw<Set<string>>(new Set());
	best = $state.raw<BestBlock | null>(null);
	finalized = $state.raw<Block | null>(null);
	/** Newest first; a block of a fork that lost is taken out again. */
	recent = $state.raw<BestBlock[]>([]);
	/** When this page last heard of a finalized block, by this computer's clock. */
	heardAt = $state(0);
	isLight = $state(false);
	/** What the light client says about itself. */
	lightNote = $state("");

	client: PolkadotClient | null = null;
	api: Api = null;
	#stop: (() => void)[] = [];

	/** Connects, or connects again: to the node or by the light client, as the reader chose. */
	async start(): Promise<void> {
		this.stop();
		this.link = "connecting";
		this.fault = "";
		this.isLight = prefs.own.light;
		try {
			if (this.isLight) await this.#light();
			else this.#node();
		} catch (error) {
			this.link = "failed";
			this.fault = error instanceof Error ? error.message : String(error);
		}
	}

	stop(): void {
		for (const one of this.#stop) one();
		this.#stop = [];
		try {
			this.client?.destroy();
		} catch {
			// What is broken already need not be ended.
		}
		this.client = null;
		this.api = null;
		this.best = null;
		this.finalized = null;
		this.recent = [];
		this.pallets = new Set();
		this.methods = new Set();
		this.genesis = "";
	}

	#node(): void {
		const changed = (status: StatusChange): void => {
			if (status.type === WsEvent.CONNECTED) {
				this.link = this.finalized ? "live" : "connecting";
				this.fault = "";
			} else if (status.type === WsEvent.ERROR || status.type === WsEvent.CLOSE) {
				this.link = this.finalized ? "lost" : "failed";
				this.fault = prefs.node;
			}
		};
		const provider = getWsProvider(prefs.node, { onStatusChanged: changed, timeout: 8_000, heartbeatTimeout: 30_000 });
		this.#follow(createClient(provider));
	}

	async #light(): Promise<void> {
		const { lightProvider } = await import("./light");
		const { provider, stop } = await lightProvider((note) => {
			this.lightNote = note;
		});
		this.#stop.push(stop);
		this.#follow(createClient(provider));
	}

	#follow(client: PolkadotClient): void {
		this.client = client;
		this.api = client.getUnsafeApi();
		const failed = (error: unknown): void => {
			if (this.client !== client) return;
			this.link = "failed";
			this.fault = error instanceof Error ? error.message : String(error);
		};
		const finalized = client.finalizedBlock$.subscribe({
			next: ({ number, hash }) => {
				this.finalized = { number, hash };
				this.heardAt = Date.now();
				this.link = "live";
			},
			error: failed,
		});
		const best = client.bestBlocks$.subscribe({
			next: (blocks) => {
				const [newest] = blocks;
				if (!newest) return;
				this.best = newest;
				const chain = new Map(this.recent.map((block) => [block.number, block]));
				for (const { number, hash, parent } of blocks) chain.set(number, { number, hash, parent });
				for (const number of chain.keys()) if (number > newest.number) chain.delete(number);
				this.recent = [...chain.values()].sort((one, other) => other.number - one.number).slice(0, KEPT_BLOCKS);
			},
			error: failed,
		});
		this.#stop.push(
			() => finalized.unsubscribe(),
			() => best.unsubscribe(),
		);
		this.#describe(client).catch(failed);
	}

	/** What the chain calls itself, and what its runtime has. */
	async #describe(client: PolkadotClient): Promise<void> {
		const data = await client.getChainSpecData();
		if (this.client !== client) return;
		this.name = data.name;
		this.genesis = data.genesisHash;
		const properties = (data.properties ?? {}) as { ss58Format?: number };
		if (typeof properties.ss58Format === "number") this.prefix = properties.ss58Format;
		this.isDevelopment = /development|local/i.test(data.name);
		if (!this.isLight) {
			const { methods } = await client._request<{ methods: string[] }>("rpc_methods", []);
			if (this.client !== client) return;
			this.methods = new Set(methods);
			await this.#fill(client);
		}
		const { palletNames, runtime } = await describe(client);
		if (this.client !== client) return;
		this.pallets = palletNames;
		this.runtime = runtime;
	}

	/** The blocks before those that came, so that the page does not begin empty. */
	async #fill(client: PolkadotClient): Promise<void> {
		const { number } = await client.getFinalizedBlock();
		const numbers = Array.from({ length: Math.min(FILLED, number) }, (_, at) => number - at - 1);
		const hashes = await client._request<(string | null)[]>("chain_getBlockHash", [numbers]);
		if (this.client !== client) return;
		const known = new Set(this.recent.map((block) => block.number));
		const older = numbers.flatMap((one, at) => {
			const hash = hashes[at];
			return hash && !known.has(one) ? [{ number: one, hash, parent: hashes[at + 1] ?? "" }] : [];
		});
		this.recent = [...this.recent, ...older].sort((one, other) => other.number - one.number).slice(0, KEPT_BLOCKS);
	}

	has(pallet: string): boolean {
		return this.pallets.has(pallet);
	}

	/** Can blocks and states of any age be asked for? */
	get hasHistory(): boolean {
		return !this.isLight && this.methods.has("archive_v1_hashByHeight");
	}
}

export const chain = new Chain();
