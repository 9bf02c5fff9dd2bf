//! Small additive text models: hashed features of a read text, weights of one byte, and the words that made a score.
//!
//! Used by the bundled rules that learned from data; what they learned is made by `plugins/train`, which has its features from
//! this very crate. It works in place on bytes that lie in the module, allocates a few lists per text, and must never parse.

pub mod bag;
pub mod features;
pub mod head;
pub mod nearest;
pub mod words;

pub use bag::Bag;
pub use features::{GROUPS, Shape, Sink, features};
pub use head::{File, Head, softmax};
pub use nearest::Nearest;
pub use words::Words;

/// The bytes of the word table that the bundled models share, made by `plugins/train/words.py`.
pub static WORD_TABLE: &[u8] = include_bytes!("words.bin");
