//! Events.

use gridproof_primitives::{
	H256,
	crypto::ed25519::PublicKey,
	reserve::attestation::{Kind, Role},
	time::day::Day,
};

events! {
	"Attestations" {
		/// A statement was accepted.
		Accepted {
			/// Its kind.
			kind: Kind,
			/// The day it is about.
			day: Day,
			/// 0, or the number of the correction.
			revision: u32,
			/// Hash of its fields.
			statement: H256,
			/// SHA-256 of the canonical file.
			digest: H256,
			/// The roles that signed it, with their keys.
			signers: Vec<(Role, PublicKey)>,
		}
		/// An attestation left the state: replaced by a revision, or pruned for its age.
		Archived {
			/// Its kind.
			kind: Kind,
			/// The day it is about.
			day: Day,
			/// Hash of its fields.
			statement: H256,
			/// Its place in the archive, from 0.
			index: u64,
			/// Its entry in the archive.
			entry: H256,
			/// The archive's head after it.
			head: H256,
		}
		/// A role has another key.
		KeyRotated {
			/// One of data, risk and ops.
			role: Role,
			/// The key it had.
			old: Option<PublicKey>,
			/// The key it has now; `None` if it cannot sign any more.
			new: Option<PublicKey>,
		}
		/// A kind was opened or closed.
		KindChanged {
			/// The kind.
			kind: Kind,
			/// Whether its statements are accepted now.
			open: bool,
		}
		/// Submissions were stopped.
		Paused {}
		/// Submissions are accepted again.
		Resumed {}
		/// A role stopped minting.
		MintStopped {
			/// One of data, risk and ops.
			role: Role,
			/// Number among its stops.
			number: u32,
			/// Time until which it stands, UTC milliseconds.
			until: u64,
			/// Whether only governance can end it.
			only_governance: bool,
		}
		/// The two other roles lifted a role's stop.
		StopLifted {
			/// Role whose stop it is.
			role: Role,
			/// Number among its stops.
			number: u32,
			/// Time at which it falls, UTC milliseconds.
			falls_at: u64,
		}
		/// A role's stop was prolonged.
		StopProlonged {
			/// Role whose stop it is.
			role: Role,
			/// Number among its stops.
			number: u32,
			/// Time until which it stands, UTC milliseconds.
			until: u64,
		}
		/// Governance ended a role's stop.
		StopEnded {
			/// Role whose stop it was.
			role: Role,
			/// Number among its stops.
			number: u32,
		}
	}
}
