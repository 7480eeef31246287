//! The world around the chain: who there is, what is true, and what the honest do in every step.

pub(crate) mod channels;
pub(crate) mod checks;
pub(crate) mod compute;
pub(crate) mod energy;
mod limits;
pub(crate) mod reserve;

use crate::{
	chain::{self, AICP_ENDOWMENT, ENDOWMENT, Founding, Key, Outcome, SECOND, START},
	rng::Rng,
};
use frame_support::traits::fungibles::Inspect;
use gridproof_primitives::compute::PriceAsset;
use gridproof_runtime::{
	AccountId, Assets, AssetsHolder, RuntimeCall, RuntimeEvent,
	constants::{AICP, KWH},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a member of a coalition can be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Role {
	/// Has money, and buys work.
	Client,
	/// Has a registered key that quotes and signs.
	Coordinator,
	/// Has two registered keys.
	Miner,
	/// Has an admitted organisation.
	Electrician,
	/// Has sites with meters.
	Owner,
	/// Mints AICP.
	Issuer,
	/// Records anchors.
	Recorder,
	/// Has one of the three keys that state the reserve: `data`.
	Data,
	/// Has another one of them: `risk`.
	Risk,
	/// Is the emergency account, which can stop and loosen nothing.
	Guard,
	/// Is one of six verifiers.
	Verifier,
}

impl Role {
	pub(crate) const ALL: [Self; 11] = [
		Self::Client,
		Self::Coordinator,
		Self::Miner,
		Self::Electrician,
		Self::Owner,
		Self::Issuer,
		Self::Recorder,
		Self::Data,
		Self::Risk,
		Self::Guard,
		Self::Verifier,
	];

	fn name(self) -> &'static str {
		match self {
			Self::Client => "client",
			Self::Coordinator => "coordinator",
			Self::Miner => "miner",
			Self::Electrician => "electrician",
			Self::Owner => "owner",
			Self::Issuer => "issuer",
			Self::Recorder => "recorder",
			Self::Data => "data",
			Self::Risk => "risk",
			Self::Guard => "guard",
			Self::Verifier => "verifier",
		}
	}
}

/// Accounts that any coalition has besides those of its roles.
const SPARE: [&str; 2] = ["spare/0", "spare/1"];
/// Indices of derivative accounts that a coalition uses.
const DERIVATIVES: u16 = 2;

/// Where a gain comes from, as the world sees it. It explains a gain; whether there is one is
/// decided by balances alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Source {
	/// Emission above what outsiders paid.
	Emission,
	/// Work of outsiders that was taken and not paid.
	UnpaidWork,
	/// Energy of a time more than 25 hours before the certificate.
	BeforeCertificate,
	/// The same thing's energy of the same time, once more.
	SameEnergyTwice,
	/// Energy of a time in which nobody vouched for the meter.
	Unvouched,
	/// Energy of another's site.
	AnothersEnergy,
	/// Energy that only circulates, or passes two meters.
	NotFedIn,
	/// Energy above any plausible rated power.
	RatedPower,
	/// AICP minted to whom the issuer names.
	IssuersMint,
	/// AICP above what a day allows, in any account.
	AboveAllowance,
	/// AIT above what the schedule allows in a step, in any account.
	AboveBudget,
	/// KWH above what a meter, an organisation, a block or all may mint in a day.
	AboveLimit,
	/// A failure that the chain does not count. No balance shows it: it is a lie about the score.
	FailureLost,
	/// An offence, proven by the honest, that the chain refuses to note.
	ReportRefused,
	/// An offence of somebody whose bond is gone, although work of it was settled just before.
	BondEscaped,
	/// Daily limits of keys that a coordinator keeps, above its bond.
	KeptAboveBond,
	/// An honest verifier, miner or coordinator was punished.
	HonestPunished,
	/// AIT claimed by a job on a model that the registry does not count by the quote's factor.
	Uncounted,
}

/// Token, or several of one value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Token {
	/// In 10⁻¹⁸ AIT.
	Ait,
	/// AICP at its target price of 1.50 EUR, and service credit, in halves of a micro-EUR.
	Reserve,
	/// In Wh.
	Kwh,
}

/// A transaction of the coalition.
pub(crate) enum Sent {
	Signed(Key, RuntimeCall),
	Free(RuntimeCall),
}

pub(crate) struct World {
	/// Time of the block, in UTC milliseconds.
	pub(crate) now: u64,
	pub(crate) roles: BTreeSet<Role>,
	/// Wallets of the coalition.
	pub(crate) wallets: Vec<Key>,
	/// Accounts from which the coalition can spend.
	pub(crate) spendable: BTreeSet<AccountId>,
	/// Move in progress, `honest` for what the honest do.
	pub(crate) label: &'static str,
	/// Gains by source and move that caused them, in the token's unit.
	pub(crate) sources: BTreeMap<(Source, &'static str), u128>,
	pub(crate) compute: compute::Truth,
	pub(crate) channels: channels::Truth,
	pub(crate) checks: checks::Truth,
	pub(crate) energy: energy::Truth,
	pub(crate) reserve: reserve::Truth,
	/// What named strategies remember between their stages.
	pub(crate) scratch: BTreeMap<u64, crate::strategies::Scratch>,
	/// Calls of the coalition, and how many of them succeeded.
	pub(crate) counts: BTreeMap<String, (u64, u64)>,
	/// What happened, if it is wanted.
	pub(crate) trace: Option<Vec<String>>,
	/// Times from and until which the honest coordinator does not reach the chain, in UTC milliseconds.
	away: (u64, u64),
	seen: usize,
}

/// Names of the honest, which are also those of their keys.
pub(crate) const HONEST: [&str; 14] = [
	"honest/client",
	"honest/coordinator",
	"honest/miner",
	"honest/electrician",
	"honest/second electrician",
	"honest/owner",
	"honest/issuer",
	"honest/recorder",
	"honest/guard",
	"honest/verifier/0",
	"honest/verifier/1",
	"honest/verifier/2",
	"honest/verifier/3",
	"honest/verifier/4",
];

pub(crate) fn wallet(role: Role) -> Key {
	Key::named(role.name())
}

/// Runs `body` in a new world with a coalition of these roles.
pub(crate) fn with_world<R>(roles: &BTreeSet<Role>, body: impl FnOnce(&mut World) -> R) -> R {
	let mut wallets: Vec<Key> = roles.iter().map(|role| wallet(*role)).collect();
	wallets.extend(SPARE.map(Key::named));
	let mut accounts: Vec<AccountId> = wallets.iter().map(Key::account).collect();
	accounts.extend(HONEST.map(|name| Key::named(name).account()));
	let account = |name: &str| Key::named(name).account();
	let mut organisations = vec![
		("North", account("honest/electrician")),
		("South", account("honest/second electrician")),
	];
	let mut recorders = vec![account("honest/recorder")];
	if roles.contains(&Role::Electrician) {
		organisations.push(("Coalition", wallet(Role::Electrician).account()));
	}
	if roles.contains(&Role::Recorder) {
		recorders.push(wallet(Role::Recorder).account());
	}
	let issuer = if roles.contains(&Role::Issuer) {
		wallet(Role::Issuer).account()
	} else {
		account("honest/issuer")
	};
	let emergency = if roles.contains(&Role::Guard) {
		wallet(Role::Guard).account()
	} else {
		account("honest/guard")
	};
	let verifiers = HONEST.iter().filter(|name| name.starts_with("honest/verifier"));
	let mut verifiers: Vec<AccountId> = verifiers.map(|name| account(name)).collect();
	if roles.contains(&Role::Verifier) {
		verifiers.push(wallet(Role::Verifier).account());
	}
	let founding = Founding { accounts, organisations, recorders, issuer, emergency, verifiers };
	chain::genesis(&founding).execute_with(|| {
		let mut spendable: BTreeSet<AccountId> = wallets.iter().map(Key::account).collect();
		for wallet in &wallets {
			for index in 0..DERIVATIVES {
				spendable.insert(pallet_utility::derivative_account_id(wallet.account(), index));
			}
		}
		let mut world = World {
			now: START,
			roles: roles.clone(),
			wallets,
			spendable,
			label: "honest",
			sources: BTreeMap::new(),
			compute: compute::Truth::default(),
			channels: channels::Truth::default(),
			checks: checks::Truth::default(),
			energy: energy::Truth::new(roles),
			reserve: reserve::Truth::default(),
			scratch: BTreeMap::new(),
			counts: BTreeMap::new(),
			trace: None,
			away: (0, 0),
			seen: 0,
		};
		chain::begin_block(START);
		world.set_up();
		let body = body(&mut world);
		chain::end_block();
		body
	})
}

impl World {
	fn set_up(&mut self) {
		self.set_up_compute();
		self.set_up_channels();
		self.set_up_energy();
		self.set_up_checks();
		self.pass(SECOND);
	}

	pub(crate) fn has(&self, role: Role) -> bool {
		self.roles.contains(&role)
	}

	pub(crate) fn is_ours(&self, account: &AccountId) -> bool {
		self.spendable.contains(account)
	}

	/// A wallet of the coalition.
	pub(crate) fn wallet(&self, rng: &mut Rng) -> Key {
		rng.pick(&self.wallets)
	}

	/// The wallet of this account of the coalition.
	pub(crate) fn wallet_of(&self, account: &AccountId) -> Option<Key> {
		self.wallets.iter().find(|wallet| wallet.account() == *account).cloned()
	}

	/// An account from which the coalition can spend: what it gives to others is of no interest, and
	/// would hide a gain.
	pub(crate) fn own_account(&self, rng: &mut Rng) -> AccountId {
		let ours: Vec<_> = self.spendable.iter().cloned().collect();
		rng.pick(&ours)
	}

	/// An account: mostly the coalition's, else anybody's.
	pub(crate) fn account(&self, rng: &mut Rng) -> AccountId {
		if rng.percent(85) {
			self.wallet(rng).account()
		} else if rng.percent(50) {
			Key::named(rng.pick(&HONEST)).account()
		} else {
			let ours: Vec<_> = self.spendable.iter().cloned().collect();
			rng.pick(&ours)
		}
	}

	/// Keeps the honest coordinator from reaching the chain for that long, unless it is away already.
	pub(crate) fn leave_chain(&mut self, time: u64) {
		if !self.is_away() {
			self.away = (self.now, self.now + time);
		}
	}

	/// Whether the honest coordinator does not reach the chain.
	pub(crate) fn is_away(&self) -> bool {
		self.now < self.away.1
	}

	/// Whether it does not for longer than the chain waits for it.
	pub(crate) fn is_away_too_long(&self) -> bool {
		let (from, until) = self.away;
		self.is_away() && until - from > compute::absence()
	}

	/// Lets time pass, in milliseconds. The honest act within a second, before most of it.
	pub(crate) fn pass(&mut self, time: u64) {
		let time = time.max(SECOND) / SECOND * SECOND;
		self.block(SECOND);
		let mut left = time - SECOND;
		// What was settled is touched and checked within seconds, and not in the next half of a day.
		for _ in 0..8 {
			if left > 2 * SECOND && self.checks_wait() {
				self.block(SECOND);
				left -= SECOND;
			}
		}
		// Nor does an honest juror sleep through the minutes of a dispute.
		for _ in 0..16 {
			if left > 31 * SECOND && self.checks_are_open() {
				self.block(30 * SECOND);
				left -= 30 * SECOND;
			}
		}
		// Who was away comes back in between.
		let back = self.away.1.saturating_sub(self.now);
		if (1..left).contains(&back) {
			self.block(back);
			left -= back;
		}
		// No batch of the honest may state more than a day gives.
		while left > 0 {
			let part = left.min(chain::DAY / 2);
			self.block(part);
			left -= part;
		}
	}

	/// The block ends, the next one begins that much later, and the honest act in it.
	fn block(&mut self, time: u64) {
		let label = std::mem::replace(&mut self.label, "honest");
		chain::end_block();
		self.observe();
		self.now += time;
		chain::begin_block(self.now);
		self.seen = 0;
		self.observe();
		self.live(time);
		self.label = label;
	}

	/// What the honest do in a block.
	fn live(&mut self, time: u64) {
		self.flow(time);
		self.honest_compute();
		self.honest_energy();
		self.honest_reserve();
		self.honest_checks();
	}

	fn remember(&mut self, sent: &str, outcome: &Outcome) {
		if let Some(trace) = &mut self.trace {
			trace.push(format!("{} {}: {sent} → {outcome:?}", self.now - START, self.label));
		}
	}

	/// Sends a transaction of the coalition.
	pub(crate) fn send(&mut self, sent: Sent) -> Outcome {
		let (Sent::Signed(_, call) | Sent::Free(call)) = &sent;
		let name = crate::calls::name_of(call);
		let text = self.trace.is_some().then(|| {
			let mut text = format!("{call:?}");
			text.truncate(400);
			text
		});
		let outcome = match sent {
			Sent::Signed(key, call) => chain::send_signed(&key, call),
			Sent::Free(call) => chain::send_free(call),
		};
		let count = self.counts.entry(name).or_default();
		count.0 += 1;
		count.1 += u64::from(outcome.is_done());
		if let Some(text) = text {
			self.remember(&text, &outcome);
		}
		self.observe();
		self.check_failures();
		outcome
	}

	/// Sends a transaction of somebody honest.
	pub(crate) fn send_honest(&mut self, sent: Sent) -> Outcome {
		let outcome = match sent {
			Sent::Signed(key, call) => chain::send_signed(&key, call),
			Sent::Free(call) => chain::send_free(call),
		};
		self.observe();
		outcome
	}

	pub(crate) fn governance(&mut self, call: RuntimeCall) -> Outcome {
		let outcome = chain::by_governance(call);
		self.observe();
		outcome
	}

	/// Notes what the events since the last look mean.
	pub(crate) fn observe(&mut self) {
		let events = chain::events_since(self.seen);
		self.seen = chain::event_count();
		for event in events {
			match event {
				RuntimeEvent::ComputeReceipts(event) => {
					self.observe_channels(&event);
					self.observe_compute(event);
				},
				RuntimeEvent::ComputeChecks(event) => self.observe_checks(&event),
				RuntimeEvent::Balances(event) => self.observe_fees(&event),
				RuntimeEvent::MeterReadings(event) => self.observe_energy(event),
				RuntimeEvent::CoveragePolicy(event) => self.observe_reserve(event),
				RuntimeEvent::Assets(pallet_assets::Event::Issued { asset_id, owner, amount })
					if asset_id == AICP =>
				{
					self.observe_issued(&owner, amount);
				},
				RuntimeEvent::Proxy(pallet_proxy::Event::PureCreated { pure, who, .. })
					if self.is_ours(&who) =>
				{
					self.spendable.insert(pure);
				},
				_ => {},
			}
		}
	}

	/// Notes where a gain comes from.
	pub(crate) fn blame(&mut self, source: Source, amount: u128) {
		let label = self.label;
		self.blame_on(source, label, amount);
	}

	pub(crate) fn blame_on(&mut self, source: Source, label: &'static str, amount: u128) {
		if amount > 0 {
			*self.sources.entry((source, label)).or_default() += amount;
		}
	}

	fn asset(&self, asset: u32) -> u128 {
		let of = |who: &AccountId| {
			<Assets as Inspect<AccountId>>::balance(asset, who)
				+ <AssetsHolder as frame_support::traits::fungibles::hold::Inspect<AccountId>>::total_balance_on_hold(asset, who)
		};
		self.spendable.iter().map(of).sum()
	}

	/// What the coalition has.
	pub(crate) fn wealth(&self, token: Token) -> u128 {
		match token {
			Token::Ait => {
				let free: u128 = self.spendable.iter().map(chain::ait).sum();
				free + self.ait_in_pallets()
			},
			Token::Reserve => {
				let escrowed = self.escrowed(PriceAsset::Aicp) + self.in_channels(PriceAsset::Aicp);
				(self.asset(AICP) + escrowed) * 3 + self.credit() * 2
			},
			Token::Kwh => self.asset(KWH),
		}
	}

	/// What the coalition may have: what it began with, and what outsiders paid for work that is
	/// there, or what its sites fed in.
	pub(crate) fn due(&self, token: Token) -> u128 {
		let members = u128::try_from(self.wallets.len()).expect("few");
		let paid = self.compute.paid(token);
		match token {
			Token::Ait => {
				members * ENDOWMENT + paid + self.compute.given_for_aicp() + self.earned_by_checks()
			},
			Token::Reserve => members * AICP_ENDOWMENT * 3 + paid,
			Token::Kwh => self.energy_due(),
		}
	}

	/// What the coalition has above what it may have, work taken and not paid included; 0 if it
	/// has less.
	pub(crate) fn gain(&self, token: Token) -> u128 {
		let taken = self.compute.taken(token) + self.channels.taken(token);
		(self.wealth(token) + taken).saturating_sub(self.due(token))
	}

	/// Lets everything that waits come to its end, so that it can be counted.
	pub(crate) fn settle(&mut self) {
		self.label = "honest";
		self.pass(3 * chain::DAY);
		self.settle_compute();
		self.pass(SECOND);
		self.note_emission();
	}
}
