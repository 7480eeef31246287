//! The questions that node and clients may ask the runtime.

use crate::{
	AccountId, Attestations, Balance, Block, BlockNumber, ComputeChecks, ComputeReceipts,
	CoveragePolicy, Executive, Grandpa, InherentDataExt, MeterReadings, ModelRegistry, Nonce,
	Runtime, RuntimeCall, RuntimeGenesisConfig, SessionKeys, System, TransactionPayment, VERSION,
	constants::time::SLOT_DURATION, genesis_presets,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	genesis_builder_helper::{build_state, get_preset},
	weights::Weight,
};
use gridproof_primitives::reserve::state::{
	CreditAccount, DayRecord, Outlook, Quote, RedemptionQuote, Status, Ticket, WhatIf,
};
use gridproof_primitives::{
	H256,
	compute::{self, channels, checks, registry},
	crypto::ed25519::PublicKey,
	energy::{
		Accepted, Anchor, BatchHeader, BatchRecord, BatchRefusal, MeterIndex, MeterInfo, MeterName,
		MeterPage, OrganisationIndex, Overview, ReadingRefusal, SignedBatch, Totals,
	},
	num::decimal::SignedRatio,
	reserve::archive::ArchiveProof,
	reserve::attestation::{AttestationFields, Kind, Role},
	reserve::parameters::PolicyParameters,
	reserve::stop::RoleStops,
	time::calendar::{Calendar, DayClock},
	time::day::Day,
};
use pallet_attestations::types::{Archive, Attestation, KeySet, Signatures};
use pallet_grandpa::AuthorityId as GrandpaId;
use pallet_meter_readings::types::{Limits, Organisation, Usage};
use sp_api::impl_runtime_apis;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_core::{OpaqueMetadata, crypto::KeyTypeId};
use sp_runtime::{
	ApplyExtrinsicResult, DispatchError, ExtrinsicInclusionMode,
	traits::{Block as BlockT, NumberFor},
	transaction_validity::{TransactionSource, TransactionValidity},
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_version::RuntimeVersion;

impl_runtime_apis! {
	impl sp_api::Core<Block> for Runtime {
		fn version() -> RuntimeVersion {
			VERSION
		}

		fn execute_block(block: <Block as BlockT>::LazyBlock) {
			Executive::execute_block(block);
		}

		fn initialize_block(header: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
			Executive::initialize_block(header)
		}
	}

	impl sp_api::Metadata<Block> for Runtime {
		fn metadata() -> OpaqueMetadata {
			OpaqueMetadata::new(Runtime::metadata().into())
		}

		fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
			Runtime::metadata_at_version(version)
		}

		fn metadata_versions() -> Vec<u32> {
			Runtime::metadata_versions()
		}
	}

	impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block> for Runtime {
		fn execute_view_function(
			id: frame_support::view_functions::ViewFunctionId,
			input: Vec<u8>,
		) -> Result<Vec<u8>, frame_support::view_functions::ViewFunctionDispatchError> {
			Runtime::execute_view_function(id, input)
		}
	}

	impl sp_block_builder::BlockBuilder<Block> for Runtime {
		fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
			Executive::apply_extrinsic(extrinsic)
		}

		fn finalize_block() -> <Block as BlockT>::Header {
			Executive::finalize_block()
		}

		fn inherent_extrinsics(
			data: sp_inherents::InherentData,
		) -> Vec<<Block as BlockT>::Extrinsic> {
			data.create_extrinsics()
		}

		fn check_inherents(
			block: <Block as BlockT>::LazyBlock,
			data: sp_inherents::InherentData,
		) -> sp_inherents::CheckInherentsResult {
			data.check_extrinsics(&block)
		}
	}

	impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
		fn validate_transaction(
			source: TransactionSource,
			transaction: <Block as BlockT>::Extrinsic,
			block_hash: <Block as BlockT>::Hash,
		) -> TransactionValidity {
			Executive::validate_transaction(source, transaction, block_hash)
		}
	}

	impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
		fn offchain_worker(header: &<Block as BlockT>::Header) {
			Executive::offchain_worker(header)
		}
	}

	impl sp_consensus_aura::AuraApi<Block, AuraId> for Runtime {
		fn slot_duration() -> sp_consensus_aura::SlotDuration {
			sp_consensus_aura::SlotDuration::from_millis(SLOT_DURATION)
		}

		fn authorities() -> Vec<AuraId> {
			pallet_aura::Authorities::<Runtime>::get().into_inner()
		}
	}

	impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
		fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
			Grandpa::grandpa_authorities()
		}

		fn current_set_id() -> sp_consensus_grandpa::SetId {
			pallet_grandpa::CurrentSetId::<Runtime>::get()
		}

		fn submit_report_equivocation_unsigned_extrinsic(
			equivocation_proof: sp_consensus_grandpa::EquivocationProof<
				<Block as BlockT>::Hash,
				NumberFor<Block>,
			>,
			key_owner_proof: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
		) -> Option<()> {
			Grandpa::submit_unsigned_equivocation_report(
				equivocation_proof,
				key_owner_proof.decode()?,
			)
		}

		fn generate_key_ownership_proof(
			_set_id: sp_consensus_grandpa::SetId,
			authority_id: GrandpaId,
		) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
			use frame_support::traits::KeyOwnerProofSystem;
			pallet_authorities::KeyOwners::<Runtime>::prove((sp_consensus_grandpa::KEY_TYPE, authority_id))
				.map(|proof| proof.encode())
				.map(sp_consensus_grandpa::OpaqueKeyOwnershipProof::new)
		}
	}

	impl pallet_authorities::runtime_api::AuthoritiesApi<Block, AuraId> for Runtime {
		fn prove_author(author: AuraId) -> Option<sp_session::MembershipProof> {
			use frame_support::traits::KeyOwnerProofSystem;
			let key = (sp_core::crypto::key_types::AURA, author);
			let proof = pallet_authorities::KeyOwners::<Runtime>::prove(key.clone())?;
			// The trie also proves that a key is not there.
			pallet_authorities::KeyOwners::<Runtime>::check_proof(key, proof.clone())?;
			Some(proof)
		}

		fn report_of_two_blocks(
			blocks: pallet_authorities::TwoBlocks<<Block as BlockT>::Header, AuraId>,
			owner: sp_session::MembershipProof,
		) -> Vec<u8> {
			use frame_system::offchain::CreateAuthorizedTransaction;
			let blocks = alloc::boxed::Box::new(blocks);
			let call = pallet_authorities::Call::report_two_blocks { blocks, owner };
			Runtime::create_authorized_transaction(call.into()).encode()
		}
	}

	impl sp_session::SessionKeys<Block> for Runtime {
		fn generate_session_keys(
			owner: Vec<u8>,
			seed: Option<Vec<u8>>,
		) -> OpaqueGeneratedSessionKeys {
			SessionKeys::generate(&owner, seed).into()
		}

		fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
			SessionKeys::decode_into_raw_public_keys(&encoded)
		}
	}

	impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
		fn account_nonce(account: AccountId) -> Nonce {
			System::account_nonce(account)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance>
		for Runtime
	{
		fn query_info(
			uxt: <Block as BlockT>::Extrinsic,
			len: u32,
		) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_info(uxt, len)
		}

		fn query_fee_details(
			uxt: <Block as BlockT>::Extrinsic,
			len: u32,
		) -> pallet_transaction_payment::FeeDetails<Balance> {
			TransactionPayment::query_fee_details(uxt, len)
		}

		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}

		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<
		Block,
		Balance,
		RuntimeCall,
	> for Runtime {
		fn query_call_info(
			call: RuntimeCall,
			len: u32,
		) -> pallet_transaction_payment::RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_call_info(call, len)
		}

		fn query_call_fee_details(
			call: RuntimeCall,
			len: u32,
		) -> pallet_transaction_payment::FeeDetails<Balance> {
			TransactionPayment::query_call_fee_details(call, len)
		}

		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}

		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	impl pallet_attestations::runtime_api::AttestationsApi<Block, BlockNumber> for Runtime {
		fn attestation(kind: Kind, day: Day) -> Option<Attestation<BlockNumber>> {
			Attestations::attestation(kind, day)
		}

		fn days(kind: Kind) -> Vec<Day> {
			Attestations::days(kind)
		}

		fn archive(kind: Kind) -> Archive {
			Attestations::archive(kind)
		}

		fn verify_archived(
			attestation: Attestation<BlockNumber>,
			proof: ArchiveProof,
		) -> bool {
			Attestations::verify_archived(attestation, proof)
		}

		fn keys() -> KeySet<BlockNumber> {
			pallet_attestations::Keys::<Runtime>::get()
		}

		fn key_at(role: Role, time: u64) -> Option<PublicKey> {
			Attestations::key_at(role, time)
		}

		fn stops() -> (RoleStops, u64) {
			Attestations::stops()
		}

		fn calendar() -> (Calendar, Day) {
			(pallet_attestations::CalendarInUse::<Runtime>::get(), Attestations::today())
		}

		fn preview(
			fields: AttestationFields,
			digest: H256,
			signatures: Signatures,
		) -> Result<H256, DispatchError> {
			Attestations::preview(fields, digest, signatures)
		}
	}

	impl pallet_coverage_policy::runtime_api::CoverageApi<Block, AccountId, Balance> for Runtime {
		fn status() -> Status {
			CoveragePolicy::status()
		}

		fn allowance() -> u128 {
			CoveragePolicy::allowance()
		}

		fn parameters() -> PolicyParameters {
			pallet_coverage_policy::Parameters::<Runtime>::get()
		}

		fn history(limit: u32) -> Vec<DayRecord> {
			CoveragePolicy::history(limit)
		}

		fn quote(what_if: WhatIf) -> Result<Quote, DispatchError> {
			CoveragePolicy::quote(what_if)
		}

		fn outlook(day: Day, price: SignedRatio) -> Outlook {
			CoveragePolicy::outlook(day, price)
		}

		fn redeem_quote(amount: u128) -> Result<RedemptionQuote, DispatchError> {
			CoveragePolicy::redeem_quote(amount)
		}

		fn account(who: AccountId) -> Option<CreditAccount<Balance>> {
			CoveragePolicy::account(who)
		}

		fn queue(skip: u32, limit: u32) -> Vec<(u64, Ticket<AccountId, Balance>)> {
			CoveragePolicy::queue(skip, limit)
		}
	}

	impl pallet_meter_readings::runtime_api::MeterReadingsApi<
		Block,
		AccountId,
		Balance,
		BlockNumber,
	> for Runtime {
		fn meter(meter: MeterIndex) -> Option<MeterInfo<AccountId>> {
			MeterReadings::meter(meter)
		}

		fn meter_by_name(name: MeterName) -> Option<(MeterIndex, MeterInfo<AccountId>)> {
			MeterReadings::meter_by_name(name)
		}

		fn meters(from: MeterIndex, limit: u32) -> Vec<MeterInfo<AccountId>> {
			MeterReadings::meters(from, limit)
		}

		fn meter_page(from: MeterIndex, limit: u32) -> MeterPage<AccountId> {
			MeterReadings::meter_page(from, limit)
		}

		fn totals(meter: MeterIndex) -> Option<Totals> {
			MeterReadings::totals(meter)
		}

		fn batch(meter: MeterIndex, sequence: u64) -> Option<BatchRecord> {
			MeterReadings::batch(meter, sequence)
		}

		fn anchor(meter: MeterIndex, sequence: u64) -> Option<Anchor> {
			MeterReadings::anchor(meter, sequence)
		}

		fn verify_reading(
			meter: MeterIndex,
			sequence: u64,
			leaf: Vec<u8>,
			index: u32,
			proof: Vec<H256>,
		) -> Result<(), ReadingRefusal> {
			MeterReadings::verify_recent_reading(meter, sequence, leaf, index, proof)
		}

		fn verify_older_reading(
			headers: Vec<BatchHeader>,
			leaf: Vec<u8>,
			index: u32,
			proof: Vec<H256>,
		) -> Result<(), ReadingRefusal> {
			MeterReadings::verify_older_reading(headers, leaf, index, proof)
		}

		fn preview_batches(batches: Vec<SignedBatch>) -> Vec<Result<Accepted, BatchRefusal>> {
			MeterReadings::preview_batches(batches)
		}

		fn overview() -> Overview {
			MeterReadings::overview()
		}

		fn organisation(
			organisation: OrganisationIndex,
		) -> Option<Organisation<AccountId, Balance>> {
			pallet_meter_readings::Organisations::<Runtime>::get(organisation)
		}

		fn is_member(organisation: OrganisationIndex, who: AccountId) -> bool {
			pallet_meter_readings::Members::<Runtime>::contains_key(organisation, who)
		}

		fn limits() -> (Limits, Usage<BlockNumber>) {
			(
				pallet_meter_readings::LimitsInUse::<Runtime>::get(),
				pallet_meter_readings::UsageNow::<Runtime>::get(),
			)
		}
	}

	impl pallet_compute_receipts::runtime_api::ComputeReceiptsApi<Block> for Runtime {
		fn job(job_id: H256) -> Option<compute::JobView> {
			ComputeReceipts::job(job_id)
		}

		fn receipt(job_id: H256) -> Option<compute::ReceiptView> {
			ComputeReceipts::receipt(job_id)
		}

		fn miner(key: PublicKey) -> Option<compute::MinerView> {
			ComputeReceipts::miner(key)
		}

		fn coordinator(key: PublicKey) -> Option<compute::CoordinatorView> {
			ComputeReceipts::coordinator(key)
		}

		fn parties(after: Option<PublicKey>, limit: u32) -> Vec<(PublicKey, compute::PartyRole)> {
			ComputeReceipts::parties(after, limit)
		}

		fn step(step: u64) -> compute::StepView {
			ComputeReceipts::step(step)
		}

		fn earnings(
			miner: PublicKey,
			compute_units: u64,
			asset: compute::PriceAsset,
			price: u128,
		) -> Option<compute::Earnings> {
			ComputeReceipts::earnings(miner, compute_units, asset, price)
		}

		fn reference_rate() -> Option<compute::ReferenceRate> {
			ComputeReceipts::reference_rate()
		}

		fn preview_receipts(
			receipts: Vec<compute::SignedReceipt>,
		) -> Vec<Result<compute::Preview, compute::ReceiptRefusal>> {
			ComputeReceipts::preview_receipts(receipts)
		}

		fn overview() -> compute::Overview {
			ComputeReceipts::overview()
		}

		fn channel(channel: channels::ChannelId) -> Option<channels::ChannelView> {
			ComputeReceipts::channel(channel)
		}

		fn channels_of(
			account: [u8; 32],
			after: Option<channels::ChannelId>,
			limit: u32,
		) -> Vec<channels::ChannelView> {
			ComputeReceipts::channels_of(account.into(), after, limit)
		}

		fn header_chain(coordinator: PublicKey) -> channels::HeaderChain {
			ComputeReceipts::header_chain(coordinator)
		}

		fn miner_sums(
			coordinator: PublicKey,
			kind: channels::BatchKind,
			miner: Option<PublicKey>,
		) -> channels::MinerSums {
			ComputeReceipts::miner_sums(coordinator, kind, miner)
		}

		fn preview_batch(
			batch: channels::SettlementBatch,
		) -> Result<(), channels::BatchRefusal> {
			ComputeReceipts::preview_batch(batch)
		}

		fn demands(coordinator: PublicKey, limit: u32) -> Vec<channels::DemandView> {
			ComputeReceipts::demands(coordinator, limit)
		}

		fn waiting_batch(batch: checks::BatchId) -> Option<checks::Checkable> {
			ComputeReceipts::waiting_batch(batch)
		}

		fn waiting_line(
			batch: checks::BatchId,
			miner: PublicKey,
		) -> Option<checks::CheckableLine> {
			ComputeReceipts::waiting_line(batch, miner)
		}

		fn waiting_of(
			key: PublicKey,
			after: Option<checks::BatchId>,
			limit: u32,
		) -> Vec<checks::WaitingView> {
			ComputeReceipts::waiting_of(key, after, limit)
		}

		fn waiting_channels(batch: checks::BatchId) -> Vec<checks::PaidByChannel> {
			ComputeReceipts::waiting_channels(batch)
		}

		fn channel_parameters() -> channels::ChannelParameters {
			ComputeReceipts::channel_parameters()
		}

		fn parameters() -> compute::ComputeParameters {
			pallet_compute_receipts::Parameters::<Runtime>::get()
		}

		fn genesis() -> H256 {
			System::block_hash(0)
		}
	}

	impl pallet_model_registry::runtime_api::ModelRegistryApi<Block> for Runtime {
		fn model(hash: H256) -> Option<registry::ModelView> {
			ModelRegistry::model(hash)
		}

		fn model_by_name(name: registry::ModelName) -> Option<registry::ModelView> {
			ModelRegistry::model_by_name(name)
		}

		fn models(after: Option<H256>, limit: u32) -> Vec<registry::ModelView> {
			ModelRegistry::models(after, limit)
		}

		fn default_model() -> Option<H256> {
			ModelRegistry::default_model()
		}

		fn pending() -> Vec<registry::PendingChange> {
			ModelRegistry::pending()
		}

		fn delay() -> registry::Scheduled<u64> {
			ModelRegistry::delay()
		}

		fn factor_at(hash: H256, time_ms: u64) -> Option<u32> {
			ModelRegistry::factor_at(hash, time_ms)
		}
	}

	impl pallet_compute_checks::runtime_api::ComputeChecksApi<Block> for Runtime {
		fn parameters() -> checks::CheckParameters {
			ComputeChecks::parameters()
		}

		fn check_parameters(new: checks::CheckParameters) -> Result<(), checks::CheckParameterError> {
			ComputeChecks::check_parameters(new)
		}

		fn line(model: H256) -> Option<checks::ModelLine> {
			ComputeChecks::line(model)
		}

		fn verifiers() -> Vec<checks::VerifierView> {
			ComputeChecks::verifiers()
		}

		fn batch(batch: checks::BatchId) -> Option<checks::BatchChecks> {
			ComputeChecks::batch(batch)
		}

		fn reports(batch: checks::BatchId, limit: u32) -> Vec<checks::CheckView> {
			ComputeChecks::reports(batch, limit)
		}

		fn asked(batch: checks::BatchId) -> Vec<checks::AskedReceipt> {
			ComputeChecks::asked(batch)
		}

		fn number(miner: PublicKey, model: H256) -> checks::Number {
			ComputeChecks::number(miner, model)
		}

		fn demands() -> Vec<checks::DemandOfOpening> {
			ComputeChecks::demands()
		}

		fn place_of_demand(check: checks::CheckId) -> Option<u128> {
			ComputeChecks::place_of_demand(check)
		}

		fn wide_number(miner: PublicKey) -> checks::WideNumber {
			ComputeChecks::wide_number(miner)
		}

		fn reopenings() -> Vec<checks::CheckId> {
			ComputeChecks::reopenings()
		}

		fn disputes() -> Vec<checks::DisputeView> {
			ComputeChecks::disputes()
		}

		fn overview() -> checks::CheckOverview {
			ComputeChecks::overview()
		}
	}

	impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
		fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
			build_state::<RuntimeGenesisConfig>(config)
		}

		fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
			get_preset::<RuntimeGenesisConfig>(id, genesis_presets::get_preset)
		}

		fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
			genesis_presets::preset_names()
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	impl frame_benchmarking::Benchmark<Block> for Runtime {
		fn benchmark_metadata(
			extra: bool,
		) -> (
			Vec<frame_benchmarking::BenchmarkList>,
			Vec<frame_support::traits::StorageInfo>,
		) {
			use crate::*;
			use frame_benchmarking::BenchmarkList;
			use frame_support::traits::StorageInfoTrait;
			use frame_system_benchmarking::{
				Pallet as SystemBench, extensions::Pallet as SystemExtensionsBench,
			};

			let mut list = Vec::<BenchmarkList>::new();
			list_benchmarks!(list, extra);
			(list, AllPalletsWithSystem::storage_info())
		}

		#[allow(non_local_definitions)]
		fn dispatch_benchmark(
			config: frame_benchmarking::BenchmarkConfig,
		) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
			use crate::*;
			use frame_benchmarking::BenchmarkBatch;
			use frame_support::traits::WhitelistedStorageKeys;
			use frame_system_benchmarking::{
				Pallet as SystemBench, extensions::Pallet as SystemExtensionsBench,
			};
			use sp_storage::TrackedStorageKey;

			impl frame_system_benchmarking::Config for Runtime {}

			let whitelist: Vec<TrackedStorageKey> =
				AllPalletsWithSystem::whitelisted_storage_keys();
			let mut batches = Vec::<BenchmarkBatch>::new();
			let params = (&config, &whitelist);
			add_benchmarks!(params, batches);
			Ok(batches)
		}
	}

	#[cfg(feature = "try-runtime")]
	impl frame_try_runtime::TryRuntime<Block> for Runtime {
		fn on_runtime_upgrade(
			checks: frame_try_runtime::UpgradeCheckSelect,
		) -> (Weight, Weight) {
			use crate::constants::RuntimeBlockWeights;
			use frame_support::pallet_prelude::Get;
			let weight = Executive::try_runtime_upgrade(checks).expect("the upgrade failed");
			(weight, RuntimeBlockWeights::get().max_block)
		}

		fn execute_block(
			block: <Block as BlockT>::LazyBlock,
			state_root_check: bool,
			signature_check: bool,
			select: frame_try_runtime::TryStateSelect,
		) -> Weight {
			Executive::try_execute_block(block, state_root_check, signature_check, select)
				.expect("the block failed")
		}
	}
}
