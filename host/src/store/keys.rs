//! Claim keys: by what an event is known again. Three ways, each of which is enough alone.
//!
//! Made by the webhook from what it has verified and mapped, used by `claim.rs` and `journal.rs`. Pure. It must never let two
//! different messages share a key: an honest message that is taken for a repeat is lost.

use sha2::{Digest as _, Sha256};

use crate::event::Event;

/// The first half of a SHA-256: 2^64 work for two messages that share one, in a third of the index that text would need.
pub(super) type Key = [u8; 16];

/// The claim keys of one event.
///
/// - *delivery*: the source and the delivery's own id: a network retry of the same call;
/// - *event*: the source, the event's id, revision and action: the same message in another call. The action is in it because a
///   desk that says `deleted` of a message that it has sent before does not repeat itself;
/// - *content*: who said what, where and when, for sources that give a repeat a new id. Only when the author's id or handle
///   and the time of writing are known: without them two honest "ok" of one person, or of two people, would be one, and the
///   second would be lost. The revision, the action and the rating are in it, so that an edit that only moves the stars is a
///   new event. What remains: two messages of one author, in one thread, with the same words in the same instant are one; on
///   a network that rounds to seconds the instant is a second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys(pub(super) Vec<Key>);

impl Keys {
    /// The keys of `event` as it came through `source` in the delivery `delivery_id`.
    pub fn of(source: &str, delivery_id: Option<&str>, event: &Event) -> Self {
        let delivery = delivery_id.filter(|id| !id.is_empty()).map(|id| Print::of("delivery", source).text(id).key());
        let identity = Print::of("event", source).text(&event.id).number(Some(event.revision.into())).text(&event.action).key();
        Self(delivery.into_iter().chain([identity]).chain(content(source, event)).collect())
    }
}

/// By what a delivery that holds no event is known again: its own id, or else its bytes.
pub fn delivery_key(source: &str, delivery_id: Option<&str>, body: &[u8]) -> [u8; 32] {
    let print = Print::of("observation", source);
    let print = match delivery_id.filter(|id| !id.is_empty()) {
        Some(id) => print.text("id").text(id),
        None => print.text("body").text(&hex::encode(Sha256::digest(body))),
    };
    print.0.finalize().into()
}

/// By what the event of a clock that came due is known again: the clock and the trigger.
pub(super) fn sla_key(clock: &str, trigger: &str) -> Key {
    Print::of("sla", clock).text(trigger).key()
}

/// By what the observation of an approved reply is known again.
pub(super) fn approval_key(approval: &str) -> [u8; 32] {
    Print::of("approval", approval).0.finalize().into()
}

fn content(source: &str, event: &Event) -> Option<Key> {
    let author = event.author.as_ref().filter(|author| author.id.is_some() || author.handle.is_some())?;
    let occurred = event.occurred?;
    let mut print = Print::of("content", source)
        .text(&event.network)
        .maybe(author.id.as_deref())
        .maybe(author.handle.as_deref())
        .maybe(author.name.as_deref())
        .maybe(event.thread_id.as_deref())
        .text(&event.text)
        .maybe(event.title.as_deref())
        .number(Some(occurred.0))
        .number(event.rating.map(f64::to_bits))
        .number(Some(event.revision.into()))
        .text(&event.action)
        .number(Some(event.attachments.len() as u64));
    for file in &event.attachments {
        print = print.maybe(file.media_type.as_deref()).maybe(file.url.as_deref()).number(file.bytes).maybe(file.alt_text.as_deref());
    }
    Some(print.key())
}

/// A hash in the making. Every part goes in with its presence and its length, so that no two lists of parts read the same.
struct Print(Sha256);

impl Print {
    /// Starts a key of one kind and one source. The kind and the version of this recipe keep the three kinds apart.
    fn of(kind: &str, source: &str) -> Self {
        Self(Sha256::new()).text("signalbox claim 1").text(kind).text(source)
    }

    fn text(self, text: &str) -> Self {
        self.maybe(Some(text))
    }

    fn maybe(mut self, text: Option<&str>) -> Self {
        match text {
            None => self.0.update([0]),
            Some(text) => {
                self.0.update([1]);
                self.0.update((text.len() as u64).to_le_bytes());
                self.0.update(text);
            }
        }
        self
    }

    fn number(mut self, number: Option<u64>) -> Self {
        match number {
            None => self.0.update([0]),
            Some(number) => {
                self.0.update([1]);
                self.0.update(number.to_le_bytes());
            }
        }
        self
    }

    fn key(self) -> Key {
        let mut key = Key::default();
        let digest = self.0.finalize();
        key.copy_from_slice(&digest[..16]);
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(extra: &str) -> Event {
        let json = format!(r#"{{"id":"m1","text":"ok","network":"x","author":{{"id":"7"}},"occurred":"2026-11-01T09:00:00Z"{extra}}}"#);
        Event::from_json(json.as_bytes()).unwrap().event
    }

    /// How many keys two events share.
    fn shared(one: &Keys, other: &Keys) -> usize {
        one.0.iter().filter(|key| other.0.contains(key)).count()
    }

    #[test]
    fn the_same_delivery_of_the_same_event_has_the_same_three_keys() {
        let keys = Keys::of("desk", Some("d1"), &event(""));
        assert_eq!(keys.0.len(), 3);
        assert_eq!(keys, Keys::of("desk", Some("d1"), &event("")));
        assert_eq!(shared(&keys, &Keys::of("other", Some("d1"), &event(""))), 0);
    }

    #[test]
    fn neighbouring_parts_cannot_trade_letters() {
        let moved = |source: &str, id: &str| Keys::of(source, Some(id), &event(""));
        assert_eq!(shared(&moved("ab", "c"), &moved("a", "bc")), 0);
        let (mut left, mut right) = (event(""), event(""));
        (left.text, left.title) = ("ab".into(), Some("c".into()));
        (right.text, right.title) = ("a".into(), Some("bc".into()));
        assert_ne!(content("desk", &left), content("desk", &right));
        right.clone_from(&left);
        (left.thread_id, right.thread_id) = (None, Some(String::new()));
        assert_ne!(content("desk", &left), content("desk", &right));
    }

    #[test]
    fn an_edit_a_deletion_and_another_author_are_new() {
        let first = Keys::of("desk", None, &event(""));
        for extra in [r#","revision":1"#, r#","action":"deleted""#] {
            assert_eq!(shared(&first, &Keys::of("desk", None, &event(extra))), 0, "{extra}");
        }
        let mut other = event("");
        (other.id, other.author.as_mut().unwrap().id) = ("m2".into(), Some("8".into()));
        assert_eq!(shared(&first, &Keys::of("desk", None, &other)), 0);
    }

    #[test]
    fn content_alone_is_enough_only_with_an_author_and_a_time() {
        let again = |change: fn(&mut Event)| {
            let (mut first, mut second) = (event(""), event(""));
            second.id = "m2".into();
            change(&mut first);
            change(&mut second);
            shared(&Keys::of("desk", Some("d1"), &first), &Keys::of("desk", Some("d2"), &second))
        };
        assert_eq!(again(|_| ()), 1);
        assert_eq!(again(|event| event.occurred = None), 0);
        assert_eq!(again(|event| event.author = None), 0);
        assert_eq!(again(|event| event.author.as_mut().unwrap().id = None), 0);
    }

    #[test]
    fn an_empty_delivery_id_is_none() {
        assert_eq!(Keys::of("desk", Some(""), &event("")), Keys::of("desk", None, &event("")));
    }
}
