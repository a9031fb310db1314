//! Lookups are put together: what is asked for in one turn is one batch, nobody is lost with who ran it, a failure is
//! told to all, and a document of mutations sees what each of them did.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use cx_blueprint::{
    access::Caller,
    batch::{LoaderKey, Loaders},
    error::{Error, Result},
};
use futures_util::future::{join, join_all};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::{handshake::Keys, world::World};

/// A number that is looked up for a test, and leads to the double of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Number(&'static str, u32);

/// There is nothing.
const NOTHING: u32 = 0;
/// It cannot be looked up.
const FAILS: u32 = 4_000;
/// From here on it takes a while.
const SLOW: u32 = 5_000;

/// The batches that have begun and those that have ended, each of one test.
static BEGUN: Mutex<Vec<(&str, Vec<u32>)>> = Mutex::new(Vec::new());
static ENDED: Mutex<Vec<(&str, Vec<u32>)>> = Mutex::new(Vec::new());

fn note(log: &Mutex<Vec<(&'static str, Vec<u32>)>>, keys: &[Number]) {
    let mut numbers: Vec<u32> = keys.iter().map(|key| key.1).collect();
    numbers.sort_unstable();
    let test = keys.first().expect("a key").0;
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    log.push((test, numbers));
}

fn batches(log: &Mutex<Vec<(&'static str, Vec<u32>)>>, test: &str) -> Vec<Vec<u32>> {
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let its = log.iter().filter(|(of, _)| *of == test);
    its.map(|(_, numbers)| numbers.clone()).collect()
}

impl LoaderKey for Number {
    type Value = u32;

    async fn load(_: &Caller, keys: &[Self]) -> Result<HashMap<Self, u32>> {
        note(&BEGUN, keys);
        if keys.iter().any(|key| key.1 >= SLOW) {
            sleep(Duration::from_millis(200)).await;
        }
        if keys.iter().any(|key| key.1 == FAILS) {
            return Err(Error::BadInput("Not this one.".to_owned()));
        }
        note(&ENDED, keys);
        let there = keys.iter().filter(|key| key.1 != NOTHING);
        Ok(there.map(|key| (*key, 2 * key.1)).collect())
    }
}

fn loaders(world: &World) -> Loaders {
    let clock = world.clock.clone();
    Loaders::new(Caller::operator(world.store.clone(), clock, "a test"))
}

#[tokio::test]
async fn what_is_asked_for_in_one_turn_is_one_batch() {
    const TEST: &str = "one turn";
    let (world, key) = (World::new().await, |number| Number(TEST, number));
    let loaders = loaders(&world);
    let one_by_one = (1..=200).map(|number| loaders.load_many([key(number)], true));
    let many = loaders.load_many([NOTHING, 7, 201].map(key), true);
    let (one_by_one, many) = join(join_all(one_by_one), many).await;
    for (number, found) in (1..=200).zip(one_by_one) {
        assert_eq!(found.expect("it is found")[&key(number)], 2 * number);
    }
    let many = many.expect("they are found");
    assert_eq!(many, [(key(7), 14), (key(201), 402)].into());
    let all: Vec<u32> = (0..=201).collect();
    assert_eq!(batches(&BEGUN, TEST), [all]);
}

#[tokio::test]
async fn a_batch_has_a_bound() {
    const TEST: &str = "a bound";
    let world = World::new().await;
    let loaders = loaders(&world);
    let numbers = (0..2_500).map(|number| loaders.load_many([Number(TEST, number)], true));
    let found = join_all(numbers).await.into_iter();
    let found: u32 = found
        .map(|found| found.expect("it is looked up").values().sum::<u32>())
        .sum();
    assert_eq!(found, (0..2_500).map(|number| 2 * number).sum::<u32>());
    let sizes = batches(&BEGUN, TEST);
    let mut sizes: Vec<usize> = sizes.iter().map(Vec::len).collect();
    // Which of them begins first is nobody's concern.
    sizes.sort_unstable();
    assert_eq!(sizes, [500, 1_000, 1_000]);
}

#[tokio::test]
async fn nobody_is_lost_with_who_ran_the_batch() {
    const TEST: &str = "who ran it goes";
    let world = World::new().await;
    let loaders = loaders(&world);
    let (first, second) = (Number(TEST, SLOW), Number(TEST, SLOW + 1));
    let goes = timeout(Duration::from_millis(20), loaders.load_many([first], true));
    let (gone, found) = join(goes, loaders.load_many([second], true)).await;
    assert!(gone.is_err(), "the first was to be given up");
    let found = found.expect("the second is answered");
    assert_eq!(found, [(second, 2 * second.1)].into());
    // Who waited began it anew, for all of it: what the first asked for is there too.
    let again = loaders.load_many([first], true).await;
    assert_eq!(again.expect("it is there"), [(first, 2 * first.1)].into());
    assert_eq!(batches(&ENDED, TEST).len(), 1);
}

#[tokio::test]
async fn nothing_runs_for_nobody() {
    const TEST: &str = "all have gone";
    let world = World::new().await;
    let loaders = loaders(&world);
    let asked = [SLOW, SLOW + 1].map(|number| loaders.load_many([Number(TEST, number)], true));
    let gone = timeout(Duration::from_millis(20), join_all(asked)).await;
    assert!(gone.is_err(), "they were to be given up");
    sleep(Duration::from_millis(400)).await;
    assert_eq!(batches(&BEGUN, TEST).len(), 1);
    assert!(batches(&ENDED, TEST).is_empty());
}

#[tokio::test]
async fn a_failure_is_told_to_all_who_waited() {
    const TEST: &str = "a failure";
    let world = World::new().await;
    let loaders = loaders(&world);
    let asked = [FAILS, 14, 15].map(|number| loaders.load_many([Number(TEST, number)], false));
    for told in join_all(asked).await {
        let error = told.expect_err("it fails");
        assert_eq!(error.to_string(), "Not this one.");
    }
    assert_eq!(batches(&BEGUN, TEST).len(), 1);
    let after = loaders.load_many([Number(TEST, 14)], false).await;
    assert!(after.is_ok(), "what came later has a batch of its own");
}

#[tokio::test]
async fn what_is_kept_is_looked_up_once() {
    const TEST: &str = "kept";
    let world = World::new().await;
    let (kept, not_kept) = (loaders(&world), loaders(&world));
    for _ in 0..3 {
        for number in [NOTHING, 5] {
            let found = kept.load_many([Number(TEST, number)], true).await;
            assert_eq!(
                found.expect("it is looked up").len(),
                usize::from(number > 0)
            );
        }
    }
    assert_eq!(batches(&BEGUN, TEST), [[NOTHING], [5]]);
    for _ in 0..3 {
        let found = not_kept.load_many([Number(TEST, 6)], false).await;
        assert_eq!(found.expect("it is looked up").len(), 1);
    }
    assert_eq!(batches(&BEGUN, TEST).len(), 5);
}

#[tokio::test]
async fn a_query_looks_up_once_what_it_asks_for_twice() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    let ran = async |inner: &str| {
        let ask = format!(
            "{{ blueprint(by: {{ key: \"open\" }}) {{ template {{ id }}
                ownerDepartment {{ id parent {{ id }} members(first: 1) {{ nodes {{ account {{ id }} {inner} }} }} }} }} }}"
        );
        let before = world.store.statement_count();
        manager.ask(&ask, json!({})).await;
        world.store.statement_count() - before
    };
    // A department that was asked for at the top already.
    assert_eq!(ran("").await, ran("department { id parent { id } }").await);
}

#[tokio::test]
async fn a_mutation_sees_what_those_before_it_in_its_document_did() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let keys = Keys::of(&lead, "open").await;
    let propose_two =
        "mutation($one: ResponsibilityProposeInput!, $two: ResponsibilityProposeInput!) {
        one: responsibilityPropose(input: $one) { ...here }
        two: responsibilityPropose(input: $two) { ...here } }
        fragment here on ResponsibilityPayload {
            responsibility { touchpoint { responsibilities { id } } } userErrors { message } }";
    let one = keys.offer("T4", "finance", "RESPONSIBLE");
    let two = keys.offer("T4", "service", "RESPONSIBLE");
    let answer = lead
        .ask(propose_two, json!({ "one": one, "two": two }))
        .await;
    let there = |name: &str| {
        let rows = answer[name]["responsibility"]["touchpoint"]["responsibilities"].as_array();
        rows.unwrap_or_else(|| panic!("{answer}")).len()
    };
    assert_eq!(there("two"), there("one") + 1);
}

#[tokio::test]
async fn a_cursor_continues_only_a_list_of_its_kind_of_object() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let cursor = "{ touchpoints(first: 1) { pageInfo { endCursor } } kpis(first: 1) { nodes { measurements(first: 1) {
        pageInfo { endCursor } } } } }";
    let told = ann.ask(cursor, json!({})).await;
    let of_touchpoints = told["touchpoints"]["pageInfo"]["endCursor"].clone();
    let of_measurements = told["kpis"]["nodes"][0]["measurements"]["pageInfo"]["endCursor"].clone();
    let query = "query($after: String) {
        touchpoints(first: 1, after: $after) { nodes { key } } departments(first: 1, after: $after) { nodes { key } } }";
    for cursor in [
        &of_touchpoints,
        &of_measurements,
        &json!("AAAA"),
        &json!("é"),
    ] {
        let answer = ann.send(query, json!({ "after": cursor })).await;
        let message = answer["errors"][0]["message"].as_str().expect("an error");
        assert!(
            message.contains("is not a cursor of this list"),
            "{cursor}: {message}"
        );
    }
    let query = "query($after: String) { touchpoints(first: 1, after: $after) { nodes { key } } }";
    ann.ask(query, json!({ "after": of_touchpoints })).await;
}
