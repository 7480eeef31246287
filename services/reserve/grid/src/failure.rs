//! What kind of failure each error is, for exit codes.

use crate::{
	demand::DemandError, entsoe::PlatformError, files::WriteError, price::PriceError,
	source::SourceError, summary::SummaryRefusal, zones::ZonesError,
};
use gridproof_support::{Classified, Failure};

impl Classified for PlatformError {
	fn failure(&self) -> Failure {
		match self {
			Self::BadToken | Self::BadUrl(_) => Failure::USAGE,
			Self::TokenRefused { .. } => Failure::refused(false),
			Self::GaveUp { .. } => Failure::UNREACHABLE,
			Self::Setup(_) | Self::NotADocument { .. } | Self::TooLarge => Failure::BROKEN,
		}
	}
}

impl Classified for SourceError {
	fn failure(&self) -> Failure {
		match self {
			Self::Platform(error) => error.failure(),
			Self::NoData(_)
			| Self::Unreadable { .. }
			| Self::TooManyParts(_)
			| Self::TooManyFiles(_) => Failure::BROKEN,
		}
	}
}

impl Classified for PriceError {
	fn failure(&self) -> Failure {
		match self {
			Self::Window => Failure::USAGE,
			Self::Source { reason, .. } => reason.failure(),
			Self::Day(_) | Self::NoPrice { .. } | Self::OutOfRange => Failure::BROKEN,
		}
	}
}

impl Classified for DemandError {
	fn failure(&self) -> Failure {
		match self {
			Self::Token(error) => error.failure(),
			Self::Unwritable { .. } => Failure::BROKEN,
		}
	}
}

impl Classified for ZonesError {
	fn failure(&self) -> Failure {
		Failure::USAGE
	}
}

impl Classified for SummaryRefusal {
	fn failure(&self) -> Failure {
		match self {
			// More zones may be complete later in the day.
			Self::TooFewZones { .. } => Failure::refused(true),
			Self::Share(_) => Failure::USAGE,
			Self::OutOfRange => Failure::BROKEN,
		}
	}
}

impl Classified for WriteError {
	fn failure(&self) -> Failure {
		match self {
			Self::Busy(_) | Self::Foreign { .. } => Failure::USAGE,
			Self::Io { .. } | Self::Json(_) => Failure::BROKEN,
		}
	}
}
