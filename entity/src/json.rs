//! Small values kept as JSON in one column: lists that are always read and written whole.

use std::collections::BTreeSet;

use sea_orm::{FromJsonQueryResult, sqlx};
use serde::{Deserialize, Serialize};

use crate::{
    read::{self, FromCell, RawCell},
    words::{InsightKind, Stage, Subject, TokenScope},
};

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

/// Whose journeys a template is for, each once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct TemplateSubjects(pub Vec<Subject>);

/// The kinds of insight that one looks through at a journey, each once, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct InsightKinds(pub Vec<InsightKind>);

/// A phase with which a blueprint begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredTemplatePhase {
    /// Its name.
    pub name: String,
    /// Where it stands relative to what the customer came for.
    pub stage: Stage,
    /// What to ask there.
    pub prompt: String,
    /// What the customer wants to reach in it.
    pub customer_goal: Option<String>,
}

/// All phases of a template, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct TemplatePhases(pub Vec<StoredTemplatePhase>);
/// What a service token is for, each once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct TokenScopes(pub BTreeSet<TokenScope>);

impl FromCell for Texts {
    fn from_cell(cell: RawCell<'_>) -> sqlx::Result<Self> {
        read::read_json(cell)
    }
}

impl FromCell for EvidenceList {
    fn from_cell(cell: RawCell<'_>) -> sqlx::Result<Self> {
        read::read_json(cell)
    }
}
