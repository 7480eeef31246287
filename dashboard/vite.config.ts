import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// The page may be served from any folder, and by anything that serves files: addresses are relative, and
// the same sources give the same bytes.
export default defineConfig({
	base: "./",
	plugins: [svelte()],
	build: {
		target: "es2022",
		modulePreload: { polyfill: false },
		assetsInlineLimit: 0,
		sourcemap: false,
		chunkSizeWarningLimit: 8000,
	},
	test: { include: ["test/unit/**/*.test.ts"] },
	server: { fs: { allow: [".."] } },
});
