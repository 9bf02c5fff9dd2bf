//! Claims about the default taxonomy on posts as people write them, in pairs where a twin must differ.

use signalbox_sdk::testing::run;
use signalbox_sdk::{Effect, Rule};

use super::*;

fn proposals(text: &str) -> Vec<Proposal> {
    decide(&Input { text, ..Input::default() }, &Tables::read("{}").unwrap())
}

fn key(proposals: &[Proposal]) -> String {
    proposals
        .iter()
        .find_map(|p| match &p.effect {
            Effect::Categorize(c) => Some(c.key.clone()),
            _ => None,
        })
        .unwrap()
}

fn intent_of(proposals: &[Proposal]) -> Option<&str> {
    proposals.iter().find_map(|p| match &p.effect {
        Effect::SetIntent(i) => Some(i.as_str()),
        _ => None,
    })
}

fn tags(proposals: &[Proposal]) -> Vec<&str> {
    proposals
        .iter()
        .filter_map(|p| match &p.effect {
            Effect::Tag(t) => Some(t.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn posts_find_their_category() {
    let posts = [
        ("outage", "@acme your VPN has been down since 9am, nobody in our office can work!!"),
        ("outage", "Oh great, another outage. Checkout is down in all stores"),
        ("outage", "Is anyone else having trouble reaching the portal? 503 everywhere"),
        ("outage", "Whole company offline, no internet in any building"),
        ("outage", "#outage wifi gone dark across campus"),
        ("outage", "Email down?"),
        ("technical-fault", "Outlook keeps crashing on my laptop since the update"),
        ("technical-fault", "I'm locked out of my account, password reset link expired again"),
        ("technical-fault", "can’t even log in to the app on my phone"),
        ("technical-fault", "The app is soooo slow today it takes a minute to load my inbox"),
        ("technical-fault", "Printer in room 4 says error 0x800f and won't print"),
        ("technical-fault", "my headset has no sound in Teams"),
        ("security", "Got an email pretending to be your support asking for my password"),
        ("security", "I think my account was hacked, there is a login from Brazil"),
        ("security", "Your customers' leaked passwords are on a forum right now"),
        ("security", "all our files are encrypted, ransom note on every pc"),
        ("security", "I can see other customers' orders in my account!"),
        ("billing", "You charged me twice this month, I want a refund"),
        ("billing", "Where is my invoice for March?"),
        ("billing", "still being charged after I cancelled, money back please"),
        ("how-to", "How do I set up the VPN on my new phone?"),
        ("how-to", "where can I change my password?"),
        ("how-to", "Is there a way to export my contacts to csv"),
        ("idea", "Would be great if the app had a dark mode"),
        ("idea", "Feature request: please add an option to snooze notifications"),
        ("idea", "I wish the portal remembered my filters"),
        ("praise", "Huge thanks to Maria on the help desk, great service 👏"),
        ("praise", "Love the new app, works perfectly"),
        ("praise", "❤️❤️"),
        ("spam", "win FREE crypto now!!! click here https://spam.example/x"),
        ("spam", "Earn $500 per day from home, join my telegram group"),
        ("product-complaint", "Worst customer service ever. On hold for 2 hours and then hung up on me"),
        ("product-complaint", "Really disappointed with the quality, never again"),
        ("product-complaint", "Thanks for nothing, three weeks and still no reply"),
        ("other", "Tuesday."),
        ("other", "@acme hello"),
    ];
    let wrong: Vec<String> = posts
        .iter()
        .filter(|(want, text)| key(&proposals(text)) != *want)
        .map(|(want, text)| format!("{want} <> {}: {text}", key(&proposals(text))))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn other_languages_find_it_too() {
    let posts = [
        ("outage", "Seit heute früh ist das VPN ausgefallen, keiner kann arbeiten"),
        ("technical-fault", "Die App funktioniert nicht, ich kann mich nicht anmelden"),
        ("billing", "Mir wurde doppelt abgebucht, ich will mein Geld zurück"),
        ("security", "Mein Konto wurde gehackt"),
        ("outage", "El servicio está caído, nadie puede entrar"),
        ("technical-fault", "La aplicación no funciona desde ayer"),
        ("billing", "Me cobraron dos veces la factura"),
        ("outage", "Le site est en panne, personne ne peut commander"),
        ("technical-fault", "Impossible de me connecter à mon compte"),
        ("how-to", "Comment faire pour changer mon mot de passe ?"),
        ("outage", "Koko verkko on alhaalla, kukaan ei pääse töihin"),
        ("technical-fault", "Sovellus ei toimi, en pääse kirjautumaan"),
        ("praise", "Kiitos, loistavaa palvelua!"),
        ("outage", "O site caiu e ninguém consegue comprar"),
        ("technical-fault", "L'app non funziona, si blocca sempre"),
    ];
    let wrong: Vec<String> = posts
        .iter()
        .filter(|(want, text)| key(&proposals(text)) != *want)
        .map(|(want, text)| format!("{want} <> {}: {text}", key(&proposals(text))))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn twins_differ() {
    let twins = [
        ("outage", "The VPN is down", "The VPN is not down"),
        ("outage", "VPN is down for everyone", "VPN was down but is back up, thanks"),
        ("outage", "The checkout went down", "What happens if the checkout goes down one day?"),
        ("outage", "the site is down", "the update will slow down the site a bit"),
        ("security", "we were hacked, passwords leaked", "we were never hacked, no passwords leaked"),
        ("technical-fault", "The app crashes", "The app no longer crashes, thank you"),
        ("praise", "Thanks for the quick fix!", "Thanks in advance, the login is broken"),
        ("praise", "Great job on the new portal", "Great job, the portal is down again"),
        ("how-to", "How do I use the VPN?", "How do you even call this a VPN, it is broken"),
        ("outage", "VPN fixed? No, it is down again for everyone", "VPN fixed, all good now"),
    ];
    for (want, yes, no) in twins {
        assert_eq!(key(&proposals(yes)), want, "{yes}");
        assert_ne!(key(&proposals(no)), want, "{no}");
    }
}

#[test]
fn intent_follows_the_form() {
    for (want, text) in [
        (Some("fault-report"), "Checkout is down"),
        (Some("question"), "How do I change my plan?"),
        (Some("complaint"), "The worst support ever"),
        (Some("praise"), "Brilliant support, thank you"),
        (Some("idea"), "It would be nice if you added dark mode"),
        (Some("spam"), "click here to claim your prize"),
        (Some("request"), "I need a second monitor"),
        (Some("question"), "Are you open on Sunday?"),
        (None, "Tuesday."),
    ] {
        assert_eq!(intent_of(&proposals(text)), want, "{text}");
    }
}

#[test]
fn services_are_tagged_once() {
    assert_eq!(tags(&proposals("Outlook and the VPN: vpn is down, e-mail too")), ["service:email", "service:vpn"]);
    assert_eq!(tags(&proposals("hello")), Vec::<&str>::new());
}

#[test]
fn a_rating_speaks_only_when_there_is_one() {
    let tables = Tables::read("{}").unwrap();
    let judge = |rating| key(&decide(&Input { text: "Three words here", rating, ..Input::default() }, &tables));
    assert_eq!(
        (judge(Some(0.0)), judge(Some(1.0)), judge(Some(0.5)), judge(None)),
        ("product-complaint".into(), "praise".into(), "other".into(), "other".into())
    );
}

#[test]
fn more_words_make_it_surer() {
    let sure = |text: &str| proposals(text)[0].confidence;
    assert!(sure("the site is down, nobody can check out, total outage") > sure("site down"));
    assert!(sure("site down") > sure("Tuesday."));
}

#[test]
fn evidence_slices_the_text() {
    for text in ["Größter Mist: VPN is down – „nobody can log in“ 😡 #outage", "refund! can’t log in…", "L’app è caduta, non funziona"]
    {
        for evidence in proposals(text).iter().flat_map(|p| &p.evidence) {
            let span = evidence.span.unwrap();
            assert_eq!(&text[span.start as usize..span.end as usize], evidence.text);
            assert!(evidence.weight.abs() <= 1.0 && !evidence.text.is_empty());
        }
    }
}

#[test]
fn hashtags_weigh_what_the_admin_says() {
    let tables = Tables::read(r#"{"hashtag_weight": 0}"#).unwrap();
    assert_eq!(key(&decide(&Input { text: "#outage", ..Input::default() }, &tables)), "other");
    assert_eq!(key(&proposals("#outage")), "outage");
}

#[test]
fn extra_words_join_a_category() {
    let tables = Tables::read(r#"{"extra": [{"category": "outage", "words": ["kaboom"]}]}"#).unwrap();
    assert_eq!(key(&decide(&Input { text: "kaboom in the data centre", ..Input::default() }, &tables)), "outage");
}

#[test]
fn the_examples_hold() {
    let description = crate::Categorize::describe();
    assert!(description.examples.len() >= 4);
    for example in &description.examples {
        run::<crate::Categorize>(example).unwrap();
    }
}
