//! The chain's registry of models as it was read last, and what it says about the models on offer.

use crate::{
	error::RequestError,
	settings::{ModelOffer, Settings},
};
use gridproof_compute_api::protocol::{ErrorCode, ModelStanding, NextStanding, RegistryEntry};
use gridproof_primitives::{
	H256,
	compute::registry::{ModelView, Span, Standing},
	energy::emlog::format_utc,
};
use gridproof_support::Lock;
use sp_crypto_hashing::sha2_256;
use std::sync::{Arc, Mutex};

/// The registry as it was read last; none before the first time.
#[derive(Default)]
pub(crate) struct Registry(Mutex<Option<Arc<[ModelView]>>>);

impl Registry {
	/// Returns the models; none before they are read for the first time.
	pub(crate) fn known(&self) -> Option<Arc<[ModelView]>> {
		self.0.locked().clone()
	}

	/// Keeps what was read; returns `true` if it is something else than before.
	pub(crate) fn keep(&self, views: Arc<[ModelView]>) -> bool {
		let mut known = self.0.locked();
		let is_new = known.as_ref() != Some(&views);
		*known = Some(views);
		is_new
	}
}

/// What work on a model is reckoned by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
	/// Its name, as it is offered.
	pub(crate) name: String,
	/// Hash that receipts name: the registry's while the model counts, else SHA-256 of the name.
	pub(crate) model: H256,
	/// Compute units of a thousand tokens.
	pub(crate) factor: u32,
	/// Most tokens of an answer.
	pub(crate) max_tokens: u32,
	/// Its entry in the registry; none if it is not there.
	pub(crate) entry: Option<RegistryEntry>,
}

impl Terms {
	/// Returns what work on an offered model is reckoned by at a time, UTC milliseconds; `most` are the
	/// most tokens of an answer where nothing else says how many.
	pub(crate) fn of(offer: &ModelOffer, known: Option<&[ModelView]>, most: u32, now: u64) -> Self {
		let view = known.and_then(|views| find(views, offer));
		let most = offer.max_tokens.unwrap_or(most);
		let by_name = || H256(sha2_256(offer.name.as_bytes()));
		let counted = view.filter(|view| view.model.timeline.terms_at(now).is_some());
		let factor = view.and_then(|view| view.model.timeline.nearest_factor(now));
		Self {
			name: offer.name.clone(),
			model: counted.map_or_else(by_name, |view| view.hash),
			factor: factor.unwrap_or_else(|| offer.factor()),
			max_tokens: view.map_or(most, |view| most.min(view.model.context)),
			entry: view.map(|view| entry_of(view, now)),
		}
	}

	/// Returns the hash by which the registry counts it now; `None` if it does not.
	pub(crate) fn counted(&self) -> Option<H256> {
		let entry = self.entry.filter(|entry| entry.standing == ModelStanding::Counted);
		entry.map(|entry| entry.hash.into())
	}

	/// Checks that the registry counts it now.
	///
	/// # Errors
	/// [`ErrorCode::PrivateModel`].
	pub(crate) fn check_counted(&self) -> Result<(), RequestError> {
		if self.counted().is_some() {
			return Ok(());
		}
		let name = &self.name;
		let why = match self.entry {
			None => format!("the chain's registry has no model {name:?}"),
			Some(RegistryEntry { standing, since_ms, .. }) => {
				let (since, standing) = (format_utc(since_ms), standing.as_str());
				format!(
					"the chain's registry has {name:?} as {standing}, since or from {since} UTC"
				)
			},
		};
		let message = format!(
			"{why}: work on it is private, and takes a private channel (gridproof channel open \
			 --private); which models count, gridproof model list shows"
		);
		Err(RequestError {
			param: Some("model"),
			..RequestError::new(ErrorCode::PrivateModel, message)
		})
	}
}

fn is_named(view: &ModelView, name: &str) -> bool {
	view.model.description.name.as_str().eq_ignore_ascii_case(name)
}

/// Returns the model that is offered: the one of this hash if the configuration names one, else the one
/// of this name.
fn find<'a>(views: &'a [ModelView], offer: &ModelOffer) -> Option<&'a ModelView> {
	match offer.registered {
		Some(hash) => views.iter().find(|view| view.hash == H256::from(hash)),
		None => views.iter().find(|view| is_named(view, &offer.name)),
	}
}

const fn standing_of(standing: Standing) -> ModelStanding {
	match standing {
		Standing::Counted(_) => ModelStanding::Counted,
		Standing::Stopped(_) => ModelStanding::Stopped,
		Standing::Retired => ModelStanding::Retired,
	}
}

fn next_of(span: &Span) -> NextStanding {
	NextStanding {
		standing: standing_of(span.standing),
		since_ms: span.since_ms,
		model_factor: span.standing.counted().map(|terms| terms.factor),
	}
}

/// Returns a model's entry at a time, UTC milliseconds.
fn entry_of(view: &ModelView, now: u64) -> RegistryEntry {
	let spans = view.model.timeline.spans();
	let running = spans.iter().rev().find(|span| span.since_ms <= now);
	let next = spans.iter().find(|span| span.since_ms > now);
	let is_retired = |span: &&Span| span.standing == Standing::Retired;
	RegistryEntry {
		hash: view.hash.into(),
		standing: running.map_or(ModelStanding::Announced, |span| standing_of(span.standing)),
		since_ms: running.or(next).map_or(0, |span| span.since_ms),
		next: next.map(next_of),
		retired_ms: spans.last().filter(is_retired).map(|span| span.since_ms),
		context: view.model.context,
		default: view.is_default,
	}
}

/// Checks that a configuration says nothing else than the registry, as it is at a time in UTC
/// milliseconds.
///
/// # Errors
/// The first difference, and what to do about it.
pub(crate) fn check(settings: &Settings, views: &[ModelView], now: u64) -> Result<(), String> {
	settings.models.iter().try_for_each(|offer| check_offer(offer, views, now))
}

fn check_offer(offer: &ModelOffer, views: &[ModelView], now: u64) -> Result<(), String> {
	let (name, found) = (&offer.name, find(views, offer));
	if let Some(hash) = offer.registered {
		match views.iter().find(|view| is_named(view, name)) {
			Some(other) if other.hash != H256::from(hash) => {
				return Err(format!(
					"the registry's {name:?} is {:#x}, the configuration's \"registered\" says {hash}: \
					 leave it out, or offer that model by another name",
					other.hash
				));
			},
			None if found.is_none() => {
				return Err(format!(
					"the registry has no model {hash}, which \"registered\" of {name:?} says: correct it \
					 (gridproof model list shows what is there), or leave it out, and work on it is private"
				));
			},
			_ => (),
		}
	}
	let Some(view) = found else { return Ok(()) };
	let (said, counts) = (offer.model_factor, view.model.timeline.factor_at(now));
	if let (Some(said), Some(counts)) = (said, counts)
		&& said != counts
	{
		return Err(format!(
			"the registry counts a token of {name:?} for {counts} thousandths of a unit, the \
			 configuration's \"model_factor\" says {said}: leave it out, the registry's is taken"
		));
	}
	let context = view.model.context;
	if let Some(most) = offer.max_tokens.filter(|most| *most > context) {
		return Err(format!(
			"the registry has {name:?} with a context of {context} tokens, the configuration's \
			 \"max_tokens\" says {most}: write at most {context}, or leave it out"
		));
	}
	Ok(())
}
