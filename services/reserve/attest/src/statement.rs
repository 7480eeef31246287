//! The figures of a day and their file, version 2.
//!
//! A file holds inputs and what follows from them. Reading one takes the inputs and computes the
//! rest again, so that a file whose figures do not fit together is noticed before anybody signs.
//!
//! How figures are written: energy and zone counts as JSON integers; every other figure as a
//! decimal string. An input is written exactly, in its shortest form with at least one digit
//! after the point; if its decimals do not end within 18 places it is cut after six, and the
//! exact fraction stands in `exact` under the same name. What is computed is cut after six places.

use crate::summary::Summary;
use gridproof_primitives::{
	H256,
	codec::json::Value,
	num::decimal::{MAX_EXACT_PLACES, Ratio, SignedRatio},
	num::units::{AICP, MICRO_EUR_PER_EUR},
	reserve::attestation::{AttestationFields, Kind, chain_hint, genesis_of_hint},
	reserve::formula::{Coverage, CoverageError, DEFAULT_CR_MAX, Inputs, Policy, evaluate},
	time::day::Day,
};

/// `meta.version` of the files written here.
pub const FILE_VERSION: u128 = 2;

/// The statement about a day, with the supply and policy it was planned for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
	/// Fields that the chain stores.
	pub fields: AttestationFields,
	/// Total issuance, in AICP.
	pub s_base: Ratio,
	/// Û.
	pub u_hat: Ratio,
	/// P_T, CR_min, daily cap, and the supply up to which the cap does not apply.
	pub policy: Policy,
	/// Moving average of the price at which the chain values the reserve, in EUR/MWh; `None` if it
	/// is the day's own price.
	pub average: Option<Ratio>,
	/// Hash of the first block of the chain it is for.
	pub genesis: H256,
}

/// What a plan adds to a summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanInputs {
	/// P_E, in EUR/MWh.
	pub eur_per_mwh: SignedRatio,
	/// V_compute, in EUR, of at most six decimals.
	pub compute_assets_eur: Ratio,
	/// Total issuance, in AICP.
	pub s_base: Ratio,
	/// Û.
	pub u_hat: Ratio,
	/// P_T, in EUR per AICP.
	pub target_eur: Ratio,
	/// CR_min.
	pub cr_min: Ratio,
	/// Share of the supply that may be minted in a day.
	pub cap: Ratio,
	/// Supply up to which that does not apply, in micro-tokens: what is left of the chain's
	/// bootstrap, above the present supply.
	pub bootstrap: u128,
	/// Moving average of the price at which the chain would value the reserve, in EUR/MWh; `None`
	/// if it is the day's own price.
	pub average: Option<Ratio>,
	/// Hash of the first block of the chain it is for.
	pub genesis: H256,
	/// Kind of statement.
	pub kind: Kind,
	/// Fields of the statement it corrects.
	pub revises: Option<AttestationFields>,
}

/// Why there is no statement, or why a file does not hold one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
	/// A figure has more places than the chain counts, which are six.
	#[error("{0} has more than six decimals, or is too large")]
	Places(&'static str),
	/// A formula is not defined for these figures.
	#[error("the figures give no result: {0}")]
	Formula(#[from] CoverageError),
	/// The statement to be revised is about another day or of another kind.
	#[error("the statement to be revised is about {0}")]
	Revises(String),
	/// A member is missing or is not what it should be.
	#[error("{member}: missing, or not {wanted}")]
	Member {
		/// Name of the member.
		member: &'static str,
		/// Form it should have.
		wanted: &'static str,
	},
	/// A figure does not follow from the others.
	#[error("{member}: the file says {stated}, the other figures give {computed}")]
	Figure {
		/// Name of the figure.
		member: &'static str,
		/// Value in the file.
		stated: String,
		/// Value by the other figures.
		computed: String,
	},
}

use StatementError::{Figure, Member};

impl Statement {
	/// Plans the statement of the summary's day.
	///
	/// # Errors
	/// [`StatementError`].
	pub fn plan(summary: &Summary, inputs: &PlanInputs) -> Result<Self, StatementError> {
		let revised = inputs.revises.as_ref();
		if let Some(other) = revised.filter(|r| (r.kind, r.day) != (inputs.kind, summary.day)) {
			return Err(StatementError::Revises(format!("{} of {}", other.kind, other.day)));
		}
		let fields = AttestationFields {
			kind: inputs.kind,
			day: summary.day,
			revision: revised.map_or(0, |revised| revised.revision.saturating_add(1)),
			replaces: revised.map(AttestationFields::hash),
			wh_raw: summary.wh_raw,
			wh_committed: summary.wh_committed,
			alpha: summary.alpha,
			eur_per_mwh: inputs.eur_per_mwh,
			compute_assets: micros("--compute-assets-eur", &inputs.compute_assets_eur)?,
			zones_ok: summary.zones_ok,
			zones_total: summary.zones_total,
		};
		let statement = Self {
			fields,
			s_base: inputs.s_base,
			u_hat: inputs.u_hat,
			policy: policy(inputs.target_eur, inputs.cr_min, inputs.cap, inputs.bootstrap),
			average: inputs.average.filter(|average| inputs.eur_per_mwh != (*average).into()),
			genesis: inputs.genesis,
		};
		statement.coverage()?;
		Ok(statement)
	}

	/// Computes what follows from the figures. A day whose price is at or below zero mints nothing;
	/// without an average, its reserve of energy is worth nothing either.
	///
	/// # Errors
	/// [`StatementError::Places`], [`StatementError::Formula`].
	pub fn coverage(&self) -> Result<Coverage, StatementError> {
		let price = self.fields.eur_per_mwh.not_negative().filter(|price| !price.is_zero());
		let inputs = Inputs {
			wh_committed: self.fields.wh_committed,
			eur_per_mwh: self.average.or(price).unwrap_or(Ratio::ZERO),
			compute_assets: self.fields.compute_assets.into(),
			issuance: self
				.s_base
				.checked_mul(&AICP.into())
				.ok_or(StatementError::Places("S_base"))?,
			utilisation: self.u_hat,
		};
		let coverage = evaluate(&inputs, &self.policy)?;
		Ok(match price {
			Some(_) => coverage,
			None => Coverage { mint: 0, binding: None, ..coverage },
		})
	}

	/// Returns the unsigned file.
	///
	/// # Errors
	/// As [`Self::coverage`].
	pub fn to_file(&self) -> Result<Value, StatementError> {
		let derived = Derived::of(&self.coverage()?);
		let fields = &self.fields;
		let mut exact = Vec::new();
		let mut input = |name: &'static str, value: SignedRatio| {
			if value.magnitude().to_decimal_exact(MAX_EXACT_PLACES).is_none() {
				exact.push((name.to_string(), value.to_string().into()));
			}
			member(name, value.to_figure())
		};
		let compute_assets = Ratio::millionths(fields.compute_assets);
		let mut members = vec![
			member("day", fields.day.to_iso()),
			member("kind", fields.kind.as_str()),
			member("revision", u128::from(fields.revision)),
			("replaces".into(), fields.replaces.map_or(Value::Null, |h| format!("{h:#x}").into())),
			member("wh_dc_raw", fields.wh_raw),
			member("wh_dc_commit", fields.wh_committed),
			input("eur_per_mwh", fields.eur_per_mwh),
			input("alpha", fields.alpha.into()),
			input("compute_assets_eur", compute_assets.into()),
			member("stock_value_eur", derived.stock_value),
			input("S_base", self.s_base.into()),
			input("U_hat", self.u_hat.into()),
			member("S", derived.supply),
			member("S_target_for_CR_min", derived.supply_target),
			member("mint_suggested", derived.mint),
			input("target_eur_per_aicp", self.policy.target_price.into()),
			("CR".into(), derived.ratio.map_or(Value::Null, Value::String)),
			input("CR_min", self.policy.cr_min.into()),
			input("mint_daily_cap_frac", self.policy.daily_cap.into()),
		];
		if let Some(average) = self.average {
			members.push(input("eur_per_mwh_average", average.into()));
		}
		if self.policy.bootstrap > 0 {
			members.push(input("mint_bootstrap", Ratio::millionths(self.policy.bootstrap).into()));
		}
		members.extend([
			member("zones_ok", u128::from(fields.zones_ok)),
			member("zones_total", u128::from(fields.zones_total)),
		]);
		if !exact.is_empty() {
			members.push(("exact".into(), Value::Object(exact)));
		}
		let meta = vec![
			member("version", FILE_VERSION),
			member("hash_algo", "sha256"),
			member("sig_algo", "ed25519"),
			member("domain", "AICP"),
			member("chain_hint", chain_hint(&self.genesis)),
			("signers".into(), Value::Array(Vec::new())),
			("signatures".into(), Value::Array(Vec::new())),
		];
		members.push(("meta".into(), Value::Object(meta)));
		Ok(Value::Object(members))
	}

	/// Reads a file of version 2 and checks every figure that follows from others.
	///
	/// # Errors
	/// [`StatementError::Member`] if the file is not of this form; [`StatementError::Figure`] if
	/// its figures do not fit together; as [`Self::coverage`].
	pub fn from_file(file: &Value) -> Result<Self, StatementError> {
		let statement = Self::inputs_of(file)?;
		let derived = Derived::of(&statement.coverage()?);
		for (member, computed) in [
			("stock_value_eur", &derived.stock_value),
			("S", &derived.supply),
			("S_target_for_CR_min", &derived.supply_target),
			("mint_suggested", &derived.mint),
		] {
			check_figure(file, member, computed)?;
		}
		match (&derived.ratio, file.get("CR")) {
			(Some(ratio), _) => check_figure(file, "CR", ratio)?,
			(None, Some(Value::Null)) => (),
			(None, _) => return Err(Member { member: "CR", wanted: "null, as S is zero" }),
		}
		Ok(statement)
	}

	fn inputs_of(file: &Value) -> Result<Self, StatementError> {
		let text = |name: &'static str| file.get(name).and_then(Value::as_str);
		let day = text("day").and_then(|text| Day::parse(text).ok());
		let kind = text("kind").and_then(|t| Kind::ALL.into_iter().find(|k| k.as_str() == t));
		let replaces = match file.get("replaces") {
			Some(Value::Null) => None,
			Some(Value::String(text)) => Some(hash(text).ok_or(REPLACES)?),
			_ => return Err(REPLACES),
		};
		let compute_assets = input(file, "compute_assets_eur")?;
		let fields = AttestationFields {
			kind: kind.ok_or(Member { member: "kind", wanted: "reserve or rehearsal" })?,
			day: day.ok_or(Member { member: "day", wanted: "a day, YYYY-MM-DD" })?,
			revision: integer(file, "revision")?,
			replaces,
			wh_raw: integer(file, "wh_dc_raw")?,
			wh_committed: integer(file, "wh_dc_commit")?,
			alpha: input(file, "alpha")?,
			eur_per_mwh: signed_input(file, "eur_per_mwh")?,
			compute_assets: micros("compute_assets_eur", &compute_assets)?,
			zones_ok: integer(file, "zones_ok")?,
			zones_total: integer(file, "zones_total")?,
		};
		let hint = file.get("meta").and_then(|meta| meta.get("chain_hint")).and_then(Value::as_str);
		Ok(Self {
			fields,
			s_base: input(file, "S_base")?,
			u_hat: input(file, "U_hat")?,
			policy: policy(
				input(file, "target_eur_per_aicp")?,
				input(file, "CR_min")?,
				input(file, "mint_daily_cap_frac")?,
				micros("mint_bootstrap", &optional(file, "mint_bootstrap")?.unwrap_or_default())?,
			),
			average: optional(file, "eur_per_mwh_average")?,
			genesis: hint.and_then(genesis_of_hint).ok_or(Member {
				member: "meta.chain_hint",
				wanted: "substrate:0x and the 64 digits of a genesis hash",
			})?,
		})
	}
}

const REPLACES: StatementError = Member { member: "replaces", wanted: "null or 0x and 64 digits" };

fn policy(target_price: Ratio, cr_min: Ratio, daily_cap: Ratio, bootstrap: u128) -> Policy {
	let cr_max = DEFAULT_CR_MAX.max(cr_min);
	Policy { target_price, cr_min, cr_max, daily_cap, bootstrap }
}

/// EUR as micro-EUR, or AICP as micro-tokens.
fn micros(name: &'static str, eur: &Ratio) -> Result<u128, StatementError> {
	eur.checked_mul(&MICRO_EUR_PER_EUR.into())
		.filter(|micros| micros.denominator() == 1)
		.map(|micros| micros.numerator())
		.ok_or(StatementError::Places(name))
}

/// What is computed, as the file has it.
struct Derived {
	stock_value: String,
	supply: String,
	supply_target: String,
	mint: String,
	ratio: Option<String>,
}

impl Derived {
	fn of(coverage: &Coverage) -> Self {
		let millionths = |value| Ratio::millionths(value).to_decimal_floor(6);
		Self {
			stock_value: millionths(coverage.v_reserve),
			supply: millionths(coverage.supply),
			supply_target: millionths(coverage.supply_target),
			mint: millionths(coverage.mint),
			ratio: coverage.ratio.map(|ratio| ratio.to_decimal_floor(6)),
		}
	}
}

fn member(name: &str, value: impl Into<Value>) -> (String, Value) {
	(name.to_string(), value.into())
}

fn hash(text: &str) -> Option<H256> {
	// The same digits as in a chain hint.
	genesis_of_hint(&format!("substrate:{text}"))
}

fn integer<T: TryFrom<u128>>(file: &Value, member: &'static str) -> Result<T, StatementError> {
	let value = file.get(member).and_then(Value::as_u128).and_then(|n| T::try_from(n).ok());
	value.ok_or(Member { member, wanted: "a whole number in range" })
}

fn input(file: &Value, member: &'static str) -> Result<Ratio, StatementError> {
	let value = signed_input(file, member)?;
	value.not_negative().ok_or(Member { member, wanted: "zero or above" })
}

/// A figure that a file may lack.
fn optional(file: &Value, member: &'static str) -> Result<Option<Ratio>, StatementError> {
	file.get(member).map(|_| input(file, member)).transpose()
}

/// A figure, from `exact` if it stands there.
fn signed_input(file: &Value, member: &'static str) -> Result<SignedRatio, StatementError> {
	let wanted = Member { member, wanted: "a decimal string" };
	let printed = file.get(member).and_then(Value::as_str).filter(|text| !text.contains('/'));
	let printed = printed.ok_or(wanted.clone())?;
	let Some(exact) = file.get("exact").and_then(|exact| exact.get(member)) else {
		return SignedRatio::parse(printed).map_err(|_| wanted);
	};
	let exact = exact.as_str().and_then(|text| SignedRatio::parse(text).ok());
	let exact = exact.ok_or(Member { member, wanted: "a fraction in exact" })?;
	if exact.to_figure() != printed {
		return Err(Figure { member, stated: printed.to_string(), computed: exact.to_figure() });
	}
	Ok(exact)
}

/// Is the figure equal to what was computed, however many zeros it ends in?
fn check_figure(file: &Value, member: &'static str, computed: &str) -> Result<(), StatementError> {
	let stated = file.get(member).and_then(Value::as_str);
	let stated = stated.ok_or(Member { member, wanted: "a decimal string" })?;
	if Ratio::parse(stated).ok() == Ratio::parse(computed).ok() {
		return Ok(());
	}
	Err(Figure { member, stated: stated.to_string(), computed: computed.to_string() })
}
