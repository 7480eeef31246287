//! Invariants that hold between any two blocks.

use crate::pallet::*;
use frame_support::{ensure, pallet_prelude::Get};
use gridproof_primitives::{H256, compute::registry::MAX_CONTEXT_TOKENS};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant:
	///
	/// 1. A model has the hash of its description, a valid name and context, and a timeline in
	///    order: at most one change announced, none after a retirement, room for a stop and a
	///    retirement that may still come.
	/// 2. There are no more models than may be, and as many as are counted.
	/// 3. Each model has its name, in lower case, and there are no other names.
	/// 4. The default, now and announced, is a model of the registry.
	/// 5. The delay, now and announced, is within its bounds.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let (now, mut models, mut named) = (Self::now(), 0u32, 0u32);
		for (hash, model) in Models::<T>::iter() {
			models = models.saturating_add(1);
			ensure!(model.description.hash() == hash, "1: a model under another hash");
			ensure!(model.timeline.is_sound(now), "1: a timeline out of order");
			let has_context = (1..=MAX_CONTEXT_TOKENS).contains(&model.context);
			let has_name = model.description.name.check().is_ok();
			ensure!(has_context && has_name, "1: a model out of bounds");
			let name = model.description.name.folded();
			ensure!(Names::<T>::get(name) == Some(hash), "3: a model without its name");
		}
		ensure!(models == Models::<T>::count(), "2: models are counted wrongly");
		ensure!(models <= T::MaxModels::get(), "2: too many models");
		for _ in Names::<T>::iter_keys() {
			named = named.saturating_add(1);
		}
		ensure!(named == models, "3: a name without its model");
		let chosen = ChosenDefault::<T>::get();
		let announced = chosen.next.and_then(|next| next.value);
		let is_known = |hash: Option<H256>| hash.is_none_or(Models::<T>::contains_key);
		ensure!(is_known(chosen.value) && is_known(announced), "4: the default is not a model");
		let delay = Delay::<T>::get();
		let in_bounds = delay.next.is_none_or(|next| Self::is_delay(next.value));
		ensure!(Self::is_delay(delay.value) && in_bounds, "5: the delay is out of bounds");
		Ok(())
	}
}
