//! Rust source, read just far enough to see who names whom.

use std::{
	collections::{BTreeMap, BTreeSet},
	fs,
	path::{Path, PathBuf},
};

/// The files of a folder and below that end in `.rs`, sorted.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
	let mut found = Vec::new();
	let Ok(entries) = fs::read_dir(folder) else { return found };
	for entry in entries.flatten() {
		let path = entry.path();
		if path.is_dir() {
			found.extend(rust_files(&path));
		} else if path.extension().is_some_and(|extension| extension == "rs") {
			found.push(path);
		}
	}
	found.sort();
	found
}

/// Is the file itself a test or what only tests use?
pub fn is_test(path: &Path) -> bool {
	path.components().any(|part| {
		let part = part.as_os_str().to_string_lossy();
		["tests", "tests.rs", "mock.rs", "fixtures.rs", "benches"].contains(&part.as_ref())
	})
}

/// A source without comments and without modules under `#[cfg(test)]`. String literals keep their
/// quotes; their content goes into the second value.
pub fn code_and_strings(source: &str) -> (String, Vec<String>) {
	let (code, strings) = without_comments(source);
	(without_test_modules(&code), strings)
}

fn without_comments(source: &str) -> (String, Vec<String>) {
	let (mut code, mut strings) = (String::with_capacity(source.len()), Vec::new());
	let bytes: Vec<char> = source.chars().collect();
	let at = |place: usize| bytes.get(place).copied().unwrap_or('\0');
	let mut place = 0;
	while place < bytes.len() {
		match (at(place), at(place + 1)) {
			('/', '/') => {
				while place < bytes.len() && at(place) != '\n' {
					place += 1;
				}
			},
			('/', '*') => {
				place += 2;
				while place < bytes.len() && (at(place), at(place + 1)) != ('*', '/') {
					place += 1;
				}
				place += 2;
			},
			('r', '"') | ('r', '#') if raw_string(&bytes, place).is_some() => {
				let (text, end) = raw_string(&bytes, place).unwrap_or_default();
				strings.push(text);
				code.push_str("\"\"");
				place = end;
			},
			('"', _) => {
				let mut text = String::new();
				place += 1;
				while place < bytes.len() && at(place) != '"' {
					if at(place) == '\\' {
						text.push(at(place));
						place += 1;
					}
					text.push(at(place));
					place += 1;
				}
				place += 1;
				strings.push(text);
				code.push_str("\"\"");
			},
			// A character, not a lifetime.
			('\'', _) if at(place + 2) == '\'' && at(place + 1) != '\\' => {
				code.push_str("' '");
				place += 3;
			},
			('\'', '\\') => {
				place += 2;
				while place < bytes.len() && at(place) != '\'' {
					place += 1;
				}
				place += 1;
			},
			(other, _) => {
				code.push(other);
				place += 1;
			},
		}
	}
	(code, strings)
}

fn raw_string(bytes: &[char], place: usize) -> Option<(String, usize)> {
	let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
	if place > 0 && bytes.get(place - 1).is_some_and(|c| is_word(c) && *c != 'b') {
		return None;
	}
	let hashes = bytes.get(place + 1..)?.iter().take_while(|c| **c == '#').count();
	let start = place + 1 + hashes;
	if bytes.get(start) != Some(&'"') {
		return None;
	}
	let mut end = start + 1;
	while end < bytes.len() {
		let tail = bytes.get(end + 1..end + 1 + hashes).unwrap_or_default();
		if bytes.get(end) == Some(&'"') && tail.iter().all(|c| *c == '#') && tail.len() == hashes {
			return Some((bytes.get(start + 1..end)?.iter().collect(), end + 1 + hashes));
		}
		end += 1;
	}
	None
}

fn without_test_modules(code: &str) -> String {
	let mut rest = code;
	let mut kept = String::with_capacity(code.len());
	while let Some(found) = rest.find("#[cfg(test)]") {
		kept.push_str(&rest[..found]);
		let after = &rest[found + "#[cfg(test)]".len()..];
		let open = after.find('{').unwrap_or(after.len());
		let end = after.find(';').unwrap_or(after.len());
		if end < open {
			rest = after.get(end + 1..).unwrap_or_default();
			continue;
		}
		let mut depth = 0usize;
		let close = after.char_indices().find_map(|(place, c)| {
			match c {
				'{' => depth += 1,
				'}' => depth -= 1,
				_ => return None,
			}
			(depth == 0).then_some(place + 1)
		});
		rest = after.get(close.unwrap_or(after.len())..).unwrap_or_default();
	}
	kept.push_str(rest);
	kept
}

/// A path such as `crate::storage::Sqlite`, with the name that it gets here.
struct Import {
	path: Vec<String>,
	name: String,
	is_public: bool,
}

/// The modules of a crate, and which file each stands in.
pub struct Modules {
	files: BTreeMap<Vec<String>, PathBuf>,
	code: BTreeMap<PathBuf, String>,
}

impl Modules {
	/// Reads the crate whose root file lies in `src`.
	pub fn read(src: &Path) -> Self {
		let (mut files, mut code) = (BTreeMap::new(), BTreeMap::new());
		for path in rust_files(src).into_iter().filter(|path| !is_test(path)) {
			let relative = path.strip_prefix(src).unwrap_or(&path).with_extension("");
			let mut module: Vec<String> =
				relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
			if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
				module.pop();
			}
			let text = fs::read_to_string(&path).unwrap_or_default();
			code.insert(path.clone(), code_and_strings(&text).0);
			files.insert(module, path);
		}
		Self { files, code }
	}

	/// For each file, the other files of the crate that it takes something from. A folder's own
	/// file and the files below it are one room: they may know each other.
	pub fn arrows(&self) -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
		let mut arrows = BTreeMap::new();
		for (module, file) in &self.files {
			let targets: BTreeSet<PathBuf> = self
				.paths(module)
				.into_iter()
				.filter_map(|import| self.home(&import.path, 8))
				.filter(|home| !home.starts_with(module) && !module.starts_with(home))
				.filter_map(|home| self.files.get(&home).cloned())
				.collect();
			arrows.insert(file.clone(), targets);
		}
		arrows
	}

	/// The module in which the thing at a path is defined, through re-exports.
	fn home(&self, path: &[String], hops: u8) -> Option<Vec<String>> {
		let depth = (0..=path.len()).rev().find(|n| self.files.contains_key(&path[..*n]))?;
		let module = &path[..depth];
		let Some(name) = path.get(depth) else { return Some(module.to_vec()) };
		let handed_on = self
			.paths(module)
			.into_iter()
			.find(|import| import.is_public && import.name == *name && import.path != path);
		match handed_on {
			Some(import) if hops > 0 => self.home(&import.path, hops - 1),
			_ => Some(module.to_vec()),
		}
	}

	/// Every path into the crate that a module's code names.
	fn paths(&self, module: &[String]) -> Vec<Import> {
		let Some(code) = self.files.get(module).and_then(|file| self.code.get(file)) else {
			return Vec::new();
		};
		let mut found = Vec::new();
		for (place, _) in code.match_indices("use ") {
			let before = code[..place].trim_end();
			if !(before.is_empty()
				|| before.ends_with([';', '}', '{', ']', ')'])
				|| before.ends_with("pub"))
			{
				continue;
			}
			let is_public = before.ends_with("pub") || before.ends_with(')');
			let tree = code[place + 4..].split(';').next().unwrap_or_default();
			for (path, name) in branches(tree) {
				if let Some(path) = self.absolute(module, &path) {
					found.push(Import { path, name, is_public });
				}
			}
		}
		for root in ["crate::", "super::"] {
			for (place, _) in code.match_indices(root) {
				let path: String = code[place..]
					.chars()
					.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
					.collect();
				// What ends in `::` is the head of a `use` tree, which was read above.
				if path.ends_with("::") {
					continue;
				}
				let parts: Vec<String> =
					path.split("::").filter(|part| !part.is_empty()).map(str::to_string).collect();
				if let Some(path) = self.absolute(module, &parts) {
					found.push(Import { path, name: String::new(), is_public: false });
				}
			}
		}
		found
	}

	/// A path from the crate's root; `None` for a path into another crate.
	fn absolute(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
		let (first, rest) = path.split_first()?;
		let mut whole = match first.as_str() {
			"crate" => Vec::new(),
			"self" => module.to_vec(),
			"super" => module.split_last()?.1.to_vec(),
			name => {
				let mut child = module.to_vec();
				child.push(name.to_string());
				if !self.files.contains_key(&child) {
					return None;
				}
				child
			},
		};
		for part in rest {
			if part == "super" {
				whole.pop();
			} else {
				whole.push(part.clone());
			}
		}
		Some(whole)
	}
}

/// The paths of a `use` tree, each with the name that it gets.
fn branches(tree: &str) -> Vec<(Vec<String>, String)> {
	let tree = tree.trim();
	if let Some(open) = tree.find('{') {
		let head: Vec<String> = segments(&tree[..open]);
		let inner = tree[open + 1..].trim_end().trim_end_matches('}');
		let mut all = Vec::new();
		for part in at_commas(inner) {
			for (path, name) in branches(part) {
				let path = if path.first().is_some_and(|first| first == "self") {
					path.get(1..).unwrap_or_default().to_vec()
				} else {
					path
				};
				all.push(([head.clone(), path].concat(), name));
			}
		}
		return all;
	}
	let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
	let path = segments(path);
	let name = if alias.is_empty() { path.last().cloned() } else { Some(alias.trim().to_string()) };
	if path.is_empty() { Vec::new() } else { vec![(path, name.unwrap_or_default())] }
}

fn segments(path: &str) -> Vec<String> {
	path.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_string).collect()
}

fn at_commas(list: &str) -> Vec<&str> {
	let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0);
	for (place, c) in list.char_indices() {
		match c {
			'{' => depth += 1,
			'}' => depth = depth.saturating_sub(1),
			',' if depth == 0 => {
				parts.push(&list[start..place]);
				start = place + 1;
			},
			_ => (),
		}
	}
	parts.push(&list[start..]);
	parts
}

/// The groups of files that can all be reached from each other, each of two or more.
pub fn circles(arrows: &BTreeMap<PathBuf, BTreeSet<PathBuf>>) -> Vec<Vec<PathBuf>> {
	let reach: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> = arrows
		.keys()
		.map(|from| {
			let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
			while let Some(file) = open.pop() {
				for next in arrows.get(file).into_iter().flatten() {
					if seen.insert(next) {
						open.push(next);
					}
				}
			}
			(from, seen)
		})
		.collect();
	let together = |a: &PathBuf, b: &PathBuf| {
		reach.get(a).is_some_and(|seen| seen.contains(b))
			&& reach.get(b).is_some_and(|seen| seen.contains(a))
	};
	let mut found: Vec<Vec<PathBuf>> = Vec::new();
	for file in arrows.keys().filter(|file| together(file, file)) {
		match found.iter_mut().find(|group| group.first().is_some_and(|one| together(one, file))) {
			Some(group) => group.push(file.clone()),
			None => found.push(vec![file.clone()]),
		}
	}
	found
}
