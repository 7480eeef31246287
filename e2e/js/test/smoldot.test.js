// The light client: it gets the light spec and the address of one node, and trusts neither.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "smoldot";
import { WebSocket } from "ws";
import { bootnode, lightSpec, rpcUrl, within } from "./environment.js";

/** Finalized blocks that are followed, as they come; `scripts/soak readers` asks for 100. */
const FOLLOWED = Number(process.env.GRIDPROOF_FOLLOWED ?? 5);

let client;
let chain;
let request;
let nextNotification;

before(async () => {
	const spec = { ...(await lightSpec()), bootNodes: [bootnode()] };
	client = start({ maxLogLevel: 3, logCallback: (_level, target, text) => console.log(target, text) });
	chain = await client.addChain({ chainSpec: JSON.stringify(spec) });
	({ request, nextNotification } = connection(chain));
});

// Not awaited: now and then smoldot 3.4.1 doesn't report its end, so the runner ends the process.
after(() => {
	client?.terminate();
});

/** Requests and notifications over the light client's only stream of answers. */
function connection(chain) {
	const waiting = new Map();
	const notifications = [];
	let wake = () => {};
	let id = 0;
	(async () => {
		for await (const text of chain.jsonRpcResponses) {
			const message = JSON.parse(text);
			if (message.method) {
				notifications.push(message.params.result);
				wake();
			} else {
				const { resolve, reject } = waiting.get(message.id);
				message.error ? reject(new Error(JSON.stringify(message.error))) : resolve(message.result);
			}
		}
	})();
	return {
		request: (method, ...params) =>
			new Promise((resolve, reject) => {
				waiting.set(++id, { resolve, reject });
				chain.sendJsonRpc(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
			}),
		nextNotification: async () => {
			while (notifications.length === 0) {
				await new Promise((resolve) => {
					wake = resolve;
				});
			}
			return notifications.shift();
		},
	};
}

/** One call to the full node. */
function askNode(method, ...params) {
	return new Promise((resolve, reject) => {
		const socket = new WebSocket(rpcUrl());
		socket.on("error", reject);
		socket.on("open", () => socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })));
		socket.on("message", (data) => {
			resolve(JSON.parse(data).result);
			socket.close();
		});
	});
}

test("the light spec has the node's genesis", async () => {
	const [own, node] = await Promise.all([
		within(30, "the light client's genesis", request("chainSpec_v1_genesisHash")),
		askNode("chain_getBlockHash", 0),
	]);
	assert.equal(own, node);
});

test("it finds the node and follows finality, block by block", async () => {
	await request("chain_subscribeFinalizedHeads");
	let before;
	for (let count = 0; count < FOLLOWED; count += 1) {
		const head = await within(60, "a finalized block", nextNotification());
		const number = Number(head.number);
		if (before !== undefined) {
			assert.ok(number > before, `${number} after ${before}`);
		}
		before = number;
	}
	assert.ok(before >= FOLLOWED - 1, `at block ${before}`);
	const [own, node] = await Promise.all([
		request("chain_getFinalizedHead"),
		within(30, "the node's answer", askNode("chain_getFinalizedHead")),
	]);
	const header = await request("chain_getHeader", own);
	assert.equal(await askNode("chain_getBlockHash", Number(header.number)), own);
	assert.match(node, /^0x[0-9a-f]{64}$/);
});

test("it reads proven state: the runtime's version is the node's", async () => {
	const [own, node] = await Promise.all([
		within(60, "the light client's answer", request("state_getRuntimeVersion")),
		askNode("state_getRuntimeVersion"),
	]);
	assert.equal(own.specName, node.specName);
	assert.equal(own.specVersion, node.specVersion);
});
