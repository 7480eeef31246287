//! Proofs of readings, and anchors.

use crate::{pallet::*, types::*};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult, Get},
};
use gridproof_primitives::{
	H256,
	crypto::merkle::{ProofError, leaf_hash, verify_inclusion},
	energy::{
		Anchor, AnchorState, BatchHeader, BatchRecord, MeterIndex, ReadingRefusal, VerifiedReading,
	},
};

/// Returns `true` if an anchor can move from `state` to `next`. A broadcast transaction can be
/// replaced by another one with a higher fee; a confirmed one only gains confirmations; nothing that is
/// meant to be real becomes simulated, and anything real takes the place of what is.
fn can_become(state: &AnchorState, next: &AnchorState) -> bool {
	use AnchorState::{Broadcast, Confirmed, Pending, Simulated};
	match (*state, *next) {
		(_, Simulated { .. }) => false,
		(Pending | Simulated { .. }, _)
		| (Broadcast { .. }, Broadcast { .. } | Confirmed { .. }) => true,
		(
			Confirmed { confirmations, .. },
			Confirmed { txid, block_hash, height, confirmations: more },
		) => *state == Confirmed { txid, block_hash, height, confirmations } && more > confirmations,
		_ => false,
	}
}

impl<T: Config> Pallet<T> {
	/// Returns the slot of a batch in the rings of headers and anchors.
	pub(crate) fn slot(sequence: u64) -> u32 {
		let slot = sequence.checked_rem(T::MaxRecent::get().into()).unwrap_or(0);
		u32::try_from(slot).unwrap_or(0)
	}

	/// Returns a batch, `None` if it is not among those kept.
	pub(crate) fn recent(meter: MeterIndex, sequence: u64) -> Option<BatchRecord> {
		let row = Recent::<T>::get(meter, Self::slot(sequence))?;
		(row.header.sequence == sequence).then_some(row)
	}

	/// Returns `true` if this header's batch was accepted, as far as the state itself shows.
	fn is_known(header: &BatchHeader, hash: H256) -> bool {
		let Some(meter) = Meters::<T>::get(header.meter) else { return false };
		if header.sequence.checked_add(1) == Some(meter.state.next_sequence) {
			return hash == meter.state.last_hash;
		}
		// The next header contains this one's hash: that saves a header in the proof.
		let next = header.sequence.saturating_add(1);
		match (Self::recent(header.meter, header.sequence), Self::recent(header.meter, next)) {
			(Some(row), _) => row.header.hash() == hash,
			(None, Some(next)) => next.header.previous == hash,
			(None, None) => false,
		}
	}

	/// Returns the first of these headers, if they follow each other up to one that the chain
	/// knows.
	fn resolve_chain(headers: &[BatchHeader]) -> Result<&BatchHeader, Error<T>> {
		let (first, rest) = headers.split_first().ok_or(Error::<T>::UnknownBatch)?;
		let (mut last, mut hash) = (first, first.hash());
		for header in rest {
			let follows = header.meter == last.meter
				&& last.sequence.checked_add(1) == Some(header.sequence)
				&& header.previous == hash;
			ensure!(follows, Error::<T>::BrokenChain);
			(last, hash) = (header, header.hash());
		}
		ensure!(Self::is_known(last, hash), Error::<T>::UnknownBatch);
		Ok(first)
	}

	/// [`Pallet::verify_reading`] without the origin. Returns the batch's header and the reading's
	/// leaf hash.
	pub(crate) fn check_reading(
		batch: &BatchReference<T::MaxChain>,
		leaf: &[u8],
		index: u32,
		proof: &[H256],
	) -> Result<VerifiedReading, DispatchError> {
		let header = match batch {
			BatchReference::Recent { meter, sequence } => {
				Self::recent(*meter, *sequence).ok_or(Error::<T>::UnknownBatch)?.header
			},
			BatchReference::Chain(headers) => Self::resolve_chain(headers)?.clone(),
		};
		let leaf_hash = Self::check_inclusion(&header, leaf, index, proof)
			.map_err(|_| Error::<T>::NotIncluded)?;
		Ok(VerifiedReading { header, leaf_hash })
	}

	/// Returns the leaf hash of a reading that is in a batch.
	fn check_inclusion(
		header: &BatchHeader,
		leaf: &[u8],
		index: u32,
		proof: &[H256],
	) -> Result<H256, ProofError> {
		let hash = leaf_hash(leaf);
		verify_inclusion(&hash, index.into(), header.readings.into(), proof, &header.root)?;
		Ok(hash)
	}

	/// [`Pallet::verify_recent_reading`].
	pub(crate) fn reading_in_recent(
		meter: MeterIndex,
		sequence: u64,
		leaf: &[u8],
		index: u32,
		proof: &[H256],
	) -> Result<(), ReadingRefusal> {
		ensure!(Meters::<T>::contains_key(meter), ReadingRefusal::UnknownMeter);
		let row = Self::recent(meter, sequence).ok_or(ReadingRefusal::UnknownBatch)?;
		Self::check_inclusion(&row.header, leaf, index, proof)?;
		Ok(())
	}

	/// [`Pallet::verify_older_reading`].
	pub(crate) fn reading_in_chain(
		headers: &[BatchHeader],
		leaf: &[u8],
		index: u32,
		proof: &[H256],
	) -> Result<(), ReadingRefusal> {
		let first = headers.first().ok_or(ReadingRefusal::UnknownBatch)?;
		ensure!(Meters::<T>::contains_key(first.meter), ReadingRefusal::UnknownMeter);
		let header = Self::resolve_chain(headers).map_err(|_| ReadingRefusal::UnknownBatch)?;
		Self::check_inclusion(header, leaf, index, proof)?;
		Ok(())
	}

	/// Returns an anchor, `None` if it is not among those kept.
	pub(crate) fn kept_anchor(meter: MeterIndex, sequence: u64) -> Option<Anchor> {
		Anchors::<T>::get(meter, Self::slot(sequence)).filter(|kept| kept.sequence == sequence)
	}

	/// [`Pallet::record_anchor`] without the origin.
	pub(crate) fn do_record_anchor(
		meter: MeterIndex,
		sequence: u64,
		root: H256,
		state: AnchorState,
	) -> DispatchResult {
		ensure!(state.is_plausible(), Error::<T>::TooFewConfirmations);
		let kept = Self::kept_anchor(meter, sequence);
		let known = match &kept {
			Some(kept) => kept.root,
			None => Self::recent(meter, sequence).ok_or(Error::<T>::UnknownBatch)?.header.root,
		};
		ensure!(known == root, Error::<T>::OtherRoot);
		if let Some(kept) = &kept {
			ensure!(kept.state != state, Error::<T>::Unchanged);
			ensure!(can_become(&kept.state, &state), Error::<T>::AnchorBackwards);
		}
		Anchors::<T>::insert(meter, Self::slot(sequence), Anchor { sequence, root, state });
		Self::deposit_event(Event::AnchorRecorded { meter, sequence, root, state });
		Ok(())
	}
}
