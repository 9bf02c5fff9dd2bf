//! What the admin can set, checked and compiled: the tables of `table.rs`, the words of urgency and breadth, the priority matrix.
//!
//! Read once by `configure`; a problem is named by its JSON Pointer. Nothing here looks at an event.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use signalbox_sdk::ConfigProblem;
use signalbox_sdk::config::{problem, read_config, read_default};
use signalbox_sdk::lexicon::Lexicon;

use crate::names::Step;
use crate::table::{Draft, RedFlag, Route};

/// What each table is without a config, as JSON.
pub(crate) const DEFAULTS: [(&str, &str); 5] = [
    ("routes", include_str!("default/routes.json")),
    ("red_flags", include_str!("default/red_flags.json")),
    ("urgent", include_str!("default/urgent.json")),
    ("breadth", include_str!("default/breadth.json")),
    ("thanks", include_str!("default/thanks.json")),
];

/// The config as the admin writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    routes: Option<Vec<Route>>,
    red_flags: Option<Vec<RedFlag>>,
    matrix: Option<Vec<Vec<Step>>>,
    urgent: Option<Words>,
    breadth: Option<Words>,
    amplify: Amplify,
    overdue: Overdue,
    crisis: CrisisRule,
    thanks: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Words {
    critical: Vec<String>,
    high: Vec<String>,
    low: Vec<String>,
}

/// Who makes an unhappy message weigh more.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Amplify {
    pub(crate) reach: u64,
    pub(crate) troubles: Vec<String>,
    pub(crate) levels: u8,
    pub(crate) audience: Vec<String>,
    pub(crate) audience_public: Vec<String>,
}

impl Default for Amplify {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect();
        Self {
            reach: 10_000,
            troubles: words(&["outage", "security", "technical-fault", "billing", "product-complaint"]),
            levels: 1,
            audience: words(&["supervisor"]),
            audience_public: words(&["pr"]),
        }
    }
}

/// What a service level that runs out does, by why the host asks again.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Overdue {
    pub(crate) warning: Raise,
    pub(crate) breach: Raise,
}

/// How far up, and who looks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Raise {
    pub(crate) levels: u8,
    pub(crate) audience: Vec<String>,
    /// How loud the first of the audience is alerted, if at all.
    #[serde(default)]
    pub(crate) alert: Option<Step>,
}

impl Default for Overdue {
    fn default() -> Self {
        let raise = |levels| Raise { levels, audience: vec!["supervisor".to_owned()], alert: None };
        // The event is judged anew each time: a breach stands two above the row, one above its warning.
        Self { warning: raise(1), breach: raise(2) }
    }
}

/// When a message may be part of something bigger.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CrisisRule {
    pub(crate) categories: Vec<String>,
    pub(crate) watch_reach: u64,
    pub(crate) likely_reach: u64,
    pub(crate) spread: i64,
}

impl Default for CrisisRule {
    fn default() -> Self {
        Self { categories: vec!["outage".to_owned(), "security".to_owned()], watch_reach: 1_000, likely_reach: 10_000, spread: 100 }
    }
}

/// What a phrase says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    Urgent(Step),
    Wide(Step),
    Flag(u16),
    /// A hint at a flag.
    Hint(u16),
    /// The words of a flag, but denied, supposed or quoted.
    Denied(u16),
}

/// The compiled config.
pub(crate) struct Tables {
    pub(crate) routes: Vec<Route>,
    pub(crate) red_flags: Vec<RedFlag>,
    /// Rows are impact, columns urgency.
    pub(crate) matrix: [[Step; 4]; 4],
    pub(crate) lexicon: Lexicon<Says>,
    pub(crate) amplify: Amplify,
    pub(crate) overdue: Overdue,
    pub(crate) crisis: CrisisRule,
    pub(crate) thanks: BTreeMap<String, String>,
    /// Some row or flag asks what the model thinks.
    pub(crate) asks_model: bool,
}

impl Tables {
    /// Reads and compiles a config.
    ///
    /// # Errors
    /// Every problem, with the JSON Pointer of its place.
    pub(crate) fn read(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        let config: Config = read_config(config)?;
        let mut problems = Vec::new();
        let routes = or_default(config.routes, 0)?;
        check_routes(&routes, &mut problems);
        let red_flags = or_default(config.red_flags, 1)?;
        let matrix = matrix(config.matrix.as_deref(), &mut problems);
        let thanks = or_default(config.thanks, 4)?;
        if routes.iter().any(|r| r.then.reply == Some(Draft::Thanks)) && !thanks.contains_key("en") {
            problems.push(problem("/thanks", "`en` is missing: it stands in for languages that have no text"));
        }
        let mut lexicon = Lexicon::default();
        let mut add = |path: String, list: &[String], says: Says| {
            for (at, phrase) in list.iter().enumerate() {
                if let Err(message) = lexicon.add(phrase, says) {
                    problems.push(problem(&format!("{path}/{at}"), message));
                }
            }
        };
        for (at, flag) in red_flags.iter().enumerate() {
            add(format!("/red_flags/{at}/words"), &flag.words, Says::Flag(at as u16));
            add(format!("/red_flags/{at}/hints"), &flag.hints, Says::Hint(at as u16));
        }
        let (urgent, breadth) = (or_default(config.urgent, 2)?, or_default(config.breadth, 3)?);
        for (name, words, says) in [("urgent", &urgent, Says::Urgent as fn(Step) -> Says), ("breadth", &breadth, Says::Wide)] {
            add(format!("/{name}/critical"), &words.critical, says(Step::Critical));
            add(format!("/{name}/high"), &words.high, says(Step::High));
            add(format!("/{name}/low"), &words.low, says(Step::Low));
        }
        check_flags(&red_flags, &mut problems);
        if config.amplify.levels > 4 {
            problems.push(problem("/amplify/levels", "4 is the top of the house"));
        }
        for (name, raise) in [("warning", &config.overdue.warning), ("breach", &config.overdue.breach)] {
            if raise.levels > 4 {
                problems.push(problem(&format!("/overdue/{name}/levels"), "4 is the top of the house"));
            }
            if (raise.levels > 0 || raise.alert.is_some()) && raise.audience.is_empty() {
                problems.push(problem(&format!("/overdue/{name}/audience"), "an escalation needs someone to go to"));
            }
        }
        if config.crisis.likely_reach < config.crisis.watch_reach {
            problems.push(problem("/crisis/likely_reach", "must not be below `watch_reach`"));
        }
        let (amplify, overdue, crisis) = (config.amplify, config.overdue, config.crisis);
        let asks_model = red_flags.iter().any(|flag| flag.learned.is_some() || flag.least > 0.0 || !flag.hints.is_empty())
            || routes.iter().any(|route| route.when.likely.is_some());
        if problems.is_empty() {
            Ok(Self { routes, red_flags, matrix, lexicon, amplify, overdue, crisis, thanks, asks_model })
        } else {
            Err(problems)
        }
    }
}

fn or_default<T: DeserializeOwned>(given: Option<T>, at: usize) -> Result<T, Vec<ConfigProblem>> {
    given.map_or_else(|| read_default(DEFAULTS[at].1), Ok)
}

fn check_routes(routes: &[Route], problems: &mut Vec<ConfigProblem>) {
    for (at, route) in routes.iter().enumerate() {
        let mut wrong = |place: &str, message: String| problems.push(problem(&format!("/routes/{at}/{place}"), message));
        if route.id.is_empty() || routes[..at].iter().any(|r| r.id == route.id) {
            wrong("id", format!("`{}` is empty or there twice: the trace names the row by it", route.id));
        }
        if route.then.level > 4 {
            wrong("then/level", format!("{} is above 4, the top of the house", route.then.level));
        }
        if route.then.level > 0 && route.then.audience.is_empty() {
            wrong("then/audience", "an escalation needs someone to go to".to_owned());
        }
        if route.when.likely.is_some_and(|least| !(0.0..=1.0).contains(&least)) {
            wrong("when/likely", "0 to 1".to_owned());
        }
        if let Some(sla) = route.then.sla.iter().position(|s| s.target_seconds == 0) {
            wrong(&format!("then/sla/{sla}/target_seconds"), "must be at least 1 second".to_owned());
        }
    }
}

fn check_flags(flags: &[RedFlag], problems: &mut Vec<ConfigProblem>) {
    for (at, flag) in flags.iter().enumerate() {
        let mut wrong = |place: &str, message: &str| problems.push(problem(&format!("/red_flags/{at}/{place}"), message));
        if flag.id.is_empty() || flags[..at].iter().any(|f| f.id == flag.id) {
            wrong("id", "empty or there twice: the trace names the flag by it");
        }
        if !(1..=4).contains(&flag.level) {
            wrong("level", "1 to 4");
        }
        if flag.audience.is_empty() {
            wrong("audience", "a red flag needs someone to go to");
        }
        if flag.words.is_empty() && flag.hints.is_empty() && flag.signals.is_empty() && flag.learned.is_none() {
            wrong("words", "neither words nor hints nor signals nor `learned`: it would never be raised");
        }
        for (place, share) in [("sure", flag.sure), ("least", flag.least), ("hinted", flag.hinted)] {
            if !(0.0..=1.0).contains(&share) {
                wrong(place, "0 to 1");
            }
        }
    }
}

/// Impact by urgency: the usual table of service desks.
fn matrix(rows: Option<&[Vec<Step>]>, problems: &mut Vec<ConfigProblem>) -> [[Step; 4]; 4] {
    use Step::{Critical, High, Low, Normal};
    let mut matrix =
        [[Low, Low, Normal, Normal], [Low, Normal, Normal, High], [Normal, Normal, High, Critical], [Normal, High, Critical, Critical]];
    let Some(rows) = rows else { return matrix };
    if rows.len() != 4 {
        problems.push(problem("/matrix", format!("{} rows: give four, for impact low to critical", rows.len())));
    }
    for (at, row) in rows.iter().enumerate().take(4) {
        match <[Step; 4]>::try_from(row.as_slice()) {
            Ok(row) => matrix[at] = row,
            Err(_) => {
                problems.push(problem(&format!("/matrix/{at}"), format!("{} cells: give four, for urgency low to critical", row.len())))
            }
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(config: &str) -> Vec<String> {
        Tables::read(config).map(|_| ()).unwrap_err().into_iter().map(|p| p.path).collect()
    }

    #[test]
    fn the_default_reads() {
        assert_eq!(Tables::read("{}").map(|t| t.routes.len() > 8), Ok(true));
    }

    #[test]
    fn problems_name_their_place() {
        for (config, places) in [
            (
                r#"{"routes": [{"id": "a", "then": {"level": 5, "audience": ["x"]}}, {"id": "a", "then": {"level": 1}}]}"#,
                vec!["/routes/0/then/level", "/routes/1/id", "/routes/1/then/audience"],
            ),
            (r#"{"routes": [{"id": "a", "then": {"moderate": "delete"}}]}"#, vec!["/routes/0"]),
            (
                r#"{"routes": [{"id": "a", "then": {"sla": [{"clock": "resolution", "target_seconds": 0}]}}]}"#,
                vec!["/routes/0/then/sla/0/target_seconds"],
            ),
            (
                r#"{"red_flags": [{"id": "x", "level": 0, "audience": [], "words": ["..", "ok"]}]}"#,
                vec!["/red_flags/0/words/0", "/red_flags/0/level", "/red_flags/0/audience"],
            ),
            (
                r#"{"matrix": [["low"], ["low","low","low","low"], ["low","low","low","low"], ["low","low","low","low"]]}"#,
                vec!["/matrix/0"],
            ),
            (r#"{"matrix": []}"#, vec!["/matrix"]),
            (r#"{"thanks": {"de": "Danke"}}"#, vec!["/thanks"]),
            (
                r#"{"amplify": {"levels": 9}, "crisis": {"watch_reach": 5, "likely_reach": 1}}"#,
                vec!["/amplify/levels", "/crisis/likely_reach"],
            ),
            (
                r#"{"overdue": {"warning": {"levels": 5, "audience": ["x"]}, "breach": {"levels": 1, "audience": []}}}"#,
                vec!["/overdue/warning/levels", "/overdue/breach/audience"],
            ),
            (r#"{"urgent": {"hi": []}}"#, vec!["/urgent/hi"]),
        ] {
            assert_eq!(paths(config), places, "{config}");
        }
    }
}
