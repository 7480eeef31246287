//! Which statements may enter pool and block without a fee: only those that do what they say.
//!
//! Each is of one verifier and one thing, and can be made once, which is all the quota that there is: a
//! verifier cannot report what did not fall to it, or say a thing twice.

use crate::pallet::*;
use alloc::boxed::Box;
use codec::Encode;
use frame_support::{
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
		channels::{ChannelReceipt, Placed},
		checks::{
			Abstention, Ballot, BatchId, CheckId, CheckRefusal, CheckReport, JuryCommitment,
			OpeningDemand, Reopening, ShownFigures, VerifierSignature, WitnessStatement,
		},
	},
};
use sp_io::hashing::blake2_256;

impl<T: Config> Pallet<T> {
	/// Accepts the origins `Authorized` and `Signed`.
	pub(crate) fn ensure_anyone(origin: OriginFor<T>) -> Result<(), DispatchError> {
		if ensure_authorized(origin.clone()).is_err() {
			ensure_signed(origin)?;
		}
		Ok(())
	}

	/// Returns the refusal whose code says which error it was: [`SECOND_LIST`] and the error's number.
	fn refusal(refusal: CheckRefusal) -> TransactionValidityError {
		let code = match Self::refused(refusal) {
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

	/// Returns the validity under which the pool keeps one statement of a kind about a thing.
	fn validity(tag: &'static str, about: impl Encode) -> TransactionValidityWithRefund {
		let valid = ValidTransaction::with_tag_prefix("GridproofChecks")
			.priority(T::SubmissionPriority::get())
			.longevity(T::SubmissionLongevity::get())
			.propagate(true)
			.and_provides((tag, H256(about.using_encoded(blake2_256))));
		Ok((valid.into(), Weight::zero()))
	}

	/// In a block the dispatch follows immediately, within the same transaction.
	fn put_mark(source: TransactionSource, statement: &impl Encode) {
		if source == TransactionSource::InBlock {
			Verified::<T>::put(H256(statement.using_encoded(blake2_256)));
		}
	}

	/// Returns `true` if signature and draw of this statement were verified just now.
	pub(crate) fn take_mark(statement: &impl Encode) -> bool {
		Verified::<T>::take() == Some(H256(statement.using_encoded(blake2_256)))
	}

	/// Decides about [`Pallet::touch`].
	pub(crate) fn authorize_touch(
		_: TransactionSource,
		batch: &BatchId,
	) -> TransactionValidityWithRefund {
		Self::check_touch(batch).map_err(Self::refusal)?;
		Self::validity("touch", batch)
	}

	/// Decides about [`Pallet::report_check`].
	pub(crate) fn authorize_report(
		source: TransactionSource,
		report: &Box<CheckReport>,
		signature: &VerifierSignature,
	) -> TransactionValidityWithRefund {
		Self::check_whole_report(report, signature).map_err(Self::refusal)?;
		Self::put_mark(source, &(report, signature));
		Self::validity("report", report.id())
	}

	/// Decides about [`Pallet::reopen`].
	pub(crate) fn authorize_reopen(
		_: TransactionSource,
		reopening: &Box<Reopening>,
		signature: &VerifierSignature,
	) -> TransactionValidityWithRefund {
		Self::check_reopen(reopening, signature).map_err(Self::refusal)?;
		Self::validity("reopen", reopening.of)
	}

	/// Decides about [`Pallet::show_figures`].
	pub(crate) fn authorize_show(
		_: TransactionSource,
		shown: &Box<ShownFigures>,
		signature: &VerifierSignature,
	) -> TransactionValidityWithRefund {
		Self::check_shown(shown, signature).map_err(Self::refusal)?;
		Self::validity("show", (shown.of, shown.by))
	}

	/// Decides about [`Pallet::close_reopening`].
	pub(crate) fn authorize_close_reopening(
		_: TransactionSource,
		check: &CheckId,
	) -> TransactionValidityWithRefund {
		Self::check_close_reopening(check).map_err(Self::refusal)?;
		Self::validity("close reopening", check)
	}

	/// Decides about [`Pallet::demand_opening`].
	pub(crate) fn authorize_demand(
		source: TransactionSource,
		demand: &Box<OpeningDemand>,
		signature: &VerifierSignature,
	) -> TransactionValidityWithRefund {
		Self::check_whole_demand(demand, signature).map_err(Self::refusal)?;
		Self::put_mark(source, &(demand, signature));
		Self::validity("demand", demand.id())
	}

	/// Decides about [`Pallet::witness`].
	pub(crate) fn authorize_witness(
		_: TransactionSource,
		statement: &Box<WitnessStatement>,
		signature: &VerifierSignature,
	) -> TransactionValidityWithRefund {
		Self::check_witness(statement, signature).map_err(Self::refusal)?;
		Self::validity("witness", (statement.of, statement.witness))
	}

	/// Decides about [`Pallet::close_demand`].
	pub(crate) fn authorize_close_demand(
		_: TransactionSource,
		check: &CheckId,
	) -> TransactionValidityWithRefund {
		Self::check_close_demand(check).map_err(Self::refusal)?;
		Self::validity("close demand", check)
	}

	/// Decides about [`Pallet::commit_vote`].
	pub(crate) fn authorize_commit(
		_: TransactionSource,
		commitment: &Box<JuryCommitment>,
		signature: &VerifierSignature,
	) -> TransactionValidityWithRefund {
		Self::check_commit(commitment, signature).map_err(Self::refusal)?;
		Self::validity("commit", (commitment.dispute, commitment.juror))
	}

	/// Decides about [`Pallet::reveal_vote`].
	pub(crate) fn authorize_reveal(
		_: TransactionSource,
		ballot: &Box<Ballot>,
		signature: &VerifierSignature,
	) -> TransactionValidityWithRefund {
		Self::check_reveal(ballot, signature).map_err(Self::refusal)?;
		Self::validity("reveal", (ballot.dispute, ballot.juror))
	}

	/// Decides about [`Pallet::name_receipt`].
	pub(crate) fn authorize_name(
		_: TransactionSource,
		check: &CheckId,
		receipt: &Box<Placed<ChannelReceipt>>,
	) -> TransactionValidityWithRefund {
		Self::check_name(check, receipt).map_err(Self::refusal)?;
		Self::validity("name", check)
	}

	/// Decides about [`Pallet::abstain`].
	pub(crate) fn authorize_abstain(
		_: TransactionSource,
		abstention: &Box<Abstention>,
		signature: &VerifierSignature,
	) -> TransactionValidityWithRefund {
		Self::check_abstain(abstention, signature).map_err(Self::refusal)?;
		// It stands instead of a commitment.
		Self::validity("commit", (abstention.dispute, abstention.juror))
	}

	/// Decides about [`Pallet::close_dispute`].
	pub(crate) fn authorize_close_dispute(
		_: TransactionSource,
		dispute: &H256,
	) -> TransactionValidityWithRefund {
		Self::check_close_dispute(dispute).map_err(Self::refusal)?;
		Self::validity("close dispute", dispute)
	}

	/// Decides about [`Pallet::settle_checks`].
	pub(crate) fn authorize_settle(
		_: TransactionSource,
		batch: &BatchId,
	) -> TransactionValidityWithRefund {
		Self::check_settle(batch).map_err(Self::refusal)?;
		Self::validity("settle", batch)
	}

	/// Decides about [`Pallet::pay_checks`].
	pub(crate) fn authorize_pay(_: TransactionSource, day: &u64) -> TransactionValidityWithRefund {
		Self::check_pay(*day).map_err(Self::refusal)?;
		Self::validity("pay", day)
	}
}
