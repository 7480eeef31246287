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
	/// Whether everybody who reaches the API may read, and post readings of meters that are not
	/// certified; on a loopback address that is always so.
	pub open: bool,
	/// Whether it may listen on other than loopback addresses without an admin key, or believing
	/// everybody.
	pub unprotected: bool,
	/// Web pages of other origins that may call the API, such as `http://localhost:5173`; `*` for all.
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
	/// When what is settled moves into archive files; `None` for never.
	pub archiving: Option<Archiving>,
}

/// When what is settled moves into archive files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archiving {
	/// How long a batch stays in the database after the UTC day on which it was made; it stays longer
	/// as long as it is not settled.
	pub keep: Duration,
	/// Bytes after which a file takes no more batches.
	pub max_file_bytes: u64,
	/// How often to look.
	pub tick: Duration,
}

impl Archiving {
	/// Files of 32 MiB, and a look every minute.
	pub const fn after(keep: Duration) -> Self {
		Self { keep, max_file_bytes: 32 << 20, tick: Duration::from_secs(60) }
	}
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
	/// Certificates of the authorities that vouch for it, PEM, in place of the system's.
	pub authority: Option<PathBuf>,
	/// The name to connect by, under which the broker keeps messages while the gateway is away; `None`
	/// for one that is made once and kept in the data folder.
	pub client_id: Option<String>,
	/// The topics of readings to subscribe to; `None` for those of all meters, `energy/+/+/+`.
	pub filter: Option<String>,
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

/// Why settings are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
	/// The API would let everybody who reaches it change something.
	#[error(
		"on {0} everybody who reaches the API could change something: give --admin-key-file FILE, or \
		 listen on 127.0.0.1"
	)]
	NoAdminKey(SocketAddr),
	/// Everybody who reaches the gateway would be believed.
	#[error(
		"on {0} everybody would be believed: --anonymous is for 127.0.0.1; give devices their \
		 credentials with `gridproof gateway device add`"
	)]
	Anonymous(SocketAddr),
	/// A text is not an origin.
	#[error("--origin: {0}")]
	Origin(gridproof_http::BadOrigin),
}

impl Settings {
	/// Checks that nobody without credentials is let in from elsewhere, and that texts are what they
	/// have to be.
	///
	/// # Errors
	/// [`SettingsError`].
	pub fn check(&self) -> Result<(), SettingsError> {
		let limits = gridproof_http::Limits {
			origins: self.origins.clone(),
			..gridproof_http::Limits::default()
		};
		limits.check_origins().map_err(SettingsError::Origin)?;
		if self.unprotected {
			return Ok(());
		}
		let is_public = |address: &&SocketAddr| !address.ip().is_loopback();
		if let Some(address) =
			self.http.as_ref().filter(is_public).filter(|_| self.admin_key.is_none())
		{
			return Err(SettingsError::NoAdminKey(*address));
		}
		let tls = self.mqtts.as_ref().map(|tls| &tls.listen);
		let mut all = [self.http.as_ref(), self.mqtt.as_ref(), tls].into_iter().flatten();
		match all.find(is_public) {
			Some(address) if self.anonymous => Err(SettingsError::Anonymous(*address)),
			_ => Ok(()),
		}
	}

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
			open: false,
			unprotected: false,
			origins: Vec::new(),
			request_timeout: Duration::from_secs(60),
			batching: Batching::default(),
			sign_timeout: Duration::from_secs(30),
			refresh: Duration::from_secs(30),
			max_ahead_ms: gridproof_primitives::energy::MAX_SKEW_MS,
			pinning: None,
			archiving: None,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn nobody_without_credentials_is_let_in_from_elsewhere() {
		let at = |text: &str| Some(text.parse().unwrap());
		let local = Settings {
			http: at("127.0.0.1:0"),
			mqtt: at("[::1]:0"),
			anonymous: true,
			..Settings::new(PathBuf::new())
		};
		assert_eq!(local.check(), Ok(()));
		let public = Settings { http: at("0.0.0.0:0"), anonymous: false, ..local.clone() };
		assert!(matches!(public.check(), Err(SettingsError::NoAdminKey(_))));
		let key = Some(Zeroizing::new("key".to_string()));
		let keyed = Settings { admin_key: key, ..public.clone() };
		assert_eq!(keyed.check(), Ok(()));
		let believing = Settings { anonymous: true, ..keyed };
		assert!(matches!(believing.check(), Err(SettingsError::Anonymous(_))));
		let mqtt = Settings { mqtt: at("192.0.2.1:1883"), ..local.clone() };
		assert!(matches!(mqtt.check(), Err(SettingsError::Anonymous(_))));
		assert_eq!(Settings { unprotected: true, ..mqtt }.check(), Ok(()));
		let odd = Settings { origins: vec!["https://a.example/".to_string()], ..local };
		assert!(matches!(odd.check(), Err(SettingsError::Origin(_))));
	}
}
