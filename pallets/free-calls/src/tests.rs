use crate::{
	MAX_FREE_PRIORITY, MIN_PAYING_PRIORITY, Usage, UsedInBlock,
	mock::{
		Balances, FreeCalls, LENGTH, MONEY, MaxWeight, PriorityUnit, RuntimeCall, Stopped, System,
		Test, build_and_execute, general, include,
		news::{KNOWN, Known},
		remark, signed, tell, validate, weight_of_extensions,
	},
};
use frame_support::{dispatch::GetDispatchInfo, traits::Hooks, weights::Weight};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

fn money(who: u64) -> u64 {
	Balances::free_balance(who)
}

fn known(item: u32) -> bool {
	Known::<Test>::contains_key(item)
}

fn refused(reason: InvalidTransaction) -> TransactionValidityError {
	TransactionValidityError::Invalid(reason)
}

#[test]
fn a_signed_call_that_is_free_costs_nothing() {
	build_and_execute(|| {
		assert_eq!(include(signed(1, 0, tell(5))), Ok(true));
		assert!(known(5));
		assert_eq!(money(1), MONEY);
		assert_eq!(System::account_nonce(1), 1);
	});
}

#[test]
fn a_signed_call_that_a_stranger_brought_first_is_refused_and_its_sender_pays_nothing() {
	build_and_execute(|| {
		let mine = signed(1, 0, tell(5));
		assert!(validate(mine.clone()).is_ok());
		assert_eq!(include(general(tell(5))), Ok(true));
		assert_eq!(include(mine.clone()), Err(refused(InvalidTransaction::Custom(KNOWN))));
		assert_eq!(validate(mine), Err(refused(InvalidTransaction::Custom(KNOWN))));
		assert_eq!(money(1), MONEY);
		// Its nonce is free for the next one: the sender never stands still.
		assert_eq!(System::account_nonce(1), 0);
		assert_eq!(include(signed(1, 0, tell(6))), Ok(true));
	});
}

#[test]
fn who_gives_a_tip_pays_also_for_what_is_no_longer_free() {
	build_and_execute(|| {
		assert_eq!(include(general(tell(5))), Ok(true));
		assert_eq!(include(signed(1, 1, tell(5))), Ok(false));
		let fee = u64::try_from(LENGTH).expect("small") + 1;
		assert!(MONEY - money(1) >= fee, "{}", MONEY - money(1));
		assert_eq!(System::account_nonce(1), 1);
	});
}

#[test]
fn a_free_call_needs_no_money_beyond_an_account() {
	build_and_execute(|| {
		use frame_support::traits::{Currency, ExistenceRequirement};
		let least = MONEY - 1;
		<Balances as Currency<u64>>::transfer(&1, &2, least, ExistenceRequirement::KeepAlive)
			.expect("it is there");
		assert_eq!(money(1), 1);
		assert_eq!(include(signed(1, 0, tell(5))), Ok(true));
		assert_eq!(include(signed(1, 0, remark())), Err(refused(InvalidTransaction::Payment)));
	});
}

#[test]
fn whoever_pays_comes_before_whatever_is_free() {
	build_and_execute(|| {
		// The pallet asks for the highest priority there is.
		let highest = [general(tell(5)), signed(1, 0, tell(5))].map(|transaction| {
			validate(transaction).map(|validity| validity.priority).expect("it is valid")
		});
		assert_eq!(highest, [MAX_FREE_PRIORITY; 2]);
		for call in [remark(), tell(5)] {
			let tip = u64::from(call == tell(5));
			let validity = validate(signed(2, tip, call)).expect("it is valid");
			assert!(validity.priority > MIN_PAYING_PRIORITY);
		}
		const { assert!(MIN_PAYING_PRIORITY > MAX_FREE_PRIORITY) };
	});
}

#[test]
fn a_tip_counts_from_one_unit_on_and_by_whole_units() {
	build_and_execute(|| {
		PriorityUnit::set(100);
		let priority = |tip| validate(signed(1, tip, remark())).expect("it is valid").priority;
		assert_eq!(priority(0), priority(99));
		assert!(priority(99) < priority(100));
		assert_eq!(priority(100), priority(199));
		assert!(priority(199) < priority(200));
		PriorityUnit::set(0);
		assert!(priority(0) < priority(1), "no unit is a unit of one");
	});
}

#[test]
fn one_thing_is_in_the_pool_once_whoever_brings_it() {
	build_and_execute(|| {
		let tags = |transaction| validate(transaction).expect("it is valid").provides;
		let (theirs, mine, other) =
			(tags(general(tell(5))), tags(signed(1, 0, tell(5))), tags(signed(2, 0, tell(5))));
		let [tag] = theirs.as_slice() else { panic!("{theirs:?}") };
		assert!(mine.contains(tag) && other.contains(tag));
	});
}

#[test]
fn a_stopped_call_is_refused_before_it_is_authorised_and_before_a_fee() {
	build_and_execute(|| {
		Stopped::set(true);
		let stopped = refused(InvalidTransaction::Call);
		for transaction in [general(tell(5)), signed(1, 0, tell(5)), signed(1, 1, tell(5))] {
			assert_eq!(validate(transaction.clone()), Err(stopped));
			assert_eq!(include(transaction), Err(stopped));
		}
		assert!(!known(5));
		assert_eq!((money(1), System::account_nonce(1)), (MONEY, 0));
		// What was stopped is as good as before.
		Stopped::set(false);
		assert_eq!(include(general(tell(5))), Ok(true));
	});
}

#[test]
fn a_stopped_call_is_refused_without_an_extension_too() {
	use sp_runtime::traits::TransactionExtension;
	type Refuse = crate::RefuseFiltered<Test>;
	build_and_execute(|| {
		let call = tell(5);
		let info = call.get_dispatch_info();
		assert!(Refuse::bare_validate(&call, &info, LENGTH).is_ok());
		Stopped::set(true);
		let stopped = refused(InvalidTransaction::Call);
		assert_eq!(Refuse::bare_validate(&call, &info, LENGTH), Err(stopped));
		assert_eq!(Refuse::bare_validate_and_prepare(&call, &info, LENGTH), Err(stopped));
	});
}

/// Includes free calls until one is refused. Returns how many went in.
fn fill(transaction: impl Fn(u32) -> crate::mock::Extrinsic) -> u32 {
	for item in 0.. {
		match include(transaction(item)) {
			Ok(done) => assert!(done),
			Err(refusal) => {
				assert_eq!(refusal, refused(InvalidTransaction::ExhaustsResources));
				return item;
			},
		}
	}
	0
}

#[test]
fn free_calls_leave_half_of_a_block_to_those_that_pay() {
	for signer in [None, Some(1)] {
		build_and_execute(|| {
			let number = fill(|item| match signer {
				None => general(tell(item)),
				Some(who) => signed(who, 0, tell(item)),
			});
			assert!(number > 5, "{number}");
			let used = UsedInBlock::<Test>::get();
			assert!(used.weight.all_lte(MaxWeight::get()));
			// Not even one more, signed or not, and a paying one still gets in.
			let full = refused(InvalidTransaction::ExhaustsResources);
			assert_eq!(include(general(tell(1_000))), Err(full));
			assert_eq!(include(signed(2, 0, tell(1_000))), Err(full));
			assert_eq!(UsedInBlock::<Test>::get(), used);
			assert_eq!(include(signed(2, 1, tell(1_000))), Ok(true));
			assert_eq!(include(signed(3, 0, remark())), Ok(true));
			// The next block has room again.
			FreeCalls::on_finalize(1);
			assert_eq!(UsedInBlock::<Test>::get(), Usage::default());
			assert_eq!(include(general(tell(1_001))), Ok(true));
		});
	}
}

#[test]
fn free_calls_are_counted_by_what_they_took() {
	build_and_execute(|| {
		let declared = |call: &RuntimeCall| {
			call.get_dispatch_info().call_weight.saturating_add(weight_of_extensions(call))
		};
		assert_eq!(include(general(tell(0))), Ok(true));
		let used = UsedInBlock::<Test>::get();
		assert!(used.weight.ref_time() < declared(&tell(0)).ref_time());
		assert!(used.weight.ref_time() >= 25_000_000_000);
		assert_eq!(used.length, 100);
		// What fails gives back its place as well.
		assert!(include(signed(1, 0, tell(0))).is_err());
		assert_eq!(UsedInBlock::<Test>::get(), used);
	});
}

#[test]
fn one_free_call_that_is_larger_than_their_share_goes_in_alone() {
	build_and_execute(|| {
		MaxWeight::set(Weight::from_parts(50_000_000_000, u64::MAX));
		assert_eq!(include(general(tell(0))), Ok(true));
		let full = refused(InvalidTransaction::ExhaustsResources);
		assert_eq!(include(general(tell(1))), Err(full));
		assert_eq!(include(signed(1, 0, tell(1))), Err(full));
		FreeCalls::on_finalize(1);
		assert_eq!(include(signed(1, 0, tell(1))), Ok(true));
	});
}

#[test]
fn free_calls_are_bounded_by_bytes_too() {
	build_and_execute(|| {
		UsedInBlock::<Test>::put(Usage { weight: Weight::zero(), length: 9_901 });
		let full = refused(InvalidTransaction::ExhaustsResources);
		assert_eq!(include(general(tell(0))), Err(full));
		UsedInBlock::<Test>::put(Usage { weight: Weight::zero(), length: 9_900 });
		assert_eq!(include(general(tell(0))), Ok(true));
	});
}

#[test]
fn to_wallets_both_extensions_are_the_standard_ones() {
	use sp_runtime::traits::TransactionExtension;
	type Both = (crate::RefuseFiltered<Test>, crate::FreeOrPaid<Test>);
	type Standard = (
		frame_system::AuthorizeCall<Test>,
		pallet_transaction_payment::ChargeTransactionPayment<Test>,
	);
	let describe = |extensions: Vec<sp_runtime::traits::TransactionExtensionMetadata>| {
		extensions
			.into_iter()
			.map(|one| (one.identifier, one.ty.type_id(), one.implicit.type_id()))
			.collect::<Vec<_>>()
	};
	assert_eq!(
		describe(<Both as TransactionExtension<RuntimeCall>>::metadata()),
		describe(<Standard as TransactionExtension<RuntimeCall>>::metadata())
	);
}
