//! What the admin can set, and the tables that a config is compiled into.
//!
//! Read once by `configure`; a problem is named by its JSON Pointer. Nothing here looks at an event.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use signalbox_model::Nearest;
use signalbox_sdk::ConfigProblem;
use signalbox_sdk::config::{decimal, problem, read_config, read_default};
use signalbox_sdk::lexicon::Lexicon;

use crate::learned::learn;

/// Weights of the three lists of a category.
const STRONG: f32 = 3.0;
const WORD: f32 = 1.5;
const WEAK: f32 = 0.6;

/// Most categories of a taxonomy.
const MOST: usize = 256;

/// What each list is without a config, as JSON.
pub(crate) const DEFAULTS: [(&str, &str); 4] = [
    ("categories", include_str!("default/categories.json")),
    ("services", include_str!("default/services.json")),
    ("resolved", include_str!("default/resolved.json")),
    ("requests", include_str!("default/requests.json")),
];

/// The config as the admin writes it.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    model: Model,
    categories: Option<Vec<Category>>,
    extra: Vec<Extra>,
    services: Option<Vec<Subject>>,
    products: Vec<Subject>,
    resolved: Option<Vec<String>>,
    requests: Option<Vec<String>>,
    entities: bool,
    hashtag_weight: f32,
    min_score: f32,
}

impl Default for Config {
    fn default() -> Self {
        let (extra, products) = (Vec::new(), Vec::new());
        Self {
            model: Model::Words,
            categories: None,
            extra,
            services: None,
            products,
            resolved: None,
            requests: None,
            entities: true,
            hashtag_weight: 1.0,
            min_score: 1.0,
        }
    }
}

/// What sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Model {
    /// The words and examples of the taxonomy.
    Words,
    /// The bundled model of IT ticket topics.
    Tickets,
}

/// One category of the taxonomy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Category {
    pub(crate) key: String,
    label: String,
    pub(crate) path: Vec<String>,
    pub(crate) intent: String,
    /// Its words name a state, which can be denied, supposed or over.
    pub(crate) state: bool,
    strong: Vec<String>,
    words: Vec<String>,
    weak: Vec<String>,
    not: Vec<String>,
    /// Messages of this category: it learns from them.
    pub(crate) examples: Vec<String>,
}

impl Category {
    /// A topic of the bundled model.
    pub(crate) fn topic(key: &str, label: &str, path: &[&str]) -> Self {
        let path = path.iter().map(|step| (*step).to_owned()).collect();
        Self { key: key.to_owned(), label: label.to_owned(), path, ..Self::default() }
    }

    /// As people read it.
    pub(crate) fn name(&self) -> &str {
        if self.label.is_empty() { &self.key } else { &self.label }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Extra {
    category: String,
    words: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Subject {
    key: String,
    words: Vec<String>,
}

/// What a phrase says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    /// It speaks for a category. `id` is the phrase's own number.
    Category { at: u16, weight: f32, id: u16 },
    /// It names a service or product.
    Subject(u16),
    /// It says that a trouble is over.
    Resolved,
    /// It asks for something.
    Request,
}

/// The compiled config.
pub(crate) struct Tables {
    pub(crate) categories: Vec<Category>,
    /// Tags of services and products: "service:vpn".
    pub(crate) subjects: Vec<String>,
    pub(crate) lexicon: Lexicon<Says>,
    pub(crate) hashtag_weight: f32,
    pub(crate) min_score: f32,
    /// The category for what nothing speaks of.
    pub(crate) other: usize,
    pub(crate) model: Model,
    /// Whether numbers and addresses become fields.
    pub(crate) entities: bool,
    /// What the examples taught.
    pub(crate) nearest: Nearest,
}

impl Tables {
    /// Reads and compiles a config.
    ///
    /// # Errors
    /// Every problem, with the JSON Pointer of its place.
    pub(crate) fn read(config: &str) -> Result<Self, Vec<ConfigProblem>> {
        let config: Config = read_config(config)?;
        let mut compiler = Compiler { lexicon: Lexicon::default(), phrases: 0, problems: Vec::new() };
        let mut categories = or_default(config.categories, 0)?;
        compiler.categories(&categories);
        compiler.extra(&config.extra, &categories);
        let mut subjects = Vec::new();
        compiler.subjects("service", "services", &or_default(config.services, 1)?, &mut subjects);
        compiler.subjects("product", "products", &config.products, &mut subjects);
        compiler.list("/resolved", &or_default(config.resolved, 2)?, Says::Resolved);
        compiler.list("/requests", &or_default(config.requests, 3)?, Says::Request);
        for (path, value, most) in [("/hashtag_weight", config.hashtag_weight, 3.0), ("/min_score", config.min_score, 20.0)] {
            if !(0.0..=most).contains(&value) {
                compiler.problems.push(problem(path, format!("{value} is outside 0 to {most}")));
            }
        }
        if !compiler.problems.is_empty() {
            return Err(compiler.problems);
        }
        let other = categories.iter().position(|c| c.key == "other").unwrap_or_else(|| {
            categories.push(Category { key: "other".to_owned(), label: "Other".to_owned(), ..Category::default() });
            categories.len() - 1
        });
        let nearest = learn(&categories);
        let (hashtag_weight, min_score, model) = (config.hashtag_weight, config.min_score, config.model);
        let entities = config.entities;
        Ok(Self { categories, subjects, lexicon: compiler.lexicon, hashtag_weight, min_score, other, model, entities, nearest })
    }
}

fn or_default<T: DeserializeOwned>(given: Option<T>, at: usize) -> Result<T, Vec<ConfigProblem>> {
    given.map_or_else(|| read_default(DEFAULTS[at].1), Ok)
}

struct Compiler {
    lexicon: Lexicon<Says>,
    phrases: u16,
    problems: Vec<ConfigProblem>,
}

impl Compiler {
    fn categories(&mut self, categories: &[Category]) {
        if categories.is_empty() || categories.len() > MOST {
            self.problems.push(problem("/categories", format!("{} categories: give 1 to {MOST}, or leave the key out", categories.len())));
        }
        for (at, category) in categories.iter().enumerate() {
            let path = format!("/categories/{at}");
            if !is_key(&category.key) {
                self.problems
                    .push(problem(&format!("{path}/key"), format!("`{}` is not a key: lower-case letters, digits and `-`", category.key)));
            }
            if categories[..at].iter().any(|c| c.key == category.key) {
                self.problems.push(problem(&format!("{path}/key"), format!("`{}` is there twice", category.key)));
            }
            let lists = [
                ("not", &category.not, 0.0),
                ("strong", &category.strong, STRONG),
                ("words", &category.words, WORD),
                ("weak", &category.weak, WEAK),
            ];
            for (name, list, weight) in lists {
                self.weighted(&format!("{path}/{name}"), list, weight, at as u16);
            }
        }
    }

    fn extra(&mut self, extra: &[Extra], categories: &[Category]) {
        for (row, extra) in extra.iter().enumerate() {
            match categories.iter().position(|c| c.key == extra.category) {
                Some(at) => self.weighted(&format!("/extra/{row}/words"), &extra.words, STRONG, at as u16),
                None => {
                    self.problems.push(problem(&format!("/extra/{row}/category"), format!("there is no category `{}`", extra.category)))
                }
            }
        }
    }

    fn subjects(&mut self, kind: &str, list: &str, subjects: &[Subject], tags: &mut Vec<String>) {
        for (row, subject) in subjects.iter().enumerate() {
            if !is_key(&subject.key) {
                self.problems.push(problem(
                    &format!("/{list}/{row}/key"),
                    format!("`{}` is not a key: lower-case letters, digits and `-`", subject.key),
                ));
            }
            self.list(&format!("/{list}/{row}/words"), &subject.words, Says::Subject(tags.len() as u16));
            tags.push(format!("{kind}:{}", subject.key));
        }
    }

    fn list(&mut self, path: &str, phrases: &[String], says: Says) {
        for (at, phrase) in phrases.iter().enumerate() {
            self.add(&format!("{path}/{at}"), phrase, says);
        }
    }

    /// A phrase may carry its own weight: "money back=4".
    fn weighted(&mut self, path: &str, phrases: &[String], weight: f32, category: u16) {
        for (at, written) in phrases.iter().enumerate() {
            let own = written.rsplit_once('=').filter(|(phrase, _)| phrase.ends_with(|c: char| c.is_alphanumeric() || c == '*'));
            let (phrase, weight) = match own.map(|(phrase, weight)| (phrase, decimal(weight.trim()))) {
                Some((phrase, Some(weight))) if (-10.0..=10.0).contains(&weight) => (phrase, weight),
                Some(_) => {
                    self.problems
                        .push(problem(&format!("{path}/{at}"), format!("`{written}`: the weight after `=` is a number from -10 to 10")));
                    continue;
                }
                None => (written.as_str(), weight),
            };
            self.phrases = self.phrases.saturating_add(1);
            self.add(&format!("{path}/{at}"), phrase, Says::Category { at: category, weight, id: self.phrases });
        }
    }

    fn add(&mut self, path: &str, phrase: &str, says: Says) {
        if let Err(message) = self.lexicon.add(phrase, says) {
            self.problems.push(problem(path, message));
        }
    }
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.len() <= 64 && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(config: &str) -> Vec<String> {
        Tables::read(config).map(|_| ()).unwrap_err().into_iter().map(|p| p.path).collect()
    }

    #[test]
    fn the_default_reads() {
        let tables = Tables::read("{}").unwrap();
        assert_eq!(tables.categories[tables.other].key, "other");
        assert!(tables.subjects.contains(&"service:vpn".to_owned()));
    }

    #[test]
    fn problems_name_their_place() {
        assert_eq!(paths(r#"{"categories": []}"#), ["/categories"]);
        assert_eq!(
            paths(r#"{"categories": [{"key": "a"}, {"key": "A!"}, {"key": "a", "weak": ["ok", "..", "x=lots"]}]}"#),
            ["/categories/1/key", "/categories/2/key", "/categories/2/weak/1", "/categories/2/weak/2"]
        );
        assert_eq!(paths(r#"{"extra": [{"category": "nope", "words": ["x"]}], "min_score": -1}"#), ["/extra/0/category", "/min_score"]);
        assert_eq!(paths(r#"{"services": [{"key": "x", "words": ["a*"]}]}"#), ["/services/0/words/0"]);
        assert_eq!(paths(r#"{"hashtags": true}"#), ["/hashtags"]);
        assert_eq!(paths(r#"{"products": [{"key": 1}]}"#), ["/products/0"]);
    }

    #[test]
    fn a_taxonomy_without_other_gets_one() {
        let tables = Tables::read(r#"{"categories": [{"key": "a", "words": ["x=2.5"]}]}"#).unwrap();
        assert_eq!(tables.categories[tables.other].key, "other");
    }
}
