//! How much memory this process has.

use std::fs;

/// Memory of this process that is in use now, in bytes; `None` where the system does not tell.
pub fn resident_bytes() -> Option<u64> {
	let status = fs::read_to_string("/proc/self/status").ok()?;
	let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
	let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
	kilobytes.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn memory_that_is_taken_is_seen() {
		let Some(before) = resident_bytes() else { return };
		let taken = std::hint::black_box(vec![1u8; 64 << 20]);
		let after = resident_bytes().unwrap();
		assert!(after > before + (48 << 20), "{before} {after} {}", taken.len());
	}
}
