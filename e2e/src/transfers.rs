//! Signed transfers through subxt, balances, and which blocks hold what.

use crate::{node::Node, rpc::Rpc};
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use subxt::{
	OnlineClient, SubstrateConfig,
	config::DefaultExtrinsicParamsBuilder,
	dynamic::{self, At, Value},
	ext::scale_value::Composite,
	extrinsics::ExtrinsicEvents,
	transactions::{DynamicPayload, Payload},
};
use subxt_signer::{
	SecretUri,
	sr25519::{Keypair, PublicKey},
};

/// One AIT in its smallest unit.
pub const AIT: u128 = 1_000_000_000_000_000_000;

/// A subxt client without any type or extension of ours.
pub type Api = OnlineClient<SubstrateConfig>;

/// Connects subxt to a node.
///
/// # Errors
/// When the node is not running or its metadata cannot be read.
pub async fn connect(node: &Node) -> Result<Api> {
	Ok(Api::from_rpc_client(node.rpc()?.client()).await?)
}

/// The account of a secret URI, e.g. `//receiver`.
///
/// # Errors
/// When it is not a secret URI.
pub fn account(uri: &str) -> Result<Keypair> {
	let uri: SecretUri = uri.parse().with_context(|| format!("secret URI {uri}"))?;
	Ok(Keypair::from_uri(&uri)?)
}

/// A transfer of `amount` of AIT's smallest unit that keeps the sender alive.
pub fn transfer(to: &PublicKey, amount: u128) -> DynamicPayload<Vec<Value>> {
	let to = Value::unnamed_variant("Id", [Value::from_bytes(to.0)]);
	dynamic::transaction("Balances", "transfer_keep_alive", vec![to, Value::u128(amount)])
}

/// What an account can spend, at the last finalized block, in AIT's smallest unit.
///
/// # Errors
/// When the node doesn't answer.
pub async fn free_balance(api: &Api, account: &PublicKey) -> Result<u128> {
	let info = account_info(api, account).await?;
	info.at("data").at("free").and_then(Value::as_u128).context("account without balance")
}

/// How many transactions of an account are in finalized blocks.
///
/// # Errors
/// When the node doesn't answer.
pub async fn nonce(api: &Api, account: &PublicKey) -> Result<u64> {
	let info = account_info(api, account).await?;
	let nonce = info.at("nonce").and_then(Value::as_u128).context("account without nonce")?;
	Ok(u64::try_from(nonce)?)
}

async fn account_info(api: &Api, account: &PublicKey) -> Result<Value> {
	let address = dynamic::storage::<(Value,), Value>("System", "Account");
	let key = (Value::from_bytes(account.0),);
	Ok(api.at_current_block().await?.storage().fetch(address, key).await?.decode()?)
}

/// Signs `count` transfers to one account with consecutive nonces from `first_nonce`; each as
/// `0x…`, ready for submission in any order.
///
/// # Errors
/// When the node's metadata has no such call.
pub async fn sign_transfers(
	api: &Api,
	from: &Keypair,
	to: &PublicKey,
	amount: u128,
	first_nonce: u64,
	count: u64,
) -> Result<Vec<String>> {
	sign_calls(api, from, &transfer(to, amount), first_nonce, count).await
}

/// The same of any call.
///
/// # Errors
/// When the node's metadata has no such call.
pub async fn sign_calls<Call: Payload>(
	api: &Api,
	from: &Keypair,
	call: &Call,
	first_nonce: u64,
	count: u64,
) -> Result<Vec<String>> {
	let block = api.at_current_block().await?;
	let transactions = block.transactions();
	(first_nonce..first_nonce.saturating_add(count))
		.map(|nonce| {
			let parameters = DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
				.nonce(nonce)
				.immortal()
				.build();
			let signed = transactions.create_signable_offline(call, parameters)?.sign(from)?;
			Ok(hexadecimal(signed.encoded()))
		})
		.collect()
}

/// The fee that an extrinsic paid, in AIT's smallest unit, by its own events.
///
/// # Errors
/// When its events cannot be read or hold no fee.
pub fn fee_paid(events: &ExtrinsicEvents<SubstrateConfig>) -> Result<u128> {
	for event in events.iter() {
		let event = event?;
		if (event.pallet_name(), event.event_name()) == ("TransactionPayment", "TransactionFeePaid")
		{
			let fields: Composite<()> = event.decode_fields_unchecked_as()?;
			return fields.at("actual_fee").and_then(Value::as_u128).context("fee without amount");
		}
	}
	bail!("no fee among the events")
}

/// How often each of the extrinsics occurs in the blocks from `first` to `last`, both included.
///
/// # Errors
/// When the node doesn't know one of the blocks.
pub async fn count_in_blocks(rpc: &Rpc, first: u64, last: u64) -> Result<HashMap<String, usize>> {
	let mut counts = HashMap::new();
	for number in first..=last {
		let hash = rpc.hash_at(number).await?.with_context(|| format!("no block {number}"))?;
		for extrinsic in rpc.extrinsics(&hash).await? {
			*counts.entry(extrinsic).or_default() += 1;
		}
	}
	Ok(counts)
}

fn hexadecimal(bytes: &[u8]) -> String {
	bytes.iter().fold(String::from("0x"), |text, byte| text + &format!("{byte:02x}"))
}
