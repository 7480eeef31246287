//! Hardware wallets sign the hash of the metadata with every transaction (mode 1 of
//! `CheckMetadataHash`): the runtime that is shipped takes the hash of what it offers, and no other.

use anyhow::{Context, Result, anyhow, ensure};
use codec::{Compact, Decode, Encode};
use frame_metadata::RuntimeMetadataPrefixed;
use gridproof_e2e::{
	Node, NodeConfig,
	rpc::Rpc,
	transfers::{AIT, account, connect, free_balance, transfer},
};
use merkleized_metadata::{ExtraInfo, generate_metadata_digest};
use serde_json::Value;
use std::time::Duration;
use subxt::rpcs::{self, client::rpc_params};
use subxt_signer::sr25519::{Keypair, dev};

const LIMIT: Duration = Duration::from_secs(60);
/// The version of metadata that is hashed.
const METADATA_VERSION: u32 = 15;

/// What a wallet learns of a chain before it signs.
struct Wallet {
	spec_version: u32,
	transaction_version: u32,
	genesis: Vec<u8>,
	/// The hash that the device shows and signs.
	metadata_hash: [u8; 32],
}

fn number(value: &Value, name: &str) -> Result<u32> {
	Ok(value[name].as_u64().with_context(|| format!("no {name}: {value}"))?.try_into()?)
}

fn bytes(value: &Value) -> Result<Vec<u8>> {
	let text = value.as_str().with_context(|| format!("no bytes: {value}"))?;
	Ok(hex::decode(text.trim_start_matches("0x"))?)
}

impl Wallet {
	async fn of(rpc: &Rpc) -> Result<Self> {
		let version = rpc.call("state_getRuntimeVersion", rpc_params![]).await?;
		let shown = rpc.call("system_properties", rpc_params![]).await?;
		let genesis = rpc.call("chain_getBlockHash", rpc_params![0]).await?;
		let argument = format!("0x{}", hex::encode(METADATA_VERSION.encode()));
		let answer =
			rpc.call("state_call", rpc_params!["Metadata_metadata_at_version", argument]).await?;
		let opaque = Option::<Vec<u8>>::decode(&mut &bytes(&answer)?[..])?;
		let opaque = opaque.context("the runtime has no metadata of this version")?;
		let metadata = RuntimeMetadataPrefixed::decode(&mut &opaque[..])?.1;
		let text = |of: &Value, name: &str| {
			of[name].as_str().map(str::to_owned).with_context(|| format!("no {name}: {of}"))
		};
		let extra = ExtraInfo {
			spec_version: number(&version, "specVersion")?,
			spec_name: text(&version, "specName")?,
			base58_prefix: number(&shown, "ss58Format")?.try_into()?,
			decimals: number(&shown, "tokenDecimals")?.try_into()?,
			token_symbol: text(&shown, "tokenSymbol")?,
		};
		let digest = generate_metadata_digest(&metadata, extra).map_err(|error| anyhow!(error))?;
		Ok(Self {
			spec_version: number(&version, "specVersion")?,
			transaction_version: number(&version, "transactionVersion")?,
			genesis: bytes(&genesis)?,
			metadata_hash: digest.hash(),
		})
	}

	/// The first transaction of an account, put together byte by byte; `0x…`.
	fn sign(&self, call: &[u8], from: &Keypair, metadata_hash: [u8; 32]) -> Result<String> {
		// Immortal, nonce and tip of 0, mode 1: in the order of the runtime's extensions.
		let extra = (0u8, Compact(0u32), Compact(0u128), 1u8).encode();
		let versions = (self.spec_version, self.transaction_version).encode();
		let hash = Some(metadata_hash).encode();
		let implicit = [versions, self.genesis.clone(), self.genesis.clone(), hash].concat();
		let payload = [call, &extra, &implicit].concat();
		ensure!(payload.len() <= 256, "its hash would be signed in its place");
		let signature = from.sign(&payload).0;
		// Signed, of version 4; by an account; with sr25519.
		let sender = [&[0x84, 0][..], &from.public_key().0, &[1], &signature].concat();
		let transaction = [sender, extra, call.to_vec()].concat().encode();
		Ok(format!("0x{}", hex::encode(transaction)))
	}
}

#[tokio::test]
async fn a_transaction_with_the_hash_of_the_metadata_is_included_and_one_with_another_refused()
-> Result<()> {
	let node = Node::start(NodeConfig::development()).await?;
	node.wait_for_finalized(1, LIMIT).await?;
	let (rpc, api) = (node.rpc()?, connect(&node).await?);
	let (wallet, sender) = (Wallet::of(rpc).await?, dev::dave());
	let receiver = account("//hardware")?.public_key();
	let block = api.at_current_block().await?;
	let call = block.transactions().call_data(&transfer(&receiver, AIT))?;

	let mut other = wallet.metadata_hash;
	other[0] ^= 1;
	let refused = rpc.submit(&wallet.sign(&call, &sender, other)?).await;
	let refused = refused.err().context("another hash was taken")?;
	let Some(rpcs::Error::User(refusal)) = refused.downcast_ref() else { return Err(refused) };
	let reason = refusal.data.as_ref().map(|data| data.get()).unwrap_or_default();
	ensure!(refusal.code == 1010 && reason.contains("bad signature"), "{refusal:?}");

	rpc.submit(&wallet.sign(&call, &sender, wallet.metadata_hash)?).await?;
	node.wait("the transfer is final", LIMIT, async |_| {
		Ok((free_balance(&api, &receiver).await? == AIT).then_some(()))
	})
	.await?;
	node.assert_no_errors();
	Ok(())
}
