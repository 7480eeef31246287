//! Migrations of the pallet's storage.

use crate::{
	identity::marks_of, organisations::name_mark, pallet::*, totals::RunningTotals, types::*,
};
use codec::{Decode, Encode};
use core::marker::PhantomData;
use frame_support::{
	BoundedVec,
	migrations::VersionedMigration,
	pallet_prelude::{ConstU32, Get, Weight},
	traits::{Time, UncheckedOnRuntimeUpgrade},
};
use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	energy::{
		BatchLimits, Certificate, Direction, Generation, MAX_BACKDATE_MS, MAX_POINT_METERS,
		MeterIndex, MeterName, MeterState, PointId, PointMeter, PointState, Registers, SealId,
		Suspension, Trust, Waiting,
	},
	time::day::Day,
};

/// From version 1 to version 2: serial numbers, floors, tombstones, limits of a day for meters and
/// organisations, and who paid for a member.
pub type MigrateV1ToV2<T> =
	VersionedMigration<1, 2, UncheckedV1ToV2<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// From version 2 to version 3: tombstones with the last import register, points that know the power of
/// their meters.
pub type MigrateV2ToV3<T> =
	VersionedMigration<2, 3, UncheckedV2ToV3<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// Rows as version 2 had them.
pub(crate) mod v2 {
	use super::{BoundedVec, ConstU32, Decode, Direction, Encode, Generation, MAX_POINT_METERS};
	use super::{MeterIndex, PointId, Waiting};

	#[derive(Encode, Decode)]
	pub(crate) struct Tombstone {
		pub until_ms: u64,
		pub owed_wh: u64,
	}

	#[derive(Encode, Decode)]
	pub(crate) struct PointMeter {
		pub meter: MeterIndex,
		pub direction: Direction,
		pub stated_ms: u64,
		pub floor_ms: u64,
		pub vouched: bool,
		pub ended: bool,
		pub waiting: [Waiting; 2],
	}

	#[derive(Encode, Decode)]
	pub(crate) struct PointState {
		pub meters: BoundedVec<PointMeter, ConstU32<MAX_POINT_METERS>>,
		pub delivered_wh: u128,
		pub taken_wh: u128,
		pub highest_wh: u128,
		pub generation: Option<Generation>,
	}

	#[derive(Encode, Decode)]
	pub(crate) struct Point<AccountId> {
		pub id: PointId,
		pub owner: AccountId,
		pub state: PointState,
	}
}

/// The unversioned part of [`MigrateV2ToV3`].
pub struct UncheckedV2ToV3<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for UncheckedV2ToV3<T> {
	fn on_runtime_upgrade() -> Weight {
		let mut rows = 0u64;
		Tombstones::<T>::translate_values::<v2::Tombstone, _>(|old| {
			rows = rows.saturating_add(1);
			let v2::Tombstone { until_ms, owed_wh } = old;
			Some(Tombstone { until_ms, owed_wh, gone_ms: 0, last: None })
		});
		Points::<T>::translate_values::<v2::Point<T::AccountId>, _>(|old| {
			// The point, and each of its meters' own row.
			rows = rows.saturating_add(1).saturating_add(MAX_POINT_METERS.into());
			let v2::Point { id, owner, state } = old;
			Some(Point { id, owner, state: with_powers::<T>(state) })
		});
		T::DbWeight::get().reads_writes(rows, rows)
	}

	#[cfg(feature = "try-runtime")]
	fn pre_upgrade() -> Result<alloc::vec::Vec<u8>, sp_runtime::TryRuntimeError> {
		let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
		let rows = (Tombstones::<T>::iter_keys().count(), Points::<T>::iter_keys().count());
		Ok((count(rows.0), count(rows.1)).encode())
	}

	#[cfg(feature = "try-runtime")]
	fn post_upgrade(state: alloc::vec::Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
		let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
		let before = <(u32, u32)>::decode(&mut &state[..]).map_err(|_| "two numbers")?;
		let rows = (Tombstones::<T>::iter_values().count(), Points::<T>::iter_values().count());
		frame_support::ensure!(before == (count(rows.0), count(rows.1)), "a row was lost");
		Pallet::<T>::do_try_state()
	}
}

/// Adds to a point the power of its meters. Of one that is gone it is not known any more: it had no more,
/// one assumes, than the strongest of those that are there.
fn with_powers<T: Config>(old: v2::PointState) -> PointState {
	let power = |meter| Meters::<T>::get(meter).map(|row| row.state.rated_power_w);
	let strongest = old.meters.iter().filter_map(|row| power(row.meter)).max().unwrap_or(0);
	let meters = old.meters.into_iter().map(|row| PointMeter {
		meter: row.meter,
		direction: row.direction,
		rated_power_w: power(row.meter).unwrap_or(strongest),
		stated_ms: row.stated_ms,
		floor_ms: row.floor_ms,
		vouched: row.vouched,
		ended: row.ended,
		waiting: row.waiting,
	});
	PointState {
		// As many as there were.
		meters: BoundedVec::truncate_from(meters.collect()),
		delivered_wh: old.delivered_wh,
		taken_wh: old.taken_wh,
		highest_wh: old.highest_wh,
		generation: old.generation,
	}
}

/// Rows as version 1 had them.
pub(crate) mod v1 {
	use super::{Day, MeterName, OrganisationName, OrganisationStanding, RunningTotals};
	use super::{Decode, Direction, Encode, H256, PublicKey, Registers, SealId, Suspension, Trust};

	#[derive(Encode, Decode)]
	pub(crate) struct MeterState {
		pub rated_power_w: u32,
		pub direction: Direction,
		pub next_sequence: u64,
		pub last_hash: H256,
		pub last_end_ms: u64,
		pub registers: Registers,
	}

	#[derive(Encode, Decode)]
	pub(crate) struct Meter<AccountId> {
		pub state: MeterState,
		pub device: PublicKey,
		pub energy_account: AccountId,
		pub organisation: u32,
		pub suspended: Option<Suspension>,
		pub totals: RunningTotals,
	}

	#[derive(Encode, Decode)]
	pub(crate) struct Certificate<AccountId> {
		pub name: MeterName,
		pub device: PublicKey,
		pub owner: AccountId,
		pub organisation: u32,
		pub electrician: AccountId,
		pub rated_power_w: u32,
		pub direction: Direction,
		pub trust: Trust,
		pub seal: SealId,
	}

	#[derive(Encode, Decode)]
	pub(crate) struct Certified<AccountId, Balance> {
		pub certificate: Certificate<AccountId>,
		pub certified_ms: u64,
		pub consent_until_ms: u64,
		pub depositor: AccountId,
		pub deposit: Balance,
	}

	#[derive(Encode, Decode)]
	pub(crate) struct Organisation<AccountId, Balance> {
		pub name: OrganisationName,
		pub admin: AccountId,
		pub standing: OrganisationStanding,
		pub members: u32,
		pub meters: u32,
		pub deposit: Balance,
	}

	#[derive(Encode, Decode)]
	pub(crate) struct Limits {
		pub block_wh: u64,
		pub day_wh: u64,
		pub max_skew_ms: u64,
		pub tolerance_ppt: u32,
	}

	#[derive(Encode, Decode)]
	pub(crate) struct Usage<BlockNumber> {
		pub block: BlockNumber,
		pub block_wh: u64,
		pub day: Day,
		pub day_wh: u64,
	}

	#[derive(Encode, Decode)]
	pub(crate) struct Sums {
		pub minted_wh: u128,
		pub imported_wh: u128,
		pub batches: u64,
		pub readings: u64,
		pub organisations: u32,
		pub electricians: u32,
		pub meters: u32,
		pub suspended: u32,
	}
}

/// The unversioned part of [`MigrateV1ToV2`].
pub struct UncheckedV1ToV2<T>(PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for UncheckedV1ToV2<T> {
	fn on_runtime_upgrade() -> Weight {
		let values = migrate_values::<T>();
		let organisations = migrate_organisations::<T>();
		let meters = migrate_meters::<T>();
		let rows = values.saturating_add(organisations).saturating_add(meters);
		T::DbWeight::get().reads_writes(rows, rows)
	}

	#[cfg(feature = "try-runtime")]
	fn pre_upgrade() -> Result<alloc::vec::Vec<u8>, sp_runtime::TryRuntimeError> {
		let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
		Ok((
			count(Meters::<T>::iter_keys().count()),
			count(Members::<T>::iter_keys().count()),
			count(Organisations::<T>::iter_keys().count()),
		)
			.encode())
	}

	#[cfg(feature = "try-runtime")]
	fn post_upgrade(state: alloc::vec::Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
		let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
		let before = <(u32, u32, u32)>::decode(&mut &state[..]).map_err(|_| "three numbers")?;
		let after = (
			count(Meters::<T>::iter_values().count()),
			count(Members::<T>::iter_values().count()),
			count(Organisations::<T>::iter_values().count()),
		);
		frame_support::ensure!(before == after, "a row was lost");
		Pallet::<T>::do_try_state()
	}
}

/// Migrates the single values; returns how many rows that are.
fn migrate_values<T: Config>() -> u64 {
	let _ = LimitsInUse::<T>::translate::<v1::Limits, _>(|old| {
		old.map(|old| Limits {
			block_wh: old.block_wh,
			day_wh: old.day_wh,
			organisation_day_wh: Limits::default().organisation_day_wh.min(old.day_wh),
			batch: BatchLimits {
				max_skew_ms: old.max_skew_ms,
				tolerance_ppt: old.tolerance_ppt,
				..BatchLimits::default()
			},
			..Limits::default()
		})
	});
	let limits = LimitsInUse::<T>::get();
	let _ = UsageNow::<T>::translate::<v1::Usage<_>, _>(|old| {
		old.map(|old| Usage {
			block: old.block,
			block_wh: old.block_wh,
			block_limit_wh: old.block_wh.max(limits.block_wh),
			day: old.day,
			day_wh: old.day_wh,
			day_limit_wh: old.day_wh.max(limits.day_wh),
		})
	});
	let _ = SumsOfAll::<T>::translate::<v1::Sums, _>(|old| {
		old.map(|old| Sums {
			minted_wh: old.minted_wh,
			unminted_wh: 0,
			imported_wh: old.imported_wh,
			batches: old.batches,
			readings: old.readings,
			organisations: old.organisations,
			electricians: old.electricians,
			meters: old.meters,
			suspended: old.suspended,
		})
	});
	4
}

/// Migrates organisations and their members; returns how many rows that are.
fn migrate_organisations<T: Config>() -> u64 {
	let mut rows = 0u64;
	Organisations::<T>::translate::<v1::Organisation<T::AccountId, BalanceOf<T>>, _>(
		|index, old| {
			rows = rows.saturating_add(2);
			let mark = name_mark(&old.name);
			if !OrganisationNames::<T>::contains_key(mark) {
				OrganisationNames::<T>::insert(mark, index);
			}
			Some(Organisation {
				name: old.name,
				depositor: old.admin.clone(),
				admin: old.admin,
				standing: old.standing,
				admitted_ms: 0,
				members: old.members,
				meters: old.meters,
				deposit: old.deposit,
			})
		},
	);
	Members::<T>::translate::<BalanceOf<T>, _>(|organisation, member, amount| {
		rows = rows.saturating_add(2);
		let who = Organisations::<T>::get(organisation).map_or(member, |row| row.admin);
		Some(Deposit { who, amount })
	});
	rows
}

/// Migrates certificates and meters; returns how many rows that are.
///
/// A meter that was certified with service from long ago, and has stated nothing of that time, mints
/// from a short time ago on, as if it were certified now.
fn migrate_meters<T: Config>() -> u64 {
	let mut rows = 0u64;
	let earliest = T::Time::now().saturating_sub(MAX_BACKDATE_MS);
	Certificates::<T>::translate::<v1::Certified<T::AccountId, BalanceOf<T>>, _>(|_, old| {
		rows = rows.saturating_add(1);
		let certificate = old.certificate;
		Some(Certified {
			certificate: Certificate {
				name: certificate.name,
				device: certificate.device,
				owner: certificate.owner,
				organisation: certificate.organisation,
				electrician: certificate.electrician,
				rated_power_w: certificate.rated_power_w,
				direction: certificate.direction,
				trust: certificate.trust,
				serial: Default::default(),
				seal: certificate.seal,
			},
			certified_ms: old.certified_ms,
			consent_until_ms: old.consent_until_ms,
			depositor: old.depositor,
			deposit: old.deposit,
		})
	});
	Meters::<T>::translate::<v1::Meter<T::AccountId>, _>(|index, old| {
		rows = rows.saturating_add(5);
		if let Some(certified) = Certificates::<T>::get(index) {
			// Of two that look alike, the first one keeps it.
			Pallet::<T>::take_marks(index, marks_of(&certified.certificate, None));
		}
		let state = old.state;
		let floor_ms = state.last_end_ms.max(earliest);
		Some(Meter {
			state: MeterState {
				next_sequence: state.next_sequence,
				last_hash: state.last_hash,
				last_end_ms: state.last_end_ms,
				floor_ms,
				..MeterState::new(
					state.rated_power_w,
					state.direction,
					state.registers,
					state.last_end_ms,
				)
			},
			device: old.device,
			energy_account: old.energy_account,
			organisation: old.organisation,
			suspended: old.suspended,
			mints: true,
			minted_today: Default::default(),
			free_batches: Default::default(),
			totals: old.totals,
		})
	});
	rows
}
