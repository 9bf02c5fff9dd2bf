//! `signalbox erase`: what a person has the right to have forgotten, on a running host.

use super::client::{Client, Reach, Reason, part};
use super::{Done, out};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// An event, with its decision and all that was made of it
    Event {
        /// The source that it came through
        source: String,
        /// Its id
        event_id: String,
        #[command(flatten)]
        reason: Reason,
        #[command(flatten)]
        reach: Reach,
    },
    /// Every event of an author, by id or handle
    Author {
        /// The author's id or handle, as the events have it
        author: String,
        #[command(flatten)]
        reason: Reason,
        #[command(flatten)]
        reach: Reach,
    },
}

pub(super) fn erase(command: &Command) -> anyhow::Result<Done> {
    let (path, reason, reach) = match command {
        Command::Event { source, event_id, reason, reach } => (format!("/v1/events/{}/{}", part(source), part(event_id)), reason, reach),
        Command::Author { author, reason, reach } => (format!("/v1/authors/{}", part(author)), reason, reach),
    };
    let erased = Client::changing(reach, reason)?.delete(&path)?;
    out(&match erased["events"].as_u64().unwrap_or(0) {
        1 => "1 event is erased, with all that was made of it\n".to_owned(),
        events => format!("{events} events are erased, with all that was made of them\n"),
    });
    Ok(Done::Well)
}
