//! Clients from other languages: their packages are installed by the test that needs them.

use crate::binary::repository;
use anyhow::{Context, Result, ensure};
use std::{
	fs::{self, File},
	path::{Path, PathBuf},
	process::{Command, Stdio},
};

/// Installs the pinned npm packages of a folder under `e2e/js`, or of that itself (""), unless that was done since its lock
/// file last changed; gives the folder. npm writes its own copy of that file when it is done.
///
/// # Errors
/// When npm is not there, or fails.
pub fn npm(name: &str) -> Result<PathBuf> {
	npm_in(repository().join("e2e/js").join(name))
}

/// As [`npm`], of any folder with a lock file.
///
/// # Errors
/// When npm is not there, or fails.
pub fn npm_in(folder: PathBuf) -> Result<PathBuf> {
	let _turn = turn(&folder.join("package-lock.json"))?;
	let changed = |file: &str| fs::metadata(folder.join(file)).and_then(|data| data.modified());
	let wanted = changed("package-lock.json")?;
	if changed("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
		return Ok(folder);
	}
	run(Command::new("npm")
		.args(["ci", "--ignore-scripts", "--loglevel=error"])
		.current_dir(&folder))
	.context("npm ci; ./scripts/setup.sh test installs Node.js with it. Is the network there?")?;
	Ok(folder)
}

/// A Python interpreter with the pinned packages of `e2e/py/requirements.txt`, in a virtual
/// environment.
///
/// # Errors
/// When Python is not there, or the packages cannot be installed.
pub fn python() -> Result<PathBuf> {
	python_with("requirements")
}

/// A Python interpreter with the pinned packages of `e2e/py/NAME.txt`, in a virtual environment of its
/// own: some clients cannot be installed beside each other.
///
/// # Errors
/// When Python is not there, or the packages cannot be installed.
pub fn python_with(name: &str) -> Result<PathBuf> {
	let folder = repository().join("e2e/py");
	let (wanted, environment) =
		(folder.join(format!("{name}.txt")), folder.join(".venv").join(name));
	let (python, stamp) = (environment.join("bin/python"), environment.join("requirements.txt"));
	let _turn = turn(&wanted)?;
	let text = fs::read(&wanted)?;
	if fs::read(&stamp).is_ok_and(|installed| installed == text) {
		return Ok(python);
	}
	run(Command::new("python3").args(["-m", "venv"]).arg(&environment))
		.context("./scripts/setup.sh test installs Python with its module venv")?;
	run(Command::new(&python)
		.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
		.arg(&wanted))
	.context("is the network there?")?;
	fs::write(stamp, text)?;
	Ok(python)
}

/// Waits until no other test installs what a file names: each is a process of its own, and the first one that comes installs
/// for all. Others wait while the returned handle is open.
fn turn(packages: &Path) -> Result<File> {
	let file = File::open(packages).with_context(|| packages.display().to_string())?;
	file.lock()?;
	Ok(file)
}

/// A script of `e2e/py`.
pub fn python_script(name: &str) -> PathBuf {
	repository().join("e2e/py").join(name)
}

/// Runs a command to its end; gives what it printed.
///
/// # Errors
/// When it cannot be started or fails, with what it said.
pub fn run(command: &mut Command) -> Result<String> {
	let program = Path::new(command.get_program()).display().to_string();
	let output =
		command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {program}"))?;
	let said = String::from_utf8_lossy(&output.stderr);
	ensure!(output.status.success(), "{program} failed: {said}");
	Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
