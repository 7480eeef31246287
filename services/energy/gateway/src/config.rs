//! How a gateway behaves.

use std::{net::SocketAddr, path::PathBuf, time::Duration};
use zeroize::Zeroizing;

/// Bytes of one message or request body.
pub const MAX_MESSAGE_BYTES: u32 = 65_536;

/// All settings of a gateway. A new one has the defaults of `gridproof gateway run`, except that
/// nothing listens and no chain is followed.
#[derive(Clone)]
pub struct Settings {
	/// Folder of database, credentials and certificates.
	pub data: PathBuf,
	/// Size in bytes to which the database may grow; `None` for no limit.
	pub max_bytes: Option<u64>,
	/// Where the embedded MQTT server listens without TLS.
	pub mqtt: Option<SocketAddr>,
	/// Where it listens with TLS.
	pub mqtts: Option<Tls>,
	/// An external broker in its place.
	pub broker: Option<Broker>,
	/// Whether clients without credentials are let in, and believed: for development chains only.
	pub anonymous: bool,
	/// Where the HTTP server listens.
	pub http: Option<SocketAddr>,
	/// The key that requests have to carry which change something; `None` lets all of them pass.
	pub admin_key: Option<Zeroizing<String>>,
	/// Web pages of other origins that may call the API, such as `http://localhost:5173`.
	pub origins: Vec<String>,
	/// The time that a request may take.
	pub request_timeout: Duration,
	/// When batches are closed.
	pub batching: Batching,
	/// The time that a device may take to sign before it is asked again.
	pub sign_timeout: Duration,
	/// The time for which what the chain said of a meter is believed.
	pub refresh: Duration,
	/// The most milliseconds by which the interval of a reading may end in the future.
	pub max_ahead_ms: u64,
	/// The service that pins batches.
	pub pinning: Option<Pinning>,
}

/// Where the embedded MQTT server listens with TLS.
#[derive(Clone, Debug)]
pub struct Tls {
	/// The address; port 0 chooses a free one.
	pub listen: SocketAddr,
	/// Certificate chain, PEM.
	pub certificate: PathBuf,
	/// Its private key, PEM.
	pub key: PathBuf,
	/// Certificates of authorities, PEM: clients then need a certificate of one of them, besides
	/// their password.
	pub client_authority: Option<PathBuf>,
}

/// An external MQTT broker.
#[derive(Clone)]
pub struct Broker {
	/// `mqtt://user:password@host:1883` or `mqtts://…`; in user and password, `%` and two digits
	/// write a byte.
	pub url: Zeroizing<String>,
	/// The password of the address's user, in place of one in the address; taken as it is, without
	/// escapes.
	pub password: Option<Zeroizing<String>>,
	/// Certificates of the authorities that vouch for it, PEM; needed for `mqtts`.
	pub authority: Option<PathBuf>,
	/// The name to connect by, under which the broker keeps messages while the gateway is away.
	pub client_id: String,
}

/// When batches are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
	/// The most readings of a batch: 1 to 10,000.
	pub max_readings: u32,
	/// The longest time that the first reading waits.
	pub max_age: Duration,
	/// The most bytes of a batch's file.
	pub max_bytes: u64,
	/// Whether batches are closed when the UTC day is over.
	pub daily: bool,
	/// How often to look.
	pub tick: Duration,
}

/// An IPFS pinning service.
#[derive(Clone)]
pub struct Pinning {
	/// Its API, such as `https://api.pinata.cloud/psa`.
	pub url: String,
	/// Its access token.
	pub token: Option<Zeroizing<String>>,
	/// Multiaddresses where the blocks can be fetched from.
	pub origins: Vec<String>,
}

impl Default for Batching {
	fn default() -> Self {
		Self {
			max_readings: gridproof_primitives::energy::MAX_READINGS_PER_BATCH,
			max_age: Duration::from_secs(900),
			max_bytes: u64::MAX,
			daily: true,
			tick: Duration::from_secs(1),
		}
	}
}

impl Settings {
	/// Settings with this data folder.
	pub fn new(data: PathBuf) -> Self {
		Self {
			data,
			max_bytes: None,
			mqtt: None,
			mqtts: None,
			broker: None,
			anonymous: false,
			http: None,
			admin_key: None,
			origins: Vec::new(),
			request_timeout: Duration::from_secs(60),
			batching: Batching::default(),
			sign_timeout: Duration::from_secs(30),
			refresh: Duration::from_secs(30),
			max_ahead_ms: gridproof_primitives::energy::MAX_SKEW_MS,
			pinning: None,
		}
	}
}
