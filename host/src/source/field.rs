//! One line of an adapter's `[event]`: where a value comes from, and what is done to it on the way.
//!
//! Called by `mapping`. Pure. It must never grow into a language: one origin, then filters in one fixed order, each of them total.
//!
//! The order is `as`, `unless`, `split`, `text`, `map`, `default`, `prefix`, `max_chars`, `scale`. On a list (from `each`, from `split`, or
//! because the body has one) each filter works on every entry. A value that a filter cannot read is left out with a note, like one that is
//! not there; only the mapping decides which values an event cannot do without.

use std::collections::BTreeMap;
use std::fmt;

use jiff::tz::Offset;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::condition::{Scalar, When, WhenSpec};
use super::filter::{As, cut, entries};
use super::reading::{Call, Place, scalar_text};
use super::time;

/// The adapter's `[maps]`: value tables by name.
pub(super) type Maps = BTreeMap<String, BTreeMap<String, String>>;

/// Where a value comes from (exactly one of `path`, `first`, `any`, `const`, `join`, `header`, `query`) and its filters, as written.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldSpec {
    /// A JSON Pointer into the body.
    path: Option<String>,
    /// Places in order (JSON Pointers, `header:Name`, `query:name`); the first that is there and not blank.
    first: Option<Vec<String>>,
    /// Places; true when one of them is true, absent when none is there.
    any: Option<Vec<String>>,
    /// A fixed value.
    r#const: Option<Scalar>,
    /// Places whose values are put together; those that are not there are left out.
    join: Option<Vec<String>>,
    /// What `join` puts between them.
    with: Option<String>,
    /// A header's name.
    header: Option<String>,
    /// A query parameter's name.
    query: Option<String>,
    /// A list in the body: the value is read from each entry, and the result is a list.
    each: Option<String>,
    /// How the value is read.
    r#as: Option<As>,
    /// `as` is applied only when this holds.
    as_when: Option<WhenSpec>,
    /// For `as = "time"`: the offset of times that have none, such as "+02:00". UTC when left out.
    offset: Option<String>,
    /// Values that mean "nothing": "-", "und", ...
    unless: Option<Vec<String>>,
    /// A separator: text becomes a list, without its blank entries.
    split: Option<String>,
    /// A number becomes text, every digit kept.
    text: Option<bool>,
    /// A table of `[maps]`; a value that is not in it is left out.
    map: Option<String>,
    /// What to take when there is nothing.
    default: Option<Scalar>,
    /// What to put in front of the text.
    prefix: Option<String>,
    /// The most characters to keep.
    max_chars: Option<usize>,
    /// The lowest and highest of a rating's steps, brought to 0.0 to 1.0.
    scale: Option<(f64, f64)>,
}

/// A line of `[event]`, resolved.
#[derive(Clone, Debug)]
pub(super) struct Field {
    origin: Origin,
    each: Option<Place>,
    reading: Option<(As, Option<When>)>,
    offset: Offset,
    unless: Vec<String>,
    split: Option<String>,
    text: bool,
    map: Option<BTreeMap<String, String>>,
    default: Option<Value>,
    prefix: String,
    max_chars: Option<usize>,
    scale: Option<(f64, f64)>,
}

#[derive(Clone, Debug)]
enum Origin {
    First(Vec<Place>),
    Any(Vec<Place>),
    Join(Vec<Place>, String),
    Const(Value),
}

impl Field {
    pub(super) fn resolve(spec: FieldSpec, maps: &Maps) -> Result<Self, String> {
        let places = |texts: Vec<String>| texts.iter().map(|text| text.parse()).collect::<Result<Vec<Place>, String>>();
        let mut origins = Vec::new();
        origins.extend(spec.path.map(|path| places(vec![path]).map(Origin::First)).transpose()?);
        origins.extend(spec.header.map(|name| places(vec![format!("header:{name}")]).map(Origin::First)).transpose()?);
        origins.extend(spec.query.map(|name| Origin::First(vec![Place::Query(name)])));
        origins.extend(spec.first.map(|texts| places(texts).map(Origin::First)).transpose()?);
        origins.extend(spec.any.map(|texts| places(texts).map(Origin::Any)).transpose()?);
        origins.extend(spec.r#const.map(|value| Origin::Const(value.to_value())));
        let with = spec.with.clone().unwrap_or_default();
        let joins = spec.join.is_some();
        origins.extend(spec.join.map(|texts| places(texts).map(|places| Origin::Join(places, with))).transpose()?);
        let (Some(origin), true) = (origins.pop(), origins.is_empty()) else {
            return Err("needs exactly one of `path`, `first`, `any`, `const`, `join`, `header` and `query`".to_owned());
        };
        let needs =
            |there: bool, key: &str, of: &str, holds: bool| if there && !holds { Err(format!("`{key}` needs `{of}`")) } else { Ok(()) };
        needs(spec.with.is_some(), "with", "join", joins)?;
        needs(spec.as_when.is_some(), "as_when", "as", spec.r#as.is_some())?;
        needs(spec.offset.is_some(), "offset", "as = \"time\"", spec.r#as == Some(As::Time))?;
        if spec.scale.is_some_and(|(low, high)| low >= high || !low.is_finite() || !high.is_finite()) {
            return Err("`scale` is the lowest and the highest step, such as [1, 5]".to_owned());
        }
        let map =
            spec.map.map(|name| maps.get(&name).cloned().ok_or_else(|| format!("`map` names `{name}`, but there is no [maps.{name}]")));
        let offset = spec.offset.map(|text| time::offset(&text).ok_or_else(|| format!("`offset` is `{text}`; write it like +02:00")));
        Ok(Self {
            origin,
            each: spec.each.map(|text| text.parse()).transpose()?,
            reading: spec.r#as.map(|reading| spec.as_when.map(When::resolve).transpose().map(|when| (reading, when))).transpose()?,
            offset: offset.transpose()?.unwrap_or(Offset::UTC),
            unless: spec.unless.unwrap_or_default(),
            split: spec.split,
            text: spec.text.unwrap_or_default(),
            map: map.transpose()?,
            default: spec.default.as_ref().map(Scalar::to_value),
            prefix: spec.prefix.unwrap_or_default(),
            max_chars: spec.max_chars,
            scale: spec.scale,
        })
    }

    /// The value, if there is one. What was there but could not be read goes into `notes`.
    pub(super) fn read(&self, call: Call<'_>, notes: &mut Vec<String>) -> Option<Value> {
        let found = match &self.each {
            None => self.origin.find(call),
            Some(list) => list.find(call).and_then(|list| {
                let entries = list.as_array()?.iter().filter_map(|entry| self.origin.find(Call { document: entry, ..call }));
                Some(entries.collect())
            }),
        };
        let value = found.and_then(|value| self.over_each(value, notes, |value| self.filter(value, call)));
        let blank = |value: &Value| value.as_str() == Some("");
        let value = match value {
            Some(value) if !blank(&value) || self.default.is_none() => Some(value),
            _ => self.default.clone(),
        };
        value.and_then(|value| self.over_each(value, notes, |value| self.finish(value)))
    }

    /// Where its value came from: the place that had it, all that were put together, or the adapter itself.
    pub(super) fn came_from(&self, call: Call<'_>) -> String {
        const ADAPTER: &str = "the adapter";
        let there = |place: &&Place| place.find(call).and_then(|value| scalar_text(&value)).is_none_or(|text| !text.trim().is_empty());
        let found = |places: &[Place]| places.iter().filter(|place| place.find(call).is_some()).map(Place::to_string).collect::<Vec<_>>();
        let places = match &self.origin {
            // What is read of every entry of a list is told as it is written.
            _ if self.each.is_some() => return self.to_string(),
            Origin::Const(_) => Vec::new(),
            Origin::First(places) => {
                let all: Vec<&Place> = places.iter().filter(|place| place.find(call).is_some()).collect();
                all.iter().copied().find(|place| there(place)).or(all.first().copied()).map(Place::to_string).into_iter().collect()
            }
            Origin::Any(places) | Origin::Join(places, _) => found(places),
        };
        if places.is_empty() { ADAPTER.to_owned() } else { places.join(" and ") }
    }

    fn over_each(&self, value: Value, notes: &mut Vec<String>, run: impl Fn(Value) -> Result<Option<Value>, String>) -> Option<Value> {
        let mut one = |value| {
            run(value).unwrap_or_else(|problem| {
                notes.push(format!("{self}: {problem}"));
                None
            })
        };
        match value {
            // An entry that `split` makes a list of joins the list that it stood in.
            Value::Array(values) => Some(values.into_iter().filter_map(one).flat_map(entries).collect()),
            value => one(value),
        }
    }

    fn filter(&self, value: Value, call: Call<'_>) -> Result<Option<Value>, String> {
        let value = match &self.reading {
            Some((reading, when)) if when.as_ref().is_none_or(|when| when.holds(call)) => reading.read(value, self.offset)?,
            _ => value,
        };
        if value.as_str().is_some_and(|text| self.unless.iter().any(|nothing| nothing == text)) {
            return Ok(None);
        }
        if let (Some(separator), Some(text)) = (&self.split, value.as_str()) {
            let entries = text.split(separator.as_str()).map(str::trim).filter(|entry| !entry.is_empty());
            let entries: Vec<_> = entries.filter_map(|entry| self.look_up(entry.into()).transpose()).collect::<Result<_, _>>()?;
            return Ok(Some(entries.into()));
        }
        self.look_up(value)
    }

    /// The filters `text` and `map`.
    fn look_up(&self, value: Value) -> Result<Option<Value>, String> {
        if !self.text && self.map.is_none() {
            return Ok(Some(value));
        }
        let problem = || "is no text or number with all its digits; have the desk send it as text".to_owned();
        let text = scalar_text(&value).ok_or_else(problem)?;
        Ok(match &self.map {
            Some(map) => map.get(&text).map(|to| to.as_str().into()),
            None => Some(text.into()),
        })
    }

    /// The filters `prefix`, `max_chars` and `scale`.
    fn finish(&self, value: Value) -> Result<Option<Value>, String> {
        let value = match value {
            Value::String(text) if !text.is_empty() => cut(format!("{}{text}", self.prefix), self.max_chars).into(),
            other => other,
        };
        let Some((low, high)) = self.scale else { return Ok(Some(value)) };
        let scaled = value.as_f64().map(|number| (number - low) / (high - low)).filter(|scaled| (0.0..=1.0).contains(scaled));
        scaled.map(|scaled| Some(scaled.into())).ok_or_else(|| format!("is no number from {low} to {high}"))
    }
}

impl Origin {
    fn find(&self, call: Call<'_>) -> Option<Value> {
        match self {
            Self::Const(value) => Some(value.clone()),
            Self::First(places) => {
                let blank = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
                let mut found: Vec<_> = places.iter().filter_map(|place| place.find(call)).collect();
                let at = found.iter().position(|value| !blank(value)).unwrap_or_default();
                (!found.is_empty()).then(|| found.swap_remove(at))
            }
            Self::Any(places) => {
                let flags: Vec<_> = places.iter().filter_map(|place| scalar_text(&place.find(call)?)).collect();
                (!flags.is_empty()).then(|| flags.iter().any(|flag| flag == "true").into())
            }
            Self::Join(places, with) => {
                let parts: Vec<_> =
                    places.iter().filter_map(|place| scalar_text(&place.find(call)?)).filter(|part| !part.is_empty()).collect();
                (!parts.is_empty()).then(|| parts.join(with).into())
            }
        }
    }
}

impl fmt::Display for Field {
    /// The places that were tried, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (places, between) = match &self.origin {
            Origin::Const(_) => return f.write_str("`const`"),
            Origin::First(places) | Origin::Any(places) => (places, " or "),
            Origin::Join(places, _) => (places, " and "),
        };
        let each = self.each.as_ref().map(|list| format!("{list}/*")).unwrap_or_default();
        let places: Vec<_> = places.iter().map(|place| format!("{each}{place}")).collect();
        f.write_str(&places.join(between))
    }
}

#[cfg(test)]
#[path = "field_tests.rs"]
mod tests;
