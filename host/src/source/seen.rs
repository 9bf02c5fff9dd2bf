//! What an observed call shows of its ticket: category, priority and queue, in the desk's words and in those of decisions.
//!
//! Called by `source` for observations. Pure. Priority and queue are read where `[event]` has them, the category where `[inbound]` says. The
//! way back is read backwards: what `[maps.priority]` and a source's `queues` write for a word of a decision is what the desk means by it.

use std::collections::BTreeMap;

use super::Source;
use super::field::Maps;
use super::outbound::Outbound;
use super::reading::{Call, scalar_text};
use crate::agreement::{Said, Seen, category};
use crate::event::Event;

/// The words of a decision's priority.
const LEVELS: [&str; 4] = ["low", "normal", "high", "critical"];
/// The table that writes them for a desk.
const PRIORITY: &str = "priority";

/// A desk's own words of priority, and what they stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Priorities(BTreeMap<String, Vec<String>>);

impl Priorities {
    /// Reads `[maps.priority]` backwards, where there is one for levels.
    pub(super) fn of(maps: &Maps) -> Self {
        let mut words: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (level, word) in maps.get(PRIORITY).into_iter().flatten().filter(|(level, _)| LEVELS.contains(&level.as_str())) {
            words.entry(word.to_lowercase()).or_default().push(level.clone());
        }
        Self(words)
    }

    fn said(&self, desk: String) -> Said {
        let word = desk.to_lowercase();
        let means = self
            .0
            .get(&word)
            .cloned()
            .unwrap_or_else(|| LEVELS.iter().filter(|level| **level == word).map(|&level| level.to_owned()).collect());
        Said { desk, means }
    }
}

/// What a queue of the desk is called by rules: by its own name where nobody says otherwise.
fn queue(outbound: Option<&Outbound>, desk: String) -> Said {
    let means = outbound.map(|outbound| outbound.queues_of(&desk)).filter(|names| !names.is_empty());
    Said { means: means.unwrap_or_else(|| vec![desk.clone()]), desk }
}

impl Source {
    /// What a desk's own body shows.
    pub(super) fn seen_in(&self, call: Call<'_>) -> Seen {
        let adapter = &self.adapter;
        let field = adapter.category.as_ref().and_then(|field| field.read(call, &mut Vec::new()));
        let text = |target| adapter.mapping.text(target, call);
        Seen {
            category: field.as_ref().and_then(scalar_text).filter(|text| !text.is_empty()).map(Said::plainly),
            priority: text("ticket.priority").map(|desk| adapter.priorities.said(desk)),
            queue: text("ticket.queue").map(|desk| queue(self.outbound.as_ref(), desk)),
        }
    }

    /// What a canonical event shows.
    pub(super) fn seen_of(&self, event: &Event) -> Seen {
        let ticket = event.ticket.as_ref();
        Seen {
            category: category(event).filter(|text| !text.is_empty()).map(Said::plainly),
            priority: ticket.and_then(|ticket| ticket.priority.clone()).map(|desk| self.adapter.priorities.said(desk)),
            queue: ticket.and_then(|ticket| ticket.queue.clone()).map(|desk| queue(self.outbound.as_ref(), desk)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_for_a_level_is_what_the_desk_means_by_it() {
        let levels = [("low", "1 low"), ("normal", "2 normal"), ("high", "3 high"), ("critical", "3 high")];
        let table = levels.map(|(level, word)| (level.to_owned(), word.to_owned())).into();
        let priorities = Priorities::of(&Maps::from([(PRIORITY.to_owned(), table)]));
        let means = |word: &str| priorities.said(word.to_owned()).means;
        assert_eq!(means("3 High"), ["critical", "high"]);
        assert_eq!((means("Normal"), means("urgent")), (vec!["normal".to_owned()], Vec::new()));
    }
}
