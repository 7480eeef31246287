//! The arithmetic against its definitions.

use gridproof_engine::{
	Matrix,
	ops::{self, LANES},
};
use proptest::prelude::*;

fn matrix(values: &[f32], columns: usize) -> Matrix {
	Matrix::new(values.to_vec(), columns).unwrap()
}

fn floats(matrix: &Matrix) -> Vec<f32> {
	matrix.values().to_vec()
}

fn numbers(count: usize) -> impl Strategy<Value = Vec<f32>> {
	prop::collection::vec(-2f32..2.0, count)
}

/// The sum in double precision, and what rounding in single precision may make of it.
fn close(found: f32, terms: impl Iterator<Item = f64>) -> bool {
	let (mut sum, mut size) = (0f64, 0f64);
	for term in terms {
		sum += term;
		size += term.abs();
	}
	(f64::from(found) - sum).abs() <= 1e-6 * size + 1e-7
}

#[test]
fn the_exponential_is_that_of_the_library_to_its_last_digits() {
	for step in -70_000..=70_000i32 {
		let x = f64::from(step) / 100.0;
		let (found, wanted) = (ops::exp(x), x.exp());
		assert!((found - wanted).abs() <= 4e-15 * wanted, "{x}: {found} {wanted}");
	}
	assert_eq!(ops::exp(0.0), 1.0);
	assert_eq!(ops::exp(-701.0), 0.0);
	assert_eq!(ops::exp(f64::NEG_INFINITY), 0.0);
	assert_eq!(ops::exp(1e300), ops::exp(700.0));
}

#[test]
fn elements_go_to_their_lanes_and_lanes_are_added_in_halves() {
	// 2²⁴ + 1 is no float: which sums come first shows.
	let big = 16_777_216f32;
	let ones = [1f32; 2 * LANES];
	let mut values = [0f32; 2 * LANES];
	(values[0], values[1]) = (big, 1.0);
	assert_eq!(ops::dot(&values, &ones), big, "1 is lost where lanes 0 and 1 meet");
	(values[1], values[LANES]) = (0.0, 1.0);
	assert_eq!(ops::dot(&values, &ones), big, "1 is lost in lane 0");
	(values[1], values[LANES], values[9]) = (1.0, 0.0, 1.0);
	assert_eq!(ops::dot(&values, &ones), big + 2.0, "lanes 1 and 9 meet first");
}

#[test]
fn shapes_that_do_not_go_together_are_refused() {
	let (two, three) = (matrix(&[1.0; 4], 2), matrix(&[1.0; 6], 3));
	assert!(ops::linear(&two, &three).is_err());
	assert!(ops::gate(&two, &three).is_err());
	assert!(ops::rms_norm(&two, &matrix(&[1.0; 3], 3), 1e-5).is_err());
	assert!(ops::rotary(&three, &matrix(&[1.0; 2], 1), &matrix(&[1.0; 2], 1)).is_err());
	assert!(ops::attention(&two, (two.values(), three.values()), 1).is_err());
	assert!(ops::attention(&two, (&[1.0; 3], &[1.0; 3]), 1).is_err());
	assert!(Matrix::new(vec![1.0; 5], 2).is_err(), "half a row");
	assert!(Matrix::new(Vec::new(), 2).is_err(), "no row");
}

#[test]
fn a_position_turns_pairs_and_keeps_lengths() {
	let x = matrix(&[3.0, 1.0, 4.0, 2.0], 4);
	let (sin, cos) = 0.5f32.sin_cos();
	let angles = |value: f32| matrix(&[value, 0.0], 2);
	let turned = ops::rotary(&x, &angles(cos), &angles(sin)).unwrap();
	// Pairs are (0, 2) and (1, 3); the second has cosine and sine zero here.
	assert_eq!(floats(&turned), [3.0 * cos - 4.0 * sin, 0.0, 4.0 * cos + 3.0 * sin, 0.0]);
}

#[test]
fn a_mean_that_cancels_out_has_no_direction() {
	let found = ops::mean_direction(&matrix(&[1.0, -2.0, -1.0, 2.0], 2));
	assert_eq!(found, [0.0, 0.0]);
	let found = ops::mean_direction(&matrix(&[3.0, 0.0, 0.0, 4.0], 2));
	assert_eq!(found, [0.6, 0.8]);
}

proptest! {
	#[test]
	fn an_inner_product_is_the_sum_of_products(a in numbers(53), b in numbers(53)) {
		let terms = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b));
		prop_assert!(close(ops::dot(&a, &b), terms));
	}

	#[test]
	fn a_product_is_every_row_times_every_column(x in numbers(3 * 5), w in numbers(4 * 5)) {
		let product = ops::linear(&matrix(&x, 5), &matrix(&w, 5)).unwrap();
		prop_assert_eq!((product.rows(), product.columns()), (3, 4));
		let wanted: Vec<f32> =
			x.chunks(5).flat_map(|x| w.chunks(5).map(|w| ops::dot(x, w)).collect::<Vec<_>>()).collect();
		prop_assert_eq!(floats(&product), wanted);
	}

	#[test]
	fn rows_are_divided_by_their_root_mean_square(x in numbers(2 * 8), w in numbers(8)) {
		let found = floats(&ops::rms_norm(&matrix(&x, 8), &matrix(&w, 8), 1e-5).unwrap());
		for (row, found) in x.chunks(8).zip(found.chunks(8)) {
			let mean = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / 8.0;
			for ((x, w), found) in row.iter().zip(&w).zip(found) {
				let wanted = f64::from(*x) / (mean + 1e-5).sqrt() * f64::from(*w);
				prop_assert!((f64::from(*found) - wanted).abs() < 1e-5);
			}
		}
	}

	#[test]
	fn a_gate_is_silu_times_the_other(a in numbers(8), b in numbers(8)) {
		let found = floats(&ops::gate(&matrix(&a, 8), &matrix(&b, 8)).unwrap());
		for ((a, b), found) in a.iter().zip(&b).zip(found) {
			let (a, b) = (f64::from(*a), f64::from(*b));
			prop_assert!((f64::from(found) - a / (1.0 + (-a).exp()) * b).abs() < 1e-6);
		}
	}

	#[test]
	fn attention_is_a_mean_of_what_came_before(
		q in numbers(2 * 4),
		k in numbers(3 * 4),
		v in numbers(3 * 4),
	) {
		let found = floats(&ops::attention(&matrix(&q, 4), (&k, &v), 2).unwrap());
		for (row, q) in q.chunks(4).enumerate() {
			for head in 0..2 {
				let part = |rows: &[f32], at: usize| -> Vec<f64> {
					(0..2).map(|i| f64::from(rows[at * 4 + head * 2 + i])).collect()
				};
				let q: Vec<f64> = (0..2).map(|i| f64::from(q[head * 2 + i])).collect();
				// Two queries, three keys: the first query sees two of them.
				let seen = row + 2;
				let power = |at: usize| {
					let k = part(&k, at);
					((q[0] * k[0] + q[1] * k[1]) / 2f64.sqrt()).exp()
				};
				let whole: f64 = (0..seen).map(power).sum();
				for i in 0..2 {
					let wanted: f64 = (0..seen).map(|at| power(at) / whole * part(&v, at)[i]).sum();
					let found = f64::from(found[row * 4 + head * 2 + i]);
					prop_assert!((found - wanted).abs() < 1e-5, "{} {}", found, wanted);
				}
			}
		}
	}
}
