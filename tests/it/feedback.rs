//! Feedback: recorded all or none, routed to whoever was accountable when the customer answered, followed up by them,
//! told without names to everybody else.

mod employees;
mod erasure;
mod routing;
mod sent_again;

use std::collections::HashSet;

use entity::{employee_answer, employee_receipt};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{self, Actor, World},
};

const RECORD: &str = "mutation($input: FeedbackRecordInput!) { feedbackRecord(input: $input) {
    recorded unchanged unroutable userErrors { code field message }
} }";

const UPDATE: &str = "mutation($input: FollowUpUpdateInput!) { followUpUpdate(input: $input) {
    followUp { id state cause note closedAt version } userErrors { code field }
} }";

const ASSIGN: &str = "mutation($input: FollowUpAssignInput!) { followUpAssign(input: $input) {
    followUp { assignee { key } dueOn version } userErrors { code field }
} }";

const LIST: &str = "query($filter: FeedbackFilter) { feedback(first: 100, filter: $filter) { nodes {
    id score group answeredOn respondent contact comment externalId touchpoint { key } department { key }
    followUp { id state dueOn version note department { key } } viewerPermissions
} } }";

fn nps(touchpoint: &str, score: i32, day: &str) -> Value {
    json!({ "scale": "NPS", "score": score, "touchpointId": touchpoint, "answeredOn": day })
}

fn with(mut input: Value, more: Value) -> Value {
    for (key, value) in more.as_object().expect("an object") {
        input[key] = value.clone();
    }
    input
}

fn batch(feedback: &[Value]) -> Value {
    json!({ "feedback": feedback })
}

async fn listed(actor: &Actor<'_>, filter: Value) -> Vec<Value> {
    let mut answer = actor.ask(LIST, json!({ "filter": filter })).await;
    let nodes = answer["feedback"]["nodes"].take();
    nodes.as_array().expect("nodes").clone()
}

/// The one answer that a filter leaves.
async fn only(actor: &Actor<'_>, filter: Value) -> Value {
    let mut all = listed(actor, filter).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// Somebody who was annoyed at T2, where sales is accountable.
async fn annoyed(world: &World, ids: &Ids) {
    let manager = world.sign_in("cx-manager").await;
    let answer = with(
        nps(&ids["T2"], 3, "2025-03-04"),
        json!({ "respondent": "customer-17", "contact": "17@example.org", "comment": "Nobody called back", "externalId": "s-1" }),
    );
    let done = manager.does(RECORD, batch(&[answer])).await;
    assert_eq!(done["recorded"], json!(1));
}

/// Two touchpoints in the journey of employees.
async fn two_places(ann: &Actor<'_>) -> [Value; 2] {
    let at = "{ blueprint(by: { key: \"bp-employee\" }) { phases { touchpoints { id } } } }";
    let mut phases = ann.ask(at, json!({})).await["blueprint"]["phases"].take();
    let phases = phases.as_array_mut().expect("phases").iter_mut();
    let mut places = phases.flat_map(|one| one["touchpoints"].take().as_array().cloned());
    let mut places = places.by_ref().flatten().map(|mut one| one["id"].take());
    [(); 2].map(|()| places.next().expect("a touchpoint"))
}

#[tokio::test]
async fn routing_goes_by_the_moment_of_the_answer_and_not_by_today() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    world.clock.advance(chrono::Duration::seconds(1));
    let before = world.clock.now();
    world.clock.advance(chrono::Duration::seconds(1));
    let propose =
        "mutation($input: ResponsibilityProposeInput!) { responsibilityPropose(input: $input) {
        responsibility { id } userErrors { code } } }";
    let accept = "mutation($input: ResponsibilityAcceptInput!) { responsibilityAccept(input: $input) { userErrors { code } } }";
    let takeover =
        json!({ "touchpointId": ids["T2"], "departmentId": ids["finance"], "role": "ACCOUNTABLE" });
    let made = manager.does(propose, takeover).await;
    let treasurer = world.sign_in("treasurer").await;
    let at = json!({ "id": made["responsibility"]["id"], "expectedVersion": 1 });
    treasurer.does(accept, at).await;
    world.clock.advance(chrono::Duration::seconds(1));
    let answer = |at: String, who: &str| json!({ "scale": "CSAT", "score": 2, "touchpointId": ids["T2"], "answeredAt": at, "respondent": who });
    let after = world.clock.now().to_rfc3339();
    let both = [answer(before.to_rfc3339(), "early"), answer(after, "late")];
    manager.does(RECORD, batch(&both)).await;
    let routed: Vec<Value> = listed(&manager, Value::Null)
        .await
        .into_iter()
        .map(|row| json!([row["respondent"], row["department"]["key"]]))
        .collect();
    assert_eq!(
        routed,
        [json!(["early", "sales"]), json!(["late", "finance"])]
    );
}

#[tokio::test]
async fn every_fault_of_a_batch_is_told_at_once() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let tomorrow = (world.clock.now() + chrono::Duration::days(1))
        .format("%Y-%m-%d")
        .to_string();
    let list = [
        nps(&ids["T2"], 11, "2025-03-04"),
        json!({ "scale": "CSAT", "score": 0, "answeredOn": "2025-03-04" }),
        json!({ "scale": "CES", "score": 8, "answeredOn": tomorrow }),
        json!({ "scale": "NPS", "score": 5 }),
        nps("tch_019ab000000070008000000000000000", 5, "2025-03-04"),
        with(
            nps(&ids["T2"], 5, "2025-03-04"),
            json!({ "blueprintId": ids["closed"], "contact": "x" }),
        ),
        with(
            nps(&ids["T2"], 5, "2025-03-04"),
            json!({ "channelId": "chn_019ab000000070008000000000000000", "scale": "ENPS" }),
        ),
    ];
    let answer = manager.tries(RECORD, batch(&list)).await;
    let mut told: Vec<String> = answer["userErrors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| {
            let path = error["field"].as_array().expect("a path").iter();
            let path: Vec<&str> = path
                .skip(1)
                .map(|part| part.as_str().expect("a part"))
                .collect();
            format!(
                "{} {}",
                path.join("."),
                error["code"].as_str().expect("a code")
            )
        })
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "0.score INVALID",
            "1.score INVALID",
            "2.answeredOn INVALID",
            "2.score INVALID",
            "3 INVALID",
            "4.touchpointId NOT_FOUND",
            "5.blueprintId INVALID",
            "5.respondent REQUIRED",
            "6.channelId NOT_FOUND",
            "6.scale INVALID",
        ]
    );
    assert!(listed(&manager, Value::Null).await.is_empty());
    let many: Vec<Value> = (0..1_001)
        .map(|_| nps(&ids["T2"], 5, "2025-03-04"))
        .collect();
    assert_eq!(
        manager.refused(RECORD, batch(&many)).await,
        ["LIMIT_EXCEEDED"]
    );
    let most = manager.does(RECORD, batch(&many[..1_000])).await;
    assert_eq!(most["recorded"], json!(1_000));
}

#[tokio::test]
async fn who_answered_and_what_they_wrote_is_known_only_where_it_is_looked_after() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    annoyed(&world, &ids).await;
    for login in ["contributor", "lead", "chair", "cx-manager"] {
        let row = only(&world.sign_in(login).await, Value::Null).await;
        assert_eq!(row["respondent"], json!("customer-17"), "{login}");
        assert_eq!(row["contact"], json!("17@example.org"), "{login}");
        assert_eq!(row["comment"], json!("Nobody called back"), "{login}");
        assert_eq!(row["externalId"], json!("s-1"), "{login}");
    }
    for login in [
        "stranger",
        "viewer",
        "neighbour",
        "partner",
        "analyst",
        "auditor",
        "admin",
    ] {
        let row = only(&world.sign_in(login).await, Value::Null).await;
        assert_eq!(row["score"], json!(3), "{login} reads the score");
        for field in ["respondent", "contact", "comment", "externalId"] {
            assert_eq!(row[field], Value::Null, "{login} {field}");
        }
        assert_eq!(row["viewerPermissions"], json!([]), "{login}");
    }
}

#[tokio::test]
async fn an_answer_at_what_one_may_not_read_is_not_there() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let closed = nps(&ids["C1"], 3, "2025-03-04");
    let whole = json!({ "scale": "NPS", "score": 8, "answeredOn": "2025-03-04" });
    manager.does(RECORD, batch(&[closed, whole])).await;
    let summary = "{ feedbackSummary { answers dissatisfied } }";
    for (login, answers) in [
        ("stranger", 1),
        ("partner", 0),
        ("neighbour", 2),
        ("analyst", 2),
    ] {
        let actor = world.sign_in(login).await;
        assert_eq!(listed(&actor, Value::Null).await.len(), answers, "{login}");
        let told = actor.ask(summary, json!({})).await;
        assert_eq!(
            told["feedbackSummary"]["answers"],
            json!(answers),
            "{login}"
        );
    }
}

#[tokio::test]
async fn a_follow_up_is_assigned_by_the_lead_and_worked_by_the_department() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    annoyed(&world, &ids).await;
    let lead = world.sign_in("lead").await;
    let follow_up = only(&lead, Value::Null).await["followUp"].take();
    let id = &follow_up["id"];
    let assign = |who: &str, version: i32| json!({ "id": id, "expectedVersion": version, "assigneeId": ids[who], "dueOn": "2025-03-09" });
    let contributor = world.sign_in("contributor").await;
    assert_eq!(
        contributor.refused(ASSIGN, assign("contributor", 1)).await,
        ["FORBIDDEN"]
    );
    for stranger in ["viewer", "neighbour", "analyst"] {
        assert_eq!(
            lead.refused(ASSIGN, assign(stranger, 1)).await,
            ["INVALID"],
            "{stranger}"
        );
    }
    let assigned = lead.does(ASSIGN, assign("contributor", 1)).await;
    assert_eq!(
        assigned["followUp"],
        json!({ "assignee": { "key": "contributor" }, "dueOn": "2025-03-09", "version": 2 })
    );
    let open = "{ department(by: { key: \"board\" }) { openCases(includeDescendants: true) { nodes { id assignee { key } } } } }";
    let cases = lead.ask(open, json!({})).await["department"]["openCases"]["nodes"].take();
    assert_eq!(
        cases,
        json!([{ "id": id, "assignee": { "key": "contributor" } }])
    );
    let called = json!({ "id": id, "expectedVersion": 2, "state": "CONTACTED", "cause": "PERSON", "note": "Said sorry" });
    let done = contributor.does(UPDATE, called).await["followUp"].take();
    assert_eq!(
        (&done["state"], &done["cause"], &done["closedAt"]),
        (&json!("CONTACTED"), &json!("PERSON"), &Value::Null)
    );
    let over = json!({ "id": id, "expectedVersion": 3, "state": "RESOLVED" });
    let done = contributor.does(UPDATE, over).await["followUp"].take();
    assert!(
        done["closedAt"].is_string() && done["note"] == json!("Said sorry"),
        "{done}"
    );
    let cases = lead.ask(open, json!({})).await["department"]["openCases"]["nodes"].take();
    assert_eq!(cases, json!([]));
    let stale = json!({ "id": id, "expectedVersion": 3, "state": "OPEN" });
    assert_eq!(contributor.refused(UPDATE, stale).await, ["CONFLICT"]);
    for login in ["neighbour", "analyst", "auditor", "admin", "stranger"] {
        let actor = world.sign_in(login).await;
        let reopen = json!({ "id": id, "expectedVersion": 4, "state": "OPEN" });
        assert_eq!(
            actor.refused(UPDATE, reopen).await,
            ["FORBIDDEN"],
            "{login}"
        );
        assert_eq!(
            actor.refused(ASSIGN, assign("lead", 4)).await,
            ["FORBIDDEN"],
            "{login}"
        );
        let note = only(&actor, Value::Null).await["followUp"]["note"].take();
        assert_eq!(note, Value::Null, "{login}");
    }
}

#[tokio::test]
async fn recording_is_for_those_who_deliver() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let at = |touchpoint: &str| batch(&[nps(&ids[touchpoint], 5, "2025-03-04")]);
    let contributor = world.sign_in("contributor").await;
    contributor.does(RECORD, at("T2")).await;
    assert_eq!(contributor.refused(RECORD, at("T3")).await, ["FORBIDDEN"]);
    assert_eq!(contributor.refused(RECORD, at("C1")).await, ["NOT_FOUND"]);
    let both = batch(&[
        nps(&ids["T2"], 5, "2025-03-04"),
        nps(&ids["T3"], 5, "2025-03-04"),
    ]);
    assert_eq!(contributor.refused(RECORD, both).await, ["FORBIDDEN"]);
    let whole = batch(&[json!({ "scale": "NPS", "score": 8, "answeredOn": "2025-03-04" })]);
    assert_eq!(contributor.refused(RECORD, whole).await, ["FORBIDDEN"]);
    let permissions =
        "{ touchpoint(by: { key: { blueprint: \"open\", key: \"T2\" } }) { viewerPermissions } }";
    let may =
        contributor.ask(permissions, json!({})).await["touchpoint"]["viewerPermissions"].take();
    assert_eq!(may, json!(["DESCRIBE_TOUCHPOINT", "RECORD_FEEDBACK"]));
}

#[tokio::test]
async fn a_touchpoint_tells_what_its_answers_come_to() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let on = |scale: &str, score: i32, day: &str| json!({ "scale": scale, "score": score, "touchpointId": ids["T2"], "answeredOn": day });
    let list = [
        on("NPS", 10, "2025-03-01"),
        on("NPS", 8, "2025-03-02"),
        on("NPS", 6, "2025-03-02"),
        on("NPS", 9, "2025-03-31"),
        on("CSAT", 5, "2025-03-03"),
        on("CSAT", 3, "2025-03-03"),
        on("CES", 7, "2025-03-03"),
        on("CES", 2, "2025-03-03"),
        on("NPS", 0, "2025-04-01"),
    ];
    manager.does(RECORD, batch(&list)).await;
    let document = "{ touchpoint(by: { key: { blueprint: \"open\", key: \"T2\" } }) {
        march: feedback(from: \"2025-03-01\", to: \"2025-04-01\") { answers satisfied indifferent dissatisfied nps csat csatSatisfiedShare ces enps }
        ever: feedback { answers nps }
        never: feedback(to: \"2025-03-01\") { answers nps }
    } }";
    let told = manager.ask(document, json!({})).await["touchpoint"].take();
    // Satisfied: 10, 9, CSAT 5, CES 7. Indifferent: 8, CSAT 3. Dissatisfied: 6, CES 2. NPS 100 × (2 − 1) / 4.
    assert_eq!(
        told["march"],
        json!({ "answers": 8, "satisfied": 4, "indifferent": 2, "dissatisfied": 2, "nps": 25.0,
            "csat": 4.0, "csatSatisfiedShare": 0.5, "ces": 4.5, "enps": null })
    );
    assert_eq!(
        told["ever"],
        json!({ "answers": 9, "nps": 0.0 }),
        "2 less 2, of 5"
    );
    assert_eq!(told["never"], json!({ "answers": 0, "nps": null }));
    let filter = json!({ "touchpointId": ids["T2"], "scales": ["NPS"], "groups": ["DISSATISFIED"], "from": "2025-03-01", "to": "2025-04-01" });
    assert_eq!(only(&manager, filter).await["score"], json!(6));
}

#[tokio::test]
async fn a_playbook_says_what_to_do_and_by_when() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let set = "mutation($input: PlaybookSetInput!) { playbookSet(input: $input) {
        playbook { group text dueDays version } userErrors { code } } }";
    let first = json!({ "group": "DISSATISFIED", "text": "Call the same day", "dueDays": 0 });
    manager.does(set, first.clone()).await;
    manager.does(set, first).await;
    let other = json!({ "group": "DISSATISFIED", "text": "Call within a day", "dueDays": 1 });
    assert_eq!(manager.refused(set, other.clone()).await, ["CONFLICT"]);
    let changed = manager
        .does(set, with(other, json!({ "expectedVersion": 1 })))
        .await;
    assert_eq!(changed["playbook"]["version"], json!(2));
    let bad = json!({ "group": "SATISFIED", "text": " ", "dueDays": 366 });
    assert_eq!(manager.refused(set, bad).await, ["REQUIRED", "INVALID"]);
    annoyed(&world, &ids).await;
    let document =
        "{ followUps { nodes { dueOn playbook { text } } } playbooks { group dueDays } }";
    let told = world.sign_in("lead").await.ask(document, json!({})).await;
    assert_eq!(
        told["followUps"]["nodes"],
        json!([{ "dueOn": "2025-03-05", "playbook": { "text": "Call within a day" } }])
    );
    assert_eq!(
        told["playbooks"],
        json!([{ "group": "DISSATISFIED", "dueDays": 1 }])
    );
}

async fn annoyed_again(world: &World, ids: &Ids) {
    let manager = world.sign_in("cx-manager").await;
    let answer = with(
        nps(&ids["T2"], 3, "2025-03-04"),
        json!({ "respondent": "customer-17", "comment": "Nobody called back", "externalId": "s-1" }),
    );
    let done = manager.does(RECORD, batch(&[answer])).await;
    assert_eq!(done["unchanged"], json!(1));
}

#[tokio::test]
async fn what_is_still_to_do_goes_to_the_successor() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    annoyed(&world, &ids).await;
    let second = with(
        nps(&ids["T2"], 9, "2025-03-05"),
        json!({ "respondent": "customer-18" }),
    );
    manager.does(RECORD, batch(&[second])).await;
    let rows = listed(&manager, Value::Null).await;
    let over =
        json!({ "id": rows[1]["followUp"]["id"], "expectedVersion": 1, "state": "RESOLVED" });
    manager.does(UPDATE, over).await;
    let assign = json!({ "id": rows[0]["followUp"]["id"], "expectedVersion": 1, "assigneeId": ids["contributor"] });
    world.sign_in("lead").await.does(ASSIGN, assign).await;
    let merge = "mutation($input: DepartmentMergeInput!) { departmentMerge(input: $input) {
        impact { followUpsHandedOver { nodes { id } } } userErrors { code } } }";
    let admin = world.sign_in("admin").await;
    let ask = "query($id: ID!, $to: ID) { departmentArchiveImpact(id: $id, successorId: $to) {
        followUpsHandedOver { nodes { id } } followUpsLeft { nodes { id } } obstacles { reason } } }";
    let north = json!({ "id": ids["sales"], "to": null });
    let told = admin.ask(ask, north).await["departmentArchiveImpact"].take();
    assert_eq!(
        told["followUpsLeft"]["nodes"],
        json!([{ "id": rows[0]["followUp"]["id"] }])
    );
    let input = json!({ "departments": [{ "id": ids["sales"], "expectedVersion": 1 }], "successorId": ids["service"] });
    let done = admin.does(merge, input).await;
    assert_eq!(
        done["impact"]["followUpsHandedOver"]["nodes"],
        json!([{ "id": rows[0]["followUp"]["id"] }])
    );
    let neighbour = world.sign_in("neighbour").await;
    let cases = "{ department(by: { key: \"service\" }) { openCases { nodes { assignee { key } feedback { respondent } } } } }";
    let open = neighbour.ask(cases, json!({})).await["department"]["openCases"]["nodes"].take();
    assert_eq!(
        open,
        json!([{ "assignee": null, "feedback": { "respondent": "customer-17" } }]),
        "whose lead assigns it anew"
    );
    // What was answered before the merger and comes in after it goes to the successor too.
    let late = with(
        nps(&ids["T2"], 1, "2025-03-06"),
        json!({ "respondent": "customer-19" }),
    );
    manager.does(RECORD, batch(&[late])).await;
    let open = neighbour.ask(cases, json!({})).await["department"]["openCases"]["nodes"].take();
    assert_eq!(open.as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_customer_whom_nobody_looks_after_is_a_finding() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let findings = "{ blueprint(by: { key: \"bp-flight\" }) { findings(filter: { codes: [FEEDBACK_UNROUTABLE] }) {
        findings { sentence openSince touchpointId } } } }";
    let found = async || {
        world.note_findings().await;
        ann.ask(findings, json!({})).await["blueprint"]["findings"]["findings"].take()
    };
    let unnamed = nps(&ids["F03"], 2, "2025-03-11");
    ann.does(RECORD, batch(&[unnamed])).await;
    let told = found().await;
    assert_eq!(told[0]["touchpointId"], json!(ids["F03"]));
    assert!(told[0]["openSince"].is_string(), "noted soon after: {told}");
    assert!(
        told[0]["sentence"]
            .as_str()
            .is_some_and(|text| text.contains("an answer"))
    );
    let follow_up = ann
        .ask(
            "{ followUps(filter: { unroutable: true }) { nodes { id } } }",
            json!({}),
        )
        .await;
    let id = &follow_up["followUps"]["nodes"][0]["id"];
    let over = json!({ "id": id, "expectedVersion": 1, "state": "RESOLVED", "cause": "PROCESS" });
    ann.does(UPDATE, over).await;
    assert_eq!(found().await, json!([]));
}

#[tokio::test]
async fn a_moment_is_kept_to_the_microsecond() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let at = |moment: &str| {
        batch(&[
            json!({ "scale": "NPS", "score": 9, "touchpointId": ids["T2"], "externalId": "one", "answeredAt": moment }),
        ])
    };
    let recorded = manager
        .does(RECORD, at("2025-03-04T10:00:00.123456789Z"))
        .await;
    assert_eq!(recorded["recorded"], 1);
    let moments = "{ feedback(first: 5) { nodes { answeredAt } } }";
    let told = manager.ask(moments, json!({})).await;
    assert_eq!(
        told["feedback"]["nodes"],
        json!([{ "answeredAt": "2025-03-04T10:00:00.123456+00:00" }])
    );
    let again = manager
        .does(RECORD, at("2025-03-04T12:00:00.1234561+02:00"))
        .await;
    assert_eq!(again["unchanged"], 1, "the same moment, spelled otherwise");
}
