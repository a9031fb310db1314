//! Words of blueprints: their states, and what their phases, touchpoints, transitions and responsibilities are.

use async_graphql::Enum;
use schemars::JsonSchema;
use sea_orm::{DeriveActiveEnum, EnumIter, sqlx};
use serde::{Deserialize, Serialize};

use super::StoredWord;
use crate::read::{self, FromCell, RawRow};

words! {
    /// Whether a blueprint shows the journey as it is or as it should become.
    BlueprintState {
        /// As it is.
        Current = "CURRENT",
        /// As it should become.
        Future = "FUTURE",
    }

    /// Where a blueprint stands in its life.
    BlueprintStatus {
        /// Being drawn.
        Draft = "DRAFT",
        /// Waiting for a CX manager.
        InReview = "IN_REVIEW",
        /// In force.
        Published = "PUBLISHED",
        /// Put away; kept in facts.
        Archived = "ARCHIVED",
    }

    /// Who may read a published blueprint.
    Visibility {
        /// Everybody in the organisation.
        Organisation = "ORGANISATION",
        /// The departments that take part.
        Participants = "PARTICIPANTS",
    }

    /// Where a phase stands relative to what the customer came for.
    Stage {
        /// Before the goal.
        Before = "BEFORE",
        /// Where the customer gets what they came for.
        Goal = "GOAL",
        /// After the goal.
        After = "AFTER",
    }

    /// Who acts in a step; between the lanes lie the lines of interaction, of visibility and of internal interaction.
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

    /// Who starts a step.
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
        /// It was used and is no longer.
        Abandoned = "ABANDONED",
        /// Not known.
        Unknown = "UNKNOWN",
    }

    /// How something is known.
    Basis {
        /// Seen or told.
        Observed = "OBSERVED",
        /// Somebody's guess.
        Assumed = "ASSUMED",
    }

    /// What a transition does to the journey.
    TransitionKind {
        /// On to the next step.
        Advance = "ADVANCE",
        /// Past a step.
        Skip = "SKIP",
        /// One of several ways.
        Branch = "BRANCH",
        /// Round again.
        Loop = "LOOP",
        /// Back to an earlier phase.
        Backtrack = "BACKTRACK",
        /// Out of the journey.
        Exit = "EXIT",
        /// Back in after an exit.
        Reentry = "REENTRY",
        /// Backstage work that makes a step possible.
        Enables = "ENABLES",
    }

    /// An end of the journey graph that is not a touchpoint.
    End {
        /// Where the journey begins; `from` is empty.
        Start = "START",
        /// Where it ends; `to` is empty.
        Exit = "EXIT",
        /// At a competitor; `from` or `to` is empty.
        Competitor = "COMPETITOR",
    }

    /// What kind of way a scenario is.
    ScenarioKind {
        /// As it should go.
        Happy = "HAPPY",
        /// Another way that is as good.
        Variant = "VARIANT",
        /// When something goes wrong.
        Exception = "EXCEPTION",
    }

    /// What a department answers for at a touchpoint (RACI).
    Role {
        /// Does it.
        Responsible = "RESPONSIBLE",
        /// Answers for it.
        Accountable = "ACCOUNTABLE",
        /// Is asked before.
        Consulted = "CONSULTED",
        /// Is told after.
        Informed = "INFORMED",
    }

    /// Where the handshake over a responsibility stands.
    ResponsibilityStatus {
        /// Offered, not yet answered.
        Proposed = "PROPOSED",
        /// In force.
        Accepted = "ACCEPTED",
        /// Answered no, taken by another, or withdrawn; see `reason`.
        Declined = "DECLINED",
        /// Was in force.
        Ended = "ENDED",
    }
}
