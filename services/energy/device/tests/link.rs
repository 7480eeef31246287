//! A device's connection, with a broker that breaks it off.

use gridproof_device::{Broker, Counters, Device, Link, Reading, SharedDevice};
use gridproof_keys::{Kind, SealedKey};
use gridproof_primitives::energy::{Direction, MeterName, emlog::Energy};
use std::{
	collections::BTreeSet,
	sync::{Arc, atomic::Ordering},
	time::Duration,
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{TcpListener, TcpStream},
};
use zeroize::Zeroizing;

/// Publishes that the device's library has under way at most.
const IN_FLIGHT: usize = 100;
const LIMIT: Duration = Duration::from_secs(20);

/// A packet: its first byte and what comes after its length.
async fn packet(stream: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
	let first = stream.read_u8().await?;
	let (mut length, mut shift) = (0usize, 0);
	loop {
		let byte = stream.read_u8().await?;
		length |= usize::from(byte & 0x7f) << shift;
		shift += 7;
		if byte & 0x80 == 0 {
			break;
		}
	}
	let mut rest = vec![0; length];
	stream.read_exact(&mut rest).await?;
	Ok((first, rest))
}

/// Lets a client in; it says whether it wants an older session back.
async fn accept(listener: &TcpListener) -> (TcpStream, bool) {
	let (mut stream, _) = listener.accept().await.unwrap();
	let (first, connect) = packet(&mut stream).await.unwrap();
	assert_eq!(first, 0x10);
	stream.write_all(&[0x20, 2, 0, 0]).await.unwrap();
	(stream, connect[7] & 2 == 0)
}

/// The next publish: its packet number and payload. Subscriptions are granted by the way.
async fn publish(stream: &mut TcpStream) -> std::io::Result<([u8; 2], Vec<u8>)> {
	loop {
		let (first, rest) = packet(stream).await?;
		match first >> 4 {
			8 => stream.write_all(&[0x90, 3, rest[0], rest[1], 1]).await?,
			3 => {
				let topic = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
				let number = [rest[topic + 2], rest[topic + 3]];
				return Ok((number, rest[topic + 4..].to_vec()));
			},
			other => panic!("packet of kind {other}"),
		}
	}
}

async fn acknowledge(stream: &mut TcpStream, number: [u8; 2]) {
	stream.write_all(&[0x40, 2, number[0], number[1]]).await.unwrap();
}

fn device() -> SharedDevice {
	let seed = Zeroizing::new([9; 32]);
	let key = SealedKey::from_seed(seed, Some(Kind::Device), Some("PLANT-01/gw-1/MTR-1"));
	let name = MeterName::new("PLANT-01", "gw-1", "MTR-1").unwrap();
	SharedDevice::new(Device::in_memory(key, name, Direction::Export))
}

#[tokio::test]
async fn a_connection_lost_while_a_packet_number_is_taken_does_not_end_publishing() {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let url = format!("mqtt://{}", listener.local_addr().unwrap());
	let logs = IN_FLIGHT + 50;
	let broker = tokio::spawn(async move {
		let (mut first, _) = accept(&listener).await;
		let mut numbers = Vec::new();
		while numbers.len() < IN_FLIGHT {
			numbers.push(publish(&mut first).await.unwrap().0);
		}
		// The second before the first: the next publish finds the first one's number taken.
		acknowledge(&mut first, numbers[1]).await;
		let quiet = tokio::time::timeout(Duration::from_millis(500), publish(&mut first)).await;
		assert!(quiet.is_err(), "the library no longer waits for a number to be free");
		drop(first);
		let (mut second, wants_session) = accept(&listener).await;
		assert!(!wants_session, "a session hides what is lost with it");
		let mut come = Vec::new();
		while come.iter().collect::<BTreeSet<_>>().len() < logs {
			let (number, payload) = publish(&mut second).await.unwrap();
			acknowledge(&mut second, number).await;
			come.push(payload);
		}
		(come, second)
	});
	let (device, counters) = (device(), Arc::new(Counters::default()));
	let devices = vec![device.clone()];
	let place = Broker::parse(&url, None).unwrap();
	let link = Link::open(&place, "gw-1", None, devices, counters.clone(), LIMIT).await.unwrap();
	let published = async {
		for place in 0..logs as u64 {
			let begin = 900_000 * place;
			let energy = Energy::from_wh(1);
			let reading = Reading::new(begin, begin + 900_000, energy, Direction::Export);
			link.publish(&device, &[reading]).await.unwrap();
		}
	};
	tokio::time::timeout(LIMIT, published).await.expect("publishing continues");
	let ended = tokio::time::timeout(LIMIT, broker).await.expect("all logs come");
	let (come, _second) = ended.unwrap();
	// In the order in which they were made.
	let mut sorted = come.clone();
	sorted.sort();
	assert_eq!(come, sorted);
	let begin = std::time::Instant::now();
	link.settle(LIMIT).await;
	assert!(begin.elapsed() < LIMIT / 2, "{counters:?}");
	assert_eq!(counters.connections.load(Ordering::Relaxed), 2);
	assert!(counters.lost.load(Ordering::Relaxed) > 0, "{counters:?}");
}

#[tokio::test]
async fn readings_made_while_the_broker_is_away_are_recorded_at_once_and_come_with_it() {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let address = listener.local_addr().unwrap();
	let (device, counters) = (device(), Arc::new(Counters::default()));
	let place = Broker::parse(&format!("mqtt://{address}"), None).unwrap();
	let opening = Link::open(&place, "gw-1", None, vec![device.clone()], counters, LIMIT);
	let (link, (first, _)) = tokio::join!(opening, accept(&listener));
	let link = link.unwrap();
	drop((first, listener));
	// Longer than the library needs to notice.
	tokio::time::sleep(Duration::from_millis(300)).await;
	for place in 0..20u64 {
		let begin = 900_000 * place;
		let reading = Reading::new(begin, begin + 900_000, Energy::from_wh(1), Direction::Export);
		let readings = [reading];
		let published = link.publish(&device, &readings);
		tokio::time::timeout(LIMIT / 4, published).await.expect("nothing waits").unwrap();
	}
	assert_eq!(device.lock().unsigned(), 20);
	let listener = TcpListener::bind(address).await.unwrap();
	let (mut second, _) = tokio::time::timeout(LIMIT, accept(&listener)).await.unwrap();
	let mut come = Vec::new();
	while come.len() < 20 {
		let (number, payload) = publish(&mut second).await.unwrap();
		acknowledge(&mut second, number).await;
		come.push(payload);
	}
	let mut sorted = come.clone();
	sorted.sort();
	assert_eq!(come, sorted);
}

/// Answers the two subscriptions of a meter with these codes.
async fn answer_subscriptions(stream: &mut TcpStream, codes: [u8; 2]) {
	for code in codes {
		let (first, rest) = packet(stream).await.unwrap();
		assert_eq!(first >> 4, 8);
		stream.write_all(&[0x90, 3, rest[0], rest[1], code]).await.unwrap();
	}
}

async fn until(link: &Link, wanted: &[&str]) {
	let begin = std::time::Instant::now();
	while link.unheard() != wanted {
		assert!(begin.elapsed() < LIMIT, "{:?}", link.unheard());
		tokio::time::sleep(Duration::from_millis(10)).await;
	}
}

#[tokio::test]
async fn a_subscription_that_the_broker_refuses_is_noticed_until_it_is_granted() {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let url = format!("mqtt://{}", listener.local_addr().unwrap());
	let (device, counters) = (device(), Arc::new(Counters::default()));
	let place = Broker::parse(&url, None).unwrap();
	let opening = Link::open(&place, "gw-1", None, vec![device.clone()], counters.clone(), LIMIT);
	let broker = async {
		let (mut stream, _) = accept(&listener).await;
		answer_subscriptions(&mut stream, [0x80, 0x80]).await;
		stream
	};
	let (link, mut stream) = tokio::join!(opening, broker);
	let link = link.unwrap();
	let (sign, refused) = ("energy/PLANT-01/gw-1/MTR-1/sign", "energy/PLANT-01/gw-1/MTR-1/refused");
	until(&link, &[refused, sign]).await;
	assert_eq!(counters.unheard.load(Ordering::Relaxed), 2);
	// Readings go out all the same.
	let reading = Reading::new(0, 900_000, Energy::from_wh(1), Direction::Export);
	link.publish(&device, &[reading]).await.unwrap();
	let (number, _) = publish(&mut stream).await.unwrap();
	acknowledge(&mut stream, number).await;
	drop(stream);
	// The next connection asks again; one is granted, then both.
	let (mut stream, _) = accept(&listener).await;
	answer_subscriptions(&mut stream, [1, 0x80]).await;
	until(&link, &[refused]).await;
	drop(stream);
	let (mut stream, _) = accept(&listener).await;
	answer_subscriptions(&mut stream, [1, 0]).await;
	until(&link, &[]).await;
	assert_eq!(counters.unheard.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_long_message_that_a_broker_retains_does_not_end_the_connection() {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let url = format!("mqtt://{}", listener.local_addr().unwrap());
	let (device, counters) = (device(), Arc::new(Counters::default()));
	let place = Broker::parse(&url, None).unwrap();
	let opening = Link::open(&place, "gw-1", None, vec![device.clone()], counters.clone(), LIMIT);
	let (link, (mut stream, _)) = tokio::join!(opening, accept(&listener));
	let link = link.unwrap();
	answer_subscriptions(&mut stream, [1, 1]).await;
	// 140,000 bytes on the topic of requests, with quality 0.
	let topic = b"energy/PLANT-01/gw-1/MTR-1/sign";
	let length = topic.len() + 2 + 140_000;
	let mut message = vec![0x31];
	message.extend([(length % 128) as u8 | 0x80, (length / 128 % 128) as u8 | 0x80]);
	message.push((length / 16_384) as u8);
	message.extend((topic.len() as u16).to_be_bytes());
	message.extend(topic);
	message.extend(vec![b'x'; 140_000]);
	stream.write_all(&message).await.unwrap();
	let reading = Reading::new(0, 900_000, Energy::from_wh(1), Direction::Export);
	link.publish(&device, &[reading]).await.unwrap();
	let (number, _) = publish(&mut stream).await.unwrap();
	acknowledge(&mut stream, number).await;
	link.settle(LIMIT).await;
	assert_eq!(counters.connections.load(Ordering::Relaxed), 1);
}
