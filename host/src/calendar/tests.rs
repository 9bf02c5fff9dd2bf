//! Calendars by example across changes of summer time, and their laws over many made-up ones.

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn calendar(json: &str) -> Calendar {
    Calendar::new(&serde_json::from_str(json).unwrap()).unwrap()
}

fn fault(json: &str) -> String {
    Calendar::new(&serde_json::from_str(json).unwrap()).unwrap_err().to_string()
}

const OFFICE: &str = r#"{"time_zone": "Europe/Berlin", "hours": {
    "monday": ["09:00-12:00", "13:00-17:00"], "tuesday": ["09:00-17:00"], "wednesday": ["09:00-17:00"],
    "thursday": ["09:00-17:00"], "friday": ["09:00-15:30"]
}, "holidays": [{"date": "2026-12-25", "name": "Christmas", "every_year": true}, {"date": "2026-04-06", "name": "Easter Monday"}]}"#;

#[test]
fn a_working_time_passes_over_nights_weekends_and_holidays() {
    let office = calendar(OFFICE);
    for (start, seconds, due) in [
        // Friday afternoon, half an hour of it left; Berlin changes to summer time on the Sunday.
        ("2026-03-27T14:00:00Z", 7_200, "2026-03-30T08:30:00Z"),
        // Over the lunch of a Monday.
        ("2026-03-30T09:00:00Z", 7_200, "2026-03-30T12:00:00Z"),
        // Exactly the end of a day is still that day.
        ("2026-03-31T07:00:00Z", 28_800, "2026-03-31T15:00:00Z"),
        // Easter Monday is closed; Good Friday is not in this list.
        ("2026-04-03T13:00:00Z", 3_600, "2026-04-07T07:30:00Z"),
        // Christmas 2028 is a Monday.
        ("2028-12-22T14:30:00Z", 60, "2028-12-26T08:01:00Z"),
        // Nothing to wait for.
        ("2026-03-28T00:00:00Z", 0, "2026-03-28T00:00:00Z"),
    ] {
        assert_eq!(office.due_at(at(start), seconds), Some(at(due)), "{start} + {seconds} s");
    }
    for (moment, open) in [
        ("2026-03-27T14:29:59.999Z", true),
        ("2026-03-27T14:30:00Z", false),
        ("2026-03-30T07:00:00Z", true),
        ("2026-03-30T06:59:59Z", false),
        ("2026-03-30T10:30:00Z", false),
        ("2026-04-06T10:00:00Z", false),
        ("2025-12-25T10:00:00Z", true),
        ("2029-12-25T10:00:00Z", false),
    ] {
        assert_eq!(office.open_at(at(moment)), open, "{moment}");
    }
}

#[test]
fn an_hour_that_is_left_out_is_not_worked_and_one_that_comes_twice_is_worked_twice() {
    let every_day = |hours: &str| {
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let hours: Vec<String> = days.iter().map(|day| format!("\"{day}\": [\"{hours}\"]")).collect();
        calendar(&format!("{{\"time_zone\": \"Europe/Berlin\", \"hours\": {{{}}}}}", hours.join(", ")))
    };
    let (spring, autumn) = (("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"));
    for (hours, (from, to), minutes) in [
        ("00:00-24:00", spring, 23 * 60),
        ("00:00-24:00", autumn, 25 * 60),
        ("02:15-02:45", spring, 0),
        ("02:15-02:45", autumn, 60),
        ("01:00-04:00", spring, 120),
        ("01:00-04:00", autumn, 240),
    ] {
        assert_eq!(every_day(hours).working_ms(at(from), at(to)), minutes * 60_000, "{hours} {from}");
    }
    // 02:15 to 02:45 comes twice: the second half hour is in the second pass.
    let twice = every_day("02:15-02:45");
    assert_eq!(twice.due_at(at("2026-10-24T22:00:00Z"), 45 * 60), Some(at("2026-10-25T01:30:00Z")));
    assert!(!twice.open_at(at("2026-10-25T00:50:00Z")) && twice.open_at(at("2026-10-25T01:20:00Z")));
}

#[test]
fn around_the_clock_is_plain_time() {
    let always = calendar(r#"{"time_zone": "UTC"}"#);
    assert_eq!(always.due_at(at("2026-10-25T00:00:00Z"), 90_000), Some(at("2026-10-26T01:00:00Z")));
    assert_eq!(always.working_ms(at("2026-10-26T01:00:00Z"), at("2026-10-25T00:00:00Z")), 0);
    let never = calendar(r#"{"time_zone": "UTC", "hours": {"monday": ["10:00-10:01"]}}"#);
    assert_eq!(never.due_at(at("2026-10-25T00:00:00Z"), u64::from(u32::MAX)), None, "more than forty years away");
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (spec, words) in [
        (r#"{"time_zone": "Berlin"}"#, ["`/time_zone`", "Europe/Berlin"]),
        (r#"{"time_zone": "UTC", "hours": {}}"#, ["`/hours`", "no open time"]),
        (r#"{"time_zone": "UTC", "hours": {"monday": ["9-17"]}}"#, ["`/hours/monday/0`", "09:00-17:30"]),
        (r#"{"time_zone": "UTC", "hours": {"monday": ["22:00-06:00"]}}"#, ["`/hours/monday/0`", "24:00"]),
        (r#"{"time_zone": "UTC", "hours": {"friday": ["09:00-12:00", "11:00-13:00"]}}"#, ["`/hours/friday`", "11:00"]),
        (r#"{"time_zone": "UTC", "hours": {"friday": ["09:00-24:30"]}}"#, ["`/hours/friday/0`", "two times"]),
        (r#"{"time_zone": "UTC", "holidays": [{"date": "25.12.2026"}]}"#, ["`/holidays/0/date`", "2026-12-25"]),
        (r#"{"time_zone": "UTC", "holidays": [{"date": "2026-02-30"}]}"#, ["`/holidays/0/date`", "no day"]),
    ] {
        let fault = fault(spec);
        assert!(words.iter().all(|word| fault.contains(word)), "{spec} -> {fault}");
    }
}

/// Numbers that look random and are the same in every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// A made-up calendar: any zone of these, one to three times on some days, some holidays.
fn made_up(numbers: &mut Numbers) -> Calendar {
    // Half-hour changes of summer time, one at midnight, one that left out a whole day, one without any.
    let zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kolkata", "UTC"];
    let zone = zones[numbers.below(zones.len() as u64) as usize];
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let mut hours = BTreeMap::new();
    for day in days {
        if numbers.below(4) == 0 {
            continue;
        }
        let mut marks: Vec<u64> = (0..2 * (1 + numbers.below(3))).map(|_| numbers.below(1_441)).collect();
        marks.sort_unstable();
        let time = |minute: u64| format!("{:02}:{:02}", minute / 60, minute % 60);
        let spans: Vec<String> =
            marks.chunks(2).filter(|pair| pair[0] < pair[1]).map(|pair| format!("{}-{}", time(pair[0]), time(pair[1]))).collect();
        hours.insert(day.to_string(), spans);
    }
    let _ = hours.entry("sunday".to_owned()).or_insert_with(Vec::new);
    hours.insert("wednesday".to_owned(), vec!["01:30-22:00".to_owned()]);
    let holidays: Vec<_> = (0..numbers.below(20))
        .map(|_| {
            let (year, month, day) = (2010 + numbers.below(20), 1 + numbers.below(12), 1 + numbers.below(28));
            serde_json::json!({"date": format!("{year}-{month:02}-{day:02}"), "every_year": numbers.below(2) == 0})
        })
        .collect();
    calendar(&serde_json::json!({"time_zone": zone, "hours": hours, "holidays": holidays}).to_string())
}

#[test]
fn what_is_due_after_a_working_time_is_that_working_time_away() {
    let numbers = &mut Numbers(0x5157_11A1_B0C5);
    for _ in 0..400 {
        let calendar = made_up(numbers);
        let start = Timestamp(at("2010-01-01T00:00:00Z").0 + numbers.below(15 * 366 * 86_400_000));
        let (less, more) = (numbers.below(400_000), numbers.below(400_000));
        let due = |seconds| calendar.due_at(start, seconds).unwrap();
        for seconds in [less, less + more] {
            assert_eq!(calendar.working_ms(start, due(seconds)), seconds * 1_000, "{start} + {seconds} s: {calendar:?}");
        }
        assert!(start <= due(less) && due(less) <= due(less + more), "{start}: a longer time is never due earlier");
        // The last moment before it is due was worked, and the parts of a time are the whole of it.
        assert!(less == 0 || calendar.open_at(Timestamp(due(less).0 - 1)), "{start} + {less} s: {calendar:?}");
        let between = Timestamp(start.0 + numbers.below(due(less + more).0 - start.0 + 1));
        let parts = calendar.working_ms(start, between) + calendar.working_ms(between, due(less + more));
        assert_eq!(parts, (less + more) * 1_000, "{start} by way of {between}");
        let after = calendar.working_ms(between, Timestamp(between.0 + 1)) == 1;
        assert_eq!(calendar.open_at(between), after, "{between}: open is what counts: {calendar:?}");
    }
}

fn file(events: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n").replace("\n ", "\r\n ")
}

fn event(lines: &str) -> String {
    file(&format!("BEGIN:VEVENT\nUID:1@example.com\n{lines}\nEND:VEVENT\n"))
}

#[test]
fn holidays_come_out_of_an_icalendar_file() {
    let text = file(
        "BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:19961027T030000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\n\
         END:STANDARD\nEND:VTIMEZONE\n\
         BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261227\nSUMMARY:Christ\n mas\\, two days\nBEGIN:VALARM\n\
         DURATION:PT5M\nEND:VALARM\nEND:VEVENT\n\
         BEGIN:VEVENT\nDTSTART;VALUE=DATE:20200101\nRRULE:FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1\nSUMMARY:New Year\nEND:VEVENT\n\
         BEGIN:VEVENT\nDTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY;UNTIL=20290101\nSUMMARY:Leap day\nEND:VEVENT\n\
         BEGIN:VEVENT\nDTSTART;VALUE=DATE:20260501\nRRULE:FREQ=YEARLY;COUNT=2\nSUMMARY:May\nEND:VEVENT\n\
         BEGIN:VEVENT\nDTSTART;VALUE=DATE:20260601\nSTATUS:CANCELLED\nSUMMARY:Not this one\nEND:VEVENT\n",
    );
    let found = holidays(&text).unwrap();
    let days: Vec<_> = found.iter().map(|day| (day.date.as_str(), day.name.as_str(), day.every_year)).collect();
    assert_eq!(
        days,
        [
            ("2020-01-01", "New Year", true),
            ("2024-02-29", "Leap day", false),
            ("2026-05-01", "May", false),
            ("2026-12-25", "Christmas, two days", false),
            ("2026-12-26", "Christmas, two days", false),
            ("2027-05-01", "May", false),
            ("2028-02-29", "Leap day", false),
        ]
    );
}

#[test]
fn what_a_file_says_and_is_not_understood_is_refused_by_name() {
    for (text, words) in [
        ("hello".to_owned(), ["no iCalendar file", "BEGIN:VCALENDAR"]),
        (event("DTSTART:20261225T090000Z\nSUMMARY:Party"), ["\"Party\"", "no whole day"]),
        (event("SUMMARY:When\nDTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;BYDAY=4TH"), ["\"When\"", "RRULE"]),
        (event("SUMMARY:Often\nDTSTART;VALUE=DATE:20261225\nRRULE:FREQ=WEEKLY"), ["\"Often\"", "FREQ=WEEKLY"]),
        (event("SUMMARY:But\nDTSTART;VALUE=DATE:20261225\nEXDATE;VALUE=DATE:20271225"), ["\"But\"", "EXDATE"]),
        (event("SUMMARY:Back\nDTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261201"), ["\"Back\"", "days long"]),
        (event("SUMMARY:Never"), ["\"Never\"", "DTSTART"]),
        (event("DTSTART;VALUE=DATE:20261225\nSUMMARY"), ["line 6", "`:`"]),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225\n".to_owned(), ["breaks off", "VEVENT"]),
    ] {
        let problem = holidays(&text).unwrap_err();
        assert!(words.iter().all(|word| problem.contains(word)), "{text} -> {problem}");
    }
}
