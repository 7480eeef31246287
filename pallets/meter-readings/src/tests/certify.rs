//! Certification, and the owner's consent to it.

use crate::{mock::*, *};
use codec::Encode;
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	crypto::ed25519::SMALL_ORDER_Y,
	energy::{MAX_CONSENT_MS, MeterName},
};
use sp_core::{Pair as _, ecdsa, ed25519};
use sp_runtime::{AccountId32, MultiSignature, TokenError, traits::IdentifyAccount};

fn certify_with(
	certification: Certification<AccountId>,
	consent: MultiSignature,
) -> Result<(), sp_runtime::DispatchError> {
	let certification = Box::new(certification);
	let call = Call::certify_meter { organisation: 0, certification, consent: Box::new(consent) };
	dispatch(call, electrician())
}

#[test]
fn a_meter_is_certified_with_the_owners_consent_and_a_deposit() {
	build_and_execute(|| {
		assert_ok!(certify_as(electrician(), certification(1)));
		assert_eq!(on_hold(&electrician()), METER_DEPOSIT);
		let info = MeterReadings::meter(0).unwrap();
		let expected = certification(1).certificate(0, electrician());
		assert_eq!((info.certificate, info.certified_ms), (expected, NOON));
		assert_eq!(info.suspended, None);
		let device = device(1).public().0;
		let energy_account = OneOfTwo::energy_account(&owner(), &device);
		assert_eq!(info.energy_account, energy_account);
		let certified = Event::MeterCertified {
			meter: 0,
			name: name(1),
			owner: owner(),
			device,
			energy_account,
			organisation: 0,
			electrician: electrician(),
		};
		assert_eq!(last_event(), certified);
	});
}

#[test]
fn indices_are_given_in_order() {
	build_and_execute(|| {
		assert_eq!((certify(1), certify(2), certify(3)), (0, 1, 2));
		NextMeter::<Test>::put(u32::MAX);
		assert_noop!(certify_as(electrician(), certification(4)), Error::<Test>::Exhausted);
		NextMeter::<Test>::put(3);
	});
}

#[test]
fn only_an_electrician_of_the_organisation_certifies() {
	build_and_execute(|| {
		for who in [admin(), owner(), account(5)] {
			assert_noop!(certify_as(who, certification(1)), Error::<Test>::NotMember);
		}
		let call = Call::certify_meter {
			organisation: 4,
			certification: Box::new(certification(1)),
			consent: consent(&certification(1)),
		};
		assert_noop!(dispatch(call, electrician()), Error::<Test>::NoOrganisation);
	});
}

#[test]
fn without_money_for_the_deposit_nothing_is_certified() {
	build_and_execute(|| {
		assert_ok!(dispatch(Call::add_member { organisation: 0, who: account(60) }, admin()));
		let refused = certify_as(account(60), certification(1));
		assert_noop!(refused, TokenError::FundsUnavailable);
	});
}

#[test]
fn names_and_keys_belong_to_one_meter() {
	build_and_execute(|| {
		certify(1);
		let same_name = Certification { name: name(1), ..certification(2) };
		assert_noop!(certify_as(electrician(), same_name), Error::<Test>::NameTaken);
		let same_key = Certification { device: device(1).public().0, ..certification(2) };
		assert_noop!(certify_as(electrician(), same_key), Error::<Test>::KeyInUse);
	});
}

#[test]
fn a_name_that_is_no_topic_is_refused() {
	build_and_execute(|| {
		let part = |text: &[u8]| text.to_vec().try_into().unwrap();
		for bad in [&b""[..], b"a/b", b"+", b"#", b"a\0b", b"\xff"] {
			let name = MeterName { meter: part(bad), ..name(1) };
			let certification = Certification { name, ..certification(1) };
			assert_noop!(certify_as(electrician(), certification), Error::<Test>::BadName);
		}
	});
}

#[test]
fn weak_keys_are_refused() {
	build_and_execute(|| {
		for key in SMALL_ORDER_Y {
			let certification = Certification { device: key, ..certification(1) };
			assert_noop!(certify_as(electrician(), certification), Error::<Test>::WeakKey);
		}
		let not_canonical = Certification { device: [0xff; 32], ..certification(1) };
		assert_noop!(certify_as(electrician(), not_canonical), Error::<Test>::WeakKey);
	});
}

#[test]
fn a_device_does_not_own_itself_and_power_is_not_zero() {
	build_and_execute(|| {
		let pair = device(1);
		let owner = AccountId32::from(pair.public().0);
		let own = Certification { owner, ..certification(1) };
		let payload = consent_payload(&own, 0, &genesis());
		let consent = pair.sign(&payload).into();
		assert_noop!(certify_with(own, consent), Error::<Test>::OwnerIsDevice);
		let powerless = Certification { rated_power_w: 0, ..certification(1) };
		assert_noop!(certify_as(electrician(), powerless), Error::<Test>::ZeroPower);
	});
}

#[test]
fn an_owner_may_sign_with_any_scheme_and_as_wallets_wrap_it() {
	build_and_execute(|| {
		let ed = ed25519::Pair::from_seed(&[5; 32]);
		let ec = ecdsa::Pair::from_seed(&[5; 32]);
		let owners: [AccountId; 2] = [
			sp_runtime::MultiSigner::from(ed.public()).into_account(),
			sp_runtime::MultiSigner::from(ec.public()).into_account(),
		];
		let certification = |number, owner: &AccountId| Certification {
			owner: owner.clone(),
			..certification(number)
		};
		let first = certification(1, &owners[0]);
		let payload = consent_payload(&first, 0, &genesis());
		assert_ok!(certify_with(first, ed.sign(&payload).into()));
		let second = certification(2, &owners[1]);
		let payload = consent_payload(&second, 0, &genesis());
		assert_ok!(certify_with(second, ec.sign(&payload).into()));
		let third = certification(3, &owner());
		let payload = consent_payload(&third, 0, &genesis());
		let wrapped = [b"<Bytes>", payload.as_slice(), b"</Bytes>"].concat();
		assert_ok!(certify_with(third, owner_pair().sign(&wrapped).into()));
	});
}

#[test]
fn a_consent_is_for_one_chain_organisation_meter_key_owner_and_time() {
	build_and_execute(|| {
		let good = certification(1);
		let refused = |payload: Vec<u8>| {
			let consent = owner_pair().sign(&payload).into();
			assert_noop!(certify_with(good.clone(), consent), Error::<Test>::BadConsent);
		};
		// Another chain.
		refused(consent_payload(&good, 0, &H256::repeat_byte(1)));
		// Another organisation.
		refused(consent_payload(&good, 1, &genesis()));
		// Another meter, key, owner, time.
		let (name, device) = (name(2), device(2).public().0);
		for other in [
			Certification { name, ..good.clone() },
			Certification { device, ..good.clone() },
			Certification { owner: account(3), ..good.clone() },
			Certification { valid_until_ms: good.valid_until_ms + 1, ..good.clone() },
		] {
			refused(consent_payload(&other, 0, &genesis()));
		}
		// Another statement that an owner may have signed.
		refused(genesis().encode());
		// Another signer.
		let payload = consent_payload(&good, 0, &genesis());
		let stranger = sp_core::sr25519::Pair::from_seed(&[9; 32]);
		let consent = stranger.sign(&payload).into();
		assert_noop!(certify_with(good.clone(), consent), Error::<Test>::BadConsent);
	});
}

#[test]
fn a_consent_has_its_time() {
	build_and_execute(|| {
		let until = |valid_until_ms| Certification { valid_until_ms, ..certification(1) };
		let certify = |valid_until_ms| certify_as(electrician(), until(valid_until_ms));
		assert_noop!(certify(NOON - 1), Error::<Test>::ConsentExpired);
		assert_noop!(certify(NOON + MAX_CONSENT_MS + 1), Error::<Test>::ConsentExpired);
		assert_noop!(certify(u64::MAX), Error::<Test>::ConsentExpired);
		assert_ok!(certify(NOON));
		assert_ok!(dispatch(Call::decommission_meter { meter: 0 }, owner()));
		assert_ok!(certify(NOON + MAX_CONSENT_MS));
	});
}

#[test]
fn the_owner_may_be_the_electrician() {
	build_and_execute(|| {
		let who = owner();
		assert_ok!(dispatch(Call::add_member { organisation: 0, who }, admin()));
		assert_ok!(certify_as(owner(), certification(1)));
		assert_eq!(on_hold(&owner()), METER_DEPOSIT);
	});
}
