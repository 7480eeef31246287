//! Many meters in one process, each a real [`Device`], that follow standard profiles.
//!
//! Simulated time starts at a moment in the past and runs at some speed until it has caught up with
//! real time; no reading ever ends in the future. What a meter measures depends on its name and the
//! time only, so that a run can be repeated and continued.

use crate::{
	Binding, Device, DeviceFault, Durability, Reading,
	credentials::{Credential, username},
	file_name,
	mqtt::{Broker, Counters, Link, LinkFault, Login, SharedDevice},
	onboard::{Ask, MeterSpec, OnboardFault, Registry, device_key},
	profile::{Kind, Profile, ProfileFault},
};
use gridproof_primitives::{
	emlog::Energy,
	meter::{Direction, MeterName, Registers},
	units::MILLIS_PER_DAY,
};
use serde::Serialize;
use std::{
	collections::BTreeMap,
	path::Path,
	sync::{Arc, atomic::Ordering},
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{task::JoinSet, time::Instant};

/// A quarter hour, in milliseconds.
pub const QUARTER_MS: u64 = 900_000;
/// How long a device may take to get its first connection.
const CONNECT: Duration = Duration::from_secs(60);

/// Why a simulation stops.
#[derive(Debug, thiserror::Error)]
pub enum SimulationFault {
	/// A device cannot go on.
	#[error("{name}: {fault}")]
	Device {
		/// Which.
		name: String,
		/// Why.
		fault: DeviceFault,
	},
	/// Keys or lists are not usable.
	#[error(transparent)]
	Onboard(#[from] OnboardFault),
	/// A profile is none.
	#[error(transparent)]
	Profile(#[from] ProfileFault),
	/// A device is not on the line.
	#[error(transparent)]
	Link(#[from] LinkFault),
	/// A meter's profile does not fit its direction.
	#[error(
		"{name}: profile {profile:?} does not fit a meter for {direction}: write LOAD, SUN or LOAD+SUN, such as h0, pv or h0+pv"
	)]
	WrongProfile {
		/// Which meter.
		name: String,
		/// What was asked for.
		profile: String,
		/// What the meter measures.
		direction: Direction,
	},
	/// A device may not publish.
	#[error("the file of credentials has none for {0}")]
	NoCredential(MeterName),
}

/// Now, in UTC milliseconds.
pub fn now_ms() -> u64 {
	let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// Meters for a simulation: of ten, six consumers, two producers and two prosumers. `per_device`
/// of them share a device.
pub fn invented(count: u32, site: &str, per_device: u32) -> Vec<MeterSpec> {
	let spec = |number: u32| {
		let (direction, rated_power_w, profile) = match number % 10 {
			0..=3 => (Direction::Import, 25_000, "h0"),
			4 => (Direction::Import, 60_000, "g0"),
			5 => (Direction::Import, 60_000, "l0"),
			6 | 7 => (Direction::Export, 100_000, "pv"),
			_ => (Direction::Both, 25_000, "h0+pv"),
		};
		MeterSpec {
			site: site.to_string(),
			device: format!("gw-{:05}", number / per_device.max(1) + 1),
			meter: format!("mtr-{:05}", number + 1),
			direction,
			rated_power_w,
			seal: format!("S-{:05}", number + 1),
			profile: Some(profile.to_string()),
		}
	};
	(0..count).map(spec).collect()
}

/// What a simulated meter measures.
#[derive(Clone, Debug)]
pub struct Plan {
	load: Option<(Arc<Profile>, u64)>,
	sun: Option<(Arc<Profile>, u64)>,
	direction: Direction,
	max_milliwatts: u64,
	seed: u64,
	price_sats_per_kwh: u64,
}

/// A well-mixed number from another one (SplitMix64).
const fn mixed(seed: u64) -> u64 {
	let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
	z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
	z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
	z ^ (z >> 31)
}

/// Profiles, each read once.
#[derive(Default)]
pub struct Profiles(BTreeMap<String, Arc<Profile>>);

impl Profiles {
	fn get(&mut self, name: &str) -> Result<Arc<Profile>, ProfileFault> {
		if let Some(profile) = self.0.get(name) {
			return Ok(profile.clone());
		}
		let profile = Arc::new(Profile::load(name)?);
		self.0.insert(name.to_string(), profile.clone());
		Ok(profile)
	}
}

impl Plan {
	/// The plan of a meter: the profiles that its specification names, by default `h0`, `pv` or
	/// both, with a size that follows from its name.
	///
	/// # Errors
	/// [`SimulationFault::Profile`], [`SimulationFault::WrongProfile`].
	pub fn new(spec: &MeterSpec, profiles: &mut Profiles) -> Result<Self, SimulationFault> {
		let default = match spec.direction {
			Direction::Import => "h0",
			Direction::Export => "pv",
			Direction::Both => "h0+pv",
		};
		let text = spec.profile.as_deref().unwrap_or(default);
		let name = format!("{}/{}/{}", spec.site, spec.device, spec.meter);
		let seed = name.bytes().fold(0, |seed, byte| mixed(seed ^ u64::from(byte)));
		let (mut load, mut sun) = (None, None);
		for part in text.split('+') {
			let profile = profiles.get(part)?;
			let size = size(&profile, spec.direction, seed);
			match profile.kind() {
				Kind::Generation => sun = Some((profile, size)),
				Kind::Load | Kind::DynamicLoad => load = Some((profile, size)),
			}
		}
		let fits = match spec.direction {
			Direction::Import => load.is_some() && sun.is_none(),
			Direction::Export => sun.is_some() && load.is_none(),
			Direction::Both => load.is_some() || sun.is_some(),
		};
		if !fits {
			let (profile, direction) = (text.to_string(), spec.direction);
			return Err(SimulationFault::WrongProfile { name, profile, direction });
		}
		Ok(Self {
			load,
			sun,
			direction: spec.direction,
			max_milliwatts: u64::from(spec.rated_power_w) * 1_000,
			seed,
			price_sats_per_kwh: 60 + mixed(seed ^ 2) % 60,
		})
	}

	/// The plan of a meter, with those of `choice` that fit its direction instead of its own
	/// profile; which of them follows from its name.
	///
	/// # Errors
	/// As [`Plan::new`]; nothing that was chosen may fit no direction at all.
	pub fn chosen(
		spec: &MeterSpec,
		choice: &[String],
		profiles: &mut Profiles,
	) -> Result<Self, SimulationFault> {
		let with = |profile: &String| MeterSpec { profile: Some(profile.clone()), ..spec.clone() };
		let mut fitting = Vec::new();
		for profile in choice {
			match Self::new(&with(profile), profiles) {
				Ok(plan) => fitting.push(plan),
				Err(SimulationFault::WrongProfile { .. }) => (),
				Err(fault) => return Err(fault),
			}
		}
		let own = Self::new(spec, profiles)?;
		let count = fitting.len() as u64;
		if count == 0 {
			return Ok(own);
		}
		let place = usize::try_from(mixed(own.seed ^ 3) % count).unwrap_or(0);
		Ok(fitting.swap_remove(place))
	}

	/// What the meter measures from `start_ms` to `end_ms`, which lie in one quarter hour. A meter
	/// for both directions measures the difference of load and generation.
	pub fn reading(&self, start_ms: u64, end_ms: u64) -> Reading {
		let of = |part: &Option<(Arc<Profile>, u64)>, permille: u64| {
			part.as_ref().map_or(0, |(profile, size)| {
				profile.milliwatts(start_ms) * size / 1_000 * permille / 1_000
			})
		};
		let quarter = start_ms / QUARTER_MS;
		let noise = mixed(self.seed ^ quarter);
		// People differ from the mean, and clouds from one day to the next.
		let load = of(&self.load, 600 + noise % 801);
		let clouds = 250 + mixed(start_ms / MILLIS_PER_DAY) % 1_501;
		let sun = of(&self.sun, clouds * (900 + noise % 201) / 1_000);
		let (flow, milliwatts) = match self.direction {
			Direction::Import => (Direction::Import, load),
			Direction::Export => (Direction::Export, sun),
			Direction::Both if sun > load => (Direction::Export, sun - load),
			Direction::Both => (Direction::Import, load - sun),
		};
		let milliwatts = milliwatts.min(self.max_milliwatts);
		let length_ms = end_ms.saturating_sub(start_ms);
		Reading {
			power_w: Some(milliwatts / 1_000),
			price_sats_per_kwh: self.price_sats_per_kwh,
			..Reading::new(start_ms, end_ms, milli_wh(milliwatts * length_ms / 3_600_000), flow)
		}
	}
}

fn milli_wh(value: u64) -> Energy {
	let text = format!("{}.{:03}", value / 1_000, value % 1_000);
	Energy::parse_wh(&text).unwrap_or(Energy::from_wh(value / 1_000))
}

/// kWh a year of a customer, or Wp of a plant.
fn size(profile: &Profile, direction: Direction, seed: u64) -> u64 {
	let between = |low: u64, high: u64| low + mixed(seed ^ 1) % (high - low);
	match (profile.kind(), profile.name(), direction) {
		(Kind::Generation, _, Direction::Both) => between(4_000, 14_000),
		(Kind::Generation, ..) => between(10_000, 100_000),
		(Kind::DynamicLoad, ..) => between(2_000, 6_000),
		(Kind::Load, "l0", _) => between(10_000, 40_000),
		(Kind::Load, ..) => between(8_000, 50_000),
	}
}

/// How devices are opened.
pub struct FleetSettings<'a> {
	/// The meters; of a registry, all that it has.
	pub specs: &'a [MeterSpec],
	/// Profiles to choose from instead of each meter's own, such as `g0` or `h0+pv`.
	pub profiles: &'a [String],
	/// The registry they come from: the devices are then bound to their meters.
	pub registry: Option<&'a Registry>,
	/// Folder of the device keys; those of a registry are where it says.
	pub keys: &'a Path,
	/// Folder of the devices' states; without one they forget everything when they end.
	pub state: Option<&'a Path>,
	/// Where to publish.
	pub broker: &'a Broker,
	/// Who may publish where; without them, devices log in as nobody.
	pub credentials: Option<&'a [Credential]>,
	/// Sign for whatever chain and meter the gateway names first.
	pub trust_first_request: bool,
	/// Keep no texts of logs in memory.
	pub frugal: bool,
}

/// A device with its plan, on the line.
struct Member {
	device: SharedDevice,
	plan: Plan,
}

/// Devices on the line.
pub struct Fleet {
	groups: Vec<(Link, Vec<Member>)>,
	/// What has gone over the lines.
	pub counters: Arc<Counters>,
}

impl Fleet {
	/// Opens all devices and connects them: one connection for the meters of a device.
	///
	/// # Errors
	/// [`SimulationFault`].
	pub async fn open(settings: &FleetSettings<'_>, ask: Ask<'_>) -> Result<Self, SimulationFault> {
		let mut profiles = Profiles::default();
		let mut groups: BTreeMap<(String, String), Vec<Member>> = BTreeMap::new();
		for spec in settings.specs {
			let plan = Plan::chosen(spec, settings.profiles, &mut profiles)?;
			let device = open_device(settings, spec, ask)?;
			let member = Member { device: SharedDevice::new(device), plan };
			groups.entry((spec.site.clone(), spec.device.clone())).or_default().push(member);
		}
		let counters = Arc::new(Counters::default());
		let mut opening = JoinSet::new();
		for members in groups.into_values() {
			let name = members.first().map(|member| member.device.lock().name().clone());
			let Some(name) = name else { continue };
			let login = settings.credentials.map(|all| login(all, &name)).transpose()?;
			let (broker, counters) = (settings.broker.clone(), counters.clone());
			opening.spawn(async move {
				let devices = members.iter().map(|member| member.device.clone()).collect();
				let id = username(&name);
				let link =
					Link::open(&broker, &id, login.as_ref(), devices, counters, CONNECT).await?;
				Ok::<_, LinkFault>((link, members))
			});
			// A broker that is asked by thousands at once answers none in time.
			while opening.len() >= 200 {
				tokio::time::sleep(Duration::from_millis(5)).await;
				if opening.try_join_next().is_some_and(|done| !matches!(done, Ok(Ok(_)))) {
					return Err(LinkFault::Closed.into());
				}
			}
		}
		let mut fleet = Self { groups: Vec::new(), counters };
		while let Some(opened) = opening.join_next().await {
			fleet.groups.push(opened.map_err(|_| LinkFault::Closed)??);
		}
		Ok(fleet)
	}

	/// How many meters there are.
	pub fn meters(&self) -> usize {
		self.groups.iter().map(|(_, members)| members.len()).sum()
	}

	/// How many connections there are.
	pub const fn connections(&self) -> usize {
		self.groups.len()
	}

	/// Readings that are published and not signed.
	pub fn unsigned(&self) -> usize {
		let members = self.groups.iter().flat_map(|(_, members)| members);
		members.map(|member| member.device.lock().unsigned()).sum()
	}

	/// All registers added up, in Wh.
	pub fn registers(&self) -> Registers {
		let members = self.groups.iter().flat_map(|(_, members)| members);
		members.map(|member| member.device.lock().registers()).fold(
			Registers::default(),
			|sum, one| Registers {
				import_wh: sum.import_wh.saturating_add(one.import_wh),
				export_wh: sum.export_wh.saturating_add(one.export_wh),
			},
		)
	}

	/// Waits until the broker has confirmed everything, at most so long.
	pub async fn settle(&self, patience: Duration) {
		if let Some((link, _)) = self.groups.first() {
			link.settle(patience).await;
		}
	}

	pub(crate) fn each(&self) -> impl Iterator<Item = (&Link, Vec<(&SharedDevice, &Plan)>)> {
		self.groups.iter().map(|(link, members)| {
			(link, members.iter().map(|member| (&member.device, &member.plan)).collect())
		})
	}
}

fn login(all: &[Credential], name: &MeterName) -> Result<Login, SimulationFault> {
	let own = all.iter().find(|credential| credential.name == *name);
	let own = own.ok_or_else(|| SimulationFault::NoCredential(name.clone()))?;
	Ok(Login { username: own.username.clone(), password: own.password.clone() })
}

fn open_device(
	settings: &FleetSettings,
	spec: &MeterSpec,
	ask: Ask,
) -> Result<Device, SimulationFault> {
	let shown = format!("{}/{}/{}", spec.site, spec.device, spec.meter);
	let fault = |fault: DeviceFault| SimulationFault::Device { name: shown.clone(), fault };
	let name = MeterName::new(&spec.site, &spec.device, &spec.meter).map_err(|reason| {
		let (path, line, reason) = (shown.clone(), None, reason.to_string());
		OnboardFault::BadFile { path, line, reason }
	})?;
	let onboarded = settings.registry.and_then(|registry| {
		registry.meters.iter().find(|meter| meter.spec == *spec).map(|meter| (registry, meter))
	});
	let start = onboarded.map(|(_, meter)| meter.start).unwrap_or_default();
	let folder = onboarded.and_then(|(_, meter)| meter.key_file.parent());
	let (key, _) =
		device_key(folder.unwrap_or(settings.keys), &name, None, ask).map_err(OnboardFault::Key)?;
	let mut device = match settings.state {
		None => Device::in_memory(key, name, spec.direction).starting_at(&start),
		Some(state) => {
			// Another key is another device.
			let id = hex::encode(key.public().get(..4).unwrap_or_default());
			let folder = state.join(format!("{}+{id}", file_name(&name)));
			Device::open(key, name, spec.direction, &start, &folder, Durability::Crash)
				.map_err(fault)?
		},
	};
	if let Some((registry, meter)) = onboarded {
		let Binding { genesis, meter } = meter.binding(registry.genesis);
		device.bind(Binding { genesis, meter }).map_err(fault)?;
	} else if settings.trust_first_request {
		device = device.binding_itself();
	}
	if settings.frugal {
		device = device.without_texts();
	}
	Ok(device)
}

/// How simulated time runs.
#[derive(Clone, Copy, Debug)]
pub struct Course {
	/// Where it starts, UTC milliseconds; a device that has readings goes on after them.
	pub start_ms: u64,
	/// How many times faster than real time, until it has caught up.
	pub speed: f64,
	/// Length of a reading's interval, in milliseconds: a quarter hour, or a part of it.
	pub interval_ms: u64,
	/// When to end.
	pub end: End,
}

/// When a simulation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
	/// Never by itself.
	Never,
	/// After this time.
	After(Duration),
	/// When simulated time has caught up with real time.
	CaughtUp,
	/// When, besides, every reading is signed.
	Signed,
}

/// What a simulation has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
	/// Meters.
	pub meters: usize,
	/// Connections to the broker.
	pub connections: usize,
	/// Messages published, repeated ones and answers too.
	pub published: u64,
	/// Those that the broker has confirmed.
	pub confirmed: u64,
	/// Batches signed.
	pub signed: u64,
	/// Batches refused.
	pub refused: u64,
	/// Readings that are not signed.
	pub unsigned: usize,
	/// All import registers added up, in Wh.
	pub import_wh: u64,
	/// All export registers added up, in Wh.
	pub export_wh: u64,
}

impl Fleet {
	/// What has been done so far.
	pub fn summary(&self) -> Summary {
		let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
		let Registers { import_wh, export_wh } = self.registers();
		Summary {
			meters: self.meters(),
			connections: self.connections(),
			published: count(&self.counters.published),
			confirmed: count(&self.counters.confirmed),
			signed: count(&self.counters.signed),
			refused: count(&self.counters.refused),
			unsigned: self.unsigned(),
			import_wh,
			export_wh,
		}
	}

	/// Lets simulated time run.
	///
	/// # Errors
	/// [`SimulationFault::Link`] when a device cannot go on.
	pub async fn run(&self, course: &Course) -> Result<(), SimulationFault> {
		let begun = Instant::now();
		let deadline = match course.end {
			End::After(time) => Some(begun + time),
			_ => None,
		};
		let groups = self.groups.iter().map(|group| run_group(group, course, begun));
		let all = async { futures_all(groups.collect()).await };
		match deadline {
			Some(deadline) => tokio::time::timeout_at(deadline, all).await.unwrap_or(Ok(()))?,
			None => all.await?,
		}
		if course.end == End::Signed {
			while self.unsigned() > 0 {
				tokio::time::sleep(Duration::from_millis(200)).await;
			}
		}
		Ok(())
	}
}

/// Runs futures side by side until all are done or one has failed.
async fn futures_all<F>(futures: Vec<F>) -> Result<(), SimulationFault>
where
	F: Future<Output = Result<(), SimulationFault>>,
{
	let mut running: Vec<_> = futures.into_iter().map(Box::pin).collect();
	std::future::poll_fn(move |context| {
		let mut failed = None;
		running.retain_mut(|future| match future.as_mut().poll(context) {
			std::task::Poll::Pending => true,
			std::task::Poll::Ready(outcome) => {
				failed = outcome.err().or(failed.take());
				false
			},
		});
		match (failed, running.is_empty()) {
			(Some(fault), _) => std::task::Poll::Ready(Err(fault)),
			(None, true) => std::task::Poll::Ready(Ok(())),
			(None, false) => std::task::Poll::Pending,
		}
	})
	.await
}

async fn run_group(
	(link, members): &(Link, Vec<Member>),
	course: &Course,
	begun: Instant,
) -> Result<(), SimulationFault> {
	let first = |member: &Member| {
		let earliest = course.start_ms.max(member.device.lock().last_end_ms());
		earliest.div_ceil(course.interval_ms) * course.interval_ms
	};
	let mut next: Vec<u64> = members.iter().map(first).collect();
	loop {
		let Some(start_ms) = next.iter().copied().min() else { return Ok(()) };
		let end_ms = start_ms + course.interval_ms;
		// Neither faster than the course runs, nor into the future.
		let simulated = begun.elapsed().as_secs_f64() * course.speed * 1_000.0;
		let reached = course.start_ms.saturating_add(simulated as u64);
		let now_ms = now_ms();
		if end_ms > now_ms && matches!(course.end, End::CaughtUp | End::Signed) {
			return Ok(());
		}
		if end_ms > reached.min(now_ms) {
			let until_now = end_ms.saturating_sub(now_ms);
			let until_reached = end_ms.saturating_sub(reached) as f64 / course.speed;
			let pause = (until_now as f64).max(until_reached).clamp(1.0, 1_000.0);
			tokio::time::sleep(Duration::from_secs_f64(pause / 1_000.0)).await;
			continue;
		}
		for (member, next) in members.iter().zip(&mut next) {
			if *next == start_ms {
				let reading = member.plan.reading(start_ms, end_ms);
				link.publish(&member.device, &[reading]).await?;
				*next = end_ms;
			}
		}
	}
}

#[cfg(test)]
mod tests;
