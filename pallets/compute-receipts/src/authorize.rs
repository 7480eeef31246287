//! Which transactions without a signer may enter pool and block: only those that will do everything
//! they say.

use crate::{claims::Batch, pallet::*, types::*};
use alloc::{boxed::Box, vec::Vec};
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
	compute::{ReceiptRefusal, SignedAssignment, SignedReceipt},
	crypto::ed25519::{PublicKey, Signature},
};

/// Lowest code of a refused transaction that is one of this pallet's errors: 128 plus its index.
const ERROR_CODES: u8 = SECOND_LIST;

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
				ERROR_CODES.saturating_add(code)
			},
			_ => u8::MAX,
		};
		InvalidTransaction::Custom(code).into()
	}

	/// Returns the validity under which the pool keeps a transaction and excludes others with one
	/// of the same tags.
	fn validity(
		tags: Vec<(&'static str, H256, u64)>,
		refund: Weight,
	) -> TransactionValidityWithRefund {
		let mut valid = ValidTransaction::with_tag_prefix("GridproofCompute")
			.priority(T::SubmissionPriority::get())
			.longevity(T::SubmissionLongevity::get())
			.propagate(true);
		for tag in tags {
			valid = valid.and_provides(tag);
		}
		Ok((valid.into(), refund))
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
		let tag = |claim: &SignedReceipt| ("claim", claim.receipt.job_id, 0);
		// The weight assumes two parties for each receipt, of which each one is read once.
		let spared = receipts.len().saturating_mul(2).saturating_sub(parties);
		let reads = u64::try_from(spared).unwrap_or(0);
		Self::validity(receipts.iter().map(tag).collect(), T::DbWeight::get().reads(reads))
	}

	/// Decides about [`Pallet::assign_job`].
	// The call's argument is boxed, and this receives a reference to the argument.
	#[allow(clippy::borrowed_box)]
	pub(crate) fn authorize_assign(
		_source: TransactionSource,
		assignment: &Box<SignedAssignment>,
	) -> TransactionValidityWithRefund {
		Self::check_assign(assignment).map_err(Self::refusal)?;
		let assignment = assignment.assignment;
		Self::validity(
			[("assign", assignment.job_id, assignment.attempt.into())].into(),
			Weight::zero(),
		)
	}

	/// Decides about [`Pallet::release_job`].
	pub(crate) fn authorize_release(
		_source: TransactionSource,
		job_id: &H256,
		signature: &Signature,
	) -> TransactionValidityWithRefund {
		Self::check_release(*job_id, signature).map_err(Self::refusal)?;
		Self::validity([("release", *job_id, 0)].into(), Weight::zero())
	}

	/// Decides about [`Pallet::expire_jobs`].
	pub(crate) fn authorize_expire(
		_source: TransactionSource,
		jobs: &JobIds,
	) -> TransactionValidityWithRefund {
		Self::check_expire(jobs).map_err(Self::refusal)?;
		Self::validity(jobs.iter().map(|job_id| ("expire", *job_id, 0)).collect(), Weight::zero())
	}

	/// Decides about [`Pallet::heartbeats`].
	pub(crate) fn authorize_heartbeats(
		_source: TransactionSource,
		heartbeats: &Heartbeats,
	) -> TransactionValidityWithRefund {
		Self::check_heartbeats(heartbeats).map_err(Self::refusal)?;
		let miners = heartbeats.iter().map(|signed| H256(signed.heartbeat.miner));
		Self::validity(miners.map(|miner| ("heartbeat", miner, 0)).collect(), Weight::zero())
	}

	/// Decides about [`Pallet::claim_emission`].
	pub(crate) fn authorize_payout(
		_source: TransactionSource,
		parties: &Payees,
	) -> TransactionValidityWithRefund {
		Self::check_payout(parties).map_err(Self::refusal)?;
		let tag = |key: &PublicKey| ("payout", H256(*key), 0);
		Self::validity(parties.iter().map(tag).collect(), Weight::zero())
	}
}
