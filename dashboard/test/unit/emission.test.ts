import { expect, test } from "vitest";
import { nextChange } from "../../src/chain/emission";

/** A chain whose budget halves every `every` steps, and how often it was asked. */
function halving(every: bigint, first: bigint) {
	const asked = { count: 0 };
	const budgetOf = async (step: bigint): Promise<bigint> => {
		asked.count += 1;
		return first >> (step / every);
	};
	return { budgetOf, asked };
}

test("the step at which the budget falls is found wherever in its time the chain stands", async () => {
	const { budgetOf } = halving(210_000n, 50n * 10n ** 18n);
	for (const step of [0n, 1n, 104_999n, 105_000n, 209_998n, 209_999n, 210_000n, 629_999n]) {
		const expected = (step / 210_000n + 1n) * 210_000n;
		expect(await nextChange(budgetOf, step, await budgetOf(step)), `${step}`).toBe(expected);
	}
});

test("a chain with another interval is believed, and few questions find it", async () => {
	for (const every of [1n, 2n, 3n, 1_000n, 7_000_001n]) {
		const { budgetOf, asked } = halving(every, 1n << 40n);
		expect(await nextChange(budgetOf, 0n, 1n << 40n)).toBe(every);
		expect(asked.count).toBeLessThan(110);
	}
});

test("a budget that never changes any more has no next step", async () => {
	const { budgetOf } = halving(1n, 0n);
	expect(await nextChange(budgetOf, 12n, 0n)).toBeNull();
});
