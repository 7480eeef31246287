//! Netting: what goes round through storage and neighbours mints once.

/// What becomes of a meter's energy once it is netted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Netted {
	/// Energy that mints, in Wh.
	pub minted_wh: u64,
	/// Energy that the meter has to deliver before it mints again, in Wh.
	pub owed_wh: u64,
}

/// Nets energy taken and delivered by a meter that owed `owed_wh`.
///
/// What mints is the rise of the highest value so far of Σ export − Σ import; `owed_wh` is how far the
/// present value lies below it. So a meter mints what it delivered beyond all that it ever took, once.
pub const fn net(owed_wh: u64, imported_wh: u64, exported_wh: u64) -> Netted {
	let owed_wh = owed_wh.saturating_add(imported_wh);
	Netted {
		minted_wh: exported_wh.saturating_sub(owed_wh),
		owed_wh: owed_wh.saturating_sub(exported_wh),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn what_was_taken_is_delivered_first() {
		assert_eq!(net(0, 0, 10), Netted { minted_wh: 10, owed_wh: 0 });
		assert_eq!(net(0, 4, 10), Netted { minted_wh: 6, owed_wh: 0 });
		assert_eq!(net(7, 4, 10), Netted { minted_wh: 0, owed_wh: 1 });
		assert_eq!(net(u64::MAX, 1, 0), Netted { minted_wh: 0, owed_wh: u64::MAX });
		assert_eq!(net(0, u64::MAX, u64::MAX), Netted::default());
	}

	proptest! {
		/// The figure that is kept is the distance from the highest value so far.
		#[test]
		fn a_meter_mints_its_highest_value(
			flows in prop::collection::vec((0u64..1_000, 0u64..1_000), 0..100),
		) {
			let (mut owed_wh, mut minted, mut value, mut highest) = (0, 0i64, 0i64, 0i64);
			for (imported, exported) in flows {
				let netted = net(owed_wh, imported, exported);
				owed_wh = netted.owed_wh;
				minted += i64::try_from(netted.minted_wh).unwrap();
				value += i64::try_from(exported).unwrap() - i64::try_from(imported).unwrap();
				highest = highest.max(value);
				prop_assert_eq!(minted, highest);
				prop_assert_eq!(i64::try_from(owed_wh).unwrap(), highest - value);
			}
		}

		/// Sites with storage pass energy to each other, as they like: together they mint no more than
		/// what they had stored at the begin and what they generated themselves.
		#[test]
		fn energy_that_circulates_mints_nothing(
			stored in prop::collection::vec(0u64..1_000, 2..6),
			steps in prop::collection::vec((0usize..6, 0usize..6, 0u64..1_000, 0u64..50), 0..200),
		) {
			let mut full = stored.clone();
			let mut owed = vec![0u64; stored.len()];
			let (mut minted, mut made) = (0u64, 0u64);
			for (from, to, wh, generated) in steps {
				let (from, to) = (from % stored.len(), to % stored.len());
				full[from] += generated;
				made += generated;
				let wh = wh.min(full[from]);
				if from == to {
					continue;
				}
				full[from] -= wh;
				full[to] += wh;
				let (sent, taken) = (net(owed[from], 0, wh), net(owed[to], wh, 0));
				(owed[from], owed[to]) = (sent.owed_wh, taken.owed_wh);
				minted += sent.minted_wh + taken.minted_wh;
				prop_assert!(minted <= stored.iter().sum::<u64>() + made);
			}
		}
	}
}
