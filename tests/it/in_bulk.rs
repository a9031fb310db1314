//! Many things in one act, all or none: cards of a blueprint, proposals, acceptances.

use entity::{audit_event, blueprint, responsibility, touchpoint, touchpoint_channel};
use proptest::{prelude::*, test_runner::TestRunner};
use sea_orm::{EntityTrait, PaginatorTrait, QueryOrder};
use serde_json::{Value, json};

use crate::{
    handshake::{Keys, at},
    ids::Ids,
    world::{Actor, World, faults},
};

const CHANGE: &str = "mutation($input: TouchpointsUpdateInput!) { touchpointsUpdate(input: $input) {
    touchpoints { id key name lane note position version phase { key } } phases { key touchpoints { key } }
    userErrors { field message code reason } } }";
const MOVE: &str = "mutation($input: TouchpointMoveInput!) { touchpointMove(input: $input) {
    userErrors { field message code } } }";
const PROPOSE_MANY: &str = "mutation($input: ResponsibilitiesProposeInput!) { responsibilitiesPropose(input: $input) {
    responsibilities { id version status touchpoint { key } } userErrors { field message code reason } } }";
const ACCEPT_MANY: &str = "mutation($input: ResponsibilitiesAcceptInput!) { responsibilitiesAccept(input: $input) {
    responsibilities { id version status } ended { department { key } } userErrors { field message code reason } } }";

/// Everything that an act on these things could change: rows, versions and revisions.
async fn rows(world: &World) -> String {
    let db = world.db();
    let touchpoints = touchpoint::Entity::find().order_by_asc(touchpoint::Column::Id);
    let held = responsibility::Entity::find().order_by_asc(responsibility::Column::Id);
    let blueprints = blueprint::Entity::find().order_by_asc(blueprint::Column::Id);
    let channels =
        touchpoint_channel::Entity::find().order_by_asc(touchpoint_channel::Column::TouchpointId);
    let channels = channels.order_by_asc(touchpoint_channel::Column::Position);
    format!(
        "{:?} {:?} {:?} {:?}",
        channels.all(&db).await.expect("rows"),
        touchpoints.all(&db).await.expect("rows"),
        held.all(&db).await.expect("rows"),
        blueprints.all(&db).await.expect("rows"),
    )
}

/// The touchpoints of a blueprint by phase, as they stand.
async fn order(actor: &Actor<'_>, key: &str) -> Value {
    let query = "query($key: String!) { blueprint(by: { key: $key }) { phases { touchpoints { key position } } } }";
    actor.ask(query, json!({ "key": key })).await["blueprint"].take()
}

/// An id of this prefix that is nothing's.
fn nobody(prefix: &str, id: &str) -> String {
    let (_, digits) = id.split_once('_').expect("a prefix");
    format!("{prefix}_{digits}")
}

fn places(answer: &Value) -> Vec<String> {
    let errors = answer["userErrors"].as_array().expect("errors").iter();
    let told = errors.map(|error| {
        let path = error["field"].as_array().expect("a path").iter();
        let path: Vec<&str> = path.filter_map(Value::as_str).collect();
        format!(
            "{} {}",
            path.join("."),
            error["code"].as_str().expect("a code")
        )
    });
    told.collect()
}

#[tokio::test]
async fn cards_change_in_name_text_lane_and_place_in_one_act() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let changed = json!({ "touchpoints": [
        { "id": ids["F05"], "expectedVersion": 1, "name": "Sent on", "note": "a note", "lane": "BACKSTAGE",
            "phaseId": ids["bp-flight/f4"], "afterId": null },
        { "id": ids["F06"], "expectedVersion": 1, "afterId": ids["F07"] },
        { "id": ids["F07"], "expectedVersion": 1, "note": "stays where it is" },
        { "id": ids["F03"], "expectedVersion": 1, "phaseId": ids["bp-flight/f4"] },
    ] });
    let answer = ann.does(CHANGE, changed).await;
    let first = &answer["touchpoints"][0];
    let told = (
        &first["name"],
        &first["note"],
        &first["lane"],
        &first["position"],
        &first["phase"]["key"],
    );
    assert_eq!(
        told,
        (
            &json!("Sent on"),
            &json!("a note"),
            &json!("BACKSTAGE"),
            &json!(1),
            &json!("f4")
        )
    );
    let keys: Vec<&Value> = answer["touchpoints"]
        .as_array()
        .expect("cards")
        .iter()
        .map(|card| &card["key"])
        .collect();
    assert_eq!(
        json!(keys),
        json!(["F05", "F06", "F07", "F03"]),
        "as they were sent"
    );
    let phase = answer["phases"]
        .as_array()
        .expect("phases")
        .iter()
        .find(|phase| phase["key"] == "f4");
    let keys: Vec<&Value> = phase.expect("f4")["touchpoints"]
        .as_array()
        .expect("cards")
        .iter()
        .map(|card| &card["key"])
        .collect();
    assert_eq!(keys.first().map(|key| (*key).clone()), Some(json!("F05")));
    assert_eq!(keys.last().map(|key| (*key).clone()), Some(json!("F03")));
    let after = |one: &str| {
        keys.iter()
            .position(|key| *key == one)
            .expect("in the phase")
    };
    assert_eq!(after("F06"), after("F07") + 1);
    let positions: Vec<&Value> = answer["touchpoints"]
        .as_array()
        .expect("cards")
        .iter()
        .map(|card| &card["version"])
        .collect();
    assert_eq!(
        json!(positions),
        json!([2, 2, 2, 2]),
        "one act, one version each"
    );
}

#[tokio::test]
async fn one_card_that_is_refused_undoes_all_and_all_faults_are_told() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let before = rows(&world).await;
    let malformed = json!({ "touchpoints": [
        { "id": ids["F01"], "expectedVersion": 1, "name": "", "emotion": 9 },
        { "id": ids["F02"], "expectedVersion": 1, "name": null, "lane": null, "phaseId": null },
        { "id": ids["F01"], "expectedVersion": 1, "note": "twice" },
        { "id": "tch_1", "expectedVersion": 1 },
        { "id": "tch_2", "expectedVersion": 1 },
    ] });
    let answer = ann.tries(CHANGE, malformed).await;
    assert_eq!(
        places(&answer),
        [
            "touchpoints.0.emotion INVALID",
            "touchpoints.0.name REQUIRED",
            "touchpoints.1.name REQUIRED",
            "touchpoints.1.lane REQUIRED",
            "touchpoints.1.phaseId REQUIRED",
            "touchpoints.2.id DUPLICATE",
            "touchpoints.3.id INVALID",
            "touchpoints.4.id INVALID",
        ]
    );
    let stale = json!({ "touchpoints": [
        { "id": ids["F01"], "expectedVersion": 1, "name": "New" },
        { "id": ids["F02"], "expectedVersion": 7, "name": "Other" },
        { "id": ids["F03"], "expectedVersion": 6, "name": "Another" },
        { "id": nobody("tch", &ids["bp-flight"]), "expectedVersion": 1 },
    ] });
    let answer = ann.tries(CHANGE, stale).await;
    assert_eq!(
        places(&answer),
        [
            "touchpoints.1.expectedVersion CONFLICT",
            "touchpoints.2.expectedVersion CONFLICT",
            "touchpoints.3.id NOT_FOUND",
        ]
    );
    let current = answer["touchpoints"].as_array().expect("cards").iter();
    let mut keys: Vec<&str> = current
        .map(|card| card["key"].as_str().expect("a key"))
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ["F02", "F03"], "those in conflict, as they are");
    let nowhere = json!({ "touchpoints": [
        { "id": ids["F04"], "expectedVersion": 1, "channelIds": [] },
        { "id": ids["F01"], "expectedVersion": 1, "afterId": ids["R01"] },
        // Judged no more: it may build on the move before it.
        { "id": ids["F02"], "expectedVersion": 1, "phaseId": ids["bp-rental/r1"] },
        { "id": ids["F03"], "expectedVersion": 1,
            "channelIds": [ids["WEB"], nobody("chn", &ids["F01"]), nobody("chn", &ids["F02"])] },
    ] });
    assert_eq!(
        places(&ann.tries(CHANGE, nowhere).await),
        [
            "touchpoints.1.afterId NOT_FOUND",
            "touchpoints.3.channelIds.1 NOT_FOUND",
            "touchpoints.3.channelIds.2 NOT_FOUND",
        ]
    );
    let elsewhere = json!({ "touchpoints": [{ "id": ids["F02"], "expectedVersion": 1, "phaseId": ids["bp-rental/r1"] }] });
    assert_eq!(
        places(&ann.tries(CHANGE, elsewhere).await),
        ["touchpoints.0.phaseId NOT_FOUND"]
    );
    let many: Vec<Value> = (0..201)
        .map(|_| json!({ "id": ids["F01"], "expectedVersion": 1 }))
        .collect();
    let answer = ann.tries(CHANGE, json!({ "touchpoints": many })).await;
    assert!(places(&answer).contains(&"touchpoints LIMIT_EXCEEDED".to_owned()));
    assert_eq!(rows(&world).await, before, "nothing of it was done");
}

#[tokio::test]
async fn each_card_is_decided_by_what_is_changed_in_it() {
    let world = World::small().await;
    let (contributor, ids) = (world.sign_in("contributor").await, Ids::of(&world).await);
    let text =
        json!({ "touchpoints": [{ "id": ids["T2"], "expectedVersion": 1, "note": "said" }] });
    contributor.does(CHANGE, text).await;
    let before = rows(&world).await;
    let events = audit_event::Entity::find()
        .count(&world.db())
        .await
        .expect("a count");
    for more in [json!({ "lane": "BACKSTAGE" }), json!({ "afterId": null })] {
        let mut card = json!({ "id": ids["T2"], "expectedVersion": 2, "note": "more" });
        card.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        let others = json!({ "touchpoints": [{ "id": ids["T2"], "expectedVersion": 2 }] });
        contributor.does(CHANGE, others).await;
        let answer = contributor
            .tries(CHANGE, json!({ "touchpoints": [card] }))
            .await;
        assert_eq!(places(&answer), ["touchpoints.0 FORBIDDEN"]);
    }
    assert_eq!(rows(&world).await, before);
    let noted = audit_event::Entity::find()
        .count(&world.db())
        .await
        .expect("a count");
    assert!(noted > events, "a refusal is in the audit log");
}

/// Moves in one act come to the same as the same moves one by one.
#[test]
fn moves_in_one_act_are_moves_one_by_one() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (one, other) = runtime.block_on(async { (World::demo().await, World::demo().await) });
    let moves =
        prop::collection::btree_map(0_usize..8, (0_usize..3, prop::option::of(0_usize..9)), 1..8);
    let moves = moves
        .prop_map(|moves| moves.into_iter().collect::<Moves>())
        .prop_shuffle();
    let config = ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(&moves, |moves| {
            runtime.block_on(async {
                let (bulk, single) = (
                    moved_in_bulk(&one, &moves).await,
                    moved_singly(&other, &moves).await,
                );
                prop_assert_eq!(bulk, single);
                Ok(())
            })
        })
        .expect("the same order");
}

/// Cards by number, each with its new phase and the card before it: 8 is the beginning, none the end.
type Moves = Vec<(usize, (usize, Option<usize>))>;

/// The moves as inputs, with the versions that the touchpoints have.
async fn inputs(world: &World, moves: &Moves) -> Vec<Value> {
    let ids = Ids::of(world).await;
    let ann = world.sign_in("ann-cx").await;
    let mut inputs = Vec::new();
    for (card, (phase, after)) in moves {
        let id = &ids[format!("F0{}", card + 1).as_str()];
        let version = "query($id: ID!) { touchpoint(by: { id: $id }) { version } }";
        let version = ann.ask(version, json!({ "id": id })).await["touchpoint"]["version"].take();
        let mut input = json!({ "id": id, "expectedVersion": version, "phaseId": ids[format!("bp-flight/f{}", phase + 1).as_str()] });
        match after {
            None => {}
            Some(8) => input["afterId"] = Value::Null,
            Some(after) => input["afterId"] = json!(ids[format!("F0{}", after + 1).as_str()]),
        }
        inputs.push(input);
    }
    inputs
}

/// The order after the moves in one act; none where they were refused, and nothing has moved.
async fn moved_in_bulk(world: &World, moves: &Moves) -> (bool, Value) {
    let ann = world.sign_in("ann-cx").await;
    let answer = ann
        .tries(CHANGE, json!({ "touchpoints": inputs(world, moves).await }))
        .await;
    (faults(&answer).is_empty(), order(&ann, "bp-flight").await)
}

/// The same one by one, and back again where one of them was refused.
async fn moved_singly(world: &World, moves: &Moves) -> (bool, Value) {
    let ann = world.sign_in("ann-cx").await;
    let before = order(&ann, "bp-flight").await;
    let mut done = true;
    for input in inputs(world, moves).await {
        done &= faults(&ann.tries(MOVE, input).await).is_empty();
    }
    if !done {
        put_back(world, &before).await;
    }
    (done, order(&ann, "bp-flight").await)
}

/// Puts every touchpoint back, one after the other to the end of its phase.
async fn put_back(world: &World, before: &Value) {
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(world).await);
    for (at, phase) in before["phases"]
        .as_array()
        .expect("phases")
        .iter()
        .enumerate()
    {
        for card in phase["touchpoints"].as_array().expect("cards") {
            let id = &ids[card["key"].as_str().expect("a key")];
            let version = "query($id: ID!) { touchpoint(by: { id: $id }) { version } }";
            let version =
                ann.ask(version, json!({ "id": id })).await["touchpoint"]["version"].take();
            let phase = &ids[format!("bp-flight/f{}", at + 1).as_str()];
            ann.does(
                MOVE,
                json!({ "id": id, "expectedVersion": version, "phaseId": phase }),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn a_row_of_roles_is_proposed_and_accepted_in_one_act() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let keys = Keys::of(&lead, "open").await;
    let offers = [
        keys.offer("T2", "service", "INFORMED"),
        keys.offer("T1", "service", "INFORMED"),
    ];
    let before = rows(&world).await;
    let twice = json!({ "proposals": [offers[0], offers[1], offers[0]] });
    let answer = lead.tries(PROPOSE_MANY, twice).await;
    assert_eq!(places(&answer), ["proposals.2.departmentId DUPLICATE"]);
    let mut unclear = json!({ "proposals": offers });
    unclear["proposals"][1]["tasks"] = json!([""]);
    unclear["proposals"][0]["personId"] = json!("acc_1");
    assert_eq!(
        places(&lead.tries(PROPOSE_MANY, unclear).await),
        [
            "proposals.0.personId INVALID",
            "proposals.1.tasks.0 REQUIRED"
        ]
    );
    assert_eq!(rows(&world).await, before, "nothing of it was done");
    let proposed = lead
        .does(PROPOSE_MANY, json!({ "proposals": offers }))
        .await["responsibilities"]
        .take();
    assert_eq!(
        (&proposed[0]["status"], &proposed[1]["touchpoint"]["key"]),
        (&json!("PROPOSED"), &json!("T1"))
    );
    let chair = world.sign_in("neighbour").await;
    let before = rows(&world).await;
    let mut stale = json!({ "proposals": [at(&proposed[0]), at(&proposed[1]), at(&proposed[1])] });
    assert_eq!(
        places(&chair.tries(ACCEPT_MANY, stale.clone()).await),
        ["proposals.2.id DUPLICATE"]
    );
    stale["proposals"][2] = json!({ "id": proposed[1]["id"].as_str().expect("an id").replace('0', "1"), "expectedVersion": 1 });
    stale["proposals"][0]["expectedVersion"] = json!(9);
    let answer = chair.tries(ACCEPT_MANY, stale).await;
    assert_eq!(
        places(&answer),
        [
            "proposals.0.expectedVersion CONFLICT",
            "proposals.2.id NOT_FOUND"
        ]
    );
    assert_eq!(
        answer["responsibilities"].as_array().map(Vec::len),
        Some(1),
        "the one in conflict"
    );
    assert_eq!(
        places(
            &lead
                .tries(ACCEPT_MANY, json!({ "proposals": [at(&proposed[0])] }))
                .await
        ),
        ["proposals.0 FORBIDDEN"]
    );
    assert_eq!(rows(&world).await, before, "nothing of it was done");
    let accepted = chair
        .does(
            ACCEPT_MANY,
            json!({ "proposals": [at(&proposed[0]), at(&proposed[1])] }),
        )
        .await;
    let status: Vec<&Value> = accepted["responsibilities"]
        .as_array()
        .expect("both")
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(json!(status), json!(["ACCEPTED", "ACCEPTED"]));
}

#[tokio::test]
async fn two_acts_on_the_same_journeys_never_wait_for_one_another() {
    let world = World::demo().await;
    let (ann, hal) = (world.sign_in("ann-cx").await, world.sign_in("lea-cx").await);
    let ids = Ids::of(&world).await;
    for round in 1..=8 {
        let card = |key: &str, name: String| json!({ "id": ids[key], "expectedVersion": round, "name": name });
        let forth = json!({ "touchpoints": [card("F01", format!("a{round}")), card("R01", format!("b{round}"))] });
        let back = json!({ "touchpoints": [card("R01", format!("c{round}")), card("F01", format!("d{round}"))] });
        let (one, other) = tokio::join!(ann.tries(CHANGE, forth), hal.tries(CHANGE, back));
        let done = [&one, &other]
            .into_iter()
            .filter(|answer| faults(answer).is_empty())
            .count();
        assert_eq!(done, 1, "{one} {other}");
    }
}

#[tokio::test]
async fn each_thing_is_shown_in_the_audit_log_to_those_whom_it_concerns() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let both = json!({ "touchpoints": [
        { "id": ids["T2"], "expectedVersion": 1, "note": "one" }, { "id": ids["C1"], "expectedVersion": 1, "note": "two" },
    ] });
    manager.does(CHANGE, both).await;
    let keys = Keys::of(&manager, "open").await;
    let offer = json!({ "proposals": [
        keys.offer("T2", "service", "INFORMED"),
        { "touchpointId": ids["C1"], "departmentId": ids["finance"], "role": "INFORMED" },
    ] });
    let proposed = manager.does(PROPOSE_MANY, offer).await["responsibilities"].take();
    let events = "{ auditEvents(first: 100) { nodes { action subjectId } } }";
    let told =
        world.sign_in("lead").await.ask(events, json!({})).await["auditEvents"]["nodes"].take();
    let told: Vec<&str> = told
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|event| event["subjectId"].as_str())
        .collect();
    assert!(told.contains(&ids["T2"].as_str()), "{told:?}");
    for hidden in [&json!(ids["C1"]), &proposed[1]["id"]] {
        assert!(
            !told.contains(&hidden.as_str().expect("an id")),
            "a lead of sales reads of {hidden}"
        );
    }
}

#[tokio::test]
async fn as_many_as_are_allowed_are_done_in_one_act() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let query = "{ departments(first: 200) { nodes { id } }
        blueprint(by: { key: \"bp-member\" }) { phases { touchpoints { id responsibilities { role department { id } } } } } }";
    let there = ann.ask(query, json!({})).await;
    let departments = there["departments"]["nodes"]
        .as_array()
        .expect("departments");
    let phases = there["blueprint"]["phases"]
        .as_array()
        .expect("phases")
        .iter();
    let touchpoints =
        phases.flat_map(|phase| phase["touchpoints"].as_array().expect("touchpoints"));
    let offers = touchpoints.flat_map(|touchpoint| {
        let held = touchpoint["responsibilities"].as_array().expect("roles");
        let is_free = |department: &&Value| {
            !held.iter().any(|held| held["role"] == "INFORMED" && held["department"]["id"] == department["id"])
        };
        let free = departments.iter().filter(is_free);
        free.map(|department| json!({ "touchpointId": touchpoint["id"], "departmentId": department["id"], "role": "INFORMED" }))
    });
    let offers: Vec<Value> = offers.take(200).collect();
    assert_eq!(offers.len(), 200);
    let proposed = ann.does(PROPOSE_MANY, json!({ "proposals": offers })).await;
    assert_eq!(
        proposed["responsibilities"].as_array().map(Vec::len),
        Some(200)
    );
}

#[tokio::test]
async fn what_excludes_another_of_the_list_is_told_as_such() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    let keys = Keys::of(&manager, "open").await;
    let id = "rsp_019ab0000000700080000000000000c1";
    let mut offers = [
        keys.offer("T2", "service", "INFORMED"),
        keys.offer("T2", "service", "CONSULTED"),
    ];
    for offer in &mut offers {
        offer["id"] = json!(id);
    }
    let answer = manager
        .tries(PROPOSE_MANY, json!({ "proposals": offers }))
        .await;
    assert_eq!(places(&answer), ["proposals.1.id DUPLICATE"]);
    let rivals = json!({ "proposals": [keys.offer("T5", "service", "ACCOUNTABLE"), keys.offer("T5", "finance", "ACCOUNTABLE")] });
    let proposed = manager.does(PROPOSE_MANY, rivals).await["responsibilities"].take();
    let boss = world.sign_in("chair").await;
    let both = json!({ "proposals": [at(&proposed[0]), at(&proposed[1])] });
    let answer = boss.tries(ACCEPT_MANY, both).await;
    assert_eq!(places(&answer), ["proposals.1.id DUPLICATE"]);
    let message = answer["userErrors"][0]["message"]
        .as_str()
        .expect("a sentence");
    assert!(
        message.contains("proposals.0 would decline this one"),
        "{message}"
    );
}
