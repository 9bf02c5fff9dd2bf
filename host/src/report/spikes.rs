//! When there was more than usual: hours that stand out of what the same hour has been on the days before.
//!
//! Usual is the median of that hour on the seven days before: one bad day is not what the next one is measured by. In the first days of a
//! journal it is the median of the day before, hour by hour. An hour stands out when it has at least [`LEAST`] messages, twice the usual,
//! and three times the scatter that chance alone gives a count (its square root) above it.

use std::collections::BTreeMap;

use super::SpikeRow;
use crate::event::Timestamp;

/// How far before the stretch hours are needed, ms.
pub const LOOK_BACK_MS: u64 = 7 * 24 * HOUR_MS;
const HOUR_MS: u64 = 3_600_000;
/// Below this nothing stands out: a handful of messages is no crowd.
const LEAST: u64 = 10;
/// Fewest hours from which something is usual, of those at the same time of the day and of those of the day before.
const KNOWN: (usize, usize) = (3, 6);

/// What one hour had.
#[derive(Clone, Debug, Default)]
pub struct Hour {
    /// Messages.
    pub messages: u64,
    /// Of those, negative or very negative.
    pub negative: u64,
    /// By category.
    pub categories: BTreeMap<String, u64>,
    /// By network.
    pub networks: BTreeMap<String, u64>,
}

/// The hours from a moment on and before another that stand out.
///
/// `hours` begin [`LOOK_BACK_MS`] before the first, those without messages
/// left out; `first` is the first hour that anything was ever decided in: before it there was no host that could have seen nothing.
pub fn spikes(hours: &BTreeMap<u64, Hour>, (from, to): (Timestamp, Timestamp), first: u64) -> Vec<SpikeRow> {
    let mut found = Vec::new();
    for (at, hour) in hours.range(from.0..to.0) {
        for (of, count, part) in
            [("messages", hour.messages, (|hour| hour.messages) as fn(&Hour) -> u64), ("negative", hour.negative, |hour| hour.negative)]
        {
            let Some(usual) = usual(hours, *at, first, part).filter(|usual| stands_out(count, *usual)) else { continue };
            let category = risen(hours, *at, &hour.categories, |hour| &hour.categories);
            let network = risen(hours, *at, &hour.networks, |hour| &hour.networks);
            found.push(SpikeRow {
                at: Timestamp(*at),
                of,
                messages: count,
                usual,
                times: (usual > 0.0).then(|| (count as f64 / usual * 10.0).round() / 10.0),
                category_messages: category.as_ref().map(|(_, count)| *count),
                category: category.map(|(name, _)| name),
                network_messages: network.as_ref().map(|(_, count)| *count),
                network: network.map(|(name, _)| name),
            });
        }
    }
    found
}

fn stands_out(count: u64, usual: f64) -> bool {
    let many = count as f64;
    count >= LEAST && many >= 2.0 * usual && many >= usual + 3.0 * usual.max(1.0).sqrt()
}

/// What is usual at an hour; nothing where there is too little to say.
fn usual(hours: &BTreeMap<u64, Hour>, at: u64, first: u64, part: fn(&Hour) -> u64) -> Option<f64> {
    let of = |back: u64| {
        let hour = at.checked_sub(back * HOUR_MS).filter(|hour| *hour >= first)?;
        Some(hours.get(&hour).map_or(0, part))
    };
    let same_time: Vec<u64> = (1..=7).filter_map(|days| of(days * 24)).collect();
    if same_time.len() >= KNOWN.0 {
        return Some(median(same_time));
    }
    let day_before: Vec<u64> = (1..=24).filter_map(of).collect();
    (day_before.len() >= KNOWN.1).then(|| median(day_before))
}

fn median(mut counts: Vec<u64>) -> f64 {
    counts.sort_unstable();
    let half = counts.len() / 2;
    if counts.len() % 2 == 1 { counts[half] as f64 } else { (counts[half - 1] + counts[half]) as f64 / 2.0 }
}

/// The name that has risen most above its mean of the 24 hours before.
fn risen(
    hours: &BTreeMap<u64, Hour>,
    at: u64,
    now: &BTreeMap<String, u64>,
    part: fn(&Hour) -> &BTreeMap<String, u64>,
) -> Option<(String, u64)> {
    let before = |name: &String| {
        let day = hours.range(at.saturating_sub(24 * HOUR_MS)..at);
        day.filter_map(|(_, hour)| part(hour).get(name)).sum::<u64>() as f64 / 24.0
    };
    let rises = now.iter().map(|(name, count)| (*count as f64 - before(name), name, *count));
    rises.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, name, count)| (name.clone(), count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten days of a desk with as many messages each hour as the hour says, one in four negative.
    fn usual_days(with: impl Fn(u64, u64) -> u64) -> BTreeMap<u64, Hour> {
        let hour = |at: u64| {
            let messages = with(at / 24, at % 24);
            let categories = BTreeMap::from([("how-to".to_owned(), messages)]);
            (
                at * HOUR_MS,
                Hour { messages, negative: messages / 4, categories, networks: BTreeMap::from([("email".to_owned(), messages)]) },
            )
        };
        (0..240).map(hour).filter(|(_, hour)| hour.messages > 0).collect()
    }

    fn over(hours: &BTreeMap<u64, Hour>, days: std::ops::Range<u64>) -> Vec<SpikeRow> {
        spikes(hours, (Timestamp(days.start * 24 * HOUR_MS), Timestamp(days.end * 24 * HOUR_MS)), 0)
    }

    #[test]
    fn a_rhythm_is_no_spike_and_what_breaks_it_is_named() {
        let office = |_, hour| if (8..18).contains(&hour) { 40 } else { 2 };
        let mut hours = usual_days(office);
        assert_eq!(over(&hours, 3..10), [], "every morning has twenty times as many as its night");
        let outage = hours.get_mut(&((9 * 24 + 10) * HOUR_MS)).unwrap();
        (outage.messages, outage.negative) = (120, 90);
        outage.categories.insert("outage".to_owned(), 80);
        outage.networks.insert("mastodon".to_owned(), 70);
        let found = over(&hours, 3..10);
        let told: Vec<_> =
            found.iter().map(|row| (row.of, row.messages, row.usual, row.times, row.category.as_deref(), row.network.as_deref())).collect();
        let wanted = [
            ("messages", 120, 40.0, Some(3.0), Some("outage"), Some("mastodon")),
            ("negative", 90, 10.0, Some(9.0), Some("outage"), Some("mastodon")),
        ];
        assert_eq!(told, wanted);
        assert_eq!(found[0].at.0, (9 * 24 + 10) * HOUR_MS);
    }

    #[test]
    fn a_few_more_are_no_crowd_and_a_new_journal_says_nothing() {
        let hours = usual_days(|day, hour| if (day, hour) == (9, 3) { 9 } else { 0 });
        assert_eq!(over(&hours, 0..10), []);
        let first_hours = usual_days(|day, hour| if day == 0 && hour < 5 { 500 } else { 0 });
        assert_eq!(over(&first_hours, 0..1), [], "nobody knows what is usual");
        let second_day = usual_days(|day, hour| if (day, hour) == (1, 5) { 30 } else { u64::from(day < 2) });
        assert_eq!(over(&second_day, 0..2).len(), 1, "the day before is all there is to go by");
        let one_bad_day = usual_days(|day, _| if day == 5 { 300 } else { 20 });
        assert!(
            over(&one_bad_day, 6..10).is_empty() && over(&one_bad_day, 5..6).len() == 48,
            "one bad day is not what the next is measured by"
        );
    }
}
