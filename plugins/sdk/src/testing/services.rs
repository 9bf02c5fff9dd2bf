//! The host's answers in a native run: what an example's `services` say, in the shape that the upload gate takes.
//!
//! `{"settled", "clock", "state": {KEY: text or count}, "lookup": {"tables": {TABLE: {KEY: {COLUMN: value}}}, "thread": [event],
//! "history": [{"step", "proposal"}], "calendars": {NAME: {"open", "due"}}}}`; every key may be left out. A table that the example
//! does not bring is not there, as on a host without it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::lookup::{LookupError, Prior};
use crate::{Attribute, AttributeValue, Effect, Event, Proposal};

/// The moment of a run that says none: 2026-01-01, as at the gate.
const MOMENT: u64 = 1_767_225_600_000;

/// What a native run is told.
#[derive(Clone, Debug, Default)]
pub struct Services {
    /// The moment of the run, milliseconds since 1970.
    pub now: u64,
    /// What the step remembers.
    pub state: BTreeMap<String, Vec<u8>>,
    /// Rows by key, by table.
    pub tables: BTreeMap<String, BTreeMap<String, Vec<Attribute>>>,
    /// Earlier messages, the latest first.
    pub thread: Vec<Event>,
    /// What the steps before have proposed: tags and categories of the example; its other effects stay out.
    pub history: Vec<Prior>,
    /// Open or not, and when time is up, by name.
    pub calendars: BTreeMap<String, (Option<bool>, Option<u64>)>,
}

thread_local! {
    static SERVICES: RefCell<Services> = RefCell::new(Services { now: MOMENT, ..Services::default() });
}

pub(crate) fn with_services<T>(ask: impl FnOnce(&mut Services) -> T) -> T {
    SERVICES.with_borrow_mut(ask)
}

/// Puts the host's answers for the next native run on this thread in place; null for none.
pub fn set_services(json: &Value) {
    SERVICES.set(Services::of(json));
}

impl Services {
    /// Reads an example's `services`.
    pub fn of(json: &Value) -> Self {
        let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let lookup = &json["lookup"];
        let rows = |rows: &Value| object(rows).iter().map(|(key, row)| (key.clone(), columns(row))).collect();
        let held = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned).into_bytes();
        // The events of a thread must not take the place of the event's own facts.
        let facts = super::with_facts(Clone::clone);
        let thread = lookup["thread"].as_array().into_iter().flatten().map(super::event).collect();
        super::set_facts(facts);
        Self {
            now: json["clock"].as_str().and_then(moment).unwrap_or(MOMENT),
            state: object(&json["state"]).iter().map(|(key, value)| (key.clone(), held(value))).collect(),
            tables: object(&lookup["tables"]).iter().map(|(name, table)| (name.clone(), rows(table))).collect(),
            thread,
            history: lookup["history"].as_array().into_iter().flatten().filter_map(prior).collect(),
            calendars: object(&lookup["calendars"])
                .iter()
                .map(|(name, calendar)| (name.clone(), (calendar["open"].as_bool(), calendar["due"].as_str().and_then(moment))))
                .collect(),
        }
    }

    pub(crate) fn row(&self, table: &str, key: &str) -> Result<Option<Vec<Attribute>>, LookupError> {
        self.tables.get(table).map(|rows| rows.get(key).cloned()).ok_or_else(|| no_table(table))
    }

    pub(crate) fn rows(&self, table: &str, limit: u32) -> Result<Vec<(String, Vec<Attribute>)>, LookupError> {
        let rows = self.tables.get(table).ok_or_else(|| no_table(table))?;
        Ok(rows.iter().take(limit as usize).map(|(key, row)| (key.clone(), row.clone())).collect())
    }

    pub(crate) fn open(&self, calendar: &str) -> Result<bool, LookupError> {
        self.calendars.get(calendar).and_then(|(open, _)| *open).ok_or_else(|| no_calendar(calendar))
    }

    pub(crate) fn due(&self, calendar: &str) -> Result<u64, LookupError> {
        self.calendars.get(calendar).and_then(|(_, due)| *due).ok_or_else(|| no_calendar(calendar))
    }
}

fn no_table(table: &str) -> LookupError {
    LookupError::Unavailable(format!("there is no table `{table}` here"))
}

fn no_calendar(calendar: &str) -> LookupError {
    LookupError::Unavailable(format!("there is no calendar named `{calendar}` here"))
}

/// A row as the gate reads it; null is no column.
fn columns(row: &Value) -> Vec<Attribute> {
    let value = |value: &Value| {
        Some(match value {
            Value::String(text) => AttributeValue::Text(text.clone()),
            Value::Bool(truth) => AttributeValue::Boolean(*truth),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => AttributeValue::Integer(whole),
                None => AttributeValue::Decimal(number.as_f64()?),
            },
            Value::Array(_) => AttributeValue::Texts(super::strings(value)),
            Value::Null | Value::Object(_) => return None,
        })
    };
    let columns = row.as_object().into_iter().flatten();
    columns.filter_map(|(key, column)| Some(Attribute { key: key.clone(), value: value(column)? })).collect()
}

fn prior(json: &Value) -> Option<Prior> {
    let (proposal, value) = (&json["proposal"], &json["proposal"]["effect"]["value"]);
    let effect = match proposal["effect"]["type"].as_str()? {
        "tag" => Effect::Tag(value.as_str()?.to_owned()),
        "categorize" => {
            Effect::Categorize(crate::Category { key: value["key"].as_str()?.to_owned(), path: super::strings(&value["path"]) })
        }
        _ => return None,
    };
    let text = |key: &str| proposal[key].as_str().map(str::to_owned);
    let confidence = proposal["confidence"].as_f64().unwrap_or(0.0) as f32;
    let proposal =
        Proposal { effect, reason: text("reason").unwrap_or_default(), confidence, rule_id: text("rule_id"), evidence: Vec::new() };
    Some(Prior { step: json["step"].as_str()?.to_owned(), proposal })
}

/// RFC 3339 in UTC (`2026-01-02T09:00:00Z`), in milliseconds since 1970.
fn moment(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str, mark: char| text.split(mark).map(|part| part.parse::<f64>().ok()).collect::<Option<Vec<_>>>();
    let (date, time) = (numbers(date, '-')?, numbers(time, ':')?);
    let ([year, month, day], [hour, minute, second]) = (date[..].try_into().ok()?, time[..].try_into().ok()?);
    let (year, month, day): (i64, i64, i64) = (year as i64, month as i64, day as i64);
    // Days since 1970 of the proleptic Gregorian calendar, years counted from March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 1 - 719_468;
    let (hour, minute, second): (f64, f64, f64) = (hour, minute, second);
    u64::try_from(days * 86_400_000 + ((hour * 60.0 + minute) * 60_000.0 + second * 1_000.0) as i64).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{clock, lookup, state};

    #[test]
    fn a_native_run_is_told_what_the_example_says() {
        set_services(&json!({
            "clock": "2026-01-02T09:00:00.250Z",
            "state": {"seen": 3, "last": "vpn"},
            "lookup": {"tables": {"services": {"vpn": {"status": "down", "users": 120, "sites": ["oslo"], "planned": false}}},
                "calendars": {"office": {"open": true}},
                "history": [{"step": "categorize", "proposal": {"effect": {"type": "tag", "value": "vpn"}, "confidence": 0.5}}]},
        }));
        assert_eq!(clock::now(), 1_767_344_400_250);
        let row = lookup::row("services", "vpn").unwrap().unwrap();
        assert_eq!((row.text("status"), row.integer("users"), row.decimal("users")), (Some("down"), Some(120), Some(120.0)));
        assert_eq!((row.texts("sites"), row.boolean("planned"), row.get("owner")), (vec!["oslo"], Some(false), None));
        assert_eq!(lookup::row("services", "mail"), Ok(None));
        assert!(matches!(lookup::row("on-call", "vpn"), Err(LookupError::Unavailable(_))), "a table that nobody brought");
        assert_eq!((lookup::rows("services", 9).unwrap().len(), lookup::open_at("office", 0)), (1, Ok(true)));
        assert!(lookup::due_at("office", 0, 60).is_err());
        assert_eq!(lookup::history().unwrap()[0].step, "categorize");
        assert_eq!((state::increment("seen", 2, Some(60)), state::text("seen").unwrap().as_deref()), (Ok(5), Some("5")));
        assert_eq!(state::increment("last", 1, None), Err(state::StateError::Conflict));
        assert_eq!(state::compare_and_set("last", Some(b"mail"), b"vpn"), Err(state::StateError::Conflict));
        state::compare_and_set("last", Some(b"vpn"), b"mail").unwrap();
        assert_eq!(state::get("last").unwrap().as_deref(), Some(&b"mail"[..]));
        set_services(&Value::Null);
        assert_eq!((state::get("last"), clock::now()), (Ok(None), MOMENT));
    }
}
