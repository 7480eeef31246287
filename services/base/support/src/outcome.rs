//! How an operation ended, for exit codes and for scripts that have to decide what to do next.

/// What kind of failure an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
	/// Something broke, or has another form than expected: look at the message.
	Broken,
	/// The command cannot be run with these arguments or inputs.
	Usage,
	/// The rules say no; nothing has changed.
	Refused,
	/// A node or server does not answer.
	Unreachable,
	/// It is not known whether it happened: look before it is tried again.
	Undecided,
}

impl FailureKind {
	/// All of them, in the order of their exit codes.
	pub const ALL: [Self; 5] =
		[Self::Broken, Self::Usage, Self::Refused, Self::Unreachable, Self::Undecided];

	/// Returns the exit code of a command that fails so.
	pub const fn exit_code(self) -> u8 {
		match self {
			Self::Broken => 1,
			Self::Usage => 2,
			Self::Refused => 3,
			Self::Unreachable => 4,
			Self::Undecided => 5,
		}
	}

	/// Returns its name in JSON.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Broken => "broken",
			Self::Usage => "usage",
			Self::Refused => "refused",
			Self::Unreachable => "unreachable",
			Self::Undecided => "undecided",
		}
	}
}

/// What kind of failure an error is, and whether the very same may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
	/// The kind.
	pub kind: FailureKind,
	/// `true` if the very same may succeed later, when nothing changes but time.
	pub is_temporary: bool,
}

impl Failure {
	/// Something broke; trying again does not help.
	pub const BROKEN: Self = Self { kind: FailureKind::Broken, is_temporary: false };
	/// Arguments or inputs are wrong.
	pub const USAGE: Self = Self { kind: FailureKind::Usage, is_temporary: false };
	/// A node or server does not answer.
	pub const UNREACHABLE: Self = Self { kind: FailureKind::Unreachable, is_temporary: true };
	/// It is not known whether it happened.
	pub const UNDECIDED: Self = Self { kind: FailureKind::Undecided, is_temporary: true };

	/// The rules say no.
	pub const fn refused(is_temporary: bool) -> Self {
		Self { kind: FailureKind::Refused, is_temporary }
	}
}

/// An error that knows what kind of failure it is.
pub trait Classified: std::error::Error {
	/// Returns the kind.
	fn failure(&self) -> Failure;
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_kind_has_an_exit_code_and_a_name_of_its_own() {
		for (code, kind) in (1..).zip(FailureKind::ALL) {
			assert_eq!(kind.exit_code(), code);
		}
		let mut names = FailureKind::ALL.map(FailureKind::as_str).to_vec();
		names.sort_unstable();
		names.dedup();
		assert_eq!(names.len(), FailureKind::ALL.len());
	}
}
