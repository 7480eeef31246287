//! Vouchers: what a client signs for each request of a channel.

use crate::{
	H256,
	crypto::ed25519::{self, PublicKey, Signature, SignatureError},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_io::hashing::blake2_256;

/// Number of a channel. The chain counts them, and none is used again.
pub type ChannelId = u64;

/// Channel and number of a voucher: what a receipt says that it was paid with.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VoucherId {
	/// Channel of the voucher.
	pub channel: ChannelId,
	/// Number of the voucher in its channel, from 1; the signer counts.
	pub number: u64,
}

/// Permission to take up to `amount` from a channel, for everything from its beginning to the
/// request that this voucher goes with.
///
/// Only the newest voucher counts, that with the highest number. Its amount may be below that of an
/// older one, whose request cost less than it might have.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Voucher {
	/// Channel that pays.
	pub channel: ChannelId,
	/// Number of the voucher in its channel, from 1.
	pub number: u64,
	/// Highest sum of the channel's prices, in the smallest unit of its asset: cumulative.
	pub amount: u128,
	/// Salted hash of the request; see [`super::spec_hash`].
	pub spec_hash: H256,
}

impl Voucher {
	/// Tag of the signed payload.
	pub const TAG: &'static str = "gridproof/voucher/v1";

	/// Returns channel and number.
	pub const fn id(&self) -> VoucherId {
		VoucherId { channel: self.channel, number: self.number }
	}

	/// Returns the bytes that the channel's signer signs.
	pub fn signing_payload(&self, genesis: &H256) -> Vec<u8> {
		(Self::TAG, genesis, self).encode()
	}

	/// Returns the seed of the sampler for this request: blake2-256 of the signed payload. Neither
	/// miner nor coordinator chooses it, unless the coordinator keeps the channel's key.
	pub fn seed(&self, genesis: &H256) -> H256 {
		H256(blake2_256(&self.signing_payload(genesis)))
	}

	/// Verifies the signature of the channel's signer.
	///
	/// # Errors
	/// If the signature is not that of `signer` of this voucher for this chain; see
	/// [`ed25519::verify`].
	pub fn verify(
		&self,
		genesis: &H256,
		signer: &PublicKey,
		signature: &Signature,
	) -> Result<(), SignatureError> {
		ed25519::verify(signer, &self.signing_payload(genesis), signature)
	}
}

/// A voucher with its signature, as it goes with a request.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedVoucher {
	/// Permission that is signed.
	pub voucher: Voucher,
	/// Signature of [`Voucher::signing_payload`] by the channel's signer.
	pub signature: Signature,
}

/// Returns the amount of the next voucher: what the receipts so far cost, the highest prices of the
/// requests that are still open, and that of the next one; `None` if it does not fit. All in the
/// smallest unit of the channel's asset.
pub fn voucher_amount(spent: u128, open: u128, highest: u128) -> Option<u128> {
	spent.checked_add(open)?.checked_add(highest)
}
