//! The transformer: weights, one pass through the layers, what is kept between passes.

use crate::{
	config::{Config, MAX_WEIGHTS},
	error::EngineError,
	matrix::Matrix,
	ops,
};
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// A model's weights, ready for use.
pub struct Model {
	pub(crate) config: Config,
	pub(crate) embedding: Matrix,
	pub(crate) layers: Vec<Layer>,
	pub(crate) norm: Matrix,
	pub(crate) cos: Matrix,
	pub(crate) sin: Matrix,
	/// `true` of a model of a trial whose numbers are kept in 16 bits between two steps.
	pub(crate) is_half_precision: bool,
}

pub(crate) struct Layer {
	pub(crate) attention_norm: Matrix,
	pub(crate) query: Matrix,
	pub(crate) key: Matrix,
	pub(crate) value: Matrix,
	pub(crate) out: Matrix,
	pub(crate) inner_norm: Matrix,
	pub(crate) gate: Matrix,
	pub(crate) up: Matrix,
	pub(crate) down: Matrix,
}

/// The tensors of a file; each is taken once, of the shape it must have.
struct Weights<'a> {
	file: SafeTensors<'a>,
	left: BTreeSet<String>,
}

impl<'a> Weights<'a> {
	fn new(bytes: &'a [u8]) -> Result<Self, String> {
		let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
		let left = file.names().into_iter().map(ToString::to_string).collect();
		Ok(Self { file, left })
	}

	/// A tensor as rows of its last dimension; a vector is one row.
	fn take(&mut self, name: &str, shape: &[usize]) -> Result<Matrix, String> {
		if !self.left.remove(name) {
			return Err(format!("no tensor {name}"));
		}
		let tensor = self.file.tensor(name).map_err(|error| format!("{name}: {error}"))?;
		if tensor.shape() != shape {
			return Err(format!("{name} is {:?}, not {shape:?}", tensor.shape()));
		}
		// Widening narrower floats changes no value.
		let values: Vec<f32> = match tensor.dtype() {
			Dtype::F32 => each(tensor.data(), f32::from_le_bytes),
			Dtype::F16 => each(tensor.data(), |bytes| half::f16::from_le_bytes(bytes).to_f32()),
			Dtype::BF16 => each(tensor.data(), |bytes| half::bf16::from_le_bytes(bytes).to_f32()),
			other => return Err(format!("{name} has numbers of the type {other:?}, not floats")),
		};
		if values.iter().any(|value| !value.is_finite()) {
			return Err(format!("{name} has a number that is not finite"));
		}
		let columns = shape.last().copied().unwrap_or_default();
		Matrix::new(values, columns).map_err(|error| format!("{name}: {error}"))
	}
}

/// Every number of a tensor's bytes.
fn each<const SIZE: usize>(bytes: &[u8], number: impl Fn([u8; SIZE]) -> f32) -> Vec<f32> {
	bytes.as_chunks::<SIZE>().0.iter().map(|bytes| number(*bytes)).collect()
}

impl Layer {
	fn new(weights: &mut Weights<'_>, config: &Config, number: usize) -> Result<Self, String> {
		let (width, inner) = (config.width, config.inner);
		let mut take = |name: &str, shape: &[usize]| {
			weights.take(&format!("model.layers.{number}.{name}.weight"), shape)
		};
		Ok(Self {
			attention_norm: take("input_layernorm", &[width])?,
			query: take("self_attn.q_proj", &[width, width])?,
			key: take("self_attn.k_proj", &[width, width])?,
			value: take("self_attn.v_proj", &[width, width])?,
			out: take("self_attn.o_proj", &[width, width])?,
			inner_norm: take("post_attention_layernorm", &[width])?,
			gate: take("mlp.gate_proj", &[inner, width])?,
			up: take("mlp.up_proj", &[inner, width])?,
			down: take("mlp.down_proj", &[width, inner])?,
		})
	}
}

impl Model {
	/// A model from its configuration and the bytes of its weights (safetensors).
	///
	/// # Errors
	/// What is wrong with them: another checksum, a tensor that is missing, superfluous, of another
	/// shape or not finite.
	pub fn new(config: Config, weights: &[u8]) -> Result<Self, String> {
		if u64::try_from(weights.len()).unwrap_or(u64::MAX) > MAX_WEIGHTS {
			return Err(format!("the weights have more than {MAX_WEIGHTS} bytes"));
		}
		if hex::encode(Sha256::digest(weights)) != config.weights_sha256 {
			return Err("the weights' checksum is not that of config.json".to_string());
		}
		let mut weights = Weights::new(weights)?;
		let angles = [config.context, config.head() / 2];
		let model = Self {
			embedding: weights
				.take("model.embed_tokens.weight", &[config.vocabulary, config.width])?,
			layers: (0..config.layers)
				.map(|number| Layer::new(&mut weights, &config, number))
				.collect::<Result<_, _>>()?,
			norm: weights.take("model.norm.weight", &[config.width])?,
			cos: weights.take("rope.cos", &angles)?,
			sin: weights.take("rope.sin", &angles)?,
			is_half_precision: false,
			config,
		};
		match weights.left.first() {
			Some(name) => Err(format!("a tensor that has no place: {name}")),
			None => Ok(model),
		}
	}

	/// Its sizes.
	pub const fn config(&self) -> &Config {
		&self.config
	}

	/// What is kept of numbers between two steps: all of them, but in a trial.
	fn kept(&self, numbers: Matrix) -> Matrix {
		if self.is_half_precision {
			return numbers.map(|number| half::bf16::from_f32(number).to_f32());
		}
		numbers
	}

	/// Nothing read yet.
	pub fn session(&self) -> Session<'_> {
		Session { model: self, caches: vec![Cache::default(); self.layers.len()], read: 0 }
	}
}

/// Keys and values of what a layer has read, row after row.
#[derive(Clone, Default)]
struct Cache {
	keys: Vec<f32>,
	values: Vec<f32>,
}

/// A text on its way through a model: what has been read is kept, and need not be read again.
pub struct Session<'a> {
	model: &'a Model,
	caches: Vec<Cache>,
	read: usize,
}

impl Session<'_> {
	/// Tokens read so far.
	pub const fn read(&self) -> usize {
		self.read
	}

	/// Tokens that can still be read.
	pub const fn room(&self) -> usize {
		self.model.config.context.saturating_sub(self.read)
	}

	/// Reads tokens; the hidden states [tokens, width] after them.
	///
	/// # Errors
	/// [`EngineError::BadRequest`] if there are no tokens, unknown ones, or more than there is room
	/// for.
	pub fn hidden(&mut self, tokens: &[u32]) -> Result<Matrix, EngineError> {
		let Model { config, embedding, layers, norm, cos, sin, .. } = self.model;
		let known = |token: &u32| usize::try_from(*token).is_ok_and(|t| t < config.vocabulary);
		if tokens.is_empty() || tokens.len() > self.room() || !tokens.iter().all(known) {
			let reason = "no tokens, unknown ones, or more than the model reads".to_string();
			return Err(EngineError::BadRequest(reason));
		}
		let kept = |numbers: Matrix| self.model.kept(numbers);
		let mut x = kept(embedding.chosen(tokens)?);
		let cos = cos.part(self.read, tokens.len())?;
		let sin = sin.part(self.read, tokens.len())?;
		for (layer, cache) in layers.iter().zip(&mut self.caches) {
			let h = kept(ops::rms_norm(&x, &layer.attention_norm, config.epsilon)?);
			let q = kept(ops::rotary(&ops::linear(&h, &layer.query)?, &cos, &sin)?);
			let k = kept(ops::rotary(&ops::linear(&h, &layer.key)?, &cos, &sin)?);
			let v = kept(ops::linear(&h, &layer.value)?);
			cache.keys.extend_from_slice(k.values());
			cache.values.extend_from_slice(v.values());
			let mixed = kept(ops::attention(&q, (&cache.keys, &cache.values), config.heads)?);
			x.add(&ops::linear(&mixed, &layer.out)?)?;
			x = kept(x);
			let h = kept(ops::rms_norm(&x, &layer.inner_norm, config.epsilon)?);
			let inner = ops::gate(&ops::linear(&h, &layer.gate)?, &ops::linear(&h, &layer.up)?)?;
			x.add(&ops::linear(&kept(inner), &layer.down)?)?;
			x = kept(x);
		}
		self.read = self.read.saturating_add(tokens.len());
		Ok(kept(ops::rms_norm(&x, norm, config.epsilon)?))
	}

	/// Reads tokens; how likely each token is to follow the last of them, as logits.
	///
	/// # Errors
	/// As [`Session::hidden`].
	pub fn logits(&mut self, tokens: &[u32]) -> Result<Vec<f32>, EngineError> {
		let hidden = self.hidden(tokens)?;
		self.logits_of(&hidden, tokens.len().saturating_sub(1))
	}

	/// Returns how likely each token is to follow the token in a row of `hidden`, as logits.
	///
	/// # Errors
	/// [`EngineError::Failed`] if there is no such row.
	pub fn logits_of(&self, hidden: &Matrix, row: usize) -> Result<Vec<f32>, EngineError> {
		let row = hidden.part(row, 1)?;
		Ok(ops::linear(&row, &self.model.embedding)?.values().to_vec())
	}
}
