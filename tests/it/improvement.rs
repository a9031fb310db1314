//! Improvements: kept by the department that takes care of them, finished only with a result.

use serde_json::{Value, json};

use crate::{
    ids::Ids,
    reorganise::{IMPACT, MERGE},
    world::{Actor, World},
};

const CREATE: &str = "mutation($input: ImprovementCreateInput!) { improvementCreate(input: $input) {
    improvement { id key version state touchpoints { key } kpis { key } ownerDepartment { key } viewerPermissions }
    userErrors { code field }
} }";

const UPDATE: &str =
    "mutation($input: ImprovementUpdateInput!) { improvementUpdate(input: $input) {
    improvement { id version state result touchpoints { key } kpis { key } }
    userErrors { code field }
} }";

/// The keys of the improvements of a department and of a KPI.
async fn of(actor: &Actor<'_>, root: &str, key: &str, arguments: &str) -> Vec<String> {
    let document = format!(
        "query($key: String!) {{ {root}(by: {{ key: $key }}) {{ improvements{arguments} {{ nodes {{ key }} }} }} }}"
    );
    let answer = actor.ask(&document, json!({ "key": key })).await;
    let nodes = answer[root]["improvements"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter();
    nodes
        .map(|node| node["key"].as_str().expect("a key").to_owned())
        .collect()
}

#[tokio::test]
async fn an_improvement_is_about_touchpoints_and_told_by_kpis() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let input = json!({
        "blueprintId": ids["bp-rental"], "title": "A second counter at noon", "ownerDepartmentId": ids["r-web"],
        "impact": 5, "effort": 2, "touchpointIds": [ids["R05"], ids["R03"]], "kpiIds": [ids["KR3"]],
    });
    let made = ann.does(CREATE, input.clone()).await["improvement"].take();
    assert_eq!(made["key"], json!("a-second-counter-at-noon"));
    assert_eq!(made["state"], json!("PROPOSED"));
    assert_eq!(
        made["touchpoints"],
        json!([{ "key": "R05" }, { "key": "R03" }])
    );
    assert_eq!(made["viewerPermissions"], json!(["KEEP_IMPROVEMENTS"]));
    assert_eq!(
        of(&ann, "department", "r-web", "").await,
        ["a-second-counter-at-noon"]
    );
    assert_eq!(
        of(&ann, "kpi", "KR3", "").await,
        ["a-second-counter-at-noon"]
    );
    assert!(of(&ann, "kpi", "KR3", "(states: [DONE])").await.is_empty());
    assert!(of(&ann, "kpi", "KR1", "").await.is_empty());

    let mut too_much = input;
    too_much["impact"] = json!(6);
    too_much["touchpointIds"] = json!([]);
    let errors = ann.tries(CREATE, too_much).await["userErrors"].take();
    assert_eq!(errors, json!([{ "code": "INVALID", "field": ["impact"] }]));
}

#[tokio::test]
async fn a_finished_improvement_states_its_result() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let input = json!({ "blueprintId": ids["bp-rental"], "title": "Faster", "ownerDepartmentId": ids["r-web"], "state": "LIVE" });
    let made = ann.does(CREATE, input).await["improvement"].take();
    let change = |version: i32, more: Value| {
        let mut input = json!({ "id": made["id"], "expectedVersion": version });
        for (key, value) in more.as_object().expect("an object") {
            input[key] = value.clone();
        }
        input
    };
    let required = json!([{ "code": "REQUIRED", "field": ["result"] }]);
    for finished in ["DONE", "DROPPED"] {
        let bare = ann
            .tries(UPDATE, change(1, json!({ "state": finished })))
            .await;
        assert_eq!(bare["userErrors"], required);
    }
    let done = json!({ "state": "DONE", "result": "Four minutes less", "kpiIds": [ids["KR1"]] });
    let done = ann.does(UPDATE, change(1, done)).await["improvement"].take();
    assert_eq!(done["version"], json!(2));
    assert_eq!(done["kpis"], json!([{ "key": "KR1" }]));
    let bare = ann
        .tries(UPDATE, change(2, json!({ "result": null })))
        .await;
    assert_eq!(bare["userErrors"], required);
}

#[tokio::test]
async fn a_lead_keeps_improvements_of_the_own_department_and_gives_none_away() {
    let world = World::small().await;
    let (lead, ids) = (world.sign_in("lead").await, Ids::of(&world).await);
    let own = |department: &str| json!({ "blueprintId": ids["open"], "title": "Better", "ownerDepartmentId": ids[department] });
    assert_eq!(lead.refused(CREATE, own("service")).await, ["FORBIDDEN"]);
    let made = lead.does(CREATE, own("sales")).await["improvement"].take();
    let give =
        json!({ "id": made["id"], "expectedVersion": 1, "ownerDepartmentId": ids["service"] });
    assert_eq!(lead.refused(UPDATE, give.clone()).await, ["FORBIDDEN"]);
    let manager = world.sign_in("cx-manager").await;
    manager.does(UPDATE, give).await;
    let plan = json!({ "id": made["id"], "expectedVersion": 2, "state": "PLANNED" });
    assert_eq!(
        lead.refused(UPDATE, plan).await,
        ["FORBIDDEN"],
        "it is service's now"
    );
    let kept = of(
        &manager,
        "department",
        "service",
        "(includeDescendants: true)",
    )
    .await;
    assert_eq!(kept, ["better"]);
}

#[tokio::test]
async fn improvements_go_to_the_successor_with_all_else() {
    const FOUND: &str = "query($id: ID!) { improvement(by: { id: $id }) { version ownerDepartment { key } blueprint { revision } } }";
    const WHAT: &str =
        "query($id: ID!, $to: ID) { departmentArchiveImpact(id: $id, successorId: $to) { ...I } }";
    let world = World::small().await;
    let (cx, admin) = (
        world.sign_in("cx-manager").await,
        world.sign_in("admin").await,
    );
    let ids = Ids::of(&world).await;
    let input = json!({ "blueprintId": ids["open"], "title": "of finance", "ownerDepartmentId": ids["finance"] });
    let made = cx.does(CREATE, input).await["improvement"]["id"].take();
    let ask = format!("{WHAT} {IMPACT}");
    let with = json!({ "id": ids["finance"], "to": ids["service"] });
    let impact = admin.ask(&ask, with).await["departmentArchiveImpact"].take();
    assert_eq!(
        impact["improvementsHandedOver"]["nodes"],
        json!([{ "id": made }])
    );
    let without = json!({ "id": ids["finance"] });
    let impact = admin.ask(&ask, without).await["departmentArchiveImpact"].take();
    assert_eq!(impact["improvementsLeft"]["nodes"], json!([{ "id": made }]));
    let before = cx.ask(FOUND, json!({ "id": made })).await["improvement"].take();
    let merge = json!({ "departments": [{ "id": ids["finance"], "expectedVersion": 1 }], "successorId": ids["service"] });
    admin.does(MERGE, merge).await;
    let after = cx.ask(FOUND, json!({ "id": made })).await["improvement"].take();
    assert_eq!(after["ownerDepartment"]["key"], "service");
    let number = |found: &Value, pointer: &str| found.pointer(pointer).and_then(Value::as_i64);
    for counted in ["/version", "/blueprint/revision"] {
        assert_eq!(
            number(&after, counted),
            number(&before, counted).map(|was| was + 1),
            "{counted}"
        );
    }
}
