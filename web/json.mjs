// Strict JSON (RFC 8259) that keeps number literals, and its canonical form: keys sorted by code
// point, no blanks, everything outside U+0020…U+007E as \uXXXX, numbers as they were read.
// JSON.parse would turn 5.0 into 5 and so change what is hashed.

const MAX_BYTES = 1 << 20;
const MAX_DEPTH = 32;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const SHORT = { '"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A number, as it was written. */
export class NumberLiteral {
	constructor(literal) {
		this.literal = literal;
	}
}

/** The text is not a JSON document that we accept. */
export class JsonError extends Error {
	constructor(fault, offset) {
		super(`${fault} at character ${offset}`);
		this.name = "JsonError";
	}
}

class Reader {
	constructor(text) {
		this.text = text;
		this.at = 0;
		this.depth = 0;
	}

	fail(fault) {
		throw new JsonError(fault, this.at);
	}

	skipBlanks() {
		while (" \t\n\r".includes(this.text[this.at] ?? "x")) this.at += 1;
	}

	take(character) {
		const found = this.text[this.at] === character;
		if (found) this.at += 1;
		return found;
	}

	expect(character) {
		if (!this.take(character)) {
			this.fail(this.at < this.text.length ? "unexpected character" : "unexpected end");
		}
	}

	value() {
		const first = this.text[this.at];
		if (first === "{") return this.nested(() => this.object());
		if (first === "[") return this.nested(() => this.array());
		if (first === '"') return this.string();
		if (first === "t") return this.word("true", true);
		if (first === "f") return this.word("false", false);
		if (first === "n") return this.word("null", null);
		return this.number();
	}

	word(word, value) {
		for (const character of word) this.expect(character);
		return value;
	}

	number() {
		NUMBER.lastIndex = this.at;
		const found = NUMBER.exec(this.text);
		if (!found) this.fail(this.at < this.text.length ? "unexpected character" : "unexpected end");
		this.at = NUMBER.lastIndex;
		// 01, 1., 1e: the grammar ends before what follows.
		if (/[0-9.eE+-]/.test(this.text[this.at] ?? "")) this.fail("malformed number");
		return new NumberLiteral(found[0]);
	}

	nested(read) {
		if (this.depth >= MAX_DEPTH) this.fail("nested too deeply");
		this.depth += 1;
		this.at += 1;
		this.skipBlanks();
		const value = read();
		this.depth -= 1;
		return value;
	}

	array() {
		const elements = [];
		if (this.take("]")) return elements;
		for (;;) {
			this.skipBlanks();
			elements.push(this.value());
			this.skipBlanks();
			if (this.take("]")) return elements;
			this.expect(",");
		}
	}

	object() {
		// A map, since an object would put keys that look like indices first and know __proto__.
		const members = new Map();
		if (this.take("}")) return members;
		for (;;) {
			this.skipBlanks();
			const key = this.string();
			this.skipBlanks();
			this.expect(":");
			this.skipBlanks();
			const value = this.value();
			if (members.has(key)) this.fail("key occurs twice");
			members.set(key, value);
			this.skipBlanks();
			if (this.take("}")) return members;
			this.expect(",");
		}
	}

	string() {
		this.expect('"');
		let out = "";
		for (;;) {
			const character = this.text[this.at];
			if (character === undefined) this.fail("unexpected end");
			if (character < " ") this.fail("control character in a string");
			this.at += 1;
			if (character === '"') break;
			out += character === "\\" ? this.escape() : character;
		}
		if (!isWellFormed(out)) this.fail("lone surrogate");
		return out;
	}

	escape() {
		const letter = this.text[this.at];
		this.at += 1;
		if (Object.hasOwn(ESCAPES, letter ?? "")) return ESCAPES[letter];
		const digits = this.text.slice(this.at, this.at + 4);
		if (letter !== "u" || !/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("malformed escape");
		this.at += 4;
		return String.fromCharCode(Number.parseInt(digits, 16));
	}
}

/** Has the text no half of a surrogate pair? */
function isWellFormed(text) {
	for (const character of text) {
		const code = character.codePointAt(0);
		if (code >= 0xd800 && code < 0xe000) return false;
	}
	return true;
}

/**
 * Reads one document: objects as Map, numbers as NumberLiteral.
 *
 * @param {string | Uint8Array} document text, or bytes in UTF-8
 */
export function parse(document) {
	const bytes = typeof document === "string" ? new TextEncoder().encode(document) : document;
	if (bytes.length > MAX_BYTES) throw new JsonError("document too large", MAX_BYTES);
	const text = typeof document === "string" ? document : decode(document);
	const reader = new Reader(text);
	reader.skipBlanks();
	const value = reader.value();
	reader.skipBlanks();
	if (reader.at < text.length) reader.fail("text after the document");
	return value;
}

function decode(bytes) {
	try {
		return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch {
		throw new JsonError("not UTF-8", 0);
	}
}

/** Are these code points in order? UTF-16 would put U+10000 before U+E000. */
function byCodePoint([left], [right]) {
	const [lefts, rights] = [Array.from(left), Array.from(right)];
	for (let at = 0; at < Math.min(lefts.length, rights.length); at += 1) {
		const difference = lefts[at].codePointAt(0) - rights[at].codePointAt(0);
		if (difference !== 0) return difference;
	}
	return lefts.length - rights.length;
}

function writeString(text) {
	let out = '"';
	for (let at = 0; at < text.length; at += 1) {
		const unit = text[at];
		if (Object.hasOwn(SHORT, unit)) out += SHORT[unit];
		else if (unit >= " " && unit <= "~") out += unit;
		else out += `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
	}
	return `${out}"`;
}

/** The canonical form of what `parse` returned. */
export function canonical(value) {
	if (value === null || typeof value === "boolean") return String(value);
	if (value instanceof NumberLiteral) return value.literal;
	if (typeof value === "string") return writeString(value);
	if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
	if (value instanceof Map) {
		const members = [...value].sort(byCodePoint);
		return `{${members.map(([key, member]) => `${writeString(key)}:${canonical(member)}`).join(",")}}`;
	}
	throw new TypeError("not a value that parse returns: numbers must keep their literals");
}
