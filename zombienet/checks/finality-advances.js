// How many blocks become final on a node while this check watches: ends when `wanted` have.

async function run(nodeName, networkInfo, args) {
	const wanted = Number(args[0]);
	const { wsUri, userDefinedTypes } = networkInfo.nodesByName[nodeName];
	const api = await zombie.connect(wsUri, userDefinedTypes);
	try {
		return await new Promise((resolve, reject) => {
			let first;
			api.rpc.chain
				.subscribeFinalizedHeads((head) => {
					const number = head.number.toNumber();
					first ??= number;
					if (number - first >= wanted) {
						resolve(number - first);
					}
				})
				.catch(reject);
		});
	} finally {
		await api.disconnect();
	}
}

module.exports = { run };
