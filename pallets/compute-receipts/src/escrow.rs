//! The money of jobs: the prices of open ones and the deposits for rows lie in an account of the
//! pallet's own, so that no lock, vote or hold of who paid them reaches them. The rows say whose
//! they are.

use crate::{pallet::*, types::*};
use alloc::collections::BTreeMap;
use frame_support::{
	defensive,
	pallet_prelude::{DispatchResult, Get},
	storage::with_storage_layer,
	traits::{fungible::Mutate, tokens::Preservation},
};
use gridproof_primitives::{
	compute::PriceAsset, compute::settlement::Shares, reserve::attestation::ServiceCredit,
};

/// Money that leaves the escrow, added up, so that many receipts of the same parties move money
/// once.
pub(crate) struct Settlement<T: Config> {
	/// Amounts of a client's, in an asset, to a beneficiary.
	payments: BTreeMap<(T::AccountId, PriceAsset, T::AccountId), u128>,
	/// Amounts returned to who paid them, in an asset.
	refunds: BTreeMap<(T::AccountId, PriceAsset), u128>,
}

impl<T: Config> Default for Settlement<T> {
	fn default() -> Self {
		Self { payments: BTreeMap::new(), refunds: BTreeMap::new() }
	}
}

fn add<K: Ord>(sums: &mut BTreeMap<K, u128>, key: K, amount: u128) {
	if amount > 0 {
		let sum = sums.entry(key).or_default();
		*sum = sum.saturating_add(amount);
	}
}

/// Moves an amount from its owner into the escrow. The owner's account stays alive, so that what
/// returns finds it.
pub(crate) fn pay_in<C, T: Config>(from: &T::AccountId, amount: u128) -> DispatchResult
where
	C: Mutate<T::AccountId, Balance = u128>,
{
	if amount == 0 {
		return Ok(());
	}
	C::transfer(from, &T::Escrow::get(), amount, Preservation::Preserve).map(|_| ())
}

/// Moves an amount out of the escrow.
pub(crate) fn pay_out<C, T: Config>(to: &T::AccountId, amount: u128) -> DispatchResult
where
	C: Mutate<T::AccountId, Balance = u128>,
{
	with_storage_layer(|| {
		C::transfer(&T::Escrow::get(), to, amount, Preservation::Expendable).map(|_| ())
	})
}

impl<T: Config> Settlement<T> {
	/// Adds a settled job: its shares go to their owners, the rest of its price to the client.
	pub(crate) fn pay(
		&mut self,
		job: &Job<T::AccountId>,
		shares: &Shares,
		miner: &T::AccountId,
		coordinator: &T::AccountId,
	) {
		let (client, asset) = (&job.client, job.asset);
		let treasury = T::Treasury::get();
		for (who, amount) in
			[(miner, shares.miner), (coordinator, shares.coordinator), (&treasury, shares.treasury)]
		{
			add(&mut self.payments, (client.clone(), asset, who.clone()), amount);
		}
		self.refund(job, job.terms.price.saturating_sub(shares.total()));
	}

	/// Adds what a job's client gets back of its price.
	pub(crate) fn refund(&mut self, job: &Job<T::AccountId>, amount: u128) {
		add(&mut self.refunds, (job.client.clone(), job.asset), amount);
	}

	/// Adds the deposit for a row that is removed: it returns to who paid it.
	pub(crate) fn return_deposit(&mut self, who: T::AccountId, deposit: u128) {
		add(&mut self.refunds, (who, PriceAsset::Ait), deposit);
	}

	/// Returns how many rows of accounts are touched.
	pub(crate) fn accounts(&self) -> usize {
		self.payments.len().max(self.refunds.len())
	}

	/// Returns how many accounts of service credit are touched, at most.
	pub(crate) fn credits(&self) -> usize {
		let credit = PriceAsset::ServiceCredit;
		let refunds = self.refunds.keys().filter(|(_, asset)| *asset == credit).count();
		let payments = self.payments.keys().filter(|(_, asset, _)| *asset == credit).count();
		refunds.saturating_add(payments)
	}

	/// Moves everything. All of it is in escrow, so only a payment to an account that cannot receive
	/// it can fail: it goes to the treasury, or else to the client.
	pub(crate) fn execute(self) {
		for ((client, asset, beneficiary), amount) in self.payments {
			Self::pay_or_divert(client, asset, beneficiary, amount);
		}
		for ((who, asset), amount) in self.refunds {
			match asset {
				PriceAsset::ServiceCredit => Self::release_credit(&who, amount),
				_ => Self::pay_or_divert(who.clone(), asset, who, amount),
			}
		}
	}

	fn release_credit(client: &T::AccountId, amount: u128) {
		if T::ServiceCredit::release(client, amount).is_err() {
			defensive!("credit of an open job is held");
		}
	}

	fn pay_or_divert(
		client: T::AccountId,
		asset: PriceAsset,
		beneficiary: T::AccountId,
		amount: u128,
	) {
		let pay = |to: &T::AccountId| match asset {
			PriceAsset::Aicp => pay_out::<T::Aicp, T>(to, amount),
			PriceAsset::ServiceCredit => T::ServiceCredit::pay_held(&client, to, amount),
			PriceAsset::Ait => pay_out::<T::Currency, T>(to, amount),
		};
		if pay(&beneficiary).is_ok() {
			return;
		}
		if pay(&T::Treasury::get()).is_err() && pay(&client).is_err() {
			defensive!("the money of a job can be paid to nobody");
		}
		Pallet::<T>::deposit_event(Event::PaymentDiverted { client, beneficiary, asset, amount });
	}
}

impl<T: Config> Pallet<T> {
	/// Takes a job's price and deposit from its client. AIT comes first: the deposit is enough to
	/// keep the account of the escrow alive for as long as there is a row.
	pub(crate) fn take_price(job: &Job<T::AccountId>) -> DispatchResult {
		let (client, price) = (&job.client, job.terms.price);
		let coin = match job.asset {
			PriceAsset::Ait => price.checked_add(job.deposit).ok_or(Error::<T>::Overflow)?,
			PriceAsset::Aicp | PriceAsset::ServiceCredit => job.deposit,
		};
		Self::take_deposit(client, coin)?;
		match job.asset {
			PriceAsset::Ait => Ok(()),
			PriceAsset::Aicp => pay_in::<T::Aicp, T>(client, price),
			PriceAsset::ServiceCredit => T::ServiceCredit::hold(client, price),
		}
	}

	/// Returns a deposit for a row that is removed.
	pub(crate) fn return_deposit(who: &T::AccountId, amount: u128) -> DispatchResult {
		pay_out::<T::Currency, T>(who, amount)
	}

	/// Takes AIT into the escrow.
	pub(crate) fn take_deposit(who: &T::AccountId, amount: u128) -> DispatchResult {
		pay_in::<T::Currency, T>(who, amount)
	}
}
