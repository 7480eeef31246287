//! Calls of `ComputeReceipts`: the only place that knows their fields, and what parties sign.

use crate::{
	chain,
	world::compute::{KnownJob, key_of},
};
use gridproof_primitives::{
	H256,
	compute::{
		AitPerAicp, Assignment, ComputeParameters, Evidence, Heartbeat, PartyRole, PriceAsset,
		Quote, Receipt, Registration, SignedAssignment, SignedBy, SignedHeartbeat, SignedReceipt,
		Signer, Telemetry, release_payload,
	},
	crypto::ed25519::PublicKey,
};
use gridproof_runtime::{AccountId, ModelRegistry, Runtime, RuntimeCall};
use pallet_compute_receipts::Call;
use sp_core::{Pair, ed25519};

pub(crate) fn register(account: &AccountId, pair: &ed25519::Pair, role: PartyRole) -> RuntimeCall {
	let statement = Registration { role, account: account.clone().into() };
	let proof = pair.sign(&statement.signing_payload(&chain::genesis_hash())).0;
	let key = key_of(pair);
	match role {
		PartyRole::Coordinator => Call::register_coordinator { key, proof }.into(),
		PartyRole::Miner(class) => Call::register_miner { key, class, proof }.into(),
	}
}

/// Begins to exchange a party's key for another one that the coalition has.
pub(crate) fn exchange_key(
	account: &AccountId,
	old: &ed25519::Pair,
	new: &ed25519::Pair,
	role: PartyRole,
) -> RuntimeCall {
	let statement = Registration { role, account: account.clone().into() };
	let proof = new.sign(&statement.signing_payload(&chain::genesis_hash())).0;
	Call::exchange_key { key: key_of(old), new: key_of(new), proof }.into()
}

/// Terms of a quote.
pub(crate) struct Terms {
	pub(crate) asset: PriceAsset,
	pub(crate) price: u128,
	pub(crate) units: u64,
	/// Time until the deadline, in milliseconds.
	pub(crate) lasts: u64,
	pub(crate) miner: Option<PublicKey>,
}

pub(crate) fn sign_quote(pair: &ed25519::Pair, quote: Quote) -> RuntimeCall {
	let signature = pair.sign(&quote.signing_payload(&chain::genesis_hash())).0;
	Call::open_job { quote: Box::new(quote), signature }.into()
}

pub(crate) fn sign_receipt(
	receipt: Receipt,
	miner: &ed25519::Pair,
	coordinator: &ed25519::Pair,
) -> SignedReceipt {
	let hash = chain::genesis_hash();
	SignedReceipt {
		miner_signature: miner.sign(&receipt.signing_payload(&hash, Signer::Miner)).0,
		coordinator_signature: coordinator
			.sign(&receipt.signing_payload(&hash, Signer::Coordinator))
			.0,
		receipt,
	}
}

/// The receipt of as many units at this price.
pub(crate) fn receipt(job: &KnownJob, miner: PublicKey, units: u64, price: u128) -> Receipt {
	let tokens = units.saturating_mul(1_000).div_ceil(job.quote.model_factor.max(1).into());
	Receipt {
		job_id: job.id,
		miner,
		output_hash: H256::repeat_byte(1),
		compute_units: units,
		price,
		nonce: 0,
		telemetry: Telemetry {
			input_tokens: 0,
			output_tokens: u32::try_from(tokens).unwrap_or(u32::MAX),
			duration_ms: 5_000,
			memory_mb: 16_000,
		},
	}
}

pub(crate) fn claim(receipts: Vec<SignedReceipt>) -> RuntimeCall {
	Call::claim_receipts { receipts: receipts.try_into().expect("as many as fit") }.into()
}

pub(crate) fn assign(
	job_id: H256,
	attempt: u32,
	miner: &ed25519::Pair,
	coordinator: &ed25519::Pair,
	accepted: bool,
	former: Option<&ed25519::Pair>,
) -> RuntimeCall {
	let assignment = Assignment { job_id, miner: key_of(miner), attempt };
	let sign = |pair: &ed25519::Pair, signer| {
		pair.sign(&assignment.signing_payload(&chain::genesis_hash(), signer)).0
	};
	let signed = SignedAssignment {
		assignment,
		coordinator_signature: sign(coordinator, Signer::Coordinator),
		miner_signature: accepted.then(|| sign(miner, Signer::Miner)),
		former_signature: former.map(|pair| sign(pair, Signer::Miner)),
	};
	Call::assign_job { assignment: Box::new(signed) }.into()
}

pub(crate) fn release(job_id: H256, coordinator: &ed25519::Pair) -> RuntimeCall {
	let signature = coordinator.sign(&release_payload(&chain::genesis_hash(), &job_id)).0;
	Call::release_job { job_id, signature }.into()
}

pub(crate) fn expire(jobs: Vec<H256>) -> RuntimeCall {
	Call::expire_jobs { jobs: jobs.try_into().expect("as many as fit") }.into()
}

pub(crate) fn pay_out(parties: Vec<PublicKey>) -> RuntimeCall {
	Call::claim_emission { parties: parties.try_into().expect("as many as fit") }.into()
}

pub(crate) fn heartbeat(miner: &ed25519::Pair, time_ms: u64) -> SignedHeartbeat {
	let heartbeat = Heartbeat { miner: key_of(miner), time_ms };
	let signature = miner.sign(&heartbeat.signing_payload(&chain::genesis_hash())).0;
	SignedHeartbeat { heartbeat, signature }
}

/// Two receipts of one job, signed by one miner.
pub(crate) fn two_receipts(job: &KnownJob, miner: &ed25519::Pair) -> Evidence {
	let sign = |units| {
		let receipt = receipt(job, key_of(miner), units, 0);
		let signature =
			miner.sign(&receipt.signing_payload(&chain::genesis_hash(), Signer::Miner)).0;
		SignedBy { receipt, signature }
	};
	Evidence::TwoReceipts { first: sign(1), second: sign(2) }
}

/// A miner's receipt above its quote.
pub(crate) fn above_quote(job: &KnownJob, miner: &ed25519::Pair) -> Evidence {
	let mut receipt = receipt(job, key_of(miner), 1, 0);
	receipt.price = job.quote.price + 1;
	let signature = miner.sign(&receipt.signing_payload(&chain::genesis_hash(), Signer::Miner)).0;
	let signed = SignedBy { receipt, signature };
	Evidence::AboveQuote { quote: job.quote.clone(), signer: Signer::Miner, signed }
}

/// Two receipts of one job, signed by one coordinator.
pub(crate) fn two_outcomes(
	job: &KnownJob,
	miner: PublicKey,
	coordinator: &ed25519::Pair,
) -> Evidence {
	let sign = |units| {
		let receipt = receipt(job, miner, units, 0);
		let payload = receipt.signing_payload(&chain::genesis_hash(), Signer::Coordinator);
		SignedBy { signature: coordinator.sign(&payload).0, receipt }
	};
	Evidence::TwoOutcomes { coordinator: key_of(coordinator), first: sign(1), second: sign(2) }
}

pub(crate) fn admit(coordinator: &ed25519::Pair) -> RuntimeCall {
	Call::admit_coordinator { key: key_of(coordinator) }.into()
}

pub(crate) fn report(evidence: Evidence) -> RuntimeCall {
	Call::report_offence { evidence: Box::new(evidence) }.into()
}

/// The rate at which AICP counts, as governance states it, or as the emergency account lowers it.
pub(crate) fn state_rate(rate: AitPerAicp) -> RuntimeCall {
	Call::set_reference_rate { new: Some(rate) }.into()
}

/// Parameters with another γ, in parts per million.
pub(crate) fn with_gamma(mint_per_received: u32) -> RuntimeCall {
	let present = pallet_compute_receipts::Parameters::<Runtime>::get();
	let new = ComputeParameters { mint_per_received, ..present };
	Call::set_parameters { new: Box::new(new) }.into()
}

/// Parameters under which no work mints anything.
pub(crate) fn mint_nothing() -> RuntimeCall {
	let mut new = pallet_compute_receipts::Parameters::<Runtime>::get();
	new.mint_per_unit = 0;
	Call::set_parameters { new: Box::new(new) }.into()
}

/// The quote of these terms, for the chain's default model.
pub(crate) fn quote(
	coordinator: &ed25519::Pair,
	client: &AccountId,
	terms: &Terms,
	now: u64,
	nonce: u64,
) -> Quote {
	let model = ModelRegistry::default_model();
	let factor = model.and_then(|model| ModelRegistry::factor_at(model, now));
	Quote {
		coordinator: key_of(coordinator),
		client: client.clone().into(),
		spec_hash: H256::zero(),
		model_factor: factor.expect("the development chain has a model"),
		asset: terms.asset,
		price: terms.price,
		max_units: terms.units,
		expiry_ms: now + terms.lasts.min(chain::MINUTE),
		deadline_ms: now + terms.lasts,
		miner: terms.miner,
		nonce,
		model,
	}
}
