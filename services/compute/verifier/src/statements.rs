//! What a verifier says: each thing once, whatever stops it in between.

use codec::{Decode, Encode};
use gridproof_keys::SealedKey;
use gridproof_primitives::{
	H256,
	compute::checks::{
		Abstention, Ballot, CheckReport, JuryCommitment, OpeningDemand, Reopening, ShownFigures,
		VerifierSignature, WitnessStatement,
	},
};
use sp_crypto_hashing::blake2_256;

/// A signed statement.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
// Few of them, and on their way to a disk.
#[allow(clippy::large_enum_variant)]
pub enum Statement {
	/// What a check measured.
	Report(CheckReport, VerifierSignature),
	/// An opening that was not given.
	Demand(OpeningDemand, VerifierSignature),
	/// What a witness got.
	Witness(WitnessStatement, VerifierSignature),
	/// A second look at another's report.
	Reopen(Reopening, VerifierSignature),
	/// Figures that were committed to.
	Show(ShownFigures, VerifierSignature),
	/// A vote, hidden.
	Commit(JuryCommitment, VerifierSignature),
	/// The vote that was committed to, with its salt.
	Reveal(Ballot, VerifierSignature),
	/// That a juror has no vote, and why: instead of a commitment.
	Abstain(Abstention, VerifierSignature),
}

/// What a statement is about: about one thing there is one statement.
pub(crate) type Name = [u8; 32];

/// Returns a name: the hash of what kind of statement it is, and of what it is about.
fn named(kind: u8, about: impl Encode) -> Name {
	(kind, about).using_encoded(blake2_256)
}

/// Names of statements.
pub(crate) mod name {
	use super::{Name, named};
	use gridproof_primitives::{H256, compute::checks::CheckId};

	pub(crate) fn report(id: &CheckId) -> Name {
		named(0, id)
	}

	pub(crate) fn demand(id: &CheckId) -> Name {
		named(1, id)
	}

	pub(crate) fn witness(id: &CheckId) -> Name {
		named(2, id)
	}

	/// Of a demand that names no receipt: once it is named the chain forgets what was said before.
	pub(crate) fn witness_of_list(id: &CheckId) -> Name {
		named(7, id)
	}

	pub(crate) fn reopen(id: &CheckId) -> Name {
		named(3, id)
	}

	pub(crate) fn show(id: &CheckId) -> Name {
		named(4, id)
	}

	/// Of a commitment to a vote, or of what is said instead.
	pub(crate) fn commit(dispute: &H256) -> Name {
		named(5, dispute)
	}

	pub(crate) fn reveal(dispute: &H256) -> Name {
		named(6, dispute)
	}
}

impl Statement {
	/// Signs a report.
	pub(crate) fn report(key: &SealedKey, genesis: &H256, report: CheckReport) -> Self {
		let signature = key.sign(&report.signing_payload(genesis));
		Self::Report(report, signature)
	}

	/// Signs a demand.
	pub(crate) fn demand(key: &SealedKey, genesis: &H256, demand: OpeningDemand) -> Self {
		let signature = key.sign(&demand.signing_payload(genesis));
		Self::Demand(demand, signature)
	}

	/// Signs what a witness got.
	pub(crate) fn witness(key: &SealedKey, genesis: &H256, witness: WitnessStatement) -> Self {
		let signature = key.sign(&witness.signing_payload(genesis));
		Self::Witness(witness, signature)
	}

	/// Signs a second look.
	pub(crate) fn reopen(key: &SealedKey, genesis: &H256, reopening: Reopening) -> Self {
		let signature = key.sign(&reopening.signing_payload(genesis));
		Self::Reopen(reopening, signature)
	}

	/// Signs figures that are shown.
	pub(crate) fn show(key: &SealedKey, genesis: &H256, shown: ShownFigures) -> Self {
		let signature = key.sign(&shown.signing_payload(genesis));
		Self::Show(shown, signature)
	}

	/// Signs a commitment to a vote.
	pub(crate) fn commit(key: &SealedKey, genesis: &H256, ballot: &Ballot) -> Self {
		let commitment = JuryCommitment {
			juror: ballot.juror,
			dispute: ballot.dispute,
			commitment: ballot.commitment(genesis),
		};
		let signature = key.sign(&commitment.signing_payload(genesis));
		Self::Commit(commitment, signature)
	}

	/// Signs a vote.
	pub(crate) fn reveal(key: &SealedKey, genesis: &H256, ballot: Ballot) -> Self {
		let signature = key.sign(&ballot.signing_payload(genesis));
		Self::Reveal(ballot, signature)
	}

	/// Signs that a juror has no vote.
	pub(crate) fn abstain(key: &SealedKey, genesis: &H256, abstention: Abstention) -> Self {
		let signature = key.sign(&abstention.signing_payload(genesis));
		Self::Abstain(abstention, signature)
	}

	/// Returns the name of its kind among the figures.
	pub const fn kind(&self) -> &'static str {
		match self {
			Self::Report(..) => "report",
			Self::Demand(..) => "demand",
			Self::Witness(..) => "witness",
			Self::Reopen(..) => "reopen",
			Self::Show(..) => "show",
			Self::Commit(..) => "commit",
			Self::Reveal(..) => "reveal",
			Self::Abstain(..) => "abstain",
		}
	}

	/// All kinds.
	pub(crate) const KINDS: [&'static str; 8] =
		["report", "demand", "witness", "reopen", "show", "commit", "reveal", "abstain"];
}
