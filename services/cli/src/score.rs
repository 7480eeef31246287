//! `gridproof score`: the chain's own score of a miner, for people who plan.

use crate::output::Output;
use clap::Args;
use gridproof_primitives::{
	compute::score::{FULL_HOURS, SCORE_MAX, Score, ScoreInputs},
	num::decimal::{Ratio, SignedRatio},
};
use serde::Serialize;
use std::process::ExitCode;

/// Arguments of `score`. Figures are decimals of any length that fits, read exactly.
#[derive(Args)]
pub struct ScoreArgs {
	/// Memory in use times time over the last 24 hours, in GB·s.
	#[arg(long, value_name = "X", value_parser = figure, allow_hyphen_values = true)]
	gb_seconds: Ratio,
	/// Tokens a second, averaged over the time at work.
	#[arg(long, value_name = "X", value_parser = figure, allow_hyphen_values = true)]
	tokens_per_second: Ratio,
	/// Factor of the model, such as 1 for qwen 0.5b and 14 for llama 8b.
	#[arg(long, value_name = "X", value_parser = figure, allow_hyphen_values = true)]
	model_factor: Ratio,
	/// Hours online within the last 30 days.
	#[arg(long, value_name = "X", value_parser = figure, allow_hyphen_values = true)]
	uptime_hours: Ratio,
	/// Share of the accepted jobs that were delivered in the last 24 hours, 0 to 1; leave it out
	/// if there were none.
	#[arg(long, value_name = "R", value_parser = rate, allow_hyphen_values = true)]
	success_rate: Option<Ratio>,
}

/// A decimal that is not below zero.
fn figure(text: &str) -> Result<Ratio, String> {
	let value = SignedRatio::parse_json_number(text)
		.map_err(|error| format!("not a decimal number: {error}"))?;
	value.not_negative().ok_or_else(|| "must not be negative".to_string())
}

/// A decimal from 0 to 1.
fn rate(text: &str) -> Result<Ratio, String> {
	let value = figure(text)?;
	if value > Ratio::ONE { Err("must be at most 1".to_string()) } else { Ok(value) }
}

/// What is printed: the score from 0 to 10,000, and its parts in points from 0 to 100, rounded to
/// six decimals.
#[derive(Serialize)]
struct Shown {
	score: u32,
	g: f64,
	t: f64,
	u: f64,
	c: f64,
}

impl From<Score> for Shown {
	fn from(score: Score) -> Self {
		// Millionths of a point, which a float of 53 bits prints as they are.
		let points = |part: u64| (part.saturating_add(500) / 1_000) as f64 / 1e6;
		let Score { score, g, t, u, c } = score;
		Self { score, g: points(g), t: points(t), u: points(u), c: points(c) }
	}
}

/// Runs `gridproof score`.
pub fn run(args: &ScoreArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let inputs = ScoreInputs {
		gb_seconds: args.gb_seconds,
		tokens_per_second: args.tokens_per_second,
		model_factor: args.model_factor,
		uptime_hours: args.uptime_hours,
		success_rate: args.success_rate,
	};
	out.result(&Shown::from(inputs.score()), |shown| {
		let Shown { score, g, t, u, c } = shown;
		format!(
			"score {score} of {SCORE_MAX}\n\
			 G     {g:.6} points for memory in use, 30 %\n\
			 T     {t:.6} points for throughput, 30 %\n\
			 U     {u:.6} points for time online (full at {FULL_HOURS} hours), 20 %\n\
			 C     {c:.6} points for jobs delivered, 20 %"
		)
	})?;
	Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn figures_are_read_exactly() {
		assert_eq!(figure("12.5"), Ok(Ratio::new(25, 2).unwrap()));
		assert_eq!(figure("0"), Ok(Ratio::ZERO));
		assert_eq!(figure("1e3"), Ok(Ratio::from_integer(1_000)));
		assert_eq!(figure("0.1"), Ok(Ratio::new(1, 10).unwrap()));
		for text in ["", "x", "1,5", "0x10", "NaN", "inf", "1/0", ".", "--1"] {
			assert!(figure(text).is_err(), "{text}");
		}
		assert_eq!(figure("-1").unwrap_err(), "must not be negative");
	}

	#[test]
	fn a_rate_is_at_most_one() {
		assert_eq!(rate("1.000"), Ok(Ratio::ONE));
		assert_eq!(rate("1.0000001").unwrap_err(), "must be at most 1");
		assert_eq!(rate("-0.1").unwrap_err(), "must not be negative");
	}

	#[test]
	fn parts_are_printed_as_decimals_of_points() {
		let score =
			Score { score: 9_911, g: 97_045_193_661, t: 100_000_000_000, u: 1_499, c: 1_500 };
		let shown = serde_json::to_string(&Shown::from(score)).unwrap();
		assert_eq!(shown, r#"{"score":9911,"g":97.045194,"t":100.0,"u":1e-6,"c":2e-6}"#);
	}
}
