//! Merging departments, and the promise of every question what an act would change: what is done then is just that,
//! over organisations made at random.

use std::collections::{BTreeMap, BTreeSet};

use cx_blueprint::access::Caller;
use entity::{
    blueprint, department,
    id::{BlueprintId, DepartmentId, KpiId, ResponsibilityId, TouchpointId},
    kpi, responsibility, touchpoint,
    words::{BlueprintStatus, ResponsibilityStatus, Role},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use serde_json::{Value, json};

use crate::{
    generated::{generate::generate, size::OrganisationSize},
    world::{Actor, World, password_hash},
};

pub const IMPACT: &str = "fragment I on Impact {
    obstacles { reason }
    departmentsMoved(first: 200) { nodes { id } }
    responsibilitiesEnded(first: 200) { nodes { id } }
    responsibilitiesHandedOver(first: 200) { nodes { id } }
    responsibilitiesMerged(first: 200) { nodes { id } }
    proposalsClosed(first: 200) { nodes { id } }
    proposalsReaddressed(first: 200) { nodes { id } }
    lostAccountable(first: 200) { nodes { id } }
    lostResponsible(first: 200) { nodes { id } }
    leftWithoutResponsible(first: 200) { nodes { id } }
    blueprintsHandedOver(first: 200) { nodes { id } }
    kpisHandedOver(first: 200) { nodes { id } }
    improvementsHandedOver(first: 200) { nodes { id } }
    improvementsLeft(first: 200) { nodes { id } }
    newlyUnreachable(first: 200) { nodes { id } }
    newDeadEnds(first: 200) { nodes { id } }
}";
pub const MERGE: &str = "mutation($input: DepartmentMergeInput!) { departmentMerge(input: $input) {
    department { key } merged { key version archivedAt successor { key } }
    impact { obstacles { code } departmentsMoved { nodes { key } } proposalsClosed { nodes { reason } } }
    userErrors { field code reason } } }";

/// The lists of an impact, as ids; those that are empty are left out.
type Told = BTreeMap<String, BTreeSet<String>>;

fn told(impact: &Value) -> Told {
    let lists = impact.as_object().expect("an impact").iter();
    lists
        .filter_map(|(name, list)| {
            let nodes = list["nodes"].as_array()?.iter();
            let ids: BTreeSet<String> = nodes
                .map(|node| node["id"].as_str().expect("an id").to_owned())
                .collect();
            (!ids.is_empty()).then(|| (name.clone(), ids))
        })
        .collect()
}

/// What is stored, as far as an act changes it.
struct Stored {
    departments: BTreeMap<DepartmentId, department::Model>,
    responsibilities: BTreeMap<ResponsibilityId, responsibility::Model>,
    blueprints: BTreeMap<BlueprintId, blueprint::Model>,
    kpis: BTreeMap<KpiId, kpi::Model>,
    touchpoints: BTreeMap<TouchpointId, touchpoint::Model>,
}

impl Stored {
    async fn read(world: &World) -> Self {
        let db = world.db();
        macro_rules! all {
            ($entity:ident) => {{
                let rows = $entity::Entity::find().all(&db).await.expect("rows");
                rows.into_iter().map(|row| (row.id, row)).collect()
            }};
        }
        Self {
            departments: all!(department),
            responsibilities: all!(responsibility),
            blueprints: all!(blueprint),
            kpis: all!(kpi),
            touchpoints: all!(touchpoint),
        }
    }

    /// The touchpoints, not archived, at which somebody holds a role.
    fn held(&self, role: Role) -> BTreeSet<TouchpointId> {
        let held = self.responsibilities.values();
        held.filter(|row| row.role == role && row.status == ResponsibilityStatus::Accepted)
            .map(|row| row.touchpoint_id)
            .filter(|id| self.touchpoints[id].archived_at.is_none())
            .collect()
    }

    fn same(&self, other: &Self) -> bool {
        let text =
            |stored: &Self| format!("{:?} {:?}", stored.departments, stored.responsibilities);
        text(self) == text(other)
    }

    /// No touchpoint has two accountable, and no department a role there twice.
    fn check(&self) {
        let mut held = BTreeSet::new();
        for row in self.responsibilities.values() {
            let accepted = row.status == ResponsibilityStatus::Accepted;
            if accepted || row.status == ResponsibilityStatus::Proposed {
                let role = row.role.as_str();
                assert!(held.insert((row.touchpoint_id, Some(row.department_id), role)));
                let accountable = accepted && row.role == Role::Accountable;
                assert!(!accountable || held.insert((row.touchpoint_id, None, role)));
            }
        }
    }
}

fn ids<I: ToString>(ids: impl IntoIterator<Item = I>) -> BTreeSet<String> {
    ids.into_iter().map(|id| id.to_string()).collect()
}

/// What an act has changed, in the words of an impact; without a successor what somebody held is lost.
fn changed(before: &Stored, after: &Stored, successor: bool, removed: bool) -> Told {
    use ResponsibilityStatus::{Accepted, Declined, Ended, Proposed};
    let was = |from, to| {
        before
            .responsibilities
            .values()
            .filter(move |row| row.status == from && after.responsibilities[&row.id].status == to)
    };
    let mut ended: Vec<&responsibility::Model> = was(Accepted, Ended).collect();
    ended.sort_by_key(|row| (row.created_at, row.id));
    let fresh = after.responsibilities.values();
    let fresh = fresh.filter(|row| !before.responsibilities.contains_key(&row.id));
    let fresh: BTreeSet<_> = fresh
        .map(|row| (row.touchpoint_id, row.role.as_str()))
        .collect();
    let mut taken = BTreeSet::new();
    let (mut over, mut merged, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for row in &ended {
        let place = (row.touchpoint_id, row.role.as_str());
        match (successor, fresh.contains(&place) && taken.insert(place)) {
            (false, _) => gone.push(row.id),
            (true, true) => over.push(row.id),
            (true, false) => merged.push(row.id),
        }
    }
    assert_eq!(taken, fresh, "what is new was handed over");
    let rewritten = was(Proposed, Proposed)
        .filter(|row| row.version != after.responsibilities[&row.id].version);
    let owned = before
        .blueprints
        .values()
        .filter(|row| row.owner_department_id != after.blueprints[&row.id].owner_department_id);
    let kpis = before.kpis.values();
    let kpis =
        kpis.filter(|row| row.owner_department_id != after.kpis[&row.id].owner_department_id);
    let moved = before.departments.values();
    let moved = moved.filter(|row| row.parent_id != after.departments[&row.id].parent_id);
    let responsible = ended.iter().filter(|row| row.role == Role::Responsible);
    let lost = |role| match removed {
        true => BTreeSet::new(),
        false => &before.held(role) - &after.held(role),
    };
    let lists = [
        ("departmentsMoved", ids(moved.map(|row| row.id))),
        ("responsibilitiesEnded", ids(gone)),
        ("responsibilitiesHandedOver", ids(over)),
        ("responsibilitiesMerged", ids(merged)),
        (
            "proposalsClosed",
            ids(was(Proposed, Declined).map(|row| row.id)),
        ),
        ("proposalsReaddressed", ids(rewritten.map(|row| row.id))),
        ("lostAccountable", ids(lost(Role::Accountable))),
        (
            "lostResponsible",
            match successor || removed {
                true => BTreeSet::new(),
                false => ids(responsible.map(|row| row.touchpoint_id)),
            },
        ),
        ("leftWithoutResponsible", ids(lost(Role::Responsible))),
        ("blueprintsHandedOver", ids(owned.map(|row| row.id))),
        ("kpisHandedOver", ids(kpis.map(|row| row.id))),
    ];
    let lists = lists.into_iter().filter(|(_, ids)| !ids.is_empty());
    lists.map(|(name, ids)| (name.to_owned(), ids)).collect()
}

/// Numbers that only look like chance.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).expect("a small number")
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// A small organisation made at random, with proposals strewn over it. Every other one has only drafts, all of which,
/// as the KPIs, one department owns: the others may go without a successor.
async fn organisation(seed: u64, dice: &mut Dice) -> World {
    let world = World::new().await;
    let size = OrganisationSize {
        blueprints: 2,
        touchpoints: 12,
        departments: 8,
        responsibilities: 4,
        kpis: 6,
        links: 1,
        days: 1,
        until: world.clock.day_of_moment(world.clock.now()),
        seed,
    };
    let operator = Caller::operator(world.store.clone(), world.clock.clone(), "generate");
    let made = generate(&operator, &size, &password_hash().await).await;
    made.expect("an organisation");
    let stored = Stored::read(&world).await;
    let db = world.db();
    let departments: Vec<DepartmentId> = stored.departments.keys().copied().collect();
    let rows: Vec<&responsibility::Model> = stored.responsibilities.values().collect();
    let mut open: BTreeSet<_> = rows
        .iter()
        .map(|row| (row.touchpoint_id, row.department_id, row.role.as_str()))
        .collect();
    for _ in 0..30 {
        let like = dice.pick(&rows);
        let (department, role) = (
            dice.pick(&departments),
            dice.pick(&[Role::Accountable, Role::Accountable, Role::Responsible]),
        );
        if !open.insert((like.touchpoint_id, department, role.as_str())) {
            continue;
        }
        let held = rows.iter().find(|row| {
            row.touchpoint_id == like.touchpoint_id
                && row.role == Role::Accountable
                && row.status == ResponsibilityStatus::Accepted
        });
        let replaces = held.filter(|_| role == Role::Accountable);
        let proposal = responsibility::ActiveModel {
            id: Set(cx_blueprint::id::new()),
            department_id: Set(department),
            role: Set(role),
            status: Set(ResponsibilityStatus::Proposed),
            proposed_by_department_id: Set(Some(dice.pick(&departments))),
            replaces_id: Set(replaces.map(|row| row.id)),
            valid_from: Set(None),
            decided_at: Set(None),
            ..like.clone().into_active_model().reset_all()
        };
        proposal.insert(&db).await.expect("a proposal");
    }
    if seed.is_multiple_of(2) {
        for row in stored.blueprints.values() {
            let draft = blueprint::ActiveModel {
                status: Set(BlueprintStatus::Draft),
                owner_department_id: Set(departments[0]),
                ..row.clone().into_active_model()
            };
            draft.update(&db).await.expect("a draft");
        }
        for row in stored.kpis.values() {
            let owned = kpi::ActiveModel {
                owner_department_id: Set(departments[0]),
                ..row.clone().into_active_model()
            };
            owned.update(&db).await.expect("an owner");
        }
    }
    world
}

/// An act: its question, its operation and what is given to each.
struct Act {
    question: &'static str,
    asked: Value,
    operation: &'static str,
    done: Value,
    successor: bool,
    removed: Option<BlueprintId>,
}

fn any_act(dice: &mut Dice, stored: &Stored) -> Act {
    let living = stored.departments.values();
    let living: Vec<&department::Model> = living.filter(|row| row.archived_at.is_none()).collect();
    let (one, heir) = (dice.pick(&living), dice.pick(&living));
    let at = |row: &department::Model| json!({ "id": row.id.to_string(), "expectedVersion": row.version });
    let (id, heir) = (one.id.to_string(), heir.id.to_string());
    match dice.below(5) {
        0 => {
            let touchpoints = stored.touchpoints.values();
            let touchpoints: Vec<&touchpoint::Model> = touchpoints
                .filter(|row| row.archived_at.is_none())
                .collect();
            let gone = dice.pick(&touchpoints);
            let id = gone.id.to_string();
            Act {
                question: "query($id: ID!) { impact: touchpointArchiveImpact(id: $id) { ...I } }",
                asked: json!({ "id": id }),
                operation: "mutation($input: AtVersionInput!) { done: touchpointArchive(input: $input) { impact { ...I } userErrors { code } } }",
                done: json!({ "id": id, "expectedVersion": gone.version }),
                successor: false,
                removed: Some(gone.blueprint_id),
            }
        }
        1 | 2 => {
            let heir = (dice.below(2) == 0).then_some(heir);
            let mut done = at(one);
            done["successorId"] = json!(heir);
            Act {
                question: "query($id: ID!, $heir: ID) { impact: departmentArchiveImpact(id: $id, successorId: $heir) { ...I } }",
                asked: json!({ "id": id, "heir": heir }),
                operation: "mutation($input: DepartmentArchiveInput!) { done: departmentArchive(input: $input) { impact { ...I } userErrors { code } } }",
                done,
                successor: heir.is_some(),
                removed: None,
            }
        }
        _ => {
            let both = [one, dice.pick(&living)];
            Act {
                question: "query($ids: [ID!]!, $heir: ID!) { impact: departmentMergeImpact(ids: $ids, successorId: $heir) { ...I } }",
                asked: json!({ "ids": both.map(|row| row.id.to_string()), "heir": heir }),
                operation: "mutation($input: DepartmentMergeInput!) { done: departmentMerge(input: $input) { impact { ...I } userErrors { code } } }",
                done: json!({ "departments": both.map(at), "successorId": heir }),
                successor: true,
                removed: None,
            }
        }
    }
}

/// Where nobody gets to and where nobody gets on. Where nobody comes in any more, the flow says nothing of who gets
/// where; then nobody gets anywhere.
async fn flow(actor: &Actor<'_>, id: BlueprintId) -> Told {
    let document = "query($id: ID!) { blueprint(by: { id: $id }) {
        flow { newlyUnreachable: unreachable { id } newDeadEnds: deadEnds { id } }
        transitions { kind from { id } to { id } }
        phases { touchpoints { id } }
    } }";
    let found = actor.ask(document, json!({ "id": id.to_string() })).await["blueprint"].take();
    let nodes = |nodes: &Value| nodes.as_array().expect("nodes").clone();
    let ids = |nodes: Vec<Value>| {
        let ids = nodes.iter().map(|node| node["id"].as_str().expect("an id"));
        ids.map(str::to_owned).collect::<BTreeSet<String>>()
    };
    let lists = found["flow"].as_object().expect("a flow").iter();
    let mut told: Told = lists
        .map(|(name, list)| (name.clone(), ids(nodes(list))))
        .collect();
    let enters = |edge: &Value| {
        !edge["to"].is_null() && (edge["from"].is_null() || edge["kind"] == "REENTRY")
    };
    if !nodes(&found["transitions"]).iter().any(enters) {
        let phases = nodes(&found["phases"]);
        let all = phases.iter().flat_map(|phase| nodes(&phase["touchpoints"]));
        told.insert("newlyUnreachable".to_owned(), ids(all.collect()));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_is_what_was_told() {
    let mut met: BTreeSet<String> = BTreeSet::new();
    let (mut done, mut refused) = (0, 0);
    for seed in 1..=12 {
        let mut dice = Dice(seed * 7_919);
        let world = organisation(seed, &mut dice).await;
        let (admin, manager) = (
            world.sign_in("admin").await,
            world.sign_in("cx-manager").await,
        );
        for _ in 0..6 {
            let before = Stored::read(&world).await;
            let act = any_act(&mut dice, &before);
            let doing = if act.removed.is_some() {
                &manager
            } else {
                &admin
            };
            let question = format!("{} {IMPACT}", act.question);
            let whole = manager.send(&question, act.asked.clone()).await;
            let seen = doing.send(&question, act.asked.clone()).await;
            let way = match act.removed {
                Some(blueprint) => Some(flow(&manager, blueprint).await),
                None => None,
            };
            let operation = format!("{} {IMPACT}", act.operation);
            let answer = doing.tries(&operation, act.done.clone()).await;
            let after = Stored::read(&world).await;
            after.check();
            let obstacles = &whole["data"]["impact"]["obstacles"];
            if whole["errors"].is_array() || *obstacles != json!([]) {
                assert_ne!(answer["userErrors"], json!([]), "{whole}");
                assert!(after.same(&before), "refused is not done");
                refused += 1;
                continue;
            }
            assert_eq!(answer["userErrors"], json!([]), "{whole} {}", act.done);
            let mut whole = told(&whole["data"]["impact"]);
            assert_eq!(told(&answer["impact"]), told(&seen["data"]["impact"]));
            if let (Some(blueprint), Some(way)) = (act.removed, way) {
                let there: BTreeSet<String> = ids([act.done["id"].as_str().expect("an id")]);
                for (name, after) in flow(&manager, blueprint).await {
                    let newly = &(&after - &way[&name]) - &there;
                    assert_eq!(newly, whole.remove(&name).unwrap_or_default(), "{name}");
                }
            }
            let changes = changed(&before, &after, act.successor, act.removed.is_some());
            assert_eq!(whole, changes, "{}", act.question);
            met.extend(changes.into_keys());
            done += 1;
        }
    }
    assert!(done >= 30 && refused >= 5, "{done} done, {refused} refused");
    assert_eq!(met.len(), 11, "of each list something came up: {met:?}");
}

async fn departments(world: &World) -> BTreeMap<String, department::Model> {
    let rows = department::Entity::find().all(&world.db()).await;
    let rows = rows.expect("departments").into_iter();
    rows.map(|row| (row.key.clone(), row)).collect()
}

fn merging(rows: &BTreeMap<String, department::Model>, keys: &[&str], into: &str) -> Value {
    let one = |key: &&str| {
        let row = &rows[*key];
        json!({ "id": row.id.to_string(), "expectedVersion": row.version })
    };
    let all: Vec<Value> = keys.iter().map(one).collect();
    json!({ "departments": all, "successorId": rows[into].id.to_string() })
}

#[tokio::test]
async fn departments_merge_at_once_or_not_at_all() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    let rows = departments(&world).await;
    let before = Stored::read(&world).await;
    let mut stale = merging(&rows, &["sales", "finance"], "service");
    stale["departments"][1]["expectedVersion"] = json!(9);
    assert_eq!(admin.refused(MERGE, stale).await, ["CONFLICT"]);
    let circle = merging(&rows, &["sales"], "sales-north");
    assert_eq!(
        admin.tries(MERGE, circle).await["userErrors"][0]["reason"],
        "CYCLE"
    );
    let nobody = merging(&rows, &[], "service");
    let refused = admin.tries(MERGE, nobody).await;
    assert_eq!(
        refused["userErrors"][0],
        json!({ "field": ["departments"], "code": "REQUIRED", "reason": null })
    );
    let hidden = json!({ "departments": [{ "id": format!("dep_{}", cx_blueprint::id::new_hex()), "expectedVersion": 1 }],
        "successorId": rows["service"].id.to_string() });
    let refused = admin.tries(MERGE, hidden).await;
    assert_eq!(
        refused["userErrors"][0]["field"],
        json!(["departments", "0", "id"])
    );
    assert!(
        Stored::read(&world).await.same(&before),
        "nothing was done yet"
    );

    let both = merging(&rows, &["sales", "finance", "sales"], "service");
    let answer = admin.does(MERGE, both.clone()).await;
    assert_eq!(answer["department"]["key"], "service");
    let merged: BTreeSet<&str> = answer["merged"]
        .as_array()
        .expect("departments")
        .iter()
        .filter(|one| one["successor"]["key"] == "service" && !one["archivedAt"].is_null())
        .map(|one| one["key"].as_str().expect("a key"))
        .collect();
    assert_eq!(merged, ["finance", "sales"].into());
    assert_eq!(
        answer["impact"]["departmentsMoved"]["nodes"],
        json!([{ "key": "sales-north" }])
    );
    let after = departments(&world).await;
    assert_eq!(after["sales-north"].parent_id, Some(rows["service"].id));
    // Both were asked to be accountable for T4: the service is asked once.
    let reasons: Vec<&Value> = answer["impact"]["proposalsClosed"]["nodes"]
        .as_array()
        .expect("proposals")
        .iter()
        .map(|one| &one["reason"])
        .collect();
    assert_eq!(reasons, ["TAKEN"]);
    let held = responsibility::Entity::find()
        .filter(responsibility::Column::DepartmentId.eq(rows["service"].id))
        .filter(responsibility::Column::Status.eq(ResponsibilityStatus::Accepted))
        .all(&world.db())
        .await
        .expect("responsibilities");
    let tasks: Vec<&str> = held
        .iter()
        .flat_map(|row| &row.tasks.0)
        .map(String::as_str)
        .collect();
    assert_eq!((held.len(), tasks), (7, vec!["answer within a day"]));
    assert_eq!(admin.refused(MERGE, both).await, ["CONFLICT"]);
    let again = merging(&after, &["sales"], "board");
    assert_eq!(admin.refused(MERGE, again).await, ["ARCHIVED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_mergers_that_cross_one_is_done() {
    for _ in 0..4 {
        let world = World::small().await;
        let admin = world.sign_in("admin").await;
        let rows = departments(&world).await;
        let (one, other) = futures_util::future::join(
            admin.tries(MERGE, merging(&rows, &["sales"], "service")),
            admin.tries(MERGE, merging(&rows, &["service"], "sales")),
        )
        .await;
        let (done, lost): (Vec<_>, Vec<_>) = [&one, &other]
            .into_iter()
            .partition(|answer| answer["userErrors"] == json!([]));
        assert_eq!((done.len(), lost.len()), (1, 1), "{one} {other}");
        assert_eq!(lost[0]["userErrors"][0]["code"], "ARCHIVED");
        let (gone, stays) = match done[0]["department"]["key"].as_str() {
            Some("service") => ("sales", "service"),
            _ => ("service", "sales"),
        };
        let after = departments(&world).await;
        assert_eq!(after[gone].successor_id, Some(rows[stays].id));
        assert_eq!(
            (after[stays].successor_id, after[stays].archived_at),
            (None, None)
        );
        assert_eq!(
            after["sales-north"].parent_id,
            Some(match gone {
                "sales" => rows["service"].id,
                _ => rows["sales"].id,
            })
        );
        let stored = Stored::read(&world).await;
        stored.check();
        let open = stored.responsibilities.values().filter(|row| {
            row.department_id == rows[gone].id
                && matches!(
                    row.status,
                    ResponsibilityStatus::Proposed | ResponsibilityStatus::Accepted
                )
        });
        assert_eq!(open.count(), 0, "nothing is left with who is gone");
        let mut owners = stored
            .blueprints
            .values()
            .map(|row| row.owner_department_id);
        assert!(owners.all(|owner| owner == rows[stays].id));
    }
}
