//! Who gives back what an offence took.

/// What is given back from each source, and what nobody has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Restitution<const N: usize> {
	/// Taken from each source, in their order and unit.
	pub taken: [u128; N],
	/// Not covered by any of them.
	pub missing: u128,
}

/// Divides what is owed to the wronged party over its sources: the first gives what it has, then the
/// next. All in one unit.
///
/// The order is: what waits of the coordinator, what waits of the party that it favoured, the
/// coordinator's bond, the other's bond. Only what a slash takes beyond it is the treasury's.
pub fn give_back<const N: usize>(owed: u128, sources: [u128; N]) -> Restitution<N> {
	let mut missing = owed;
	let taken = sources.map(|source| {
		let part = source.min(missing);
		missing = missing.saturating_sub(part);
		part
	});
	Restitution { taken, missing }
}
