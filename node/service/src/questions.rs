//! The questions that the node asks the runtime.
//!
//! The WebAssembly of the chain answers them. The answers below only tell the compiler which
//! questions there are, and nobody can reach them.

#![allow(missing_docs, reason = "the macro makes public items of its own")]

use crate::chain::{AccountId, Balance, Block, Nonce};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::{
	traits::{Block as BlockT, NumberFor},
	transaction_validity::{TransactionSource, TransactionValidity},
};

/// Stands for whatever runtime the chain has.
#[derive(Debug)]
pub struct Runtime;

/// Ends the program: a native answer was asked for, and there is none.
fn never<T>() -> T {
	unreachable!("the node executes WebAssembly only")
}

sp_api::impl_runtime_apis! {
	impl sp_api::Core<Block> for Runtime {
		fn version() -> sp_version::RuntimeVersion {
			never()
		}

		fn execute_block(_: <Block as BlockT>::LazyBlock) {
			never()
		}

		fn initialize_block(_: &<Block as BlockT>::Header) -> sp_runtime::ExtrinsicInclusionMode {
			never()
		}
	}

	impl sp_api::Metadata<Block> for Runtime {
		fn metadata() -> sp_core::OpaqueMetadata {
			never()
		}

		fn metadata_at_version(_: u32) -> Option<sp_core::OpaqueMetadata> {
			never()
		}

		fn metadata_versions() -> Vec<u32> {
			never()
		}
	}

	impl sp_block_builder::BlockBuilder<Block> for Runtime {
		fn apply_extrinsic(
			_: <Block as BlockT>::Extrinsic,
		) -> sp_runtime::ApplyExtrinsicResult {
			never()
		}

		fn finalize_block() -> <Block as BlockT>::Header {
			never()
		}

		fn inherent_extrinsics(
			_: sp_inherents::InherentData,
		) -> Vec<<Block as BlockT>::Extrinsic> {
			never()
		}

		fn check_inherents(
			_: <Block as BlockT>::LazyBlock,
			_: sp_inherents::InherentData,
		) -> sp_inherents::CheckInherentsResult {
			never()
		}
	}

	impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
		fn validate_transaction(
			_: TransactionSource,
			_: <Block as BlockT>::Extrinsic,
			_: <Block as BlockT>::Hash,
		) -> TransactionValidity {
			never()
		}
	}

	impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
		fn offchain_worker(_: &<Block as BlockT>::Header) {
			never()
		}
	}

	impl sp_consensus_aura::AuraApi<Block, AuraId> for Runtime {
		fn slot_duration() -> sp_consensus_aura::SlotDuration {
			never()
		}

		fn authorities() -> Vec<AuraId> {
			never()
		}
	}

	impl pallet_authorities_api::AuthoritiesApi<Block, AuraId> for Runtime {
		fn prove_author(_: AuraId) -> Option<sp_session::MembershipProof> {
			never()
		}

		fn report_of_two_blocks(
			_: pallet_authorities_api::TwoBlocks<<Block as BlockT>::Header, AuraId>,
			_: sp_session::MembershipProof,
		) -> Vec<u8> {
			never()
		}
	}

	impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
		fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
			never()
		}

		fn current_set_id() -> sp_consensus_grandpa::SetId {
			never()
		}

		fn submit_report_equivocation_unsigned_extrinsic(
			_: sp_consensus_grandpa::EquivocationProof<<Block as BlockT>::Hash, NumberFor<Block>>,
			_: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
		) -> Option<()> {
			never()
		}

		fn generate_key_ownership_proof(
			_: sp_consensus_grandpa::SetId,
			_: sp_consensus_grandpa::AuthorityId,
		) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
			never()
		}
	}

	impl sp_session::SessionKeys<Block> for Runtime {
		fn generate_session_keys(
			_: Vec<u8>,
			_: Option<Vec<u8>>,
		) -> sp_session::OpaqueGeneratedSessionKeys {
			never()
		}

		fn decode_session_keys(
			_: Vec<u8>,
		) -> Option<Vec<(Vec<u8>, sp_core::crypto::KeyTypeId)>> {
			never()
		}
	}

	impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
		fn account_nonce(_: AccountId) -> Nonce {
			never()
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance>
		for Runtime
	{
		fn query_info(
			_: <Block as BlockT>::Extrinsic,
			_: u32,
		) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<Balance> {
			never()
		}

		fn query_fee_details(
			_: <Block as BlockT>::Extrinsic,
			_: u32,
		) -> pallet_transaction_payment_rpc_runtime_api::FeeDetails<Balance> {
			never()
		}

		fn query_weight_to_fee(_: sp_weights::Weight) -> Balance {
			never()
		}

		fn query_length_to_fee(_: u32) -> Balance {
			never()
		}
	}
}
