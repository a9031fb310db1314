//! Whoever goes on from the last cursor of a list in the order of creation misses nothing that others make meanwhile.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

use chrono::Duration;
use serde_json::{Value, json};

use crate::world::{Actor, World};

const PAGE: &str = "query($after: String) { channels(first: 5, after: $after) {
    edges { cursor node { key } } pageInfo { hasNextPage endCursor } } }";
const CREATE: &str = "mutation($input: ChannelCreateInput!) { channelCreate(input: $input) { userErrors { message } } }";

async fn page(actor: &Actor<'_>, after: &Value) -> Value {
    actor.ask(PAGE, json!({ "after": after })).await["channels"].take()
}

fn keys(page: &Value) -> Vec<String> {
    let edges = page["edges"].as_array().expect("edges").iter();
    edges
        .map(|edge| edge["node"]["key"].as_str().expect("a key").to_owned())
        .collect()
}

/// Reads on from a cursor to the end of the list, and gives the cursor there.
async fn follow(actor: &Actor<'_>, mut after: Value, met: &mut BTreeSet<String>) -> Value {
    loop {
        let mut page = page(actor, &after).await;
        met.extend(keys(&page));
        let end = page["pageInfo"]["endCursor"].take();
        if !end.is_null() {
            after = end;
        }
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            return after;
        }
    }
}

fn channel(at: usize) -> Value {
    json!({ "key": format!("C{at}"), "name": format!("Channel {at}"), "medium": "OTHER" })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_made_meanwhile_is_missed() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    for round in 0..3 {
        let done = AtomicBool::new(false);
        let makes = async {
            let all = (0..40).map(|at| manager.does(CREATE, channel(round * 100 + at)));
            futures_util::future::join_all(all).await;
            done.store(true, Ordering::Relaxed);
        };
        let mut met = BTreeSet::new();
        let follows = async {
            let mut after = Value::Null;
            loop {
                let last = done.load(Ordering::Relaxed);
                after = follow(&manager, after, &mut met).await;
                if last {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        tokio::join!(makes, follows);
        let missed = (0..40).map(|at| format!("C{}", round * 100 + at));
        let missed: Vec<String> = missed.filter(|key| !met.contains(key)).collect();
        assert!(missed.is_empty(), "{missed:?}");
    }
}

#[tokio::test]
async fn what_is_settled_comes_once() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    for at in 0..12 {
        manager.does(CREATE, channel(at)).await;
    }
    let mut met = BTreeSet::new();
    let recent = follow(&manager, Value::Null, &mut met).await;
    let again = page(&manager, &recent).await;
    assert_eq!(keys(&again).len(), 5, "what is recent is read again");
    world.clock.advance(Duration::minutes(8));
    let manager = world.sign_in_anew("cx-manager").await;
    let all = met.len();
    let end = follow(&manager, Value::Null, &mut met).await;
    assert_eq!(met.len(), all);
    assert!(
        keys(&page(&manager, &end).await).is_empty(),
        "what is settled is not"
    );
    // A late one comes, and nothing besides.
    manager.does(CREATE, channel(50)).await;
    let late = page(&manager, &end).await;
    assert_eq!(keys(&late), ["C50"]);
    // And again until it is settled, from the place at which a client has everything before.
    let end_of_late = late["pageInfo"]["endCursor"].clone();
    assert_eq!(keys(&page(&manager, &end_of_late).await), ["C50"]);
    world.clock.advance(Duration::minutes(8));
    let manager = world.sign_in_anew("cx-manager").await;
    let end = follow(&manager, end_of_late, &mut met).await;
    assert!(keys(&page(&manager, &end).await).is_empty());
}

#[tokio::test]
async fn asked_again_at_once_a_list_has_the_same_cursors() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    for at in 0..12 {
        manager.does(CREATE, channel(at)).await;
    }
    let mut after = Value::Null;
    loop {
        // A minute may end between the two.
        let mut same = false;
        let mut page = Value::Null;
        for _ in 0..2 {
            page = self::page(&manager, &after).await;
            same |= page == self::page(&manager, &after).await;
        }
        assert!(same, "{page}");
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            break;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
    // What is settled has them for ever.
    world.clock.advance(Duration::minutes(8));
    let manager = world.sign_in_anew("cx-manager").await;
    let first = page(&manager, &Value::Null).await;
    world.clock.advance(Duration::hours(3));
    let manager = world.sign_in_anew("cx-manager").await;
    assert_eq!(page(&manager, &Value::Null).await, first);
}

#[tokio::test]
async fn at_the_end_the_cursor_is_that_of_the_last_settled_row() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    for at in 0..3 {
        manager.does(CREATE, channel(at)).await;
    }
    world.clock.advance(Duration::minutes(8));
    let manager = world.sign_in_anew("cx-manager").await;
    manager.does(CREATE, channel(3)).await;
    let mut met = BTreeSet::new();
    let document = PAGE.replace("first: 5", "first: 50");
    let list = manager.ask(&document, json!({})).await["channels"].take();
    met.extend(keys(&list));
    let edges = list["edges"].as_array().expect("edges");
    let (last, settled) = (&edges[edges.len() - 1], &edges[edges.len() - 2]);
    assert_eq!(last["node"]["key"], "C3");
    assert_eq!(list["pageInfo"]["endCursor"], settled["cursor"]);
    assert_eq!(last["cursor"], settled["cursor"]);
}

#[tokio::test]
async fn a_cursor_that_nobody_gave_is_refused_or_reads_what_it_says() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    let cursor = |at: i64, begun: Option<i64>, more: &[u8]| {
        let begun = begun.map(i64::to_be_bytes);
        let begun = begun.as_ref().map_or(&[][..], |begun| begun);
        URL_SAFE_NO_PAD
            .encode([b"chn".as_slice(), &at.to_be_bytes(), &[0; 16], begun, more].concat())
    };
    for (at, begun) in [
        (0, None),
        (0, Some(0)),
        (0, Some(-8_334_601_228_800_000_000)),
        (0, Some(8_210_266_876_799_999_999)),
    ] {
        let page = page(&manager, &json!(cursor(at, begun, &[]))).await;
        assert!(!keys(&page).is_empty());
    }
    for wrong in [
        cursor(i64::MAX, None, &[]),
        cursor(0, Some(i64::MIN), &[]),
        cursor(0, Some(0), &[1]),
        cursor(0, None, &[1]),
    ] {
        let told = manager.send(PAGE, json!({ "after": wrong })).await;
        let message = told["errors"][0]["message"].as_str().expect("a message");
        assert_eq!(message, "`after` is not a cursor of this list.");
    }
}
