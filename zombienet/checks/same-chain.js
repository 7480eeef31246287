// How many nodes of the network have the same block where this node has its finalized head.

const ATTEMPTS = 20;
const PAUSE_MS = 1000;

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** Whether a node has `hash` as its finalized block at height `number`; waits until it got there. */
async function agrees(node, number, hash) {
	const api = await zombie.connect(node.wsUri, node.userDefinedTypes);
	try {
		for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
			const head = await api.rpc.chain.getHeader(await api.rpc.chain.getFinalizedHead());
			if (head.number.toNumber() >= number) {
				return (await api.rpc.chain.getBlockHash(number)).toHex() === hash;
			}
			await pause();
		}
		return false;
	} finally {
		await api.disconnect();
	}
}

async function run(nodeName, networkInfo) {
	const { wsUri, userDefinedTypes } = networkInfo.nodesByName[nodeName];
	const api = await zombie.connect(wsUri, userDefinedTypes);
	const hash = (await api.rpc.chain.getFinalizedHead()).toHex();
	const number = (await api.rpc.chain.getHeader(hash)).number.toNumber();
	await api.disconnect();
	let count = 0;
	for (const node of Object.values(networkInfo.nodesByName)) {
		if (await agrees(node, number, hash)) {
			count += 1;
		}
	}
	return count;
}

module.exports = { run };
