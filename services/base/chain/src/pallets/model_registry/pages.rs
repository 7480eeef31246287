//! All models, in the pages in which the chain gives them.

use super::query;
use crate::{Chain, ChainError, Link};
use gridproof_primitives::compute::registry::ModelView;

/// Models of a page: as many as the chain gives.
const PAGE: u32 = 100;

impl Chain {
	/// Returns all models of the registry, sorted by name. Pages are of the last final block when each
	/// is asked for.
	///
	/// # Errors
	/// As [`Chain::read`].
	pub async fn models(&self) -> Result<Vec<ModelView>, ChainError> {
		let mut models: Vec<ModelView> = Vec::new();
		loop {
			let after = models.last().map(|view| view.hash);
			let mut page = self.read(&query::models(after, PAGE)).await?;
			if page.is_empty() {
				models.sort_by_cached_key(|view| view.model.description.name.to_string());
				return Ok(models);
			}
			models.append(&mut page);
		}
	}
}

impl Link {
	/// Returns all models of the registry; see [`Chain::models`].
	///
	/// # Errors
	/// As [`Link::chain`] and [`Chain::models`].
	pub async fn models(&self) -> Result<Vec<ModelView>, ChainError> {
		let chain = self.chain().await?;
		self.checked(&chain, chain.models().await).await
	}
}
