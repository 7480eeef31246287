// Figures that are read again as blocks become final, with the block they are from.

import { untrack } from "svelte";
import { chain, type Api } from "./chain.svelte";
import type { Block } from "./types";

export class Live<T> {
	value = $state.raw<T | undefined>(undefined);
	at = $state.raw<Block | undefined>(undefined);
	fault = $state("");
	busy = $state(false);
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const PASSING = new Set(["AbortError", "BlockNotPinnedError", "DisjointError", "StopError", "DestroyedError"]);

/**
 * A block may be let go while it is read: the next one comes within a second. By the error's name, since texts of
 * nodes have such words too: that of a trap in the runtime says "aborted".
 */
export const isPassing = (error: unknown): boolean => error instanceof Error && PASSING.has(error.name);

/**
 * Reads with `read` at the newest finalized block, and again every `every` blocks; at once when something changes
 * that `read` uses before its first `await`. `null` means that there is nothing to read now.
 */
export function live<T>(read: (api: Api, at: string) => Promise<T> | null, every = 1): Live<T> {
	const state = new Live<T>();
	const isReady = $derived(chain.finalized !== null && chain.link !== "failed");
	let turn = 0;
	let next = Number.POSITIVE_INFINITY;

	const run = (api: Api, block: Block): void => {
		const task = read(api, block.hash);
		const own = ++turn;
		next = Number.POSITIVE_INFINITY;
		if (!task) {
			untrack(() => {
				state.value = undefined;
				state.busy = false;
				state.fault = "";
			});
			return;
		}
		untrack(() => {
			state.busy = true;
		});
		const done = (): boolean => {
			if (own !== turn || api !== chain.api) return false;
			state.busy = false;
			next = block.number + every;
			return true;
		};
		task.then(
			(value) => {
				if (!done()) return;
				state.value = value;
				state.at = block;
				state.fault = "";
			},
			(error) => {
				if (!done()) return;
				if (isPassing(error)) next = block.number + 1;
				else state.fault = message(error);
			},
		);
	};

	// At once, and again when what it depends on changes.
	$effect(() => {
		if (!isReady) return;
		const api = chain.api;
		const block = untrack(() => chain.finalized);
		if (api && block) run(api, block);
	});
	// Again as blocks come.
	$effect(() => {
		const block = chain.finalized;
		if (!block || block.number < next) return;
		untrack(() => {
			if (chain.api) run(chain.api, block);
		});
	});
	return state;
}

/** As `live`, but only when what it depends on changes. */
export const once = <T>(read: (api: Api, at: string) => Promise<T> | null): Live<T> => live(read, Number.POSITIVE_INFINITY);
