//! Silence holds no place, and no address holds most of them.

use gridproof_node_service::connections::{Activity, Patience, Places, Watched};
use std::{
	net::IpAddr,
	time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

const PATIENCE: Patience =
	Patience { first: Duration::from_secs(60), between: Duration::from_secs(3_600) };

#[test]
fn a_connection_asks_within_a_minute_and_then_every_hour_or_follows_something() {
	let before = Instant::now();
	let activity = Activity::new(PATIENCE);
	let now = Instant::now();
	let first = activity.until(now);
	assert!(first >= before + PATIENCE.first && first <= now + PATIENCE.first);
	// A question that takes long is not silence.
	activity.asked();
	let later = now + Duration::from_secs(10_000);
	assert_eq!(activity.until(later), later + PATIENCE.between);
	activity.answered(false);
	assert!(activity.until(later) < later);
	assert!(activity.until(now) >= now + PATIENCE.between);
	activity.asked();
	activity.answered(true);
	assert_eq!(activity.until(later), later + PATIENCE.between);
}

fn address(text: &str) -> IpAddr {
	text.parse().expect("an address")
}

#[test]
fn one_address_has_half_of_the_places_and_gets_them_back() {
	let places = Places::new(5);
	let foreign = address("192.0.2.7");
	let first = places.take(foreign);
	assert!(first.is_some());
	let _second = places.take(foreign).expect("its second of two");
	assert!(places.take(foreign).is_none());
	// The same address, written as IPv6 has it.
	assert!(places.take(address("::ffff:192.0.2.7")).is_none());
	assert!(places.take(address("192.0.2.8")).is_some());
	drop(first);
	assert!(places.take(foreign).is_some());
}

#[test]
fn a_network_of_ipv6_is_one_address_and_this_machine_has_no_share() {
	let places = Places::new(2);
	let _held = places.take(address("2001:db8::1")).expect("the first");
	assert!(places.take(address("2001:db8::2")).is_none());
	assert!(places.take(address("2001:db8:0:1::2")).is_some());
	let local: Vec<_> = (0..9).map(|_| places.take(address("127.0.0.1"))).collect();
	assert!(local.iter().all(Option::is_some));
	assert!(places.take(address("::1")).is_some());
}

fn soon() -> Patience {
	Patience { first: Duration::from_millis(50), between: Duration::from_millis(50) }
}

#[tokio::test]
async fn who_says_nothing_is_hung_up_on() {
	let (ours, theirs) = duplex(64);
	let mut watched = Watched::new(ours, Activity::new(soon()), None);
	// Bytes alone are not a question: pings are answered without end.
	let talker = tokio::spawn(async move {
		let mut theirs = theirs;
		while theirs.write_all(b"pong").await.is_ok() {
			tokio::time::sleep(Duration::from_millis(5)).await;
		}
	});
	let mut read = Vec::new();
	let ended = tokio::time::timeout(Duration::from_secs(5), watched.read_to_end(&mut read)).await;
	assert!(ended.is_ok_and(|result| result.is_ok()));
	drop(watched);
	talker.await.expect("it notices");
}

#[tokio::test]
async fn who_follows_something_is_not() {
	let (ours, mut theirs) = duplex(64);
	let activity = Activity::new(soon());
	let mut watched = Watched::new(ours, activity.clone(), None);
	activity.asked();
	activity.answered(true);
	let waiting = tokio::time::timeout(Duration::from_millis(400), watched.read_u8()).await;
	assert!(waiting.is_err(), "it was hung up on");
	theirs.write_all(b"x").await.expect("it is open");
	assert_eq!(watched.read_u8().await.expect("it is open"), b'x');
}
