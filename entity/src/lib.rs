//! What is stored: one module a table, typed ids, and the words that storage and API share.
//! No policy and no queries live here, and tables name no relations: a join is written where it is asked for,
//! beside the access scope that belongs to it.

pub mod id;
pub mod json;
pub mod read;
pub mod words;

macro_rules! no_relations {
    () => {
        #[derive(Copy, Clone, Debug, sea_orm::EnumIter, sea_orm::DeriveRelation)]
        pub enum Relation {}

        impl sea_orm::ActiveModelBehavior for ActiveModel {}
    };
}

pub mod account;
pub mod audit_event;
pub mod audit_event_department;
pub mod bi_login;
pub mod bi_reach;
pub mod blueprint;
pub mod blueprint_persona;
pub mod channel;
pub mod department;
pub mod employee_answer;
pub mod employee_cell;
pub mod employee_month;
pub mod employee_receipt;
pub mod evaluation;
pub mod evaluation_verdict;
pub mod feedback;
pub mod finding;
pub mod finding_mark;
pub mod finding_renewal;
pub mod follow_up;
pub mod improvement;
pub mod improvement_kpi;
pub mod improvement_touchpoint;
pub mod insight;
pub mod insight_source;
pub mod kpi;
pub mod kpi_grant;
pub mod kpi_link;
pub mod kpi_period;
pub mod kpi_target;
pub mod measurement;
pub mod membership;
pub mod persona;
pub mod persona_need;
pub mod persona_segment;
pub mod phase;
pub mod phase_segment;
pub mod playbook;
pub mod promise;
pub mod promise_delivery;
pub mod publication;
pub mod refresh_token;
pub mod responsibility;
pub mod routing_rule;
pub mod row_edit;
pub mod scenario;
pub mod scenario_step;
pub mod search_stale;
pub mod search_text;
pub mod segment;
pub mod service_token;
pub mod service_token_department;
pub mod session;
pub mod sign_in_origin;
pub mod sign_in_throttle;
pub mod source;
pub mod template;
pub mod touchpoint;
pub mod touchpoint_channel;
pub mod touchpoint_segment;
pub mod transition;
