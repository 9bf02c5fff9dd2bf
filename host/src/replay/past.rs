//! What a replay tells its steps: what the recorded run was told, else what the tables said at that moment, else that nobody knows.
//!
//! What steps remember runs on a scratch copy. It is put as the record says it was, key by key and event by event, until the replayed
//! steps have left something else behind than the recorded ones: from then on such a key is as they left it.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ask::{Answer, Answers, Asked, Asker, Message, Question};
use crate::chain::{Chain, Ran};
use crate::decision::Decision;
use crate::event::{Event, Timestamp};
use crate::plugin::Backing;
use crate::state::{Effect, Shelves};

/// Where a replay looks things up that are not in the record.
pub trait Archive: Answers {
    /// A message of the journal, unless it was forgotten.
    fn message(&self, seq: i64) -> Option<Event>;
}

/// One side of a comparison, over all its events.
pub(super) struct Side {
    archive: Arc<dyn Archive>,
    shelves: Arc<Shelves>,
    /// Keys that are no more as they were recorded, by chain and step.
    own: HashSet<(String, String)>,
}

/// One event's answers.
struct Past {
    record: Arc<[Asked]>,
    archive: Arc<dyn Archive>,
    missing: Mutex<Option<String>>,
}

impl Answers for Past {
    fn answer(&self, asker: &Asker<'_>, question: &Question) -> Answer {
        let told = self.record.iter().filter(|asked| asked.step == asker.step).find_map(|asked| asked.told(question));
        let answer = match told {
            Some(Answer::Thread(messages)) => self.messages(messages),
            Some(told) => return told.clone(),
            None => self.archive.answer(asker, question),
        };
        if let Answer::Unavailable(why) = &answer {
            let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
            missing.get_or_insert_with(|| format!("step `{}` asked for {question}, which is not in the record: {why}", asker.step));
        }
        answer
    }
}

impl Past {
    fn messages(&self, messages: &[Message]) -> Answer {
        let found = messages.iter().map(|message| {
            let event = self.archive.message(message.seq)?;
            Some(Message { seq: message.seq, event: Some(Arc::new(event)) })
        });
        found.collect::<Option<_>>().map_or_else(|| Answer::Unavailable("a message of it was erased".to_owned()), Answer::Thread)
    }
}

impl Side {
    pub(super) fn new(archive: Arc<dyn Archive>) -> Self {
        Self { archive, shelves: Arc::default(), own: HashSet::new() }
    }

    /// Replays one event; also says what nobody could answer.
    pub(super) fn run(&mut self, chain: &Chain, event: &Arc<Event>, now: Timestamp, record: &Arc<[Asked]>) -> (Decision, Option<String>) {
        let place = |step: &str| format!("{}/{step}", chain.name);
        for asked in &**record {
            let (place, shelf) = (place(&asked.step), self.shelves.shelf(&place(&asked.step)));
            let recorded = asked.read.iter().filter(|(key, _)| !self.own.contains(&(place.clone(), (*key).clone())));
            recorded.for_each(|(key, cell)| shelf.seed(key, cell.clone()));
        }
        let past = Arc::new(Past { record: Arc::clone(record), archive: Arc::clone(&self.archive), missing: Mutex::default() });
        let backing = Backing { answers: past.clone(), shelves: Arc::clone(&self.shelves) };
        let Ran { decision, asked, written } = chain.replay(event, now, &backing);
        written.keep();
        for step in asked.iter().chain(&**record).map(|asked| &asked.step) {
            let (was, is) = (wrote(record, step), wrote(&asked, step));
            let keys = was.keys().chain(is.keys()).filter(|key| was.get(*key) != is.get(*key));
            self.own.extend(keys.map(|key| (place(step), key.clone())));
        }
        let missing = past.missing.lock().unwrap_or_else(PoisonError::into_inner).take();
        (decision, missing)
    }
}

fn wrote(asked: &[Asked], step: &str) -> BTreeMap<String, Effect> {
    asked.iter().find(|asked| asked.step == step).map(|asked| asked.wrote.clone()).unwrap_or_default()
}
