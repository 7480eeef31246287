//! The pallets of the chain, each with what programs need of it:
//!
//! - `call`: functions that make a [`Call`](crate::Call);
//! - `query`: functions that make a [`Query`](crate::Query) to the runtime;
//! - `event`: a type for each [`Event`](crate::Event), read by the names of its fields;
//! - `Refusal`: why it says no, with what to do about it and whether time may change it.
//!
//! **No other crate of the services names a pallet, a call, a function of the runtime, an event or an
//! error.** What stands here is compared with the runtime itself by its test `seam`, so that a name that
//! changes there fails a test and not a payment.

/// The reasons of a pallet for saying no, in the order of its errors.
///
/// For each: its number, its name, and what it means for people. Whether time may change it is
/// decided in one `match` beside the list, which lacks an arm until somebody has decided.
macro_rules! refusals {
	(
		$(#[$doc:meta])*
		$pallet:literal { $( $code:literal $name:ident: $text:literal; )* }
	) => {
		$(#[$doc])*
		#[derive(Clone, Copy, Debug, PartialEq, Eq)]
		pub enum Refusal {
			$(
				#[doc = $text]
				$name,
			)*
		}

		impl Refusal {
			/// All of them, by number.
			pub const ALL: &'static [Self] = &[$( Self::$name ),*];

			/// Its number among the pallet's errors.
			pub const fn code(self) -> u8 {
				match self {
					$( Self::$name => $code, )*
				}
			}

			/// Its full name, such as `Attestations.Paused`: for output, never to be compared.
			pub const fn name(self) -> &'static str {
				match self {
					$( Self::$name => concat!($pallet, ".", stringify!($name)), )*
				}
			}

			/// What it means, and what to do.
			pub const fn advice(self) -> &'static str {
				match self {
					$( Self::$name => $text, )*
				}
			}

			/// The one with this name among the pallet's errors.
			pub(crate) fn named(name: &str) -> Option<Self> {
				match name {
					$( stringify!($name) => Some(Self::$name), )*
					_ => None,
				}
			}

			/// The one with this number among the pallet's errors.
			#[allow(dead_code, reason = "not every pallet's numbers come back from the pool")]
			pub(crate) const fn numbered(code: u8) -> Option<Self> {
				match code {
					$( $code => Some(Self::$name), )*
					_ => None,
				}
			}
		}

		impl std::fmt::Display for Refusal {
			fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
				write!(f, "{}: {}", self.name(), self.advice())
			}
		}

		impl std::error::Error for Refusal {}
	};
}

/// The events of a pallet.
macro_rules! events {
	(
		$pallet:literal {
			$(
				$(#[$doc:meta])*
				$name:ident { $( $(#[$field_doc:meta])* $field:ident: $type:ty, )* }
			)*
		}
	) => {
		$(
			$(#[$doc])*
			#[derive(Clone, Debug, PartialEq, Eq)]
			pub struct $name {
				$( $(#[$field_doc])* pub $field: $type, )*
			}

			impl $crate::event::sealed::Sealed for $name {}

			impl $crate::event::Event for $name {
				const PALLET: &'static str = $pallet;
				const NAME: &'static str = stringify!($name);
				const FIELDS: &'static [&'static str] = &[$( stringify!($field) ),*];

				#[allow(unused_variables, reason = "some events have no fields")]
				fn read(
					event: &$crate::event::RawEvent,
				) -> Result<Self, $crate::ChainError> {
					Ok(Self { $( $field: event.field(stringify!($field))?, )* })
				}
			}
		)*

		/// The name of each event and of its fields.
		pub const ALL: &[(&str, &[&str])] = &[
			$( (stringify!($name), &[$( stringify!($field) ),*]), )*
		];
	};
}

pub mod assets;
pub mod attestations;
pub mod authorities;
pub mod balances;
pub mod brakes;
pub mod compute_checks;
pub mod compute_receipts;
pub mod conviction_voting;
pub mod coverage_policy;
pub mod governance;
pub mod meter_readings;
pub mod model_registry;
pub mod multisig;
pub mod preimage;
pub mod referenda;
pub mod safe_mode;
pub mod session;
pub mod sudo;
pub mod system;
pub(crate) mod timestamp;
pub mod transaction_payment;
pub mod treasury;
pub mod tx_pause;
pub mod utility;

/// An account's number.
pub type AccountId = [u8; 32];

/// An address that is an account's number: the first variant of `MultiAddress`.
pub(crate) const fn address(account: AccountId) -> (u8, AccountId) {
	(0, account)
}

/// An argument that is encoded already.
pub(crate) struct Encoded<'b>(pub(crate) &'b [u8]);

impl codec::Encode for Encoded<'_> {
	fn encode(&self) -> Vec<u8> {
		self.0.to_vec()
	}
}

#[cfg(test)]
mod tests;
