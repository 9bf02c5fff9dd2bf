//! The pure core: keeps silent where it must, finds the nearest article, and proposes it and its answer.

use signalbox_sdk::lookup::Row;
use signalbox_sdk::text::Text;
use signalbox_sdk::{Approval, Article, Effect, Evidence, Proposal, Reply, SoFar, Visibility, proposal};

use crate::config::Tables;
use crate::similar::{Shared, Shelf};
use crate::voice::{self, Worded};

/// Articles that are suggested.
const MOST: usize = 3;
const MAX_EVIDENCE: usize = 6;
/// Signals of earlier steps that a canned answer must not meet.
const GRAVE: [&str; 3] = ["threat", "self-harm", "legal-threat"];

/// What the core looks at. An absent fact is unknown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    /// The normal text: evidence spans are bytes of it.
    pub(crate) text: &'a str,
    pub(crate) title: Option<&'a str>,
    pub(crate) network: &'a str,
    pub(crate) visibility: Visibility,
    pub(crate) language: Option<&'a str>,
    pub(crate) settled: &'a SoFar,
}

/// Why there must be no reply, if there must be none.
pub(crate) fn silent(input: &Input<'_>, tables: &Tables) -> Option<&'static str> {
    let settled = input.settled;
    if settled.tags.iter().any(|tag| tag.starts_with("red-flag:")) {
        return Some("a red flag is raised");
    }
    if settled.escalation.as_ref().is_some_and(|escalation| escalation.level >= tables.silent_level) {
        return Some("it is escalated");
    }
    if settled.sentiment.as_ref().is_some_and(|s| s.signals.iter().any(|signal| GRAVE.contains(&signal.as_str()))) {
        return Some("a signal asks for a person");
    }
    if settled.tags.iter().any(|tag| tag == "resolved" || tag == "spam" || tag == "abuse") {
        return Some("there is nothing to answer");
    }
    if settled.category.as_ref().is_some_and(|category| !tables.categories.contains(&category.key)) {
        return Some("its category gets no drafts");
    }
    // Denied, supposed or quoted words count too: a canned answer is never worth the risk.
    let found = |written: &str| {
        let text = Text::read(written);
        (0..text.tokens.len()).any(|at| tables.silent.longest(&text, at).is_some())
    };
    (found(input.text) || input.title.is_some_and(found)).then_some("words of security, law or safety are in it")
}

/// Suggests articles and drafts the answer of the nearest.
pub(crate) fn decide(input: &Input<'_>, tables: &Tables, articles: &[(String, Row)]) -> Vec<Proposal> {
    let (text, title) = (Text::read(input.text), input.title.map(Text::read));
    let texts: Vec<(&'static str, &Text)> = [("text", &text)].into_iter().chain(title.as_ref().map(|title| ("title", title))).collect();
    let ranked = Shelf::of(articles).nearest(&texts);
    let near: Vec<_> = ranked.into_iter().filter(|(_, score, _)| *score >= tables.suggest_at).take(MOST).collect();
    let mut out = Vec::new();
    for (at, score, shared) in &near {
        let (id, row) = &articles[*at];
        let name = row.text("title").unwrap_or(id);
        let article = Article { id: id.clone(), title: name.to_owned(), url: row.text("url").map(str::to_owned), score: *score };
        let reason = format!("the article “{}” is about {}", short(name), quote(input, shared));
        out.push(say(Effect::SuggestArticle(article), reason, *score, input, tables, id, shared));
    }
    if let Some((at, score, shared)) = near.first().filter(|(_, score, _)| *score >= tables.draft_at) {
        let (id, row) = &articles[*at];
        if let Some(worded) = voice::word(input, tables, row) {
            draft(input, tables, (id, row), *score, shared, worded, &mut out);
        }
    }
    out
}

/// The draft, and who must agree to it.
fn draft(
    input: &Input<'_>,
    tables: &Tables,
    (id, row): (&String, &Row),
    score: f32,
    shared: &[Shared],
    worded: Worded,
    out: &mut Vec<Proposal>,
) {
    let unhappy = voice::unhappy(input);
    let category = input.settled.category.as_ref().map(|category| category.key.as_str());
    let auto = tables.auto.on
        && score >= tables.auto.at
        && !unhappy
        && worded.whole
        && category.is_some_and(|key| tables.auto.categories.iter().any(|c| c == key));
    let approval = match (auto, unhappy && worded.visibility == Visibility::Public) {
        (true, _) => Approval::None,
        (_, true) => Approval::Supervisor,
        _ => Approval::Agent,
    };
    let known = if row.boolean("known_issue") == Some(true) { "known issue" } else { "article" };
    let how = match (worded.whole, worded.visibility) {
        (false, _) => "asks to write in private, as the answer is not for the public",
        (_, Visibility::Public) => "answers in public",
        _ => "answers in private",
    };
    let name = short(row.text("title").unwrap_or(id)).to_owned();
    let reason = format!("the {known} “{name}” {how}: it shares {}", quote(input, shared));
    let reply = Reply {
        body: worded.body,
        visibility: worded.visibility,
        language: Some(worded.language),
        article: Some(id.clone()),
        auto,
        approval,
    };
    out.push(say(Effect::DraftReply(reply), reason, score, input, tables, id, shared));
    if !worded.whole {
        let note = format!("For the private answer: {name} ({id}).");
        out.push(say(Effect::Note(note), "the answer itself is in the article".to_owned(), score, input, tables, id, shared));
    }
}

fn words<'a>(input: &Input<'a>, shared: &Shared) -> &'a str {
    let written = if shared.field == "title" { input.title.unwrap_or_default() } else { input.text };
    written.get(shared.span.start as usize..shared.span.end as usize).unwrap_or_default()
}

fn quote(input: &Input<'_>, shared: &[Shared]) -> String {
    shared.iter().take(3).map(|one| format!("“{}”", words(input, one))).collect::<Vec<_>>().join(", ")
}

fn short(title: &str) -> &str {
    title.char_indices().nth(120).map_or(title, |(end, _)| &title[..end])
}

fn say(effect: Effect, reason: String, confidence: f32, input: &Input<'_>, tables: &Tables, id: &str, shared: &[Shared]) -> Proposal {
    let total: f32 = shared.iter().map(|one| one.weight).sum();
    let one = |shared: &Shared| Evidence {
        field: shared.field.to_owned(),
        span: Some(shared.span),
        text: words(input, shared).to_owned(),
        weight: shared.weight / total.max(f32::EPSILON),
    };
    let mut evidence: Vec<Evidence> = shared.iter().take(MAX_EVIDENCE).map(one).collect();
    evidence.push(Evidence { field: format!("table:{}/{id}", tables.articles), span: None, text: id.to_owned(), weight: 0.0 });
    Proposal { rule_id: Some(id.to_owned()), evidence, ..proposal(effect, reason, confidence.clamp(0.0, 0.95)) }
}

#[cfg(test)]
mod tests;
