//! Rules of DESIGN §3.2, and of §3.3 for lines.

use super::{Edit, Rule};

const BATCH: &str = "pallets/compute-receipts/src/channels/batch.rs";
const CHANNEL: &str = "primitives/src/compute/channels/channel.rs";
const CLAIMS: &str = "pallets/compute-receipts/src/claims.rs";
const DEMANDS: &str = "pallets/compute-receipts/src/channels/demands.rs";
const EVIDENCE: &str = "primitives/src/compute/channels/evidence.rs";
const LINE: &str = "primitives/src/compute/channels/line.rs";
const LISTS: &str = "primitives/src/compute/channels/lists.rs";
const MINT: &str = "primitives/src/compute/channels/mint.rs";
const REST: &str = "pallets/compute-receipts/src/channels/rest.rs";
const TYPES: &str = "pallets/compute-receipts/src/channels/types.rs";

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
	Rule {
		name: "line-share",
		section: "§3.3",
		text: "what counts of a line's price is the treasury's share",
		edits: &[
			Edit {
				file: MINT,
				old: "let share = parameters.price_split.divide(line.price().unwrap_or(0)).treasury;",
				new: "let price = line.price().unwrap_or(0);
	let without = crate::without(\"line-share\");
	let share = if without { price } else { parameters.price_split.divide(price).treasury };",
			},
			Edit {
				file: CLAIMS,
				old: "let counts = self.received(kind.asset, shares.treasury);",
				new: "let without = gridproof_primitives::without(\"line-share\");
		let share = if without { shares.total() } else { shares.treasury };
		let counts = self.received(kind.asset, share);",
			},
		],
	},
	Rule {
		name: "voucher-signature",
		section: "§3.2",
		text: "the channel's key has signed the voucher",
		edits: &[Edit {
			file: BATCH,
			old: "			verified.map_err(|_| BatchRefusal::BadVoucherSignature)?;\n",
			new: "			if !gridproof_primitives::without(\"voucher-signature\") {
				verified.map_err(|_| BatchRefusal::BadVoucherSignature)?;
			}\n",
		}],
	},
	Rule {
		name: "above-voucher",
		section: "§3.2",
		text: "a client owes no more than it signed",
		edits: &[Edit {
			file: LINE,
			old: "if self.to.price > self.voucher.amount {",
			new: "if self.to.price > self.voucher.amount && !crate::without(\"above-voucher\") {",
		}],
	},
	Rule {
		name: "above-deposit",
		section: "§3.2",
		text: "a channel pays at most what was deposited",
		edits: &[Edit {
			file: CHANNEL,
			old: "require(line.to.price <= self.deposited, ",
			new: "let without = crate::without(\"above-deposit\");
		require(without || line.to.price <= self.deposited, ",
		}],
	},
	Rule {
		name: "daily-limit",
		section: "§3.2",
		text: "a channel pays in a day at most its limit",
		edits: &[Edit {
			file: CHANNEL,
			old: "		let today = self
			.today
			.add(price, self.daily_limit, now, day_ms)\n",
			new: "		let limit = if crate::without(\"daily-limit\") { u128::MAX } else { self.daily_limit };
		let today = self
			.today
			.add(price, limit, now, day_ms)\n",
		}],
	},
	Rule {
		name: "channel-joined",
		section: "§3.2",
		text: "a channel's ranges join on to the last batch's",
		edits: &[Edit {
			file: CHANNEL,
			old: "require(line.from == self.settled, ",
			new: "let without = crate::without(\"channel-joined\");
		require(without || line.from == self.settled, ",
		}],
	},
	Rule {
		name: "channel-kind",
		section: "§3.2",
		text: "a batch has one asset and one mode",
		edits: &[Edit {
			file: CHANNEL,
			old: "require(self.kind == kind, ",
			new: "let without = crate::without(\"channel-kind\");
		require(without || self.kind == kind, ",
		}],
	},
	Rule {
		name: "channels-once",
		section: "§3.2",
		text: "a batch has a channel once",
		edits: &[Edit {
			file: LISTS,
			old: "require(rising, BatchRefusal::ChannelsUnsorted)?;",
			new: "let without = crate::without(\"channels-once\");
		require(without || rising, BatchRefusal::ChannelsUnsorted)?;",
		}],
	},
	Rule {
		name: "lists-agree",
		section: "§3.2",
		text: "both lists' sums of price agree",
		edits: &[Edit {
			file: LISTS,
			old: "require((receipts, price) == (sums.receipts, sums.price), ",
			new: "let agree = (receipts, price) == (sums.receipts, sums.price);
		require(agree || crate::without(\"lists-agree\"), ",
		}],
	},
	Rule {
		name: "header-signature",
		section: "§3.2",
		text: "the coordinator has signed the header",
		edits: &[Edit {
			file: LISTS,
			old: "		self.header.verify(genesis, &self.signature)?;\n",
			new: "		if !crate::without(\"header-signature\") {
			self.header.verify(genesis, &self.signature)?;
		}\n",
		}],
	},
	Rule {
		name: "rest-once",
		section: "§3.2",
		text: "what is left of a channel returns once",
		edits: &[Edit {
			file: REST,
			old: "		Channels::<T>::remove(id);\n",
			new: "		if !gridproof_primitives::without(\"rest-once\") {
			Channels::<T>::remove(id);
		}\n",
		}],
	},
	Rule {
		name: "notices-stand",
		section: "§3.2",
		text: "the notice of a closing stands still while settlement is stopped",
		edits: &[Edit {
			file: TYPES,
			old: "		let more = stopped_ms.saturating_sub(self.stopped_ms);\n",
			new: "		let more = stopped_ms.saturating_sub(self.stopped_ms);
		let more = if gridproof_primitives::without(\"notices-stand\") { 0 } else { more };\n",
		}],
	},
	Rule {
		name: "evidence-signature",
		section: "§3.2",
		text: "the coordinator has signed what proves its offence",
		edits: &[Edit {
			file: EVIDENCE,
			old: "		let Some(InBatch { header, index, path }) = &self.batch else {\n",
			new: "		if crate::without(\"evidence-signature\") {
			return Ok(());
		}
		let Some(InBatch { header, index, path }) = &self.batch else {\n",
		}],
	},
	Rule {
		name: "demand-signature",
		section: "§3.2",
		text: "the coordinator has signed the receipt that is demanded",
		edits: &[Edit {
			file: DEMANDS,
			old: "		signed.map_err(|_| Error::<T>::BadSignature)?;\n",
			new: "		if !gridproof_primitives::without(\"demand-signature\") {
			signed.map_err(|_| Error::<T>::BadSignature)?;
		}\n",
		}],
	},
];
