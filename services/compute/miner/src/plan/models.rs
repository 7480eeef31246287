//! Sizes of models.

use serde::Deserialize;

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
	/// 16 bits: bfloat16 or float16.
	Bits16,
	/// 8 bits, such as FP8.
	Bits8,
	/// 4 bits, such as AWQ or GPTQ, with a sixteenth more for their scales.
	Bits4,
}

impl Dtype {
	/// Returns the bytes of one weight.
	pub const fn bytes(self) -> f64 {
		match self {
			Self::Bits16 => 2.0,
			Self::Bits8 => 1.0,
			Self::Bits4 => 0.53,
		}
	}
}

/// Sizes of a model, as its `config.json` states them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelShape {
	/// Name, as jobs ask for it.
	pub name: String,
	/// Number of weights.
	pub parameters: u64,
	/// Number of weights that a token passes through: fewer in a mixture of experts.
	pub active: u64,
	/// Number of layers.
	pub layers: u32,
	/// Numbers that stand for a token.
	pub hidden: u32,
	/// Attention heads: tensor parallelism divides them.
	pub heads: u32,
	/// Heads that keep keys and values.
	pub kv_heads: u32,
	/// Numbers of a head.
	pub head: u32,
	/// Number of tokens in the vocabulary.
	pub vocabulary: u32,
	/// Most tokens of prompt and answer.
	pub context: u32,
}

/// A row of [`MODELS`].
#[derive(Clone, Copy, Debug)]
pub struct KnownModel {
	name: &'static str,
	millions: u64,
	active_millions: u64,
	sizes: [u32; 7],
}

const fn dense(name: &'static str, millions: u64, sizes: [u32; 7]) -> KnownModel {
	KnownModel { name, millions, active_millions: millions, sizes }
}

/// Known models: name, millions of weights; layers, hidden, heads, heads of keys and values, numbers of
/// a head, vocabulary, context. From the makers' model cards and `config.json` files (Qwen2.5,
/// Llama 3.1, Mixtral 8x7B).
pub const MODELS: [KnownModel; 11] = [
	dense("qwen2.5-0.5b-instruct", 494, [24, 896, 14, 2, 64, 151_936, 32_768]),
	dense("qwen2.5-1.5b-instruct", 1_544, [28, 1_536, 12, 2, 128, 151_936, 32_768]),
	dense("qwen2.5-3b-instruct", 3_086, [36, 2_048, 16, 2, 128, 151_936, 32_768]),
	dense("qwen2.5-7b-instruct", 7_616, [28, 3_584, 28, 4, 128, 152_064, 32_768]),
	dense("qwen2.5-14b-instruct", 14_770, [48, 5_120, 40, 8, 128, 152_064, 32_768]),
	dense("qwen2.5-32b-instruct", 32_764, [64, 5_120, 40, 8, 128, 152_064, 32_768]),
	dense("qwen2.5-72b-instruct", 72_706, [80, 8_192, 64, 8, 128, 152_064, 32_768]),
	dense("llama-3.1-8b-instruct", 8_030, [32, 4_096, 32, 8, 128, 128_256, 131_072]),
	dense("llama-3.1-70b-instruct", 70_554, [80, 8_192, 64, 8, 128, 128_256, 131_072]),
	dense("llama-3.1-405b-instruct", 405_853, [126, 16_384, 128, 8, 128, 128_256, 131_072]),
	KnownModel {
		name: "mixtral-8x7b-instruct",
		millions: 46_703,
		active_millions: 12_880,
		sizes: [32, 4_096, 32, 8, 128, 32_000, 32_768],
	},
];

impl KnownModel {
	/// Name, as jobs ask for it.
	pub const fn name(&self) -> &'static str {
		self.name
	}

	fn shape(&self) -> ModelShape {
		let [layers, hidden, heads, kv_heads, head, vocabulary, context] = self.sizes;
		ModelShape {
			name: self.name.to_string(),
			parameters: self.millions.saturating_mul(1_000_000),
			active: self.active_millions.saturating_mul(1_000_000),
			layers,
			hidden,
			heads,
			kv_heads,
			head,
			vocabulary,
			context,
		}
	}
}

/// The members of a `config.json` that say how large a model is.
#[derive(Deserialize)]
struct ConfigFile {
	num_hidden_layers: u32,
	hidden_size: u32,
	intermediate_size: u32,
	num_attention_heads: u32,
	num_key_value_heads: Option<u32>,
	head_dim: Option<u32>,
	vocab_size: u32,
	max_position_embeddings: u32,
	#[serde(default)]
	tie_word_embeddings: bool,
	num_local_experts: Option<u32>,
	num_experts: Option<u32>,
	n_routed_experts: Option<u32>,
}

impl ModelShape {
	/// Returns a known model by its name; case does not matter, and neither does what is before a
	/// slash.
	pub fn known(name: &str) -> Option<Self> {
		let short = name.rsplit('/').next().unwrap_or(name).to_lowercase();
		let short = short.strip_prefix("meta-").unwrap_or(&short);
		MODELS.iter().find(|model| model.name == short).map(KnownModel::shape)
	}

	/// Returns the sizes in the text of a `config.json` of a model of the Llama kind: three matrices in
	/// the feed-forward part, four in attention.
	///
	/// # Errors
	/// What is wrong with it.
	pub fn parse(name: &str, text: &str) -> Result<Self, String> {
		let file: ConfigFile = serde_json::from_str(text)
			.map_err(|error| format!("not the config.json of a model: {error}"))?;
		if file.num_local_experts.or(file.num_experts).or(file.n_routed_experts).is_some() {
			let known = MODELS.map(|model| model.name).join(", ");
			return Err(format!("the sizes of its experts are not read; known models: {known}"));
		}
		let heads = file.num_attention_heads;
		let kv_heads = file.num_key_value_heads.unwrap_or(heads);
		if [file.num_hidden_layers, file.hidden_size, heads, kv_heads, file.vocab_size].contains(&0)
		{
			return Err("a size is zero".to_string());
		}
		let head = file.head_dim.unwrap_or(file.hidden_size / heads);
		let [layers, hidden, inner] =
			[file.num_hidden_layers, file.hidden_size, file.intermediate_size].map(u64::from);
		let wide = |heads: u32| u64::from(heads).saturating_mul(head.into());
		let attention = hidden.saturating_mul(2 * wide(heads) + 2 * wide(kv_heads));
		let layer = attention.saturating_add(3 * hidden.saturating_mul(inner)) + 2 * hidden;
		let tables = if file.tie_word_embeddings { 1 } else { 2 };
		let table = u64::from(file.vocab_size).saturating_mul(hidden);
		let parameters = layers.saturating_mul(layer) + table.saturating_mul(tables) + hidden;
		Ok(Self {
			name: name.to_string(),
			parameters,
			active: parameters,
			layers: file.num_hidden_layers,
			hidden: file.hidden_size,
			heads,
			kv_heads,
			head,
			vocabulary: file.vocab_size,
			context: file.max_position_embeddings,
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const LLAMA_8B: &str = r#"{"num_hidden_layers":32,"hidden_size":4096,"intermediate_size":14336,
		"num_attention_heads":32,"num_key_value_heads":8,"vocab_size":128256,
		"max_position_embeddings":131072,"tie_word_embeddings":false,"rope_theta":500000.0}"#;

	#[test]
	fn a_configuration_gives_the_sizes_of_the_known_model() {
		let read = ModelShape::parse("llama-3.1-8b-instruct", LLAMA_8B).unwrap();
		assert_eq!(read.parameters, 8_030_261_248);
		let known = ModelShape::known("meta-llama/Meta-Llama-3.1-8B-Instruct").unwrap();
		assert_eq!(
			ModelShape { parameters: known.parameters, active: known.active, ..read },
			known
		);
	}

	#[test]
	fn what_cannot_be_planned_is_said() {
		let experts = LLAMA_8B.replacen('{', r#"{"num_local_experts":8,"#, 1);
		assert!(ModelShape::parse("x", &experts).unwrap_err().contains("experts"));
		assert!(ModelShape::parse("x", "{}").unwrap_err().contains("num_hidden_layers"));
		let none = LLAMA_8B.replace("\"num_attention_heads\":32", "\"num_attention_heads\":0");
		assert_eq!(ModelShape::parse("x", &none).unwrap_err(), "a size is zero");
		assert_eq!(ModelShape::known("gpt-5"), None);
	}

	#[test]
	fn the_known_models_are_consistent() {
		for model in MODELS.map(|model| model.shape()) {
			assert_eq!(model.heads % model.kv_heads, 0, "{}", model.name);
			assert!(model.active <= model.parameters, "{}", model.name);
			assert_eq!(ModelShape::known(&model.name), Some(model));
		}
	}
}
