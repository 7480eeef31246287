//! What the machine is, and what a process takes of it. Linux only: figures are from `/proc`.

use anyhow::{Context, Result};
use std::{fmt, fs, thread};

/// Size of the machine that figures were measured on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
	/// Processor model.
	pub processor: String,
	/// Cores this process may use.
	pub cores: usize,
	/// Memory in MiB.
	pub memory_mib: u64,
}

impl Machine {
	/// The machine this runs on.
	///
	/// # Errors
	/// When `/proc` cannot be read.
	pub fn here() -> Result<Self> {
		let processors = fs::read_to_string("/proc/cpuinfo").context("/proc/cpuinfo")?;
		let processor = value_of(&processors, "model name").unwrap_or("unknown processor");
		let memory = fs::read_to_string("/proc/meminfo").context("/proc/meminfo")?;
		Ok(Self {
			processor: processor.to_owned(),
			cores: thread::available_parallelism()?.get(),
			memory_mib: kibibytes(&memory, "MemTotal")? / 1_024,
		})
	}
}

impl fmt::Display for Machine {
	fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Self { processor, cores, memory_mib } = self;
		write!(formatter, "{cores} cores ({processor}), {memory_mib} MiB of memory")
	}
}

/// Memory of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
	/// Resident now, in MiB.
	pub resident_mib: u64,
	/// Most that was ever resident, in MiB.
	pub peak_mib: u64,
}

/// What a process takes of the machine's memory.
///
/// # Errors
/// When there is no such process.
pub fn memory(pid: u32) -> Result<Memory> {
	let path = format!("/proc/{pid}/status");
	let status = fs::read_to_string(&path).with_context(|| path.clone())?;
	Ok(Memory {
		resident_mib: kibibytes(&status, "VmRSS")? / 1_024,
		peak_mib: kibibytes(&status, "VmHWM")? / 1_024,
	})
}

fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
	text.lines().find_map(|line| {
		let (key, value) = line.split_once(':')?;
		(key.trim() == name).then(|| value.trim())
	})
}

fn kibibytes(text: &str, name: &str) -> Result<u64> {
	let value = value_of(text, name).with_context(|| format!("no {name}"))?;
	let digits = value.strip_suffix("kB").with_context(|| format!("{name} is not in kB"))?;
	digits.trim().parse().with_context(|| format!("{name}: {value}"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn memory_is_read_from_the_status_of_a_process() {
		let own = memory(std::process::id()).expect("this process has a status");
		assert!(own.resident_mib > 0 && own.resident_mib <= own.peak_mib, "{own:?}");
	}

	#[test]
	fn a_line_is_found_by_its_whole_name() {
		let text = "VmRSSX:\t1 kB\nVmRSS:\t 2048 kB\n";
		assert_eq!(kibibytes(text, "VmRSS").expect("it is there"), 2_048);
		assert!(kibibytes(text, "VmHWM").is_err());
	}
}
