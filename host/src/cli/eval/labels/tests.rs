//! The label sets that public data comes with, and what each decision means in them.

use super::*;

fn read(field: Field, labels: &[&str], map: &str, fold: &str) -> anyhow::Result<Labels> {
    Labels::read(field, "label", &["other_column"], labels, &pairs(map).unwrap(), &pairs(fold).unwrap())
}

/// The class that a value is read as: its name, `else` or `none`.
fn means(labels: &Labels, value: &str, yes: Option<bool>) -> String {
    let value = Some(value.to_owned()).filter(|value| !value.is_empty());
    match labels.answer(&Said { value, yes, confidence: None }) {
        Answer::Class(class) => labels.classes[class].clone(),
        Answer::Else => "else".to_owned(),
        Answer::None => "none".to_owned(),
    }
}

#[test]
fn five_steps_fold_to_three_only_when_there_are_three() {
    let three = read(Field::Sentiment, &["Neutral", "POSITIVE", "negative", "negative"], "", "").unwrap();
    assert_eq!(three.classes, ["Neutral", "POSITIVE", "negative"]);
    assert_eq!((three.truth("POSITIVE"), three.truth("negative")), (1, 2));
    for (value, class) in
        [("very_negative", "negative"), ("negative", "negative"), ("very_positive", "POSITIVE"), ("neutral", "Neutral"), ("", "none")]
    {
        assert_eq!(means(&three, value, None), class);
    }
    let five = read(Field::Sentiment, &["very negative", "negative", "neutral", "positive", "very positive"], "", "").unwrap();
    assert_eq!((means(&five, "very_negative", None), means(&five, "negative", None)), ("very negative".to_owned(), "negative".to_owned()));
    assert_eq!(means(&read(Field::Sentiment, &["0", "1", "2"], "", "").unwrap(), "very_negative", None), "0");
    assert_eq!(means(&read(Field::Sentiment, &["-1", "0", "1"], "", "").unwrap(), "positive", None), "1");
    let emotion = read(Field::Sentiment, &["anger", "joy", "optimism", "sadness"], "", "").unwrap();
    assert_eq!(emotion.classes, ["negative", "positive"]);
    assert_eq!((emotion.truth("sadness"), emotion.truth("joy"), means(&emotion, "neutral", None).as_str()), (0, 1, "else"));
    let mapped = read(Field::Sentiment, &["bad", "good"], "very_negative=bad,positive=good,neutral=good", "").unwrap();
    assert_eq!((means(&mapped, "very_negative", None).as_str(), means(&mapped, "very_positive", None).as_str()), ("bad", "good"));
}

#[test]
fn yes_and_no_have_many_names() {
    for (field, labels, yes) in [
        (Field::Escalation, ["yes", "no"], "yes"),
        (Field::Escalation, ["0", "1"], "1"),
        (Field::Abuse, ["offensive", "not-offensive"], "offensive"),
        (Field::Urgency, ["disaster", "other"], "disaster"),
        (Field::Moderation, ["ham", "spam"], "spam"),
        (Field::Sarcasm, ["irony", "not-irony"], "irony"),
    ] {
        let read = read(field, &labels, "", "").unwrap();
        assert_eq!(means(&read, "whatever", Some(true)), yes);
        assert_ne!(means(&read, "whatever", Some(false)), yes);
        assert_eq!(read.yes.iter().filter(|yes| **yes).count(), 1);
    }
    let infotypes = ["Affected individuals", "Caution and advice", "Not labeled", "Sympathy and support"];
    let urgent = read(Field::Urgency, &infotypes, "", "").unwrap();
    assert_eq!((urgent.classes.join(" "), urgent.truth("Caution and advice"), urgent.truth("Not labeled")), ("no yes".to_owned(), 1, 0));
    assert!(urgent.notes[0].contains("read as yes: Affected individuals, Caution and advice"), "{:?}", urgent.notes);
    let own = read(Field::Urgency, &["Fire", "Flood", "Cake"], "", "Fire=yes,Flood=yes,*=no").unwrap();
    assert_eq!((own.truth("Flood"), own.truth("Cake"), means(&own, "critical", Some(true)).as_str()), (1, 0, "yes"));
}

#[test]
fn levels_are_levels_and_at_least_high_is_a_yes() {
    let levels = read(Field::Urgency, &["low", "Medium", "high", "critical"], "", "").unwrap();
    assert_eq!((means(&levels, "normal", Some(false)).as_str(), means(&levels, "critical", Some(true)).as_str()), ("Medium", "critical"));
    assert_eq!(
        levels.classes.iter().zip(&levels.yes).filter(|(_, yes)| **yes).map(|(class, _)| class.as_str()).collect::<Vec<_>>(),
        ["critical", "high"]
    );
    let sure = |value: &str, yes, confidence| {
        levels.judge(0, &Said { value: Some(value.to_owned()), yes: Some(yes), confidence: Some(confidence) }).rank.unwrap()
    };
    assert!(sure("critical", true, 0.9) > sure("high", true, 0.6) && sure("high", true, 0.6) > sure("normal", false, 0.6));
    assert!(sure("normal", false, 0.6) > sure("low", false, 0.9), "the surer the no, the lower");
}

#[test]
fn open_values_meet_labels_by_name_and_two_labels_can_be_one_and_the_rest() {
    let topics = read(Field::Category, &["HR Support", "Hardware", "Administrative rights"], "outage=Hardware", "").unwrap();
    for (value, class) in [
        ("hr-support", "HR Support"),
        ("administrative_rights", "Administrative rights"),
        ("outage", "Hardware"),
        ("other", "none"),
        ("billing", "else"),
    ] {
        assert_eq!(means(&topics, value, None), class);
    }
    let spam = read(Field::Category, &["ham", "spam"], "", "").unwrap();
    assert_eq!(
        (means(&spam, "spam", None).as_str(), means(&spam, "outage", None).as_str(), spam.yes.as_slice()),
        ("spam", "ham", [false, true].as_slice())
    );
    let complaint = read(Field::Category, &["complaint", "other"], "", "").unwrap();
    assert_eq!((means(&complaint, "product-complaint", None).as_str(), means(&complaint, "other", None).as_str()), ("complaint", "other"));
    let languages = read(Field::Language, &["de", "pt", "en"], "", "").unwrap();
    assert_eq!(
        (means(&languages, "pt-BR", None).as_str(), means(&languages, "fi", None).as_str(), means(&languages, "und", None).as_str()),
        ("pt", "else", "none")
    );
}

#[test]
fn labels_that_cannot_be_matched_are_refused_with_the_remedy() {
    let error = read(Field::Urgency, &["Related", "Unrelated", "Unclear"], "", "").unwrap_err().to_string();
    for words in
        ["Related, Unclear, Unrelated", "low, normal, high, critical, or yes and no", "--map 'low=Related'", "--fold", "other_column"]
    {
        assert!(error.contains(words), "no {words}: {error}");
    }
    assert!(read(Field::Sentiment, &["a"], "positive=b", "").unwrap_err().to_string().contains("--map names the label `b`"));
    assert!(read(Field::Sentiment, &["a"], "", "b=positive").unwrap_err().to_string().contains("--fold names the label `b`"));
    let part = read(Field::Sentiment, &["positive", "funny"], "", "").unwrap();
    assert!(part.notes[0].contains("no value of sentiment stands for funny"), "{:?}", part.notes);
    assert!(pairs("a").is_err() && pairs("=b").is_err());
    assert_eq!(pairs("a=b\\,c, d=e").unwrap(), [("a".to_owned(), "b,c".to_owned()), ("d".to_owned(), "e".to_owned())]);
}
