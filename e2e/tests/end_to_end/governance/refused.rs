//! What too few want is not done, and no AIT votes twice: each referendum here would pass if its rule
//! did not hold.

use super::once;
use anyhow::{Result, ensure};
use gridproof_chain::{
	Call, ChainError, Refusal, Submitter,
	pallets::{
		balances::call::transfer_keep_alive,
		conviction_voting,
		meter_readings::{call::set_limits, query::limits},
		referenda::Referendum,
	},
	refusal::{PoolRefusal, TokenRefusal, TransactionRefusal},
};
use gridproof_e2e::{
	holders::Holders,
	transfers::{AIT, account},
};
use gridproof_keys::account::address;
use subxt::dynamic::{self, Value};

/// Bytes of an amount at the end of a vote.
const AMOUNT_BYTES: usize = 16;
/// An aye that counts six times.
const SIXFOLD: u8 = 0b1000_0110;

/// AIT for and against a referendum, in units of 10⁻¹⁸ AIT.
async fn tally(holders: &Holders, index: u32) -> Result<(u128, u128)> {
	let tally = holders.ongoing(index).await?.tally;
	Ok((tally.ayes, tally.nays))
}

/// Nobody is against it, and less than a tenth of all AIT is for it: who votes twice votes once.
async fn too_few(holders: &Holders, proposal: &str) -> Result<u32> {
	let who = "//Alice//stash";
	let index = holders.propose(&["gov", "propose", proposal], who).await?;
	let more = holders.vote(index, "aye", "900000", who).await?;
	more.assert_refused("ConvictionVoting.InsufficientFunds");
	holders.aye(index, "500000", who).await?;
	holders.aye(index, "700000", who).await?;
	assert_eq!(tally(holders, index).await?, (700_000 * AIT, 0));
	Ok(index)
}

/// More than a tenth of all AIT is for it, and that is less than 51 % of the votes.
async fn divided(holders: &Holders, proposal: &str) -> Result<u32> {
	let index = holders.propose(&["gov", "propose", proposal], "//Charlie").await?;
	let (ayes, nays) = tokio::try_join!(
		async {
			holders.aye(index, "510000", "//Alice").await?;
			holders.aye(index, "510000", "//Bob").await
		},
		async {
			holders.vote(index, "nay", "500000", "//Charlie").await?.done()?;
			holders.vote(index, "nay", "490000", "//Dave").await?.done()
		},
	)?;
	ensure!(ayes["referendum"] == index && nays["referendum"] == index, "{ayes} {nays}");
	assert_eq!(tally(holders, index).await?, (1_020_000 * AIT, 990_000 * AIT));
	Ok(index)
}

/// Enough want it, but who proposes it has half of the deposit for its decision.
async fn unpaid(holders: &Holders, proposal: &str) -> Result<u32> {
	let poor = address(&account("//Poor")?.public_key().0);
	let give = ["wallet", "transfer", "--to", &poor, "--amount", "510.5"];
	holders.run(&give, "//Dave//stash").await?.done()?;
	let propose = ["gov", "propose", proposal, "--no-deposit"];
	let index = holders.propose(&propose, "//Poor").await?;
	let deposit = holders.run(&["gov", "deposit", &index.to_string()], "//Poor").await?;
	deposit.assert_refused("the account holds less than that");
	holders.aye(index, "600000", "//Dave//stash").await?;
	holders.aye(index, "600000", "//Eve//stash").await?;
	assert_eq!(tally(holders, index).await?, (1_200_000 * AIT, 0));
	let shown = holders.show(index).await?["ongoing"].take();
	assert_eq!(shown["deposit"], false);
	assert!(shown["deciding_since"].is_null(), "{shown}");
	Ok(index)
}

/// What voted cannot go to another account and vote there as well.
async fn moved(holders: &Holders, proposal: &str) -> Result<u32> {
	let who = "//Eve";
	let index = holders.propose(&["gov", "propose", proposal], who).await?;
	holders.aye(index, "600000", who).await?;
	let other = account("//Twice")?.public_key().0;
	let to = address(&other);
	let give = ["wallet", "transfer", "--to", &to, "--amount", "600000"];
	// The command sees it before anything is sent, and the chain does without the command.
	holders.run(&give, who).await?.assert_refused("nothing was sent");
	let eve = Submitter::new(holders.reserve.chain.clone(), account(who)?, once());
	let sent = eve.submit_one(&transfer_keep_alive(other, 600_000 * AIT)).await;
	let frozen = Refusal::Token(TokenRefusal::Frozen);
	assert_eq!(sent.err(), Some(ChainError::Refused(frozen)));

	// Once the vote is taken back it may: it votes there, and here no more.
	let taken = holders.run(&["gov", "vote", &index.to_string(), "nothing"], who).await?;
	taken.done()?;
	assert_eq!(tally(holders, index).await?, (0, 0));
	holders.run(&["gov", "unlock", "--track", "standard"], who).await?.done()?;
	holders.run(&give, who).await?.done()?;
	holders.aye(index, "590000", "//Twice").await?;
	let again = holders.vote(index, "aye", "600000", who).await?;
	again.assert_refused("ConvictionVoting.InsufficientFunds");
	holders.aye(index, "200000", who).await?;
	assert_eq!(tally(holders, index).await?, (790_000 * AIT, 0));
	Ok(index)
}

/// What somebody else votes with does not vote itself, and no vote is split or counts more than once.
async fn lent(holders: &Holders, proposal: &str) -> Result<u32> {
	let index = holders.propose(&["gov", "propose", proposal], "//Ferdie").await?;
	let to = address(&account("//Charlie//stash")?.public_key().0);
	let lend = ["gov", "delegate", &to, "--track", "standard", "--amount", "600000"];
	holders.run(&lend, "//Bob//stash").await?.done()?;
	let own = holders.vote(index, "aye", "600000", "//Bob//stash").await?;
	own.assert_refused("ConvictionVoting.AlreadyDelegating");
	holders.aye(index, "300000", "//Charlie//stash").await?;
	assert_eq!(tally(holders, index).await?, (900_000 * AIT, 0));

	let ferdie = Submitter::new(holders.reserve.chain.clone(), account("//Ferdie")?, once());
	for vote in [split(holders, index).await?, sixfold(holders, index).await?] {
		let stopped = PoolRefusal::Transaction(TransactionRefusal::Call);
		let sent = ferdie.submit_one(&vote).await;
		assert_eq!(sent.err(), Some(ChainError::Refused(Refusal::Pool(stopped))), "{vote}");
	}
	assert_eq!(tally(holders, index).await?, (900_000 * AIT, 0));
	Ok(index)
}

/// A vote for and against, at once.
async fn split(holders: &Holders, index: u32) -> Result<Call> {
	let amount = || Value::u128(100_000 * AIT);
	let vote = Value::named_variant("Split", [("aye", amount()), ("nay", amount())]);
	let arguments = vec![Value::u128(index.into()), vote];
	let vote = dynamic::transaction("ConvictionVoting", "vote", arguments);
	let block = holders.api.at_current_block().await?;
	Ok(Call::whole(block.transactions().call_data(&vote)?))
}

/// A vote that counts six times, as other chains have it for who waits longer.
async fn sixfold(holders: &Holders, index: u32) -> Result<Call> {
	let vote = conviction_voting::call::vote(index, true, 100_000 * AIT);
	let mut bytes = holders.encoded(&vote).await?;
	let place = bytes.len() - AMOUNT_BYTES - 1;
	bytes[place] = SIXFOLD;
	Ok(Call::whole(bytes))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_too_few_want_is_not_done_and_no_ait_votes_twice() -> Result<()> {
	let holders = Holders::start().await?;
	let (before, _) = holders.reserve.chain.read(&limits()).await?;
	let mut other = before;
	other.batch.free_per_hour += 1;
	let proposal = format!("0x{}", hex::encode(holders.encoded(&set_limits(&other)).await?));
	let (few, divided, unpaid, moved, lent) = tokio::try_join!(
		too_few(&holders, &proposal),
		divided(&holders, &proposal),
		unpaid(&holders, &proposal),
		moved(&holders, &proposal),
		lent(&holders, &proposal),
	)?;
	for (index, why) in [
		(few, "a tenth is not for it"),
		(divided, "51 % are not for it"),
		(moved, "what was moved votes once"),
		(lent, "what was lent votes once"),
	] {
		let end = holders.wait_until_over(index).await?;
		assert!(matches!(end, Referendum::Rejected(..)), "{why}: {end:?}");
	}
	// Without its deposit it ends after fourteen days, however many are for it.
	let end = holders.wait_until_over(unpaid).await?;
	assert!(matches!(end, Referendum::TimedOut(..)), "{end:?}");
	assert_eq!(holders.listed(unpaid).await?["state"], "timed_out");
	let (now, _) = holders.reserve.chain.read(&limits()).await?;
	assert_eq!(now, before);
	let refund = holders.run(&["gov", "refund", &unpaid.to_string()], "//Poor").await?;
	refund.assert_refused("has no deposit that returns");
	holders.reserve.node.assert_no_errors();
	Ok(())
}
