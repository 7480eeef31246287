//! The time of blocks.

/// Calls, as blocks hold them.
pub(crate) mod call {
	use codec::{Compact, DecodeAll};

	/// Is it the call that says the block's time?
	pub(crate) fn is_set(pallet: &str, call: &str) -> bool {
		(pallet, call) == ("Timestamp", "set")
	}

	/// The time of its arguments, in UTC milliseconds.
	pub(crate) fn time(arguments: &[u8]) -> Option<u64> {
		Compact::<u64>::decode_all(&mut &arguments[..]).ok().map(|Compact(time)| time)
	}
}
