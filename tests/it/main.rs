//! Tests through the front door, on SQLite, or with TEST_DATABASE_URL on PostgreSQL.

mod blueprint;
mod contract;
mod facts;
mod golden;
mod handshake;
mod policy;
mod refusals;
mod rooms;
mod schema;
mod sign_in;
mod storage;
mod touchpoint;
mod world;
