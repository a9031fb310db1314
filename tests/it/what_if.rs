//! What would follow from an act, worked out by hand from the demo's file, and told only as far as its reader may see.

mod hidden;

use entity::{
    account, audit_event, blueprint, department, kpi, membership, responsibility, touchpoint,
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::world::{Actor, World};

/// Every list of an impact that is not empty, as keys: of responsibilities the touchpoint, the role and the department.
const IMPACT: &str = "fragment I on Impact {
    obstacles { reason code }
    departmentsMoved(first: 100) { nodes { key } }
    responsibilitiesEnded(first: 100) { nodes { ...R } }
    responsibilitiesHandedOver(first: 100) { nodes { ...R } }
    responsibilitiesMerged(first: 100) { nodes { ...R } }
    proposalsClosed(first: 100) { nodes { ...R } }
    proposalsReaddressed(first: 100) { nodes { ...R } }
    lostAccountable(first: 100) { nodes { key } }
    lostResponsible(first: 100) { nodes { key } }
    leftWithoutResponsible(first: 100) { nodes { key } }
    blueprintsHandedOver(first: 100) { nodes { key } }
    blueprintsLeft(first: 100) { nodes { key } }
    kpisHandedOver(first: 100) { nodes { key } }
    kpisLeft(first: 100) { nodes { key } }
    kpisHanging(first: 100) { nodes { key } }
    transitionsBroken(first: 100) { nodes { from { key } to { key } end } }
    newlyUnreachable(first: 100) { nodes { key } }
    newDeadEnds(first: 100) { nodes { key } }
    scenariosShortened(first: 100) { nodes { name } }
    insightsGone(first: 100) { nodes { key } }
    personOf(first: 100) { nodes { ...R } }
    departmentsWithoutOwnLead(first: 100) { nodes { key } }
    departmentsUnled(first: 100) { nodes { key } }
    proposalsUnanswerable(first: 100) { nodes { ...R } }
    blueprintsUnled(first: 100) { nodes { key } }
} fragment R on Responsibility { touchpoint { key } role department { key } }";

const ARCHIVE: &str = "query($id: ID!, $successorId: ID) {
    impact: departmentArchiveImpact(id: $id, successorId: $successorId) { ...I } }";
const MERGE: &str = "query($ids: [ID!]!, $successorId: ID!) {
    impact: departmentMergeImpact(ids: $ids, successorId: $successorId) { ...I } }";
const REMOVE: &str = "query($id: ID!) { impact: touchpointArchiveImpact(id: $id) { ...I } }";
const AWAY: &str = "query($id: ID!) { impact: accountDeactivateImpact(id: $id) { ...I } }";

fn node(node: &Value) -> String {
    let key = |node: &Value| node["key"].as_str().map(str::to_owned);
    if let Some(name) = key(node).or_else(|| node["name"].as_str().map(str::to_owned)) {
        return name;
    }
    if let Some(role) = node["role"].as_str() {
        let (touchpoint, department) = (key(&node["touchpoint"]), key(&node["department"]));
        return [touchpoint, Some(role[..1].to_owned()), department]
            .map(|part| part.expect("a responsibility"))
            .join(" ");
    }
    let side = |side: &str| key(&node[side]).or_else(|| node["end"].as_str().map(str::to_owned));
    format!(
        "{}>{}",
        side("from").expect("a side"),
        side("to").expect("a side")
    )
}

/// An impact as text, a line for each list that is not empty.
fn told(impact: &Value) -> Vec<String> {
    let lists = impact.as_object().expect("an impact").iter();
    let lists = lists.filter_map(|(name, list)| {
        let nodes: Vec<String> = match list.as_array() {
            Some(obstacles) => obstacles
                .iter()
                .map(|one| one["reason"].as_str().or(one["code"].as_str()))
                .map(|why| why.expect("a reason").to_owned())
                .collect(),
            None => list["nodes"].as_array()?.iter().map(node).collect(),
        };
        (!nodes.is_empty()).then(|| format!("{name}: {}", nodes.join(", ")))
    });
    let mut lines: Vec<String> = lists.collect();
    lines.sort();
    lines
}

async fn asks(actor: &Actor<'_>, question: &str, variables: Value) -> Vec<String> {
    let answer = actor.ask(&format!("{question} {IMPACT}"), variables).await;
    told(&answer["impact"])
}

/// How a question is answered that is not: the code of its error and the permission that is missing, or null.
async fn refused(actor: &Actor<'_>, question: &str, variables: Value) -> Value {
    let answer = actor.send(&format!("{question} {IMPACT}"), variables).await;
    assert_eq!(answer["data"]["impact"], Value::Null, "{answer}");
    let error = &answer["errors"][0]["extensions"];
    match error {
        Value::Null => Value::Null,
        _ => json!([error["code"], error["requiredPermission"]]),
    }
}

fn forbidden(permission: &str) -> Value {
    json!(["FORBIDDEN", permission])
}

macro_rules! id_of {
    ($name:ident, $entity:ident) => {
        async fn $name(world: &World, key: &str) -> String {
            let rows = $entity::Entity::find()
                .all(&world.db())
                .await
                .expect("rows");
            let row = rows.into_iter().find(|row| row.key == key);
            row.expect("it is there").id.to_string()
        }
    };
}

id_of!(department_id, department);
id_of!(touchpoint_id, touchpoint);
id_of!(account_id, account);

async fn archiving(world: &World, key: &str, successor: Option<&str>) -> Value {
    let successor = match successor {
        Some(key) => json!(department_id(world, key).await),
        None => Value::Null,
    };
    json!({ "id": department_id(world, key).await, "successorId": successor })
}

#[tokio::test]
async fn archiving_the_after_sales_service_orphans_what_nobody_takes_over() {
    let world = World::demo().await;
    let jon = world.sign_in("jon-lead-aftersales").await;
    let alone = archiving(&world, "b-aftersales", None).await;
    let told = asks(&jon, ARCHIVE, alone).await;
    assert_eq!(
        told,
        [
            "blueprintsLeft: bp-aftermarket",
            "kpisHanging: KB3",
            "kpisLeft: KB3",
            "leftWithoutResponsible: B08, E05",
            "lostAccountable: B04, B08, B09",
            "lostResponsible: B04, B08, B09, B10, B14, E05",
            "obstacles: SUCCESSOR_NEEDED",
            "responsibilitiesEnded: B03 C b-aftersales, B04 A b-aftersales, B04 R b-aftersales, \
             B08 A b-aftersales, B08 R b-aftersales, B09 A b-aftersales, B09 R b-aftersales, \
             B10 R b-aftersales, B11 C b-aftersales, B14 R b-aftersales, E05 R b-aftersales",
        ]
    );
}

#[tokio::test]
async fn a_successor_takes_over_and_duplicates_merge() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let heir = archiving(&world, "b-aftersales", Some("b-logistics")).await;
    assert_eq!(
        asks(&ann, ARCHIVE, heir).await,
        [
            "blueprintsHandedOver: bp-aftermarket",
            "kpisHandedOver: KB3",
            "responsibilitiesHandedOver: B03 C b-aftersales, B04 A b-aftersales, B08 A b-aftersales, \
             B08 R b-aftersales, B09 A b-aftersales, B11 C b-aftersales, B14 R b-aftersales, E05 R b-aftersales",
            "responsibilitiesMerged: B04 R b-aftersales, B09 R b-aftersales, B10 R b-aftersales",
        ]
    );
    let both = json!({
        "ids": [department_id(&world, "b-aftersales").await, department_id(&world, "b-logistics").await],
        "successorId": department_id(&world, "b-sales").await,
    });
    assert_eq!(
        asks(&ann, MERGE, both).await,
        [
            "blueprintsHandedOver: bp-aftermarket",
            "kpisHandedOver: KB3",
            "responsibilitiesHandedOver: B03 C b-aftersales, B04 A b-aftersales, B04 R b-aftersales, \
             B08 A b-aftersales, B08 R b-aftersales, B09 A b-aftersales, B09 R b-aftersales, \
             B10 R b-logistics, B11 C b-aftersales, E05 R b-aftersales",
            "responsibilitiesMerged: B04 R b-logistics, B09 R b-logistics, B10 R b-aftersales, B14 R b-aftersales",
        ]
    );
}

#[tokio::test]
async fn proposals_close_or_find_another_address() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let comms = archiving(&world, "u-comms", Some("u-membership")).await;
    let told = asks(&ann, ARCHIVE, comms).await;
    // U17: offered to u-comms by u-fund and, by u-comms, to u-membership, which is asked already.
    assert!(
        told.contains(&"proposalsClosed: U17 A u-comms".to_owned()),
        "{told:?}"
    );
    assert!(
        !told
            .iter()
            .any(|line| line.starts_with("proposalsReaddressed")),
        "{told:?}"
    );
    let campus = archiving(&world, "u-campus", Some("u-events")).await;
    let told = asks(&ann, ARCHIVE, campus).await;
    assert!(
        told.contains(&"proposalsReaddressed: U08 A u-marketing".to_owned()),
        "{told:?}"
    );
    assert!(
        !told.iter().any(|line| line.starts_with("proposalsClosed")),
        "{told:?}"
    );
}

#[tokio::test]
async fn what_is_part_of_a_department_blocks_archiving_and_moves_in_a_merger() {
    let world = World::demo().await;
    let gus = world.sign_in("gus-admin").await;
    let rental = archiving(&world, "rental", Some("travel")).await;
    assert_eq!(
        asks(&gus, ARCHIVE, rental.clone()).await,
        ["obstacles: IN_USE"]
    );
    let merged = json!({ "ids": [rental["id"]], "successorId": rental["successorId"] });
    assert_eq!(
        asks(&gus, MERGE, merged).await,
        ["departmentsMoved: r-marketing, r-web, r-station, r-support, r-fleet, r-finance"]
    );
    let below = department_id(&world, "r-web").await;
    for into in [&rental["id"], &json!(below)] {
        let circle = json!({ "ids": [rental["id"]], "successorId": into });
        assert_eq!(refused(&gus, MERGE, circle).await[0], "BAD_USER_INPUT");
    }
    let nobody = json!({ "ids": [], "successorId": rental["successorId"] });
    assert_eq!(refused(&gus, MERGE, nobody).await[0], "BAD_USER_INPUT");
}

#[tokio::test]
async fn removing_a_step_breaks_ways() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let without = async |key: &str| {
        let id = touchpoint_id(&world, key).await;
        asks(&ann, REMOVE, json!({ "id": id })).await
    };
    assert_eq!(
        without("R03").await,
        [
            "newDeadEnds: R02",
            "newlyUnreachable: R04, R05, R06, R07, R08",
            "responsibilitiesEnded: R03 A r-station, R03 R r-station, R03 I r-fleet",
            "transitionsBroken: R02>R03, R08>R03, R03>R04, R03>R05, R04>R03",
        ]
    );
    assert_eq!(
        without("R04").await,
        [
            "responsibilitiesEnded: R04 A r-support, R04 R r-support, R04 C r-fleet",
            "transitionsBroken: R03>R04, R04>R05, R04>R03, R06>R04",
        ]
    );
    // Nobody comes in any more.
    let first = without("R01").await;
    assert_eq!(
        first[0],
        "newlyUnreachable: R02, R03, R04, R05, R06, R07, R08"
    );
    // All that KB3 judges.
    assert_eq!(without("B08").await[0], "kpisHanging: KB3");
}

#[tokio::test]
async fn what_is_known_of_a_step_and_leads_over_it_goes_with_it() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let id = touchpoint_id(&world, "R04").await;
    let blueprint = ann
        .ask(
            "{ blueprint(by: { key: \"bp-rental\" }) { id } }",
            json!({}),
        )
        .await;
    let [first, last] = [
        touchpoint_id(&world, "R03").await,
        touchpoint_id(&world, "R05").await,
    ];
    for (name, steps) in [
        ("with help", json!([first, id, last])),
        ("alone", json!([first, last])),
    ] {
        let scenario = json!({ "blueprintId": blueprint["blueprint"]["id"], "name": name, "kind": "HAPPY", "touchpointIds": steps });
        ann.does("mutation($input: ScenarioCreateInput!) { scenarioCreate(input: $input) { userErrors { code } } }", scenario).await;
    }
    for (key, place) in [("stuck", &id), ("queue", &first)] {
        let insight =
            json!({ "touchpointId": place, "key": key, "kind": "PAIN", "text": "It takes long" });
        ann.does("mutation($input: InsightCreateInput!) { insightCreate(input: $input) { userErrors { code } } }", insight).await;
    }
    let told = asks(&ann, REMOVE, json!({ "id": id })).await;
    assert_eq!(told[0], "insightsGone: stuck");
    assert_eq!(told[2], "scenariosShortened: with help");
}

#[tokio::test]
async fn who_leads_alone_leaves_departments_without_an_answer() {
    let world = World::demo().await;
    let gus = world.sign_in("gus-admin").await;
    let without = async |key: &str| {
        let id = account_id(&world, key).await;
        asks(&gus, AWAY, json!({ "id": id })).await
    };
    // Whoever leads the industrial supplier leads the after-sales service too.
    assert_eq!(
        without("jon-lead-aftersales").await,
        ["departmentsWithoutOwnLead: b-aftersales"]
    );
    assert_eq!(
        without("cia-lead-marketing").await,
        [
            "departmentsUnled: u-marketing",
            "departmentsWithoutOwnLead: u-marketing",
            "proposalsUnanswerable: U08 A u-marketing",
        ]
    );
    assert_eq!(
        without("lea-cx").await,
        [
            "blueprintsUnled: bp-employee",
            "departmentsUnled: industrial, b-marketing, b-sales, b-it, b-mgmt, b-logistics, b-hr",
            "departmentsWithoutOwnLead: industrial",
        ]
    );
    assert_eq!(without("gus-admin").await, ["obstacles: LAST_ADMIN"]);
    assert_eq!(without("eva-viewer").await, [""; 0]);

    let away = format!(
        "mutation($input: AtVersionInput!) {{ accountDeactivate(input: $input) {{ impact {{ ...I }} userErrors {{ code }} }} }} {IMPACT}"
    );
    let lea = json!({ "id": account_id(&world, "lea-cx").await, "expectedVersion": 1 });
    let before = without("lea-cx").await;
    assert_eq!(told(&gus.does(&away, lea).await["impact"]), before);
    assert_eq!(
        without("jon-lead-aftersales").await,
        [
            "blueprintsUnled: bp-aftermarket",
            "departmentsUnled: b-aftersales",
            "departmentsWithoutOwnLead: b-aftersales",
        ],
        "who is gone leads nobody"
    );
    assert_eq!(without("lea-cx").await, [""; 0], "nothing more changes");
}

#[tokio::test]
async fn a_person_is_named_where_they_do_the_work() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let found = ann
        .ask(
            "{ touchpoint(by: { key: { blueprint: \"bp-rental\", key: \"R07\" } }) { responsibilities { id version } } }",
            json!({}),
        )
        .await["touchpoint"]["responsibilities"][0]
        .take();
    let person = account_id(&world, "dan-contrib-campus").await;
    let ask = "{ department(by: { key: \"r-support\" }) { id } }";
    let support = ann.ask(ask, json!({})).await["department"]["id"].take();
    let grant = "mutation($input: MembershipGrantInput!) { membershipGrant(input: $input) { userErrors { code } } }";
    let member = json!({ "accountId": person, "departmentId": support, "role": "VIEWER" });
    world.sign_in("gus-admin").await.does(grant, member).await;
    let named =
        json!({ "id": found["id"], "expectedVersion": found["version"], "personId": person });
    let update = "mutation($input: ResponsibilityUpdateInput!) { responsibilityUpdate(input: $input) { userErrors { code } } }";
    ann.does(update, named).await;
    assert_eq!(
        asks(&ann, AWAY, json!({ "id": person })).await,
        ["personOf: R07 R r-support"]
    );
}

#[tokio::test]
async fn asking_writes_nothing() {
    let world = World::demo().await;
    let db = world.db();
    let ann = world.sign_in("ann-cx").await;
    let gus = world.sign_in("gus-admin").await;
    let stored = async || {
        macro_rules! rows {
            ($($entity:ident)*) => {
                [$(format!("{:?}", $entity::Entity::find().all(&db).await.expect("rows"))),*]
            };
        }
        rows!(account audit_event blueprint department kpi membership responsibility touchpoint)
    };
    let bo = world.sign_in("bo-lead-fund").await;
    let before = stored().await;
    asks(
        &ann,
        ARCHIVE,
        archiving(&world, "b-aftersales", Some("b-sales")).await,
    )
    .await;
    let rental = archiving(&world, "rental", Some("travel")).await;
    asks(
        &gus,
        MERGE,
        json!({ "ids": [rental["id"]], "successorId": rental["successorId"] }),
    )
    .await;
    asks(
        &ann,
        REMOVE,
        json!({ "id": touchpoint_id(&world, "R03").await }),
    )
    .await;
    asks(
        &gus,
        AWAY,
        json!({ "id": account_id(&world, "lea-cx").await }),
    )
    .await;
    refused(&bo, ARCHIVE, rental).await;
    assert_eq!(stored().await, before);
}
