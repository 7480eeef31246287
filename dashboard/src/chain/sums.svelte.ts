// The sums of all meters as the pages show them: made once for all choices, and again when the reader says so.

import { chain } from "./chain.svelte";
import { isPassing } from "./live.svelte";
import * as reads from "./reads";
import { sumAll, type Sums } from "./sums";
import type { Block } from "./types";

/** Up to so many meters are summed again without being asked. */
const FEW = 500;
/** After so many blocks. */
const EVERY = 20;

export interface Shown {
	sums: Sums;
	/** Meters in these sums; `sums` is filled further, this is what makes a new part seen. */
	done: number;
	/** Meters in service at that block. */
	all: number;
	at: Block;
	isWhole: boolean;
	genesis: string;
}

class EnergySums {
	/** The newest sums: whole ones, or the first as far as they are. */
	shown = $state.raw<Shown | null>(null);
	/** Meters that are summed of how many, while they are. */
	running = $state.raw<{ done: number; all: number } | null>(null);
	fault = $state("");
	/** The node let go of the block before all was summed. */
	isCutOff = $state(false);
	#turn = 0;
	/** Block of the last attempt. */
	#tried = 0;

	/** The sums, if they are of the chain that is shown. */
	get current(): Shown | null {
		return this.shown?.genesis === chain.genesis ? this.shown : null;
	}

	/** Sums at the newest final block. */
	async start(): Promise<void> {
		const { api, client, finalized: at, genesis } = chain;
		if (!api || !client || !at || genesis === "") return;
		this.stop();
		const turn = this.#turn;
		this.#tried = at.number;
		this.fault = "";
		this.isCutOff = false;
		if (this.shown?.genesis !== genesis) this.shown = null;
		this.running = { done: 0, all: 0 };
		let release = (): void => undefined;
		try {
			release = client.hodlBlock(at.hash);
			const { meters: all } = await reads.energyOverview(api, at.hash);
			const source = {
				page: (from: number, limit: number) => reads.meterPage(api, at.hash, from, limit),
				totals: (index: number) => reads.meterTotals(api, at.hash, index),
			};
			let last: Sums | null = null;
			const isWhole = await sumAll(source, (sums) => {
				if (turn !== this.#turn || chain.api !== api) return false;
				last = sums;
				this.running = { done: sums.meters, all };
				// What is whole stays until the next is.
				if (!this.shown?.isWhole) this.shown = { sums, done: sums.meters, all, at, isWhole: false, genesis };
				return true;
			});
			if (isWhole && last && turn === this.#turn) this.shown = { sums: last, done: all, all, at, isWhole: true, genesis };
		} catch (error) {
			if (turn !== this.#turn || chain.api !== api) return;
			if (isPassing(error)) this.isCutOff = true;
			else this.fault = error instanceof Error ? error.message : String(error);
		} finally {
			try {
				release();
			} catch {
				// The connection is gone, and its blocks with it.
			}
			if (turn === this.#turn) this.running = null;
		}
	}

	/** Ends what is under way; what is summed stays. */
	stop(): void {
		this.#turn += 1;
		this.running = null;
	}

	/** Nobody looks any more: what is whole stays for the next time, a part is begun again then. */
	leave(): void {
		this.stop();
		if (!this.shown?.isWhole) this.shown = null;
	}

	/** Is it time to sum: for the first time, after a failure a while ago, or again because it costs little? */
	isDue(block: number): boolean {
		if (this.running) return false;
		const isAWhileAgo = block >= this.#tried + EVERY;
		const shown = this.current;
		if (!shown) return this.fault === "" || isAWhileAgo;
		return shown.isWhole && shown.all <= FEW && isAWhileAgo;
	}
}

export const energySums = new EnergySums();
