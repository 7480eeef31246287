//! What kind of failure each error is, for exit codes.

use crate::{
	credentials::CredentialError, error::SimulationError, list_error::ListError,
	onboard::OnboardError, profile::ProfileError, request::RequestError,
};
use gridproof_support::{Classified, Failure};

impl Classified for ListError {
	fn failure(&self) -> Failure {
		Failure::USAGE
	}
}

impl Classified for ProfileError {
	fn failure(&self) -> Failure {
		Failure::USAGE
	}
}

impl Classified for OnboardError {
	fn failure(&self) -> Failure {
		match self {
			Self::Key(error) => error.failure(),
			Self::Chain(error) | Self::Refused { error, .. } => error.failure(),
			Self::Governance(error) => error.failure(),
			Self::Taken { .. } | Self::Organisation { .. } => Failure::refused(false),
			Self::List(error) => error.failure(),
		}
	}
}

impl Classified for RequestError {
	fn failure(&self) -> Failure {
		match self {
			Self::Key(error) => error.failure(),
			Self::File(error) => error.failure(),
			Self::OtherOwner { .. } | Self::NoConsent | Self::OtherChain { .. } => Failure::USAGE,
			Self::NoPossession | Self::Expired => Failure::refused(false),
			Self::Onboard(error) => error.failure(),
		}
	}
}

impl Classified for CredentialError {
	fn failure(&self) -> Failure {
		match self {
			Self::BadLine { .. } | Self::BadValue(_) => Failure::USAGE,
			Self::File(_) | Self::Random(_) => Failure::BROKEN,
		}
	}
}

impl Classified for SimulationError {
	fn failure(&self) -> Failure {
		match self {
			Self::Device { error, .. } => error.failure(),
			Self::Onboard(error) => error.failure(),
			Self::Profile(error) => error.failure(),
			Self::Link(error) => error.failure(),
			Self::WrongProfile { .. } | Self::NoCredential(_) => Failure::USAGE,
		}
	}
}
