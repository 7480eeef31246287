//! Keys in files: Ed25519 keys of devices and services, wallets, and the accounts they open.
//!
//! - [`SealedKey`]: one Ed25519 key in a file, mode 0600, encrypted if there is a passphrase;
//! - [`wallet`]: an account from a BIP-39 phrase, always encrypted;
//! - [`account`]: addresses, and [`AccountKey`], which signs transactions;
//! - [`derive`](mod@derive): from a phrase to a key, by BIP-32, SLIP-0010 and Substrate's own junctions.
//!
//! [`wallet`], [`account`] and [`derive`](mod@derive) come with the feature `accounts`. A program
//! that signs readings, receipts or attestations needs none of them, nor the libraries behind them.
//!
//! Secrets are wiped from memory when dropped and are never part of an error.

#![deny(missing_docs)]

#[cfg(feature = "accounts")]
pub mod account;
#[cfg(feature = "accounts")]
pub mod derive;
mod error;
mod key;
mod sealed;
#[cfg(feature = "accounts")]
pub mod wallet;

#[cfg(feature = "accounts")]
pub use account::AccountKey;
pub use error::KeyError;
pub use key::{Kind, PublicPart, SealedKey, show};
pub use sealed::random;
#[cfg(feature = "accounts")]
pub use wallet::Wallet;
