//! Words of KPIs and feedback: what is measured, how values are read, and what becomes of answers.

use async_graphql::Enum;
use schemars::JsonSchema;
use sea_orm::{DeriveActiveEnum, EnumIter, sqlx};
use serde::{Deserialize, Serialize};

use super::StoredWord;
use crate::read::{self, FromCell, RawCell};

words! {
    /// The subject that a KPI measures.
    KpiType {
        /// Net promoter score: 100 × (answers 9–10 − answers 0–6) / all answers.
        Nps = "NPS",
        /// Customer satisfaction: a mean where the unit is SCALE_1_5, a top-two share where it is PERCENT or RATIO.
        Csat = "CSAT",
        /// Customer effort score 2.0 ("made it easy", 1–7, higher is better).
        Ces = "CES",
        /// Net promoter score among employees.
        Enps = "ENPS",
        /// Share of people who take a first small step.
        SoftConversion = "SOFT_CONVERSION",
        /// Share of customers who stay.
        Retention = "RETENTION",
        /// Amount of activity.
        Activity = "ACTIVITY",
        /// Number of people reached.
        Reach = "REACH",
        /// Duration of something.
        Duration = "DURATION",
        /// Frequency of contacts.
        ContactPressure = "CONTACT_PRESSURE",
        /// Share of promises kept.
        Promise = "PROMISE",
        /// Share of people who give up.
        Abandonment = "ABANDONMENT",
        /// A customer's effort.
        Effort = "EFFORT",
        /// Share of customers who buy again.
        RepurchaseRate = "REPURCHASE_RATE",
        /// Duration of a customer relationship.
        CustomerLifetime = "CUSTOMER_LIFETIME",
        /// Cost.
        Cost = "COST",
        /// Quality.
        Quality = "QUALITY",
        /// Share of people who start to use something.
        Adoption = "ADOPTION",
        /// Anything else.
        Other = "OTHER",
    }

    /// The unit of a KPI's values. Values of different units are never combined.
    Unit {
        /// Percentage points: 6.1 is 6.1 %.
        Percent = "PERCENT",
        /// A score, such as NPS from −100 to 100.
        Score = "SCORE",
        /// A number of things.
        Count = "COUNT",
        /// A share from 0 to 1, or one number over another.
        Ratio = "RATIO",
        /// Seconds.
        Seconds = "SECONDS",
        /// Minutes.
        Minutes = "MINUTES",
        /// Hours.
        Hours = "HOURS",
        /// Days.
        Days = "DAYS",
        /// Years.
        Years = "YEARS",
        /// An answer from 1 to 5.
        Scale1To5 = "SCALE_1_5",
        /// An answer from 1 to 7.
        Scale1To7 = "SCALE_1_7",
        /// Money, in the KPI's `currency`.
        Currency = "CURRENCY",
    }

    /// Whether a higher or a lower value is better.
    Direction {
        /// Higher is better.
        Higher = "HIGHER",
        /// Lower is better.
        Lower = "LOWER",
    }

    /// The way a KPI's values are combined over time and groups.
    Aggregation {
        /// The value of the latest day.
        Last = "LAST",
        /// Mean, weighted by sample size.
        Average = "AVERAGE",
        /// Sum.
        Sum = "SUM",
        /// Σ numerator / Σ denominator.
        Ratio = "RATIO",
    }

    /// The interval at which a KPI should be measured.
    Cadence {
        /// Every day.
        Daily = "DAILY",
        /// Every week.
        Weekly = "WEEKLY",
        /// Every month.
        Monthly = "MONTHLY",
        /// Every quarter.
        Quarterly = "QUARTERLY",
        /// Every year.
        Yearly = "YEARLY",
    }

    /// What the last values of parts come to: of channels, of segments, of touchpoints.
    AcrossParts {
        /// Nothing: they stand side by side.
        None = "NONE",
        /// Their sum.
        Sum = "SUM",
    }

    /// The people who may see a KPI's values.
    Sensitivity {
        /// Everybody who may read the KPI.
        Open = "OPEN",
        /// The owner department's leads and contributors, accounts with a grant, auditors and CX managers.
        Confidential = "CONFIDENTIAL",
    }

    /// Whether a KPI judges single contacts or the relationship as a whole. Values of the two are never combined in a
    /// series.
    KpiScope {
        /// Single contacts.
        Transactional = "TRANSACTIONAL",
        /// The relationship as a whole.
        Relationship = "RELATIONSHIP",
    }

    /// The scale of an answer.
    FeedbackScale {
        /// Likelihood of recommending us, from 0 to 10; asked of customers.
        Nps = "NPS",
        /// Satisfaction, from 1 to 5.
        Csat = "CSAT",
        /// Ease: "you made it easy", from 1 to 7, higher is better (customer effort score 2.0).
        Ces = "CES",
        /// Likelihood of recommending us as an employer, from 0 to 10; asked of employees.
        Enps = "ENPS",
    }

    /// The group of an answer by its score.
    FeedbackGroup {
        /// NPS and ENPS 9–10, CSAT 4–5, CES 5–7.
        Satisfied = "SATISFIED",
        /// NPS and ENPS 7–8, CSAT 3, CES 4.
        Indifferent = "INDIFFERENT",
        /// Any lower score.
        Dissatisfied = "DISSATISFIED",
    }

    /// The state of a follow-up.
    FollowUpState {
        /// The customer was not contacted yet.
        Open = "OPEN",
        /// The customer was contacted; it is not closed.
        Contacted = "CONTACTED",
        /// It is closed.
        Resolved = "RESOLVED",
        /// The customer does not want to be contacted.
        NoContactWanted = "NO_CONTACT_WANTED",
    }

    /// The cause of an answer.
    FollowUpCause {
        /// A promise, kept or not.
        Promise = "PROMISE",
        /// Somebody's behaviour.
        Person = "PERSON",
        /// The organisation's process.
        Process = "PROCESS",
        /// The price.
        Price = "PRICE",
        /// Anything else.
        Other = "OTHER",
    }

    /// A value judged by the target of its day.
    KpiState {
        /// At the target or better.
        Met = "MET",
        /// Worse than the target, not worse than the warning level.
        AtRisk = "AT_RISK",
        /// Worse than the warning level; without one, worse than the target.
        Missed = "MISSED",
        /// There is a value and no target.
        NoTarget = "NO_TARGET",
        /// There is no value.
        NoData = "NO_DATA",
        /// There is a value, of fewer answers or cases than the KPI's `minimumSample`; or of a sum whose period still
        /// runs, and whose values to come may decide whether it meets its target.
        TooFew = "TOO_FEW",
        /// There are values of channels, segments or touchpoints, and none of the whole.
        ByPartOnly = "BY_PART_ONLY",
    }
}
