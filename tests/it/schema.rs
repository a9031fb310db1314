//! The schema that clients build on.

use cx_blueprint::graph;

use crate::golden;

#[test]
fn the_committed_schema_is_the_codes() {
    golden::compare("schema.graphql", &graph::sdl());
}
