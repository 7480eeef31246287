//! What a chain starts from.

use frame_support::traits::fungibles::{Inspect, metadata::Inspect as _, roles::Inspect as _};
use gridproof_runtime::{
	AccountId, Balances, BuildStorage, Grandpa, Runtime, RuntimeGenesisConfig, Session, System,
	configs::Committee,
	constants::{
		AICP, KWH,
		currency::{AIT, EXISTENTIAL_DEPOSIT, GENESIS_SUPPLY},
	},
	genesis_presets::{DEVELOPMENT, LOCAL_TESTNET, STAGING, get_preset, preset_names},
};
use sp_genesis_builder::PresetId;

/// The state that the preset `id` builds.
fn genesis(id: &str) -> sp_io::TestExternalities {
	let patch = get_preset(&PresetId::from(id)).expect("the preset exists");
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("serialises");
	json_merge(&mut config, serde_json::from_slice(&patch).expect("the preset is JSON"));
	let config: RuntimeGenesisConfig =
		serde_json::from_value(config).expect("the preset is a genesis configuration");
	config.build_storage().expect("the preset builds").into()
}

fn json_merge(into: &mut serde_json::Value, patch: serde_json::Value) {
	match (into, patch) {
		(serde_json::Value::Object(into), serde_json::Value::Object(patch)) => {
			for (key, value) in patch {
				json_merge(into.entry(key).or_insert(serde_json::Value::Null), value);
			}
		},
		(into, patch) => *into = patch,
	}
}

#[test]
fn the_presets_are_development_local_and_staging() {
	assert_eq!(preset_names(), [DEVELOPMENT, LOCAL_TESTNET, STAGING].map(PresetId::from));
	assert_eq!(get_preset(&PresetId::from("nowhere")), None);
}

#[test]
fn every_preset_has_its_authorities_once_and_with_weight_one() {
	for (id, number) in [(DEVELOPMENT, 1), (LOCAL_TESTNET, 4), (STAGING, 4)] {
		genesis(id).execute_with(|| {
			let grandpa = Grandpa::grandpa_authorities();
			assert_eq!(Session::validators().len(), number, "{id}");
			assert_eq!(pallet_aura::Authorities::<Runtime>::get().len(), number, "{id}");
			assert_eq!(grandpa.len(), number, "{id}");
			// Light clients count heads.
			assert!(grandpa.iter().all(|(_, weight)| *weight == 1), "{id}");
			let unique: std::collections::BTreeSet<_> =
				grandpa.iter().map(|(key, _)| key.clone()).collect();
			assert_eq!(unique.len(), number, "{id}");
			// Elsewhere only a referendum is root.
			assert_eq!(pallet_sudo::Key::<Runtime>::exists(), id == DEVELOPMENT, "{id}");
		});
	}
}

#[test]
fn every_preset_hands_out_half_of_the_cap_to_the_last_unit() {
	for id in [DEVELOPMENT, LOCAL_TESTNET, STAGING] {
		genesis(id).execute_with(|| {
			assert_eq!(Balances::total_issuance(), GENESIS_SUPPLY, "{id}");
			assert_eq!(GENESIS_SUPPLY, 10_500_000 * AIT);
			let sum: u128 = System::account_iter_total();
			assert_eq!(sum, GENESIS_SUPPLY, "{id}");
		});
	}
}

/// The sum over all accounts, beside the issuance that the pallet keeps.
trait AccountTotal {
	fn account_iter_total() -> u128;
}

impl AccountTotal for System {
	fn account_iter_total() -> u128 {
		frame_system::Account::<Runtime>::iter()
			.map(|(_, account)| account.data.free + account.data.reserved)
			.sum()
	}
}

#[test]
fn aicp_and_kwh_exist_from_genesis_and_belong_to_no_key() {
	type Assets = gridproof_runtime::Assets;
	for id in [DEVELOPMENT, LOCAL_TESTNET, STAGING] {
		genesis(id).execute_with(|| {
			for (asset, symbol, decimals) in [(AICP, "AICP", 6), (KWH, "KWH", 3)] {
				assert!(Assets::asset_exists(asset), "{id}");
				let supply =
					if (id, asset) == (DEVELOPMENT, AICP) { 75_000_000_000_000 } else { 0 };
				assert_eq!(Assets::total_issuance(asset), supply, "{id}");
				assert_eq!(Assets::minimum_balance(asset), 1, "{id}");
				assert_eq!(Assets::symbol(asset), symbol.as_bytes(), "{id}");
				assert_eq!(Assets::decimals(asset), decimals, "{id}");
				// A derived account starts with its kind and name: no key hashes to that.
				let owner = Assets::owner(asset).expect("there is an owner");
				assert_eq!(&AsRef::<[u8; 32]>::as_ref(&owner)[..12], b"modlgp/asset");
				for role in [Assets::issuer(asset), Assets::admin(asset), Assets::freezer(asset)] {
					assert_eq!(role, Some(owner.clone()));
				}
			}
		});
	}
}

#[test]
fn zombienets_extra_units_exceed_the_existential_deposit() {
	// zombienet gives each of its nodes 2·10¹² units, which must make an account.
	const { assert!(EXISTENTIAL_DEPOSIT < 2_000_000_000_000) };
}

#[test]
fn the_treasury_exists_from_genesis_so_that_no_fee_is_lost() {
	for id in [DEVELOPMENT, LOCAL_TESTNET, STAGING] {
		genesis(id).execute_with(|| {
			let treasury: AccountId = gridproof_runtime::configs::TreasuryAccount::get();
			assert_eq!(Balances::free_balance(treasury), 500_000 * AIT, "{id}");
		});
	}
}

#[test]
fn an_equivocation_can_be_proven_from_the_first_session_on() {
	use frame_support::traits::KeyOwnerProofSystem;
	genesis(LOCAL_TESTNET).execute_with(|| {
		let (key, _) = Grandpa::grandpa_authorities().into_iter().next().expect("an authority");
		let proof =
			gridproof_runtime::Historical::prove((sp_consensus_grandpa::KEY_TYPE, key.clone()))
				.expect("the key belongs to the session");
		let owner = gridproof_runtime::Historical::check_proof(
			(sp_consensus_grandpa::KEY_TYPE, key),
			proof,
		)
		.expect("the proof holds");
		assert!(Session::validators().contains(&owner.0));
	});
}

#[test]
fn only_the_demonstration_runs_through_other_days_than_utc() {
	use gridproof_primitives::{time::calendar::Calendar, time::day::Day};
	for id in [DEVELOPMENT, LOCAL_TESTNET, STAGING] {
		genesis(id).execute_with(|| {
			let calendar = pallet_attestations::CalendarInUse::<Runtime>::get();
			if id == DEVELOPMENT {
				assert_eq!(calendar.first_day, Day::parse("2025-03-24").expect("a day"));
				assert_eq!(calendar.day_length, 60_000);
			} else {
				assert_eq!(calendar, Calendar::UTC, "{id}");
			}
		});
	}
}

#[test]
fn three_roles_have_keys_and_a_statement_is_about_all_zones_that_are_read() {
	use gridproof_primitives::reserve::attestation::Role;
	let zones = include_str!("../../../data/zones.csv").lines().skip(1).count();
	for id in [DEVELOPMENT, LOCAL_TESTNET, STAGING] {
		genesis(id).execute_with(|| {
			let keys = pallet_attestations::Keys::<Runtime>::get();
			for role in Role::ALL {
				assert!(keys.of(role).is_some(), "{id}: {role}");
			}
			let parameters = pallet_coverage_policy::Parameters::<Runtime>::get();
			assert_eq!(usize::from(parameters.zones_total), zones, "{id}");
			assert_eq!(parameters.check(), Ok(()), "{id}");
		});
	}
}

#[test]
fn the_issuer_is_neither_root_nor_an_authority() {
	for id in [DEVELOPMENT, LOCAL_TESTNET, STAGING] {
		genesis(id).execute_with(|| {
			let issuer = pallet_coverage_policy::Issuer::<Runtime>::get().expect("there is one");
			assert_ne!(pallet_sudo::Key::<Runtime>::get(), Some(issuer.clone()), "{id}");
			assert!(!Session::validators().contains(&issuer), "{id}");
		});
	}
}

#[test]
fn only_the_development_chain_has_somebody_who_certifies_meters() {
	let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
	for id in [DEVELOPMENT, LOCAL_TESTNET, STAGING] {
		genesis(id).execute_with(|| {
			let overview = gridproof_runtime::MeterReadings::overview();
			let number = u32::from(id == DEVELOPMENT);
			assert_eq!((overview.organisations, overview.electricians), (number, number), "{id}");
			assert_eq!((overview.meters, overview.issuance), (0, 0), "{id}");
			let is_member = pallet_meter_readings::Members::<Runtime>::contains_key(0, &alice);
			assert_eq!(is_member, id == DEVELOPMENT, "{id}");
		});
	}
}

#[test]
fn the_built_in_model_counts_from_the_first_block_where_secrets_are_public() {
	use gridproof_primitives::{
		H256,
		compute::registry::{EngineClass, ModelName, Standing},
	};
	use gridproof_runtime::ModelRegistry;
	let file = |name: &str| {
		let path = format!("{}/../models/austen-1m/{name}", env!("CARGO_MANIFEST_DIR"));
		std::fs::read(path).expect("the file is in the repository")
	};
	let hash_of = |name: &str| H256(sp_crypto_hashing::sha2_256(&file(name)));
	let config: serde_json::Value =
		serde_json::from_slice(&file("config.json")).expect("the file is JSON");
	for id in [DEVELOPMENT, LOCAL_TESTNET, STAGING] {
		genesis(id).execute_with(|| {
			let delay = if id == DEVELOPMENT { 60_000 } else { 3 * 86_400_000 };
			assert_eq!(ModelRegistry::delay().value, delay, "{id}");
			if id == STAGING {
				assert_eq!(ModelRegistry::models(None, 100), vec![], "governance adds its models");
				return;
			}
			let name = ModelName::new("austen-1m").expect("a name");
			let shown = ModelRegistry::model_by_name(name).expect("it is there");
			assert_eq!(ModelRegistry::default_model(), Some(shown.hash), "{id}");
			let description = &shown.model.description;
			assert_eq!(description.weights, hash_of("model.safetensors"));
			assert_eq!(description.tokenizer, hash_of("vocabulary.json"));
			assert_eq!(description.template, None);
			assert_eq!(Some(u64::from(shown.model.context)), config["context"].as_u64());
			let Some(Standing::Counted(terms)) = shown.standing else { panic!("{shown:?}") };
			assert_eq!((terms.factor, terms.engine), (5_000, EngineClass::Exact));
			ModelRegistry::do_try_state().expect("every invariant");
		});
	}
}

#[test]
fn five_verifiers_begin_where_secrets_are_public_and_none_elsewhere() {
	use gridproof_runtime::ComputeChecks;
	for id in [DEVELOPMENT, LOCAL_TESTNET, STAGING] {
		genesis(id).execute_with(|| {
			let verifiers = ComputeChecks::verifiers();
			assert_eq!(verifiers.len(), if id == STAGING { 0 } else { 5 }, "{id}");
			let bond = ComputeChecks::parameters().verifier_bond;
			assert!(verifiers.iter().all(|one| one.bond == bond && one.key == one.account), "{id}");
			ComputeChecks::do_try_state().expect("every invariant");
		});
	}
}

#[test]
fn pay_waits_for_checks_everywhere_and_cheats_lose_by_each_presets_parameters() {
	use gridproof_primitives::compute::checks::DEFAULT_WINDOW_MS;
	use pallet_compute_receipts::{ChannelRules, Parameters};
	for id in [DEVELOPMENT, LOCAL_TESTNET, STAGING] {
		genesis(id).execute_with(|| {
			let (compute, channels) =
				(Parameters::<Runtime>::get(), ChannelRules::<Runtime>::get());
			let window = if id == DEVELOPMENT { 360_000 } else { DEFAULT_WINDOW_MS };
			assert_eq!(channels.check_window_ms, window, "{id}");
			let checks = gridproof_runtime::ComputeChecks::parameters();
			assert_eq!(checks.check(&compute, &channels), Ok(()), "{id}");
		});
	}
}

#[test]
fn a_receipts_weight_is_judged_by_the_factors_that_the_registry_remembers() {
	use gridproof_primitives::{
		H256,
		compute::registry::{FACTOR_MEMORY_MS, ModelName},
	};
	use gridproof_runtime::ModelRegistry;
	use pallet_compute_receipts::Models;
	type Registered = <Runtime as pallet_compute_receipts::Config>::Models;
	genesis(DEVELOPMENT).execute_with(|| {
		let name = ModelName::new("austen-1m").expect("a name");
		let hash = ModelRegistry::model_by_name(name).expect("it is there").hash;
		assert_eq!(Registered::factors(&hash, 0, 1), [5_000]);
		assert!(Registered::factors(&H256::zero(), 0, 1).is_empty(), "no such model");
		pallet_timestamp::Now::<Runtime>::put(FACTOR_MEMORY_MS + 10);
		assert_eq!(Registered::factors(&hash, 0, 10), [5_000]);
		assert!(Registered::factors(&hash, 0, 9).is_empty(), "longer ago than is remembered");
	});
}

#[test]
fn who_may_stop_is_not_who_governs() {
	for id in [DEVELOPMENT, LOCAL_TESTNET, STAGING] {
		genesis(id).execute_with(|| {
			let emergency = pallet_brakes::EmergencyAccount::<Runtime>::get();
			assert!(emergency.is_some(), "{id}");
			assert_ne!(emergency, pallet_sudo::Key::<Runtime>::get(), "{id}");
			let committee = pallet_collective::Members::<Runtime, Committee>::get();
			assert_eq!(committee.len(), if id == STAGING { 4 } else { 1 }, "{id}");
		});
	}
}

#[test]
fn two_of_the_four_staging_authorities_stop() {
	genesis(STAGING).execute_with(|| {
		let mut authorities: Vec<AccountId> = pallet_session::Validators::<Runtime>::get();
		authorities.sort();
		assert_eq!(authorities.len(), 4);
		let expected = gridproof_runtime::Multisig::multi_account_id(&authorities, 2);
		assert_eq!(pallet_brakes::EmergencyAccount::<Runtime>::get(), Some(expected));
		let members = pallet_collective::Members::<Runtime, Committee>::get();
		assert_eq!(members, authorities);
	});
}
