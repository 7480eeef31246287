//! A protocol of your own beside those of the gateway: the example of the documentation.

#[allow(dead_code, unreachable_pub, reason = "it is a program")]
#[path = "../../examples/line_protocol.rs"]
mod example;

use crate::common::{Desk, Running, reading};
use example::Lines;
use gridproof_gateway::{Intake, Parts};
use gridproof_gateway_api::ListDeadLetters;
use tokio::{
	io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
	net::TcpStream,
};

const METER: &str = "A/1/m";

async fn start(desk: &Desk) -> Running {
	let lines: Box<dyn Intake> = Box::new(Lines::new("127.0.0.1:0".parse().unwrap()));
	desk.start_with(Parts { intakes: vec![lines], ..Parts::default() }).await
}

/// A device, as a program of three lines would be one.
struct Device(BufReader<TcpStream>);

impl Device {
	async fn connect(gateway: &Running) -> Self {
		let address = gateway.gateway.address("lines").unwrap();
		Self(BufReader::new(TcpStream::connect(address).await.unwrap()))
	}

	/// Sends a line and returns the answer; nothing if the connection has ended.
	async fn say(&mut self, line: &str) -> String {
		self.0.get_mut().write_all(format!("{line}\n").as_bytes()).await.unwrap();
		let mut answer = String::new();
		self.0.read_line(&mut answer).await.unwrap();
		answer.trim_end().to_string()
	}
}

#[tokio::test]
async fn a_reading_over_a_new_protocol_is_kept_before_it_is_answered() {
	let desk = Desk::new();
	let password = desk.add_device("one", "A", "1");
	let gateway = start(&desk).await;
	let mut device = Device::connect(&gateway).await;
	assert_eq!(device.say(&format!("login one {password}")).await, "ok");
	assert_eq!(device.say(&reading(METER, 0, "1", "")).await, "ok");
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 1);
	assert_eq!(device.say(&reading(METER, 0, "1", "")).await, "ok", "the same again");
	assert_eq!(device.say(&reading(METER, 0, "2", "")).await, "refused overlap");
	assert_eq!(device.say(&reading("A/2/m", 0, "1", "")).await, "refused wrong_device");
	assert_eq!(device.say("{").await, "refused malformed_json");
	let letters = gateway.client.dead_letters(&ListDeadLetters::default()).await.unwrap();
	let shown: Vec<(&str, &str)> =
		letters.iter().map(|letter| (letter.source.as_str(), letter.reason.as_str())).collect();
	let reasons = ["overlap", "wrong_device", "malformed_json"];
	assert_eq!(shown, reasons.map(|reason| ("lines", reason)));
	gateway.stop().await;
	let gateway = start(&desk).await;
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 1);
	gateway.stop().await;
}

#[tokio::test]
async fn a_device_with_another_password_is_not_heard() {
	let desk = Desk::new();
	desk.add_device("one", "A", "1");
	desk.add_reader("eyes");
	let gateway = start(&desk).await;
	for login in ["login one wrong", "login eyes", "login", "hello", ""] {
		let mut device = Device::connect(&gateway).await;
		assert!(device.say(login).await.starts_with("refused "), "{login}");
		assert_eq!(device.say(&reading(METER, 0, "1", "")).await, "", "{login}");
	}
	assert_eq!(gateway.storage().counts().await.unwrap().readings, 0);
	gateway.stop().await;
}

#[tokio::test]
async fn a_new_protocol_is_in_the_status_and_in_the_figures() {
	let desk = Desk::anonymous();
	let gateway = start(&desk).await;
	let status = gateway.client.status().await.unwrap();
	let names: Vec<&str> = status.run.intakes.iter().map(|intake| intake.source.as_str()).collect();
	assert_eq!(names, ["mqtt", "lines", "http"]);
	let lines = &status.run.intakes[1];
	let address = gateway.gateway.address("lines").unwrap().to_string();
	assert_eq!((&lines.addresses, &lines.trouble), (&vec![address], &None));
	let mut device = Device::connect(&gateway).await;
	device.say("{").await;
	gateway.stop().await;
}
