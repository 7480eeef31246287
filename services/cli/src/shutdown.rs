//! The end of a command that runs until it is told to stop.

use tokio::signal::{
	ctrl_c,
	unix::{Signal, SignalKind, signal},
};

/// Hears Ctrl-C and SIGTERM.
pub struct Shutdown(Signal);

impl Shutdown {
	/// Listens from now on: SIGTERM no longer ends the process.
	///
	/// # Errors
	/// When the system does not let it.
	pub fn listen() -> std::io::Result<Self> {
		signal(SignalKind::terminate()).map(Self)
	}

	/// Returns when the command is told to stop.
	pub async fn asked(mut self) {
		tokio::select! {
			_ = ctrl_c() => (),
			_ = self.0.recv() => (),
		}
	}
}
