//! Certification, and the owner's consent to it.

use crate::{mock::*, *};
use codec::Encode;
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::{
	H256,
	crypto::ed25519::SMALL_ORDER_Y,
	energy::{Direction, MAX_BACKDATE_MS, MAX_CONSENT_MS, MeterName, Trust},
};
use sp_core::{Pair as _, ecdsa, ed25519};
use sp_runtime::{AccountId32, MultiSignature, TokenError, traits::IdentifyAccount};

fn certify_with(
	certification: Certification<AccountId>,
	consent: MultiSignature,
) -> Result<(), sp_runtime::DispatchError> {
	let possession = possession_of(&certification);
	let (certification, consent) = (Box::new(certification), Box::new(consent));
	let call = Call::certify_meter { organisation: 0, certification, consent, possession };
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
		for who in [admin(), account(5)] {
			assert_noop!(certify_as(who, certification(1)), Error::<Test>::NotMember);
		}
		let call = Call::certify_meter {
			organisation: 4,
			certification: Box::new(certification(1)),
			consent: consent(&certification(1)),
			possession: possession_of(&certification(1)),
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
fn a_consent_is_for_one_chain_and_organisation_and_covers_every_figure() {
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
		// Another figure, whichever it is.
		let (name, device) = (name(2), device(2).public().0);
		for other in [
			Certification { name, ..good.clone() },
			Certification { device, ..good.clone() },
			Certification { owner: account(3), ..good.clone() },
			Certification { rated_power_w: good.rated_power_w - 1, ..good.clone() },
			Certification { direction: Direction::Export, ..good.clone() },
			Certification { trust: Trust::Gateway, ..good.clone() },
			Certification { serial: serial(2), ..good.clone() },
			Certification { seal: seal_of(2), ..good.clone() },
			Certification { registers: Default::default(), ..good.clone() },
			Certification { since_ms: good.since_ms + 1, ..good.clone() },
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
fn a_device_proves_that_it_serves_this_meter_of_this_owner() {
	build_and_execute(|| {
		let good = certification(1);
		let refused = |possession: [u8; 64]| {
			let call = Call::certify_meter {
				organisation: 0,
				certification: Box::new(good.clone()),
				consent: consent(&good),
				possession,
			};
			assert_noop!(dispatch(call, electrician()), Error::<Test>::BadPossession);
		};
		refused([0; 64]);
		refused(possession(&device(2), &good));
		refused(possession(&device(1), &Certification { owner: account(3), ..good.clone() }));
		refused(possession(&device(1), &Certification { name: name(2), ..good.clone() }));
		// A point that is not on the curve can have no proof.
		let mut key = [0; 32];
		key[0] = 2;
		let nowhere = Certification { device: key, ..good.clone() };
		assert_noop!(certify_as(electrician(), nowhere), Error::<Test>::BadPossession);
	});
}

#[test]
fn a_consent_has_its_time() {
	build_and_execute(|| {
		let certify = |number, valid_until_ms| {
			certify_as(electrician(), Certification { valid_until_ms, ..certification(number) })
		};
		assert_noop!(certify(1, NOON - 1), Error::<Test>::ConsentExpired);
		assert_noop!(certify(1, NOON + MAX_CONSENT_MS + 1), Error::<Test>::ConsentExpired);
		assert_noop!(certify(1, u64::MAX), Error::<Test>::ConsentExpired);
		assert_ok!(certify(1, NOON));
		assert_ok!(certify(2, NOON + MAX_CONSENT_MS));
	});
}

#[test]
fn nobody_certifies_a_meter_of_his_own() {
	build_and_execute(|| {
		let who = owner();
		assert_ok!(dispatch(Call::add_member { organisation: 0, who }, admin()));
		assert_noop!(certify_as(owner(), certification(1)), Error::<Test>::OwnerCertifies);
		let meter = certify(1);
		// He vouches for nothing else about it, either.
		let reason = gridproof_primitives::energy::Suspension::BrokenSeal;
		assert_ok!(dispatch(Call::suspend_meter { meter, reason }, owner()));
		let reinstate = Call::reinstate_meter { meter, seal: seal_of(9) };
		assert_noop!(dispatch(reinstate, owner()), Error::<Test>::OwnerCertifies);
		let exchange = Call::exchange_meter {
			meter,
			registers: Default::default(),
			serial: serial(9),
			seal: seal_of(9),
			device: None,
		};
		assert_noop!(dispatch(exchange, owner()), Error::<Test>::OwnerCertifies);
	});
}

#[test]
fn service_begins_a_short_time_ago_at_most_and_never_in_the_future() {
	build_and_execute(|| {
		let since = |since_ms| Certification { since_ms, ..certification(1) };
		let refused = certify_as(electrician(), since(NOON - MAX_BACKDATE_MS - 1));
		assert_noop!(refused, Error::<Test>::SinceTooEarly);
		assert_noop!(certify_as(electrician(), since(0)), Error::<Test>::SinceTooEarly);
		assert_noop!(certify_as(electrician(), since(NOON + 1)), Error::<Test>::SinceTooLate);
		assert_noop!(certify_as(electrician(), since(u64::MAX)), Error::<Test>::SinceTooLate);
		assert_ok!(certify_as(electrician(), since(NOON - MAX_BACKDATE_MS)));
		let latest = Certification { since_ms: NOON, ..certification(2) };
		assert_ok!(certify_as(electrician(), latest));
	});
}

#[test]
fn power_is_at_most_what_governance_allows() {
	build_and_execute(|| {
		let power = |rated_power_w| Certification { rated_power_w, ..certification(1) };
		let refused = certify_as(electrician(), power(100_000_001));
		assert_noop!(refused, Error::<Test>::TooMuchPower);
		assert_noop!(certify_as(electrician(), power(u32::MAX)), Error::<Test>::TooMuchPower);
		assert_ok!(certify_as(electrician(), power(100_000_000)));
	});
}

#[test]
fn a_serial_number_and_a_seal_are_on_one_meter_in_all_organisations() {
	build_and_execute(|| {
		// GIVEN a second organisation that is admitted, and one that is not
		for (number, organisation) in [(3, 1), (5, 2)] {
			let name = format!("Others {number}").into_bytes().try_into().unwrap();
			assert_ok!(dispatch(Call::register_organisation { name }, account(number)));
			let who = account(number + 1);
			assert_ok!(dispatch(Call::add_member { organisation, who }, account(number)));
		}
		let standing = OrganisationStanding::Admitted;
		assert_ok!(as_governance(Call::set_organisation_standing { organisation: 1, standing }));
		certify(1);
		let certify_for = |organisation, certification: Certification<AccountId>| {
			let payload = consent_payload(&certification, organisation, &genesis());
			let call = Call::certify_meter {
				organisation,
				possession: possession_of(&certification),
				consent: Box::new(owner_pair().sign(&payload).into()),
				certification: Box::new(certification),
			};
			let who =
				if organisation == 0 { electrician() } else { account(2 + 2 * organisation as u8) };
			dispatch(call, who)
		};
		let upper = |number: &[u8]| number.to_ascii_lowercase().try_into().unwrap();
		let twins = [
			Certification { serial: serial(1), ..certification(2) },
			Certification { seal: seal_of(1), ..certification(2) },
			// Other case is the same number.
			Certification { serial: upper(&serial(1)), ..certification(2) },
		];
		for twin in &twins {
			for organisation in [0, 1] {
				let refused = certify_for(organisation, twin.clone());
				assert_noop!(refused, Error::<Test>::NumberTaken);
			}
		}
		// WHEN an organisation that is not admitted has the numbers too
		assert_ok!(certify_for(2, Certification { seal: seal_of(1), ..twins[0].clone() }));
		let again = Certification { seal: seal_of(7), serial: serial(1), ..certification(3) };
		assert_noop!(certify_for(2, again), Error::<Test>::NumberTaken);
		// THEN it took none from the others
		assert_ok!(certify_for(2, certification(4)));
		let same =
			Certification { name: name(5), device: device(5).public().0, ..certification(4) };
		assert_ok!(certify_for(1, same));
		// AND at its admission those stay out whose number is taken
		assert_ok!(as_governance(Call::set_organisation_standing { organisation: 2, standing }));
		for meter in [1, 2] {
			let admit = Call::admit_meter { meter };
			assert_noop!(dispatch(admit, account(6)), Error::<Test>::NumberTaken);
			assert!(!MeterReadings::meter(meter).unwrap().mints);
		}
	});
}

#[test]
fn numbers_and_names_are_ones_that_a_person_can_tell_apart() {
	build_and_execute(|| {
		certify(1);
		let twin = |text: &str| {
			let meter = text.as_bytes().to_vec().try_into().unwrap();
			let name = MeterName { meter, ..name(1) };
			certify_as(electrician(), Certification { name, ..certification(2) })
		};
		// The five twins of MTR-1 that were certified once.
		assert_noop!(twin("mtr-1"), Error::<Test>::NameTaken);
		for text in ["MTR-1 ", " MTR-1", "MTR\u{200b}-1", "MTR\u{2010}1", "\u{200f}MTR-1", "A  B"] {
			assert_noop!(twin(text), Error::<Test>::BadName);
		}
		for bad in ["", "a b", "S\u{a0}1", "\u{ff33}-1"] {
			let serial = bad.as_bytes().to_vec().try_into().unwrap();
			let seal = bad.as_bytes().to_vec().try_into().unwrap();
			let bad_serial = Certification { serial, ..certification(2) };
			assert_noop!(certify_as(electrician(), bad_serial), Error::<Test>::BadNumber);
			let bad_seal = Certification { seal, ..certification(2) };
			assert_noop!(certify_as(electrician(), bad_seal), Error::<Test>::BadNumber);
		}
		assert_ok!(twin("MTR 1"));
	});
}
