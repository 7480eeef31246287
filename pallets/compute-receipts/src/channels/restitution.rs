//! What an offence took is given back before anything is slashed.
//!
//! # Who pays
//!
//! The sources are, in this order, what waits of the coordinator, what waits of the party it favoured,
//! the coordinator's bond, and the other's bond. While the check window is 0 nothing waits. The other
//! is the miner that a receipt names, and nothing in evidence is signed by a miner: a coordinator
//! could name any of them and have its bond. So the second and the fourth source give nothing until
//! evidence carries a miner's signature. What waits of the coordinator is given back in the asset in
//! which it is owed, with or without a rate.
//!
//! # How much
//!
//! Bonds are AIT. AICP that are owed count at half of the reference rate, as in the emission, rounded
//! down: a rate that is up to twice too high gives nobody more than was taken. Without a rate nothing
//! can be counted: the same evidence, shown again while there is one, gives back what is missing.
//!
//! - A client gets back at most what was settled out of its channel, all its restitutions together,
//!   and never for one voucher more than the evidence says.
//! - A miner gets back its share of the price, and for one offence never more than that offence
//!   costs in slash: for a miner nobody has put anything in. A miner lets no more wait unsettled with
//!   a coordinator than that part of its bond, a tenth by default.
//!
//! # Why nobody gains by it, and no slash is dodged
//!
//! Let `left` be the bond less the slashes that are pending, and `s` the slash: its share of `left`.
//! One who is client, miner and coordinator proves an offence of his own against himself.
//!
//! 1. What he gets back was his: it leaves his bond. There is no reward for a report.
//! 2. The slash is computed before anything is given back, and comes on top of it: restitution
//!    reaches `left − s` at most, and never what is pending already. So the treasury gets the same
//!    `s` with restitution as without, and he has lost `s` and what he paid to settle. (If governance
//!    slashes more than half, half of `left` is for restitution.)
//! 3. To take more of his bond than `s` back as a client, he must first have settled as much out of
//!    the channel, and the treasury keeps its share of that. As a miner he gets at most `s` for `s`:
//!    to move his bond to himself so, he gives the treasury as much as he saves.
//!    What waits counts with the bond in this.
//! 4. A bond is also what clients rely on whose key the coordinator keeps: up to their daily limits,
//!    it is theirs. Restitution to any other client takes what lies above, or as much as `s`.
//!
//! A client who was wronged looks like one who only says so. So one who empties his bond in this way
//! before others report him pays `s` and 20 % of what he settles for that, and leaves the
//! others without; what they rely on beyond kept keys is that a channel risks its open requests only.

use crate::{channels::memory::Known, pallet::*, types::*};
use frame_support::{
	pallet_prelude::DispatchResult,
	storage::with_storage_layer,
	traits::{
		Time,
		fungible::hold::Mutate as _,
		tokens::{Fortitude, Precision, Restriction},
	},
};
use gridproof_primitives::{
	compute::{
		ComputeParameters, PriceAsset,
		channels::{Restitution, give_back},
		counted,
		emission::share_of,
	},
	crypto::ed25519::PublicKey,
};

/// What somebody is owed.
pub(crate) struct Owed<AccountId> {
	pub(crate) to: AccountId,
	pub(crate) asset: PriceAsset,
	/// In the smallest unit of the asset.
	pub(crate) amount: u128,
	/// `true` if it is owed to a client: then what waits has no bound but what is owed.
	pub(crate) is_client: bool,
}

/// What a coordinator's bond is good for when an offence is proven, in 10⁻¹⁸ AIT.
#[derive(Clone, Copy)]
pub(crate) struct Reach {
	/// Bond less pending slashes.
	left: u128,
	/// Slash of this offence.
	pub(crate) slash: u128,
}

impl Reach {
	/// Returns what is left of a party's bond, and what an offence costs of it.
	pub(crate) fn of<AccountId>(party: &Party<AccountId>, parameters: &ComputeParameters) -> Self {
		let left = party.bond.saturating_sub(party.pending_slash());
		Self { left, slash: share_of(left, parameters.slash.into(), 1_000) }
	}

	/// The same where no slash comes with it.
	pub(crate) const fn without_slash(self) -> Self {
		Self { slash: 0, ..self }
	}

	/// Returns what restitution can take at all: the slash comes on top, up to half of what is left.
	pub(crate) const fn above_slash(self) -> u128 {
		let half = self.left.div_ceil(2);
		let kept = if self.slash < half { self.slash } else { half };
		self.left.saturating_sub(kept)
	}

	/// Returns the most that a client gets back, if `kept` of the bond is for clients of other
	/// channels whose keys the coordinator keeps.
	pub(crate) fn for_client(self, kept: u128) -> u128 {
		let free = self.left.saturating_sub(self.slash).saturating_sub(kept);
		free.max(self.slash).min(self.above_slash())
	}

	/// Returns the most that a miner gets back.
	pub(crate) fn for_miner(self) -> u128 {
		self.slash.min(self.above_slash())
	}
}

impl<T: Config> Pallet<T> {
	/// Returns the part of a coordinator's bond that is for clients of other channels whose keys it
	/// keeps, in 10⁻¹⁸ AIT.
	pub(crate) fn kept_for_others(channel: &Known<T::AccountId>) -> u128 {
		let key = channel.record.coordinator;
		let present = Self::current_key(&key, 0);
		let own = KeptLimits::<T>::get(key);
		let all = if present == key {
			own.saturating_add(Former::<T>::get(key).map_or(0, KeptLimits::<T>::get))
		} else {
			own.saturating_add(KeptLimits::<T>::get(present))
		};
		all.saturating_sub(channel.kept_limit)
	}

	/// Gives back what is owed: first out of what waits of the coordinator, then out of its bond, at most
	/// `most` of it in 10⁻¹⁸ AIT; to a miner at most that out of both. Returns what that makes of what is
	/// owed, in the smallest unit of its asset, rounded up, and what was moved, in 10⁻¹⁸ AIT.
	pub(crate) fn restore(
		key: &PublicKey,
		party: &mut Party<T::AccountId>,
		owed: &Owed<T::AccountId>,
		most: u128,
	) -> (u128, u128) {
		let Owed { to, asset, amount, is_client } = owed;
		// Who wronged himself has it.
		if *amount == 0 || *to == party.account {
			return (0, 0);
		}
		let valid_ms = Parameters::<T>::get().rate_valid_ms;
		let rate = Rate::<T>::get().and_then(|rate| rate.at(T::Time::now(), valid_ms));
		let worth = counted(*asset, *amount, rate.as_ref());
		let bound = if *is_client { *amount } else { share_of(*amount, most.min(worth), worth) };
		let waited = Self::restore_from_waiting(key, owed, bound);
		let waited_worth = counted(*asset, waited, rate.as_ref());
		let most = if *is_client { most } else { most.saturating_sub(waited_worth) };
		let amount = &amount.saturating_sub(waited);
		let worth = worth.saturating_sub(waited_worth);
		let Restitution { taken, .. } = give_back(worth, [0, 0, most.min(party.bond), 0]);
		let [_, _, from_bond, _] = taken;
		if from_bond == 0 || Self::move_bond(&party.account, to, from_bond).is_err() {
			return (waited, waited_worth);
		}
		party.bond = party.bond.saturating_sub(from_bond);
		let restored = if from_bond == worth {
			*amount
		} else {
			share_of(*amount, from_bond, worth).saturating_add(1).min(*amount)
		};
		Self::deposit_event(Event::GivenBack {
			coordinator: *key,
			to: to.clone(),
			asset: *asset,
			owed: *amount,
			amount: from_bond,
		});
		(restored.saturating_add(waited), from_bond.saturating_add(waited_worth))
	}

	/// Moves part of a bond to who is owed it. No lock or vote of its owner keeps it away.
	fn move_bond(from: &T::AccountId, to: &T::AccountId, amount: u128) -> DispatchResult {
		let reason = HoldReason::Bond.into();
		let (exact, free, force) = (Precision::Exact, Restriction::Free, Fortitude::Force);
		with_storage_layer(|| {
			T::Currency::transfer_on_hold(&reason, from, to, amount, exact, free, force).map(|_| ())
		})
	}
}
