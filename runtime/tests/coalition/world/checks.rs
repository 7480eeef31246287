//! Checks: five honest verifiers that touch, draw, look, report, witness and judge. The honest coordinator's
//! work is there, and shown to all that have a duty; what a coordinator of the coalition settles is invented, and it
//! shows it to whom it likes.

use super::{
	Role, Sent, Source, World,
	compute::{honest_coordinator, key_of},
};
use crate::{build::checks as build, chain::Key};
use gridproof_primitives::{
	H256,
	compute::{
		channels::ChannelReceipt,
		checks::{BatchId, CheckId, DisputeCause, Figures, NoVote, VerifierKey, Witness},
	},
};
use gridproof_runtime::{ComputeChecks, Runtime};
use pallet_compute_checks::{Batches, Call, Demands, Disputes, Event, Reopenings, Reports};
use sp_core::sr25519::Pair;
use std::collections::{BTreeMap, BTreeSet};

/// Highest number of checks of a batch that an honest verifier does.
const MOST: u32 = 16;

/// To whom the coalition's coordinator shows what it has invented.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Shows {
	/// To everybody that asks.
	#[default]
	All,
	/// To witnesses alone.
	Witnesses,
	/// To everybody but jurors.
	NotJurors,
	/// To nobody.
	Nobody,
}

#[derive(Default)]
pub(crate) struct Truth {
	/// To whom the coalition shows what it has invented.
	pub(crate) shows: Shows,
	/// `true` if it does not even publish its lists.
	pub(crate) hides: bool,
	/// Receipts of batches.
	pub(crate) lists: BTreeMap<BatchId, Vec<ChannelReceipt>>,
	/// What an honest verifier has drawn.
	drawn: BTreeSet<(BatchId, VerifierKey)>,
	/// Reports that it has looked at whether to re-open them.
	looked: BTreeSet<(CheckId, VerifierKey)>,
	/// `true` if the honest have done something in the last block.
	busy: bool,
	/// What the coalition's verifiers were paid, in 10⁻¹⁸ AIT: it is due to them.
	earned: u128,
	/// What the coalition received out of the account of checks, and what it put in.
	received: u128,
	put_in: u128,
}

/// The honest verifiers.
fn verifiers() -> Vec<Pair> {
	(0..5).filter_map(|number| pair_of(&Key::named(&format!("honest/verifier/{number}")))).collect()
}

pub(crate) fn pair_of(key: &Key) -> Option<Pair> {
	match key {
		Key::Wallet(pair) => Some((**pair).clone()),
		Key::Device(_) => None,
	}
}

/// Whether what a batch settles was truly done.
fn is_true(batch: &BatchId) -> bool {
	batch.coordinator == key_of(&honest_coordinator())
}

impl World {
	/// The list of a batch as others see it.
	pub(crate) fn published(&self, batch: &BatchId) -> Option<Vec<ChannelReceipt>> {
		let list = self.checks.lists.get(batch)?;
		(is_true(batch) || !self.checks.hides).then(|| list.clone())
	}

	fn shows_to(&self, batch: &BatchId, allowed: &[Shows]) -> bool {
		let list = self.published(batch).is_some();
		list && (is_true(batch) || allowed.contains(&self.checks.shows))
	}

	/// Whether something waits for the honest within minutes.
	pub(crate) fn checks_wait(&self) -> bool {
		let mut waiting = pallet_compute_receipts::WaitingBatches::<Runtime>::iter_keys();
		let untouched = waiting.any(|(coordinator, sequence)| {
			!Batches::<Runtime>::contains_key(BatchId { coordinator, sequence })
		});
		self.checks.busy || untouched
	}

	/// Whether something is open that ends within minutes.
	pub(crate) fn checks_are_open(&self) -> bool {
		let demands = Demands::<Runtime>::iter_keys().next().is_some();
		let again = Reopenings::<Runtime>::iter_keys().next().is_some();
		demands || again || Disputes::<Runtime>::iter_keys().next().is_some()
	}

	fn do_check(&mut self, call: impl Into<gridproof_runtime::RuntimeCall>) -> bool {
		let done = self.send_honest(Sent::Free(call.into())).is_done();
		self.checks.busy |= done;
		done
	}

	/// What the honest verifiers do in a block.
	pub(crate) fn honest_checks(&mut self) {
		self.checks.busy = false;
		let waiting = pallet_compute_receipts::WaitingBatches::<Runtime>::iter_keys();
		let waiting: Vec<_> = waiting
			.map(|(coordinator, sequence)| BatchId { coordinator, sequence })
			.filter(|batch| !Batches::<Runtime>::contains_key(batch))
			.collect();
		for batch in waiting {
			self.do_check(Call::<Runtime>::touch { batch });
		}
		let verifiers = verifiers();
		self.draw_and_report(&verifiers);
		self.witness_demands(&verifiers);
		self.look_again(&verifiers);
		self.judge(&verifiers);
		let over: Vec<_> = Batches::<Runtime>::iter_keys()
			.filter(|batch| {
				let known = pallet_compute_receipts::WaitingBatches::<Runtime>::contains_key(
					batch.coordinator,
					batch.sequence,
				);
				!known
			})
			.collect();
		for batch in over {
			let _ = self.send_honest(Sent::Free(Call::<Runtime>::settle_checks { batch }.into()));
		}
	}

	fn draw_and_report(&mut self, verifiers: &[Pair]) {
		for batch in Batches::<Runtime>::iter_keys().collect::<Vec<_>>() {
			for pair in verifiers {
				if !self.checks.drawn.insert((batch, build::key_of(pair))) {
					continue;
				}
				for draw in build::draws(pair, batch, MOST) {
					let receipt = self.published(&batch).and_then(|list| draw.receipt(&list));
					let shown = self.shows_to(&batch, &[Shows::All, Shows::NotJurors]);
					match receipt {
						Some(receipt) if shown => {
							self.do_check(build::report(pair, &draw, receipt, is_true(&batch)));
						},
						receipt => {
							if let Some(demand) = build::demand(pair, &draw, receipt) {
								self.do_check(demand);
							}
						},
					}
				}
			}
		}
	}

	fn witness_demands(&mut self, verifiers: &[Pair]) {
		for of in Demands::<Runtime>::iter_keys().collect::<Vec<_>>() {
			let Some(row) = Demands::<Runtime>::get(of) else { continue };
			let list = self.published(&of.batch);
			if row.receipt.is_none()
				&& let Some(list) = &list
			{
				for index in 0..list.len() {
					let named = build::placed(list, index).map(|one| build::name(of, one));
					if named.is_some_and(|call| self.do_check(call)) {
						break;
					}
				}
			}
			let shown = self.shows_to(&of.batch, &[Shows::All, Shows::Witnesses, Shows::NotJurors]);
			for pair in verifiers {
				let says = if shown { Witness::Has } else { Witness::GotNothing };
				self.do_check(build::witness(pair, of, build::named(&of), says));
			}
			let opened =
				Demands::<Runtime>::get(of).and_then(|row| Some((row.opened?, row.receipt?)));
			if let Some((check, receipt)) = opened
				&& let Some(list) = &list
			{
				let index = usize::try_from(receipt.index).expect("few");
				let Some(placed) = build::placed(list, index) else { continue };
				for pair in verifiers {
					let id = CheckId { check, ..of };
					let Some(draw) = build::draws(pair, of.batch, 1).first().cloned() else {
						continue;
					};
					let equal = is_true(&of.batch);
					let call = build::report_as(pair, id, draw.vrf, placed.clone(), equal);
					if self.do_check(call) {
						break;
					}
				}
			}
			let _ =
				self.send_honest(Sent::Free(Call::<Runtime>::close_demand { check: of }.into()));
		}
	}

	fn look_again(&mut self, verifiers: &[Pair]) {
		// What the honest reported agrees with what the honest find: it would only take time.
		let honest: BTreeSet<_> = verifiers.iter().map(build::key_of).collect();
		let reports: Vec<_> = Reports::<Runtime>::iter_keys()
			.map(|(batch, (verifier, check))| CheckId { batch, verifier, check })
			.filter(|of| !honest.contains(&of.verifier))
			.collect();
		for of in reports {
			for pair in verifiers {
				let own = build::key_of(pair);
				let is_new = own != of.verifier && self.checks.looked.insert((of, own));
				if !is_new || !self.shows_to(&of.batch, &[Shows::All, Shows::NotJurors]) {
					continue;
				}
				if let Some(call) = build::reopen(pair, of, &build::figures(is_true(&of.batch))) {
					self.do_check(call);
				}
			}
		}
		for of in Reopenings::<Runtime>::iter_keys().collect::<Vec<_>>() {
			for pair in verifiers {
				self.do_check(build::show(pair, of, build::figures(is_true(&of.batch))));
			}
			let close = Call::<Runtime>::close_reopening { check: of };
			let _ = self.send_honest(Sent::Free(close.into()));
		}
	}

	/// What is true of a dispute; `None` if it is not shown.
	fn verdict(&self, id: &H256) -> Option<bool> {
		let row = Disputes::<Runtime>::get(id)?;
		let batch = row.receipt.batch;
		self.shows_to(&batch, &[Shows::All]).then(|| match row.cause {
			DisputeCause::Reopened(of) => {
				let report = Reports::<Runtime>::get(of.batch, (of.verifier, of.check));
				let true_figures = Figures::Exact { equal: is_true(&batch) };
				// Figures that are true and agree with nobody's are invented all the same.
				report.is_some_and(|report| report.figures != true_figures)
			},
			_ => !is_true(&batch),
		})
	}

	fn judge(&mut self, verifiers: &[Pair]) {
		for id in Disputes::<Runtime>::iter_keys().collect::<Vec<_>>() {
			let verdict = self.verdict(&id);
			for pair in verifiers {
				let Some(row) = Disputes::<Runtime>::get(id) else { break };
				let call = match verdict {
					Some(guilty) => build::commit(pair, id, guilty),
					None => build::abstain(pair, id, NoVote::NotShown(row.receipt.batch)),
				};
				self.do_check(call);
			}
			for pair in verifiers {
				self.do_check(build::reveal(pair, id, verdict.unwrap_or(false)));
			}
			let close = Call::<Runtime>::close_dispute { dispute: id };
			let _ = self.send_honest(Sent::Free(close.into()));
		}
	}

	/// Notes what happens to verifiers.
	pub(crate) fn observe_checks(&mut self, event: &Event<Runtime>) {
		match event {
			Event::VerifierPaid { account, amount, .. } if self.is_ours(account) => {
				self.checks.earned += amount;
			},
			// No honest verifier pays for anything.
			Event::VerifierPunished { account, .. } | Event::JurorSilent { account, .. }
				if !self.is_ours(account) =>
			{
				self.blame(Source::HonestPunished, 1);
			},
			_ => {},
		}
	}

	/// Fees of witnesses come out of the account of checks: what the coalition puts in and takes out of it is
	/// counted together.
	pub(crate) fn observe_fees(&mut self, event: &pallet_balances::Event<Runtime>) {
		let pallet_balances::Event::Transfer { from, to, amount } = event else { return };
		let pot = gridproof_runtime::configs::ChecksAccount::get();
		if *from == pot && self.is_ours(to) {
			self.checks.received += amount;
		} else if *to == pot && self.is_ours(from) {
			self.checks.put_in += amount;
		}
	}

	/// What the coalition's verifiers earned, in 10⁻¹⁸ AIT: their pay, and fees of witnesses above what the
	/// coalition itself put in.
	pub(crate) fn earned_by_checks(&self) -> u128 {
		let Truth { earned, received, put_in, .. } = self.checks;
		earned + received.saturating_sub(put_in)
	}

	/// The key of the coalition's verifier.
	pub(crate) fn our_verifier(&self) -> Option<Pair> {
		if self.has(Role::Verifier) { pair_of(&super::wallet(Role::Verifier)) } else { None }
	}

	/// Lets five verifiers report, so that the mint's window runs.
	pub(crate) fn set_up_checks(&mut self) {
		for _ in 0..12 {
			self.pass(crate::chain::SECOND);
		}
		let stands = pallet_compute_checks::StillSince::<Runtime>::exists();
		let lately = ComputeChecks::overview().reported_lately;
		assert!(!stands, "only {lately} verifiers have reported");
	}
}
