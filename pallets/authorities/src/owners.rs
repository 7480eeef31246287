//! Whose key it is, by the keys that are in use.

use crate::{Config, KeysInUse};
use core::marker::PhantomData;
use frame_support::{
	storage::{TransactionOutcome, with_transaction_unchecked},
	traits::KeyOwnerProofSystem,
};
use pallet_session::{
	CurrentIndex, NextKeys,
	historical::{HistoricalSessions, IdentificationTuple, Pallet as Historical},
};
use sp_core::crypto::KeyTypeId;
use sp_session::MembershipProof;

/// The SDK's proofs of who owns a session key, with the keys that are in use in the running
/// session.
///
/// For the running session the SDK takes the keys that are set, although those count from a later
/// session on. So an authority could vote twice, set other keys in front of the report, and nobody
/// would find its key. Here a proof is made of the keys in use, and checked against the root that
/// was stored when they were planned.
pub struct KeyOwners<T>(PhantomData<T>);

/// Asks a question about a state that is changed for it, and changed back.
fn undone<R>(question: impl FnOnce() -> R) -> R {
	with_transaction_unchecked(|| TransactionOutcome::Rollback(question()))
}

impl<T: Config, D: AsRef<[u8]>> KeyOwnerProofSystem<(KeyTypeId, D)> for KeyOwners<T> {
	type IdentificationTuple = IdentificationTuple<T>;
	type Proof = MembershipProof;

	fn prove(key: (KeyTypeId, D)) -> Option<Self::Proof> {
		undone(|| {
			for (who, keys) in KeysInUse::<T>::get() {
				NextKeys::<T>::insert(who, keys);
			}
			Historical::<T>::prove(key)
		})
	}

	fn check_proof(key: (KeyTypeId, D), proof: Self::Proof) -> Option<Self::IdentificationTuple> {
		undone(|| {
			let session = proof.session;
			if session == CurrentIndex::<T>::get() && HistoricalSessions::<T>::contains_key(session)
			{
				// As one that is past, it is compared with its root.
				CurrentIndex::<T>::put(session.saturating_add(1));
			}
			Historical::<T>::check_proof(key, proof)
		})
	}
}
