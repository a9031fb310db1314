//! Feedback: recorded all or none, routed to whoever was accountable when the customer answered, followed up by them,
//! told without names to everybody else.

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
    let accept = "mutation($input: AtVersionInput!) { responsibilityAccept(input: $input) { userErrors { code } } }";
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
async fn the_same_batch_twice_records_nothing_twice() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let one = with(
        nps(&ids["T2"], 9, "2025-03-04"),
        json!({ "externalId": "a", "respondent": "r" }),
    );
    let two = with(
        nps(&ids["T3"], 2, "2025-03-05"),
        json!({ "externalId": "b" }),
    );
    let both = batch(&[one.clone(), two.clone()]);
    manager.does(RECORD, both.clone()).await;
    let again = manager.does(RECORD, both).await;
    assert_eq!(
        (&again["recorded"], &again["unchanged"]),
        (&json!(0), &json!(2))
    );
    let third = with(
        nps(&ids["T3"], 3, "2025-03-05"),
        json!({ "externalId": "c" }),
    );
    let changed = with(one, json!({ "score": 1 }));
    let errors = manager.tries(RECORD, batch(&[third, changed])).await["userErrors"].take();
    assert_eq!(
        errors,
        json!([{ "code": "DUPLICATE", "field": ["feedback", "1", "externalId"],
            "message": "You have recorded another answer with this external id." }])
    );
    assert_eq!(listed(&manager, Value::Null).await.len(), 2, "all or none");
    let twice = manager.refused(RECORD, batch(&[two.clone(), two])).await;
    assert_eq!(twice, ["DUPLICATE"]);
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
async fn employees_answer_unnamed_and_are_told_of_only_from_five_on() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let at = "{ blueprint(by: { key: \"bp-employee\" }) { phases { touchpoints { id key } } } }";
    let touchpoint =
        ann.ask(at, json!({})).await["blueprint"]["phases"][0]["touchpoints"][0].take();
    let id = touchpoint["id"].as_str().expect("an id");
    let enps = |score: i32| json!({ "scale": "ENPS", "score": score, "touchpointId": id, "answeredOn": "2025-03-04" });
    for (field, of) in [("respondent", "E-17"), ("comment", "too much to do")] {
        let named = with(enps(9), json!({ field: of }));
        let errors = ann.tries(RECORD, batch(&[named])).await["userErrors"].take();
        assert_eq!(errors[0]["field"], json!(["feedback", "0", field]));
        assert_eq!(
            errors[0]["message"],
            json!("Employees answer unnamed: only their score is kept.")
        );
    }
    assert_eq!(
        ann.refused(RECORD, batch(&[nps(id, 9, "2025-03-04")]))
            .await,
        ["INVALID"]
    );
    ann.does(RECORD, batch(&[enps(10), enps(9), enps(9), enps(7)]))
        .await;
    let summary = "query($id: ID!) { node(id: $id) { ... on Touchpoint {
        feedback { answers satisfied indifferent dissatisfied enps nps withheld alike } } } }";
    let told = async |actor: &Actor<'_>| {
        actor.ask(summary, json!({ "id": id })).await["node"]["feedback"].take()
    };
    let nothing = json!({ "answers": null, "satisfied": null, "indifferent": null, "dissatisfied": null, "enps": null,
        "nps": null, "withheld": true, "alike": 0 });
    assert_eq!(told(&ann).await, nothing, "four are too few");
    ann.does(RECORD, batch(&[enps(0)])).await;
    assert_eq!(told(&ann).await, nothing, "the month is not over");
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    let ann = world.sign_in_anew("ann-cx").await;
    let five = json!({ "answers": 5, "satisfied": 3, "indifferent": 1, "dissatisfied": 1, "enps": 40.0, "nps": null,
        "withheld": false, "alike": 0 });
    assert_eq!(told(&ann).await, five, "100 × (3 − 1) / 5");
    ann.does(
        RECORD,
        batch(&[enps(1), enps(2), enps(3), enps(1), enps(1)]),
    )
    .await;
    assert_eq!(told(&ann).await, five, "what comes in later waits unseen");
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    let ann = world.sign_in_anew("ann-cx").await;
    let alike = with(five, json!({ "alike": 5 }));
    assert_eq!(
        told(&ann).await,
        alike,
        "of those who are all dissatisfied no score is told"
    );
    let parts = "query($id: ID!) { feedbackSummary(filter: { touchpointId: $id, groups: [SATISFIED] }) { answers withheld } }";
    let part = ann.ask(parts, json!({ "id": id })).await["feedbackSummary"].take();
    assert_eq!(
        part,
        json!({ "answers": null, "withheld": true }),
        "never a part of a cell"
    );
    let customers = listed(&ann, Value::Null).await;
    assert!(
        customers
            .iter()
            .all(|row| row["touchpoint"]["key"] != touchpoint["key"]),
        "never one alone: {customers:?}"
    );
}

#[tokio::test]
async fn that_an_employee_has_answered_shows_nowhere_until_a_cell_closes() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let at = "{ blueprint(by: { key: \"bp-employee\" }) { id phases { touchpoints { id } } } }";
    let journey = ann.ask(at, json!({})).await["blueprint"].take();
    let id = &journey["phases"][0]["touchpoints"][0]["id"];
    let summaries = "query($id: ID!, $journey: ID!) {
        node(id: $id) { ... on Touchpoint { feedback { answers withheld alike } } }
        at: feedbackSummary(filter: { touchpointId: $id }) { answers withheld alike }
        journey: feedbackSummary(filter: { blueprintId: $journey }) { answers withheld alike }
        enps: feedbackSummary(filter: { scales: [ENPS] }) { answers withheld alike }
        whole: feedbackSummary { answers withheld alike } }";
    let told = async || {
        ann.ask(summaries, json!({ "id": id, "journey": journey["id"] }))
            .await
    };
    let before = told().await;
    for place in ["at", "journey", "enps"] {
        let nothing = json!({ "answers": null, "withheld": true, "alike": 0 });
        assert_eq!(before[place], nothing, "{place}: never as no data");
    }
    let said =
        json!({ "scale": "ENPS", "score": 9, "touchpointId": id, "answeredOn": "2025-03-04" });
    ann.does(RECORD, batch(&[said])).await;
    assert_eq!(told().await, before);
}

#[tokio::test]
async fn whoever_leads_there_is_not_told_that_an_employee_has_answered() {
    let world = World::demo().await;
    let (ann, admin) = (
        world.sign_in("ann-cx").await,
        world.sign_in("gus-admin").await,
    );
    let held = "{ responsibilities(first: 200) { nodes { department { id } touchpoint { id blueprint { key } } } } }";
    let held = ann.ask(held, json!({})).await["responsibilities"]["nodes"].take();
    let mut held = held.as_array().expect("those who deliver").iter();
    let there = held.find(|one| one["touchpoint"]["blueprint"]["key"] == "bp-employee");
    let there = there.expect("somebody delivers to employees");
    let grant = "mutation($input: MembershipGrantInput!) { membershipGrant(input: $input) { userErrors { code } } }";
    let account = Ids::of(&world).await["eva-viewer"].to_owned();
    let lead =
        json!({ "accountId": account, "departmentId": there["department"]["id"], "role": "LEAD" });
    admin.does(grant, lead).await;
    let said = json!({ "scale": "ENPS", "score": 9, "touchpointId": there["touchpoint"]["id"], "answeredOn": "2025-03-04" });
    ann.does(RECORD, batch(&[said])).await;
    let log = "{ auditEvents(filter: { action: \"feedbackRecord\" }) { nodes { after } } }";
    let lead = world.sign_in("eva-viewer").await;
    let seen = lead.ask(log, json!({})).await["auditEvents"]["nodes"].take();
    assert_eq!(seen, json!([]));
    let all = admin.ask(log, json!({})).await["auditEvents"]["nodes"][0].take();
    assert_eq!(
        all["after"],
        json!({ "recorded": 0, "unroutable": 0 }),
        "no count of them"
    );
}

#[tokio::test]
async fn an_answer_of_an_employee_is_recorded_once_whatever_else_its_id_is_sent_with() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let at = "{ blueprint(by: { key: \"bp-employee\" }) { phases { touchpoints { id } } } }";
    let id = ann.ask(at, json!({})).await["blueprint"]["phases"][0]["touchpoints"][0]["id"].take();
    let record = "mutation($input: FeedbackRecordInput!) { feedbackRecord(input: $input) {
        recorded unchanged userErrors { code } } }";
    let said = |pulse: usize, score: i32| {
        json!({ "scale": "ENPS", "score": score, "touchpointId": id,
        "answeredOn": "2025-03-04", "externalId": format!("pulse-{pulse}") })
    };
    let scores = [10, 9, 8, 3, 9];
    let all: Vec<Value> = scores
        .iter()
        .enumerate()
        .map(|(at, score)| said(at, *score))
        .collect();
    let done = ann.does(record, batch(&all)).await;
    assert_eq!(
        (&done["recorded"], &done["unchanged"]),
        (&json!(5), &json!(0))
    );
    let again = async |actor: &Actor<'_>| {
        for score in [0, 3, 10] {
            let done = actor.does(record, batch(&[said(3, score)])).await;
            let told = (done["recorded"].clone(), done["unchanged"].clone());
            assert_eq!(told, (json!(0), json!(1)), "no score is told from another");
        }
    };
    again(&ann).await;
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    let ann = world.sign_in_anew("ann-cx").await;
    again(&ann).await;
    let summary =
        "query($id: ID!) { feedbackSummary(filter: { touchpointId: $id }) { answers enps } }";
    let told = ann.ask(summary, json!({ "id": id })).await["feedbackSummary"].take();
    assert_eq!(told, json!({ "answers": 5, "enps": 40.0 }));
    let db = &world.db().clone();
    let waiting = employee_answer::Entity::find().count(db).await;
    assert_eq!(waiting, Ok(0), "no answer is kept behind its cell");
    let receipts = employee_receipt::Entity::find().all(db).await;
    let receipts = receipts.expect("receipts");
    assert_eq!(receipts.len(), 5);
    assert!(receipts.iter().all(|one| !one.digest.contains("pulse")));
}

#[tokio::test]
async fn a_month_that_has_closed_stays_closed_whatever_a_clock_says() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let at = "{ blueprint(by: { key: \"bp-employee\" }) { phases { touchpoints { id } } } }";
    let id = ann.ask(at, json!({})).await["blueprint"]["phases"][0]["touchpoints"][0]["id"].take();
    let enps = |score: i32| json!({ "scale": "ENPS", "score": score, "touchpointId": id, "answeredOn": "2025-03-04" });
    let summary =
        "query($id: ID!) { feedbackSummary(filter: { touchpointId: $id }) { answers enps } }";
    let told = async |actor: &Actor<'_>| {
        actor.ask(summary, json!({ "id": id })).await["feedbackSummary"].take()
    };
    ann.does(
        RECORD,
        batch(&[enps(10), enps(9), enps(8), enps(3), enps(9)]),
    )
    .await;
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    // A clock that was set right again, or another server whose clock is behind.
    world.clock.advance(chrono::Duration::days(-31));
    let ann = world.sign_in_anew("ann-cx").await;
    let five = json!({ "answers": 5, "enps": 40.0 });
    assert_eq!(told(&ann).await, five);
    ann.does(RECORD, batch(&[enps(0)])).await;
    world.close_months().await;
    assert_eq!(
        told(&ann).await,
        five,
        "one more answer in a month that is told"
    );
    world.clock.advance(chrono::Duration::days(70));
    world.close_months().await;
    let ann = world.sign_in_anew("ann-cx").await;
    assert_eq!(told(&ann).await, five, "one answer is not told alone");
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
async fn whoever_may_read_little_is_told_of_a_place_what_is_of_it_alone() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let [one, other] = two_places(&ann).await;
    let enps = |at: &Value, score: i32| json!({ "scale": "ENPS", "score": score, "touchpointId": at, "answeredOn": "2025-03-04" });
    let mut answers: Vec<Value> = [10, 9, 9, 7, 0].map(|score| enps(&one, score)).to_vec();
    answers.extend([10, 0, 0, 0, 1, 8].map(|score| enps(&other, score)));
    ann.does(RECORD, batch(&answers)).await;
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    let summary = "query($id: ID!) { feedbackSummary(filter: { touchpointId: $id }) { answers enps }
        none: feedbackSummary(filter: { touchpointId: $id, to: \"2020-01-01\" }) { answers withheld }
        node(id: $id) { ... on Touchpoint { feedback { answers enps } } } }";
    for login in ["ann-cx", "eva-viewer", "dan-contrib-campus"] {
        let actor = world.sign_in_anew(login).await;
        let told = actor.ask(summary, json!({ "id": one })).await;
        let five = json!({ "answers": 5, "enps": 40.0 });
        assert_eq!(told["feedbackSummary"], five, "{login}");
        assert_eq!(told["node"]["feedback"], five, "{login}");
        let none = json!({ "answers": null, "withheld": true });
        assert_eq!(told["none"], none, "{login}");
    }
}

#[tokio::test]
async fn what_employees_say_of_the_organisation_as_a_whole_is_a_part_of_all_feedback() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    let enps = |score: i32| json!({ "scale": "ENPS", "score": score, "answeredOn": "2025-03-04" });
    manager
        .does(RECORD, batch(&[10, 9, 9, 7, 0].map(enps)))
        .await;
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    let manager = world.sign_in_anew("cx-manager").await;
    let summary = "{ feedbackSummary { answers enps withheld } }";
    let told = manager.ask(summary, json!({})).await["feedbackSummary"].take();
    let five = json!({ "answers": 5, "enps": 40.0, "withheld": false });
    assert_eq!(told, five);
}

#[tokio::test]
async fn employees_are_not_asked_about_a_journey_that_was_never_published() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let persona = "{ blueprint(by: { key: \"bp-employee\" }) { persona { id } } }";
    let persona = ann.ask(persona, json!({})).await["blueprint"]["persona"]["id"].take();
    let create = "mutation($input: BlueprintCreateInput!) { blueprintCreate(input: $input) {
        blueprint { id version } userErrors { code message } } }";
    let draft = json!({ "title": "To come", "subject": "EMPLOYEE", "personaId": persona, "ownerDepartmentId": ids["b-hr"] });
    let draft = ann.does(create, draft).await["blueprint"].take();
    let said = json!({ "scale": "ENPS", "score": 9, "blueprintId": draft["id"], "answeredOn": "2025-03-04" });
    let errors = ann.tries(RECORD, batch(&[said])).await["userErrors"].take();
    assert_eq!(errors[0]["field"], json!(["feedback", "0", "blueprintId"]));
    let message = errors[0]["message"].as_str().expect("a message");
    assert!(message.ends_with("Publish it first."), "{message}");
    let delete = "mutation($input: AtVersionInput!) { blueprintDelete(input: $input) { userErrors { code } } }";
    let at = json!({ "id": draft["id"], "expectedVersion": draft["version"] });
    ann.does(delete, at).await;
}

#[tokio::test]
async fn nobody_is_told_in_which_month_a_place_was_answered_first() {
    let summary = "query($id: ID!, $from: Date!) {
        feedbackSummary(filter: { touchpointId: $id, from: $from }) { answers withheld } }";
    let mut told = Vec::new();
    for early in [1, 0] {
        let world = World::demo().await;
        let ann = world.sign_in("ann-cx").await;
        let [place, _] = two_places(&ann).await;
        let enps = |score: i32| json!({ "scale": "ENPS", "score": score, "touchpointId": place, "answeredOn": "2025-03-04" });
        let (first, then) = [10, 9, 9, 7, 0, 2].split_at(early);
        let mut month = None;
        for scores in [first, then] {
            let ann = world.sign_in_anew("ann-cx").await;
            month = chrono::Datelike::with_day(&world.clock.now().date_naive(), 1);
            let scores: Vec<Value> = scores.iter().map(|score| enps(*score)).collect();
            ann.does(RECORD, batch(&scores)).await;
            world.clock.advance(chrono::Duration::days(32));
            world.close_months().await;
        }
        let ann = world.sign_in_anew("ann-cx").await;
        let asked = json!({ "id": place, "from": month.expect("a day").to_string() });
        told.push(ann.ask(summary, asked).await["feedbackSummary"].take());
    }
    assert_eq!(told[0], told[1]);
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

#[tokio::test]
async fn a_respondent_is_erased_and_the_numbers_stay() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    annoyed(&world, &ids).await;
    let follow_up = only(&manager, Value::Null).await["followUp"].take();
    let note = json!({ "id": follow_up["id"], "expectedVersion": 1, "note": "Mr Jensen wants his money back" });
    manager.does(UPDATE, note).await;
    let erase = "mutation($input: RespondentEraseInput!) { respondentErase(input: $input) { erased userErrors { code } } }";
    for login in ["lead", "admin", "analyst"] {
        let tried = world.sign_in(login).await;
        let refused = tried
            .refused(erase, json!({ "respondent": "customer-17" }))
            .await;
        assert_eq!(refused, ["FORBIDDEN"], "{login}");
    }
    assert_eq!(
        manager
            .refused(erase, json!({ "respondent": "nobody" }))
            .await,
        ["NOT_FOUND"]
    );
    let done = manager
        .does(erase, json!({ "respondent": "customer-17" }))
        .await;
    assert_eq!(done["erased"], json!(1));
    let row = only(&manager, Value::Null).await;
    for field in ["respondent", "contact", "comment"] {
        assert_eq!(row[field], Value::Null, "{field}");
    }
    assert_eq!(
        (&row["score"], &row["group"]),
        (&json!(3), &json!("DISSATISFIED"))
    );
    assert_eq!(row["followUp"]["state"], json!("NO_CONTACT_WANTED"));
    assert_eq!(row["followUp"]["note"], Value::Null);
    let again = json!({ "id": follow_up["id"], "expectedVersion": row["followUp"]["version"], "state": "OPEN" });
    assert_eq!(manager.refused(UPDATE, again).await, ["CONFLICT"]);
    assert_eq!(
        manager
            .refused(erase, json!({ "respondent": "customer-17" }))
            .await,
        ["NOT_FOUND"]
    );
    // The batch comes once more from the system that asked: the words do not come back with it.
    annoyed_again(&world, &ids).await;
    assert_eq!(only(&manager, Value::Null).await["respondent"], Value::Null);
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
async fn the_audit_log_holds_nobody_and_no_words() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    annoyed(&world, &ids).await;
    let follow_up = only(&manager, Value::Null).await["followUp"].take();
    let note = json!({ "id": follow_up["id"], "expectedVersion": 1, "state": "CONTACTED", "note": "customer-17 wants his money back" });
    manager.does(UPDATE, note).await;
    let erase = "mutation($input: RespondentEraseInput!) { respondentErase(input: $input) { userErrors { code } } }";
    manager
        .does(erase, json!({ "respondent": "customer-17" }))
        .await;
    let document = "{ auditEvents(first: 50) { nodes { action before after } } }";
    let events = world
        .sign_in("auditor")
        .await
        .ask(document, json!({}))
        .await["auditEvents"]["nodes"]
        .take();
    let text = events.to_string();
    for action in ["feedbackRecord", "followUpUpdate", "respondentErase"] {
        assert!(text.contains(action), "{action}: {text}");
    }
    assert!(
        text.contains("\"note\":\"withheld\""),
        "that it changed is told: {text}"
    );
    for private in ["customer-17", "17@example.org", "called back", "money"] {
        assert!(!text.contains(private), "{private}: {text}");
    }
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
async fn who_answered_long_ago_is_erased_in_time() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    annoyed(&world, &ids).await;
    let today = world.clock.now().format("%Y-%m-%d").to_string();
    let fresh = with(
        nps(&ids["T2"], 9, &today),
        json!({ "respondent": "customer-18" }),
    );
    manager.does(RECORD, batch(&[fresh])).await;
    let operator = cx_blueprint::access::Caller::operator(
        world.store.clone(),
        world.clock.clone(),
        "feedbackErase",
    );
    let erase = async || cx_blueprint::feedback::respondent::erase_older_than(&operator, 30).await;
    assert_eq!(erase().await.expect("it is erased"), 1);
    assert_eq!(erase().await.expect("there is nothing left"), 0);
    let known: Vec<Value> = listed(&manager, Value::Null)
        .await
        .into_iter()
        .map(|mut row| row["respondent"].take())
        .collect();
    assert_eq!(known, [Value::Null, json!("customer-18")]);
}

#[tokio::test]
async fn neither_documents_nor_search_hold_feedback() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    annoyed(&world, &ids).await;
    let document = "{ blueprint(by: { key: \"open\" }) { document } }";
    let written = manager.ask(document, json!({})).await.to_string();
    assert!(written.contains("T2") && !written.contains("customer-17"));
    for words in ["called", "customer-17"] {
        let search = format!("{{ search(text: \"{words}\") {{ nodes {{ __typename }} }} }}");
        let found = manager.ask(&search, json!({})).await["search"]["nodes"].take();
        assert_eq!(found, json!([]), "{words}");
    }
}

#[tokio::test]
async fn an_external_id_tells_nothing_but_to_who_recorded_it() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    annoyed(&world, &ids).await;
    let contributor = world.sign_in("contributor").await;
    for score in [3, 4] {
        let named = format!("s-{}", score - 2);
        let guess = with(
            nps(&ids["T2"], score, "2025-03-04"),
            json!({ "externalId": named }),
        );
        let done = contributor
            .does(RECORD, batch(std::slice::from_ref(&guess)))
            .await;
        assert_eq!(done["recorded"], json!(1), "ids of their own: {score}");
        let done = contributor.does(RECORD, batch(&[guess])).await;
        assert_eq!(done["unchanged"], json!(1), "recorded once: {score}");
    }
}

#[tokio::test]
async fn nothing_of_an_erased_respondent_is_left_in_the_files() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let answers: Vec<Value> = (0..300)
        .map(|n| {
            with(
                nps(&ids["T2"], 3, "2025-03-04"),
                json!({ "respondent": "QqHansénqQ", "contact": "qqphone@example.org", "comment": "qqcomment of mine",
                    "externalId": format!("qqcust-hansen-{n}") }),
            )
        })
        .collect();
    for some in answers.chunks(50) {
        manager.does(RECORD, batch(some)).await;
    }
    for row in listed(&manager, Value::Null).await.iter().take(50) {
        let note = json!({ "id": row["followUp"]["id"], "expectedVersion": 1, "note": "qqnote about the call" });
        manager.does(UPDATE, note).await;
    }
    let erase = "mutation($input: RespondentEraseInput!) { respondentErase(input: $input) { erased userErrors { code } } }";
    let done = manager
        .does(erase, json!({ "respondent": " qq hansen qq" }))
        .await;
    assert_eq!(done["erased"], json!(300), "spelled another way");
    let again = manager.does(RECORD, batch(&answers[..50])).await;
    assert_eq!(again["unchanged"], json!(50), "known again, by a digest");
    if world::on_postgres() {
        return;
    }
    let url = world.url();
    let path = url.trim_start_matches("sqlite://");
    for file in [path.to_owned(), format!("{path}-wal")] {
        let bytes = std::fs::read(&file).unwrap_or_default();
        for private in ["QqHans", "qqphone", "qqcomment", "qqcust-hansen", "qqnote"] {
            let left = bytes
                .windows(private.len())
                .filter(|window| *window == private.as_bytes())
                .count();
            assert_eq!(left, 0, "{private} in {file}");
        }
    }
}

#[tokio::test]
async fn nothing_of_an_answer_is_left_in_the_files_behind_its_cell() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let [place, _] = two_places(&ann).await;
    let said: Vec<Value> = (0..300)
        .map(|n| json!({ "scale": "ENPS", "score": n % 11, "touchpointId": place, "answeredOn": "2025-03-04" }))
        .collect();
    for some in said.chunks(50) {
        ann.does(RECORD, batch(some)).await;
    }
    let answers = employee_answer::Entity::find().all(&world.db()).await;
    let answers = answers.expect("answers");
    assert_eq!(answers.len(), 300);
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    if world::on_postgres() {
        return;
    }
    let url = world.url();
    let path = url.trim_start_matches("sqlite://");
    for file in [path.to_owned(), format!("{path}-wal")] {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let ids: HashSet<&[u8]> = answers.iter().map(|row| &row.id.as_bytes()[..]).collect();
        let left = bytes.windows(16).filter(|window| ids.contains(window));
        assert_eq!(left.count(), 0, "in {file}");
    }
}
