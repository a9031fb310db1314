//! A new blueprint: a draft as it was read, and made inside an act that may put more into it. It commits nothing.

use async_graphql::{ID, InputObject};
use chrono::NaiveDate;
use entity::{
    blueprint, department,
    id::{BlueprintId, DepartmentId, PersonaId, TemplateId},
    persona,
    words::{BlueprintState, BlueprintStatus, Subject, Visibility},
};
use sea_orm::Set;

use crate::{
    access::Permit,
    error::{Error, Result, UserErrorCode},
    input::Faults,
    policy::{Action, Relation, RowTies},
    scalar::Date,
};

/// A new blueprint: a draft of its owner department.
#[derive(InputObject)]
pub struct BlueprintCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Key, unique in the organisation; derived from the title if absent.
    pub key: Option<String>,
    /// The title, as the persona would say it: "I rent a car".
    pub title: String,
    /// Whether it is the journey of a customer or an employee.
    #[graphql(default_with = "Subject::Customer")]
    pub subject: Subject,
    /// Whether it shows the journey as it is or as it should become.
    #[graphql(default_with = "BlueprintState::Current")]
    pub state: BlueprintState,
    /// The people who may read it once it is published.
    #[graphql(default_with = "Visibility::Organisation")]
    pub visibility: Visibility,
    /// The main persona, of the same subject.
    pub persona_id: ID,
    /// The department that owns it.
    pub owner_department_id: ID,
    /// The day on which it is due for review.
    pub next_review_on: Option<Date>,
}

/// A draft that is to be made.
pub struct BlueprintDraft {
    id: BlueprintId,
    key: Option<String>,
    title: String,
    persona: PersonaId,
    owner: DepartmentId,
    next_review_on: Option<NaiveDate>,
    input: BlueprintCreateInput,
}

impl BlueprintDraft {
    /// Reads it.
    pub fn from_input(faults: &mut Faults, input: BlueprintCreateInput) -> Self {
        Self {
            id: faults.parse_or_make_id(input.id.as_ref()),
            title: faults.check_name("title", &input.title),
            key: input.key.as_deref().map(|key| faults.check_key("key", key)),
            persona: faults.parse_id("personaId", &input.persona_id),
            owner: faults.parse_id("ownerDepartmentId", &input.owner_department_id),
            next_review_on: input
                .next_review_on
                .map(|day| faults.check_day("nextReviewOn", day.0)),
            input,
        }
    }

    /// Makes it, if the caller may; `template` is what it begins with. Says whether it was made now, and not by an
    /// earlier try with the same id.
    pub async fn create_or_find(
        self,
        permit: &mut Permit<'_>,
        template: Option<TemplateId>,
    ) -> Result<(blueprint::Model, bool)> {
        let owner = permit
            .read_unarchived_row::<department::Entity>("ownerDepartmentId", self.owner)
            .await?;
        permit.require(
            Action::CreateBlueprint,
            &RowTies::none().with_departments(Relation::OwnsBlueprint, [owner.id]),
            None,
        )?;
        permit.show_audit_to_leads_of(owner.id);
        let persona = permit
            .read_unarchived_row::<persona::Entity>("personaId", self.persona)
            .await?;
        require_persona_of_subject("personaId", self.input.subject, &persona)?;
        let same = |row: &blueprint::Model| {
            row.title == self.title
                && row.owner_department_id == owner.id
                && row.template_id == template
        };
        if let Some(row) = permit
            .find_already_created::<blueprint::Entity>(self.input.id.as_ref(), self.id, same)
            .await?
        {
            return Ok((row, false));
        }
        let key = permit
            .choose_unique_key::<blueprint::Entity>(self.key.as_deref(), &self.title, self.id, None)
            .await?;
        let row = permit
            .insert::<blueprint::Entity>(blueprint::ActiveModel {
                id: Set(self.id),
                key: Set(key),
                title: Set(self.title),
                subject: Set(self.input.subject),
                state: Set(self.input.state),
                status: Set(BlueprintStatus::Draft),
                archived_from: Set(None),
                visibility: Set(self.input.visibility),
                persona_id: Set(persona.id),
                owner_department_id: Set(owner.id),
                next_review_on: Set(self.next_review_on),
                sent_back_reason: Set(None),
                published_number: Set(None),
                published_revision: Set(None),
                created_at: Set(permit.caller.now),
                template_id: Set(template),
                copied_from_id: Set(None),
                archived_at: Set(None),
                version: Set(1),
                revision: Set(1),
            })
            .await?;
        Ok((row, true))
    }
}

pub(super) fn require_persona_of_subject(
    field: &str,
    subject: Subject,
    persona: &persona::Model,
) -> Result<()> {
    if persona.subject == subject {
        return Ok(());
    }
    Err(Error::fault(
        field,
        UserErrorCode::Invalid,
        None,
        format!(
            "The journey is of a {} and this persona is a {}.",
            subject.as_str(),
            persona.subject.as_str()
        ),
    ))
}
