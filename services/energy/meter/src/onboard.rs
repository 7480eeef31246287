//! Onboarding: a device key, the owner's consent, the electrician's certification.
//!
//! Whatever is done already is left as it is: a run that was interrupted is started again.

use crate::{Binding, DeviceFault, Start, chain, file_name};
use gridproof_chain::{Chain, Failure, Patience, Submitter};
use gridproof_keys::{AccountKey, KeyFault, Kind, SealedKey, account::address, files};
use gridproof_primitives::{
	H256,
	meter::{
		Certification, Direction, MAX_SEAL_BYTES, MeterIndex, MeterName, OrganisationIndex,
		OrganisationStanding, Registers, SealId, Trust,
	},
};
use serde::{Deserialize, Serialize};
use std::{
	fs, io,
	os::unix::fs::DirBuilderExt,
	path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Certifications that are sent side by side.
const AT_ONCE: usize = 50;

/// Why meters were not onboarded.
#[derive(Debug, thiserror::Error)]
pub enum OnboardFault {
	/// A key is not usable.
	#[error(transparent)]
	Key(#[from] KeyFault),
	/// The chain says no, or nothing.
	#[error(transparent)]
	Chain(#[from] Failure),
	/// The chain refused one meter.
	#[error("{name}: {failure}{advice}", advice = advice(failure))]
	Refused {
		/// Which.
		name: String,
		/// Why.
		failure: Failure,
	},
	/// The meter is on chain with another key or owner.
	#[error("{name} is certified already, as meter {index} with {what}")]
	Taken {
		/// Which.
		name: String,
		/// Its number.
		index: MeterIndex,
		/// What differs.
		what: &'static str,
	},
	/// The organisation cannot certify.
	#[error("organisation {index} {reason}")]
	Organisation {
		/// Which.
		index: OrganisationIndex,
		/// Why not.
		reason: &'static str,
	},
	/// A list or registry that is none.
	#[error("{path}{at}: {reason}", at = line.map(|line| format!(", line {line}")).unwrap_or_default())]
	BadFile {
		/// Which file.
		path: String,
		/// Counted from one.
		line: Option<usize>,
		/// Why.
		reason: String,
	},
	/// The device cannot be bound to its meter.
	#[error(transparent)]
	Device(#[from] DeviceFault),
}

/// What to do about an error that the chain names.
fn advice(failure: &Failure) -> &'static str {
	let Failure::Refused(name) = failure else { return "" };
	match name.split_once('.').map_or(name.as_str(), |(_, error)| error) {
		"NotMember" => ": the organisation's admin has to add this account first",
		"NotAdmitted" => ": governance has to admit the organisation first",
		"NameTaken" => ": choose other ids",
		"KeyInUse" => ": a key serves one meter; make another one",
		"OwnerIsDevice" => ": the owner cannot be the device itself",
		"ConsentExpired" => ": have the owner sign again; is this machine's clock right?",
		"BadConsent" => ": the owner has signed something else, or for another chain",
		"FundsUnavailable" => ": the account cannot pay the deposit",
		_ => "",
	}
}

/// A meter to be onboarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterSpec {
	/// Its site.
	pub site: String,
	/// Its device.
	pub device: String,
	/// The meter.
	pub meter: String,
	/// Which way energy may go.
	pub direction: Direction,
	/// The most power that can go through, in W.
	pub rated_power_w: u32,
	/// The id of its seal.
	pub seal: String,
	/// The profile that a simulation gives it, such as `h0` or `h0+pv`.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub profile: Option<String>,
}

/// A meter that is on chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onboarded {
	/// Its number.
	pub index: MeterIndex,
	/// What was asked for.
	#[serde(flatten)]
	pub spec: MeterSpec,
	/// The key that signs its batches.
	pub device_key: String,
	/// The device's key file.
	pub key_file: PathBuf,
	/// The owner's address.
	pub owner: String,
	/// Where its KWH goes.
	pub energy_account: String,
	/// Where its device's first header follows on.
	pub start: Start,
	/// Was it on chain before?
	#[serde(default)]
	pub was_there: bool,
}

impl MeterSpec {
	/// Its ids.
	///
	/// # Errors
	/// What is wrong with them.
	pub fn name(&self) -> Result<MeterName, String> {
		MeterName::new(&self.site, &self.device, &self.meter).map_err(|fault| fault.to_string())
	}

	fn seal(&self) -> Result<SealId, String> {
		seal(&self.seal)
	}
}

/// A seal's id.
///
/// # Errors
/// If it is empty or has more than [`MAX_SEAL_BYTES`] bytes.
pub fn seal(text: &str) -> Result<SealId, String> {
	let seal = Some(text.as_bytes().to_vec()).filter(|seal| !seal.is_empty());
	seal.and_then(|seal| SealId::try_from(seal).ok())
		.ok_or_else(|| format!("a seal's id has 1 to {MAX_SEAL_BYTES} bytes"))
}

/// Meters of one chain: what onboarding writes and device programs read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
	/// The chain.
	pub genesis: H256,
	/// Its meters, by number.
	pub meters: Vec<Onboarded>,
}

impl Registry {
	/// Reads a registry; `None` if there is no file.
	///
	/// # Errors
	/// [`OnboardFault::BadFile`].
	pub fn load(path: &Path) -> Result<Option<Self>, OnboardFault> {
		let bad = |reason: String| bad_file(path, None, reason);
		match fs::read(path) {
			Ok(bytes) => {
				serde_json::from_slice(&bytes).map(Some).map_err(|error| bad(error.to_string()))
			},
			Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
			Err(error) => Err(bad(error.to_string())),
		}
	}

	/// Adds meters to the registry at `path`, in place of those with the same numbers.
	///
	/// # Errors
	/// [`OnboardFault::BadFile`], also if it is of another chain.
	pub fn add(path: &Path, genesis: H256, meters: &[Onboarded]) -> Result<Self, OnboardFault> {
		let mut registry =
			Self::load(path)?.unwrap_or_else(|| Self { genesis, meters: Vec::new() });
		if registry.genesis != genesis {
			let reason = "holds meters of another chain; name another file".to_string();
			return Err(bad_file(path, None, reason));
		}
		registry.meters.retain(|old| meters.iter().all(|new| new.index != old.index));
		registry.meters.extend(meters.iter().cloned());
		registry.meters.sort_by_key(|meter| meter.index);
		let bad = |reason: String| bad_file(path, None, reason);
		let text = serde_json::to_string_pretty(&registry).map_err(|e| bad(e.to_string()))?;
		files::replace(path, format!("{text}\n").as_bytes(), 0o644)
			.map_err(|error| bad(error.to_string()))?;
		Ok(registry)
	}
}

/// Changes a meter in the registry at `path` after an exchange: where its device follows on, its
/// seal, and its key if that is a new one, from the folder `keys`.
///
/// # Errors
/// [`OnboardFault::BadFile`], also if the registry does not have the meter.
pub fn exchanged(path: &Path, info: &chain::Info, keys: Option<&Path>) -> Result<(), OnboardFault> {
	let missing = || bad_file(path, None, format!("has no meter {}", info.index));
	let registry = Registry::load(path)?.ok_or_else(missing)?;
	let mut meter = registry
		.meters
		.iter()
		.find(|meter| meter.index == info.index)
		.cloned()
		.ok_or_else(missing)?;
	meter.start = start(info);
	meter.device_key = hex::encode(info.certificate.device);
	meter.energy_account = address(&info.energy_account);
	meter.spec.seal = String::from_utf8_lossy(&info.certificate.seal).to_string();
	if let Some(folder) = keys {
		let file = folder.join(format!("{}.json", file_name(&info.certificate.name)));
		meter.key_file = fs::canonicalize(&file).unwrap_or(file);
	}
	Registry::add(path, registry.genesis, &[meter]).map(|_| ())
}

impl Onboarded {
	/// What its device signs for.
	pub const fn binding(&self, genesis: H256) -> Binding {
		Binding { genesis, meter: self.index }
	}
}

fn bad_file(path: &Path, line: Option<usize>, reason: String) -> OnboardFault {
	OnboardFault::BadFile { path: path.display().to_string(), line, reason }
}

/// Reads meters from a JSON array, or a CSV file whose first line is
/// `site,device,meter,direction,rated_power_w,seal` and maybe `,profile`.
///
/// # Errors
/// [`OnboardFault::BadFile`] with the line.
pub fn read_list(path: &Path) -> Result<Vec<MeterSpec>, OnboardFault> {
	let bad = |line: Option<usize>, reason: String| bad_file(path, line, reason);
	let text = fs::read_to_string(path).map_err(|error| bad(None, error.to_string()))?;
	let specs: Vec<(Option<usize>, MeterSpec)> = if text.trim_start().starts_with('[') {
		let specs: Vec<MeterSpec> = serde_json::from_str(&text)
			.map_err(|error| bad(Some(error.line()), error.to_string()))?;
		specs.into_iter().map(|spec| (None, spec)).collect()
	} else {
		let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty());
		let mut lines = lines.peekable();
		let columns = "site,device,meter,direction,rated_power_w,seal";
		let header = lines.next().map(|(_, header)| header).unwrap_or_default();
		if header != columns && header != format!("{columns},profile") {
			return Err(bad(
				Some(1),
				format!("the first line is {columns}, with or without ,profile"),
			));
		}
		let parse = |(number, line): (usize, &str)| {
			let spec = parse_line(line).map_err(|reason| bad(Some(number), reason))?;
			Ok((Some(number), spec))
		};
		lines.map(parse).collect::<Result<_, OnboardFault>>()?
	};
	for (place, (line, spec)) in specs.iter().enumerate() {
		let checked = spec.name().and_then(|_| spec.seal());
		checked.map_err(|reason| bad(*line, reason))?;
		let same = |other: &(_, MeterSpec)| {
			(&other.1.site, &other.1.device, &other.1.meter)
				== (&spec.site, &spec.device, &spec.meter)
		};
		if specs.iter().take(place).any(same) {
			return Err(bad(*line, "the same meter as in a line above".to_string()));
		}
	}
	Ok(specs.into_iter().map(|(_, spec)| spec).collect())
}

fn parse_line(line: &str) -> Result<MeterSpec, String> {
	let fields: Vec<&str> = line.split(',').map(str::trim).collect();
	let (&[site, device, meter, direction, power, seal], rest) =
		fields.split_first_chunk::<6>().ok_or("six or seven values are needed")?;
	let profile = match rest {
		[] | [""] => None,
		[profile] => Some(profile.to_string()),
		_ => return Err("six or seven values are needed".to_string()),
	};
	Ok(MeterSpec {
		site: site.to_string(),
		device: device.to_string(),
		meter: meter.to_string(),
		direction: direction.parse::<Direction>().map_err(|error| error.to_string())?,
		rated_power_w: power
			.parse()
			.map_err(|_| format!("rated_power_w {power:?} is no whole number of W"))?,
		seal: seal.to_string(),
		profile,
	})
}

/// Asks for the passphrase of a key file.
pub type Ask<'a> = &'a dyn Fn(&Path) -> Result<Zeroizing<Vec<u8>>, KeyFault>;

/// The device key of a meter in `folder`; made if there is none, encrypted with `passphrase` if
/// there is one.
///
/// # Errors
/// [`KeyFault`].
pub fn device_key(
	folder: &Path,
	name: &MeterName,
	passphrase: Option<&[u8]>,
	ask: Ask,
) -> Result<(SealedKey, PathBuf), KeyFault> {
	let path = folder.join(format!("{}.json", file_name(name)));
	if !path.exists() {
		let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
		made.map_err(|reason| KeyFault::Io { path: folder.display().to_string(), reason })?;
		SealedKey::generate(Kind::Device, Some(&name.to_string()))?.save(&path, passphrase)?;
	}
	let key = SealedKey::load_as(&path, Kind::Device, || match passphrase {
		Some(passphrase) => Ok(Zeroizing::new(passphrase.to_vec())),
		None => ask(&path),
	})?;
	match key.label() {
		Some(label) if label != name.to_string() => Err(KeyFault::Other {
			path: path.display().to_string(),
			is: label.to_string(),
			wanted: name.to_string(),
		}),
		_ => Ok((key, path)),
	}
}

/// Where a device that has no state yet follows on, by what the chain has of its meter.
pub const fn start(info: &chain::Info) -> Start {
	let state = &info.state;
	Start {
		sequence: state.next_sequence,
		previous: state.last_hash,
		registers: state.registers,
		end_ms: state.last_end_ms,
	}
}

/// What meters are onboarded with.
pub struct Order<'a> {
	/// The meters.
	pub meters: &'a [MeterSpec],
	/// Folder of the device keys.
	pub keys: &'a Path,
	/// Passphrase of new device keys, if they are to be encrypted.
	pub passphrase: Option<&'a [u8]>,
	/// Whose meters they are.
	pub owner: &'a AccountKey,
	/// Who certifies.
	pub electrician: &'a AccountKey,
	/// For which organisation.
	pub organisation: OrganisationIndex,
	/// Who holds the keys.
	pub trust: Trust,
	/// What their registers show.
	pub registers: Registers,
	/// When their certified service begins, UTC milliseconds.
	pub since_ms: u64,
	/// Now, UTC milliseconds.
	pub now_ms: u64,
}

/// Onboards meters: makes device keys, lets the owner consent and the electrician certify, and
/// waits until all is final. `done` is told of each meter.
///
/// # Errors
/// [`OnboardFault`]; meters that were certified before it stay so, and are found by the next run.
pub async fn onboard(
	chain: &Chain,
	order: &Order<'_>,
	ask: Ask<'_>,
	patience: &Patience,
	done: impl Fn(&Onboarded),
) -> Result<Vec<Onboarded>, OnboardFault> {
	check_organisation(chain, order).await?;
	let mut all = Vec::with_capacity(order.meters.len());
	for part in order.meters.chunks(AT_ONCE) {
		let mut calls = Vec::new();
		let mut prepared = Vec::with_capacity(part.len());
		for spec in part {
			let (certification, path) = prepare(order, spec, ask)?;
			let there = chain::meter_by_name(chain, &certification.name).await?;
			match &there {
				Some(info) => check_same(info, &certification)?,
				None => {
					let consent = certification.consent(order.organisation);
					let signature = order.owner.sign(&consent.signing_payload(&chain.genesis()));
					calls.push(chain::certify(order.organisation, &certification, &signature));
				},
			}
			prepared.push((spec, certification, path, there.is_some()));
		}
		let submitter = Submitter::new(chain.clone(), order.electrician.clone(), *patience);
		let mut outcomes = submitter.submit(&calls).await?.into_iter();
		for (spec, certification, key_file, was_there) in prepared {
			let name = certification.name.clone();
			let refused = |failure| OnboardFault::Refused { name: name.to_string(), failure };
			let lost = || Failure::Unsupported("an outcome of certify_meter".to_string());
			let outcome = match was_there {
				true => Ok(()),
				false => outcomes.next().unwrap_or_else(|| Err(lost())).map(|_| ()),
			};
			// What counts is the chain: a transaction whose fate stayed unknown may be there.
			let info = match (chain::meter_by_name(chain, &name).await?, outcome) {
				(Some(info), _) => info,
				(None, Err(failure)) => return Err(refused(failure)),
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
) -> Result<(Certification<[u8; 32]>, PathBuf), OnboardFault> {
	let bad = |reason: String| bad_file(Path::new(&spec.meter), None, reason);
	let name = spec.name().map_err(bad)?;
	let (key, path) = device_key(order.keys, &name, order.passphrase, ask)?;
	let certification = Certification {
		name,
		device: *key.public(),
		owner: order.owner.account(),
		rated_power_w: spec.rated_power_w,
		direction: spec.direction,
		trust: order.trust,
		seal: spec.seal().map_err(bad)?,
		registers: order.registers,
		since_ms: order.since_ms,
		valid_until_ms: order.now_ms.saturating_add(chain::CONSENT_MS),
	};
	Ok((certification, path))
}

fn check_same(info: &chain::Info, wanted: &Certification<[u8; 32]>) -> Result<(), OnboardFault> {
	let certificate = &info.certificate;
	let what = if certificate.device != wanted.device {
		"another device key"
	} else if certificate.owner != wanted.owner {
		"another owner"
	} else if certificate.direction != wanted.direction {
		"another direction"
	} else if certificate.rated_power_w != wanted.rated_power_w {
		"another rated power"
	} else {
		return Ok(());
	};
	Err(OnboardFault::Taken { name: wanted.name.to_string(), index: info.index, what })
}

/// Says at once what would refuse every meter.
async fn check_organisation(chain: &Chain, order: &Order<'_>) -> Result<(), OnboardFault> {
	let index = order.organisation;
	let fault = |reason| OnboardFault::Organisation { index, reason };
	let organisation = chain::organisation(chain, index)
		.await?
		.ok_or_else(|| fault("does not exist; register it with --register"))?;
	match organisation.standing {
		OrganisationStanding::Admitted => (),
		OrganisationStanding::Pending => return Err(fault("waits for governance to admit it")),
		OrganisationStanding::Revoked => return Err(fault("was revoked by governance")),
	}
	if !chain::is_member(chain, index, &order.electrician.account()).await? {
		return Err(fault("does not have this electrician; its admin has to add the account"));
	}
	Ok(())
}

/// An organisation that was just registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Registered {
	/// Its number.
	pub organisation: OrganisationIndex,
	/// What it calls itself.
	pub name: String,
	/// Has governance admitted it?
	pub admitted: bool,
	/// Its electricians.
	pub electricians: Vec<String>,
}

/// Registers an organisation with `admin`, adds electricians, and lets `governance`, the sudo key
/// of a development chain, admit it if there is one.
///
/// # Errors
/// [`OnboardFault`].
pub async fn register(
	chain: &Chain,
	name: &str,
	admin: &AccountKey,
	electricians: &[[u8; 32]],
	governance: Option<&AccountKey>,
	patience: &Patience,
) -> Result<Registered, OnboardFault> {
	let refused = |failure| OnboardFault::Refused { name: name.to_string(), failure };
	let call = chain::register_organisation(name);
	let included = chain::submit(chain, admin, call, patience).await.map_err(refused)?;
	let unsupported = || Failure::Unsupported("MeterReadings.OrganisationRegistered".to_string());
	let organisation = included
		.number("MeterReadings.OrganisationRegistered", "organisation")
		.and_then(|number| OrganisationIndex::try_from(number).ok())
		.ok_or_else(unsupported)?;
	for electrician in electricians {
		let call = chain::add_member(organisation, electrician);
		chain::submit(chain, admin, call, patience).await.map_err(refused)?;
	}
	if let Some(governance) = governance {
		let (pallet, call, arguments) =
			chain::set_standing(organisation, OrganisationStanding::Admitted);
		let inner = chain.call_bytes(pallet, call, &arguments).await?;
		let call = ("Sudo", "sudo", inner);
		chain::submit(chain, governance, call, patience).await.map_err(refused)?;
	}
	let found = chain::organisation(chain, organisation).await?.ok_or_else(unsupported)?;
	Ok(Registered {
		organisation,
		name: name.to_string(),
		admitted: found.standing == OrganisationStanding::Admitted,
		electricians: electricians.iter().map(address).collect(),
	})
}

#[cfg(test)]
mod tests;
