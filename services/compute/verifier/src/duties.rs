//! What a verifier owes the others: being witness, looking a second time, being juror, showing its figures.

use crate::{
	chain::{Closing, WaitingBatch},
	checks::is_out,
	coordinators::NotGiven,
	draws::Published,
	statements::{Statement, name},
	verifier::{Missing, NotDone, Verifier},
	work::Measured,
};
use gridproof_compute_api::opening::Opened;
use gridproof_keys::random;
use gridproof_primitives::compute::{
	channels::{ChannelReceipt, Placed},
	checks::{
		Abstention, Ballot, BatchId, CheckId, CheckView, DemandOfOpening, DisputeCause,
		DisputePhase, DisputeView, Duty, Figures, JURY_REPEATS, LineClass, ModelLine, NoVote,
		Reopening, ShownFigures, Verdict, VerifierView, Vrf, Witness, WitnessStatement,
		figures_commitment, is_reopened, reopen_input, repeated_reports,
	},
};
use gridproof_support::Lock;
use std::{collections::BTreeSet, sync::Arc};

/// Most batches whose window is over and of which reports can still be looked at.
const MOST_WATCHED: u32 = 1_000;
/// Draw of a report for which nothing was drawn: the chain knows the check by its number.
const NO_DRAW: Vrf = Vrf { output: [0; 32], proof: [0; 64] };

/// Why there is no opening for a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NoOpening {
	/// The coordinator was asked for list and opening, and gave nothing that holds.
	GotNothing,
	/// Nothing is said about the coordinator: nobody knows its address, nothing can be open about the batch any
	/// more, or the model has no line.
	NotAsked,
}

impl NoOpening {
	const fn of(error: &NotGiven) -> Self {
		match error {
			NotGiven::Unknown(_) => Self::NotAsked,
			NotGiven::Client(_) | NotGiven::NotIt(_) => Self::GotNothing,
		}
	}
}

/// What a juror says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
	/// Vote to which it commits.
	Vote(Verdict),
	/// That it has none, and why.
	NoVote(NoVote),
}

impl Finding {
	const fn guilty(guilty: bool) -> Self {
		Self::Vote(Verdict { guilty, invented: None })
	}
}

impl Verifier {
	/// Does what the others wait for.
	///
	/// # Errors
	/// [`NotDone`].
	pub(crate) async fn do_duties(&self) -> Result<(), NotDone> {
		let open = self.open_batches().await?;
		let demands = self.chain.demands().await?;
		self.forget_witnessed(&demands);
		for demand in &demands {
			self.answer(&open, demand).await?;
		}
		let mut reports = Vec::new();
		for batch in open.iter().filter(|batch| batch.checks.is_some()) {
			reports.extend(self.chain.reports(batch.id()).await?);
		}
		let view = self.chain.verifier(self.public()).await?;
		let one_in = self.chain.parameters().await?.reopen_one_in;
		for report in &reports {
			self.look_again(&open, view.as_ref(), report, one_in).await?;
		}
		for id in self.chain.reopenings().await? {
			self.show(id).await?;
		}
		for dispute in self.chain.disputes().await? {
			self.judge(&open, &reports, &dispute).await?;
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

	/// Returns the batches about which something can be open: those that wait, and those of which nothing waits
	/// any more while their checks are not counted. A report of the last block of a window is re-opened after it.
	async fn open_batches(&self) -> Result<Vec<WaitingBatch>, NotDone> {
		let mut open = self.chain.waiting().await?;
		let waiting: BTreeSet<BatchId> = open.iter().map(WaitingBatch::id).collect();
		for (batch, hash) in self.state.watched(MOST_WATCHED).await? {
			let Some(hash) = hash.filter(|_| !waiting.contains(&batch)) else { continue };
			let Some(checks) = self.chain.drawn(batch).await? else { continue };
			open.push(WaitingBatch {
				hash,
				coordinator: batch.coordinator,
				sequence: batch.sequence,
				due_ms: 0,
				checks: Some(checks),
				is_ripe: false,
			});
		}
		Ok(open)
	}

	/// Forgets openings that are not demanded any more.
	fn forget_witnessed(&self, demands: &[DemandOfOpening]) {
		let open: BTreeSet<CheckId> = demands.iter().map(|demand| demand.id).collect();
		self.witnessed.locked().retain(|id, _| open.contains(id));
	}

	/// Returns what the coordinator of an open batch publishes.
	async fn list_of(
		&self,
		open: &[WaitingBatch],
		batch: BatchId,
	) -> Result<Arc<Published>, NoOpening> {
		let one = open.iter().find(|one| one.id() == batch).ok_or(NoOpening::NotAsked)?;
		self.published(batch, one.hash).await.map_err(|error| {
			tracing::warn!(%error, batch = batch.sequence, "receipts are not published");
			NoOpening::of(&error)
		})
	}

	/// Returns a receipt of an open batch with its place in it.
	async fn found(
		&self,
		open: &[WaitingBatch],
		batch: BatchId,
		index: u64,
	) -> Result<Placed<ChannelReceipt>, NoOpening> {
		self.list_of(open, batch).await?.placed(index).ok_or(NoOpening::NotAsked)
	}

	/// Asks for the opening of a receipt for a duty.
	async fn given(
		&self,
		placed: &Placed<ChannelReceipt>,
		batch: BatchId,
		duty: Duty,
	) -> Result<Result<Opened, NoOpening>, NotDone> {
		let error = match self.opened(placed, batch, duty).await {
			Ok(opened) => return Ok(Ok(opened)),
			Err(Missing::Chain(error)) => return Err(error),
			Err(error) => error,
		};
		let index = placed.index;
		tracing::warn!(%error, batch = batch.sequence, index, "no opening for a duty");
		Ok(Err(match &error {
			Missing::Opening(error) => NoOpening::of(error),
			Missing::NotOpened(_) | Missing::Chain(_) => NoOpening::GotNothing,
		}))
	}

	/// Does what a demand of an opening asks of this verifier.
	async fn answer(&self, open: &[WaitingBatch], demand: &DemandOfOpening) -> Result<(), NotDone> {
		let DemandOfOpening { id, index, until_ms, opened, .. } = *demand;
		if until_ms < self.now() {
			return self.close(Closing::Demand(id)).await;
		}
		let Some(index) = index else { return self.name_demanded(open, demand).await };
		if id.verifier == self.public() {
			return Ok(());
		}
		match opened {
			None => self.witness(open, demand, index).await,
			Some(number) => self.report_opened(open, id, index, number).await,
		}
	}

	/// Names the receipt that a demand means without a name. Only where its list is not to be had a witness has
	/// got nothing.
	async fn name_demanded(
		&self,
		open: &[WaitingBatch],
		demand: &DemandOfOpening,
	) -> Result<(), NotDone> {
		let DemandOfOpening { id, miner, until_ms, .. } = *demand;
		match self.list_of(open, id.batch).await {
			Ok(published) => {
				// Another may have named it just now.
				let Some(place) = self.chain.place(id).await? else { return Ok(()) };
				let Some(placed) = published.at(&miner, place) else {
					let batch = id.batch.sequence;
					tracing::error!(batch, place, "a demand means no receipt of its batch");
					return Ok(());
				};
				match self.chain.name(id, placed).await {
					Err(error) if error.is_refusal() => {
						tracing::debug!(%error, "a demanded receipt is not named");
						Ok(())
					},
					done => Ok(done?),
				}
			},
			Err(NoOpening::NotAsked) => Ok(()),
			Err(NoOpening::GotNothing) => {
				let about = name::witness_of_list(&id);
				let is_own = id.verifier == self.public();
				if is_own || !self.is_half_over(until_ms).await? || self.state.has(about).await? {
					return Ok(());
				}
				let says = Witness::GotNothing;
				let witness =
					WitnessStatement { witness: self.public(), of: id, index: None, says };
				self.say(about, Statement::witness(&self.key, &self.genesis, witness)).await
			},
		}
	}

	/// Returns `true` if half of the time of witnesses is over. Who gives an opening in the first half of it has
	/// given it.
	async fn is_half_over(&self, until_ms: u64) -> Result<bool, NotDone> {
		let half = self.chain.parameters().await?.witness_ms / 2;
		Ok(until_ms.saturating_sub(self.now()) <= half)
	}

	/// Says whether an opening is given that another demands.
	async fn witness(
		&self,
		open: &[WaitingBatch],
		demand: &DemandOfOpening,
		index: u64,
	) -> Result<(), NotDone> {
		let DemandOfOpening { id, until_ms, .. } = *demand;
		let about = name::witness(&id);
		if self.state.has(about).await? {
			return Ok(());
		}
		let shown = match self.found(open, id.batch, index).await {
			Err(missing) => Err(missing),
			Ok(placed) => {
				let given = self.given(&placed, id.batch, Duty::Witness(id)).await?;
				given.map(|opened| (placed, opened))
			},
		};
		let says = match shown {
			Ok(shown) => {
				self.witnessed.locked().insert(id, shown);
				Witness::Has
			},
			Err(NoOpening::NotAsked) => return Ok(()),
			Err(NoOpening::GotNothing) if self.is_half_over(until_ms).await? => Witness::GotNothing,
			Err(NoOpening::GotNothing) => return Ok(()),
		};
		let index = Some(index);
		let witness = WitnessStatement { witness: self.public(), of: id, index, says };
		self.say(about, Statement::witness(&self.key, &self.genesis, witness)).await
	}

	/// Reports a check as its own whose opening it has as a witness, once two thirds have it.
	async fn report_opened(
		&self,
		open: &[WaitingBatch],
		id: CheckId,
		index: u64,
		number: u32,
	) -> Result<(), NotDone> {
		let own = CheckId { batch: id.batch, verifier: self.public(), check: number };
		let has = match self.state.said(name::witness(&id)).await? {
			Some(Statement::Witness(said, _)) => said.says == Witness::Has,
			_ => false,
		};
		let is_done = self.state.has(name::report(&own)).await?;
		if !has || is_done || self.state.is_left_out(own).await? {
			return Ok(());
		}
		let kept = self.witnessed.locked().get(&id).cloned();
		let (placed, opened) = match kept {
			Some(shown) => shown,
			// After a crash it has to be shown once more.
			None => {
				let Ok(placed) = self.found(open, id.batch, index).await else { return Ok(()) };
				let given = self.given(&placed, id.batch, Duty::Witness(id)).await?;
				let Ok(opened) = given else { return Ok(()) };
				self.witnessed.locked().insert(id, (placed.clone(), opened.clone()));
				(placed, opened)
			},
		};
		let Some(line) = self.chain.line(placed.item.receipt.model).await? else { return Ok(()) };
		self.report(own, NO_DRAW, placed, opened, line).await
	}

	/// Does again what another reported, if this verifier's draw says so.
	async fn look_again(
		&self,
		open: &[WaitingBatch],
		view: Option<&VerifierView>,
		report: &CheckView,
		one_in: u32,
	) -> Result<(), NotDone> {
		let of = report.id;
		let about = name::reopen(&of);
		if of.verifier == self.public() || self.state.has(about).await? {
			return Ok(());
		}
		let Some(drawn) = open.iter().find(|one| one.id() == of.batch) else { return Ok(()) };
		let Some(checks) = drawn.checks.filter(|checks| !is_out(view, checks)) else {
			return Ok(());
		};
		let input = reopen_input(&self.genesis, &of.hash(), &report.block);
		let Some(pair) = self.key.pair() else { return Ok(()) };
		let vrf = Vrf::sign(&pair, &input);
		let Some(output) = vrf.verify(self.key.public(), &input) else { return Ok(()) };
		if !is_reopened(&output, one_in, checks.verifiers.saturating_sub(1)) {
			return Ok(());
		}
		let duty = Duty::Reopens { of, vrf };
		let shown = self.shown(open, of.batch, report.index, duty).await?;
		let Ok((opened, line)) = shown else { return Ok(()) };
		let measured = self.measured_here(of.batch, report.index, opened, line).await;
		let Some(measured) = measured else { return Ok(()) };
		let own_id = CheckId { verifier: self.public(), ..of };
		// By the report's own id: a check of this verifier may have the same number.
		let own = self.state.keep_figures(of, measured.own, self.now()).await?;
		let commitment = figures_commitment(&own_id, &own);
		let reopening = Reopening { by: self.public(), of, vrf, commitment };
		self.say(about, Statement::reopen(&self.key, &self.genesis, reopening)).await
	}

	/// Returns the opening of a receipt that is given for a duty, with the line of its model.
	async fn shown(
		&self,
		open: &[WaitingBatch],
		batch: BatchId,
		index: u64,
		duty: Duty,
	) -> Result<Result<(Opened, ModelLine), NoOpening>, NotDone> {
		let placed = match self.found(open, batch, index).await {
			Ok(placed) => placed,
			Err(missing) => return Ok(Err(missing)),
		};
		let Some(line) = self.chain.line(placed.item.receipt.model).await? else {
			return Ok(Err(NoOpening::NotAsked));
		};
		let given = self.given(&placed, batch, duty).await?;
		Ok(given.map(|opened| (opened, line)))
	}

	/// Does an opened receipt again; `None` if that cannot be done here, now or at all.
	async fn measured_here(
		&self,
		batch: BatchId,
		index: u64,
		opened: Opened,
		line: ModelLine,
	) -> Option<Measured> {
		let measured = self.measured(opened, line).await;
		if let Err(error) = &measured {
			let batch = batch.sequence;
			tracing::warn!(%error, batch, index, "a receipt cannot be done again here");
		}
		measured.ok()
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
		let Some(figures) = self.state.figures(of).await? else {
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

	/// Commits to a vote about a dispute, or says that it has none; reveals the vote when that is due.
	async fn judge(
		&self,
		open: &[WaitingBatch],
		reports: &[CheckView],
		dispute: &DisputeView,
	) -> Result<(), NotDone> {
		let id = dispute.id;
		if dispute.phase != DisputePhase::Over && self.is_party(dispute).await? {
			return Ok(());
		}
		match dispute.phase {
			DisputePhase::Commit if !self.state.has(name::commit(&id)).await? => {
				match self.finding(open, reports, dispute).await? {
					None => Ok(()),
					Some(Finding::NoVote(why)) => {
						let abstention = Abstention { juror: self.public(), dispute: id, why };
						let said = Statement::abstain(&self.key, &self.genesis, abstention);
						self.say(name::commit(&id), said).await
					},
					Some(Finding::Vote(verdict)) => {
						let Ok(salt) = random() else { return Ok(()) };
						let (juror, dispute) = (self.public(), id);
						let ballot = Ballot { juror, dispute, verdict, salt: *salt };
						// Kept before it is committed to: it has to be revealed.
						let ballot = self.state.keep_ballot(ballot, self.now()).await?;
						let commitment = Statement::commit(&self.key, &self.genesis, &ballot);
						self.say(name::commit(&id), commitment).await
					},
				}
			},
			DisputePhase::Reveal if !self.state.has(name::reveal(&id)).await? => {
				match self.state.ballot(id).await? {
					Some(ballot) => {
						let vote = Statement::reveal(&self.key, &self.genesis, ballot);
						self.say(name::reveal(&id), vote).await
					},
					None => self.close_if_spoken(dispute).await,
				}
			},
			DisputePhase::Reveal => self.close_if_spoken(dispute).await,
			DisputePhase::Over => self.close(Closing::Dispute(id)).await,
			DisputePhase::Commit => Ok(()),
		}
	}

	/// Closes a dispute that need not wait for the end of its time.
	async fn close_if_spoken(&self, dispute: &DisputeView) -> Result<(), NotDone> {
		if has_spoken(dispute) {
			return self.close(Closing::Dispute(dispute.id)).await;
		}
		Ok(())
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

	/// Returns what this verifier finds; `None` if it cannot find out, yet or at all: then it says nothing.
	async fn finding(
		&self,
		open: &[WaitingBatch],
		reports: &[CheckView],
		dispute: &DisputeView,
	) -> Result<Option<Finding>, NotDone> {
		if let DisputeCause::Number(id) = dispute.cause {
			return self.finding_of_number(open, reports, dispute, id).await;
		}
		let (batch, index) = (dispute.batch, dispute.index);
		let (opened, line) = match self.shown(open, batch, index, Duty::Juror(dispute.id)).await? {
			Ok(shown) => shown,
			Err(NoOpening::GotNothing) => return self.not_shown(dispute, batch).await,
			Err(NoOpening::NotAsked) => return Ok(None),
		};
		let measured = self.measured_here(batch, index, opened, line).await;
		let Some(measured) = measured else { return Ok(None) };
		let guilty = match dispute.cause {
			DisputeCause::Reopened(id) => {
				let Some(report) = reports.iter().find(|one| one.id == id) else {
					return Ok(None);
				};
				!is_found_again(&line, report, &measured)
			},
			_ => measured.figures == Figures::Exact { equal: false },
		};
		Ok(Some(Finding::guilty(guilty)))
	}

	/// What is not shown acquits nobody, and until the last third of the time it may still be shown.
	async fn not_shown(
		&self,
		dispute: &DisputeView,
		batch: BatchId,
	) -> Result<Option<Finding>, NotDone> {
		let left = dispute.until_ms.0.saturating_sub(self.now());
		let third = self.chain.parameters().await?.commit_ms / 3;
		Ok((left <= third).then_some(Finding::NoVote(NoVote::NotShown(batch))))
	}

	/// Does some of the reports behind a number again, and some other receipts of that miner and model: those that
	/// the chain has drawn. Nothing is done before all of them are shown.
	async fn finding_of_number(
		&self,
		open: &[WaitingBatch],
		reports: &[CheckView],
		dispute: &DisputeView,
		id: CheckId,
	) -> Result<Option<Finding>, NotDone> {
		// It is kept as long as the dispute is open, so these reports are older than that.
		let Some(last) = reports.iter().find(|one| one.id == id) else { return Ok(None) };
		let (model, duty) = (last.model, Duty::Juror(dispute.id));
		let mut repeated = Vec::new();
		for id in repeated_reports(&dispute.id, &dispute.reports) {
			// What was counted meanwhile is not known any more.
			let Some(report) = reports.iter().find(|one| one.id == id) else { continue };
			let batch = report.id.batch;
			match self.shown(open, batch, report.index, duty).await? {
				Ok(shown) => repeated.push((report, shown)),
				Err(NoOpening::GotNothing) => return self.not_shown(dispute, batch).await,
				Err(NoOpening::NotAsked) => return Ok(None),
			}
		}
		let most = usize::try_from(JURY_REPEATS).unwrap_or(usize::MAX);
		let mut others = Vec::new();
		for place in &dispute.others {
			if others.len() >= most {
				break;
			}
			let batch = place.batch;
			if !open.iter().any(|one| one.id() == batch) {
				continue;
			}
			let published = match self.list_of(open, batch).await {
				Ok(published) => published,
				Err(NoOpening::GotNothing) => return self.not_shown(dispute, batch).await,
				Err(NoOpening::NotAsked) => return Ok(None),
			};
			let (receipts, lists) = (published.batch.receipts(), published.batch.lists());
			let Some(index) = place.find(receipts, &lists.given_up, &model) else { continue };
			let index = u64::try_from(index).unwrap_or(u64::MAX);
			match self.shown(open, batch, index, duty).await? {
				Ok(shown) => others.push((batch, index, shown)),
				Err(NoOpening::GotNothing) => return self.not_shown(dispute, batch).await,
				Err(NoOpening::NotAsked) => return Ok(None),
			}
		}
		if repeated.is_empty() || others.is_empty() {
			return Ok(Some(Finding::NoVote(NoVote::NothingElse)));
		}
		let (mut of_reports, mut of_others) = (Vec::new(), Vec::new());
		for (report, (opened, line)) in repeated {
			let (batch, index) = (report.id.batch, report.index);
			let measured = self.measured_here(batch, index, opened, line).await;
			let Some(measured) = measured else { return Ok(None) };
			if !agree(&line, &report.figures, &measured.figures) {
				let invented = Some(report.id.verifier);
				return Ok(Some(Finding::Vote(Verdict { guilty: false, invented })));
			}
			of_reports.push((figure(&measured.figures), line.line));
		}
		for (batch, index, (opened, line)) in others {
			let measured = self.measured_here(batch, index, opened, line).await;
			let Some(measured) = measured else { return Ok(None) };
			of_others.push((figure(&measured.figures), line.line));
		}
		Ok(Some(Finding::guilty(is_above(&of_reports) && is_above(&of_others))))
	}
}

/// Returns `true` if every juror that has committed to a vote has revealed it. Who has not may have said that it has
/// no vote; the chain knows.
fn has_spoken(dispute: &DisputeView) -> bool {
	let (jurors, committed) = dispute.jurors;
	jurors > 0 && dispute.votes.number() >= committed
}

/// Returns `true` if figures, each with its line, are above it together.
fn is_above(figures: &[(u64, u64)]) -> bool {
	let sum = |of: fn(&(u64, u64)) -> u64| figures.iter().map(of).fold(0u64, u64::saturating_add);
	sum(|(figure, _)| *figure) > sum(|(_, line)| *line)
}

/// Returns `true` if a report is what this verifier measured. Of class `exact` all have the same bits, and so the
/// report's commitment is to these.
fn is_found_again(line: &ModelLine, report: &CheckView, measured: &Measured) -> bool {
	let is_committed = figures_commitment(&report.id, &measured.own) == report.commitment;
	let agrees = agree(line, &report.figures, &measured.figures);
	agrees && (is_committed || line.class != LineClass::Exact)
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
	fn figures_are_above_the_line_together_and_none_are_above_nothing() {
		assert!(!is_above(&[]));
		assert!(!is_above(&[(100, 100), (50, 50)]));
		assert!(is_above(&[(0, 100), (201, 100)]));
		assert!(!is_above(&[(0, 100), (200, 100)]));
	}

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
