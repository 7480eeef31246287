//! Openings: what a coordinator is asked for, and what witnesses say where it gives nothing.

use super::{
	BatchId, CheckId, VerifierKey, VerifierSignature, Vrf, is_two_thirds, verify_signature,
};
use crate::{
	H256,
	compute::channels::{ChannelReceipt, Placed},
	crypto::ed25519::PublicKey,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Why a verifier may read a request.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Duty {
	/// The check fell to it by this draw.
	#[codec(index = 0)]
	Drawn {
		/// Number of the check.
		check: u32,
		/// Output and proof of the draw.
		vrf: Vrf,
	},
	/// It re-opens this report, by this output of its VRF.
	#[codec(index = 1)]
	Reopens {
		/// The check whose report it re-opens.
		of: CheckId,
		/// Output and proof of [`super::reopen_input`].
		vrf: Vrf,
	},
	/// It is a witness of the demand of this check's opening.
	#[codec(index = 2)]
	Witness(CheckId),
	/// It is of the jury of this dispute.
	#[codec(index = 3)]
	Juror(H256),
}

/// Request of a verifier to a coordinator for the opening of a receipt; it never goes on chain.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpeningRequest {
	/// Key of the verifier.
	pub verifier: VerifierKey,
	/// The batch, by coordinator and sequence number.
	pub batch: BatchId,
	/// Index of the receipt in the batch.
	pub index: u64,
	/// Why it may read it.
	pub duty: Duty,
	/// Time at which it was signed, in UTC milliseconds.
	pub time_ms: u64,
}

impl OpeningRequest {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/opening-request/v1";

	/// Returns the bytes that the verifier signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// Returns `true` if the signature is the verifier's.
	pub fn is_signed(&self, genesis: &H256, signature: &VerifierSignature) -> bool {
		verify_signature(&self.verifier, &self.signing_payload(genesis), signature)
	}
}

/// Demand on chain of an opening that the drawn verifier did not get.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpeningDemand {
	/// Key of the verifier.
	pub verifier: VerifierKey,
	/// Number of the check among those that fell to it.
	pub check: u32,
	/// Output and proof of its draw.
	pub vrf: Vrf,
	/// The batch, by coordinator and sequence number.
	pub batch: BatchId,
	/// Key of the miner in whose line the point lies.
	pub miner: PublicKey,
	/// The receipt, where the coordinator has published at least that. Without it anybody who has the list
	/// can name it on chain: then the demand is one of that receipt.
	pub receipt: Option<Placed<ChannelReceipt>>,
}

impl OpeningDemand {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/opening-demand/v1";

	/// Returns which check it is about.
	pub fn id(&self) -> CheckId {
		CheckId { batch: self.batch, verifier: self.verifier, check: self.check }
	}

	/// Returns the bytes that the verifier signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// Returns `true` if the signature is the verifier's.
	pub fn is_signed(&self, genesis: &H256, signature: &VerifierSignature) -> bool {
		verify_signature(&self.verifier, &self.signing_payload(genesis), signature)
	}
}

/// What a witness says.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Witness {
	/// "I have the opening, and it proves."
	#[codec(index = 0)]
	Has,
	/// "I asked, and got nothing."
	#[codec(index = 1)]
	GotNothing,
}

/// Statement of a witness about a demanded opening.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WitnessStatement {
	/// Key of the witness.
	pub witness: VerifierKey,
	/// The check whose opening is demanded.
	pub of: CheckId,
	/// Place in its batch of the receipt of which it speaks; `None`: of the list of receipts, before anybody has
	/// named one. What was said of a list cannot be brought as said of an opening.
	pub index: Option<u64>,
	/// What it says.
	pub says: Witness,
}

impl WitnessStatement {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/check-witness/v1";

	/// Returns the bytes that the witness signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// Returns `true` if the signature is the witness's.
	pub fn is_signed(&self, genesis: &H256, signature: &VerifierSignature) -> bool {
		verify_signature(&self.witness, &self.signing_payload(genesis), signature)
	}
}

/// How a demand of an opening ends.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpeningOutcome {
	/// Two thirds have it: the check continues.
	#[codec(index = 0)]
	Opened,
	/// Two thirds got nothing: pay and mint of the receipt are forfeited, and the coordinator is guilty.
	#[codec(index = 1)]
	Withheld,
	/// Neither: pay and mint of the receipt are forfeited, and nobody is punished.
	#[codec(index = 2)]
	Unclear,
}

/// Returns how a demand ends, if it can be said already: as soon as two thirds of `witnesses` say the
/// same, and at its end in any case.
///
/// The demander is one of them here, and says that it got nothing: without it a third of all verifiers would
/// be more than a third of the others.
pub const fn witnesses_say(
	has: u32,
	got_nothing: u32,
	witnesses: u32,
	is_over: bool,
) -> Option<OpeningOutcome> {
	if is_two_thirds(has, witnesses) {
		Some(OpeningOutcome::Opened)
	} else if is_two_thirds(got_nothing, witnesses) {
		Some(OpeningOutcome::Withheld)
	} else if is_over {
		Some(OpeningOutcome::Unclear)
	} else {
		None
	}
}
