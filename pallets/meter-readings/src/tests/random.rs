//! Random life of meters against an oracle that knows nothing of the pallet.

use crate::{mock::*, *};
use gridproof_primitives::energy::{
	BatchHeader, BatchLimits, BatchRefusal, Registers, SealId, Suspension,
};
use proptest::prelude::*;

const METERS: u32 = 3;

#[derive(Clone, Debug)]
enum Step {
	/// A call with batches: meter, minutes since the last one's end, minutes long, Wh in and out,
	/// and whether the device forgets to count on.
	Submit(Vec<(u32, u64, u64, u64, u64, bool)>),
	/// The clock advances by that many minutes, and a block with it.
	Wait(u64),
	Suspend(u32),
	Reinstate(u32),
	/// Values from which the registers continue, in Wh.
	Exchange(u32, u64),
	Replay,
}

fn step() -> impl Strategy<Value = Step> {
	let batch =
		(0..METERS, 0..30u64, 0..60u64, 0..6_000u64, 0..6_000u64, prop::bool::weighted(0.1));
	prop_oneof![
		6 => prop::collection::vec(batch, 1..6).prop_map(Step::Submit),
		3 => (1..200u64).prop_map(Step::Wait),
		1 => (0..METERS).prop_map(Step::Suspend),
		1 => (0..METERS).prop_map(Step::Reinstate),
		1 => (0..METERS, 0..100_000u64).prop_map(|(meter, wh)| Step::Exchange(meter, wh)),
		1 => Just(Step::Replay),
	]
}

/// What the oracle knows of a meter.
#[derive(Clone)]
struct Known {
	/// What the device has signed and the chain should have taken last.
	last: Option<BatchHeader>,
	registers: Registers,
	end_ms: u64,
	suspended: bool,
	/// Time from which somebody vouches without a break.
	floor_ms: u64,
	/// Time at which its registers were seen last: in a batch, or at an exchange.
	seen_ms: u64,
	minted: u128,
	minted_today: u64,
	/// Σ export since it was vouched for − Σ import, and the highest that this ever was, in Wh.
	value: i128,
	highest: i128,
}

const MINUTE: u64 = 60_000;
/// Highest energy that a block of the tests mints, in Wh.
const BLOCK_WH: u64 = 8_000;

struct Oracle {
	meters: Vec<Known>,
	minted_in_block: u64,
	accepted: Vec<BatchHeader>,
	seals: u32,
}

impl Oracle {
	fn fresh_seal(&mut self) -> SealId {
		self.seals += 1;
		format!("R-{}", self.seals).into_bytes().try_into().unwrap()
	}

	fn header(
		&self,
		meter: u32,
		gap: u64,
		length: u64,
		flow: (u64, u64),
		again: bool,
	) -> BatchHeader {
		let known = &self.meters[meter as usize];
		let sequence = known.last.as_ref().map_or(0, |last| last.sequence + 1);
		let start_ms = known.end_ms + gap * MINUTE;
		BatchHeader {
			meter,
			sequence: if again { sequence.saturating_sub(1) } else { sequence },
			previous: known.last.as_ref().map_or_else(Default::default, BatchHeader::hash),
			start_ms,
			end_ms: start_ms + length * MINUTE,
			opening: known.registers,
			closing: Registers {
				import_wh: known.registers.import_wh + flow.0,
				export_wh: known.registers.export_wh + flow.1,
			},
			readings: 3,
			root: root(3),
			cid: None,
		}
	}

	/// Returns whether this batch should be accepted now, by the words of `docs/protocols/meter-readings.md`.
	fn takes(&mut self, header: &BatchHeader) -> bool {
		let known = &mut self.meters[header.meter as usize];
		let next = known.last.as_ref().map_or(0, |last| last.sequence + 1);
		let (wh_in, wh_out) = (
			header.closing.import_wh - header.opening.import_wh,
			header.closing.export_wh - header.opening.export_wh,
		);
		let length = header.end_ms - header.start_ms;
		// 10 kW · 1.1, per hour of 3,600,000 ms.
		let allowed = length * 11_000 / 3_600_000;
		let counts = if header.start_ms < known.floor_ms { 0 } else { wh_out };
		let value = known.value + i128::from(counts) - i128::from(wh_in);
		let mints = u64::try_from((value - known.highest).max(0)).unwrap();
		let good = !known.suspended
			&& header.sequence == next
			&& header.end_ms <= Now::get() + MINUTE
			&& length > 0
			&& wh_in + wh_out <= allowed
			&& (mints == 0
				|| (self.minted_in_block + mints <= BLOCK_WH
					&& known.minted_today + mints <= 264_000));
		if good {
			known.last = Some(header.clone());
			(known.registers, known.end_ms) = (header.closing, header.end_ms);
			known.seen_ms = header.end_ms;
			known.minted += u128::from(mints);
			(known.value, known.highest) = (value, known.highest.max(value));
			known.minted_today += mints;
			self.minted_in_block += mints;
			self.accepted.push(header.clone());
		}
		good
	}

	fn submit(&mut self, list: Vec<(u32, u64, u64, u64, u64, bool)>) {
		let (mut signed, mut expected) = (Vec::new(), Vec::new());
		for (meter, gap, length, wh_in, wh_out, again) in list {
			let header = self.header(meter, gap, length, (wh_in, wh_out), again);
			expected.push(self.takes(&header));
			signed.push(sign(&header));
		}
		let before = outcomes().len();
		let all = MeterReadings::check_all(&batches(&signed)).is_ok();
		assert_eq!(all, expected.iter().all(|taken| *taken));
		let preview = MeterReadings::preview_batches(signed.clone());
		submit(&signed).unwrap();
		let became: Vec<_> = outcomes()[before..].iter().map(Result::is_ok).collect();
		assert_eq!(became, expected);
		assert_eq!(preview.iter().map(Result::is_ok).collect::<Vec<_>>(), expected);
	}

	fn step(&mut self, step: Step) {
		match step {
			Step::Submit(list) => self.submit(list),
			Step::Wait(minutes) => {
				let day = |now: u64| now / (1_440 * MINUTE);
				let before = day(Now::get());
				Now::set(Now::get() + minutes * MINUTE);
				if day(Now::get()) != before {
					self.meters.iter_mut().for_each(|known| known.minted_today = 0);
				}
				System::set_block_number(System::block_number() + 1);
				self.minted_in_block = 0;
			},
			Step::Suspend(meter) => {
				let call = Call::suspend_meter { meter, reason: Suspension::BrokenSeal };
				let known = &mut self.meters[meter as usize];
				assert_eq!(dispatch(call, owner()).is_ok(), !known.suspended);
				known.suspended = true;
			},
			Step::Reinstate(meter) => {
				let call = Call::reinstate_meter { meter, seal: self.fresh_seal() };
				let known = &mut self.meters[meter as usize];
				assert_eq!(dispatch(call, electrician()).is_ok(), known.suspended);
				if known.suspended {
					known.floor_ms = Now::get();
				}
				known.suspended = false;
			},
			Step::Exchange(meter, wh) => {
				let registers = Registers { import_wh: wh, export_wh: wh / 2 };
				let serial = serial(meter as u8 + 1);
				let seal = self.fresh_seal();
				let call = Call::exchange_meter { meter, registers, serial, seal, device: None };
				dispatch(call, electrician()).unwrap();
				let known = &mut self.meters[meter as usize];
				// What it shows more was drawn; if it shows less, as much as 10 kW · 1.1 give.
				let possible = Now::get().saturating_sub(known.seen_ms) * 11_000 / 3_600_000;
				let risen = wh.checked_sub(known.registers.import_wh);
				known.value -= i128::from(risen.unwrap_or(possible));
				known.seen_ms = Now::get();
				(known.registers, known.suspended) = (registers, false);
				// The device begins again: what it had not stated is lost.
				(known.floor_ms, known.end_ms) = (Now::get(), known.end_ms.max(Now::get()));
			},
			Step::Replay => {
				for header in self.accepted.iter().rev().take(3) {
					let refused = matches!(
						refusal(&sign(header)),
						BatchRefusal::SequenceUsed { .. } | BatchRefusal::Suspended
					);
					assert!(refused);
				}
			},
		}
	}

	fn compare(&self) {
		MeterReadings::do_try_state().unwrap();
		assert_eq!(issuance(), self.meters.iter().map(|known| known.minted).sum::<u128>());
		for (meter, known) in (0..).zip(&self.meters) {
			assert_eq!(kwh(&energy_account(meter)), known.minted);
			let state = MeterReadings::meter(meter).unwrap().state;
			let next = known.last.as_ref().map_or(0, |last| last.sequence + 1);
			assert_eq!((state.next_sequence, state.registers), (next, known.registers));
		}
		let sums = SumsOfAll::<Test>::get();
		assert_eq!(sums.batches, self.accepted.len() as u64);
	}
}

fn run(steps: Vec<Step>) {
	build_and_execute(|| {
		// Every batch of these tests is free of fees.
		let batch = BatchLimits { min_free_ms: 0, free_per_hour: 1_000, ..BatchLimits::default() };
		let limits = Limits { block_wh: BLOCK_WH, batch, ..Limits::default() };
		MeterReadings::set_limits(RuntimeOrigin::root(), limits).unwrap();
		let meters = (0..METERS)
			.map(|meter| {
				assert_eq!(certify(meter as u8 + 1), meter);
				let Certification { registers, since_ms, .. } = certification(1);
				let end_ms = since_ms;
				let (suspended, floor_ms) = (false, since_ms);
				Known {
					last: None,
					registers,
					end_ms,
					suspended,
					floor_ms,
					seen_ms: since_ms,
					minted: 0,
					minted_today: 0,
					value: 0,
					highest: 0,
				}
			})
			.collect();
		let mut oracle = Oracle { meters, minted_in_block: 0, accepted: Vec::new(), seals: 0 };
		for step in steps {
			oracle.step(step);
			oracle.compare();
		}
	});
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

	#[test]
	fn supply_and_registers_are_those_of_the_oracle(
		steps in prop::collection::vec(step(), 1..50),
	) {
		run(steps);
	}
}
