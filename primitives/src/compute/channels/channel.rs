//! A channel as the rules need it: what it settles, until when, and what returns to its client.

use super::{BatchKind, BatchRefusal, ChannelLine, ChannelSums, DailyUse, Voucher};
use crate::crypto::ed25519::{self, PublicKey, SignatureError};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// Shortest notice of a closing, in milliseconds: a day.
pub const MIN_CLOSE_NOTICE_MS: u64 = 86_400_000;

/// What a client asks for when it opens a channel.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelTerms {
	/// Key of the only coordinator that the channel pays.
	pub coordinator: PublicKey,
	/// Asset and mode.
	pub kind: BatchKind,
	/// The client's key; `None` if the coordinator keeps the key, and signs with its own.
	pub signer: Option<PublicKey>,
	/// Deposit, in the smallest unit of the asset, at least 1.
	pub deposit: u128,
	/// Highest sum of prices that is settled on one day, at least 1.
	pub daily_limit: u128,
	/// End of the period if the channel is sold as a plan, in UTC milliseconds: no voucher is
	/// admitted after it, and then anyone may close the channel.
	pub plan_ends_ms: Option<u64>,
}

/// State of a channel.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Channel {
	/// Key of the coordinator that it pays.
	pub coordinator: PublicKey,
	/// Asset and mode.
	pub kind: BatchKind,
	/// The client's key; `None` if the coordinator keeps the key.
	pub signer: Option<PublicKey>,
	/// Everything that was ever deposited, in the smallest unit of the asset.
	pub deposited: u128,
	/// Sums up to which it is settled.
	pub settled: ChannelSums,
	/// Number of the voucher that it was last settled with; 0 before the first.
	pub voucher_number: u64,
	/// Amount of that voucher.
	pub voucher_amount: u128,
	/// Highest sum of prices that is settled on one day.
	pub daily_limit: u128,
	/// What was settled on the last day on which something was.
	pub today: DailyUse,
	/// End of its period if it is sold as a plan, in UTC milliseconds.
	pub plan_ends_ms: Option<u64>,
	/// Time from which nothing is settled any more, in UTC milliseconds; `None` until it is closed.
	pub ends_ms: Option<u64>,
}

/// Reason why a channel is not opened, topped up, renewed, closed or paid back.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChannelRefusal {
	/// Deposit or daily limit are zero, or the deposit does not fit.
	#[codec(index = 0)]
	Amount,
	/// The signer's key is weak, or not a point of the curve.
	#[codec(index = 1)]
	WeakSigner,
	/// The daily limits of the channels whose keys a coordinator keeps are above its bond.
	#[codec(index = 2)]
	KeptAboveBond,
	/// The channel is being closed.
	#[codec(index = 3)]
	Closing,
	/// Only its client may close the channel now.
	#[codec(index = 4)]
	NotTheClient,
	/// The channel has not ended.
	#[codec(index = 5)]
	NotEnded,
	/// The new period does not end after the present one, or the channel is not sold as a plan.
	#[codec(index = 6)]
	NoPeriod,
	/// The notice is shorter than a day.
	#[codec(index = 7)]
	ShortNotice,
}

impl fmt::Display for ChannelRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Amount => "deposit and daily limit must be above 0, and the deposit must fit",
			Self::WeakSigner => "the signer's key is not sound: make another one",
			Self::KeptAboveBond => {
				"the daily limits of kept channels must be at most the coordinator's bond: use a key \
				 of your own, or a lower limit"
			},
			Self::Closing => "the channel is being closed: open another one",
			Self::NotTheClient => "only the client may close the channel before its plan ends",
			Self::NotEnded => "the channel has not ended: close it, and wait for the notice",
			Self::NoPeriod => "the next period must end after the present one",
			Self::ShortNotice => "the notice of a closing must be at least a day",
		})
	}
}

impl core::error::Error for ChannelRefusal {}

/// Returns `true` if a coordinator may keep the key of another channel with that daily limit: its
/// kept channels' limits add up to at most its bond, in units of 10⁻¹⁸ AIT. A limit in another asset
/// is given as what it counts for.
pub fn kept_limits_fit(limits_so_far: u128, limit: u128, bond: u128) -> bool {
	limits_so_far.checked_add(limit).is_some_and(|sum| sum <= bond)
}

impl Channel {
	/// Returns the state of a channel that is opened with these terms.
	///
	/// # Errors
	/// [`ChannelRefusal::Amount`] or [`ChannelRefusal::WeakSigner`].
	pub fn open(terms: &ChannelTerms) -> Result<Self, ChannelRefusal> {
		if terms.deposit == 0 || terms.daily_limit == 0 {
			return Err(ChannelRefusal::Amount);
		}
		if let Some(signer) = &terms.signer {
			ed25519::check_new_key(signer).map_err(|_| ChannelRefusal::WeakSigner)?;
		}
		Ok(Self {
			coordinator: terms.coordinator,
			kind: terms.kind,
			signer: terms.signer,
			deposited: terms.deposit,
			settled: ChannelSums::default(),
			voucher_number: 0,
			voucher_amount: 0,
			daily_limit: terms.daily_limit,
			today: DailyUse::default(),
			plan_ends_ms: terms.plan_ends_ms,
			ends_ms: None,
		})
	}

	/// Returns the key that signs the channel's vouchers: the client's, or the coordinator's own for
	/// a channel whose key it keeps.
	pub fn voucher_key(&self) -> PublicKey {
		self.signer.unwrap_or(self.coordinator)
	}

	/// Returns what is left of the deposit, in the smallest unit of the asset.
	pub const fn left(&self) -> u128 {
		self.deposited.saturating_sub(self.settled.price)
	}

	/// Adds to the deposit.
	///
	/// # Errors
	/// [`ChannelRefusal::Closing`] or [`ChannelRefusal::Amount`].
	pub fn top_up(&self, amount: u128) -> Result<Self, ChannelRefusal> {
		if self.ends_ms.is_some() {
			return Err(ChannelRefusal::Closing);
		}
		let deposited = self.deposited.checked_add(amount).filter(|_| amount > 0);
		Ok(Self { deposited: deposited.ok_or(ChannelRefusal::Amount)?, ..*self })
	}

	/// Begins another period of a plan. What is left of the last one stays in the deposit; `amount`
	/// is what the client adds, which may be zero.
	///
	/// # Errors
	/// [`ChannelRefusal::Closing`], [`ChannelRefusal::NoPeriod`] or [`ChannelRefusal::Amount`].
	pub fn renew(&self, amount: u128, plan_ends_ms: u64) -> Result<Self, ChannelRefusal> {
		if self.ends_ms.is_some() {
			return Err(ChannelRefusal::Closing);
		}
		if self.plan_ends_ms.is_none_or(|ends| plan_ends_ms <= ends) {
			return Err(ChannelRefusal::NoPeriod);
		}
		let deposited = self.deposited.checked_add(amount).ok_or(ChannelRefusal::Amount)?;
		Ok(Self { deposited, plan_ends_ms: Some(plan_ends_ms), ..*self })
	}

	/// Begins the notice after which the channel ends: by its client at any time, by anyone once its
	/// plan has ended. `now` is in UTC milliseconds.
	///
	/// # Errors
	/// [`ChannelRefusal::ShortNotice`], [`ChannelRefusal::Closing`] or
	/// [`ChannelRefusal::NotTheClient`].
	pub fn close(&self, is_client: bool, now: u64, notice_ms: u64) -> Result<Self, ChannelRefusal> {
		if notice_ms < MIN_CLOSE_NOTICE_MS {
			return Err(ChannelRefusal::ShortNotice);
		}
		if self.ends_ms.is_some() {
			return Err(ChannelRefusal::Closing);
		}
		let plan_is_over = self.plan_ends_ms.is_some_and(|ends| now >= ends);
		if !is_client && !plan_is_over {
			return Err(ChannelRefusal::NotTheClient);
		}
		Ok(Self { ends_ms: Some(now.saturating_add(notice_ms)), ..*self })
	}

	/// Lets the notice stand still for the time in which settlement was stopped, in milliseconds.
	pub fn stand_still(&self, stopped_ms: u64) -> Self {
		Self { ends_ms: self.ends_ms.map(|ends| ends.saturating_add(stopped_ms)), ..*self }
	}

	/// Returns what goes back to the client once the channel has ended, in the smallest unit of the
	/// asset. From then on nothing settles, so the row can go.
	///
	/// # Errors
	/// [`ChannelRefusal::NotEnded`].
	pub fn rest(&self, now: u64) -> Result<u128, ChannelRefusal> {
		if self.has_ended(now) { Ok(self.left()) } else { Err(ChannelRefusal::NotEnded) }
	}

	/// Settles a line of a batch, and returns the state after it. The voucher's signature is checked
	/// apart, with [`Self::voucher_key`].
	///
	/// `now` is the chain's time in UTC milliseconds, `day_ms` the length of a day. The price moves
	/// once, and is [`ChannelLine::price`].
	///
	/// # Errors
	/// The refusal of the first rule that the line breaks.
	pub fn settle(
		&self,
		coordinator: &PublicKey,
		kind: BatchKind,
		line: &ChannelLine,
		now: u64,
		day_ms: u64,
	) -> Result<Self, BatchRefusal> {
		let require = |holds: bool, refusal| if holds { Ok(()) } else { Err(refusal) };
		require(self.coordinator == *coordinator, BatchRefusal::OtherCoordinator)?;
		require(self.kind == kind, BatchRefusal::OtherKind)?;
		require(!self.has_ended(now), BatchRefusal::ChannelEnded)?;
		line.check()?;
		require(line.from == self.settled, BatchRefusal::ChannelNotJoined)?;
		let Voucher { number, amount, .. } = line.voucher;
		require(number >= self.voucher_number, BatchRefusal::OlderVoucher)?;
		let is_same = number > self.voucher_number || amount == self.voucher_amount;
		require(is_same, BatchRefusal::OtherVoucher)?;
		require(line.to.price <= self.deposited, BatchRefusal::AboveDeposit)?;
		let price = line.price().ok_or(BatchRefusal::FallingSums)?;
		let today = self
			.today
			.add(price, self.daily_limit, now, day_ms)
			.ok_or(BatchRefusal::AboveDailyLimit)?;
		Ok(Self {
			settled: line.to,
			voucher_number: number,
			voucher_amount: amount,
			today,
			..*self
		})
	}

	/// Returns `true` if the channel has ended at `now`, in UTC milliseconds: nothing of it settles
	/// from then on.
	pub fn has_ended(&self, now: u64) -> bool {
		self.ends_ms.is_some_and(|ends| now >= ends)
	}

	/// Checks that a batch may give up counts of the channel at `now`, in UTC milliseconds.
	///
	/// # Errors
	/// [`BatchRefusal::OtherCoordinator`], [`BatchRefusal::OtherKind`] or
	/// [`BatchRefusal::ChannelNotEnded`].
	pub fn give_up(
		&self,
		coordinator: &PublicKey,
		kind: BatchKind,
		now: u64,
	) -> Result<(), BatchRefusal> {
		if self.coordinator != *coordinator {
			Err(BatchRefusal::OtherCoordinator)
		} else if self.kind != kind {
			Err(BatchRefusal::OtherKind)
		} else if self.has_ended(now) {
			Ok(())
		} else {
			Err(BatchRefusal::ChannelNotEnded)
		}
	}

	/// Verifies the signature of a voucher of this channel.
	///
	/// # Errors
	/// See [`Voucher::verify`].
	pub fn verify_voucher(
		&self,
		genesis: &crate::H256,
		voucher: &Voucher,
		signature: &ed25519::Signature,
	) -> Result<(), SignatureError> {
		voucher.verify(genesis, &self.voucher_key(), signature)
	}
}
