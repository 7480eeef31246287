//! Runs pages of `docs/` as a reader would: what is in their code blocks is typed into a shell, in
//! order, and what they show of the output is compared with what was printed.
//!
//! | block | is |
//! |---|---|
//! | `sh` | typed into one bash that lasts for the whole page; it has to succeed |
//! | `text` right after it | what that printed. `…` stands for anything within a line, a line of `…` alone for any number of lines |
//! | `python`, `js` | saved as the file that its first line names: `# meter.py` or `// send.mjs` |
//! | any other | shown to the reader only |
//!
//! The ports that `scripts/devnet` uses by default are replaced, wherever they stand as a number of
//! their own, by those of the test's development chain; for `gridproof`, whose defaults they are,
//! they are in the environment. Nothing else is changed.
//! `docs/tutorials/README.md` says the same to readers.

use crate::{
	binary::{COMMAND_VARIABLE, NODE_VARIABLE, command_binary, node_binary, repository},
	node::dies_with_parent,
	ports::free_ports,
};
use anyhow::{Context, Result, bail, ensure};
use nix::{
	sys::signal::{Signal, killpg},
	unistd::Pid,
};
use std::{
	ffi::OsString,
	fs,
	io::{BufRead, BufReader, Write},
	os::unix::process::CommandExt,
	path::{Path, PathBuf},
	process::{Child, ChildStdin, Command, Stdio},
	sync::mpsc::{Receiver, RecvTimeoutError, channel},
	thread,
	time::Duration,
};
use tempfile::TempDir;

/// Stands for anything within a line, or, alone on a line, for any number of lines.
const WILDCARD: char = '…';
/// The longest that one block may take: the first one starts the development chain.
const BLOCK_LIMIT: Duration = Duration::from_secs(240);
/// Lines of each log of the development chain that a failure is shown with.
const LOG_LINES: usize = 8;
/// Waits for the end of its input, which comes even if the test is killed; then ends shells that
/// are left, whose command could start the chain again, and the chain, and removes all files.
const GUARD: &str = r#"cat
for shell in "$TMPDIR"/shell-*; do [ -e "$shell" ] && kill -9 -- "-${shell##*-}"; done
./scripts/devnet reset
rm -rf -- "$TMPDIR""#;
/// The ports of `scripts/devnet`: the variable that changes it, and its default.
const PORTS: [(&str, u16); 16] = [
	("GRIDPROOF_RPC_PORT", 9944),
	("GRIDPROOF_GATEWAY_PORT", 8080),
	("GRIDPROOF_MQTT_PORT", 1883),
	("GRIDPROOF_COORDINATOR_PORT", 8090),
	("GRIDPROOF_FRONT_PORT", 8091),
	("GRIDPROOF_P2P_PORT", 30333),
	("GRIDPROOF_METRICS_PORT", 9615),
	("GRIDPROOF_ATTEST_METRICS_PORT", 9616),
	("GRIDPROOF_ISSUER_METRICS_PORT", 9617),
	("GRIDPROOF_METERS_METRICS_PORT", 9618),
	("GRIDPROOF_MINER_1_METRICS_PORT", 9619),
	("GRIDPROOF_MINER_2_METRICS_PORT", 9620),
	("GRIDPROOF_VERIFIER_ALICE_METRICS_PORT", 9621),
	("GRIDPROOF_DASHBOARD_PORT", 8070),
	("GRIDPROOF_LIGHT_PORT", 30334),
	("GRIDPROOF_INDEX_PORT", 8060),
];

/// What a reader does at one place of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
	/// Types this into the shell.
	Type {
		/// Line of the page, from 1.
		line: usize,
		/// What is typed.
		script: String,
		/// What it prints, if the page shows that.
		printed: Option<String>,
	},
	/// Saves this in the working folder.
	Save {
		/// Line of the page, from 1.
		line: usize,
		/// Name of the file.
		name: String,
		/// Content, first line included.
		text: String,
	},
}

/// The steps of a page, in order.
///
/// # Errors
/// A block that would be passed over although it looks as if it were run; with its line.
pub fn steps(page: &str) -> Result<Vec<Step>> {
	let mut steps: Vec<Step> = Vec::new();
	let mut lines = (1..).zip(page.lines());
	// Has nothing but blank lines come since the last block that was typed?
	let mut is_next = false;
	while let Some((line, text)) = lines.next() {
		let Some(info) = text.strip_prefix("```") else {
			is_next &= text.trim().is_empty();
			continue;
		};
		let body: Vec<&str> =
			lines.by_ref().map(|(_, text)| text).take_while(|text| *text != "```").collect();
		let body = body.join("\n") + "\n";
		match info {
			"sh" => steps.push(Step::Type { line, script: body, printed: None }),
			"text" => match steps.last_mut() {
				Some(Step::Type { printed: printed @ None, .. }) if is_next => {
					*printed = Some(body)
				},
				_ => bail!("line {line}: text that follows no command"),
			},
			"python" => steps.push(file(line, "# ", body)?),
			"js" => steps.push(file(line, "// ", body)?),
			"bash" | "shell" | "console" | "javascript" | "py" => {
				bail!("line {line}: blocks of {info} are not run; write sh, python or js");
			},
			_ => (),
		}
		is_next = info == "sh";
	}
	Ok(steps)
}

/// A file whose name is in its first line, behind the mark of a comment and before any colon.
fn file(line: usize, comment: &str, text: String) -> Result<Step> {
	let first = text.lines().next().and_then(|first| first.strip_prefix(comment));
	let name = first.and_then(|first| first.split(':').next()).unwrap_or_default().trim();
	let is_name = name.contains('.') && !name.contains(['/', ' ']);
	ensure!(is_name, "line {line}: the block's first line has to name its file: {comment}NAME");
	Ok(Step::Save { line, name: name.to_owned(), text })
}

/// Compares what a page shows with what was printed. Blanks at the end of a line do not count.
///
/// # Errors
/// Both, if they differ.
pub fn compare(shown: &str, printed: &str) -> Result<()> {
	let lines =
		|text: &str| text.trim_end().lines().map(str::trim_end).map(str::to_owned).collect();
	let (wanted, had): (Vec<String>, Vec<String>) = (lines(shown), lines(printed));
	ensure!(
		lines_match(&wanted, &had),
		"the page shows\n{}\nprinted was\n{}",
		wanted.join("\n"),
		had.join("\n")
	);
	Ok(())
}

fn lines_match(wanted: &[String], had: &[String]) -> bool {
	let Some((first, rest)) = wanted.split_first() else { return had.is_empty() };
	if first.trim().chars().eq([WILDCARD]) {
		return (0..=had.len()).any(|skipped| lines_match(rest, &had[skipped..]));
	}
	had.split_first()
		.is_some_and(|(line, others)| line_matches(first, line) && lines_match(rest, others))
}

fn line_matches(wanted: &str, line: &str) -> bool {
	let Some((head, tail)) = wanted.split_once(WILDCARD) else { return wanted == line };
	let Some(rest) = line.strip_prefix(head) else { return false };
	let places = rest.char_indices().map(|(place, _)| place).chain([rest.len()]);
	places.into_iter().any(|place| line_matches(tail, &rest[place..]))
}

/// A development chain of its own, as `scripts/devnet` runs it; the pages start it. It is ended and
/// forgotten however the test ends.
pub struct Devnet {
	folder: TempDir,
	ports: [u16; PORTS.len()],
	guard: Child,
}

impl Devnet {
	/// Chooses ports and a folder; starts nothing but the guard that cleans up.
	///
	/// # Errors
	/// When there are no free ports, or no shell.
	pub fn new() -> Result<Self> {
		let folder = tempfile::Builder::new().prefix("gridproof-e2e-pages-").tempdir()?;
		let ports = free_ports()?;
		// In a process group of its own it is not killed along with the test.
		let guard = Command::new("sh")
			.args(["-c", GUARD])
			.current_dir(repository())
			.envs(environment(folder.path(), &ports)?)
			.process_group(0)
			.stdin(Stdio::piped())
			.stdout(Stdio::null())
			.stderr(Stdio::null())
			.spawn()
			.context("cannot run sh")?;
		Ok(Self { folder, ports, guard })
	}

	/// Follows pages one after the other in one shell, which begins in the clone. Paths are from the
	/// clone's root.
	///
	/// # Errors
	/// At the first step that does not do what its page says, with its page and line.
	pub fn follow(&self, pages: &[&str]) -> Result<()> {
		let mut shell = Shell::start(self)?;
		for page in pages {
			let text = fs::read_to_string(repository().join(page)).context(page.to_string())?;
			for step in steps(&text).context(page.to_string())? {
				shell.take(&step).with_context(|| format!("{page}, {}", self.logs()))?;
			}
		}
		Ok(())
	}

	/// A text with this chain's ports in place of the default ones.
	fn with_ports(&self, text: &str) -> String {
		let mut out = String::with_capacity(text.len());
		let mut rest = text;
		while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
			let (before, word) = rest.split_at(start);
			let end = word.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
			let (word, after) = word.split_at(end);
			out.push_str(before);
			let mut known = PORTS.iter().zip(self.ports);
			match known.find(|((_, default), _)| word == default.to_string()) {
				Some((_, port)) => out.push_str(&port.to_string()),
				None => out.push_str(word),
			}
			rest = after;
		}
		out + rest
	}

	/// The ends of its processes' logs.
	fn logs(&self) -> String {
		let mut files: Vec<PathBuf> = fs::read_dir(devnet(self.folder.path()))
			.into_iter()
			.flatten()
			.flatten()
			.map(|entry| entry.path())
			.filter(|path| path.extension().is_some_and(|extension| extension == "log"))
			.collect();
		files.sort();
		let tails = files.iter().map(|path| {
			let text = fs::read(path).unwrap_or_default();
			let text = String::from_utf8_lossy(&text);
			let lines: Vec<&str> = text.lines().collect();
			let tail = &lines[lines.len().saturating_sub(LOG_LINES)..];
			format!("--- end of {}\n{}", path.display(), tail.join("\n"))
		});
		format!(
			"with these logs of the development chain:\n{}",
			tails.collect::<Vec<_>>().join("\n")
		)
	}
}

impl Drop for Devnet {
	fn drop(&mut self) {
		// The guard's input ends; it stops the chain.
		drop(self.guard.stdin.take());
		let _ = self.guard.wait();
	}
}

/// The chain's own folder.
fn devnet(folder: &Path) -> PathBuf {
	folder.join("devnet")
}

/// What the shell's environment has besides the test's own.
fn environment(folder: &Path, ports: &[u16; PORTS.len()]) -> Result<Vec<(String, OsString)>> {
	let (command, node) = (command_binary()?, node_binary()?);
	// A page takes the command from below the target folder.
	let target = command.ancestors().nth(2).context("gridproof is not in <target>/release")?;
	let mut all = vec![
		("GRIDPROOF_DEVNET".to_owned(), devnet(folder).into_os_string()),
		("GRIDPROOF_SKIP_BUILD".to_owned(), "1".into()),
		("CARGO_TARGET_DIR".to_owned(), target.into()),
		("TMPDIR".to_owned(), folder.into()),
		(COMMAND_VARIABLE.to_owned(), command.clone().into_os_string()),
		(NODE_VARIABLE.to_owned(), node.into_os_string()),
	];
	let [rpc, gateway, _, coordinator, ..] = ports;
	let servers = [
		("GRIDPROOF_URL", format!("ws://127.0.0.1:{rpc}")),
		("GRIDPROOF_GATEWAY", format!("http://127.0.0.1:{gateway}")),
		("GRIDPROOF_COORDINATOR", format!("http://127.0.0.1:{coordinator}")),
	];
	all.extend(servers.map(|(name, address)| (name.to_owned(), address.into())));
	let ports = PORTS.iter().zip(ports);
	all.extend(ports.map(|((name, _), port)| (name.to_string(), port.to_string().into())));
	Ok(all)
}

/// A bash that is typed into.
struct Shell<'a> {
	devnet: &'a Devnet,
	child: Child,
	input: ChildStdin,
	answers: Receiver<String>,
	/// Blocks typed so far.
	typed: u32,
	/// Folder of what is typed and printed.
	folder: TempDir,
	/// File whose name gives the guard the number of this shell's process group.
	mark: PathBuf,
}

impl<'a> Shell<'a> {
	fn start(devnet: &'a Devnet) -> Result<Self> {
		let mut child = dies_with_parent(Path::new("bash"))
			.args(["--noprofile", "--norc"])
			.current_dir(repository())
			.envs(environment(devnet.folder.path(), &devnet.ports)?)
			.process_group(0)
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.stderr(Stdio::null())
			.spawn()
			.context("cannot run bash")?;
		let mark = devnet.folder.path().join(format!("shell-{}", child.id()));
		fs::write(&mark, "")?;
		let mut input = child.stdin.take().context("no input")?;
		let output = child.stdout.take().context("no output")?;
		let (send, answers) = channel();
		thread::spawn(move || {
			for line in BufReader::new(output).lines().map_while(Result::ok) {
				if send.send(line).is_err() {
					break;
				}
			}
		});
		// A reader stops where something fails.
		writeln!(input, "set -e")?;
		let folder = tempfile::tempdir_in(devnet.folder.path())?;
		Ok(Self { devnet, child, input, answers, typed: 0, folder, mark })
	}

	fn take(&mut self, step: &Step) -> Result<()> {
		match step {
			Step::Save { line, name, text } => {
				let file = self.working_folder()?.join(name);
				let text = self.devnet.with_ports(text);
				fs::write(&file, text).with_context(|| format!("line {line}: {}", file.display()))
			},
			Step::Type { line, script, printed } => {
				let had = self.run(script).with_context(|| format!("line {line}:\n{script}"))?;
				let Some(shown) = printed else { return Ok(()) };
				compare(&self.devnet.with_ports(shown), &had)
					.with_context(|| format!("line {line}:\n{script}"))
			},
		}
	}

	/// What a block prints on standard output and standard error.
	fn run(&mut self, script: &str) -> Result<String> {
		self.typed += 1;
		let path = |what: &str| self.folder.path().join(format!("{}.{what}", self.typed));
		let (typed, printed) = (path("sh"), path("txt"));
		fs::write(&typed, self.devnet.with_ports(script))?;
		// Without its own input, so that no program eats what is typed next.
		writeln!(
			self.input,
			". '{}' </dev/null >'{}' 2>&1; echo done",
			typed.display(),
			printed.display()
		)?;
		let answer = self.answers.recv_timeout(BLOCK_LIMIT);
		let text = String::from_utf8_lossy(&fs::read(&printed).unwrap_or_default()).into_owned();
		match answer {
			Ok(_) => Ok(text),
			Err(RecvTimeoutError::Disconnected) => bail!("it failed, and printed\n{text}"),
			Err(RecvTimeoutError::Timeout) => {
				bail!("not done after {} s; printed was\n{text}", BLOCK_LIMIT.as_secs())
			},
		}
	}

	/// Where the shell is now.
	fn working_folder(&self) -> Result<PathBuf> {
		Ok(fs::read_link(format!("/proc/{}/cwd", self.child.id()))?)
	}
}

impl Drop for Shell<'_> {
	fn drop(&mut self) {
		// And with it whatever the page left running in the background.
		if let Ok(group) = i32::try_from(self.child.id()) {
			let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
		}
		let _ = self.child.wait();
		let _ = fs::remove_file(&self.mark);
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn blocks_become_steps_in_order() {
		let page = "\
# A page
```sh
echo 1
echo 2
```

```text
1
2
```
Then
```python
# a.py: what it does
print(3)
```
```json
{}
```
```sh
python3 a.py
```
";
		let steps = steps(page).expect("a good page");
		let typed = |line, script: &str, printed: Option<&str>| Step::Type {
			line,
			script: script.into(),
			printed: printed.map(str::to_owned),
		};
		let text = "# a.py: what it does\nprint(3)\n".to_owned();
		assert_eq!(
			steps,
			[
				typed(2, "echo 1\necho 2\n", Some("1\n2\n")),
				Step::Save { line: 12, name: "a.py".into(), text },
				typed(19, "python3 a.py\n", None),
			]
		);
	}

	#[test]
	fn a_block_that_would_be_passed_over_is_an_error() {
		for page in [
			"```bash\nls\n```\n",
			"```text\nprinted by nothing\n```\n",
			"```sh\nls\n```\nSomething else:\n```text\nprinted by nothing\n```\n",
			"```python\nprint(1)\n```\n",
			"```js\n// a file: of some kind\n```\n",
		] {
			assert!(steps(page).is_err(), "{page}");
		}
	}

	#[test]
	fn an_ellipsis_stands_for_anything_within_a_line() {
		assert!(compare("block … is final\n", "block 12 is final").is_ok());
		assert!(compare("…a…b", "xxaxbxxb").is_ok());
		assert!(compare("price … AIT", "price … AIT").is_ok());
		assert!(compare("block … is final", "block 12 is lost").is_err());
		assert!(compare("block …", "block 12\nblock 13").is_err());
		assert!(compare("a\nb", "a").is_err());
		assert!(compare("a", "a\nb").is_err());
	}

	#[test]
	fn an_ellipsis_alone_stands_for_any_number_of_lines() {
		for printed in ["first\nlast", "first\n\n1\n2\nlast\n"] {
			assert!(compare("first\n…\nlast", printed).is_ok(), "{printed}");
			assert!(compare("first\n    …\nlast", printed).is_ok(), "{printed}");
		}
		assert!(compare("first\n…\nlast", "first\nlast\nmore").is_err());
	}
}
