//! What the registry stores and shows.

use super::{
	description::ModelDescription,
	new::NewModel,
	timeline::{Span, Standing, Timeline},
};
use crate::H256;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A model of the registry.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Model {
	/// What it is.
	pub description: ModelDescription,
	/// Highest number of tokens of prompt and answer together.
	pub context: u32,
	/// Terms by which its tokens count, and when.
	pub timeline: Timeline,
}

impl Model {
	/// Returns the model that is to be added, from a time on in UTC milliseconds.
	pub fn starting(new: NewModel, since_ms: u64) -> Self {
		let NewModel { description, context, terms } = new;
		Self { description, context, timeline: Timeline::new(since_ms, terms) }
	}
}

/// A model as it is now.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelView {
	/// Hash by which receipts name it.
	pub hash: H256,
	/// The model itself, with what was and what is announced.
	pub model: Model,
	/// Standing now; `None` if the model is announced and does not count yet.
	pub standing: Option<Standing>,
	/// Change that is announced.
	pub pending: Option<Span>,
	/// `true` if it is the default model now.
	pub is_default: bool,
}

impl ModelView {
	/// Returns a model as it is at a time in UTC milliseconds.
	pub fn new(hash: H256, model: Model, default: Option<H256>, now: u64) -> Self {
		let (standing, pending) = (model.timeline.at(now), model.timeline.pending(now));
		Self { hash, model, standing, pending, is_default: default == Some(hash) }
	}
}

/// A change that can be called off.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pending {
	/// That of the model with this hash.
	#[codec(index = 0)]
	Model(H256),
	/// That of the default model.
	#[codec(index = 1)]
	Default,
	/// That of the delay.
	#[codec(index = 2)]
	Delay,
}

/// What a change that is announced brings.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Planned {
	/// A standing of the model with this hash.
	#[codec(index = 0)]
	Model(H256, Standing),
	/// Another default model, or none.
	#[codec(index = 1)]
	Default(Option<H256>),
	/// Another delay, in milliseconds.
	#[codec(index = 2)]
	Delay(u64),
}

/// A change that is announced and has not taken effect.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PendingChange {
	/// What it brings.
	pub planned: Planned,
	/// Time from which it holds, in UTC milliseconds.
	pub effective_ms: u64,
}
