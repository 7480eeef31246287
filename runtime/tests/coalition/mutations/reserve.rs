//! Rules of DESIGN §5.

use super::{Edit, Rule};

const ATTESTATIONS: &str = "pallets/attestations/src/impls.rs";
const COVERAGE: &str = "pallets/coverage-policy/src/impls.rs";
const CREDIT: &str = "pallets/coverage-policy/src/credit.rs";
const FORMULA: &str = "primitives/src/reserve/formula.rs";
const STOP: &str = "primitives/src/reserve/stop.rs";

pub(super) const RULES: &[Rule] = &[
	Rule {
		name: "treasurys",
		section: "§5",
		text: "what is minted is the treasury's",
		edits: &[Edit {
			file: COVERAGE,
			old: "T::Fungibles::mint_into(T::Aicp::get(), &T::Treasury::get(), amount)?;",
			new: "let to = match Issuer::<T>::get() {
			Some(issuer) if gridproof_primitives::without(\"treasurys\") => issuer,
			_ => T::Treasury::get(),
		};
		T::Fungibles::mint_into(T::Aicp::get(), &to, amount)?;",
		}],
	},
	Rule {
		name: "allowance-used",
		section: "§5",
		text: "the day's allowance counts what was minted",
		edits: &[Edit {
			file: COVERAGE,
			old: "		Ok(opening.mint.saturating_sub(minting.minted))\n",
			new: "		if gridproof_primitives::without(\"allowance-used\") {
			return Ok(opening.mint);
		}
		Ok(opening.mint.saturating_sub(minting.minted))\n",
		}],
	},
	Rule {
		name: "daily-cap",
		section: "§5",
		text: "a day mints at most a share of the supply",
		edits: &[Edit {
			file: FORMULA,
			old: "let cap = supply.times(&policy.daily_cap.into())?;",
			new: "let without = crate::without(\"daily-cap\");
	let cap = if without { *supply } else { supply.times(&policy.daily_cap.into())? };",
		}],
	},
	Rule {
		name: "target",
		section: "§5",
		text: "nothing is minted above what the reserve covers",
		edits: &[Edit {
			file: FORMULA,
			old: "let room = target.minus(supply)?;",
			new: "let room = if crate::without(\"target\") { *target } else { target.minus(supply)? };",
		}],
	},
	Rule {
		name: "own-day",
		section: "§5",
		text: "a statement is used on the day after its own",
		edits: &[Edit {
			file: COVERAGE,
			old: "let open = |minting: &MintDay| latest.taken_on == today && minting.day == today;",
			new: "let without = gridproof_primitives::without(\"own-day\");
		let open =
			|minting: &MintDay| without || (latest.taken_on == today && minting.day == today);",
		}],
	},
	Rule {
		name: "two-roles",
		section: "§5",
		text: "two of three roles state",
		edits: &[Edit {
			file: ATTESTATIONS,
			old: "ensure!(count >= THRESHOLD, ",
			new: "let without = gridproof_primitives::without(\"two-roles\");
		ensure!(without || count >= THRESHOLD, ",
		}],
	},
	Rule {
		name: "role-signatures",
		section: "§5",
		text: "the roles have signed",
		edits: &[Edit {
			file: ATTESTATIONS,
			old: "		for (signature, (_, key)) in signatures.iter().zip(&signers) {\n",
			new: "		for (signature, (_, key)) in signatures.iter().zip(&signers) {
			if gridproof_primitives::without(\"role-signatures\") {
				continue;
			}\n",
		}],
	},
	Rule {
		name: "role-stop",
		section: "§5",
		text: "one role stops",
		edits: &[Edit {
			file: COVERAGE,
			old: "ensure!(!T::Stops::is_stopped(), ",
			new: "let without = gridproof_primitives::without(\"role-stop\");
		ensure!(without || !T::Stops::is_stopped(), ",
		}],
	},
	Rule {
		name: "stop-stands",
		section: "§5",
		text: "a stop stands for two days, no matter who signs",
		edits: &[Edit {
			file: STOP,
			old: "self.stop.filter(|stop| !(stop.lifted && now >= stop.until))",
			new: "let without = crate::without(\"stop-stands\");
		self.stop.filter(|stop| !(stop.lifted && (without || now >= stop.until)))",
		}],
	},
	Rule {
		name: "burned",
		section: "§5",
		text: "what is redeemed burns",
		edits: &[Edit {
			file: CREDIT,
			old: "		Self::burn(&who, amount)?;\n",
			new: "		if !gridproof_primitives::without(\"burned\") {
			Self::burn(&who, amount)?;
		}\n",
		}],
	},
	Rule {
		name: "credit-once",
		section: "§5",
		text: "credit is spent once",
		edits: &[Edit {
			file: CREDIT,
			old: "				account.held = account.held.checked_sub(amount)?;
				Some(())\n",
			new: "				let rest = account.held.checked_sub(amount)?;
				if !gridproof_primitives::without(\"credit-once\") {
					account.held = rest;
				}
				Some(())\n",
		}],
	},
	Rule {
		name: "paid-at-target",
		section: "§5",
		text: "who serves credit is paid at the target price (twice that in its place)",
		edits: &[Edit {
			file: CREDIT,
			old: "			if paid > 0 {\n",
			new: "			let without = gridproof_primitives::without(\"paid-at-target\");
			let paid = if without { paid.saturating_mul(2) } else { paid };
			if paid > 0 {\n",
		}],
	},
];
