//! Nobody takes responsibility alone: every path tried, rivals, takeover, hand-over, and races.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::{Actor, World};

pub const PROPOSE: &str =
    "mutation($input: ResponsibilityProposeInput!) { responsibilityPropose(input: $input) {
    responsibility { id role status version proposedBy { key } department { key } }
    userErrors { field message code reason } } }";
pub const ACCEPT: &str = "mutation($input: ResponsibilityAcceptInput!) { responsibilityAccept(input: $input) {
    responsibility { id role status version touchpoint { id responsibilities { id role status department { key } } } }
    ended { id status } holder { id department { key } }
    userErrors { field message code reason } } }";
const DECLINE: &str =
    "mutation($input: ResponsibilityDeclineInput!) { responsibilityDecline(input: $input) {
    responsibility { id status reason } userErrors { field message code reason } } }";
const WITHDRAW: &str = "mutation($input: AtVersionInput!) { responsibilityWithdraw(input: $input) {
    responsibility { id status reason } userErrors { field message code reason } } }";
pub const END: &str =
    "mutation($input: ResponsibilityDeclineInput!) { responsibilityEnd(input: $input) {
    responsibility { id status validTo } userErrors { field message code reason } } }";
const UPDATE: &str =
    "mutation($input: ResponsibilityUpdateInput!) { responsibilityUpdate(input: $input) {
    responsibility { id tasks version } userErrors { field message code reason } } }";

/// The ids of departments and of the touchpoints of a blueprint, by key.
pub struct Keys {
    pub departments: BTreeMap<String, String>,
    pub touchpoints: BTreeMap<String, String>,
}

impl Keys {
    pub async fn of(actor: &Actor<'_>, blueprint: &str) -> Self {
        let data = actor
            .ask(
                "query($key: String!) { departments(first: 200) { nodes { id key } }
                    blueprint(by: { key: $key }) { phases { touchpoints { id key } } } }",
                json!({ "key": blueprint }),
            )
            .await;
        let by_key = |nodes: &Value| -> BTreeMap<String, String> {
            let nodes = nodes.as_array().expect("nodes").iter();
            nodes
                .map(|node| (text(&node["key"]), text(&node["id"])))
                .collect()
        };
        let phases = data["blueprint"]["phases"]
            .as_array()
            .expect("phases")
            .iter();
        let touchpoints = phases
            .flat_map(|phase| by_key(&phase["touchpoints"]))
            .collect();
        Self {
            departments: by_key(&data["departments"]["nodes"]),
            touchpoints,
        }
    }

    pub fn offer(&self, touchpoint: &str, department: &str, role: &str) -> Value {
        json!({
            "touchpointId": self.touchpoints[touchpoint],
            "departmentId": self.departments[department],
            "role": role,
        })
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("a text, not {value}"))
        .to_owned()
}

pub fn at(responsibility: &Value) -> Value {
    json!({ "id": responsibility["id"], "expectedVersion": responsibility["version"] })
}

pub fn reasons(answer: &Value) -> Vec<String> {
    let errors = answer["userErrors"].as_array().expect("user errors").iter();
    errors
        .map(|error| {
            format!(
                "{} {}",
                text(&error["code"]),
                error["reason"].as_str().unwrap_or("-")
            )
        })
        .collect()
}

pub async fn propose(actor: &Actor<'_>, offer: Value) -> Value {
    actor.does(PROPOSE, offer).await["responsibility"].take()
}

#[tokio::test]
async fn a_proposal_by_another_department_is_accepted_by_the_addressed_one_alone() {
    let world = World::small().await;
    let (lead, neighbour, treasurer) = (
        world.sign_in("lead").await,
        world.sign_in("neighbour").await,
        world.sign_in("treasurer").await,
    );
    let keys = Keys::of(&lead, "open").await;
    let offered = propose(&lead, keys.offer("T4", "finance", "RESPONSIBLE")).await;
    assert_eq!(offered["proposedBy"]["key"], "sales");
    for other in [&lead, &neighbour] {
        assert_eq!(
            other.refused(ACCEPT, at(&offered)).await,
            ["FORBIDDEN"],
            "{}",
            other.login
        );
    }
    let accepted = treasurer.does(ACCEPT, at(&offered)).await;
    assert_eq!(accepted["responsibility"]["status"], "ACCEPTED");
}

#[tokio::test]
async fn an_own_proposal_is_accepted_by_the_owner_of_the_blueprint_where_nobody_is_accountable() {
    let world = World::small().await;
    let (lead, neighbour) = (
        world.sign_in("lead").await,
        world.sign_in("neighbour").await,
    );
    let keys = Keys::of(&lead, "open").await;
    let own = propose(&neighbour, keys.offer("T5", "service", "ACCOUNTABLE")).await;
    assert_eq!(neighbour.refused(ACCEPT, at(&own)).await, ["FORBIDDEN"]);
    let accepted = lead.does(ACCEPT, at(&own)).await;
    assert_eq!(accepted["responsibility"]["status"], "ACCEPTED");
}

#[tokio::test]
async fn an_own_proposal_is_accepted_by_the_present_accountable_where_there_is_one() {
    let world = World::small().await;
    let (lead, neighbour, treasurer) = (
        world.sign_in("lead").await,
        world.sign_in("neighbour").await,
        world.sign_in("treasurer").await,
    );
    let keys = Keys::of(&lead, "open").await;
    let own = propose(&treasurer, keys.offer("T3", "finance", "ACCOUNTABLE")).await;
    for other in [&treasurer, &lead] {
        assert_eq!(
            other.refused(ACCEPT, at(&own)).await,
            ["FORBIDDEN"],
            "{}",
            other.login
        );
    }
    let accepted = neighbour.does(ACCEPT, at(&own)).await;
    assert_eq!(accepted["ended"]["status"], "ENDED");
    let there = accepted["responsibility"]["touchpoint"]["responsibilities"]
        .as_array()
        .expect("responsibilities");
    let accountable: Vec<_> = there
        .iter()
        .filter(|held| held["role"] == "ACCOUNTABLE")
        .collect();
    assert_eq!(accountable.len(), 1);
    assert_eq!(accountable[0]["department"]["key"], "finance");
}

#[tokio::test]
async fn an_own_proposal_in_an_own_blueprint_needs_a_cx_manager() {
    let world = World::small().await;
    let (lead, chair, cx_manager) = (
        world.sign_in("lead").await,
        world.sign_in("chair").await,
        world.sign_in("cx-manager").await,
    );
    let keys = Keys::of(&lead, "open").await;
    let own = propose(&lead, keys.offer("T5", "sales", "ACCOUNTABLE")).await;
    for other in [&lead, &chair] {
        assert_eq!(
            other.refused(ACCEPT, at(&own)).await,
            ["FORBIDDEN"],
            "{}",
            other.login
        );
    }
    cx_manager.does(ACCEPT, at(&own)).await;
}

#[tokio::test]
async fn one_person_on_both_sides_cannot_take_responsibility_alone() {
    let world = World::small().await;
    let (lead, chair) = (world.sign_in("lead").await, world.sign_in("chair").await);
    let keys = Keys::of(&lead, "open").await;
    let mut offer = keys.offer("T4", "finance", "RESPONSIBLE");
    offer["onBehalfOf"] = json!(keys.departments["service"]);
    let offered = propose(&chair, offer).await;
    let refused = chair.tries(ACCEPT, at(&offered)).await;
    assert_eq!(reasons(&refused), ["FORBIDDEN OWN_PROPOSAL"]);
    world
        .sign_in("treasurer")
        .await
        .does(ACCEPT, at(&offered))
        .await;
}

#[tokio::test]
async fn a_takeover_needs_the_holder_to_agree_or_a_cx_manager() {
    let world = World::small().await;
    let (lead, treasurer, neighbour, cx_manager) = (
        world.sign_in("lead").await,
        world.sign_in("treasurer").await,
        world.sign_in("neighbour").await,
        world.sign_in("cx-manager").await,
    );
    let keys = Keys::of(&lead, "open").await;
    let uninvited = propose(&lead, keys.offer("T3", "finance", "ACCOUNTABLE")).await;
    assert_eq!(
        treasurer.refused(ACCEPT, at(&uninvited)).await,
        ["FORBIDDEN"]
    );
    neighbour
        .does(
            DECLINE,
            json!({ "id": uninvited["id"], "expectedVersion": 1, "reason": "it stays ours" }),
        )
        .await;

    let handed_over = propose(&neighbour, keys.offer("T3", "finance", "ACCOUNTABLE")).await;
    treasurer.does(ACCEPT, at(&handed_over)).await;

    let by_cx_manager = propose(&cx_manager, keys.offer("T3", "sales", "ACCOUNTABLE")).await;
    assert_eq!(by_cx_manager["proposedBy"], Value::Null);
    let accepted = lead.does(ACCEPT, at(&by_cx_manager)).await;
    assert_eq!(accepted["ended"]["status"], "ENDED");
}

#[tokio::test]
async fn accepting_declines_the_rivals_and_their_acceptance_names_the_holder() {
    let world = World::small().await;
    let (lead, treasurer) = (
        world.sign_in("lead").await,
        world.sign_in("treasurer").await,
    );
    let rivals = lead
        .ask("{ responsibilities(filter: { statuses: [PROPOSED] }) { nodes { id version department { key } } } }", json!({}))
        .await;
    let rivals = rivals["responsibilities"]["nodes"]
        .as_array()
        .expect("two rivals")
        .clone();
    let of = |key: &str| {
        rivals
            .iter()
            .find(|rival| rival["department"]["key"] == key)
            .expect("a rival")
            .clone()
    };
    lead.does(ACCEPT, at(&of("sales"))).await;
    let taken = treasurer.tries(ACCEPT, at(&of("finance"))).await;
    assert_eq!(reasons(&taken), ["CONFLICT ACCOUNTABLE_TAKEN"]);
    assert_eq!(taken["holder"]["department"]["key"], "sales");
    assert_eq!(taken["responsibility"]["status"], "DECLINED");
    let message = text(&taken["userErrors"][0]["message"]);
    assert!(
        message.starts_with("Sales has become accountable"),
        "{message}"
    );
}

#[tokio::test]
async fn only_the_proposer_withdraws_and_what_is_answered_stays_answered() {
    let world = World::small().await;
    let (lead, neighbour) = (
        world.sign_in("lead").await,
        world.sign_in("neighbour").await,
    );
    let keys = Keys::of(&lead, "open").await;
    let offered = propose(&lead, keys.offer("T2", "service", "INFORMED")).await;
    assert_eq!(
        neighbour.refused(WITHDRAW, at(&offered)).await,
        ["FORBIDDEN"]
    );
    let withdrawn = lead.does(WITHDRAW, at(&offered)).await;
    assert_eq!(
        (
            &withdrawn["responsibility"]["status"],
            &withdrawn["responsibility"]["reason"]
        ),
        (&json!("DECLINED"), &json!("WITHDRAWN"))
    );
    let again = neighbour.tries(ACCEPT, at(&offered)).await;
    assert_eq!(reasons(&again), ["CONFLICT NOT_OPEN"]);
    propose(&lead, keys.offer("T2", "service", "INFORMED")).await;
}

#[tokio::test]
async fn the_same_role_is_not_offered_twice_and_a_retry_makes_nothing_twice() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let keys = Keys::of(&lead, "open").await;
    let mut offer = keys.offer("T2", "service", "INFORMED");
    offer["id"] = json!(format!("rsp_{}", cx_blueprint::id::new_hex()));
    let first = propose(&lead, offer.clone()).await;
    let again = propose(&lead, offer).await;
    assert_eq!(first, again);
    let twice = lead
        .tries(PROPOSE, keys.offer("T2", "service", "INFORMED"))
        .await;
    assert_eq!(reasons(&twice), ["DUPLICATE ALREADY_HELD"]);
    let held = lead
        .tries(PROPOSE, keys.offer("T2", "finance", "CONSULTED"))
        .await;
    assert_eq!(reasons(&held), ["DUPLICATE ALREADY_HELD"]);
}

#[tokio::test]
async fn accountable_on_a_published_blueprint_ends_by_takeover_or_cx_manager_only() {
    let world = World::small().await;
    let (lead, cx_manager) = (
        world.sign_in("lead").await,
        world.sign_in("cx-manager").await,
    );
    let held = lead
        .ask("{ touchpoint(by: { key: { blueprint: \"open\", key: \"T2\" } }) { responsibilities { id role version department { key } } } }", json!({}))
        .await;
    let held = held["touchpoint"]["responsibilities"]
        .as_array()
        .expect("responsibilities")
        .clone();
    let of = |role: &str| {
        held.iter()
            .find(|held| held["role"] == role)
            .expect("held")
            .clone()
    };
    let refused = lead.tries(END, at(&of("ACCOUNTABLE"))).await;
    assert_eq!(reasons(&refused), ["FORBIDDEN ACCOUNTABLE_ON_PUBLISHED"]);
    assert_eq!(lead.refused(END, at(&of("CONSULTED"))).await, ["FORBIDDEN"]);
    let ended = lead.does(END, at(&of("RESPONSIBLE"))).await;
    assert_eq!(ended["responsibility"]["status"], "ENDED");
    assert_ne!(ended["responsibility"]["validTo"], Value::Null);
    cx_manager.does(END, at(&of("ACCOUNTABLE"))).await;
}

#[tokio::test]
async fn history_knows_who_answered_at_the_end_of_a_day() {
    let world = World::small().await;
    let (lead, neighbour) = (
        world.sign_in("lead").await,
        world.sign_in("neighbour").await,
    );
    let keys = Keys::of(&lead, "open").await;
    world.clock.advance(chrono::Duration::days(1));
    let (lead, neighbour) = (
        world.sign_in_anew(&lead.login).await,
        world.sign_in_anew(&neighbour.login).await,
    );
    let today = world.clock.day_of_moment(world.clock.now());
    let yesterday = today.pred_opt().expect("a day");
    let handed_over = propose(&neighbour, keys.offer("T3", "sales", "ACCOUNTABLE")).await;
    lead.does(ACCEPT, at(&handed_over)).await;
    for (day, holder) in [(yesterday, "service"), (today, "sales")] {
        let history = lead
            .ask(
                "query($id: ID!, $day: Date!) { responsibilityHistory(touchpointId: $id, asOf: $day) {
                    nodes { role department { key } } } }",
                json!({ "id": keys.touchpoints["T3"], "day": day.to_string() }),
            )
            .await;
        let nodes = history["responsibilityHistory"]["nodes"]
            .as_array()
            .expect("nodes")
            .clone();
        let accountable: Vec<_> = nodes
            .iter()
            .filter(|held| held["role"] == "ACCOUNTABLE")
            .collect();
        assert_eq!(accountable.len(), 1, "on {day}");
        assert_eq!(accountable[0]["department"]["key"], holder, "on {day}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_acceptances_at_once_one_wins_and_31_are_told_who() {
    let world = World::small().await;
    let (cx_manager, admin, lead) = (
        world.sign_in("cx-manager").await,
        world.sign_in("admin").await,
        world.sign_in("lead").await,
    );
    let keys = Keys::of(&cx_manager, "open").await;
    let mut offers = Vec::new();
    for n in 0..32 {
        let made = admin
            .does(
                "mutation($input: DepartmentCreateInput!) { departmentCreate(input: $input) {
                    department { id } userErrors { message } } }",
                json!({ "name": format!("Rival {n}"), "kind": "INTERNAL" }),
            )
            .await;
        let offer = json!({
            "touchpointId": keys.touchpoints["T5"], "departmentId": made["department"]["id"], "role": "ACCOUNTABLE",
        });
        offers.push(propose(&lead, offer).await);
    }
    let answers = futures_util::future::join_all(
        offers
            .iter()
            .map(|offer| cx_manager.tries(ACCEPT, at(offer))),
    )
    .await;
    let won = answers
        .iter()
        .filter(|answer| answer["userErrors"] == json!([]))
        .count();
    let told = answers
        .iter()
        .filter(|answer| reasons(answer) == ["CONFLICT ACCOUNTABLE_TAKEN"]);
    assert_eq!(won, 1);
    assert_eq!(told.clone().count(), 31);
    assert!(
        told.clone()
            .all(|answer| text(&answer["holder"]["department"]["key"]).starts_with("rival-"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_writers_on_one_row_every_one_gets_through_in_the_end() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let found = lead
        .ask("{ touchpoint(by: { key: { blueprint: \"open\", key: \"T2\" } }) { responsibilities { id role version } } }", json!({}))
        .await;
    let held = found["touchpoint"]["responsibilities"]
        .as_array()
        .expect("responsibilities")
        .clone();
    let held = held
        .into_iter()
        .find(|held| held["role"] == "RESPONSIBLE")
        .expect("one");
    let write = async |n: usize| {
        let mut version = held["version"].clone();
        loop {
            let input = json!({ "id": held["id"], "expectedVersion": version, "tasks": [format!("task {n}")] });
            let answer = lead.tries(UPDATE, input).await;
            match reasons(&answer).as_slice() {
                [] => return,
                [conflict] if conflict == "CONFLICT VERSION_STALE" => {
                    version = answer["responsibility"]["version"].clone()
                }
                other => panic!("{other:?}"),
            }
        }
    };
    futures_util::future::join_all((0..32).map(write)).await;
    let after = lead
        .ask(
            "query($id: ID!) { responsibility(id: $id) { version } }",
            json!({ "id": held["id"] }),
        )
        .await;
    assert_eq!(after["responsibility"]["version"], json!(33));
}
