//! Parameters of channels.

use crate::pallet::*;
use alloc::boxed::Box;
use frame_support::{ensure, pallet_prelude::DispatchResult};
use gridproof_primitives::compute::channels::ChannelParameters;

impl<T: Config> Pallet<T> {
	/// Checks parameters: their relations, and that pay waits for nothing, because nothing checks it
	/// yet.
	pub(crate) fn ensure_channel_parameters(new: &ChannelParameters) -> Result<(), Error<T>> {
		new.check().map_err(|_| Error::<T>::InvalidParameters)?;
		ensure!(new.check_window_ms == 0, Error::<T>::NoCheckWindow);
		Ok(())
	}

	/// [`Pallet::set_channel_parameters`] without the origin.
	pub(crate) fn do_set_channel_parameters(new: Box<ChannelParameters>) -> DispatchResult {
		Self::ensure_channel_parameters(&new)?;
		let old = Box::new(ChannelRules::<T>::get());
		ensure!(old != new, Error::<T>::Unchanged);
		ChannelRules::<T>::put(*new);
		Self::deposit_event(Event::ChannelParametersSet { old, new });
		Ok(())
	}
}
