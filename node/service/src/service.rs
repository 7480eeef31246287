//! The running node: block production (Aura), finality (GRANDPA), network, pool and RPC.

use crate::{
	chain::{Block, Hash},
	client::{
		Core, FullBackend, FullClient, FullSelectChain, GrandpaBlockImport, GrandpaLink,
		JUSTIFICATION_PERIOD, Origin, choose_states, inherents, new_core,
	},
	connections::Patience,
	error::Error,
	journal, methods,
	pool::{Pool, PoolSettings},
	reports, rpc, server,
};
use futures::FutureExt;
use jsonrpsee::RpcModule;
use sc_client_api::{Backend, BlockBackend, StorageProvider};
use sc_consensus::JustificationSyncLink;
use sc_consensus_aura::{SlotProportion, StartAuraParams};
use sc_consensus_grandpa::{
	FinalityProofProvider, GrandpaParams, SharedVoterState, VotingRulesBuilder,
	grandpa_peers_set_config, protocol_standard_name, run_grandpa_voter, warp_proof,
};
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network::{
	Litep2pNetworkBackend, NetworkBackend, NetworkWorker, ProtocolName,
	config::{FullNetworkConfiguration, NetworkBackendType},
};
use sc_offchain::{OffchainWorkerOptions, OffchainWorkers};
use sc_rpc::SubscriptionTaskExecutor;
use sc_rpc_server::{RpcEndpoint, RpcMethods, RpcMetrics};
use sc_service::{
	Configuration, MetricsService, Role, RpcHandlers, TaskManager, WarpSyncConfig,
	config::PrometheusConfig,
};
use sc_telemetry::{Telemetry, TelemetryHandle};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_blockchain::HeaderBackend;
use sp_consensus::SyncOracle;
use sp_consensus_aura::sr25519::AuthorityPair as AuraPair;
use sp_core::{
	crypto::key_types,
	storage::{StorageKey, well_known_keys},
};
use sp_keystore::KeystorePtr;
use sp_runtime::traits::Zero;
use std::{sync::Arc, time::Duration};

/// Part of the slot after which a block that is not ready is abandoned.
///
/// Two thirds of it go to transactions, the rest is for the state root: with less, an author on a
/// busy machine discards every full block, and the chain stops. The other nodes execute the block,
/// whose transactions took at most a third of a second, in what is left of the slot.
const PROPOSAL_PORTION: f32 = 0.5;

/// The same after empty slots, where a slow block is better than none.
///
/// Small on purpose: one validator that is down causes an empty slot in every round, and a longer
/// block after each of them would be late at the next author.
const MAX_PROPOSAL_PORTION: f32 = 0.6;

type RpcBuilder = Box<dyn Fn(SubscriptionTaskExecutor) -> Result<RpcModule<()>, sc_service::Error>>;

/// Starts a full node or a validator, as the configuration says.
///
/// `gossip` is the time that GRANDPA expects a vote to need. The pool is returned so that it can
/// outlive the tasks: if it ended before them, that would be logged as a failure.
///
/// # Errors
/// If the database, a key, a port or a part of the network cannot be used.
pub fn start(
	mut config: Configuration,
	pool: PoolSettings,
	gossip: Duration,
	origin: &Origin,
) -> Result<(TaskManager, Arc<Pool>), Error> {
	choose_states(&mut config);
	match config.network.network_backend {
		NetworkBackendType::Litep2p => {
			new_full::<Litep2pNetworkBackend>(config, pool, gossip, origin)
		},
		NetworkBackendType::Libp2p => new_full::<NetworkWorker<_, _>>(config, pool, gossip, origin),
	}
}

fn new_full<N: NetworkBackend<Block, Hash>>(
	config: Configuration,
	pool: PoolSettings,
	gossip: Duration,
	origin: &Origin,
) -> Result<(TaskManager, Arc<Pool>), Error> {
	let Core {
		client,
		backend,
		mut task_manager,
		import_queue,
		two_blocks,
		keystore,
		select_chain,
		block_import,
		grandpa_link,
		mut telemetry,
	} = new_core(&config, origin)?;
	let keystore = keystore.keystore();
	let pool = pool.build(&config, client.clone(), &task_manager);

	let registry = config.prometheus_registry().cloned();
	let metrics = N::register_notification_metrics(registry.as_ref());
	let mut net_config =
		FullNetworkConfiguration::<Block, Hash, N>::new(&config.network, registry.clone());
	let genesis_hash = client.block_hash(Zero::zero())?.unwrap_or_default();
	let protocol_name = protocol_standard_name(&genesis_hash, &config.chain_spec);
	let (grandpa_protocol, notification_service) = grandpa_peers_set_config::<Block, N>(
		protocol_name.clone(),
		metrics.clone(),
		net_config.peer_store_handle(),
	);
	net_config.add_notification_protocol(grandpa_protocol);
	let warp_sync = warp_proof::NetworkProvider::new(
		backend.clone(),
		grandpa_link.shared_authority_set().clone(),
		Vec::new(),
	);
	let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
		sc_service::build_network(sc_service::BuildNetworkParams {
			config: &config,
			net_config,
			client: client.clone(),
			transaction_pool: pool.clone(),
			spawn_handle: task_manager.spawn_handle(),
			spawn_essential_handle: task_manager.spawn_essential_handle(),
			import_queue,
			block_announce_validator_builder: None,
			warp_sync_config: Some(WarpSyncConfig::WithProvider(Arc::new(warp_sync))),
			block_relay: None,
			metrics,
			gap_sync_body_policy: None,
		})?;

	task_manager.spawn_handle().spawn(
		"two-blocks",
		None,
		reports::report(client.clone(), pool.clone(), two_blocks),
	);
	let folder = config.base_path.config_dir(config.chain_spec.id());
	task_manager.spawn_handle().spawn_blocking(
		"pool-journal",
		Some("transaction-pool"),
		journal::keep(folder, client.clone(), pool.clone()),
	);

	if config.offchain_worker.enabled {
		let workers = OffchainWorkers::new(OffchainWorkerOptions {
			runtime_api_provider: client.clone(),
			keystore: Some(keystore.clone()),
			offchain_db: backend.offchain_storage(),
			transaction_pool: Some(OffchainTransactionPoolFactory::new(pool.clone())),
			network_provider: Arc::new(network.clone()),
			is_validator: config.role.is_authority(),
			// No pallet asks anybody anything.
			enable_http_requests: false,
			custom_extensions: |_| vec![],
		})
		.map_err(sc_service::Error::from)?;
		task_manager.spawn_handle().spawn(
			"offchain-workers-runner",
			"offchain-worker",
			workers.run(client.clone(), task_manager.spawn_handle()).boxed(),
		);
	}

	let role = config.role;
	let force_authoring = config.force_authoring;
	let enable_grandpa = !config.disable_grandpa;
	let name = config.network.node_name.clone();
	let voter_state = SharedVoterState::empty();
	let (config, outward) = Outward::take(config)?;
	let handlers = sc_service::spawn_tasks(sc_service::SpawnTasksParams {
		rpc_builder: rpc_builder(
			&config,
			origin.ss58_prefix,
			&client,
			&backend,
			&pool,
			&grandpa_link,
			&voter_state,
		),
		config,
		client: client.clone(),
		backend,
		task_manager: &mut task_manager,
		keystore: keystore.clone(),
		transaction_pool: pool.clone(),
		network: network.clone(),
		system_rpc_tx,
		tx_handler_controller,
		sync_service: sync_service.clone(),
		telemetry: telemetry.as_mut(),
		tracing_execute_block: None,
	})?;
	let telemetry = telemetry.as_ref().map(Telemetry::handle);
	let metrics = outward.metrics.as_ref().map(|PrometheusConfig { port, registry }| {
		let metrics =
			MetricsService::with_prometheus(None, registry, role, &name, &outward.version)?;
		let spawner = task_manager.spawn_handle();
		spawner.spawn("prometheus-endpoint", None, {
			let port = *port;
			substrate_prometheus_endpoint::init_prometheus(port, registry.clone()).map(
				move |ended| {
					if let Err(error) = ended {
						tracing::error!(event = "no_metrics", %error, "No metrics are served at {port}");
					}
				},
			)
		});
		spawner.spawn(
			"metrics-periodic-update",
			None,
			metrics.run(client.clone(), pool.clone(), network.clone(), sync_service.clone()),
		);
		Ok::<_, sc_service::Error>(())
	});
	metrics.transpose()?;
	outward.open(&handlers, &client, &mut task_manager)?;

	if role.is_authority() {
		hint_at_session_keys(&keystore);
		start_authoring(
			Authoring {
				client: client.clone(),
				pool: pool.clone(),
				keystore: keystore.clone(),
				select_chain,
				block_import,
				force_authoring,
				telemetry: telemetry.clone(),
				registry: registry.clone(),
			},
			sync_service.clone(),
			&task_manager,
		)?;
	}

	if enable_grandpa {
		let keystore = role.is_authority().then_some(keystore);
		let voter = run_grandpa_voter(GrandpaParams {
			config: sc_consensus_grandpa::Config {
				local_role: role,
				name: Some(name),
				keystore,
				telemetry: telemetry.clone(),
				..voting(gossip, protocol_name)
			},
			link: grandpa_link,
			network,
			sync: sync_service,
			notification_service,
			// No rule holds votes back: a block is voted on as soon as it is best.
			voting_rule: VotingRulesBuilder::new().build(),
			prometheus_registry: registry,
			shared_voter_state: voter_state,
			telemetry,
			// Reports of equivocating voters go out through the pool.
			offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(pool.clone()),
		})?;
		task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
	}

	Ok((task_manager, pool))
}

/// How GRANDPA votes, for any kind of node; `gossip` is the time that it expects a vote to need.
pub fn voting(gossip: Duration, protocol_name: ProtocolName) -> sc_consensus_grandpa::Config {
	sc_consensus_grandpa::Config {
		gossip_duration: gossip,
		justification_generation_period: JUSTIFICATION_PERIOD,
		observer_enabled: false,
		local_role: Role::Full,
		name: None,
		keystore: None,
		telemetry: None,
		protocol_name,
	}
}

/// What the node shows to others: RPC and metrics.
///
/// The SDK's start opens both. Here it opens neither (its RPC server gets a port of this machine on
/// which it lets nobody in, since it insists on one), and ours opens them.
struct Outward {
	endpoints: Vec<RpcEndpoint>,
	logged: u32,
	version: String,
	metrics: Option<PrometheusConfig>,
	node: tokio::runtime::Handle,
}

impl Outward {
	/// Takes what is shown out of the configuration.
	fn take(mut config: Configuration) -> Result<(Configuration, Self), Error> {
		let endpoints = config.rpc.addr.take().ok_or_else(|| {
			Error::Explained("There is no address for the RPC server: pass --rpc-port".into())
		})?;
		let closed = endpoints.first().cloned().map(|endpoint| RpcEndpoint {
			listen_addr: (std::net::Ipv4Addr::LOCALHOST, 0).into(),
			max_connections: 0,
			rpc_methods: RpcMethods::Safe,
			is_optional: false,
			..endpoint
		});
		config.rpc.addr = closed.map(|endpoint| vec![endpoint]);
		let outward = Self {
			endpoints,
			logged: config.rpc.request_logger_limit,
			version: config.impl_version.clone(),
			metrics: config.prometheus_config.take(),
			node: config.tokio_handle.clone(),
		};
		Ok((config, outward))
	}

	/// Opens the RPC server with the methods that are served to others.
	fn open(
		self,
		handlers: &RpcHandlers,
		client: &Arc<FullClient>,
		task_manager: &mut TaskManager,
	) -> Result<(), Error> {
		let client = client.clone();
		let code_of = Arc::new(move |block: Option<Hash>| {
			let block = block.unwrap_or_else(|| client.info().best_hash);
			let code = StorageKey(well_known_keys::CODE.to_vec());
			client.storage_hash(block, &code).ok().flatten()
		});
		let served = methods::served(&handlers.handle(), code_of)
			.map_err(|error| Error::Explained(error.to_string()))?;
		let registry = self.metrics.as_ref().map(|metrics| &metrics.registry);
		let metrics = RpcMetrics::new(registry).map_err(sc_service::Error::from)?;
		let patience = Patience::default();
		let (running, _) =
			server::start(&self.node, self.endpoints, served, metrics, self.logged, patience)?;
		task_manager.keep_alive(running);
		Ok(())
	}
}

/// Returns the function that adds this node's RPC methods to a server.
fn rpc_builder(
	config: &Configuration,
	ss58_prefix: u16,
	client: &Arc<FullClient>,
	backend: &Arc<FullBackend>,
	pool: &Arc<Pool>,
	grandpa_link: &GrandpaLink,
	voter_state: &SharedVoterState,
) -> RpcBuilder {
	let client = client.clone();
	let pool = pool.clone();
	let chain = config.chain_spec.name().to_string();
	let node_version = config.impl_version.clone();
	let shared_voter_state = voter_state.clone();
	let shared_authority_set = grandpa_link.shared_authority_set().clone();
	let justification_stream = grandpa_link.justification_stream();
	let finality_provider =
		FinalityProofProvider::new_for_service(backend.clone(), Some(shared_authority_set.clone()));
	Box::new(move |subscription_executor| {
		rpc::create_full(rpc::FullDeps {
			client: client.clone(),
			pool: pool.clone(),
			chain: chain.clone(),
			node_version: node_version.clone(),
			ss58_prefix,
			grandpa: rpc::GrandpaDeps {
				shared_voter_state: shared_voter_state.clone(),
				shared_authority_set: shared_authority_set.clone(),
				justification_stream: justification_stream.clone(),
				finality_provider: finality_provider.clone(),
				subscription_executor,
			},
		})
		.map_err(Into::into)
	})
}

/// Parts that block production needs.
struct Authoring {
	client: Arc<FullClient>,
	pool: Arc<Pool>,
	keystore: KeystorePtr,
	select_chain: FullSelectChain,
	block_import: GrandpaBlockImport,
	force_authoring: bool,
	telemetry: Option<TelemetryHandle>,
	registry: Option<substrate_prometheus_endpoint::Registry>,
}

/// Starts producing blocks in this node's slots.
fn start_authoring<S>(
	authoring: Authoring,
	sync_service: S,
	task_manager: &TaskManager,
) -> Result<(), Error>
where
	S: SyncOracle + JustificationSyncLink<Block> + Clone + Send + Sync + 'static,
{
	let client = authoring.client;
	let slot_duration = sc_consensus_aura::slot_duration(&*client)?;
	let proposer_factory = sc_basic_authorship::ProposerFactory::new(
		task_manager.spawn_handle(),
		client.clone(),
		authoring.pool,
		authoring.registry.as_ref(),
		authoring.telemetry.clone(),
	);
	let aura =
		sc_consensus_aura::start_aura::<AuraPair, _, _, _, _, _, _, _, _, _, _>(StartAuraParams {
			slot_duration,
			client,
			select_chain: authoring.select_chain,
			block_import: authoring.block_import,
			proposer_factory,
			create_inherent_data_providers: move |_, ()| async move { Ok(inherents(slot_duration)) },
			force_authoring: authoring.force_authoring,
			// Fewer blocks while finality stands still, so that the unfinal part stays short.
			backoff_authoring_blocks: Some(BackoffAuthoringOnFinalizedHeadLagging::default()),
			keystore: authoring.keystore,
			sync_oracle: sync_service.clone(),
			justification_sync_link: sync_service,
			block_proposal_slot_portion: SlotProportion::new(PROPOSAL_PORTION),
			max_block_proposal_slot_portion: Some(SlotProportion::new(MAX_PROPOSAL_PORTION)),
			telemetry: authoring.telemetry,
			compatibility_mode: Default::default(),
		})
		.map_err(sc_service::Error::from)?;
	task_manager.spawn_essential_handle().spawn_blocking("aura", Some("block-authoring"), aura);
	Ok(())
}

/// Warns the operator of a validator that has no session keys, and says how to add them.
fn hint_at_session_keys(keystore: &KeystorePtr) {
	let authors = keystore.sr25519_public_keys(key_types::AURA);
	let voters = keystore.ed25519_public_keys(key_types::GRANDPA);
	if authors.is_empty() || voters.is_empty() {
		tracing::warn!(
			"This validator has no session keys, so it will neither produce blocks nor vote. \
			 Make them with the RPC method author_rotateKeysWithOwner (needs --rpc-methods unsafe \
			 on this machine), which also gives the proof that session.setKeys asks for, or put \
			 them in with `gridproof-node key insert`: docs/operations/node.md, Keys."
		);
	}
}
