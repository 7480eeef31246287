//! Offences and their proofs.

use super::{Assignment, Quote, Receipt, Signer, release_payload};
use crate::{
	H256,
	crypto::ed25519::{self, PublicKey, Signature},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// A receipt and one signature of it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedBy {
	/// Receipt that was signed.
	pub receipt: Receipt,
	/// Ed25519 signature of [`Receipt::signing_payload`].
	pub signature: Signature,
}

/// Kind of an offence.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OffenceKind {
	/// A miner signed two different receipts for one job.
	#[codec(index = 0)]
	TwoReceipts,
	/// Miner or coordinator signed a receipt above the job's quote.
	#[codec(index = 1)]
	AboveQuote,
	/// A coordinator attested two outcomes of one job.
	#[codec(index = 2)]
	TwoOutcomes,
	/// A coordinator attested a receipt of a job and released it.
	#[codec(index = 3)]
	ReceiptAndRelease,
	/// A coordinator gave one attempt of a job to two miners.
	#[codec(index = 4)]
	TwoAssignments,
}

/// Proof of an offence: statements that the offender signed and that contradict each other or
/// what it agreed to.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Evidence {
	/// Two different receipts for one job, each signed by the miner they name.
	#[codec(index = 0)]
	TwoReceipts {
		/// Receipt with the miner's signature.
		first: SignedBy,
		/// Different receipt for the same job, with the same miner's signature.
		second: SignedBy,
	},
	/// A receipt with more units or a higher price than its quote.
	#[codec(index = 1)]
	AboveQuote {
		/// Quote of the job. The receipt names its hash, so it needs no signature here.
		quote: Quote,
		/// Role in which the offender signed the receipt.
		signer: Signer,
		/// Receipt above the quote, with the offender's signature.
		signed: SignedBy,
	},
	/// Two different receipts for one job, both signed by this coordinator.
	#[codec(index = 2)]
	TwoOutcomes {
		/// Key of the coordinator.
		coordinator: PublicKey,
		/// Receipt with the coordinator's signature.
		first: SignedBy,
		/// Different receipt for the same job, with the same coordinator's signature.
		second: SignedBy,
	},
	/// A receipt and a release of one job, both signed by this coordinator.
	#[codec(index = 3)]
	ReceiptAndRelease {
		/// Key of the coordinator.
		coordinator: PublicKey,
		/// Receipt with the coordinator's signature.
		signed: SignedBy,
		/// The coordinator's signature of [`release_payload`] for the same job.
		release: Signature,
	},
	/// Two assignments of one attempt to different miners, both signed by this coordinator.
	#[codec(index = 4)]
	TwoAssignments {
		/// Key of the coordinator.
		coordinator: PublicKey,
		/// Assignment, and the coordinator's signature of it.
		first: (Assignment, Signature),
		/// Assignment of the same attempt to another miner, and the coordinator's signature of it.
		second: (Assignment, Signature),
	},
}

/// Offence that evidence proves.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proven {
	/// Kind of the offence.
	pub kind: OffenceKind,
	/// Key of the party that committed it.
	pub offender: PublicKey,
	/// Id of the job.
	pub job_id: H256,
}

/// Reason why evidence does not prove an offence.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum EvidenceError {
	/// Both receipts are the same.
	SameReceipt,
	/// The receipts are about different jobs, or the quote is not that of the job.
	OtherJob,
	/// The receipts name different miners.
	OtherMiner,
	/// The receipt is within its quote.
	WithinQuote,
	/// A signature is not that of the accused key for this chain.
	BadSignature,
	/// The assignments are of different attempts, or name one miner.
	NoContradiction,
}

impl fmt::Display for EvidenceError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::SameReceipt => "both receipts are the same",
			Self::OtherJob => "the statements are about different jobs",
			Self::OtherMiner => "the receipts name different miners",
			Self::WithinQuote => "the receipt is within its quote",
			Self::BadSignature => "a signature is not that of the accused key",
			Self::NoContradiction => "the assignments do not contradict each other",
		})
	}
}

impl core::error::Error for EvidenceError {}

impl Evidence {
	/// Returns the id of the job that it is about, as its first statement says.
	pub const fn job_id(&self) -> H256 {
		match self {
			Self::TwoReceipts { first, .. } | Self::TwoOutcomes { first, .. } => {
				first.receipt.job_id
			},
			Self::AboveQuote { signed, .. } | Self::ReceiptAndRelease { signed, .. } => {
				signed.receipt.job_id
			},
			Self::TwoAssignments { first, .. } => first.0.job_id,
		}
	}

	/// Returns the role in which the accused key signed.
	pub const fn signer(&self) -> Signer {
		match self {
			Self::TwoReceipts { .. } => Signer::Miner,
			Self::AboveQuote { signer, .. } => *signer,
			Self::TwoOutcomes { .. }
			| Self::ReceiptAndRelease { .. }
			| Self::TwoAssignments { .. } => Signer::Coordinator,
		}
	}

	/// Returns the offence that this evidence proves. The cheap checks come first, then the
	/// signatures.
	///
	/// # Errors
	/// The first reason of [`EvidenceError`] that applies.
	pub fn check(&self, genesis: &H256) -> Result<Proven, EvidenceError> {
		match self {
			Self::TwoReceipts { first, second } => {
				if first.receipt.miner != second.receipt.miner {
					return Err(EvidenceError::OtherMiner);
				}
				let miner = first.receipt.miner;
				two_receipts(genesis, &miner, Signer::Miner, first, second)?;
				Ok(proven(OffenceKind::TwoReceipts, miner, first))
			},
			Self::AboveQuote { quote, signer, signed } => {
				let receipt = &signed.receipt;
				if quote.job_id(genesis) != receipt.job_id {
					return Err(EvidenceError::OtherJob);
				}
				if receipt.compute_units <= quote.max_units && receipt.price <= quote.price {
					return Err(EvidenceError::WithinQuote);
				}
				let offender = match signer {
					Signer::Miner => receipt.miner,
					Signer::Coordinator => quote.coordinator,
				};
				verify(genesis, &offender, *signer, signed)?;
				Ok(proven(OffenceKind::AboveQuote, offender, signed))
			},
			Self::TwoOutcomes { coordinator, first, second } => {
				two_receipts(genesis, coordinator, Signer::Coordinator, first, second)?;
				Ok(proven(OffenceKind::TwoOutcomes, *coordinator, first))
			},
			Self::ReceiptAndRelease { coordinator, signed, release } => {
				verify(genesis, coordinator, Signer::Coordinator, signed)?;
				let payload = release_payload(genesis, &signed.receipt.job_id);
				ed25519::verify(coordinator, &payload, release)
					.map_err(|_| EvidenceError::BadSignature)?;
				Ok(proven(OffenceKind::ReceiptAndRelease, *coordinator, signed))
			},
			Self::TwoAssignments { coordinator, first, second } => {
				let ((one, _), (other, _)) = (first, second);
				if one.job_id != other.job_id {
					return Err(EvidenceError::OtherJob);
				}
				if one.attempt != other.attempt || one.miner == other.miner {
					return Err(EvidenceError::NoContradiction);
				}
				for (assignment, signature) in [first, second] {
					assignment
						.verify(genesis, Signer::Coordinator, coordinator, signature)
						.map_err(|_| EvidenceError::BadSignature)?;
				}
				let (kind, offender) = (OffenceKind::TwoAssignments, *coordinator);
				Ok(Proven { kind, offender, job_id: one.job_id })
			},
		}
	}
}

fn proven(kind: OffenceKind, offender: PublicKey, signed: &SignedBy) -> Proven {
	Proven { kind, offender, job_id: signed.receipt.job_id }
}

fn two_receipts(
	genesis: &H256,
	key: &PublicKey,
	signer: Signer,
	first: &SignedBy,
	second: &SignedBy,
) -> Result<(), EvidenceError> {
	if first.receipt.job_id != second.receipt.job_id {
		return Err(EvidenceError::OtherJob);
	}
	if first.receipt == second.receipt {
		return Err(EvidenceError::SameReceipt);
	}
	verify(genesis, key, signer, first)?;
	verify(genesis, key, signer, second)
}

fn verify(
	genesis: &H256,
	key: &PublicKey,
	signer: Signer,
	signed: &SignedBy,
) -> Result<(), EvidenceError> {
	signed
		.receipt
		.verify(genesis, signer, key, &signed.signature)
		.map_err(|_| EvidenceError::BadSignature)
}
