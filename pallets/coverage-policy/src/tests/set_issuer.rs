//! `set_issuer`.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn set(new: Option<u64>) -> Result<(), DispatchError> {
	dispatch_as(Call::set_issuer { new }, RuntimeOrigin::root())
}

#[test]
fn governance_names_another_issuer_or_none() {
	build_and_execute(|| {
		let hash = state_day(0, eur(95));
		events();
		assert_ok!(set(None));
		assert_noop!(mint(1, hash), Error::<Test>::NotIssuer);
		assert_ok!(set(Some(ALICE)));
		assert_noop!(mint(1, hash), Error::<Test>::NotIssuer);
		assert_ok!(dispatch(Call::mint { amount: 1, statement: hash }, ALICE));
		assert_eq!(
			events()[..2],
			[
				Event::IssuerSet { old: Some(ISSUER), new: None },
				Event::IssuerSet { old: None, new: Some(ALICE) },
			]
		);
		assert_noop!(set(Some(ALICE)), Error::<Test>::Unchanged);
	});
}

#[test]
fn only_governance_does() {
	build_and_execute(|| {
		for who in [ISSUER, GUARD, ALICE] {
			let call = Call::set_issuer { new: Some(who) };
			assert_noop!(dispatch(call, who), DispatchError::BadOrigin);
		}
	});
}
