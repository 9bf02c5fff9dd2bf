//! Why a change of plugins or set-ups is not made: what callers branch on, and the sentence for the admin.

use crate::gate::GateReport;
use crate::generation::sentences;
use crate::setup::Problem;
use crate::store::StoreError;

/// Why a change is not made.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Somebody else was faster.
    #[error("the set-up is at revision {0} by now: somebody else was faster; read it again and make the change from that")]
    Stale(i64),
    /// The set-up cannot be built.
    #[error("{}", sentences(.0))]
    Setup(Vec<Problem>),
    /// The plugin did not pass the gate.
    #[error("{}", .0.refusal().unwrap_or("the plugin is refused"))]
    Refused(Box<GateReport>),
    /// Other bytes have this name and version.
    #[error("{name} {version} is here already, with other bytes ({digest}); raise the version and upload it again")]
    Taken {
        /// The plugin's name.
        name: String,
        /// Its version.
        version: String,
        /// The digest of the one that is here.
        digest: String,
    },
    /// A live step uses it.
    #[error("{plugin} is in use by {by}; take it out of the chain first")]
    InUse {
        /// The plugin.
        plugin: String,
        /// Chain and step.
        by: String,
    },
    /// It is part of the host.
    #[error("{0} comes with the host and stays with it; leave it out of the chains instead")]
    Bundled(String),
    /// No such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault of ours.
    #[error("{0}")]
    Internal(String),
}
