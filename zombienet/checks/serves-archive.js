// Whether a node has the methods for old blocks, which only one that keeps all states has: 1 or 0.

async function run(nodeName, networkInfo) {
	const { wsUri, userDefinedTypes } = networkInfo.nodesByName[nodeName];
	const api = await zombie.connect(wsUri, userDefinedTypes);
	try {
		const { methods } = await api.rpc.rpc.methods();
		return methods.some((method) => method.toString().startsWith("archive_v1_")) ? 1 : 0;
	} finally {
		await api.disconnect();
	}
}

module.exports = { run };
