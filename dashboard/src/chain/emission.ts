// When the budget of a step falls, found by asking the chain itself: the page has no rule of emission of its own.

/** Says how much a step may pay out at most. */
type BudgetOf = (step: bigint) => Promise<bigint>;

/** How far ahead is looked: 2³² steps. */
const DOUBLINGS = 32;
/** Questions that are under way together. */
const AT_A_TIME = 8;

/**
 * Finds the first step after `step` whose budget is another than `budget`; null if there is none ahead. A budget
 * that was left is taken never to come back, as is so with one that only falls.
 */
export async function nextChange(budgetOf: BudgetOf, step: bigint, budget: bigint): Promise<bigint | null> {
	let same = step;
	let other: bigint | null = null;
	for (let power = 0; power < DOUBLINGS && other === null; power += AT_A_TIME) {
		const ahead = Array.from({ length: AT_A_TIME }, (_, at) => step + (1n << BigInt(power + at)));
		[same, other] = await narrow(budgetOf, budget, same, other, ahead);
	}
	if (other === null) return null;
	while (other - same > 1n) {
		const [first, width]: [bigint, bigint] = [same, other - same];
		const parts = BigInt(AT_A_TIME + 1);
		const between = Array.from({ length: AT_A_TIME }, (_, at) => first + (width * BigInt(at + 1)) / parts);
		[same, other] = (await narrow(budgetOf, budget, same, other, [...new Set(between)].filter((one) => one > first))) as [bigint, bigint];
	}
	return other;
}

/** The last step with the same budget and the first with another, of those that are known and those that are asked now. */
async function narrow(budgetOf: BudgetOf, budget: bigint, same: bigint, other: bigint | null, steps: bigint[]): Promise<[bigint, bigint | null]> {
	const budgets = await Promise.all(steps.map(budgetOf));
	const at = budgets.findIndex((found) => found !== budget);
	if (at < 0) return [steps.at(-1) ?? same, other];
	return [steps[at - 1] ?? same, steps[at] ?? other];
}
