//! What was learned: the IT ticket topics of the bundled model, or classes from the examples of a config.
//!
//! Called by the core on a text that was read. The topics lie in `tickets.bin`, made by `plugins/train/tickets.py`.

use signalbox_model::nearest::{Nearest, Verdict};
use signalbox_model::{Bag, File, Shape, Words, softmax};
use signalbox_sdk::text::Text;

static TICKETS: &[u8] = include_bytes!("tickets.bin");
/// As in the training tool.
const SHAPE: Shape = Shape { pieces: (0, 0), skips: false, tone: false };
/// The group of words and pairs.
const WORDS: usize = signalbox_model::features::WORDS;

/// The topics: key, label, path. In the order of the model's columns.
pub(crate) const TOPICS: [(&str, &str, &[&str]); 8] = [
    ("access", "Access", &["IT", "Access"]),
    ("administrative-rights", "Administrative rights", &["IT", "Access"]),
    ("hardware", "Hardware", &["IT", "Hardware"]),
    ("hr-support", "HR support", &["HR"]),
    ("internal-project", "Internal project", &["IT", "Projects"]),
    ("miscellaneous", "Miscellaneous", &["Other"]),
    ("purchase", "Purchase", &["Purchasing"]),
    ("storage", "Storage", &["IT", "Storage"]),
];

/// The topic of a ticket.
pub(crate) fn topic(text: &Text) -> Option<Verdict> {
    if text.tokens.is_empty() {
        return None;
    }
    let head = File::over(TICKETS)?.head::<8>(0)?;
    let mut bag = Bag::of(text, &Words::NONE, SHAPE);
    bag.sort();
    let mut parts = Vec::new();
    let scores = head.explain_counted(&bag, WORDS, &mut parts);
    let class = (0..8).fold(0, |best, at| if scores[at] > scores[best] { at } else { best });
    let others = |part: &[f32; 8]| part[class] - (part.iter().sum::<f32>() - part[class]) / 7.0;
    Some(Verdict { class, confidence: softmax(scores)[class], closeness: 1.0, parts: parts.iter().map(others).collect() })
}

/// Learns the classes of a config, when it has examples.
pub(crate) fn learn(categories: &[crate::config::Category]) -> Nearest {
    let examples: Vec<(usize, &str)> =
        categories.iter().enumerate().flat_map(|(at, c)| c.examples.iter().map(move |example| (at, example.as_str()))).collect();
    if examples.is_empty() { Nearest::default() } else { Nearest::learn(categories.len(), &examples) }
}
