//! What a miner checks and signs, and what its outbox keeps.

use codec::Encode;
use gridproof_compute_api::protocol::{
	Assignment, Finish, Further, JobSpec, Output, RefusalReason, SPEC_VERSION, Sampling, Task,
};
use gridproof_engine::Measured;
use gridproof_keys::{Kind, SealedKey};
use gridproof_miner::{
	Counts, Outbox, Stored,
	assignment::{check, receipt},
};
use gridproof_primitives::{
	H256,
	compute::{PriceAsset, Quote},
};
use gridproof_support::text::{Amount, Hex64, HexBytes};
use std::time::Duration;

const GENESIS: H256 = H256([7; 32]);
const ME: [u8; 32] = [5; 32];
const NOW: u64 = 1_000_000;

fn coordinator() -> SealedKey {
	SealedKey::from_seed([1; 32].into(), Some(Kind::Coordinator), None)
}

fn spec() -> JobSpec {
	JobSpec {
		version: SPEC_VERSION,
		model: "m".to_string(),
		task: Task::Completion { prompt: "Hello".to_string() },
		max_tokens: 8,
		sampling: Sampling::default(),
		further: Further::default(),
	}
}

fn quote() -> Quote {
	Quote {
		coordinator: *coordinator().public(),
		client: [2; 32],
		spec_hash: spec().hash(),
		model_factor: 5_000,
		asset: PriceAsset::Ait,
		price: 1_000,
		max_units: 100,
		expiry_ms: NOW + 10,
		deadline_ms: NOW + 60_000,
		miner: None,
		nonce: 3,
		model: None,
	}
}

fn assignment(quote: &Quote, spec: JobSpec) -> Assignment {
	Assignment {
		job: quote.job_id(&GENESIS).into(),
		attempt: 1,
		spec,
		quote: HexBytes(quote.encode()),
		quote_signature: Hex64(coordinator().sign(&quote.signing_payload(&GENESIS))),
		unit_price: Amount(7),
		nonce: 3,
		lease_until_ms: NOW + 5_000,
		stream: false,
	}
}

fn checked(assignment: &Assignment) -> Result<Quote, (RefusalReason, String)> {
	check(assignment, &GENESIS, coordinator().public(), &ME, NOW)
}

#[test]
fn an_assignment_that_agrees_with_its_quote_is_taken() {
	assert_eq!(checked(&assignment(&quote(), spec())), Ok(quote()));
	let named = Quote { miner: Some(ME), ..quote() };
	assert_eq!(checked(&assignment(&named, spec())), Ok(named));
}

#[test]
fn an_assignment_that_does_not_agree_with_its_quote_is_given_back() {
	let good = assignment(&quote(), spec());
	let of = |quote: Quote| assignment(&quote, spec());
	let mut broken = good.clone();
	broken.quote.0.push(0);
	let mut unsigned = good.clone();
	unsigned.quote_signature.0[0] ^= 1;
	let other_spec = JobSpec { max_tokens: 9, ..spec() };
	let cases = [
		(broken, "not SCALE"),
		(Assignment { job: H256([9; 32]).into(), ..good.clone() }, "another job's"),
		(unsigned, "signature"),
		(assignment(&quote(), other_spec), "not the quote's"),
		(of(Quote { coordinator: [4; 32], ..quote() }), "another coordinator's"),
		(of(Quote { miner: Some([6; 32]), ..quote() }), "names another miner"),
		(of(Quote { deadline_ms: NOW, ..quote() }), "deadline has passed"),
		(of(Quote { max_units: 0, ..quote() }), "no compute units"),
	];
	for (assignment, reason) in cases {
		let (code, detail) = checked(&assignment).unwrap_err();
		assert_eq!(code, RefusalReason::BadQuote);
		assert!(detail.contains(reason), "{detail}");
	}
	let newer = JobSpec { version: SPEC_VERSION + 1, ..spec() };
	let quote = Quote { spec_hash: newer.hash(), ..quote() };
	let (code, _) = checked(&assignment(&quote, newer)).unwrap_err();
	assert_eq!(code, RefusalReason::BadSpec);
	let other = check(&good, &H256([8; 32]), coordinator().public(), &ME, NOW);
	assert!(other.unwrap_err().1.contains("another job's"), "of another chain");
}

fn output(read: u64, made: u64) -> Output {
	Output {
		text: "text".to_string(),
		embeddings: Vec::new(),
		finish: Finish::Stop,
		prompt_tokens: read,
		completion_tokens: made,
		answers: Vec::new(),
	}
}

fn measured(micros: u64, bytes: u64) -> Measured {
	Measured { wall: Duration::from_micros(micros), memory_bytes: bytes, tokens: 0 }
}

#[test]
fn a_receipt_states_what_was_made_within_the_quote() {
	let (quote, assignment) = (quote(), assignment(&quote(), spec()));
	let made = receipt(&assignment, &quote, ME, &output(4, 6), &measured(2_000_001, 30_000_001));
	assert_eq!((made.job_id, made.miner, made.nonce), (quote.job_id(&GENESIS), ME, 3));
	assert_eq!(made.output_hash, output(4, 6).hash());
	// Ten tokens of a model of factor 5, at 7 a unit.
	assert_eq!((made.compute_units, made.price), (50, 350));
	let telemetry = made.telemetry;
	assert_eq!((telemetry.input_tokens, telemetry.output_tokens), (4, 6));
	assert_eq!((telemetry.duration_ms, telemetry.memory_mb), (2_001, 31), "what has begun counts");
	let most = receipt(&assignment, &quote, ME, &output(400, 600), &measured(0, 0));
	assert_eq!((most.compute_units, most.price), (100, 700), "no more than the quote allows");
	assert_eq!(most.telemetry.duration_ms, 1, "no work takes no time");
	let dear = Assignment { unit_price: Amount(100), ..assignment };
	assert_eq!(receipt(&dear, &quote, ME, &output(4, 6), &measured(1, 1)).price, 1_000);
}

fn stored(job: u8, attempt: u32, text: &str) -> Stored {
	Stored {
		job: H256([job; 32]),
		coordinator: [1; 32],
		attempt,
		output: Output { text: text.to_string(), ..output(1, 2) },
		receipt: text.as_bytes().to_vec(),
		signature: [3; 64],
		units: 15,
		deadline_ms: NOW,
		made_ms: u64::from(job),
		voucher: None,
	}
}

#[tokio::test]
async fn the_result_that_was_kept_first_stays() {
	let folder = tempfile::tempdir().unwrap();
	let outbox = Outbox::open(folder.path(), NOW).await.unwrap();
	assert_eq!(outbox.keep(stored(1, 1, "first")).await.unwrap(), stored(1, 1, "first"));
	let again = outbox.keep(stored(1, 2, "second")).await.unwrap();
	assert_eq!(again, stored(1, 2, "first"), "delivered as the later attempt");
	assert_eq!(outbox.pending([1; 32]).await.unwrap(), [stored(1, 2, "first")]);
	assert_eq!(outbox.pending([2; 32]).await.unwrap(), [], "of another coordinator");
}

#[tokio::test]
async fn what_is_kept_is_there_after_a_restart_and_seen_from_outside() {
	let folder = tempfile::tempdir().unwrap();
	assert_eq!(Outbox::peek(folder.path()).unwrap(), None);
	let outbox = Outbox::open(folder.path(), NOW).await.unwrap();
	for job in [3, 1, 2] {
		outbox.keep(stored(job, 1, "text")).await.unwrap();
	}
	let counts = Counts { pending: 3, ..Counts::default() };
	assert_eq!(Outbox::peek(folder.path()).unwrap(), Some(counts), "while it is open");
	drop(outbox);
	let outbox = Outbox::open(folder.path(), NOW).await.unwrap();
	let pending = outbox.pending([1; 32]).await.unwrap();
	let order: Vec<u64> = pending.iter().map(|stored| stored.made_ms).collect();
	assert_eq!(order, [1, 2, 3], "the oldest first");
}

#[tokio::test]
async fn every_end_is_final_until_the_job_comes_again() {
	let folder = tempfile::tempdir().unwrap();
	let outbox = Outbox::open(folder.path(), NOW).await.unwrap();
	for job in 1..=4 {
		outbox.keep(stored(job, 1, "text")).await.unwrap();
	}
	let job = |number: u8| H256([number; 32]);
	outbox.delivered(job(1)).await.unwrap();
	outbox.withheld(job(2), 1, "not assigned").await.unwrap();
	outbox.refused(job(3), "mismatch").await.unwrap();
	// Answers that come late.
	outbox.refused(job(1), "late").await.unwrap();
	outbox.withheld(job(1), 1, "late").await.unwrap();
	let wanted = Counts { pending: 1, delivered: 1, withheld: 1, refused: 1, units: 15 };
	assert_eq!(outbox.counts().await.unwrap(), wanted);
	assert_eq!(outbox.reassigned(job(2), 5).await.unwrap(), Some(stored(2, 5, "text")));
	outbox.withheld(job(2), 4, "late: it has come back meanwhile").await.unwrap();
	assert_eq!(outbox.reassigned(job(9), 1).await.unwrap(), None);
	assert_eq!(outbox.counts().await.unwrap().pending, 2);
}

#[tokio::test]
async fn what_is_long_over_is_cleared_away() {
	let folder = tempfile::tempdir().unwrap();
	let outbox = Outbox::open(folder.path(), NOW).await.unwrap();
	outbox.keep(stored(1, 1, "text")).await.unwrap();
	drop(outbox);
	let month = 30 * 86_400_000;
	let outbox = Outbox::open(folder.path(), NOW + month).await.unwrap();
	assert_eq!(outbox.counts().await.unwrap().pending, 1);
	drop(outbox);
	let outbox = Outbox::open(folder.path(), NOW + month + 1).await.unwrap();
	assert_eq!(outbox.counts().await.unwrap().pending, 0);
}

#[tokio::test]
async fn a_result_that_is_not_taken_stands_behind_the_others() {
	let folder = tempfile::tempdir().unwrap();
	let outbox = Outbox::open(folder.path(), 0).await.unwrap();
	for job in 0..=255u8 {
		outbox.keep(stored(job, 1, "stuck")).await.unwrap();
		outbox.later(H256([job; 32]), NOW, "413").await.unwrap();
	}
	assert_eq!(outbox.due([1; 32], NOW).await.unwrap(), [], "none is tried at once again");
	let mut new = stored(0, 1, "new");
	// None of the others has two different bytes.
	new.job.0[0] = 1;
	outbox.keep(new.clone()).await.unwrap();
	assert_eq!(outbox.due([1; 32], NOW).await.unwrap(), [new.clone()]);
	let due = outbox.due([1; 32], NOW + 60_000).await.unwrap();
	assert_eq!((due.len(), &due[0]), (256, &new), "the new one is still the first");
	assert_eq!(outbox.due([1; 32], 0).await.unwrap().len(), 256, "a clock put back holds none");
	outbox.reassigned(H256([7; 32]), 2).await.unwrap();
	let again = outbox.due([1; 32], NOW).await.unwrap();
	assert!(again.iter().any(|stored| stored.job == H256([7; 32])), "given again, sent again");
}
