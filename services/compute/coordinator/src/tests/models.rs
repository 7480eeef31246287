//! Models as the chain's registry has them, and what becomes of requests when it changes.

use super::{channels::Payer, front::Served, *};
use crate::{coordinator::StartError, settings::ModelOffer};
use gridproof_compute_api::protocol::{ErrorCode, ModelStanding};
use gridproof_primitives::compute::{
	channels::{BatchKind, Mode},
	registry::TermsChange,
};
use serde_json::{Value, json};

const AIT: u128 = 1_000_000_000_000_000_000;
const PRIVATE: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Private };
const START: u64 = 1_000_000_000;

fn offer(name: &str) -> ModelOffer {
	ModelOffer {
		name: name.to_string(),
		max_tokens: None,
		class: None,
		model_factor: None,
		registered: None,
	}
}

fn hash_of(world: &World) -> H256 {
	*world.chain.registry.lock().unwrap().keys().next().unwrap()
}

fn by_name(name: &str) -> H256 {
	H256(sp_crypto_hashing::sha2_256(name.as_bytes()))
}

fn terms(factor: u32) -> TermsChange {
	TermsChange::Terms(ModelTerms { factor, engine: EngineClass::Seeded })
}

impl World {
	/// Announces a change of the one model, so many seconds from now.
	fn announces(&self, seconds: u64, change: TermsChange) {
		let now = self.coordinator.now();
		self.chain.change_model(hash_of(self), |timeline| {
			timeline.announce(now, now + seconds * 1_000, change).unwrap();
		});
	}

	/// What a request of the one model is reckoned by.
	fn reckoned(&self) -> (H256, u32) {
		let terms = self.coordinator.terms_named(MODEL).unwrap();
		(terms.model, terms.factor)
	}
}

#[tokio::test]
async fn a_request_names_the_registrys_hash_and_counts_by_its_factor() {
	let world = World::new().await;
	world.announces(60, terms(3_000));
	world.coordinator.follow_models().await.unwrap();
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let (session, hash) = (miner.session(&world).await, hash_of(&world));
	for (factor, seconds) in [(1_000, 60), (3_000, 0)] {
		world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
		let issued = miner.serves(&world, &session).await;
		let receipt = issued.receipt.receipt;
		assert_eq!((receipt.model, receipt.weight), (hash, u64::from(8 * factor / 1_000)));
		let quoted = world.coordinator.quote(&spec(), CLIENT, PriceAsset::Ait).unwrap();
		assert_eq!((quoted.quote.model, quoted.quote.model_factor), (Some(hash), factor));
		// The announced factor holds at its time, whether or not the chain is asked again.
		world.chain.set_trouble(Trouble::Away);
		world.pass(seconds);
	}
}

#[tokio::test]
async fn what_runs_when_its_model_retires_is_done_by_the_terms_of_before() {
	let mut world = World::new().await;
	world.announces(60, TermsChange::Retire);
	world.coordinator.follow_models().await.unwrap();
	let hash = hash_of(&world);
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	let (running, waiting) = (payer.signs(AIT / 10, "Once"), payer.signs(AIT / 5, "Twice"));
	let id = world.admit(&running).await.unwrap();
	let work = miner.asks_request(&world, &session).await.unwrap();
	world.admit(&waiting).await.unwrap();
	world.pass(59);
	assert_eq!(world.reckoned(), (hash, 1_000));
	world.pass(2);
	assert_eq!(world.reckoned(), (by_name(MODEL), 1_000));
	// Both are done, and answered again if somebody asks again.
	let result = miner.does_request(&work);
	world.coordinator.result(&session, id, &result).await.unwrap();
	assert_eq!(world.admit(&running).await, Ok(id));
	let second = miner.serves(&world, &session).await;
	for receipt in [world.issued(id).receipt.receipt, second.receipt.receipt] {
		assert_eq!((receipt.model, receipt.weight), (hash, 8));
	}
	// New work is not taken for an ordinary channel, and is for a private one.
	let late = payer.signs(AIT / 2, "Late");
	assert_eq!(world.admit(&late).await, Err(ErrorCode::PrivateModel));
	let error = world.coordinator.terms_named(MODEL).unwrap().check_counted().unwrap_err();
	let says = ["as retired, since or from 1970-01-12", "private channel", "gridproof model list"];
	assert!(says.iter().all(|text| error.message.contains(text)), "{error}");
	let mut secret = Payer::opens_of(&world, 8, PRIVATE, AIT, AIT);
	world.admit(&secret.signs(AIT / 10, "Once")).await.unwrap();
	let private = miner.serves(&world, &session).await.receipt.receipt;
	assert_eq!((private.model, private.weight), (by_name(MODEL), 8));
	// Also after the next start what was answered is answered again.
	world.crash().await;
	let _session = miner.session(&world).await;
	assert_eq!(world.admit(&running).await, Ok(id));
}

#[tokio::test]
async fn work_on_a_model_that_the_registry_does_not_have_is_private() {
	let settings = Settings { models: vec![offer("home-made")], ..Settings::default() };
	let world = World::with(settings, None).await;
	let asked = JobSpec { model: "home-made".to_string(), ..spec() };
	let mut ordinary = Payer::opens(&world, 7, AIT, AIT);
	let refused = world.admit_spec(asked.clone(), &ordinary.signs(AIT / 10, "Once")).await;
	assert_eq!(refused, Err(ErrorCode::PrivateModel));
	let error = world.coordinator.terms_named("home-made").unwrap().check_counted().unwrap_err();
	assert!(error.message.contains("has no model \"home-made\""), "{error}");
	assert_eq!((error.status().as_u16(), error.param), (403, Some("model")));
	let mut private = Payer::opens_of(&world, 8, PRIVATE, AIT, AIT);
	world.admit_spec(asked.clone(), &private.signs(AIT / 10, "Once")).await.unwrap();
	let terms = world.coordinator.terms_named("home-made").unwrap();
	assert_eq!((terms.model, terms.factor, terms.entry), (by_name("home-made"), 5_000, None));
	// Jobs are done as before; their quotes name no model, so that they mint nothing.
	let quoted = world.coordinator.quote(&asked, CLIENT, PriceAsset::Ait).unwrap();
	assert_eq!((quoted.quote.model, quoted.quote.model_factor), (None, 5_000));
	// It is added, and counts from its time on.
	let hash = world.chain.add_model("home-made", 7_000, START + 60_000);
	world.coordinator.follow_models().await.unwrap();
	let terms = world.coordinator.terms_named("Home-Made");
	assert_eq!(terms, None, "what is offered has one name");
	let entry = world.coordinator.terms_named("home-made").unwrap().entry.unwrap();
	assert_eq!((entry.standing, entry.since_ms), (ModelStanding::Announced, START + 60_000));
	assert_eq!(entry.next.unwrap().model_factor, Some(7_000));
	world.pass(60);
	let terms = world.coordinator.terms_named("home-made").unwrap();
	assert_eq!((terms.counted(), terms.factor), (Some(hash), 7_000));
	world
		.admit_spec(asked, &Payer::opens(&world, 9, AIT, AIT).signs(AIT / 10, "Once"))
		.await
		.unwrap();
}

#[tokio::test]
async fn a_stopped_model_is_refused_once_the_chain_says_so_and_taken_once_it_resumes() {
	let world = World::new().await;
	let _session = world.miner(1).session(&world).await;
	let mut payer = Payer::opens(&world, 7, AIT, AIT);
	let stop = |timeline: &mut Timeline| timeline.stop(START).unwrap();
	world.chain.change_model(hash_of(&world), stop);
	world.coordinator.follow_models().await.unwrap();
	let asked = payer.signs(AIT / 10, "Once");
	assert_eq!(world.admit(&asked).await, Err(ErrorCode::PrivateModel));
	world.announces(60, TermsChange::Resume);
	world.coordinator.follow_models().await.unwrap();
	assert_eq!(world.admit(&asked).await, Err(ErrorCode::PrivateModel));
	world.pass(60);
	world.admit(&asked).await.unwrap();
}

#[tokio::test]
async fn a_configuration_that_contradicts_the_registry_does_not_start_and_says_what_to_do() {
	let world = World::new().await;
	let hash = Hex32::from(hash_of(&world));
	let other = Hex32::from(world.chain.add_model("qwen2.5-0.5b@2", 1_000, 0));
	let start = async |offer: ModelOffer| {
		let folder = tempfile::tempdir().unwrap();
		let settings = Settings { models: vec![offer], ..Settings::default() };
		let (chain, key) = (world.chain.clone(), key(0xC0, Kind::Coordinator));
		Coordinator::open(folder.path(), chain, key, settings, None, world.clock.clone()).await
	};
	let own = offer(MODEL);
	for (broken, says) in [
		(
			ModelOffer { registered: Some(other), ..own.clone() },
			"leave it out, or offer that model",
		),
		(ModelOffer { registered: Some(Hex32([9; 32])), ..offer("m") }, "gridproof model list"),
		(ModelOffer { model_factor: Some(2_000), ..own.clone() }, "counts a token"),
		(ModelOffer { max_tokens: Some(32_769), ..own.clone() }, "write at most 32768"),
	] {
		match start(broken).await.err() {
			Some(StartError::Models(reason)) => assert!(reason.contains(says), "{reason}"),
			other => panic!("{says}: {other:?}"),
		}
	}
	let agreeing = ModelOffer { registered: Some(hash), model_factor: Some(1_000), ..own };
	assert!(start(agreeing).await.is_ok());
	// Of two versions the configuration says which one a name is.
	let second = ModelOffer { registered: Some(other), ..offer("qwen") };
	let coordinator = start(second).await.unwrap();
	assert_eq!(coordinator.terms_named("qwen").unwrap().counted(), Some(other.into()));
}

#[tokio::test]
async fn nothing_is_taken_before_the_registry_is_read() {
	let mut world = World::new().await;
	world.chain.set_trouble(Trouble::Away);
	world.crash().await;
	let refused = world.coordinator.quote(&spec(), CLIENT, PriceAsset::Ait).unwrap_err();
	assert_eq!(refused.code, ErrorCode::ChainUnavailable);
	world.chain.set_trouble(Trouble::None);
	world.coordinator.follow_models().await.unwrap();
	let _session = world.miner(1).session(&world).await;
	world.coordinator.quote(&spec(), CLIENT, PriceAsset::Ait).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_models_on_offer_are_shown_with_how_the_registry_has_them() {
	let world = World::new().await;
	world.announces(86_400, TermsChange::Retire);
	world.coordinator.follow_models().await.unwrap();
	let hash = Hex32::from(hash_of(&world)).to_string();
	let served = Served::with(world).await;
	let _session = served.world.miner(1).session(&served.world).await;
	let until = START + 86_400_000;
	let registry = json!({ "hash": hash, "standing": "counted", "since_ms": 0, "context": 32_768,
		"next": { "standing": "retired", "since_ms": until, "model_factor": null },
		"retired_ms": until, "default": false });
	let shown: Value = served.get("/v1/models").await.json().await.unwrap();
	assert_eq!(shown["data"][0]["gridproof"]["registry"], registry);
	assert_eq!(shown["data"][0]["gridproof"]["model_factor"], 1_000);
	let info: Value = served.get("/api/v1/info").await.json().await.unwrap();
	assert_eq!(info["models"][0]["registry"], registry);
}

#[tokio::test]
async fn a_quote_of_before_quotes_named_models_opens_a_job_that_is_done_and_settled() {
	let world = World::new().await;
	let miner = world.miner(1);
	let session = miner.session(&world).await;
	// GIVEN a quote as this coordinator signed it then: its bytes end before the model
	let mut quoted = world.coordinator.quote(&spec(), CLIENT, PriceAsset::Ait).unwrap();
	quoted.quote.model = None;
	let id = quoted.quote.job_id(&GENESIS);
	quoted.row.job = id;
	quoted.row.quote = quoted.quote.encode();
	assert_eq!(quoted.row.quote.pop(), Some(0));
	let payload = quoted.quote.signing_payload(&GENESIS);
	quoted.row.signature = key(0xC0, Kind::Coordinator).sign(&payload);
	quoted.access = AccessKey::of(&world.coordinator.access, &id);
	// WHEN its client opens and submits the job
	world.chain.open_by_client(&quoted);
	let request = submission(&quoted);
	world.coordinator.accept(&request, &quoted.access, false).await.unwrap();
	// THEN it is done and settled
	let assignment = miner.asks(&world, &session).await.unwrap();
	let output = output("there was");
	let receipt = miner.receipt(&assignment, &output);
	let result = miner.signed(assignment.attempt, output, &receipt);
	world.coordinator.result(&session, id, &result).await.unwrap();
	world.settle().await;
	assert_eq!(world.settlement(id).await, Settlement::Final);
}
