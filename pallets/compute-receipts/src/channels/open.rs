//! Opening, topping up, renewing and closing channels.

use crate::{channels::types::ChannelRow, pallet::*};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Get},
	traits::Time,
};
use gridproof_primitives::compute::{
	Breaker, PriceAsset,
	channels::{Channel, ChannelId, ChannelRefusal, ChannelTerms, kept_limits_fit},
	counted,
};

impl<T: Config> Pallet<T> {
	/// Returns the error that a refusal of the rules means.
	pub(crate) fn channel_error(refusal: ChannelRefusal) -> Error<T> {
		match refusal {
			ChannelRefusal::Amount => Error::<T>::ChannelAmount,
			ChannelRefusal::WeakSigner => Error::<T>::WeakSigner,
			ChannelRefusal::KeptAboveBond => Error::<T>::KeptAboveBond,
			ChannelRefusal::Closing => Error::<T>::ChannelClosing,
			ChannelRefusal::NotTheClient => Error::<T>::NotClient,
			ChannelRefusal::NotEnded => Error::<T>::NothingDue,
			ChannelRefusal::NoPeriod => Error::<T>::NoPeriod,
			ChannelRefusal::ShortNotice => Error::<T>::InvalidParameters,
		}
	}

	/// Returns a channel, the end of its notice moved by as long as settlement was stopped.
	pub(crate) fn channel_now(id: ChannelId) -> Option<ChannelRow<T::AccountId>> {
		let mut row = Channels::<T>::get(id)?;
		row.stand_still(Stops::<T>::get().at(T::Time::now()));
		Some(row)
	}

	/// [`Pallet::open_channel`] without the origin.
	pub(crate) fn do_open_channel(client: T::AccountId, terms: &ChannelTerms) -> DispatchResult {
		ensure!(BreakerLevel::<T>::get() < Breaker::AllStopped, Error::<T>::Stopped);
		let credit = terms.kind.asset == PriceAsset::ServiceCredit;
		ensure!(!credit, Error::<T>::NoCreditChannel);
		let channel = Channel::open(terms).map_err(Self::channel_error)?;
		let now = T::Time::now();
		let party = Self::ensure_coordinator(&terms.coordinator, &Parameters::<T>::get(), now)?;
		let kept_limit = Self::take_kept_limit(terms, party.bond, now)?;
		let deposit = T::ChannelDeposit::get();
		Self::take_deposit(&client, deposit)?;
		Self::pay_into_channel(&client, terms.kind.asset, terms.deposit)?;
		let id = ChannelTotals::<T>::try_mutate(|totals| {
			totals.opened = totals.opened.checked_add(1).ok_or(Error::<T>::Overflow)?;
			totals.open = totals.open.saturating_add(1);
			Ok::<_, Error<T>>(totals.opened)
		})?;
		let stopped_ms = Stops::<T>::get().at(now);
		let row = ChannelRow {
			client: client.clone(),
			channel,
			deposit,
			kept_limit,
			opened_ms: now,
			stopped_ms,
		};
		Channels::<T>::insert(id, row);
		ChannelsOf::<T>::insert(&client, id, ());
		Self::deposit_event(Event::ChannelOpened {
			channel: id,
			client,
			coordinator: terms.coordinator,
			kind: terms.kind,
			signer: terms.signer,
			deposit: terms.deposit,
			daily_limit: terms.daily_limit,
			plan_ends_ms: terms.plan_ends_ms,
		});
		Ok(())
	}

	/// Counts the daily limit of a channel whose key the coordinator keeps against its bond. Returns
	/// what it counts for, in 10⁻¹⁸ AIT; zero for a channel with a key of the client's.
	fn take_kept_limit(terms: &ChannelTerms, bond: u128, now: u64) -> Result<u128, Error<T>> {
		if terms.signer.is_some() {
			return Ok(0);
		}
		// Who wants to take up what is left of the bond has to put in as much.
		ensure!(terms.daily_limit <= terms.deposit, Error::<T>::LimitAboveDeposit);
		let limit = match terms.kind.asset {
			PriceAsset::Aicp => {
				let valid_ms = Parameters::<T>::get().rate_valid_ms;
				let rate = Rate::<T>::get().and_then(|rate| rate.at(now, valid_ms));
				let rate = rate.ok_or(Error::<T>::NoRate)?;
				// Half of the rate counts in the emission. A bond answers for the whole.
				let half = counted(terms.kind.asset, terms.daily_limit, Some(&rate));
				half.saturating_add(1).saturating_mul(2)
			},
			PriceAsset::Ait | PriceAsset::ServiceCredit => terms.daily_limit,
		};
		// An exchanged key still settles the channels that it had.
		let former = Former::<T>::get(terms.coordinator).map_or(0, KeptLimits::<T>::get);
		let own = KeptLimits::<T>::get(terms.coordinator);
		let fits = kept_limits_fit(own.saturating_add(former), limit, bond);
		ensure!(fits, Error::<T>::KeptAboveBond);
		KeptLimits::<T>::insert(terms.coordinator, own.saturating_add(limit));
		Ok(limit)
	}

	/// Returns a channel that its client, and nobody else, wants to change.
	fn channel_of(
		client: &T::AccountId,
		id: ChannelId,
	) -> Result<ChannelRow<T::AccountId>, Error<T>> {
		let row = Self::channel_now(id).ok_or(Error::<T>::UnknownChannel)?;
		ensure!(row.client == *client, Error::<T>::NotClient);
		Ok(row)
	}

	/// [`Pallet::top_up`] without the origin.
	pub(crate) fn do_top_up(client: T::AccountId, id: ChannelId, amount: u128) -> DispatchResult {
		ensure!(BreakerLevel::<T>::get() < Breaker::AllStopped, Error::<T>::Stopped);
		let mut row = Self::channel_of(&client, id)?;
		row.channel = row.channel.top_up(amount).map_err(Self::channel_error)?;
		Self::pay_into_channel(&client, row.channel.kind.asset, amount)?;
		let deposited = row.channel.deposited;
		Channels::<T>::insert(id, row);
		Self::deposit_event(Event::ChannelToppedUp { channel: id, amount, deposited });
		Ok(())
	}

	/// [`Pallet::renew_plan`] without the origin.
	pub(crate) fn do_renew(
		client: T::AccountId,
		id: ChannelId,
		amount: u128,
		plan_ends_ms: u64,
	) -> DispatchResult {
		ensure!(BreakerLevel::<T>::get() < Breaker::AllStopped, Error::<T>::Stopped);
		let mut row = Self::channel_of(&client, id)?;
		row.channel = row.channel.renew(amount, plan_ends_ms).map_err(Self::channel_error)?;
		Self::pay_into_channel(&client, row.channel.kind.asset, amount)?;
		Channels::<T>::insert(id, row);
		Self::deposit_event(Event::PlanRenewed { channel: id, amount, plan_ends_ms });
		Ok(())
	}

	/// [`Pallet::close_channel`] without the origin.
	pub(crate) fn do_close_channel(who: &T::AccountId, id: ChannelId) -> DispatchResult {
		let mut row = Self::channel_now(id).ok_or(Error::<T>::UnknownChannel)?;
		// A coordinator that keeps the key may refuse to.
		let kept_by_caller = row.channel.signer.is_none() && {
			let key = Self::current_key(&row.channel.coordinator, 0);
			Parties::<T>::get(key).is_some_and(|party| party.account == *who)
		};
		let may = row.client == *who || kept_by_caller;
		let (now, notice) = (T::Time::now(), ChannelRules::<T>::get().close_notice_ms);
		row.channel = row.channel.close(may, now, notice).map_err(Self::channel_error)?;
		row.stopped_ms = Stops::<T>::get().at(now);
		let until_ms = row.channel.ends_ms.unwrap_or(now);
		Channels::<T>::insert(id, row);
		Self::deposit_event(Event::ChannelEnding { channel: id, until_ms });
		Ok(())
	}
}
