//! Documents: what the organisation is, as one text that people can read, by keys instead of ids.
//!
//! A blueprint's document goes this way in: what is said is read (`part`, `blueprint`, `bounds`, `read`), merged with
//! what is there (`merge`), its keys are looked up (`catalogue`), every rule is held to it (`draft`, `target`), and the
//! rows are brought to it (`apply`, `hand`), all in one transaction (`import`). Out it is one step (`export`); what
//! differs between two is told in the words of the domain (`diff`). A sheet of touchpoints (`table`) goes the same way.
//! A whole organisation is its blueprints' documents with what they share and what has happened to them
//! (`organisation`); a demonstration adds the people who show it.

#[macro_use]
mod part;

mod apply;
pub mod blueprint;
mod bounds;
pub mod catalogue;
pub mod demonstration;
pub mod diff;
pub mod draft;
mod export;
pub mod graphql;
mod hand;
pub mod import;
mod merge;
pub mod organisation;
pub mod read;
pub mod table;
pub mod target;

/// The JSON Schema of a blueprint's document, as text.
#[must_use]
pub fn blueprint_schema() -> String {
    text(&schemars::schema_for!(blueprint::SaidDocument))
}

/// The JSON Schema of an organisation's document, as text.
#[must_use]
pub fn organisation_schema() -> String {
    text(&schemars::schema_for!(organisation::Said))
}

fn text(schema: &schemars::Schema) -> String {
    // A schema is made of maps and texts alone, which always have a JSON form.
    serde_json::to_string_pretty(schema).unwrap_or_default()
}
