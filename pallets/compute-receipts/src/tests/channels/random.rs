//! Random channels, miners, batches, repetitions, closings, stops, and what happens to pay that waits:
//! nothing settles twice, and nothing is lost.

use super::books::*;
use crate::{mock::*, *};
use gridproof_primitives::compute::{
	channels::{BatchKind, BatchRefusal, ChannelId, ChannelReceipt, ChannelTerms, SettlementBatch},
	checks::{BatchId, Part, Waiting},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug)]
enum Step {
	/// A request of a channel.
	Work {
		channel: usize,
		miner: Option<bool>,
		price: u128,
		tokens: u64,
	},
	/// A batch of what waits in a kind is made and sent, or made and lost.
	Batch {
		kind: usize,
		signed: bool,
		lost: bool,
	},
	/// A batch that was sent before is sent again, its lines signed once more as the next one's.
	Again {
		batch: usize,
		disguised: bool,
	},
	TopUp {
		channel: usize,
		amount: u128,
	},
	Close {
		channel: usize,
	},
	GiveBack,
	Stop,
	Resume,
	/// Everything of a batch that can be released is, and goes back to clients.
	Release {
		batch: usize,
	},
	/// A miner signs its line of a batch.
	Sign {
		batch: usize,
		first: bool,
	},
	/// A receipt of a line is forfeited, right or wrong.
	Forfeit {
		batch: usize,
		first: bool,
		channel: usize,
		price: u128,
	},
	/// A miner or the coordinator is guilty.
	Take {
		party: u8,
	},
	/// A dispute begins or ends.
	Hold {
		batch: usize,
		party: u8,
		begins: bool,
	},
	MintStill {
		still: bool,
	},
	Pass {
		milliseconds: u64,
	},
}

fn step() -> impl Strategy<Value = Step> {
	let miner = prop_oneof![1 => Just(None), 6 => any::<bool>().prop_map(Some)];
	prop_oneof![
		12 => (0usize..5, miner, 0u128..40_000, 1u64..900)
			.prop_map(|(channel, miner, price, tokens)| Step::Work { channel, miner, price, tokens }),
		6 => (0usize..3, any::<bool>(), prop::bool::weighted(0.1))
			.prop_map(|(kind, signed, lost)| Step::Batch { kind, signed, lost }),
		3 => (0usize..9, any::<bool>()).prop_map(|(batch, disguised)| Step::Again { batch, disguised }),
		1 => (0usize..5, 1u128..50_000).prop_map(|(channel, amount)| Step::TopUp { channel, amount }),
		1 => (0usize..5).prop_map(|channel| Step::Close { channel }),
		1 => Just(Step::GiveBack),
		1 => Just(Step::Stop),
		2 => Just(Step::Resume),
		4 => (0usize..9).prop_map(|batch| Step::Release { batch }),
		2 => (0usize..9, any::<bool>()).prop_map(|(batch, first)| Step::Sign { batch, first }),
		2 => (0usize..9, any::<bool>(), 0usize..5, 0u128..50_000)
			.prop_map(|(batch, first, channel, price)| Step::Forfeit { batch, first, channel, price }),
		1 => (1u8..4).prop_map(|party| Step::Take { party }),
		2 => (0usize..9, 1u8..4, any::<bool>())
			.prop_map(|(batch, party, begins)| Step::Hold { batch, party, begins }),
		1 => any::<bool>().prop_map(|still| Step::MintStill { still }),
		2 => prop_oneof![Just(SPACING_MS), Just(DAY_MS / 2)]
			.prop_map(|milliseconds| Step::Pass { milliseconds }),
	]
}

fn id_of_channel(channel: usize) -> ChannelId {
	ChannelId::try_from(channel).unwrap() + 1
}

const KINDS: [BatchKind; 3] = [IN_AIT, IN_AICP, PRIVATE];

/// What happened so far.
struct World {
	books: Books,
	sent: Vec<SettlementBatch>,
	/// What was deposited and what went back, of each channel.
	deposited: BTreeMap<ChannelId, u128>,
	/// Sum of the prices of the receipts of batches that settled, and their number.
	settled: [(u128, u64); 3],
}

impl World {
	fn new() -> Self {
		let kinds = [IN_AIT, IN_AIT, IN_AICP, IN_AICP, PRIVATE];
		let deposited = kinds.map(|kind| {
			let terms = ChannelTerms { deposit: 200_000, ..terms(kind) };
			(open_as(9, terms).unwrap(), 200_000)
		});
		Self {
			books: Books::of(COORDINATOR),
			sent: Vec::new(),
			deposited: deposited.into(),
			settled: Default::default(),
		}
	}

	/// The coordinator works only for what is covered, as its own rules say.
	fn work(&mut self, index: usize, miner: Option<bool>, price: u128, tokens: u64) {
		let channel = ChannelId::try_from(index).unwrap() + 1;
		let Some(view) = ComputeReceipts::channel(channel) else { return };
		let waiting = self.books.waiting.get(&view.channel.kind);
		let of_channel =
			|one: &&ChannelReceipt| one.receipt.voucher().is_some_and(|id| id.channel == channel);
		let owed: u128 = waiting
			.map_or(0, |all| all.iter().filter(of_channel).map(|one| one.receipt.price).sum());
		if view.channel.ends_ms.is_none() && owed + price <= view.left {
			let miner = miner.map(|first| if first { MINER } else { CPU_MINER });
			let (price, tokens) = if miner.is_some() { (price, tokens) } else { (0, 0) };
			self.books.work(channel, miner, price, tokens);
		}
	}

	fn batch(&mut self, kind: usize, signed: bool, lost: bool) {
		if self.books.waiting.get(&KINDS[kind]).is_none_or(Vec::is_empty) {
			return;
		}
		let before = self.books.waiting.clone();
		let signing: &[u8] = if signed { &[MINER, CPU_MINER] } else { &[] };
		let batch = self.books.batch(KINDS[kind], signing);
		let refused = if lost { Some(BatchRefusal::Stopped) } else { submit(&batch).0 };
		if refused.is_some() {
			// It is made again, with whatever was added.
			self.books.waiting = before;
			return;
		}
		let sums = batch.header.sums;
		self.settled[kind].0 += sums.price;
		self.settled[kind].1 += sums.receipts;
		self.sent.push(batch);
	}

	/// Lines that were settled settle never again, however they come.
	fn again(&mut self, batch: usize, disguised: bool) {
		let Some(batch) = self.sent.get(batch % self.sent.len().max(1)) else { return };
		let mut batch = batch.clone();
		if disguised {
			let last = ComputeReceipts::header_chain(key(COORDINATOR));
			(batch.header.sequence, batch.header.previous) = (last.next_sequence, last.last_hash);
			batch.header.time_ms = Now::get();
			self.books.sign_again(&mut batch);
		}
		let refused = submit(&batch).0.expect("it was settled before");
		let expected = if disguised {
			vec![
				BatchRefusal::TooSoon,
				BatchRefusal::ChannelNotJoined,
				BatchRefusal::UnknownChannel,
			]
		} else {
			vec![BatchRefusal::SequencePast]
		};
		let stopped = [BatchRefusal::Stopped, BatchRefusal::ChannelEnded];
		assert!(expected.contains(&refused) || stopped.contains(&refused), "{refused}");
	}

	fn id_of(&self, batch: usize) -> Option<BatchId> {
		let header = self.sent.get(batch % self.sent.len().max(1))?.header;
		Some(BatchId { coordinator: header.coordinator, sequence: header.sequence })
	}

	fn part_of(&self, batch: usize, party: u8) -> Option<Part> {
		let id = self.id_of(batch)?;
		Some(if party == COORDINATOR { Part::Coordinator(id) } else { Part::Miner(id, key(party)) })
	}

	fn release(id: BatchId) {
		for part in
			[Part::Coordinator(id), Part::Miner(id, key(MINER)), Part::Miner(id, key(CPU_MINER))]
		{
			let parts = vec![part].try_into().unwrap();
			let _ = dispatch(Call::release_waiting { parts }, account(7));
		}
		for channel in 1..=5 {
			let channels = vec![channel].try_into().unwrap();
			let _ = dispatch(Call::return_to_clients { batch: id, channels }, account(7));
		}
	}

	fn sign_line(&self, batch: usize, miner: u8) {
		let Some(id) = self.id_of(batch) else { return };
		let Some(row) = WaitingLines::<Test>::get(key(miner), id) else { return };
		let header = WaitingBatches::<Test>::get(id.coordinator, id.sequence).unwrap().header_hash;
		let signature = sign(miner, &row.line.signing_payload(&genesis(), &header));
		let call = Call::sign_line { batch: id, miner: key(miner), signature };
		let _ = dispatch(call, account(7));
	}

	fn step(&mut self, step: Step) {
		let miner = |first| if first { MINER } else { CPU_MINER };
		let id = id_of_channel;
		match step {
			Step::Work { channel, miner, price, tokens } => {
				self.work(channel, miner, price, tokens);
			},
			Step::Batch { kind, signed, lost } => self.batch(kind, signed, lost),
			Step::Again { batch, disguised } => self.again(batch, disguised),
			Step::TopUp { channel, amount } => {
				let channel = id(channel);
				if dispatch(Call::top_up { channel, amount }, client()).is_ok() {
					*self.deposited.get_mut(&channel).unwrap() += amount;
				}
			},
			Step::Close { channel } => {
				let _ = close_as(9, id(channel));
			},
			Step::GiveBack => {
				let _ = give_back(&[1, 2, 3, 4, 5]);
			},
			Step::Stop => {
				let call = Call::set_breaker { new: Breaker::AllStopped };
				let _ = dispatch(call, account(99));
			},
			Step::Resume => {
				let call = Call::set_breaker { new: Breaker::Closed };
				let _ = dispatch_as(call, RuntimeOrigin::root());
			},
			Step::Release { batch } => {
				if let Some(id) = self.id_of(batch) {
					Self::release(id);
				}
			},
			Step::Sign { batch, first } => self.sign_line(batch, miner(first)),
			Step::Forfeit { batch, first, channel, price } => {
				if let Some(id) = self.id_of(batch) {
					let (miner, channel) = (key(miner(first)), id_of_channel(channel));
					let _ = <ComputeReceipts as Waiting<_>>::forfeit_receipt(
						&id, &miner, channel, price,
					);
				}
			},
			Step::Take { party } => {
				<ComputeReceipts as Waiting<_>>::forfeit_all(&key(party)).unwrap();
			},
			Step::Hold { batch, party, begins } => {
				let until = Now::get() + DAY_MS;
				if let Some(part) = self.part_of(batch, party) {
					let _ = if begins {
						<ComputeReceipts as Waiting<_>>::hold(&part, until)
					} else {
						<ComputeReceipts as Waiting<_>>::free(&part)
					};
				}
			},
			Step::MintStill { still } => <ComputeReceipts as Waiting<_>>::set_mint_still(still),
			Step::Pass { milliseconds } => pass(milliseconds),
		}
	}

	/// Lets every window end, and releases everything.
	fn end(&self) {
		<ComputeReceipts as Waiting<_>>::set_mint_still(false);
		let _ = dispatch_as(Call::set_breaker { new: Breaker::Closed }, RuntimeOrigin::root());
		pass(30 * DAY_MS);
		ComputeReceipts::count_stops();
		for batch in 0..self.sent.len() {
			Self::release(self.id_of(batch).unwrap());
		}
		assert_eq!(WaitingTotals::<Test>::get(), WaitingSums::default());
		let rows = WaitingBatches::<Test>::iter().count() + WaitingLines::<Test>::iter().count();
		assert_eq!((rows, WaitingLists::<Test>::iter().count()), (0, 0));
		assert_eq!(BondHolds::<Test>::iter().count(), 0);
	}

	/// Σ paid = Σ vouchers used = Σ receipts, to the last unit, and each deposit is what was settled,
	/// what went back and what is left.
	fn check(&self, before: [u128; 2]) {
		let mut back = [0, 0];
		for event in events() {
			let (sequence, to, amount) = match event {
				Event::ReturnedToClient { sequence, client, amount, .. } => {
					(sequence, client, amount)
				},
				Event::ReceiptForfeited { part, client, amount, .. } => {
					(part.batch().sequence, client, amount)
				},
				_ => continue,
			};
			let batch = self.sent.iter().find(|sent| sent.header.sequence == sequence).unwrap();
			let in_aicp = batch.header.kind == IN_AICP;
			back[usize::from(in_aicp)] += if to == client() { amount } else { 0 };
		}
		let in_aicp = [MINER, CPU_MINER, COORDINATOR, 200]
			.map(|who| aicp(&account(who)))
			.into_iter()
			.sum::<u128>();
		let waits = WaitingTotals::<Test>::get();
		assert_eq!(in_aicp + waits.aicp + back[1], self.settled[1].0);
		let left: u128 = (1..=5).filter_map(ComputeReceipts::channel).map(|view| view.left).sum();
		let deposited: u128 = self.deposited.values().sum();
		let settled: u128 = self.settled.iter().map(|(price, _)| price).sum();
		let rows = u128::try_from(Channels::<Test>::iter().count()).unwrap() * CHANNEL_DEPOSIT;
		let away = before[0] - ait(&client()) + before[1] - aicp(&client());
		assert_eq!(away + back[0] + back[1], settled + left + rows, "of {deposited}");
		for (kind, (price, receipts)) in KINDS.into_iter().zip(self.settled) {
			let keys = [Some(key(MINER)), Some(key(CPU_MINER)), None];
			let sums = keys.map(|miner| ComputeReceipts::miner_sums(key(COORDINATOR), kind, miner));
			assert_eq!(sums.iter().map(|sums| sums.price).sum::<u128>(), price);
			assert_eq!(sums.iter().map(|sums| sums.count).sum::<u64>(), receipts);
		}
		ComputeReceipts::do_try_state().expect("an invariant is broken");
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 40, ..Default::default() })]

	#[test]
	fn nothing_settles_twice_whatever_the_order(
		window_ms in prop_oneof![Just(0), Just(20_000), Just(6 * HOUR_MS)],
		steps in prop::collection::vec(step(), 1..80),
	) {
		build_and_execute(|| {
			ChannelRules::<Test>::mutate(|rules| rules.check_window_ms = window_ms);
			let before = [ait(&client()), aicp(&client())];
			let mut world = World::new();
			for step in steps {
				world.step(step);
				ComputeReceipts::count_stops();
			}
			world.check(before);
			world.end();
			world.check(before);
		});
	}
}
