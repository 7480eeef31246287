//! What makes a result good, and how it becomes a receipt.

use crate::{
	check::Verdict,
	coordinator::Coordinator,
	error::RequestError,
	rows::{self, Change, Job, ReceiptRow},
	sessions::Session,
};
use codec::{DecodeAll, Encode};
use gridproof_compute_api::protocol::{
	Accepted, Answer, ErrorCode, JobResult, JobSpec, JobStage, Output, Settlement, is_document,
	price_of, vector_from_text,
};
use gridproof_primitives::{
	H256,
	compute::{Quote, Receipt, Signer, Telemetry, compute_units},
};
use gridproof_support::number::clamped;
use rand::{Rng, rngs::OsRng};

/// Tokens that a text may have beyond its bytes: those that end it.
const INVISIBLE_TOKENS: u64 = 16;
/// How much longer than the time since its assignment a miner may claim to have worked, in milliseconds.
pub(crate) const CLOCK_SLACK_MS: u64 = 5_000;

impl Coordinator {
	/// Takes a miner's result: checks it, signs the receipt, keeps both. The same result again
	/// is answered the same way.
	///
	/// # Errors
	/// [`ErrorCode::UnknownJob`], [`ErrorCode::NotAssigned`], [`ErrorCode::AlreadyCompleted`],
	/// [`ErrorCode::Expired`]; and, after which the job goes to another miner,
	/// [`ErrorCode::Mismatch`], [`ErrorCode::Implausible`], [`ErrorCode::BadSignature`],
	/// [`ErrorCode::NotReproduced`].
	pub async fn result(
		&self,
		session: &Session,
		id: H256,
		result: &JobResult,
	) -> Result<Accepted, RequestError> {
		// Looked at before the job is read: who lost the lease to the same result, sent twice at once,
		// then finds the job completed.
		if let Some(request) = self.book.request(&id) {
			return self.request_result(session, &request, result).await;
		}
		let held = self.is_held(session, id, result.attempt);
		let Some(job) = self.job(id).await? else {
			return self.repeated_request(session, result).await;
		};
		if job.state == JobStage::Completed {
			return self.repeated(session, id, result).await;
		}
		held?;
		// Checking takes its time, which is not the miner's.
		let until = self.time.steady().saturating_add(self.lease_ms());
		self.sessions.prolong(id, session.miner(), result.attempt, until);
		let receipt = match self.check(session, &job, result).await {
			Ok(receipt) => receipt,
			Err(error) => {
				tracing::warn!(%error, "a result is refused");
				self.metrics.refused.inc();
				self.sessions.strike(session.miner(), self.time.steady());
				self.give_back(id, result.attempt, &error.message, true).await?;
				return Err(error);
			},
		};
		self.complete(session, &job, result, &receipt).await
	}

	/// Answers a result for a job that is done.
	async fn repeated(
		&self,
		session: &Session,
		id: H256,
		result: &JobResult,
	) -> Result<Accepted, RequestError> {
		let row = self.read(move |db| Ok(rows::receipt(db, id)?)).await?;
		let receipt = Receipt::decode_all(&mut &result.receipt.0[..]).ok();
		let same = row.filter(|row| {
			row.receipt == result.receipt.0
				&& receipt.is_some_and(|receipt| receipt.miner == *session.miner())
		});
		match same {
			Some(row) => Ok(Accepted { receipt_id: row.id.into(), repeated: true, issued: None }),
			None => RequestError::err(ErrorCode::AlreadyCompleted, "the job is done already"),
		}
	}

	/// Checks a result by all rules, and returns its receipt.
	async fn check(
		&self,
		session: &Session,
		job: &Job,
		result: &JobResult,
	) -> Result<Receipt, RequestError> {
		let mismatch = |message: &str| RequestError::new(ErrorCode::Mismatch, message);
		let receipt = Receipt::decode_all(&mut &result.receipt.0[..])
			.map_err(|_| mismatch("the receipt is not SCALE of a receipt"))?;
		let quote = Quote::read(&job.quote)
			.map_err(|_| RequestError::new(ErrorCode::Internal, "the job's quote is broken"))?;
		let (spec, output, telemetry) = (job.spec()?, &result.output, &receipt.telemetry);
		let units = compute_units(output.tokens(), quote.model_factor).min(quote.max_units);
		let same = |a: u32, b: u64| u64::from(a) == b;
		let rules = [
			(receipt.job_id == job.job, "the receipt is another job's"),
			(receipt.miner == *session.miner(), "the receipt is another miner's"),
			(receipt.nonce == job.nonce, "the receipt's nonce is not the assignment's"),
			(receipt.output_hash == output.hash(), "the receipt's hash is not the output's"),
			(same(telemetry.input_tokens, output.prompt_tokens), "input tokens differ"),
			(same(telemetry.output_tokens, output.completion_tokens), "output tokens differ"),
			(units > 0, "the tokens make no unit"),
			(receipt.compute_units == units, "the units are not those of the tokens"),
			(
				receipt.price == price_of(units, job.unit_price, job.price),
				"the price is not the units' price",
			),
		];
		if let Some((_, reason)) = rules.into_iter().find(|(holds, _)| !holds) {
			return Err(mismatch(reason));
		}
		let (now, steady) = (self.now(), self.time.steady());
		let held = self.sessions.held_by(session.miner());
		let lease = held.into_iter().find(|(id, _)| *id == job.job).map(|(_, lease)| lease);
		// Since its assignment, or, after a restart, since the job's row last changed.
		let worked = lease.map_or(now.saturating_sub(job.created_ms), |lease| {
			steady.saturating_sub(lease.since_ms).max(now.saturating_sub(job.updated_ms))
		});
		let longest = worked.saturating_add(CLOCK_SLACK_MS);
		plausible(&spec, output, self.settings.text_bounds_tokens)
			.and(measurable(telemetry, longest))
			.map_err(|reason| RequestError::new(ErrorCode::Implausible, reason))?;
		receipt
			.verify(&self.genesis, Signer::Miner, session.miner(), &result.signature.0)
			.map_err(|error| RequestError::new(ErrorCode::BadSignature, error.as_str()))?;
		self.check_again(spec, output).await?;
		Ok(receipt)
	}

	/// Checks some of the results with an engine of the coordinator's own.
	pub(crate) async fn check_again(
		&self,
		spec: JobSpec,
		output: &Output,
	) -> Result<(), RequestError> {
		let Some(checker) = self.checker.clone() else { return Ok(()) };
		if OsRng.gen_range(0..1_000) >= self.settings.check_per_thousand {
			return Ok(());
		}
		let output = output.clone();
		match tokio::task::spawn_blocking(move || checker(&spec, &output)).await {
			Ok(None) => Ok(()),
			Ok(Some(Ok(verdict))) => {
				self.metrics.checked.inc();
				match verdict {
					Verdict::Right => Ok(()),
					Verdict::Wrong(reason) => RequestError::err(ErrorCode::NotReproduced, reason),
				}
			},
			// The checker's own failure proves nothing against the miner.
			Ok(Some(Err(reason))) => {
				tracing::warn!(reason, "a result could not be checked");
				Ok(())
			},
			Err(error) => {
				tracing::error!(%error, "checking a result broke off");
				Ok(())
			},
		}
	}

	/// Signs the receipt and keeps it with the output, all or nothing.
	async fn complete(
		&self,
		session: &Session,
		job: &Job,
		result: &JobResult,
		receipt: &Receipt,
	) -> Result<Accepted, RequestError> {
		let (id, attempt, now) = (job.job, result.attempt, self.now());
		if now >= job.deadline_ms {
			return RequestError::err(ErrorCode::Expired, "the job's deadline has passed");
		}
		let payload = receipt.signing_payload(&self.genesis, Signer::Coordinator);
		let row = ReceiptRow {
			job: id,
			id: receipt.id(&self.genesis),
			receipt: receipt.encode(),
			miner_signature: result.signature.0,
			coordinator_signature: self.key.sign(&payload),
			units: receipt.compute_units,
			price: receipt.price,
			settlement: Settlement::Pending,
			tries: 0,
			reason: None,
			block: None,
			signed_ms: now,
			settled_ms: None,
		};
		let (receipt_id, tokens) = (row.id, result.output.tokens());
		let output = serde_json::to_string(&result.output)?;
		let done = self
			.write(move |db| {
				let change = Change::Complete { output };
				let done = rows::change(db, id, Some(attempt), &change, now)?;
				if let Some(job) = &done {
					rows::add_receipt(db, job, &row)?;
				}
				Ok(done)
			})
			.await?;
		let Some(done) = done else {
			// Somebody was faster: this very result, or the deadline.
			return self.repeated(session, id, result).await;
		};
		self.sessions.release(&id);
		self.metrics.completed.inc();
		self.metrics.tokens.inc_by(tokens);
		self.metrics.units.inc_by(receipt.compute_units);
		self.after(&done);
		self.work.notify_one();
		Ok(Accepted { receipt_id: receipt_id.into(), repeated: false, issued: None })
	}
}

/// Checks that these measurements are possible of work that took at most `longest` milliseconds.
pub(crate) fn measurable(telemetry: &Telemetry, longest: u64) -> Result<(), &'static str> {
	if !(1..=longest).contains(&telemetry.duration_ms) {
		return Err("the work cannot have taken that long, or no time");
	}
	if !telemetry.is_possible() {
		return Err("no machine works that fast, or has that much memory");
	}
	Ok(())
}

/// Checks that these counts are possible.
pub(crate) fn plausible(
	spec: &JobSpec,
	output: &Output,
	bounded: bool,
) -> Result<(), &'static str> {
	let made = output.completion_tokens;
	let length = |text: &str| clamped::<u64, _>(text.len());
	let stops = spec.sampling.stop.iter().fold(0u64, |sum, s| sum.saturating_add(length(s)));
	let (wanted, beside) = (spec.answers(), stops.saturating_add(INVISIBLE_TOKENS));
	let said = |answer: &Answer| {
		length(&answer.text).saturating_add(answer.tool_calls.as_deref().map_or(0, length))
	};
	let texts = output.all_answers().iter().map(said).fold(0u64, u64::saturating_add);
	let visible = texts.saturating_add(beside.saturating_mul(wanted));
	let is_embedding = spec.task.is_embedding();
	let most = wanted.saturating_mul(spec.max_tokens.into());
	let rules = [
		(output.tokens() > 0, "no tokens were read or made"),
		(output.prompt_tokens <= spec.max_prompt_tokens(), "more tokens read than the prompt has"),
		(made <= most, "more tokens made than were asked for"),
		(!bounded || is_embedding || made <= visible, "more tokens made than the text has bytes"),
		(is_embedding || made > 0, "an answer without a token is none"),
		(good_answers(spec, output), "not the answers that were asked for"),
		(good_vectors(spec, output), "not one vector of floats for each text"),
	];
	match rules.into_iter().find(|(holds, _)| !holds) {
		Some((_, reason)) => Err(reason),
		None => Ok(()),
	}
}

/// As many answers as were asked for, the first of them also as the text; calls of tools only if there are
/// tools, and logarithms if they were asked for and no others.
fn good_answers(spec: &JobSpec, output: &Output) -> bool {
	let answers = &output.answers;
	let Some(first) = answers.first() else {
		return spec.task.is_embedding() || spec.is_read_along();
	};
	let further = &spec.further;
	let is_json = |text: &Option<String>| text.as_deref().is_none_or(is_document);
	u64::try_from(answers.len()) == Ok(spec.answers())
		&& (&first.text, first.finish) == (&output.text, output.finish)
		&& answers.iter().all(|answer| {
			(answer.tool_calls.is_none() || further.tools.is_some())
				&& answer.logprobs.is_some() == further.logprobs.is_some()
				&& is_json(&answer.tool_calls)
				&& is_json(&answer.logprobs)
		})
}

/// One vector for each text, all of the same length, of finite floats.
fn good_vectors(spec: &JobSpec, output: &Output) -> bool {
	if !spec.task.is_embedding() {
		return output.embeddings.is_empty();
	}
	let vectors: Option<Vec<Vec<f32>>> =
		output.embeddings.iter().map(|text| vector_from_text(text)).collect();
	let Some(vectors) = vectors else { return false };
	let length = vectors.first().map_or(0, Vec::len);
	output.text.is_empty()
		&& vectors.len() == spec.task.prompts()
		&& length > 0
		&& vectors.iter().all(|vector| vector.len() == length)
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_compute_api::protocol::{
		Finish, Further, SPEC_VERSION, Sampling, Task, vector_to_text,
	};

	fn spec(task: Task, max_tokens: u32) -> JobSpec {
		let (version, model, sampling) = (SPEC_VERSION, "m".to_string(), Sampling::default());
		JobSpec { version, model, task, max_tokens, sampling, further: Further::default() }
	}

	fn output(text: &str, read: u64, made: u64) -> Output {
		Output {
			text: text.to_string(),
			embeddings: Vec::new(),
			finish: Finish::Stop,
			prompt_tokens: read,
			completion_tokens: made,
			answers: Vec::new(),
		}
	}

	#[test]
	fn impossible_counts_are_refused() {
		let spec = spec(Task::Completion { prompt: "hello".to_string() }, 40);
		let good = |output: &Output| plausible(&spec, output, true);
		assert_eq!(good(&output("hello there", 2, 3)), Ok(()));
		assert_eq!(good(&output("", 2, 1)), Ok(()), "a model may stop at once");
		assert!(good(&output("", 2, 0)).is_err(), "an engine that made nothing");
		assert!(good(&output("hello", 5_000, 3)).is_err(), "prompt too long");
		assert!(good(&output("hello", 2, 41)).is_err(), "more than asked for");
		assert!(good(&output("hi", 2, 19)).is_err(), "more tokens than bytes");
		assert_eq!(plausible(&spec, &output("hi", 2, 19), false), Ok(()));
		assert!(good(&output("hi", 2, 0)).is_err(), "text out of nothing");
		assert!(good(&output("", 0, 0)).is_err(), "nothing at all");
	}

	#[test]
	fn several_answers_are_as_many_as_were_asked_for_and_each_as_it_was_asked_for() {
		let prompts = vec!["hello".to_string(), "you".to_string()];
		let mut spec = spec(Task::Completions { prompts }, 40);
		spec.further = Further { n: 2, logprobs: Some(1), ..Further::default() };
		let answer = |text: &str| Answer {
			text: text.to_string(),
			finish: Finish::Stop,
			tool_calls: None,
			logprobs: Some("[]".to_string()),
		};
		let answers = ["one", "two", "three", "four"].map(answer).to_vec();
		let good = Output { answers, ..output("one", 4, 150) };
		// Sixteen tokens beside each text.
		assert_eq!(plausible(&spec, &good, false), Ok(()));
		assert!(plausible(&spec, &good, true).is_err(), "more tokens than bytes");
		assert_eq!(
			plausible(&spec, &Output { completion_tokens: 79, ..good.clone() }, true),
			Ok(())
		);
		let spoilt: [fn(&mut Output); 6] = [
			|output| output.completion_tokens = 161,
			|output| output.answers.clear(),
			|output| drop(output.answers.pop()),
			|output| output.text = "two".to_string(),
			|output| output.answers[2].logprobs = None,
			|output| output.answers[3].tool_calls = Some("[]".to_string()),
		];
		for (number, spoil) in spoilt.into_iter().enumerate() {
			let mut bad = good.clone();
			spoil(&mut bad);
			assert!(plausible(&spec, &bad, false).is_err(), "{number}");
		}
	}

	#[test]
	fn vectors_are_one_for_each_text_and_of_one_length() {
		let texts = vec!["a".to_string(), "b".to_string()];
		let spec = spec(Task::Embedding { input: texts }, 0);
		let encode = vector_to_text;
		let vectors = |vectors: Vec<String>| Output { embeddings: vectors, ..output("", 2, 0) };
		let (two, three) = (encode(&[1.0, 2.0]), encode(&[1.0, 2.0, 3.0]));
		let good = |output: &Output| plausible(&spec, output, true).is_ok();
		assert!(good(&vectors(vec![two.clone(), two.clone()])));
		assert!(!good(&vectors(vec![two.clone()])));
		assert!(!good(&vectors(vec![two.clone(), three])));
		assert!(!good(&vectors(vec![two, encode(&[1.0, f32::NAN])])));
		assert!(!good(&vectors(vec![String::new(), String::new()])));
	}
}
