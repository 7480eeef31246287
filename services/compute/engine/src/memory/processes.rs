//! Memory of processes, as Linux states it.

use std::{
	collections::{BTreeMap, BTreeSet},
	fs,
	path::{Path, PathBuf},
};

/// Programs that pass connections on: their memory is not that of the server behind them.
const PROXIES: [&str; 8] = [
	"docker-proxy",
	"rootlessport",
	"slirp4netns",
	"nginx",
	"haproxy",
	"envoy",
	"caddy",
	"traefik",
];
/// State of a socket that listens.
const LISTENS: &str = "0A";

/// Returns the memory of this process that is in use now, in bytes; `None` where the system does not
/// tell.
pub fn resident_bytes() -> Option<u64> {
	kilobytes(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// The figure of a line such as `VmRSS:  1234 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
	let line = text.lines().find_map(|line| line.strip_prefix(name))?;
	let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
	kilobytes.checked_mul(1_024)
}

/// The processes of a machine.
#[derive(Clone, Debug)]
pub(super) struct Processes {
	root: PathBuf,
}

impl Processes {
	/// Returns those that run here.
	pub(super) fn of_this_machine() -> Self {
		Self { root: PathBuf::from("/proc") }
	}

	/// Returns the numbers of the processes that listen at a port, and of all that they started. None
	/// of a program that only passes connections on, or one of another user.
	pub(super) fn of_server(&self, port: u16) -> BTreeSet<u32> {
		let sockets = self.sockets(port);
		let numbers = self.numbers();
		let listens = |number: &&u32| self.holds(**number, &sockets) && !self.is_proxy(**number);
		let mut found: BTreeSet<u32> = numbers.iter().filter(listens).copied().collect();
		if found.is_empty() {
			return found;
		}
		let parents: BTreeMap<u32, u32> =
			numbers.iter().filter_map(|number| Some((*number, self.parent(*number)?))).collect();
		loop {
			let children: Vec<u32> = parents
				.iter()
				.filter(|(child, parent)| found.contains(parent) && !found.contains(child))
				.map(|(child, _)| *child)
				.collect();
			if children.is_empty() {
				return found;
			}
			found.extend(children);
		}
	}

	/// Returns the memory of these processes in bytes; what several share counts once, where the
	/// system says so. `None` of no processes.
	pub(super) fn bytes(&self, numbers: &BTreeSet<u32>) -> Option<u64> {
		let one = |number: &u32| {
			let read = |file: &str| fs::read_to_string(self.of(*number).join(file)).ok();
			read("smaps_rollup")
				.and_then(|text| kilobytes(&text, "Pss:"))
				.or_else(|| kilobytes(&read("status")?, "VmRSS:"))
		};
		let found: Vec<u64> = numbers.iter().filter_map(one).collect();
		if found.is_empty() { None } else { Some(found.into_iter().fold(0, u64::saturating_add)) }
	}

	fn of(&self, number: u32) -> PathBuf {
		self.root.join(number.to_string())
	}

	fn numbers(&self) -> Vec<u32> {
		let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
		entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
	}

	/// Sockets that listen at a port, as `socket:[…]`.
	fn sockets(&self, port: u16) -> BTreeSet<String> {
		let wanted = format!(":{port:04X}");
		let listening = |line: &str| {
			let columns: Vec<&str> = line.split_whitespace().collect();
			let (local, state, inode) = (columns.get(1)?, columns.get(3)?, columns.get(9)?);
			(local.ends_with(&wanted) && *state == LISTENS).then(|| format!("socket:[{inode}]"))
		};
		["tcp", "tcp6"]
			.iter()
			.filter_map(|table| fs::read_to_string(self.root.join("net").join(table)).ok())
			.flat_map(|table| table.lines().skip(1).filter_map(listening).collect::<Vec<_>>())
			.collect()
	}

	fn holds(&self, number: u32, sockets: &BTreeSet<String>) -> bool {
		let files = fs::read_dir(self.of(number).join("fd")).into_iter().flatten().flatten();
		let target = |path: &Path| Some(fs::read_link(path).ok()?.to_string_lossy().into_owned());
		files.filter_map(|file| target(&file.path())).any(|target| sockets.contains(&target))
	}

	fn is_proxy(&self, number: u32) -> bool {
		let name = fs::read_to_string(self.of(number).join("comm")).unwrap_or_default();
		PROXIES.contains(&name.trim())
	}

	fn parent(&self, number: u32) -> Option<u32> {
		let stat = fs::read_to_string(self.of(number).join("stat")).ok()?;
		// The name, in brackets, may hold anything.
		let (_, after) = stat.rsplit_once(')')?;
		after.split_whitespace().nth(1)?.parse().ok()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::os::unix::fs::symlink;

	#[test]
	fn memory_that_is_taken_is_seen() {
		let Some(before) = resident_bytes() else { return };
		let taken = std::hint::black_box(vec![1u8; 64 << 20]);
		let after = resident_bytes().unwrap();
		assert!(after > before + (48 << 20), "{before} {after} {}", taken.len());
	}

	/// A machine with a process: its number, parent, name, memory in kB, and its socket.
	fn process(root: &Path, number: u32, parent: u32, name: &str, kb: u32, socket: Option<u32>) {
		let folder = root.join(number.to_string());
		fs::create_dir_all(folder.join("fd")).unwrap();
		fs::write(folder.join("stat"), format!("{number} ({name}) x) S {parent} 1 1")).unwrap();
		fs::write(folder.join("comm"), format!("{name}\n")).unwrap();
		fs::write(folder.join("status"), format!("Name:\tx\nVmRSS:\t  {kb} kB\n")).unwrap();
		if let Some(socket) = socket {
			symlink(format!("socket:[{socket}]"), folder.join("fd/3")).unwrap();
		}
	}

	fn machine(name: &str) -> (tempfile::TempDir, Processes) {
		let root = tempfile::tempdir().unwrap();
		fs::create_dir_all(root.path().join("net")).unwrap();
		let head = "  sl  local_address rem_address st tx rx tr tm retr uid timeout inode\n";
		let row = |port: u16, state: &str, inode: u32| {
			format!("0: 0100007F:{port:04X} 00000000:0000 {state} 0:0 0:0 0 0 0 {inode} 1 0\n")
		};
		// One listens, one of the same port is a connection, one is another's.
		let table =
			[head.to_string(), row(8_000, "0A", 77), row(8_000, "01", 78), row(80, "0A", 79)];
		fs::write(root.path().join("net/tcp"), table.concat()).unwrap();
		process(root.path(), 1, 0, "init", 10, None);
		process(root.path(), 20, 1, name, 1_000, Some(77));
		process(root.path(), 21, 20, "EngineCore", 5_000, None);
		process(root.path(), 22, 21, "worker", 7_000, Some(78));
		process(root.path(), 30, 1, "other", 90_000, Some(79));
		let processes = Processes { root: root.path().to_path_buf() };
		(root, processes)
	}

	#[test]
	fn the_processes_of_a_server_are_those_that_listen_and_what_they_started() {
		let (root, processes) = machine("vllm");
		assert_eq!(processes.of_server(8_000), [20, 21, 22].into());
		let all = processes.of_server(8_000);
		assert_eq!(processes.bytes(&all), Some(13_000 * 1_024));
		// Where the system states shares of what is used together, they count.
		fs::write(root.path().join("21/smaps_rollup"), "Rss: 5000 kB\nPss:  2000 kB\n").unwrap();
		assert_eq!(processes.bytes(&all), Some(10_000 * 1_024));
		assert_eq!(processes.of_server(8_001), BTreeSet::new());
		assert_eq!(processes.bytes(&BTreeSet::new()), None);
	}

	#[test]
	fn a_program_that_passes_connections_on_is_not_the_server() {
		let (_root, processes) = machine("docker-proxy");
		assert_eq!(processes.of_server(8_000), BTreeSet::new());
	}
}
