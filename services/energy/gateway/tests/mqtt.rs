//! MQTT with real sockets: what is acknowledged is there, who may do what.

mod common;

use common::{Desk, Happened, Mqtt, reading, topic};
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
	// What is refused is not passed on.
	mqtt.deliver(&topic(METER), reading(METER, 0, "2", "")).await;
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
