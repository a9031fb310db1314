//! Words of what is known of a blueprint and done about it: sources, insights, promises, evaluations, improvements.

use async_graphql::Enum;
use schemars::JsonSchema;
use sea_orm::{DeriveActiveEnum, EnumIter, sqlx};
use serde::{Deserialize, Serialize};

use super::StoredWord;
use crate::read::{self, FromCell, RawRow};

words! {
    /// What kind of source something is known from.
    SourceKind {
        /// Somebody was asked at length.
        Interview = "INTERVIEW",
        /// Calls were listened to.
        CallListening = "CALL_LISTENING",
        /// Many were asked the same.
        Survey = "SURVEY",
        /// What people do on a site or in an app.
        Analytics = "ANALYTICS",
        /// Figures of the organisation or the public.
        Statistics = "STATISTICS",
        /// What is said in social media.
        Social = "SOCIAL",
        /// What is said on review sites.
        ReviewSite = "REVIEW_SITE",
        /// Somebody watched.
        Observation = "OBSERVATION",
        /// People kept a record of themselves.
        SelfReport = "SELF_REPORT",
        /// People worked it out together.
        Workshop = "WORKSHOP",
        /// Somebody of the organisation tried it.
        SelfTest = "SELF_TEST",
        /// Anything else.
        Other = "OTHER",
    }

    /// What kind of knowledge an insight is.
    InsightKind {
        /// What people think.
        Thinks = "THINKS",
        /// What people do.
        Does = "DOES",
        /// What people experience.
        Experiences = "EXPERIENCES",
        /// What people feel.
        Feels = "FEELS",
        /// What people need.
        Need = "NEED",
        /// What hurts.
        Pain = "PAIN",
        /// What does good.
        Gain = "GAIN",
        /// What people are unsure of.
        Doubt = "DOUBT",
        /// What people are told.
        Message = "MESSAGE",
        /// What people want to know; `answer` says what answers it.
        InformationNeed = "INFORMATION_NEED",
        /// Why people come.
        VisitReason = "VISIT_REASON",
        /// Where it goes wrong.
        FailPoint = "FAIL_POINT",
        /// Where people wait.
        Wait = "WAIT",
        /// A rule that decides what happens.
        Policy = "POLICY",
        /// What could be made of it.
        Opportunity = "OPPORTUNITY",
        /// What is not known yet: `whys`, and the insight that answers it.
        Question = "QUESTION",
    }

    /// Whether a promise is kept.
    PromiseState {
        /// It is kept.
        Kept = "KEPT",
        /// It may not be.
        AtRisk = "AT_RISK",
        /// It is not.
        Broken = "BROKEN",
        /// Nobody knows.
        Unknown = "UNKNOWN",
    }

    /// How a touchpoint meets a need.
    Verdict {
        /// It does.
        Meets = "MEETS",
        /// It does in part.
        Partly = "PARTLY",
        /// It does not.
        Fails = "FAILS",
    }

    /// How what people are told at a touchpoint goes together with what they are told elsewhere.
    Messages {
        /// It fits.
        Coherent = "COHERENT",
        /// Another touchpoint says something else.
        Conflicting = "CONFLICTING",
    }

    /// Where an improvement stands.
    ImprovementState {
        /// Somebody recommends it.
        Proposed = "PROPOSED",
        /// It will be done.
        Planned = "PLANNED",
        /// It is under way.
        Live = "LIVE",
        /// It was done; `result` says what came of it.
        Done = "DONE",
        /// It was given up; `result` says why.
        Dropped = "DROPPED",
    }
}
