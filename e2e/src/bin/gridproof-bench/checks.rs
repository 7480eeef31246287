//! Checks of work: what honest miners and cheats score, after how many checks each is found, and what a check costs.

use crate::options::Options;
use anyhow::{Context, Result, bail};
use codec::Encode;
use gridproof_engine::{Engine, LocalEngine, TrialCheat};
use gridproof_primitives::{
	H256,
	compute::{
		ComputeParameters, PriceAsset, Telemetry,
		channels::{
			BatchKind, ChannelReceipt, ChannelSums, MerklePath, MinerSums, Mode, PaidBy, Placed,
			ReceiptV2, RunningSums, Sampler, VoucherId,
		},
		checks::{
			Ballot, BatchId, CheckParameters, CheckReport, Figures, JuryCommitment, OpeningDemand,
			Reopening, SeededFigures, ShownFigures, TokenFigures, Verdict, Vrf, Witness,
			WitnessStatement,
		},
	},
	num::units::AIT,
};
use gridproof_verifier::{
	calibrate::{Calibration, calibrate, claimed},
	trial::{HONEST, Scored, cheating, honest, options, score},
};
use std::time::Instant;

/// Bytes of a signature, and of the numbers of pallet and call.
const SIGNATURE_AND_NUMBERS: usize = 64 + 2;

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
	cost(&verifier, asked.tokens)?;
	on_chain()?;
	shares();
	Ok(())
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

/// What a pass of the verifier takes, and making the answer.
fn cost(verifier: &LocalEngine, tokens: u32) -> Result<()> {
	let options = options(200, tokens);
	let begun = Instant::now();
	let mut claims = Vec::new();
	for number in 0..options.runs {
		claims.push(claimed(verifier, &options, number)?);
	}
	let making = begun.elapsed().as_secs_f64();
	let begun = Instant::now();
	for claim in &claims {
		verifier.force(claim)?;
	}
	let judging = begun.elapsed().as_secs_f64();
	let made: usize = claims.iter().map(|claim| claim.output.len()).sum();
	let passed: usize = claims.iter().map(|claim| claim.prompt.len() + claim.output.len()).sum();
	println!(
		"\na check of {} answers: {:.2} ms a token of output, {:.2} ms a token of prompt and output ({passed}); \
		 making them: {:.2} ms a token of output ({made})",
		claims.len(),
		judging * 1_000.0 / made as f64,
		judging * 1_000.0 / passed as f64,
		making * 1_000.0 / made as f64,
	);
	Ok(())
}

/// A report of a receipt with so many hashes from its leaf to the root.
fn report(hashes: usize) -> Result<CheckReport> {
	let receipt = ReceiptV2 {
		paid_by: PaidBy::Voucher(VoucherId { channel: 0, number: 0 }),
		miner: Some([0; 32]),
		model: H256::zero(),
		spec_hash: H256::zero(),
		output_root: H256::zero(),
		weight: 0,
		price: 0,
		sampler: Sampler::Gumbel,
		telemetry: Telemetry::default(),
		settle_by_ms: 0,
	};
	let kind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };
	let (channel, miner) = (ChannelSums::default(), MinerSums::default());
	let item = ChannelReceipt { receipt, sums: RunningSums { kind, channel, miner } };
	let Ok(path) = MerklePath::try_from(vec![H256::zero(); hashes]) else {
		bail!("no tree is as deep")
	};
	Ok(CheckReport {
		verifier: [0; 32],
		check: 0,
		vrf: Vrf { output: [0; 32], proof: [0; 64] },
		batch: BatchId { coordinator: [0; 32], sequence: 0 },
		receipt: Placed { item, index: 0, path },
		figures: Figures::Seeded(SeededFigures { tokens: 0, clipped: 0, matches: 0, end: 0 }),
		commitment: H256::zero(),
	})
}

/// Bytes of what verifiers say on chain, without those of a transaction around it.
fn on_chain() -> Result<()> {
	let (one, thousand, more) = (report(0)?, report(10)?, report(17)?);
	let (verifier, vrf, of) = (one.verifier, one.vrf, one.id());
	let (dispute, commitment) = (H256::zero(), H256::zero());
	let demand = OpeningDemand {
		verifier,
		check: 0,
		vrf,
		batch: of.batch,
		miner: [0; 32],
		receipt: Some(thousand.receipt.clone()),
	};
	let witness = WitnessStatement { witness: verifier, of, index: Some(0), says: Witness::Has };
	let reopening = Reopening { by: verifier, of, vrf, commitment };
	let Ok(figures) = TokenFigures::try_from(vec![0; 100]) else {
		bail!("so many figures are not shown")
	};
	let shown = ShownFigures { by: verifier, of, figures };
	let verdict = Verdict { guilty: true, invented: None };
	let committed = JuryCommitment { juror: verifier, dispute, commitment };
	let ballot = Ballot { juror: verifier, dispute, verdict, salt: [0; 32] };
	println!("\nsaid on chain, with signature | bytes");
	for (what, bytes) in [
		("report, of a batch of one receipt", one.encoded_size()),
		("report, of 1,000 receipts", thousand.encoded_size()),
		("report, of 100,000 receipts", more.encoded_size()),
		("demand of an opening, of 1,000 receipts", demand.encoded_size()),
		("what a witness got", witness.encoded_size()),
		("second look", reopening.encoded_size()),
		("figures shown, of 100 tokens", shown.encoded_size()),
		("commitment to a vote", committed.encoded_size()),
		("vote", ballot.encoded_size()),
	] {
		println!("{what} | {}", bytes + SIGNATURE_AND_NUMBERS);
	}
	// It names the batch, and nobody signs it.
	println!("touch, once a batch | {}", of.batch.encoded_size() + 2);
	Ok(())
}

/// What share of prices, and of what the treasury receives of them, is paid for checks by the default parameters.
fn shares() {
	let (checks, compute) = (CheckParameters::default(), ComputeParameters::default());
	let million = 1_000_000.0;
	let treasury = f64::from(compute.price_split.treasury) / million;
	let most = f64::from(checks.pay_share) / million;
	let ait = |units: u128| units as f64 / AIT as f64;
	let (value, pay) = (ait(checks.value_per_check), ait(checks.pay_per_check));
	println!(
		"\npay of checks, one for {value} AIT of price and claim | AIT | of prices | of the treasury's share"
	);
	for (what, minted) in [
		("nothing is minted", 0.0),
		("all is minted that can be", f64::from(compute.mint_per_received) / million * treasury),
	] {
		let price = value / (1.0 + minted);
		let received = treasury * price;
		let paid = pay.min(most * received);
		println!(
			"{what} | {paid:.4} | {:.2} % | {:.1} %",
			paid / price * 100.0,
			paid / received * 100.0
		);
	}
}
