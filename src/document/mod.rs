//! Documents: blueprints and the organisation as text that people can read and edit, with keys instead of ids.
//!
//! An import is declarative: the document says what is wanted, and the import makes the difference. It goes through
//! five steps in one transaction, which `import` calls in this order, after `archiving` has brought back what is archived
//! and named, and archived what a pruning document leaves out:
//!
//! 1. **merge** (`merge`, `draft`): the patch laid over the current document gives the wanted document;
//! 2. **resolve** (`lookup`, `resolve`, `resolver`): keys become ids, every rule is checked, all faults at once;
//! 3. **authorise** (`authority`): a new blueprint, KPI links, improvements and handshakes each ask the policy;
//! 4. **apply** (`apply`, `responsibilities`, `write`): rows are inserted, updated and removed until they are as
//!    wanted;
//! 5. **report** (`report`, `diff`): the blueprint is read back and compared with what it was.
//!
//! For example, `{"touchpoints": [{"key": "pay", "name": "Pay"}]}` renames one touchpoint and keeps all else: what a
//! patch leaves out stays, unless it prunes. Export is one step (`export`): the snapshot's rows, ids written as keys.
//!
//! What is particular to one kind of part is in its file under `parts`. Parts name one another, and departments,
//! personas and KPIs, by keys; each kind declares these fields once (`reference`), and pruning, restoring, renaming and
//! looking up are loops over the declarations (`walk`, `convert`, `lookup`).
//!
//! A sheet of touchpoints (`table`) becomes a patch and goes the same way. A whole organisation is its blueprints'
//! documents with what they share and their history (`organisation`); a demonstration adds the people who show it.

#[macro_use]
mod part;
#[macro_use]
mod reference;

mod apply;
mod archiving;
pub mod authority;
pub mod blueprint;
mod bounds;
pub mod catalogue;
pub mod convert;
pub mod demonstration;
pub mod diff;
pub mod draft;
mod explain;
pub mod export;
pub mod format;
pub mod graphql;
pub mod import;
mod keys;
mod list;
mod lookup;
mod merge;
pub mod organisation;
pub mod part_field;
pub mod parts;
pub mod report;
pub mod resolve;
mod resolver;
mod responsibilities;
mod shape;
pub mod table;
pub mod target;
mod twins;
mod walk;
mod write;

/// The JSON Schema of a blueprint's document, as text.
#[must_use]
pub fn blueprint_schema() -> String {
    schema_text(&schemars::schema_for!(blueprint::BlueprintDocumentPatch))
}

/// The JSON Schema of an organisation's document, as text.
#[must_use]
pub fn organisation_schema() -> String {
    schema_text(&schemars::schema_for!(organisation::OrganisationInput))
}

fn schema_text(schema: &schemars::Schema) -> String {
    // A schema is made of maps and texts alone, which always have a JSON form.
    serde_json::to_string_pretty(schema).unwrap_or_default()
}
