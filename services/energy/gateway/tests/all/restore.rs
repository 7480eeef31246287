//! A gateway whose database is older than the chain and its devices, or empty.

use crate::common::{Chain, Desk, GENESIS, Happened, Mqtt, Running, device_key, meter_name};
use gridproof_device::{Binding, Device, Reading};
use gridproof_gateway_api::BatchState;
use gridproof_primitives::{
	crypto::merkle::document::ProofDocument,
	energy::{
		Direction, Topic, Trust,
		emlog::{Energy, RunningRegisters},
		message::{SignAnswer, SignRequest, SignedCopy},
	},
	num::units::MILLIS_PER_DAY,
};
use gridproof_support::clock::now_ms;
use std::{
	fs,
	time::{Duration, Instant},
};

const METER: &str = "A/1/m";

/// A device of its own state, which outlives every gateway.
struct Meter {
	device: Device,
	password: String,
	begin_ms: u64,
	slot: u64,
}

impl Meter {
	fn new(desk: &Desk, chain: &Chain) -> Self {
		let key = device_key(METER);
		chain.certify(METER, &key, Trust::Device, Direction::Export);
		let mut device = Device::in_memory(key, meter_name(METER), Direction::Export);
		device.bind(Binding { genesis: GENESIS, meter: 0 }).unwrap();
		let begin_ms = (now_ms() / MILLIS_PER_DAY - 30) * MILLIS_PER_DAY;
		Self { device, password: desk.add_device("one", "A", "1"), begin_ms, slot: 0 }
	}

	/// Connects, and sends what is not signed.
	async fn connect(&mut self, gateway: &Running) -> Mqtt {
		let mut mqtt = gateway.mqtt("meter", Some(("one", self.password.as_str()))).await;
		assert!(mqtt.subscribe("energy/A/1/m/sign").await);
		assert!(mqtt.subscribe("energy/A/1/m/refused").await);
		for published in self.device.again().unwrap() {
			mqtt.publish(&published.topic, published.payload).await;
		}
		mqtt
	}

	/// Measures 0.4 Wh in each of some quarters of an hour: what a register shows is not all it has.
	async fn measure(&mut self, gateway: &Running, mqtt: &mut Mqtt, quarters: u64) {
		let before = gateway.storage().counts().await.unwrap().readings;
		for _ in 0..quarters {
			let start_ms = self.begin_ms + self.slot * 900_000;
			self.slot += 1;
			let energy = Energy::parse_wh("0.4").unwrap();
			let reading = Reading::new(start_ms, start_ms + 900_000, energy, Direction::Export);
			for published in self.device.record(&[reading]).unwrap() {
				mqtt.publish(&published.topic, published.payload).await;
			}
		}
		while gateway.storage().counts().await.unwrap().readings < before + quarters {
			tokio::time::sleep(Duration::from_millis(10)).await;
		}
	}

	/// Answers what comes within a moment.
	async fn answer(&mut self, mqtt: &mut Mqtt) {
		while let Ok(happened) = tokio::time::timeout(Duration::from_millis(150), mqtt.next()).await
		{
			match happened {
				Happened::Message(topic, payload)
					if topic == Topic::Sign.of(self.device.name()) =>
				{
					let (answer, _) = self.device.answer(payload.as_bytes()).unwrap();
					let topic = Topic::Signed.of(self.device.name());
					mqtt.publish(&topic, answer.to_json()).await;
				},
				Happened::Acknowledged => (),
				other => panic!("{other:?}"),
			}
		}
	}

	/// Continues until the chain has so many batches and the device has signed everything.
	async fn settle(&mut self, gateway: &Running, chain: &Chain, mqtt: &mut Mqtt, batches: u64) {
		let begin = Instant::now();
		while chain.meter_state(0).next_sequence < batches || self.device.unsigned() > 0 {
			let state = chain.meter_state(0);
			assert!(begin.elapsed() < Duration::from_secs(40), "{state:?}");
			self.answer(mqtt).await;
			let _ = gateway.client.flush().await;
			self.answer(mqtt).await;
		}
		assert_eq!(chain.meter_state(0).next_sequence, batches);
	}
}

async fn backup(desk: &Desk) {
	desk.closed().await;
	fs::copy(desk.path("gateway.db"), desk.path("backup.db")).unwrap();
}

/// Puts the backup in place of the database, or nothing.
async fn restore(desk: &Desk, with_backup: bool) {
	desk.closed().await;
	for end in ["", "-wal", "-shm"] {
		let _ = fs::remove_file(desk.path(&format!("gateway.db{end}")));
	}
	if with_backup {
		fs::copy(desk.path("backup.db"), desk.path("gateway.db")).unwrap();
	}
}

async fn is_well(gateway: &Running) {
	let status = gateway.client.status().await.unwrap();
	assert_eq!((status.counts.parked, status.counts.unsigned), (0, 0));
	assert!(gateway.dead_letters().await.is_empty(), "{:?}", gateway.dead_letters().await);
}

#[tokio::test]
async fn after_an_older_copy_or_none_the_gateway_continues_from_the_device_s_own() {
	for (with_backup, is_submitted) in [(true, false), (false, false), (true, true), (false, true)]
	{
		let (desk, chain) = Desk::new().with_chain();
		let mut meter = Meter::new(&desk, &chain);
		let gateway = desk.start(vec![]).await;
		let mut mqtt = meter.connect(&gateway).await;
		meter.measure(&gateway, &mut mqtt, 3).await;
		meter.settle(&gateway, &chain, &mut mqtt, 1).await;
		gateway.stop().await;
		backup(&desk).await;
		let gateway = desk.start(vec![]).await;
		let mut mqtt = meter.connect(&gateway).await;
		meter.measure(&gateway, &mut mqtt, 3).await;
		meter.settle(&gateway, &chain, &mut mqtt, 2).await;
		// The third batch is signed by the device; whether the chain takes it before the disk dies is luck.
		meter.measure(&gateway, &mut mqtt, 2).await;
		if is_submitted {
			meter.settle(&gateway, &chain, &mut mqtt, 3).await;
		} else {
			while gateway.client.flush().await.is_err() {
				meter.answer(&mut mqtt).await;
			}
			chain.away(true);
			while meter.device.next_sequence() < 3 {
				meter.answer(&mut mqtt).await;
			}
		}
		meter.measure(&gateway, &mut mqtt, 1).await;
		gateway.stop().await;
		restore(&desk, with_backup).await;
		chain.away(false);
		let gateway = desk.start(vec![]).await;
		let mut mqtt = meter.connect(&gateway).await;
		meter.settle(&gateway, &chain, &mut mqtt, 4).await;
		is_well(&gateway).await;
		// 9 × 0.4 Wh, to the fraction: the next 0.4 Wh make 4.
		assert_eq!(chain.meter_state(0).registers.export_wh, 3);
		meter.measure(&gateway, &mut mqtt, 1).await;
		meter.settle(&gateway, &chain, &mut mqtt, 5).await;
		assert_eq!(chain.meter_state(0).registers.export_wh, 4);
		assert_eq!(meter.device.registers().export_wh, 4);
		is_well(&gateway).await;
		gateway.stop().await;
	}
}

#[tokio::test]
async fn readings_of_an_older_copy_that_the_chain_has_in_a_batch_are_proved_by_it() {
	for is_batched in [false, true] {
		let (desk, chain) = Desk::new().with_chain();
		let mut meter = Meter::new(&desk, &chain);
		let gateway = desk.start(vec![]).await;
		let mut mqtt = meter.connect(&gateway).await;
		meter.measure(&gateway, &mut mqtt, 3).await;
		meter.settle(&gateway, &chain, &mut mqtt, 1).await;
		// In the copy they wait for their batch, or for its signature.
		meter.measure(&gateway, &mut mqtt, 3).await;
		if is_batched {
			while gateway.client.flush().await.is_err() {
				tokio::time::sleep(Duration::from_millis(20)).await;
			}
		}
		gateway.stop().await;
		backup(&desk).await;
		let gateway = desk.start(vec![]).await;
		let mut mqtt = meter.connect(&gateway).await;
		meter.settle(&gateway, &chain, &mut mqtt, 2).await;
		gateway.stop().await;
		restore(&desk, true).await;
		let gateway = desk.start(vec![]).await;
		let mut mqtt = meter.connect(&gateway).await;
		let begin = Instant::now();
		loop {
			let batches = gateway.client.status().await.unwrap().counts;
			if batches.accepted == 2 && batches.pending == 0 {
				break;
			}
			assert!(begin.elapsed() < Duration::from_secs(30), "{batches:?}");
			let _ = gateway.client.flush().await;
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
		is_well(&gateway).await;
		let logs = gateway.get("/api/v1/logs?limit=100").await.1;
		let logs = logs.as_array().unwrap().clone();
		assert_eq!(logs.len(), 6);
		for log in logs {
			let path = format!("/api/v1/logs/{}/proof", log["id"].as_str().unwrap());
			let (status, proof) = gateway.get_text(&path).await;
			assert_eq!(status, 200, "{proof}");
			ProofDocument::parse(proof.as_bytes()).unwrap().verify(None).unwrap();
		}
		meter.measure(&gateway, &mut mqtt, 1).await;
		meter.settle(&gateway, &chain, &mut mqtt, 3).await;
		is_well(&gateway).await;
		gateway.stop().await;
	}
}

#[tokio::test]
async fn nobody_else_s_copy_is_taken_for_the_device_s() {
	let (desk, chain) = Desk::new().with_chain();
	let mut meter = Meter::new(&desk, &chain);
	let gateway = desk.start(vec![]).await;
	let mut mqtt = meter.connect(&gateway).await;
	meter.measure(&gateway, &mut mqtt, 2).await;
	while gateway.client.flush().await.is_err() {
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	let request = loop {
		match mqtt.next().await {
			Happened::Message(_, payload) => break payload,
			Happened::Acknowledged => (),
			other => panic!("{other:?}"),
		}
	};
	// A signature of another key over another header of that number, shown with a refusal.
	let request = SignRequest::parse(request.as_bytes()).unwrap();
	let mut header = request.header.clone();
	header.readings = 1;
	let signature = device_key("other").sign(&header.signing_payload(&GENESIS));
	let closing = RunningRegisters::starting_at(header.closing);
	let copy = SignedCopy { header, signature, closing };
	let refused = SignAnswer {
		last: Some(copy),
		..SignAnswer::refused(request.header.hash(), "no".to_string())
	};
	mqtt.publish(&Topic::Signed.of(&meter_name(METER)), refused.to_json()).await;
	let begin = Instant::now();
	// It counts as a refusal like any other: the batch is rebuilt, and signed.
	while gateway.client.status().await.unwrap().counts.unsigned > 0 {
		assert!(begin.elapsed() < Duration::from_secs(10));
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	assert!(gateway.storage().in_state(BatchState::Signed, 0, 10).await.unwrap().is_empty());
	meter.settle(&gateway, &chain, &mut mqtt, 1).await;
	is_well(&gateway).await;
	gateway.stop().await;
}
