//! Loads the surroundings of a blueprint: what other blueprints send, hold and measure, as far as the caller may read
//! it. It judges nothing.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use entity::{
    feedback, follow_up,
    id::{DepartmentId, PersonaId, SegmentId, TouchpointId},
    persona_segment, responsibility,
    words::ResponsibilityStatus,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select};

use super::rules::Surroundings;
use crate::{
    access::{Caller, scope},
    database::Transaction,
    error::Result,
    number::CompensatedSum,
    responsibility::pressure,
    snapshot::WholeBlueprint,
};

/// The surroundings of a blueprint, in the transaction that its snapshot was read in.
pub async fn load_facts_around_blueprint(
    caller: &Caller,
    tx: &Transaction,
    snapshot: &WholeBlueprint,
    day: NaiveDate,
) -> Result<Surroundings> {
    let canvas = &snapshot.canvas;
    let mut contacts_elsewhere = HashMap::new();
    for persona in snapshot
        .personas()
        .filter(|persona| persona.max_contacts_per_month.is_some())
    {
        let but = Some(canvas.blueprint.id);
        let sending = pressure::load_department_contact_rates(caller, tx, persona.id, but).await?;
        let per_month: CompensatedSum = sending.iter().map(|sender| sender.per_month).collect();
        contacts_elsewhere.insert(persona.id, per_month.total());
    }
    // Of all of them: whoever reads the journey is told that some wait, and nothing of what they say.
    let here =
        feedback::Entity::find().filter(feedback::Column::BlueprintId.eq(canvas.blueprint.id));
    Ok(Surroundings {
        segments: load_segments_of_personas(tx, snapshot.personas().map(|persona| persona.id))
            .await?,
        contacts_elsewhere,
        held_elsewhere: count_responsibilities_elsewhere(caller, tx, snapshot).await?,
        unroutable: count_answers_without_department(tx, here, day).await?,
    })
}

async fn load_segments_of_personas(
    tx: &Transaction,
    personas: impl Iterator<Item = PersonaId>,
) -> Result<HashMap<PersonaId, HashSet<SegmentId>>> {
    let rows = persona_segment::Entity::find()
        .filter(persona_segment::Column::PersonaId.is_in(personas))
        .all(tx)
        .await?;
    let mut segments: HashMap<PersonaId, HashSet<SegmentId>> = HashMap::new();
    for row in rows {
        segments
            .entry(row.persona_id)
            .or_default()
            .insert(row.segment_id);
    }
    Ok(segments)
}

/// Number of responsibilities that the departments taking part hold in other counted blueprints.
async fn count_responsibilities_elsewhere(
    caller: &Caller,
    tx: &Transaction,
    snapshot: &WholeBlueprint,
) -> Result<HashMap<DepartmentId, usize>> {
    use responsibility::Column;
    let canvas = &snapshot.canvas;
    let taking_part: HashSet<DepartmentId> = canvas
        .responsibilities
        .iter()
        .map(|row| row.department_id)
        .collect();
    let rows: Vec<(DepartmentId, i64)> = caller
        .select::<responsibility::Entity>()
        .select_only()
        .column(Column::DepartmentId)
        .column_as(Column::Id.count(), "held")
        .filter(Column::DepartmentId.is_in(taking_part))
        .filter(Column::Status.eq(ResponsibilityStatus::Accepted))
        .filter(scope::delivering_role_condition())
        .filter(Column::BlueprintId.in_subquery(scope::select_published_current_blueprint_ids()))
        .filter(Column::BlueprintId.ne(canvas.blueprint.id))
        .group_by(Column::DepartmentId)
        .into_tuple()
        .all(tx)
        .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(department, held)| (department, usize::try_from(held).unwrap_or_default()))
        .collect())
}

/// Of some answers, by touchpoint, and on the whole without one: the number until the day, inclusive, whose follow-up is
/// open and has no department.
pub(super) async fn count_answers_without_department(
    tx: &Transaction,
    answers: Select<feedback::Entity>,
    day: NaiveDate,
) -> Result<HashMap<Option<TouchpointId>, usize>> {
    use feedback::Column;
    let open = follow_up::Entity::find()
        .select_only()
        .column(follow_up::Column::FeedbackId)
        .filter(follow_up::Column::ClosedAt.is_null());
    let rows: Vec<(Option<TouchpointId>, i64)> = answers
        .select_only()
        .column(Column::TouchpointId)
        .column_as(Column::Id.count(), "answers")
        .filter(Column::DepartmentId.is_null())
        .filter(Column::AnsweredOn.lte(day))
        .filter(Column::Id.in_subquery(open.into_query()))
        .group_by(Column::TouchpointId)
        .into_tuple()
        .all(tx)
        .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(touchpoint, answers)| (touchpoint, usize::try_from(answers).unwrap_or_default()))
        .collect())
}
