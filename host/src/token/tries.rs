//! Slows whoever fails again and again: each has some failures free, then one a second; others notice nothing.
//!
//! For guessed tokens "who" is an address, for refused changes a token. Memory is bounded: when the map is full, those whose
//! failures are forgiven are forgotten, then whoever has failed least.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use crate::event::Timestamp;

/// Failures at once: a script with an old token is told so a few times before it has to wait.
const FREE: u64 = 20;
/// One failure is forgiven in this time. Against 256 random bits any rate is slow; this keeps the log and the processor quiet.
const EACH_MS: u64 = 1_000;
/// How many are remembered at once, some 100 bytes each.
const MOST: usize = 4_096;

/// The failures of late: of each, the moment at which all of them are forgiven.
#[derive(Debug)]
pub struct Tries<K>(Mutex<HashMap<K, u64>>);

impl<K> Default for Tries<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash> Tries<K> {
    /// Seconds that this one has to wait before it is listened to, if it does.
    pub fn wait(&self, who: &K, now: Timestamp) -> Option<u64> {
        let forgiven = *self.0.lock().unwrap_or_else(PoisonError::into_inner).get(who)?;
        let over = forgiven.saturating_sub(now.0).saturating_sub((FREE - 1) * EACH_MS);
        (over > 0).then(|| over.div_ceil(1_000))
    }

    /// Notes a failure.
    pub fn failed(&self, who: K, now: Timestamp) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MOST && !failures.contains_key(&who) {
            failures.retain(|_, forgiven| *forgiven > now.0);
            if failures.len() >= MOST
                && let Some(least) = failures.iter().min_by_key(|(_, forgiven)| **forgiven).map(|(who, _)| who.clone())
            {
                failures.remove(&least);
            }
        }
        let forgiven = failures.entry(who).or_insert(0);
        *forgiven = (*forgiven).max(now.0) + EACH_MS;
    }
}

/// An address as far as it tells people apart: whoever has one of IPv6 has 2^64 of them.
pub fn network(peer: IpAddr) -> IpAddr {
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
        network(text.parse().unwrap())
    }

    fn spent(tries: &Tries<IpAddr>, peer: &str) {
        (0..FREE).for_each(|_| tries.failed(address(peer), NOW));
    }

    #[test]
    fn whoever_fails_too_often_waits_and_is_forgiven() {
        let (tries, peer) = (Tries::default(), address("203.0.113.9"));
        for _ in 0..FREE {
            assert_eq!(tries.wait(&peer, NOW), None);
            tries.failed(peer, NOW);
        }
        assert_eq!(tries.wait(&peer, NOW), Some(1));
        assert_eq!(tries.wait(&peer, Timestamp(NOW.0 + EACH_MS)), None);
        tries.failed(peer, Timestamp(NOW.0 + EACH_MS));
        assert_eq!(tries.wait(&peer, Timestamp(NOW.0 + EACH_MS)), Some(1), "one try a second from there on");
    }

    #[test]
    fn another_address_does_not_wait() {
        let tries = Tries::default();
        spent(&tries, "203.0.113.9");
        spent(&tries, "2001:db8::1");
        assert_eq!(tries.wait(&address("203.0.113.10"), NOW), None);
        assert_eq!(tries.wait(&address("2001:db8:0:1::1"), NOW), None);
        for same in ["::ffff:203.0.113.9", "2001:db8::2"] {
            assert!(tries.wait(&address(same), NOW).is_some(), "{same}");
        }
    }

    #[test]
    fn many_addresses_take_no_more_room() {
        let tries = Tries::default();
        spent(&tries, "203.0.113.9");
        (0..3 * MOST as u32).for_each(|n| tries.failed(IpAddr::V4(n.into()), NOW));
        assert_eq!(tries.0.lock().unwrap().len(), MOST);
        assert!(tries.wait(&address("203.0.113.9"), NOW).is_some(), "who failed most is forgotten last");
    }
}
