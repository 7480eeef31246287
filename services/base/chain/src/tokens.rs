//! The chain's tokens: what accounts hold, and transfers.

use crate::{
	Call, Chain, ChainError, Included, Patience,
	pallets::{AccountId, assets, balances, multisig, system},
	storage::unsupported,
};
use gridproof_keys::AccountKey;
use gridproof_primitives::num::units::{
	AICP_ASSET_ID, AICP_DECIMALS, AIT_DECIMALS, KWH_ASSET_ID, KWH_DECIMALS,
};
use std::{fmt, str::FromStr};
use subxt::dynamic::{At, Value};

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
			return Err(format!("{text:?} is not an amount: write a decimal such as 12.5"));
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
	/// What the block's author gets beside the fee, in units of 10⁻¹⁸ AIT.
	pub tip: u128,
}

impl Transfer {
	/// The call, from the account that signs it.
	pub fn call(&self) -> Call {
		let Self { to, amount, .. } = *self;
		match (self.token.asset(), self.may_end_account) {
			(None, false) => balances::call::transfer_keep_alive(to, amount),
			(None, true) => balances::call::transfer_allow_death(to, amount),
			(Some(asset), false) => assets::call::transfer_keep_alive(asset, to, amount),
			(Some(asset), true) => assets::call::transfer(asset, to, amount),
		}
	}
}

impl Chain {
	/// Total issuance of an asset in its smallest unit, at the last finalized block; zero if it
	/// has never been created.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if the chain has no assets pallet.
	pub async fn issuance(&self, asset: u32) -> Result<u128, ChainError> {
		let key = vec![Value::u128(asset.into())];
		let [supply] = self.stored(assets::PALLET, "Asset", key, [&["supply"]]).await?;
		Ok(supply)
	}

	/// What an account holds of an asset, in its smallest unit, at the last finalized block.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if the chain has no assets pallet.
	pub async fn balance(&self, asset: u32, account: &AccountId) -> Result<u128, ChainError> {
		let key = vec![Value::u128(asset.into()), Value::from_bytes(account)];
		let [balance] = self.stored(assets::PALLET, "Account", key, [&["balance"]]).await?;
		Ok(balance)
	}

	/// What an account holds of the native token, in its smallest unit, at the last finalized
	/// block: what it can use, and what is held for something.
	///
	/// # Errors
	/// [`ChainError::Unsupported`] if the chain keeps accounts in another form.
	pub async fn native_balance(&self, account: &AccountId) -> Result<(u128, u128), ChainError> {
		let key = vec![Value::from_bytes(account)];
		let parts: [&[&str]; 2] = [&["data", "free"], &["data", "reserved"]];
		let [free, reserved] = self.stored(system::PALLET, "Account", key, parts).await?;
		Ok((free, reserved))
	}

	/// Whole numbers in a row of the state, each by the names on the way to it; zeros if there is
	/// no such row.
	pub(crate) async fn stored<const N: usize>(
		&self,
		pallet: &str,
		entry: &str,
		key: Vec<Value>,
		paths: [&[&str]; N],
	) -> Result<[u128; N], ChainError> {
		let Some(row) = self.row_value(pallet, entry, key).await? else { return Ok([0; N]) };
		let unsupported = || unsupported(pallet, entry);
		let mut numbers = [0; N];
		for (number, path) in numbers.iter_mut().zip(paths) {
			let value = path.iter().try_fold(&row, |value, name| value.at(*name));
			*number = value.and_then(Value::as_u128).ok_or_else(unsupported)?;
		}
		Ok(numbers)
	}

	/// What an account can use of a token, in its smallest unit.
	///
	/// # Errors
	/// [`ChainError`].
	pub async fn holding(&self, token: Token, account: &AccountId) -> Result<u128, ChainError> {
		match token.asset() {
			None => Ok(self.native_balance(account).await?.0),
			Some(asset) => self.balance(asset, account).await,
		}
	}

	/// Transfers from the account of `signer`, and waits until it is final. With `partner`, the
	/// other of the two accounts whose 1-of-2 multisig account pays instead.
	///
	/// # Errors
	/// [`ChainError`]; nothing is transferred then, unless it is [`ChainError::Undecided`].
	pub async fn transfer(
		&self,
		signer: &AccountKey,
		transfer: &Transfer,
		partner: Option<&AccountId>,
		patience: &Patience,
	) -> Result<Included, ChainError> {
		let call = match partner {
			None => transfer.call(),
			Some(partner) => multisig::call::as_multi_threshold_1(*partner, transfer.call()),
		};
		self.submit_tipped(signer, &call, transfer.tip, patience).await
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
