//! Running sums of a coordinator's receipts, and the lines of its batches.

use crate::{
	account,
	link::{DeliveryError, Link, SIGNING, Session},
	miner::RETRY,
	outbox::Stored,
	voucher,
};
use codec::DecodeAll;
use gridproof_compute_api::{
	ClientError,
	protocol::{IssuedReceipt, LinesToSign, SignedLine},
};
use gridproof_primitives::compute::channels::{BatchKind, MinerLine, ReceiptV2, SettlementHeader};
use gridproof_support::text::{Hex32, Hex64, HexBytes};
use std::time::Duration;

/// Pause after a line that is not signed, before it is asked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

impl Link {
	/// Keeps the running sums that came for a receipt of a channel. What does not hold is logged, and no
	/// line with it is signed; its coordinator has signed it, so it can be shown.
	pub(crate) async fn account_for(
		&self,
		stored: &Stored,
		kind: BatchKind,
		issued: Option<&HexBytes>,
	) -> Result<(), DeliveryError> {
		let (job, coordinator) = (Hex32(stored.job.0), &stored.coordinator);
		let issued = issued.and_then(|bytes| IssuedReceipt::decode_all(&mut &bytes.0[..]).ok());
		let receipt = ReceiptV2::decode_all(&mut &stored.receipt[..]).ok();
		let Some((issued, receipt)) = issued.zip(receipt) else {
			tracing::error!(%job, "the coordinator gave no running sums for a receipt");
			return Ok(());
		};
		let genesis = &self.miner.genesis;
		if let Err(reason) = voucher::check_issued(&issued, &receipt, kind, coordinator, genesis) {
			tracing::error!(%job, reason, "the coordinator's receipt does not hold");
			return Ok(());
		}
		if !self.miner.outbox.counted(*coordinator, issued).await? {
			tracing::error!(%job, "the coordinator has counted two receipts with one number");
		}
		Ok(())
	}

	/// Signs lines of batches as they are asked for.
	pub(crate) async fn sign_lines(&self) {
		let mut pauses = RETRY.pauses();
		loop {
			self.loops.turn(SIGNING);
			let asked = self.with(|session| async move {
				let lines = self.client.lines(&session.token).await?;
				Ok((session, lines))
			});
			let signed = match asked.await.map_err(ClientError::from) {
				Ok((session, lines)) => self.sign_some(&session, &lines).await,
				Err(error) => Err(error.into()),
			};
			match signed {
				Ok(true) => pauses.reset(),
				// Asked again at once, the coordinator would say the same.
				Ok(false) => tokio::time::sleep(LOOK_AGAIN).await,
				Err(error) => {
					let pause = pauses.next_pause();
					tracing::debug!(%error, ?pause, "no lines are signed");
					tokio::time::sleep(pause).await;
				},
			}
		}
	}

	/// Signs the lines that this miner can account for; returns `false` if there was another.
	async fn sign_some(
		&self,
		session: &Session,
		lines: &LinesToSign,
	) -> Result<bool, DeliveryError> {
		let miner = &self.miner;
		let mut all = true;
		for asked in &lines.lines {
			let header = SettlementHeader::decode_all(&mut &asked.header.0[..]).ok();
			let line = MinerLine::decode_all(&mut &asked.line.0[..]).ok();
			let Some((header, line)) = header.zip(line) else {
				all = false;
				continue;
			};
			let is_mine = line.miner == Some(*miner.key.public());
			let coordinator = session.coordinator;
			let held = miner.outbox.of_line(coordinator, header.kind, &line).await?;
			let accounted = account::accounts_for(&line, &held);
			if !is_mine || header.coordinator != coordinator || accounted.is_err() {
				let reason = accounted.err().map(|refusal| refusal.to_string());
				tracing::warn!(sequence = header.sequence, reason, "a line is not signed");
				all = false;
				continue;
			}
			let payload = line.signing_payload(&miner.genesis, &header.hash());
			let signature = Hex64(miner.key.sign(&payload));
			let signed = SignedLine { sequence: header.sequence, signature };
			self.client.sign_line(&session.token, &signed).await?;
		}
		Ok(all)
	}
}
