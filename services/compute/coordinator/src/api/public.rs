//! What everybody may read and ask for.

use super::views;
use crate::{
	coordinator::Coordinator,
	error::RequestError,
	quotes::Quoted,
	registry::Terms,
	rows::{self, Filter, Job, ReceiptRow},
};
use codec::Encode;
use gridproof_compute_api::protocol::{
	About, BatchAnswer, ChannelInfo, ClosedVouchers, CoordinatorInfo, ErrorCode, Hello, JobPage,
	JobSpec, KeyAnswer, KeyRequest, MinerInfo, OfferedModel, OpenVouchers, Opening, OpeningAsk,
	PlanState, Plans, ReceiptAnswer, ReceiptInfo, Settlement, TelemetryInfo, Welcome,
};
use gridproof_primitives::{
	H256,
	compute::{PriceAsset, channels::ChannelId},
};
use gridproof_support::{
	number::clamped,
	text::{Amount, Hex32, Hex64, HexBytes},
};
use std::sync::Arc;

/// The coordinator as everybody may use it.
pub(crate) struct Public {
	coordinator: Arc<Coordinator>,
	/// `true` if there is a front for OpenAI's clients.
	has_front: bool,
}

/// Which receipt is asked for.
pub(super) enum ReceiptOf {
	/// That of a job.
	Job(H256),
	/// The one of this id.
	Id(H256),
}

impl Public {
	pub(super) const fn new(coordinator: Arc<Coordinator>, has_front: bool) -> Self {
		Self { coordinator, has_front }
	}

	/// Returns who the coordinator is, and for which chain.
	pub(super) fn about(&self) -> About {
		About {
			genesis: self.coordinator.genesis().into(),
			coordinator: Hex32(self.coordinator.public()),
			time_ms: self.coordinator.now(),
		}
	}

	/// Returns what the coordinator is, offers and takes.
	pub(super) async fn info(&self) -> Result<CoordinatorInfo, RequestError> {
		let coordinator = &self.coordinator;
		let settings = &coordinator.settings;
		let (stages, settlements) =
			coordinator.read(|db| Ok((rows::counts(db)?, rows::settlements(db)?))).await?;
		let models = coordinator.models().into_iter().filter_map(|name| {
			let Terms { factor, max_tokens, entry, .. } = coordinator.terms_named(&name)?;
			Some(OfferedModel { name, model_factor: factor, max_tokens, registry: entry })
		});
		let prices = settings.unit_price.iter();
		let (now, steady) = (coordinator.now(), coordinator.time.steady());
		let miners = coordinator.sessions.all(steady).into_iter().map(|miner| {
			let busy = coordinator.sessions.held_by(&miner.miner).len();
			MinerInfo {
				miner: Hex32(miner.miner),
				class: miner.class,
				models: miner.models,
				slots: miner.slots,
				busy: clamped(busy),
				score: miner.score,
				seen_ms: now.saturating_sub(steady.saturating_sub(miner.seen_ms)),
			}
		});
		Ok(CoordinatorInfo {
			coordinator: Hex32(coordinator.public()),
			genesis: coordinator.genesis().into(),
			models: models.collect(),
			unit_price: prices.map(|(asset, price)| (asset.as_str().to_string(), *price)).collect(),
			miners: miners.collect(),
			jobs: stages.into_iter().map(|(stage, n)| (stage.to_string(), n)).collect(),
			receipts: settlements
				.into_iter()
				.map(|(settlement, n)| (settlement.as_str().to_string(), n))
				.collect(),
			front: self.has_front,
			refused_batch: coordinator.refused_batch().await?,
		})
	}

	/// Has a job priced.
	pub(super) fn quote(
		&self,
		spec: &JobSpec,
		client: [u8; 32],
		asset: PriceAsset,
	) -> Result<Quoted, RequestError> {
		self.coordinator.quote(spec, client, asset)
	}

	/// Returns the context of a model, in tokens, if the chain's registry has it.
	pub(super) fn context(&self, model: &str) -> Option<u32> {
		Some(self.coordinator.terms_named(model)?.entry?.context)
	}

	/// Returns what is held of a channel.
	pub(super) async fn channel(&self, id: ChannelId) -> Result<ChannelInfo, RequestError> {
		self.coordinator.channel_info(id).await
	}

	/// Returns the plans on offer.
	pub(super) fn plans(&self) -> Plans {
		self.coordinator.plans()
	}

	/// Returns what is left of a channel, and of its plan.
	pub(super) async fn plan_state(&self, id: ChannelId) -> Result<PlanState, RequestError> {
		self.coordinator.plan_state(id).await
	}

	/// Makes the API key of a channel, if the signature is its client's.
	pub(super) async fn new_channel_key(
		&self,
		id: ChannelId,
		request: &KeyRequest,
	) -> Result<KeyAnswer, RequestError> {
		self.coordinator.new_channel_key(id, request).await
	}

	/// Closes vouchers whose requests have no answer; their signer signed them.
	pub(super) async fn close_vouchers(
		&self,
		id: ChannelId,
		open: &OpenVouchers,
	) -> Result<ClosedVouchers, RequestError> {
		self.coordinator.close_vouchers(id, open).await
	}

	/// Returns the receipt of a voucher.
	pub(super) async fn receipt_of_voucher(
		&self,
		channel: ChannelId,
		number: u64,
	) -> Result<ReceiptAnswer, RequestError> {
		self.coordinator.receipt_of_voucher(channel, number).await
	}

	/// Returns a channel's receipt by its id.
	pub(super) async fn channel_receipt(&self, id: H256) -> Result<ReceiptAnswer, RequestError> {
		self.coordinator.receipt_by_id(id).await
	}

	/// Returns what a receipt was made of, to who may see it.
	pub(super) async fn opening(
		&self,
		id: H256,
		request: &OpeningAsk,
	) -> Result<Opening, RequestError> {
		self.coordinator.opening(id, request).await
	}

	/// Returns a batch.
	pub(super) async fn batch(&self, sequence: u64) -> Result<BatchAnswer, RequestError> {
		self.coordinator.batch_info(sequence).await
	}

	/// Returns the file of receipts of a batch.
	pub(super) async fn batch_file(&self, sequence: u64) -> Result<Vec<u8>, RequestError> {
		self.coordinator.batch_file(sequence).await
	}

	/// Begins a miner's session, if its signature is good.
	pub(super) async fn hello(&self, hello: &Hello) -> Result<Welcome, RequestError> {
		self.coordinator.hello(hello).await
	}

	/// Returns jobs without their outputs, the youngest first.
	pub(super) async fn jobs(&self, filter: Filter) -> Result<JobPage, RequestError> {
		let limit = filter.limit;
		let found = self
			.coordinator
			.read(move |db| {
				let jobs = rows::jobs(db, &filter)?.into_iter();
				let with = jobs.map(|job| Ok((rows::receipt(db, job.job)?, job)));
				with.collect::<Result<Vec<_>, RequestError>>()
			})
			.await?;
		let is_full = clamped::<u32, _>(found.len()) == limit;
		let next = found.last().filter(|_| is_full).map(|(_, job)| job.number);
		let jobs = found.into_iter().map(|(receipt, job)| views::job(job, receipt, false));
		Ok(JobPage { jobs: jobs.collect::<Result<_, _>>()?, next })
	}

	/// Returns a job with its receipt. Its output is only for a reader who may see it.
	pub(super) async fn job(&self, id: H256) -> Result<(Job, Option<ReceiptRow>), RequestError> {
		let found =
			self.coordinator.read(move |db| Ok((rows::job(db, id)?, rows::receipt(db, id)?)));
		match found.await? {
			(Some(job), receipt) => Ok((job, receipt)),
			(None, _) => RequestError::err(ErrorCode::UnknownJob, "no such job"),
		}
	}

	/// Checks that a job's output can be handed out now: it is settled, or can still be.
	///
	/// # Errors
	/// [`ErrorCode::ChainUnavailable`].
	pub(super) async fn check_hand_out(
		&self,
		job: &Job,
		receipt: Option<&ReceiptRow>,
	) -> Result<(), RequestError> {
		let is_unsettled = receipt.is_some_and(|row| row.settlement == Settlement::Pending);
		// What the front pays for, nobody but the coordinator cancels.
		if job.output.is_none() || job.customer.is_some() || !is_unsettled {
			return Ok(());
		}
		self.coordinator.check_sight().await
	}

	/// Returns a receipt with both signatures.
	pub(super) async fn receipt(&self, of: ReceiptOf) -> Result<ReceiptInfo, RequestError> {
		let found = self
			.coordinator
			.read(move |db| {
				let row = match of {
					ReceiptOf::Job(id) => rows::receipt(db, id)?,
					ReceiptOf::Id(id) => rows::receipt_by_id(db, id)?,
				};
				let Some(row) = row else { return Ok(None) };
				let asset = rows::job(db, row.job)?.map(|job| job.asset).unwrap_or_default();
				Ok(Some((row, asset)))
			})
			.await?;
		let Some((row, asset)) = found else {
			return RequestError::err(ErrorCode::UnknownJob, "there is no receipt of that (yet)");
		};
		let broken =
			|| RequestError::new(ErrorCode::Internal, "the receipt in the database is broken");
		let ReceiptRow { miner_signature, coordinator_signature, .. } = row;
		let signed = row.signed().ok_or_else(broken)?;
		let receipt = signed.receipt.clone();
		let telemetry = receipt.telemetry;
		Ok(ReceiptInfo {
			genesis: self.coordinator.genesis().into(),
			receipt_id: row.id.into(),
			job: row.job.into(),
			coordinator: Hex32(self.coordinator.public()),
			miner: Hex32(receipt.miner),
			output_hash: receipt.output_hash.into(),
			compute_units: receipt.compute_units,
			price: Amount(receipt.price),
			asset,
			nonce: receipt.nonce,
			telemetry: TelemetryInfo {
				input_tokens: telemetry.input_tokens,
				output_tokens: telemetry.output_tokens,
				duration_ms: telemetry.duration_ms,
				memory_mb: telemetry.memory_mb,
			},
			miner_signature: Hex64(miner_signature),
			coordinator_signature: Hex64(coordinator_signature),
			receipt: HexBytes(row.receipt),
			signed: HexBytes(signed.encode()),
			settlement: row.settlement,
			reason: row.reason,
			block: row.block.map(Hex32::from),
			signed_ms: row.signed_ms,
			settled_ms: row.settled_ms,
		})
	}
}
