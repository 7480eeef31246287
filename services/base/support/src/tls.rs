//! The TLS provider.

use std::sync::Once;

static INSTALLED: Once = Once::new();

/// Makes `ring` the process's TLS provider, once. Every library that is built without a provider
/// of its own needs it before its first connection.
pub fn install() {
	INSTALLED.call_once(|| {
		// An error means that there is one already, which serves as well.
		let _ = rustls::crypto::ring::default_provider().install_default();
	});
}
