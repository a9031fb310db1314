//! Tests through the front door, on SQLite, or with TEST_DATABASE_URL on PostgreSQL.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what it expects, and fails where that is not so"
)]
#![expect(
    unreachable_pub,
    reason = "nothing is reached from outside of a test: `pub` is what its files share"
)]

mod access;
mod acknowledged;
mod authorship;
mod bad_document;
mod bad_file;
mod bi;
mod blueprint;
mod budget;
mod by_hand;
mod canvas_digest;
mod cli;
mod climb;
mod clocks;
mod contract;
mod demo;
mod department;
#[cfg(target_os = "linux")]
mod disk;
mod document;
mod drawn;
mod evaluation;
mod facts;
mod fed;
mod feedback;
mod fields;
mod finding;
mod flow;
mod following;
mod generate;
// By its path, since a dev-dependency on the generator would have the library built beside its unit tests whenever only
// those are run.
#[path = "../../tools/generate/src/organisation/mod.rs"]
#[expect(dead_code, reason = "the command uses more of it")]
mod generated;
mod given_up;
mod golden;
mod handshake;
mod http;
mod ids;
mod improvement;
mod in_bulk;
mod insight;
mod intake;
mod judgement;
mod kept;
mod kpi;
mod loaders;
mod machine;
mod network;
mod nulls;
mod odata;
mod one_number;
mod organisation;
mod out_of_sight;
mod overload;
mod parties;
mod permitted;
mod picture;
mod policy;
mod promise;
mod publication;
mod refusals;
mod refused_whole;
mod reorganise;
mod rooms;
mod scenario;
mod schema;
mod scope;
mod search;
mod series;
mod service_token;
mod sheet;
mod sign_in;
mod storage;
mod taken_twice;
mod template;
mod told_apart;
mod touchpoint;
mod upgrade;
mod view;
mod views;
mod way_in;
mod what_if;
mod world;
