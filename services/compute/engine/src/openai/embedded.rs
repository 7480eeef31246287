//! Vectors that a server answers with.

use super::answer::Usage;
use serde::Deserialize;
use serde_json::Value;

/// A server's answer.
#[derive(Deserialize)]
pub(super) struct EmbeddingAnswer {
	data: Vec<Row>,
	#[serde(default)]
	usage: Value,
}

#[derive(Deserialize)]
struct Row {
	index: usize,
	embedding: Vec<f32>,
}

impl EmbeddingAnswer {
	/// Returns the tokens that were read, if they are stated.
	pub(super) fn usage(&self) -> Option<Usage> {
		Usage::read(&self.usage)
	}

	/// Returns the vectors of length one in the order of their texts; `None` if they are not those of
	/// so many texts.
	pub(super) fn vectors(mut self, texts: usize) -> Option<Vec<Vec<f32>>> {
		self.data.sort_by_key(|row| row.index);
		let is_whole = self.data.iter().map(|row| row.index).eq(0..texts);
		is_whole.then(|| self.data.into_iter().map(|row| direction(row.embedding)).collect())
	}
}

/// The vector of length one that points the same way.
fn direction(mut vector: Vec<f32>) -> Vec<f32> {
	let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
	if length > 0.0 {
		vector.iter_mut().for_each(|x| *x /= length);
	}
	vector
}
