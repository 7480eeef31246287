// What identifies a built page:  identify.mjs FOLDER
//
//   sha256  of a list of all files, one a line, sorted by path: "<sha256>  <path>\n", as sha256sum writes it
//   cid     of the folder on IPFS, as `ipfs add --cid-version=1 --recursive --quieter FOLDER` says
//
// Compressed copies (.br, .gz) are left out of both: they depend on the version of the compressor.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

// ---- protocol buffers

function varint(value) {
	const bytes = [];
	let rest = value;
	while (rest >= 128) {
		bytes.push((rest % 128) | 128);
		rest = Math.floor(rest / 128);
	}
	return Buffer.from([...bytes, rest]);
}
const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const bytes = (field, value) => Buffer.concat([varint((field << 3) | 2), varint(value.length), value]);

// ---- UnixFS, as Kubo makes it with CIDs of version 1: raw leaves of 256 KiB, at most 174 links a node

const CHUNK = 262_144;
const LINKS = 174;
const RAW = 0x55;
const DAG = 0x70;
const cidOf = (codec, block) => Buffer.concat([Buffer.from([1, codec, 0x12, 0x20]), sha256(block)]);

const FILE = 2;
const FOLDER = 1;
const link = ({ cid, name, size }) => bytes(2, Buffer.concat([bytes(1, cid), bytes(2, Buffer.from(name)), number(3, size)]));
const node = (links, data) => Buffer.concat([...links.map(link), bytes(1, data)]);

/** The node over a file's parts: `content` bytes of the file, `size` bytes of all blocks below. */
function join2(parts) {
	const content = parts.reduce((sum, part) => sum + part.content, 0);
	const data = Buffer.concat([number(1, FILE), number(3, content), ...parts.map((part) => number(4, part.content))]);
	const block = node(parts.map(({ cid, size }) => ({ cid, name: "", size })), data);
	return { cid: cidOf(DAG, block), content, size: block.length + parts.reduce((sum, part) => sum + part.size, 0) };
}

function file(content) {
	let parts = [];
	for (let at = 0; at === 0 || at < content.length; at += CHUNK) {
		const part = content.subarray(at, at + CHUNK);
		parts.push({ cid: cidOf(RAW, part), content: part.length, size: part.length });
	}
	while (parts.length > 1) {
		const above = [];
		for (let at = 0; at < parts.length; at += LINKS) above.push(join2(parts.slice(at, at + LINKS)));
		parts = above;
	}
	return parts[0];
}

const isCompressed = (name) => /\.(br|gz)$/.test(name);
const byBytes = (left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right));

function folder(path) {
	const links = readdirSync(path).filter((name) => !isCompressed(name)).sort(byBytes).map((name) => {
		const inner = join(path, name);
		const { cid, size } = statSync(inner).isDirectory() ? folder(inner) : file(readFileSync(inner));
		return { cid, name, size };
	});
	const block = node(links, number(1, FOLDER));
	return { cid: cidOf(DAG, block), size: block.length + links.reduce((sum, { size }) => sum + size, 0) };
}

function base32(value) {
	const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
	let [out, held, bits] = ["", 0, 0];
	for (const byte of value) {
		held = (held << 8) | byte;
		bits += 8;
		while (bits >= 5) {
			out += alphabet[(held >> (bits - 5)) & 31];
			bits -= 5;
		}
		held &= (1 << bits) - 1;
	}
	return bits > 0 ? out + alphabet[(held << (5 - bits)) & 31] : out;
}

function list(path, prefix = "") {
	return readdirSync(path).flatMap((name) => {
		const inner = join(path, name);
		return statSync(inner).isDirectory() ? list(inner, `${prefix}${name}/`) : [[`${prefix}${name}`, inner]];
	});
}

const [target] = process.argv.slice(2);
const files = list(target).filter(([name]) => !isCompressed(name)).sort(([left], [right]) => byBytes(left, right));
const lines = files.map(([name, path]) => `${sha256(readFileSync(path)).toString("hex")}  ${name}\n`).join("");
console.log(`sha256 ${sha256(lines).toString("hex")}`);
console.log(`cid    b${base32(folder(target).cid)}`);
