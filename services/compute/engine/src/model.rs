//! The transformer: weights, one pass through the layers, what is kept between passes.

use crate::{
	config::{Config, MAX_WEIGHTS},
	error::EngineError,
	ops,
};
use candle_core::{DType, Device, Tensor, safetensors};
use candle_nn::kv_cache::KvCache;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// A model's weights, ready for use.
pub struct Model {
	config: Config,
	embedding: Tensor,
	layers: Vec<Layer>,
	norm: Tensor,
	cos: Tensor,
	sin: Tensor,
}

struct Layer {
	attention_norm: Tensor,
	query: Tensor,
	key: Tensor,
	value: Tensor,
	out: Tensor,
	inner_norm: Tensor,
	gate: Tensor,
	up: Tensor,
	down: Tensor,
}

/// Tensors by name; each is taken once, of the shape it must have.
struct Weights(HashMap<String, Tensor>);

impl Weights {
	fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, String> {
		let tensor = self.0.remove(name).ok_or_else(|| format!("no tensor {name}"))?;
		if tensor.dims() != shape {
			return Err(format!("{name} is {:?}, not {shape:?}", tensor.dims()));
		}
		// Widening narrower floats changes no value.
		let tensor = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.contiguous());
		tensor.map_err(|error| format!("{name}: {error}"))
	}
}

impl Layer {
	fn new(weights: &mut Weights, config: &Config, number: usize) -> Result<Self, String> {
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
		let tensors = safetensors::load_buffer(weights, &Device::Cpu);
		let mut weights = Weights(tensors.map_err(|error| error.to_string())?);
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
			config,
		};
		match weights.0.keys().next() {
			Some(name) => Err(format!("a tensor that has no place: {name}")),
			None => Ok(model),
		}
	}

	/// Its sizes.
	pub const fn config(&self) -> &Config {
		&self.config
	}

	/// Nothing read yet.
	pub fn session(&self) -> Session<'_> {
		// The memory for the whole context is taken with the first token: it is not much.
		let cache = KvCache::new(0, self.config.context);
		Session { model: self, caches: vec![cache; self.layers.len()], read: 0 }
	}
}

/// A text on its way through a model: what has been read is kept, and need not be read again.
pub struct Session<'a> {
	model: &'a Model,
	caches: Vec<KvCache>,
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
	pub fn hidden(&mut self, tokens: &[u32]) -> Result<Tensor, EngineError> {
		let Model { config, embedding, layers, norm, cos, sin } = self.model;
		let known = |token: &u32| usize::try_from(*token).is_ok_and(|t| t < config.vocabulary);
		if tokens.is_empty() || tokens.len() > self.room() || !tokens.iter().all(known) {
			let reason = "no tokens, unknown ones, or more than the model reads".to_string();
			return Err(EngineError::BadRequest(reason));
		}
		let ids = Tensor::new(tokens, &Device::Cpu)?;
		let mut x = embedding.index_select(&ids, 0)?;
		let cos = cos.narrow(0, self.read, tokens.len())?;
		let sin = sin.narrow(0, self.read, tokens.len())?;
		for (layer, cache) in layers.iter().zip(&mut self.caches) {
			let h = ops::rms_norm(&x, &layer.attention_norm, config.epsilon)?;
			let q = ops::rotary(&ops::linear(&h, &layer.query)?, &cos, &sin)?;
			let k = ops::rotary(&ops::linear(&h, &layer.key)?, &cos, &sin)?;
			let (k, v) = cache.append(&k, &ops::linear(&h, &layer.value)?)?;
			let mixed = ops::attention(&q, &k, &v, config.heads)?;
			x = (x + ops::linear(&mixed, &layer.out)?)?;
			let h = ops::rms_norm(&x, &layer.inner_norm, config.epsilon)?;
			let inner = ops::gate(&ops::linear(&h, &layer.gate)?, &ops::linear(&h, &layer.up)?)?;
			x = (x + ops::linear(&inner, &layer.down)?)?;
		}
		self.read = self.read.saturating_add(tokens.len());
		Ok(ops::rms_norm(&x, norm, config.epsilon)?)
	}

	/// Reads tokens; how likely each token is to follow the last of them, as logits.
	///
	/// # Errors
	/// As [`Session::hidden`].
	pub fn logits(&mut self, tokens: &[u32]) -> Result<Vec<f32>, EngineError> {
		let hidden = self.hidden(tokens)?;
		let last = hidden.narrow(0, tokens.len().saturating_sub(1), 1)?;
		let logits = ops::linear(&last, &self.model.embedding)?;
		Ok(logits.flatten_all()?.to_vec1()?)
	}
}
