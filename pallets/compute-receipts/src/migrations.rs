//! Migrations of this pallet's storage, by the version that they lead to.

/// From version 1, in which units alone decided what a receipt minted.
pub mod v2 {
	use crate::{
		pallet::{Config, Jobs, Pallet, Parameters, Parties, Running, Steps, Sums},
		types::*,
	};
	use alloc::vec::Vec;
	use codec::{Decode, Encode};
	use core::marker::PhantomData;
	use frame_support::{
		BoundedVec, migrations::VersionedMigration, pallet_prelude::ConstU32,
		pallet_prelude::Weight, traits::Get, traits::PalletInfoAccess,
		traits::UncheckedOnRuntimeUpgrade,
	};
	use gridproof_primitives::{
		H256,
		compute::emission::{share_of, step_budget},
		compute::settlement::{Shares, Split},
		compute::{
			ComputeParameters, JobModel, JobState, JobTerms, OffenceKind, PartyRole, PriceAsset,
			ReceiptView,
		},
		crypto::ed25519::PublicKey,
	};

	/// Weight of one unit of the full class and score in version 1.
	const FULL_WEIGHT: u128 = 10_000_000;
	/// Shortest notice of a cancellation from now on, in milliseconds.
	const MIN_NOTICE_MS: u64 = 60_000;
	/// One, in parts per million.
	const MILLION: u32 = 1_000_000;

	/// Parameters of version 1.
	#[derive(Encode, Decode, Clone, Copy)]
	pub(crate) struct OldParameters {
		pub(crate) coordinator_bond: u128,
		pub(crate) miner_bond: u128,
		pub(crate) mint_per_unit: u128,
		pub(crate) cpu_weight: u32,
		pub(crate) mint_split: Split,
		pub(crate) price_split: Split,
		pub(crate) max_job_ms: u64,
		pub(crate) max_units: u64,
		pub(crate) cancel_notice_ms: u64,
		pub(crate) retention_ms: u64,
		pub(crate) unbonding_ms: u64,
		pub(crate) heartbeat_min_ms: u64,
		pub(crate) heartbeat_max_ms: u64,
		pub(crate) slashing: bool,
		pub(crate) slash: u32,
		pub(crate) slash_grace_ms: u64,
		pub(crate) offence_memory_ms: u64,
		pub(crate) score_cut: u32,
		pub(crate) ban_after: u32,
		pub(crate) ban_ms: u64,
	}

	impl OldParameters {
		/// Returns the parameters with the bound of the mint. A price of which the treasury got
		/// nothing would mint nothing: where governance had not decided about prices, the treasury
		/// gets its default share.
		pub(crate) fn bounded(self) -> ComputeParameters {
			let price_split = match self.price_split {
				Split { treasury: 0, coordinator: 0 } => Split::DEFAULT,
				chosen => chosen,
			};
			let mut new = ComputeParameters {
				coordinator_bond: self.coordinator_bond,
				miner_bond: self.miner_bond,
				mint_per_unit: self.mint_per_unit,
				cpu_weight: self.cpu_weight,
				mint_split: self.mint_split,
				price_split,
				max_job_ms: self.max_job_ms,
				max_units: self.max_units,
				cancel_notice_ms: self.cancel_notice_ms.max(MIN_NOTICE_MS),
				retention_ms: self.retention_ms,
				unbonding_ms: self.unbonding_ms,
				heartbeat_min_ms: self.heartbeat_min_ms,
				heartbeat_max_ms: self.heartbeat_max_ms,
				slashing: self.slashing,
				slash: self.slash,
				slash_grace_ms: self.slash_grace_ms,
				offence_memory_ms: self.offence_memory_ms,
				score_cut: self.score_cut,
				ban_after: self.ban_after,
				ban_ms: self.ban_ms,
				..Default::default()
			};
			if new.check().is_err() {
				// A mint of which the treasury gets nothing is bounded just below one.
				new.mint_per_received = MILLION.saturating_sub(1);
			}
			new
		}
	}

	/// Job of version 1.
	#[derive(Encode, Decode)]
	pub(crate) struct OldJob<AccountId> {
		pub(crate) client: AccountId,
		pub(crate) coordinator: PublicKey,
		pub(crate) asset: PriceAsset,
		pub(crate) terms: JobTerms,
		pub(crate) deposit: u128,
		pub(crate) expiry_ms: u64,
		pub(crate) cancelled_from: Option<u64>,
		pub(crate) pinned: bool,
		pub(crate) attempt: u32,
		pub(crate) accepted: bool,
		pub(crate) state: JobState,
		pub(crate) closed_ms: u64,
		pub(crate) receipt: Option<ReceiptView>,
	}

	impl<AccountId> OldJob<AccountId> {
		/// Returns the job with the bonds of the parameters, and the weight of its receipt as an
		/// amount. An assignment that was accepted binds from the job's opening.
		fn renewed(self, parameters: &ComputeParameters, old_mint: u128) -> Job<AccountId> {
			let accepted_ms = self.accepted.then_some(self.terms.opened_ms);
			let receipt = self.receipt.map(|receipt| ReceiptView {
				claim: share_of(old_mint, receipt.claim, FULL_WEIGHT),
				..receipt
			});
			Job {
				client: self.client,
				coordinator: self.coordinator,
				asset: self.asset,
				terms: self.terms,
				coordinator_bond: parameters.coordinator_bond,
				miner_bond: parameters.miner_bond,
				deposit: self.deposit,
				expiry_ms: self.expiry_ms,
				cancelled_from: self.cancelled_from,
				pinned: self.pinned,
				attempt: self.attempt,
				accepted_ms,
				assignments: u32::from(self.attempt > 0),
				assigned_ms: 0,
				stopped_ms: 0,
				state: self.state,
				closed_ms: self.closed_ms,
				receipt,
				model: JobModel::AsQuoted,
			}
		}
	}

	/// Party of version 1.
	#[derive(Encode, Decode)]
	pub(crate) struct OldParty<AccountId> {
		pub(crate) role: PartyRole,
		pub(crate) account: AccountId,
		pub(crate) bond: u128,
		pub(crate) since_ms: u64,
		pub(crate) leaving_ms: Option<u64>,
		pub(crate) banned_until_ms: u64,
		pub(crate) offences: Offences,
		pub(crate) slashes: BoundedVec<(u64, u128), ConstU32<{ ComputeParameters::MAX_OFFENCES }>>,
		pub(crate) settled: u64,
		pub(crate) compute_units: u64,
		pub(crate) pending: Pending,
		pub(crate) accrued: u128,
		pub(crate) minted: u128,
		pub(crate) credit: u128,
	}

	impl<AccountId> OldParty<AccountId> {
		fn renewed(self, unbonding_ms: u64) -> Party<AccountId> {
			let left_ms = self.leaving_ms.map_or(0, |until| until.saturating_sub(unbonding_ms));
			Party {
				role: self.role,
				account: self.account,
				bond: self.bond,
				since_ms: self.since_ms,
				leaving_ms: self.leaving_ms,
				left_ms,
				banned_until_ms: self.banned_until_ms,
				offences: self.offences,
				slashes: self.slashes,
				settled: self.settled,
				compute_units: self.compute_units,
				pending: self.pending,
				forfeits: None,
				accrued: self.accrued,
				minted: self.minted,
				credit: self.credit,
			}
		}
	}

	/// Offences of one party reported about one job in version 2.
	#[frame_support::storage_alias]
	pub(crate) type Reports<T: Config> = StorageDoubleMap<
		Pallet<T>,
		frame_support::Blake2_128Concat,
		H256,
		frame_support::Blake2_128Concat,
		PublicKey,
		ReportsOf,
		frame_support::pallet_prelude::ValueQuery,
	>;

	/// Offences reported about a job in version 1.
	type OldReports = BoundedVec<(OffenceKind, PublicKey), ConstU32<16>>;

	/// Closes the running step by the old formula, converts what everybody earned so far, and gives
	/// the parameters their bound. In the rows of jobs, weights become amounts.
	pub struct BoundMint<T>(PhantomData<T>);

	impl<T: Config> UncheckedOnRuntimeUpgrade for BoundMint<T> {
		fn on_runtime_upgrade() -> Weight {
			let key = Parameters::<T>::hashed_key();
			let stored = frame_support::storage::unhashed::get::<OldParameters>(&key);
			let old_mint = stored.map_or(0, |old| old.mint_per_unit);
			let new = stored.map(OldParameters::bounded).unwrap_or_default();
			Parameters::<T>::put(new);
			Self::close_running(old_mint, new.mint_split);
			let mut rows = 4u64;
			let unbonding_ms = new.unbonding_ms;
			Parties::<T>::translate_values(|old: OldParty<T::AccountId>| {
				Some(old.renewed(unbonding_ms))
			});
			for key in Parties::<T>::iter_keys().collect::<Vec<PublicKey>>() {
				let Some(mut party) = Parties::<T>::get(key) else { continue };
				Pallet::<T>::convert(&mut party);
				if !party.offences.is_empty() {
					Pallet::<T>::remember(&key, &party.account, |history| {
						history.offences = party.offences.clone();
						history.banned_until_ms = party.banned_until_ms;
					});
				}
				Parties::<T>::insert(key, party);
				rows = rows.saturating_add(5);
			}
			rows = rows.saturating_add(Self::move_reports());
			Jobs::<T>::translate_values(|old: OldJob<T::AccountId>| {
				rows = rows.saturating_add(1);
				Some(old.renewed(&new, old_mint))
			});
			T::DbWeight::get().reads_writes(rows, rows)
		}
	}

	impl<T: Config> BoundMint<T> {
		/// Stores each offence under its job and its offender. Returns the number of rows.
		fn move_reports() -> u64 {
			use frame_support::{Blake2_128Concat, migration::storage_key_iter};
			let (pallet, item) = (Pallet::<T>::name().as_bytes(), b"Reports");
			let old: Vec<(H256, OldReports)> =
				storage_key_iter::<H256, OldReports, Blake2_128Concat>(pallet, item)
					.drain()
					.collect();
			let mut rows = 0u64;
			for (job_id, reports) in old {
				for (kind, offender) in reports {
					Reports::<T>::mutate(job_id, offender, |kinds| {
						// There is room for every kind.
						let _ = kinds.try_push(kind);
					});
					rows = rows.saturating_add(2);
				}
			}
			rows
		}

		/// Fixes the pool of the running step by its weight, so that nothing earned is lost. The
		/// next step begins early: the old one's budget is used once.
		fn close_running(old_mint: u128, split: Split) {
			let RunningStep { step, claims: weight, parties } = Running::<T>::get();
			if parties == 0 {
				return;
			}
			let shares = Sums::<T>::mutate(|sums| {
				let demand = share_of(old_mint, weight, FULL_WEIGHT);
				let pool = demand.min(step_budget(step)).min(Pallet::<T>::reserve_left(sums));
				let shares = split.divide(pool);
				sums.promised = sums.promised.saturating_add(shares.total());
				sums.treasury = sums.treasury.saturating_add(shares.treasury);
				shares
			});
			let pool = shares.total();
			let kept = Shares { treasury: 0, ..shares };
			let closed = ClosedStep { shares: kept, pool, claims: weight, parties, converted: 0 };
			Steps::<T>::insert(step, closed);
			let step = step.saturating_add(1);
			Running::<T>::put(RunningStep { step, ..Default::default() });
		}
	}

	/// Migration from version 1 to version 2.
	pub type MigrateToV2<T> =
		VersionedMigration<1, 2, BoundMint<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;
}

/// From version 2, in which the money of jobs was on hold on their clients' accounts, and closed
/// jobs and reports had no deposit.
pub mod v3 {
	use crate::{pallet::*, types::*};
	use alloc::vec::Vec;
	use core::marker::PhantomData;
	use frame_support::{
		migrations::VersionedMigration,
		pallet_prelude::{DispatchResult, Weight},
		storage::with_storage_layer,
		traits::{
			Get, Time, UncheckedOnRuntimeUpgrade,
			fungible::hold::Mutate,
			tokens::{Fortitude, Precision, Restriction},
		},
	};
	use gridproof_primitives::{
		H256,
		compute::{JobState, PriceAsset},
	};

	/// Moves the money of open jobs into the escrow. `HeldAicp` is AICP with its holds.
	pub struct FillEscrow<T, HeldAicp>(PhantomData<(T, HeldAicp)>);

	fn moved<T: Config, C>(from: &T::AccountId, amount: u128) -> DispatchResult
	where
		C: Mutate<T::AccountId, Balance = u128, Reason = T::RuntimeHoldReason>,
	{
		if amount == 0 {
			return Ok(());
		}
		let (reason, to) = (HoldReason::Job.into(), T::Escrow::get());
		// No lock or vote of the client keeps its escrow where it is.
		let (exact, free, force) = (Precision::Exact, Restriction::Free, Fortitude::Force);
		C::transfer_on_hold(&reason, from, &to, amount, exact, free, force).map(|_| ())
	}

	impl<T, HeldAicp> UncheckedOnRuntimeUpgrade for FillEscrow<T, HeldAicp>
	where
		T: Config,
		HeldAicp: Mutate<T::AccountId, Balance = u128, Reason = T::RuntimeHoldReason>,
	{
		fn on_runtime_upgrade() -> Weight {
			let mut rows = 1u64;
			for job_id in Jobs::<T>::iter_keys().collect::<Vec<H256>>() {
				// A row of version 2 and of version 3 is the same.
				let Some(mut job) = super::v4::read::<T>(job_id) else { continue };
				if job.state == JobState::Open {
					if Self::move_money(&job).is_err() {
						Self::give_back(&mut job);
					}
				} else {
					// It was returned when the job was closed.
					job.deposit = 0;
				}
				Jobs::<T>::insert(job_id, job);
				rows = rows.saturating_add(9);
			}
			Reports::<T>::translate_values(|kinds: ReportsOf| {
				rows = rows.saturating_add(1);
				// Who reported is not known, and has paid no deposit.
				Some(Reported { kinds, reporter: T::Treasury::get(), deposit: 0 })
			});
			Parties::<T>::translate_values(|mut party: Party<T::AccountId>| {
				rows = rows.saturating_add(1);
				cut_slashes(&mut party);
				Some(party)
			});
			T::DbWeight::get().reads_writes(rows, rows)
		}
	}

	/// Pending slashes are at most the bond, the earliest first.
	fn cut_slashes<AccountId>(party: &mut Party<AccountId>) {
		let mut left = party.bond;
		for (_, slash) in party.slashes.iter_mut() {
			*slash = (*slash).min(left);
			left = left.saturating_sub(*slash);
		}
		party.slashes.retain(|(_, slash)| *slash > 0);
	}

	impl<T, HeldAicp> FillEscrow<T, HeldAicp>
	where
		T: Config,
		HeldAicp: Mutate<T::AccountId, Balance = u128, Reason = T::RuntimeHoldReason>,
	{
		fn amounts(job: &Job<T::AccountId>) -> (u128, u128) {
			let (price, deposit) = (job.terms.price, job.deposit);
			match job.asset {
				PriceAsset::Ait => (price.saturating_add(deposit), 0),
				PriceAsset::Aicp => (deposit, price),
				PriceAsset::ServiceCredit => (deposit, 0),
			}
		}

		fn move_money(job: &Job<T::AccountId>) -> DispatchResult {
			let (ait, aicp) = Self::amounts(job);
			with_storage_layer(|| {
				moved::<T, T::Currency>(&job.client, ait)?;
				moved::<T, HeldAicp>(&job.client, aicp)
			})
		}

		/// Cancels a job whose money cannot be moved: nothing of another's pays for it.
		fn give_back(job: &mut Job<T::AccountId>) {
			let (reason, precision) = (HoldReason::Job.into(), Precision::BestEffort);
			let (ait, aicp) = Self::amounts(job);
			let released = [
				T::Currency::release(&reason, &job.client, ait, precision),
				HeldAicp::release(&reason, &job.client, aicp, precision),
			];
			if released.iter().any(Result::is_err) {
				frame_support::defensive!("what was on hold for a job cannot be released");
			}
			let price = job.terms.price;
			if job.asset == PriceAsset::ServiceCredit {
				use gridproof_primitives::reserve::attestation::ServiceCredit;
				let _ = T::ServiceCredit::release(&job.client, price);
			}
			Sums::<T>::mutate(|sums| {
				sums.open = sums.open.saturating_sub(1);
				sums.cancelled = sums.cancelled.saturating_add(1);
				let escrow = sums.escrow_mut(job.asset);
				*escrow = escrow.saturating_sub(price);
			});
			job.state = JobState::Cancelled;
			job.closed_ms = T::Time::now();
			job.deposit = 0;
		}
	}

	/// Migration from version 2 to version 3.
	pub type MigrateToV3<T, HeldAicp> = VersionedMigration<
		2,
		3,
		FillEscrow<T, HeldAicp>,
		Pallet<T>,
		<T as frame_system::Config>::DbWeight,
	>;
}

/// From version 3, in which the factor of a quote decided alone by what a receipt counts.
pub mod v4 {
	use crate::{pallet::*, types::Job};
	use codec::{Decode, Encode};
	use core::marker::PhantomData;
	use frame_support::{
		migrations::VersionedMigration, pallet_prelude::Weight, storage::unhashed, traits::Get,
		traits::UncheckedOnRuntimeUpgrade,
	};
	use gridproof_primitives::{
		H256,
		compute::{JobModel, JobState, JobTerms, PriceAsset, ReceiptView},
		crypto::ed25519::PublicKey,
	};

	/// Job of versions 2 and 3: a row of today without its last member, so that one of today is read
	/// as well.
	#[derive(Encode, Decode)]
	pub(crate) struct OldJob<AccountId> {
		pub(crate) client: AccountId,
		pub(crate) coordinator: PublicKey,
		pub(crate) asset: PriceAsset,
		pub(crate) terms: JobTerms,
		pub(crate) coordinator_bond: u128,
		pub(crate) miner_bond: u128,
		pub(crate) deposit: u128,
		pub(crate) expiry_ms: u64,
		pub(crate) cancelled_from: Option<u64>,
		pub(crate) pinned: bool,
		pub(crate) attempt: u32,
		pub(crate) accepted_ms: Option<u64>,
		pub(crate) assignments: u32,
		pub(crate) assigned_ms: u64,
		pub(crate) stopped_ms: u64,
		pub(crate) state: JobState,
		pub(crate) closed_ms: u64,
		pub(crate) receipt: Option<ReceiptView>,
	}

	impl<AccountId> OldJob<AccountId> {
		/// Returns the job, whose receipt counts as its quote says: so it was signed.
		fn renewed(self) -> Job<AccountId> {
			Job {
				client: self.client,
				coordinator: self.coordinator,
				asset: self.asset,
				terms: self.terms,
				coordinator_bond: self.coordinator_bond,
				miner_bond: self.miner_bond,
				deposit: self.deposit,
				expiry_ms: self.expiry_ms,
				cancelled_from: self.cancelled_from,
				pinned: self.pinned,
				attempt: self.attempt,
				accepted_ms: self.accepted_ms,
				assignments: self.assignments,
				assigned_ms: self.assigned_ms,
				stopped_ms: self.stopped_ms,
				state: self.state,
				closed_ms: self.closed_ms,
				receipt: self.receipt,
				model: JobModel::AsQuoted,
			}
		}
	}

	/// Returns a job of version 2 or 3.
	pub(super) fn read<T: Config>(job_id: H256) -> Option<Job<T::AccountId>> {
		let key = Jobs::<T>::hashed_key_for(job_id);
		unhashed::get::<OldJob<T::AccountId>>(&key).map(OldJob::renewed)
	}

	/// Lets jobs that are open count as they were quoted.
	pub struct CountAsQuoted<T>(PhantomData<T>);

	impl<T: Config> UncheckedOnRuntimeUpgrade for CountAsQuoted<T> {
		fn on_runtime_upgrade() -> Weight {
			let mut rows = 1u64;
			Jobs::<T>::translate_values(|old: OldJob<T::AccountId>| {
				rows = rows.saturating_add(1);
				Some(old.renewed())
			});
			T::DbWeight::get().reads_writes(rows, rows)
		}
	}

	/// Migration from version 3 to version 4.
	pub type MigrateToV4<T> = VersionedMigration<
		3,
		4,
		CountAsQuoted<T>,
		Pallet<T>,
		<T as frame_system::Config>::DbWeight,
	>;
}
