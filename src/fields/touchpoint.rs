//! The fields with which a touchpoint is described, one row each. Its id, key, name, lane and place are not among them:
//! acts of their own change those.

use entity::{
    id::{BlueprintId, PhaseId, TouchpointId},
    touchpoint,
    words::Lane,
};
use sea_orm::prelude::DateTimeUtc;

use super::{
    FieldSpec,
    kinds::{self, FieldKind},
};

/// Calls a macro with all rows, in the order of the API: the column, the name in the API, the kind, and where else the
/// field appears:
///
/// - `search: rank` – search finds words in it, and shows it in this rank among the texts of a touchpoint. The triggers
///   of a migration have to watch its column; a test compares them.
/// - `column: "…"` – it is a column of the dataset `touchpoints`, with this description. Columns of datasets are only
///   ever appended, so those of later fields say `appended: "…"` and come last.
///
/// The documentation is the field's description in the API and in documents. Where inputs need another one than
/// objects, the row has `#[shown = "…"]` and `#[given = "…"]` instead.
///
/// The rows are in two groups, between which documents and sheets have the channels and the audience.
macro_rules! touchpoint_fields {
    ($do:ident $($context:tt)*) => {
        $do! {
            [$($context)*]
            {
                /// The customer's action.
                customer_action "customerAction": kinds::OptionalText {
                    search: 1, column: "The customer's action.",
                }
            }
            {
                /// The party that starts it.
                initiator "initiator": kinds::OptionalWord<entity::words::Initiator> {
                    column: "The party that starts the contact.",
                }
                /// Number of contacts a month with a persona here.
                contacts_per_month "contactsPerMonth": kinds::MonthlyRate {
                    column: "Number of contacts a month with each customer here.",
                }
                /// The customer's emotion, from −2 (worst) to 2 (best).
                emotion "emotion": kinds::BoundedInteger<-2, 2> {
                    column: "The customer's emotion, from -2 (worst) to 2 (best).",
                }
                /// The employee's emotion, from −2 (worst) to 2 (best).
                employee_emotion "employeeEmotion": kinds::BoundedInteger<-2, 2> {
                    column: "The employee's emotion, from -2 (worst) to 2 (best).",
                }
                /// Importance to the customer, from 1 (least) to 5 (most).
                importance_customer "importanceCustomer": kinds::BoundedInteger<1, 5> {
                    column: "Importance to the customer, from 1 (least) to 5 (most).",
                }
                /// Importance to the organisation, from 1 (least) to 5 (most).
                importance_organisation "importanceOrganisation": kinds::BoundedInteger<1, 5> {
                    column: "Importance to the organisation, from 1 (least) to 5 (most).",
                }
                /// Whether customers use it.
                usage "usage": kinds::WordWithInitial<entity::words::Usage> {
                    column: "Whether customers use it.",
                }
                /// The reason why it is not used.
                usage_reason "usageReason": kinds::OptionalText {}
                /// Whether the customer decides here to stay or to leave.
                moment_of_truth "momentOfTruth": kinds::YesNo {
                    column: "Whether the customer decides here to stay or to leave.",
                }
                /// Whether it belongs to the smallest useful picture of the journey.
                essential "essential": kinds::YesNo {
                    column: "Whether it belongs to the smallest useful picture of the journey.",
                }
                /// Expected duration in minutes.
                expected_minutes "expectedMinutes": kinds::BoundedInteger<0, { i32::MAX }> {
                    column: "Duration in minutes that the customer expects.",
                }
                /// Whether it was observed or is assumed.
                basis "basis": kinds::WordWithInitial<entity::words::Basis> {
                    column: "Whether it was observed or is assumed.",
                }
                #[shown = "Physical evidence: things that the customer holds or sees, in order."]
                #[given = "Physical evidence: things that the customer holds or sees, in order; replaces the list."]
                evidence "evidence": kinds::EvidenceItems { search: 3, }
                #[shown = "The systems that it runs on."]
                #[given = "The systems that it runs on; replaces the list."]
                systems "systems": kinds::NameList { search: 4, }
                /// A note.
                note "note": kinds::OptionalText { search: 2, }
            }
        }
    };
}
pub(crate) use touchpoint_fields;

macro_rules! optional {
    () => {
        None
    };
    ($value:literal) => {
        Some($value)
    };
}

macro_rules! specs_and_start {
    ([] $({ $(
        $(#[$_doc:meta])* $field:ident $name:literal: $kind:ty {
            $(search: $rank:literal,)? $(column: $_column:literal,)? $(appended: $_appended:literal,)?
        }
    )* })*) => {
        /// The rows of the table.
        pub const FIELDS: &[FieldSpec] = &[$($(
            FieldSpec {
                column: stringify!($field),
                name: $name,
                is_text: <$kind as FieldKind>::IS_TEXT,
                search_rank: optional!($($rank)?),
            },
        )*)*];

        /// A first touchpoint of a phase, of which nothing is said yet: the base for rows that set a few fields.
        #[must_use]
        pub fn initial_touchpoint(
            id: TouchpointId,
            (blueprint_id, phase_id): (BlueprintId, PhaseId),
            created_at: DateTimeUtc,
        ) -> touchpoint::Model {
            touchpoint::Model {
                id,
                blueprint_id,
                phase_id,
                key: String::new(),
                name: String::new(),
                position: 1,
                lane: Lane::Frontstage,
                $($($field: <$kind as FieldKind>::initial(),)*)*
                copied_from_id: None,
                created_at,
                archived_at: None,
                version: 1,
            }
        }
    };
}
touchpoint_fields!(specs_and_start);
