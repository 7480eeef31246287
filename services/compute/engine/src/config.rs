//! The sizes of a model.

use serde::Deserialize;

/// The largest file of weights, in bytes.
pub(crate) const MAX_WEIGHTS: u64 = 8 << 20;

/// A model's `config.json`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
	/// Its name.
	pub name: String,
	/// Number of tokens.
	pub vocabulary: usize,
	/// Numbers that stand for a token on its way through the layers.
	pub width: usize,
	/// Number of layers.
	pub layers: usize,
	/// Number of attention heads.
	pub heads: usize,
	/// Width of the feed-forward part.
	pub inner: usize,
	/// Most tokens of prompt and answer together, that which begins the text included.
	pub context: usize,
	/// What keeps a norm from dividing by zero.
	pub epsilon: f32,
	/// The token between two paragraphs: it begins a text, and ends one.
	pub paragraph_token: u32,
	/// SHA-256 of the weights, 64 hexadecimal digits.
	pub weights_sha256: String,
}

impl Config {
	/// Numbers a head works with.
	pub const fn head(&self) -> usize {
		self.width.wrapping_div(self.heads)
	}

	/// Reads the text of a `config.json`.
	///
	/// # Errors
	/// What is wrong with it.
	pub fn parse(text: &str) -> Result<Self, String> {
		let config: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
		let sizes = [
			config.vocabulary,
			config.width,
			config.layers,
			config.heads,
			config.inner,
			config.context,
		];
		if sizes.iter().any(|size| !(1..=1 << 16).contains(size)) {
			return Err("a size is zero or above 65536".to_string());
		}
		if !config.width.is_multiple_of(config.heads) || !config.head().is_multiple_of(2) {
			return Err("the width does not divide into heads of even width".to_string());
		}
		if config.context < 2 {
			return Err("the context has no room for an answer".to_string());
		}
		match usize::try_from(config.paragraph_token) {
			Ok(token) if token < config.vocabulary => Ok(config),
			_ => Err("the paragraph's token is not in the vocabulary".to_string()),
		}
	}
}
