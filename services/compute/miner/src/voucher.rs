//! Requests that channels pay for: what a miner checks before it works, what it signs afterwards, and
//! which lines of batches it signs.

use codec::DecodeAll;
use gridproof_compute_api::protocol::{
	IssuedReceipt, Output, RefusalReason, SPEC_VERSION, TokenIds, VoucherWork, output_root,
	price_of, sampler_seed,
};
use gridproof_engine::Measured;
use gridproof_primitives::{
	H256,
	compute::{
		Telemetry,
		channels::{BatchKind, PaidBy, ReceiptV2, Sampler, SignedVoucher},
		compute_units,
	},
	crypto::ed25519::PublicKey,
};
use gridproof_support::number::clamped;

/// Checks that work is what the channel's signer has signed for.
///
/// `now` is in UTC milliseconds. Whether the chain has the channel is not asked: the receipt's running
/// sums and its time to settle are what the miner holds against its coordinator.
///
/// # Errors
/// Why the work is given back, for programs and for people.
pub fn check(
	work: &VoucherWork,
	genesis: &H256,
	now: u64,
) -> Result<SignedVoucher, (RefusalReason, String)> {
	let bad = |reason: &str| (RefusalReason::BadQuote, reason.to_string());
	let signed = SignedVoucher::decode_all(&mut &work.voucher.0[..])
		.map_err(|_| bad("the voucher is not SCALE of a signed voucher"))?;
	let voucher = signed.voucher;
	let rules = [
		(voucher.seed(genesis) == H256::from(work.work), "the voucher is other work's"),
		(work.spec.sampling.seed == sampler_seed(&voucher, genesis), "the seed is another one"),
		(work.highest.0 <= voucher.amount, "the voucher's amount is below the price"),
		(work.settle_by_ms > now, "the time to settle has passed"),
	];
	if let Some((_, reason)) = rules.into_iter().find(|(holds, _)| !holds) {
		return Err(bad(reason));
	}
	voucher
		.verify(genesis, &work.signer.0, &signed.signature)
		.map_err(|error| bad(&format!("the voucher's signature: {}", error.as_str())))?;
	if work.spec.version != SPEC_VERSION {
		let reason = format!("a specification of version {}", work.spec.version);
		return Err((RefusalReason::BadSpec, reason));
	}
	Ok(signed)
}

/// What came of work, as its receipt states it.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
	/// Text or vectors, with the tokens that are billed.
	pub output: &'a Output,
	/// Token ids of the output root.
	pub tokens: &'a TokenIds,
	/// How the engine chose the tokens.
	pub sampler: Sampler,
}

/// Returns the receipt of work that is done. `None` if prompt or answer have more tokens than a root
/// can hold.
pub fn receipt(
	work: &VoucherWork,
	voucher: &SignedVoucher,
	miner: PublicKey,
	made: &Made<'_>,
	measured: &Measured,
) -> Option<ReceiptV2> {
	let Made { output, tokens, sampler } = *made;
	let weight = compute_units(output.tokens(), work.model_factor);
	let greedy = work.spec.sampling.temperature_milli == 0 || work.spec.max_tokens == 0;
	Some(ReceiptV2 {
		paid_by: PaidBy::Voucher(voucher.voucher.id()),
		miner: Some(miner),
		model: work.model.into(),
		spec_hash: voucher.voucher.spec_hash,
		output_root: output_root(&work.spec, tokens, &work.secret.0).ok()?,
		weight,
		price: price_of(weight, work.unit_price.0, work.highest.0),
		sampler: match sampler {
			_ if greedy => Sampler::Greedy,
			// Chance was asked for: what an engine did not draw by the seed, nobody can repeat.
			Sampler::Greedy => Sampler::Engine,
			drawn => drawn,
		},
		telemetry: Telemetry {
			input_tokens: clamped(output.prompt_tokens),
			output_tokens: clamped(output.completion_tokens),
			// A millisecond that has begun counts, and a megabyte.
			duration_ms: clamped::<u64, _>(measured.wall.as_micros().div_ceil(1_000)).max(1),
			memory_mb: clamped(measured.memory_bytes.div_ceil(1_000_000)),
		},
		settle_by_ms: work.settle_by_ms,
	})
}

/// Checks that a coordinator has counted a receipt of this miner's: the very receipt, in its kind, and
/// its own signature.
///
/// # Errors
/// What is wrong with it.
pub fn check_issued(
	issued: &IssuedReceipt,
	receipt: &ReceiptV2,
	kind: BatchKind,
	coordinator: &PublicKey,
	genesis: &H256,
) -> Result<(), &'static str> {
	let rules = [
		(issued.receipt.receipt == *receipt, "the coordinator counted another receipt"),
		(issued.receipt.sums.kind == kind, "the coordinator counted it in another kind"),
		(issued.receipt.check().is_ok(), "the running sums do not contain the receipt"),
		(
			issued
				.receipt
				.verify_coordinator(genesis, coordinator, &issued.coordinator_signature)
				.is_ok(),
			"the coordinator's signature is not good",
		),
	];
	rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, reason)| Err(reason))
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;
	use gridproof_compute_api::protocol::{Further, JobSpec, Sampling, Task};
	use gridproof_keys::SealedKey;
	use gridproof_primitives::compute::{
		PriceAsset,
		channels::{Mode, Voucher},
	};
	use gridproof_support::text::{Amount, Hex32, HexBytes};

	const GENESIS: H256 = H256([7; 32]);
	const NOW: u64 = 1_000;

	fn work() -> VoucherWork {
		let key = SealedKey::from_seed([3; 32].into(), None, None);
		let voucher = Voucher { channel: 1, number: 4, amount: 500, spec_hash: H256([2; 32]) };
		let signature = key.sign(&voucher.signing_payload(&GENESIS));
		let seed = sampler_seed(&voucher, &GENESIS);
		VoucherWork {
			work: voucher.seed(&GENESIS).into(),
			attempt: 1,
			spec: JobSpec {
				version: SPEC_VERSION,
				model: "m".to_string(),
				task: Task::Completion { prompt: "Once".to_string() },
				max_tokens: 9,
				sampling: Sampling { seed, temperature_milli: 700, ..Sampling::default() },
				further: Further::default(),
			},
			voucher: HexBytes(SignedVoucher { voucher, signature }.encode()),
			signer: Hex32(*key.public()),
			kind: BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary },
			secret: Hex32([9; 32]),
			model: Hex32([8; 32]),
			model_factor: 1_000,
			unit_price: Amount(10),
			highest: Amount(400),
			settle_by_ms: NOW + 1,
			lease_until_ms: NOW,
			stream: false,
		}
	}

	#[test]
	fn work_that_its_voucher_does_not_pay_for_is_given_back() {
		assert!(check(&work(), &GENESIS, NOW).is_ok());
		type Spoil = fn(&mut VoucherWork);
		let spoilt: [(Spoil, &str); 7] = [
			(|work| work.voucher = HexBytes(vec![1]), "not SCALE"),
			(|work| work.work = Hex32([1; 32]), "other work's"),
			(|work| work.spec.sampling.seed = 1, "the seed"),
			(|work| work.highest = Amount(501), "below the price"),
			(|work| work.settle_by_ms = NOW, "has passed"),
			(|work| work.signer = Hex32([1; 32]), "signature"),
			(|work| work.spec.version = 2, "version 2"),
		];
		for (spoil, reason) in spoilt {
			let mut spoiled = work();
			spoil(&mut spoiled);
			let (_, detail) = check(&spoiled, &GENESIS, NOW).unwrap_err();
			assert!(detail.contains(reason), "{detail}");
		}
	}
}
