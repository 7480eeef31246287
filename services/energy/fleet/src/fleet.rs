//! Many devices in one process, each a real one: one connection for the meters of a device.

use crate::{
	credentials::{Credential, username},
	device_keys::{Ask, device_key},
	error::SimulationError,
	list_error::ListError,
	onboard::OnboardError,
	plan::{Plan, Profiles},
	registry::Registry,
	spec::MeterSpec,
};
use futures::{StreamExt, TryStreamExt, future::LocalBoxFuture, stream};
use gridproof_device::{
	Binding, Broker, Counters, Device, DeviceError, Durability, Link, LinkError, Login,
	SharedDevice, file_name,
};
use gridproof_primitives::energy::{MeterName, Registers};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

/// How long a device may take to get its first connection.
const CONNECT: Duration = Duration::from_secs(60);
/// Connections that are opened side by side: a broker that is asked by thousands at once answers
/// none of them in time.
const AT_ONCE: usize = 200;

/// How the devices of a fleet are opened.
pub struct FleetSettings<'a> {
	/// The meters; those of a registry, if there is one.
	pub specs: &'a [MeterSpec],
	/// Profiles to choose from instead of each meter's own, such as `g0` or `h0+pv`.
	pub profiles: &'a [String],
	/// Registry of the meters: the devices are then bound to them.
	pub registry: Option<&'a Registry>,
	/// Folder of the device keys; those of a registry are where it says.
	pub keys: &'a Path,
	/// Folder of the devices' states; devices keep nothing on disk if `None`.
	pub state: Option<&'a Path>,
	/// Broker to publish to.
	pub broker: &'a Broker,
	/// Credentials of the meters; devices log in without a name if `None`.
	pub credentials: Option<&'a [Credential]>,
	/// Whether devices sign for the chain and the meter that the gateway names first.
	pub trust_first_request: bool,
	/// Whether devices keep no texts of readings in memory.
	pub frugal: bool,
	/// Time in which each device has to get its first connection, if less than a minute.
	pub within: Option<Duration>,
}

/// A connected device with its plan.
pub(crate) struct Member {
	pub(crate) device: SharedDevice,
	pub(crate) plan: Plan,
}

/// Connected devices.
pub struct Fleet {
	/// Each connection with its devices.
	pub(crate) groups: Vec<(Link, Vec<Member>)>,
	/// Messages of all connections.
	pub counters: Arc<Counters>,
}

impl Fleet {
	/// Opens all devices and connects them: one connection for the meters of a device.
	///
	/// # Errors
	/// [`SimulationError`].
	pub fn open<'a>(
		settings: &'a FleetSettings<'a>,
		ask: Ask<'a>,
	) -> LocalBoxFuture<'a, Result<Self, SimulationError>> {
		Box::pin(async move {
			let mut profiles = Profiles::default();
			let mut groups: BTreeMap<(String, String), Vec<Member>> = BTreeMap::new();
			for spec in settings.specs {
				let plan = Plan::chosen(spec, settings.profiles, &mut profiles)?;
				let device = open_device(settings, spec, ask)?;
				let member = Member { device: SharedDevice::new(device), plan };
				groups.entry((spec.site.clone(), spec.device.clone())).or_default().push(member);
			}
			let counters = Arc::new(Counters::default());
			let patience = settings.within.unwrap_or(CONNECT).min(CONNECT);
			let connect = async |members: Vec<Member>| {
				let devices: Vec<_> = members.iter().map(|member| member.device.clone()).collect();
				let name = devices.first().map(|device| device.lock().name().clone());
				let name = name.ok_or(LinkError::Closed)?;
				let login = settings.credentials.map(|all| login(all, &name)).transpose()?;
				let (broker, counters) = (settings.broker, counters.clone());
				let id = username(&name);
				let link =
					Link::open(broker, &id, login.as_ref(), devices, counters, patience).await?;
				Ok::<_, SimulationError>((link, members))
			};
			let opening = stream::iter(groups.into_values()).map(connect).buffer_unordered(AT_ONCE);
			let groups = opening.try_collect().await?;
			Ok(Self { groups, counters })
		})
	}

	/// Returns the number of meters.
	pub fn meters(&self) -> usize {
		self.groups.iter().map(|(_, members)| members.len()).sum()
	}

	/// Returns the number of connections.
	pub const fn connections(&self) -> usize {
		self.groups.len()
	}

	/// Returns the number of readings that are published and not signed.
	pub fn unsigned(&self) -> usize {
		let members = self.groups.iter().flat_map(|(_, members)| members);
		members.map(|member| member.device.lock().unsigned()).sum()
	}

	/// Returns the sum of all registers, in Wh.
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

	/// Waits until the broker has confirmed everything, for at most `patience`.
	pub async fn settle(&self, patience: Duration) {
		if let Some((link, _)) = self.groups.first() {
			link.settle(patience).await;
		}
	}
}

fn login(all: &[Credential], name: &MeterName) -> Result<Login, SimulationError> {
	let own = all.iter().find(|credential| credential.name == *name);
	let own = own.ok_or_else(|| SimulationError::NoCredential(name.clone()))?;
	Ok(Login { username: own.username.clone(), password: own.password.clone() })
}

fn open_device(
	settings: &FleetSettings,
	spec: &MeterSpec,
	ask: Ask,
) -> Result<Device, SimulationError> {
	let shown = format!("{}/{}/{}", spec.site, spec.device, spec.meter);
	let failed = |error: DeviceError| SimulationError::Device { name: shown.clone(), error };
	let bad = |reason| OnboardError::List(ListError::new(Path::new(&shown), None, reason));
	let name = spec.name().map_err(bad)?;
	let onboarded = settings.registry.and_then(|registry| {
		registry.meters.iter().find(|meter| meter.spec == *spec).map(|meter| (registry, meter))
	});
	let start = onboarded.map(|(_, meter)| meter.start).unwrap_or_default();
	let folder = onboarded.and_then(|(_, meter)| meter.key_file.parent());
	let (key, _) =
		device_key(folder.unwrap_or(settings.keys), &name, None, ask).map_err(OnboardError::Key)?;
	let mut device = match settings.state {
		None => Device::in_memory(key, name, spec.direction).starting_at(&start),
		Some(state) => {
			// Another key is another device.
			let id = hex::encode(key.public().get(..4).unwrap_or_default());
			let folder = state.join(format!("{}+{id}", file_name(&name)));
			Device::open(key, name, spec.direction, &start, &folder, Durability::Crash)
				.map_err(failed)?
		},
	};
	if let Some((registry, meter)) = onboarded {
		let Binding { genesis, meter } = meter.binding(registry.genesis);
		device.bind(Binding { genesis, meter }).map_err(failed)?;
	} else if settings.trust_first_request {
		device = device.binding_itself();
	}
	if settings.frugal {
		device = device.without_texts();
	}
	Ok(device)
}
