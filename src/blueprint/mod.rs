//! Blueprints and their phases: made, shaped, led through their life. What stands inside a phase is not here.

pub mod graphql;
pub mod life;
pub mod phase;

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    blueprint, blueprint_persona, department,
    id::{BlueprintId, DepartmentId, PersonaId},
    persona,
    words::{BlueprintState, BlueprintStatus, Subject, Visibility},
};
use sea_orm::{
    ActiveValue::NotSet,
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Select, Set,
    sea_query::{Expr, ExprTrait, Func},
};

use crate::{
    access::{Caller, Guarded, Permit, expect_version},
    audit::Event,
    error::{Error, Reason, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, change, replace},
    policy::{Action, Relation, Ties},
    scalar::Date,
};

/// How much one blueprint holds at the most: a picture of it is always given whole.
pub const MOST_PHASES: u64 = 30;
/// How many touchpoints one blueprint holds at the most.
pub const MOST_TOUCHPOINTS: u64 = 500;
/// How many transitions one blueprint holds at the most.
pub const MOST_TRANSITIONS: u64 = 1_500;

/// Refuses one more of what a blueprint may hold only so many of: `there` are those that count.
pub async fn refuse_full<E>(
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
pub async fn refuse_taken<E: Guarded>(
    permit: &Permit<'_>,
    (inside, blueprint): (E::Column, BlueprintId),
    (column, field, name): (E::Column, &str, &str),
    but: E::Id,
) -> Result<()> {
    let lower = Func::lower(Expr::col(column.as_column_ref()));
    let taken = E::find()
        .filter(inside.eq(blueprint))
        .filter(Expr::expr(lower).eq(Func::lower(Expr::value(name))))
        .filter(E::id_column().ne(but))
        .count(permit.tx())
        .await?;
    if taken == 0 {
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

/// A new blueprint: a draft of its owner department.
#[derive(InputObject)]
pub struct BlueprintCreateInput {
    /// An id made by the client (a UUID of version 7), so that a retry makes nothing twice.
    pub id: Option<ID>,
    /// A key, unique in the organisation; made from the title where none is given.
    pub key: Option<String>,
    /// The title, as the persona would say it: "I rent a car".
    pub title: String,
    /// Whose journey it is.
    #[graphql(default_with = "Subject::Customer")]
    pub subject: Subject,
    /// As it is, or as it should become.
    #[graphql(default_with = "BlueprintState::Current")]
    pub state: BlueprintState,
    /// Who may read it once it is published.
    #[graphql(default_with = "Visibility::Organisation")]
    pub visibility: Visibility,
    /// The main persona, of the same subject.
    pub persona_id: ID,
    /// The department that owns it.
    pub owner_department_id: ID,
    /// When it should be looked at again.
    pub next_review_on: Option<Date>,
}

/// What changes about a blueprint as a whole. Absent keeps, null clears.
#[derive(InputObject)]
pub struct BlueprintUpdateInput {
    /// Which one.
    pub id: ID,
    /// The version that the change builds on.
    pub expected_version: i32,
    /// A new title.
    pub title: Option<String>,
    /// Who may read it once it is published.
    pub visibility: Option<Visibility>,
    /// Another main persona.
    pub persona_id: Option<ID>,
    /// The further personas, in order; replaces the list.
    pub secondary_persona_ids: Option<Vec<ID>>,
    /// When it should be looked at again.
    pub next_review_on: MaybeUndefined<Date>,
}

/// Another owner for a blueprint.
#[derive(InputObject)]
pub struct BlueprintOwnerChangeInput {
    /// Which one.
    pub id: ID,
    /// The version that the change builds on.
    pub expected_version: i32,
    /// The department that owns it from now on.
    pub owner_department_id: ID,
}

/// Makes a draft.
pub async fn create(caller: &Caller, input: BlueprintCreateInput) -> Result<blueprint::Model> {
    let mut faults = Faults::default();
    let id: BlueprintId = faults.new_id(input.id.as_ref());
    let title = faults.name("title", &input.title);
    let key = input.key.as_deref().map(|key| faults.key("key", key));
    let persona_id: PersonaId = faults.id("personaId", &input.persona_id);
    let owner: DepartmentId = faults.id("ownerDepartmentId", &input.owner_department_id);
    faults.check()?;
    let mut permit = caller.begin().await?;
    let owner = permit
        .read_live::<department::Entity>("ownerDepartmentId", owner)
        .await?;
    permit.require(
        Action::CreateBlueprint,
        &Ties::none().and(Relation::OwnsBlueprint, [owner.id]),
        None,
    )?;
    permit.concerns(owner.id);
    let persona = permit
        .read_live::<persona::Entity>("personaId", persona_id)
        .await?;
    same_subject("personaId", input.subject, &persona)?;
    let same = |row: &blueprint::Model| row.title == title && row.owner_department_id == owner.id;
    if let Some(row) = permit
        .made_before::<blueprint::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let key = permit
        .key::<blueprint::Entity>(key.as_deref(), &title, id, None)
        .await?;
    let row = permit
        .insert::<blueprint::Entity>(blueprint::ActiveModel {
            id: Set(id),
            key: Set(key),
            title: Set(title),
            subject: Set(input.subject),
            state: Set(input.state),
            status: Set(BlueprintStatus::Draft),
            archived_from: Set(None),
            visibility: Set(input.visibility),
            persona_id: Set(persona.id),
            owner_department_id: Set(owner.id),
            next_review_on: Set(input.next_review_on.map(Into::into)),
            published_number: Set(None),
            published_revision: Set(None),
            created_at: Set(caller.now),
            copied_from_id: Set(None),
            archived_at: Set(None),
            version: Set(1),
            revision: Set(1),
        })
        .await?;
    permit.commit().await?;
    Ok(row)
}

fn same_subject(field: &str, subject: Subject, persona: &persona::Model) -> Result<()> {
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

/// Changes the title, the personas, the visibility, the day of review.
pub async fn update(caller: &Caller, input: BlueprintUpdateInput) -> Result<blueprint::Model> {
    let mut faults = Faults::default();
    let id: BlueprintId = faults.id("id", &input.id);
    let title = replace(input.title.as_ref(), |title| faults.name("title", title));
    let persona_id: Option<PersonaId> = faults.optional_id("personaId", input.persona_id.as_ref());
    let secondary: Option<Vec<PersonaId>> = input
        .secondary_persona_ids
        .as_ref()
        .map(|ids| faults.ids("secondaryPersonaIds", ids));
    faults.check()?;
    let mut permit = caller.begin().await?;
    let row = permit
        .fetch_at::<blueprint::Entity>(Action::ShapeBlueprint, "id", id, input.expected_version)
        .await?;
    if let Some(persona_id) = persona_id {
        same_subject(
            "personaId",
            row.subject,
            &permit
                .read_live::<persona::Entity>("personaId", persona_id)
                .await?,
        )?;
    }
    if let Some(personas) = &secondary {
        set_secondary_personas(&mut permit, &row, personas).await?;
    }
    let change = blueprint::ActiveModel {
        title,
        visibility: replace(input.visibility.as_ref(), |visibility| *visibility),
        persona_id: persona_id.map_or(NotSet, Set),
        next_review_on: change(&input.next_review_on, |day| day.map(|day| day.0)),
        ..Default::default()
    };
    let row = permit.update::<blueprint::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

async fn set_secondary_personas(
    permit: &mut Permit<'_>,
    row: &blueprint::Model,
    personas: &[PersonaId],
) -> Result<()> {
    for (index, id) in personas.iter().enumerate() {
        let field = format!("secondaryPersonaIds.{index}");
        same_subject(
            &field,
            row.subject,
            &permit.read_live::<persona::Entity>(&field, *id).await?,
        )?;
    }
    blueprint_persona::Entity::delete_many()
        .filter(blueprint_persona::Column::BlueprintId.eq(row.id))
        .exec(permit.tx())
        .await?;
    let rows = personas
        .iter()
        .zip(1..)
        .map(|(persona, position)| blueprint_persona::ActiveModel {
            blueprint_id: Set(row.id),
            persona_id: Set(*persona),
            position: Set(position),
        });
    blueprint_persona::Entity::insert_many(rows)
        .exec_without_returning(permit.tx())
        .await?;
    let ids: Vec<String> = personas.iter().map(ToString::to_string).collect();
    permit.note(Event::about::<blueprint::Entity>(
        row,
        serde_json::json!({ "secondaryPersonaIds": ids }),
    ));
    Ok(())
}

/// Gives the blueprint to another department.
pub async fn change_owner(
    caller: &Caller,
    input: BlueprintOwnerChangeInput,
) -> Result<blueprint::Model> {
    let mut faults = Faults::default();
    let id: BlueprintId = faults.id("id", &input.id);
    let owner: DepartmentId = faults.id("ownerDepartmentId", &input.owner_department_id);
    faults.check()?;
    let mut permit = caller.begin().await?;
    let row = permit
        .fetch_at::<blueprint::Entity>(Action::GovernBlueprint, "id", id, input.expected_version)
        .await?;
    let owner = permit
        .read_live::<department::Entity>("ownerDepartmentId", owner)
        .await?;
    permit.concerns(owner.id);
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
    let id: BlueprintId = input::id("id", &input.id)?;
    let (row, mut permit) = caller
        .fetch::<blueprint::Entity>(Action::ShapeBlueprint, "id", id)
        .await?;
    expect_version::<blueprint::Entity>(&row, input.expected_version)?;
    if row.published_number.is_some() {
        let message = "It once was published, and history hangs on it. Archive it instead.";
        return Err(Error::conflict("id", Reason::EverPublished, message).with_current(row.id.0));
    }
    permit.delete::<blueprint::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}
