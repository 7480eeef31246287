//! `gridproof gateway run`.

use super::DataArgs;
use crate::{
	args::{
		AdminKeyArgs, NodeArgs, PassphraseArgs,
		keys::{ask, secret_line},
	},
	exit::usage,
	output::Output,
};
use anyhow::Context;
use clap::Args;
use gridproof_dashboard::{Addresses, BESIDE};
use gridproof_gateway::{
	Archiving, Batching, Broker, Gateway, Ledger, Node, Parts, Pinning, Settings, Tls, self_signed,
};
use gridproof_keys::{Kind, SealedKey};
use gridproof_support::stop;
use serde::Serialize;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// Arguments of `gateway run`.
#[derive(Args)]
pub struct RunArgs {
	#[command(flatten)]
	data: DataArgs,
	#[command(flatten)]
	node: NodeArgs,
	/// Follow no chain: batches are made and proved in the gateway only.
	#[arg(long, conflicts_with_all = ["keys"])]
	no_chain: bool,
	/// Key files, or folders of them, that sign for meters certified with trust "gateway".
	#[arg(long = "key", value_name = "FILE|DIR")]
	keys: Vec<PathBuf>,
	#[command(flatten)]
	passphrase: PassphraseArgs,
	#[command(flatten)]
	mqtt: MqttArgs,
	#[command(flatten)]
	http: HttpArgs,
	#[command(flatten)]
	batching: BatchingArgs,
	#[command(flatten)]
	pinning: PinningArgs,
	/// Seconds that a device may take to sign before it is asked again.
	#[arg(long, value_name = "SECONDS", default_value_t = 30,
		value_parser = clap::value_parser!(u64).range(1..=86_400))]
	sign_timeout: u64,
	/// Size in MiB to which the database may grow; then nothing is acknowledged until there is room.
	#[arg(long, value_name = "MIB")]
	max_database: Option<u64>,
	/// Days that what is settled stays in the database; then it moves into files in the data folder's
	/// `archive`, from where it is served as before. Without it, everything stays.
	#[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=36_500))]
	keep_days: Option<u64>,
	/// Accept readings from anybody, and believe them. For development chains only.
	#[arg(long)]
	anonymous: bool,
	/// Listen on other than loopback addresses without an admin key, or with --anonymous.
	#[arg(long)]
	unprotected_on_purpose: bool,
}

/// MQTT of `gateway run`.
#[derive(Args)]
struct MqttArgs {
	/// Where MQTT is served without TLS.
	#[arg(id = "mqtt", long, value_name = "ADDRESS", default_value = "127.0.0.1:1883")]
	listen: SocketAddr,
	/// Do not serve MQTT without TLS.
	#[arg(long)]
	no_mqtt: bool,
	/// Where MQTT is served over TLS.
	#[arg(long = "mqtts", value_name = "ADDRESS")]
	listen_tls: Option<SocketAddr>,
	/// Certificate chain, PEM.
	#[arg(long, value_name = "FILE", requires_all = ["listen_tls", "tls_key"])]
	tls_cert: Option<PathBuf>,
	/// Private key of the certificate, PEM, mode 0600 or 0640.
	#[arg(long, value_name = "FILE", requires = "tls_cert")]
	tls_key: Option<PathBuf>,
	/// For trials: a self-signed certificate in this folder, made if there is none.
	#[arg(long, value_name = "DIR", requires = "listen_tls", conflicts_with = "tls_cert")]
	tls_self_signed: Option<PathBuf>,
	/// Names in the certificate of --tls-self-signed.
	#[arg(long, value_name = "NAME", default_values = ["localhost", "127.0.0.1", "::1"])]
	tls_name: Vec<String>,
	/// Certificates of authorities, PEM: clients need a certificate of one of them as well.
	#[arg(long, value_name = "FILE", requires = "listen_tls")]
	tls_client_ca: Option<PathBuf>,
	/// An external broker in place of the gateway's own: mqtt://user@host:1883 or mqtts://…; that
	/// broker then decides who publishes where. In user and password, % and two digits write a byte.
	#[arg(long, value_name = "URL", conflicts_with_all = ["listen_tls"])]
	broker: Option<String>,
	/// File, mode 0600, whose first line is the password at the external broker, as it is.
	#[arg(long, value_name = "FILE", requires = "broker")]
	broker_password_file: Option<PathBuf>,
	/// Certificates of the authorities that vouch for the external broker, PEM, in place of the
	/// system's.
	#[arg(long, value_name = "FILE", requires = "broker")]
	broker_ca: Option<PathBuf>,
	/// The name by which the external broker knows this gateway and keeps messages for it; by default
	/// one that is made once and kept in the data folder.
	#[arg(long, value_name = "ID", requires = "broker")]
	broker_client_id: Option<String>,
	/// The readings to take from the external broker, such as energy/PLANT-01/+/+; by default those of
	/// all meters.
	#[arg(long, value_name = "FILTER", requires = "broker")]
	broker_filter: Option<String>,
}

/// HTTP of `gateway run`.
#[derive(Args)]
struct HttpArgs {
	/// Where the API is served.
	#[arg(id = "http", long = "http", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
	listen: SocketAddr,
	#[command(flatten)]
	admin: AdminKeyArgs,
	/// Let everybody who reaches the API read, and post readings of meters that are not certified; on
	/// a loopback address that is always so.
	#[arg(long = "http-open")]
	open: bool,
	/// Origin of web pages that may call the API, such as https://app.example, or * for all; may be
	/// repeated.
	#[arg(long = "origin", value_name = "URL")]
	origins: Vec<String>,
	/// Serve the dashboard where the API is: the folder of the built page, as ./scripts/dashboard build
	/// makes it. It reads this gateway, and the node that the gateway follows; its files are for
	/// everybody who reaches the API.
	#[arg(long, value_name = "DIR")]
	dashboard: Option<PathBuf>,
}

/// When batches are closed.
#[derive(Args)]
struct BatchingArgs {
	/// Most readings of a batch.
	#[arg(long, alias = "batch-logs", value_name = "N", default_value_t = 10_000,
		value_parser = clap::value_parser!(u32).range(1..=10_000))]
	batch_readings: u32,
	/// Seconds that the first reading of a batch waits at most.
	#[arg(long, value_name = "SECONDS", default_value_t = 900,
		value_parser = clap::value_parser!(u64).range(1..=604_800))]
	batch_seconds: u64,
	/// Most bytes of a batch's file; by default without a limit, and 1 MiB with --pin-url, which
	/// IPFS can pass on in one block.
	#[arg(long, value_name = "BYTES")]
	batch_bytes: Option<u64>,
	/// Let a batch continue over midnight UTC.
	#[arg(long)]
	batch_across_days: bool,
}

/// IPFS.
#[derive(Args)]
struct PinningArgs {
	/// Pinning service with the standard API that keeps the batches' files.
	#[arg(long, value_name = "URL")]
	pin_url: Option<String>,
	/// File, mode 0600, whose first line is the service's access token.
	#[arg(long, value_name = "FILE", requires = "pin_url")]
	pin_token_file: Option<PathBuf>,
	/// Multiaddress where the service can fetch the files; may be repeated.
	#[arg(long = "pin-origin", value_name = "MULTIADDR", requires = "pin_url")]
	pin_origins: Vec<String>,
}

impl RunArgs {
	fn settings(&self) -> anyhow::Result<Settings> {
		let mut settings = Settings::new(self.data.data.clone());
		settings.max_bytes = self.max_database.map(|mib| mib.saturating_mul(1 << 20));
		settings.broker = self.mqtt.broker()?;
		let is_plain = !self.mqtt.no_mqtt && settings.broker.is_none();
		settings.mqtt = is_plain.then_some(self.mqtt.listen);
		settings.mqtts = self.mqtt.tls()?;
		settings.anonymous = self.anonymous;
		settings.http = Some(self.http.listen);
		settings.open = self.http.open;
		settings.unprotected = self.unprotected_on_purpose;
		settings.admin_key = self.http.admin.load()?;
		settings.origins.clone_from(&self.http.origins);
		settings.sign_timeout = Duration::from_secs(self.sign_timeout);
		settings.pinning = self.pinning.service()?;
		let keep = self.keep_days.map(|days| Duration::from_secs(days.saturating_mul(86_400)));
		settings.archiving = keep.map(Archiving::after);
		let default_bytes = if settings.pinning.is_some() { 1 << 20 } else { u64::MAX };
		settings.batching = Batching {
			max_readings: self.batching.batch_readings,
			max_age: Duration::from_secs(self.batching.batch_seconds),
			max_bytes: self.batching.batch_bytes.unwrap_or(default_bytes),
			daily: !self.batching.batch_across_days,
			..Batching::default()
		};
		Ok(settings)
	}

	fn keys(&self) -> anyhow::Result<Vec<SealedKey>> {
		let mut files = Vec::new();
		for path in &self.keys {
			if !path.is_dir() {
				files.push(path.clone());
				continue;
			}
			let entries = std::fs::read_dir(path)
				.with_context(|| format!("cannot read the folder {}", path.display()))?;
			for entry in entries {
				let file = entry?.path();
				if file.extension().is_some_and(|extension| extension == "json") {
					files.push(file);
				}
			}
		}
		let load = |path: &PathBuf| {
			let key = SealedKey::load(path, || ask(path, &self.passphrase))
				.with_context(|| format!("cannot use the key {}", path.display()))?;
			if !matches!(key.kind(), None | Some(Kind::Gateway | Kind::Device)) {
				let path = path.display();
				return Err(usage(format!("{path} is not the key of a gateway or a device")));
			}
			Ok(key)
		};
		files.iter().map(load).collect()
	}
}

impl HttpArgs {
	/// The dashboard, if it is to be served: it finds the gateway beside itself, by whatever name it is reached.
	fn page(&self, node: Option<String>) -> Option<gridproof_dashboard::Settings> {
		let folder = self.dashboard.clone()?;
		let gateway = Some(BESIDE.to_string());
		let addresses = Addresses { node, gateway, ..Addresses::default() };
		Some(gridproof_dashboard::Settings { folder, light: None, addresses })
	}
}

impl MqttArgs {
	fn tls(&self) -> anyhow::Result<Option<Tls>> {
		let Some(listen) = self.listen_tls else { return Ok(None) };
		let (certificate, key) = match (&self.tls_cert, &self.tls_key, &self.tls_self_signed) {
			(Some(certificate), Some(key), _) => (certificate.clone(), key.clone()),
			(_, _, Some(folder)) => self_signed(folder, &self.tls_name)?,
			_ => {
				let needed = "--tls-cert and --tls-key, or --tls-self-signed for a trial";
				return Err(usage(format!("--mqtts needs {needed}")));
			},
		};
		Ok(Some(Tls { listen, certificate, key, client_authority: self.tls_client_ca.clone() }))
	}

	fn broker(&self) -> anyhow::Result<Option<Broker>> {
		let Some(url) = &self.broker else { return Ok(None) };
		Ok(Some(Broker {
			url: Zeroizing::new(url.clone()),
			password: secret(&self.broker_password_file)?,
			authority: self.broker_ca.clone(),
			client_id: self.broker_client_id.clone(),
			filter: self.broker_filter.clone(),
		}))
	}
}

impl PinningArgs {
	fn service(&self) -> anyhow::Result<Option<Pinning>> {
		let Some(url) = &self.pin_url else { return Ok(None) };
		let token = secret(&self.pin_token_file)?;
		Ok(Some(Pinning { url: url.clone(), token, origins: self.pin_origins.clone() }))
	}
}

fn secret(path: &Option<PathBuf>) -> anyhow::Result<Option<Zeroizing<String>>> {
	path.as_deref().map(secret_line).transpose()
}

/// What a gateway prints when it runs.
#[derive(Serialize)]
struct Ready {
	mqtt: Option<String>,
	mqtts: Option<String>,
	broker: Option<String>,
	http: Option<String>,
	dashboard: Option<String>,
	chain: Option<String>,
	certificate: Option<String>,
	keys: usize,
}

/// Runs a gateway until it is stopped.
pub async fn serve(args: &RunArgs, out: &Output) -> anyhow::Result<()> {
	let settings = args.settings()?;
	let keys = args.keys()?;
	let chain = (!args.no_chain).then(|| args.node.url().to_string());
	let ledger = chain.clone().map(|url| {
		let node: Arc<dyn Ledger> = Arc::new(Node::new(url, args.node.patience()));
		node
	});
	let certificate = settings.mqtts.as_ref().map(|tls| tls.certificate.display().to_string());
	let (broker, held) = (args.mqtt.broker.is_some(), keys.len());
	let page = args.http.page(chain.clone()).map(gridproof_dashboard::page).transpose()?;
	let has_page = page.is_some();
	let parts = Parts { ledger, chain: chain.clone(), keys, page, ..Parts::default() };
	let stop = stop::on_signals()?;
	let gateway = Gateway::start(settings, parts).await?;
	let address = |name: &str| gateway.address(name).map(|address| address.to_string());
	let http = address("http").map(|address| format!("http://{address}"));
	let ready = Ready {
		mqtt: address("mqtt"),
		mqtts: address("mqtts"),
		broker: broker.then(|| "external".to_string()),
		dashboard: http.as_ref().filter(|_| has_page).map(|url| format!("{url}/")),
		http,
		chain,
		certificate,
		keys: held,
	};
	out.result(&ready, |ready| {
		let mut lines = vec![format!("HTTP {}", ready.http.clone().unwrap_or_default())];
		lines.extend(ready.dashboard.iter().map(|url| format!("dashboard {url}")));
		lines.extend(ready.mqtt.iter().map(|address| format!("MQTT {address}")));
		lines.extend(ready.mqtts.iter().map(|address| format!("MQTT over TLS {address}")));
		lines.extend(ready.chain.iter().map(|url| format!("chain {url}")));
		lines.join("\n")
	})?;
	gateway.run_until(&stop).await?;
	out.note("stopped");
	Ok(())
}
