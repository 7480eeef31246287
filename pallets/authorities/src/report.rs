//! Two blocks for one slot: the evidence, and how it is checked.

use crate::{Config, Error, KeyOwners, LetInAt, Pallet, Seats, Slots};
use alloc::{boxed::Box, vec, vec::Vec};
use codec::Encode;
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	pallet_prelude::{
		InvalidTransaction, TransactionSource, TransactionValidityError,
		TransactionValidityWithRefund, ValidTransaction,
	},
	traits::{Get, KeyOwnerProofSystem},
	weights::Weight,
};
use frame_system::pallet_prelude::HeaderFor;
use pallet_authorities_api::TwoBlocks;
use pallet_session::historical::IdentificationTuple;
use sp_consensus_aura::{Slot, digests::CompatibleDigestItem};
use sp_runtime::{
	DispatchError, Perbill, RuntimeAppPublic,
	traits::{Header, SaturatedConversion},
};
use sp_session::MembershipProof;
use sp_staking::{
	SessionIndex,
	offence::{Kind, Offence, ReportOffence},
};

/// Highest length of a report, in bytes: two headers with a change of 1,024 seats and 256 voters in
/// each, and the proof.
pub const MAX_REPORT_BYTES: usize = 128 * 1024;

/// [`TwoBlocks`] of a chain.
pub type TwoBlocksOf<T> = TwoBlocks<HeaderFor<T>, <T as pallet_aura::Config>::AuthorityId>;

/// Offence of an authority that signed two blocks for one slot.
pub struct TwoBlocksOffence<Offender> {
	/// Slot of both blocks.
	pub slot: Slot,
	/// Session to which the slot belongs.
	pub session: SessionIndex,
	/// Number of authorities in that session.
	pub authorities: u32,
	/// Who did it.
	pub offender: Offender,
}

impl<Offender: Clone> Offence<Offender> for TwoBlocksOffence<Offender> {
	type Slot = Slot;

	const ID: Kind = *b"aura:equivocatio";

	fn offenders(&self) -> Vec<Offender> {
		vec![self.offender.clone()]
	}

	fn session_index(&self) -> SessionIndex {
		self.session
	}

	fn validator_set_count(&self) -> u32 {
		self.authorities
	}

	fn slot(&self) -> Slot {
		self.slot
	}

	// As GRANDPA has it for two votes: (3k / n)², at most all.
	fn slash_fraction(&self, offenders: u32) -> Perbill {
		Perbill::from_rational(offenders.saturating_mul(3), self.authorities.max(1)).square()
	}
}

type Seal<T> = <<T as pallet_aura::Config>::AuthorityId as RuntimeAppPublic>::Signature;

/// A header taken apart.
struct Sealed<T: Config> {
	/// Hash of what the seal signs.
	content: T::Hash,
	slot: Slot,
	seal: Seal<T>,
}

impl<T: Config> Sealed<T> {
	/// Returns `None` if the header has no slot, or its last digest is not a seal.
	fn read(mut header: HeaderFor<T>) -> Option<Self> {
		let seal = header.digest_mut().pop()?;
		let seal = CompatibleDigestItem::<Seal<T>>::as_aura_seal(&seal)?;
		let slot = header
			.digest()
			.logs
			.iter()
			.find_map(CompatibleDigestItem::<Seal<T>>::as_aura_pre_digest)?;
		Some(Self { content: header.hash(), slot, seal })
	}

	fn is_signed_by(&self, author: &T::AuthorityId) -> bool {
		author.verify(&self.content.as_ref(), &self.seal)
	}
}

impl<T: Config> Pallet<T> {
	/// Weight of the check of a report. Derived by hand until measured: two signatures (60 µs
	/// each), hashes of two headers and a proof of [`MAX_REPORT_BYTES`] in all (300 µs), twice for
	/// safety, and what is read.
	pub(crate) fn weight_of_check() -> Weight {
		let database = <T as frame_system::Config>::DbWeight::get();
		Weight::from_parts(900_000_000, 0).saturating_add(database.reads_writes(10, 1))
	}

	/// Weight of a report: it is checked again, kept (nine rows), and its author is banned (six).
	pub(crate) fn weight_of_report() -> Weight {
		let database = <T as frame_system::Config>::DbWeight::get();
		Self::weight_of_check()
			.saturating_add(Weight::from_parts(200_000_000, 0))
			.saturating_add(database.reads_writes(15, 15))
	}

	/// Decides about [`Pallet::report_two_blocks`].
	// The call's argument is boxed, and this receives a reference to the argument.
	#[allow(clippy::borrowed_box)]
	pub(crate) fn authorize_report(
		_source: TransactionSource,
		blocks: &Box<TwoBlocksOf<T>>,
		owner: &MembershipProof,
	) -> TransactionValidityWithRefund {
		Self::check_report(blocks, owner.clone()).map_err(Self::refusal)?;
		let valid = ValidTransaction::with_tag_prefix("GridproofTwoBlocks")
			.priority(T::ReportPriority::get())
			.longevity(T::ReportLongevity::get())
			.propagate(true)
			// The first one bans: a second one about the same author says nothing new.
			.and_provides(blocks.author.encode());
		Ok((valid.into(), Weight::zero()))
	}

	/// Returns the refusal whose code says which error it was.
	fn refusal(error: Error<T>) -> TransactionValidityError {
		if matches!(error, Error::AlreadyReported | Error::Settled) {
			return InvalidTransaction::Stale.into();
		}
		match DispatchError::from(error) {
			DispatchError::Module(error) => {
				let [code, ..] = error.error;
				InvalidTransaction::Custom(code).into()
			},
			_ => InvalidTransaction::BadProof.into(),
		}
	}

	/// Checks a report, what is cheap first.
	pub(crate) fn check_report(
		blocks: &TwoBlocksOf<T>,
		owner: MembershipProof,
	) -> Result<TwoBlocksOffence<IdentificationTuple<T>>, Error<T>> {
		let length = blocks.encoded_size().saturating_add(owner.encoded_size());
		ensure!(length <= MAX_REPORT_BYTES, Error::ReportTooLong);
		let read = |header: &HeaderFor<T>| Sealed::<T>::read(header.clone());
		let (Some(first), Some(second)) = (read(&blocks.first), read(&blocks.second)) else {
			return Err(Error::NotTwoBlocks);
		};
		let slot = first.slot;
		ensure!(slot == second.slot && first.content != second.content, Error::NotTwoBlocks);
		Self::check_seat(&blocks.author, slot, owner.session)?;
		let both = first.is_signed_by(&blocks.author) && second.is_signed_by(&blocks.author);
		ensure!(both, Error::NotSealed);
		let (session, authorities) = (owner.session, owner.validator_count);
		let key = (T::AuthorityId::ID, blocks.author.to_raw_vec());
		let offender =
			KeyOwners::<T>::check_proof(key, owner).ok_or(Error::InvalidKeyOwnershipProof)?;
		let settled = LetInAt::<T>::get(&offender.0).is_some_and(|let_in| slot <= let_in);
		ensure!(!settled && !Self::is_banned(&offender.0), Error::Settled);
		let known = T::Offences::is_known_offence(core::slice::from_ref(&offender), &slot);
		ensure!(!known, Error::AlreadyReported);
		Ok(TwoBlocksOffence { slot, session, authorities, offender })
	}

	/// Checks that a slot is of a session, and belonged to the key in it.
	fn check_seat(
		author: &T::AuthorityId,
		slot: Slot,
		session: SessionIndex,
	) -> Result<(), Error<T>> {
		let range = Slots::<T>::get(session).ok_or(Error::NotOfThisSession)?;
		let next = session.checked_add(1).and_then(Slots::<T>::get);
		let is_within = slot > range.after && next.is_none_or(|next| slot <= next.after);
		ensure!(is_within, Error::NotOfThisSession);
		let seats = Seats::<T>::get(range.seats_of).ok_or(Error::NotOfThisSession)?;
		let number: u64 = seats.len().saturated_into();
		let seat = u64::from(slot).checked_rem(number).ok_or(Error::NotItsSlot)?;
		let key = seats.get(seat.saturated_into::<usize>());
		ensure!(key == Some(author), Error::NotItsSlot);
		Ok(())
	}

	/// Has an offence kept and its author banned.
	pub(crate) fn do_report(
		blocks: &TwoBlocksOf<T>,
		owner: MembershipProof,
		reporter: Option<T::AccountId>,
	) -> DispatchResult {
		let offence = Self::check_report(blocks, owner)?;
		T::Offences::report_offence(reporter.into_iter().collect(), offence)
			.map_err(|_| Error::<T>::AlreadyReported)?;
		Ok(())
	}
}
