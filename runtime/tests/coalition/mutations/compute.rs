//! Rules of DESIGN §3.3, and of jobs.

use super::{Edit, Rule};

const CLAIMS: &str = "pallets/compute-receipts/src/claims.rs";
const EMISSION: &str = "pallets/compute-receipts/src/emission.rs";
const FORMULA: &str = "primitives/src/compute/emission.rs";
const JOBS: &str = "pallets/compute-receipts/src/jobs.rs";
const PARAMETERS: &str = "primitives/src/compute/parameters.rs";
const RATE: &str = "primitives/src/compute/rate.rs";
const REFUSAL: &str = "primitives/src/compute/refusal.rs";
const TYPES: &str = "pallets/compute-receipts/src/types.rs";

pub(super) const RULES: &[Rule] = &[
	Rule {
		name: "received",
		section: "§3.3",
		text: "a receipt mints at most γ × what the treasury received",
		edits: &[Edit {
			file: PARAMETERS,
			old: "emission::weighted(by_units.min(by_price), self",
			new: "let without = crate::without(\"received\");
		let bound = if without { by_units } else { by_units.min(by_price) };
		emission::weighted(bound, self",
		}],
	},
	Rule {
		name: "treasury-share",
		section: "§3.3",
		text: "what counts of a price is the treasury's share",
		edits: &[Edit {
			file: CLAIMS,
			old: "let received = batch.terms.received(job.asset, shares.treasury);",
			new: "let without = gridproof_primitives::without(\"treasury-share\");
		let share = if without { receipt.price } else { shares.treasury };
		let received = batch.terms.received(job.asset, share);",
		}],
	},
	Rule {
		name: "registered",
		section: "§3.3",
		text: "only work on models of the registry, by its factor, mints",
		edits: &[Edit {
			file: CLAIMS,
			old: "let received = if counts { received } else { 0 };",
			new: "let without = gridproof_primitives::without(\"registered\");
		let received = if counts || without { received } else { 0 };",
		}],
	},
	Rule {
		name: "claims",
		section: "§3.3",
		text: "a step mints at most the sum of its claims",
		edits: &[Edit {
			file: FORMULA,
			old: "	step_budget(step).min(claims).min(reserve_left)\n",
			new: "	let claims = if crate::without(\"claims\") { u128::MAX } else { claims };
	step_budget(step).min(claims).min(reserve_left)\n",
		}],
	},
	Rule {
		name: "budget",
		section: "§3.3",
		text: "a step mints at most its budget",
		edits: &[Edit {
			file: FORMULA,
			old: "pub fn step_budget(step: u64) -> u128 {\n",
			new: "pub fn step_budget(step: u64) -> u128 {
	if crate::without(\"budget\") {
		return u128::MAX;
	}\n",
		}],
	},
	Rule {
		name: "mint-bound",
		section: "§3.3",
		text: "no γ is set under which a self-dealer gets back what the treasury received",
		edits: &[Edit {
			file: PARAMETERS,
			old: "require(self.self_dealer_loses(), ",
			new: "require(crate::without(\"mint-bound\") || self.self_dealer_loses(), ",
		}],
	},
	Rule {
		name: "half-rate",
		section: "§3.3",
		text: "AICP counts at half of the stated rate",
		edits: &[Edit {
			file: RATE,
			old: "let half = worth.checked_div(U256::from(self.aicp).saturating_mul(2u8.into()));",
			new: "let parts = if crate::without(\"half-rate\") { 1u8 } else { 2u8 };
		let half = worth.checked_div(U256::from(self.aicp).saturating_mul(parts.into()));",
		}],
	},
	Rule {
		name: "rate-ends",
		section: "§3.3",
		text: "a rate ends unless it is stated again",
		edits: &[Edit {
			file: RATE,
			old: "	pub const fn at(&self, now: u64, valid_ms: u64) -> Option<AitPerAicp> {
		if now",
			new: "	pub fn at(&self, now: u64, valid_ms: u64) -> Option<AitPerAicp> {
		if crate::without(\"rate-ends\") || now",
		}],
	},
	Rule {
		name: "rate-raised",
		section: "§3.3",
		text: "the emergency account only lowers the rate",
		edits: &[Edit {
			file: EMISSION,
			old: "ensure!(governance || lowers, ",
			new: "let without = gridproof_primitives::without(\"rate-raised\");
		ensure!(without || governance || lowers, ",
		}],
	},
	Rule {
		name: "rate-prolonged",
		section: "§3.3",
		text: "the emergency account does not prolong the rate",
		edits: &[Edit {
			file: EMISSION,
			old: "Some(old) if !governance => old.stated_ms,",
			new: "Some(old) if !governance && !gridproof_primitives::without(\"rate-prolonged\") => old.stated_ms,",
		}],
	},
	Rule {
		name: "credit",
		section: "§3.3",
		text: "work for service credit mints nothing",
		edits: &[
			Edit {
				file: CLAIMS,
				old: "PriceAsset::ServiceCredit => false,",
				new: "PriceAsset::ServiceCredit => gridproof_primitives::without(\"credit\"),",
			},
			Edit {
				file: RATE,
				old: "		PriceAsset::Aicp => rate.map_or(0, |rate| rate.counted(amount)),
		PriceAsset::ServiceCredit => 0,\n",
				new: "		PriceAsset::Aicp => rate.map_or(0, |rate| rate.counted(amount)),
		PriceAsset::ServiceCredit if crate::without(\"credit\") => {
			amount.saturating_mul(AIT_OVER_AICP.into())
		},
		PriceAsset::ServiceCredit => 0,\n",
			},
		],
	},
	Rule {
		name: "paid-once",
		section: "§3.3",
		text: "what a party earned is paid once",
		edits: &[Edit {
			file: EMISSION,
			old: "		party.accrued = 0;\n",
			new: "		if !gridproof_primitives::without(\"paid-once\") {
			party.accrued = 0;
		}\n",
		}],
	},
	Rule {
		name: "settled-once",
		section: "§3.1",
		text: "a finished job never pays twice",
		edits: &[Edit {
			file: REFUSAL,
			old: "		JobState::Settled => return",
			new: "		JobState::Settled if crate::without(\"settled-once\") => {},
		JobState::Settled => return",
		}],
	},
	Rule {
		name: "refunded-once",
		section: "§3.1",
		text: "a price returns once",
		edits: &[Edit {
			file: JOBS,
			old: "		job.state = state;\n",
			new: "		if !gridproof_primitives::without(\"refunded-once\") {
			job.state = state;
		}\n",
		}],
	},
	Rule {
		name: "deadlines-stand",
		section: "§3.1",
		text: "deadlines stand still while settlement is stopped",
		edits: &[Edit {
			file: TYPES,
			old: "		if self.state != JobState::Open {\n",
			new: "		let without = gridproof_primitives::without(\"deadlines-stand\");
		if without || self.state != JobState::Open {\n",
		}],
	},
	Rule {
		name: "within-quote",
		section: "§3.1",
		text: "a receipt costs at most its quote",
		edits: &[Edit {
			file: REFUSAL,
			old: "require(receipt.price <= terms.price, ",
			new: "let without = crate::without(\"within-quote\");
	require(without || receipt.price <= terms.price, ",
		}],
	},
	Rule {
		name: "notice",
		section: "§3.1",
		text: "a cancellation's notice is longer than a node may be away (10 s in its place)",
		edits: &[Edit {
			file: JOBS,
			old: "let notice = Parameters::<T>::get().cancel_notice_ms;",
			new: "let without = gridproof_primitives::without(\"notice\");
		let notice = if without { 10_000 } else { Parameters::<T>::get().cancel_notice_ms };",
		}],
	},
	Rule {
		name: "failures",
		section: "§3.3",
		text: "a failure counts whatever else the call claims",
		edits: &[Edit {
			file: CLAIMS,
			old: "			Some(activity) => activity.add_failure(),\n",
			new: "			Some(_) if gridproof_primitives::without(\"failures\") => {
				Pallet::<T>::count_failure(miner, self.now)
			},
			Some(activity) => activity.add_failure(),\n",
		}],
	},
	Rule {
		name: "leaving",
		section: "§3.3",
		text: "who leaves settles only what was open before, and the bond waits for the last of it",
		edits: &[
			Edit {
				file: CLAIMS,
				old: "let leaves = |party: &Party<_>| party.leaving_ms",
				new: "let without = gridproof_primitives::without(\"leaving\");
		let leaves = |party: &Party<_>| !without && party.leaving_ms",
			},
			Edit {
				file: CLAIMS,
				old: "party.leaving_ms = party.leaving_ms.map(|until| until.max(free_ms));",
				new: "if !gridproof_primitives::without(\"leaving\") {
			party.leaving_ms = party.leaving_ms.map(|until| until.max(free_ms));
		}",
			},
		],
	},
];
