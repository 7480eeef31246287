//! Requests that come twice, and clients that leave.

use super::{
	front::{Served, chat, header},
	*,
};
use crate::rows::{Filter, Once, Remembered};
use gridproof_compute_api::protocol::{Progress, Refusal, RefusalReason};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

fn request(served: &Served, path: &str, key: &str, body: &Value) -> RequestBuilder {
	let request = served.http.post(format!("{}{path}", served.url)).bearer_auth("gpk_test");
	request.header("idempotency-key", key).json(body)
}

async fn ask(served: &Served, path: &str, key: &str, body: &Value) -> Response {
	request(served, path, key, body).send().await.unwrap()
}

/// All jobs, the youngest first.
async fn jobs(world: &World) -> Vec<Job> {
	let filter = Filter { limit: 100, ..Filter::default() };
	world.coordinator.read(move |db| Ok(rows::jobs(db, &filter)?)).await.unwrap()
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
	for _ in 0..500 {
		if condition().await {
			return;
		}
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	panic!("never: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_with_the_same_key_is_one_job_with_one_answer_and_one_price() {
	let mut served = Served::new().await;
	served.works(&["there ", "was"]).await;
	let body = chat(false);
	let (first, second) =
		tokio::join!(ask(&served, CHAT, "order-1", &body), ask(&served, CHAT, "order-1", &body));
	let third = ask(&served, CHAT, "order-1", &body).await;
	let mut replayed = Vec::new();
	let mut answers = Vec::new();
	for answer in [first, second, third] {
		assert_eq!(answer.status(), StatusCode::OK);
		replayed.push(header(&answer, "idempotent-replayed"));
		let receipt = header(&answer, "x-gridproof-receipt");
		answers.push((receipt, answer.json::<Value>().await.unwrap()));
	}
	assert_eq!(answers[0], answers[1]);
	assert_eq!(answers[0], answers[2]);
	assert_eq!(answers[0].1["choices"][0]["message"]["content"], "there was");
	replayed.sort_unstable();
	assert_eq!(replayed, ["", "true", "true"], "one of them was the first");
	assert_eq!(jobs(&served.world).await.len(), 1);
	let bill: Value = served.get("/v1/billing/usage").await.json().await.unwrap();
	assert_eq!((&bill["jobs"], &bill["price"]["ait"]), (&json!(1), &json!("8000000000000")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_asked_for_again_is_the_same_text() {
	let mut served = Served::new().await;
	served.works(&["there ", "was"]).await;
	let body = chat(true);
	let mut texts = Vec::new();
	for _ in 0..2 {
		let answer = ask(&served, CHAT, "stream-1", &body).await;
		let job = header(&answer, "x-gridproof-job");
		let events = answer.text().await.unwrap();
		let chunks = events.lines().filter_map(|line| line.strip_prefix("data: "));
		let content: String = chunks
			.filter_map(|chunk| serde_json::from_str::<Value>(chunk).ok())
			.filter_map(|chunk| {
				chunk["choices"][0]["delta"]["content"].as_str().map(str::to_string)
			})
			.collect();
		assert!(events.contains("[DONE]"), "{events}");
		texts.push((job, content));
	}
	assert_eq!(texts[0], texts[1]);
	assert_eq!(texts[0].1, "there was");
	assert_eq!(jobs(&served.world).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_another_request_is_refused_and_says_what_to_do() {
	let mut served = Served::new().await;
	served.works(&["there was"]).await;
	let body = chat(false);
	assert_eq!(ask(&served, CHAT, "k", &body).await.status(), StatusCode::OK);
	let mut other = body.clone();
	other["max_tokens"] = json!(19);
	let mut prompt = body.clone();
	prompt["prompt"] = json!("Once");
	for (path, body) in [(CHAT, other), ("/v1/completions", prompt)] {
		let refused = ask(&served, path, "k", &body).await;
		assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
		let error: Value = refused.json().await.unwrap();
		assert_eq!(error["error"]["code"], "idempotency_key_reused");
		assert_eq!(error["error"]["type"], "invalid_request_error");
		let said = error["error"]["message"].as_str().unwrap();
		assert!(said.contains("a new one with a new key"), "{said}");
	}
	for bad in ["", &"x".repeat(256)] {
		let refused = ask(&served, CHAT, bad, &body).await;
		assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
		let error: Value = refused.json().await.unwrap();
		assert_eq!(error["error"]["code"], "invalid_idempotency_key");
	}
	assert_eq!(jobs(&served.world).await.len(), 1);
}

/// What became of a request with a key.
async fn once(world: &World, customer: &str, body: u8) -> Admission {
	let quoted = world.coordinator.price(&spec(), PURSE, PriceAsset::Ait).unwrap();
	let once = Some(Once { key: "k".to_string(), body: [body; 32] });
	let buyer = Buyer { customer: customer.to_string(), limit: None, once };
	world.coordinator.accept_for(&quoted, buyer, false).await.unwrap()
}

fn new(admission: Admission) -> Job {
	match admission {
		Admission::New(job) => *job,
		other => panic!("{other:?}"),
	}
}

#[tokio::test]
async fn a_key_is_a_customers_own_and_is_forgotten_after_a_day() {
	let settings = Settings { session_seconds: 1_000_000, ..Settings::default() };
	let world = World::with(settings, None).await;
	let _session = world.miner(1).session(&world).await;
	let job = new(once(&world, "acme", 1).await);
	assert_eq!(once(&world, "acme", 1).await, Admission::Repeated(Box::new(job.clone())));
	assert_eq!(once(&world, "acme", 2).await, Admission::KeyReused);
	assert_ne!(new(once(&world, "other", 2).await).job, job.job);
	let remembered = async |body| {
		let once = Once { key: "k".to_string(), body: [body; 32] };
		world.coordinator.remembered("acme".to_string(), once).await.unwrap()
	};
	world.pass(86_399);
	assert_eq!(remembered(2).await, Remembered::Other);
	world.pass(1);
	assert_eq!(remembered(2).await, Remembered::New);
	world.coordinator.prune_some().await.unwrap();
	let kept = world.coordinator.read(|db| {
		Ok(db.query_row("SELECT COUNT(*) FROM idempotency", [], |row| row.get::<_, i64>(0))?)
	});
	assert_eq!(kept.await.unwrap(), 0);
	assert_ne!(new(once(&world, "acme", 2).await).job, job.job);
}

#[tokio::test]
async fn a_job_that_failed_for_nothing_is_tried_again_and_one_that_cannot_be_done_is_not() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let failed = new(once(&world, "acme", 1).await);
	world.chain.set_trouble(Trouble::Broke);
	world.coordinator.open_some().await.unwrap();
	assert_eq!(world.state(failed.job).await, JobStage::Failed);
	world.chain.set_trouble(Trouble::None);
	let again = new(once(&world, "acme", 1).await);
	assert_ne!(again.job, failed.job);
	world.coordinator.open_some().await.unwrap();
	miner.asks(&world, &session).await.unwrap();
	let (reason, detail) = (RefusalReason::ContextExceeded, "too long".to_string());
	let refusal = Refusal { attempt: 1, reason, detail };
	world.coordinator.refuse(&session, again.job, &refusal).await.unwrap();
	match once(&world, "acme", 1).await {
		Admission::Repeated(job) => assert_eq!(job.job, again.job, "no miner could do it"),
		other => panic!("{other:?}"),
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_no_miner_has_begun_is_taken_back_when_its_client_leaves() {
	let served = Served::new().await;
	let world = &served.world;
	let _session = world.miner(1).session(world).await;
	for stream in [false, true] {
		let asked = served.http.post(format!("{}{CHAT}", served.url)).bearer_auth("gpk_test");
		let asked = asked.json(&chat(stream));
		let client = tokio::spawn(async move { asked.send().await.unwrap().text().await });
		let place = usize::from(stream);
		until("the job is funded", async || {
			jobs(world).await.len() > place && jobs(world).await[0].funded
		})
		.await;
		let job = jobs(world).await[0].job;
		client.abort();
		until("the job is taken back", async || world.state(job).await == JobStage::Cancelled)
			.await;
		until("its money returns", async || world.chain.job(job).state == OnChain::Cancelled).await;
	}
	let bill: Value = served.get("/v1/billing/usage").await.json().await.unwrap();
	assert_eq!((&bill["jobs"], &bill["open_jobs"]), (&json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_a_key_or_a_miner_continues_when_its_client_leaves() {
	let served = Served::new().await;
	let world = &served.world;
	let miner = world.miner(1);
	let session = miner.session(world).await;
	let keyed = request(&served, CHAT, "k", &chat(false));
	let client = tokio::spawn(async move { keyed.send().await });
	until("the job is funded", async || jobs(world).await.first().is_some_and(|job| job.funded))
		.await;
	client.abort();
	tokio::time::sleep(Duration::from_millis(300)).await;
	let job = jobs(world).await[0].job;
	assert_eq!(world.state(job).await, JobStage::Queued, "its client can come back");
	let taken = world.coordinator.take(&session, Duration::from_secs(10)).await.unwrap();
	let taken = job_of(taken.unwrap());
	assert_eq!(H256::from(taken.job), job);

	let asked = served.http.post(format!("{}{CHAT}", served.url)).bearer_auth("gpk_test");
	let asked = asked.json(&chat(false));
	let client = tokio::spawn(async move { asked.send().await });
	let taken = world.coordinator.take(&session, Duration::from_secs(10)).await.unwrap();
	let taken = job_of(taken.unwrap());
	let begun = Progress { attempt: 1, offset: 0, text: String::new() };
	world.coordinator.progress(&session, taken.job.into(), &begun).await.unwrap();
	client.abort();
	tokio::time::sleep(Duration::from_millis(300)).await;
	assert_eq!(world.state(taken.job.into()).await, JobStage::Running, "the work has begun");
	let result = miner.does(&taken);
	world.coordinator.result(&session, taken.job.into(), &result).await.unwrap();
}
