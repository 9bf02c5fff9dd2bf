//! Whose turn it is: messages of one thread and one author are decided in the order they came, one after the other.
//!
//! Held by the webhook from the claim of an event until its decision is durable, so that the run of a later message finds the earlier one
//! decided. Other threads do not wait. Who holds a claim waits for a turn, never the other way round: nobody waits in a circle.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Waker};

use tokio::sync::{Mutex as Line, OwnedMutexGuard};

use crate::event::Event;

/// Source, conversation, author.
type Key = (String, String, String);
type Lines = Arc<Mutex<HashMap<Key, Weak<Line<()>>>>>;

/// The lines of everybody who waits or runs.
#[derive(Clone, Default)]
pub struct Turns(Lines);

/// A place in a line; the next one's turn comes when this is dropped.
pub struct Turn(Option<Place>);

struct Place {
    lines: Lines,
    key: Key,
    line: Arc<Line<()>>,
    standing: Option<Pin<Box<dyn Future<Output = OwnedMutexGuard<()>> + Send>>>,
    served: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Stands in line for a message, here and now: who comes later is served later. A message of no conversation has no line.
    pub fn queue(&self, event: &Event) -> Turn {
        let conversation = match (&event.thread_id, &event.ticket) {
            (Some(thread), _) => thread.clone(),
            (None, Some(ticket)) => ticket.id.clone(),
            (None, None) => return Turn(None),
        };
        let author = event.author.as_ref().and_then(|author| author.id.clone().or_else(|| author.handle.clone())).unwrap_or_default();
        let key = (event.source.clone(), conversation, author);
        let mut lines = locked(&self.0);
        let line = lines.get(&key).and_then(Weak::upgrade).unwrap_or_else(|| Arc::new(Line::new(())));
        lines.insert(key.clone(), Arc::downgrade(&line));
        let mut standing: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(line.clone().lock_owned());
        // The first look takes the place in the line; whoever waits is woken by a later look.
        let served = match standing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            std::task::Poll::Ready(guard) => Some(guard),
            std::task::Poll::Pending => None,
        };
        let standing = served.is_none().then_some(standing);
        drop(lines);
        Turn(Some(Place { lines: self.0.clone(), key, line, standing, served }))
    }

    /// Lines that somebody stands in.
    #[cfg(test)]
    fn len(&self) -> usize {
        locked(&self.0).len()
    }
}

impl Turn {
    /// Returns when it is this message's turn; asked again, it goes on waiting at the same place.
    pub async fn wait(&mut self) {
        let Some(place) = &mut self.0 else { return };
        if let Some(standing) = &mut place.standing {
            place.served = Some(standing.as_mut().await);
            place.standing = None;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        (self.standing, self.served) = (None, None);
        let mut lines = locked(&self.lines);
        // Mine is the last: nobody can come to stand behind it while the map is held.
        if Arc::strong_count(&self.line) == 1 {
            lines.remove(&self.key);
        }
    }
}

fn locked(lines: &Lines) -> MutexGuard<'_, HashMap<Key, Weak<Line<()>>>> {
    // No code that could panic runs under the lock, so a poisoned map is still a whole one.
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(thread: &str, author: &str) -> Event {
        let json = format!(r#"{{"id":"m","text":"hello","thread_id":"{thread}","author":{{"id":"{author}"}}}}"#);
        Event::from_json(json.as_bytes()).unwrap().event
    }

    #[tokio::test]
    async fn one_line_is_served_in_order_and_others_do_not_wait() {
        let turns = Turns::default();
        let mut first = turns.queue(&message("t", "a"));
        let mut second = turns.queue(&message("t", "a"));
        let mut third = turns.queue(&message("t", "a"));
        first.wait().await;
        turns.queue(&message("t", "b")).wait().await;
        turns.queue(&message("u", "a")).wait().await;
        turns.queue(&Event::from_json(br#"{"id":"m","text":"hello"}"#).unwrap().event).wait().await;
        let soon = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(soon, second.wait()).await.is_err());
        // Whoever leaves the line lets nobody past those before them.
        drop(second);
        assert!(tokio::time::timeout(soon, third.wait()).await.is_err());
        drop(first);
        third.wait().await;
        assert_eq!(turns.len(), 1);
        drop(third);
        assert_eq!(turns.len(), 0, "nothing is left behind");
    }
}
