//! The steps of a day: its grid data, and from that a signed statement that the chain holds.

use super::{daemon::Pipeline, error::StepError};
use crate::{
	keys::RoleKey,
	plan::write_plan,
	sign::sign_file,
	statement::{PlanInputs, Statement},
	submit::{SubmitError, submit_over},
	summary::read_summary,
	verify::{Version, open},
};
use gridproof_chain::{
	ChainError, Link, Patience,
	pallets::{attestations, coverage_policy},
};
use gridproof_grid::{
	Commitment, Source, Zone, ZoneReport, ZoneStatus, load_zones, price_from_source, summarise,
	write_day,
};
use gridproof_primitives::{
	num::{
		decimal::{Ratio, SignedRatio},
		units::AICP_ASSET_ID,
	},
	reserve::{
		attestation::{Kind, Role},
		parameters::PolicyParameters,
	},
	time::day::Day,
};
use gridproof_support::files;
use std::path::{Path, PathBuf};

/// Where the price of energy comes from.
#[derive(Clone, Debug)]
pub enum PriceSource {
	/// The same price every day, in EUR/MWh.
	Fixed(SignedRatio),
	/// The day-ahead price of a zone, by its name in the zones file.
	Zone {
		/// Name of the zone.
		name: String,
		/// Window of the moving average, in days; the day's own mean if `None`.
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
	/// Number of zones that must have a complete day.
	pub min_zones: u32,
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
	/// The zone of the price is not in the zones file.
	#[error("the zones file has no {0}")]
	UnknownZone(String),
}

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
}

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
		let PipelineSettings { zones, zones_file, source, folder, url, keys, price, figures } =
			settings;
		for (place, (role, _)) in keys.iter().enumerate() {
			if keys.iter().take(place).any(|(other, _)| other == role) {
				return Err(PipelineError::TwoKeys(*role));
			}
		}
		let price = match price {
			PriceSource::Fixed(price) => Price::Fixed(price),
			PriceSource::Zone { name, ema_window } => {
				let zone = zones.iter().find(|zone| zone.name == name).cloned();
				let zone = zone.ok_or(PipelineError::UnknownZone(name))?;
				Price::Zone { zone: Box::new(zone), ema_window }
			},
		};
		let link = Link::new(url);
		Ok(Self { zones, zones_file, source, folder, link, keys, price, figures })
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

	async fn price(&self, day: Day) -> Result<SignedRatio, StepError> {
		match &self.price {
			Price::Fixed(price) => Ok(*price),
			Price::Zone { zone, ema_window } => {
				let Zone { eic, timezone, .. } = &**zone;
				price_from_source(&self.source, eic, day, *timezone, *ema_window)
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

	/// Plans the day unless there is a signed file for this chain already: a run that was stopped
	/// in between must not make a second statement.
	async fn ensure_planned(&self, day: Day, path: &Path) -> Result<(), StepError> {
		let genesis = self.link.genesis().await.map_err(of_chain)?;
		if let Ok(bytes) = files::read(path)
			&& let Ok(opened) = open(&bytes, None)
			&& let Version::Two(statement) = &opened.version
			&& !opened.named_signers().is_empty()
		{
			if statement.fields.day != day || statement.genesis != genesis {
				let reason = "is signed for another day or chain; move it away";
				return Err(StepError::permanent(format!("{} {reason}", path.display())));
			}
			return Ok(());
		}
		let summary = self.folder.join(format!("grid_summary_{day}.json"));
		let summary = read_summary(&summary).map_err(StepError::temporary)?;
		let parameters = self.parameters().await?;
		let (figures, policy) = (&self.figures, parameters.policy);
		let price = self.price(day).await?;
		let query = coverage_policy::query::outlook(day, price);
		let outlook = self.link.read(&query).await.map_err(of_chain)?;
		if outlook.average.is_none() {
			let (price, first) = (price.to_figure(), refused_until(outlook.first_day));
			return Err(StepError::permanent(format!(
				"the chain does not believe the price of {price} EUR/MWh: {first}"
			)));
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
			revises: None,
		};
		let statement = Statement::plan(&summary, &inputs).map_err(StepError::permanent)?;
		let file = statement.to_file().map_err(StepError::permanent)?;
		write_plan(path, &file).map_err(StepError::temporary)
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
				let statement = standing.map(|there| there.fields.hash());
				Ok(format!("the chain holds another statement of this day, {statement:?}"))
			},
			Err(error) => {
				let reason = match &error {
					SubmitError::Chain(error) => error.to_string(),
					error => format!("{}: {error}", path.display()),
				};
				Err(StepError { permanent: !error.is_temporary(), reason })
			},
		}
	}
}

/// Says from which day on a refused price would be accepted.
fn refused_until(first_day: Option<Day>) -> String {
	match first_day {
		Some(day) => format!("the first day that it would accept with this price is {day}"),
		None => "it would accept no day with this price; check its source".to_string(),
	}
}

/// A question that failed is asked again: an answer is only a matter of the node.
fn of_chain(error: ChainError) -> StepError {
	StepError::temporary(error)
}

impl Pipeline for DayPipeline {
	async fn load(&mut self, day: Day) -> Result<String, StepError> {
		let commitment = self.commitment().await?;
		let reports = load_zones(&self.source, &self.zones, day, None, |_| ())
			.await
			.map_err(StepError::temporary)?;
		let named = |report: &ZoneReport| format!("{} {}", report.name, report.status.as_str());
		let missing = reports.iter().filter(|report| report.status != ZoneStatus::Ok);
		let missing = missing.map(named).collect::<Vec<_>>().join(", ");
		let summary = summarise(day, reports, &commitment, self.figures.min_zones)
			.map_err(|error| StepError::temporary(format!("{error} ({missing})")))?;
		write_day(&self.folder, &summary, &self.zones_file).map_err(StepError::temporary)?;
		let without =
			if missing.is_empty() { String::new() } else { format!("; without {missing}") };
		Ok(format!(
			"{} of {} zones, {} Wh, committed {} Wh{without}",
			summary.zones_ok, summary.zones_total, summary.wh_dc_raw, summary.wh_dc_commit
		))
	}

	async fn attest(&mut self, day: Day) -> Result<String, StepError> {
		let path = self.folder.join(format!("attestation_{day}.json"));
		self.ensure_planned(day, &path).await?;
		self.sign(&path)?;
		self.submit(day, &path).await
	}
}
