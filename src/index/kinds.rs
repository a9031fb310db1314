//! The kinds of rows that can be found, in one table, and the texts of their rows that are searched.

use std::collections::HashMap;

use entity::{
    id::BlueprintId,
    json::{EvidenceList, Texts},
    persona_need,
    words::SearchKind,
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::fields::touchpoint::touchpoint_fields;

/// The kinds: the word of each, its table, the blueprint that a row is or lies in, and the fields that are searched,
/// the row's name or title first; those of a table of fields follow, by their ranks. A further kind is a line here, a
/// word of `SearchKind`, and a call of `create_search_triggers` in a migration.
macro_rules! every_kind {
    ($do:ident) => {
        $do! {
            Blueprint: blueprint in { Some(id) } { title "title" }
            Phase: phase in { Some(blueprint_id) } { name "name", customer_goal "customerGoal" }
            Touchpoint: touchpoint in { Some(blueprint_id) } { name "name"; touchpoint_fields }
            Scenario: scenario in { Some(blueprint_id) } { name "name", note "note" }
            Insight: insight in { Some(blueprint_id) } { text "text", answer "answer", whys "whys" }
            Source: source in { Some(blueprint_id) } { title "title", note "note" }
            Promise: promise in { Some(blueprint_id) } { text "text" }
            Improvement: improvement in { Some(blueprint_id) } { title "title", description "description", result "result" }
            Persona: persona in { None } { name "name", context "context" }
            Department: department in { None } { name "name" }
            Kpi: kpi in { None } { name "name", description "description" }
        }
    };
}
pub(crate) use every_kind;

/// The searched texts of one row.
#[derive(Clone, Debug)]
pub struct SearchEntry {
    /// The row's id.
    pub id: Uuid,
    /// The blueprint that it is or lies in; none for personas, departments and KPIs.
    pub blueprint: Option<BlueprintId>,
    /// The API's name of each field that is searched, with its texts; the first one names the thing.
    pub texts: Vec<(&'static str, Vec<String>)>,
}

/// A row that can be indexed.
pub trait Searchable {
    /// Its searched texts, without those in tables of their own: see [`add_persona_needs`].
    fn search_entry(&self) -> SearchEntry;
}

/// A type of field whose texts can be searched.
trait SearchedField {
    fn texts(&self) -> Vec<String>;
}

impl SearchedField for String {
    fn texts(&self) -> Vec<String> {
        vec![self.clone()]
    }
}

impl SearchedField for Option<String> {
    fn texts(&self) -> Vec<String> {
        self.iter().cloned().collect()
    }
}

impl SearchedField for Texts {
    fn texts(&self) -> Vec<String> {
        self.0.clone()
    }
}

impl SearchedField for EvidenceList {
    fn texts(&self) -> Vec<String> {
        self.0.iter().map(|one| one.label.clone()).collect()
    }
}

macro_rules! searched {
    ($(
        $kind:ident: $table:ident in { $($blueprint:tt)* } { $($field:ident $name:literal),* $(; $fields:ident)? }
    )*) => {
        $(impl Searchable for entity::$table::Model {
            fn search_entry(&self) -> SearchEntry {
                let own = vec![$(($name, self.$field.texts())),*];
                SearchEntry {
                    id: self.id.0,
                    blueprint: blueprint!(self $($blueprint)*),
                    texts: [own, $($fields!(ranked_texts self))?].into_iter().flatten().collect(),
                }
            }
        })*

        /// The searched texts of the rows of a kind with these ids; rows that are gone are left out.
        pub(super) async fn load_search_entries<C: ConnectionTrait>(
            db: &C,
            kind: SearchKind,
            ids: &[Uuid],
        ) -> Result<Vec<SearchEntry>, DbErr> {
            let mut entries: Vec<SearchEntry> = match kind {
                $(SearchKind::$kind => {
                    use entity::$table::{Column, Entity};
                    let rows = Entity::find().filter(Column::Id.is_in(ids.iter().copied()));
                    rows.all(db).await?.iter().map(Searchable::search_entry).collect()
                })*
            };
            add_persona_needs(db, kind, &mut entries).await?;
            Ok(entries)
        }
    };
}

macro_rules! blueprint {
    ($row:ident None) => {
        None
    };
    ($row:ident Some($column:ident)) => {
        Some($row.$column)
    };
}

/// The texts of a table of fields in which words are found, in their ranks.
macro_rules! ranked_texts {
    ([$row:ident] $({ $(
        $(#[$_doc:meta])* $field:ident $name:literal: $_kind:ty {
            $(search: $rank:literal,)? $(column: $_column:literal,)? $(appended: $_appended:literal,)?
        }
    )* })*) => {{
        let mut ranked = vec![$($($(($rank, ($name, $row.$field.texts())),)?)*)*];
        // A stable sort: fields of one rank stay in the order of the table.
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, texts)| texts).collect()
    }};
}

every_kind!(searched);

/// Adds the searched texts that lie in tables of their own: the needs of personas.
pub async fn add_persona_needs<C: ConnectionTrait>(
    db: &C,
    kind: SearchKind,
    entries: &mut [SearchEntry],
) -> Result<(), DbErr> {
    if kind != SearchKind::Persona {
        return Ok(());
    }
    let personas = entries.iter().map(|entry| entry.id);
    let needs = persona_need::Entity::find()
        .filter(persona_need::Column::PersonaId.is_in(personas))
        .order_by_asc(persona_need::Column::Position)
        .order_by_asc(persona_need::Column::Id)
        .all(db)
        .await?;
    let mut texts: HashMap<Uuid, Vec<String>> = HashMap::new();
    for need in needs {
        texts.entry(need.persona_id.0).or_default().push(need.text);
    }
    for entry in entries {
        entry
            .texts
            .push(("needs", texts.remove(&entry.id).unwrap_or_default()));
    }
    Ok(())
}
