//! Which Bitcoin network, and how much work its blocks must show.

use crate::AnchorError;
use bitcoin::{BlockHash, Target, blockdata::constants::genesis_block, consensus::Params};
use std::{fmt, str::FromStr};

/// Least difficulty of a block of the main network that is believed. Every block since September
/// 2019 has more; six headers of this difficulty cost about 2.6·10²³ hashes to forge.
pub const LEAST_MAINNET_DIFFICULTY: u128 = 10_000_000_000_000;

/// A Bitcoin network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(pub bitcoin::Network);

impl Network {
	/// The main network.
	pub const MAINNET: Self = Self(bitcoin::Network::Bitcoin);
	/// Everyone's own network.
	pub const REGTEST: Self = Self(bitcoin::Network::Regtest);

	/// Its name, as the command takes it.
	pub const fn as_str(self) -> &'static str {
		match self.0 {
			bitcoin::Network::Bitcoin => "mainnet",
			bitcoin::Network::Testnet => "testnet",
			bitcoin::Network::Testnet4 => "testnet4",
			bitcoin::Network::Signet => "signet",
			bitcoin::Network::Regtest => "regtest",
		}
	}

	/// Hash of its first block.
	pub fn genesis(self) -> BlockHash {
		genesis_block(Params::new(self.0)).block_hash()
	}

	/// The easiest target that its rules allow.
	pub fn easiest_target(self) -> Target {
		Params::new(self.0).max_attainable_target
	}

	/// Least difficulty of a block that is believed.
	///
	/// Work is evidence on the main network only: test networks have little of it, and a signet's
	/// blocks rest on signatures that are not checked here.
	pub const fn least_difficulty(self) -> u128 {
		match self.0 {
			bitcoin::Network::Bitcoin => LEAST_MAINNET_DIFFICULTY,
			_ => 0,
		}
	}
}

impl FromStr for Network {
	type Err = AnchorError;

	fn from_str(text: &str) -> Result<Self, AnchorError> {
		Ok(Self(match text {
			"mainnet" | "main" | "bitcoin" => bitcoin::Network::Bitcoin,
			"testnet" | "testnet3" | "test" => bitcoin::Network::Testnet,
			"testnet4" => bitcoin::Network::Testnet4,
			"signet" => bitcoin::Network::Signet,
			"regtest" => bitcoin::Network::Regtest,
			_ => return Err(AnchorError::BadNetwork(text.to_owned())),
		}))
	}
}

impl fmt::Display for Network {
	fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		formatter.write_str(self.as_str())
	}
}
