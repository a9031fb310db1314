//! Words of blueprints: their states, and what their phases, touchpoints, transitions and responsibilities are.

use async_graphql::Enum;
use schemars::JsonSchema;
use sea_orm::{DeriveActiveEnum, EnumIter, sqlx};
use serde::{Deserialize, Serialize};

use super::StoredWord;
use crate::read::{self, FromCell, RawCell};

words! {
    /// Whether a blueprint shows the journey as it is or as it should become.
    BlueprintState {
        /// The journey as it is.
        Current = "CURRENT",
        /// The journey as it should become.
        Future = "FUTURE",
    }

    /// The place of a blueprint in its life cycle.
    BlueprintStatus {
        /// In preparation.
        Draft = "DRAFT",
        /// Waiting for a CX manager to publish it or send it back.
        InReview = "IN_REVIEW",
        /// Published: in force.
        Published = "PUBLISHED",
        /// Archived: hidden from lists, kept in KPI facts.
        Archived = "ARCHIVED",
    }

    /// The people who may read a published blueprint.
    Visibility {
        /// Everybody in the organisation.
        Organisation = "ORGANISATION",
        /// Members of the departments that take part, analysts, auditors, CX managers and admins.
        Participants = "PARTICIPANTS",
    }

    /// The stage of a phase relative to the customer's goal.
    Stage {
        /// Before the goal.
        Before = "BEFORE",
        /// The customer reaches the goal.
        Goal = "GOAL",
        /// After the goal.
        After = "AFTER",
    }

    /// The party that acts in a step. The lanes are separated by the lines of interaction, of visibility and of
    /// internal interaction.
    Lane {
        /// The customer alone.
        Customer = "CUSTOMER",
        /// Customer and organisation meet.
        Frontstage = "FRONTSTAGE",
        /// Work the customer does not see.
        Backstage = "BACKSTAGE",
        /// Work that supports those who work for the customer.
        Support = "SUPPORT",
    }

    /// The party that starts a step.
    Initiator {
        /// The customer (or the employee whose journey it is).
        Customer = "CUSTOMER",
        /// The organisation.
        Organisation = "ORGANISATION",
    }

    /// Whether customers use a touchpoint.
    Usage {
        /// It is used.
        Used = "USED",
        /// It is offered and not used.
        NotUsed = "NOT_USED",
        /// It was used, and is no longer.
        Abandoned = "ABANDONED",
        /// Not known.
        Unknown = "UNKNOWN",
    }

    /// The basis of a piece of knowledge.
    Basis {
        /// Seen, or reported by somebody.
        Observed = "OBSERVED",
        /// Somebody's guess.
        Assumed = "ASSUMED",
    }

    /// The kind of movement of a transition.
    TransitionKind {
        /// On to the next step.
        Advance = "ADVANCE",
        /// Past a step.
        Skip = "SKIP",
        /// One of several ways.
        Branch = "BRANCH",
        /// Repeats one or more steps; from one touchpoint to another.
        Loop = "LOOP",
        /// Back to an earlier phase; from one touchpoint to another.
        Backtrack = "BACKTRACK",
        /// Out of the journey; to the end EXIT or COMPETITOR.
        Exit = "EXIT",
        /// Back in after an exit; to a touchpoint.
        Reentry = "REENTRY",
        /// Backstage work that makes a step possible; from one touchpoint to another.
        Enables = "ENABLES",
    }

    /// An end of the journey graph other than a touchpoint.
    End {
        /// The start of the journey; `from` is null.
        Start = "START",
        /// The end of the journey; `to` is null.
        Exit = "EXIT",
        /// A competitor; `from` or `to` is null.
        Competitor = "COMPETITOR",
    }

    /// The kind of a scenario.
    ScenarioKind {
        /// The way as intended.
        Happy = "HAPPY",
        /// Another way, as good as the intended one.
        Variant = "VARIANT",
        /// The way when something goes wrong.
        Exception = "EXCEPTION",
    }

    /// The role of a department at a touchpoint (RACI).
    Role {
        /// Responsible: does the work.
        Responsible = "RESPONSIBLE",
        /// Accountable: answers for the result. At most one department per touchpoint.
        Accountable = "ACCOUNTABLE",
        /// Consulted: is asked before.
        Consulted = "CONSULTED",
        /// Informed: is told after.
        Informed = "INFORMED",
    }

    /// The state of the handshake over a responsibility.
    ResponsibilityStatus {
        /// Offered, not yet answered.
        Proposed = "PROPOSED",
        /// In force.
        Accepted = "ACCEPTED",
        /// Declined, taken by another department, or withdrawn; see `reason`.
        Declined = "DECLINED",
        /// No longer in force.
        Ended = "ENDED",
    }
}
