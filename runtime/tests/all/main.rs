//! What the composed runtime keeps, but for the coalition test: one program, since each would be linked against the runtime again.

mod authorities;
mod clients;
mod computing;
mod governance;
mod limits;
mod metering;
mod migration;
mod origins;
mod presets;
mod seam;
mod stops;
mod storage;
mod treasury;

/// The runtime's metadata of a version, as bytes. It shows the periods of the tracks, which are the
/// calendar's: so there must be a state.
fn metadata_bytes(version: u32) -> Vec<u8> {
	sp_io::TestExternalities::default().execute_with(|| {
		let metadata = gridproof_runtime::Runtime::metadata_at_version(version);
		metadata.expect("the runtime has this version").to_vec()
	})
}
