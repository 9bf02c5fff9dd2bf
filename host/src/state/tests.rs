//! A shelf obeys its quotas and windows, and events that take turns lose nothing.

use super::*;
use crate::config::Limits;

const NOW: Timestamp = Timestamp(1_000_000);

fn later(seconds: u64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1_000)
}

fn memory(shelves: &Shelves, now: Timestamp) -> Memory {
    Memory::new(shelves.shelf("default/step"), now)
}

/// One run that counts a key, and is kept or not.
fn count(shelves: &Shelves, now: Timestamp, window_s: Option<u32>, kept: bool) -> i64 {
    let mut memory = memory(shelves, now);
    let count = memory.increment("k", 1, window_s, &Limits::default()).unwrap();
    let mut written = Written::default();
    written.add(memory.leave());
    if kept {
        written.keep();
    }
    count
}

#[test]
fn a_run_sees_what_it_wrote_and_others_see_it_when_it_has_left() {
    let (shelves, limits) = (Shelves::default(), Limits::default());
    let mut one = memory(&shelves, NOW);
    one.set("a", b"1".to_vec(), None, &limits).unwrap();
    assert_eq!(one.get("a", &limits).unwrap().as_deref(), Some(&b"1"[..]));
    one.delete("a", &limits).unwrap();
    assert_eq!(one.get("a", &limits), Ok(None));
    one.set("b", b"2".to_vec(), None, &limits).unwrap();
    drop(one);
    assert_eq!(memory(&shelves, NOW).get("b", &limits), Ok(None), "dropped without leaving it has done nothing");
    let mut two = memory(&shelves, NOW);
    two.set("b", b"2".to_vec(), Some(10), &limits).unwrap();
    let mut written = Written::default();
    written.add(two.leave());
    assert_eq!(memory(&shelves, later(9)).get("b", &limits).unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(memory(&shelves, later(10)).get("b", &limits), Ok(None), "its time is up");
    drop(written);
    assert_eq!(memory(&shelves, NOW).get("b", &limits), Ok(None), "the decision was not recorded: taken back");
}

#[test]
fn the_window_opens_at_the_first_hit_and_a_run_that_is_not_kept_was_never_counted() {
    let shelves = Shelves::default();
    let counts = [(0, true), (30, true), (59, false), (59, true), (60, true)].map(|(at, kept)| count(&shelves, later(at), Some(60), kept));
    assert_eq!(counts, [1, 2, 3, 3, 1]);
}

#[test]
fn a_key_is_a_count_or_a_value_and_swapping_looks_first() {
    let (shelves, limits) = (Shelves::default(), Limits::default());
    let mut run = memory(&shelves, NOW);
    run.set("v", b"one".to_vec(), None, &limits).unwrap();
    assert_eq!(run.increment("v", 1, None, &limits), Err(StateError::Conflict));
    assert_eq!(run.compare_and_set("v", Some(b"two"), b"three".to_vec(), &limits), Err(StateError::Conflict));
    assert_eq!(run.compare_and_set("v", None, b"three".to_vec(), &limits), Err(StateError::Conflict));
    run.compare_and_set("v", Some(b"one"), b"two".to_vec(), &limits).unwrap();
    run.compare_and_set("new", None, b"x".to_vec(), &limits).unwrap();
    run.increment("n", 5, None, &limits).unwrap();
    assert_eq!(run.get("n", &limits).unwrap().as_deref(), Some(&b"5"[..]), "a count is read as its digits");
    run.compare_and_set("n", Some(b"5"), b"five".to_vec(), &limits).unwrap();
    assert_eq!(run.get("v", &limits).unwrap().as_deref(), Some(&b"two"[..]));
}

#[test]
fn quotas_are_named_and_what_has_ended_makes_room() {
    let shelves = Shelves::default();
    let limits = Limits { state_keys: 2, state_value_bytes: 8, state_bytes: 20, ..Limits::default() };
    let mut run = memory(&shelves, NOW);
    assert_eq!(run.set("a", vec![0; 9], None, &limits), Err(StateError::TooLarge(8)));
    run.set("a", vec![0; 8], Some(5), &limits).unwrap();
    run.set("b", vec![0; 8], None, &limits).unwrap();
    let full = run.set("c", vec![], None, &limits).unwrap_err().to_string();
    assert!(full.starts_with("quota: the step keeps 2 keys") && full.contains("state_keys"), "{full}");
    let heavy = run.set("b", vec![0; 8], None, &Limits { state_bytes: 17, ..limits.clone() }).unwrap_err().to_string();
    assert!(heavy.contains("state_bytes"), "{heavy}");
    assert!(run.set(&"k".repeat(300), vec![], None, &limits).is_err());
    let mut written = Written::default();
    written.add(run.leave());
    written.keep();
    let mut next = memory(&shelves, later(5));
    next.set("c", vec![1], None, &limits).unwrap();
    assert!(next.set("d", vec![1], None, &limits).is_err());
}

#[test]
fn threads_that_take_turns_are_each_given_a_count_of_their_own() {
    const EACH: i64 = 500;
    let shelves = Shelves::default();
    let mut seen: Vec<i64> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..EACH).map(|_| count(&shelves, NOW, None, true)).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    seen.sort_unstable();
    assert_eq!(seen, (1..=4 * EACH).collect::<Vec<_>>());
}

#[test]
fn who_holds_the_shelf_too_long_is_not_waited_for() {
    let (shelves, limits) = (Shelves::default(), Limits { wall_ms: 20, ..Limits::default() });
    let mut one = memory(&shelves, NOW);
    one.get("a", &limits).unwrap();
    assert!(matches!(memory(&shelves, NOW).get("a", &limits), Err(StateError::Unavailable(_))));
    drop(one);
    assert_eq!(memory(&shelves, NOW).get("a", &limits), Ok(None));
}

#[test]
fn a_scratch_copy_leaves_the_shelves_alone() {
    let shelves = Shelves::default();
    count(&shelves, NOW, None, true);
    let scratch = shelves.scratch();
    assert_eq!((count(&scratch, NOW, None, true), count(&shelves, NOW, None, true)), (2, 2));
    scratch.shelf("default/step").seed("k", Some(Cell { value: Value::Count(40), expires: None }));
    assert_eq!(count(&scratch, NOW, None, true), 41);
}
