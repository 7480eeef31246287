//! The parts of a node that its commands need too: database, client and import queue.

use crate::{
	chain::{Block, Hash},
	error::{self, Error},
	questions::RuntimeApi,
};
use sc_chain_spec::{BuildGenesisBlock, GenesisBlockBuilder};
use sc_client_api::Backend;
use sc_client_db::PruningFilter;
use sc_consensus::DefaultImportQueue;
use sc_consensus_aura::ImportQueueParams;
use sc_consensus_grandpa::GrandpaPruningFilter;
use sc_executor::WasmExecutor;
use sc_service::{Configuration, KeystoreContainer, TaskManager};
use sc_telemetry::{Telemetry, TelemetryHandle, TelemetryWorker};
use sp_blockchain::HeaderBackend;
use sp_consensus_aura::{
	inherents::InherentDataProvider as SlotProvider, sr25519::AuthorityPair as AuraPair,
};
use sp_core::storage::Storage;
use sp_runtime::traits::Block as _;
use std::{path::Path, sync::Arc};

type Executor = WasmExecutor<sp_io::SubstrateHostFunctions>;

/// The client: blocks, state, and the runtime that belongs to them.
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, Executor>;
/// The storage of the client.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// Rule that chooses the best block: the longest chain.
pub type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// Imports blocks and follows the changes of authorities in them.
pub type GrandpaBlockImport =
	sc_consensus_grandpa::GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
/// Values that the import passes to the voter.
pub type GrandpaLink = sc_consensus_grandpa::LinkHalf<Block, FullClient, FullSelectChain>;

/// Number of blocks between two justifications that are kept permanently, also in a pruned
/// database.
///
/// Warp sync does not depend on it: the justifications of every change of authorities and of the
/// newest final block are kept in any case.
pub const JUSTIFICATION_PERIOD: u32 = 512;

/// Origin of a chain: built-in network or file.
#[derive(Debug, Default)]
pub struct Origin {
	/// State from which a built-in network starts, or why there is none; `None` if the chain is a
	/// specification file, which has its own.
	pub genesis: Option<Result<Storage, String>>,
	/// Arguments `--chain` and `--base-path` in use, each after a space, as another command has to
	/// repeat them.
	pub location: String,
	/// Address format of the chain (SS58 prefix).
	pub ss58_prefix: u16,
}

/// The parts of a node that its commands need too: no network, no transaction pool.
pub struct Core {
	/// Client on top of `backend`.
	pub client: Arc<FullClient>,
	/// Database with blocks and state.
	pub backend: Arc<FullBackend>,
	/// Owner of the background tasks, which end with it.
	pub task_manager: TaskManager,
	/// Queue that checks and imports blocks.
	pub import_queue: DefaultImportQueue<Block>,
	/// Keystore of the node.
	pub keystore: KeystoreContainer,
	/// Rule that chooses the best block.
	pub select_chain: FullSelectChain,
	/// Import of single blocks, used by block production.
	pub block_import: GrandpaBlockImport,
	/// Input of the GRANDPA voter.
	pub grandpa_link: GrandpaLink,
	/// Connection to a telemetry server, if one is configured.
	pub telemetry: Option<Telemetry>,
}

/// Opens the storage and builds the parts on top of it.
pub fn new_core(config: &Configuration, origin: &Origin) -> Result<Core, Error> {
	let telemetry = config
		.telemetry_endpoints
		.clone()
		.filter(|endpoints| !endpoints.is_empty())
		.map(|endpoints| -> Result<_, sc_telemetry::Error> {
			let worker = TelemetryWorker::new(16)?;
			let telemetry = worker.handle().new_telemetry(endpoints);
			Ok((worker, telemetry))
		})
		.transpose()
		.map_err(sc_service::Error::from)?;

	let executor: Executor = sc_service::new_wasm_executor(&config.executor);
	let backend = open_backend(config, &origin.location)?;
	let genesis = genesis_builder(config, backend.clone(), executor.clone(), origin)?;
	let (client, backend, keystore, task_manager) =
		sc_service::new_full_parts_with_genesis_builder::<Block, RuntimeApi, _, _>(
			config,
			telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
			executor,
			backend,
			genesis,
			false,
		)?;
	let client = Arc::new(client);

	let telemetry = telemetry.map(|(worker, telemetry)| {
		task_manager.spawn_handle().spawn("telemetry", None, worker.run());
		telemetry
	});
	let handle = telemetry.as_ref().map(Telemetry::handle);

	let select_chain = sc_consensus::LongestChain::new(backend.clone());
	let (block_import, grandpa_link) = sc_consensus_grandpa::block_import(
		client.clone(),
		JUSTIFICATION_PERIOD,
		&client,
		select_chain.clone(),
		handle.clone(),
	)?;
	let import_queue =
		import_queue(config, client.clone(), block_import.clone(), &task_manager, handle)?;

	Ok(Core {
		client,
		backend,
		task_manager,
		import_queue,
		keystore,
		select_chain,
		block_import,
		grandpa_link,
		telemetry,
	})
}

/// Opens the database. Blocks with a GRANDPA justification survive pruning, because other nodes
/// need them for warp sync.
fn open_backend(config: &Configuration, location: &str) -> Result<Arc<FullBackend>, Error> {
	let mut settings = config.db_config();
	settings.pruning_filters = vec![Arc::new(GrandpaPruningFilter) as Arc<dyn PruningFilter>];
	sc_service::new_db_backend(settings)
		.map_err(|error| error::database(&error, config.database.path(), location))
}

/// Builds the genesis state, and refuses a database that began with a different one.
fn genesis_builder(
	config: &Configuration,
	backend: Arc<FullBackend>,
	executor: Executor,
	origin: &Origin,
) -> Result<GenesisBlockBuilder<Block, FullBackend, Executor>, Error> {
	let storage = match &origin.genesis {
		Some(storage) => storage.clone(),
		None => config.chain_spec.as_storage_builder().build_storage(),
	};
	let storage = storage.map_err(|reason| no_genesis(config, &reason))?;
	let builder = |storage| {
		GenesisBlockBuilder::new_with_storage(
			storage,
			!config.no_genesis(),
			backend.clone(),
			executor.clone(),
		)
	};
	let (block, _discarded) = builder(storage.clone())?
		.build_genesis_block()
		.map_err(|error| no_genesis(config, &error.to_string()))?;
	let (stored, expected) = (backend.blockchain().info().genesis_hash, block.header().hash());
	if stored != Hash::zero() && stored != expected {
		return Err(other_genesis(stored, expected, config.database.path(), &origin.location));
	}
	Ok(builder(storage)?)
}

fn no_genesis(config: &Configuration, reason: &str) -> Error {
	Error::Explained(format!(
		"The chain specification `{}` yields no genesis state: {reason}. Its runtime code or its \
		 genesis configuration is damaged; get a fresh copy of the file.",
		config.chain_spec.name()
	))
}

fn other_genesis(stored: Hash, expected: Hash, path: Option<&Path>, location: &str) -> Error {
	let path = path.map(|path| path.display().to_string()).unwrap_or_default();
	Error::Explained(format!(
		"The database at {path} belongs to another chain.\n\
		 \n    genesis in the database       {stored:?}\
		 \n    genesis of the specification  {expected:?}\n\n\
		 A built-in network changes its genesis whenever its runtime is rebuilt. Start with the \
		 specification file with which the database was made, or delete it (keys stay):\n\
		 \n    gridproof-node purge-chain{location}\n"
	))
}

/// Creates the import queue: it checks seal, slot and author of a block, its timestamp against its
/// slot, and whether its author signed two blocks for one slot.
fn import_queue(
	config: &Configuration,
	client: Arc<FullClient>,
	block_import: GrandpaBlockImport,
	task_manager: &TaskManager,
	telemetry: Option<TelemetryHandle>,
) -> Result<DefaultImportQueue<Block>, Error> {
	let clock = client.clone();
	sc_consensus_aura::import_queue::<AuraPair, _, _, _, _, _>(ImportQueueParams {
		block_import: block_import.clone(),
		justification_import: Some(Box::new(block_import)),
		client,
		create_inherent_data_providers: move |parent, _| {
			let clock = clock.clone();
			async move {
				let duration = sc_consensus_aura::standalone::slot_duration_at(&*clock, parent)?;
				Ok(inherents(duration))
			}
		},
		spawner: &task_manager.spawn_essential_handle(),
		registry: config.prometheus_registry(),
		check_for_equivocation: sc_consensus_aura::CheckForEquivocation::Yes,
		telemetry,
		compatibility_mode: Default::default(),
	})
	.map_err(|error| sc_service::Error::from(error).into())
}

/// Provides the inherents of a block's author: its slot and the time.
pub fn inherents(
	slot_duration: sc_consensus_aura::SlotDuration,
) -> (SlotProvider, sp_timestamp::InherentDataProvider) {
	let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
	let slot = SlotProvider::from_timestamp_and_slot_duration(*timestamp, slot_duration);
	(slot, timestamp)
}
