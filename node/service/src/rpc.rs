//! The RPC methods that this node adds to those of every Substrate node.
//!
//! `system` (nonces, dry run), `payment` (fees), `grandpa` (finality proofs and justifications),
//! and `gridproof`, this chain's own namespace.

use crate::chain::{
	AccountId, Balance, Block, BlockNumber, Hash, Nonce, TOKEN_DECIMALS, TOKEN_SYMBOL,
};
use jsonrpsee::{
	RpcModule,
	core::RpcResult,
	proc_macros::rpc,
	types::{ErrorObjectOwned, error::INTERNAL_ERROR_CODE},
};
use sc_consensus_grandpa::{
	FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_rpc::SubscriptionTaskExecutor;
use sc_transaction_pool_api::TransactionPool;
use serde::{Deserialize, Serialize};
use sp_api::{Core, ProvideRuntimeApi};
use sp_block_builder::BlockBuilder;
use sp_blockchain::{Error as BlockChainError, HeaderBackend, HeaderMetadata};
use sp_consensus_aura::{AuraApi, sr25519::AuthorityId as AuraId};
use std::{error::Error as StdError, sync::Arc};

/// Identity and progress of a running chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChainInfo {
	/// Name of the chain, from its specification.
	pub chain: String,
	/// Hash of block 0, which identifies the chain.
	pub genesis_hash: Hash,
	/// Version of the node's program.
	pub node_version: String,
	/// Name of the runtime at the best block.
	pub spec_name: String,
	/// Version of the runtime at the best block.
	pub spec_version: u32,
	/// Version of the transaction format at the best block.
	pub transaction_version: u32,
	/// Length of a slot, in milliseconds.
	pub slot_duration_ms: u64,
	/// Address format of the chain (SS58 prefix).
	pub ss58_format: u16,
	/// Symbol of the native token.
	pub token_symbol: String,
	/// Decimals of the native token.
	pub token_decimals: u32,
	/// Height of the best block.
	pub best_number: BlockNumber,
	/// Hash of the best block.
	pub best_hash: Hash,
	/// Height of the last final block.
	pub finalized_number: BlockNumber,
	/// Hash of the last final block.
	pub finalized_hash: Hash,
}

/// The `gridproof` namespace.
#[rpc(client, server, namespace = "gridproof")]
pub(crate) trait GridproofApi {
	/// Version of the node's program.
	#[method(name = "version")]
	fn version(&self) -> RpcResult<String>;

	/// Returns identity and progress of the chain.
	#[method(name = "info")]
	fn info(&self) -> RpcResult<ChainInfo>;
}

/// Implementation of the `gridproof` namespace.
pub(crate) struct Gridproof<C> {
	client: Arc<C>,
	chain: String,
	node_version: String,
	ss58_prefix: u16,
}

impl<C> GridproofApiServer for Gridproof<C>
where
	C: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync + 'static,
	C::Api: AuraApi<Block, AuraId>,
{
	fn version(&self) -> RpcResult<String> {
		Ok(self.node_version.clone())
	}

	fn info(&self) -> RpcResult<ChainInfo> {
		let info = self.client.info();
		let api = self.client.runtime_api();
		let version = api.version(info.best_hash).map_err(runtime_unavailable)?;
		let slot_duration = api.slot_duration(info.best_hash).map_err(runtime_unavailable)?;
		Ok(ChainInfo {
			chain: self.chain.clone(),
			genesis_hash: info.genesis_hash,
			node_version: self.node_version.clone(),
			spec_name: version.spec_name.to_string(),
			spec_version: version.spec_version,
			transaction_version: version.transaction_version,
			slot_duration_ms: slot_duration.as_millis(),
			ss58_format: self.ss58_prefix,
			token_symbol: TOKEN_SYMBOL.into(),
			token_decimals: TOKEN_DECIMALS,
			best_number: info.best_number,
			best_hash: info.best_hash,
			finalized_number: info.finalized_number,
			finalized_hash: info.finalized_hash,
		})
	}
}

fn runtime_unavailable(error: sp_api::ApiError) -> ErrorObjectOwned {
	ErrorObjectOwned::owned(
		INTERNAL_ERROR_CODE,
		"The state of the best block is not here yet; is the node still syncing?",
		Some(error.to_string()),
	)
}

/// Sources of GRANDPA's methods.
pub(crate) struct GrandpaDeps<B> {
	/// Voting state, reported by `grandpa_roundState`.
	pub shared_voter_state: SharedVoterState,
	/// Present set of authorities.
	pub shared_authority_set: SharedAuthoritySet<Hash, BlockNumber>,
	/// Stream of new justifications, for subscribers.
	pub justification_stream: GrandpaJustificationStream<Block>,
	/// Source of finality proofs.
	pub finality_provider: Arc<FinalityProofProvider<B, Block>>,
	/// Executor of subscriptions.
	pub subscription_executor: SubscriptionTaskExecutor,
}

/// Sources of all methods.
pub(crate) struct FullDeps<C, P, B> {
	/// Client that the methods read from.
	pub client: Arc<C>,
	/// Transaction pool of this node.
	pub pool: Arc<P>,
	/// Name of the chain, from its specification.
	pub chain: String,
	/// Version of the node's program.
	pub node_version: String,
	/// Address format of the chain (SS58 prefix).
	pub ss58_prefix: u16,
	/// Sources of GRANDPA's methods.
	pub grandpa: GrandpaDeps<B>,
}

/// Creates the module with all additional methods.
pub(crate) fn create_full<C, P, B>(
	deps: FullDeps<C, P, B>,
) -> Result<RpcModule<()>, Box<dyn StdError + Send + Sync>>
where
	C: ProvideRuntimeApi<Block>
		+ HeaderBackend<Block>
		+ HeaderMetadata<Block, Error = BlockChainError>
		+ Send
		+ Sync
		+ 'static,
	C::Api: substrate_frame_rpc_system::AccountNonceApi<Block, AccountId, Nonce>
		+ pallet_transaction_payment_rpc::TransactionPaymentRuntimeApi<Block, Balance>
		+ AuraApi<Block, AuraId>
		+ BlockBuilder<Block>,
	P: TransactionPool<Block = Block> + 'static,
	B: sc_client_api::Backend<Block> + 'static,
{
	use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
	use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
	use substrate_frame_rpc_system::{System, SystemApiServer};

	let FullDeps { client, pool, chain, node_version, ss58_prefix, grandpa } = deps;
	let mut module = RpcModule::new(());
	module.merge(System::new(client.clone(), pool).into_rpc())?;
	module.merge(TransactionPayment::new(client.clone()).into_rpc())?;
	module.merge(
		Grandpa::new(
			grandpa.subscription_executor,
			grandpa.shared_authority_set,
			grandpa.shared_voter_state,
			grandpa.justification_stream,
			grandpa.finality_provider,
		)
		.into_rpc(),
	)?;
	module.merge(Gridproof { client, chain, node_version, ss58_prefix }.into_rpc())?;
	Ok(module)
}
