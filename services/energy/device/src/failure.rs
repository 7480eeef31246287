//! What kind of failure each error is, for exit codes.

use crate::{error::DeviceError, mqtt::LinkError};
use gridproof_support::{Classified, Failure};

impl Classified for DeviceError {
	fn failure(&self) -> Failure {
		match self {
			Self::Key(error) => error.failure(),
			Self::InUse(_)
			| Self::Backwards { .. }
			| Self::BadInterval
			| Self::OtherDirection(_)
			| Self::TooMuchEnergy { .. }
			| Self::BoundElsewhere(_) => Failure::USAGE,
			Self::Io { .. } | Self::BadState { .. } | Self::RegisterFull | Self::BadReading(_) => {
				Failure::BROKEN
			},
		}
	}
}

impl Classified for LinkError {
	fn failure(&self) -> Failure {
		match self {
			Self::BadUrl(_) => Failure::USAGE,
			Self::BadCa { .. } | Self::Closed => Failure::BROKEN,
			Self::Refused(_) => Failure::refused(false),
			Self::Unreachable { .. } => Failure::UNREACHABLE,
			Self::Device(error) => error.failure(),
		}
	}
}
