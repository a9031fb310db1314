//! Clocks: no act fails and nothing is lost where the clocks of two servers on one database differ.

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    handshake::{ACCEPT, END, Keys, at, propose},
    world::World,
};

/// How far the clock of the second server is ahead, or behind.
const APART: [i64; 2] = [20, -20];

const ARCHIVE: &str = "mutation($input: AtVersionInput!) { touchpointArchive(input: $input) {
    touchpoint { id version } userErrors { code message } } }";
const UNARCHIVE: &str = "mutation($input: AtVersionInput!) { touchpointUnarchive(input: $input) {
    touchpoint { id version } userErrors { code message } } }";

async fn beside(world: &World, minutes: i64) -> World {
    let other = world.beside().await;
    other.clock.advance(Duration::minutes(minutes));
    other
}

#[tokio::test]
async fn a_refusal_is_a_refusal_on_every_server() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let keys = Keys::of(&analyst, "open").await;
    let input = json!({ "id": keys.touchpoints["T4"], "expectedVersion": 1 });
    for minutes in APART {
        let other = beside(&world, minutes).await;
        let there = other.sign_in_anew("analyst").await;
        let tries = (0..20).map(|number| {
            let actor = if number % 2 == 0 { &analyst } else { &there };
            actor.refused(ARCHIVE, input.clone())
        });
        for codes in join_all(tries).await {
            assert_eq!(codes, ["FORBIDDEN"], "{minutes} minutes apart");
        }
    }
}

#[tokio::test]
async fn what_one_server_puts_in_force_another_ends() {
    for minutes in APART {
        let world = World::small().await;
        let (lead, treasurer) = (
            world.sign_in("lead").await,
            world.sign_in("treasurer").await,
        );
        let keys = Keys::of(&lead, "open").await;
        let other = beside(&world, minutes).await;
        let there = other.sign_in_anew("treasurer").await;
        let offered = propose(&lead, keys.offer("T4", "finance", "RESPONSIBLE")).await;
        let accepted = there.does(ACCEPT, at(&offered)).await["responsibility"].take();
        let ended = treasurer.does(END, at(&accepted)).await["responsibility"].take();
        assert_eq!(ended["status"], json!("ENDED"), "{minutes} minutes apart");
    }
}

#[tokio::test]
async fn what_one_server_suspends_resumes_on_another() {
    for minutes in APART {
        let world = World::small().await;
        let lead = world.sign_in("lead").await;
        let other = beside(&world, minutes).await;
        let there = other.sign_in_anew("lead").await;
        let ask = "{ touchpoint(by: { key: { blueprint: \"open\", key: \"T2\" } }) {
            id version responsibilities { role status department { key } } } }";
        let before = lead.ask(ask, json!({})).await["touchpoint"].take();
        let input = |of: &Value| json!({ "id": of["id"], "expectedVersion": of["version"] });
        let archived = there.does(ARCHIVE, input(&before)).await["touchpoint"].take();
        lead.does(UNARCHIVE, input(&archived)).await;
        let after = lead.ask(ask, json!({})).await["touchpoint"].take();
        let held = |of: &Value| {
            let held = of["responsibilities"].as_array().expect("a list").iter();
            let mut held: Vec<String> = held.map(Value::to_string).collect();
            held.sort();
            held
        };
        assert_eq!(held(&after), held(&before), "{minutes} minutes apart");
    }
}
