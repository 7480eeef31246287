//! MQTT with real sockets: what is acknowledged is there, who may do what.

use crate::common::{Desk, Happened, Mqtt, reading, topic};
use gridproof_gateway::{Tls, self_signed};
use rumqttc::{MqttOptions, QoS, TlsConfiguration, Transport};
use std::time::Duration;

const METER: &str = "A/1/m";

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
	let desk = Desk::anonymous();
	let gateway = desk.start(vec![]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	for slot in 0..50 {
		mqtt.deliver(&topic(METER), reading(METER, slot, "0.1", "")).await;
	}
	gateway.stop().await;
	let gateway = desk.start(vec![]).await;
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 50);
	let mut mqtt = gateway.mqtt("meter", None).await;
	mqtt.deliver(&topic(METER), reading(METER, 0, "0.1", "")).await;
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 50);
	assert!(gateway.dead_letters().await.is_empty());
	gateway.stop().await;
}

#[tokio::test]
async fn with_a_thousand_messages_under_way_each_is_acknowledged() {
	const EACH: u64 = 5_000;
	let gateway = Desk::anonymous().start(vec![]).await;
	let mut clients = Vec::new();
	for client in 0..4u64 {
		let name = format!("S/d{client}/m");
		let mut mqtt = gateway.mqtt(&name, None).await;
		clients.push(tokio::spawn(async move {
			// The client keeps a thousand under way: pieces of them come in every possible order.
			for slot in 0..EACH / 2 {
				for meter in ["a", "b"] {
					let name = format!("{name}-{meter}");
					mqtt.publish(&topic(&name), reading(&name, slot, "1", "")).await;
				}
			}
			for count in 0..EACH {
				let next = mqtt.next().await;
				assert!(matches!(next, Happened::Acknowledged), "after {count}: {next:?}");
			}
		}));
	}
	for client in clients {
		client.await.unwrap();
	}
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 4 * EACH);
	gateway.stop().await;
}

#[tokio::test]
async fn nobody_gets_in_without_credentials() {
	let desk = Desk::new();
	let password = desk.add_device("one", "A", "1");
	let gateway = desk.start(vec![]).await;
	let port = gateway.gateway.address("mqtt").unwrap().port();
	for login in [None, Some(("one", "wrong")), Some(("two", password.as_str()))] {
		let mut options = MqttOptions::new("meter", "127.0.0.1", port);
		if let Some((username, password)) = login {
			options.set_credentials(username, password);
		}
		assert!(Mqtt::connect(options).await.is_err(), "{login:?}");
	}
	let mut mqtt = gateway.mqtt("meter", Some(("one", &password))).await;
	mqtt.deliver(&topic(METER), reading(METER, 0, "1", "")).await;
	// A device added while the gateway runs gets in at once.
	let password = desk.add_device("two", "A", "2");
	gateway.mqtt("other", Some(("two", &password))).await;
	gateway.stop().await;
}

#[tokio::test]
async fn a_device_publishes_its_own_readings_only() {
	let desk = Desk::new();
	let password = desk.add_device("one", "A", "1");
	let gateway = desk.start(vec![]).await;
	let mut mqtt = gateway.mqtt("meter", Some(("one", &password))).await;
	let other = "A/2/m";
	// All are acknowledged, else they would come for ever; all are kept with their reason.
	mqtt.deliver(&topic(other), reading(other, 0, "1", "")).await;
	mqtt.deliver(&topic(METER), reading(other, 0, "1", "")).await;
	mqtt.deliver("energy/A/1", reading(METER, 0, "1", "")).await;
	mqtt.deliver("energy/A/1/m/sign", "{}").await;
	mqtt.deliver("elsewhere", "x").await;
	mqtt.deliver(&topic(METER), "{").await;
	mqtt.deliver("energy/A/1/m/signed", "{}").await;
	mqtt.deliver(&topic(METER), reading(METER, 0, "1", "")).await;
	let reasons = gateway.dead_letters().await;
	let wanted = [
		"wrong_device",
		"wrong_topic",
		"wrong_topic",
		"wrong_topic",
		"wrong_topic",
		"malformed_json",
		"not_asked",
	];
	assert_eq!(reasons, wanted);
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 1);
	for (filter, may) in [
		("energy/A/1/m/sign", true),
		("energy/A/1/+/sign", true),
		("energy/A/2/m/sign", false),
		("energy/#", false),
		("#", false),
	] {
		assert_eq!(mqtt.subscribe(filter).await, may, "{filter}");
	}
	gateway.stop().await;
}

#[tokio::test]
async fn a_reader_reads_along_and_publishes_nothing() {
	let desk = Desk::new();
	let device = desk.add_device("one", "A", "1");
	let reader = desk.add_reader("eyes");
	let gateway = desk.start(vec![]).await;
	let mut eyes = gateway.mqtt("eyes", Some(("eyes", &reader))).await;
	assert!(eyes.subscribe("energy/#").await);
	assert!(!eyes.subscribe("$SYS/#").await);
	let mut mqtt = gateway.mqtt("meter", Some(("one", &device))).await;
	let sent = reading(METER, 0, "1", "");
	mqtt.deliver(&topic(METER), sent.clone()).await;
	match eyes.next().await {
		Happened::Message(topic, payload) => {
			assert_eq!((topic.as_str(), payload), ("energy/A/1/m", sent));
		},
		other => panic!("{other:?}"),
	}
	// What is refused is not passed on, but that it was.
	mqtt.deliver(&topic(METER), reading(METER, 0, "2", "")).await;
	match eyes.next().await {
		Happened::Message(topic, _) => assert_eq!(topic, "energy/A/1/m/refused"),
		other => panic!("{other:?}"),
	}
	assert!(eyes.is_quiet(Duration::from_millis(300)).await);
	eyes.deliver(&topic(METER), reading(METER, 1, "1", "")).await;
	assert_eq!(gateway.dead_letters().await, ["overlap", "not_authorized"]);
	gateway.stop().await;
}

#[tokio::test]
async fn quality_two_and_zero_are_taken_as_well() {
	let gateway = Desk::anonymous().start(vec![]).await;
	let mqtt = gateway.mqtt("meter", None).await;
	for (slot, quality) in [(0, QoS::AtMostOnce), (1, QoS::ExactlyOnce)] {
		mqtt.client
			.publish(topic(METER), quality, false, reading(METER, slot, "1", ""))
			.await
			.unwrap();
	}
	let begin = std::time::Instant::now();
	while gateway.storage().counts().await.unwrap().readings < 2 {
		assert!(begin.elapsed() < Duration::from_secs(10));
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	gateway.stop().await;
}

#[tokio::test]
async fn version_five_says_why_a_reading_is_refused() {
	use rumqttc::v5::{AsyncClient, Event, Incoming, MqttOptions, mqttbytes::QoS};
	let gateway = Desk::anonymous().start(vec![]).await;
	let port = gateway.gateway.address("mqtt").unwrap().port();
	let mut options = MqttOptions::new("five", "127.0.0.1", port);
	options.set_keep_alive(Duration::from_secs(20));
	let (client, mut events) = AsyncClient::new(options, 10);
	for payload in [reading(METER, 0, "1", ""), "{".to_string()] {
		client.publish(topic(METER), QoS::AtLeastOnce, false, payload).await.unwrap();
	}
	let mut reasons = Vec::new();
	while reasons.len() < 2 {
		let event = tokio::time::timeout(Duration::from_secs(10), events.poll()).await.unwrap();
		if let Ok(Event::Incoming(Incoming::PubAck(ack))) = event {
			reasons.push(format!("{:?}", ack.reason));
		}
	}
	assert_eq!(reasons, ["Success", "PayloadFormatInvalid"]);
	gateway.stop().await;
}

#[tokio::test]
async fn short_messages_of_the_older_gateway_s_devices_are_taken() {
	let gateway = Desk::anonymous().start(vec![]).await;
	let mut mqtt = gateway.mqtt("meter", None).await;
	let short = r#"{"ts_start":"2025-12-01T10:10:00Z","ts_end":"2025-12-01T10:15:00Z",
		"interval_s":300,"energy_kwh":12.34,"power_kw_avg":2.47,"price_sats_per_kwh":100,
		"status":"ok","tags":["peak"]}"#;
	mqtt.deliver("energy/PLANT-01/gw-PLANT01-003/MTR-001", short).await;
	let (_, logs) = gateway.get("/api/v1/logs").await;
	assert_eq!(logs[0]["tx"]["amount_sats"], serde_json::json!(1234));
	assert_eq!(logs[0]["site_id"], serde_json::json!("PLANT-01"));
	gateway.stop().await;
}

#[tokio::test]
async fn tls_is_served_with_a_self_signed_certificate() {
	let mut desk = Desk::anonymous();
	let names = ["localhost".to_string(), "127.0.0.1".to_string()];
	let (certificate, key) = self_signed(&desk.path("tls"), &names).unwrap();
	desk.settings.mqtt = None;
	desk.settings.mqtts = Some(Tls {
		listen: "127.0.0.1:0".parse().unwrap(),
		certificate: certificate.clone(),
		key,
		client_authority: None,
	});
	let gateway = desk.start(vec![]).await;
	let port = gateway.gateway.address("mqtts").unwrap().port();
	let options = |ca: Option<Vec<u8>>| {
		let mut options = MqttOptions::new("meter", "localhost", port);
		if let Some(ca) = ca {
			let tls = TlsConfiguration::Simple { ca, alpn: None, client_auth: None };
			options.set_transport(Transport::tls_with_config(tls));
		}
		options
	};
	gridproof_support::tls::install();
	let ca = std::fs::read(certificate).unwrap();
	let mut mqtt = Mqtt::connect(options(Some(ca))).await.unwrap();
	mqtt.deliver(&topic(METER), reading(METER, 0, "1", "")).await;
	assert!(Mqtt::connect(options(None)).await.is_err());
	gateway.stop().await;
}

#[tokio::test]
async fn a_second_connection_of_the_same_client_takes_over() {
	let gateway = Desk::anonymous().start(vec![]).await;
	let mut first = gateway.mqtt("same", None).await;
	let mut second = gateway.mqtt("same", None).await;
	assert!(matches!(first.next().await, Happened::Ended));
	second.deliver(&topic(METER), reading(METER, 0, "1", "")).await;
	gateway.stop().await;
}

/// A client that writes bytes.
async fn raw(gateway: &crate::common::Running) -> tokio::net::TcpStream {
	let address = gateway.gateway.address("mqtt").unwrap();
	tokio::net::TcpStream::connect(address).await.unwrap()
}

fn framed(first: u8, rest: &[u8]) -> Vec<u8> {
	let mut framed = vec![first];
	let mut length = rest.len();
	loop {
		let (byte, more) = ((length % 128) as u8, length / 128);
		framed.push(if more > 0 { byte | 0x80 } else { byte });
		length = more;
		if length == 0 {
			break;
		}
	}
	framed.extend_from_slice(rest);
	framed
}

fn connect(level: u8) -> Vec<u8> {
	let properties: &[u8] = if level == 5 { &[0] } else { &[] };
	framed(0x10, &[b"\0\x04MQTT", &[level, 2, 0, 60][..], properties, b"\0\x01c"].concat())
}

fn publish(level: u8, first: u8, id: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
	let length = (topic.len() as u16).to_be_bytes();
	let id = id.to_be_bytes();
	let id: &[u8] = if first & 6 == 0 { &[] } else { &id };
	let properties: &[u8] = if level == 5 { &[0] } else { &[] };
	framed(first, &[&length[..], topic.as_bytes(), id, properties, payload].concat())
}

/// The next bytes that come; none when the connection has ended.
async fn come(stream: &mut tokio::net::TcpStream, count: usize) -> Vec<u8> {
	use tokio::io::AsyncReadExt;
	let mut bytes = Vec::new();
	while bytes.len() < count {
		let mut buffer = vec![0; count - bytes.len()];
		let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer)).await;
		match read.expect("an answer in time") {
			Ok(0) | Err(_) => break,
			Ok(read) => bytes.extend_from_slice(&buffer[..read]),
		}
	}
	bytes
}

#[tokio::test]
async fn a_message_that_is_too_large_is_acknowledged_and_the_one_behind_it_is_taken() {
	use tokio::io::AsyncWriteExt;
	let gateway = Desk::anonymous().start(vec![]).await;
	for (slot, bytes) in [(0, 70_000), (1, 140_000), (2, 1_000_000)] {
		let mut stream = raw(&gateway).await;
		stream.write_all(&connect(4)).await.unwrap();
		assert_eq!(come(&mut stream, 4).await, [0x20, 2, 0, 0]);
		let large = publish(4, 0x32, 1, &topic(METER), &vec![b'x'; bytes]);
		stream.write_all(&large).await.unwrap();
		let small = publish(4, 0x32, 2, &topic(METER), reading(METER, slot, "1", "").as_bytes());
		stream.write_all(&small).await.unwrap();
		assert_eq!(come(&mut stream, 8).await, [0x40, 2, 0, 1, 0x40, 2, 0, 2], "{bytes}");
	}
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 3);
	let (_, letters) = gateway.get("/api/v1/dead-letters").await;
	assert_eq!(letters[0]["reason"], "too_large");
	assert_eq!(letters[0]["topic"], topic(METER));
	// The message itself is not kept; one of another size is another one.
	assert_eq!(letters[0]["payload"], "");
	gateway.stop().await;
}

#[tokio::test]
async fn a_client_that_lost_its_connection_within_a_message_of_quality_two_goes_on() {
	use tokio::io::AsyncWriteExt;
	let gateway = Desk::anonymous().start(vec![]).await;
	let log = reading(METER, 0, "1", "");
	let mut first = raw(&gateway).await;
	first.write_all(&connect(4)).await.unwrap();
	first.write_all(&publish(4, 0x34, 77, &topic(METER), log.as_bytes())).await.unwrap();
	assert_eq!(come(&mut first, 8).await, [0x20, 2, 0, 0, 0x50, 2, 0, 77]);
	drop(first);
	// It knows that the message has come, and releases it; what follows is taken.
	let mut second = raw(&gateway).await;
	second.write_all(&connect(4)).await.unwrap();
	second.write_all(&[0x62, 2, 0, 77]).await.unwrap();
	assert_eq!(come(&mut second, 8).await, [0x20, 2, 0, 0, 0x70, 2, 0, 77]);
	let next = reading(METER, 1, "1", "");
	second.write_all(&publish(4, 0x34, 78, &topic(METER), next.as_bytes())).await.unwrap();
	assert_eq!(come(&mut second, 4).await, [0x50, 2, 0, 78]);
	second.write_all(&[0x62, 2, 0, 78]).await.unwrap();
	assert_eq!(come(&mut second, 4).await, [0x70, 2, 0, 78]);
	// Or it does not know, and sends the message again.
	drop(second);
	let mut third = raw(&gateway).await;
	third.write_all(&connect(4)).await.unwrap();
	third.write_all(&publish(4, 0x3c, 78, &topic(METER), next.as_bytes())).await.unwrap();
	assert_eq!(come(&mut third, 8).await, [0x20, 2, 0, 0, 0x50, 2, 0, 78]);
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 2);
	gateway.stop().await;
}

#[tokio::test]
async fn a_client_that_publishes_and_leaves_is_heard_by_rule() {
	use tokio::io::AsyncWriteExt;
	let desk = Desk::anonymous();
	for start in 0..3u64 {
		// Right after the start: nothing is warm, the meter is new.
		let gateway = desk.start(vec![]).await;
		let name = format!("A/{start}/m");
		let mut reader = gateway.mqtt("reader", None).await;
		assert!(reader.subscribe("energy/#").await);
		for slot in 0..10 {
			let mut stream = raw(&gateway).await;
			let log = reading(&name, slot, "1", "");
			let bytes = [connect(4), publish(4, 0x30, 0, &topic(&name), log.as_bytes())].concat();
			stream.write_all(&bytes).await.unwrap();
			// It waits for the answer to its greeting, as every client does, and for nothing else.
			assert_eq!(come(&mut stream, 4).await, [0x20, 2, 0, 0]);
			drop(stream);
		}
		for _ in 0..10 {
			assert!(matches!(reader.next().await, Happened::Message(..)));
		}
		let counts = gateway.storage().counts().await.unwrap();
		assert_eq!(counts.readings, 10 * (start + 1));
		let (_, figures) = gateway.get_text("/metrics").await;
		assert!(figures.contains("readings_total{again=\"no\",source=\"mqtt\"} 10"), "{figures}");
		gateway.stop().await;
	}
}

#[tokio::test]
async fn the_wish_to_retain_and_malformed_messages_cost_nothing_but_themselves() {
	use tokio::io::AsyncWriteExt;
	let gateway = Desk::anonymous().start(vec![]).await;
	for level in [4, 5] {
		let mut stream = raw(&gateway).await;
		stream.write_all(&connect(level)).await.unwrap();
		let greeting = if level == 5 { 0 } else { 4 };
		assert_eq!(come(&mut stream, greeting).await.len(), greeting);
		let log = reading(METER, u64::from(level), "1", "");
		let kept = publish(level, 0x33, 1, &topic(METER), log.as_bytes());
		stream.write_all(&kept).await.unwrap();
		let begin = std::time::Instant::now();
		while gateway.storage().counts().await.unwrap().readings < u64::from(level) - 3 {
			assert!(begin.elapsed() < Duration::from_secs(10), "version {level}");
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
		// A topic that reaches beyond its packet, with whole packets behind it.
		let bad = [&[0x30, 5, 0, 32][..], b"abc", &[0xc0, 0].repeat(40)].concat();
		stream.write_all(&bad).await.unwrap();
		let rest = come(&mut stream, 10_000).await;
		assert!(rest.len() < 10_000, "the connection ends");
	}
	// MQTT 3.1, and a bridge of mosquitto, learn that it is the version.
	for greeting in [
		framed(0x10, b"\0\x06MQIsdp\x03\x02\0\x3c\0\x01c"),
		framed(0x10, b"\0\x04MQTT\x84\x02\0\x3c\0\x01c"),
	] {
		let mut stream = raw(&gateway).await;
		stream.write_all(&greeting).await.unwrap();
		assert_eq!(come(&mut stream, 5).await, [0x20, 2, 0, 1]);
	}
	gateway.stop().await;
}

#[tokio::test]
async fn no_filter_is_deep_enough_to_end_the_gateway() {
	use tokio::io::AsyncWriteExt;
	let gateway = Desk::anonymous().start(vec![]).await;
	let mut stream = raw(&gateway).await;
	stream.write_all(&connect(4)).await.unwrap();
	assert_eq!(come(&mut stream, 4).await, [0x20, 2, 0, 0]);
	let deep = format!("energy{}", "/".repeat(60_000));
	for (filter, granted) in
		[(deep.as_str(), 0x80), ("energy/1/2/3/4/5/6/7/#", 0x80), ("energy/+/+/+/sign", 1)]
	{
		let length = (filter.len() as u16).to_be_bytes();
		let rest = [&[0, 9][..], &length, filter.as_bytes(), &[1]].concat();
		stream.write_all(&framed(0x82, &rest)).await.unwrap();
		assert_eq!(come(&mut stream, 5).await, [0x90, 3, 0, 9, granted]);
	}
	drop(stream);
	let mut other = gateway.mqtt("other", None).await;
	other.deliver(&topic(METER), reading(METER, 0, "1", "")).await;
	gateway.stop().await;
}
