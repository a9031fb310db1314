//! One journey of one main persona.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{BlueprintId, DepartmentId, PersonaId, TemplateId},
    words::{BlueprintState, BlueprintStatus, Subject, Visibility},
};

/// One journey of one main persona.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "blueprint")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BlueprintId,
    pub key: String,
    pub title: String,
    pub subject: Subject,
    pub state: BlueprintState,
    pub status: BlueprintStatus,
    /// The status to go back to when it is unarchived.
    pub archived_from: Option<BlueprintStatus>,
    pub visibility: Visibility,
    pub persona_id: PersonaId,
    pub owner_department_id: DepartmentId,
    pub next_review_on: Option<Date>,
    /// Why it was last sent back from review; empty once it is submitted or published again.
    pub sent_back_reason: Option<String>,
    pub published_number: Option<i32>,
    /// The revision that was published last.
    pub published_revision: Option<i32>,
    /// What it began with.
    pub template_id: Option<TemplateId>,
    /// What it was copied from.
    pub copied_from_id: Option<BlueprintId>,
    pub created_at: DateTimeUtc,
    pub archived_at: Option<DateTimeUtc>,
    pub version: i32,
    /// Rises with every change inside the blueprint; writing it is also the lock of everything inside.
    pub revision: i32,
}

no_relations!();

impl Model {
    /// Whether anything in it has changed since it was published last; false where it never was.
    #[must_use]
    pub fn has_changed_since_published(&self) -> bool {
        let published = self.published_revision;
        published.is_some_and(|published| self.revision > published)
    }
}
