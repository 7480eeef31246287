//! What the development chain's root key does: calls as root, and a new runtime.

use crate::transfers::Api;
use anyhow::Result;
use sp_core::{Blake2Hasher, Hasher};
use subxt::{
	SubstrateConfig,
	dynamic::{self, Value},
	extrinsics::ExtrinsicEvents,
	transactions::DynamicPayload,
};
use subxt_signer::sr25519::dev;

/// A call with one argument, as another call wraps it.
pub fn call(pallet: &str, name: &str, argument: (&str, Value)) -> Value {
	Value::unnamed_variant(pallet, [Value::named_variant(name, [argument])])
}

/// A call that is made as root.
pub fn sudo(call: Value) -> DynamicPayload<Vec<Value>> {
	let none =
		Value::named_composite([("ref_time", Value::u128(0)), ("proof_size", Value::u128(0))]);
	dynamic::transaction("Sudo", "sudo_unchecked_weight", vec![call, none])
}

/// Whether a new runtime must have a higher version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
	/// As on every chain that is used.
	Checked,
	/// The same one will do.
	Unchecked,
}

/// Replaces the runtime: governance authorizes the code by its hash, then anyone may bring it.
/// Returns the events of the transaction that brought it.
///
/// # Errors
/// When a transaction is refused or fails.
pub async fn replace_runtime(
	api: &Api,
	code: &[u8],
	version: Version,
) -> Result<ExtrinsicEvents<SubstrateConfig>> {
	let name = match version {
		Version::Checked => "authorize_upgrade",
		Version::Unchecked => "authorize_upgrade_without_checks",
	};
	let hash = Value::from_bytes(Blake2Hasher::hash(code));
	let authorize = call("System", name, ("code_hash", hash));
	api.transactions()
		.await?
		.sign_and_submit_then_watch_default(&sudo(authorize), &dev::alice())
		.await?
		.wait_for_finalized_success()
		.await?;
	let bring = vec![Value::from_bytes(code)];
	let bring = dynamic::transaction("System", "apply_authorized_upgrade", bring);
	Ok(api
		.transactions()
		.await?
		.sign_and_submit_then_watch_default(&bring, &dev::bob())
		.await?
		.wait_for_finalized_success()
		.await?)
}

/// The first block from `first` to `last`, both included, with such an event.
///
/// # Errors
/// When the node doesn't know one of the blocks.
pub async fn block_with(
	api: &Api,
	(pallet, name): (&str, &str),
	first: u64,
	last: u64,
) -> Result<Option<u64>> {
	for number in first..=last {
		let events = api.at_block(number).await?.events().fetch().await?;
		for event in events.iter() {
			let event = event?;
			if (event.pallet_name(), event.event_name()) == (pallet, name) {
				return Ok(Some(number));
			}
		}
	}
	Ok(None)
}
