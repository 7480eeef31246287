//! Channels whose key the coordinator keeps: how their client gets an API key, and how a request that
//! comes with it is admitted. The coordinator signs the vouchers itself, with its own key, and holds
//! itself to the same rule as for a client's: deposit and daily limit cover the highest prices of all
//! open requests together, counted in one step with the number of the voucher.

use super::{
	Payment,
	admission::{Admitted, Asked, Priced},
};
use crate::{
	book::{Fate, Held},
	coordinator::Coordinator,
	error::RequestError,
	live::Frame,
	rows::{self, KeyRow, Once},
	sold::{Before, Sold},
};
use axum::body::Bytes;
use gridproof_compute_api::{
	protocol::{ErrorCode, JobSpec, KEY_SKEW_MS, KeyAnswer, KeyRequest, key_payload, sampler_seed},
	random_key,
};
use gridproof_keys::account::AccountSignature;
use gridproof_primitives::compute::channels::{
	ChannelId, Mode, SignedVoucher, Voucher, VoucherRefusal, spec_hash,
};
use rand::{RngCore, rngs::OsRng};
use tokio::sync::watch;

/// A request that came with the API key of a channel.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
	/// Number of the channel.
	pub(crate) channel: ChannelId,
	/// What is to be done.
	pub(crate) spec: JobSpec,
	/// The very bytes of the request's body.
	pub(crate) body: Bytes,
	/// `true` if somebody reads along.
	pub(crate) stream: bool,
	/// By what the same request is known again.
	pub(crate) once: Option<Once>,
}

/// A request that was admitted, and its text as it comes.
pub(crate) type Attended = (Admitted, watch::Receiver<Frame>);

/// Why a request was not admitted.
#[derive(Debug)]
pub(crate) enum NotAdmitted {
	/// The channel cannot pay for it.
	Dry(VoucherRefusal),
	/// The chain has the channel no more.
	Gone,
	/// Its key came with another request before.
	KeyReused,
	/// The coordinator does not take it.
	Request(RequestError),
}

impl From<RequestError> for NotAdmitted {
	fn from(error: RequestError) -> Self {
		Self::Request(error)
	}
}

/// What came of one try.
enum Tried {
	New(Attended),
	/// The same request came before.
	Before(Before),
	Dry(VoucherRefusal),
}

impl Coordinator {
	/// Admits a request that came with the API key of a channel.
	///
	/// # Errors
	/// [`NotAdmitted`].
	pub(crate) async fn admit_kept(&self, kept: &Kept) -> Result<Attended, NotAdmitted> {
		let day_ms = self.day_ms().await?;
		let mut is_fresh = false;
		loop {
			let held = match self.held(kept.channel).await {
				Err(error) if error.code == ErrorCode::UnknownChannel => {
					return Err(NotAdmitted::Gone);
				},
				held => held?,
			};
			let priced = self.priced(&kept.spec, kept.channel, &held)?;
			self.has_room()?;
			match self.try_kept(kept, &held, priced, day_ms)? {
				Tried::New(attended) => {
					self.metrics.jobs.inc();
					self.work.notify_one();
					return Ok(attended);
				},
				Tried::Before(before) => {
					if let Some(attended) = self.repeat_kept(kept, &before).await? {
						return Ok(attended);
					}
				},
				// The client may have renewed its plan, or topped its channel up, a moment ago.
				Tried::Dry(_) if !is_fresh && self.is_stale(kept.channel) => {
					is_fresh = true;
					self.read_channel(kept.channel).await?;
				},
				Tried::Dry(refusal) => return Err(NotAdmitted::Dry(refusal)),
			}
		}
	}

	fn try_kept(
		&self,
		kept: &Kept,
		held: &Held,
		priced: Priced,
		day_ms: u64,
	) -> Result<Tried, NotAdmitted> {
		let (channel, now) = (kept.channel, self.now());
		// Held until the request is admitted: of two with one key only one is.
		let mut remembered = kept.once.as_ref().map(|once| (once, self.sold.remembered()));
		if let Some((once, remembered)) = &remembered
			&& let Some(before) = remembered.get(&(channel, once.key.clone()))
		{
			return if before.body == once.body {
				Ok(Tried::Before(*before))
			} else {
				Err(NotAdmitted::KeyReused)
			};
		}
		if held.channel.kind.mode == Mode::Ordinary {
			priced.terms.check_counted()?;
		}
		let mut secret = [0; 32];
		OsRng.fill_bytes(&mut secret);
		let hash = spec_hash(&secret, &kept.body);
		let mut made = None;
		let highest = priced.highest;
		let make = |number, amount| {
			let voucher = Voucher { channel, number, amount, spec_hash: hash };
			let signature = self.key.sign(&voucher.signing_payload(&self.genesis));
			let signed = SignedVoucher { voucher, signature };
			let mut spec = kept.spec.clone();
			spec.sampling.seed = sampler_seed(&voucher, &self.genesis);
			let asked = Asked { spec, body: kept.body.clone(), secret, stream: kept.stream };
			let request = self.request_of(asked, &signed, held, priced);
			let (id, created_ms) = (request.id, request.created_ms);
			// Read along from before a miner can have it, so that no piece of its text is missed.
			let live = self.live.follow(id, request.spec.max_tokens);
			made = Some((Admitted { id, created_ms, is_repeated: false }, live, signed));
			request
		};
		let steady = self.time.steady();
		let admitted = self.book.admit_next(channel, highest, now, steady, day_ms, make);
		let Some((admitted, live, voucher)) = made else {
			return Ok(Tried::Dry(admitted.err().unwrap_or(VoucherRefusal::OtherNumber)));
		};
		if let Some((once, remembered)) = &mut remembered {
			let before = Before { body: once.body, voucher, secret, admitted_ms: now };
			Sold::remember(remembered, (channel, once.key.clone()), before, now);
		}
		Ok(Tried::New((admitted, live)))
	}

	/// Returns the same request as before; `None` if that had no answer, and is forgotten now.
	async fn repeat_kept(
		&self,
		kept: &Kept,
		before: &Before,
	) -> Result<Option<Attended>, NotAdmitted> {
		let voucher = before.voucher.voucher;
		let id = voucher.seed(&self.genesis);
		let live = self.live.follow(id, kept.spec.max_tokens);
		let forget = || {
			if let Some(once) = &kept.once {
				self.sold.forget(&(kept.channel, once.key.clone()), voucher.spec_hash);
			}
		};
		if let Some(Fate::Ended(_)) = self.book.fate(&id) {
			forget();
			return Ok(None);
		}
		let body = kept.body.clone();
		let payment = Payment { voucher: before.voucher, secret: before.secret, body };
		match self.admit(kept.spec.clone(), payment, kept.stream).await {
			Ok(admitted) => {
				self.metrics.repeated.inc();
				Ok(Some((admitted, live)))
			},
			Err(error) if error.code == ErrorCode::BadVoucher => {
				forget();
				Ok(None)
			},
			Err(error) => Err(error.into()),
		}
	}

	/// Makes the API key of a channel whose key the coordinator keeps, for the account that opened it. An
	/// older one ends.
	///
	/// # Errors
	/// [`ErrorCode::ClockSkew`], [`ErrorCode::BadSignature`], [`ErrorCode::BadRequest`],
	/// [`ErrorCode::WrongState`], [`ErrorCode::UnknownChannel`], [`ErrorCode::ChainUnavailable`].
	pub(crate) async fn new_channel_key(
		&self,
		channel: ChannelId,
		request: &KeyRequest,
	) -> Result<KeyAnswer, RequestError> {
		let refuse = |code, message: String| RequestError::err(code, message);
		let now = self.now();
		if request.time_ms.abs_diff(now) > KEY_SKEW_MS {
			let message =
				format!("signed for {}, and it is {now} here: sign again", request.time_ms);
			return refuse(ErrorCode::ClockSkew, message);
		}
		let held = self.held(channel).await?;
		let state = held.channel;
		if state.signer.is_some() {
			let message = format!(
				"channel {channel} has a key of its client's, and needs no API key: gridproof front \
				 run --channel {channel}"
			);
			return refuse(ErrorCode::BadRequest, message);
		}
		if state.ends_ms.is_some() {
			let message = format!("channel {channel} is being closed: open another one");
			return refuse(ErrorCode::WrongState, message);
		}
		if state.plan_ends_ms.is_some() && self.sold.plan(channel).is_none() {
			let message = format!(
				"channel {channel} has the deposit and daily limit of no plan on offer; close it, and \
				 its deposit returns: gridproof channel close {channel}"
			);
			return refuse(ErrorCode::BadRequest, message);
		}
		let unknown = || RequestError::new(ErrorCode::UnknownChannel, "the channel is gone");
		let client = self.chain_of_channels()?.client(channel).await?.ok_or_else(unknown)?;
		let payload = key_payload(&self.genesis, &self.public(), channel, request.time_ms);
		let signature = AccountSignature::from_bytes(&request.signature.0);
		if !signature.is_some_and(|signature| signature.verifies(&payload, &client)) {
			let message = "the signature is not that of the account that opened the channel";
			return refuse(ErrorCode::BadSignature, message.to_string());
		}
		let (key, sha256) = random_key();
		let row = KeyRow { channel, sha256, signed_ms: request.time_ms, made_ms: now };
		if !self.write(move |db| Ok(rows::set_key(db, &row)?)).await? {
			let message = "this signature, or a later one, had a key made before: sign again";
			return refuse(ErrorCode::BadSignature, message.to_string());
		}
		self.sold.set_key(row);
		tracing::info!(channel, "a channel has an API key");
		Ok(KeyAnswer { channel, key })
	}
}
