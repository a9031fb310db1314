//! Promises: made at one touchpoint, delivered at others of the same journey, kept or not.

use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World},
};

const CREATE: &str = "mutation($input: PromiseCreateInput!) { promiseCreate(input: $input) {
    promise { id key state version madeAt { key } deliveredAt { key } } userErrors { code field }
} }";

const UPDATE: &str = "mutation($input: PromiseUpdateInput!) { promiseUpdate(input: $input) {
    promise { id state version deliveredAt { key } } userErrors { code field }
} }";

/// The keys of promises at a touchpoint of the rental: made there, and to be delivered there.
async fn there(actor: &Actor<'_>, key: &str) -> Value {
    let document =
        "query($key: String!) { touchpoint(by: { key: { blueprint: \"bp-rental\", key: $key } }) {
        promises { key } delivers { key }
    } }";
    actor.ask(document, json!({ "key": key })).await["touchpoint"].take()
}

#[tokio::test]
async fn a_promise_is_made_at_one_touchpoint_and_delivered_at_others() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let ready = json!({
        "key": "ready", "touchpointId": ids["R01"], "text": "Your car is ready", "deliveredAtIds": [ids["R05"], ids["R03"]],
    });
    let made = ann.does(CREATE, ready).await["promise"].take();
    assert_eq!(made["state"], json!("UNKNOWN"), "nobody has said so yet");
    assert_eq!(made["madeAt"], json!({ "key": "R01" }));
    assert_eq!(
        made["deliveredAt"],
        json!([{ "key": "R05" }, { "key": "R03" }])
    );
    let help = json!({
        "key": "help", "touchpointId": ids["R01"], "text": "We help on the road", "deliveredAtIds": [ids["R03"]],
    });
    ann.does(CREATE, help).await;
    let both = json!([{ "key": "ready" }, { "key": "help" }]);
    let of_old = json!([{ "key": "PR3" }, { "key": "ready" }, { "key": "help" }]);
    assert_eq!(
        there(&ann, "R01").await,
        json!({ "promises": of_old, "delivers": [] })
    );
    assert_eq!(
        there(&ann, "R03").await,
        json!({ "promises": [], "delivers": both })
    );

    let broken = json!({ "id": made["id"], "expectedVersion": 1, "state": "BROKEN", "deliveredAtIds": [ids["R04"]] });
    let changed = ann.does(UPDATE, broken).await["promise"].take();
    assert_eq!(changed["state"], json!("BROKEN"));
    assert_eq!(changed["version"], json!(2), "one change, one version");
    assert_eq!(changed["deliveredAt"], json!([{ "key": "R04" }]));
    let elsewhere =
        json!({ "id": made["id"], "expectedVersion": 2, "deliveredAtIds": [ids["F01"]] });
    let errors = ann.tries(UPDATE, elsewhere).await["userErrors"].take();
    assert_eq!(
        errors,
        json!([{ "code": "NOT_FOUND", "field": ["deliveredAtIds", "0"] }])
    );
    let nothing = json!({ "touchpointId": ids["R01"], "text": " " });
    assert_eq!(ann.refused(CREATE, nothing).await, ["REQUIRED"]);
}

#[tokio::test]
async fn what_is_promised_sleeps_with_its_touchpoint() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    for (made_at, delivered_at) in [("R07", "R03"), ("R01", "R07")] {
        let input = json!({ "touchpointId": ids[made_at], "text": "Good", "deliveredAtIds": [ids[delivered_at]] });
        ann.does(CREATE, input).await;
    }
    let archive = "mutation($input: AtVersionInput!) { touchpointArchive(input: $input) { userErrors { code } } }";
    ann.does(archive, json!({ "id": ids["R07"], "expectedVersion": 1 }))
        .await;
    let document = "{ blueprint(by: { key: \"bp-rental\" }) { promises { madeAt { key } deliveredAt { key } } } }";
    let left = ann.ask(document, json!({})).await;
    assert_eq!(
        left["blueprint"]["promises"],
        json!([
            { "madeAt": { "key": "R01" }, "deliveredAt": [] }, // of old
            { "madeAt": { "key": "R01" }, "deliveredAt": [] },
        ])
    );
}
