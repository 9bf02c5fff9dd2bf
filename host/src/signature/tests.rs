//! The verifier's claims, in pairs: what verifies, and the same call with one thing wrong.
//!
//! Run by `cargo test` only. It must never read a clock or anything outside of the repository: the vectors are in `tests/fixtures`.

use std::path::Path;

use base64::engine::general_purpose::URL_SAFE;
use http::HeaderValue;

use super::*;

const NOW: u64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const GOOD: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

/// Standard Webhooks' own published vector, with some headers replaced (or, when the value is empty, left out).
fn standard(changes: &[(&'static str, &str)]) -> Result<(), Refusal> {
    let scheme = Scheme::resolve(&Auth::named(SchemeName::StandardWebhooks)).unwrap();
    let secrets = [scheme.secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()];
    let mut headers = HeaderMap::new();
    for (name, value) in [("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", "1614265330"), ("webhook-signature", GOOD)]
    {
        let value = changes.iter().find(|(changed, _)| *changed == name).map_or(value, |(_, value)| value);
        if !value.is_empty() {
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
    }
    verify(&scheme, &secrets, &headers, None, BODY, NOW)
}

#[test]
fn every_vector_is_judged_as_it_says() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let text = std::fs::read_to_string(fixtures.join("signatures.json")).unwrap();
    let checked = check_vectors(&text, |path| std::fs::read(fixtures.join(path)).map_err(|_| format!("{path} is not here"))).unwrap();
    let differing: Vec<_> = checked.iter().filter(|checked| checked.differs()).collect();
    assert!(differing.is_empty(), "{differing:#?}");
    // The bodies of these are not among the samples; everything else must really have been judged.
    let unchecked: Vec<_> =
        checked.iter().filter(|checked| matches!(checked.outcome, Outcome::Unchecked(_))).map(|c| c.id.as_str()).collect();
    assert_eq!(unchecked, ["zendesk-published-trigger-ticket_update", "zendesk-published-event-user_group_membership"]);
    assert_eq!(checked.len(), 38);
}

#[test]
fn a_vector_file_can_be_wrong_in_every_way_without_stopping_the_rest() {
    let file = r#"{"vectors": [
        {"id": "a", "scheme": "no-such", "valid": true},
        {"id": "b", "scheme": "glpi-cra", "secret": "key", "request": {"method": "GET", "query": {"crc_token": "abc"}}, "valid": true,
         "answer": "9c196e32dc0175f86f4b1cb89289d6619de6bee699e4c378e68309ed97a1a6ab"},
        {"id": "c", "scheme": "x-webhooks", "secret": "key", "request": {"method": "GET", "query": {"crc_token": "abc"}}, "valid": true,
         "answer": {"response_token": "sha256=nBluMtwBdfhvSxy4konWYZ3mvuaZ5MN45oMJ7Zehpqs="}},
        {"id": "d", "scheme": "bearer", "secret": "t0ken", "headers": {"authorization": "bearer t0ken"}, "valid": false},
        {"scheme": 7},
        {"id": "f", "scheme": "zendesk", "secret": "s", "headers": {"x-zendesk-webhook-signature": "EiqWE3SXTPQpPulBV6OSuuGziIishZNc1VwNZYqZrHU=",
         "x-zendesk-webhook-signature-timestamp": "2021-03-25T05:09:27Z"}, "body_file": "gone.json", "valid": true},
        {"id": "g", "scheme": "jira-x-hub-signature", "secret": "s", "headers": {"x-hub-signature": "sha1=547f1daf651a288f5a15472074140cf7a8da8528"},
         "body_file": "gone.json", "valid": false}]}"#;
    let checked = check_vectors(file, |_| Err("none".to_owned())).unwrap();
    assert!(matches!(&checked[0].outcome, Outcome::Invalid(why) if why.contains("no scheme of this host")) && checked[0].differs());
    assert_eq!(checked[1].outcome, Outcome::Valid("answered".to_owned()));
    assert_eq!(checked[2].outcome, Outcome::Valid("answered".to_owned()));
    assert!(matches!(checked[3].outcome, Outcome::Valid(_)) && checked[3].differs());
    assert!(matches!(&checked[4].outcome, Outcome::Invalid(why) if why.contains("cannot be read")) && checked[4].id == "vector-5");
    assert_eq!(checked[5].outcome, Outcome::Unchecked("none".to_owned()));
    assert!(matches!(&checked[6].outcome, Outcome::Invalid(why) if why.contains("sha1")), "a downgrade needs no body to be seen");
    assert!(check_vectors("[]", |_| Err(String::new())).is_err());
}

#[test]
fn each_fault_of_a_header_has_its_own_name() {
    assert_eq!(standard(&[]), Ok(()));
    let long = "m".repeat(257);
    for (header, value, name) in [
        ("webhook-signature", "", "absent"),
        ("webhook-id", "", "absent"),
        ("webhook-timestamp", "", "absent"),
        ("webhook-id", "two words", "form"),
        ("webhook-id", &long, "form"),
        ("webhook-timestamp", "0", "stale"),
        ("webhook-timestamp", "1700000000.5", "form"),
        ("webhook-timestamp", "+1614265330", "form"),
        ("webhook-timestamp", "-1", "form"),
        ("webhook-timestamp", "１６１４２６５３３０", "form"),
        ("webhook-timestamp", "99999999999999999999999", "form"),
        ("webhook-timestamp", "1614265330000", "milliseconds"),
        ("webhook-timestamp", "1614265631", "future"),
        ("webhook-timestamp", "1614265029", "stale"),
        ("webhook-timestamp", "1614265331", "mismatch"),
        ("webhook-id", "msg_another", "mismatch"),
        ("webhook-signature", "v1", "form"),
        ("webhook-signature", "v1,%%%%", "form"),
        ("webhook-signature", "v1 g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "form"),
        ("webhook-signature", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "form"),
        ("webhook-signature", "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "form"),
        ("webhook-signature", "V1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "form"),
        ("webhook-signature", "none,", "form"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE", "form"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKg==", "form"),
    ] {
        let refusal = standard(&[(header, value)]).unwrap_err();
        assert_eq!(refusal.name(), name, "{header}: {value} -> {refusal}");
    }
}

#[test]
fn any_entry_of_a_list_may_match_and_bad_ones_are_passed_over() {
    for list in [format!("v1,%%% v1a,xyz {GOOD}"), format!("{GOOD} v2,x"), format!("  {GOOD}  {GOOD}")] {
        assert_eq!(standard(&[("webhook-signature", &list)]), Ok(()), "{list}");
    }
    let other = "v1,tFtCZ5RDCPxzWQRWXWPgrCgE2frDBe9gjpbWQxnVfsQ=";
    assert_eq!(standard(&[("webhook-signature", &format!("{other} v1,%%%"))]).unwrap_err().name(), "mismatch");
}

#[test]
fn url_safe_and_hex_digests_are_refused_by_name() {
    let digest = STANDARD.decode(GOOD.trim_start_matches("v1,")).unwrap();
    for (text, word) in [(URL_SAFE.encode(&digest), "url-safe"), (hex::encode(&digest), "hex"), (hex::encode_upper(&digest), "hex")] {
        let refusal = standard(&[("webhook-signature", &format!("v1,{text}"))]).unwrap_err();
        assert!(refusal.to_string().contains(word), "{refusal}");
    }
}

#[test]
fn a_header_given_twice_is_refused_even_when_both_are_right() {
    let scheme = Scheme::resolve(&Auth { header: Some("x-sig".to_owned()), ..Auth::named(SchemeName::StaticHeader) }).unwrap();
    let secrets = [scheme.secret("tg-secret").unwrap()];
    let mut headers = HeaderMap::new();
    headers.append("x-sig", HeaderValue::from_static("tg-secret"));
    assert_eq!(verify(&scheme, &secrets, &headers, None, b"", NOW), Ok(()));
    headers.append("x-sig", HeaderValue::from_static("tg-secret"));
    assert_eq!(verify(&scheme, &secrets, &headers, None, b"", NOW).unwrap_err().name(), "repeated");
    let scheme = Scheme::resolve(&Auth::named(SchemeName::UrlToken)).unwrap();
    let secrets = [scheme.secret("W T").unwrap()];
    assert_eq!(verify(&scheme, &secrets, &headers, Some("a=1&token=W%20T"), b"", NOW), Ok(()));
    for query in [None, Some("token=W%20T&token=W%20T"), Some("token=w%20t"), Some("token=")] {
        assert!(verify(&scheme, &secrets, &headers, query, b"", NOW).is_err(), "{query:?}");
    }
}

#[test]
fn an_old_secret_verifies_while_it_is_listed_and_no_secret_never_does() {
    let scheme = Scheme::resolve(&Auth::named(SchemeName::XHubSignature256)).unwrap();
    let (old, new) = (scheme.secret("mysecret").unwrap(), scheme.secret("next").unwrap());
    let mut headers = HeaderMap::new();
    let value = "sha256=4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3";
    headers.insert("x-hub-signature-256", HeaderValue::from_static(value));
    let body = br#"{"foo":"bar"}"#;
    assert_eq!(verify(&scheme, &[new.clone(), old], &headers, None, body, NOW), Ok(()));
    assert_eq!(verify(&scheme, &[new], &headers, None, body, NOW).unwrap_err().name(), "mismatch");
    assert_eq!(verify(&scheme, &[], &headers, None, body, NOW), Err(Refusal::NoSecret));
    for empty in ["", "  "] {
        assert!(scheme.secret(empty).is_err());
    }
}

#[test]
fn a_list_with_its_own_timestamp_is_read_strictly() {
    let scheme = Scheme::resolve(&Auth { header: Some("x-signature".to_owned()), ..Auth::named(SchemeName::TV1List) }).unwrap();
    let secrets = [scheme.secret("key").unwrap()];
    let other = "0".repeat(64);
    let mut mac = Hmac::<Sha256>::new_from_slice(b"key").unwrap();
    mac.update(b"1614265330.{}");
    let good = hex::encode(mac.finalize().into_bytes());
    let call = |value: &str| {
        let headers = HeaderMap::from_iter([(HeaderName::from_static("x-signature"), HeaderValue::from_str(value).unwrap())]);
        verify(&scheme, &secrets, &headers, None, b"{}", NOW)
    };
    assert_eq!(call(&format!("t=1614265330,v1={other},v1={good},v0=x")), Ok(()));
    assert_eq!(call(&format!("t=1614265330, v1={good}")), Ok(()));
    for (value, name) in [
        (format!("v1={good}"), "form"),
        (format!("t=1614265330,t=1614265330,v1={good}"), "form"),
        ("t=1614265330".to_owned(), "form"),
        (format!("t=1614265330,v0={good}"), "form"),
        (format!("t=1614265331,v1={good}"), "mismatch"),
        (format!("t=1614260000,v1={good}"), "stale"),
    ] {
        assert_eq!(call(&value).unwrap_err().name(), name, "{value}");
    }
}

#[test]
fn the_log_names_the_usual_mistake_and_nobody_sees_digest_or_secret() {
    let (secret, key) = ("s3cret-of-the-desk", b"s3cret-of-the-desk");
    let scheme = Scheme::resolve(&Auth::named(SchemeName::Chatwoot)).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(b"{}");
    let digest = hex::encode(mac.finalize().into_bytes());
    let mut headers = HeaderMap::new();
    headers.insert("x-chatwoot-signature", HeaderValue::from_str(&format!("sha256={digest}")).unwrap());
    headers.insert("x-chatwoot-timestamp", HeaderValue::from_static("1614265330"));
    let secrets = [scheme.secret(secret).unwrap()];
    let refusal = verify(&scheme, &secrets, &headers, None, b"{}", NOW).unwrap_err();
    assert_eq!(refusal, Refusal::Mismatch { hint: Hint::BodyOnly });
    assert!(refusal.to_string().contains("a body-only digest would match"));
    for text in [refusal.to_string(), refusal.caller(), format!("{refusal:?}"), format!("{secrets:?}")] {
        assert!(!text.contains(secret) && !text.contains(&digest[..12]), "{text}");
    }
    assert!(!refusal.caller().contains("body-only"));
}

#[test]
fn a_downgrade_is_told_apart_from_a_wrong_form() {
    let call = |name, value: &'static str| {
        let scheme = Scheme::resolve(&Auth::named(name)).unwrap();
        let headers = HeaderMap::from_iter([(HeaderName::from_static("x-hub-signature"), HeaderValue::from_static(value))]);
        verify(&scheme, &[scheme.secret("x").unwrap()], &headers, None, b"{}", NOW).unwrap_err().name()
    };
    assert_eq!(call(SchemeName::JiraXHubSignature, "sha1=547f1daf651a288f5a15472074140cf7a8da8528"), "algorithm");
    assert_eq!(call(SchemeName::XHubSignatureSha1, "sha256=547f1daf"), "algorithm");
    assert_eq!(call(SchemeName::JiraXHubSignature, "547f1daf651a288f5a15472074140cf7a8da8528"), "form");
}

#[test]
fn a_scheme_of_ones_own_needs_overrides_only_and_nothing_is_guessed() {
    let own = r#"scheme = "hmac-sha256-base64"
        header = "X-Desk-Signature"
        timestamp_header = "X-Desk-Time"
        signed = "{timestamp}:{body}"
        tolerance_s = 60"#;
    let auth: Auth = toml::from_str(own).unwrap();
    let Check::Signed(signed) = Scheme::resolve(&auth).unwrap().check else { panic!("not a signed scheme") };
    assert_eq!(signed.tolerance, Some(60));
    assert_eq!(toml::from_str::<Auth>("scheme = \"chatwoot\"\ntolerance_s = \"off\"").unwrap().tolerance_s, Some(Tolerance::OFF));
    for (text, word) in [
        ("", "scheme"),
        ("scheme = \"hmac-sha256-base64\"", "`header`"),
        ("scheme = \"static-header\"", "`header`"),
        ("scheme = \"zendesk\"\nsigned = \"{id}.{body}\"", "`id_header`"),
        ("scheme = \"zendesk\"\nsigned = \"{timestamp}\"", "`{body}`"),
        ("scheme = \"zendesk\"\nsigned = \"{header}{body}\"", "place"),
        ("scheme = \"x-hub-signature-256\"\ntolerance_s = 300", "does not use"),
        ("scheme = \"basic\"\nheader = \"x\"", "does not use"),
    ] {
        let error = Scheme::resolve(&toml::from_str(text).unwrap()).unwrap_err().to_string();
        assert!(error.contains(word), "{text} -> {error}");
    }
    let standard = Scheme::resolve(&Auth::named(SchemeName::StandardWebhooks)).unwrap();
    assert!(standard.secret("not base64!").is_err() && standard.secret("whsec_").is_err());
    assert!(Scheme::resolve(&Auth::named(SchemeName::Basic)).unwrap().secret("no-colon").is_err());
}
