//! `feedback`: answers of customers and their follow-ups, without names and without comments.

use entity::{
    feedback,
    id::{
        BlueprintId, ChannelId, DepartmentId, FeedbackId, Id, PersonaId, SegmentId, TouchpointId,
    },
    words::{FeedbackGroup, FeedbackScale, FollowUpCause, FollowUpState},
};

use super::{append_visible_rows, columns, filters, order};
use crate::{
    bi::{
        model::dataset::{
            ColumnType::{Day, Id as IdOf, Instant, Integer, Text as Words, Word},
            Dataset, RowSource,
        },
        scope::ReaderScope,
    },
    policy::Action,
    statement::SqlBuilder,
};

/// Answers of customers.
pub static FEEDBACK: Dataset = Dataset {
    name: "feedback",
    description: "Answers of customers with their follow-ups, one answer a row, without the customer's identity and \
        without comments. Answers of employees have no row; KPIs measure them, from five answers on. A LEAD sees the \
        answers that went to the departments that they lead.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: Some("answered_on"),
    columns: columns![
        feedback_id: IdOf(FeedbackId::PREFIX) => "feedback.id", "Id of the answer.";
        scale: Word(FeedbackScale::texts) => "feedback.scale", "The scale of the answer.";
        score: Integer => "feedback.score", "The score, on its scale.";
        feedback_group: Word(FeedbackGroup::texts) => "feedback.answer_group", "The group of the answer by its score.";
        answered_on: Day => "feedback.answered_on", "The day of the answer.";
        blueprint_id empty: IdOf(BlueprintId::PREFIX) => "feedback.blueprint_id", "Id of the blueprint; empty where the answer is on the organisation as a whole.";
        blueprint_key empty: Words => "blueprint.key", "The blueprint's key.";
        touchpoint_id empty: IdOf(TouchpointId::PREFIX) => "feedback.touchpoint_id", "Id of the touchpoint; empty where the answer is on the relationship as a whole.";
        touchpoint_key empty: Words => "touchpoint.key", "The touchpoint's key.";
        persona_id empty: IdOf(PersonaId::PREFIX) => "feedback.persona_id", "Id of the persona; empty if unknown.";
        channel_id empty: IdOf(ChannelId::PREFIX) => "feedback.channel_id", "Id of the channel; empty if unknown.";
        segment_id empty: IdOf(SegmentId::PREFIX) => "feedback.segment_id", "Id of the segment; empty if unknown.";
        department_id empty: IdOf(DepartmentId::PREFIX) => "feedback.department_id", "Id of the department that works it: the one that was ACCOUNTABLE at the contact, that a routing rule or the owner of what it is about names, or to which it was handed; empty where there is none.";
        department_key empty: Words => "department.key", "The department's key.";
        follow_up_state empty: Word(FollowUpState::texts) => "follow_up.state", "The state of the follow-up; empty where there is none.";
        cause empty: Word(FollowUpCause::texts) => "COALESCE(follow_up.cause, feedback.cause)", "The cause of the answer, as it was found out or as the customer named it; empty while it is unknown.";
        due_on empty: Day => "follow_up.due_on", "The day on which the follow-up is due.";
        closed_at empty: Instant => "follow_up.closed_at", "Time of closing of the follow-up; empty while it is open, and where there is none.";
        recorded_at: Instant => "feedback.recorded_at", "Time of recording.";
        met_on empty: Day => "feedback.met_on", "The day of the contact that the answer is about; empty if unknown.";
        channel_key empty: Words => "channel.key", "The channel's key; empty if unknown.";
        segment_key empty: Words => "segment.key", "The segment's key; empty if unknown.";
    ],
    filters: filters![
        department = department_key,
        blueprint = blueprint_key,
        touchpoint = touchpoint_key,
        scale = scale,
        group = feedback_group,
        state = follow_up_state,
        channel = channel_key,
        segment = segment_key
    ],
    key: "feedback_id",
    order: order![Day answered_on, Id feedback_id],
    source: RowSource::Sql {
        with: None,
        rows: answers_sql,
    },
};

const JOINS: &str = "
LEFT JOIN blueprint ON blueprint.id = feedback.blueprint_id
LEFT JOIN touchpoint ON touchpoint.id = feedback.touchpoint_id
LEFT JOIN department ON department.id = feedback.department_id
LEFT JOIN channel ON channel.id = feedback.channel_id
LEFT JOIN segment ON segment.id = feedback.segment_id
LEFT JOIN follow_up ON follow_up.feedback_id = feedback.id
WHERE (feedback.blueprint_id IS NULL OR feedback.blueprint_id IN (";

fn answers_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = append_visible_rows::<feedback::Entity>(
        FEEDBACK.append_select(text, scope).then(" FROM "),
        scope,
        "feedback",
    )
    .then(JOINS)
    .select(&scope.select_published_current_blueprint_ids())
    .then("))");
    scope.append_pullable_condition(text, "feedback.department_id")
}
