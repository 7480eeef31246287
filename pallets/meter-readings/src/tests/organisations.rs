//! Organisations and their members.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use gridproof_primitives::energy::BatchRefusal;
use sp_runtime::{DispatchError, TokenError};

fn name(text: &str) -> OrganisationName {
	text.as_bytes().to_vec().try_into().unwrap()
}

fn register(who: AccountId) -> Result<(), DispatchError> {
	dispatch(Call::register_organisation { name: name("Ohm Ltd") }, who)
}

fn add(admin: AccountId, organisation: u32, who: AccountId) -> Result<(), DispatchError> {
	dispatch(Call::add_member { organisation, who }, admin)
}

fn remove(by: AccountId, organisation: u32, who: AccountId) -> Result<(), DispatchError> {
	dispatch(Call::remove_member { organisation, who }, by)
}

fn dissolve(admin: AccountId, organisation: u32) -> Result<(), DispatchError> {
	dispatch(Call::dissolve_organisation { organisation }, admin)
}

fn set_standing(standing: OrganisationStanding) -> Result<(), DispatchError> {
	MeterReadings::set_organisation_standing(RuntimeOrigin::root(), 0, standing)
}

#[test]
fn a_new_organisation_holds_a_deposit_and_waits() {
	build_and_execute(|| {
		assert_ok!(register(account(3)));
		assert_eq!(on_hold(&account(3)), ORGANISATION_DEPOSIT);
		let row = Organisations::<Test>::get(1).unwrap();
		assert_eq!((row.standing, row.admin), (OrganisationStanding::Pending, account(3)));
		let registered = Event::OrganisationRegistered {
			organisation: 1,
			admin: account(3),
			name: name("Ohm Ltd"),
		};
		assert_eq!(last_event(), registered);
	});
}

#[test]
fn one_without_a_name_or_without_money_is_not_registered() {
	build_and_execute(|| {
		let call = Call::register_organisation { name: OrganisationName::new() };
		assert_noop!(dispatch(call, account(3)), Error::<Test>::EmptyName);
		assert_noop!(register(account(60)), TokenError::FundsUnavailable);
	});
}

#[test]
fn meters_of_one_that_waits_prove_and_pay_and_mint_from_their_admission_on() {
	build_and_execute(|| {
		// GIVEN an organisation that is not admitted, with a meter
		assert_ok!(register(account(3)));
		assert_ok!(add(account(3), 1, account(4)));
		let certification = certification(1);
		let payload = consent_payload(&certification, 1, &genesis());
		let consent = Box::new(sp_core::Pair::sign(&owner_pair(), &payload).into());
		let call = Call::certify_meter {
			organisation: 1,
			certification: Box::new(certification.clone()),
			consent,
			possession: possession_of(&certification),
		};
		assert_ok!(dispatch(call, account(4)));
		// THEN its batches are not free, and prove, and mint nothing
		let first = sign(&header(0, 0, 10));
		let list = batches(core::slice::from_ref(&first));
		assert!(MeterReadings::check_all(&list).is_err());
		let not_admitted = Err(BatchRefusal::OrganisationNotAdmitted);
		assert_eq!(MeterReadings::preview_batches(vec![first.clone()]), [not_admitted]);
		let post = MeterReadings::submit_batches(RuntimeOrigin::signed(account(50)), list);
		assert_eq!(post.unwrap().pays_fee, frame_support::dispatch::Pays::Yes);
		assert_eq!(outcomes(), [Ok(0)]);
		assert_eq!((issuance(), SumsOfAll::<Test>::get().unminted_wh), (0, 10));
		// WHEN it is admitted
		let admit = Call::admit_meter { meter: 0 };
		assert_noop!(dispatch(admit.clone(), account(4)), Error::<Test>::NotAdmitted);
		let (organisation, standing) = (1, OrganisationStanding::Admitted);
		assert_ok!(as_governance(Call::set_organisation_standing { organisation, standing }));
		// THEN its meter mints once it is, too, and nothing of before
		accept(&sign(&header(0, 0, 10)));
		assert_eq!(issuance(), 0);
		assert_noop!(dispatch(admit.clone(), account(5)), Error::<Test>::NotMember);
		assert_ok!(dispatch(admit.clone(), account(4)));
		let admitted = Event::MeterAdmitted { meter: 0, electrician: account(4) };
		assert_eq!(last_event(), admitted);
		assert_noop!(dispatch(admit, account(4)), Error::<Test>::Unchanged);
		accept(&sign(&header(0, 0, 10)));
		assert_eq!(issuance(), 0);
		Now::set(NOON + QUARTER);
		let mut next = header(0, 0, 9);
		(next.start_ms, next.end_ms) = (NOON, NOON + QUARTER);
		accept(&sign(&next));
		assert_eq!((issuance(), SumsOfAll::<Test>::get().unminted_wh), (9, 30));
	});
}

#[test]
fn an_organisations_name_is_its_own() {
	build_and_execute(|| {
		let named =
			|text: &str| dispatch(Call::register_organisation { name: name(text) }, account(3));
		assert_noop!(named("volt & co"), Error::<Test>::OrganisationNameTaken);
		for bad in ["Volt & Co ", "Volt  & Co", "V\u{43e}lt & Co", " Volt"] {
			assert_noop!(named(bad), Error::<Test>::BadName);
		}
		assert_ok!(named("Volt & Sons"));
		assert_ok!(dissolve(account(3), 1));
		assert_ok!(named("Volt & Sons"));
	});
}

#[test]
fn an_admin_is_replaced_by_itself_or_governance_and_deposits_stay_with_who_paid() {
	build_and_execute(|| {
		assert_ok!(register(account(3)));
		assert_ok!(add(account(3), 1, account(4)));
		let set = |new| Call::set_organisation_admin { organisation: 1, new };
		assert_noop!(dispatch(set(account(5)), account(5)), Error::<Test>::NotAdmin);
		assert_noop!(dispatch(set(account(3)), account(3)), Error::<Test>::Unchanged);
		assert_ok!(dispatch(set(account(5)), account(3)));
		let (old, new) = (account(3), account(5));
		assert_eq!(last_event(), Event::OrganisationAdminSet { organisation: 1, old, new });
		assert_noop!(add(account(3), 1, account(6)), Error::<Test>::NotAdmin);
		assert_ok!(add(account(5), 1, account(6)));
		assert_ok!(as_governance(set(account(7))));
		for member in [4, 6] {
			assert_ok!(remove(account(7), 1, account(member)));
		}
		assert_ok!(dissolve(account(7), 1));
		for who in [3, 5, 7] {
			assert_eq!((on_hold(&account(who)), free(&account(who))), (0, NATIVE));
		}
	});
}

#[test]
fn only_governance_admits() {
	build_and_execute(|| {
		let call = Call::set_organisation_standing {
			organisation: 0,
			standing: OrganisationStanding::Revoked,
		};
		assert_noop!(dispatch(call, admin()), DispatchError::BadOrigin);
		assert_noop!(set_standing(OrganisationStanding::Admitted), Error::<Test>::Unchanged);
		let nobody = MeterReadings::set_organisation_standing(
			RuntimeOrigin::root(),
			7,
			OrganisationStanding::Admitted,
		);
		assert_eq!(nobody, Err(Error::<Test>::NoOrganisation.into()));
	});
}

#[test]
fn what_a_revoked_organisations_meters_measure_until_it_is_admitted_again_never_mints() {
	build_and_execute(|| {
		// GIVEN a meter
		let meter = certify(1);
		let batch = sign(&header(meter, 0, 100));
		// WHEN its organisation is revoked
		assert_ok!(set_standing(OrganisationStanding::Revoked));
		// THEN it mints nothing, and nobody is certified
		assert_eq!(refusal(&batch), BatchRefusal::OrganisationNotAdmitted);
		let refused = certify_as(electrician(), certification(2));
		assert_noop!(refused, Error::<Test>::NotAdmitted);
		// WHEN it is admitted again
		assert_ok!(set_standing(OrganisationStanding::Admitted));
		// THEN the same batch is taken, and mints nothing
		accept(&batch);
		assert_eq!((issuance(), SumsOfAll::<Test>::get().unminted_wh), (0, 100));
		assert_eq!(MeterReadings::meter(meter).unwrap().state.floor_ms, NOON);
		Now::set(NOON + QUARTER);
		let mut next = header(meter, 0, 9);
		(next.start_ms, next.end_ms) = (NOON, NOON + QUARTER);
		accept(&sign(&next));
		assert_eq!(issuance(), 9);
	});
}

#[test]
fn members_fill_up_to_the_bound_and_leave_with_their_deposits() {
	build_and_execute(|| {
		assert_ok!(register(account(3)));
		for member in 4..7 {
			assert_ok!(add(account(3), 1, account(member)));
		}
		assert_eq!(on_hold(&account(3)), ORGANISATION_DEPOSIT + 3 * MEMBER_DEPOSIT);
		assert_noop!(add(account(3), 1, account(7)), Error::<Test>::MaxMembersExceeded);
		assert_noop!(add(account(3), 1, account(4)), Error::<Test>::AlreadyMember);
		assert_noop!(dissolve(account(3), 1), Error::<Test>::InUse);
		// One leaves on its own, the others are removed.
		assert_ok!(remove(account(4), 1, account(4)));
		assert_noop!(remove(account(5), 1, account(6)), Error::<Test>::NotAdmin);
		for member in 5..7 {
			assert_ok!(remove(account(3), 1, account(member)));
		}
		assert_noop!(remove(account(3), 1, account(4)), Error::<Test>::NotMember);
		assert_ok!(dissolve(account(3), 1));
		assert_eq!((on_hold(&account(3)), free(&account(3))), (0, NATIVE));
		assert!(MeterReadings::holds_nothing_of(&account(3)));
		assert_eq!(last_event(), Event::OrganisationDissolved { organisation: 1 });
		assert_noop!(dissolve(account(3), 1), Error::<Test>::NoOrganisation);
	});
}

#[test]
fn only_the_admin_adds_members_and_dissolves() {
	build_and_execute(|| {
		assert_noop!(add(electrician(), 0, account(4)), Error::<Test>::NotAdmin);
		assert_noop!(add(admin(), 9, account(4)), Error::<Test>::NoOrganisation);
		assert_noop!(remove(admin(), 9, account(4)), Error::<Test>::NoOrganisation);
		assert_noop!(dissolve(electrician(), 0), Error::<Test>::NotAdmin);
	});
}

#[test]
fn an_organisation_that_answers_for_a_meter_is_not_dissolved() {
	build_and_execute(|| {
		let meter = certify(1);
		assert_ok!(remove(admin(), 0, electrician()));
		assert_noop!(dissolve(admin(), 0), Error::<Test>::InUse);
		assert_ok!(dispatch(Call::decommission_meter { meter }, owner()));
		assert_ok!(dissolve(admin(), 0));
	});
}

#[test]
fn an_account_can_be_an_electrician_of_several_organisations() {
	build_and_execute(|| {
		assert_ok!(register(account(3)));
		assert_ok!(add(account(3), 1, electrician()));
		assert_ok!(remove(account(3), 1, electrician()));
		assert!(Members::<Test>::contains_key(0, electrician()));
	});
}

#[test]
fn numbers_are_never_given_twice() {
	build_and_execute(|| {
		assert_ok!(register(account(3)));
		assert_ok!(dissolve(account(3), 1));
		assert_ok!(register(account(3)));
		assert!(Organisations::<Test>::contains_key(2));
		NextOrganisation::<Test>::put(u32::MAX);
		let other = Call::register_organisation { name: name("Watt Ltd") };
		assert_noop!(dispatch(other, account(4)), Error::<Test>::Exhausted);
		NextOrganisation::<Test>::put(3);
	});
}
