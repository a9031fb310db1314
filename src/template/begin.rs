//! A blueprint that begins with a template: a draft like any other, with the template's phases in it.

use async_graphql::InputObject;
use entity::{blueprint, id::TemplateId, template};
use sea_orm::{ColumnTrait, QueryFilter, sea_query::SimpleExpr};

use crate::{
    access::{Caller, HasKeyColumn, Permit},
    blueprint::{
        draft::{BlueprintCreateInput, BlueprintDraft},
        phase::{self, NewPhase},
    },
    error::{Error, Result, UserErrorCode},
    id,
    input::{By, Faults},
};

/// A new blueprint with the phases of a template: a draft of its owner department.
#[derive(InputObject)]
pub struct BlueprintFromTemplateInput {
    /// The template; the blueprint's subject is among its subjects.
    pub template: By,
    /// All that a new blueprint says of itself.
    #[graphql(flatten)]
    pub draft: BlueprintCreateInput,
}

/// Makes a draft with the phases of a template, and remembers which it was.
pub async fn create_from_template(
    caller: &Caller,
    input: BlueprintFromTemplateInput,
) -> Result<blueprint::Model> {
    let mut faults = Faults::default();
    let which = template_condition(&mut faults, &input.template);
    let draft = BlueprintDraft::from_input(&mut faults, input.draft);
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let template = caller
        .select::<template::Entity>()
        .filter(which)
        .one(permit.tx())
        .await?
        .ok_or_else(|| Error::not_found("template", "template"))?;
    let (row, fresh) = draft.create_or_find(&mut permit, Some(template.id)).await?;
    if fresh {
        refuse_other_subject(&row, &template)?;
        add_phases(&mut permit, &row, template).await?;
        permit.commit().await?;
    }
    Ok(row)
}

fn template_condition(faults: &mut Faults, by: &By) -> SimpleExpr {
    match by {
        By::Id(id) => template::Column::Id.eq(faults.parse_id::<TemplateId>("template.id", id)),
        By::Key(key) => template::Entity::key_condition(key),
    }
}

fn refuse_other_subject(row: &blueprint::Model, template: &template::Model) -> Result<()> {
    if template.subjects.0.contains(&row.subject) {
        return Ok(());
    }
    let message = format!(
        "The template is not for journeys of a {}.",
        row.subject.as_str()
    );
    let code = UserErrorCode::Invalid;
    Err(Error::fault("subject", code, None, message))
}

async fn add_phases(
    permit: &mut Permit<'_>,
    row: &blueprint::Model,
    template: template::Model,
) -> Result<()> {
    for (from, position) in template.phases.0.into_iter().zip(1..) {
        let fresh = NewPhase {
            id: id::new(),
            key: None,
            name: from.name,
            position,
            stage: from.stage,
            customer_goal: from.customer_goal,
            timing: None,
            prompt: Some(from.prompt),
        };
        phase::add_phase(permit, row.id, fresh).await?;
    }
    Ok(())
}
