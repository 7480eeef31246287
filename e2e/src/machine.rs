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

/// Processor time that a process has had so far, in seconds, to a hundredth.
///
/// # Errors
/// When there is no such process.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
	let path = format!("/proc/{pid}/stat");
	let stat = fs::read_to_string(&path).with_context(|| path.clone())?;
	cpu_ticks(&stat).map(|ticks| f64::from(ticks) / 100.0).with_context(|| path)
}

/// Ticks of a hundredth of a second, in programs and in the kernel for them: Linux tells programs
/// so whatever it counts in itself.
fn cpu_ticks(stat: &str) -> Option<u32> {
	// The name, in parentheses, may have spaces and parentheses itself.
	let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().skip(11);
	let mut ticks = || fields.next()?.parse::<u32>().ok();
	Some(ticks()? + ticks()?)
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
	fn processor_time_is_found_behind_any_name() {
		let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 96 0 0 0 250 31 9 9 20 0 1 0 5 6 7";
		assert_eq!(cpu_ticks(stat), Some(281));
		assert!(cpu_seconds(std::process::id()).is_ok());
	}

	#[test]
	fn a_line_is_found_by_its_whole_name() {
		let text = "VmRSSX:\t1 kB\nVmRSS:\t 2048 kB\n";
		assert_eq!(kibibytes(text, "VmRSS").expect("it is there"), 2_048);
		assert!(kibibytes(text, "VmHWM").is_err());
	}
}
