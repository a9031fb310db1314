//! Tables of fields: what is made from them is complete, and what cannot be made from them agrees.

use std::collections::BTreeSet;

use cx_blueprint::{
    bi::datasets::journey::TOUCHPOINTS,
    document::blueprint_schema,
    fields::{FieldSpec, touchpoint::FIELDS},
    graph,
};
use entity::touchpoint::Column;
use sea_orm::{ConnectionTrait, DbBackend, IdenStatic, Iterable, Statement};
use serde_json::Value;

use crate::{document::document, sheet::sheet, world::World};

/// The columns of a touchpoint that acts of their own change, or nobody.
const OWN: [&str; 11] = [
    "id",
    "blueprint_id",
    "phase_id",
    "key",
    "name",
    "position",
    "lane",
    "copied_from_id",
    "created_at",
    "archived_at",
    "version",
];

#[test]
fn every_column_of_a_touchpoint_is_a_field_of_the_table_or_its_own() {
    let stored: BTreeSet<&str> = Column::iter().map(|column| column.as_str()).collect();
    let listed: BTreeSet<&str> = FIELDS.iter().map(|field| field.column).chain(OWN).collect();
    assert_eq!(stored, listed);
}

#[test]
fn a_field_bears_the_name_of_its_column() {
    for field in FIELDS {
        let mut words = field.column.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        let name = words.fold(first, |name, word| {
            let (head, tail) = word.split_at(1);
            name + &head.to_uppercase() + tail
        });
        assert_eq!(field.name, name);
    }
}

#[tokio::test]
async fn the_columns_in_which_search_finds_words_are_those_that_triggers_watch() {
    let world = World::new().await;
    let db = world.db();
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT event_object_column::text AS watched FROM information_schema.triggered_update_columns
             WHERE trigger_schema = current_schema() AND event_object_table = 'touchpoint'"
        }
        _ => {
            "SELECT substr(sql, instr(sql, 'UPDATE OF ') + 10, instr(sql, ' ON ') - instr(sql, 'UPDATE OF ') - 10)
                 AS watched FROM sqlite_master
             WHERE type = 'trigger' AND tbl_name = 'touchpoint' AND name LIKE 'search_marks_%'
                 AND instr(sql, 'UPDATE OF ') > 0"
        }
    };
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await.unwrap();
    let texts: Vec<String> = rows
        .iter()
        .map(|row| row.try_get("", "watched").unwrap())
        .collect();
    let watched: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .collect();
    let searched = FIELDS.iter().filter(|field| field.search_rank.is_some());
    let searched: BTreeSet<&str> = searched.map(|field| field.column).chain(["name"]).collect();
    assert_eq!(watched, searched);
}

#[test]
fn search_shows_each_text_in_a_rank_of_its_own() {
    let mut ranks: Vec<u8> = FIELDS
        .iter()
        .filter_map(|field| field.search_rank)
        .collect();
    ranks.sort_unstable();
    assert!((1..).zip(&ranks).all(|(rank, at)| rank == *at), "{ranks:?}");
}

/// Fails where a field is neither in a place nor named as one that is to be absent there, or is both.
fn assert_decided(present: impl Fn(&FieldSpec) -> bool, absent: &[(&str, &str)], place: &str) {
    let missing: BTreeSet<&str> = FIELDS
        .iter()
        .filter(|field| !present(field))
        .map(|field| field.column)
        .collect();
    let absent: BTreeSet<&str> = absent.iter().map(|(column, _)| *column).collect();
    assert_eq!(missing, absent, "fields that are not in {place}");
}

#[test]
fn search_finds_words_in_every_text_or_a_reason_is_given() {
    let present = |field: &FieldSpec| !field.is_text || field.search_rank.is_some();
    assert_decided(
        present,
        &[("usage_reason", "a remark on `usage`")],
        "search",
    );
}

#[test]
fn every_field_is_a_column_of_the_dataset_or_a_reason_is_given() {
    let present = |field: &FieldSpec| TOUCHPOINTS.column(field.column).is_some();
    let absent = [
        ("evidence", "a list, and a cell holds one value"),
        ("note", "prose, by which nobody groups or counts"),
        ("systems", "a list, and a cell holds one value"),
        ("usage_reason", "prose, by which nobody groups or counts"),
    ];
    assert_decided(present, &absent, "the dataset `touchpoints`");
}

/// Fails where a text lacks the name of a field.
fn assert_names_all(fields: &[FieldSpec], text: &str, what: &str) {
    let words: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let names = fields.iter().map(|field| field.name);
    let lacking: Vec<&str> = names.filter(|name| !words.contains(name)).collect();
    assert!(lacking.is_empty(), "{what} lacks {lacking:?}");
}

#[test]
fn every_field_is_in_the_schema_and_in_the_form_of_documents() {
    let sdl = graph::schema_sdl();
    for block in [
        "type Touchpoint implements Node {",
        "input TouchpointCreateInput {",
        "input TouchpointUpdateInput {",
    ] {
        let (_, rest) = sdl.split_once(block).expect(block);
        let (body, _) = rest.split_once("\n}").expect("its end");
        assert_names_all(FIELDS, body, block);
    }
    let schema: Value = serde_json::from_str(&blueprint_schema()).unwrap();
    let form = schema["$defs"]["touchpoint"]["properties"].to_string();
    assert_names_all(FIELDS, &form, "the form of documents");
}

#[tokio::test]
async fn every_field_is_in_documents_and_sheets() {
    let world = World::small().await;
    let boss = world.sign_in("cx-manager").await;
    let touchpoints = document(&boss, "open").await["touchpoints"].to_string();
    assert_names_all(FIELDS, &touchpoints, "a document");
    let sheet = sheet(&boss, "open", "COMMA").await;
    let headings = sheet.lines().next().expect("headings");
    assert_names_all(FIELDS, headings, "a sheet");
}
