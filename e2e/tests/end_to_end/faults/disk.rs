//! A disk that can be filled.

use anyhow::{Context, Result, ensure};
use std::{
	fs::{self, File},
	io::{ErrorKind, Write},
	path::{Path, PathBuf},
	process::Command,
};

/// MiB of it.
const SIZE: u32 = 64;

/// A small file system at a folder. Dropped, it is gone with what is on it.
pub(crate) struct SmallDisk {
	at: PathBuf,
}

impl SmallDisk {
	/// Puts a small file system at a folder that nobody uses, with what is in the folder. `None` where
	/// that is not allowed.
	pub(crate) fn at(folder: &Path) -> Result<Option<Self>> {
		let kept = folder.with_extension("kept");
		fs::rename(folder, &kept)?;
		fs::create_dir(folder)?;
		let options = format!("size={SIZE}m,mode=0700");
		let mount = Command::new("mount")
			.args(["-t", "tmpfs", "-o", &options, "gridproof-e2e"])
			.arg(folder)
			.output()
			.context("cannot run mount")?;
		if !mount.status.success() {
			println!("NOT CHECKED: a full disk (only root mounts a small one)");
			fs::remove_dir(folder)?;
			fs::rename(&kept, folder)?;
			return Ok(None);
		}
		let disk = Self { at: folder.to_owned() };
		let copy = Command::new("cp").arg("-a").arg(kept.join(".")).arg(folder).status()?;
		ensure!(copy.success(), "cp: {copy}");
		Ok(Some(disk))
	}

	fn ballast(&self) -> PathBuf {
		self.at.join("ballast")
	}

	/// Takes all the room there is.
	pub(crate) fn fill(&self) -> Result<()> {
		let (mut file, block) = (File::create(self.ballast())?, vec![0; 1 << 20]);
		for size in [1 << 20, 1 << 12, 1] {
			loop {
				match file.write(&block[..size]) {
					Ok(_) => (),
					Err(error) if error.kind() == ErrorKind::StorageFull => break,
					Err(error) => return Err(error.into()),
				}
			}
		}
		Ok(())
	}

	/// Gives the room back.
	pub(crate) fn clear(&self) -> Result<()> {
		Ok(fs::remove_file(self.ballast())?)
	}
}

impl Drop for SmallDisk {
	fn drop(&mut self) {
		// Its program may still run: it then keeps the file system until it ends.
		let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
	}
}
