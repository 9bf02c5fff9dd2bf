//! HTML to plain text, for desks that send a message's body as HTML.
//!
//! Called by the filter `html_text`. Pure and total: any text in, text out, in linear time, never a panic. The result is plain text,
//! not safe HTML: whoever shows it escapes it.
//!
//! A scanner of our own and no parser crate: an html5ever tree costs some twenty crates and builds what is thrown away at once. Rules read
//! words, so a reading like a browser's is enough: tags dropped, blocks become line breaks, entities decoded, blanks collapsed, what
//! nobody sees (comments, `script`, `style`, `head`, `template`) left out.

use super::entities::entity;

/// Elements whose content is no text.
const HIDDEN: [&str; 5] = ["script", "style", "head", "title", "template"];
/// Elements that begin and end a line.
#[rustfmt::skip] // one name a line would hide the rest of the file
const BLOCK: [&str; 27] = [
    "address", "article", "aside", "blockquote", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4",
    "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table", "tr",
];

/// The text a reader of this HTML would see.
pub(super) fn to_text(html: &str) -> String {
    let mut scan = Scan { rest: html, ends: TagEnd::Unquoted, out: Out::default() };
    while !scan.rest.is_empty() {
        scan.step();
    }
    scan.out.finish()
}

/// What may end a tag. It only ever goes down this list: a search that failed once is not made again, which keeps the scan linear.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TagEnd {
    /// The next `>` outside of quotes.
    Unquoted,
    /// Some quote never closes: the next `>`.
    Any,
    /// No `>` is left: every `<` is text.
    None,
}

struct Scan<'a> {
    rest: &'a str,
    ends: TagEnd,
    out: Out,
}

impl Scan<'_> {
    fn step(&mut self) {
        let at = self.rest.find(['<', '&']).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(at);
        self.out.text(text);
        self.rest = rest;
        match rest.as_bytes() {
            [b'<', ..] => self.markup(),
            [b'&', ..] => self.entity(),
            _ => {}
        }
    }

    fn markup(&mut self) {
        let inner = &self.rest[1..];
        if let Some(comment) = inner.strip_prefix("!--") {
            // A comment that never closes hides the rest, as it does in a browser.
            self.rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            return;
        }
        let named = inner.strip_prefix('/').unwrap_or(inner);
        let starts_a_tag = named.starts_with(|c: char| c.is_ascii_alphabetic()) || inner.starts_with(['!', '?']);
        // `I <3 you` and `a < b` are text, and so is a tag that never ends.
        let end = if starts_a_tag { self.tag_end(inner) } else { None };
        let Some(end) = end else {
            self.out.text("<");
            self.rest = inner;
            return;
        };
        self.rest = &inner[end + 1..];
        let name = named.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
        let closing = inner.starts_with('/');
        match name.as_str() {
            "br" => self.out.line_break(),
            "td" | "th" | "option" => self.out.text(" "),
            name if BLOCK.contains(&name) => self.out.block(),
            name if HIDDEN.contains(&name) && !closing && !inner[..end].ends_with('/') => self.skip_to_end_of(name),
            _ => {}
        }
    }

    /// Where the `>` of this tag stands.
    fn tag_end(&mut self, inner: &str) -> Option<usize> {
        if self.ends == TagEnd::Unquoted {
            let mut open = None;
            for (at, byte) in inner.bytes().enumerate() {
                match (open, byte) {
                    (None, b'>') => return Some(at),
                    // A quote opens only as an attribute's value, so that `<don't>` hides nothing.
                    (None, b'"' | b'\'') if inner[..at].trim_end().ends_with('=') => open = Some(byte),
                    (Some(quote), byte) if quote == byte => open = None,
                    _ => {}
                }
            }
            self.ends = TagEnd::Any;
        }
        let end = if self.ends == TagEnd::Any { inner.find('>') } else { None };
        if end.is_none() {
            self.ends = TagEnd::None;
        }
        end
    }

    fn skip_to_end_of(&mut self, name: &str) {
        let mut from = 0;
        while let Some(at) = self.rest[from..].find("</") {
            let after = &self.rest[from + at + 2..];
            if after.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
                self.rest = after.find('>').map_or("", |end| &after[end + 1..]);
                return;
            }
            from += at + 2;
        }
        self.rest = "";
    }

    fn entity(&mut self) {
        let inner = &self.rest[1..];
        match entity(inner) {
            Some((character, rest)) => {
                self.out.character(character);
                self.rest = rest;
            }
            None => {
                self.out.text("&");
                self.rest = inner;
            }
        }
    }
}

/// The text so far, and the white space that the next word will need in front of it.
#[derive(Default)]
struct Out {
    text: String,
    gap: Gap,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Blank,
    Line,
    EmptyLine,
}

impl Out {
    fn text(&mut self, text: &str) {
        text.chars().for_each(|c| self.character(c));
    }

    fn character(&mut self, c: char) {
        if matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c' | '\u{a0}') {
            self.gap = self.gap.max(Gap::Blank);
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str(match self.gap {
                Gap::None => "",
                Gap::Blank => " ",
                Gap::Line => "\n",
                Gap::EmptyLine => "\n\n",
            });
        }
        self.gap = Gap::None;
        self.text.push(c);
    }

    /// The begin or end of a block: a line of its own, however many blocks meet here.
    fn block(&mut self) {
        self.gap = self.gap.max(Gap::Line);
    }

    /// `<br>`: each counts, up to one empty line.
    fn line_break(&mut self) {
        self.gap = if self.gap >= Gap::Line { Gap::EmptyLine } else { Gap::Line };
    }

    fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_a_browser() {
        for (html, text) in [
            (
                "This is a simple Webhook Test.<div><br></div><div>\n<img style=\"max-width:100%\" src=\"/a?b=c\"><br>\n</div>",
                "This is a simple Webhook Test.",
            ),
            ("<p>one</p><p>two</p>", "one\ntwo"),
            ("one<br>two<br/><br />three", "one\ntwo\n\nthree"),
            ("<ul><li>a</li>\n <li>b</li></ul>", "a\nb"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
            ("a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#x27;&nbsp;f", "a & b <c> \"d\" 'e' f"),
            ("&uuml;&Auml;&szlig;&yuml;&euro;&hellip;&#8364;&#128;&#x1F600;", "üÄßÿ€…€€😀"),
            ("&unknown; &amp &;&#; &#x; &#xD800; &#0; &#99999999999;", "&unknown; &amp &;&#; &#x; \u{fffd} \u{fffd} &#99999999999;"),
            ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
            ("<style>p{}</style><SCRIPT>if (a</b>) '<p>'</Script >x<!-- no > --y -->z", "xz"),
            ("<head><title>t</title></head><body>x</body>", "x"),
            ("<a title='a > b' href=\"x\">link</a> <b>bo</b>ld", "link bold"),
            ("I <3 you, a < b, c <= d, x<y and <don't> e", "I <3 you, a < b, c <= d, x e"),
            ("open <b", "open <b"),
            ("<a title=\"never closed>x</a> y", "x y"),
            ("<?xml version='1'?><!DOCTYPE html>x<![CDATA[y]]>", "x"),
            ("  \n ", ""),
            ("<!-- never closed", ""),
            ("Größe 日本語\u{200d}🙂", "Größe 日本語\u{200d}🙂"),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
    }

    #[test]
    fn hostile_html_takes_linear_time() {
        let units = [
            "<",
            "<a",
            "<a \"",
            "<a x=\">",
            "<a '\"",
            "<!--",
            "&",
            "&#",
            "</",
            "<script>",
            "<script></",
            "<div>",
            "<a =\"\">\" ",
            " =",
            "<a x= ",
        ];
        let started = std::time::Instant::now();
        for unit in units {
            let html = unit.repeat(1_000_000 / unit.len());
            assert!(to_text(&html).len() <= html.len() + 1, "{unit}");
        }
        // Quadratic would be hours, so the bound can be wide enough for any machine.
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }
}
