// Who signs: an account of a browser extension, or a development key on a development chain. Keys of extensions never
// come here; a transaction is shown before it is signed.

import type { PolkadotSigner } from "polkadot-api";
import { prefs } from "../lib/prefs.svelte";
import { errorName } from "./blocks";
import { chain, type Api } from "./chain.svelte";

export interface Account {
	address: string;
	name: string;
	source: string;
	signer: PolkadotSigner;
}

export interface Progress {
	step: "idle" | "signing" | "sent" | "best" | "final" | "failed";
	reason: string;
	block: { number: number; hash: string } | null;
	hash: string;
}

export const idle: Progress = { step: "idle", reason: "", block: null, hash: "" };

class Wallet {
	accounts = $state.raw<Account[]>([]);
	extensions = $state.raw<string[]>([]);
	fault = $state("");

	get current(): Account | null {
		return this.accounts.find(({ address }) => address === prefs.own.account) ?? null;
	}

	/** Extensions that announced themselves to this page. */
	async look(): Promise<void> {
		const { getInjectedExtensions } = await import("polkadot-api/pjs-signer");
		this.extensions = getInjectedExtensions() ?? [];
	}

	async connect(name: string): Promise<void> {
		this.fault = "";
		try {
			const { connectInjectedExtension } = await import("polkadot-api/pjs-signer");
			const extension = await connectInjectedExtension(name, "Gridproof");
			const { parseAddress, address: format } = await import("../lib/ss58");
			const found = extension.getAccounts().map(({ address, name: label, polkadotSigner }): Account => {
				const parsed = parseAddress(address);
				const own = "account" in parsed ? format(parsed.account, chain.prefix) : address;
				return { address: own, name: label ?? own, source: name, signer: polkadotSigner };
			});
			this.accounts = [...this.accounts.filter(({ source }) => source !== name), ...found];
		} catch (error) {
			this.fault = error instanceof Error ? error.message : String(error);
		}
	}

	/** The well-known keys of development chains. Everybody has them: they are refused on any other chain. */
	async development(): Promise<void> {
		if (!chain.isDevelopment) return;
		const { developmentAccounts } = await import("./development");
		const found = developmentAccounts(chain.prefix);
		this.accounts = [...this.accounts.filter(({ source }) => source !== "development"), ...found];
	}

	choose(address: string): void {
		prefs.keep({ account: address });
	}
}

export const wallet = new Wallet();

/** Signs and sends; `report` gets each step. Never rejects. */
export async function send(transaction: Api, signer: PolkadotSigner, report: (progress: Progress) => void): Promise<void> {
	report({ ...idle, step: "signing" });
	await new Promise<void>((resolve) => {
		let last: Progress = { ...idle, step: "signing" };
		const say = (change: Partial<Progress>): void => {
			last = { ...last, ...change };
			report(last);
		};
		const outcome = async (event: any): Promise<void> => {
			const step = event.type === "finalized" ? "final" : "best";
			const block = { number: event.block.number, hash: event.block.hash };
			if (event.ok) say({ step, block, reason: "" });
			else say({ step: "failed", block, reason: await errorName(event.dispatchError) });
		};
		transaction.signSubmitAndWatch(signer).subscribe({
			next: (event: any) => {
				if (event.type === "signed" || event.type === "broadcasted") say({ step: event.type === "signed" ? "signing" : "sent", hash: event.txHash });
				if (event.type === "txBestBlocksState" && event.found) void outcome(event);
				if (event.type === "finalized") void outcome(event).then(resolve);
			},
			error: (error: any) => {
				const inner = error?.error;
				const reason = inner ? `${inner.type}${inner.value?.type ? `: ${inner.value.type}` : ""}` : (error?.message ?? String(error));
				say({ step: "failed", reason });
				resolve();
			},
		});
	});
}
