//! Exit codes, and errors as they are printed.
//!
//! What kind of failure an error is, its own type says ([`Classified`]); here only the types are
//! listed.

use gridproof_anchor::AnchorError;
use gridproof_attest::{
	DaemonError, FileRefusal, IssuerError, LiftError, MintError, PipelineError, PlanFileError,
	SignError, StatementError, SubmitError, SummaryFileError, TrustedKeysError,
};
use gridproof_audit::AuditError;
use gridproof_chain::ChainError;
use gridproof_device::{DeviceError, LinkError};
use gridproof_fleet::{
	CredentialError, ListError, OnboardError, ProfileError, RequestError, SimulationError,
};
use gridproof_grid::{
	DemandError, PlatformError, PriceError, SourceError, SummaryRefusal, WriteError, ZonesError,
};
use gridproof_index::IndexError;
use gridproof_keys::{KeyError, account::AccountError};
use gridproof_store::StoreError;
use gridproof_support::{Classified, Failure, FailureKind};
use std::{error::Error, process::ExitCode};

/// What `--help` says about exit codes.
pub const HELP: &str = "\
Exit codes:
  0  done
  1  something broke: the message says what
  2  usage: an argument or an input is wrong, or what it names does not exist
  3  refused: the rules say no, and nothing has changed
  4  unreachable: a node or server does not answer, or cannot decide yet; try again
  5  undecided: it is not known whether it happened; look before trying again

With --json, an error is one JSON document on standard error: error, kind, temporary.";

/// A mistake in arguments or inputs that only the command can see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

impl Classified for UsageError {
	fn failure(&self) -> Failure {
		Failure::USAGE
	}
}

/// Returns an error about arguments or inputs.
pub fn usage(reason: impl Into<String>) -> anyhow::Error {
	UsageError(reason.into()).into()
}

/// Returns the exit code of a kind of failure.
pub fn code(kind: FailureKind) -> ExitCode {
	ExitCode::from(kind.exit_code())
}

/// Returns the exit code of a check that was made and whose answer is `holds`.
pub fn verdict(holds: bool) -> ExitCode {
	if holds { ExitCode::SUCCESS } else { code(FailureKind::Refused) }
}

/// Returns what kind of failure an error is, by the first of its causes that knows.
pub fn failure(error: &anyhow::Error) -> Failure {
	error.chain().find_map(classified).unwrap_or(Failure::BROKEN)
}

type Cause<'a> = &'a (dyn Error + 'static);

fn classified(cause: Cause) -> Option<Failure> {
	fn of<E: Classified + 'static>(cause: Cause) -> Option<Failure> {
		cause.downcast_ref::<E>().map(E::failure)
	}
	let known: &[fn(Cause) -> Option<Failure>] = &[
		of::<UsageError>,
		of::<ChainError>,
		of::<gridproof_gateway_api::ClientError>,
		of::<gridproof_compute_api::ClientError>,
		of::<gridproof_compute_api::NotProven>,
		of::<gridproof_coordinator::StartError>,
		of::<gridproof_coordinator::repair::RebuildError>,
		of::<gridproof_coordinator::KeyFileError>,
		of::<gridproof_front::FrontError>,
		of::<IndexError>,
		of::<gridproof_dashboard::SiteError>,
		of::<gridproof_engine::EngineError>,
		of::<gridproof_chain::governance::GovernanceError>,
		of::<gridproof_chain::validator::ValidatorError>,
		of::<gridproof_chain::ReplaceError>,
		of::<gridproof_gateway::StartError>,
		of::<gridproof_gateway::PartEnded>,
		of::<gridproof_gateway::CredentialError>,
		of::<gridproof_gateway::BrokerError>,
		of::<gridproof_gateway::TlsError>,
		of::<gridproof_miner::MinerError>,
		of::<gridproof_verifier::VerifierError>,
		of::<AnchorError>,
		of::<AuditError>,
		of::<SubmitError>,
		of::<MintError>,
		of::<LiftError>,
		of::<SignError>,
		of::<PlanFileError>,
		of::<StatementError>,
		of::<FileRefusal>,
		of::<SummaryFileError>,
		of::<TrustedKeysError>,
		of::<PipelineError>,
		of::<DaemonError>,
		of::<IssuerError>,
		of::<SummaryRefusal>,
		of::<WriteError>,
		of::<ZonesError>,
		of::<PriceError>,
		of::<SourceError>,
		of::<DemandError>,
		of::<PlatformError>,
		of::<DeviceError>,
		of::<LinkError>,
		of::<CredentialError>,
		of::<ListError>,
		of::<OnboardError>,
		of::<RequestError>,
		of::<ProfileError>,
		of::<SimulationError>,
		of::<KeyError>,
		of::<AccountError>,
		of::<StoreError>,
	];
	known.iter().find_map(|of| of(cause))
}

#[cfg(test)]
mod tests {
	use super::*;
	use anyhow::Context;

	#[test]
	fn a_gateway_that_does_not_start_says_what_kind_of_failure_it_is() {
		use gridproof_gateway::{BrokerError, CredentialError, StartError, TlsError};
		let loose = || TlsError::Loose { path: "key.pem".to_string(), mode: 0o644 };
		let errors: [(anyhow::Error, Failure); 7] = [
			(StartError::from(BrokerError::BadFilter(String::new())).into(), Failure::USAGE),
			(StartError::from(CredentialError::WeakPassword).into(), Failure::USAGE),
			(
				StartError::from(StoreError::Overloaded).into(),
				Failure { is_temporary: true, ..Failure::BROKEN },
			),
			(CredentialError::NotFound("meter".to_string()).into(), Failure::USAGE),
			(BrokerError::NoUser.into(), Failure::USAGE),
			(loose().into(), Failure::USAGE),
			(
				TlsError::Io { path: "key.pem".into(), reason: "gone".into() }.into(),
				Failure::BROKEN,
			),
		];
		for (error, wanted) in errors {
			assert_eq!(failure(&error), wanted, "{error}");
		}
	}

	#[test]
	fn the_cause_decides_about_the_exit_code() {
		let unreachable = || ChainError::Unreachable {
			url: "ws://127.0.0.1:1".to_string(),
			reason: "refused".to_string(),
		};
		let wrapped = Err::<(), _>(unreachable()).context("while connecting").unwrap_err();
		assert_eq!(failure(&wrapped), Failure::UNREACHABLE);
		assert_eq!(failure(&usage("which miner?")), Failure::USAGE);
		assert_eq!(failure(&anyhow::anyhow!("odd")), Failure::BROKEN);
	}
}
