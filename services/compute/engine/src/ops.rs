//! The arithmetic of a transformer, with every sum in a fixed order.
//!
//! Additions of floats give another result in another order, and what a vector unit offers decides
//! in which order ordinary matrix products add. So the products here are ours, as operations on
//! candle's tensors: [`LANES`] sums run side by side, element i going to sum i mod [`LANES`], and
//! are added up pairwise at the end. Compilers keep the order of float operations and never fuse a
//! multiplication with an addition unless told to, so the result is the same on all machines,
//! while the lanes leave room for whatever vector unit there is.

use candle_core::{
	CpuStorage, CustomOp1, CustomOp2, CustomOp3, Error, Layout, Result, Shape, Tensor,
};

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

/// e^x of a float.
#[inline]
fn exp32(x: f32) -> f32 {
	exp(f64::from(x)) as f32
}

/// A tensor's floats, which must lie one after another.
fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
	let CpuStorage::F32(values) = storage else {
		return Err(Error::Msg("32-bit floats wanted".to_string()));
	};
	let range = layout.contiguous_offsets().and_then(|(from, to)| values.get(from..to));
	range.ok_or_else(|| Error::Msg("a tensor in one piece wanted".to_string()))
}

/// The length of a tensor's last dimension.
fn columns(layout: &Layout) -> Result<usize> {
	let last = layout.dims().last().copied().filter(|columns| *columns > 0);
	last.ok_or_else(|| Error::Msg("a tensor that is not empty wanted".to_string()))
}

fn same(what: &str, a: usize, b: usize) -> Result<()> {
	if a == b { Ok(()) } else { Err(Error::Msg(format!("{what}: {a} is not {b}"))) }
}

fn stored(values: Vec<f32>, shape: impl Into<Shape>) -> (CpuStorage, Shape) {
	(CpuStorage::F32(values), shape.into())
}

/// x [rows, in] times the transpose of w [out, in].
struct Linear;

impl CustomOp2 for Linear {
	fn name(&self) -> &'static str {
		"ordered-linear"
	}

	fn cpu_fwd(
		&self,
		x: &CpuStorage,
		x_layout: &Layout,
		w: &CpuStorage,
		w_layout: &Layout,
	) -> Result<(CpuStorage, Shape)> {
		let (width, out) = (columns(x_layout)?, w_layout.shape().dims2()?.0);
		same("columns of a product", width, columns(w_layout)?)?;
		let (x, w) = (floats(x, x_layout)?, floats(w, w_layout)?);
		let mut product = Vec::with_capacity((x.len() / width).saturating_mul(out));
		for row in x.chunks_exact(width) {
			product.extend(w.chunks_exact(width).map(|column| dot(row, column)));
		}
		Ok(stored(product, (x.len() / width, out)))
	}
}

/// x [rows, width] times the transpose of `weights` [out, width].
///
/// # Errors
/// If the shapes do not go together.
pub fn linear(x: &Tensor, weights: &Tensor) -> Result<Tensor> {
	x.apply_op2_no_bwd(weights, &Linear)
}

/// Rows divided by their root mean square, times a weight each column.
struct RmsNorm(f32);

impl CustomOp2 for RmsNorm {
	fn name(&self) -> &'static str {
		"ordered-rms-norm"
	}

	fn cpu_fwd(
		&self,
		x: &CpuStorage,
		x_layout: &Layout,
		w: &CpuStorage,
		w_layout: &Layout,
	) -> Result<(CpuStorage, Shape)> {
		let width = columns(x_layout)?;
		same("columns of a norm", width, columns(w_layout)?)?;
		let (x, w) = (floats(x, x_layout)?, floats(w, w_layout)?);
		let mut normed = Vec::with_capacity(x.len());
		for row in x.chunks_exact(width) {
			// Square root and division are exact to the last bit by the standard.
			let root = (dot(row, row) / width as f32 + self.0).sqrt();
			normed.extend(row.iter().zip(w).map(|(x, w)| x / root * w));
		}
		Ok(stored(normed, x_layout.shape().clone()))
	}
}

/// Rows of x [rows, width] divided by their root mean square, times `weights` [width].
///
/// # Errors
/// If the shapes do not go together.
pub fn rms_norm(x: &Tensor, weights: &Tensor, epsilon: f32) -> Result<Tensor> {
	x.apply_op2_no_bwd(weights, &RmsNorm(epsilon))
}

/// silu(a) · b, element by element.
struct Gate;

impl CustomOp2 for Gate {
	fn name(&self) -> &'static str {
		"ordered-gate"
	}

	fn cpu_fwd(
		&self,
		a: &CpuStorage,
		a_layout: &Layout,
		b: &CpuStorage,
		b_layout: &Layout,
	) -> Result<(CpuStorage, Shape)> {
		let (a, b) = (floats(a, a_layout)?, floats(b, b_layout)?);
		same("elements of a gate", a.len(), b.len())?;
		let gated = a.iter().zip(b).map(|(a, b)| a / (1.0 + exp32(-a)) * b).collect();
		Ok(stored(gated, a_layout.shape().clone()))
	}
}

/// `silu(a) · b`, element by element.
///
/// # Errors
/// If the shapes do not go together.
pub fn gate(a: &Tensor, b: &Tensor) -> Result<Tensor> {
	a.apply_op2_no_bwd(b, &Gate)
}

/// Turns pairs (i, i + half) of each head by the angle of its position.
struct Rotary;

impl CustomOp3 for Rotary {
	fn name(&self) -> &'static str {
		"ordered-rotary"
	}

	fn cpu_fwd(
		&self,
		x: &CpuStorage,
		x_layout: &Layout,
		cos: &CpuStorage,
		cos_layout: &Layout,
		sin: &CpuStorage,
		sin_layout: &Layout,
	) -> Result<(CpuStorage, Shape)> {
		let (width, half) = (columns(x_layout)?, columns(cos_layout)?);
		let (x, cos) = (floats(x, x_layout)?, floats(cos, cos_layout)?);
		let sin = floats(sin, sin_layout)?;
		same("positions", x.len() / width, cos.len() / half)?;
		same("positions", sin.len(), cos.len())?;
		let mut turned = Vec::with_capacity(x.len());
		let angles = cos.chunks_exact(half).zip(sin.chunks_exact(half));
		for (row, (cos, sin)) in x.chunks_exact(width).zip(angles) {
			for head in row.chunks_exact(half.saturating_mul(2)) {
				let (left, right) = head.split_at(half);
				let pairs = || left.iter().zip(right).zip(cos.iter().zip(sin));
				turned.extend(pairs().map(|((l, r), (c, s))| l * c - r * s));
				turned.extend(pairs().map(|((l, r), (c, s))| r * c + l * s));
			}
		}
		Ok(stored(turned, x_layout.shape().clone()))
	}
}

/// x [rows, heads · 2 · half] with each head turned by its row's angles, whose cosines and sines
/// are [rows, half].
///
/// # Errors
/// If the shapes do not go together.
pub fn rotary(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
	x.apply_op3_no_bwd(cos, sin, &Rotary)
}

/// Attention of each row to the rows of keys and values up to its own.
struct Attention {
	heads: usize,
}

impl CustomOp3 for Attention {
	fn name(&self) -> &'static str {
		"ordered-attention"
	}

	fn cpu_fwd(
		&self,
		q: &CpuStorage,
		q_layout: &Layout,
		k: &CpuStorage,
		k_layout: &Layout,
		v: &CpuStorage,
		v_layout: &Layout,
	) -> Result<(CpuStorage, Shape)> {
		let width = columns(q_layout)?;
		same("columns of keys", width, columns(k_layout)?)?;
		let (q, k, v) = (floats(q, q_layout)?, floats(k, k_layout)?, floats(v, v_layout)?);
		same("values", k.len(), v.len())?;
		let head = width.checked_div(self.heads).filter(|head| *head > 0).unwrap_or(width);
		let before = (k.len() / width).saturating_sub(q.len() / width);
		let scale = 1.0 / (head as f32).sqrt();
		let mut mixed = vec![0f32; q.len()];
		let mut shares = Vec::new();
		let rows = mixed.chunks_exact_mut(width).zip(q.chunks_exact(width));
		for (index, (mixed, q)) in rows.enumerate() {
			let seen = before.saturating_add(index).saturating_add(1);
			let heads = mixed.chunks_exact_mut(head).zip(q.chunks_exact(head));
			for (number, (mixed, q)) in heads.enumerate() {
				let column = number.saturating_mul(head);
				attend(Head { q, scale, column, width, seen }, (k, v), &mut shares, mixed);
			}
		}
		Ok(stored(mixed, q_layout.shape().clone()))
	}
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

/// Causal attention: q [rows, width] to k and v [seen, width], the last row to all of them.
///
/// # Errors
/// If the shapes do not go together.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, heads: usize) -> Result<Tensor> {
	q.apply_op3_no_bwd(k, v, &Attention { heads })
}

/// The mean of rows, divided by its length.
struct MeanDirection;

impl CustomOp1 for MeanDirection {
	fn name(&self) -> &'static str {
		"ordered-mean-direction"
	}

	fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
		let width = columns(layout)?;
		let x = floats(x, layout)?;
		let mut sum = vec![0f32; width];
		for row in x.chunks_exact(width) {
			for (sum, x) in sum.iter_mut().zip(row) {
				*sum += x;
			}
		}
		let length = dot(&sum, &sum).sqrt();
		if length > 0.0 {
			sum.iter_mut().for_each(|x| *x /= length);
		}
		Ok(stored(sum, width))
	}
}

/// The direction, of length one, of the mean of the rows of x [rows, width]; zero if they cancel
/// each other out.
///
/// # Errors
/// If x is empty.
pub fn mean_direction(x: &Tensor) -> Result<Tensor> {
	x.apply_op1_no_bwd(&MeanDirection)
}
