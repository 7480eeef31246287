import { expect, test } from "vitest";
import { isPassing } from "../../src/chain/live.svelte";

test("a block that was let go is read again, and what a node says of a trap is shown", () => {
	const gone = new Error("Block 0x00 is not pinned (storage)");
	gone.name = "BlockNotPinnedError";
	expect(isPassing(gone)).toBe(true);
	expect(isPassing(new Error("Execution failed: Execution aborted due to trap: wasm trap"))).toBe(false);
	expect(isPassing("AbortError")).toBe(false);
});
