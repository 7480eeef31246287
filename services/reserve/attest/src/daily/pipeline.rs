//! The steps of a day: its grid data, and from that a signed statement that the chain holds.

use super::{
	daemon::{Loaded, Pipeline, Revision},
	difference::difference,
	error::StepError,
};
use crate::{
	keys::RoleKey,
	plan::write_plan,
	price::{average_window, price_refusal},
	sign::sign_file,
	statement::{PlanInputs, Statement},
	submit::{SubmitError, submit_over, trusted_keys},
	summary::read_summary,
	verify::{Opened, Version, open},
};
use gridproof_chain::{
	ChainError, Link, Patience,
	pallets::{attestations, coverage_policy},
};
use gridproof_grid::{
	Commitment, SILENT_DAYS, Source, Zone, ZoneReport, ZoneStatus, load_missing, load_zones,
	price_from_source, silent_zones, summarise, write_day,
};
use gridproof_primitives::{
	num::{
		decimal::{Ratio, SignedRatio},
		units::AICP_ASSET_ID,
	},
	reserve::{
		attestation::{AttestationFields, Kind, Role},
		bounds::PriceBounds,
		parameters::PolicyParameters,
	},
	time::day::Day,
};
use gridproof_support::files;
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
};

/// Where the price of energy comes from.
#[derive(Clone, Debug)]
pub enum PriceSource {
	/// The same price every day, in EUR/MWh.
	Fixed(SignedRatio),
	/// The day-ahead price of a zone, by its name in the zones file.
	Zone {
		/// Name of the zone.
		name: String,
		/// Window of the moving average, in days; if `None`, that of [`average_window`].
		ema_window: Option<u32>,
	},
}

/// Figures that an operator sets. `None` takes what the chain's policy says.
#[derive(Clone, Debug)]
pub struct Figures {
	/// V_compute, in EUR, of at most six decimals.
	pub compute_assets_eur: Ratio,
	/// Û.
	pub u_hat: Option<Ratio>,
	/// P_T, in EUR per AICP.
	pub target_eur: Option<Ratio>,
	/// CR_min.
	pub cr_min: Option<Ratio>,
	/// Share of the supply that may be minted in a day.
	pub cap: Option<Ratio>,
	/// α_base.
	pub alpha: Option<Ratio>,
	/// Haircut.
	pub haircut: Option<Ratio>,
	/// Number of zones that must have a complete day once late ones are not waited for any more;
	/// the least share that the chain takes, if `None`.
	pub min_zones: Option<u32>,
}

/// What the steps of a day work with.
pub struct PipelineSettings {
	/// The zones.
	pub zones: Vec<Zone>,
	/// Bytes of the zones file, which are kept beside a day's files.
	pub zones_file: Vec<u8>,
	/// Source of grid data.
	pub source: Source,
	/// Folder of grid files and attestations.
	pub folder: PathBuf,
	/// Address of the node.
	pub url: String,
	/// Keys to sign with, each with its role. With one key, the file waits for another role.
	pub keys: Vec<(Role, RoleKey)>,
	/// Take as many keys as a statement needs: who has this machine then states any reserve.
	pub several_roles: bool,
	/// Source of the price.
	pub price: PriceSource,
	/// Figures of every day.
	pub figures: Figures,
}

/// Why settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PipelineError {
	/// A role has two keys.
	#[error("two keys of {0} are given")]
	TwoKeys(Role),
	/// The keys suffice for a statement.
	#[error(
		"these are the keys of {0} roles, as many as a statement needs: who has this machine would state \
		 any reserve. Keep each role on a machine of its own; where nothing is at stake, say \
		 --several-roles-on-purpose"
	)]
	SeveralRoles(usize),
	/// The zone of the price is not in the zones file.
	#[error("the zones file has no {0}")]
	UnknownZone(String),
}

/// Number of signatures that a statement needs.
const THRESHOLD_KEYS: usize = 2;

/// The steps of a day, from grid data to the chain.
///
/// A statement is planned from the day's summary file, never from the figures in memory: that file
/// is the audit record of what the statement rests on.
pub struct DayPipeline {
	zones: Vec<Zone>,
	zones_file: Vec<u8>,
	source: Source,
	folder: PathBuf,
	link: Link,
	keys: Vec<(Role, RoleKey)>,
	price: Price,
	figures: Figures,
	/// What is known of the zones of the last days, so that only what is missing is asked for again.
	known: BTreeMap<Day, Vec<ZoneReport>>,
}

/// Number of days of which the zones are remembered.
const MAX_KNOWN: usize = 64;

/// Where the price comes from, with the zone itself.
enum Price {
	Fixed(SignedRatio),
	Zone { zone: Box<Zone>, ema_window: Option<u32> },
}

impl DayPipeline {
	/// Returns the steps; nothing is asked of source or node yet.
	///
	/// # Errors
	/// [`PipelineError`].
	pub fn new(settings: PipelineSettings) -> Result<Self, PipelineError> {
		let PipelineSettings {
			zones,
			zones_file,
			source,
			folder,
			url,
			keys,
			several_roles,
			price,
			figures,
		} = settings;
		for (place, (role, _)) in keys.iter().enumerate() {
			if keys.iter().take(place).any(|(other, _)| other == role) {
				return Err(PipelineError::TwoKeys(*role));
			}
		}
		if keys.len() >= THRESHOLD_KEYS && !several_roles {
			return Err(PipelineError::SeveralRoles(keys.len()));
		}
		let price = match price {
			PriceSource::Fixed(price) => Price::Fixed(price),
			PriceSource::Zone { name, ema_window } => {
				let same = |zone: &&Zone| zone.name.eq_ignore_ascii_case(&name);
				let zone = zones.iter().find(same).cloned();
				let zone = zone.ok_or(PipelineError::UnknownZone(name))?;
				Price::Zone { zone: Box::new(zone), ema_window }
			},
		};
		if keys.len() >= THRESHOLD_KEYS {
			tracing::warn!(
				event = "threshold_in_one_place",
				keys = keys.len(),
				"this program holds as many roles' keys as a statement needs: who has this \
				 machine states any reserve; keep each role on a machine of its own"
			);
		}
		let (link, known) = (Link::new(url), BTreeMap::new());
		Ok(Self { zones, zones_file, source, folder, link, keys, price, figures, known })
	}

	/// Returns the connection to the node.
	pub const fn link(&self) -> &Link {
		&self.link
	}

	async fn parameters(&self) -> Result<PolicyParameters, StepError> {
		self.link.read(&coverage_policy::query::parameters()).await.map_err(of_chain)
	}

	/// α_base and haircut: the chain's own, whose statements it accepts, unless the operator says
	/// otherwise.
	async fn commitment(&self) -> Result<Commitment, StepError> {
		match (self.figures.alpha, self.figures.haircut) {
			(Some(alpha), Some(haircut)) => Ok(Commitment { alpha, haircut }),
			(alpha, haircut) => {
				let chain = self.parameters().await?;
				Ok(Commitment {
					alpha: alpha.unwrap_or(chain.alpha_base),
					haircut: haircut.unwrap_or(chain.haircut),
				})
			},
		}
	}

	async fn price(&self, day: Day, bounds: &PriceBounds) -> Result<SignedRatio, StepError> {
		match &self.price {
			Price::Fixed(price) => Ok(*price),
			Price::Zone { zone, ema_window } => {
				let Zone { eic, timezone, .. } = &**zone;
				let window = average_window(*ema_window, bounds);
				price_from_source(&self.source, eic, day, *timezone, window)
					.await
					.map(|report| report.price())
					.map_err(StepError::temporary)
			},
		}
	}

	/// Total issuance, in AICP.
	async fn issuance(&self) -> Result<Ratio, StepError> {
		let chain = self.link.chain().await.map_err(of_chain)?;
		let issuance = self.link.checked(&chain, chain.issuance(AICP_ASSET_ID).await).await;
		issuance.map(Ratio::millionths).map_err(of_chain)
	}

	/// The statement of a day by this machine's own data and the chain's parameters.
	async fn own(
		&self,
		day: Day,
		revises: Option<AttestationFields>,
	) -> Result<Statement, StepError> {
		let genesis = self.link.genesis().await.map_err(of_chain)?;
		let summary = read_summary(&self.summary_path(day)).map_err(StepError::reload)?;
		let parameters = self.parameters().await?;
		let (figures, policy) = (&self.figures, parameters.policy);
		let price = self.price(day, &parameters.prices).await?;
		let query = coverage_policy::query::outlook(day, price);
		let outlook = self.link.read(&query).await.map_err(of_chain)?;
		if outlook.average.is_none() {
			// Not final: while the chain takes the day, its average moves.
			return Err(StepError::temporary(self.price_refusal(&price, day, &parameters).await?));
		}
		let inputs = PlanInputs {
			eur_per_mwh: price,
			compute_assets_eur: figures.compute_assets_eur,
			s_base: self.issuance().await?,
			u_hat: figures.u_hat.unwrap_or(parameters.utilisation),
			target_eur: figures.target_eur.unwrap_or(policy.target_price),
			cr_min: figures.cr_min.unwrap_or(policy.cr_min),
			cap: figures.cap.unwrap_or(policy.daily_cap),
			bootstrap: outlook.bootstrap,
			average: outlook.average.filter(|average| !average.is_zero()),
			genesis,
			kind: Kind::Reserve,
			revises,
		};
		Statement::plan(&summary, &inputs).map_err(StepError::permanent)
	}

	/// Why the chain refuses a price.
	async fn price_refusal(
		&self,
		price: &SignedRatio,
		day: Day,
		parameters: &PolicyParameters,
	) -> Result<String, StepError> {
		let status = self.link.read(&coverage_policy::query::status()).await.map_err(of_chain)?;
		let refusal = price_refusal(price, day, &parameters.prices, status.statement.as_ref());
		Ok(refusal.unwrap_or_else(|| {
			format!("the chain refused the price of {} EUR/MWh a moment ago", price.to_figure())
		}))
	}

	/// Plans the day unless there is a signed file for this chain already, from here or from another
	/// role: a run that was stopped in between must not make a second statement. Of a signed file
	/// nothing is taken on trust: its signatures must be those of the chain's keys, and its figures
	/// those of this machine's own data.
	async fn ensure_planned(
		&self,
		day: Day,
		path: &Path,
		revises: Option<AttestationFields>,
	) -> Result<(), StepError> {
		let genesis = self.link.genesis().await.map_err(of_chain)?;
		let Some((opened, statement)) = signed(path) else {
			let statement = self.own(day, revises).await?;
			let file = statement.to_file().map_err(StepError::permanent)?;
			return write_plan(path, &file).map_err(StepError::temporary);
		};
		let shown = path.display();
		if statement.fields.day != day || statement.genesis != genesis {
			let reason = "is signed for another day or chain; move it away";
			return Err(StepError::temporary(format!("{shown} {reason}")));
		}
		let keys = self.link.read(&attestations::query::keys()).await.map_err(of_chain)?;
		let keys = trusted_keys(&keys).map_err(StepError::temporary)?;
		let (counted, reasons) = opened.count(&keys);
		if let Some(reason) = reasons.first() {
			return Err(StepError::temporary(format!(
				"{shown} carries a signature that does not count; nothing is added to it: {reason}"
			)));
		}
		let has_signed = |role: &Role| counted.iter().any(|signature| signature.role == *role);
		if self.keys.iter().all(|(role, _)| has_signed(role)) {
			return Ok(());
		}
		let own = self.own(day, revises).await?;
		match difference(&statement, &own) {
			None => Ok(()),
			Some(difference) => Err(StepError::reload(format!(
				"{shown} is not what this machine's own data says, so it is not signed: {difference}"
			))),
		}
	}

	fn summary_path(&self, day: Day) -> PathBuf {
		self.folder.join(format!("grid_summary_{day}.json"))
	}

	fn attestation_path(&self, day: Day, revision: u32) -> PathBuf {
		let revision = if revision == 0 { String::new() } else { format!(".r{revision}") };
		self.folder.join(format!("attestation_{day}{revision}.json"))
	}

	fn sign(&self, path: &Path) -> Result<(), StepError> {
		let bytes = files::read(path).map_err(StepError::temporary)?;
		let there = open(&bytes, None).map_err(StepError::permanent)?.named_signers();
		for (role, key) in &self.keys {
			if !there.iter().any(|signer| signer == role.as_str()) {
				sign_file(path, *role, key, None).map_err(StepError::temporary)?;
			}
		}
		Ok(())
	}

	/// Whether a statement that stands is one that this folder has the file of: the day's own or a
	/// revision of it.
	fn is_from_here(&self, standing: &AttestationFields) -> bool {
		let path = self.attestation_path(standing.day, standing.revision);
		signed(&path).is_some_and(|(_, statement)| statement.fields == *standing)
	}

	async fn submit(&self, day: Day, path: &Path) -> Result<String, StepError> {
		let bytes = files::read(path).map_err(StepError::temporary)?;
		match submit_over(&self.link, &bytes, &Patience::default()).await {
			Ok(done) => Ok(match done.block {
				Some(block) => format!("{} in block {block}", done.statement),
				None => format!("{} was there already", done.statement),
			}),
			Err(error) if error.is_already_attested() => {
				let query = attestations::query::attestation(Kind::Reserve, day);
				let standing = self.link.read(&query).await.map_err(of_chain)?;
				let Some(standing) = standing else {
					return Err(StepError::temporary("the chain's statement of this day is gone"));
				};
				let statement = format!("{:#x}", standing.fields.hash());
				if self.is_from_here(&standing.fields) {
					return Ok(format!("{statement} stands, a revision from here"));
				}
				let signers: Vec<_> =
					standing.signers.iter().map(|(role, _)| role.as_str()).collect();
				Err(StepError::rival(format!(
					"the chain holds another statement of this day, {statement}, signed by {}: see \
					 gridproof attest show --day {day}, and stop the mint if it is wrong",
					signers.join(" and ")
				)))
			},
			Err(error) => {
				let reason = match &error {
					SubmitError::Chain(error) => error.to_string(),
					error => format!("{}: {error}", path.display()),
				};
				Err(if error.is_temporary() {
					StepError::temporary(reason)
				} else {
					StepError::permanent(reason)
				})
			},
		}
	}
}

/// A question that failed is asked again: an answer is only a matter of the node.
fn of_chain(error: ChainError) -> StepError {
	StepError::temporary(error)
}

/// The file at a path, if somebody has signed it.
fn signed(path: &Path) -> Option<(Opened, Statement)> {
	let opened = open(&files::read(path).ok()?, None).ok()?;
	if opened.named_signers().is_empty() {
		return None;
	}
	match &opened.version {
		Version::Two(statement) => {
			let statement = (**statement).clone();
			Some((opened, statement))
		},
		Version::One { .. } => None,
	}
}

/// The least number of zones that is not below a share of all.
fn least_zones(share: &Ratio, total: u32) -> u32 {
	let is_enough =
		|ok: &u32| Ratio::new((*ok).into(), total.into()).is_some_and(|of_all| of_all >= *share);
	(1..=total).find(is_enough).unwrap_or(total)
}

impl DayPipeline {
	/// Asks for the zones of a day that are not known yet.
	async fn ask(&mut self, day: Day) -> Result<Vec<ZoneReport>, StepError> {
		let reports = match self.known.remove(&day) {
			Some(mut reports) => {
				let asked = load_missing(&self.source, &self.zones, day, &mut reports).await;
				let error = asked.err();
				self.known.insert(day, reports.clone());
				error.map_or(Ok(reports), |error| Err(StepError::temporary(error)))?
			},
			None => load_zones(&self.source, &self.zones, day, None, |_| ())
				.await
				.map_err(StepError::temporary)?,
		};
		self.known.insert(day, reports.clone());
		while self.known.len() > MAX_KNOWN {
			self.known.pop_first();
		}
		Ok(reports)
	}

	async fn least_zones(&self, total: u32) -> Result<u32, StepError> {
		match self.figures.min_zones {
			Some(zones) => Ok(zones),
			None => Ok(least_zones(&self.parameters().await?.energy.min_zones_share, total)),
		}
	}

	/// Writes the day's files, if enough zones are there, and reads back what they say.
	async fn write(
		&self,
		day: Day,
		reports: Vec<ZoneReport>,
		least: u32,
	) -> Result<Loaded, StepError> {
		let commitment = self.commitment().await?;
		let missing = missing(&reports);
		let summary = summarise(day, reports, &commitment, least)
			.map_err(|error| StepError::temporary(format!("{error} ({missing})")))?;
		write_day(&self.folder, &summary, &self.zones_file).map_err(StepError::temporary)?;
		let without =
			if missing.is_empty() { String::new() } else { format!("; without {missing}") };
		let silent = silent_zones(&self.folder, &summary).join(", ");
		let aged = if silent.is_empty() {
			String::new()
		} else {
			tracing::warn!(
				event = "silent_zones", %day, zones = silent,
				"the source has had nothing of these zones for long: the list of zones may be out of date"
			);
			format!(
				"; nothing of {silent} in the last {SILENT_DAYS} days: is the list of zones out of date?"
			)
		};
		let message = format!(
			"{} of {} zones, {} Wh, committed {} Wh{without}{aged}",
			summary.zones_ok, summary.zones_total, summary.wh_dc_raw, summary.wh_dc_commit
		);
		let written = read_summary(&self.summary_path(day)).map_err(StepError::temporary)?;
		let is_partial = summary.zones_ok < summary.zones_total;
		Ok(Loaded { message, figures: written.figures(), is_partial })
	}
}

/// The zones that do not count, each with its status.
fn missing(reports: &[ZoneReport]) -> String {
	let named = |report: &ZoneReport| format!("{} {}", report.name, report.status.as_str());
	let missing = reports.iter().filter(|report| report.status != ZoneStatus::Ok);
	missing.map(named).collect::<Vec<_>>().join(", ")
}

impl Pipeline for DayPipeline {
	async fn load(&mut self, day: Day, is_last_call: bool) -> Result<Loaded, StepError> {
		let reports = self.ask(day).await?;
		let total = u32::try_from(reports.len()).unwrap_or(u32::MAX);
		let least = if is_last_call { self.least_zones(total).await? } else { total };
		self.write(day, reports, least).await
	}

	async fn attest(&mut self, day: Day, figures: Option<&str>) -> Result<String, StepError> {
		// The files are where others write too; what was loaded is known from the state.
		let summary = read_summary(&self.summary_path(day)).map_err(StepError::reload)?;
		if figures.is_none_or(|loaded| loaded != summary.figures()) {
			let shown = self.summary_path(day).display().to_string();
			return Err(StepError::reload(format!(
				"{shown} is not what was loaded; loading again"
			)));
		}
		let path = self.attestation_path(day, 0);
		self.ensure_planned(day, &path, None).await?;
		self.sign(&path)?;
		self.submit(day, &path).await
	}

	async fn revise(&mut self, day: Day) -> Result<Revision, StepError> {
		let reports = self.ask(day).await?;
		let counted = reports.iter().filter(|report| report.status == ZoneStatus::Ok).count();
		let counted = u32::try_from(counted).unwrap_or(u32::MAX);
		let query = attestations::query::attestation(Kind::Reserve, day);
		let standing = self.link.read(&query).await.map_err(of_chain)?;
		let Some(standing) = standing.map(|there| there.fields) else {
			return Ok(Revision::Nothing);
		};
		if counted <= u32::from(standing.zones_ok) {
			return Ok(Revision::Nothing);
		}
		let loaded = self.write(day, reports, counted).await?;
		let path = self.attestation_path(day, standing.revision.saturating_add(1));
		self.ensure_planned(day, &path, Some(standing)).await?;
		self.sign(&path)?;
		let done = self.submit(day, &path).await?;
		let message = format!("{}; {done}", loaded.message);
		Ok(if loaded.is_partial { Revision::Partial(message) } else { Revision::Complete(message) })
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// The steps with this machine's own figures, so that no node is asked.
	fn pipeline(folder: &Path) -> DayPipeline {
		let settings = PipelineSettings {
			zones: Vec::new(),
			zones_file: b"zones".to_vec(),
			source: Source::Folder(folder.to_path_buf()),
			folder: folder.to_path_buf(),
			url: "ws://127.0.0.1:1".to_string(),
			keys: Vec::new(),
			several_roles: false,
			price: PriceSource::Fixed(Ratio::ONE.into()),
			figures: Figures {
				compute_assets_eur: Ratio::ZERO,
				u_hat: None,
				target_eur: None,
				cr_min: None,
				cap: None,
				alpha: Some(Ratio::percent(18)),
				haircut: Some(Ratio::ONE),
				min_zones: Some(1),
			},
		};
		DayPipeline::new(settings).unwrap()
	}

	fn zone(name: &str, status: ZoneStatus) -> ZoneReport {
		let wh = (status == ZoneStatus::Ok).then_some(1_000);
		let (name, eic, reason) =
			(name.to_string(), format!("EIC-{name}"), "as tested".to_string());
		ZoneReport { name, eic, status, wh, completeness_ppm: 0, reason }
	}

	#[tokio::test]
	async fn a_zone_of_which_nothing_came_for_two_weeks_is_named_each_day() {
		let folder = tempfile::tempdir().unwrap();
		let steps = pipeline(folder.path());
		let mut day = Day::parse("2026-01-01").unwrap();
		let mut said = Vec::new();
		for number in 0..20 {
			let gone = if number == 17 { ZoneStatus::Incomplete } else { ZoneStatus::NoData };
			let late = if number % 5 == 4 { ZoneStatus::Ok } else { ZoneStatus::NoData };
			let away = if number == 6 { ZoneStatus::Error } else { ZoneStatus::NoData };
			let zones = vec![
				zone("DE-LU", ZoneStatus::Ok),
				zone("GONE", gone),
				zone("LATE", late),
				zone("AWAY", away),
			];
			// A day that was never loaded says nothing.
			if number != 3 {
				let loaded = steps.write(day, zones, 1).await.unwrap();
				said.push((number, loaded.message));
			}
			day = day.next().unwrap();
		}
		let named: Vec<u32> = said
			.iter()
			.filter(|(_, text)| text.contains("nothing of GONE in"))
			.map(|day| day.0)
			.collect();
		assert_eq!(named, [14, 15, 16], "{said:?}");
		let others =
			|name: &str| said.iter().any(|(_, text)| text.contains(&format!("nothing of {name}")));
		assert!(!others("DE-LU") && !others("LATE") && !others("AWAY"), "{said:?}");
	}

	#[test]
	fn the_least_number_of_zones_is_the_chains_share_rounded_up() {
		assert_eq!(least_zones(&Ratio::percent(80), 47), 38);
		assert_eq!(least_zones(&Ratio::percent(80), 5), 4);
		assert_eq!(least_zones(&Ratio::ONE, 3), 3);
		assert_eq!(least_zones(&Ratio::ZERO, 3), 1);
	}
}
