//! The chain's tokens: what accounts hold, and transfers.

use crate::{Chain, Failure, Included, Patience, Submitter};
use codec::{Compact, Encode};
use gridproof_keys::AccountKey;
use gridproof_primitives::units::{
	AICP_ASSET_ID, AICP_DECIMALS, AIT_DECIMALS, KWH_ASSET_ID, KWH_DECIMALS,
};
use std::{fmt, str::FromStr};

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
	/// The native token.
	Ait,
	/// The stable utility token.
	Aicp,
	/// Metered energy.
	Kwh,
}

impl Token {
	/// All of them.
	pub const ALL: [Self; 3] = [Self::Ait, Self::Aicp, Self::Kwh];

	/// Its symbol.
	pub const fn symbol(self) -> &'static str {
		match self {
			Self::Ait => "AIT",
			Self::Aicp => "AICP",
			Self::Kwh => "KWH",
		}
	}

	/// How many decimals it has.
	pub const fn decimals(self) -> u8 {
		match self {
			Self::Ait => AIT_DECIMALS,
			Self::Aicp => AICP_DECIMALS,
			Self::Kwh => KWH_DECIMALS,
		}
	}

	/// The number of the asset; `None` for the native token.
	pub const fn asset(self) -> Option<u32> {
		match self {
			Self::Ait => None,
			Self::Aicp => Some(AICP_ASSET_ID),
			Self::Kwh => Some(KWH_ASSET_ID),
		}
	}

	/// An amount in its smallest unit, from a decimal such as `12.5`.
	///
	/// # Errors
	/// What is wrong with it; more decimals than the token has are never cut.
	pub fn parse(self, text: &str) -> Result<u128, String> {
		let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
		let digits =
			|text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
		if !digits(whole) || !digits(decimals) {
			return Err(format!("{text:?} is no amount: write a decimal such as 12.5"));
		}
		let decimals = decimals.trim_end_matches('0');
		let places = usize::from(self.decimals());
		if decimals.len() > places {
			return Err(format!("{} has {places} decimals; {text} has more", self.symbol()));
		}
		format!("{whole}{decimals:0<places$}")
			.parse()
			.map_err(|_| format!("{text} {} is more than can exist", self.symbol()))
	}

	/// An amount of its smallest unit as a decimal with all its places.
	pub fn show(self, amount: u128) -> String {
		let places = usize::from(self.decimals());
		let one = 10u128.pow(self.decimals().into());
		format!("{}.{:0places$}", amount / one, amount % one)
	}
}

impl fmt::Display for Token {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		f.write_str(self.symbol())
	}
}

impl FromStr for Token {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let token = Self::ALL.into_iter().find(|token| token.symbol().eq_ignore_ascii_case(text));
		token.ok_or_else(|| "it is AIT, AICP or KWH".to_string())
	}
}

/// A transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
	/// Of which token.
	pub token: Token,
	/// To which account.
	pub to: [u8; 32],
	/// How much, in the token's smallest unit.
	pub amount: u128,
	/// May the sender's account end if too little would be left?
	pub may_end_account: bool,
}

impl Transfer {
	/// The call: pallet, name, SCALE-encoded arguments.
	pub fn call(&self) -> (&'static str, &'static str, Vec<u8>) {
		// An address that is an account's number: the first variant of MultiAddress.
		let to = (0u8, self.to);
		match (self.token.asset(), self.may_end_account) {
			(None, false) => {
				("Balances", "transfer_keep_alive", (to, Compact(self.amount)).encode())
			},
			(None, true) => {
				("Balances", "transfer_allow_death", (to, Compact(self.amount)).encode())
			},
			(Some(asset), keeps) => {
				let name = if keeps { "transfer" } else { "transfer_keep_alive" };
				("Assets", name, (Compact(asset), to, Compact(self.amount)).encode())
			},
		}
	}
}

impl Chain {
	/// What an account can use of a token, in its smallest unit.
	///
	/// # Errors
	/// [`Failure`].
	pub async fn holding(&self, token: Token, account: &[u8; 32]) -> Result<u128, Failure> {
		match token.asset() {
			None => Ok(self.native_balance(account).await?.0),
			Some(asset) => self.balance(asset, account).await,
		}
	}

	/// Transfers from the account of `signer`, and waits until it is final. With `partner`, the
	/// other of the two accounts whose 1-of-2 multisig account pays instead.
	///
	/// # Errors
	/// [`Failure`]; nothing is transferred then, unless it is [`Failure::Undecided`].
	pub async fn transfer(
		&self,
		signer: &AccountKey,
		transfer: &Transfer,
		partner: Option<&[u8; 32]>,
		patience: &Patience,
	) -> Result<Included, Failure> {
		let (pallet, name, arguments) = transfer.call();
		let call = match partner {
			None => (pallet, name, arguments),
			Some(partner) => {
				let inner = self.call_bytes(pallet, name, &arguments).await?;
				let mut arguments = vec![*partner].encode();
				arguments.extend(inner);
				("Multisig", "as_multi_threshold_1", arguments)
			},
		};
		let submitter = Submitter::new(self.clone(), signer.clone(), *patience);
		let mut outcomes = submitter.submit(&[call]).await?;
		let lost = || Failure::Unsupported("an outcome of the transfer".to_string());
		outcomes.pop().ok_or_else(lost)?
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn amounts_are_exact_or_refused() {
		assert_eq!(Token::Ait.parse("1"), Ok(1_000_000_000_000_000_000));
		assert_eq!(Token::Ait.parse("0.000000000000000001"), Ok(1));
		assert_eq!(Token::Kwh.parse("12.5"), Ok(12_500));
		assert_eq!(Token::Kwh.parse("12.5000"), Ok(12_500));
		assert_eq!(Token::Aicp.parse("0"), Ok(0));
		for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", " 1", "1,5", "0x1"] {
			assert!(Token::Ait.parse(text).is_err(), "{text}");
		}
		assert!(Token::Kwh.parse("0.0001").unwrap_err().contains("3 decimals"));
		let most = Token::Ait.show(u128::MAX);
		assert_eq!(Token::Ait.parse(&most), Ok(u128::MAX));
		assert!(Token::Ait.parse(&format!("1{most}")).unwrap_err().contains("more than can exist"));
		assert_eq!(Token::Kwh.show(12_005), "12.005");
		assert_eq!(Token::Aicp.show(1), "0.000001");
	}

	#[test]
	fn tokens_are_known_by_their_symbols() {
		for token in Token::ALL {
			assert_eq!(token.symbol().to_lowercase().parse(), Ok(token));
		}
		assert!("DOT".parse::<Token>().is_err());
	}
}
