//! Onboarding: a device key, the owner's consent, the electrician's certification.
//!
//! Whatever is done already is left as it is, so a run that was interrupted is simply started again.

use crate::{
	consent::CONSENT_MS,
	device_keys::{Ask, device_key},
	list_error::ListError,
	registry::{Onboarded, start},
	spec::MeterSpec,
	view::meter_by_name,
};
use gridproof_chain::{
	Chain, ChainError, Patience, Submitter,
	governance::GovernanceError,
	pallets::meter_readings::{Meter, call, query},
};
use gridproof_keys::{AccountKey, KeyError, SealedKey, account::address};
use gridproof_primitives::energy::{
	Certification, MeterIndex, OrganisationIndex, OrganisationStanding, Registers, Trust,
	possession_payload,
};
use std::{
	fs,
	path::{Path, PathBuf},
};

/// Certifications that are sent side by side.
const AT_ONCE: usize = 50;

/// Why meters were not onboarded.
#[derive(Debug, thiserror::Error)]
pub enum OnboardError {
	/// A key is not usable.
	#[error(transparent)]
	Key(#[from] KeyError),
	/// The chain refuses, or does not answer.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The organisation is registered, and was not admitted.
	#[error("the organisation is registered and not admitted: {0}")]
	Governance(#[from] GovernanceError),
	/// The chain refused one meter or organisation.
	#[error("{name}: {error}")]
	Refused {
		/// Its name.
		name: String,
		/// The refusal.
		error: ChainError,
	},
	/// The meter is on the chain with another key or owner.
	#[error("{name} is certified already, as meter {index} with {what}")]
	Taken {
		/// Its name.
		name: String,
		/// Its number.
		index: MeterIndex,
		/// What differs.
		what: &'static str,
	},
	/// The organisation cannot certify.
	#[error("organisation {index} {reason}")]
	Organisation {
		/// Its number.
		index: OrganisationIndex,
		/// The reason.
		reason: &'static str,
	},
	/// A list or registry cannot be used.
	#[error(transparent)]
	List(#[from] ListError),
}

/// Meters that are to be onboarded, and what all of them have in common.
pub struct Order<'a> {
	/// The meters.
	pub meters: &'a [MeterSpec],
	/// Folder of the device keys.
	pub keys: &'a Path,
	/// Passphrase of new device keys; they are not encrypted if `None`.
	pub passphrase: Option<&'a [u8]>,
	/// Key of their owner.
	pub owner: &'a AccountKey,
	/// Key of the electrician who certifies them.
	pub electrician: &'a AccountKey,
	/// Number of the electrician's organisation.
	pub organisation: OrganisationIndex,
	/// Holder of the keys.
	pub trust: Trust,
	/// Their registers, in Wh.
	pub registers: Registers,
	/// Begin of their certified service, UTC milliseconds.
	pub since_ms: u64,
	/// Time of onboarding, UTC milliseconds.
	pub now_ms: u64,
}

/// Onboards meters: makes device keys, lets the owner consent and the electrician certify, and
/// waits until all is final. Calls `done` after each meter.
///
/// # Errors
/// [`OnboardError`]; meters that were certified before it stay so, and are found by the next run.
pub async fn onboard(
	chain: &Chain,
	order: &Order<'_>,
	ask: Ask<'_>,
	patience: &Patience,
	done: impl Fn(&Onboarded),
) -> Result<Vec<Onboarded>, OnboardError> {
	let owner = order.owner.account();
	check_organisation(chain, order.organisation, order.electrician, &owner).await?;
	let mut all = Vec::with_capacity(order.meters.len());
	for part in order.meters.chunks(AT_ONCE) {
		let mut calls = Vec::new();
		let mut prepared = Vec::with_capacity(part.len());
		for spec in part {
			let (certification, key, path) = prepare(order, spec, ask)?;
			let there = meter_by_name(chain, &certification.name).await?;
			match &there {
				Some(info) => check_same(info, &certification)?,
				None => {
					let (organisation, genesis) = (order.organisation, chain.genesis());
					let consent = certification.consent(organisation).signing_payload(&genesis);
					let signature = order.owner.sign(&consent);
					let Certification { name, owner, .. } = &certification;
					let possession = key.sign(&possession_payload(&genesis, name, owner));
					calls.push(call::certify_meter(
						organisation,
						&certification,
						&signature,
						&possession,
					));
				},
			}
			prepared.push((spec, certification, path, there.is_some()));
		}
		// Before the first of them is sent, so that what is missing is said at once and for all of them.
		chain.check_funds(order.electrician, &calls).await?;
		let submitter = Submitter::new(chain.clone(), order.electrician.clone(), *patience);
		let mut outcomes = submitter.submit(&calls).await?.into_iter();
		for (spec, certification, key_file, was_there) in prepared {
			let name = certification.name.clone();
			let refused = |error| OnboardError::Refused { name: name.to_string(), error };
			let lost = || ChainError::Unsupported("an outcome of the certification".to_string());
			let outcome = if was_there {
				Ok(())
			} else {
				outcomes.next().unwrap_or_else(|| Err(lost())).map(|_| ())
			};
			// What counts is the chain: a transaction whose fate stayed unknown may be there.
			let info = match (meter_by_name(chain, &name).await?, outcome) {
				(Some(info), _) => info,
				(None, Err(error)) => return Err(refused(error)),
				(None, Ok(())) => return Err(lost().into()),
			};
			check_same(&info, &certification)?;
			let onboarded = Onboarded {
				index: info.index,
				spec: spec.clone(),
				device_key: hex::encode(info.certificate.device),
				key_file: fs::canonicalize(&key_file).unwrap_or(key_file),
				owner: address(&info.certificate.owner),
				energy_account: address(&info.energy_account),
				start: start(&info),
				was_there,
			};
			done(&onboarded);
			all.push(onboarded);
		}
	}
	Ok(all)
}

fn prepare(
	order: &Order,
	spec: &MeterSpec,
	ask: Ask,
) -> Result<(Certification<[u8; 32]>, SealedKey, PathBuf), OnboardError> {
	let bad = |reason: String| ListError::new(Path::new(&spec.meter), None, reason);
	let name = spec.name().map_err(bad)?;
	let (key, path) = device_key(order.keys, &name, order.passphrase, ask)?;
	let certification = Certification {
		name,
		device: *key.public(),
		owner: order.owner.account(),
		rated_power_w: spec.rated_power_w,
		direction: spec.direction,
		point: spec.point().map_err(bad)?,
		trust: order.trust,
		serial: spec.serial().map_err(bad)?,
		seal: spec.seal().map_err(bad)?,
		registers: order.registers,
		since_ms: order.since_ms,
		valid_until_ms: order.now_ms.saturating_add(CONSENT_MS),
	};
	Ok((certification, key, path))
}

fn check_same(info: &Meter, wanted: &Certification<[u8; 32]>) -> Result<(), OnboardError> {
	let certificate = &info.certificate;
	let what = if certificate.device != wanted.device {
		"another device key"
	} else if certificate.owner != wanted.owner {
		"another owner"
	} else if certificate.direction != wanted.direction {
		"another direction"
	} else if certificate.rated_power_w != wanted.rated_power_w {
		"another rated power"
	} else if certificate.serial != wanted.serial {
		"another serial number"
	} else if info.point.as_ref().map(|point| &point.id) != wanted.point.as_ref() {
		"another metering point"
	} else {
		return Ok(());
	};
	Err(OnboardError::Taken { name: wanted.name.to_string(), index: info.index, what })
}

/// Says at once what would refuse every meter.
pub(crate) async fn check_organisation(
	chain: &Chain,
	index: OrganisationIndex,
	electrician: &AccountKey,
	owner: &[u8; 32],
) -> Result<(), OnboardError> {
	let refused = |reason| OnboardError::Organisation { index, reason };
	let organisation = chain
		.read(&query::organisation(index))
		.await?
		.ok_or_else(|| refused("does not exist; register it with --register"))?;
	match organisation.standing {
		// Its meters mint nothing before it is admitted, but they can be certified.
		OrganisationStanding::Admitted | OrganisationStanding::Pending => (),
		OrganisationStanding::Revoked => return Err(refused("was revoked by governance")),
	}
	if electrician.account() == *owner {
		return Err(refused("needs an electrician who is not the meters' owner"));
	}
	if !chain.read(&query::is_member(index, electrician.account())).await? {
		return Err(refused("does not have this electrician; its admin has to add the account"));
	}
	Ok(())
}
