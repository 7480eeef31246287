//! Plans of moves, what they yield, and the shortest one that still yields it.

use crate::{
	build, calls,
	chain::{HOUR, MINUTE, SECOND},
	rng::Rng,
	strategies, table,
	world::{Role, Source, Token, World, with_world},
};
use std::{
	collections::{BTreeMap, BTreeSet},
	fmt,
};

/// Moves of chance in a plan; stages of named strategies come on top.
const MOVES: u64 = 40;

#[derive(Clone)]
enum What {
	Call(&'static str, &'static str),
	/// Strategy, instance, stage.
	Stage(usize, u64, usize),
}

/// One step of a coalition. Its arguments follow from its own seed and the world, so that a plan
/// stays the same plan when other moves are taken out.
#[derive(Clone)]
pub(crate) struct Move {
	what: What,
	/// Time that passes before it, in milliseconds; 0 for the same block.
	wait: u64,
	seed: u64,
}

impl fmt::Display for Move {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self.what {
			What::Call(pallet, call) => {
				write!(f, "after {} s {pallet}.{call}", self.wait / SECOND)?
			},
			What::Stage(strategy, _, stage) => {
				let name = strategies::ALL[strategy].name;
				write!(f, "after {} s “{name}”, stage {stage}", self.wait / SECOND)?;
			},
		}
		write!(f, " (seed {})", self.seed)
	}
}

#[derive(Clone)]
pub(crate) struct Plan {
	pub(crate) roles: BTreeSet<Role>,
	pub(crate) moves: Vec<Move>,
	/// Whether work mints AIT at all.
	pub(crate) mints: bool,
}

impl Plan {
	/// The plan of a seed: one to five roles, up to two named strategies, and moves of chance. In
	/// three plans of four the first strategy comes first, and brings the roles that it needs.
	pub(crate) fn new(seed: u64) -> Self {
		let mut rng = Rng::new(seed);
		let first = rng.percent(75).then(|| rng.index(strategies::ALL.len()));
		let needed = first.map_or(&[][..], |number| strategies::ALL[number].roles);
		let mut roles: BTreeSet<Role> = needed.iter().copied().collect();
		let size = usize::try_from(1 + rng.below(5)).expect("small");
		while roles.len() < size {
			roles.insert(rng.pick(&Role::ALL));
		}
		let mut moves: Vec<Move> = (0..MOVES)
			.map(|_| {
				let (pallet, call, _) = calls::any(&mut rng);
				Self::step(&mut rng, What::Call(pallet, call))
			})
			.collect();
		let open: Vec<usize> = (0..strategies::ALL.len())
			.filter(|number| strategies::is_open_to(&strategies::ALL[*number], &roles))
			.collect();
		for instance in 0..rng.below(3).max(u64::from(first.is_some())) {
			let brought = first.filter(|_| instance == 0);
			let Some(number) = brought.or_else(|| rng.any(&open)) else { break };
			let mut place = 0;
			for stage in 0..strategies::ALL[number].stages.len() {
				let left = strategies::ALL[number].stages.len() - stage;
				let room = (moves.len() - place) / left;
				place += rng.index(room.max(1));
				let step = Self::step(&mut rng, What::Stage(number, instance, stage));
				moves.insert(place, step);
				place += 1;
			}
		}
		Self { roles, moves, mints: true }
	}

	/// Whether it has a stage of the strategy of this name.
	pub(crate) fn plays(&self, name: &str) -> bool {
		let named = |step: &Move| matches!(step.what, What::Stage(number, ..) if strategies::ALL[number].name == name);
		self.moves.iter().any(named)
	}

	fn step(rng: &mut Rng, what: What) -> Move {
		let wait =
			rng.pick(&[0, 0, 0, SECOND, SECOND, 20 * SECOND, 10 * MINUTE, HOUR, HOUR, 6 * HOUR]);
		Move { what, wait, seed: rng.next() }
	}
}

/// What a plan yielded.
#[derive(Default)]
pub(crate) struct Yield {
	pub(crate) gains: BTreeMap<Token, u128>,
	pub(crate) sources: BTreeMap<(Source, &'static str), u128>,
	pub(crate) counts: BTreeMap<String, (u64, u64)>,
	pub(crate) trace: Vec<String>,
}

impl Yield {
	/// What no entry of the table explains: gains above what comes from known holes, and lies of
	/// kinds that are not known.
	pub(crate) fn unexplained(&self) -> Vec<String> {
		let mut found = Vec::new();
		for (token, gain) in &self.gains {
			let explained: u128 = self
				.sources
				.iter()
				.filter(|((source, by), _)| {
					table::token_of(*source) == Some(*token) && table::explains(*source, by)
				})
				.map(|(_, amount)| *amount)
				.sum();
			if *gain > explained {
				found.push(format!(
					"{token:?}: a gain of {gain}, of which {explained} is explained"
				));
			}
		}
		for ((source, label), amount) in &self.sources {
			if table::token_of(*source).is_none() && !table::explains(*source, label) {
				found.push(format!("{source:?} by “{label}”: {amount}"));
			}
		}
		found
	}

	/// The entries of the table that this plan shows.
	pub(crate) fn shown(&self) -> Vec<usize> {
		let shows = |(_, known): &(usize, &table::Known)| {
			let seen = self.sources.contains_key(&(known.source, known.by));
			let gained =
				table::token_of(known.source).is_none_or(|token| self.gains.contains_key(&token));
			seen && gained
		};
		table::open().filter(shows).map(|(number, _)| number).collect()
	}
}

fn play(world: &mut World, step: &Move) {
	if step.wait > 0 {
		world.pass(step.wait);
	}
	let mut rng = Rng::new(step.seed);
	match step.what {
		What::Call(pallet, call) => {
			world.label = "moves of chance";
			if let Some(calls::Strategy::Make(make)) = calls::find(pallet, call)
				&& let Some(sent) = make(world, &mut rng)
			{
				world.send(sent);
			}
		},
		What::Stage(strategy, instance, stage) => {
			let strategy = &strategies::ALL[strategy];
			world.label = strategy.name;
			let mut scratch = world.scratch.remove(&instance).unwrap_or_default();
			let _ = (strategy.stages[stage])(world, &mut scratch, &mut rng);
			world.scratch.insert(instance, scratch);
		},
	}
	world.label = "honest";
}

/// Carries a plan out, lets everything end, and counts.
pub(crate) fn run(plan: &Plan, trace: bool) -> Yield {
	with_world(&plan.roles, |world| {
		world.trace = trace.then(Vec::new);
		if !plan.mints {
			let outcome = world.governance(build::compute::mint_nothing());
			assert!(outcome.is_done(), "{outcome:?}");
		}
		for step in &plan.moves {
			play(world, step);
		}
		world.settle();
		let gains = [Token::Ait, Token::Reserve, Token::Kwh]
			.into_iter()
			.map(|token| (token, world.gain(token)))
			.filter(|(_, gain)| *gain > 0)
			.collect();
		Yield {
			gains,
			sources: std::mem::take(&mut world.sources),
			counts: std::mem::take(&mut world.counts),
			trace: world.trace.take().unwrap_or_default(),
		}
	})
}

/// Takes moves out of a plan, from its end and then one by one, as long as it still yields what
/// nothing explains.
pub(crate) fn shrink(mut plan: Plan) -> Plan {
	let fails = |plan: &Plan| !run(plan, false).unexplained().is_empty();
	let (mut low, mut high) = (0, plan.moves.len());
	while low < high {
		let middle = low.midpoint(high);
		let mut shorter = plan.clone();
		shorter.moves.truncate(middle);
		if fails(&shorter) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	let mut shorter = plan.clone();
	shorter.moves.truncate(high);
	if fails(&shorter) {
		plan = shorter;
	}
	let mut place = plan.moves.len();
	while place > 0 {
		place -= 1;
		let mut shorter = plan.clone();
		// The time that the move took passes all the same.
		let taken = shorter.moves.remove(place);
		if let Some(next) = shorter.moves.get_mut(place) {
			next.wait += taken.wait;
		}
		if fails(&shorter) {
			plan = shorter;
		}
	}
	plan
}
