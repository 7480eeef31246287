//! What a device signs, what it refuses, and what a restart leaves.

use gridproof_device::{Binding, Device, DeviceError, Durability, Reading, SignRefusal, Start};
use gridproof_keys::{Kind, SealedKey};
use gridproof_primitives::{
	H256,
	codec::cid::Cid,
	crypto::merkle,
	energy::{
		BatchHeader, BatchLimits, Direction, MeterName, MeterState, Registers, SignedBatch,
		check_batch,
		emlog::{Energy, EnergyLog, RunningRegisters, Status},
		message::{SignAnswer, SignRequest, SignedCopy},
	},
};
use proptest::prelude::*;
use std::{fs, path::Path};
use zeroize::Zeroizing;

const QUARTER_MS: u64 = 900_000;
const GENESIS: H256 = H256([7; 32]);
const METER: u32 = 42;

fn name() -> MeterName {
	MeterName::new("PLANT-01", "gw-1", "MTR-1").unwrap()
}

fn key() -> SealedKey {
	SealedKey::from_seed(Zeroizing::new([9; 32]), Some(Kind::Device), Some("PLANT-01/gw-1/MTR-1"))
}

fn binding() -> Binding {
	Binding { genesis: GENESIS, meter: METER }
}

fn bound() -> Device {
	let mut device = Device::in_memory(key(), name(), Direction::Both);
	device.bind(binding()).unwrap();
	device
}

fn open(folder: &Path) -> Result<Device, DeviceError> {
	let registers = Registers { import_wh: 100, export_wh: 5 };
	let start = Start { registers, ..Start::default() };
	Device::open(key(), name(), Direction::Both, &start, folder, Durability::PowerCut)
}

fn reading(quarter: u64, wh: &str, flow: Direction) -> Reading {
	let (start_ms, energy) = (quarter * QUARTER_MS, Energy::parse_wh(wh).unwrap());
	Reading::new(start_ms, start_ms + QUARTER_MS, energy, flow)
}

/// What an honest gateway keeps of a meter and asks of it.
struct Gateway {
	logs: Vec<EnergyLog>,
	registers: RunningRegisters,
	state: MeterState,
}

impl Gateway {
	fn new(registers: Registers) -> Self {
		Self {
			logs: Vec::new(),
			registers: RunningRegisters::starting_at(registers),
			state: MeterState::new(25_000, Direction::Both, registers, 0),
		}
	}

	fn take(&mut self, device: &mut Device, readings: &[Reading]) {
		for published in device.record(readings).unwrap() {
			assert_eq!(published.topic, "energy/PLANT-01/gw-1/MTR-1");
			self.logs.push(EnergyLog::parse(published.payload.as_bytes()).unwrap());
		}
	}

	/// The next header, of the oldest `count` logs.
	fn request(&self, count: usize) -> SignRequest {
		let logs = &self.logs[..count];
		let mut registers = self.registers;
		for log in logs {
			registers.add(log.direction(Direction::Both).unwrap(), &log.counted()).unwrap();
		}
		let leaves: Vec<H256> = logs.iter().map(EnergyLog::leaf_hash).collect();
		let file: Vec<&str> = logs.iter().map(|log| log.canonical()).collect();
		let header = BatchHeader {
			meter: METER,
			sequence: self.state.next_sequence,
			previous: self.state.last_hash,
			start_ms: logs[0].start_ms,
			end_ms: logs[count - 1].end_ms,
			opening: self.registers.shown(),
			closing: registers.shown(),
			readings: count as u32,
			root: merkle::root(&leaves),
			cid: Some(Cid::of(file.join("\n").as_bytes())),
		};
		SignRequest { header, genesis: GENESIS, leaves: count as u32 }
	}

	/// Asks the device, checks its signature and every rule of the chain, and goes on.
	fn batch(&mut self, device: &mut Device, count: usize) {
		let request = self.request(count);
		let signature = device.sign(&request).unwrap();
		let SignRequest { header, .. } = request;
		let batch = SignedBatch { header: header.clone(), signature };
		batch.verify(device.public(), &GENESIS).unwrap();
		check_batch(&self.state, &header, u64::MAX / 2, &BatchLimits::default()).unwrap();
		self.state.advance(&header);
		for log in self.logs.drain(..count) {
			let flow = log.direction(Direction::Both).unwrap();
			self.registers.add(flow, &log.counted()).unwrap();
		}
	}
}

/// A device with six readings of both directions, and a gateway that has them.
fn six(device: &mut Device, registers: Registers) -> Gateway {
	let mut gateway = Gateway::new(registers);
	for quarter in 0..6 {
		let flow = if quarter % 2 == 0 { Direction::Import } else { Direction::Export };
		gateway.take(device, &[reading(quarter, "10.4", flow)]);
	}
	gateway
}

#[test]
fn batches_of_honest_readings_are_signed_one_after_the_other() {
	let mut device = bound();
	let mut gateway = six(&mut device, Registers::default());
	gateway.batch(&mut device, 4);
	assert_eq!((device.unsigned(), device.next_sequence()), (2, 1));
	gateway.take(&mut device, &[reading(9, "0.3", Direction::Export)]);
	gateway.batch(&mut device, 3);
	// Floors of the exact sums: no fraction is lost at the border of two batches.
	assert_eq!(device.registers(), Registers { import_wh: 31, export_wh: 31 });
	assert_eq!(gateway.state.registers, device.registers());
}

#[test]
fn a_header_in_which_any_field_is_altered_is_refused_and_nothing_is_kept() {
	let mut device = bound();
	let gateway = six(&mut device, Registers::default());
	let honest = gateway.request(4);
	let altered = |change: &dyn Fn(&mut SignRequest)| {
		let mut request = honest.clone();
		change(&mut request);
		assert_ne!(request, honest);
		request
	};
	let cases = [
		(altered(&|r| r.genesis = H256::zero()), "other_chain"),
		(altered(&|r| r.header.meter += 1), "other_meter"),
		(altered(&|r| r.header.sequence += 1), "sequence_gap"),
		(altered(&|r| r.header.previous = H256([1; 32])), "other_previous"),
		(altered(&|r| r.header.start_ms += 1), "other_start"),
		(altered(&|r| r.header.end_ms -= 1), "other_end"),
		(altered(&|r| r.header.end_ms += QUARTER_MS), "other_end"),
		(altered(&|r| r.header.opening.import_wh += 1), "other_opening"),
		(altered(&|r| r.header.opening.export_wh += 1), "other_opening"),
		(altered(&|r| r.header.closing.import_wh += 1), "other_closing"),
		(altered(&|r| r.header.closing.export_wh += 1), "other_closing"),
		(altered(&|r| r.header.closing.export_wh -= 1), "other_closing"),
		(altered(&|r| r.header.readings -= 1), "other_count"),
		(altered(&|r| r.leaves -= 1), "other_count"),
		(altered(&|r| (r.leaves, r.header.readings) = (5, 5)), "other_end"),
		(altered(&|r| (r.leaves, r.header.readings) = (7, 7)), "unknown_readings"),
		(altered(&|r| (r.leaves, r.header.readings) = (0, 0)), "no_readings"),
		(altered(&|r| r.header.root.0[0] ^= 1), "other_root"),
		(altered(&|r| r.header.cid = Some(Cid::of(b"anything"))), "other_cid"),
	];
	for (request, code) in cases {
		let refusal = device.sign(&request).unwrap_err();
		assert_eq!(refusal.code(), code, "{refusal}");
		assert_eq!((device.unsigned(), device.next_sequence()), (6, 0));
	}
	assert!(device.sign(&honest).is_ok());
}

#[test]
fn an_altered_reading_shows_in_the_root() {
	let mut device = bound();
	let mut gateway = six(&mut device, Registers::default());
	let text =
		gateway.logs[1].canonical().replace("\"price_sats_per_kwh\":0", "\"price_sats_per_kwh\":1");
	gateway.logs[1] = EnergyLog::parse(text.as_bytes()).unwrap();
	let refusal = device.sign(&gateway.request(4)).unwrap_err();
	assert_eq!(refusal, SignRefusal::OtherRoot);
	assert!(refusal.asks_for_readings());
}

#[test]
fn no_second_header_is_ever_signed_for_a_number() {
	let mut device = bound();
	let gateway = six(&mut device, Registers::default());
	let (first, second) = (gateway.request(4), gateway.request(2));
	assert_eq!(first.header.sequence, second.header.sequence);
	let signature = device.sign(&first).unwrap();
	assert_eq!(device.sign(&second), Err(SignRefusal::SequenceUsed(0)));
	// The same one again gets the same signature: an answer may have been lost.
	assert_eq!(device.sign(&first), Ok(signature));
	let other_chain = SignRequest { genesis: H256::zero(), ..first.clone() };
	assert_eq!(device.sign(&other_chain), Err(SignRefusal::OtherChain));
	// Another content identifier makes another header.
	let mut other_cid = first;
	other_cid.header.cid = None;
	assert_eq!(device.sign(&other_cid), Err(SignRefusal::SequenceUsed(0)));
}

#[test]
fn a_device_that_was_not_told_its_chain_signs_nothing() {
	let mut device = Device::in_memory(key(), name(), Direction::Both);
	let gateway = six(&mut device, Registers::default());
	assert_eq!(device.sign(&gateway.request(4)), Err(SignRefusal::Unbound));
	device.bind(binding()).unwrap();
	device.bind(binding()).unwrap();
	let elsewhere = Binding { meter: 1, ..binding() };
	assert!(matches!(device.bind(elsewhere), Err(DeviceError::BoundElsewhere(METER))));
	assert!(device.sign(&gateway.request(4)).is_ok());
}

#[test]
fn a_device_that_binds_itself_stays_with_its_first_chain_and_meter() {
	let mut device = Device::in_memory(key(), name(), Direction::Both).binding_itself();
	let mut gateway = six(&mut device, Registers::default());
	let mut wrong = gateway.request(4);
	wrong.header.root = H256::zero();
	assert!(device.sign(&wrong).is_err());
	assert_eq!(device.binding(), None, "a request that is not in order binds nothing");
	gateway.batch(&mut device, 4);
	assert_eq!(device.binding(), Some(binding()));
	let mut other = gateway.request(2);
	other.header.meter = 1;
	assert_eq!(device.sign(&other), Err(SignRefusal::OtherMeter(1)));
}

#[test]
fn two_readings_of_one_interval_stay_in_one_batch() {
	let mut device = bound();
	let mut gateway = Gateway::new(Registers::default());
	let both = [reading(0, "1", Direction::Import), reading(0, "2", Direction::Export)];
	gateway.take(&mut device, &both);
	gateway.take(&mut device, &[reading(1, "1", Direction::Import)]);
	assert_eq!(device.sign(&gateway.request(1)), Err(SignRefusal::SplitInterval));
	gateway.batch(&mut device, 2);
	gateway.batch(&mut device, 1);
}

#[test]
fn readings_that_cannot_be_are_refused_all_or_none() {
	let mut device = bound();
	device.record(&[reading(5, "1", Direction::Import)]).unwrap();
	let backwards = [reading(6, "1", Direction::Import), reading(4, "1", Direction::Import)];
	assert!(matches!(device.record(&backwards), Err(DeviceError::Backwards { .. })));
	assert_eq!(device.unsigned(), 1);
	let empty = Reading { end_ms: 6 * QUARTER_MS, ..reading(6, "1", Direction::Import) };
	assert!(matches!(device.record(&[empty]), Err(DeviceError::BadInterval)));
	let odd = Reading { end_ms: 7 * QUARTER_MS + 1, ..reading(6, "1", Direction::Import) };
	assert!(matches!(device.record(&[odd]), Err(DeviceError::BadInterval)));
	let both = reading(6, "1", Direction::Both);
	assert!(matches!(device.record(&[both]), Err(DeviceError::OtherDirection(_))));
	let mut importer = Device::in_memory(key(), name(), Direction::Import);
	let export = reading(0, "1", Direction::Export);
	assert!(matches!(importer.record(&[export]), Err(DeviceError::OtherDirection(_))));
	let full = reading(6, "18446744073709551615", Direction::Import);
	assert!(matches!(device.record(&[full]), Err(DeviceError::RegisterFull)));
}

#[test]
fn a_reading_that_failed_counts_as_nothing() {
	let mut device = bound();
	let mut gateway = Gateway::new(Registers::default());
	let failed = Reading { status: Status::Error, ..reading(0, "500", Direction::Import) };
	gateway.take(&mut device, &[failed, reading(1, "7", Direction::Import)]);
	assert_eq!(device.registers().import_wh, 7);
	gateway.batch(&mut device, 2);
}

#[test]
fn a_restart_at_any_moment_changes_nothing() {
	let folder = tempfile::tempdir().unwrap();
	let opening = Registers { import_wh: 100, export_wh: 5 };
	let mut device = open(folder.path()).unwrap();
	device.bind(binding()).unwrap();
	let mut gateway = six(&mut device, opening);
	let restart = |device: Device| {
		let before = (device.registers(), device.unsigned(), device.last_end_ms());
		drop(device);
		let device = open(folder.path()).unwrap();
		assert_eq!((device.registers(), device.unsigned(), device.last_end_ms()), before);
		assert_eq!(device.binding(), Some(binding()));
		device
	};
	let mut device = restart(device);
	let again: Vec<String> =
		device.again().unwrap().into_iter().map(|published| published.payload).collect();
	let logs: Vec<String> = gateway.logs.iter().map(|log| log.canonical().to_string()).collect();
	assert_eq!(again, logs);
	let first = gateway.request(4);
	let other = gateway.request(3);
	gateway.batch(&mut device, 4);
	let mut device = restart(device);
	assert_eq!(device.sign(&other), Err(SignRefusal::SequenceUsed(0)));
	assert!(device.sign(&first).is_ok());
	gateway.take(&mut device, &[reading(7, "3.3", Direction::Export)]);
	let mut device = restart(device);
	gateway.batch(&mut device, 3);
	let device = restart(device);
	assert_eq!(device.unsigned(), 0);
	assert_eq!(gateway.state.registers, device.registers());
	assert_eq!(fs::metadata(folder.path().join("logs")).unwrap().len(), 0);
}

#[test]
fn a_reading_that_the_gateway_does_not_keep_is_struck_and_batches_go_on() {
	let folder = tempfile::tempdir().unwrap();
	let mut device = open(folder.path()).unwrap();
	device.bind(binding()).unwrap();
	let mut gateway = six(&mut device, Registers { import_wh: 100, export_wh: 5 });
	// The first, one in between and the last: in no batch, in no register, on no list.
	for place in [5, 2, 0] {
		let refused = gateway.logs.remove(place);
		assert!(device.strike(&refused.leaf_hash()).unwrap());
		assert!(!device.strike(&refused.leaf_hash()).unwrap(), "it is struck once");
	}
	assert_eq!((device.unsigned(), device.again().unwrap().len()), (3, 3));
	let restart = |device: Device| {
		let before = (device.registers(), device.unsigned());
		drop(device);
		let device = open(folder.path()).unwrap();
		assert_eq!((device.registers(), device.unsigned()), before);
		device
	};
	let mut device = restart(device);
	gateway.batch(&mut device, 2);
	let mut device = restart(device);
	gateway.take(&mut device, &[reading(7, "3.3", Direction::Export)]);
	gateway.batch(&mut device, 2);
	// Nothing is left but one reading, which is struck, too: the numbers start no second time.
	gateway.take(&mut device, &[reading(8, "3.3", Direction::Export)]);
	let refused = gateway.logs.remove(0);
	assert!(device.strike(&refused.leaf_hash()).unwrap());
	let mut device = restart(device);
	gateway.take(&mut device, &[reading(9, "1", Direction::Export)]);
	let mut device = restart(device).without_texts();
	assert_eq!(device.again().unwrap().len(), 1);
	gateway.batch(&mut device, 1);
	assert_eq!(gateway.state.registers, device.registers());
}

#[test]
fn a_device_records_no_more_energy_than_its_rated_power_allows() {
	// 100 W: 25 Wh in a quarter of an hour, and a tenth more.
	let mut device = Device::in_memory(key(), name(), Direction::Export).rated(100);
	let spike = [reading(0, "2500", Direction::Export)];
	assert!(matches!(device.record(&spike), Err(DeviceError::TooMuchEnergy { max_wh: 27 })));
	assert_eq!(device.registers(), Registers::default());
	let failed = Reading { status: Status::Error, ..spike[0] };
	device.record(&[failed, reading(1, "27.9", Direction::Export)]).unwrap();
	assert_eq!(device.registers().export_wh, 27);
}

#[test]
fn a_reading_that_was_cut_off_by_a_power_cut_was_never_published_and_is_gone() {
	let folder = tempfile::tempdir().unwrap();
	let mut device = open(folder.path()).unwrap();
	device.bind(binding()).unwrap();
	let mut gateway = six(&mut device, Registers { import_wh: 100, export_wh: 5 });
	drop(device);
	let path = folder.path().join("logs");
	let whole = fs::read(&path).unwrap();
	fs::write(&path, &whole[..whole.len() - 40]).unwrap();
	let mut device = open(folder.path()).unwrap();
	assert_eq!(device.unsigned(), 5);
	gateway.logs.truncate(5);
	// The register is what it was without it, and the next log follows.
	gateway.take(&mut device, &[reading(5, "10.4", Direction::Export)]);
	gateway.batch(&mut device, 6);
}

#[test]
fn a_state_written_before_the_journal_was_shortened_is_no_double_count() {
	let folder = tempfile::tempdir().unwrap();
	let mut device = open(folder.path()).unwrap();
	device.bind(binding()).unwrap();
	let mut gateway = six(&mut device, Registers { import_wh: 100, export_wh: 5 });
	let journal = fs::read(folder.path().join("logs")).unwrap();
	gateway.batch(&mut device, 6);
	let registers = device.registers();
	drop(device);
	// As if it had been killed between the two.
	fs::write(folder.path().join("logs"), journal).unwrap();
	let device = open(folder.path()).unwrap();
	assert_eq!((device.registers(), device.unsigned()), (registers, 0));
}

#[test]
fn a_device_that_takes_the_place_of_another_goes_on_where_the_chain_is() {
	let folder = tempfile::tempdir().unwrap();
	let mut first = bound();
	let mut gateway = six(&mut first, Registers::default());
	gateway.batch(&mut first, 6);
	// An exchange: another key, other registers, but sequence, previous hash and time go on.
	let registers = Registers { import_wh: 7, export_wh: 0 };
	gateway.state.registers = registers;
	gateway.registers = RunningRegisters::starting_at(registers);
	let MeterState { next_sequence, last_hash, last_end_ms, .. } = gateway.state;
	let start =
		Start { sequence: next_sequence, previous: last_hash, registers, end_ms: last_end_ms };
	let key = SealedKey::generate(Kind::Device, Some("PLANT-01/gw-1/MTR-1")).unwrap();
	let durability = Durability::Crash;
	let mut second =
		Device::open(key, name(), Direction::Both, &start, folder.path(), durability).unwrap();
	second.bind(binding()).unwrap();
	let early = second.record(&[reading(5, "1", Direction::Import)]);
	assert!(matches!(early, Err(DeviceError::Backwards { .. })));
	gateway.take(&mut second, &[reading(6, "1", Direction::Import)]);
	gateway.batch(&mut second, 1);
	assert_eq!(second.next_sequence(), 2);
}

#[test]
fn a_folder_is_of_one_device_and_one_program() {
	let folder = tempfile::tempdir().unwrap();
	let device = open(folder.path()).unwrap();
	assert!(matches!(open(folder.path()), Err(DeviceError::InUse(_))));
	drop(device);
	let other = SealedKey::generate(Kind::Device, None).unwrap();
	let (start, durability) = (Start::default(), Durability::Crash);
	let opened = Device::open(other, name(), Direction::Both, &start, folder.path(), durability);
	assert!(matches!(opened.err(), Some(DeviceError::BadState { .. })));
	fs::write(folder.path().join("logs"), "1 {}\n3 {}\n").unwrap();
	assert!(matches!(open(folder.path()), Err(DeviceError::BadState { .. })));
}

#[test]
fn a_device_without_texts_publishes_again_from_its_folder() {
	let folder = tempfile::tempdir().unwrap();
	let mut device = open(folder.path()).unwrap().without_texts();
	device.bind(binding()).unwrap();
	let mut gateway = six(&mut device, Registers { import_wh: 100, export_wh: 5 });
	assert_eq!(device.again().unwrap().len(), 6);
	gateway.batch(&mut device, 4);
	let again = device.again().unwrap();
	assert_eq!(again.len(), 2);
	assert_eq!(again[0].payload, gateway.logs[0].canonical());
}

#[test]
fn messages_are_answered_and_what_is_none_is_not() {
	let mut device = bound();
	let gateway = six(&mut device, Registers::default());
	let request = gateway.request(4);
	let (answer, refusal) = device.answer(request.to_json().as_bytes()).unwrap();
	assert_eq!(refusal, None);
	let answer = SignAnswer::parse(answer.to_json().as_bytes()).unwrap();
	assert_eq!(answer.header_hash, request.header.hash());
	let batch = SignedBatch { header: request.header, signature: answer.outcome.unwrap() };
	batch.verify(device.public(), &GENESIS).unwrap();
	let (answer, refusal) = device.answer(gateway.request(3).to_json().as_bytes()).unwrap();
	assert_eq!(refusal, Some(SignRefusal::SequenceUsed(0)));
	assert!(answer.outcome.unwrap_err().contains("never will be"));
	for message in
		[&b""[..], b"{}", b"[1]", b"{\"header_hex\":\"00\",\"genesis\":\"0x\",\"leaves\":1}"]
	{
		assert!(device.answer(message).is_err());
	}
}

#[test]
fn a_refusal_shows_what_was_signed_so_that_a_gateway_that_lost_it_continues() {
	let folder = tempfile::tempdir().unwrap();
	let mut device = open(folder.path()).unwrap();
	device.bind(binding()).unwrap();
	let mut gateway = six(&mut device, Registers { import_wh: 100, export_wh: 5 });
	let other = gateway.request(3);
	let first = gateway.request(4);
	gateway.batch(&mut device, 4);
	drop(device);
	let mut device = open(folder.path()).unwrap();
	// Under the same number: the header itself, its signature, and the registers to the fraction.
	let ask = |device: &mut Device, request: &SignRequest| {
		let (answer, refusal) = device.answer(request.to_json().as_bytes()).unwrap();
		assert!(refusal.is_some());
		SignAnswer::parse(answer.to_json().as_bytes()).unwrap().last
	};
	let SignedCopy { header, signature, closing } = ask(&mut device, &other).unwrap();
	assert_eq!((&header, closing), (&first.header, gateway.registers));
	assert_eq!(closing.shown(), header.closing);
	assert_ne!(closing, RunningRegisters::starting_at(header.closing), "it has a fraction");
	let copy = SignedBatch { header: header.clone(), signature };
	copy.verify(device.public(), &GENESIS).unwrap();
	// Under the next number: the one before it.
	let mut next = gateway.request(2);
	next.header.closing.export_wh += 1;
	assert_eq!(ask(&mut device, &next).unwrap().header, header);
	// Not what is too far away, and nothing for another chain or meter.
	next.header.sequence = 7;
	assert_eq!(ask(&mut device, &next), None);
	let elsewhere = SignRequest { genesis: H256::zero(), ..other };
	assert_eq!(ask(&mut device, &elsewhere), None);
}

#[test]
fn a_state_of_before_headers_were_kept_is_read_and_shows_none() {
	let folder = tempfile::tempdir().unwrap();
	let mut device = open(folder.path()).unwrap();
	device.bind(binding()).unwrap();
	let mut gateway = six(&mut device, Registers { import_wh: 100, export_wh: 5 });
	let (first, other) = (gateway.request(4), gateway.request(3));
	gateway.batch(&mut device, 4);
	drop(device);
	let path = folder.path().join("state.json");
	let mut state: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
	let signed = state["state"]["signed"][0].as_object_mut().unwrap();
	assert!(signed.remove("header").is_some() && signed.remove("closing").is_some());
	fs::write(&path, state.to_string()).unwrap();
	let mut device = open(folder.path()).unwrap();
	assert!(device.sign(&first).is_ok());
	let (answer, _) = device.answer(other.to_json().as_bytes()).unwrap();
	assert_eq!(answer.last, None);
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn any_readings_cut_into_any_batches_are_signed_and_keep_the_rules_of_the_chain(
		readings in proptest::collection::vec((0u64..3, any::<bool>(), 0u32..5_000_000), 1..60),
		cuts in proptest::collection::vec(1usize..20, 1..20),
	) {
		let mut device = bound();
		let mut gateway = Gateway::new(Registers::default());
		let mut quarter = 1;
		let mut sums = [0u128; 2];
		for (gap, exported, milli_wh) in readings {
			quarter += gap + 1;
			let flow = if exported { Direction::Export } else { Direction::Import };
			sums[usize::from(exported)] += u128::from(milli_wh);
			let wh = format!("{}.{:03}", milli_wh / 1_000, milli_wh % 1_000);
			gateway.take(&mut device, &[reading(quarter, &wh, flow)]);
		}
		for cut in cuts.into_iter().cycle() {
			if gateway.logs.is_empty() {
				break;
			}
			let count = cut.min(gateway.logs.len());
			gateway.batch(&mut device, count);
		}
		prop_assert_eq!(device.unsigned(), 0);
		let shown = device.registers();
		prop_assert_eq!(u128::from(shown.import_wh), sums[0] / 1_000);
		prop_assert_eq!(u128::from(shown.export_wh), sums[1] / 1_000);
	}
}
