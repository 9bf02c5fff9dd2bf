//! What the host trusts: the certificate authorities of its machine, so that a company's own authority needs no second place.
//!
//! rustls with ring: no system TLS, and no list of authorities compiled in that would grow old with the binary.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// The settings of every encrypted connection.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    /// The same authorities as certificates, for the one library that makes settings of its own.
    authorities: Arc<[CertificateDer<'static>]>,
}

impl Tls {
    /// Trusts whom the machine trusts. Certificates that cannot be read are passed over; without any, every https call fails and
    /// says that its issuer is unknown.
    ///
    /// # Errors
    /// When TLS cannot be set up at all.
    pub fn of_this_machine() -> anyhow::Result<Self> {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            tracing::warn!("this machine has no certificate authorities; desks with https cannot be called");
        }
        Self::trusting(found.certs)
    }

    /// Trusts nobody: for a host that calls nobody.
    ///
    /// # Errors
    /// When TLS cannot be set up at all.
    pub fn of_nobody() -> anyhow::Result<Self> {
        Self::trusting(Vec::new())
    }

    /// Trusts these.
    ///
    /// # Errors
    /// When TLS cannot be set up at all.
    pub(super) fn trusting(authorities: Vec<CertificateDer<'static>>) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities.clone());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        Ok(Self { config, authorities: authorities.into() })
    }

    pub(super) fn config(&self) -> ClientConfig {
        (*self.config).clone()
    }

    /// Whom it trusts.
    pub(super) fn authorities(&self) -> &[CertificateDer<'static>] {
        &self.authorities
    }
}
