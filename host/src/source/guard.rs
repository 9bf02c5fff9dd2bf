//! The loop guard: calls that our own write-back caused, so that a note never asks for another note.
//!
//! Called by `source` before any other rule. Pure. Two signs: the actor is the user that we write back as, or the text ends with our
//! mark. An adapter names only places for the mark that customers cannot write to: a customer must not hide behind it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outbound::MARK;
use super::reading::{Call, Place, scalar_text};

/// Why such a call is dropped.
pub(super) const REASON: &str = "our own write-back";
/// Length of a decision's id, a UUID.
const ID_CHARS: usize = 36;

/// `[loop_guard]`, as written.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GuardSpec {
    /// Where the desk says who did it: an id, a login, an address. Compared with the source's `own_user`.
    #[serde(default)]
    actor: Vec<String>,
    /// Where a note of ours would be, in text that only agents write.
    #[serde(default)]
    note: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    actor: Vec<Place>,
    note: Vec<Place>,
}

impl Guard {
    pub(super) fn resolve(spec: &GuardSpec) -> Result<Self, String> {
        let places = |texts: &[String]| texts.iter().map(|text| text.parse()).collect::<Result<_, String>>();
        Ok(Self { actor: places(&spec.actor)?, note: places(&spec.note)? })
    }

    /// Whether the adapter can tell who did it.
    pub(super) fn names_actors(&self) -> bool {
        !self.actor.is_empty()
    }

    /// Whether a call is the echo of our own.
    pub(super) fn holds(&self, call: Call<'_>, own_user: Option<&str>) -> bool {
        let texts = |places: &[Place]| places.iter().filter_map(|place| scalar_text(&place.find(call)?)).collect::<Vec<_>>();
        let own = own_user.is_some_and(|own| texts(&self.actor).iter().any(|actor| actor.eq_ignore_ascii_case(own)));
        own || texts(&self.note).iter().any(|text| is_ours(text))
    }
}

fn is_ours(text: &str) -> bool {
    text.match_indices(MARK).any(|(at, _)| {
        let id = text[at + MARK.len()..].chars().take(ID_CHARS);
        id.clone().count() == ID_CHARS && id.into_iter().all(|c| c.is_ascii_hexdigit() || c == '-')
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::json;

    use super::*;

    #[test]
    fn our_own_echo_is_known_by_its_actor_or_its_mark() {
        let spec = GuardSpec { actor: vec!["/by/id".to_owned(), "/by/login".to_owned()], note: vec!["/note".to_owned()] };
        let guard = Guard::resolve(&spec).unwrap();
        let holds = |document, own| guard.holds(Call { document: &document, headers: &HeaderMap::new(), query: None }, own);
        let mark = "Category: outage\nsignalbox:01a20456-2dcc-707a-a2ca-064d2ae3461d";
        assert!(holds(json!({"by": {"id": 7}}), Some("7")));
        assert!(holds(json!({"by": {"login": "Rules@Example.com"}}), Some("rules@example.com")));
        assert!(holds(json!({"note": mark}), None));
        assert!(!holds(json!({"by": {"id": 8}}), Some("7")));
        assert!(!holds(json!({"by": {}}), None));
        assert!(!holds(json!({"text": mark, "note": "see signalbox: it says so"}), None), "only where agents write, and only a whole mark");
    }
}
