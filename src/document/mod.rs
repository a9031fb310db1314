//! Documents: what the organisation is, as one text that people can read, by keys instead of ids.
//!
//! A blueprint's document goes this way in: what is said is read (`part`, `blueprint`), merged with what is there
//! (`merge`), its keys are looked up (`catalogue`), every rule is held to it (`target`), and the rows are brought to
//! it (`apply`, `hand`), all in one transaction (`import`). Out it is one step (`export`); what differs between two
//! is told in the words of the domain (`diff`).

#[macro_use]
mod part;

mod apply;
pub mod blueprint;
mod catalogue;
pub mod diff;
mod export;
pub mod graphql;
mod hand;
pub mod import;
pub mod load;
mod merge;
pub mod organisation;
mod target;

/// The JSON Schema of a blueprint's document, as text.
#[must_use]
pub fn schema() -> String {
    // A schema is made of maps and texts alone, which always have a JSON form.
    serde_json::to_string_pretty(&schemars::schema_for!(blueprint::SaidDocument))
        .unwrap_or_default()
}
