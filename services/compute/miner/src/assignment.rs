//! What a miner checks before it works, and what it signs afterwards.

use gridproof_compute_api::protocol::{Assignment, Output, RefusalReason, SPEC_VERSION, price_of};
use gridproof_engine::{EngineError, Measured};
use gridproof_primitives::{
	H256,
	compute::{Quote, Receipt, Telemetry, compute_units},
};
use gridproof_support::number::clamped;

/// Checks that an assignment is what its coordinator and client agreed on, and its quote.
///
/// `now` is in UTC milliseconds.
///
/// # Errors
/// Why the job is given back, for programs and for people.
pub fn check(
	assignment: &Assignment,
	genesis: &H256,
	coordinator: &[u8; 32],
	miner: &[u8; 32],
	now: u64,
) -> Result<Quote, (RefusalReason, String)> {
	let bad = |reason: &str| (RefusalReason::BadQuote, reason.to_string());
	let quote =
		Quote::read(&assignment.quote.0).map_err(|_| bad("the quote is not SCALE of a quote"))?;
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
	quote.check().map_err(|error| bad(&error.to_string()))?;
	quote
		.verify(genesis, &assignment.quote_signature.0)
		.map_err(|error| bad(&format!("the quote's signature: {}", error.as_str())))?;
	if assignment.spec.version != SPEC_VERSION {
		let reason = format!("a specification of version {}", assignment.spec.version);
		return Err((RefusalReason::BadSpec, reason));
	}
	Ok(quote)
}

/// Returns the receipt of a job that is done, within its quote whatever was measured.
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
			input_tokens: clamped(output.prompt_tokens),
			output_tokens: clamped(output.completion_tokens),
			// A millisecond that has begun counts, and a megabyte.
			duration_ms: clamped::<u64, _>(measured.wall.as_micros().div_ceil(1_000)).max(1),
			memory_mb: clamped(measured.memory_bytes.div_ceil(1_000_000)),
		},
	}
}

/// Returns why a job is given back when the engine has failed.
pub const fn refusal_for(error: &EngineError) -> RefusalReason {
	match error {
		EngineError::UnknownModel { .. } => RefusalReason::ModelUnavailable,
		EngineError::NotOffered { .. } => RefusalReason::NotOffered,
		EngineError::PromptTooLong { .. } | EngineError::ContextExceeded(_) => {
			RefusalReason::ContextExceeded
		},
		EngineError::BadRequest(_) => RefusalReason::BadSpec,
		EngineError::Cancelled => RefusalReason::ShuttingDown,
		EngineError::BadModel { .. } | EngineError::Unavailable(_) | EngineError::Failed(_) => {
			RefusalReason::EngineFailed
		},
	}
}
