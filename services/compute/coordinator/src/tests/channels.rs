//! Requests that channels pay for, from the voucher to the final batch, against a chain in memory that
//! keeps the real rules of channels and batches.

use super::*;
use crate::{StartError, book::Fate, channels::Payment, ledger::Submitted, repair, rows};
use gridproof_chain::pallets::compute_receipts::Refusal as NotAnswered;
use gridproof_compute_api::protocol::{
	BatchStage, ErrorCode, IssuedReceipt, OpenVouchers, RECEIPT_HEADER, SECRET_HEADER, SignedLine,
	TokenIds, VOUCHER_HEADER, VoucherWork, output_root, sampler_seed,
};
use gridproof_primitives::{
	compute::channels::{
		Batch, BatchKind, BatchRefusal, Channel, ChannelId, ChannelReceipt, ChannelSums,
		ChannelTerms, DemandView, HEADERS_PER_MARK, HeaderChain, MinerLine, MinerSums, Mode,
		PaidBy, Placed, ReceiptProof, ReceiptV2, Sampler, Secret, SettlementBatch,
		SettlementHeader, SignedVoucher, Voucher, VoucherId, check_answer, demand, spec_hash,
	},
	crypto::ed25519::PublicKey,
};
use gridproof_store::{Database, Options, StoreError};
use gridproof_support::{Stopper, http_client, text::Amount};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::net::TcpListener;

const KIND: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };
pub(super) const DAY_MS: u64 = 86_400_000;
const AIT: u128 = 1_000_000_000_000_000_000;

/// Channels on the chain in memory.
#[derive(Default)]
pub(super) struct MemoryChannels {
	pub(super) channels: Mutex<BTreeMap<ChannelId, Channel>>,
	/// The accounts that opened them.
	pub(super) clients: Mutex<BTreeMap<ChannelId, [u8; 32]>>,
	header: Mutex<HeaderChain>,
	miners: Mutex<HashMap<(BatchKind, Option<PublicKey>), MinerSums>>,
	settled: Mutex<Vec<SettlementBatch>>,
	/// What the next submission is refused with.
	refusal: Mutex<Option<BatchRefusal>>,
	demands: Mutex<Vec<DemandView>>,
	/// Numbers of the headers of each answer that came, the newest first.
	answers: Mutex<Vec<Vec<u64>>>,
	questions: AtomicU64,
}

impl MemoryChain {
	/// Settles a batch by the rules of the pallet.
	fn settle_now(&self, batch: &SettlementBatch) -> Result<(), BatchRefusal> {
		let chain = &self.channels;
		if let Some(refusal) = *chain.refusal.lock().unwrap() {
			return Err(refusal);
		}
		let now = self.now.load(Ordering::SeqCst);
		let lists = batch.check(&GENESIS)?;
		let next = chain.header.lock().unwrap().next(&batch.header, now, 0)?;
		let mut channels = chain.channels.lock().unwrap().clone();
		for signed in &batch.channels {
			let id = signed.line.channel();
			let channel = channels.get(&id).ok_or(BatchRefusal::UnknownChannel)?;
			let (coordinator, kind) = (&batch.header.coordinator, batch.header.kind);
			let after = channel.settle(coordinator, kind, &signed.line, now, DAY_MS)?;
			channel
				.verify_voucher(&GENESIS, &signed.line.voucher, &signed.signature)
				.map_err(|_| BatchRefusal::BadVoucherSignature)?;
			channels.insert(id, after);
		}
		for one in &batch.given_up {
			if let Some(channel) = channels.get(&one.channel) {
				channel.give_up(&batch.header.coordinator, batch.header.kind, now)?;
			}
		}
		let mut miners = chain.miners.lock().unwrap().clone();
		for signed in &batch.miners {
			let key = (batch.header.kind, signed.line.miner);
			signed.line.check_joins(&miners.get(&key).copied().unwrap_or_default())?;
			if let Some(signature) = &signed.signature {
				signed
					.line
					.verify(&GENESIS, &batch.header.hash(), signature)
					.map_err(|_| BatchRefusal::BadMinerSignature)?;
			}
			miners.insert(key, signed.line.to);
		}
		let given_up = lists.of_given_up().unwrap().1;
		assert_eq!(lists.of_channels().unwrap().1 + given_up, batch.header.sums.price);
		*chain.channels.lock().unwrap() = channels;
		*chain.miners.lock().unwrap() = miners;
		*chain.header.lock().unwrap() = next;
		chain.settled.lock().unwrap().push(batch.clone());
		Ok(())
	}

	pub(super) fn channel_now(&self, id: ChannelId) -> Channel {
		self.channels.channels.lock().unwrap()[&id]
	}

	/// Somebody demands a receipt whose time is over.
	fn demand_now(&self, receipt: ChannelReceipt) -> H256 {
		let id = H256(sp_crypto_hashing::blake2_256(&receipt.coordinator_payload(&GENESIS)));
		let channel = receipt.receipt.voucher().unwrap().channel;
		let settled = self.channel_now(channel).settled;
		let demanded = demand(&receipt, &settled, u64::MAX).unwrap();
		let due_ms = self.now.load(Ordering::SeqCst) + 6 * 3_600_000;
		let view = DemandView { id, receipt, who: CLIENT, demanded, deposit: AIT / 4, due_ms };
		self.channels.demands.lock().unwrap().push(view);
		id
	}

	fn open_demands(&self) -> Vec<H256> {
		self.channels.demands.lock().unwrap().iter().map(|demand| demand.id).collect()
	}

	fn answers(&self) -> Vec<Vec<u64>> {
		self.channels.answers.lock().unwrap().clone()
	}

	/// Takes an answer by the rules of the pallet.
	fn answer_now(
		&self,
		answer: &Placed<ChannelReceipt>,
		headers: &[SettlementHeader],
	) -> Result<(), NotAnswered> {
		let numbers = headers.iter().map(|header| header.sequence).collect();
		self.channels.answers.lock().unwrap().push(numbers);
		let mut demands = self.channels.demands.lock().unwrap();
		let at = demands.iter().position(|demand| demand.receipt == answer.item);
		let at = at.ok_or(NotAnswered::UnknownDemand)?;
		let many: usize = HEADERS_PER_MARK.try_into().unwrap();
		let newest =
			headers.first().filter(|_| headers.len() <= many).ok_or(NotAnswered::UnknownHeader)?;
		// Of each group that is full the chain knows the last header, else its last one.
		let batches = self.batches();
		let group = newest.sequence / u64::from(HEADERS_PER_MARK);
		let mut of_group = batches.iter().map(|batch| batch.header);
		let mark = of_group.find(|header| header.sequence == group * 32 + 31);
		let known = *self.channels.header.lock().unwrap();
		let last_hash = mark.map_or(known.last_hash, |header| header.hash());
		let ends = HeaderChain { last_hash, ..known }.ends_with(headers);
		let header = headers.last().filter(|_| ends).ok_or(NotAnswered::UnknownHeader)?;
		check_answer(&demands[at].receipt, answer, header).map_err(|_| NotAnswered::NotInBatch)?;
		demands.remove(at);
		Ok(())
	}

	pub(super) fn batches(&self) -> Vec<SettlementBatch> {
		self.channels.settled.lock().unwrap().clone()
	}
}

impl ChannelChain for MemoryChain {
	fn day_ms(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
		async { Ok(DAY_MS) }.boxed()
	}

	fn channel(&self, id: ChannelId) -> BoxFuture<'_, Result<Option<Channel>, ChainError>> {
		async move {
			self.check()?;
			self.channels.questions.fetch_add(1, Ordering::SeqCst);
			Ok(self.channels.channels.lock().unwrap().get(&id).copied())
		}
		.boxed()
	}

	fn client(&self, id: ChannelId) -> BoxFuture<'_, Result<Option<[u8; 32]>, ChainError>> {
		async move {
			self.check()?;
			Ok(self.channels.clients.lock().unwrap().get(&id).copied())
		}
		.boxed()
	}

	fn close_channel(&self, id: ChannelId) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			self.check()?;
			let now = self.now.load(Ordering::SeqCst);
			let mut channels = self.channels.channels.lock().unwrap();
			let closing = channels[&id].close(false, now, DAY_MS).unwrap();
			channels.insert(id, closing);
			Ok(())
		}
		.boxed()
	}

	fn return_rests(&self, ids: Vec<ChannelId>) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			self.check()?;
			let now = self.now.load(Ordering::SeqCst);
			for id in ids {
				let gone = self.channels.channels.lock().unwrap().remove(&id).unwrap();
				gone.rest(now).unwrap();
			}
			Ok(())
		}
		.boxed()
	}

	fn header_chain(&self, _: PublicKey) -> BoxFuture<'_, Result<HeaderChain, ChainError>> {
		async move {
			self.check()?;
			Ok(*self.channels.header.lock().unwrap())
		}
		.boxed()
	}

	fn miner_sums(
		&self,
		_: PublicKey,
		kind: BatchKind,
		miner: Option<PublicKey>,
	) -> BoxFuture<'_, Result<MinerSums, ChainError>> {
		async move {
			self.check()?;
			let miners = self.channels.miners.lock().unwrap();
			Ok(miners.get(&(kind, miner)).copied().unwrap_or_default())
		}
		.boxed()
	}

	fn settle_batch(&self, batch: SettlementBatch) -> BoxFuture<'_, Result<Submitted, ChainError>> {
		async move {
			self.check()?;
			let settled = self.settle_now(&batch);
			match (settled, self.trouble()) {
				(Err(refusal), _) => Ok(Submitted::Refused(refusal)),
				(Ok(()), Trouble::Unheard) => Err(outage("the connection broke")),
				(Ok(()), _) => Ok(Submitted::Settled(BLOCK)),
			}
		}
		.boxed()
	}

	fn demands(
		&self,
		_: PublicKey,
		limit: u32,
	) -> BoxFuture<'_, Result<Vec<DemandView>, ChainError>> {
		async move {
			self.check()?;
			let open = self.channels.demands.lock().unwrap().clone();
			Ok(open.into_iter().take(limit.try_into().unwrap()).collect())
		}
		.boxed()
	}

	fn answer_demand(
		&self,
		_: PublicKey,
		answer: Placed<ChannelReceipt>,
		headers: Vec<SettlementHeader>,
	) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			self.check()?;
			let taken = self.answer_now(&answer, &headers);
			taken.map_err(|why| ChainError::Refused(why.into()))
		}
		.boxed()
	}
}

/// A client with the key of a channel.
pub(super) struct Payer {
	channel: ChannelId,
	key: SealedKey,
	number: u64,
}

/// A request of a client, ready to be sent.
#[derive(Clone)]
pub(super) struct Asked {
	voucher: SignedVoucher,
	secret: Secret,
	body: Vec<u8>,
}

impl Asked {
	pub(super) fn payment(&self) -> Payment {
		let Self { voucher, secret, body } = self.clone();
		Payment { voucher, secret, body: body.into() }
	}

	fn id(&self) -> H256 {
		self.voucher.voucher.seed(&GENESIS)
	}
}

impl Payer {
	/// Opens a channel on the chain in memory.
	pub(super) fn opens(
		world: &World,
		channel: ChannelId,
		deposit: u128,
		daily_limit: u128,
	) -> Self {
		Self::opens_of(world, channel, KIND, deposit, daily_limit)
	}

	/// The same, of a kind.
	pub(super) fn opens_of(
		world: &World,
		channel: ChannelId,
		kind: BatchKind,
		deposit: u128,
		daily_limit: u128,
	) -> Self {
		let byte = u8::try_from(channel).unwrap();
		let key = SealedKey::from_seed(Zeroizing::new([byte; 32]), None, None);
		let terms = ChannelTerms {
			coordinator: world.coordinator.public(),
			kind,
			signer: Some(*key.public()),
			deposit,
			daily_limit,
			plan_ends_ms: None,
		};
		let opened = Channel::open(&terms).unwrap();
		world.chain.channels.channels.lock().unwrap().insert(channel, opened);
		Self { channel, key, number: 0 }
	}

	/// Signs a voucher of the next number, for a request with this text.
	pub(super) fn signs(&mut self, amount: u128, text: &str) -> Asked {
		self.number += 1;
		let body = text.as_bytes().to_vec();
		let secret = [7; 32];
		let voucher = Voucher {
			channel: self.channel,
			number: self.number,
			amount,
			spec_hash: spec_hash(&secret, &body),
		};
		let signature = self.key.sign(&voucher.signing_payload(&GENESIS));
		Asked { voucher: SignedVoucher { voucher, signature }, secret, body }
	}
}

impl World {
	pub(super) async fn admit(&self, asked: &Asked) -> Result<H256, ErrorCode> {
		self.admit_spec(spec(), asked).await
	}

	pub(super) async fn admit_spec(&self, spec: JobSpec, asked: &Asked) -> Result<H256, ErrorCode> {
		let admitted = self.coordinator.admit(spec, asked.payment(), false).await;
		admitted.map(|admitted| admitted.id).map_err(|error| error.code)
	}

	/// The receipt that a request was answered with.
	pub(super) fn issued(&self, id: H256) -> IssuedReceipt {
		match self.coordinator.book.fate(&id) {
			Some(Fate::Done(done)) => done.issued,
			other => panic!("{other:?}"),
		}
	}

	/// Makes a batch of all that is due and sends it.
	pub(super) async fn settle_channels(&self) {
		self.pass(61);
		self.coordinator.settle_channels().await.unwrap();
	}
}

/// The work that a miner was given.
pub(super) fn request_of(work: Work) -> VoucherWork {
	match work {
		Work::Voucher(work) => work,
		Work::Job(_) => panic!("a job"),
	}
}

impl Miner {
	pub(super) async fn asks_request(
		&self,
		world: &World,
		session: &Session,
	) -> Option<VoucherWork> {
		self.asks_any(world, session).await.map(request_of)
	}

	pub(super) fn receipt_v2(
		&self,
		work: &VoucherWork,
		output: &Output,
		tokens: &TokenIds,
	) -> ReceiptV2 {
		let voucher = SignedVoucher::decode_all(&mut &work.voucher.0[..]).unwrap().voucher;
		let weight = compute_units(output.tokens(), work.model_factor);
		ReceiptV2 {
			paid_by: PaidBy::Voucher(voucher.id()),
			miner: Some(*self.key.public()),
			model: work.model.into(),
			spec_hash: voucher.spec_hash,
			output_root: output_root(&work.spec, tokens, &work.secret.0).unwrap(),
			weight,
			price: price_of(weight, work.unit_price.0, work.highest.0),
			sampler: Sampler::Greedy,
			telemetry: Telemetry {
				input_tokens: u32::try_from(output.prompt_tokens).unwrap(),
				output_tokens: u32::try_from(output.completion_tokens).unwrap(),
				duration_ms: 1_000,
				memory_mb: 10,
			},
			settle_by_ms: work.settle_by_ms,
		}
	}

	pub(super) fn signs_v2(
		&self,
		attempt: u32,
		output: Output,
		tokens: TokenIds,
		receipt: &ReceiptV2,
	) -> JobResult {
		let payload = receipt.signing_payload(&GENESIS, Signer::Miner);
		JobResult {
			attempt,
			output,
			receipt: HexBytes(receipt.encode()),
			signature: Hex64(self.key.sign(&payload)),
			tokens: Some(tokens),
		}
	}

	pub(super) fn does_request(&self, work: &VoucherWork) -> JobResult {
		let output = output("there was");
		let tokens = TokenIds { prompt: vec![1; 5], output: vec![2; 3] };
		let receipt = self.receipt_v2(work, &output, &tokens);
		self.signs_v2(work.attempt, output, tokens, &receipt)
	}

	/// Takes a request and does it.
	pub(super) async fn serves(&self, world: &World, session: &Session) -> IssuedReceipt {
		let work = self.asks_request(world, session).await.unwrap();
		let result = self.does_request(&work);
		let id = work.work.into();
		let accepted = world.coordinator.result(session, id, &result).await.unwrap();
		IssuedReceipt::decode_all(&mut &accepted.issued.unwrap().0[..]).unwrap()
	}
}

/// Price of the answer that miners give: eight tokens of a model of factor 0.5.
fn price(world: &World) -> u128 {
	let factor = world.coordinator.settings.model(MODEL).unwrap().factor();
	u128::from(compute_units(8, factor)) * 1_000_000_000_000
}

#[tokio::test]
async fn a_request_is_paid_by_a_voucher_from_admission_to_a_final_batch() {
	let world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	let asked = payer.signs(AIT / 10, "Once");
	let id = world.admit(&asked).await.unwrap();
	assert_eq!(id, asked.id());
	let work = miner.asks_request(&world, &session).await.unwrap();
	assert_eq!(work.spec.sampling.seed, sampler_seed(&asked.voucher.voucher, &GENESIS));
	let result = miner.does_request(&work);
	let accepted = world.coordinator.result(&session, id, &result).await.unwrap();
	let again = world.coordinator.result(&session, id, &result).await.unwrap();
	assert!(!accepted.repeated && again.repeated);
	assert_eq!((again.receipt_id, &again.issued), (accepted.receipt_id, &accepted.issued));
	let issued = world.issued(id);
	let (receipt, coordinator) = (issued.receipt, world.coordinator.public());
	receipt.verify_coordinator(&GENESIS, &coordinator, &issued.coordinator_signature).unwrap();
	receipt.receipt.verify_miner(&GENESIS, &issued.miner_signature.unwrap()).unwrap();
	assert_eq!(receipt.receipt.price, price(&world));
	assert_eq!((receipt.sums.channel.count, receipt.sums.channel.price), (1, price(&world)));
	assert!(world.chain.batches().is_empty(), "nothing of it is on chain");
	world.settle_channels().await;
	assert_eq!(world.chain.channel_now(7).settled, receipt.sums.channel);
	let shown = world.coordinator.receipt_by_id(H256::from(accepted.receipt_id)).await.unwrap();
	assert_eq!((shown.batch, shown.stage), (Some(0), Some(BatchStage::Final)));
	let header = SettlementHeader::decode_all(&mut &shown.header.unwrap().0[..]).unwrap();
	let proof = ReceiptProof::decode_all(&mut &shown.proof.unwrap().0[..]).unwrap();
	proof.verify(&header).unwrap();
	assert_eq!(proof.receipt.item, receipt);
	let file = world.coordinator.batch_file(0).await.unwrap();
	let cid = gridproof_primitives::codec::cid::Cid::of(&file);
	assert_eq!(header.cid, Some(cid));
	let published = world.coordinator.batch_info(0).await.unwrap();
	header.verify(&GENESIS, &published.signature.0).unwrap();
	let receipts = Vec::<ChannelReceipt>::decode_all(&mut &file[..]).unwrap();
	let lists = DecodeAll::decode_all(&mut &published.lists.0[..]).unwrap();
	Batch::audit(&header, &lists, receipts).unwrap();
}

#[tokio::test]
async fn the_request_path_asks_the_chain_once_for_a_channel() {
	let world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	for _ in 0..5 {
		world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
		miner.serves(&world, &session).await;
	}
	assert_eq!(world.chain.channels.questions.load(Ordering::SeqCst), 1);
	world.chain.set_trouble(Trouble::Away);
	world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
	miner.serves(&world, &session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_requests_at_once_on_one_channel_join_on_to_each_other() {
	let world = Arc::new(World::new().await);
	let mut payer = Payer::opens(&world, 7, AIT, AIT);
	let mut asked: Vec<Asked> = (0..50).map(|_| payer.signs(AIT / 2, "Once")).collect();
	// They come in another order than that in which they were signed.
	asked.reverse();
	let miners = [1, 2, 3].map(|byte| {
		let world = world.clone();
		tokio::spawn(async move {
			let miner = world.miner(byte);
			let session = miner.session(&world).await;
			let mut done = 0u32;
			while done < 100 {
				let taken = world.coordinator.take(&session, Duration::from_millis(400));
				let given = async {
					tokio::time::sleep(Duration::from_millis(2)).await;
					world.coordinator.give_out().await.unwrap();
				};
				let (taken, ()) = tokio::join!(taken, given);
				let Some(work) = taken.unwrap() else {
					done += 10;
					continue;
				};
				let work = request_of(work);
				let result = miner.does_request(&work);
				world.coordinator.result(&session, work.work.into(), &result).await.unwrap();
			}
		})
	});
	// A session first: without a miner no model is served.
	let _session = world.miner(1).session(&world).await;
	let admitting = asked.iter().map(|one| world.admit(one));
	let admitted = futures::future::join_all(admitting).await;
	assert!(admitted.iter().all(Result::is_ok), "{admitted:?}");
	for miner in miners {
		miner.await.unwrap();
	}
	let mut issued: Vec<IssuedReceipt> = asked.iter().map(|one| world.issued(one.id())).collect();
	issued.sort_by_key(|one| one.receipt.sums.channel.count);
	let mut before = ChannelSums::default();
	for (one, count) in issued.iter().zip(1u64..) {
		assert_eq!(one.receipt.sums.channel.count, count);
		assert_eq!(one.receipt.channel_before(), Some(before));
		before = one.receipt.sums.channel;
	}
	let info = world.coordinator.channel_info(7).await.unwrap();
	assert_eq!((info.receipts, info.open, info.newest), (50, Amount(0), 50));
	assert_eq!(info.spent.0, 50 * price(&world));
	world.settle_channels().await;
	assert_eq!(world.chain.channel_now(7).settled, before);
	let paid: u128 = world.chain.channels.miners.lock().unwrap().values().map(|s| s.price).sum();
	assert_eq!(paid, before.price);
}

#[tokio::test]
async fn every_lie_of_a_client_is_refused_by_its_name() {
	let world = World::new().await;
	let _session = world.miner(1).session(&world).await;
	let mut payer = Payer::opens(&world, 7, AIT / 1_000, AIT);
	let mut limited = Payer::opens(&world, 8, AIT, 1_000);
	let good = payer.signs(AIT / 1_000, "Once");
	let stranger = Payer::opens(&world, 9, AIT, AIT);
	let mut forged = good.clone();
	forged.voucher.signature = stranger.key.sign(&good.voucher.voucher.signing_payload(&GENESIS));
	assert_eq!(world.admit(&forged).await, Err(ErrorCode::BadSignature));
	let other = Asked { body: b"Another request".to_vec(), ..good.clone() };
	assert_eq!(world.admit(&other).await, Err(ErrorCode::BadVoucher));
	let low = Payer { number: 0, ..Payer::opens(&world, 10, AIT, AIT) }.signs(1, "Once");
	assert_eq!(world.admit(&low).await, Err(ErrorCode::BadVoucher), "its amount is too low");
	let unknown = Payer { channel: 99, ..Payer::opens(&world, 11, AIT, AIT) }.signs(AIT, "Once");
	assert_eq!(world.admit(&unknown).await, Err(ErrorCode::UnknownChannel));
	assert_eq!(world.admit(&limited.signs(AIT, "Once")).await, Err(ErrorCode::ChannelDry));
	let id = world.admit(&good).await.unwrap();
	// The same voucher for the same request is the same request.
	assert_eq!(world.admit(&good).await, Ok(id));
	let mut twice = Payer { number: 0, ..Payer::opens(&world, 12, AIT, AIT) };
	twice.channel = 7;
	twice.key = payer.key;
	let twice = twice.signs(AIT / 1_000, "Twice");
	assert_eq!(world.admit(&twice).await, Err(ErrorCode::BadVoucher), "one number, two requests");
}

#[tokio::test]
async fn a_voucher_that_is_worked_for_cannot_be_closed_with_another_of_its_number() {
	let world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	let asked = payer.signs(AIT / 10, "Once");
	world.admit(&asked).await.unwrap();
	payer.number = 0;
	let other = payer.signs(AIT / 10, "Another");
	let close = |asked: &Asked| OpenVouchers { vouchers: vec![HexBytes(asked.voucher.encode())] };
	for one in [&asked, &other] {
		let closed = world.coordinator.close_vouchers(7, &close(one)).await.unwrap();
		assert_eq!(closed.receipts, [None]);
	}
	let issued = miner.serves(&world, &session).await;
	assert_eq!(issued.receipt.receipt.price, price(&world));
	let closed = world.coordinator.close_vouchers(7, &close(&asked)).await.unwrap();
	let known = IssuedReceipt::decode_all(&mut &closed.receipts[0].as_ref().unwrap().0[..]);
	assert_eq!(known.unwrap(), issued, "it has its receipt");
}

#[tokio::test]
async fn every_lie_of_a_miner_is_refused_and_another_does_the_work() {
	type Spoil = fn(&mut Output, &mut TokenIds, &mut ReceiptV2);
	let lies: [(Spoil, ErrorCode); 9] = [
		(|_, _, r| r.price += 1, ErrorCode::Mismatch),
		(|_, _, r| r.weight += 1, ErrorCode::Mismatch),
		(|_, _, r| r.output_root = H256([1; 32]), ErrorCode::Mismatch),
		(|_, tokens, _| tokens.output.push(9), ErrorCode::Mismatch),
		(
			|_, _, r| r.paid_by = PaidBy::Voucher(VoucherId { channel: 7, number: 2 }),
			ErrorCode::Mismatch,
		),
		(|_, _, r| r.settle_by_ms += 1, ErrorCode::Mismatch),
		(|_, _, r| r.sampler = Sampler::Gumbel, ErrorCode::Mismatch),
		(|_, _, r| r.miner = Some([9; 32]), ErrorCode::Mismatch),
		(|_, _, r| r.telemetry.duration_ms = u64::MAX, ErrorCode::Implausible),
	];
	for (lie, code) in lies {
		let world = World::new().await;
		let (liar, honest) = (world.miner(1), world.miner(2));
		let mut payer = Payer::opens(&world, 7, AIT, AIT);
		let session = liar.session(&world).await;
		let id = world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
		let work = liar.asks_request(&world, &session).await.unwrap();
		let mut output = output("there was");
		let mut tokens = TokenIds { prompt: vec![1; 5], output: vec![2; 3] };
		let mut receipt = liar.receipt_v2(&work, &output, &tokens);
		lie(&mut output, &mut tokens, &mut receipt);
		let result = liar.signs_v2(work.attempt, output, tokens, &receipt);
		let refused = world.coordinator.result(&session, id, &result).await.unwrap_err();
		assert_eq!(refused.code, code, "{}", refused.message);
		let session = honest.session(&world).await;
		let issued = honest.serves(&world, &session).await;
		assert_eq!(issued.receipt.sums.channel.count, 1);
		assert_eq!(issued.receipt.receipt.miner, Some(*honest.key.public()));
	}
}

#[tokio::test]
async fn an_answer_that_is_empty_or_never_came_costs_nothing() {
	let world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	let empty = world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
	let work = miner.asks_request(&world, &session).await.unwrap();
	let nothing = Output { completion_tokens: 1, ..output("") };
	let tokens = TokenIds::default();
	let receipt = miner.receipt_v2(&work, &nothing, &tokens);
	let result = miner.signs_v2(work.attempt, nothing, tokens, &receipt);
	let refused = world.coordinator.result(&session, empty, &result).await.unwrap_err();
	assert_eq!(refused.code, ErrorCode::Implausible);
	let left = world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
	world.coordinator.abandon(left).await.unwrap();
	let has_ended = |id| matches!(world.coordinator.book.fate(&id), Some(Fate::Ended(_)));
	assert!(has_ended(empty) && has_ended(left));
	let late = world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
	world.pass(121);
	world.coordinator.sweep().await.unwrap();
	assert!(has_ended(late), "no miner took it");
	let info = world.coordinator.channel_info(7).await.unwrap();
	assert_eq!((info.receipts, info.newest), (3, 3));
	assert_eq!((info.spent.0, info.open.0), (0, 0));
	let shown = world.coordinator.receipt_of_voucher(7, 2).await.unwrap();
	let issued = IssuedReceipt::decode_all(&mut &shown.issued.0[..]).unwrap();
	assert_eq!((issued.receipt.receipt.miner, issued.miner_signature), (None, None));
	world.settle_channels().await;
	assert_eq!(world.chain.channel_now(7).settled.count, 3);
}

#[tokio::test]
async fn a_client_that_leaves_while_a_miner_works_pays_for_the_work() {
	let world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	let id = world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
	let work = miner.asks_request(&world, &session).await.unwrap();
	world.coordinator.abandon(id).await.unwrap();
	let result = miner.does_request(&work);
	world.coordinator.result(&session, id, &result).await.unwrap();
	assert_eq!(world.issued(id).receipt.receipt.price, price(&world));
}

/// Where the coordinator is killed.
const STEPS: [&str; 6] = ["admitted", "assigned", "answered", "made", "sent", "settled"];

#[tokio::test]
async fn killed_at_any_step_its_client_owes_receipts_only_and_nothing_settles_twice() {
	for step in STEPS {
		let mut world = World::new().await;
		let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
		let mut session = miner.session(&world).await;
		let first = payer.signs(AIT / 10, "First");
		let id = world.admit(&first).await.unwrap();
		let mut work = None;
		if step != "admitted" {
			work = miner.asks_request(&world, &session).await;
		}
		if ["admitted", "assigned"].contains(&step) {
			world.crash().await;
			session = miner.session(&world).await;
			if let Some(work) = &work {
				let result = miner.does_request(work);
				let gone = world.coordinator.result(&session, id, &result).await.unwrap_err();
				assert_eq!(gone.code, ErrorCode::UnknownJob);
			}
			// The next number waits for the one that the crash forgot; its client has that closed.
			let open = OpenVouchers { vouchers: vec![HexBytes(first.voucher.encode())] };
			let closed = world.coordinator.close_vouchers(7, &open).await.unwrap();
			let issued = &closed.receipts[0].as_ref().unwrap().0;
			let issued = IssuedReceipt::decode_all(&mut &issued[..]).unwrap();
			assert_eq!((issued.receipt.receipt.price, issued.miner_signature), (0, None));
		} else {
			let result = miner.does_request(&work.unwrap());
			world.coordinator.result(&session, id, &result).await.unwrap();
		}
		let owed = if ["admitted", "assigned"].contains(&step) { 0 } else { price(&world) };
		if step == "answered" {
			world.crash().await;
			session = miner.session(&world).await;
			let again = world.admit(&first).await.unwrap();
			assert_eq!(world.issued(again).receipt.sums.channel.price, owed, "the same answer");
		}
		world.pass(61);
		if step == "made" {
			world.coordinator.make_batch(KIND).await.unwrap().unwrap();
			world.crash().await;
		}
		if step == "sent" {
			// It is on chain, but the coordinator died before it could note that.
			world.chain.set_trouble(Trouble::Unheard);
			let batch = world.coordinator.make_batch(KIND).await.unwrap().unwrap();
			let _ = world.coordinator.send_batch(batch).await;
			world.chain.set_trouble(Trouble::None);
			world.crash().await;
		}
		world.coordinator.settle_channels().await.unwrap();
		if step == "settled" {
			world.crash().await;
			world.coordinator.settle_channels().await.unwrap();
		}
		assert_eq!(world.chain.batches().len(), 1, "{step}");
		assert_eq!(world.chain.channel_now(7).settled.price, owed, "{step}");
		// And it continues from there.
		if ["made", "sent", "settled"].contains(&step) {
			session = miner.session(&world).await;
		}
		world.admit(&payer.signs(AIT / 10, "Second")).await.unwrap();
		let issued = miner.serves(&world, &session).await;
		assert_eq!(issued.receipt.sums.channel.count, 2, "{step}");
		world.settle_channels().await;
		assert_eq!(world.chain.channel_now(7).settled, issued.receipt.sums.channel, "{step}");
		let batches = world.chain.batches();
		assert_eq!(batches[1].header.previous, batches[0].header.hash(), "{step}");
	}
}

#[tokio::test]
async fn a_refusal_that_time_can_change_has_the_same_batch_sent_again() {
	let world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
	miner.serves(&world, &session).await;
	world.pass(61);
	let refuse = |refusal| *world.chain.channels.refusal.lock().unwrap() = refusal;
	refuse(Some(BatchRefusal::TooSoon));
	assert!(world.coordinator.settle_channels().await.is_err());
	let made = world.coordinator.batch_info(0).await.unwrap();
	assert_eq!(made.stage, BatchStage::Made);
	refuse(None);
	world.coordinator.settle_channels().await.unwrap();
	let settled = world.coordinator.batch_info(0).await.unwrap();
	assert_eq!((settled.stage, settled.header), (BatchStage::Final, made.header));
}

#[tokio::test]
async fn a_refusal_for_good_is_told_and_its_operator_rebuilds_it_with_another_number() {
	let world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
	miner.serves(&world, &session).await;
	world.pass(61);
	*world.chain.channels.refusal.lock().unwrap() = Some(BatchRefusal::UnknownMiner);
	world.coordinator.settle_channels().await.unwrap();
	let refused = world.coordinator.batch_info(0).await.unwrap();
	assert_eq!(refused.stage, BatchStage::Refused);
	assert_eq!(refused.reason.as_deref(), Some("unknown_miner"));
	let refused_header = refused.header;
	*world.chain.channels.refusal.lock().unwrap() = None;
	world.admit(&payer.signs(AIT / 10, "Twice")).await.unwrap();
	let issued = miner.serves(&world, &session).await;
	world.pass(61);
	let error = world.coordinator.settle_channels().await.unwrap_err();
	for said in ["batch 0", "unknown_miner", "1970-01-12", "gridproof coordinator batches"] {
		assert!(error.message.contains(said), "{}", error.message);
	}
	assert!(world.chain.batches().is_empty());
	let refused = world.coordinator.refused_batch().await.unwrap().unwrap();
	assert_eq!((refused.sequence, refused.message), (0, error.message));
	drop((session, miner));
	// Not while it runs.
	let folder = world.folder.path().to_path_buf();
	assert!(repair::batches(&folder, 9).await.is_err());
	let mut world = world;
	world.stop().await;
	let listed = repair::batches(&folder, 9).await.unwrap();
	let [batch] = &listed[..] else { panic!("{listed:?}") };
	assert!(batch.is_waiting && batch.advice.unwrap().contains("registered"));
	assert_eq!((batch.stage, batch.receipts), ("refused", 1));
	let unknown = repair::rebuild(&folder, 1).await.unwrap_err();
	assert!(matches!(unknown, repair::RebuildError::Unknown(1)));
	repair::rebuild(&folder, 0).await.unwrap();
	let again = repair::rebuild(&folder, 0).await.unwrap_err();
	assert!(matches!(again, repair::RebuildError::NothingWaits(0)));
	world.start().await;
	assert_eq!(world.coordinator.refused_batch().await.unwrap(), None);
	world.coordinator.settle_channels().await.unwrap();
	let batches = world.chain.batches();
	assert_eq!((batches.len(), batches[0].header.sequence), (1, 1), "no number is signed twice");
	assert_eq!(batches[0].header.previous, H256::zero());
	assert_eq!(world.chain.channel_now(7).settled, issued.receipt.sums.channel);
	let kept = world.coordinator.batch_info(0).await.unwrap();
	assert_eq!((kept.stage, kept.header), (BatchStage::Refused, refused_header));
	world.stop().await;
	let settled = repair::rebuild(&folder, 1).await.unwrap_err();
	assert!(matches!(settled, repair::RebuildError::NotRefused { sequence: 1, stage: "final" }));
	assert!(matches!(
		repair::batches(&folder.join("nowhere"), 9).await,
		Err(StartError::NoDatabase { .. })
	));
}

#[tokio::test]
async fn a_batch_whose_number_the_chain_has_another_header_of_is_not_rebuilt() {
	let mut world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
	miner.serves(&world, &session).await;
	world.pass(61);
	world.coordinator.make_batch(KIND).await.unwrap().unwrap();
	let other = HeaderChain { next_sequence: 1, last_hash: H256([9; 32]), ..Default::default() };
	*world.chain.channels.header.lock().unwrap() = other;
	world.coordinator.settle_channels().await.unwrap();
	drop((session, miner));
	world.stop().await;
	let folder = world.folder.path().to_path_buf();
	let refused = repair::rebuild(&folder, 0).await.unwrap_err();
	assert!(matches!(refused, repair::RebuildError::OtherHeader(0)));
	let listed = repair::batches(&folder, 9).await.unwrap();
	assert!(listed[0].advice.unwrap().contains("older than the chain"));
}

/// Ends a channel while its coordinator is away, and takes its row away if that is wanted.
fn ends(world: &World, channel: ChannelId, is_gone: bool) {
	let mut channels = world.chain.channels.channels.lock().unwrap();
	let now = world.chain.now.load(Ordering::SeqCst);
	let closed = channels[&channel].close(true, now, DAY_MS).unwrap();
	channels.insert(channel, closed);
	drop(channels);
	world.pass(2 * 86_400);
	if is_gone {
		world.chain.channels.channels.lock().unwrap().remove(&channel);
	}
}

#[tokio::test]
async fn a_channel_that_ends_during_an_absence_is_given_up_and_settlement_continues() {
	for is_gone in [false, true] {
		let mut world = World::new().await;
		let mut payers = [7, 8].map(|id| Payer::opens(&world, id, AIT, AIT));
		let miner = world.miner(1);
		let session = miner.session(&world).await;
		for of in [0, 1, 0, 0, 1] {
			world.admit(&payers[of].signs(AIT / 2, "Once")).await.unwrap();
			miner.serves(&world, &session).await;
		}
		world.stop().await;
		ends(&world, 7, is_gone);
		world.start().await;
		world.settle_channels().await;
		let batch = &world.chain.batches()[0];
		let ranges: Vec<_> =
			batch.given_up.iter().map(|one| (one.channel, one.line.receipts())).collect();
		assert_eq!(ranges, [(7, Some(1)), (7, Some(2))]);
		assert_eq!((batch.channels.len(), batch.header.miners), (1, 3));
		assert_eq!(world.chain.channel_now(8).settled.price, 2 * price(&world));
		assert_eq!(world.coordinator.metrics.given_up.get(), 3);
		let shown = world.coordinator.receipt_of_voucher(7, 1).await.unwrap();
		assert!(shown.proof.is_none() && shown.given_up.is_some());
		let shown = world.coordinator.receipt_of_voucher(8, 1).await.unwrap();
		assert!(shown.proof.is_some() && shown.given_up.is_none());
		// And it continues behind it.
		let session = miner.session(&world).await;
		world.admit(&payers[1].signs(AIT / 2, "Once more")).await.unwrap();
		let issued = miner.serves(&world, &session).await;
		world.settle_channels().await;
		assert_eq!(world.chain.channel_now(8).settled, issued.receipt.sums.channel);
		assert!(world.chain.batches()[1].given_up.is_empty());
	}
}

#[tokio::test]
async fn a_batch_that_comes_after_its_channel_has_ended_is_rebuilt_with_another_number() {
	for is_gone in [false, true] {
		let mut world = World::new().await;
		let mut payers = [7, 8].map(|id| Payer::opens(&world, id, AIT, AIT));
		let miner = world.miner(1);
		let session = miner.session(&world).await;
		for of in [0, 1] {
			world.admit(&payers[of].signs(AIT / 2, "Once")).await.unwrap();
			miner.serves(&world, &session).await;
		}
		world.pass(61);
		world.coordinator.make_batch(KIND).await.unwrap().unwrap();
		world.stop().await;
		ends(&world, 7, is_gone);
		world.start().await;
		for _ in 0..2 {
			world.coordinator.settle_channels().await.unwrap();
		}
		let first = world.coordinator.batch_info(0).await.unwrap();
		assert_eq!(first.stage, BatchStage::Refused);
		let batches = world.chain.batches();
		assert_eq!((batches.len(), batches[0].header.sequence), (1, 1));
		assert_eq!(world.chain.channel_now(8).settled.price, price(&world));
		// What is demanded is shown by the header that the chain has.
		let shown = world.coordinator.receipt_of_voucher(8, 1).await.unwrap();
		let receipt = IssuedReceipt::decode_all(&mut &shown.issued.0[..]).unwrap().receipt;
		world.chain.demand_now(receipt);
		assert!(!world.coordinator.answer_demands().await.unwrap());
		assert_eq!(world.chain.answers(), [[1]]);
	}
}

#[tokio::test]
async fn a_node_that_is_behind_gives_no_channel_up() {
	let world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
	miner.serves(&world, &session).await;
	world.pass(61);
	let channel = world.chain.channels.channels.lock().unwrap().remove(&7).unwrap();
	let error = world.coordinator.settle_channels().await.unwrap_err();
	assert_eq!(error.code, ErrorCode::ChainUnavailable);
	world.chain.channels.channels.lock().unwrap().insert(7, channel);
	world.coordinator.settle_channels().await.unwrap();
	assert!(world.chain.batches()[0].given_up.is_empty());
}

#[tokio::test]
async fn settled_receipts_go_into_the_archive_once_nobody_can_demand_them() {
	let folder = tempfile::tempdir().unwrap();
	let archive = Some(folder.path().join("archive"));
	let retain = crate::Retain { texts_days: 1, jobs_days: 1, archive };
	let settings = Settings { retain, session_seconds: 1 << 30, ..Settings::default() };
	let world = World::with(settings, None).await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	for _ in 0..2 {
		world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
		miner.serves(&world, &session).await;
		world.settle_channels().await;
	}
	let unsettled = payer.signs(AIT / 10, "Later");
	world.admit(&unsettled).await.unwrap();
	miner.serves(&world, &session).await;
	// Whatever the settings say: a week and three weeks, and the time that receipts promise.
	world.pass(28 * 86_400);
	while world.coordinator.prune_some().await.unwrap() {}
	assert!(world.coordinator.receipt_of_voucher(7, 1).await.is_ok());
	world.pass(3_600);
	while world.coordinator.prune_some().await.unwrap() {}
	let gone = world.coordinator.receipt_of_voucher(7, 1).await.unwrap_err();
	assert_eq!(gone.code, ErrorCode::UnknownJob);
	assert!(world.coordinator.batch_info(0).await.is_err());
	// The newest batch stays with its receipts, and so does what is not settled.
	assert!(world.coordinator.receipt_of_voucher(7, 2).await.unwrap().proof.is_some());
	assert!(world.coordinator.receipt_of_voucher(7, 3).await.is_ok());
	assert_eq!(world.coordinator.metrics.pruned_receipts.get(), 1);
	let read = |what: &str| {
		let file = folder.path().join(format!("archive/{what}-1970-02.jsonl"));
		let text = std::fs::read_to_string(file).unwrap();
		serde_json::from_str::<Value>(text.trim_end()).unwrap()
	};
	let (receipt, batch) = (read("channel-receipts"), read("batches"));
	assert_eq!((&receipt["channel"], &receipt["voucher"]), (&json!(7), &json!(1)));
	assert_eq!((&batch["batch"], &batch["stage"]), (&json!(0), &json!("final")));
	let header: HexBytes = serde_json::from_value(batch["header"].clone()).unwrap();
	let header = SettlementHeader::decode_all(&mut &header.0[..]).unwrap();
	let bytes: HexBytes = serde_json::from_value(receipt["receipt"].clone()).unwrap();
	let kept = ChannelReceipt::decode_all(&mut &bytes.0[..]).unwrap();
	let lists: HexBytes = serde_json::from_value(batch["lists"].clone()).unwrap();
	let lists = DecodeAll::decode_all(&mut &lists.0[..]).unwrap();
	Batch::audit(&header, &lists, vec![kept]).unwrap();
	world.settle_channels().await;
	assert_eq!(world.chain.channel_now(7).settled.count, 3);
}

#[tokio::test]
async fn a_batch_has_the_signatures_of_miners_that_give_them_in_time_and_pays_all() {
	let mut settings = Settings::default();
	settings.channels.line_seconds = 1;
	let world = World::with(settings, None).await;
	let mut payer = Payer::opens(&world, 7, AIT, AIT);
	let (quick, silent) = (world.miner(1), world.miner(2));
	for miner in [&quick, &silent] {
		let session = miner.session(&world).await;
		world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
		miner.serves(&world, &session).await;
		world.coordinator.goodbye(&session).await.unwrap();
	}
	world.pass(61);
	let signing = async {
		let public = *quick.key.public();
		let asked = world.coordinator.lines(&public, Duration::from_secs(5)).await;
		let header = SettlementHeader::decode_all(&mut &asked.lines[0].header.0[..]).unwrap();
		let line = MinerLine::decode_all(&mut &asked.lines[0].line.0[..]).unwrap();
		let payload = line.signing_payload(&GENESIS, &header.hash());
		let signature = Hex64(quick.key.sign(&payload));
		let signed = SignedLine { sequence: header.sequence, signature };
		let other = world.coordinator.sign_line(silent.key.public(), &signed);
		assert_eq!(other.unwrap_err().code, ErrorCode::BadSignature);
		world.coordinator.sign_line(&public, &signed).unwrap();
		let again = world.coordinator.sign_line(&public, &signed);
		assert_eq!(again.unwrap_err().code, ErrorCode::UnknownBatch);
	};
	let (settled, ()) = tokio::join!(world.coordinator.settle_channels(), signing);
	settled.unwrap();
	let batch = &world.chain.batches()[0];
	let signed: Vec<_> = batch.miners.iter().filter(|line| line.signature.is_some()).collect();
	assert_eq!(signed.len(), 1);
	assert_eq!(signed[0].line.miner, Some(*quick.key.public()));
	assert_eq!(batch.miners.len(), 2);
	assert_eq!(batch.header.sums.price, 2 * price(&world));
}

#[tokio::test]
async fn a_channel_that_was_topped_up_or_closed_is_noticed() {
	let world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, 1_000, AIT));
	let session = miner.session(&world).await;
	let asked = payer.signs(AIT, "Once");
	assert_eq!(world.admit(&asked).await, Err(ErrorCode::ChannelDry));
	let change = |change: fn(Channel) -> Channel| {
		let mut channels = world.chain.channels.channels.lock().unwrap();
		let channel = channels[&7];
		channels.insert(7, change(channel));
	};
	change(|channel| channel.top_up(AIT).unwrap());
	world.pass(2);
	world.admit(&asked).await.unwrap();
	miner.serves(&world, &session).await;
	change(|channel| channel.close(true, 0, DAY_MS).unwrap());
	world.coordinator.follow_channels().await.unwrap();
	let asked = payer.signs(AIT, "Once");
	assert_eq!(world.admit(&asked).await, Err(ErrorCode::BadVoucher), "it is being closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voucher_takes_the_place_of_an_api_key_and_the_receipt_comes_with_the_answer() {
	for is_streamed in [false, true] {
		let world = Arc::new(World::new().await);
		let mut payer = Payer::opens(&world, 7, AIT, AIT);
		let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let stopper = Stopper::new();
		let router = Server::new(world.coordinator.clone()).router();
		let serving = gridproof_http::serve_on(router, listener, stopper.signal()).unwrap();
		let url = format!("http://{}", serving.address());
		let miner = world.miner(1);
		let session = miner.session(&world).await;
		let working = {
			let world = world.clone();
			tokio::spawn(async move {
				let mut taking =
					std::pin::pin!(world.coordinator.take(&session, Duration::from_secs(20)));
				let taken = loop {
					tokio::select! {
						taken = &mut taking => break taken,
						() = tokio::time::sleep(Duration::from_millis(20)) => {
							world.coordinator.give_out().await.unwrap();
						},
					}
				};
				let work = request_of(taken.unwrap().unwrap());
				let result = world.miner(1).does_request(&work);
				let id = work.work.into();
				world.coordinator.result(&session, id, &result).await.unwrap();
			})
		};
		let messages = json!([{ "role": "user", "content": "Once" }]);
		let body = json!({ "model": MODEL, "messages": messages, "max_tokens": 9, "temperature": 0,
			"stream": is_streamed })
		.to_string();
		let asked = payer.signs(AIT / 10, &body);
		let http = http_client::builder().build().unwrap();
		let send = |asked: &Asked| {
			http.post(format!("{url}/v1/chat/completions"))
				.header("content-type", "application/json")
				.header(VOUCHER_HEADER, HexBytes(asked.voucher.encode()).to_string())
				.header(SECRET_HEADER, Hex32(asked.secret).to_string())
				.body(asked.body.clone())
				.send()
		};
		let answer = send(&asked).await.unwrap();
		assert_eq!(answer.status(), 200);
		let header = answer.headers().get(RECEIPT_HEADER).cloned();
		let named = |name: &str| {
			let value = answer.headers().get(name)?;
			Some(value.to_str().unwrap().to_string())
		};
		// The same names as for jobs: what a job's answer has, a channel's has.
		let (id_header, asset) = (named("x-gridproof-receipt"), named("x-gridproof-asset"));
		assert_eq!(named("x-gridproof-job"), Some(Hex32::from(asked.id()).to_string()));
		let text = answer.text().await.unwrap();
		working.await.unwrap();
		let issued = if is_streamed {
			assert!(header.is_none() && text.trim_end().ends_with("data: [DONE]"), "{text}");
			assert_eq!((&id_header, &asset), (&None, &None));
			let mut chunks = text.lines().filter_map(|line| line.strip_prefix("data: {"));
			let last: Value =
				serde_json::from_str(&format!("{{{}", chunks.next_back().unwrap())).unwrap();
			last["gridproof"]["issued"].as_str().unwrap().to_string()
		} else {
			let answer: Value = serde_json::from_str(&text).unwrap();
			assert_eq!(answer["choices"][0]["message"]["content"], "there was");
			assert_eq!(answer["gridproof"]["receipt"], json!(id_header));
			assert_eq!(asset.as_deref(), Some("ait"));
			header.unwrap().to_str().unwrap().to_string()
		};
		let issued: HexBytes = issued.parse().unwrap();
		let issued = IssuedReceipt::decode_all(&mut &issued.0[..]).unwrap();
		assert_eq!(issued, world.issued(asked.id()));
		let id = Hex32::from(issued.receipt.receipt.id(&GENESIS)).to_string();
		assert!(is_streamed || id_header == Some(id));
		let mut broken = asked.clone();
		broken.body = b"{}".to_vec();
		let refused = send(&broken).await.unwrap();
		assert_eq!(refused.status(), 400, "a body that cannot be read");
		let body = asked.body.clone();
		broken = payer.signs(1, std::str::from_utf8(&body).unwrap());
		let refused = send(&broken).await.unwrap();
		assert_eq!(refused.status(), 402);
		let said: Value = refused.json().await.unwrap();
		assert_eq!(said["error"]["code"], "bad_voucher");
		let open = http.get(format!("{url}/v1/channels/7")).send().await.unwrap();
		let open: Value = open.json().await.unwrap();
		assert_eq!((&open["newest"], &open["receipts"]), (&json!(1), &json!(1)));
		let nothing = http.get(format!("{url}/v1/channels/99")).send().await.unwrap();
		assert_eq!(nothing.status(), 404);
		let said: Value = nothing.json().await.unwrap();
		assert_eq!(said["error"], "unknown_channel");
		stopper.stop();
	}
}

#[tokio::test]
async fn a_receipt_that_is_demanded_is_settled_at_once_and_shown_in_its_batch() {
	let world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
	let issued = miner.serves(&world, &session).await;
	world.coordinator.settle_channels().await.unwrap();
	assert!(world.chain.batches().is_empty(), "it is not time yet");
	let id = world.chain.demand_now(issued.receipt);
	assert!(world.coordinator.answer_demands().await.unwrap(), "it waits for its batch");
	assert_eq!((world.chain.open_demands(), world.chain.answers().len()), (vec![id], 0));
	assert_eq!(world.coordinator.metrics.demands.get(), 1);
	world.coordinator.settle_channels().await.unwrap();
	assert_eq!(world.chain.batches().len(), 1, "it is settled before its time");
	assert!(!world.coordinator.answer_demands().await.unwrap());
	assert_eq!((world.chain.open_demands().len(), world.chain.answers()), (0, vec![vec![0]]));
	let metrics = &world.coordinator.metrics;
	assert_eq!((metrics.demands.get(), metrics.answered.get()), (0, 1));
}

#[tokio::test]
async fn a_settled_receipt_is_shown_by_the_headers_from_the_next_mark_or_from_the_last_one() {
	let world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	let mut issued = Vec::new();
	for _ in 0..35 {
		world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
		issued.push(miner.serves(&world, &session).await.receipt);
		world.settle_channels().await;
	}
	assert_eq!(world.chain.batches().len(), 35);
	for (place, path) in [(0, 0..32), (30, 30..32), (31, 31..32), (32, 32..35), (34, 34..35)] {
		world.chain.demand_now(issued[place]);
		assert!(!world.coordinator.answer_demands().await.unwrap(), "{place}");
		assert!(world.chain.open_demands().is_empty(), "{place}");
		let newest_first: Vec<u64> = path.rev().collect();
		assert_eq!(world.chain.answers().last(), Some(&newest_first), "{place}");
	}
}

#[tokio::test]
async fn a_demand_outlasts_a_node_that_is_away_and_one_without_a_receipt_holds_no_other_up() {
	let world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
	let issued = miner.serves(&world, &session).await;
	world.settle_channels().await;
	let mut foreign = issued.receipt;
	foreign.receipt.price += 1;
	let hopeless = world.chain.demand_now(foreign);
	world.chain.demand_now(issued.receipt);
	world.chain.set_trouble(Trouble::Away);
	let error = world.coordinator.answer_demands().await.unwrap_err();
	assert_eq!(error.code, ErrorCode::ChainUnavailable);
	world.chain.set_trouble(Trouble::None);
	for _ in 0..2 {
		assert!(!world.coordinator.answer_demands().await.unwrap());
		assert_eq!((world.chain.open_demands(), world.chain.answers().len()), (vec![hopeless], 1));
	}
}

#[tokio::test]
async fn an_answer_that_the_chain_refuses_for_good_is_not_sent_again() {
	let world = World::new().await;
	let (miner, mut payer) = (world.miner(1), Payer::opens(&world, 7, AIT, AIT));
	let session = miner.session(&world).await;
	world.admit(&payer.signs(AIT / 10, "Once")).await.unwrap();
	let issued = miner.serves(&world, &session).await;
	world.settle_channels().await;
	world.chain.demand_now(issued.receipt);
	// The chain has forgotten the header.
	world.chain.channels.header.lock().unwrap().last_hash = H256([1; 32]);
	for _ in 0..3 {
		assert!(!world.coordinator.answer_demands().await.unwrap());
		assert_eq!((world.chain.open_demands().len(), world.chain.answers().len()), (1, 1));
	}
}

#[tokio::test]
async fn a_database_of_the_version_before_has_its_batches_after_the_change() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("coordinator.db");
	let db = Database::open(&path, &rows::MIGRATIONS[..3], &Options::default()).unwrap();
	db.write::<_, StoreError, _>(|db| {
		// A header of zeros is one.
		let header = vec![0u8; 195];
		let sql = "INSERT INTO batches (sequence, header, channels, miners, stage, made_ms)
			VALUES (0, ?1, x'00', x'00', 'final', 5)";
		db.execute(sql, [header])?;
		Ok(())
	})
	.await
	.unwrap();
	drop(db);
	let found = repair::batches(folder.path(), 9).await.unwrap();
	assert_eq!((found.len(), found[0].given_up, found[0].decided_ms), (1, 0, None));
	assert_eq!((found[0].stage, found[0].made_ms), ("final", 5));
}
