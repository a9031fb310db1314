//! What is known of a journey: insights at a touchpoint, of a phase or of the whole, and the sources they rest on.
//! They change nothing of the journey itself.

pub mod graphql;
pub mod source;

use std::collections::HashSet;

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    id::{BlueprintId, InsightId, PersonaId, PhaseId, SourceId, TouchpointId},
    insight, insight_source,
    json::Texts,
    persona,
    words::{Basis, InsightKind},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use crate::{
    access::{Caller, Guarded, Permit, expect_version, row_after_change, with_all_columns_set},
    blueprint::refuse_if_row_limit_reached,
    error::{Error, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, list_if_given, set_if_given, set_or_clear},
    policy::Action,
    touchpoint::place::BlueprintOrPartId,
};

/// How many insights one blueprint holds at the most.
pub const MOST_INSIGHTS: u64 = 5_000;

/// A new insight about exactly one of a touchpoint, a phase or a blueprint.
#[derive(InputObject)]
pub struct InsightCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Key, unique in the blueprint; derived from the text if absent.
    pub key: Option<String>,
    /// Id of the touchpoint that it is about.
    pub touchpoint_id: Option<ID>,
    /// Id of the phase that it is about as a whole.
    pub phase_id: Option<ID>,
    /// Id of the blueprint that it is about as a whole.
    pub blueprint_id: Option<ID>,
    /// The kind of knowledge.
    pub kind: InsightKind,
    /// The insight, as a text.
    pub text: String,
    /// Whether the text is a verbatim quotation.
    #[graphql(default)]
    pub quote: bool,
    /// Id of the persona that it is about; absent for all.
    pub persona_id: Option<ID>,
    /// Whether it was observed or is assumed; OBSERVED needs a source.
    #[graphql(default_with = "Basis::Assumed")]
    pub basis: Basis,
    /// The sources that it rests on, in order.
    #[graphql(default)]
    pub source_ids: Vec<ID>,
    /// Of a QUESTION: the reasons, each the reason for the one before.
    #[graphql(default)]
    pub whys: Vec<String>,
    /// Of an INFORMATION_NEED: the answer to it.
    pub answer: Option<String>,
    /// Of a QUESTION: the insight of the same blueprint that answers it.
    pub answered_by_id: Option<ID>,
}

/// Changes to an insight; its place and kind are fixed. Absent fields stay as they are; null clears, or is REQUIRED
/// where there is always a value.
#[derive(InputObject)]
pub struct InsightUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The insight, as a text.
    pub text: MaybeUndefined<String>,
    /// Whether the text is a verbatim quotation.
    pub quote: MaybeUndefined<bool>,
    /// The persona that it is about; null for all.
    pub persona_id: MaybeUndefined<ID>,
    /// Whether it was observed or is assumed; OBSERVED needs a source.
    pub basis: MaybeUndefined<Basis>,
    /// The sources that it rests on, in order; replaces the list.
    pub source_ids: MaybeUndefined<Vec<ID>>,
    /// Of a QUESTION: the reasons, each the reason for the one before; replaces the list.
    pub whys: MaybeUndefined<Vec<String>>,
    /// Of an INFORMATION_NEED: the answer to it.
    pub answer: MaybeUndefined<String>,
    /// Of a QUESTION: the insight of the same blueprint that answers it.
    pub answered_by_id: MaybeUndefined<ID>,
}

/// Adds a fault for each rule about an insight as a whole that it breaks, whatever changed. `asked` is the number of
/// its sources that are not still to be asked.
pub fn add_contradiction_faults(
    faults: &mut Faults,
    path: &str,
    row: &insight::Model,
    asked: usize,
) {
    let mut add_fault = |field: &str, message: &str| {
        let field = format!("{path}.{field}");
        faults.add(&field, UserErrorCode::Invalid, None, message);
    };
    if row.basis == Basis::Observed && asked == 0 {
        add_fault(
            "basis",
            "OBSERVED needs a source that is not only planned: name one.",
        );
    }
    if row.kind != InsightKind::Question && !row.whys.0.is_empty() {
        add_fault("whys", "Only a QUESTION can have `whys`.");
    }
    if row.kind != InsightKind::Question && row.answered_by_id.is_some() {
        add_fault(
            "answeredById",
            "Only a QUESTION can be answered by another insight.",
        );
    }
    if row.kind != InsightKind::InformationNeed && row.answer.is_some() {
        add_fault("answer", "Only an INFORMATION_NEED can have an `answer`.");
    }
    if row.answered_by_id == Some(row.id) {
        add_fault("answeredById", "An insight cannot answer itself.");
    }
}

/// Makes an insight.
pub async fn create(caller: &Caller, input: InsightCreateInput) -> Result<insight::Model> {
    let mut faults = Faults::default();
    let id: InsightId = faults.parse_or_make_id(input.id.as_ref());
    let key = input.key.as_deref().map(|key| faults.check_key("key", key));
    let which = BlueprintOrPartId::from_ids(
        &mut faults,
        (
            input.touchpoint_id.as_ref(),
            input.phase_id.as_ref(),
            input.blueprint_id.as_ref(),
        ),
        "An insight is about exactly one of a touchpoint, a phase or a blueprint.",
    );
    let text = faults.check_required_text("text", &input.text);
    let persona_id: Option<PersonaId> =
        faults.parse_optional_id("personaId", input.persona_id.as_ref());
    let sources: Vec<SourceId> = faults.parse_ids("sourceIds", &input.source_ids);
    let whys = Texts(faults.check_texts("whys", &input.whys));
    let answer = faults.check_optional_text("answer", input.answer.as_deref());
    let answered_by_id = faults.parse_optional_id("answeredById", input.answered_by_id.as_ref());
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let place = which.lock_and_locate(&mut permit).await?;
    let action = action_required_to_describe(place.phase, place.touchpoint);
    place.require_permission(&permit, action).await?;
    let same = |row: &insight::Model| row.text == text && row.kind == input.kind;
    if let Some(row) = permit
        .find_already_created::<insight::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let there = insight::Entity::find().filter(insight::Column::BlueprintId.eq(place.blueprint));
    refuse_if_row_limit_reached(&permit, there, "", (MOST_INSIGHTS, "insights")).await?;
    let key = permit
        .choose_unique_key::<insight::Entity>(key.as_deref(), &text, id, Some(place.blueprint))
        .await?;
    let row = insight::Model {
        id,
        blueprint_id: place.blueprint,
        key,
        phase_id: place.phase,
        touchpoint_id: place.touchpoint,
        persona_id,
        kind: input.kind,
        text,
        quote: input.quote,
        basis: input.basis,
        whys,
        answer,
        answered_by_id,
        created_at: caller.now,
        version: 1,
    };
    let asked = count_asked_sources(&permit, place.blueprint, &sources).await?;
    let mut faults = Faults::default();
    add_contradiction_faults(&mut faults, "", &row, asked);
    faults.check()?;
    require_referenced_rows(&permit, &row).await?;
    let row = permit
        .insert::<insight::Entity>(with_all_columns_set::<insight::Entity>(row))
        .await?;
    replace_sources(&mut permit, &row, &sources).await?;
    permit.commit().await?;
    Ok(row)
}

/// Why questions do not answer one another in a circle.
pub const CIRCLE: &str = "Questions cannot answer one another in a circle.";

/// Refuses a persona that is not there, and an answer from another blueprint or in a circle.
async fn require_referenced_rows(permit: &Permit<'_>, row: &insight::Model) -> Result<()> {
    if let Some(persona) = row.persona_id {
        permit.get::<persona::Entity>("personaId", persona).await?;
    }
    if let Some(answer) = row.answered_by_id {
        let answer = permit
            .get::<insight::Entity>("answeredById", answer)
            .await?;
        if answer.blueprint_id != row.blueprint_id {
            return Err(Error::not_found(
                "answeredById",
                "insight in this blueprint",
            ));
        }
        refuse_answer_circle(permit, row.id, answer).await?;
    }
    Ok(())
}

/// Refuses an answer that leads back to what it is to answer.
async fn refuse_answer_circle(
    permit: &Permit<'_>,
    question: InsightId,
    answer: insight::Model,
) -> Result<()> {
    let mut met = HashSet::from([answer.id]);
    let mut next = answer.answered_by_id;
    while let Some(id) = next.filter(|id| met.insert(*id)) {
        if id == question {
            let field = "answeredById";
            return Err(Error::fault(field, UserErrorCode::Invalid, None, CIRCLE));
        }
        let row = insight::Entity::find_by_id(id).one(permit.tx()).await?;
        next = row.and_then(|row| row.answered_by_id);
    }
    Ok(())
}

/// Changes what an insight says, how it is known or what answers it.
pub async fn update(caller: &Caller, input: InsightUpdateInput) -> Result<insight::Model> {
    let mut faults = Faults::default();
    let id: InsightId = faults.parse_id("id", &input.id);
    let text = set_if_given(faults.given("text", &input.text), |text| {
        faults.check_required_text("text", text)
    });
    let quote = set_if_given(faults.given("quote", &input.quote), |quote| *quote);
    let basis = set_if_given(faults.given("basis", &input.basis), |basis| *basis);
    let persona_id = set_or_clear(&input.persona_id, |id| {
        faults.parse_optional_id("personaId", id)
    });
    let sources = list_if_given(&input.source_ids);
    let sources: Option<Vec<SourceId>> = sources.map(|ids| faults.parse_ids("sourceIds", ids));
    let whys = set_if_given(list_if_given(&input.whys), |whys| {
        Texts(faults.check_texts("whys", whys))
    });
    let answer = set_or_clear(&input.answer, |text| {
        faults.check_optional_text("answer", text.map(String::as_str))
    });
    let answered_by_id = set_or_clear(&input.answered_by_id, |id| {
        faults.parse_optional_id("answeredById", id)
    });
    faults.check()?;
    let (row, mut permit) = fetch_insight_at_version(caller, id, input.expected_version).await?;
    let change = insight::ActiveModel {
        text,
        quote,
        persona_id,
        basis,
        whys,
        answer,
        answered_by_id,
        ..Default::default()
    };
    let rests_on = match &sources {
        Some(sources) => sources.clone(),
        None => load_source_ids(&permit, &row).await?,
    };
    let asked = count_asked_sources(&permit, row.blueprint_id, &rests_on).await?;
    let after = row_after_change::<insight::Entity>(&row, &change)?;
    let mut faults = Faults::default();
    add_contradiction_faults(&mut faults, "", &after, asked);
    faults.check()?;
    require_referenced_rows(&permit, &after).await?;
    if let Some(sources) = &sources {
        replace_sources(&mut permit, &row, sources).await?;
    }
    let row = permit.update::<insight::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

async fn load_source_ids(permit: &Permit<'_>, row: &insight::Model) -> Result<Vec<SourceId>> {
    Ok(insight_source::Entity::find()
        .select_only()
        .column(insight_source::Column::SourceId)
        .filter(insight_source::Column::InsightId.eq(row.id))
        .into_tuple()
        .all(permit.tx())
        .await?)
}

/// The number of these sources that are not still to be asked; all of them lie in the blueprint.
async fn count_asked_sources(
    permit: &Permit<'_>,
    blueprint: BlueprintId,
    ids: &[SourceId],
) -> Result<usize> {
    if ids.is_empty() {
        return Ok(0);
    }
    let there = entity::source::Entity::find()
        .filter(entity::source::Column::BlueprintId.eq(blueprint))
        .filter(entity::source::Column::Id.is_in(ids.iter().copied()))
        .all(permit.tx())
        .await?;
    for (at, id) in ids.iter().enumerate() {
        if !there.iter().any(|row| row.id == *id) {
            let path = format!("sourceIds.{at}");
            return Err(Error::not_found(&path, "source in this blueprint"));
        }
    }
    Ok(there.iter().filter(|row| !row.planned).count())
}

/// Makes the sources, which are known to be there, these, in this order.
async fn replace_sources(
    permit: &mut Permit<'_>,
    row: &insight::Model,
    sources: &[SourceId],
) -> Result<()> {
    let list = sources.iter().zip(1..);
    let list = list.map(|(source, position)| insight_source::Model {
        insight_id: row.id,
        blueprint_id: row.blueprint_id,
        source_id: *source,
        position,
    });
    let its = insight_source::Column::InsightId.eq(row.id);
    let position = insight_source::Column::Position;
    permit
        .replace_list::<insight_source::Entity, insight::Entity>(
            row,
            (its, position),
            list.collect(),
            serde_json::json!({ "sourceIds": sources }),
        )
        .await
}

/// Deletes an insight. A question that it answered is open again.
pub async fn delete(caller: &Caller, input: &AtVersionInput) -> Result<insight::Model> {
    let id: InsightId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = fetch_insight_at_version(caller, id, input.expected_version).await?;
    open_questions_answered_by(&mut permit, &[row.id]).await?;
    permit.delete::<insight::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}

/// Opens the questions again that these insights answer, which go; those at archived touchpoints among them.
pub(crate) async fn open_questions_answered_by(
    permit: &mut Permit<'_>,
    lost: &[InsightId],
) -> Result<()> {
    let questions = insight::Entity::find()
        .filter(insight::Column::AnsweredById.is_in(lost.iter().copied()))
        .order_by_asc(insight::Column::Id)
        .all(permit.tx())
        .await?;
    for question in questions {
        let change = insight::ActiveModel {
            answered_by_id: Set(None),
            ..Default::default()
        };
        permit.update::<insight::Entity>(&question, change).await?;
    }
    Ok(())
}

/// What one has to be allowed to say something of a place: the whole blueprint where it is neither a phase nor a
/// touchpoint.
fn action_required_to_describe(phase: Option<PhaseId>, touchpoint: Option<TouchpointId>) -> Action {
    match (phase, touchpoint) {
        (None, None) => Action::DescribeBlueprint,
        _ => Action::DescribeTouchpoint,
    }
}

async fn fetch_insight_at_version(
    caller: &Caller,
    id: InsightId,
    expected_version: i32,
) -> Result<(insight::Model, Permit<'_>)> {
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit
        .lock_and_read_row::<insight::Entity>("id", id)
        .await?;
    let ties = insight::Entity::load_ties(permit.tx(), &row).await?;
    let action = action_required_to_describe(row.phase_id, row.touchpoint_id);
    permit.require_permission_on_row::<insight::Entity>(action, &ties, &row)?;
    permit.require_unarchived_blueprint(row.blueprint_id)?;
    expect_version::<insight::Entity>(&row, expected_version)?;
    Ok((row, permit))
}
