//! Who is paid what by a batch.

use super::books::*;
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use gridproof_primitives::{
	compute::channels::{BatchRefusal, BatchSums, ChannelSums, ChannelTerms, MinerSums},
	compute::settlement::Shares,
	compute::{Class, KEY_EXCHANGE_MS, PartyRole, Registration},
	num::units::AIT,
};
use sp_runtime::TokenError;

/// Free AIT and AICP of miner, second miner, coordinator and treasury.
fn wealth() -> [[u128; 2]; 4] {
	[MINER, CPU_MINER, COORDINATOR, 200].map(|who| [ait(&account(who)), aicp(&account(who))])
}

#[test]
fn a_batch_pays_each_account_its_shares_to_the_last_unit() {
	build_and_execute(|| {
		let [one, two] = [open_channel(IN_AIT), open_channel(IN_AIT)];
		let mut books = Books::of(COORDINATOR);
		books.work(one, Some(MINER), 1_000_003, 700);
		books.work(two, Some(CPU_MINER), 99, 10);
		books.work(one, None, 0, 0);
		books.work(one, Some(CPU_MINER), 500, 5);
		let batch = books.batch(IN_AIT, &[]);
		let before = wealth();
		System::reset_events();
		settle(&batch);
		// Two channels and three miners, of which one is nobody.
		let fee = 5 * FEE;
		let paid = [750_002, 450, 50_029 - fee as i128, 200_121 + fee as i128];
		for ((before, after), paid) in before.iter().zip(wealth()).zip(paid) {
			assert_eq!(after[0] as i128 - before[0] as i128, paid);
			assert_eq!(after[1], before[1]);
		}
		let left = |channel| ComputeReceipts::channel(channel).unwrap().left;
		assert_eq!([left(one), left(two)], [DEPOSIT - 1_000_503, DEPOSIT - 99]);
		let kept = 2 * (DEPOSIT + CHANNEL_DEPOSIT) - 1_000_602;
		assert_eq!(in_escrow(), [kept, 0]);
		let sums = BatchSums { receipts: 4, price: 1_000_602, weight: 715 };
		let settled = Event::BatchSettled {
			coordinator: key(COORDINATOR),
			sequence: 0,
			header_hash: batch.header.hash(),
			kind: IN_AIT,
			sums,
			fee,
		};
		assert_eq!(events().last(), Some(&settled));
		let line = Event::MinerSettled {
			coordinator: key(COORDINATOR),
			miner: key(CPU_MINER),
			settled: MinerSums { count: 2, price: 599, weight: 15 },
			shares: Shares { treasury: 120, coordinator: 29, miner: 450 },
			claim: 0,
		};
		assert!(events().contains(&line));
		let of_one = ChannelSums { count: 3, price: 1_000_503 };
		assert!(events().contains(&Event::ChannelSettled { channel: one, settled: of_one }));
		let sums = |miner| ComputeReceipts::miner_sums(key(COORDINATOR), IN_AIT, miner);
		assert_eq!(sums(Some(key(MINER))), MinerSums { count: 1, price: 1_000_003, weight: 700 });
		assert_eq!(sums(None), MinerSums { count: 1, price: 0, weight: 0 });
		let headers = ComputeReceipts::header_chain(key(COORDINATOR));
		assert_eq!((headers.next_sequence, headers.last_hash), (1, batch.header.hash()));
	});
}

#[test]
fn work_is_counted_in_the_rows_of_its_parties() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 10, 700);
		books.work(channel, Some(MINER), 10, 5);
		settle(&books.batch(IN_AIT, &[]));
		let party = |number| Parties::<Test>::get(key(number)).unwrap();
		assert_eq!((party(MINER).settled, party(MINER).compute_units), (2, 705));
		assert_eq!((party(COORDINATOR).settled, party(COORDINATOR).compute_units), (2, 705));
		assert_eq!(Recorded::get(), [(key(MINER), key(COORDINATOR), 705)]);
		assert_eq!(ComputeReceipts::overview().compute_units, 705);
		// A line is one success, whatever number of receipts it states.
		assert_eq!(ComputeReceipts::miner(key(MINER)).unwrap().successes, 1);
	});
}

#[test]
fn a_batch_in_aicp_pays_in_aicp_and_its_fee_in_ait() {
	build_and_execute(|| {
		let channel = open_channel(IN_AICP);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 1_000, 700);
		let before = wealth();
		settle(&books.batch(IN_AICP, &[MINER]));
		let after = wealth();
		assert_eq!([0, 1, 2, 3].map(|who| after[who][1]), [750, 0, 50, 200]);
		assert_eq!(before[2][0] - after[2][0], 2 * FEE);
		assert_eq!(after[3][0] - before[3][0], 2 * FEE);
		assert_eq!(in_escrow(), [CHANNEL_DEPOSIT, 9_999_000]);
	});
}

#[test]
fn a_payment_that_cannot_be_made_leaves_everything_unsettled() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 1_000_000, 1);
		books.work(channel, Some(CPU_MINER), 99, 1);
		let batch = books.batch(IN_AIT, &[]);
		let owner = |number| {
			Parties::<Test>::mutate(key(CPU_MINER), |party| {
				party.as_mut().unwrap().account = account(number);
			});
		};
		// An account that does not exist, for which a share is too little to begin with.
		owner(77);
		let call = Call::settle_batch { batch: Box::new(batch.clone()) };
		assert_noop!(dispatch(call, account(8)), TokenError::BelowMinimum);
		owner(CPU_MINER);
		settle(&batch);
	});
}

#[test]
fn a_notice_stands_still_while_settlement_is_stopped() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 1_000, 1);
		let batch = books.batch(IN_AIT, &[]);
		assert_ok!(close_as(9, channel));
		pass(NOTICE_MS - 1);
		// The client closes, and a stop keeps the coordinator from settling: it gets the time back.
		assert_ok!(dispatch(Call::set_breaker { new: Breaker::AllStopped }, account(99)));
		pass(5 * DAY_MS);
		assert_noop!(give_back(&[channel]), Error::<Test>::NothingDue);
		let call = Call::set_breaker { new: Breaker::Closed };
		assert_ok!(dispatch_as(call, RuntimeOrigin::root()));
		let ends = START + NOTICE_MS + 5 * DAY_MS;
		assert_eq!(ComputeReceipts::channel(channel).unwrap().channel.ends_ms, Some(ends));
		settle(&batch);
		assert_eq!(Channels::<Test>::get(channel).unwrap().channel.ends_ms, Some(ends));
		pass(1);
		assert_ok!(give_back(&[channel]));
		let ended = Event::ChannelEnded { channel, client: client(), rest: DEPOSIT - 1_000 };
		assert_eq!(events().last(), Some(&ended));
	});
}

#[test]
fn a_client_that_closes_while_its_coordinator_is_away_pays_what_it_owes() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 40 * AIT, 1);
		assert_ok!(close_as(9, channel));
		// The coordinator comes back on the last moment of the notice; anybody submits for it.
		pass(NOTICE_MS - 1);
		settle(&books.batch(IN_AIT, &[]));
		pass(1);
		let before = ait(&client());
		assert_ok!(give_back(&[channel]));
		assert_eq!(ait(&client()) - before, 60 * AIT + CHANNEL_DEPOSIT);
	});
}

#[test]
fn a_coordinator_that_empties_a_kept_channel_takes_a_days_limit_a_day() {
	build_and_execute(|| {
		let kept = ChannelTerms { signer: None, daily_limit: AIT, ..terms(IN_AIT) };
		let channel = open_as(9, kept).unwrap();
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), AIT, 1);
		settle(&books.batch(IN_AIT, &[]));
		pass(SPACING_MS);
		books.work(channel, Some(MINER), 1, 1);
		let batch = books.batch(IN_AIT, &[]);
		refuse(&batch, BatchRefusal::AboveDailyLimit);
		// Its bond is as high at least as what it can take until the client sees it.
		let party = Parties::<Test>::get(key(COORDINATOR)).unwrap();
		assert!(party.bond >= KeptLimits::<Test>::get(key(COORDINATOR)));
		let view = ComputeReceipts::channel(channel).unwrap();
		assert_eq!((view.left, view.is_kept()), (DEPOSIT - AIT, true));
	});
}

#[test]
fn what_an_old_key_signed_is_settled_for_the_party_that_has_a_new_one() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 1_000_000, 1);
		for (who, new, role) in
			[(MINER, 61, PartyRole::Miner(Class::Gpu)), (COORDINATOR, 60, PartyRole::Coordinator)]
		{
			let statement = Registration { role, account: account(who).into() };
			let proof = sign(new, &statement.signing_payload(&genesis()));
			let call = Call::exchange_key { key: key(who), new: key(new), proof };
			assert_ok!(dispatch(call, account(who)));
			pass(KEY_EXCHANGE_MS);
			assert_ok!(dispatch(Call::complete_exchange { key: key(who) }, account(8)));
		}
		let before = wealth();
		settle(&books.batch(IN_AIT, &[MINER]));
		let after = wealth();
		assert_eq!(after[0][0] - before[0][0], 750_000);
		assert_eq!(after[2][0] + 2 * FEE - before[2][0], 50_000);
		assert_eq!(Parties::<Test>::get(key(61)).unwrap().settled, 1);
		// The new key has batches of its own.
		let theirs = ChannelTerms { coordinator: key(60), ..terms(IN_AIT) };
		let second = open_as(9, theirs).unwrap();
		let mut books = Books::of(60);
		books.work(second, Some(61), 1_000_000, 1);
		settle(&books.batch(IN_AIT, &[]));
	});
}

#[test]
fn a_bond_answers_for_what_a_leaving_party_settles() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 1_000, 1);
		for who in [MINER, COORDINATOR] {
			assert_ok!(dispatch(Call::leave { key: key(who) }, account(who)));
		}
		pass(DAY_MS);
		settle(&books.batch(IN_AIT, &[]));
		for who in [MINER, COORDINATOR] {
			let free = Parties::<Test>::get(key(who)).unwrap().leaving_ms;
			assert_eq!(free, Some(START + 8 * DAY_MS));
		}
	});
}

#[test]
fn who_submits_a_batch_that_settles_pays_nothing_and_gets_nothing() {
	build_and_execute(|| {
		let channel = open_channel(IN_AIT);
		let mut books = Books::of(COORDINATOR);
		books.work(channel, Some(MINER), 1_000, 1);
		let batch = books.batch(IN_AIT, &[]);
		let before = ait(&account(8));
		assert_eq!(submit(&batch), (None, Pays::No));
		assert_eq!(submit(&batch), (Some(BatchRefusal::SequencePast), Pays::Yes));
		assert_eq!(ait(&account(8)), before);
	});
}
