//! Checks of work: what honest miners and cheats score, and after how many checks each is found.

use crate::options::Options;
use anyhow::{Context, Result};
use gridproof_engine::{LocalEngine, TrialCheat};
use gridproof_primitives::compute::checks::ModelLine;
use gridproof_verifier::{
	calibrate::{Calibration, calibrate},
	trial::{HONEST, Scored, cheating, honest, options, score},
};
use std::time::Instant;

/// What `scripts/bench checks` is asked for.
struct Asked {
	/// Honest answers of which the line is made.
	line: u32,
	honest: u32,
	cheats: u32,
	tokens: u32,
}

/// Measures, and prints tables.
pub(crate) async fn run(mut given: Options) -> Result<()> {
	let mut number = |name: &str, default: u64| -> Result<u32> {
		u32::try_from(given.number(name, default)?).context("too many")
	};
	let asked = Asked {
		line: number("--line", 4_000)?,
		honest: number("--honest", 10_000)?,
		cheats: number("--cheats", 200)?,
		tokens: number("--tokens", 16)?,
	};
	given.end()?;
	tokio::task::spawn_blocking(move || measure(&asked)).await?
}

fn measure(asked: &Asked) -> Result<()> {
	let verifier = LocalEngine::embedded()?;
	let noisiest = honest(HONEST[2].1)?;
	let found = calibrate(&*noisiest, &verifier, &options(asked.line, asked.tokens))?;
	let Calibration { line, .. } = &found;
	println!(
		"line {} micro, limit {}, clip {}, agreement {}, from {} answers of 16-bit numbers: {} with a gap, \
		 mean {}, highest {}; finds {} within {} checks",
		line.line,
		line.limit,
		line.clip,
		line.agreement,
		found.runs,
		found.with_gap,
		found.mean,
		found.highest,
		found.finds_from,
		line.finds_within
	);
	println!(
		"\nminer | checks | tokens | drawn ones | mean, micro | not equal | computed | found after | alarms"
	);
	for (name, altered) in HONEST {
		let miner = honest(altered)?;
		let scored = timed(name, || {
			score(name, &*miner, &verifier, &options(asked.honest, asked.tokens), line)
		})?;
		show(&scored, &found);
	}
	for cheat in TrialCheat::ALL {
		let miner = cheating(cheat)?;
		let name = cheat.as_str();
		let scored = score(name, &*miner, &verifier, &options(asked.cheats, asked.tokens), line)?;
		show(&scored, &found);
	}
	cost(&verifier, asked.tokens, line)
}

fn timed<E>(name: &str, work: impl FnOnce() -> Result<Scored, E>) -> Result<Scored, E> {
	let begun = Instant::now();
	let scored = work()?;
	eprintln!("{name}: {:.1} s", begun.elapsed().as_secs_f64());
	Ok(scored)
}

fn show(scored: &Scored, line: &Calibration) {
	let shown =
		|checks: Option<u64>| checks.map_or("never".to_string(), |checks| checks.to_string());
	let found = shown(scored.found_after.map(u64::from));
	let computed = shown(line.found_within(scored.mean));
	println!(
		"{} | {} | {} | {} | {} | {} | {computed} | {found} | {}",
		scored.miner,
		scored.checks,
		scored.tokens,
		scored.matches,
		scored.mean,
		scored.unequal,
		scored.alarms
	);
}

/// What a pass of the verifier takes, beside making the answer.
fn cost(verifier: &LocalEngine, tokens: u32, line: &ModelLine) -> Result<()> {
	use gridproof_verifier::calibrate::judged;
	let options = options(200, tokens);
	let begun = Instant::now();
	let mut made = 0u64;
	for number in 0..options.runs {
		made += u64::try_from(judged(verifier, verifier, &options, number)?.tokens.len())?;
	}
	let both = begun.elapsed().as_secs_f64();
	println!(
		"\nmaking and judging an answer: {:.2} ms a token of output ({made} tokens, clip {})",
		both * 1_000.0 / made as f64,
		line.clip
	);
	Ok(())
}
