//! Whether the chain lets a verifier see a receipt: the rule, from what the chain says.

use crate::ledger::Seer;
use gridproof_primitives::{
	H256,
	compute::checks::{
		AskedReceipt, BatchChecks, BatchId, CheckId, CheckView, DemandOfOpening, DisputeCause,
		DisputeView, Duty, MAX_CHECKS_PER_DRAW, Segment, VerifierView, Vrf, checks_of, draw_input,
		is_reopened, point_of, reopen_input, repeated_reports, segments,
	},
};

/// What the chain says about a batch and about who asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
	/// Genesis hash.
	pub(crate) genesis: H256,
	/// All verifiers.
	pub(crate) verifiers: Vec<VerifierView>,
	/// What is drawn of the batch.
	pub(crate) checks: Option<BatchChecks>,
	/// Receipts of the batch that clients want checked.
	pub(crate) asked: Vec<AskedReceipt>,
	/// Reports of the batch.
	pub(crate) reports: Vec<CheckView>,
	/// Open demands of openings.
	pub(crate) demands: Vec<DemandOfOpening>,
	/// Open disputes.
	pub(crate) disputes: Vec<DisputeView>,
	/// One report in so many is looked at twice.
	pub(crate) reopen_one_in: u32,
}

/// Returns why a verifier may not see a receipt; `None` if it may.
pub(crate) fn refusal(seer: &Seer, facts: &Facts) -> Option<&'static str> {
	let key = &seer.request.verifier;
	let Some(verifier) = facts.verifiers.iter().find(|one| one.key == *key) else {
		return Some("the chain has no verifier with this key");
	};
	let Some(checks) = &facts.checks else {
		return Some("nobody draws from the batch (any more)");
	};
	let draws = matches!(seer.request.duty, Duty::Drawn { .. } | Duty::Reopens { .. });
	if draws && !verifier.took_part_at(checks.touched_ms) {
		return Some("the verifier had left or was suspended when the batch was touched");
	}
	let may = match &seer.request.duty {
		Duty::Drawn { check, .. } if *check >= MAX_CHECKS_PER_DRAW => {
			Some(is_its_turn(seer, facts, *check))
		},
		Duty::Drawn { check, vrf } => is_drawn(seer, facts, checks, *check, vrf),
		Duty::Reopens { of, vrf } => reopens(seer, facts, checks, of, vrf),
		Duty::Witness(of) => is_witness(seer, facts, of),
		Duty::Juror(dispute) => is_juror(seer, facts, dispute),
	};
	if may.unwrap_or(false) {
		return None;
	}
	Some(match seer.request.duty {
		Duty::Drawn { .. } => "the check did not fall to this verifier, or is of another receipt",
		Duty::Reopens { .. } => {
			"the report is not re-opened by this verifier, or is of another receipt"
		},
		Duty::Witness(_) => "nobody demands this opening, or the verifier itself does",
		Duty::Juror(_) => "no dispute about this is open, or the verifier is a party to it",
	})
}

fn batch_of(seer: &Seer) -> BatchId {
	BatchId { coordinator: seer.header.coordinator, sequence: seer.header.sequence }
}

fn is_drawn(
	seer: &Seer,
	facts: &Facts,
	checks: &BatchChecks,
	check: u32,
	vrf: &Vrf,
) -> Option<bool> {
	let input = draw_input(&facts.genesis, &seer.header.hash(), &checks.block);
	let output = vrf.verify(&seer.request.verifier, &input)?;
	let count = checks_of(checks.value, checks.per_check, checks.verifiers, &output);
	let point = point_of(&output, check, checks.total)?;
	let segments = segments(&seer.lists)?;
	let segment = Segment::find(&segments, point)?;
	Some(check < count && segment.encloses(&seer.receipt, point))
}

/// Returns `true` if a client wants the receipt checked, and it is this verifier's turn.
fn is_its_turn(seer: &Seer, facts: &Facts, check: u32) -> bool {
	let (verifier, index) = (seer.request.verifier, seer.request.index);
	let id = CheckId { batch: batch_of(seer), verifier, check };
	facts.asked.iter().any(|one| one.id == id && one.index == index)
}

fn reopens(
	seer: &Seer,
	facts: &Facts,
	checks: &BatchChecks,
	of: &CheckId,
	vrf: &Vrf,
) -> Option<bool> {
	let request = &seer.request;
	let report = facts.reports.iter().find(|one| one.id == *of && one.index == request.index)?;
	let input = reopen_input(&facts.genesis, &of.hash(), &report.block);
	let output = vrf.verify(&request.verifier, &input)?;
	let others = checks.verifiers.saturating_sub(1);
	let is_anothers = of.verifier != request.verifier && of.batch == batch_of(seer);
	Some(is_anothers && is_reopened(&output, facts.reopen_one_in, others))
}

fn is_witness(seer: &Seer, facts: &Facts, of: &CheckId) -> Option<bool> {
	let request = &seer.request;
	let demand = facts.demands.iter().find(|one| one.id == *of)?;
	let is_it = demand.index == Some(request.index) && of.batch == batch_of(seer);
	Some(is_it && of.verifier != request.verifier)
}

/// A juror of a dispute about a number sees the reports that its jury repeats, and of the miner's other batches
/// those in which the chain has drawn a place: which receipt that is follows from the batch.
fn is_juror(seer: &Seer, facts: &Facts, dispute: &H256) -> Option<bool> {
	let (request, batch) = (&seer.request, batch_of(seer));
	let dispute = facts.disputes.iter().find(|one| one.id == *dispute)?;
	let is_it = dispute.batch == batch && dispute.index == request.index;
	let is_chosen = || {
		let is_here = |id: &CheckId| {
			let is_report = |one: &CheckView| one.id == *id && one.index == request.index;
			id.batch == batch && facts.reports.iter().any(is_report)
		};
		let miner = seer.receipt.receipt.miner;
		let mut others = dispute.others.iter();
		repeated_reports(&dispute.id, &dispute.reports).iter().any(is_here)
			|| others.any(|place| place.batch == batch && miner == Some(place.miner))
	};
	let is_of_number = matches!(dispute.cause, DisputeCause::Number(_)) && is_chosen();
	let accuser = match dispute.cause {
		DisputeCause::NotEqual(id) | DisputeCause::Reopened(id) => Some(id.verifier),
		DisputeCause::Number(_) | DisputeCause::Client(_) => None,
	};
	Some((is_it || is_of_number) && accuser != Some(request.verifier))
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_keys::{Kind, SealedKey};
	use gridproof_primitives::compute::{
		PriceAsset, Telemetry,
		channels::{
			Batch, BatchKind, ChannelReceipt, ChannelSums, MinerSums, Mode, PaidBy, ReceiptV2,
			RunningSums, Sampler, Voucher, VoucherId,
		},
		checks::{Figures, OpeningRequest, OtherPlace, Votes},
	};
	use zeroize::Zeroizing;

	const MINER: [u8; 32] = [5; 32];
	const KIND: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };

	fn key(byte: u8) -> SealedKey {
		SealedKey::from_seed(Zeroizing::new([byte; 32]), Some(Kind::Verifier), None)
	}

	/// A batch of four receipts, of which exactly three checks fall to each of two verifiers.
	struct Case {
		batch: Batch,
		facts: Facts,
		seer: Seer,
	}

	fn case() -> Case {
		let (mut channel, mut miner) = (ChannelSums::default(), MinerSums::default());
		let receipts: Vec<ChannelReceipt> = (1..=4u64)
			.map(|number| {
				channel = channel.after(100).unwrap();
				miner = miner.after(100, 1).unwrap();
				let receipt = ReceiptV2 {
					paid_by: PaidBy::Voucher(VoucherId { channel: 1, number }),
					miner: Some(MINER),
					model: H256([1; 32]),
					spec_hash: H256([2; 32]),
					output_root: H256([3; 32]),
					weight: 1,
					price: 100,
					sampler: Sampler::Greedy,
					telemetry: Telemetry { duration_ms: 1, ..Telemetry::default() },
					settle_by_ms: 9,
				};
				ChannelReceipt { receipt, sums: RunningSums { kind: KIND, channel, miner } }
			})
			.collect();
		let voucher = Voucher { channel: 1, number: 4, amount: 400, spec_hash: H256([2; 32]) };
		let batch = Batch::of(KIND, receipts, &[(1, voucher)].into_iter().collect()).unwrap();
		let header = batch.header([9; 32], 3, H256::zero(), 1);
		let checks = BatchChecks {
			block: H256([8; 32]),
			touched_ms: 0,
			verifiers: 2,
			per_check: 10,
			value: 60,
			total: 400,
			reports: 0,
		};
		let view = |byte: u8| VerifierView {
			account: [byte; 32],
			key: *key(byte).public(),
			key_since_ms: 0,
			bond: 1,
			reports: 0,
			last_report_ms: 0,
			offences: 0,
			free_ms: None,
			left_ms: None,
			suspended_ms: (0, 0),
			draws: true,
		};
		let facts = Facts {
			genesis: H256([7; 32]),
			verifiers: vec![view(1), view(2)],
			checks: Some(checks),
			reopen_one_in: 1,
			..Facts::default()
		};
		let batch_id = BatchId { coordinator: [9; 32], sequence: 3 };
		let request = OpeningRequest {
			verifier: *key(1).public(),
			batch: batch_id,
			index: 0,
			duty: Duty::Juror(H256::zero()),
			time_ms: 0,
		};
		let seer =
			Seer { request, receipt: batch.receipts()[0], header, lists: batch.lists().clone() };
		Case { batch, facts, seer }
	}

	impl Case {
		fn asks(&mut self, verifier: u8, index: u64, duty: Duty) -> bool {
			self.seer.request.verifier = *key(verifier).public();
			self.seer.request.index = index;
			self.seer.request.duty = duty;
			self.seer.receipt = self.batch.receipts()[usize::try_from(index).unwrap()];
			refusal(&self.seer, &self.facts).is_none()
		}

		fn id(&self, verifier: u8) -> CheckId {
			let batch = BatchId { coordinator: [9; 32], sequence: 3 };
			CheckId { batch, verifier: *key(verifier).public(), check: 0 }
		}
	}

	#[test]
	fn a_verifier_sees_the_receipts_that_fell_to_it_and_no_others() {
		let mut case = case();
		let block = case.facts.checks.unwrap().block;
		let input = draw_input(&case.facts.genesis, &case.seer.header.hash(), &block);
		let vrf = Vrf::sign(&key(1).pair().unwrap(), &input);
		let mut seen = 0;
		for check in 0..3 {
			let may: Vec<u64> =
				(0..4).filter(|index| case.asks(1, *index, Duty::Drawn { check, vrf })).collect();
			assert_eq!(may.len(), 1, "one receipt for each check");
			seen += may.len();
			assert!(!case.asks(2, may[0], Duty::Drawn { check, vrf }), "with another's draw");
		}
		assert_eq!(seen, 3);
		for index in 0..4 {
			assert!(!case.asks(1, index, Duty::Drawn { check: 3, vrf }), "it drew three");
		}
		let other = Vrf { proof: [0; 64], ..vrf };
		assert!((0..4).all(|index| !case.asks(1, index, Duty::Drawn { check: 0, vrf: other })));
		// A stranger, and a batch that is over.
		assert!(!case.asks(3, 0, Duty::Drawn { check: 0, vrf }));
		case.facts.checks = None;
		assert!((0..4).all(|index| !case.asks(1, index, Duty::Drawn { check: 0, vrf })));
	}

	#[test]
	fn who_had_left_or_was_suspended_at_the_touch_sees_nothing_of_a_batch() {
		let mut case = case();
		case.facts.checks.as_mut().unwrap().touched_ms = 50;
		let block = case.facts.checks.unwrap().block;
		let input = draw_input(&case.facts.genesis, &case.seer.header.hash(), &block);
		let vrf = Vrf::sign(&key(1).pair().unwrap(), &input);
		let duty = Duty::Drawn { check: 0, vrf };
		let mut sees = |left_ms, suspended_ms| {
			let verifier = &mut case.facts.verifiers[0];
			(verifier.left_ms, verifier.suspended_ms) = (left_ms, suspended_ms);
			(0..4).filter(|index| case.asks(1, *index, duty)).count()
		};
		assert_eq!(sees(None, (0, 0)), 1);
		assert_eq!([sees(Some(50), (0, 0)), sees(Some(51), (0, 0))], [0, 1]);
		let suspended = [(50, 51), (40, 50), (51, 60)].map(|suspended| sees(None, suspended));
		assert_eq!(suspended, [0, 1, 1]);
	}

	#[test]
	fn what_a_client_wants_checked_is_seen_by_whose_turn_it_is() {
		let mut case = case();
		let vrf = Vrf { output: [0; 32], proof: [0; 64] };
		let duty = Duty::Drawn { check: MAX_CHECKS_PER_DRAW, vrf };
		assert!(!case.asks(1, 2, duty), "nobody wants it checked");
		let id = CheckId { check: MAX_CHECKS_PER_DRAW, ..case.id(1) };
		let voucher = VoucherId { channel: 1, number: 3 };
		case.facts.asked.push(AskedReceipt { id, index: 2, voucher });
		assert!(case.asks(1, 2, duty));
		assert!(!case.asks(1, 1, duty), "another receipt");
		assert!(!case.asks(2, 2, duty), "another's turn");
	}

	#[test]
	fn a_report_of_another_is_seen_by_who_draws_it() {
		let mut case = case();
		let of = case.id(1);
		case.facts.reports.push(CheckView {
			id: of,
			voucher: VoucherId { channel: 1, number: 3 },
			index: 2,
			miner: MINER,
			model: H256([1; 32]),
			figures: Figures::Exact { equal: true },
			commitment: H256::zero(),
			block: H256([6; 32]),
			time_ms: 0,
		});
		let input = reopen_input(&case.facts.genesis, &of.hash(), &H256([6; 32]));
		let vrf = Vrf::sign(&key(2).pair().unwrap(), &input);
		assert!(case.asks(2, 2, Duty::Reopens { of, vrf }));
		assert!(!case.asks(2, 1, Duty::Reopens { of, vrf }), "another receipt");
		let own = Vrf::sign(&key(1).pair().unwrap(), &input);
		assert!(!case.asks(1, 2, Duty::Reopens { of, vrf: own }), "its own report");
		case.facts.reopen_one_in = u32::MAX;
		assert!(!case.asks(2, 2, Duty::Reopens { of, vrf }), "not drawn");
	}

	#[test]
	fn witnesses_see_what_is_demanded_and_jurors_what_is_disputed() {
		let mut case = case();
		let of = case.id(1);
		assert!(!case.asks(2, 1, Duty::Witness(of)), "nobody demands it");
		case.facts.demands.push(DemandOfOpening {
			id: of,
			miner: MINER,
			index: Some(1),
			witnesses: (1, 0, 0),
			until_ms: 0,
			opened: None,
		});
		assert!(case.asks(2, 1, Duty::Witness(of)));
		assert!(!case.asks(2, 2, Duty::Witness(of)), "another receipt");
		assert!(!case.asks(1, 1, Duty::Witness(of)), "its own demand");
		let id = H256([4; 32]);
		assert!(!case.asks(2, 1, Duty::Juror(id)), "no dispute");
		case.facts.disputes.push(DisputeView {
			id,
			cause: DisputeCause::NotEqual(of),
			batch: of.batch,
			index: 1,
			accused: MINER,
			block: H256::zero(),
			phase: gridproof_primitives::compute::checks::DisputePhase::Commit,
			until_ms: (0, 0),
			jurors: (1, 0),
			without_vote: 0,
			votes: Votes::default(),
			reports: Vec::new(),
			others: Vec::new(),
		});
		assert!(case.asks(2, 1, Duty::Juror(id)));
		assert!(!case.asks(2, 0, Duty::Juror(id)), "another receipt");
		assert!(!case.asks(1, 1, Duty::Juror(id)), "the accuser");
		case.facts.disputes[0].cause = DisputeCause::Number(of);
		assert!(!case.asks(2, 0, Duty::Juror(id)), "of a number, no other of that miner");
		let place = OtherPlace { batch: of.batch, miner: MINER, place: 0 };
		case.facts.disputes[0].others = vec![place];
		assert!(case.asks(2, 0, Duty::Juror(id)), "where the chain has drawn a place");
		case.facts.disputes[0].others[0].miner = [6; 32];
		assert!(!case.asks(2, 0, Duty::Juror(id)), "of another miner");
	}
}
