//! The built-in model altered on purpose, **for trials only**: what honest noise and a cheaper model look
//! like to a verifier.

use crate::{
	error::EngineError,
	matrix::Matrix,
	model::{Layer, Model},
};

/// How the built-in model is altered for a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialModel {
	/// Honest noise: the same weights in another order, so that every sum is made in another order.
	OtherOrder,
	/// Honest noise: numbers are kept in 16 bits (bfloat16) between two steps, as graphics processors
	/// keep them.
	HalfPrecision,
	/// A cheat: weights of 8 bits.
	Int8,
	/// A cheat: weights of 4 bits.
	Int4,
	/// A cheat: only the first half of the layers.
	FewerLayers,
}

impl TrialModel {
	/// Returns a model that is altered so.
	pub(crate) fn alter(self, model: Model) -> Result<Model, EngineError> {
		Ok(match self {
			Self::OtherOrder => reordered(model)?,
			Self::HalfPrecision => Model { is_half_precision: true, ..model },
			Self::Int8 => quantised(model, 127.0),
			Self::Int4 => quantised(model, 7.0),
			Self::FewerLayers => {
				let mut model = model;
				let half = model.layers.len().div_ceil(2);
				model.layers.truncate(half);
				model
			},
		})
	}
}

/// The numbers below `count` in another order.
fn other_order(count: usize) -> Vec<usize> {
	let mut order: Vec<usize> = (0..count).collect();
	order.sort_by_key(|place| (place % 7, *place));
	order
}

/// The same weights with everything of the width, and of the inner width, in another order. What the
/// model computes is the same but for the order in which it is added.
fn reordered(model: Model) -> Result<Model, EngineError> {
	let columns = |matrix: &Matrix| {
		let order = other_order(matrix.columns());
		let row = |row: &[f32]| -> Vec<f32> {
			order.iter().filter_map(|place| row.get(*place).copied()).collect()
		};
		Matrix::new(matrix.each_row().flat_map(row).collect(), matrix.columns())
	};
	let rows = |matrix: &Matrix| {
		let all: Vec<&[f32]> = matrix.each_row().collect();
		let order = other_order(all.len());
		let values = order.iter().filter_map(|place| all.get(*place)).copied().flatten().copied();
		Matrix::new(values.collect(), matrix.columns())
	};
	let layer = |layer: &Layer| {
		Ok(Layer {
			attention_norm: columns(&layer.attention_norm)?,
			query: columns(&layer.query)?,
			key: columns(&layer.key)?,
			value: columns(&layer.value)?,
			out: rows(&layer.out)?,
			inner_norm: columns(&layer.inner_norm)?,
			gate: rows(&columns(&layer.gate)?)?,
			up: rows(&columns(&layer.up)?)?,
			down: columns(&rows(&layer.down)?)?,
		})
	};
	let layers = model.layers.iter().map(layer).collect::<Result<_, EngineError>>()?;
	let (embedding, norm) = (columns(&model.embedding)?, columns(&model.norm)?);
	Ok(Model { embedding, layers, norm, ..model })
}

/// Weights of whole numbers from −`most` to `most`, with a scale of its own for each row.
fn quantised(model: Model, most: f32) -> Model {
	let row = |row: &mut [f32]| {
		let largest = row.iter().fold(0f32, |largest, value| largest.max(value.abs()));
		if largest > 0.0 {
			let scale = largest / most;
			row.iter_mut().for_each(|value| *value = (*value / scale).round() * scale);
		}
	};
	let layer = |layer: Layer| Layer {
		query: layer.query.map_rows(row),
		key: layer.key.map_rows(row),
		value: layer.value.map_rows(row),
		out: layer.out.map_rows(row),
		gate: layer.gate.map_rows(row),
		up: layer.up.map_rows(row),
		down: layer.down.map_rows(row),
		..layer
	};
	let layers = model.layers.into_iter().map(layer).collect();
	Model { layers, embedding: model.embedding.map_rows(row), ..model }
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn another_order_holds_each_number_once() {
		let mut order = other_order(352);
		assert_ne!(order[..3], [0, 1, 2]);
		order.sort_unstable();
		assert!(order.into_iter().eq(0..352));
	}
}
