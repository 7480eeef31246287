//! Who sees what a receipt was made of, and for how long it is kept.

use super::{
	channels::{DAY_MS, Payer},
	*,
};
use crate::ledger::{Seer, Unnamed};
use gridproof_compute_api::{
	opening::NotOpened,
	protocol::{ErrorCode, FiguresInfo, IssuedReceipt, Opening, OpeningAsk, opening_payload},
};
use gridproof_keys::account::AccountSignature;
use gridproof_primitives::{
	compute::{
		channels::{BatchKind, ChannelReceipt, Mode, Placed},
		checks::{BatchId, CheckId, CheckView, Duty, Figures, OpeningRequest, Vrf},
	},
	crypto::ed25519::PublicKey,
};
use std::sync::atomic::AtomicBool;

const AIT: u128 = 1_000_000_000_000_000_000;
const BODY: &str = r#"{"model":"qwen2.5-0.5b","prompt":"Once upon a time","max_tokens":20,
	"temperature":0}"#;

/// Checks on the chain in memory.
#[derive(Default)]
pub(super) struct MemoryChecks {
	/// `true` if the chain has checks.
	pub(super) is_there: AtomicBool,
	/// Verifiers that may see whatever they ask for.
	pub(super) may_see: Mutex<Vec<[u8; 32]>>,
	/// Milliseconds for which a batch may be checked and disputed.
	pub(super) longest_ms: AtomicU64,
	/// Reports of checks.
	pub(super) reports: Mutex<Vec<CheckView>>,
	/// Demands that name no receipt.
	pub(super) unnamed: Mutex<Vec<Unnamed>>,
	/// Receipts that were named.
	pub(super) named: Mutex<Vec<(CheckId, Placed<ChannelReceipt>)>>,
}

impl CheckChain for MemoryChain {
	fn refusal(&self, seer: Seer) -> BoxFuture<'_, Result<Option<String>, ChainError>> {
		async move {
			self.check()?;
			let may_see = self.checks.may_see.lock().unwrap();
			assert!(seer.header.sums.receipts > 0 && !seer.lists.miners.is_empty());
			let is_named = may_see.contains(&seer.request.verifier);
			Ok((!is_named).then(|| "the check fell to nobody like that".to_string()))
		}
		.boxed()
	}

	fn reports(
		&self,
		batch: BatchId,
		receipt: ChannelReceipt,
	) -> BoxFuture<'_, Result<Vec<CheckView>, ChainError>> {
		async move {
			self.check()?;
			let reports = self.checks.reports.lock().unwrap();
			let id = receipt.receipt.voucher();
			let is_its = |one: &&CheckView| one.id.batch == batch && Some(one.voucher) == id;
			Ok(reports.iter().filter(is_its).copied().collect())
		}
		.boxed()
	}

	fn unnamed(&self, coordinator: PublicKey) -> BoxFuture<'_, Result<Vec<Unnamed>, ChainError>> {
		async move {
			self.check()?;
			let mut all = self.checks.unnamed.lock().unwrap().clone();
			all.retain(|one| one.check.batch.coordinator == coordinator);
			Ok(all)
		}
		.boxed()
	}

	fn name(
		&self,
		check: CheckId,
		receipt: Placed<ChannelReceipt>,
	) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			self.check()?;
			self.checks.named.lock().unwrap().push((check, receipt));
			Ok(())
		}
		.boxed()
	}

	fn longest_ms(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
		async move {
			self.check()?;
			Ok(self.checks.longest_ms.load(Ordering::SeqCst))
		}
		.boxed()
	}
}

/// A receipt that was settled, of a channel of this mode.
async fn settled(world: &World, mode: Mode) -> IssuedReceipt {
	world.chain.checks.is_there.store(true, Ordering::SeqCst);
	let kind = BatchKind { asset: PriceAsset::Ait, mode };
	let mut payer = Payer::opens_of(world, 7, kind, AIT, AIT);
	let (miner, asked) = (world.miner(1), payer.signs(AIT / 10, BODY));
	let session = miner.session(world).await;
	world.admit(&asked).await.unwrap();
	let issued = miner.serves(world, &session).await;
	world.settle_channels().await;
	issued
}

fn verifier(byte: u8) -> SealedKey {
	key(byte, Kind::Verifier)
}

/// What a verifier asks for: the first receipt of the first batch.
fn asks(world: &World, key: &SealedKey, change: impl Fn(&mut OpeningRequest)) -> OpeningAsk {
	let vrf = Vrf { output: [1; 32], proof: [2; 64] };
	let mut request = OpeningRequest {
		verifier: *key.public(),
		batch: BatchId { coordinator: world.coordinator.public(), sequence: 0 },
		index: 0,
		duty: Duty::Drawn { check: 0, vrf },
		time_ms: world.coordinator.now(),
	};
	change(&mut request);
	let signature = Hex64(key.sign(&request.signing_payload(&GENESIS)));
	OpeningAsk::Verifier { request: HexBytes(request.encode()), signature }
}

async fn opened(
	world: &World,
	issued: &IssuedReceipt,
	ask: &OpeningAsk,
) -> Result<Opening, ErrorCode> {
	let id = issued.receipt.receipt.id(&GENESIS);
	world.coordinator.opening(id, ask).await.map_err(|error| error.code)
}

#[tokio::test]
async fn a_verifier_whom_the_chain_lets_sees_all_that_proves_a_receipt() {
	let world = World::new().await;
	let issued = settled(&world, Mode::Ordinary).await;
	let key = verifier(0xE1);
	world.chain.checks.may_see.lock().unwrap().push(*key.public());
	let ask = asks(&world, &key, |_| ());
	let opening = opened(&world, &issued, &ask).await.unwrap();
	assert_eq!(opening.request.0, BODY.as_bytes());
	let channel = world.chain.channels.channels.lock().unwrap()[&7];
	let (receipt, genesis) = (&issued.receipt, &GENESIS);
	let held = opening.check(genesis, receipt, &channel).unwrap();
	assert_eq!((held.tokens.prompt.len(), held.tokens.output.len()), (5, 3));
	assert_eq!(held.spec.max_tokens, 20);
	// Whatever is changed of it is seen.
	let check = |change: fn(&mut Opening)| {
		let mut other = opening.clone();
		change(&mut other);
		other.check(genesis, receipt, &channel).unwrap_err()
	};
	assert_eq!(check(|one| one.receipt_id.0[0] ^= 1), NotOpened::OtherReceipt);
	assert_eq!(check(|one| one.issued.0.clear()), NotOpened::Unreadable);
	assert_eq!(check(|one| one.voucher.0[20] ^= 1), NotOpened::OtherVoucher);
	assert_eq!(check(|one| one.request.0[0] = b' '), NotOpened::OtherRequest);
	assert_eq!(check(|one| one.secret.0[0] ^= 1), NotOpened::OtherRequest);
	assert_eq!(check(|one| one.spec.max_tokens = 7), NotOpened::OtherWork);
	assert_eq!(check(|one| one.tokens.output[0] += 1), NotOpened::OtherContent);
}

#[tokio::test]
async fn a_receipt_that_is_demanded_without_a_name_is_named() {
	let world = World::new().await;
	let receipt = settled(&world, Mode::Ordinary).await.receipt;
	let checks = &world.chain.checks;
	let batch = BatchId { coordinator: world.coordinator.public(), sequence: 0 };
	let check = CheckId { batch, verifier: [1; 32], check: 0 };
	let miner = receipt.receipt.miner.unwrap();
	let (before, after) = (receipt.miner_before().unwrap().price, receipt.sums.miner.price);
	// Nothing lies behind the last receipt, and other batches are not this coordinator's.
	let place = after;
	checks.unnamed.lock().unwrap().push(Unnamed { check, miner, place });
	let anothers = CheckId { batch: BatchId { coordinator: [9; 32], ..batch }, ..check };
	checks.unnamed.lock().unwrap().push(Unnamed { check: anothers, miner, place: before });
	world.coordinator.name_demanded().await.unwrap();
	assert!(checks.named.lock().unwrap().is_empty());
	for place in [before, after - 1] {
		*checks.unnamed.lock().unwrap() = vec![Unnamed { check, miner, place }];
		world.coordinator.name_demanded().await.unwrap();
		let named = std::mem::take(&mut *checks.named.lock().unwrap());
		let [(of, placed)] = &named[..] else { panic!("{named:?}") };
		assert_eq!((*of, placed.item, placed.index), (check, receipt, 0));
	}
	world.chain.set_trouble(Trouble::Away);
	let error = world.coordinator.name_demanded().await.unwrap_err();
	assert_eq!(error.code, ErrorCode::ChainUnavailable);
}

#[tokio::test]
async fn nobody_else_sees_anything() {
	let world = World::new().await;
	let issued = settled(&world, Mode::Ordinary).await;
	let (key, stranger) = (verifier(0xE1), verifier(0xE2));
	world.chain.checks.may_see.lock().unwrap().push(*key.public());
	let refused = async |ask: &OpeningAsk| opened(&world, &issued, ask).await.unwrap_err();
	let ask = asks(&world, &stranger, |_| ());
	assert_eq!(refused(&ask).await, ErrorCode::NotShown);
	let ask = asks(&world, &stranger, |request| request.verifier = *key.public());
	assert_eq!(refused(&ask).await, ErrorCode::BadSignature, "in another's name");
	let ask = asks(&world, &key, |request| request.index = 1);
	assert_eq!(refused(&ask).await, ErrorCode::NotShown, "of another receipt");
	let ask = asks(&world, &key, |request| request.batch.sequence = 1);
	assert_eq!(refused(&ask).await, ErrorCode::NotShown, "of another batch");
	let ask = asks(&world, &key, |request| request.time_ms -= 60_001);
	assert_eq!(refused(&ask).await, ErrorCode::ClockSkew);
	let good = asks(&world, &key, |_| ());
	world.chain.set_trouble(Trouble::Away);
	assert_eq!(refused(&good).await, ErrorCode::ChainUnavailable);
	world.chain.set_trouble(Trouble::None);
	world.chain.checks.is_there.store(false, Ordering::SeqCst);
	assert_eq!(refused(&good).await, ErrorCode::NotShown, "a chain without checks");
	world.chain.checks.is_there.store(true, Ordering::SeqCst);
	assert!(opened(&world, &issued, &good).await.is_ok());
	let unknown = world.coordinator.opening(H256([3; 32]), &good).await.unwrap_err();
	assert_eq!(unknown.code, ErrorCode::UnknownJob);
}

/// A client's request for the opening of a receipt.
fn client_asks(world: &World, issued: &IssuedReceipt, key: &SealedKey) -> OpeningAsk {
	let id = issued.receipt.receipt.id(&GENESIS);
	let (time_ms, coordinator) = (world.coordinator.now(), world.coordinator.public());
	let payload = opening_payload(&GENESIS, &coordinator, &id, key.public(), time_ms);
	let signature = HexBytes(AccountSignature::Ed25519(key.sign(&payload)).to_bytes());
	OpeningAsk::Client { key: Hex32(*key.public()), time_ms, signature }
}

#[tokio::test]
async fn a_client_sees_its_own_receipt_with_the_channels_key_or_its_account() {
	let world = World::new().await;
	let issued = settled(&world, Mode::Ordinary).await;
	let of = |key: &SealedKey| client_asks(&world, &issued, key);
	let channel = key(7, Kind::Channel);
	assert!(opened(&world, &issued, &of(&channel)).await.is_ok());
	let account = key(0xAA, Kind::Channel);
	assert_eq!(opened(&world, &issued, &of(&account)).await, Err(ErrorCode::NotShown));
	world.chain.channels.clients.lock().unwrap().insert(7, *account.public());
	assert!(opened(&world, &issued, &of(&account)).await.is_ok());
}

#[tokio::test]
async fn a_receipt_of_a_private_channel_is_never_opened() {
	let world = World::new().await;
	let issued = settled(&world, Mode::Private).await;
	let key = verifier(0xE1);
	world.chain.checks.may_see.lock().unwrap().push(*key.public());
	let ask = asks(&world, &key, |_| ());
	assert_eq!(opened(&world, &issued, &ask).await, Err(ErrorCode::NotShown));
	let ask = client_asks(&world, &issued, &self::key(7, Kind::Channel));
	assert_eq!(opened(&world, &issued, &ask).await, Err(ErrorCode::NotShown), "its client");
}

#[tokio::test]
async fn what_can_still_be_checked_is_kept_whatever_the_settings_say() {
	let mut settings = Settings::default();
	settings.channels.line_seconds = 0;
	settings.retain.texts_days = 1;
	let world = World::with(settings, None).await;
	let issued = settled(&world, Mode::Ordinary).await;
	let key = verifier(0xE1);
	world.chain.checks.may_see.lock().unwrap().push(*key.public());
	world.chain.checks.longest_ms.store(3 * DAY_MS, Ordering::SeqCst);
	let is_kept = async || {
		world.coordinator.prune_some().await.unwrap();
		let ask = asks(&world, &key, |_| ());
		match opened(&world, &issued, &ask).await {
			Ok(_) => true,
			Err(code) => {
				assert_eq!(code, ErrorCode::Expired);
				false
			},
		}
	};
	world.pass(2 * 86_400);
	assert!(is_kept().await, "longer than the settings say");
	// Nobody knows for how long while the chain is away.
	world.pass(2 * 86_400);
	world.chain.set_trouble(Trouble::Away);
	assert!(world.coordinator.prune_some().await.is_err());
	world.chain.set_trouble(Trouble::None);
	assert!(!is_kept().await);
}

#[tokio::test]
async fn a_receipt_says_who_checked_it_and_with_what_figures() {
	let world = World::new().await;
	let issued = settled(&world, Mode::Ordinary).await;
	let receipt = issued.receipt.receipt;
	let shown =
		async || world.coordinator.receipt_by_id(receipt.id(&GENESIS)).await.unwrap().checks;
	assert_eq!(shown().await, []);
	let batch = BatchId { coordinator: world.coordinator.public(), sequence: 0 };
	let mut report = CheckView {
		id: CheckId { batch, verifier: [0xE1; 32], check: 2 },
		voucher: receipt.voucher().unwrap(),
		index: 0,
		miner: receipt.miner.unwrap(),
		model: receipt.model,
		figures: Figures::Exact { equal: true },
		commitment: H256([1; 32]),
		block: H256([2; 32]),
		time_ms: 5,
	};
	world.chain.checks.reports.lock().unwrap().push(report);
	report.voucher.number += 1;
	world.chain.checks.reports.lock().unwrap().push(report);
	let checks = shown().await;
	assert_eq!(checks.len(), 1, "those of this receipt");
	assert_eq!((checks[0].verifier, checks[0].check), (Hex32([0xE1; 32]), 2));
	assert_eq!(checks[0].figures, FiguresInfo::Exact { equal: true });
	world.chain.set_trouble(Trouble::Away);
	assert_eq!(shown().await, [], "a node that is away keeps nobody from a receipt");
}
