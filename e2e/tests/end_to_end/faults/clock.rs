//! Programs whose clock is wrong.

use std::{fs, path::PathBuf};

const NAME: &str = "faketime/libfaketimeMT.so.1";

/// The variables with which a program's clock is wrong by `offset`, such as `+1d`; `None` where
/// libfaketime is not installed. What measures time (the monotonic clock) stays right.
pub(crate) fn wrong_by(offset: &str) -> Option<Vec<String>> {
	let Some(library) = library() else {
		println!("NOT CHECKED: clocks of programs (install libfaketime)");
		return None;
	};
	Some(vec![
		format!("LD_PRELOAD={}", library.display()),
		format!("FAKETIME={offset}"),
		"FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
		"DONT_FAKE_MONOTONIC=1".to_owned(),
	])
}

/// Distributions have it in the folder of libraries of their processor.
fn library() -> Option<PathBuf> {
	let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
	let below = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
	folders.into_iter().chain(below).map(|folder| folder.join(NAME)).find(|path| path.is_file())
}
