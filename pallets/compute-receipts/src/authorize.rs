//! Which transactions without a signer may enter pool and block: only those that will do everything
//! they say.

use crate::{
	channels::types::ChannelIds, claims::Batch, pallet::*, types::*, waiting::types::Parts,
};
use alloc::{boxed::Box, vec::Vec};
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::{
		DispatchError, Get, InvalidTransaction, TransactionSource, TransactionValidityError,
		TransactionValidityWithRefund, ValidTransaction, Weight,
	},
	traits::PalletInfoAccess,
};
use frame_system::{ensure_authorized, ensure_signed, pallet_prelude::OriginFor};
use gridproof_primitives::{
	H256,
	codec::SECOND_LIST,
	compute::{
		ReceiptRefusal, SignedAssignment, SignedReceipt,
		checks::{BatchId, Part},
	},
	crypto::ed25519::{PublicKey, Signature},
};
use sp_io::hashing::blake2_256;

impl<T: Config> Pallet<T> {
	/// Accepts the origins `Authorized` and `Signed`. Returns `true` if it is `Signed`.
	pub(crate) fn ensure_anyone(origin: OriginFor<T>) -> Result<bool, DispatchError> {
		let signed = ensure_authorized(origin.clone()).is_err();
		if signed {
			ensure_signed(origin)?;
		}
		Ok(signed)
	}

	/// Returns the refusal whose code says which error it was.
	fn refusal(error: impl Into<DispatchError>) -> TransactionValidityError {
		let code = match error.into() {
			DispatchError::Module(error)
				if usize::from(error.index) == <Self as PalletInfoAccess>::index() =>
			{
				let [code, ..] = error.error;
				SECOND_LIST.saturating_add(code)
			},
			_ => u8::MAX,
		};
		InvalidTransaction::Custom(code).into()
	}

	/// Returns the validity under which the pool keeps a transaction and excludes others with one
	/// of the same tags.
	fn validity(
		tags: Vec<(&'static str, H256)>,
		priority: u64,
		refund: Weight,
	) -> TransactionValidityWithRefund {
		let mut valid = ValidTransaction::with_tag_prefix("GridproofCompute")
			.priority(priority)
			.longevity(T::SubmissionLongevity::get())
			.propagate(true);
		for tag in tags {
			valid = valid.and_provides(tag);
		}
		Ok((valid.into(), refund))
	}

	/// Returns the priority of what moves money that is due: claims, refunds, payouts. A shorter
	/// list replaces a longer one that names the same thing, so that nobody can hide a receipt in a
	/// list that never settles.
	fn priority_of_claims(listed: usize) -> u64 {
		let others = u64::try_from(listed).unwrap_or(u64::MAX).saturating_sub(1);
		T::SubmissionPriority::get().saturating_sub(others)
	}

	/// Returns the priority of what can wait: assignments and heartbeats. It is below that of every
	/// claim.
	fn priority_of_notes() -> u64 {
		T::SubmissionPriority::get().checked_div(2).unwrap_or(0)
	}

	/// Checks that every one of these receipts is acceptable now: state first, signatures last.
	/// Returns the number of parties.
	fn check_claim(receipts: &[SignedReceipt]) -> Result<usize, ReceiptRefusal> {
		let mut batch = Batch::<T>::new();
		let mut coordinators = Vec::with_capacity(receipts.len());
		for claim in receipts {
			let job = batch.check(&claim.receipt)?;
			batch.note(claim.receipt.job_id);
			coordinators.push(job.coordinator);
		}
		for (claim, coordinator) in receipts.iter().zip(&coordinators) {
			batch.verify(claim, coordinator)?;
		}
		Ok(batch.parties())
	}

	/// Decides about [`Pallet::claim_receipts`].
	pub(crate) fn authorize_claim(
		source: TransactionSource,
		receipts: &Receipts,
	) -> TransactionValidityWithRefund {
		ensure!(!receipts.is_empty(), Self::refusal(Error::<T>::InvalidList));
		let parties = Self::check_claim(receipts)
			.map_err(|refusal| InvalidTransaction::Custom(refusal.code()))?;
		// In a block the dispatch follows immediately, within the same transaction.
		if source == TransactionSource::InBlock {
			Verified::<T>::put(Self::mark_of(receipts));
		}
		let tag = |claim: &SignedReceipt| ("claim", claim.receipt.job_id);
		// The weight assumes a miner and a coordinator for each receipt; each is read once.
		let spared = receipts.len().saturating_mul(2).saturating_sub(parties);
		let reads = u64::try_from(spared).unwrap_or(0);
		let priority = Self::priority_of_claims(receipts.len());
		let tags = receipts.iter().map(tag).collect();
		Self::validity(tags, priority, T::DbWeight::get().reads(reads))
	}

	/// Decides about [`Pallet::assign_job`].
	// The call's argument is boxed, and this receives a reference to the argument.
	#[allow(clippy::borrowed_box)]
	pub(crate) fn authorize_assign(
		_source: TransactionSource,
		assignment: &Box<SignedAssignment>,
	) -> TransactionValidityWithRefund {
		Self::check_free_assign(assignment).map_err(Self::refusal)?;
		// Without the attempt: one at a time for a job.
		let tag = ("assign", assignment.assignment.job_id);
		Self::validity([tag].into(), Self::priority_of_notes(), Weight::zero())
	}

	/// Decides about [`Pallet::release_job`].
	pub(crate) fn authorize_release(
		_source: TransactionSource,
		job_id: &H256,
		signature: &Signature,
	) -> TransactionValidityWithRefund {
		Self::check_release(*job_id, signature).map_err(Self::refusal)?;
		Self::validity([("release", *job_id)].into(), Self::priority_of_claims(1), Weight::zero())
	}

	/// Decides about [`Pallet::expire_jobs`].
	pub(crate) fn authorize_expire(
		_source: TransactionSource,
		jobs: &JobIds,
	) -> TransactionValidityWithRefund {
		Self::check_expire(jobs).map_err(Self::refusal)?;
		let tags = jobs.iter().map(|job_id| ("expire", *job_id)).collect();
		Self::validity(tags, Self::priority_of_claims(jobs.len()), Weight::zero())
	}

	/// Decides about [`Pallet::return_rests`].
	pub(crate) fn authorize_return(
		_source: TransactionSource,
		channels: &ChannelIds,
	) -> TransactionValidityWithRefund {
		Self::check_return(channels).map_err(Self::refusal)?;
		let tags = channels.iter().map(|id| ("rest", H256(blake2_256(&id.encode())))).collect();
		Self::validity(tags, Self::priority_of_claims(channels.len()), Weight::zero())
	}

	/// Decides about [`Pallet::release_waiting`].
	pub(crate) fn authorize_release_waiting(
		_source: TransactionSource,
		parts: &Parts,
	) -> TransactionValidityWithRefund {
		Self::check_release_waiting(parts).map_err(Self::refusal)?;
		let tags = parts.iter().map(|part| ("part", H256(blake2_256(&part.encode())))).collect();
		Self::validity(tags, Self::priority_of_claims(parts.len()), Weight::zero())
	}

	/// Decides about [`Pallet::return_to_clients`].
	pub(crate) fn authorize_returns(
		_source: TransactionSource,
		batch: &BatchId,
		channels: &ChannelIds,
	) -> TransactionValidityWithRefund {
		Self::check_returns(batch, channels).map_err(Self::refusal)?;
		let tag = |id| ("back", H256(blake2_256(&(batch, id).encode())));
		let tags = channels.iter().map(tag).collect();
		Self::validity(tags, Self::priority_of_claims(channels.len()), Weight::zero())
	}

	/// Decides about [`Pallet::sign_line`].
	pub(crate) fn authorize_sign_line(
		_source: TransactionSource,
		batch: &BatchId,
		miner: &PublicKey,
		signature: &Signature,
	) -> TransactionValidityWithRefund {
		Self::check_sign_line(*batch, *miner, signature).map_err(Self::refusal)?;
		let part = Part::Miner(*batch, *miner);
		let tag = ("line", H256(blake2_256(&part.encode())));
		Self::validity([tag].into(), Self::priority_of_notes(), Weight::zero())
	}

	/// Decides about [`Pallet::heartbeats`].
	pub(crate) fn authorize_heartbeats(
		_source: TransactionSource,
		heartbeats: &Heartbeats,
	) -> TransactionValidityWithRefund {
		Self::check_heartbeats(heartbeats).map_err(Self::refusal)?;
		let miners = heartbeats.iter().map(|signed| H256(signed.heartbeat.miner));
		let tags = miners.map(|miner| ("heartbeat", miner)).collect();
		Self::validity(tags, Self::priority_of_notes(), Weight::zero())
	}

	/// Decides about [`Pallet::claim_emission`].
	pub(crate) fn authorize_payout(
		_source: TransactionSource,
		parties: &Payees,
	) -> TransactionValidityWithRefund {
		Self::check_payout(parties).map_err(Self::refusal)?;
		let tags = parties.iter().map(|key| ("payout", H256(*key))).collect();
		Self::validity(tags, Self::priority_of_claims(parties.len()), Weight::zero())
	}
}
