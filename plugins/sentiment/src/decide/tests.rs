//! Claims about the built-in words on posts as people write them, in pairs where a twin must differ.

use signalbox_sdk::Rule;
use signalbox_sdk::testing::run;

use super::*;

fn judge(text: &str) -> (Sentiment, Proposal) {
    let proposal = decide(&Input { text, ..Input::default() }, &Tables::read("{}").unwrap()).remove(0);
    let Effect::FlagSentiment(sentiment) = proposal.effect.clone() else { panic!("always a sentiment") };
    (sentiment, proposal)
}

fn side(text: &str) -> i32 {
    match judge(text).0.label {
        SentimentLabel::VeryNegative | SentimentLabel::Negative => -1,
        SentimentLabel::Neutral => 0,
        SentimentLabel::Positive | SentimentLabel::VeryPositive => 1,
    }
}

fn sides(posts: &[(i32, &str)]) {
    let wrong: Vec<String> = posts
        .iter()
        .filter(|(want, text)| side(text) != *want)
        .map(|(want, text)| format!("{want} <> {} {:.2}: {text}", judge(text).1.reason, judge(text).0.score))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn posts_find_their_side() {
    sides(&[
        (-1, "@acme VPN has been down since 9am, nobody can work"),
        (-1, "Locked out of my account again, on hold for hours"),
        (-1, "Your app crashed and I lost all my photos"),
        (-1, "still waiting for a reply, three weeks now"),
        (-1, "this is UNACCEPTABLE"),
        (-1, "worst. service. ever."),
        (-1, "You charged me twice and nobody answers the phone"),
        (-1, "Not impressed with the new portal"),
        (-1, "checkout is broken :("),
        (-1, "😡😡😡"),
        (-1, "#fail"),
        (-1, "The update made everything slower and now the printer won't print, do better"),
        (-1, "I can't recommend this company"),
        (0, "Where can I download the VPN client?"),
        (0, "The maintenance window is on Sunday from 9 to 11."),
        (0, "@acme"),
        (0, ""),
        (0, "I will install the update tomorrow"),
        (0, "My order number is 12345"),
        (1, "Huge thanks to Maria on the help desk, brilliant support"),
        (1, "Love the new app, so easy to use"),
        (1, "works again, thank you!"),
        (1, "❤️❤️❤️"),
        (1, "The VPN works perfectly now 👍"),
        (1, "Soooo happy with the new laptop :)"),
        (1, "no complaints, fast delivery"),
        (1, "I cannot recommend them enough"),
        (1, "thx guys, sorted"),
    ]);
}

#[test]
fn twins_differ() {
    for (better, worse) in [
        ("the support is good", "the support is not good"),
        ("the app is not bad", "the app is bad"),
        ("Great support, the VPN works", "Oh great, the VPN is down again"),
        ("Fantastic team, they fixed the outage fast", "Fantastic, another outage"),
        ("Thanks for fixing it", "Thanks for nothing"),
        ("I love how fast it is", "I love how it is down every Monday"),
        ("Nice job on the new checkout!", "Checkout down in all stores. Nice job."),
        ("The VPN was down but it works again", "The VPN works again? No, it is down"),
        ("What would happen if the server crashed?", "The server crashed"),
        ("The app is slow but the support is great", "The support is great but the app is slow"),
        ("Is the site down?", "The site is down"),
        ("the reset works", "the reset doesn't work"),
        ("A colleague said \"this is terrible garbage\" to me", "this is terrible garbage"),
        ("can't wait for the new release", "can't use the new release"),
        ("no problems at all", "problems all day"),
        ("it is bad", "it is sooooo bad"),
        ("this is terrible", "this is TERRIBLE"),
        ("it failed", "it failed!!!"),
        ("slightly annoying", "extremely annoying"),
        ("ok 🙂", "ok 🙄"),
        ("it is not fixed yet, is it?", "it is not fixed and I am angry"),
    ] {
        let (b, w) = (judge(better).0.score, judge(worse).0.score);
        assert!(b > w + 0.02, "{better} ({b:.2}) > {worse} ({w:.2})");
    }
}

#[test]
fn acronyms_are_not_shouts() {
    assert!((judge("the VPN is down").0.score - judge("the vpn is down").0.score).abs() < 0.01);
    assert!(judge("the vpn is DOWN").0.score < judge("the vpn is down").0.score);
    assert_eq!(judge("IT support called about SSO").0.label, SentimentLabel::Neutral);
}

#[test]
fn signals_are_raised_and_not_imagined() {
    for (signal, text, twin) in [
        ("churn", "I'm done with you, switching to another provider", "I am switching to dark mode"),
        ("legal-threat", "You will hear from my lawyer", "I work as a lawyer, which plan fits?"),
        ("threat", "I know where you live", "I know where the button is"),
        ("self-harm", "I lost everything and want to die", "the battery died"),
        ("sarcasm", "Oh great, the wifi is down again", "The wifi is great"),
        ("sarcasm", "Love how the app is down every Monday", "Love how it looks, congrats on the launch"),
        ("sarcasm", "So glad the update deleted all my notes", "So glad the update is here"),
        ("sarcasm", "Thank you @acme for making me wait 3 hours", "Thank you @acme for helping me"),
        ("profanity", "where is my fucking parcel", "where is my parcel"),
        ("disappointment", "really disappointed, expected better", "not disappointed at all"),
        ("gratitude", "thank you so much", "please call me"),
        ("urgency", "need this fixed ASAP", "no hurry"),
        ("anger", "I am FURIOUS, fix your site!!!", "please fix your site"),
        ("waiting", "been waiting for days", "see you in a few days"),
        ("relief", "finally fixed, phew", "is it fixed"),
    ] {
        assert!(judge(text).0.signals.iter().any(|s| s == signal), "{signal}: {text} {:?}", judge(text).0);
        assert!(!judge(twin).0.signals.iter().any(|s| s == signal), "not {signal}: {twin}");
    }
}

#[test]
fn other_languages_have_a_side() {
    sides(&[
        (-1, "Das ist eine Frechheit, das VPN geht wieder nicht"),
        (1, "Vielen Dank, super Service!"),
        (-1, "El servicio es pésimo, una vergüenza"),
        (1, "Muchas gracias, todo funciona bien"),
        (-1, "Le site est en panne, c'est honteux"),
        (1, "Merci beaucoup, très bien"),
        (-1, "Sovellus ei toimi, olen pettynyt"),
        (1, "Kiitos, loistava palvelu"),
        (-1, "O aplicativo não funciona, péssimo"),
        (1, "Obrigado, atendimento ótimo"),
        (-1, "Servizio pessimo, non funziona niente"),
        (1, "Grazie mille, ottimo lavoro"),
        (-1, "Na toll, schon wieder Ausfall"),
        (-1, "Genial, otra caída"),
    ]);
}

#[test]
fn a_rating_speaks_only_when_there_is_one() {
    let tables = Tables::read("{}").unwrap();
    let score = |rating| match &decide(&Input { text: "as described", rating, ..Input::default() }, &tables)[0].effect {
        Effect::FlagSentiment(s) => s.score,
        _ => f32::NAN,
    };
    assert!(score(Some(0.0)) < -0.5 && score(Some(1.0)) > 0.5);
    assert_eq!((score(Some(0.5)), score(None)), (0.0, 0.0));
}

#[test]
fn evidence_slices_the_text_and_leads_with_the_strongest() {
    for text in ["Größter Mist: VPN is DOWN – „nothing works“ 😡 #fail", "c’est honteux… merci pour rien !", "sooo bad :-( but thanks"]
    {
        let (_, proposal) = judge(text);
        assert!(!proposal.evidence.is_empty());
        for evidence in &proposal.evidence {
            let span = evidence.span.unwrap();
            assert_eq!(&text[span.start as usize..span.end as usize], evidence.text);
        }
        assert!(proposal.evidence.windows(2).all(|two| two[0].weight.abs() >= two[1].weight.abs()));
    }
}

#[test]
fn a_title_counts_once() {
    let tables = Tables::read("{}").unwrap();
    let score = |title| match &decide(&Input { text: "Terrible app, it is slow", title, ..Input::default() }, &tables)[0].effect {
        Effect::FlagSentiment(s) => s.score,
        _ => f32::NAN,
    };
    assert_eq!(score(None), score(Some("Terrible app…")));
    assert!(score(Some("Worst purchase")) < score(None));
}

#[test]
fn the_admin_has_the_last_word() {
    let tables =
        Tables::read(r#"{"words": {"down": 0, "meh": -3}, "mute_signals": ["profanity"], "signals": {"press": ["journalist"]}}"#).unwrap();
    let flag = |text: &str| match decide(&Input { text, ..Input::default() }, &tables).remove(0).effect {
        Effect::FlagSentiment(s) => s,
        _ => panic!(),
    };
    assert_eq!(flag("down").label, SentimentLabel::Neutral);
    assert_eq!(flag("meh").label, SentimentLabel::Negative);
    assert_eq!(flag("shit, I am a journalist").signals, ["press"]);
}

#[test]
fn every_score_is_in_range() {
    for text in ["worst ".repeat(500), "best!!! ".repeat(500), "but ".repeat(900), "\"{".repeat(900), "😡".repeat(900)] {
        let (sentiment, proposal) = judge(&text);
        assert!((-1.0..=1.0).contains(&sentiment.score) && (0.0..=1.0).contains(&proposal.confidence));
    }
}

#[test]
fn the_examples_hold() {
    let description = crate::Feeling::describe();
    assert!(description.examples.len() >= 4);
    for example in &description.examples {
        run::<crate::Feeling>(example).unwrap();
    }
}
