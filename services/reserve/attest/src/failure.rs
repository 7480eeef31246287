//! What kind of failure each error is, for exit codes.

use crate::{
	coverage::MintError,
	daily::{DaemonError, PipelineError},
	issuer::IssuerError,
	keys::TrustedKeysError,
	plan::PlanFileError,
	sign::SignError,
	statement::StatementError,
	stop::LiftError,
	submit::SubmitError,
	summary::SummaryFileError,
	verify::FileRefusal,
};
use gridproof_support::{Classified, Failure};

impl Classified for FileRefusal {
	fn failure(&self) -> Failure {
		Failure::refused(false)
	}
}

impl Classified for StatementError {
	fn failure(&self) -> Failure {
		Failure::refused(false)
	}
}

impl Classified for SubmitError {
	fn failure(&self) -> Failure {
		match self {
			Self::Chain(error) => error.failure(),
			Self::File(_)
			| Self::OldVersion
			| Self::OtherChain { .. }
			| Self::Threshold { .. }
			| Self::Keys(_)
			| Self::Price { .. } => Failure::refused(self.is_temporary()),
		}
	}
}

impl Classified for MintError {
	fn failure(&self) -> Failure {
		match self {
			Self::NothingToMint(refusal) => Failure::refused(refusal.is_temporary()),
			Self::Chain(error) => error.failure(),
		}
	}
}

impl Classified for LiftError {
	fn failure(&self) -> Failure {
		match self {
			Self::OwnStop(_) => Failure::USAGE,
			Self::Chain(error) => error.failure(),
		}
	}
}

impl Classified for SignError {
	fn failure(&self) -> Failure {
		match self {
			Self::Io { .. } => Failure::BROKEN,
			Self::Busy(_) => Failure::UNREACHABLE,
			Self::OtherKey(_) => Failure::USAGE,
			Self::Refused(_) | Self::OldVersion | Self::AlreadySigned(_) | Self::BadCompany(_) => {
				Failure::refused(false)
			},
		}
	}
}

impl Classified for PlanFileError {
	fn failure(&self) -> Failure {
		match self {
			Self::Signed(_) | Self::OtherFile(_) | Self::OldVersion(_) => Failure::USAGE,
			Self::Refused { .. } => Failure::refused(false),
			Self::Unreadable { .. } | Self::Unwritable { .. } => Failure::BROKEN,
		}
	}
}

impl Classified for SummaryFileError {
	fn failure(&self) -> Failure {
		Failure::USAGE
	}
}

impl Classified for TrustedKeysError {
	fn failure(&self) -> Failure {
		Failure::USAGE
	}
}

impl Classified for PipelineError {
	fn failure(&self) -> Failure {
		Failure::USAGE
	}
}

impl Classified for DaemonError {
	fn failure(&self) -> Failure {
		match self {
			Self::Busy(_) | Self::Jump { .. } | Self::Ahead { .. } => Failure::USAGE,
			Self::Io { .. } | Self::BadState(_) => Failure::BROKEN,
			Self::NoTime => Failure::UNREACHABLE,
		}
	}
}

impl Classified for IssuerError {
	fn failure(&self) -> Failure {
		match self {
			Self::Chain(error) | Self::Refused { error, .. } => error.failure(),
		}
	}
}
