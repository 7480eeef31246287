//! The treasury, which holds all AICP that is minted, and spends by governance.

/// The pallet's name.
pub(crate) const PALLET: &str = "Treasury";

/// Calls.
pub mod call {
	use super::PALLET;
	use crate::{Call, pallets::AccountId};
	use codec::{Compact, Encode};

	/// A token that the treasury spends: `NativeOrWithId` of the SDK.
	#[derive(Encode)]
	enum Token {
		#[codec(index = 0)]
		Native,
		#[codec(index = 1)]
		WithId(u32),
	}

	/// Approves a spend of `amount` of an asset's smallest unit to `to`, which can be paid out from
	/// now on. For governance.
	pub fn spend(asset: u32, amount: u128, to: AccountId) -> Call {
		spend_token(Token::WithId(asset), amount, to)
	}

	/// Approves a spend of `amount` units of 10⁻¹⁸ AIT to `to`, which can be paid out from now on. For
	/// governance.
	pub fn spend_native(amount: u128, to: AccountId) -> Call {
		spend_token(Token::Native, amount, to)
	}

	fn spend_token(token: Token, amount: u128, to: AccountId) -> Call {
		let at_once: Option<u32> = None;
		Call::new(PALLET, "spend", &(token, Compact(amount), to, at_once))
	}

	/// Pays out an approved spend. For anybody.
	pub fn payout(index: u32) -> Call {
		Call::new(PALLET, "payout", &index)
	}
}

/// Events.
pub mod event {
	events! {
		"Treasury" {
			/// Governance approved a spend.
			AssetSpendApproved {
				/// The number of the spend.
				index: u32,
			}
			/// A spend was paid out.
			Paid {
				/// The number of the spend.
				index: u32,
			}
		}
	}
}
