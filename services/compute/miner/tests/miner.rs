//! Miners and a coordinator, both real, over HTTP: what is delivered, and what survives.

mod stand;

use gridproof_compute_api::protocol::{Finish, JobSpec, JobStage, Task};
use gridproof_engine::{LocalEngine, execute};
use gridproof_http::{Loops, serve};
use gridproof_miner::{Counts, Miner, Outbox, pages};
use gridproof_primitives::compute::Signer;
use gridproof_support::Stopper;
use stand::{Fails, SlowEngine, Stand, key, spec, until};
use std::{net::SocketAddr, ops::ControlFlow, sync::Arc, time::Duration};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpStream,
};

#[tokio::test(flavor = "multi_thread")]
async fn two_miners_do_all_jobs_and_each_is_settled_once() {
	let stand = Stand::new().await;
	let miners = [stand.miner(1, 2).await, stand.miner(2, 1).await];
	let mut jobs = Vec::new();
	for number in 0..24 {
		jobs.push(stand.submit(spec(&format!("Emma said {number}"), 12), number % 3 == 0).await);
	}
	until("all jobs are settled", async || stand.ledger.settled().len() == jobs.len()).await;
	let engine = LocalEngine::embedded().unwrap();
	let settled = stand.ledger.settled();
	for job in &jobs {
		let found: Vec<_> = settled.iter().filter(|s| s.receipt.job_id == *job).collect();
		let [signed] = found[..] else { panic!("{} receipts for one job", found.len()) };
		let row = stand.job(*job).await;
		assert_eq!(row.state, JobStage::Completed);
		let (output, _) =
			execute(&engine, &row.spec().unwrap(), &mut |_| ControlFlow::Continue(())).unwrap();
		let receipt = &signed.receipt;
		assert_eq!(receipt.output_hash, output.hash());
		let telemetry = receipt.telemetry;
		assert_eq!(telemetry.tokens(), output.tokens());
		assert!((1..60_000).contains(&telemetry.duration_ms), "{telemetry:?}");
		assert!((4..2_000).contains(&telemetry.memory_mb), "{telemetry:?}");
		// The model's factor is 5.
		assert_eq!(receipt.compute_units, output.tokens() * 5);
		let genesis = &stand.genesis;
		receipt.verify(genesis, Signer::Miner, &receipt.miner, &signed.miner_signature).unwrap();
	}
	let mut delivered = 0;
	for miner in miners {
		let counts = miner.stop().await;
		assert_eq!((counts.pending, counts.withheld, counts.refused), (0, 0, 0));
		assert!(counts.delivered > 0, "both had work");
		delivered += counts.delivered;
	}
	assert_eq!(delivered, 24);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_survives_its_miner_and_is_delivered_by_the_next_run() {
	let stand = Stand::new().await;
	stand.fail(Fails { result: true, ..Fails::default() });
	let miner = stand.miner(1, 1).await;
	let job = stand.submit(spec("Mr. Knightley", 12), false).await;
	until("a result waits", async || miner.counts().await.pending == 1).await;
	let folder = miner.kill().await;
	let kept = Outbox::peek(folder.path()).unwrap().unwrap();
	assert_eq!(kept, Counts { pending: 1, ..Counts::default() });
	assert_eq!(stand.job(job).await.state, JobStage::Running);
	stand.fail(Fails::default());
	let miner = stand.miner_in(folder, 1, 1, SlowEngine::none()).await;
	until("it is delivered", async || miner.counts().await.delivered == 1).await;
	until("it is settled", async || stand.ledger.settled().len() == 1).await;
	let row = stand.job(job).await;
	assert_eq!((row.state, row.attempt), (JobStage::Completed, 1), "nobody worked twice");
	miner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_makes_no_second_receipt() {
	let stand = Stand::new().await;
	stand.fail(Fails { answer: true, ..Fails::default() });
	let miner = stand.miner(1, 1).await;
	let job = stand.submit(spec("Mr. Knightley", 12), false).await;
	until("the coordinator has it", async || stand.job(job).await.state == JobStage::Completed)
		.await;
	assert_eq!(miner.counts().await.pending, 1, "the miner cannot know");
	stand.fail(Fails::default());
	until("it is delivered", async || miner.counts().await.delivered == 1).await;
	until("it is settled", async || !stand.ledger.settled().is_empty()).await;
	assert_eq!(stand.ledger.settled().len(), 1);
	miner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_comes_again_gets_the_receipt_that_was_signed_first() {
	// Neither results nor heartbeats arrive, so that the lease runs out.
	let stand = Stand::new().await;
	stand.fail(Fails { result: true, heartbeat: true, ..Fails::default() });
	let miner = stand.miner(1, 1).await;
	let job = stand.submit(spec("Mr. Knightley", 12), false).await;
	until("a result waits", async || miner.counts().await.pending == 1).await;
	until("it is given out again", async || stand.job(job).await.attempt == 2).await;
	stand.fail(Fails::default());
	until("it is settled", async || stand.ledger.settled().len() == 1).await;
	let sent = stand.seen.results();
	assert!(sent.len() >= 2, "sent before and after");
	let first = &sent[0];
	assert!(sent.iter().all(|result| result.receipt == first.receipt), "one receipt only");
	assert!(sent.iter().all(|result| result.signature == first.signature));
	// On a slow machine the lease may have run out once more.
	assert_eq!(sent.last().unwrap().attempt, stand.job(job).await.attempt);
	miner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_not_answered_holds_up_no_other() {
	let stand = Stand::new().await;
	stand.fail(Fails { hangs: true, ..Fails::default() });
	let miner = stand.miner(1, 2).await;
	stand.submit(spec("Mr. Knightley", 12), false).await;
	until("the first is on its way", async || stand.seen.results().len() == 1).await;
	stand.submit(spec("Mr. Elton", 12), false).await;
	let delivered = until("the second is delivered", async || miner.counts().await.delivered == 1);
	tokio::time::timeout(Duration::from_secs(15), delivered).await.expect("before the first");
	assert_eq!(miner.counts().await.pending, 1);
	miner.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_is_away_is_waited_for() {
	let mut stand = Stand::new().await;
	stand.close().await;
	let miner = stand.miner(1, 1).await;
	tokio::time::sleep(Duration::from_millis(600)).await;
	stand.open().await;
	stand.wait_for_miners(1).await;
	let job = stand.submit(spec("Mr. Knightley", 5), false).await;
	until("it is done", async || stand.job(job).await.state == JobStage::Completed).await;
	// The coordinator restarts: the session is gone, and the miner has to find out.
	stand.close().await;
	stand.open().await;
	stand.wait_for_miners(1).await;
	let job = stand.submit(spec("Miss Bates", 5), false).await;
	until("it is done", async || stand.job(job).await.state == JobStage::Completed).await;
	miner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_a_running_job_end() {
	let stand = Stand::new().await;
	let slow = SlowEngine::of(Duration::from_millis(40));
	let miner = stand.miner_in(tempfile::tempdir().unwrap(), 1, 1, slow).await;
	let job = stand.submit(spec("Mr. Knightley", 20), false).await;
	until("it runs", async || stand.job(job).await.state == JobStage::Running).await;
	let counts = miner.stop().await;
	assert_eq!((counts.delivered, counts.pending), (1, 0));
	assert_eq!(stand.job(job).await.state, JobStage::Completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_takes_longer_than_the_grace_is_given_back() {
	let stand = Stand::new().await;
	let slow = SlowEngine::of(Duration::from_millis(200));
	let miner = stand.miner_with_grace(1, slow, Duration::from_millis(100)).await;
	let job = stand.submit(spec("Mr. Knightley", 200), false).await;
	until("it runs", async || stand.job(job).await.state == JobStage::Running).await;
	let counts = miner.stop().await;
	assert_eq!(counts, Counts::default());
	let row = stand.job(job).await;
	assert_eq!((row.state, row.failures), (JobStage::Queued, 0), "that is not a failure");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pieces_that_are_read_along_follow_one_another_and_the_result_has_the_rest() {
	let stand = Stand::new().await;
	let slow = SlowEngine::of(Duration::from_millis(10));
	let miner = stand.miner_in(tempfile::tempdir().unwrap(), 1, 1, slow).await;
	let job = stand.submit(spec("It is a truth", 40), true).await;
	until("it is done", async || stand.job(job).await.state == JobStage::Completed).await;
	let output = stand.seen.results().pop().unwrap().output;
	let mut text = String::new();
	let pieces = stand.seen.progress();
	for piece in &pieces {
		assert_eq!(piece.offset, text.len() as u64, "pieces follow one another");
		text.push_str(&piece.text);
	}
	assert!(output.text.starts_with(&text), "{text:?} of {:?}", output.text);
	assert!(pieces.len() > 3, "{} pieces", pieces.len());
	miner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_piece_of_a_text_is_not_kept_back() {
	let stand = Stand::new().await;
	let slow = SlowEngine::of(Duration::from_millis(30));
	let miner = stand.miner_in(tempfile::tempdir().unwrap(), 1, 1, slow).await;
	let engine = LocalEngine::embedded().unwrap();
	let (one, _) =
		execute(&engine, &spec("It is a truth", 1), &mut |_| ControlFlow::Continue(())).unwrap();
	// On a slow machine another token may have come meanwhile, but not each time.
	let mut firsts = Vec::new();
	for _ in 0..5 {
		let before = stand.seen.progress().len();
		let job = stand.submit(spec("It is a truth", 12), true).await;
		until("it is done", async || stand.job(job).await.state == JobStage::Completed).await;
		let pieces = stand.seen.progress().split_off(before);
		firsts.extend(pieces.into_iter().map(|piece| piece.text).find(|text| !text.is_empty()));
		if firsts.last() == Some(&one.text) {
			miner.stop().await;
			return;
		}
	}
	panic!("{firsts:?} and not {:?}", one.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_no_engine_can_do_is_given_back_with_the_reason() {
	let stand = Stand::new().await;
	let miner = stand.miner(1, 1).await;
	stand.wait_for_miners(1).await;
	let job = stand.submit(spec(&"1".repeat(600), 5), false).await;
	until("it failed", async || stand.job(job).await.state == JobStage::Failed).await;
	let refusal = stand.seen.refusals().pop().unwrap();
	assert!(refusal.detail.contains("601 tokens"), "{}", refusal.detail);
	assert_eq!(miner.stop().await, Counts::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn embeddings_are_jobs_too() {
	let stand = Stand::new().await;
	let miner = stand.miner(1, 1).await;
	stand.wait_for_miners(1).await;
	let input = vec!["a ball".to_string(), "a walk".to_string()];
	let spec = JobSpec { task: Task::Embedding { input }, ..spec("", 0) };
	let job = stand.submit(spec, false).await;
	until("it is done", async || stand.job(job).await.state == JobStage::Completed).await;
	let output = stand.seen.results().pop().unwrap().output;
	assert_eq!((output.embeddings.len(), output.finish), (2, Finish::Stop));
	miner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miner_serves_one_chain_from_one_folder() {
	let stand = Stand::new().await;
	let folder = tempfile::tempdir().unwrap();
	let outbox = Outbox::open(folder.path(), 0).await.unwrap();
	assert_eq!(outbox.pin("genesis", [8; 32]).await.unwrap(), [8; 32]);
	assert_eq!(outbox.pin("genesis", [9; 32]).await.unwrap(), [8; 32], "it does not change");
	let busy = stand.open_miner(folder.path(), 1).await.err().unwrap().to_string();
	assert!(busy.contains("in use by another program"), "{busy}");
	drop(outbox);
	// The node is away; the folder knows another chain than the coordinator's.
	let miner = stand.open_miner(folder.path(), 1).await.unwrap();
	let running = tokio::spawn(async move { miner.run().await });
	tokio::time::sleep(Duration::from_millis(500)).await;
	assert_eq!(stand.miners().await, 0, "it does not work for it");
	running.abort();
	let fresh = tempfile::tempdir().unwrap();
	let error = stand.open_miner(fresh.path(), 1).await.err().unwrap().to_string();
	assert!(error.contains("no node answers"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miner_that_the_chain_does_not_know_gets_nothing_until_it_does() {
	let stand = Stand::new().await;
	stand.ledger.forget(*key(1).public());
	let miner = stand.miner(1, 1).await;
	tokio::time::sleep(Duration::from_millis(500)).await;
	assert_eq!(stand.miners().await, 0);
	stand.ledger.know(*key(1).public());
	stand.wait_for_miners(1).await;
	miner.stop().await;
	assert_eq!(stand.miners().await, 0, "it said goodbye");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_slots_that_waited_for_a_session_learn_at_once_that_there_is_none() {
	let stand = Stand::new().await;
	stand.ledger.be_silent();
	let miner = stand.miner(1, 8).await;
	until("one has asked", async || stand.ledger.asked() == 1).await;
	tokio::time::sleep(Duration::from_millis(200)).await;
	assert_eq!(stand.ledger.asked(), 1, "the others wait for its answer");
	stand.ledger.refuse();
	// Less than the first pause.
	tokio::time::sleep(Duration::from_millis(60)).await;
	assert_eq!(stand.ledger.asked(), 1, "nobody asks again at once");
	stand.ledger.refuse();
	miner.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_begins_a_session_is_not_waited_for_by_who_should_drive_it() {
	let stand = Stand::new().await;
	stand.fail(Fails { session: true, ..Fails::default() });
	let miner = stand.miner(1, 2).await;
	stand.wait_for_miners(1).await;
	stand.ledger.be_silent();
	let before = stand.ledger.asked();
	let job = stand.submit(spec("Mr. Knightley", 12), false).await;
	until("its delivery asks for a session", async || stand.ledger.asked() > before).await;
	stand.fail(Fails::default());
	// Longer than the time between two looks for results.
	tokio::time::sleep(Duration::from_secs(5)).await;
	stand.ledger.answer();
	until("it is delivered", async || miner.counts().await.delivered == 1).await;
	assert_eq!(stand.job(job).await.state, JobStage::Completed);
	let next = stand.submit(spec("Miss Bates", 5), false).await;
	until("it is done", async || stand.job(next).await.state == JobStage::Completed).await;
	miner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_waits_while_the_coordinator_refuses_its_miner() {
	let mut stand = Stand::new().await;
	stand.fail(Fails { result: true, ..Fails::default() });
	let miner = stand.miner(1, 1).await;
	let job = stand.submit(spec("Mr. Knightley", 12), false).await;
	until("a result waits", async || miner.counts().await.pending == 1).await;
	// Banned, or its clock is wrong: the hello is refused, which says nothing about the result.
	stand.close().await;
	stand.ledger.forget(*key(1).public());
	stand.fail(Fails::default());
	stand.open().await;
	tokio::time::sleep(Duration::from_millis(1_500)).await;
	assert_eq!(miner.counts().await, Counts { pending: 1, ..Counts::default() });
	stand.ledger.know(*key(1).public());
	until("it is delivered", async || miner.counts().await.delivered == 1).await;
	assert_eq!(stand.job(job).await.state, JobStage::Completed);
	miner.stop().await;
}

/// The answer of a miner's page.
async fn page(address: SocketAddr, path: &str) -> String {
	let mut stream = TcpStream::connect(address).await.unwrap();
	let asked = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
	stream.write_all(asked.as_bytes()).await.unwrap();
	let mut answer = String::new();
	stream.read_to_string(&mut answer).await.unwrap();
	answer
}

#[tokio::test(flavor = "multi_thread")]
async fn every_loop_of_a_miner_takes_its_turns_and_one_that_hangs_is_seen() {
	let stand = Stand::new().await;
	let running = stand.miner(1, 1).await;
	let miner: Arc<Miner> = running.miner();
	let stopper = Stopper::new();
	let serving = serve(pages(miner.clone()), "127.0.0.1:0".parse().unwrap(), stopper.signal());
	let address = serving.await.unwrap().address();
	let loops = ["chain", "deliveries", "heartbeats", "lines"];
	until("all loops have begun", async || miner.idle().keys().eq(loops)).await;
	// Longer than the pauses of deliveries and heartbeats: what takes no turn is further behind.
	tokio::time::sleep(Duration::from_secs(7)).await;
	for name in ["deliveries", "heartbeats"] {
		assert!(miner.idle()[name] < 7, "{name}: {:?}", miner.idle());
	}
	assert_eq!(miner.standstill(), None);
	let health = page(address, "/health").await;
	assert!(health.starts_with("HTTP/1.1 200") && health.contains("\"heartbeats\":"), "{health}");
	let figures = page(address, "/metrics").await;
	for name in loops {
		let line = format!("gridproof_miner_loop_idle_seconds{{loop=\"{name}\"}}");
		assert!(figures.contains(&line), "{figures}");
	}
	let hanging = Arc::new(Loops::default());
	hanging.begins("deliveries", Duration::from_millis(10));
	miner.watch(hanging);
	tokio::time::sleep(Duration::from_millis(50)).await;
	let said = miner.standstill().unwrap();
	assert!(said.starts_with("the part deliveries has done nothing for"), "{said}");
	let answer = page(address, "/health").await;
	assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("deliveries"), "{answer}");
	running.stop().await;
	assert_eq!(miner.standstill(), None, "a miner that stops is not one that hangs");
}
