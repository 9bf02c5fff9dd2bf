//! The claims of a source: what is verified, mapped, dropped and observed, and what is refused with which place.
//!
//! Run by `cargo test` only.

use http::{HeaderName, HeaderValue};

use super::*;
use crate::signature::{SchemeName, Tolerance};

const RECEIVED: Timestamp = Timestamp(1_793_000_000_000);

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn preset(name: &str) -> Source {
    let settings = Settings { secrets: vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()], ..Settings::default() };
    Source::new("desk", presets::adapter(name).unwrap().unwrap(), settings).unwrap()
}

fn map(source: &Source, content_type: &str, body: &str) -> Result<Mapping, MapError> {
    source.map(&headers(&[("content-type", content_type)]), None, body.as_bytes(), RECEIVED)
}

/// A source with a mapping of its own, on scheme `bearer`.
fn mapped(event: &str) -> Source {
    let inbound =
        "auth = { scheme = \"bearer\" }\nanswer = \"receipt\"\ncontent = \"mapped\"\ndelivery_id = [\"header:x-a\", \"header:x-b\"]";
    let adapter =
        Adapter::from_toml(&format!("[adapter]\nname = \"a\"\nsystem = \"s\"\nversion = 1\n[inbound]\n{inbound}\n[event]\n{event}"))
            .unwrap();
    Source::new("own", adapter, Settings { secrets: vec!["t0ken".to_owned()], ..Settings::default() }).unwrap()
}

const SMALL: &str = "id = { path = \"/n\", text = true }\ntext = { path = \"/t\" }\n";

#[test]
fn a_canonical_event_comes_through_with_the_hosts_own_fields() {
    let body = r#"{"id":"1","text":"hi","source":"forged","received":"2000-01-01T00:00:00Z","tenant":"x"}"#;
    for name in ["generic", "demo"] {
        let mapping = map(&preset(name), "application/json", body).unwrap();
        assert_eq!(mapping.unknown_keys, 1);
        let Mapped::Event(event) = mapping.mapped else { panic!("not an event") };
        assert_eq!((event.source.as_str(), event.received), ("desk", RECEIVED));
    }
}

#[test]
fn an_outbound_message_is_an_observation() {
    let mapping =
        map(&preset("generic"), "application/json", r#"{"id":"1","text":"we fixed it","direction":"outbound","ticket":{"id":"T-1"}}"#);
    let ticket = Some("T-1".to_owned());
    assert_eq!(mapping.unwrap().mapped, Mapped::Observation { reason: "an outbound message".to_owned(), ticket });
}

#[test]
fn cloudevents_are_taken_by_each_canonical_preset_and_told_from_plain_json() {
    let envelope = r#"{"specversion":"1.0","id":"A","source":"/s","type":"t","data":{"text":"hi"}}"#;
    for name in ["generic", "demo", "cloudevents"] {
        let source = preset(name);
        let Mapped::Event(event) = map(&source, "application/cloudevents+json", envelope).unwrap().mapped else { panic!("{name}") };
        assert_eq!(event.id, "/s|A");
        let binary = headers(&[
            ("content-type", "application/json"),
            ("ce-specversion", "1.0"),
            ("ce-id", "B"),
            ("ce-source", "/s"),
            ("ce-type", "t"),
        ]);
        let Mapped::Event(event) = source.map(&binary, None, br#"{"text":"hi"}"#, RECEIVED).unwrap().mapped else { panic!("{name}") };
        assert_eq!(event.id, "/s|B");
        assert_eq!(map(&source, "application/cloudevents+json", r#"{"id":"1","text":"hi"}"#), Err(MapError::NotCloudEvent));
    }
    assert_eq!(map(&preset("cloudevents"), "application/json", r#"{"id":"1","text":"hi"}"#), Err(MapError::WantsCloudEvent));
    assert!(matches!(map(&preset("generic"), "text/plain", r#"{"id":"1","text":"hi"}"#), Err(MapError::Content(_))));
}

#[test]
fn verifying_uses_the_sources_own_scheme_secrets_and_overrides() {
    let call = headers(&[("authorization", "Bearer t0ken")]);
    assert_eq!(mapped(SMALL).verify(&call, None, b"{}", 0), Ok(()));
    assert!(mapped(SMALL).verify(&headers(&[("authorization", "Bearer other")]), None, b"{}", 0).is_err());
    assert_eq!((preset("demo").reach(), preset("generic").reach()), (Reach::LoopbackOnly, Reach::Anywhere));

    let glpi = |auth| {
        let adapter = presets::adapter("chatwoot").unwrap().unwrap();
        Source::new(
            "glpi",
            adapter,
            Settings { auth: Some(auth), secrets: vec!["0123456789abcdef0123456789abcdef01234567".to_owned()], ..Settings::default() },
        )
        .unwrap()
    };
    let item =
        r#"{"id":42,"name":"Site down?","content":"<p>@acme your login page is down again</p>","urgency":3,"impact":3,"priority":3}"#;
    let body = format!(r#"{{"event":"new","item":{item}}}"#);
    let signature = "03f9f7a26ce82e74c3334f74d5027b197808c3acebeabc6c9feba7b4dc480521";
    let call = headers(&[("x-glpi-signature", signature), ("x-glpi-timestamp", "1762350445")]);
    let scheme = Auth::named(SchemeName::Glpi);
    assert_eq!(glpi(scheme.clone()).verify(&call, None, body.as_bytes(), 1_762_390_445), Ok(()));
    let strict = Auth { tolerance_s: Some(Tolerance::Seconds(300)), ..scheme };
    assert_eq!(glpi(strict).verify(&call, None, body.as_bytes(), 1_762_390_445).unwrap_err().name(), "stale");
}

#[test]
fn a_source_without_a_secret_or_with_a_bad_name_is_refused() {
    let new = |name: &str, preset: &str, secrets: Vec<String>| {
        Source::new(name, presets::adapter(preset).unwrap().unwrap(), Settings { secrets, ..Settings::default() })
    };
    assert_eq!(new("a", "generic", vec![]).unwrap_err(), SourceError::NoSecret("a".to_owned()));
    assert!(new("a", "demo", vec![]).is_ok());
    assert!(matches!(new("a", "generic", vec!["***".to_owned()]), Err(SourceError::Scheme { .. })));
    for name in ["", "A", "a/b", "a b", &"a".repeat(65)] {
        assert!(matches!(new(name, "demo", vec![]), Err(SourceError::Name(_))), "{name}");
    }
}

#[test]
fn a_delivery_is_named_by_the_first_usable_header() {
    let source = mapped(SMALL);
    assert_eq!(source.delivery_id(&headers(&[("x-b", "2"), ("x-a", "1")])).as_deref(), Some("1"));
    assert_eq!(source.delivery_id(&headers(&[("x-a", "two words"), ("x-b", "2")])).as_deref(), Some("2"));
    let long = "a".repeat(257);
    for unusable in [&[][..], &[("x-a", "")], &[("x-a", "1"), ("x-a", "2")], &[("x-a", &long)]] {
        assert_eq!(source.delivery_id(&headers(unusable)), None);
    }
}

#[test]
fn a_missing_required_value_names_the_places_that_were_tried() {
    let source = mapped("id = { first = [\"/a\", \"/b\"] }\ntext = { path = \"/t\", as = \"html_text\" }");
    let fault = |body: &str| match map(&source, "application/json", body) {
        Err(MapError::Event(EventError::Shape { pointer, problem })) => (pointer, problem),
        other => panic!("{body} -> {other:?}"),
    };
    assert_eq!(fault(r#"{"t":"x"}"#), ("/a or /b".to_owned(), "is missing; the event's `id` is read there".to_owned()));
    assert_eq!(fault(r#"{"a":"1"}"#).0, "/t");
    assert_eq!(fault(r#"{"a":"1","t":5}"#), ("/t".to_owned(), "is no text (`text`)".to_owned()));
    assert!(fault(r#"{"a":7,"t":"x"}"#).1.contains("text = true"));
    assert_eq!(fault(&format!(r#"{{"a":"{}","t":"x"}}"#, "1".repeat(300))).0, "/a or /b");
    assert_eq!(fault("[]").0, "");
}

#[test]
fn an_optional_value_that_does_not_fit_is_left_out_with_a_note() {
    let lines = ["title", "rating", "occurred", "visibility", "\"author.vip\""].map(|target| format!("{target} = {{ path = \"/x\" }}\n"));
    let source = mapped(&format!("{SMALL}{}\"ticket.status\" = {{ path = \"/t\" }}", lines.concat()));
    let mapping = map(&source, "application/json", r#"{"n":18446744073709551615,"t":"hi","x":{"secret":1}}"#).unwrap();
    assert_eq!(mapping.left_out.len(), 6, "{:?}", mapping.left_out);
    assert!(mapping.left_out.iter().all(|note| !note.contains("secret")));
    let Mapped::Event(event) = mapping.mapped else { panic!("not an event") };
    assert_eq!((event.id.as_str(), event.title, event.ticket), ("18446744073709551615", None, None));
}

#[test]
fn a_desks_long_mail_is_taken_and_its_true_length_kept() {
    let body = format!(r#"{{"n":1,"t":"{}"}}"#, "ä".repeat(100_000));
    let Mapped::Event(event) = map(&mapped(SMALL), "application/json", &body).unwrap().mapped else { panic!("not an event") };
    assert_eq!(event.text.chars().count(), crate::event::MAX_TEXT_CHARS);
    assert_eq!(event.attributes[0].value, crate::event::AttributeValue::Integer(100_000));
}

#[test]
fn a_desks_json_is_strict_and_of_a_key_given_twice_the_last_counts() {
    let source = mapped(SMALL);
    let Mapped::Event(event) = map(&source, "application/json", r#"{"n":1,"t":"first","t":"last"}"#).unwrap().mapped else {
        panic!("no event")
    };
    assert_eq!(event.text, "last");
    let deep = format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000));
    for body in ["", "{", "\u{feff}{}", "{}{}", r#"{"n":"\ud800"}"#, "{'n':1}", &deep] {
        assert!(matches!(map(&source, "application/json", body), Err(MapError::Event(EventError::Syntax(_)))), "{body:.20}");
    }
}

#[test]
fn drop_goes_before_observe_and_both_before_the_mapping() {
    let adapter = "adapter = { name = \"a\", system = \"s\", version = 1 }
        [inbound]
        auth = { scheme = \"none-on-loopback\" }
        answer = \"receipt\"
        content = \"canonical\"
        observe = [{ when = { path = \"/kind\", equals = \"note\" }, reason = \"seen\", ticket = { path = \"/ticket/id\" } }]
        drop = [{ when = { path = \"/author/staff\", is = true }, reason = \"ours\" }]";
    let source = Source::new("a", Adapter::from_toml(adapter).unwrap(), Settings::default()).unwrap();
    let read = |body: &str| map(&source, "application/json", body).unwrap().mapped;
    let both = r#"{"id":"1","text":"","kind":"note","author":{"staff":true},"ticket":{"id":"T"}}"#;
    assert_eq!(read(both), Mapped::Dropped { reason: "ours".to_owned() });
    let seen = r#"{"id":"1","text":"","kind":"note","ticket":{"id":"T"}}"#;
    assert_eq!(read(seen), Mapped::Observation { reason: "seen".to_owned(), ticket: Some("T".to_owned()) });
    assert!(matches!(read(r#"{"id":"1","text":""}"#), Mapped::Event(_)));
}
