//! A search that climbs over the schema for requests whose work is more than a constant times what it was charged, in
//! units that come to the same everywhere: steps, bytes, statements. `checks/climb` measures seconds and memory.

mod arguments;

use std::sync::Arc;

use async_graphql::{Request, Value as Answer, Variables};
use cx_blueprint::{
    access::Caller,
    batch::Loaders,
    bi::cache::BiCache,
    canvas::shared::RequestCanvases,
    compute::{BYTES, Budget, FIELD, STATEMENT, STEPS},
    error::Code,
    finding::rules::Thresholds,
    graph::{self, direct_json},
    token::SigningKey,
};
use serde_json::{Value, json};

use crate::{
    budget::{CX, dense, import, times},
    world::{Actor, World},
};

/// What a request came to.
pub struct Cost {
    /// Steps that were charged.
    pub steps: u64,
    /// Bytes that were charged.
    bytes: u64,
    /// Statements that ran.
    statements: u64,
    /// Fields of the answer.
    fields: u64,
    /// Bytes of the answer.
    written: u64,
    /// Whether it was too much.
    pub refused: bool,
}

impl Cost {
    /// No kind of work is more than a constant times what it was charged, and none goes past the budget.
    fn is_bounded(&self, query: &str) {
        // What lists do not count is bounded by the document: a thousand fields.
        assert!(
            self.fields * FIELD <= 2 * self.steps + 2_000 * FIELD,
            "{} fields for {} steps: {query}",
            self.fields,
            self.steps
        );
        assert!(
            self.written <= 3 * self.bytes + 200_000,
            "{} bytes for {}: {query}",
            self.written,
            self.bytes
        );
        // The server's own work beside it runs a few.
        assert!(
            self.statements * STATEMENT <= self.steps + 20 * STATEMENT,
            "{} statements for {} steps: {query}",
            self.statements,
            self.steps
        );
        assert!(self.steps <= 2 * STEPS, "{} steps: {query}", self.steps);
        assert!(self.written <= 2 * BYTES, "{} bytes: {query}", self.written);
    }
}

/// Runs a request as the operator with a budget as everybody has, past the complexity of documents.
pub async fn cost(world: &World, query: &str) -> Cost {
    spent(world, query, json!({})).await
}

/// The same of a request with variables.
async fn spent(world: &World, query: &str, variables: Value) -> Cost {
    let operator = Caller::operator(world.store.clone(), world.clock.clone(), "search");
    let caller = operator.with_budget(Budget::default());
    let budget: Arc<Budget> = Arc::clone(&caller.budget);
    let key = SigningKey::from_text("q8fJ2vLx0RkTz5WmYbN7cHs4PdEgUa1o").expect("a good key");
    let request = Request::new(query)
        .variables(Variables::from_json(variables))
        .data(key)
        .data(BiCache::new(1 << 20))
        .data(Loaders::new(caller.clone()))
        .data(RequestCanvases::default())
        .data(caller);
    let before = world.store.statement_count();
    let answer = graph::build_schema(Thresholds::default())
        .execute(request)
        .await;
    let statements = world.store.statement_count() - before;
    let codes: Vec<Option<&str>> = answer.errors.iter().map(code).collect();
    // A field may refuse what it is asked; nothing may be a fault of ours.
    assert!(
        codes
            .iter()
            .all(|code| code.is_some_and(|code| code != Code::InternalServerError.as_str())),
        "{query}: {:?}",
        answer.errors
    );
    let written = direct_json::write_response(&answer.data, Vec::new()).expect("it is written");
    Cost {
        steps: budget.spent_steps(),
        bytes: budget.answered_bytes(),
        statements,
        fields: fields(&answer.data),
        written: written.len() as u64,
        refused: codes.contains(&Some(Code::QueryTooComplex.as_str())),
    }
}

/// The code of an error; a document that costs too much has none of ours yet.
fn code(error: &async_graphql::ServerError) -> Option<&str> {
    match error.extensions.as_ref().and_then(|all| all.get("code")) {
        Some(Answer::String(code)) => Some(code),
        _ if error.path.is_empty() => Some(Code::QueryTooComplex.as_str()),
        _ => None,
    }
}

fn fields(answer: &Answer) -> u64 {
    match answer {
        Answer::Object(all) => all.values().map(|inside| 1 + fields(inside)).sum(),
        Answer::List(all) => all.iter().map(fields).sum(),
        _ => 0,
    }
}

/// The types of the schema with their fields: what introspection tells of them.
struct Schema(Value);

impl Schema {
    async fn of(actor: &Actor<'_>) -> Self {
        let query = "{ __schema { types { name kind fields { name
            args { name defaultValue type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }
            type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";
        Self(actor.ask(query, json!({})).await)
    }

    /// The fields of a type that need no argument.
    fn fields(&self, of: &str) -> Vec<&Value> {
        let all = self.all_fields(of).into_iter();
        all.filter(|field| needed(field).is_empty()).collect()
    }

    fn all_fields(&self, of: &str) -> Vec<&Value> {
        let types = self.0["__schema"]["types"]
            .as_array()
            .expect("types")
            .iter();
        let found = types.filter(|one| one["name"] == of);
        found
            .filter_map(|one| one["fields"].as_array())
            .flatten()
            .collect()
    }
}

/// The arguments of a field that it is never without.
fn needed(field: &Value) -> Vec<&Value> {
    let args = field["args"].as_array().expect("arguments").iter();
    let needed =
        args.filter(|arg| arg["type"]["kind"] == "NON_NULL" && arg["defaultValue"] == Value::Null);
    needed.collect()
}

/// The named type, and whether a list is around it.
fn inner(of: &Value) -> (&str, &str, bool) {
    let list = of["kind"] == "LIST";
    match of["ofType"].is_object() {
        true => {
            let (name, kind, inside) = inner(&of["ofType"]);
            (name, kind, list || inside)
        }
        false => (
            of["name"].as_str().expect("a name"),
            of["kind"].as_str().expect("a kind"),
            list,
        ),
    }
}

/// Numbers that look like chance and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % most.max(1)
    }
}

/// A selection of a type: some leaves, and paths that go deeper, lists first.
fn selection(schema: &Schema, of: &str, depth: usize, dice: &mut Dice) -> String {
    let fields = schema.fields(of);
    let (leaves, deeper): (Vec<&&Value>, Vec<&&Value>) = fields
        .iter()
        .partition(|field| matches!(inner(&field["type"]).1, "SCALAR" | "ENUM"));
    let mut chosen: Vec<String> = Vec::new();
    for at in 0..1 + dice.below(4) {
        if let Some(leaf) = leaves.get(dice.below(leaves.len())) {
            let name = leaf["name"].as_str().expect("a name");
            chosen.push(format!("l{at}: {name}"));
        }
    }
    if depth > 0 && !deeper.is_empty() {
        let lists: Vec<&&&Value> = deeper
            .iter()
            .filter(|field| inner(&field["type"]).2)
            .collect();
        for at in 0..1 + dice.below(3) {
            let field = match lists.is_empty() || dice.below(3) == 0 {
                true => deeper[dice.below(deeper.len())],
                false => lists[dice.below(lists.len())],
            };
            let (name, (of, kind, _)) = (
                field["name"].as_str().expect("a name"),
                inner(&field["type"]),
            );
            if kind != "OBJECT" {
                continue;
            }
            let mut args = field["args"].as_array().expect("arguments").iter();
            let first = match args.any(|arg| arg["name"] == "first") {
                true => ["", "(first: 200)", "(first: 10)"][dice.below(3)],
                false => "",
            };
            let inside = selection(schema, of, depth - 1, dice);
            chosen.push(format!("d{at}: {name}{first} {{ {inside} }}"));
        }
    }
    if chosen.is_empty() {
        chosen.push("__typename".to_owned());
    }
    chosen.join(" ")
}

/// A short climb, deeper and wider at random.
#[tokio::test]
async fn a_search_that_climbs_finds_no_request_that_does_more_than_it_was_charged() {
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    import(&cx, dense("dense")).await;
    let schema = Schema::of(&cx).await;
    let mut dice = Dice(7);
    let (mut answered, mut refused, mut dearest) = (0, 0, 0);
    for round in 0..120 {
        let depth = 2 + round % 6;
        let inside = selection(&schema, "Blueprint", depth, &mut dice);
        let query = match round % 3 {
            0 => format!("{{ blueprint(by: {{ key: \"dense\" }}) {{ {inside} }} }}"),
            1 => format!("{{ blueprints(first: 5) {{ nodes {{ {inside} }} }} }}"),
            _ => {
                let all = times(3, |_| {
                    format!(
                        "view(simplifiedTo: 300) {{ joints {{ from {{ blueprint {{ {inside} }} }} }} }}"
                    )
                });
                format!("{{ blueprint(by: {{ key: \"dense\" }}) {{ {all} }} }}")
            }
        };
        let cost = cost(&world, &query).await;
        cost.is_bounded(&query);
        dearest = dearest.max(cost.steps);
        match cost.refused {
            true => refused += 1,
            false => answered += 1,
        }
    }
    assert!(
        answered > 10 && refused > 10,
        "{answered} were answered and {refused} refused; the dearest took {dearest}"
    );
}

/// All leaves of a type, so that what they load and what they weigh is told.
fn leaves(schema: &Schema, of: &str) -> String {
    let fields = schema.fields(of).into_iter();
    let leaves = fields.filter(|field| matches!(inner(&field["type"]).1, "SCALAR" | "ENUM"));
    let names = leaves.filter_map(|field| field["name"].as_str());
    format!("__typename {}", names.collect::<Vec<_>>().join(" "))
}

/// A field with everything that it gives at once; of a connection, as many as are asked for.
fn edge(schema: &Schema, field: &Value, first: usize, inside: &str) -> String {
    let name = field["name"].as_str().expect("a name");
    let of = inner(&field["type"]).0;
    let mut args = field["args"].as_array().expect("arguments").iter();
    let first = match args.any(|arg| arg["name"] == "first") {
        true => format!("(first: {first})"),
        false => String::new(),
    };
    match schema
        .fields(of)
        .iter()
        .any(|field| field["name"] == "nodes")
    {
        true => format!("{name}{first} {{ nodes {{ {inside} }} }}"),
        false => format!("{name}{first} {{ {inside} }}"),
    }
}

/// What a field leads to: of a connection, what one of its nodes is; nothing for a leaf.
fn target<'s>(schema: &'s Schema, field: &'s Value) -> Option<&'s str> {
    let (of, kind, _) = inner(&field["type"]);
    let nodes = schema.fields(of).into_iter();
    let mut nodes = nodes.filter(|field| field["name"] == "nodes");
    match (kind, nodes.next()) {
        ("OBJECT", Some(nodes)) => Some(inner(&nodes["type"]).0),
        ("OBJECT", None) => Some(of),
        _ => None,
    }
}

/// Every edge of every list that the schema begins with, at the sizes between which the work has to grow no faster
/// than its charge.
#[tokio::test]
async fn no_edge_of_the_schema_runs_more_statements_than_it_pays_for() {
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    import(&cx, dense("dense")).await;
    let schema = Schema::of(&cx).await;
    let (mut edges, mut answered) = (0, 0);
    for root in schema.fields("Query") {
        let Some(of) = target(&schema, root) else {
            continue;
        };
        let whole = edge(&schema, root, 200, &leaves(&schema, of));
        cost(&world, &format!("{{ {whole} }}"))
            .await
            .is_bounded(&whole);
        for field in schema.fields(of) {
            let Some(inside) = target(&schema, field) else {
                continue;
            };
            let inside = leaves(&schema, inside);
            for (first, many) in [(2, 1), (20, 1), (20, 8)] {
                let all = times(many, |_| edge(&schema, field, first, &inside));
                let query = format!("{{ {} }}", edge(&schema, root, first, &all));
                let cost = cost(&world, &query).await;
                cost.is_bounded(&query);
                answered += usize::from(!cost.refused);
                edges += 1;
            }
        }
    }
    assert!(
        edges > 200 && answered > edges / 4,
        "{answered} of {edges} were answered"
    );
}

/// Ids of what is there, for roots that are asked for one thing.
struct Ids {
    account: String,
    blueprint: String,
    departments: Vec<String>,
    touchpoints: Vec<String>,
}

impl Ids {
    async fn of(actor: &Actor<'_>) -> Self {
        let query = "{ accounts(first: 1) { nodes { id } } departments(first: 2) { nodes { id } }
            blueprint(by: { key: \"dense\" }) { id phases { touchpoints { id } } } }";
        let answer = actor.ask(query, json!({})).await;
        let ids = |list: &Value| -> Vec<String> {
            let list = list.as_array().expect("a list").iter();
            list.map(|one| one["id"].to_string()).collect()
        };
        Self {
            account: ids(&answer["accounts"]["nodes"]).swap_remove(0),
            blueprint: answer["blueprint"]["id"].to_string(),
            departments: ids(&answer["departments"]["nodes"]),
            touchpoints: ids(&answer["blueprint"]["phases"][0]["touchpoints"]),
        }
    }

    /// What a root is told in an argument that it needs. A kind of argument that is not known here has to be added, so
    /// that no root stays out of the climb.
    fn argument(&self, root: &str, arg: &Value) -> String {
        let name = arg["name"].as_str().expect("a name");
        let blueprint = &self.blueprint;
        match (inner(&arg["type"]), name) {
            (("By", ..), _) if root == "blueprint" => "{ key: \"dense\" }".to_owned(),
            (("By", ..), _) => "{ key: \"sales\" }".to_owned(),
            (("ByInside", ..), _) => "{ key: { blueprint: \"dense\", key: \"T0\" } }".to_owned(),
            (("BlueprintVersion", ..), _) => format!("{{ blueprintId: {blueprint} }}"),
            (("KpiSeriesInput", ..), _) => "{ grain: DAY, dimensions: [KPI, TOUCHPOINT], \
                timeRange: { from: \"2020-01-01\", to: \"2026-01-01\" } }"
                .to_owned(),
            (("String", ..), "text") => "\"step\"".to_owned(),
            (("ID", _, true), _) if root == "nodes" => {
                format!("[{}]", self.touchpoints[..100].join(", "))
            }
            (("ID", _, true), _) => format!("[{}]", self.departments[0]),
            (("ID", ..), "successorId") => self.departments[1].clone(),
            (("ID", ..), "blueprintId") => blueprint.clone(),
            (("ID", ..), _) if root.starts_with("department") => self.departments[0].clone(),
            (("ID", ..), _) if root.starts_with("account") => self.account.clone(),
            (("ID", ..), _) => self.touchpoints[0].clone(),
            ((kind, ..), _) => panic!("{root}({name}: {kind}) is not climbed"),
        }
    }
}

/// Every root that is asked for something by name, once and under many names: each name runs its statements again.
#[tokio::test]
async fn no_root_that_is_asked_by_name_runs_more_statements_than_it_pays_for() {
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    import(&cx, dense("dense")).await;
    let (schema, ids) = (Schema::of(&cx).await, Ids::of(&cx).await);
    let mut roots = 0;
    for root in schema.all_fields("Query") {
        let name = root["name"].as_str().expect("a name");
        let args = needed(root).into_iter().map(|arg| {
            let of = arg["name"].as_str().expect("a name");
            format!("{of}: {}", ids.argument(name, arg))
        });
        let args: Vec<String> = args.collect();
        if args.is_empty() {
            continue;
        }
        let inside = match target(&schema, root) {
            Some(of) if inner(&root["type"]).0 == of => leaves(&schema, of),
            Some(of) => format!("nodes {{ {} }}", leaves(&schema, of)),
            None => "__typename".to_owned(),
        };
        for many in [1, 40] {
            let all = times(many, |_| {
                format!("{name}({}) {{ {inside} }}", args.join(", "))
            });
            let query = format!("{{ {all} }}");
            cost(&world, &query).await.is_bounded(&query);
        }
        roots += 1;
    }
    assert!(roots > 30, "{roots} roots");
}

/// As many departments as a page has, one below the other, so that each has all the rest below it.
async fn grow(cx: &Actor<'_>, many: usize) {
    const CREATE: &str = "mutation($input: DepartmentCreateInput!) {
        departmentCreate(input: $input) { department { id } userErrors { code } } }";
    let mut parent = Value::Null;
    for at in 0..many {
        let input = json!({ "name": format!("Branch {at}"), "parentId": parent });
        parent = cx.does(CREATE, input).await["department"]["id"].take();
    }
}

/// Every list of an object, asked of few objects and of many: what many have comes in the statements of few.
#[tokio::test]
async fn lists_of_objects_load_in_one_statement() {
    let world = World::small().await;
    let cx = world.sign_in(CX).await;
    let schema = Schema::of(&cx).await;
    grow(&world.sign_in("admin").await, 14).await;
    let mut edges = 0;
    for (root, of) in [
        ("departments", "Department"),
        ("accounts", "Account"),
        ("touchpoints", "Touchpoint"),
    ] {
        for field in schema.fields(of) {
            let Some(inside) = target(&schema, field) else {
                continue;
            };
            let inside = edge(&schema, field, 3, &leaves(&schema, inside));
            let statements = async |first| {
                let query = format!("{{ {root}(first: {first}) {{ nodes {{ {inside} }} }} }}");
                let cost = cost(&world, &query).await;
                cost.is_bounded(&query);
                cost.statements
            };
            let (few, many) = (statements(2).await, statements(20).await);
            // A whole blueprint, and what a department delivers as a whole, are read one by one, and pay so.
            if !["blueprint", "phase", "scorecard"]
                .contains(&field["name"].as_str().expect("a name"))
            {
                assert!(
                    many <= few + 2,
                    "{few} and {many} statements: {root} {inside}"
                );
            }
            edges += 1;
        }
    }
    assert!(edges > 20, "{edges} edges");
}

#[tokio::test]
async fn pages_that_are_loaded_together_are_those_that_each_asks_for() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    grow(&admin, 14).await;
    let (open, whole) = (
        "nodes { key }",
        "totalCount nodes { key } pageInfo { hasNextPage }",
    );
    let children = |first, inside| format!("children(first: {first}) {{ {inside} }}");
    let query = format!(
        "{{ departments(first: 20) {{ nodes {{ key one: {} all: {} again: {} members(first: 1) {{ {} }} }} }} }}",
        children(1, whole),
        children(20, whole),
        children(20, open),
        "totalCount nodes { account { key } }",
    );
    let together = admin.ask(&query, json!({})).await;
    let nodes = together["departments"]["nodes"]
        .as_array()
        .expect("departments");
    assert!(nodes.len() > 15, "{together}");
    for node in nodes {
        let alone = format!(
            "{{ department(by: {{ key: {} }}) {{ key one: {} all: {} again: {} members(first: 1) {{ {} }} }} }}",
            node["key"],
            children(1, whole),
            children(20, whole),
            children(20, open),
            "totalCount nodes { account { key } }",
        );
        let alone = admin.ask(&alone, json!({})).await;
        assert_eq!(*node, alone["department"]);
    }
    let board = nodes
        .iter()
        .find(|node| node["key"] == "board")
        .expect("the board");
    assert_eq!(board["one"]["totalCount"], 3);
    assert_eq!(board["one"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(
        board["all"]["nodes"],
        json!([{ "key": "sales" }, { "key": "service" }, { "key": "finance" }])
    );
}
