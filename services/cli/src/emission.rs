//! `gridproof emission`: the chain's own emission schedule, for people who plan.

use crate::{args::amount::Unit, output::Output};
use clap::Args;
use gridproof_primitives::compute::emission::{HALVING_INTERVAL, STEP_MS, step_budget};
use serde::Serialize;
use std::process::ExitCode;

/// Arguments of `emission`.
#[derive(Args)]
pub struct EmissionArgs {
	/// The step: 0 is the chain's first, each takes 150 seconds.
	#[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = step)]
	step: u64,
}

fn step(text: &str) -> Result<u64, String> {
	let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
	let value = text.parse().ok().filter(|_| plain);
	value.ok_or_else(|| "must be a whole number from 0 to 18446744073709551615".to_string())
}

/// What is printed.
#[derive(Serialize)]
struct Shown {
	/// The most that the step may mint, in units of 10⁻¹⁸ AIT; a string, since JSON's numbers end at
	/// 2⁵³.
	budget: String,
}

/// Runs `gridproof emission`.
pub fn run(args: &EmissionArgs, out: &Output) -> anyhow::Result<ExitCode> {
	let budget = step_budget(args.step);
	out.result(&Shown { budget: budget.to_string() }, |_| {
		let ait = Unit::AIT.show(budget);
		let halvings = args.step.checked_div(HALVING_INTERVAL).unwrap_or(0);
		format!(
			"step {} may mint at most {ait}\n\
			 a step takes {} s; the budget was halved {halvings} times before it",
			args.step,
			STEP_MS / 1_000
		)
	})?;
	Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_step_is_a_whole_number() {
		assert_eq!(step("0"), Ok(0));
		assert_eq!(step("18446744073709551615"), Ok(u64::MAX));
		for text in ["", "-1", "+1", "1.5", "1e3", "x", "18446744073709551616"] {
			assert!(step(text).is_err(), "{text}");
		}
	}
}
