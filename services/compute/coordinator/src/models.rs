//! Following the chain's registry of models: which count, for how much, since when.
//!
//! It is read at the start and every few seconds. What is announced holds at its time without being
//! read again. A request or a job keeps what held when it was admitted or quoted: what runs
//! continues.

use crate::{
	coordinator::Coordinator,
	error::RequestError,
	registry::{Terms, check},
	settings::ModelOffer,
};
use gridproof_chain::ChainError;
use gridproof_compute_api::protocol::ErrorCode;
use gridproof_primitives::compute::registry::ModelView;
use std::{sync::Arc, time::Duration};

/// Name of the loop.
pub(crate) const NAME: &str = "models";
/// Time between two readings of the registry.
const EVERY: Duration = Duration::from_secs(6);

impl Coordinator {
	/// Reads the registry before the first request. A node that is away holds nothing up: until it is
	/// read nothing is quoted or admitted.
	///
	/// # Errors
	/// What the configuration and the registry differ in.
	pub(crate) async fn begin_models(&self) -> Result<(), String> {
		match self.ledger.models().await {
			Ok(views) => {
				check(&self.settings, &views, self.now())?;
				self.registry.keep(views.into());
			},
			Err(error) => {
				tracing::warn!(%error, "the registry of models is read later; until then no work is taken");
			},
		}
		Ok(())
	}

	/// Reads the registry again.
	///
	/// # Errors
	/// [`ChainError`]; it is then as it was read last.
	pub(crate) async fn follow_models(&self) -> Result<(), ChainError> {
		let views: Arc<[ModelView]> = self.ledger.models().await?.into();
		if self.registry.keep(views.clone()) {
			tracing::info!(models = views.len(), "the registry of models has changed");
			if let Err(reason) = check(&self.settings, &views, self.now()) {
				tracing::error!("{reason}; the registry holds, and the next start fails");
			}
		}
		Ok(())
	}

	/// Returns what work on an offered model is reckoned by now.
	pub(crate) fn terms(&self, offer: &ModelOffer) -> Terms {
		let known = self.registry.known();
		Terms::of(offer, known.as_deref(), self.settings.max_tokens, self.now())
	}

	/// Returns the same of a model by its name; `None` if it is not offered.
	pub(crate) fn terms_named(&self, name: &str) -> Option<Terms> {
		Some(self.terms(&self.settings.model(name)?))
	}

	/// Checks that the registry has been read.
	///
	/// # Errors
	/// [`ErrorCode::ChainUnavailable`].
	pub(crate) fn check_registry(&self) -> Result<(), RequestError> {
		if self.registry.known().is_some() {
			return Ok(());
		}
		let message = "the chain has not been asked yet which models count; try again";
		RequestError::err(ErrorCode::ChainUnavailable, message)
	}

	/// Returns the most tokens that an answer of a model may have.
	pub(crate) fn most_tokens(&self, model: &str) -> u32 {
		self.terms_named(model).map_or(self.settings.max_tokens, |terms| terms.max_tokens)
	}
}

/// Follows the registry until the future is dropped.
pub(crate) async fn follow(coordinator: &Coordinator) {
	loop {
		if let Err(error) = coordinator.follow_models().await {
			tracing::warn!(%error, "the registry of models is as it was read last");
		}
		coordinator.loops.turn(NAME);
		tokio::time::sleep(EVERY).await;
	}
}
