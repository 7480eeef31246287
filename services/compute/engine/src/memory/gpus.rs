//! Memory of graphics processors, asked of `nvidia-smi`, which reads it from the driver (NVML).

use std::{
	collections::BTreeSet,
	process::{Command, Stdio},
};

/// Bytes of what the program counts in.
const MEBIBYTE: u64 = 1 << 20;

/// Returns the memory that these processes hold on graphics processors, in bytes; `None` if the
/// driver names none of them.
pub(super) fn held_by(processes: &BTreeSet<u32>) -> Option<u64> {
	if processes.is_empty() {
		return None;
	}
	held(&ask("--query-compute-apps=pid,used_gpu_memory")?, processes)
}

/// Returns the memory in use on these graphics processors, or on all if none is named, in bytes;
/// `None` if the driver does not say.
pub(super) fn in_use(gpus: &[u32]) -> Option<u64> {
	used(&ask("--query-gpu=index,memory.used")?, gpus)
}

fn ask(query: &str) -> Option<String> {
	let output = Command::new("nvidia-smi")
		.args([query, "--format=csv,noheader,nounits"])
		.stdin(Stdio::null())
		.stderr(Stdio::null())
		.output()
		.ok()?;
	output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Rows of two numbers; what the driver does not know, as `[N/A]`, is none.
fn rows(text: &str) -> impl Iterator<Item = (u32, u64)> {
	text.lines().filter_map(|line| {
		let (first, second) = line.split_once(',')?;
		Some((first.trim().parse().ok()?, second.trim().parse().ok()?))
	})
}

fn sum(mebibytes: impl Iterator<Item = u64>) -> Option<u64> {
	let sum = mebibytes.fold(0u64, u64::saturating_add).saturating_mul(MEBIBYTE);
	(sum > 0).then_some(sum)
}

fn held(text: &str, processes: &BTreeSet<u32>) -> Option<u64> {
	sum(rows(text).filter(|(number, _)| processes.contains(number)).map(|(_, held)| held))
}

fn used(text: &str, gpus: &[u32]) -> Option<u64> {
	let is_meant = |index: &u32| gpus.is_empty() || gpus.contains(index);
	sum(rows(text).filter(|(index, _)| is_meant(index)).map(|(_, used)| used))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn processes_hold_memory_on_several_processors() {
		let text = "20, 10240\n21, 512\n20, 1024\n30, 9999\n22, [N/A]\n";
		assert_eq!(held(text, &[20, 21, 22].into()), Some((10_240 + 512 + 1_024) << 20));
		assert_eq!(held(text, &[22].into()), None, "the driver does not know");
		assert_eq!(held("", &[20].into()), None);
		assert_eq!(held_by(&BTreeSet::new()), None);
	}

	#[test]
	fn only_the_processors_that_are_named_count() {
		let text = "0, 100\n1, 200\n2, 0\n";
		assert_eq!(used(text, &[]), Some(300 << 20));
		assert_eq!(used(text, &[1]), Some(200 << 20));
		assert_eq!(used(text, &[2]), None);
		assert_eq!(used("nothing\n", &[]), None);
	}
}
