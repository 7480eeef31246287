//! What a chain can start with.

use crate::{mock::*, *};
use frame_support::assert_ok;
use sp_runtime::BuildStorage;

fn build(
	organisations: Vec<(String, AccountId, Vec<AccountId>)>,
	recorders: Vec<AccountId>,
) -> sp_io::TestExternalities {
	let genesis = RuntimeGenesisConfig {
		meter_readings: GenesisConfig { organisations, recorders },
		..Default::default()
	};
	genesis.build_storage().expect("the storage builds").into()
}

fn volt(members: &[u8]) -> Vec<(String, AccountId, Vec<AccountId>)> {
	vec![("Volt & Co".into(), admin(), members.iter().copied().map(account).collect())]
}

#[test]
fn an_organisation_of_genesis_is_admitted_and_owes_no_deposit() {
	build_and_execute(|| {
		let row = Organisations::<Test>::get(0).unwrap();
		assert_eq!((row.standing, row.deposit), (OrganisationStanding::Admitted, 0));
		assert_eq!((row.members, on_hold(&admin())), (1, 0));
		let who = electrician();
		assert_ok!(dispatch(Call::remove_member { organisation: 0, who }, admin()));
		assert_ok!(dispatch(Call::dissolve_organisation { organisation: 0 }, admin()));
		assert_eq!(free(&admin()), NATIVE);
	});
}

#[test]
fn a_chain_can_start_without_any() {
	build(vec![], vec![]).execute_with(|| {
		assert_eq!(MeterReadings::overview(), Default::default());
		MeterReadings::do_try_state().expect("an invariant is broken");
	});
}

#[test]
#[should_panic = "too many members"]
fn too_many_members_stop_the_chain_before_it_starts() {
	build(volt(&[1, 2, 3, 4]), vec![]);
}

#[test]
#[should_panic = "named twice"]
fn an_electrician_named_twice_does_too() {
	build(volt(&[1, 1]), vec![]);
}

#[test]
#[should_panic = "without a name"]
fn an_organisation_without_a_name_does_too() {
	build(vec![(String::new(), admin(), vec![])], vec![]);
}

#[test]
#[should_panic = "cannot be appointed"]
fn too_many_recorders_do_too() {
	build(vec![], vec![account(1), account(2), account(3)]);
}

#[test]
#[should_panic = "the same name"]
fn two_organisations_of_one_name_do_too() {
	let mut twice = volt(&[1]);
	twice.extend(volt(&[2]));
	build(twice, vec![]);
}

#[test]
#[should_panic = "not plain ASCII"]
fn a_name_that_looks_like_another_does_too() {
	build(vec![("Volt & Co ".into(), admin(), vec![])], vec![]);
}
