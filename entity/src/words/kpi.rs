//! Words of KPIs and feedback: what is measured, how values are read, and what becomes of answers.

use async_graphql::Enum;
use schemars::JsonSchema;
use sea_orm::{DeriveActiveEnum, EnumIter, sqlx};
use serde::{Deserialize, Serialize};

use super::StoredWord;
use crate::read::{self, FromCell, RawRow};

words! {
    /// What a KPI is about.
    KpiType {
        /// Net promoter score: 100 × (answers 9–10 − answers 0–6) / all answers.
        Nps = "NPS",
        /// Customer satisfaction: a mean where the unit is SCALE_1_5, a top-two share where it is PERCENT or RATIO.
        Csat = "CSAT",
        /// Customer effort score 2.0 ("made it easy", 1–7, higher is better).
        Ces = "CES",
        /// Net promoter score among employees.
        Enps = "ENPS",
        /// Share that takes a first small step.
        SoftConversion = "SOFT_CONVERSION",
        /// Share that stays.
        Retention = "RETENTION",
        /// How much is going on.
        Activity = "ACTIVITY",
        /// How many are reached.
        Reach = "REACH",
        /// How long something takes.
        Duration = "DURATION",
        /// How often people are contacted.
        ContactPressure = "CONTACT_PRESSURE",
        /// Share of promises kept.
        Promise = "PROMISE",
        /// Share that gives up.
        Abandonment = "ABANDONMENT",
        /// How much work a customer has.
        Effort = "EFFORT",
        /// Share that buys again.
        RepurchaseRate = "REPURCHASE_RATE",
        /// How long a customer stays.
        CustomerLifetime = "CUSTOMER_LIFETIME",
        /// What it costs.
        Cost = "COST",
        /// How good it is.
        Quality = "QUALITY",
        /// Share that takes something up.
        Adoption = "ADOPTION",
        /// Anything else.
        Other = "OTHER",
    }

    /// What a KPI's numbers count. Units never mix.
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

    /// Which way is better.
    Direction {
        /// Higher is better.
        Higher = "HIGHER",
        /// Lower is better.
        Lower = "LOWER",
    }

    /// How a KPI's values become one over time and groups.
    Aggregation {
        /// The last value by day.
        Last = "LAST",
        /// The mean, weighted by sample size.
        Average = "AVERAGE",
        /// The sum.
        Sum = "SUM",
        /// Σ numerator / Σ denominator.
        Ratio = "RATIO",
    }

    /// How often a KPI should be measured.
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

    /// Who may see a KPI's values.
    Sensitivity {
        /// Whoever may read the KPI.
        Open = "OPEN",
        /// The owner department, those with a grant, auditors and CX managers.
        Confidential = "CONFIDENTIAL",
    }

    /// Whether a KPI judges one contact or the relationship as a whole; the two never mix in a series.
    KpiScope {
        /// One contact.
        Transactional = "TRANSACTIONAL",
        /// The relationship as a whole.
        Relationship = "RELATIONSHIP",
    }

    /// The scale on which somebody answered.
    FeedbackScale {
        /// How likely one recommends us, from 0 to 10; asked of customers.
        Nps = "NPS",
        /// How satisfied one is, from 1 to 5.
        Csat = "CSAT",
        /// Whether we made it easy, from 1 to 7 (customer effort score 2.0).
        Ces = "CES",
        /// How likely one recommends us as an employer, from 0 to 10; asked of employees.
        Enps = "ENPS",
    }

    /// What an answer says on its scale.
    FeedbackGroup {
        /// NPS and ENPS 9–10, CSAT 4–5, CES 5–7.
        Satisfied = "SATISFIED",
        /// NPS and ENPS 7–8, CSAT 3, CES 4.
        Indifferent = "INDIFFERENT",
        /// Anything lower.
        Dissatisfied = "DISSATISFIED",
    }

    /// Where a follow-up stands.
    FollowUpState {
        /// Nobody has been in touch with the customer yet.
        Open = "OPEN",
        /// Somebody has, and it is not over.
        Contacted = "CONTACTED",
        /// It is over.
        Resolved = "RESOLVED",
        /// The customer does not want to be contacted.
        NoContactWanted = "NO_CONTACT_WANTED",
    }

    /// What lay behind an answer.
    FollowUpCause {
        /// What was promised, kept or not.
        Promise = "PROMISE",
        /// How somebody behaved.
        Person = "PERSON",
        /// How we work.
        Process = "PROCESS",
        /// What it costs.
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
        /// Worse than that.
        Missed = "MISSED",
        /// There is a value and no target.
        NoTarget = "NO_TARGET",
        /// There is no value.
        NoData = "NO_DATA",
    }
}
