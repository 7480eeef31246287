//! Which server it is, and what is known of it.

use crate::api::Offers;
use serde::Deserialize;

/// Servers that this engine knows more of than OpenAI's protocol. They name themselves as the owner
/// of their models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
	/// vLLM.
	Vllm,
	/// The server of llama.cpp.
	LlamaCpp,
	/// Any other: only texts and conversations are asked of it.
	Other,
}

impl Kind {
	/// Returns what such a server offers.
	pub(super) const fn offers(self) -> Offers {
		let knows = !matches!(self, Self::Other);
		Offers {
			seeded: false,
			ids: knows,
			logprobs: knows,
			token_input: knows,
			// The likeliest tokens of a prompt's places.
			forced: matches!(self, Self::Vllm),
			tools: knows,
			response_format: knows,
		}
	}
}

/// What a server lists.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Models {
	/// Models with what is said of each.
	pub(super) data: Vec<Listed>,
}

/// A model that a server lists.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Listed {
	/// The server's name for it.
	pub(super) id: String,
	/// vLLM's name for the context.
	pub(super) max_model_len: Option<u32>,
	owned_by: Option<String>,
	meta: Option<Meta>,
}

/// What llama.cpp states of a model.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Meta {
	/// Bytes of its weights.
	size: Option<u64>,
}

/// What is known of a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
	/// Which it is.
	pub(super) kind: Kind,
	/// Bytes of all its models' weights, where it states them.
	pub(super) model_bytes: Option<u64>,
}

impl Models {
	/// Returns what the list says of the server.
	pub(super) fn known(&self) -> Known {
		let owners = self.data.iter().filter_map(|listed| listed.owned_by.as_deref());
		let kind = owners
			.filter_map(|owner| match owner {
				"vllm" => Some(Kind::Vllm),
				"llamacpp" => Some(Kind::LlamaCpp),
				_ => None,
			})
			.next()
			.unwrap_or(Kind::Other);
		let sizes = self.data.iter().filter_map(|listed| listed.meta?.size);
		Known { kind, model_bytes: sizes.reduce(u64::saturating_add) }
	}
}
