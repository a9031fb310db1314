//! Small values kept as JSON in one column: lists that are always read and written whole.

use sea_orm::{FromJsonQueryResult, sqlx};
use serde::{Deserialize, Serialize};

use crate::read::{self, Cell, Row};

/// An ordered list of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Texts(pub Vec<String>);

/// What the customer holds or sees at a touchpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is.
    pub label: String,
    /// Where to find it: an `https` or `http` address.
    pub link: Option<String>,
}

/// All evidence of a touchpoint, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct EvidenceList(pub Vec<Evidence>);

impl Cell for Texts {
    fn get(row: Row<'_>, at: usize) -> sqlx::Result<Self> {
        read::json(row, at)
    }
}

impl Cell for EvidenceList {
    fn get(row: Row<'_>, at: usize) -> sqlx::Result<Self> {
        read::json(row, at)
    }
}
