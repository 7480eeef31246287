//! Model factors, and compute units.
//!
//! A compute unit is a token of a model of factor 1; sums are rounded down.

/// Factor of a model that is not in the table, in thousandths.
pub const DEFAULT_MODEL_FACTOR: u32 = 5_000;
/// Largest factor of the table, in thousandths. No quote may contain a larger one.
pub const MAX_MODEL_FACTOR: u32 = 130_000;

/// Family, size as it is written in names, factor in thousandths.
const FACTORS: [(&str, &str, u32); 9] = [
	("qwen", "0.5b", 1_000),
	("qwen", "1.5b", 2_500),
	("qwen", "3b", 5_000),
	("qwen", "7b", 12_000),
	("qwen", "14b", 25_000),
	("qwen", "32b", 55_000),
	("qwen", "72b", 120_000),
	("llama", "8b", 14_000),
	("llama", "70b", 130_000),
];

/// Returns the factor of a model by its name, in thousandths.
///
/// Upper and lower case are the same. The family must occur anywhere in the name (`qwen2.5`,
/// `Meta-Llama-3.1`); the size must stand alone between the name's ends or characters other than
/// letters, digits and points (`qwen2.5-0.5b-instruct`, `llama3:8b`, but not `qwen-1.0.5b` or
/// `llama-8bit`). The first entry of the table that fits counts; a name that fits none has
/// [`DEFAULT_MODEL_FACTOR`].
pub fn model_factor(name: &str) -> u32 {
	let fits = |family: &str, size: &str| {
		contains(name, family) && parts(name).any(|part| part.eq_ignore_ascii_case(size))
	};
	FACTORS
		.iter()
		.find(|(family, size, _)| fits(family, size))
		.map_or(DEFAULT_MODEL_FACTOR, |(_, _, factor)| *factor)
}

/// Returns the parts of a name between characters other than letters, digits and points.
fn parts(name: &str) -> impl Iterator<Item = &str> {
	name.split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
}

/// Returns `true` if `lower` occurs in `name`, in upper or lower case.
fn contains(name: &str, lower: &str) -> bool {
	name.as_bytes().windows(lower.len()).any(|window| window.eq_ignore_ascii_case(lower.as_bytes()))
}

/// Returns the compute units of `tokens` whole tokens by a model of that factor in thousandths:
/// ⌊tokens · factor / 1000⌋, at most `u64::MAX`.
pub fn compute_units(tokens: u64, model_factor: u32) -> u64 {
	let product = u128::from(tokens).saturating_mul(model_factor.into());
	u64::try_from(product.checked_div(1_000).unwrap_or(0)).unwrap_or(u64::MAX)
}
