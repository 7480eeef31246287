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
fn what_waits_certifies_nothing() {
	build_and_execute(|| {
		assert_ok!(register(account(3)));
		assert_ok!(add(account(3), 1, account(4)));
		let certification = certification(1);
		let payload = consent_payload(&certification, 1, &genesis());
		let consent: Box<sp_runtime::MultiSignature> =
			Box::new(sp_core::Pair::sign(&owner_pair(), &payload).into());
		let call = || Call::certify_meter {
			organisation: 1,
			certification: Box::new(certification.clone()),
			consent: consent.clone(),
		};
		assert_noop!(dispatch(call(), account(4)), Error::<Test>::NotAdmitted);
		let admitted = OrganisationStanding::Admitted;
		let root = RuntimeOrigin::root();
		assert_ok!(MeterReadings::set_organisation_standing(root, 1, admitted));
		assert_ok!(dispatch(call(), account(4)));
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
fn a_revoked_organisations_meters_do_not_count_until_it_is_admitted_again() {
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
		// THEN the same batch counts
		accept(&batch);
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
		assert_noop!(register(account(4)), Error::<Test>::Exhausted);
		NextOrganisation::<Test>::put(3);
	});
}
