//! Which addresses may be reached, asked in the place where a name becomes an address.
//!
//! The connector connects to the very addresses that this resolver gives it: there is no second look-up that could say something
//! else. It must never give out an address that it has not checked.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

use super::{Network, special};

/// The rules of one desk, as a resolver.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// The admin's own networks.
    pub(super) allow: Arc<[Network]>,
    /// Nothing but those.
    pub(super) listed_only: bool,
}

/// An address that may not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address}, {kind}; if the desk is there, list it in `allow_private`")]
pub(super) struct Refused {
    address: IpAddr,
    kind: &'static str,
}

impl Refused {
    /// The refusal that an error of the connector stems from, if it does.
    pub(super) fn within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(refused) = error.downcast_ref() {
                return Some(refused);
            }
            next = error.source();
        }
        None
    }
}

impl Guard {
    pub(super) fn admit(&self, address: IpAddr) -> Result<(), Refused> {
        if self.allow.iter().any(|network| network.holds(address)) {
            return Ok(());
        }
        let kind = special(address).or(self.listed_only.then_some("which may be called by https only"));
        kind.map_or(Ok(()), |kind| Err(Refused { address, kind }))
    }
}

impl Guard {
    /// The addresses of a name, when all of them may be reached.
    pub(super) async fn find(&self, name: &str) -> Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>> {
        // The port is the connector's to set.
        let found: Vec<IpAddr> = tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect();
        // One bad address spoils the name: whoever mixes them is not to choose which one is called.
        found.iter().try_for_each(|address| self.admit(*address))?;
        Ok(found)
    }
}

impl Service<Name> for Guard {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let guard = self.clone();
        Box::pin(async move {
            let found = guard.find(name.as_str()).await?;
            Ok(found.into_iter().map(|address| SocketAddr::new(address, 0)).collect::<Vec<_>>().into_iter())
        })
    }
}
