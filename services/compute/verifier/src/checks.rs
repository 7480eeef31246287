//! The checks that fall to this verifier: batches touched, points drawn, openings asked for, work done again,
//! figures reported.

use crate::{
	chain::WaitingBatch,
	draws::{self, Drawn, Published},
	statements::{Statement, name},
	verifier::{Missing, NotDone, Verifier},
	work::NotMeasured,
};
use gridproof_compute_api::opening::Opened;
use gridproof_primitives::compute::{
	channels::{ChannelReceipt, Placed},
	checks::{
		BatchChecks, CheckId, CheckReport, Duty, Figures, MAX_CHECKS_PER_DRAW, ModelLine,
		OpeningDemand, VerifierView, Vrf, figures_commitment,
	},
};
use gridproof_support::Lock;

/// Returns `true` if a batch was touched when this verifier had left or was suspended: nothing of it fell to it.
/// Of a key that was exchanged the chain shows nothing, and it still reports what it drew.
pub(crate) fn is_out(view: Option<&VerifierView>, drawn: &BatchChecks) -> bool {
	view.is_some_and(|view| !view.took_part_at(drawn.touched_ms))
}

impl Verifier {
	/// Looks at all batches that wait: touches those that are ripe, and does what falls to this verifier.
	///
	/// # Errors
	/// [`NotDone`]. What fails about one batch holds up no other.
	pub(crate) async fn check_batches(&self) -> Result<(), NotDone> {
		let view = self.chain.verifier(self.public()).await?;
		self.set_trouble(match &view {
			None => Some("the chain has no verifier with this key: register it".to_string()),
			Some(view) if !view.draws => Some(
				"the chain does not let this verifier draw: its key is new, its bond too small, or it \
				 leaves or is suspended"
					.to_string(),
			),
			Some(_) => None,
		});
		let waiting = self.chain.waiting().await?;
		self.asked.locked().keep(&waiting.iter().map(WaitingBatch::id).collect());
		for batch in waiting {
			let done = match &batch.checks {
				None => self.touch(&batch).await,
				Some(drawn) => self.check_batch(&batch, drawn, view.as_ref()).await,
			};
			if let Err(error) = done {
				tracing::warn!(%error, batch = batch.sequence, "a batch has to wait");
			}
		}
		Ok(())
	}

	async fn touch(&self, batch: &WaitingBatch) -> Result<(), NotDone> {
		if !self.settings.touches || !batch.is_ripe {
			return Ok(());
		}
		let Err(error) = self.chain.touch(batch.id()).await else { return Ok(()) };
		// All verifiers touch it at once, and one is the first.
		if error.is_refusal() || self.chain.drawn(batch.id()).await?.is_some() {
			tracing::debug!(%error, batch = batch.sequence, "another has touched it, or it is too early");
			return Ok(());
		}
		Err(error.into())
	}

	async fn check_batch(
		&self,
		batch: &WaitingBatch,
		drawn: &BatchChecks,
		view: Option<&VerifierView>,
	) -> Result<(), NotDone> {
		self.state.watch(batch.id(), batch.hash, self.now()).await?;
		if is_out(view, drawn) {
			return Ok(());
		}
		let count = draws::number(&self.key, &self.genesis, &batch.hash, drawn);
		// Beside what is drawn, what clients want checked and is this verifier's turn.
		let mut asked = self.chain.asked(batch.id()).await?;
		asked.retain(|one| one.id.verifier == self.public());
		let of_draw =
			(0..count).map(|check| CheckId { batch: batch.id(), verifier: self.public(), check });
		let mut open = Vec::new();
		for id in of_draw.chain(asked.iter().map(|one| one.id)) {
			if !self.state.has(name::report(&id)).await? && !self.state.is_left_out(id).await? {
				open.push(id);
			}
		}
		if open.is_empty() {
			return Ok(());
		}
		let given = self.published(batch.id(), batch.hash).await;
		let published = match given {
			Ok(published) => published,
			Err(error) => {
				tracing::warn!(%error, batch = batch.sequence, "receipts are not published");
				return self.demand_unpublished(batch, drawn, &open).await;
			},
		};
		let (key, genesis, of) = (&self.key, &self.genesis, published.clone());
		let mut checks = draws::checks(key, genesis, &of, drawn);
		let turns = asked.iter();
		checks.extend(turns.filter_map(|one| draws::turn(key, genesis, &of, drawn, one)));
		for id in open {
			let Some(one) = checks.iter().find(|one| one.check == id.check) else { continue };
			self.check(batch, &published, id, one).await?;
		}
		Ok(())
	}

	/// Does one check.
	async fn check(
		&self,
		batch: &WaitingBatch,
		published: &Published,
		id: CheckId,
		drawn: &Drawn,
	) -> Result<(), NotDone> {
		let Drawn { check, vrf, index, .. } = *drawn;
		let Some(placed) = published.placed(index) else { return Ok(()) };
		let Some(line) = self.chain.line(placed.item.receipt.model).await? else {
			// Governance may set one while the batch waits.
			tracing::warn!(batch = batch.sequence, index, "the receipt's model has no line");
			return Ok(());
		};
		let duty = Duty::Drawn { check, vrf };
		let opened = self.opened(&placed, batch.id(), duty).await;
		let opened = match opened {
			Ok(opened) => opened,
			Err(Missing::Chain(error)) => return Err(error),
			Err(error) => {
				tracing::warn!(%error, batch = batch.sequence, index, "no opening");
				if self.is_out_of_patience(batch.id(), Some(index)) {
					let demand = OpeningDemand {
						verifier: self.public(),
						check,
						vrf,
						batch: batch.id(),
						miner: drawn.miner,
						receipt: Some(placed),
					};
					self.demand(id, demand).await?;
				}
				return Ok(());
			},
		};
		self.metrics.drawn.inc();
		self.report(id, vrf, placed, opened, line).await
	}

	/// Does an opened receipt again, and reports the check.
	pub(crate) async fn report(
		&self,
		id: CheckId,
		vrf: Vrf,
		receipt: Placed<ChannelReceipt>,
		opened: Opened,
		line: ModelLine,
	) -> Result<(), NotDone> {
		let CheckId { batch, verifier, check } = id;
		let measured = match self.measured(opened, line).await {
			Ok(measured) => measured,
			Err(error) if error.is_temporary() => {
				tracing::warn!(%error, "the engine has to wait");
				return Ok(());
			},
			Err(error) => return self.leave_out(id, &error).await,
		};
		let figures = measured.figures;
		if figures == (Figures::Exact { equal: false }) {
			self.metrics.unequal.inc();
			let (batch, index) = (batch.sequence, receipt.index);
			tracing::warn!(batch, index, "an output is not the model's");
		}
		let own = self.state.keep_figures(id, measured.own, self.now()).await?;
		let commitment = figures_commitment(&id, &own);
		let report = CheckReport { verifier, check, vrf, batch, receipt, figures, commitment };
		let statement = Statement::report(&self.key, &self.genesis, report);
		self.say(name::report(&id), statement).await
	}

	/// Demands an opening on chain, once.
	async fn demand(&self, id: CheckId, demand: OpeningDemand) -> Result<(), NotDone> {
		let about = name::demand(&id);
		if self.state.has(about).await? {
			return Ok(());
		}
		let statement = Statement::demand(&self.key, &self.genesis, demand);
		self.say(about, statement).await
	}

	/// Demands the openings of a batch whose receipts are not published: then nobody can say which they are.
	async fn demand_unpublished(
		&self,
		batch: &WaitingBatch,
		drawn: &BatchChecks,
		open: &[CheckId],
	) -> Result<(), NotDone> {
		if !self.is_out_of_patience(batch.id(), None) {
			return Ok(());
		}
		let lists = self.coordinators.lists(batch.coordinator, batch.sequence, batch.hash).await;
		// Without the header nothing can be said that the chain could check.
		let Ok((_, lists)) = lists else { return Ok(()) };
		for id in open.iter().filter(|id| id.check < MAX_CHECKS_PER_DRAW) {
			let (check, hash) = (id.check, &batch.hash);
			let found = draws::miner_of(&self.key, &self.genesis, hash, &lists, drawn, check);
			let Some((vrf, miner)) = found else { continue };
			let (verifier, batch, receipt) = (self.public(), batch.id(), None);
			let demand = OpeningDemand { verifier, check, vrf, batch, miner, receipt };
			self.demand(*id, demand).await?;
		}
		Ok(())
	}

	/// Notes that a check cannot be done here.
	async fn leave_out(&self, id: CheckId, error: &NotMeasured) -> Result<(), NotDone> {
		tracing::warn!(%error, batch = id.batch.sequence, "a check cannot be done here");
		Ok(self.state.leave_out(id, error.to_string(), self.now()).await?)
	}
}
