//! Meters in numbers: onboarding them, looking at them, simulating them.
//!
//! - [`onboard`], [`register_organisation`]: device keys, the owner's consent, the electrician's
//!   transactions; [`MeterSpec`] is what goes in, a [`Registry`] what comes out;
//! - [`OnboardingRequest`], [`certify`]: the same on three machines, of which each keeps its secret;
//! - [`ShownMeter`], [`all_meters`]: what the chain knows about meters;
//! - [`Credential`]: MQTT credentials, as a file;
//! - [`Profile`], [`Plan`]: standard load and generation profiles, and what a meter makes of them;
//! - [`Fleet`]: many devices in one process, each a real [`Device`](gridproof_device::Device), that
//!   follow their plans or, for a [`bench`](fn@bench), publish as fast as they are asked to.

#![deny(missing_docs)]

mod bench;
mod consent;
mod credentials;
mod device_keys;
mod error;
mod failure;
mod fleet;
mod list_error;
mod metrics;
mod onboard;
mod organisation;
mod plan;
mod profile;
mod registry;
mod request;
mod simulate;
mod spec;
mod view;

pub use bench::{BenchReport, bench};
pub use consent::{CONSENT_MS, Exchanged, new_device};
pub use credentials::{
	Credential, CredentialError, ensure_credentials, load_credentials, save_credentials, username,
};
pub use device_keys::{Ask, device_key};
pub use error::SimulationError;
pub use fleet::{Fleet, FleetSettings};
pub use list_error::ListError;
pub use metrics::FleetMetrics;
pub use onboard::{OnboardError, Order, onboard};
pub use organisation::{Registered, register_organisation};
pub use plan::{Plan, Profiles, QUARTER_MS, invented};
pub use profile::{Profile, ProfileError, ProfileKind, household_factor};
pub use registry::{Onboarded, Registry, record_exchange, start};
pub use request::{Consent, OnboardingRequest, RequestError, RequestOrder, certify};
pub use simulate::{Course, End, SimulationSummary};
pub use spec::{MeterSpec, point, read_list, seal, serial};
pub use view::{
	EnergyAccount, ShownMeter, ShownPoint, Summed, Whose, all_meters, energy_accounts,
	meter_by_name, totals_of,
};
