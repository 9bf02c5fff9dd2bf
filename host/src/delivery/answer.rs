//! What an answer means: for the call that got it, and for all others that wait for the same desk. Pure.

use std::time::Duration;

use crate::egress::{Answer, Failure};
use crate::event::Timestamp;

/// Longest wait that a desk may ask for: one that says more is heard, not obeyed to the end.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// What becomes of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The desk has it.
    Delivered,
    /// Sent again; counted against the retries when it may be the call's own fault.
    Again { counted: bool },
    /// Set aside until somebody looks at it: the desk does not take it as it is.
    Parked,
    /// Given up: what it is about is not there.
    Dead,
}

/// What it says about the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Desk {
    /// It works.
    Well,
    /// It does not, or not well: one call at a time, at growing intervals.
    Down,
    /// It does not let us in: rarely, until somebody mends that.
    Closed,
    /// Nothing: the call did not get that far.
    Unknown,
}

/// Both, and for how long the desk wants to be left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) fate: Fate,
    pub(super) desk: Desk,
    pub(super) wait: Option<Duration>,
}

/// Reads what came of an attempt.
pub(super) fn meaning(result: &Result<Answer, Failure>, now: Timestamp) -> Meaning {
    let (fate, desk) = match result {
        Ok(answer) => status(answer.status),
        Err(Failure::Unfit(_)) => (Fate::Parked, Desk::Unknown),
        Err(Failure::Unreachable(_)) => (Fate::Again { counted: false }, Desk::Down),
        Err(Failure::Login(_)) => (Fate::Again { counted: false }, Desk::Closed),
        Err(Failure::Broken(_)) => (Fate::Again { counted: true }, Desk::Down),
    };
    let wait = result.as_ref().ok().and_then(|answer| retry_after(answer.retry_after.as_deref()?, now));
    Meaning { fate, desk, wait: wait.filter(|_| desk == Desk::Down) }
}

fn status(status: u16) -> (Fate, Desk) {
    match status {
        200..=299 => (Fate::Delivered, Desk::Well),
        // The credentials are wrong, whatever the call: it is not the call's fault, so that none is lost.
        401 => (Fate::Again { counted: false }, Desk::Closed),
        // May be about the credentials or about this one ticket; a redirect may be a login page or a moved ticket. Others may
        // fare better, so the next call tries.
        300..=399 | 403 | 407 => (Fate::Again { counted: true }, Desk::Down),
        404 | 410 => (Fate::Dead, Desk::Well),
        // Somebody else was faster: what was sent before is read back, then it is sent again.
        409 | 412 | 423 => (Fate::Again { counted: true }, Desk::Well),
        429 => (Fate::Again { counted: false }, Desk::Down),
        408 | 425 | 500..=599 => (Fate::Again { counted: true }, Desk::Down),
        400..=499 => (Fate::Parked, Desk::Well),
        _ => (Fate::Again { counted: true }, Desk::Down),
    }
}

/// `Retry-After`: seconds, or a date.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let wait = match text.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = httpdate::parse_http_date(text.trim()).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
            until.saturating_sub(Duration::from_millis(now.0))
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<&str>) -> Result<Answer, Failure> {
        Ok(Answer { status, retry_after: retry_after.map(str::to_owned), body: String::new(), whole: true })
    }

    #[test]
    fn every_status_has_a_meaning() {
        use Desk::{Closed, Down, Well};
        let again = |counted| Fate::Again { counted };
        for (code, fate, desk) in [
            (200, Fate::Delivered, Well),
            (204, Fate::Delivered, Well),
            (302, again(true), Down),
            (400, Fate::Parked, Well),
            (401, again(false), Closed),
            (403, again(true), Down),
            (404, Fate::Dead, Well),
            (409, again(true), Well),
            (412, again(true), Well),
            (413, Fate::Parked, Well),
            (422, Fate::Parked, Well),
            (429, again(false), Down),
            (500, again(true), Down),
            (503, again(true), Down),
        ] {
            let meaning = meaning(&answer(code, None), Timestamp(0));
            assert_eq!((meaning.fate, meaning.desk, meaning.wait), (fate, desk, None), "{code}");
        }
    }

    #[test]
    fn what_was_never_sent_does_not_count_and_what_may_have_arrived_does() {
        let fate = |failure| meaning(&Err(failure), Timestamp(0)).fate;
        assert_eq!(fate(Failure::Unreachable(String::new())), Fate::Again { counted: false });
        assert_eq!(fate(Failure::Login(String::new())), Fate::Again { counted: false });
        assert_eq!(fate(Failure::Broken(String::new())), Fate::Again { counted: true });
        assert_eq!(fate(Failure::Unfit(String::new())), Fate::Parked);
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_capped() {
        let now = Timestamp(1_445_412_480_000); // Wed, 21 Oct 2015 07:28:00 GMT
        let wait = |text| meaning(&answer(429, Some(text)), now).wait;
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("99999999999"), Some(LONGEST_WAIT));
        for wrong in ["", "soon", "-3", "1.5", "99999999999999999999999"] {
            assert_eq!(wait(wrong), None, "{wrong}");
        }
        assert_eq!(meaning(&answer(200, Some("7")), now).wait, None);
    }
}
