//! An authority that votes twice, or signs two blocks for one slot: provable whatever keys change,
//! and out until let in.

use codec::{Decode, Encode};
use frame_support::{
	assert_noop, assert_ok,
	traits::{DisabledValidators, KeyOwnerProofSystem},
};
use gridproof_runtime::{
	AccountId, Authorities, Balances, BuildStorage, Executive, Grandpa, Hash, Header, Historical,
	Runtime, RuntimeGenesisConfig, RuntimeOrigin, Session, SessionKeys, System, UncheckedExtrinsic,
	configs::DisableOffender,
	genesis_presets::{LOCAL_TESTNET, get_preset},
};
use pallet_authorities::{
	Error, KeyOwners, KeysInUse, LetInAt, MAX_REPORT_BYTES, Seats, SlotRange, Slots, Standing,
	Standings, TwoBlocks, runtime_api::runtime_decl_for_authorities_api::AuthoritiesApi,
};
use pallet_session::SessionInterface;
use sp_consensus_aura::{
	Slot,
	digests::CompatibleDigestItem,
	sr25519::{AuthorityId as AuraId, AuthoritySignature},
};
use sp_consensus_grandpa::AuthorityId;
use sp_core::{crypto::UncheckedFrom, ed25519, sr25519};
use sp_genesis_builder::PresetId;
use sp_keyring::{
	Ed25519Keyring,
	Sr25519Keyring::{self, Alice, Bob, Charlie, Dave},
};
use sp_runtime::{
	Digest, DigestItem, DispatchError, Perbill,
	traits::Header as _,
	transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidity},
};
use sp_session::MembershipProof;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

/// A chain of three authorities: Alice, Bob and Charlie, whose invariants hold at the end.
fn with_three(test: impl FnOnce()) {
	with_authorities(&[], || {
		test();
		assert_eq!(Authorities::do_try_state(), Ok(()));
	});
}

/// A chain of four authorities, of which one at a time can be disabled.
fn with_four(test: impl FnOnce()) {
	with_authorities(&[Dave], || {
		test();
		assert_eq!(Authorities::do_try_state(), Ok(()));
	});
}

fn with_authorities(more: &[Sr25519Keyring], test: impl FnOnce()) {
	let patch = get_preset(&PresetId::from(LOCAL_TESTNET)).expect("it is there");
	let patch: serde_json::Value = serde_json::from_slice(&patch).expect("JSON");
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("JSON");
	for (pallet, fields) in patch.as_object().expect("an object") {
		for (field, value) in fields.as_object().expect("an object") {
			config[pallet][field] = value.clone();
		}
	}
	let mut config: RuntimeGenesisConfig = serde_json::from_value(config).expect("a configuration");
	config.session.keys.truncate(3);
	for key in more {
		let keys = SessionKeys { aura: key.public().into(), ..self::keys(90) };
		config.session.keys.push((key.to_account_id(), key.to_account_id(), keys));
	}
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
	pallet_aura::CurrentSlot::<Runtime>::put(Slot::from(u64::from(System::block_number())));
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

/// Whether this invariant is the one that notices a change, which is then undone.
fn is_noticed(expected: &'static str, change: impl FnOnce()) {
	assert_eq!(Authorities::do_try_state(), Ok(()));
	let found = frame_support::storage::with_transaction_unchecked(|| {
		change();
		sp_runtime::TransactionOutcome::Rollback(Authorities::do_try_state())
	});
	assert_eq!(found, Err(DispatchError::Other(expected)));
}

#[test]
fn every_invariant_of_the_authorities_is_noticed_when_it_breaks() {
	with_three(|| {
		set_keys(&Bob.to_account_id(), 50);
		for _ in 0..3 {
			rotate();
		}
		report(&Charlie.to_account_id());
		assert_ok!(Authorities::let_in(RuntimeOrigin::root(), Charlie.to_account_id()));
		let running = Session::current_index();
		let range = Slots::<Runtime>::get(running).expect("it is noted");
		let insert = |session, range| Slots::<Runtime>::insert(session, range);
		let now = pallet_aura::CurrentSlot::<Runtime>::get();

		is_noticed("1: no authority is left", pallet_session::Validators::<Runtime>::kill);
		is_noticed("1: keys of others are in use", || {
			KeysInUse::<Runtime>::mutate(|keys| keys.swap(0, 1));
		});
		is_noticed("2: another session", || Slots::<Runtime>::remove(running));
		is_noticed("2: a session is missing", || Slots::<Runtime>::remove(running - 1));
		is_noticed("2: a session begins before the one before it", || {
			insert(running, SlotRange { after: Slot::from(0), ..range });
		});
		is_noticed("2: a session begins later than now", || {
			insert(running, SlotRange { after: now + 1, ..range });
		});
		is_noticed("3: seats of a later session", || {
			insert(running, SlotRange { seats_of: running + 1, ..range });
		});
		is_noticed("3: seats are not there", || Seats::<Runtime>::remove(range.seats_of));
		is_noticed("3: a session without a seat", || {
			let mut seats = Seats::<Runtime>::get(range.seats_of).expect("they are noted");
			seats.clear();
			Seats::<Runtime>::insert(range.seats_of, seats);
		});
		is_noticed("3: seats of no session", || {
			let seats = Seats::<Runtime>::get(range.seats_of).expect("they are noted");
			Seats::<Runtime>::insert(running + 7, seats);
		});
		is_noticed("4: who returns was not let in", || {
			LetInAt::<Runtime>::remove(Charlie.to_account_id());
		});
		is_noticed("4: let in later than now", || {
			LetInAt::<Runtime>::insert(Charlie.to_account_id(), now + 1);
		});
		// A ban alone needs no slot.
		Standings::<Runtime>::insert(Dave.to_account_id(), Standing::Banned);
	});
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
			DispatchError::BadOrigin
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
	// It leaps over sessions, of which the invariants know nothing.
	with_authorities(&[], || {
		let stored = || pallet_session::historical::StoredRange::<Runtime>::get();
		let kept = 28 * 144;
		pallet_session::CurrentIndex::<Runtime>::put(kept + 10);
		pallet_session::historical::StoredRange::<Runtime>::put((0, kept + 12));
		Session::rotate_session();
		assert_eq!(stored().map(|range| range.0), Some(10));
	});
}

/// Whether the chain finds Bob by the key, in this session and in those that follow.
fn is_bobs_key_for_good(key: AuthorityId, proof: MembershipProof) {
	for _ in 0..4 {
		let key = (sp_consensus_grandpa::KEY_TYPE, key.clone());
		let owner = KeyOwners::<Runtime>::check_proof(key, proof.clone());
		assert_eq!(owner, Some((Bob.to_account_id(), ())));
		rotate();
	}
}

#[test]
fn keys_that_change_within_the_session_of_an_offence_hide_nothing() {
	with_three(|| {
		let bob = Bob.to_account_id();
		set_keys(&bob, 50);
		rotate();
		rotate();
		// It votes twice with the keys in use, and sets others at once, twice.
		set_keys(&bob, 51);
		set_keys(&bob, 52);
		let of = |number| (sp_consensus_grandpa::KEY_TYPE, keys(number).grandpa);
		let proof = KeyOwners::<Runtime>::prove(of(50)).expect("the key is in use");
		// The SDK's own proof shows nothing any more, which is what this is about.
		let theirs = Historical::prove(of(50)).expect("a proof of absence");
		assert_eq!(Historical::check_proof(of(50), theirs), None);
		// Keys that are set for later have voted for nothing yet.
		let early = KeyOwners::<Runtime>::prove(of(52)).expect("a proof of absence");
		assert_eq!(KeyOwners::<Runtime>::check_proof(of(52), early), None);
		// The question changed nothing.
		assert_eq!(pallet_session::NextKeys::<Runtime>::get(&bob), Some(keys(52)));
		assert_eq!(Session::current_index(), 2);
		is_bobs_key_for_good(keys(50).grandpa, proof);
	});
}

/// Two prevotes of Bob in one round of the first set.
fn two_votes() -> sp_consensus_grandpa::EquivocationProof<Hash, u32> {
	let (set, round) = (0u64, 1u64);
	let vote = |block: u8| {
		let target = (Hash::repeat_byte(block), 1u32);
		let signature = Ed25519Keyring::Bob.sign(&(0u8, target, round, set).encode());
		(target, signature)
	};
	let bob = Ed25519Keyring::Bob.public();
	let proof = (set, 0u8, round, bob, vote(1), vote(2)).encode();
	Decode::decode(&mut proof.as_slice()).expect("as the type is encoded")
}

#[test]
fn a_report_of_two_votes_is_taken_after_the_voter_has_set_other_keys() {
	with_three(|| {
		let bob = Bob.to_account_id();
		set_keys(&bob, 50);
		let key = (sp_consensus_grandpa::KEY_TYPE, Ed25519Keyring::Bob.public());
		let owner = KeyOwners::<Runtime>::prove(key).expect("the key is in use");
		assert_ok!(Grandpa::report_equivocation_unsigned(
			RuntimeOrigin::none(),
			Box::new(two_votes()),
			owner
		));
		assert!(Authorities::is_banned(&bob));
	});
}

/// Whose turn it is in a slot of the running session.
fn author_of(slot: u64) -> Sr25519Keyring {
	let range = Slots::<Runtime>::get(Session::current_index()).expect("it is noted");
	let seats = Seats::<Runtime>::get(range.seats_of).expect("they are noted");
	let place = slot % u64::try_from(seats.len()).expect("few");
	let key = &seats[usize::try_from(place).expect("few")];
	[Alice, Bob, Charlie, Dave]
		.into_iter()
		.find(|keyring| AuraId::from(keyring.public()) == *key)
		.expect("one of them")
}

/// A slot of the running session in which it is the authority's turn.
fn slot_of(author: Sr25519Keyring) -> u64 {
	let range = Slots::<Runtime>::get(Session::current_index()).expect("it is noted");
	let after = u64::from(range.after);
	(after + 1..after + 9).find(|slot| author_of(*slot) == author).expect("its turn comes")
}

/// A header with a seal; the number makes contents differ.
fn header(author: Sr25519Keyring, slot: u64, number: u32) -> Header {
	let slot =
		<DigestItem as CompatibleDigestItem<AuthoritySignature>>::aura_pre_digest(slot.into());
	let mut header = Header::new(
		number,
		Hash::repeat_byte(1),
		Hash::repeat_byte(2),
		Hash::repeat_byte(3),
		Digest { logs: vec![slot] },
	);
	let signature = author.sign(header.hash().as_ref());
	let seal = AuthoritySignature::from(signature);
	header.digest.push(<DigestItem as CompatibleDigestItem<AuthoritySignature>>::aura_seal(seal));
	header
}

type Blocks = TwoBlocks<Header, AuraId>;

fn two_blocks(author: Sr25519Keyring, slot: u64) -> Blocks {
	TwoBlocks {
		author: author.public().into(),
		first: header(author, slot, 7),
		second: header(author, slot, 8),
	}
}

fn owner(author: Sr25519Keyring) -> MembershipProof {
	Runtime::prove_author(author.public().into()).expect("an authority")
}

/// The report as a node sends it.
fn transaction(blocks: Blocks, owner: MembershipProof) -> UncheckedExtrinsic {
	let bytes = Runtime::report_of_two_blocks(blocks, owner);
	UncheckedExtrinsic::decode(&mut bytes.as_slice()).expect("a transaction")
}

fn validate(transaction: UncheckedExtrinsic) -> TransactionValidity {
	let genesis = System::block_hash(0);
	Executive::validate_transaction(TransactionSource::External, transaction, genesis)
}

fn because(error: Error<Runtime>) -> DispatchError {
	error.into()
}

/// Why a report is refused, when it is dispatched and in the pool.
fn refused(blocks: Blocks, owner: MembershipProof) -> DispatchError {
	let error = Authorities::report_two_blocks(
		RuntimeOrigin::signed(Alice.to_account_id()),
		Box::new(blocks.clone()),
		owner.clone(),
	)
	.expect_err("it is refused");
	let DispatchError::Module(module) = error else { panic!("{error:?}") };
	let pool = validate(transaction(blocks, owner)).expect_err("the pool refuses it too");
	let is_stale = error == because(Error::Settled);
	let expected = if is_stale {
		InvalidTransaction::Stale
	} else {
		InvalidTransaction::Custom(module.error[0])
	};
	assert_eq!(pool, expected.into());
	error
}

#[test]
fn two_blocks_for_one_slot_disable_and_ban_their_author_for_free() {
	with_four(|| {
		let slot = slot_of(Bob);
		let (blocks, owner) = (two_blocks(Bob, slot), owner(Bob));
		let report = transaction(blocks.clone(), owner.clone());
		let validity = validate(report.clone()).expect("the pool takes it");
		assert!(validity.propagate);
		assert_eq!(validity.priority, pallet_free_calls::MAX_FREE_PRIORITY);
		let issuance = Balances::total_issuance();
		assert_ok!(Executive::apply_extrinsic(report.clone()).expect("it is valid"));
		assert_eq!(Balances::total_issuance(), issuance);

		let bob = Bob.to_account_id();
		assert!(Authorities::is_banned(&bob));
		let place = Session::validators().iter().position(|who| *who == bob).expect("a member");
		assert!(Session::is_disabled(u32::try_from(place).expect("few")));
		// The same again, and another one of who is out already.
		assert_eq!(validate(report), Err(InvalidTransaction::Stale.into()));
		assert_eq!(refused(blocks, owner.clone()), because(Error::Settled));
		assert_eq!(refused(two_blocks(Bob, slot + 4), owner), because(Error::Settled));
		rotate();
		rotate();
		assert!(!Session::validators().contains(&bob));
	});
}

#[test]
fn only_two_sealed_contents_of_ones_own_slot_are_an_offence() {
	with_three(|| {
		let slot = slot_of(Bob);
		let good = two_blocks(Bob, slot);
		let of_bob = owner(Bob);
		// One content, sealed twice: two hashes of the same block.
		let same = Blocks { second: header(Bob, slot, 7), ..good.clone() };
		assert_ne!(same.first.hash(), same.second.hash());
		assert_eq!(refused(same, of_bob.clone()), because(Error::NotTwoBlocks));
		let later = Blocks { second: header(Bob, slot + 3, 8), ..good.clone() };
		assert_eq!(refused(later, of_bob.clone()), because(Error::NotTwoBlocks));
		let mut bare = good.clone();
		bare.second.digest.pop();
		assert_eq!(refused(bare, of_bob.clone()), because(Error::NotTwoBlocks));
		let forged = Blocks { second: header(Alice, slot, 8), ..good.clone() };
		assert_eq!(refused(forged, of_bob.clone()), because(Error::NotSealed));
		// Alice signs for Bob's slot: no node takes such a block.
		assert_eq!(refused(two_blocks(Alice, slot), owner(Alice)), because(Error::NotItsSlot));
		assert_eq!(refused(good.clone(), owner(Alice)), because(Error::InvalidKeyOwnershipProof));
		let mut long = good.clone();
		long.first.digest.logs.insert(0, DigestItem::Other(vec![0; MAX_REPORT_BYTES]));
		assert_eq!(refused(long, of_bob.clone()), because(Error::ReportTooLong));
		let elsewhere = MembershipProof { session: 9, ..of_bob.clone() };
		assert_eq!(refused(good, elsewhere), because(Error::NotOfThisSession));
		// A slot that is not of the session for which the key is proven.
		rotate();
		let next = slot_of(Bob);
		assert_eq!(refused(two_blocks(Bob, next), of_bob), because(Error::NotOfThisSession));
		assert!(!Authorities::is_banned(&Bob.to_account_id()));
	});
}

#[test]
fn two_blocks_are_reported_after_their_author_has_set_other_keys_and_sessions_later() {
	with_three(|| {
		let bob = Bob.to_account_id();
		let (early, late) = (slot_of(Bob), slot_of(Bob) + 3);
		set_keys(&bob, 50);
		let proof = owner(Bob);
		for _ in 0..3 {
			rotate();
		}
		assert!(has_seat(50));
		assert_eq!(KeysInUse::<Runtime>::get().len(), 3);
		let report = |slot| {
			Authorities::report_two_blocks(
				RuntimeOrigin::signed(Alice.to_account_id()),
				Box::new(two_blocks(Bob, slot)),
				proof.clone(),
			)
		};
		assert_ok!(report(early));
		assert!(Authorities::is_banned(&bob));
		// Who was let in answers for nothing of before.
		assert_ok!(Authorities::let_in(RuntimeOrigin::root(), bob.clone()));
		assert_noop!(report(late), Error::<Runtime>::Settled);
	});
}

#[test]
fn seats_are_noted_once_for_each_list_and_forgotten_with_their_last_session() {
	with_three(|| {
		for _ in 0..3 {
			rotate();
		}
		assert_eq!(Seats::<Runtime>::iter().count(), 1);
		set_keys(&Bob.to_account_id(), 50);
		rotate();
		rotate();
		assert_eq!(Seats::<Runtime>::iter().count(), 2);
		assert_eq!(Slots::<Runtime>::iter().count(), 6);
		for first in 1..=5 {
			Authorities::forget_before(first);
		}
		assert_eq!(Slots::<Runtime>::iter().count(), 1);
		assert_eq!(Seats::<Runtime>::iter().count(), 1);
	});
}
