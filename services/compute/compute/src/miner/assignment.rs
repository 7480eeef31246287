//! What a miner checks before it works, and what it signs afterwards.

use crate::protocol::{Assignment, Output, RefusalReason, SPEC_VERSION, price_of};
use codec::DecodeAll;
use gridproof_engine::Measured;
use gridproof_primitives::{
	H256,
	compute::{Quote, Receipt, Telemetry, compute_units},
};

/// Checks that an assignment is what its coordinator and client agreed on, and its quote.
///
/// `now` is in UTC milliseconds.
///
/// # Errors
/// Why the job is given back.
pub fn check(
	assignment: &Assignment,
	genesis: &H256,
	coordinator: &[u8; 32],
	miner: &[u8; 32],
	now: u64,
) -> Result<Quote, (RefusalReason, String)> {
	let bad = |reason: &str| (RefusalReason::BadQuote, reason.to_string());
	let quote = Quote::decode_all(&mut &assignment.quote.0[..])
		.map_err(|_| bad("the quote is not SCALE of a quote"))?;
	let rules = [
		(quote.coordinator == *coordinator, "the quote is another coordinator's"),
		(quote.job_id(genesis) == H256::from(assignment.job), "the quote is another job's"),
		(quote.spec_hash == assignment.spec.hash(), "the specification is not the quote's"),
		(quote.miner.is_none_or(|named| named == *miner), "the quote names another miner"),
		(quote.deadline_ms > now, "the job's deadline has passed"),
	];
	if let Some((_, reason)) = rules.into_iter().find(|(holds, _)| !holds) {
		return Err(bad(reason));
	}
	quote.check().map_err(|fault| bad(&fault.to_string()))?;
	quote
		.verify(genesis, &assignment.quote_signature.0)
		.map_err(|fault| bad(&format!("the quote's signature: {}", fault.as_str())))?;
	if assignment.spec.version != SPEC_VERSION {
		let reason = format!("a specification of version {}", assignment.spec.version);
		return Err((RefusalReason::BadSpec, reason));
	}
	Ok(quote)
}

/// The receipt of a job that is done, within its quote whatever was measured.
pub fn receipt(
	assignment: &Assignment,
	quote: &Quote,
	miner: [u8; 32],
	output: &Output,
	measured: &Measured,
) -> Receipt {
	let units = compute_units(output.tokens(), quote.model_factor).min(quote.max_units);
	Receipt {
		job_id: assignment.job.into(),
		miner,
		output_hash: output.hash(),
		compute_units: units,
		price: price_of(units, assignment.unit_price.0, quote.price),
		nonce: assignment.nonce,
		telemetry: Telemetry {
			input_tokens: u32::try_from(output.prompt_tokens).unwrap_or(u32::MAX),
			output_tokens: u32::try_from(output.completion_tokens).unwrap_or(u32::MAX),
			// A millisecond that has begun counts, and a megabyte.
			duration_ms: u64::try_from(measured.wall.as_micros().div_ceil(1_000))
				.unwrap_or(u64::MAX)
				.max(1),
			memory_mb: u32::try_from(measured.memory_bytes.div_ceil(1_000_000)).unwrap_or(u32::MAX),
		},
	}
}
