//! Holding, paying and returning the price of jobs, in each of the three assets.

use crate::{pallet::*, types::*};
use alloc::collections::BTreeMap;
use frame_support::{
	defensive,
	pallet_prelude::{DispatchResult, Get},
	storage::with_storage_layer,
	traits::{
		fungible::hold::Mutate,
		tokens::{Fortitude, Precision, Restriction},
	},
};
use gridproof_primitives::{
	compute::PriceAsset, compute::settlement::Shares, reserve::attestation::ServiceCredit,
};

/// Money that leaves the clients' escrow, added up, so that many receipts of the same parties move
/// money once.
pub(crate) struct Settlement<T: Config> {
	/// Amounts from a client, in an asset, to a beneficiary.
	payments: BTreeMap<(T::AccountId, PriceAsset, T::AccountId), u128>,
	/// Amounts returned to a client, in an asset.
	refunds: BTreeMap<(T::AccountId, PriceAsset), u128>,
	/// Service credit of a client that is spent, in micro-EUR.
	spent: BTreeMap<T::AccountId, u128>,
}

impl<T: Config> Default for Settlement<T> {
	fn default() -> Self {
		Self { payments: BTreeMap::new(), refunds: BTreeMap::new(), spent: BTreeMap::new() }
	}
}

fn add<K: Ord>(sums: &mut BTreeMap<K, u128>, key: K, amount: u128) {
	if amount > 0 {
		let sum = sums.entry(key).or_default();
		*sum = sum.saturating_add(amount);
	}
}

fn transfer<C, T: Config>(from: &T::AccountId, to: &T::AccountId, amount: u128) -> DispatchResult
where
	C: Mutate<T::AccountId, Balance = u128, Reason = T::RuntimeHoldReason>,
{
	let reason = HoldReason::Job.into();
	// No lock or vote of the client keeps its escrow from those who earned it.
	let (exact, free, force) = (Precision::Exact, Restriction::Free, Fortitude::Force);
	with_storage_layer(|| {
		C::transfer_on_hold(&reason, from, to, amount, exact, free, force).map(|_| ())
	})
}

fn release<C, T: Config>(who: &T::AccountId, amount: u128) -> DispatchResult
where
	C: Mutate<T::AccountId, Balance = u128, Reason = T::RuntimeHoldReason>,
{
	C::release(&HoldReason::Job.into(), who, amount, Precision::Exact).map(|_| ())
}

impl<T: Config> Settlement<T> {
	/// Adds a settled job: its shares go to their owners, the rest and the deposit to the client.
	pub(crate) fn pay(
		&mut self,
		job: &Job<T::AccountId>,
		shares: &Shares,
		miner: &T::AccountId,
		coordinator: &T::AccountId,
	) {
		let (client, asset) = (&job.client, job.asset);
		if asset == PriceAsset::ServiceCredit {
			add(&mut self.spent, client.clone(), shares.total());
		} else {
			let treasury = T::Treasury::get();
			for (who, amount) in [
				(miner, shares.miner),
				(coordinator, shares.coordinator),
				(&treasury, shares.treasury),
			] {
				add(&mut self.payments, (client.clone(), asset, who.clone()), amount);
			}
		}
		self.refund(job, job.terms.price.saturating_sub(shares.total()));
	}

	/// Adds what a job's client gets back: `amount` of its price, and the deposit.
	pub(crate) fn refund(&mut self, job: &Job<T::AccountId>, amount: u128) {
		add(&mut self.refunds, (job.client.clone(), job.asset), amount);
		add(&mut self.refunds, (job.client.clone(), PriceAsset::Ait), job.deposit);
	}

	/// Returns how many rows of accounts are touched.
	pub(crate) fn accounts(&self) -> usize {
		self.payments.len().max(self.refunds.len()).max(self.spent.len())
	}

	/// Moves everything. All of it is on hold, so only a payment to an account that cannot receive
	/// it can fail: it goes to the treasury, or else back to the client.
	pub(crate) fn execute(self) {
		for ((client, asset, beneficiary), amount) in self.payments {
			Self::pay_or_divert(client, asset, beneficiary, amount);
		}
		for ((client, asset), amount) in self.refunds {
			Self::give_back(&client, asset, amount);
		}
		for (client, amount) in self.spent {
			if T::ServiceCredit::spend_held(&client, amount).is_err() {
				defensive!("credit of an open job is held");
			}
		}
	}

	fn pay_or_divert(
		client: T::AccountId,
		asset: PriceAsset,
		beneficiary: T::AccountId,
		amount: u128,
	) {
		let pay = |to: &T::AccountId| match asset {
			PriceAsset::Aicp => transfer::<T::Aicp, T>(&client, to, amount),
			_ => transfer::<T::Currency, T>(&client, to, amount),
		};
		if pay(&beneficiary).is_ok() {
			return;
		}
		if pay(&T::Treasury::get()).is_err() {
			Self::give_back(&client, asset, amount);
		}
		Pallet::<T>::deposit_event(Event::PaymentDiverted { client, beneficiary, asset, amount });
	}

	fn give_back(client: &T::AccountId, asset: PriceAsset, amount: u128) {
		let released = match asset {
			PriceAsset::Ait => release::<T::Currency, T>(client, amount),
			PriceAsset::Aicp => release::<T::Aicp, T>(client, amount),
			PriceAsset::ServiceCredit => T::ServiceCredit::release(client, amount),
		};
		if released.is_err() {
			defensive!("the price of an open job is held");
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Holds a job's price and deposit.
	pub(crate) fn hold_price(job: &Job<T::AccountId>) -> DispatchResult {
		let (client, price, reason) = (&job.client, job.terms.price, HoldReason::Job.into());
		let coin = match job.asset {
			PriceAsset::Ait => price.checked_add(job.deposit).ok_or(Error::<T>::Overflow)?,
			PriceAsset::Aicp => {
				T::Aicp::hold(&reason, client, price)?;
				job.deposit
			},
			PriceAsset::ServiceCredit => {
				T::ServiceCredit::hold(client, price)?;
				job.deposit
			},
		};
		T::Currency::hold(&reason, client, coin)
	}
}
