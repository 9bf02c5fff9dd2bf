//! What a message is related to before any rule sees it: an earlier one with nearly the same words, and open incidents that it names.

use std::sync::PoisonError;

use super::App;
use crate::alike::{Recent, Seen, Words};
use crate::event::{AttributeValue, Event, Related, Similar, Timestamp};
use crate::store::{Store, StoreError};

/// Messages, each the first of its like, that a new one is compared with at most: some hours of a busy desk, a megabyte or two.
const MOST: usize = 2_000;
/// Rows of incidents that a message is held against at most.
const INCIDENTS: usize = 500;
/// Most incidents that one message is related to.
const NAMED: usize = 5;

/// The recent messages of the journal, as the window had them before the host stopped.
pub(super) async fn recent(store: &Store, hours: f64, now: Timestamp) -> Result<Option<Recent>, StoreError> {
    let longest_ms = (hours * 3_600_000.0) as u64;
    if longest_ms == 0 {
        return Ok(None);
    }
    let mut recent = Recent::new(MOST, longest_ms);
    for event in store.latest(MOST, Timestamp(now.0.saturating_sub(longest_ms))).await? {
        if let Some(words) = Words::of(&event.text).filter(|_| super::workflow::follows(&event).is_none()) {
            recent.meet(words, seen(&event));
        }
    }
    Ok(Some(recent))
}

impl App {
    /// Writes down, in the event, what it is related to.
    pub fn relate(&self, event: &mut Event) {
        let mut related = Related { like: None, incidents: self.incidents(event) };
        if let (Some(recent), Some(words)) = (&self.recent, Words::of(&event.text)) {
            let seen = seen(event);
            let author = seen.author.clone();
            let like = recent.lock().unwrap_or_else(PoisonError::into_inner).meet(words, seen);
            related.like = like.map(|like| Similar {
                same_author: author.is_some() && like.first.author == author && like.first.source == event.source,
                event: like.first.event,
                source: like.first.source,
                ticket: like.first.ticket,
                // A share of some hundred words: three digits are all that it has to say.
                score: (f64::from(like.score) * 1_000.0).round() / 1_000.0,
                count: i64::from(like.count),
            });
        }
        related.put(event);
    }

    /// Compares with what the journal has now: something was erased from it.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read; then nothing is compared with what was erased, nor with anything else, until the next start.
    pub async fn relearn(&self) -> Result<(), StoreError> {
        let Some(kept) = &self.recent else { return Ok(()) };
        let set = |new: Recent| *kept.lock().unwrap_or_else(PoisonError::into_inner) = new;
        set(Recent::default());
        if let Some(new) = recent(&self.store, self.workflow.similar_hours, self.clock.now()).await? {
            set(new);
        }
        Ok(())
    }

    /// Open incidents whose words the message has: the columns `words` and `service` of the table of incidents.
    fn incidents(&self, event: &Event) -> Vec<String> {
        let book = self.tables.book();
        let Some(table) = book.table(&self.workflow.incidents).filter(|table| !table.rows.is_empty()) else { return Vec::new() };
        let text = plain(&format!("{} {}", event.title.as_deref().unwrap_or_default(), event.text));
        let named = |phrase: &str| {
            let phrase = plain(phrase);
            phrase.trim().len() > 1 && text.contains(&phrase)
        };
        let rows = table.rows.iter().take(INCIDENTS).filter(|(_, row)| {
            row.columns.iter().filter(|column| matches!(column.key.as_str(), "words" | "service")).any(|column| match &column.value {
                AttributeValue::Text(text) => named(text),
                AttributeValue::Texts(texts) => texts.iter().any(|text| named(text)),
                _ => false,
            })
        });
        rows.take(NAMED).map(|(key, _)| key.clone()).collect()
    }
}

fn seen(event: &Event) -> Seen {
    let author = event.author.as_ref();
    Seen {
        source: event.source.clone(),
        event: event.id.clone(),
        ticket: event.ticket.as_ref().map(|ticket| ticket.id.clone()),
        author: author.and_then(|author| author.id.clone().or_else(|| author.handle.clone())),
        at: event.received,
    }
}

/// A text as words in lower case with one blank around each, so that a phrase is found as whole words.
fn plain(text: &str) -> String {
    let mut plain = " ".to_owned();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        plain.extend(word.chars().flat_map(char::to_lowercase).chain([' ']));
    }
    plain
}
