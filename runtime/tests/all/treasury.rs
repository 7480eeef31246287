//! AICP of the treasury: it receives what is minted, governance spends it, credit is served out of
//! it.

use frame_support::{
	assert_noop, assert_ok,
	traits::{OnRuntimeUpgrade, StorageVersion, fungible::NativeOrWithId, fungibles::Inspect},
};
use gridproof_primitives::{num::units, reserve::attestation::ServiceCredit};
use gridproof_runtime::{
	AccountId, Assets, Balances, BuildStorage, CoveragePolicy, Runtime, RuntimeCall,
	RuntimeGenesisConfig, RuntimeOrigin, System, Treasury,
	configs::{BackingAccount, SpendsOfTokens, TreasuryAccount},
	constants::{AICP, currency::AIT},
	genesis_presets::{DEVELOPMENT, get_preset},
};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave};
use sp_runtime::{DispatchError, DispatchResult, traits::Dispatchable};

/// The first supply of the development chain, all of it the treasury's.
const SUPPLY: u128 = 75_000_000 * units::AICP;

fn development(test: impl FnOnce()) {
	let patch = get_preset(&DEVELOPMENT.into()).expect("the preset exists");
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("serialises");
	let patch: serde_json::Value = serde_json::from_slice(&patch).expect("the preset is JSON");
	for (pallet, settings) in patch.as_object().expect("an object") {
		for (name, value) in settings.as_object().expect("an object") {
			config[pallet][name] = value.clone();
		}
	}
	let config: RuntimeGenesisConfig = serde_json::from_value(config).expect("a configuration");
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("it builds").into();
	ext.execute_with(|| {
		System::set_block_number(1);
		pallet_timestamp::Now::<Runtime>::put(600_000);
		test();
		CoveragePolicy::do_try_state().expect("every invariant holds");
	});
}

fn send(call: impl Into<RuntimeCall>, who: &AccountId) -> DispatchResult {
	let answer = call.into().dispatch(RuntimeOrigin::signed(who.clone()));
	answer.map(|_| ()).map_err(|error| error.error)
}

fn aicp(who: &AccountId) -> u128 {
	<Assets as Inspect<AccountId>>::balance(AICP, who)
}

fn spend(kind: NativeOrWithId<u32>, amount: u128, to: &AccountId) -> RuntimeCall {
	pallet_treasury::Call::spend {
		asset_kind: Box::new(kind),
		amount,
		beneficiary: Box::new(to.clone()),
		valid_from: None,
	}
	.into()
}

/// As root, with the sudo key.
fn govern(call: RuntimeCall) {
	assert_ok!(send(pallet_sudo::Call::sudo { call: Box::new(call) }, &Alice.to_account_id()));
}

fn payout(index: u32, who: &AccountId) -> DispatchResult {
	send(pallet_treasury::Call::payout { index }, who)
}

#[test]
fn governance_spends_the_treasurys_aicp_and_nobody_else() {
	development(|| {
		let (bob, charlie) = (Bob.to_account_id(), Charlie.to_account_id());
		let kind = || NativeOrWithId::WithId(AICP);
		assert_noop!(send(spend(kind(), 1, &bob), &bob), DispatchError::BadOrigin);
		govern(spend(kind(), 1_000 * units::AICP, &bob));
		assert_eq!(aicp(&bob), 0);
		// Anybody may pay it out, once.
		assert_ok!(payout(0, &charlie));
		assert_eq!((aicp(&bob), aicp(&charlie)), (1_000 * units::AICP, 0));
		assert_eq!(aicp(&TreasuryAccount::get()), SUPPLY - 1_000 * units::AICP);
		let again = pallet_treasury::Error::<Runtime>::AlreadyAttempted;
		assert_noop!(payout(0, &charlie), again);
		assert_eq!(<Assets as Inspect<AccountId>>::total_issuance(AICP), SUPPLY);
	});
}

#[test]
fn governance_still_spends_ait() {
	development(|| {
		let (bob, dave) = (Bob.to_account_id(), AccountId::new([77; 32]));
		govern(spend(NativeOrWithId::Native, 3 * AIT, &dave));
		assert_ok!(payout(0, &bob));
		assert_eq!(Balances::free_balance(&dave), 3 * AIT);
	});
}

#[test]
fn no_more_is_paid_out_than_the_treasury_has() {
	development(|| {
		let bob = Bob.to_account_id();
		govern(spend(NativeOrWithId::WithId(AICP), SUPPLY + 1, &bob));
		let refused = pallet_treasury::Error::<Runtime>::PayoutError;
		assert_noop!(payout(0, &bob), refused);
	});
}

#[test]
fn a_spend_takes_no_more_than_was_there_before_the_vote_began() {
	use frame_support::traits::Hooks;
	development(|| {
		// A day has 60 blocks here.
		let pass = |days: u32| {
			for _ in 0..days {
				let next = System::block_number() + 60;
				System::set_block_number(next);
				Treasury::on_initialize(next);
			}
		};
		let approve = |amount| -> DispatchResult {
			let call = spend(NativeOrWithId::Native, amount, &Bob.to_account_id());
			call.dispatch(RuntimeOrigin::root()).map(|_| ()).map_err(|error| error.error)
		};
		pass(3);
		let before = Balances::free_balance(TreasuryAccount::get());
		let income = pallet_balances::Call::transfer_allow_death {
			dest: sp_runtime::MultiAddress::Id(TreasuryAccount::get()),
			value: 1_000 * AIT,
		};
		assert_ok!(send(income, &Alice.to_account_id()));
		let refused = Err(pallet_treasury::Error::<Runtime>::FailedToConvertBalance.into());
		pass(7);
		assert_eq!(approve(before + AIT), refused, "the last 1,000 came in during a vote");
		assert_ok!(approve(before - AIT));
		// What is approved is not approved once more.
		assert_eq!(approve(2 * AIT), refused);
		pass(1);
		assert_ok!(approve(2 * AIT));
		let beneficiary = sp_runtime::MultiAddress::Id(Bob.to_account_id());
		let local = pallet_treasury::Call::spend_local { amount: 1, beneficiary };
		let origin = RuntimeOrigin::from(pallet_governance::Origin::Standard);
		let answer = RuntimeCall::from(local).dispatch(origin).map_err(|error| error.error);
		let filtered = frame_system::Error::<Runtime>::CallFiltered;
		assert_eq!(answer.map(|_| ()), Err(filtered.into()));
	});
}

/// What governance spends is not what backs credit; who serves credit is paid out of that.
#[test]
fn redeemed_credit_is_backed_and_paid_whatever_governance_spends() {
	development(|| {
		let (bob, dave) = (Bob.to_account_id(), Dave.to_account_id());
		govern(spend(NativeOrWithId::WithId(AICP), 100 * units::AICP, &bob));
		assert_ok!(payout(0, &bob));
		let redeem =
			pallet_coverage_policy::Call::redeem { amount: 10 * units::AICP, min_credit: 0 };
		assert_ok!(send(redeem, &bob));
		assert_eq!(aicp(&BackingAccount::get()), 10 * units::AICP);
		// Everything that the treasury has leaves it.
		let rest = aicp(&TreasuryAccount::get());
		govern(spend(NativeOrWithId::WithId(AICP), rest, &bob));
		assert_ok!(payout(1, &bob));
		assert_ok!(CoveragePolicy::hold(&bob, 15_000_000));
		assert_ok!(CoveragePolicy::pay_held(&bob, &dave, 15_000_000));
		assert_eq!((aicp(&dave), aicp(&BackingAccount::get())), (10 * units::AICP, 0));
		// What is redeemed now waits until the treasury has something again.
		let redeem =
			pallet_coverage_policy::Call::redeem { amount: 10 * units::AICP, min_credit: 0 };
		assert_ok!(send(redeem, &bob));
		assert_eq!(CoveragePolicy::status().waiting, 15_000_000);
		assert_eq!(CoveragePolicy::redeem_quote(units::AICP).map(|quote| quote.days), Ok(None));
	});
}

#[test]
fn nobody_signs_for_the_backing_and_it_is_not_the_treasury() {
	let backing = BackingAccount::get();
	assert_ne!(backing, TreasuryAccount::get());
	let bytes: &[u8] = backing.as_ref();
	assert_eq!(&bytes[..12], b"modlgp/credt");
	assert_eq!(bytes[12..], [0; 20]);
}

#[test]
fn spends_that_were_approved_before_are_spends_of_ait() {
	development(|| {
		let (bob, dave) = (Bob.to_account_id(), AccountId::new([77; 32]));
		// A row as it was: no kind, amount, beneficiary, two blocks, pending.
		let old = codec::Encode::encode(&(5 * AIT, dave.clone(), 1u32, 1_000u32, 0u8));
		let key = pallet_treasury::Spends::<Runtime>::hashed_key_for(0);
		sp_io::storage::set(&key, &old);
		StorageVersion::new(2).put::<CoveragePolicy>();
		SpendsOfTokens::on_runtime_upgrade();
		StorageVersion::new(3).put::<CoveragePolicy>();
		SpendsOfTokens::on_runtime_upgrade();
		let spend = pallet_treasury::Spends::<Runtime>::get(0).expect("it is still there");
		assert_eq!((spend.asset_kind, spend.amount), (NativeOrWithId::Native, 5 * AIT));
		assert_ok!(Treasury::payout(RuntimeOrigin::signed(bob), 0));
		assert_eq!(Balances::free_balance(&dave), 5 * AIT);
	});
}

#[test]
fn no_account_but_the_treasury_receives_what_is_minted() {
	development(|| {
		let issuer = pallet_coverage_policy::Issuer::<Runtime>::get().expect("there is one");
		// A statement of yesterday that covers the supply with some to spare.
		use gridproof_primitives::{
			reserve::attestation::{AttestationFields, AttestationHandler},
			time::calendar::DayClock,
		};
		let today = gridproof_runtime::Attestations::today();
		let mut fields = AttestationFields::example(today.previous().expect("there is one"));
		(fields.zones_ok, fields.zones_total) = (47, 47);
		fields.wh_raw = 10_000_000_000_000;
		fields.wh_committed = 1_800_000_000_000;
		let hash = fields.hash();
		assert_ok!(CoveragePolicy::on_accepted(&fields, hash));
		let allowance = CoveragePolicy::allowance();
		assert!(allowance > 0);
		let mint = pallet_coverage_policy::Call::mint { amount: allowance, statement: hash };
		assert_ok!(send(mint, &issuer));
		assert_eq!(aicp(&TreasuryAccount::get()), SUPPLY + allowance);
		assert_eq!(aicp(&issuer), 0);
	});
}
