//! Rules of draws, figures, numbers, juries, pay and parameters.

use super::*;
use crate::{
	H256,
	compute::{
		ComputeParameters, PriceAsset,
		channels::{
			BatchKind, ChannelParameters, ChannelReceipt, ChannelSums, GivenUp, Lists, MinerLine,
			MinerSums, Mode, PaidBy, ReceiptV2, RunningSums, Sampler, VoucherId,
		},
	},
	num::units::{AIT, MILLI_AIT},
};
use proptest::prelude::*;
use sp_core::{Pair as _, sr25519::Pair};

fn output(number: u64) -> VrfOutput {
	sp_io::hashing::blake2_256(&number.to_le_bytes())
}

#[test]
fn as_many_checks_fall_as_the_value_says_in_all() {
	// 1,000 batches of a third of V, five verifiers: 333 checks are expected.
	let drawn = |value: u128, batches: u64| {
		let batches = 0..batches;
		let all = batches.flat_map(|batch| (0..5).map(move |verifier| batch * 5 + verifier));
		all.map(|number| checks_of(value, AIT, 5, &output(number))).sum::<u32>()
	};
	assert!((280..=390).contains(&drawn(AIT / 3, 1_000)), "{}", drawn(AIT / 3, 1_000));
	// The same value in ten batches, or in one.
	assert!((310..=356).contains(&drawn(AIT * 100 / 3, 10)), "{}", drawn(AIT * 100 / 3, 10));
	assert!((331..=336).contains(&drawn(AIT * 1_000 / 3, 1)), "{}", drawn(AIT * 1_000 / 3, 1));
}

#[test]
fn nothing_falls_where_nothing_is_at_stake_or_nobody_draws() {
	assert_eq!(checks_of(0, AIT, 5, &output(0)), 0);
	assert_eq!(checks_of(AIT, 0, 5, &output(0)), 0);
	assert_eq!(checks_of(AIT, AIT, 0, &output(0)), 0);
	assert_eq!(point_of(&output(0), 0, 0), None);
	assert_eq!(checks_of(u128::MAX, 1, 1, &output(0)), MAX_CHECKS_PER_DRAW);
	assert_eq!(checks_of(u128::MAX, u128::MAX, u32::MAX, &output(0)), 0);
}

proptest! {
	#[test]
	fn a_whole_part_is_never_left_to_chance(value in 0..1_000 * AIT, verifiers in 1u32..=21) {
		let share = AIT * u128::from(verifiers);
		let whole = u32::try_from(value / share).unwrap().min(MAX_CHECKS_PER_DRAW);
		for number in 0..16 {
			let checks = checks_of(value, AIT, verifiers, &output(number));
			let more = (whole + 1).min(MAX_CHECKS_PER_DRAW);
			prop_assert!(checks == whole || checks == more);
			if value % share == 0 {
				prop_assert_eq!(checks, whole);
			}
		}
	}

	#[test]
	fn every_point_lies_below_the_total(total in 1..u128::MAX, check in 0u32..128, number: u64) {
		prop_assert!(point_of(&output(number), check, total).unwrap() < total);
	}

	#[test]
	fn each_point_is_in_exactly_one_segment(world in world(), number: u64) {
		let segments = segments(&world.lists).unwrap();
		let total: u128 = segments.iter().map(Segment::price).sum();
		let Some(point) = point_of(&output(number), 0, total) else { return Ok(()) };
		let enclosing: Vec<_> = world
			.receipts
			.iter()
			.filter(|receipt| segments.iter().any(|segment| segment.encloses(receipt, point)))
			.collect();
		prop_assert_eq!(enclosing.len(), 1);
		let segment = Segment::find(&segments, point).unwrap();
		prop_assert!(segment.encloses(enclosing[0], point));
		// The chain finds it by the line alone.
		let ranges: Vec<_> = world.lists.given_up.iter().map(|one| one.line).collect();
		prop_assert_eq!(paid_price(world.price(), &ranges), total);
		let places: Vec<_> = world
			.checkable()
			.iter()
			.filter_map(|line| Some((line.line.miner, paid_place(line, &ranges, point)?)))
			.collect();
		prop_assert_eq!(places, [(Some(segment.miner), segment.at(point).unwrap())]);
		// It is none of those that are given up.
		let found = enclosing[0];
		let of = |receipt: &ChannelReceipt| {
			let mut lines = world.lists.miners.iter();
			*lines.find(|line| line.miner == receipt.receipt.miner).unwrap()
		};
		for receipt in &world.receipts {
			let count = receipt.sums.miner.count;
			let given_up = receipt.receipt.miner == Some([1; 32]) && world.given_up.contains(&count);
			prop_assert_eq!(is_paid(receipt, &of(receipt), &ranges), !given_up);
		}
		let is_given_up = found.receipt.miner == Some([1; 32])
			&& world.given_up.contains(&found.sums.miner.count);
		prop_assert!(!is_given_up);
	}

	#[test]
	fn a_number_never_falls_below_zero_and_begins_anew_above_its_limit(
		figures in proptest::collection::vec(0u64..100_000, 1..200),
	) {
		let line = seeded();
		let mut number = Number::default();
		for figure in figures {
			let expected = (number.0 + figure).saturating_sub(line.line);
			let (after, over) = number.add(figure, &line);
			prop_assert_eq!(over, expected > line.limit);
			prop_assert_eq!(after.0, if over { 0 } else { expected });
			number = after;
		}
	}

	#[test]
	fn statistics_are_those_of_an_output(
		gaps in proptest::collection::vec(prop_oneof![Just(0), 1..10_000_000u64, Just(u64::MAX)], 0..300),
		end in prop_oneof![Just(0), 1..10_000_000u64, Just(u64::MAX)],
	) {
		let figures = SeededFigures::of(gaps.iter().copied(), end, 4_000_000);
		prop_assert!(figures.are_possible(4_000_000));
		prop_assert_eq!(usize::try_from(figures.tokens).unwrap(), gaps.len());
		prop_assert!(figures.mean() <= 4_000_000);
	}

	#[test]
	fn nobody_is_paid_above_the_budget_or_twice_an_equal_share(
		checks in proptest::collection::vec(0u32..10_000, 1..=21),
		budget in 0..10_000 * AIT,
	) {
		let parts = divide_day(&checks, MILLI_AIT * 20, budget);
		let all: u128 = parts.iter().sum();
		let asked = checks.iter().map(|one| u128::from(*one)).sum::<u128>() * MILLI_AIT * 20;
		prop_assert!(all <= budget.min(asked));
		let reporters = checks.iter().filter(|one| **one > 0).count() as u128;
		for (part, checks) in parts.iter().zip(&checks) {
			prop_assert!(*part <= u128::from(*checks) * MILLI_AIT * 20);
			prop_assert!(reporters == 0 || *part <= budget.min(asked) * 2 / reporters);
		}
	}
}

fn seeded() -> ModelLine {
	ModelLine {
		class: LineClass::Seeded,
		line: 20_000,
		limit: 300_000,
		clip: 4_000_000,
		agreement: 5_000,
		finds_within: 5,
	}
}

/// Lists with two miners, of the first of which some receipts are given up.
#[derive(Debug)]
struct World {
	lists: Lists,
	receipts: Vec<ChannelReceipt>,
	given_up: Vec<u64>,
}

impl World {
	/// Sum of all prices, with what is given up.
	fn price(&self) -> u128 {
		self.lists.miners.iter().map(|line| line.price().unwrap()).sum()
	}

	/// The lines as the chain has them.
	fn checkable(&self) -> Vec<CheckableLine> {
		let mut before = 0;
		let mut lines = vec![];
		for line in &self.lists.miners {
			lines.push(CheckableLine {
				line: *line,
				before,
				registered: [0; 32],
				is_signed: true,
				pay: 0,
				claim: 0,
				is_held: false,
			});
			before += line.price().unwrap();
		}
		lines
	}
}

fn world() -> impl Strategy<Value = World> {
	let receipts = || proptest::collection::vec((0u128..1_000, any::<bool>()), 1..30);
	(receipts(), receipts()).prop_map(|(first, second)| {
		let mut world = World {
			lists: Lists { channels: vec![], miners: vec![], given_up: vec![] },
			receipts: vec![],
			given_up: vec![],
		};
		for (miner, prices) in [([1; 32], first), ([2; 32], second)] {
			let from = MinerSums { count: 7, price: 70, weight: 7 };
			let mut sums = from;
			for (price, given_up) in prices {
				let before = sums;
				sums = sums.after(price, 1).unwrap();
				if given_up && miner == [1; 32] {
					let line = MinerLine { miner: Some(miner), from: before, to: sums };
					world.lists.given_up.push(GivenUp { channel: 3, line });
					world.given_up.push(sums.count);
				}
				world.receipts.push(receipt(miner, price, sums));
			}
			world.lists.miners.push(MinerLine { miner: Some(miner), from, to: sums });
		}
		world
	})
}

fn receipt(miner: [u8; 32], price: u128, sums: MinerSums) -> ChannelReceipt {
	let receipt = ReceiptV2 {
		paid_by: PaidBy::Voucher(VoucherId { channel: 1, number: sums.count }),
		miner: Some(miner),
		model: H256::zero(),
		spec_hash: H256::zero(),
		output_root: H256::zero(),
		weight: 1,
		price,
		sampler: Sampler::Gumbel,
		telemetry: Default::default(),
		settle_by_ms: 0,
	};
	let kind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };
	let channel = ChannelSums { count: sums.count, price: sums.price };
	ChannelReceipt { receipt, sums: RunningSums { kind, channel, miner: sums } }
}

#[test]
fn an_output_is_that_of_its_key_and_input_alone() {
	let (pair, other) = (Pair::from_seed(&[1; 32]), Pair::from_seed(&[2; 32]));
	let (genesis, batch, block) = (H256::zero(), H256::repeat_byte(1), H256::repeat_byte(2));
	let input = draw_input(&genesis, &batch, &block);
	let vrf = Vrf::sign(&pair, &input);
	let output = vrf.verify(&pair.public().0, &input).unwrap();
	// The same key and input have one output, whatever proof is made.
	assert_eq!(Vrf::sign(&pair, &input).verify(&pair.public().0, &input), Some(output));
	assert_eq!(vrf.verify(&other.public().0, &input), None);
	for other in [
		draw_input(&batch, &batch, &block),
		draw_input(&genesis, &block, &block),
		draw_input(&genesis, &batch, &batch),
		reopen_input(&genesis, &batch, &block),
	] {
		assert_eq!(vrf.verify(&pair.public().0, &other), None);
	}
	let stranger = Vrf { output: Vrf::sign(&other, &input).output, ..vrf };
	assert_eq!(stranger.verify(&pair.public().0, &input), None);
	assert_eq!(Vrf { output: [0xff; 32], proof: [0; 64] }.verify(&pair.public().0, &input), None);
}

#[test]
fn one_report_in_twenty_is_reopened_by_all_others_together() {
	let reopened = (0..4_000u64).filter(|number| is_reopened(&output(*number), 20, 4)).count();
	// Each of four others re-opens one in eighty.
	assert!((30..=75).contains(&reopened), "{reopened}");
	assert!(!is_reopened(&output(0), 20, 0));
	assert!((0..100).all(|number| is_reopened(&output(number), 1, 1)));
}

#[test]
fn half_an_answer_is_found_by_its_end() {
	let line = seeded();
	// A hundred tokens without a gap, and then an end that the model would not have drawn.
	let cut = SeededFigures::of([0; 100], 9_000_000, line.clip);
	assert_eq!((cut.mean(), cut.figure()), (0, 4_000_000));
	let (_, over) = Number::default().add(cut.figure(), &line);
	assert!(over);
	let whole = SeededFigures::of([0; 100], 0, line.clip);
	assert_eq!(Number(50_000).add(whole.figure(), &line), (Number(30_000), false));
}

#[test]
fn figures_that_no_pass_gives_are_refused() {
	use FiguresRefusal::*;
	let line = seeded();
	let of = |tokens, clipped, matches| {
		line.figure(&Figures::Seeded(SeededFigures { tokens, clipped, matches, end: 0 }), 10)
	};
	assert_eq!(of(10, 5, 5), Ok(Some(1)));
	assert_eq!(of(10, 4, 5), Err(Impossible), "five tokens differ, each by one at least");
	assert_eq!(of(10, 20_000_001, 5), Err(Impossible));
	assert_eq!(of(10, 0, 11), Err(Impossible));
	assert_eq!(of(9, 0, 9), Err(OtherTokens));
	assert_eq!(line.figure(&Figures::Exact { equal: true }, 10), Err(OtherClass));
	assert_eq!(ModelLine::EXACT.figure(&Figures::Exact { equal: false }, 10), Ok(None));
	let embedding = ModelLine { class: LineClass::Embedding, ..line };
	assert_eq!(embedding.figure(&Figures::Embedding { cosine: 999_000 }, 0), Ok(Some(1_000)));
	let above = Figures::Embedding { cosine: 1_000_001 };
	assert_eq!(embedding.figure(&above, 0), Err(Impossible));
}

#[test]
fn lines_that_judge_nothing_are_refused() {
	use LineError::*;
	assert_eq!(ModelLine::EXACT.check(5), Ok(()));
	assert_eq!(seeded().check(5), Ok(()));
	let with = |change: &dyn Fn(&mut ModelLine)| {
		let mut line = seeded();
		change(&mut line);
		line.check(5)
	};
	assert_eq!(with(&|line| line.line = 0), Err(Line));
	assert_eq!(with(&|line| line.line = 4_000_000), Err(Line));
	assert_eq!(with(&|line| line.limit = 0), Err(Limit));
	assert_eq!(with(&|line| line.clip = 0), Err(Clip));
	assert_eq!(with(&|line| line.clip = MAX_CLIP + 1), Err(Clip));
	assert_eq!(with(&|line| line.finds_within = 0), Err(FindsWithin));
	assert_eq!(with(&|line| line.finds_within = 6), Err(FindsWithin));
	let exact = ModelLine { limit: 1, ..ModelLine::EXACT };
	assert_eq!(exact.check(5), Err(ExactHasFigures));
}

#[test]
fn figures_that_are_copied_invented_or_missing_do_not_agree() {
	let shown = |figures: &[u32]| TokenFigures::try_from(figures.to_vec()).unwrap();
	let line = seeded();
	let own = shown(&[0, 100_000, 0, 2]);
	let gaps = own.iter().map(|gap| u64::from(*gap));
	let report = Figures::Seeded(SeededFigures::of(gaps, 0, line.clip));
	assert!(compare_figures(&line, &own, &shown(&[0, 110_000, 3, 0])));
	assert!(!compare_figures(&line, &own, &shown(&[0, 130_000, 0, 0])), "too far");
	assert!(!compare_figures(&line, &own, &shown(&[0, 100_000, 0])), "another length");
	let other = Figures::Seeded(SeededFigures::of([0, 99_999, 0, 2], 0, line.clip));
	assert!(is_of_report(&line, &report, &own));
	assert!(!is_of_report(&line, &other, &own));
	assert!(compare_figures(&ModelLine::EXACT, &own, &own));
	assert!(!compare_figures(&ModelLine::EXACT, &own, &shown(&[0, 100_001, 0, 2])));
}

#[test]
fn of_class_exact_the_first_figure_is_what_the_report_says() {
	let shown = |figures: &[u32]| TokenFigures::try_from(figures.to_vec()).unwrap();
	for (equal, said) in [(false, 0), (true, 1)] {
		let report = Figures::Exact { equal };
		assert!(is_of_report(&ModelLine::EXACT, &report, &shown(&[said, 7])));
		for other in [&[1 - said, 7][..], &[2, 7], &[]] {
			assert!(!is_of_report(&ModelLine::EXACT, &report, &shown(other)), "{other:?}");
		}
	}
	// A verifier that looked, and says equal of what is not.
	assert!(!compare_figures(&ModelLine::EXACT, &shown(&[1, 7]), &shown(&[0, 7])));
}

#[test]
fn two_thirds_decide_and_nobody_else() {
	assert!(!is_two_thirds(0, 0));
	assert!(is_two_thirds(2, 3) && !is_two_thirds(1, 3));
	assert!(is_two_thirds(14, 21) && !is_two_thirds(13, 21));
	assert!(is_two_thirds(3, 4) && !is_two_thirds(2, 4));
	assert_eq!(Votes { guilty: 13, not_guilty: 8 }.decide(20), None);
	assert_eq!(Votes { guilty: 14, not_guilty: 6 }.decide(20), Some(true));
	assert_eq!(Votes { guilty: 6, not_guilty: 14 }.decide(20), Some(false));
	assert_eq!(witnesses_say(3, 0, 4, false), Some(OpeningOutcome::Opened));
	assert_eq!(witnesses_say(1, 3, 4, false), Some(OpeningOutcome::Withheld));
	assert_eq!(witnesses_say(2, 2, 4, false), None);
	assert_eq!(witnesses_say(2, 2, 4, true), Some(OpeningOutcome::Unclear));
	assert_eq!(witnesses_say(0, 0, 0, true), Some(OpeningOutcome::Unclear));
}

#[test]
fn parameters_under_which_a_known_cheat_pays_are_refused() {
	use CheckParameterError::*;
	let (compute, channels) = (ComputeParameters::default(), ChannelParameters::default());
	let windowed = ChannelParameters { check_window_ms: 6 * 3_600_000, ..channels };
	let good = CheckParameters::default();
	assert_eq!(good.check(&compute, &channels), Ok(()));
	assert_eq!(good.check(&compute, &windowed), Ok(()));
	// A slash of a tenth of half of 100 AIT is what five checks of one AIT find.
	assert_eq!(good.gain_until_found(), 5 * AIT);
	let with = |change: &dyn Fn(&mut CheckParameters)| {
		let mut parameters = good;
		change(&mut parameters);
		parameters.check(&compute, &windowed)
	};
	assert_eq!(with(&|p| p.value_per_check = 0), Err(Value));
	assert_eq!(with(&|p| p.finds_within = 0), Err(Value));
	assert_eq!(with(&|p| p.value_per_check = AIT + 1), Err(CheatPays));
	assert_eq!(with(&|p| p.finds_within = 6), Err(CheatPays));
	assert_eq!(with(&|p| p.verifier_bond = 0), Err(Bond));
	assert_eq!(with(&|p| p.verifier_slash = 1_001), Err(Bond));
	assert_eq!(with(&|p| p.pay_per_check = 5 * AIT / 4), Ok(()));
	assert_eq!(with(&|p| p.pay_per_check = 5 * AIT / 4 + 1), Err(InventedFiguresPay));
	assert_eq!(with(&|p| p.reopen_one_in = 21), Err(Reopened));
	assert_eq!(with(&|p| p.reopen_one_in = 0), Err(Reopened));
	assert_eq!(with(&|p| p.pay_share = MAX_VERIFIERS_PAY), Ok(()));
	assert_eq!(with(&|p| p.pay_share = MAX_VERIFIERS_PAY + 1), Err(PayShare));
	assert_eq!(with(&|p| p.show_ms = 59_999), Err(Times));
	assert_eq!(with(&|p| p.show_ms = 60_000), Ok(()));
	assert_eq!(with(&|p| p.reveal_ms = 3_600_001), Err(Window));
	assert_eq!(with(&|p| p.unbonding_ms = 16 * 3_600_000 - 1), Err(Unbonding));
	assert_eq!(with(&|p| p.unbonding_ms = 16 * 3_600_000), Ok(()));
	assert_eq!(with(&|p| p.witness_fee = 0), Err(Fees));
	assert_eq!(with(&|p| p.dispute_deposit = 1_001 * AIT), Err(Fees));
	assert_eq!(with(&|p| p.silence_fee = 51 * AIT), Err(Silence));
	let weak = ComputeParameters { miner_bond: 99 * AIT, ..compute };
	assert_eq!(good.check(&weak, &windowed), Err(CheatPays));
	let mild = ComputeParameters { slashing: false, ..compute };
	assert_eq!(good.check(&mild, &windowed), Err(NoSlashing));
	let generous = ComputeParameters { mint_per_received: 1_125_000, ..compute };
	assert_eq!(good.check(&generous, &windowed), Err(PayShare));
}

#[test]
fn a_cheat_of_the_size_of_the_noise_is_not_found() {
	// Honest 10,000, line 20,000, a cheat of 110,000 millionths: a tenth of the receipts.
	assert_eq!(unfound_share(20_000, 10_000, 110_000), 100_000);
	assert_eq!(unfound_share(20_000, 10_000, 20_000), 1_000_000);
	assert_eq!(unfound_share(20_000, 30_000, 110_000), 0);
}

#[test]
fn a_commitment_is_of_one_verifier_and_one_check() {
	let batch = BatchId { coordinator: [1; 32], sequence: 3 };
	let id = CheckId { batch, verifier: [2; 32], check: 0 };
	let figures = TokenFigures::try_from(vec![1, 2]).unwrap();
	let commitment = figures_commitment(&id, &figures);
	assert_ne!(commitment, figures_commitment(&CheckId { verifier: [3; 32], ..id }, &figures));
	assert_ne!(commitment, figures_commitment(&CheckId { check: 1, ..id }, &figures));
	let verdict = Verdict { guilty: true, invented: None };
	let ballot = Ballot { juror: [2; 32], dispute: H256::zero(), verdict, salt: [9; 32] };
	let genesis = H256::zero();
	assert_ne!(
		ballot.commitment(&genesis),
		Ballot { juror: [3; 32], ..ballot }.commitment(&genesis)
	);
}

#[test]
fn a_line_of_small_units_is_not_hidden_by_one_of_large_units() {
	let batch = |sequence| BatchId { coordinator: [1; 32], sequence };
	// A thousand AICP, and one AIT of 10¹⁸ units.
	let aicp = OtherLine { batch: batch(0), price: 1_000_000_000, worth: 1_000 * AIT };
	let ait = OtherLine { batch: batch(1), price: AIT, worth: AIT };
	let found =
		(0..100u8).flat_map(|n| other_places(&H256::repeat_byte(n), &[1; 32], &[ait, aicp]));
	let of_ait = found.filter(|place| place.batch == ait.batch).count();
	assert!(of_ait < 12, "{of_ait} of 1,200");
}

#[test]
fn a_cheat_of_many_models_is_found_as_soon_as_one_of_a_single_model() {
	let line = seeded();
	let figure = line.line + line.limit / 5 + 1;
	let one = |number: WideNumber, _| number.add(figure, &line).0;
	assert!((0..4).fold(WideNumber::default(), one).0 > 0);
	let (_, above) = (0..4).fold(WideNumber::default(), one).add(figure, &line);
	assert!(above, "five checks, of whatever models");
	// What is below a line takes as much off as what is above adds.
	let (less, _) = WideNumber(500_000).add(line.line - line.line / 2, &line);
	assert_eq!(less.0, 500_000 - 1_000_000 * (line.line / 2) / line.limit);
}

/// Receipts of miner 1 at these prices, of these models.
fn receipts_of(prices: &[(u128, u8)]) -> Vec<ChannelReceipt> {
	let mut sums = MinerSums { count: 5, price: 50, weight: 0 };
	let each = prices.iter().map(|(price, model)| {
		sums = sums.after(*price, 1).unwrap();
		let mut one = receipt([1; 32], *price, sums);
		one.receipt.model = H256::repeat_byte(*model);
		one
	});
	each.collect()
}

#[test]
fn a_jury_checks_the_receipt_at_the_place_or_the_next_one_of_the_model() {
	let batch = BatchId { coordinator: [1; 32], sequence: 0 };
	let at = |place| OtherPlace { batch, miner: [1; 32], place };
	let receipts = receipts_of(&[(10, 7), (10, 8), (0, 7), (10, 7)]);
	let find = |place, model| at(place).find(&receipts, &[], &H256::repeat_byte(model));
	assert_eq!(
		[find(0, 7), find(9, 7), find(10, 7), find(20, 7)],
		[Some(0), Some(0), Some(2), Some(3)]
	);
	assert_eq!([find(0, 8), find(20, 8)], [Some(1), Some(1)], "from the beginning again");
	assert_eq!([find(30, 7), find(0, 9)], [None, None]);
	// What is given up is not a place at all.
	let sums = receipts[0].sums.miner;
	let line =
		MinerLine { miner: Some([1; 32]), from: receipts[0].miner_before().unwrap(), to: sums };
	let given_up = [GivenUp { channel: 1, line }];
	let find = |place| at(place).find(&receipts, &given_up, &H256::repeat_byte(7));
	assert_eq!([find(0), find(9), find(10), find(20)], [Some(2), Some(2), Some(3), None]);
}

#[test]
fn no_place_of_a_jury_is_in_what_pays_nothing() {
	let batch = |sequence| BatchId { coordinator: [1; 32], sequence };
	for number in 0..100u8 {
		let line = |sequence, price, worth| OtherLine { batch: batch(sequence), price, worth };
		let lines = [line(2, 5, 5), line(1, 0, 7), line(3, 7, 0), line(0, 1, 1_000_000)];
		let places = other_places(&H256::repeat_byte(number), &[1; 32], &lines);
		assert_eq!(u32::try_from(places.len()), Ok(JURY_PLACES));
		for place in places {
			let line = lines.iter().find(|line| line.batch == place.batch).unwrap();
			assert!(place.place < line.price && line.worth > 0);
		}
		// Nobody chooses by the order in which it lists them.
		let turned: Vec<_> = lines.into_iter().rev().collect();
		let dispute = H256::repeat_byte(number);
		let one = other_places(&dispute, &[1; 32], &lines);
		assert_eq!(one, other_places(&dispute, &[1; 32], &turned));
	}
}

#[test]
fn who_tries_many_orders_of_a_block_moves_no_draw_of_a_key_that_it_does_not_have() {
	let pairs = [1u8, 2, 3, 4].map(|seed| Pair::from_seed(&[seed; 32]));
	let [author, honest @ ..] = &pairs;
	let drawn = |pair: &Pair, batch: u64, block: H256| {
		let input = draw_input(&H256::zero(), &H256::from_low_u64_be(batch), &block);
		let output = Vrf::sign(pair, &input).verify(&pair.public().0, &input).unwrap();
		// V for four verifiers: a quarter of a check is expected of each.
		checks_of(AIT, AIT, 4, &output)
	};
	let (mut own, mut others) = (0, 0);
	for batch in 0..100 {
		// Each of sixteen orders of its block gives another hash; it takes one by which its own verifier draws.
		let mut orders = (1..=16).map(|order| H256::from_low_u64_be(batch * 100 + order));
		let block = orders.find(|block| drawn(author, batch, *block) > 0).unwrap_or_default();
		own += drawn(author, batch, block);
		others += honest.iter().map(|pair| drawn(pair, batch, block)).sum::<u32>();
	}
	// 25 and 75 are expected of those who cannot choose.
	assert!(own >= 90, "{own}");
	assert!((45..=105).contains(&others), "{others}");
}

#[test]
fn who_invents_figures_is_looked_at_before_it_was_paid_what_an_offence_takes() {
	let parameters = CheckParameters::default();
	let mut draws = 0;
	let mut reports_until_reopened = || {
		let reports = (1u32..).find(|_| {
			(0..4).any(|_| {
				draws += 1;
				is_reopened(&output(draws), parameters.reopen_one_in, 4)
			})
		});
		reports.unwrap()
	};
	let all: Vec<u32> = (0..1_000).map(|_| reports_until_reopened()).collect();
	let (sum, longest) = (all.iter().sum::<u32>(), all.iter().max().unwrap());
	assert!((18_000..=23_000).contains(&sum), "20 reports on average: {sum}");
	let paid = parameters.pay_per_check * u128::from(*longest);
	assert!(paid * 10 < parameters.offence(), "{longest} reports");
}

#[test]
fn ten_thousand_honest_answers_delay_no_alarm_about_a_cheat() {
	// As measured of the built-in model, judged by 16-bit numbers.
	let line = ModelLine { line: 7_083, limit: 187_460, clip: 187_460, ..seeded() };
	let found_after = |mut number: Number, mut wide: WideNumber, figure| {
		let mut checks = (1u32..).map(|check| {
			let (next, alarm) = number.add(figure, &line);
			let (next_wide, wide_alarm) = wide.add(figure, &line);
			(number, wide) = (next, next_wide);
			(check, alarm, wide_alarm)
		});
		checks.find(|(_, alarm, wide_alarm)| *alarm && *wide_alarm).map(|(check, ..)| check)
	};
	let (mut number, mut wide) = (Number::default(), WideNumber::default());
	for check in 0..10_000 {
		// The highest figure of all honest ones that were seen, once in a hundred answers.
		let figure = if check % 100 == 0 { 34_580 } else { 0 };
		let (next, alarm) = number.add(figure, &line);
		let (next_wide, wide_alarm) = wide.add(figure, &line);
		assert!(!alarm && !wide_alarm, "honest answer {check}");
		(number, wide) = (next, next_wide);
	}
	// A cheat of the size that has to be found, and one that is off in every token.
	for (figure, checks) in [(44_600, 5), (u64::from(line.clip), 2)] {
		assert_eq!(found_after(number, wide, figure), Some(checks));
		assert_eq!(found_after(Number::default(), WideNumber::default(), figure), Some(checks));
	}
}
