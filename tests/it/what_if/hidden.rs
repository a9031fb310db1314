//! Questions of those who may not see everything that would be met.

use super::*;

#[tokio::test]
async fn who_may_not_ask_is_told_so_and_what_they_may_not_see_is_not_there() {
    let world = World::small().await;
    let sales = archiving(&world, "sales-north", Some("finance")).await;
    for login in [
        "stranger",
        "viewer",
        "contributor",
        "neighbour",
        "analyst",
        "auditor",
    ] {
        let actor = world.sign_in(login).await;
        assert_eq!(
            refused(&actor, ARCHIVE, sales.clone()).await,
            forbidden("WHAT_IF"),
            "{login}"
        );
        let merged = json!({ "ids": [sales["id"]], "successorId": sales["successorId"] });
        assert_eq!(
            refused(&actor, MERGE, merged).await,
            forbidden("WHAT_IF"),
            "{login}"
        );
    }
    for login in ["lead", "chair", "cx-manager", "admin"] {
        let actor = world.sign_in(login).await;
        let told = asks(&actor, ARCHIVE, sales.clone()).await;
        assert_eq!(
            told,
            ["responsibilitiesHandedOver: T5 R sales-north"],
            "{login}"
        );
    }
    let lead = world.sign_in("lead").await;
    let theirs = json!({ "ids": [sales["id"], department_id(&world, "service").await], "successorId": sales["successorId"] });
    assert_eq!(
        refused(&lead, MERGE, theirs).await,
        forbidden("WHAT_IF"),
        "not all are led"
    );
    let hidden = json!({ "id": touchpoint_id(&world, "C1").await });
    assert_eq!(refused(&lead, REMOVE, hidden).await, Value::Null);
    let beside = json!({ "id": touchpoint_id(&world, "T2").await });
    for login in ["neighbour", "contributor", "admin"] {
        let actor = world.sign_in(login).await;
        assert_eq!(
            refused(&actor, REMOVE, beside.clone()).await,
            forbidden("SHAPE_BLUEPRINT"),
            "{login}"
        );
    }
    let partner = world.sign_in("partner").await;
    let board = archiving(&world, "board", None).await;
    assert_eq!(refused(&partner, ARCHIVE, board).await, Value::Null);
    let viewer = json!({ "id": account_id(&world, "viewer").await });
    let stranger = json!({ "id": account_id(&world, "stranger").await });
    for (login, of_viewer, of_stranger) in [
        ("lead", true, false),
        ("chair", true, false),
        ("neighbour", false, false),
        ("viewer", false, false),
        ("cx-manager", true, true),
        ("admin", true, true),
    ] {
        let actor = world.sign_in(login).await;
        for (about, may) in [(&viewer, of_viewer), (&stranger, of_stranger)] {
            match may {
                true => assert_eq!(asks(&actor, AWAY, about.clone()).await, [""; 0], "{login}"),
                false => assert_eq!(
                    refused(&actor, AWAY, about.clone()).await,
                    forbidden("WHAT_IF"),
                    "{login}"
                ),
            }
        }
    }
}

#[tokio::test]
async fn a_hidden_department_in_a_question_is_told_like_one_that_never_was() {
    let world = World::small().await;
    let partner = world.sign_in("partner").await;
    let courier = department_id(&world, "courier").await;
    let sales = department_id(&world, "sales").await;
    let answer = async |question: &str, variables: Value, given: &str| {
        let mut answer = partner
            .send(&format!("{question} {IMPACT}"), variables)
            .await;
        if answer["errors"].is_array() {
            answer["errors"][0]["extensions"]["requestId"].take();
        }
        answer.to_string().replace(given, "(given)")
    };
    let all = async |given: &str| {
        [
            answer(
                ARCHIVE,
                json!({ "id": courier, "successorId": given }),
                given,
            )
            .await,
            answer(
                MERGE,
                json!({ "ids": [courier], "successorId": given }),
                given,
            )
            .await,
            answer(
                MERGE,
                json!({ "ids": [courier, given], "successorId": sales }),
                given,
            )
            .await,
            answer(
                MERGE,
                json!({ "ids": [given, courier], "successorId": sales }),
                given,
            )
            .await,
            answer(
                MERGE,
                json!({ "ids": [sales, given], "successorId": courier }),
                given,
            )
            .await,
        ]
    };
    let never = format!("dep_{}", cx_blueprint::id::new_hex());
    let hidden = department_id(&world, "board").await;
    assert_eq!(all(&hidden).await, all(&never).await);
}

#[tokio::test]
async fn an_answer_says_nothing_of_drafts_that_its_reader_may_not_see() {
    let world = World::small().await;
    let (admin, cx_manager) = (
        world.sign_in("admin").await,
        world.sign_in("cx-manager").await,
    );
    let sales = archiving(&world, "sales", Some("finance")).await;
    let line = |told: &[String], name: &str| {
        let found = told.iter().find(|line| line.starts_with(name));
        found.cloned().unwrap_or_default()
    };
    for (actor, blueprints, held) in [
        (
            &cx_manager,
            "open, draft",
            "T2 A sales, T2 R sales, D1 A sales",
        ),
        (&admin, "open", "T2 A sales, T2 R sales"),
    ] {
        let told = asks(actor, ARCHIVE, sales.clone()).await;
        assert_eq!(
            line(&told, "blueprintsHandedOver"),
            format!("blueprintsHandedOver: {blueprints}")
        );
        assert_eq!(
            line(&told, "responsibilitiesHandedOver"),
            format!("responsibilitiesHandedOver: {held}")
        );
        assert_eq!(line(&told, "proposals"), "proposalsClosed: T4 A sales");
    }
    // SECRET judges T3 and, in a draft, D1. With the courier gone, nobody delivers at T3 but the service.
    let end = cx_manager
        .ask(
            "{ touchpoint(by: { key: { blueprint: \"open\", key: \"T3\" } }) { responsibilities { id version role } } }",
            json!({}),
        )
        .await["touchpoint"]["responsibilities"]
        .take();
    let courier = end
        .as_array()
        .expect("two")
        .iter()
        .find(|held| held["role"] == "RESPONSIBLE");
    let courier = courier.expect("the courier");
    cx_manager
        .does(
            "mutation($input: ResponsibilityDeclineInput!) { responsibilityEnd(input: $input) { userErrors { code } } }",
            json!({ "id": courier["id"], "expectedVersion": courier["version"] }),
        )
        .await;
    let service = archiving(&world, "service", None).await;
    let told = asks(&cx_manager, ARCHIVE, service.clone()).await;
    assert_eq!(
        line(&told, "kpisHanging"),
        "",
        "it judges a draft too: {told:?}"
    );
    assert_eq!(
        line(&told, "blueprintsLeft"),
        "blueprintsLeft: closed, future"
    );
    let told = asks(&admin, ARCHIVE, service).await;
    assert_eq!(line(&told, "kpisHanging"), "kpisHanging: SECRET");
    assert_eq!(line(&told, "blueprintsLeft"), "blueprintsLeft: closed");
}

#[tokio::test]
async fn a_draft_alone_stands_in_nobodys_way_who_may_not_see_it() {
    let world = World::small().await;
    let (admin, cx_manager) = (
        world.sign_in("admin").await,
        world.sign_in("cx-manager").await,
    );
    let made = admin
        .does(
            "mutation($input: DepartmentCreateInput!) { departmentCreate(input: $input) { department { id version } userErrors { code } } }",
            json!({ "name": "Lab" }),
        )
        .await["department"]
        .take();
    let persona = cx_manager
        .ask("{ persona(by: { key: \"buyer\" }) { id } }", json!({}))
        .await;
    cx_manager
        .does(
            "mutation($input: BlueprintCreateInput!) { blueprintCreate(input: $input) { userErrors { code } } }",
            json!({ "title": "Hush", "personaId": persona["persona"]["id"], "ownerDepartmentId": made["id"] }),
        )
        .await;
    let about = json!({ "id": made["id"] });
    assert_eq!(asks(&admin, ARCHIVE, about.clone()).await, [""; 0]);
    assert_eq!(
        asks(&cx_manager, ARCHIVE, about).await,
        ["blueprintsLeft: hush", "obstacles: SUCCESSOR_NEEDED"]
    );
}
