//! Which label a decision's value stands for: by name, by synonym, by yes and no, or as the admin maps it. Pure.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};

use super::field::{Field, Said};
use super::words::{self, key};
use crate::eval::{Answer, Row};

/// Labels that a message lists.
const SHOWN: usize = 12;

/// `--map` and `--fold`: pairs, in the order they were written.
pub(super) type Pairs = Vec<(String, String)>;

/// What the labels of a file mean.
#[derive(Debug)]
pub(super) struct Labels {
    field: Field,
    /// The classes, as they are shown.
    pub(super) classes: Vec<String>,
    /// Which of them are a yes, for the ranking.
    pub(super) yes: Vec<bool>,
    /// What a person should know of how they were read.
    pub(super) notes: Vec<String>,
    truth: BTreeMap<String, usize>,
    map: BTreeMap<String, usize>,
    how: How,
}

#[derive(Debug, PartialEq)]
enum How {
    /// The value's name is the class's. `steps` says whether five steps of sentiment fold to three.
    Name { of: BTreeMap<String, usize>, steps: bool },
    /// The field is asked as yes or no.
    YesNo { yes: usize, no: usize },
    /// One class has a value's name, the other is every other value.
    Rest { one: usize, rest: usize },
}

/// `a=b,c=d`. A comma in a name is written `\,`.
pub(super) fn pairs(text: &str) -> Result<Pairs, String> {
    let text = text.replace("\\,", "\u{0}");
    let pair = |pair: &str| match pair.split_once('=') {
        Some((from, to)) if !from.trim().is_empty() && !to.trim().is_empty() => {
            Ok((from.trim().replace('\u{0}', ","), to.trim().replace('\u{0}', ",")))
        }
        _ => Err(format!("`{pair}` is not a pair; write FROM=TO,FROM=TO")),
    };
    text.split(',').filter(|part| !part.trim().is_empty()).map(pair).collect()
}

impl Labels {
    /// Reads the labels of a column. `others` names the columns that may have been meant.
    pub(super) fn read(field: Field, column: &str, others: &[&str], labels: &[&str], map: &Pairs, fold: &Pairs) -> anyhow::Result<Self> {
        let mut notes = Vec::new();
        // In the order of the alphabet, so that reports of the same file can be laid side by side.
        let distinct: Vec<&str> = labels.iter().copied().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        for (from, _) in fold.iter().filter(|(from, _)| from != "*") {
            ensure!(
                distinct.iter().any(|label| key(label) == key(from)),
                "--fold names the label `{from}`, which column `{column}` does not have; it has {}",
                listed(&distinct)
            );
        }
        let folded = |label: &str| {
            let named = fold.iter().find(|(from, _)| key(from) == key(label)).or_else(|| fold.iter().find(|(from, _)| from == "*"));
            named.map_or_else(|| label.to_owned(), |(_, to)| to.clone())
        };
        let mut shown: Vec<String> = Vec::new();
        for label in distinct.iter().map(|label| folded(label)) {
            if !shown.iter().any(|known| key(known) == key(&label)) {
                shown.push(label);
            }
        }
        let mut keys: Vec<String> = shown.iter().map(|label| key(label)).collect();
        let mut this = Self {
            field,
            classes: shown.clone(),
            yes: Vec::new(),
            notes: Vec::new(),
            truth: BTreeMap::new(),
            map: BTreeMap::new(),
            how: How::Name { of: BTreeMap::new(), steps: false },
        };
        let mut class_of: Vec<usize> = (0..shown.len()).collect();
        let yes_no = if field.yes_values().is_empty() { None } else { words::yes_or_no(field, &keys) };
        let by_level = keys.iter().all(|word| field.values().contains(&words::synonym(field, word).unwrap_or(word)));
        if let Some(says) = yes_no.filter(|_| !by_level || keys.iter().all(|word| ["0", "1"].contains(&word.as_str()))) {
            let two = says.len() == 2 && says[0] != says[1];
            if !two {
                let named =
                    |wanted: bool| says.iter().zip(&shown).filter(move |(says, _)| **says == wanted).map(|(_, label)| label.as_str());
                notes.push(format!(
                    "read as yes: {}; as no: {}",
                    named(true).collect::<Vec<_>>().join(", "),
                    named(false).collect::<Vec<_>>().join(", ")
                ));
                this.classes = vec!["no".to_owned(), "yes".to_owned()];
                class_of = says.iter().map(|says| usize::from(*says)).collect();
            }
            let yes = if two { usize::from(says[1]) } else { 1 };
            this.how = How::YesNo { yes, no: 1 - yes };
            this.yes = (0..2).map(|class| class == yes).collect();
        } else if let Some(is_rest) = words::rest(&keys).filter(|_| field.values().is_empty()) {
            let rest = usize::from(is_rest[1]);
            this.how = How::Rest { one: 1 - rest, rest };
            this.yes = (0..2).map(|class| class != rest).collect();
        } else {
            if let Some(words) = words::numbers(field, &keys) {
                notes.push(format!(
                    "numbers read as {}",
                    keys.iter().zip(&words).map(|(n, word)| format!("{n} {word}")).collect::<Vec<_>>().join(", ")
                ));
                keys = words;
            }
            if !field.values().is_empty() {
                let value = |word: &String| words::synonym(field, word).unwrap_or(word).to_owned();
                keys = keys.iter().map(value).collect();
            }
            let (mut classes, mut of): (Vec<String>, BTreeMap<String, usize>) = (Vec::new(), BTreeMap::new());
            for (at, name) in keys.iter().enumerate() {
                let class = *of.entry(name.clone()).or_insert_with(|| {
                    classes.push(shown[at].clone());
                    classes.len() - 1
                });
                class_of[at] = class;
                if classes[class] != shown[at] {
                    classes[class].clone_from(name);
                }
            }
            let names = |class: usize| of.iter().find(|(_, known)| **known == class).map_or("", |(name, _)| name.as_str());
            this.yes = (0..classes.len()).map(|class| field.yes_values().contains(&names(class))).collect();
            if classes.len() < shown.len() {
                notes.push(format!("labels that mean the same were folded, to {}", classes.join(", ")));
            }
            let steps = field == Field::Sentiment && !of.keys().any(|name| name.starts_with("very-"));
            this.classes = classes;
            this.how = How::Name { of, steps };
        }
        for label in &distinct {
            let at = shown.iter().position(|known| key(known) == key(&folded(label))).unwrap_or_default();
            this.truth.insert((*label).to_owned(), class_of[at]);
        }
        for (value, label) in map {
            let class = this.classes.iter().position(|known| key(known) == key(label)).or_else(|| {
                let How::Name { of, .. } = &this.how else { return None };
                of.get(&key(label)).copied()
            });
            let class = class.with_context(|| {
                format!("--map names the label `{label}`, which column `{column}` does not have; it has {}", listed(&distinct))
            })?;
            this.map.insert(key(value), class);
        }
        if let Some(yes) = this.map.get("yes") {
            this.yes[*yes] = true;
        }
        this.notes = notes;
        this.check(column, others, &distinct)?;
        Ok(this)
    }

    /// Refuses labels that no value can stand for, where the values are known.
    fn check(&mut self, column: &str, others: &[&str], labels: &[&str]) -> anyhow::Result<()> {
        let How::Name { of, .. } = &self.how else { return Ok(()) };
        let values = self.field.values();
        if values.is_empty() {
            return Ok(());
        }
        let reached = |class: usize| {
            self.map.values().any(|to| *to == class) || of.iter().any(|(name, at)| *at == class && values.contains(&name.as_str()))
        };
        let missed: Vec<&str> =
            (0..self.classes.len()).filter(|class| !reached(*class)).map(|class| self.classes[class].as_str()).collect();
        if missed.len() == self.classes.len() {
            bail!("{}", self.mismatch(column, others, labels, &values.join(", ")));
        }
        if !missed.is_empty() {
            self.notes.push(format!(
                "no value of {} stands for {}: their rows count as wrong unless --map VALUE=LABEL says so",
                self.field.name(),
                listed(&missed)
            ));
        }
        Ok(())
    }

    /// Says that labels and values have nothing in common, and what mends it.
    pub(super) fn mismatch(&self, column: &str, others: &[&str], labels: &[&str], values: &str) -> String {
        let field = self.field.name();
        let asked = if self.field.yes_values().is_empty() { "" } else { ", or yes and no" };
        let example = values.split(", ").next().unwrap_or("VALUE");
        let mut text = format!(
            "the labels of column `{column}` ({}) are no values of {field} ({values}{asked}). Say which value stands for which label, such as \
             --map '{example}={}', or rename labels, such as --fold '{}={}'",
            listed(labels),
            labels.first().unwrap_or(&"LABEL"),
            labels.first().unwrap_or(&"LABEL"),
            if asked.is_empty() { example } else { "yes,*=no" },
        );
        if !others.is_empty() {
            text.push_str(&format!("; or name another column with --label: {}", others.join(", ")));
        }
        text
    }

    /// The class of a label.
    pub(super) fn truth(&self, label: &str) -> usize {
        self.truth.get(label).copied().unwrap_or_default()
    }

    /// Whether only a run can tell whether labels and values meet.
    pub(super) fn is_open(&self) -> bool {
        self.field.values().is_empty()
    }

    /// Judges what a decision said of a row.
    pub(super) fn judge(&self, truth: usize, said: &Said) -> Row {
        let answer = self.answer(said);
        let yes = match answer {
            Answer::Class(class) => Some(self.yes.get(class).copied().unwrap_or(false)),
            Answer::Else => Some(false),
            Answer::None => said.yes,
        };
        // Every yes above every no, whatever the confidences: a no at 0.3 does not say that yes is likely. Silence is last.
        let rank = match (yes, said.confidence) {
            (Some(true), sure) => 1.0 + sure.unwrap_or(1.0),
            (Some(false), Some(sure)) => 1.0 - sure,
            (Some(false) | None, _) => 0.0,
        };
        // That it is some other value is not what the confidence speaks of.
        let of_the_rest = matches!(self.how, How::Rest { rest, .. } if answer == Answer::Class(rest));
        let confidence = said.confidence.filter(|_| !of_the_rest);
        Row { truth, answer, confidence, rank: self.yes.contains(&true).then_some(rank) }
    }

    fn answer(&self, said: &Said) -> Answer {
        let value = key(said.value.as_deref().unwrap_or("none"));
        let folded = value.strip_prefix("very-").filter(|_| self.field == Field::Sentiment);
        let asked = said.yes.map(|yes| if yes { "yes" } else { "no" });
        let mapped = [Some(value.as_str()), folded, asked].into_iter().flatten().find_map(|name| self.map.get(name));
        if let Some(class) = mapped {
            return Answer::Class(*class);
        }
        match &self.how {
            How::YesNo { yes, no } => Answer::Class(if said.yes == Some(true) { *yes } else { *no }),
            How::Rest { one, rest } => {
                let wanted = key(&self.classes[*one]);
                let meant = value == wanted || words::synonyms(self.field, &value).any(|word| word == wanted);
                Answer::Class(if meant { *one } else { *rest })
            }
            How::Name { of, steps } => {
                let primary = value.split('-').next().filter(|_| self.field == Field::Language);
                let names = [Some(value.as_str()), folded.filter(|_| *steps), primary];
                let known = names.into_iter().flatten().find_map(|name| of.get(name).copied());
                let known = known.or_else(|| words::synonyms(self.field, &value).find_map(|word| of.get(word).copied()));
                match known {
                    Some(class) => Answer::Class(class),
                    // `other` says that nothing fits; a language that is not known is `und`.
                    None if said.value.is_none() || (self.field == Field::Category && value == "other") || value == "und" => Answer::None,
                    None => Answer::Else,
                }
            }
        }
    }
}

fn listed(labels: &[&str]) -> String {
    let shown = labels.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if labels.len() > SHOWN { format!("{shown} and {} more", labels.len() - SHOWN) } else { shown }
}

#[cfg(test)]
mod tests;
