//! The server as a way that readings come in.

use super::{
	hub::Hub,
	server::{self, Server},
	session::Core,
};
use crate::{
	config::{Settings, Tls},
	health::{Address, Health},
	intake::contract::{BoxError, Gate, Intake},
	message::Source,
	notices::Outbox,
	tls,
};
use futures::future::BoxFuture;
use std::{net::SocketAddr, sync::Arc};

/// The embedded MQTT server.
pub(crate) struct Embedded {
	plain: Option<SocketAddr>,
	tls: Option<Tls>,
	hub: Arc<Hub>,
	health: Health,
	server: Option<Server>,
}

impl Embedded {
	/// The server of these settings, if they have one.
	pub(crate) fn of(settings: &Settings) -> Option<Self> {
		if settings.mqtt.is_none() && settings.mqtts.is_none() {
			return None;
		}
		let health = Health::default();
		let hub = Arc::new(Hub::new(health.clone()));
		let (plain, tls) = (settings.mqtt, settings.mqtts.clone());
		Some(Self { plain, tls, hub, health, server: None })
	}
}

impl Intake for Embedded {
	fn source(&self) -> Source {
		Source::MQTT
	}

	fn start(&mut self, gate: Gate) -> BoxFuture<'_, Result<(), BoxError>> {
		Box::pin(async {
			let tls = match &self.tls {
				Some(tls) => Some((tls.listen, tls::server(tls)?)),
				None => None,
			};
			let core = Arc::new(Core { gate, hub: self.hub.clone() });
			self.server = Some(server::start(core, self.plain, tls).await?);
			Ok(())
		})
	}

	fn addresses(&self) -> Vec<Address> {
		let Some(server) = &self.server else { return Vec::new() };
		let named = |name, address: Option<SocketAddr>| {
			address.map(|address| Address { name, at: address.to_string() })
		};
		[named("mqtt", server.address), named("mqtts", server.tls_address)]
			.into_iter()
			.flatten()
			.collect()
	}

	fn health(&self) -> Health {
		self.health.clone()
	}

	fn outbox(&self) -> Option<Arc<dyn Outbox>> {
		Some(self.hub.clone())
	}

	fn stop(&mut self) -> BoxFuture<'_, ()> {
		Box::pin(async {
			if let Some(server) = self.server.take() {
				server.stop().await;
			}
		})
	}
}
