//! What is refused, and that nothing changes by it.

use super::*;
use crate::check::Verdict;
use gridproof_compute_api::protocol::ErrorCode;

#[tokio::test]
async fn a_miner_that_is_not_who_it_says_gets_no_session() {
	let world = World::new().await;
	let miner = world.miner(1);
	let code = async |hello: &Hello| world.coordinator.hello(hello).await.unwrap_err().code;

	let mut hello = miner.hello(&world);
	hello.models.push("more".to_string());
	assert_eq!(code(&hello).await, ErrorCode::BadSignature);
	let mut hello = miner.hello(&world);
	hello.miner = Hex32(*key(2, Kind::Miner).public());
	assert_eq!(code(&hello).await, ErrorCode::BadSignature);
	let hello = miner.hello(&world);
	world.pass(61);
	assert_eq!(code(&hello).await, ErrorCode::ClockSkew);
	let stranger = world.miner(9);
	assert_eq!(code(&stranger.hello(&world)).await, ErrorCode::NotRegistered);
	let mut hello = miner.hello(&world);
	hello.class = ClassName::Gpu;
	let payload = hello_payload(&GENESIS, &world.coordinator.public(), &hello);
	hello.signature = Hex64(miner.key.sign(&payload));
	assert_eq!(code(&hello).await, ErrorCode::NotRegistered);
	let public = *miner.key.public();
	world.chain.miners.lock().unwrap().get_mut(&public).unwrap().is_able = false;
	assert_eq!(code(&miner.hello(&world)).await, ErrorCode::Banned);
	world.chain.set_trouble(Trouble::Away);
	assert_eq!(code(&world.miner(2).hello(&world)).await, ErrorCode::ChainUnavailable);
}

#[tokio::test]
async fn another_miners_result_is_refused_and_the_job_stays() {
	let world = World::new().await;
	let (miner, thief) = (world.miner(1), world.miner(2));
	let (first, second) = (miner.session(&world).await, thief.session(&world).await);
	let (_, job) = world.submitted().await;
	let assignment = miner.asks(&world, &first).await.unwrap();
	let refused =
		world.coordinator.result(&second, job.job, &thief.does(&assignment)).await.unwrap_err();
	assert_eq!(refused.code, ErrorCode::NotAssigned);
	let refused =
		world.coordinator.result(&second, job.job, &miner.does(&assignment)).await.unwrap_err();
	assert_eq!(refused.code, ErrorCode::NotAssigned);
	assert_eq!(world.state(job.job).await, JobStage::Assigned);
	let result = JobResult { attempt: 2, ..miner.does(&assignment) };
	let refused = world.coordinator.result(&first, job.job, &result).await.unwrap_err();
	assert_eq!(refused.code, ErrorCode::NotAssigned);
	world.coordinator.result(&first, job.job, &miner.does(&assignment)).await.unwrap();
}

#[tokio::test]
async fn a_result_is_accepted_once() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (_, job) = world.submitted().await;
	let assignment = miner.asks(&world, &session).await.unwrap();
	let result = miner.does(&assignment);
	let (first, second) = tokio::join!(
		world.coordinator.result(&session, job.job, &result),
		world.coordinator.result(&session, job.job, &result)
	);
	let (first, second) = (first.unwrap(), second.unwrap());
	assert_eq!(first.receipt_id, second.receipt_id);
	assert!(first.repeated != second.repeated, "one of the two was first");
	let third = world.coordinator.result(&session, job.job, &result).await.unwrap();
	assert!(third.repeated);
	let other = output("there were");
	let receipt = miner.receipt(&assignment, &other);
	let other = miner.signed(1, other, &receipt);
	let refused = world.coordinator.result(&session, job.job, &other).await.unwrap_err();
	assert_eq!(refused.code, ErrorCode::AlreadyCompleted);
	world.settle().await;
	world.settle().await;
	assert_eq!(world.chain.claims.load(Ordering::SeqCst), 1);
}

/// Every way in which a result can be wrong, each signed again where it has to be.
#[tokio::test]
async fn a_wrong_result_is_refused_by_name_and_the_job_goes_to_others() {
	type Spoil = fn(&Miner, &Assignment, &mut Output, &mut Receipt);
	let mismatch = ErrorCode::Mismatch;
	let cases: [(&str, ErrorCode, Spoil); 12] = [
		("another job", mismatch, |_, _, _, r| r.job_id = H256([9; 32])),
		("another miner", mismatch, |_, _, _, r| r.miner = [9; 32]),
		("another nonce", mismatch, |_, _, _, r| r.nonce += 1),
		("another output", mismatch, |_, _, o, _| o.text.push('!')),
		("more tokens stated than measured", mismatch, |_, _, o, r| {
			o.completion_tokens += 1;
			r.output_hash = o.hash();
		}),
		("more units than the tokens make", mismatch, |_, _, _, r| r.compute_units += 1),
		("fewer units", mismatch, |_, _, _, r| r.compute_units -= 1),
		("a higher price", mismatch, |_, _, _, r| r.price += 1),
		("no time", ErrorCode::Implausible, |_, _, _, r| r.telemetry.duration_ms = 0),
		("more memory than any machine has", ErrorCode::Implausible, |_, _, _, r| {
			r.telemetry.memory_mb = u32::MAX;
		}),
		("longer than it had", ErrorCode::Implausible, |_, _, _, r| {
			r.telemetry.duration_ms = 60_000;
		}),
		("more tokens than were asked for", ErrorCode::Implausible, |m, a, o, r| {
			o.completion_tokens = 21;
			*r = m.receipt(a, o);
		}),
	];
	for (what, code, spoil) in cases {
		let world = World::new().await;
		let miner = world.miner(1);
		let session = miner.session(&world).await;
		let (_, job) = world.submitted().await;
		let assignment = miner.asks(&world, &session).await.unwrap();
		let mut output = output("there was");
		let mut receipt = miner.receipt(&assignment, &output);
		spoil(&miner, &assignment, &mut output, &mut receipt);
		let result = miner.signed(1, output, &receipt);
		let refused = world.coordinator.result(&session, job.job, &result).await.unwrap_err();
		assert_eq!(refused.code, code, "{what}: {refused}");
		assert_eq!(world.state(job.job).await, JobStage::Queued, "{what}");
		let id = job.job;
		let row = world.coordinator.read(move |db| Ok(rows::receipt(db, id)?));
		assert_eq!(row.await.unwrap(), None, "{what}: nothing was signed");
	}
}

#[tokio::test]
async fn bad_signatures_are_refused_one_by_one() {
	type Spoil = fn(&Miner, &Receipt, &mut JobResult);
	let cases: [(&str, Spoil); 4] = [
		("none", |_, _, r| r.signature = Hex64([0; 64])),
		("signed as the coordinator", |m, receipt, r| {
			r.signature =
				Hex64(m.key.sign(&receipt.signing_payload(&GENESIS, Signer::Coordinator)));
		}),
		("for another chain", |m, receipt, r| {
			r.signature =
				Hex64(m.key.sign(&receipt.signing_payload(&H256([8; 32]), Signer::Miner)));
		}),
		("S + L", |_, _, r| {
			let mut carry = 0u16;
			for (byte, order) in r.signature.0[32..].iter_mut().zip(ed25519::GROUP_ORDER) {
				let sum = u16::from(*byte) + u16::from(order) + carry;
				*byte = (sum & 0xff) as u8;
				carry = sum >> 8;
			}
		}),
	];
	for (what, spoil) in cases {
		let world = World::new().await;
		let miner = world.miner(1);
		let session = miner.session(&world).await;
		let (_, job) = world.submitted().await;
		let assignment = miner.asks(&world, &session).await.unwrap();
		let mut result = miner.does(&assignment);
		let receipt = Receipt::decode_all(&mut &result.receipt.0[..]).unwrap();
		spoil(&miner, &receipt, &mut result);
		let refused = world.coordinator.result(&session, job.job, &result).await.unwrap_err();
		assert_eq!(refused.code, ErrorCode::BadSignature, "{what}");
		assert_eq!(world.state(job.job).await, JobStage::Queued, "{what}");
	}
}

#[tokio::test]
async fn a_result_that_comes_out_differently_is_refused() {
	let checker: Checker = Arc::new(|spec, result| {
		assert_eq!(spec.model, MODEL);
		Some(Ok(if result == &output("there was") {
			Verdict::Right
		} else {
			Verdict::Wrong("it is another")
		}))
	});
	let settings = Settings { check_per_thousand: 1_000, ..Settings::default() };
	let world = World::with(settings, Some(checker)).await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	let (_, job) = world.submitted().await;
	let assignment = miner.asks(&world, &session).await.unwrap();
	let lie = output("there were");
	let receipt = miner.receipt(&assignment, &lie);
	let lie = miner.signed(1, lie, &receipt);
	let refused = world.coordinator.result(&session, job.job, &lie).await.unwrap_err();
	assert_eq!((refused.code, &*refused.message), (ErrorCode::NotReproduced, "it is another"));
	world.pass(5);
	let assignment = miner.asks(&world, &session).await.unwrap();
	let truth = miner.does(&assignment);
	world.coordinator.result(&session, job.job, &truth).await.unwrap();
}

#[tokio::test]
async fn a_job_without_escrow_or_with_another_access_key_is_not_accepted() {
	let world = World::new().await;
	let _session = world.miner(1).session(&world).await;
	let quoted = world.coordinator.quote(&spec(), CLIENT, PriceAsset::Ait).unwrap();
	let request = submission(&quoted);
	let accept = async |access: &AccessKey| {
		world.coordinator.accept(&request, access, false).await.map_err(|r| r.code)
	};
	assert_eq!(accept(&quoted.access).await, Err(ErrorCode::NotFunded));
	world.chain.open_by_client(&quoted);
	assert_eq!(accept(&AccessKey::from("guess")).await, Err(ErrorCode::Unauthorized));
	assert!(accept(&quoted.access).await.is_ok());
	assert!(accept(&quoted.access).await.is_ok(), "the same again changes nothing");
	world.chain.set_trouble(Trouble::Away);
	let other = world.coordinator.quote(&spec(), CLIENT, PriceAsset::Ait).unwrap();
	let away = world.coordinator.accept(&submission(&other), &other.access, false).await;
	let away = away.unwrap_err();
	assert_eq!(away.code, ErrorCode::ChainUnavailable);
}

#[tokio::test]
async fn a_job_is_submitted_with_the_very_quote_that_this_coordinator_signed() {
	let world = World::new().await;
	let _session = world.miner(1).session(&world).await;
	let quote = |max_tokens| {
		let spec = JobSpec { max_tokens, ..spec() };
		world.coordinator.quote(&spec, CLIENT, PriceAsset::Ait).unwrap()
	};
	let (quoted, other) = (quote(20), quote(10));
	world.chain.open_by_client(&quoted);
	type Spoil = fn(&mut JobRequest, &Quoted);
	let cases: [(&str, Spoil); 5] = [
		("not SCALE", |r, _| r.quote.0.push(0)),
		("did not sign", |r, _| r.signature.0[0] ^= 1),
		("did not sign", |r, other| r.quote = HexBytes(other.row.quote.clone())),
		("another job's", |r, other| {
			r.quote = HexBytes(other.row.quote.clone());
			r.signature = Hex64(other.row.signature);
		}),
		("another specification", |r, _| r.spec.max_tokens = 21),
	];
	for (said, spoil) in cases {
		let mut request = submission(&quoted);
		spoil(&mut request, &other);
		let refused = world.coordinator.accept(&request, &quoted.access, false).await.unwrap_err();
		assert_eq!(refused.code, ErrorCode::BadQuote, "{refused}");
		assert!(refused.message.contains(said), "{refused}");
	}
	let stranger = key(0xC1, Kind::Coordinator);
	let mut foreign = quoted.quote.clone();
	foreign.coordinator = *stranger.public();
	let request = JobRequest {
		job: foreign.job_id(&GENESIS).into(),
		quote: HexBytes(foreign.encode()),
		signature: Hex64(stranger.sign(&foreign.signing_payload(&GENESIS))),
		spec: spec(),
	};
	let refused = world.coordinator.accept(&request, &quoted.access, false).await.unwrap_err();
	assert_eq!(refused.code, ErrorCode::BadQuote, "another coordinator's");
	let request = submission(&quoted);
	let job = world.coordinator.accept(&request, &quoted.access, false).await.unwrap();
	assert_eq!((job.unit_price, job.price), (quoted.row.unit_price, quoted.quote.price));
	assert_eq!(job.spec, spec().canonical());
}

#[tokio::test]
async fn quotes_take_no_room_on_the_disk() {
	let world = World::new().await;
	let _session = world.miner(1).session(&world).await;
	let size = async || world.coordinator.read(|db| Ok(rows::size(db)?)).await.unwrap().bytes;
	let before = size().await;
	let prompt = "x".repeat(100_000);
	let long = JobSpec { task: Task::Completion { prompt }, ..spec() };
	for _ in 0..50 {
		world.coordinator.quote(&long, CLIENT, PriceAsset::Ait).unwrap();
	}
	assert_eq!(size().await, before);
	let log = world.folder.path().join("coordinator.db-wal");
	assert!(std::fs::metadata(log).unwrap().len() < 1_000_000);
}

#[tokio::test]
async fn specifications_that_cannot_be_run_are_not_quoted() {
	let world = World::new().await;
	let refused = world.coordinator.quote(&spec(), CLIENT, PriceAsset::Ait).unwrap_err();
	assert_eq!(refused.code, ErrorCode::UnknownModel, "nobody serves it yet");
	let _session = world.miner(1).session(&world).await;
	type Spoil = fn(&mut JobSpec);
	let cases: [(&str, Spoil); 7] = [
		("version", |s| s.version = 2),
		("no prompt", |s| s.task = Task::Completion { prompt: String::new() }),
		("no messages", |s| s.task = Task::Chat { messages: Vec::new() }),
		("too long", |s| s.max_tokens = 1_025),
		("no tokens", |s| s.max_tokens = 0),
		("too hot", |s| s.sampling.temperature_milli = 2_001),
		("too many stops", |s| s.sampling.stop = vec!["x".to_string(); 5]),
	];
	for (what, spoil) in cases {
		let mut spec = spec();
		spoil(&mut spec);
		let refused = world.coordinator.quote(&spec, CLIENT, PriceAsset::Ait).unwrap_err();
		assert_eq!(refused.code, ErrorCode::BadRequest, "{what}");
	}
}
