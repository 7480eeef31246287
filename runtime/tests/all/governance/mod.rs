//! Governance without root: referenda, votes, the emergency committee.

mod calls;
mod committee;
mod tracks;
mod votes;

use frame_support::{
	assert_ok,
	traits::{Hooks, StorePreimage, schedule::DispatchTime},
};
use frame_system::RawOrigin;
use gridproof_primitives::time::calendar::Calendar;
use gridproof_runtime::{
	AccountId, Balances, BuildStorage, ConvictionVoting, Governance, OriginCaller, Preimage,
	Referenda, Runtime, RuntimeCall, RuntimeEvent, RuntimeGenesisConfig, RuntimeOrigin, SafeMode,
	Scheduler, System,
	configs::{Committee, EMERGENCY, ROOT, STANDARD},
	constants::currency::AIT,
	genesis_presets::{DEVELOPMENT, LOCAL_TESTNET, get_preset},
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_governance::Origin;
use sp_core::traits::{ReadRuntimeVersion, ReadRuntimeVersionExt};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::{DispatchError, DispatchResult, MultiAddress, traits::Dispatchable};

/// Blocks of a day of the development chain.
const DAY: u32 = 60;

/// Finds no version in any code, as a node does in bytes that are not a runtime's.
struct NoVersion;

impl ReadRuntimeVersion for NoVersion {
	fn read_runtime_version(
		&self,
		_: &[u8],
		_: &mut dyn sp_externalities::Externalities,
	) -> Result<Vec<u8>, String> {
		Err("these bytes are not a runtime's".to_string())
	}
}

/// A chain as this preset starts it, in its first block.
fn chain(id: &str, test: impl FnOnce()) {
	let patch = get_preset(&id.into()).expect("the preset exists");
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("serialises");
	let patch: serde_json::Value = serde_json::from_slice(&patch).expect("the preset is JSON");
	for (pallet, settings) in patch.as_object().expect("an object") {
		for (name, value) in settings.as_object().expect("an object") {
			config[pallet][name] = value.clone();
		}
	}
	let config: RuntimeGenesisConfig = serde_json::from_value(config).expect("a configuration");
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("it builds").into();
	ext.register_extension(ReadRuntimeVersionExt::new(NoVersion));
	ext.execute_with(|| {
		System::set_block_number(1);
		pallet_timestamp::Now::<Runtime>::put(600_000);
		test();
		assert_eq!(Governance::do_try_state(), Ok(()));
	});
}

/// The development chain, on which a day has 60 blocks.
fn development(test: impl FnOnce()) {
	chain(DEVELOPMENT, || {
		assert_eq!(pallet_attestations::CalendarInUse::<Runtime>::get().day_length, 60_000);
		test();
	});
}

fn signed(who: Sr25519Keyring) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.to_account_id())
}

fn send(who: Sr25519Keyring, call: impl Into<RuntimeCall>) -> DispatchResult {
	call.into().dispatch(signed(who)).map(|_| ()).map_err(|answer| answer.error)
}

/// Runs the hooks of the pallets that act on time, up to this block.
fn run_to(block: u32) {
	while System::block_number() < block {
		let next = System::block_number() + 1;
		System::set_block_number(next);
		pallet_timestamp::Now::<Runtime>::mutate(|now| *now += 1_000);
		SafeMode::on_initialize(next);
		Scheduler::on_initialize(next);
		Governance::on_initialize(next);
	}
}

fn origin_of(track: u16) -> OriginCaller {
	match track {
		STANDARD => Origin::Standard.into(),
		ROOT => RawOrigin::Root.into(),
		EMERGENCY => Origin::Emergency.into(),
		other => panic!("no track has the number {other}"),
	}
}

/// Somebody proposes a call, without the deposit for its decision.
fn submit(who: Sr25519Keyring, track: u16, call: impl Into<RuntimeCall>) -> u32 {
	let index = pallet_referenda::ReferendumCount::<Runtime>::get();
	let proposal = <Preimage as StorePreimage>::bound(call.into()).expect("it is short enough");
	assert_ok!(Referenda::submit(
		signed(who),
		Box::new(origin_of(track)),
		proposal,
		DispatchTime::After(0)
	));
	index
}

/// Eve, who does not vote, proposes a call and pays both deposits.
fn propose(track: u16, call: impl Into<RuntimeCall>) -> u32 {
	let index = submit(Eve, track, call);
	assert_ok!(Referenda::place_decision_deposit(signed(Eve), index));
	index
}

fn plain(aye: bool, balance: u128) -> AccountVote<u128> {
	AccountVote::Standard { vote: Vote { aye, conviction: Conviction::Locked1x }, balance }
}

fn vote(who: Sr25519Keyring, index: u32, aye: bool, ait: u128) -> DispatchResult {
	let vote = plain(aye, ait * AIT);
	send(who, pallet_conviction_voting::Call::vote { poll_index: index, vote })
}

/// Alice and Bob, who have an eighth of all AIT that votes, are for it.
fn carry(index: u32) {
	assert_ok!(vote(Alice, index, true, 600_000));
	assert_ok!(vote(Bob, index, true, 600_000));
}

/// A referendum that is carried, and carried out.
fn decide(track: u16, call: impl Into<RuntimeCall>) -> Option<DispatchResult> {
	let index = propose(track, call);
	carry(index);
	let days = match track {
		STANDARD => 7,
		ROOT => 10,
		_ => 1,
	};
	run_to(System::block_number() + days * DAY + 5);
	assert!(is_approved(index), "{:?}", info(index));
	enacted()
}

/// What a motion of the committee is dispatched as.
type Motion = pallet_collective::RawOrigin<AccountId, Committee>;

type Info = pallet_referenda::ReferendumInfoOf<Runtime, ()>;

fn info(index: u32) -> Info {
	pallet_referenda::ReferendumInfoFor::<Runtime>::get(index).expect("it was proposed")
}

fn is_approved(index: u32) -> bool {
	matches!(info(index), Info::Approved(..))
}

fn is_rejected(index: u32) -> bool {
	matches!(info(index), Info::Rejected(..))
}

fn is_ongoing(index: u32) -> bool {
	matches!(info(index), Info::Ongoing(..))
}

/// The result of what was carried out last.
fn enacted() -> Option<DispatchResult> {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::Scheduler(pallet_scheduler::Event::Dispatched {
				id: Some(_),
				result,
				..
			}) => Some(result),
			_ => None,
		})
		.next_back()
}

fn free(who: Sr25519Keyring) -> u128 {
	Balances::free_balance(who.to_account_id())
}
