//! From a signed file to the chain, and what the chain holds.

use crate::{
	keys::{RoleKeys, TrustedKeysError},
	price::price_refusal_by,
	verify::{Counted, FileRefusal, Version, open},
};
use futures::future::BoxFuture;
use gridproof_chain::{
	Chain, ChainError, Link, Patience, Refusal,
	pallets::{
		attestations::{self, Attestation, KeySet, call, query},
		coverage_policy,
	},
	refusal::PoolRefusal,
};
use gridproof_primitives::{
	crypto::ed25519::PublicKey,
	num::decimal::Ratio,
	reserve::attestation::{AttestationFields, Kind, Role, RoleSignature, chain_hint},
	time::day::Day,
};
use serde::Serialize;

/// The attestation of a day for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownAttestation {
	/// The day.
	pub day: Day,
	/// Kind of statement.
	pub kind: Kind,
	/// 0, or the number of the correction.
	pub revision: u32,
	/// Hash of its fields.
	pub statement: String,
	/// Hash of the statement it replaced.
	pub replaces: Option<String>,
	/// Digest of the file.
	pub digest: String,
	/// Energy of the complete zones, in Wh.
	pub wh_dc_raw: u128,
	/// Energy committed, in Wh.
	pub wh_dc_commit: u128,
	/// α_effective.
	pub alpha: String,
	/// P_E, in EUR/MWh.
	pub eur_per_mwh: String,
	/// V_compute, in EUR.
	pub compute_assets_eur: String,
	/// Number of complete zones.
	pub zones_ok: u16,
	/// Number of zones asked for.
	pub zones_total: u16,
	/// The roles that signed.
	pub signers: Vec<ShownSigner>,
	/// Number of the block that accepted it.
	pub block: u32,
	/// Time of that block, UTC milliseconds.
	pub time_ms: u64,
}

/// A signer of an attestation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownSigner {
	/// The role.
	pub role: Role,
	/// Its public key at that time, 64 hexadecimal digits.
	pub public: String,
}

impl From<&Attestation> for ShownAttestation {
	fn from(attestation: &Attestation) -> Self {
		let fields = &attestation.fields;
		let signer =
			|(role, key): &(Role, PublicKey)| ShownSigner { role: *role, public: hex::encode(key) };
		Self {
			day: fields.day,
			kind: fields.kind,
			revision: fields.revision,
			statement: format!("{:#x}", fields.hash()),
			replaces: fields.replaces.map(|hash| format!("{hash:#x}")),
			digest: format!("{:#x}", attestation.digest),
			wh_dc_raw: fields.wh_raw,
			wh_dc_commit: fields.wh_committed,
			alpha: fields.alpha.to_string(),
			eur_per_mwh: fields.eur_per_mwh.to_figure(),
			compute_assets_eur: Ratio::millionths(fields.compute_assets).to_figure(),
			zones_ok: fields.zones_ok,
			zones_total: fields.zones_total,
			signers: attestation.signers.iter().map(signer).collect(),
			block: attestation.accepted.block,
			time_ms: attestation.accepted.time,
		}
	}
}

/// A submission that the chain holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Submitted {
	/// The day.
	pub day: Day,
	/// Hash of the fields.
	pub statement: String,
	/// Digest of the file.
	pub digest: String,
	/// Hash of the block that accepted it, if this submission put it there.
	pub block: Option<String>,
	/// Whether the chain held this very statement before.
	pub was_there: bool,
}

/// Why a file is not on the chain.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
	/// The file is not in order.
	#[error(transparent)]
	File(#[from] FileRefusal),
	/// The file is of version 1, which can be verified but not submitted.
	#[error("this is a file of version 1; the chain takes version 2")]
	OldVersion,
	/// The file is for another chain.
	#[error("the file is for {file}, this node's chain is {node}")]
	OtherChain {
		/// Hint of the file's chain.
		file: String,
		/// Hint of the node's chain.
		node: String,
	},
	/// Too few signatures count with the keys that the chain trusts.
	#[error("{good} of 2 needed signatures count for this chain{reasons}")]
	Threshold {
		/// Number of signatures that count.
		good: usize,
		/// Reasons why others do not, if there are any.
		reasons: String,
	},
	/// The keys that the chain trusts are unusable.
	#[error("the chain's role keys: {0}")]
	Keys(#[from] TrustedKeysError),
	/// The chain does not believe the price.
	#[error("{error}; {reason}")]
	Price {
		/// Refusal of the chain, with its name.
		error: Box<ChainError>,
		/// What it compares the price with, and from which day on it takes one like it.
		reason: String,
	},
	/// The chain refuses, or does not answer.
	#[error(transparent)]
	Chain(#[from] ChainError),
}

impl SubmitError {
	/// Returns `true` if the same submission can succeed later, when nothing changes but time, the
	/// state of the chain, and the signatures that other roles add to the file.
	pub const fn is_temporary(&self) -> bool {
		match self {
			Self::Threshold { .. } => true,
			Self::Chain(error) => error.is_temporary(),
			Self::File(_)
			| Self::OldVersion
			| Self::OtherChain { .. }
			| Self::Keys(_)
			| Self::Price { .. } => false,
		}
	}

	/// Returns `true` if the chain holds another statement of the day.
	pub const fn is_already_attested(&self) -> bool {
		matches!(
			self,
			Self::Chain(ChainError::Refused(
				Refusal::Attestations(attestations::Refusal::AlreadyAttested)
					| Refusal::Pool(PoolRefusal::Attestations(
						attestations::Refusal::AlreadyAttested
					))
			))
		)
	}
}

/// Returns the keys that a chain trusts now, to verify with.
///
/// # Errors
/// [`TrustedKeysError`] if they are weak, or one key has two roles.
pub fn trusted_keys(keys: &KeySet) -> Result<RoleKeys, TrustedKeysError> {
	let key = |role| Some((role, keys.of(role)?.key));
	RoleKeys::of(Role::ALL.into_iter().filter_map(key))
}

/// Submits a signed file over a connection that outlives the node; see [`submit`].
///
/// # Errors
/// As [`submit`], and as [`Link::chain`].
pub fn submit_over<'a>(
	link: &'a Link,
	bytes: &'a [u8],
	patience: &'a Patience,
) -> BoxFuture<'a, Result<Submitted, SubmitError>> {
	Box::pin(async move {
		let chain = link.chain().await?;
		match submit(&chain, bytes, patience).await {
			// So that the link does not use a connection again that has failed.
			Err(SubmitError::Chain(error)) => Ok(link.checked(&chain, Err(error)).await?),
			outcome => outcome,
		}
	})
}

/// Submits a signed file and waits until it is final. A file that the chain holds already counts
/// as submitted.
///
/// # Errors
/// [`SubmitError`].
pub fn submit<'a>(
	chain: &'a Chain,
	bytes: &'a [u8],
	patience: &'a Patience,
) -> BoxFuture<'a, Result<Submitted, SubmitError>> {
	Box::pin(async move {
		let opened = open(bytes, None)?;
		let Version::Two(statement) = &opened.version else { return Err(SubmitError::OldVersion) };
		if statement.genesis != chain.genesis() {
			let (file, node) = (chain_hint(&statement.genesis), chain_hint(&chain.genesis()));
			return Err(SubmitError::OtherChain { file, node });
		}
		let fields = &statement.fields;
		let done = |block, was_there| Submitted {
			day: fields.day,
			statement: format!("{:#x}", fields.hash()),
			digest: format!("{:#x}", opened.digest),
			block,
			was_there,
		};
		let stands = async || {
			let standing = chain.read(&query::attestation(fields.kind, fields.day)).await?;
			let is_this =
				|there: Attestation| there.fields == *fields && there.digest == opened.digest;
			Ok::<_, ChainError>(standing.is_some_and(is_this))
		};
		if stands().await? {
			return Ok(done(None, true));
		}
		let (counted, reasons) = opened.count(&trusted_keys(&chain.read(&query::keys()).await?)?);
		if counted.len() < 2 {
			let reasons = if reasons.is_empty() {
				"; there are no others in the file".to_string()
			} else {
				format!("; {}", reasons.join("; "))
			};
			return Err(SubmitError::Threshold { good: counted.len(), reasons });
		}
		let signatures = signatures(&counted);
		// Refused here, nothing is sent, and the reason is the pallet's own.
		if let Err(error) = chain.read(&query::preview(fields, opened.digest, &signatures)).await {
			return Err(explained(chain, fields, error).await);
		}
		let call = call::submit(fields, opened.digest, &signatures);
		match chain.submit_authorized(&call, patience).await {
			Ok(included) => Ok(done(Some(format!("{:#x}", included.block)), false)),
			// Another submitter's copy, or our own that was thought lost, may have made it.
			Err(_) if stands().await.unwrap_or(false) => Ok(done(None, true)),
			Err(error) => Err(error.into()),
		}
	})
}

/// A refusal, with what the chain compares the price with if it is about the price.
async fn explained(chain: &Chain, fields: &AttestationFields, error: ChainError) -> SubmitError {
	let is_price = matches!(
		&error,
		ChainError::Refused(Refusal::CoveragePolicy(
			coverage_policy::Refusal::PriceTooLow
				| coverage_policy::Refusal::PriceTooHigh
				| coverage_policy::Refusal::PriceMovedTooFar
		))
	);
	if !is_price {
		return error.into();
	}
	match price_refusal_by(chain, &fields.eur_per_mwh, fields.day).await {
		Ok(Some(reason)) => SubmitError::Price { error: Box::new(error), reason },
		// It has moved meanwhile, or does not answer: its own word has to do.
		Ok(None) | Err(_) => error.into(),
	}
}

/// The signatures in the order of their roles, as the chain wants them.
fn signatures(counted: &[Counted]) -> Vec<RoleSignature> {
	let signature = |c: &Counted| RoleSignature { role: c.role, signature: c.signature };
	counted.iter().map(signature).collect()
}
