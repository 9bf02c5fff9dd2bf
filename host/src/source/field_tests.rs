//! The filters' claims: one table of lines of `[event]`, and what each reads from one body.
//!
//! Run by `cargo test` only.

use http::HeaderMap;
use serde_json::json;

use super::*;

fn resolve(line: &str) -> Result<Field, String> {
    #[derive(Deserialize)]
    struct File {
        field: FieldSpec,
    }
    let maps =
        Maps::from([("colour".to_owned(), BTreeMap::from([("1".to_owned(), "red".to_owned()), ("b".to_owned(), "blue".to_owned())]))]);
    Field::resolve(toml::from_str::<File>(&format!("field = {line}")).map_err(|error| error.to_string())?.field, &maps)
}

/// What is read, and how many notes were made.
fn read(line: &str) -> (Option<Value>, usize) {
    let document: Value = serde_json::from_str(
        r#"{"s": " Text ", "blank": "", "null": null, "n": 1063212927510081536, "u": 18446744073709551615, "big": 184467440737095516150,
            "one": 1, "f": 1.5, "yes": true, "no": false, "text_yes": "true", "list": ["a", "b", 1], "tags": "x, y,,z", "size": "35574",
            "html": "<p>a</p>b", "plain": "text/plain", "date": "12/13/2016 18:46:44",
            "from": "\"Ann E.\" <ann@example.com>", "bare": "<a@b.c>",
            "rows": [{"t": "p"}, {"t": null}, {"t": "q"}], "stars": 4, "family": "👨‍👩‍👧👨‍👩‍👧", "obj": {"a": 1}}"#,
    )
    .unwrap();
    let headers = HeaderMap::from_iter([(http::header::USER_AGENT, http::HeaderValue::from_static("desk"))]);
    let mut notes = Vec::new();
    let value = resolve(line).unwrap().read(Call { document: &document, headers: &headers, query: Some("q=a+b") }, &mut notes);
    (value, notes.len())
}

#[test]
fn every_origin_and_filter_reads_what_it_says() {
    for (line, wanted) in [
        (r#"{path = "/s"}"#, json!(" Text ")),
        (r#"{path = "/obj/a"}"#, json!(1)),
        (r#"{first = ["/null", "/blank", "/s"]}"#, json!(" Text ")),
        (r#"{first = ["/none", "/blank"]}"#, json!("")),
        (r#"{first = ["/blank", "header:user-agent"]}"#, json!("desk")),
        (r#"{any = ["/no", "/yes"]}"#, json!(true)),
        (r#"{any = ["/no", "/text_yes"]}"#, json!(true)),
        (r#"{any = ["/no", "/none"]}"#, json!(false)),
        (r#"{const = "x"}"#, json!("x")),
        (r#"{const = true}"#, json!(true)),
        (r#"{join = ["/s", "/none", "/n"], with = ":"}"#, json!(" Text :1063212927510081536")),
        (r#"{header = "User-Agent"}"#, json!("desk")),
        (r#"{query = "q"}"#, json!("a b")),
        (r#"{each = "/rows", path = "/t", prefix = "-"}"#, json!(["-p", "-q"])),
        (r#"{path = "/s", as = "trim"}"#, json!("Text")),
        (r#"{path = "/s", as = "lower"}"#, json!(" text ")),
        (r#"{path = "/html", as = "html_text"}"#, json!("a\nb")),
        (r#"{path = "/html", as = "html_text", as_when = {path = "/plain", not_in = ["text/plain"]}}"#, json!("<p>a</p>b")),
        (r#"{path = "/size", as = "number"}"#, json!(35574)),
        (r#"{path = "/date", as = "time", offset = "-05:00"}"#, json!("2016-12-13T23:46:44.000Z")),
        (r#"{path = "/from", as = "display_name"}"#, json!("Ann E.")),
        (r#"{path = "/bare", as = "display_name"}"#, json!("a@b.c")),
        (r#"{path = "/s", as = "display_name"}"#, json!("Text")),
        (r#"{path = "/tags", split = ","}"#, json!(["x", "y", "z"])),
        (r#"{path = "/list", split = ","}"#, json!(["a", "b", 1])),
        (r#"{path = "/n", text = true, prefix = "x:"}"#, json!("x:1063212927510081536")),
        (r#"{path = "/u", text = true}"#, json!("18446744073709551615")),
        (r#"{path = "/f", text = true}"#, json!("1.5")),
        (r#"{path = "/list", text = true}"#, json!(["a", "b", "1"])),
        (r#"{path = "/one", map = "colour"}"#, json!("red")),
        (r#"{path = "/list", map = "colour"}"#, json!(["blue", "red"])),
        (r#"{path = "/s", map = "colour", default = "grey", prefix = "dark "}"#, json!("dark grey")),
        (r#"{path = "/blank", default = "x"}"#, json!("x")),
        (r#"{path = "/s", max_chars = 3}"#, json!(" Te")),
        (r#"{path = "/family", max_chars = 7}"#, json!("👨‍👩‍👧")),
        (r#"{path = "/stars", scale = [1, 5]}"#, json!(0.75)),
    ] {
        assert_eq!(read(line), (Some(wanted), 0), "{line}");
    }
}

#[test]
fn what_is_not_there_is_absent_and_what_cannot_be_read_is_noted() {
    for line in [
        r#"{path = "/none"}"#,
        r#"{path = "/null", text = true}"#,
        r#"{any = ["/none"]}"#,
        r#"{join = ["/none", "/blank"]}"#,
        r#"{path = "/s", map = "colour"}"#,
        r#"{path = "/s", unless = [" Text "]}"#,
        r#"{header = "x-none"}"#,
        r#"{each = "/s", path = "/t"}"#,
    ] {
        assert_eq!(read(line), (None, 0), "{line}");
    }
    for line in [
        r#"{path = "/big", text = true}"#,
        r#"{path = "/obj", text = true}"#,
        r#"{path = "/n", as = "trim"}"#,
        r#"{path = "/s", as = "rfc3339"}"#,
        r#"{path = "/s", as = "number"}"#,
        r#"{path = "/stars", scale = [5, 10]}"#,
    ] {
        assert_eq!(read(line), (None, 1), "{line}");
    }
}

#[test]
fn a_line_that_makes_no_sense_is_refused_with_the_key() {
    for (line, word) in [
        ("{}", "exactly one of `path`"),
        (r#"{path = "/a", const = 1}"#, "exactly one of `path`"),
        (r#"{path = "a"}"#, "JSON Pointer"),
        (r#"{path = "/a~2"}"#, "JSON Pointer"),
        (r#"{path = "/a", map = "none"}"#, "[maps.none]"),
        (r#"{path = "/a", as = "base64"}"#, "unknown variant"),
        (r#"{path = "/a", offset = "+01:00"}"#, "as = \"time\""),
        (r#"{path = "/a", as = "time", offset = "CET"}"#, "+02:00"),
        (r#"{path = "/a", with = " "}"#, "`join`"),
        (r#"{path = "/a", scale = [5, 1]}"#, "`scale`"),
        (r#"{path = "/a", eval = "1+1"}"#, "unknown field"),
        (r#"{header = "a b"}"#, "does not name a header"),
    ] {
        let error = resolve(line).unwrap_err();
        assert!(error.contains(word), "{line} -> {error}");
    }
}
