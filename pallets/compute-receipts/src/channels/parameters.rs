//! Parameters of channels.

use crate::pallet::*;
use alloc::boxed::Box;
use frame_support::{ensure, pallet_prelude::DispatchResult};
use gridproof_primitives::compute::{channels::ChannelParameters, checks::Touched};

impl<T: Config> Pallet<T> {
	/// Checks parameters: their relations, and that bonds outlast what waits.
	pub(crate) fn ensure_channel_parameters(new: &ChannelParameters) -> Result<(), Error<T>> {
		new.check().map_err(|_| Error::<T>::InvalidParameters)?;
		let parameters = Parameters::<T>::get();
		ensure!(new.fits(&parameters), Error::<T>::CheckWindow);
		ensure!(T::Touched::deters(&parameters, new), Error::<T>::InvalidParameters);
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
