//! Slows whoever guesses tokens: each address has some failures free, then one a second; another address notices nothing.
//!
//! Addresses behind one proxy are told apart by what that proxy says of them, if the config says there is one. Memory is
//! bounded: whoever has failed is forgotten when it is its turn again, and the longest quiet one when the map is full.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use crate::event::Timestamp;

/// Failures at once: a script with an old token is told so a few times before it has to wait.
const FREE: u64 = 20;
/// One failure is forgiven in this time. Against 256 random bits any rate is slow; this keeps the log and the processor quiet.
const EACH_MS: u64 = 1_000;
/// Addresses remembered at once, some 100 bytes each.
const ADDRESSES: usize = 4_096;

/// The failures of late, by address: the moment at which all of them are forgiven.
#[derive(Debug, Default)]
pub struct Tries(Mutex<HashMap<IpAddr, u64>>);

impl Tries {
    /// Seconds that this address has to wait before it is listened to, if it does.
    pub fn wait(&self, peer: IpAddr, now: Timestamp) -> Option<u64> {
        let forgiven = *self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&network(peer))?;
        let over = forgiven.saturating_sub(now.0).saturating_sub((FREE - 1) * EACH_MS);
        (over > 0).then(|| over.div_ceil(1_000))
    }

    /// Notes a failure.
    pub fn failed(&self, peer: IpAddr, now: Timestamp) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = network(peer);
        if failures.len() >= ADDRESSES && !failures.contains_key(&peer) {
            failures.retain(|_, forgiven| *forgiven > now.0);
            if failures.len() >= ADDRESSES
                && let Some(quietest) = failures.iter().min_by_key(|(_, forgiven)| **forgiven).map(|(peer, _)| *peer)
            {
                failures.remove(&quietest);
            }
        }
        let forgiven = failures.entry(peer).or_insert(0);
        *forgiven = (*forgiven).max(now.0) + EACH_MS;
    }
}

/// Whoever has one address of IPv6 has 2^64 of them.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn spent(tries: &Tries, peer: &str) {
        (0..FREE).for_each(|_| tries.failed(address(peer), NOW));
    }

    #[test]
    fn whoever_fails_too_often_waits_and_is_forgiven() {
        let (tries, peer) = (Tries::default(), address("203.0.113.9"));
        for _ in 0..FREE {
            assert_eq!(tries.wait(peer, NOW), None);
            tries.failed(peer, NOW);
        }
        assert_eq!(tries.wait(peer, NOW), Some(1));
        assert_eq!(tries.wait(peer, Timestamp(NOW.0 + EACH_MS)), None);
        tries.failed(peer, Timestamp(NOW.0 + EACH_MS));
        assert_eq!(tries.wait(peer, Timestamp(NOW.0 + EACH_MS)), Some(1), "one try a second from there on");
    }

    #[test]
    fn another_address_does_not_wait() {
        let tries = Tries::default();
        spent(&tries, "203.0.113.9");
        spent(&tries, "2001:db8::1");
        assert_eq!(tries.wait(address("203.0.113.10"), NOW), None);
        assert_eq!(tries.wait(address("2001:db8:0:1::1"), NOW), None);
        for same in ["::ffff:203.0.113.9", "2001:db8::2"] {
            assert!(tries.wait(address(same), NOW).is_some(), "{same}");
        }
    }

    #[test]
    fn many_addresses_take_no_more_room() {
        let tries = Tries::default();
        spent(&tries, "203.0.113.9");
        (0..3 * ADDRESSES as u32).for_each(|n| tries.failed(IpAddr::V4(n.into()), NOW));
        assert_eq!(tries.0.lock().unwrap().len(), ADDRESSES);
        assert!(tries.wait(address("203.0.113.9"), NOW).is_some(), "who failed most is forgotten last");
    }
}
