// The modules for browsers in ../web, which have no types of their own.
declare module "*/web/blake2b.mjs" {
	export function blake2b(message: Uint8Array, length?: number): Uint8Array;
}
declare module "*/web/json.mjs" {
	export class NumberLiteral {
		literal: string;
	}
	export function parse(document: string | Uint8Array): unknown;
	export function canonical(value: unknown): string;
}
declare module "*/web/sha256.mjs" {
	export function sha256(message: Uint8Array): Uint8Array;
}
declare module "*/web/proof.mjs" {
	export interface Step {
		position: "left" | "right";
		hash: Uint8Array;
	}
	export interface Verified {
		ok: boolean;
		scheme: "rfc6962" | "legacy" | null;
		logChecked: boolean;
		error: string | null;
		reason: string | null;
		[name: string]: unknown;
	}
	export const schemes: Record<"rfc6962" | "legacy", { leafHash(data: Uint8Array): Uint8Array; nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array }>;
	export function toHex(bytes: Uint8Array): string;
	export function hashFromHex(text: string): Uint8Array | null;
	export function logLeafHash(log: string, scheme?: "rfc6962" | "legacy"): Uint8Array;
	export function merkleRoot(leaves: Uint8Array[]): Uint8Array;
	export function verifyDocument(text: string): Verified;
}
declare module "*/web/receipt.mjs" {
	export interface Statement {
		channel: bigint;
		number: bigint;
		miner: string | null;
		model: string;
		specHash: string;
		outputRoot: string;
		weight: bigint;
		price: bigint;
		sampler: string;
		inputTokens: number;
		outputTokens: number;
		durationMs: bigint;
		memoryMb: number;
		settleByMs: bigint;
	}
	export interface Receipt {
		statement: Statement;
		kind: { asset: string; mode: string };
		channelSums: { count: bigint; price: bigint };
		minerSums: { count: bigint; price: bigint; weight: bigint };
	}
	export interface Checked {
		ok: boolean;
		error: string | null;
		reason: string | null;
		id: string | null;
		coordinator: string | null;
		signatures: "checked" | "unchecked" | null;
		onChain: true | null;
		receipt: Receipt | null;
		batch: { header: { sequence: bigint; hash: string; receipts: bigint }; index: bigint } | null;
	}
	export function decodeIssued(bytes: Uint8Array): { receipt: Receipt };
	export function decodeHeader(bytes: Uint8Array): { coordinator: string; sequence: bigint; receipts: bigint; price: bigint; weight: bigint; hash: string; timeMs: bigint };
	export function verifyReceipt(json: string, chain?: { genesis?: string | null; known?: { sequence: bigint; hash: string } | null }): Promise<Checked>;
}
