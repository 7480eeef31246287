//! From a signed file to the chain, and what the chain holds.

use crate::verify::{Counted, Version, open};
use codec::{Decode, Encode};
use gridproof_chain::{Chain, Failure, Patience};
use gridproof_primitives::{
	H256,
	attestation::{AttestationFields, Kind, Role, RoleSignature, chain_hint},
	calendar::Calendar,
	day::Day,
	ed25519::PublicKey,
	parameters::PolicyParameters,
};
use serde::Serialize;

/// Name of the pallet in the runtime.
const PALLET: &str = "Attestations";
/// Name of the runtime API.
const API: &str = "AttestationsApi";

/// An attestation as the chain holds it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Attestation {
	/// What was stated.
	pub fields: AttestationFields,
	/// Digest of the file that was signed.
	pub digest: H256,
	/// Who signed, with which key.
	pub signers: Vec<(Role, PublicKey)>,
	/// Number of the block that accepted it.
	pub block: u32,
	/// That block's time, in UTC milliseconds.
	pub time: u64,
}

/// A pinned key and since when it counts.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct PinnedKey {
	key: PublicKey,
	block: u32,
	time: u64,
}

/// The attestation of a day for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
	/// The day.
	pub day: Day,
	/// Its kind.
	pub kind: Kind,
	/// 0, or how often it was corrected.
	pub revision: u32,
	/// Hash of its fields.
	pub statement: String,
	/// What it replaced.
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
	/// Complete zones.
	pub zones_ok: u16,
	/// Zones asked for.
	pub zones_total: u16,
	/// Who signed, with which key.
	pub signers: Vec<ShownSigner>,
	/// Number of the block that accepted it.
	pub block: u32,
	/// That block's time, in UTC milliseconds.
	pub time_ms: u64,
}

/// A signer of an attestation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownSigner {
	/// The role.
	pub role: Role,
	/// Its key then.
	pub public: String,
}

impl From<&Attestation> for Shown {
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
			compute_assets_eur: gridproof_primitives::decimal::Ratio::millionths(
				fields.compute_assets,
			)
			.to_figure(),
			zones_ok: fields.zones_ok,
			zones_total: fields.zones_total,
			signers: attestation.signers.iter().map(signer).collect(),
			block: attestation.block,
			time_ms: attestation.time,
		}
	}
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Submitted {
	/// The day.
	pub day: Day,
	/// Hash of the fields.
	pub statement: String,
	/// Digest of the file.
	pub digest: String,
	/// The block that accepted it, if this submission put it there.
	pub block: Option<String>,
	/// Did the chain hold this very statement before?
	pub was_there: bool,
}

/// Why a file is not on the chain.
#[derive(Debug, thiserror::Error)]
pub enum SubmitFault {
	/// The file is not in order.
	#[error(transparent)]
	File(#[from] crate::verify::Refusal),
	/// Older files can be verified, but the chain takes version 2.
	#[error("this is a file of version 1; the chain takes version 2")]
	OldVersion,
	/// The file is for another chain.
	#[error("the file is for {file}, this node's chain is {node}")]
	OtherChain {
		/// The file's chain.
		file: String,
		/// The node's chain.
		node: String,
	},
	/// Too few signatures count with the keys that the chain trusts.
	#[error("{good} of 2 needed signatures count for this chain{reasons}")]
	Threshold {
		/// How many count.
		good: usize,
		/// Why others do not, if there are any.
		reasons: String,
	},
	/// The chain says no, or nothing.
	#[error(transparent)]
	Chain(#[from] Failure),
}

impl SubmitFault {
	/// May the same succeed later without anything being changed?
	pub const fn is_temporary(&self) -> bool {
		matches!(self, Self::Chain(failure) if failure.is_temporary())
	}
}

/// The attestation that stands for a kind and day.
///
/// # Errors
/// [`Failure`].
pub async fn standing(chain: &Chain, kind: Kind, day: Day) -> Result<Option<Attestation>, Failure> {
	chain.call(&format!("{API}_attestation"), &(kind, day).encode()).await
}

/// How the chain's time becomes days, and its today.
///
/// # Errors
/// [`Failure`].
pub async fn calendar(chain: &Chain) -> Result<(Calendar, Day), Failure> {
	chain.call(&format!("{API}_calendar"), &[]).await
}

/// The keys that the chain trusts now.
///
/// # Errors
/// [`Failure`].
pub async fn trusted_keys(chain: &Chain) -> Result<crate::keys::RoleKeys, Failure> {
	let keys: [Option<PinnedKey>; 3] = chain.call(&format!("{API}_keys"), &[]).await?;
	let members = Role::ALL.into_iter().zip(keys).filter_map(|(role, key)| {
		let key = gridproof_primitives::json::Value::from(hex::encode(key?.key));
		Some((role.as_str().to_string(), key))
	});
	let file = gridproof_primitives::json::Value::Object(members.collect()).to_canonical();
	crate::keys::RoleKeys::parse(file.as_bytes())
		.map_err(|fault| Failure::Unsupported(format!("usable role keys ({fault})")))
}

/// What governance decided about the coverage policy.
///
/// # Errors
/// [`Failure`].
pub async fn parameters(chain: &Chain) -> Result<PolicyParameters, Failure> {
	chain.call("CoverageApi_parameters", &[]).await
}

/// Submits a signed file and waits until it is final. A file that the chain holds already counts
/// as submitted.
///
/// # Errors
/// [`SubmitFault`]; with [`Failure::Refused`] the chain's own name of the reason.
pub async fn submit(
	chain: &Chain,
	bytes: &[u8],
	patience: &Patience,
) -> Result<Submitted, SubmitFault> {
	let opened = open(bytes, None)?;
	let Version::Two(statement) = &opened.version else { return Err(SubmitFault::OldVersion) };
	if statement.genesis != chain.genesis() {
		let (file, node) = (chain_hint(&statement.genesis), chain_hint(&chain.genesis()));
		return Err(SubmitFault::OtherChain { file, node });
	}
	let fields = &statement.fields;
	let done = |block, was_there| Submitted {
		day: fields.day,
		statement: format!("{:#x}", fields.hash()),
		digest: format!("{:#x}", opened.digest),
		block,
		was_there,
	};
	if stands(chain, fields, &opened.digest).await? {
		return Ok(done(None, true));
	}
	let (counted, reasons) = opened.count(&trusted_keys(chain).await?);
	if counted.len() < 2 {
		let reasons = match reasons.is_empty() {
			true => "; there are no others in the file".to_string(),
			false => format!("; {}", reasons.join("; ")),
		};
		return Err(SubmitFault::Threshold { good: counted.len(), reasons });
	}
	let arguments = (fields, opened.digest, signatures(&counted)).encode();
	// The chain names its reason here; once in the pool it would be a number.
	chain.ask::<H256>(&format!("{API}_preview"), &arguments).await?;
	match chain.submit_authorized(PALLET, "submit", &arguments, patience).await {
		Ok(included) => Ok(done(Some(format!("{:#x}", included.block)), false)),
		// Somebody else's copy, or our own that was thought lost, may have made it.
		Err(_) if stands(chain, fields, &opened.digest).await.unwrap_or(false) => {
			Ok(done(None, true))
		},
		Err(failure) => Err(failure.into()),
	}
}

async fn stands(chain: &Chain, fields: &AttestationFields, digest: &H256) -> Result<bool, Failure> {
	let standing = standing(chain, fields.kind, fields.day).await?;
	Ok(standing.is_some_and(|there| there.fields == *fields && there.digest == *digest))
}

/// Sorted by role, as the chain wants them.
fn signatures(counted: &[Counted]) -> Vec<RoleSignature> {
	let signature = |c: &Counted| RoleSignature { role: c.role, signature: c.signature };
	counted.iter().map(signature).collect()
}
