//! Rules of DESIGN §3.2, and of §3.3 for lines.

use super::{Edit, Rule};

const CHANNEL: &str = "primitives/src/compute/channels/channel.rs";
const MINT: &str = "primitives/src/compute/channels/mint.rs";

pub(super) const RULES: &[Rule] = &[
	Rule {
		name: "line-received",
		section: "§3.3",
		text: "a line mints at most γ × what the treasury received",
		edits: &[Edit {
			file: MINT,
			old: "emission::weighted(by_weight.min(by_price), parameters",
			new: "let without = crate::without(\"line-received\");
	let bound = if without { by_weight } else { by_weight.min(by_price) };
	emission::weighted(bound, parameters",
		}],
	},
	Rule {
		name: "one-coordinator",
		section: "§3.2",
		text: "a deposit is for one coordinator",
		edits: &[Edit {
			file: CHANNEL,
			old: "require(self.coordinator == *coordinator, ",
			new: "let without = crate::without(\"one-coordinator\");
		require(without || self.coordinator == *coordinator, ",
		}],
	},
	Rule {
		name: "close-notice",
		section: "§3.2",
		text: "a closing has a notice of a day (a second in its place)",
		edits: &[Edit {
			file: CHANNEL,
			old: "Ok(Self { ends_ms: Some(now.saturating_add(notice_ms)), ..*self })",
			new: "let notice_ms = if crate::without(\"close-notice\") { 1_000 } else { notice_ms };
		Ok(Self { ends_ms: Some(now.saturating_add(notice_ms)), ..*self })",
		}],
	},
	Rule {
		name: "kept-bond",
		section: "§3.2",
		text: "kept keys are together worth a day at most the coordinator's bond",
		edits: &[Edit {
			file: CHANNEL,
			old: "limits_so_far.checked_add(limit).is_some_and(|sum| sum <= bond)",
			new: "crate::without(\"kept-bond\")
		|| limits_so_far.checked_add(limit).is_some_and(|sum| sum <= bond)",
		}],
	},
];
