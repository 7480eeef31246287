//! Tests of the issuer, with a chain that keeps the pallet's rules.

use super::{run::Look, *};
use crate::coverage::Minted;
use gridproof_chain::{ChainError, Refusal, pallets::coverage_policy};
use gridproof_primitives::{
	H256,
	num::decimal::Ratio,
	reserve::{
		formula::State,
		state::{Breaker, Statement, Status, Totals},
	},
	time::day::Day,
};
use gridproof_support::{Backoff, Stopper, text::Amount};
use std::{cell::RefCell, collections::VecDeque, rc::Rc, time::Duration};

const SECOND: Duration = Duration::from_secs(1);

/// What becomes of the next mint, unless the rules decide.
enum Fate {
	/// It is done, but its outcome does not reach the issuer.
	AnswerLost,
	/// It fails before it is done.
	Fails(ChainError),
	/// It is done after the chain has taken another statement.
	After(H256, u128),
	/// It never ends.
	Hangs,
}

/// A chain.
struct World {
	status: Status,
	fates: VecDeque<Fate>,
	outages: VecDeque<ChainError>,
	mints: Vec<u128>,
	/// Number of mints that were sent, whatever became of them.
	sent: usize,
}

#[derive(Clone)]
struct Desk(Rc<RefCell<World>>);

fn refused(refusal: coverage_policy::Refusal) -> ChainError {
	ChainError::Refused(Refusal::CoveragePolicy(refusal))
}

fn away() -> ChainError {
	ChainError::Rpc { code: None, message: "away".to_string() }
}

impl Desk {
	/// A chain on a day whose statement allows `allowance` micro-tokens.
	fn new(allowance: u128) -> Self {
		let day = Day::parse("2025-03-25").unwrap();
		let statement = Statement {
			hash: H256::repeat_byte(1),
			day: day.previous().unwrap(),
			taken_on: day,
			wh_committed: 1,
			price: Ratio::ONE.into(),
			eur_per_mwh: Ratio::ONE,
			compute_assets: 0,
			wh_per_zone: 1,
			reference: None,
		};
		let status = Status {
			today: day,
			state: State::InBand,
			breaker: Breaker::Closed,
			stale: false,
			statement: Some(statement),
			issuance: 1,
			supply: 1,
			supply_target: 1,
			v_reserve: 1,
			ratio: None,
			ratio_fixed: None,
			allowance,
			minted: 0,
			queue: 0,
			capacity: 0,
			daily_capacity: 0,
			waiting: 0,
			budget: 0,
			totals: Totals { genesis: 0, minted: 0, burned: 0, credited: 0, spent: 0 },
			stopped_by_role: false,
		};
		let (fates, outages, mints) = (VecDeque::new(), VecDeque::new(), Vec::new());
		Self(Rc::new(RefCell::new(World { status, fates, outages, mints, sent: 0 })))
	}

	fn change(&self, change: impl FnOnce(&mut World)) {
		change(&mut self.0.borrow_mut());
	}

	fn then(self, fate: Fate) -> Self {
		self.change(|world| world.fates.push_back(fate));
		self
	}

	fn mints(&self) -> Vec<u128> {
		self.0.borrow().mints.clone()
	}

	fn issuer(&self) -> Issuer<Self> {
		let backoff = Backoff::new(SECOND, 60 * SECOND).without_jitter();
		let settings = IssuerSettings { every: 10 * SECOND, leave: 0, backoff };
		Issuer::new(self.clone(), settings, IssuerMetrics::new().unwrap())
	}
}

impl World {
	fn state(&mut self, hash: H256, allowance: u128) {
		let today = self.status.today.next().unwrap();
		let statement = self.status.statement.as_mut().unwrap();
		(statement.hash, statement.day, statement.taken_on) = (hash, self.status.today, today);
		(self.status.today, self.status.allowance, self.status.minted) = (today, allowance, 0);
	}

	/// What the pallet does.
	fn mint(&mut self, offer: &Offer) -> Result<Minted, ChainError> {
		if self.status.statement.unwrap().hash != offer.statement {
			return Err(refused(coverage_policy::Refusal::OtherStatement));
		}
		let left = self.status.allowance.checked_sub(offer.amount);
		let left = left.ok_or(refused(coverage_policy::Refusal::AboveAllowance))?;
		self.status.allowance = left;
		self.status.minted += offer.amount;
		self.mints.push(offer.amount);
		Ok(Minted {
			amount: offer.amount.to_string(),
			amount_units: Amount(offer.amount),
			day: offer.day,
			statement: format!("{:#x}", offer.statement),
			allowance: left.to_string(),
			allowance_units: Amount(left),
			block: "0x01".to_string(),
		})
	}
}

impl MintDesk for Desk {
	async fn status(&mut self) -> Result<Status, ChainError> {
		let mut world = self.0.borrow_mut();
		match world.outages.pop_front() {
			Some(error) => Err(error),
			None => Ok(world.status),
		}
	}

	async fn mint(&mut self, offer: &Offer) -> Result<Minted, ChainError> {
		let fate = {
			let mut world = self.0.borrow_mut();
			world.sent += 1;
			world.fates.pop_front()
		};
		match fate {
			None => self.0.borrow_mut().mint(offer),
			Some(Fate::AnswerLost) => {
				self.0.borrow_mut().mint(offer)?;
				Err(ChainError::Undecided { attempts: 5, reason: "no answer".to_string() })
			},
			Some(Fate::Fails(error)) => Err(error),
			Some(Fate::After(hash, allowance)) => {
				let mut world = self.0.borrow_mut();
				world.state(hash, allowance);
				world.mint(offer)
			},
			Some(Fate::Hangs) => std::future::pending().await,
		}
	}
}

#[tokio::test]
async fn the_allowance_of_each_day_is_minted_once() {
	let desk = Desk::new(5_000_000);
	let mut issuer = desk.issuer();
	assert_eq!(issuer.look().await.unwrap(), Look::Minted);
	for _ in 0..3 {
		assert_eq!(issuer.look().await.unwrap(), Look::Nothing);
	}
	desk.change(|world| world.state(H256::repeat_byte(2), 7));
	assert_eq!(issuer.look().await.unwrap(), Look::Minted);
	assert_eq!(desk.mints(), [5_000_000, 7]);
}

#[tokio::test]
async fn what_is_left_to_others_is_left_each_day_and_minted_by_nobody_here() {
	let desk = Desk::new(5_000_000);
	let settings = IssuerSettings { leave: 1_000_000, ..IssuerSettings::default() };
	let mut issuer = Issuer::new(desk.clone(), settings, IssuerMetrics::new().unwrap());
	assert_eq!(issuer.look().await.unwrap(), Look::Minted);
	assert_eq!(issuer.look().await.unwrap(), Look::Nothing);
	assert_eq!(desk.0.borrow().status.allowance, 1_000_000);
	desk.change(|world| world.state(H256::repeat_byte(2), 999_999));
	assert_eq!(issuer.look().await.unwrap(), Look::Nothing);
	desk.change(|world| world.state(H256::repeat_byte(3), 1_000_001));
	assert_eq!(issuer.look().await.unwrap(), Look::Minted);
	assert_eq!(desk.mints(), [4_000_000, 1]);
}

#[tokio::test]
async fn a_mint_whose_answer_was_lost_is_not_repeated() {
	let desk = Desk::new(9).then(Fate::AnswerLost);
	let mut issuer = desk.issuer();
	assert_eq!(issuer.look().await.unwrap(), Look::Failed);
	assert_eq!(issuer.look().await.unwrap(), Look::Nothing);
	assert_eq!(desk.mints(), [9]);
}

#[tokio::test]
async fn an_issuer_that_was_killed_is_followed_by_one_that_mints_only_what_is_left() {
	let desk = Desk::new(9).then(Fate::AnswerLost);
	assert_eq!(desk.issuer().look().await.unwrap(), Look::Failed);
	assert_eq!(desk.issuer().look().await.unwrap(), Look::Nothing);
	// Killed before its mint was done.
	desk.change(|world| world.state(H256::repeat_byte(2), 4));
	let desk = desk.then(Fate::Fails(away()));
	assert_eq!(desk.issuer().look().await.unwrap(), Look::Failed);
	assert_eq!(desk.issuer().look().await.unwrap(), Look::Minted);
	assert_eq!(desk.mints(), [9, 4]);
}

#[tokio::test]
async fn a_refusal_that_governance_can_lift_is_waited_out() {
	let stopped = refused(coverage_policy::Refusal::MintStopped);
	let mut desk = Desk::new(3);
	for _ in 0..20 {
		desk = desk.then(Fate::Fails(stopped.clone()));
	}
	let mut issuer = desk.issuer();
	for _ in 0..20 {
		assert_eq!(issuer.look().await.unwrap(), Look::Failed);
	}
	assert_eq!(issuer.look().await.unwrap(), Look::Minted);
}

#[tokio::test]
async fn a_statement_that_was_replaced_on_the_way_is_followed_by_the_new_one() {
	let desk = Desk::new(3).then(Fate::After(H256::repeat_byte(2), 8));
	let mut issuer = desk.issuer();
	assert_eq!(issuer.look().await.unwrap(), Look::Failed);
	assert_eq!(issuer.look().await.unwrap(), Look::Minted);
	assert_eq!(desk.mints(), [8]);
}

#[tokio::test]
async fn a_mint_that_is_refused_again_and_again_ends_the_issuer() {
	let not_issuer = refused(coverage_policy::Refusal::NotIssuer);
	let mut desk = Desk::new(3_500_000);
	for _ in 0..5 {
		desk = desk.then(Fate::Fails(not_issuer.clone()));
	}
	let mut issuer = desk.issuer();
	for _ in 0..4 {
		assert_eq!(issuer.look().await.unwrap(), Look::Failed);
	}
	let error = issuer.look().await.unwrap_err();
	assert!(matches!(&error, IssuerError::Refused { error, .. } if *error == not_issuer));
	let text = error.to_string();
	assert!(text.contains("NotIssuer") && text.contains("3.500000 AICP"), "{text}");
}

#[tokio::test]
async fn a_node_that_is_away_is_asked_again_and_a_wrong_address_is_not() {
	let desk = Desk::new(3);
	desk.change(|world| world.outages.extend([away(), ChainError::BadUrl("x".to_string())]));
	let mut issuer = desk.issuer();
	assert_eq!(issuer.look().await.unwrap(), Look::Failed);
	let error = issuer.look().await.unwrap_err();
	assert!(matches!(error, IssuerError::Chain(ChainError::BadUrl(_))), "{error}");
	assert_eq!(desk.0.borrow().sent, 0);
}

#[test]
fn pauses_grow_while_it_fails_and_are_steady_otherwise() {
	let issuer = Desk::new(0).issuer();
	let mut pauses = Backoff::new(SECOND, 60 * SECOND).without_jitter().pauses();
	let mut after = |look| issuer.pause_after(look, &mut pauses).as_secs();
	let failed = [Look::Failed; 3].map(&mut after);
	assert_eq!(failed, [1, 2, 4]);
	assert_eq!([Look::Nothing, Look::Minted].map(&mut after), [10, 10]);
	assert_eq!(after(Look::Failed), 1, "they begin again after a success");
}

#[tokio::test]
async fn it_runs_through_outages_mints_each_offer_once_and_ends_without_its_pause() {
	let desk = Desk::new(6);
	desk.change(|world| world.outages.extend([away(), away(), away()]));
	let millisecond = Duration::from_millis(1);
	let backoff = Backoff::new(millisecond, 4 * millisecond).without_jitter();
	let settings = IssuerSettings { every: 2 * millisecond, leave: 0, backoff };
	let mut issuer = Issuer::new(desk.clone(), settings, IssuerMetrics::new().unwrap());
	let stopper = Stopper::new();
	let stop = stopper.signal();
	let minted = async |wanted: &[u128]| {
		while desk.mints() != wanted {
			tokio::time::sleep(millisecond).await;
		}
	};
	let watched = async {
		minted(&[6]).await;
		desk.change(|world| world.state(H256::repeat_byte(2), 7));
		minted(&[6, 7]).await;
		stopper.stop();
	};
	let (ended, ()) = tokio::join!(issuer.run(&stop), watched);
	ended.unwrap();
	assert_eq!(desk.mints(), [6, 7]);
	assert_eq!(desk.0.borrow().outages.len(), 0);
}

#[tokio::test]
async fn it_ends_on_a_signal_even_while_a_mint_is_on_its_way() {
	let desk = Desk::new(3).then(Fate::Hangs);
	let stopper = Stopper::new();
	let (stop, mut issuer) = (stopper.signal(), desk.issuer());
	let stopping = async {
		while desk.0.borrow().sent == 0 {
			tokio::task::yield_now().await;
		}
		stopper.stop();
	};
	let (ended, ()) = tokio::join!(issuer.run(&stop), stopping);
	ended.unwrap();
	assert_eq!(desk.issuer().look().await.unwrap(), Look::Minted);
	assert_eq!(desk.mints(), [3]);
}
