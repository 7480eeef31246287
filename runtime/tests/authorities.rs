//! An authority that votes twice: provable after every change of keys, and out until let in.

use frame_support::{assert_noop, assert_ok, traits::KeyOwnerProofSystem};
use gridproof_runtime::{
	AccountId, Authorities, BuildStorage, Grandpa, Historical, Runtime, RuntimeGenesisConfig,
	RuntimeOrigin, Session, SessionKeys, System,
	configs::DisableOffender,
	genesis_presets::{LOCAL_TESTNET, get_preset},
};
use pallet_session::SessionInterface;
use sp_consensus_grandpa::AuthorityId;
use sp_core::{crypto::UncheckedFrom, ed25519, sr25519};
use sp_genesis_builder::PresetId;
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::Perbill;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

/// A chain of three authorities: Alice, Bob and Charlie.
fn with_three(test: impl FnOnce()) {
	let patch = get_preset(&PresetId::from(LOCAL_TESTNET)).expect("it is there");
	let patch: serde_json::Value = serde_json::from_slice(&patch).expect("JSON");
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("JSON");
	for (pallet, fields) in patch.as_object().expect("an object") {
		for (field, value) in fields.as_object().expect("an object") {
			config[pallet][field] = value.clone();
		}
	}
	let config: RuntimeGenesisConfig = serde_json::from_value(config).expect("a configuration");
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("it builds").into();
	ext.execute_with(|| {
		System::set_block_number(1);
		test();
	});
}

/// New keys, told apart by a number.
fn keys(number: u8) -> SessionKeys {
	SessionKeys {
		aura: sr25519::Public::unchecked_from([number; 32]).into(),
		grandpa: ed25519::Public::unchecked_from([number; 32]).into(),
	}
}

fn set_keys(who: &AccountId, number: u8) {
	assert_ok!(<Session as SessionInterface>::set_keys(who, keys(number)));
}

/// The next session begins.
fn rotate() {
	System::set_block_number(System::block_number() + 600);
	Session::rotate_session();
	// GRANDPA takes a new set over at the end of the block.
	<Grandpa as frame_support::traits::Hooks<u32>>::on_finalize(System::block_number());
}

fn report(who: &AccountId) {
	let offender = OffenceDetails { offender: (who.clone(), ()), reporters: vec![] };
	let session = Session::current_index();
	DisableOffender::on_offence(&[offender], &[Perbill::one()], session);
}

fn has_seat(number: u8) -> bool {
	let grandpa: AuthorityId = keys(number).grandpa;
	let votes = Grandpa::grandpa_authorities().iter().any(|(key, _)| *key == grandpa);
	let authors = pallet_aura::Authorities::<Runtime>::get().contains(&keys(number).aura);
	assert_eq!(votes, authors);
	votes
}

#[test]
fn an_equivocation_is_provable_after_the_keys_changed_before_it_and_after_it() {
	with_three(|| {
		let bob = Bob.to_account_id();
		set_keys(&bob, 50);
		rotate();
		rotate();
		assert!(has_seat(50));
		let key = (sp_consensus_grandpa::KEY_TYPE, keys(50).grandpa);
		let proof = Historical::prove(key.clone()).expect("the key is of this session");
		// It votes twice here, and changes its keys before anybody reports it.
		set_keys(&bob, 51);
		for _ in 0..3 {
			rotate();
			let owner = Historical::check_proof(key.clone(), proof.clone());
			assert_eq!(owner, Some((bob.clone(), ())));
		}
		assert!(has_seat(51) && !has_seat(50));
	});
}

#[test]
fn who_is_banned_stays_out_whatever_keys_change_until_let_in() {
	with_three(|| {
		let bob = Bob.to_account_id();
		set_keys(&bob, 50);
		rotate();
		rotate();
		report(&bob);
		assert!(Authorities::is_banned(&bob));
		// Its own new keys and another's do not pardon it.
		set_keys(&bob, 51);
		set_keys(&Alice.to_account_id(), 60);
		for _ in 0..4 {
			rotate();
			assert!(!has_seat(51));
		}
		assert!(!Session::validators().contains(&bob));
		assert_eq!(Session::validators().len(), 2);
		assert!(has_seat(60));

		assert_noop!(
			Authorities::let_in(RuntimeOrigin::signed(bob.clone()), bob.clone()),
			sp_runtime::DispatchError::BadOrigin
		);
		assert_ok!(Authorities::let_in(RuntimeOrigin::root(), bob.clone()));
		assert_noop!(
			Authorities::let_in(RuntimeOrigin::root(), bob.clone()),
			pallet_authorities::Error::<Runtime>::NotBanned
		);
		rotate();
		rotate();
		assert!(Session::validators().contains(&bob));
		assert!(has_seat(51));
	});
}

#[test]
fn a_chain_keeps_its_last_authority() {
	with_three(|| {
		for who in Session::validators() {
			report(&who);
		}
		for _ in 0..4 {
			rotate();
			assert!(!Session::validators().is_empty());
			assert!(!Grandpa::grandpa_authorities().is_empty());
		}
	});
}

#[test]
fn the_set_is_new_only_when_members_or_keys_change() {
	with_three(|| {
		let set = pallet_grandpa::CurrentSetId::<Runtime>::get;
		for _ in 0..3 {
			rotate();
		}
		let before = set();
		for _ in 0..3 {
			rotate();
		}
		assert_eq!(set(), before);
		set_keys(&Bob.to_account_id(), 50);
		for _ in 0..4 {
			rotate();
		}
		assert_eq!(set(), before + 1);
	});
}

#[test]
fn roots_that_nobody_can_need_any_more_are_gone() {
	with_three(|| {
		let stored = || pallet_session::historical::StoredRange::<Runtime>::get();
		let kept = 28 * 144;
		pallet_session::CurrentIndex::<Runtime>::put(kept + 10);
		pallet_session::historical::StoredRange::<Runtime>::put((0, kept + 12));
		Session::rotate_session();
		assert_eq!(stored().map(|range| range.0), Some(10));
	});
}
