//! The words that storage and API spell alike: one enum, one spelling, one description each.
//!
//! They carry async-graphql's `Enum` and the schema of documents beside the storage derive. Nothing else of GraphQL lives in this
//! crate: an enum cannot leak a column, and 25 mirrored enums would only add a place to disagree.

use async_graphql::Enum;
use schemars::JsonSchema;
use sea_orm::{DeriveActiveEnum, EnumIter, sqlx};
use serde::{Deserialize, Serialize};

use crate::read::{self, FromCell, RawRow};

/// One of a few words, for code that serves all of them.
pub trait StoredWord: Copy + Sized + 'static {
    /// Every word, in the order of this file.
    const ALL: &'static [Self];

    /// The word as it is stored and sent.
    fn as_str(self) -> &'static str;

    /// Every word as it is stored and sent.
    #[must_use]
    fn texts() -> Vec<&'static str> {
        Self::ALL.iter().map(|word| word.as_str()).collect()
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(
                Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
                Serialize, Deserialize, EnumIter, DeriveActiveEnum, Enum, JsonSchema,
            )]
            #[sea_orm(rs_type = "String", db_type = "Text")]
            pub enum $name {
                $(
                    $(#[$vdoc])*
                    #[sea_orm(string_value = $text)]
                    #[serde(rename = $text)]
                    #[graphql(name = $text)]
                    $variant,
                )*
            }

            impl $name {
                /// Every word, in the order of this file.
                pub const ALL: &[Self] = &[$(Self::$variant),*];

                /// Every word as it is stored and sent.
                #[must_use]
                pub fn texts() -> Vec<&'static str> {
                    Self::ALL.iter().map(|word| word.as_str()).collect()
                }

                /// The word that is stored and sent like this.
                #[must_use]
                pub fn named(text: &str) -> Option<Self> {
                    match text {
                        $($text => Some(Self::$variant),)*
                        _ => None,
                    }
                }

                /// The word as it is stored and sent.
                #[must_use]
                pub const fn as_str(self) -> &'static str {
                    match self {
                        $(Self::$variant => $text,)*
                    }
                }
            }

            impl StoredWord for $name {
                const ALL: &'static [Self] = Self::ALL;

                fn as_str(self) -> &'static str {
                    Self::as_str(self)
                }
            }

            impl FromCell for $name {
                fn from_cell(row: RawRow<'_>, at: usize) -> sqlx::Result<Self> {
                    read::word(row, at, Self::named)
                }
            }
        )*
    };
}

words! {
    /// What an account may do in the whole organisation. One per account; rights add up with those of its departments.
    OrganisationRole {
        /// Keeps accounts, departments and members. Reads what is published, not drafts.
        Admin = "ADMIN",
        /// Answers for the journeys as a whole: shapes, publishes, settles.
        CxManager = "CX_MANAGER",
        /// Reads everything, the audit log included; changes nothing.
        Auditor = "AUDITOR",
        /// Reads what is published and pulls flat KPI rows; changes nothing.
        Analyst = "ANALYST",
        /// Reads what is published; anything more comes from memberships.
        Member = "MEMBER",
    }

    /// What an account may do in a department.
    DepartmentRole {
        /// Leads the department and all below it.
        Lead = "LEAD",
        /// Keeps what the department delivers true.
        Contributor = "CONTRIBUTOR",
        /// Reads what the department takes part in.
        Viewer = "VIEWER",
    }

    /// What a service token is for. It opens a part of what its account may do, never more.
    TokenScope {
        /// Whatever the account may read, the audit log and what-ifs included; changes nothing.
        Read = "READ",
        /// Flat KPI rows and what they are made of: published blueprints, KPIs and their values; no drafts and no audit log.
        Bi = "BI",
        /// Recording and correcting measurements; reads what is published, and no confidential value.
        Measurements = "MEASUREMENTS",
        /// Recording feedback; reads what is published, and no confidential value.
        Feedback = "FEEDBACK",
    }

    /// Whether a department is ours.
    DepartmentKind {
        /// Part of the organisation.
        Internal = "INTERNAL",
        /// Another company that delivers for us.
        Partner = "PARTNER",
    }

    /// Whose journey it is.
    Subject {
        /// A customer's journey.
        Customer = "CUSTOMER",
        /// An employee's journey.
        Employee = "EMPLOYEE",
    }

    /// The kind of way in which people meet.
    Medium {
        /// Face to face.
        Person = "PERSON",
        /// By telephone.
        Phone = "PHONE",
        /// A web page.
        Web = "WEB",
        /// An app.
        App = "APP",
        /// Electronic mail.
        Mail = "MAIL",
        /// Paper by post.
        Post = "POST",
        /// A social network.
        Social = "SOCIAL",
        /// An event.
        Event = "EVENT",
        /// Somebody else's place.
        Partner = "PARTNER",
        /// A questionnaire.
        Survey = "SURVEY",
        /// Between colleagues.
        Internal = "INTERNAL",
        /// Anything else.
        Other = "OTHER",
    }

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

    /// Who acted.
    ActorKind {
        /// A signed-in account.
        Account = "ACCOUNT",
        /// The command line on the server.
        Operator = "OPERATOR",
        /// Nobody known, as at a failed sign-in.
        Anonymous = "ANONYMOUS",
    }

    /// How an act ended.
    AuditOutcome {
        /// It was done.
        Done = "DONE",
        /// It was refused for want of a permission.
        Refused = "REFUSED",
        /// A sign-in failed.
        Failed = "FAILED",
    }

    /// What can be found by its words.
    SearchKind {
        /// A blueprint, by its title.
        Blueprint = "BLUEPRINT",
        /// A phase, by its name and what the customer wants there.
        Phase = "PHASE",
        /// A touchpoint, by its name, what the customer does, its note, its evidence and its systems.
        Touchpoint = "TOUCHPOINT",
        /// A scenario, by its name and note.
        Scenario = "SCENARIO",
        /// An insight, by its text, its answer and its whys.
        Insight = "INSIGHT",
        /// A source, by its title and note.
        Source = "SOURCE",
        /// A promise, by its text.
        Promise = "PROMISE",
        /// An improvement, by its title, description and result.
        Improvement = "IMPROVEMENT",
        /// A persona, by its name, context and needs.
        Persona = "PERSONA",
        /// A department, by its name.
        Department = "DEPARTMENT",
        /// A KPI, by its name and description.
        Kpi = "KPI",
    }
}
