//! Numbers that follow from a seed alone, so that a run can be repeated move by move.

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
	pub(crate) fn new(seed: u64) -> Self {
		Self(seed ^ 0x5851_f42d_4c95_7f2d)
	}

	pub(crate) fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut mixed = self.0;
		mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		mixed ^ (mixed >> 31)
	}

	/// A number below `end`, which is above 0.
	pub(crate) fn below(&mut self, end: u64) -> u64 {
		self.next() % end
	}

	pub(crate) fn index(&mut self, length: usize) -> usize {
		usize::try_from(self.below(u64::try_from(length).expect("small"))).expect("small")
	}

	pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
		from[self.index(from.len())].clone()
	}

	/// One of them, if there is one.
	pub(crate) fn any<T: Clone>(&mut self, from: &[T]) -> Option<T> {
		(!from.is_empty()).then(|| self.pick(from))
	}

	/// `true` that many times in a hundred.
	pub(crate) fn percent(&mut self, share: u64) -> bool {
		self.below(100) < share
	}

	pub(crate) fn bytes(&mut self) -> [u8; 32] {
		let mut bytes = [0; 32];
		for part in bytes.chunks_mut(8) {
			part.copy_from_slice(&self.next().to_le_bytes());
		}
		bytes
	}
}
