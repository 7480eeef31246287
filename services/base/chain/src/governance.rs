//! Calls of those who govern: with one key, or as one of several signers, each of whom says the same
//! call. The first proposes it, those who follow approve it, and with the last approval that it needs
//! it is made. Nobody signs a hash: everybody has the call itself, and what is not the same call is
//! another proposal.

use crate::{
	Call, Chain, ChainError, Included, Patience, Refusal,
	pallets::{
		AccountId, brakes, governance as doors,
		multisig::{self, Waiting, event::MultisigExecuted},
		sudo::{self, event::Sudid},
		transaction_payment,
	},
};
use futures::future::BoxFuture;
use gridproof_keys::{AccountKey, account::address};
use gridproof_primitives::H256;
use gridproof_support::{Classified, Failure};
use subxt::dynamic::Value;

/// In which capacity a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
	/// As root: whatever governance may do.
	Root,
	/// As the emergency account, which can stop and loosen nothing. What it stops ends after 14 days.
	Emergency,
}

impl Power {
	const fn name(self) -> &'static str {
		match self {
			Self::Root => "governs this chain",
			Self::Emergency => "is this chain's emergency account",
		}
	}
}

/// The signers of an account, of whom some decide together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Council {
	/// All signers but the one who signs now, sorted.
	others: Vec<AccountId>,
	threshold: u16,
}

/// Why nothing was decided. Nothing has changed, but for [`GovernanceError::Chain`] with
/// [`ChainError::Undecided`].
#[derive(Debug, thiserror::Error)]
pub enum GovernanceError {
	/// The chain says no, or is not reached.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The account has not the power.
	#[error(
		"{account} is not the account that {power}, which is {holder}: name its key, or, if it is an \
		 account of several, all others with --with and how many decide with --threshold"
	)]
	NotInPower {
		/// The address of the account that would have decided.
		account: String,
		/// What it would have to be.
		power: &'static str,
		/// The address of the account that is it, or "nobody".
		holder: String,
	},
	/// The signers do not make an account.
	#[error("{0}")]
	BadCouncil(String),
	/// The signer has approved it before.
	#[error(
		"{account} has approved this already, it has {approvals} of {threshold} approvals: the others \
		 have to give the same command"
	)]
	ApprovedBefore {
		/// The address of the signer.
		account: String,
		/// How many have approved.
		approvals: usize,
		/// How many have to.
		threshold: u16,
	},
	/// No such call waits.
	#[error(
		"no call with the hash {0} waits for approvals of this account: list them with pending"
	)]
	NotWaiting(String),
}

impl Classified for GovernanceError {
	fn failure(&self) -> Failure {
		match self {
			Self::Chain(error) => error.failure(),
			Self::NotInPower { .. } | Self::ApprovedBefore { .. } => Failure::refused(false),
			Self::BadCouncil(_) | Self::NotWaiting(_) => Failure::USAGE,
		}
	}
}

/// What became of a call.
#[derive(Clone, Debug)]
pub struct Decision {
	/// What was done.
	pub step: Step,
	/// How many have approved, the signer among them.
	pub approvals: usize,
	/// How many have to.
	pub threshold: u16,
	/// The account that decides.
	pub account: AccountId,
	/// Hash by which the call waits, or waited.
	pub hash: H256,
	/// The transaction, with its events.
	pub included: Included,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
	/// It is proposed, and waits.
	Proposed,
	/// It is approved once more, and waits.
	Approved,
	/// It is made.
	Executed,
	/// It is proposed to the holders of AIT, as the referendum with this number.
	Referendum(u32),
}

impl Step {
	/// Its name, as documents have it.
	pub const fn as_str(self) -> &'static str {
		match self {
			Self::Proposed => "proposed",
			Self::Approved => "approved",
			Self::Executed => "executed",
			Self::Referendum(_) => "referendum",
		}
	}
}

impl Council {
	/// `own` and `others`, of whom `threshold` decide together.
	///
	/// # Errors
	/// [`GovernanceError::BadCouncil`] if somebody is named twice, or more or fewer have to decide than
	/// can.
	pub fn new(
		own: AccountId,
		others: &[AccountId],
		threshold: u16,
	) -> Result<Self, GovernanceError> {
		let bad = |reason: String| Err(GovernanceError::BadCouncil(reason));
		let mut all = others.to_vec();
		all.push(own);
		all.sort_unstable();
		if let Some([twice, _]) = all.windows(2).find(|pair| pair.first() == pair.last()) {
			return bad(format!("{} is named twice: name each signer once", address(twice)));
		}
		if others.is_empty() {
			return bad("an account of several has other signers: name them".to_string());
		}
		if threshold == 0 || usize::from(threshold) > all.len() {
			let signers = all.len();
			return bad(format!(
				"{threshold} of {signers} signers cannot decide: name 1 to {signers}"
			));
		}
		let mut others = others.to_vec();
		others.sort_unstable();
		Ok(Self { others, threshold })
	}

	/// Returns the account of `own` and the others.
	pub fn account(&self, own: AccountId) -> AccountId {
		let mut all = self.others.clone();
		all.push(own);
		multisig::account(&all, self.threshold)
	}

	/// How many decide.
	pub const fn threshold(&self) -> u16 {
		self.threshold
	}

	/// Returns what `own` does next about a call, and how many have approved then.
	fn next(
		&self,
		own: AccountId,
		waiting: Option<&Waiting>,
	) -> Result<(Step, usize), GovernanceError> {
		let approved = waiting.map_or(&[][..], |waiting| &waiting.approvals[..]);
		if approved.contains(&own) {
			return Err(GovernanceError::ApprovedBefore {
				account: address(&own),
				approvals: approved.len(),
				threshold: self.threshold,
			});
		}
		let approvals = approved.len().saturating_add(1);
		let step = match waiting {
			_ if approvals >= usize::from(self.threshold) => Step::Executed,
			None => Step::Proposed,
			Some(_) => Step::Approved,
		};
		Ok((step, approvals))
	}

	/// Returns the transaction's call that brings `call` a step further.
	fn submission(&self, waiting: Option<&Waiting>, call: Call, weight: (u64, u64)) -> Call {
		match self.threshold {
			1 => multisig::call::as_one_of(&self.others, call),
			threshold => {
				let proposed = waiting.map(|waiting| waiting.when);
				multisig::call::as_multi(threshold, &self.others, proposed, call, weight)
			},
		}
	}
}

impl Chain {
	/// Brings a call of governance a step further, signed by `signer`: with one key that governs, it is
	/// made; as one of a council, it is proposed, approved, or made with the last approval. Waits until
	/// that is final.
	///
	/// # Errors
	/// [`GovernanceError`]; if the call was made and failed, [`ChainError::Refused`] with its reason.
	pub fn govern<'a>(
		&'a self,
		signer: &'a AccountKey,
		council: Option<&'a Council>,
		power: Power,
		call: &'a Call,
		patience: &'a Patience,
	) -> BoxFuture<'a, Result<Decision, GovernanceError>> {
		Box::pin(async move {
			let own = signer.account();
			let account = council.map_or(own, |council| council.account(own));
			self.check_power(power, account).await?;
			let call = match power {
				Power::Root => sudo::call::sudo(call.clone()),
				Power::Emergency => doors::call::stop(call.clone()),
			};
			let bytes = self.encode(&call).await?;
			let hash = multisig::hash(&bytes);
			let Some(council) = council else {
				let included = self.submit(signer, &call, patience).await?;
				self.check_outcome(&included).await?;
				let hash = H256(hash);
				let (step, approvals, threshold) = (Step::Executed, 1, 1);
				return Ok(Decision { step, approvals, threshold, account, hash, included });
			};
			let waiting = self.waiting_call(account, hash).await?;
			let (step, approvals) = council.next(own, waiting.as_ref())?;
			let price = self.read(&transaction_payment::query::call_price(&bytes)).await?;
			let call = council.submission(waiting.as_ref(), call, (price.time.0, price.proof.0));
			let included = self.submit(signer, &call, patience).await?;
			self.check_outcome(&included).await?;
			let (threshold, hash) = (council.threshold, H256(hash));
			Ok(Decision { step, approvals, threshold, account, hash, included })
		})
	}

	/// Withdraws a call that `signer` has proposed, by its hash.
	///
	/// # Errors
	/// [`GovernanceError`].
	pub fn withdraw_proposal<'a>(
		&'a self,
		signer: &'a AccountKey,
		council: &'a Council,
		hash: H256,
		patience: &'a Patience,
	) -> BoxFuture<'a, Result<Included, GovernanceError>> {
		Box::pin(async move {
			let account = council.account(signer.account());
			let waiting = self.waiting_call(account, hash.0).await?;
			let waiting =
				waiting.ok_or_else(|| GovernanceError::NotWaiting(format!("{hash:#x}")))?;
			let Council { others, threshold } = council;
			let call = multisig::call::cancel_as_multi(*threshold, others, waiting.when, hash.0);
			Ok(self.submit(signer, &call, patience).await?)
		})
	}

	/// The calls that wait for approvals of an account, with their hashes.
	///
	/// # Errors
	/// [`ChainError`].
	pub async fn waiting_calls(
		&self,
		account: AccountId,
	) -> Result<Vec<(H256, Waiting)>, ChainError> {
		let first = Value::from_bytes(account);
		let rows = self.rows_below(multisig::PALLET, multisig::MULTISIGS, first).await?;
		Ok(rows.into_iter().map(|(hash, waiting)| (H256(hash), waiting)).collect())
	}

	async fn waiting_call(
		&self,
		account: AccountId,
		hash: [u8; 32],
	) -> Result<Option<Waiting>, ChainError> {
		let key = vec![Value::from_bytes(account), Value::from_bytes(hash)];
		self.row(multisig::PALLET, multisig::MULTISIGS, key).await
	}

	/// The account that has a power now.
	///
	/// # Errors
	/// [`ChainError`].
	pub async fn holder(&self, power: Power) -> Result<Option<AccountId>, ChainError> {
		let (pallet, entry) = match power {
			Power::Root => (sudo::PALLET, sudo::KEY),
			Power::Emergency => (brakes::PALLET, brakes::EMERGENCY_ACCOUNT),
		};
		self.row(pallet, entry, Vec::new()).await
	}

	async fn check_power(&self, power: Power, account: AccountId) -> Result<(), GovernanceError> {
		let holder = self.holder(power).await?;
		if holder == Some(account) {
			return Ok(());
		}
		let holder = holder.map_or("nobody".to_string(), |holder| address(&holder));
		let (account, power) = (address(&account), power.name());
		Err(GovernanceError::NotInPower { account, power, holder })
	}

	/// A transaction succeeds even where the call within it fails: the reason is in its events.
	async fn check_outcome(&self, included: &Included) -> Result<(), ChainError> {
		let made = included.all::<MultisigExecuted>()?.into_iter().map(|event| event.result);
		let sudid = included.all::<Sudid>()?.into_iter().map(|event| event.sudo_result);
		match made.chain(sudid).find_map(Result::err) {
			None => Ok(()),
			Some(error) => {
				let block = self.at().await?;
				Err(Refusal::of(&error, block.metadata_ref()).into())
			},
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::pallets::multisig::Timepoint;

	const OWN: AccountId = [2; 32];
	const OTHERS: [AccountId; 2] = [[3; 32], [1; 32]];

	fn waiting(approvals: &[AccountId]) -> Waiting {
		let when = Timepoint { height: 7, index: 1 };
		Waiting { when, deposit: 5, depositor: [3; 32], approvals: approvals.to_vec() }
	}

	fn council(threshold: u16) -> Council {
		Council::new(OWN, &OTHERS, threshold).unwrap()
	}

	#[test]
	fn each_signer_brings_a_call_one_step_further() {
		let three = council(3);
		assert_eq!(three.next(OWN, None).unwrap(), (Step::Proposed, 1));
		assert_eq!(three.next(OWN, Some(&waiting(&[[3; 32]]))).unwrap(), (Step::Approved, 2));
		let both = waiting(&[[1; 32], [3; 32]]);
		assert_eq!(three.next(OWN, Some(&both)).unwrap(), (Step::Executed, 3));
		assert_eq!(council(2).next(OWN, Some(&waiting(&[[3; 32]]))).unwrap(), (Step::Executed, 2));
		assert_eq!(council(1).next(OWN, None).unwrap(), (Step::Executed, 1));
	}

	#[test]
	fn nobody_approves_twice() {
		let error = council(3).next(OWN, Some(&waiting(&[OWN]))).unwrap_err();
		let GovernanceError::ApprovedBefore { approvals, threshold, .. } = error else {
			panic!("{error}")
		};
		assert_eq!((approvals, threshold), (1, 3));
	}

	#[test]
	fn an_account_of_several_does_not_depend_on_who_names_it() {
		let own = council(2).account(OWN);
		let by_another = Council::new([1; 32], &[[2; 32], [3; 32]], 2).unwrap().account([1; 32]);
		assert_eq!(own, by_another);
		assert_ne!(own, council(3).account(OWN));
		let fewer = Council::new(OWN, &[[1; 32]], 2).unwrap();
		assert_ne!(own, fewer.account(OWN));
	}

	#[test]
	fn signers_that_cannot_decide_are_refused() {
		let refused = |others: &[AccountId], threshold| {
			let error = Council::new(OWN, others, threshold).unwrap_err();
			assert_eq!(error.failure(), Failure::USAGE);
			error.to_string()
		};
		assert!(refused(&[OWN], 1).ends_with("is named twice: name each signer once"));
		assert!(refused(&[[1; 32], [1; 32]], 2).contains("is named twice"));
		assert_eq!(refused(&[], 1), "an account of several has other signers: name them");
		let none = "0 of 3 signers cannot decide: name 1 to 3";
		assert_eq!(refused(&OTHERS, 0), none);
		assert_eq!(refused(&OTHERS, 4), "4 of 3 signers cannot decide: name 1 to 3");
	}

	#[test]
	fn an_approval_names_when_the_call_was_proposed_and_costs_no_deposit() {
		let call = || crate::pallets::system::call::remark(&[1]);
		let proposal = council(2).submission(None, call(), (1, 2));
		assert_eq!(proposal.takes().len(), 2);
		let approval = council(2).submission(Some(&waiting(&[[3; 32]])), call(), (1, 2));
		assert_ne!(proposal, approval);
		assert!(approval.takes().is_empty());
		assert_eq!(council(1).submission(None, call(), (1, 2)).name(), "as_multi_threshold_1");
	}
}
