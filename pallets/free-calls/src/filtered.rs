//! Stopped calls are refused before anything else.

use crate::{Config, MAX_FREE_PRIORITY};
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
	dispatch::{DispatchInfo, PostDispatchInfo},
	ensure,
	pallet_prelude::{DispatchResult, InvalidTransaction, TransactionSource, Weight},
	traits::{Contains, Get},
};
use frame_system::AuthorizeCall;
use scale_info::{StaticTypeInfo, TypeInfo};
use sp_runtime::{
	traits::{
		DispatchInfoOf, Dispatchable, Implication, PostDispatchInfoOf, TransactionExtension,
		TransactionExtensionMetadata, ValidateResult,
	},
	transaction_validity::{TransactionValidity, TransactionValidityError},
};

type Inner<T> = AuthorizeCall<T>;

/// [`AuthorizeCall`], asked only about calls that [`frame_system::Config::BaseCallFilter`] lets
/// through: for every transaction, signed or not, in the pool and in a block.
///
/// Without it a stopped call would be authorised, included and refused by its dispatch: again in
/// every block, and free of fees.
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, Eq, PartialEq)]
pub struct RefuseFiltered<T>(Inner<T>);

impl<T> RefuseFiltered<T> {
	/// Returns the extension, which has no content.
	#[allow(clippy::new_without_default)]
	pub fn new() -> Self {
		Self(AuthorizeCall::new())
	}
}

// To wallets it is what it wraps.
impl<T> TypeInfo for RefuseFiltered<T>
where
	Inner<T>: StaticTypeInfo,
{
	type Identity = Inner<T>;

	fn type_info() -> scale_info::Type {
		Inner::<T>::type_info()
	}
}

impl<T> core::fmt::Debug for RefuseFiltered<T> {
	fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		formatter.write_str("RefuseFiltered")
	}
}

impl<T: Config> RefuseFiltered<T> {
	fn ensure_let_through(call: &T::RuntimeCall) -> Result<(), TransactionValidityError> {
		ensure!(T::BaseCallFilter::contains(call), InvalidTransaction::Call);
		Ok(())
	}
}

impl<T: Config + Send + Sync> TransactionExtension<T::RuntimeCall> for RefuseFiltered<T>
where
	T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
{
	const IDENTIFIER: &'static str = <Inner<T> as TransactionExtension<T::RuntimeCall>>::IDENTIFIER;
	type Implicit = ();
	type Val = <Inner<T> as TransactionExtension<T::RuntimeCall>>::Val;
	type Pre = <Inner<T> as TransactionExtension<T::RuntimeCall>>::Pre;

	fn metadata() -> alloc::vec::Vec<TransactionExtensionMetadata> {
		<Inner<T> as TransactionExtension<T::RuntimeCall>>::metadata()
	}

	fn weight(&self, call: &T::RuntimeCall) -> Weight {
		// Safe mode and the list of pauses.
		self.0.weight(call).saturating_add(T::DbWeight::get().reads(2))
	}

	fn validate(
		&self,
		origin: T::RuntimeOrigin,
		call: &T::RuntimeCall,
		info: &DispatchInfo,
		len: usize,
		self_implicit: (),
		inherited_implication: &impl Implication,
		source: TransactionSource,
	) -> ValidateResult<Self::Val, T::RuntimeCall> {
		Self::ensure_let_through(call)?;
		let (mut validity, val, origin) = self.0.validate(
			origin,
			call,
			info,
			len,
			self_implicit,
			inherited_implication,
			source,
		)?;
		validity.priority = validity.priority.min(MAX_FREE_PRIORITY);
		Ok((validity, val, origin))
	}

	fn prepare(
		self,
		val: Self::Val,
		origin: &T::RuntimeOrigin,
		call: &T::RuntimeCall,
		info: &DispatchInfo,
		len: usize,
	) -> Result<Self::Pre, TransactionValidityError> {
		self.0.prepare(val, origin, call, info, len)
	}

	fn post_dispatch_details(
		pre: Self::Pre,
		info: &DispatchInfoOf<T::RuntimeCall>,
		post_info: &PostDispatchInfoOf<T::RuntimeCall>,
		len: usize,
		result: &DispatchResult,
	) -> Result<Weight, TransactionValidityError> {
		Inner::<T>::post_dispatch_details(pre, info, post_info, len, result)
	}

	fn bare_validate(
		call: &T::RuntimeCall,
		_: &DispatchInfoOf<T::RuntimeCall>,
		_: usize,
	) -> TransactionValidity {
		Self::ensure_let_through(call)?;
		Ok(Default::default())
	}

	fn bare_validate_and_prepare(
		call: &T::RuntimeCall,
		_: &DispatchInfoOf<T::RuntimeCall>,
		_: usize,
	) -> Result<(), TransactionValidityError> {
		Self::ensure_let_through(call)
	}
}
