//! Rows of 32-bit floats, one after another.

use crate::error::EngineError;

/// A matrix whose rows lie one after another.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
	columns: usize,
	values: Vec<f32>,
}

impl Matrix {
	/// Rows of `columns` numbers each.
	///
	/// # Errors
	/// [`EngineError::Failed`] if there are no numbers, or they do not fill whole rows.
	pub fn new(values: Vec<f32>, columns: usize) -> Result<Self, EngineError> {
		if values.is_empty() || columns == 0 || !values.len().is_multiple_of(columns) {
			let count = values.len();
			return Err(EngineError::Failed(format!("{count} numbers in rows of {columns}")));
		}
		Ok(Self { columns, values })
	}

	/// Numbers in a row, at least one.
	pub const fn columns(&self) -> usize {
		self.columns
	}

	/// Number of rows, at least one.
	pub const fn rows(&self) -> usize {
		self.values.len().wrapping_div(self.columns)
	}

	/// All numbers, row after row.
	pub fn values(&self) -> &[f32] {
		&self.values
	}

	/// The rows, in order.
	pub fn each_row(&self) -> std::slice::ChunksExact<'_, f32> {
		self.values.chunks_exact(self.columns)
	}

	/// `count` rows from the row `first` on.
	///
	/// # Errors
	/// [`EngineError::Failed`] if there are not that many.
	pub fn part(&self, first: usize, count: usize) -> Result<Self, EngineError> {
		let (from, length) =
			(first.saturating_mul(self.columns), count.saturating_mul(self.columns));
		let part = self.values.get(from..from.saturating_add(length));
		let missing =
			|| EngineError::Failed(format!("{} rows lack {first} + {count}", self.rows()));
		Self::new(part.ok_or_else(missing)?.to_vec(), self.columns)
	}

	/// The rows with these numbers, in this order.
	///
	/// # Errors
	/// [`EngineError::Failed`] if a number is that of no row, or there are none.
	pub fn chosen(&self, rows: &[u32]) -> Result<Self, EngineError> {
		let mut values = Vec::with_capacity(rows.len().saturating_mul(self.columns));
		for row in rows {
			let from = usize::try_from(*row).unwrap_or(usize::MAX).saturating_mul(self.columns);
			let found = self.values.get(from..from.saturating_add(self.columns));
			let missing = || EngineError::Failed(format!("{} rows lack {row}", self.rows()));
			values.extend_from_slice(found.ok_or_else(missing)?);
		}
		Self::new(values, self.columns)
	}

	/// The same with each number replaced.
	pub(crate) fn map(mut self, change: impl Fn(f32) -> f32) -> Self {
		self.values.iter_mut().for_each(|value| *value = change(*value));
		self
	}

	/// The same with each row replaced by one of its length.
	pub(crate) fn map_rows(mut self, change: impl Fn(&mut [f32])) -> Self {
		self.values.chunks_exact_mut(self.columns).for_each(change);
		self
	}

	/// Adds another matrix of the same shape, number by number.
	///
	/// # Errors
	/// [`EngineError::Failed`] if the shapes differ.
	pub fn add(&mut self, other: &Self) -> Result<(), EngineError> {
		if (self.columns, self.values.len()) != (other.columns, other.values.len()) {
			return Err(EngineError::Failed("a sum of matrices of two shapes".to_string()));
		}
		for (value, other) in self.values.iter_mut().zip(&other.values) {
			*value += *other;
		}
		Ok(())
	}
}
