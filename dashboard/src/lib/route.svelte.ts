// The page's address: everything behind the #, so that a link can be shared and any file server will do.
//   #/energy/meter/8?range=week

export interface Route {
	page: string;
	rest: string[];
	query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
	const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
	const [page = "", ...rest] = path.split("/").filter(Boolean).map(decodeURIComponent);
	return { page: page || "overview", rest, query: new URLSearchParams(query) };
}

export const href = (page: string, ...rest: (string | number | bigint)[]): string =>
	`#/${[page, ...rest].map((part) => encodeURIComponent(String(part))).join("/")}`;

class Router {
	current = $state.raw<Route>(parseRoute(globalThis.location?.hash ?? ""));

	start(): void {
		addEventListener("hashchange", () => {
			this.current = parseRoute(location.hash);
		});
	}

	go(to: string): void {
		location.hash = to;
	}
}

export const router = new Router();
