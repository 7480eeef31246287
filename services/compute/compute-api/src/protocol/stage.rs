//! The stages of a job, and which may follow which; the stages of its money.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use utoipa::ToSchema;

/// Stage of a job at its coordinator. Its state on chain (open, settled, cancelled, expired) is
/// another thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobStage {
	/// Accepted, waits for a miner (and, if the front pays, for its escrow).
	Queued,
	/// Given to a miner that has not confirmed it yet.
	Assigned,
	/// A miner works on it.
	Running,
	/// A result was accepted and its receipt signed. The receipt says whether the chain has settled
	/// it.
	Completed,
	/// Nobody could do it, or it cannot be paid.
	Failed,
	/// The client took it back before it was given to a miner.
	Cancelled,
	/// Its deadline passed first; the chain returns the escrow.
	Expired,
}

impl JobStage {
	/// All stages, in the order in which a job can reach them.
	pub const ALL: [Self; 7] = [
		Self::Queued,
		Self::Assigned,
		Self::Running,
		Self::Completed,
		Self::Failed,
		Self::Cancelled,
		Self::Expired,
	];

	/// Its name in the database and in JSON.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Queued => "queued",
			Self::Assigned => "assigned",
			Self::Running => "running",
			Self::Completed => "completed",
			Self::Failed => "failed",
			Self::Cancelled => "cancelled",
			Self::Expired => "expired",
		}
	}

	/// Returns `true` if it never changes again.
	pub const fn is_final(self) -> bool {
		matches!(self, Self::Completed | Self::Failed | Self::Cancelled | Self::Expired)
	}

	/// Returns `true` if a miner holds the job.
	pub const fn is_held(self) -> bool {
		matches!(self, Self::Assigned | Self::Running)
	}

	/// Returns `true` if `next` may follow. This is the whole rule; nothing else in the coordinator
	/// decides it.
	///
	/// A miner may deliver without having confirmed (`Assigned` to `Completed`); a lease that ran out
	/// and a refusal lead back to `Queued`; only a job that no miner holds can be cancelled.
	pub const fn may_become(self, next: Self) -> bool {
		use JobStage::{Assigned, Cancelled, Completed, Expired, Failed, Queued, Running};
		match self {
			Queued => matches!(next, Assigned | Failed | Cancelled | Expired),
			Assigned => matches!(next, Running | Completed | Queued | Failed | Expired),
			Running => matches!(next, Completed | Queued | Failed | Expired),
			Completed | Failed | Cancelled | Expired => false,
		}
	}
}

impl fmt::Display for JobStage {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.as_str())
	}
}

impl FromStr for JobStage {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let known = || Self::ALL.map(Self::as_str).join(", ");
		Self::ALL
			.into_iter()
			.find(|stage| stage.as_str() == text)
			.ok_or_else(|| format!("{text:?} is not a state of a job; there are {}", known()))
	}
}

/// Where the money of a completed job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
	/// The receipt is signed and on its way to the chain.
	Pending,
	/// The chain has settled it, in a final block.
	Final,
	/// The chain will never take it; the reason is with the receipt.
	Refused,
}

impl Settlement {
	/// All of them.
	pub const ALL: [Self; 3] = [Self::Pending, Self::Final, Self::Refused];

	/// Its name in the database and in JSON.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Pending => "pending",
			Self::Final => "final",
			Self::Refused => "refused",
		}
	}
}

impl FromStr for Settlement {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		Self::ALL
			.into_iter()
			.find(|settlement| settlement.as_str() == text)
			.ok_or_else(|| format!("{text:?} is not a state of a settlement"))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use JobStage::{Assigned, Cancelled, Completed, Expired, Failed, Queued, Running};

	#[test]
	fn exactly_these_transitions_are_allowed() {
		let allowed = [
			(Queued, Assigned),
			(Queued, Failed),
			(Queued, Cancelled),
			(Queued, Expired),
			(Assigned, Running),
			(Assigned, Completed),
			(Assigned, Queued),
			(Assigned, Failed),
			(Assigned, Expired),
			(Running, Completed),
			(Running, Queued),
			(Running, Failed),
			(Running, Expired),
		];
		for from in JobStage::ALL {
			for to in JobStage::ALL {
				assert_eq!(from.may_become(to), allowed.contains(&(from, to)), "{from} to {to}");
			}
		}
	}

	#[test]
	fn final_states_are_those_without_a_next_one() {
		for stage in JobStage::ALL {
			let stays = JobStage::ALL.iter().all(|next| !stage.may_become(*next));
			assert_eq!(stage.is_final(), stays, "{stage}");
		}
	}

	#[test]
	fn names_read_back() {
		for stage in JobStage::ALL {
			assert_eq!(stage.as_str().parse(), Ok(stage));
		}
		assert!("done".parse::<JobStage>().is_err());
	}
}
