//! Words of people, departments and programs: roles, kinds, what tokens are for, who did what.

use async_graphql::Enum;
use schemars::JsonSchema;
use sea_orm::{DeriveActiveEnum, EnumIter, sqlx};
use serde::{Deserialize, Serialize};

use super::StoredWord;
use crate::read::{self, FromCell, RawRow};

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
