//! Who works an answer: by the day of the contact, the organisation's rules, the owner of the journey or of the KPI, and
//! by hand; and how many of a group are followed up.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{RECORD, batch, listed, nps, with};
use crate::{
    ids::Ids,
    world::{Actor, World},
};

const RULE: &str = "mutation($input: RoutingRuleSetInput!) { routingRuleSet(input: $input) {
    routingRule { id version cause segment { key } channel { key } department { key } } userErrors { code field message }
} }";

const HAND_OVER: &str = "mutation($input: FollowUpsHandOverInput!) { followUpsHandOver(input: $input) {
    followUps { id version department { key } assignee { key } } userErrors { code field reason message }
} }";

/// An answer on the relationship as a whole, of somebody.
fn whole(who: &str, more: Value) -> Value {
    let answer =
        json!({ "scale": "NPS", "score": 3, "answeredOn": "2025-03-04", "respondent": who });
    with(answer, more)
}

/// The department of each answer, by its respondent.
async fn routed(manager: &Actor<'_>) -> BTreeMap<String, Value> {
    let rows = listed(manager, Value::Null).await.into_iter();
    let told = rows.map(|mut row| {
        let who = row["respondent"].as_str().expect("a respondent").to_owned();
        (who, row["department"]["key"].take())
    });
    told.collect()
}

async fn follow_ups(manager: &Actor<'_>, unroutable: bool) -> Vec<Value> {
    let document = "query($only: Boolean!) { followUps(filter: { unroutable: $only }) { nodes {
        id version cause department { key } } } }";
    let mut answer = manager.ask(document, json!({ "only": unroutable })).await;
    let nodes = answer["followUps"]["nodes"].take();
    nodes.as_array().expect("nodes").clone()
}

/// Makes finance accountable at T2 from now on, in place of sales.
async fn take_over(world: &World, ids: &Ids) {
    let manager = world.sign_in("cx-manager").await;
    let propose =
        "mutation($input: ResponsibilityProposeInput!) { responsibilityPropose(input: $input) {
        responsibility { id } userErrors { code } } }";
    let takeover =
        json!({ "touchpointId": ids["T2"], "departmentId": ids["finance"], "role": "ACCOUNTABLE" });
    let made = manager.does(propose, takeover).await;
    let accept =
        "mutation($input: ResponsibilityAcceptInput!) { responsibilityAccept(input: $input) {
        userErrors { code } } }";
    let at = json!({ "id": made["responsibility"]["id"], "expectedVersion": 1 });
    world.sign_in("treasurer").await.does(accept, at).await;
}

#[tokio::test]
async fn an_answer_goes_to_who_was_accountable_on_the_day_of_the_contact() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    take_over(&world, &ids).await;
    world.clock.advance(chrono::Duration::days(2));
    let manager = world.sign_in_anew("cx-manager").await;
    let today = world.clock.now().date_naive();
    let day = |before: i64| (today - chrono::Duration::days(before)).to_string();
    let answer = |who: &str, met: Option<String>| {
        let answer = nps(&ids["T2"], 3, &day(0));
        with(answer, json!({ "respondent": who, "metOn": met }))
    };
    let all = [
        answer("no day", None),
        answer("long before", Some("2025-03-04".to_owned())),
        answer("on the day of the takeover", Some(day(2))),
        answer("afterwards", Some(day(1))),
        answer("the day of the answer", Some(day(0))),
    ];
    manager.does(RECORD, batch(&all)).await;
    let expected = [
        ("afterwards", "finance"),
        ("long before", "sales"),
        ("no day", "finance"),
        ("on the day of the takeover", "finance"),
        ("the day of the answer", "finance"),
    ];
    let expected = expected.map(|(who, key)| (who.to_owned(), json!(key)));
    assert_eq!(routed(&manager).await, BTreeMap::from(expected));
    // What cannot be is told at its field.
    let wrong = [
        answer(
            "later",
            Some((today + chrono::Duration::days(1)).to_string()),
        ),
        whole("nowhere", json!({ "metOn": "2025-03-01" })),
    ];
    let refused = manager.tries(RECORD, batch(&wrong)).await;
    let fields: Vec<String> = refused["userErrors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|one| format!("{}.{}", one["field"][1], one["field"][2]).replace('"', ""))
        .collect();
    assert_eq!(fields, ["0.metOn", "1.metOn"]);
}

#[tokio::test]
async fn answers_on_the_whole_go_by_rules_then_to_the_owner_of_the_journey_or_of_the_kpi() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let young = json!({ "segmentId": ids["young"] });
    let by_phone = json!({ "channelId": ids["PHONE"] });
    for (conditions, department) in [
        (json!({ "cause": "PRICE" }), "finance"),
        (young.clone(), "service"),
        (by_phone.clone(), "sales-north"),
        (with(young.clone(), by_phone.clone()), "courier"),
    ] {
        let rule = with(conditions, json!({ "departmentId": ids[department] }));
        manager.does(RULE, rule).await;
    }
    let open = json!({ "blueprintId": ids["open"] });
    let all = [
        whole("by cause", json!({ "cause": "PRICE" })),
        whole("by segment", young.clone()),
        whole("by channel", by_phone.clone()),
        whole("by both", with(young.clone(), by_phone.clone())),
        whole("rule before owner", with(open.clone(), by_phone.clone())),
        whole("owner", open.clone()),
        whole(
            "owner, other cause",
            with(open, json!({ "cause": "OTHER" })),
        ),
        whole("nobody", json!({})),
    ];
    let done = manager.does(RECORD, batch(&all)).await;
    assert_eq!(done["unroutable"], 1);
    let expected = [
        ("by both", json!("courier")),
        ("by cause", json!("finance")),
        ("by channel", json!("sales-north")),
        ("by segment", json!("service")),
        ("nobody", json!(null)),
        ("owner", json!("sales")),
        ("owner, other cause", json!("sales")),
        ("rule before owner", json!("sales-north")),
    ];
    let expected = expected.map(|(who, key)| (who.to_owned(), key));
    assert_eq!(routed(&manager).await, BTreeMap::from(expected));
    let told = manager
        .ask("{ organisationFindings { code sentence } }", json!({}))
        .await;
    let told = told["organisationFindings"]
        .as_array()
        .expect("findings")
        .clone();
    let told: Vec<&Value> = told
        .iter()
        .filter(|one| one["code"] == "FEEDBACK_UNROUTABLE")
        .collect();
    assert_eq!(
        told,
        [&json!({ "code": "FEEDBACK_UNROUTABLE",
            "sentence": "Nobody looks after an answer given on the organisation as a whole." })]
    );
    // A cause that is found out later routes it.
    let waiting = follow_ups(&manager, true).await;
    let update = "mutation($input: FollowUpUpdateInput!) { followUpUpdate(input: $input) {
        followUp { version department { key } } userErrors { code } } }";
    let set = |cause: &str, version: i32| json!({ "id": waiting[0]["id"], "expectedVersion": version, "cause": cause });
    let still = manager.does(update, set("PERSON", 1)).await;
    assert_eq!(still["followUp"]["department"], json!(null));
    // Not by anything else that is said of it, though a rule fits by now.
    let anybody = json!({ "cause": "PERSON", "departmentId": ids["service"] });
    manager.does(RULE, anybody).await;
    let noted = json!({ "id": waiting[0]["id"], "expectedVersion": 2, "cause": "PERSON", "note": "Called" });
    let still = manager.does(update, noted).await;
    assert_eq!(still["followUp"]["department"], json!(null));
    let given = manager.does(update, set("PRICE", 3)).await;
    assert_eq!(given["followUp"]["department"]["key"], "finance");
    assert!(follow_ups(&manager, true).await.is_empty());
    // A department that is archived without a successor hides nobody behind its rule.
    let admin = world.sign_in("admin").await;
    let made = "mutation($input: DepartmentCreateInput!) { departmentCreate(input: $input) {
        department { id } userErrors { code } } }";
    let made = admin
        .does(made, json!({ "key": "gone", "name": "Gone" }))
        .await;
    let gone = &made["department"]["id"];
    manager
        .does(RULE, json!({ "cause": "PROMISE", "departmentId": gone }))
        .await;
    let archive = "mutation($input: DepartmentArchiveInput!) { departmentArchive(input: $input) { userErrors { code message } } }";
    admin
        .does(archive, json!({ "id": gone, "expectedVersion": 1 }))
        .await;
    let promised = json!({ "blueprintId": ids["open"], "cause": "PROMISE" });
    manager
        .does(RECORD, batch(&[whole("behind it", promised)]))
        .await;
    assert_eq!(routed(&manager).await["behind it"], "sales");
    // The owner of the one KPI that such answers feed.
    let kpi = "mutation($input: KpiCreateInput!) { kpiCreate(input: $input) { kpi { id } userErrors { code message } } }";
    let loyalty = json!({ "key": "LOYAL", "name": "Loyalty", "type": "NPS", "unit": "SCORE", "decimals": 0,
        "direction": "HIGHER", "aggregation": "RATIO", "cadence": "MONTHLY", "ownerDepartmentId": ids["board"],
        "scope": "RELATIONSHIP" });
    let made = manager.does(kpi, loyalty).await;
    let feed = "mutation($input: KpiUpdateInput!) { kpiUpdate(input: $input) { userErrors { code message } } }";
    let fed = json!({ "id": made["kpi"]["id"], "expectedVersion": 1, "fedFrom": "2020-01-01" });
    manager.does(feed, fed).await;
    manager
        .does(RECORD, batch(&[whole("of the KPI", json!({}))]))
        .await;
    assert_eq!(routed(&manager).await["of the KPI"], "board");
}

#[tokio::test]
async fn a_rule_is_kept_once_and_changed_by_its_version() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let rule = |department: &str| json!({ "cause": "PRICE", "departmentId": ids[department] });
    let made = manager.does(RULE, rule("sales")).await;
    let again = manager.does(RULE, rule("sales")).await;
    assert_eq!(made["routingRule"], again["routingRule"]);
    let refused = manager.tries(RULE, rule("finance")).await;
    assert_eq!(refused["userErrors"][0]["code"], "CONFLICT");
    let with_version = with(rule("finance"), json!({ "expectedVersion": 1 }));
    let changed = manager.does(RULE, with_version).await;
    assert_eq!(
        changed["routingRule"],
        json!({ "id": made["routingRule"]["id"], "version": 2, "cause": "PRICE", "segment": null, "channel": null,
            "department": { "key": "finance" } })
    );
    let nothing = json!({ "departmentId": ids["sales"] });
    let refused = manager.tries(RULE, nothing).await;
    assert_eq!(refused["userErrors"][0]["code"], "REQUIRED");
    for login in ["lead", "admin", "auditor", "stranger"] {
        let refused = world
            .sign_in(login)
            .await
            .tries(RULE, rule("service"))
            .await;
        assert_eq!(refused["userErrors"][0]["code"], "FORBIDDEN", "{login}");
    }
    // What a rule names stays while it does.
    let young = json!({ "segmentId": ids["young"], "departmentId": ids["sales"] });
    manager.does(RULE, young).await;
    let delete = "mutation($input: AtVersionInput!) { routingRuleDelete(input: $input) { userErrors { code } } }";
    let gone = json!({ "id": made["routingRule"]["id"], "expectedVersion": 2 });
    manager.does(delete, gone).await;
    let left = manager
        .ask(
            "{ routingRules { segment { key } department { key } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        left["routingRules"],
        json!([{ "segment": { "key": "young" }, "department": { "key": "sales" } }])
    );
}

#[tokio::test]
async fn cases_are_handed_over_all_of_them_or_none() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let lost = ["one", "two", "three"].map(|who| whole(who, json!({})));
    manager.does(RECORD, batch(&lost)).await;
    let cases = follow_ups(&manager, true).await;
    let input = |department: &str, cases: &[Value]| {
        let cases = cases
            .iter()
            .map(|one| json!({ "id": one["id"], "expectedVersion": one["version"] }));
        json!({ "followUps": cases.collect::<Vec<_>>(), "departmentId": ids[department] })
    };
    let mut stale = cases.clone();
    stale[1]["version"] = json!(7);
    let refused = manager.tries(HAND_OVER, input("sales", &stale)).await;
    assert_eq!(
        refused["userErrors"][0]["field"],
        json!(["followUps", "1", "expectedVersion"])
    );
    assert_eq!(refused["followUps"][0]["id"], cases[1]["id"]);
    let twice = [cases[0].clone(), cases[0].clone()];
    let refused = manager.tries(HAND_OVER, input("sales", &twice)).await;
    assert_eq!(
        refused["userErrors"][0]["field"],
        json!(["followUps", "1", "id"])
    );
    assert_eq!(
        follow_ups(&manager, true).await.len(),
        3,
        "nothing was done"
    );
    for login in ["lead", "admin", "auditor"] {
        let refused = world
            .sign_in(login)
            .await
            .tries(HAND_OVER, input("sales", &cases))
            .await;
        assert_eq!(refused["userErrors"][0]["code"], "FORBIDDEN", "{login}");
    }
    let done = manager.does(HAND_OVER, input("sales", &cases)).await;
    for case in done["followUps"].as_array().expect("follow-ups") {
        assert_eq!(
            (&case["department"]["key"], &case["version"]),
            (&json!("sales"), &json!(2))
        );
    }
    assert!(follow_ups(&manager, true).await.is_empty());
    // Its lead may assign now, and reads who answered.
    let lead = world.sign_in("lead").await;
    let own = listed(&lead, json!({ "departmentId": ids["sales"] })).await;
    assert_eq!(own.len(), 3);
    assert_eq!(own[0]["respondent"], "one");
    // A case that went the wrong way goes on to another department, with nobody assigned.
    let now = follow_ups(&manager, false).await;
    let assign = "mutation($input: FollowUpAssignInput!) { followUpAssign(input: $input) { userErrors { code } } }";
    let to = json!({ "id": now[0]["id"], "expectedVersion": 2, "assigneeId": ids["contributor"] });
    lead.does(assign, to).await;
    let now = follow_ups(&manager, false).await;
    // To the department that works it already it changes nothing.
    let same = manager.does(HAND_OVER, input("sales", &now[..1])).await;
    assert_eq!(same["followUps"][0]["version"], now[0]["version"]);
    assert_eq!(same["followUps"][0]["assignee"]["key"], "contributor");
    let done = manager.does(HAND_OVER, input("service", &now[..1])).await;
    assert_eq!(done["followUps"][0]["assignee"], json!(null));
    assert_eq!(done["followUps"][0]["department"]["key"], "service");
    // Each is shown in the log to the leads whom it concerns, and to nobody else.
    let now = follow_ups(&manager, false).await;
    let of = |key: &str| {
        let mut of = now.iter().filter(|case| case["department"]["key"] == key);
        of.next_back().expect("a case").clone()
    };
    let both = [of("service"), of("sales")];
    manager.does(HAND_OVER, input("finance", &both)).await;
    let log = "{ auditEvents(filter: { action: \"followUpsHandOver\", outcome: DONE }) { nodes { subjectId } } }";
    for (login, own, other) in [("neighbour", 0, 1), ("lead", 1, 0)] {
        let seen = world.sign_in(login).await.ask(log, json!({})).await;
        let seen = seen["auditEvents"]["nodes"]
            .as_array()
            .expect("events")
            .clone();
        let sees = |case: &Value| seen.iter().any(|event| event["subjectId"] == case["id"]);
        assert!(sees(&both[own]), "{login}: {seen:?}");
        if login == "neighbour" {
            assert!(!sees(&both[other]), "{login}: {seen:?}");
        }
    }
    // Closed ones stay.
    let now = follow_ups(&manager, false).await;
    let now: Vec<Value> = now
        .into_iter()
        .filter(|case| case["department"]["key"] == "sales")
        .collect();
    let now = [json!(null), now[0].clone()];
    let update = "mutation($input: FollowUpUpdateInput!) { followUpUpdate(input: $input) { userErrors { code } } }";
    let close = json!({ "id": now[1]["id"], "expectedVersion": 2, "state": "RESOLVED" });
    manager.does(update, close).await;
    let closed = [json!({ "id": now[1]["id"], "version": 3 })];
    let refused = manager.tries(HAND_OVER, input("service", &closed)).await;
    assert_eq!(refused["userErrors"][0]["reason"], "NOT_OPEN");
}

#[tokio::test]
async fn a_playbook_says_how_many_of_its_group_are_followed_up() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let playbook = "mutation($input: PlaybookSetInput!) { playbookSet(input: $input) {
        playbook { version followUpPercent } userErrors { code field } } }";
    let of = |group: &str, percent: i32| json!({ "group": group, "text": "Call", "dueDays": 3, "followUpPercent": percent });
    manager.does(playbook, of("SATISFIED", 0)).await;
    manager.does(playbook, of("INDIFFERENT", 40)).await;
    let text =
        json!({ "group": "INDIFFERENT", "text": "Write", "dueDays": 3, "expectedVersion": 1 });
    let kept = manager.does(playbook, text).await;
    assert_eq!(
        kept["playbook"],
        json!({ "version": 2, "followUpPercent": 40 })
    );
    let refused = manager.tries(playbook, of("DISSATISFIED", 101)).await;
    assert_eq!(
        refused["userErrors"][0]["field"],
        json!(["followUpPercent"])
    );
    let many = |score: i32| (0..400).map(move |number| (score, number));
    let all = many(10)
        .chain(many(8))
        .chain((0..20).map(|number| (0, number)));
    let all = all.map(|(score, number)| {
        let answer = nps(&ids["T2"], score, "2025-03-04");
        with(answer, json!({ "respondent": format!("{score}-{number}") }))
    });
    manager.does(RECORD, batch(&all.collect::<Vec<_>>())).await;
    let count = async |group: &str| {
        let document =
            "query($group: FeedbackGroup!) { followUps(first: 1, filter: { groups: [$group] }) {
            totalCount } }";
        let answer = manager.ask(document, json!({ "group": group })).await;
        answer["followUps"]["totalCount"].as_i64().expect("a count")
    };
    assert_eq!(count("SATISFIED").await, 0);
    assert_eq!(count("DISSATISFIED").await, 20, "without a playbook each");
    // 40 of 100, drawn at random: 160 of 400, and by more than six standard deviations never off by 60.
    let some = count("INDIFFERENT").await;
    assert!((100..=220).contains(&some), "{some}");
}
