//! Evaluations: somebody tried a touchpoint against what the persona needs, and listened whether it says what other
//! touchpoints say. They are what one person found on one day; nothing is averaged.

pub mod graphql;

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    account, blueprint, evaluation, evaluation_verdict,
    id::{EvaluationId, NeedId, TouchpointId},
    persona_need,
    words::{Messages, Verdict},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use crate::{
    access::{Caller, Permit, expect_version, row_after_change, with_all_columns_set},
    blueprint::refuse_if_row_limit_reached,
    error::{Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, list_if_given, set_if_given, set_or_clear},
    persona::store_verdicts,
    policy::Action,
    scalar::Date,
    touchpoint::place::{BlueprintOrPartId, require_live_touchpoint_in_blueprint},
};

/// How many evaluations one blueprint holds at the most.
pub const MOST_EVALUATIONS: u64 = 2_000;

/// The verdict on one need.
#[derive(InputObject)]
pub struct VerdictInput {
    /// The need, of the blueprint's persona.
    pub need_id: ID,
    /// Whether the touchpoint meets the need.
    pub verdict: Verdict,
}

/// A new evaluation, by an account or by somebody named: exactly one of `byAccountId` and `byName`.
#[derive(InputObject)]
pub struct EvaluationCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// The touchpoint that was tested.
    pub touchpoint_id: ID,
    /// The day, not after today.
    pub held_on: Date,
    /// Id of the account that tested it.
    pub by_account_id: Option<ID>,
    /// Name of the person who tested it, where they have no account.
    pub by_name: Option<String>,
    /// The verdict on each need that was checked, each need once.
    #[graphql(default)]
    pub verdicts: Vec<VerdictInput>,
    /// Whether the messages there agree with those elsewhere; absent if nobody checked.
    pub messages: Option<Messages>,
    /// Id of another touchpoint of the blueprint whose messages disagree; only with CONFLICTING messages.
    pub conflicts_with_id: Option<ID>,
    /// Description of the conflict; only with CONFLICTING messages.
    pub conflict: Option<String>,
    /// A note.
    pub note: Option<String>,
}

/// Changes to an evaluation; its touchpoint is fixed. Absent fields stay as they are; null clears, or is REQUIRED
/// where there is always a value.
#[derive(InputObject)]
pub struct EvaluationUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The day, not after today.
    pub held_on: MaybeUndefined<Date>,
    /// Id of the account that tested it.
    pub by_account_id: MaybeUndefined<ID>,
    /// Name of the person who tested it, where they have no account.
    pub by_name: MaybeUndefined<String>,
    /// The verdict on each need that was checked, each need once; replaces the list.
    pub verdicts: MaybeUndefined<Vec<VerdictInput>>,
    /// Whether the messages there agree with those elsewhere.
    pub messages: MaybeUndefined<Messages>,
    /// Id of another touchpoint of the blueprint whose messages disagree; only with CONFLICTING messages.
    pub conflicts_with_id: MaybeUndefined<ID>,
    /// Description of the conflict; only with CONFLICTING messages.
    pub conflict: MaybeUndefined<String>,
    /// A note.
    pub note: MaybeUndefined<String>,
}

/// What was found, need by need.
type VerdictsByNeed = Vec<(NeedId, Verdict)>;

fn read_verdicts(faults: &mut Faults, verdicts: &[VerdictInput]) -> VerdictsByNeed {
    faults.check_list_length("verdicts", verdicts.len());
    let mut found = VerdictsByNeed::new();
    for (at, verdict) in verdicts.iter().take(input::LIST).enumerate() {
        let path = format!("verdicts.{at}.needId");
        let need = faults.parse_id(&path, &verdict.need_id);
        if found.iter().any(|(earlier, _)| *earlier == need) {
            let message = "This need is in the list already.";
            faults.add(&path, UserErrorCode::Duplicate, None, message);
        }
        found.push((need, verdict.verdict));
    }
    found
}

/// Adds a fault for each rule about an evaluation as a whole that it breaks, whatever changed.
pub fn add_contradiction_faults(faults: &mut Faults, path: &str, row: &evaluation::Model) {
    let mut add_fault = |field: &str, message: &str| {
        let field = format!("{path}.{field}");
        faults.add(&field, UserErrorCode::Invalid, None, message);
    };
    if row.by_account_id.is_some() == row.by_name.is_some() {
        add_fault(
            "byName",
            "Say who tested it: exactly one of an account and a name.",
        );
    }
    let conflicting = row.messages == Some(Messages::Conflicting);
    if row.conflicts_with_id.is_some() != conflicting {
        add_fault(
            "conflictsWithId",
            "CONFLICTING messages, and no others, need the touchpoint whose messages disagree.",
        );
    }
    if row.conflict.is_some() != conflicting {
        add_fault(
            "conflict",
            "CONFLICTING messages, and no others, need a description of the conflict.",
        );
    }
    if row.conflicts_with_id == Some(row.touchpoint_id) {
        add_fault(
            "conflictsWithId",
            "A touchpoint is in conflict with another one.",
        );
    }
}

/// Makes an evaluation.
pub async fn create(caller: &Caller, input: EvaluationCreateInput) -> Result<evaluation::Model> {
    let mut faults = Faults::default();
    let id: EvaluationId = faults.parse_or_make_id(input.id.as_ref());
    let touchpoint_id: TouchpointId = faults.parse_id("touchpointId", &input.touchpoint_id);
    let by_account_id = faults.parse_optional_id("byAccountId", input.by_account_id.as_ref());
    let by_name = input.by_name.as_deref();
    let by_name = by_name.map(|name| faults.check_name("byName", name));
    faults.check_day_has_come("heldOn", input.held_on.0, caller.today);
    let verdicts = read_verdicts(&mut faults, &input.verdicts);
    let conflicts_with_id =
        faults.parse_optional_id("conflictsWithId", input.conflicts_with_id.as_ref());
    let conflict = faults.check_optional_text("conflict", input.conflict.as_deref());
    let note = faults.check_optional_text("note", input.note.as_deref());
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let place = BlueprintOrPartId::Touchpoint(touchpoint_id)
        .lock_and_locate(&mut permit)
        .await?;
    place
        .require_permission(&permit, Action::DescribeTouchpoint)
        .await?;
    let same = |row: &evaluation::Model| {
        row.touchpoint_id == touchpoint_id && row.held_on == input.held_on.0
    };
    if let Some(row) = permit
        .find_already_created::<evaluation::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let there =
        evaluation::Entity::find().filter(evaluation::Column::BlueprintId.eq(place.blueprint));
    let most = (MOST_EVALUATIONS, "evaluations");
    refuse_if_row_limit_reached(&permit, there, "touchpointId", most).await?;
    let row = evaluation::Model {
        id,
        blueprint_id: place.blueprint,
        touchpoint_id,
        held_on: input.held_on.0,
        by_account_id,
        by_name,
        messages: input.messages,
        conflicts_with_id,
        conflict,
        note,
        created_at: caller.now,
        version: 1,
    };
    let mut faults = Faults::default();
    add_contradiction_faults(&mut faults, "", &row);
    faults.check()?;
    require_referenced_rows(&permit, &row, None).await?;
    let row = permit
        .insert::<evaluation::Entity>(with_all_columns_set::<evaluation::Entity>(row))
        .await?;
    replace_verdicts(&mut permit, &row, &verdicts).await?;
    permit.commit().await?;
    Ok(row)
}

/// Refuses a person who is not there, and a touchpoint of another blueprint or an archived one; what is named already
/// may have been archived since.
async fn require_referenced_rows(
    permit: &Permit<'_>,
    row: &evaluation::Model,
    before: Option<&evaluation::Model>,
) -> Result<()> {
    if let Some(account) = row.by_account_id {
        permit
            .get::<account::Entity>("byAccountId", account)
            .await?;
    }
    require_live_touchpoint_in_blueprint(
        permit,
        row.blueprint_id,
        "conflictsWithId",
        row.conflicts_with_id.filter(|_| {
            before.is_none_or(|before| before.conflicts_with_id != row.conflicts_with_id)
        }),
    )
    .await
}

/// Changes what was found, when or by whom.
pub async fn update(caller: &Caller, input: EvaluationUpdateInput) -> Result<evaluation::Model> {
    let mut faults = Faults::default();
    let id: EvaluationId = faults.parse_id("id", &input.id);
    let by_account_id = set_or_clear(&input.by_account_id, |id| {
        faults.parse_optional_id("byAccountId", id)
    });
    let by_name = set_or_clear(&input.by_name, |name| {
        name.map(|name| faults.check_name("byName", name))
    });
    let held_on = set_if_given(faults.given("heldOn", &input.held_on), |day| {
        faults.check_day_has_come("heldOn", day.0, caller.today);
        day.0
    });
    let verdicts = list_if_given(&input.verdicts);
    let verdicts = verdicts.map(|list| read_verdicts(&mut faults, list));
    let conflicts_with_id = set_or_clear(&input.conflicts_with_id, |id| {
        faults.parse_optional_id("conflictsWithId", id)
    });
    let conflict = set_or_clear(&input.conflict, |text| {
        faults.check_optional_text("conflict", text.map(String::as_str))
    });
    let note = set_or_clear(&input.note, |text| {
        faults.check_optional_text("note", text.map(String::as_str))
    });
    faults.check()?;
    let (row, mut permit) = fetch_evaluation_at_version(caller, id, input.expected_version).await?;
    let change = evaluation::ActiveModel {
        held_on,
        by_account_id,
        by_name,
        messages: set_or_clear(&input.messages, |messages| messages.copied()),
        conflicts_with_id,
        conflict,
        note,
        ..Default::default()
    };
    let after = row_after_change::<evaluation::Entity>(&row, &change)?;
    let mut faults = Faults::default();
    add_contradiction_faults(&mut faults, "", &after);
    faults.check()?;
    require_referenced_rows(&permit, &after, Some(&row)).await?;
    if let Some(verdicts) = verdicts {
        replace_verdicts(&mut permit, &row, &verdicts).await?;
    }
    let row = permit.update::<evaluation::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Makes what was found this, in this order.
async fn replace_verdicts(
    permit: &mut Permit<'_>,
    row: &evaluation::Model,
    verdicts: &VerdictsByNeed,
) -> Result<()> {
    refuse_needs_of_other_personas(permit, row, verdicts).await?;
    store_verdicts(permit, row, verdicts).await
}

/// Refuses needs that are not those of the blueprint's persona; one statement for all of them. What was found about a
/// persona that the blueprint showed before may stay.
async fn refuse_needs_of_other_personas(
    permit: &Permit<'_>,
    row: &evaluation::Model,
    verdicts: &VerdictsByNeed,
) -> Result<()> {
    let persona = blueprint::Entity::find_by_id(row.blueprint_id)
        .select_only()
        .column(blueprint::Column::PersonaId);
    let there = evaluation_verdict::Entity::find()
        .select_only()
        .column(evaluation_verdict::Column::NeedId)
        .filter(evaluation_verdict::Column::EvaluationId.eq(row.id));
    let known: Vec<NeedId> = persona_need::Entity::find()
        .select_only()
        .column(persona_need::Column::Id)
        .filter(
            Condition::any()
                .add(persona_need::Column::PersonaId.in_subquery(persona.into_query()))
                .add(persona_need::Column::Id.in_subquery(there.into_query())),
        )
        .into_tuple()
        .all(permit.tx())
        .await?;
    let mut faults = Faults::default();
    for (at, (need, _)) in verdicts.iter().enumerate() {
        if !known.contains(need) {
            let path = format!("verdicts.{at}.needId");
            let message = "The persona of this blueprint has no such need.";
            faults.add(&path, UserErrorCode::NotFound, None, message);
        }
    }
    faults.check()
}

/// Deletes an evaluation.
pub async fn delete(caller: &Caller, input: &AtVersionInput) -> Result<evaluation::Model> {
    let id: EvaluationId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = fetch_evaluation_at_version(caller, id, input.expected_version).await?;
    permit.delete::<evaluation::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}

async fn fetch_evaluation_at_version(
    caller: &Caller,
    id: EvaluationId,
    expected_version: i32,
) -> Result<(evaluation::Model, Permit<'_>)> {
    let (row, permit) = caller
        .fetch_locked::<evaluation::Entity>(Action::DescribeTouchpoint, "id", id)
        .await?;
    permit.require_unarchived_blueprint(row.blueprint_id)?;
    expect_version::<evaluation::Entity>(&row, expected_version)?;
    Ok((row, permit))
}
