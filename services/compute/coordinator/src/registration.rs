//! A coordinator's key on chain.

use futures::future::BoxFuture;
use gridproof_chain::{Chain, ChainError, Included, Patience, pallets::compute_receipts::call};
use gridproof_keys::{AccountKey, SealedKey};
use gridproof_primitives::compute::{PartyRole, Registration};

/// Registers a key as a coordinator: `account` bonds, and is paid.
///
/// # Errors
/// [`ChainError`]; [`ChainError::Refused`] with the pallet's reason.
pub fn register<'a>(
	chain: &'a Chain,
	account: &'a AccountKey,
	key: &'a SealedKey,
	patience: &'a Patience,
) -> BoxFuture<'a, Result<Included, ChainError>> {
	Box::pin(async move {
		let registration =
			Registration { role: PartyRole::Coordinator, account: account.account() };
		let proof = key.sign(&registration.signing_payload(&chain.genesis()));
		chain.submit(account, &call::register_coordinator(key.public(), &proof), patience).await
	})
}
