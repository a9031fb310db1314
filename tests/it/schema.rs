//! The schema that clients build on, and its descriptions.

use async_graphql::{
    Positioned,
    parser::{
        parse_schema,
        types::{
            FieldDefinition, InputValueDefinition, ServiceDocument, TypeDefinition, TypeKind,
            TypeSystemDefinition,
        },
    },
};
use cx_blueprint::{feedback, graph, kpi, page};

use crate::golden;

#[test]
fn the_committed_schema_is_the_codes() {
    golden::compare("schema.graphql", &graph::schema_sdl());
}

/// An item of the schema: its path, such as `Query.kpis(first:)`, and its description.
type Item = (String, Option<String>);

#[test]
fn every_item_of_the_schema_is_described() {
    let items = items();
    assert!(items.len() > 2_000, "{} items", items.len());
    let bare: Vec<&str> = items
        .iter()
        .filter(|(_, text)| text.as_ref().is_none_or(|text| text.trim().is_empty()))
        .map(|(path, _)| path.as_str())
        .collect();
    assert!(bare.is_empty(), "no description: {bare:#?}");
}

#[test]
fn what_may_fail_at_a_root_or_behind_an_act_is_nullable() {
    let ServiceDocument { definitions } =
        parse_schema(graph::schema_sdl()).expect("the schema is read");
    let mut looked_at = 0;
    for definition in definitions {
        let TypeSystemDefinition::Type(definition) = definition else {
            continue;
        };
        let name = definition.node.name.node.to_string();
        let is_root = ["Query", "Mutation"].contains(&name.as_str());
        let TypeKind::Object(object) = definition.node.kind else {
            continue;
        };
        if !is_root && !name.ends_with("Payload") {
            continue;
        }
        for field in object.fields.into_iter().map(|field| field.node) {
            let of = field.ty.node.to_string();
            // Numbers and the errors themselves are at hand when the act is done: nothing of them can fail.
            if !is_root && ["Int!", "[UserError!]!"].contains(&of.as_str()) {
                continue;
            }
            looked_at += 1;
            assert!(!of.ends_with('!'), "{name}.{}: {of}", field.name.node);
        }
    }
    assert!(looked_at > 200, "{looked_at} fields");
}

#[test]
fn the_numbers_in_descriptions_are_those_that_hold() {
    let (most, usual) = (page::MOST, page::DEFAULT);
    let first = format!("Items in the page: 1 to {most}; {usual} if absent.");
    let mut pages = 0;
    for (path, text) in items() {
        if path.ends_with("(first:)") || path.ends_with("Input.first") {
            assert_eq!(text.as_deref(), Some(first.as_str()), "{path}");
            pages += 1;
        }
    }
    assert!(pages > 60, "{pages} pages");
    for (path, most) in [
        ("KpiMeasurementsRecordInput.measurements", kpi::record::MOST),
        ("FeedbackRecordInput.feedback", feedback::MOST),
        ("Query.nodes(ids:)", graph::MOST_NODES),
    ] {
        let text = described(path);
        assert!(
            text.contains(&format!("at most {}", grouped(most))),
            "{path}: {text}"
        );
    }
}

#[test]
fn the_same_argument_is_described_in_the_same_words() {
    for (argument, wording) in [
        (
            "(after:)",
            "The `endCursor` of the page before; absent for the first page.",
        ),
        ("(filter:)", "Conditions that must all hold."),
        (
            "(includeDescendants:)",
            "Also those of all departments below it.",
        ),
    ] {
        for (path, text) in items() {
            if path.ends_with(argument) {
                assert_eq!(text.as_deref(), Some(wording), "{path}");
            }
        }
    }
}

/// The description at this path.
fn described(path: &str) -> String {
    let found = items().into_iter().find(|(at, _)| at == path);
    found
        .and_then(|(_, text)| text)
        .expect("a description")
        .to_lowercase()
}

/// 1,000 with its comma.
fn grouped(number: usize) -> String {
    match number {
        1_000.. => format!("{},{:03}", number / 1_000, number % 1_000),
        _ => number.to_string(),
    }
}

fn items() -> Vec<Item> {
    let ServiceDocument { definitions } =
        parse_schema(graph::schema_sdl()).expect("the schema is read");
    let types = definitions
        .into_iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => Some(definition.node),
            TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
        });
    types.flat_map(items_of).collect()
}

fn items_of(definition: TypeDefinition) -> Vec<Item> {
    let name = definition.name.node.to_string();
    let mut items = vec![(name.clone(), text(definition.description))];
    match definition.kind {
        TypeKind::Scalar | TypeKind::Union(_) => {}
        TypeKind::Object(object) => items.extend(fields(&name, object.fields)),
        TypeKind::Interface(interface) => items.extend(fields(&name, interface.fields)),
        TypeKind::InputObject(input) => items.extend(
            input
                .fields
                .into_iter()
                .map(|field| value(&format!("{name}."), "", field.node)),
        ),
        TypeKind::Enum(words) => items.extend(words.values.into_iter().map(|word| {
            let word = word.node;
            (
                format!("{name}.{}", word.value.node),
                text(word.description),
            )
        })),
    }
    items
}

fn fields(of: &str, fields: Vec<Positioned<FieldDefinition>>) -> Vec<Item> {
    let fields = fields.into_iter().map(|field| field.node);
    fields
        .flat_map(|field| {
            let path = format!("{of}.{}", field.name.node);
            let arguments = field.arguments.into_iter();
            let before = format!("{path}(");
            let mut items = vec![(path, text(field.description))];
            items.extend(arguments.map(|argument| value(&before, ":)", argument.node)));
            items
        })
        .collect()
}

fn value(before: &str, behind: &str, value: InputValueDefinition) -> Item {
    (
        format!("{before}{}{behind}", value.name.node),
        text(value.description),
    )
}

fn text(description: Option<Positioned<String>>) -> Option<String> {
    description.map(|description| description.node)
}
