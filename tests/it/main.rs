//! Tests through the front door, on SQLite, or with TEST_DATABASE_URL on PostgreSQL.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what it expects, and fails where that is not so"
)]

mod blueprint;
mod contract;
mod facts;
mod generate;
mod golden;
mod handshake;
mod ids;
mod kpi;
mod policy;
mod refusals;
mod rooms;
mod schema;
mod sign_in;
mod storage;
mod touchpoint;
mod world;
