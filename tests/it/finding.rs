//! Findings: what the journeys of the demo and of the small organisation get wrong, worked out by hand from their
//! files; since when it is open, and what is thought of it.

mod journey;
mod open_since;

use std::collections::BTreeMap;

use cx_blueprint::{access::Caller, canvas::Canvas, error::Error, finding, policy::Action};
use entity::{blueprint, id::BlueprintId};
use sea_orm::{ColumnTrait, Condition};
use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World},
};

const ALL: &str = "query($key: String!, $filter: FindingFilter, $asOf: Date) { blueprint(by: { key: $key }) {
    findings(filter: $filter, asOf: $asOf) {
        errors warnings infos
        findings { code severity sentence fingerprint openSince touchpointId otherTouchpointId kpiId personaId departmentId
            dismissed { reason by { key } } }
    }
} }";

const DISMISS: &str = "mutation($input: FindingDismissInput!) { findingDismiss(input: $input) {
    finding { code dismissed { reason by { key } } } userErrors { code field }
} }";

const REOPEN: &str = "mutation($input: FindingReopenInput!) { findingReopen(input: $input) {
    finding { code dismissed { reason } } userErrors { code field }
} }";

const DESCRIBE: &str = "mutation($input: TouchpointUpdateInput!) { touchpointUpdate(input: $input) { touchpoint { version } userErrors { code } } }";

const LAST_DAY: &str = "2025-03-31";

/// The findings of a blueprint on the last day of the measurements.
async fn found(actor: &Actor<'_>, blueprint: &str) -> Vec<Value> {
    filtered(actor, blueprint, Value::Null).await
}

async fn filtered(actor: &Actor<'_>, blueprint: &str, filter: Value) -> Vec<Value> {
    let variables = json!({ "key": blueprint, "filter": filter, "asOf": LAST_DAY });
    let mut answer = actor.ask(ALL, variables).await;
    let findings = answer["blueprint"]["findings"].take();
    let list = findings["findings"].as_array().expect("findings").clone();
    let of = |severity: &str| {
        list.iter()
            .filter(|one| one["severity"] == severity)
            .count()
    };
    let counted = ["errors", "warnings", "infos"].map(|count| findings[count].clone());
    assert_eq!(
        counted,
        [of("ERROR"), of("WARNING"), of("INFO")].map(|count| json!(count))
    );
    list
}

/// The one of a code.
fn one<'f>(findings: &'f [Value], code: &str) -> &'f Value {
    let mut of = findings.iter().filter(|finding| finding["code"] == code);
    let found = of.next().unwrap_or_else(|| panic!("no {code}"));
    assert!(of.next().is_none(), "one {code}");
    found
}

/// Findings as text: a line for each code, with the keys of what it is about.
fn told(findings: &[Value], ids: &Ids) -> String {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for finding in findings {
        let about = [
            "touchpointId",
            "otherTouchpointId",
            "kpiId",
            "personaId",
            "departmentId",
        ]
        .iter();
        let about = about.filter_map(|field| finding[*field].as_str());
        let keys: Vec<&str> = about.map(|id| ids.key(id)).collect();
        let code = finding["code"].as_str().expect("a code").to_owned();
        match lines.last_mut() {
            Some((last, places)) if *last == code => places.push(keys.join("+")),
            _ => lines.push((code, vec![keys.join("+")])),
        }
    }
    let lines = lines
        .into_iter()
        .map(|(code, places)| format!("{code} {}", places.join(" ")));
    lines.collect::<Vec<_>>().join("\n")
}

async fn today(actor: &Actor<'_>, blueprint: &str) -> Vec<Value> {
    let filter = json!({ "includeDismissed": true });
    let answer = actor
        .ask(ALL, json!({ "key": blueprint, "filter": filter }))
        .await;
    answer["blueprint"]["findings"]["findings"]
        .as_array()
        .expect("findings")
        .clone()
}

#[tokio::test]
async fn the_demos_journeys_are_judged_as_worked_out_by_hand() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    for (blueprint, expected) in [
        (
            "bp-member",
            "\
NOBODY_ACCOUNTABLE U08 U17
NOBODY_RESPONSIBLE U23
IMPORTANT_AND_NEGATIVE U04 U05 U08
PROMISE_UNDELIVERED U06 U13
NO_KPI U01 U02 U03 U07 U11 U14 U23
OBSERVED_WITHOUT_SOURCE U01 U03 U04 U06 U07 U09 U10 U11 U12 U13 U16 U19 U21 U22 U23
SINGLE_SOURCE U02 U05 U08 U15 U17 U18 U20 U25",
        ),
        (
            "bp-rental",
            "\
NOBODY_ACCOUNTABLE R07
IMPORTANT_AND_NEGATIVE R06
PROMISE_AT_RISK R01
PROMISE_UNDELIVERED R01
NO_KPI R02 R04 R06
NO_SEGMENT p-renter
OBSERVED_WITHOUT_SOURCE R01 R02 R03 R04 R05 R07",
        ),
        (
            "bp-flight",
            "\
NOBODY_ACCOUNTABLE F03
DEAD_END F10
IMPORTANT_AND_NEGATIVE F02 F03
PROMISE_BROKEN F02
PROMISE_UNDELIVERED F02
FEEDBACK_UNROUTABLE F03
NO_KPI F01 F05 F09 F10
NO_SEGMENT p-booker
OBSERVED_WITHOUT_SOURCE F01 F02 F04 F05 F07 F08
SINGLE_SOURCE F03 F06",
        ),
        (
            "bp-aftermarket",
            "\
NOBODY_ACCOUNTABLE B10
KPI_OWNER_ABSENT KB4
NON_USE_UNEXPLAINED B07
IMPORTANT_AND_NEGATIVE B08
NO_KPI B01 B03 B04 B09
OBSERVED_WITHOUT_SOURCE B01 B05 B06 B07 B08 B11 B12 B14 B13",
        ),
        (
            "bp-employee",
            "\
KPI_OWNER_ABSENT KE1
NO_KPI E02 E03 E04
NO_SEGMENT p-employee
OBSERVED_WITHOUT_SOURCE E01 E02 E03 E04 E05 E06",
        ),
    ] {
        assert_eq!(
            told(&found(&ann, blueprint).await, &ids),
            expected,
            "{blueprint}"
        );
    }
    let document = "{ organisationFindings { code } }";
    let organisation = ann.ask(document, json!({})).await;
    assert_eq!(organisation["organisationFindings"], json!([]));
}

#[tokio::test]
async fn the_small_organisation_is_judged_as_far_as_one_may_read_it() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let expected = "\
NOBODY_ACCOUNTABLE T4 T5
NOBODY_RESPONSIBLE T4
UNREACHABLE T4 T5
IMPORTANT_AND_NEGATIVE T2
NO_KPI T4 T5
OBSERVED_WITHOUT_SOURCE T2 T3";
    for login in ["cx-manager", "auditor", "neighbour"] {
        let findings = found(&world.sign_in(login).await, "open").await;
        assert_eq!(told(&findings, &ids), expected, "{login}");
    }
    let without = expected.replace("NO_KPI T4", "NO_KPI T3 T4");
    for login in ["lead", "stranger", "admin", "analyst"] {
        let findings = found(&world.sign_in(login).await, "open").await;
        assert_eq!(
            told(&findings, &ids),
            without,
            "{login} may not read of SECRET"
        );
    }
    let manager = world.sign_in("cx-manager").await;
    let expected = "\
NOBODY_RESPONSIBLE C1
NO_PHASE_BEFORE \n\
NO_PHASE_AFTER \n\
NO_KPI C1
OBSERVED_WITHOUT_SOURCE C1";
    assert_eq!(told(&found(&manager, "closed").await, &ids), expected);
    let wanted = json!({ "severities": ["ERROR", "INFO"], "codes": ["NOBODY_ACCOUNTABLE", "UNREACHABLE", "NO_KPI"], "touchpointId": ids["T5"] });
    let some = filtered(&manager, "open", wanted).await;
    assert_eq!(told(&some, &ids), "NOBODY_ACCOUNTABLE T5\nNO_KPI T5");
}

/// Every finding that hangs on more than the documents hold: made so through the API, one after the other.
#[tokio::test]
async fn what_hangs_on_more_than_the_journey_is_found_too() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let does = async |mutation: &str, of: &str, input: Value| {
        let document = format!(
            "mutation($input: {of}!) {{ {mutation}(input: $input) {{ __typename userErrors {{ code message }} }} }}"
        );
        manager.does(&document, input).await;
    };
    let at = |key: &str, version: i32, more: Value| {
        let mut input = json!({ "id": ids[key], "expectedVersion": version });
        for (key, value) in more.as_object().expect("an object") {
            input[key] = value.clone();
        }
        input
    };
    let before = found(&manager, "open").await;
    let fresh = async || {
        let now = found(&manager, "open").await;
        let known = |finding: &&Value| {
            before
                .iter()
                .all(|old| old["fingerprint"] != finding["fingerprint"])
        };
        let new: Vec<Value> = now
            .iter()
            .filter(|finding| known(finding))
            .cloned()
            .collect();
        told(&new, &ids)
    };
    let describe = "touchpointUpdate";
    let of = "TouchpointUpdateInput";
    does(
        describe,
        of,
        at(
            "T2",
            1,
            json!({ "contactsPerMonth": 2.5, "initiator": "ORGANISATION", "usage": "ABANDONED" }),
        ),
    )
    .await;
    assert_eq!(
        fresh().await,
        "NON_USE_UNEXPLAINED T2\nCONTACT_PRESSURE buyer"
    );
    does(
        describe,
        of,
        at(
            "T2",
            2,
            json!({ "initiator": "CUSTOMER", "usageReason": "too slow" }),
        ),
    )
    .await;
    assert_eq!(fresh().await, "");

    let segment = manager
        .does("mutation($input: SegmentCreateInput!) { segmentCreate(input: $input) { segment { id } userErrors { code } } }",
            json!({ "dimension": "LIFE_STAGE", "value": "OLD" })).await["segment"]["id"].take();
    does(
        describe,
        of,
        at("T3", 1, json!({ "audienceSegmentIds": [segment] })),
    )
    .await;
    assert_eq!(fresh().await, "AUDIENCE_MISMATCH T3");
    does(
        describe,
        of,
        at(
            "T3",
            2,
            json!({ "audienceSegmentIds": [segment, ids["young"]] }),
        ),
    )
    .await;
    assert_eq!(fresh().await, "");

    let promise = json!({ "touchpointId": ids["T2"], "text": "A fair price", "state": "BROKEN", "deliveredAtIds": [ids["T3"], ids["T4"]] });
    does("promiseCreate", "PromiseCreateInput", promise).await;
    let promise = json!({ "touchpointId": ids["T2"], "text": "An answer", "state": "AT_RISK" });
    does("promiseCreate", "PromiseCreateInput", promise).await;
    let expected =
        "PROMISE_BROKEN T2\nPROMISE_AT_RISK T2\nPROMISE_UNOWNED T4\nPROMISE_UNDELIVERED T2";
    assert_eq!(fresh().await, expected);
    let tried = |key: &str, other: &str, day: &str| {
        json!({ "touchpointId": ids[key], "heldOn": day, "byName": "I",
            "messages": "CONFLICTING", "conflictsWithId": ids[other], "conflict": "the price" })
    };
    does(
        "evaluationCreate",
        "EvaluationCreateInput",
        tried("T3", "T2", "2025-03-01"),
    )
    .await;
    does(
        "evaluationCreate",
        "EvaluationCreateInput",
        tried("T2", "T3", "2025-03-02"),
    )
    .await;
    let conflict = |lines: &str| lines.matches("MESSAGE_CONFLICT").count();
    assert_eq!(conflict(&fresh().await), 1, "one conflict, from both sides");
    for key in ["T2", "T3"] {
        let coherent = json!({ "touchpointId": ids[key], "heldOn": "2025-03-03", "byName": "I", "messages": "COHERENT" });
        does("evaluationCreate", "EvaluationCreateInput", coherent).await;
    }
    let unsaid = json!({ "touchpointId": ids["T3"], "heldOn": "2025-03-04", "byName": "I" });
    does("evaluationCreate", "EvaluationCreateInput", unsaid).await;
    assert_eq!(
        fresh().await,
        expected,
        "by the latest that looked at messages"
    );

    let need = json!({ "touchpointId": ids["T2"], "kind": "INFORMATION_NEED", "text": "What does it cost?" });
    does("insightCreate", "InsightCreateInput", need).await;
    let source = json!({ "id": "src_019ab0000000700080000000000000ac", "blueprintId": ids["open"], "title": "Calls", "kind": "CALL_LISTENING" });
    does("sourceCreate", "SourceCreateInput", source).await;
    let pain = json!({ "touchpointId": ids["T3"], "kind": "PAIN", "text": "It hurts", "sourceIds": ["src_019ab0000000700080000000000000ac"] });
    does("insightCreate", "InsightCreateInput", pain).await;
    assert_eq!(
        fresh().await,
        format!("{expected}\nINFORMATION_NEED_UNANSWERED T2\nSINGLE_SOURCE T3")
    );
    let day = |day: &str| at("open", 1, json!({ "nextReviewOn": day }));
    does("blueprintUpdate", "BlueprintUpdateInput", day(LAST_DAY)).await;
    assert!(!fresh().await.contains("REVIEW_OVERDUE"), "it is today");
    does(
        "blueprintUpdate",
        "BlueprintUpdateInput",
        at("open", 2, json!({ "nextReviewOn": "2025-03-30" })),
    )
    .await;
    assert!(fresh().await.contains("REVIEW_OVERDUE"));
}

#[tokio::test]
async fn kpis_are_judged_by_target_day_owner_and_cadence() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let on = async |day: &str| {
        let variables = json!({ "key": "open", "asOf": day, "filter": { "codes": ["KPI_STALE", "KPI_WITHOUT_TARGET", "KPI_OWNER_ABSENT", "LOYALTY_MEASURED_YEARLY"] } });
        let answer = manager.ask(ALL, variables).await;
        told(
            answer["blueprint"]["findings"]["findings"]
                .as_array()
                .expect("findings"),
            &ids,
        )
    };
    assert_eq!(
        on("2025-06-29").await,
        "",
        "April and May have passed since"
    );
    assert_eq!(on("2025-06-30").await, "KPI_STALE PRICE SECRET");
    assert_eq!(
        on("2024-12-31").await,
        "KPI_WITHOUT_TARGET PRICE SECRET",
        "targets begin with 2025"
    );
    let owner = "mutation($input: KpiOwnerChangeInput!) { kpiOwnerChange(input: $input) { userErrors { code } } }";
    let finance =
        json!({ "id": ids["PRICE"], "expectedVersion": 1, "ownerDepartmentId": ids["finance"] });
    manager.does(owner, finance).await;
    assert_eq!(
        on(LAST_DAY).await,
        "KPI_OWNER_ABSENT PRICE",
        "CONSULTED is not delivering"
    );
    let new = "mutation($input: KpiCreateInput!) { kpiCreate(input: $input) { kpi { id } userErrors { code } } }";
    let loyal = json!({ "key": "LOYAL", "name": "Loyal", "type": "NPS", "unit": "SCORE", "direction": "HIGHER", "aggregation": "LAST",
        "cadence": "YEARLY", "ownerDepartmentId": ids["sales"], "scope": "RELATIONSHIP" });
    let loyal = manager.does(new, loyal).await["kpi"]["id"].take();
    let link = "mutation($input: KpiLinkCreateInput!) { kpiLinkCreate(input: $input) { userErrors { code } } }";
    manager
        .does(link, json!({ "kpiId": loyal, "blueprintId": ids["open"] }))
        .await;
    let ids = Ids::of(&world).await;
    let variables = json!({ "key": "open", "asOf": LAST_DAY, "filter": { "codes": ["LOYALTY_MEASURED_YEARLY"] } });
    let answer = manager.ask(ALL, variables).await;
    let findings = answer["blueprint"]["findings"]["findings"]
        .as_array()
        .expect("findings");
    assert_eq!(told(findings, &ids), "LOYALTY_MEASURED_YEARLY LOYAL");
}

#[tokio::test]
async fn a_department_without_any_role_is_told_of_the_organisation() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    let new = "mutation($input: DepartmentCreateInput!) { departmentCreate(input: $input) { department { id } userErrors { code } } }";
    let lab = admin.does(new, json!({ "name": "Lab" })).await["department"]["id"].take();
    let cellar = admin
        .does(new, json!({ "name": "Cellar", "parentId": lab }))
        .await["department"]["id"]
        .take();
    let document = "{ organisationFindings { code severity departmentId blueprintId openSince } }";
    let answer = world
        .sign_in("cx-manager")
        .await
        .ask(document, json!({}))
        .await;
    let finding = |id: &Value| json!({ "code": "DEPARTMENT_WITHOUT_ROLE", "severity": "INFO", "departmentId": id, "blueprintId": null, "openSince": null });
    let mut told = answer["organisationFindings"]
        .as_array()
        .expect("findings")
        .clone();
    told.sort_by_key(|finding| finding["departmentId"].as_str() != lab.as_str());
    assert_eq!(told, [finding(&lab), finding(&cellar)]);
}

#[tokio::test]
async fn a_finding_is_dismissed_with_a_reason_until_it_was_gone() {
    let world = World::small().await;
    let (lead, ids) = (world.sign_in("lead").await, Ids::of(&world).await);
    let manager = world.sign_in("cx-manager").await;
    world.note_findings().await;
    let findings = today(&lead, "open").await;
    let warning = one(&findings, "IMPORTANT_AND_NEGATIVE");
    let input = json!({ "blueprintId": ids["open"], "fingerprint": warning["fingerprint"], "reason": "prices went up" });
    let neighbour = world.sign_in("neighbour").await;
    assert_eq!(
        neighbour.refused(DISMISS, input.clone()).await,
        ["FORBIDDEN"]
    );
    let mut bare = input.clone();
    bare["reason"] = json!(" ");
    assert_eq!(lead.refused(DISMISS, bare).await, ["REQUIRED"]);
    let dismissed = lead.does(DISMISS, input.clone()).await["finding"]["dismissed"].take();
    assert_eq!(
        dismissed,
        json!({ "reason": "prices went up", "by": { "key": "lead" } })
    );
    world.note_findings().await;
    let codes = |findings: &[Value]| {
        findings
            .iter()
            .filter(|one| one["code"] == "IMPORTANT_AND_NEGATIVE")
            .count()
    };
    assert_eq!(codes(&found(&neighbour, "open").await), 0);
    let all = today(&neighbour, "open").await;
    assert_eq!(one(&all, "IMPORTANT_AND_NEGATIVE")["dismissed"], dismissed);
    assert_eq!(
        one(&all, "IMPORTANT_AND_NEGATIVE")["openSince"],
        warning["openSince"]
    );
    let which = json!({ "blueprintId": ids["open"], "fingerprint": warning["fingerprint"] });
    lead.does(REOPEN, which).await;
    assert_eq!(codes(&found(&neighbour, "open").await), 1);

    lead.does(DISMISS, input).await;
    for (version, emotion) in [(1, 2), (2, -1)] {
        let feel = json!({ "id": ids["T2"], "expectedVersion": version, "emotion": emotion });
        manager.does(DESCRIBE, feel).await;
        world.note_findings().await;
    }
    assert_eq!(codes(&found(&neighbour, "open").await), 1, "it came back");
}

#[tokio::test]
async fn what_one_may_not_read_of_cannot_be_dismissed() {
    let world = World::small().await;
    let (lead, manager) = (
        world.sign_in("lead").await,
        world.sign_in("cx-manager").await,
    );
    let ids = Ids::of(&world).await;
    let findings = today(&manager, "open").await;
    let secret = findings
        .iter()
        .find(|finding| finding["kpiId"] == json!(ids["SECRET"]))
        .expect("SECRET is stale today");
    let mut answers = Vec::new();
    for fingerprint in [
        secret["fingerprint"].clone(),
        json!("fnd_00000000000070008000000000000001"),
    ] {
        let input =
            json!({ "blueprintId": ids["open"], "fingerprint": fingerprint, "reason": "known" });
        answers.push(lead.tries(DISMISS, input).await["userErrors"].take());
    }
    assert_eq!(
        answers[0],
        json!([{ "code": "NOT_FOUND", "field": ["fingerprint"] }])
    );
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn open_errors_stand_in_the_way_of_publishing_and_dismissed_ones_do_not() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let named = async || {
        let caller = Caller::operator(world.store.clone(), world.clock.clone(), "blueprintPublish");
        let id: BlueprintId = ids["open"].parse().expect("an id");
        let which = Condition::all().add(blueprint::Column::Id.eq(id));
        let canvas = Canvas::find(&caller, which, caller.today).await;
        let canvas = canvas.expect("it loads").expect("it is there");
        let opened = caller
            .fetch_locked::<blueprint::Entity>(Action::GovernBlueprint, "id", id)
            .await;
        let (_, permit) = opened.expect("the door opens");
        match finding::refuse_open_errors(&permit, &canvas).await {
            Ok(()) => Vec::new(),
            Err(Error::Refused(errors)) => errors.into_iter().map(|error| error.message).collect(),
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!(
        named().await,
        [
            "NOBODY_ACCOUNTABLE: Nobody is accountable for “Is asked how it was”.",
            "NOBODY_RESPONSIBLE: Nobody is responsible for doing “Is asked how it was”.",
            "NOBODY_ACCOUNTABLE: Nobody is accountable for “Tells a friend”.",
        ]
    );
    for finding in today(&manager, "open")
        .await
        .iter()
        .filter(|finding| finding["severity"] == "ERROR")
    {
        let input = json!({ "blueprintId": ids["open"], "fingerprint": finding["fingerprint"], "reason": "not yet" });
        manager.does(DISMISS, input).await;
    }
    assert!(named().await.is_empty());
}

#[tokio::test]
async fn the_table_of_rules_can_be_read() {
    let world = World::small().await;
    let document = "{ findingRules { code severity rule threshold defaultThreshold } }";
    let answer = world
        .sign_in("stranger")
        .await
        .ask(document, json!({}))
        .await;
    let rules = answer["findingRules"].as_array().expect("rules");
    let errors: Vec<&Value> = rules
        .iter()
        .filter(|rule| rule["severity"] == "ERROR")
        .map(|rule| &rule["code"])
        .collect();
    assert_eq!(
        errors,
        [
            "NOBODY_ACCOUNTABLE",
            "NOBODY_RESPONSIBLE",
            "EMPTY_BLUEPRINT"
        ]
    );
    let stale = rules
        .iter()
        .find(|rule| rule["code"] == "KPI_STALE")
        .expect("the rule");
    assert_eq!(
        (&stale["threshold"], &stale["defaultThreshold"]),
        (&json!(2.0), &json!(2.0))
    );
}
