//! A chain in memory, a coordinator in memory, and receipts of a real engine.

#![allow(dead_code, reason = "each test uses a part of it")]

use codec::{DecodeAll, Encode};
use futures::{FutureExt, future::BoxFuture};
use gridproof_chain::ChainError;
use gridproof_compute_api::protocol::{
	IssuedReceipt, JobSpec, Opening, OpeningAsk, SPEC_VERSION, Sampling, Task, TokenIds,
	output_root,
};
use gridproof_engine::{DEFAULT_MODEL, Engine, LocalEngine, execute_seeded};
use gridproof_keys::{Kind, SealedKey};
use gridproof_primitives::{
	H256,
	compute::{
		PriceAsset, Telemetry,
		channels::{
			Batch, BatchKind, Channel, ChannelId, ChannelReceipt, ChannelSums, ChannelTerms, Lists,
			MinerSums, Mode, PaidBy, Placed, ReceiptV2, RunningSums, Sampler, SettlementHeader,
			SignedVoucher, Voucher, VoucherId, spec_hash,
		},
		checks::{
			AskedReceipt, BatchChecks, BatchId, CheckId, CheckParameters, CheckView,
			DemandOfOpening, DisputeView, Duty, ModelLine, OpeningRequest, VerifierKey,
			VerifierView,
		},
	},
	crypto::ed25519::PublicKey,
};
use gridproof_support::{
	Clock,
	clock::Hands,
	text::{Hex32, HexBytes},
};
use gridproof_verifier::{
	Settings, Statement, Verifier,
	chain::{CheckedChain, Closing, WaitingBatch},
	coordinators::{Coordinators, NotGiven},
	draws::Published,
};
use std::{
	collections::BTreeMap,
	ops::ControlFlow,
	path::Path,
	sync::{Arc, Mutex},
};
use zeroize::Zeroizing;

pub(crate) const GENESIS: H256 = H256([7; 32]);
pub(crate) const BLOCK: H256 = H256([8; 32]);
pub(crate) const KIND: BatchKind = BatchKind { asset: PriceAsset::Ait, mode: Mode::Ordinary };
pub(crate) const CHANNEL: ChannelId = 3;
pub(crate) const PATIENCE_MS: u64 = 60_000;
const PRICE: u128 = 1_000;

/// A key of a kind.
pub(crate) fn key(byte: u8, kind: Kind) -> SealedKey {
	SealedKey::from_seed(Zeroizing::new([byte; 32]), Some(kind), None)
}

/// To whom the coordinator gives openings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
	ToAll,
	ToNobody,
	ToWitnesses,
	/// What it gives has one token changed.
	Altered,
}

/// The chain and the coordinator. They live on when a verifier crashes.
pub(crate) struct World {
	pub(crate) published: Published,
	pub(crate) openings: BTreeMap<H256, Opening>,
	pub(crate) channel: Channel,
	pub(crate) coordinator: PublicKey,
	pub(crate) gives: Mutex<Gives>,
	pub(crate) publishes: Mutex<bool>,
	pub(crate) line: ModelLine,
	pub(crate) checks: BatchChecks,
	pub(crate) is_touched: Mutex<bool>,
	/// `true` while nobody hears whether what is said arrives.
	pub(crate) is_away: Mutex<bool>,
	pub(crate) said: Mutex<Vec<Statement>>,
	pub(crate) asked: Mutex<Vec<Duty>>,
	pub(crate) reports: Mutex<Vec<CheckView>>,
	pub(crate) demands: Mutex<Vec<DemandOfOpening>>,
	/// Place that a demand without a receipt means.
	pub(crate) place: Mutex<Option<u128>>,
	/// Receipts that were named, by their index.
	pub(crate) named: Mutex<Vec<(CheckId, u64)>>,
	pub(crate) disputes: Mutex<Vec<DisputeView>>,
	pub(crate) to_show: Mutex<Vec<CheckId>>,
	pub(crate) closed: Mutex<Vec<Closing>>,
	pub(crate) wanted: Mutex<Vec<AskedReceipt>>,
	/// `true` once nothing of the batch waits any more.
	pub(crate) is_over: Mutex<bool>,
	/// End of the batch's window.
	pub(crate) due_ms: Mutex<u64>,
	/// Times from and until which every verifier is suspended.
	pub(crate) suspended_ms: Mutex<(u64, u64)>,
	/// One report in so many is looked at twice.
	pub(crate) reopen_one_in: Mutex<u32>,
	pub(crate) clock: Clock,
	pub(crate) hands: Hands,
}

/// A specification, and the request that asks for it.
pub(crate) fn request(number: u32) -> (JobSpec, Vec<u8>) {
	let prompt = format!("It is a truth, number {number},");
	let body = serde_json::json!({
		"model": DEFAULT_MODEL, "prompt": prompt, "max_tokens": 12, "temperature": 0.8,
	});
	let spec = JobSpec {
		version: SPEC_VERSION,
		model: DEFAULT_MODEL.to_string(),
		task: Task::Completion { prompt },
		max_tokens: 12,
		sampling: Sampling { temperature_milli: 800, ..Sampling::default() },
		further: Default::default(),
	};
	(spec, body.to_string().into_bytes())
}

impl World {
	/// A batch of some receipts, done by this engine, of which each verifier gets `checks` checks.
	pub(crate) fn new(miner: &dyn Engine, receipts: u32, checks: u32) -> Arc<Self> {
		Self::billing(miner, receipts, checks, 0)
	}

	/// The same, with `more` tokens of output in each bill than were made.
	pub(crate) fn billing(miner: &dyn Engine, receipts: u32, checks: u32, more: u32) -> Arc<Self> {
		let (client, worker) = (key(1, Kind::Channel), key(2, Kind::Miner));
		let coordinator = key(3, Kind::Coordinator);
		let terms = ChannelTerms {
			coordinator: *coordinator.public(),
			kind: KIND,
			signer: Some(*client.public()),
			deposit: u128::MAX,
			daily_limit: u128::MAX,
			plan_ends_ms: None,
		};
		let channel = Channel::open(&terms).unwrap();
		let (mut of_channel, mut of_miner) = (ChannelSums::default(), MinerSums::default());
		let (mut all, mut openings, mut newest) = (Vec::new(), BTreeMap::new(), None);
		for number in 1..=receipts {
			let (spec, body) = request(number);
			let secret = [9; 32];
			let voucher = Voucher {
				channel: CHANNEL,
				number: number.into(),
				amount: PRICE * u128::from(number),
				spec_hash: spec_hash(&secret, &body),
			};
			let signature = client.sign(&voucher.signing_payload(&GENESIS));
			let signed = SignedVoucher { voucher, signature };
			let go_on = &mut |_: &str| ControlFlow::Continue(());
			let done = execute_seeded(miner, &spec, voucher.seed(&GENESIS), go_on).unwrap();
			let tokens = TokenIds { prompt: done.prompt_ids, output: done.output_ids };
			let count = |ids: &[u32]| u32::try_from(ids.len()).unwrap();
			let receipt = ReceiptV2 {
				paid_by: PaidBy::Voucher(VoucherId { channel: CHANNEL, number: number.into() }),
				miner: Some(*worker.public()),
				model: H256([4; 32]),
				spec_hash: voucher.spec_hash,
				output_root: output_root(&spec, &tokens, &secret).unwrap(),
				weight: 1,
				price: PRICE,
				sampler: Sampler::Gumbel,
				telemetry: Telemetry {
					input_tokens: count(&tokens.prompt),
					output_tokens: count(&tokens.output) + more,
					duration_ms: 1,
					memory_mb: 1,
				},
				settle_by_ms: 1,
			};
			of_channel = of_channel.after(PRICE).unwrap();
			of_miner = of_miner.after(PRICE, 1).unwrap();
			let sums = RunningSums { kind: KIND, channel: of_channel, miner: of_miner };
			let receipt = ChannelReceipt { receipt, sums };
			let issued = IssuedReceipt {
				receipt,
				coordinator_signature: [0; 64],
				miner_signature: Some([0; 64]),
			};
			let id = receipt.receipt.id(&GENESIS);
			let opening = Opening {
				receipt_id: id.into(),
				issued: HexBytes(issued.encode()),
				voucher: HexBytes(signed.encode()),
				secret: Hex32(secret),
				request: HexBytes(body),
				spec,
				tokens,
				batch: Some(0),
			};
			openings.insert(id, opening);
			newest = Some(voucher);
			all.push(receipt);
		}
		let vouchers = newest.into_iter().map(|voucher| (CHANNEL, voucher)).collect();
		let batch = Batch::of(KIND, all, &vouchers).unwrap();
		let header = batch.header(*coordinator.public(), 0, H256::zero(), 1);
		let total = header.sums.price;
		let (clock, hands) = Clock::manual(1_000_000_000);
		Arc::new(Self {
			published: Published { header, batch },
			openings,
			channel,
			coordinator: *coordinator.public(),
			gives: Mutex::new(Gives::ToAll),
			publishes: Mutex::new(true),
			line: ModelLine::EXACT,
			checks: BatchChecks {
				block: BLOCK,
				touched_ms: 0,
				verifiers: 2,
				per_check: 1,
				// Exactly so many for each.
				value: u128::from(checks) * 2,
				total,
				reports: 0,
			},
			is_touched: Mutex::new(true),
			is_away: Mutex::new(false),
			said: Mutex::default(),
			asked: Mutex::default(),
			reports: Mutex::default(),
			demands: Mutex::default(),
			place: Mutex::default(),
			named: Mutex::default(),
			disputes: Mutex::default(),
			to_show: Mutex::default(),
			closed: Mutex::default(),
			wanted: Mutex::default(),
			is_over: Mutex::default(),
			due_ms: Mutex::new(u64::MAX),
			suspended_ms: Mutex::default(),
			// Every report.
			reopen_one_in: Mutex::new(1),
			clock,
			hands,
		})
	}

	pub(crate) fn hash(&self) -> H256 {
		self.published.header.hash()
	}

	pub(crate) fn id(&self) -> BatchId {
		BatchId { coordinator: self.coordinator, sequence: 0 }
	}

	pub(crate) fn give(&self, gives: Gives) {
		*self.gives.lock().unwrap() = gives;
	}

	pub(crate) fn said(&self) -> Vec<Statement> {
		self.said.lock().unwrap().clone()
	}

	pub(crate) fn closed(&self) -> Vec<Closing> {
		self.closed.lock().unwrap().clone()
	}

	/// A verifier with what is in its folder.
	pub(crate) async fn verifier(self: &Arc<Self>, byte: u8, folder: &Path) -> Arc<Verifier> {
		let settings =
			Settings { folder: folder.to_path_buf(), patience_ms: PATIENCE_MS, touches: true };
		let engine = Arc::new(LocalEngine::embedded().unwrap());
		let key = key(byte, Kind::Verifier);
		Verifier::open(settings, key, engine, self.clone(), self.clone(), self.clock.clone())
			.await
			.unwrap()
	}

	/// A report as the chain shows it.
	pub(crate) fn reported(&self, statement: &Statement) -> CheckView {
		let Statement::Report(report, _) = statement else { panic!("{statement:?}") };
		let receipt = report.receipt.item.receipt;
		CheckView {
			id: report.id(),
			voucher: receipt.voucher().unwrap(),
			index: report.receipt.index,
			miner: receipt.miner.unwrap(),
			model: receipt.model,
			figures: report.figures,
			commitment: report.commitment,
			block: BLOCK,
			time_ms: 0,
		}
	}
}

fn outage() -> ChainError {
	ChainError::Rpc { code: None, message: "nobody answers".to_string() }
}

impl CheckedChain for World {
	fn genesis(&self) -> H256 {
		GENESIS
	}

	fn verifier(
		&self,
		key: VerifierKey,
	) -> BoxFuture<'_, Result<Option<VerifierView>, ChainError>> {
		async move {
			Ok(Some(VerifierView {
				account: [0; 32],
				key,
				key_since_ms: 0,
				bond: 1,
				reports: 0,
				last_report_ms: 0,
				offences: 0,
				free_ms: None,
				left_ms: None,
				suspended_ms: *self.suspended_ms.lock().unwrap(),
				draws: true,
			}))
		}
		.boxed()
	}

	fn parameters(&self) -> BoxFuture<'_, Result<CheckParameters, ChainError>> {
		async {
			let reopen_one_in = *self.reopen_one_in.lock().unwrap();
			Ok(CheckParameters { reopen_one_in, ..CheckParameters::default() })
		}
		.boxed()
	}

	fn line(&self, _: H256) -> BoxFuture<'_, Result<Option<ModelLine>, ChainError>> {
		async { Ok(Some(self.line)) }.boxed()
	}

	fn channel(&self, _: ChannelId) -> BoxFuture<'_, Result<Option<Channel>, ChainError>> {
		async { Ok(Some(self.channel)) }.boxed()
	}

	fn waiting(&self) -> BoxFuture<'_, Result<Vec<WaitingBatch>, ChainError>> {
		async {
			if *self.is_over.lock().unwrap() {
				return Ok(Vec::new());
			}
			let is_touched = *self.is_touched.lock().unwrap();
			Ok(vec![WaitingBatch {
				hash: self.hash(),
				coordinator: self.coordinator,
				sequence: 0,
				due_ms: *self.due_ms.lock().unwrap(),
				checks: is_touched.then_some(self.checks),
				is_ripe: true,
			}])
		}
		.boxed()
	}

	fn reports(&self, batch: BatchId) -> BoxFuture<'_, Result<Vec<CheckView>, ChainError>> {
		async move {
			let all = self.reports.lock().unwrap().clone();
			Ok(all.into_iter().filter(|report| report.id.batch == batch).collect())
		}
		.boxed()
	}

	fn demands(&self) -> BoxFuture<'_, Result<Vec<DemandOfOpening>, ChainError>> {
		async { Ok(self.demands.lock().unwrap().clone()) }.boxed()
	}

	fn place(&self, _: CheckId) -> BoxFuture<'_, Result<Option<u128>, ChainError>> {
		async { Ok(*self.place.lock().unwrap()) }.boxed()
	}

	fn name(
		&self,
		check: CheckId,
		receipt: Placed<ChannelReceipt>,
	) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			assert!(receipt.verify(&self.published.header).is_ok());
			self.named.lock().unwrap().push((check, receipt.index));
			Ok(())
		}
		.boxed()
	}

	fn disputes(&self) -> BoxFuture<'_, Result<Vec<DisputeView>, ChainError>> {
		async { Ok(self.disputes.lock().unwrap().clone()) }.boxed()
	}

	fn reopenings(&self) -> BoxFuture<'_, Result<Vec<CheckId>, ChainError>> {
		async { Ok(self.to_show.lock().unwrap().clone()) }.boxed()
	}

	fn close(&self, closing: Closing) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			self.closed.lock().unwrap().push(closing);
			Ok(())
		}
		.boxed()
	}

	fn drawn(&self, batch: BatchId) -> BoxFuture<'_, Result<Option<BatchChecks>, ChainError>> {
		let is_counted = self.closed.lock().unwrap().contains(&Closing::Checks(batch));
		async move { Ok((!is_counted).then_some(self.checks)) }.boxed()
	}

	fn asked(&self, _: BatchId) -> BoxFuture<'_, Result<Vec<AskedReceipt>, ChainError>> {
		async { Ok(self.wanted.lock().unwrap().clone()) }.boxed()
	}

	fn give_back(&self) -> BoxFuture<'_, Result<(), ChainError>> {
		async { Ok(()) }.boxed()
	}

	fn touch(&self, _: BatchId) -> BoxFuture<'_, Result<(), ChainError>> {
		async {
			*self.is_touched.lock().unwrap() = true;
			Ok(())
		}
		.boxed()
	}

	fn submit(&self, statement: Statement) -> BoxFuture<'_, Result<(), ChainError>> {
		async move {
			self.said.lock().unwrap().push(statement);
			// What was sent may have arrived although nobody hears of it.
			if *self.is_away.lock().unwrap() { Err(outage()) } else { Ok(()) }
		}
		.boxed()
	}
}

impl Coordinators for World {
	fn batch(&self, _: PublicKey, _: u64, _: H256) -> BoxFuture<'_, Result<Published, NotGiven>> {
		async {
			if *self.publishes.lock().unwrap() {
				return Ok(self.published.clone());
			}
			Err(NotGiven::NotIt("nothing is published".to_string()))
		}
		.boxed()
	}

	fn lists(
		&self,
		_: PublicKey,
		_: u64,
		_: H256,
	) -> BoxFuture<'_, Result<(SettlementHeader, Lists), NotGiven>> {
		async { Ok((self.published.header, self.published.batch.lists().clone())) }.boxed()
	}

	fn opening(
		&self,
		_: PublicKey,
		receipt: H256,
		ask: OpeningAsk,
	) -> BoxFuture<'_, Result<Opening, NotGiven>> {
		async move {
			let OpeningAsk::Verifier { request, signature } = ask else { panic!("{ask:?}") };
			let request = OpeningRequest::decode_all(&mut &request.0[..]).unwrap();
			assert!(request.is_signed(&GENESIS, &signature.0));
			self.asked.lock().unwrap().push(request.duty);
			let is_witness = matches!(request.duty, Duty::Witness(_));
			let mut opening = self.openings[&receipt].clone();
			match *self.gives.lock().unwrap() {
				Gives::ToNobody => return Err(NotGiven::NotIt("no".to_string())),
				Gives::ToWitnesses if !is_witness => {
					return Err(NotGiven::NotIt("not to you".to_string()));
				},
				Gives::Altered => opening.tokens.output[0] ^= 1,
				Gives::ToAll | Gives::ToWitnesses => (),
			}
			Ok(opening)
		}
		.boxed()
	}
}
