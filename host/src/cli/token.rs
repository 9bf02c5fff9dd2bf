//! `signalbox token`: makes, lists and revokes the tokens of a running host.

use serde_json::{Value, json};

use super::client::{Client, Reach, Reason, part};
use super::listing::Read;
use super::{Done, complain, out};
use crate::app::Clock;
use crate::event::Timestamp;
use crate::token::Role;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a token, and print it: it is not shown again
    Create {
        /// Whose it is, or what for
        name: String,
        /// What it may do: viewer, operator, developer or admin; each may do what the ones before it may
        #[arg(long)]
        role: Role,
        /// How long it is taken, such as 12h or 90d [default: until it is revoked]
        #[arg(long, value_name = "TIME", value_parser = seconds)]
        expires_in: Option<u64>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reason: Reason,
        #[command(flatten)]
        reach: Reach,
    },
    /// List the tokens, the newest first
    List(Read),
    /// Revoke a token, for good
    Revoke {
        /// Its id, as `token list` shows it
        id: String,
        #[command(flatten)]
        reason: Reason,
        #[command(flatten)]
        reach: Reach,
    },
}

pub(super) fn token(command: &Command) -> anyhow::Result<Done> {
    match command {
        Command::Create { name, role, expires_in, json, reason, reach } => {
            let wanted = json!({ "name": name, "role": role, "expires_in_s": expires_in });
            let made = Client::changing(reach, reason)?.post("/v1/tokens", &wanted)?;
            if *json {
                out(&format!("{made:#}\n"));
            } else {
                let until = made["expires"].as_str().map_or("until it is revoked".to_owned(), |end| format!("until {end}"));
                complain(&format!("made the {role} token {} for {name}, {until}; it is shown this once", text(&made, "id")));
                out(&format!("{}\n", text(&made, "token")));
            }
        }
        Command::List(read) => {
            let tokens = read.client()?.list("/v1/tokens", &[], usize::MAX)?;
            let now = Clock::System.now();
            let row = |token: &Value| {
                let [id, name, role] = ["id", "name", "role"].map(|key| text(token, key));
                let [made, expires, used] = ["made", "expires", "last_used"].map(|key| day(token, key));
                [id, name, role, made, expires, used, state(token, now).to_owned()]
            };
            return Ok(read.list(tokens, ["id", "name", "role", "made", "expires", "last used", "state"], row));
        }
        Command::Revoke { id, reason, reach } => {
            Client::changing(reach, reason)?.delete(&format!("/v1/tokens/{}", part(id)))?;
            out(&format!("{id} is revoked\n"));
        }
    }
    Ok(Done::Well)
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// A time to the minute; a dash where there is none.
fn day(value: &Value, key: &str) -> String {
    value[key].as_str().map_or("-".to_owned(), |time| time.chars().take(16).collect::<String>().replace('T', " "))
}

fn state(token: &Value, now: Timestamp) -> &'static str {
    let expired = token["expires"].as_str().and_then(|end| Timestamp::parse(end).ok()).is_some_and(|end| end <= now);
    match token["revoked"].is_string() {
        true => "revoked",
        false if expired => "expired",
        false => "live",
    }
}

/// `90d`, `12h`, `30m` or `45s` in seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || "write a number and a unit: 90d, 12h, 30m or 45s".to_owned();
    let (at, unit) = text.char_indices().next_back().ok_or_else(wrong)?;
    let each = match unit {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        's' => 1,
        _ => return Err(wrong()),
    };
    text[..at].parse::<u64>().ok().and_then(|number| number.checked_mul(each)).filter(|seconds| *seconds > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_number_and_a_unit() {
        assert_eq!(["90d", "12h", "30m", "45s"].map(seconds), [Ok(7_776_000), Ok(43_200), Ok(1_800), Ok(45)]);
        for wrong in ["", "d", "90", "0d", "-1d", "1.5h", "99999999999999999999d", "9é"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
