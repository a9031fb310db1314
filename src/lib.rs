//! cx-blueprint: service blueprints that several departments share.
//!
//! A request enters through [`http`], whose accept loop and queues turn away what cannot be done in time, on threads of
//! their own; it is signed in there, its document guarded, and it reaches the [`graph`], whose roots are put together
//! from the slices. A slice ([`account`], [`department`], [`persona`], [`blueprint`], [`template`], [`touchpoint`],
//! [`scenario`], [`responsibility`], [`kpi`], [`insight`], [`promise`], [`evaluation`], [`improvement`], [`feedback`],
//! [`finding`]) has its use-cases as plain functions with the caller first, and its face in the API beside them in
//! `graphql.rs`. What joins two slices lies under the roof, in the graph. A blueprint is read into memory by
//! [`canvas`], where what follows from one (how people move, smaller pictures) is a pure function over it, computed
//! within the request's budget on the pool of [`compute`], as are their pictures in [`picture`]; with everything that
//! hangs on it, for findings, documents and comparisons, by [`snapshot`]. Acts across slices, and what they would
//! change, are in [`reorganise`]; flat rows for BI in [`bi`], one registry of datasets of which GraphQL, the feed,
//! OData and views of PostgreSQL are faces, with series and the join of facts put together over what it keeps in
//! memory; documents in [`document`], spreadsheets read and written by [`sheet`], those of very many rows taken in by
//! the slices with the help of [`intake`], and what blueprints were in [`publication`]. What can be found by its words
//! is kept in step by [`index`] and found by [`search`]. Nobody reaches the database but through the door, [`access`],
//! which asks [`policy`], takes the locks and leaves the audit event. `tests/it/rooms.rs` holds the order below: a room
//! imports only from those above it.
//!
//! To follow one act through the house: `responsibilityAccept` in `responsibility/graphql.rs`, `accept` in
//! `responsibility/answer.rs`, who may in `responsibility/parties.rs`, what it becomes in
//! `responsibility/lifecycle.rs`, the door in `access/permit.rs`, the table in `policy/table.rs`, and its tests in
//! `tests/it/handshake.rs`.

#![recursion_limit = "256"]

// Plain comments: with docs here as well, rustdoc would look up the links of a room's own docs from this file.

// Who may do what, on one page.
pub mod policy;

// Failures, and the words for them.
pub mod error;

// New ids.
pub mod id;

// What time it is.
pub mod clock;

// Work that ends with whoever waits for it.
pub mod task_runtime;

// Computing over whole blueprints, within what one request may spend.
pub mod compute;

// The open database.
pub mod database;

// The API's own scalars.
pub mod scalar;

// JSON, written without a tree.
pub mod json;

// Numbers as they are kept and told.
pub mod number;

// Short digests of texts.
pub mod digest;

// Text as people see it.
pub mod text;

// What clients send, read with all its faults.
pub mod input;

// The fields that people fill in, each listed once.
pub mod fields;

// Rows of cells, as spreadsheets save and open them.
pub mod sheet;

// Places in an order that people arrange.
pub mod order;

// Statements put together from words and selects.
pub mod statement;

// Access, refresh and service tokens, and the key that signs them.
pub mod token;

// The words by which things are found.
pub mod index;

// Who did what to what.
pub mod audit;

// The only door to the database.
pub mod access;

// What many fields of a document ask for, looked up in one statement.
pub mod batch;

// Objects in lists, counted as they are answered.
pub mod meter;

// Keyset pages.
pub mod page;

// What mutations answer.
pub mod payload;

// Sheets of very many rows on their way in.
pub mod intake;

// Whether a KPI is met: its figure, its target and its state.
pub mod judgement;

// One whole blueprint in memory.
pub mod canvas;

// People and services, and how they sign in.
pub mod account;

// Departments, their tree and their members.
pub mod department;

// Personas, segments and channels.
pub mod persona;

// Journeys and their phases.
pub mod blueprint;

// What blueprints can begin with.
pub mod template;

// Steps, and the transitions between them.
pub mod touchpoint;

// Named ways through a journey.
pub mod scenario;

// Who answers for what: the handshake.
pub mod responsibility;

// Whether it works: KPIs, their targets and values.
pub mod kpi;

// What is known of a journey, and from where.
pub mod insight;

// What customers are promised, and where.
pub mod promise;

// How people found a touchpoint when they tried it.
pub mod evaluation;

// What is to become better.
pub mod improvement;

// What customers answer, and what is done about it.
pub mod feedback;

// One blueprint with everything that hangs on it.
pub mod snapshot;

// What blueprints get wrong, since when, and what was dismissed.
pub mod finding;

// Flags and environment.
pub mod config;

// Finding things by their words.
pub mod search;

// What changes when the organisation does, or would change.
pub mod reorganise;

// The organisation as a text.
pub mod document;

// What a blueprint was, and what differs.
pub mod publication;

// Flat rows for programs that draw charts.
pub mod bi;

// A blueprint as a picture.
pub mod picture;

// What a server does beside answering requests.
pub mod background;

// The roots of the API and the edges that join slices.
pub mod graph;

// The way in.
pub mod http;
