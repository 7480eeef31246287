//! Juries: all verifiers but the parties decide a dispute, by commitments that are revealed together.

use super::{
	BatchId, CheckId, OtherLine, VerifierKey, VerifierSignature, draw::scaled, verify_signature,
};
use crate::{
	H256,
	compute::{
		channels::{ChannelReceipt, GivenUp, MinerLine},
		emission::share_of,
	},
	crypto::ed25519::PublicKey,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_io::hashing::blake2_256;

/// What a juror found.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verdict {
	/// `true` if the accused is guilty.
	pub guilty: bool,
	/// Of a dispute about a number: the verifier whose figures the juror did not find again, if any.
	pub invented: Option<VerifierKey>,
}

/// A juror's vote, as it is committed to and revealed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ballot {
	/// Key of the juror.
	pub juror: VerifierKey,
	/// Id of the dispute.
	pub dispute: H256,
	/// What it found.
	pub verdict: Verdict,
	/// 32 random bytes that hide the vote until it is revealed.
	pub salt: [u8; 32],
}

impl Ballot {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/jury-reveal/v1";

	/// Returns the commitment to the vote: blake2-256 of SCALE (`"gridproof/jury-vote/v1"`, genesis
	/// hash, ballot). Juror and dispute are part of it, so that it cannot be copied.
	pub fn commitment(&self, genesis: &H256) -> H256 {
		H256(("gridproof/jury-vote/v1", genesis, self).using_encoded(blake2_256))
	}

	/// Returns the bytes that the juror signs to reveal it.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// Returns `true` if the signature is the juror's.
	pub fn is_signed(&self, genesis: &H256, signature: &VerifierSignature) -> bool {
		verify_signature(&self.juror, &self.signing_payload(genesis), signature)
	}
}

/// A juror's commitment to its vote.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JuryCommitment {
	/// Key of the juror.
	pub juror: VerifierKey,
	/// Id of the dispute.
	pub dispute: H256,
	/// [`Ballot::commitment`].
	pub commitment: H256,
}

impl JuryCommitment {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/jury-commit/v1";

	/// Returns the bytes that the juror signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// Returns `true` if the signature is the juror's.
	pub fn is_signed(&self, genesis: &H256, signature: &VerifierSignature) -> bool {
		verify_signature(&self.juror, &self.signing_payload(genesis), signature)
	}
}

/// Returns `true` if `votes` are at least two thirds of `all`, which must not be none.
pub const fn is_two_thirds(votes: u32, all: u32) -> bool {
	// At most 21 of them.
	all > 0 && votes.saturating_mul(3) >= all.saturating_mul(2)
}

/// Votes that were revealed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Votes {
	/// For guilty.
	pub guilty: u32,
	/// For not guilty.
	pub not_guilty: u32,
}

impl Votes {
	/// Counts a vote.
	#[must_use]
	pub const fn with(self, verdict: &Verdict) -> Self {
		if verdict.guilty {
			Self { guilty: self.guilty.saturating_add(1), ..self }
		} else {
			Self { not_guilty: self.not_guilty.saturating_add(1), ..self }
		}
	}

	/// Returns these votes and others together.
	#[must_use]
	pub const fn and(&self, other: &Self) -> Self {
		Self {
			guilty: self.guilty.saturating_add(other.guilty),
			not_guilty: self.not_guilty.saturating_add(other.not_guilty),
		}
	}

	/// Returns the number of these votes.
	pub const fn number(&self) -> u32 {
		self.guilty.saturating_add(self.not_guilty)
	}

	/// Returns what a jury of so many found, and the verifiers that are parties; `None` if two thirds of them
	/// together found nothing, or nobody is of the jury.
	///
	/// Parties are not jurors, but they are of those two thirds of whom decide: who accuses stands for guilty,
	/// who is accused for not guilty. Without them a third of all verifiers would be more than a third of the
	/// jury, and could stop every verdict.
	pub const fn verdict(&self, parties: &Self, jurors: u32) -> Option<bool> {
		if jurors == 0 {
			return None;
		}
		self.and(parties).decide(jurors.saturating_add(parties.number()))
	}

	/// Returns what two thirds of so many found; `None` if they found nothing together.
	pub const fn decide(&self, jurors: u32) -> Option<bool> {
		if is_two_thirds(self.guilty, jurors) {
			Some(true)
		} else if is_two_thirds(self.not_guilty, jurors) {
			Some(false)
		} else {
			None
		}
	}
}

/// Why a juror has no vote.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoVote {
	/// "I asked the coordinator of this batch, and got no opening." What is not shown is nobody's guilt but
	/// who keeps it back, and never says that the accused is not guilty.
	#[codec(index = 0)]
	NotShown(BatchId),
	/// Of a number: nothing else of that miner and model waits that could be checked.
	#[codec(index = 1)]
	NothingElse,
}

/// Statement of a juror that it has no vote, and why. It is made instead of a commitment, as long as those
/// can be made.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Abstention {
	/// Key of the juror.
	pub juror: VerifierKey,
	/// Id of the dispute.
	pub dispute: H256,
	/// What keeps it from voting.
	pub why: NoVote,
}

impl Abstention {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/jury-abstention/v1";

	/// Returns the bytes that the juror signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// Returns `true` if the signature is the juror's.
	pub fn is_signed(&self, genesis: &H256, signature: &VerifierSignature) -> bool {
		verify_signature(&self.juror, &self.signing_payload(genesis), signature)
	}
}

/// Number of reports behind a number that its jury repeats, and of other receipts that it checks.
pub const JURY_REPEATS: u32 = 3;
/// Number of places that are drawn for a jury: it checks the first [`JURY_REPEATS`] of them at which there is a
/// receipt of the model.
pub const JURY_PLACES: u32 = 12;

/// Draws at most [`JURY_REPEATS`] places of a list of `among` for the jury of a dispute, each once.
///
/// Draw i is the first 8 bytes, little-endian, of blake2-256 of SCALE (`"gridproof/jury-choice/v1"`,
/// dispute, i as u32), taken modulo the number of places that are left, in their order.
fn jury_choice(dispute: &H256, among: u64) -> Vec<u64> {
	let (mut taken, mut drawn) = (Vec::new(), Vec::new());
	for number in 0..JURY_REPEATS {
		let hash = ("gridproof/jury-choice/v1", dispute, number).using_encoded(blake2_256);
		let draw = u64::from_le_bytes(hash.first_chunk().copied().unwrap_or_default());
		let left = among.saturating_sub(number.into());
		let Some(mut place) = draw.checked_rem(left) else { break };
		for one in &taken {
			place = place.saturating_add(u64::from(*one <= place));
		}
		drawn.push(place);
		taken.push(place);
		taken.sort_unstable();
	}
	drawn
}

/// Returns the reports behind a number that its jury repeats, drawn by the dispute's hash out of all that
/// took it up, by their ids.
pub fn repeated_reports(dispute: &H256, reports: &[CheckId]) -> Vec<CheckId> {
	let mut sorted = reports.to_vec();
	sorted.sort_unstable();
	sorted.dedup();
	let among = u64::try_from(sorted.len()).unwrap_or(u64::MAX);
	let places = jury_choice(dispute, among).into_iter();
	places.filter_map(|place| sorted.get(usize::try_from(place).ok()?).copied()).collect()
}

/// Where the jury of a number checks another receipt of the miner: a place in what a line pays.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OtherPlace {
	/// The batch, by coordinator and sequence number.
	pub batch: BatchId,
	/// The miner's key, as its line names it.
	pub miner: PublicKey,
	/// Place in the sum of the prices of the miner's receipts in that batch, without what it gave up, in
	/// the smallest unit of its asset.
	pub place: u128,
}

impl OtherPlace {
	/// Returns the index, among all receipts of the batch in their order, of the one that the jury
	/// checks: the miner's at the place or the first after it that is of the model, from the line's
	/// beginning again after its end. `None` if none is. `given_up` is what the batch gave up.
	pub fn find(
		&self,
		receipts: &[ChannelReceipt],
		given_up: &[GivenUp],
		model: &H256,
	) -> Option<usize> {
		let is_paid = |one: &ChannelReceipt| {
			let count = one.sums.miner.count;
			let holds = |range: &MinerLine| range.from.count < count && count <= range.to.count;
			let of_miner = given_up.iter().map(|one| &one.line);
			let mut of_miner = of_miner.filter(|range| range.miner == Some(self.miner));
			one.receipt.miner == Some(self.miner) && !of_miner.any(holds)
		};
		let own: Vec<_> = receipts.iter().enumerate().filter(|(_, one)| is_paid(one)).collect();
		let mut sum = 0u128;
		let first = own.iter().position(|(_, one)| {
			sum = sum.saturating_add(one.receipt.price);
			self.place < sum
		})?;
		let turned = own.iter().cycle().skip(first).take(own.len());
		turned.into_iter().find(|(_, one)| one.receipt.model == *model).map(|(index, _)| *index)
	}
}

/// Draws at most [`JURY_PLACES`] places in what lines of a miner that wait pay, by the dispute's hash.
///
/// The lines are put one after the other in the order of their batches, each as long as it is worth. Place i
/// is ⌊h · Σ worth / 2²⁵⁶⌋ among them, h the little-endian number of blake2-256 of SCALE
/// (`"gridproof/jury-place/v1"`, dispute, i as u32); a place w in the worth of a line is
/// ⌊w · price / worth⌋ in its price.
pub fn other_places(dispute: &H256, miner: &PublicKey, lines: &[OtherLine]) -> Vec<OtherPlace> {
	let mut sorted = lines.to_vec();
	sorted.retain(|line| line.price > 0);
	sorted.sort_unstable();
	let total = sorted.iter().fold(0u128, |sum, line| sum.saturating_add(line.worth));
	let place = |number: u32| {
		let hash = ("gridproof/jury-place/v1", dispute, number).using_encoded(blake2_256);
		let mut left = scaled(&hash, total)?;
		for OtherLine { batch, price, worth } in &sorted {
			if left < *worth {
				let place = share_of(*price, left, *worth);
				return Some(OtherPlace { batch: *batch, miner: *miner, place });
			}
			left = left.saturating_sub(*worth);
		}
		None
	};
	(0..JURY_PLACES).filter_map(place).collect()
}
