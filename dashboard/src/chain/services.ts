// Gateways, coordinators, fronts and indexes: what they say is shown as theirs, and checked against the chain where it can be.

import { prefs } from "../lib/prefs.svelte";

export class ServiceError extends Error {
	constructor(
		readonly kind: "none" | "unreachable" | "refused",
		detail: string,
	) {
		super(detail);
	}
}

type Name = "gateway" | "coordinator" | "front" | "index";

/** One request; an error says whether nobody is named, nobody answers, or what was refused. */
export async function ask(name: Name, path: string, init: RequestInit = {}): Promise<Response> {
	const base = prefs.service(name);
	if (!base) throw new ServiceError("none", name);
	let answer: Response;
	try {
		answer = await fetch(`${base}${path}`, { ...init, credentials: "omit", referrerPolicy: "no-referrer" });
	} catch {
		throw new ServiceError("unreachable", base);
	}
	if (!answer.ok) {
		const text = await answer.text().catch(() => "");
		let reason = `${answer.status}`;
		try {
			const body = JSON.parse(text) as { message?: string; error?: string | { message?: string } };
			const inner = typeof body.error === "object" ? body.error?.message : body.error;
			reason = body.message ?? inner ?? reason;
		} catch {
			// Not one of ours.
		}
		throw new ServiceError("refused", reason);
	}
	return answer;
}

export const askJson = async <T>(name: Name, path: string): Promise<T> => (await (await ask(name, path)).json()) as T;

export interface Log {
	id: string;
	batch_id: string | null;
	leaf_hash: string;
	energy_kwh: number;
	iot_device_id: string;
	meter_id: string;
	site_id: string;
	status: string;
	tags?: string[];
	ts_start: string;
	ts_end: string;
	tx?: { amount_sats?: number; settlement_status?: string };
}

export interface GatewayBatch {
	id: string;
	created_at: string;
	log_count: number;
	merkle_root: string;
	anchor_status: string;
	anchor_txid: string | null;
	on_chain: string;
	reason: string | null;
	ts_start: string;
	ts_end: string;
	chain?: { meter: number; name: string; sequence: number; imported_wh: number; exported_wh: number; block: string | null };
}

export interface ProofDocument {
	log_id: string;
	batch_id: string;
	leaf_hash: string;
	merkle_root: string;
	index: number;
	tree_size: number;
	scheme: string;
	proof: { position: "left" | "right"; hash: string }[];
}
