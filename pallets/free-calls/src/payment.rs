//! Who pays, who does not, and how much of a block those who do not may take.

use crate::{Config, MAX_FREE_PRIORITY, MIN_PAYING_PRIORITY, UsedInBlock};
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
	dispatch::{DispatchInfo, PostDispatchInfo},
	ensure,
	pallet_prelude::{DispatchResult, InvalidTransaction, TransactionSource, Weight},
	traits::{Authorize, Get},
};
use frame_system::{ensure_authorized, ensure_signed};
use pallet_transaction_payment::{ChargeTransactionPayment, OnChargeTransaction};
use scale_info::{StaticTypeInfo, TypeInfo};
use sp_runtime::{
	traits::{
		CheckedDiv, DispatchInfoOf, Dispatchable, Implication, PostDispatchInfoOf,
		TransactionExtension, TransactionExtensionMetadata, ValidateResult, Zero,
	},
	transaction_validity::{TransactionPriority, TransactionValidityError},
};

type Inner<T> = ChargeTransactionPayment<T>;
type InnerVal<T> = pallet_transaction_payment::Val<T>;
type Call<T> = <T as frame_system::Config>::RuntimeCall;
/// Amount of the token that fees are paid in.
pub(crate) type Balance<T> = <<T as pallet_transaction_payment::Config>::OnChargeTransaction as OnChargeTransaction<T>>::Balance;

/// [`ChargeTransactionPayment`], except for calls that their pallet authorises.
///
/// | transaction | fee | priority |
/// |---|---|---|
/// | general, authorised | none | as the pallet says, at most [`MAX_FREE_PRIORITY`] |
/// | signed, no tip, the call can be authorised | none, or refused for the pallet's reason | the same |
/// | any other signed one | fee and tip | [`MIN_PAYING_PRIORITY`] and what the tip adds, more for what takes less of a block |
///
/// A signed call that was free in the pool and is so no longer, because somebody else brought the
/// same thing first, is refused: its sender pays nothing and keeps the nonce.
#[derive(Encode, Decode, DecodeWithMemTracking)]
pub struct FreeOrPaid<T: Config>(Inner<T>);

impl<T: Config> Clone for FreeOrPaid<T> {
	fn clone(&self) -> Self {
		Self(self.0.clone())
	}
}

impl<T: Config> PartialEq for FreeOrPaid<T> {
	fn eq(&self, other: &Self) -> bool {
		self.0.encode() == other.0.encode()
	}
}

impl<T: Config> Eq for FreeOrPaid<T> {}

impl<T: Config> From<Inner<T>> for FreeOrPaid<T> {
	fn from(payment: Inner<T>) -> Self {
		Self(payment)
	}
}

impl<T: Config> core::fmt::Debug for FreeOrPaid<T> {
	fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		write!(formatter, "FreeOrPaid<{:?}>", self.0.encode())
	}
}

// To wallets it is what it wraps.
impl<T: Config> TypeInfo for FreeOrPaid<T>
where
	Inner<T>: StaticTypeInfo,
{
	type Identity = Inner<T>;

	fn type_info() -> scale_info::Type {
		Inner::<T>::type_info()
	}
}

/// What the check of a transaction found out.
pub enum Val<V> {
	/// It pays. What it gives back is the weight of an authorisation that nobody asked for.
	Paid(V, Weight),
	/// It is free, and gives back this weight.
	Free(Weight),
}

/// What is to be done after a transaction.
pub enum Pre<P> {
	/// Correct its fee.
	Paid(P, Weight),
	/// Nothing but to give back weight.
	Free(Weight),
}

impl<T: Config> FreeOrPaid<T>
where
	Call<T>: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
{
	/// Returns the priority of a transaction that pays: the SDK's formula, with tip and fee in the
	/// unit of [`Config::PriorityUnit`], so that its 63 bits hold the tips that people give.
	fn priority(val: &InnerVal<T>, info: &DispatchInfo, len: usize) -> TransactionPriority {
		let (tip, fee) = match val {
			InnerVal::Charge { tip, fee_with_tip, .. } => (*tip, *fee_with_tip),
			InnerVal::NoCharge => Default::default(),
		};
		let in_units =
			|amount: Balance<T>| amount.checked_div(&T::PriorityUnit::get()).unwrap_or(amount);
		Inner::<T>::get_priority(info, len, in_units(tip), in_units(fee))
			.saturating_add(MIN_PAYING_PRIORITY)
	}

	/// Counts a free transaction to what free ones use of this block.
	///
	/// The first one of a block may declare more than all of them may use, or a call whose worst
	/// case is that large could never be made. What counts is what it took.
	fn take_of_block(info: &DispatchInfo, len: usize) -> Result<(), TransactionValidityError> {
		let full = InvalidTransaction::ExhaustsResources;
		UsedInBlock::<T>::try_mutate(|used| {
			let length = u32::try_from(len).map_err(|_| full)?;
			let is_first = used.length == 0;
			used.weight = used.weight.saturating_add(info.total_weight());
			used.length = used.length.saturating_add(length);
			ensure!(is_first || used.weight.all_lte(T::MaxWeight::get()), full);
			ensure!(used.length <= T::MaxLength::get(), full);
			Ok(())
		})
	}
}

impl<T: Config + Send + Sync> TransactionExtension<Call<T>> for FreeOrPaid<T>
where
	Call<T>: Dispatchable<
			Info = DispatchInfo,
			PostInfo = PostDispatchInfo,
			RuntimeOrigin = T::RuntimeOrigin,
		>,
	Balance<T>: Send + Sync,
{
	const IDENTIFIER: &'static str = <Inner<T> as TransactionExtension<Call<T>>>::IDENTIFIER;
	type Implicit = ();
	type Val = Val<<Inner<T> as TransactionExtension<Call<T>>>::Val>;
	type Pre = Pre<<Inner<T> as TransactionExtension<Call<T>>>::Pre>;

	fn metadata() -> alloc::vec::Vec<TransactionExtensionMetadata> {
		<Inner<T> as TransactionExtension<Call<T>>>::metadata()
	}

	fn weight(&self, call: &Call<T>) -> Weight {
		// The authorisation of a signed call is within the weight of `AuthorizeCall`, which has
		// none to do then.
		self.0.weight(call).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}

	fn validate(
		&self,
		origin: T::RuntimeOrigin,
		call: &Call<T>,
		info: &DispatchInfo,
		len: usize,
		self_implicit: (),
		inherited_implication: &impl Implication,
		source: TransactionSource,
	) -> ValidateResult<Self::Val, Call<T>> {
		let fee_weight = <Inner<T> as TransactionExtension<Call<T>>>::weight(&self.0, call);
		if ensure_authorized(origin.clone()).is_ok() {
			return Ok((Default::default(), Val::Free(fee_weight), origin));
		}
		let is_signed = ensure_signed(origin.clone()).is_ok();
		if is_signed
			&& self.0.tip().is_zero()
			&& let Some(authorised) = call.authorize(source)
		{
			let (mut validity, unspent) = authorised?;
			validity.priority = validity.priority.min(MAX_FREE_PRIORITY);
			return Ok((validity, Val::Free(unspent.saturating_add(fee_weight)), origin));
		}
		let (mut validity, val, origin) = self.0.validate(
			origin,
			call,
			info,
			len,
			self_implicit,
			inherited_implication,
			source,
		)?;
		let mut unspent = T::DbWeight::get().reads_writes(1, 1);
		if is_signed {
			validity.priority = Self::priority(&val, info, len);
			unspent = unspent.saturating_add(call.weight_of_authorize());
		}
		Ok((validity, Val::Paid(val, unspent), origin))
	}

	fn prepare(
		self,
		val: Self::Val,
		origin: &T::RuntimeOrigin,
		call: &Call<T>,
		info: &DispatchInfo,
		len: usize,
	) -> Result<Self::Pre, TransactionValidityError> {
		match val {
			Val::Paid(val, unspent) => {
				let pre = self.0.prepare(val, origin, call, info, len)?;
				Ok(Pre::Paid(pre, unspent))
			},
			Val::Free(unspent) => {
				Self::take_of_block(info, len)?;
				Ok(Pre::Free(unspent))
			},
		}
	}

	fn post_dispatch_details(
		pre: Self::Pre,
		info: &DispatchInfoOf<Call<T>>,
		post_info: &PostDispatchInfoOf<Call<T>>,
		len: usize,
		result: &DispatchResult,
	) -> Result<Weight, TransactionValidityError> {
		match pre {
			Pre::Paid(pre, unspent) => {
				let more = Inner::<T>::post_dispatch_details(pre, info, post_info, len, result)?;
				Ok(unspent.saturating_add(more))
			},
			Pre::Free(unspent) => {
				let given_back = post_info.calc_unspent(info).saturating_add(unspent);
				UsedInBlock::<T>::mutate(|used| {
					used.weight = used.weight.saturating_sub(given_back);
				});
				Ok(unspent)
			},
		}
	}
}
