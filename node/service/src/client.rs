//! The parts of a node that its commands need too: database, client and import queue.

use crate::{
	chain::{Block, Hash},
	error::{self, Error},
	questions::RuntimeApi,
	two_blocks::{Found, Watching},
};
use futures::channel::mpsc;
use sc_chain_spec::{BuildGenesisBlock, GenesisBlockBuilder};
use sc_client_api::Backend;
use sc_client_db::PruningFilter;
use sc_consensus::{BasicQueue, DefaultImportQueue};
use sc_consensus_aura::BuildVerifierParams;
use sc_consensus_grandpa::GrandpaPruningFilter;
use sc_executor::WasmExecutor;
use sc_service::{ChainType, Configuration, KeystoreContainer, PruningMode, Role, TaskManager};
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
	/// Evidence of authors who sign two blocks for one slot.
	pub two_blocks: mpsc::Receiver<Found>,
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
	let (import_queue, two_blocks) =
		import_queue(config, client.clone(), block_import.clone(), &task_manager, handle);

	Ok(Core {
		client,
		backend,
		task_manager,
		import_queue,
		two_blocks,
		keystore,
		select_chain,
		block_import,
		grandpa_link,
		telemetry,
	})
}

/// Number of final blocks whose state a full node keeps: four hours. Explorers and wallets ask for
/// older states than those of the last minutes.
pub const STATES_OF_A_FULL_NODE: u32 = 14_400;

/// The same of a validator, which nobody asks.
pub const STATES_OF_A_VALIDATOR: u32 = 256;

/// Returns which states a new database keeps if the command line does not say.
pub fn wished_states(chain: &ChainType, role: &Role) -> PruningMode {
	match (chain, role) {
		(ChainType::Development, _) => PruningMode::ArchiveAll,
		(_, Role::Authority) => PruningMode::blocks_pruning(STATES_OF_A_VALIDATOR),
		(_, Role::Full) => PruningMode::blocks_pruning(STATES_OF_A_FULL_NODE),
	}
}

/// Says in the configuration which states are kept, if the command line does not: those of
/// [`wished_states`], or of the kind for which the database was made.
pub fn choose_states(config: &mut Configuration) {
	if config.state_pruning.is_some() {
		return;
	}
	let wished = wished_states(&config.chain_spec.chain_type(), &config.role);
	config.state_pruning = Some(wished.clone());
	if !config.database.path().is_some_and(Path::exists) {
		return;
	}
	let number = PruningMode::blocks_pruning(STATES_OF_A_FULL_NODE);
	for mode in [wished, PruningMode::ArchiveAll, PruningMode::ArchiveCanonical, number] {
		let mut settings = config.db_config();
		settings.state_pruning = Some(mode.clone());
		match sc_service::new_db_backend::<Block>(settings) {
			Ok(_) => {
				config.state_pruning = Some(mode);
				return;
			},
			Err(error) if error::is_other_pruning(&error) => {},
			// Whatever it is: the start meets it again, and explains it.
			Err(_) => return,
		}
	}
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
	let stored = backend.blockchain().info().genesis_hash;
	if stored != Hash::zero() {
		let (block, _discarded) = builder(storage.clone())?
			.build_genesis_block()
			.map_err(|error| no_genesis(config, &error.to_string()))?;
		let expected = block.header().hash();
		if stored != expected {
			return Err(other_genesis(stored, expected, config.database.path(), &origin.location));
		}
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
) -> (DefaultImportQueue<Block>, mpsc::Receiver<Found>) {
	let clock = client.clone();
	let verifier = sc_consensus_aura::build_verifier::<AuraPair, _, _, _>(BuildVerifierParams {
		client: client.clone(),
		create_inherent_data_providers: move |parent, _| {
			let clock = clock.clone();
			async move {
				let duration = sc_consensus_aura::standalone::slot_duration_at(&*clock, parent)?;
				Ok(inherents(duration))
			}
		},
		// It would only write to the log.
		check_for_equivocation: sc_consensus_aura::CheckForEquivocation::No,
		telemetry,
		compatibility_mode: Default::default(),
	});
	let (verifier, two_blocks) = Watching::new(verifier, client);
	let queue = BasicQueue::new(
		verifier,
		Box::new(block_import.clone()),
		Some(Box::new(block_import)),
		&task_manager.spawn_essential_handle(),
		config.prometheus_registry(),
	);
	(queue, two_blocks)
}

/// Provides the inherents of a block's author: its slot and the time.
pub fn inherents(
	slot_duration: sc_consensus_aura::SlotDuration,
) -> (SlotProvider, sp_timestamp::InherentDataProvider) {
	let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
	let slot = SlotProvider::from_timestamp_and_slot_duration(*timestamp, slot_duration);
	(slot, timestamp)
}
