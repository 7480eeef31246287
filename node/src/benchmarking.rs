//! `gridproof-node benchmark`: weights of pallets, storage, blocks and extrinsics, and the speed
//! of this machine. Compiled with the feature `runtime-benchmarks` only.

use crate::{cli::Cli, logs::create_runner, origin::origin};
use codec::Encode;
use frame_benchmarking_cli::{
	BenchmarkCmd, ExtrinsicBuilder, ExtrinsicFactory, SUBSTRATE_REFERENCE_HARDWARE,
};
use gridproof_node_service::{
	Error,
	client::{self, FullClient},
};
use gridproof_runtime::{
	AccountId, Balance, RefuseFiltered, Runtime, RuntimeCall, SignedPayload, TxExtension,
	UncheckedExtrinsic, opaque::Block,
};
use sc_cli::SubstrateCli;
use sc_client_api::BlockBackend;
use sp_core::{Pair, sr25519};
use sp_inherents::{InherentData, InherentDataProvider};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{OpaqueExtrinsic, generic::Era, traits::HashingFor};
use std::{sync::Arc, time::Duration};

/// Runs a benchmark command.
pub fn run(cli: &Cli, command: &BenchmarkCmd) -> Result<(), Error> {
	let origin = origin(cli);
	let runner = create_runner(cli, command)?;
	runner.sync_run(|config| {
		match command {
			BenchmarkCmd::Pallet(command) => {
				command.run_with_spec::<HashingFor<Block>, ()>(Some(config.chain_spec))?;
			},
			BenchmarkCmd::Machine(command) => {
				command.run(&config, SUBSTRATE_REFERENCE_HARDWARE.clone())?;
			},
			BenchmarkCmd::Block(command) => {
				command.run(client::new_core(&config, &origin)?.client)?;
			},
			BenchmarkCmd::Storage(command) => {
				let core = client::new_core(&config, &origin)?;
				let database = core.backend.expose_db();
				let storage = core.backend.expose_storage();
				let cache = core.backend.expose_shared_trie_cache();
				command.run(config, core.client, database, storage, cache)?;
			},
			BenchmarkCmd::Overhead(command) => {
				let core = client::new_core(&config, &origin)?;
				let remarks = RemarkBuilder { client: core.client.clone() };
				command.run(
					config.chain_spec.name().into(),
					core.client,
					inherent_data()?,
					Vec::new(),
					&remarks,
					false,
				)?;
			},
			BenchmarkCmd::Extrinsic(command) => {
				let core = client::new_core(&config, &origin)?;
				let factory = ExtrinsicFactory(vec![
					Box::new(RemarkBuilder { client: core.client.clone() }),
					Box::new(TransferBuilder {
						client: core.client.clone(),
						destination: Sr25519Keyring::Bob.to_account_id(),
						value: gridproof_runtime::constants::currency::EXISTENTIAL_DEPOSIT,
					}),
				]);
				command.run(core.client, inherent_data()?, Vec::new(), &factory)?;
			},
		}
		Ok(())
	})
}

/// Builds `System::remark` transactions.
struct RemarkBuilder {
	client: Arc<FullClient>,
}

impl ExtrinsicBuilder for RemarkBuilder {
	fn pallet(&self) -> &str {
		"system"
	}

	fn extrinsic(&self) -> &str {
		"remark"
	}

	fn build(&self, nonce: u32) -> Result<OpaqueExtrinsic, &'static str> {
		let call = frame_system::Call::<Runtime>::remark { remark: Vec::new() };
		signed(&self.client, &Sr25519Keyring::Bob.pair(), call.into(), nonce)
	}
}

/// Builds `Balances::transfer_keep_alive` transactions.
struct TransferBuilder {
	client: Arc<FullClient>,
	destination: AccountId,
	value: Balance,
}

impl ExtrinsicBuilder for TransferBuilder {
	fn pallet(&self) -> &str {
		"balances"
	}

	fn extrinsic(&self) -> &str {
		"transfer_keep_alive"
	}

	fn build(&self, nonce: u32) -> Result<OpaqueExtrinsic, &'static str> {
		let call = pallet_balances::Call::<Runtime>::transfer_keep_alive {
			dest: self.destination.clone().into(),
			value: self.value,
		};
		signed(&self.client, &Sr25519Keyring::Bob.pair(), call.into(), nonce)
	}
}

/// Signs a call for the block after genesis.
fn signed(
	client: &FullClient,
	sender: &sr25519::Pair,
	call: RuntimeCall,
	nonce: u32,
) -> Result<OpaqueExtrinsic, &'static str> {
	let genesis = client.block_hash(0).ok().flatten().ok_or("the database has no genesis block")?;
	let extension: TxExtension = (
		RefuseFiltered::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0).into(),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	);
	let version = gridproof_runtime::VERSION;
	let payload = SignedPayload::from_raw(
		call.clone(),
		extension.clone(),
		(
			(),
			(),
			version.spec_version,
			version.transaction_version,
			genesis,
			genesis,
			(),
			(),
			(),
			None,
			(),
		),
	);
	let signature = payload.using_encoded(|bytes| sender.sign(bytes));
	let account = AccountId::from(sender.public());
	Ok(UncheckedExtrinsic::new_signed(call, account.into(), signature.into(), extension).into())
}

/// Returns the inherents of a first block, at the Unix epoch.
fn inherent_data() -> Result<InherentData, Error> {
	let mut data = InherentData::new();
	let timestamp = sp_timestamp::InherentDataProvider::new(Duration::ZERO.into());
	futures::executor::block_on(timestamp.provide_inherent_data(&mut data))
		.map_err(|error| Error::Explained(format!("No inherent data: {error}")))?;
	Ok(data)
}
