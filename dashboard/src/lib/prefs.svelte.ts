// What the reader chose, kept in this browser only.

import { addressOf } from "./address";

export type Theme = "system" | "light" | "dark";

interface Kept {
	theme: Theme;
	utc: boolean;
	raw: boolean;
	light: boolean;
	node: string;
	gateway: string;
	coordinator: string;
	front: string;
	index: string;
	account: string;
}

const KEY = "gridproof.dashboard";
const EMPTY: Kept = {
	theme: "system", utc: false, raw: false, light: false, node: "", gateway: "", coordinator: "", front: "", index: "", account: "",
};

function kept(): Kept {
	try {
		const found = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Kept>;
		const same = Object.entries(EMPTY).map(([name, none]) => {
			const value = found[name as keyof Kept];
			return [name, typeof value === typeof none ? value : none];
		});
		return Object.fromEntries(same) as Kept;
	} catch {
		return { ...EMPTY };
	}
}

/** Addresses that the page's server offers: `config.json` beside it. */
export interface Offered {
	node?: string;
	gateway?: string;
	coordinator?: string;
	front?: string;
	index?: string;
	/** Is there a spec for light clients at `light.json`? */
	light?: boolean;
}

class Preferences {
	own = $state<Kept>(kept());
	offered = $state.raw<Offered>({});

	async load(): Promise<void> {
		try {
			const answer = await fetch("./config.json", { cache: "no-cache" });
			if (answer.ok) this.offered = (await answer.json()) as Offered;
		} catch {
			// Any file server will do: then the addresses are the usual ones, or the reader's.
		}
	}

	keep(change: Partial<Kept>): void {
		Object.assign(this.own, change);
		try {
			localStorage.setItem(KEY, JSON.stringify(this.own));
		} catch {
			// A browser that keeps nothing.
		}
	}

	get node(): string {
		return this.own.node || this.offered.node || "ws://127.0.0.1:9944";
	}

	/** Where a service is, without the slash at its end; empty if nobody said. */
	service(name: "gateway" | "coordinator" | "front" | "index"): string {
		return addressOf(this.own[name] || this.offered[name] || "", globalThis.location?.href ?? "");
	}

	applyTheme(): void {
		document.documentElement.dataset.theme = this.own.theme;
	}

	get isDark(): boolean {
		const { theme } = this.own;
		return theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
	}
}

export const prefs = new Preferences();
