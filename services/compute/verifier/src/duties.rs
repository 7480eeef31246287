//! What a verifier owes the others: being witness, looking a second time, being juror, showing its figures.

use crate::{
	chain::{Closing, WaitingBatch},
	statements::{Statement, name},
	verifier::{Missing, NotDone, Verifier},
	work::Measured,
};
use gridproof_keys::random;
use gridproof_primitives::compute::{
	channels::{ChannelReceipt, Placed},
	checks::{
		Ballot, BatchId, CheckId, CheckView, DemandOfOpening, DisputeCause, DisputePhase,
		DisputeView, Duty, Figures, LineClass, ModelLine, Reopening, ShownFigures, Verdict, Vrf,
		Witness, WitnessStatement, figures_commitment, is_reopened, reopen_input, repeated_reports,
	},
};

impl Verifier {
	/// Does what the others wait for.
	///
	/// # Errors
	/// [`NotDone`].
	pub(crate) async fn do_duties(&self) -> Result<(), NotDone> {
		let waiting = self.chain.waiting().await?;
		for demand in self.chain.demands().await? {
			self.witness(&waiting, &demand).await?;
		}
		let reports = self.chain.reports().await?;
		for report in &reports {
			self.look_again(&waiting, report).await?;
		}
		for id in self.chain.reopenings().await? {
			self.show(id).await?;
		}
		for dispute in self.chain.disputes().await? {
			self.judge(&waiting, &reports, &dispute).await?;
		}
		Ok(())
	}

	/// Sends what was said before and the chain does not have yet.
	///
	/// # Errors
	/// [`NotDone`].
	pub(crate) async fn say_again(&self) -> Result<(), NotDone> {
		for (about, statement) in self.state.unsent(64).await? {
			self.send(about, statement).await?;
		}
		Ok(())
	}

	/// Finds a receipt of a batch that waits; `None` if it is not published.
	async fn found(
		&self,
		waiting: &[WaitingBatch],
		batch: BatchId,
		index: u64,
	) -> Option<Placed<ChannelReceipt>> {
		let one = waiting.iter().find(|one| one.id() == batch)?;
		self.published(batch, one.hash).await.ok()?.placed(index)
	}

	/// Says whether an opening is given that another demands.
	async fn witness(
		&self,
		waiting: &[WaitingBatch],
		demand: &DemandOfOpening,
	) -> Result<(), NotDone> {
		let DemandOfOpening { id, until_ms, .. } = *demand;
		let about = name::witness(&id);
		if until_ms < self.now() {
			return self.close(Closing::Demand(id)).await;
		}
		if id.verifier == self.public() || self.state.has(about).await? {
			return Ok(());
		}
		let found = match demand.index {
			Some(index) => self.found(waiting, id.batch, index).await,
			None => None,
		};
		let has = match found {
			None => false,
			Some(placed) => match self.opened(&placed, id.batch, Duty::Witness(id)).await {
				Ok(_) => true,
				Err(Missing::NotDone(error)) => return Err(error),
				Err(error) => {
					tracing::warn!(%error, batch = id.batch.sequence, "a demanded opening is not given");
					false
				},
			},
		};
		let left = until_ms.saturating_sub(self.now());
		let half = self.chain.parameters().await?.witness_ms / 2;
		// Who gives it in the first half of the time has given it.
		if !has && left > half {
			return Ok(());
		}
		let says = if has { Witness::Has } else { Witness::GotNothing };
		let witness = WitnessStatement { witness: self.public(), of: id, says };
		self.say(about, Statement::witness(&self.key, &self.genesis, witness)).await
	}

	/// Does again what another reported, if this verifier's draw says so.
	async fn look_again(
		&self,
		waiting: &[WaitingBatch],
		report: &CheckView,
	) -> Result<(), NotDone> {
		let of = report.id;
		let about = name::reopen(&of);
		if of.verifier == self.public() || self.state.has(about).await? {
			return Ok(());
		}
		let Some(drawn) = waiting.iter().find(|one| one.id() == of.batch) else { return Ok(()) };
		let Some(checks) = drawn.checks else { return Ok(()) };
		let input = reopen_input(&self.genesis, &of.hash(), &report.block);
		let Some(pair) = self.key.pair() else { return Ok(()) };
		let vrf = Vrf::sign(&pair, &input);
		let Some(output) = vrf.verify(self.key.public(), &input) else { return Ok(()) };
		let one_in = self.chain.parameters().await?.reopen_one_in;
		if !is_reopened(&output, one_in, checks.verifiers.saturating_sub(1)) {
			return Ok(());
		}
		let duty = Duty::Reopens { of, vrf };
		let again = self.again(waiting, of.batch, report.index, duty).await?;
		let Some((measured, _)) = again else { return Ok(()) };
		let own_id = CheckId { verifier: self.public(), ..of };
		let own = self.state.keep_figures(own_id, measured.own, self.now()).await?;
		let commitment = figures_commitment(&own_id, &own);
		let reopening = Reopening { by: self.public(), of, vrf, commitment };
		self.say(about, Statement::reopen(&self.key, &self.genesis, reopening)).await
	}

	/// Does a receipt again that is given for a duty; `None` if it is not given, or cannot be done here.
	async fn again(
		&self,
		waiting: &[WaitingBatch],
		batch: BatchId,
		index: u64,
		duty: Duty,
	) -> Result<Option<(Measured, ModelLine)>, NotDone> {
		let Some(placed) = self.found(waiting, batch, index).await else { return Ok(None) };
		let Some(line) = self.chain.line(placed.item.receipt.model).await? else {
			return Ok(None);
		};
		let opened = self.opened(&placed, batch, duty).await;
		let opened = match opened {
			Ok(opened) => opened,
			Err(Missing::NotDone(error)) => return Err(error),
			Err(error) => {
				tracing::warn!(%error, batch = batch.sequence, index, "no opening for a duty");
				return Ok(None);
			},
		};
		match self.measured(opened, line).await {
			Ok(measured) => Ok(Some((measured, line))),
			Err(error) => {
				tracing::warn!(%error, batch = batch.sequence, index, "a receipt cannot be done again here");
				Ok(None)
			},
		}
	}

	/// Shows the figures of a report or a second look of its own.
	async fn show(&self, of: CheckId) -> Result<(), NotDone> {
		let about = name::show(&of);
		let is_own = of.verifier == self.public() || self.state.has(name::reopen(&of)).await?;
		if !is_own {
			return Ok(());
		}
		if self.state.has(about).await? {
			return self.close(Closing::Reopening(of)).await;
		}
		let own_id = CheckId { verifier: self.public(), ..of };
		let Some(figures) = self.state.figures(own_id).await? else {
			tracing::error!(
				batch = of.batch.sequence,
				"figures are to be shown that are not kept here"
			);
			return Ok(());
		};
		let shown = ShownFigures { by: self.public(), of, figures };
		self.say(about, Statement::show(&self.key, &self.genesis, shown)).await
	}

	/// Closes what nobody has closed yet.
	pub(crate) async fn close(&self, closing: Closing) -> Result<(), NotDone> {
		match self.chain.close(closing).await {
			// Another was faster, or its time is not over.
			Err(error) if error.is_refusal() => {
				tracing::debug!(%error, ?closing, "it is not closed");
				Ok(())
			},
			done => Ok(done?),
		}
	}

	/// Commits to a vote about a dispute, and reveals it when that is due.
	async fn judge(
		&self,
		waiting: &[WaitingBatch],
		reports: &[CheckView],
		dispute: &DisputeView,
	) -> Result<(), NotDone> {
		let id = dispute.id;
		if dispute.phase != DisputePhase::Over && self.is_party(dispute).await? {
			return Ok(());
		}
		match dispute.phase {
			DisputePhase::Commit if !self.state.has(name::commit(&id)).await? => {
				let Some(verdict) = self.verdict(waiting, reports, dispute).await? else {
					return Ok(());
				};
				let Ok(salt) = random() else { return Ok(()) };
				let ballot = Ballot { juror: self.public(), dispute: id, verdict, salt: *salt };
				// Kept before it is committed to: it has to be revealed.
				let ballot = self.state.keep_ballot(ballot, self.now()).await?;
				let commitment = Statement::commit(&self.key, &self.genesis, &ballot);
				self.say(name::commit(&id), commitment).await
			},
			// Once all have spoken it need not wait.
			DisputePhase::Reveal if has_spoken(dispute) => self.close(Closing::Dispute(id)).await,
			DisputePhase::Reveal if !self.state.has(name::reveal(&id)).await? => {
				let Some(ballot) = self.state.ballot(id).await? else { return Ok(()) };
				let vote = Statement::reveal(&self.key, &self.genesis, ballot);
				self.say(name::reveal(&id), vote).await
			},
			DisputePhase::Over => self.close(Closing::Dispute(id)).await,
			DisputePhase::Commit | DisputePhase::Reveal => Ok(()),
		}
	}

	/// Returns `true` if it accuses or is accused. A number is nobody's accusation.
	async fn is_party(&self, dispute: &DisputeView) -> Result<bool, NotDone> {
		Ok(match dispute.cause {
			DisputeCause::NotEqual(id) => id.verifier == self.public(),
			DisputeCause::Reopened(id) => {
				id.verifier == self.public() || self.state.has(name::reopen(&id)).await?
			},
			DisputeCause::Number(_) | DisputeCause::Client(_) => false,
		})
	}

	/// Returns what this verifier finds; `None` if it cannot find out yet.
	async fn verdict(
		&self,
		waiting: &[WaitingBatch],
		reports: &[CheckView],
		dispute: &DisputeView,
	) -> Result<Option<Verdict>, NotDone> {
		let found = |guilty| Verdict { guilty, invented: None };
		if let DisputeCause::Number(id) = dispute.cause {
			return self.verdict_of_number(waiting, reports, dispute, id).await.map(Some);
		}
		let duty = Duty::Juror(dispute.id);
		let again = self.again(waiting, dispute.batch, dispute.index, duty).await?;
		let Some((measured, line)) = again else {
			// What is not shown proves nothing; until the last moment it may still be.
			let left = dispute.until_ms.0.saturating_sub(self.now());
			let third = self.chain.parameters().await?.commit_ms / 3;
			return Ok((left <= third).then_some(found(false)));
		};
		Ok(Some(match dispute.cause {
			DisputeCause::Reopened(id) => {
				let report = reports.iter().find(|one| one.id == id);
				let agrees =
					report.is_none_or(|report| agree(&line, &report.figures, &measured.figures));
				found(!agrees)
			},
			_ => found(measured.figures == Figures::Exact { equal: false }),
		}))
	}

	/// Does some of the reports behind a number again, and some other receipts of that miner and model.
	async fn verdict_of_number(
		&self,
		waiting: &[WaitingBatch],
		reports: &[CheckView],
		dispute: &DisputeView,
		id: CheckId,
	) -> Result<Verdict, NotDone> {
		let innocent = Verdict { guilty: false, invented: None };
		let Some(last) = reports.iter().find(|one| one.id == id) else { return Ok(innocent) };
		let model = last.model;
		let (mut sum, mut count) = (0u64, 0u64);
		let mut line = None;
		for id in repeated_reports(&dispute.id, &dispute.reports) {
			let Some(report) = reports.iter().find(|one| one.id == id) else { continue };
			let duty = Duty::Juror(dispute.id);
			let again = self.again(waiting, report.id.batch, report.index, duty).await?;
			let Some((measured, its)) = again else { continue };
			line = Some(its);
			if !agree(&its, &report.figures, &measured.figures) {
				return Ok(Verdict { guilty: false, invented: Some(report.id.verifier) });
			}
			sum = sum.saturating_add(figure(&measured.figures));
			count = count.saturating_add(1);
		}
		let (mut other_sum, mut other_count) = (0u64, 0u64);
		for place in &dispute.others {
			let batch = place.batch;
			let Some(one) = waiting.iter().find(|one| one.id() == batch) else { continue };
			let Ok(published) = self.published(batch, one.hash).await else { continue };
			let (receipts, lists) = (published.batch.receipts(), published.batch.lists());
			let Some(index) = place.find(receipts, &lists.given_up, &model) else { continue };
			let index = u64::try_from(index).unwrap_or(u64::MAX);
			let duty = Duty::Juror(dispute.id);
			let again = self.again(waiting, batch, index, duty).await?;
			let Some((measured, _)) = again else { continue };
			other_sum = other_sum.saturating_add(figure(&measured.figures));
			other_count = other_count.saturating_add(1);
		}
		let is_above = |sum: u64, count: u64| {
			line.is_some_and(|line| count > 0 && sum > line.line.saturating_mul(count))
		};
		let guilty = is_above(sum, count) && is_above(other_sum, other_count);
		Ok(Verdict { guilty, invented: None })
	}
}

/// Returns `true` if every juror has revealed its vote.
fn has_spoken(dispute: &DisputeView) -> bool {
	let votes = dispute.votes.guilty.saturating_add(dispute.votes.not_guilty);
	let (jurors, _) = dispute.jurors;
	jurors > 0 && votes >= jurors
}

/// What figures add to a number.
fn figure(figures: &Figures) -> u64 {
	match figures {
		Figures::Seeded(seeded) => seeded.figure(),
		Figures::Exact { .. } | Figures::Embedding { .. } => 0,
	}
}

/// Returns `true` if what one verifier reported can be what another one measured.
fn agree(line: &ModelLine, report: &Figures, own: &Figures) -> bool {
	match (report, own) {
		(Figures::Seeded(report), Figures::Seeded(own)) if line.class == LineClass::Seeded => {
			let apart = report.clipped.abs_diff(own.clipped);
			let most = u64::from(own.tokens).saturating_mul(line.agreement.into());
			report.tokens == own.tokens && apart <= most
		},
		(report, own) => report == own,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use gridproof_primitives::compute::checks::SeededFigures;

	const LINE: ModelLine = ModelLine {
		class: LineClass::Seeded,
		line: 100,
		limit: 1_000,
		clip: 8_000_000,
		agreement: 10,
		finds_within: 5,
	};

	#[test]
	fn reports_agree_within_the_lines_agreement_a_token() {
		let seeded = |clipped, tokens| {
			Figures::Seeded(SeededFigures { tokens, clipped, matches: 1, end: 0 })
		};
		assert!(agree(&LINE, &seeded(500, 10), &seeded(600, 10)));
		assert!(!agree(&LINE, &seeded(500, 10), &seeded(601, 10)));
		assert!(!agree(&LINE, &seeded(500, 10), &seeded(500, 11)));
		let exact = |equal| Figures::Exact { equal };
		assert!(agree(&ModelLine::EXACT, &exact(true), &exact(true)));
		assert!(!agree(&ModelLine::EXACT, &exact(true), &exact(false)));
	}
}
