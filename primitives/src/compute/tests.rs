//! What is signed, and what is refused.

use super::*;
use crate::{H256, compute::settlement::Split, crypto::ed25519::Signature};
use sp_core::{Pair, ed25519::Pair as Key};

const GENESIS: H256 = H256::repeat_byte(7);
const MODEL: H256 = H256::repeat_byte(6);

fn key(seed: u8) -> Key {
	Key::from_seed(&[seed; 32])
}

fn sign(key: &Key, payload: &[u8]) -> Signature {
	key.sign(payload).0
}

fn quote() -> Quote {
	Quote {
		coordinator: key(1).public().0,
		client: [9; 32],
		spec_hash: H256::repeat_byte(3),
		model_factor: 2_500,
		asset: PriceAsset::Ait,
		price: 1_000,
		max_units: 250,
		expiry_ms: 50_000,
		deadline_ms: 100_000,
		miner: None,
		nonce: 0,
		model: Some(MODEL),
	}
}

fn receipt() -> Receipt {
	Receipt {
		job_id: quote().job_id(&GENESIS),
		miner: key(2).public().0,
		output_hash: H256::repeat_byte(4),
		compute_units: 250,
		price: 1_000,
		nonce: 0,
		telemetry: Telemetry {
			input_tokens: 40,
			output_tokens: 60,
			duration_ms: 2_000,
			memory_mb: 500,
		},
	}
}

fn signed(receipt: Receipt, signer: Signer, key: &Key) -> SignedBy {
	let signature = sign(key, &receipt.signing_payload(&GENESIS, signer));
	SignedBy { receipt, signature }
}

#[test]
fn models_are_known_by_family_and_size() {
	for (name, factor) in [
		("qwen2.5-0.5b-instruct", 1_000),
		("Qwen/Qwen2.5-0.5B-Instruct-GGUF", 1_000),
		("qwen2.5:1.5b", 2_500),
		("qwen2.5-3b", 5_000),
		("Qwen2-7B", 12_000),
		("qwen 14b", 25_000),
		("qwen2.5-coder-32b-instruct-q4_K_M", 55_000),
		("qwen-72b", 120_000),
		("llama-3.1-8b", 14_000),
		("meta-llama/Meta-Llama-3.1-8B-Instruct", 14_000),
		("llama3:70b", 130_000),
		// No size that the table knows, or another family.
		("llama-3.2-1b", 5_000),
		("qwen-1.0.5b", 5_000),
		("llama-8bit", 5_000),
		("mistral-7b", 5_000),
		("qwen", 5_000),
		("8b", 5_000),
		("", 5_000),
	] {
		assert_eq!(model_factor(name), factor, "{name}");
		assert!(factor <= MAX_MODEL_FACTOR);
	}
}

#[test]
fn compute_units_are_tokens_times_factor_rounded_down() {
	assert_eq!(compute_units(0, 130_000), 0);
	assert_eq!(compute_units(1, 2_500), 2);
	assert_eq!(compute_units(3, 2_500), 7);
	assert_eq!(compute_units(1_000, 1_000), 1_000);
	assert_eq!(compute_units(u64::MAX, 1_000), u64::MAX);
	assert_eq!(compute_units(u64::MAX, u32::MAX), u64::MAX);
}

#[test]
fn a_job_is_named_by_everything_that_was_quoted() {
	let id = quote().job_id(&GENESIS);
	let changes: [&dyn Fn(&mut Quote); 11] = [
		&|q| q.coordinator = [0; 32],
		&|q| q.client = [0; 32],
		&|q| q.spec_hash = H256::zero(),
		&|q| q.model_factor += 1,
		&|q| q.asset = PriceAsset::Aicp,
		&|q| q.price += 1,
		&|q| q.max_units += 1,
		&|q| q.expiry_ms += 1,
		&|q| q.deadline_ms += 1,
		&|q| q.miner = Some([0; 32]),
		&|q| q.nonce += 1,
	];
	for change in changes {
		let mut other = quote();
		change(&mut other);
		assert_ne!(other.job_id(&GENESIS), id);
	}
	assert_ne!(quote().job_id(&H256::zero()), id);
}

#[test]
fn a_quote_holds_for_its_coordinator_and_chain_only() {
	let signature = sign(&key(1), &quote().signing_payload(&GENESIS));
	assert_eq!(quote().verify(&GENESIS, &signature), Ok(()));
	assert!(quote().verify(&H256::zero(), &signature).is_err());
	assert!(Quote { price: 999, ..quote() }.verify(&GENESIS, &signature).is_err());
	let other = Quote { coordinator: key(2).public().0, ..quote() };
	assert!(other.verify(&GENESIS, &signature).is_err());
}

#[test]
fn what_was_signed_before_quotes_named_models_stays_what_it_was() {
	use codec::Encode;
	let old = Quote { model: None, ..quote() };
	let Quote { coordinator, client, spec_hash, model_factor, asset, .. } = old;
	let Quote { price, max_units, expiry_ms, deadline_ms, miner, nonce, .. } = old;
	let members = (coordinator, client, spec_hash, model_factor, asset);
	let members = (members, price, max_units, expiry_ms, deadline_ms, miner, nonce);
	let payload = ("gridproof/quote/v1", GENESIS, &members).encode();
	assert_eq!(old.signing_payload(&GENESIS), payload);
	assert_eq!(old.verify(&GENESIS, &sign(&key(1), &payload)), Ok(()));
	// Nobody makes the one of the other by naming a model, or none.
	let signature = sign(&key(1), &quote().signing_payload(&GENESIS));
	assert!(old.verify(&GENESIS, &signature).is_err());
	assert!(quote().verify(&GENESIS, &sign(&key(1), &payload)).is_err());
	// The bytes of both are read.
	for miner in [None, Some([8; 32])] {
		for quote in [Quote { miner, ..quote() }, Quote { miner, ..old.clone() }] {
			assert_eq!(Quote::read(&quote.encode()), Ok(quote));
		}
	}
	assert_eq!(Quote::read(&members.encode()), Ok(old));
	assert!(Quote::read(&members.encode()[1..]).is_err());
	assert!(Quote::read(&[&quote().encode()[..], &[0]].concat()).is_err());
}

/// One model that counts by 2.5, until time 20,000.
struct OneModel;

impl registry::ModelRegistry for OneModel {
	fn terms_at(model: &H256, time_ms: u64) -> Option<registry::ModelTerms> {
		let terms = registry::ModelTerms { factor: 2_500, engine: registry::EngineClass::Exact };
		(*model == MODEL && time_ms < 20_000).then_some(terms)
	}
}

#[test]
fn a_job_counts_by_the_registrys_factor_of_when_it_was_opened() {
	let counts = |quote: &Quote, opened_ms| {
		JobModel::of(quote).counts::<OneModel>(quote.model_factor, opened_ms)
	};
	assert!(counts(&quote(), 19_999));
	assert!(!counts(&quote(), 20_000), "it counts no more when the job is opened");
	for model_factor in [2_499, 2_501] {
		assert!(!counts(&Quote { model_factor, ..quote() }, 0), "another factor");
	}
	assert!(!counts(&Quote { model: Some(H256::zero()), ..quote() }, 0), "another model");
	assert!(!counts(&Quote { model: None, ..quote() }, 0), "none");
	let as_quoted = JobModel::AsQuoted.counts::<OneModel>(130_000, 30_000);
	assert!(as_quoted, "opened before quotes named models");
}

#[test]
fn a_quote_allows_something_and_ends_before_its_job() {
	assert_eq!(quote().check(), Ok(()));
	assert_eq!(Quote { max_units: 0, ..quote() }.check(), Err(QuoteError::ZeroUnits));
	for model_factor in [0, MAX_MODEL_FACTOR + 1] {
		let quote = Quote { model_factor, ..quote() };
		assert_eq!(quote.check(), Err(QuoteError::ModelFactor));
	}
	assert_eq!(Quote { expiry_ms: 100_001, ..quote() }.check(), Err(QuoteError::Times));
}

#[test]
fn neither_signer_of_a_receipt_can_stand_in_for_the_other() {
	let miner = key(2);
	let signature = sign(&miner, &receipt().signing_payload(&GENESIS, Signer::Miner));
	let verify = |signer| receipt().verify(&GENESIS, signer, &miner.public().0, &signature);
	assert_eq!(verify(Signer::Miner), Ok(()));
	assert!(verify(Signer::Coordinator).is_err());
}

#[test]
fn a_receipts_id_is_of_its_content_on_one_chain() {
	let id = receipt().id(&GENESIS);
	assert_ne!(receipt().id(&H256::zero()), id);
	assert_ne!(Receipt { nonce: 1, ..receipt() }.id(&GENESIS), id);
	assert_eq!(receipt().id(&GENESIS), id);
}

#[test]
fn each_statement_is_signed_under_a_tag_of_its_own() {
	use codec::Encode;
	let registration = Registration { role: PartyRole::Coordinator, account: [1; 32] };
	let heartbeat = Heartbeat { miner: [1; 32], time_ms: 1 };
	let assignment = Assignment { job_id: GENESIS, miner: [1; 32], attempt: 1 };
	let payloads = [
		("gridproof/quote/v2", quote().signing_payload(&GENESIS)),
		("gridproof/quote/v1", Quote { model: None, ..quote() }.signing_payload(&GENESIS)),
		("gridproof/receipt/v1", receipt().signing_payload(&GENESIS, Signer::Miner)),
		("gridproof/registration/v1", registration.signing_payload(&GENESIS)),
		("gridproof/heartbeat/v1", heartbeat.signing_payload(&GENESIS)),
		("gridproof/assignment/v1", assignment.signing_payload(&GENESIS, Signer::Miner)),
		("gridproof/release/v1", release_payload(&GENESIS, &GENESIS)),
	];
	for (tag, payload) in payloads {
		assert!(payload.starts_with(&(tag, GENESIS).encode()), "{tag}");
	}
}

#[test]
fn a_receipt_within_its_job_is_good() {
	let terms = JobTerms::of(&quote(), 10_000);
	assert_eq!(check_receipt(JobState::Open, &terms, &receipt(), 99_999), Ok(()));
	let less = Receipt { compute_units: 1, price: 0, ..receipt() };
	assert_eq!(check_receipt(JobState::Open, &terms, &less, 10_000), Ok(()));
}

#[test]
fn every_rule_refuses_with_its_reason() {
	use ReceiptRefusal::*;
	let now = 20_000;
	let terms = JobTerms::of(&quote(), 10_000);
	let open = |receipt: &Receipt, terms: &JobTerms| {
		check_receipt(JobState::Open, terms, receipt, now).unwrap_err()
	};
	for (state, refusal) in [
		(JobState::Settled, AlreadySettled),
		(JobState::Cancelled, Cancelled),
		(JobState::Expired, Expired),
	] {
		assert_eq!(check_receipt(state, &terms, &receipt(), now), Err(refusal));
	}
	assert_eq!(check_receipt(JobState::Open, &terms, &receipt(), 100_000), Err(Expired));
	let assigned = JobTerms { miner: Some([0; 32]), ..terms.clone() };
	assert_eq!(open(&receipt(), &assigned), NotAssigned);
	assert_eq!(open(&Receipt { compute_units: 0, ..receipt() }, &terms), ZeroUnits);
	assert_eq!(open(&Receipt { compute_units: 251, ..receipt() }, &terms), UnitsAboveQuote);
	let mut fewer_tokens = receipt();
	fewer_tokens.telemetry.output_tokens = 59;
	assert_eq!(open(&fewer_tokens, &terms), UnitsAboveTokens);
	assert_eq!(open(&Receipt { price: 1_001, ..receipt() }, &terms), PriceAboveEscrow);
	for duration_ms in [0, 70_001, u64::MAX] {
		let mut receipt = receipt();
		receipt.telemetry.duration_ms = duration_ms;
		assert_eq!(open(&receipt, &terms), ImplausibleDuration);
	}
}

#[test]
fn two_receipts_of_one_miner_for_one_job_are_an_offence() {
	let miner = key(2);
	let evidence = |first: Receipt, second: Receipt| Evidence::TwoReceipts {
		first: signed(first, Signer::Miner, &miner),
		second: signed(second, Signer::Miner, &miner),
	};
	let other = Receipt { nonce: 1, ..receipt() };
	assert_eq!(
		evidence(receipt(), other.clone()).check(&GENESIS),
		Ok(Proven {
			kind: OffenceKind::TwoReceipts,
			offender: miner.public().0,
			job_id: receipt().job_id,
		})
	);
	let fault = |evidence: Evidence| evidence.check(&GENESIS).unwrap_err();
	assert_eq!(fault(evidence(receipt(), receipt())), EvidenceError::SameReceipt);
	let elsewhere = Receipt { job_id: H256::zero(), ..receipt() };
	assert_eq!(fault(evidence(receipt(), elsewhere)), EvidenceError::OtherJob);
	let theirs = Receipt { miner: [0; 32], ..receipt() };
	assert_eq!(fault(evidence(receipt(), theirs)), EvidenceError::OtherMiner);
	let forged = Evidence::TwoReceipts {
		first: signed(receipt(), Signer::Miner, &miner),
		second: signed(other.clone(), Signer::Miner, &key(3)),
	};
	assert_eq!(fault(forged), EvidenceError::BadSignature);
	// Signed in another role, or for another chain, it proves nothing.
	let attested = Evidence::TwoReceipts {
		first: signed(receipt(), Signer::Miner, &miner),
		second: signed(other, Signer::Coordinator, &miner),
	};
	assert_eq!(fault(attested), EvidenceError::BadSignature);
	let good = evidence(receipt(), Receipt { nonce: 1, ..receipt() });
	assert_eq!(good.check(&H256::zero()), Err(EvidenceError::BadSignature));
}

#[test]
fn a_receipt_above_its_quote_is_an_offence_of_whoever_signed_it() {
	for (signer, key) in [(Signer::Miner, key(2)), (Signer::Coordinator, key(1))] {
		for receipt in
			[Receipt { compute_units: 251, ..receipt() }, Receipt { price: 1_001, ..receipt() }]
		{
			let signed = signed(receipt, signer, &key);
			let evidence = Evidence::AboveQuote { quote: quote(), signer, signed };
			let proven = evidence.check(&GENESIS).unwrap();
			assert_eq!((proven.kind, proven.offender), (OffenceKind::AboveQuote, key.public().0));
		}
		let evidence = |quote, receipt, signed_as| Evidence::AboveQuote {
			quote,
			signer,
			signed: signed(receipt, signed_as, &key),
		};
		let fault = |evidence: Evidence| evidence.check(&GENESIS).unwrap_err();
		assert_eq!(fault(evidence(quote(), receipt(), signer)), EvidenceError::WithinQuote);
		let smaller = Quote { max_units: 1, ..quote() };
		assert_eq!(fault(evidence(smaller, receipt(), signer)), EvidenceError::OtherJob);
		let other = match signer {
			Signer::Miner => Signer::Coordinator,
			Signer::Coordinator => Signer::Miner,
		};
		let above = Receipt { price: 1_001, ..receipt() };
		assert_eq!(fault(evidence(quote(), above, other)), EvidenceError::BadSignature);
	}
}

#[test]
fn two_outcomes_of_one_job_are_the_coordinators_offence_even_with_two_miners() {
	let coordinator = key(1);
	let other = Receipt { miner: key(3).public().0, ..receipt() };
	let evidence = Evidence::TwoOutcomes {
		coordinator: coordinator.public().0,
		first: signed(receipt(), Signer::Coordinator, &coordinator),
		second: signed(other, Signer::Coordinator, &coordinator),
	};
	let proven = evidence.check(&GENESIS).unwrap();
	assert_eq!(proven.kind, OffenceKind::TwoOutcomes);
	assert_eq!(proven.offender, coordinator.public().0);
}

#[test]
fn every_relation_of_the_parameters_is_checked() {
	use ComputeParameterError::*;
	assert_eq!(ComputeParameters::default().check(), Ok(()));
	type Breaks<'a> = &'a dyn Fn(&mut ComputeParameters);
	let above = Split { treasury: 900_000, coordinator: 100_001 };
	let cases: &[(ComputeParameterError, Breaks<'_>)] = &[
		(Bonds, &|p| p.miner_bond = 0),
		(Bonds, &|p| p.coordinator_bond = u128::MAX),
		(MintPerUnit, &|p| p.mint_per_unit = u128::MAX),
		(CpuWeight, &|p| p.cpu_weight = 1_001),
		(Splits, &|p| p.mint_split = above),
		(Splits, &|p| p.price_split = above),
		(MintBound, &|p| p.mint_per_received = 1_250_000),
		(MintBound, &|p| {
			p.mint_per_received = 1_000_000;
			p.mint_split.treasury = 0;
		}),
		(RateValidity, &|p| p.rate_valid_ms = 59_999),
		(RateValidity, &|p| p.rate_valid_ms = 366 * 86_400_000 + 1),
		(Jobs, &|p| p.max_job_ms = 0),
		(Jobs, &|p| p.max_units = 0),
		(CancelNotice, &|p| p.cancel_notice_ms = 59_999),
		(CancelNotice, &|p| p.cancel_notice_ms = u64::MAX),
		(Retention, &|p| p.retention_ms = 59_999),
		(Retention, &|p| p.retention_ms = u64::MAX),
		(Heartbeats, &|p| p.heartbeat_min_ms = 0),
		(Heartbeats, &|p| p.heartbeat_max_ms = p.heartbeat_min_ms),
		(Heartbeats, &|p| p.heartbeat_max_ms = u64::MAX),
		(Slashing, &|p| p.slash = 1_001),
		(Slashing, &|p| p.slash_grace_ms = 59_999),
		(Offences, &|p| p.ban_after = 1),
		(Offences, &|p| p.ban_after = 9),
		(Offences, &|p| p.ban_ms = 0),
		(Offences, &|p| p.offence_memory_ms = 0),
		(Offences, &|p| p.score_cut = 1_001),
		(Unbonding, &|p| p.unbonding_ms = p.max_job_ms + p.retention_ms + p.slash_grace_ms - 1),
		(Unbonding, &|p| p.unbonding_ms = u64::MAX),
	];
	for (fault, change) in cases {
		let mut parameters = ComputeParameters::default();
		change(&mut parameters);
		assert_eq!(parameters.check(), Err(*fault));
	}
}

#[test]
fn refusals_are_numbered_as_they_are_written_down() {
	use ReceiptRefusal::*;
	for (code, refusal) in [
		Stopped,
		UnknownJob,
		AlreadySettled,
		Cancelled,
		Expired,
		Repeated,
		NotAssigned,
		ZeroUnits,
		UnitsAboveQuote,
		UnitsAboveTokens,
		PriceAboveEscrow,
		ImplausibleDuration,
		UnknownMiner,
		MinerBanned,
		MinerUnderbonded,
		UnknownCoordinator,
		CoordinatorBanned,
		CoordinatorUnderbonded,
		BadMinerSignature,
		BadCoordinatorSignature,
		MinerLeaving,
	]
	.into_iter()
	.enumerate()
	{
		assert_eq!(usize::from(refusal.code()), code, "{refusal}");
		assert_eq!(ReceiptRefusal::from_code(refusal.code()), Some(refusal));
		assert!(!refusal.as_str().is_empty() && !refusal.to_string().is_empty());
	}
	assert!((21..=u8::MAX).all(|code| ReceiptRefusal::from_code(code).is_none()));
}

#[test]
fn a_receipt_is_refused_for_good_unless_governance_a_bond_or_time_can_help() {
	let all = (0..=u8::MAX).filter_map(ReceiptRefusal::from_code);
	let temporary: Vec<_> = all.filter(|refusal| refusal.is_temporary()).collect();
	assert_eq!(
		temporary,
		[
			ReceiptRefusal::Stopped,
			ReceiptRefusal::UnknownJob,
			ReceiptRefusal::MinerBanned,
			ReceiptRefusal::MinerUnderbonded,
			ReceiptRefusal::CoordinatorBanned,
			ReceiptRefusal::CoordinatorUnderbonded,
			ReceiptRefusal::MinerLeaving,
		]
	);
}

#[test]
fn measurements_that_no_machine_reaches_are_told_from_the_best_there_are() {
	let best = Telemetry {
		input_tokens: 200_000,
		output_tokens: 2_000,
		duration_ms: 2,
		memory_mb: MAX_MEMORY_MB,
	};
	assert!(best.is_possible());
	assert!(!Telemetry { input_tokens: 200_001, ..best }.is_possible());
	assert!(!Telemetry { output_tokens: 2_001, ..best }.is_possible());
	assert!(!Telemetry { memory_mb: MAX_MEMORY_MB + 1, ..best }.is_possible());
	assert!(!Telemetry { duration_ms: 0, ..best }.is_possible());
}
