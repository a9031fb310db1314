//! Confidential KPIs: whose values and targets are read by whom.

use super::*;

#[tokio::test]
async fn values_of_a_confidential_kpi_are_seen_by_its_owner_and_by_whom_it_was_granted() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let set = json!({ "kpiId": ids["SECRET"], "validFrom": "2025-06-01", "value": 31.25, "warning": 20.5 });
    cx.does(TARGET, set).await;
    let analyst = world.sign_in("analyst").await;
    let sees = async |actor: &Actor<'_>| {
        let kpi = actor.kpi("SECRET", json!("2025-04-01")).await;
        let empty = kpi["latest"].is_null() && kpi["target"].is_null() && kpi["state"].is_null();
        let lists = (
            kpi["targets"]["totalCount"].clone(),
            kpi["measurements"]["totalCount"].clone(),
        );
        let told = kpi["valuesVisible"] == json!(true);
        assert_eq!(
            lists,
            if told {
                (json!(2), json!(1))
            } else {
                (json!(0), json!(0))
            },
            "{}",
            actor.login
        );
        assert_eq!(told, !empty, "{}", actor.login);
        let open = &kpi["links"]["nodes"][0];
        assert_eq!(
            (open["state"].is_null(), open["latest"].is_null()),
            (empty, empty),
            "{}",
            actor.login
        );
        told
    };
    for (login, expected) in [
        ("stranger", false),
        ("viewer", false),
        ("contributor", false),
        ("lead", false),
        ("neighbour", true),
        ("chair", true),
        ("partner", false),
        ("auditor", true),
        ("cx-manager", true),
        ("admin", false),
    ] {
        assert_eq!(sees(&world.sign_in(login).await).await, expected, "{login}");
    }
    assert!(!sees(&analyst).await);
    let neighbour = world.sign_in("neighbour").await;
    let grant = json!({ "kpiId": ids["SECRET"], "accountId": ids["analyst"] });
    assert_eq!(
        world
            .sign_in("lead")
            .await
            .refused(GRANT, grant.clone())
            .await,
        ["FORBIDDEN"]
    );
    let given = neighbour.does(GRANT, grant.clone()).await["grant"].take();
    assert_eq!(
        faults(&neighbour.tries(GRANT, grant).await),
        ["accountId DUPLICATE -"]
    );
    let member = json!({ "kpiId": ids["SECRET"], "accountId": ids["viewer"] });
    assert_eq!(
        faults(&neighbour.tries(GRANT, member).await),
        ["accountId INVALID -"]
    );
    assert!(sees(&analyst).await);
    assert_eq!(
        analyst.kpi("SECRET", Value::Null).await["grants"],
        Value::Null
    );
    assert_eq!(
        neighbour.kpi("SECRET", Value::Null).await["grants"]["nodes"][0]["id"],
        given["id"]
    );
    neighbour
        .does(GRANT_DELETE, json!({ "id": given["id"] }))
        .await;
    assert!(!sees(&analyst).await);
    let events = audit_event::Entity::find()
        .all(&world.db())
        .await
        .expect("events");
    let bodies = serde_json::to_string(
        &events
            .iter()
            .map(|event| (&event.before, &event.after))
            .collect::<Vec<_>>(),
    );
    let bodies = bodies.expect("text");
    assert!(bodies.contains("withheld"), "{bodies}");
    // Moments have seconds of 20.5 now and then.
    for field in ["value", "warning"] {
        for value in ["31.25", "20.5"] {
            assert!(
                !bodies.contains(&format!("\"{field}\":{value}")),
                "{bodies}"
            );
        }
    }
}

#[tokio::test]
async fn targets_set_before_a_kpi_became_confidential_are_read_in_the_log_by_those_who_may_now() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let set = |day: &str, value: f64| json!({ "kpiId": ids["PRICE"], "validFrom": day, "value": value, "warning": 71.25 });
    for (day, value) in [("2031-01-01", 61.25), ("2032-01-01", 62.25)] {
        cx.does(TARGET, set(day, value)).await;
    }
    let log = "{ auditEvents(first: 200) { nodes { action before after } } }";
    let told = async |login: &str| {
        let events = world.sign_in(login).await.ask(log, Value::Null).await;
        let nodes = events["auditEvents"]["nodes"]
            .as_array()
            .expect("events")
            .clone();
        let of_targets = nodes
            .into_iter()
            .filter(|event| event["action"] == "kpiTargetSet");
        of_targets
            .map(|event| event.to_string())
            .collect::<String>()
    };
    for login in ["admin", "auditor"] {
        let told = told(login).await;
        assert!(
            told.contains("61.25") && told.contains("71.25"),
            "{login}: {told}"
        );
    }
    let kpi = cx
        .ask("{ kpi(by: { key: \"PRICE\" }) { version } }", Value::Null)
        .await;
    let version = &kpi["kpi"]["version"];
    cx.does(
        UPDATE,
        json!({ "id": ids["PRICE"], "expectedVersion": version, "sensitivity": "CONFIDENTIAL" }),
    )
    .await;
    let told_admin = told("admin").await;
    for value in ["61.25", "62.25", "71.25"] {
        assert!(!told_admin.contains(value), "{told_admin}");
    }
    assert!(told_admin.contains("withheld"), "{told_admin}");
    assert!(told("auditor").await.contains("61.25"));
}

#[tokio::test]
async fn a_grant_is_found_by_its_id_by_those_who_see_the_grants() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let create = "mutation($input: KpiGrantCreateInput!) { kpiGrantCreate(input: $input) { grant { id } userErrors { message } } }";
    let made = cx
        .does(
            create,
            json!({ "kpiId": ids["SECRET"], "accountId": ids["analyst"] }),
        )
        .await;
    let id = made["grant"]["id"].clone();
    let node = "query($id: ID!) { node(id: $id) { id } kpi(by: { key: \"SECRET\" }) { grants { totalCount } } }";
    for login in [
        "stranger",
        "viewer",
        "contributor",
        "lead",
        "neighbour",
        "chair",
        "analyst",
        "auditor",
        "cx-manager",
        "admin",
    ] {
        let told = world
            .sign_in(login)
            .await
            .ask(node, json!({ "id": id }))
            .await;
        assert_eq!(
            told["node"].is_null(),
            told["kpi"]["grants"].is_null(),
            "{login}"
        );
    }
    assert!(!cx.ask(node, json!({ "id": id })).await["node"].is_null());
}

#[tokio::test]
async fn a_warning_level_that_is_left_out_stays_and_a_value_has_to_be_given() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let set = "mutation($input: KpiTargetSetInput!) { kpiTargetSet(input: $input) {
        target { value warning version } userErrors { field code } } }";
    let target = |more: Value| {
        let mut input = json!({ "kpiId": ids["SECRET"], "validFrom": "2025-06-01" });
        input
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        input
    };
    let answer = cx.tries(set, target(json!({ "warning": 20.5 }))).await;
    assert_eq!(
        answer["userErrors"],
        json!([{ "field": ["value"], "code": "REQUIRED" }])
    );
    cx.does(set, target(json!({ "value": 31.25, "warning": 20.5 })))
        .await;
    let kept = cx
        .does(set, target(json!({ "value": 32.0, "expectedVersion": 1 })))
        .await;
    assert_eq!(
        kept["target"],
        json!({ "value": 32.0, "warning": 20.5, "version": 2 })
    );
    let cleared = cx
        .does(
            set,
            target(json!({ "value": 32.0, "warning": null, "expectedVersion": 2 })),
        )
        .await;
    assert_eq!(
        cleared["target"],
        json!({ "value": 32.0, "warning": null, "version": 3 })
    );
    let none = cx
        .does(set, target(json!({ "value": null, "expectedVersion": 3 })))
        .await;
    assert_eq!(none["target"]["value"], Value::Null);
}
