//! The states from which a chain can start: `development`, `local_testnet`, `staging`.
//!
//! In every preset AICP and KWH exist and belong to no key, and exactly 10.5 million AIT are
//! distributed. Only `development` has a root key, starts with a supply of AICP and with an
//! organisation of electricians, and runs through days of a minute, emission steps of 15 seconds and check
//! windows of six minutes. The built-in model counts in `development` and `local_testnet`; on `staging` none does
//! until governance adds one.

#![deny(missing_docs)]

use crate::{
	AccountId, AssetsConfig, AttestationsConfig, Balance, BalancesConfig, BrakesConfig,
	ComputeChecksConfig, ComputeReceiptsConfig, CoveragePolicyConfig, EmergencyCommitteeConfig,
	MeterReadingsConfig, ModelRegistryConfig, Multisig, RuntimeGenesisConfig, SessionConfig,
	SessionKeys, SudoConfig,
	configs::TreasuryAccount,
	constants::{
		AICP, KWH,
		currency::{AIT, GENESIS_SUPPLY},
	},
};
use alloc::{string::String, vec, vec::Vec};
use frame_support::build_struct_json_patch;
use gridproof_primitives::{
	H256,
	compute::{
		channels::ChannelParameters,
		checks::{CheckParameters, DEFAULT_WINDOW_MS, VerifierKey},
		emission::STEP_MS,
		model_factor,
		registry::{
			DEFAULT_DELAY_MS, EngineClass, ModelDescription, ModelName, ModelTerms, NewModel,
		},
	},
	num::{decimal::Ratio, units},
	reserve::attestation::{Kind, Role},
	reserve::bounds::PriceBounds,
	reserve::parameters::PolicyParameters,
	time::calendar::Calendar,
	time::day::Day,
};
use hex_literal::hex;
use serde_json::Value;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::crypto::UncheckedInto;
use sp_genesis_builder::PresetId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::traits::AccountIdConversion;

/// One node, Alice, who is also root. Ferdie is the emergency committee. Days of a minute, those of
/// referenda too.
pub const DEVELOPMENT: &str = sp_genesis_builder::DEV_RUNTIME_PRESET;
/// Four authorities, the fewest of which one may be away: Alice, Bob, Charlie and Dave. Its holders govern it, by
/// referenda. Ferdie is the emergency committee.
pub const LOCAL_TESTNET: &str = sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;
/// Four authorities whose operators made their keys; nobody here knows the secrets. Its holders govern it, by
/// referenda; the authorities are the emergency committee.
pub const STAGING: &str = "staging";

const MINUTE_MS: u64 = 60_000;

/// Length of an emission step of `development`, in milliseconds: short enough to watch.
const DEMONSTRATION_STEP_MS: u64 = 15_000;

/// Time between a decision about a model and its effect on `development`, in milliseconds.
const DEMONSTRATION_DELAY_MS: u64 = 60_000;

/// Check window of `development`, in milliseconds: in half of it a dispute can be decided.
const DEMONSTRATION_WINDOW_MS: u64 = 6 * MINUTE_MS;

/// Returns the usual parameters of channels with a check window, in milliseconds.
fn channels_with(check_window_ms: u64) -> ChannelParameters {
	ChannelParameters { check_window_ms, ..Default::default() }
}

/// Returns the parameters of checks of `development`: as many checks as little traffic needs to be seen
/// checked, and deadlines of a minute or two.
fn demonstration_checks() -> CheckParameters {
	CheckParameters {
		value_per_check: units::MILLI_AIT,
		show_ms: 2 * MINUTE_MS,
		witness_ms: 2 * MINUTE_MS,
		commit_ms: 2 * MINUTE_MS,
		reveal_ms: MINUTE_MS,
		..Default::default()
	}
}

/// AIT of the treasury at genesis, in 10⁻¹⁸ AIT.
const TREASURY: Balance = 500_000 * AIT;

/// Authority: its account and its session keys.
struct Authority {
	account: AccountId,
	keys: SessionKeys,
}

impl Authority {
	fn well_known(sr25519: Sr25519Keyring, ed25519: Ed25519Keyring) -> Self {
		Self {
			account: sr25519.to_account_id(),
			keys: SessionKeys {
				aura: AuraId::from(sr25519.public()),
				grandpa: GrandpaId::from(ed25519.public()),
			},
		}
	}
}

/// Returns the account that owns the assets: derived from a name, so no key signs for it.
fn asset_owner() -> AccountId {
	frame_support::PalletId(*b"gp/asset").into_account_truncating()
}

/// Returns the genesis state with these authorities. `accounts` share equally the part of the
/// genesis supply that the treasury does not get, to the last unit (the first account takes the
/// remainder).
fn genesis(
	authorities: Vec<Authority>,
	accounts: Vec<AccountId>,
	governing: Governing,
	reserve: Reserve,
	metering: Metering,
	computing: Computing,
) -> Value {
	let shared = GENESIS_SUPPLY.saturating_sub(TREASURY);
	let number = Balance::try_from(accounts.len()).unwrap_or(Balance::MAX);
	let share = shared.checked_div(number).unwrap_or_default();
	let remainder = shared.saturating_sub(share.saturating_mul(number));
	let mut balances = vec![(TreasuryAccount::get(), TREASURY)];
	for (place, account) in accounts.into_iter().enumerate() {
		let amount = if place == 0 { share.saturating_add(remainder) } else { share };
		balances.push((account, amount));
	}
	build_struct_json_patch!(RuntimeGenesisConfig {
		assets: AssetsConfig {
			assets: vec![(AICP, asset_owner(), true, 1), (KWH, asset_owner(), true, 1)],
			metadata: vec![
				(AICP, b"AIPowerCoin".to_vec(), b"AICP".to_vec(), 6),
				(KWH, b"Metered energy".to_vec(), b"KWH".to_vec(), 3),
			],
		},
		attestations: AttestationsConfig {
			keys: [Role::Data, Role::Risk, Role::Ops]
				.into_iter()
				.zip(reserve.role_keys.map(H256))
				.collect(),
			kinds: Kind::ALL.to_vec(),
			calendar: reserve.calendar,
		},
		balances: BalancesConfig { balances },
		brakes: BrakesConfig { emergency: Some(governing.emergency) },
		compute_checks: ComputeChecksConfig {
			parameters: computing.checks,
			verifiers: computing.verifiers,
			..Default::default()
		},
		compute_receipts: ComputeReceiptsConfig {
			channels: computing.channels,
			step_ms: computing.step_ms,
			..Default::default()
		},
		coverage_policy: CoveragePolicyConfig {
			parameters: reserve.parameters,
			issuer: Some(reserve.issuer),
			supply: reserve.supply,
		},
		emergency_committee: EmergencyCommitteeConfig {
			members: governing.committee,
			..Default::default()
		},
		meter_readings: MeterReadingsConfig {
			organisations: metering.organisations,
			recorders: metering.recorders,
		},
		model_registry: ModelRegistryConfig {
			default: computing.models.first().map(|model| model.description.name.clone()),
			models: computing.models,
			delay_ms: computing.delay_ms,
			..Default::default()
		},
		session: SessionConfig {
			keys: authorities
				.into_iter()
				.map(|authority| (authority.account.clone(), authority.account, authority.keys))
				.collect::<Vec<_>>(),
		},
		sudo: SudoConfig { key: governing.root },
	})
}

/// Who governs beside the holders of AIT.
struct Governing {
	/// Account that is root; `None` where only a referendum is.
	root: Option<AccountId>,
	/// Members of the committee, half of whom can stop things and loosen nothing.
	committee: Vec<AccountId>,
	/// Account that can do as much: an account of their keys.
	emergency: AccountId,
}

impl Governing {
	/// Ferdie stops.
	fn well_known(root: Option<AccountId>) -> Self {
		let ferdie = Sr25519Keyring::Ferdie.to_account_id();
		Self { root, committee: vec![ferdie.clone()], emergency: ferdie }
	}
}

/// Genesis values of the reserve, on which AICP rests.
struct Reserve {
	/// Ed25519 public keys of the roles data, risk and ops.
	role_keys: [[u8; 32]; 3],
	/// Calendar that turns time into days.
	calendar: Calendar,
	/// Account that may mint the allowance; never the root account.
	issuer: AccountId,
	/// Parameters of the coverage policy.
	parameters: PolicyParameters,
	/// First supply of AICP: account and amount in micro-tokens.
	supply: Vec<(AccountId, Balance)>,
}

/// Organisations and recorders at genesis.
#[derive(Default)]
struct Metering {
	/// Organisations: name, admin, electricians.
	organisations: Vec<(String, AccountId, Vec<AccountId>)>,
	/// Accounts that may record anchors.
	recorders: Vec<AccountId>,
}

impl Metering {
	/// Returns one organisation with one electrician, Alice, who also records anchors.
	fn demonstration() -> Self {
		let alice = Sr25519Keyring::Alice.to_account_id();
		Self {
			organisations: vec![("Development".into(), alice.clone(), vec![alice.clone()])],
			recorders: vec![alice],
		}
	}
}

/// Genesis values of compute.
struct Computing {
	/// Length of an emission step, in milliseconds.
	step_ms: u64,
	/// Models that count from the first block; the first is the default.
	models: Vec<NewModel>,
	/// Time between a decision about a model and its effect, in milliseconds.
	delay_ms: u64,
	/// Verifiers that begin with the chain: account and key.
	verifiers: Vec<(AccountId, Option<VerifierKey>)>,
	/// Parameters of channels, with the time for which pay and mint of a batch wait.
	channels: ChannelParameters,
	/// Parameters of checks.
	checks: CheckParameters,
}

impl Computing {
	/// Steps and delays that can be watched, and the model that every program has.
	fn demonstration() -> Self {
		Self {
			step_ms: DEMONSTRATION_STEP_MS,
			models: embedded().into_iter().collect(),
			delay_ms: DEMONSTRATION_DELAY_MS,
			verifiers: well_known_verifiers(),
			channels: channels_with(DEMONSTRATION_WINDOW_MS),
			checks: demonstration_checks(),
		}
	}

	/// Steps and delays of a real chain; governance adds its models and verifiers.
	fn real(models: Vec<NewModel>, verifiers: Vec<(AccountId, Option<VerifierKey>)>) -> Self {
		Self {
			step_ms: STEP_MS,
			models,
			delay_ms: DEFAULT_DELAY_MS,
			verifiers,
			channels: channels_with(DEFAULT_WINDOW_MS),
			checks: CheckParameters::default(),
		}
	}
}

/// Returns the model of `models/austen-1m`, which is built into the programs: SHA-256 of
/// `model.safetensors` and `vocabulary.json`, no chat template.
fn embedded() -> Option<NewModel> {
	const NAME: &str = "austen-1m";
	let description = ModelDescription {
		name: ModelName::new(NAME).ok()?,
		weights: H256(hex!("3847a876b16ae2b69aec7ee6e820ad7a9af4d2258259666f46a8d79577bfcf14")),
		tokenizer: H256(hex!("be2ada4bc6c3a7098e1efa38dd2c87cf1af450bfd308e49e21725c99a4796ebb")),
		template: None,
	};
	let terms = ModelTerms { factor: model_factor(NAME), engine: EngineClass::Exact };
	Some(NewModel { description, context: 512, terms })
}

/// Returns the role keys whose secrets are public: Ed25519 seeds of 32 bytes 1, 2 and 3.
const DEVELOPMENT_ROLE_KEYS: [[u8; 32]; 3] = [
	hex!("8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"),
	hex!("8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"),
	hex!("ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1"),
];

/// Number of zones in `data/zones.csv`, all of which a statement is about.
const ZONES: u16 = 47;

/// Returns the parameters of the policy for these zones.
fn policy() -> PolicyParameters {
	PolicyParameters { zones_total: ZONES, ..Default::default() }
}

impl Reserve {
	/// A chain for demonstrations: a day takes a minute, and the first day is the first of the
	/// fortnight in `data/grid`, which is made for a first supply of 75 million AICP.
	fn demonstration() -> Self {
		Self {
			role_keys: DEVELOPMENT_ROLE_KEYS,
			calendar: Calendar {
				first_day: Day::parse("2025-03-24").unwrap_or(Day::FIRST),
				starts_at: 0,
				day_length: 60_000,
			},
			issuer: development_issuer(),
			parameters: PolicyParameters {
				// The fortnight's figures are those of each day's own price.
				prices: PriceBounds {
					window: 1,
					max_daily_ratio: Ratio::percent(150),
					..PriceBounds::DAY_AHEAD
				},
				..policy()
			},
			supply: vec![(TreasuryAccount::get(), 75_000_000 * units::AICP)],
		}
	}

	/// A chain with real days, whose AICP must be covered from the first unit. So that there can be
	/// a first one, 100,000 AICP can be made once without the daily cap.
	fn real(role_keys: [[u8; 32]; 3], issuer: AccountId) -> Self {
		let mut parameters = policy();
		parameters.policy.bootstrap = 100_000 * units::AICP;
		Self { role_keys, calendar: Calendar::UTC, issuer, parameters, supply: Vec::new() }
	}
}

/// Returns the issuer of the presets whose secrets are public: `//Ferdie//stash`, which has no other
/// task.
fn development_issuer() -> AccountId {
	Sr25519Keyring::FerdieStash.to_account_id()
}

/// Returns the five verifiers of the presets whose secrets are public: `//Alice//stash` to
/// `//Eve//stash`, each with its account's key, and known from the first block.
fn well_known_verifiers() -> Vec<(AccountId, Option<VerifierKey>)> {
	use Sr25519Keyring::{AliceStash, BobStash, CharlieStash, DaveStash, EveStash};
	[AliceStash, BobStash, CharlieStash, DaveStash, EveStash]
		.into_iter()
		.map(|keyring| (keyring.to_account_id(), Some(keyring.public().0)))
		.collect()
}

/// Returns the accounts of the well-known development seeds.
fn well_known_accounts() -> Vec<AccountId> {
	Sr25519Keyring::well_known().map(|keyring| keyring.to_account_id()).collect()
}

fn development() -> Value {
	genesis(
		vec![Authority::well_known(Sr25519Keyring::Alice, Ed25519Keyring::Alice)],
		well_known_accounts(),
		Governing::well_known(Some(Sr25519Keyring::Alice.to_account_id())),
		Reserve::demonstration(),
		Metering::demonstration(),
		Computing::demonstration(),
	)
}

fn local_testnet() -> Value {
	genesis(
		vec![
			Authority::well_known(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
			Authority::well_known(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
			Authority::well_known(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
			Authority::well_known(Sr25519Keyring::Dave, Ed25519Keyring::Dave),
		],
		well_known_accounts(),
		Governing::well_known(None),
		Reserve::real(DEVELOPMENT_ROLE_KEYS, development_issuer()),
		Metering::default(),
		Computing::real(embedded().into_iter().collect(), well_known_verifiers()),
	)
}

/// Keys of a staging authority: account and Aura key (sr25519), GRANDPA key (ed25519).
type StagingKeys = ([u8; 32], [u8; 32], [u8; 32]);

/// Public keys of the four staging authorities. The secrets were made outside this repository and
/// are in none of its files. Operators of another network put their own keys here, or edit the
/// plain chain spec: see `docs/operations/node.md`.
const STAGING_AUTHORITIES: [StagingKeys; 4] = [
	(
		hex!("880d9d407d17cfaf368a9690a50f8226865456a5813b9b50e41b59794aaffe0d"),
		hex!("84dbbb8e5404954a84d391bf7070937ba053569ba88b1f879e92090f9f9e5479"),
		hex!("3ff9c93198dd0d3eb962a6c08ae7bb3b3792765a63caf02f8d8398beb1c8114e"),
	),
	(
		hex!("4817b9e889fa6f0730ffcf6a0290700efb59791700c8510a55a778d9f2013e11"),
		hex!("92afa8abd7c02fcd652a7504c7fb47db8478c5a2ab70e58e23806f1e2f50c879"),
		hex!("a7c3e1ba8f2faa1bbb1642ad2b6e01bc77591f99e17df5e68cfa43162e63e0fb"),
	),
	(
		hex!("d2ecc2702a9d51e9913fc126b955ddca67d2e1aa7588ef20a778c01ffd5ac01a"),
		hex!("5af7c43e4b363d18926bba67b781baea94d37cf04ab20ef428a22970030d3907"),
		hex!("708344e3c32f7986801be44dc7147e6aaa8c19b47e69dffdef2b93a79fec94a5"),
	),
	(
		hex!("ac0a0d9a98ea7a7a96d9ad666f60718852547bd530e501afb61285c7839e8030"),
		hex!("a86242b4f4c8969063422ce5a5e4cf80a16293138351e0a7f2fddc0deb4dc55b"),
		hex!("1df4480cf813bf0a7e0e6c33ffd4404cea386ed2b4b7204ca3563e4d4243d702"),
	),
];

/// Holder of a share of staging's AIT, not an authority: its operators' common account.
const STAGING_HOLDER: [u8; 32] =
	hex!("54d7f6d72ac8c9debb4df4de2228b888c08b28d3ebe53aff5515802be811f73b");

/// Number of the four staging authorities who together are the emergency account, as half of them are
/// by a motion: two, so that one of them cannot stop the chain, and two who are awake can.
const STAGING_EMERGENCY_THRESHOLD: u16 = 2;

/// Issuer of staging, until governance appoints another one: an Ed25519 key.
const STAGING_ISSUER: [u8; 32] =
	hex!("b2d2caf95f5ab683f742eeab4920a5406769d5aa1a222ab5bb405e28374354a4");

/// Ed25519 public keys of the roles data, risk and ops on staging.
const STAGING_ROLE_KEYS: [[u8; 32]; 3] = [
	hex!("3653f5dd9378627a3ef98310e445a19a52ee60dcf7ba7eeb96e877a9159c2878"),
	hex!("2f7b3b9e4e48cfeff73aab64a812680e0eb96f1da52e00447fca5f2016de9c12"),
	hex!("b803c51216981ccde2e2b5868ee8b5bdb0b71b7e1b43eb19cc49ed8aa148f0c8"),
];

fn staging() -> Value {
	let holder = AccountId::from(STAGING_HOLDER);
	let authorities = STAGING_AUTHORITIES
		.into_iter()
		.map(|(account, aura, grandpa)| Authority {
			account: account.into(),
			keys: SessionKeys { aura: aura.unchecked_into(), grandpa: grandpa.unchecked_into() },
		})
		.collect::<Vec<_>>();
	// The issuer pays fees like anyone.
	let accounts = [holder, AccountId::from(STAGING_ISSUER)]
		.into_iter()
		.chain(authorities.iter().map(|authority| authority.account.clone()))
		.collect();
	let reserve = Reserve::real(STAGING_ROLE_KEYS, AccountId::from(STAGING_ISSUER));
	let mut signatories: Vec<AccountId> =
		authorities.iter().map(|authority| authority.account.clone()).collect();
	signatories.sort();
	let emergency = Multisig::multi_account_id(&signatories, STAGING_EMERGENCY_THRESHOLD);
	let computing = Computing::real(Vec::new(), Vec::new());
	let governing = Governing { root: None, committee: signatories, emergency };
	genesis(authorities, accounts, governing, reserve, Metering::default(), computing)
}

/// Returns the preset named `id` as JSON, if there is one.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
	let state = match id.as_ref() {
		DEVELOPMENT => development(),
		LOCAL_TESTNET => local_testnet(),
		STAGING => staging(),
		_ => return None,
	};
	serde_json::to_vec(&state).ok()
}

/// Returns the names of all presets.
pub fn preset_names() -> Vec<PresetId> {
	[DEVELOPMENT, LOCAL_TESTNET, STAGING].map(PresetId::from).to_vec()
}
