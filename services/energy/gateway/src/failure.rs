//! What kind of failure each error is, for exit codes.

use crate::{
	credentials::CredentialError,
	intake::BrokerError,
	pinning::PinError,
	run::{PartEnded, StartError},
	tls::TlsError,
};
use gridproof_support::{Classified, Failure};

impl Classified for StartError {
	fn failure(&self) -> Failure {
		match self {
			Self::Store(error) | Self::Pinning(PinError::Store(error)) => error.failure(),
			Self::Settings(_) => Failure::USAGE,
			Self::Credentials(error) => error.failure(),
			Self::Broker(error) => error.failure(),
			// What listens with TLS reads the files when it starts.
			Self::Intake { error, .. } => {
				error.downcast_ref().map_or(Failure::BROKEN, TlsError::failure)
			},
			Self::Pinning(PinError::Service(_)) | Self::Metrics(_) => Failure::BROKEN,
		}
	}
}

impl Classified for PartEnded {
	fn failure(&self) -> Failure {
		Failure::BROKEN
	}
}

impl Classified for CredentialError {
	fn failure(&self) -> Failure {
		match self {
			Self::Exists(_)
			| Self::NotFound(_)
			| Self::BadName(_)
			| Self::WeakPassword
			| Self::NoFolder(_) => Failure::USAGE,
			Self::Io { .. } | Self::BadFile { .. } => Failure::BROKEN,
		}
	}
}

impl Classified for BrokerError {
	fn failure(&self) -> Failure {
		match self {
			Self::BadUrl(_) | Self::NoUser | Self::BadFilter(_) | Self::BadAuthority { .. } => {
				Failure::USAGE
			},
			Self::ClientId { .. } => Failure::BROKEN,
		}
	}
}

impl Classified for TlsError {
	fn failure(&self) -> Failure {
		match self {
			Self::Loose { .. } | Self::Unusable(_) => Failure::USAGE,
			Self::Io { .. } => Failure::BROKEN,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::message::Source;
	use std::io;

	#[test]
	fn a_key_that_others_may_read_is_a_mistake_also_when_it_is_found_at_the_start() {
		let start = |error| StartError::Intake { name: Source::MQTT, error };
		let loose = TlsError::Loose { path: "key.pem".to_string(), mode: 0o644 };
		assert_eq!(start(Box::new(loose)).failure(), Failure::USAGE);
		let taken = io::Error::from(io::ErrorKind::AddrInUse);
		assert_eq!(start(Box::new(taken)).failure(), Failure::BROKEN);
	}
}
