//! Several engines that appear as one: each model is asked of the engine that serves it.

use crate::{
	api::{Completion, Embeddings, Engine, Input, ModelInfo, Offers, Request},
	error::EngineError,
	forced::{Claim, Forced},
};
use gridproof_support::Lock;
use std::{
	collections::BTreeMap,
	ops::ControlFlow,
	sync::{Arc, Mutex},
};

/// Engines that together serve the models of all of them.
pub struct Several {
	engines: Vec<Arc<dyn Engine>>,
	/// Place of the engine that serves a model, as it was last listed.
	routes: Mutex<BTreeMap<String, usize>>,
}

impl Several {
	/// Returns engines as one. They are asked for their models when the first is needed.
	pub fn new(engines: Vec<Arc<dyn Engine>>) -> Self {
		Self { engines, routes: Mutex::default() }
	}

	/// Asks every engine for its models.
	fn list(&self) -> Result<(Vec<ModelInfo>, BTreeMap<String, usize>), EngineError> {
		let (mut all, mut routes) = (Vec::new(), BTreeMap::new());
		for (place, engine) in self.engines.iter().enumerate() {
			for model in engine.models()? {
				if routes.insert(model.name.clone(), place).is_some() {
					let reason = "two engines serve it: give one of them another name";
					return Err(EngineError::BadModel {
						path: model.name,
						reason: reason.to_string(),
					});
				}
				all.push(model);
			}
		}
		Ok((all, routes))
	}

	/// The engine that serves a model.
	fn of(&self, model: &str) -> Result<&Arc<dyn Engine>, EngineError> {
		let known = self.routes.locked().get(model).copied();
		let place = match known {
			Some(place) => Some(place),
			None => {
				let (_, routes) = self.list()?;
				let place = routes.get(model).copied();
				*self.routes.locked() = routes;
				place
			},
		};
		place.and_then(|place| self.engines.get(place)).ok_or_else(|| EngineError::UnknownModel {
			wanted: model.to_string(),
			served: self.routes.locked().keys().cloned().collect(),
		})
	}
}

impl Engine for Several {
	fn models(&self) -> Result<Vec<ModelInfo>, EngineError> {
		let (all, routes) = self.list()?;
		*self.routes.locked() = routes;
		Ok(all)
	}

	fn complete(
		&self,
		request: &Request,
		on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
	) -> Result<Completion, EngineError> {
		self.of(&request.model)?.complete(request, on_text)
	}

	fn embed(&self, model: &str, input: &[String]) -> Result<Embeddings, EngineError> {
		self.of(model)?.embed(model, input)
	}

	fn offers(&self, model: &str) -> Result<Offers, EngineError> {
		self.of(model)?.offers(model)
	}

	fn tokenize(&self, model: &str, input: &Input) -> Result<Vec<u32>, EngineError> {
		self.of(model)?.tokenize(model, input)
	}

	fn embed_tokens(&self, model: &str, input: &[Vec<u32>]) -> Result<Embeddings, EngineError> {
		self.of(model)?.embed_tokens(model, input)
	}

	fn force(&self, claim: &Claim) -> Result<Forced, EngineError> {
		self.of(&claim.model)?.force(claim)
	}
}
