//! Certificates for MQTT over TLS.

use crate::config::Tls;
use rustls::{
	RootCertStore, ServerConfig,
	crypto::ring,
	pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
	server::WebPkiClientVerifier,
};
use std::{
	fs, io,
	os::unix::fs::{OpenOptionsExt, PermissionsExt},
	path::{Path, PathBuf},
	sync::Arc,
};

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
	/// A file cannot be read or written.
	#[error("{path}: {reason}")]
	Io {
		/// The file.
		path: String,
		/// What the file system says.
		reason: String,
	},
	/// Others may read the key.
	#[error("{path} has mode {mode:03o}: others may read the key; run: chmod 600 {path}")]
	Loose {
		/// The file.
		path: String,
		/// Its permissions.
		mode: u32,
	},
	/// Certificate and key cannot be used.
	#[error("certificate and key cannot be used: {0}")]
	Unusable(String),
}

fn io(path: &Path) -> impl Fn(String) -> TlsError + '_ {
	|reason| TlsError::Io { path: path.display().to_string(), reason }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
	let found: Vec<_> = CertificateDer::pem_file_iter(path)
		.and_then(Iterator::collect)
		.map_err(|error| io(path)(error.to_string()))?;
	if found.is_empty() {
		return Err(io(path)("holds no certificate in PEM form".to_string()));
	}
	Ok(found)
}

/// What the server presents and demands.
///
/// # Errors
/// [`TlsError`].
pub(crate) fn server(tls: &Tls) -> Result<Arc<ServerConfig>, TlsError> {
	let unusable = |error: rustls::Error| TlsError::Unusable(error.to_string());
	let mode = fs::metadata(&tls.key)
		.map_err(|error| io(&tls.key)(error.to_string()))?
		.permissions()
		.mode();
	if mode & 0o007 != 0 {
		return Err(TlsError::Loose { path: tls.key.display().to_string(), mode: mode & 0o777 });
	}
	let chain = certificates(&tls.certificate)?;
	let key =
		PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| io(&tls.key)(error.to_string()))?;
	let provider = Arc::new(ring::default_provider());
	let builder = ServerConfig::builder_with_provider(provider.clone())
		.with_safe_default_protocol_versions()
		.map_err(unusable)?;
	let builder = match &tls.client_authority {
		None => builder.with_no_client_auth(),
		Some(path) => {
			let mut roots = RootCertStore::empty();
			for certificate in certificates(path)? {
				roots.add(certificate).map_err(unusable)?;
			}
			let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
				.build()
				.map_err(|error| TlsError::Unusable(error.to_string()))?;
			builder.with_client_cert_verifier(verifier)
		},
	};
	builder.with_single_cert(chain, key).map(Arc::new).map_err(unusable)
}

/// Makes a self-signed certificate for trials, unless the folder has one. Returns the paths of
/// certificate and key. Clients have to trust it explicitly.
///
/// # Errors
/// [`TlsError`].
pub fn self_signed(folder: &Path, names: &[String]) -> Result<(PathBuf, PathBuf), TlsError> {
	let (certificate, key) = (folder.join("gateway.pem"), folder.join("gateway.key"));
	if certificate.exists() && key.exists() {
		return Ok((certificate, key));
	}
	let made = rcgen::generate_simple_self_signed(names.to_vec())
		.map_err(|error| TlsError::Unusable(error.to_string()))?;
	fs::create_dir_all(folder).map_err(|error| io(folder)(error.to_string()))?;
	fs::OpenOptions::new()
		.create(true)
		.truncate(true)
		.write(true)
		.mode(0o600)
		.open(&key)
		.and_then(|mut file| {
			io::Write::write_all(&mut file, made.signing_key.serialize_pem().as_bytes())
		})
		.map_err(|error| io(&key)(error.to_string()))?;
	fs::write(&certificate, made.cert.pem())
		.map_err(|error| io(&certificate)(error.to_string()))?;
	Ok((certificate, key))
}
