//! Tests through the front door, on SQLite, or with TEST_DATABASE_URL on PostgreSQL.

mod golden;
mod handshake;
mod policy;
mod rooms;
mod schema;
mod storage;
mod world;
