//! A role's stop of minting, and its lifting by the two others.

use crate::keys::RoleKey;
use futures::future::BoxFuture;
use gridproof_chain::{
	Chain, ChainError, Patience,
	pallets::attestations::{Refusal, call, event, query},
};
use gridproof_primitives::{
	crypto::ed25519::Signature,
	reserve::{
		attestation::{Role, RoleSignature},
		stop::{MintStop, RoleStops, lift_payload, lifters, stop_payload},
	},
};
use serde::Serialize;

/// A stop in a final block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stopped {
	/// Role that stopped minting.
	pub role: Role,
	/// Number among its stops.
	pub number: u32,
	/// Time until which it holds in any case, UTC milliseconds.
	pub until_ms: u64,
	/// Whether only governance can end it.
	pub only_governance: bool,
	/// Hash of the block.
	pub block: String,
}

/// One role's signature under a lifting, for the other role that lifts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LiftSignature {
	/// Role whose stop is lifted.
	pub of: Role,
	/// Number of that stop.
	pub number: u32,
	/// Role that signed.
	pub signer: Role,
	/// Its signature, 128 hexadecimal digits.
	pub signature: String,
}

/// A lifting in a final block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lifted {
	/// Role whose stop was lifted.
	pub of: Role,
	/// Number of that stop.
	pub number: u32,
	/// Time at which it falls, UTC milliseconds.
	pub falls_at_ms: u64,
	/// Hash of the block.
	pub block: String,
}

/// Stops of a role for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownStop {
	/// One of data, risk and ops.
	pub role: Role,
	/// Number of its next stop.
	pub next: u32,
	/// Number of the stop that holds now.
	pub number: Option<u32>,
	/// Time until which that holds in any case, UTC milliseconds.
	pub until_ms: Option<u64>,
	/// Whether the two others have lifted it.
	pub lifted: bool,
	/// Whether only governance can end it.
	pub only_governance: bool,
}

impl ShownStop {
	/// Returns what is shown of all roles at `now`, in UTC milliseconds.
	pub fn all(stops: &RoleStops, now: u64) -> Vec<Self> {
		let shown = |role: Role| {
			let stops = stops.of(role);
			let stop = stops.in_force(now);
			Self {
				role,
				next: stops.next,
				number: stop.map(|stop| stop.number),
				until_ms: stop.map(|stop| stop.until),
				lifted: stop.is_some_and(|stop| stop.lifted),
				only_governance: stop.is_some_and(|stop| stop.only_governance),
			}
		};
		Role::ALL.map(shown).to_vec()
	}
}

/// Why a stop is not lifted.
#[derive(Debug, thiserror::Error)]
pub enum LiftError {
	/// A role cannot lift its own stop.
	#[error("{0} cannot lift its own stop: the two other roles do")]
	OwnStop(Role),
	/// The chain refuses, or does not answer.
	#[error(transparent)]
	Chain(#[from] ChainError),
}

/// Stops minting as `role`, and waits until it is final.
///
/// # Errors
/// [`ChainError`]; minting is not stopped then, unless it is [`ChainError::Undecided`].
pub fn stop_minting<'a>(
	chain: &'a Chain,
	role: Role,
	key: &'a RoleKey,
	patience: &'a Patience,
) -> BoxFuture<'a, Result<Stopped, ChainError>> {
	Box::pin(async move {
		let (stops, _) = chain.read(&query::stops()).await?;
		let number = stops.of(role).next;
		let signature = key.sign(&stop_payload(&chain.genesis(), role, number));
		let call = call::stop_mint(role, number, &signature);
		let included = chain.submit_authorized(&call, patience).await?;
		let event::MintStopped { role, number, until, only_governance } = included.first()?;
		let block = format!("{:#x}", included.block);
		Ok(Stopped { role, number, until_ms: until, only_governance, block })
	})
}

/// Returns the last stop of `of` on the chain.
async fn last_stop(chain: &Chain, of: Role) -> Result<MintStop, ChainError> {
	let (stops, _) = chain.read(&query::stops()).await?;
	let none = || gridproof_chain::Refusal::Attestations(Refusal::NotStopped);
	stops.of(of).stop.ok_or_else(|| ChainError::Refused(none()))
}

fn sign(chain: &Chain, of: Role, number: u32, signer: Role, key: &RoleKey) -> Signature {
	key.sign(&lift_payload(&chain.genesis(), of, number, signer))
}

/// Signs the lifting of the stop of `of` as `signer`, for the other role.
///
/// # Errors
/// [`LiftError`].
pub fn sign_lifting<'a>(
	chain: &'a Chain,
	of: Role,
	signer: Role,
	key: &'a RoleKey,
) -> BoxFuture<'a, Result<LiftSignature, LiftError>> {
	Box::pin(async move {
		if signer == of {
			return Err(LiftError::OwnStop(of));
		}
		let number = last_stop(chain, of).await?.number;
		let signature = hex::encode(sign(chain, of, number, signer, key));
		Ok(LiftSignature { of, number, signer, signature })
	})
}

/// Lifts the stop of `of` with the signature of the other role and that of `signer`, and waits
/// until it is final.
///
/// # Errors
/// [`LiftError`].
pub fn lift_stop<'a>(
	chain: &'a Chain,
	of: Role,
	signer: Role,
	key: &'a RoleKey,
	other: Signature,
	patience: &'a Patience,
) -> BoxFuture<'a, Result<Lifted, LiftError>> {
	Box::pin(async move {
		if signer == of {
			return Err(LiftError::OwnStop(of));
		}
		let number = last_stop(chain, of).await?.number;
		let own = sign(chain, of, number, signer, key);
		let signatures = lifters(of).map(|role| RoleSignature {
			role,
			signature: if role == signer { own } else { other },
		});
		let call = call::lift_stop(of, number, &signatures);
		let included = chain.submit_authorized(&call, patience).await?;
		let event::StopLifted { role, number, falls_at } = included.first()?;
		let block = format!("{:#x}", included.block);
		Ok(Lifted { of: role, number, falls_at_ms: falls_at, block })
	})
}
