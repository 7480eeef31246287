//! Why the chain says no.

use crate::pallets::{
	assets, attestations, balances, compute_checks, compute_receipts, coverage_policy,
	meter_readings, model_registry,
};
use gridproof_primitives::{codec::SECOND_LIST, compute::ReceiptRefusal};
use sp_runtime::{
	ArithmeticError, DispatchError, TokenError,
	transaction_validity::{InvalidTransaction, TransactionValidityError, UnknownTransaction},
};
use subxt::Metadata;

/// Why the chain refused a call; nothing has changed.
///
/// Each pallet's reasons are a type of their own, in [`crate::pallets`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
	/// By the attestations pallet.
	#[error(transparent)]
	Attestations(#[from] attestations::Refusal),
	/// By the coverage policy.
	#[error(transparent)]
	CoveragePolicy(#[from] coverage_policy::Refusal),
	/// By the meter readings pallet.
	#[error(transparent)]
	MeterReadings(#[from] meter_readings::Refusal),
	/// By the compute receipts pallet.
	#[error(transparent)]
	ComputeReceipts(#[from] compute_receipts::Refusal),
	/// By the checks of settled work.
	#[error(transparent)]
	ComputeChecks(#[from] compute_checks::Refusal),
	/// By the model registry.
	#[error(transparent)]
	ModelRegistry(#[from] model_registry::Refusal),
	/// By the pallet of AICP and KWH.
	#[error(transparent)]
	Assets(#[from] assets::Refusal),
	/// By the pallet of AIT.
	#[error(transparent)]
	Balances(#[from] balances::Refusal),
	/// By a pallet that this program has no types for, or for a reason that it does not know.
	#[error("{pallet}.{error}")]
	Other {
		/// The pallet's name.
		pallet: String,
		/// The reason's name.
		error: String,
	},
	/// By a token.
	#[error(transparent)]
	Token(TokenRefusal),
	/// By the runtime itself.
	#[error(transparent)]
	Dispatch(DispatchRefusal),
	/// Before it came into a block.
	#[error("the node did not take the transaction: {0}")]
	Pool(PoolRefusal),
}

impl Refusal {
	/// Can the very same call succeed later, when nothing changes but time and the state of the
	/// chain?
	pub const fn is_temporary(&self) -> bool {
		match self {
			Self::Attestations(refusal) => refusal.is_temporary(),
			Self::CoveragePolicy(refusal) => refusal.is_temporary(),
			Self::MeterReadings(refusal) => refusal.is_temporary(),
			Self::ComputeReceipts(refusal) => refusal.is_temporary(),
			Self::ComputeChecks(refusal) => refusal.is_temporary(),
			Self::ModelRegistry(refusal) => refusal.is_temporary(),
			Self::Assets(refusal) => refusal.is_temporary(),
			Self::Balances(refusal) => refusal.is_temporary(),
			Self::Other { .. } => false,
			Self::Token(refusal) => refusal.is_temporary(),
			Self::Dispatch(refusal) => refusal.is_temporary(),
			Self::Pool(refusal) => refusal.is_temporary(),
		}
	}

	/// The refusal that a runtime's error means.
	pub(crate) fn of(error: &DispatchError, metadata: &Metadata) -> Self {
		match error {
			DispatchError::Module(module) => {
				let [code, ..] = module.error;
				let pallet = metadata.pallet_by_error_index(module.index);
				let error = pallet.as_ref().and_then(|pallet| pallet.error_variant_by_index(code));
				match (pallet, error) {
					(Some(pallet), Some(error)) => Self::named(pallet.name(), &error.name),
					_ => Self::Other {
						pallet: format!("pallet {}", module.index),
						error: format!("error {code}"),
					},
				}
			},
			DispatchError::Token(error) => Self::Token(TokenRefusal::of(*error)),
			DispatchError::Other(_) => Self::Dispatch(DispatchRefusal::Other),
			DispatchError::CannotLookup => Self::Dispatch(DispatchRefusal::CannotLookup),
			DispatchError::BadOrigin => Self::Dispatch(DispatchRefusal::BadOrigin),
			DispatchError::ConsumerRemaining => Self::Dispatch(DispatchRefusal::ConsumerRemaining),
			DispatchError::NoProviders => Self::Dispatch(DispatchRefusal::NoProviders),
			DispatchError::TooManyConsumers => Self::Dispatch(DispatchRefusal::TooManyConsumers),
			DispatchError::Arithmetic(error) => Self::Dispatch(DispatchRefusal::of(*error)),
			DispatchError::Transactional(_) => Self::Dispatch(DispatchRefusal::Transactional),
			DispatchError::Exhausted => Self::Dispatch(DispatchRefusal::Exhausted),
			DispatchError::Corruption | DispatchError::Trie(_) => {
				Self::Dispatch(DispatchRefusal::Corruption)
			},
			DispatchError::Unavailable => Self::Dispatch(DispatchRefusal::Unavailable),
			DispatchError::RootNotAllowed => Self::Dispatch(DispatchRefusal::RootNotAllowed),
		}
	}

	/// The refusal that a pallet's error of this name means.
	pub(crate) fn named(pallet: &str, error: &str) -> Self {
		let known = match pallet {
			attestations::PALLET => attestations::Refusal::named(error).map(Self::Attestations),
			coverage_policy::PALLET => {
				coverage_policy::Refusal::named(error).map(Self::CoveragePolicy)
			},
			meter_readings::PALLET => {
				meter_readings::Refusal::named(error).map(Self::MeterReadings)
			},
			compute_receipts::PALLET => {
				compute_receipts::Refusal::named(error).map(Self::ComputeReceipts)
			},
			compute_checks::PALLET => {
				compute_checks::Refusal::named(error).map(Self::ComputeChecks)
			},
			model_registry::PALLET => {
				model_registry::Refusal::named(error).map(Self::ModelRegistry)
			},
			assets::PALLET => assets::Refusal::named(error).map(Self::Assets),
			balances::PALLET => balances::Refusal::named(error).map(Self::Balances),
			_ => None,
		};
		known
			.unwrap_or_else(|| Self::Other { pallet: pallet.to_string(), error: error.to_string() })
	}
}

/// Fieldless reasons with their text, and the question for loops.
macro_rules! reasons {
	(
		$(#[$doc:meta])*
		$type:ident { $( $name:ident: $time:ident, $text:literal; )* }
	) => {
		$(#[$doc])*
		#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
		pub enum $type {
			$(
				#[doc = $text]
				#[error($text)]
				$name,
			)*
		}

		impl $type {
			/// Can the very same call succeed later, when nothing changes but time and the state
			/// of the chain?
			pub const fn is_temporary(self) -> bool {
				match self {
					$( Self::$name => reasons!(@ $time), )*
				}
			}
		}
	};
	(@ passes) => { true };
	(@ stays) => { false };
}

reasons! {
	/// Why a token refuses.
	TokenRefusal {
		FundsUnavailable: stays, "the account holds too little for what this moves, deposits or bonds: gridproof wallet balance shows what is there; put more on it, or spend less";
		OnlyProvider: stays, "the account needs the rest to stay in existence: leave more on it";
		BelowMinimum: stays, "the receiving account would have less than the token's minimum: send more";
		CannotCreate: stays, "the receiving account cannot be opened: it needs some AIT first";
		UnknownAsset: stays, "there is no such token on this chain";
		Frozen: stays, "the amount is frozen in the account";
		Unsupported: stays, "the token does not allow this";
		CannotCreateHold: stays, "the amount cannot be held: the account needs some AIT first";
		NotExpendable: stays, "the account would end: leave the token's minimum on it";
		Blocked: stays, "the receiving account accepts no such token";
	}
}

impl TokenRefusal {
	const fn of(error: TokenError) -> Self {
		match error {
			TokenError::FundsUnavailable => Self::FundsUnavailable,
			TokenError::OnlyProvider => Self::OnlyProvider,
			TokenError::BelowMinimum => Self::BelowMinimum,
			TokenError::CannotCreate => Self::CannotCreate,
			TokenError::UnknownAsset => Self::UnknownAsset,
			TokenError::Frozen => Self::Frozen,
			TokenError::Unsupported => Self::Unsupported,
			TokenError::CannotCreateHold => Self::CannotCreateHold,
			TokenError::NotExpendable => Self::NotExpendable,
			TokenError::Blocked => Self::Blocked,
		}
	}
}

reasons! {
	/// Why the runtime refuses, outside of any pallet.
	DispatchRefusal {
		Other: stays, "the call failed for a reason without a name";
		CannotLookup: stays, "an address in the call is not an account of this chain";
		BadOrigin: stays, "this account may not make the call";
		ConsumerRemaining: stays, "the account is in use and cannot end";
		NoProviders: stays, "the account does not exist: it needs some AIT first";
		TooManyConsumers: stays, "the account is in use too often";
		Underflow: stays, "a figure in the call is too large for what it is taken from";
		Overflow: stays, "a figure in the call is too large";
		DivisionByZero: stays, "a figure in the call is zero";
		Transactional: stays, "the call contains too many calls in each other";
		Exhausted: stays, "the call needs more than a block has: make it smaller";
		Corruption: stays, "the chain's state is damaged";
		Unavailable: passes, "something that the call needs is not available now: try again later";
		RootNotAllowed: stays, "governance may not make this call";
	}
}

impl DispatchRefusal {
	const fn of(error: ArithmeticError) -> Self {
		match error {
			ArithmeticError::Underflow => Self::Underflow,
			ArithmeticError::Overflow => Self::Overflow,
			ArithmeticError::DivisionByZero => Self::DivisionByZero,
		}
	}
}

/// Why a node did not take a transaction. Asked of the runtime, never read from a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolRefusal {
	/// The attestations pallet refuses the call.
	#[error(transparent)]
	Attestations(attestations::Refusal),
	/// The coverage policy refuses the statement.
	#[error(transparent)]
	CoveragePolicy(coverage_policy::Refusal),
	/// The meter readings pallet refuses the call.
	#[error(transparent)]
	MeterReadings(meter_readings::Refusal),
	/// The compute receipts pallet refuses the call.
	#[error(transparent)]
	ComputeReceipts(compute_receipts::Refusal),
	/// The compute checks pallet refuses the call.
	#[error(transparent)]
	ComputeChecks(compute_checks::Refusal),
	/// A batch of the call is refused.
	#[error(transparent)]
	Batch(meter_readings::BatchCode),
	/// A receipt of the call is refused.
	#[error("a receipt is refused: {name}: {0}", name = .0.as_str())]
	Receipt(ReceiptRefusal),
	/// The call is refused with a number that this program does not know.
	#[error("code {0}")]
	Custom(u8),
	/// For a reason that has nothing to do with the call.
	#[error(transparent)]
	Transaction(TransactionRefusal),
}

impl PoolRefusal {
	/// Can the very same call succeed later, when nothing changes but time and the state of the
	/// chain?
	pub const fn is_temporary(&self) -> bool {
		match self {
			Self::Attestations(refusal) => refusal.is_temporary(),
			Self::CoveragePolicy(refusal) => refusal.is_temporary(),
			Self::MeterReadings(refusal) => refusal.is_temporary(),
			Self::ComputeReceipts(refusal) => refusal.is_temporary(),
			Self::ComputeChecks(refusal) => refusal.is_temporary(),
			Self::Batch(code) => code.is_temporary(),
			Self::Receipt(refusal) => refusal.is_temporary(),
			Self::Custom(_) => false,
			Self::Transaction(refusal) => refusal.is_temporary(),
		}
	}

	/// Is the transaction's nonce used already?
	pub(crate) const fn is_stale(&self) -> bool {
		matches!(self, Self::Transaction(TransactionRefusal::Stale))
	}
}

reasons! {
	/// Why a transaction is invalid, whatever its call.
	TransactionRefusal {
		Call: passes, "the call is stopped at present, by safe mode or a pause: send it again later";
		Payment: stays, "the account cannot pay the fee: send it AIT (on a development chain: gridproof wallet transfer --suri //Alice)";
		Future: stays, "transactions of the account before this one are missing";
		Stale: stays, "the account has sent another transaction with this number";
		BadProof: stays, "it is signed for another chain, or another version of its runtime";
		AncientBirthBlock: stays, "it is too old";
		ExhaustsResources: passes, "the block has no room for it: send it again";
		BadMandatory: stays, "such a call cannot be sent";
		MandatoryValidation: stays, "such a call is made by the block's author only";
		BadSigner: stays, "the sending account may not send";
		CannotLookup: stays, "the sending account cannot be found";
		NoUnsignedValidator: stays, "such a call needs a signature";
		IndeterminateImplicit: stays, "what it is signed over cannot be found";
		UnknownOrigin: stays, "nobody signed it, and such a call needs a signature";
		Usurped: stays, "another transaction with the same number, or about the same, took its place";
		Momentary: passes, "it was not valid a moment ago, but is now: send it again";
		Unknown: stays, "the runtime cannot check it";
	}
}

/// What the numbers of refused transactions mean: each call without a signer has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codes {
	/// It has none.
	None,
	/// Errors of the attestations pallet, and above them those of the coverage policy.
	Statement,
	/// Refusals of batches, and above them errors of the meter readings pallet.
	Batches,
	/// Refusals of receipts, and above them errors of the compute receipts pallet.
	Receipts,
	/// Errors of the compute receipts pallet, as for receipts.
	Compute,
	/// Errors of the compute checks pallet, all of them above.
	Checks,
}

impl Codes {
	/// What a number means.
	pub(crate) fn explain(self, code: u8) -> PoolRefusal {
		let above = code.checked_sub(SECOND_LIST);
		let known = match (self, above) {
			(Self::None, _) => None,
			(Self::Statement, None) => {
				attestations::Refusal::numbered(code).map(PoolRefusal::Attestations)
			},
			(Self::Statement, Some(code)) => {
				coverage_policy::Refusal::numbered(code).map(PoolRefusal::CoveragePolicy)
			},
			(Self::Batches, None) => meter_readings::BatchCode::new(code).map(PoolRefusal::Batch),
			(Self::Batches, Some(code)) => {
				meter_readings::Refusal::numbered(code).map(PoolRefusal::MeterReadings)
			},
			(Self::Receipts, None) => ReceiptRefusal::from_code(code).map(PoolRefusal::Receipt),
			(Self::Compute | Self::Checks, None) => None,
			(Self::Checks, Some(code)) => {
				compute_checks::Refusal::numbered(code).map(PoolRefusal::ComputeChecks)
			},
			(Self::Receipts | Self::Compute, Some(code)) => {
				compute_receipts::Refusal::numbered(code).map(PoolRefusal::ComputeReceipts)
			},
		};
		known.unwrap_or(PoolRefusal::Custom(code))
	}

	/// What the runtime says against a transaction with such a call.
	pub(crate) fn of(self, error: TransactionValidityError) -> PoolRefusal {
		use TransactionValidityError::{Invalid, Unknown};
		PoolRefusal::Transaction(match error {
			Invalid(InvalidTransaction::Custom(code)) => return self.explain(code),
			Invalid(InvalidTransaction::Call) => TransactionRefusal::Call,
			Invalid(InvalidTransaction::Payment) => TransactionRefusal::Payment,
			Invalid(InvalidTransaction::Future) => TransactionRefusal::Future,
			Invalid(InvalidTransaction::Stale) => TransactionRefusal::Stale,
			Invalid(InvalidTransaction::BadProof) => TransactionRefusal::BadProof,
			Invalid(InvalidTransaction::AncientBirthBlock) => TransactionRefusal::AncientBirthBlock,
			Invalid(InvalidTransaction::ExhaustsResources) => TransactionRefusal::ExhaustsResources,
			Invalid(InvalidTransaction::BadMandatory) => TransactionRefusal::BadMandatory,
			Invalid(InvalidTransaction::MandatoryValidation) => {
				TransactionRefusal::MandatoryValidation
			},
			Invalid(InvalidTransaction::BadSigner) => TransactionRefusal::BadSigner,
			Invalid(InvalidTransaction::IndeterminateImplicit) => {
				TransactionRefusal::IndeterminateImplicit
			},
			Invalid(InvalidTransaction::UnknownOrigin) => TransactionRefusal::UnknownOrigin,
			Unknown(UnknownTransaction::CannotLookup) => TransactionRefusal::CannotLookup,
			Unknown(UnknownTransaction::NoUnsignedValidator) => {
				TransactionRefusal::NoUnsignedValidator
			},
			Unknown(UnknownTransaction::Custom(_)) => TransactionRefusal::Unknown,
		})
	}
}
