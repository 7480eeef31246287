//! Organisations, their members, recorders of anchors, and the genesis of all three.

use crate::{pallet::*, types::*};
use alloc::{string::String, vec::Vec};
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult, Get},
	traits::{
		Time,
		fungible::{hold::Inspect as _, hold::Mutate as _},
		tokens::Precision,
	},
};
use gridproof_primitives::H256;
use sp_io::hashing::blake2_256;

/// Returns what is hashed of an organisation's name, so that no two have the same one.
pub(crate) fn name_mark(name: &OrganisationName) -> H256 {
	H256(name.to_ascii_lowercase().using_encoded(blake2_256))
}

/// Returns `true` if a person can tell this name from any other: printable ASCII, single blanks inside.
fn is_plain(name: &OrganisationName) -> bool {
	let is_blank = |byte: &u8| *byte == b' ';
	let ends_with_blank = name.first().is_some_and(is_blank) || name.last().is_some_and(is_blank);
	let in_a_row = name.windows(2).any(|pair| pair.iter().all(is_blank));
	let is_ascii = name.iter().all(|byte| byte.is_ascii_graphic() || is_blank(byte));
	is_ascii && !ends_with_blank && !in_a_row
}

/// An organisation of genesis: name, admin, electricians.
type Founding<AccountId> = (String, AccountId, Vec<AccountId>);

impl<T: Config> Pallet<T> {
	/// Holds a deposit of `who`.
	pub(crate) fn hold(
		reason: HoldReason,
		who: &T::AccountId,
		deposit: BalanceOf<T>,
	) -> DispatchResult {
		T::Currency::hold(&reason.into(), who, deposit)
	}

	/// Returns a deposit to `who`: as much as is still on hold, because a slash may have taken
	/// some.
	pub(crate) fn release(
		reason: HoldReason,
		who: &T::AccountId,
		deposit: BalanceOf<T>,
	) -> DispatchResult {
		let reason = reason.into();
		let held = T::Currency::balance_on_hold(&reason, who).min(deposit);
		T::Currency::release(&reason, who, held, Precision::Exact).map(|_| ())
	}

	fn organisation_of_admin(
		admin: &T::AccountId,
		organisation: OrganisationIndex,
	) -> Result<OrganisationOf<T>, DispatchError> {
		let row = Organisations::<T>::get(organisation).ok_or(Error::<T>::NoOrganisation)?;
		ensure!(row.admin == *admin, Error::<T>::NotAdmin);
		Ok(row)
	}

	/// Returns the next number and marks it as used.
	fn next_organisation() -> Result<OrganisationIndex, DispatchError> {
		let index = NextOrganisation::<T>::get();
		NextOrganisation::<T>::put(index.checked_add(1).ok_or(Error::<T>::Exhausted)?);
		Ok(index)
	}

	/// [`Pallet::register_organisation`] without the origin.
	pub(crate) fn do_register_organisation(
		admin: T::AccountId,
		name: OrganisationName,
	) -> DispatchResult {
		ensure!(!name.is_empty(), Error::<T>::EmptyName);
		ensure!(is_plain(&name), Error::<T>::BadName);
		let mark = name_mark(&name);
		ensure!(!OrganisationNames::<T>::contains_key(mark), Error::<T>::OrganisationNameTaken);
		let organisation = Self::next_organisation()?;
		let deposit = T::OrganisationDeposit::get();
		Self::hold(HoldReason::Organisation, &admin, deposit)?;
		let row = Organisation {
			name: name.clone(),
			admin: admin.clone(),
			depositor: admin.clone(),
			standing: OrganisationStanding::Pending,
			admitted_ms: 0,
			members: 0,
			meters: 0,
			deposit,
		};
		Organisations::<T>::insert(organisation, row);
		OrganisationNames::<T>::insert(mark, organisation);
		SumsOfAll::<T>::mutate(|sums| sums.organisations = sums.organisations.saturating_add(1));
		Self::deposit_event(Event::OrganisationRegistered { organisation, admin, name });
		Ok(())
	}

	/// [`Pallet::dissolve_organisation`] without the origin.
	pub(crate) fn do_dissolve_organisation(
		admin: T::AccountId,
		organisation: OrganisationIndex,
	) -> DispatchResult {
		let row = Self::organisation_of_admin(&admin, organisation)?;
		ensure!(row.members == 0 && row.meters == 0, Error::<T>::InUse);
		Self::release(HoldReason::Organisation, &row.depositor, row.deposit)?;
		Organisations::<T>::remove(organisation);
		let mark = name_mark(&row.name);
		if OrganisationNames::<T>::get(mark) == Some(organisation) {
			OrganisationNames::<T>::remove(mark);
		}
		OrganisationUsage::<T>::remove(organisation);
		SumsOfAll::<T>::mutate(|sums| sums.organisations = sums.organisations.saturating_sub(1));
		Self::deposit_event(Event::OrganisationDissolved { organisation });
		Ok(())
	}

	/// [`Pallet::add_member`] without the origin.
	pub(crate) fn do_add_member(
		admin: T::AccountId,
		organisation: OrganisationIndex,
		who: T::AccountId,
	) -> DispatchResult {
		let mut row = Self::organisation_of_admin(&admin, organisation)?;
		let known = Members::<T>::contains_key(organisation, &who);
		ensure!(!known, Error::<T>::AlreadyMember);
		ensure!(row.members < T::MaxMembers::get(), Error::<T>::MaxMembersExceeded);
		let deposit = T::MemberDeposit::get();
		Self::hold(HoldReason::Member, &admin, deposit)?;
		row.members = row.members.saturating_add(1);
		Organisations::<T>::insert(organisation, row);
		Members::<T>::insert(organisation, &who, Deposit { who: admin, amount: deposit });
		SumsOfAll::<T>::mutate(|sums| sums.electricians = sums.electricians.saturating_add(1));
		Self::deposit_event(Event::MemberAdded { organisation, who });
		Ok(())
	}

	/// [`Pallet::remove_member`] without the origin.
	pub(crate) fn do_remove_member(
		caller: T::AccountId,
		organisation: OrganisationIndex,
		who: T::AccountId,
	) -> DispatchResult {
		let mut row = Organisations::<T>::get(organisation).ok_or(Error::<T>::NoOrganisation)?;
		ensure!(caller == row.admin || caller == who, Error::<T>::NotAdmin);
		let deposit = Members::<T>::take(organisation, &who).ok_or(Error::<T>::NotMember)?;
		Self::release(HoldReason::Member, &deposit.who, deposit.amount)?;
		row.members = row.members.saturating_sub(1);
		Organisations::<T>::insert(organisation, row);
		SumsOfAll::<T>::mutate(|sums| sums.electricians = sums.electricians.saturating_sub(1));
		Self::deposit_event(Event::MemberRemoved { organisation, who });
		Ok(())
	}

	/// [`Pallet::set_organisation_standing`] without the origin.
	pub(crate) fn do_set_standing(
		organisation: OrganisationIndex,
		new: OrganisationStanding,
	) -> DispatchResult {
		let mut row = Organisations::<T>::get(organisation).ok_or(Error::<T>::NoOrganisation)?;
		let old = row.standing;
		ensure!(old != new, Error::<T>::Unchanged);
		row.standing = new;
		if new == OrganisationStanding::Admitted {
			// What its meters measured while it was not does not mint.
			row.admitted_ms = T::Time::now();
		}
		Organisations::<T>::insert(organisation, row);
		Self::deposit_event(Event::OrganisationStandingSet { organisation, old, new });
		Ok(())
	}

	/// [`Pallet::set_organisation_admin`] without the origin; `None` is governance. Deposits stay with
	/// those who paid them.
	pub(crate) fn do_set_admin(
		by: Option<T::AccountId>,
		organisation: OrganisationIndex,
		new: T::AccountId,
	) -> DispatchResult {
		let mut row = Organisations::<T>::get(organisation).ok_or(Error::<T>::NoOrganisation)?;
		ensure!(by.is_none_or(|by| by == row.admin), Error::<T>::NotAdmin);
		ensure!(row.admin != new, Error::<T>::Unchanged);
		let old = core::mem::replace(&mut row.admin, new.clone());
		Organisations::<T>::insert(organisation, row);
		Self::deposit_event(Event::OrganisationAdminSet { organisation, old, new });
		Ok(())
	}

	/// Checks that `who` is an electrician of this organisation, and that it is not revoked.
	pub(crate) fn ensure_electrician(
		who: &T::AccountId,
		organisation: OrganisationIndex,
	) -> Result<OrganisationOf<T>, DispatchError> {
		let row = Organisations::<T>::get(organisation).ok_or(Error::<T>::NoOrganisation)?;
		ensure!(row.standing != OrganisationStanding::Revoked, Error::<T>::NotAdmitted);
		ensure!(Members::<T>::contains_key(organisation, who), Error::<T>::NotMember);
		Ok(row)
	}

	/// [`Pallet::set_recorder`] without the origin.
	pub(crate) fn do_set_recorder(who: T::AccountId, appointed: bool) -> DispatchResult {
		let mut recorders = Recorders::<T>::get();
		let place = recorders.iter().position(|known| *known == who);
		match (place, appointed) {
			(Some(_), true) | (None, false) => return Err(Error::<T>::Unchanged.into()),
			(None, true) => {
				recorders.try_push(who.clone()).map_err(|_| Error::<T>::MaxRecordersExceeded)?;
				Self::deposit_event(Event::RecorderAdded { who });
			},
			(Some(place), false) => {
				recorders.remove(place);
				Self::deposit_event(Event::RecorderRemoved { who });
			},
		}
		Recorders::<T>::put(recorders);
		Ok(())
	}

	/// Stores the organisations and recorders of genesis. Panics on a mistake in them, which stops
	/// the chain before it starts.
	pub(crate) fn build_genesis(
		organisations: &[Founding<T::AccountId>],
		recorders: &[T::AccountId],
	) {
		for (name, admin, electricians) in organisations {
			let name = OrganisationName::try_from(name.as_bytes().to_vec());
			let members = u32::try_from(electricians.len()).unwrap_or(u32::MAX);
			assert!(name.is_ok(), "an organisation's name is too long");
			assert!(
				name.as_ref().is_ok_and(|name| !name.is_empty()),
				"organisation without a name"
			);
			assert!(members <= T::MaxMembers::get(), "an organisation has too many members");
			let (Ok(organisation), Ok(name)) = (Self::next_organisation(), name) else { continue };
			let standing = OrganisationStanding::Admitted;
			let deposit = BalanceOf::<T>::default();
			let mark = name_mark(&name);
			assert!(is_plain(&name), "an organisation's name is not plain ASCII");
			assert!(
				!OrganisationNames::<T>::contains_key(mark),
				"two organisations have the same name"
			);
			OrganisationNames::<T>::insert(mark, organisation);
			let row = Organisation {
				name,
				admin: admin.clone(),
				depositor: admin.clone(),
				standing,
				admitted_ms: 0,
				members,
				meters: 0,
				deposit,
			};
			Organisations::<T>::insert(organisation, row);
			SumsOfAll::<T>::mutate(|sums| {
				sums.organisations = sums.organisations.saturating_add(1);
				sums.electricians = sums.electricians.saturating_add(members);
			});
			for electrician in electricians {
				let known = Members::<T>::contains_key(organisation, electrician);
				assert!(!known, "an electrician is named twice");
				Members::<T>::insert(
					organisation,
					electrician,
					Deposit { who: admin.clone(), amount: deposit },
				);
			}
		}
		for recorder in recorders {
			let added = Self::do_set_recorder(recorder.clone(), true);
			assert!(added.is_ok(), "the recorder cannot be appointed: {added:?}");
		}
	}
}
