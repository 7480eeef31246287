//! Rules of DESIGN §4.1 and §4.2.

use super::{Edit, Rule};

const BATCHES: &str = "pallets/meter-readings/src/batches.rs";
const IDENTITY: &str = "pallets/meter-readings/src/identity.rs";
const METERS: &str = "pallets/meter-readings/src/meters.rs";
const NETTING: &str = "primitives/src/energy/netting.rs";
const POINT: &str = "primitives/src/energy/point.rs";
const POINTS: &str = "pallets/meter-readings/src/points.rs";
const RULES_OF_BATCHES: &str = "primitives/src/energy/rules.rs";

pub(super) const RULES: &[Rule] = &[
	Rule {
		name: "backdate",
		section: "§4.1",
		text: "a certificate begins a short time before it is made at most",
		edits: &[Edit {
			file: METERS,
			old: "let earliest = now.saturating_sub(",
			new: "let without = gridproof_primitives::without(\"backdate\");
		let now = if without { 0 } else { now };
		let earliest = now.saturating_sub(",
		}],
	},
	Rule {
		name: "tombstones",
		section: "§4.1",
		text: "none begins before the end of what the same meter has stated",
		edits: &[Edit {
			file: METERS,
			old: "ensure!(since_ms >= earliest.max(left.until_ms), ",
			new: "let without = gridproof_primitives::without(\"tombstones\");
		let until_ms = if without { 0 } else { left.until_ms };
		ensure!(since_ms >= earliest.max(until_ms), ",
		}],
	},
	Rule {
		name: "debt-remembered",
		section: "§4.2",
		text: "what a meter owes outlives its certificate",
		edits: &[Edit {
			file: METERS,
			old: "			owed_wh: left.owed_wh,\n",
			new: "			owed_wh: if gridproof_primitives::without(\"debt-remembered\") {
				0
			} else {
				left.owed_wh
			},\n",
		}],
	},
	Rule {
		name: "unseen-remembered",
		section: "§4.2",
		text: "what a device drew between two certificates is a debt",
		edits: &[Edit {
			file: METERS,
			old: "		Self::take_unstated(meter, &mut state, left.unseen_wh);\n",
			new: "		if !gridproof_primitives::without(\"unseen-remembered\") {
			Self::take_unstated(meter, &mut state, left.unseen_wh);
		}\n",
		}],
	},
	Rule {
		name: "unseen-exchanged",
		section: "§4.2",
		text: "what was drawn before an exchange is a debt",
		edits: &[Edit {
			file: METERS,
			old: "let unseen_wh = row.state.exchange(new, is_same, now, tolerance_ppt);\n",
			new: "let unseen_wh = row.state.exchange(new, is_same, now, tolerance_ppt);
		let without = gridproof_primitives::without(\"unseen-exchanged\");
		let unseen_wh = if without { 0 } else { unseen_wh };\n",
		}],
	},
	Rule {
		name: "unseen-replaced",
		section: "§4.2",
		text: "what can have been drawn while no import meter was there is a debt of the point",
		edits: &[Edit {
			file: POINTS,
			old: "			point.state.take(unseen_wh);\n",
			new: "			if !gridproof_primitives::without(\"unseen-replaced\") {
				point.state.take(unseen_wh);
			}\n",
		}],
	},
	Rule {
		name: "key-once",
		section: "§4.1",
		text: "a key, and so a consent, is used once",
		edits: &[Edit {
			file: IDENTITY,
			old: "		Tombstones::<T>::contains_key(Mark::Key(key).hash())\n",
			new: "		let without = gridproof_primitives::without(\"key-once\");
		!without && Tombstones::<T>::contains_key(Mark::Key(key).hash())\n",
		}],
	},
	Rule {
		name: "consent",
		section: "§4.1",
		text: "the owner consents",
		edits: &[Edit {
			file: METERS,
			old: "ensure!(signed, Error::<T>::BadConsent);",
			new: "ensure!(signed || gridproof_primitives::without(\"consent\"), Error::<T>::BadConsent);",
		}],
	},
	Rule {
		name: "possession",
		section: "§4.1",
		text: "the device agrees to serve this meter of this owner",
		edits: &[Edit {
			file: METERS,
			old: "			.map_err(|_| Error::<T>::BadPossession)?;\n",
			new: "			.or_else(|error| {
				if gridproof_primitives::without(\"possession\") { Ok(()) } else { Err(error) }
			})
			.map_err(|_| Error::<T>::BadPossession)?;\n",
		}],
	},
	Rule {
		name: "power",
		section: "§4.1",
		text: "rated power has a bound",
		edits: &[Edit {
			file: METERS,
			old: "ensure!(power <= LimitsInUse",
			new: "let without = gridproof_primitives::without(\"power\");
		ensure!(without || power <= LimitsInUse",
		}],
	},
	Rule {
		name: "serial",
		section: "§4.1",
		text: "a serial number is on one meter only",
		edits: &[Edit {
			file: IDENTITY,
			old: "let taken = |scope| Numbers::<T>::contains_key(Mark::Serial(",
			new: "let without = gridproof_primitives::without(\"serial\");
		let taken = |scope| !without && Numbers::<T>::contains_key(Mark::Serial(",
		}],
	},
	Rule {
		name: "suspended",
		section: "§4.1",
		text: "a suspended meter states nothing",
		edits: &[Edit {
			file: BATCHES,
			old: "ensure!(meter.row.suspended.is_none(), ",
			new: "let without = gridproof_primitives::without(\"suspended\");
		ensure!(without || meter.row.suspended.is_none(), ",
		}],
	},
	Rule {
		name: "floor",
		section: "§4.1",
		text: "what was delivered while nobody vouched mints nothing",
		edits: &[Edit {
			file: RULES_OF_BATCHES,
			old: "if header.start_ms < self.floor_ms {",
			new: "if header.start_ms < self.floor_ms && !crate::without(\"floor\") {",
		}],
	},
	Rule {
		name: "floor-reinstated",
		section: "§4.1",
		text: "a reinstatement moves the floor to now",
		edits: &[Edit {
			file: METERS,
			old: "		Self::set_suspended(&mut row, None);
		row.state.vouch_from(T::Time::now());\n",
			new: "		Self::set_suspended(&mut row, None);
		if !gridproof_primitives::without(\"floor-reinstated\") {
			row.state.vouch_from(T::Time::now());
		}\n",
		}],
	},
	Rule {
		name: "floor-readmitted",
		section: "§4.1",
		text: "an organisation's admission moves its meters' floors",
		edits: &[Edit {
			file: BATCHES,
			old: "			row.state.vouch_from(admitted_ms);\n",
			new: "			if !gridproof_primitives::without(\"floor-readmitted\") {
				row.state.vouch_from(admitted_ms);
			}\n",
		}],
	},
	Rule {
		name: "floor-exchanged",
		section: "§4.1",
		text: "an exchange moves the floor to now",
		edits: &[Edit {
			file: RULES_OF_BATCHES,
			old: "		self.registers = registers;
		self.vouch_from(now_ms);\n",
			new: "		self.registers = registers;
		if !crate::without(\"floor-exchanged\") {
			self.vouch_from(now_ms);
		}\n",
		}],
	},
	Rule {
		name: "meter-day",
		section: "§4.1",
		text: "a meter mints in a day what its rated power gives in one",
		edits: &[Edit {
			file: RULES_OF_BATCHES,
			old: "	let wh = max_energy_wh(rated_power_w, MILLIS_PER_DAY, tolerance_ppt);\n",
			new: "	if crate::without(\"meter-day\") {
		return u64::MAX;
	}
	let wh = max_energy_wh(rated_power_w, MILLIS_PER_DAY, tolerance_ppt);\n",
		}],
	},
	Rule {
		name: "organisation-day",
		section: "§4.1",
		text: "an organisation's meters have a daily limit",
		edits: &[Edit {
			file: BATCHES,
			old: "ensure!(is_within, BatchRefusal::OrganisationDayLimit);",
			new: "let without = gridproof_primitives::without(\"organisation-day\");
		ensure!(without || is_within, BatchRefusal::OrganisationDayLimit);",
		}],
	},
	Rule {
		name: "day",
		section: "§4.1",
		text: "a day mints so much at most",
		edits: &[Edit {
			file: BATCHES,
			old: "ensure!(within(usage.day_wh, day_wh), ",
			new: "let without = gridproof_primitives::without(\"day\");
		ensure!(without || within(usage.day_wh, day_wh), ",
		}],
	},
	Rule {
		name: "block",
		section: "§4.1",
		text: "a block mints so much at most",
		edits: &[Edit {
			file: BATCHES,
			old: "ensure!(within(usage.block_wh, block_wh), ",
			new: "let without = gridproof_primitives::without(\"block\");
		ensure!(without || within(usage.block_wh, block_wh), ",
		}],
	},
	Rule {
		name: "ahead",
		section: "§4.1",
		text: "a batch ends now at the latest",
		edits: &[Edit {
			file: RULES_OF_BATCHES,
			old: "	if header.end_ms > latest_ms {",
			new: "	if header.end_ms > latest_ms && !crate::without(\"ahead\") {",
		}],
	},
	Rule {
		name: "overlap",
		section: "§4.1",
		text: "intervals never overlap",
		edits: &[Edit {
			file: RULES_OF_BATCHES,
			old: "	if header.start_ms < meter.last_end_ms {",
			new: "	if header.start_ms < meter.last_end_ms && !crate::without(\"overlap\") {",
		}],
	},
	Rule {
		name: "rated-time",
		section: "§4.1",
		text: "a batch states at most rated power × time",
		edits: &[Edit {
			file: RULES_OF_BATCHES,
			old: "	if energy_wh > max_wh {",
			new: "	if energy_wh > max_wh && !crate::without(\"rated-time\") {",
		}],
	},
	Rule {
		name: "signature",
		section: "§4.1",
		text: "the certified device has signed",
		edits: &[Edit {
			file: BATCHES,
			old: "		Ok(batch.verify(&meter.row.device, &genesis)?)\n",
			new: "		if gridproof_primitives::without(\"signature\") {
			return Ok(());
		}
		Ok(batch.verify(&meter.row.device, &genesis)?)\n",
		}],
	},
	Rule {
		name: "netting",
		section: "§4.2",
		text: "what a meter took is delivered first",
		edits: &[Edit {
			file: NETTING,
			old: "pub const fn net(owed_wh: u64, imported_wh: u64, exported_wh: u64) -> Netted {\n",
			new: "pub fn net(owed_wh: u64, imported_wh: u64, exported_wh: u64) -> Netted {
	let imported_wh = if crate::without(\"netting\") { 0 } else { imported_wh };\n",
		}],
	},
	Rule {
		name: "highest",
		section: "§4.2",
		text: "what mints is the rise of the highest value so far",
		edits: &[Edit {
			file: NETTING,
			old: "		owed_wh: owed_wh.saturating_sub(exported_wh),\n",
			new: "		owed_wh: if crate::without(\"highest\") {
			0
		} else {
			owed_wh.saturating_sub(exported_wh)
		},\n",
		}],
	},
	Rule {
		name: "gap-import",
		section: "§4.2",
		text: "what is drawn in a gap counts",
		edits: &[Edit {
			file: RULES_OF_BATCHES,
			old: "let imported_wh = header.closing.import_wh.saturating_sub(last.import_wh);",
			new: "let without = crate::without(\"gap-import\");
		let from_wh = if without { header.opening.import_wh } else { last.import_wh };
		let imported_wh = header.closing.import_wh.saturating_sub(from_wh);",
		}],
	},
	Rule {
		name: "point-import",
		section: "§4.2",
		text: "the meters of a point are netted with one another",
		edits: &[Edit {
			file: POINT,
			old: "		self.taken_wh = self.taken_wh.saturating_add(imported_wh);\n",
			new: "		if !crate::without(\"point-import\") {
			self.taken_wh = self.taken_wh.saturating_add(imported_wh);
		}\n",
		}],
	},
	Rule {
		name: "point-once",
		section: "§4.2",
		text: "a point mints its value once",
		edits: &[Edit {
			file: POINT,
			old: "	pub fn mint(&mut self, wh: u64) {\n",
			new: "	pub fn mint(&mut self, wh: u64) {
		let wh = if crate::without(\"point-once\") { 0 } else { wh };\n",
		}],
	},
	Rule {
		name: "point-waits",
		section: "§4.2",
		text: "an export waits until every import meter has stated as far",
		edits: &[Edit {
			file: POINT,
			old: "let covered_ms = takers.map(covered).min().unwrap_or(u64::MAX);",
			new: "let without = crate::without(\"point-waits\");
		let least = takers.map(covered).min().filter(|_| !without);
		let covered_ms = least.unwrap_or(u64::MAX);",
		}],
	},
	Rule {
		name: "point-suspended",
		section: "§4.2",
		text: "nothing mints while an import meter is suspended",
		edits: &[Edit {
			file: POINT,
			old: "let covered = |row: &PointMeter| if row.vouched { row.stated_ms } else { 0 };",
			new: "let without = crate::without(\"point-suspended\");
		let unvouched = if without { u64::MAX } else { 0 };
		let covered = |row: &PointMeter| if row.vouched { row.stated_ms } else { unvouched };",
		}],
	},
	Rule {
		name: "point-ended",
		section: "§4.2",
		text: "nothing mints where an import meter has ended",
		edits: &[Edit {
			file: POINT,
			old: "self.meters.retain(|row| !row.ended || row.direction.takes());",
			new: "let without = crate::without(\"point-ended\");
		self.meters.retain(|row| !row.ended || (!without && row.direction.takes()));",
		}],
	},
	Rule {
		name: "generation",
		section: "§4.2",
		text: "a point mints at most what was generated behind it",
		edits: &[Edit {
			file: POINT,
			old: "before.highest_wh.saturating_add(since.min(before.generated_wh))",
			new: "let without = crate::without(\"generation\");
				let made = if without { since } else { since.min(before.generated_wh) };
				before.highest_wh.saturating_add(made)",
		}],
	},
];
