//! Claims about languages, and about when none is named.

use signalbox_sdk::Rule;
use signalbox_sdk::testing::run;

use super::*;

/// The language that is named.
fn language(text: &str, claimed: Option<&str>, config: &str) -> Option<String> {
    let proposals = decide(&Input { text, claimed }, &Tables::read(config).unwrap());
    for evidence in proposals.iter().flat_map(|p| &p.evidence) {
        if let Some(span) = evidence.span {
            assert_eq!(&text[span.start as usize..span.end as usize], evidence.text);
        }
    }
    assert!(proposals.iter().all(|p| !p.reason.is_empty() && !p.evidence.is_empty()));
    proposals.into_iter().find_map(|p| if let Effect::SetLanguage(language) = p.effect { Some(language) } else { None })
}

#[test]
fn each_language_is_told_from_the_others() {
    for (text, code) in [
        ("The second monitor stays black after lunch, any idea?", "en"),
        ("Der zweite Bildschirm bleibt nach dem Mittag schwarz, woran liegt das?", "de"),
        ("La segunda pantalla se queda negra después de comer, ¿alguna idea?", "es"),
        ("Le deuxième écran reste noir après le déjeuner, une idée ?", "fr"),
        ("Toinen näyttö jää mustaksi lounaan jälkeen, mistä se johtuu?", "fi"),
        ("O segundo monitor fica preto depois do almoço, alguma ideia?", "pt"),
        ("Il secondo schermo resta nero dopo pranzo, qualche idea?", "it"),
    ] {
        assert_eq!(language(text, None, "{}").as_deref(), Some(code), "{text}");
    }
}

#[test]
fn what_cannot_be_told_is_left_open() {
    for text in ["", "503", "ok", "😡", "Не работает интернет уже второй день", "لا يعمل الإنترنت منذ الصباح", "服务器又宕机了"]
    {
        assert_eq!(language(text, None, "{}"), None, "{text}");
    }
}

#[test]
fn a_claim_settles_what_the_words_leave_open_and_no_more() {
    assert_eq!(language("VPN :(", Some("pt-BR"), "{}").as_deref(), Some("pt"));
    assert_eq!(language("VPN :(", Some("pt-BR"), r#"{"trust_source": false}"#), None);
    assert_eq!(language("VPN :(", Some("sv"), "{}"), None);
    let german = "Warum geht das denn schon wieder nicht, wir warten seit Stunden";
    assert_eq!(language(german, Some("en"), "{}").as_deref(), Some("de"));
}

#[test]
fn what_is_not_served_is_not_named() {
    let german = "Warum geht das denn schon wieder nicht, wir warten seit Stunden";
    assert_eq!(language(german, None, r#"{"languages": ["en", "fr"]}"#), None);
    assert_eq!(language(german, None, r#"{"languages": ["de"]}"#).as_deref(), Some("de"));
}

#[test]
fn the_examples_hold() {
    for example in &crate::Language::describe().examples {
        run::<crate::Language>(example).unwrap();
    }
}
