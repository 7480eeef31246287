// Serves the built page for its tests as `gridproof dashboard` does: the same headers, config.json and light.json.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".woff2": "font/woff2", ".json": "application/json",
};

/** What the browser may do on this page: run its own scripts, and ask nodes and services. Kept like the Rust server's. */
export const POLICY =
	"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self' ws: wss: http: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * @param {string} folder the built page
 * @param {object} config what config.json says
 * @param {string | null} light text of the light client's spec
 * @returns {Promise<{ url: string, sent: () => number, close: () => void }>}
 */
export async function serve(folder, config, light = null) {
	const server = createServer(async (request, answer) => {
		const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname)).replace(/^(\.\.[/\\])+/, "");
		const headers = {
			"content-security-policy": POLICY, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
			"cache-control": "no-cache",
		};
		const send = (type, body) => answer.writeHead(200, { ...headers, "content-type": type }).end(body);
		try {
			if (path === "/config.json") return send("application/json", JSON.stringify({ ...config, light: light !== null }));
			if (path === "/light.json" && light !== null) return send("application/json", light);
			const file = path === "/" ? "/index.html" : path;
			send(TYPES[extname(file)] ?? "application/octet-stream", await readFile(join(folder, file)));
		} catch {
			answer.writeHead(404, headers).end();
		}
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

/** Passes requests on to a service with the header that lets the page read the answer. For services that have no `--origin`. */
export async function relay(target) {
	const server = createServer(async (request, answer) => {
		const open = { "access-control-allow-origin": "*", "access-control-allow-headers": "*", "access-control-expose-headers": "*" };
		if (request.method === "OPTIONS") return answer.writeHead(204, open).end();
		const parts = [];
		for await (const part of request) parts.push(part);
		try {
			const got = await fetch(target + request.url, {
				method: request.method, headers: { "content-type": request.headers["content-type"] ?? "application/json" },
				...(parts.length > 0 ? { body: Buffer.concat(parts) } : {}),
			});
			const headers = Object.fromEntries([...got.headers].filter(([name]) => !/^(content-length|connection|transfer-encoding|access-control)/.test(name)));
			answer.writeHead(got.status, { ...headers, ...open }).end(Buffer.from(await got.arrayBuffer()));
		} catch {
			answer.writeHead(502, open).end();
		}
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
