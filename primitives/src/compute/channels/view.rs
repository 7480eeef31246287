//! A channel as the chain shows it.

use super::{Channel, ChannelId};
use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// A channel as the chain shows it.
#[derive(Encode, Decode, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelView {
	/// Number of the channel.
	pub id: ChannelId,
	/// Account that opened it, and to which the rest goes.
	pub client: [u8; 32],
	/// Its state. The end of a notice is that of now: it moves on while settlement is stopped.
	pub channel: Channel,
	/// What is left of its deposit, in the smallest unit of the asset.
	pub left: u128,
	/// Deposit for its row, in units of 10⁻¹⁸ AIT; it returns with the rest.
	pub row_deposit: u128,
	/// Time at which it was opened, in UTC milliseconds.
	pub opened_ms: u64,
}

impl ChannelView {
	/// Returns `true` if the coordinator keeps the channel's key.
	pub const fn is_kept(&self) -> bool {
		self.channel.signer.is_none()
	}
}
