//! Why a simulation stops.

use crate::{onboard::OnboardError, profile::ProfileError};
use gridproof_device::{DeviceError, LinkError};
use gridproof_primitives::energy::{Direction, MeterName};

/// Why a simulation stops.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
	/// A device cannot continue.
	#[error("{name}: {error}")]
	Device {
		/// Ids of its meter.
		name: String,
		/// What happened.
		error: DeviceError,
	},
	/// Keys or lists are not usable.
	#[error(transparent)]
	Onboard(#[from] OnboardError),
	/// A profile is not usable.
	#[error(transparent)]
	Profile(#[from] ProfileError),
	/// A device has no connection.
	#[error(transparent)]
	Link(#[from] LinkError),
	/// A meter's profile does not fit its direction.
	#[error(
		"{name}: profile {profile:?} does not fit a meter for {direction}: write LOAD, SUN or LOAD+SUN, such as h0, pv or h0+pv"
	)]
	WrongProfile {
		/// Ids of the meter.
		name: String,
		/// The profile.
		profile: String,
		/// Direction that the meter measures.
		direction: Direction,
	},
	/// The file of credentials has none for a meter.
	#[error("the file of credentials has none for {0}")]
	NoCredential(MeterName),
}
