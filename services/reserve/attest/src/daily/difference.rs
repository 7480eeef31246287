//! A file that somebody else has signed, against what this machine's own data says.

use crate::statement::Statement;
use gridproof_primitives::num::decimal::Ratio;

/// What a file says differently from one's own statement; `None` if it says the same.
///
/// What the chain stores must be equal. Supply, bootstrap and average are the chain's at the time
/// of planning, and the chain computes with its own: they may differ by the share of the supply
/// that may be minted in a day.
pub(super) fn difference(file: &Statement, own: &Statement) -> Option<String> {
	let (theirs, ours) = (&file.fields, &own.fields);
	let pairs = [
		("revision", theirs.revision.to_string(), ours.revision.to_string()),
		("replaces", format!("{:?}", theirs.replaces), format!("{:?}", ours.replaces)),
		("wh_dc_raw", theirs.wh_raw.to_string(), ours.wh_raw.to_string()),
		("wh_dc_commit", theirs.wh_committed.to_string(), ours.wh_committed.to_string()),
		("alpha", theirs.alpha.to_string(), ours.alpha.to_string()),
		("eur_per_mwh", theirs.eur_per_mwh.to_string(), ours.eur_per_mwh.to_string()),
		("compute_assets", theirs.compute_assets.to_string(), ours.compute_assets.to_string()),
		("zones_ok", theirs.zones_ok.to_string(), ours.zones_ok.to_string()),
		("zones_total", theirs.zones_total.to_string(), ours.zones_total.to_string()),
		("U_hat", file.u_hat.to_string(), own.u_hat.to_string()),
		(
			"target_eur_per_aicp",
			file.policy.target_price.to_string(),
			own.policy.target_price.to_string(),
		),
		("CR_min", file.policy.cr_min.to_string(), own.policy.cr_min.to_string()),
		(
			"mint_daily_cap_frac",
			file.policy.daily_cap.to_string(),
			own.policy.daily_cap.to_string(),
		),
	];
	if let Some((name, theirs, ours)) = pairs.into_iter().find(|(_, theirs, ours)| theirs != ours) {
		return Some(format!("{name} is {theirs}, not {ours}"));
	}
	if theirs != ours {
		return Some("its fields are others".to_string());
	}
	let micros = |ratio: Ratio| ratio.mul_floor(1_000_000).unwrap_or(u128::MAX);
	let average = |statement: &Statement| micros(statement.average.unwrap_or(Ratio::ZERO));
	let (supply, bootstrap) = (micros(own.s_base), own.policy.bootstrap);
	let room = own.policy.daily_cap;
	[
		("S_base", micros(file.s_base), supply, bootstrap),
		("mint_bootstrap", file.policy.bootstrap, bootstrap, supply),
		("eur_per_mwh_average", average(file), average(own), 0),
	]
	.into_iter()
	.find(|(_, theirs, ours, more)| !is_near(*theirs, *ours, &room, *more))
	.map(|(name, theirs, ours, _)| {
		let (theirs, ours) = (Ratio::millionths(theirs), Ratio::millionths(ours));
		format!("{name} is {}, not about {}", theirs.to_figure(), ours.to_figure())
	})
}

/// Whether two figures differ by `share` of the larger and `more` at most.
fn is_near(one: u128, other: u128, share: &Ratio, more: u128) -> bool {
	let room = share.mul_floor(one.max(other)).unwrap_or(u128::MAX);
	one.abs_diff(other) <= room.saturating_add(more)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::statement::PlanInputs;
	use gridproof_primitives::{
		num::decimal::SignedRatio, reserve::attestation::Kind, time::day::Day,
	};

	fn ratio(text: &str) -> Ratio {
		Ratio::parse(text).unwrap()
	}

	fn statement(price: &str, s_base: &str) -> Statement {
		let summary = crate::summary::Summary {
			day: Day::parse("2026-01-15").unwrap(),
			wh_raw: 1_000_000_000_000,
			wh_committed: 180_000_000_000,
			alpha: ratio("0.18"),
			zones_ok: 30,
			zones_total: 30,
		};
		let inputs = PlanInputs {
			eur_per_mwh: SignedRatio::parse(price).unwrap(),
			compute_assets_eur: Ratio::ZERO,
			s_base: ratio(s_base),
			u_hat: Ratio::ONE,
			target_eur: ratio("1.5"),
			cr_min: ratio("1.1"),
			cap: ratio("0.05"),
			bootstrap: 0,
			average: None,
			genesis: gridproof_primitives::H256([7; 32]),
			kind: Kind::Reserve,
			revises: None,
		};
		Statement::plan(&summary, &inputs).unwrap()
	}

	#[test]
	fn a_file_whose_figures_are_not_ones_own_is_not_signed() {
		let own = statement("90", "10000000");
		assert_eq!(difference(&statement("90", "10000000"), &own), None);
		let other = difference(&statement("90.000001", "10000000"), &own).unwrap();
		assert!(other.contains("eur_per_mwh"), "{other}");
		type Edit = fn(&mut Statement);
		let edits: [(&str, Edit); 8] = [
			("wh_dc_raw", |s| s.fields.wh_raw += 1),
			("wh_dc_commit", |s| s.fields.wh_committed += 1),
			("compute_assets", |s| s.fields.compute_assets += 1),
			("zones_ok", |s| s.fields.zones_ok -= 1),
			("zones_total", |s| s.fields.zones_total += 1),
			("revision", |s| s.fields.revision += 1),
			("CR_min", |s| s.policy.cr_min = Ratio::ONE),
			("mint_daily_cap_frac", |s| s.policy.daily_cap = Ratio::ONE),
		];
		for (name, edit) in edits {
			let mut file = own.clone();
			edit(&mut file);
			let found = difference(&file, &own).unwrap();
			assert!(found.starts_with(name), "{name}: {found}");
		}
	}

	#[test]
	fn the_supply_of_a_file_may_have_moved_by_a_days_mint_and_no_more() {
		let own = statement("90", "10000000");
		assert_eq!(difference(&statement("90", "9500000"), &own), None);
		assert_eq!(difference(&statement("90", "10526315"), &own), None);
		for far in ["9499999", "10526316", "0", "20000000"] {
			let found = difference(&statement("90", far), &own).unwrap();
			assert!(found.starts_with("S_base"), "{far}: {found}");
		}
		let mut file = own.clone();
		file.policy.bootstrap = 21_000_000_000_000_000;
		assert!(difference(&file, &own).unwrap().starts_with("mint_bootstrap"));
		file.policy.bootstrap = 0;
		file.average = Some(ratio("200"));
		assert!(difference(&file, &own).unwrap().starts_with("eur_per_mwh_average"));
	}
}
