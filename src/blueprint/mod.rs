//! Blueprints and their phases: made, shaped, led through their life. What stands inside a phase is not here.

pub mod draft;
pub mod graphql;
pub mod life;
pub mod phase;

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    blueprint, blueprint_persona, department,
    id::{BlueprintId, DepartmentId, PersonaId},
    persona,
    words::Visibility,
};
use sea_orm::{
    ActiveValue::NotSet, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    Select, Set,
};

use self::draft::{BlueprintCreateInput, BlueprintDraft, require_persona_of_subject};
use crate::{
    access::{Caller, Guarded, Permit, expect_version},
    error::{Error, Reason, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, list_if_given, set_if_given, set_or_clear},
    policy::Action,
    scalar::Date,
    text::fold_key,
};

/// How much one blueprint holds at the most: a picture of it is always given whole.
pub const MOST_PHASES: u64 = 30;
/// How many touchpoints one blueprint holds at the most.
pub const MOST_TOUCHPOINTS: u64 = 500;
/// How many transitions one blueprint holds at the most.
pub const MOST_TRANSITIONS: u64 = 1_500;

/// Refuses one more of what a blueprint may hold only so many of: `there` are those that count.
pub async fn refuse_if_row_limit_reached<E>(
    permit: &Permit<'_>,
    there: Select<E>,
    field: &str,
    (most, what): (u64, &str),
) -> Result<()>
where
    E: EntityTrait<Model: Send + Sync>,
{
    if there.count(permit.tx()).await? < most {
        return Ok(());
    }
    let message = format!("A blueprint has at most {most} {what}.");
    let code = UserErrorCode::LimitExceeded;
    Err(Error::fault(field, code, None, message))
}

/// Refuses a name that another row of the same blueprint has, however its letters are cased; `field` is what the
/// client calls the name.
pub async fn refuse_taken_name<E: Guarded>(
    permit: &Permit<'_>,
    (inside, blueprint): (E::Column, BlueprintId),
    (column, field, name): (E::Column, &str, &str),
    but: E::Id,
) -> Result<()> {
    let others: Vec<String> = E::find()
        .select_only()
        .column(column)
        .filter(inside.eq(blueprint))
        .filter(E::id_column().ne(but))
        .into_tuple()
        .all(permit.tx())
        .await?;
    // Folded here and not by the databases: each lowers letters in its own way.
    let folded = fold_key(name);
    if !others.iter().any(|other| fold_key(other) == folded) {
        return Ok(());
    }
    let message = format!("Another {} of the blueprint has this {field}.", E::NOUN);
    let reason = Some(Reason::KeyTaken);
    Err(Error::fault(
        field,
        UserErrorCode::Duplicate,
        reason,
        message,
    ))
}

/// Changes to a blueprint as a whole. Absent fields stay as they are; null clears, or is REQUIRED where there is
/// always a value.
#[derive(InputObject)]
pub struct BlueprintUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new title.
    pub title: MaybeUndefined<String>,
    /// The people who may read it once it is published.
    pub visibility: MaybeUndefined<Visibility>,
    /// The new main persona.
    pub persona_id: MaybeUndefined<ID>,
    /// The secondary personas, in order; replaces the list.
    pub secondary_persona_ids: MaybeUndefined<Vec<ID>>,
    /// The day on which it is due for review.
    pub next_review_on: MaybeUndefined<Date>,
}

/// The transfer of a blueprint to another department.
#[derive(InputObject)]
pub struct BlueprintOwnerChangeInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The department that owns it from now on.
    pub owner_department_id: ID,
}

/// Makes a draft.
pub async fn create(caller: &Caller, input: BlueprintCreateInput) -> Result<blueprint::Model> {
    let mut faults = Faults::default();
    let draft = BlueprintDraft::from_input(&mut faults, input);
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let (row, _) = draft.create_or_find(&mut permit, None).await?;
    permit.commit().await?;
    Ok(row)
}

/// Changes the title, the personas, the visibility, the day of review.
pub async fn update(caller: &Caller, input: BlueprintUpdateInput) -> Result<blueprint::Model> {
    let mut faults = Faults::default();
    let id: BlueprintId = faults.parse_id("id", &input.id);
    let title = set_if_given(faults.given("title", &input.title), |title| {
        faults.check_name("title", title)
    });
    let visibility = faults.given("visibility", &input.visibility);
    let persona_id = faults.given("personaId", &input.persona_id);
    let persona_id: Option<PersonaId> = faults.parse_optional_id("personaId", persona_id);
    let secondary = list_if_given(&input.secondary_persona_ids);
    let secondary: Option<Vec<PersonaId>> =
        secondary.map(|ids| faults.parse_ids("secondaryPersonaIds", ids));
    let next_review_on = set_or_clear(&input.next_review_on, |day| {
        day.map(|day| faults.check_day("nextReviewOn", day.0))
    });
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit
        .fetch_at_version::<blueprint::Entity>(
            Action::ShapeBlueprint,
            "id",
            id,
            input.expected_version,
        )
        .await?;
    if let Some(persona_id) = persona_id {
        require_persona_of_subject(
            "personaId",
            row.subject,
            &permit
                .read_unarchived_row::<persona::Entity>("personaId", persona_id)
                .await?,
        )?;
    }
    if let Some(personas) = &secondary {
        replace_secondary_personas(&mut permit, &row, personas).await?;
    }
    let change = blueprint::ActiveModel {
        title,
        visibility: set_if_given(visibility, |visibility| *visibility),
        persona_id: persona_id.map_or(NotSet, Set),
        next_review_on,
        ..Default::default()
    };
    let row = permit.update::<blueprint::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Makes the secondary personas these, in this order.
async fn replace_secondary_personas(
    permit: &mut Permit<'_>,
    row: &blueprint::Model,
    personas: &[PersonaId],
) -> Result<()> {
    for (index, id) in personas.iter().enumerate() {
        let field = format!("secondaryPersonaIds.{index}");
        require_persona_of_subject(
            &field,
            row.subject,
            &permit
                .read_unarchived_row::<persona::Entity>(&field, *id)
                .await?,
        )?;
    }
    let list = personas.iter().zip(1..);
    let list = list.map(|(persona, position)| blueprint_persona::Model {
        blueprint_id: row.id,
        persona_id: *persona,
        position,
    });
    let its = blueprint_persona::Column::BlueprintId.eq(row.id);
    let position = blueprint_persona::Column::Position;
    permit
        .replace_list::<blueprint_persona::Entity, blueprint::Entity>(
            row,
            (its, position),
            list.collect(),
            serde_json::json!({ "secondaryPersonaIds": personas }),
        )
        .await
}

/// Gives the blueprint to another department.
pub async fn change_owner(
    caller: &Caller,
    input: BlueprintOwnerChangeInput,
) -> Result<blueprint::Model> {
    let mut faults = Faults::default();
    let id: BlueprintId = faults.parse_id("id", &input.id);
    let owner: DepartmentId = faults.parse_id("ownerDepartmentId", &input.owner_department_id);
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit
        .fetch_at_version::<blueprint::Entity>(
            Action::GovernBlueprint,
            "id",
            id,
            input.expected_version,
        )
        .await?;
    let owner = permit
        .read_unarchived_row::<department::Entity>("ownerDepartmentId", owner)
        .await?;
    permit.show_audit_to_leads_of(owner.id);
    let change = blueprint::ActiveModel {
        owner_department_id: Set(owner.id),
        ..Default::default()
    };
    let row = permit.update::<blueprint::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Deletes a draft that was never published, with everything in it. What was ever published is archived instead.
pub async fn delete(caller: &Caller, input: &AtVersionInput) -> Result<blueprint::Model> {
    let id: BlueprintId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = caller
        .fetch_locked::<blueprint::Entity>(Action::ShapeBlueprint, "id", id)
        .await?;
    expect_version::<blueprint::Entity>(&row, input.expected_version)?;
    if row.published_number.is_some() {
        let message = "It was published once, so its history has to be kept. Archive it instead.";
        return Err(Error::conflict("id", Reason::EverPublished, message).with_current(row.id.0));
    }
    permit.delete::<blueprint::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}
