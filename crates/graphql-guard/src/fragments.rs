//! The fragments of a document, by name.

use std::collections::HashMap;

use async_graphql::{Name, Positioned, parser::types::FragmentDefinition};

/// Every fragment that the operation reaches.
pub(crate) type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;
