//! A coordinator of which a part does nothing any more.

use super::*;
use crate::coordinator::StartError;
use futures::FutureExt;
use gridproof_http::{Ended, Part, supervise};
use gridproof_store::rusqlite::Connection;
use gridproof_support::{Stopper, http_client};
use serde_json::Value;
use tokio::net::TcpListener;

async fn breaks_off() {
	panic!("a defect");
}

async fn health(url: &str) -> (u16, Value) {
	let http = http_client::builder().build().unwrap();
	let answer = http.get(format!("{url}/health")).send().await.unwrap();
	(answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_stands_still_makes_the_health_unwell_and_is_named() {
	let world = World::new().await;
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let stopper = Stopper::new();
	let router = world.server().router();
	let serving = gridproof_http::serve_on(router, listener, stopper.signal()).unwrap();
	let url = format!("http://{}", serving.address());
	assert_eq!(health(&url).await.0, 200);
	let loops = &world.coordinator.loops;
	loops.begins("settle", Duration::from_millis(1));
	tokio::time::sleep(Duration::from_millis(5)).await;
	let (status, body) = health(&url).await;
	assert_eq!((status, &body["error"]), (503, &Value::from("unwell")));
	assert!(body["message"].as_str().unwrap().contains("settle has done nothing"), "{body}");
	loops.begins("settle", Duration::from_secs(60));
	let (status, body) = health(&url).await;
	assert_eq!((status, &body["loops"]["settle"]), (200, &Value::from(0)));
	// One that breaks off stays unwell.
	let part =
		Part { name: "settle", longest: Duration::from_secs(60), work: breaks_off().boxed() };
	let ended = supervise(loops, vec![part]).await;
	assert_eq!(ended, Ended { part: "settle", broke_off: true });
	let (status, body) = health(&url).await;
	assert_eq!(status, 503);
	assert!(body["message"].as_str().unwrap().contains("settle has ended"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_that_the_disk_is_full_and_that_there_is_room_again() {
	let world = World::new().await;
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let stopper = Stopper::new();
	let router = world.server().router();
	let serving = gridproof_http::serve_on(router, listener, stopper.signal()).unwrap();
	let url = format!("http://{}", serving.address());
	let grow_by = async |pages: i64| {
		let set = world.coordinator.write(move |db| {
			let used: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
			let most = used + pages;
			db.pragma_update_and_check(None, "max_page_count", most, |_| Ok(()))?;
			Ok(())
		});
		set.await.unwrap();
	};
	assert_eq!(health(&url).await.0, 200);
	let made = world.coordinator.write(|db| Ok(db.execute_batch("CREATE TABLE ballast (b BLOB)")?));
	made.await.unwrap();
	grow_by(0).await;
	let fill = || {
		let insert = "INSERT INTO ballast VALUES (zeroblob(3000))";
		world.coordinator.write(move |db| Ok(db.execute(insert, [])?))
	};
	while fill().await.is_ok() {}
	let (status, body) = health(&url).await;
	assert_eq!((status, &body["error"]), (507, &Value::from("no_space")), "{body}");
	grow_by(100).await;
	let begin = std::time::Instant::now();
	while health(&url).await.0 != 200 {
		assert!(begin.elapsed() < Duration::from_secs(8), "it says that there is no room");
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn every_loop_takes_its_turns_and_is_shown() {
	let world = World::new().await;
	let coordinator = world.coordinator.clone();
	let running = tokio::spawn(async move { coordinator.run().await });
	let names = [
		"batches",
		"channels",
		"clock",
		"demands",
		"dispatch",
		"models",
		"opening",
		"payout",
		"plans",
		"release",
		"retention",
		"settle",
	];
	for _ in 0..100 {
		if world.coordinator.loops.idle().len() == names.len() {
			break;
		}
		tokio::time::sleep(Duration::from_millis(10)).await;
	}
	let idle = world.coordinator.loops.idle();
	assert_eq!(idle.keys().collect::<Vec<_>>(), names);
	assert_eq!(world.coordinator.loops.standstill(), None);
	running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_stops_lets_miners_go_that_wait_for_work() {
	let world = World::new().await;
	let session = world.miner(1).session(&world).await;
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let stopper = Stopper::new();
	let server = world.server();
	let (coordinator, stop) = (world.coordinator.clone(), stopper.signal());
	let serving = tokio::spawn(async move { server.serve(listener, stop).await });
	let waiting =
		tokio::spawn(async move { coordinator.take(&session, Duration::from_secs(30)).await });
	tokio::time::sleep(Duration::from_millis(100)).await;
	assert!(!waiting.is_finished());
	stopper.stop();
	let soon = Duration::from_secs(5);
	let waited = tokio::time::timeout(soon, waiting).await.unwrap();
	assert_eq!(waited.unwrap().unwrap(), None);
	tokio::time::timeout(soon, serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_folder_belongs_to_one_chain_and_says_which() {
	let folder = tempfile::tempdir().unwrap();
	assert_eq!(Coordinator::known_chain(folder.path()).await.unwrap(), None);
	let (clock, _) = Clock::manual(1_000_000_000);
	let chain = Arc::new(MemoryChain::default());
	drop(open(&folder, &chain, &clock, Settings::default(), None).await);
	assert_eq!(Coordinator::known_chain(folder.path()).await.unwrap(), Some(GENESIS));
	let database = Connection::open(folder.path().join("coordinator.db")).unwrap();
	database.execute("UPDATE pinned SET value = ?1 WHERE name = 'genesis'", [[8u8; 32]]).unwrap();
	drop(database);
	let (key, settings) = (key(0xC0, Kind::Coordinator), Settings::default());
	let opened = Coordinator::open(folder.path(), chain, key, settings, None, clock).await;
	let Err(error) = opened else { panic!("it is another chain's") };
	let said = error.to_string();
	assert!(matches!(error, StartError::OtherChain { .. }));
	assert!(said.contains("0x0808") && said.contains("0x0707"), "{said}");
}
