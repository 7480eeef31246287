// How far a referendum that is not over is, and the block in which that changes at the latest.

type Phase = { name: "deposit" | "queue" | "deciding" | "confirming"; block: number | null };

export function phaseOf(
	{ submitted, in_queue, deciding, decision_deposit }: { submitted: number; in_queue: boolean; deciding?: { since: number; confirming?: number } | undefined; decision_deposit?: unknown },
	{ decision_period }: { decision_period: number },
	undeciding: number,
): Phase {
	if (deciding) {
		return deciding.confirming === undefined
			? { name: "deciding", block: deciding.since + decision_period }
			: { name: "confirming", block: deciding.confirming };
	}
	return in_queue || decision_deposit !== undefined ? { name: "queue", block: null } : { name: "deposit", block: submitted + undeciding };
}
