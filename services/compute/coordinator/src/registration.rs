//! A coordinator's key on chain.

use gridproof_chain::{
	Chain, ChainError, Included, Patience,
	pallets::{
		compute_receipts::{call, query},
		sudo,
	},
};
use gridproof_keys::{AccountKey, SealedKey};
use gridproof_primitives::{
	compute::{PartyRole, Registration},
	crypto::ed25519::PublicKey,
};

/// Registers a key as a coordinator: `account` bonds, and is paid.
///
/// # Errors
/// [`ChainError`]; [`ChainError::Refused`] with the pallet's reason.
pub async fn register(
	chain: &Chain,
	account: &AccountKey,
	key: &SealedKey,
	patience: &Patience,
) -> Result<Included, ChainError> {
	let registration = Registration { role: PartyRole::Coordinator, account: account.account() };
	let proof = key.sign(&registration.signing_payload(&chain.genesis()));
	chain.submit(account, &call::register_coordinator(key.public(), &proof), patience).await
}

/// Admits a registered coordinator with `governance`, the sudo key of a development chain. Returns
/// `true` if it is admitted then.
///
/// # Errors
/// [`ChainError`].
pub async fn admit(
	chain: &Chain,
	governance: &AccountKey,
	key: &PublicKey,
	patience: &Patience,
) -> Result<bool, ChainError> {
	let admission = sudo::call::sudo(call::admit_coordinator(key));
	chain.submit(governance, &admission, patience).await?;
	// The transaction succeeds even where the call within it fails.
	let view = chain.read(&query::coordinator(key)).await?;
	Ok(view.is_some_and(|view| view.admitted))
}
