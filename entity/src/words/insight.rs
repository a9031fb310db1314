//! Words of what is known of a blueprint and done about it: sources, insights, promises, evaluations, improvements.

use async_graphql::Enum;
use schemars::JsonSchema;
use sea_orm::{DeriveActiveEnum, EnumIter, sqlx};
use serde::{Deserialize, Serialize};

use super::StoredWord;
use crate::read::{self, FromCell, RawCell};

words! {
    /// The kind of a source.
    SourceKind {
        /// An interview.
        Interview = "INTERVIEW",
        /// Listening to calls.
        CallListening = "CALL_LISTENING",
        /// A questionnaire answered by many.
        Survey = "SURVEY",
        /// Usage data of a site or an app.
        Analytics = "ANALYTICS",
        /// Figures of the organisation or the public.
        Statistics = "STATISTICS",
        /// Posts in social media.
        Social = "SOCIAL",
        /// Reviews on review sites.
        ReviewSite = "REVIEW_SITE",
        /// An observation.
        Observation = "OBSERVATION",
        /// Records that people kept of themselves.
        SelfReport = "SELF_REPORT",
        /// A workshop.
        Workshop = "WORKSHOP",
        /// A test by somebody of the organisation.
        SelfTest = "SELF_TEST",
        /// Anything else.
        Other = "OTHER",
    }

    /// The kind of an insight.
    InsightKind {
        /// A thought.
        Thinks = "THINKS",
        /// An action of people.
        Does = "DOES",
        /// An experience.
        Experiences = "EXPERIENCES",
        /// A feeling.
        Feels = "FEELS",
        /// A need.
        Need = "NEED",
        /// A pain.
        Pain = "PAIN",
        /// A gain.
        Gain = "GAIN",
        /// A doubt.
        Doubt = "DOUBT",
        /// A message to people.
        Message = "MESSAGE",
        /// Something that people want to know; `answer` is the answer.
        InformationNeed = "INFORMATION_NEED",
        /// A reason to come.
        VisitReason = "VISIT_REASON",
        /// A point of failure.
        FailPoint = "FAIL_POINT",
        /// A point of waiting.
        Wait = "WAIT",
        /// A rule that decides what happens.
        Policy = "POLICY",
        /// An opportunity.
        Opportunity = "OPPORTUNITY",
        /// An open question, with `whys` and the insight that answers it.
        Question = "QUESTION",
    }

    /// Whether a promise is kept.
    PromiseState {
        /// It is kept.
        Kept = "KEPT",
        /// It may be broken.
        AtRisk = "AT_RISK",
        /// It is broken.
        Broken = "BROKEN",
        /// Nobody knows.
        Unknown = "UNKNOWN",
    }

    /// Whether a touchpoint meets a need.
    Verdict {
        /// It meets the need.
        Meets = "MEETS",
        /// It meets the need in part.
        Partly = "PARTLY",
        /// It does not meet the need.
        Fails = "FAILS",
    }

    /// Whether the messages at a touchpoint agree with those elsewhere.
    Messages {
        /// They agree.
        Coherent = "COHERENT",
        /// Another touchpoint's messages disagree.
        Conflicting = "CONFLICTING",
    }

    /// The state of an improvement.
    ImprovementState {
        /// Somebody recommends it.
        Proposed = "PROPOSED",
        /// It will be done.
        Planned = "PLANNED",
        /// It is under way.
        Live = "LIVE",
        /// It was carried out; `result` describes the outcome.
        Done = "DONE",
        /// It was given up; `result` gives the reason.
        Dropped = "DROPPED",
    }
}
