//! The arithmetic of a transformer, with every sum in a fixed order.
//!
//! Additions of floats give another result in another order, and what a vector unit offers decides
//! in which order ordinary matrix products add. So the products here are ours: [`LANES`] sums run
//! side by side, element i going to sum i mod [`LANES`], and are added up pairwise at the end. Compilers keep the order of float operations and never fuse a
//! multiplication with an addition unless told to, so the result is the same on all machines,
//! while the lanes leave room for whatever vector unit there is.

use crate::{error::EngineError, matrix::Matrix};

/// Sums that run side by side.
pub const LANES: usize = 16;

/// The inner product of two slices of one length.
#[inline]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
	let mut sums = [0f32; LANES];
	let (a_parts, a_rest) = a.as_chunks::<LANES>();
	let (b_parts, b_rest) = b.as_chunks::<LANES>();
	for (a, b) in a_parts.iter().zip(b_parts) {
		for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
			*sum += a * b;
		}
	}
	for ((sum, a), b) in sums.iter_mut().zip(a_rest).zip(b_rest) {
		*sum += a * b;
	}
	pairwise(sums)
}

/// The sum of the lanes: halves are added to halves.
fn pairwise(mut sums: [f32; LANES]) -> f32 {
	let mut width = LANES;
	while width > 1 {
		width /= 2;
		let (low, high) = sums.split_at_mut(width);
		for (low, high) in low.iter_mut().zip(high) {
			*low += *high;
		}
	}
	sums.first().copied().unwrap_or(0.0)
}

/// e^x by additions and multiplications alone, to some 10⁻¹⁵ of its value; 0 below −700, and no
/// more than e^700.
pub fn exp(x: f64) -> f64 {
	if x < -700.0 {
		return 0.0;
	}
	let x = x.min(700.0);
	// x = k·ln 2 + r with |r| ≤ ln 2 / 2; ln 2 in two parts, the first with zeros at its end.
	let k = (x * std::f64::consts::LOG2_E + 0.5).floor();
	let r = (x - k * 0.693_147_180_369_123_8) - k * 1.908_214_929_270_587_7e-10;
	let mut sum = 1.0;
	for n in (1..=13u32).rev() {
		sum = 1.0 + sum * r / f64::from(n);
	}
	// k is whole and within −1010 … 1010.
	let exponent = (k as i64).wrapping_add(1_023);
	sum * f64::from_bits((exponent as u64) << 52)
}

/// The natural logarithm of a normal number above zero, by additions, multiplications and divisions
/// alone, to some 10⁻¹⁵ of its value.
pub fn ln(x: f64) -> f64 {
	const FRACTION: u64 = (1 << 52) - 1;
	// x = m·2^k with √½ < m ≤ √2.
	let bits = x.to_bits();
	let m = f64::from_bits(bits & FRACTION | 1_023 << 52);
	let k = (bits >> 52 & 0x7ff) as f64 - 1_023.0;
	let (m, k) = if m > std::f64::consts::SQRT_2 { (m / 2.0, k + 1.0) } else { (m, k) };
	// ln m = 2·artanh z.
	let z = (m - 1.0) / (m + 1.0);
	let square = z * z;
	let mut sum = 0.0;
	for n in (0..=12u32).rev() {
		sum = sum * square + 1.0 / f64::from(2 * n + 1);
	}
	k * 0.693_147_180_369_123_8 + (2.0 * z * sum + k * 1.908_214_929_270_587_7e-10)
}

/// e^x of a float.
#[inline]
fn exp32(x: f32) -> f32 {
	exp(f64::from(x)) as f32
}

fn same(what: &str, a: usize, b: usize) -> Result<(), EngineError> {
	if a == b { Ok(()) } else { Err(EngineError::Failed(format!("{what}: {a} is not {b}"))) }
}

/// x [rows, width] times the transpose of `weights` [out, width].
///
/// # Errors
/// [`EngineError::Failed`] if the shapes do not go together.
pub fn linear(x: &Matrix, weights: &Matrix) -> Result<Matrix, EngineError> {
	same("columns of a product", x.columns(), weights.columns())?;
	let mut product = Vec::with_capacity(x.rows().saturating_mul(weights.rows()));
	for row in x.each_row() {
		product.extend(weights.each_row().map(|column| dot(row, column)));
	}
	Matrix::new(product, weights.rows())
}

/// Rows of x [rows, width] divided by their root mean square, times `weights` [1, width].
///
/// # Errors
/// [`EngineError::Failed`] if the shapes do not go together.
pub fn rms_norm(x: &Matrix, weights: &Matrix, epsilon: f32) -> Result<Matrix, EngineError> {
	let width = x.columns();
	same("columns of a norm", width, weights.values().len())?;
	let mut normed = Vec::with_capacity(x.values().len());
	for row in x.each_row() {
		// Square root and division are exact to the last bit by the standard.
		let root = (dot(row, row) / width as f32 + epsilon).sqrt();
		normed.extend(row.iter().zip(weights.values()).map(|(x, w)| x / root * w));
	}
	Matrix::new(normed, width)
}

/// `silu(a) · b`, element by element.
///
/// # Errors
/// [`EngineError::Failed`] if the shapes do not go together.
pub fn gate(a: &Matrix, b: &Matrix) -> Result<Matrix, EngineError> {
	same("elements of a gate", a.values().len(), b.values().len())?;
	let pairs = a.values().iter().zip(b.values());
	Matrix::new(pairs.map(|(a, b)| a / (1.0 + exp32(-a)) * b).collect(), a.columns())
}

/// x [rows, heads · 2 · half] with each head's pairs (i, i + half) turned by its row's angles,
/// whose cosines and sines are [rows, half].
///
/// # Errors
/// [`EngineError::Failed`] if the shapes do not go together.
pub fn rotary(x: &Matrix, cos: &Matrix, sin: &Matrix) -> Result<Matrix, EngineError> {
	let half = cos.columns();
	same("positions", x.rows(), cos.rows())?;
	same("positions", sin.values().len(), cos.values().len())?;
	same("columns of whole heads", x.columns() % half.saturating_mul(2), 0)?;
	let mut turned = Vec::with_capacity(x.values().len());
	for (row, (cos, sin)) in x.each_row().zip(cos.each_row().zip(sin.each_row())) {
		for head in row.chunks_exact(half.saturating_mul(2)) {
			let (left, right) = head.split_at(half);
			let pairs = || left.iter().zip(right).zip(cos.iter().zip(sin));
			turned.extend(pairs().map(|((l, r), (c, s))| l * c - r * s));
			turned.extend(pairs().map(|((l, r), (c, s))| r * c + l * s));
		}
	}
	Matrix::new(turned, x.columns())
}

/// Causal attention: q [rows, width] to keys and values [seen, width], given row after row, each row to the rows of keys and
/// values up to its own, the last row to all of them.
///
/// # Errors
/// [`EngineError::Failed`] if the shapes do not go together.
pub fn attention(
	q: &Matrix,
	(k, v): (&[f32], &[f32]),
	heads: usize,
) -> Result<Matrix, EngineError> {
	let width = q.columns();
	same("columns of whole keys", k.len() % width, 0)?;
	same("values", k.len(), v.len())?;
	let head = width.checked_div(heads).filter(|head| *head > 0).unwrap_or(width);
	let before = (k.len() / width).saturating_sub(q.rows());
	let scale = 1.0 / (head as f32).sqrt();
	let mut mixed = vec![0f32; q.values().len()];
	let mut shares = Vec::new();
	let rows = mixed.chunks_exact_mut(width).zip(q.each_row());
	for (index, (mixed, q)) in rows.enumerate() {
		let seen = before.saturating_add(index).saturating_add(1);
		let heads = mixed.chunks_exact_mut(head).zip(q.chunks_exact(head));
		for (number, (mixed, q)) in heads.enumerate() {
			let column = number.saturating_mul(head);
			let head = Head { q, scale, column, width, seen };
			attend(head, (k, v), &mut shares, mixed);
		}
	}
	Matrix::new(mixed, width)
}

/// What one head looks at.
struct Head<'a> {
	q: &'a [f32],
	scale: f32,
	column: usize,
	width: usize,
	seen: usize,
}

impl Head<'_> {
	/// This head's part of the rows it sees.
	fn parts<'a>(&self, rows: &'a [f32]) -> impl Iterator<Item = &'a [f32]> {
		let (from, to) = (self.column, self.column.saturating_add(self.q.len()));
		rows.chunks_exact(self.width).take(self.seen).filter_map(move |row| row.get(from..to))
	}
}

/// One row and head: shares of what was seen, by softmax, and the mean of values by them.
fn attend(head: Head<'_>, (k, v): (&[f32], &[f32]), shares: &mut Vec<f32>, mixed: &mut [f32]) {
	shares.clear();
	shares.extend(head.parts(k).map(|k| dot(head.q, k) * head.scale));
	let most = shares.iter().copied().fold(f32::NEG_INFINITY, f32::max);
	let mut sum = 0f32;
	for share in shares.iter_mut() {
		*share = exp32(*share - most);
		sum += *share;
	}
	for (share, v) in shares.iter().zip(head.parts(v)) {
		let share = share / sum;
		for (mixed, v) in mixed.iter_mut().zip(v) {
			*mixed += share * v;
		}
	}
}

/// The direction, of length one, of the mean of the rows of x [rows, width]; zero if they cancel
/// each other out.
pub fn mean_direction(x: &Matrix) -> Vec<f32> {
	let mut sum = vec![0f32; x.columns()];
	for row in x.each_row() {
		for (sum, x) in sum.iter_mut().zip(row) {
			*sum += x;
		}
	}
	let length = dot(&sum, &sum).sqrt();
	if length > 0.0 {
		sum.iter_mut().for_each(|x| *x /= length);
	}
	sum
}
