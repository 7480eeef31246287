// Compresses the built page, so that no server has to:  compress.mjs FOLDER

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [folder] = process.argv.slice(2);
const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 } };
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
	if (!entry.isFile() || !/\.(html|js|css|svg|json)$/.test(entry.name)) continue;
	const path = join(entry.parentPath ?? entry.path, entry.name);
	const content = readFileSync(path);
	// The light client's code is compressed within already.
	const isSmall = content.length < 2_000_000;
	writeFileSync(`${path}.br`, brotliCompressSync(content, isSmall ? quality : { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }));
	writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
}
