//! What the host trusts: the certificate authorities of its machine, so that a company's own authority needs no second place.
//!
//! rustls with ring: no system TLS, and no list of authorities compiled in that would grow old with the binary.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// The settings of every encrypted connection.
#[derive(Clone)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Trusts whom the machine trusts. Certificates that cannot be read are passed over; without any, every https call fails and
    /// says that its issuer is unknown.
    ///
    /// # Errors
    /// When TLS cannot be set up at all.
    pub fn of_this_machine() -> anyhow::Result<Self> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (known, _) = roots.add_parsable_certificates(found.certs);
        if known == 0 {
            tracing::warn!("this machine has no certificate authorities; desks with https cannot be called");
        }
        Self::trusting(roots)
    }

    /// Trusts nobody: for a host that calls nobody.
    ///
    /// # Errors
    /// When TLS cannot be set up at all.
    pub fn of_nobody() -> anyhow::Result<Self> {
        Self::trusting(RootCertStore::empty())
    }

    /// Trusts these.
    ///
    /// # Errors
    /// When TLS cannot be set up at all.
    pub(super) fn trusting(roots: RootCertStore) -> anyhow::Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(Self(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
    }

    pub(super) fn config(&self) -> ClientConfig {
        (*self.0).clone()
    }
}
